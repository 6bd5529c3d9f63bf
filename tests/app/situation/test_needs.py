"""What needs a decision, on a few made-up rows."""

import numpy as np
import pandas as pd
import pytest
import shapely

from geo_monitor.app.situation import needs
from geo_monitor.app.words import Speaker

NOW = pd.Timestamp("2026-05-01T14:00:00Z")
SPEAKER = Speaker("zh")


def units(*rows):
    """rows: (unit, age_s, lon, lat, patrol)."""
    frame = pd.DataFrame(rows, columns=["unit_id", "age_s", "lon", "lat", "patrol"])
    frame["time"] = NOW - pd.to_timedelta(frame["age_s"], unit="s")
    return frame.assign(speed=1.0, heading=90.0)


def zones(*rows):
    """rows: (zone_id, name, west, east)."""
    return pd.DataFrame(
        {
            "agency": [None] * len(rows),
            "zone_id": [row[0] for row in rows],
            "version": [1] * len(rows),
            "name": [row[1] for row in rows],
            "geometry": [shapely.box(row[2], 0, row[3], 1) for row in rows],
        }
    )


def reaches(*rows):
    """rows: (river, km_from, state, unseen_d[, kind])."""
    rows = [(*row, "channel")[:5] for row in rows]
    frame = pd.DataFrame(rows, columns=["river", "km_from", "state", "unseen_d", "kind"])
    frame["km_to"] = frame["km_from"] + 0.5
    frame["id"] = frame["reach_id"] = [
        f"{river}K{km}" for river, km in zip(frame["river"], frame["km_from"], strict=True)
    ]
    same = {"level": "reach", "rate": 0.5, "rate_lo": 0.2, "rate_hi": 1.0, "rr": 5.0, "p_hot": 0.9, "length_m": 500.0}
    return frame.assign(**same, adcode_left=None, adcode_right=None)


NOBODY = units()
NOWHERE = zones()
QUIET = reaches(("甲江", 0.0, "normal", 1.0))
NOTHING = pd.DataFrame({"time": pd.to_datetime([], utc=True)})


def told(us=NOBODY, zs=NOWHERE, rs=QUIET, usual=None, in_force=None, seizures=NOTHING):
    held = {("", row.zone_id, 1) for row in zs.itertuples()} if in_force is None else in_force
    forced, water = needs.Forced(zs, held), needs.Water.of(rs, SPEAKER)
    return needs.needs(us, usual or {}, forced, water, seizures, NOW, {}, SPEAKER)


def test_a_stranger_in_a_zone_in_force_is_named_and_a_patrol_is_not():
    found = told(
        units(("船1", 10, 0.5, 0.5, False), ("艇1", 10, 0.5, 0.5, True), ("船2", 10, 3, 0.5, False)),
        zones(("Z", "核心区", 0, 1)),
    )
    assert [(need.kind, need.id) for need in found] == [("intrusion", "unit|船1")]
    assert found[0].title == "船1 在 核心区 内"


def test_a_zone_out_of_force_is_no_intrusion():
    assert told(units(("船1", 10, 0.5, 0.5, False)), zones(("Z", "核心区", 0, 1)), in_force=set()) == []


def test_two_zones_over_each_other_name_a_boat_once():
    found = told(units(("船1", 10, 0.5, 0.5, False)), zones(("Z1", "缓冲区", 0, 1), ("Z2", "核心区", 0, 1)))
    assert len(found) == 1


def test_hot_reaches_near_each_other_are_one_place_and_old_looks_come_first():
    water = reaches(
        ("甲江", 10.0, "hot", 9.0), ("甲江", 10.5, "hot", 20.0), ("甲江", 12.0, "hot", 8.0),  # gaps of 0 and 1 km
        ("甲江", 20.0, "hot", 30.0), ("乙江", 10.0, "hot", 6.9),
    )  # fmt: skip
    found = [need for need in told(rs=water) if need.kind == "unseen"]
    assert [need.title for need in found] == ["甲江 K20–K20.5：热，30 天没人看", "甲江 K10–K12.5：热，8 天没人看"]


def test_a_place_seen_this_week_is_not_named():
    assert told(rs=reaches(("甲江", 1.0, "hot", 6.9))) == []
    assert len(told(rs=reaches(("甲江", 1.0, "hot", 7.0)))) == 1


def test_a_hot_place_nobody_had_looked_at_before_comes_before_one_seen_last_month():
    water = reaches(("甲江", 1.0, "hot", 30.0), ("甲江", 20.0, "hot", np.nan), ("甲江", 40.0, "hot", 400.0))
    titles = [need.title for need in told(rs=water) if need.kind == "unseen"]
    assert titles == [
        "甲江 K40–K40.5：热，400 天没人看",
        "甲江 K20–K20.5：热，此前没人看过",
        "甲江 K1–K1.5：热，30 天没人看",
    ]


def test_gaps_are_measured_from_the_farthest_end():
    water = reaches(("甲江", 1.0, "hot", 9), ("甲江", 1.5, "hot", 9), ("甲江", 4.1, "hot", 9))  # 2.1 km beyond K2
    assert [len(place) for place in needs.places(water)] == [2, 1]


def test_hot_cells_of_one_lake_are_one_place():
    lake = reaches(("湖", np.nan, "hot", 9, "lake"), ("湖", np.nan, "hot", 9, "lake"))
    assert [len(place) for place in needs.places(lake)] == [2]


@pytest.mark.parametrize(
    ("age", "usual", "named"), [(900, 30, False), (901, 30, True), (901, 200, False), (1001, 200, True)]
)
def test_a_patrol_is_silent_after_a_quarter_of_an_hour_or_five_times_its_own_rhythm(age, usual, named):
    found = told(units(("艇1", age, 5, 5, True)), usual={"艇1": float(usual)})
    assert [need.kind for need in found] == (["silent"] if named else [])


def test_traffic_that_falls_silent_is_not_ours_to_miss():
    assert told(units(("船1", 5000, 5, 5, False))) == []


def test_seizures_of_the_last_day_are_news():
    rows = pd.DataFrame(
        {
            "report_id": ["旧", "新", "后"],
            "time": [NOW - pd.Timedelta(hours=24), NOW - pd.Timedelta(hours=23), NOW + pd.Timedelta(minutes=1)],
            "setting": "water", "place": None, "origin": None, "gear": "地笼", "catch_kg": np.nan, "disposition": None,
        }
    )  # fmt: skip
    assert [need.id for need in told(seizures=rows)] == ["seizure|新"]


def test_water_nobody_looked_at_comes_last_with_its_length():
    water = reaches(
        ("甲江", 1.0, "not_looked", np.nan), ("甲江", 1.5, "hot", 9.0), ("湖", np.nan, "not_looked", np.nan, "lake")
    )
    found = told(rs=water)
    assert found[-1].kind == "never"
    assert found[-1].title == "0.50 公里江段期内没人看过（占 67%）"


def test_at_most_so_many_of_a_kind():
    many = units(*[(f"船{i:02d}", 10, 0.5, 0.5, False) for i in range(20)])
    assert len(told(many, zones(("Z", "核心区", 0, 1)))) == needs.EACH


def test_hostile_names_are_only_text():
    found = told(units(("@@=x", 10, 0.5, 0.5, False)), zones(("Z", "@@=foo(((", 0, 1)))
    assert not found[0].title.startswith("@@")
