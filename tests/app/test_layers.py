import json

import numpy as np
import pandas as pd
import pytest
import shapely

from geo_monitor.app import data, layers, levels
from geo_monitor.app.deck import BASIN, Deck, fit
from geo_monitor.app.look import LOOKS
from geo_monitor.app.words import Speaker
from tests.app import fake

DAY = LOOKS["day"]


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


@pytest.fixture(scope="module")
def world():
    reaches = fake.network()
    return reaches, levels.joined(fake.hotspots(reaches), reaches, fake.END)


def test_no_text_of_an_agency_can_be_read_as_code(world):
    reaches, _ = world
    out = layers.seizures(fake.seizures(reaches), 12.0, Speaker("zh"), DAY, 0)
    out += layers.zones(fake.zones(reaches), {("Z0", 1)}, Speaker("zh"), DAY, 0)
    rows = [row for layer in out for row in layer["data"]]
    assert sum("foo(((" in text for row in rows for text in strings(row)) >= 2  # the hostile rows are there
    assert not [text for row in rows for text in strings(row) if text.startswith("@@")]


def test_the_basin_is_drawn_with_some_hundred_lines_and_under_two_megabytes(world):
    reaches, frame = world
    drawn = levels.choose(frame, basin=True)
    worst = {row.id: row for row in frame[frame["id"].isin(drawn["worst"])].itertuples(index=False)}
    out = layers.unseen(drawn, DAY) + layers.reaches(drawn, Speaker("zh"), DAY, 0, worst)
    out += layers.seizures(fake.seizures(reaches), fit(BASIN)["zoom"], Speaker("zh"), DAY, 0)
    text = Deck(out, "style.json", fit(BASIN), layers.TOOLTIP).to_json()
    assert len(frame) > 30_000
    assert len(drawn) < 2_500
    assert len(text.encode()) < 2_000_000


def test_every_reach_is_drawn_once_and_never_empty(world):
    _, frame = world
    city = data.in_area(frame, ("city", "421000"))
    cells, dashed, solid, bold = layers.reaches(city, Speaker("zh"), DAY, 0, {})
    assert {row["id"] for layer in (cells, dashed, solid, bold) for row in layer["data"]} == set(city["id"])
    channel = city[city["kind"] == "channel"].set_index("id")["state"]
    assert {channel[row["id"]] for row in dashed["data"]} <= {"not_looked"}
    assert {channel[row["id"]] for row in solid["data"]} == {"normal"}
    assert {channel[row["id"]] for row in bold["data"]} == {"hot", "cold"}
    # one colour for a layer where all its rows share it, else one a row
    colours = [
        row["color"] if layer["getColor"] == "@@=color" else json.loads(layer["getColor"].removeprefix("@@="))
        for layer in (dashed, solid, bold)
        for row in layer["data"]
    ]
    assert len(colours) > len(channel) * 0.9
    assert all(colour[3] > 0 for colour in colours)


def test_lines_are_of_one_kind(world):
    """A browser that draws in software compiles anew for lines that share a colour, a width or their number."""
    reaches, frame = world
    speaker, ways = Speaker("zh"), [np.array([[112.0, 30.0], [112.1, 30.1]])]
    tracks = pd.DataFrame({"unit_id": ["u"], "geometry": [shapely.LineString(ways[0])]})
    drawn = layers.reaches(frame, speaker, DAY, 0, {}) + layers.unseen(frame, DAY) + layers.picked(frame.head(1), DAY)
    drawn += layers.zones(fake.zones(reaches), {("Z0", 1)}, speaker, DAY, 0)
    drawn += layers.tracks(tracks, DAY) + layers.trails(ways, DAY)
    names = {"getColor": "getWidth", "getLineColor": "getLineWidth"}
    for layer in drawn:
        (colour,) = names.keys() & layer.keys()
        assert [layer[colour][:2], layer[names[colour]][:2]] == ["@@", "@@"]
        assert layer["extensions"] == layers.PATH["extensions"]
        assert layer.get("pickable") is True or layer["highlightedObjectIndex"] == -1
        assert isinstance(layer["getOffset"], int | float)
        assert isinstance(layer["getDashArray"], list)


def reports(lons):
    n = len(lons)
    frame = pd.DataFrame({"report_id": [f"S{i}" for i in range(n)], "lon": lons, "lat": 30.0, "setting": "water"})
    frame["time"] = fake.END
    for name in ("place", "origin", "gear", "disposition"):
        frame[name] = None
    return frame.assign(catch_kg=np.nan)


