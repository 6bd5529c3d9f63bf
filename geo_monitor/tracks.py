"""The shared ground of `effort` and `joins`: fixes, unit by unit and in time order, in plain arrays.

In: an Arrow table of table `positions` (any row order, any chunking). Out: chunks of whole units (`Chunk`) whose rows
have one fixed order, so that what is computed from them never depends on the order in which rows were sent.

Strings are dictionary-encoded once; only one chunk of about a million fixes is held in sorted form at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from geo_monitor.errors import GeoMonitorError
from geo_monitor.tables import PLATFORMS

if TYPE_CHECKING:
    from geo_monitor.settings import Settings

DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000  # Asia/Shanghai is UTC+8 without summer time since 1991
MINUTE_MS = 60_000
KNOT = 1852 / 3600  # m/s; by definition of the nautical mile
NEVER = np.iinfo(np.int64).min  # "no time": reads as NaT when viewed as datetime64[ms]
CHUNK_ROWS = 1_000_000


def shanghai_day(ms: np.ndarray) -> np.ndarray:
    """Days since 1970-01-01 in Asia/Shanghai, int64, of integer milliseconds UTC.

    >>> shanghai_day(np.array([0, 16 * 3_600_000 - 1, 16 * 3_600_000])).tolist()
    [0, 0, 1]
    """
    return (np.asarray(ms, dtype=np.int64) + SHANGHAI_MS) // DAY_MS


def nights(settings: Settings) -> np.ndarray:
    """When it is night on the Shanghai clock: spans (n, 2) of ms after midnight."""
    begin, until = round(settings.night_from_h * 3_600_000), round(settings.night_to_h * 3_600_000)
    return np.array([(begin, until)] if begin < until else [(0, until), (begin, DAY_MS)], dtype=np.int64)


def night_ms(start: np.ndarray, end: np.ndarray, settings: Settings) -> np.ndarray:
    """Milliseconds of night (`night_from_h` to `night_to_h`, Shanghai clock) in spans (m,) of ms UTC, int64.

    A span lies within one Shanghai day. 11:00 UTC is 19:00 in Shanghai: of 19:00-21:00 half is night.

    >>> from geo_monitor.settings import Settings
    >>> (night_ms(np.array([11 * 3_600_000]), np.array([13 * 3_600_000]), Settings()) / MINUTE_MS).tolist()
    [60.0]
    """
    spans = nights(settings)
    clock = (np.asarray(start, dtype=np.int64) + SHANGHAI_MS) % DAY_MS
    stop = clock + (np.asarray(end, dtype=np.int64) - start)
    parts = [np.maximum(np.minimum(stop, late) - np.maximum(clock, early), 0) for early, late in spans]
    return np.sum(parts, axis=0)


def milliseconds(values: Any) -> np.ndarray:
    """Integer milliseconds UTC (n,) of a column of times (pandas, Arrow or numpy; naive = UTC); `NEVER` where empty.

    >>> milliseconds(np.array(["1970-01-01T00:00:01", "NaT"], dtype="datetime64[ms]")).tolist() == [1000, NEVER]
    True
    """
    if isinstance(values, pa.ChunkedArray | pa.Array):
        if pa.types.is_timestamp(values.type):
            values = values.cast(pa.timestamp("ms", tz=values.type.tz), safe=False)
        ints = values.cast(pa.int64())
        return np.asarray(ints.fill_null(NEVER) if ints.null_count else ints, dtype=np.int64)
    import pandas as pd

    stamps = pd.Series(values)
    if stamps.dtype == object:  # nanoseconds, the default, end in 2262, but people write "until 9999"
        stamps = stamps.astype("datetime64[ms, UTC]")
    stamps = pd.to_datetime(stamps, utc=True).dt.tz_localize(None)
    return stamps.to_numpy(dtype="datetime64[ms]").astype(np.int64)


def timestamps(ms: np.ndarray) -> pa.Array:
    """Arrow timestamps (ms, UTC) of integer milliseconds; null where `NEVER`."""
    ms = np.asarray(ms, dtype=np.int64)
    return pa.array(ms, mask=ms == NEVER).cast(pa.timestamp("ms", tz="UTC"))


@dataclass(frozen=True)
class Arrays:
    """Plain arrays by name, for a file or another process."""

    def arrays(self) -> dict[str, np.ndarray]:
        return {part.name: getattr(self, part.name) for part in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> Self:
        return cls(**{part.name: arrays[part.name] for part in fields(cls)})


@dataclass(frozen=True)
class Chunk:
    """All fixes of some units, sorted by unit, time, then every other value.

    `unit` indexes `Tracks.unit_ids`, `patrol` indexes `Tracks.patrol_ids` (-1: no id), `platform` indexes `PLATFORMS`,
    `patrolling` is false for traffic, `reach` indexes the reaches of the network (-1: not located). `bounds` (units + 1,)
    cuts the rows into units.
    """

    unit: np.ndarray
    patrol: np.ndarray
    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    platform: np.ndarray
    patrolling: np.ndarray
    reach: np.ndarray
    km: np.ndarray
    bounds: np.ndarray

    def __len__(self) -> int:
        return len(self.time)

    @classmethod
    def empty(cls) -> Chunk:
        """No fixes."""
        kinds = {"patrolling": bool, "lon": float, "lat": float, "km": float}
        rows = {part.name: np.empty(0, dtype=kinds.get(part.name, np.int64)) for part in fields(cls)}
        return cls(**{**rows, "bounds": np.zeros(1, dtype=np.int64)})

    def where(self, keep: np.ndarray) -> Chunk:
        """The rows (n,) bool that are true."""
        if keep.all():
            return self
        kept = np.flatnonzero(keep)
        rows = {part.name: getattr(self, part.name).take(kept) for part in fields(self) if part.name != "bounds"}
        return Chunk(**rows, bounds=_bounds(rows["unit"]))

    def parts(self, parts: int) -> list[Chunk]:
        """The chunk in at most `parts` of about equal size, cut between units; one without fixes is one part."""
        if not len(self):
            return [self]
        cuts = np.unique(np.searchsorted(self.bounds, len(self) * np.arange(1, parts) / parts))
        edges = np.unique(np.r_[0, self.bounds[cuts], len(self)])
        return [
            Chunk(
                **{part.name: getattr(self, part.name)[a:b] for part in fields(self) if part.name != "bounds"},
                bounds=self.bounds[(self.bounds >= a) & (self.bounds <= b)] - a,
            )
            for a, b in pairwise(edges)
        ]


@dataclass(frozen=True)
class Tracks:
    """Fixes in encoded columns, as sent; `order` groups them by unit. See `encode`."""

    unit_ids: list[str]
    patrol_ids: list[str]
    columns: dict[str, np.ndarray]
    order: np.ndarray
    starts: np.ndarray  # (units + 1,) into `order`

    def __len__(self) -> int:
        return len(self.order)

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last time, ms, or None without fixes."""
        time = self.columns["time"]
        return (int(time.min()), int(time.max())) if len(time) else None

    def chunks(self, rows: int = CHUNK_ROWS) -> Iterator[Chunk]:
        """Whole units, together about `rows` fixes at a time (a unit with more comes alone)."""
        first = 0
        units = len(self.unit_ids)
        while first < units:
            last = int(np.searchsorted(self.starts, self.starts[first] + rows, side="right")) - 1
            last = min(max(last, first + 1), units)
            yield self._chunk(self.order[self.starts[first] : self.starts[last]])
            first = last

    def _chunk(self, rows: np.ndarray) -> Chunk:
        taken = {name: values.take(rows) for name, values in self.columns.items()}
        if "reach" not in taken:  # not yet located
            taken |= {"reach": np.broadcast_to(np.int32(-1), len(rows)), "km": np.broadcast_to(np.nan, len(rows))}
        unit, time = taken["unit"], taken["time"]
        step = np.diff(time)
        if not bool(np.all((step > 0) | (unit[1:] != unit[:-1]))):
            # every value takes part in the order, so rows that still tie are the same row twice
            keys = ("km", "reach", "patrolling", "platform", "lat", "lon", "patrol", "time", "unit")
            order = np.lexsort([taken[name] for name in keys])
            taken = {name: values[order] for name, values in taken.items()}
            unit = taken["unit"]
        return Chunk(**taken, bounds=_bounds(unit))


