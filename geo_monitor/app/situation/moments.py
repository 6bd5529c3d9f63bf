"""Where every unit is at a moment: fixes of some hours in memory, small enough to keep and quick to ask.

In: columns unit_id, time, lon, lat, speed, heading, role of `positions`. Out: frames of one row a unit (`Fixes.at`), lines
behind them (`Fixes.trails`), hours patrolled by slice of time (`Fixes.hours`). Pure: the moment is an argument.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

COLUMNS = ("unit_id", "time", "lon", "lat", "speed", "heading", "role")
JOINED_S = 600.0  # seconds; a fix longer ago says nothing of the way now
STILL_M = 25.0  # metres; less between two fixes is the scatter of a boat that lies still
DEGREE_M = 111_195.0  # metres of a degree of latitude on a sphere of 6,371 km: directions only
SPAN_BITS = 40  # of a key made of unit and milliseconds: 34 years


def _keys(unit: np.ndarray, time: np.ndarray) -> np.ndarray:
    """Numbers (n,) that sort as unit and time (ms) do."""
    keys: np.ndarray = (unit.astype(np.int64) << SPAN_BITS) + time
    return keys


@dataclass(frozen=True)
class Fixes:
    """Fixes (n,) sorted by unit and time. `unit` numbers `names` (u,); `time` ms since `start` (ms UTC); lon, lat WGS84
    degrees as 4-byte floats (to 1 m); speed m/s and heading degrees, NaN where not told; `patrol` whether of a patrol."""

    names: list[str]
    start: int
    unit: np.ndarray
    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    speed: np.ndarray
    heading: np.ndarray
    patrol: np.ndarray

    @classmethod
    def of(cls, table: pa.Table, start: int) -> Fixes:
        """Of a table with COLUMNS, in any order; `start`: ms UTC before the first fix."""
        import pyarrow as pa
        import pyarrow.compute as pc

        words = table["unit_id"]
        if not pa.types.is_dictionary(words.type):
            words = words.dictionary_encode()
        coded = (
            words.unify_dictionaries().combine_chunks()
            if len(table)
            else pa.array([], pa.dictionary(pa.int32(), pa.string()))
        )
        names = [str(name) for name in coded.dictionary.to_pylist()]
        rank = np.empty(len(names), dtype=np.int32)
        rank[sorted(range(len(names)), key=names.__getitem__)] = np.arange(len(names), dtype=np.int32)
        unit = rank[np.asarray(coded.indices, dtype=np.int64)]
        time = np.asarray(table["time"].cast(pa.timestamp("ms", "UTC")).cast(pa.int64())) - start
        role = table["role"]
        patrol = np.asarray(pc.equal(role.cast(pa.string()), "patrol").fill_null(False))
        order = np.argsort(_keys(unit, time), kind="stable")

        def numbers(name: str, kind: type = np.float32) -> np.ndarray:
            return np.asarray(table[name].cast(pa.float64()).fill_null(np.nan), dtype=kind)[order]

        return cls(
            sorted(names), start, unit[order], time[order], numbers("lon"), numbers("lat"), numbers("speed"),
            numbers("heading"), patrol[order],
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.unit)

    def joined(self, other: Fixes) -> Fixes:
        """These and others of the same start; of the same unit and moment the other's stand last."""
        names = sorted({*self.names, *other.names})
        number = {name: i for i, name in enumerate(names)}

        def renumbered(part: Fixes) -> np.ndarray:
            return np.array([number[name] for name in part.names], dtype=np.int32)[part.unit]

        mine, theirs = renumbered(self), renumbered(other)
        time = other.time + (other.start - self.start)
        # Both are sorted, and stay so under the new numbers: what came is laid in, unit by unit, between what is there.
        # Hours of fixes are not sorted anew with every upload.
        at = np.searchsorted(_keys(mine, self.time), _keys(theirs, time), side="right")
        cuts = np.flatnonzero(np.diff(at)) + 1
        edges = at[np.r_[0, cuts]] if len(at) else at

        def laid(held: np.ndarray, came: np.ndarray) -> np.ndarray:
            first, *rest = np.split(held, edges)
            pairs = zip(np.split(came, cuts), rest, strict=len(at) > 0)
            return np.concatenate([first, *(part for pair in pairs for part in pair)])

        more = [
            laid(getattr(self, name), getattr(other, name)) for name in ("lon", "lat", "speed", "heading", "patrol")
        ]
        return Fixes(names, self.start, laid(mine, theirs), laid(self.time, time), *more)

    def since(self, moment: int) -> Fixes:
        """Only fixes from `moment`, ms UTC."""
        keep = self.time >= moment - self.start
        rest = [getattr(self, name)[keep] for name in ("lon", "lat", "speed", "heading", "patrol")]
        return Fixes(self.names, self.start, self.unit[keep], self.time[keep], *rest)

    @property
    def last(self) -> int | None:
        """The latest time, ms UTC."""
        return int(self.time.max()) + self.start if len(self) else None

    @cached_property
    def _sorted(self) -> np.ndarray:
        return _keys(self.unit, self.time)

    def _upto(self, moment: int) -> tuple[np.ndarray, np.ndarray]:
        """The numbers (k,) of units that have a fix at or before `moment`, and the rows (k,) of their last ones."""
        units = np.arange(len(self.names), dtype=np.int64)
        row = np.searchsorted(self._sorted, (units << SPAN_BITS) + max(moment - self.start, -1), side="right") - 1
        known = (row >= 0) & (moment >= self.start)
        known[known] = self.unit[row[known]] == units[known]
        return units[known], row[known]

    def at(self, moment: int, within_s: float) -> pd.DataFrame:
        """The last fix of each unit at or before `moment` (ms UTC), if not older than `within_s` seconds.

        Columns unit_id, time (UTC), age_s, lon, lat, speed, heading, patrol; sorted by unit_id, so that rows keep their
        order from one moment to the next.

        >>> import pyarrow as pa
        >>> rows = {"unit_id": ["b", "a", "a"], "time": pa.array([0, 1000, 9000], pa.timestamp("ms", "UTC")),
        ...         "lon": [1.0, 2.0, 3.0], "lat": [0.0] * 3, "speed": [1.0] * 3, "heading": [90.0] * 3,
        ...         "role": ["patrol"] * 3}
        >>> Fixes.of(pa.table(rows), 0).at(8000, 7.0)[["unit_id", "age_s", "lon"]].to_numpy().tolist()
        [['a', 7.0, 2.0]]
        """
        import pandas as pd

        units, row = self._upto(moment)
        age = (moment - self.start - self.time[row]) / 1000
        units, row, age = (part[age <= within_s] for part in (units, row, age))
        speed, heading = self._motion(row)
        return pd.DataFrame(
            {
                "unit_id": np.array(self.names, dtype=object)[units],
                "time": pd.to_datetime(self.time[row] + self.start, unit="ms", utc=True),
                "age_s": age,
                "lon": self.lon[row].astype(float),
                "lat": self.lat[row].astype(float),
                "speed": speed,
                "heading": heading,
                "patrol": self.patrol[row],
            }
        )

    def _motion(self, row: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Speed (m/s) and heading (degrees) at rows: as told, else by the way from the fix before, up to JOINED_S ago."""
        back = np.maximum(row - 1, 0)
        seconds = (self.time[row] - self.time[back]) / 1000
        near = (self.unit[back] == self.unit[row]) & (seconds > 0) & (seconds <= JOINED_S)
        lat = np.radians(self.lat[row].astype(float))
        east = (self.lon[row].astype(float) - self.lon[back]) * DEGREE_M * np.cos(lat)
        north = (self.lat[row].astype(float) - self.lat[back]) * DEGREE_M
        metres = np.hypot(east, north)
        speed = np.where(near, metres / np.where(near, seconds, 1.0), np.nan)
        course = np.where(near & (metres >= STILL_M), np.degrees(np.arctan2(east, north)) % 360, np.nan)
        told, turned = self.speed[row].astype(float), self.heading[row].astype(float)
        return np.where(np.isnan(told), speed, told), np.where(np.isnan(turned), course, turned)

    def usual_s(self, moment: int) -> dict[str, float]:
        """Patrol -> median seconds between its fixes up to `moment`, of an even number of gaps the lower of the middle two;
        patrols with fewer than three fixes are left out."""
        patrols = np.bincount(self.unit[self.patrol], minlength=len(self.names)) > 0
        units, last = self._upto(moment)
        first = np.searchsorted(self.unit, units.astype(self.unit.dtype))
        asked = patrols[units] & (last - first >= 2)
        found = {}
        for unit, begin, end in zip(units[asked], first[asked], last[asked] + 1, strict=True):
            gap = np.diff(self.time[begin:end])
            middle = (len(gap) - 1) // 2
            found[self.names[unit]] = float(np.partition(gap, middle)[middle] / 1000)
        return found

    def trails(self, moment: int, units: Sequence[str], seconds: float, gap_s: float) -> list[np.ndarray]:
        """The way of `units` in the `seconds` before `moment`, broken at gaps over `gap_s`: arrays (k, 2) of lon, lat."""
        asked = np.zeros(len(self.names), dtype=bool)
        asked[[i for i, name in enumerate(self.names) if name in set(units)]] = True
        end = moment - self.start
        keep = asked[self.unit] & (self.time <= end) & (self.time >= end - seconds * 1000)
        unit, time = self.unit[keep], self.time[keep]
        points = np.column_stack([self.lon[keep], self.lat[keep]]).astype(float)
        cuts = np.flatnonzero((np.diff(unit) != 0) | (np.diff(time) > gap_s * 1000)) + 1
        return [part for part in np.split(points, cuts) if len(part) > 1]

    def hours(self, start: int, end: int, bins: int, gap_s: float, box: Sequence[float] | None = None) -> np.ndarray:
        """Hours (bins,) between fixes of patrols in equal slices of [start, end) ms UTC; gaps over `gap_s` add nothing.

        The time between two fixes goes to the slices it lies in. `box`: west, south, east, north; only time that begins
        inside counts.
        """
        same = (self.unit[1:] == self.unit[:-1]) & self.patrol[:-1] & (np.diff(self.time) <= gap_s * 1000)
        if box is not None:
            lon, lat = self.lon[:-1], self.lat[:-1]
            same &= (lon >= box[0]) & (lon <= box[2]) & (lat >= box[1]) & (lat <= box[3])
        a, b = self.time[:-1][same], self.time[1:][same]
        edges = np.linspace(start - self.start, end - self.start, bins + 1)
        # time looked before an edge, summed over all pieces: what lies between two edges is the difference
        order_a, order_b = np.sort(a), np.sort(b)
        sums_a, sums_b = np.r_[0, np.cumsum(order_a)], np.r_[0, np.cumsum(order_b)]
        begun = np.searchsorted(order_a, edges, side="right")
        ended = np.searchsorted(order_b, edges, side="right")
        before = begun * edges - sums_a[begun] - (ended * edges - sums_b[ended])
        hours: np.ndarray = np.diff(before) / 3_600_000
        return hours
