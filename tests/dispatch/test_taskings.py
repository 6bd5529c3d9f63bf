"""Taskings: every step, every wrong step, what a track tells, what is counted."""

from __future__ import annotations

import dataclasses
from functools import cache

import pandas as pd
import pytest

from geo_monitor import messages, river
from geo_monitor.dispatch.taskings import (
    OUTCOMES,
    STATES,
    STEPS,
    Result,
    Tasking,
    act,
    by_track,
    counts,
    due,
    no_unit,
    offer,
    overdue,
    recall,
    table,
    tasking_id,
)
from geo_monitor.dispatch.water import Place
from geo_monitor.errors import GeoMonitorError, Refused, Usage
from geo_monitor.settings import Settings
from tests.river.drawing import build, degrees, line

NOW = 1_780_000_000_000  # 2026-05-28 20:26:40 UTC
MIN = 60_000
FOUND = Result("nothing_found", "巡查两遍", None)


def offered() -> Tasking:
    return offer("w1", "boat-1", NOW, NOW + 60 * MIN)


def take(tasking: Tasking, action: str, now: int) -> Tasking:
    """`act` with all that the action asks for."""
    more = {"finish": {"result": FOUND}, "decline": {"why": "主机故障"}}.get(action, {})
    return act(tasking, action, now, "boat-1", **more)


def in_state(state: str) -> Tasking:
    """A tasking brought to a state by its own steps, one a minute."""
    ways = {
        "offered": [],
        "accepted": ["accept"],
        "under_way": ["accept", "depart"],
        "on_scene": ["accept", "depart", "arrive"],
        "done": ["accept", "depart", "arrive", "finish"],
        "declined": ["decline"],
    }
    if state == "no_unit":
        return no_unit("w1", NOW, "无船可派")
    if state == "recalled":
        return recall(offered(), NOW + MIN, "local", "误报")
    tasking = offered()
    for minute, action in enumerate(ways[state], start=1):
        tasking = take(tasking, action, NOW + minute * MIN)
    return tasking


def code(error: pytest.ExceptionInfo[GeoMonitorError]) -> str:
    assert messages.text(error.value.code, "zh", **error.value.params)
    assert str(error.value)
    return error.value.code


def test_an_offer() -> None:
    tasking = offered()
    assert (tasking.state, tasking.made_at, tasking.due_at) == ("offered", NOW, NOW + 60 * MIN)
    assert tasking.open
    assert tasking.tasking_id == offered().tasking_id == tasking_id("w1", "boat-1", NOW)
    others = {tasking_id("w2", "boat-1", NOW), tasking_id("w1", "boat-2", NOW), tasking_id("w1", "boat-1", NOW + 1)}
    assert len(others | {tasking.tasking_id}) == 4
    with pytest.raises(Usage) as error:
        offer("w1", "", NOW, NOW)
    assert code(error) == "tasking_unit_missing"
    with pytest.raises(Refused) as refused:
        offer("w1", "boat-1", NOW, NOW - 1)
    assert code(refused) == "tasking_due_past"


def test_the_whole_way() -> None:
    tasking = in_state("done")
    assert (tasking.accepted_at, tasking.under_way_at, tasking.on_scene_at, tasking.ended_at) == tuple(
        NOW + minute * MIN for minute in (1, 2, 3, 4)
    )
    assert (tasking.result, tasking.text, tasking.report_id) == ("nothing_found", "巡查两遍", None)
    assert (tasking.told_by, tasking.how) == ("boat-1", "hand")
    assert not tasking.open
    assert tasking.last_at == NOW + 4 * MIN


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("action", STEPS)
def test_every_step_and_every_wrong_step(state: str, action: str) -> None:
    tasking, later = in_state(state), NOW + 30 * MIN
    allowed, leads_to = STEPS[action]
    if state in allowed:
        new = take(tasking, action, later)
        assert new.state == leads_to
        assert new.last_at == later
        assert new.tasking_id == tasking.tasking_id
        return
    with pytest.raises(Refused) as error:
        take(tasking, action, later)
    assert code(error) == ("tasking_not_yours" if state == "no_unit" else "tasking_wrong_step")


