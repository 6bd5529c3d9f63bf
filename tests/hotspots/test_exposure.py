"""What an hour counts for: by hand, against other ways to solve the same equations, and on simulated worlds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import expit

from geo_monitor.errors import Usage
from geo_monitor.hotspots.exposure import Weights, stated, weights
from geo_monitor.messages import text
from geo_monitor.settings import Settings
from geo_monitor.tables import PLATFORMS

FREE = replace(Settings(), weight_prior_log_sd=100.0)
BOAT, FOOT, DRONE, VEHICLE, CAMERA = range(5)


def by_day(table: list[list[float]]) -> np.ndarray:
    """(n, p, 2) of values (n, p) by day, nothing by night."""
    values = np.array(table, dtype=float)
    return np.stack([values, np.zeros_like(values)], axis=2)


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_equal_hours_and_thirty_to_ten_is_three_to_one() -> None:
    """Ten reaches, each an hour of boat and of drone; the boat finds 3 cases in each, the drone 1."""
    found = weights(by_day([[1, 1]] * 10), by_day([[3, 1]] * 10), [1.0, 1.0], FREE)
    assert found.weight == pytest.approx([1.0, 1 / 3, 1.0], rel=1e-3)
    assert found.estimated.tolist() == [False, True, False]
    assert found.cases.tolist() == [40, 40, 0]
    # log odds of 30 : 10 have the variance 1/30 + 1/10
    wide = np.exp(1.6449 * np.sqrt(1 / 30 + 1 / 10))
    assert (found.lo[1], found.hi[1]) == pytest.approx((1 / 3 / wide, wide / 3), rel=1e-3)


def test_hours_count_and_not_only_cases() -> None:
    """Twice the boat's hours and as many cases: half a boat hour."""
    found = weights(by_day([[1, 2]] * 10), by_day([[3, 3]] * 10), [1.0, 1.0], FREE)
    assert found.weight[1] == pytest.approx(0.5, rel=1e-3)


def test_a_night_four_times_as_rich_and_an_average_hour_of_one() -> None:
    """A boat, 10 h by day and 10 h by night, 10 and 40 cases: a night hour is 4 day hours; 0.4 and 1.6 average to 1."""
    found = weights([[[10, 10]]], [[[10, 40]]], [1.0], FREE)
    assert found.weight == pytest.approx([1.0, 4.0], rel=1e-3)
    assert found.per_hour == pytest.approx(np.array([[0.4, 1.6]]), rel=1e-3)
    # 15 h by day and 5 h by night: (15 + 5) / (15 + 4 x 5) = 4/7
    found = weights([[[15, 5]]], [[[30, 40]]], [1.0], FREE)
    assert found.weight[1] == pytest.approx(4.0, rel=1e-3)
    assert found.per_hour == pytest.approx(np.array([[4 / 7, 16 / 7]]), rel=1e-3)


def test_platform_and_night_together() -> None:
    """Boat and drone, a day and a night hour each; 40, 120, 10, 30 cases: drone 1/4, night 3."""
    found = weights([[[1, 1], [1, 1]]], [[[40, 120], [10, 30]]], [1.0, 1.0], FREE)
    assert found.weight == pytest.approx([1.0, 0.25, 3.0], rel=1e-3)
    assert found.per_hour == pytest.approx(np.array([[0.5, 1.5], [0.125, 0.375]]), rel=1e-3)


def test_stated_weights_are_where_the_prior_stands() -> None:
    """A stated drone of 0.5 that finds half as much as a boat stays, exactly; without data the interval is the prior's:
    0.5 times exp(1.6449 x 0.7) = 3.163 either way."""
    found = weights(by_day([[1, 1]] * 10), by_day([[4, 2]] * 10), [1.0, 0.5])
    assert found.weight.tolist() == [1.0, 0.5, 1.0]
    assert found.lo[1] < 0.5 < found.hi[1]
    nothing = weights(by_day([[1, 1]]), by_day([[0, 0]]), [1.0, 0.5])
    assert (nothing.lo[1], nothing.hi[1]) == pytest.approx((0.5 / 3.163, 0.5 * 3.163), rel=1e-3)
    assert nothing.weight.tolist() == [1.0, 0.5, 1.0]


