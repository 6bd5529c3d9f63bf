"""JSON as programs send it, in our words: wrappers opened, GeoJSON, OwnTracks, gpsd, AIS-catcher, queries of phones.

What none of them wrote is opened too, so that `{"device_id": …, "location": {"coords": {"latitude": …}}}` needs no grammar
of its own: of two fields with one name the outer counts, of two at one depth the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from geo_monitor.feeds import objects
from geo_monitor.ingest.readers.ais import KNOT, POSITION_TYPES, UNKNOWN_KNOTS

DEPTH = 6  # objects within objects; deeper ones are not looked at
GPSD = frozenset(("VERSION", "DEVICES", "DEVICE", "WATCH", "SKY", "GST", "ATT", "IMU", "TOFF", "PPS", "OSC", "POLL", "ERROR", "RTCM2",
                  "RTCM3", "SUBFRAME", "RAW"))  # fmt: skip
TRACCAR = frozenset(("deviceId", "fixTime"))
GEOJSON = ("Feature", "FeatureCollection")
KMH = 1 / 3.6
# fields whose unit programs disagree on (metres a second, knots), in a query that names none
UNSURE = ("speed", "spd", "s")

When = Callable[[int | None], int | str]


def each(value: Any, outer: Mapping[str, Any] | None = None, depth: int = 0) -> Iterator[Any]:
    """What may be a position each: the members of a list, of a GeoJSON collection, of a wrapper around lists of objects
    (which tells them what they do not tell themselves); of an object itself, opened.

    >>> list(each({"device": "a", "locations": [{"lat": 30, "lon": 112}]}))
    [{'lat': 30, 'lon': 112, 'device': 'a'}]
    >>> list(each({"device_id": "a", "location": {"coords": {"latitude": 30, "longitude": 112}}}))
    [{'device_id': 'a', 'latitude': 30, 'longitude': 112}]
    >>> list(each({"type": "Feature", "geometry": {"type": "Point", "coordinates": [112, 30]}, "properties": {"unit_id": "a"}}))
    [{'lon': 112, 'lat': 30, 'unit_id': 'a'}]
    """
    if isinstance(value, list) and depth == 0:
        for one in value:
            yield from each(one, None, 1)
        return
    if not isinstance(value, dict):
        yield value
        return
    flat, lists = _opened(value)
    if outer:
        flat = {**flat, **{name: cell for name, cell in outer.items() if name not in flat}}
    if lists and depth < DEPTH and not _of_gpsd(flat) and not objects.placed(flat):
        for one in chain.from_iterable(lists):
            yield from each(one, flat, depth + 1)
        return
    yield flat


def _opened(value: dict[str, Any]) -> tuple[dict[str, Any], list[list[Any]]]:
    """All plain fields of an object and of those within it, and its lists of objects. A field by a name of ours stays as it
    is: what is no number there is refused, not passed over."""
    if not any(isinstance(cell, dict | list) for cell in value.values()):
        return value, []
    found: dict[str, Any] = {}
    lists: list[list[Any]] = []
    layer: list[Mapping[str, Any]] = [value]
    for depth in range(DEPTH):
        inner: list[Mapping[str, Any]] = []
        for one in layer:
            if one.get("type") == "Point" and _pair(one.get("coordinates")):
                found.setdefault("lon", one["coordinates"][0])
                found.setdefault("lat", one["coordinates"][1])
                continue
            for name, cell in one.items():
                if isinstance(cell, dict) and name not in objects.OURS:
                    inner.append(cell)
                elif isinstance(cell, list) and cell and all(isinstance(member, dict) for member in cell):
                    lists.append(cell)
                elif name != "type" or (depth == 0 and cell not in GEOJSON):  # within it is the type of something else
                    found.setdefault(name, cell)
        layer = inner
        if not layer or len(found) > objects.KEYS:
            break
    return found, lists


def _of_gpsd(value: Mapping[str, Any]) -> bool:
    """Whether gpsd tells something else than a position."""
    kind = value.get("class")
    return isinstance(kind, str) and kind in GPSD


def _pair(cell: Any) -> bool:
    return isinstance(cell, list) and 2 <= len(cell) <= 4


def translated(value: Mapping[str, Any], unit: str, owner: str | None, when: When) -> Mapping[str, Any] | str | None:
    """An object (opened) in our words; itself where no known program wrote it; the code that tells what is wrong with it;
    None where it is sound and holds no position.

    unit: whose the lines of this sender are. owner: whose an object is that tells no unit, None where nobody said. when:
    gives the moment (ms UTC, or a code) of an AIS report received now, by the second it tells.
    """
    if isinstance(value.get("_type"), str):
        return _owntracks(value, owner)
    kind = value.get("class")
    if kind == "TPV":
        return _gpsd(value, owner or unit)
    if kind == "AIS":
        return _ais(value, when)
    if _of_gpsd(value):
        return None
    if value.keys() >= TRACCAR:
        return _traccar(value)
    return value


def _owntracks(value: Mapping[str, Any], owner: str | None) -> Mapping[str, Any] | str | None:
    """OwnTracks: `vel` in km/h, whose it is in the topic (owntracks/user/device), else two letters `tid`."""
    if value["_type"] == "encrypted":
        return "feed_encrypted"
    if value["_type"] != "location":
        return None
    topic = value.get("topic") or owner
    told = value.get("tid")
    if isinstance(topic, str) and topic:
        told = topic.removeprefix("owntracks/").removesuffix("/event")
    moving = objects.number(value.get("vel"))
    return _ours(told, value.get("tst"), value.get("lon"), value.get("lat"), None if moving is None or moving < 0 else moving * KMH,
                 value.get("cog"), "gps")  # fmt: skip


def _traccar(value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """A position that a Traccar server passes on (knots), with its device beside it or not."""
    if value.get("valid") is False:
        return None
    knots = objects.number(value.get("speed"))
    return _ours(value.get("uniqueId", value["deviceId"]), value["fixTime"], value.get("longitude"), value.get("latitude"),
                 None if knots is None else knots * KNOT, value.get("course"), "gps")  # fmt: skip


def _gpsd(value: Mapping[str, Any], unit: str) -> Mapping[str, Any] | None:
    """gpsd's report of its own receiver; mode 0 and 1 are no fix."""
    mode = value.get("mode")
    if isinstance(mode, int) and mode < 2:
        return None
    return _ours(
        unit, value.get("time"), value.get("lon"), value.get("lat"), value.get("speed"), value.get("track"), "gps"
    )


