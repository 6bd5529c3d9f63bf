"""A world keeps its own books: time adds up, cases only where somebody looked, and everything says it is simulated."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from geo_monitor import simulate
from geo_monitor.errors import Refused, Usage
from geo_monitor.settings import Settings
from geo_monitor.simulate import looking
from geo_monitor.simulate.movement import Movement
from geo_monitor.simulate.risk import by_clock, true_rates
from geo_monitor.simulate.water import water
from geo_monitor.tables import PLATFORMS, TABLES


def one_patrol(legs: list[tuple], gaps: list[tuple] = ()) -> Movement:
    """One boat with a fix every 60 s; legs (t0, t1, s0, s1), gaps (g0, g1)."""
    units = pd.DataFrame({"unit_id": ["b"], "platform": ["boat"], "fix_s": [60], "noise_m": [10.0]})
    patrols = pd.DataFrame({"patrol_id": ["p"], "unit": [0], "start": [legs[0][0]], "end": [legs[-1][1]]})
    table = np.array([(0, *leg, 0.0, 0.0) for leg in legs], dtype=float)
    names = ("patrol", "t0", "t1", "s0", "s1", "aside0", "aside1")
    columns = {name: table[:, i] for i, name in enumerate(names)}
    columns["patrol"] = columns["patrol"].astype(np.int64)
    pairs = np.array(gaps, dtype=float).reshape(-1, 2)
    silent = {"patrol": np.zeros(len(pairs), dtype=np.int64), "g0": pairs[:, 0], "g1": pairs[:, 1]}
    return Movement(units, patrols, columns, silent)


def minutes(handmade, moved: Movement, monkeypatch) -> np.ndarray:
    monkeypatch.setattr(looking, "LOST", 0.0)
    way = water(handmade, 1)
    seen = looking.looked(way, moved, looking.fixes(way, moved, 1), Settings().gap_s)
    return np.bincount(seen.reach, weights=seen.seconds, minlength=105) / 60


def test_an_hour_at_5_m_s_and_a_stakeout(handmade, monkeypatch) -> None:
    """18 km in 60 min from km 2.5 up, then 6 h lying at km 20.5: reach 2 gets half of 3 min 20 s, reaches 3-19 that
    whole, reach 20 the other half and the wait."""
    got = minutes(handmade, one_patrol([(0, 3600, 2500, 20500), (3600, 25200, 20500, 20500)]), monkeypatch)
    assert got[2] == pytest.approx(100 / 60)
    assert got[3:20] == pytest.approx(200 / 60)
    assert got[20] == pytest.approx(360 + 100 / 60)
    assert got.sum() == pytest.approx(420)


def test_downstream_and_into_the_tributary(handmade, monkeypatch) -> None:
    """10 min from km 33 down to the confluence at km 30, 10 min 2 km up the tributary: no time is lost between."""
    way = water(handmade, 1)
    up = way.begin[1]
    got = minutes(handmade, one_patrol([(0, 600, 33000, 30000), (600, 1200, up, up + 2000)]), monkeypatch)
    assert got[30:33] == pytest.approx(200 / 60)
    assert got[60:62] == pytest.approx(5.0)
    assert got.sum() == pytest.approx(20)


def test_a_gap_of_ten_minutes_counts_and_one_of_eleven_does_not(handmade, monkeypatch) -> None:
    """Fixes each minute; silence leaves fixes 600 s, or 660 s, apart."""
    lying = [(0, 7200, 5500, 5500)]
    assert minutes(handmade, one_patrol(lying, [(601, 1199)]), monkeypatch).sum() == pytest.approx(120)
    assert minutes(handmade, one_patrol(lying, [(601, 1259)]), monkeypatch).sum() == pytest.approx(120 - 11)


def test_pieces_follow_each_other_in_time(handmade, monkeypatch) -> None:
    monkeypatch.setattr(looking, "LOST", 0.0)
    way = water(handmade, 1)
    moved = one_patrol([(0, 3600, 20500, 2500)])
    seen = looking.looked(way, moved, looking.fixes(way, moved, 1), 600.0)
    order = np.argsort(seen.t0)
    assert seen.t0[order][1:] == pytest.approx(seen.t1[order][:-1])
    assert seen.s0[order][1:] == pytest.approx(seen.s1[order][:-1])
    assert (seen.s1 < seen.s0).all()
    assert (seen.reach == np.floor(0.5 * (seen.s0 + seen.s1) / 1000)).all()


def test_books_balance(world) -> None:
    truth, totals = world.truth, world.totals
    assert totals["simulated"] is True
    platforms = [f"minutes_{name}" for name in ("boat", "foot", "vehicle", "drone")]
    assert truth[platforms].sum(axis=1).to_numpy() == pytest.approx(truth["minutes"].to_numpy())
    assert totals["patrol_minutes"] == pytest.approx(truth["minutes"].sum(), abs=1e-3)
    assert totals["seizures"] == len(world.seizures)
    assert totals["seizures_found"] == truth["seizures_found"].sum()
    assert totals["fixes"] == len(world.tracks)


def test_true_minutes_are_the_time_between_fixes(world) -> None:
    """Independent sum: gaps of at most 600 s between fixes of one patrol, and the reported patrols from end to end."""
    tracks = world.tracks
    step = tracks["time"].diff().dt.total_seconds()
    same = tracks["patrol_id"].eq(tracks["patrol_id"].shift())
    tracked = step[same & (step <= 600)].sum() / 60
    told = (world.patrols["ended_at"] - world.patrols["started_at"]).dt.total_seconds().sum() / 60
    assert world.totals["patrol_minutes"] == pytest.approx(tracked + told, abs=0.01)
    assert told > 0


def test_cases_are_found_only_where_somebody_looked(world) -> None:
    truth = world.truth
    assert truth["seizures_found"].sum() > 100
    assert (truth.loc[truth["seizures_found"] > 0, "minutes"] > 0).all()
    found = world.seizures[world.seizures["kind"] == "found"]
    by_gps = found[~found["patrol_id"].fillna("").str.startswith("模拟报") & found["lon"].notna()]
    by_gps = by_gps[by_gps["patrol_id"].notna()].head(60)
    for row in by_gps.itertuples():
        track = world.tracks[world.tracks["patrol_id"] == row.patrol_id]
        nearest = (track["time"] - row.time).abs()
        assert nearest.min() <= pd.Timedelta(seconds=600)
        fix = track.loc[nearest.idxmin()]
        away = np.hypot((fix.lon - row.lon) * np.cos(np.radians(row.lat)), fix.lat - row.lat) * 111_195
        assert away <= 300 + 14.0 * nearest.min().total_seconds()  # 14 m/s: no platform is faster


def test_found_cases_are_as_many_as_rate_times_time(world) -> None:
    truth = world.truth
    expected = (truth["rate_met_per_h"] * truth["minutes"] / 60).sum()
    assert abs(truth["seizures_found"].sum() - expected) < 4 * np.sqrt(expected)
    assert world.totals["rate_met_per_h"] == pytest.approx(expected / truth["minutes"].sum() * 60, abs=1e-5)


def test_told_cases_have_nobody_near_and_trade_is_on_land(world) -> None:
    told = world.seizures[(world.seizures["kind"] == "told") & world.seizures["lon"].notna()]
    assert len(told) > 5
    assert set(told["origin"]) <= {"tip", "camera"}
    for row in told.head(20).itertuples():
        near = world.tracks[(world.tracks["time"] - row.time).abs() <= pd.Timedelta(minutes=30)]
        away = np.hypot((near["lon"] - row.lon) * np.cos(np.radians(row.lat)), near["lat"] - row.lat) * 111_195
        assert (away > 2_900).all()
    trade = world.seizures[world.seizures["kind"] == "trade"]
    assert set(trade["setting"]) <= {"market", "restaurant", "shop", "road"}
    assert trade["patrol_id"].isna().all()


def test_no_unit_is_in_two_places_at_once(world) -> None:
    tracks = world.tracks
    assert not tracks.duplicated(["unit_id", "time"]).any()
    span = tracks.groupby(["unit_id", "patrol_id"])["time"].agg(["min", "max"]).reset_index()
    span = span.sort_values(["unit_id", "min"])
    after = span["min"].shift(-1)[span["unit_id"].eq(span["unit_id"].shift(-1))]
    assert (after >= span["max"].loc[after.index]).all()


def test_frames_fit_their_tables(world) -> None:
    tracks = TABLES["positions"].conform(world.tracks.assign(receipt_id="x"))
    TABLES["positions"].check(tracks)
    TABLES["seizures"].check(TABLES["seizures"].conform(world.seizures.assign(version=1, receipt_id="x")))
    TABLES["units"].check(TABLES["units"].conform(world.units))
    TABLES["patrols"].check(TABLES["patrols"].conform(world.patrols))
    zones = TABLES["zones"].conform(world.zones.assign(receipt_id="x"))
    TABLES["zones"].check(zones)
    assert zones.geometry.is_valid.all()
    assert {"season", "always"} == set(np.where(zones["season_from"].notna(), "season", "always"))


def test_equal_seeds_equal_worlds_other_seeds_other_ones(network, world, lines) -> None:
    again = simulate.world(network, 5, days=40, units=10, mean_rate=0.2, lines=lines)
    pd.testing.assert_frame_equal(world.tracks, again.tracks)
    pd.testing.assert_frame_equal(world.seizures, again.seizures)
    pd.testing.assert_frame_equal(world.truth, again.truth)
    other = simulate.world(network, 6, days=40, units=10, mean_rate=0.2, lines=lines)
    assert not np.array_equal(other.truth["rate_per_h"], world.truth["rate_per_h"])


def test_habits_move_patrols_towards_or_away_from_the_risk(network) -> None:
    def met(habit: str) -> float:
        truth = simulate.world(network, 5, days=30, units=12, habit=habit).truth
        return float(np.average(np.log(truth["rate_per_h"]), weights=truth["minutes"]))

    assert met("opposed") < met("unrelated") < met("following")


def test_fixes_keep_to_their_limit(network) -> None:
    assert len(simulate.world(network, 5, days=30, units=12, fixes_max=20_000).tracks) < 25_000


def test_a_lake_is_patrolled(handmade) -> None:
    truth = simulate.world(handmade, 2, days=40, units=10, zone_count=5).truth
    lake = truth["river"] == "丙湖"
    assert truth.loc[lake, "minutes"].sum() > 0
    assert (truth.loc[truth["seizures_found"] > 0, "minutes"] > 0).all()


def test_wrong_wishes_are_named(network) -> None:
    with pytest.raises(Usage, match="lazy"):
        simulate.world(network, 1, habit="lazy")
    with pytest.raises(Usage, match="at least 2 days"):
        simulate.world(network, 1, days=1)


def test_risk_is_patchy_and_alike_next_door(network) -> None:
    rate = true_rates(network.adjacency, 0.1, 3)
    assert rate.mean() == pytest.approx(0.1)
    a, b = network.adjacency.nonzero()
    assert np.corrcoef(np.log(rate[a]), np.log(rate[b]))[0, 1] > 0.6
    assert np.log(rate).std() > 0.6


def test_nights_are_four_times_as_busy_and_the_day_averages_out() -> None:
    day = 100 * 86400.0 + np.arange(0, 86400, 600.0)
    factor = by_clock(day)
    assert factor[130] / factor[80] == pytest.approx(4.0, rel=0.01)  # 21:40 against 13:20
    assert factor.mean() == pytest.approx(1 + 0.4 * np.cos(2 * np.pi * (100.5 - 29.5) / 365.2425), rel=0.01)


def test_score_by_hand() -> None:
    """Two reaches looked at, one not: 90 + 110 of 200 minutes found; one of two true rates inside its interval."""
    truth = pd.DataFrame(
        {
            "reach_id": ["a", "b", "c"], "river": "甲江", "km_from": [0.0, 5.0, 10.0], "km_to": [0.5, 5.5, 10.5],
            "rate_per_h": [0.1, 0.4, 0.9], "minutes": [100.0, 100.0, 0.0],
        }
    )  # fmt: skip
    effort = pd.DataFrame({"reach_id": ["a", "a", "b"], "minutes": [40.0, 50.0, 110.0]})
    hotspots = pd.DataFrame(
        {
            "reach_id": ["a", "b", "c"], "patrol_h": [3.0, 3.0, 0.0], "rate": [0.2, 0.3, 0.2], "p_hot": [0.1, 0.3, 0.2],
            "rate_lo": [0.15, 0.1, 0.0], "rate_hi": [0.3, 0.5, 1.0],
        }
    )  # fmt: skip
    found = simulate.score(truth, effort, hotspots, worst=1)
    assert found["effort_total_error"] == pytest.approx(0.0)
    assert found["effort_median_error"] == pytest.approx(0.1)
    assert found["coverage"] == 0.5
    assert found["precision"] == 1.0
    assert found["rate_share"] == 1.0
    with pytest.raises(Usage, match="not in the truth"):
        simulate.score(truth, effort.assign(reach_id="z"))


def test_folder_that_holds_something_is_left_alone(tmp_path, world) -> None:
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(Refused, match="not empty"):
        simulate.write(world, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert (tmp_path / "mine.txt").read_text() == "keep"


def test_totals_are_plain_json(world) -> None:
    assert json.loads(json.dumps(world.totals))["simulated"] is True


@pytest.mark.parametrize("habit", ["opposed", "unrelated", "following"])
def test_rates_hold_the_truth_of_worlds_however_patrols_choose(network, habit: str) -> None:
    """With the true minutes as effort: 86-97 % of true rates inside the 90 % interval, averaged over three worlds; the
    50 named worst hold far more of the true rate than reaches at random would."""
    from geo_monitor import hotspots

    held, share, blind = [], [], []
    for seed in range(3):
        truth = simulate.world(network, seed, days=120, units=16, mean_rate=0.1, habit=habit).truth
        none = np.zeros(len(truth))
        hours = np.zeros((len(truth), len(PLATFORMS), 2))
        hours[:, 0, 0] = truth["minutes"] / 60  # every platform finds as much, so all may stand as boats by day
        table, _ = hotspots.table(
            network.reaches, truth["seizures_found"], none, hours, network.within(2000.0), none.astype(int),
            Settings(gi_permutations=99), links=network.adjacency,
        )  # fmt: skip
        found = simulate.score(truth, hotspots=table)
        looked = truth.loc[truth["minutes"] >= 120, "rate_per_h"]
        held.append(found["coverage"])
        share.append(found["rate_share"])
        blind.append(looked.mean() / looked.nlargest(50).mean())
        assert set(table.loc[truth["minutes"] < 120, "state"]) == {"not_looked"}
    assert 0.86 <= np.mean(held) <= 0.97
    assert np.mean(share) > 1.5 * np.mean(blind)
