"""The duty room: everything that comes into the store, looked at once, as events and warnings with their clocks.

It reads the store, not the feeds: what a feed, an upload or a phone brought is all the same, and after a fall it goes on
from what is stored. There is one at a time in a workspace (`store.alone`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa

from geo_monitor.events.detect import Detection
from geo_monitor.events.event import Event
from geo_monitor.events.fixes import Fixes
from geo_monitor.loop import back
from geo_monitor.loop.ground import Ground, begin_rules, mark_of
from geo_monitor.loop.rows import event_row, unsaid
from geo_monitor.loop.warnings import Warnings, Written
from geo_monitor.store import live, revisions
from geo_monitor.store.schema import SQL

if TYPE_CHECKING:
    from geo_monitor.settings import Settings
    from geo_monitor.store import Store

TOGETHER = ("gap", "meeting", "dark")  # events that several units' fixes decide: after a start exact only ...
EXACT_MS = 5 * 3_600_000  # ... where they began in so many ms before the newest fix (docs/events.md)
LOOK_S = 20.0  # seconds after which the room looks whether zones, rules or the last analysis changed


@dataclass
class _Seen:
    """What was read of the store: fixes without a file up to a row number, and receipts."""

    row: int = 0
    receipts: frozenset[str] = field(default_factory=frozenset)


class Room:
    """event_clock: the time is that of the newest fix that came, so that a recorded night replays with all clocks right;
    else it is that of the wall, given at every turn. A night that is older than what is stored by more than
    `event_cut_s` is replayed as if nothing later were there."""

    def __init__(self, store: Store, settings: Settings, event_clock: bool = False) -> None:
        self._store, self._settings, self._event_clock = store, settings, event_clock
        # of a replay that fell what it had not sealed comes again: its clock is not known any more
        self._seen = _Seen(0, self._receipts())
        self._clock: int | None = None
        self._told: int | None = None  # where people were told that the clock of the replay stands
        self._begun = 0  # the clock when what was stored was read
        self._looked = -1e18
        self._known: set[str] = set()
        self._read: dict[str, Fixes] = {}
        self._written: dict[str, tuple[Any, int]] = {}
        self.ground: Ground | None = None

    def turn(self, wall: int) -> Written:
        """Looks at what came since the last turn. wall: ms UTC."""
        done = Written()
        if self.ground is None and not self._event_clock:
            if live.clock(self._store) is not None:
                live.set_clock(self._store, None)  # a replay is over once somebody watches by the wall
            self._begin(wall, wall, done)
        elif self.ground is not None and wall - self._looked >= LOOK_S * 1000 and self._changed(wall):
            self._begin(wall, self._clock or wall, done)
        table = self._incoming()
        if table is None:  # an upload was withdrawn: what it said is to be unsaid
            self._seen = _Seen(self._seen.row, self._receipts())
            if self.ground is not None:
                self._begin(wall, self._clock or wall, done)
            table = self._incoming()
            assert table is not None
        fixes = Fixes.of_table(table)
        if self.ground is None and len(fixes):
            self._begin(wall, int(fixes.time.min()), done)
        for part, now in self._slices(fixes, wall):
            self._feed(part)
            self._clock = now
            self._keep(now, done)
        if self._event_clock and self._clock is not None and self._clock != self._told:
            live.set_clock(self._store, self._clock)
            self._told = self._clock
        return done

    def _receipts(self) -> frozenset[str]:
        return frozenset(self._store.receipts_in_force(None, ["tracks"]))

    def _changed(self, wall: int) -> bool:
        self._looked = wall
        return self.ground is None or mark_of(self._store) != self.ground.mark

    def _begin(self, wall: int, now: int, done: Written) -> None:
        """Reads water, law and rules, and what was going on before `now`."""
        begin_rules(self._store, self._settings, wall)
        self.ground = Ground.of(self._store, self._settings, now)
        self._warnings = Warnings(self._store, self._settings, self.ground)
        self._looked = wall
        if not self._event_clock:
            self._seen = _Seen(live.last_row(self._store), self._receipts())
        self._detection = Detection(
            self.ground.network, self.ground.zones, self.ground.levels, self.ground.rules, self._settings
        )
        self._known = set()
        if self._event_clock and self._clock is None:  # what is in `live` has just come, and is no past
            last = self._store.newest(self._seen.receipts)
        else:
            last = live.heard(self._store, self._seen.receipts)
        if last is not None and self._event_clock and last - now > self._settings.event_cut_s * 1000:
            last = now - 1
        if last is None:
            self._detection.history = self._history
            return
        fixes = back.tracks(self._store, self._settings, last + 1)
        self._known = set(fixes.unit.tolist())
        self._detection.feed(fixes)
        self._clock = max(now, last) if self._event_clock else wall
        self._begun = self._clock
        first = pd.Series(fixes.time).groupby(fixes.unit).min()
        since = {str(unit): int(time) for unit, time in first.items()}
        self._keep(self._clock, done, since)
        self._detection.history = self._history  # from now on it may forget what the store has

    def _history(self, unit: str, moment: int) -> Fixes:
        held = self._read.pop(unit, None)
        return back.history(self._store, self._settings, unit, moment) if held is None else held

    def _feed(self, fixes: Fixes) -> None:
        """Feeds fixes; of units not heard of so far what they did before is read for all of them at once."""
        new = set(fixes.unit.tolist()) - self._known
        if new:
            self._known |= new
            first = int(fixes.time[np.isin(fixes.unit.astype(str), sorted(new))].min())
            before = back.tracks(self._store, self._settings, first, new)
            self._read = dict.fromkeys(new, before[:0])
            self._read |= {str(before.unit[low]): before[low:high] for low, high in back.runs(before.unit)}
        self._detection.feed(fixes)

    def _incoming(self) -> pa.Table | None:
        """Fixes that came since the last look; None where an upload was withdrawn meanwhile."""
        table, number = self._store.live(self._seen.row)
        there = self._receipts()
        if self._seen.receipts - there:
            return None
        row = int(number.max(initial=self._seen.row))
        new = there - self._seen.receipts
        new -= live.sealed_upto(self._store, new, row)  # looked at before they were sealed
        parts = [table.select(list(back.COLUMNS))]
        if new:
            parts.append(self._store.positions(None, columns=list(back.COLUMNS), receipts=new))
        self._seen = _Seen(row, there)
        return pa.concat_tables(parts)

    def _slices(self, fixes: Fixes, wall: int) -> Iterable[tuple[Fixes, int]]:
        """What is fed at once, and the time then: by the wall all at once; by the fixes' own clock in steps of it, so that
        what is found does not depend on how much was read at once."""
        if not self._event_clock:
            yield fixes, wall
            return
        if not len(fixes):
            return
        step = round(self._settings.event_beat_s * 1000)
        order = np.argsort(fixes.time, kind="stable")
        beat = np.maximum(fixes.time[order], self._clock or 0) // step  # what comes late comes at once
        edges = [0, *(np.flatnonzero(np.diff(beat)) + 1).tolist(), len(order)]
        for low, high in pairwise(edges):
            part = fixes[order[low:high]]
            yield part, max(int(part.time[-1]), self._clock or 0)

    def _keep(self, now: int, done: Written, since: dict[str, int] | None = None) -> None:
        """Writes what changed; with `since` (unit -> its first fix that was read) also unsays what does not follow from
        the fixes any more."""
        assert self.ground is not None
        events, gone = self._detection.changed(now)
        again = back.going_on(self._store, self._settings, events, gone)
        events = [event for event in events if event.event_id not in again]
        rows = [*again.values(), *(event_row(event, self.ground) for event in events if self._due(event, now))]
        rows += [{"event_id": name, "state": "withdrawn", "reason": "late_data"} for name in gone]
        if since is not None:
            rows += self._unsaid({event.event_id for event in events}, since)
        # of several units that began long before this start not all has been read that their events hang on
        old = {e.event_id for e in events if e.kind in TOGETHER and e.started_at < self._begun - EXACT_MS}
        self._warnings.keep(rows, now, done, old)

    def _due(self, event: Event, now: int) -> bool:
        """Whether an event is to be written: it is new, began or ended otherwise, or has gone on for long."""
        told = (event.started_at, event.ended_at, event.reach_id)
        before = self._written.get(event.event_id)
        if before is not None and before[0] == told and now - before[1] < self._settings.event_revise_s * 1000:
            return False
        self._written[event.event_id] = (told, now)
        return True

    def _unsaid(self, found: set[str], since: dict[str, int]) -> list[dict[str, Any]]:
        assert self.ground is not None
        if not since:
            return []
        of, exact = SQL["events"], (self._clock or 0) - EXACT_MS
        where = (of.c.started_at >= min(since.values())) & (of.c.started_at <= (self._clock or 0))
        return [
            unsaid(row)
            for row in self.ground.told(revisions.rows(self._store, "events", where))
            if row["event_id"] not in found
            and row["kind"] != back.FAR
            and all(unit in since and row["started_at"] >= since[unit] for unit in row["unit_ids"])
            and (row["kind"] not in TOGETHER or row["started_at"] >= exact)
        ]


def now_ms() -> int:
    """The wall clock, ms UTC."""
    return round(datetime.now(UTC).timestamp() * 1000)
