"""Warnings kept by themselves: raised from events, moved by their clocks, settled by what taskings say."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from geo_monitor.alerts import actions, clocks, context, grade
from geo_monitor.alerts import rules as rulebook
from geo_monitor.alerts.rows import LIVE
from geo_monitor.alerts.warnings import raise_
from geo_monitor.dispatch import by_track
from geo_monitor.dispatch.candidates import OPEN
from geo_monitor.errors import Refused
from geo_monitor.loop.rows import place_of, tasking_of
from geo_monitor.store import expire, revisions
from geo_monitor.store.schema import SQL
from geo_monitor.tracks import DAY_MS

if TYPE_CHECKING:
    from geo_monitor.loop.ground import Ground
    from geo_monitor.settings import Settings
    from geo_monitor.store import Store

WHO = rulebook.MAKER  # who writes what no person decided
AGAIN_MS = 7 * DAY_MS  # warnings opened since are at hand, in whatever state, for events that come again revised
LEARN_MS = 3_600_000  # what earlier warnings came to is read anew so often
CLOCK_MS = 60_000  # clocks are read anew so often, at least
TRACK_MS = 10_000  # taskings are looked up in the fixes so often
TRIES = 5  # how often a change is judged anew when a person was quicker


@dataclass
class Written:
    """How many revisions were written."""

    events: int = 0
    warnings: int = 0


class Warnings:
    """Of one workspace, kept by the duty room."""

    def __init__(self, store: Store, settings: Settings, ground: Ground) -> None:
        self._store, self._settings, self._ground = store, settings, ground
        self._book = grade.Book()
        self._learned: int | None = None
        self._tracked: int | None = None
        self._mark = ""  # of what the clocks were read from, and
        self._next = 0  # when the next of them is due, ms UTC

    def keep(self, events: list[dict[str, Any]], now: int, done: Written) -> None:
        """Writes new or changed `events` (rows of the table) with the warnings they ask for, all or nothing, and does what
        is due at `now` (ms UTC); adds to `done` what was written."""
        for attempt in range(TRIES):
            try:
                done.warnings += self._due(now)  # first: what is raised joins warnings as their clocks left them
                self._raise(events, now, done)
                break
            except Refused as error:  # a person acted meanwhile: judged anew on what stands now
                if error.code != "changed_meanwhile" or attempt == TRIES - 1:
                    raise
        if self._tracked is None or now - self._tracked >= TRACK_MS:
            self._tracked = now
            done.warnings += self._taskings(now)

    def _raise(self, events: list[dict[str, Any]], now: int, done: Written) -> None:
        events = revisions.differing(self._store, "events", events)
        if not events:
            return
        of = SQL["warnings"]
        recent = of.c.state.in_(LIVE) | (of.c.opened_at >= now - AGAIN_MS) | of.c.evidence.like('%"quiet"%')
        for event in events:
            if event["started_at"] < now - AGAIN_MS:  # a silence of weeks ends: its warning was closed long ago
                recent |= of.c.event_ids.like(f"%{event['event_id']}%")
        held = revisions.rows(self._store, "warnings", recent)
        if self._learned is None or now - self._learned >= LEARN_MS:
            self._book = grade.learn(revisions.rows(self._store, "warnings"), self._settings)
            self._learned = now
        known = context.Context(self._ground.places, self._ground.distance, self._book, context.quiets(held))
        found = raise_(events, self._ground.rows, held, known, now, self._settings)
        written = revisions.together(self._store, {"events": events, "warnings": found.rows}, now, WHO)
        done.events += len(written["events"])
        done.warnings += len(written["warnings"])

    def _due(self, now: int) -> int:
        """Clocks of warnings and rules; nothing is read while nothing is due and nobody wrote."""
        mark = revisions.mark(self._store, "warnings", "rules")
        if mark == self._mark and now < self._next:
            return 0
        live = revisions.rows(self._store, "warnings", SQL["warnings"].c.state.in_(LIVE))
        rules = revisions.rows(self._store, "rules")
        ends = [row["expires_at"] for row in rules if row["state"] == "in_force" and row["expires_at"] is not None]
        first = clocks.next_due(live)
        # a server may show a revision later than one of a higher number: so all is read once a minute
        self._mark, self._next = mark, min([now + CLOCK_MS, *ends, *([] if first is None else [first])])
        count = 0
        for row in clocks.tick(live, now, self._settings):
            moment = int(row["escalated_at"] or now) if row["state"] == "open" else now
            count += len(revisions.revise(self._store, "warnings", [row], moment, WHO))
        revisions.revise(self._store, "rules", rulebook.expire(rules, now), now, WHO, "expire")
        return count

    def _taskings(self, now: int) -> int:
        """Steps that the units' own fixes tell, and what taskings say of their warnings."""
        of = SQL["taskings"]
        running = revisions.rows(self._store, "taskings", of.c.state.in_(OPEN))
        if not running:
            return 0
        warnings = revisions.of_ids(self._store, "warnings", [row["warning_id"] for row in running])
        for row in running:
            if row["state"] not in ("accepted", "under_way") or row["accepted_at"] is None:
                continue
            start = expire.since(self._store, row["accepted_at"] - 600_000)
            columns = ["unit_id", "time", "lon", "lat", "platform"]
            fixes = self._store.positions(None, start, None, columns, [row["unit_id"]]).to_pandas()
            platform = next((str(name) for name in fixes["platform"].dropna()), "boat")
            place = place_of(warnings[row["warning_id"]], self._ground)
            steps = by_track(tasking_of(row), fixes, place, self._ground.network, self._settings, platform)
            told = [{**asdict(step), "revision": row["revision"] + i} for i, step in enumerate(steps)]
            revisions.revise(self._store, "taskings", told, now, WHO, "track")
        return settle(self._store, warnings, WHO, now, self._settings)


def settle(store: Store, ids: Collection[str], who: str, now: int, settings: Settings) -> int:
    """Writes what taskings say of these warnings; gives how many changed."""
    rows = revisions.of_ids(store, "warnings", ids)
    sent = revisions.rows(store, "taskings", SQL["taskings"].c.warning_id.in_(sorted(ids)))
    found = [actions.settle(rows[name], sent, who, now, settings) for name in sorted(rows)]
    return len(revisions.revise(store, "warnings", [row for row in found if row is not None], now, who, "settle"))
