"""The page of the dispatch: the board by state and clock, every step of a tasking and its refusals, who can be first."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geo_monitor.app.dispatch import tasks
from geo_monitor.app.duty import board
from geo_monitor.store import revisions
from geo_monitor.store.rights import Viewer
from geo_monitor.workspace import Workspace
from tests.app.duty import made
from tests.app.duty.made import dispatch_script, field, opened, press, said, submit, warning

NOW = datetime.fromtimestamp(made.NOW / 1000, UTC)


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """渔政01 was sent to the zone entry."""
    held = made.night(tmp_path_factory.mktemp("night") / "ws")
    held.desk.dispatch(warning(held, "zone")["warning_id"], "渔政01", NOW)
    held._store.close()
    return held.root


@pytest.fixture
def held(sent: Path, tmp_path: Path) -> Workspace:
    return Workspace(shutil.copytree(sent, tmp_path / "ws"))


def only(held: Workspace) -> dict:
    (row,) = revisions.rows(held._store, "taskings")
    return row


def open_tasking(held: Workspace):
    return press(opened(held, dispatch_script), f"dispatch-open-{only(held)['tasking_id']}")


def test_the_board_shows_states_and_due_clocks(held: Workspace, clock: dict[str, int]) -> None:
    words = said(opened(held, dispatch_script))
    assert "已派单 1" in words and "已接单 0" in words and "今日已了结 0" in words
    left = (only(held)["due_at"] - made.NOW) // 1000
    assert f"到场剩 {left // 60:02d}:{left % 60:02d}" in words
    assert "渔政01" in words and "■ 黄色 试江 K" in words
    clock["ms"] = only(held)["due_at"] + 75_000
    words = said(opened(held, dispatch_script))
    assert "到场逾期 01:15" in words and "逾期 1 条" in words


def test_a_tasking_goes_from_accepted_to_done_and_closes_its_warning(held: Workspace, clock: dict[str, int]) -> None:
    at = open_tasking(held)
    for action, state in (("accept", "accepted"), ("depart", "under_way"), ("arrive", "on_scene")):
        clock["ms"] += 60_000
        at = press(at, f"dispatch-{action}")
        assert only(held)["state"] == state
    at = submit(at, "反馈")
    assert "办结须填写结果" in said(at) and only(held)["state"] == "on_scene"
    field(at, "selectbox", "dispatch-outcome").set_value("case")
    field(at, "text_area", "dispatch-words").set_value("电鱼，两人")
    field(at, "text_input", "dispatch-report").set_value("R7")
    at = submit(at, "反馈")
    row = only(held)
    assert (row["state"], row["result"], row["text"], row["report_id"]) == ("done", "case", "电鱼，两人", "R7")
    assert warning(held, "zone")["state"] == "closed" and warning(held, "zone")["outcome"] == "case"
    words = said(at)
    assert "今日已了结 1" in words and "立案查处" in words and "电鱼，两人" in words


def test_declining_needs_a_reason(held: Workspace) -> None:
    at = submit(open_tasking(held), "拒单")
    assert "请写明原因" in said(at) and only(held)["state"] == "offered"
    field(at, "text_input", "dispatch-why").set_value("机器故障")
    at = submit(at, "拒单")
    assert only(held)["state"] == "declined" and only(held)["text"] == "机器故障"
    assert "已退单" in said(at) and "机器故障" in said(at)


def test_a_step_that_somebody_else_took_is_told(held: Workspace) -> None:
    at = open_tasking(held)
    Workspace(held.root).desk.act(only(held)["tasking_id"], "accept", NOW)
    at = press(at, "dispatch-accept")
    assert "任务现为“已接单”，不能“接单”" in said(at).replace("&quot;", '"')


def test_choosing_a_warning_shows_who_can_be_there_first(held: Workspace) -> None:
    at = opened(held, dispatch_script)
    field(at, "selectbox", "dispatch-pick").set_value(warning(held, "trade")["warning_id"])
    at.run()
    assert not at.exception
    words = said(at)
    assert "谁能先到" in words and "渔政02" in words
    assert at.query_params["warning"] == warning(held, "trade")["warning_id"]
    table = at.dataframe[0].value
    busy = table[table["单位"] == "渔政01"].iloc[0]
    assert busy["不能派出的原因"] == "正在执行其他任务" and busy["到达"].endswith("分钟")
    at = press(at, "duty-send-渔政02")
    assert set(pd.DataFrame(revisions.rows(held._store, "taskings"))["unit_id"]) == {"渔政01", "渔政02"}
    assert "已派单 2" in said(at)


def test_who_may_only_look_gets_no_buttons(held: Workspace) -> None:
    now = datetime.now(UTC)
    held.accounts.add("管", "江豚与中华鲟同游十里", ["admin"], None, ["100000"], now, "local")
    held = Workspace(held.root, Viewer("管", None, ("admin",), ("100000",)))
    held.accounts.add("析", "江豚与中华鲟同游十里", ["analyst"], None, ["420000"], now, "管")
    session = held.accounts.sign_in("析", "江豚与中华鲟同游十里", now, "page")
    one = warning(held, "gear")["warning_id"]
    at = opened(held, dispatch_script, session.viewer, session.token, warning=one)
    words = said(at)
    assert "只能查看，不能派单" in words and "已派单 1" in words and "K3.5" not in words  # 乙县 is not theirs
    assert not [b for b in at.button if "send" in (b.key or "") or "nobody" in (b.key or "")]
    at = press(at, f"dispatch-open-{only(held)['tasking_id']}")
    assert not [b for b in at.button if (b.key or "") in ("dispatch-accept", "dispatch-submit-decline")]


def test_english_and_wall(held: Workspace) -> None:
    assert "offered 1" in said(opened(held, dispatch_script, lang="en"))
    at = opened(held, dispatch_script, wall="1")
    assert "已派单 1" in said(at) and not at.selectbox


def test_columns_by_due_time_and_what_ended_today() -> None:
    def row(name: str, state: str, due: str | None, ended: str | None = None) -> dict:
        return {
            "tasking_id": name,
            "state": state,
            "unit_id": name,
            "made_at": "2026-06-01T00:00Z",
            "due_at": due,
            "ended_at": ended,
        }

    frame = pd.DataFrame(
        [
            row("late", "offered", "2026-06-01T15:00Z"),
            row("soon", "offered", "2026-06-01T14:00Z"),
            row("done", "done", None, "2026-06-01T15:30Z"),  # 23:30 in Shanghai
            row("before", "done", None, "2026-05-31T15:59Z"),  # 23:59 of the day before
            row("off", "recalled", None, "2026-06-01T15:20Z"),
        ]
    )
    for name in ("made_at", "due_at", "ended_at"):
        frame[name] = pd.to_datetime(frame[name], utc=True)
    found = tasks.in_columns(frame, pd.Timestamp("2026-06-01T15:45Z"))
    assert found["offered"]["tasking_id"].tolist() == ["soon", "late"]
    assert found["ended"]["tasking_id"].tolist() == ["done", "off"]
    after = tasks.in_columns(frame, pd.Timestamp("2026-06-01T16:05Z"))  # five past midnight: its crew must still see it
    assert after["ended"]["tasking_id"].tolist() == ["off"]


def test_a_recalled_tasking_stands_on_the_board_with_why(held: Workspace, clock: dict[str, int]) -> None:
    held.desk.recall(only(held)["warning_id"], "报案人撤回", NOW)
    words = said(opened(held, dispatch_script))
    assert "已派单 0" in words and "今日已了结 1" in words
    assert "已撤回" in words and "预警已撤回，不必再去" in words and "报案人撤回" in words


def test_a_unit_is_at_the_farthest_of_its_taskings(held: Workspace) -> None:
    other = warning(held, "trade")["warning_id"]
    row = {**only(held), "tasking_id": "x", "warning_id": other, "state": "on_scene", "revision": None}
    revisions.revise(held._store, "taskings", [row], made.NOW, "local")
    path = str(held.root)
    assert tasks.busy(path, board.mark(path)) == {"渔政01": "on_scene"}


def test_the_way_is_drawn_from_the_boat_to_the_warning(held: Workspace) -> None:
    from geo_monitor.app.duty import send

    one = warning(held, "gear")["warning_id"]
    line, first = send.way(str(held.root), one)
    assert first["unit_id"].tolist() == ["渔政02"]  # the other one is on a task
    start = [112.3345, 30.0]
    assert np.allclose(line[0], start, atol=1e-3) and np.allclose(line[-1], [112.10, 30.0], atol=1e-3)
