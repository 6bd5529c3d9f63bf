"""Events become warnings: one for one situation and locality."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor.alerts import actions
from geo_monitor.alerts.context import Place, quiets
from geo_monitor.alerts.fresh import by_hand, warning_id
from geo_monitor.alerts.grade import Book
from geo_monitor.alerts.rows import told
from geo_monitor.alerts.warnings import raise_
from geo_monitor.errors import Refused, Usage
from geo_monitor.events.event import Event
from tests.alerts.made import DAY, HOUR, LEFT, MINUTE, RIGHT, RULES, T0, context, event, kept

NOW = T0 + 15 * MINUTE


def raised(events: list[Any], held: list[dict[str, Any]] | None = None, now: int = NOW, **places: Place) -> list[dict]:
    return raise_(events, RULES, held or [], context(**places), now).rows


def test_one_event_one_warning_with_its_clock() -> None:
    (row,) = raised([event("a")])
    assert row["warning_id"] == warning_id("gear", "a", LEFT)
    assert (row["class"], row["grade"], row["level"], row["adcode"]) == ("gear", "blue", "county", LEFT)
    assert (row["opened_at"], row["sign_by"], row["state"]) == (NOW, NOW + DAY, "open")
    assert row["probability"] == pytest.approx(1 / 26)
    assert row["event_ids"] == ("a",)
    assert "revision" not in row


def test_an_event_fresh_from_a_detector() -> None:
    fresh = Event("slow", "slow", 1, ("b",), None, T0, None, "r3", 112.0, 30.0)
    (row,) = raised([fresh])
    assert row["event_ids"] == (fresh.event_id,)
    assert told(row)["events"][0]["to"] is None


def test_near_in_place_and_time_joins() -> None:
    first = kept([], raised([event("a")]))
    near = event("b", start=T0 + HOUR, reach="r14")  # 2,000 m: exactly the limit
    (row,) = raised([near], first, T0 + 2 * HOUR)
    assert row["event_ids"] == ("a", "b")
    assert row["warning_id"] == first[0]["warning_id"]
    assert row["revision"] == 1  # the one it was judged on
    far = event("c", start=T0 + HOUR, reach="r15")
    (other,) = raised([far], first, T0 + 2 * HOUR)
    assert other["event_ids"] == ("c",)


@pytest.mark.parametrize(("hours", "joins"), [(3, True), (3.001, False)])
def test_time_counts_from_the_end_of_what_is_held(hours: float, joins: bool) -> None:
    first = kept([], raised([event("a")]))
    start = T0 + 10 * MINUTE + round(hours * HOUR)
    (row,) = raised([event("b", start=start)], first, start + MINUTE)
    assert (row["event_ids"] == ("a", "b")) is joins


def test_a_boat_carries_its_situation_along() -> None:
    first = kept([], raised([event("a", unit_ids=("x",))]))
    (row,) = raised([event("b", start=T0 + HOUR, reach="r0", unit_ids=("x", "y"))], first, T0 + 2 * HOUR)
    assert row["event_ids"] == ("a", "b")


def test_another_class_is_another_warning() -> None:
    rows = raised([event("a"), event("b", "zone_entry")])
    assert sorted(row["class"] for row in rows) == ["gear", "zone"]


def test_a_place_does_not_creep_along_the_river() -> None:
    """r10, r14, r18: each 2 km from the last, but the third is 4 km from where the situation lies."""
    rows = raised([event("a"), event("b", start=T0 + 1, reach="r14"), event("c", start=T0 + 2, reach="r18")])
    assert sorted(row["event_ids"] for row in rows) == [("a", "b"), ("c",)]


def test_a_closed_warning_takes_nothing_more() -> None:
    (held,) = kept([], raised([event("a")]))
    over = actions.recall(held, "li", NOW + MINUTE, "练习")
    (row,) = raised([event("b", start=T0 + HOUR)], [over], T0 + 2 * HOUR)
    assert row["event_ids"] == ("b",)


def test_nobody_known_on_the_banks() -> None:
    (row,) = raised([event("a", reach="r90")])
    assert (row["adcode"], row["level"]) == (None, "county")
    (row,) = raised([event("a", reach=None, adcodes=("421000",))])
    assert (row["adcode"], row["level"]) == ("421000", "city")


def test_off_the_network_only_zone_or_boat_join() -> None:
    events = [
        event(name, "zone_entry", reach=None, zone_id=zone) for name, zone in (("a", "z"), ("b", "z"), ("c", "y"))
    ]
    assert sorted(row["event_ids"] for row in raised(events)) == [("a", "b"), ("c",)]
    assert len(raised([event("a", reach=None), event("b", reach=None)])) == 2


def test_on_a_border_both_are_told_and_know_of_each_other() -> None:
    rows = raised([event("a", reach="r22")])
    assert sorted(row["adcode"] for row in rows) == [LEFT, RIGHT]
    one, two = rows
    assert told(one)["with"] == [two["warning_id"]]
    assert told(two)["with"] == [one["warning_id"]]
    assert {row["class"] for row in rows} == {"gear"}


def test_boats_that_cross_raise_it_on_the_other_side_as_border() -> None:
    first = kept([], raised([event("a", unit_ids=("x",))]))
    rows = kept(first, raised([event("b", "gap", start=T0 + HOUR, reach="r35", unit_ids=("x",))], first, T0 + 2 * HOUR))
    here, there = sorted(rows, key=lambda row: row["adcode"])
    assert (here["class"], here["adcode"], here["event_ids"]) == ("gear", LEFT, ("a", "b"))
    assert (there["class"], there["adcode"], there["event_ids"]) == ("border", RIGHT, ("a", "b"))
    assert told(here)["with"] == [there["warning_id"]]
    assert told(here)["situation"] == told(there)["situation"]
    assert there["rule"] == "slow"
    later = raised([event("c", start=T0 + 2 * HOUR, reach="r36", unit_ids=("x",))], rows, T0 + 3 * HOUR)
    assert [row["event_ids"] for row in later] == [("a", "b", "c")] * 2


def test_a_half_that_was_closed_is_raised_anew_when_boats_come_back() -> None:
    rows = kept([], raised([event("a", reach="r22", unit_ids=("x",))]))
    left, right = sorted(rows, key=lambda row: row["adcode"])
    left = actions.recall(left, "li", NOW, "已查")
    found = raised([event("b", start=T0 + HOUR, reach="r5", unit_ids=("x",))], [left, right], T0 + 2 * HOUR)
    assert {(row["adcode"], row["event_ids"]) for row in found} == {(LEFT, ("a", "b")), (RIGHT, ("a", "b"))}
    assert left["warning_id"] not in {row["warning_id"] for row in found}


def test_a_watched_place_is_reemergence_but_not_for_leads() -> None:
    watched = Place((LEFT,), watched=True)
    assert raised([event("a", reach="w1")], w1=watched)[0]["class"] == "reemergence"
    assert raised([event("a", reach="w1")], w1=watched)[0]["harm"] == 1.5
    assert raised([event("a", "avoids", reach="w1")], w1=watched)[0]["class"] == "tip"
    assert raised([event("a", "overdue", reach="w1")], w1=watched)[0]["class"] == "coverage"


def test_an_overdue_patrol_is_orange_however_seldom_a_case_comes_of_it() -> None:
    (row,) = raise_([event("a", "overdue")], RULES, [], context(Book({"overdue": (0, 500)})), NOW).rows
    assert (row["class"], row["grade"], row["sign_by"]) == ("coverage", "orange", NOW + 30 * MINUTE)


def test_a_hot_reach_and_more_signs_raise_the_grade_and_shorten_the_clock() -> None:
    hot = Place((LEFT,), state="hot", rr=9.0)
    (row,) = raised([event("a", "meeting", reach="w1")], w1=hot)
    # odds 1/25 x 3 = 0.12: p = 0.12 / 1.12 = 0.107, x harm 2 = 0.214: orange
    assert row["probability"] == pytest.approx(0.12 / 1.12)
    assert row["grade"] == "orange"
    held = kept([], [row])
    assert row["sign_by"] == NOW + 30 * MINUTE
    now = NOW + 20 * MINUTE
    (row,) = raised([event("b", "loiter", reach="w1", start=T0 + MINUTE)], held, now, w1=hot)
    # a second kind doubles the odds: 0.24 / 1.24 = 0.194, x 2 = 0.387: red
    assert (row["grade"], row["probability"]) == ("red", pytest.approx(0.24 / 1.24))
    assert row["sign_by"] == NOW + 30 * MINUTE  # 15 min from now would be later
    assert row["reason"] == "@alerts.reason_graver"


def test_a_graver_grade_shortens_a_long_clock() -> None:
    (held,) = kept([], raised([event("a")]))
    book = Book({"slow": (20, 20)})
    found = raise_([event("b", start=T0 + HOUR)], RULES, [held], context(book), T0 + 2 * HOUR).rows
    assert (found[0]["grade"], found[0]["sign_by"]) == ("red", T0 + 2 * HOUR + 15 * MINUTE)


def test_a_grade_is_never_lowered_and_a_persons_grade_stands() -> None:
    (held,) = kept([], raised([event("a", "meeting")]))
    assert held["grade"] == "yellow"
    low = Book({"meeting": (0, 100)})
    (row,) = raise_([event("b", "meeting", start=T0 + 1)], RULES, [held], context(low), NOW).rows
    assert (row["grade"], row["probability"]) == ("yellow", held["probability"])
    lowered = actions.regrade(held, "li", NOW, "blue", "常见接驳点")
    (row,) = raised([event("b", "loiter", start=T0 + 1)], [lowered])
    assert row["probability"] > held["probability"]  # 2 x the odds is still yellow: no cut-off crossed
    assert row["grade"] == "blue"


def test_a_withdrawn_event_recalls_what_stands_on_it_alone() -> None:
    (held,) = kept([], raised([event("a")]))
    gone = event("a", state="withdrawn", revision=2, reason="late fixes")
    (row,) = raised([gone], [held], NOW + MINUTE)
    assert (row["state"], row["reason"]) == ("recalled", "@alerts.reason_fallen")
    assert told(row)["events"][0]["why"] == "late fixes"
    assert row["event_ids"] == ("a",)
    again = event("a", revision=3)
    (back,) = raised([again], kept([held], [row]), NOW + HOUR)
    assert (back["state"], back["sign_by"]) == ("open", NOW + HOUR + DAY)
    assert "fallen" not in told(back)


def test_a_signed_one_is_marked_and_one_recalled_by_hand_stays() -> None:
    (held,) = kept([], raised([event("a")]))
    signed = actions.sign(held, "li", NOW)
    (row,) = raised([event("a", state="withdrawn", revision=2)], [signed], NOW + MINUTE)
    assert (row["state"], told(row)["fallen"]) == ("signed", NOW + MINUTE)
    taken = actions.recall(held, "li", NOW, "误报")
    (row,) = raised([event("a", state="withdrawn", revision=2)], [taken], NOW + MINUTE)
    (row,) = raised([event("a", revision=3)], [row], NOW + 2 * MINUTE)
    assert row["state"] == "recalled"


def test_a_moved_start_keeps_the_warning() -> None:
    """Late data withdraw the old id and give the event a new one: the new one joins before the old one goes."""
    (held,) = kept([], raised([event("a", unit_ids=("x",))]))
    events = [event("a", state="withdrawn", revision=2, unit_ids=("x",)), event("b", start=T0 - HOUR, unit_ids=("x",))]
    (row,) = raised(events, [held])
    assert (row["state"], row["event_ids"], row["warning_id"]) == ("open", ("b",), held["warning_id"])


def test_an_end_is_noted_and_no_news_is_no_revision() -> None:
    going = event("a", state="open", ended_at=None)
    (held,) = kept([], raised([going]))
    assert raised([going], [held], NOW + MINUTE) == []
    (row,) = raised([event("a", revision=2)], [held], NOW + MINUTE)
    assert told(row)["events"][0]["to"] == T0 + 10 * MINUTE


def test_rules_out_of_force_raise_nothing_and_keep_up_what_stands() -> None:
    assert raise_([event("a")], [], [], context(), NOW).rows == []
    (held,) = kept([], raised([event("a")]))
    gone = event("a", state="withdrawn", revision=2)
    assert raise_([gone], [], [held], context(), NOW).rows[0]["state"] == "recalled"
    assert raised([gone]) == []


@pytest.mark.parametrize(("hours", "late"), [(6.0, None), (6.5, 6.5)])
def test_told_late(hours: float, late: float | None) -> None:
    (row,) = raised([event("a")], now=T0 + round(hours * HOUR))
    assert told(row).get("late_h") == late
    assert (row["reason"] == "@alerts.reason_late") is (late is not None)


def test_a_quiet_period_counts_and_does_not_raise() -> None:
    (held,) = kept([], raised([event("a")]))
    silent = actions.silence(held, "li", NOW, NOW + DAY, "航道疏浚")
    assert silent["state"] == "recalled"
    ctx = replace(context(), quiets=quiets([silent]))
    events = [
        event("b", start=NOW + HOUR, reach="r14"),  # 2,000 m: within
        event("c", start=NOW + HOUR, reach="r15"),  # not
        event("d", "meeting", start=NOW + HOUR),  # another class
        event("e", start=NOW + DAY),  # over by then
    ]
    found = raise_(events, RULES, [silent], ctx, NOW + DAY + HOUR)
    assert found.quieted == (("b", silent["warning_id"]),)
    assert sorted(row["event_ids"] for row in found.rows) == [("a",), ("c",), ("d",), ("e",)]
    counted = next(row for row in found.rows if row["warning_id"] == silent["warning_id"])
    assert told(counted)["quiet"]["event_ids"] == ["b"]
    again = raise_(events[:1], RULES, [counted], replace(context(), quiets=quiets([counted])), NOW + DAY + HOUR)
    assert (again.rows, again.quieted) == ([], (("b", silent["warning_id"]),))


def test_a_quiet_zone() -> None:
    (held,) = kept([], raised([event("a", "zone_entry", reach=None, zone_id="z")]))
    with pytest.raises(Refused) as error:
        actions.silence(held, "li", NOW, NOW + DAY, "科研调查")
    assert error.value.code == "warning_quiet_nowhere"
    silent = actions.silence(held, "li", NOW, NOW + DAY, "科研调查", zone_id="z")
    ctx = replace(context(), quiets=quiets([silent]))
    inside = event("b", "zone_entry", start=NOW, zone_id="z")
    assert raise_([inside], RULES, [silent], ctx, NOW).raised == ()


def test_by_hand() -> None:
    one, two = by_hand("tip", "orange", " 群众举报夜间电鱼 ", "r22", context(), "wang", NOW)
    assert {one["adcode"], two["adcode"]} == {LEFT, RIGHT}
    assert told(one)["with"] == [two["warning_id"]]
    assert (one["probability"], one["rule"], one["sign_by"]) == (None, None, NOW + 30 * MINUTE)
    assert raised([event("a", "avoids", reach="r22")], [one, two])[0]["event_ids"] == ("a",)  # has no events to join
    with pytest.raises(Refused):
        by_hand("tip", "red", " ", "r1", context(), "wang", NOW)
    with pytest.raises(Usage):
        by_hand("rumour", "red", "x", "r1", context(), "wang", NOW)
    with pytest.raises(Usage):
        by_hand("tip", "pink", "x", "r1", context(), "wang", NOW)


EVENTS = st.lists(
    st.builds(
        lambda kind, minutes, reach, unit: (kind, minutes, reach, unit),
        st.sampled_from(["slow", "gap", "meeting", "zone_entry"]),
        st.integers(0, 1000),
        st.integers(0, 45),
        st.sampled_from("uvwxyz"),
    ),
    max_size=12,
)


def made(parts: list[tuple[str, int, int, str]]) -> list[dict[str, Any]]:
    return [
        event(f"e{i}", kind, T0 + minutes * MINUTE, f"r{reach}", unit_ids=(unit,))
        for i, (kind, minutes, reach, unit) in enumerate(parts)
    ]


@given(EVENTS, st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_the_order_of_the_input_does_not_matter(parts: list[tuple[str, int, int, str]], random: Any) -> None:
    events = made(parts)
    shuffled = events.copy()
    random.shuffle(shuffled)
    assert raised(events, now=T0 + DAY) == raised(shuffled, now=T0 + DAY)


@given(EVENTS)
@settings(max_examples=80, deadline=None)
def test_told_one_by_one_in_time_makes_the_same_situations(parts: list[tuple[str, int, int, str]]) -> None:
    """As long as nobody closes one: same warnings, same events in each."""
    events = sorted(made(parts), key=lambda one: (one["started_at"], one["event_id"]))
    held: list[dict[str, Any]] = []
    for one in events:
        held = kept(held, raised([one], held, T0 + DAY))
    whole = raised(events, now=T0 + DAY)
    assert {row["warning_id"]: row["event_ids"] for row in held} == {
        row["warning_id"]: row["event_ids"] for row in whole
    }


@given(EVENTS)
@settings(max_examples=60, deadline=None)
def test_every_event_stands_in_one_situation_and_every_locality_is_told(parts: list[tuple[str, int, int, str]]) -> None:
    events = made(parts)
    rows = raised(events, now=T0 + DAY)
    where: dict[str, set[str]] = {}
    for row in rows:
        json.loads(row["evidence"])
        for id_ in row["event_ids"]:
            where.setdefault(id_, set()).add(told(row)["situation"])
    assert {id_: len(keys) for id_, keys in where.items()} == {one["event_id"]: 1 for one in events}
    ctx = context()
    for one in events:
        told_to = {row["adcode"] for row in rows if one["event_id"] in row["event_ids"]}
        assert set(ctx.place(one["reach_id"]).adcodes) <= told_to
    assert raised(events, kept([], rows), T0 + DAY) == []  # once more: nothing new


def test_ids_differ_by_each_of_their_parts() -> None:
    ids = [warning_id(*parts) for parts in (("a", "b", "c"), ("a", "b", "d"), ("a", "x", "c"), ("y", "b", "c"))]
    assert all(one != two for one, two in pairwise(sorted(ids)))
