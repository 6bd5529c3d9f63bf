"""Tilted laws against scipy's quadrature."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from geo_monitor.hotspots.tilted import ABREAST, moments, quick_exp, rough_exp, support, tilted


@pytest.mark.parametrize(
    ("a", "b", "own", "y", "h"),
    [
        (-2.0, 1.5, [(1.0, 0.0, 0.4)], 0.0, 6.0),
        (0.0, 0.5, [(1.0, 0.0, 1e-6)], 7.0, 3.0),
        (-1.0, 4.0, [(1.0, 0.0, 1.0)], 1.0, 200.0),
        (-2.0, 0.5, [(0.95, 0.0, 0.0), (0.05, 1.5, 0.5)], 4.0, 6.0),  # a pocket as likely as not
        (-2.0, 0.5, [(0.95, 0.0, 0.0), (0.05, 1.5, 0.5)], 0.0, 6.0),
        (-1.5, 0.8, [(0.7, 0.0, 0.2), (0.2, 1.0, 0.1), (0.1, -1.0, 0.3)], 2.0, 4.0),
    ],
)
def test_tilted_is_scipys_quadrature(
    a: float, b: float, own: list[tuple[float, float, float]], y: float, h: float
) -> None:
    """x normal(a, b); the cases' likelihood given x is itself an integral over what the cell has for itself."""
    from scipy.integrate import quad

    nodes, shares = np.polynomial.hermite_e.hermegauss(120)

    def likelihood(x: float) -> float:
        return sum(
            share * shares @ stats.poisson.pmf(y, h * np.exp(x + mean + np.sqrt(v) * nodes)) / shares.sum()
            for share, mean, v in own
        )

    def moment(power: int) -> float:
        def density(x: float) -> float:
            return float(x**power * stats.norm.pdf(x, a, np.sqrt(b)) * likelihood(x))

        return quad(density, a - 9 * np.sqrt(b), a + 9 * np.sqrt(b), points=[a - 2, a, a + 2], limit=400)[0]

    total = moment(0)
    log_z, mean, variance = tilted(np.array([a]), np.array([b]), np.array(own), np.array([y]), np.array([h]))
    assert log_z[0] == pytest.approx(np.log(total), abs=2e-5)
    assert mean[0] == pytest.approx(moment(1) / total, abs=2e-5)
    assert variance[0] == pytest.approx(moment(2) / total - (moment(1) / total) ** 2, rel=2e-4)


def test_many_cells_are_what_each_is_alone() -> None:
    """A cell's moments do not depend on which cells are worked on with it, nor on where its top is sought from."""
    rng = np.random.default_rng(5)
    n = 2 * ABREAST + 7
    a, b, h = rng.normal(-3, 2, n), rng.uniform(0.01, 4, n), rng.gamma(0.3, 40, n) + 1e-6
    y = rng.poisson(h * np.exp(rng.normal(a, np.sqrt(b)))).astype(float)
    own = np.array([[0.9, 0.0, 0.0], [0.1, 1.5, 0.6]])
    together = tilted(a, b, own, y, h)
    for i in range(0, n, 19):
        alone = tilted(a[i : i + 1], b[i : i + 1], own, y[i : i + 1], h[i : i + 1])
        assert [part[0] for part in alone] == pytest.approx([part[i] for part in together], rel=1e-8, abs=1e-9)
    log_z, mean, variance = np.empty((3, n))
    moments(a, b, own, y, h, a[:, None] + rng.normal(0, 1, (n, 2)), log_z, mean, variance)
    assert mean == pytest.approx(together[1], abs=1e-7)
    assert variance == pytest.approx(together[2], rel=1e-7)


def test_the_slope_along_what_a_cell_has_for_itself_is_that_of_the_log_integral() -> None:
    """Against differences of the log integrals' sum, along the share, mean and variance of either part."""
    a, b = np.array([-2.0, -1.0, 0.5]), np.array([0.7, 1.2, 0.3])
    y, h = np.array([0.0, 3.0, 2.0]), np.array([5.0, 4.0, 1.0])
    own = np.array([[0.8, 0.1, 0.2], [0.2, 1.4, 0.5]])
    slope = moments(a, b, own, y, h, np.full((3, 2), np.nan), *np.empty((3, 3)))
    for c in range(2):
        for column in range(3):
            step = np.zeros((2, 3))
            step[c, column] = 1e-4
            rise = (tilted(a, b, own + step, y, h)[0] - tilted(a, b, own - step, y, h)[0]).sum() / 2e-4
            assert slope[c, column] == pytest.approx(rise, rel=1e-4, abs=1e-5)


@given(st.floats(-700.0, 700.0))
def test_exponentials_are_those_of_the_c_library(x: float) -> None:
    assert quick_exp(x) == pytest.approx(math.exp(x), rel=4e-16 * max(1.0, abs(x)))
    assert rough_exp(x) == pytest.approx(math.exp(x), rel=3e-10)


@given(st.floats(-20, 5), st.floats(1e-4, 50), st.integers(0, 500), st.floats(1e-6, 1e6))
def test_beyond_its_support_a_law_is_next_to_nothing(a: float, b: float, y: int, h: float) -> None:
    """At both ends less than exp(-15) of what it is at its top, which is where its slope vanishes; exp(-10) where the normal
    part is wider than any in use."""
    low, high, top = support(a, b, float(y), h)

    def log_density(e: float) -> float:
        return y * e - h * math.exp(min(e, 700.0)) - 0.5 * (e - a) ** 2 / b

    sd = 1.0 / math.sqrt(1.0 / b + h * math.exp(top))
    assert abs(y - h * math.exp(top) - (top - a) / b) * sd < 0.03
    least = 15.0 if b <= 10.0 else 10.0
    assert log_density(low) < log_density(top) - least
    assert log_density(high) < log_density(top) - least
