"""Lakes as H3 cells: a hierarchy-exact tiling, fine near a channel and coarse beyond."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo_monitor.river.geodesy import Floats, scale, to_mercator
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import geopandas as gpd

SLIVER = 0.05  # a cell with less of its area on the lake than this is left out: its water is its neighbour's edge
TOUCH_M = 5.0  # cells whose outlines come this close are neighbours (their shared edges are computed, not exact)


@dataclass
class Cells:
    """Lake cells. `shape` (n,) clipped outlines in degrees; `lon`, `lat` a point on each; `pairs` (m, 2) neighbours."""

    cell: list[str]
    river: list[str]
    lake: np.ndarray
    shape: np.ndarray
    lon: Floats
    lat: Floats
    area_m2: Floats
    accuracy_m: Floats
    pairs: np.ndarray


def mercator(shapes: Any) -> Any:
    """Shapes of degrees in ellipsoidal Mercator metres."""
    return shapely.transform(shapes, lambda c: np.c_[to_mercator(c[:, 0], c[:, 1])])


def gather(lakes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The lakes with a name each; polygons of one name that touch are one lake, as accurate as the roughest of them."""
    import geopandas as gpd
    import pandas as pd
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    shapes = shapely.make_valid(shapely.force_2d(np.asarray(lakes.geometry.to_numpy(), dtype=object)))
    names = np.array([str(name) if name == name and name else "未命名湖泊" for name in lakes["river"]], dtype=object)
    accuracy = lakes["accuracy_m"].astype(float) if "accuracy_m" in lakes else pd.Series(np.nan, index=lakes.index)
    flat = mercator(shapes)
    i, j = shapely.STRtree(flat).query(flat, "dwithin", distance=TOUCH_M)
    same = names[i] == names[j]
    i, j = i[same], j[same]
    n = len(shapes)
    _, group = connected_components(coo_matrix((np.ones(len(i)), (i, j)), shape=(n, n)), directed=False)
    first = [int(np.flatnonzero(group == g)[0]) for g in range(int(group.max(initial=-1)) + 1)]
    return gpd.GeoDataFrame(
        {"river": names[first], "accuracy_m": [accuracy.to_numpy()[group == group[f]].max() for f in first]},
        geometry=[shapely.union_all(shapes[group == group[f]]) for f in first],
        crs="EPSG:4326",
    )


def cells(lakes: gpd.GeoDataFrame, channel: Any, settings: Settings) -> Cells:
    """The cells of `lakes` (columns river, accuracy_m, geometry; WGS84). `channel`: lines (WGS84) that make it fine."""
    import h3

    near, far = settings.lake_resolution_near, settings.lake_resolution_far
    shapes = shapely.make_valid(shapely.force_2d(np.asarray(lakes.geometry.to_numpy(), dtype=object)))
    lines = mercator(np.asarray(channel, dtype=object))
    tree = shapely.STRtree(lines) if len(lines) else None
    names: list[str] = []
    rivers: list[str] = []
    lake_of: list[int] = []
    outlines: list[Any] = []
    given = lakes["accuracy_m"].tolist() if "accuracy_m" in lakes else [None] * len(lakes)
    for number, (shape, river) in enumerate(zip(shapes, lakes["river"].tolist(), strict=True)):
        coarse: set[str] = set()
        for part in shapely.get_parts(shape):
            if shapely.get_type_id(part) == 3:
                coarse |= set(h3.h3shape_to_cells_experimental(h3.geo_to_h3shape(part), far, "overlap"))
        ordered = sorted(coarse)
        centres = np.array([h3.cell_to_latlng(cell)[::-1] for cell in ordered]).reshape(-1, 2)
        fine = np.zeros(len(ordered), bool)
        if tree is not None and len(ordered):
            x, y = to_mercator(centres[:, 0], centres[:, 1])
            hit = tree.query(shapely.points(x, y), "dwithin", distance=settings.lake_near_m * scale(centres[:, 1]))[0]
            fine[hit] = True
        for cell, split in zip(ordered, fine, strict=True):
            children = sorted(h3.cell_to_children(cell, near))
            # children do not tile their parent exactly; a coarse cell is taken as the union of its children, so that
            # coarse and fine cells meet without gap or overlap
            outline = [shapely.polygons(np.array(h3.cell_to_boundary(child))[:, ::-1]) for child in children]
            if split:
                names += children
                outlines += outline
            else:
                names.append(cell)
                outlines.append(shapely.union_all(outline))
            added = len(children) if split else 1
            rivers += [str(river)] * added
            lake_of += [number] * added
    lake = np.array(lake_of, dtype=int)
    whole = np.array(outlines, dtype=object)
    if not len(whole):
        empty = np.zeros(0)
        return Cells([], [], lake, whole, empty, empty, empty, empty, np.zeros((0, 2), int))
    clipped = shapely.intersection(whole, shapes[lake])
    keep = shapely.area(clipped) > SLIVER * shapely.area(whole)
    clipped, lake = clipped[keep], lake[keep]
    inner = shapely.point_on_surface(clipped)
    centre = shapely.centroid(clipped)
    centre = np.where(shapely.contains(clipped, centre), centre, inner)
    lon, lat = shapely.get_x(centre), shapely.get_y(centre)
    flat = mercator(clipped)
    area = shapely.area(flat) / scale(lat) ** 2
    i, j = shapely.STRtree(flat).query(flat, "dwithin", distance=TOUCH_M * scale(lat))
    once = (i < j) & (lake[i] == lake[j])
    accuracy = np.array([settings.accuracy_m if a is None or a != a else float(a) for a in given])[lake]
    kept = np.flatnonzero(keep)
    return Cells(
        [names[n] for n in kept],
        [rivers[n] for n in kept],
        lake,
        clipped,
        lon,
        lat,
        area,
        accuracy,
        np.c_[i[once], j[once]],
    )
