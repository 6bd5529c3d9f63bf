"""What people do: sign, send, tell, close; and what happens by itself meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from geo_monitor.errors import Denied, Refused, Usage
from geo_monitor.loop.watch import Watch
from geo_monitor.store import audit, revisions
from geo_monitor.store.rights import Viewer
from geo_monitor.workspace import Workspace
from tests.loop.conftest import MS, line, make, passing, poacher, write
from tests.loop.test_night import watched

MINUTE = 60_000
RED = "event_beat_s = 20.0\nalerts_red = 0.002\nalerts_orange = 0.0015\nalerts_yellow = 0.001\n"


def at(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


def ms(value: Any) -> int:
    return round(value.timestamp() * 1000)


def red(root: Path) -> Workspace:
    """A workspace whose every warning is red."""
    held = make(root)
    (held.root / "settings.toml").write_text(RED, encoding="utf-8")
    return held


def gear(held: Workspace) -> dict[str, Any]:
    frame = held.table("warnings")
    return dict(frame[frame["class"] == "gear"].iloc[0])


def test_an_unsigned_red_warning_goes_up_on_time_across_midnight_and_restarts(tmp_path: Path) -> None:
    held = red(tmp_path / "ws")
    start = MS + 90 * MINUTE  # 23:30 in Shanghai
    clock = [line("钟", start + s * 1000, 112.05) for s in range(0, 5400, 15)]  # a moored boat, for the time to go on
    lines = sorted([*poacher(start=start)[:240], *clock], key=lambda told: told["time"])
    file = tmp_path / "n.jsonl"
    for part in (lines[:200], lines[:260], lines[:430], lines):  # one file that grows; the watch is started four times
        write(file, part)
        watched(held, file)
    every = held.table("warnings", all_versions=True)
    mine = every[every["warning_id"] == gear(held)["warning_id"]]
    opened = ms(mine["opened_at"].iloc[0])
    assert start + 20 * MINUTE <= opened <= start + 26 * MINUTE  # before midnight
    assert mine["grade"].iloc[0] == "red" and ms(mine["sign_by"].iloc[0]) == opened + 15 * MINUTE
    levels = mine.drop_duplicates("level")[["level", "escalated_at", "sign_by"]]
    told = [
        (level, *(None if value != value or value is None else ms(value) for value in rest))
        for level, *rest in levels.itertuples(index=False)
    ]
    assert told == [
        ("county", None, opened + 15 * MINUTE),
        ("city", opened + 15 * MINUTE, opened + 30 * MINUTE),
        ("province", opened + 30 * MINUTE, opened + 45 * MINUTE),
    ]
    assert at(opened + 15 * MINUTE).astimezone().tzinfo is not None
    city = at(opened + 15 * MINUTE) + timedelta(hours=8)
    assert city.day == 2  # after midnight in Shanghai


def test_who_is_first_is_sent_and_what_was_found_closes_the_warning(tmp_path: Path) -> None:
    held = red(tmp_path / "ws")
    patrols = [line("巡1", MS + s * 1000, 112.1, role="patrol") for s in range(0, 2400, 20)]
    patrols += [line("巡2", MS + s * 1000, 112.38, role="patrol") for s in range(0, 2400, 20)]
    file = write(tmp_path / "n.jsonl", [*poacher()[:200], *patrols])
    watched(held, file)
    warning = gear(held)
    now = MS + 40 * MINUTE
    found = held.desk.candidates(warning["warning_id"], at(now))
    first = found.iloc[0]
    assert found["unit_id"].tolist()[:2] == ["巡1", "巡2"] and first["how"] == "water"
    # about 0.1 degrees at 30 N: 9.63 km at 25 knots (12.86 m/s) are 749 s; the place is where the slow run began
    metres = abs(warning["lon"] - 112.1) * 96_300
    assert abs(first["distance_m"] - metres) < 0.02 * metres
    assert abs(first["seconds"] - metres / (25 * 1852 / 3600)) < 0.02 * 749
    tasking = held.desk.dispatch(warning["warning_id"], "巡1", at(now))
    assert (tasking["state"], held.desk.warning(warning["warning_id"])["state"]) == ("offered", "dispatched")
    assert held.desk.warning(warning["warning_id"])["signed_by"] == "local"  # sent is signed
    with pytest.raises(Refused):
        held.desk.sign(warning["warning_id"], at(now))
    busy = held.desk.candidates(warning["warning_id"], at(now)).set_index("unit_id")
    assert busy.loc["巡1", "reason"] == "busy"
    held.desk.act(tasking["tasking_id"], "accept", at(now + MINUTE))
    # its own track tells the rest: it sails there at 10 m/s
    track = passing("巡1", now + 2 * MINUTE, 18, 112.1, 10.0, role="patrol")
    track = [told for told in track if told["lon"] <= warning["lon"]]
    track += [line("巡1", track[-1]["time"] + s * 1000, warning["lon"], role="patrol") for s in range(10, 120, 10)]
    watched(held, write(tmp_path / "go.jsonl", track))
    every = held.table("taskings", all_versions=True)
    assert every["state"].tolist() == ["offered", "accepted", "under_way", "on_scene"]
    assert every["how"].tolist()[2:] == ["track", "track"]
    arrived = ms(every["on_scene_at"].iloc[-1])
    assert arrived <= track[-1]["time"]
    end = at(arrived + 10 * MINUTE)
    with pytest.raises(Refused):
        held.desk.act(tasking["tasking_id"], "finish", end)  # without saying what was found
    held.desk.act(tasking["tasking_id"], "finish", end, outcome="case", words="地笼十二条", report_id="A-1")
    closed = held.desk.warning(warning["warning_id"])
    assert (closed["state"], closed["outcome"], closed["reason"]) == ("closed", "case", "地笼十二条")
    counted = held.desk.counts()
    assert counted["case"].sum() == 1 and counted["adcode"].iloc[0] == "421022"
    worth = held.desk.yields().set_index("rule")
    assert worth["cases"].sum() == 1
    assert audit.verify(held._store).ok
    actions = held.table("audit")["action"].tolist()
    assert {"dispatch", "accept", "track", "finish", "settle"} <= set(actions)


def test_no_unit_is_kept_and_counted(tmp_path: Path) -> None:
    held = red(tmp_path / "ws")
    watched(held, write(tmp_path / "n.jsonl", poacher()[:200]))
    warning = gear(held)["warning_id"]
    now = at(MS + 40 * MINUTE)
    with pytest.raises(Usage, match="no such unit is known"):
        held.desk.dispatch(warning, "没有的艇", now)
    held.desk.sign(warning, now)
    with pytest.raises(Refused):
        held.desk.no_unit(warning, " ", now)
    held.desk.no_unit(warning, "全部在外执勤", now)
    frame = held.desk.taskings(warning)
    assert frame[["state", "result", "text"]].values.tolist() == [["no_unit", "no_unit", "全部在外执勤"]]
    held.desk.close(warning, "no_unit", now + timedelta(minutes=5), "次日补查")
    assert held.desk.counts()["no_unit"].sum() == 1


def sent(root: Path) -> tuple[Workspace, str, dict[str, Any]]:
    """A red warning to which a boat is under way, 41 min into the night."""
    held = red(root)
    patrols = [line("巡1", MS + s * 1000, 112.1, role="patrol") for s in range(0, 2400, 20)]
    watched(held, write(root.parent / "n.jsonl", [*poacher()[:200], *patrols]))
    warning = gear(held)["warning_id"]
    tasking = held.desk.dispatch(warning, "巡1", at(MS + 40 * MINUTE))
    held.desk.act(tasking["tasking_id"], "accept", at(MS + 40 * MINUTE))
    return held, warning, held.desk.act(tasking["tasking_id"], "depart", at(MS + 41 * MINUTE))


@pytest.mark.parametrize("how", ["recalled", "closed"])
def test_who_was_sent_is_called_off_with_the_warning(tmp_path: Path, how: str) -> None:
    held, warning, tasking = sent(tmp_path / "ws")
    now = at(MS + 42 * MINUTE)
    if how == "recalled":
        held.desk.recall(warning, "报案人撤回", now)
    else:
        held.desk.close(warning, "false", now, "报案人撤回")
    row = revisions.of_ids(held._store, "taskings", [tasking["tasking_id"]])[tasking["tasking_id"]]
    assert (row["state"], row["text"], row["told_by"], row["ended_at"]) == ("recalled", "报案人撤回", "local", ms(now))
    assert row["reason"] == f"@tasking.reason_{how}" and row["revised_at"] == ms(now)
    book = held.table("audit")
    action = {"recalled": "recall", "closed": "close"}[how]
    assert set(book.loc[book["action"] == action, "subject"]) == {warning, tasking["tasking_id"]}
    # the crew still finds it among what runs, for a shift
    assert held.desk.taskings(running=True)["state"].tolist() == ["recalled"]
    other = held.table("warnings")
    other = other[other["warning_id"] != warning]["warning_id"].iloc[0]
    free = held.desk.candidates(other, now).set_index("unit_id")
    assert free.loc["巡1", "reason"] is None or free.loc["巡1", "reason"] != "busy"
    # and nothing more can be told of it
    for action in ("arrive", "decline"):
        with pytest.raises(Refused) as caught:
            held.desk.act(tasking["tasking_id"], action, now, words="返航")
        assert caught.value.code == "tasking_wrong_step"
    for act in (
        lambda: held.desk.no_unit(warning, "全部在外执勤", now),
        lambda: held.desk.dispatch(warning, "巡1", now),
        lambda: held.desk.recall(warning, "再撤", now),
    ):
        with pytest.raises(Refused) as caught:
            act()
        assert caught.value.code == "warning_state_wrong"
    # its own track does not move it on
    track = passing("巡1", MS + 43 * MINUTE, 18, 112.1, 10.0, role="patrol")
    watched(held, write(tmp_path / "go.jsonl", track))
    assert held.table("taskings")["state"].tolist() == ["recalled"]
    assert held.desk.warning(warning)["state"] == how
    watched(held, write(tmp_path / "later.jsonl", [line("钟", MS + 13 * 60 * MINUTE, 112.05)]))
    assert not len(held.desk.taskings(running=True))


def test_a_warning_is_not_recalled_without_those_who_were_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It falls half-way: nothing has happened; and who tells a step at the same moment is first, or is refused."""
    held, warning, tasking = sent(tmp_path / "ws")
    now = at(MS + 42 * MINUTE)
    noted = audit.append

    def falls(connection: Any, when: Any, who: str, action: str, subject: str, **detail: Any) -> None:
        if subject == tasking["tasking_id"]:
            raise KeyboardInterrupt
        noted(connection, when, who, action, subject, **detail)

    with monkeypatch.context() as patched:
        patched.setattr(audit, "append", falls)
        with pytest.raises(KeyboardInterrupt):
            held.desk.recall(warning, "误报", now)
    assert held.desk.warning(warning)["state"] == "dispatched"
    assert held.table("taskings")["state"].tolist() == ["under_way"]
    row = revisions.of_ids(held._store, "taskings", [tasking["tasking_id"]])[tasking["tasking_id"]]
    held.desk.recall(warning, "误报", now)
    with pytest.raises(Refused, match="somebody"):
        revisions.revise(held._store, "taskings", [{**row, "state": "on_scene"}], MS, "另一人")


