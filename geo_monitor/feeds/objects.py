"""A position as a JSON object to a fix. Names of fields and words for values are those that uploads may use."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from geo_monitor.errors import Refused
from geo_monitor.feeds.fix import Fix
from geo_monitor.ingest import columns, dates, numbers, vocabulary
from geo_monitor.ingest.columns import Columns, normal
from geo_monitor.ingest.fields import VAGUE
from geo_monitor.ingest.readers.ais import KNOT
from geo_monitor.ingest.text import clean
from geo_monitor.tables import PLATFORMS, ROLES, SOURCES, TIMEZONE

KEYS = 64  # fields of one object; more is no position
NAME = 80  # characters of a unit's name
_ZONE = ZoneInfo(TIMEZONE)
_ALLOWED = {"role": ROLES, "source": SOURCES, "platform": PLATFORMS}
_WGS84 = frozenset(("wgs84", "epsg4326", "4326", "cgcs2000", "epsg4490", "4490", "国家2000", "wgs1984"))
_WHOLE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d")
_COMPACT = re.compile(r"(?:19|20)\d{12}")  # yyyymmddhhmmss
_NONE = (None, "")
_NEEDED = frozenset(("unit_id", "time", "lon", "lat"))
OURS = _NEEDED | {"speed", "heading", "role", "source", "platform"}


def fix(value: Mapping[str, Any], role: str | None, owner: str | None = None) -> Fix | str:
    """The fix of a JSON object, or the code that tells why there is none. role, owner: its role and unit where the object
    tells none.

    >>> fix({"unit_id": "渔政1", "time": "2026-05-31T23:10:00+08:00", "lon": 112.1, "lat": 30.0, "speed": 3.1}, None)[:6]
    ('渔政1', 1780240200000, 112.1, 30.0, 3.1, None)
    >>> fix({"unit_id": "渔政1", "time": "2026-05-31T23:10:00+08:00", "lon": 112.1}, None)
    'position_missing'
    """
    get = value.get
    unit, when, lon, lat = get("unit_id"), get("time"), get("lon"), get("lat")
    speed, heading, told, source, platform = (
        get("speed"), get("heading"), get("role"), get("source"), get("platform"),
    )  # fmt: skip
    zone, knots = None, 1.0
    if not (value.keys() <= OURS and value.keys() >= _NEEDED):  # other words for the same things
        if len(value) > KEYS:
            return "feed_json"
        names = tuple(key for key, cell in value.items() if isinstance(cell, str | int | float))
        found = _fields(names)
        if found is None:
            return "feed_json"
        cells = {name: value[match.header] for name, match in found.matches.items()}
        datum = cells.get("datum")
        if datum not in _NONE and normal(str(datum)).replace(":", "") not in _WGS84:
            return "feed_datum"
        (unit, ais), lon, lat = _unit(found, cells), cells.get("lon"), cells.get("lat")
        when, zone = cells.get("time"), found.zone("time")
        if when in _NONE and cells.get("date") not in _NONE and cells.get("clock") not in _NONE:
            when, zone = f"{cells['date']} {cells['clock']}", found.zone("clock") or found.zone("date")
        speed, heading = cells.get("speed"), cells.get("heading")
        told, source, platform = cells.get("role"), cells.get("source"), cells.get("platform")
        source = "ais" if ais and source in _NONE else source
        if "speed" in found.matches:
            match = found.matches["speed"]
            knots = KNOT if normal(match.header) in ("sog", "speedoverground") else match.factor
    who = name(owner if unit in _NONE else unit)
    if not who:
        return "feed_no_unit"
    ms = moment(when, zone)
    if ms is None:
        return "feed_no_time" if when in _NONE else "feed_time"
    x, y = number(lon), number(lat)
    if x is None or y is None:
        return "position_missing" if lon in _NONE or lat in _NONE else "coordinate_not_finite"
    moving = _speed(speed, knots)
    if isinstance(moving, str):
        return moving
    ahead = _heading(heading)
    if isinstance(ahead, str):
        return ahead
    words = {}
    for field, cell in (("role", told), ("source", source), ("platform", platform)):
        word = cell if cell in _ALLOWED[field] else _word(field, cell) if isinstance(cell, str) else None
        if word is None and cell not in _NONE and field == "role":
            return "feed_role"
        words[field] = word
    default = "traffic" if words["source"] == "ais" else "patrol"
    return checked(
        Fix(who, ms, x, y, moving, ahead, words["role"] or role or default, words["source"], words["platform"])
    )


def checked(found: Fix) -> Fix | str:
    """The fix, where its place is one on Earth; else why not."""
    if not (-180 <= found.lon <= 180 and -90 <= found.lat <= 90):
        return "coordinate_beyond_earth"
    if found.lon == 0 and found.lat == 0:
        return "null_island"
    return found


def placed(value: Mapping[str, Any]) -> bool:
    """Whether an object has fields for a position.

    >>> placed({"device": "a", "纬度": 30, "经度": 112}), placed({"device": "a", "code": 0})
    (True, False)
    """
    if "lon" in value and "lat" in value:
        return True
    found = _fields(tuple(value)) if len(value) <= KEYS else None
    return found is not None and "lon" in found and "lat" in found


def name(unit: Any) -> str | None:
    """The name of a unit, trimmed; None where it is none (or absurdly long)."""
    if isinstance(unit, bool) or not isinstance(unit, str | int):
        return None
    if isinstance(unit, int) and abs(unit) >= 10**18:
        return None
    told = " ".join(clean(str(unit)).split())
    return told if 0 < len(told) <= NAME and told.isprintable() else None


def number(cell: Any) -> float | None:
    """A finite number, also one written as text."""
    if isinstance(cell, float | int) and not isinstance(cell, bool):
        try:
            value = float(cell)
        except OverflowError:
            return None
    elif isinstance(cell, str) and len(cell) <= 40:
        told = numbers.loose(cell, "")
        if told is None:
            return None
        value = told
    else:
        return None
    return value if math.isfinite(value) else None


def moment(when: Any, zone: str | None = None) -> int | None:
    """ms UTC of a time with its day: ISO 8601 (without zone Asia/Shanghai, or what `zone` says), as people in China
    write it (yyyymmddhhmmss too), or a number of seconds or milliseconds since 1970.

    >>> moment("2026-05-31T23:10:00"), moment(1780240200), moment("1780240200000"), moment("2026年5月31日 23时10分")
    (1780240200000, 1780240200000, 1780240200000, 1780240200000)
    >>> moment("20260531231000"), moment(20260531151000, "utc")
    (1780240200000, 1780240200000)
    >>> moment("23:10"), moment("2026-05-31"), moment(20260531), moment("31/02/2026 10:00")
    (None, None, None, None)
    """
    if isinstance(when, bool):
        return None
    if isinstance(when, int) and _COMPACT.fullmatch(str(when)):
        when = str(when)
    if isinstance(when, str):
        told = when.strip()
        if _COMPACT.fullmatch(told):
            told = f"{told[:4]}-{told[4:6]}-{told[6:8]} {told[8:10]}:{told[10:12]}:{told[12:]}"
        if len(told) > 60:
            return None
        if _WHOLE.match(told):
            try:
                at = datetime.fromisoformat(told)
                at = at if at.tzinfo else at.replace(tzinfo=UTC if zone == "utc" else _ZONE)
                return round(at.timestamp() * 1000)
            except (ValueError, OverflowError):
                pass  # 24:00, "北京时间" and the like: the general reader knows them
        if not re.fullmatch(r"\d+(\.\d+)?", told):
            found = dates.parse(pa.array([told], pa.string()), zone)
            unsure = found.bad[0] or found.clock[0] or found.bare[0] or set(found.notes) & set(dates.ORDER_DOUBTS)
            return None if unsure or found.ms[0] == dates.NAT else int(found.ms[0])
        if len(told) > 20:
            return None
        when = float(told)
    if not isinstance(when, int | float):
        return None
    if 1e8 <= when < 1e11:
        return round(when * 1000)
    return round(when) if 1e11 <= when < 1e13 else None


@lru_cache(maxsize=256)
def _fields(names: tuple[str, ...]) -> Columns | None:
    try:
        return columns.match("tracks", names)
    except Refused:
        return None


def _unit(found: Columns, cells: Mapping[str, Any]) -> tuple[Any, bool]:
    """Whose fix it is, as in uploads: a field that plainly names units, then the MMSI (True: that is AIS), then any name."""
    unit, mmsi = cells.get("unit_id"), cells.get("mmsi")
    match = found.matches.get("unit_id")
    plain = match is not None and match.step < 3 and normal(match.header) not in VAGUE
    if mmsi in _NONE or (plain and unit not in _NONE):
        return unit, False
    return (str(mmsi).zfill(9) if isinstance(mmsi, str | int) and not isinstance(mmsi, bool) else mmsi), True


@lru_cache(maxsize=1024)
def _word(field: str, cell: str) -> str | None:
    if len(cell) > 40:
        return None
    values, _ = vocabulary.translate(field, np.array([cell], dtype=object))
    return values[0]


def _speed(cell: Any, factor: float) -> float | str | None:
    """m/s; -1 and 102.3 knots mean "not known"."""
    if cell in _NONE:
        return None
    value = number(cell)
    if value is None and isinstance(cell, str) and len(cell) <= 40:
        value = numbers.loose(cell, "speed")
        factor = 1.0
    if value is None or (value < 0 and value != -1):
        return "feed_number"
    return None if value == -1 or (factor == KNOT and value == 102.3) else value * factor


def _heading(cell: Any) -> float | str | None:
    """Degrees, 0 to under 360; -1, 360 of AIS courses and 511 mean "not known" or north."""
    if cell in _NONE:
        return None
    value = number(cell)
    if value is None:
        return "feed_number"
    if value in (-1, 511):
        return None
    return value % 360 if 0 <= value <= 360 else "feed_number"