def _bounds(unit: np.ndarray) -> np.ndarray:
    change = np.flatnonzero(unit[1:] != unit[:-1]) + 1
    return np.concatenate([[0], change, [len(unit)]]).astype(np.int64)


def encode(fixes: pa.Table, located: pa.Table | pa.RecordBatch | None = None, role: str | None = None) -> Tracks:
    """`fixes` with text as numbers, optionally only those of one `role`, beside where they were located.

    fixes: unit_id, time, lon, lat and, where there are any, patrol_id, platform, role (n rows). located: reach (index,
    -1 = nowhere), km (n rows, same order). Codes follow the alphabetical order of the ids, not that of the rows; an
    empty platform is a boat.

    Raises `GeoMonitorError("tracks_rows_differ")` if `located` has another number of rows,
    `GeoMonitorError("tracks_platform_unknown")` for a platform outside `tables.PLATFORMS`.
    """
    import pyarrow.compute as pc

    if located is not None and located.num_rows != fixes.num_rows:
        raise GeoMonitorError("tracks_rows_differ", fixes=fixes.num_rows, located=located.num_rows)
    keep = None
    if role is not None and "role" in fixes.column_names:
        keep = np.asarray(pc.fill_null(pc.equal(_plain(fixes["role"]), role), False))
        keep = None if keep.all() else np.flatnonzero(keep)

    def taken(values: np.ndarray) -> np.ndarray:
        return values if keep is None else values[keep]

    rows = fixes.num_rows if keep is None else len(keep)
    unit, unit_ids = _codes(fixes, "unit_id", taken)
    patrol, patrol_ids = _codes(fixes, "patrol_id", taken)
    code, names = _codes(fixes, "platform", taken)
    unknown = sorted(set(names) - set(PLATFORMS))
    if unknown:
        raise GeoMonitorError("tracks_platform_unknown", names=unknown)
    number = np.array([PLATFORMS.index(name) for name in names] + [PLATFORMS.index("boat")], dtype=np.int8)
    columns = {
        "unit": unit,
        "patrol": patrol,
        "time": taken(milliseconds(fixes["time"])),
        "lon": taken(np.asarray(fixes["lon"], dtype=np.float64)),
        "lat": taken(np.asarray(fixes["lat"], dtype=np.float64)),
        "platform": number.take(code),
        "patrolling": taken(_patrolling(fixes)),
    }
    if located is not None:
        reach = located.column("reach")
        columns["reach"] = taken(np.asarray(reach.fill_null(-1) if reach.null_count else reach, dtype=np.int32))
        km = located.column("km")
        columns["km"] = taken(np.asarray(km.fill_null(np.nan) if km.null_count else km, dtype=np.float64))
    order = np.arange(rows) if bool(np.all(unit[1:] >= unit[:-1])) else np.argsort(unit, kind="stable")
    starts = np.searchsorted(unit[order], np.arange(len(unit_ids) + 1))
    return Tracks(unit_ids, patrol_ids, columns, order, starts)


