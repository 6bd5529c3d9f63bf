"""Near repeats by hand, on the river laid out by hand (1 km a reach)."""

from __future__ import annotations

import numpy as np
import pytest

from geo_monitor.simulate.repeats import kept, raised
from geo_monitor.simulate.water import water

DAY = 86400.0


class Chances:
    """A generator whose numbers are known."""

    def __init__(self, *numbers: float) -> None:
        self.numbers = np.array(numbers)

    def random(self, size: int) -> np.ndarray:
        assert size == len(self.numbers)
        return self.numbers


def test_apart_by_hand(handmade) -> None:
    """The tributary joins at km 30: km 30.5 and 400 m up it are 900 m apart by water; the lake is out of reach."""
    way = water(handmade, 1)
    up = way.begin[1]
    many = np.array([31_000.0, 29_000.0, up + 400.0, way.begin[2]])
    assert way.apart(30_500.0, many) == pytest.approx([500.0, 1500.0, 900.0, np.inf], abs=1.0)
    assert way.apart(float(up + 400.0), many) == pytest.approx([1400.0, 1400.0, 0.0, np.inf], abs=1.0)


def test_two_tributaries_of_one_stem(handmade) -> None:
    """A second course joined to the main stem at km 31: 200 m up one, 300 m up the other, 1 km between: 1,500 m."""
    import dataclasses

    way = water(handmade, 1)
    parent = way.parent.copy()
    parent[2] = 31_000.0
    way = dataclasses.replace(way, parent=parent)
    one, two = float(way.begin[1] + 200.0), np.array([way.begin[2] + 300.0])
    assert way.apart(one, two) == pytest.approx([1500.0], abs=1.0)


def test_raised_within_a_kilometre_and_fourteen_days(handmade) -> None:
    """One case at km 10 on day 20. Exactly 1 km and exactly 14 days are within; the very moment is not after."""
    way = water(handmade, 1)
    s = np.array([10_900.0, 11_000.0, 11_001.0, 10_000.0, 10_000.0, 10_000.0, 9_100.0])
    day = np.array([21.0, 21.0, 21.0, 34.0, 34.001, 20.0, 19.0])
    felt = raised(way, np.array([10_000.0]), np.array([20 * DAY]), s, day * DAY, 1000.0, 14 * DAY)
    assert felt.tolist() == [True, True, False, True, False, False, False]


def test_kept_by_hand(handmade) -> None:
    """Five times the rate: a candidate by chance under 0.2 is a case of its own, one near a case is one in any event.

    Day 0 at km 10: by chance. Day 13 at km 10.9: near it. Day 13 at km 12.5: near nothing. Day 26 at km 11.5: near the
    second (600 m, 13 days). Day 26 at km 10.0 after it: within 900 m of the second, 13 days. Day 60: all forgotten.
    Given out of order of time, told in the order given.
    """
    way = water(handmade, 1)
    s = np.array([10_000.0, 10_000.0, 10_900.0, 12_500.0, 11_500.0, 10_000.0])
    day = np.array([60.0, 0.0, 13.0, 13.0, 26.0, 26.0])
    got = kept(way, s, day * DAY, 5.0, 1000.0, 14 * DAY, Chances(0.21, 0.19, 0.9, 0.9, 0.9, 0.9))
    assert got.tolist() == [False, True, True, False, True, True]


def test_no_candidates_no_cases(handmade) -> None:
    way, none = water(handmade, 1), np.zeros(0)
    assert len(kept(way, none, none, 5.0, 1000.0, DAY, np.random.default_rng(1))) == 0
    assert len(raised(way, none, none, none, none, 1000.0, DAY)) == 0
    assert raised(way, none, none, np.array([5.0]), np.array([5.0]), 1000.0, DAY).tolist() == [False]
