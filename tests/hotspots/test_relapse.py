"""Kaplan-Meier by a published remission study, by hand with delayed entry, by a slow count, on worlds with gaps."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from scipy.stats import norm

from geo_monitor.errors import Usage
from geo_monitor.hotspots.reemergence import Spell, watch
from geo_monitor.hotspots.relapse import relapse_curve, stretches

# 6-MP arm of Freireich et al. 1963 (Blood 21:699-716): weeks in remission of 21 patients, + still in remission
REMISSION = [
    "6",
    "6",
    "6",
    "6+",
    "7",
    "9+",
    "10",
    "10+",
    "11+",
    "13",
    "16",
    "17+",
    "19+",
    "20+",
    "22",
    "23",
    "25+",
    "32+",
    "32+",
    "34+",
    "35+",
]
WEEKS = [float(week.rstrip("+")) for week in REMISSION]
RELAPSED = [not week.endswith("+") for week in REMISSION]


def at(curve: pd.DataFrame, day: float) -> pd.Series:
    return curve[curve.days == day].iloc[0]


def test_the_remission_study() -> None:
    """Survival as printed in textbooks (Kleinbaum & Klein, Survival Analysis, chapter 2), at risk as counted there."""
    curve = relapse_curve([0] * 21, WEEKS, RELAPSED, clocks=())
    printed = {6: (21, 3, 0.857), 7: (17, 1, 0.807), 10: (15, 1, 0.753), 13: (12, 1, 0.690), 16: (11, 1, 0.627)}
    for week, (at_risk, relapsed, survival) in (printed | {22: (7, 1, 0.538), 23: (6, 1, 0.448)}).items():
        row = at(curve, week)
        assert (row.at_risk, row.relapsed) == (at_risk, relapsed)
        assert row.survival == pytest.approx(survival, abs=5e-4)
    assert at(curve, 35).survival == at(curve, 23).survival
    assert curve.censored.sum() == 12
    assert not curve.isna().any().any()


def test_interval_by_greenwood_and_the_log_of_the_log() -> None:
    """Week 10, factors 18/21, 16/17, 14/15: variance of log S = 3/(21 x 18) + 1/(17 x 16) + 1/(15 x 14)."""
    curve = relapse_curve([0] * 21, WEEKS, RELAPSED, clocks=())
    survival = 18 / 21 * 16 / 17 * 14 / 15
    sd = np.sqrt(3 / (21 * 18) + 1 / (17 * 16) + 1 / (15 * 14)) / -np.log(survival)
    row = at(curve, 10)
    assert row.lo == pytest.approx(survival ** np.exp(norm.ppf(0.95) * sd))
    assert row.hi == pytest.approx(survival ** np.exp(-norm.ppf(0.95) * sd))


def test_delayed_entry_by_hand() -> None:
    """Place A: looked at to day 20, again from day 60, back on day 90. B back on day 40, C on day 70, D quiet to 100.
    Day 40: B, C, D at risk, 2/3. Day 70: A, C, D: x 2/3. Day 90: A, D: x 1/2. Had A passed for quiet in between, day
    40 would be 3/4 and day 90 1/4."""
    entry, leave, event = [0, 60, 0, 0, 0], [20, 90, 40, 70, 100], [False, True, True, True, False]
    curve = relapse_curve(entry, leave, event, clocks=(30, 90, 180))
    assert curve.days.tolist() == [0, 20, 30, 40, 70, 90, 100, 180]
    assert curve.at_risk.tolist() == [4, 4, 3, 3, 3, 2, 1, 0]
    assert curve.relapsed.tolist() == [0, 0, 0, 1, 1, 1, 0, 0]
    assert curve.censored.tolist() == [0, 1, 0, 0, 0, 0, 1, 0]
    assert curve.clock.tolist() == [False, False, True, False, False, True, False, True]
    assert curve.survival[:7].tolist() == pytest.approx([1, 1, 1, 2 / 3, 4 / 9, 2 / 9, 2 / 9])
    assert curve.loc[7, ["survival", "lo", "hi"]].isna().all()


def test_entering_on_the_day_of_a_relapse_is_not_being_at_risk_on_it() -> None:
    """B enters on day 10, on which one of A and C is back: 1/2, not 2/3."""
    curve = relapse_curve([0, 10, 0], [10, 20, 20], [True, False, False], clocks=())
    assert at(curve, 10).at_risk == 2
    assert at(curve, 10).survival == pytest.approx(0.5)


def test_before_the_first_relapse_the_bound_is_the_exact_one() -> None:
    """Three places quiet for 100 days: 0.05^(1/3) = 0.368 can't be ruled out, whatever S = 1 says."""
    curve = relapse_curve([0, 0, 0], [100, 100, 100], [False] * 3, clocks=(30, 90))
    for day in (30, 90, 100):
        row = at(curve, day)
        assert (row.survival, row.hi) == (1.0, 1.0)
        assert row.lo == pytest.approx(0.05 ** (1 / 3))
    assert at(curve, 0)[["survival", "lo", "hi"]].tolist() == [1.0, 1.0, 1.0]


