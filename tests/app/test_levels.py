"""Twelve reaches of 0.5 km by hand: stretches of 5 km, their states, medians and worst reaches."""

import numpy as np
import pandas as pd
import pytest
import shapely

from geo_monitor.app import data, levels
from tests.app import fake

NOW = pd.Timestamp("2026-06-01T00:00:00Z")


def reaches() -> pd.DataFrame:
    km = np.arange(12) * 0.5
    # drawn downstream: from the higher km to the lower, one degree per 0.5 km
    lines = [shapely.LineString([(12 - i, 0), (11 - i, 0)]) for i in range(12)][::-1]
    return pd.DataFrame(
        {
            "reach_id": [f"A{i}" for i in range(12)],
            "kind": "channel",
            "side": None,
            "length_m": 500.0,
            "adcode_left": ["420000"] * 9 + ["430000"] * 3,
            "adcode_right": "420000",
            "km_from": km,
            "geometry": lines,
        }
    )


def hotspots() -> pd.DataFrame:
    states = ["normal"] * 9 + ["cold", "not_looked", "not_looked"]
    states[3] = "hot"
    days = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, None, None]
    return pd.DataFrame(
        {
            "reach_id": [f"A{i}" for i in range(12)],
            "river": "甲江",
            "km_from": np.arange(12) * 0.5,
            "km_to": np.arange(12) * 0.5 + 0.5,
            "lon": 0.0,
            "lat": 0.0,
            "state": states,
            "seizures": 1,
            "seizures_unpatrolled": 0,
            "patrol_h": 2.5,
            "rate": [0.1, 0.1, 0.2, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1, 0.0, 5.0, 5.0],
            "rate_lo": 0.05,
            "rate_hi": 9.0,
            "rr": 1.0,
            "p_hot": [0.1, 0.1, 0.2, 0.95, 0.9, 0.1, 0.1, 0.1, 0.1, 0.0, 0.99, 0.99],
            "last_look": pd.to_datetime([NOW - pd.Timedelta(days=d) if d else pd.NaT for d in days], utc=True),
        }
    )


@pytest.fixture
def joined():
    return levels.joined(hotspots(), reaches(), NOW)


def test_days_since_the_last_look(joined):
    assert joined["unseen_d"].tolist()[:3] == [1.0, 2.0, 3.0]
    assert joined["unseen_d"].isna().tolist()[-2:] == [True, True]


def test_two_stretches_of_five_km(joined):
    first, second = levels.stretches(joined, 5.0).to_dict("records")
    assert (first["km_from"], first["km_to"], second["km_from"], second["km_to"]) == (0.0, 5.0, 5.0, 6.0)
    assert (first["hot"], first["normal"], first["cold"], first["not_looked"]) == (1, 8, 1, 0)
    assert first["state"] == "hot"
    assert first["worst"] == "A3"
    assert first["p_hot"] == 0.95
    assert first["patrol_h"] == 25.0  # 10 reaches of 2.5 h
    assert first["unseen_d"] == 5.5  # the middle of 1 ... 10
    # both of its reaches were not looked at: their p_hot of 0.99 is the prior's and makes nothing hot
    assert second["state"] == "not_looked"
    assert np.isnan(second["unseen_d"])


def test_a_stretch_is_one_line_drawn_downstream(joined):
    first = levels.stretches(joined, 5.0).iloc[0]
    # km 5 lies at x = 10, km 0 at x = 0: ten pieces become one line from 10 to 0
    assert shapely.get_coordinates(first["geometry"])[[0, -1], 0].tolist() == [10.0, 0.0]
    assert first["geometry"].geom_type == "LineString"


def test_half_looked_at_is_not_called_not_looked(joined):
    joined = joined[joined["reach_id"].isin(["A9", "A10"])]
    # one of two: not more than half, and the other is cold
    assert levels.stretches(joined, 20.0)["state"].tolist() == ["cold"]


def test_worst_first_puts_what_nobody_looked_at_last(joined):
    assert levels.worst_first(joined)["id"].tolist()[:3] == ["A3", "A4", "A2"]
    assert set(levels.worst_first(joined)["id"].tolist()[-2:]) == {"A10", "A11"}


def test_lake_cells_of_one_state_become_one_shape(joined):
    cells = joined.iloc[:3].assign(kind="lake", river="乙湖", state=["hot", "hot", "cold"])
    cells["geometry"] = [shapely.box(i, 0, i + 1, 1) for i in range(3)]
    out = levels.lakes(cells)
    assert dict(zip(out["state"], shapely.area(out["geometry"].to_numpy()), strict=True)) == {"hot": 2.0, "cold": 1.0}
    assert out["id"].tolist() == ["lake|乙湖|cold", "lake|乙湖|hot"]


def test_few_reaches_are_drawn_one_by_one_and_many_as_stretches(joined, monkeypatch):
    assert len(levels.choose(joined, basin=False)) == 12
    monkeypatch.setattr(levels, "REACHES_MAX", 11)
    assert levels.choose(joined, basin=False)["level"].unique().tolist() == ["stretch"]


@pytest.mark.parametrize("area", [("basin",), ("province", "42"), ("city", "421000")])
def test_a_live_map_holds_every_reach_once(area):
    reaches = fake.network()
    frame = levels.joined(fake.hotspots(reaches), reaches, fake.END)
    part = data.in_area(frame, area)
    drawn = levels.live(part, basin=area[0] == "basin")
    assert drawn[list(levels.STATES)].to_numpy().sum() == len(part)
    assert len(drawn) <= len(levels.choose(part, basin=area[0] == "basin"))
    assert drawn["id"].is_unique
    for state in levels.STATES:
        assert drawn[state].sum() == (part["state"] == state).sum()


def test_a_live_map_of_a_city_draws_what_was_looked_at_reach_by_reach():
    reaches = fake.network()
    frame = levels.joined(fake.hotspots(reaches), reaches, fake.END)
    part = data.in_area(frame, ("city", "421000"))
    drawn = levels.live(part, basin=False)
    looked = part[part["state"] != "not_looked"]
    assert set(drawn.loc[drawn["level"] == "reach", "id"]) == set(looked["id"])
    assert set(drawn.loc[drawn["level"] != "reach", "state"]) == {"not_looked"}