def _patrolling(fixes: pa.Table) -> np.ndarray:
    """Which rows (n,) are of role patrol; all of them where no role is told."""
    if "role" not in fixes.column_names:
        return np.ones(fixes.num_rows, dtype=bool)
    code, names = _codes(fixes, "role", lambda values: values)
    return np.array([name == "patrol" for name in names] + [False])[code]


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column


def _codes(fixes: pa.Table, name: str, taken: Any) -> tuple[np.ndarray, list[str]]:
    """int32 codes in alphabetical order of the values in use (-1 = empty), and the values."""
    import pyarrow.compute as pc

    if name not in fixes.column_names:
        return taken(np.full(fixes.num_rows, -1, dtype=np.int32)), []
    column = fixes[name]
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    encoded = column if pa.types.is_dictionary(column.type) else pc.dictionary_encode(column)
    encoded = encoded.unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.dictionary(pa.int32(), pa.string()))
    values, index = encoded.dictionary.to_pylist(), encoded.indices
    if index.null_count == len(index) or (len(values) == 1 and not index.null_count and values[0] is not None):
        one = values if index.null_count < len(index) else []  # for all rows alike, as role and platform mostly are
        code = taken(np.full(len(index), len(one) - 1, dtype=np.int32))
        return code, one if len(code) else []
    raw = taken(np.asarray(index.fill_null(len(values)) if index.null_count else index))
    used = np.zeros(len(values) + 1, dtype=bool)
    fresh = np.ones(len(raw), dtype=bool)
    fresh[1:] = raw[1:] != raw[:-1]
    used[raw[fresh]] = True  # rows of a unit stand together: few are asked
    names = sorted({value for value, there in zip(values, used, strict=False) if there and value is not None})
    rank = {value: code for code, value in enumerate(names)}
    table = np.array([rank.get(value, -1) for value in values] + [-1], dtype=np.int32)
    same = not index.null_count and np.array_equal(table[:-1], np.arange(len(values)))
    return (raw.astype(np.int32) if same else table[raw]), names
