"""The cleaning of fixes. 0.001 degrees of latitude are 111.2 m; at 60 m/s plus 200 m a minute reaches 3,800 m."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_monitor import messages
from geo_monitor.feeds import Fix, Sorted, Sorter
from geo_monitor.settings import Settings
from tests.feeds.making import T0

SETTINGS = Settings()


def fix(minute: float, lat: float = 30.0, unit: str = "A", lon: float = 112.0) -> Fix:
    return Fix(unit, T0 + round(minute * 60_000), lon, lat, None, None, "patrol", "gps", None)


def run(*fixes: Fix, sorter: Sorter | None = None, arrival: int | None = None, finish: bool = True) -> Sorted:
    """One by one; all that comes of them."""
    sorter = sorter or Sorter(SETTINGS)
    out = Sorted([], [], [])
    for one in fixes:
        for part, more in zip(out, sorter.sort([one], arrival), strict=True):
            part += more  # type: ignore[operator]
    if finish:
        for part, more in zip(out, sorter.finish(), strict=True):
            part += more  # type: ignore[operator]
    return out


def codes(out: Sorted) -> list[str]:
    return [code for _, code in out.refused]


def test_repeats_are_dropped_and_counted() -> None:
    sorter = Sorter(SETTINGS)
    out = run(fix(0), fix(1), fix(0), fix(1), fix(1)._replace(speed=2.0), sorter=sorter)
    assert out.fixes == [fix(0), fix(1)]
    assert sorter.counts == {"kept": 2, "repeat": 3}
    # 22 m away at the same moment is the same fix; 44 m is a clash
    assert run(fix(0), fix(0, 30.0002)).refused == []
    assert run(fix(0), fix(0, 30.0004)).refused == [(fix(0, 30.0004), "device_clash")]
    assert run(fix(0), fix(0, 31.0)).refused == [(fix(0, 31.0), "device_clash")]


def test_late_fixes_are_kept() -> None:
    fixes = [fix(5, 30.005), fix(0), fix(3, 30.003), fix(4, 30.004), fix(1, 30.001)]
    assert run(*fixes).fixes == fixes


def test_a_lone_jump_is_refused_once_ten_minutes_have_not_proved_it() -> None:
    sorter = Sorter(SETTINGS)
    out = run(fix(0), fix(1), fix(2, 31.0), *(fix(i) for i in range(3, 13)), sorter=sorter, finish=False)
    assert sorter.held() == [fix(2, 31.0)]
    assert codes(out) == []
    out = run(fix(13), sorter=sorter, finish=False)
    assert out.refused == [(fix(2, 31.0), "feed_jump")]
    assert sorter.held() == []


def test_a_last_jump_is_refused_at_the_end_and_after_half_an_hour_of_silence() -> None:
    assert run(fix(0), fix(1), fix(2, 31.0)).refused == [(fix(2, 31.0), "feed_jump")]
    sorter = Sorter(SETTINGS)
    at = fix(2).time
    run(fix(0), fix(1), fix(2, 31.0), sorter=sorter, arrival=at, finish=False)
    assert codes(sorter.sort([], at + 1_800_000)) == []
    assert codes(sorter.sort([], at + 1_800_001)) == ["feed_jump"]


def test_a_first_fix_that_was_the_jump_does_not_hold_the_boat() -> None:
    out = run(fix(0, 31.0), fix(1), fix(2), fix(3), fix(4))
    assert out.fixes == [fix(0, 31.0), fix(1), fix(2), fix(3), fix(4)]
    assert out.warnings == []


def test_a_boat_that_was_silent_goes_on_elsewhere() -> None:
    # 222 km in 31 minutes is 119 m/s; after 29 minutes it must be proved first
    assert run(fix(0), fix(1), fix(32, 32.0)).fixes[-1] == fix(32, 32.0)
    assert codes(run(fix(0), fix(1), fix(30, 32.0))) == ["feed_jump"]
    held = [fix(20, 32.0), fix(25, 32.0), fix(30, 32.0), fix(32, 32.0)]
    out = run(fix(0), fix(1), *held, fix(33, 32.0))
    assert out.fixes == [fix(0), fix(1), *held, fix(33, 32.0)]
    assert out.warnings == []


def alternating(n: int, every: float = 1.0) -> list[Fix]:
    """Two boats called A, 111 km apart, each with n fixes."""
    return [fix(i * every + (0.5 if far else 0), 31.0 if far else 30.0) for i in range(n) for far in (False, True)]


def test_two_boats_under_one_number_are_told_apart_and_nothing_is_lost() -> None:
    sorter = Sorter(SETTINGS)
    out = run(*alternating(6), sorter=sorter)
    assert [one.unit_id for one in sorted(out.fixes, key=lambda one: one.time)] == ["A", "A#2"] * 6
    assert {one.unit_id for one in out.fixes if one.lat == 31.0} == {"A#2"}
    assert codes(out) == []
    (warning,) = out.warnings
    assert (warning.code, warning.params) == ("feed_identity_split", {"unit": "A", "other": "A#2", "kilometres": 111})
    assert "A#2" in messages.text(warning.code, "zh", **warning.params)
    assert sorter.counts == {"kept": 12}


def test_two_boats_heard_of_at_the_same_moments_are_told_apart() -> None:
    both = [fix(i, 31.0 if far else 30.0) for i in range(5) for far in (False, True)]
    out = run(*both)
    assert len(out.fixes) == 10
    assert sum(one.unit_id == "A#2" for one in out.fixes) == 5


def test_a_boat_heard_of_more_often_than_the_other() -> None:
    mixed = sorted(
        [*(fix(i / 6) for i in range(60)), *(fix(i * 3 + 0.05, 31.0) for i in range(4))], key=lambda f: f.time
    )
    out = run(*mixed)
    assert sum(one.unit_id == "A#2" for one in out.fixes) == 4


def test_a_boat_that_jumps_and_comes_back_is_not_two() -> None:
    out = run(*(fix(i) for i in range(5)), *(fix(i, 31.0) for i in range(5, 10)), *(fix(i) for i in range(10, 30)))
    assert codes(out) == ["feed_jump"] * 5
    assert out.warnings == []


def test_four_boats_under_one_number_and_no_fifth() -> None:
    fixes = [fix(i + k / 10, 30.0 + k) for i in range(20) for k in range(5)]
    out = run(*fixes)
    assert {one.unit_id for one in out.fixes} == {"A", "A#2", "A#3", "A#4"}
    assert len(out.warnings) == 3
    assert len(out.fixes) + len(out.refused) == len(fixes)


def test_a_name_that_somebody_else_bears_is_not_given() -> None:
    out = run(fix(0, 25.0, unit="A#2"), *alternating(4))
    assert {one.unit_id for one in out.fixes if one.lat == 31.0} == {"A#3"}


def test_restart_from_the_last_fixes_stored() -> None:
    last = {"A": (fix(9).time, 112.0, 30.0), "A#2": (fix(9).time, 112.0, 31.0)}
    out = run(fix(10), fix(10.5, 31.0), fix(9, 31.0), sorter=Sorter(SETTINGS, last))
    assert [one.unit_id for one in out.fixes] == ["A", "A#2"]
    assert out.warnings == []


# --- clocks ------------------------------------------------------------------------------------------------------
def test_times_no_clock_should_tell() -> None:
    at = fix(0).time
    assert codes(run(fix(2), arrival=at)) == []
    assert codes(run(fix(2.01), arrival=at)) == ["feed_future"]
    assert codes(run(fix(2.01), arrival=None)) == []
    never = fix(0)._replace(time=4_102_444_800_000)  # 2100-01-01T00:00Z
    assert codes(run(never, arrival=None)) == ["feed_future"]
    assert codes(run(never._replace(time=never.time - 1), arrival=None)) == []
    assert codes(Sorter(SETTINGS).sort([fix(2), fix(2.01)], None, fix(2).time)) == ["feed_future"]
    assert codes(run(fix(0)._replace(time=946_684_799_999), arrival=None)) == ["feed_past"]
    assert codes(run(fix(0)._replace(time=946_684_800_000), arrival=None)) == []


@pytest.mark.parametrize(("seconds", "kept"), [(300, 0), (-300, 30)])
def test_a_clock_set_wrong_is_told_once_and_refused_only_ahead(seconds: int, kept: int) -> None:
    sorter, told, refused, fixes = Sorter(SETTINGS), [], [], []
    for i in range(30):
        arrival = T0 + i * 10_000
        one = fix(0)._replace(time=arrival + seconds * 1000 + (i % 5) * 1000)
        out = sorter.sort([one], arrival)
        told += out.warnings
        refused += codes(out)
        fixes += out.fixes
    assert [(w.code, w.params) for w in told] == [("feed_clock_skew", {"unit": "A", "seconds": seconds + 2})]
    assert len(fixes) == kept
    assert refused == (["feed_future"] * 19 + ["feed_clock_skew"] * 11 if not kept else [])


def test_a_backlog_sent_at_once_is_no_wrong_clock() -> None:
    out = run(*(fix(i) for i in range(60)), arrival=fix(600).time)
    assert len(out.fixes) == 60
    assert out.warnings == []


# --- properties --------------------------------------------------------------------------------------------------
@given(st.lists(st.floats(-15, 15), min_size=1, max_size=40), st.randoms(use_true_random=False))
def test_of_a_track_that_can_be_every_fix_is_kept_in_any_order(steps: list[float], chance: random.Random) -> None:
    lat, fixes = 30.0, []
    for i, step in enumerate(steps):
        lat += step * 20 / 111_195
        fixes.append(fix(i / 3, lat))
    shuffled = [*fixes, *fixes]
    chance.shuffle(shuffled)
    sorter = Sorter(SETTINGS)
    assert sorted(run(*shuffled, sorter=sorter).fixes) == fixes
    assert sorter.counts["repeat"] == len(fixes)


@given(st.data())
def test_any_batches_give_the_same(data: st.DataObject) -> None:
    fixes = data.draw(mixed())
    cuts = sorted({0, len(fixes), *data.draw(st.lists(st.integers(0, len(fixes)), max_size=5))})
    sorter, out = Sorter(SETTINGS), Sorted([], [], [])
    for a, b in itertools.pairwise(cuts):
        for part, more in zip(out, sorter.sort(fixes[a:b], None), strict=True):
            part += more  # type: ignore[operator]
    for part, more in zip(out, sorter.finish(), strict=True):
        part += more  # type: ignore[operator]
    assert out == run(*fixes)


@st.composite
def mixed(draw: st.DrawFn) -> list[Fix]:
    """One to three boats under one number, with jumps, in the order of time."""
    boats = draw(st.integers(1, 3))
    out = []
    for i in range(draw(st.integers(5, 40))):
        boat = draw(st.integers(0, boats - 1))
        out.append(fix(i / 2, 28.0 + 1.5 * boat + i / 1000 + (40 if draw(st.integers(0, 14)) == 0 else 0)))
    return out


@given(mixed())
def test_nothing_vanishes(fixes: Sequence[Fix]) -> None:
    sorter = Sorter(SETTINGS)
    out = run(*fixes, sorter=sorter)
    assert len(out.fixes) + len(out.refused) == len(fixes)
    assert sum(sorter.counts.values()) == len(fixes)
    assert sorter.held() == []


@given(mixed(), st.integers(0, 40))
def test_restart_in_the_middle_loses_nothing_and_renames_nobody(fixes: list[Fix], at: int) -> None:
    """From the last fix stored of each unit and the fixes held. Splits made before hold; one under way may come later."""
    first = Sorter(SETTINGS)
    before = run(*fixes[:at], sorter=first, finish=False)
    last: dict[str, tuple[int, float, float]] = {}
    for one in before.fixes:
        if one.unit_id not in last or last[one.unit_id][0] <= one.time:
            last[one.unit_id] = (one.time, one.lon, one.lat)
    second = Sorter(SETTINGS, last)
    after = run(*first.held(), *fixes[at:], sorter=second)
    total = len(before.fixes) + len(before.refused) + len(after.fixes) + len(after.refused)
    assert total == len(fixes)
    if len(last) == 2 and not first.held() and {one.lat < 29 for one in fixes} == {True, False}:
        through = run(*fixes)
        same = {(one.time, one.lat): one.unit_id for one in through.fixes}
        for one in [*before.fixes, *after.fixes]:
            assert same.get((one.time, one.lat), one.unit_id) == one.unit_id


def test_memory_is_bounded_and_forgetting_loses_no_fix() -> None:
    settings = Settings(feed_units=10, feed_memory=50, feed_held=5)
    sorter = Sorter(settings)
    out = run(*(fix(i % 7, 30 + i % 3, unit=f"u{i % 40}") for i in range(2000)), sorter=sorter)
    assert len(sorter._units) <= 10
    assert len(sorter._seen) <= 50
    assert sum(sorter.counts.values()) == 2000
    assert len(out.fixes) + len(out.refused) + sorter.counts["repeat"] == 2000
