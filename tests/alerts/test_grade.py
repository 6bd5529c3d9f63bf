"""Probability of a verified case, its calibration, its grade."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import beta, binom

from geo_monitor.alerts.context import Place
from geo_monitor.alerts.grade import Book, calibrate, cut_off, grade_of, hit_rates, interval, judge, learn, place_odds
from geo_monitor.alerts.rows import written
from geo_monitor.settings import Settings
from geo_monitor.tables import GRADES
from tests.alerts.made import DAY, T0, closed

PAGE = Path(__file__).parents[2] / "docs" / "warnings.md"


def test_one_case_in_26() -> None:
    """The number platforms report, under Jeffreys' prior: Beta(1.5, 25.5)."""
    lo, hi = interval(1, 26)
    assert (lo, hi) == pytest.approx(tuple(beta(1.5, 25.5).ppf([0.05, 0.95])))
    # where 26 warnings made 1 case, anything from one in 143 to one in 7 is believable
    assert (round(lo, 3), round(hi, 3)) == (0.007, 0.141)


def test_a_rule_learns_from_what_came_of_it() -> None:
    """4 warnings' worth of 1/26 and 3 cases among 12: (4/26 + 3) / 16; the interval is that beta law's."""
    told = judge(["slow"], ["slow"], [], Book({"slow": (3, 12)}))
    assert told.probability == pytest.approx((4 / 26 + 3) / 16)
    law = beta(4 / 26 + 3, 4 * 25 / 26 + 9)
    assert (told.lo, told.hi) == pytest.approx(tuple(law.ppf([0.05, 0.95])))
    assert not told.calibrated


def _holds(share: float, closed: int) -> tuple[float, float]:
    """Mean probability told, and how often the interval holds, over all that can come of so many warnings."""
    every = [judge(["r"], ["k"], [], Book({"r": (k, closed)})) for k in range(closed + 1)]
    chance = binom(closed, share).pmf(np.arange(closed + 1))
    inside = np.array([one.lo <= share <= one.hi for one in every])
    return float(chance @ [one.probability for one in every]), float(chance @ inside)


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.01, ["0.04; 100 %", "0.02; 100 %", "0.01; 99 %", "0.01; 81 %"]),
        (0.04, ["0.04; 100 %", "0.04; 99 %", "0.04; 78 %", "0.04; 87 %"]),
        (0.10, ["0.04; 100 %", "0.08; 64 %", "0.09; 90 %", "0.10; 90 %"]),
        (0.30, ["0.04; 0 %", "0.23; 85 %", "0.28; 87 %", "0.29; 90 %"]),
    ],
)
def test_how_good_it_is_as_the_docs_say(share: float, told: list[str]) -> None:
    """Exact, by the binomial law."""
    found = [_holds(share, closed) for closed in (0, 10, 40, 200)]
    assert [f"{mean:.2f}; {100 * held:.0f} %" for mean, held in found] == told
    assert f"| {share:.2f} | {' | '.join(told)} |" in PAGE.read_text(encoding="utf-8")


def test_log_odds_add_up() -> None:
    """1/25 x sqrt(4) x 2 = 0.16."""
    told = judge(["slow"], ["slow", "gap"], [Place(state="hot", rr=4.0), Place(state="normal", rr=1.0)], Book())
    assert told.probability == pytest.approx(0.16 / 1.16)
    assert told.parts["place_odds"] == 2.0


@pytest.mark.parametrize(
    ("place", "odds"),
    [
        (Place(state="cold", rr=0.25), 0.5),
        (Place(state="hot", rr=400.0), 4.0),  # at most
        (Place(state="cold", rr=0.0), 0.25),
        (Place(state="hot"), math.sqrt(2)),  # no rr: the state's own threshold
        (Place(state="not_looked", rr=1.3), 1.0),
        (Place(), 1.0),
    ],
)
def test_what_a_place_says(place: Place, odds: float) -> None:
    assert place_odds(place)[0] == pytest.approx(odds)


def test_an_uncertain_place_widens_the_interval() -> None:
    sure = judge(["slow"], ["slow"], [Place(state="hot", rr=4.0)], Book({"slow": (10, 40)}))
    vague = judge(["slow"], ["slow"], [Place(state="hot", rr=4.0, rr_lo=1.0, rr_hi=16.0)], Book({"slow": (10, 40)}))
    assert vague.probability == pytest.approx(sure.probability)
    assert vague.lo < sure.lo < sure.hi < vague.hi