def test_a_tasking_left_on_a_warning_that_is_over_is_ended_by_the_room(tmp_path: Path) -> None:
    held, warning, tasking = sent(tmp_path / "ws")
    row = held.desk.warning(warning)
    revisions.revise(
        held._store, "warnings", [{**row, "state": "closed", "outcome": "false"}], MS + 42 * MINUTE, "旧版"
    )
    with pytest.raises(Refused) as caught:
        held.desk.act(tasking["tasking_id"], "arrive", at(MS + 43 * MINUTE))
    assert caught.value.code == "warning_state_wrong"
    watched(held, write(tmp_path / "t.jsonl", [line("钟", MS + 44 * MINUTE, 112.05)]))
    assert held.table("taskings")["state"].tolist() == ["recalled"]


def test_two_who_sign_at_once_and_one_without_the_right(tmp_path: Path) -> None:
    held = red(tmp_path / "ws")
    watched(held, write(tmp_path / "n.jsonl", poacher()[:200]))
    warning = gear(held)["warning_id"]
    now = at(MS + 30 * MINUTE)
    row = held.desk.warning(warning)
    held.desk.sign(warning, now)
    with pytest.raises(Refused, match="somebody"):  # judged on the revision before
        revisions.revise(held._store, "warnings", [{**row, "state": "recalled"}], MS, "另一人")
    analyst = Workspace(held.root, Viewer("分析员", None, ("analyst",), ("420000",)))
    with pytest.raises(Denied):
        analyst.desk.recall(warning, "误报", now)
    elsewhere = Workspace(held.root, Viewer("外省", None, ("commander",), ("430000",)))
    with pytest.raises(Usage):
        elsewhere.desk.recall(warning, "误报", now)
    # the county's own commander answers, the neighbour's does not
    assert elsewhere.desk.queue(now)["warning_id"].tolist() == []
    county = Workspace(held.root, Viewer("县值班", None, ("commander",), ("421022",)))
    assert warning in county.desk.queue(now)["warning_id"].tolist()


