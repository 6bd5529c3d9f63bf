"""A boat kept to a stretch: time adds up, borders are kept, every part gets its share."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor.simulate.rounds import sweep


@settings(max_examples=60, deadline=None)
@given(
    low=st.floats(0, 1e6), length=st.floats(300.0, 30_000.0), seconds=st.floats(1.0, 20_000.0), seed=st.integers(0, 999)
)
def test_legs_follow_each_other_within_the_stretch(low: float, length: float, seconds: float, seed: int) -> None:
    legs = sweep(low, low + length, 5_000.0, seconds, np.random.default_rng(seed))
    t0, t1, s0, s1, aside0, aside1 = legs.T
    assert t0[0] == 5_000.0
    assert t1[-1] == pytest.approx(5_000.0 + seconds)
    assert (t0[1:] == t1[:-1]).all()
    assert (s0[1:] == s1[:-1]).all()
    assert (aside0[1:] == aside1[:-1]).all()
    assert (t1 > t0).all()
    assert min(s0.min(), s1.min()) >= low - 1e-6
    assert max(s0.max(), s1.max()) <= low + length + 1e-6
    assert (np.abs(s1 - s0) <= 10.0 * (t1 - t0) + 1e-3).all()  # 10 m/s: no boat is faster


def test_every_kilometre_gets_the_same_time() -> None:
    """100 outings of 6 h over 10 km: each tenth gets a tenth of the time to within 5 %."""
    rng = np.random.default_rng(1)
    legs = np.concatenate([sweep(0.0, 10_000.0, 0.0, 21_600.0, rng) for _ in range(100)])
    share = np.zeros(10)
    for t0, t1, a, b, *_ in legs:
        low, high = min(a, b), max(a, b)
        for km in range(10):
            share[km] += (
                max(0.0, min(high, 1000.0 * km + 1000) - max(low, 1000.0 * km)) / max(high - low, 1e-9) * (t1 - t0)
            )
    assert share.sum() == pytest.approx(100 * 21_600.0)
    assert share / share.sum() == pytest.approx(np.full(10, 0.1), rel=0.05)
