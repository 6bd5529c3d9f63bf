"""Letting go of old days from outside: through the door, to the numbers, on a straight river made by hand.

The river lies along latitude 30 from 112.0 to 112.2 E. Unit 艇1 lies at 112.051 from 08:00 to 09:00 on 1 March 2022, a fix
a minute (61 fixes, 1 hour), and at 112.151 from 08:00 to 10:00 on 2 March (121 fixes, 2 hours); one seizure each time.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

from geo_monitor.errors import Denied
from geo_monitor.feeds.fix import Fix
from geo_monitor.lateness import lateness
from geo_monitor.store import live
from geo_monitor.store.rights import Viewer
from geo_monitor.workspace import Workspace
from tests.test_cli import Shell, reports

FIRST, SECOND = "2022-03-01", "2022-03-02"  # long over whatever the clock says: 731 days must stay


def track(path: Path, *stays: tuple[str, str, float, int]) -> Path:
    """unit, first moment (Shanghai), longitude, minutes: a fix a minute, both ends included."""
    lines = ["unit_id,time,lon,lat"]
    for unit, begin, lon, minutes in stays:
        times = pd.date_range(begin, periods=minutes + 1, freq="min")
        lines += [f"{unit},{time:%Y-%m-%d %H:%M:%S},{lon},30.0" for time in times]
    path.write_text("\n".join([*lines, ""]), encoding="utf-8")
    return path


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    shell = Shell(tmp_path / "ws", capsys)
    shell("init")
    line = {"type": "LineString", "coordinates": [[112.0, 30.0], [112.1, 30.0], [112.2, 30.0]]}
    feature = {"type": "Feature", "properties": {"name": "江"}, "geometry": line}
    (tmp_path / "river.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8"
    )
    shell.json("import", "river", tmp_path / "river.geojson", "--accuracy", 100)
    one = track(tmp_path / "one.csv", ("艇1", f"{FIRST} 08:00", 112.051, 60))
    both = track(tmp_path / "both.csv", ("艇1", f"{SECOND} 08:00", 112.151, 120), ("商船", f"{FIRST} 20:00", 112.1, 9))
    assert shell.json("import", "tracks", one, "--agency", "甲", "--role", "patrol")["rows"]["accepted"] == 61
    assert shell.json("import", "tracks", both, "--agency", "甲", "--role", "patrol")["rows"]["accepted"] == 131
    found = reports(
        tmp_path / "cases.csv",
        ("a", f"{FIRST} 08:30", 112.051, 30.0),
        ("b", f"{SECOND} 08:30", 112.151, 30.0),
    )
    shell.json("import", "seizures", found)
    return shell


def expire(shell: Shell, *more: object, code: int = 0, lang: str = "zh") -> dict:
    return shell.json("expire", "--before", SECOND, "--lang", lang, *more, code=code)


def test_an_analysis_after_it_is_the_one_from_the_first_day_held(office: Shell, tmp_path: Path) -> None:
    whole = office.json("analyse", "--methods", "emerging,near_repeat,reemergence")
    counts = {name: whole["counts"][name] for name in ("positions", "seizures", "seizures_in_rate")}
    # ten fixes of 商船 are 9 minutes more
    assert (counts, whole["counts"]["patrol_hours"]) == (
        {"positions": 192, "seizures": 2, "seizures_in_rate": 2},
        pytest.approx(3.15),
    )
    later = office.json("analyse", "--from", SECOND, "--methods", "emerging,near_repeat,reemergence")
    assert (later["counts"]["positions"], later["counts"]["seizures"]) == (121, 1)
    assert later["counts"]["patrol_hours"] == pytest.approx(2.0)

    told = expire(office)
    assert (told["done"], told["days"], told["files"], told["fixes"], told["uploads"]) == (False, 1, 2, 71, 1)
    assert [(one["file"], one["until"]) for one in told["kept"]] == [("both.csv", "2022-03-03")]
    assert office.json("analyse")["counts"]["positions"] == 192
    code, out, _ = office("expire", "--before", SECOND)
    assert (code, "未作任何更改" in out, "1 天（2022-03-01 至 2022-03-01）、2 个文件、71 个定位点" in out) == (
        0,
        True,
        True,
    )
    assert expire(office, "--yes", code=2)["error"]["code"] == "expire_no_reason"
    assert expire(office, "--yes", "--reason", "保存期满")["done"]

    after = office.json("analyse", "--methods", "emerging,near_repeat,reemergence")
    assert after["counts"] == later["counts"]
    assert after["period"] == {"from": "2022-03-01T16:00:00Z", "to": None}
    (note,) = (note["message"] for note in after["notes"] if note["code"] == "positions_from")
    assert "2022-03-02 之前的定位数据已按保存期限销毁" in note
    held = Workspace(office.root)
    runs = held.table("runs")["run_id"].tolist()
    for path in sorted((office.root / "runs" / later["run_id"]).iterdir()):
        assert path.read_bytes() == (office.root / "runs" / after["run_id"] / path.name).read_bytes(), path.name
    assert runs[0] == whole["run_id"]  # earlier runs stay as they are
    assert held.table("hotspots", run=runs[0])["seizures"].sum() == 2
    assert held.table("effort", run=runs[0])["minutes"].sum() == pytest.approx(189.0)
    assert office.json("verify")["ok"]
    assert office.json("doctor")["ok"]


def test_what_lies_before_is_refused_with_the_first_day_that_can_be_asked_for(office: Shell, tmp_path: Path) -> None:
    expire(office, "--yes", "--reason", "保存期满")
    for period in (("--from", FIRST), ("--from", "2022-03-01T23:59"), ("--to", SECOND)):
        refused = office.json("analyse", *period, "--lang", "en", code=3)["error"]
        assert (refused["code"], "--from 2022-03-02" in refused["hint"]) == ("positions_expired", True)
    assert len(Workspace(office.root).table("runs")) == 0
    refused = office.json("detect", "--from", SECOND, code=3)["error"]
    assert (refused["code"], "--from 2022-03-16" in refused["hint"]) == ("events_expired", True)
    done = office.json("export", "positions", "-o", tmp_path / "p.csv")
    assert (done["rows"], [note["code"] for note in done["notes"]]) == (121, ["export_positions_from"])
    with pytest.raises(Exception, match="let go"):
        Workspace(office.root).store.positions(start=FIRST + "T00:00:00+08:00")


def test_fixes_that_come_late_for_it_are_refused(office: Shell, tmp_path: Path) -> None:
    expire(office, "--yes", "--reason", "保存期满")
    late = track(tmp_path / "late.csv", ("艇2", f"{FIRST} 23:50", 112.1, 19))  # ten fixes of each day
    told = office.json("import", "tracks", late, "--role", "patrol")
    assert (told["rows"]["accepted"], told["rows"]["quarantined"]) == (10, 10)
    (error,) = told["errors"]
    assert (error["code"], "10 行早于 2022-03-02" in error["message"]) == ("day_expired", True)
    older = track(tmp_path / "older.csv", ("艇2", f"{FIRST} 10:00", 112.1, 5))
    kept = sorted(path.name for path in office.root.glob("raw/*"))
    for file in (older, tmp_path / "one.csv"):  # new, or sent before: nothing of it is kept but the receipt
        refused = office.json("import", "tracks", file, "--agency", "甲", code=3)
        assert (refused["status"], refused["quarantine"]) == ("rejected", None)
    assert sorted(path.name for path in office.root.glob("raw/*")) == kept
    held = Workspace(office.root)
    moment = datetime(2022, 3, 1, 15, 59, tzinfo=UTC)
    fixes = [
        Fix("艇3", round((moment + timedelta(minutes=2 * n)).timestamp() * 1000), 112.1, 30.0, None, None, "patrol", "gps", "boat")
        for n in range(2)
    ]  # fmt: skip
    live.append(held._store, "tcp://x:1", "甲", fixes, None, 0, {})
    assert len(held._store.positions(units=["艇3"])) == 1  # nor are they read before they are sealed
    (sealed,) = live.seal(held._store, held.settings, datetime.now(UTC))
    assert (sealed.rows["accepted"], sealed.rows["quarantined"], sealed.errors[0].code) == (1, 1, "day_expired")
    assert office.json("verify")["ok"]


def test_events_found_in_days_let_go_stay(office: Shell) -> None:
    """`detect` withdraws what no longer follows from the fixes: of these days nothing follows any more."""
    held = Workspace(office.root)
    before = held.detect()
    assert before["events"] > 0
    told = held.table("events")
    expire(office, "--yes", "--reason", "保存期满")
    after = held.detect()
    assert (after["withdrawn"], after["judged_from"]) == (0, "2022-03-16")
    pd.testing.assert_frame_equal(held.table("events"), told)
    assert "2022-03-16 之前的事件未重新查找" in office("detect")[1]


def test_who_may_and_what_is_still_seen(office: Shell) -> None:
    held = Workspace(office.root)
    now = datetime.now(UTC)
    for name, code in (("甲", "421000"), ("乙", "420500")):
        held.accounts.add_agency(name, code, now, "local")
    for role in ("analyst", "commander", "uploader", "auditor"):
        with pytest.raises(Denied):
            Workspace(office.root, Viewer("某", "甲", (role,), ("100000",))).expire(SECOND, "错", do=True)
    run = office.json("analyse")["run_id"]
    mine, theirs = (
        Workspace(office.root, Viewer("某", agency, ("commander",), (code,)))
        for agency, code in (("甲", "421000"), ("乙", "420500"))
    )
    seen = mine.table("patrols", run=run)
    assert set(seen["unit_id"]) == {"艇1", "商船"}
    late = lateness(held._store, held.store.book("receipts"))
    Workspace(office.root, Viewer("管", None, ("admin",), ())).expire(SECOND, "保存期满", do=True)
    pd.testing.assert_frame_equal(mine.table("patrols", run=run), seen)  # 商船 had fixes on the day let go only
    assert not len(theirs.table("patrols", run=run))
    pd.testing.assert_frame_equal(lateness(held._store, held.store.book("receipts")), late)
    (row,) = (row for row in held.table("audit").itertuples() if row.action == "expire")
    assert (row.who, json.loads(row.detail)["reason"]) == ("管", "保存期满")


def test_raw_bytes_that_were_let_go_are_told(office: Shell) -> None:
    held = Workspace(office.root)
    receipt = held.table("receipts").set_index("file").loc["one.csv", "receipt_id"]
    expire(office, "--yes", "--reason", "保存期满")
    with pytest.raises(Exception, match="let go"), held.kept(receipt):
        pass
    assert held.quarantine(receipt) is None
