"""Fixes as GeoParquet, one file a receipt and Shanghai day: positions/day=YYYY-MM-DD/<receipt_id>.parquet; of a day
that was compacted (`compact`) one file for many receipts: compact-<hash>.parquet.

A file holds the columns of table `positions` with lon and lat as one column `geometry` (GeoParquet 1.1, encoding
"point"), sorted by unit_id and time, in row groups of 131,072 rows, so that a reader skips what it does not ask for.

What is read is a `Part`: what some receipts brought on one day. Where it lies may change while somebody reads, what it
holds never does; so a reader that finds a file gone looks for the same receipts again (`following`).
"""

from __future__ import annotations

import errno
import json
import os
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pyarrow as pa

from geo_monitor import tables
from geo_monitor.errors import Refused
from geo_monitor.store.files import TEMPORARY, replacing

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.ingest.spool import Fixes

T = TypeVar("T")
Box = tuple[float, float, float, float]  # west, south, east, north
ROW_GROUP = 1 << 17
NAMED = 3  # files that an error names
COMPACT = "compact-"  # how the name of a file of many receipts begins
TOLD = b"geo_monitor"  # in the metadata of such a file: JSON {receipt_id: a `Told`}
DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000  # Asia/Shanghai is UTC+8 without summer time since 1991
POINT = pa.struct([pa.field("x", pa.float64(), nullable=False), pa.field("y", pa.float64(), nullable=False)])
WORDS = ("unit_id", "patrol_id", "platform", "role", "source", "receipt_id")  # few values, many rows
DAY = re.compile(r"day=\d{4}-(0\d|1[0-2])-([0-2]\d|3[01])", re.ASCII)
TABLE = tables.TABLES["positions"]
GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "point", "geometry_types": ["Point"]}},
}


def day_of(ms: int) -> int:
    """Days since 1970-01-01 in Asia/Shanghai of integer milliseconds UTC."""
    return (ms + SHANGHAI_MS) // DAY_MS


def file_of(folder: Path, day: int, receipt_id: str) -> Path:
    return folder / f"day={np.datetime64(day, 'D')}" / f"{receipt_id}.parquet"


def write(folder: Path, rows: pd.DataFrame, receipt_id: str) -> list[Path]:
    """Writes the fixes of one receipt, each file appearing whole. Gives the files."""
    table = TABLE.to_arrow(rows)
    order = order_of(table)
    time = np.asarray(table["time"].cast(pa.int64()), dtype=np.int64)[order]
    days = (time + SHANGHAI_MS) // DAY_MS
    by_day = np.argsort(days, kind="stable")
    order, days = order[by_day], days[by_day]
    starts = np.flatnonzero(np.diff(days, prepend=days[0] - 1)) if len(days) else np.array([], dtype=int)
    written = []
    for start, stop in zip(starts, [*starts[1:], len(days)], strict=True):
        path = file_of(folder, int(days[start]), receipt_id)
        _write(path, (table.take(pa.array(order[start:stop])),))
        written.append(path)
    return written


def write_spooled(folder: Path, fixes: Fixes, receipt_id: str) -> list[Path]:
    """As `write`, of fixes that lie by day, each day sorted: a row group at a time is in memory."""
    from geo_monitor.ingest.spool import decoded

    def told(batch: pa.RecordBatch) -> pa.Table:
        names = pa.array([receipt_id], pa.string()).take(pa.array(np.zeros(len(batch), dtype=np.int8)))
        return pa.Table.from_batches([decoded(batch)]).append_column("receipt_id", names).select(TABLE.names)

    written = []
    for day in fixes.days():
        path = file_of(folder, day, receipt_id)
        _write(path, map(told, fixes.of(day)))
        written.append(path)
    return written


