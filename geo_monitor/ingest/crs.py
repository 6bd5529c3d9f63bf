"""Where on earth the numbers are: the reference system told or found, swapped axes, datum, to WGS84 degrees.

China Geodetic Coordinate System 2000 (EPSG:4490) and WGS84 agree within centimetres and are taken as one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
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


@dataclass
class Placed:
    """WGS84 degrees of every point, why a point could not be placed, what was used, what is to be told."""

    lon: Array
    lat: Array
    bad: dict[str, Mask] = field(default_factory=dict)
    used: str | None = None
    how: str = "detected"
    datum: str = "wgs84"
    datum_how: str = "assumed"
    confidence: float = 1.0
    notes: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    warnings: list[tuple[str, Mask | None, dict[str, Any]]] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """`datum_how`: given (option), named (in the rows), receiver (NMEA, AIS), declared (by file or format), tested
        (against a reference), assumed."""
        return {
            "used": self.used, "how": self.how, "datum": self.datum, "confidence": round(self.confidence, 4),
            "datum_how": self.datum_how,
        }  # fmt: skip


def place(
    x: Array, y: Array, told: Told, settings: Settings, row_datum: NDArray[Any] | None = None, of: Of | None = None
) -> Placed:
    """Points (n,) as they stand in a file to WGS84. NaN points stay NaN.

    row_datum (n,): a datum named in the row itself (objects, None where none), counts unless one is given.
    Raises `Refused("choice_needed")` where metres name no zone, `Refused("crs_unknown")`, `Usage("crs_unknown_option")`.
    """
    x, y = x.astype(float).copy(), y.astype(float).copy()
    there = np.isfinite(x) & np.isfinite(y)
    out = Placed(x, y)
    if not there.any():
        out.used = "EPSG:4326"
        return out
    metres = float(np.mean((np.abs(x[there]) > 360) | (np.abs(y[there]) > 360))) > 0.5
    crs = _system(told, out)
    local = crs is not None and crs.is_projected and _true_origin(crs) and not _basin_share(out.lon, out.lat, settings)
    if crs is not None and crs.is_projected != metres and not local:
        out.warnings.append(("crs_contradicts", None, {"crs": out.used, "seen": "m" if metres else "°"}))
        crs = None
    elif crs is None and told.expected:
        out.warnings.append(("crs_missing", None, {}))
    if metres:
        crs = _metres(out, crs, there, settings)
        if out.confidence < settings.crs_sure:
            raise _choice(out, there)
        _project(out, crs)
    elif crs is None:
        out.used, out.how, out.confidence = "EPSG:4326", "detected", 0.9
        _unswap(out, there, settings)
    else:
        _unswap(out, there, settings)
        _geographic(out, crs)
    _datum(out, told, row_datum, crs, settings, of or Of())
    _refuse(out, there, settings)
    return out


def _system(told: Told, out: Placed) -> Any:
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


def _basin_share(lon: Array, lat: Array, settings: Settings) -> bool:
    """Whether most points lie in the basin if these are degrees."""
    with np.errstate(invalid="ignore"):
        inside = basin(lon, lat, settings) | basin(lat, lon, settings)
    return bool(inside.sum() > 0.5 * np.isfinite(lon).sum())


def _between(values: Array, limits: tuple[float, float]) -> bool:
    low, high = limits
    return bool(low <= float(np.median(values)) <= high)


def _metres(out: Placed, crs: Any, there: Mask, settings: Settings) -> Any:
    """The projected system of metres: axes as surveyors write them (X north) turned, a zone number in the easting read."""
    from pyproj import CRS

    if crs is not None and not _gauss(crs):
        return crs
    x, y = out.lon[there], out.lat[there]
    if crs is None and (found := _mercator(out, x, y, settings)) is not None:
        return found
    prefixed = (1.2e7, 4.7e7)
    if _between(x, NORTHING) and (_between(y, EASTING) or _between(y, prefixed)):
        out.lon, out.lat = out.lat, out.lon
        x, y = y, x
        out.warnings.append(("axes_swapped", None, {"count": int(there.sum())}))
    zone = int(np.median(x) // 1_000_000)
    has_prefix = _between(x, prefixed) and _between(y, NORTHING)
    if crs is not None:
        easting = _parameter(crs, "False easting")
        middle = _parameter(crs, "Longitude of natural origin")
        if has_prefix and (zone != easting // 1e6 if easting >= 1e6 else middle not in (3 * zone, 6 * zone - 3)):
            # another zone than the one that is named: the number was written with every point
            out.warnings.append(("crs_contradicts", None, {"crs": out.used, "seen": str(zone)}))
            return _metres(out, None, there, settings)
        if has_prefix and easting < 1e6:
            # the numbers carry a zone number that the named system does not expect
            out.lon = np.where(there, out.lon - zone * 1e6, out.lon)
            out.warnings.append(("zone_number_removed", None, {"zone": zone, "crs": out.used}))
        elif _between(x, EASTING) and easting >= 1e7:
            out.lon = np.where(there, out.lon + (easting // 1e6) * 1e6, out.lon)
            out.warnings.append(("zone_number_added", None, {"zone": int(easting // 1e6), "crs": out.used}))
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
    out.warnings.append(("crs_from_numbers", None, {"crs": out.used, "zone": zone}))
    return CRS.from_epsg(number)


def _gauss(crs: Any) -> bool:
    """Whether a projected system is a Gauss-Kruger or other transverse Mercator grid."""
    operation = crs.coordinate_operation
    return operation is not None and "transverse mercator" in operation.method_name.lower()


def _mercator(out: Placed, x: Array, y: Array, settings: Settings) -> Any:
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
    out.warnings.append(("crs_from_mercator", None, {"crs": out.used}))
    return CRS.from_epsg(3857)


def _choice(out: Placed, there: Mask) -> Refused:
    """Metres without a zone: every zone of the basin fits; the two in its middle are shown."""
    from pyproj import Transformer

    readings = []
    for number in (4546, 4547):
        transformer = Transformer.from_crs(number, 4326, always_xy=True)
        lon, lat = transformer.transform(out.lon[there][0], out.lat[there][0])
        readings.append(f"EPSG:{number}: {lon:.4f}, {lat:.4f}")
    return Refused("choice_needed", what="crs", where="", readings=" / ".join(readings), option="--crs EPSG:4547")


def _project(out: Placed, crs: Any) -> None:
    from pyproj import Transformer

    base = crs.geodetic_crs
    target = base if base.to_epsg(min_confidence=60) in SAME_AS_WGS84 or "2000" in base.name else "EPSG:4326"
    transformer = Transformer.from_crs(crs, target, always_xy=True)
    lon, lat = transformer.transform(out.lon, out.lat, errcheck=False)
    out.lon = np.where(np.isfinite(lon), lon, np.nan)
    out.lat = np.where(np.isfinite(lat), lat, np.nan)
    _tell_base(out, base)


def _geographic(out: Placed, crs: Any) -> None:
    from pyproj import Transformer

    if crs.to_epsg(min_confidence=60) not in SAME_AS_WGS84 and not _is_2000(crs):
        transformer = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
        out.lon, out.lat = (np.asarray(part) for part in transformer.transform(out.lon, out.lat))
    _tell_base(out, crs)


def _is_2000(crs: Any) -> bool:
    name = (crs.name + " " + (crs.datum.name if crs.datum else "")).lower()
    return ("2000" in name and ("china" in name or "cgcs" in name)) or ("wgs" in name and "84" in name)


def _tell_base(out: Placed, crs: Any) -> None:
    if crs.to_epsg(min_confidence=60) in (4490, 4480) or (_is_2000(crs) and "2000" in crs.name):
        out.notes.append(("cgcs2000_as_wgs84", {}))
    elif crs.to_epsg(min_confidence=60) not in SAME_AS_WGS84 and not _is_2000(crs):
        out.warnings.append(("datum_approximate", None, {"crs": crs.name}))


def basin(lon: Array, lat: Array, settings: Settings) -> Mask:
    """Whether points (n,) lie in the box around the basin."""
    inside = (lon >= settings.basin_west) & (lon <= settings.basin_east)
    return inside & (lat >= settings.basin_south) & (lat <= settings.basin_north)


def _unswap(out: Placed, there: Mask, settings: Settings) -> None:
    """Axes the other way round: of all points, or of single ones whose latitude is none."""
    x, y = out.lon, out.lat
    with np.errstate(invalid="ignore"):
        as_is, turned = basin(x, y, settings), basin(y, x, settings)
        impossible = (np.abs(y) > 90) & (np.abs(y) <= 180) & (np.abs(x) <= 90)
    count = int(there.sum())
    if (turned.sum() >= 0.9 * count and as_is.sum() <= 0.1 * count) or impossible.sum() >= 0.9 * count:
        which = there & ~as_is & (turned | impossible)
    else:
        which = there & impossible & turned
    if which.any():
        out.lon, out.lat = np.where(which, y, x), np.where(which, x, y)
        out.warnings.append(("axes_swapped", which, {}))


def _datum(
    out: Placed, told: Told, row_datum: NDArray[Any] | None, crs: Any, settings: Settings, of: Of
) -> None:  # fmt: skip
    if told.datum:
        out.datum, out.datum_how = told.datum, "given"
        out.lon, out.lat = datums.undo(told.datum, out.lon, out.lat)
        if told.datum != "wgs84":
            out.notes.append(("datum_undone", {"datum": told.datum}))
        return
    named = np.full(len(out.lon), None, dtype=object) if row_datum is None else row_datum
    found = {datum for datum in named.tolist() if datum}
    for datum in sorted(found - {"wgs84"}):
        rows = named == datum
        lon, lat = datums.undo(datum, out.lon[rows], out.lat[rows])
        out.lon[rows], out.lat[rows] = lon, lat
        out.warnings.append(("datum_converted", rows, {"datum": datum}))
        out.datum = datum
    if found:
        out.datum_how = "named"
    elif told.receiver:
        out.datum_how = "receiver"
    elif crs is not None and (crs.is_projected or told.given):
        out.datum_how = "given" if told.given else "declared"  # surveyors' grids have no shifted datum
    else:
        _tested(out, told, settings, of, declared=crs is not None)


def _tested(out: Placed, told: Told, settings: Settings, of: Of, declared: bool) -> None:
    """The datum nobody named, by what is held of the same ground. What a file declares is doubted, never overruled."""
    out.datum_how = "declared" if declared or told.standard else "assumed"
    silent = out.datum_how == "assumed"
    prior = settings.datum_prior_format if told.standard and not declared else settings.datum_prior
    with np.errstate(invalid="ignore"):
        use = basin(out.lon, out.lat, settings) & (
            np.ones(len(out.lon), dtype=bool) if of.telling is None else of.telling
        )
    if told.reference is None or not use.any():
        if silent:
            out.notes.append(("datum_assumed", {}))
        return
    zone = None if of.zone is None else of.zone[use]
    lon, lat = out.lon[use], out.lat[use]
    if of.ring is not None:
        lon, lat, owner = shifts.between(lon, lat, of.ring[use])
        zone = None if zone is None else zone[owner]
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
        out.warnings.append(("datum_doubtful", None, params))
    else:
        out.datum, out.datum_how, out.confidence = found.datum, "tested", found.confidence
        out.lon, out.lat = datums.undo(found.datum, out.lon, out.lat)
        out.warnings.append(("datum_detected", None, params))


def _refuse(out: Placed, there: Mask, settings: Settings) -> None:
    with np.errstate(invalid="ignore"):
        lost = there & ~(np.isfinite(out.lon) & np.isfinite(out.lat))
        no_fix = there & ((np.abs(out.lat - 91) < 1e-6) | (np.abs(out.lon - 181) < 1e-6))
        beyond = there & ((np.abs(out.lon) > 180) | (np.abs(out.lat) > 90))
        zero = there & (np.abs(out.lon) < 1e-6) & (np.abs(out.lat) < 1e-6)
        mirrored = there & ~basin(out.lon, out.lat, settings)
        mirrored &= basin(-out.lon, out.lat, settings) | basin(out.lon, -out.lat, settings)
        mirrored |= there & basin(-out.lon, -out.lat, settings)
    out.bad = {
        "position_not_available": no_fix,
        "coordinate_beyond_earth": (beyond | lost) & ~no_fix,
        "null_island": zero,
        "wrong_hemisphere": mirrored,
    }
