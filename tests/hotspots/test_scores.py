"""Scores of forecasts: hand-worked, and against scipy's laws and quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from geo_monitor.errors import Usage
from geo_monitor.hotspots import exchangeable
from geo_monitor.hotspots.field import Fit
from geo_monitor.hotspots.rates import Posterior
from geo_monitor.hotspots.scores import inside, log_predictive, log_score, pai, pei

TWO = Fit(np.array([[-1.0], [-2.5]]), np.array([[0.8], [0.3]]), np.array([0.3, 0.7]), np.ones((2, 4)))


def test_what_was_never_looked_at_is_a_mixture_of_poisson_log_normals() -> None:
    known = Posterior(TWO, np.zeros(1), np.zeros(1), 1.0, 0.0)
    for y, h in ((0, 4.0), (3, 4.0), (1, 0.25)):
        chance = sum(
            w
            * quad(lambda e, a=a, b=b, y=y, h=h: stats.norm.pdf(e, a, b) * stats.poisson.pmf(y, h * np.exp(e)), -9, 6)[
                0
            ]
            for w, a, b in ((0.3, -1.0, np.sqrt(0.8)), (0.7, -2.5, np.sqrt(0.3)))
        )
        assert np.exp(log_predictive(known, [y], [h])[0]) == pytest.approx(chance, rel=1e-4)


def test_chances_sum_to_one_with_and_without_own_data() -> None:
    for y, h in ((0.0, 0.0), (2.0, 5.0)):
        known = Posterior(TWO, np.array([y]), np.array([h]), 1.0, 0.0)
        assert sum(np.exp(log_predictive(known, [k], [3.0])[0]) for k in range(120)) == pytest.approx(1.0, abs=1e-4)


def test_own_data_count_first() -> None:
    """One law, 2 cases in 5 h, then 1 in 3 h: the ratio of two integrals."""
    one = Fit(np.array([[-1.0]]), np.array([[0.8]]), np.ones(1), np.ones((1, 4)))

    def integral(*data: tuple[int, float]) -> float:
        def density(e: float) -> float:
            return float(
                stats.norm.pdf(e, -1, np.sqrt(0.8)) * np.prod([stats.poisson.pmf(y, h * np.exp(e)) for y, h in data])
            )

        return float(quad(density, -9, 6)[0])

    known = Posterior(one, np.array([2.0]), np.array([5.0]), 1.0, 0.0)
    expected = integral((2, 5.0), (1, 3.0)) / integral((2, 5.0))
    assert np.exp(log_predictive(known, [1], [3.0])[0]) == pytest.approx(expected, rel=1e-4)


def test_gamma_laws_give_the_negative_binomial() -> None:
    """Rate gamma of shape 1.5, scale 0.4; 3 h: negative binomial of p = 1 / (1 + 3 * 0.4)."""
    known = exchangeable.Posterior(np.array([[1.5]]), np.array([[0.4]]), np.ones(1), np.zeros(4, dtype=int), 1.0, 1.0)
    expected = stats.nbinom.logpmf([0, 1, 2, 7], 1.5, 1 / 2.2)
    assert log_predictive(known, [0, 1, 2, 7], [3.0] * 4) == pytest.approx(expected)


def test_nobody_looked_scores_nothing() -> None:
    known = Posterior(TWO, np.zeros(1), np.zeros(1), 1.0, 0.0)
    assert log_predictive(known, [0], [0.0])[0] == 0.0
    assert log_score(known, [0], [0.0]) == 0.0


def test_the_true_law_scores_best_on_average() -> None:
    """Poisson of rate 0.5 over 4 h, scored exactly over all counts: true rate against one half and twice of it."""

    def expected(rate: float) -> float:
        e = np.log(rate)
        law = Fit(np.array([[e]]), np.array([[1e-8]]), np.ones(1), np.ones((1, 4)))
        known = Posterior(law, np.zeros(1), np.zeros(1), 1.0, 0.0)
        return sum(stats.poisson.pmf(k, 2.0) * log_predictive(known, [k], [4.0])[0] for k in range(25))

    assert expected(0.5) > max(expected(0.25), expected(1.0), expected(0.45), expected(0.55))


def test_pai_and_pei_with_reaches_of_different_length() -> None:
    """4 km of river, a quarter named. By the forecast the first reach (500 m, 2 cases) and half of the second (1 km, 3
    cases): 3.5 of 10 cases in 25 % of length. The best quarter: the last (250 m, 5 cases: 20 a km), the first (4 a km), and
    250 m of the second (3 a km): 5 + 2 + 0.75."""
    length, cases, foretold = [500.0, 1000.0, 2250.0, 250.0], [2, 3, 0, 5], [9.0, 8.0, 2.0, 1.0]
    assert inside(foretold, length, 0.25).tolist() == [1.0, 0.5, 0.0, 0.0]
    assert pai(foretold, cases, length, 0.25) == pytest.approx(0.35 / 0.25)
    assert pei(foretold, cases, length, 0.25) == pytest.approx(3.5 / 7.75)


def test_a_forecast_alike_everywhere_is_chance() -> None:
    """Every reach is in by 5 %, and so are 5 % of the cases."""
    assert pai(np.zeros(7), [5, 0, 0, 1, 0, 0, 2], np.arange(1.0, 8.0)) == pytest.approx(1.0)


def test_no_cases_is_zero() -> None:
    assert pai([1.0, 0.0], [0, 0], [1.0, 1.0]) == 0.0
    assert pei([1.0, 0.0], [0, 0], [1.0, 1.0]) == 0.0


@runs(max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(1, 50)), min_size=1, max_size=15),
    st.floats(0.01, 1.0),
    st.randoms(use_true_random=False),
)
def test_length_named_is_the_share_and_nothing_beats_the_best(rows, share, random) -> None:
    foretold, cases, length = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    assert inside(foretold, length, share) @ length == pytest.approx(share * length.sum())
    assert -1e-9 <= pei(foretold, cases, length, share) <= 1 + 1e-9
    order = list(range(len(rows)))
    random.shuffle(order)
    assert pai(foretold[order], cases[order], length[order], share) == pytest.approx(
        pai(foretold, cases, length, share)
    )


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda: pai([1.0], [1], [1.0, 1.0]), "scores_shape"),
        (lambda: pai([], [], []), "scores_shape"),
        (lambda: pai([1.0, 2.0], [1], [1.0, 1.0]), "scores_shape"),
        (lambda: pai([1.0], [1], [0.0]), "scores_value"),
        (lambda: pai([np.nan], [1], [1.0]), "scores_value"),
        (lambda: pai([1.0], [-1], [1.0]), "scores_value"),
        (lambda: pai([1.0], [1], [1.0], share=0.0), "scores_value"),
        (lambda: log_predictive(Posterior(TWO, np.zeros(1), np.zeros(1), 1.0, 0.0), [0.5], [1.0]), "rates_cases"),
    ],
)
def test_wrong_calls_are_named(call, code: str) -> None:
    with pytest.raises(Usage) as caught:
        call()
    assert caught.value.code == code
    assert "{" not in str(caught.value)
