"""Cleans live fixes: repeats, times no clock should tell, jumps, and two boats under one number.

Pure: fixes and the clock at their arrival in, fixes to store out. Rules: `docs/feeds.md`.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from geo_monitor.feeds.fix import Fix
from geo_monitor.ingest.motion import RADIUS
from geo_monitor.ingest.receipt import Message
from geo_monitor.settings import Settings

LAST = (
    int(datetime(2100, 1, 1, tzinfo=UTC).timestamp() * 1000) - 1
)  # ms UTC; no clock tells more, and no zone holds then


class Sorted(NamedTuple):
    """fixes: to store, in the order they were settled. refused: with the code of a message. warnings: told once each."""

    fixes: list[Fix]
    refused: list[tuple[Fix, str]]
    warnings: list[Message]


@dataclass(slots=True, eq=False)
class _Track:
    """One boat: where it was last (by time), how many fixes it has had since it began or was moved, the latest times."""

    name: str
    time: int
    lon: float
    lat: float
    count: int
    recent: deque[int]


@dataclass(slots=True, eq=False)
class _Place:
    """A place far from all tracks, until it is proved: its fixes with whether each came after one of another track."""

    held: list[tuple[Fix, bool]]
    arrived: int | None  # ms UTC of our clock when its last fix came
    last: Fix  # by time


@dataclass(slots=True, eq=False)
class _Unit:
    tracks: list[_Track] = field(default_factory=list)
    places: list[_Place] = field(default_factory=list)
    at: object = None  # the track or place that the last fix joined
    skew: deque[int] | None = None  # ms off the clock of the last fixes, while they are
    skewed: bool = False


def metres(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Great-circle metres between two points; `ingest.motion.metres` of one pair, without the cost of arrays.

    >>> round(metres(112.0, 30.0, 112.0, 31.0), 1)
    111195.1
    """
    a, b = math.radians(lat_a), math.radians(lat_b)
    half = math.sin((b - a) / 2) ** 2 + math.cos(a) * math.cos(b) * math.sin(math.radians(lon_b - lon_a) / 2) ** 2
    return 2 * RADIUS * math.asin(math.sqrt(min(half, 1.0)))


