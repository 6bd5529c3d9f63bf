"""Who found what, by day or by night: each rule by hand, then all of it against a loop over rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor.joins import found_by
from geo_monitor.joins.finders import UNKNOWN, Found
from geo_monitor.settings import Settings
from geo_monitor.tables import PLATFORMS
from tests.water import StraightRiver, fixes, ms

BOAT, FOOT, DRONE, VEHICLE, CAMERA = range(5)
T0 = ms("2026-05-31T11:59:59.999")  # a millisecond before 20:00 in Shanghai


def found(
    rows: list[dict[str, Any]],
    patrol: str | None = None,
    near: str | None = None,
    metres: float | None = None,
    reported: pd.DataFrame | None = None,
    time: int = T0,
) -> tuple[int, bool]:
    seizures = pd.DataFrame({"patrol_id": [patrol], "time": pd.to_datetime([time], unit="ms", utc=True)})
    links = pd.DataFrame({"nearest_unit_id": [near], "nearest_unit_m": [metres]})
    answer = found_by(seizures, links, fixes(rows), reported)
    return int(answer.platform[0]), bool(answer.night[0])


TRACKS = [
    {"time": T0, "km": 2.1, "unit": "b", "patrol": "P1"},  # no platform: a boat
    {"time": T0, "km": 2.1, "unit": "f", "patrol": "P2", "platform": "foot"},
    {"time": T0, "km": 2.1, "unit": "d", "patrol": "P3", "platform": "drone"},
    {"time": T0, "km": 2.1, "unit": "d", "patrol": "P4", "platform": "vehicle"},
    {"time": T0, "km": 2.1, "unit": "x", "patrol": "P2", "platform": "drone", "role": "traffic"},
    {"time": T0, "km": 2.1, "unit": "b", "patrol": "P5"},
    {"time": T0, "km": 2.1, "unit": "f", "patrol": "P5", "platform": "foot"},
]


def test_the_patrol_the_report_names() -> None:
    assert found(TRACKS, "P1")[0] == BOAT
    assert found(TRACKS, "P2")[0] == FOOT  # a ship that carries the same number is no patrol
    assert found(TRACKS, "P2", near="b", metres=10.0)[0] == FOOT  # the report knows better than the distance
    assert found(TRACKS, "P4")[0] == VEHICLE


def test_the_nearest_unit_where_no_patrol_is_named() -> None:
    assert found(TRACKS, near="f", metres=2000.0)[0] == FOOT
    assert found(TRACKS, near="f", metres=2000.1)[0] == UNKNOWN  # too far off to have found it
    assert found(TRACKS, "unheard of", near="b", metres=5.0)[0] == BOAT
    assert found(TRACKS)[0] == UNKNOWN
    assert found(TRACKS, near="x", metres=5.0)[0] == UNKNOWN  # traffic


def test_two_platforms_tell_nothing() -> None:
    assert found(TRACKS, near="d", metres=5.0)[0] == UNKNOWN  # by drone and by car
    assert found(TRACKS, "P5")[0] == UNKNOWN  # boat and foot under one number
    assert found(TRACKS, "P5", near="f", metres=5.0)[0] == FOOT


def test_a_patrol_reported_in_words() -> None:
    told = pd.DataFrame({"patrol_id": ["R1", "R2"], "platform": ["foot", None]})
    assert found(TRACKS, "R1", reported=told)[0] == FOOT
    assert found(TRACKS, "R2", reported=told)[0] == BOAT
    assert found([], "R1", reported=told[["patrol_id"]])[0] == BOAT


def test_night_begins_on_the_millisecond() -> None:
    assert found(TRACKS)[1] is False
    assert found(TRACKS, time=T0 + 1)[1] is True
    assert found(TRACKS, time=ms("2026-05-31T19:59:59.999"))[1] is True
    assert found(TRACKS, time=ms("2026-05-31T20:00"))[1] is False


def test_counts_take_cases_of_the_rate_whose_finder_is_known() -> None:
    who = Found(np.array([BOAT, BOAT, DRONE, UNKNOWN, FOOT, BOAT]), np.array([False, False, True, True, True, True]))
    links = pd.DataFrame(
        {
            "reach_id": ["r004", "r004", "r004", "r005", None, "r006"],
            "use": ["rate", "rate", "rate", "rate", "off_river", "unpatrolled"],
        }
    )
    cases = who.counts(links, StraightRiver())
    assert cases.shape == (40, len(PLATFORMS), 2)
    assert cases[4].tolist() == [[2, 0], [0, 0], [0, 1], [0, 0], [0, 0]]
    assert cases.sum() == 3


def test_no_seizures_and_no_fixes() -> None:
    none = pd.DataFrame({"patrol_id": pd.Series(dtype=str), "time": pd.Series(dtype="datetime64[ms, UTC]")})
    links = pd.DataFrame({"nearest_unit_id": [], "nearest_unit_m": [], "reach_id": [], "use": []})
    answer = found_by(none, links, fixes([]))
    assert len(answer.platform) == len(answer.night) == 0
    assert answer.counts(links, StraightRiver()).sum() == 0


tracks = st.lists(
    st.builds(
        lambda unit, patrol, platform, role: {
            "time": T0, "km": 2.1, "unit": unit, "patrol": patrol, "platform": platform, "role": role
        },
        st.sampled_from(["a", "b", "c"]),
        st.sampled_from([None, "P1", "P2", "P3"]),
        st.sampled_from([None, "boat", "foot", "drone"]),
        st.sampled_from(["patrol", "patrol", "traffic"]),
    ),
    max_size=8,
)  # fmt: skip
reports = st.lists(
    st.tuples(
        st.sampled_from([None, "P1", "P2", "P3", "P9"]),
        st.sampled_from([None, "a", "b", "c"]),
        st.sampled_from([None, 0.0, 1999.0, 2001.0]),
        st.integers(0, 48 * 3600),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=80, deadline=None)
@given(tracks, reports, st.booleans())
def test_against_a_loop_over_rows(rows: list[dict[str, Any]], told: list[tuple], encoded: bool) -> None:
    seizures = pd.DataFrame(
        {
            "patrol_id": [one[0] for one in told],
            "time": pd.to_datetime([T0 + one[3] * 1000 for one in told], unit="ms", utc=True),
        }
    )
    near = [(one[1], one[2]) if one[1] and one[2] is not None else (None, None) for one in told]
    links = pd.DataFrame(
        {"nearest_unit_id": [unit for unit, _ in near], "nearest_unit_m": pd.array([m for _, m in near], "Float64")}
    )
    table = fixes(rows)
    if encoded:  # as the store gives them: text as dictionaries, each chunk with its own
        half = [table.slice(0, len(rows) // 2), table.slice(len(rows) // 2)]
        for name in ("unit_id", "patrol_id", "platform", "role"):
            half = [
                part.set_column(part.schema.get_field_index(name), name, part[name].dictionary_encode())
                for part in half
            ]
        table = pa.concat_tables(half)
    answer = found_by(seizures, links, table, settings=Settings())
    for i, (patrol, _, _, _) in enumerate(told):
        by_patrol = {row["platform"] or "boat" for row in rows if row["role"] == "patrol" and row["patrol"] == patrol}
        unit, metres = near[i]
        by_unit = {row["platform"] or "boat" for row in rows if row["role"] == "patrol" and row["unit"] == unit}
        if patrol is not None and len(by_patrol) == 1:
            expected = PLATFORMS.index(by_patrol.pop())
        elif unit is not None and metres <= 2000 and len(by_unit) == 1:
            expected = PLATFORMS.index(by_unit.pop())
        else:
            expected = UNKNOWN
        assert answer.platform[i] == expected
        clock = seizures["time"][i].tz_convert("Asia/Shanghai").hour
        assert answer.night[i] == (clock >= 20 or clock < 4)
