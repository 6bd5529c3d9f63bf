"""Fixes as GeoParquet, one file a receipt and Shanghai day: positions/day=YYYY-MM-DD/<receipt_id>.parquet.

A file holds the columns of table `positions` with lon and lat as one column `geometry` (GeoParquet 1.1, encoding
"point"), sorted by unit_id and time, in row groups of 131,072 rows, so that a reader skips what it does not ask for.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geo_monitor import tables
from geo_monitor.store.files import replacing

if TYPE_CHECKING:
    import pandas as pd

ROW_GROUP = 1 << 17
DAY_MS = 86_400_000
SHANGHAI_MS = 8 * 3_600_000  # Asia/Shanghai is UTC+8 without summer time since 1991
POINT = pa.struct([pa.field("x", pa.float64(), nullable=False), pa.field("y", pa.float64(), nullable=False)])
WORDS = ("unit_id", "patrol_id", "platform", "role", "source", "receipt_id")  # few values, many rows
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
    import pyarrow.parquet as pq

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
        with replacing(path) as temporary:
            part = _with_points(table.take(pa.array(order[start:stop])))
            pq.write_table(part, temporary, row_group_size=ROW_GROUP, compression="zstd", use_dictionary=list(WORDS))
        written.append(path)
    return written


def _with_points(table: pa.Table) -> pa.Table:
    x, y = table["lon"].combine_chunks(), table["lat"].combine_chunks()
    point = pa.StructArray.from_arrays([x, y], fields=list(POINT))
    table = table.drop_columns(["lon", "lat"]).append_column(pa.field("geometry", POINT, nullable=False), point)
    return table.replace_schema_metadata({"geo": json.dumps(GEO)})


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


def files(folder: Path, receipts: Iterable[str], start_ms: int | None, end_ms: int | None) -> list[Path]:
    """The files of `receipts` that may hold fixes in [start_ms, end_ms), oldest day first."""
    wanted = set(receipts)
    first = None if start_ms is None else str(np.datetime64(day_of(start_ms), "D"))
    last = None if end_ms is None else str(np.datetime64(day_of(end_ms - 1), "D"))
    found = []
    for day in sorted(folder.glob("day=*")):
        name = day.name.removeprefix("day=")
        if (first is None or name >= first) and (last is None or name <= last):
            found += sorted(path for path in day.glob("*.parquet") if path.stem in wanted)
    return found


def newest(folder: Path, receipts: Iterable[str] | None) -> int | None:
    """The time of the latest fix of `receipts` (None: of all files), ms UTC, from the files' own statistics; None without
    any. A file that cannot be read is passed over here: `verify` tells which it is."""
    import pyarrow.parquet as pq

    wanted = None if receipts is None else set(receipts)
    for day in sorted(folder.glob("day=*"), reverse=True):
        found = []
        for path in day.glob("*.parquet"):
            if wanted is not None and path.stem not in wanted:
                continue
            try:
                held = pq.read_metadata(path)
            except (pa.ArrowInvalid, OSError):
                continue
            at = held.schema.names.index("time")
            groups = [held.row_group(i).column(at).statistics for i in range(held.num_row_groups)]
            found += [
                int(np.datetime64(group.max.replace(tzinfo=None), "ms").astype("int64"))
                for group in groups
                if group is not None and group.has_min_max
            ]
        if found:
            return max(found)
    return None


def read(
    paths: Sequence[Path],
    columns: Sequence[str],
    start_ms: int | None = None,
    end_ms: int | None = None,
    units: Sequence[str] | None = None,
    encoded: bool = False,
    beside: pa.Table | None = None,
) -> pa.Table:
    """The asked-for columns of table `positions`, sorted by unit_id and time.

    `encoded` leaves words (unit_id, role ...) as Arrow dictionaries: a tenth of the memory. beside: rows of `positions`
    that lie in no file; only their units are chosen by `units` here.
    """
    import pyarrow.compute as pc
    import pyarrow.dataset as ds

    types = {column.name: column.type for column in TABLE.columns}
    wanted = list(dict.fromkeys([*columns, "unit_id", "time"]))
    schema = pa.schema(
        [pa.field(name, pa.dictionary(pa.int32(), pa.string()) if name in WORDS else types[name]) for name in wanted]
    )
    if not paths:
        table = schema.empty_table()
    else:
        where: Any = None
        for condition in (
            None if start_ms is None else ds.field("time") >= pa.scalar(start_ms, pa.int64()).cast(tables.TIME),
            None if end_ms is None else ds.field("time") < pa.scalar(end_ms, pa.int64()).cast(tables.TIME),
            None if units is None else pc.is_in(ds.field("unit_id"), value_set=pa.array(sorted(units), pa.string())),
        ):
            if condition is not None:
                where = condition if where is None else where & condition
        parquet = ds.ParquetFileFormat(dictionary_columns=set(WORDS))
        dataset = ds.dataset([str(path) for path in paths], format=parquet)
        columns_of = {name: _expression(name) for name in wanted}
        table = dataset.to_table(columns=columns_of, filter=where).cast(schema)
    if beside is not None and len(beside):
        if units is not None:
            beside = beside.filter(pc.is_in(beside["unit_id"], value_set=pa.array(sorted(units), pa.string())))
        table = pa.concat_tables([table, beside.select(wanted).cast(schema)]).unify_dictionaries()
    order = order_of(table)
    if not bool(np.all(order == np.arange(len(order)))):
        table = table.unify_dictionaries().take(pa.array(order))
    table = table.select(list(columns))
    if encoded:
        return table.unify_dictionaries()
    return table.cast(pa.schema([pa.field(name, types[name]) for name in columns]))


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
