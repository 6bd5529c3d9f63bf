"""Displacement against an independent posterior, the published quotient, and worlds whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from scipy.stats import betabinom, binom, norm

from geo_monitor.errors import Usage
from geo_monitor.hotspots.displacement import CORRELATION, CORRELATION_MEAN, displacement

TREATED, UP, DOWN, CONTROL = range(4)
GROUPS = np.repeat([CONTROL, DOWN, TREATED, UP, CONTROL], [90, 8, 6, 8, 88])
RING = np.array([0, 1, 2, 0])[GROUPS]


def levels(before: dict[int, int], after: dict[int, int], each: int = 20) -> pd.DataFrame:
    """`each` reaches a group, all with the same counts in 50 h before and 50 h after."""
    group = np.repeat([TREATED, UP, DOWN, CONTROL], each)
    hours = np.full(len(group), 50.0)
    y, z = (np.array([counts[g] for g in group]) for counts in (before, after))
    return displacement(y, hours, z, hours, group == TREATED, np.array([0, 1, 2, 0])[group])


def world(seed: int, hours: float = 40.0, wobble: float = 0.0, **factor: float) -> tuple[np.ndarray, ...]:
    """200 reaches of very different rates; effort before and after unrelated; rates times treated=, up=, down=, all=."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1.5, 0.1 / 1.5, 200) * np.where(GROUPS == TREATED, 2.0, 1.0)
    before, after = rng.gamma(2, hours / 2, (2, 200))
    change = (
        factor.get("all", 1.0) * np.array([factor.get(g, 1.0) for g in ("treated", "up", "down", "control")])[GROUPS]
    )
    change = change * np.exp(rng.normal(0, wobble, 200) - wobble**2 / 2)
    return rng.poisson(rate * before), before, rng.poisson(rate * change * after), after, GROUPS == TREATED, RING


def judged(worlds: list[tuple[np.ndarray, ...]]) -> pd.DataFrame:
    return displacement(*[np.stack(arrays) for arrays in zip(*worlds, strict=True)])


def displaced(answer: pd.DataFrame) -> float:
    return float(answer.verdict.str.startswith("displaced").mean())


def test_posterior_against_a_plain_grid() -> None:
    """Treated reaches (5 -> 1, 3 -> 0) and control (8 -> 9, 2 -> 4, 1 -> 0), uneven hours: every combination of
    correlation, change of the control and ratio, with the probabilities of scipy.stats."""
    y, h = np.array([[5, 3, 8, 2, 1], [1, 0, 9, 4, 0]]), np.array([[10, 20, 10, 30, 5.0], [20, 15, 10, 30, 10.0]])
    common, ratio = np.linspace(-4, 4, 161), np.linspace(-4.5, 4.5, 181)
    weight = np.zeros((161, 181))
    for c in CORRELATION:
        like = np.ones((161, 181))
        for i in range(5):
            odds = h[1, i] / h[0, i] * np.exp(common[:, None] + (ratio[None, :] if i < 2 else 0.0))
            p, n = odds / (1 + odds), y[:, i].sum()
            law = binom(n, p) if c == 0 else betabinom(n, p * (1 / c - 1), (1 - p) * (1 / c - 1))
            like = like * law.pmf(y[1, i])
        weight += like * np.exp(-c / CORRELATION_MEAN)
    weight *= norm.pdf(common)[:, None] * norm.pdf(ratio)[None, :]
    chance = weight.sum(axis=0) / weight.sum()
    low, middle, high = np.exp(np.interp([0.05, 0.5, 0.95], np.cumsum(chance) - chance / 2, ratio))
    answer = displacement(y[0], h[0], y[1], h[1], [True, True, False, False, False], [0] * 5).loc[0]
    assert answer.p_fell == pytest.approx(chance[ratio < 0].sum() + chance[ratio == 0].sum() / 2, abs=0.015)
    assert answer.ratio_treated == pytest.approx(middle, rel=0.04)
    assert answer.ratio_treated_lo == pytest.approx(low, rel=0.06)
    assert answer.ratio_treated_hi == pytest.approx(high, rel=0.06)


def test_quotient_by_its_published_formula() -> None:
    """Twenty reaches a group, cases a reach: treated 100 -> 50, up 40 -> 50, down 40 -> 50, control 250 -> 250.
    (100/250 - 80/250) / (50/250 - 100/250) = 0.08 / -0.2 = -0.4: two fifths of what was prevented went next door."""
    answer = levels({TREATED: 100, UP: 40, DOWN: 40, CONTROL: 250}, {TREATED: 50, UP: 50, DOWN: 50, CONTROL: 250}).loc[
        0
    ]
    assert answer.wdq == pytest.approx(-0.4, abs=0.04)
    assert answer.wdq_lo < -0.4 < answer.wdq_hi < 0
    assert answer.verdict == "displaced"
    assert answer.ratio_treated == pytest.approx(0.5, rel=0.03)
    assert answer.ratio_up == pytest.approx(1.25, rel=0.03)


