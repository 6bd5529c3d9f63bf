"""The administration page over real workspaces: what it offers, whom it refuses, what it leaves in the audit book."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from geo_monitor.app import administration, door
from geo_monitor.app.administration import book, health
from geo_monitor.app.deck import escaped
from geo_monitor.errors import Denied, Refused
from geo_monitor.messages import text
from geo_monitor.store.database import DATABASE
from geo_monitor.store.rights import OWNER, Viewer
from geo_monitor.workspace import Workspace

WORD = "江豚与中华鲟同游十里"
ADMIN = Viewer("管理员", None, ("admin",), ())
HOSTILE = ("@@=foo(", "<script>document.title='x'</script>", "=cmd|'/C calc'!A1", "![x](http://a.b/c.png)")


def script(path: str, lang: str) -> None:
    from geo_monitor.app import administration
    from geo_monitor.app.words import Speaker

    administration.page(path, Speaker(lang))


def whole() -> None:
    from geo_monitor.app.main import page

    page()


def opened(root: Path, viewer: Viewer, tab: str | None = None, lang: str = "zh") -> AppTest:
    """The page as `viewer` sees it, at one of its tabs."""
    at = AppTest.from_function(script, kwargs={"path": door.key(str(root), viewer, acting=True), "lang": lang})
    at.default_timeout = 60
    if tab is not None:
        at.session_state[f"admin-tab-{lang}"] = text(f"app.admin_{tab}", lang)
    at.run()
    assert not at.exception, at.exception[0].value
    return at


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two agencies, an administrator, an analyst and an auditor; copied by the tests that change it."""
    held = Workspace.create(tmp_path_factory.mktemp("office") / "w")
    now = datetime.now(UTC)
    for name, adcode in (("荆州渔政", "421000"), ("宜昌渔政", "420500")):
        held.accounts.add_agency(name, adcode, now, "local")
    held.accounts.add("管理员", WORD, ["admin"], None, [], now, "local")
    held = Workspace(held.root, ADMIN)
    held.accounts.add("王", WORD, ["analyst"], "荆州渔政", [], now, "管理员")
    held.accounts.add("审", WORD, ["auditor"], None, ["100000"], now, "管理员")
    return held.root


@pytest.fixture
def root(office: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(office, tmp_path / "w"))


def fill(at: AppTest, **fields: object) -> None:
    """Sets fields of the forms by the names their keys carry."""
    kinds = (at.text_input, at.multiselect, at.selectbox, at.checkbox)
    every = {field.key: field for kind in kinds for field in kind}
    for name, value in fields.items():
        found = next(field for key, field in every.items() if key.startswith(f"admin-{name.replace('_', '-')}-"))
        found.set_value(value)


def press(at: AppTest, code: str) -> None:
    next(button for button in at.button if button.label == text(f"app.{code}")).click().run()
    assert not at.exception, at.exception[0].value


def said(at: AppTest) -> str:
    return "\n".join(one.value for kind in (at.error, at.info, at.warning, at.success) for one in kind)


def labels(at: AppTest) -> list[str]:
    return [tab.label for tab in at.tabs]


def newest(root: Path) -> tuple[str, str, str]:
    row = Workspace(root, OWNER).table("audit").iloc[-1]
    return row["who"], row["action"], row["subject"]


# --- who sees what --------------------------------------------------------------------------------------------------


def test_each_role_gets_its_own_parts_and_others_are_refused_in_words(office: Path) -> None:
    assert labels(opened(office, ADMIN)) == ["账号", "单位与共享", "审计", "底图", "健康"]
    assert labels(opened(office, Viewer("审", None, ("auditor",), ("100000",)))) == ["审计", "健康"]
    for role in ("analyst", "commander", "uploader"):
        viewer = Viewer("王", "荆州渔政", (role,), ("421000",))
        at = opened(office, viewer)
        assert labels(at) == []
        assert len(at.dataframe) == len(at.button) == 0
        assert "没有这项权限" in said(at)
        assert not administration.open_to(viewer)


