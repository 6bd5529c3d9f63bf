"""The shipped Yangtze: names, cities, distances, banks, lakes. Expected values are geography, not our own output."""

from __future__ import annotations

import itertools
from functools import cache

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse.csgraph import connected_components, dijkstra

from geo_monitor import river
from geo_monitor.reference import path

NAMES = {
    "长江", "金沙江", "通天河", "沱沱河", "楚玛尔河", "雅砻江", "大渡河", "岷江",
    "沱江", "嘉陵江", "乌江", "沅江", "湘江", "汉江", "丹江", "赣江",
}  # fmt: skip
# Natural Earth's populated places (lon, lat), from the source to the sea
CITIES = {
    "攀枝花": (101.72, 26.58), "宜宾": (104.57, 28.77), "泸州": (105.44, 28.88), "重庆": (106.60, 29.56),
    "宜昌": (111.28, 30.70), "武汉": (114.27, 30.58), "九江": (115.98, 29.73), "安庆": (117.05, 30.50),
    "芜湖": (118.37, 31.35), "南京": (118.78, 32.05), "南通": (120.87, 32.02),
}  # fmt: skip
# km along the line drawn by Natural Earth, measured beforehand and not by this package
ALONG = {
    ("攀枝花", "宜宾"): 704, ("宜宾", "泸州"): 113, ("泸州", "重庆"): 217, ("重庆", "宜昌"): 613, ("宜昌", "武汉"): 651,
    ("武汉", "九江"): 243, ("九江", "安庆"): 148, ("安庆", "芜湖"): 195, ("芜湖", "南京"): 95,
}  # fmt: skip


@cache
def shipped(length: float = 500.0) -> river.Network:
    lines, lakes, marks = river.shipped()
    divisions = gpd.read_file(path("divisions/localities.geojson"))
    return river.build(lines, lakes, marks, divisions, reach_length_m=length)


@cache
def main_stem() -> gpd.GeoDataFrame:
    reaches = shipped().reaches
    own = reaches["river"].isin(["长江", "金沙江", "通天河", "沱沱河"]) & reaches["side"].isna()
    return reaches[own & (reaches["kind"] == "channel")].sort_values("km_from")


def main_km(lon: float, lat: float) -> float:
    """km of the main-stem reach whose middle is nearest."""
    away = np.hypot((main_stem()["lon"] - lon) * np.cos(np.radians(lat)), main_stem()["lat"] - lat)
    row = main_stem().iloc[int(away.to_numpy().argmin())]
    return float((row["km_from"] + row["km_to"]) / 2)


def at_km(km: float) -> gpd.GeoSeries:
    return main_stem().iloc[int(np.searchsorted(main_stem()["km_to"].to_numpy(), km, side="right"))]


def test_all_rivers_of_the_data_and_one_water() -> None:
    network = shipped()
    channel = network.reaches[network.reaches["kind"] == "channel"]
    assert set(channel["river"]) == NAMES
    assert network.reaches["reach_id"].is_unique
    number, label = connected_components(network.adjacency)
    assert (label[: network.channels] == label[0]).all()  # every channel drains to the one sea
    # lakes off the network are those of the Huai basin and reservoirs over 80 km from any line
    off = network.reaches[label != label[0]]
    assert (off["kind"] == "lake").all()
    assert not set(off["river"]) & {"鄱阳湖", "洞庭湖", "太湖", "巢湖", "丹江口水库"}
    assert len(off) < 0.03 * len(network.reaches)
    assert (network.adjacency != network.adjacency.T).nnz == 0
    assert number < 10


def test_lakes_are_reaches() -> None:
    reaches = shipped().reaches
    lakes = reaches[reaches["kind"] == "lake"]
    assert {"鄱阳湖", "洞庭湖", "太湖", "巢湖", "丹江口水库", "洪湖"} <= set(lakes["river"])
    assert lakes["km_from"].isna().all()
    assert "nan" not in set(reaches["river"])
    assert reaches["river"].notna().all()


