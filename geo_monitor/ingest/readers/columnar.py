"""Parquet, GeoParquet and FlatGeobuf: typed columns, shapes as WKB."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from geo_monitor.errors import Refused
from geo_monitor.ingest.raw import Raw, numbered


def parquet(path: Path, name: str) -> Raw:
    """A Parquet file; the `geo` metadata of GeoParquet name shapes and reference system. Raises `Refused`."""
    import pyarrow.parquet as pq
    import shapely

    try:
        table = _readable(pq.ParquetFile(path).read())
    except MemoryError:
        raise  # one of Arrow's own is an ArrowException too
    except (pa.ArrowException, OSError) as error:
        raise Refused("parquet_broken", file=name, detail=str(error)[:80]) from None
    if not len(table):
        raise Refused("file_no_rows", file=name)
    raw = Raw(table, numbered(len(table)), name=name)
    metadata = table.schema.metadata or {}
    if b"geo" not in metadata:
        raw.cells = table.replace_schema_metadata(None)
        return raw
    try:
        geo = json.loads(metadata[b"geo"])
        column = geo["primary_column"]
        told = geo["columns"][column]
        shapes = _shapes(table[column])
    except (ValueError, KeyError, TypeError, shapely.errors.GEOSException) as error:
        raise Refused("parquet_broken", file=name, detail=str(error)[:80]) from None
    raw.shapes = shapes
    raw.crs, raw.standard = _system(told)
    spare = [label for label in table.column_names if label == column or pa.types.is_struct(table[label].type)]
    raw.cells = table.drop_columns(spare).replace_schema_metadata(None)
    return raw


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


def _shapes(wkb: pa.ChunkedArray) -> Any:
    """Shapes (n,) of a column of WKB; None where it can't be read."""
    import shapely

    return shapely.from_wkb(np.array(wkb.to_pylist(), dtype=object), on_invalid="ignore")


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
        shapes = _shapes(table[column])
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, pa.ArrowException, ValueError, OSError,
            LookupError, shapely.errors.GEOSException) as error:  # fmt: skip
        if isinstance(error, MemoryError):
            raise
        raise Refused("parquet_broken", file=name, detail=str(error)[:80]) from None
    raw = Raw(table.drop_columns([column]).replace_schema_metadata(None), numbered(len(table)), name=name)
    raw.shapes, raw.crs, raw.expected = shapely.force_2d(shapes), meta["crs"], True
    if not len(table):
        raise Refused("file_no_rows", file=name)
    return raw
