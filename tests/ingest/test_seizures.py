"""Reports of seizures: places, units in headers, words, dates."""

from __future__ import annotations

import json
import re
import zipfile
from datetime import datetime, time
from pathlib import Path

import pandas as pd
import pytest

from geo_monitor import tables
from tests.ingest.made import codes, counts, give, shapefile, workbook, write

HEADER = "案件编号,查获时间,东经,北纬,渔具,渔获重量(斤),价值（万元）,涉案人数,场所,线索来源,处理结果"
ROW = "鄂监渔案2025-001,2025年6月1日 22时30分,112.5,29.6,电鱼设备,25,1.2,2人,江面,群众举报,移送公安机关"


def first(upload: object) -> pd.Series:
    rows = upload.rows  # type: ignore[attr-defined]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_csv_of_an_office(tmp_path: Path, encoding: str) -> None:
    upload = give("seizures", write(tmp_path / "s.csv", f"{HEADER}\n{ROW}\n", encoding), agency="监利市渔政")
    assert upload.receipt.status == "accepted", upload.receipt
    row = first(upload)
    assert row["report_id"] == "鄂监渔案2025-001"
    assert row["time"] == pd.Timestamp("2025-06-01T14:30Z")
    assert (row["lon"], row["lat"], row["catch_kg"], row["value_cny"], row["suspects"]) == (112.5, 29.6, 12.5, 12000, 2)
    assert (row["setting"], row["origin"], row["disposition"]) == ("water", "tip", "criminal")
    assert (row["agency"], row["version"]) == ("监利市渔政", 1)
    tables.table("seizures").check(upload.rows)


def test_workbook_with_a_title_and_typed_cells(tmp_path: Path) -> None:
    rows = [
        ["2025年涉渔案件登记表"],
        ["案号", "查获日期", "查获时刻", "河流名称", "里程（km）", "岸别", "渔获重量（公斤）"],
        ["A1", datetime(2025, 6, 1), time(5, 30), "长江", "K123+400", "左岸", 3.5],
        ["A2", "2025-06-02", "17:05", "长江", 88, "右", "2两"],
    ]
    upload = give("seizures", workbook(tmp_path / "s.xlsx", rows))
    assert upload.receipt.status == "accepted", upload.receipt
    assert counts(upload) == (2, 2, 0, 0, 0)
    found = upload.rows.set_index("report_id")
    assert found["time"].tolist() == [pd.Timestamp("2025-05-31T21:30Z"), pd.Timestamp("2025-06-02T09:05Z")]
    assert found["km"].tolist() == [123.4, 88.0]
    assert found["bank"].tolist() == ["left", "right"]
    assert found["catch_kg"].tolist() == pytest.approx([3.5, 0.1])
    assert found["lon"].isna().all()


def test_geojson_and_shapefile(tmp_path: Path) -> None:
    feature = {"type": "Feature", "properties": {"案号": "A1", "查获时间": "2025-06-01T08:00:00+08:00"},
               "geometry": {"type": "Point", "coordinates": [112.5, 29.6]}}  # fmt: skip
    sent = write(tmp_path / "s.geojson", json.dumps({"type": "FeatureCollection", "features": [feature]}))
    shp = shapefile(
        tmp_path / "s", "案件", [[[(112.5, 29.6)]]], {"案号": ["A1"], "查获时间": ["2025-06-01 08:00"]}, kind=1
    )
    for path in (sent, shp.parent):
        row = first(give("seizures", path))
        assert (row["report_id"], row["lon"], row["lat"]) == ("A1", 112.5, 29.6)
        assert row["time"] == pd.Timestamp("2025-06-01T00:00Z")


def test_words_only_are_kept_unplaced(tmp_path: Path) -> None:
    text = "案号,时间,地点\nA1,2025-06-01 08:00,荆江大堤闸口\nA2,2025-06-01 08:00,\nA3,,荆江大堤闸口\n"
    upload = give("seizures", write(tmp_path / "s.csv", text))
    assert counts(upload) == (3, 1, 2, 0, 0)
    assert {message.code: message.rows for message in upload.receipt.errors} == {
        "place_missing": (2,),
        "time_missing": (3,),
    }
    assert {message.code: message.rows for message in upload.receipt.warnings} == {"unplaced": (1,)}
    assert first(upload)["place"] == "荆江大堤闸口"


def test_ids_made_of_content_are_the_same_again(tmp_path: Path) -> None:
    text = "时间,经度,纬度,渔具\n2025-06-01 08:00,112.5,29.6,地笼\n2025-06-01 09:00,112.5,29.6,地笼\n"
    one, two = (give("seizures", write(tmp_path / f"{i}.csv", text)) for i in range(2))
    assert one.rows["report_id"].tolist() == two.rows["report_id"].tolist()
    assert one.rows["report_id"].is_unique
    assert "id_from_content" in codes(one)
    assert one.receipt.status == "accepted"


