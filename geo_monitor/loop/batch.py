"""The same detectors over what is stored: the same events, with the same ids, as the watch gives from the same fixes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sql

from geo_monitor import river
from geo_monitor.alerts import context, grade, rules
from geo_monitor.alerts.backtest import Backtest
from geo_monitor.alerts.backtest import backtest as tested
from geo_monitor.errors import Refused, Usage
from geo_monitor.events.detect import Detection, detect
from geo_monitor.loop import back
from geo_monitor.loop.ground import Ground, begin_rules
from geo_monitor.loop.rows import event_row, unsaid
from geo_monitor.loop.warnings import judged_anew, put
from geo_monitor.stages import Tell, silent
from geo_monitor.store import live, revisions
from geo_monitor.store.rights import OWNER
from geo_monitor.store.schema import SQL
from geo_monitor.store.seen import Seen
from geo_monitor.times import shanghai_date
from geo_monitor.tracks import DAY_MS, SHANGHAI_MS, milliseconds

if TYPE_CHECKING:
    from geo_monitor.events.event import Event
    from geo_monitor.events.fixes import Fixes
    from geo_monitor.settings import Settings
    from geo_monitor.store import Store


def events(
    store: Store, settings: Settings, start: datetime | None, end: datetime | None, now: datetime, who: str
) -> dict[str, Any]:
    """Finds events that start in [start, end) (None: open) and writes what changed: new and revised ones, and those that
    no longer follow from the fixes are withdrawn. The last fix stored is taken as now. Warnings that stand on them follow,
    as in the watch; none is raised. Gives counts by kind.

    A unit's track is read from its last cut before `start` on. What looks back farther (`avoids`) is then not judged anew
    where it stands. Where days of positions were let go, events of the time before `back.judged_from` stay as they are:
    left open, `start` is that moment, and `judged_from` among the counts tells its day.

    Raises `Refused("events_expired")` for a time before it.
    """
    moment = round(now.timestamp() * 1000)
    begin_rules(store, settings, moment)
    ground = Ground.of(store, settings, moment)
    first = None if start is None else round(start.timestamp() * 1000)
    last = None if end is None else round(end.timestamp() * 1000)
    edge = back.judged_from(store, settings)
    if edge is not None:
        asked = edge if first is None else first
        if asked < edge or (last is not None and last <= edge):
            raise Refused("events_expired", first=shanghai_date(edge))
        first = asked
    # what stands is read before the fixes: what is found meanwhile, in fixes that came later, is not for us to judge
    of = SQL["events"]
    period: Any = sql.true()
    if first is not None:
        period &= of.c.started_at >= first
    if last is not None:
        period &= of.c.started_at < last
    held = revisions.rows(store, "events", period)
    fixes = back.since(store, settings, first)
    clock = live.clock(store) or moment
    found: list[Event] = []
    follow: set[str] = set()
    if len(fixes):
        newest = int(fixes.time.max())
        detection = Detection(ground.network, ground.zones, ground.levels, ground.rules, settings)
        detection.feed(fixes)
        found = detection.changed(newest)[0]
        # a watch may have told of a silence by a clock that is ahead of the newest fix
        follow = {event.event_id for event in [*found, *detection.changed(max(newest, clock))[0]]}
    inside = [
        event for event in found
        if (first is None or event.started_at >= first) and (last is None or event.started_at < last)
    ]  # fmt: skip
    if first is not None:
        again = back.going_on(store, settings, inside)
        inside = [event for event in inside if event.event_id not in again]
    rows = [event_row(event, ground) for event in inside]
    rows += [
        unsaid(row)
        for row in ground.told(held)
        if row["event_id"] not in follow and (first is None or row["kind"] != back.FAR)
    ]
    before = {row["event_id"]: row["revision"] for row in held}
    book = grade.learn(revisions.rows(store, "warnings"), settings)
    both = judged_anew(lambda: put(store, settings, ground, rows, clock, who, book, before=before))
    written = both["events"]
    kinds: dict[str, int] = {}
    for event in inside:
        kinds[event.kind] = kinds.get(event.kind, 0) + 1
    return {
        "fixes": len(fixes),
        "units": len(np.unique(fixes.unit.astype(str))) if len(fixes) else 0,
        "events": len(inside),
        "kinds": kinds,
        "new": sum(row["revision"] == 1 for row in written),
        "revised": sum(row["revision"] > 1 and row["state"] != "withdrawn" for row in written),
        "withdrawn": sum(row["state"] == "withdrawn" for row in written),
        "warnings": len(both["warnings"]),
        "unsealed": live.count(store),
        **({} if edge is None else {"judged_from": shanghai_date(edge)}),
    }


def backtest(
    store: Store, seen: Seen, settings: Settings, row: dict[str, Any], ground: Ground, tell: Tell = silent
) -> tuple[Backtest, Backtest]:
    """What a rule (a row) would have done on the last `rule_backtest_days` before the newest fix stored: of that, what
    the viewer of `seen` sees; and all of it, which decides whether the rule comes in force and is told to nobody else.

    `tell` hears the share of steps done (the ground, reading, detecting, comparing). Raises `Usage("rule_no_history")`
    where nothing is stored, or nothing of the viewer's waters.
    """
    last = live.heard(store, store.receipts_in_force(None, ["tracks"]))
    if last is None:
        raise Usage("rule_no_history")
    first = last - round(settings.rule_backtest_days * DAY_MS)
    tell("backtest", 1 / 4)
    fixes = back.since(store, settings, first)
    tell("backtest", 2 / 4)
    rule = rules.to_run(row)
    found = detect(fixes, ground.network, ground.zones, ground.levels, [rule], settings, last)
    tell("backtest", 3 / 4)
    events = [event_row(event, ground) for event in found]
    every = Seen(store, OWNER, settings)
    whole = _counted(every, settings, row, ground, fixes, events, first)
    mine = whole
    if not seen.viewer.everywhere:
        mine = _counted(seen, settings, row, ground, fixes, events, first)
        cap = whole.per_day > settings.alerts_cap_day
        mine = replace(mine, areas=tuple(seen.viewer.adcodes), over_cap=cap)
    tell("backtest", 1.0)
    return mine, whole


def _counted(
    seen: Seen,
    settings: Settings,
    row: dict[str, Any],
    ground: Ground,
    fixes: Fixes,
    events: list[dict[str, Any]],
    first: int,
) -> Backtest:
    """The back-test over what the viewer of `seen` sees: events and warnings as it would see them in their tables, fixes
    and its reports on the same waters, from `first` (ms UTC) on."""
    waters = None
    if not seen.viewer.everywhere:
        reaches = [
            {"reach_id": reach, "adcodes": ground.adcodes(reach)} for reach in ground.network.reaches["reach_id"]
        ]
        mine = {reach["reach_id"] for reach in seen.seen_of("events", reaches)}
        waters = np.array([*(reach["reach_id"] in mine for reach in reaches), True])  # off the network: nobody's
        fixes = fixes[waters[river.place(fixes.lon, fixes.lat, ground.network).reach]]
    inside = fixes.time >= first
    if not inside.any():
        raise Usage("rule_no_history")
    days = (fixes.time + SHANGHAI_MS) // DAY_MS
    boats = inside & ~fixes.patrolling
    boat_days = len({*zip(fixes.unit[boats].tolist(), days[boats].tolist(), strict=True)})
    period = max(first, int(fixes.time.min())), int(fixes.time.max()) + 1
    known = context.Context(ground.places, ground.distance)
    cases = _cases(seen, ground, waters)
    return tested(
        row, seen.seen_of("events", events), cases, period, known, boat_days, settings,
        lambda rows: seen.seen_of("warnings", rows),
    )  # fmt: skip


def _cases(seen: Seen, ground: Ground, waters: np.ndarray | None) -> list[dict[str, Any]]:
    """Seizures in force that are seen, with time (ms UTC) and reach_id; waters: for every reach, and for none, whether
    those there count (bool, n + 1; None: all)."""
    from geo_monitor import joins

    seizures = seen.records("seizures")
    seizures = seizures[seizures["time"].notna()]  # a share may hide it
    if not len(seizures):
        return []
    places = joins.places(seizures, ground.network)
    ids = ground.network.reaches["reach_id"].to_numpy()
    reach = np.asarray(places.reach)
    times = milliseconds(seizures["time"])
    return [
        {"time": int(time), "reach_id": None if at < 0 else str(ids[at])}
        for time, at in zip(times.tolist(), reach.tolist(), strict=True)
        if waters is None or waters[at]
    ]
