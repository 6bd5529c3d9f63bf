"""An event, and the id that every way to find it gives it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any


def event_id(kind: str, rule: str, unit_ids: Iterable[str], zone_id: str | None, started_at: int) -> str:
    """The id of an event: SHA-256 of kind, rule, units (in alphabetical order), zone and start (ms UTC), 16 characters.

    >>> event_id("meeting", "meeting", ["b", "a"], None, 0) == event_id("meeting", "meeting", ["a", "b"], None, 0)
    True
    """
    told = "\x1f".join([kind, rule, *sorted(unit_ids), zone_id or "", str(started_at)])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Event:
    """What a detector found. Times are ms UTC; ended_at is None while it goes on; lon, lat (WGS84) where it began.

    evidence: plain values that JSON can hold: what was measured, against which threshold, and the fixes that made it
    (their number, first and last time, and up to 20 of them as [unit_id, ms, lon, lat]).
    """

    kind: str
    rule: str
    rule_version: int
    unit_ids: tuple[str, ...]
    zone_id: str | None
    started_at: int
    ended_at: int | None
    reach_id: str | None
    lon: float
    lat: float
    evidence: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def event_id(self) -> str:
        """The same for the same kind, rule, units, zone and start."""
        return event_id(self.kind, self.rule, self.unit_ids, self.zone_id, self.started_at)
