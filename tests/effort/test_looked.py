"""Effort: each rule with numbers worked out by hand, then properties against a slow reference.

The river is the straight one of `tests.water`: reach i covers km i/2 to i/2 + 0.5.
"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor import tables
from geo_monitor.effort import Effort, effort
from geo_monitor.errors import GeoMonitorError
from geo_monitor.messages import text
from geo_monitor.settings import Settings
from geo_monitor.tracks import NEVER
from tests.water import LAT, StraightRiver, fixes, ms

RIVER = StraightRiver()
T0 = ms("2026-05-31T02:00")  # 10:00 in Shanghai
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000


def run(rows: list[dict[str, Any]], reported: pd.DataFrame | None = None, river: StraightRiver = RIVER) -> Effort:
    table = fixes(rows)
    result = effort(table, river.locate(table), river, reported=reported)
    tables.TABLES["effort"].check(result.effort)
    tables.TABLES["effort_gaps"].check(result.gaps)
    tables.TABLES["patrols"].check(result.patrols)
    return result


def at(second: float, km: float, **more: Any) -> dict[str, Any]:
    return {"time": T0 + round(second * SECOND), "km": km, **more}


def minutes(result: Effort, column: str = "minutes") -> dict[str, float]:
    return result.effort.groupby("reach_id")[column].sum().to_dict()


# --- time between fixes -----------------------------------------------------------------------------------------------


def test_time_goes_to_the_reaches_passed_by_distance_along_the_water() -> None:
    # 1,000 m in 100 s from km 2.4 to 3.4: 100 m in r004, 500 m in r005, 400 m in r006 -> 10, 50, 40 s
    result = run([at(0, 2.4), at(100, 3.4)])
    assert minutes(result) == pytest.approx({"r004": 10 / 60, "r005": 50 / 60, "r006": 40 / 60}, abs=1e-4)
    assert result.effort["minutes"].sum() == pytest.approx(100 / 60, abs=1e-12)
    assert result.unlocated_minutes == 0


def test_a_path_faster_than_any_boat_was_not_travelled() -> None:
    # 3,100 m in 100 s is 31 m/s, over 30: half to each end; 3,000 m would be shared along the way
    assert minutes(run([at(0, 2.1), at(100, 5.2)])) == {"r004": 50 / 60, "r010": 50 / 60}
    assert len(minutes(run([at(0, 2.1), at(101, 5.1)]))) == 7


def test_an_unlocated_end_takes_its_half() -> None:
    away = {"lat": LAT + 1}
    result = run([at(0, 2.1), at(60, 2.1, **away), at(120, 2.1, **away), at(180, 2.1)])
    assert minutes(result) == {"r004": 1.0}  # 30 s of the first minute, 30 s of the third
    assert result.unlocated_minutes == 2.0


def test_ten_minutes_count_and_a_millisecond_more_does_not() -> None:
    result = run([at(0, 2.1), at(600, 2.1), at(1200.001, 2.1), at(1260, 2.1)])
    assert minutes(result) == pytest.approx({"r004": (600 + 59.999) / 60}, abs=1e-9)
    gap = result.gaps.iloc[0]
    assert len(result.gaps) == 1
    assert gap["gap_from"] == pd.Timestamp(T0 + 600_000, unit="ms", tz="UTC")
    assert gap["gap_to"] == pd.Timestamp(T0 + 1_200_001, unit="ms", tz="UTC")
    assert gap["minutes"] == 600_001 / 60_000
    assert gap["patrol_id"] == result.patrols["patrol_id"].iloc[0]


def test_a_patrol_without_id_ends_at_a_gap_over_thirty_minutes() -> None:
    rows = [at(0, 2.1), at(60, 2.1), at(60 + 1800, 2.1), at(3600 + 1800, 2.1), at(3660 + 1800, 2.1)]
    result = run(rows)  # a gap of exactly 1,800 s is inside the patrol, one of 3,540 s between two
    assert result.gaps["minutes"].tolist() == [30.0]
    assert result.patrols["patrol_id"].tolist() == ["u1@20260531T020000Z", "u1@20260531T033000Z"]
    assert result.patrols["how"].tolist() == ["tracked", "tracked"]
    named = run([{**row, "patrol": "P1"} for row in rows])  # with an id it is one patrol with two gaps
    assert named.gaps["minutes"].tolist() == [30.0, 59.0]
    assert named.patrols["patrol_id"].tolist() == ["P1"]
    assert minutes(named) == minutes(result) == {"r004": 2.0}


def test_time_between_two_patrols_is_neither_effort_nor_gap() -> None:
    result = run([at(0, 2.1, patrol="A"), at(60, 2.1, patrol="A"), at(120, 2.1, patrol="B"), at(180, 2.1, patrol="B")])
    assert minutes(result) == {"r004": 2.0}
    assert result.gaps.empty


def test_traffic_never_counts() -> None:
    result = run(
        [at(0, 2.1), at(60, 2.1), at(0, 3.1, unit="ship", role="traffic"), at(60, 3.1, unit="ship", role="traffic")]
    )
    assert minutes(result) == {"r004": 1.0}
    assert result.patrols["unit_id"].tolist() == ["u1"]
    only = run([at(0, 3.1, role="traffic"), at(60, 3.1, role="traffic")])
    assert only.effort.empty
    assert (only.last_look == NEVER).all()


# --- the same minute twice --------------------------------------------------------------------------------------------


def test_the_same_minute_from_two_uploads_counts_once() -> None:
    # other seconds and another patrol id: 0-240 s and 30-270 s make 270 s together
    rows = [at(s, 2.1) for s in range(0, 241, 60)] + [at(s, 2.1, patrol="X7") for s in range(30, 271, 60)]
    assert minutes(run(rows)) == {"r004": 4.5}
    assert minutes(run(rows + rows)) == {"r004": 4.5}
    assert run(rows).effort["units"].tolist() == [1]
    assert run(rows).effort["passes"].tolist() == [1]


def test_a_second_upload_does_not_add_passes_on_the_way() -> None:
    # 10 m/s down the river; the second recorder, half a minute off, sees the same single way through
    there = [at(s, 10 - s / 100) for s in range(0, 601, 60)]
    again = [at(s, 10 - s / 100, patrol="X") for s in range(30, 571, 60)]
    alone, both = run(there), run(there + again)
    assert both.effort["passes"].tolist() == [1] * len(both.effort)
    assert minutes(both) == pytest.approx(minutes(alone), abs=1e-4)


def test_a_gap_that_another_upload_covers_is_no_gap() -> None:
    rows = [at(s, 2.1) for s in (0, 60, 1260, 1320)]
    assert run(rows).gaps["minutes"].tolist() == [20.0]
    covered = run(rows + [at(s, 2.1, patrol="X") for s in range(0, 1321, 60)])
    assert covered.gaps.empty
    assert minutes(covered) == {"r004": 22.0}
    partly = run(rows + [at(s, 2.1, patrol="X") for s in range(300, 601, 60)])
    assert partly.gaps["minutes"].tolist() == [4.0, 11.0]  # 60-300 s and 600-1,260 s are still unaccounted for


# --- days, stake-outs, passes, platforms ------------------------------------------------------------------------------


def test_midnight_in_shanghai_cuts_an_interval() -> None:
    midnight = ms("2026-05-31T16:00")
    result = run([{"time": midnight - 90_000, "km": 2.1}, {"time": midnight + 30_000, "km": 2.1}])
    assert result.effort["day"].tolist() == [dt.date(2026, 5, 31), dt.date(2026, 6, 1)]
    assert result.effort["minutes"].tolist() == [1.5, 0.5]
    assert result.effort["passes"].tolist() == [1, 1]
    # two reaches half and half, cut in proportion: 400 m in 120 s, 200 m in each reach
    result = run([{"time": midnight - 90_000, "km": 2.3}, {"time": midnight + 30_000, "km": 2.7}])
    assert result.effort["reach_id"].tolist() == ["r004", "r004", "r005", "r005"]
    assert result.effort["minutes"].tolist() == pytest.approx([0.75, 0.25, 0.75, 0.25], abs=1e-4)


def waiting(begin: str, end: str, km: float = 2.1) -> list[dict[str, Any]]:
    """A fix every five minutes in one place, between two moments in UTC."""
    return [{"time": moment, "km": km} for moment in range(ms(begin), ms(end) + 1, 5 * MINUTE)]


def test_night_is_from_eight_to_four_in_shanghai() -> None:
    # 19:00-21:00: 60 of 120 minutes
    result = run(waiting("2026-05-31T11:00", "2026-05-31T13:00"))
    assert result.effort[["minutes", "night_minutes"]].to_numpy().tolist() == [[120.0, 60.0]]
    # 19:30-05:00 over midnight: of 4.5 h before it 4, of 5 h after it 4
    result = run(waiting("2026-05-31T11:30", "2026-05-31T21:00"))
    assert result.effort[["minutes", "night_minutes"]].to_numpy().tolist() == [[270.0, 240.0], [300.0, 240.0]]
    assert result.hours[4, 0].tolist() == [1.5, 8.0]
    # 04:00-20:00 is all day, to the millisecond
    result = run(waiting("2026-05-30T20:00", "2026-05-31T12:00"))
    assert result.effort[["minutes", "night_minutes"]].to_numpy().tolist() == [[960.0, 0.0]]


def test_an_interval_over_the_edge_of_the_night_is_shared_like_the_whole() -> None:
    # 1,000 m in 100 s, from 75 s before 20:00: 10, 50, 40 s in three reaches, a quarter of each at night
    edge = ms("2026-05-31T12:00")
    result = run([{"time": edge - 75_000, "km": 2.4}, {"time": edge + 25_000, "km": 3.4}])
    assert minutes(result) == pytest.approx({"r004": 10 / 60, "r005": 50 / 60, "r006": 40 / 60}, abs=1e-4)
    assert minutes(result, "night_minutes") == pytest.approx(
        {"r004": 2.5 / 60, "r005": 12.5 / 60, "r006": 10 / 60}, abs=1e-4
    )
    assert result.effort["night_minutes"].sum() == pytest.approx(25 / 60, abs=1e-12)


def test_another_night() -> None:
    # a night of 01:00-02:30 does not wrap
    table = fixes(waiting("2026-05-31T16:00", "2026-05-31T20:00"))  # 00:00-04:00
    result = effort(table, RIVER.locate(table), RIVER, Settings(night_from_h=1.0, night_to_h=2.5))
    assert result.effort[["minutes", "night_minutes"]].to_numpy().tolist() == [[240.0, 90.0]]


def test_exposure_of_rows_by_day_and_night() -> None:
    per_hour = np.ones((5, 2))
    per_hour[0] = [0.5, 1.5]
    for platform, hours in (("boat", 0.5 + 3.0), ("foot", 3.0)):  # 1 h by day, 2 h by night
        rows = [{**row, "platform": platform} for row in waiting("2026-05-31T11:00", "2026-05-31T14:00")]
        assert run(rows).total.weighted_hours(per_hour).tolist() == [hours]


def test_six_hours_waiting_and_one_hour_transit() -> None:
    # 5 m/s with a fix a minute: 300 m a step, 30 min on each side of 6 h in r020 (a fix every 5 min)
    there = [at(60 * i, 19.1 - 0.3 * i) for i in range(31)]  # km 10.1 after 30 min
    wait = [at(1800 + 300 * i, 10.1) for i in range(1, 73)]
    back = [at(1800 + 21_600 + 60 * i, 10.1 + 0.3 * i) for i in range(1, 31)]
    result = run(there + wait + back)
    assert result.effort["minutes"].sum() == pytest.approx(7 * 60, abs=1e-9)
    assert result.effort["stakeout_minutes"].sum() == pytest.approx(6 * 60, abs=1e-9)
    assert minutes(result, "stakeout_minutes")["r020"] == 360.0
    assert result.gaps.empty


def _jitter(seconds: int, step: int, metres: float, seed: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(seed)
    return [at(s, 10.0 + rng.normal(0, metres) / 1000) for s in range(0, seconds + 1, step)]


def test_a_stake_out_takes_fifteen_minutes_within_150_metres() -> None:
    still = [at(s, 10.2) for s in range(0, 901, 60)]
    assert run(still).effort["stakeout_minutes"].tolist() == [15.0]
    assert run(still[:-1]).effort["stakeout_minutes"].tolist() == [0.0]
    # 149 m away all the while from the fifth minute on is still there, 151 m is not
    assert run(still[:5] + [at(s, 10.349) for s in range(300, 901, 60)]).effort["stakeout_minutes"].sum() == 15.0
    assert run(still[:5] + [at(s, 10.351) for s in range(300, 901, 60)]).effort["stakeout_minutes"].sum() == 0.0


def test_one_stray_fix_does_not_end_a_stake_out_but_a_gap_does() -> None:
    still = [at(s, 10.2) for s in range(0, 1801, 60)]
    stray = [*still[:10], at(600, 10.6), *still[11:]]
    assert run(stray).effort["stakeout_minutes"].sum() == pytest.approx(30.0)
    gone = [*still[:10], at(600, 10.6), at(660, 10.6), *still[12:]]  # away for two fixes: 180 s between those inside
    assert run(gone).effort["stakeout_minutes"].sum() == 18.0  # from 720 s to 1,800 s; the 9 min before are too short
    gap = [*still[:15], *[at(s, 10.2) for s in range(1500, 2401, 60)]]  # 840 s, a gap of 660 s, 900 s
    assert run(gap).effort["stakeout_minutes"].sum() == 15.0


def test_swinging_at_anchor_between_two_reaches_is_one_pass_of_each() -> None:
    result = run(_jitter(3600, 60, 20, seed=1))  # on the border of r019 and r020
    assert result.effort["reach_id"].tolist() == ["r019", "r020"]
    assert result.effort["passes"].tolist() == [1, 1]
    assert result.effort["stakeout_minutes"].sum() == pytest.approx(60)
    assert result.effort["minutes"].sum() == pytest.approx(60)


def test_coming_back_is_another_pass() -> None:
    way = [2.1, 2.6, 3.1, 2.6, 2.1]  # r004 r005 r006 r005 r004, 500 m a minute
    result = run([at(60 * i, km) for i, km in enumerate(way)])
    assert dict(zip(result.effort["reach_id"], result.effort["passes"], strict=True)) == {
        "r004": 2,
        "r005": 2,
        "r006": 1,
    }


def test_a_break_over_ten_minutes_begins_a_new_pass_and_a_stray_unlocated_fix_does_not() -> None:
    again = run([at(0, 2.1), at(60, 2.1), at(661, 2.1), at(721, 2.1)])
    assert again.effort["passes"].tolist() == [2]
    stray = run([at(0, 2.1), at(60, 2.1), at(120, 2.1, lat=LAT + 1), at(180, 2.1)])
    assert stray.effort["passes"].tolist() == [1]


def test_units_and_platforms() -> None:
    result = run(
        [
            *[at(60 * i, 2.1, unit=u) for i in range(3) for u in ("a", "b")],
            *[at(60 * i, 2.1, unit="c", platform="foot") for i in range(3)],
        ]
    )
    assert result.effort["platform"].tolist() == ["boat", "foot"]  # no platform given: a boat
    assert result.effort["units"].tolist() == [2, 1]
    assert result.effort["passes"].tolist() == [2, 1]
    hours = result.hours
    assert hours.shape == (40, 5, 2)
    assert hours[4, :, 0].tolist() == pytest.approx([4 / 60, 2 / 60, 0, 0, 0])
    assert hours[4, :, 1].tolist() == [0.0] * 5  # 10 o'clock
    assert hours.sum() == pytest.approx(0.1)


def test_last_look_is_the_end_of_the_last_effort() -> None:
    result = run([at(0, 2.1), at(60, 2.1), at(120, 2.6)])
    assert result.last_look[[3, 4, 5]].tolist() == [NEVER, T0 + 120_000, T0 + 120_000]
    assert np.isnat(result.last_look.view("datetime64[ms]")[3])


def test_tracked_patrols_tell_their_stretch_if_they_kept_to_one_river() -> None:
    river = StraightRiver(names=["长江"] * 20 + ["金沙江"] * 20)
    one = run([at(0, 2.1, patrol="P"), at(60, 3.0, patrol="P")], river=river).patrols.iloc[0]
    assert (one["river"], one["km_from"], one["km_to"]) == ("长江", pytest.approx(2.1), pytest.approx(3.0))
    two = run([at(0, 9.9, patrol="P"), at(60, 10.1, patrol="P")], river=river).patrols.iloc[0]
    assert pd.isna(two["river"])
    assert np.isnan(two["km_from"])


# --- patrols reported in words ----------------------------------------------------------------------------------------


def told(**row: Any) -> pd.DataFrame:
    base = {"patrol_id": "R1", "unit_id": None, "river": "长江", "km_from": 2.0, "km_to": 3.0, "persons": 3.0,
            "how": "reported", "started_at": T0, "ended_at": T0 + HOUR}  # fmt: skip
    frame = pd.DataFrame([{**base, **row}])
    for name in ("started_at", "ended_at"):
        frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
    return frame


def test_a_reported_patrol_is_spread_evenly_along_its_stretch() -> None:
    result = run([], told(km_from=3.25, km_to=2.0))  # either way round; 500 + 500 + 250 m of 60 min
    assert minutes(result) == {"r004": 24.0, "r005": 24.0, "r006": 12.0}
    assert minutes(result, "reported_minutes") == minutes(result)
    assert result.effort[["passes", "units"]].to_numpy().tolist() == [[1, 1]] * 3
    assert result.last_look[5] == T0 + HOUR
    assert result.notes == []
    assert run([], told(how="tracked")).effort.empty


def test_a_reported_patrol_at_one_place_and_over_midnight() -> None:
    midnight = ms("2026-05-31T16:00")
    result = run([], told(km_from=2.5, km_to=2.5, started_at=midnight - HOUR, ended_at=midnight + 2 * HOUR))
    assert result.effort["reach_id"].tolist() == ["r005", "r005"]  # exactly between two: the one that begins there
    assert result.effort["minutes"].tolist() == [60.0, 120.0]
    assert result.effort["night_minutes"].tolist() == [60.0, 120.0]


def test_a_reported_patrol_has_its_night_spread_like_its_time() -> None:
    # 19:00-23:00 on 500 + 500 + 250 m: 96, 96, 48 min, three quarters of each at night
    seven = ms("2026-05-31T11:00")
    result = run([], told(km_from=3.25, km_to=2.0, started_at=seven, ended_at=seven + 4 * HOUR))
    assert minutes(result) == {"r004": 96.0, "r005": 96.0, "r006": 48.0}
    assert minutes(result, "night_minutes") == {"r004": 72.0, "r005": 72.0, "r006": 36.0}


def test_time_the_units_own_track_covers_is_not_counted_again() -> None:
    track = [at(60 * i, 10.2, unit="u1") for i in range(21)]  # 20 of the 60 minutes
    result = run(track, told(unit_id="u1", km_from=2.0, km_to=2.5))
    assert minutes(result) == {"r004": 40.0, "r020": 20.0}
    assert minutes(result, "reported_minutes") == {"r004": 40.0, "r020": 0.0}
    other = run(track, told(unit_id="u2", km_from=2.0, km_to=2.5))
    assert minutes(other) == {"r004": 60.0, "r020": 20.0}
    # in the reach of the track it is the same unit, come through once more
    same = run(track, told(unit_id="u1", km_from=10.0, km_to=10.5))
    assert same.effort[["minutes", "reported_minutes", "passes", "units"]].to_numpy().tolist() == [[60.0, 40.0, 2, 1]]


def test_a_patrol_reported_without_unit_is_that_of_its_track() -> None:
    track = [at(60 * i, 10.2, unit="u1", patrol="R1") for i in range(21)]
    assert minutes(run(track, told(km_from=2.0, km_to=2.5))) == {"r004": 40.0, "r020": 20.0}


def test_two_reports_of_one_unit_count_their_common_time_once() -> None:
    both = pd.concat(
        [told(unit_id="g"), told(unit_id="g", patrol_id="R2", started_at=T0 + HOUR // 2, ended_at=T0 + 2 * HOUR)]
    )
    result = run([], both)
    assert result.effort["minutes"].sum() == 120.0
    assert result.effort["units"].tolist() == [1, 1]
    assert result.effort["passes"].tolist() == [2, 2]


def test_a_reported_patrol_off_the_network_stays_unlocated_with_a_note() -> None:
    off = run([], told(river="汉江"))
    assert off.effort.empty
    assert off.unlocated_minutes == 60.0
    assert [note["code"] for note in off.notes] == ["patrol_off_network"]
    for lang in ("zh", "en"):
        assert "R1" in text(off.notes[0]["code"], lang, **off.notes[0]["params"])
    partly = run([], told(km_from=19.0, km_to=21.0))  # the river ends at km 20: half of the stretch
    assert minutes(partly) == {"r038": 15.0, "r039": 15.0}
    assert partly.unlocated_minutes == 30.0
    assert partly.notes[0]["params"]["minutes"] == 30.0


def test_a_reported_patrol_that_ends_before_it_begins_adds_nothing() -> None:
    result = run([], told(ended_at=T0))
    assert result.effort.empty
    assert result.notes == [{"code": "patrol_without_time", "params": {"patrol": "R1"}}]


# --- doors ------------------------------------------------------------------------------------------------------------


def test_rows_that_do_not_match_are_refused() -> None:
    table = fixes([at(0, 2.1), at(60, 2.1)])
    with pytest.raises(GeoMonitorError, match="2 fixes"):
        effort(table, RIVER.locate(table.slice(0, 1)), RIVER)
    with pytest.raises(GeoMonitorError, match="submarine"):
        run([at(0, 2.1, platform="submarine")])


def test_shares_that_do_not_sum_to_one_are_a_fault_of_the_network() -> None:
    class Leaky(StraightRiver):
        def spread(self, *args: Any) -> Any:
            pair, reach, share = super().spread(*args)
            return pair, reach, share * 0.9

    table = fixes([at(0, 2.4), at(100, 2.6)])
    with pytest.raises(GeoMonitorError, match=r"0\.9"):
        effort(table, RIVER.locate(table), Leaky())


def test_no_fixes_no_effort() -> None:
    result = run([])
    assert result.effort.empty
    assert result.gaps.empty
    assert result.patrols.empty
    assert result.unlocated_minutes == 0


# --- properties -------------------------------------------------------------------------------------------------------


def covered_ms(rows: list[dict[str, Any]], *, night: bool = False) -> int:
    """Length of the union of all intervals of up to 600 s between successive fixes of a unit and a patrol, or of the
    seconds of it whose Shanghai hour is 20 to 23 or 0 to 3. Slow."""
    by_patrol: dict[Any, list[int]] = {}
    for row in rows:
        by_patrol.setdefault((row["unit"], row.get("patrol")), []).append(row["time"])
    seconds: dict[str, set[int]] = {}
    for (unit, _), times in by_patrol.items():
        ordered = sorted(set(times))
        for a, b in pairwise(ordered):
            if b - a <= 600_000:
                seconds.setdefault(unit, set()).update(range(a // 1000, b // 1000))
    hours = {20, 21, 22, 23, 0, 1, 2, 3} if night else set(range(24))
    return sum((second // 3600 + 8) % 24 in hours for s in seconds.values() for second in s) * 1000


row_lists = st.lists(
    st.builds(
        lambda unit, patrol, second, km, off: {
            "unit": unit, "patrol": patrol, "time": T0 + second * SECOND, "km": km, "lat": LAT + off
        },
        st.sampled_from(["a", "b"]),
        st.sampled_from([None, "P1", "P2"]),
        st.integers(0, 20_000),
        st.floats(0.1, 19.9),
        st.sampled_from([0.0, 0.0, 0.0, 1.0]),
    ),
    max_size=60,
    unique_by=lambda row: (row["unit"], row["patrol"], row["time"]),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(row_lists, st.randoms(use_true_random=False))
def test_total_is_the_union_of_covered_time_whatever_the_order(rows: list[dict[str, Any]], random: Any) -> None:
    result = run(rows)
    total = result.effort["minutes"].sum() + result.unlocated_minutes
    assert total * 60_000 == pytest.approx(covered_ms(rows), abs=0.5)
    assert (result.effort["stakeout_minutes"] <= result.effort["minutes"]).all()
    assert (result.effort["night_minutes"] <= result.effort["minutes"]).all()
    assert (result.effort["passes"] >= 1).all()
    mixed = rows + random.sample(rows, len(rows) // 2)  # part of it uploaded twice
    random.shuffle(mixed)
    table = fixes(mixed)
    cut = random.randint(0, len(mixed))
    table = pa.concat_tables([table.slice(0, cut), table.slice(cut)])  # another chunking of the columns
    again = effort(table, RIVER.locate(table.combine_chunks()), RIVER)
    pd.testing.assert_frame_equal(again.effort, result.effort, check_exact=True)
    pd.testing.assert_frame_equal(again.gaps, result.gaps, check_exact=True)
    pd.testing.assert_frame_equal(again.patrols, result.patrols, check_exact=True)
    assert again.last_look.tolist() == result.last_look.tolist()
    assert again.unlocated_minutes == result.unlocated_minutes


@settings(max_examples=60, deadline=None)
@given(row_lists, st.integers(0, 24 * 3600), st.integers(0, 10_000), st.integers(60, 12_000))
def test_night_is_the_part_of_covered_time_on_those_hours(
    rows: list[dict[str, Any]], later: int, begin: int, length: int
) -> None:
    """Tracks at any hour of the day, and a report of another unit beside them; all of it on the river."""
    rows = [{**row, "lat": LAT, "time": row["time"] + later * SECOND} for row in rows]
    start = T0 + (later + begin) * SECOND
    result = run(rows, told(unit_id="g", started_at=start, ended_at=start + length * SECOND))
    marks = sorted({*range(0, length, 600), length})
    rows = rows + [{"unit": "g", "patrol": "told", "time": start + mark * SECOND} for mark in marks]
    assert result.unlocated_minutes == 0
    assert result.effort["night_minutes"].sum() * 60_000 == pytest.approx(covered_ms(rows, night=True), abs=0.5)
    assert result.effort["minutes"].sum() * 60_000 == pytest.approx(covered_ms(rows), abs=0.5)
    assert (result.effort["night_minutes"] <= result.effort["minutes"]).all()


@settings(max_examples=30, deadline=None)
@given(row_lists)
def test_small_chunks_give_the_same(rows: list[dict[str, Any]]) -> None:
    from unittest import mock

    whole = run(rows)
    with mock.patch("geo_monitor.tracks.Tracks.chunks.__defaults__", (1,)):
        pieces = run(rows)
    pd.testing.assert_frame_equal(pieces.effort, whole.effort, check_exact=True)
    pd.testing.assert_frame_equal(pieces.gaps, whole.gaps, check_exact=True)


@settings(max_examples=40, deadline=None)
@given(row_lists, st.integers(0, 19_000), st.integers(60, 12_000))
def test_tracks_and_reports_of_a_unit_never_exceed_the_clock(
    rows: list[dict[str, Any]], begin: int, length: int
) -> None:
    """A unit's tracks and its reported patrol together cover the union of both: never more than the time there was."""
    reported = told(unit_id="a", started_at=T0 + begin * SECOND, ended_at=T0 + (begin + length) * SECOND)
    result = run(rows, reported)
    total = result.effort["minutes"].sum() + result.unlocated_minutes
    second = {"unit": "a", "patrol": "told"}
    marks = sorted({*range(begin, begin + length, 600), begin + length})
    rows = rows + [{**second, "time": T0 + mark * SECOND} for mark in marks]
    assert total * 60_000 == pytest.approx(covered_ms(rows), abs=0.5)
