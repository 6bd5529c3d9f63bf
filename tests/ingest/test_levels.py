"""Readings of gauges as agencies send them: headers, station names, units, times."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from geo_monitor.ingest.kinds.levels import bare
from tests.ingest.made import codes, counts, give, workbook, write

HEADERS = {
    "chinese": "站名,时间,水位",
    "hydrology": "STCD,TM,Z",
    "english": "station,time,level_m",
    "units": "测站名称,观测时间(北京时间),水位(m)",
    "warning level beside it": "水位站,监测时间,实时水位,警戒水位",
    "two columns of time": "站点,日期,时刻,水位值(米)",
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers(tmp_path: Path, name: str) -> None:
    header = HEADERS[name]
    when = "2026-05-01,08:00" if "日期" in header else "2026-05-01 08:00"
    more = ",19.00" if "警戒" in header else ""
    found = give("levels", write(tmp_path / "l.csv", f"{header}\n星子,{when},12.35{more}\n"), agency="水文局")
    assert counts(found) == (1, 1, 0, 0, 0), found.receipt
    row = found.rows.iloc[0]
    assert (row["station"], row["level_m"], row["agency"], row["version"]) == ("星子", 12.35, "水文局", 1)
    assert row["time"] == pd.Timestamp("2026-05-01T00:00Z")
    assert row["reading_id"] == "星子 2026-05-01T00:00:00Z"
    assert found.receipt.crs["used"] is None  # no places in it


def test_a_workbook_with_true_times_and_numbers(tmp_path: Path) -> None:
    from datetime import datetime

    rows = [["站名", "时间", "水位"], ["星子", datetime(2026, 5, 1, 8), 12.35], ["湖口", datetime(2026, 5, 1, 8), 11]]
    found = give("levels", workbook(tmp_path / "l.xlsx", rows))
    assert counts(found) == (2, 2, 0, 0, 0)
    assert found.rows["level_m"].tolist() == [12.35, 11.0]
    assert found.rows["time"].unique().tolist() == [pd.Timestamp("2026-05-01T00:00Z")]


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("星子水文站", "星子"),
        ("星子水位站", "星子"),
        ("星子站", "星子"),
        ("星子", "星子"),
        (" 汉口 站", "汉口"),
        ("站", "站"),
    ],
)
def test_a_gauge_is_known_by_its_bare_name(name: str, plain: str) -> None:
    assert bare(name) == plain


def test_one_gauge_under_two_names_is_one_reading(tmp_path: Path) -> None:
    text = "站名,时间,水位\n星子,2026-05-01 08:00,12\n星子站,2026-05-01 08:00,12\n星子水文站,2026-05-01 08:00,13\n"
    found = give("levels", write(tmp_path / "l.csv", text))
    assert counts(found) == (3, 1, 1, 1, 0)
    assert codes(found, "errors") == {"id_twice"}


def test_a_file_of_centimetres_is_refused_where_the_station_is_known_in_metres(tmp_path: Path) -> None:
    rows = [f"星子,2026-05-0{d} 08:00,{level}" for d, level in ((1, 12.1), (2, 12.3), (3, 12.2), (4, 1221))]
    found = give("levels", write(tmp_path / "l.csv", "\n".join(["站名,时间,水位", *rows])))
    assert counts(found) == (4, 3, 1, 0, 0)
    assert {error.code: error.rows for error in found.receipt.errors} == {"level_far": (4,)}


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    found = give("levels", write(tmp_path / "l.csv", "时间,水位\n2026-05-01 08:00,12\n"))
    assert found.receipt.status == "rejected"
    assert found.receipt.errors[0].params["needed"] == "station"
