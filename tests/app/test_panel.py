"""What the table shows for a choice, and where reports without coordinates are drawn."""

import json

import pandas as pd
import pytest

from geo_monitor.app import data, levels, panel
from tests.app import fake


@pytest.fixture(scope="module")
def frame():
    reaches = fake.network()
    return levels.joined(fake.hotspots(reaches), reaches, fake.END)


@pytest.fixture(scope="module")
def drawn(frame):
    return levels.choose(frame, basin=True)


def row(found):
    return next(found.itertuples(index=False))


def test_a_reach_comes_with_its_neighbours_along_the_river(frame, drawn):
    side = frame["side"].notna() | (frame["river"] != "乌江")
    middle = frame[~side].sort_values("km_from").iloc[100]
    found = panel.find(middle["id"], drawn, frame)
    around = panel.inside(row(found), frame)
    assert len(around) == 2 * panel.AROUND + 1
    assert around["km_from"].is_monotonic_increasing
    assert around["id"].iloc[panel.AROUND] == middle["id"]


def test_a_stretch_comes_with_all_its_reaches_worst_first(frame, drawn):
    found = panel.find("乌江|100|20", drawn, frame)
    inside = panel.inside(row(found), frame)
    assert len(inside) == 40  # 20 km in reaches of 500 m
    assert (inside["km_from"].min(), inside["km_to"].max()) == (100.0, 120.0)
    counted = inside["state"].value_counts()
    assert all(counted.get(state, 0) == found[state].iloc[0] for state in levels.STATES)


def test_a_lake_of_one_state_comes_with_its_cells(frame, drawn):
    name = drawn.loc[drawn["level"] == "lake", "id"].iloc[0]
    found = panel.find(name, drawn, frame)
    inside = panel.inside(row(found), frame)
    assert len(inside) == found[list(levels.STATES)].iloc[0].sum()
    assert set(inside["state"]) == {name.rsplit("|", 1)[1]}


def test_what_is_neither_reach_nor_stretch_is_not_found(frame, drawn):
    assert not len(panel.find("zone|Z1|1", drawn, frame))
    assert not len(panel.find(None, drawn, frame))


def test_a_report_by_river_and_km_is_drawn_at_the_middle_of_its_reach():
    reports = pd.DataFrame({"report_id": ["a", "b", "c"], "lon": [110.0, None, None], "lat": [30.0, None, None]})
    links = pd.DataFrame({"report_id": ["a", "b"], "reach_id": ["R1", "R2"]})
    reaches = pd.DataFrame({"reach_id": ["R1", "R2"], "lon": [111.0, 112.5], "lat": [31.0, 29.5]})
    placed = data.placed(reports, links, reaches)
    assert placed["lon"].tolist()[:2] == [110.0, 112.5]
    assert placed["lat"].tolist()[:2] == [30.0, 29.5]
    assert placed["lon"].isna().tolist() == [False, False, True]
    assert reports["lon"].isna().tolist() == [False, True, True]  # the shared frame is not written to


def test_a_run_over_everything_speaks_of_the_time_of_its_data():
    told = {"data_from": "2025-03-01T00:00:00Z", "data_to": "2025-08-27T00:00:00Z"}
    run = {"period_from": pd.NaT, "period_to": pd.Timestamp("2025-07-01T00:00:00Z"), "summary": json.dumps(told)}
    run["made_at"] = pd.Timestamp("2026-01-01T00:00:00Z")
    start, end = data.period(pd.Series(run, dtype=object))
    assert (start.isoformat(), end.isoformat()) == ("2025-03-01T00:00:00+00:00", "2025-07-01T00:00:00+00:00")


def test_a_page_of_the_present_shows_the_run_that_speaks_of_the_latest_time():
    told = [
        ("old period, made last", "2025-06-01", "2026-03-01"),
        ("whole", "2026-01-01", "2026-01-02"),
        ("whole again", "2026-01-01", "2026-01-03"),
    ]
    rows = [
        {
            "run_id": name,
            "made_at": pd.Timestamp(made, tz="UTC"),
            "period_from": pd.NaT,
            "period_to": pd.NaT,
            "summary": json.dumps({"data_from": "2025-01-01T00:00:00Z", "data_to": f"{end}T00:00:00Z"}),
        }
        for name, end, made in told
    ]
    assert data.latest(pd.DataFrame(rows))["run_id"] == "whole again"
    assert data.latest(pd.DataFrame(rows[:0])) is None
