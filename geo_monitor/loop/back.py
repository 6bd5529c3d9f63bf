"""What was stored before, as far back as it matters: a unit's track up to the last time it was silent for long.

A silence of `event_cut_s` cuts a track: no event of a unit reaches across it, save the silence itself. So a detector that
is fed a unit's fixes from the last cut on knows all that one knows which watched from the beginning.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.events.fixes import Fixes

if TYPE_CHECKING:
    from geo_monitor.settings import Settings
    from geo_monitor.store import Store

HOUR_MS = 3_600_000
FIRST_MS = 24 * HOUR_MS  # looked at first; doubled until every track is cut
COLUMNS = ("unit_id", "time", "lon", "lat", "speed", "heading", "role", "platform")


def tracks(store: Store, settings: Settings, until: int, units: Collection[str] | None = None) -> Fixes:
    """All fixes up to `until` (ms UTC, exclusive) of the units heard in the day before it (or of `units`, whenever they
    were heard last), each from its last cut on."""
    cut_ms = round(settings.event_cut_s * 1000)
    span = FIRST_MS
    first = _first(store)
    wanted = None if units is None else sorted(set(units))
    done: list[Fixes] = []
    if wanted == []:
        return Fixes.joined([])
    while True:
        start = until - span
        fixes = _read(store, start, until, wanted)
        every = start <= first
        if wanted is None and not every:
            wanted = sorted(set(fixes.unit.tolist()))
        keep = np.zeros(len(fixes), dtype=bool)
        open_ends = set(wanted or ())
        for low, high in _runs(fixes.unit):
            time = fixes.time[low:high]
            jumps = np.flatnonzero(np.diff(time) >= cut_ms)
            # the silence before the last stretch may still be told of: the stretch before it belongs to that
            at = int(jumps[-2]) + 1 if len(jumps) > 1 else (0 if time[0] - start >= cut_ms or every else -1)
            if at >= 0:
                keep[low + at : high] = True
                open_ends.discard(str(fixes.unit[low]))
        done.append(fixes[keep])
        if every or not open_ends:
            return Fixes.joined(done)
        wanted, span = sorted(open_ends), span * 2


def history(store: Store, settings: Settings, unit: str, moment: int) -> Fixes:
    """All stored fixes of a unit since its last cut before `moment` (ms UTC), later ones included."""
    cut_ms = round(settings.event_cut_s * 1000)
    span, first = FIRST_MS, _first(store)
    while True:
        start = moment - span
        fixes = _read(store, start, None, [unit])
        before = np.flatnonzero(fixes.time <= moment)
        jumps = np.flatnonzero(np.diff(fixes.time[: len(before) + 1]) >= cut_ms) if len(fixes) else before[:0]
        if len(jumps) > 1:
            return fixes[slice(int(jumps[-2]) + 1, None)]
        if start <= first:
            return fixes
        span *= 2


def since(store: Store, settings: Settings, moment: int | None) -> Fixes:
    """All stored fixes from `moment` on (ms UTC; None: all there are), each unit's from its last cut before it on."""
    if moment is None:
        return _read(store, 0, None, None)
    later = _read(store, moment, None, None)
    before = tracks(store, settings, moment, sorted(set(later.unit.tolist())))
    return Fixes.joined([before, later])


def _first(store: Store) -> int:
    """A moment before every fix, ms UTC: the begin of the first day there is, or the first fix without a file."""
    from geo_monitor.store import live

    days = sorted(path.name[4:] for path in (store.root / "positions").glob("day=*"))
    moments = [round(datetime.fromisoformat(f"{day}T00:00:00+08:00").timestamp() * 1000) for day in days[:1]]
    fresh = live.oldest(store)
    return min([*moments, *([] if fresh is None else [fresh])], default=0)


def _read(store: Store, start: int, end: int | None, units: list[str] | None) -> Fixes:
    def moment(ms: int) -> datetime:
        return datetime.fromtimestamp(ms / 1000, UTC)

    held = store.positions(
        None, moment(max(start, 0)), None if end is None else moment(end), list(COLUMNS), units, encoded=False
    )
    return Fixes.of_table(held)


def _runs(unit: np.ndarray) -> list[tuple[int, int]]:
    if not len(unit):
        return []
    edges = np.flatnonzero(unit[1:] != unit[:-1]) + 1
    bounds = [0, *edges.tolist(), len(unit)]
    return list(pairwise(bounds))
