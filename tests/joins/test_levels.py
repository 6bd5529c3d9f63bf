"""Rules that ask for a water level: windows worked out by hand, then against a reference second by second."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor.joins import level_gaps, seizure_links, zone_visits
from geo_monitor.joins.levels import Gauge, within
from geo_monitor.joins.zones import zones_between
from geo_monitor.settings import Settings
from tests.joins.test_joins import LAT, RIVER, at, seizure, zone
from tests.water import fixes, ms

H = 3_600_000
HOLD = 26  # hours, the default


def readings(*rows: tuple[str, float], station: str = "星子", agency: str = "水文") -> pd.DataFrame:
    """(Shanghai time, metres)"""
    time = pd.to_datetime([f"{when}+08:00" for when, _ in rows], utc=True)
    return pd.DataFrame({"station": station, "time": time, "level_m": [m for _, m in rows], "agency": agency})


def meadow(low: float | None = 12.0, high: float | None = None, **row: Any) -> Any:
    return zone(level_station="星子", level_from_m=low, level_to_m=high, **row)


def told(frame: Any, levels: Any, first: str, last: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Windows and unknown stretches of the one zone in Shanghai hours, clipped to the span asked for."""
    span = ms(f"{first}+08:00"), ms(f"{last}+08:00")
    found = zones_between(frame, *span, levels)
    assert len(found) == 1

    def hours(windows: np.ndarray) -> list[tuple[str, str]]:
        cut = [(max(a, span[0]), min(b, span[1])) for a, b in windows.tolist()]
        stamps = [
            tuple(str(np.datetime64(t + 8 * H, "ms").astype("datetime64[m]"))[5:] for t in ab)
            for ab in cut
            if ab[0] < ab[1]
        ]
        return stamps  # type: ignore[return-value]

    return hours(found[0].windows), hours(found[0].unsure)


# --- windows by hand --------------------------------------------------------------------------------------------------


def test_a_meadow_holds_from_the_reading_that_reaches_the_level_to_the_first_below() -> None:
    daily = readings(
        ("2026-06-01T08:00", 11.5), ("2026-06-02T08:00", 12.0), ("2026-06-03T08:00", 12.4), ("2026-06-04T08:00", 11.99)
    )
    held, unknown = told(meadow(), daily, "2026-06-01T08:00", "2026-06-05T00:00")
    assert held == [("06-02T08:00", "06-04T08:00")]  # 12.0 is in: from is inclusive
    assert unknown == []


def test_the_upper_bound_is_exclusive_and_either_may_be_missing() -> None:
    daily = readings(("2026-06-01T08:00", 10.0), ("2026-06-02T08:00", 12.0), ("2026-06-03T08:00", 14.0))
    span = "2026-06-01T08:00", "2026-06-04T00:00"
    assert told(meadow(10, 12), daily, *span)[0] == [("06-01T08:00", "06-02T08:00")]
    assert told(meadow(None, 14), daily, *span)[0] == [("06-01T08:00", "06-03T08:00")]
    assert told(meadow(14), daily, *span)[0] == [("06-03T08:00", "06-04T00:00")]


def test_a_level_nobody_read_leaves_the_rule_in_force_and_says_so() -> None:
    # 11 m at 08:00 holds 26 h, to 10:00 of the next day; then nobody knows until 08:00 of the day after
    gap = readings(("2026-06-01T08:00", 11.0), ("2026-06-03T08:00", 11.0))
    held, unknown = told(meadow(), gap, "2026-06-01T00:00", "2026-06-05T00:00")
    blank = [("06-01T00:00", "06-01T08:00"), ("06-02T10:00", "06-03T08:00"), ("06-04T10:00", "06-05T00:00")]
    assert held == blank
    assert unknown == blank


@pytest.mark.parametrize("levels", [None, readings(("2026-06-01T08:00", 5.0), station="湖口")])
def test_without_any_reading_of_the_station_the_rule_holds_throughout(levels: Any) -> None:
    held, unknown = told(meadow(), levels, "2026-06-01T00:00", "2026-06-02T00:00")
    assert held == unknown == [("06-01T00:00", "06-02T00:00")]


def test_agencies_that_disagree_about_a_moment_tell_as_little_as_none() -> None:
    both = pd.concat(
        [
            readings(("2026-06-01T08:00", 12.5), ("2026-06-02T08:00", 11.0)),
            readings(("2026-06-01T08:00", 11.5), ("2026-06-02T08:00", 11.2), agency="渔政"),
        ],
        ignore_index=True,
    )
    held, unknown = told(meadow(), both, "2026-06-01T08:00", "2026-06-03T08:00")
    assert held == [("06-01T08:00", "06-02T08:00")]
    assert unknown == [("06-01T08:00", "06-02T08:00")]


