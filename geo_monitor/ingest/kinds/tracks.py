"""Fixes of patrols and of traffic. Column-wise throughout: a Python loop runs over distinct names only."""

from __future__ import annotations

import numpy as np

from geo_monitor.ingest import dates, fields, motion
from geo_monitor.ingest.columns import normal
from geo_monitor.ingest.kinds.source import Array, Source, Taken, stamp

KNOT = 1852 / 3600  # m/s
NO_SPEED, NO_HEADING = 102.3, 511  # AIS: not available (knots, degrees)
# an AIS file's unit is its number, not these


def take(source: Source) -> Taken:
    """Rows of `positions`."""
    import pandas as pd

    ledger = source.ledger
    source.need("time", "date")
    if source.raw.shapes is None:
        source.need("lon", "position")
        source.need("lat", "position")
    unit, names, ais = _units(source)
    ms = source.moments("time")
    platform = source.words("platform")
    lon, lat, placed = source.points(telling=np.asarray(pd.isna(platform) | (platform == "boat")))
    ledger.refuse(np.isnan(lon) | np.isnan(lat), "position_missing")
    order = np.lexsort((ms, unit))
    speed = _speed(source, ais, order, unit, ms, lon, lat)
    heading = source.numbers("heading")
    heading = np.where(heading == NO_HEADING, np.nan, heading)
    with np.errstate(invalid="ignore"):
        wrong = (heading < 0) | (heading > 360)
    ledger.warn("heading_beyond", wrong & ~ais, column=source.columns.header("heading"))
    heading = np.where(wrong, np.nan, heading)
    patrol, patrols = _patrols(source, unit, names, ms)
    cut = _jumps(source, order, unit, patrol, ms, lon, lat)
    rows = order[ledger.alive[order]]
    stuck = np.zeros(len(source), dtype=bool)
    stuck[rows] = motion.frozen(
        unit[rows], ms[rows], lon[rows], lat[rows], speed[rows], source.settings.frozen_s, source.settings.frozen_mps
    )
    ledger.warn("track_frozen", stuck, minutes=f"{source.settings.frozen_s / 60:g}")
    patrol, patrols = _pieces(source, cut, order, unit, names, patrol, patrols, ms)
    frame = pd.DataFrame({
        "unit_id": np.array(names, dtype=object)[unit], "patrol_id": np.array([*patrols, None], dtype=object)[patrol],
        "time": stamp(ms), "lon": lon, "lat": lat, "speed": speed, "heading": heading,
        "platform": platform, "role": _roles(source, unit, names, ais), "source": _origin(source, ais),
    })  # fmt: skip
    return Taken(frame, placed)


def _units(source: Source) -> tuple[Array, list[str], Array]:
    """The unit of each row as a code (n,) into names, and whether the row is AIS.

    The MMSI is the unit where a file has one, unless another column plainly names units.
    """
    n = len(source)
    unit, names = source.coded("unit_id")
    number, numbers = source.coded("mmsi")
    match = source.columns.matches.get("unit_id")
    header = normal(match.header) if match else ""
    plain = match is not None and match.step < 3 and header not in fields.VAGUE and not header.startswith("mmsi")
    ais = np.full(n, header.startswith("mmsi") or header == "mmsi")
    if "mmsi" in source and not plain:
        unit = np.where(number >= 0, number + len(names), unit)
        names = names + numbers
        ais |= number >= 0
    if source.raw.fields is not None and "source" in source:
        kind, kinds = source.coded("source")
        ais |= np.array([*(word == "ais" for word in kinds), False])[kind]
    missing = unit < 0
    if missing.any():
        if missing.all():
            source.ledger.note("unit_from_file", unit=source.stem)
        else:
            source.ledger.warn("unit_from_file_some", missing, unit=source.stem)
        unit, names = np.where(missing, len(names), unit), [*names, source.stem]
    # one name, one code: the file's stem or an MMSI may also stand in the other column
    place: dict[str, int] = {}
    codes = np.array([place.setdefault(name, len(place)) for name in names], dtype=np.int64)
    return (codes[unit] if n else unit), list(place), ais


def _patrols(source: Source, unit: Array, names: list[str], ms: Array) -> tuple[Array, list[str]]:
    """The patrol of each row as a code (n,) into ids, -1 where none.

    A reader's own numbering (a GPX track) is unique in its file only: such a patrol is named after unit and first fix.
    """
    patrol, patrols = source.coded("patrol_id")
    if source.raw.fields is None or not patrols:
        return patrol, patrols
    pair = np.where((patrol >= 0) & (ms != dates.NAT), unit * len(patrols) + patrol, -1)
    found, where, codes = np.unique(pair, return_index=True, return_inverse=True)
    first = np.full(len(found), np.iinfo(np.int64).max)
    np.minimum.at(first, codes.reshape(-1), ms)
    ids = [_named(names[unit[at]], begin) for at, begin in zip(where[found >= 0], first[found >= 0], strict=True)]
    return np.where(pair >= 0, codes.reshape(-1) - int(found[0] < 0), -1), ids


