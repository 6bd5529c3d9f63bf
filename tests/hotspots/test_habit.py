"""Whether patrols follow the risk: by hand, against likelihoods worked out anew, and on rivers with and without a habit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.stats import nbinom, norm

from benchmarks.accuracy import worlds
from geo_monitor.hotspots import habit
from geo_monitor.settings import Settings


def test_two_kinds_of_reaches_by_hand() -> None:
    """40 reaches of 2 h with 10 cases, 40 of 8 h with 20: 0.125 and 0.0625 an hour, half at four times the hours."""
    cases = np.r_[np.ones(10), np.zeros(30), np.ones(20), np.zeros(20)]
    found = habit(cases, np.repeat([2.0, 8.0], 40))
    assert found is not None
    assert found.slope == pytest.approx(-0.5, abs=1e-9)
    # Poisson counts of which none is over 1 are less uneven than Poisson's: the larger, the model's, of both variances,
    # that of a difference of log rates over the difference of log hours
    assert found.spread == pytest.approx(np.sqrt(1 / 10 + 1 / 20) / np.log(4.0), rel=1e-9)
    z = norm.ppf(0.95)
    assert found.interval == pytest.approx((-0.5 - z * found.spread, -0.5 + z * found.spread))
    assert (found.leans, found.notes(), found.leans_at([0.0])) == ("", [], [""])
    assert found.told()["times_at_twice_the_hours"] == round(2.0**-0.5, 3)


def test_a_habit_is_told_with_its_numbers() -> None:
    found = habit(np.ones(90), np.tile([4.0, 8.0], 45))
    assert found is not None
    (note,) = found.notes()
    assert note["code"] == "effort_avoids"
    assert note["params"]["times"] == "0.50"
    assert float(note["params"]["lo"]) < 0.5 < float(note["params"]["hi"]) < 1.0
    assert found.told() == {
        "times_at_twice_the_hours": 0.5,
        "lo": pytest.approx(float(note["params"]["lo"]), abs=0.005),
        "hi": pytest.approx(float(note["params"]["hi"]), abs=0.005),
        "leans": "avoids",
    }
    assert found.few == 4.0
    assert found.leans_at([0.0, 4.0, 4.1]) == ["avoids", "avoids", ""]
    more = habit(np.tile([1.0, 4.0], 45), np.tile([4.0, 8.0], 45))
    assert more is not None
    assert [note["code"] for note in more.notes()] == ["effort_follows"]


def test_the_slope_is_that_of_the_likelihood() -> None:
    """Uneven rates: at the spread found, the negative binomial's likelihood as scipy has it is highest there, and the
    squared differences are as large as foretold."""
    rng = np.random.default_rng(5)
    hours = np.exp(rng.normal(2.0, 0.8, 800)) + 2.0
    cases = rng.poisson(0.1 * hours**1.4 * rng.gamma(1.0, 1.0, 800))
    found = habit(cases, hours)
    assert found is not None
    assert found.leans == "follows"

    def loss(at: np.ndarray) -> float:
        mean = hours * np.exp(at[0] + at[1] * np.log(hours))
        size = np.exp(-at[2])
        return -float(nbinom.logpmf(cases, size, size / (size + mean)).sum())

    def at_spread(log_c2: float) -> np.ndarray:
        held = minimize(lambda at: loss(np.r_[at, log_c2]), [-2.0, 0.0], method="Nelder-Mead",
                        options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000})  # fmt: skip
        return np.asarray(held.x)

    def over(log_c2: float) -> float:
        a, b = at_spread(log_c2)
        mean = hours * np.exp(a + b * np.log(hours))
        return float(((cases - mean) ** 2 / (mean + np.exp(log_c2) * mean**2)).sum()) - 798

    low, high = -2.0, 2.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if over(middle) > 0 else (low, middle)
    assert found.slope == pytest.approx(at_spread(low)[1], abs=1e-6)


def test_only_reaches_looked_at_enough_count() -> None:
    cases, hours = np.ones(90), np.tile([4.0, 8.0], 45)
    passed = np.r_[hours, np.full(5000, 0.01), 0.0], np.r_[cases, np.zeros(5000), 3.0]
    assert habit(passed[1], passed[0]) == habit(cases, hours)


@pytest.mark.parametrize(
    ("cases", "hours"),
    [
        (np.zeros(50), np.full(50, 3.0)),  # no case
        (np.ones(29), np.linspace(2.0, 9.0, 29)),  # too few reaches with one
        (np.ones(50), np.full(50, 3.0)),  # the same hours everywhere
        (np.ones(50), np.linspace(0.0, 1.9, 50)),  # nowhere looked at enough
        (np.repeat([0.0, 1.0], 40), np.repeat([2.0, 8.0], 40)),  # all cases where most hours are: no slope is too steep
        (np.repeat([1.0, 0.0], 40), np.repeat([2.0, 8.0], 40)),
        (np.ones(50), np.linspace(3.0, 3.000001, 50)),  # all but the same hours
    ],
)
def test_what_cannot_tell_is_none(cases: np.ndarray, hours: np.ndarray) -> None:
    assert habit(cases, hours) is None


@given(st.lists(st.tuples(st.integers(0, 10_000), st.floats(0.0, 1e4)), min_size=3, max_size=60))
def test_any_counts_give_finite_numbers(rows: list[tuple[int, float]]) -> None:
    cases, hours = np.array(rows, dtype=float).T
    found = habit(cases, hours, Settings(habit_reaches_min=2))
    if found is not None:
        assert np.isfinite([found.slope, found.spread, *found.interval]).all()
        assert found.interval[0] <= found.slope <= found.interval[1]
        assert np.isfinite([found.told()[name] for name in ("times_at_twice_the_hours", "lo", "hi")]).all()


@pytest.mark.parametrize(("spread", "batch"), [(0.0, 1), (1.0, 1), (1.0, 3)])
def test_rivers_without_a_habit_are_seldom_told_of_one(spread: float, batch: int) -> None:
    """Of 200 at most 3; the 90 % interval holds 0 in most."""
    told, held = 0, 0
    for seed in range(200):
        rng = np.random.default_rng([seed, batch])
        hours = 6.0 * np.exp(rng.normal(0.0, 1.0, 1200))
        rate = 0.1 * (rng.gamma(1 / spread**2, spread**2, 1200) if spread else np.ones(1200))
        found = habit(batch * rng.poisson(hours * rate / batch), hours)
        assert found is not None
        told += found.leans != ""
        held += found.interval[0] <= 0.0 <= found.interval[1]
    assert told <= 3
    assert 0.84 <= held / 200 <= 0.96


@pytest.mark.parametrize(("way", "leans"), [("opposed", "avoids"), ("unrelated", ""), ("following", "follows")])
def test_the_habits_of_the_benchmark_are_told(way: str, leans: str) -> None:
    made = worlds.world("car", worlds.river("branches", 3, 600), 0.1, 3)
    hours, cases = worlds.patrolled(made, way, 3)
    found = habit(cases, hours)
    assert found is not None
    assert found.leans == leans
