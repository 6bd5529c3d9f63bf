"""Spells by layouts drawn by hand, clocks and states by counting, p_back by integration, alarms on planted worlds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import gamma

from geo_monitor.errors import Usage
from geo_monitor.hotspots.reemergence import Spell, back, spells, watch
from geo_monitor.messages import text
from geo_monitor.settings import Settings

CLOCKS = ["clock_30", "clock_90", "clock_180", "clock_365"]


def chain(n: int) -> sp.csr_matrix:
    return sp.diags([[1.0] * (n - 1), [1.0] * (n - 1)], [-1, 1]).tocsr()


def cells(drawing: str, mark: str) -> np.ndarray:
    """(t, n) where `mark` stands; a line a reach, a column a step."""
    return np.array([[letter == mark for letter in line.strip()] for line in drawing.split()]).T


def drawn(heat: str, treatment: str, *, near: float = 14.0) -> list[Spell]:
    """Spells of a chain of reaches: h hot, . looked and quiet, - nobody looked; treatment x."""
    hot = cells(heat, "h")
    hours = np.where(cells(heat, "-"), 0.0, 5.0)
    settings = Settings(reemergence_near_days=near)
    return spells(hot, hours, chain(hot.shape[1]), cells(treatment, "x"), settings=settings)


def since(cases: list[int], hours: list[float], **changes: float) -> pd.Series:
    """The row of one reach, hot for a step with 6 cases in 6 h, then watched through `cases`, `hours`; basin 0.05."""
    y, h = np.array([[6, *cases]]).T, np.array([[6.0, *hours]]).T
    return watch(y, h, [Spell((0,), 0, 0, 1)], basin=0.05, settings=Settings(**changes)).iloc[0]  # type: ignore[arg-type]


# --- spells -----------------------------------------------------------------------------------------------------------


def test_touching_reaches_are_one_place_and_apart_ones_two() -> None:
    """Reaches 0-1 hot together, 3 alone: reach 2 between them never was."""
    found = drawn(
        """hh....
           .h....
           ......
           hh....""",
        """.x....
           ......
           ......
           .x....""",
    )
    assert [(s.members, s.hot_from, s.hot_to, s.start) for s in found] == [((0, 1), 0, 1, 2), ((3,), 0, 1, 2)]


def test_a_place_that_moves_along_the_water_is_one_spell() -> None:
    found = drawn("hh.... .hh... ..hh..", "...... ...... ...x..")
    assert [(s.members, s.hot_from, s.hot_to, s.start) for s in found] == [((0, 1, 2), 0, 3, 4)]


def test_not_looked_between_two_hot_steps_is_not_quiet() -> None:
    """Unlooked between: one spell. Looked and quiet between: two, the first of them treated in step 1."""
    assert [(s.hot_from, s.hot_to) for s in drawn("h--h..", ".x.x..", near=7)] == [(0, 3)]
    both = drawn("h..h..", ".x.x..", near=7)
    assert [(s.hot_from, s.hot_to, s.start, s.again) for s in both] == [(0, 0, 2, 3), (3, 3, 4, None)]


@pytest.mark.parametrize(
    ("treatment", "start"),
    [
        ("...x......", 4),  # in the last hot step
        (".x........", 4),  # two steps before it (14 days): near; the heat went on, the watch begins after it
        ("x.........", None),  # three before: not near
        (".....x....", 6),  # two after
        ("......x...", None),  # three after
        ("...xxxx...", 7),  # an operation of four steps counts to its end
        (".x..x.....", 5),  # of two the last
        ("...xxxxxxx", 10),  # still going on: watched from the next data on
    ],
)
def test_treated_near_the_end_of_the_heat(treatment: str, start: int | None) -> None:
    found = drawn("hhhh......", treatment)
    assert [s.start for s in found] == ([] if start is None else [start])


def test_treatment_before_the_heat_or_next_door_treats_nothing() -> None:
    assert drawn("..h... ......", "x..... ......") == []
    assert drawn("..h... ......", "...... ..x...") == []


def test_hot_again_before_the_treatment_is_over_never_went_quiet() -> None:
    found = drawn("h..h....", "xxxx....")
    assert [(s.hot_from, s.hot_to, s.start) for s in found] == [(3, 3, 4)]


def test_codes_of_treatments_and_scores_for_heat() -> None:
    """z = 1.96 is hot, 1.95 is not, NaN is not; of two codes in one step the higher counts."""
    z = np.array([[1.96, 2.5], [1.95, np.nan], [0.0, 0.0]])
    treated = np.array([[1, 3], [0, 0], [0, 0]])
    assert spells(z, np.full((3, 2), 5.0), chain(2), treated) == [Spell((0, 1), 0, 0, 1, treatment=3)]


def test_heat_beside_a_place_is_not_its_own() -> None:
    """Reaches 2 to 5 are hot and treated; later 0 to 2, and last 0 to 3 and 6, 7: half of neither, then half of both."""
    quiet = 5 * "........ "
    hot = cells(f"..hhhh.. {quiet} hhh..... {quiet} hhhh..hh", "h").T  # here a line is a step
    hours = np.full((13, 8), 6.0)
    first, ring, again, _ = spells(hot, hours, chain(8), hot)
    assert (first.members, first.start, first.again) == ((2, 3, 4, 5), 1, 12)
    assert (ring.members, ring.again) == ((0, 1, 2), 12)
    assert (again.members, again.again) == ((0, 1, 2, 3), None)


def flooded(hot: np.ndarray, looked: np.ndarray) -> set[tuple[tuple[int, ...], int, int]]:
    """Members, first and last step of the spells of a chain, spread cell by cell."""
    t, n = hot.shape

    def beside(step: int, reach: int) -> list[tuple[int, int]]:
        cells = [(step, r) for r in (reach - 1, reach + 1) if 0 <= r < n]
        for way in (-1, 1):
            other = step + way
            while 0 <= other < t and not looked[other, reach] and not hot[other, reach]:
                other += way
            cells += [(other, reach)] if 0 <= other < t else []
        return [cell for cell in cells if hot[cell]]

    left, found = {(int(s), int(r)) for s, r in np.argwhere(hot)}, set()
    while left:
        spell, edge = set(), [left.pop()]
        while edge:
            cell = edge.pop()
            spell.add(cell)
            fresh = [other for other in beside(*cell) if other in left]
            left -= set(fresh)
            edge += fresh
        steps = [step for step, _ in spell]
        found.add((tuple(sorted({reach for _, reach in spell})), min(steps), max(steps)))
    return found


@runs(deadline=None, max_examples=60)
@given(st.integers(0, 10_000))
def test_spells_of_any_drawing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    t, n = 12, 8
    hot = rng.random((t, n)) < 0.3
    treated = rng.random((t, n)) < 0.15
    hours = np.where(hot | (rng.random((t, n)) < 0.7), 3.0, 0.0)
    # treated all the time: every spell is watched from the end of the data, unless hot again before: the last ones
    always = spells(hot, hours, chain(n), np.ones((t, n)))
    whole = flooded(hot, hours >= 1.0)

    def same(one: tuple[int, ...], two: tuple[int, ...]) -> bool:
        return len(set(one) & set(two)) >= min(len(one), len(two)) / 2

    last = {one for one in whole if not any(two[1] > one[2] and same(one[0], two[0]) for two in whole)}
    assert {(s.members, s.hot_from, s.hot_to) for s in always} == last
    assert {s.start for s in always} <= {t}
    for spell in spells(hot, hours, chain(n), treated, settings=Settings(reemergence_near_days=14)):
        assert (spell.members, spell.hot_from, spell.hot_to) in whole
        course = treated[:, list(spell.members)].any(axis=1)
        assert course[max(spell.hot_from, spell.hot_to - 2) : spell.hot_to + 3].any()
        assert spell.start == t or not course[spell.start] or spell.start == spell.hot_to + 1
        assert spell.start > spell.hot_to
        assert spell.again is None or spell.again >= spell.start


# --- the posterior ----------------------------------------------------------------------------------------------------


def integrated(y: list[int], h: list[float], basin: float, rho: float, a: float, limit: float) -> float:
    """P(change by now), each tau by quadrature over the two levels instead of in closed form."""
    law = gamma(a, scale=basin / a)

    def level(total: float, time: float, low: float, high: float) -> float:
        share = law.cdf(high) - law.cdf(low)
        return quad(lambda r: r**total * np.exp(-r * time) * law.pdf(r), low, high, limit=200)[0] / share

    top = 60 * basin
    weights = []
    for tau in range(len(y) + 1):
        odds = rho * (1 - rho) ** tau if tau < len(y) else (1 - rho) ** tau
        quiet = level(sum(y[:tau]), sum(h[:tau]), 0.0, limit)
        weights.append(odds * quiet * (level(sum(y[tau:]), sum(h[tau:]), limit, top) if tau < len(y) else 1.0))
    return 1 - weights[-1] / sum(weights)


@pytest.mark.parametrize("y", [[0, 0, 0], [1, 0, 2], [0, 3, 4], [2, 0, 0]])
def test_p_back_is_the_integral_it_stands_for(y: list[int]) -> None:
    h = [2.0, 0.0, 3.0]
    settings = Settings(spread_prior_mean=0.8, hot_factor=1.5)
    rho = 1 - 0.5 ** (7 / settings.reemergence_half_days)
    answer = back(y, h, 0.5, 7.0, settings)
    for k in (1, 2, 3):
        expected = integrated(y[:k], h[:k], 0.5, rho, 1 / 0.8**2, 0.75)
        assert answer[k - 1] == pytest.approx(expected, rel=1e-5)


@runs(deadline=None, max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 2000), st.floats(0, 20_000)), min_size=1, max_size=12), st.floats(1e-4, 50))
def test_p_back_is_always_a_probability(steps: list[tuple[int, float]], basin: float) -> None:
    p = back([y for y, _ in steps], [h for _, h in steps], basin, 7.0)
    assert ((p >= 0) & (p <= 1)).all()


def test_a_case_raises_it_and_a_quiet_hour_lowers_it() -> None:
    calm = back([0, 0, 0], [6.0, 6.0, 6.0], 0.05, 7.0)
    case = back([0, 0, 1], [6.0, 6.0, 6.0], 0.05, 7.0)
    more = back([0, 0, 0], [6.0, 6.0, 60.0], 0.05, 7.0)
    assert case[2] > calm[2] > more[2]


def test_p_back_is_calibrated_where_the_model_holds() -> None:
    """3,000 places drawn from the model itself, 20 steps: of those told p in a band, about p are back."""
    rng = np.random.default_rng(3)
    settings = Settings(reemergence_half_days=140.0)
    count, k, basin = 3000, 20, 0.1
    a = 1 / settings.spread_prior_mean**2
    draws = rng.gamma(a, basin / a, 200_000)
    quiet, hot = draws[draws < 2 * basin], draws[draws >= 2 * basin]
    tau = rng.geometric(1 - 0.5 ** (7 / 140), count) - 1
    rate = np.where(np.arange(k) < tau[:, None], quiet[:count, None], hot[:count, None])
    cases = rng.poisson(rate * 6.0)
    p = np.array([back(row, np.full(k, 6.0), basin, 7.0, settings)[-1] for row in cases])
    for low, high in [(0.0, 0.2), (0.2, 0.5), (0.5, 0.8), (0.8, 1.0)]:
        band = (p >= low) & (p <= high)
        mean, told = (tau[band] < k).mean(), p[band].mean()
        assert abs(mean - told) < 4 * np.sqrt(told * (1 - told) / band.sum()) + 1e-3


# --- the watch --------------------------------------------------------------------------------------------------------


def test_figures_of_a_row_by_hand() -> None:
    """Two reaches, hot in steps 0 and 1: 2 + 4 cases in 8 h. Basin 0.1, a = 4/9, b = 40/9: hot_rate = (58/9)/(112/9).
    Then 3 + 1 h with one case; the case of step 3 was nobody's look."""
    cases = [[2, 0], [2, 2], [0, 1], [0, 1]]
    hours = [[2.0, 2.0], [2.0, 2.0], [3.0, 1.0], [0.0, 0.0]]
    row = watch(cases, hours, [Spell((0, 1), 0, 1, 2, treatment=7)], step_days=28.0, basin=0.1).iloc[0]
    assert row.hot_rate == pytest.approx(58 / 112)
    assert row.expected_if_hot == pytest.approx(4 * 58 / 112)
    assert (row.treatment, row.watch_from, row.cases, row.looked_h, row.watch_days) == (7, 2, 1, 4.0, 56.0)
    assert (row.observed_from, row.observed_to) == ([0.0], [28.0])
    assert (row.state, row.looked_days, row.unlooked_days) == ("quiet_not_looked", 0.0, 28.0)
    assert row.members == [0, 1]


