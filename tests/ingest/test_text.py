"""`text` and `columns`: encodings told from bytes, headers told from words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_monitor.errors import Refused, Usage
from geo_monitor.ingest import columns, coordinates, numbers, text, vocabulary

SENTENCE = "城陵矶江段禁渔区,查获地点:南京长江大桥下游4公里,渔具:三层刺网"


@pytest.mark.parametrize(
    ("encoding", "used"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("gbk", "gb18030"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
    ],
)
def test_a_chinese_file(encoding: str, used: str) -> None:
    content = "\n".join([SENTENCE] * 4)
    read, found = text.file_text(content.encode(encoding), None, 0.8, "a.csv")
    assert read == content
    assert found.used == used
    assert found.confidence >= 0.8


def test_a_file_of_taiwan() -> None:
    content = "\n".join(["編號,查獲時間,經度,緯度,地點", "1,2026-05-01,112.0,30.0,長江大橋下游禁漁區"])
    read, found = text.file_text(content.encode("big5"), None, 0.8, "a.csv")
    assert (read, found.used) == (content, "big5")


def test_rare_characters_outside_gbk() -> None:
    content = "渔获:长吻𬶏、𬶋亚科、㳇水\n" * 3
    assert text.file_text(content.encode("gb18030"), None, 0.8, "a.csv")[0] == content


def test_a_line_in_another_encoding_is_told() -> None:
    data = b"\n".join([*(line.encode() for line in [SENTENCE] * 9), SENTENCE.encode("gbk")])
    read, found = text.file_text(data, None, 0.8, "a.csv")
    assert read == "\n".join([SENTENCE] * 10)
    assert "encoding_mixed" in found.warnings


def test_one_word_in_every_line_proves_no_encoding() -> None:
    """巡 in GB18030 (D1 B2) is valid UTF-8, a Cyrillic letter: however many lines hold it, they prove nothing."""
    rows = "".join(f"巡{i % 7},2026-05-31 22:00,112.2,30.3\n" for i in range(1000))
    headed = ("船号,时间,经度,纬度\n" + rows).encode("gb18030")
    read, encoding = text.file_text(headed, None, 0.9, "a.csv")
    assert encoding.used == "gb18030" and "encoding_mixed" not in encoding.warnings
    assert read.splitlines()[1] == "巡0,2026-05-31 22:00,112.2,30.3"
    bare = ("unit,time,lon,lat\n" + rows).encode("gb18030")
    with pytest.raises(Refused) as told:
        text.file_text(bare, None, 0.9, "a.csv")
    assert told.value.params["option"] == "--encoding gb18030" and "巡" in told.value.params["readings"]
    assert text.file_text(bare, "gb18030", 0.9, "a.csv")[0].splitlines()[1].startswith("巡0,")


def test_degrees_in_every_line_are_utf8() -> None:
    rows = "".join(f"u{i},112.{i}°,30.3°\n" for i in range(10, 99))
    assert text.file_text(("unit,lon,lat\n" + rows).encode(), None, 0.9, "a.csv")[1].used == "utf-8"


def test_bytes_that_are_everyday_text_in_nothing_are_a_choice() -> None:
    rare = "龘靐齉爩麤灪龖厵纞虋".encode("gb18030")
    with pytest.raises(Refused) as refused:
        text.file_text(rare, None, 0.8, "a.csv")
    assert refused.value.code == "choice_needed"
    assert "--encoding" in refused.value.params["option"]


def test_the_encoding_given() -> None:
    assert text.file_text(SENTENCE.encode("gbk"), "GBK", 0.8, "a.csv")[1].how == "given"
    with pytest.raises(Refused, match="Line 2"):
        text.file_text(b"a\n\xff\xff", "utf-8", 0.8, "a.csv")
    with pytest.raises(Usage):
        text.given("martian")


def test_a_lying_cpg_is_overruled() -> None:
    found = text.detect([part.encode("gbk") for part in SENTENCE.split(",")] * 5, "UTF-8", 0.8, "a.dbf")
    assert (found.used, found.how) == ("gb18030", "detected")
    assert "encoding_declared_wrong" in found.warnings


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FA5), min_size=4, max_size=60))
def test_utf8_is_always_known(chinese: str) -> None:
    read, found = text.file_text(chinese.encode(), None, 0.8, "a.csv")
    assert (read, found.used) == (chinese, "utf-8")


@pytest.mark.parametrize(
    ("kind", "header", "field", "factor"),
    [
        ("seizures", "案件编号", "report_id", 1),
        ("seizures", "查获时间（北京时间）", "time", 1),
        ("seizures", "东经", "lon", 1),
        ("seizures", "作案工具", "gear", 1),
        ("seizures", "渔获重量(斤)", "catch_kg", 0.5),
        ("seizures", "渔获重量【吨】", "catch_kg", 1000),
        ("seizures", "本次渔获重量公斤", "catch_kg", 1),
        ("seizures", "案值(万元)", "value_cny", 10_000),
        ("seizures", "里程(m)", "km", 0.001),
        ("tracks", "终端编号", "unit_id", 1),
        ("tracks", "# Timestamp", "time", 1),
        ("tracks", "航速（节）", "speed", 1852 / 3600),
        ("tracks", "speed (km/h)", "speed", 1 / 3.6),
        ("tracks", "Vessel ID", "unit_id", 1),
        ("zones", "禁渔区编号", "zone_id", 1),
        ("zones", "江段名", "name", 1),
        ("jurisdictions", "行政区划代码", "adcode", 1),
        ("river", "里程（公里）", "km", 1),
    ],
)
def test_headers(kind: str, header: str, field: str, factor: float) -> None:
    found = columns.match(kind, [header]).matches
    assert list(found) == [field]
    assert found[field].factor == pytest.approx(factor)


def test_headers_that_mean_something_else() -> None:
    found = columns.match(
        "tracks", ["MMSI", "Timestamp", "Ship type", "Type of position fixing device", "Type of mobile", "上传时间"]
    )
    assert set(found.matches) == {"mmsi", "time"}
    assert found.matches["time"].header == "Timestamp"


def test_the_columns_option() -> None:
    found = columns.match("seizures", ["a", "b", "时间"], {"time": "a", "案号": "b"})
    assert {name: match.header for name, match in found.matches.items()} == {"time": "a", "report_id": "b"}
    with pytest.raises(Refused, match="zzz"):
        columns.match("seizures", ["a"], {"time": "zzz"})


def test_a_quarantine_file_that_comes_back_is_read_without_its_reasons() -> None:
    found = columns.match("seizures", ["row", "编号", "查获时间", "reason_zh", "reason_en"])
    assert set(found.matches) == {"report_id", "time"}
    assert found.ignored == ()


@given(
    st.integers(0, 179),
    st.integers(0, 59),
    st.integers(0, 59),
    st.sampled_from(["东经{}°{}′{}″", "E{}°{}'{}\"", "{}度{}分{}秒", "{}:{}:{}"]),
)
def test_degrees_minutes_seconds(degrees: int, minutes: int, seconds: int, form: str) -> None:
    value = coordinates.degrees(form.format(degrees, minutes, seconds))
    assert value == pytest.approx(degrees + minutes / 60 + seconds / 3600, abs=1e-12)


@given(st.integers(0, 999), st.integers(0, 999))
def test_chainage(km: int, metres: int) -> None:
    assert numbers.loose(f"K{km}+{metres:03d}", "km") == pytest.approx(km + metres / 1000)


@pytest.mark.parametrize(
    ("field", "word", "value"),
    [("platform", "巡逻艇", "boat"), ("platform", "徒步", "foot"), ("platform", "无人机", "drone"), ("platform", "摄像头", "camera"),
     ("bank", "左岸", "left"), ("bank", "江心", "mid"), ("setting", "餐馆", "restaurant"), ("origin", "群众举报", "tip"),
     ("disposition", "行政处罚", "administrative"), ("disposition", "刑事立案", "criminal"), ("disposition", "劝导", "advice"),
     ("setting", "月球", None)],
)  # fmt: skip
def test_vocabulary(field: str, word: str, value: str | None) -> None:
    import numpy as np

    values, unknown = vocabulary.translate(field, np.array([word], dtype=object))
    assert values[0] == value
    assert bool(unknown[0]) is (value is None)