def test_the_store_refuses_what_the_page_hides(office: Path) -> None:
    held = Workspace(office, Viewer("王", "荆州渔政", ("analyst",), ("421000",)))
    accounts, now = held.accounts, datetime.now(UTC)
    for refused in (
        accounts.every,
        accounts.shares,
        held.verify_audit,
        held.verify,
        lambda: held.table("audit"),
        lambda: accounts.add("x", WORD, ["admin"], None, [], now, "王"),
        lambda: accounts.change("王", now, "王", roles=["admin"]),
        lambda: accounts.add_agency("x", "421000", now, "王"),
        lambda: accounts.share("units", "荆州渔政", "宜昌渔政", [], "x", now, "王"),
        lambda: accounts.end_share(1, now, "王"),
    ):
        with pytest.raises(Denied) as told:
            refused()
        assert told.value.code == "not_allowed"


def test_a_page_of_a_workspace_that_has_got_accounts_meanwhile_is_shut(office: Path) -> None:
    at = opened(office, OWNER)
    assert labels(at) == []
    assert "请先登录" in said(at)


def test_the_page_is_listed_for_whom_it_is_open_and_first_for_who_only_administers(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, listed = st.navigation, {}

    def navigation(pages: list, position: str) -> object:
        listed.update({page.title: page.visibility for page in pages})
        return real(pages, position=position)

    monkeypatch.setattr(st, "navigation", navigation)
    monkeypatch.setattr(sys, "argv", ["main.py", str(root)])
    for name, seen, tabs in (
        ("王", ["态势", "预警", "派单", "热点", "数据"], []),
        ("审", ["数据", "管理"], ["审计", "健康"]),
        ("管理员", ["管理"], ["账号", "单位与共享", "审计", "底图", "健康"]),
    ):
        at = AppTest.from_function(whole, default_timeout=60)
        at.session_state[door.TOKEN] = Workspace(root).accounts.sign_in(name, WORD, datetime.now(UTC), "page").token
        at.run()
        assert not at.exception, at.exception[0].value
        assert [title for title, state in listed.items() if state == "visible"] == seen
        assert labels(at) == tabs


# --- accounts -------------------------------------------------------------------------------------------------------


def test_an_account_made_on_the_page_can_sign_in(root: Path) -> None:
    at = opened(root, ADMIN)
    fill(at, add_name="李", add_word_0=WORD, add_word_1=WORD, add_roles=["uploader"], add_agency="宜昌渔政")
    press(at, "admin_add")
    assert "已建立账号“李”" in said(at)
    assert newest(root) == ("管理员", "account_add", "李")
    found = Workspace(root).accounts.sign_in("李", WORD, datetime.now(UTC), "page").viewer
    assert found == Viewer("李", "宜昌渔政", ("uploader",), ("420500",))
    assert "李" in at.dataframe[0].value["账号名"].tolist()
    assert all(field.value in ("", None) for field in at.text_input)  # no password stays in a field


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"add_word_0": WORD, "add_word_1": WORD + "x"}, "两次输入的密码不一致"),
        ({"add_word_0": "短", "add_word_1": "短"}, "密码太短"),
        ({"add_name": "王"}, "已存在"),
        ({"add_roles": []}, "没有角色"),
        ({"add_name": " "}, "不可用"),
    ],
)
def test_what_is_wrong_is_told_and_changes_nothing(root: Path, fields: dict[str, object], words: str) -> None:
    before = newest(root)
    at = opened(root, ADMIN)
    given = {"add_name": "李", "add_word_0": WORD, "add_word_1": WORD, "add_roles": ["analyst"]}
    fill(at, **{**given, **fields})
    press(at, "admin_add")
    assert words in said(at)
    assert newest(root) == before


def test_the_first_account_is_an_administrator_and_is_asked_for_twice(tmp_path: Path) -> None:
    root = Workspace.create(tmp_path / "w").root
    at = opened(root, OWNER)
    assert "所有人都须先登录" in said(at)
    given = {"add_name": "首", "add_word_0": WORD, "add_word_1": WORD}
    fill(at, **given)
    press(at, "admin_add_first")
    assert "尚未勾选确认" in said(at)
    assert not Workspace(root).accounts.any()
    fill(at, **given, add_sure=True, add_roles=["analyst"])
    press(at, "admin_add_first")
    assert "第一个账号必须有" in said(at)
    assert not Workspace(root).accounts.any()
    fill(at, **given, add_sure=True, add_roles=["admin"])
    press(at, "admin_add_first")
    assert "请先登录" in said(at)  # from now on, here too
    assert Workspace(root).accounts.sign_in("首", WORD, datetime.now(UTC), "page").viewer.roles == ("admin",)


