"""Fixes of patrols and of traffic."""

from __future__ import annotations

import numpy as np

from geo_monitor.ingest import dates, motion
from geo_monitor.ingest.columns import normal
from geo_monitor.ingest.kinds.source import Array, Source, Taken, or_else, stamp

KNOT = 1852 / 3600  # m/s
NO_SPEED, NO_HEADING = 102.3, 511  # AIS: not available (knots, degrees)
VAGUE = {
    "name",
    "id",
    "编号",
    "名称",
    "shipname",
    "vesselname",
    "船舶名称",
}  # an AIS file's unit is its number, not these


def take(source: Source) -> Taken:
    """Rows of `positions`."""
    import pandas as pd

    ledger, n = source.ledger, len(source)
    source.need("time", "date")
    if source.raw.shapes is None:
        source.need("lon", "position")
        source.need("lat", "position")
    unit, ais = _units(source)
    ms = source.moments("time")
    lon, lat, placed = source.points()
    ledger.refuse(np.isnan(lon) | np.isnan(lat), "position_missing")
    order = np.lexsort((ms, _codes(unit)))
    speed = _speed(source, ais, order, unit, ms, lon, lat)
    heading = source.numbers("heading")
    heading = np.where(heading == NO_HEADING, np.nan, heading)
    wrong = (heading < 0) | (heading > 360)
    ledger.warn("heading_beyond", wrong & ~ais, column=source.columns.header("heading"))
    heading = np.where(wrong, np.nan, heading)
    kind = source.texts("source")
    origin = (
        source.words("source")
        if any(cell is not None for cell in kind)
        else np.full(n, source.raw.source, dtype=object)
    )
    origin = np.where(np.array([cell is None for cell in origin]) & ais, "ais", origin)
    patrol = source.texts("patrol_id")
    if source.raw.fields is not None and "patrol_id" in source:  # a reader's own numbering is unique in its file only
        patrol = np.array([None if cell is None else f"{source.stem}#{cell}" for cell in patrol], dtype=object)
    alive = ledger.alive
    _move(source, order, unit, patrol, ms, lon, lat, alive)
    frame = pd.DataFrame({
        "unit_id": unit, "patrol_id": patrol, "time": stamp(ms), "lon": lon, "lat": lat, "speed": speed, "heading": heading,
        "platform": source.words("platform"), "role": _roles(source, unit, ais), "source": origin,
    })  # fmt: skip
    return Taken(frame, placed)


def _units(source: Source) -> tuple[Array, Array]:
    """The unit of each row, and whether the row is AIS."""
    n = len(source)
    unit, mmsi = source.texts("unit_id"), source.texts("mmsi")
    header = normal(source.columns.header("unit_id") or "")
    has_mmsi = np.array([cell is not None for cell in mmsi], dtype=bool)
    by_number = has_mmsi & (header in VAGUE or "unit_id" not in source or header == "mmsi")
    by_number |= np.full(n, header.startswith("mmsi"))
    unit = np.where(by_number & has_mmsi, mmsi, unit)
    ais = by_number | (
        np.array([cell == "ais" for cell in source.texts("source")]) if source.raw.fields else np.zeros(n, bool)
    )
    missing = np.array([cell is None for cell in unit], dtype=bool)
    if missing.all() and n:
        source.ledger.note("unit_from_file", unit=source.stem)
        unit = np.full(n, source.stem, dtype=object)
    elif missing.any():
        source.ledger.warn("unit_from_file_some", missing, unit=source.stem)
        unit = or_else(unit, np.full(n, source.stem, dtype=object))
    return unit, ais


def _codes(names: Array) -> Array:
    return np.unique(names.astype(str), return_inverse=True)[1].reshape(-1)


def _speed(source: Source, ais: Array, order: Array, unit: Array, ms: Array, lon: Array, lat: Array) -> Array:
    """m/s. A unit in the header or the cells counts; SOG of AIS is knots; else the track itself tells, else m/s."""
    if "speed" not in source:
        return np.full(len(source), np.nan)
    speed = source.numbers("speed", low=0.0)
    match = source.columns.matches["speed"]
    if source.raw.fields is not None or match.unit:
        return speed
    if normal(match.header) in {"sog", "speedoverground"} or ais.all():
        speed = np.where(np.abs(speed - NO_SPEED) < 1e-6, np.nan, speed)
        source.ledger.note("speed_unit", unit="kn", column=match.header)
        return speed * KNOT
    good = order[(ms[order] != dates.NAT) & ~np.isnan(lon[order])]
    told = motion.speed_unit(_codes(unit)[good], ms[good], lon[good], lat[good], speed[good])
    if told is None or told[1] < 0.6:
        source.ledger.note("speed_unit", unit="m/s", column=match.header)
        return speed
    unit_name = {1.0: "m/s", KNOT: "kn"}.get(told[0], "km/h")
    source.ledger.note("speed_unit", unit=unit_name, column=match.header)
    return speed * told[0]


def _roles(source: Source, unit: Array, ais: Array) -> Array:
    """patrol, but traffic for AIS of strangers: numbers that belong to no unit held."""
    n = len(source)
    if source.options.role:
        return np.full(n, source.options.role, dtype=object)
    role = source.words("role")
    default = np.full(n, "patrol", dtype=object)
    if ais.any():
        ours = source.held.mmsi() | set(source.held.records("units")["unit_id"].dropna())
        known = np.array([cell in ours for cell in unit.tolist()], dtype=bool)
        default[ais & ~known] = "traffic"
        strangers = len({cell for cell in unit[ais & ~known].tolist()})
        if strangers:
            source.ledger.note("ais_traffic", units=strangers)
    return or_else(role, default)


def _move(
    source: Source, order: Array, unit: Array, patrol: Array, ms: Array, lon: Array, lat: Array, alive: Array
) -> None:
    """Refuses lone wrong fixes; tells where a track was cut because the way can't have been travelled."""
    rows = order[alive[order]]
    if not len(rows):
        return
    names = np.array([f"{a}\x1f{b}" for a, b in zip(unit[rows], patrol[rows], strict=True)], dtype=object)
    track = _codes(names)
    again = np.lexsort((np.arange(len(rows)), ms[rows], track))
    rows, track = rows[again], track[again]
    first = np.r_[True, (np.diff(track) != 0) | (np.diff(ms[rows]) != 0)]
    rows, track = rows[first], track[first]
    alone, cut = motion.jumps(
        track, ms[rows], lon[rows], lat[rows], source.settings.jump_mps, source.settings.jump_slack_m
    )
    mask = np.zeros(len(source), dtype=bool)
    mask[rows[alone]] = True
    source.ledger.refuse(mask, "fix_jump", speed=f"{source.settings.jump_mps:g}")
    mask = np.zeros(len(source), dtype=bool)
    mask[rows[cut]] = True
    source.ledger.warn("track_cut", mask, speed=f"{source.settings.jump_mps:g}")