def _write(path: Path, tables: Iterable[pa.Table]) -> None:
    """A file of a day, of tables of its rows in order (columns of table `positions`)."""
    import pyarrow.parquet as pq

    schema = stored_schema({})
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(temporary, schema, compression="zstd", use_dictionary=list(WORDS)) as writer,
    ):
        held = TABLE.arrow.empty_table()
        for table in tables:
            held = pa.concat_tables([held, table])
            while len(held) >= ROW_GROUP:
                writer.write_table(with_points(held.slice(0, ROW_GROUP)).cast(schema), ROW_GROUP)
                held = held.slice(ROW_GROUP)
        if len(held):
            writer.write_table(with_points(held).cast(schema), ROW_GROUP)


def with_points(table: pa.Table) -> pa.Table:
    """Columns of table `positions` as a file has them: lon and lat as points, last."""
    table = table.combine_chunks()
    x, y = table["lon"].combine_chunks(), table["lat"].combine_chunks()
    point = pa.StructArray.from_arrays([x, y], fields=list(POINT))
    table = table.drop_columns(["lon", "lat"]).append_column(pa.field("geometry", POINT, nullable=False), point)
    return table.replace_schema_metadata({"geo": json.dumps(GEO)})


def stored_schema(metadata: Mapping[bytes, bytes]) -> pa.Schema:
    """The schema of a file, `metadata` added to its own."""
    schema = with_points(TABLE.arrow.empty_table()).schema
    return schema.with_metadata({**(schema.metadata or {}), **metadata})


def order_of(table: pa.Table) -> np.ndarray:
    """Row numbers that sort a table by unit_id, then time (both without nulls)."""
    time = np.asarray(table["time"].cast(pa.int64()), dtype=np.int64)
    column = table["unit_id"]
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    encoded = encoded.unify_dictionaries().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], pa.dictionary(pa.int32(), pa.string()))
    # Arrow compares UTF-8 bytes; numpy ranks the few distinct ids the same way
    values = np.array([str(value).encode() for value in encoded.dictionary.to_pylist()], dtype=object)
    rank = np.empty(len(values), dtype=np.int64)
    rank[np.argsort(values, kind="stable")] = np.arange(len(values))
    unit = rank[np.asarray(encoded.indices, dtype=np.int64)]
    # mostly long sorted runs: a stable sort by unit alone is quick, and often enough
    order = np.argsort(unit, kind="stable")
    unit, time = unit[order], time[order]
    if not bool(np.all((np.diff(unit) > 0) | (np.diff(time) >= 0))):
        order = order[np.lexsort([time, unit])]
    return order


@dataclass(frozen=True)
class Told:
    """What a file says of the fixes of one receipt: rows, first and last moment (ms UTC; None without any), and, in a file
    of many receipts, the hash of the rows (`compact.Prints`)."""

    rows: int
    first: int | None
    last: int | None
    sha256: str | None = None


@dataclass(frozen=True, order=True)
class Part:
    """What `receipts` (by name) brought on one Shanghai day, in one file. mixed: the file holds other receipts too."""

    path: Path
    receipts: tuple[str, ...]
    mixed: bool = False

    @cached_property
    def day(self) -> int:
        """Days since 1970-01-01."""
        return number(self.path.parent)


@lru_cache(maxsize=100_000)  # a file never changes once it is there
def told(path: Path) -> Mapping[str, Told]:
    """What a file says of the receipts in it, without its rows being read.

    Raises `pyarrow.ArrowInvalid` or `OSError` (`FileNotFoundError`) where it cannot be read, `ValueError` where it says
    nothing.
    """
    import pyarrow.parquet as pq

    meta = pq.read_metadata(path)
    if path.name.startswith(COMPACT):
        try:
            held = json.loads((meta.metadata or {}).get(TOLD, b""))
            return {name: Told(**one) for name, one in held.items()}
        except (AttributeError, TypeError, RecursionError) as error:
            raise ValueError(path.name) from error
    at = meta.schema.names.index("time")
    groups = [meta.row_group(number).column(at).statistics for number in range(meta.num_row_groups)]
    spans = [(_ms(group.min), _ms(group.max)) for group in groups if group is not None and group.has_min_max]
    first, last = min((low for low, _ in spans), default=None), max((high for _, high in spans), default=None)
    return {path.stem: Told(meta.num_rows, first, last)}