@pytest.mark.parametrize(
    ("hours", "state", "clocks"),
    [
        ([6.0] * 4, "watching", ["running", "running", "running", "running"]),  # 28 days
        ([6.0] * 5, "quiet", ["passed", "running", "running", "running"]),  # 35: the step in which day 30 ends
        ([6.0] * 12, "quiet", ["passed", "running", "running", "running"]),  # 84
        ([6.0] * 13, "quiet", ["passed", "passed", "running", "running"]),  # 91
        ([6.0] * 53, "quiet", ["passed", "passed", "passed", "passed"]),  # 371
        # a week in four is enough; four weeks without are a gap, and no later look mends the clock
        ([24.0, 0, 0, 0] * 4, "quiet", ["passed", "passed", "running", "running"]),
        ([6.0] * 6 + [0.0] * 4, "quiet_not_looked", ["passed", "not_looked", "not_looked", "not_looked"]),
        ([6.0] * 6 + [0.0] * 4 + [6.0] * 30, "quiet", ["passed", "not_looked", "not_looked", "not_looked"]),
        ([6.0] * 6 + [0.0] * 4 + [6.0] * 2, "watching", ["passed", "not_looked", "not_looked", "not_looked"]),
        # fewer than four since the last look: not yet a gap, and not passed either
        ([6.0] * 3 + [0.0] * 3, "watching", ["running", "running", "running", "running"]),
        ([6.0] * 11 + [0.0] * 2, "quiet", ["passed", "running", "running", "running"]),
        # half an hour a week makes 2 h in 28 days; a little less does not
        ([0.5] * 5, None, ["passed", "running", "running", "running"]),
        ([0.49] * 5, "quiet_not_looked", ["not_looked", "not_looked", "not_looked", "not_looked"]),
        ([0.0] * 60, "quiet_not_looked", ["not_looked", "not_looked", "not_looked", "not_looked"]),
    ],
)
def test_states_and_clocks(hours: list[float], state: str | None, clocks: list[str]) -> None:
    row = since([0] * len(hours), hours)
    assert row[CLOCKS].tolist() == clocks
    assert state is None or row.state == state


