"""`dates`: expected moments are worked out by hand (Shanghai is UTC+8) or rendered by `datetime`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_monitor.ingest import dates

EAST_8 = timezone(timedelta(hours=8))


def read(*cells: str | None, zone: str | None = None) -> list[str | None]:
    times = dates.parse(pa.array(cells, pa.string()), zone)
    return [
        "bad" if bad else None if ms == dates.NAT else str(np.datetime64(int(ms), "ms"))[:19]
        for ms, bad in zip(times.ms, times.bad, strict=True)
    ]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-05-31T23:10:00+08:00", "2026-05-31T15:10:00"),
        ("2026-05-31T23:10:00Z", "2026-05-31T23:10:00"),
        ("2026-05-31 23:10", "2026-05-31T15:10:00"),
        ("2026/5/31 23:10", "2026-05-31T15:10:00"),
        ("2026年5月31日 23时10分", "2026-05-31T15:10:00"),
        ("2026年5月31日23时10分05秒", "2026-05-31T15:10:05"),
        ("2026.5.31 下午3:05", "2026-05-31T07:05:00"),
        ("２０２６－０５－３１　２３：１０", "2026-05-31T15:10:00"),
        ("2026-05-31 24:00:00", "2026-05-31T16:00:00"),
        ("31/12/2021 23:59:58", "2021-12-31T15:59:58"),
        ("20260531231005", "2026-05-31T15:10:05"),
        ("20260531", "2026-05-30T16:00:00"),
        ("45142.635417", "2023-08-04T07:15:00"),  # Excel: 45142 is 2023-08-04, 0.635417 of a day 15:15
        ("1719036000", "2024-06-22T06:00:00"),
        ("1719036000000", "2024-06-22T06:00:00"),
        ("0", "1970-01-01T00:00:00"),
        ("25:10:00", "bad"),
        ("2026-02-30 10:00", "bad"),
        ("2026-05-31 10:60", "bad"),
        ("2025-03-04 星期二", "2025-03-03T16:00:00"),
        ("2025年3月4日（周二） 14:05", "2025-03-04T06:05:00"),
        ("2025-03-04 周二 14:05", "2025-03-04T06:05:00"),
        ("昨晚", "bad"),
        ("", None),
        (None, None),
    ],
)
def test_one_cell(cell: str | None, expected: str | None) -> None:
    assert read(cell) == [expected]


def test_the_zone_of_the_header_counts_for_cells_without_one() -> None:
    assert read("2026-05-31 23:10", "2026-05-31T23:10+08:00", zone="utc") == [
        "2026-05-31T23:10:00",
        "2026-05-31T15:10:00",
    ]


def test_one_day_over_12_makes_the_whole_column_day_first() -> None:
    assert read("03/04/2025 00:00:00", "25/04/2025 00:00:00")[0] == "2025-04-02T16:00:00"
    assert read("03/04/2025 00:00:00", "04/25/2025 00:00:00")[0] == "2025-03-03T16:00:00"
    assert "dates_order_unclear" in dates.parse(pa.array(["03/04/2025"])).notes


def test_am_and_pm_are_american_unless_a_row_says_otherwise() -> None:
    """3:20 PM of 4 March in Shanghai is 07:20 UTC."""
    times = dates.parse(pa.array(["3/4/2025 3:20 PM", "3/5/2025 9:00"]))
    assert times.notes == ["dates_order_american"]
    assert read("3/4/2025 3:20 PM", "3/5/2025 9:00") == ["2025-03-04T07:20:00", "2025-03-05T01:00:00"]
    assert read("3/4/2025 3:20 PM", "25/4/2025 9:00 AM")[0] == "2025-04-03T07:20:00"
    assert read("3/4/2025 下午3:20") == ["2025-04-03T07:20:00"]


moments = st.datetimes(datetime(2001, 1, 1), datetime(2030, 12, 31)).map(lambda t: t.replace(microsecond=0))
FORMS = (
    "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H时%M分%S秒", "%Y%m%d%H%M%S", "%Y.%m.%d %H:%M:%S",
)  # fmt: skip


@given(st.lists(moments, min_size=1, max_size=20), st.sampled_from(FORMS))
def test_what_was_written_is_read(times: list[datetime], form: str) -> None:
    expected = [t.replace(tzinfo=EAST_8).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S") for t in times]
    assert read(*(t.strftime(form) for t in times)) == expected


@pytest.mark.parametrize(
    "form", ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y/%m/%d %H:%M:%S", "%d/%m/%Y %H:%M:%S", "%m/%d/%Y %H:%M:%S"]
)
def test_long_columns_read_as_short_ones(form: str) -> None:
    start = datetime(2023, 12, 20, 23, 59, 7)
    cells = [(start + timedelta(seconds=7013 * i)).strftime(form) for i in range(dates.FAST_FROM + 50)]
    cells[5] = "2024年2月29日 8时"
    cells[6] = "nonsense"
    shift = timedelta(0) if form.endswith("Z") else timedelta(hours=8)
    expected = [(start + timedelta(seconds=7013 * i) - shift).strftime("%Y-%m-%dT%H:%M:%S") for i in range(len(cells))]
    expected[5], expected[6] = "2024-02-29T00:00:00", "bad"
    assert read(*cells) == expected


def test_a_date_column_and_a_clock_column() -> None:
    day = dates.parse(pa.array(["2026-05-31", "2026-05-31", "", "45142"]))
    clock = dates.parse(pa.array(["23:10", "24:00", "10:00", "0.5"]))
    joined = dates.join(day, clock)
    assert [str(np.datetime64(int(ms), "ms"))[:16] for ms in joined.ms[[0, 1, 3]]] == [
        "2026-05-31T15:10", "2026-05-31T16:00", "2023-08-04T04:00",
    ]  # fmt: skip
    assert joined.bad.tolist() == [False, False, True, False]


def test_typed_columns() -> None:
    naive = pa.array([datetime(2026, 5, 31, 23, 10)], pa.timestamp("us"))
    aware = pa.array([datetime(2026, 5, 31, 23, 10)], pa.timestamp("ns", tz="UTC"))
    assert dates.parse(naive).ms[0] + dates.SHANGHAI_MS == dates.parse(aware).ms[0]
    assert dates.parse(pa.array([1719036000000])).ms[0] == 1719036000000


def test_zones_told_by_their_hours() -> None:
    """UTC+8 was eighty hours."""
    told = ("UTC+8", "GMT+8", "+8", "+08", "+0800", "+08:00", "UTC+08:00")
    assert set(read(*(f"2026-05-31 23:10:00 {zone}" for zone in told))) == {"2026-05-31T15:10:00"}
    assert read("2026-05-31 23:10:00 UTC-3", "2026-05-31 23:10:00 +0530") == [
        "2026-06-01T02:10:00",
        "2026-05-31T17:40:00",
    ]
