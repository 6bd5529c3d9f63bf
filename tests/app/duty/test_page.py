"""The page of the warnings over a real workspace: what it says, every act, every refusal, who may do what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from geo_monitor.alerts.backtest import Backtest
from geo_monitor.app.duty import board, waiting
from geo_monitor.app.job import jobs
from geo_monitor.app.words import percent
from geo_monitor.loop.ground import Ground
from geo_monitor.store import live, revisions
from geo_monitor.store.rights import Viewer
from geo_monitor.workspace import Workspace
from tests.app.duty import made
from tests.app.duty.made import field, opened, press, ran, said, submit, warning

WORD = "江豚与中华鲟同游十里"


def at_ms(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def newest(held: Workspace, warning_id: str) -> dict:
    return revisions.of_ids(held._store, "warnings", [warning_id])[warning_id]


# --- the queue ------------------------------------------------------------------------------------------------------


def test_the_queue_stands_by_its_clocks_and_says_what_police_need(held: Workspace) -> None:
    zone, gear, trade = (warning(held, name) for name in ("zone", "gear", "trade"))
    assert zone["grade"] == "yellow" and gear["grade"] == "blue"  # 1/26 x 1.5 and 1/26 x 1
    words = said(opened(held))
    # the yellow ones of 22:15 and 22:50 had 2 h, so 00:15 and 00:50; the blue one of 22:40 has a day
    assert words.index("中段禁捕区") < words.index("转运销售") < words.index("非法捕捞作业")
    assert "签收剩 1:15:00" in words  # 00:15 less 23:00
    assert "■ 黄色" in words and "● 蓝色" in words
    assert "试江 K" in words and "甲县" in words and "乙县" in words
    assert "始于 06-01 22:05" in words
    assert f"立案概率 4%（90% 区间 &lt;1%–{percent(zone['probability_hi'])}，尚未校准）" in words
    assert "待签收、现由县级（甲县）签收" in words
    assert "没有逾期" in words
    assert trade["state"] == "open"


def test_what_has_run_out_comes_first_and_goes_to_who_must_sign_now(held: Workspace, clock: dict[str, int]) -> None:
    clock["ms"] = made.T0 + (135 + 10) * made.MINUTE  # ten minutes after the clock of the zone entry
    words = said(opened(held))
    assert "签收逾期 10:00" in words
    assert "逾期 1 条" in words
    assert "现由市级（荆州市）签收" in words


def test_the_clock_moves_and_nothing_else_does(held: Workspace, clock: dict[str, int]) -> None:
    at = opened(held, warning=warning(held, "zone")["warning_id"])
    before = said(at)
    clock["ms"] += 2_000
    after = said(ran(at))
    assert "签收剩 1:14:58" in after
    assert after.replace("1:14:58", "1:15:00").replace("1:49:58", "1:50:00").replace("23:39:58", "23:40:00") == before


def test_thousands_of_warnings_are_paged(held: Workspace) -> None:
    one = warning(held, "zone")
    rows = [{**one, "warning_id": f"w{i:05d}", "revision": None, "sign_by": one["sign_by"] + i} for i in range(3000)]
    revisions.revise(held._store, "warnings", rows, made.NOW, "geo-monitor")
    at = opened(held)
    looks = [button for button in at.button if (button.key or "").startswith("duty-look-")]
    assert len(looks) == waiting.PAGE
    assert f"第 1 / {-(-3003 // waiting.PAGE)} 页，共 3,003 条" in said(at)
    at = press(at, "duty-on")
    assert "第 2 / " in said(at)


def test_an_empty_queue_says_whether_anybody_listens(held: Workspace, clock: dict[str, int]) -> None:
    for name in ("zone", "gear", "trade"):
        held.desk.recall(warning(held, name)["warning_id"], "演练", at_ms(made.NOW))
    words = said(opened(held))
    assert "没有待办的预警。" in words
    assert "正在接收 1 路实时数据" in words and "最近一批 30 秒前" in words
    clock["ms"] += 3_600_000
    assert "实时数据已中断" in said(opened(held))


def test_a_workspace_without_feeds_says_how_to_begin(tmp_path, clock: dict[str, int]) -> None:
    words = said(opened(Workspace.create(tmp_path / "new")))
    assert "还没有接入实时数据" in words and "geo-monitor watch" in words


def test_filters_stand_in_the_address_and_say_what_they_hide(held: Workspace) -> None:
    at = opened(held, grade="blue")
    words = said(at)
    assert "非法捕捞作业" in words and "转运销售；" not in words
    assert "另有 2 条不在左侧所选范围内" in words
    at = opened(held, **{"class": "tip"})
    assert "范围外还有 3 条" in said(at)
    field(at, "button_group", "duty-class").set_value(["trade"])
    ran(at)
    assert at.query_params["class"] == "trade"
    assert "转运销售" in said(at)


def test_the_wall_shows_the_queue_only(held: Workspace) -> None:
    at = opened(held, wall="1")
    assert "中段禁捕区" in said(at)
    assert not [button for button in at.button if (button.key or "").startswith("duty-")]


def test_english_says_the_same(held: Workspace) -> None:
    words = said(opened(held, lang="en", warning=warning(held, "gear")["warning_id"]))
    assert "▲ red" in words or "■ yellow" in words
    assert "1:15:00 to sign" in words and "not yet calibrated" in words
    assert "渔2 slow movement like fishing" in words
    assert "threshold 0.20–2.5 kn for 10 min" in words


# --- the chosen one -------------------------------------------------------------------------------------------------


def test_the_chosen_one_says_why(held: Workspace) -> None:
    at = press(opened(held), f"duty-look-{warning(held, 'gear')['warning_id']}")
    words = said(at)
    assert at.query_params["warning"] == warning(held, "gear")["warning_id"]
    assert "渔2 疑似作业的慢速航行" in words
    assert "06-01 22:30 至 06-01 22:50，历时 20 分钟" in words
    assert "航速 0.8–1.7 节，平均 1.2 节（阈值 0.20–2.5 节、持续 10 分钟）" in words  # 0.4, 0.9, 0.6 m/s over 0.5144
    assert "流速不明，未扣除" in words and "依据 20 个定位" in words and "规则 slow 第 1 版" in words
    assert "系统　发布，蓝色" in words


def test_a_warning_that_is_not_there_is_said(held: Workspace) -> None:
    assert "没有这条预警，或不在您的辖区内" in said(opened(held, warning="nothing"))


def test_hostile_names_are_only_text(held: Workspace) -> None:
    at = opened(held, warning=warning(held, "trade")["warning_id"])
    words = said(at)
    assert "<script>" not in words.replace("<script>document", "", 0) or "&lt;script&gt;" in words
    assert made.HOSTILE[0] not in words
    assert "&lt;script&gt;document.title=&#x27;broken&#x27;" in words


def test_signing_shows_at_once(held: Workspace) -> None:
    one = warning(held, "zone")["warning_id"]
    at = press(opened(held, warning=one), "duty-do-sign")
    words = said(at)
    assert "已签收。" in words
    assert "反馈剩 " in words
    assert newest(held, one)["state"] == "signed" and newest(held, one)["signed_by"] == "local"


def test_verifying_closing_and_what_they_refuse(held: Workspace) -> None:
    one = warning(held, "zone")["warning_id"]
    at = press(press(opened(held, warning=one), "duty-do-sign"), "duty-do-verify")
    field(at, "text_input", "note").set_value("两人起网")
    assert newest(held, one)["state"] == "signed"
    at = submit(at, "确认核实")
    assert newest(held, one)["state"] == "verified" and newest(held, one)["reason"] == "两人起网"
    at = submit(press(at, "duty-do-close"), "确认办结")
    assert "须填写处置结果" in said(at) and newest(held, one)["state"] == "verified"
    field(at, "selectbox", "outcome").set_value("nothing_found")
    at = submit(at, "确认办结")
    assert "办结须写明理由" in said(at) and newest(held, one)["state"] == "verified"
    field(at, "text_area", "words").set_value("人已离开")
    at = submit(at, "确认办结")
    assert newest(held, one)["outcome"] == "nothing_found"
    assert "已办结。" in said(at)
    done = opened(held, tab="done")
    assert done.dataframe[0].value["结果"].tolist() == ["未发现"]


def test_regrading_recalling_silencing_need_a_reason(held: Workspace) -> None:
    one = warning(held, "zone")["warning_id"]
    at = press(opened(held, warning=one), "duty-do-regrade")
    at = submit(at, "确认调整等级")
    assert "调整等级须写明理由" in said(at) and newest(held, one)["grade"] == "yellow"
    field(at, "selectbox", "grade").set_value("red")
    field(at, "text_input", "words").set_value("惯犯")
    at = submit(at, "确认调整等级")
    assert newest(held, one)["grade"] == "red"
    assert "签收剩 15:00" in said(at)  # red: 15 min from now on
    assert "等级 ■ 黄色 → ▲ 红色；惯犯" in said(at)
    at = submit(press(at, "duty-do-recall"), "确认撤回")
    assert "撤回须写明理由" in said(at)
    other = warning(held, "gear")["warning_id"]
    at = submit(press(opened(held, warning=other), "duty-do-silence"), "确认静默")
    assert "静默须写明理由" in said(at)
    field(at, "text_input", "words").set_value("航道疏浚")
    field(at, "selectbox", "hours").set_value(24)
    at = submit(at, "确认静默")
    assert newest(held, other)["state"] == "recalled"
    quiet = board.told(type("Row", (), {"evidence": newest(held, other)["evidence"]}))["quiet"]
    assert quiet["until"] == made.NOW + 24 * 3_600_000
    at = press(opened(held, warning=one), "duty-do-recall")
    field(at, "text_input", "words").set_value("演练")
    submit(at, "确认撤回")
    assert newest(held, one)["state"] == "recalled"


def test_sending_who_can_be_there_first(held: Workspace) -> None:
    one = warning(held, "zone")["warning_id"]
    at = press(opened(held, warning=one), "duty-do-dispatch")
    words = said(at)
    assert "谁能先到" in words
    assert words.index("渔政01") < words.index("渔政02")  # 6.3 km against 10 km
    assert "水路；" in words and "空闲" in words and "定位 1 分钟前" in words
    at = press(at, "duty-send-渔政01")
    assert "已派单，等待接单。" in said(at)
    assert newest(held, one)["state"] == "dispatched"
    assert "渔政01；" in said(at)
    assert held.desk.taskings(one)["state"].tolist() == ["offered"]


def test_nobody_to_send_is_kept_with_its_reason(held: Workspace) -> None:
    one = warning(held, "zone")["warning_id"]
    at = press(press(opened(held, warning=one), "duty-do-sign"), "duty-do-dispatch")
    at = submit(at, "无力量可派")
    assert "请写明原因" in said(at) and not len(held.desk.taskings(one))
    field(at, "text_input", "nobody").set_value("大风封航")
    at = submit(at, "无力量可派")
    assert held.desk.taskings(one)["state"].tolist() == ["no_unit"]
    assert "大风封航" in said(at) and "无力量可派 1 次" in said(at)


def test_somebody_quicker_is_told_by_name(held: Workspace) -> None:
    one = warning(held, "zone")["warning_id"]
    at = opened(held, warning=one)
    revision = newest(held, one)["revision"]
    other = Workspace(held.root, Viewer("王队", None, ("commander",), ("100000",)))
    other.desk.sign(one, at_ms(made.NOW))
    press(at, "duty-do-sign")
    assert "王队 已先一步处理了预警" in said(at) and "现为“已签收”" in said(at)
    assert newest(held, one)["revision"] == revision + 1 and newest(held, one)["signed_by"] == "王队"


def test_what_the_duty_room_adds_keeps_nobody_from_acting(held: Workspace) -> None:
    one = warning(held, "zone")["warning_id"]
    at = opened(held, warning=one)
    ground = Ground.of(held._store, held.settings, made.NOW)
    more = made.event("zone_entry", "渔9", 112.23, made.T0 + 50 * made.MINUTE, ground, zone_id="Z1")
    made.put(held, ground, [more], made.NOW)
    assert newest(held, one)["revision"] > 1
    assert "已签收。" in said(press(at, "duty-do-sign"))


# --- rights ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def office(held: Workspace) -> Workspace:
    """A county's and a city's commander, and an analyst."""
    now = datetime.now(UTC)
    held.accounts.add_agency("甲县渔政", "421022", now, "local")
    for name, role, areas in (("管", "admin", ["100000"]), ("县", "commander", ["421022"]), ("市", "commander", ["421000"]),
                              ("析", "analyst", ["421022"])):  # fmt: skip
        if name == "管":
            held.accounts.add(name, WORD, [role], None, areas, now, "local")
            held = Workspace(held.root, Viewer("管", None, ("admin",), ("100000",)))
        else:
            held.accounts.add(name, WORD, [role], "甲县渔政", areas, now, "管")
    return held


def entered(held: Workspace, name: str, **query: str):
    session = held.accounts.sign_in(name, WORD, datetime.now(UTC), "page")
    return opened(held, viewer=session.viewer, token=session.token, **query)


def buttons(at) -> list[str]:
    return [one.key.removeprefix("duty-do-") for one in at.button if (one.key or "").startswith("duty-do-")]


def test_buttons_follow_rights_and_localities(office: Workspace, clock: dict[str, int]) -> None:
    one, theirs = warning(office, "zone")["warning_id"], warning(office, "trade")["warning_id"]
    assert "sign" in buttons(entered(office, "县", warning=one))
    assert buttons(entered(office, "析", warning=one)) == []
    at = entered(office, "县", warning=theirs)
    assert "不在您的辖区内" in said(at) and "转运销售；" not in said(at)
    clock["ms"] = made.T0 + 140 * made.MINUTE  # unsigned, it has gone up to the city
    at = entered(office, "县", warning=one)
    assert "sign" not in buttons(at) and "dispatch" not in buttons(at)
    assert "您的账号不在其列" in said(at)
    assert "sign" in buttons(entered(office, "市", warning=one))


def test_the_page_is_shut_for_who_may_not_read(office: Workspace) -> None:
    viewer = Viewer("送", "甲县渔政", ("uploader",), ())
    office.accounts.add("送", WORD, ["uploader"], "甲县渔政", [], datetime.now(UTC), "管")
    words = said(opened(office, viewer=viewer))
    assert "没有这项权限" in words and "中段禁捕区" not in words


# --- counts and rules -----------------------------------------------------------------------------------------------


def test_counts_and_hit_rates_beside_their_cut_offs(held: Workspace) -> None:
    one = warning(held, "gear")["warning_id"]
    held.desk.sign(one, at_ms(made.NOW))
    held.desk.close(one, "case", at_ms(made.NOW), "起获地笼")
    at = opened(held, tab="counts")
    rates, counts = (frame.value for frame in at.dataframe)
    assert rates["分级线（概率×危害）"].tolist() == ["≥ 0.35", "≥ 0.15", "≥ 0.05", "其余"]
    assert rates["立案率（90% 区间）"].tolist()[-1] == "100% (23%–100%)"  # 1 of 1, Jeffreys: B(1.5, 0.5) at 5 %
    assert rates["立案率（90% 区间）"].tolist()[0] == "尚无已查明的"
    blue = counts[counts["等级"] == "● 蓝色"].iloc[0]
    assert (blue["辖区"], blue["月份"], blue["发布"], blue["立案"], blue["签收用时（分钟，中位）"]) == (
        "甲县", "2026-06", 1, 1, "20"
    )  # fmt: skip


def test_rules_stand_with_state_and_yield(held: Workspace) -> None:
    frame = opened(held, tab="rules").dataframe[0].value
    assert len(frame) == 9 and set(frame["状态"]) == {"生效"}
    slow = frame[frame["规则"] == "slow"].iloc[0]
    assert slow["发布"] == 1 and slow["有效至"] == "随程序提供，不过期"


def tried(at, held: Workspace, label: str):
    """Presses a button that asks for a back-test, and waits until it has ended."""
    at = submit(at, label)
    job = jobs().of(str(held.root), "rule", held.viewer)
    assert job is not None and job.ended.wait(120)
    return ran(at), job


def test_a_rule_is_tried_and_proposed(held: Workspace) -> None:
    at = opened(held, tab="rules")
    field(at, "text_area", "duty-rule-text").set_value("rule: night\nkind: slow\nclass: gear\nvaluez: {}\n")
    at, job = tried(at, held, "回测")
    assert "规则中没有“valuez”这一字段（第 4 行）" in said(at) and job.state == "failed"
    given = "rule: night\nkind: zone_entry\nclass: zone\nharm: 2.0\n"
    field(at, "text_area", "duty-rule-text").set_value(given)
    at, job = tried(at, held, "回测")
    direct = held.desk.test_rule(given, at_ms(made.NOW))
    assert Backtest.from_told(job.result["backtest"]) == direct
    assert f"事件 {direct.events:,} 个" in said(at) and "night" not in set(held.desk.rules()["rule"])
    at, job = tried(at, held, "提出")
    rules = held.desk.rules().set_index("rule")
    if direct.warnings:
        assert rules.loc["night", "state"] == job.result["proposed"]["state"]
        assert "规则“night”第 1 版" in said(at)
    else:
        assert job.error is not None and job.error[0] == "rule_raises_nothing" and "night" not in rules.index
    assert field(at, "text_area", "duty-rule-text").value == given
    assert field(opened(held, tab="rules"), "text_area", "duty-rule-text").value == given  # for who comes back


def test_a_back_test_is_stopped_and_the_page_goes_on(held: Workspace) -> None:
    at = opened(held, tab="rules")
    at = submit(at, "回测")
    job = jobs().of(str(held.root), "rule", held.viewer)
    assert job is not None
    while not at.get("progress"):  # the first second of a process, and the time it needs after that
        assert job.state == "running", job.error
        at = ran(at)
    assert next(one for one in at.button if one.label == "提出").disabled
    at = submit(at, "停止")
    assert job.state == "stopped" and "已停止，没有留下任何内容" in said(at)
    assert at.dataframe[0].value["规则"].tolist()
    assert not next(one for one in at.button if one.label == "提出").disabled


def test_a_rule_in_force_is_renewed_and_retired_with_a_reason(held: Workspace) -> None:
    row = next(row for row in revisions.rows(held._store, "rules") if row["rule"] == "slow")
    until = made.NOW + 5 * 86_400_000
    revisions.revise(held._store, "rules", [{**row, "expires_at": until}], made.NOW, "local")
    at = opened(held, tab="rules")
    field(at, "selectbox", "duty-rule").set_value("slow")
    at = submit(ran(at), "续期")
    held_now = next(row for row in revisions.rows(held._store, "rules") if row["rule"] == "slow")
    assert held_now["expires_at"] == made.NOW + held.settings.alerts_expires_days * 86_400_000
    at = submit(at, "停用")
    assert "须写明理由" in said(at)
    field(at, "text_input", "duty-rule-reason-slow").set_value("误报太多")
    at = submit(at, "停用")
    assert next(row for row in revisions.rows(held._store, "rules") if row["rule"] == "slow")["state"] == "retired"


def test_who_may_not_change_rules_only_sees_them(office: Workspace) -> None:
    office.accounts.add("阅", WORD, ["commander"], "甲县渔政", ["421022"], datetime.now(UTC), "管")
    at = entered(office, "析", tab="rules")
    assert [one.label for one in at.button if one.label == "提出"] == ["提出"]  # an analyst has the right


# --- the line on the situation's page -------------------------------------------------------------------------------


def test_the_situation_names_what_is_overdue_and_leads_to_the_warnings(held: Workspace, clock: dict[str, int]) -> None:
    words = said(opened(held, made.line_script))
    assert "待办预警" in words and "■ 黄色</span> 2" in words and "逾期：" not in words
    assert 'href="warnings?' in words
    clock["ms"] = made.T0 + 140 * made.MINUTE
    assert "逾期：■ 黄色 试江 K" in said(opened(held, made.line_script))


def test_feeds_are_told_the_latest_first(held: Workspace) -> None:
    live.append(held._store, "/home/somebody/fixes.jsonl", None, [], None, made.NOW - 7_200_000, {})
    found = board.feeds(str(held.root), at_ms(made.NOW))
    assert [feed.name for feed, _ in found] == [made.FEED, "/home/somebody/fixes.jsonl"]
    assert found[1][1] == timedelta(hours=2).total_seconds()
    assert waiting._shown(found[1][0].name) == "fixes.jsonl"
