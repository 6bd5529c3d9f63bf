"""Rows of `warnings`: their evidence, changes to them, and the situations behind them.

A situation is what one group of boats does at one place; on a border it has one warning for each locality. Statistics
ask about situations (a case found counts once), clocks and counts of messages about warnings.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geo_monitor.events.event import Event

Row = Mapping[str, Any]
LIVE = ("open", "signed", "dispatched", "verified")
RANKED = ("case", "education", "nothing_found", "false", "no_unit")  # of two outcomes of a situation the first counts
KNOWN = ("case", "education", "nothing_found", "false")  # somebody looked: tells whether the warning was right
HOUR_MS = 3_600_000


def told(row: Row) -> dict[str, Any]:
    """The evidence of a row.

    >>> told({"evidence": '{"late_h": 7.5}'}), told({"evidence": None})
    ({'late_h': 7.5}, {})
    """
    return dict(json.loads(row.get("evidence") or "{}"))


def written(evidence: Mapping[str, Any]) -> str:
    """Evidence as it is stored: JSON, the same text for the same content."""
    return json.dumps(evidence, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def changed(row: Row, evidence: Mapping[str, Any] | None = None, reason: str | None = None, **values: Any) -> dict:
    """`row` with other values; `evidence` is added to what it held. `revision` stays: the one the change was judged on."""
    new = {**row, **values, "reason": reason}
    if evidence is not None:
        new["evidence"] = written({**told(row), **evidence})
    return new


def short_hash(*parts: str) -> str:
    """SHA-256 of the parts, 16 characters."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16]


def event_row(event: Event | Row) -> dict[str, Any]:
    """An event as its row in `events`; one fresh from a detector is open or ended, and its localities are not known."""
    if not isinstance(event, Event):
        return dict(event)
    return {
        "event_id": event.event_id,
        "state": "open" if event.ended_at is None else "ended",
        "kind": event.kind,
        "rule": event.rule,
        "rule_version": event.rule_version,
        "unit_ids": event.unit_ids,
        "reach_id": event.reach_id,
        "zone_id": event.zone_id,
        "adcodes": (),
        "started_at": event.started_at,
        "ended_at": event.ended_at,
        "lon": event.lon,
        "lat": event.lat,
        "evidence": written(event.evidence),
    }


@dataclass(frozen=True)
class Situation:
    """What one situation came to. `base`: the class of its rule. `judged_by`, `rest`: the rule whose yield counted and
    the log odds of the rest (`grade.Judgement`); with `probability` and `harm` those of its gravest warning. `outcome`:
    None until it is settled (a case settles it; else all its warnings must be closed)."""

    situation: str
    base: str
    rule: str | None
    opened_at: int
    judged_by: str | None
    rest: float | None
    probability: float | None
    harm: float
    recalled: bool
    reached: bool
    verified: bool
    outcome: str | None


def situations(warnings: Iterable[Row], taskings: Iterable[Row] = ()) -> list[Situation]:
    """The situations behind newest revisions of warnings, by opening. Recalled ones are `recalled` and have no outcome."""
    went: dict[str, list[Row]] = {}
    for tasking in taskings:
        went.setdefault(str(tasking["warning_id"]), []).append(tasking)
    groups: dict[str, list[tuple[Row, dict[str, Any]]]] = {}
    for row in warnings:
        evidence = told(row)
        groups.setdefault(evidence.get("situation") or row["warning_id"], []).append((row, evidence))
    found = [_situation(key, rows, went) for key, rows in groups.items()]
    return sorted(found, key=lambda one: (one.opened_at, one.situation))


def _situation(key: str, pairs: Sequence[tuple[Row, dict[str, Any]]], went: Mapping[str, list[Row]]) -> Situation:
    rows = [row for row, _ in pairs]
    gravest = max(rows, key=lambda row: ((row.get("probability") or 0.0) * (row.get("harm") or 0.0), row["warning_id"]))
    judged = told(gravest)
    outcomes = [row["outcome"] for row in rows if row["state"] == "closed" and row.get("outcome")]
    best = min(outcomes, key=RANKED.index) if outcomes else None
    settled = best == "case" or not any(row["state"] in LIVE for row in rows)
    reached = any(was_reached(row, went.get(row["warning_id"], ())) for row in rows)
    return Situation(
        situation=key,
        base=str(pairs[0][1].get("base") or rows[0]["class"]),
        rule=min(rows, key=lambda row: (row["opened_at"], row["warning_id"])).get("rule"),
        opened_at=min(int(row["opened_at"]) for row in rows),
        judged_by=judged.get("parts", {}).get("rule"),
        rest=judged.get("rest"),
        probability=gravest.get("probability"),
        harm=float(gravest.get("harm") or 0.0),
        recalled=all(row["state"] == "recalled" for row in rows),
        reached=reached,
        verified=best in ("case", "education") or any("verified_at" in evidence for _, evidence in pairs),
        outcome=best if settled else None,
    )


def was_reached(row: Row, taskings: Iterable[Row]) -> bool:
    """Whether somebody stood there: a unit on scene, or a tasking done with something to tell.

    >>> was_reached({}, [{"state": "done", "result": "nothing_found"}]), was_reached({}, [{"state": "declined"}])
    (True, False)
    """
    if "reached_at" in told(row):
        return True
    return any(
        one["state"] == "on_scene" or (one["state"] == "done" and one.get("result") not in (None, "no_unit"))
        for one in taskings
    )
