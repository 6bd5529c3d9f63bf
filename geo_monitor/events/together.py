"""What only several units together tell: meetings, dark boats, and whether a silence is the shore station's.

In: tracks, and from when on their fixes have changed. Out: `Found`. What changed is worked out again from there on;
the rest is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geo_monitor.events import kernels
from geo_monitor.events import rows as at
from geo_monitor.events.ground import Ground, spread
from geo_monitor.events.single import Found, minutes
from geo_monitor.events.track import THIN_MS, Track
from geo_monitor.settings import Settings
from geo_monitor.tracks import DAY_MS, SHANGHAI_MS, nights

PLACES = 2_000_000  # places of boats compared at once: bounds memory


def flat(tracks: Sequence[Track], begin: float, end: float) -> tuple[np.ndarray, np.ndarray]:
    """Fixes from the last before `begin` to the first after `end` (ms) of tracks, one after the other, and their bounds."""
    parts, bounds = [np.empty((0, at.WIDTH))], [0]
    for track in tracks:
        rows = track.rows
        if not len(rows) or rows[-1, at.T] < begin:
            bounds.append(bounds[-1])
            continue
        times = rows[:, at.T]
        lo = max(int(np.searchsorted(times, begin, side="right")) - 1, 0)
        hi = len(rows) if times[-1] <= end else int(np.searchsorted(times, end, side="right")) + 1
        parts.append(rows[lo:hi])
        bounds.append(bounds[-1] + hi - lo)
    return np.concatenate(parts), np.array(bounds, dtype=np.int64)


@dataclass(frozen=True)
class New:
    """What has come: `moved` (tracks,) from which moment on, ms UTC, each has changed (inf: not); `since`, the first of
    these but for those so late that others had to be read again; `boxes` (k, 6) of the latter: begin, end, west, south,
    east, north of all that they may have to do with."""

    moved: np.ndarray
    since: float
    boxes: np.ndarray

    @property
    def first(self) -> float:
        return float(self.moved.min(initial=np.inf))

    def touches(self, time: np.ndarray, lon: np.ndarray, lat: np.ndarray, margin: float) -> np.ndarray:
        """Which places (n,) at moments (n,) what has come may be about: from `margin` ms before it on."""
        found = time >= self.since - margin
        for begin, end, west, south, east, north in self.boxes:
            inside = (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)
            found |= inside & (time >= begin - margin) & (time <= end + margin)
        return np.asarray(found)


class Meetings:
    """Pairs of boats near each other at moments, of one rule. `near`: rows of moment, both tracks, reach of the first,
    then metres and both places."""

    def __init__(self, rule: int, limits: Mapping[str, float], settings: Settings) -> None:
        self.rule, self.limits = rule, limits
        self.step = round(limits["meeting_step_s"] * 1000)
        self.leg = settings.event_leg_s * 1000.0
        self.cut = settings.event_cut_s * 1000.0
        self.who = np.empty((0, 4), dtype=np.int64)
        self.where = np.empty((0, 5))

    def update(self, tracks: Sequence[Track], new: New, ground: Ground) -> None:
        """Works out anew who was near whom, of units that have changed, from when on they have."""
        if ground.network is None:
            return
        begin = -(-int(new.first) // self.step)
        keep = ~self._new(self.who, new)
        whos, wheres = [self.who[keep]], [self.where[keep]]
        for low, high in self._blocks(tracks, begin):
            rows, bounds = flat(tracks, low * self.step, high * self.step)
            who, where = kernels.moments(
                rows, bounds, low, high, self.step, self.leg, self.limits["meeting_still_s"] * 1000.0
            )
            order = np.lexsort((where[:, 0], who[:, 0]))
            who, where = who[order], where[order]
            a, b, metres = kernels.close(who[:, 0], where, self.limits["meeting_m"], False)
            fresh = self._new(np.column_stack([who[a], who[b, 1]]), new)
            a, b, metres = a[fresh], b[fresh], metres[fresh]
            one, other = (ground.place(where[part, 0], where[part, 1])[0] for part in (a, b))
            same = ground.touch(one, other)
            a, b, metres, one, other = a[same], b[same], metres[same], one[same], other[same]
            turned = who[a, 1] > who[b, 1]
            a, b, one = np.where(turned, b, a), np.where(turned, a, b), np.where(turned, other, one)
            whos.append(np.column_stack([who[a, 0], who[a, 1], who[b, 1], one]))
            wheres.append(np.column_stack([metres, where[a, :2], where[b, :2]]))
        self.who, self.where = np.concatenate(whos), np.concatenate(wheres)

    def forget(self, before: float) -> None:
        """Gives up pairs that were last near each other before `before` (ms UTC)."""
        first, last = self._runs()
        keep = np.repeat(self.who[last, 0] * self.step >= before, last + 1 - first)
        self.who, self.where = self.who[keep], self.where[keep]

    def _runs(self) -> tuple[np.ndarray, np.ndarray]:
        """Sorts the rows; the first and last of each run of moments that follow each other."""
        order = np.lexsort((self.who[:, 0], self.who[:, 2], self.who[:, 1]))
        self.who, self.where = self.who[order], self.where[order]
        who = self.who
        if not len(who):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        fresh = (who[1:, 1:3] != who[:-1, 1:3]).any(axis=1) | (who[1:, 0] != who[:-1, 0] + 1)
        first = np.concatenate([[0], np.flatnonzero(fresh) + 1])
        return first, np.append(first[1:], len(who)) - 1

    def _new(self, who: np.ndarray, new: New) -> np.ndarray:
        """Which rows of moment and two tracks are of one that has changed by then."""
        return who[:, 0] * self.step >= np.minimum(new.moved[who[:, 1]], new.moved[who[:, 2]])

    def _blocks(self, tracks: Sequence[Track], begin: int) -> Iterator[tuple[int, int]]:
        end = max((int(track.last) // self.step + 1 for track in tracks if track.n), default=begin)
        size = max(PLACES // max(len(tracks), 1), 1)
        for low in range(begin, end, size):
            yield low, min(low + size, end)

    def found(self, tracks: Sequence[Track], now: int) -> list[Found]:
        """Meetings so far."""
        first, last = self._runs()
        who, where = self.who, self.where
        enough = (who[last, 0] - who[first, 0]) * self.step >= self.limits["meeting_s"] * 1000
        return [
            self._one(tracks, who[i : j + 1], where[i : j + 1], now)
            for i, j in zip(first[enough].tolist(), last[enough].tolist(), strict=True)
        ]

    def _one(self, tracks: Sequence[Track], who: np.ndarray, where: np.ndarray, now: int) -> Found:
        a, b = (tracks[int(who[0, side])] for side in (1, 2))
        start, last = int(who[0, 0]) * self.step, int(who[-1, 0]) * self.step
        end = None if self._goes_on(a, b, last + self.step, now) else last
        made = min(-(-round(self.limits["meeting_s"] * 1000) // self.step) + 1, len(who))
        some: list[list[Any]] = [
            [track.unit, int(who[k, 0]) * self.step, float(where[k, x]), float(where[k, x + 1])]
            for k in spread(made, at.SAMPLE // 2)
            for track, x in sorted([(a, 1), (b, 3)], key=lambda side: side[0].unit)
        ]
        metres = where[:made, 0]
        evidence: dict[str, Any] = {
            "minutes": minutes(start, end),
            "metres": {"least": round(float(metres.min()), 1), "mean": round(float(metres.mean()), 1)},
            "moments": made,
            "fixes": {"number": 2 * made, "first": start, "last": int(who[made - 1, 0]) * self.step, "some": some},
            "limits": dict(self.limits),
        }
        units = tuple(sorted((a.unit, b.unit)))
        return Found(self.rule, units, None, start, end, some[0][2], some[0][3], evidence)

    def _goes_on(self, a: Track, b: Track, moment: int, now: int) -> bool:
        """Whether one of the two has not been heard again at `moment` or later, and its track is not cut."""
        heard = all(track.last >= moment for track in (a, b))
        return not heard and all(now - track.last < self.cut for track in (a, b))


class Dark:
    """Detections of sensors at night with no boat there that says who it is. `seen`: rows of track, time, lon, lat, dark."""

    def __init__(self, rule: int, limits: Mapping[str, float], settings: Settings) -> None:
        self.rule, self.limits = rule, limits
        self.leg = settings.event_leg_s * 1000.0
        self.nights = nights(settings)
        self.seen = np.empty((0, 5))

    def update(self, tracks: Sequence[Track], new_: New) -> None:
        """Judges anew the detections that what has come may explain."""
        around = self.limits["dark_s"] * 1000
        margin = around + self.leg
        again = new_.touches(self.seen[:, 1], self.seen[:, 2], self.seen[:, 3], margin)
        again |= self.seen[:, 1] >= new_.moved[self.seen[:, 0].astype(np.int64)]
        fresh = [self.seen[~again]]
        for code, track in enumerate(tracks):
            if not track.sensor or track.last < new_.first - margin:
                continue
            rows = track.rows[track.rows[:, at.KIND] == at.SEEN]
            mine = new_.touches(rows[:, at.T], rows[:, at.LON], rows[:, at.LAT], margin)
            rows = rows[mine | (rows[:, at.T] >= new_.moved[code])]
            clock = (rows[:, at.T] + SHANGHAI_MS) % DAY_MS
            night = np.any([(clock >= begin) & (clock < end) for begin, end in self.nights], axis=0)
            rows = rows[night]
            if len(rows):
                none = np.zeros(len(rows))
                fresh.append(np.column_stack([np.full(len(rows), code), rows[:, [at.T, at.LON, at.LAT]], none]))
        new = np.concatenate(fresh[1:]) if len(fresh) > 1 else np.empty((0, 5))
        if len(new):
            boats = [track for track in tracks if track.boat]
            rows, bounds = flat(boats, new[:, 1].min() - margin, new[:, 1].max() + margin)
            known = kernels.explained(new[:, 1:4], rows, bounds, around, self.limits["dark_m"], self.leg)
            new[:, 4] = ~known
        self.seen = np.concatenate([fresh[0], new])

    def forget(self, before: float) -> None:
        """Gives up detections before `before` (ms UTC), but for those of an event that was not over then."""
        keep = self.seen[:, 1] >= before
        rows = np.flatnonzero(self.seen[:, 4] > 0)
        rows = rows[np.lexsort((self.seen[rows, 1], self.seen[rows, 0]))]
        for part in np.split(rows, self._apart(self.seen[rows])):
            keep[part] = len(part) > 0 and self.seen[part[-1], 1] >= before
        self.seen = self.seen[keep]

    def _apart(self, seen: np.ndarray) -> np.ndarray:
        """Where in detections by track and time another event begins, the first left out."""
        far = np.diff(seen[:, 1]) > self.limits["dark_join_s"] * 1000
        return np.flatnonzero((np.diff(seen[:, 0]) != 0) | far) + 1

    def found(self, tracks: Sequence[Track], now: int) -> list[Found]:
        """Dark boats so far: detections of a sensor's target not far apart in time are one event."""
        due = (self.seen[:, 4] > 0) & (self.seen[:, 1] + self.limits["dark_s"] * 1000 <= now)
        seen = self.seen[due]
        seen = seen[np.lexsort((seen[:, 1], seen[:, 0]))]
        if not len(seen):
            return []
        return [self._one(tracks, part) for part in np.split(seen, self._apart(seen))]

    def _one(self, tracks: Sequence[Track], seen: np.ndarray) -> Found:
        unit = tracks[int(seen[0, 0])].unit
        start, last = int(seen[0, 1]), int(seen[-1, 1])
        x, y = float(seen[0, 2]), float(seen[0, 3])
        some = [[unit, int(seen[k, 1]), float(seen[k, 2]), float(seen[k, 3])] for k in spread(len(seen), at.SAMPLE)]
        evidence = {
            "minutes": minutes(start, last),
            "detections": len(seen),
            "fixes": {"number": len(seen), "first": start, "last": last, "some": some},
            "limits": dict(self.limits),
        }
        return Found(self.rule, (unit,), None, start, last, x, y, evidence)


