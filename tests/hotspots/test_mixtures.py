"""Mixtures of (normal law) x (Poisson likelihood) against scipy's quadrature."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from geo_monitor.hotspots.mixtures import POINTS, crossings, mixtures

NOTHING = np.array([[1.0, 0.0, 0.0]])


def exact(
    mean: list[float], variance: list[float], own: np.ndarray, weight: list[float], y: float, h: float, at: float
) -> tuple[float, float]:
    """P(log rate < at) and the mean rate: every node's mixture normalised by itself, then weighed."""
    below, rate = 0.0, 0.0
    for a, b, share in zip(mean, variance, weight, strict=True):

        def law(e: float, a: float = a, b: float = b) -> float:
            normal = sum(w * np.exp(-0.5 * (e - a - m) ** 2 / (b + v)) / np.sqrt(b + v) for w, m, v in own.tolist())
            return float(normal * np.exp(y * e - h * np.exp(e)))

        ends = a - 12 * np.sqrt(b + own[:, 2].max()), a + own[:, 1].max() + 12 * np.sqrt(b + own[:, 2].max())
        places = np.linspace(*ends, 60)[1:-1].tolist()
        total, low, moment = (
            quad(f, lower, upper, points=[p for p in places if lower < p < upper], limit=500)[0]
            for f, lower, upper in (
                (law, *ends),
                (law, ends[0], min(max(at, ends[0]), ends[1])),
                (lambda e: np.exp(e) * law(e), *ends),
            )
        )
        below += share * low / total
        rate += share * moment / total
    return below, rate


@pytest.mark.parametrize(
    ("mean", "variance", "own", "weight", "y", "h"),
    [
        ([-1.0], [0.8], NOTHING, [1.0], 0.0, 0.0),
        ([-2.0, -1.0, -1.5], [0.5, 1.2, 0.1], NOTHING, [0.3, 0.5, 0.2], 0.0, 0.0),
        ([-2.0, -1.0, -1.5], [0.5, 1.2, 0.1], NOTHING, [0.3, 0.5, 0.2], 4.0, 6.0),
        ([-2.0, -1.8], [0.5, 0.7], np.array([[0.95, 0.0, 0.0], [0.05, 1.5, 0.5]]), [0.5, 0.5], 3.0, 4.0),
        ([-2.0, -1.8], [0.5, 0.7], np.array([[0.95, 0.0, 0.0], [0.05, 1.5, 0.5]]), [0.5, 0.5], 0.0, 0.0),
        ([-3.0, -3.0], [2e-4, 2.0], NOTHING, [0.6, 0.4], 0.0, 0.0),  # one as narrow as half a step of the grid
        ([-6.0], [0.04], NOTHING, [1.0], 40.0, 10.0),  # prior and data at odds
    ],
)
def test_distribution_and_mean_are_those_of_quadrature(
    mean: list[float], variance: list[float], own: np.ndarray, weight: list[float], y: float, h: float
) -> None:
    k = len(mean)
    first, step, cdf, rate = mixtures(
        np.array(mean)[:, None],
        np.array(variance)[:, None],
        np.tile(own, (k, 1, 1)),
        np.array(weight),
        np.array([y]),
        np.array([h]),
    )
    places = first[0] + step[0] * np.arange(POINTS)
    narrow = np.sqrt(min(variance)) < 2 * step[0]
    for p in (0.05, 0.3, 0.5, 0.8, 0.95):
        at = crossings(first, step, cdf, p)[0]
        below, expected = exact(mean, variance, own, weight, y, h, at)
        assert np.interp(at, places, cdf[0]) == pytest.approx(p, abs=1e-9)
        assert below == pytest.approx(p, abs=0.15 if narrow else 1e-3)
    assert rate[0] == pytest.approx(expected, rel=2e-3)
    assert cdf[0, 0] < 1e-6
    assert cdf[0, -1] > 1 - 1e-6
    assert (np.diff(cdf[0]) >= 0).all()


def test_no_cells_are_no_answers() -> None:
    found = mixtures(
        np.empty((2, 0)), np.empty((2, 0)), np.tile(NOTHING, (2, 1, 1)), np.full(2, 0.5), *np.empty((2, 0))
    )
    assert [len(part) for part in found] == [0, 0, 0, 0]