def test_few_cases_leave_the_stated_weight() -> None:
    """0 of 19 found by the drone is plain enough, but 20 cases are asked for."""
    assert weights(by_day([[1, 1]] * 19), by_day([[1, 0]] * 19), [1.0, 1.0]).weight.tolist() == [1.0, 1.0, 1.0]
    found = weights(by_day([[1, 1]] * 20), by_day([[1, 0]] * 20), [1.0, 1.0])
    assert found.estimated.tolist() == [False, True, False]
    assert 0.1 < found.weight[1] < 0.5  # never 0: the prior holds it


def test_without_a_boat_the_platform_with_most_hours_is_the_unit() -> None:
    hours = by_day([[0, 5, 5, 10, 0]] * 10)
    found = weights(hours, by_day([[0, 3, 0, 12, 0]] * 10), [1.0, 1.0, 1.0, 2.0, 1.0], FREE)
    assert found.weight[VEHICLE] == found.lo[VEHICLE] == found.hi[VEHICLE] == 2.0
    assert not found.estimated[VEHICLE]
    assert found.weight[FOOT] == pytest.approx(1.0, rel=1e-3)  # 3 in 5 h against 12 in 10 h: half of 2


def test_a_platform_stated_as_nothing_stays_out() -> None:
    """Cameras that are kept out change nothing, whatever they see."""
    alone = weights(by_day([[1, 1, 0]] * 10), by_day([[3, 1, 0]] * 10), [1.0, 1.0, 0.0])
    watched = weights(by_day([[1, 1, 9]] * 10), by_day([[3, 1, 7]] * 10), [1.0, 1.0, 0.0])
    assert watched.weight.tolist() == alone.weight.tolist()
    assert watched.weight[2] == watched.hi[2] == 0.0
    assert watched.per_hour[2].tolist() == [0.0, 0.0]


def test_cases_where_the_platform_did_not_look_say_nothing() -> None:
    hours, cases = by_day([[1, 1]] * 10 + [[1, 0]] * 5), by_day([[3, 1]] * 10 + [[2, 4]] * 5)
    with_them, without = weights(hours, cases, [1.0, 1.0]), weights(hours[:10], cases[:10], [1.0, 1.0])
    assert with_them.weight == pytest.approx(without.weight, rel=1e-9)
    assert with_them.cases.tolist() == without.cases.tolist() == [40, 40, 0]


def test_what_a_run_tells() -> None:
    hours, cases = np.zeros((10, 5, 2)), np.zeros((10, 5, 2))
    hours[:, [BOAT, DRONE], 0] = 1
    cases[:, BOAT, 0], cases[:, DRONE, 0] = 3, 1
    rows = weights(hours, cases, stated(Settings()), FREE).told()
    assert [row["category"] for row in rows] == [*PLATFORMS, "night"]
    assert rows[DRONE] == {
        "category": "drone",
        "weight": pytest.approx(0.3333, abs=2e-4),
        "lo": pytest.approx(0.1828, abs=2e-4),
        "hi": pytest.approx(0.6077, abs=2e-4),
        "estimated": True,
        "cases": 40,
    }
    assert rows[BOAT] == {"category": "boat", "weight": 1.0, "lo": 1.0, "hi": 1.0, "estimated": False, "cases": 40}


# --- other ways to the same answer ------------------------------------------------------------------------------------


def test_the_mode_solves_the_equation_of_its_slope() -> None:
    """Three reaches of unequal hours, a prior of 0.7: drone cases - sum of m x share - log w / 0.49 = 0."""
    boat, drone, m, by_drone = np.array([1.0, 4.0, 2.0]), np.array([3.0, 1.0, 2.0]), np.array([20, 30, 25]), 12

    def slope(log: float) -> float:
        return by_drone - float((m * expit(log + np.log(drone / boat))).sum()) - log / 0.49

    log = brentq(slope, -10, 10, xtol=1e-14)
    cases = by_day([[m[0] - 6, 6], [m[1] - 2, 2], [m[2] - 4, 4]])
    found = weights(by_day(np.column_stack([boat, drone]).tolist()), cases, [1.0, 1.0])
    assert found.estimated[1]
    assert found.weight[1] == pytest.approx(np.exp(log), rel=1e-9)


