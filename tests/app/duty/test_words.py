"""What warnings, events and taskings say, in both languages; and how they are drawn."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as some

from geo_monitor.app.deck import BASIN, fit
from geo_monitor.app.duty import board, drawing, look
from geo_monitor.app.duty.words import Teller, span
from geo_monitor.app.words import Speaker
from geo_monitor.tables import EVENT_KINDS, GRADES

START = pd.Timestamp("2026-06-01T14:00Z")
EVIDENCE = {
    "zone_entry": {"certainty": "goes on"},
    "no_permit": {"certainty": "possible"},
    "slow": {"speed_mps": {"least": 0.4, "mean": 0.6, "most": 0.9}, "current": "not known",
             "limits": {"slow_low_kn": 0.2, "slow_high_kn": 2.5, "slow_s": 600.0}},
    "loiter": {"speed_mps": {"least": 0.0, "mean": 0.1, "most": 0.2},
               "limits": {"loiter_m": 150.0, "loiter_kn": 1.0, "loiter_s": 1800.0}},
    "meeting": {"metres": {"least": 4.2, "mean": 18.0}, "limits": {"meeting_m": 50.0, "meeting_s": 600.0}},
    "gap": {"limit_s": 900.0, "median_interval_s": 30.0, "others_heard": 4, "others_silent": 1},
    "dark": {"detections": 12, "limits": {"dark_m": 200.0, "dark_s": 120.0}},
    "overdue": {"patrol_began": 1_780_300_800_000, "metres_from_begin": 5200,
                "limits": {"overdue_s": 43_200.0, "overdue_silent_s": 3600.0}},
    "avoids": {"approaches": 5, "left": 4, "quiet": 40, "quiet_left": 6, "p_value": 0.004, "limits": {"avoids_m": 3000.0}},
}  # fmt: skip
TOLD = {
    "zone_entry": "仍在其中",
    "no_permit": "进出时刻为推算",
    "slow": "航速 0.8–1.7 节，平均 1.2 节（阈值 0.20–2.5 节、持续 10 分钟）；流速不明，未扣除",
    "loiter": "航速平均 0.2 节，最高 0.4 节（阈值：距码头 150 米内、低于 1.0 节、持续 30 分钟）",
    "meeting": "两船平均相距 18 米，最近 4.2 米（阈值 50 米内、持续 10 分钟）",
    "gap": "平时每 30 秒一次定位，静默超过 15 分钟即判为中断；附近其他船只 4 艘，其中 1 艘同时无信号",
    "dark": "雷达或摄像发现 12 次，200 米、120 秒内无船只报位",
    "overdue": "06-01 16:00 出航，距出发地 5,200 米（阈值：出航 720 分钟未归，或静默 60 分钟）",
    "avoids": "巡护靠近（3,000 米内）5 次，其中 4 次离开；平时 40 段中离开 6 段；偶然如此的概率 0.004",
}


def event(kind: str, evidence: dict) -> SimpleNamespace:
    return SimpleNamespace(
        kind=kind, rule=kind, rule_version=2, state="ended", unit_ids=["u"], zone_id=None, started_at=START,
        ended_at=START + pd.Timedelta(minutes=20), evidence=json.dumps({"minutes": 20.0, **evidence}),
    )  # fmt: skip


@pytest.mark.parametrize("kind", EVENT_KINDS)
def test_every_kind_of_event_says_what_was_measured_against_what(kind: str) -> None:
    head, body = Teller(Speaker("zh"), {"u": "渔1"}).event(event(kind, EVIDENCE[kind]))
    assert head.startswith("渔1 ")
    assert TOLD[kind] in body
    assert "历时 20 分钟" in body and f"规则 {kind} 第 2 版" in body
    english = Teller(Speaker("en")).event(event(kind, EVIDENCE[kind]))[1]
    assert "{" not in english and english.endswith(".")
    assert Teller(Speaker("zh")).event(event(kind, {}))[1]  # evidence of another program says less, and does not break


@given(some.integers(0, 10**7))
def test_a_clock_can_be_read_back(seconds: int) -> None:
    parts = [int(part) for part in span(float(seconds)).split(":")]
    assert sum(part * 60**i for i, part in enumerate(reversed(parts))) == seconds


def warnings(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["warning_id", "grade", "lon", "lat"])
    return frame.assign(cls="gear", reach_id=None, adcode=None, evidence="{}")


def test_of_warnings_at_one_place_the_gravest_is_drawn_or_the_chosen_one() -> None:
    frame = warnings(
        ("a", "blue", 112.0, 30.0), ("b", "red", 112.0, 30.0), ("c", "yellow", 113.0, 30.0), ("d", "red", np.nan, 30.0)
    )
    drawn = drawing.warnings(frame, None, Teller(Speaker("zh")), "day", 0)
    assert [mark["id"] for mark in drawn[0]["data"]] == ["warning|c", "warning|b"]
    drawn = drawing.warnings(frame, "a", Teller(Speaker("zh")), "day", 0)
    assert [mark["id"] for mark in drawn[1]["data"]] == ["warning|c", "warning|a"]
    assert drawn[0]["id"] == "duty-ring"
    assert {mark["shape"] for mark in drawn[2]["data"]} == {"■", "●"}  # told by shape, not by colour alone


def test_hostile_names_reach_the_map_as_text_only() -> None:
    teller = Teller(Speaker("zh"), {"u": "@@=foo((({x}"})
    drawn = drawing.tracks([("u", np.array([[112.0, 30.0, 0.0], [112.1, 30.0, 1.0]]))], teller, "day")
    assert drawn[-1]["data"][0]["name"] == "＠＠=foo(((｛x｝"


def test_many_warnings_are_not_all_drawn() -> None:
    frame = warnings(*[(f"w{i}", "blue", 100 + i * 0.001, 30.0) for i in range(3000)])
    drawn = drawing.warnings(frame, "w2999", Teller(Speaker("zh")), "day", 0)
    assert len(drawn[1]["data"]) == drawing.DRAWN_MOST + 1


def test_the_map_shows_the_chosen_one_with_its_track_at_any_size() -> None:
    row = SimpleNamespace(lon=112.0, lat=30.0)
    ways = [("u", np.array([[112.0, 30.0, 0.0], [112.2, 30.1, 1.0]]))]
    bounds = drawing.around(row, ways, warnings(), BASIN)
    assert bounds == (111.98, 29.98, 112.22, 30.12)
    small = fit(drawing.fitted(bounds, 400, 300))
    assert abs(small["zoom"] - fit(bounds, 400, 300, 8)["zoom"]) < 0.05
    assert drawing.around(None, [], warnings(), BASIN) == BASIN


def test_rows_become_plain_and_back() -> None:
    frame = pd.DataFrame({"adcode": ["421022", None], "n": [1.5, np.nan], "ids": [["a"], None]})
    assert board.plain_rows(frame) == [
        {"adcode": "421022", "n": 1.5, "ids": ("a",)},
        {"adcode": None, "n": None, "ids": None},
    ]


def contrast(a: tuple[int, int, int], b: tuple[int, int, int]) -> float:
    """WCAG 2.1: relative luminance, and (lighter + 0.05) / (darker + 0.05)."""

    def luminance(colour: tuple[int, int, int]) -> float:
        parts = [c / 255 for c in colour]
        linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_words_of_a_grade_can_be_read_on_its_colour() -> None:
    assert contrast((255, 255, 255), (0, 0, 0)) == pytest.approx(21)
    for theme in ("day", "night"):
        for grade in GRADES:
            assert contrast(look.INK[grade], look.GRADES[theme][grade]) >= 4.5, (theme, grade)
