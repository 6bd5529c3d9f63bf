"""Tables to files, by extension; an existing file is replaced in one step.

| extension | what |
|---|---|
| csv, xlsx | for people: no geometry, times ISO 8601 +08:00, lists joined by `;`, no cell that runs as a formula |
| parquet | for programs: GeoParquet where rows have a shape, types as in the contract, times UTC |
| geojson, gpkg, fgb, shp.zip | maps, WGS84: lists joined by `;`; times UTC in gpkg and fgb, ISO text in the others |
| tif | `hotspots` and `effort` as surfaces along the river; see `geo_monitor.export.surface` |

Shapes: a table's own; points of `positions`, `seizures`, `events`, `warnings`; else the line (or lake cell) of the row's reach.
Equal tables give equal bytes in csv and parquet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo_monitor import tables
from geo_monitor.errors import Usage
from geo_monitor.messages import Lang, worded
from geo_monitor.store.files import filling, replacing
from geo_monitor.times import shanghai_date

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    from geo_monitor.workspace import Workspace

FORMATS = ("csv", "xlsx", "parquet", "geojson", "gpkg", "shp.zip", "fgb", "tif")
MAPS = ("geojson", "gpkg", "shp.zip", "fgb")
POINTS = ("positions", "seizures", "events", "warnings")
SURFACE_BYTES = 1e9  # 50 million pixels of four bytes in up to three bands, and GDAL's own copy of them
CHUNK = 200_000  # rows held as a frame at a time


@dataclass(frozen=True)
class Exported:
    """What was written. notes: {"code", "params"} for `geo_monitor.messages`."""

    table: str
    file: str
    format: str
    rows: int
    notes: list[dict[str, Any]] = field(default_factory=list)


def export(
    workspace: Workspace, name: str, path: Path, run: str | None = None, all_versions: bool = False, lang: Lang = "zh"
) -> Exported:
    """Writes table `name` to `path`; reasons that nobody typed in the words of `lang` (not in parquet). Raises `Usage`: `export_format`, `export_no_shape`, `export_no_surface`,
    `xlsx_too_long`, and those of `Workspace.table`."""
    kind = format_of(path)
    notes = [{"code": "simulated_notice", "params": {}}] if workspace.simulated else []
    if name == "positions" and workspace.store.held_from is not None:
        notes.append({"code": "export_positions_from", "params": {"first": shanghai_date(workspace.store.held_from)}})
    if kind == "tif":
        from geo_monitor.export.surface import write as write_surface

        if all_versions:
            raise Usage("no_versions", table=name, tables="zones, seizures")
        with replacing(path) as temporary, filling(path.parent, SURFACE_BYTES):
            rows = write_surface(workspace, name, temporary, run)
        return Exported(name, str(path), kind, rows, notes)
    if name == "positions" and not all_versions and kind in ("csv", "parquet"):
        workspace.known(run)
        table = workspace.store.positions(encoded=True)
        with replacing(path) as temporary:
            (_positions_csv if kind == "csv" else _positions_parquet)(table, temporary, _about(workspace, name))
        return Exported(name, str(path), kind, len(table), notes)
    frame = workspace.table(name, run, all_versions)
    if "reason" in frame.columns and kind != "parquet":
        frame = frame.assign(reason=frame["reason"].map(lambda told: worded(told, lang), na_action="ignore"))
    if kind in ("csv", "xlsx"):
        with replacing(path) as temporary:
            (_csv if kind == "csv" else _xlsx)(cells(frame), temporary)
        return Exported(name, str(path), kind, len(frame), notes)
    shaped = with_shapes(workspace, name, frame, run)
    if kind == "parquet":
        _parquet(name, frame if shaped is None else shaped, path, _about(workspace, name))
        return Exported(name, str(path), kind, len(frame), notes)
    if shaped is None:
        raise Usage("export_no_shape", table=name, format=kind)
    from geo_monitor.export.maps import write as write_map

    with replacing(path) as temporary, filling(path.parent, _most(shaped)):
        notes += write_map(shaped, name, temporary, kind, _about(workspace, name))
    return Exported(name, str(path), kind, len(frame), notes)


def _most(frame: gpd.GeoDataFrame) -> float:
    """Bytes that a map format may take, with its journal or temporary copy: amply."""
    import shapely

    numbers = 2 * shapely.get_num_coordinates(frame.geometry.to_numpy()).sum()
    return 1e6 + 100.0 * float(numbers) + 10.0 * float(frame.drop(columns="geometry").memory_usage(deep=True).sum())


def format_of(path: Path) -> str:
    """The format a file name asks for. Raises `Usage("export_format")`.

    >>> format_of(Path("a/seizures.SHP.ZIP")), format_of(Path("hot.gpkg"))
    ('shp.zip', 'gpkg')
    """
    for kind in FORMATS:
        if path.name.lower().endswith(f".{kind}"):
            return kind
    raise Usage("export_format", file=path.name, formats=[*FORMATS])


def cells(frame: pd.DataFrame) -> pd.DataFrame:
    """`frame` as people read it: no geometry, times and days as text, lists joined, nothing that runs as a formula."""
    import pandas as pd

    from geo_monitor.cells import iso, joined, safe

    out: dict[str, Any] = {}
    for name in frame.columns:
        values = frame[name]
        if name == "geometry":
            continue
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            out[name] = iso(values)
        elif values.dtype == object:
            flat = values.map(
                lambda value: joined(value) if hasattr(value, "__len__") and not isinstance(value, str) else value
            )
            out[name] = flat.map(lambda value: value.isoformat() if hasattr(value, "isoformat") else safe(value))
        elif isinstance(values.dtype, pd.CategoricalDtype | pd.StringDtype):
            out[name] = values.astype(object).map(safe)
        else:
            out[name] = values
    return pd.DataFrame(out, index=frame.index)


def with_shapes(workspace: Workspace, name: str, frame: pd.DataFrame, run: str | None) -> gpd.GeoDataFrame | None:
    """`frame` with a shape a row, or None where the table has neither shapes, nor points, nor reaches."""
    import geopandas as gpd

    if "geometry" in frame:
        return frame
    if name in POINTS:
        points = gpd.points_from_xy(frame["lon"], frame["lat"]).to_numpy().copy()
        points[(frame["lon"].isna() | frame["lat"].isna()).to_numpy()] = None
        if name == "seizures":
            points = _placed_by_chainage(workspace, frame, points, run)
        return gpd.GeoDataFrame(frame, geometry=points, crs=tables.CRS)
    if "reach_id" in frame:
        reaches = workspace.table("reaches", run).set_index("reach_id")["geometry"]
        return gpd.GeoDataFrame(frame, geometry=reaches.reindex(frame["reach_id"]).to_numpy(), crs=tables.CRS)
    if "reach_ids" in frame:
        import shapely

        reaches = workspace.table("reaches", run).set_index("reach_id")["geometry"]
        together = [shapely.union_all(reaches.reindex(list(names)).to_numpy()) for names in frame["reach_ids"]]
        return gpd.GeoDataFrame(frame, geometry=together, crs=tables.CRS)
    return None


def _placed_by_chainage(
    workspace: Workspace, seizures: pd.DataFrame, points: np.ndarray, run: str | None
) -> np.ndarray:
    """Reports placed by river and km get the point on the line where the run located them."""
    import numpy as np
    import shapely

    missing = np.flatnonzero(shapely.is_missing(points))
    if not len(missing) or (run is None and not len(workspace.store.book("runs"))):
        return points
    links = workspace.table("seizure_links", run).drop_duplicates("report_id", keep=False).set_index("report_id")
    reaches = workspace.table("reaches", run).set_index("reach_id")
    at = links.reindex(seizures["report_id"].to_numpy()[missing])
    of = reaches.reindex(at["reach_id"])
    length = (of["km_to"] - of["km_from"]).to_numpy(dtype=float)
    share = (of["km_to"].to_numpy(dtype=float) - at["km"].to_numpy(dtype=float)) / np.where(length > 0, length, np.nan)
    on_line = (of["kind"] == "channel").to_numpy() & np.isfinite(share)  # lines are drawn downstream, km falls
    lines = of["geometry"].to_numpy()[on_line]
    points[missing[on_line]] = shapely.line_interpolate_point(lines, np.clip(share[on_line], 0, 1), normalized=True)
    return points


def _about(workspace: Workspace, name: str) -> dict[str, str]:
    """What a file says of itself in its metadata; nothing that differs between equal exports."""
    from geo_monitor.messages import text

    about = {"geo_monitor_table": name, "geo_monitor_description": tables.table(name).doc}
    if workspace.simulated:
        about |= {
            "simulated": "true",
            "simulated_note": f"{text('simulated_notice', 'zh')} {text('simulated_notice', 'en')}",
        }
    return about


def _csv(frame: pd.DataFrame, path: Path) -> None:
    frame.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\n")


def _xlsx(frame: pd.DataFrame, path: Path) -> None:
    """One sheet. Text stays text: nothing is guessed to be a formula or a date."""
    import pandas as pd
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    from openpyxl.styles import Font

    if len(frame) > 1_048_575:
        raise Usage("xlsx_too_long", rows=f"{len(frame):,}")
    book = Workbook(write_only=True)
    sheet = book.create_sheet("data")
    sheet.freeze_panes = "A2"

    def cell(value: Any, bold: bool = False) -> Any:
        if value is None or (not isinstance(value, str) and pd.isna(value)):
            return None
        if isinstance(value, str):
            value = ILLEGAL_CHARACTERS_RE.sub("\ufffd", value)
            if len(value) > 32_767:
                raise Usage("xlsx_cell_too_long", length=f"{len(value):,}")
        made = WriteOnlyCell(sheet, value=value)
        if isinstance(value, str):
            made.data_type = "s"
        if bold:
            made.font = Font(bold=True)
        return made

    sheet.append([cell(str(name), bold=True) for name in frame.columns])
    columns = [frame[name].tolist() for name in frame.columns]
    for row in zip(*columns, strict=True):
        sheet.append([cell(value) for value in row])
    book.save(path)


def _parquet(name: str, frame: pd.DataFrame, path: Path, about: dict[str, str]) -> None:
    import dataclasses

    from geo_monitor import geoparquet

    shape = tables.table(name)
    known = {column.name: column for column in (*tables.TABLES["receipts"].columns, *shape.columns, tables.SHAPE)}
    shape = dataclasses.replace(shape, columns=tuple(known[column] for column in frame.columns if column in known))
    with replacing(path) as temporary:
        geoparquet.write(shape.to_arrow(frame), temporary, about)


def _frames(table: pa.Table) -> Iterator[pd.DataFrame]:
    for start in range(0, len(table), CHUNK):
        yield table.slice(start, CHUNK).to_pandas()


def _positions_csv(table: pa.Table, path: Path, about: dict[str, str]) -> None:
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.write(",".join(table.column_names) + "\n")
        for frame in _frames(table):
            cells(frame).to_csv(file, index=False, header=False, lineterminator="\n")


def _positions_parquet(table: pa.Table, path: Path, about: dict[str, str]) -> None:
    """A chunk at a time; the points as WKB beside lon and lat."""
    import json

    import pyarrow as pa
    import pyarrow.parquet as pq
    import shapely

    from geo_monitor import geoparquet

    column = {"encoding": "WKB", "crs": geoparquet.crs(), "geometry_types": ["Point"]}
    geo = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    schema = tables.TABLES["positions"].arrow.append(pa.field("geometry", pa.binary()))
    schema = schema.with_metadata({"geo": json.dumps(geo), **about})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for start in range(0, len(table), CHUNK):
            part = table.slice(start, CHUNK)
            wkb = shapely.to_wkb(shapely.points(part["lon"].to_numpy(), part["lat"].to_numpy()))
            writer.write_table(part.append_column("geometry", pa.array(wkb, pa.binary())).cast(schema))
