"""Travel times other than by water: an estimate by road, and the straight line of a drone.

No road network is at hand, so a road is taken as `dispatch_detour` times the straight line (circuity; its source is in
docs/dispatch.md) and called an estimate. What can be known is the bank: without a bridge nobody on wheels or on foot
gets to the other one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely

from geo_monitor.dispatch.water import Place
from geo_monitor.river.banks import direction
from geo_monitor.river.geodesy import Floats, distances, scale, to_degrees, to_mercator

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.river.network import Network
    from geo_monitor.settings import Settings

TURN_M = 1.0  # metres each way over which the direction of a line at a point is taken: the bisector at a vertex
SPAN_M = 500.0  # metres over which it is taken at the place, so that drawing noise does not turn the bank


@dataclass(frozen=True)
class Roads:
    """By road from units (m,): metres and seconds (estimates; `inf` where no road leads), side (left or right of the
    place's river, looking downstream; None where it has none), bridge (the name of the one used), reason (why it can't),
    remark. reason and remark are codes or None."""

    metres: Floats
    seconds: Floats
    side: np.ndarray
    bridge: np.ndarray
    reason: np.ndarray
    remark: np.ndarray


class Bank:
    """The river at a place as people on land see it: which side, and where each bank begins."""

    def __init__(self, network: Network, place: Place) -> None:
        position = float(network.water.positions(np.array([place.reach]), np.array([place.km]))[0])
        axis = network.axis
        self.number = int(np.searchsorted(axis.start, position + 1e-6, side="right") - 1)
        own = axis.stem == self.number
        self.x, self.y, self.along = axis.x[own], axis.y[own], axis.position[own]
        self.line = shapely.linestrings(self.x, self.y)
        self.steps = np.r_[0.0, np.cumsum(np.hypot(np.diff(self.x), np.diff(self.y)))]
        self.accuracy_m = float(network.accuracy_m[place.reach])
        at = np.array([position])
        ux, uy = direction(self.x, self.y, self.along - self.along[0], at - self.along[0], SPAN_M)
        x, y = np.interp(at, self.along, self.x), np.interp(at, self.along, self.y)
        away = float(network.half_width_m[place.reach]) * scale(np.array([place.lat]))
        # left of the direction (ux, uy) is (-uy, ux)
        self.ends = {
            side: tuple(float(v[0]) for v in to_degrees(x - sign * uy * away, y + sign * ux * away))
            for side, sign in (("left", 1.0), ("right", -1.0))
        }

    def side(self, lon: Floats, lat: Floats) -> tuple[np.ndarray, np.ndarray]:
        """Which side of the whole river points (m,) lie on, and whether that is sure: farther off than the line's
        own accuracy."""
        x, y = to_mercator(lon, lat)
        spot = shapely.line_locate_point(self.line, shapely.points(x, y))
        low, high = np.maximum(spot - TURN_M, 0.0), np.minimum(spot + TURN_M, self.steps[-1])
        ux = np.interp(low, self.steps, self.x) - np.interp(high, self.steps, self.x)
        uy = np.interp(low, self.steps, self.y) - np.interp(high, self.steps, self.y)
        px, py = np.interp(spot, self.steps, self.x), np.interp(spot, self.steps, self.y)
        left = ux * (y - py) - uy * (x - px) > 0
        away = np.hypot(x - px, y - py) / scale(lat)
        return np.where(left, "left", "right").astype(object), away > self.accuracy_m


def roads(
    lon: Floats,
    lat: Floats,
    speed_mps: Floats,
    place: Place,
    network: Network,
    settings: Settings,
    bridges: pd.DataFrame | None = None,
) -> Roads:
    """Estimates by road of units (m,) at lon, lat (WGS84) with speeds m/s, to the bank at `place`.

    A unit goes to its own bank (half the water width from the line, or to the place itself where that lies on this
    bank). A place known to lie on the other bank is reached over the bridge that makes the way shortest; without one the
    way to the own bank is told with reason `other_bank`. Where unit or place lies within the accuracy of the drawn line
    the side is not known: own bank, remark `bank_unsure`. A place in mid river is served from the own bank, remark
    `own_bank`. A place off the water: the way there, remark `bank_unsure`. In a lake away from its shore: `open_water`.

    bridges: name, lon, lat; those not over the place's river are left aside.
    """
    lon, lat = np.asarray(lon, dtype=float), np.asarray(lat, dtype=float)
    m = len(lon)
    none = np.full(m, None, dtype=object)
    straight = distances(lon, lat, np.full(m, place.lon), np.full(m, place.lat))
    if place.reach < 0 or place.reach >= network.channels:
        metres = straight * settings.dispatch_detour
        reason, remark = none.copy(), none.copy()
        if place.reach < 0:
            remark[:] = "bank_unsure"
        elif _surrounded(network, place.reach):
            metres, reason[:] = np.full(m, np.inf), "open_water"
        return Roads(metres, metres / speed_mps, none, none.copy(), reason, remark)
    bank = Bank(network, place)
    side, sure = bank.side(lon, lat)
    on_bank = place.exact and place.bank in ("left", "right")
    if on_bank:
        known = bool(bank.side(np.array([place.lon]), np.array([place.lat]))[1][0])
        sure = sure & known
    ends = dict(bank.ends)
    if on_bank:
        ends[str(place.bank)] = (place.lon, place.lat)
    own = np.array([ends[name] for name in side]).reshape(m, 2)
    metres = distances(lon, lat, own[:, 0], own[:, 1])
    reason, remark, bridge = none.copy(), none.copy(), none.copy()
    if not on_bank:
        remark[:] = "own_bank"
    else:
        remark[~sure] = "bank_unsure"
        across = np.flatnonzero(sure & (side != place.bank))
        reason[across] = "other_bank"
        for name, via_lon, via_lat in _over_river(bridges, network, bank.number):
            first = distances(lon[across], lat[across], np.full(len(across), via_lon), np.full(len(across), via_lat))
            rest = distances(*(np.array([value]) for value in (via_lon, via_lat, place.lon, place.lat)))
            way = first + rest
            better = (reason[across] == "other_bank") | (way < metres[across])
            rows = across[better]
            metres[rows], reason[rows], bridge[rows] = way[better], None, name
    metres = metres * settings.dispatch_detour
    return Roads(metres, metres / speed_mps, side, bridge, reason, remark)


def _surrounded(network: Network, reach: int) -> bool:
    """Whether a lake cell has lake on all six sides, so that no shore is near."""
    return int((network.cells.pairs == reach - network.channels).sum()) >= 6


def _over_river(bridges: pd.DataFrame | None, network: Network, number: int) -> list[tuple[str, float, float]]:
    """The bridges that lie on one stem, by the tolerance of locating."""
    from geo_monitor.river import place

    if bridges is None or not len(bridges):
        return []
    lon, lat = bridges["lon"].to_numpy(dtype=float), bridges["lat"].to_numpy(dtype=float)
    spots = place(lon, lat, network)
    position = network.water.positions(spots.reach.astype(np.int64), spots.km)
    stem = np.searchsorted(network.axis.start, np.nan_to_num(position, nan=-1.0) + 1e-6, side="right") - 1
    there = np.flatnonzero(~np.isnan(position) & (stem == number))
    names = bridges["name"].tolist()
    return [(str(names[i]), float(lon[i]), float(lat[i])) for i in there]


def air(lon: Floats, lat: Floats, place: Place) -> Floats:
    """Straight-line metres (geodesic) from points (m,) to a place."""
    lon = np.asarray(lon, dtype=float)
    return distances(lon, np.asarray(lat, dtype=float), np.full(len(lon), place.lon), np.full(len(lon), place.lat))
