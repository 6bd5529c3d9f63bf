"""GeoPackage, read as the SQLite file it is: read-only, tables only. Views and triggers of the file are never run."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pyarrow as pa

from geo_monitor.errors import Refused
from geo_monitor.ingest.raw import Raw, numbered, together
from geo_monitor.ingest.readers import wkb
from geo_monitor.settings import Settings

CELL_BYTES = 200_000_000  # a longer cell is none: a generated column can claim any length
_ENVELOPES = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}  # bytes of the envelope in a GeoPackage blob header, by its code


def read(path: Path, settings: Settings, name: str, log: Path | None, scratch: Path) -> Raw:
    """All feature tables of a GeoPackage; log: its write-ahead log, where one was sent with it; scratch: an empty folder.

    Raises `Refused`: `gpkg_broken`, `gpkg_no_layers`, `file_too_slow`.
    """
    how = "mode=ro&immutable=1"
    if log is not None:  # SQLite takes it in where it lies beside, and where it may write there
        shutil.copyfile(path, scratch / "part.gpkg")
        shutil.copyfile(log, scratch / "part.gpkg-wal")
        path, how = scratch / "part.gpkg", "mode=rw"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?{how}", uri=True)) as base:
            base.execute("PRAGMA trusted_schema = OFF")
            base.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, CELL_BYTES)
            base.text_factory = lambda text: text.decode("utf-8", errors="replace")
            base.set_progress_handler(_deadline(settings.upload_seconds), 100_000)
            return _layers(base, name)
    except sqlite3.OperationalError as error:
        if "interrupted" in str(error):
            raise Refused("file_too_slow", file=name, seconds=f"{settings.upload_seconds:g}") from None
        raise Refused("gpkg_broken", file=name, detail=str(error)[:80]) from None
    except (
        sqlite3.Error,
        ValueError,
        OverflowError,
    ) as error:  # names in the schema that are no text, numbers that are none
        raise Refused("gpkg_broken", file=name, detail=str(error)[:80]) from None


def _deadline(seconds: float) -> Callable[[], int]:
    end = time.monotonic() + seconds
    return lambda: int(time.monotonic() > end)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _layers(base: sqlite3.Connection, name: str) -> Raw:
    master = dict(base.execute("SELECT name, type FROM sqlite_master WHERE type IN ('table', 'view')").fetchall())
    triggers = [row[0] for row in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
    if "gpkg_geometry_columns" not in master:
        raise Refused("gpkg_no_layers", file=name)
    layers = base.execute(
        "SELECT g.table_name, g.column_name, s.organization, s.organization_coordsys_id, s.definition, s.srs_id "
        "FROM gpkg_geometry_columns g LEFT JOIN gpkg_spatial_ref_sys s ON g.srs_id = s.srs_id"
    ).fetchall()
    views = [layer[0] for layer in layers if master.get(layer[0]) == "view"]
    parts = [_layer(base, *layer) for layer in layers if master.get(layer[0]) == "table"]
    parts = [part for part in parts if part.read]
    if not parts:
        raise Refused("gpkg_no_layers", file=name)
    raw = together(parts)
    if len(parts) > 1:
        raw.warn("several_layers", None, layers=[part.name for part in parts])
    if views:
        raw.warn("gpkg_views_skipped", None, views=views)
    own = [trigger for trigger in triggers if not trigger.startswith(("rtree_", "trigger_insert_feature_count_",
           "trigger_delete_feature_count_", "gpkg_", "fid_", "trigger_"))]  # fmt: skip
    if own:
        raw.warn("gpkg_triggers", None, triggers=own)
    return raw


def _layer(base: sqlite3.Connection, table: str, column: str, organization: Any, code: Any, wkt: Any, srs: Any) -> Raw:
    columns = [(row[1], row[2].upper(), row[5]) for row in base.execute(f"PRAGMA table_info({_quoted(table)})")]
    names = [label for label, _, _ in columns if label != column]
    selected = ", ".join(_quoted(label) for label in [column, *names])
    rows = base.execute(f"SELECT {selected} FROM {_quoted(table)}").fetchall()  # noqa: S608  names are quoted
    # a row number nobody gave is no id: GeoPackage makes one for every table
    keys = {label for label, _, key in columns if key and label.lower() in ("fid", "ogc_fid", "objectid", "rowid")}
    cells = {
        label: pa.array([_text(row[i + 1]) for row in rows], pa.string())
        for i, label in enumerate(names)
        if label not in keys
    }
    raw = Raw(pa.table(cells), numbered(len(rows)), name=table, expected=True)
    if organization and str(organization).upper() == "EPSG" and code:
        raw.crs = f"EPSG:{int(code)}"
    elif isinstance(wkt, str) and wkt.strip().lower() not in ("", "undefined") and srs not in (0, -1):
        raw.crs = wkt
    if not cells:
        raw.cells = pa.table({"fid": pa.array([str(i + 1) for i in range(len(rows))])})
    wkb.warn(raw, wkb.take(raw, [_wkb(row[0]) for row in rows]))
    return raw


def _wkb(blob: Any) -> bytes | None:
    """The WKB in a GeoPackage blob, behind its header (8 bytes) and envelope."""
    if not isinstance(blob, bytes) or len(blob) < 13 or blob[:2] != b"GP":
        return None
    return blob[8 + _ENVELOPES.get(blob[3] >> 1 & 7, 0) :]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value)
