"""River data: centre lines, lake polygons, official km marks."""

from __future__ import annotations

import numpy as np
import shapely

from geo_monitor.errors import Refused
from geo_monitor.ingest import geometry
from geo_monitor.ingest.kinds.source import Source, Taken, content_id


def take(source: Source) -> Taken:
    """Rows of `river_lines`: a line is a channel, a polygon a lake, a point with a km an official mark."""
    import pandas as pd

    ledger = source.ledger
    raw = source.shapes()
    shapes, placed = geometry.to_wgs84(raw, source.told(), ledger, source.settings, source.datums())
    geometry.only(shapes, ("line", "polygon", "point"), ledger)
    kinds = shapely.get_type_id(shapes)
    line, area = np.isin(kinds, geometry.FAMILIES["line"]), np.isin(kinds, geometry.FAMILIES["polygon"])
    point = kinds == geometry.POINT
    shapes = shapes.copy()
    shapes[line] = geometry.lines(shapes[line])
    short = line & (shapely.length(shapes) == 0)
    ledger.refuse(short, "line_without_length")
    if area.any():
        shapes[area] = shapely.make_valid(shapes[area])
    km = source.numbers("km")
    ledger.refuse(point & np.isnan(km), "mark_without_km")
    name = source.texts("river")
    ledger.refuse(point & np.array([cell is None for cell in name], dtype=bool), "mark_without_river_name")
    if not (line & ledger.alive).any() and not (area & ledger.alive).any() and not (point & ledger.alive).any():
        raise Refused("river_no_lines", file=source.raw.name)
    nameless = line & np.array([cell is None for cell in name], dtype=bool)
    ledger.warn("river_nameless", nameless)
    accuracy = source.numbers("accuracy_m", low=0.0)
    if source.options.accuracy is not None:
        accuracy = np.full(len(source), float(source.options.accuracy))
    elif (line & np.isnan(accuracy)).any():
        ledger.note("accuracy_assumed", metres=f"{source.settings.accuracy_m:g}")
    outline = np.array([None if shape is None else shape.wkt for shape in shapes], dtype=object)
    given = source.texts("line_id")
    unique = len({cell for cell in given.tolist() if cell is not None}) == len(given)
    # an id of a river file (OBJECTID …) is its own only together with the river's name; a repeated one is no id
    ids = content_id("l", name, given) if unique else content_id("l", name, outline, km)
    frame = pd.DataFrame({
        "line_id": ids, "river": name,
        "what": np.where(area, "lake", np.where(point, "mark", "channel")), "km": np.where(point, km, np.nan),
        "accuracy_m": accuracy, "mouth": source.texts("mouth"), "main_stem": source.texts("main_stem"),
        "agency": source.agencies(), "geometry": shapes,
    })  # fmt: skip
    return Taken(frame, placed)