def test_a_fall_of_the_whole_basin_is_no_success() -> None:
    answer = levels(dict.fromkeys(range(4), 60), dict.fromkeys(range(4), 30)).loc[0]
    assert (answer.verdict, answer.fell) == ("no_change", False)
    assert answer.ratio_treated == pytest.approx(1.0, rel=0.05)


def test_looking_elsewhere_is_no_change() -> None:
    """Rates 0.5 and 0.1 stay; the hours go from the quiet half of the treated reaches to the busy half: the pooled rate
    of the treated reaches more than doubles, the answer is 1."""
    group = np.repeat([TREATED, UP, DOWN, CONTROL], 10)
    rate = np.tile([0.5, 0.1], 20)
    before = np.where(group == TREATED, np.tile([20.0, 200.0], 20), 100.0)
    after = np.where(group == TREATED, np.tile([200.0, 20.0], 20), 100.0)
    y, z = np.rint(rate * before), np.rint(rate * after)
    treated = group == TREATED
    assert (z[treated].sum() / after[treated].sum()) > 2 * (y[treated].sum() / before[treated].sum())
    answer = displacement(y, before, z, after, treated, np.array([0, 1, 2, 0])[group]).loc[0]
    assert answer.verdict == "no_change"
    assert answer.ratio_treated == pytest.approx(1.0, rel=0.1)


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        ({TREATED: 5, UP: 20, DOWN: 20, CONTROL: 20}, "dropped"),
        ({TREATED: 5, UP: 60, DOWN: 20, CONTROL: 20}, "displaced_up"),
        ({TREATED: 5, UP: 5, DOWN: 60, CONTROL: 20}, "displaced_down"),
        ({TREATED: 5, UP: 60, DOWN: 60, CONTROL: 20}, "displaced"),
        ({TREATED: 5, UP: 5, DOWN: 20, CONTROL: 20}, "diffused"),
        ({TREATED: 20, UP: 60, DOWN: 60, CONTROL: 20}, "no_change"),
        ({TREATED: 60, UP: 60, DOWN: 20, CONTROL: 20}, "rose"),
    ],
)
def test_each_verdict(after: dict[int, int], verdict: str) -> None:
    """20 cases a reach before, five reaches a group: changes of three- and fourfold are beyond doubt."""
    assert levels(dict.fromkeys(range(4), 20), after, each=5).verdict[0] == verdict


def test_an_outer_ring_counts_too() -> None:
    group = np.repeat([0, 1, 2, 3, 4, 5], 5)  # treated, up, down, up_outer, down_outer, control
    hours, y = np.full(30, 50.0), np.full(30, 20)
    z = np.array([5, 20, 20, 60, 20, 20])[group]
    answer = displacement(y, hours, z, hours, group == 0, np.array([0, 1, 2, 3, 4, 0])[group]).loc[0]
    assert answer.verdict == "displaced_up"
    assert answer.ratio_up_hi < answer.ratio_up_outer_lo


@pytest.mark.parametrize("unlooked", [UP, DOWN])
def test_a_ring_nobody_looked_at_afterwards_gives_no_answer(unlooked: int) -> None:
    """A clear fall; one ring without look afterwards (or with under 2 h a reach): never "dropped". But a rise of the
    other ring stands."""
    group = np.repeat([TREATED, UP, DOWN, CONTROL], 5)
    hours, y = np.full(20, 50.0), np.full(20, 20)
    name = {UP: "up", DOWN: "down"}[unlooked]
    other = UP + DOWN - unlooked
    for left in (0.0, 1.9):
        after = np.where(group == unlooked, left, 50.0)
        for cases, verdict in ((20, "not_enough_looking"), (60, "displaced_" + {UP: "up", DOWN: "down"}[other])):
            z = np.where(group == unlooked, 0, np.where(group == TREATED, 5, np.where(group == other, cases, 20)))
            answer = displacement(y, hours, z, after, group == TREATED, np.array([0, 1, 2, 0])[group]).loc[0]
            assert (answer.verdict, answer.fell) == (verdict, True)
            assert np.isnan(answer[f"ratio_{name}"]) and np.isnan(answer.wdq)


def test_a_rise_in_the_looked_part_of_a_ring_is_a_rise() -> None:
    """Offenders went into the outer ring upstream, beside which six of ten reaches are a side channel nobody goes to. A
    rise there is seen; none there does not say that nothing moved."""
    group = np.repeat([0, 1, 2, 3, 4, 5], [5, 5, 5, 10, 5, 20])  # treated, up, down, up_outer, down_outer, control
    looked = np.ones(50, dtype=bool)
    looked[19:25] = False
    hours, y = np.where(looked, 50.0, 0.0), np.where(looked, 20, 0)
    ring = np.array([0, 1, 2, 3, 4, 0])[group]
    for outer, verdict in ((60, "displaced_up"), (20, "not_enough_looking")):
        z = np.where(looked, np.where(group == 0, 5, np.where(group == 3, outer, 20)), 0)
        answer = displacement(y, hours, z, hours, group == 0, ring).loc[0]
        assert answer.verdict == verdict
        assert np.isfinite(answer.ratio_up_outer) and np.isnan(answer.wdq)


