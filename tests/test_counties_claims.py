"""What a county might try in order to learn of another's reports: claim its boats and numbers, probe, borrow its name.

宜昌's words hold the mark YC; the places and times are those of `counties.county`.
"""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

import geo_monitor as gm
from geo_monitor.errors import Denied, Usage
from geo_monitor.workspace import Workspace
from tests import counties
from tests.counties import MARK, WORD, Office

OF_UNITS = ("zone_visits", "effort_gaps", "patrols", "predictability")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("claims")
    counties.office(folder)
    return folder


@pytest.fixture
def office(made: Path, tmp_path: Path) -> Office:
    """A workspace of each test's own, with the counties' files beside it."""
    shutil.copytree(made, tmp_path / "office")
    return Office(tmp_path / "office" / "w")


def sent(office: Office, name: str, *lines: str) -> Path:
    path = office.root.parent / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def exported(office: Office, account: str, table: str, *options: str) -> str:
    path = office.root.parent / "out.csv"
    office.json(account, "export", table, "-o", path, *options)
    return path.read_text(encoding="utf-8-sig")


def visits(office: Office, account: str) -> int:
    return exported(office, account, "zone_visits").count(f"{MARK}艇01")


def test_who_claims_a_boat_sees_nothing_of_where_it_went(office: Office) -> None:
    assert visits(office, "宜昌员") > 0
    office.json("荆州员", "import", "units", sent(office, "u.csv", "unit_id,name,platform", f"{MARK}艇01,借名,boat"))
    for table in OF_UNITS:
        assert f"{MARK}艇01" not in exported(office, "荆州员", table), table
    assert visits(office, "宜昌员") > 0  # a mere list takes nothing away either
    fix = ("终端编号,定位时间,经度,纬度", f"{MARK}艇01,2026-05-09 03:00:00,112.5,30.0",
           f"{MARK}艇01,2026-05-09 03:05:00,112.501,30.0")  # fmt: skip
    office.json("荆州员", "import", "tracks", sent(office, "t.csv", *fix))
    for table in OF_UNITS:
        assert f"{MARK}艇01" not in exported(office, "荆州员", table), table


def test_nor_when_its_tracks_were_withdrawn_after_an_analysis(office: Office) -> None:
    (receipt,) = [
        one["receipt_id"]
        for one in pd.read_csv(_receipts(office, "宜昌员")).to_dict("records")
        if one["kind"] == "tracks"
    ]
    office.json("宜昌员", "withdraw", receipt, "--reason", "改")
    office.json("荆州员", "import", "units", sent(office, "u.csv", "unit_id,name,platform", f"{MARK}艇01,借名,boat"))
    for table in OF_UNITS:
        assert f"{MARK}艇01" not in exported(office, "荆州员", table), table


def _receipts(office: Office, account: str) -> Path:
    path = office.root.parent / "receipts.csv"
    office.json(account, "export", "receipts", "-o", path)
    return path


def test_who_writes_the_same_number_sees_no_link_of_the_other_report(office: Office) -> None:
    own = sent(office, "s.csv", "案件编号,查获时间,经度,纬度", f"{MARK}案1,2026-05-05 01:00:00,112.2,30.0")
    assert f"{MARK}案1" in exported(office, "宜昌员", "seizure_links")
    office.json("荆州员", "import", "seizures", own)
    assert f"{MARK}案1" not in exported(office, "荆州员", "seizure_links")
    for receipt in pd.read_csv(_receipts(office, "宜昌员")).to_dict("records"):
        if receipt["kind"] == "seizures":
            office.json("宜昌员", "withdraw", receipt["receipt_id"], "--reason", "改")
    assert f"{MARK}案1" not in exported(office, "荆州员", "seizure_links")


