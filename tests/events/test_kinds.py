"""Every kind of event on tracks made by hand, and its near misses. Numbers in the comments are worked out by hand.

A trailing window of 180 s: a boat that sets off at 1 m/s is slow (from 0.2 knots, 0.1029 m/s: 18.52 m in the window) from
the 19th second on, and up to 161 s after it stops.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from geo_monitor.errors import GeoMonitorError, Refused
from geo_monitor.events.detect import Detection
from geo_monitor.events.fixes import Fixes
from geo_monitor.events.rule import Rule
from geo_monitor.settings import Settings
from tests.events.made import LEVELS, SET, T0, fixes, found, rule, steps, times, track, water, zones

# --- slow -------------------------------------------------------------------------------------------------------------


def netting(seconds: float) -> Fixes:
    return track("a", range(0, 1800), steps((300, 0), (seconds, 1.0)))


def test_slow_for_ten_minutes() -> None:
    # slow from 319 s to 300 + 458 + 161 = 919 s
    assert times(found(netting(458), rule("slow"))) == [(319, 919)]
    assert found(netting(457), rule("slow")) == []  # 9 min 59 s


def test_what_a_slow_run_tells() -> None:
    (event,) = found(netting(800), rule("slow"))
    assert (event.kind, event.unit_ids, event.zone_id) == ("slow", ("a",), None)
    assert event.reach_id == "长江K0019.500"  # 19 m east of x = 0, km 20
    assert event.evidence["current"] == "not known"
    assert event.evidence["minutes"] == pytest.approx((300 + 800 + 161 - 319) / 60, abs=1e-3)
    assert event.evidence["speed_mps"]["most"] == 1.0
    made = event.evidence["fixes"]
    assert (made["number"], made["first"], made["last"]) == (601, T0 + 319_000, T0 + 919_000)
    assert 10 <= len(made["some"]) <= 20
    assert made["some"][0][:2] == ["a", T0 + 319_000]


@pytest.mark.parametrize(("rest", "count"), [(261, 1), (262, 2), (263, 2)])
def test_a_break_under_two_minutes_does_not_end_it(rest: int, count: int) -> None:
    # slow up to 161 s after the stop, again 19 s after setting off: a break of rest - 142 s: 1:59, 2:00, 2:01
    run = track("a", range(0, 3000), steps((300, 0), (700, 1.0), (rest, 0), (700, 1.0)))
    assert len(found(run, rule("slow"))) == count


def test_slow_is_on_the_water_and_never_of_patrols() -> None:
    run = netting(800)
    assert found(run, rule("slow"), dry=True) == []
    assert found(track("a", range(0, 1800), steps((300, 0), (800, 1.0)), 3000.0), rule("slow")) == []
    assert found(track("a", range(0, 1800), steps((300, 0), (800, 1.0)), patrol=True), rule("slow")) == []
    assert (
        found(track("a", range(0, 1800), steps((300, 0), (800, 1.4))), rule("slow", values={"slow_high_kn": 2.0})) == []
    )


def test_a_stated_current_is_taken_off() -> None:
    half, whole = (rule("slow", values={"current_mps": current}) for current in (0.5, 1.0))
    down = netting(1200)  # eastwards, to the mouth: 0.5 m/s of its own, or none: it drifts
    (event,) = found(down, half)
    assert event.evidence["current"] == "stated"
    assert found(down, whole) == []
    assert found(track("a", range(0, 2000), steps((300, 0), (1200, -1.0))), half) == []  # up: 1.5 m/s, 2.9 knots
    assert found(track("a", range(0, 2000), 0.0), whole) == []  # at anchor


def test_slow_across_midnight_is_one() -> None:
    run = track("a", range(6000, 9000, 10), steps((6300, 0), (1800, 1.0)))  # 24:00 in Shanghai is at 7200 s
    assert len(found(run, rule("slow"))) == 1


# --- meeting ----------------------------------------------------------------------------------------------------------


def pair(apart: float, leave: int, at: tuple[float, float] = (0, 0), begin: int = 0, patrols: str = "") -> Fixes:
    """Two boats that come from 1,000 m off at `begin`, lie `apart` metres from each other and go at `leave`, s."""
    seconds = [begin - 60, *range(begin, leave + 300)]
    x, y = at

    def east(side: int) -> Callable[[float], float]:
        return lambda t: x + (side * 1000 if t < begin or t >= leave else 0)

    return fixes(
        track("a", seconds, east(-1), y, "a" in patrols), track("b", seconds, east(1), y + apart, "b" in patrols)
    )


def test_a_meeting_is_ten_minutes_within_fifty_metres() -> None:
    (event,) = found(pair(49, 601), rule("meeting"))
    assert (event.unit_ids, times([event])) == (("a", "b"), [(0, 600)])
    assert event.evidence["metres"] == {"least": 49.0, "mean": 49.0}
    assert event.evidence["moments"] == 21
    assert len(event.evidence["fixes"]["some"]) == 20
    assert found(pair(51, 601), rule("meeting")) == []
    assert found(pair(49, 600), rule("meeting")) == []  # at 600 s they have gone: 9 min 59 s
    assert found(pair(49, 601, patrols="ab"), rule("meeting")) == []  # two patrols
    assert len(found(pair(49, 601, patrols="a"), rule("meeting"))) == 1


def test_a_meeting_is_not_cut_at_midnight() -> None:
    for midnight in (7200, 36_000):  # in Shanghai, in UTC
        assert times(found(pair(20, midnight + 601, begin=midnight - 600), rule("meeting"))) == [
            (midnight - 600, midnight + 600)
        ]


def test_no_meeting_across_a_neck_or_a_dyke() -> None:
    assert found(pair(40, 1200, (3010, 32_000)), rule("meeting")) != []  # along one arm
    arms = fixes(
        *(track(unit, [-60, *range(0, 1500, 10)], x, lambda t: 33_000.0 if t < 0 else 32_000.0)
          for unit, x in (("a", 3010), ("b", 3050)))
    )  # fmt: skip
    assert found(arms, rule("meeting")) == []
    assert found(pair(40, 1200, (14_000, 10)), rule("meeting")) == []  # river and ditch
    assert len(found(pair(20, 1200, (14_000, 0)), rule("meeting"))) == 1
    assert found(pair(20, 1200), rule("meeting"), dry=True) == []


def test_moored_neighbours_do_not_meet() -> None:
    lie = fixes(track("a", range(0, 20_000, 60), 0.0), track("b", range(0, 20_000, 60), 0.0, 30.0))
    assert found(lie, rule("meeting")) == []
    # one comes and stays: over when both have kept still for two hours
    comes = fixes(track("a", range(0, 20_000, 60), 0.0), track("b", [0, 60, *range(120, 20_000, 60)],
                  lambda t: 1000.0 if t < 120 else 0.0, 30.0))  # fmt: skip
    assert times(found(comes, rule("meeting"))) == [(120, 120 + 7200 - 30)]


def test_a_long_silence_is_no_meeting_and_an_open_one_stays_open() -> None:
    together = pair(20, 4000)
    assert times(found(together[together.time < T0 + 2_000_000], rule("meeting"))) == [(0, None)]
    hole = together[(together.time < T0 + 300_000) | (together.time > T0 + 901_000)]  # a leg of over 600 s
    assert times(found(hole, rule("meeting"))) == [(930, 3990)]


# --- gap --------------------------------------------------------------------------------------------------------------


def silent(unit: str, until: float, again: float | None = None, x: float = 0.0, step: int = 30) -> Fixes:
    """Under way at 2 m/s until `until`, and again from `again` on, s."""
    after = [] if again is None else [again, again + 30]
    return track(unit, [*np.arange(until % step, until + 1, step), *after], lambda t: x + 2 * t)


def test_a_gap_is_over_a_quarter_of_an_hour() -> None:
    assert times(found(silent("a", 1800, 2701), rule("gap"))) == [(1800, 2701)]
    assert found(silent("a", 1800, 2700), rule("gap")) == []
    assert times(found(silent("a", 1800), rule("gap"), now=2701)) == [(1800, None)]
    assert found(silent("a", 1800), rule("gap"), now=2700) == []


def test_a_gap_is_over_five_of_its_own_intervals() -> None:
    seldom = [silent("a", 4800, 4800 + gap, step=240) for gap in (1200, 1201)]  # 5 x 4 min
    assert found(seldom[0], rule("gap")) == []
    (event,) = found(seldom[1], rule("gap"))
    assert (event.evidence["limit_s"], event.evidence["median_interval_s"], event.evidence["intervals"]) == (
        1200,
        240,
        20,
    )


def test_a_moored_boat_may_fall_silent() -> None:
    lie = track("a", [*range(0, 1830, 30), 9000], 0.0)
    assert found(lie, rule("gap")) == []  # still for 1,800 s
    assert len(found(track("a", [*range(0, 1800, 30), 9000], 0.0), rule("gap"))) == 1  # for 1,770 s


@pytest.mark.parametrize(
    ("silent_too", "going_on", "told"), [(3, 0, False), (2, 0, True), (4, 1, False), (3, 1, True), (0, 0, True)]
)
def test_a_gap_of_the_shore_station_is_not_told(silent_too: int, going_on: int, told: bool) -> None:
    others = [silent(f"s{i}", 1790 + i, x=500.0 * i) for i in range(silent_too)]
    others += [silent(f"g{i}", 5000, x=900.0 * i) for i in range(going_on)]
    events = found(fixes(silent("a", 1800), *others), rule("gap"), now=5000)
    mine = [event for event in events if event.unit_ids == ("a",)]
    assert bool(mine) == told
    if told:
        assert mine[0].evidence["others_heard"] == silent_too + going_on


def test_others_far_off_tell_nothing_of_the_station() -> None:
    far = [silent(f"s{i}", 1800, x=13_000) for i in range(4)]
    events = found(fixes(silent("a", 1800, x=-18_000), *far), rule("gap"), now=5000)
    assert [event.unit_ids for event in events] == [("a",)]  # the four are muted by each other


def test_a_boat_that_left_the_river_is_not_told_where_there_is_one() -> None:
    # 3,600 m on from the river's end at 20 km, which accuracy widens by 200 m
    for left in (silent("a", 1800, x=20_000), silent("a", 1800, 2701, x=20_000)):
        assert found(left, rule("gap"), now=5000) == []
        assert found(left, rule("gap"), now=2702, dry=True)
    assert len(found(silent("a", 1800, x=16_000), rule("gap"), now=5000)) == 1  # 400 m before it


# --- dark -------------------------------------------------------------------------------------------------------------


def camera(*seconds: float, x: float = 0.0) -> Fixes:
    return track("cam", seconds, x, platform="camera")


def test_a_detection_at_night_without_a_boat_there() -> None:
    boat = [track("a", range(0, 2000, 60), 0.0, y) for y in (199.0, 201.0)]
    assert found(fixes(camera(600), boat[0]), rule("dark")) == []
    assert times(found(fixes(camera(600), boat[1]), rule("dark"))) == [(600, 600)]
    assert times(found(camera(600, 660, 1300), rule("dark"), now=5000)) == [(600, 660), (1300, 1300)]  # 640 s apart
    assert found(camera(600), rule("dark"), now=719) == []  # a boat may yet be heard
    assert len(found(camera(600), rule("dark"), now=720)) == 1
    assert found(camera(6 * 3600), rule("dark"), now=50_000) == []  # 04:00, no longer night
    assert found(track("cam", [600], 0.0, patrol=True, platform="camera"), rule("dark"), now=5000) == []


@pytest.mark.parametrize(("second", "told"), [(720, False), (721, True), (480, False), (479, True)])
def test_a_boat_heard_within_two_minutes_explains(second: int, told: bool) -> None:
    assert bool(found(fixes(camera(600), track("a", [second], 0.0)), rule("dark"), now=5000)) == told


def test_a_boat_that_passes_between_two_fixes_explains() -> None:
    passes = track("a", [300, 900], lambda t: (t - 600) * 10)  # through x = 0 at 600 s, no fix within 3,000 m
    assert found(fixes(camera(600), passes), rule("dark"), now=5000) == []
    assert len(found(fixes(camera(600), track("a", [299, 900], lambda t: (t - 600) * 10)), rule("dark"), now=5000)) == 1


# --- loiter -----------------------------------------------------------------------------------------------------------

LANDING = zones({"zone_id": "L", "category": "已封闭码头", "box": (-50, 0, 50, 50)})


def waits(seconds: int, y: float = -149.0, speed: float = 0.0) -> Fixes:
    """Comes at 1 m/s (over a knot) and waits: slow from the 87th second on (0.5144 x 180 = 92.6 m still in the window)."""
    return track("a", range(0, 200 + seconds), lambda t: min(t - 200.0, 0.0) + max(t - 200, 0) * speed, y)


def test_half_an_hour_near_a_closed_landing() -> None:
    # of the 180 s up to t, 180 - (t - 200) were at 1 m/s: under 92.6 from t = 288 s on
    assert times(found(waits(88 + 1801), rule("loiter"), law=LANDING)) == [(288, None)]
    assert found(waits(88 + 1800), rule("loiter"), law=LANDING) == []  # 29 min 59 s
    (event,) = found(waits(2000), rule("loiter"), law=LANDING, dry=True)
    assert (event.zone_id, event.reach_id) == ("L", None)
    assert found(waits(2000, y=-151.0), rule("loiter"), law=LANDING) == []
    assert (
        found(waits(2000), rule("loiter"), law=zones({"zone_id": "L", "category": "禁捕区", "box": (-50, 0, 50, 50)}))
        == []
    )


# --- zone_entry, no_permit --------------------------------------------------------------------------------------------

ZONE = {"zone_id": "Z", "box": (300, -500, 900, 500)}


def test_a_visit_of_traffic_is_an_event() -> None:
    way = track("a", range(0, 600, 30), lambda t: 2.0 * t)
    (event,) = found(way, rule("zone_entry"), law=zones(ZONE), dry=True)
    assert (event.zone_id, times([event])) == ("Z", [(150, 450)])
    assert (event.evidence["certainty"], event.evidence["minutes"]) == ("observed", 5.0)
    assert event.evidence["entered"] == T0 + 150_000
    assert (
        found(track("a", range(0, 600, 30), lambda t: 2.0 * t, patrol=True), rule("zone_entry"), law=zones(ZONE)) == []
    )
    inside = way[way.time <= T0 + 300_000]
    assert times(found(inside, rule("zone_entry"), law=zones(ZONE))) == [(150, None)]
    # silent for six hours: the visit ends with the last fix
    assert times(found(inside, rule("zone_entry"), law=zones(ZONE), now=300 + 21_600)) == [(150, 300)]


def test_no_permit_speaks_of_named_zones_else_of_those_that_ask_for_one() -> None:
    law = zones(ZONE, {"zone_id": "P", "rule": "进入须经许可", "box": (1000, -500, 1500, 500)})
    way = fixes(*(track(unit, range(0, 900, 30), lambda t: 2.0 * t) for unit in "ab"))
    of = [(event.unit_ids, event.zone_id) for event in found(way, rule("no_permit"), law=law)]
    assert sorted(of) == [(("a",), "P"), (("b",), "P")]  # nobody is known to have one
    of = [(event.unit_ids, event.zone_id) for event in found(way, rule("no_permit", allowed=("a",)), law=law)]
    assert of == [(("b",), "P")]
    of = [(event.unit_ids, event.zone_id) for event in found(way, rule("no_permit", zones=("Z",)), law=law)]
    assert sorted(of) == [(("a",), "Z"), (("b",), "Z")]


# --- overdue ----------------------------------------------------------------------------------------------------------


def test_a_patrol_out_for_twelve_hours() -> None:
    def place(t: float) -> float:
        return 0.0 if t >= 45_000 else min(t, 2000.0)

    out = track("p", range(0, 46_000, 60), place, patrol=True)
    assert times(found(out, rule("overdue"))) == [(43_200, 45_000)]
    assert times(found(out[out.time < T0 + 44_000_000], rule("overdue"))) == [(43_200, None)]
    assert found(out[out.time < T0 + 43_190_000], rule("overdue")) == []
    back = track("p", range(0, 46_000, 60), lambda t: 0.0 if t >= 40_000 else min(t, 2000.0), patrol=True)
    assert found(back, rule("overdue")) == []
    assert found(track("a", range(0, 46_000, 60), place), rule("overdue")) == []


@pytest.mark.parametrize(("metres", "told"), [(499, False), (501, True)])
def test_a_patrol_silent_away_from_home(metres: float, told: bool) -> None:
    out = track("p", range(0, 1000, 60), lambda t: metres if t else 0.0, patrol=True)  # last fix at 960 s
    assert times(found(out, rule("overdue"), now=960 + 3601)) == ([(960 + 3600, None)] if told else [])
    assert found(out, rule("overdue"), now=960 + 3600) == []
    again = fixes(out, track("p", [9000], metres, patrol=True))
    assert times(found(again, rule("overdue"))) == ([(4560, 9000)] if told else [])
    assert found(fixes(out, track("p", [4500], metres, patrol=True)), rule("overdue")) == []


# --- avoids -----------------------------------------------------------------------------------------------------------


def evening(leaves: Callable[[int], bool], also: Callable[[int], bool] = lambda hour: False) -> Fixes:
    """24 h: a patrol passes at 5 m/s every three hours; the boat lies at x = 0 and is 1,500 m off for 45 min from 5 min
    after the patrol came within 3 km, where `leaves` (pass number), and an hour and a half later, where `also`."""

    def place(t: float) -> float:
        number, into = divmod(t, 10_800)
        gone = leaves(int(number)) and 1400 + 300 <= into < 1400 + 3000
        return 1500.0 if gone or (also(int(number)) and 7200 <= into < 9900) else 0.0

    boat = track("a", range(0, 86_400, 60), place)
    passes = [t for n in range(8) for t in range(10_800 * n, 10_800 * n + 4000, 60)]
    return fixes(boat, track("p", passes, lambda t: -10_000 + 5.0 * (t % 10_800), patrol=True))


def test_a_boat_that_leaves_whenever_a_patrol_comes() -> None:
    (event,) = found(evening(lambda n: True), rule("avoids"))
    assert event.unit_ids == ("a",)
    assert event.evidence["left"] == 3
    assert event.evidence["approaches"] == 3
    assert event.evidence["p_value"] < 0.05
    assert found(evening(lambda n: False), rule("avoids")) == []
    assert found(evening(lambda n: n < 2), rule("avoids")) == []
    assert found(evening(lambda n: True), rule("avoids"), dry=True) == []


def test_a_boat_that_leaves_anyway_avoids_nobody() -> None:
    few = evening(lambda n: n in (1, 4, 6), lambda n: True)
    assert found(few, rule("avoids")) == []


# --- late data --------------------------------------------------------------------------------------------------------


def test_an_event_whose_start_moves_gets_a_new_id() -> None:
    run = netting(800)
    detection = Detection(water(), zones(), LEVELS, [rule("slow")], SET)
    early = run.time < T0 + 400_000
    detection.feed(run[~early])
    (first,), gone = detection.changed(int(run.time.max()))
    assert not gone
    detection.feed(run[early])
    (second,), gone = detection.changed(int(run.time.max()))
    assert gone == [first.event_id]
    assert second.started_at == T0 + 319_000
    assert detection.changed(int(run.time.max())) == ([], [])


def test_a_silence_of_six_hours_ends_what_goes_on_but_not_the_silence() -> None:
    run = netting(1500)
    run = run[run.time < T0 + 1_500_000]
    rules = rule("slow"), rule("gap")
    later = found(run, *rules, now=1499 + 21_600)
    assert sorted((event.kind, event.ended_at) for event in later) == [("gap", None), ("slow", T0 + 1_499_000)]
    before = found(run, *rules, now=1499 + 21_599)
    assert all(event.ended_at is None for event in before)


def test_settings_reach_the_rules() -> None:
    assert len(found(netting(400), rule("slow"), settings=Settings(event_slow_s=540.0))) == 1


# --- rules ------------------------------------------------------------------------------------------------------------


def test_a_rule_holds_where_and_when_the_event_began() -> None:
    run = netting(800)  # begins at 22:05:19 in Shanghai, 19 m east of x = 0, km 19.98

    def told(**more: Any) -> bool:
        return bool(found(run, rule("slow", **more), law=zones({"zone_id": "Z", "box": (-100, -100, 100, 100)})))

    assert told(hours=(22.0, 4.0)) and told(hours=(22.08, 22.09)) and not told(hours=(4.0, 22.0))
    assert told(reaches=(("长江", 19.5, 20.5),))
    assert not told(reaches=(("长江", 20.1, 25.0),)) and not told(reaches=(("弯河", 0.0, 99.0),))
    assert told(zones=("Z",)) and not told(zones=("Y",))
    assert told(allowed=("b",)) and not told(allowed=("a",))


def test_a_version_and_a_name_go_into_the_event() -> None:
    (event,) = found(netting(800), Rule("夜间慢航", 3, "slow"))
    assert (event.rule, event.rule_version, event.kind) == ("夜间慢航", 3, "slow")


def test_rules_that_cannot_be_run_are_refused() -> None:
    with pytest.raises(Refused, match="no threshold"):
        found(netting(10), rule("slow", values={"gap_s": 3.0}))
    with pytest.raises(Refused, match="does not exist"):
        found(netting(10), rule("fast"))
    with pytest.raises(GeoMonitorError, match="event_cut_s"):
        found(netting(10), rule("slow"), settings=Settings(event_cut_s=1000.0))


def test_evidence_is_what_json_can_hold() -> None:
    parts = [netting(2000), pair(20, 1200, (9000, 0)), silent("s", 1800, 4000, 15_000), camera(600), waits(2000)]
    rules = [rule(kind) for kind in ("slow", "meeting", "gap", "dark", "loiter", "zone_entry", "overdue", "avoids")]
    names = np.array([f"{i}{unit}" for i, part in enumerate(parts) for unit in part.unit], dtype=object)
    every = fixes(*parts)
    events = found(replace(every, unit=names), *rules, law=LANDING)
    assert len({event.kind for event in events}) >= 5
    for event in events:
        assert json.loads(json.dumps(event.evidence)) == event.evidence
        assert set(event.evidence["fixes"]) == {"number", "first", "last", "some"}
        assert 1 <= len(event.evidence["fixes"]["some"]) <= 20
    assert [event.started_at for event in events] == sorted(event.started_at for event in events)


def test_fixes_of_a_table() -> None:
    table = pa.table({"unit_id": ["a", "b"], "time": pa.array([1000, 2000], pa.timestamp("ms", "UTC")), "lon": [112.0, 113.0],
                      "lat": [30.0, 31.0], "role": ["traffic", "patrol"], "speed": [None, 2.5]})  # fmt: skip
    read = Fixes.of_table(table)
    assert read.unit.tolist() == ["a", "b"]
    assert read.time.tolist() == [1000, 2000]
    assert read.patrolling.tolist() == [False, True]
    assert np.isnan(read.speed[0]) and read.speed[1] == 2.5
    assert read.platform.tolist() == [None, None]