def _ms(value: Any) -> int:
    return int(np.datetime64(value.replace(tzinfo=None), "ms").astype("int64"))


def days(folder: Path) -> list[Path]:
    """The folders of the days there are, oldest first. What somebody else put there is none."""
    return sorted(path for path in folder.glob("day=*") if DAY.fullmatch(path.name) and path.is_dir())


def number(folder: Path) -> int:
    """The day of a folder of positions, days since 1970."""
    return int(np.datetime64(folder.name.removeprefix("day="), "D").astype(np.int64))


def parts(folder: Path, receipts: Iterable[str] | None, start_ms: int | None, end_ms: int | None) -> list[Part]:
    """What `receipts` (None: all) may have brought in [start_ms, end_ms), oldest day first. Raises as
    `of_day`."""
    wanted = None if receipts is None else frozenset(receipts)
    first = None if start_ms is None else str(np.datetime64(day_of(start_ms), "D"))
    last = None if end_ms is None else str(np.datetime64(day_of(end_ms - 1), "D"))
    found = []
    for day in days(folder):
        name = day.name.removeprefix("day=")
        if (first is None or name >= first) and (last is None or name <= last):
            found += of_day(day, wanted)
    return found


def of_day(day: Path, receipts: Collection[str] | None, unreadable: dict[Path, Exception] | None = None) -> list[Part]:
    """The same of one day's folder, by name of file; each receipt from one file, though several may hold it.

    unreadable: files of many receipts that cannot be read are put there, with why. Without it raises
    `Refused("positions_unreadable")`.
    """
    names = listed(day)
    held: list[tuple[Path, Iterable[str]]] = []
    for name in names:
        if name.startswith(COMPACT):
            try:
                held.append((day / name, told(day / name)))
            except FileNotFoundError:
                return of_day(day, receipts, unreadable)  # compacted anew since its name was read
            except (pa.ArrowInvalid, OSError, ValueError) as error:
                if unreadable is None:
                    raise not_readable([day / name]) from error
                unreadable[day / name] = error
    held.sort(key=lambda one: (-len(list(one[1])), one[0].name))  # what was compacted anew holds what it had held
    held += [(day / name, (name.removesuffix(".parquet"),)) for name in names if not name.startswith(COMPACT)]
    found, seen = [], set[str]()
    for path, every in held:
        own = sorted(name for name in every if name not in seen and (receipts is None or name in receipts))
        if own:
            found.append(Part(path, tuple(own), len(own) < len(list(every))))
        seen |= set(every)
    return sorted(found)


def listed(day: Path) -> list[str]:
    """The files of a day. A file appears before those in whose place it stands go; a folder that is read while both
    happen may show neither, so it is read until it says the same twice."""
    held: list[str] | None = None
    while True:
        try:
            every = os.listdir(day)
        except FileNotFoundError:
            return []
        again = sorted(name for name in every if name.endswith(".parquet") and not name.startswith(TEMPORARY))
        if again == held:
            return again
        held = again


def superseded(day: Path) -> list[Path]:
    """Files of a day in whose place another stands: what a fall in the midst of compacting it left."""
    unread: dict[Path, Exception] = {}
    used = {part.path for part in of_day(day, None, unread)}
    return [day / name for name in listed(day) if day / name not in {*used, *unread}]


def following(parts: Sequence[Part], do: Callable[[Sequence[Part]], T]) -> T:
    """What `do` gives of parts, wherever they are laid meanwhile. Raises as `where_now`."""
    while True:
        try:
            return do(parts)
        except FileNotFoundError:
            again = where_now(parts)
            if again == sorted(parts):
                raise
            parts = again


