"""Simulated nights: equal by seed, labelled, every planted thing there; and their scorer, by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st
from shapely.geometry import Point

from geo_monitor import river, simulate
from geo_monitor.errors import GeoMonitorError, Usage
from geo_monitor.settings import Settings
from geo_monitor.simulate import nights
from geo_monitor.simulate.behaviours import BANK_M, CLASS_A, Boat, Stretch, fishing
from geo_monitor.simulate.night_score import causes, matches, rate, score, share

MINUTE = 60_000
M = 1.0 / 111_195.0  # degrees of latitude


@pytest.fixture(scope="module")
def net():
    return river.build(simulate.river(5, 80.0))


@pytest.fixture(scope="module")
def zones(net):
    return nights.zones(net, 5)


@pytest.fixture(scope="module")
def night(net, zones):
    return nights.night(net, zones, Settings(), 5, units=80)


# --- the night ---------------------------------------------------------------------------------------------------------
def test_equal_seeds_give_equal_nights(net, zones, night) -> None:
    again = nights.night(net, zones, Settings(), 5, units=80)
    pd.testing.assert_frame_equal(night.fixes, again.fixes)
    pd.testing.assert_frame_equal(night.arrivals, again.arrivals)
    pd.testing.assert_frame_equal(night.truth.drop(columns="path"), again.truth.drop(columns="path"))
    other = nights.night(net, zones, Settings(), 6, units=80)
    assert not night.fixes["lon"].equals(other.fixes["lon"])


def test_everything_says_that_it_is_simulated(night, zones) -> None:
    assert night.fixes["unit_id"].str.startswith("模拟").all()
    assert night.truth["offence_id"].str.startswith("模拟").all()
    assert zones["zone_id"].str.startswith("模拟").all()


def test_every_kind_is_planted_and_names_do_not_tell(night) -> None:
    offences = night.truth[night.truth["is_offence"]]
    assert set(offences["kind"]) == set(nights.KINDS)
    assert night.truth.loc[~night.truth["is_offence"], "kind"].isna().all()
    boats = night.fixes.loc[night.fixes["platform"] == "boat", "unit_id"]
    assert boats.str.match(r"^模拟(船\d{4}|巡艇\d\d)$").all()


def test_fixes_are_those_of_the_night_at_intervals_of_devices(night) -> None:
    ms = night.fixes["time"].astype("int64")
    assert night.start <= ms.min() and ms.max() <= night.end
    assert not night.fixes.duplicated(["unit_id", "time"]).any()
    moving = night.fixes[(night.fixes["source"] == "ais") & (night.fixes["speed"] > 2.0)]
    step = moving.groupby("unit_id")["time"].diff().dt.total_seconds().dropna()
    assert 2.0 <= step.median() <= 30.0
    assert (step > 0).all()


def test_arrivals_are_late_out_of_order_and_double(night) -> None:
    rows = night.arrivals["fix"].to_numpy()
    assert set(rows) == set(range(len(night.fixes)))  # each at least once
    assert 0.005 < len(rows) / len(night.fixes) - 1 < 0.02  # one in a hundred twice
    assert night.arrivals["arrived"].is_monotonic_increasing
    times = night.fixes["time"].astype("int64").to_numpy()[rows]
    assert (np.diff(times) < 0).any()
    wait = night.arrivals["arrived"].astype("int64").to_numpy() - times
    assert wait.min() >= 0
    assert wait.max() > 30 * MINUTE


def test_lines_are_the_fixes_in_order_of_arrival(night) -> None:
    first = json.loads(next(night.lines()))
    row = night.fixes.iloc[int(night.arrivals["fix"].iloc[0])]
    assert first["unit_id"] == row["unit_id"]
    assert pd.Timestamp(first["time"]) == row["time"]
    assert (first["lon"], first["lat"], first["role"]) == (row["lon"], row["lat"], row["role"])


def test_a_shore_station_that_is_out_hears_no_ais(night) -> None:
    ((begin, end, lon, lat, far),) = night.outages
    of = night.fixes[(night.fixes["source"] == "ais")]
    ms = of["time"].astype("int64")
    of = of[(ms > begin) & (ms < end)]
    away = np.hypot((of["lon"] - lon) * np.cos(np.radians(lat)), of["lat"] - lat) / M
    assert away.min() > 0.5 * far / np.pi  # a river bends: as the crow flies it may be nearer than along the water


def test_offences_lie_where_they_say(night, zones) -> None:
    shapes = dict(zip(zones["zone_id"], zones.geometry, strict=True))
    stay = ["dwelling in a zone", "working without a permit"]  # who fishes may leave the zone meanwhile
    offences = night.truth[night.truth["what"].isin(stay)]
    assert len(offences) >= 2
    for row in offences.itertuples():
        inside = [shapes[row.zone_id].buffer(30 * M).contains(Point(x, y)) for _, x, y in row.path]
        assert np.mean(inside) > 0.9


def test_two_boats_that_hand_over_are_within_30_m_for_12_minutes(night) -> None:
    meeting = night.truth[night.truth["kind"] == "meeting"].iloc[0]
    a, b = (night.fixes[night.fixes["unit_id"] == unit] for unit in meeting["unit_ids"])
    begin, end = (meeting[name].timestamp() for name in ("started_at", "ended_at"))
    assert end - begin >= 720.0
    grid = np.arange(begin + 60.0, end - 60.0, 30.0)
    place = [
        (np.interp(grid, one["time"].astype("int64") / 1000.0, one[name]) for name in ("lon", "lat")) for one in (a, b)
    ]
    (x0, y0), (x1, y1) = place
    apart = np.hypot((x1 - x0) * np.cos(np.radians(y0)), y1 - y0) / M
    assert np.median(apart) < 30.0 + 20.0  # 15 m apart, each known to 5-10 m


def test_silent_boats_are_silent(night) -> None:
    for row in night.truth[night.truth["kind"] == "gap"].itertuples():
        ms = night.fixes.loc[night.fixes["unit_id"] == row.unit_ids[0], "time"]
        assert not ((ms > row.started_at) & (ms < row.ended_at)).any()


def test_refuses_a_night_too_small(net, zones) -> None:
    with pytest.raises(Usage) as told:
        nights.night(net, zones, Settings(), 1, units=10)
    assert told.value.code == "simulate_night_size"


@trying(max_examples=40, deadline=None)
@given(
    gear=st.sampled_from(["electro", "net", "drift"]),
    seconds=st.floats(1200.0, 3600.0),
    seed=st.integers(0, 9999),
    current=st.floats(0.5, 1.1),
)
def test_fishing_is_slow(gear: str, seconds: float, seed: int, current: float) -> None:
    """Over ground 0.15 to 2.5 kn (1.29 m/s), for as long as asked."""
    of = Stretch(0.0, 80_000.0, 1000.0, 79_000.0, 0.0, 43_200.0, current)
    boat = Boat("x", "traffic", CLASS_A).begin(0.0, 40_000.0, BANK_M)
    fishing(boat, of, np.random.default_rng(seed), gear, seconds)
    assert boat.now == pytest.approx(seconds, abs=1.5)
    speed = np.abs(np.diff(boat.s)) / np.diff(boat.t)
    assert speed.max() <= 2.5 * 1852 / 3600


# --- the score ---------------------------------------------------------------------------------------------------------
def happened(name: str, kind: str | None, units: tuple[str, ...], begin: int, end: int, what: str = "x") -> dict:
    """Something on the equator from minute `begin` to `end`, going 1 km north."""
    return {
        "offence_id": name, "kind": kind, "what": what, "unit_ids": units, "started_at": begin * MINUTE,
        "ended_at": end * MINUTE, "lon": 0.0, "lat": 0.0, "is_offence": kind is not None,
        "path": np.array([[begin * MINUTE, 0.0, 0.0], [end * MINUTE, 0.0, 1000 * M]]),
    }  # fmt: skip


def event(name: str, kind: str, units: tuple[str, ...], begin: int, end: int | None, metres: float = 0.0) -> dict:
    """`metres` east of the beginning."""
    return {
        "event_id": name, "kind": kind, "unit_ids": units, "started_at": begin * MINUTE,
        "ended_at": None if end is None else end * MINUTE, "lon": metres * M, "lat": 0.0,
    }  # fmt: skip


TRUTH = pd.DataFrame(
    [
        happened("o1", "slow", ("a",), 0, 40),
        happened("o2", "meeting", ("b", "c"), 100, 120),
        happened("o3", "slow", ("d",), 0, 30),
        happened("i1", None, ("e",), 0, 500, "slow barge"),
    ]
)
EVENTS = pd.DataFrame(
    [
        event("e1", "slow", ("a",), 10, 40),  # right: 30 of 40 minutes
        event("e2", "meeting", ("c", "z"), 110, None, 499.0),  # right, one of the two boats, open
        event("e3", "slow", ("d",), 31, 50),  # false: begins after o3 ended
        event("e4", "slow", ("e",), 50, 90),  # false: an innocent barge
        event("e5", "slow", ("a",), 10, 40, 501.0),  # false: too far off
        event("e6", "gap", ("a",), 20, 25),  # right, though of another kind
    ]
)
LEAST = dict.fromkeys(nights.KINDS, 600.0)


def test_what_matches_what() -> None:
    pairs = matches(TRUTH[TRUTH["is_offence"]], EVENTS)
    told = {(a, b): round(iou, 3) for a, b, iou in pairs.itertuples(index=False)}
    assert told == {("e1", "o1"): 0.75, ("e2", "o2"): 0.5, ("e6", "o1"): 0.125}


def test_score_by_hand() -> None:
    """Warnings: w1 of e1 at minute 25 (15 after its rule could know), w2 of e4 (false), w3 of e2 at 112."""
    warnings = pd.DataFrame(
        {
            "warning_id": ["w1", "w2", "w3"],
            "event_ids": [("e1",), ("e4",), "e2"],
            "opened_at": [25 * MINUTE, 60 * MINUTE, 112 * MINUTE],
        }
    )
    got = score(TRUTH, EVENTS, warnings, unit_days=2.0, least_s=LEAST)
    slow, meeting, every = got.loc["slow"], got.loc["meeting"], got.loc["all"]
    assert (slow["offences"], slow["found"], slow["found_any"]) == (2, 1, 1)
    assert slow["share"] == 0.5
    # exact interval of 1 in 2: 1 - sqrt(0.95), sqrt(0.95)
    assert (slow["share_lo"], slow["share_hi"]) == pytest.approx((1 - 0.95**0.5, 0.95**0.5))
    assert (slow["events"], slow["false_events"], slow["false_per_unit_day"]) == (4, 3, 1.5)
    assert slow["iou"] == 0.75
    assert (slow["warnings"], slow["false_warnings"], slow["yield"]) == (2, 1, 0.5)
    assert (slow["minutes_median"], slow["late_median"]) == (25.0, 15.0)
    assert (meeting["found"], meeting["minutes_median"], meeting["late_median"]) == (1, 12.0, 2.0)
    assert (every["offences"], every["found"], every["events"], every["false_events"]) == (3, 2, 6, 3)
    assert every["yield"] == pytest.approx(2 / 3)
    assert np.isnan(got.loc["dark", "share"])


def test_an_offence_added_to_a_warning_that_was_open_is_told_of_by_none() -> None:
    """The warning of minute 60 was the barge's; the meeting of minute 100 was put into it. A second one comes at 115."""
    first = {"warning_id": "w1", "event_ids": ("e4", "e2"), "opened_at": 60 * MINUTE}
    got = score(TRUTH, EVENTS, pd.DataFrame([first]), unit_days=2.0, least_s=LEAST).loc["meeting"]
    assert (got["told"], got["joined"]) == (0, 1)
    assert np.isnan(got["minutes_median"])
    second = {"warning_id": "w2", "event_ids": ("e2",), "opened_at": 115 * MINUTE}
    got = score(TRUTH, EVENTS, pd.DataFrame([first, second]), unit_days=2.0, least_s=LEAST).loc["meeting"]
    assert (got["told"], got["joined"], got["minutes_median"]) == (1, 0, 15.0)