def test_closing_an_account_asks_first_and_ends_its_sessions(root: Path) -> None:
    session = Workspace(root).accounts.sign_in("王", WORD, datetime.now(UTC), "page")
    at = opened(root, ADMIN)
    at.selectbox(key="admin-account").set_value("王").run()
    press(at, "admin_disable")
    assert "尚未勾选确认" in said(at)
    assert Workspace(root).accounts.viewer(session.token, datetime.now(UTC)).account == "王"
    fill(at, disable=True)
    press(at, "admin_disable")
    assert "已停用" in said(at)
    assert newest(root) == ("管理员", "account_change", "王")
    with pytest.raises(Denied, match="sign in again"):
        Workspace(root).accounts.viewer(session.token, datetime.now(UTC))
    with pytest.raises(Denied, match="wrong"):
        Workspace(root).accounts.sign_in("王", WORD, datetime.now(UTC), "page")
    press(at, "admin_enable")
    assert Workspace(root).accounts.sign_in("王", WORD, datetime.now(UTC), "page").viewer.account == "王"


def test_roles_areas_and_password_change_and_nothing_is_no_change(root: Path) -> None:
    at = opened(root, ADMIN)
    at.selectbox(key="admin-account").set_value("王").run()
    before = newest(root)
    press(at, "admin_save")
    assert "没有改动" in said(at)
    assert newest(root) == before
    fill(at, **{"change_王_roles": ["analyst", "commander"], "change_王_areas": ["420000"]})
    press(at, "admin_save")
    one = next(one for one in Workspace(root, ADMIN).accounts.every() if one["name"] == "王")
    assert (one["roles"], one["adcodes"]) == (["analyst", "commander"], ["420000"])
    fill(at, **{"change_王_word_0": WORD[::-1], "change_王_word_1": WORD[::-1]})
    press(at, "admin_set_word")
    assert newest(root) == ("管理员", "account_change", "王")
    assert Workspace(root).accounts.sign_in("王", WORD[::-1], datetime.now(UTC), "page").viewer.account == "王"


def test_the_last_administrator_stays_one(root: Path) -> None:
    at = opened(root, ADMIN)
    at.selectbox(key="admin-account").set_value("管理员").run()
    assert "自己的账号" in said(at)
    fill(at, disable=True)
    press(at, "admin_disable")
    assert "最后一个可用的管理员" in said(at)
    fill(at, **{"change_管理员_roles": ["auditor"]})
    press(at, "admin_save")
    assert "最后一个可用的管理员" in said(at)
    one = next(one for one in Workspace(root, ADMIN).accounts.every() if one["name"] == "管理员")
    assert (one["roles"], one["disabled"]) == (["admin"], False)


def test_the_last_sign_in_stands_beside_the_account(root: Path) -> None:
    Workspace(root).accounts.sign_in("王", WORD, datetime.now(UTC), "page")
    shown = opened(root, ADMIN).dataframe[0].value.set_index("账号名")["最近登录"]
    assert shown["王"].startswith("20")
    assert shown["审"] == ""


# --- agencies and shares --------------------------------------------------------------------------------------------


def test_an_agency_is_registered_and_moved_only_when_confirmed(root: Path) -> None:
    at = opened(root, ADMIN, "agencies")
    fill(at, agency_name="石首渔政", agency_adcode="430600")
    press(at, "admin_agency_add")
    assert newest(root) == ("管理员", "agency_add", "石首渔政")
    fill(at, agency_name="石首渔政", agency_adcode="421000")
    press(at, "admin_agency_add")
    assert "430600" in said(at).replace("\\", "")
    assert dict(Workspace(root).accounts.agencies())["石首渔政"] == "430600"
    fill(at, agency_name="石首渔政", agency_adcode="421000", agency_sure=True)
    press(at, "admin_agency_add")
    assert dict(Workspace(root).accounts.agencies())["石首渔政"] == "421000"
    fill(at, agency_name="无辖区")
    press(at, "admin_agency_add")
    assert "应为六位数字" in said(at)


