"""Blocks: a few Shanghai days of positions, or some units of a day that is too large, small enough to hold in memory.

In: the files of `geo_monitor.store.positions`. Out: a plan of blocks in time order, and the rows of each with a halo of
fixes before and after it, so that whatever crosses its borders is seen whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, pairwise
from operator import attrgetter

import numpy as np
import pyarrow as pa

from geo_monitor.store import positions
from geo_monitor.store.positions import Part
from geo_monitor.tracks import DAY_MS, SHANGHAI_MS, shanghai_day

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

    `parts` are those of its own days, by day and name of file; `before` and `after` those of the days on both sides, of
    which only the halo is read. A block may have no parts: reports of its time are near fixes of its halo.
    """

    first: int
    last: int
    parts: tuple[Part, ...]
    before: tuple[Part, ...]
    after: tuple[Part, ...]
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


def plan(parts: Sequence[Part], span: Span, halo_ms: int, reports: np.ndarray, rows: int = BLOCK_ROWS) -> Plan:
    """Cuts `parts` of positions into blocks of about `rows` rows at most, with a halo of `halo_ms`. reports: times (n,) of
    what has to lie in a block of its own time where there are fixes within the halo, ms UTC."""
    return positions.asked(parts, partial(_plan, span=span, halo_ms=halo_ms, reports=reports, rows=rows))