def asked(parts: Sequence[Part], do: Callable[[Sequence[Part]], T]) -> T:
    """The same for whoever asks what there is. Raises `Refused("positions_unreadable")` where a file is not what was written,
    and as `where_now`."""
    try:
        return following(parts, do)
    except FileNotFoundError:  # let go meanwhile, mostly: `Store.keeping_up`
        raise
    except (pa.ArrowInvalid, OSError) as error:
        named = [part.path for part in parts if not _opens(part.path)] or [part.path for part in parts]
        raise not_readable(named) from error


def not_readable(paths: Sequence[Path]) -> Refused:
    """What to raise where these files cannot be read, or are gone."""
    files = [f"{path.parent.name}/{path.name}" for path in paths[:NAMED]] + ["…"] * (len(paths) > NAMED)
    return Refused("positions_unreadable", files=files)


def _opens(path: Path) -> bool:
    try:
        told(path)
    except (pa.ArrowInvalid, OSError, ValueError):
        return False
    return True


def where_now(parts: Sequence[Part]) -> list[Part]:
    """Parts as they lie now, by day and name of file. Raises `FileNotFoundError` where one lies nowhere."""
    found, gone = [], dict[Path, list[str]]()
    for part in parts:
        if part.path.exists():
            found.append(part)
        else:
            gone.setdefault(part.path.parent, []).extend(part.receipts)
    for day, receipts in gone.items():
        again = of_day(day, frozenset(receipts))
        if sum(len(part.receipts) for part in again) < len(receipts):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(day))
        found += again
    return sorted(found)


def newest(folder: Path, receipts: Iterable[str] | None) -> int | None:
    """The time of the latest fix of `receipts` (None: of all files), ms UTC, from the files' own statistics; None without
    any. A file that cannot be read is passed over here: `verify` tells which it is."""
    wanted = None if receipts is None else frozenset(receipts)
    for day in reversed(days(folder)):
        found: list[int] = []
        for part in of_day(day, wanted, {}):
            try:
                found += [one.last for _, _, one in following([part], said) if one.last is not None]
            except (pa.ArrowInvalid, OSError):
                continue
        if found:
            return max(found)
    return None


def said(parts: Sequence[Part]) -> list[tuple[int, str, Told]]:
    """Of each part and receipt the day, the receipt, and what the file says of it. Raises as `told`."""
    heads = [(part, told(part.path)) for part in parts]
    return [(part.day, name, head[name]) for part, head in heads for name in part.receipts]


def read(
    parts: Sequence[Part],
    columns: Sequence[str],
    start_ms: int | None = None,
    end_ms: int | None = None,
    units: Sequence[str] | None = None,
    encoded: bool = False,
    beside: pa.Table | None = None,
    box: Box | None = None,
) -> pa.Table:
    """The asked-for columns of table `positions`, sorted by unit_id and time.

    `encoded` leaves words (unit_id, role ...) as Arrow dictionaries: a tenth of the memory. beside: rows of `positions`
    that lie in no file, of the time asked for. box: west, south, east, north in degrees, edges included. Row groups that
    by their statistics hold nothing of these times, units and places are not read. Raises as `asked`.
    """
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    types = {column.name: column.type for column in TABLE.columns}
    wanted = list(dict.fromkeys([*columns, "unit_id", "time"]))
    schema = encoded_schema(wanted)
    where: Any = None
    for condition in (
        None if start_ms is None else ds.field("time") >= pa.scalar(start_ms, pa.int64()).cast(tables.TIME),
        None if end_ms is None else ds.field("time") < pa.scalar(end_ms, pa.int64()).cast(tables.TIME),
        None if units is None else _among("unit_id", units),
        None if box is None else _within(box, _expression("lon"), _expression("lat")),
    ):
        if condition is not None:
            where = condition if where is None else where & condition
    # statistics of a column that is read as a dictionary are not looked at (pyarrow 26)
    words = set(WORDS) if units is None else set(WORDS) - {"unit_id"}
    table = asked(parts, lambda parts: _rows(parts, schema, where, words))
    if beside is not None and len(beside):
        if units is not None:
            beside = beside.filter(pc.is_in(beside["unit_id"], value_set=pa.array(sorted(units), pa.string())))
        if box is not None:
            beside = beside.filter(_within(box, pc.field("lon"), pc.field("lat")))
        table = pa.concat_tables([table, beside.select(wanted).cast(schema)]).unify_dictionaries()
    order = order_of(table)
    if not bool(np.all(order == np.arange(len(order)))):
        table = table.unify_dictionaries().take(pa.array(order))
    table = table.select(list(columns))
    if encoded:
        return table.unify_dictionaries()
    return table.cast(pa.schema([pa.field(name, types[name]) for name in columns]))