@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_no_receipt_tells_whether_a_report_of_another_is_held(office: Office, dry: list[str]) -> None:
    theirs = office.root.parent / f"{MARK}-seizures.csv"
    copied = sent(office, "copy.csv", "案件编号,查获时间,经度,纬度,地点,渔具,单位",
                  f"{MARK}案1,2026-05-01 01:30:00,110.510,30.0,{MARK}码头,{MARK}地笼,宜昌渔政")  # fmt: skip
    guess = sent(office, "guess.csv", "案件编号,查获时间,经度,纬度,单位",
                 f"{MARK}案77,2026-05-01 01:30:00,110.510,30.0,宜昌渔政")  # fmt: skip
    told = []
    for arguments in ([theirs, "--agency", "宜昌渔政"], [copied], [guess]):
        code, words = office("荆州员", "import", "seizures", *arguments, *dry)
        told.append((code, json.loads(words.splitlines()[0])["error"]["code"]))
    assert told == [(3, "agency_not_yours")] * 3
    assert len(pd.read_csv(_receipts(office, "宜昌员"))) == 4


def test_the_same_bytes_name_no_receipt_of_another(office: Office) -> None:
    theirs = pd.read_csv(_receipts(office, "宜昌员"))["receipt_id"].tolist()
    for kind in ("seizures", "units", "patrols", "tracks"):
        _, told = office("荆州员", "import", kind, office.root.parent / f"{MARK}-{kind}.csv")
        assert not [one for one in theirs if one in told]
    # what is known by agency and number is 荆州's own, whoever else wrote the same
    assert exported(office, "荆州员", "seizures").count(f"{MARK}案") == 2


@pytest.mark.parametrize("kind", ["tracks", "units", "seizures"])
def test_nobody_sends_in_another_agencys_name(office: Office, kind: str) -> None:
    broken = sent(office, "b.csv", "终端编号,定位时间,经度,纬度", "甲,胡写,x,y")
    for file in (office.root.parent / f"JZ-{kind}.csv", broken):
        code, told = office("荆州员", "import", kind, file, "--agency", "宜昌渔政")
        assert (code, json.loads(told.splitlines()[0])["error"]["code"]) == (3, "agency_not_yours")
    assert len(pd.read_csv(_receipts(office, "宜昌员"))) == 4  # no refused one under its name either


def test_a_patrol_under_another_name_does_not_name_the_boat(office: Office) -> None:
    lines = (office.root.parent / f"{MARK}-tracks.csv").read_text(encoding="utf-8").replace(f"{MARK}艇01", "甲艇")
    told = office.json("荆州员", "import", "tracks", sent(office, "again.csv", *lines.splitlines()))
    assert "patrol_twice_elsewhere" in {one["code"] for one in told["warnings"]}
    assert MARK not in json.dumps(told, ensure_ascii=False)
    assert MARK not in exported(office, "荆州员", "receipts")
    told = office.json("宜昌员", "import", "tracks", office.root.parent / "again.csv", "--dry-run")
    assert f"{MARK}艇01" in json.dumps(told, ensure_ascii=False)  # who may see that boat is told which


def test_no_clash_tells_when_a_boat_of_another_was_out(office: Office) -> None:
    probe = sent(office, "p.csv", "终端编号,定位时间,经度,纬度", f"{MARK}艇01,2026-05-01 01:00:00,112.9,30.0",
                 f"{MARK}艇01,2026-05-01 01:00:01,112.9,30.0")  # fmt: skip
    told = office.json("荆州员", "import", "tracks", probe, "--dry-run")
    assert told["rows"] == {"read": 2, "accepted": 2, "quarantined": 0, "unchanged": 0, "corrected": 0}
    code, words = office("宜昌员", "import", "tracks", probe, "--dry-run")
    assert (code, json.loads(words.splitlines()[0])["rows"]["quarantined"]) == (0, 1)


