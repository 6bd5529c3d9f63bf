"""`detect` beside the watch: what it finds and takes back, and the warnings that hang on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from geo_monitor.errors import GeoMonitorError, Refused, Usage
from geo_monitor.loop import batch, room
from geo_monitor.store import live, revisions
from geo_monitor.store.rights import Viewer
from geo_monitor.workspace import Workspace
from tests.loop.conftest import MS, line, make, passing, poacher, table, write
from tests.loop.test_desk import MINUTE, at, gear
from tests.loop.test_night import evenings, events, watched

NOW = at(MS + 90 * MINUTE)


def warned(held: Workspace) -> list[tuple[Any, ...]]:
    """Every warning: what it is, where it goes, when it was opened, on what it stands."""
    frame = held.table("warnings").sort_values("warning_id")
    frame = frame.assign(event_ids=[tuple(ids) for ids in frame["event_ids"]])
    columns = ["warning_id", "class", "grade", "adcode", "state", "opened_at", "event_ids"]
    return list(frame[columns].itertuples(index=False, name=None))


def tick(path: Path, minutes: float = 80) -> Path:
    """A feed of one boat that lies somewhere: a watch begins, and reads what was stored before."""
    return write(path, [line("钟", MS + round(minutes * MINUTE), 112.05)])


def test_detect_takes_back_the_warnings_of_events_it_withdraws(held: Workspace, tmp_path: Path) -> None:
    """As the watch does: recalled where nobody has signed, else told in the evidence; and raised again with the events."""
    receipts = watched(held, write(tmp_path / "n.jsonl", poacher()))["receipts"]
    signed = gear(held)["warning_id"]
    held.desk.sign(signed, held.desk.now())
    unsigned = held.table("warnings")
    unsigned = unsigned[unsigned["warning_id"] != signed]
    assert len(unsigned) and set(unsigned["state"]) == {"open"}
    for receipt in receipts:
        held.withdraw(receipt, "重复报送")
    done = held.detect(now=NOW)
    assert done["withdrawn"] >= 2 and done["warnings"] == len(unsigned) + 1
    rows = held.table("warnings").set_index("warning_id")
    assert set(rows.loc[unsigned["warning_id"], "state"]) == {"recalled"}
    assert set(rows.loc[unsigned["warning_id"], "reason"]) == {"@alerts.reason_fallen"}
    assert rows.loc[signed, "state"] == "signed" and "fallen" in json.loads(rows.loc[signed, "evidence"])
    assert held.detect(now=NOW)["warnings"] == 0
    held.import_file("tracks", table(tmp_path / "t.csv", poacher()), role="traffic")
    assert held.detect(now=NOW)["warnings"] == len(unsigned) + 1
    rows = held.table("warnings").set_index("warning_id")
    assert set(rows.loc[unsigned["warning_id"], "state"]) == {"open"}
    assert "fallen" not in json.loads(rows.loc[signed, "evidence"])


@pytest.mark.parametrize("signed", [False, True])
def test_an_event_that_late_data_move_goes_on_in_its_warning(tmp_path: Path, signed: bool) -> None:
    """An upload that comes late tells when the slow run began; `detect` sees it before the watch does."""
    lines = poacher()
    late = [told for told in lines if MS + 500_000 <= told["time"] < MS + 1_000_000]
    found = []
    for name in ("alone", "detected"):
        held = make(tmp_path / name)
        watched(held, write(tmp_path / f"{name}.jsonl", [told for told in lines if told not in late]))
        before, warning = events(held), gear(held)["warning_id"]
        if signed:
            held.desk.sign(warning, held.desk.now())
        held.import_file("tracks", table(tmp_path / f"{name}.csv", late), role="traffic")
        if name == "detected":
            assert held.detect(now=NOW)["withdrawn"] >= 1
        watched(held, tick(tmp_path / f"{name}-tick.jsonl", 85))
        assert {told[0] for told in before} - {told[0] for told in events(held)}  # ids are gone
        assert held.desk.warning(warning)["state"] == ("signed" if signed else "open")
        found.append([(*row[:5], row[6]) for row in warned(held)])
    assert found[0] == found[1]


def test_detect_raises_nothing(held: Workspace, tmp_path: Path) -> None:
    held.import_file("tracks", table(tmp_path / "t.csv", poacher()), role="traffic")
    done = held.detect(now=NOW)
    assert done["new"] >= 2 and done["warnings"] == 0
    assert not len(held.table("warnings"))


def test_an_event_first_found_by_detect_is_raised_by_the_watch_all_the_same(tmp_path: Path) -> None:
    found = []
    for name in ("alone", "detected"):
        held = make(tmp_path / name)
        held.import_file("tracks", table(tmp_path / f"{name}.csv", poacher()), role="traffic")
        if name == "detected":
            assert held.detect(now=NOW)["new"] >= 2
        watched(held, tick(tmp_path / f"{name}.jsonl"))
        found.append(warned(held))
        assert len(found[-1]) >= 2
        before = held.table("warnings", all_versions=True)
        watched(held, tick(tmp_path / f"{name}-again.jsonl", 81))
        assert held.table("warnings", all_versions=True).equals(before)  # and only once
    assert found[0] == found[1]


@pytest.mark.parametrize("cuts", [(0.3,), (0.5, 0.75), (0.45, 0.6, 1.0)])
def test_detect_at_any_moment_changes_no_warning(tmp_path: Path, cuts: tuple[float, ...]) -> None:
    lines = sorted([*poacher(), *passing("货1", MS, 120, 112.0, 4.0)], key=lambda told: told["time"])
    found = []
    for name in ("alone", "detected"):
        held, done = make(tmp_path / name), 0
        file = tmp_path / f"{name}.jsonl"
        for cut in (*cuts, 1.0):
            part = lines[done : round(len(lines) * cut)]
            done += len(part)
            if name == "detected":  # fixes are in the store before the duty room looks at them
                held.import_file("tracks", table(tmp_path / f"{done}.csv", part), role="traffic")
                held.detect(now=NOW)
            with file.open("a", encoding="utf-8") as out:
                out.write("".join(json.dumps(told, ensure_ascii=False) + "\n" for told in part))
            watched(held, file)
        found.append([(*row[:5], row[6]) for row in warned(held)])
        assert held.detect(now=NOW)["warnings"] == 0
    assert found[0] == found[1]


def test_a_watch_killed_between_detect_and_its_warnings_raises_them_when_it_starts_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = make(tmp_path / "ws")
    held.import_file("tracks", table(tmp_path / "t.csv", poacher()), role="traffic")
    held.detect(now=NOW)
    together = revisions.together

    def falls(*given: Any, **more: Any) -> Any:
        if "warnings" in given[1]:
            raise KeyboardInterrupt
        return together(*given, **more)

    with monkeypatch.context() as patched:
        patched.setattr(revisions, "together", falls)
        with pytest.raises(KeyboardInterrupt):
            watched(held, tick(tmp_path / "n.jsonl"))
    assert not len(held.table("warnings"))
    watched(held, tick(tmp_path / "m.jsonl", 81))
    other = make(tmp_path / "alone")
    other.import_file("tracks", table(tmp_path / "alone.csv", poacher()), role="traffic")
    watched(other, tick(tmp_path / "alone.jsonl", 81))
    assert [row[0] for row in warned(held)] == [row[0] for row in warned(other)] and len(warned(held)) >= 2


def test_a_room_that_could_not_write_loses_no_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process holds the database for long (a `detect` that writes): what was found is found again."""
    held, other = make(tmp_path / "ws"), make(tmp_path / "alone")
    watched(other, write(tmp_path / "alone.jsonl", poacher()))
    together, held_back = revisions.together, []

    def busy(store: Any, changed: Any, *given: Any, **more: Any) -> Any:
        if changed.get("events") and len(held_back) < 2:
            held_back.append(changed)
            raise GeoMonitorError("database_busy")
        return together(store, changed, *given, **more)

    monkeypatch.setattr(revisions, "together", busy)
    watched(held, write(tmp_path / "n.jsonl", poacher()))
    assert len(held_back) == 2
    assert [(*row[:5], row[6]) for row in warned(held)] == [(*row[:5], row[6]) for row in warned(other)]