WORDS = {
    "岸别": ("bank", {"左岸": "left", "右岸": "right", "江心": "mid", "Left": "left"}),
    "场所": ("setting", {"水面": "water", "岸边": "bank", "农贸市场": "market", "餐馆": "restaurant", "渔具店": "shop", "道路": "road"}),
    "发现方式": ("origin", {"日常巡查": "patrol", "群众举报": "tip", "视频监控": "camera", "市场检查": "check"}),
    "处理结果": ("disposition", {"无": "none", "劝离": "advice", "批评教育": "education", "警告": "warning", "行政处罚": "administrative",
             "刑事立案": "criminal"}),
}  # fmt: skip


@pytest.mark.parametrize("header", WORDS)
def test_words(tmp_path: Path, header: str) -> None:
    name, words = WORDS[header]
    lines = [f"A{i},2025-06-01 08:00,112.5,29.6,{word}" for i, word in enumerate([*words, "天上"])]
    upload = give("seizures", write(tmp_path / "s.csv", f"案号,时间,经度,纬度,{header}\n" + "\n".join(lines)))
    assert [None if pd.isna(v) else v for v in upload.rows[name]] == [*words.values(), None]
    assert {m.code: m.rows for m in upload.receipt.warnings} == {"word_unknown": (len(words) + 1,)}


def test_columns_about_people_are_not_read(tmp_path: Path) -> None:
    text = "案号,时间,经度,纬度,嫌疑人姓名,身份证号\nA1,2025-06-01 08:00,112.5,29.6,甲,420000\n"
    upload = give("seizures", write(tmp_path / "s.csv", text))
    assert "columns_personal" in codes(upload)
    assert "420000" not in upload.rows.to_csv()
    assert upload.receipt.status == "accepted"


def test_rows_of_commas_are_no_rows(tmp_path: Path) -> None:
    text = "案号,时间,经度,纬度\n,,,\nA1,2025-06-01 08:00,112.5,29.6\nA2,,112.5,29.6\n, ,,\n"
    upload = give("seizures", write(tmp_path / "s.csv", text))
    assert counts(upload) == (2, 1, 1, 0, 0)
    assert upload.receipt.errors[0].rows == (3,)  # the third row of the file
    assert upload.quarantine["案号"].tolist() == ["A2"]


def test_an_id_that_stands_twice_with_other_content(tmp_path: Path) -> None:
    text = "案号,时间,经度,纬度\nA1,2025-06-01 08:00,112.5,29.6\nA1,2025-06-02 08:00,112.5,29.6\n"
    upload = give("seizures", write(tmp_path / "s.csv", text))
    assert counts(upload) == (2, 1, 1, 0, 0)
    assert codes(upload, "errors") == {"id_twice"}


def test_text_that_may_be_two_things_is_a_choice(tmp_path: Path) -> None:
    """Two characters that are everyday text in neither standard, and nothing else to go by."""
    path = write(tmp_path / "s.csv", "report_id,time,lon,lat,gear\nA1,2025-06-01 08:00,112.5,29.6,鸬鹚\n", "gb18030")
    upload = give("seizures", path)
    assert upload.receipt.status == "rejected"
    told = upload.receipt.to_json("zh")["errors"][0]
    assert told["code"] == "choice_needed"
    assert "--encoding" in told["hint"]
    assert "gb18030: 鸬鹚" in told["hint"]
    assert "big5: " in told["hint"]
    given = give("seizures", path, encoding="gbk")
    assert given.rows["gear"].tolist() == ["鸬鹚"]
    assert given.receipt.encoding == {"used": "gb18030", "how": "given", "confidence": 1.0}


def test_km_in_metres_and_marks(tmp_path: Path) -> None:
    text = "案号,时间,河流,里程(m),岸别\n1,2025-06-01 08:00,长江,12500,右岸\n2,2025-06-01 08:00,长江,K12+500,右岸\n"
    assert give("seizures", write(tmp_path / "s.csv", text)).rows["km"].tolist() == [12.5, 12.5]


@pytest.mark.parametrize("told", ["A1", "A1:XFD1048576"])
def test_a_workbook_that_says_it_is_smaller_or_larger_than_it_is(tmp_path: Path, told: str) -> None:
    """Report programs write the same <dimension> into every sheet."""
    rows = [
        ["编号", "查获时间", "经度", "纬度"],
        *([f"案{i}", "2026-05-01 10:00", 112.0 + i / 100, 30.0] for i in range(4)),
    ]
    sent = workbook(tmp_path / "sent.xlsx", rows)
    path = tmp_path / "案件.xlsx"
    with zipfile.ZipFile(sent) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="%s"' % told.encode(), content))
    upload = give("seizures", path)
    assert counts(upload) == (4, 4, 0, 0, 0)
    assert upload.rows["lon"].tolist() == pytest.approx([112.0, 112.01, 112.02, 112.03])