def test_the_rule_that_is_worth_most_counts() -> None:
    both = judge(["slow", "gap"], ["slow"], [], Book({"slow": (8, 20), "gap": (0, 50)}))
    assert both.probability == judge(["slow"], ["slow"], [], Book({"slow": (8, 20)})).probability


@given(st.integers(0, 30), st.integers(0, 60), st.floats(0.01, 100), st.integers(1, 4))
@settings(max_examples=100, deadline=None)
def test_probabilities_lie_in_their_interval(cases: int, more: int, rr: float, kinds: int) -> None:
    place = Place(state="normal", rr=rr, rr_lo=rr / 2, rr_hi=rr * 2)
    told = judge(["r"], [f"k{i}" for i in range(kinds)], [place], Book({"r": (cases, cases + more)}))
    assert 0 <= told.lo < told.hi <= 1
    assert 0 < told.probability < 1
    assert told.probability < told.hi


def test_cut_offs_belong_to_the_graver_grade() -> None:
    kept = Settings()
    for grade in GRADES[:3]:
        assert grade_of(cut_off(grade, kept), 1.0) == grade
        assert grade_of(cut_off(grade, kept) - 1e-6, 1.0) == GRADES[GRADES.index(grade) + 1]
    assert grade_of(0.0, 1.0) == "blue"


def test_under_30_closed_nothing_is_calibrated() -> None:
    few = calibrate([0.5] * 29, [0.0] * 29, [False] * 29)
    assert (few.calibrated, few.shift, few.slope, few.closed) == (False, 0.0, 1.0, 29)


