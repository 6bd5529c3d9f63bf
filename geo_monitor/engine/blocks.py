"""Blocks: a few Shanghai days of positions, or some units of a day that is too large, small enough to hold in memory.

In: the files of `geo_monitor.store.positions`. Out: a plan of blocks in time order, and the rows of each with a halo of
fixes before and after it, so that whatever crosses its borders is seen whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa

from geo_monitor.tracks import DAY_MS, SHANGHAI_MS

BLOCK_DAYS = 4  # a new day in a year of data is then 1 or 2 blocks of 92, and a block has enough rows for array work
BLOCK_ROWS = 2_000_000  # rows of a block; more are cut into days, and a day into units
COLUMNS = ("unit_id", "patrol_id", "time", "platform", "role", "geometry")
WORDS = ("unit_id", "patrol_id", "platform", "role")
SCHEMA = pa.schema(
    [
        *[pa.field(name, pa.dictionary(pa.int32(), pa.string())) for name in WORDS],
        pa.field("time", pa.timestamp("ms", "UTC")),
        pa.field("lon", pa.float64()),
        pa.field("lat", pa.float64()),
    ]
)


@dataclass(frozen=True)
class Span:
    """A time [start, end), ms UTC."""

    start: int
    end: int


@dataclass(frozen=True)
class Block:
    """Shanghai days [first, last) since 1970, of units in [low, high) (text; None: no bound).

    `files` are those of its own days, by day and name; `before` and `after` those of the days on both sides, of which
    only the halo is read.
    """

    first: int
    last: int
    files: tuple[Path, ...]
    before: tuple[Path, ...]
    after: tuple[Path, ...]
    low: str | None = None
    high: str | None = None

    @property
    def span(self) -> Span:
        """The block's own time."""
        return Span(self.first * DAY_MS - SHANGHAI_MS, self.last * DAY_MS - SHANGHAI_MS)

    @property
    def name(self) -> str:
        """Its days and units, as a name for files."""
        days = f"{np.datetime64(self.first, 'D')}+{self.last - self.first}"
        return days if self.low is None and self.high is None else f"{days}-{self.low or ''}"


@dataclass(frozen=True)
class Plan:
    """Blocks in time order; those that share their days (parts of the units) follow each other. `span` is the period
    asked for: no fix outside of it is read. `rows` counts what the files hold."""

    blocks: tuple[Block, ...]
    span: Span
    rows: int = 0
    ends: Span | None = field(default=None)  # first and last moment the files tell of, within the period


def day_of(path: Path) -> int:
    """The Shanghai day of a file of positions, since 1970."""
    return int(np.datetime64(path.parent.name.removeprefix("day="), "D").astype(np.int64))


