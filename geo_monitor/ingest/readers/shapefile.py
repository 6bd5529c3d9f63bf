"""Shapefiles: shapes by GDAL's shapefile driver, attributes by our own table reader, both counted against each other."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np

from geo_monitor.errors import Refused
from geo_monitor.ingest import text
from geo_monitor.ingest.raw import Raw
from geo_monitor.ingest.readers import dbf, wkb
from geo_monitor.settings import Settings


def read(parts: dict[str, Path], encoding: str | None, settings: Settings, name: str, scratch: Path) -> Raw:
    """A shapefile. parts: ending (".shp", ".dbf" ...) -> path; scratch: an empty folder to work in.

    Raises `Refused`: `shp_broken`, `shp_truncated`, `dbf_missing`, `dbf_broken`, `dbf_rows_differ`, `choice_needed`.
    """
    if ".dbf" not in parts:
        raise Refused("dbf_missing", file=name)
    count = _records(parts[".shp"], name)
    table = dbf.read(parts[".dbf"], name)
    if not (len(table.cells) == table.declared == count):
        raise Refused("dbf_rows_differ", file=name, shapes=count, records=min(len(table.cells), table.declared))
    used = _encoding(table, parts, encoding, settings, name)
    blobs = _blobs(parts, count, scratch, name)
    live = ~table.deleted
    import pyarrow as pa

    raw = Raw(table.table(used.used).filter(pa.array(live)), np.arange(1, int(live.sum()) + 1, dtype=np.int64))
    wkb.warn(raw, wkb.take(raw, blobs[live]))
    raw.name, raw.expected = name, True
    if ".prj" in parts:
        raw.crs = text.decode(parts[".prj"].read_bytes(), "utf-8").lstrip("\ufeff").strip() or None
    raw.read_as(used)
    if ".shx" not in parts:
        raw.warn("shx_rebuilt")
    if not raw.read:
        raise Refused("file_no_rows", file=name)
    return raw


def _records(path: Path, name: str) -> int:
    """How many records the `.shp` holds, counted by walking through it.

    Raises `Refused("shp_truncated")` where it ends inside a record, `Refused("shp_broken")`.
    """
    size = path.stat().st_size
    if size < 100:
        raise Refused("shp_broken", file=name)
    with path.open("rb") as file:
        head = file.read(100)
        declared = struct.unpack(">i", head[24:28])[0] * 2
        count, position = 0, 100
        while position + 8 <= size:
            file.seek(position)
            length = struct.unpack(">ii", file.read(8))[1] * 2
            if length < 2:
                raise Refused("shp_broken", file=name)
            position += 8 + length
            if position > size:
                raise Refused("shp_truncated", file=name, whole=count)
            count += 1
    if declared > size or position != size:
        raise Refused("shp_truncated", file=name, whole=count)
    return count


def _encoding(
    table: dbf.Dbf, parts: dict[str, Path], encoding: str | None, settings: Settings, name: str
) -> text.Encoding:
    if encoding:
        return text.given(encoding)
    declared = None
    if ".cpg" in parts:
        declared = parts[".cpg"].read_text(encoding="ascii", errors="replace").strip().lstrip("\ufeff") or None
    return text.detect(table.pieces(), declared or dbf.LANGUAGES.get(table.language), settings.encoding_sure, name)


def _blobs(parts: dict[str, Path], count: int, scratch: Path, name: str) -> Any:
    """The shapes (count,) as WKB in file order; None for null shapes."""
    import pyogrio

    target = scratch / "layer.shp"
    shutil.copyfile(parts[".shp"], target)
    if ".shx" in parts:
        shutil.copyfile(parts[".shx"], scratch / "layer.shx")
    options: dict[str, Any] = {"SHAPE_RESTORE_SHX": True, "SHAPE_ENCODING": ""}
    pyogrio.set_gdal_config_options(options)
    try:
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # shapes are checked one by one below
            found = pyogrio.raw.read(target, columns=[], force_2d=True)[2]
    except (pyogrio.errors.DataSourceError, pyogrio.errors.DataLayerError, ValueError) as error:
        raise Refused("shp_broken", file=name) from error
    finally:  # they hold for the whole process: left on, GDAL no longer opens zipped shapefiles, ours or the user's
        pyogrio.set_gdal_config_options(dict.fromkeys(options))
    if found is None or len(found) != count:
        raise Refused("shp_truncated", file=name, whole=0 if found is None else len(found))
    return found