def test_a_silenced_place_is_counted_and_not_raised(tmp_path: Path) -> None:
    held = red(tmp_path / "ws")
    watched(held, write(tmp_path / "n.jsonl", poacher()))
    warning = gear(held)["warning_id"]
    end = at(MS + 24 * 60 * MINUTE)
    held.desk.silence(warning, end, "科研捕捞,已报备", at(MS + 81 * MINUTE))
    again = poacher("渔2", MS + 5 * 60 * MINUTE)
    watched(held, write(tmp_path / "m.jsonl", again))
    slow = held.table("events")
    assert len(slow[(slow["kind"] == "slow")]) == 2
    second = slow[[list(units) == ["渔2"] for units in slow["unit_ids"]]].set_index("kind").loc["slow", "event_id"]
    new = held.table("warnings")
    assert not [ids for ids in new["event_ids"] if second in list(ids)]
    quiet = revisions.of_ids(held._store, "warnings", [warning])[warning]["evidence"]
    assert second in quiet


RULE = """
rule: slow_night
kind: slow
class: gear
hours: [20, 4]
values: {slow_s: 900}
note_zh: 夜间慢速十五分钟以上
"""


def test_a_rule_is_tried_before_it_goes_live(tmp_path: Path) -> None:
    held = make(tmp_path / "ws")
    with pytest.raises(Usage):
        held.desk.test_rule(RULE, at(MS))  # nothing stored to try it on
    others = [told for i in range(5) for told in passing(f"货{i}", MS + i * 300_000, 60, 112.0, 4.0)]
    watched(held, write(tmp_path / "n.jsonl", [*poacher(), *others]))
    found = held.desk.test_rule(RULE, at(MS))
    assert (found.events, found.warnings) == (1, 1)
    assert "slow_night" not in held.desk.rules()["rule"].tolist()
    row, found = held.desk.propose(RULE, at(MS))
    # the history is about two hours long, and nobody knows of more than one warning in that day
    assert (found.per_day, row["state"]) == (1.0, "in_force")
    with (held.root / "settings.toml").open("a", encoding="utf-8") as file:
        file.write("alerts_cap_day = 0.9\n")
    held = Workspace(held.root)
    row, found = held.desk.propose(RULE.replace("slow_night", "slow_more"), at(MS))
    assert row["state"] == "proposed"
    with pytest.raises(Refused):
        held.desk.approve("slow_more", at(MS))  # the same person
    other = Workspace(held.root, Viewer("第二人", None, ("commander",), ("100000",)))
    assert other.desk.approve("slow_more", at(MS))["approved_by"] == "第二人"
    held.desk.retire("slow_more", "试行结束", at(MS))
    assert held.detect(now=at(MS))["kinds"]["slow"] == 2  # by the shipped rule and by this one
    held.desk.retire("slow_night", "试行结束", at(MS + MINUTE))
    nothing = RULE.replace("slow_s: 900", "slow_s: 90000")
    with pytest.raises(Refused):
        held.desk.propose(nothing.replace("slow_night", "never"), at(MS))


