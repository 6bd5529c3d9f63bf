"""A straight river of reaches r0, r1, ... 500 m each, and events on it, made by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from geo_monitor.alerts.context import Context, Place
from geo_monitor.alerts.grade import Book
from geo_monitor.alerts.rules import shipped

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
LEFT, RIGHT = "421022", "430602"  # Gong'an in Hubei, Yueyanglou in Hunan
RULES = shipped()


def at(text: str) -> int:
    """A moment on the Shanghai clock, ms UTC.

    >>> at("1970-01-01 08:00")
    0
    """
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Shanghai")).timestamp() * 1000)


T0 = at("2026-03-01 22:00")


def event(name: str, kind: str = "slow", start: int = T0, reach: str | None = "r10", **other: Any) -> dict[str, Any]:
    row: dict[str, Any] = {
        "event_id": name,
        "revision": 1,
        "state": "ended",
        "kind": kind,
        "rule": kind,
        "rule_version": 1,
        "unit_ids": (f"boat-{name}",),
        "reach_id": reach,
        "zone_id": None,
        "adcodes": (),
        "started_at": start,
        "ended_at": start + 10 * MINUTE,
        "lon": 112.0,
        "lat": 30.0,
        "evidence": "{}",
        "reason": None,
    }
    return row | other


def metres(a: str, b: str) -> float:
    return 500.0 * abs(int(a[1:]) - int(b[1:]))


def context(book: Book | None = None, **places: Place) -> Context:
    """Reaches r0-r19 answer to LEFT, r20-r29 to both, r30-r39 to RIGHT; others to nobody known."""
    every = {f"r{i}": Place((LEFT,), 112.0, 30.0, "长江", i / 2) for i in range(20)}
    every |= {f"r{i}": Place((LEFT, RIGHT), 112.0, 30.0, "长江", i / 2) for i in range(20, 30)}
    every |= {f"r{i}": Place((RIGHT,), 112.0, 30.0, "长江", i / 2) for i in range(30, 40)}
    return Context(every | places, metres, book or Book())


def kept(held: list[dict[str, Any]], changed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest revisions after the store wrote `changed`: as `store.revisions.revise` counts and refuses."""
    rows = {row["warning_id"]: row for row in held}
    for row in changed:
        before = rows.get(row["warning_id"], {}).get("revision", 0)
        assert row.get("revision", before) == before, "judged on another revision"
        rows[row["warning_id"]] = {**row, "revision": before + 1}
    return list(rows.values())


def closed(
    i: int, rule: str = "slow", outcome: str = "nothing_found", opened: int = T0, **other: Any
) -> dict[str, Any]:
    """A warning that is over, alone in its situation."""
    row: dict[str, Any] = {
        "warning_id": f"{rule}-{i}-{opened}",
        "class": "gear",
        "grade": "blue",
        "adcode": LEFT,
        "level": "county",
        "opened_at": opened,
        "sign_by": opened + DAY,
        "signed_at": opened + 5 * MINUTE,
        "state": "closed",
        "rule": rule,
        "probability": None,
        "harm": 1.0,
        "evidence": "{}",
        "outcome": outcome,
    }
    return row | other
