"""Effort block by block: however the days are cut and the units shared out, the tables are those of the whole."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor.effort import Effort, Looked, Moored, halo_ms, look, sum_up
from geo_monitor.settings import Settings
from geo_monitor.tracks import DAY_MS, SHANGHAI_MS, encode
from tests.effort import reference
from tests.water import LAT, StraightRiver, fixes, ms

RIVER = StraightRiver()
MIDNIGHT = ms("2026-05-31T00:00") - SHANGHAI_MS  # of 31 May in Shanghai
FIRST = (MIDNIGHT + SHANGHAI_MS) // DAY_MS
SET = Settings()


def by_blocks(
    rows: list[dict[str, Any]], edges: list[int], parts: int = 1, reported: pd.DataFrame | None = None
) -> Effort:
    """Blocks of days between `edges` (days since the first), the units dealt out over `parts`; each part is written to
    plain arrays and read again before it is used."""
    table = fixes(rows)
    found: list[Looked] = []
    units = sorted({row.get("unit", "u1") for row in rows})
    for part in range(parts):
        mine = [name for i, name in enumerate(units) if i % parts == part]
        moored = Moored.nowhere()
        for low, high in pairwise(edges):
            start, end = (MIDNIGHT + day * DAY_MS for day in (low, high))
            time = np.asarray(table["time"].cast("int64"))
            halo = halo_ms(SET)
            inside = (time >= start - halo) & (time < end + halo) & np.isin(table["unit_id"].to_pylist(), mine)
            own = table.filter(inside)
            tracks = encode(own, RIVER.locate(own), role="patrol")
            for chunk in tracks.chunks(1 << 40):
                one, moored = look(
                    chunk, tracks.unit_ids, tracks.patrol_ids, RIVER, SET, (FIRST + low, FIRST + high),
                    Moored.from_arrays(moored.arrays()), None,
                )  # fmt: skip
                found.append(Looked.from_arrays(one.arrays()))
    return sum_up(found[::-1], RIVER, SET, reported)


def same(one: Effort, other: Effort) -> None:
    for name in ("effort", "gaps", "patrols"):
        pd.testing.assert_frame_equal(getattr(one, name), getattr(other, name), check_exact=True)
    assert one.unlocated_minutes == other.unlocated_minutes
    assert one.last_look.tolist() == other.last_look.tolist()
    assert one.notes == other.notes


def whole(rows: list[dict[str, Any]], reported: pd.DataFrame | None = None) -> Effort:
    table = fixes(rows)
    found = reference.effort(table, RIVER.locate(table), RIVER, reported=reported)
    return found


def at(hours: float, km: float, **more: Any) -> dict[str, Any]:
    return {"time": MIDNIGHT + round(hours * 3_600_000), "km": km, **more}


def moored(hours: float, until: float, km: float, step_s: float = 300, **more: Any) -> list[dict[str, Any]]:
    count = round((until - hours) * 3600 / step_s)
    return [at(hours + i * step_s / 3600, km, **more) for i in range(count)]


def test_a_boat_moored_over_many_midnights_stakes_out_all_the_time() -> None:
    # from 20:00 on the first day to 10:00 on the fourth, 62 h less the last five minutes
    rows = moored(20, 82, 5.1)
    found = by_blocks(rows, [0, 1, 2, 3, 4])
    assert found.effort["stakeout_minutes"].sum() == 62 * 60 - 5
    assert found.effort["stakeout_minutes"].tolist() == [240, 1440, 1440, 595]
    same(found, whole(rows))


def test_a_stay_that_begins_shortly_before_midnight_is_one() -> None:
    # ten minutes before and ten after: neither alone is a stake-out
    rows = [at(23, 2.0), *moored(23 + 50 / 60, 24 + 10 / 60, 5.1, 60), at(24.5, 9.0)]
    found = by_blocks(rows, [0, 1, 2])
    assert found.effort["stakeout_minutes"].sum() == pytest.approx(19)
    same(found, whole(rows))


def test_a_named_patrol_is_one_over_days_and_its_gap_is_listed_once() -> None:
    rows = [at(23, 1.0, patrol="P"), at(23.1, 1.2, patrol="P"), at(60, 3.0, patrol="P"), at(30, 2.0), at(30.1, 2.1)]
    found = by_blocks(rows, [0, 1, 2, 3])
    assert found.gaps["minutes"].tolist() == pytest.approx([6.9 * 60, 29.9 * 60])  # less what the unit did meanwhile
    assert len(found.patrols) == 2
    same(found, whole(rows))


step = st.tuples(
    st.sampled_from(["a", "b", "c"]), st.sampled_from([None, None, "P", "Q"]),
    st.sampled_from([1, 30, 60, 120, 121, 300, 600, 601, 1800, 1801, 5000, 40_000, 90_000]),
    st.sampled_from([0.0, 0.0, 0.05, -0.05, 0.149, 0.5, -0.7, 4.0]), st.booleans(),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(step, max_size=60), st.integers(0, 86_399), st.sets(st.integers(1, 9)), st.integers(1, 2),
       st.randoms(use_true_random=False))  # fmt: skip
def test_any_cutting_gives_the_whole(
    steps: list[tuple[str, str | None, int, float, bool]], begin: int, cuts: set[int], parts: int, random: Any
) -> None:
    clock = {unit: begin * 1000 + i * 7000 for i, unit in enumerate("abc")}
    place = dict.fromkeys("abc", 5.0)
    rows = []
    for unit, patrol, seconds, km, twice in steps:
        clock[unit] = min(clock[unit] + seconds * 1000, 10 * DAY_MS - 1)
        place[unit] = min(max(place[unit] + km, 0.1), 19.9)
        away = {"lat": LAT + 1} if km == 4.0 and seconds == 60 else {}
        row = {"time": MIDNIGHT + clock[unit], "km": place[unit], "unit": unit, "patrol": patrol, **away}
        rows += [row, {**row, "patrol": "Q"}] if twice else [row]
    random.shuffle(rows)
    reported = pd.DataFrame(
        {
            "patrol_id": ["R1", "P"], "unit_id": ["a", None], "river": "长江", "km_from": 2.0, "km_to": 8.0,
            "started_at": pd.to_datetime([MIDNIGHT + 20 * 3_600_000] * 2, unit="ms", utc=True),
            "ended_at": pd.to_datetime([MIDNIGHT + 40 * 3_600_000] * 2, unit="ms", utc=True),
            "persons": 2.0, "how": "reported",
        }
    )  # fmt: skip
    edges = sorted({0, *cuts, 10})
    same(by_blocks(rows, edges, parts, reported), whole(rows, reported))