def test_treated_or_control_not_looked_at_gives_no_answer() -> None:
    group = np.repeat([TREATED, UP, DOWN, CONTROL], 5)
    y, hours, ring = np.full(20, 20), np.full(20, 50.0), np.array([0, 1, 2, 0])[group]
    for nobody in (TREATED, CONTROL):
        after = np.where(group == nobody, 0.0, 50.0)
        answer = displacement(y, hours, np.where(after > 0, y, 0), after, group == TREATED, ring).loc[0]
        assert answer.verdict == "not_enough_looking" and not answer.fell and np.isnan(answer.p_fell)
    no_ring = displacement(y, hours, np.where(group == TREATED, 2, 20), hours, group == TREATED, np.zeros(20)).loc[0]
    assert (no_ring.verdict, no_ring.fell) == ("not_enough_looking", True)


def test_nothing_happened_is_seldom_named() -> None:
    """At most 5 % of worlds may be named displaced: nothing at all, everything doubled, reaches changing by themselves."""
    worlds = [world(seed) for seed in range(40)]
    worlds += [world(seed, all=2.0) for seed in range(40, 60)] + [world(seed, wobble=0.6) for seed in range(60, 80)]
    answer = judged(worlds)
    assert displaced(answer) <= 0.05
    assert answer.verdict.isin(["no_change"]).mean() >= 0.85
    assert ((answer.ratio_up_lo <= 1) & (answer.ratio_up_hi >= 1)).mean() == pytest.approx(0.9, abs=0.07)


def test_half_a_story_is_seldom_named_displaced() -> None:
    """A pure drop, and a ring that rises by itself: nominal 5 %, and 6 of 60 has a chance under 8 % at a true 5 %."""
    assert displaced(judged([world(seed, treated=0.25) for seed in range(60)])) < 0.1
    assert displaced(judged([world(seed, up=2.0) for seed in range(200, 260)])) < 0.1


def test_planted_displacement_is_named() -> None:
    """A drop to a fifth with the rate up- or downstream times 2.5, about 40 cases a ring before."""
    up = judged([world(seed, treated=0.2, up=2.5) for seed in range(25)])
    down = judged([world(seed, treated=0.2, down=2.5) for seed in range(25)])
    assert (up.verdict == "displaced_up").mean() >= 0.75
    assert (down.verdict == "displaced_down").mean() >= 0.75
    assert ((up.ratio_up_lo <= 2.5) & (up.ratio_up_hi >= 2.5)).mean() >= 0.75


@runs(deadline=None, max_examples=25)
@given(st.integers(0, 10_000))
def test_any_input_gives_a_table_that_agrees_with_itself(seed: int) -> None:
    """Random small groups with zeros and huge hours: no infinity, ends in order, verdict as its columns say."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 12))
    hours = rng.choice([0.0, 0.5, 3.0, 40.0, 10_000.0], (2, n))
    cases = rng.choice([0, 0, 1, 7], (2, n))
    treated, ring = rng.random(n) < 0.3, rng.integers(-1, 5, n)
    row = displacement(cases[0], hours[0], cases[1], hours[1], treated, ring, seed=seed).loc[0]
    for name in ("treated", "up", "down", "up_outer", "down_outer"):
        low, middle, high = row[f"ratio_{name}_lo"], row[f"ratio_{name}"], row[f"ratio_{name}_hi"]
        assert np.isnan([low, middle, high]).all() or 0 < low <= middle <= high < np.inf
    if row.verdict != "not_enough_looking":
        assert np.isfinite(row.p_fell)
    assert row.fell == (row.p_fell >= 0.95)
    assert (row.verdict in ("dropped", "diffused")) <= bool(row.fell and np.isfinite(row.wdq))
    assert row.verdict.startswith("displaced") <= row.fell
    assert np.isnan(row.wdq) or row.fell


def test_same_bytes() -> None:
    worlds = [world(seed, treated=0.5) for seed in range(3)]
    assert judged(worlds).to_csv() == judged(worlds).to_csv()
    one = displacement(*worlds[0])
    assert one.loc[0].equals(judged(worlds).loc[0])


@pytest.mark.parametrize(
    ("code", "position", "value"),
    [
        ("displacement_shape", 0, [1]),
        ("displacement_value", 0, [0.5, 1]),
        ("displacement_value", 1, [-1, 1]),
        ("displacement_value", 3, [np.nan, 1]),
        ("displacement_value", 4, [2, 0]),
        ("displacement_value", 5, [5, 0]),
    ],
)
def test_wrong_calls_are_told(code: str, position: int, value: list[float]) -> None:
    arrays: list[list[float]] = [[1, 1], [5, 5], [1, 1], [5, 5], [1, 0], [0, 0]]
    arrays[position] = value
    with pytest.raises(Usage) as caught:
        displacement(*arrays)  # type: ignore[arg-type]
    assert caught.value.code == code
    assert str(caught.value)
