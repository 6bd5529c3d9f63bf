"""The receipt's JSON, key by key, and the other kinds of upload."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.ingest.made import codes, counts, give, workbook, write

KEYS = ["receipt_id", "kind", "file", "sha256", "agency", "received_at", "status", "rows", "encoding", "crs", "notes",
        "warnings", "errors", "quarantine"]  # fmt: skip
FILES = {
    "good": "unit,time,lon,lat\nA,2025-06-01 08:00,112,30\n",
    "bad": "unit,time,lon,lat,platform\nA,2025-06-01 08:00,112,30,骑马\nA,2025-06-01 08:01,0,0,\nA,never,112,30,\n",
    "refused": "unit,value\nA,3\n",
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_keys(tmp_path: Path, name: str, lang: str) -> None:
    upload = give("tracks", write(tmp_path / "t.csv", FILES[name]), agency="a")
    told = json.loads(json.dumps(upload.receipt.to_json(lang)))  # type: ignore[arg-type]
    assert list(told) == KEYS
    assert list(told["rows"]) == ["read", "accepted", "quarantined", "unchanged", "corrected"]
    assert set(told["encoding"]) == {"used", "how", "confidence"}
    assert set(told["crs"]) == {"used", "how", "datum", "confidence", "datum_how"}
    assert told["encoding"]["how"] in ("declared", "detected", "given")
    assert told["crs"]["datum"] in ("wgs84", "gcj02", "bd09")
    assert told["received_at"] == "2026-06-01T00:00:00Z"
    for form, keys in (("notes", {"code", "message"}), ("warnings", {"code", "message", "rows"}),
                       ("errors", {"code", "message", "hint", "rows"})):  # fmt: skip
        for message in told[form]:
            assert set(message) == keys
            assert message["message"]
            assert "{" not in message["message"]
    assert all(message["hint"] for message in told["errors"])
    expected = {"good": "accepted", "bad": "accepted_with_warnings", "refused": "rejected"}
    assert told["status"] == expected[name]


def test_every_refused_row_is_in_the_quarantine_with_its_reason(tmp_path: Path) -> None:
    upload = give("tracks", write(tmp_path / "t.csv", FILES["bad"]))
    assert counts(upload) == (3, 1, 2, 0, 0)
    frame = upload.quarantine
    assert frame["row"].tolist() == [2, 3]
    assert frame["time"].tolist() == ["2025-06-01 08:01", "never"]
    assert frame["reason_zh"].str.len().min() > 0
    assert frame["reason_en"].str.len().min() > 0


def test_patrols_in_words(tmp_path: Path) -> None:
    rows = [
        ["巡护编号", "船名", "开始时间", "结束时间", "河流", "起点里程", "终点里程", "人数"],
        ["P1", "渔政01", "2025-06-01 08:00", "2025-06-01 11:30", "长江", "K105+500", "90", 4],
        ["P2", "渔政01", "2025-06-02 08:00", "2025-06-02 07:00", "长江", 1, 2, 4],
    ]
    text = "\n".join(",".join(str(cell) for cell in row) for row in rows)
    for path in (workbook(tmp_path / "p.xlsx", rows), write(tmp_path / "p.csv", text, "gb18030")):
        upload = give("patrols", path)
        assert counts(upload) == (2, 1, 1, 0, 0)
        assert codes(upload, "errors") == {"patrol_backwards"}
        row = upload.rows.iloc[0]
        assert (row["patrol_id"], row["unit_id"], row["river"], row["how"]) == ("P1", "渔政01", "长江", "reported")
        assert (row["km_from"], row["km_to"], row["persons"]) == (90, 105.5, 4)
        assert row["ended_at"] - row["started_at"] == pd.Timedelta("3h30min")


def test_patrols_by_day_over_midnight(tmp_path: Path) -> None:
    text = "日期,开始时间,结束时间,河流,巡护里程\n2025-06-01,22:00,03:00,长江,K10+000至K25+500\n"
    upload = give("patrols", write(tmp_path / "p.csv", text))
    row = upload.rows.iloc[0]
    assert (row["started_at"], row["ended_at"]) == (
        pd.Timestamp("2025-06-01T14:00Z"),
        pd.Timestamp("2025-06-01T19:00Z"),
    )
    assert (row["km_from"], row["km_to"]) == (10, 25.5)
    assert codes(upload, "warnings") == {"patrol_over_midnight"}


def test_units(tmp_path: Path) -> None:
    text = (
        "终端编号,MMSI,名称,类型,单位,驻地\nD1,412000001,渔政01,执法艇,监利市渔政,容城\n,412000002,,无人机,,\n,,,,,x\n"
    )
    upload = give("units", write(tmp_path / "u.csv", text), agency="荆州市渔政")
    assert counts(upload) == (3, 2, 1, 0, 0)
    rows = upload.rows.set_index("unit_id")
    assert rows.loc["D1", ["mmsi", "name", "platform", "agency", "base"]].tolist() == [
        "412000001",
        "渔政01",
        "boat",
        "监利市渔政",
        "容城",
    ]
    assert rows.loc["412000002", ["platform", "agency"]].tolist() == ["drone", "荆州市渔政"]


def test_what_a_unit_can_do(tmp_path: Path) -> None:
    text = "船名,能力,船员人数,最高航速(节),值班状态\n渔政01,夜航;登临,6,28,在岗\n渔政02,,-1,快,\n"
    upload = give("units", write(tmp_path / "u.csv", text))
    rows = upload.rows.set_index("unit_id")
    names = ["capability", "crew", "speed_kn", "duty"]
    assert rows.loc["渔政01", names].tolist() == ["夜航;登临", 6.0, 28.0, "在岗"]
    assert rows.loc["渔政02", names].isna().all()


def test_a_water_mask(tmp_path: Path) -> None:
    import rasterio
    from rasterio.transform import from_origin

    path = tmp_path / "mask.tif"
    cells = np.zeros((40, 60), dtype=np.uint8)
    cells[10:20] = 1
    with rasterio.open(path, "w", driver="GTiff", width=60, height=40, count=1, dtype="uint8", crs="EPSG:4326",
                       transform=from_origin(112.0, 30.0, 0.001, 0.001)) as out:  # fmt: skip
        out.write(cells, 1)
    upload = give("raster", path)
    assert upload.receipt.status == "accepted"
    row = upload.rows.iloc[0]
    assert (row["width"], row["height"]) == (60, 40)
    assert row.geometry.bounds == pytest.approx((112.0, 29.96, 112.06, 30.0))
    # a pixel of 0.001 degrees: 111 m from south to north
    assert 90 < row["pixel_m"] < 115