def test_calibration_finds_the_mode_of_its_posterior() -> None:
    """Against a plain search over shift and slope."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(3)
    yielded, rest = rng.uniform(0.02, 0.6, 80), rng.normal(0, 0.7, 80)
    case = rng.random(80) < yielded / 2
    found = calibrate(list(yielded), list(rest), list(case))
    base = np.log(yielded / (1 - yielded))

    def loss(at: np.ndarray) -> float:
        score = base + at[0] + at[1] * rest
        return float((np.logaddexp(0, score) - case * score).sum() + at[0] ** 2 / 2 + (at[1] - 1) ** 2 / (2 * 0.25))

    best = minimize(loss, [0.0, 1.0], method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-12}).x
    assert (found.shift, found.slope) == pytest.approx(tuple(best), abs=1e-5)
    assert found.shift < 0  # half as many cases as told


def test_calibration_shifts_what_is_told_too_high() -> None:
    """Rules told at 0.4, 100 cases among 1,000: told afterwards near 0.1, in an interval that holds it."""
    found = calibrate([0.4] * 1000, [0.0] * 1000, [i < 100 for i in range(1000)])
    told = judge(["r"], ["k"], [], Book({"r": (4000, 10_000)}, found))
    assert told.raw == pytest.approx(0.4, abs=0.001)
    assert told.probability == pytest.approx(0.1, abs=0.005)
    assert told.lo < 0.1 < told.hi
    assert told.calibrated


def _worlds(closed_ones: int, truth: float) -> tuple[float, float]:
    """In 200 made-up worlds a rule of yield 0.1, log rr ~ N(0, 1), and odds that go with rr^truth: what a reach of rr 4 is
    told on average after so many closed, and how often the interval holds what is true."""
    rng, told = np.random.default_rng(0), []
    odds = 4.0**truth / 9
    for _ in range(200):
        log_rr = rng.normal(0, 1, closed_ones)
        case = rng.random(closed_ones) < 1 / (1 + 9 * np.exp(-truth * log_rr))
        found = calibrate([0.1] * closed_ones, list(log_rr / 2), list(case))
        told.append(judge(["r"], ["k"], [Place(state="hot", rr=4.0)], Book({"r": (1000, 10_000)}, found)))
    true = odds / (1 + odds)
    return float(np.mean([one.probability for one in told])), float(np.mean([one.lo <= true <= one.hi for one in told]))


@pytest.mark.parametrize(
    ("truth", "told"),
    [
        (0.0, ["0.17; 75 %", "0.14; 78 %", "0.12; 84 %"]),
        (0.5, ["0.20; 96 %", "0.18; 96 %", "0.19; 94 %"]),
        (1.0, ["0.24; 90 %", "0.25; 78 %", "0.29; 86 %"]),
    ],
)
def test_calibration_learns_what_a_place_is_worth(truth: float, told: list[str]) -> None:
    """As docs/warnings.md says."""
    found = [_worlds(closed_ones, truth) for closed_ones in (30, 150, 600)]
    for (mean, held), said in zip(found, told, strict=True):
        assert mean == pytest.approx(float(said.split(";")[0]), abs=0.011)
        assert held == pytest.approx(float(said.split(";")[1].rstrip(" %")) / 100, abs=0.03)
    assert f"| {' | '.join(told)} |" in PAGE.read_text(encoding="utf-8")


def test_more_evidence_never_lowers_a_probability() -> None:
    upside = calibrate([0.1] * 400, [-1.0] * 200 + [1.0] * 200, [True] * 200 + [False] * 200)
    assert upside.slope == 0.0


def test_a_book_counts_situations_once_and_only_what_is_known() -> None:
    pair = {"evidence": written({"situation": "s", "rest": 0.2, "parts": {"rule": "slow"}})}
    rows = [
        closed(1, outcome="case", **pair),
        closed(2, outcome="nothing_found", **pair),  # the other bank: who finds it handles it
        closed(3, outcome="no_unit"),  # nobody looked
        closed(4, outcome="false"),
        closed(5, outcome="education"),
        closed(6, outcome=None, state="recalled"),
        closed(7, "gap", "nothing_found"),
        closed(8, outcome=None, state="signed"),
    ]
    book = learn(rows)
    assert book.rules == {"slow": (1, 3), "gap": (0, 1)}
    assert book.calibration.closed == 1


def test_a_situation_is_settled_by_a_case_or_when_all_are_closed() -> None:
    pair = {"evidence": written({"situation": "s"})}
    assert (
        learn([closed(1, outcome="nothing_found", **pair), closed(2, outcome=None, state="open", **pair)]).rules == {}
    )
    assert learn([closed(1, outcome="case", **pair), closed(2, outcome=None, state="open", **pair)]).rules == {
        "slow": (1, 1)
    }


def test_hit_rates_stand_beside_their_cut_offs() -> None:
    """Red: 3 of 4 told at 0.5; blue: none of 2. A person who lowered a grade does not change what the numbers gave."""
    rows = [closed(i, outcome="case" if i < 3 else "false", probability=0.5, grade="blue") for i in range(4)]
    rows += [closed(i + 4, outcome="nothing_found", probability=0.02) for i in range(2)]
    rows.append(closed(9, "overdue", probability=0.02, **{"class": "coverage"}))  # graded apart
    table = hit_rates(rows).set_index("grade")
    assert list(table.index) == list(GRADES)
    red, orange, blue = table.loc["red"], table.loc["orange"], table.loc["blue"]
    assert (red.cut_off, red.situations, red.cases, red.rate, red.expected) == (0.35, 4, 3, 0.75, 0.5)
    assert (red.rate_lo, red.rate_hi) == pytest.approx(tuple(beta(3.5, 1.5).ppf([0.05, 0.95])))
    assert (blue.situations, blue.cases, blue.rate, blue.rate_lo) == (2, 0, 0.0, 0.0)
    assert orange.situations == 0
    assert orange[["rate", "rate_lo", "rate_hi", "expected"]].isna().all()


def test_probabilities_told_hold_in_the_long_run() -> None:
    """A made-up year: rules with true yields far from the prior; told by the book as it stood, counted afterwards."""
    rng = np.random.default_rng(7)
    truth = {"a": 0.30, "b": 0.05, "c": 0.01}
    rows, seen = [], []
    for i in range(900):
        rule = ("a", "b", "c")[i % 3]
        if i % 50 == 0:
            book = learn(rows)
        told = judge([rule], ["k"], [], book)
        case = bool(rng.random() < truth[rule])
        seen.append((rule, told.probability, case))
        outcome = "case" if case else "nothing_found"
        evidence = written({"rest": told.rest, "parts": dict(told.parts)})
        rows.append(closed(i, rule, outcome, T0 + i * DAY, probability=told.probability, evidence=evidence))
    late = seen[450:]
    for rule, yielded in truth.items():
        mean = np.mean([p for name, p, _ in late if name == rule])
        assert mean == pytest.approx(yielded, rel=0.4, abs=0.01)
    assert np.mean([p for _, p, _ in late]) == pytest.approx(np.mean([case for *_, case in late]), abs=0.04)
