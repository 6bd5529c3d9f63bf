"""Planted worlds: what is planted is there, on its days and nowhere else, and the patrols keep to what is said of them."""

from __future__ import annotations

import dataclasses
import hashlib
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from geo_monitor import river, simulate
from geo_monitor.cli import run
from geo_monitor.errors import Usage
from geo_monitor.river.locate import locate
from geo_monitor.simulate import cases
from geo_monitor.simulate.looking import Looked
from geo_monitor.simulate.movement import Movement
from geo_monitor.simulate.planted import PLANTS, Plant, Planted, Spell, lay
from geo_monitor.simulate.water import DEGREE_M, water

DAY = 86400.0
BEGIN = pd.Timestamp("2025-03-01").timestamp()


@pytest.fixture(scope="module")
def planted_world(handmade):
    """A world of each kind on the river laid out by hand, made when first asked for."""
    made: dict[str, simulate.World] = {}

    def world(kind: str) -> simulate.World:
        if kind not in made:
            made[kind] = simulate.world(handmade, 3, units=3, fixes_max=300_000, zone_count=2, plant=kind)
        return made[kind]

    return world


def planted(handmade, *spells: Spell, plant: Plant = PLANTS["new"]) -> Planted:
    return Planted(plant, water(handmade, 1), BEGIN, 364, spells)


def stays(*visits: tuple[int, float, float]) -> tuple[Movement, Looked]:
    """One boat lying in reaches: (reach, day it begins, hours)."""
    units = pd.DataFrame({"unit_id": ["b"], "platform": ["boat"]})
    patrols = pd.DataFrame({"patrol_id": ["p"], "unit": [0]})
    reach = np.array([visit[0] for visit in visits])
    t0 = BEGIN + np.array([visit[1] for visit in visits]) * DAY
    s, zero = reach * 1000.0 + 500.0, np.zeros(len(visits))
    hours = np.array([visit[2] for visit in visits])
    nothing: dict[str, np.ndarray] = {}
    looked = Looked(np.zeros(len(visits), dtype=int), reach, t0, t0 + hours * 3600, s, s, zero, zero)
    return Movement(units, patrols, nothing), looked


def where(plants: pd.DataFrame, part: str, what: str) -> list[int]:
    """Main-stem reaches of a part, by the number in their names."""
    rows = plants[(plants["part"] == part) & (plants["what"] == what)]
    return sorted({int(name[1:]) for name in rows["reach_id"]})


def east(world: simulate.World) -> pd.DataFrame:
    """Fixes with km from the mouth, worked out from the longitude alone (main stem: due west along 30 N)."""
    tracks = world.tracks
    km = (113.0 - tracks["lon"]) * DEGREE_M * np.cos(np.radians(30.0)) / 1000.0
    main = (tracks["lat"] - 30.0).abs() * DEGREE_M < 400.0
    return tracks.assign(km=km)[main & km.between(-0.5, 60.5)]


def days(world: simulate.World, moments: pd.Series) -> pd.Series:
    begin = pd.Timestamp(world.totals["start"], tz="Asia/Shanghai")
    return (moments - begin).dt.total_seconds() / DAY


# ------------------------------------------------------------------------------------------------ by hand


def test_factor_by_hand(handmade) -> None:
    """Reaches 10-12 six-fold from day 336 to 364, reach 12 halved on day 340: the factors of spells multiply."""
    here = planted(
        handmade, Spell("pocket", "risk", 10, 13, 336, 364, 6.0), Spell("other", "risk", 12, 13, 340, 341, 0.5)
    )
    reach = np.array([10, 10, 10, 10, 9, 12, 12, 13])
    day = np.array([335.999, 336.0, 363.999, 364.0, 340.5, 340.5, 341.0, 340.5])
    assert here.factor(reach, BEGIN + day * DAY).tolist() == [1.0, 6.0, 6.0, 1.0, 1.0, 3.0, 6.0, 1.0]
    assert here.most == 6.0
    mean = here.mean_factor(105)
    assert mean[10] == pytest.approx((336 + 28 * 6) / 364)
    assert mean[12] == pytest.approx((336 + 27 * 6 + 3) / 364)
    assert np.delete(mean, [10, 11, 12]) == pytest.approx(np.ones(102))


def test_expected_cases_by_hand(handmade) -> None:
    """0.12 an hour: 2 h in the pocket in its month 0.12 x 6 x 2 = 1.44, before it 0.24; 5 h next to it 0.6, by night and
    in winter the same as by day in summer."""
    here = planted(handmade, Spell("pocket", "risk", 10, 13, 336, 364, 6.0))
    moved, seen = stays((11, 340.5, 2.0), (11, 100.5, 2.0), (9, 340.9, 5.0), (9, 120.4, 5.0))
    _, expected = cases.found(here.water, moved, seen, np.full(105, 0.12), {"boat": 1.0}, 1, here)
    assert expected == pytest.approx([1.44, 0.24, 0.6, 0.6])


