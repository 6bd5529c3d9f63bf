"""Neither of two counties reads the other's reports by any way there is.

荆州's account exports every table in every format, and asks every command: the mark of 宜昌's words may appear nowhere.
宜昌's own account sees it, so the tests can fail.
"""

from __future__ import annotations

import json
import sqlite3
import zipfile
from pathlib import Path

import pandas as pd
import pytest

from geo_monitor import tables
from geo_monitor.export.files import FORMATS
from tests import counties
from tests.counties import MARK, WORD, Office, box, features


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Office:
    return counties.office(tmp_path_factory.mktemp("counties"))


def words(path: Path) -> str:
    """Everything a file holds, as text."""
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
        return frame.drop(columns=[c for c in frame if c == "geometry"]).to_csv() + "|".join(frame.columns)
    if path.suffix == ".xlsx":
        return pd.concat(pd.read_excel(path, sheet_name=None, dtype=str).values()).to_csv()
    if path.suffix == ".gpkg":
        with sqlite3.connect(path) as held:
            return "\n".join(held.iterdump())
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as held:
            return "".join(held.read(name).decode("utf-8", "replace") for name in held.namelist())
    return path.read_bytes().decode("utf-8", "replace")


PUBLIC = [name for name, table in tables.TABLES.items() if not table.inner]
OWN = (
    "positions",
    "units",
    "patrols",
    "seizures",
    "receipts",
    "quality",
    "seizure_links",
    "zone_visits",
    "effort_gaps",
)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "tif"])
@pytest.mark.parametrize("name", PUBLIC)
def test_no_export_holds_a_word_of_the_other_county(office: Office, tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / f"{name}.{kind}"
    code, told = office("荆州员", "export", name, "-o", path)
    assert MARK not in told
    assert code in (0, 2, 3), told
    if code == 0:
        told = words(path)
        assert MARK not in told
        assert "宜昌渔政" not in told
    if kind == "csv" and name in OWN:  # the other way round it is there: what is looked for can be found
        assert code == 0
        office.json("宜昌员", "export", name, "-o", path)
        told = words(path)
        assert MARK in told or "宜昌渔政" in told or name == "effort_gaps"  # this county's tracks have no gaps


@pytest.mark.parametrize("name", ["zones", "seizures", "units", "patrols", "jurisdictions"])
def test_no_old_version_either(office: Office, tmp_path: Path, name: str) -> None:
    path = tmp_path / "all.csv"
    office.json("荆州员", "export", name, "-o", path, "--all-versions")
    assert MARK not in words(path)
    office.json("宜昌员", "export", name, "-o", path, "--all-versions")
    assert (MARK in words(path)) == (name in ("seizures", "units", "patrols"))


def test_results_lie_in_ones_own_water(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    office.json("荆州员", "export", "hotspots", "-o", path)
    here = pd.read_csv(path)
    office.json("宜昌员", "export", "hotspots", "-o", path)
    there = pd.read_csv(path)
    assert here["lon"].min() > 111.4
    assert there["lon"].max() < 111.6
    assert (here["seizures"].sum(), there["seizures"].sum()) == (2, 2)


def receipts(office: Office, account: str, tmp_path: Path) -> pd.DataFrame:
    path = tmp_path / "receipts.csv"
    office.json(account, "export", "receipts", "-o", path)
    return pd.read_csv(path)


def test_nobody_draws_the_neighbours_water_into_his_own(office: Office, tmp_path: Path) -> None:
    """Results are seen of reaches in one's area: with borders, or a line that gathers all within 100 km, of one's own making
    those of others were, down to a reach of 50 m and an hour."""
    before = tmp_path / "before.csv"
    office.json("荆州员", "export", "hotspots", "-o", before)
    grab = features(
        tmp_path / "j.geojson", ({"name": "荆州", "adcode": "421000", "level": "city"}, "Polygon", box(109.0, 111.5))
    )
    line = features(tmp_path / "r.geojson", ({"name": "试河支流"}, "LineString", [[112.0, 30.3], [112.0, 30.5]]))
    for arguments, code in (
        (["import", "jurisdictions", grab], "borders_not_yours"),
        (["import", "jurisdictions", grab, "--dry-run"], "borders_not_yours"),
        (["import", "river", line, "--accuracy", 100_000], "accuracy_not_yours"),
    ):
        found, told = office("荆州员", *arguments, "--json")
        assert (found, f'"code": "{code}"' in told) == (3, True), told
    office.json("荆州员", "import", "river", line, "--accuracy", 200)
    office.json("荆州员", "analyse", "--reach-length", 5000)
    after = tmp_path / "after.csv"
    office.json("荆州员", "export", "hotspots", "-o", after)
    assert pd.read_csv(after)["lon"].min() == pytest.approx(pd.read_csv(before)["lon"].min())
    office.json(
        "管理员",
        "accounts",
        "add",
        "总队员",
        "--role",
        "analyst",
        "--agency",
        "荆州渔政",
        "--adcode",
        "100000",
        stdin=WORD + "\n",
    )
    receipt = office.json("总队员", "import", "jurisdictions", grab)
    assert office("荆州员", "withdraw", receipt["receipt_id"], "--reason", "试")[0] == 3
    office.json("总队员", "withdraw", receipt["receipt_id"], "--reason", "试")


def test_no_command_tells_or_changes_it(office: Office, tmp_path: Path) -> None:
    theirs = receipts(office, "宜昌员", tmp_path)["receipt_id"].tolist()[-1]
    own = tmp_path / "own.csv"
    own.write_text(f"案件编号,查获时间,地点,单位\n{MARK}案1,2026-05-09 01:00,改,宜昌渔政\n", encoding="utf-8")
    tries = [
        (3, ["withdraw", theirs, "--reason", "试"]),
        (3, ["import", "seizures", own]),
        (3, ["import", "seizures", own, "--agency", "宜昌渔政"]),
        (3, ["export", "audit", "-o", tmp_path / "a.csv"]),
        (3, ["accounts", "list"]),
        (3, ["accounts", "add", "x", "--role", "admin"]),
        (3, ["accounts", "change", "宜昌员", "--password"]),
        (3, ["accounts", "change", "荆州员", "--adcode", "420500"]),
        (3, ["shares", "list"]),
        (3, ["shares", "add", "seizures", "--from", "宜昌渔政", "--to", "荆州渔政", "--reason", "试"]),
        (3, ["agencies", "add", "荆州渔政", "--adcode", "420500"]),
        (3, ["audit", "verify"]),
        (3, ["persons", "案1", "--reason", "试"]),
    ]
    for code, arguments in tries:
        found, told = office("荆州员", *arguments, stdin=WORD + "\n")
        assert found == code, (arguments, told)
        assert f"{MARK}码头" not in told
        assert "Traceback" not in told
    seizures = tmp_path / "s.csv"
    office.json("宜昌员", "export", "seizures", "-o", seizures)
    assert sorted(pd.read_csv(seizures)["place"]) == [f"{MARK}码头"] * 2


@pytest.mark.parametrize(
    "arguments", [["export", "zones", "-o", "z.csv"], ["analyse"], ["whoami"], ["accounts", "list"]]
)
def test_nobody_gets_in_without_signing_in(office: Office, arguments: list[str]) -> None:
    code, told = office(None, *arguments)
    assert code == 3
    assert json.loads(told.splitlines()[0])["error"]["code"] == "sign_in_needed"


def test_what_is_shared_is_seen_without_what_is_hidden(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    told = office.json("管理员", "shares", "add", "seizures", "--from", "宜昌渔政", "--to", "荆州渔政", "--hide", "place,gear",
                       "--reason", "联合执法")  # fmt: skip
    office.json("荆州员", "export", "seizures", "-o", path)
    seen = pd.read_csv(path)
    theirs = seen[seen["report_id"].str.startswith(MARK)]
    assert len(theirs) == 2
    assert theirs[["place", "gear"]].isna().all(axis=None)
    assert theirs["lon"].tolist() == [110.51, 110.52]
    office.json("管理员", "shares", "end", told["share"])
    office.json("荆州员", "export", "seizures", "-o", path)
    assert MARK not in words(path)


def test_who_makes_accounts_reads_no_reports(office: Office, tmp_path: Path) -> None:
    code, told = office("管理员", "export", "seizures", "-o", tmp_path / "s.csv")
    assert (code, MARK in told) == (3, False)
    assert office.json("管理员", "audit", "verify")["ok"]