def test_a_new_workspace_has_a_rule_for_each_kind(tmp_path: Path) -> None:
    from geo_monitor.tables import EVENT_KINDS

    rules = Workspace.create(tmp_path / "ws").table("rules")
    assert sorted(rules["kind"]) == sorted(EVENT_KINDS) and set(rules["state"]) == {"in_force"}


def test_after_a_replay_people_act_by_its_clock_until_somebody_watches_by_the_wall(tmp_path: Path) -> None:
    held = red(tmp_path / "ws")
    assert held.desk.replayed_to is None
    lines = poacher()[:200]
    file = write(tmp_path / "n.jsonl", lines)
    watched(held, file)
    last = at(max(told["time"] for told in lines))
    assert held.desk.replayed_to == last and held.desk.now() == last
    warning = gear(held)["warning_id"]
    held.desk.sign(warning, held.desk.now())  # months later by the wall, in time by the replay
    history = held.desk.history(warning)
    assert history["level"].tolist() == ["county"] * len(history) and history["signed_at"].iloc[-1] == last
    write(file, [*lines, line("钟", MS + 50 * MINUTE, 112.05)])
    watched(held, file)
    assert held.desk.replayed_to == at(MS + 50 * MINUTE)
    Watch(held, str(write(tmp_path / "later.jsonl", [line("钟", MS + 55 * MINUTE, 112.05)])), until_idle=0.5).run()
    assert held.desk.replayed_to is None
