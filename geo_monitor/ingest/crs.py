"""Where on earth the numbers are: the reference system told or found, swapped axes, datum, to WGS84 degrees.

China Geodetic Coordinate System 2000 (EPSG:4490) and WGS84 agree within centimetres and are taken as one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geo_monitor.errors import Refused, Usage
from geo_monitor.ingest import datum as datums
from geo_monitor.ingest import shifts

if TYPE_CHECKING:
    from geo_monitor.settings import Settings

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
NORTHING = (1.5e6, 6.0e6)  # metres from the equator: China
EASTING = (5.0e4, 9.5e5)  # metres, false easting 500,000
REFUSED = ("position_not_available", "coordinate_beyond_earth", "null_island", "wrong_hemisphere")
SAME_AS_WGS84 = (4326, 4490, 4979, 4480)


@dataclass(frozen=True)
class Told:
    """What file and sender say: `declared` by the file (text), `given` by option, datum given, whether the format itself
    means WGS84 (GPX, KML, GeoJSON, NMEA), whether the numbers come from a receiver (NMEA, AIS), whether a missing
    reference system is worth a warning (shapefiles); and what to test an untold datum against (`shifts`)."""

    declared: str | None = None
    given: str | None = None
    datum: str | None = None
    standard: bool = False
    receiver: bool = False
    expected: bool = False
    reference: shifts.Reference | None = None


@dataclass(frozen=True)
class Of:
    """What points belong to, where it matters to the test of the datum: `telling` (n,), whether a point should lie on
    the water or at its edge; `ring` (n,), the line or ring it is a vertex of; `zone` (n,), the zone it is of, or None."""

    telling: Mask | None = None
    ring: NDArray[np.int64] | None = None
    zone: NDArray[Any] | None = None


@dataclass(kw_only=True)
class Used:
    """What was used to place points, and the notes on it. `datum_how`: given (option), named (in the rows), receiver (NMEA,
    AIS), declared (by file or format), tested (against a reference), assumed."""

    used: str | None = None
    how: str = "detected"
    datum: str = "wgs84"
    datum_how: str = "assumed"
    confidence: float = 1.0
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "used": self.used, "how": self.how, "datum": self.datum, "confidence": round(self.confidence, 4),
            "datum_how": self.datum_how,
        }  # fmt: skip


@dataclass
class Placed(Used):
    """WGS84 degrees of every point, why a point could not be placed (`REFUSED`), what is to be told."""

    lon: Array
    lat: Array
    bad: dict[str, Mask] = field(default_factory=dict)
    warnings: list[tuple[str, Mask | None, dict[str, Any]]] = field(default_factory=list)


@dataclass(frozen=True)
class Points:
    """Points (n,) as they stand in a file: NaN where there is none. row_datum (n,): a datum named in the row itself
    (objects, None where none)."""

    x: Array
    y: Array
    row_datum: NDArray[Any] | None = None
    of: Of = field(default_factory=Of)


Parts = Callable[[], Iterable[Points]]


@dataclass
class Rule(Used):
    """How the points of a file become WGS84, found over all of them (`rule`), for any part of them.

    `steps` are taken one after another; `told`: code and what fills it of every warning they may give, in order.
    """

    settings: Settings
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    steps: list[Callable[[Placed, Points], None]] = field(default_factory=list)
    empty: bool = False

    def __call__(self, points: Points) -> Placed:
        """Points (n,) in WGS84. NaN points stay NaN."""
        out = self.moved(points)
        if not self.empty:
            _refuse(out, np.isfinite(points.x) & np.isfinite(points.y), self.settings)
        return out

    def moved(self, points: Points) -> Placed:
        """The points after the steps so far."""
        used = {part.name: getattr(self, part.name) for part in fields(Used)}
        out = Placed(points.x.astype(float), points.y.astype(float), **used)
        for step in self.steps:
            step(out, points)
        return out

    def move(self, way: Callable[[Array, Array], tuple[Array, Array]]) -> None:
        """A step that all points take: x, y to x, y."""

        def step(out: Placed, points: Points) -> None:
            out.lon, out.lat = way(out.lon, out.lat)

        self.steps.append(step)

    def warn(self, code: str, **params: Any) -> None:
        """A warning about all points."""
        self.told.append((code, params))
        self.steps.append(lambda out, points: out.warnings.append((code, None, params)))


def place(
    x: Array, y: Array, told: Told, settings: Settings, row_datum: NDArray[Any] | None = None, of: Of | None = None
) -> Placed:
    """Points (n,) as they stand in a file to WGS84, all at once; raises as `rule`.

    row_datum (n,): a datum named in the row itself (objects, None where none), counts unless one is given.
    """
    points = Points(x, y, row_datum, of or Of())
    return rule(lambda: (points,), told, settings)(points)


def rule(parts: Parts, told: Told, settings: Settings) -> Rule:
    """Where on earth the points of a file are. parts: all of them, part by part, as often as asked.

    Raises `Refused("choice_needed")` where metres name no zone, `Refused("crs_unknown")`, `Usage("crs_unknown_option")`.
    """
    made = Rule(settings)
    seen = Counter[str]()
    for points in parts():
        seen.update(_seen(points, settings))
    if not seen["there"]:
        made.used, made.empty = "EPSG:4326", True
        return made
    metres = seen["metres"] / seen["there"] > 0.5
    crs = _system(told, made)
    basin_share = seen["basin"] > 0.5 * seen["finite"]
    local = crs is not None and crs.is_projected and _true_origin(crs) and not basin_share
    if crs is not None and crs.is_projected != metres and not local:
        made.warn("crs_contradicts", crs=made.used, seen="m" if metres else "°")
        crs = None
    elif crs is None and told.expected:
        made.warn("crs_missing")
    if metres:
        x, y = _there(parts)
        crs = _metres(made, crs, x, y, settings)
        if made.confidence < settings.crs_sure:
            first = made.moved(Points(x[:1], y[:1]))
            raise _choice(float(first.lon[0]), float(first.lat[0]))
        _project(made, crs)
    elif crs is None:
        made.used, made.how, made.confidence = "EPSG:4326", "detected", 0.9
        _unswap(made, seen, settings)
    else:
        _unswap(made, seen, settings)
        _geographic(made, crs)
    _datum(made, told, parts, crs, settings)
    return made


def _seen(points: Points, settings: Settings) -> dict[str, int]:
    """How many points are there, in metres, in the basin as they stand, turned, either way; how many no latitude can be."""
    x, y = points.x, points.y
    there = np.isfinite(x) & np.isfinite(y)
    with np.errstate(invalid="ignore"):
        as_is, turned = basin(x, y, settings), basin(y, x, settings)
        masks = {
            "there": there, "finite": np.isfinite(x), "metres": there & ((np.abs(x) > 360) | (np.abs(y) > 360)),
            "as_is": as_is, "turned": turned, "basin": as_is | turned, "impossible": _no_latitude(x, y),
        }  # fmt: skip
    return {name: int(np.count_nonzero(mask)) for name, mask in masks.items()}


def _there(parts: Parts) -> tuple[Array, Array]:
    """The coordinates of all points that are there."""
    found = [(p.x[there], p.y[there]) for p in parts() for there in (np.isfinite(p.x) & np.isfinite(p.y),)]
    x, y = zip(*found, strict=True)
    return np.concatenate(x).astype(float), np.concatenate(y).astype(float)


def _no_latitude(x: Array, y: Array) -> Mask:
    return (np.abs(y) > 90) & (np.abs(y) <= 180) & (np.abs(x) <= 90)


def _system(told: Told, out: Rule) -> Any:
    from pyproj import CRS
    from pyproj.exceptions import CRSError

    text = told.given or told.declared
    if not text:
        return None
    out.how = "given" if told.given else "declared"
    try:
        crs = CRS.from_user_input(f"EPSG:{text.strip()}" if text.strip().isdigit() else text)
    except CRSError:
        if told.given:
            raise Usage("crs_unknown_option", crs=text) from None
        raise Refused("crs_unknown", crs=text[:80]) from None
    if crs.is_compound:
        crs = crs.sub_crs_list[0]
    if crs.geodetic_crs is None:  # a grid of somebody's own, which nothing ties to the earth
        if told.given:
            raise Usage("crs_unknown_option", crs=text)
        raise Refused("crs_unknown", crs=text[:80])
    number = crs.to_epsg(min_confidence=60)
    out.used = f"EPSG:{number}" if number else crs.name
    return crs


def _true_origin(crs: Any) -> bool:
    """Projected numbers may be small where the false origin is zero (a local grid)."""
    return abs(_parameter(crs, "False easting")) < 1 and abs(_parameter(crs, "Longitude of natural origin")) < 1e-9


def _parameter(crs: Any, name: str) -> float:
    operation = crs.coordinate_operation
    for parameter in operation.params if operation is not None else ():
        if parameter.name == name:
            return float(parameter.value)
    return 0.0


def _between(values: Array, limits: tuple[float, float]) -> bool:
    low, high = limits
    return bool(low <= float(np.median(values)) <= high)


def _metres(out: Rule, crs: Any, x: Array, y: Array, settings: Settings) -> Any:
    """The projected system of metres: axes as surveyors write them (X north) turned, a zone number in the easting read.

    x, y: all points that are there, after the steps so far.
    """
    from pyproj import CRS

    if crs is not None and not _gauss(crs):
        return crs
    if crs is None and (found := _mercator(out, x, y, settings)) is not None:
        return found
    prefixed = (1.2e7, 4.7e7)
    if _between(x, NORTHING) and (_between(y, EASTING) or _between(y, prefixed)):
        x, y = y, x
        out.move(lambda x, y: (y, x))
        out.warn("axes_swapped", count=len(x))
    zone = int(np.median(x) // 1_000_000)
    has_prefix = _between(x, prefixed) and _between(y, NORTHING)
    if crs is not None:
        easting = _parameter(crs, "False easting")
        middle = _parameter(crs, "Longitude of natural origin")
        if has_prefix and (zone != easting // 1e6 if easting >= 1e6 else middle not in (3 * zone, 6 * zone - 3)):
            # another zone than the one that is named: the number was written with every point
            out.warn("crs_contradicts", crs=out.used, seen=str(zone))
            return _metres(out, None, x, y, settings)
        if has_prefix and easting < 1e6:
            # the numbers carry a zone number that the named system does not expect
            out.move(lambda x, y: (x - zone * 1e6, y))
            out.warn("zone_number_removed", zone=zone, crs=out.used)
        elif _between(x, EASTING) and easting >= 1e7:
            out.move(lambda x, y: (x + (easting // 1e6) * 1e6, y))
            out.warn("zone_number_added", zone=int(easting // 1e6), crs=out.used)
        return crs
    out.how, out.used = "detected", None
    if has_prefix and 25 <= zone <= 45:
        number, out.confidence = 4513 + zone - 25, 0.9
    elif has_prefix and 13 <= zone <= 23:
        number, out.confidence = 4491 + zone - 13, 0.9
    else:
        out.confidence = 0.3
        return None
    out.used = f"EPSG:{number}"
    out.warn("crs_from_numbers", crs=out.used, zone=zone)
    return CRS.from_epsg(number)


def _gauss(crs: Any) -> bool:
    """Whether a projected system is a Gauss-Kruger or other transverse Mercator grid."""
    operation = crs.coordinate_operation
    return operation is not None and "transverse mercator" in operation.method_name.lower()


def _mercator(out: Rule, x: Array, y: Array, settings: Settings) -> Any:
    """Web Mercator where the numbers, read so, lie in the basin and carry no zone number that fits (13-23, 25-45)."""
    from pyproj import CRS, Transformer

    lon, lat = Transformer.from_crs(3857, 4326, always_xy=True).transform(x, y, errcheck=False)
    zone = int(np.median(x) // 1_000_000)
    middle = 3 * zone if zone >= 24 else 6 * zone - 3
    inside = basin(np.asarray(lon), np.asarray(lat), settings)
    numbered = settings.basin_west - 3 <= middle <= settings.basin_east + 3
    if inside.mean() <= 0.5 or numbered:
        return None
    out.how, out.used, out.confidence = "detected", "EPSG:3857", 0.9
    out.warn("crs_from_mercator", crs=out.used)
    return CRS.from_epsg(3857)


def _choice(x: float, y: float) -> Refused:
    """Metres without a zone: every zone of the basin fits; the first point in the two of its middle is shown."""
    from pyproj import Transformer

    readings = []
    for number in (4546, 4547):
        lon, lat = Transformer.from_crs(number, 4326, always_xy=True).transform(x, y)
        readings.append(f"EPSG:{number}: {lon:.4f}, {lat:.4f}")
    return Refused("choice_needed", what="crs", where="", readings=" / ".join(readings), option="--crs EPSG:4547")


def _project(out: Rule, crs: Any) -> None:
    from pyproj import Transformer

    base = crs.geodetic_crs
    target = base if base.to_epsg(min_confidence=60) in SAME_AS_WGS84 or "2000" in base.name else "EPSG:4326"
    transformer = Transformer.from_crs(crs, target, always_xy=True)

    def way(x: Array, y: Array) -> tuple[Array, Array]:
        lon, lat = transformer.transform(x, y, errcheck=False)
        return np.where(np.isfinite(lon), lon, np.nan), np.where(np.isfinite(lat), lat, np.nan)

    out.move(way)
    _tell_base(out, base)


def _geographic(out: Rule, crs: Any) -> None:
    from pyproj import Transformer

    if crs.to_epsg(min_confidence=60) not in SAME_AS_WGS84 and not _is_2000(crs):
        transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)

        def way(x: Array, y: Array) -> tuple[Array, Array]:
            lon, lat = transformer.transform(x, y)
            return np.asarray(lon), np.asarray(lat)

        out.move(way)
    _tell_base(out, crs)


def _is_2000(crs: Any) -> bool:
    name = (crs.name + " " + (crs.datum.name if crs.datum else "")).lower()
    return ("2000" in name and ("china" in name or "cgcs" in name)) or ("wgs" in name and "84" in name)


def _tell_base(out: Rule, crs: Any) -> None:
    if crs.to_epsg(min_confidence=60) in (4490, 4480) or (_is_2000(crs) and "2000" in crs.name):
        out.notes.append(("cgcs2000_as_wgs84", {}))
    elif crs.to_epsg(min_confidence=60) not in SAME_AS_WGS84 and not _is_2000(crs):
        out.warn("datum_approximate", crs=crs.name)


def basin(lon: Array, lat: Array, settings: Settings) -> Mask:
    """Whether points (n,) lie in the box around the basin."""
    inside = (lon >= settings.basin_west) & (lon <= settings.basin_east)
    return inside & (lat >= settings.basin_south) & (lat <= settings.basin_north)


def _unswap(out: Rule, seen: Mapping[str, int], settings: Settings) -> None:
    """Axes the other way round: of all points, or of single ones whose latitude is none."""
    count = seen["there"]
    all_of_them = (seen["turned"] >= 0.9 * count and seen["as_is"] <= 0.1 * count) or seen["impossible"] >= 0.9 * count

    def step(out: Placed, points: Points) -> None:
        x, y = out.lon, out.lat
        there = np.isfinite(x) & np.isfinite(y)
        with np.errstate(invalid="ignore"):
            as_is, turned, impossible = basin(x, y, settings), basin(y, x, settings), _no_latitude(x, y)
        which = there & ~as_is & (turned | impossible) if all_of_them else there & impossible & turned
        if which.any():
            out.lon, out.lat = np.where(which, y, x), np.where(which, x, y)
            out.warnings.append(("axes_swapped", which, {}))

    out.told.append(("axes_swapped", {}))
    out.steps.append(step)


def _datum(out: Rule, told: Told, parts: Parts, crs: Any, settings: Settings) -> None:
    if told.datum:
        out.datum, out.datum_how = told.datum, "given"
        if told.datum != "wgs84":
            given = told.datum
            out.move(lambda x, y: datums.undo(given, x, y))
            out.notes.append(("datum_undone", {"datum": told.datum}))
        return
    found = {datum for points in parts() if points.row_datum is not None for datum in set(points.row_datum) if datum}
    for datum in sorted(found - {"wgs84"}):
        out.steps.append(partial(_undo_named, datum))
        out.told.append(("datum_converted", {"datum": datum}))
        out.datum = datum
    if found:
        out.datum_how = "named"
    elif told.receiver:
        out.datum_how = "receiver"
    elif crs is not None and (crs.is_projected or told.given):
        out.datum_how = "given" if told.given else "declared"  # surveyors' grids have no shifted datum
    else:
        _tested(out, told, parts, settings, declared=crs is not None)


def _undo_named(datum: str, out: Placed, points: Points) -> None:
    if points.row_datum is None:
        return
    rows = points.row_datum == datum
    if rows.any():
        out.lon[rows], out.lat[rows] = datums.undo(datum, out.lon[rows], out.lat[rows])
        out.warnings.append(("datum_converted", rows, {"datum": datum}))


def _tested(out: Rule, told: Told, parts: Parts, settings: Settings, declared: bool) -> None:
    """The datum nobody named, by what is held of the same ground. What a file declares is doubted, never overruled."""
    out.datum_how = "declared" if declared or told.standard else "assumed"
    silent = out.datum_how == "assumed"
    prior = settings.datum_prior_format if told.standard and not declared else settings.datum_prior
    asked = None if told.reference is None else _telling(out, parts, settings)
    if told.reference is None or asked is None:
        if silent:
            out.notes.append(("datum_assumed", {}))
        return
    lon, lat, zone = asked
    found = shifts.weigh(lon, lat, told.reference, settings, prior, zone)
    params = {
        "datum": found.datum, "metres": f"{found.shift_m:.0f}", "group": f"@reference.{found.group}", "accuracy": f"{found.accuracy_m:.0f}",
        "places": found.places, "sure": f"{100 * found.confidence:.1f}",
    }  # fmt: skip
    if silent:
        out.confidence = found.posterior["wgs84"]
    if not found.group:
        if silent:
            out.notes.append(("datum_cannot_tell_coarse" if found.coarse else "datum_assumed", {}))
    elif found.confidence < settings.datum_sure:
        if silent:
            weights = ", ".join(f"{name} {100 * p:.0f} %" for name, p in found.posterior.items())
            out.notes.append(("datum_cannot_tell", {**params, "weights": weights}))
    elif found.datum == "wgs84":
        out.datum_how, out.confidence = "tested", found.confidence
        out.notes.append(("datum_confirmed", params))
    elif declared:
        out.warn("datum_doubtful", **params)
    else:
        out.datum, out.datum_how, out.confidence = found.datum, "tested", found.confidence
        out.move(lambda x, y: datums.undo(found.datum, x, y))
        out.warn("datum_detected", **params)


def _telling(out: Rule, parts: Parts, settings: Settings) -> tuple[Array, Array, NDArray[Any] | None] | None:
    """The points that may tell the datum, as degrees in the file's own, and the zone of each, if any has one; of many as
    many as are looked at, evenly taken. None without any."""

    def used() -> Iterator[tuple[Placed, Mask, Of]]:
        for points in parts():
            placed = out.moved(points)
            with np.errstate(invalid="ignore"):
                use = basin(placed.lon, placed.lat, settings)
            yield placed, use if points.of.telling is None else use & points.of.telling, points.of

    count = sum(int(np.count_nonzero(use)) for _, use, _ in used())
    if not count:
        return None
    step, before = shifts.step_of(count), 0
    lons, lats, zones = list[Array](), list[Array](), list[NDArray[Any]]()
    for placed, use, of in used():
        rows = np.flatnonzero(use)
        zone = None if of.zone is None else of.zone[rows]
        if of.ring is not None:  # lines are walked along: no vertex is left out
            lon, lat, owner = shifts.between(placed.lon[rows], placed.lat[rows], of.ring[rows])
            return lon, lat, None if zone is None else zone[owner]
        taken = rows[-before % step :: step]
        before += len(rows)
        lons.append(placed.lon[taken])
        lats.append(placed.lat[taken])
        zones += [] if of.zone is None else [of.zone[taken]]
    return np.concatenate(lons), np.concatenate(lats), np.concatenate(zones) if zones else None


def _refuse(out: Placed, there: Mask, settings: Settings) -> None:
    with np.errstate(invalid="ignore"):
        lost = there & ~(np.isfinite(out.lon) & np.isfinite(out.lat))
        no_fix = there & ((np.abs(out.lat - 91) < 1e-6) | (np.abs(out.lon - 181) < 1e-6))
        beyond = there & ((np.abs(out.lon) > 180) | (np.abs(out.lat) > 90))
        zero = there & (np.abs(out.lon) < 1e-6) & (np.abs(out.lat) < 1e-6)
        mirrored = there & ~basin(out.lon, out.lat, settings)
        mirrored &= basin(-out.lon, out.lat, settings) | basin(out.lon, -out.lat, settings)
        mirrored |= there & basin(-out.lon, -out.lat, settings)
    out.bad = dict(zip(REFUSED, (no_fix, (beyond | lost) & ~no_fix, zero, mirrored), strict=True))