def test_the_steps_are_these() -> None:
    # written out once more by hand, so that a slip in the table is seen
    assert {(state, action) for action, (states, _) in STEPS.items() for state in states} == {
        ("offered", "accept"), ("offered", "decline"), ("accepted", "decline"), ("under_way", "decline"),
        ("accepted", "depart"), ("accepted", "arrive"), ("under_way", "arrive"), ("on_scene", "finish"),
    }  # fmt: skip


def test_the_due_time_is_reckoned_anew_on_acceptance() -> None:
    settings = Settings()
    assert due(NOW, settings) == NOW + 15 * MIN
    later = act(offered(), "accept", NOW + MIN, "boat-1", due_at=due(NOW + 40 * MIN, settings))
    assert later.due_at == NOW + 55 * MIN
    assert act(offered(), "accept", NOW + MIN, "boat-1").due_at == offered().due_at
    with pytest.raises(Refused) as error:
        act(offered(), "accept", NOW + MIN, "boat-1", due_at=NOW)
    assert code(error) == "tasking_due_past"


def test_only_who_speaks_for_the_unit() -> None:
    for speaks_for in (None, [], ["boat-2"]):
        with pytest.raises(Refused) as error:
            act(offered(), "accept", NOW, "duty officer", speaks_for=speaks_for)
        assert code(error) == "tasking_not_yours"
    told = act(offered(), "accept", NOW, "duty officer", speaks_for=["boat-1", "boat-2"])
    assert told.told_by == "duty officer"
    with pytest.raises(Refused):
        act(offered(), "accept", NOW, "boat-1", speaks_for=["boat-2"])


def test_results_and_reasons_are_asked_for() -> None:
    there = in_state("on_scene")
    with pytest.raises(Refused) as error:
        act(there, "finish", NOW + 9 * MIN, "boat-1")
    assert code(error) == "tasking_result_missing"
    with pytest.raises(Refused) as error:
        act(there, "finish", NOW + 9 * MIN, "boat-1", Result("fun"))
    assert code(error) == "tasking_result_unknown"
    with pytest.raises(Refused) as error:
        act(offered(), "accept", NOW, "boat-1", FOUND)
    assert code(error) == "tasking_result_early"
    for why in (None, "  "):
        with pytest.raises(Refused) as error:
            act(offered(), "decline", NOW, "boat-1", why=why)
        assert code(error) == "tasking_why_missing"
    for outcome in OUTCOMES:
        done = act(there, "finish", NOW + 9 * MIN, "boat-1", Result(outcome, "x", "r-7"))
        assert (done.result, done.report_id) == (outcome, "r-7")
        assert messages.text(f"tasking.outcome.{outcome}", "zh")
    with pytest.raises(Usage) as usage:
        act(there, "vanish", NOW, "boat-1")
    assert code(usage) == "tasking_action_unknown"


def test_time_does_not_run_back() -> None:
    with pytest.raises(Refused) as error:
        act(in_state("accepted"), "depart", NOW + MIN - 1, "boat-1")
    assert code(error) == "tasking_time_back"
    assert act(in_state("accepted"), "depart", NOW + MIN, "boat-1").under_way_at == NOW + MIN


@pytest.mark.parametrize("state", STATES)
def test_what_runs_can_be_called_off(state: str) -> None:
    tasking = in_state(state)
    if not tasking.open:
        with pytest.raises(Refused) as error:
            recall(tasking, NOW + 30 * MIN, "local")
        assert code(error) == "tasking_wrong_step"
        return
    off = recall(tasking, NOW, "local", "误报")  # though the crew's clock is ahead
    assert (off.state, off.text, off.told_by, off.ended_at) == ("recalled", "误报", "local", tasking.last_at)
    assert not off.open and off.unit_id == "boat-1"