def plan(files: Sequence[Path], span: Span, rows: int = BLOCK_ROWS) -> Plan:
    """Cuts `files` (positions/day=YYYY-MM-DD/receipt.parquet, by day) into blocks of about `rows` rows at most."""
    heads = {path: _head(path) for path in files}
    of_day = {day: tuple(part) for day, part in groupby(sorted(files, key=lambda p: (day_of(p), p.name)), day_of)}
    sizes = {day: sum(heads[path].rows for path in part) for day, part in of_day.items()}
    blocks: list[Block] = []
    for _, group in groupby(sorted(of_day), lambda day: day // BLOCK_DAYS):
        days = list(group)
        whole = sum(sizes[day] for day in days) <= rows
        first = days[0] // BLOCK_DAYS * BLOCK_DAYS
        for low, high in [(first, first + BLOCK_DAYS)] if whole else [(day, day + 1) for day in days]:
            own = tuple(path for day in days if low <= day < high for path in of_day[day])
            block = Block(low, high, own, of_day.get(low - 1, ()), of_day.get(high, ()))
            blocks += [block] if whole or sizes[low] <= rows else _by_units(block, -(-sizes[low] // rows))
    moments = [head for head in heads.values() if head.first is not None]
    ends = None
    if moments:
        ends = Span(
            max(min(head.first for head in moments if head.first is not None), span.start),
            min(max(head.last for head in moments), span.end - 1),
        )
    return Plan(tuple(blocks), span, sum(sizes.values()), ends)


@dataclass(frozen=True)
class _Head:
    rows: int
    first: int | None
    last: int


@lru_cache(maxsize=100_000)  # a file never changes once it is there
def _head(path: Path) -> _Head:
    import pyarrow.parquet as pq

    meta = pq.read_metadata(path)
    column = meta.schema.to_arrow_schema().get_field_index("time")
    groups = [meta.row_group(i).column(column).statistics for i in range(meta.num_row_groups)]
    low = [_ms(group.min) for group in groups if group is not None and group.has_min_max]
    high = [_ms(group.max) for group in groups if group is not None and group.has_min_max]
    return _Head(meta.num_rows, min(low, default=None), max(high, default=0))


def _ms(value: object) -> int:
    return int(pa.scalar(value, pa.timestamp("ms", "UTC")).cast(pa.int64()).as_py())


def _by_units(block: Block, parts: int) -> list[Block]:
    """The block cut into units, so that each part has about as many rows."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    counts: dict[str, int] = {}
    for path in block.files:
        column = pq.ParquetFile(path, read_dictionary=["unit_id"]).read(columns=["unit_id"])["unit_id"]
        for pair in pc.value_counts(column.cast(pa.string())).to_pylist():
            counts[pair["values"]] = counts.get(pair["values"], 0) + pair["counts"]
    names = sorted(counts, key=str.encode)  # as the files are sorted
    total = np.cumsum([counts[name] for name in names])
    cuts = np.unique(np.searchsorted(total, total[-1] * np.arange(1, parts) / parts)).tolist()
    edges: list[str | None] = [None, *(names[cut] for cut in cuts if cut), None]
    return [
        Block(block.first, block.last, block.files, block.before, block.after, low, high)
        for low, high in pairwise(edges)
    ]


class Reader:
    """Reads blocks of a plan. What one block decoded is at hand for the next, whose halo it is."""

    def __init__(self, span: Span, halo_ms: int) -> None:
        self._span, self._halo = span, halo_ms
        self._held: dict[tuple[Path, str | None, str | None], pa.Table] = {}

    def rows(self, block: Block) -> pa.Table:
        """The block's fixes and those of the halo before and after it, within the period; columns of `SCHEMA`, text as
        dictionaries, in the order of the files."""
        own = block.span
        start, end = max(own.start - self._halo, self._span.start), min(own.end + self._halo, self._span.end)
        edge = {*block.before, *block.after}
        clipped = start > own.start or end < own.end
        used, parts = {}, []
        for path in (*block.before, *block.files, *block.after):
            key = path, block.low, block.high
            part = used[key] = self._held[key] if key in self._held else _read(*key)
            parts.append(_between(part, start, end) if clipped or path in edge else part)
        self._held = used
        return pa.concat_tables(parts) if parts else SCHEMA.empty_table()


def _between(table: pa.Table, start: int, end: int) -> pa.Table:
    time = np.asarray(table["time"].cast(pa.int64()), dtype=np.int64)
    inside = np.flatnonzero((time >= start) & (time < end))
    return table if len(inside) == len(time) else table.take(pa.array(inside))


def _read(path: Path, low: str | None, high: str | None) -> pa.Table:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path, read_dictionary=list(WORDS))
    groups = _groups(file, low, high)
    columns = ["unit_id", "patrol_id", "time", "platform", "role", "geometry.x", "geometry.y"]
    table = file.read_row_groups(groups, columns=columns, use_threads=True)
    x, y = (pc.struct_field(table["geometry"], name) for name in ("x", "y"))
    names = [name for name in SCHEMA.names if name not in ("lon", "lat")]
    table = pa.table([*(table[name] for name in names), x, y], names=SCHEMA.names).cast(SCHEMA)
    if low is None and high is None:
        return table
    unit = table["unit_id"].cast(pa.binary())  # bytes compare as the files are sorted
    keep = pa.chunked_array([np.ones(len(table), dtype=bool)])
    if low is not None:
        keep = pc.and_(keep, pc.greater_equal(unit, low.encode()))
    if high is not None:
        keep = pc.and_(keep, pc.less(unit, high.encode()))
    return table.filter(keep)


def _groups(file: object, low: str | None, high: str | None) -> list[int]:
    """Row groups that may hold units in [low, high)."""
    meta = file.metadata  # type: ignore[attr-defined]
    found = []
    for number in range(meta.num_row_groups):
        told = meta.row_group(number).column(0).statistics
        assert meta.row_group(number).column(0).path_in_schema == "unit_id"
        if told is not None and told.has_min_max:
            least, most = str(told.min).encode(), str(told.max).encode()
            if (low is not None and most < low.encode()) or (high is not None and least >= high.encode()):
                continue
        found.append(number)
    return found


def in_order(blocks: Iterable[Block]) -> Iterator[list[Block]]:
    """Blocks of the same days together, in time order: parts of the units do not wait for each other."""
    for _, same in groupby(blocks, lambda block: (block.first, block.last)):
        yield list(same)
