"""The brief of a place on a river made by hand (`tests.app.stream`): every expected value follows from it by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import shapely

from geo_monitor.app import brief
from geo_monitor.app.brief import facts as brief_facts
from geo_monitor.app.brief import says as brief_says
from geo_monitor.app.words import Speaker
from geo_monitor.errors import Usage
from tests.app import stream
from tests.app.fake import HOSTILE
from tests.water import LAT

ZH, EN = Speaker("zh", stream.NAMES), Speaker("en", stream.NAMES)


def lines(told: brief.Brief, code: str) -> tuple[str, ...]:
    return next(part.lines for part in told.sections if part.code == code)


def test_a_reach_says_where_it_is_and_whose_the_banks_are():
    told = brief.of_reach("r12", stream.known(), ZH)
    assert told.title == "长江 K6–K6.5"
    assert told.subtitle == "左岸甲市、右岸乙市"
    east = stream.lon(6.25)
    assert lines(told, "place") == (
        "长江 K6–K6.5，河道，长 500 米，里程自河口起算",
        "左岸归甲市，右岸归乙市，面向下游分左右",
        f"中点 {east:.5f}°E 30.00000°N（WGS84）",
    )


def test_an_unknown_reach_is_told():
    with pytest.raises(Usage, match="r99"):
        brief.of_reach("r99", stream.known(), ZH)


def test_rate_with_interval_class_hours_and_last_look():
    told = brief.of_reach("r12", stream.known(stream.reaches(r12="hot")), ZH)
    assert lines(told, "rate") == (
        "热（新增热段）：每巡航小时 0.31 起（90% 区间 0.12–0.62），为全流域平均的 6.0 倍；高于平均 2 倍的概率 93%",
        "期内巡航 4.2 小时，查获 3 起",
        "最近一次看到：2026-05-31，9 天前",
    )


def test_what_was_not_looked_at_gets_no_verdict():
    told = brief.of_reach("r12", stream.known(stream.reaches(r12="not_looked")), EN)
    said = " ".join(lines(told, "rate"))
    assert said.startswith("Not looked at enough: neither hot nor cold")
    assert "0.31" not in said
    assert "0.80 h on patrol, under 2 h" in said


@pytest.mark.parametrize(
    ("at", "holds"),
    [
        ("2025-12-31T12:00:00Z", True),
        ("2026-02-28T15:59:00Z", True),  # 23:59 of the last day in Shanghai
        ("2026-02-28T16:00:00Z", False),  # midnight after it
        ("2026-10-31T15:59:00Z", False),
        ("2026-10-31T16:00:00Z", True),  # midnight that begins 1 November
    ],
)
def test_a_season_that_wraps_the_year(at, holds):
    zones = [stream.zone("冬禁", 5, 7, season_from="11-01", season_to="02-28")]
    told = brief.of_reach("r12", stream.known(zones=zones, at=pd.Timestamp(at)), ZH)
    said = lines(told, "rules")[-1]
    assert said.startswith("冬禁（禁捕水域）：" + ("现行有效" if holds else "目前不在有效期或禁期内"))
    assert "每年 11-01 至 02-28" in said
    assert (len(lines(told, "rules")) == 1) is holds  # else a line before says that nothing holds


def test_rules_that_meet_the_reach_and_no_others():
    zones = [
        stream.zone("甲", 6, 6.5, rule="禁止一切捕捞"),
        stream.zone("远", 8, 9),
        stream.zone("将来", 5, 7, valid_from=pd.Timestamp("2027-01-01T00:00:00+08:00")),
        stream.zone("已废", 5, 7, valid_to=pd.Timestamp("2020-01-01T00:00:00+08:00")),
        stream.zone("旧版", 5, 7, valid_to=pd.Timestamp("2020-01-01T00:00:00+08:00"), receipt_id="a"),
        stream.zone("旧版", 5, 7, version=2, receipt_id="b", rule="新文"),
    ]
    said = lines(brief.of_reach("r12", stream.known(zones=zones), ZH), "rules")
    assert [line.partition("（")[0] for line in said] == ["旧版", "甲", "将来", "已废"]
    assert "新文" in said[0]
    assert "禁止一切捕捞" in said[1]
    assert "有效期 2027-01-01 至 长期" in said[2]
    assert "有效期 长期 至 2020-01-01" in said[3]


def test_no_zone_is_no_licence():
    assert "不等于此处没有禁令" in lines(brief.of_reach("r12", stream.known(), ZH), "rules")[0]


CASES = [
    stream.seizure("a", "2026-06-01T14:00:00Z", gear="电捕"),  # 22:00 in Shanghai
    stream.seizure("b", "2026-06-02T15:00:00Z"),
    stream.seizure("c", "2026-06-03T16:00:00Z", origin="tip", catch_kg=3.0),
    stream.seizure("d", "2026-06-04T04:00:00Z", origin="camera", gear=None),
    stream.seizure("later", "2026-06-11T04:00:00Z"),
    stream.seizure("far", "2026-06-04T04:00:00Z"),
]
LINKS = [
    stream.link("a", "r12", 6.1), stream.link("b", "r8", 4.2), stream.link("c", "r16", 8.1, "right"),
    stream.link("d", "r12", 6.4), stream.link("later", "r12", 6.1), stream.link("far", "r17", 8.6),
]  # fmt: skip


def test_cases_of_the_reach_and_within_two_km_by_water():
    """r8 and r16 are 4 x 500 m away from r12, r17 is 2.5 km; one case lies after the moment of the brief."""
    told = brief.of_reach("r12", stream.known(seizures=CASES, linked=LINKS), ZH)
    assert lines(told, "cases") == (
        "本江段及水路 2 公里内共 9 个江段：4 起，其中本江段 2 起",
        "渔具：地笼 2、电捕 1、未填 1",
        "来源：巡护 2、举报 1、监控 1",
        "2026-06-04 12:00【监控】，K6.4 左岸，警告",
        "2026-06-04 00:00【举报】，K8.1 右岸，邻段，地笼，渔获 3.0 公斤，警告",
        "2026-06-02 23:00，K4.2 左岸，邻段，地笼，警告",
        "2026-06-01 22:00，K6.1 左岸，电捕，警告",
    )


def test_twelve_cases_are_listed_and_the_rest_counted():
    many = [stream.seizure(f"s{i:02d}", f"2026-05-{i + 1:02d}T04:00:00Z") for i in range(20)]
    told = brief.of_reach(
        "r12", stream.known(seizures=many, linked=[stream.link(f"s{i:02d}", "r12", 6.1) for i in range(20)]), ZH
    )
    part = next(part for part in told.sections if part.code == "cases")
    assert len(part.lines) - part.lead == 12
    assert part.more == 8
    assert part.lines[part.lead].startswith("2026-05-20")


def test_what_to_check_names_the_fact():
    """Gear: 2 of 3 that state one use 地笼 (0.67 of at least 0.6); bank: 3 of 4 left; night: 22, 23 and 0 h of 4."""
    table = stream.reaches(r11="hot")
    table.loc[table["reach_id"] == "r12", "seizures_unpatrolled"] = 2
    told = brief.of_reach("r12", stream.known(table, seizures=CASES, linked=LINKS), ZH)
    assert lines(told, "check") == (
        "查地笼：附近 3 起中 2 起用此渔具",
        "先看左岸：附近 4 起中 3 起在左岸",
        "宜夜间到场：附近 4 起中 3 起查获于 20:00–04:00",
        "顺查邻段：水路 2 公里内有 1 个热段（长江 K5.5–K6）",
        "走访线索：2 起由举报或监控发现，当时附近无巡护",
    )


def test_nothing_is_invented_where_nothing_is_known():
    assert lines(brief.of_reach("r12", stream.known(), ZH), "check") == ("现有数据没有指向特定核查对象",)


def test_core_zone_and_long_unseen():
    table = stream.reaches(r12="not_looked")
    table["last_look"] = stream.AT - pd.Timedelta(days=45.5)
    zones = [stream.zone("天鹅洲", 5, 7, category="保护区核心区")]
    told = brief.of_reach("r12", stream.known(table, zones), ZH)
    assert lines(told, "check") == (
        "从严核查：位于有效的核心区“天鹅洲”",
        "补看：已 45 天没人来看（超过 30 天）",
        "多看：期内仅巡护 0.80 小时，不足 2 小时，冷热不明",
    )


def test_nearest_units_by_water_and_straight():
    """From r12 (km 6-6.5): a boat at km 10.3 lies on r20, 8 reaches or 4.0 km by water from the mid point and
    3.8 km straight from the end of the reach. A drone 0.1 degrees north (11.085 km) is on no reach."""
    fixes = [
        stream.fix("远艇", "2026-06-10T03:50:00Z", stream.lon(10.3)),
        stream.fix("机", "2026-06-10T03:00:00Z", stream.lon(6.25), LAT + 0.1),
        stream.fix("近艇", "2026-06-10T02:30:00Z", stream.lon(1.0)),  # older; the next one counts
        stream.fix("近艇", "2026-06-10T03:59:30Z", stream.lon(6.75)),
        stream.fix("近艇", "2026-06-10T05:00:00Z", stream.lon(2.0)),  # after the moment
        stream.fix("旧", "2026-06-10T01:59:59Z", stream.lon(6.25)),  # a second over two hours
        stream.fix("货轮", "2026-06-10T03:59:00Z", stream.lon(6.25), role="traffic"),
    ]
    units = stream.filled("units", [{"unit_id": "远艇", "name": "渔政017", "platform": "boat", "agency": "渔政"}])
    told = brief.of_reach("r12", stream.known(fixes=fixes, units=units), ZH)
    assert lines(told, "units") == (
        "1. 近艇 水路约 0.50 公里，直线 0.25 公里；不到 1 分钟前定位",
        "2. 渔政017（船艇，渔政） 水路约 4.0 公里，直线 3.8 公里；10 分钟前定位",
        "3. 机 直线 11 公里（水路不明或超过 50 公里）；1.0 小时前定位",
        "另有 1 个单元最近定位早于 2 小时，未列",
    )


def test_straight_distance_is_geodesic():
    shape = stream.line(6.0, 6.5)
    away = brief_facts._straight(shape, np.array([stream.lon(10.0), stream.lon(6.2)]), np.array([LAT, LAT + 0.01]))
    assert away[0] == pytest.approx(3500, abs=1)
    assert away[1] == pytest.approx(1108.5, abs=1)  # 0.01 degrees of latitude at 30 north


def test_partners_face_each_other_and_begin_up_the_river():
    """丙市 begins with r20 at km 10: from the mid point of r12 (6.25) that is 3.75 km; r9 and r11 add nobody new."""
    told = brief.of_reach("r12", stream.known(), ZH)
    assert lines(told, "partners") == (
        "左岸归甲市、右岸归乙市：两岸分属两地，可商请协同",
        "上游约 3.8 公里起为丙市",
    )
    assert lines(brief.of_reach("r29", stream.known(), ZH), "partners") == (
        "下游约 4.8 公里起为甲市",
        "下游约 4.8 公里起为乙市",
    )
    assert lines(brief.of_reach("r0", stream.known(), ZH), "partners") == ("上游约 4.8 公里起为乙市",)
    table = stream.reaches(12)
    table["adcode_right"] = "420000"
    assert lines(brief.of_reach("r0", stream.known(table), ZH), "partners") == ("水路 5 公里内没有其他辖区",)


def effort(*told: tuple[str, str, float, float]) -> pd.DataFrame:
    rows = [
        {"reach_id": r, "day": pd.Timestamp(day).date(), "platform": "boat", "minutes": m, "stakeout_minutes": s,
         "night_minutes": 0.0, "passes": 2, "units": 1}
        for r, day, m, s in told
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_visits_of_a_reach():
    """30 days to 10 June begin on 12 May: 60 + 30 minutes count, 11 May does not; 11 June is not yet known."""
    held = effort(
        ("r12", "2026-06-10", 60, 20), ("r12", "2026-05-12", 30, 0), ("r12", "2026-05-11", 90, 0),
        ("r12", "2026-06-11", 500, 0), ("r13", "2026-06-01", 500, 0),
    )  # fmt: skip
    told = brief.of_reach("r12", stream.known(effort=held), ZH)
    assert lines(told, "visits") == (
        "近 30 天（05-12 至 06-10）巡护 1.5 小时，2 天到过",
        "2026-06-10 船艇：60 分钟，通过 2 次，单元 1 个，蹲守 20 分钟",
        "2026-05-12 船艇：30 分钟，通过 2 次，单元 1 个",
        "2026-05-11 船艇：90 分钟，通过 2 次，单元 1 个",
    )


def test_a_look_after_the_moment_is_not_told():
    table = stream.reaches()
    table["last_look"] = stream.AT + pd.Timedelta(days=3)
    held = effort(("r12", "2026-06-01", 60, 0))
    assert brief.of_reach("r12", stream.known(table, effort=held), ZH).sections[3].lines[-1] == (
        "最近一次看到：2026-06-02，8 天前"
    )
    assert "期内没有人来看过" in lines(brief.of_reach("r12", stream.known(table), ZH), "rate")


def visit(unit_id: str, zone_id: str, agency: str = "渔政", certainty: str = "observed") -> dict:
    return {
        "unit_id": unit_id, "zone_id": zone_id, "zone_agency": agency, "zone_version": 1, "certainty": certainty,
        "entered_at": pd.Timestamp("2026-06-01T15:30:00Z"), "left_at": pd.Timestamp("2026-06-01T16:15:00Z"),
        "minutes": 45.0, "patrol_id": None,
    }  # fmt: skip


def test_a_zone():
    """km 5.9-7.6 meets r11 (5.5-6) to r15 (7.5-8): five reaches, of 甲市 and 乙市."""
    zones = [stream.zone("天鹅洲", 5.9, 7.6, category="核心区")]
    visits = pd.DataFrame([visit("艇1", "天鹅洲", certainty="possible"), visit("艇2", "天鹅洲", "别家")])
    table = stream.reaches(r12="hot", r13="not_looked")
    table.loc[table["reach_id"] == "r12", "p_hot"] = 0.97
    told = brief.of_zone("天鹅洲", 1, "渔政", stream.known(table, zones, zone_visits=visits), ZH)
    assert told.title == "天鹅洲（核心区）"
    assert lines(told, "place")[:2] == ("涉及 5 个江段：长江 K5.5–K8", "涉及辖区：甲市、乙市")
    assert lines(told, "rules")[0].startswith("天鹅洲（核心区）：现行有效；禁止捕捞")
    assert lines(told, "rate")[0] == "5 段中热 1、冷 0、平 3、看得不够 1"
    assert "最热的一段 长江 K6–K6.5" in lines(told, "rate")[2]
    assert lines(told, "visits")[1:] == ("艇1 2026-06-01 23:30 至 2026-06-02 00:15，45 分钟（出入时刻不确定）",)
    assert lines(told, "partners")[0] == "区内涉及甲市、乙市，可商请协同"
    assert lines(told, "check") == (
        "从严核查：位于有效的核心区“天鹅洲”",
        "先查热段：区内有 1 个热段（长江 K6–K6.5）",
        "补看：区内 5 个江段中 1 个看得不够",
    )


def test_a_zone_without_shape_or_water_still_has_a_brief():
    zones = [stream.zone("空", 5, 6, geometry=None), stream.zone("岸上", 5, 6, geometry=shapely.box(100, 20, 101, 21))]
    for name in ("空", "岸上"):
        told = brief.of_zone(name, 1, "渔政", stream.known(zones=zones), EN)
        assert lines(told, "place")[0] == "Meets no reach"
    with pytest.raises(Usage):
        brief.of_zone("空", 1, "别家", stream.known(zones=zones), ZH)


def test_a_unit():
    zones = [stream.zone("天鹅洲", 5.9, 7.6)]
    fixes = [stream.fix("艇1", "2026-06-10T03:50:00Z", stream.lon(6.3))]
    visits = pd.DataFrame([visit("艇1", "天鹅洲")])
    held = stream.known(zones=zones, fixes=fixes, zone_visits=visits)
    told = brief.of_unit(SimpleNamespace(**fixes[0]), held, ZH)
    assert (told.kind, told.title) == ("unit", "艇1")
    assert lines(told, "place")[1:3] == (
        "航速 7.2 公里/小时，航向 90°",
        "长江 K6–K6.5，河道，长 500 米，里程自河口起算",
    )
    assert "定位于 2026-06-10 11:50" in lines(told, "place")[0]
    assert lines(told, "visits")[1].startswith("天鹅洲 2026-06-01 23:30")
    assert lines(told, "units") == ("近 2 小时内没有巡护单元的定位",)  # itself is not its neighbour
    assert lines(told, "rules")[0].startswith("天鹅洲（禁捕水域）：现行有效")


def test_a_unit_off_the_water_says_so():
    fix = SimpleNamespace(**stream.fix("车", "2026-06-10T03:50:00Z", 111.5, 31.0), platform="vehicle")
    told = brief.of_unit(fix, stream.known(), ZH)
    assert lines(told, "place")[-1].startswith("2,000 米内没有江段")
    assert {part.code for part in told.sections} == {"check", "place", "rules", "visits", "units"}


@pytest.mark.parametrize("text", [*HOSTILE, "x" * 100_000, "a\n\u202eb", "@app.hot"])
def test_what_agencies_typed_stays_text(text):
    zones = [stream.zone("z", 5, 7, name=text, rule=text, agency=text, category=text)]
    seizures = [stream.seizure("a", "2026-06-01T14:00:00Z", gear=text)]
    fixes = [stream.fix(text, "2026-06-10T03:50:00Z", stream.lon(6.3))]
    held = stream.known(None, zones, seizures, [stream.link("a", "r12", 6.1)], fixes)
    told = brief.of_reach("r12", held, EN)
    assert all(len(line) < 1200 and "\n" not in line for part in told.sections for line in part.lines)
    assert brief_says.clean(text)[:20] in " ".join(lines(told, "rules"))


def test_both_languages_say_the_same_sections():
    zh, en = (brief.of_reach("r12", stream.known(seizures=CASES, linked=LINKS), s) for s in (ZH, EN))
    assert [(p.code, len(p.lines), p.more) for p in zh.sections] == [
        (p.code, len(p.lines), p.more) for p in en.sections
    ]


def test_the_sketch_lies_in_its_square():
    zones = [stream.zone("天鹅洲", 5.9, 7.6)]
    held = stream.known(zones=zones, fixes=[stream.fix("艇1", "2026-06-10T03:50:00Z", stream.lon(6.3))])
    shape = brief.of_reach("r12", held, ZH).shape
    assert shape is not None
    assert shape.half_m == 2500
    # 5 km of river around km 6.25 touch r7 (3.5-4) to r17 (8.5-9): 11 reaches, the place one of them
    assert (len(shape.reaches), sum(here for _, _, here in shape.reaches)) == (11, 1)
    assert [value for _, _, value in shape.labels] == [6.0, 4.0, 8.0]
    x, y, n = shape.units[0]
    assert (x, y, n) == (pytest.approx(-50, abs=1), pytest.approx(0, abs=1), 1)
    assert shape.flow is not None
    assert shape.flow[2] == pytest.approx(1)  # east
