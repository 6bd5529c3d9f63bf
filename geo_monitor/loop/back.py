"""What was stored before, as far back as it matters: a unit's track up to the last time it was silent for long.

A silence of `event_cut_s` cuts a track: no event of a unit reaches across it, save the silence itself. So a detector that
is fed a unit's fixes from the last cut on knows all that one knows which watched from the beginning.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.events.fixes import Fixes
from geo_monitor.store import revisions
from geo_monitor.store.schema import SQL
from geo_monitor.times import utc
from geo_monitor.tracks import DAY_MS

if TYPE_CHECKING:
    from geo_monitor.events.event import Event
    from geo_monitor.settings import Settings
    from geo_monitor.store import Store

FAR = "avoids"  # the kind of event that looks back farther than a last cut (docs/events.md)
FIRST_MS = DAY_MS  # looked at first; doubled until every track is cut
COLUMNS = ("unit_id", "time", "lon", "lat", "speed", "heading", "role", "platform")


def tracks(store: Store, settings: Settings, until: int, units: Collection[str] | None = None) -> Fixes:
    """Fixes up to `until` (ms UTC, exclusive) of the units heard in the day before it, or of `units` (heard in the last
    `event_back_days`), each from the begin of the stretch between two cuts that its last fix belongs to."""
    cut_ms = round(settings.event_cut_s * 1000)
    span, first = FIRST_MS, _first(store)
    wanted = None if units is None else sorted(set(units))
    most = round(settings.event_back_days * DAY_MS)
    done: list[Fixes] = []
    while wanted is None or wanted:
        start = until - span
        fixes = _read(store, start, until, wanted)
        every = start <= first
        left = set(fixes.unit.tolist()) if wanted is None else set(wanted)
        keep = np.zeros(len(fixes), dtype=bool)
        for low, high in runs(fixes.unit):
            time = fixes.time[low:high]
            at = _begin(time, start, cut_ms, every)
            if at is not None:
                keep[low + at : high] = True
                left.discard(str(fixes.unit[low]))
        heard = set(fixes.unit.tolist())
        last = every or span >= most
        if last:  # what began longer ago is taken from there on
            keep |= np.isin(fixes.unit.astype(str), sorted(left & heard))
        done.append(fixes[keep])
        if last:
            break
        wanted, span = sorted(left), span * 2
    return Fixes.joined(done)


def _begin(time: np.ndarray, start: int, cut_ms: int, every: bool) -> int | None:
    """Where in `time` (n,) the last stretch begins; None where it may begin before `start`, and not `every` fix is here."""
    jumps = np.flatnonzero(np.diff(time) >= cut_ms)
    if len(jumps):
        return int(jumps[-1]) + 1
    return 0 if every or time[0] - start >= cut_ms else None


def history(store: Store, settings: Settings, unit: str, moment: int) -> Fixes:
    """All stored fixes of a unit from the begin of the stretch between two cuts that its last fix at or before `moment`
    (ms UTC) belongs to, or from `moment` where there is none; later ones included."""
    cut_ms = round(settings.event_cut_s * 1000)
    span, first = FIRST_MS, _first(store)
    while True:
        start = moment - span
        fixes = _read(store, start, None, [unit])
        before = int((fixes.time <= moment).sum())
        every = start <= first
        if before:
            at = _begin(fixes.time[:before], start, cut_ms, every)
            if at is not None:
                return fixes[slice(at, None)]
        elif every:
            return fixes
        span *= 2


def since(store: Store, settings: Settings, moment: int | None) -> Fixes:
    """All stored fixes from `moment` on (ms UTC; None: all there are), each unit's from its last cut before it on; and of
    units that have been silent since, but were heard in the day before: a patrol is overdue after its last fix, and
    others that fell silent tell of the shore station."""
    if moment is None:
        return _read(store, 0, None, None)
    later = _read(store, moment, None, None)
    near = tracks(store, settings, moment)
    others = set(later.unit.tolist()) - set(near.unit.tolist())
    return Fixes.joined([near, tracks(store, settings, moment, others), later])


def going_on(
    store: Store, settings: Settings, events: Sequence[Event], gone: Collection[str] = ()
) -> dict[str, dict[str, Any]]:
    """Of those among `events` (ids) that are no new ones the row that stands: of a boat that avoids patrols not all it did
    before is read again, so it seems to begin anew while the event of before (not among `gone`) goes on."""
    mine = [event for event in events if event.kind == FAR]
    if not mine:
        return {}
    of, span = SQL["events"], round(settings.event_avoids_days * DAY_MS)
    held = [
        row
        for row in revisions.rows(store, "events", (of.c.kind == FAR) & (of.c.state != "withdrawn"))
        if row["event_id"] not in gone
    ]
    return {
        event.event_id: row
        for event in mine
        for row in held
        if (row["rule"], row["rule_version"], row["unit_ids"]) == (event.rule, event.rule_version, event.unit_ids)
        and row["started_at"] < event.started_at <= (row["ended_at"] or row["started_at"]) + span
    }


def _first(store: Store) -> int:
    """A moment before every fix, ms UTC: the begin of the first day there is, or the first fix without a file."""
    from geo_monitor.store import live

    days = sorted(path.name[4:] for path in (store.root / "positions").glob("day=*"))
    moments = [round(datetime.fromisoformat(f"{day}T00:00:00+08:00").timestamp() * 1000) for day in days[:1]]
    fresh = live.oldest(store)
    return min([*moments, *([] if fresh is None else [fresh])], default=0)


def judged_from(store: Store, settings: Settings) -> int | None:
    """From which moment on (ms UTC) events can be found where days of positions were let go: what a unit did in the
    `event_back_days` before may belong to them. None: of all the time there is."""
    first = store.held_from
    return None if first is None else first + math.ceil(settings.event_back_days) * DAY_MS


def _read(store: Store, start: int, end: int | None, units: list[str] | None) -> Fixes:
    """Fixes in [start, end), as far back as they are held."""
    start = max(start, store.held_from or 0)
    until = None if end is None else utc(max(start, end))
    return Fixes.of_table(store.positions(None, utc(start), until, list(COLUMNS), units))


def runs(unit: np.ndarray) -> list[tuple[int, int]]:
    """Where each unit's rows begin and end, in rows sorted by unit."""
    if not len(unit):
        return []
    edges = np.flatnonzero(unit[1:] != unit[:-1]) + 1
    bounds = [0, *edges.tolist(), len(unit)]
    return list(pairwise(bounds))