def test_all_back_ends_at_zero_with_an_upper_bound() -> None:
    curve = relapse_curve([0, 0], [10, 20], [True, True], clocks=(15,))
    assert curve.survival.tolist() == pytest.approx([1.0, 0.5, 0.5, 0.0])
    assert at(curve, 20).lo == 0
    assert at(curve, 20).hi == at(curve, 10).hi > 0.5


def test_days_on_which_nobody_watched_end_the_curve() -> None:
    """Nothing was under observation in days 30-40: what the later stretch tells can't be joined to the start."""
    curve = relapse_curve([0, 0, 40], [30, 20, 60], [False, False, True], clocks=(30, 50))
    assert curve.days.tolist() == [0, 20, 30, 50]
    assert curve.survival.isna().tolist() == [False, False, False, True]
    late = relapse_curve([10], [40], [True], clocks=(30,))  # not even the first days
    assert late.days.tolist() == [30]
    assert late.survival.isna().all()


def test_nothing_observed() -> None:
    curve = relapse_curve([], [], [], clocks=(30, 90))
    assert curve.days.tolist() == [30, 90]
    assert curve.at_risk.tolist() == [0, 0]
    assert curve.survival.isna().all()


@runs(deadline=None, max_examples=40)
@given(st.integers(0, 100_000), st.integers(1, 40))
def test_any_stretches_by_a_slow_count(seed: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    entry = np.where(rng.random(m) < 0.6, 0, rng.integers(0, 12, m)) * 7.0
    leave = entry + rng.integers(1, 10, m) * 7.0
    event = rng.random(m) < 0.4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        curve = relapse_curve(entry, leave, event, clocks=(30, 90))
    survival, day, watched = 1.0, 0.0, True
    told = curve.set_index("days")
    while day <= 200:  # day by day: nobody under observation on a day ends it for good
        day += 1
        n = sum(1 for a, b in zip(entry, leave, strict=True) if a < day <= b)
        watched = watched and n > 0
        if watched:
            survival *= 1 - sum(1 for b, e in zip(leave, event, strict=True) if e and b == day) / n
        if day in told.index:
            row = told.loc[day]
            assert pd.isna(row.survival) == (not watched)
            if watched:
                assert row.at_risk == n
                assert row.survival == pytest.approx(survival, abs=1e-9)
                assert 0 <= row.lo <= row.survival + 1e-9 <= row.hi + 2e-9 <= 1 + 3e-9


def gapped(mean: float, gap: int, looked: int, seed: int, count: int = 500) -> tuple[pd.DataFrame, np.ndarray]:
    """Places that come back after an exponential time (mean in days), at 0.5 per hour against 0.05; 6 h a week, but
    for `gap` weeks after every `looked`. The table of `watch` and the true days."""
    rng = np.random.default_rng(seed)
    weeks = 53
    rate = np.full((13 + weeks, count), 0.05)
    rate[:12] = 0.5
    hours = np.full(rate.shape, 6.0)
    days = rng.exponential(mean, count)
    for i, day in enumerate(days):
        rate[13 + int(day // 7) :, i] = 0.5
        for begin in range(int(rng.integers(-gap, looked)), weeks, gap + looked):
            hours[13 + max(begin, 0) : 13 + max(begin + gap, 0), i] = 0.0
    places = [Spell((i,), 0, 11, 12) for i in range(count)]
    return watch(rng.poisson(rate * hours), hours, places, basin=0.05), days


def test_gaps_do_not_pass_for_quiet() -> None:
    """Half of the year nobody looks. True share not back after a year: e^-1 = 0.37. The curve is late by the weeks that
    an alarm takes and errs by sampling (sd about 0.03): within 0.1. Taking every find for a relapse of its day, after
    the same gaps, is off by more than 0.15."""
    table, _ = gapped(365.0, 12, 12, seed=0)
    row = at(relapse_curve(*stretches(table)), 365)
    assert row.survival == pytest.approx(np.exp(-1), abs=0.1)
    entry, leave, event = stretches(table)
    unseen = table[table.back_unseen.eq(True).fillna(False)]
    late = relapse_curve(
        np.concatenate([entry, unseen.back_day - 7]),
        np.concatenate([leave, unseen.back_day]),
        np.concatenate([event, np.ones(len(unseen), dtype=bool)]),
    )
    assert at(late, 365).survival < np.exp(-1) - 0.15


def test_nothing_of_nothing() -> None:
    empty = watch(np.zeros((3, 1)), np.ones((3, 1)), [])
    assert [len(column) for column in stretches(empty)] == [0, 0, 0]
    unlooked = watch(np.zeros((30, 1)), np.zeros((30, 1)), [Spell((0,), 0, 0, 1)])
    assert [len(column) for column in stretches(unlooked)] == [0, 0, 0]


@pytest.mark.parametrize(
    ("entry", "leave", "event", "code"),
    [
        ([0.0], [0.0], [True], "relapse_interval"),
        ([-1.0], [3.0], [True], "relapse_interval"),
        ([0.0], [np.inf], [True], "relapse_interval"),
        ([np.nan], [3.0], [True], "relapse_interval"),
        ([0.0, 1.0], [3.0], [True], "relapse_shape"),
    ],
)
def test_wrong_use_is_told(entry: list[float], leave: list[float], event: list[bool], code: str) -> None:
    with pytest.raises(Usage) as error:
        relapse_curve(entry, leave, event)
    assert error.value.code == code
    assert str(error.value)