def test_three_reports_crowd_from_afar_and_stand_apart_close_by():
    # at zoom 4 a pixel is 360 / (512 * 16) = 0.044 degrees: 0.02 degrees apart is half a pixel; at zoom 14 it is 466
    frame = reports([112.00, 112.02, 112.04])
    _, disc = layers.seizures(frame, 4.0, Speaker("zh"), DAY, 0)
    assert [row["count"] for row in disc["data"]] == ["3"]
    icon, disc = layers.seizures(frame, 14.0, Speaker("zh"), DAY, 0)
    assert len(icon["data"]) == 3
    assert not disc["data"]


def test_crowding_loses_no_report():
    rng = np.random.default_rng(1)
    frame = reports(rng.uniform(100, 122, 300))
    for zoom in (3.0, 6.0, 9.0):
        icon, disc = layers.seizures(frame, zoom, Speaker("zh"), DAY, 0)
        assert len(icon["data"]) + sum(int(row["count"]) for row in disc["data"]) == 300


def test_a_selection_renames_the_layers_one_can_click(world):
    _, frame = world
    some = data.in_area(frame, ("city", "421000"))
    first = {layer["id"] for layer in layers.reaches(some, Speaker("zh"), DAY, 1, {})}
    second = {layer["id"] for layer in layers.reaches(some, Speaker("zh"), DAY, 2, {})}
    assert not first & second


def edges(drawn):
    """How many zones have a solid edge, and how many a dashed one."""
    fill, dashed = drawn
    shared = fill["getLineColor"]
    alphas = [(row["edge"] if shared == "@@=edge" else shared)[3] for row in fill["data"]]
    return sum(alpha > 0 for alpha in alphas), len(dashed["data"])


def test_zones_in_force_are_solid_and_others_dashed(world):
    reaches, _ = world
    zones = fake.zones(reaches)
    held = data.in_force(zones, pd.Timestamp("2026-06-01", tz="UTC"))
    assert held == {("湖北", "Z0", 1), (fake.HOSTILE[4], "Z1", 1), ("湖北", "Z2", 1)}  # Z3 ended in 2020
    assert edges(layers.zones(zones, held, Speaker("zh"), DAY, 0)) == (3, 1)


def test_a_zone_of_a_water_level_says_so_and_is_in_force_by_the_readings(world):
    reaches, _ = world
    zones = fake.zones(reaches).assign(level_station=None, level_from_m=None, level_to_m=None)
    zones.loc[0, ["level_station", "level_from_m"]] = ["星子", 12.0]
    now = pd.Timestamp("2026-06-01T12:00", tz="Asia/Shanghai")
    key = ("湖北", "Z0", 1)
    for level, age_h, held in ((12.0, 4, True), (11.9, 4, False), (11.9, 26, True)):  # 26 h old: nobody knows
        read = pd.DataFrame({"station": ["星子"], "time": [now - pd.Timedelta(hours=age_h)], "level_m": [level]})
        assert (key in data.in_force(zones, now, read)) is held
    assert key in data.in_force(zones, now, None)
    row = next(zones.itertuples(index=False))
    assert "星子站水位达到 12 米时" in Speaker("zh").zone(row, True)[1]


def test_two_agencies_with_one_zone_id_are_told_apart(world):
    reaches, _ = world
    zones = fake.zones(reaches).iloc[[0, 0]].reset_index(drop=True)
    zones["agency"], zones["receipt_id"] = ["湖北", "湖南"], ["r1", "r2"]
    zones.loc[1, "valid_to"] = pd.Timestamp("2020-01-01", tz="UTC")
    held = data.in_force(zones, pd.Timestamp("2026-06-01", tz="UTC"))
    assert held == {("湖北", "Z0", 1)}
    assert edges(layers.zones(zones, held, Speaker("zh"), DAY, 0)) == (1, 1)
    assert edges(layers.zones(zones, held, Speaker("zh"), DAY, 0, 5.0)) == (1, 1)


def test_areas_by_locality_and_by_chainage(world):
    _, frame = world
    stretch = data.in_area(frame, ("river", "长江", 900.0, 910.0))
    main = stretch[stretch["side"].isna()]
    assert len(main) == 20  # 10 km in reaches of 500 m
    city = data.in_area(frame, ("city", "421000"))
    assert len(city)
    assert ((city["adcode_left"] == "421000") | (city["adcode_right"] == "421000")).all()
    province = data.in_area(frame, ("province", "42"))
    assert len(city) < len(province) < len(frame)