def test_times_may_be_times_and_ids_joined_text() -> None:
    truth, events = TRUTH.copy(), EVENTS.copy()
    for frame in (truth, events):
        for name in ("started_at", "ended_at"):
            frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
    events["unit_ids"] = [";".join(units) for units in events["unit_ids"]]
    pd.testing.assert_frame_equal(matches(truth, events), matches(TRUTH, EVENTS))


def test_withdrawn_events_count_for_nothing() -> None:
    events = EVENTS.assign(state=["withdrawn", *["ended"] * 5])
    got = score(TRUTH, events, unit_days=1.0, least_s=LEAST)
    assert (got.loc["slow", "found"], got.loc["slow", "events"]) == (0, 3)


def test_why_events_were_false() -> None:
    got = causes(TRUTH, EVENTS)
    assert got.values.tolist() == [["slow", "after: x", 2], ["slow", "slow barge", 1]]


def test_nothing_found_nothing_raised() -> None:
    got = score(TRUTH, EVENTS.iloc[:0], unit_days=1.0, least_s=LEAST)
    assert got.loc["all", "found"] == 0 and got.loc["all", "false_per_unit_day"] == 0.0
    assert got.loc["all", "false_hi"] == pytest.approx(-np.log(0.05))


def test_ids_must_be_unique() -> None:
    with pytest.raises(GeoMonitorError):
        score(TRUTH, pd.concat([EVENTS, EVENTS]), unit_days=1.0, least_s=LEAST)


@given(found=st.integers(0, 50), more=st.integers(0, 50), days=st.floats(0.1, 100.0))
def test_intervals_hold_their_estimate(found: int, more: int, days: float) -> None:
    if found + more:
        part, low, high = share(found, found + more)
        assert 0 <= low <= part <= high <= 1
    per, low, high = rate(found, days)
    assert low <= per <= high