def test_little_looking_is_no_verdict() -> None:
    """Asked to be 99 % sure, half an hour a week tells too little for "quiet"; 60 h a week tell enough."""
    assert since([0] * 5, [0.5] * 5, reemergence_p=0.99).state == "watching"
    assert since([0] * 5, [60.0] * 5, reemergence_p=0.99).state == "quiet"


def test_one_reach_of_ten_is_not_the_place() -> None:
    """200 h at one end of a place of four reaches: nobody looked at the rest."""
    hours = np.zeros((9, 4))
    hours[:, 0] = 50.0
    place = [Spell((0, 1, 2, 3), 0, 0, 1)]
    cases = np.zeros((9, 4))
    assert watch(cases, hours, place, basin=0.05).state[0] == "quiet_not_looked"
    hours[:, 1] = 0.1  # half of them: enough
    assert watch(cases, hours, place, basin=0.05).state[0] == "quiet"


def test_back_is_told_at_its_step_and_stops_the_clocks() -> None:
    """6 h a week: no case for 15 weeks, then 5 in a week (0.83 per hour, 17 times the basin)."""
    row = since([0] * 15 + [5, 0, 0], [6.0] * 18)
    assert row.state == "back"
    assert (row.back_step, row.back_day) == (16, 112.0)
    assert row[CLOCKS].tolist() == ["passed", "passed", "relapsed", "relapsed"]
    assert (row.observed_from, row.observed_to, row.back_unseen) == ([0.0], [112.0], False)
    assert (row.cases, row.looked_h) == (5, 108.0)


