"""Frames with shapes to the map formats: GeoJSON, GeoPackage, FlatGeobuf, zipped shapefile."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo_monitor.store.files import zip_of

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

DRIVERS = {"geojson": "GeoJSON", "gpkg": "GPKG", "fgb": "FlatGeobuf"}
SHP_NAME = 10  # characters of a field name
SHP_TEXT = 254  # bytes of a text


def write(frame: gpd.GeoDataFrame, name: str, path: Path, kind: str, about: dict[str, str]) -> list[dict[str, Any]]:
    """Writes `frame` (WGS84) as layer `name`. Gives notes: texts cut, layers parted."""
    import pyogrio

    frame = attributes(frame, times_as_text=kind in ("geojson", "shp.zip"))
    if kind == "shp.zip":
        return _shapefile(frame, name, path, about)
    missing = frame.geometry.isna().all()
    options: dict[str, str] = {"DESCRIPTION": "; ".join(about.values())}
    if kind == "geojson":
        options["COORDINATE_PRECISION"] = "9"  # 0.1 mm: fewer would bend the narrow shore cells of lakes
    if kind == "fgb" and frame.geometry.isna().any():
        options["SPATIAL_INDEX"] = "NO"  # the format's index cannot hold rows without a shape
    pyogrio.write_dataframe(
        frame,
        path,
        layer=name,
        driver=DRIVERS[kind],
        geometry_type="Unknown" if missing else None,
        layer_options=options,
    )
    _whole(path, len(frame))
    return []


def _whole(path: Path, rows: int) -> None:
    """Reads a file to its end: on a full disk GDAL may leave one without its tail and say nothing.

    (A shapefile needs no such look: the zip that is made of it needs room on the same disk.) Raises OSError.
    """
    import pyogrio

    with pyogrio.open_arrow(path, use_pyarrow=True) as (_, batches):
        found = sum(batch.num_rows for batch in batches)
    if found != rows:
        raise OSError(f"{path.name} holds {found} of {rows} rows")


def attributes(frame: gpd.GeoDataFrame, times_as_text: bool) -> gpd.GeoDataFrame:
    """`frame` with attributes every map format can hold: lists joined by `;`, days as text, times as text if asked."""
    import pandas as pd

    from geo_monitor.cells import iso, joined

    frame = frame.copy()
    for name in frame.columns:
        if name == "geometry":
            continue
        values = frame[name]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            frame[name] = iso(values) if times_as_text else values.dt.tz_convert("UTC")
        elif values.dtype == object:
            frame[name] = [
                value.isoformat()
                if hasattr(value, "isoformat")
                else joined(value)
                if hasattr(value, "__len__") and not isinstance(value, str)
                else value
                for value in values
            ]
    return frame


def short_names(names: list[str]) -> dict[str, str]:
    """Field names of a shapefile: at most 10 characters, each once, whatever the case.

    >>> short_names(["seizures", "seizures_unpatrolled", "seizures_u"])
    {'seizures': 'seizures', 'seizures_unpatrolled': 'seizures_1', 'seizures_u': 'seizures_u'}
    """
    short = {name: name for name in names if len(name) <= SHP_NAME}
    used = {name.lower() for name in short}
    for name in names:
        number, candidate = 0, name[:SHP_NAME]
        while name not in short and candidate.lower() in used:
            number += 1
            candidate = f"{name[: SHP_NAME - 1 - len(str(number))]}_{number}"
        short.setdefault(name, candidate)
        used.add(short[name].lower())
    return {name: short[name] for name in names}


def _shapefile(frame: gpd.GeoDataFrame, name: str, path: Path, about: dict[str, str]) -> list[dict[str, Any]]:
    """A zip of one shapefile a sort of shape (points, lines, areas), with a text that gives the full field names."""
    import pyogrio

    notes: list[dict[str, Any]] = []
    names = short_names([str(column) for column in frame.columns if column != "geometry"])
    frame, cut = _short_texts(frame.rename(columns=names))
    if cut:
        notes.append({"code": "shp_text_cut", "params": {"count": cut, "bytes": SHP_TEXT}})
    layers = _layers(frame, name)
    if len(layers) > 1:
        notes.append({"code": "shp_layers", "params": {"layers": [*layers]}})
    with tempfile.TemporaryDirectory(dir=path.parent) as made:
        folder = Path(made)
        for layer, (part, geometry_type) in layers.items():
            pyogrio.write_dataframe(
                part,
                folder / f"{layer}.shp",
                driver="ESRI Shapefile",
                encoding="UTF-8",
                geometry_type=geometry_type,
            )
            (folder / f"{layer}.cpg").write_text("UTF-8", encoding="ascii")
        text = [*about.values(), "", *(f"{short}\t{full}" for full, short in names.items())]
        (folder / f"{name}.fields.txt").write_text("\n".join(text) + "\n", encoding="utf-8")
        zip_of(folder, path)
    return notes


def _layers(frame: gpd.GeoDataFrame, name: str) -> dict[str, tuple[gpd.GeoDataFrame, str | None]]:
    """Layer name -> (its rows, geometry type where the rows don't tell). A shapefile holds one sort of shape."""
    sorts = frame.geometry.geom_type.str.removeprefix("Multi").str.replace("LinearRing", "LineString")
    there = [sort for sort in ("Point", "LineString", "Polygon") if (sorts == sort).any()]
    if len(there) < 2:
        return {name: (frame, None if there else "Point")}
    ending = {"Point": "points", "LineString": "lines", "Polygon": "areas"}
    layers: dict[str, tuple[gpd.GeoDataFrame, str | None]] = {}
    for number, sort in enumerate(there):
        rows: pd.Series = (sorts == sort) | (frame.geometry.isna() if number == 0 else False)
        layers[f"{name}_{ending[sort]}"] = (frame[rows], None)
    return layers


def _short_texts(frame: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, int]:
    """Texts cut to what a shapefile holds, at a whole character, and how many were."""
    import pandas as pd

    cut = 0
    for name in frame.columns:
        if name == "geometry" or pd.api.types.is_numeric_dtype(frame[name]):
            continue
        texts = []
        for value in frame[name]:
            if isinstance(value, str) and len(value.encode()) > SHP_TEXT:
                value = value.encode()[:SHP_TEXT].decode("utf-8", errors="ignore")
                cut += 1
            texts.append(value)
        frame[name] = texts
    return frame, cut