def _named(unit: str, ms: int) -> str:
    """As effort names a patrol without id: after its unit and first fix, `unit@20260531T150500Z`."""
    moment = str(np.datetime64(int(ms), "ms").astype("datetime64[s]")).replace("-", "").replace(":", "")
    return f"{unit}@{moment}Z"


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
    told = motion.speed_unit(unit[good], ms[good], lon[good], lat[good], speed[good])
    if told is None or told[1] < 0.6:
        source.ledger.note("speed_unit", unit="m/s", column=match.header)
        return speed
    unit_name = {1.0: "m/s", KNOT: "kn"}.get(told[0], "km/h")
    source.ledger.note("speed_unit", unit=unit_name, column=match.header)
    return speed * told[0]


def _roles(source: Source, unit: Array, names: list[str], ais: Array) -> Array:
    """patrol, but traffic for AIS of strangers: numbers that belong to no unit held."""
    import pandas as pd

    n = len(source)
    if source.options.role:
        return np.full(n, source.options.role, dtype=object)
    default = np.full(n, "patrol", dtype=object)
    if ais.any():
        ours = source.held.mmsi() | set(source.held.records("units")["unit_id"].dropna())
        strange = ais & ~np.array([name in ours for name in names], dtype=bool)[unit]
        default[strange] = "traffic"
        if strange.any():
            source.ledger.note("ais_traffic", units=len(np.unique(unit[strange])))
    role = source.words("role")
    return np.where(pd.isna(role), default, role)


def _origin(source: Source, ais: Array) -> Array:
    """What gave the fix: told in the rows, else the format, else AIS where the unit is an MMSI."""
    import pandas as pd

    told = source.words("source")
    default = np.where(ais, "ais", np.full(len(source), source.raw.source, dtype=object))
    return np.where(pd.isna(told), default, told)


def _jumps(source: Source, order: Array, unit: Array, patrol: Array, ms: Array, lon: Array, lat: Array) -> Array:
    """Refuses lone wrong fixes; gives (n,) the rows at which a track is cut because the way can't have been travelled."""
    settings, ledger = source.settings, source.ledger
    cut = np.zeros(len(source), dtype=bool)
    rows = order[ledger.alive[order]]
    if not len(rows):
        return cut
    track = unit[rows] * (int(patrol.max()) + 2) + patrol[rows] + 1
    if (np.diff(track) < 0).any():
        again = np.argsort(track, kind="stable")
        rows, track = rows[again], track[again]
    first = np.r_[True, (np.diff(track) != 0) | (np.diff(ms[rows]) != 0)]  # one fix a moment; clashes come later
    rows, track = rows[first], track[first]
    alone, begins = motion.jumps(track, ms[rows], lon[rows], lat[rows], settings.jump_mps, settings.jump_slack_m)
    lone = np.zeros(len(source), dtype=bool)
    lone[rows[alone]] = True
    ledger.refuse(lone, "fix_jump", speed=f"{settings.jump_mps:g}")
    cut[rows[begins]] = True
    ledger.warn("track_cut", cut, speed=f"{settings.jump_mps:g}")
    return cut


def _pieces(
    source: Source,
    cut: Array,
    order: Array,
    unit: Array,
    names: list[str],
    patrol: Array,
    patrols: list[str],
    ms: Array,
) -> tuple[Array, list[str]]:
    """What lies after a cut is a patrol of its own, so that nobody draws or counts a way across: patrols anew.

    Pieces end at the next cut, where the patrol changes, and at a gap that ends a patrol. Tracks without a cut stay as
    they are.
    """
    if not cut.any():
        return patrol, patrols
    rows = order[source.ledger.alive[order]]
    key = unit[rows] * (len(patrols) + 1) + patrol[rows] + 1
    again = np.argsort(key, kind="stable")
    rows, key = rows[again], key[again]
    gap = np.diff(ms[rows]) > source.settings.patrol_split_s * 1000
    nameless = patrol[rows][1:] < 0
    begins = np.r_[True, (np.diff(key) != 0) | cut[rows][1:] | (gap & nameless)]
    torn = np.isin(key, key[cut[rows]])
    starts = np.flatnonzero(begins)
    patrol, patrols = patrol.copy(), list(patrols)
    for number, start in enumerate(starts.tolist()):
        row = rows[start]
        if not torn[start] or (patrol[row] >= 0 and not cut[row]):
            continue  # the first piece of a named patrol keeps the name
        end = starts[number + 1] if number + 1 < len(starts) else len(rows)
        base = names[unit[row]] if patrol[row] < 0 else patrols[patrol[row]]
        patrol[rows[start:end]] = len(patrols)
        patrols.append(_named(base, ms[row]))
    return patrol, patrols