@pytest.mark.parametrize(("calm", "clock"), [(4, "relapsed"), (5, "passed")])
def test_back_in_the_step_in_which_the_clock_ends(calm: int, clock: str) -> None:
    """Day 30 lies in the fifth week: back in the fifth is too early to have passed, in the sixth it is not."""
    assert since([0] * calm + [6], [6.0] * (calm + 1)).clock_30 == clock


@pytest.mark.parametrize(
    ("cases", "hours", "observed"),
    [
        # six weeks looked at, six not, then found: by the first look (half an hour: short, and still a find) ...
        ([0] * 12 + [5], [6.0] * 6 + [0.0] * 6 + [0.5], []),
        # ... or in the fourth week of looking again, 28 days: it came back in the gap, nobody saw when
        ([0] * 15 + [5], [6.0] * 6 + [0.0] * 6 + [6.0] * 4, []),
        # in the fifth: it was quiet for the first four, entered on day 16 x 7 and came back in that week
        ([0] * 16 + [5], [6.0] * 6 + [0.0] * 6 + [6.0] * 5, [(112.0, 119.0)]),
    ],
)
def test_found_back_after_a_gap(cases: list[int], hours: list[float], observed: list[tuple[float, float]]) -> None:
    row = since(cases, hours)
    assert (row.state, row.back_day, row.back_unseen) == ("back", 7.0 * len(cases), not observed)
    assert list(zip(row.observed_from, row.observed_to, strict=True)) == [(0.0, 42.0), *observed]
    assert row[CLOCKS].tolist() == ["passed", "not_looked" if len(cases) > 13 else "relapsed", "relapsed", "relapsed"]