def test_cases_are_drawn_from_what_is_expected(handmade) -> None:
    """1,000 h in the pocket: 720 +- 4 sqrt(720); 1,000 h before it: 120 +- 4 sqrt(120); half the detection, half of it."""
    here = planted(handmade, Spell("pocket", "risk", 10, 13, 336, 364, 6.0))
    moved, seen = stays((11, 336.0, 500.0), (11, 300.0, 500.0))
    double = Looked(*(np.tile(getattr(seen, name.name), 2) for name in dataclasses.fields(Looked)))
    for power in (1.0, 0.5):
        frame, _ = cases.found(here.water, moved, double, np.full(105, 0.12), {"boat": power}, 7, here)
        new = frame["t"] >= BEGIN + 336 * DAY
        assert abs(new.sum() - 720 * power) < 4 * np.sqrt(720 * power)
        assert abs((~new).sum() - 120 * power) < 4 * np.sqrt(120 * power)


def test_tips_follow_what_is_planted(handmade) -> None:
    """In a stretch of 6 of 80 reaches at 6 times the rate all the time: 36 of 110 tips, 0.327."""
    here = planted(handmade, Spell("pocket", "risk", 10, 16, 0, 364, 6.0))
    nobody = pd.DataFrame({"t": [BEGIN - 10 * DAY], "lon": [0.0], "lat": [0.0]})
    rate = np.where(np.arange(105) < 80, 0.12, 1e-12)  # no tips from the lake
    tips = cases.told(here.water, nobody, rate, 2_000, BEGIN, BEGIN + 364 * DAY, 3, here)
    share = tips["reach"].between(10, 15).mean()
    assert len(tips) == 2_000
    assert abs(share - 36 / 110) < 4 * np.sqrt(36 / 110 * 74 / 110 / 2_000)


# ------------------------------------------------------------------------------------------------ where and when


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", list(PLANTS))
def test_stretches_hang_together_and_lie_inside_the_course(handmade, kind: str, seed: int) -> None:
    here = lay(water(handmade, 1), PLANTS[kind], BEGIN, PLANTS[kind].days, seed)
    for spell in here.spells:
        assert 0 <= spell.first < spell.end <= PLANTS[kind].days
        if spell.part == "basin":
            continue
        reaches = here.reaches(spell)
        assert reaches.tolist() == list(range(reaches[0], reaches[-1] + 1))
        assert reaches[-1] < 60
        if spell.what == "rounds":
            assert len(reaches) <= 28
        else:
            assert len(reaches) == 6
            assert reaches[0] >= 4
            assert reaches[-1] < 56
    assert bool(here.of("rounds")) and (kind != "null" or len(here.of("rounds")) == len(here.spells))


def test_plans_by_days(handmade) -> None:
    """364 days: the last step begins on day 336, five steps before the end is day 224, eight day 140, six day 196."""

    def plan(kind: str) -> list[tuple]:
        here = lay(water(handmade, 1), PLANTS[kind], BEGIN, PLANTS[kind].days, 2)
        return [(one.part, one.what, one.first, one.end) for one in here.spells if one.what != "rounds"]

    assert plan("null") == []
    assert plan("new") == [("pocket", "risk", 336, 364)]
    assert plan("steady") == [("pocket", "risk", 0, 364)]
    assert plan("displaced") == [
        ("pocket", "risk", 0, 224), ("pocket", "operation", 224, 238), ("pocket", "risk", 224, 364),
        ("ring", "risk", 224, 364),
    ]  # fmt: skip
    assert plan("reemerging") == [
        ("pocket", "risk", 0, 140), ("pocket", "operation", 140, 154), ("pocket", "risk", 140, 336),
        ("pocket", "risk", 336, 364),
    ]  # fmt: skip
    # from 1 March 2025: 1 December is day 275, 1 March 2026 day 365, 1 December 2026 day 640
    assert plan("season") == [("pocket", "risk", 275, 365), ("pocket", "risk", 640, 728)]
    assert plan("unlooked") == [
        ("never_looked", "risk", 0, 364), ("never_looked", "closed", 0, 364),
        ("no_longer_looked", "risk", 0, 364), ("no_longer_looked", "closed", 196, 364),
    ]  # fmt: skip
    assert plan("near_repeat") == [("basin", "near_repeat", 0, 364)]


