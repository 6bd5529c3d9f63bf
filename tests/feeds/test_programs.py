"""Positions in JSON as programs in use send them, by their own documentation, and what lies between objects."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geo_monitor import messages
from geo_monitor.feeds import Batch, Fix
from geo_monitor.feeds.lines import Lines
from geo_monitor.settings import Settings
from tests.feeds.making import T0

KNOT = 1852 / 3600
S0 = T0 // 1000
ISO = "2026-05-31T15:10:00.000Z"
PLACE = {"lat": 30.1, "lon": 112.1}


def read(value: Any, owner: str | None = None, received: int | None = T0 + 30_000) -> Batch:
    batch = Batch()
    lines = Lines("feed", Settings(), owner=owner)
    lines.body(json.dumps(value, ensure_ascii=False).encode(), received, batch)
    return batch


def fix(unit: str, speed: float | None = None, heading: float | None = None, **more: Any) -> Fix:
    told = Fix(unit, T0, 112.1, 30.1, None if speed is None else pytest.approx(speed), heading, "patrol", None, None)
    return told._replace(**more)


OWNTRACKS = {
    "_type": "location",
    "tid": "nt",
    "t": "u",
    **PLACE,
    "tst": S0,
    "acc": 10,
    "vel": 36,
    "cog": 90,
    "batt": 80,
}
CATCHER = {
    "class": "AIS", "device": "AIS-catcher", "rxtime": "20260531151000", "scaled": True, "channel": "A",
    "nmea": ["!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A"], "type": 1, "mmsi": 413123456, "lon": 112.1, "lat": 30.1,
    "speed": 6.2, "course": 90.1, "heading": 511, "status": 0, "second": 12,
}  # fmt: skip
TRACCAR = {
    "location": {
        "timestamp": ISO, "coords": {"latitude": 30.1, "longitude": 112.1, "accuracy": 10, "speed": 3.1, "heading": 90},
        "is_moving": True, "battery": {"level": 0.9, "is_charging": False}, "activity": {"type": "in_vehicle"},
    },
    "device_id": "123456",
}  # fmt: skip
POINT = {"type": "Feature", "geometry": {"type": "Point", "coordinates": [112.1, 30.1, 20.0]}}
OVERLAND = {
    "locations": [{**POINT, "properties": {"timestamp": ISO, "speed": 3.1, "course": 90, "device_id": "boat1"}}]
}
STREAM = {
    "MessageType": "PositionReport",
    "MetaData": {"MMSI": 413123456, "ShipName": "X", "latitude": 30.1, "longitude": 112.1,
                 "time_utc": "2026-05-31 15:10:00.000000000 +0000 UTC"},
    "Message": {"PositionReport": {"Sog": 6.2, "Cog": 90.1, "Latitude": 30.1, "Longitude": 112.1}},
}  # fmt: skip
AIS = {"role": "traffic", "source": "ais"}
FORWARD = {
    "position": {
        "id": 1, "deviceId": 3, "protocol": "osmand", "serverTime": "2026-05-31T15:10:09.000+00:00", "fixTime": ISO,
        "deviceTime": "2026-05-31T15:10:01.000+00:00", "valid": True, "latitude": 30.1, "longitude": 112.1, "speed": 6.2,
        "course": 90, "attributes": {"batteryLevel": 80, "distance": 0},
    },
    "device": {"id": 3, "name": "渔政1", "uniqueId": "86123", "status": "online"},
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "owner", "wanted"),
    [
        ({**OWNTRACKS, "topic": "owntracks/jz/boat1"}, None, fix("jz/boat1", 10, 90.0, source="gps")),
        (OWNTRACKS, "owntracks/jz/boat2", fix("jz/boat2", 10, 90.0, source="gps")),
        (OWNTRACKS, None, fix("nt", 10, 90.0, source="gps")),
        ({**OWNTRACKS, "vel": -1}, None, fix("nt", None, 90.0, source="gps")),
        ({"class": "TPV", "device": "/dev/ttyUSB0", "mode": 3, "time": ISO, **PLACE, "track": 90.0, "speed": 3.1}, None,
         fix("feed", 3.1, 90.0, source="gps")),
        (CATCHER, None, fix("413123456", 6.2 * KNOT, 90.1, **AIS)),
        ({**CATCHER, "rxuxtime": S0 + 0.5, "rxtime": None}, None, fix("413123456", 6.2 * KNOT, 90.1, time=T0 + 500, **AIS)),
        ({**CATCHER, "speed": 102.3, "course": 360}, None, fix("413123456", **AIS)),
        # gpsd tells no moment, only the second: 12 is nearest 18 s before what our clock said
        ({**CATCHER, "device": "stdin", "rxtime": None}, None, fix("413123456", 6.2 * KNOT, 90.1, time=T0 + 12_000, **AIS)),
        ({**CATCHER, "type": 27, "speed": 63, "mmsi": 2573225}, None, fix("002573225", None, 90.1, **AIS)),
        (TRACCAR, None, fix("123456", 3.1, 90.0)),
        (FORWARD, None, fix("86123", 6.2 * KNOT, 90.0, source="gps")),
        (FORWARD["position"], None, fix("3", 6.2 * KNOT, 90.0, source="gps")),
        (OVERLAND, None, fix("boat1", 3.1, 90.0)),
        ({**POINT, "properties": {"unit_id": "船1", "time": ISO}}, None, fix("船1")),
        ({"type": "FeatureCollection", "features": [{**POINT, "properties": {"unit_id": "船1", "time": ISO}}]}, None, fix("船1")),
        (STREAM, None, fix("413123456", 6.2 * KNOT, 90.1, **AIS)),
        # gateways of terminals (JT/T 808), Shanghai time
        ({"simNo": "014512345678", "gpsTime": "2026-05-31 23:10:00", "lng": 112.1, "lat": 30.1}, None, fix("014512345678")),
        ({"code": 0, "data": [{"terminalId": "a", "gpsTime": "20260531231000", "lng": 112.1, "lat": 30.1}]}, None, fix("a")),
        ({"deviceId": "a", "points": [{"ts": S0, **PLACE}]}, None, fix("a")),
        ({"unit": "a", "ts": S0, "position": {**PLACE, "unit": "inner"}}, None, fix("a")),
        ({"time": S0, **PLACE, "sog": 6.2}, "vessels/1", fix("vessels/1", 6.2 * KNOT)),
        ({"mmsi": 413123456, "ts": S0, **PLACE}, None, fix("413123456", **AIS)),
        ({"mmsi": 413123456, "unit_id": "渔政1", "ts": S0, **PLACE}, None, fix("渔政1")),
    ],
)  # fmt: skip
def test_a_position_as_a_program_writes_it(value: Any, owner: str | None, wanted: Fix) -> None:
    batch = read(value, owner)
    assert (batch.fixes, batch.refused, batch.left) == ([wanted], [], 0)


@pytest.mark.parametrize(
    "value",
    [
        {"_type": "lwt", "tst": S0}, {"_type": "transition", "tst": S0, **PLACE}, {"class": "SKY", "satellites": [{"PRN": 1}, {"PRN": 2}]},
        {"class": "VERSION", "release": "3.22"}, {"class": "TPV", "mode": 1}, {**CATCHER, "type": 5},
        {"position": {**FORWARD["position"], "valid": False}},
    ],
)  # fmt: skip
def test_what_is_sound_and_holds_no_position_is_counted_apart(value: Any) -> None:
    batch = read(value)
    assert (batch.fixes, batch.refused, batch.left) == ([], [], 1)


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ({"_type": "encrypted", "data": "x"}, "feed_encrypted"),
        ({**CATCHER, "scaled": False}, "feed_json"),
        ({**CATCHER, "mmsi": None}, "feed_json"),
        ({**CATCHER, "lon": 181, "lat": 91}, "position_missing"),
        ({**OWNTRACKS, "tst": None}, "feed_no_time"),
        ({"time": S0, **PLACE}, "feed_no_unit"),
        ({"code": 0, "data": []}, "feed_no_unit"),
        ({"data": [1, 2]}, "feed_no_unit"),
        ({"unit_id": "a", "time": 20261331231000, **PLACE}, "feed_time"),
        ({"unit_id": "a", "time": S0, "geometry": {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}}, "position_missing"),
        ({"unit_id": "a", "time": S0, "lat": 30.1, "lon": {"value": 112.1}}, "coordinate_not_finite"),
        ({"a": {"b": {"c": {"d": {"e": {"f": {"g": {"unit_id": "a", "time": S0, **PLACE}}}}}}}}, "feed_no_unit"),
        ({"x": {f"k{i}": i for i in range(1000)}}, "feed_json"),
    ],
)  # fmt: skip
def test_what_is_refused(value: Any, code: str) -> None:
    batch = read(value)
    assert [told for _, told in batch.refused] == [code]
    assert not batch.fixes
    assert messages.text(code, "zh")


def test_ais_without_a_clock_has_no_time() -> None:
    assert read({**CATCHER, "rxtime": None}, received=None).refused[0][1] == "ais_no_time"


WORDS = (
    "class",
    "type",
    "_type",
    "mmsi",
    "lat",
    "lon",
    "speed",
    "tst",
    "deviceId",
    "fixTime",
    "coordinates",
    "data",
    "topic",
    "mode",
)
KINDS = st.sampled_from(["AIS", "TPV", "SKY", "location", "Point", 1, 9, 27])


@given(st.recursive(st.none() | st.integers() | st.floats() | st.text(max_size=5) | KINDS,
                    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from(WORDS), one, max_size=8), max_leaves=20))  # fmt: skip
@example({"class": ["AIS"], "data": [{"a": 1}]})
@example({"class": "AIS", "type": [1]})
@example({"class": {"a": 1}, "type": {"a": 1}})
def test_whatever_stands_in_their_fields_stops_nothing(value: Any) -> None:
    assert read(value).lines >= (0 if value == [] else 1)


def test_an_aircraft_may_be_quicker_than_a_ship() -> None:
    assert read({**CATCHER, "type": 9, "speed": 300}).fixes == [fix("413123456", 300 * KNOT, 90.1, **AIS)]
    assert read({**CATCHER, "type": 9, "speed": 1023}).fixes[0].speed is None


def test_a_wrapper_with_two_lists_loses_neither() -> None:
    batch = read(
        {
            "online": [{"unit_id": "a", "time": S0, **PLACE}],
            "offline": [{"unit_id": "b", "time": S0, **PLACE}, {"code": 1}],
        }
    )
    assert [fix.unit_id for fix in batch.fixes] == ["a", "b"]
    assert [code for _, code in batch.refused] == ["feed_no_unit"]


def test_every_member_of_a_list_counts_for_itself() -> None:
    batch = read([CATCHER, {"class": "SKY"}, 5, [1], TRACCAR])
    assert [fix.unit_id for fix in batch.fixes] == ["413123456", "123456"]
    assert [code for _, code in batch.refused] == ["feed_json", "feed_json"]
    assert batch.left == 1
