"""Clocks: sign by, escalate, report by; the same whatever the program did in between."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor.alerts import actions, clocks
from geo_monitor.alerts.fresh import by_hand
from geo_monitor.alerts.rows import told
from geo_monitor.settings import Settings
from tests.alerts.made import DAY, HOUR, LEFT, MINUTE, at, context, kept

FAST = Settings(alerts_sign_blue_s=7200.0, alerts_report_blue_s=10_800.0)


def fresh(grade: str = "red", now: int = 0, adcode: str = LEFT) -> dict[str, Any]:
    (row,) = by_hand("gear", grade, "x", None, context(), "li", now, [adcode])
    return kept([], [row])[0]


def ticked(row: dict[str, Any], moments: list[int]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    rows, history = [row], []
    for moment in moments:
        due = clocks.tick(rows, moment, FAST)
        history += due
        rows = kept(rows, due)
    return rows[0], history


def test_an_unsigned_red_warning_across_midnight_and_a_restart() -> None:
    """Opened 23:50; the program sleeps from 23:55 to 00:30."""
    row = fresh("red", at("2026-03-01 23:50"))
    same, history = ticked(row, [at("2026-03-01 23:55"), at("2026-03-02 00:30")])
    assert [(one["level"], one["escalated_at"]) for one in history] == [
        ("city", at("2026-03-02 00:05")),
        ("province", at("2026-03-02 00:20")),
    ]
    assert same["sign_by"] == at("2026-03-02 00:35")
    assert told(same)["escalations"] == [
        ["city", "421000", at("2026-03-02 00:05")],
        ["province", "420000", at("2026-03-02 00:20")],
    ]
    last, history = ticked(same, [at("2026-03-05 00:00")])
    assert [(one["level"], told(one)["overdue_at"]) for one in history] == [("province", at("2026-03-02 00:35"))]
    assert clocks.tick([last], at("2026-04-01 00:00")) == []
    assert last["escalated_at"] == at("2026-03-02 00:20")


def test_the_moment_itself_is_due() -> None:
    row = fresh("red")
    assert clocks.tick([row], 15 * MINUTE - 1) == []
    assert clocks.tick([row], 15 * MINUTE)[0]["level"] == "city"


@pytest.mark.parametrize(
    ("adcode", "levels"),
    [
        ("421022", ["city", "province"]),
        ("421000", ["province"]),
        ("420000", []),
        ("429004", ["province"]),  # Xiantao answers to the province itself
        ("500101", ["province"]),  # Wanzhou, Chongqing
    ],
)
def test_levels_above(adcode: str, levels: list[str]) -> None:
    _, history = ticked(fresh("red", 0, adcode), [DAY])
    assert [row["level"] for row in history if "overdue_at" not in told(row)] == levels
    assert "overdue_at" in told(history[-1])


def test_a_report_that_does_not_come_is_told_once() -> None:
    row = actions.sign(fresh("red"), "li", 5 * MINUTE)
    assert row["report_by"] == 5 * MINUTE + 4 * HOUR
    (late,) = clocks.tick([row], DAY)
    assert told(late)["report_overdue_at"] == row["report_by"]
    assert (late["state"], late["level"]) == ("signed", "county")
    assert clocks.tick([late], 2 * DAY) == []


def test_next_due() -> None:
    red, blue = fresh("red"), fresh("blue")
    assert clocks.next_due([blue, red]) == 15 * MINUTE
    over = actions.recall(red, "li", 1, "x")
    assert clocks.next_due([over]) is None
    assert clocks.next_due([actions.sign(red, "li", 1)]) == 1 + 4 * HOUR


GRADES = st.sampled_from(["red", "orange", "yellow", "blue"])
ADCODES = st.sampled_from(["421022", "421000", "420000", "429004", "310101"])


@given(GRADES, ADCODES, st.integers(0, DAY), st.integers(1, 600))
@settings(max_examples=60, deadline=None)
def test_every_minute_is_one_jump(grade: str, adcode: str, opened: int, minutes: int) -> None:
    row = fresh(grade, opened, adcode)
    end = opened + minutes * MINUTE
    every, slow = ticked(row, [*range(opened, end, MINUTE), end])
    once, quick = ticked(row, [end])
    assert every == once
    assert slow == quick


@given(GRADES, st.lists(st.integers(0, 12 * HOUR), max_size=8), st.integers(0, 12 * HOUR))
@settings(max_examples=60, deadline=None)
def test_an_action_finds_the_same_row_whether_anybody_ticked_or_not(
    grade: str, moments: list[int], signed: int
) -> None:
    row = fresh(grade)
    before, _ = ticked(row, sorted(moment for moment in moments if moment <= signed))
    with_ticks = actions.sign(before, "li", signed, settings=FAST)
    without = actions.sign(row, "li", signed, settings=FAST)
    later = signed + DAY
    one, two = clocks.up_to(with_ticks, later, FAST), clocks.up_to(without, later, FAST)
    assert {**one, "revision": 0} == {**two, "revision": 0}
