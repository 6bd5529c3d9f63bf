from types import SimpleNamespace

import pandas as pd

from geo_monitor.app.words import Speaker
from geo_monitor.messages import app as catalogue
from tests.app.fake import HOSTILE

ROW = SimpleNamespace(
    level="reach", kind="channel", river="长江", km_from=1012.0, km_to=1012.5, state="hot", seizures=3,
    seizures_unpatrolled=1, patrol_h=4.21, rate=0.314, rate_lo=0.12, rate_hi=0.62, rr=6.04, p_hot=0.934, unseen_d=9.7,
    adcode_left="421000", adcode_right="430600", hot=1, normal=0, cold=0, not_looked=0,
)  # fmt: skip
NAMES = {"421000": "荆州市", "430600": "岳阳市"}


def test_a_hot_reach_in_chinese():
    speaker = Speaker("zh", NAMES)
    assert speaker.title(ROW) == "长江 K1,012–K1,012.5（左岸荆州市、右岸岳阳市）"
    assert speaker.about(ROW) == (
        "热：每巡航小时 0.31 起（90% 区间 0.12–0.62），为全流域平均的 6.0 倍；高于平均 2 倍的概率 93%；"
        "期内巡航 4.2 小时，查获 3 起；另有 1 起由举报或监控发现、当时附近无巡护，不计入；最近一次看到：9 天前。"
    )


def test_the_same_reach_in_english():
    speaker = Speaker("en", NAMES)
    assert speaker.title(ROW) == "Yangtze K1,012–K1,012.5 (left bank Jingzhou, right bank Yueyang)"
    assert "0.31 cases per hour looked (90% interval 0.12–0.62), 6.0 times the basin rate" in speaker.about(ROW)


def test_what_was_not_looked_at_gets_no_rate():
    told = Speaker("zh").about(
        SimpleNamespace(**{**vars(ROW), "state": "not_looked", "patrol_h": 0.8, "unseen_d": float("nan")})
    )
    assert told == (
        "看得不够：期内巡航 0.80 小时，不足 2 小时，冷热不作判断；"
        "另有 1 起由举报或监控发现、当时附近无巡护，不计入；期内没有人来看过。"
    )


def test_one_locality_on_both_banks_is_named_once():
    row = SimpleNamespace(**{**vars(ROW), "adcode_right": "421000"})
    assert Speaker("zh", NAMES).title(row) == "长江 K1,012–K1,012.5（荆州市）"


def test_a_zone_with_its_season():
    row = SimpleNamespace(
        zone_id="Z",
        version=2,
        name="天鹅洲",
        category="核心区",
        rule="全年禁捕",
        season_from="03-01",
        season_to="06-30",
        valid_from=pd.Timestamp("2021-01-01T00:00:00+08:00"),
        valid_to=pd.NaT,
        agency=None,
    )
    assert Speaker("zh").zone(row, True) == (
        "天鹅洲（核心区）",
        "现行有效；全年禁捕；每年 03-01 至 06-30；有效期 2021-01-01 至 长期。",
    )


def test_times_are_shanghai_times():
    row = SimpleNamespace(
        report_id=HOSTILE[0],
        time=pd.Timestamp("2026-05-31T16:30:00Z"),
        setting=None,
        place=None,
        origin="tip",
        gear=None,
        catch_kg=float("nan"),
        disposition="criminal",
    )
    assert Speaker("zh").seizure(row)[1] == "2026-06-01 00:30；环节不明；群众举报；刑事立案。"


def test_every_sentence_has_both_languages_and_the_same_placeholders():
    import string

    for code, (zh, en) in catalogue.MESSAGES.items():
        fields = [{name for _, name, _, _ in string.Formatter().parse(text) if name} for text in (zh, en)]
        assert zh, code
        assert fields[0] == fields[1], code
