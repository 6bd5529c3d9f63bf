"""What came of warnings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import beta

from geo_monitor.alerts import actions, clocks
from geo_monitor.alerts.counts import below, counts, falling, yields
from geo_monitor.alerts.fresh import by_hand
from geo_monitor.alerts.rows import written
from geo_monitor.alerts.rules import shipped
from tests.alerts.made import DAY, HOUR, LEFT, MINUTE, RIGHT, T0, at, closed, context


def one(words: str, opened: int, grade: str = "red", reach: str = "r1") -> dict[str, Any]:
    return by_hand("gear", grade, words, reach, context(), "li", opened)[0]


def test_messages_by_locality_month_and_grade() -> None:
    march, april = at("2026-03-31 23:59"), at("2026-04-01 00:00")
    signed = actions.sign(one("a", march), "li", march + 4 * MINUTE)
    late = actions.sign(one("b", march), "li", march + 20 * MINUTE, ["421000"])
    done = actions.close(actions.sign(one("c", march), "li", march + 10 * MINUTE), "li", march + HOUR, "case")
    nobody = clocks.up_to(one("d", march), march + DAY)
    taken = actions.recall(one("e", march), "li", march, "重复")
    rows = [signed, late, done, nobody, taken, one("f", april), one("g", march, "blue"), one("h", march, reach="r35")]
    taskings = [{"warning_id": late["warning_id"], "state": "on_scene"}]
    table = counts(rows, taskings)
    assert table[["adcode", "month", "grade"]].to_numpy().tolist() == [
        [LEFT, "2026-03", "red"],
        [LEFT, "2026-03", "blue"],
        [LEFT, "2026-04", "red"],
        [RIGHT, "2026-03", "red"],
    ]
    first = table.iloc[0]
    assert (first.raised, first.signed_in_time, first.escalated, first.overdue) == (5, 2, 2, 1)
    assert (first.reached, first.verified, first.case, first.education, first.recalled) == (1, 1, 1, 0, 1)
    assert first.minutes_to_sign == 10
    assert table.minutes_to_sign.isna().tolist() == [False, True, True, True]


def test_nothing_counted_has_its_columns() -> None:
    assert len(counts([])) == 0
    assert "signed_in_time" in counts([])
    assert len(falling([], T0)) == 0
    assert len(yields([], [])) == 0


def test_yields_from_raised_to_case() -> None:
    pair = {"evidence": written({"situation": "s"})}
    rows = [
        closed(1, outcome="case", **pair),
        closed(2, outcome="nothing_found", **pair),
        closed(3, outcome="education"),
        closed(4, outcome="nothing_found"),
        closed(5, outcome="no_unit"),
        closed(6, outcome=None, state="open"),
        closed(7, outcome=None, state="recalled"),
        closed(8, opened=at("2026-04-02 12:00"), outcome="false"),
        closed(9, rule=None, outcome="case"),  # by hand: no rule's merit
    ]
    went = [{"warning_id": rows[i]["warning_id"], "state": "done", "result": "case"} for i in (1, 2, 3)]
    went.append({"warning_id": rows[4]["warning_id"], "state": "no_unit", "outcome": None})
    table = yields(shipped(), rows, went).set_index("rule")
    assert len(table) == len(shipped())
    slow = table.loc["slow"]
    assert (slow.raised, slow.recalled, slow.settled, slow.reached) == (7, 1, 5, 3)
    assert (slow.known, slow.verified, slow.cases) == (4, 2, 1)
    assert (slow.reached_share, slow.verified_share, slow.case_share) == (0.6, 0.5, 0.25)
    assert (slow.case_share_lo, slow.case_share_hi) == pytest.approx(tuple(beta(1.5, 3.5).ppf([0.05, 0.95])))
    assert table.loc["gap", "raised"] == 0
    assert table.loc["gap"][["case_share", "reached_share"]].isna().all()
    months = yields(shipped(), rows, went, by_month=True)
    assert months[["rule", "month", "raised", "cases"]].to_numpy().tolist() == [
        ["slow", "2026-03", 6, 1],
        ["slow", "2026-04", 1, 0],
    ]


def test_a_rule_that_fell_is_named() -> None:
    """10 cases of 20 before, none of 20 in the last 90 days; the other rule stayed as it was; the third has no past."""
    now = T0 + 200 * DAY
    rows = [closed(i, outcome="case" if i < 10 else "nothing_found") for i in range(20)]
    rows += [closed(i, opened=now - DAY) for i in range(20)]
    rows += [closed(i, "gap", "case" if i < 5 else "false", opened) for opened in (T0, now - DAY) for i in range(10)]
    rows += [closed(i, "dark", "nothing_found", now - DAY) for i in range(10)]
    table = falling(rows, now)
    assert table["rule"].tolist() == ["slow"]
    assert table.iloc[0][["cases_before", "known_before", "cases_recent", "known_recent"]].tolist() == [10, 20, 0, 20]
    assert table.iloc[0].p_fell > 0.9999
    assert len(falling(rows, now + 300 * DAY)) == 0  # nothing recent to tell of


@pytest.mark.parametrize(
    ("p", "before", "recent", "wrong", "found"), [(0.04, 60, 20, 0.01, 0.01), (0.1, 60, 20, 0.05, 0.20)]
)
def test_how_often_falling_is_wrong(p: float, before: int, recent: int, wrong: float, found: float) -> None:
    """Of 4,000 made-up rules each: named though unchanged, and named when the yield fell to a third (docs/warnings.md)."""
    rng = np.random.default_rng(0)
    known = rng.binomial(before, p, 4000)

    def named(share: float) -> float:
        pairs = list(zip(rng.binomial(recent, share, 4000), known, strict=True))
        tells = {pair: below((int(pair[0]), recent), (int(pair[1]), before)) > 0.95 for pair in set(pairs)}
        return float(np.mean([tells[pair] for pair in pairs]))

    assert named(p) == pytest.approx(wrong, abs=0.015)
    assert named(p / 3) == pytest.approx(found, abs=0.03)


@pytest.mark.parametrize(("a", "b"), [((0, 20), (10, 20)), ((1, 10), (4, 10)), ((0, 1), (1, 1)), ((50, 100), (60, 90))])
def test_below_is_the_integral(a: tuple[int, int], b: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    x, y = (rng.beta(k + 0.5, n - k + 0.5, 400_000) for k, n in (a, b))
    assert below(a, b) == pytest.approx(float((x < y).mean()), abs=0.004)
    assert below(a, b) + below(b, a) == pytest.approx(1.0, abs=1e-5)