def test_a_stretch_too_short_to_know_is_not_observed() -> None:
    """Looked at again for five weeks after a gap, then not: observed is the fifth only."""
    row = since([0] * 21, [6.0] * 6 + [0.0] * 6 + [6.0] * 5 + [0.0] * 4)
    assert (row.observed_from, row.observed_to) == ([0.0, 112.0], [42.0, 119.0])
    assert pd.isna(row.back_unseen)


def test_what_comes_after_the_return_changes_nothing_before_it() -> None:
    early = since([0] * 15 + [5], [6.0] * 15 + [1.0])
    late = since([0] * 15 + [5] + [0] * 8, [6.0] * 15 + [1.0] + [0.0] * 8)
    for column in ["back_step", "back_day", "back_unseen", "state", "observed_from", "observed_to", *CLOCKS]:
        assert early[column] == late[column]


def test_only_a_case_raises_the_alarm() -> None:
    """Nobody looked for so long that the prior alone is over 0.8 (three half lives: 7/8): not looked, never back."""
    row = since([0] * 12, [0.0] * 12, reemergence_half_days=28.0)
    assert row.p_back > 0.8
    assert row.state == "quiet_not_looked"


def test_hot_and_treated_again_ends_the_first_watch_as_back() -> None:
    """Step 0 hot, step 6 hot again by the given mask (though its cases alone raise no alarm), both treated."""
    hot = cells("h.....h...", "h")
    hours = np.full((10, 1), 6.0)
    found = spells(hot, hours, sp.csr_matrix((1, 1)), hot)
    table = watch(np.zeros((10, 1)), hours, found, basin=0.05)
    assert table.state.tolist() == ["back", "watching"]
    assert table.back_step[0] == table.until[0] == 6
    assert table.back_day[0] == 42.0
    assert pd.isna(table.until[1])


def test_steps_of_28_days() -> None:
    """One step a stretch: a step under 2 h is a gap, the step after it shows the place quiet, the next is observed.
    Day 30 lies in the second step."""
    hours = np.array([[20.0, 24, 24, 24, 1.9, 24, 24]]).T
    row = watch(np.zeros((7, 1)), hours, [Spell((0,), 0, 0, 1)], step_days=28.0, basin=0.05).iloc[0]
    assert row[CLOCKS].tolist() == ["passed", "not_looked", "not_looked", "not_looked"]
    assert (row.observed_from, row.observed_to) == ([0.0, 140.0], [84.0, 168.0])


def planted(rate: float, change: int, seed: int) -> pd.DataFrame:
    """300 places: 12 weeks at 0.5 per hour, treated, then 0.05 and from week `change` on `rate`; 6 h a week."""
    rng = np.random.default_rng(seed)
    level = np.full((12 + 52, 300), 0.05)
    level[:12] = 0.5
    level[12 + change :] = rate
    hours = np.full(level.shape, 6.0)
    places = [Spell((i,), 0, 11, 12) for i in range(300)]
    return watch(rng.poisson(level * hours), hours, places, basin=0.05)


def test_a_planted_return_is_told_soon_and_a_quiet_year_is_left_alone() -> None:
    back_again, calm = planted(0.5, 26, seed=1), planted(0.05, 26, seed=2)
    delay = back_again.back_step.astype(float) - 12 + 1 - 26  # weeks from the change to the end of the alarm's step
    told = delay > 0
    assert told.mean() > 0.93  # the rest were false alarms before
    assert back_again.back_step.notna().all()
    assert delay[told].median() <= 3
    assert (delay[told] <= 6).mean() > 0.95
    assert (calm.state == "back").mean() < 0.08
    assert (calm.state == "quiet").mean() > 0.75