def test_offenders_move_up_or_down_by_seed(handmade) -> None:
    """The ring lies one kilometre-reach pair beyond the pocket, on one side or on the other."""
    sides = set()
    for seed in range(12):
        here = lay(water(handmade, 1), PLANTS["displaced"], BEGIN, 364, seed)
        pocket, ring = (here.reaches(next(s for s in here.spells if s.part == part)) for part in ("pocket", "ring"))
        sides.add(bool(ring[0] > pocket[0]))
        assert max(ring[0] - pocket[-1], pocket[0] - ring[-1]) == 3  # two reaches between
    assert sides == {True, False}


def test_wrong_wishes_are_named(handmade) -> None:
    for plant, found in (
        ("sudden", "sudden"), (Plant("new", reaches=80), "88"), (Plant("new", factor=0.9), "1 or more"),
        (Plant("displaced", operation_days=141), "140 days"), (Plant("near_repeat", repeat_m=0.0), "above 0"),
    ):  # fmt: skip
        with pytest.raises(Usage, match=found):
            simulate.world(handmade, 1, units=1, plant=plant)
    with pytest.raises(Usage, match="336 days"):
        simulate.world(handmade, 1, days=335, plant="new")
    with pytest.raises(Usage, match="672 days"):
        simulate.world(handmade, 1, days=364, plant="season")
    with pytest.raises(Usage, match="fixes"):
        simulate.world(handmade, 1, fixes_max=1_000, plant="new")


# ------------------------------------------------------------------------------------------------ whole worlds


@pytest.mark.parametrize("kind", ["null", "new", "displaced"])
def test_steps_hold_rate_times_factor_times_hours(planted_world, kind: str) -> None:
    """Worked out again from the files' own tables: 0.12 x the factors of the spells x hours, by step; where a step is cut
    by no spell, as here, that is exact."""
    world = planted_world(kind)
    risk = world.plants[world.plants["what"] == "risk"]
    both = world.steps.merge(risk[["reach_id", "day_from", "day_to", "factor"]], on="reach_id", suffixes=("", "_risk"))
    both = both[(both["day_from"] >= both["day_from_risk"]) & (both["day_to"] <= both["day_to_risk"])]
    factor = both.groupby(["reach_id", "step"])["factor"].prod().rename("factor")
    steps = world.steps.merge(factor.reset_index(), on=["reach_id", "step"], how="left").fillna({"factor": 1.0})
    assert (steps["factor"] != 1).any() == (kind != "null")
    assert steps["expected"].to_numpy() == pytest.approx((0.12 * steps["factor"] * steps["minutes"] / 60).to_numpy())
    assert abs(steps["seizures_found"].sum() - steps["expected"].sum()) < 4 * np.sqrt(steps["expected"].sum())


def test_steps_add_up_to_the_world(planted_world) -> None:
    world = planted_world("displaced")
    by_reach = world.steps.groupby("reach_id", sort=False)[["minutes", "seizures_found"]].sum()
    truth = world.truth.set_index("reach_id")
    assert by_reach["minutes"].to_numpy() == pytest.approx(truth["minutes"].to_numpy())
    assert (by_reach["seizures_found"] == truth["seizures_found"]).all()
    assert world.steps["step"].max() == 13
    assert world.steps.groupby("step")["day_from"].first().tolist()[-1] == "2026-01-31"  # 28 days before 2026-02-28
    assert (world.truth["rate_per_h"] > 0).all()


def test_a_first_step_may_be_short(handmade) -> None:
    """340 days from 1 March: 12 steps and 4 days."""
    world = simulate.world(handmade, 3, days=340, units=1, fixes_max=300_000, zone_count=2, plant="null")
    first = world.steps[world.steps["step"] == 1]
    assert set(zip(first["day_from"], first["day_to"], strict=True)) == {("2025-03-01", "2025-03-05")}
    assert world.steps["step"].max() == 13
    assert world.steps["minutes"].sum() == pytest.approx(world.truth["minutes"].sum())


@pytest.mark.parametrize("kind", ["new", "displaced", "unlooked"])
def test_rounds_look_at_every_reach_in_every_step(planted_world, kind: str) -> None:
    world = planted_world(kind)
    rounds = world.plants[world.plants["what"] == "rounds"]
    assert rounds["reach_id"].nunique() >= 19
    both = world.steps.merge(rounds[["reach_id", "day_from", "day_to"]], on="reach_id", suffixes=("", "_rounds"))
    both = both[(both["day_from"] >= both["day_from_rounds"]) & (both["day_to"] <= both["day_to_rounds"])]
    assert both["minutes"].min() >= 6 * 60