def test_a_share_is_made_and_ended(root: Path) -> None:
    at = opened(root, ADMIN, "agencies")
    fill(at, share_hidden_seizures=["gear", "lon"], share_from="宜昌渔政", share_to="荆州渔政", share_reason="联合执法")
    press(at, "admin_share_add")
    (share,) = Workspace(root, ADMIN).accounts.shares()
    assert (share["from"], share["to"], share["hidden"]) == ("宜昌渔政", "荆州渔政", ["gear", "lon"])
    assert newest(root)[:2] == ("管理员", "share")
    shown = next(one.value for one in at.dataframe if "隐藏字段" in one.value)
    assert shown["隐藏字段"].tolist() == ["渔具、经度"]
    press(at, "admin_share_end")
    assert "尚未勾选确认" in said(at)
    fill(at, share_sure=True)
    press(at, "admin_share_end")
    assert Workspace(root, ADMIN).accounts.shares() == []
    assert newest(root) == ("管理员", "share_end", str(share["number"]))
    press(at, "admin_share_add")
    assert "请选择两个不同的单位" in said(at)
    fill(at, share_from="宜昌渔政", share_to="荆州渔政")
    press(at, "admin_share_add")
    assert text("reason_missing", "zh") in said(at).replace("\\", "")
    assert Workspace(root, ADMIN).accounts.shares() == []


# --- the audit book -------------------------------------------------------------------------------------------------


def test_the_book_shows_a_change_and_verifies_until_a_row_is_altered(root: Path) -> None:
    Workspace(root, ADMIN).accounts.change("王", datetime.now(UTC), "管理员", roles=["commander"])
    at = opened(root, ADMIN, "audit")
    shown = at.dataframe[0].value
    assert shown.iloc[0][["账号", "操作", "对象", "详情"]].tolist() == ["管理员", "修改账号", "王", "角色：指挥员"]
    head = at.code[0].value
    assert head == Workspace(root, ADMIN).verify_audit().head
    at.text_input(key="admin-head").set_value(head)
    press(at, "admin_verify_book")
    assert "核对无误" in said(at)
    at.text_input(key="admin-head").set_value("0123" * 16)
    press(at, "admin_verify_book")
    assert "找不到抄存的校验值" in said(at)
    at.text_input(key="admin-head").set_value("")
    with sqlite3.connect(root / DATABASE) as connection:  # as somebody with the file could
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in names:
            connection.execute(f'DROP TRIGGER "{name}"')
        connection.execute("UPDATE audit SET who = '别人' WHERE row = (SELECT min(row) + 2 FROM audit)")
    press(at, "admin_verify_book")
    assert "第 3 条" in said(at)


def test_filters_leave_the_rows_asked_for(root: Path) -> None:
    Workspace(root).accounts.sign_in("王", WORD, datetime.now(UTC), "page")
    at = opened(root, ADMIN, "audit")
    at.selectbox(key="admin-audit-action").set_value("sign_in").run()
    assert at.dataframe[0].value["账号"].tolist() == ["王"]
    at.selectbox(key="admin-audit-who").set_value("管理员").run()
    assert len(at.dataframe[0].value) == 0
    at.selectbox(key="admin-audit-action").set_value("account_add").run()
    assert at.dataframe[0].value["对象"].tolist() == ["审", "王"]  # newest first


def test_the_file_runs_nothing_in_a_spreadsheet(root: Path) -> None:
    held = Workspace(root, ADMIN)
    for name in HOSTILE:
        held.accounts.add_agency(name, "421000", datetime.now(UTC), "管理员")
    made = book.csv(held.table("audit"))
    assert made.startswith(b"\xef\xbb\xbf")
    told = made.decode("utf-8-sig")
    assert ",'=cmd|'/C calc'!A1," in told
    assert ",'@@=foo(," in told


def test_details_are_told_in_words(root: Path) -> None:
    held, now = Workspace(root, ADMIN), datetime.now(UTC)
    held.accounts.share("units", "荆州渔政", "宜昌渔政", ["mmsi"], "联防", now, "管理员")
    held.accounts.change("王", now, "管理员", password=WORD[::-1], disabled=True)
    with pytest.raises(Denied):
        Workspace(root).accounts.sign_in("管理员", "不对的密码", now, "command line")
    shown = opened(root, ADMIN, "audit").dataframe[0].value
    assert shown["详情"].tolist()[:3] == [
        "原因：账号或密码不正确",
        "停用：是；密码：已重设",
        "隐藏字段：MMSI；编号：1；提供单位：荆州渔政；事由：联防；接收单位：宜昌渔政",
    ]
    assert shown["对象"].tolist()[:3] == ["命令行", "王", "巡护单元"]
    assert opened(root, ADMIN, "audit", "en").dataframe[0].value["Detail"].iloc[1] == "closed: yes; password: changed"