def test_validity_season_and_level_must_meet() -> None:
    # season 3 to 6 June; valid to 6 June 12:00; high water from 2 June 08:00 to 5 June 08:00
    daily = readings(*[(f"2026-06-{d:02d}T08:00", 13.0 if 2 <= d < 5 else 9.0) for d in range(1, 9)])
    frame = meadow(season_from="06-03", season_to="06-06", valid_to=pd.Timestamp("2026-06-06T12:00+08:00"))
    assert told(frame, daily, "2026-06-01T08:00", "2026-06-08T00:00") == ([("06-03T00:00", "06-05T08:00")], [])
    # and with the last reading on 4 June: known until 5 June 10:00, then in force to the end of the validity
    held, unknown = told(frame, daily[:4], "2026-06-01T08:00", "2026-06-08T00:00")
    assert held == [("06-03T00:00", "06-06T12:00")]
    assert unknown == [("06-05T10:00", "06-06T12:00")]


def test_several_rules_of_one_zone_are_several_rows() -> None:
    from tests.joins.test_joins import zones

    angling = zone(rule="禁止垂钓", season_from="03-01", season_to="06-30", receipt_id="r")
    water = meadow(rule="水面,禁捕", version=2, receipt_id="r")
    levels = readings(
        *[(f"2026-{m:02d}-15T08:00", 13.0) for m in (4, 8)], *[(f"2026-{m:02d}-16T08:00", 9.0) for m in (4, 8)]
    )

    def in_force(when: str) -> list[int]:
        t = ms(f"{when}+08:00")
        found = zones_between(zones(angling, water), t, t, levels)
        return [z.version for z in found if any(a <= t < b for a, b in z.windows)]

    assert in_force("2026-04-15T12:00") == [1, 2]
    assert in_force("2026-04-16T12:00") == [1]
    assert in_force("2026-08-15T12:00") == [2]
    assert in_force("2026-08-16T12:00") == []


# --- what rests on them -----------------------------------------------------------------------------------------------

TRACK = [at(60 * i, 8 + 2 * i) for i in range(9)]  # 10:00 of 31 May 2026: in at 60 s (x 10), out at 360 s (x 20)


def visits(levels: Any, frame: Any = None) -> list[tuple[float, float, str]]:
    found = zone_visits(fixes(TRACK), meadow() if frame is None else frame, None, levels)
    begin = pd.Timestamp("2026-05-31T10:00+08:00")
    return [((row.entered_at - begin).total_seconds(), (row.left_at - begin).total_seconds(), row.certainty)
            for row in found.itertuples()]  # fmt: skip


def test_visits_while_the_level_is_known_unknown_and_changing() -> None:
    assert visits(readings(("2026-05-31T08:00", 12.5))) == [(60, 360, "observed")]
    assert visits(readings(("2026-05-31T08:00", 11.5))) == []
    assert visits(None) == [(60, 360, "possible")]
    assert visits(readings(("2026-05-30T07:59", 11.5))) == [(60, 360, "possible")]  # held to 09:59
    # 26 h before 10:03: below the level until then, unknown after
    assert visits(readings(("2026-05-30T08:03", 11.5))) == [(180, 360, "possible")]
    assert visits(readings(("2026-05-30T08:03", 12.5))) == [(60, 360, "possible")]  # one visit, not cut
    # the water falls at 10:04, and rises at 10:02
    assert visits(readings(("2026-05-31T08:00", 12.5), ("2026-05-31T10:04", 11.9))) == [(60, 240, "observed")]
    assert visits(readings(("2026-05-31T08:00", 11.9), ("2026-05-31T10:02", 12.0))) == [(120, 360, "observed")]


def test_hold_is_a_setting() -> None:
    levels = readings(("2026-05-31T08:00", 12.5))
    short = zone_visits(fixes(TRACK), meadow(), Settings(level_hold_h=1.0), levels)
    assert short["certainty"].tolist() == ["possible"]


def test_seizures_name_zones_in_force_and_those_that_only_may_be() -> None:
    inside = seizure(time=pd.Timestamp("2026-05-31T10:00+08:00"), lon=112.015, lat=LAT)

    def links(levels: Any) -> tuple[list[str], list[str]]:
        found = seizure_links(
            pd.DataFrame([inside]), fixes([]), meadow(), RIVER, locate=lambda b, n: n.locate(b), levels=levels
        ).iloc[0]
        return found["zone_ids"], found["zone_ids_possible"]

    assert links(readings(("2026-05-31T08:00", 12.5))) == (["Z"], [])
    assert links(readings(("2026-05-31T08:00", 11.5))) == ([], [])
    assert links(None) == (["Z"], ["Z"])


