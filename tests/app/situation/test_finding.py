"""What the words in the box of the live map name, and where a find leads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely
import streamlit as st

from geo_monitor.app.situation import finding
from geo_monitor.app.words import Speaker


@pytest.fixture
def view() -> Any:
    """Two boats, a zone, a report, one river of 40 km and a lake: made up."""
    units = pd.DataFrame(
        {"unit_id": ["YZ012", "YZ0123"], "patrol": [True, False], "lon": [112.05, 112.3], "lat": [30.0, 30.0]}
    )
    units = units.assign(heading=90.0, speed=5.0, age_s=60.0)
    zones = gpd.GeoDataFrame(
        {"zone_id": ["Z1"], "version": [1], "name": ["江豚保护区<b>"], "category": [None], "rule": [None], "agency": [None]},
        geometry=[shapely.box(112.29, 29.99, 112.31, 30.01)], crs="EPSG:4326",
    )  # fmt: skip
    for name in ("season_from", "season_to", "level_station", "level_from_m", "level_to_m", "valid_from", "valid_to"):
        zones[name] = pd.NaT if name.startswith("valid") else None
    reports = pd.DataFrame(
        {
            "report_id": ["鄂2026-7"],
            "lon": [float("nan")],
            "lat": [float("nan")],
            "time": [pd.Timestamp("2026-06-01", tz="UTC")],
        }
    )
    for name in ("setting", "place", "origin", "gear", "catch_kg", "disposition"):
        reports[name] = None
    water = pd.DataFrame(
        {
            "id": ["a", "b", "l"], "river": ["长江", "长江", "洪湖"], "kind": ["channel", "channel", "lake"], "level": "reach",
            "km_from": [0.0, 20.0, float("nan")], "km_to": [20.0, 40.0, float("nan")], "lon": [112.05, 112.3, 113.0], "lat": 30.0,
            "adcode_left": ["421000", "421000", None], "adcode_right": [None, None, "421000"],
        }
    )  # fmt: skip
    speaker = Speaker("zh", {"421000": "荆州市"})
    return SimpleNamespace(
        units=units, zones=zones, reports=reports, water=water, names={"YZ012": "渔政012"}, valid=set(), speaker=speaker
    )


def ids(words: str, view: Any) -> list[str | None]:
    return [one.id for one in finding.finds(words, view)]


def test_units_by_number_and_name_the_whole_one_first(view: Any) -> None:
    assert ids("yz012", view) == ["unit|YZ012", "unit|YZ0123"]
    assert ids("ＹＺ ０１２３", view) == ["unit|YZ0123"]
    assert ids("渔政 012", view) == ["unit|YZ012"]
    assert "1 分钟前定位" in finding.finds("渔政012", view)[0].said


def test_zones_reports_and_nothing(view: Any) -> None:
    assert ids("江豚", view) == ["zone||Z1|1"]
    assert ids("鄂2026", view) == ["seizure|鄂2026-7"]
    assert ids("  ", view) == ids("没有", view) == []


def test_of_a_zone_the_version_in_force_else_the_last(view: Any) -> None:
    view.zones = pd.concat([view.zones, view.zones.assign(version=2)])
    assert ids("江豚", view) == ["zone||Z1|2"]
    view.valid = {("", "Z1", 1)}
    assert ids("江豚", view) == ["zone||Z1|1"]


@pytest.mark.parametrize("words", ["长江 K25", "长江25", "长江k25.0", "长江 25 公里", "Yangtze, 25 km", "长江Ｋ２５"])
def test_a_kilometre_of_a_river(words: str, view: Any) -> None:
    assert ids(words, view) == ["b"]


def test_no_kilometre_that_a_river_does_not_have(view: Any) -> None:
    assert ids("长江 K40", view) == ids("汉江 K25", view) == ids("洪湖 5", view) == []


@pytest.mark.parametrize("words", ["112.29,30.01", "30.01 112.29", "北纬30°0.6′ 东经112°17.4′", "112.29E 30.01N"])
def test_coordinates_name_the_nearest_reach(words: str, view: Any) -> None:
    (one,) = finding.finds(words, view)
    assert one.id == "b"
    assert one.said.startswith("112.29000，30.01000：靠近 长江 K20")


def test_coordinates_far_from_all_water_name_nothing(view: Any) -> None:
    assert ids("112.3,30.2", view) == ids("400,30", view) == []  # 22 km off; nowhere


def test_cities_and_waters_become_the_area(view: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    state: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", state)
    monkeypatch.setattr(st, "query_params", {})
    for words, kind, key, value in (("荆州", "city", "area-city", "421000"), ("洪湖", "river", "area-river", "洪湖")):
        (one,) = finding.finds(words, view)
        assert one.id is None
        finding._take(one, finding.Known.of(view))
        assert (state["area-kind"], state[key], state["picked"]) == (kind, value, None)
        assert state["find"] == ""


@pytest.mark.parametrize(
    ("name", "span"),
    [
        ("unit|YZ012", (0.0, 25.0)),
        ("zone||Z1|1", (15.0, 40.0)),
        ("b", (15.0, 40.0)),
        ("seizure|鄂2026-7", None),
        ("unit|gone", None),
    ],
)
def test_going_there_makes_thirty_kilometres_around_it_the_area(
    name: str, span: tuple[float, float] | None, view: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Middles of the reaches lie at km 10 and 30; a report without a place, and a unit that is gone, leave the area as it is."""
    state: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", state)
    monkeypatch.setattr(st, "query_params", {})
    finding.go(name, finding.Known.of(view))
    assert state["picked"] == name
    assert state.get("stretch-长江") == span
