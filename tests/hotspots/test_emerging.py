"""Every class by a hand-made series and its near misses; all of them against a second reading of the rules in words."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from scipy.stats import kendalltau

from geo_monitor.errors import Usage
from geo_monitor.hotspots.emerging import emerging, mann_kendall
from geo_monitor.settings import Settings
from geo_monitor.tables import CLASSES

NAN = float("nan")
MARKS = {"H": 3.0, "C": -3.0, ".": 0.0, "?": NAN}


def series(marks: str) -> list[float]:
    return [MARKS[mark] for mark in marks]


def named(values: list[float] | str) -> str:
    column = series(values) if isinstance(values, str) else values
    return str(emerging(np.array(column)[:, None])[0])


UP = [2.0, 2.1, 2.2, 2.3, 2.4, 2.5, 2.6, 2.7, 2.8, 2.9]  # ten rising hot steps: S = 45, p < 0.001
# S of ten values without ties is told as a trend from 23 on: (23 - 1) / sqrt(125) = 1.968; (21 - 1) / sqrt(125) = 1.789
# each pair out of order takes 2 off the 45: eleven pairs (1 + 10), twelve (2 + 10)
S_23 = [2.1, 2.0, 2.2, 2.3, 2.8, 2.7, 2.6, 2.5, 2.4, 2.9]
S_21 = [2.1, 2.0, 2.3, 2.2, 2.8, 2.7, 2.6, 2.5, 2.4, 2.9]


@pytest.mark.parametrize(
    ("marks", "expected"),
    [
        # new: the last step only
        (".........H", "hot_new"),
        ("..C......H", "hot_new"),  # cold once before, never hot: new
        ("H........H", "hot_sporadic"),
        ("........H.", "none"),
        ("?.........H", "hot_new"),
        ("?????????.H", "none"),  # two looked steps know no "never before"
        # consecutive: one run up to now, of two steps or more
        ("........HH", "hot_consecutive"),
        (".HHHHHHHHH", "hot_persistent"),  # 90 %
        ("..HHHHHHHH", "hot_consecutive"),  # 80 %
        ("..HHHHHHHHHHHHHHH", "hot_consecutive"),  # 15 of 17: 88 %
        # 18 of 20; S = 36, var = (20 19 45 - 18 17 41 - 2 1 9) / 18 = 252, 35 / 15.87 = 2.2: colder at first, told as such
        ("..HHHHHHHHHHHHHHHHHH", "hot_intensifying"),
        (".HHHHHHHHHHHH.HHHHHH", "hot_persistent"),  # 18 of 20; S = 18 - 12 + 6 = 12, no trend
        ("..........................HHHH.HHH", "hot_sporadic"),
        ("......HH.HH", "hot_sporadic"),  # off in between, seen
        ("......HH?HH", "hot_consecutive"),  # in between nobody looked: hot at every look since it began
        ("C.......HH", "hot_consecutive"),
        ("......HH?.", "none"),
        # persistent: 90 % and hot now
        ("HHHHHHHHHH", "hot_persistent"),
        ("HHHH.HHHHH", "hot_persistent"),  # 9 of 10
        ("HHHH.HHHHHHH.HHHHHH", "hot_sporadic"),  # 17 of 19: 89 %
        ("HHHHCHHHHH", "hot_persistent"),  # a cold step among 90 % hot ones
        ("HHHH?HHHHHH", "hot_persistent"),
        ("HHHH?.HHHHH", "hot_persistent"),  # 9 of 10 looked
        ("HHH??.HHHHHH", "hot_persistent"),  # 9 of 10 looked; 9 of 12 had missing meant "not hot"
        ("HHHHHHHHH", "none"),  # nine steps
        ("HHHHHHHHH?", "none"),  # nine looked, and not now
        ("?HHHHHHHHH", "none"),  # nine looked of ten
        ("?HHHHHHHHHH", "hot_persistent"),  # ten looked of eleven
        ("HHHHHHHHHH?", "none"),  # nobody looked now
        # historical: 90 %, not hot now
        ("HHHHHHHHH.", "hot_historical"),
        ("HHHHHHHH..", "none"),  # 80 %
        ("HHHHHHHHHHHHHHHHH..", "none"),  # 17 of 19
        ("HHHHHHHHHHHHHHHHHH..", "hot_historical"),  # 18 of 20
        ("HHHHHHHHHC", "hot_historical"),
        ("HHHHHHHHH.?", "none"),  # nobody looked now
        ("HHHHHHHHH?.", "hot_historical"),
        # sporadic and oscillating: on and off, hot now, under 90 %
        ("H.H..H...H", "hot_sporadic"),
        ("H.H..H...?", "none"),
        ("H.H..H....", "none"),
        ("H.HC.H...H", "hot_oscillating"),
        ("HCHCHCHCHC", "cold_oscillating"),
        ("CHCHCHCHCH", "hot_oscillating"),
        ("H.H?.H....H", "hot_sporadic"),
        # nothing
        ("..........", "none"),
        ("??????????", "none"),
        ("", "none"),
        ("CCCCCCCCCH", "cold_historical"),
    ],
)
def test_by_hand(marks: str, expected: str) -> None:
    assert named(marks) == expected
    mirror = {"hot": "cold", "cold": "hot"}.get(expected.split("_")[0], "")
    assert named(marks.translate(str.maketrans("HC", "CH"))) == (
        "none" if expected == "none" else f"{mirror}_{expected.split('_')[1]}"
    )


def test_trend_decides_by_hand() -> None:
    assert named(UP) == "hot_intensifying"
    assert named(UP[::-1]) == "hot_diminishing"
    assert named([0.0, *UP[1:]]) == "hot_intensifying"  # 9 of 10, the first not hot
    assert named([0.0, 0.0, *UP[2:]]) == "hot_consecutive"  # 80 %: no share, no trend
    assert named([*UP[:5], NAN, *UP[5:]]) == "hot_intensifying"
    assert named([*UP, NAN]) == "none"
    assert named([*UP[:-1], 1.9]) == "hot_historical"
    assert named([-value for value in UP]) == "cold_intensifying"
    assert named([-value for value in UP[::-1]]) == "cold_diminishing"  # warms, and stays cold


@pytest.mark.parametrize(("values", "s", "expected"), [(S_23, 23, "hot_intensifying"), (S_21, 21, "hot_persistent")])
def test_just_a_trend_and_just_none(values: list[float], s: int, expected: str) -> None:
    assert sum((b > a) - (b < a) for i, a in enumerate(values) for b in values[i + 1 :]) == s
    assert named(values) == expected
    assert named([-value for value in values]) == expected.replace("hot", "cold")


def test_thresholds_are_inclusive() -> None:
    assert named([0.0] * 9 + [1.96]) == "hot_new"
    assert named([0.0] * 9 + [1.9599]) == "none"
    assert named([0.0] * 9 + [-1.96]) == "cold_new"
    assert named([0.0] * 9 + [-1.9599]) == "none"


def test_cold_that_warms_is_never_hot() -> None:
    """-6 ... -2.1: cold all along and warming. On to -0.5: no more cold now, and for 90 % of the steps it was."""
    assert named(list(np.linspace(-6, -2.1, 13))) == "cold_diminishing"
    assert named([*np.linspace(-6, -2.1, 12), -0.5]) == "cold_historical"


def test_settings_are_used() -> None:
    z = np.array(series("........HH"))[:, None]
    assert emerging(z, replace(Settings(), steps_min=11))[0] == "none"
    assert emerging(z, replace(Settings(), step_z=3.1))[0] == "none"
    assert emerging(z, replace(Settings(), emerging_share=0.2))[0] == "hot_persistent"
    up = np.array(S_21)[:, None]
    assert emerging(up, replace(Settings(), emerging_trend_p=0.1))[0] == "hot_intensifying"


def test_shapes_and_refusals() -> None:
    assert emerging(np.empty((0, 3))).tolist() == ["none"] * 3
    assert emerging(np.empty((12, 0))).shape == (0,)
    assert emerging(np.zeros((12, 2))).dtype == object
    with pytest.raises(Usage, match=r"two-dimensional.*\(12,\)"):
        emerging(np.zeros(12))
    wild = np.zeros((12, 4))
    wild[3, 2] = np.inf
    with pytest.raises(Usage, match="step 3, reach 2"):
        emerging(wild)


def by_words(values: list[float]) -> str:
    """The rules once more, on letters."""
    seen = [value for value in values if value == value]
    if len(seen) < 10 or values[-1] != values[-1]:
        return "none"
    word = "".join("H" if value >= 1.96 else "C" if value <= -1.96 else "." for value in seen)
    share = {mark: Fraction(word.count(mark), len(word)) for mark in "HC"}
    names = {"H": "hot", "C": "cold"}
    for mark in "HC":
        if share[mark] >= Fraction(9, 10) and word[-1] != mark:
            return names[mark] + "_historical"
    mark, other = word[-1], {"H": "C", "C": "H"}.get(word[-1], "")
    if mark == ".":
        return "none"
    if share[mark] >= Fraction(9, 10):
        s, p = slow_mann_kendall(seen)
        s = s if mark == "H" else -s
        return names[mark] + ("_persistent" if p >= 0.05 else "_intensifying" if s > 0 else "_diminishing")
    if re.fullmatch(f"[^{mark}]*{mark}", word):
        return names[mark] + "_new"
    if re.fullmatch(f"[^{mark}]*{mark}+", word):
        return names[mark] + "_consecutive"
    return names[mark] + ("_oscillating" if other in word else "_sporadic")


def slow_mann_kendall(seen: list[float]) -> tuple[int, float]:
    s = sum((b > a) - (b < a) for i, a in enumerate(seen) for b in seen[i + 1 :])
    m = len(seen)
    variance = m * (m - 1) * (2 * m + 5)
    variance -= sum(u * (u - 1) * (2 * u + 5) for u in Counter(seen).values())
    if s == 0 or variance == 0:
        return s, 1.0
    return s, math.erfc((abs(s) - 1) / math.sqrt(variance / 18) / math.sqrt(2))


score = st.one_of(
    st.sampled_from([3.0, -3.0, 0.0, NAN, 1.96, -1.96, 2.5, -2.5]), st.floats(-5, 5), st.sampled_from([3.0, 2.2, 4.0])
)
mostly_hot = st.lists(st.sampled_from([2.0, 2.5, 3.0, 3.5, 4.0]), min_size=9, max_size=20).flatmap(
    lambda hot: st.tuples(st.just(hot), score, st.integers(0, len(hot)), st.booleans()).map(
        lambda parts: [
            (-1 if parts[3] else 1) * value for value in [*parts[0][: parts[2]], parts[1], *parts[0][parts[2] :]]
        ]
    )
)
any_series = st.one_of(st.lists(score, min_size=1, max_size=24), mostly_hot)


@runs(deadline=None, max_examples=250)
@given(any_series)
def test_against_the_rules_in_words(values: list[float]) -> None:
    assert named(values) == by_words(values)


@runs(deadline=None, max_examples=150)
@given(any_series)
def test_cold_is_hot_of_the_mirror(values: list[float]) -> None:
    swap = {name: name for name in CLASSES}
    swap |= {name: name.replace("hot_", "cold_") for name in CLASSES if name.startswith("hot_")}
    swap |= {name: name.replace("cold_", "hot_") for name in CLASSES if name.startswith("cold_")}
    assert named([-value for value in values]) == swap[named(values)]


@runs(deadline=None, max_examples=150)
@given(any_series, st.lists(st.integers(0, 30), max_size=6))
def test_steps_nobody_looked_at_change_nothing(values: list[float], at: list[int]) -> None:
    more = list(values)
    for place in at:
        more.insert(min(place, len(more) - 1), NAN)  # anywhere but after the last
    assert named(more) == named(values)


@runs(deadline=None, max_examples=60)
@given(st.lists(any_series.filter(lambda values: len(values) >= 10), min_size=1, max_size=6))
def test_reaches_do_not_touch_each_other(many: list[list[float]]) -> None:
    z = np.array([values[-10:] for values in many]).T
    assert emerging(z).tolist() == [named(values[-10:]) for values in many]
    assert set(emerging(z)) <= set(CLASSES)


def test_mann_kendall_by_hand() -> None:
    """1, 2, 2, 3: five pairs rise, one is tied: S = 5. var = (4 3 13 - 2 1 9) / 18 = 138 / 18 = 7.6667;
    (5 - 1) / 2.7689 = 1.4446, two-sided p = 0.1486."""
    s, p = mann_kendall(np.array([[1.0, 2.0, 2.0, 3.0], [5.0, 5.0, 5.0, 5.0]]).T)
    assert s.tolist() == [5.0, 0.0]
    assert p[0] == pytest.approx(0.1486, abs=5e-5)
    assert p[1] == 1.0


@pytest.mark.parametrize("n", [10, 13])
def test_mann_kendall_decides_as_the_exact_law(n: int) -> None:
    """For every S that n values without ties can have, p < 0.05 as by exact enumeration (scipy)."""
    order = list(range(n))
    while True:
        s, p = mann_kendall(np.array(order, dtype=float)[:, None])
        exact = kendalltau(range(n), order, method="exact").pvalue
        assert (p[0] < 0.05) == (exact < 0.05), int(s[0])
        assert p[0] == pytest.approx(exact, abs=0.012)
        swap = next((i for i in range(n - 1) if order[i] < order[i + 1]), None)
        if swap is None:
            break
        order[swap], order[swap + 1] = order[swap + 1], order[swap]  # S falls by 2