def _plan(parts: Sequence[Part], span: Span, halo_ms: int, reports: np.ndarray, rows: int) -> Plan:
    by_day = attrgetter("day")
    of_day = {day: tuple(part) for day, part in groupby(sorted(parts, key=attrgetter("day", "path")), by_day)}
    heads = {day: [told for _, _, told in positions.said(part)] for day, part in of_day.items()}
    sizes = {day: sum(told.rows for told in held) for day, held in heads.items()}
    beside = -(-halo_ms // DAY_MS)

    def of(low: int, high: int) -> tuple[Part, ...]:
        return tuple(part for day in range(low, high) for part in of_day.get(day, ()))

    told = {int(day) for day in np.unique(shanghai_day(reports))}
    every_day = of_day.keys() | {day for day in told if of(day - beside, day + beside + 1)}
    blocks: list[Block] = []
    for _, group in groupby(sorted(every_day), lambda day: day // BLOCK_DAYS):
        days = list(group)
        whole = sum(sizes.get(day, 0) for day in days) <= rows
        first = days[0] // BLOCK_DAYS * BLOCK_DAYS
        for low, high in [(first, first + BLOCK_DAYS)] if whole else [(day, day + 1) for day in days]:
            block = Block(low, high, of(low, high), of(low - beside, low), of(high, high + beside))
            size = sizes.get(low, 0)
            blocks += [block] if whole or size <= rows else _by_units(block, -(-size // rows))
    every = [told for held in heads.values() for told in held]
    firsts = [told.first for told in every if told.first is not None]
    lasts = [told.last for told in every if told.last is not None]
    ends = Span(max(min(firsts), span.start), min(max(lasts), span.end - 1)) if firsts and lasts else None
    return Plan(tuple(blocks), span, sum(sizes.values()), ends)


def _by_units(block: Block, parts: int) -> list[Block]:
    """The block cut into units, so that each part has about as many rows."""
    import pyarrow.compute as pc

    counts: dict[str, int] = {}
    for pair in pc.value_counts(positions.read(block.parts, ["unit_id"])["unit_id"]).to_pylist():
        counts[pair["values"]] = pair["counts"]
    names = sorted(counts, key=str.encode)  # as the files are sorted
    total = np.cumsum([counts[name] for name in names])
    cuts = np.unique(np.searchsorted(total, total[-1] * np.arange(1, parts) / parts)).tolist()
    edges: list[str | None] = [None, *(names[cut] for cut in cuts if cut), None]
    return [
        Block(block.first, block.last, block.parts, block.before, block.after, low, high)
        for low, high in pairwise(edges)
    ]


class Reader:
    """Reads blocks of a plan. What one block decoded is at hand for the next, whose halo it is."""

    def __init__(self, span: Span, halo_ms: int) -> None:
        self._span, self._halo = span, halo_ms
        self._held: dict[tuple[Part, str | None, str | None], pa.Table] = {}

    def rows(self, block: Block) -> pa.Table:
        """The block's fixes and those of the halo before and after it, within the period; columns of `SCHEMA`, text as
        dictionaries, in the order of the files."""
        own = block.span
        start, end = max(own.start - self._halo, self._span.start), min(own.end + self._halo, self._span.end)
        clipped = start > own.start or end < own.end
        used, parts = {}, []
        for side, edge in ((block.before, True), (block.parts, False), (block.after, True)):
            for part in positions.where_now(side):
                key = part, block.low, block.high
                rows = used[key] = self._held[key] if key in self._held else _read(*key)
                parts.append(_between(rows, start, end) if clipped or edge else rows)
        self._held = used
        return pa.concat_tables(parts) if parts else SCHEMA.empty_table()


def _between(table: pa.Table, start: int, end: int) -> pa.Table:
    time = np.asarray(table["time"].cast(pa.int64()), dtype=np.int64)
    inside = np.flatnonzero((time >= start) & (time < end))
    return table if len(inside) == len(time) else table.take(pa.array(inside))


def _read(part: Part, low: str | None, high: str | None) -> pa.Table:
    """The rows of a part, of units in [low, high); columns of `SCHEMA`."""
    found = positions.asked([part], lambda parts: [_read_file(one, low, high) for one in parts])
    return pa.concat_tables(found)


def _read_file(part: Part, low: str | None, high: str | None) -> pa.Table:
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    with pq.ParquetFile(part.path, read_dictionary=[*WORDS, "receipt_id"]) as file:
        groups = _groups(file, low, high)
        same = {name: word for name in WORDS if (word := _same(file, groups, name)) is not None}
        columns = ["time", "geometry.x", "geometry.y", *(name for name in WORDS if name not in same)]
        table = file.read_row_groups(groups, columns=[*columns, *["receipt_id"] * part.mixed], use_threads=True)
    if part.mixed:
        table = table.filter(pc.is_in(table["receipt_id"], value_set=pa.array(part.receipts)))
    told = {name: table[name] for name in table.column_names}
    told |= {"lon": pc.struct_field(table["geometry"], "x"), "lat": pc.struct_field(table["geometry"], "y")}
    for name, word in same.items():
        code = pa.array(np.zeros(len(table), np.int32)) if len(word) else pa.nulls(len(table), pa.int32())
        told[name] = pa.chunked_array([pa.DictionaryArray.from_arrays(code, word)])
    table = pa.table([told[name] for name in SCHEMA.names], names=SCHEMA.names).cast(SCHEMA)
    if low is None and high is None:
        return table
    unit = table["unit_id"].cast(pa.binary())  # bytes compare as the files are sorted
    keep = pa.chunked_array([np.ones(len(table), dtype=bool)])
    if low is not None:
        keep = pc.and_(keep, pc.greater_equal(unit, low.encode()))
    if high is not None:
        keep = pc.and_(keep, pc.less(unit, high.encode()))
    return table.filter(keep)


def _same(file: object, groups: list[int], name: str) -> pa.Array | None:
    """The one word that stands in every row of these row groups, (1,), or (0,) if none does, as far as their heads tell:
    to read it takes nearly as long as a column of numbers. None: they differ."""
    meta = file.metadata  # type: ignore[attr-defined]
    at = meta.schema.names.index(name)
    found: set[str | None] = set()
    for number in groups:
        told = meta.row_group(number).column(at).statistics
        if told is None or not told.has_null_count:
            return None
        if told.null_count == meta.row_group(number).num_rows:
            found.add(None)
        elif told.null_count or not told.has_min_max or told.min != told.max:
            return None
        else:
            found.add(str(told.min))
    return pa.array(found - {None}, pa.string()) if len(found) == 1 else None


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
