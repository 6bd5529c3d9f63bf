"""Who can be there first: hand-calculated arrivals, banks, and every reason why a unit can't come."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geo_monitor import messages, river
from geo_monitor.dispatch.candidates import COLUMNS, REASONS, candidates
from geo_monitor.dispatch.road import Bank, roads
from geo_monitor.dispatch.water import Conditions, Limit, Lock, Place
from geo_monitor.errors import Usage
from geo_monitor.settings import Settings
from tests.dispatch.waters import lake_world
from tests.river.drawing import TOLERANCE, build, degrees, line

NOW = 1_780_000_000_000
SETTINGS = Settings()
KNOT = 1852 / 3600
NEAR = pytest.approx


@cache
def straight() -> river.Network:
    """20 km of 长江 flowing east: km = 20 - x / 1000, left is north; drawn to 500 m, located within 1,000 m."""
    return build(("长江", line((0, 0), (20_000, 0)), {"mouth": "end", "accuracy_m": 500.0}))


def at(x: float, y: float) -> tuple[float, float]:
    lon, lat = degrees([(x, y)])[0]
    return float(lon), float(lat)


def place(x: float, y: float, network: river.Network | None = None) -> Place:
    return Place.at(network or straight(), *at(x, y))


def units(*given: dict[str, Any]) -> pd.DataFrame:
    plain = {"mmsi": None, "name": None, "platform": "boat", "agency": "渔政", "base": None}
    return pd.DataFrame([{**plain, **unit} for unit in given])


def fixes(*given: tuple[str, float, float, float]) -> pd.DataFrame:
    """(unit, seconds ago, x, y)"""
    rows = [(unit, NOW - 1000 * ago, *at(x, y)) for unit, ago, x, y in given]
    frame = pd.DataFrame(rows, columns=["unit_id", "time", "lon", "lat"])
    frame["time"] = pd.to_datetime(frame["time"].astype("int64"), unit="ms", utc=True).astype("datetime64[ms, UTC]")
    return frame


def ask(
    where: Place,
    who: pd.DataFrame,
    seen: pd.DataFrame,
    busy: Any = (),
    network: river.Network | None = None,
    conditions: Conditions | None = None,
    **options: Any,
) -> pd.DataFrame:
    found = candidates(
        where, who, seen, busy, network or straight(), conditions or Conditions(), SETTINGS, NOW, **options
    )
    assert tuple(found.columns) == COLUMNS
    assert set(found["reason"].dropna()) <= set(REASONS)
    assert sorted(found["unit_id"]) == sorted(who["unit_id"])
    for name in ("platform", "how", "start", "reason", "bridge", "remark"):  # a missing word may come as NaN
        found[name] = found[name].astype(object).where(found[name].notna(), None)
    return found.set_index("unit_id")


def test_boats_by_arrival_not_by_distance() -> None:
    # up: 4 km against 3 m/s; down: 6 km with it; both at 10 m/s = 19.44 kn
    kn = 10 / KNOT
    who = units({"unit_id": "up", "speed_kn": kn}, {"unit_id": "down", "speed_kn": kn})
    seen = fixes(("up", 60, 14_000, 0), ("down", 120, 4_000, 0))
    flow = Conditions(np.full(len(straight().reaches), 3.0))
    found = ask(place(10_000, 0), who, seen, conditions=flow)
    assert found.index.tolist() == ["down", "up"]
    assert found["distance_m"].tolist() == NEAR([6_000, 4_000], rel=TOLERANCE)
    assert found["seconds"].tolist() == NEAR([6_000 / 13, 4_000 / 7], rel=TOLERANCE)
    assert found["how"].tolist() == ["water", "water"]
    assert found["status"].tolist() == ["free", "free"]
    assert found["age_s"].tolist() == [120, 60]
    assert found["reason"].isna().all()
    assert found.loc["down", "eta"] == NEAR(pd.Timestamp(NOW + 461_538, unit="ms", tz="UTC"), abs=pd.Timedelta("1s"))
    assert found.loc["up", "last_fix_at"] == pd.Timestamp(NOW - 60_000, unit="ms", tz="UTC")


def test_speeds_by_platform_and_limits_for_urgent_runs() -> None:
    who = units({"unit_id": "launch"}, {"unit_id": "rubber", "platform": "rubber_boat"})
    seen = fixes(("launch", 0, 5_000, 0), ("rubber", 0, 5_000, 0))
    found = ask(place(10_000, 0), who, seen)
    assert found.loc["launch", "seconds"] == NEAR(5_000 / (25 * KNOT), rel=TOLERANCE)
    assert found.loc["rubber", "seconds"] == NEAR(5_000 / (15 * KNOT), rel=TOLERANCE)
    slow = Conditions(limits=(Limit("长江", None, None, 5.0),))
    assert ask(place(10_000, 0), who, seen, conditions=slow)["seconds"].tolist() == NEAR([1_000] * 2, rel=TOLERANCE)
    urgent = ask(place(10_000, 0), who, seen, conditions=slow, urgent=True)
    assert urgent.loc["launch", "seconds"] == NEAR(5_000 / (25 * KNOT), rel=TOLERANCE)


def test_from_the_base_where_no_fix_is_fresh() -> None:
    lon, lat = at(8_000, 0)
    who = units(
        {"unit_id": "coordinates", "base": f"{lon}，{lat}"},
        {"unit_id": "name", "base": " 城陵矶 码头"},
        {"unit_id": "old", "base": "不知道"},
        {"unit_id": "never", "base": None},
    )
    bases = pd.DataFrame({"name": ["城陵矶码头"], "lon": [lon], "lat": [lat]})
    seen = fixes(("coordinates", 1_801, 0, 0), ("old", 1_801, 9_000, 0))
    found = ask(place(10_000, 0), who, seen, bases=bases)
    way = 2_000 / (25 * KNOT)
    assert found.loc["coordinates", "start"] == found.loc["name", "start"] == "base"
    assert found.loc["name", "seconds"] == NEAR(way, rel=TOLERANCE)
    assert found.loc["name", "mobilise_s"] == 600
    assert found.loc["name", "status"] == "unknown"
    eta = found.loc["name", "eta"]
    assert (eta - pd.Timestamp(NOW, unit="ms", tz="UTC")).total_seconds() == NEAR(way + 600, rel=TOLERANCE)
    assert found.index.tolist() == ["coordinates", "name", "never", "old"]
    assert found.loc[["old", "never"], "reason"].tolist() == ["too_old", "no_base"]
    assert found.loc[["old", "never"], ["seconds", "distance_m", "eta", "mobilise_s"]].isna().all(axis=None)
    assert found.loc["old", "age_s"] == 1_801


def test_a_fix_of_exactly_half_an_hour_counts_and_the_latest_of_several() -> None:
    who = units({"unit_id": "u"})
    seen = fixes(("u", 1_800, 9_000, 0), ("u", 1_900, 0, 0))
    found = ask(place(10_000, 0), who, seen)
    assert found.loc["u", "start"] == "fix"
    assert found.loc["u", "distance_m"] == NEAR(1_000, rel=TOLERANCE)
    assert found.loc["u", "mobilise_s"] == 0


def test_clocks_ahead() -> None:
    # 50 s ahead: taken as now; a day ahead: a wrong clock, the fix before it is used
    who = units({"unit_id": "a"}, {"unit_id": "b"})
    seen = fixes(("a", -50, 9_000, 0), ("b", -86_400, 0, 0), ("b", 30, 8_000, 0))
    found = ask(place(10_000, 0), who, seen)
    assert found["age_s"].to_dict() == {"a": 0.0, "b": 30.0}
    assert found.loc["b", "distance_m"] == NEAR(2_000, rel=TOLERANCE)


def test_lying_at_the_base_takes_time_to_get_under_way() -> None:
    lon, lat = at(8_000, 0)
    who = units({"unit_id": "home", "base": f"{lon},{lat}"}, {"unit_id": "out", "base": f"{lon},{lat}"})
    found = ask(place(10_000, 0), who, fixes(("home", 10, 8_250, 0), ("out", 10, 8_400, 0)))
    assert found["mobilise_s"].to_dict() == {"home": 600, "out": 0}


def test_busy_off_duty_and_lacking_stand_below_but_with_their_time() -> None:
    who = units(
        {"unit_id": "busy", "capability": "night、arrest"},
        {"unit_id": "lacks", "capability": "night"},
        {"unit_id": "off", "capability": ["night", "arrest"], "duty": "休息"},
        {"unit_id": "can", "capability": "arrest; night", "crew": 4},
    )
    seen = fixes(("busy", 0, 9_000, 0), ("lacks", 0, 9_500, 0), ("off", 0, 9_900, 0), ("can", 0, 0, 0))
    taskings = pd.DataFrame({"unit_id": ["busy", "can", None], "state": ["under_way", "done", "no_unit"]})
    for busy in (["busy"], taskings):
        found = ask(place(10_000, 0), who, seen, busy, need=["night", "arrest", "boat"])
        assert found.index.tolist() == ["can", "lacks", "busy", "off"]
        assert found["reason"].tolist() == [None, "lacks", "busy", "off_duty"]
        assert found["status"].tolist() == ["free", "free", "busy", "off_duty"]
        assert found.loc["lacks", "lacks"] == ["arrest"]
        assert found.loc["off", "mobilise_s"] == 1_800
        assert found["seconds"].notna().all()
        assert found.loc["can", "crew"] == 4
        assert found.loc["can", "capability"] == ["arrest", "boat", "night"]


def test_units_that_cannot_come() -> None:
    who = units(
        {"unit_id": "ashore"},
        {"unit_id": "behind"},
        {"unit_id": "camera", "platform": "camera"},
        {"unit_id": "unknown", "platform": None},
        {"unit_id": "stopped", "speed_kn": 0.0},
        {"unit_id": "drone", "platform": "drone"},
    )
    seen = fixes(*((name, 0, x, y) for name, x, y in [
        ("ashore", 9_000, 5_000), ("behind", 2_000, 0), ("camera", 9_000, 0), ("unknown", 9_000, 0),
        ("stopped", 9_000, 0), ("drone", 1_900, 0)]))  # fmt: skip
    closed = Conditions(locks=(Lock("长江", 15.0, 30, 30, closed=True),))
    found = ask(place(10_000, 0), who, seen, conditions=closed)
    assert found["reason"].to_dict() == {
        "ashore": "off_water", "behind": "no_way", "camera": "fixed", "unknown": "no_platform", "stopped": "no_speed",
        "drone": "out_of_range",
    }  # fmt: skip
    assert found["seconds"].isna().all()
    assert found.index.tolist() == sorted(found.index)


def test_the_fix_tells_the_platform_where_the_units_do_not() -> None:
    seen = fixes(("u", 0, 9_000, 0)).assign(platform="boat")
    found = ask(place(10_000, 0), units({"unit_id": "u", "platform": None}), seen)
    assert found.loc["u", "platform"] == "boat"
    assert found.loc["u", "how"] == "water"


def test_a_drone_flies_straight() -> None:
    who = units({"unit_id": "near", "platform": "drone"}, {"unit_id": "far", "platform": "drone", "range_m": 12_000})
    found = ask(place(10_000, 0), who, fixes(("near", 0, 7_000, 4_000), ("far", 0, 100, 0)))
    assert found.loc["near", "distance_m"] == NEAR(5_000, rel=TOLERANCE)
    assert found.loc["near", "seconds"] == NEAR(5_000 / 15, rel=TOLERANCE)
    assert found.loc["far", "distance_m"] == NEAR(9_900, rel=TOLERANCE)
    assert found["how"].tolist() == ["air", "air"]


def test_by_road_to_the_same_bank() -> None:
    # 1.4 x hypot(5000, 1300) at 11.1 m/s
    who = units({"unit_id": "car", "platform": "vehicle"}, {"unit_id": "guard", "platform": "foot"})
    seen = fixes(("car", 0, 5_000, 2_000), ("guard", 0, 5_000, 2_000))
    found = ask(place(10_000, 700), who, seen)
    assert found["distance_m"].tolist() == NEAR([7_232.7] * 2, rel=TOLERANCE)
    assert found["seconds"].tolist() == NEAR([7_232.7 / 11.1, 7_232.7 / 1.4], rel=TOLERANCE)
    assert found["how"].tolist() == ["road_estimate"] * 2
    assert found[["reason", "remark"]].isna().all(axis=None)


def test_the_other_bank_needs_a_bridge() -> None:
    who = units({"unit_id": "car", "platform": "vehicle"})
    seen = fixes(("car", 0, 5_000, 2_000))
    found = ask(place(10_000, -700), who, seen)
    # its own bank: 1.4 x hypot(5000, 2000)
    assert found.loc["car", "distance_m"] == NEAR(7_539.2, rel=TOLERANCE)
    assert found.loc["car", "reason"] == "other_bank"
    # 1.4 x (hypot(2000, 2000) + hypot(3000, 700)) over the nearer of two; the third is over no river
    spots = {"近桥": at(7_000, 0), "远桥": at(1_000, 0), "旱桥": at(9_000, 5_000)}
    bridges = pd.DataFrame([(name, *lonlat) for name, lonlat in spots.items()], columns=["name", "lon", "lat"])
    found = ask(place(10_000, -700), who, seen, bridges=bridges)
    assert found.loc["car", "distance_m"] == NEAR(8_272.6, rel=TOLERANCE)
    assert found.loc["car", "reason"] is None
    assert found.loc["car", "bridge"] == "近桥"
    only_dry = bridges[bridges["name"] == "旱桥"]
    assert ask(place(10_000, -700), who, seen, bridges=only_dry).loc["car", "reason"] == "other_bank"


def test_a_place_in_the_river_is_served_from_the_own_bank() -> None:
    who = units({"unit_id": "car", "platform": "vehicle"})
    reach = int(np.flatnonzero(straight().reaches["km_from"] == 10.0)[0])
    found = ask(Place.on(straight(), reach, 10.0), who, fixes(("car", 0, 5_000, -2_000)))
    assert found.loc["car", "distance_m"] == NEAR(1.4 * 5_385.2, rel=TOLERANCE)
    assert found.loc["car", "remark"] == "own_bank"
    assert found.loc["car", "reason"] is None


def test_near_the_line_the_bank_is_not_known() -> None:
    # unit or place within the 500 m the line is good for
    who = units({"unit_id": "near", "platform": "vehicle"}, {"unit_id": "off", "platform": "vehicle"})
    seen = fixes(("near", 0, 5_000, 300), ("off", 0, 5_000, 2_000))
    found = ask(place(10_000, -700), who, seen)
    assert found.loc[["near", "off"], "remark"].tolist() == ["bank_unsure", None]
    assert found.loc[["near", "off"], "reason"].tolist() == [None, "other_bank"]
    assert ask(place(10_000, -300), who, seen)["remark"].tolist() == ["bank_unsure"] * 2


def test_sides_of_a_river_that_turns() -> None:
    # it comes from the west, turns north: left is north and west of it
    network = build(("长江", line((0, 0), (5_000, 0), (5_000, 5_000)), {"mouth": "end", "accuracy_m": 50.0}))
    bank = Bank(network, place(5_000, 3_000, network))
    points = degrees([(2_000, 2_000), (4_000, 4_000), (6_000, -1_000), (6_000, 3_000), (2_000, -20), (5_030, -10)])
    side, sure = bank.side(points[:, 0], points[:, 1])
    assert side.tolist() == ["left", "left", "right", "right", "right", "right"]
    assert sure.tolist() == [True, True, True, True, False, False]


def test_a_bank_begins_half_the_water_from_the_line() -> None:
    network = build(("长江", line((0, 0), (20_000, 0)), {"mouth": "end", "accuracy_m": 500.0}))
    network.half_width_m = network.half_width_m + 600.0
    reach = int(np.flatnonzero(network.reaches["km_from"] == 10.0)[0])
    where = Place.on(network, reach, 10.0)
    lon, lat = np.array([at(10_000, 2_000), at(10_000, -3_000)]).T
    found = roads(lon, lat, np.array([1.0, 1.0]), where, network, SETTINGS)
    assert found.side.tolist() == ["left", "right"]
    assert found.metres.tolist() == NEAR([1.4 * 1_400, 1.4 * 2_400], rel=1e-3)


def test_a_place_off_the_water_is_gone_to_straight() -> None:
    who = units({"unit_id": "car", "platform": "vehicle"}, {"unit_id": "boat"})
    found = ask(place(10_000, 9_000), who, fixes(("car", 0, 10_000, 5_000), ("boat", 0, 10_000, 0)))
    assert found.loc["car", "distance_m"] == NEAR(1.4 * 4_000, rel=TOLERANCE)
    assert found["remark"].to_dict() == {"car": "bank_unsure", "boat": None}
    assert found["reason"].to_dict() == {"car": None, "boat": "off_water"}


def test_on_a_lake() -> None:
    network = lake_world()
    where = place(10_000, 9_000, network)
    assert where.reach >= network.channels
    who = units({"unit_id": "same"}, {"unit_id": "car", "platform": "vehicle"}, {"unit_id": "river"})
    seen = fixes(("same", 0, 10_030, 9_040), ("car", 0, 4_000, 9_000), ("river", 0, 10_000, 0))
    found = ask(where, who, seen, network=network)
    # in one cell with the place: straight there
    assert river.place(*(np.array([v]) for v in at(10_030, 9_040)), network).reach[0] == where.reach
    assert found.loc["same", "distance_m"] == NEAR(50, rel=TOLERANCE)
    assert found.loc["same", "seconds"] == NEAR(50 / (25 * KNOT), rel=TOLERANCE)
    assert found.loc["car", "reason"] == "open_water"
    assert 9_000 < found.loc["river", "distance_m"] < 11_000
    shore = place(5_100, 4_100, network)
    assert shore.reach >= network.channels
    assert ask(shore, who, seen, network=network).loc["car", "how"] == "road_estimate"


def test_no_units_and_columns_that_are_missing() -> None:
    none = ask(place(10_000, 0), units({"unit_id": "u"}).iloc[:0], fixes())
    assert len(none) == 0
    with pytest.raises(Usage, match="lon, lat"):
        ask(place(10_000, 0), units({"unit_id": "u"}), pd.DataFrame({"unit_id": [], "time": []}))
    with pytest.raises(Usage, match="units"):
        candidates(place(10_000, 0), pd.DataFrame(), fixes(), (), straight(), Conditions(), SETTINGS, NOW)


def test_every_code_has_its_words() -> None:
    for code in REASONS:
        assert messages.text(f"dispatch.reason.{code}", "zh")
    for code in ("own_bank", "bank_unsure"):
        assert messages.text(f"dispatch.remark.{code}", "en")
    for code in ("water", "road_estimate", "air"):
        assert messages.text(f"dispatch.how.{code}", "en")
    for code in ("free", "busy", "off_duty", "unknown"):
        assert messages.text(f"dispatch.status.{code}", "en")