def _ais(value: Mapping[str, Any], when: When) -> Mapping[str, Any] | str | None:
    """AIS as gpsd and AIS-catcher write it, scaled: degrees and knots. Only the latter tells the time of reception."""
    kind = value.get("type")
    if not isinstance(kind, int) or kind not in POSITION_TYPES:
        return None
    mmsi = value.get("mmsi")
    if value.get("scaled") is False or not isinstance(mmsi, int) or isinstance(mmsi, bool):
        return "feed_json"
    lon, lat = objects.number(value.get("lon")), objects.number(value.get("lat"))
    if lon is None or lat is None or lon >= 181 or lat >= 91:
        return "position_missing"
    moment: int | str | None = objects.moment(value.get("rxuxtime")) or objects.moment(value.get("rxtime"), "utc")
    if moment is None:
        second = value.get("second")
        moment = when(second if isinstance(second, int) else None)
    if isinstance(moment, str):
        return moment
    knots, course = objects.number(value.get("speed")), objects.number(value.get("course"))
    speed = None if knots is None or not 0 <= knots < UNKNOWN_KNOTS.get(kind, 102.3) else knots * KNOT
    return _ours(
        f"{mmsi:09d}", moment, lon, lat, speed, course if course is not None and 0 <= course < 360 else None, "ais"
    )


def _ours(unit: Any, time: Any, lon: Any, lat: Any, speed: Any, heading: Any, source: str) -> dict[str, Any]:
    return {"unit_id": unit, "time": time, "lon": lon, "lat": lat, "speed": speed, "heading": heading, "source": source}


def of_query(fields: Mapping[str, str]) -> dict[str, str]:
    """The fields of a query or form as a position, without a speed that tells no unit.

    >>> of_query({"id": "86123", "lat": "30.1", "lon": "112.1", "timestamp": "1780240200", "speed": "6.2"})
    {'id': '86123', 'lat': '30.1', 'lon': '112.1', 'timestamp': '1780240200'}
    """
    return {name: cell for name, cell in fields.items() if name.lower() not in UNSURE}
