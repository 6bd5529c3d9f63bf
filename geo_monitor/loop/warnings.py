"""Warnings kept by themselves: raised from events, moved by their clocks, settled by what taskings say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from geo_monitor.alerts import actions, clocks, context, grade
from geo_monitor.alerts import rules as rulebook
from geo_monitor.alerts.rows import LIVE, Row, told
from geo_monitor.alerts.warnings import raise_
from geo_monitor.dispatch import by_track, taskings
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
AGAIN_MS = 7 * DAY_MS  # clocks of replays and of boats apart by so much find the warnings that an event stands on
LEARN_MS = 3_600_000  # what earlier warnings came to is read anew so often
CLOCK_MS = 60_000  # clocks are read anew so often, at least
TRACK_MS = 10_000  # taskings are looked up in the fixes so often
TRIES = 5  # how often a change is judged when somebody was quicker


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

    def keep(self, events: list[dict[str, Any]], now: int, done: Written, old: Collection[str] = ()) -> None:
        """Writes new or changed `events` (rows of the table) with the warnings they ask for, all or nothing, and does what
        is due at `now` (ms UTC); adds to `done` what was written. old: as for `put`."""

        def write() -> None:
            done.warnings += self._due(now)  # first: what is raised joins warnings as their clocks left them
            if not events:
                return
            if self._learned is None or now - self._learned >= LEARN_MS:
                self._book = grade.learn(revisions.rows(self._store, "warnings"), self._settings)
                self._learned = now
            written = put(self._store, self._settings, self._ground, events, now, WHO, self._book, old)
            done.events += len(written["events"])
            done.warnings += len(written["warnings"])

        judged_anew(write)
        if self._tracked is None or now - self._tracked >= TRACK_MS:
            self._tracked = now
            done.warnings += judged_anew(lambda: self._taskings(now))

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
        off = [row for warning in warnings.values() for row in called_off(self._store, warning, now, WHO)]
        revisions.revise(self._store, "taskings", off, now, WHO, "recall")
        for row in running:
            if row["state"] not in ("accepted", "under_way") or row["accepted_at"] is None:
                continue
            if warnings[row["warning_id"]]["state"] not in LIVE:
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


def judged_anew(write: Callable[[], Any]) -> Any:
    """What `write` gives, tried again on what stands then where a person or another process was quicker."""
    for _ in range(TRIES - 1):
        try:
            return write()
        except Refused as error:
            if error.code != "changed_meanwhile":
                raise
    return write()


def put(
    store: Store,
    settings: Settings,
    ground: Ground,
    events: Sequence[dict[str, Any]],
    now: int,
    who: str,
    book: grade.Book,
    old: Collection[str] = (),
    before: Mapping[str, int] | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """Writes `events` (rows) that are new or changed, and what follows for warnings, all or nothing; gives what was
    written of both tables. now: ms UTC.

    An event that no warning stands on raises one, whoever found it first. old: ids of events that are neither new here
    nor raise anything. before: from who looks at what is stored (`detect`), the revisions of events then; one that
    somebody has written since stays as it is, and none raises a warning: what takes the place of an event that is
    withdrawn goes on in its live warnings.
    """
    changed = [
        row for row in revisions.differing(store, "events", events) if row["revision"] or row["event_id"] not in old
    ]
    if before is not None:
        theirs = revisions.of_ids(store, "events", [row["event_id"] for row in events])
        since = {name for name, row in theirs.items() if row["revision"] != before.get(name)}
        changed = [row for row in changed if row["event_id"] not in since]
        events = [row for row in events if row["event_id"] not in since]
    mine = {row["event_id"] for row in changed}
    same = [row for row in events if row["event_id"] not in mine and row.get("started_at") is not None]
    standing = [*changed, *same]
    if not standing:
        return {"events": [], "warnings": []}
    of = SQL["warnings"]
    first = min([now, *(row["started_at"] for row in standing)]) - AGAIN_MS
    recent = of.c.state.in_(LIVE) | (of.c.opened_at >= first) | (of.c.revised_at >= first)
    held = revisions.rows(store, "warnings", recent | of.c.evidence.like('%"quiet"%'))
    if old or before is not None:
        on = [(entry["id"], row["state"] in LIVE) for row in held for entry in told(row).get("events", ())]
        known, live = {name for name, _ in on}, {name for name, going in on if going}
        gone = [row for row in changed if row["state"] == "withdrawn" and row["event_id"] in live]
        standing = [
            row
            for row in standing
            if row["event_id"] in known
            or (row["event_id"] not in old if before is None else any(_moved(one, row) for one in gone))
        ]
    where = context.Context(ground.places, ground.distance, book, context.quiets(held))
    found = raise_(standing, ground.rows, held, where, now, settings)
    return revisions.together(store, {"events": changed, "warnings": found.rows}, now, who)


def _moved(gone: Row, row: Row) -> bool:
    """Whether an event (row) takes the place of one that is withdrawn: the same, begun at another moment."""
    if any(gone[name] != row[name] for name in ("kind", "rule", "unit_ids", "zone_id")):
        return False
    ends = [float("inf") if one["ended_at"] is None else one["ended_at"] for one in (gone, row)]
    return bool(row["started_at"] <= ends[0] and gone["started_at"] <= ends[1])


def settle(store: Store, ids: Collection[str], who: str, now: int, settings: Settings) -> int:
    """Writes what taskings say of these warnings; gives how many changed."""

    def write() -> int:
        rows = revisions.of_ids(store, "warnings", ids)
        sent = revisions.rows(store, "taskings", SQL["taskings"].c.warning_id.in_(sorted(ids)))
        found = [actions.settle(rows[name], sent, who, now, settings) for name in sorted(rows)]
        return len(revisions.revise(store, "warnings", [row for row in found if row is not None], now, who, "settle"))

    return int(judged_anew(write))


def called_off(store: Store, warning: Row, now: int, who: str, words: str | None = None) -> list[dict[str, Any]]:
    """The running taskings of a warning that was recalled or closed, recalled; of one that is live none."""
    if warning["state"] in LIVE:
        return []
    of = SQL["taskings"]
    running = (of.c.warning_id == warning["warning_id"]) & of.c.state.in_(OPEN)
    return [
        {
            **asdict(taskings.recall(tasking_of(row), now, who, words)),
            "revision": row["revision"],
            "reason": f"@tasking.reason_{warning['state']}",
        }
        for row in revisions.rows(store, "taskings", running)
    ]