class Muting:
    """Whether a silence is the shore station's: how many others that were near fell silent for the same time."""

    def __init__(self) -> None:
        self.told: dict[tuple[int, int, int], tuple[int, int, int]] = {}  # rule, track, start: opened, there, silent

    def forget(self, since: float) -> None:
        """What hangs on fixes from `since` (ms) on is asked anew."""
        self.told = {key: told for key, told in self.told.items() if told[0] < since - THIN_MS}

    def drop(self, tracks: Sequence[Track], before: float) -> None:
        """Gives up silences asked about before `before` (ms UTC) that nobody tells of any more."""
        kept = {self._key(code, one) for code, track in enumerate(tracks) for of in track.ended for one in of}
        self.told = {
            key: told
            for key, told in self.told.items()
            if told[0] >= before or key in kept or (tracks[key[1]].n and tracks[key[1]].last == key[2])
        }

    def ask(self, tracks: Sequence[Track], gaps: Sequence[tuple[int, Found]]) -> None:
        """Counts for silences (track, event) that have not been counted."""
        new = [(code, gap) for code, gap in gaps if self._key(code, gap) not in self.told]
        if not new:
            return
        begin = min(gap.start - gap.evidence["limits"]["gap_heard_s"] * 1000 for _, gap in new)
        parts, bounds = [np.empty((0, 3))], [0]
        for track in tracks:
            heard = track.heard if track.boat else track.heard[:0]
            parts.append(heard[int(np.searchsorted(heard[:, 0], begin)) :])
            bounds.append(bounds[-1] + len(parts[-1]))
        rows, ends = np.concatenate(parts), np.array(bounds, dtype=np.int64)
        for code, gap in new:
            of, limit = gap.evidence["limits"], gap.evidence["limit_s"] * 1000
            there, silent = kernels.heard(
                rows, ends, gap.lon, gap.lat, code, gap.start - of["gap_heard_s"] * 1000, float(gap.start),
                gap.start + of["gap_same"] * limit, gap.start + limit, of["gap_near_m"],
            )  # fmt: skip
            self.told[self._key(code, gap)] = int(gap.start + limit), int(there), int(silent)

    @staticmethod
    def _key(code: int, gap: Found) -> tuple[int, int, int]:
        return gap.rule, code, gap.start

    def mutes(self, code: int, gap: Found) -> tuple[bool, dict[str, int]]:
        """Whether a silence asked about is not to be told, and what was counted."""
        _, there, silent = self.told[self._key(code, gap)]
        of = gap.evidence["limits"]
        muted = there >= of["gap_others"] and silent >= of["gap_share"] * there
        return muted, {"others_heard": there, "others_silent": silent}