# --- what was typed stays text --------------------------------------------------------------------------------------


def test_hostile_names_stay_text_everywhere(root: Path) -> None:
    held = Workspace(root, ADMIN)
    now = datetime.now(UTC)
    for name in HOSTILE:
        held.accounts.add_agency(name, "421000", now, "管理员")
        held.accounts.add(name, WORD, ["analyst"], name, [], now, "管理员")
    held.accounts.share("units", HOSTILE[1], HOSTILE[2], [], HOSTILE[3], now, "管理员")
    for lang in ("zh", "en"):
        for tab in ("accounts", "agencies", "audit", "health"):
            at = opened(root, ADMIN, tab, lang)
            drawn = [one.value for one in at.markdown] + [one.body for one in at.get("html")]
            assert not any("foo(" in one or "script>" in one or "calc" in one for one in drawn)
            for frame in at.dataframe:
                cells = frame.value.astype(str).to_numpy().ravel().tolist()
                assert not any(cell.lstrip().startswith("@@") for cell in cells)
    at = opened(root, ADMIN)
    for name in HOSTILE:  # told in a sentence, which is read as markdown
        fill(at, add_name=name, add_word_0=WORD, add_word_1=WORD, add_roles=["analyst"])
        press(at, "admin_add")
        assert escaped(text("account_there", "zh", name=name)) == at.error[0].value


def test_a_name_that_looks_like_a_code_of_a_sentence_is_only_a_name() -> None:
    assert str(Refused("account_there", name="@account_there")).count("@account_there") == 1


# --- health ---------------------------------------------------------------------------------------------------------


def test_health_tells_what_is_new_what_is_held_and_what_is_wrong(root: Path, tmp_path: Path) -> None:
    held = Workspace(root, Viewer("王", "荆州渔政", ("analyst",), ("421000",)))
    fixes = tmp_path / "t.csv"
    fixes.write_text(
        "终端编号,定位时间,经度,纬度\n"
        + "".join(f"艇,2026-05-01 00:{m:02d}:00,112.{m:02d},30.0\n" for m in range(0, 60, 5)),
        encoding="utf-8",
    )
    assert held.import_file("tracks", fixes).status.startswith("accepted")
    at = opened(root, ADMIN, "health")
    told = {one.label: one.value for one in at.metric}
    assert told["最新定位点"] == "2026-05-01 00:55"
    assert told["最近一次入库"].startswith("20")
    assert told["最近一次分析"] == "无"
    room = at.dataframe[0].value.set_index("内容")
    assert room.loc["原始上报文件", "文件数"] == "1"
    press(at, "admin_verify")
    assert "核对无误" in said(at)
    next((root / "raw").iterdir()).write_bytes(b"changed")
    press(at, "admin_verify")
    assert "发现 1 处问题" in said(at)
    assert "原始文件被改动" in at.dataframe[0].value.to_string() + at.dataframe[1].value.to_string()


def test_from_which_day_on_positions_are_held(root: Path, tmp_path: Path) -> None:
    held = Workspace(root, OWNER)
    file = tmp_path / "tracks.csv"
    file.write_text("unit_id,time,lon,lat\n艇1,2026-05-01T10:00:00+08:00,112.0,30.0\n", encoding="utf-8")
    assert held.import_file("tracks", file, agency="荆州渔政", role="patrol").rows["accepted"] == 1
    assert held.expire("2026-05-02", "保存期满", do=True, now=datetime(2030, 1, 1, tzinfo=UTC)).days == 1
    at = opened(root, ADMIN, "health")
    assert any("2026-05-02 之前的定位数据已按保存期限销毁" in one.value for one in at.caption)
    assert newest(root) == ("local", "expire", "2026-05-02")


def test_what_doctor_finds_is_told_with_what_to_do(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from geo_monitor.cli import doctor

    found = [doctor.Finding("disk", "look", {"free": "<b>1", "wanted": "5"}), doctor.Finding("orphans", "fine", {})]
    monkeypatch.setattr(doctor, "examine", lambda root: found)
    at = opened(root, ADMIN, "health")
    press(at, "admin_check")
    drawn = "".join(one.body for one in at.get("html"))
    assert "剩余磁盘空间只有 &lt;b&gt;1 GB" in drawn
    assert "建议至少留 5 GB" in drawn
    assert health.sizes(str(root))["other"][0] > 0
