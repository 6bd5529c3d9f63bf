"""A rule: which kind of event, with which thresholds, where and when. Data, never code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = ("zone_entry", "slow", "meeting", "gap", "dark", "loiter", "no_permit", "overdue", "avoids")


@dataclass(frozen=True)
class Rule:
    """One version of one rule. A detector is run once for every rule in force of its kind.

    values: thresholds by name; those left out are the defaults of `settings.Settings` (event_*). zones: ids of the zones
    it holds in (empty: all). reaches: (river, km_from, km_to) it holds in (empty: all). hours: (from, to) on the
    Shanghai clock, may wrap midnight (None: always). allowed: units it does not speak of (permits).
    """

    rule: str
    version: int
    kind: str
    values: Mapping[str, float] = field(default_factory=dict)
    zones: tuple[str, ...] = ()
    reaches: tuple[tuple[str, float, float], ...] = ()
    hours: tuple[float, float] | None = None
    allowed: tuple[str, ...] = ()