def test_an_operation_is_a_surge(planted_world) -> None:
    """By the fixes alone: fixes a day in the pocket during the 14 days against all other days."""
    for kind, first in (("displaced", 224), ("reemerging", 140)):
        world = planted_world(kind)
        pocket = where(world.plants, "pocket", "operation")
        fixes = east(world)
        fixes = fixes[fixes["km"].between(pocket[0], pocket[-1] + 1)]
        day = days(world, fixes["time"])
        during = day.between(first, first + 14)
        assert during.sum() / 14 > 4 * (~during).sum() / 350
        # and looking goes on in the quiet time
        after = fixes[day > first + 14]
        assert (after.groupby((days(world, after["time"]) // 7).astype(int)).size() > 0).sum() >= (
            364 - first - 14
        ) // 7


def test_nobody_ever_goes_to_an_unlooked_stretch(planted_world) -> None:
    world = planted_world("unlooked")
    never = where(world.plants, "never_looked", "closed")
    left = where(world.plants, "no_longer_looked", "closed")
    minutes = world.truth.set_index("reach_id")["minutes"]
    assert (minutes[[f"m{i}" for i in never]] == 0).all()
    steps = world.steps.set_index(["reach_id", "step"])["minutes"].unstack()
    assert (steps.loc[[f"m{i}" for i in left], list(range(8, 14))] == 0).all().all()
    assert (steps.loc[[f"m{i}" for i in left], list(range(1, 8))] >= 360).all().all()
    beside = [f"m{i}" for i in (never[0] - 1, never[-1] + 1, left[0] - 1, left[-1] + 1)]
    assert (steps.loc[beside] >= 360).all().all()
    # by the fixes alone, noise and all
    fixes = east(world)
    day = days(world, fixes["time"])
    assert not fixes["km"].between(never[0], never[-1] + 1).any()
    assert not fixes.loc[day >= 196, "km"].between(left[0], left[-1] + 1).any()
    assert fixes.loc[day < 196, "km"].between(left[0], left[-1] + 1).any()
    told = [tuple(row) for row in world.patrols[["river", "km_from", "km_to"]].to_numpy()]
    for low, high in ((never[0], never[-1] + 1), (left[0], left[-1] + 1)):
        assert not any(name == "甲江" and a < high and b > low for name, a, b in told)


def test_no_fix_is_located_in_an_unlooked_stretch_of_a_winding_river() -> None:
    """Crews on the bank of the inner side of a bend, with noise, as the analysis itself places them."""
    lines = simulate.river(3, 45.0)
    network = river.build(lines)
    world = simulate.world(network, 3, days=336, units=16, fixes_max=470_000, lines=lines, plant="unlooked")
    tracks = pa.table({name: world.tracks[name].to_numpy() for name in ("lon", "lat")})
    reach = locate(tracks, network).column("reach").to_numpy()
    ids = network.reaches["reach_id"].to_numpy()[reach]
    for _, closed in world.plants[world.plants["what"] == "closed"].groupby("part"):
        since = pd.Timestamp(closed["day_from"].iloc[0], tz="Asia/Shanghai")
        there = (reach >= 0) & np.isin(ids, closed["reach_id"])
        assert not (there & (world.tracks["time"] >= since)).any()


def test_an_unlooked_stretch_is_truly_hot_and_tips_tell_of_it(planted_world) -> None:
    world = planted_world("unlooked")
    truth = world.truth.set_index("reach_id")
    never = [f"m{i}" for i in where(world.plants, "never_looked", "closed")]
    assert truth.loc[never, "rate_per_h"].to_numpy() == pytest.approx(0.72)
    assert (truth.loc[never, "seizures_found"] == 0).all()
    assert truth.loc[never, "seizures_told"].sum() > 0


def test_near_repeats_come_as_often_as_they_should(planted_world) -> None:
    """Where nothing is near 0.012 an hour, near a case 0.06: worked out again by going through all pairs."""
    world = planted_world("near_repeat")
    found = world.steps["seizures_found"].sum()
    assert abs(found - world.steps["expected"].sum()) < 4 * np.sqrt(world.steps["expected"].sum())
    assert world.steps["expected"].sum() > 1.3 * 0.012 * world.truth["minutes"].sum() / 60
    assert world.plants["factor"].dropna().unique().tolist() == [5.0]
    assert world.plants[["within_m", "for_days"]].dropna().drop_duplicates().to_numpy().tolist() == [[1000.0, 14.0]]
    assert (world.truth["rate_per_h"] == 0.012).all()


def test_seasons_come_back(handmade) -> None:
    world = simulate.world(handmade, 3, units=1, fixes_max=600_000, zone_count=2, plant="season_basin")
    month = pd.to_datetime(world.seizures.loc[world.seizures["kind"] == "found", "time"]).dt.tz_convert("Asia/Shanghai")
    winter = month.dt.month.isin([12, 1, 2])
    days_of = pd.date_range(world.totals["start"], periods=728)
    assert days_of[-1] == pd.Timestamp("2026-02-27")  # no world ends ahead of the clock
    share = days_of.month.isin([12, 1, 2]).mean()
    assert winter.sum() / (~winter).sum() == pytest.approx(3 * share / (1 - share), rel=0.15)
    assert {2024, 2025} <= set(month[winter & (month.dt.month == 12)].dt.year)
    channel = world.truth[world.truth["river"] != "丙湖"]
    assert channel["rate_per_h"].to_numpy() == pytest.approx(0.12 * (1 + 2 * share))


def test_nothing_else_changes_the_risk_unless_patchy(handmade, planted_world) -> None:
    assert (planted_world("null").truth["rate_per_h"] == 0.12).all()
    patchy = simulate.world(
        handmade, 3, units=1, fixes_max=300_000, zone_count=2, plant=Plant("steady", patchy=True, factor=2.0)
    )
    assert patchy.truth["rate_per_h"].nunique() > 50
    hours = pd.to_datetime(patchy.seizures.loc[patchy.seizures["kind"] == "found", "time"])
    night = hours.dt.tz_convert("Asia/Shanghai").dt.hour.isin([20, 21, 22, 23, 0, 1, 2, 3])
    assert night.mean() > 0.5  # a third of the hours, four times the rate


# ------------------------------------------------------------------------------------------------ equal to the byte


def test_equal_seeds_equal_worlds(handmade, planted_world) -> None:
    one = planted_world("near_repeat")
    two = simulate.world(handmade, 3, units=3, fixes_max=300_000, zone_count=2, plant="near_repeat")
    for name in ("tracks", "seizures", "truth", "plants", "steps"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(two, name))
    assert one.totals == two.totals
    places = {tuple(lay(water(handmade, 1), PLANTS["new"], BEGIN, 364, seed).spells[:1]) for seed in range(8)}
    assert len(places) > 3


def test_a_world_without_a_plant_is_as_it_always_was(tmp_path) -> None:
    """The text files of seed 9 as they were before anything could be planted: what others made must stay comparable."""
    simulate.make(9, tmp_path / "w", days=20, units=8)
    sums = hashlib.sha256()
    for path in sorted((tmp_path / "w").iterdir()):
        if path.suffix in (".csv", ".gpx", ".geojson", ".json", ".md"):
            sums.update(path.name.encode() + path.read_bytes())
    assert sums.hexdigest() == "46885be0ad56f876090434ff895ec095b35ce0f42ebe3caa3984834b558703da"
    assert sorted(path.name for path in (tmp_path / "w" / "truth").iterdir()) == ["reaches.csv", "totals.json"]


def test_from_the_command_line(tmp_path, capsys) -> None:
    folder = tmp_path / "planted"
    assert run(["--json", "simulate", "--seed", "4", "--plant", "new", "--units", "2", "-o", str(folder)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["totals"]["plant"]["kind"] == "new"
    assert told["totals"]["fixes"] < 1_000_000
    plants = pd.read_csv(folder / "truth" / "plants.csv")
    assert (plants["simulated"] == "模拟数据").all()
    pocket = plants[plants["part"] == "pocket"]
    assert len(pocket) == 6
    assert set(zip(pocket["day_from"], pocket["day_to"], strict=True)) == {("2026-01-31", "2026-02-28")}
    steps = pd.read_csv(folder / "truth" / "steps.csv")
    assert (steps.loc[steps["reach_id"].isin(pocket["reach_id"]), "minutes"] >= 360).all()
    assert "truth/plants.csv" in (folder / "README.md").read_text(encoding="utf-8")
    assert run(["simulate", "--seed", "4", "--plant", "sudden", "-o", str(tmp_path / "no")]) == 2
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize("seed", range(4))
def test_a_short_river_is_one_network_and_as_long_as_asked(seed: int) -> None:
    from scipy.sparse.csgraph import connected_components

    network = river.build(simulate.river(seed, 45.0))
    assert connected_components(network.adjacency, directed=False)[0] == 1
    main = network.reaches[(network.reaches["river"] == "模拟江") & network.reaches["side"].isna()]
    assert main["km_to"].max() == pytest.approx(45.0, abs=1.5)
    assert network.reaches["river"].nunique() >= 3
