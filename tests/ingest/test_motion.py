"""`motion`, and what the door makes of jumps: distances by hand (0.001 degrees of latitude are 111.2 m)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo_monitor.ingest import motion
from tests.ingest.made import codes, counts, give, write


@given(st.lists(st.floats(-15, 15), min_size=3, max_size=60), st.integers(1, 58), st.floats(0.5, 5))
def test_one_fix_that_is_off_is_found_and_nothing_else(steps: list[float], at: int, off: float) -> None:
    lat = 30 + np.cumsum(np.array(steps)) * 20 / 111_195  # at most 15 m/s for 20 s
    n, at = len(lat), min(at, len(lat) - 2)
    where = lat.copy()
    where[at] += off
    found = motion.jumps(np.zeros(n, np.int64), np.arange(n) * 20_000, np.full(n, 112.0), where, 60, 200)
    assert np.flatnonzero(found[0]).tolist() == [at]
    assert not found[1].any()


@given(st.lists(st.floats(-15, 15), min_size=2, max_size=60))
def test_a_slow_track_is_left_alone(steps: list[float]) -> None:
    lat = 30 + np.cumsum(np.array(steps)) * 20 / 111_195
    n = len(lat)
    alone, cut = motion.jumps(np.zeros(n, np.int64), np.arange(n) * 20_000, np.full(n, 112.0), lat, 60, 200)
    assert not alone.any()
    assert not cut.any()


def test_repeats() -> None:
    lon = np.array([112.0, 112.0, 112.1, 112.0])
    ms = np.array([0, 0, 0, 60_000])
    again, away = motion.repeats(np.zeros(4, np.int64), ms, lon, np.full(4, 30.0), 30)
    assert again.tolist() == [False, True, False, False]
    assert away.tolist() == [False, False, True, False]


def test_the_unit_of_a_speed_column_is_told_by_the_track() -> None:
    n, knots = 60, 10.0
    lat = 30 + np.arange(n) * knots * 1852 / 3600 * 20 / 111_195
    ms, lon = np.arange(n) * 20_000, np.full(n, 112.0)
    way, speeds, _ = motion.legs(np.zeros(n, np.int64), ms, lon, lat, np.full(n, knots))
    told = motion.unit_of(way, speeds)
    assert told is not None
    assert told[0] == 1852 / 3600
    assert told[1] == 1.0


HEAD = "船名,时间,经度,纬度\n"


def test_a_lone_jump_is_refused_and_one_that_stays_cuts_the_track(tmp_path: Path) -> None:
    lat = [30 + 0.001 * i for i in range(30)]
    lat[5] += 3  # comes back at once
    lat[15:] = [value + 2 for value in lat[15:]]  # stays
    rows = [f"渔政1,2026-05-01 08:{i:02d}:00,112.0,{value:.6f}" for i, value in enumerate(lat)]
    upload = give("tracks", write(tmp_path / "a.csv", HEAD + "\n".join(rows)))
    assert counts(upload) == (30, 29, 1, 0, 0)
    assert upload.receipt.errors[0].code == "fix_jump"
    assert upload.receipt.errors[0].rows == (6,)
    (cut,) = [message for message in upload.receipt.warnings if message.code == "track_cut"]
    assert cut.rows == (16,)
    assert upload.rows is not None
    pieces = upload.rows["patrol_id"].tolist()
    # 08:00 in Shanghai is 00:00 UTC; after row 15 a patrol of its own begins
    assert pieces == ["渔政1@20260501T000000Z"] * 14 + ["渔政1@20260501T001500Z"] * 15


def test_a_track_without_a_cut_names_no_patrols(tmp_path: Path) -> None:
    rows = [f"渔政1,2026-05-01 08:{i:02d}:00,112.0,{30 + 0.001 * i:.6f}" for i in range(10)]
    upload = give("tracks", write(tmp_path / "a.csv", HEAD + "\n".join(rows)))
    assert upload.receipt.status == "accepted"
    assert upload.rows is not None
    assert upload.rows["patrol_id"].isna().all()


def test_files_of_several_units_in_one_folder_are_named_one_by_one(tmp_path: Path) -> None:
    for unit, lon in (("艇1", 112.0), ("艇2", 113.0)):
        write(
            tmp_path / "两艇" / f"{unit}.csv",
            f"时间,经度,纬度\n2026-05-01 08:00:00,{lon},30.0\n2026-05-01 08:01:00,{lon},30.001\n",
        )
    upload = give("tracks", tmp_path / "两艇")
    assert counts(upload) == (4, 4, 0, 0, 0)
    assert upload.rows is not None
    assert sorted(set(upload.rows["unit_id"])) == ["艇1", "艇2"]
    assert "unit_from_file" in codes(upload)


def test_a_clash_of_two_devices_is_refused(tmp_path: Path) -> None:
    text = (
        HEAD
        + "甲,2026-05-01 08:00:00,112.0,30.0\n甲,2026-05-01 08:00:00,112.5,30.0\n甲,2026-05-01 08:00:00,112.0,30.0\n"
    )
    upload = give("tracks", write(tmp_path / "a.csv", text))
    assert counts(upload) == (3, 1, 1, 1, 0)
    assert upload.receipt.errors[0].code == "device_clash"
