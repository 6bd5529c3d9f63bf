"""Where units are at a moment: expected values worked out by hand on a few fixes."""

import itertools
import statistics

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_monitor.app.situation.moments import DEGREE_M, Fixes

HOUR = 3_600_000


def table(rows):
    """rows: (unit, seconds, lon, lat, role[, speed, heading])."""
    rows = [(*row, None, None)[:7] for row in rows]
    unit, time, lon, lat, role, speed, heading = (list(part) for part in zip(*rows, strict=True)) if rows else [[]] * 7
    return pa.table(
        {
            "unit_id": pa.array(unit, pa.string()),
            "time": pa.array([int(t * 1000) for t in time], pa.timestamp("ms", "UTC")),
            "lon": pa.array(lon, pa.float64()),
            "lat": pa.array(lat, pa.float64()),
            "speed": pa.array(speed, pa.float64()),
            "heading": pa.array(heading, pa.float64()),
            "role": pa.array(role, pa.string()),
        }
    )


def fixes(rows, start=0):
    return Fixes.of(table(rows), start)


def test_each_unit_stands_at_its_last_fix_up_to_the_moment():
    held = fixes(
        [("b", 0, 1, 0, "patrol"), ("a", 5, 2, 0, "patrol"), ("a", 10, 3, 0, "patrol"), ("c", 11, 4, 0, "traffic")]
    )
    seen = held.at(10_000, 60)
    assert seen["unit_id"].tolist() == ["a", "b"]
    assert seen["lon"].tolist() == [3, 1]
    assert seen["age_s"].tolist() == [0, 10]
    assert seen["patrol"].tolist() == [True, True]
    assert held.at(11_000, 60)["patrol"].tolist() == [True, True, False]


def test_an_old_fix_shows_nobody_and_a_moment_before_all_fixes_neither():
    held = fixes([("a", 100, 1, 0, "patrol")])
    assert len(held.at(160_000, 60)) == 1  # exactly the limit
    assert len(held.at(160_001, 60)) == 0
    assert len(held.at(99_999, 60)) == 0
    assert len(fixes([]).at(0, 60)) == 0


def test_speed_and_heading_come_from_the_way_where_they_are_not_told():
    north = 30.0 / DEGREE_M * 60  # degrees of latitude: 30 m/s for 60 s
    held = fixes([("a", 0, 112, 0, "patrol"), ("a", 60, 112, north, "patrol"), ("b", 0, 1, 1, "patrol", 2.5, 200.0)])
    a, b = held.at(60_000, 3600).itertuples()
    assert a.speed == pytest.approx(30.0, rel=1e-3)
    assert a.heading == pytest.approx(0.0, abs=0.5) or a.heading == pytest.approx(360.0, abs=0.5)
    assert (b.speed, b.heading) == (2.5, 200.0)


def test_a_boat_that_lies_still_has_no_heading():
    held = fixes([("a", 0, 112, 30, "patrol"), ("a", 60, 112 + 10 / 96_000, 30, "patrol")])  # 10 m: scatter
    (a,) = held.at(60_000, 3600).itertuples()
    assert np.isnan(a.heading)
    assert a.speed == pytest.approx(10 / 60, rel=0.1)


def test_a_fix_after_a_long_gap_says_nothing_of_the_way():
    (a,) = fixes([("a", 0, 112, 30, "patrol"), ("a", 601, 113, 30, "patrol")]).at(601_000, 3600).itertuples()
    assert np.isnan(a.speed)
    assert np.isnan(a.heading)


def test_the_usual_time_between_fixes_is_the_median_up_to_the_moment():
    times = [0, 30, 60, 200, 1000]  # gaps 30, 30, 140, 800
    held = fixes([("a", t, 0, 0, "patrol") for t in times] + [("b", 0, 0, 0, "patrol"), ("b", 9, 0, 0, "patrol")])
    assert held.usual_s(200_000) == {"a": 30.0}  # 30, 30, 140; one gap says nothing of b
    assert held.usual_s(1_000_000) == {"a": 30.0}  # 30, 30, 140, 800: the lower of the middle two


def test_the_usual_time_of_many_units_is_that_of_each_by_itself():
    rng = np.random.default_rng(1)
    rows = [(f"u{unit}", int(t), 0, 0, "traffic" if unit % 3 == 0 else "patrol")
            for unit in range(40) for t in rng.integers(0, 5000, unit)]  # fmt: skip
    held, moment = fixes(rows), 3000
    expected = {}
    for unit in {row[0] for row in rows if row[4] == "patrol"}:
        times = sorted(row[1] for row in rows if row[0] == unit and row[1] <= moment)
        if len(times) > 2:
            gaps = [b - a for a, b in itertools.pairwise(times)]
            expected[unit] = float(statistics.median_low(gaps))
    assert len(expected) > 20
    assert held.usual_s(moment * 1000) == expected
    assert fixes([]).usual_s(0) == {}


