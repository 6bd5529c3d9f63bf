"""Effort and links end to end on a real `river.Network`: a winding main stem, a tributary, boats whose way is known."""

from __future__ import annotations

from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor import river
from geo_monitor.effort import effort
from geo_monitor.joins import seizure_links
from tests.joins.test_joins import seizure, zone
from tests.water import fixes, ms

T0 = ms("2026-05-31T02:00")


@cache
def network() -> Any:
    lon = np.linspace(112.0, 112.5, 400)
    main = shapely.LineString(np.column_stack([lon, 30 + 0.02 * np.sin((lon - 112) * 60)]))
    join = main.coords[200]
    side = shapely.LineString([(join[0], join[1] + 0.25), (join[0] + 0.01, join[1] + 0.1), join])
    lines = gpd.GeoDataFrame(
        {"river": ["长江", "汉江"], "accuracy_m": 50.0, "mouth": [None, None], "main_stem": ["yes", None]},
        geometry=[main, side],
        crs="EPSG:4326",
    )
    return river.build(lines)


def place(s: np.ndarray, junction: float) -> tuple[np.ndarray, np.ndarray]:
    """lon, lat of places `s` km from the sea, up the main stem and, past the junction, up the tributary."""
    on_main = s < junction
    lon, lat = np.empty(len(s)), np.empty(len(s))
    lon[on_main], lat[on_main] = network().point("长江", s[on_main])
    lon[~on_main], lat[~on_main] = network().point("汉江", s[~on_main] - junction)
    return lon, lat


def junction_km() -> float:
    reaches = network().reaches
    return float(reaches.loc[reaches["river"] == "汉江", "mouth_km"].iloc[0])


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(20, 120), st.sampled_from([20, 60, 300]), st.booleans())
def test_effort_is_the_time_spent_in_each_reach(seed: int, n: int, step: int, turns: bool) -> None:
    rng = np.random.default_rng(seed)
    junction = junction_km()
    speed = rng.uniform(0.3, 8, n - 1) * (rng.choice([-1, 1], n - 1, p=[0.2, 0.8]) if turns else 1)
    s = 8 + rng.uniform(0, junction - 9) + np.concatenate([[0], np.cumsum(speed * step / 1000)])
    s = s[(s > 1) & (s < junction + 20)]
    keep = np.abs(s - junction) > 0.05  # at the confluence itself either river is right
    time = (np.arange(len(s)) * step)[keep]
    s = s[keep]
    lon, lat = place(s, junction)
    table = fixes([{"time": T0 + int(t) * 1000, "lon": x, "lat": y} for t, x, y in zip(time, lon, lat, strict=True)])
    net = network()
    located = river.locate(table.combine_chunks().to_batches()[0], net)
    result = effort(table, located, net)
    counted = np.diff(time) <= 600
    assert result.effort["minutes"].sum() == pytest.approx(np.diff(time)[counted].sum() / 60, abs=1e-9)
    assert result.unlocated_minutes == 0

    # the truth, a hundred looks at every interval: where was the boat?
    part = (np.arange(100) + 0.5) / 100
    fine = (s[:-1, None] + np.diff(s)[:, None] * part)[counted].ravel()
    weight = np.repeat(np.diff(time)[counted] / 100 / 60, 100)
    reaches = net.reaches
    truth = np.zeros(len(reaches))
    for name, here, km in (("长江", fine < junction, fine), ("汉江", fine >= junction, fine - junction)):
        of = np.flatnonzero(reaches["river"] == name)
        order = of[np.argsort(reaches["km_from"].to_numpy()[of])]
        at = np.searchsorted(reaches["km_from"].to_numpy()[order], km[here], side="right") - 1
        np.add.at(truth, order[at], weight[here])
    found = pd.Series(truth * 0, index=reaches["reach_id"])
    found.update(result.effort.groupby("reach_id")["minutes"].sum())
    # 1 % of an interval at each border that is crossed is what a hundred looks can tell; ways from one river to another
    # are led through the network's nodes, which may lie a quarter of a reach (125 m) to the side of either end
    crossings = result.effort.set_index("reach_id")["passes"].reindex(found.index).fillna(0).to_numpy()
    turning = counted & ((s[:-1] < junction) != (s[1:] < junction))
    slack = (np.diff(time) / 60 * np.minimum(1, 0.5 / np.maximum(np.abs(np.diff(s)), 1e-9)))[turning].sum()
    assert (np.abs(found.to_numpy() - truth) <= step / 60 / 100 * (2 * crossings + 2) + slack).all()


def test_a_seizure_is_placed_alike_by_coordinates_and_by_chainage() -> None:
    net = network()
    lon, lat = net.point("汉江", np.array([5.2]))
    rows = pd.DataFrame(
        [seizure(lon=float(lon[0]), lat=float(lat[0])), seizure(report_id="S2", river="汉江", km=5.2, bank="left")]
    )
    rows["time"] = pd.to_datetime(rows["time"], unit="ms", utc=True)
    track = fixes([{"time": T0, "lon": float(lon[0]), "lat": float(lat[0]) + 0.001}])
    found = seizure_links(rows, track, zone(), net)
    assert found["reach_id"].iloc[0] == found["reach_id"].iloc[1] == "汉江K0005.000"
    assert found["km"].tolist() == pytest.approx([5.2, 5.2], abs=1e-3)
    assert found["bank"].tolist()[1] == "left"
    assert found["nearest_unit_m"].tolist() == pytest.approx([110.85, 110.85], abs=0.05)


def test_a_reported_patrol_on_the_network() -> None:
    net = network()
    report = pd.DataFrame(
        [{"patrol_id": "R", "unit_id": None, "river": "汉江", "km_from": 3.0, "km_to": 5.0, "persons": 2.0,
          "how": "reported", "started_at": pd.Timestamp(T0, unit="ms", tz="UTC"),
          "ended_at": pd.Timestamp(T0 + 3_600_000, unit="ms", tz="UTC")}]
    )  # fmt: skip
    empty = fixes([])
    result = effort(empty, river.locate(empty, net), net, reported=report)
    assert result.effort["minutes"].sum() == pytest.approx(60.0, abs=1e-9)
    assert result.unlocated_minutes == 0
    touched = net.reaches.set_index("reach_id").loc[result.effort["reach_id"]]
    assert set(touched["river"]) == {"汉江"}
    per_km = (
        result.effort["minutes"].to_numpy()
        / (np.minimum(touched["km_to"], 5) - np.maximum(touched["km_from"], 3)).to_numpy()
    )
    assert per_km == pytest.approx(np.full(len(per_km), 30.0), rel=1e-3)
