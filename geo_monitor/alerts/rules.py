"""The life of a rule: proposed, back-tested, approved, renewed, retired, expired. Every change is a new revision.

In: the revisions of a rule (rows of `rules`). Out: its next row. A proposal never touches what is in force: `in_force`
reads past it. Content has a version; who, when and until when do not change it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo_monitor.alerts import written
from geo_monitor.alerts.rows import Row, short_hash
from geo_monitor.alerts.rows import written as as_json
from geo_monitor.errors import Refused
from geo_monitor.events.rule import Rule
from geo_monitor.settings import Settings
from geo_monitor.tracks import DAY_MS

if TYPE_CHECKING:
    from geo_monitor.alerts.backtest import Backtest

MAKER = "geo-monitor"  # who made the shipped rules


def shipped(settings: Settings | None = None) -> list[dict[str, Any]]:
    """The rules a new workspace begins with, in force, one for each kind of event; they do not expire.

    >>> [row["rule"] for row in shipped()][:3]
    ['zone_entry', 'no_permit', 'slow']
    """
    settings = settings or Settings()
    rows = []
    for given in _shipped_text():
        rule = written.read(given, settings)
        rows.append(
            {**_row(rule, 1, MAKER), "state": "in_force", "expires_at": None, "reason": "@alerts.reason_shipped"}
        )
    return rows


@cache
def _shipped_text() -> list[dict[str, Any]]:
    import yaml

    return list(yaml.safe_load(Path(__file__).with_name("shipped.yaml").read_text(encoding="utf-8")))


def propose(
    given: str | Mapping[str, Any],
    who: str,
    now: int,
    revisions: Sequence[Row] = (),
    settings: Settings | None = None,
) -> dict[str, Any]:
    """A rule as somebody writes it (YAML or fields), proposed. revisions: all rows so far of the rule of that name.

    The version goes up when the content differs from every version held, else it is that version again. Raises
    `Refused`: those of `written.read`, `rule_expires_past`, `rule_expires_far`, and `rule_unchanged` where the rule in
    force says the same.
    """
    settings = settings or Settings()
    rule = written.read(given, settings)
    mine = [row for row in revisions if row["rule"] == rule.rule]
    versions = {digest(row): int(row["version"]) for row in reversed(mine)}
    new = _row(rule, 1, who)
    current = in_force(mine, now)
    if current and digest(current[0]) == digest(new):
        raise Refused("rule_unchanged", rule=rule.rule)
    new["version"] = versions.get(digest(new), max(versions.values(), default=0) + 1)
    new |= {"state": "proposed", "expires_at": rule.expires_at(now, settings), "reason": None}
    if mine:
        new["revision"] = newest(mine)["revision"]
    return new


def approve(row: Row, backtest: Backtest, who: str, now: int, settings: Settings | None = None) -> dict[str, Any]:
    """A proposal comes in force. Over `alerts_cap_day` warnings a day, wherever, somebody else than its maker must say so.

    Raises `Refused`: `rule_state_wrong`, `rule_backtest_other` (the test is of other content), `rule_raises_nothing`,
    `rule_raises_everything`, `rule_second_person`, `rule_expires_past`.
    """
    settings = settings or Settings()
    if row["state"] != "proposed":
        raise _wrong(row, "approve")
    if (backtest.rule, backtest.digest) != (row["rule"], digest(row)):
        raise Refused("rule_backtest_other", rule=row["rule"])
    backtest.check(settings)
    if row["expires_at"] is not None and row["expires_at"] <= now:
        raise Refused("rule_expires_past")
    if (backtest.over_cap or backtest.per_day > settings.alerts_cap_day) and who == row["made_by"]:
        raise Refused("rule_second_person", rule=row["rule"], cap=f"{settings.alerts_cap_day:g}")
    return {
        **row,
        "state": "in_force",
        "approved_by": who if who != row["made_by"] else None,
        "backtest": as_json(backtest.told()),
        "reason": "@alerts.reason_approved",
    }


def renew(
    row: Row, who: str, now: int, days: int | None = None, reason: str | None = None, settings: Settings | None = None
) -> dict[str, Any]:
    """A rule in force holds for so many days from now on (default `alerts_expires_days`).

    Raises `Refused`: `rule_state_wrong` (one that expired is proposed again), `rule_expires_past`, `rule_expires_far`.
    """
    settings = settings or Settings()
    if row["state"] != "in_force" or (row["expires_at"] is not None and row["expires_at"] <= now):
        raise _wrong(row, "renew")
    until = now + (settings.alerts_expires_days if days is None else days) * DAY_MS
    return {**row, "expires_at": written.checked_end(until, now, settings), "reason": _words(reason)}


def retire(row: Row, who: str, now: int, reason: str | None) -> dict[str, Any]:
    """The rule out of force for good, whether its newest revision is in force or a proposal. Raises `Refused`: `rule_state_wrong`, `rule_reason_missing`."""
    if row["state"] not in ("in_force", "proposed"):
        raise _wrong(row, "retire")
    return {**row, "state": "retired", "reason": _needed(row, reason)}


def drop(revisions: Sequence[Row], who: str, now: int, reason: str | None) -> dict[str, Any]:
    """A proposal refused: the rule is again what it was before it. revisions: all rows of one rule.

    Raises `Refused`: `rule_state_wrong` where the newest is no proposal, `rule_reason_missing`.
    """
    last = newest(revisions)
    if last["state"] != "proposed":
        raise _wrong(last, "drop")
    words = _needed(last, reason)
    before = [row for row in revisions if row["state"] != "proposed"]
    if not before:
        return {**last, "state": "retired", "reason": words}
    return {**newest(before), "revision": last["revision"], "reason": words}


def expire(rules: Iterable[Row], now: int) -> list[dict[str, Any]]:
    """The rows in force (newest revisions) whose time is over at `now`, expired. One that a proposal hides is out of force
    by `in_force` all the same."""
    return [
        {**row, "state": "expired", "reason": "@alerts.reason_expired"}
        for row in rules
        if row["state"] == "in_force" and row["expires_at"] is not None and row["expires_at"] <= now
    ]


def in_force(revisions: Iterable[Row], now: int) -> list[dict[str, Any]]:
    """Of each rule what holds at `now`: its newest revision that is no proposal, if in force and not over; by name.

    revisions: all revisions (`store.revisions.frame(..., every=True)`); of newest ones alone, a rule with a proposal
    would be missing.
    """
    last: dict[str, Row] = {}
    for row in sorted(revisions, key=lambda row: (row["rule"], row.get("revision") or 0)):
        if row["state"] != "proposed":
            last[row["rule"]] = row
    return [
        dict(row)
        for _, row in sorted(last.items())
        if row["state"] == "in_force" and (row["expires_at"] is None or row["expires_at"] > now)
    ]


def to_run(row: Row) -> Rule:
    """A row as detectors take it."""
    return written.as_rule(row["rule"], int(row["version"]), row["kind"], json.loads(row["body"]))


def digest(row: Row) -> str:
    """Stands for a rule's content: kind, class, harm, body."""
    body = json.loads(row["body"])
    return short_hash(row["kind"], row["class"], repr(float(row["harm"])), as_json(body))


def newest(revisions: Sequence[Row]) -> Row:
    """The newest of a rule's revisions."""
    return max(revisions, key=lambda row: row.get("revision") or 0)


def _row(rule: written.Written, version: int, who: str) -> dict[str, Any]:
    return {
        "rule": rule.rule,
        "version": version,
        "kind": rule.kind,
        "class": rule.cls,
        "state": "proposed",
        "harm": rule.harm,
        "body": as_json(rule.body),
        "made_by": who,
        "approved_by": None,
        "expires_at": None,
        "backtest": None,
    }


def _wrong(row: Row, action: str) -> Refused:
    return Refused(
        "rule_state_wrong",
        rule=row["rule"],
        state=f"@alerts.rule_{row['state']}",
        action=f"@alerts.rule_action_{action}",
    )


def _words(reason: str | None) -> str | None:
    return (reason or "").strip() or None


def _needed(row: Row, reason: str | None) -> str:
    words = _words(reason)
    if words is None:
        raise Refused("rule_reason_missing", rule=row["rule"])
    return words