def test_the_main_stem_is_one_chainage_from_the_sea_to_the_tuotuo() -> None:
    main = main_stem()
    assert main["km_from"].iloc[0] == 0.0
    assert np.allclose(main["km_from"].to_numpy()[1:], main["km_to"].to_numpy()[:-1], atol=1e-9)
    assert main["lon"].max() >= 121.0
    assert main["lon"].iloc[0] > 121.5
    order = main["river"].drop_duplicates(keep="first").tolist()
    assert order == ["长江", "金沙江", "通天河", "沱沱河"]
    # 6,300 km in reality; the generalised line is 5-12 % short
    assert 5_400 < main["km_to"].max() < 6_100
    # Natural Earth ends the name a little above 宜宾 (104.6 E), at 103.85 E
    jinsha = main[main["river"] == "金沙江"]
    assert 103.7 < jinsha["lon"].iloc[0] < 104.7
    assert main["mouth_km"].isna().all()


def test_km_falls_from_city_to_city() -> None:
    km = [main_km(*at) for at in CITIES.values()]
    assert all(a > b for a, b in itertools.pairwise(km))
    assert 0 < km[-1] < 250  # 南通, near the sea


@pytest.mark.parametrize("stretch", ALONG)
def test_distances_between_cities(stretch: tuple[str, str]) -> None:
    upper, lower = stretch
    assert main_km(*CITIES[upper]) - main_km(*CITIES[lower]) == pytest.approx(ALONG[stretch], rel=0.08)


@pytest.mark.parametrize(
    ("name", "lon", "lat", "receives"),
    [
        ("汉江", 114.28, 30.57, "长江"),  # at 武汉
        ("嘉陵江", 106.59, 29.57, "长江"),  # at 重庆
        ("乌江", 107.40, 29.71, "长江"),  # at 涪陵
        ("沱江", 105.45, 28.89, "长江"),  # at 泸州
        ("岷江", 104.63, 28.77, "长江"),  # at 宜宾
        ("雅砻江", 101.80, 26.60, "金沙江"),  # at 攀枝花
        ("赣江", 116.22, 29.75, "长江"),  # 湖口, out of 鄱阳湖
        ("沅江", 113.13, 29.45, "长江"),  # 城陵矶, out of 洞庭湖
    ],
)
def test_where_tributaries_join(name: str, lon: float, lat: float, receives: str) -> None:
    reaches = shipped().reaches
    mouth = reaches.loc[reaches["river"] == name, "mouth_km"].dropna().unique()
    assert len(mouth) == 1
    assert mouth[0] == pytest.approx(main_km(lon, lat), abs=12)
    assert at_km(float(mouth[0]))["river"] in {receives, "长江"}


def test_tributaries_of_tributaries() -> None:
    reaches = shipped().reaches
    mouth = reaches.groupby("river")["mouth_km"].first()
    # 丹江 into 汉江 and 大渡河 into 岷江 (at 乐山, 103.77 E 29.55 N) have km of those rivers
    for name, receiving in (("丹江", "汉江"), ("大渡河", "岷江"), ("湘江", "沅江")):
        assert 0 < mouth[name] <= reaches.loc[reaches["river"] == receiving, "km_to"].max() + 1e-9
    low = reaches[reaches["river"] == "大渡河"].sort_values("km_from").iloc[0]
    assert (low["lon"], low["lat"]) == pytest.approx((103.77, 29.55), abs=0.1)


def test_the_gan_reaches_the_yangtze_through_poyang_lake() -> None:
    network = shipped()
    reaches = network.reaches
    name, kind = reaches["river"].to_numpy(), reaches["kind"].to_numpy()
    main = np.flatnonzero((name == "长江") & (kind == "channel"))
    upper = int(reaches[(reaches["river"] == "赣江") & (reaches["kind"] == "channel")].sort_values("km_from").index[-1])

    def reached(without: np.ndarray) -> bool:
        keep = np.flatnonzero(~without)
        part = network.adjacency[keep][:, keep]
        far = dijkstra(part, directed=False, unweighted=True, indices=int(np.searchsorted(keep, upper)))
        return bool(np.isfinite(far[np.isin(keep, main)]).any())

    others = (kind == "lake") & (name != "鄱阳湖")
    assert reached(others)
    assert not reached(others | (name == "鄱阳湖"))