def test_the_interval_is_that_of_the_whole_posterior() -> None:
    """60 : 20 in equal hours; quantiles of the posterior summed on a fine grid, without any normal law."""
    found = weights(by_day([[1, 1]] * 20), by_day([[3, 1]] * 20), [1.0, 1.0])
    log = np.linspace(-6, 3, 90_001)
    density = 20 * log - 80 * np.log1p(np.exp(log)) - 0.5 * (log / 0.7) ** 2
    below = np.cumsum(np.exp(density - density.max()))
    lo, hi = np.exp(np.interp([0.05, 0.95], below / below[-1], log))
    assert (found.lo[1], found.hi[1]) == pytest.approx((lo, hi), rel=0.03)


def test_batches_say_no_more_than_single_cases() -> None:
    """Every case told three times: the interval stays as wide as it was (up to the prior), not 1/sqrt(3) of it."""
    rng = np.random.default_rng(0)
    cases = np.stack([rng.multinomial(1, [0.6, 0.4]) for _ in range(400)])
    hours = by_day([[1, 1]] * 400)
    once, thrice = (weights(hours, by_day((k * cases).tolist()), [1.0, 1.0], FREE) for k in (1, 3))
    assert np.log(thrice.hi / thrice.lo)[1] == pytest.approx(np.log(once.hi / once.lo)[1], rel=0.01)


tables = st.integers(1, 4).flatmap(
    lambda n: st.tuples(
        st.lists(st.lists(st.integers(0, 9), min_size=6, max_size=6), min_size=n, max_size=n),
        st.lists(st.lists(st.integers(0, 30), min_size=6, max_size=6), min_size=n, max_size=n),
        st.lists(st.floats(0.01, 100), min_size=n, max_size=n),
    )
)


@settings(max_examples=80, deadline=None)
@given(tables)
def test_the_rate_of_a_reach_drops_out(made: tuple[list, list, list]) -> None:
    """All hours of a reach times any factor: the same weights. And whatever is found, everything is finite, the
    interval holds the estimate, and day and night average to 1 over all hours."""
    hours, cases, factor = (np.array(values, dtype=float) for values in made)
    hours, cases = hours.reshape(-1, 3, 2), cases.reshape(-1, 3, 2)
    one = weights(hours, cases, [1.0, 1.0, 1.0])
    other = weights(hours * factor[:, None, None], cases, [1.0, 1.0, 1.0])
    if (hours[:, 0] > 0).any():  # else the reference may change with the hours
        assert other.lo == pytest.approx(one.lo, rel=1e-6)
        assert other.hi == pytest.approx(one.hi, rel=1e-6)
    for found in (one, other):
        assert np.isfinite(np.concatenate([found.weight, found.lo, found.hi, found.per_hour.ravel()])).all()
        assert (found.per_hour > 0).all()
        assert ((found.lo <= found.weight) & (found.weight <= found.hi))[found.estimated].all()
    night = one.per_hour / one.weight[:-1, None]
    if hours.sum() > 0:
        assert (hours * night).sum() == pytest.approx(hours.sum())


# --- worlds -----------------------------------------------------------------------------------------------------------


def world(
    seed: int, drone: float = 1.0, night: float = 1.0, following: bool = False, mean: float = 0.1
) -> tuple[np.ndarray, np.ndarray]:
    """400 reaches of rates apart by a factor of e, boats, feet, drones and vehicles in some of them at some hours."""
    rng = np.random.default_rng(seed)
    rate = mean * rng.lognormal(-0.5, 1.0, 400)
    hours = rng.gamma(0.7, 1 / 0.7, (400, 5)) * [8, 3, 2, 3, 0] * (rng.random((400, 5)) < [0.9, 0.4, 0.3, 0.3, 0])
    if following:
        hours[:, DRONE] *= rate / mean
    part = rng.beta(2, 3, (400, 5))
    looked = np.stack([hours * (1 - part), hours * part], axis=2)
    power = np.ones((5, 2)) * [1.0, night]
    power[DRONE] *= drone
    return looked, rng.poisson(rate[:, None, None] * looked * power)