def test_notes_of_an_analysis_name_no_patrol_of_another(office: Office) -> None:
    paper = sent(office, "p.csv", "patrol_id,unit_id,started_at,ended_at,river,km_from,km_to",
                 f"{MARK}巡9,{MARK}艇01,2026-05-04 20:00,2026-05-04 22:00,试河,900,902")  # fmt: skip
    office.json("宜昌员", "import", "patrols", paper)
    told = office.json("荆州员", "analyse", "--reach-length", 5000)
    assert MARK not in json.dumps(told, ensure_ascii=False)
    assert MARK not in exported(office, "荆州员", "runs")
    run = gm.open(office.root, account="荆州员", password=WORD).run()
    assert MARK not in json.dumps(run.summary, ensure_ascii=False)
    run = gm.open(office.root, account="宜昌员", password=WORD).run()
    assert f"{MARK}巡9" in json.dumps(run.summary, ensure_ascii=False)


def test_an_auditor_reads_no_rows_however_asked(office: Office) -> None:
    office.json("管理员", "accounts", "add", "审计", "--role", "auditor", stdin=WORD + "\n")
    office.json("管理员", "accounts", "add", "审报", "--role", "auditor", "--role", "uploader", "--agency", "荆州渔政",
                stdin=WORD + "\n")  # fmt: skip
    receipts = pd.read_csv(_receipts(office, "审计"))
    theirs = receipts[receipts["agency"] == "宜昌渔政"].set_index("kind")["receipt_id"]
    for account in ("审计", "审报"):
        held = gm.open(office.root, account=account, password=WORD)
        for ask in (held.quarantine, lambda one: held.kept(one).__enter__(), held.names, held.withdraw):  # noqa: B023
            with pytest.raises((Denied, Usage, TypeError)) as error:
                ask(theirs["seizures"], *(["试"] if ask in (held.names, held.withdraw) else []))
            assert not isinstance(error.value, TypeError)
    assert MARK not in exported(office, "审报", "seizures")
    assert MARK not in exported(office, "审报", "positions")
    own = gm.open(office.root, account="宜昌员", password=WORD)
    assert f"{MARK}错行".encode() in (own.quarantine(theirs["seizures"]) or b"")


def test_a_share_is_for_readers(office: Office) -> None:
    office.json("管理员", "accounts", "add", "报送", "--role", "uploader", "--agency", "荆州渔政", stdin=WORD + "\n")
    office.json("管理员", "shares", "add", "seizures", "--from", "宜昌渔政", "--to", "荆州渔政", "--reason", "联合")
    assert MARK in exported(office, "荆州员", "seizures")
    assert MARK not in exported(office, "报送", "seizures")


def test_a_moved_agency_takes_its_accounts_along(office: Office) -> None:
    office.json("荆州员", "login", "荆州员", stdin=WORD + "\n")
    office.json("管理员", "agencies", "add", "荆州渔政", "--adcode", "421022")
    assert office.json("荆州员", "whoami")["adcodes"] == ["421022"]
    assert office.json("宜昌员", "whoami")["adcodes"] == ["420500"]


def test_a_script_makes_no_accounts_for_itself(office: Office) -> None:
    held = gm.open(office.root, account="荆州员", password=WORD)
    now = datetime.now(UTC)
    for ask in (
        lambda: held.accounts.change("荆州员", now, "荆州员", adcodes=["100000"]),
        lambda: held.accounts.add("甲", WORD, ["admin"], None, [], now, "荆州员"),
        lambda: held.accounts.add_agency("荆州渔政", "420500", now, "荆州员"),
        lambda: held.accounts.share("seizures", "宜昌渔政", "荆州渔政", [], "试", now, "荆州员"),
        lambda: held.accounts.end_share(1, now, "荆州员"),
        lambda: held.accounts.every(),
        lambda: held.accounts.shares(),
        lambda: gm.open(office.root).accounts.every(),
    ):
        with pytest.raises(Denied):
            ask()
    held.accounts.change("荆州员", now, "荆州员", password="另一句更长的话语在此")  # one's own password