def test_jurisdictions_and_border_reaches() -> None:
    reaches = shipped().reaches
    channel = reaches[reaches["kind"] == "channel"]
    known = reaches["adcode_left"].notna() | reaches["adcode_right"].notna()
    assert known.mean() >= 0.70
    both = channel["adcode_left"].notna() & channel["adcode_right"].notna()
    border = channel[both & (channel["adcode_left"] != channel["adcode_right"])]
    assert 0.05 < len(border) / len(channel) < 0.6
    assert len(border[border["river"] == "长江"]) > 200


@pytest.mark.parametrize(
    ("lon", "lat", "left", "right"),
    [
        (115.97, 29.75, "421100", "360400"),  # 黄冈 (湖北, north) and 九江 (江西, south)
        (115.20, 30.20, "421100", "420200"),  # 黄冈 and 黄石
        (116.90, 30.38, "340800", "341700"),  # 安庆 and 池州
        (120.74, 32.01, "320600", "320500"),  # 南通 and 苏州
        (118.70, 32.11, "320100", "320100"),  # 南京 on both banks
        (114.30, 30.59, "420100", "420100"),  # 武汉: 汉口 and 武昌
    ],
)
def test_banks_are_the_right_way_round(lon: float, lat: float, left: str, right: str) -> None:
    row = at_km(main_km(lon, lat))
    assert (row["adcode_left"], row["adcode_right"]) == (left, right)


def test_a_fix_off_the_city_is_on_the_bank_where_the_city_lies() -> None:
    """安庆 lies on the left bank; 九江, 芜湖 and 南京 lie on the right."""
    cities = [(117.05, 30.51), (116.00, 29.73), (118.36, 31.35), (118.73, 32.09)]
    lon, lat = np.array(cities).T
    batch = pa.RecordBatch.from_arrays([pa.array(lon), pa.array(lat)], names=["lon", "lat"])
    found = river.locate(batch, shipped())
    assert (found.column("reach").to_numpy() >= 0).all()
    assert found.column("bank").to_pylist() == ["left", "right", "right", "right"]


def test_tolerance_is_twice_the_accuracy_of_the_data() -> None:
    network = shipped()
    inland = network.reaches["lon"].to_numpy()[: network.channels] < 117.5
    assert np.allclose(network.tolerance_m[: network.channels][inland], 4_000.0)


def test_the_long_way_round_is_the_distance() -> None:
    """石首 bend: by water, two places of one river are as far apart as their km say."""
    network = shipped()
    reach, _ = network.stretch("长江", 1_300.0, 1_340.0)
    km = network.reaches["km_from"].to_numpy()
    a, b = reach[:1], reach[-1:]
    assert network.distance(a, km[a], b, km[b])[0] == pytest.approx(abs(km[b] - km[a])[0] * 1_000, abs=1.0)


@pytest.mark.parametrize("length", [5_000.0])
def test_other_reach_lengths(length: float) -> None:
    coarse, fine = shipped(length), shipped()
    channel = coarse.reaches[coarse.reaches["kind"] == "channel"]
    assert set(channel["river"]) == NAMES
    assert coarse.reaches["reach_id"].is_unique
    assert channel["length_m"].max() <= 1.25 * length + 1e-6
    assert channel["length_m"].sum() == pytest.approx(
        fine.reaches.loc[fine.reaches["kind"] == "channel", "length_m"].sum(), rel=1e-9
    )
    assert connected_components(coarse.adjacency)[0] == connected_components(fine.adjacency)[0]
