"""A rule on stored history: how many a day, where, what it would have caught, what chance would have."""

from __future__ import annotations

import pytest

from geo_monitor.alerts import rules
from geo_monitor.alerts.backtest import Backtest, backtest
from geo_monitor.errors import Refused, Usage
from tests.alerts.made import DAY, HOUR, MINUTE, T0, context, event

RULE = rules.propose("rule: slow\nkind: slow\nclass: gear", "li", T0)
PERIOD = (T0, T0 + 10 * DAY)


def test_by_hand() -> None:
    """Two situations: r10 on day 0 (two events), r22 on a border on day 5 (two warnings). Of four cases one is at r15,
    2.5 km off and 5 h after; one 7 h after; one before; one at r60, 19 km off."""
    events = [
        event("a"),
        event("b", start=T0 + HOUR),
        event("c", start=T0 + 5 * DAY, reach="r22"),
        event("d", "gap"),  # another rule's
        event("e", start=T0 - HOUR),  # before
        event("f", start=T0 + DAY, state="withdrawn"),
    ]
    cases = [
        {"time": T0 + 5 * HOUR, "reach_id": "r15"},
        {"time": T0 + 7 * HOUR, "reach_id": "r15"},
        {"time": T0 + 5 * DAY - 1, "reach_id": "r22"},
        {"time": T0 + 5 * DAY + HOUR, "reach_id": "r60"},
        {"time": T0 + 11 * DAY, "reach_id": "r10"},  # outside of the period
    ]
    found = backtest(RULE, events, cases, PERIOD, context(), boat_days=40)
    assert (found.events, found.situations, found.warnings, found.days) == (3, 2, 3, 10.0)
    assert (found.per_day, found.worst_day) == (0.3, 2)
    assert found.places == (("r10", 1), ("r22", 1))
    assert (found.cases, found.caught, found.share) == (4, 1, 0.25)
    assert found.boat_days_share == 3 / 40
    # within 5 km of r15 and of r22 lie r10 (6 h) and r22 (6 h): 12 of 240 h or 6; r15: both (2.5 and 3.5 km);
    # r22: r22 alone (r10 is 6 km off); r60: none. By chance 2 x 12/240 + 6/240
    assert found.by_chance == pytest.approx((12 + 12 + 6) / 240)
    found.check()
    assert Backtest.from_told(found.told()) == found


def test_of_less_than_a_day_no_day_is_made_that_nobody_saw() -> None:
    """Three warnings of an hour are three a day, not 72."""
    events = [event(name, start=T0 + i, unit_ids=(name,), reach=f"r{20 * i + 10}") for i, name in enumerate("abc")]
    found = backtest(RULE, events, [], (T0, T0 + HOUR), context())
    assert (found.situations, found.per_day) == (3, float(found.warnings)) and found.worst_day == found.warnings


def test_alarms_that_overlap_cover_their_time_once() -> None:
    events = [event(name, start=T0 + i * 4 * HOUR) for i, name in enumerate("abc")]  # 4 h apart: three situations
    found = backtest(RULE, events, [{"time": T0 + DAY, "reach_id": "r10"}], PERIOD, context())
    assert found.situations == 3
    assert found.by_chance == pytest.approx((4 + 4 + 6) / 240)


def test_a_zone_stands_for_a_place_off_the_network() -> None:
    events = [event("a", reach=None, zone_id="z")]
    cases = [{"time": T0 + HOUR, "reach_id": None, "zone_ids": ("y", "z")}, {"time": T0 + HOUR, "reach_id": "r1"}]
    assert backtest(RULE, events, cases, PERIOD, context()).caught == 1


def test_nothing_and_everything_are_refused() -> None:
    with pytest.raises(Refused) as error:
        backtest(RULE, [], [], PERIOD, context()).check()
    assert error.value.code == "rule_raises_nothing"
    events = [event(f"e{i}", start=T0 + i * DAY, unit_ids=("x",)) for i in range(5)]
    with pytest.raises(Refused) as error:
        backtest(RULE, events, [], PERIOD, context(), boat_days=10).check()
    assert error.value.code == "rule_raises_everything"
    backtest(RULE, events, [], PERIOD, context(), boat_days=11).check()
    backtest(RULE, events, [], PERIOD, context(), boat_days=9).check()  # who would call nine boat days traffic?
    with pytest.raises(Usage):
        backtest(RULE, [], [], (T0, T0), context())


def test_without_cases_no_share_is_claimed() -> None:
    found = backtest(RULE, [event("a")], [], PERIOD, context())
    assert (found.share, found.share_lo, found.by_chance) == (None, None, 0.0)


def test_days_are_those_of_the_shanghai_clock() -> None:
    """22:00, 23:50 and 01:30 at far places: two on one day."""
    starts = [T0, T0 + 110 * MINUTE, T0 + 210 * MINUTE]
    events = [event(f"e{i}", start=start, reach=f"r{60 + 10 * i}") for i, start in enumerate(starts)]
    assert backtest(RULE, events, [], PERIOD, context()).worst_day == 2