def test_hours_without_a_level_are_counted_once_a_station_within_the_time_looked_at() -> None:
    from tests.joins.test_joins import zones

    frame = zones(meadow(), meadow(14.0, zone_id="Y"), zone(zone_id="X"))
    levels = readings(("2026-06-01T08:00", 11.0), ("2026-06-03T08:00", 11.0))
    span = ms("2026-06-01T00:00+08:00"), ms("2026-06-04T08:00+08:00")
    # 8 h before the first reading, 22 h from 10:00 of the 2nd to 08:00 of the 3rd
    assert level_gaps(frame, levels, *span) == [
        {"code": "level_unknown", "params": {"station": "星子", "hours": "30.0", "zones": ["Y", "Z"], "count": 2}}
    ]
    assert level_gaps(frame, levels, span[0] + 9 * H, span[0] + 20 * H) == []
    # a season narrows what is asked: in force on 3 June only, whose first 8 h are unknown
    dry = meadow(season_from="06-03", season_to="06-03")
    assert level_gaps(dry, levels, *span)[0]["params"]["hours"] == "8.0"


# --- against a reference second by second -----------------------------------------------------------------------------


def slow(rows: list[tuple[int, float]], low: float, high: float, hold: int, t: int) -> tuple[bool, bool]:
    """In force and unknown at second `t`, from what the rule says in words."""
    before = [moment for moment, _ in rows if moment <= t]
    if not before or t - max(before) >= hold:
        return True, True
    said = {low <= level < high for moment, level in rows if moment == max(before)}
    return (True, True) if len(said) == 2 else (said.pop(), False)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-40, 90), st.sampled_from([9.0, 10.0, 11.0, 12.0])), max_size=8),
    st.sampled_from([-np.inf, 10.0, 11.0]),
    st.sampled_from([11.5, 12.0, np.inf]),
    st.integers(1, 30),
)
def test_windows_equal_the_rule_second_by_second(rows: Any, low: float, high: float, hold: int) -> None:
    rows = sorted(rows)
    gauge = Gauge(np.array([t * 1000 for t, _ in rows], np.int64), np.array([m for _, m in rows], float))
    on, unknown = within(gauge, low, high, hold * 1000, (0, 60_000))
    for windows in (on, unknown):
        assert all(a < b for a, b in windows)
        assert all(before[1] < after[0] for before, after in pairwise(windows))
        assert all(a >= 0 and b <= 60_000 for a, b in windows)
    for t in range(60):
        found = tuple(any(a <= t * 1000 < b for a, b in windows) for windows in (on, unknown))
        assert found == slow(rows, low, high, hold, t), t


SEASONS = st.sampled_from([None, ("05-30", "06-02"), ("06-01", "06-01"), ("06-02", "05-31"), ("12-01", "02-29")])


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(st.integers(0, 100), st.integers(1, 100)),
    SEASONS,
    st.lists(st.tuples(st.integers(-30, 120), st.sampled_from([9.0, 11.0, 13.0])), max_size=6),
    st.sampled_from([(None, None), (11.0, None), (None, 11.0), (10.0, 12.0)]),
)
def test_windows_of_a_zone_are_where_validity_season_and_level_meet(
    valid: tuple[int, int], season: Any, rows: Any, bounds: Any
) -> None:
    """Hour by hour from 30 May 2026 00:00 in Shanghai, and a millisecond before each hour."""
    start = pd.Timestamp("2026-05-30T00:00+08:00")
    t0 = int(start.timestamp() * 1000)
    begin, end = valid[0], valid[0] + valid[1]
    row = {"season_from": season[0], "season_to": season[1]} if season else {}
    frame = zone(
        valid_from=start + pd.Timedelta(hours=begin), valid_to=start + pd.Timedelta(hours=end), level_station="星子",
        level_from_m=bounds[0], level_to_m=bounds[1], **row,
    )  # fmt: skip
    levels = pd.DataFrame(
        {"station": "星子", "time": [start + pd.Timedelta(hours=h) for h, _ in rows], "level_m": [m for _, m in rows]}
    )
    levels["time"] = pd.to_datetime(levels["time"], utc=True)
    found = zones_between(frame, t0 - 40 * H, t0 + 220 * H, levels)
    windows = found[0].windows.tolist() if found else []
    unsure = found[0].unsure.tolist() if found else []
    low, high = (-np.inf if bounds[0] is None else bounds[0]), (np.inf if bounds[1] is None else bounds[1])
    asks = bounds != (None, None)
    for t in [t0 + h * H - d for h in range(-35, 215) for d in (0, 1)]:
        day = (start + pd.Timedelta(milliseconds=t - t0)).strftime("%m-%d")
        in_season = season is None or (
            season[0] <= day <= season[1] if season[0] <= season[1] else day >= season[0] or day <= season[1]
        )
        valid_now = t0 + begin * H <= t < t0 + end * H
        on, unknown = slow(sorted((t0 + h * H, m) for h, m in rows), low, high, HOLD * H, t) if asks else (True, False)
        assert any(a <= t < b for a, b in windows) == (valid_now and in_season and on), day
        assert any(a <= t < b for a, b in unsure) == (valid_now and in_season and unknown), day