def test_nobody_could_be_asked() -> None:
    tasking = no_unit("w1", NOW, " 无船可派 ", "duty officer")
    assert (tasking.state, tasking.unit_id, tasking.result, tasking.text) == ("no_unit", None, "no_unit", "无船可派")
    assert not tasking.open
    with pytest.raises(Refused) as error:
        no_unit("w1", NOW, " ")
    assert code(error) == "tasking_why_missing"


def test_overdue() -> None:
    late = [in_state(state) for state in STATES]
    assert overdue(late, NOW + 60 * MIN) == []  # due at that very moment
    assert [one.state for one in overdue(late, NOW + 60 * MIN + 1)] == ["offered", "accepted", "under_way"]
    sooner = offer("w2", "boat-2", NOW, NOW + MIN)
    assert overdue([*late, sooner], NOW + 61 * MIN)[0] == sooner


# ---- what a track tells ------------------------------------------------------------------------------------------------
@cache
def straight() -> river.Network:
    return build(("长江", line((0, 0), (20_000, 0)), {"mouth": "end", "accuracy_m": 50.0}))


def track(*given: tuple[float, float, float], unit: str = "boat-1") -> pd.DataFrame:
    """(minutes after NOW, x, y)"""
    rows = [(unit, NOW + round(minute * MIN), *degrees([(x, y)])[0]) for minute, x, y in given]
    return pd.DataFrame(rows, columns=["unit_id", "time", "lon", "lat"])


def place(x: float, y: float = 0.0) -> Place:
    return Place.at(straight(), *degrees([(x, y)])[0])


def follow(tasking: Tasking, fixes: pd.DataFrame, where: Place, platform: str = "boat") -> list[tuple[str, float]]:
    steps = by_track(tasking, fixes, where, straight(), Settings(), platform)
    assert all((one.how, one.told_by) == ("track", "boat-1") for one in steps)
    return [(one.state, (one.last_at - NOW) / MIN) for one in steps]


def test_under_way_and_on_the_scene_by_track() -> None:
    # accepted at minute 1, 5 km away; away from the place, 150 m toward it, 250 m, then there
    fixes = track((0.5, 5_000, 0), (2, 4_900, 0), (3, 5_150, 0), (4, 5_250, 0), (9, 9_650, 0), (10, 9_750, 0))
    assert follow(in_state("accepted"), fixes, place(10_000)) == [("under_way", 4), ("on_scene", 10)]
    assert follow(in_state("accepted"), fixes[:4], place(10_000)) == [("under_way", 4)]
    assert follow(in_state("accepted"), fixes[:3], place(10_000)) == []
    assert follow(in_state("under_way"), fixes, place(10_000)) == [("on_scene", 10)]
    # where it was an hour before says nothing
    assert follow(in_state("accepted"), track((-60, 0, 0), (2, 5_000, 0), (3, 5_150, 0)), place(10_000)) == []
    # order and other units do not matter; times may be timestamps
    other = track((2, 9_900, 0), unit="boat-2")
    mixed = pd.concat([fixes[::-1], other]).reset_index(drop=True)
    mixed["time"] = pd.to_datetime(mixed["time"], unit="ms", utc=True)
    assert follow(in_state("accepted"), mixed, place(10_000)) == [("under_way", 4), ("on_scene", 10)]


def test_states_that_a_track_does_not_move() -> None:
    fixes = track((0.5, 5_000, 0), (40, 9_900, 0))
    for state in set(STATES) - {"accepted", "under_way"}:
        assert follow(in_state(state), fixes, place(10_000)) == []
    assert follow(in_state("accepted"), fixes[:0], place(10_000)) == []
    # there before it accepted says nothing of coming
    assert follow(in_state("accepted"), track((0.5, 9_900, 0)), place(10_000)) == []


def test_a_unit_that_is_there_already_arrives_at_its_next_fix() -> None:
    assert follow(in_state("accepted"), track((0.5, 9_900, 0), (2, 9_950, 0)), place(10_000)) == [("on_scene", 2)]