def test_what_a_start_leaves_to_detect_is_not_raised_when_detect_has_found_it(tmp_path: Path) -> None:
    """Two boats that met over 5 h before the start of a watch."""
    meet = [
        line(unit, MS + s * 1000, 112.1 + shift, speed=0.0)
        for unit, begin, shift in (("甲", 0, 0.0), ("乙", 1200, 0.0001))
        for s in range(begin, 4200, 30)
    ]
    meet += [line("乙", MS + s * 1000, 112.05) for s in range(0, 1200, 30)]
    meet += [line("甲", MS + s * 1000, 112.1) for s in range(4200, 22_000, 300)]
    meet += [line("乙", MS + s * 1000, 112.05) for s in range(4800, 22_000, 300)]
    found = []
    for name in ("alone", "detected"):
        held = make(tmp_path / name)
        held.import_file("tracks", table(tmp_path / f"{name}.csv", meet), role="traffic")
        if name == "detected":
            assert "meeting" in held.detect(now=NOW)["kinds"]
        watched(held, tick(tmp_path / f"{name}.jsonl", 370))
        found.append([row[:5] for row in warned(held)])
    assert found[0] == found[1]


def test_of_a_boat_that_avoids_patrols_the_event_that_detect_found_is_raised(tmp_path: Path) -> None:
    """A start reads three evenings of four: to it the boat seems to begin anew, and the event that stands goes on."""
    day = 86_400_000
    lines = evenings()
    lines += [{**told, "time": told["time"] - 2 * day} for told in lines if told["time"] < MS + day // 2]
    for hour in range(3, 60):  # nothing cuts the three that follow on each other
        far = [("渔3", 112.2), ("巡1", 112.39)]
        lines += [line(unit, MS + hour * 3_600_000, lon) for unit, lon in far if hour % 24 >= 3]
    tracks = {
        role: [told for told in lines if told["unit_id"] == unit]
        for role, unit in (("traffic", "渔3"), ("patrol", "巡1"))
    }
    for name in ("alone", "detected"):
        held = make(tmp_path / name)
        for role, told in tracks.items():
            held.import_file("tracks", table(tmp_path / f"{name}-{role}.csv", told), role=role)
        if name == "detected":
            held.detect(now=NOW)
        watched(held, tick(tmp_path / f"{name}.jsonl", 3060))
        (event,) = [told for told in events(held) if told[1] == "avoids"]
        assert any(event[0] in row[6] for row in warned(held))


def test_detect_judges_neither_what_came_after_its_fixes_nor_what_hangs_on_a_later_clock(
    held: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The watch finds something while `detect` reckons; and by the wall it knows of a silence after the newest fix."""
    lines = poacher()
    watched(held, write(tmp_path / "n.jsonl", lines[:100]))
    begun = batch.Detection.changed

    def meanwhile(self: Any, now: int) -> Any:
        monkeypatch.setattr(batch.Detection, "changed", begun)
        watched(held, write(tmp_path / "m.jsonl", lines[100:]))
        return begun(self, now)

    monkeypatch.setattr(batch.Detection, "changed", meanwhile)
    done = held.detect(now=NOW)
    assert (done["new"], done["revised"], done["withdrawn"], done["warnings"]) == (0, 0, 0, 0)
    silent = room.Room(held._store, held.settings)
    silent.turn(MS + 120 * MINUTE)  # the last fix is 40 min old: the boat is silent
    live.set_clock(held._store, None)
    gaps = [told for told in events(held) if told[1] == "gap"]
    assert gaps
    before = held.table("warnings", all_versions=True)
    done = held.detect(now=at(MS + 121 * MINUTE))
    assert (done["withdrawn"], done["warnings"]) == (0, 0)
    assert [told for told in events(held) if told[1] == "gap"] == gaps
    assert held.table("warnings", all_versions=True).equals(before)


RULE = """
rule: slow_night
kind: slow
class: gear
values: {slow_s: 900}
"""
JIA, YI = "421022", "430602"  # the two counties, to the west and the east of 112.3


def account(held: Workspace, name: str, *areas: str) -> Workspace:
    return Workspace(held.root, Viewer(name, f"{name}渔政", ("analyst", "commander"), areas))


def both(root: Path, *counties: str) -> Workspace:
    """A night on which boats work slowly in these counties, one in the first and two in the second, with a report of each."""
    held = make(root)
    for name, adcode in (("甲", JIA), ("乙", YI)):
        held.accounts.add_agency(f"{name}渔政", adcode, at(MS), "local")
    for name, adcode, west, boats in (("甲", JIA, 112.1, 1), ("乙", YI, 112.36, 2)):
        if adcode not in counties:
            continue
        told = [
            one for i in range(boats) for one in passing(f"{name}{i}", MS + i * 5 * 3_600_000, 40, west + 0.02 * i, 0.6)
        ]
        told += passing(f"{name}过", MS, 30, west - 0.05, 4.0)
        held.import_file(
            "tracks", table(root.parent / f"{root.name}-{name}.csv", told), role="traffic", agency=f"{name}渔政"
        )
        report = root.parent / f"{root.name}-{name}-r.csv"
        report.write_text(
            f"案件编号,查获时间,经度,纬度\n{name}案,2026-06-01 22:20:00,{west + 0.01},30.0\n", encoding="utf-8"
        )
        held.import_file("seizures", report, agency=f"{name}渔政")
    return held


def test_a_back_test_counts_what_the_account_sees(tmp_path: Path) -> None:
    held = both(tmp_path / "both", JIA, YI)
    mine = account(held, "甲", JIA).desk.test_rule(RULE, at(MS))
    alone = account(both(tmp_path / "jia", JIA), "甲", JIA).desk.test_rule(RULE, at(MS))
    assert mine == alone and mine.areas == (JIA,)
    assert (mine.events, mine.warnings, mine.cases) == (1, 1, 1)
    theirs = account(held, "乙", YI).desk.test_rule(RULE, at(MS))
    assert (theirs.events, theirs.warnings, theirs.cases) == (2, 2, 1)
    assert not {reach for reach, _ in mine.places} & {reach for reach, _ in theirs.places}
    whole = held.desk.test_rule(RULE, at(MS))
    assert whole == account(held, "全国", "100000").desk.test_rule(RULE, at(MS)) and whole.areas is None
    assert (whole.events, whole.warnings, whole.cases) == (3, 3, 2)
    with pytest.raises(Usage) as caught:
        account(both(tmp_path / "yi", YI), "甲", JIA).desk.test_rule(RULE, at(MS))
    assert caught.value.code == "rule_no_history"


def test_the_cap_is_on_all_waters_and_its_numbers_are_told_to_who_sees_them(tmp_path: Path) -> None:
    held = both(tmp_path / "ws", JIA, YI)
    with (held.root / "settings.toml").open("a", encoding="utf-8") as file:
        file.write("alerts_cap_day = 2.0\nalerts_everything_least = 1\nalerts_everything = 0.9\n")
    one, other, city = account(held, "甲", JIA), account(held, "乙", YI), account(held, "甲市", "421000")
    assert not one.desk.test_rule(RULE, at(MS)).over_cap  # one warning here, and it says nothing of elsewhere
    row, found = one.desk.propose(RULE, at(MS))
    assert (row["state"], found.warnings, found.over_cap) == ("proposed", 1, True)

    def kept(who: Workspace) -> Any:
        frame = who.desk.rules().set_index("rule")
        return frame.loc["slow_night", "backtest"]

    assert json.loads(kept(one))["warnings"] == json.loads(kept(city))["warnings"] == 1
    assert json.loads(kept(held))["areas"] == [JIA]
    assert not isinstance(kept(other), str)
    with pytest.raises(Refused) as caught:
        one.desk.approve("slow_night", at(MS))
    assert caught.value.code == "rule_second_person" and "per_day" not in caught.value.params
    done = other.desk.approve("slow_night", at(MS))
    assert (done["state"], done["backtest"]) == ("in_force", None)
    assert other.desk.renew("slow_night", at(MS + MINUTE))["backtest"] is None
    # what is proposed for all waters by who sees them all is not shown to who does not
    row, found = held.desk.propose(RULE.replace("slow_night", "slow_all"), at(MS))
    assert json.loads(row["backtest"])["warnings"] == found.warnings == 3
    told = one.desk.rules(every=True)
    assert told.loc[told["rule"] == "slow_all", "backtest"].isna().all()
    with pytest.raises(Refused) as caught:  # a rule of the neighbour's waters alone says nothing here
        one.desk.propose(
            RULE.replace("slow_night", "theirs") + "reaches: [{river: 试江, km_from: 0, km_to: 8}]\n", at(MS)
        )
    assert caught.value.code == "rule_raises_nothing"


def test_a_rule_of_everybody_elsewhere_is_refused_without_their_numbers(tmp_path: Path) -> None:
    held = both(tmp_path / "ws", JIA, YI)
    with (held.root / "settings.toml").open("a", encoding="utf-8") as file:
        file.write("alerts_everything_least = 1\nalerts_everything = 0.55\n")
    one = account(held, "甲", JIA)
    assert one.desk.test_rule(RULE, at(MS)).boat_days_share == 0.5
    with pytest.raises(Refused) as caught:
        one.desk.propose(RULE, at(MS))
    assert (caught.value.code, caught.value.params["share"]) == ("rule_raises_everything", "55")