def _rows(parts: Sequence[Part], schema: pa.Schema, where: Any, words: set[str]) -> pa.Table:
    """The rows of parts, columns as in `schema`, for which the expression `where` (None: all) holds; `words` are read as
    dictionaries."""
    import pyarrow.dataset as ds

    columns = {name: _expression(name) for name in schema.names}
    whole = [part.path for part in parts if not part.mixed]
    asked = [(whole, where)] if whole else []
    for part in parts:
        if part.mixed:
            own = _among("receipt_id", part.receipts)
            asked.append(([part.path], own if where is None else where & own))
    tables = [schema.empty_table()]
    for paths, condition in asked:
        dataset = ds.dataset([str(path) for path in paths], format=ds.ParquetFileFormat(dictionary_columns=words))
        tables.append(dataset.to_table(columns=columns, filter=condition).cast(schema))
    return pa.concat_tables(tables)


def _among(name: str, values: Iterable[str]) -> Any:
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    return pc.is_in(ds.field(name), value_set=pa.array(sorted(values), pa.string()))


def _within(box: Box, lon: Any, lat: Any) -> Any:
    west, south, east, north = box
    return (lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)


def batches(path: Path, receipts: Collection[str] | None = None) -> Iterator[pa.Table]:
    """The rows of a file in their order, about a row group at a time, of `receipts` (None: all); columns of table
    `positions`, words encoded."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    schema = encoded_schema(TABLE.names)
    with pq.ParquetFile(path, read_dictionary=list(WORDS)) as file:
        for batch in file.iter_batches(ROW_GROUP):
            table = pa.Table.from_batches([batch])
            if receipts is not None:
                table = table.filter(pc.is_in(table["receipt_id"], value_set=pa.array(sorted(receipts), pa.string())))
            x, y = (pc.struct_field(table["geometry"], name) for name in ("x", "y"))
            places = {"lon": x, "lat": y}
            columns = [places[name] if name in places else table[name] for name in schema.names]
            yield pa.table(columns, names=schema.names).cast(schema)


def encoded_schema(names: Iterable[str]) -> pa.Schema:
    """The schema of columns of table `positions`, words as Arrow dictionaries."""
    types = {column.name: column.type for column in TABLE.columns}
    word = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([pa.field(name, word if name in WORDS else types[name]) for name in names])


def last(table: pa.Table) -> pa.Table:
    """Of a table as `read` gives it, words encoded, the last row of each unit, words as plain text.

    >>> rows = {"unit_id": pa.array(["a", "a", "b"]).dictionary_encode(), "lon": [1.0, 2.0, 3.0]}
    >>> last(pa.table(rows))["lon"].to_pylist()
    [2.0, 3.0]
    """
    plain = pa.schema([(f.name, pa.string() if pa.types.is_dictionary(f.type) else f.type) for f in table.schema])
    if not len(table):
        return table.cast(plain)
    unit = np.asarray(table.unify_dictionaries().combine_chunks()["unit_id"].chunk(0).indices)
    return table.take(pa.array(np.flatnonzero(np.r_[unit[1:] != unit[:-1], True]))).cast(plain)


def _expression(name: str) -> Any:
    import pyarrow.dataset as ds

    return {"lon": ds.field("geometry", "x"), "lat": ds.field("geometry", "y")}.get(name, ds.field(name))
