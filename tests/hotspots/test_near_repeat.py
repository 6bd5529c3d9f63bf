"""Near repeats against hand counts, complete enumeration of the null, and worlds whose truth is known."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st

from geo_monitor.errors import Usage
from geo_monitor.hotspots.near_repeat import _window, near_repeat
from geo_monitor.settings import Settings

REACHES, DAYS = 120, 280


def chain(n: int, step: float = 500.0, to: float = 10_000.0) -> sp.csr_matrix:
    metres = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) * step
    return sp.csr_matrix(np.where(metres <= to, metres, 0.0))


def at(bands, km: float, days: float):  # type: ignore[no-untyped-def]
    return bands[(bands.km_to == km) & (bands.days_to == days)].iloc[0]


def test_pairs_counted_by_hand() -> None:
    """Reaches 0, 1, 4 of a chain of 500 m; cases (0, day 1), (0, day 3), (1, day 10), (4, day 31).
    (0,1)-(0,3): same reach, 2 days. (0,1)-(1,10): 0.5 km, 9 days. (0,3)-(1,10): 0.5 km, 7 days.
    (0,1)-(4,31): 2 km, 30 days. (0,3)-(4,31): 2 km, 28 days. (1,10)-(4,31): 1.5 km, 21 days."""
    bands = near_repeat([0, 4, 1, 0], [3.7, 31, 10, 1.2], np.ones((40, 5)), chain(5)).bands
    told = {(row.km_to, row.days_to): row.observed for row in bands.itertuples() if row.observed}
    assert told == {(0, 2): 1, (1, 7): 1, (1, 14): 1, (2, 28): 2, (2, 56): 1}
    assert len(bands) == 25
    assert at(bands, 2, 14).days_from == 8 and at(bands, 2, 14).km_from == 1


@runs(deadline=None, max_examples=10)
@given(st.integers(0, 10_000), st.integers(0, 40))
def test_pairs_against_two_loops(seed: int, m: int) -> None:
    rng = np.random.default_rng(seed)
    reach, day = rng.integers(0, 30, m), rng.integers(0, 60, m)
    metres = np.triu(rng.uniform(1, 20_000, (30, 30)), 1)
    metres += metres.T
    bands = near_repeat(reach, day, np.ones((60, 30)), sp.csr_matrix(metres), permutations=1).bands
    expected = np.zeros(len(bands), int)
    for a, b in combinations(range(m), 2):
        km, lag = metres[reach[a], reach[b]] / 1000, abs(day[a] - day[b])
        for k, (low, high, early, late) in enumerate(
            bands[["km_from", "km_to", "days_from", "days_to"]].itertuples(index=False)
        ):
            place = km == 0 if high == 0 else low < km <= high
            expected[k] += place and early <= lag <= late
    assert bands.observed.tolist() == expected.tolist()


def test_null_against_all_its_worlds() -> None:
    """Five cases on three reaches, nine days in periods of three, uneven hours: each of the 9^5 ways to lay the days
    weighs as much as the product of its hours, if it has the observed number of cases in each period."""
    hours = np.array(
        [[1, 0, 2], [4, 1, 0], [0, 3, 1], [2, 2, 0], [0, 1, 1], [5, 0, 1], [1, 1, 0], [0, 2, 6], [3, 0, 1]], dtype=float
    )
    reach, day = np.array([0, 0, 1, 2, 2]), np.array([0, 1, 4, 2, 7])
    rules = Settings(near_repeat_km=(0.0, 1.0), near_repeat_days=(0.0, 2.0), near_repeat_period_days=3.0)
    kept = np.bincount(day // 3, minlength=3)
    pairs = list(combinations(range(5), 2))
    place = np.array([0 if reach[a] == reach[b] else 1 for a, b in pairs])
    mean, weight_of, counts_of = np.zeros((2, 2)), [], []
    for days in product(range(9), repeat=5):
        weight = np.prod([hours[d, r] for r, d in zip(reach, days, strict=True)])
        if weight == 0 or (np.bincount(np.array(days) // 3, minlength=3) != kept).any():
            continue
        lag = np.array([abs(days[a] - days[b]) for a, b in pairs])
        counts = np.array([[(lag[place == p] == 0).sum(), np.isin(lag[place == p], (1, 2)).sum()] for p in (0, 1)])
        weight_of.append(weight)
        counts_of.append(counts)
    weight, counts = np.array(weight_of) / np.sum(weight_of), np.array(counts_of)
    mean = np.tensordot(weight, counts, 1)
    found = near_repeat(reach, day, hours, chain(3, 400.0), permutations=40_000, seed=3, settings=rules).bands
    observed = found.observed.to_numpy().reshape(2, 2)
    tail = np.tensordot(weight, counts >= observed, 1)
    assert found.expected.to_numpy().reshape(2, 2) == pytest.approx(mean, abs=0.03)
    assert found.p_value.to_numpy().reshape(2, 2) == pytest.approx(tail, abs=0.015)


def campaigns(rng: np.random.Generator) -> np.ndarray:
    """Hours: hardly any, but for three fortnights in each stretch of 20 reaches, at other times in each."""
    hours = np.repeat((rng.random((DAYS, REACHES // 20)) < 0.1) * 0.3, 20, axis=1)
    for block in range(REACHES // 20):
        for begin in rng.integers(0, DAYS - 14, 3):
            hours[begin : begin + 14, 20 * block : 20 * block + 20] += 2.0
    return hours


def cases_of(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    day, reach = np.nonzero(counts)
    return np.repeat(reach, counts[day, reach]), np.repeat(day, counts[day, reach])


def quiet(rng: np.random.Generator, hours: np.ndarray, cases: float, level: np.ndarray | None = None) -> np.ndarray:
    """Case counts (days, reaches) of risks that differ between reaches and, where given, between days; no repeats."""
    rate = hours * rng.gamma(1.0, 1.0, REACHES) * (1.0 if level is None else level[:, None])
    return rng.poisson(rate * cases / rate.sum())


def repeating(rng: np.random.Generator, hours: np.ndarray, cases: float) -> np.ndarray:
    """As `quiet`, but each case adds risk within 1 km, fading by a factor e in 5 days."""
    rate = hours * rng.gamma(1.0, 1.0, REACHES)
    rate *= cases / rate.sum()
    near = (np.abs(np.subtract.outer(np.arange(REACHES), np.arange(REACHES))) <= 2).astype(float)
    counts, excited = np.zeros((DAYS, REACHES), int), np.zeros(REACHES)
    for day in range(DAYS):
        counts[day] = rng.poisson(rate[day] * (1 + np.minimum(3.0 * excited, 12.0)))
        excited = excited * np.exp(-1 / 5) + near @ counts[day]
    return counts


def knox(reach: np.ndarray, day: np.ndarray, seed: int, draws: int = 499) -> np.ndarray:
    """p-values of the plain Knox test, days shuffled among the cases, for the same bands."""
    rng = np.random.default_rng(seed)
    a, b = np.triu_indices(len(reach), 1)
    km = np.abs(reach[a] - reach[b]) * 0.5
    a, b, km = a[km <= 10], b[km <= 10], km[km <= 10]
    far = np.searchsorted(Settings().near_repeat_km, km)
    ends = [*Settings().near_repeat_days, np.inf]

    def count(days: np.ndarray) -> np.ndarray:
        late = np.searchsorted(ends, np.abs(days[a] - days[b]))
        return np.bincount(far * 6 + late, minlength=30).reshape(5, 6)[:, :5].ravel()

    seen = count(day)
    drawn = np.array([count(rng.permutation(day)) for _ in range(draws)])
    return (1 + (drawn >= seen).sum(axis=0)) / (1 + draws)


def test_silent_where_only_the_patrols_cluster() -> None:
    """60 worlds without near repeats under campaigns: named in about 5 % or fewer, while shuffling days among the
    cases names most of them. 9 of 60 has a chance under 0.5 % at a true 5 %."""
    water, alarms, shuffled = chain(REACHES), 0, 0
    for world in range(60):
        rng = np.random.default_rng(world)
        hours = campaigns(rng)
        reach, day = cases_of(quiet(rng, hours, 60))
        alarms += bool(
            (near_repeat(reach, day, hours, water, permutations=499, seed=world).bands.q_value <= 0.05).any()
        )
        if world < 10:
            p = np.sort(knox(reach, day, world))
            shuffled += bool((p * 25 / np.arange(1, 26) <= 0.05).any())
    assert alarms <= 8
    assert shuffled >= 8


def test_silent_under_a_season() -> None:
    """Twice as many cases in summer as in winter, the same on the whole river: no near repeat."""
    water, alarms = chain(REACHES), 0
    level = 1.5 + np.sin(2 * np.pi * np.arange(DAYS) / DAYS)
    for world in range(30):
        rng = np.random.default_rng(1000 + world)
        hours = (rng.random((DAYS, REACHES)) < 0.3) * 1.0
        reach, day = cases_of(quiet(rng, hours, 80, level))
        alarms += bool(
            (near_repeat(reach, day, hours, water, permutations=499, seed=world).bands.q_value <= 0.05).any()
        )
    assert alarms <= 5  # 6 of 30 has a chance under 0.5 % at a true 5 %


def test_no_answer_where_patrols_go_back_to_their_cases() -> None:
    """No near repeats, but after each case 1 h a day for ten days within 1 km, over 0.2 h a day otherwise: the hours
    follow the cases, the null does not hold, and q alone would name several of these worlds. None may be."""
    water, by_q = chain(REACHES), 0
    for world in range(12):
        rng = np.random.default_rng(3000 + world)
        rate, left = rng.gamma(1.0, 0.012, REACHES), np.zeros(REACHES, int)
        hours, counts = np.zeros((DAYS, REACHES)), np.zeros((DAYS, REACHES), int)
        for day in range(DAYS):
            hours[day] = 0.5 * np.repeat(rng.random(REACHES // 20) < 0.4, 20) + (left > 0)
            counts[day] = rng.poisson(rate * hours[day])
            left = np.maximum(left - 1, 0)
            for i in np.flatnonzero(counts[day]):
                left[max(i - 2, 0) : i + 3] = 10
        told = near_repeat(*cases_of(counts), hours, water, permutations=499, seed=world)
        by_q += bool((told.bands.q_value <= 0.05).any())
        assert told.returned is not None and told.returned > 1.3
        assert not told.answered and not told.bands.raised.any() and told.window_km is None
    assert by_q >= 2


def test_planted_repeats_are_found_where_and_when_they_are() -> None:
    """Risk added within 1 km, fading in 5 days: found in most worlds, and the window reaches neither 10 km nor 56 days."""
    water, found = chain(REACHES), []
    for world in range(10):
        rng = np.random.default_rng(2000 + world)
        hours = (rng.random((DAYS, REACHES)) < 0.6) * 1.0
        reach, day = cases_of(repeating(rng, hours, 120))
        found.append(near_repeat(reach, day, hours, water, permutations=499, seed=world))
    windows = [(told.window_km, told.window_days) for told in found if told.window_km is not None]
    assert len(windows) >= 7
    assert all(told.answered and told.bands.raised.any() for told in found)
    assert np.median([km for km, _ in windows]) == pytest.approx(1.0)
    assert 2 <= np.median([days for _, days in windows]) <= 14
    ratio = np.median([at(told.bands, 0, 2).ratio for told in found])
    assert ratio > 1.5 > np.median([at(told.bands, 10, 56).ratio for told in found])


def test_window_is_joined_to_the_first_band() -> None:
    """Raised at (0, 1), (1, 1) and, cut off, at (0, 3) and (2, 0); the first band has more than expected, no more."""
    more = np.array([[1, 1, 0, 1], [0, 1, 1, 0], [1, 0, 0, 0]], dtype=bool)
    raised = np.array([[0, 1, 0, 1], [0, 1, 0, 0], [1, 0, 0, 0]], dtype=bool)
    assert _window(more, raised).tolist() == (np.array([[0, 1, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]) == 1).tolist()
    more[0, 0] = False
    assert not _window(more, raised).any()


def test_burst_in_one_reach_has_a_window_by_hand() -> None:
    """Twelve cases on three days in one reach, forty spread over a year elsewhere, every day looked at alike: the burst
    is raised at 2 days, and nothing is 500 m away: km 0. The band from 3 days on is not reached by any pair of it."""
    reach = np.r_[np.zeros(12, int), 40 + np.arange(40) * 30]
    day = np.r_[np.repeat([100, 101, 102], 4), np.arange(40) * 9]
    told = near_repeat(reach, day, np.ones((360, 1300)), chain(1300))
    assert (told.window_km, told.window_days, told.faded_km, told.faded_days) == (0.0, 2.0, True, True)
    assert at(told.bands, 0, 2).observed == 66  # 12 * 11 / 2
    assert at(told.bands, 0, 7).observed == 0


def test_nobody_looked_that_day_leaves_the_case_out() -> None:
    hours = np.ones((30, 3))
    hours[5, 1] = 0
    told = near_repeat([0, 1, 1], [5, 5, 6], hours, chain(3), permutations=9)
    assert (told.cases, told.left_out) == (2, 1)
    assert at(told.bands, 1, 2).observed == 1


def test_return_of_the_patrols_by_hand() -> None:
    """Reach 1, cases on days 10 and 20 of 30. Day 10: 2 h on day 4 and 1 h on day 9 before, 9 h on day 17 after (day 18
    is out). Day 20: 9 + 4 h on 17 and 18 before, none after. Day 29 has no seven days after it. 9 / 16."""
    hours = np.zeros((30, 3))
    hours[[10, 20, 29], 1] = 5
    hours[[2, 4, 9, 17, 18], 1] = [50, 2, 1, 9, 4]
    hours[:, 2] = 7
    told = near_repeat([1, 1, 1], [10, 20, 29], hours, chain(3), permutations=9)
    assert told.returned == pytest.approx(9 / 16)
    assert near_repeat([1], [3], hours, chain(3), permutations=9).left_out == 1
    assert near_repeat([], [], hours, chain(3), permutations=9).returned is None


@pytest.mark.parametrize(
    ("reach", "day", "hours"),
    [
        ([], [], np.ones((30, 4))),
        ([2], [3], np.ones((30, 4))),
        ([2, 2, 2], [3, 3, 4], np.ones((30, 4))),
        ([2, 2, 2], [3, 3, 4], np.zeros((30, 4))),
        ([0, 1, 2, 3], [1, 2, 3, 4], np.ones((30, 4)) * [1e4, 1e-6, 1, 1]),
        ([0, 0], [0, 0], np.ones((1, 4))),
    ],
)
def test_degenerate_input_gives_an_answer(reach: list[int], day: list[int], hours: np.ndarray) -> None:
    told = near_repeat(reach, day, hours, chain(4), permutations=99)
    assert told.bands.drop(columns="ratio").notna().all(axis=None)
    assert (told.bands.ratio.isna() == (told.bands.expected == 0)).all()
    assert told.window_km is None and told.window_days is None
    assert told.cases + told.left_out == len(reach)


def test_one_reach_and_isolated_reaches() -> None:
    """On one reach a burst cannot be told from a rise of the whole basin; reaches without a way have no near pairs."""
    one = near_repeat([0] * 10, [5] * 10, np.ones((60, 1)), sp.csr_matrix((1, 1)), permutations=99)
    assert not one.bands.raised.any()
    apart = near_repeat(np.arange(6), [5] * 6, np.ones((60, 6)), sp.csr_matrix((6, 6)), permutations=99)
    assert apart.bands.observed.sum() == 0 and (apart.bands.p_value == 1).all()


def test_same_bytes_whatever_the_order_of_cases_and_the_form_of_hours() -> None:
    rng = np.random.default_rng(5)
    reach, day, hours = rng.integers(0, 9, 40), rng.integers(0, 50, 40), rng.random((50, 9))
    mixed = rng.permutation(40)
    first = near_repeat(reach, day, hours, chain(9), permutations=99, seed=1).bands
    again = near_repeat(reach[mixed], day[mixed], sp.csr_matrix(hours), chain(9), permutations=99, seed=1).bands
    assert first.to_csv().encode() == again.to_csv().encode()
    other = near_repeat(reach, day, hours, chain(9), permutations=99, seed=2).bands
    assert first.expected.tolist() != other.expected.tolist()


@pytest.mark.parametrize(
    ("code", "change"),
    [
        ("near_repeat_shape", {"case_day": [1]}),
        ("near_repeat_shape", {"distance_within": chain(5)}),
        ("near_repeat_case", {"case_reach": [0, 4]}),
        ("near_repeat_case", {"case_day": [0, 30]}),
        ("near_repeat_case", {"case_day": [0, float("nan")]}),
        ("near_repeat_hours", {"hours": np.full((30, 4), -1.0)}),
        ("near_repeat_hours", {"hours": np.full((30, 4), np.nan)}),
        ("near_repeat_permutations", {"permutations": 0}),
        ("near_repeat_bands", {"settings": Settings(near_repeat_km=(1.0, 1.0))}),
        ("near_repeat_bands", {"settings": Settings(near_repeat_days=(2.5,))}),
    ],
)
def test_wrong_calls_are_told(code: str, change: dict[str, object]) -> None:
    given_: dict[str, object] = {
        "case_reach": [0, 1],
        "case_day": [1, 2],
        "hours": np.ones((30, 4)),
        "distance_within": chain(4),
    }
    with pytest.raises(Usage) as caught:
        near_repeat(**(given_ | change))  # type: ignore[arg-type]
    assert caught.value.code == code
    assert str(caught.value)