def test_trails_break_at_gaps_and_end_at_the_moment():
    held = fixes([("a", t, t, 0, "patrol") for t in (0, 10, 20, 700, 710, 720)] + [("b", 5, 9, 9, "patrol")])
    parts = held.trails(710_000, ["a"], 710, 600)
    assert [part[:, 0].tolist() for part in parts] == [[0, 10, 20], [700, 710]]
    assert held.trails(710_000, ["b"], 710, 600) == []


def test_hours_go_to_the_slices_they_lie_in():
    held = fixes(
        [
            ("a", 0, 0, 0, "patrol"),
            ("a", 600, 0, 0, "patrol"),
            ("a", 1300, 0, 0, "patrol"),  # the gap of 700 s adds nothing
            ("t", 0, 0, 0, "traffic"),
            ("t", 600, 0, 0, "traffic"),
            ("b", 500, 5, 5, "patrol"),
            ("b", 800, 5, 5, "patrol"),
        ]
    )
    hours = held.hours(0, 1_200_000, 2, 600)
    assert hours * 3600 == pytest.approx([600 + 100, 200])
    assert held.hours(0, 1_200_000, 2, 600, (4, 4, 6, 6)) * 3600 == pytest.approx([100, 200])


def test_what_comes_later_is_joined_in_order():
    first, second = (
        fixes([("b", 10, 1, 0, "patrol")]),
        fixes([("a", 5, 2, 0, "patrol"), ("b", 4, 3, 0, "patrol")], start=2000),
    )
    both = first.joined(second)
    assert both.names == ["a", "b"]
    assert both.at(9_000, 60)["lon"].tolist() == [2, 3]
    assert both.at(10_000, 60)["lon"].tolist() == [2, 1]
    assert both.last == 10_000
    assert len(both.since(5_000)) == 2


ROWS = st.lists(st.tuples(st.sampled_from("abcd"), st.integers(0, 9)), max_size=30)


@given(ROWS, ROWS)
def test_two_joined_are_as_both_sorted_together(one, two):
    held, came = (
        fixes([(unit, second, row + number, 0, "patrol") for row, (unit, second) in enumerate(rows)])
        for number, rows in ((0, one), (100, two))
    )
    both = held.joined(came)
    rows = [(u, s, row + number) for number, part in ((0, one), (100, two)) for row, (u, s) in enumerate(part)]
    told = [
        (both.names[unit], time // 1000, lon) for unit, time, lon in zip(both.unit, both.time, both.lon, strict=True)
    ]
    assert told == sorted(rows, key=lambda row: row[:2])
    assert [part.dtype for part in (both.unit, both.time, both.lon)] == [
        part.dtype for part in (held.unit, held.time, held.lon)
    ]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 50)), max_size=40, unique=True),
    st.integers(0, 60),
    st.integers(1, 60),
)
def test_the_last_fix_is_that_of_a_plain_search(pairs, moment, within):
    held = fixes([(unit, t, t, 0.0, "patrol") for unit, t in pairs])
    seen = (
        dict(zip(*held.at(moment * 1000, within)[["unit_id", "lon"]].to_numpy().T.tolist(), strict=True))
        if pairs
        else {}
    )
    wanted = {}
    for unit, t in sorted(pairs, key=lambda pair: pair[1]):
        if t <= moment:
            wanted[unit] = t
    assert seen == {unit: t for unit, t in wanted.items() if moment - t <= within}


@given(st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 600)), max_size=20), st.integers(1, 9))
def test_slices_hold_all_hours_of_the_span(pieces, bins):
    rows = []
    for i, (start, length) in enumerate(pieces):
        rows += [(f"u{i}", start, 0, 0, "patrol"), (f"u{i}", start + length, 0, 0, "patrol")]
    hours = fixes(rows).hours(0, 4_000_000, bins, 600)
    assert hours.sum() * 3600 == pytest.approx(sum(length for _, length in pieces), abs=1e-6)
    assert (hours >= -1e-9).all()


def test_times_are_utc():
    assert fixes([("a", 0, 0, 0, "patrol")]).at(0, 1)["time"].tolist() == [pd.Timestamp(0, tz="UTC")]
