"""The data page on a real workspace: a file looked at, taken in, stopped, chosen; every version stays readable."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from geo_monitor.app import door
from geo_monitor.app.job import Job, jobs
from geo_monitor.store.rights import OWNER, Viewer
from geo_monitor.workspace import Workspace
from tests.app.duty.made import ran, said, submit

REPORT = "案件编号,查获时间,经度,纬度,渔获重量,渔具\n乙1,2026-05-02 23:00,112.2,30.0,5,地笼\n"


def page(root: str) -> None:
    from geo_monitor.app import uploads
    from geo_monitor.app.words import Speaker

    uploads.page(root, Speaker("zh"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    held = Workspace.create(tmp_path / "w")
    for n, kg in enumerate((5, 7)):
        file = tmp_path / f"{n}.csv"
        file.write_text(
            f"案件编号,查获时间,经度,纬度,渔获重量,渔具\n甲1,2026-05-01 23:00,112.0,30.0,{kg},地笼\n"
            f"@@=x,2026-05-01 23:00,112.1,30.0,{kg},<b>网</b>\n",
            encoding="utf-8",
        )
        receipt = held.import_file("seizures", file)
        assert receipt.status.startswith("accepted")
    held.withdraw(receipt.receipt_id, "重复报送")
    return tmp_path / "w"


def test_every_version_is_listed_newest_first_with_the_reason_of_a_withdrawal(root: Path) -> None:
    at = AppTest.from_function(page, args=(str(root),), default_timeout=60)
    at.run()
    assert not at.exception
    at.selectbox(key="version-of").set_value("seizures").run()
    assert not at.exception
    table = next(one.value for one in at.dataframe if "withdrawn_reason" in one.value)
    assert table["version"].tolist() == [2, 2, 1, 1]
    assert table["withdrawn_reason"].fillna("").tolist() == ["重复报送", "重复报送", "", ""]
    assert not [text for text in table["report_id"] if text.startswith("@@")]
    at.text_input(key="version-find").set_value("甲").run()
    table = next(one.value for one in at.dataframe if "withdrawn_reason" in one.value)
    assert table["catch_kg"].tolist() == [7.0, 5.0]


# --- sending --------------------------------------------------------------------------------------------------------


def opened(root: Path, viewer: Viewer = OWNER) -> AppTest:
    at = AppTest.from_function(page, args=(door.key(str(root), viewer, acting=True),), default_timeout=60)
    return ran(at)


def sent(at: AppTest, content: str, kind: str = "seizures", name: str = "案件.csv") -> AppTest:
    """Chooses a file, as far as the buttons."""
    at.selectbox(key="kind").set_value(kind)
    at.file_uploader[0].upload(name, content.encode(), "text/csv")
    return ran(at)


def under_way(root: Path, viewer: Viewer = OWNER) -> Job:
    job = jobs().of(str(root), "upload", viewer)
    assert job is not None
    return job


def receipts(root: Path) -> list[str]:
    return Workspace(root, OWNER).table("receipts")["file"].tolist()


def test_a_file_is_looked_at_then_taken_in_and_its_receipt_is_put_away(root: Path) -> None:
    at = submit(sent(opened(root), REPORT), "先看看")
    assert "以下只是预览，尚未入库。" in said(at) and "“案件.csv”可以入库" in said(at)
    assert "案件.csv" not in receipts(root)
    at = submit(at, "入库")
    job = under_way(root)
    assert job.ended.wait(60)
    words = said(ran(at))
    assert "“案件.csv”已入库，没有问题。" in words and "新增 1" in words and "尚未入库" not in words
    assert receipts(root)[-1] == "案件.csv"
    at = submit(at, "收起")
    assert "“案件.csv”已入库" not in said(at)
    assert jobs().of(str(root), "upload", OWNER) is None


def test_an_upload_shows_how_far_it_is_and_stopped_it_keeps_nothing(root: Path) -> None:
    before = receipts(root)
    with Workspace(root, OWNER)._store.writing():  # somebody else is writing: it waits for its turn
        at = submit(sent(opened(root), REPORT), "入库")
        job = under_way(root)
        while job.stage == "begin" and job.state == "running":
            job.ended.wait(0.05)
        words = said(ran(at))
        assert "local 于" in words and "可以离开本页" in words
        assert [one.proto.text for one in at.get("progress")] == ["等待其他写入结束"]
        assert at.button(key="take").disabled
        other = opened(root, Viewer("分析员", None, ("analyst",), ("100000",)))  # not kept from anything by it
        assert not [one for one in other.button if one.label == "停止"]
        assert not sent(other, REPORT).button(key="take").disabled
        at = submit(at, "停止")
        assert "已停止，没有留下任何内容" in said(at)
        assert not at.button(key="take").disabled
    assert receipts(root) == before
    assert not Path(job.asked["file"]).exists()


def test_what_is_refused_is_told_in_words(root: Path) -> None:
    at = submit(sent(opened(root), "甲,乙\n1,2\n"), "入库")
    assert under_way(root).ended.wait(60)
    assert "“案件.csv”未被接收。" in said(ran(at))  # a receipt, with what is wrong
    sender = Viewer("送", "荆州渔政", ("uploader",), ("421000",))
    at = sent(opened(root, sender), REPORT.replace("渔具", "渔具,报送单位").replace("地笼", "地笼,别家"))
    at = submit(at, "入库")
    job = under_way(root, sender)
    assert job.ended.wait(60) and job.error is not None
    assert "别家" in said(ran(at))


def test_an_unsure_file_is_taken_in_as_chosen(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "疑.csv"
    file.write_bytes("report_id,time,lon,lat,gear\nA1,2026-05-01 23:00,112.0,30.0,网\n".encode("gb18030"))
    held = Workspace(root, OWNER)
    assert held.import_file("seizures", file).status == "rejected"
    at = opened(root)
    at = submit(at, "按 gb18030 入库")
    assert under_way(root).ended.wait(60)
    assert "“疑.csv”已入库" in said(ran(at))
    assert "网" in held.table("seizures")["gear"].tolist()
    assert "没有等待选择读法的文件。" in said(at)


def test_a_session_that_goes_away_leaves_its_upload_to_whoever_comes_back(root: Path) -> None:
    submit(sent(opened(root), REPORT), "入库")
    job = under_way(root)
    assert job.ended.wait(60)
    assert job.process.returncode == 0  # waited for
    assert "“案件.csv”已入库，没有问题。" in said(opened(root))