def test_fewer_false_alarms_than_the_last_28_days_alone() -> None:
    """The simpler rule: P(rate > 2 x basin) by the cases of the last four weeks only, under the same gamma law."""
    rng = np.random.default_rng(8)
    cases = rng.poisson(0.05 * 6.0, (52, 300))
    recent = np.array([cases[max(0, k - 3) : k + 1].sum(axis=0) for k in range(52)])
    hours = 6.0 * np.minimum(np.arange(52) + 1, 4)[:, None]
    a = 1 / Settings().spread_prior_mean ** 2
    simple = (gamma(a + recent, scale=1 / (a / 0.05 + hours)).sf(0.1) >= 0.8).any(axis=0)
    ours = [(back(cases[:, i], np.full(52, 6.0), 0.05, 7.0) >= 0.8).any() for i in range(300)]
    assert np.mean(ours) < simple.mean() / 2


# --- edges ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cases", "hours"),
    [
        (np.zeros((8, 1)), np.zeros((8, 1))),
        (np.zeros((8, 1)), np.full((8, 1), 10_000.0)),
        (np.full((8, 1), 10_000), np.full((8, 1), 0.001)),
        (np.array([[9], *[[0]] * 7]), np.full((8, 1), 6.0)),
    ],
)
def test_degenerate_worlds_have_figures(cases: np.ndarray, hours: np.ndarray) -> None:
    for start in (1, 8):
        row = watch(cases, hours, [Spell((0,), 0, 0, start)]).iloc[0]
        figures = ["hot_rate", "expected_if_hot", "p_back", "looked_h", "watch_days", "looked_days", "unlooked_days"]
        assert np.isfinite(row[figures].astype(float)).all()
    assert row.state == "watching"  # start = 8: nothing since
    assert row[CLOCKS].tolist() == ["running"] * 4


def test_no_place_no_heat() -> None:
    empty = watch(np.zeros((3, 2)), np.ones((3, 2)), [])
    assert len(empty) == 0
    assert {"members", "state", "clock_30", "p_back"} <= set(empty.columns)
    assert spells(np.zeros((3, 2), dtype=bool), np.ones((3, 2)), chain(2), np.ones((3, 2))) == []


def test_the_same_twice() -> None:
    one, two = planted(0.25, 20, seed=4), planted(0.25, 20, seed=4)
    assert one.to_json() == two.to_json()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"hours": np.ones(3)}, "reemergence_shape"),
        ({"cases": np.ones((3, 3))}, "reemergence_shape"),
        ({"cases": np.full((3, 2), 0.5)}, "reemergence_value"),
        ({"hours": np.full((3, 2), np.nan)}, "reemergence_value"),
        ({"hours": np.full((3, 2), -1.0)}, "reemergence_value"),
        ({"places": [Spell((2,), 0, 0, 1)]}, "reemergence_place"),
        ({"places": [Spell((), 0, 0, 1)]}, "reemergence_place"),
        ({"places": [Spell((1, 1), 0, 0, 1)]}, "reemergence_place"),
        ({"places": [Spell((0,), 0, 1, 1)]}, "reemergence_place"),
        ({"places": [Spell((0,), 0, 0, 4)]}, "reemergence_place"),
        ({"basin": 0.0}, "reemergence_basin"),
        ({"step_days": 0.0}, "reemergence_step_days"),
    ],
)
def test_wrong_use_is_told(change: dict[str, object], code: str) -> None:
    given = {"cases": np.zeros((3, 2)), "hours": np.ones((3, 2)), "places": [Spell((0,), 0, 0, 1)]} | change
    with pytest.raises(Usage) as error:
        watch(**given)  # type: ignore[arg-type]
    assert error.value.code == code
    assert str(error.value)


def test_wrong_use_of_spells_is_told() -> None:
    ones = np.ones((3, 2))
    for hot, links, code in [(ones[:2] > 0, chain(2), "reemergence_shape"), (ones > 0, chain(3), "reemergence_links")]:
        with pytest.raises(Usage) as error:
            spells(hot, ones, links, ones)
        assert error.value.code == code


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_state_has_its_sentence(lang: str) -> None:
    for row in (
        since([0] * 15 + [5], [6.0] * 16),
        since([0] * 5, [6.0] * 5),
        since([0] * 2, [6.0] * 2),
        since([0] * 6, [0.0] * 6),
    ):
        sentence = text(
            f"reemergence.{row.state}",
            lang,  # type: ignore[arg-type]
            days=f"{row.watch_days:.0f}",
            hours=f"{row.looked_h:.0f}",
            cases=row.cases,
            expected=f"{row.expected_if_hot:.0f}",
            p=f"{100 * row.p_back:.0f}",
            looked_days=f"{row.looked_days:.0f}",
            unlooked_days=f"{row.unlooked_days:.0f}",
            back_day=row.back_day,
        )
        assert f"{row.watch_days:.0f}" in sentence