def test_dates_whose_order_nothing_tells_are_warned_of(tmp_path: Path) -> None:
    """American times with AM and PM are read month first; without them day first; never without a warning."""
    text = "编号,查获时间,经度,纬度\nA1,3/4/2025{half},112.5,29.6\nA2,4/4/2025{half},112.5,29.6\n"
    american = give("seizures", write(tmp_path / "a.csv", text.format(half=" 3:20 PM")))
    assert codes(american, "warnings") == {"dates_order_american"}
    assert american.rows["time"].tolist() == [pd.Timestamp("2025-03-04T07:20Z"), pd.Timestamp("2025-04-04T07:20Z")]
    plain = give("seizures", write(tmp_path / "b.csv", text.format(half=" 15:20")))
    assert codes(plain, "warnings") == {"dates_order_unclear"}
    assert plain.rows["time"].iloc[0] == pd.Timestamp("2025-04-03T07:20Z")


def test_another_column_of_dates_tells_the_order(tmp_path: Path) -> None:
    ring = "POLYGON((112 29.5,112.1 29.5,112.1 29.6,112 29.5))"
    text = f'编号,名称,生效日期,失效日期,wkt\nA1,嘉鱼,01/04/2025,12/31/2025,"{ring}"\n'
    upload = give("zones", write(tmp_path / "z.csv", text))
    assert "dates_order_unclear" not in codes(upload, "warnings")
    assert upload.rows["valid_from"].iloc[0] == pd.Timestamp("2025-01-03T16:00Z")


def test_control_characters_are_taken_out_of_every_format(tmp_path: Path) -> None:
    point = {"type": "Point", "coordinates": [112.5, 29.6]}
    told = {"编号": "A1", "查获时间": "2025-06-01 08:00", "地点": "嘉鱼\u0000大桥\u0001下"}
    feature = {"type": "Feature", "properties": told, "geometry": point}
    text = "编号,查获时间,经度,纬度,地点\nA1,2025-06-01 08:00,112.5,29.6,嘉鱼\u0001大桥下\n"
    for path in (write(tmp_path / "a.geojson", json.dumps(feature)), write(tmp_path / "a.csv", text)):
        upload = give("seizures", path)
        assert upload.rows["place"].tolist() == ["嘉鱼大桥下"]
        assert "control_characters" in codes(upload, "warnings")


def test_numbers_that_excel_was_kept_from_reading(tmp_path: Path) -> None:
    text = '="编号",查获时间,经度,纬度\n="007",2025-06-01 08:00,112.5,29.6\n"=""008""",2025-06-01 09:00,112.5,29.6\n'
    assert give("seizures", write(tmp_path / "a.csv", text)).rows["report_id"].tolist() == ["007", "008"]


def test_a_header_of_two_rows(tmp_path: Path) -> None:
    rows = [
        ["2025年涉渔案件登记表"],
        ["案号", "查获时间", "位置", None, "渔具", None],
        [None, None, "经度", "纬度", "名称", "数量"],
        ["A1", "2025-06-01 08:00", 112.5, 29.6, "三层刺网", 3],
    ]
    upload = give("seizures", workbook(tmp_path / "s.xlsx", rows))
    row = first(upload)
    assert (row["report_id"], row["lon"], row["lat"], row["time"]) == (
        "A1",
        112.5,
        29.6,
        pd.Timestamp("2025-06-01T00:00Z"),
    )


def test_hidden_sheets_with_reports_are_told(tmp_path: Path) -> None:
    import openpyxl

    book = openpyxl.load_workbook(workbook(tmp_path / "s.xlsx", [["案号", "查获时间", "经度", "纬度"],
                                                                 ["A1", "2025-06-01 08:00", 112.5, 29.6]]))  # fmt: skip
    for title, header in (("旧案", ["案号", "查获时间", "经度", "纬度"]), ("选项", ["是", "否"])):
        sheet = book.create_sheet(title)
        sheet.append(header)
        sheet.append(header)
        sheet.sheet_state = "hidden"
    book.save(tmp_path / "s.xlsx")
    upload = give("seizures", tmp_path / "s.xlsx")
    assert counts(upload)[:2] == (1, 1)
    (told,) = [message for message in upload.receipt.warnings if message.code == "sheets_hidden"]
    assert told.params["sheets"] == ["旧案"]
