"""The brief in the panel: text, whatever agencies typed, and long lists cut."""

import pandas as pd

from geo_monitor.app.brief import Brief, Section, show
from geo_monitor.app.words import Speaker
from tests.app.fake import HOSTILE

AT = pd.Timestamp("2026-05-01T14:00:00Z")


def test_what_agencies_typed_is_only_text():
    made = Brief("zone", HOSTILE[3], HOSTILE[2], AT, (Section("rules", "规定", HOSTILE, 0, 0),))
    told = show.html(made, Speaker("zh"))
    assert "<script" not in told
    assert "<img" not in told
    assert "&lt;script&gt;" in told
    assert "@@" not in told


def test_a_long_list_says_how_much_is_left_out():
    lines = ("头", *(f"第{i}条" for i in range(9)))
    told = show.html(Brief("reach", "江段", "", AT, (Section("cases", "案件", lines, more=3, lead=1),)), Speaker("zh"))
    assert "第4条" in told
    assert "第5条" not in told
    assert "另有 7 条" in told  # 4 of these 9, and 3 more in the data


def test_an_empty_section_has_no_heading():
    assert "规定" not in show.html(Brief("reach", "江段", "", AT, (Section("rules", "规定", ()),)), Speaker("zh"))