def test_toward_is_along_the_water() -> None:
    # round a bend of 12 km; 400 m across the neck is not on the scene, and nearer in a straight line is not toward
    network = build(
        ("长江", line((0, 200), (6_000, 200), (6_000, -200), (0, -200), step=100), {"mouth": "end", "accuracy_m": 20.0})
    )
    where = Place.at(network, *degrees([(10, 200)])[0])
    settings = dataclasses.replace(Settings(), dispatch_there_m=450.0)
    back = track((0.5, 1_000, -200), (2, 500, -200), (3, 10, -200))
    assert by_track(in_state("accepted"), back, where, network, settings) == []
    round_it = track((0.5, 1_000, -200), (2, 1_300, -200), (20, 300, 200))
    states = [one.state for one in by_track(in_state("accepted"), round_it, where, network, settings)]
    assert states == ["under_way", "on_scene"]


def test_a_car_is_measured_straight_and_a_place_by_km_within_the_tolerance() -> None:
    fixes = track((0.5, 5_000, 3_000), (2, 9_000, 1_000), (3, 10_000, 280))
    assert follow(in_state("accepted"), fixes, place(10_000), "vehicle") == [("under_way", 2), ("on_scene", 3)]
    reach = int(straight().reaches["km_from"].sub(10.0).abs().idxmin())
    by_km = Place.on(straight(), reach, 10.0)
    # 340 m by water is too far; 280 m is near enough though 90 m off the line
    assert follow(in_state("under_way"), track((3, 9_660, 0)), by_km) == []
    assert follow(in_state("under_way"), track((3, 9_720, 90)), by_km) == [("on_scene", 3)]


# ---- frames ------------------------------------------------------------------------------------------------------------
def test_the_table() -> None:
    frame = table([in_state("done"), no_unit("w1", NOW, "x")])
    assert frame.columns[:6].tolist() == ["tasking_id", "warning_id", "unit_id", "state", "made_at", "due_at"]
    assert frame.loc[0, "accepted_at"] == pd.Timestamp(NOW + MIN, unit="ms", tz="UTC")
    assert pd.isna(frame.loc[1, "due_at"])
    assert len(table([])) == 0


def test_counts_by_locality_and_month() -> None:
    # Shanghai is 8 h ahead: 2026-05-31 16:00 UTC is June
    june = int(pd.Timestamp("2026-05-31T16:00Z").value // 1_000_000)
    quick = act(offer("w1", "a", NOW, NOW + MIN), "accept", NOW + 2 * MIN, "a")
    slow = act(offer("w2", "b", NOW, NOW + MIN), "accept", NOW + 6 * MIN, "b")
    slow = act(slow, "arrive", NOW + 30 * MIN, "b")
    slow = act(slow, "finish", NOW + 40 * MIN, "b", Result("case", None, "r1"))
    gave_up = act(quick, "decline", NOW + 9 * MIN, "a", why="大雾")
    every = [
        gave_up, slow, offer("w1", "c", NOW, NOW), no_unit("w1", NOW, "无船"), offer("w1", "a", june, june),
        offer("elsewhere", "d", june, june),
    ]  # fmt: skip
    found = counts(every, {"w1": "420500", "w2": "420500"}).set_index(["adcode", "month"])
    assert found.index.tolist() == [("", "2026-06"), ("420500", "2026-05"), ("420500", "2026-06")]
    may = found.loc[("420500", "2026-05")]
    assert may[["offers", "accepted", "declined", "no_unit", "on_scene", "done"]].tolist() == [3, 2, 1, 1, 1, 1]
    assert may[["outcome_case", "outcome_false"]].tolist() == [1, 0]
    assert (may["accept_min"], may["arrive_min"]) == (4, 30)
    assert pd.isna(found.loc[("420500", "2026-06"), "accept_min"])
    assert counts(every)["offers"].sum() == 5
    assert len(counts([])) == 0


def test_every_state_and_action_has_its_words() -> None:
    for name in STATES:
        assert messages.text(f"tasking.state.{name}", "zh")
    for name in STEPS:
        assert messages.text(f"tasking.action.{name}", "en")
    for name in ("hand", "track"):
        assert messages.text(f"tasking.how.{name}", "zh")
