"""The river as a space: reaches, chainage, neighbours and distance by water.

Input: raw centre lines, lakes, km marks, jurisdictions (WGS84). Output: `Network`, on which everything is located.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geo_monitor.errors import Refused
from geo_monitor.river import banks as bank_side
from geo_monitor.river import reaches as cutting
from geo_monitor.river.geodesy import Floats, scale, to_degrees, to_mercator
from geo_monitor.river.lakes import Cells, cells, gather, mercator
from geo_monitor.river.lines import contract, graph
from geo_monitor.river.mouths import mouths
from geo_monitor.river.stems import Stem, stems
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    from scipy.sparse import csr_matrix

    from geo_monitor.river.grid import Grid
    from geo_monitor.river.paths import WaterGraph

GAP_M = 1000.0  # between the stems on the common axis `position`, so that no two touch


@dataclass
class Axis:
    """All stems on one axis. `position` = metres along a stem + the stem's start, so one number tells stem and place.

    Vertices (n,): x, y (Mercator metres), position, km (official), stem. Segments run from vertex i to i + 1 where
    `segment` holds i. `start` (stems,) is each stem's start. Knots of km lie on vertices and on marks between them.
    """

    x: Floats
    y: Floats
    position: Floats
    stem: np.ndarray
    segment: np.ndarray
    start: Floats
    knot_position: Floats
    knot_km: Floats

    def km(self, position: Floats) -> Floats:
        """Official chainage (km) at positions on the axis."""
        return np.interp(position, self.knot_position, self.knot_km)


@dataclass(eq=False)  # one river is another only if it is the same object
class Network:
    """A river network that drains. The row of a reach in `reaches` is its index everywhere.

    Attributes
    ----------
    reaches : GeoDataFrame of table `reaches` (WGS84)
    links : DataFrame of table `links` (metres by water between mid points)
    stems : the rivers it was made of
    low, high : (n,) position of each channel reach on the axis (metres); NaN for lake cells
    tolerance_m, half_width_m : (n,) metres
    notes : what was bridged, dropped or assumed: [{"code", "params"}]
    """

    reaches: gpd.GeoDataFrame
    stems: list[Stem]
    axis: Axis
    cells: Cells
    low: Floats
    high: Floats
    accuracy_m: Floats
    half_width_m: Floats
    holes: list[list[tuple[float, float, int]]]
    settings: Settings
    notes: list[dict[str, Any]] = field(default_factory=list)

    @property
    def channels(self) -> int:
        """How many reaches are channel; lake cells follow them."""
        return len(self.reaches) - len(self.cells.cell)

    @property
    def tolerance_m(self) -> Floats:
        return self.settings.tolerance_factor * self.accuracy_m + self.half_width_m

    @cached_property
    def digest(self) -> str:
        """A hash of all that locating, shares of a way and the tables of a run depend on: the same for the same river."""
        told = hashlib.sha256()
        axis = self.axis
        arrays = [axis.x, axis.y, axis.position, axis.stem, axis.segment, axis.start, axis.knot_position, axis.knot_km]
        arrays += [self.low, self.high, self.accuracy_m, self.half_width_m, self.cells.pairs, self.cells.lake]
        for array in arrays:
            told.update(f"{array.dtype.str}{array.shape}".encode())
            told.update(np.ascontiguousarray(array).data)
        told.update(b"".join(shapely.to_wkb(self.cells.shape).tolist()))
        for name in ("reach_id", "river"):
            told.update("\x1f".join(self.reaches[name].astype(str).tolist()).encode())
        told.update(repr(self.holes).encode())
        return told.hexdigest()

    @cached_property
    def grid(self) -> Grid:
        """The index that `locate` looks fixes up in."""
        from geo_monitor.river.grid import Grid

        return Grid.of(self)

    @cached_property
    def cell_tree(self) -> shapely.STRtree:
        return shapely.STRtree(mercator(self.cells.shape))

    @cached_property
    def water(self) -> WaterGraph:
        from geo_monitor.river.paths import WaterGraph

        return WaterGraph(self)

    @cached_property
    def pairs(self) -> tuple[np.ndarray, np.ndarray, Floats]:
        """Reaches that touch, (m,) a < b, and metres by water between their mid points."""
        return self.water.links()

    @cached_property
    def links(self) -> pd.DataFrame:
        import pandas as pd

        a, b, metres = self.pairs
        names = self.reaches["reach_id"].to_numpy()
        return pd.DataFrame({"reach_a": names[a], "reach_b": names[b], "distance_m": metres})

    @cached_property
    def adjacency(self) -> csr_matrix:
        """(n, n) symmetric 0/1 matrix of reaches that touch."""
        a, _, _ = self.pairs
        return self._touching(np.ones(len(a)))

    @cached_property
    def link_metres(self) -> csr_matrix:
        """(n, n) symmetric, metres by water between mid points of reaches that touch."""
        return self._touching(self.pairs[2])

    def _touching(self, value: Floats) -> csr_matrix:
        """The matrix with a value for each pair of reaches that touch, both ways."""
        from scipy.sparse import coo_matrix

        a, b, _ = self.pairs
        n = len(self.reaches)
        return coo_matrix((np.r_[value, value], (np.r_[a, b], np.r_[b, a])), shape=(n, n)).tocsr()

    def reach_at(self, position: Floats) -> np.ndarray:
        """Index of the channel reach at positions on the axis, half-open [km_from, km_to); -1 in a lake."""
        position = np.asarray(position, dtype=float)
        low, high = self.low[: self.channels], self.high[: self.channels]
        order = self._order
        # a position computed to a hair below a border belongs to the border
        at = np.searchsorted(low[order], np.round(position, 6) + 1e-6, side="right") - 1
        found = order[np.maximum(at, 0)]
        inside = (at >= 0) & (position >= low[found] - 1e-5) & (position <= high[found] + 1e-5)
        return np.where(inside, found, -1)

    @cached_property
    def _order(self) -> np.ndarray:
        return np.argsort(self.low[: self.channels], kind="stable")

    def distance(self, reach_a: np.ndarray, km_a: Floats, reach_b: np.ndarray, km_b: Floats) -> Floats:
        """Metres by water between located points (m,), `inf` where not connected or over 50 km apart."""
        return self.water.distance(reach_a, km_a, reach_b, km_b)

    def spread(
        self, reach_a: np.ndarray, km_a: Floats, reach_b: np.ndarray, km_b: Floats
    ) -> tuple[np.ndarray, np.ndarray, Floats]:
        """Which reaches the way by water from a to b passes: (pair, reach, share); the shares of a pair sum to 1.

        A pair within one reach is that reach with share 1; a pair that is not connected is half and half.
        """
        return self.water.spread(reach_a, km_a, reach_b, km_b)

    def within(self, metres: float) -> csr_matrix:
        """(n, n) sparse metres by water between mid points, where at most `metres`; without the diagonal."""
        return self.water.within(metres)

    def position(self, river: str, km: Floats) -> Floats:
        """Position on the axis of chainages (km) of `river`; NaN where the river or the km is not there."""
        km = np.asarray(km, dtype=float)
        result = np.full(km.shape, np.nan)
        for number, stem in enumerate(self.stems):
            for low, high, name in stem.sections:
                if name != river or stem.side is not None:
                    continue
                start = self.axis.start[number]
                own = (self.axis.knot_position >= start - 1e-6) & (
                    self.axis.knot_position <= start + stem.along[-1] + 1e-6
                )
                place = np.interp(km, self.axis.knot_km[own], self.axis.knot_position[own])
                ends = self.axis.km(start + np.array([low, high]))
                inside = (km >= ends[0] - 1e-6) & (km <= ends[1] + 1e-6)
                result = np.where(inside, np.clip(place, start + low, start + high), result)
        return result

    def point(self, river: str | np.ndarray, km: Floats) -> tuple[Floats, Floats]:
        """lon, lat (WGS84) of chainages (m,); NaN where the river or the km is not there.

        `river` is one name or an array of names as long as `km`.
        """
        km = np.atleast_1d(np.asarray(km, dtype=float))
        names = np.broadcast_to(np.asarray(river, dtype=object), km.shape)
        place = np.full(km.shape, np.nan)
        for name in set(names.tolist()):
            own = names == name
            place[own] = self.position(name, km[own])
        known = ~np.isnan(place)
        x = np.interp(np.where(known, place, 0.0), self.axis.position, self.axis.x)
        y = np.interp(np.where(known, place, 0.0), self.axis.position, self.axis.y)
        lon, lat = to_degrees(x, y)
        return np.where(known, lon, np.nan), np.where(known, lat, np.nan)

    def stretch(self, river: str, km_from: float, km_to: float) -> tuple[np.ndarray, Floats]:
        """(reach index, metres of overlap) of the main-channel reaches of `river` between two chainages, in any order.

        Empty where the stretch is not on the network.
        """
        low_km, high_km = min(km_from, km_to), max(km_from, km_to)
        spans = self._river_span(river)
        if spans is None or high_km < spans[0] or low_km > spans[1]:
            return np.zeros(0, np.int32), np.zeros(0)
        low, high = self.position(river, np.clip([low_km, high_km], *spans))
        if np.isnan(low) or np.isnan(high):
            return np.zeros(0, np.int32), np.zeros(0)
        n = self.channels
        overlap = np.minimum(self.high[:n], high) - np.maximum(self.low[:n], low)
        if high - low < 1e-6:
            reach = self.reach_at(np.array([low]))
            return reach[reach >= 0].astype(np.int32), np.zeros(int((reach >= 0).sum()))
        found = np.flatnonzero(overlap > 1e-6)
        return found.astype(np.int32), overlap[found]

    def _river_span(self, river: str) -> tuple[float, float] | None:
        spans = [
            self.axis.km(self.axis.start[number] + np.array([low, high]))
            for number, stem in enumerate(self.stems)
            for low, high, name in stem.sections
            if name == river and stem.side is None
        ]
        if not spans:
            return None
        return float(np.min(spans)), float(np.max(spans))


def build(
    lines: gpd.GeoDataFrame,
    lakes: gpd.GeoDataFrame | None = None,
    marks: gpd.GeoDataFrame | None = None,
    jurisdictions: gpd.GeoDataFrame | None = None,
    reach_length_m: float | None = None,
    settings: Settings | None = None,
    land: Any | None = None,
) -> Network:
    """A network that drains, from raw data (all WGS84).

    Parameters
    ----------
    lines : centre lines; columns river, accuracy_m, mouth, main_stem, geometry (all but geometry may be missing)
    lakes : polygons; columns river, accuracy_m, geometry
    marks : official km marks; columns river, km, geometry (points)
    jurisdictions : polygons; columns adcode, name, geometry
    reach_length_m : metres; default `settings.reach_length_m`
    land : shapely geometry of land around the sea: an end in its box, but not on it, is a mouth. Default: the shipped

    Raises
    ------
    Refused("river_empty") : no usable line.
    """
    import geopandas as gpd

    settings = settings or Settings()
    length = reach_length_m or settings.reach_length_m
    if land is None:
        from geo_monitor.river.shipped import land as shipped_land

        land = shipped_land()
    built = graph(lines, settings)
    if not built.edges:
        raise Refused("river_empty")
    mouth_of = mouths(built, land)
    contract(built, set(mouth_of.values()))
    found = stems(built, mouth_of)
    notes = built.notes

    none = gpd.GeoDataFrame({"river": []}, geometry=[], crs="EPSG:4326")
    lake_frame = gather(lakes) if lakes is not None and len(lakes) else none
    pools = mercator(np.asarray(lake_frame.geometry.to_numpy(), dtype=object))
    pool_tree = shapely.STRtree(pools)
    holes = [
        cutting.lake_holes(stem, pool_tree, pools) if not stem.main and stem.side is None else [] for stem in found
    ]
    pieces = [piece for number, stem in enumerate(found) for piece in cutting.cut(number, stem, holes[number], length)]
    knots = cutting.calibrate(found, marks, notes, settings.bridge_factor) if marks is not None and len(marks) else {}
    channel = cells(lake_frame, [shapely.linestrings(stem.lonlat) for stem in found], settings)
    axis, low, high, accuracy = _axis(found, pieces, holes, knots)
    frame = _frame(found, pieces, channel, axis, low, high, jurisdictions, accuracy, settings)
    half = _land_widths(frame, accuracy, land, settings)
    return Network(
        frame, found, axis, channel, low, high, np.r_[accuracy, channel.accuracy_m], half, holes, settings, notes
    )


def _axis(
    found: list[Stem],
    pieces: list[cutting.Piece],
    holes: list[list[tuple[float, float, int]]],
    knots: dict[int, tuple[Floats, Floats]],
) -> tuple[Axis, Floats, Floats, Floats]:
    start = np.zeros(len(found))
    parts: dict[str, list[Floats]] = {name: [] for name in ("x", "y", "position", "stem", "segment", "kp", "kk")}
    offset, count = 0.0, 0
    cuts: dict[int, list[float]] = {}
    for piece in pieces:
        cuts.setdefault(piece.stem, []).extend((piece.low, piece.high))
    # official km of a side channel follow the stem beside it
    for number, stem in enumerate(found):
        start[number] = offset
        edge = np.array([m for low, high, _ in holes[number] for m in (low, high)])
        x, y, along, km, _ = cutting.insert(stem, np.r_[np.array(cuts.get(number, [])), edge])
        host = number if stem.side is None else (stem.foot[0] if stem.foot else number)
        knot_at, knot_km = along, km
        if host in knots:
            drawn, official = knots[host]
            extra = drawn[(drawn > km.min()) & (drawn < km.max())]
            if len(extra) and km[-1] > km[0]:
                knot_at = np.union1d(along, np.interp(extra, km, along))
            knot_km = np.interp(np.interp(knot_at, along, km), drawn, official)
        segment = np.arange(len(along) - 1)
        middle = (along[:-1] + along[1:]) / 2
        for start_m, stop_m, _ in holes[number]:
            segment = segment[(middle[segment] < start_m) | (middle[segment] > stop_m)]
        for name, values in (
            ("x", x),
            ("y", y),
            ("position", along + offset),
            ("stem", np.full(len(x), float(number))),
            ("segment", segment + float(count)),
            ("kp", knot_at + offset),
            ("kk", knot_km),
        ):
            parts[name].append(values)
        count += len(x)
        offset += float(along[-1]) + GAP_M
    low = np.array([piece.low + start[piece.stem] for piece in pieces])
    high = np.array([piece.high + start[piece.stem] for piece in pieces])
    middle = np.array([(piece.low + piece.high) / 2 for piece in pieces])
    accuracy = np.array(
        [
            found[p.stem].accuracy[
                min(int(np.searchsorted(found[p.stem].along, m, side="right")) - 1, len(found[p.stem].accuracy) - 1)
            ]
            for p, m in zip(pieces, middle, strict=True)
        ]
    )
    joined = {name: np.concatenate(values) for name, values in parts.items()}
    axis = Axis(
        joined["x"],
        joined["y"],
        joined["position"],
        joined["stem"].astype(int),
        joined["segment"].astype(int),
        start,
        joined["kp"],
        joined["kk"],
    )
    return axis, low, high, accuracy


def _frame(
    found: list[Stem],
    pieces: list[cutting.Piece],
    lake: Cells,
    axis: Axis,
    low: Floats,
    high: Floats,
    jurisdictions: gpd.GeoDataFrame | None,
    accuracy: Floats,
    settings: Settings,
) -> gpd.GeoDataFrame:
    """The table `reaches`: channel pieces in order, then lake cells."""
    import geopandas as gpd
    import pandas as pd

    n = len(pieces)
    stem_of = np.array([piece.stem for piece in pieces], dtype=int)
    middle = (low + high) / 2
    x, y = np.interp(middle, axis.position, axis.x), np.interp(middle, axis.position, axis.y)
    lon, lat = to_degrees(x, y)
    ids, lines, mouth_km, sides = [], [], np.full(n, np.nan), []
    for i, piece in enumerate(pieces):
        stem = found[piece.stem]
        mark = f"{piece.river}汊{stem.side}" if stem.side else piece.river
        ids.append(f"{mark}K{piece.low / 1000:08.3f}")
        lines.append(cutting.slice_line(axis.x, axis.y, axis.position, low[i], high[i]))
        sides.append(stem.side)
        if stem.foot is not None and stem.side is None:
            mouth_km[i] = float(axis.km(np.array([axis.start[stem.foot[0]] + stem.foot[1]]))[0])
    cell_river = lake.river
    cell_ids: list[str] = []
    seen: dict[str, int] = {}
    for name, cell in zip(cell_river, lake.cell, strict=True):
        # two lakes of one name that do not touch may share a cell: the second says so
        seen[f"{name}-{cell}"] = seen.get(f"{name}-{cell}", 0) + 1
        again = seen[f"{name}-{cell}"]
        cell_ids.append(f"{name}-{cell}" if again == 1 else f"{name}-{cell}-{again}")
    empty = np.full(len(lake.cell), np.nan)
    frame = pd.DataFrame(
        {
            "reach_id": ids + cell_ids,
            "river": [piece.river for piece in pieces] + cell_river,
            "km_from": np.r_[axis.km(low) if n else [], empty],
            "km_to": np.r_[axis.km(high) if n else [], empty],
            "mouth_km": np.r_[mouth_km, empty],
            "length_m": np.r_[high - low, np.sqrt(lake.area_m2)],
            "lon": np.r_[lon, lake.lon],
            "lat": np.r_[lat, lake.lat],
            "kind": ["channel"] * n + ["lake"] * len(lake.cell),
            "side": sides + [None] * len(lake.cell),
        }
    )
    ux, uy = np.zeros(len(frame)), np.zeros(len(frame))
    for number in np.unique(stem_of):
        own = np.flatnonzero(stem_of == number)
        vertices = axis.stem == number
        ux[own], uy[own] = bank_side.direction(
            axis.x[vertices],
            axis.y[vertices],
            axis.position[vertices] - axis.start[number],
            middle[own] - axis.start[number],
            float(np.median(high[own] - low[own])),
        )
    if jurisdictions is not None and len(jurisdictions):
        away = np.maximum(np.r_[accuracy, np.zeros(len(lake.cell))], 100.0)
        left, right = bank_side.banks(
            frame["lon"].to_numpy(), frame["lat"].to_numpy(), ux, uy, away, jurisdictions, settings
        )
    else:
        left = right = np.full(len(frame), None)
    frame["adcode_left"], frame["adcode_right"] = left, right
    shapes = np.array([*lines, *lake.shape], dtype=object)
    columns = [
        "reach_id",
        "river",
        "km_from",
        "km_to",
        "mouth_km",
        "length_m",
        "lon",
        "lat",
        "kind",
        "adcode_left",
        "adcode_right",
        "side",
    ]
    return gpd.GeoDataFrame(frame[columns], geometry=shapes, crs="EPSG:4326")


def _land_widths(frame: gpd.GeoDataFrame, accuracy: Floats, land: Any, settings: Settings) -> Floats:
    """Half the water width where the land polygons show the banks: metres from the mid point to the nearest land.

    The land is as rough as the shipped lines: a finer line knows its place better than the land knows the bank, so it
    is widened by a mask only.
    """
    channels = len(accuracy)
    lon, lat = frame["lon"].to_numpy()[:channels], frame["lat"].to_numpy()[:channels]
    west, south, east, north = land.bounds
    inside = np.flatnonzero(
        (lon > west) & (lon < east) & (lat > south) & (lat < north) & (accuracy >= settings.accuracy_shipped_m)
    )
    half = np.zeros(len(frame))
    wet = inside[~shapely.contains_xy(land, lon[inside], lat[inside])]
    if len(wet):
        x, y = to_mercator(lon[wet], lat[wet])
        half[wet] = shapely.distance(mercator(land), shapely.points(x, y)) / scale(lat[wet])
    return half
