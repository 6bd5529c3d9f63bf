"""GeoParquet 1.1 out of Arrow tables whose column `geometry` holds WKB, WGS84."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa


@cache
def crs() -> dict[str, Any]:
    """EPSG:4326 as PROJJSON, as the format's metadata want it."""
    import pyproj

    return dict(pyproj.CRS.from_epsg(4326).to_json_dict())


def metadata(table: pa.Table) -> dict[str, str]:
    """The `geo` entry of a table's file metadata; empty where it has no column `geometry`."""
    if "geometry" not in table.column_names:
        return {}
    import numpy as np
    import shapely

    shapes = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
    kinds = sorted({shape.geom_type for shape in shapes if shape is not None})
    column: dict[str, Any] = {"encoding": "WKB", "crs": crs(), "geometry_types": kinds}
    if kinds:
        bounds = shapely.total_bounds(shapes)
        if bool(np.all(np.isfinite(bounds))):
            column["bbox"] = [float(value) for value in bounds]
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    return {"geo": json.dumps(geo)}


def write(table: pa.Table, path: Path, notes: dict[str, str] | None = None) -> None:
    """Writes `table` (plain Parquet where it has no geometry); `notes` go into the file's metadata.

    The same table gives the same bytes.
    """
    import pyarrow.parquet as pq

    table = table.replace_schema_metadata({**metadata(table), **(notes or {})})
    pq.write_table(table, path, compression="zstd")