def answers(number: int, **how: float) -> list[Weights]:
    return [weights(*world(seed, **how), stated(Settings())) for seed in range(number)]


def test_true_weights_are_found() -> None:
    """Drone 0.4, night 4: 90 % intervals that hold them in about 90 % of 60 worlds, and no bias to speak of."""
    found = answers(60, drone=0.4, night=4.0, mean=0.3)
    assert all(one.estimated[DRONE] and one.estimated[-1] for one in found)
    for row, truth in ((DRONE, 0.4), (len(PLATFORMS), 4.0)):
        assert np.exp(np.mean([np.log(one.weight[row]) for one in found])) == pytest.approx(truth, rel=0.06)
        assert 0.8 <= np.mean([one.lo[row] <= truth <= one.hi[row] for one in found]) <= 0.98
    for row in (FOOT, VEHICLE):
        assert np.mean([one.estimated[row] for one in found]) <= 0.1


@pytest.mark.parametrize("following", [False, True])
def test_true_stated_weights_stay(following: bool) -> None:
    """In 9 of 10 worlds nothing is changed, even where drones are flown where much is found (there cases per hour would
    call a drone worth two boats and more)."""
    found = answers(200, following=following)
    assert np.mean([not one.estimated.any() for one in found]) >= 0.87  # 0.9 less 1.5 standard errors of 200 worlds
    if following:
        hours, cases = (sum(parts) for parts in zip(*(world(seed, following=True) for seed in range(20)), strict=True))
        crude = cases.sum(axis=(0, 2)) / np.maximum(hours.sum(axis=(0, 2)), 1e-9)
        assert crude[DRONE] / crude[BOAT] > 2


# --- edges ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "cases"),
    [
        (np.zeros((0, 5, 2)), np.zeros((0, 5, 2))),
        (np.zeros((3, 5, 2)), np.zeros((3, 5, 2))),
        (np.zeros((3, 5, 2)), np.ones((3, 5, 2))),
        (np.ones((1, 5, 2)), np.zeros((1, 5, 2))),
    ],
)
def test_nothing_to_learn_from(hours: np.ndarray, cases: np.ndarray) -> None:
    found = weights(hours, cases, stated(Settings()))
    assert found.weight.tolist() == [1.0] * 6
    assert not found.estimated.any()
    assert found.per_hour.tolist() == [[1.0, 1.0]] * 5


def test_all_in_one_reach_and_by_one_platform() -> None:
    hours = np.full((3, 5, 2), 10_000.0)
    cases = np.zeros((3, 5, 2))
    cases[1, DRONE, 1] = 5_000
    found = weights(hours, cases, stated(Settings()))
    assert np.isfinite(found.per_hour).all()
    assert found.weight[DRONE] > 5
    assert found.weight[-1] > 5


def test_same_input_same_bytes() -> None:
    one, two = (weights(*world(3, drone=0.5, night=2.0), stated(Settings())) for _ in range(2))
    assert one.per_hour.tobytes() == two.per_hour.tobytes()
    assert one.lo.tobytes() == two.lo.tobytes()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (([[1.0]], [[1.0]], [1.0]), "exposure_shape"),
        ((by_day([[1, 1]]), by_day([[1, 1], [1, 1]]), [1.0, 1.0]), "exposure_shape"),
        ((by_day([[1, 1]]), by_day([[1, 1]]), [1.0]), "exposure_shape"),
        ((by_day([[1, np.inf]]), by_day([[1, 1]]), [1.0, 1.0]), "exposure_value"),
        ((by_day([[1, 1]]), by_day([[1, 0.5]]), [1.0, 1.0]), "exposure_value"),
        ((by_day([[1, 1]]), by_day([[1, 1]]), [1.0, -1.0]), "exposure_weight"),
        ((by_day([[1, 1]]), by_day([[1, 1]]), [0.0, 0.0]), "exposure_weight"),
    ],
)
def test_wrong_input_is_named(arguments: tuple, code: str) -> None:
    with pytest.raises(Usage) as error:
        weights(*arguments)
    assert error.value.code == code
    for lang in ("zh", "en"):
        assert text(code, lang, **error.value.params)