def test_what_was_interrupted_is_told_to_its_keeper_only(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    from geo_monitor.store.unfinished import Fallen, Work

    fell = Fallen(Work("import", f"{MARK}-seizures.csv", "R"), False, ())
    monkeypatch.setattr(Workspace, "fallen", fell)
    _, told = office("荆州员", "whoami")
    assert MARK not in told
    _, told = office("管理员", "whoami")
    assert f"{MARK}-seizures.csv" in told


def test_fixes_of_two_agencies_under_one_name_leave_the_patrol_of_the_first(office: Office) -> None:
    """Two hours and two nights of a boat; another agency's fixes under its name, at its moments, 230 km away."""
    office.json("宜昌员", "analyse", "--reach-length", 5000)
    before = pd.read_csv(_out(office, "宜昌员", "effort"))["minutes"].sum()
    lines = (office.root.parent / f"{MARK}-tracks.csv").read_text(encoding="utf-8").splitlines()
    far = [line.replace(",110.", ",112.") for line in lines]
    told = office.json("荆州员", "import", "tracks", sent(office, "far.csv", *far))
    assert told["rows"]["quarantined"] == 0
    office.json("宜昌员", "analyse", "--reach-length", 5000)
    after = pd.read_csv(_out(office, "宜昌员", "effort"))["minutes"].sum()
    assert before > 300
    assert after == pytest.approx(before, rel=0.05)


def _out(office: Office, account: str, table: str) -> Path:
    path = office.root.parent / "out.csv"
    office.json(account, "export", table, "-o", path)
    return path


def test_a_surface_lies_in_ones_own_water(office: Office) -> None:
    import rasterio

    path = office.root.parent / "s.tif"
    for account, west, east in (("荆州员", 111.4, 113.1), ("宜昌员", 109.9, 111.6)):
        for table in ("hotspots", "effort"):
            office.json(account, "export", table, "-o", path)
            with rasterio.open(path) as held:
                band = held.read(1, masked=True)
                columns = (~band.mask).any(axis=0).nonzero()[0]
                xs = [held.xy(0, column)[0] for column in (columns[0], columns[-1])]
                assert held.crs.to_epsg() in (4326, 4490)
            assert west <= min(xs) <= max(xs) <= east, (account, table, xs)


def test_a_look_at_the_workspace_names_no_files(office: Office) -> None:
    (raw,) = [
        office.root / "raw" / one["sha256"]
        for one in pd.read_csv(_receipts(office, "宜昌员")).to_dict("records")
        if one["kind"] == "seizures"
    ]
    raw.write_bytes(b"broken")
    (office.root / ".unfinished").write_text(
        json.dumps({"action": "import", "name": f"{MARK}-x.csv", "subject": "R0"}), encoding="utf-8"
    )
    code, told = office(None, "doctor")
    assert code != 0
    assert MARK not in told
    assert "fallen" in told


def test_a_report_put_beside_anothers_boat_does_not_tell_of_it(office: Office) -> None:
    """宜昌's boat was at 110.505 E at 00:50; 荆州 writes a report of there and then, and one beside its own boat."""
    own = sent(office, "s.csv", "案件编号,查获时间,经度,纬度", "JZ案8,2026-05-01 00:50:00,110.505,30.0",
               "JZ案9,2026-05-01 00:50:00,112.005,30.0")  # fmt: skip
    office.json("荆州员", "import", "seizures", own)
    office.json("荆州员", "analyse", "--reach-length", 5000)
    told = pd.read_csv(_out(office, "荆州员", "seizure_links")).set_index("report_id")
    assert told.loc["JZ案9", "nearest_unit_id"] == "JZ艇01"
    assert told.loc["JZ案8", ["nearest_unit_id", "nearest_unit_m", "nearest_unit_s"]].isna().all()
    assert MARK not in exported(office, "荆州员", "seizure_links")
