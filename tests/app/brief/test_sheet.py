"""The page of a brief: always one, its text right when copied out, whatever agencies typed."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor.app import brief
from geo_monitor.app.brief import Brief, Section, sheet
from geo_monitor.app.brief.paper import MISSING, Paper
from geo_monitor.app.brief.sketch import Sketch
from geo_monitor.app.words import Speaker
from tests.app import pages, stream
from tests.app.fake import HOSTILE


@pytest.fixture
def paper():
    held = Paper(stream.AT.to_pydatetime(), "")
    yield held
    held.bytes()  # closes the font


ZH, EN = Speaker("zh", stream.NAMES), Speaker("en", stream.NAMES)


def full(speaker: Speaker = ZH) -> Brief:
    zones = [stream.zone("天鹅洲", 5.9, 7.6, category="核心区"), stream.zone("冬禁", 5, 7, season_from="11-01")]
    cases = [stream.seizure(f"s{i:02d}", f"2026-05-{i + 1:02d}T14:00:00Z", lon=112.0, lat=30.0) for i in range(20)]
    linked = [stream.link(f"s{i:02d}", "r12", 6.1) for i in range(20)]
    fixes = [stream.fix(f"艇{i}", "2026-06-10T03:50:00Z", stream.lon(6 + i)) for i in range(7)]
    held = stream.known(stream.reaches(r12="hot", r13="not_looked", r11="cold"), zones, cases, linked, fixes, run="批1")
    return brief.of_reach("r12", held, speaker)


def made(title: str = "t", lines: tuple[str, ...] = ("a",), more: int = 0, **changed: object) -> Brief:
    told = Brief("reach", title, "s", stream.AT, (Section("check", "h", lines, more),))
    return dataclasses.replace(told, **changed)


def test_one_page_that_says_what_the_brief_says():
    told = full()
    file = sheet.pdf(told, ZH, simulated=True)
    assert file.startswith(b"%PDF-")
    assert pages.count(file) == 1
    said = pages.text(file)
    assert {
        "长江 K6–K6.5",
        "左岸甲市、右岸乙市",
        "截至 2026-06-10 12:00（北京时间）",
        "长江禁捕执法 · 江段简报",
    } <= set(said)
    whole = "".join(said)
    for part in told.sections:
        assert part.heading in said
        assert part.lines[0] in whole
    assert "分析批次 批1 · 演示：巡护与查获均为模拟" in whole
    assert {"到达时间", "现场情况", "签名", "北", "2 km", "K6"} <= set(said)


def test_english():
    said = " ".join(pages.text(sheet.pdf(full(EN), EN, simulated=False)))
    assert "Yangtze K6–K6.5" in said
    assert "left bank 甲市, right bank 乙市" in said
    assert "simulated" not in said


def test_the_same_brief_gives_the_same_bytes_and_its_own_date():
    first, second = (sheet.pdf(full(), ZH, simulated=True) for _ in range(2))
    assert first == second
    assert b"/CreationDate (D:20260610040000Z" in first


def test_the_font_is_inside_and_small():
    file = sheet.pdf(full(), ZH, simulated=True)
    assert b"/FontFile3" in file or b"/FontFile2" in file
    assert b"/BaseFont /MPDFAA+NotoSansCJKSC" in file
    assert len(file) < 200_000
    assert b"http" not in file.lower().replace(b"http://www.w3.org", b"").replace(b"http://ns.adobe.com", b"")


def test_a_long_list_is_cut_and_the_rest_counted():
    """200 lines: what stands on the page and what is told to be left out make 200, and 30 more that were known."""
    file = sheet.pdf(made(lines=tuple(f"行{i:03d}" for i in range(200)), more=30), ZH, simulated=False)
    said = pages.text(file)
    shown = [line for line in said if line.startswith("行")]
    assert shown == [f"行{i:03d}" for i in range(len(shown))]
    assert f"另有 {230 - len(shown)} 条，见系统" in said
    assert pages.count(file) == 1


@pytest.mark.parametrize("text", [*HOSTILE, "@@=foo(", "(\\)(", "**粗** __线__ <b>x</b>", "%PDF ) Tj ET"])
def test_hostile_text_stands_as_typed(text, paper):
    held = stream.known(zones=[stream.zone("z", 5, 7, rule=text, name=text)])
    told = brief.of_reach("r12", held, ZH)
    said = pages.text(sheet.pdf(dataclasses.replace(told, title=text), ZH, simulated=False))
    assert paper.clean(text) in said  # the title
    assert paper.clean(text)[:12] in "".join(said).replace(paper.clean(text), "", 1)  # the rule


def test_what_cannot_be_shown_is_seen_to_be_missing():
    said = pages.text(sheet.pdf(made("甲\u202e乙\x00丙\u200b㐂𠮷\ud800丁\n戊"), ZH, simulated=False))
    assert f"甲乙丙{MISSING}{MISSING}丁 戊" in said


def test_a_text_of_a_hundred_thousand_characters_is_cut_with_an_ellipsis():
    rule = "禁止捕捞、垂钓" * 15_000
    told = brief.of_reach("r12", stream.known(zones=[stream.zone("z", 5, 7, rule=rule)]), ZH)
    file = sheet.pdf(told, ZH, simulated=False)
    assert pages.count(file) == 1
    whole = "".join(pages.text(file))
    assert "…" in whole
    assert "（全文 105,000 字，此处从略）" in next(part.lines[0] for part in told.sections if part.code == "rules")
    assert "签名" in whole


def test_lines_fit_their_width_and_break_as_people_break_them(paper):
    found = paper.lines("每年三月一日起，禁止一切捕捞（含垂钓）；违者移交 Jingzhou-fishery-017 处理。", 30, 8, 20)
    assert all(paper.width(line, 8) <= 30 for line in found)
    assert not any(line[0] in "，；。）" for line in found)
    assert "Jingzhou-fishery-017" in "".join(found)
    assert any(line.startswith("Jingzhou-fishery-017") for line in found)
    assert paper.lines("一二三四五六七八九十" * 5, 30, 8, 2)[-1].endswith("…")
    assert paper.lines("", 30, 8) == []


def test_nothing_is_written_outside_the_page():
    """Every baseline lies on the paper, and every text ends before the right edge."""
    file = sheet.pdf(full(EN), EN, simulated=True)
    page = next(part for part in pages._streams(file) if b" Tj ET" in part)
    spots = [(float(x), float(y)) for x, y in re.findall(rb"BT ([-\d.]+) ([-\d.]+) Td", page)]
    assert len(spots) > 40
    x, y = np.array(spots).T
    assert x.min() >= 12 * 72 / 25.4 - 0.01
    assert x.max() < 198 * 72 / 25.4
    assert y.min() > 10 * 72 / 25.4 * 0.5
    assert y.max() < 297 * 72 / 25.4


SHAPE = Sketch(
    2500.0,
    ((shapely.LineString([(-100, 0), (100, 0)]), "hot", True), (shapely.box(0, 0, 50, 50), "not_looked", False)),
    ((shapely.box(-500, -500, 500, 500), True), (shapely.MultiPolygon([shapely.box(9, 9, 90, 90)]), False)),
    (0.0, 0.0),
    ((10.0, 10.0),),
    ((20.0, 20.0, 1),),
    ((0.0, 0.0, 6.0),),
    (0.0, 0.0, -1.0, 0.0),
)


@given(st.lists(st.text(max_size=400), min_size=1, max_size=25), st.integers(1, 12), st.booleans())
@settings(max_examples=20, deadline=None)
def test_any_text_yields_exactly_one_page(texts, parts, simulated):
    """Whatever stands in title, headings and lines, however many there are."""
    names = ("check", "place", "rules", "rate", "cases", "visits", "units", "partners")
    sections = tuple(Section(names[i % 8], texts[i % len(texts)], tuple(texts * 3), i) for i in range(parts))
    told = Brief("zone", texts[0], texts[-1], stream.AT, sections, SHAPE, tuple(texts), texts[0])
    file = sheet.pdf(told, ZH if simulated else EN, simulated)
    assert pages.count(file) == 1
    said = pages.text(file)
    assert ("签名" if simulated else "Signature") in said


def test_a_brief_without_shape_or_run():
    assert pages.count(sheet.pdf(made(at=pd.NaT), ZH, simulated=False)) == 1
