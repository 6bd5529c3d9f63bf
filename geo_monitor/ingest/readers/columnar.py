"""Parquet, GeoParquet and FlatGeobuf: typed columns, shapes as WKB."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from geo_monitor.errors import Refused
from geo_monitor.ingest import raw
from geo_monitor.ingest.raw import Parts, Raw, numbered
from geo_monitor.ingest.readers import wkb


def parquet(path: Path, name: str) -> Raw:
    """A Parquet file as a whole; raises as `parts`."""
    return parts(path, name).whole()


def parts(path: Path, name: str) -> Parts:
    """A Parquet file part by part; the `geo` metadata of GeoParquet name shapes and reference system. Raises `Refused`,
    here or while its parts are read."""
    return _Parquet(path, name)


class _Parquet(Parts):
    def __init__(self, path: Path, name: str) -> None:
        self._path, self._shapes = path, ""
        with self._opened(name) as file:
            schema, rows = file.schema_arrow, file.metadata.num_rows
        if not rows:
            raise Refused("file_no_rows", file=name)
        head = Raw(schema.empty_table(), numbered(0), name=name)
        metadata = schema.metadata or {}
        if b"geo" in metadata:
            try:
                geo = json.loads(metadata[b"geo"])
                self._shapes = geo["primary_column"]
                head.crs, head.standard = _system(geo["columns"][self._shapes])
                schema.field(self._shapes)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise Refused("parquet_broken", file=name, detail=str(error)[:80]) from None
            head.shapes = np.zeros(0, dtype=object)
        head.cells = self._cells(head.cells)
        super().__init__(head)

    def parts(self) -> Iterator[Raw]:
        import shapely

        first, name, closed = 1, self.head.name, list[int]()
        with self._opened(name) as file:
            for batch in file.iter_batches(raw.PART_ROWS):
                table = _readable(pa.Table.from_batches([batch]))
                numbers = np.arange(first, first + len(table))
                first += len(table)
                part = replace(self.head, cells=self._cells(table), row=numbers)
                if self._shapes:
                    try:
                        part.bad = []
                        closed += wkb.take(part, table[self._shapes].to_pylist())
                    except (ValueError, TypeError, shapely.errors.GEOSException) as error:
                        raise Refused("parquet_broken", file=name, detail=str(error)[:80]) from None
                yield part
        self.head.warnings = []
        wkb.warn(self.head, closed)

    def _cells(self, table: pa.Table) -> pa.Table:
        spare = [
            f.name for f in table.schema if f.name == self._shapes or (self._shapes and pa.types.is_struct(f.type))
        ]
        return table.drop_columns(spare).replace_schema_metadata(None)

    @contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        """The file, read as far as is asked for: a row group may be as large as the file."""
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self._path, pre_buffer=False, buffer_size=1 << 20) as file:
                yield file
        except MemoryError:
            raise  # one of Arrow's own is an ArrowException too
        except (pa.ArrowException, OSError) as error:
            raise Refused("parquet_broken", file=name, detail=str(error)[:80]) from None


def _readable(table: pa.Table) -> pa.Table:
    """The table with a mark in place of bytes that are no UTF-8: files don't always keep what their format promises."""
    try:
        table.validate(full=True)
        return table
    except pa.ArrowInvalid:
        for at, field in enumerate(table.schema):
            if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
                cells = table.column(at).cast(pa.large_binary()).to_pylist()
                plain = [None if cell is None else cell.decode("utf-8", errors="replace") for cell in cells]
                table = table.set_column(at, field.name, pa.array(plain, pa.string()))
        table.validate(full=True)  # what is left is broken
        return table


def _system(told: dict[str, Any]) -> tuple[str | None, bool]:
    """(system as text, whether the standard alone says so): a column without `crs` is OGC:CRS84."""
    if "crs" not in told:
        return None, True
    crs = told["crs"]
    if crs is None:
        return None, False
    number = (crs.get("id") or {}) if isinstance(crs, dict) else {}
    if number.get("authority") == "OGC":
        return None, True
    if number.get("authority") == "EPSG":
        return f"EPSG:{number.get('code')}", False
    return (json.dumps(crs) if isinstance(crs, dict) else str(crs)), False


def flatgeobuf(path: Path, name: str, scratch: Path) -> Raw:
    """A FlatGeobuf file (its first bytes were checked, so no other GDAL driver is asked). Raises `Refused`."""
    import pyogrio
    import shapely

    target = scratch / "layer.fgb"
    shutil.copyfile(path, target)
    try:
        info = pyogrio.read_info(target)
        if info["driver"] != "FlatGeobuf":
            raise Refused("file_wrong_content", file=name, found=info["driver"])
        meta, table = pyogrio.raw.read_arrow(target)
        table = _readable(table)
        column = meta["geometry_name"] or "wkb_geometry"
        raw = Raw(table.drop_columns([column]).replace_schema_metadata(None), numbered(len(table)), name=name)
        wkb.warn(raw, wkb.take(raw, table[column].to_pylist()))
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pa.ArrowException, ValueError, OSError,
            LookupError, shapely.errors.GEOSException) as error:  # fmt: skip
        if isinstance(error, MemoryError):
            raise
        raise Refused("parquet_broken", file=name, detail=str(error)[:80]) from None
    raw.shapes, raw.crs, raw.expected = shapely.force_2d(raw.shapes), meta["crs"], True
    if not len(table):
        raise Refused("file_no_rows", file=name)
    return raw