class Sorter:
    """Takes batches of fixes in the order of arrival.

    last: of each unit the last fix stored, (ms UTC, lon, lat), boats split off under `unit#2` to `unit#4`; asked for a
    unit when it is first heard of. `held()` are the fixes that wait for proof: a new `Sorter` that is given them first
    goes on where this one stopped. `counts`: fixes by what became of them.
    """

    def __init__(self, settings: Settings, last: Mapping[str, tuple[int, float, float]] | None = None) -> None:
        self.settings = settings
        self.counts: Counter[str] = Counter()
        self._last: Mapping[str, tuple[int, float, float]] = last if last is not None else {}
        self._units: OrderedDict[str, _Unit] = OrderedDict()
        # of a plain dict the first key is found by passing over all that were deleted before it
        self._seen: OrderedDict[tuple[str, int], tuple[float, float]] = OrderedDict()
        self._waiting: dict[str, None] = {}  # units with places
        self._earliest = int(datetime(settings.earliest_year, 1, 1, tzinfo=UTC).timestamp() * 1000)

    # --- what goes in and out ----------------------------------------------------------------------------------------
    def sort(self, fixes: Iterable[Fix], arrival: int | None, latest: int | None = None) -> Sorted:
        """arrival: ms UTC of the clock when they came; None in a replay: then a fix is too new after `latest` only, and
        from 2100 on."""
        out = Sorted([], [], [])
        latest = LAST if latest is None else min(latest, LAST)
        for fix in fixes:
            unit = self._unit(fix.unit_id)
            code = "feed_future" if fix.time > latest else self._clock(unit, fix, arrival, out)
            if code:
                self._refuse(fix, code, out)
            else:
                self._place(unit, fix, arrival, out)
        if arrival is not None and self._waiting:
            self._too_long(arrival, out)
        while len(self._units) > self.settings.feed_units:
            name, unit = self._units.popitem(last=False)
            self._give_up(name, unit, out)
        return out

    def held(self) -> list[Fix]:
        """Fixes taken and neither given on nor refused yet."""
        return [fix for name in self._waiting for place in self._units[name].places for fix, _ in place.held]

    def finish(self) -> Sorted:
        """No more fixes: those held are refused, since nothing proved their places."""
        out = Sorted([], [], [])
        for name in list(self._waiting):
            self._give_up(name, self._units[name], out)
        return out

    # --- clocks ------------------------------------------------------------------------------------------------------
    def _clock(self, unit: _Unit, fix: Fix, arrival: int | None, out: Sorted) -> str | None:
        if fix.time < self._earliest:
            return "feed_past"
        if arrival is None:
            return None
        settings = self.settings
        off, most = fix.time - arrival, settings.feed_future_s * 1000
        if abs(off) <= most:
            unit.skew, unit.skewed = None, False
            return None
        if unit.skew is None:
            unit.skew = deque(maxlen=settings.feed_skew_fixes)
        unit.skew.append(off)
        steady = len(unit.skew) == unit.skew.maxlen and max(unit.skew) - min(unit.skew) <= settings.feed_skew_s * 1000
        if steady and not unit.skewed:
            unit.skewed = True
            middle = sorted(unit.skew)[len(unit.skew) // 2]
            out.warnings.append(Message("feed_clock_skew", {"unit": fix.unit_id, "seconds": round(middle / 1000)}))
        if off < 0:
            return None
        return "feed_clock_skew" if unit.skewed else "feed_future"

    # --- tracks ------------------------------------------------------------------------------------------------------
    def _unit(self, name: str) -> _Unit:
        unit = self._units.get(name)
        if unit is None:
            unit = self._units[name] = _Unit()
            for known in (name, *(f"{name}#{n}" for n in range(2, self.settings.feed_tracks + 1))):
                last = self._last.get(known)
                if last is not None:
                    unit.tracks.append(_Track(known, *last, count=2, recent=deque([last[0]], self._deep)))
                    self._remember(known, *last)
        else:
            self._units.move_to_end(name)
        return unit

    @property
    def _deep(self) -> int:
        return self.settings.feed_split_fixes

    def _reach(self, fix: Fix, time: int, lon: float, lat: float) -> float | None:
        """Metres from a fix to a place, None where no boat could have gone so far in the time between."""
        way = metres(fix.lon, fix.lat, lon, lat)
        most = self.settings.jump_mps * abs(fix.time - time) / 1000 + self.settings.jump_slack_m
        return way if way <= most else None

    def _place(self, unit: _Unit, fix: Fix, arrival: int | None, out: Sorted) -> None:
        best: _Track | _Place | None = None
        least = math.inf
        clash = False
        for track in unit.tracks:
            there = self._seen.get((track.name, fix.time))
            if there is not None:
                way = metres(fix.lon, fix.lat, *there)
                if way <= self.settings.same_place_m:
                    self.counts["repeat"] += 1
                    return
                clash = True
                continue  # that boat was elsewhere at this moment
            reach = self._reach(fix, track.time, track.lon, track.lat)
            if reach is not None and reach < least:
                best, least = track, reach
        for place in unit.places:
            same = next((held for held, _ in place.held if held.time == fix.time), None)
            if same is not None:
                if metres(fix.lon, fix.lat, same.lon, same.lat) <= self.settings.same_place_m:
                    self.counts["repeat"] += 1
                    return
                continue
            reach = self._reach(fix, place.last.time, place.last.lon, place.last.lat)
            if reach is not None and reach < least:
                best, least = place, reach
        if isinstance(best, _Track):
            self._join(unit, best, fix, out)
        elif best is not None:
            best.held.append((fix, unit.at is not best))
            best.last = max(best.last, fix, key=lambda one: one.time)
            best.arrived = arrival
            self._judge(unit, best, fix.unit_id, out)
            unit.at = best if best in unit.places else unit.at
        elif not unit.tracks:
            track = _Track(fix.unit_id, fix.time, fix.lon, fix.lat, 0, deque(maxlen=self._deep))
            unit.tracks.append(track)
            self._join(unit, track, fix, out)
        elif clash and self._near(unit, fix):
            self._refuse(fix, "device_clash", out)
        elif self._moved(unit, fix.time):
            self._move(unit, [fix], out)
        else:
            self._open(unit, fix, arrival, out)

    def _near(self, unit: _Unit, fix: Fix) -> bool:
        """Whether a fix that clashes is so near to its track that no second boat need be thought of."""
        return any(
            there is not None and metres(fix.lon, fix.lat, *there) <= self.settings.jump_slack_m
            for there in (self._seen.get((track.name, fix.time)) for track in unit.tracks)
        )

    def _join(self, unit: _Unit, track: _Track, fix: Fix, out: Sorted) -> None:
        self._keep(track, fix, out)
        unit.at = track
        if unit.places:
            old = fix.time - self.settings.feed_split_s * 1000
            for place in list(unit.places):
                gone = [held for held, _ in place.held if held.time < old]
                if gone:
                    place.held = [(held, turn) for held, turn in place.held if held.time >= old]
                    self._disproved(unit, gone, out)
                if not place.held:
                    self._settle(unit, place, fix.unit_id)

    def _keep(self, track: _Track, fix: Fix, out: Sorted) -> None:
        if fix.time >= track.time or track.count == 0:
            track.time, track.lon, track.lat = fix.time, fix.lon, fix.lat
        track.count += 1
        track.recent.append(fix.time)
        self._remember(track.name, fix.time, fix.lon, fix.lat)
        out.fixes.append(fix if track.name == fix.unit_id else fix._replace(unit_id=track.name))
        self.counts["kept"] += 1

    def _open(self, unit: _Unit, fix: Fix, arrival: int | None, out: Sorted) -> None:
        if len(unit.tracks) + len(unit.places) >= self.settings.feed_tracks:
            self._disproved(unit, [fix], out)
            return
        place = _Place([(fix, True)], arrival, fix)
        unit.places.append(place)
        unit.at = place
        self._waiting[fix.unit_id] = None

    def _judge(self, unit: _Unit, place: _Place, name: str, out: Sorted) -> None:
        """A place has got another fix: is it where the boat was moved to, or a second boat?"""
        settings = self.settings
        newest = place.last.time
        if self._moved(unit, newest):
            self._settle(unit, place, name)
            self._move(unit, [fix for fix, _ in place.held], out)
            return
        enough = settings.feed_split_fixes
        if len(unit.tracks) == 1 and unit.tracks[0].count == 1 and len(place.held) >= enough:
            # the track is one fix, the place several: the one was the jump
            self._settle(unit, place, name)
            self._move(unit, [fix for fix, _ in place.held], out)
            return
        since = newest - settings.feed_split_s * 1000
        here = [turn for fix, turn in place.held if fix.time >= since]
        there = max(sum(time >= since for time in track.recent) for track in unit.tracks)
        if len(here) >= enough and there >= enough and sum(here) >= 2:
            self._settle(unit, place, name)
            self._split(unit, place, name, out)
        elif len(place.held) > settings.feed_held:
            self._disproved(unit, [place.held.pop(0)[0]], out)

    def _moved(self, unit: _Unit, time: int) -> bool:
        return all(time - track.time > self.settings.feed_silent_s * 1000 for track in unit.tracks)

    def _move(self, unit: _Unit, fixes: list[Fix], out: Sorted) -> None:
        """The boat heard of last goes on at another place."""
        track = max(unit.tracks, key=lambda one: one.time)
        track.count = 0
        track.recent.clear()
        for fix in sorted(fixes, key=lambda one: one.time):
            self._keep(track, fix, out)
        unit.at = track

    def _split(self, unit: _Unit, place: _Place, name: str, out: Sorted) -> None:
        taken = {track.name for track in unit.tracks}
        other = next(
            f"{name}#{n}" for n in range(2, 10) if f"{name}#{n}" not in taken and f"{name}#{n}" not in self._units
        )
        first = place.held[0][0]
        track = _Track(other, first.time, first.lon, first.lat, 0, deque(maxlen=self._deep))
        unit.tracks.append(track)
        for fix, _ in place.held:
            self._keep(track, fix, out)
        unit.at = track
        away = min(metres(place.last.lon, place.last.lat, one.lon, one.lat) for one in unit.tracks if one is not track)
        out.warnings.append(
            Message("feed_identity_split", {"unit": name, "other": other, "kilometres": round(away / 1000)})
        )

    # --- fixes that wait ---------------------------------------------------------------------------------------------
    def _settle(self, unit: _Unit, place: _Place, name: str) -> None:
        unit.places.remove(place)
        if not unit.places:
            self._waiting.pop(name, None)

    def _disproved(self, unit: _Unit, fixes: Iterable[Fix], out: Sorted) -> None:
        for fix in fixes:
            clash = any((track.name, fix.time) in self._seen for track in unit.tracks)
            self._refuse(fix, "device_clash" if clash else "feed_jump", out)

    def _too_long(self, arrival: int, out: Sorted) -> None:
        """Places that nothing has proved or contradicted for as long as a silence may last."""
        for name in list(self._waiting):
            unit = self._units[name]
            for place in list(unit.places):
                if place.arrived is not None and arrival - place.arrived > self.settings.feed_silent_s * 1000:
                    self._settle(unit, place, name)
                    self._disproved(unit, (fix for fix, _ in place.held), out)

    def _give_up(self, name: str, unit: _Unit, out: Sorted) -> None:
        for place in unit.places:
            self._disproved(unit, (fix for fix, _ in place.held), out)
        unit.places.clear()
        self._waiting.pop(name, None)

    def _refuse(self, fix: Fix, code: str, out: Sorted) -> None:
        out.refused.append((fix, code))
        self.counts[code] += 1

    def _remember(self, name: str, time: int, lon: float, lat: float) -> None:
        self._seen[name, time] = (lon, lat)
        if len(self._seen) > self.settings.feed_memory:
            self._seen.popitem(last=False)
