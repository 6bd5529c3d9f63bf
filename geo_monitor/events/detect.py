"""Detection: fixes in, events out, live or all at once.

In: fixes of any units in any order, zones, levels, rules. Out: events, new or changed, and ids that are gone. Rules and
thresholds: `docs/events.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.events import rows as at
from geo_monitor.events import visiting
from geo_monitor.events.avoids import Avoids
from geo_monitor.events.event import Event
from geo_monitor.events.fixes import Fixes
from geo_monitor.events.ground import Ground, Law, checked, limits, within_hours
from geo_monitor.events.rule import Rule
from geo_monitor.events.single import UNPLACED, Found, Gap, Machine, Overdue, Runs
from geo_monitor.events.together import Dark, Meetings, Muting, New
from geo_monitor.events.track import Track, canonical
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geo_monitor.river.network import Network

History = Callable[[str, int], Fixes]
LOOK_BACK_MS = 120_000  # fixes of others are at hand from two legs and so much before what comes in time
NEAR_DEG = 0.15  # degrees about a late fix in which others may have to do with it: what a boat makes in a leg


class Detection:
    """Detectors of some rules, fed with fixes. The same fixes give the same events, however they come.

    network: reaches; without one nothing is on the water (no slow, no meeting, no avoids; with one, no gap off it). zones, levels: tables.
    history (unit, ms): all stored fixes of the unit from the begin of the stretch between two cuts that its last fix at
    or before `ms` belongs to, or from `ms` where there is none; those just fed may be among them. With it, fixes over
    `event_late_s` older than their unit's newest are given up and read again when something comes that late, and a
    unit not yet known is begun with what is stored. Without it all fixes are kept.

    Raises `Refused("event_kind_unknown")`, `Refused("event_threshold_unknown")`,
    `GeoMonitorError("event_cut_too_short")`, `GeoMonitorError("zone_season_unreadable")`.
    """

    def __init__(
        self,
        network: Network | None,
        zones: gpd.GeoDataFrame,
        levels: pd.DataFrame,
        rules: Sequence[Rule],
        settings: Settings,
        history: History | None = None,
    ) -> None:
        self.settings = checked(settings)
        self.ground, self.law = Ground(network), Law.of(zones, levels, settings)
        self.rules = list(rules)
        self.history = history
        self.machines: list[Machine] = []
        self.entering: list[int] = []  # rules about zone visits
        self.meetings: list[Meetings] = []
        self.dark: list[Dark] = []
        self.avoids: list[Avoids] = []
        for r, rule in enumerate(self.rules):
            of = limits(rule, settings)
            if rule.kind in ("slow", "loiter"):
                self.machines.append(Runs(r, of, settings, None if rule.kind == "slow" else self.law))
            elif rule.kind == "gap":
                self.machines.append(Gap(r, of, settings, network is not None))
            elif rule.kind == "overdue":
                self.machines.append(Overdue(r, of, settings))
            elif rule.kind == "meeting":
                self.meetings.append(Meetings(r, of, settings))
            elif rule.kind == "dark":
                self.dark.append(Dark(r, of, settings))
            elif rule.kind == "avoids":
                self.avoids.append(Avoids(r, of, settings))
            elif rule.kind in ("zone_entry", "no_permit"):
                self.entering.append(r)
        self.muting = Muting()
        self.codes: dict[str, int] = {}
        self.tracks: list[Track] = []
        self.waiting: list[tuple[np.ndarray, np.ndarray]] = []
        self.settled: dict[Any, dict[str, Event]] = {}  # of tracks: told, and not to change by fixes in time
        self._forgot = 0
        self.told: dict[Any, dict[str, Event]] = {}
        self._out = np.empty((4096 + 2) * at.RUN)

    # ---- fixes in --------------------------------------------------------------------------------------------------
    def feed(self, fixes: Fixes) -> None:
        """Takes fixes in: of any units, in any order; repeats are harmless."""
        if len(fixes):
            self.waiting.append(self._rows(fixes))

    def _rows(self, fixes: Fixes) -> tuple[np.ndarray, np.ndarray]:
        """Codes of the units (n,), and rows (n, WIDTH)."""
        codes = self.codes
        for unit in dict.fromkeys(fixes.unit.tolist()):
            if unit not in codes:
                codes[unit] = len(codes)
                self.tracks.append(Track(unit, self.machines))
        of = np.fromiter((codes[unit] for unit in fixes.unit.tolist()), dtype=np.int64, count=len(fixes))
        rows = np.full((len(fixes), at.WIDTH), np.nan)
        rows[:, at.T], rows[:, at.LON], rows[:, at.LAT] = fixes.time, fixes.lon, fixes.lat
        rows[:, at.REACH], rows[:, at.KM] = self.ground.place(fixes.lon, fixes.lat)
        sort = np.array([_SORT.get(platform, 2) for platform in fixes.platform.tolist()], dtype=np.int64)
        kinds = np.array([[at.TRAFFIC, at.PATROL], [at.SEEN, at.OTHER], [at.OTHER, at.PATROL_OTHER]], dtype=float)
        rows[:, at.KIND] = kinds[sort, np.asarray(fixes.patrolling, dtype=np.int64)]
        return of, rows

    def _take_in(self) -> tuple[list[tuple[Track, float]], New]:
        """Puts what was fed into the tracks: those that changed, each from when on; and that of all."""
        changed: dict[int, float] = {}
        begun: dict[int, float] = {}
        if self.waiting:
            of = np.concatenate([codes for codes, _ in self.waiting])
            rows = np.concatenate([rows for _, rows in self.waiting])
            self.waiting = []
            order = np.lexsort((rows[:, at.T], of))
            of, rows = of[order], rows[order]
            first = np.concatenate([[0], np.flatnonzero(np.diff(of)) + 1])
            for i, j in zip(first.tolist(), np.append(first[1:], len(of)).tolist(), strict=True):
                code, new = int(of[i]), canonical(rows[i:j])
                track = self.tracks[code]
                if track.n == 0 and self.history is not None:
                    self._begin(code, new)
                row = track.merge(new)
                if row == track.n:
                    continue
                if track.back(row):
                    track.derive(row, self.ground.stem, self.settings)
                    changed[code] = begun[code] = self._moment(track, row)
                else:
                    moment = float(track.data[row, at.T])
                    self._again(track, moment)
                    row = int(np.searchsorted(track.rows[:, at.T], moment))
                    changed[code], begun[code] = self._moment(track, row), float(track.data[0, at.T])
        moved = np.full(len(self.tracks), np.inf)
        moved[list(changed)] = list(changed.values())
        late, boxes = self._late(changed)
        for code, moment in late.items():
            self._again(self.tracks[code], moment)
            begun[code] = float(self.tracks[code].data[0, at.T])
        since = min((moment for code, moment in changed.items() if code not in boxes), default=np.inf)
        for code, box in boxes.items():  # what came beyond a box is news like any other
            times = self.tracks[code].rows[:, at.T]
            beyond = times[(times > box[1]) & (times >= changed[code])]
            if len(beyond):
                since = min(since, float(beyond[0]))
        new_ = New(moved, since, np.array(list(boxes.values())).reshape(-1, 6))
        return [(self.tracks[code], moment) for code, moment in sorted(begun.items())], new_

    def _moment(self, track: Track, row: int) -> float:
        """The moment from which places of a track have changed if its fixes have from `row` on."""
        moment = float(track.data[row, at.T])
        if row > 0 and moment - track.data[row - 1, at.T] <= self.settings.event_leg_s * 1000.0:
            return float(track.data[row - 1, at.T])  # the line to this fix is new
        return moment

    def _begin(self, code: int, new: np.ndarray) -> None:
        """A unit not known so far: what is stored of it, but for what has just come, counts as told."""
        track = self.tracks[code]
        stored = self._stored(track, float(new[0, at.T]))
        stored = stored[~np.isin(stored[:, at.T], new[:, at.T])]
        if not len(stored):
            return
        track.merge(canonical(stored))
        track.derive(0, self.ground.stem, self.settings)
        self._advance([track])
        found = self._single(track, -np.inf, int(track.last))
        self._judge(found)
        self.told[code] = {one.event.event_id: one.event for one in found if one.event is not None}

    def _late(self, changed: Mapping[int, float]) -> tuple[dict[int, float], dict[int, tuple[float, ...]]]:
        """Tracks to be read again, and from when, as others changed before their fixes are at hand; and of these others
        when and where that was."""
        again: dict[int, float] = {}
        boxes: dict[int, tuple[float, ...]] = {}
        held = np.array([track.held for track in self.tracks])
        back = self.settings.event_leg_s * 2000.0 + LOOK_BACK_MS
        latest = held.max(initial=-np.inf)
        for code, moment in changed.items():
            if moment - back >= latest:
                continue
            rows = self.tracks[code].rows
            rows = rows[(rows[:, at.T] >= moment) & (rows[:, at.T] <= latest)]
            if not len(rows):
                rows = self.tracks[code].rows[-1:]
            (west, south), (east, north) = rows[:, 1:3].min(axis=0) - NEAR_DEG, rows[:, 1:3].max(axis=0) + NEAR_DEG
            end = float(rows[-1, at.T])
            boxes[code] = (moment, end, west, south, east, north)
            for other in np.flatnonzero(held > moment - back).tolist():
                if other == code:
                    continue
                heard = self.tracks[other].heard
                if len(heard) and heard[0, 0] <= moment - back:
                    lo, hi = np.searchsorted(heard[:, 0], [moment - back, end + back])
                    part = heard[max(int(lo) - 1, 0) : int(hi) + 1]
                    there = (part[:, 1] >= west) & (part[:, 1] <= east) & (part[:, 2] >= south) & (part[:, 2] <= north)
                    if not there.any():
                        continue
                again[other] = min(again.get(other, np.inf), moment - back)
        return again, boxes

    def _again(self, track: Track, moment: float) -> None:
        track.again(canonical(np.concatenate([track.rows, self._stored(track, moment)])))
        track.derive(0, self.ground.stem, self.settings)

    def _stored(self, track: Track, moment: float) -> np.ndarray:
        if self.history is None:
            return np.empty((0, at.WIDTH))
        fixes = self.history(track.unit, int(moment))
        return self._rows(fixes)[1] if len(fixes) else np.empty((0, at.WIDTH))

    def _advance(self, tracks: Sequence[Track]) -> None:
        """Takes the machines through the fixes they have not seen."""
        begun = [track.head.index for track in tracks]
        for track in tracks:
            track.advance(self._out)
        if self.entering:
            visiting.advance(tracks, begun, self.law.areas, self.settings)
        for track in tracks:
            track.settle(self.settings)

    # ---- events out ------------------------------------------------------------------------------------------------
    def changed(self, now: int) -> tuple[list[Event], list[str]]:
        """Events that are new or other than at the last call, as they are now, and ids that are gone.

        now: ms UTC; it decides what is silent. Sorted by start, kind, id.
        """
        taken, new = self._take_in()
        self._advance([track for track, _ in taken])
        dirty = {track.unit: moment for track, moment in taken}
        of: dict[Any, list[Found]] = {}
        gaps: list[tuple[int, Found]] = []
        for code, track in enumerate(self.tracks):
            if track.n:
                if track.unit in dirty:
                    self._settle(code, track)
                of[code] = self._single(track, dirty.get(track.unit, np.inf), now)
                gaps += [(code, found) for found in of[code] if self.rules[found.rule].kind == "gap"]
        self.muting.forget(new.first)
        self.muting.ask(self.tracks, gaps)
        for code, gap in gaps:
            muted, counted = self.muting.mutes(code, gap)
            if muted:
                of[code].remove(gap)
            elif gap.evidence.get("others_heard") != counted["others_heard"] or gap.evidence.get(
                "others_silent") != counted["others_silent"]:  # fmt: skip
                gap.evidence = {**gap.evidence, **counted}
                gap.judged = False
        some = new.first < np.inf
        for meetings in self.meetings:
            if some:
                meetings.update(self.tracks, new, self.ground)
            of["meeting", meetings.rule] = meetings.found(self.tracks, now)
        for dark in self.dark:
            if some:
                dark.update(self.tracks, new)
            of["dark", dark.rule] = dark.found(self.tracks, now)
        for avoids in self.avoids:
            if some:
                avoids.update(self.tracks, new.first, self.ground)
            of["avoids", avoids.rule] = avoids.found()
        self._judge([found for every in of.values() for found in every])
        if self.history is not None:
            for track, _ in taken:
                track.prune(self.settings)
        told = self._compare(of)
        if self.history is not None and now - self._forgot >= self.settings.event_cut_s * 1000:
            self._forget(now - round(self.settings.event_keep_s * 1000))
            self._forgot = now
        return told

    def _forget(self, before: int) -> None:
        """Gives up what was over before `before` (ms UTC): it stays as it was told."""
        for track in self.tracks:
            if track.n:
                track.forget(before)
        for meetings in self.meetings:
            meetings.forget(before)
        for dark in self.dark:
            dark.forget(before)
        self.muting.drop(self.tracks, before)
        kinds = {"avoids"}  # these look back on their own
        for book in (self.told, self.settled):
            for owner, events in book.items():
                book[owner] = {
                    name: event
                    for name, event in events.items()
                    if event.kind in kinds or event.ended_at is None or event.ended_at >= before
                }

    def _single(self, track: Track, since: float, now: int) -> list[Found]:
        """Events of one unit so far; since: the moment from which its fixes have changed."""
        cut = now - track.last >= self.settings.event_cut_s * 1000.0
        found = [one for m, every in enumerate(track.ended) for one in every[track.done[m] :]]
        for m, machine in enumerate(self.machines):
            row = machine.going(track.data, track.n, track.head.states[m], now)
            if row is not None:
                over = cut and machine.ends
                found.append(machine.found(track.unit, row, not over))
        if self.entering:
            told = [(visit, False) for visit in track.visited[track.done_visits :]]
            told += visiting.standing(track.head.visiting, self.law.areas, self.settings)
            for visit, inside in told:
                visiting.remember(track, visit, since, self.settings)
                found += self._visit(track, visit, inside and not cut)
        return found

    def _visit(self, track: Track, visit: visiting.Visit, going: bool) -> list[Found]:
        z, entered, left, seen = visit
        made = track.visits.setdefault((z, entered), {})
        found = []
        for r in self.entering:
            rule = self.rules[r]
            if rule.kind == "no_permit" and not rule.zones and not self.law.permit[z]:
                continue
            key = (r, 0, False, True) if going else (r, left, seen, False)  # while it goes on nothing changes
            if key not in made:
                made[key] = visiting.found(track, visit, going, r, self.law)
            found.append(made[key])
        return found

    def _settle(self, code: int, track: Track) -> None:
        """Puts aside what was told of a track and ended before the state kept for late fixes: it is not gone through again.

        Silences are, as the late fix of another unit may tell of the shore station.
        """
        told, settled = self.told.setdefault(code, {}), self.settled.setdefault(code, {})
        if track.done_visits == 0 and not any(track.done) and settled:  # it was begun anew
            told |= settled
            settled.clear()
        over: list[Found] = []
        for m, machine in enumerate(self.machines):
            if not isinstance(machine, Gap):
                over += track.ended[m][track.done[m] : track.base.ended[m]]
                track.done[m] = max(track.base.ended[m], track.done[m])
        for z, entered, left, seen in track.visited[track.done_visits : track.base.visited]:
            made = track.visits.get((z, entered), {})
            over += [made[key] for r in self.entering if (key := (r, left, seen, False)) in made]
        track.done_visits = max(track.base.visited, track.done_visits)
        for one in over:
            if one.event is not None and one.event.event_id in told:
                settled[one.event.event_id] = told.pop(one.event.event_id)

    def _judge(self, found: list[Found]) -> None:
        """Turns what was found into events, where its rule holds there and then."""
        new = [one for one in found if not one.judged]
        unplaced = [one for one in new if one.reach == UNPLACED]
        if unplaced:
            reach, km = self.ground.place(
                np.array([one.lon for one in unplaced]), np.array([one.lat for one in unplaced])
            )
            for one, r, k in zip(unplaced, reach.tolist(), km.tolist(), strict=True):
                one.reach, one.km = r, k
        for one in new:
            rule = self.rules[one.rule]
            one.judged = True
            one.event = None
            if not self._holds(rule, one):
                continue
            reach_id = str(self.ground.ids[one.reach]) if one.reach >= 0 else None
            one.event = Event(
                rule.kind, rule.rule, rule.version, one.units, one.zone, one.start, one.end, reach_id, one.lon, one.lat,
                one.evidence,
            )  # fmt: skip

    def _holds(self, rule: Rule, one: Found) -> bool:
        """Whether a rule speaks of these units, and holds where and when the event began."""
        if any(unit in rule.allowed for unit in one.units) or not within_hours(one.start, rule.hours):
            return False
        if rule.zones:
            if one.zone is not None:
                if one.zone not in rule.zones:
                    return False
            elif not any(
                zone.zone_id in rule.zones and self.law.holds(z, one.lon, one.lat, one.start)
                for z, zone in enumerate(self.law.areas.zones)
            ):
                return False
        if not rule.reaches:
            return True
        if one.reach < 0:
            return False
        river = self.ground.rivers[one.reach]
        return any(name == river and low <= one.km <= high for name, low, high in rule.reaches)

    def _compare(self, of: dict[Any, list[Found]]) -> tuple[list[Event], list[str]]:
        """What is not as it was told, and what is no more."""
        new: list[Event] = []
        gone: list[str] = []
        for owner, found in of.items():
            events: dict[str, Event] = {}
            for one in found:
                if one.event is not None:
                    events.setdefault(one.event.event_id, one.event)
            before = self.told.get(owner, {})
            aside = self.settled.get(owner, {})
            events = {name: event for name, event in events.items() if name not in aside}
            for name, event in events.items():
                old = before.get(name)
                if old is not event and (old is None or not same(old, event)):
                    new.append(event)
            gone += [name for name in before if name not in events]
            self.told[owner] = events
        return sorted(new, key=_by_start), sorted(gone)


_SORT: dict[str | None, int] = {None: 0, "boat": 0, "camera": 1, "drone": 1}


def same(a: Event, b: Event) -> bool:
    """Whether two events are the same in all they tell, evidence included."""
    return a == b and a.evidence == b.evidence


def _by_start(event: Event) -> tuple[int, str, str]:
    return event.started_at, event.kind, event.event_id


def detect(
    fixes: Fixes,
    network: Network | None,
    zones: gpd.GeoDataFrame,
    levels: pd.DataFrame,
    rules: Sequence[Rule],
    settings: Settings,
    now: int | None = None,
) -> list[Event]:
    """All events of these fixes, by start, kind and id. now: ms UTC, the newest fix where not told."""
    if not len(fixes):
        return []
    detection = Detection(network, zones, levels, rules, settings)
    detection.feed(fixes)
    return detection.changed(int(fixes.time.max()) if now is None else now)[0]
