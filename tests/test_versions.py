"""Versions in time, as an office lives them: sent again, corrected, withdrawn, valid from later, seen as of a date.

Through the command line, on a straight river along latitude 30 with one boat that crosses a zone every day at 10:00.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor.cli import run
from geo_monitor.versions import standing

WKT = "POLYGON((112.010 29.99,112.020 29.99,112.020 30.01,112.010 30.01,112.010 29.99))"
COLUMNS = (
    "编号",
    "名称",
    "规定",
    "禁渔开始",
    "禁渔结束",
    "生效日期",
    "失效日期",
    "水位站",
    "水位下限",
    "水位上限",
    "wkt",
)
OURS = (
    "zone_id",
    "name",
    "rule",
    "season_from",
    "season_to",
    "valid_from",
    "valid_to",
    "station",
    "low",
    "high",
    "wkt",
)


class Office:
    """A workspace used through the command line."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys = root, capsys
        self("init")

    def __call__(self, *arguments: object, code: int = 0) -> dict[str, Any]:
        self.capsys.readouterr()
        ended = run(["--workspace", str(self.root / "w"), *map(str, arguments), "--json"])
        out = self.capsys.readouterr().out
        assert ended == code, out
        return json.loads(out)  # type: ignore[no-any-return]

    def send(self, kind: str, text: str, *options: str, code: int = 0) -> dict[str, Any]:
        path = self.root / f"{kind}.csv"
        path.write_text(text, encoding="utf-8")
        return self("import", kind, path, *options, code=code)

    def zones(self, *rows: dict[str, str], agency: str = "渔政") -> dict[str, Any]:
        base = {"zone_id": "Z", "name": "保护区", "wkt": WKT}
        lines = [",".join(f'"{({**base, **row}).get(name, "")}"' for name in OURS) for row in rows]
        return self.send("zones", "\n".join([",".join(COLUMNS), *lines]), "--agency", agency)

    def table(self, name: str, *options: str) -> pd.DataFrame:
        path = self.root / f"{name}.parquet"
        self("export", name, "-o", path, *options)
        return pd.read_parquet(path)

    def received(self, receipt: dict[str, Any]) -> str:
        books = self.table("receipts").set_index("receipt_id")
        return str(books.loc[receipt["receipt_id"], "received_at"].isoformat())

    def visits(self, *options: str) -> list[tuple[str, int, str]]:
        """(day, version, certainty) of the visits an analysis finds."""
        self("analyse", *options)
        found = self.table("zone_visits")
        days = found["entered_at"].dt.tz_convert("Asia/Shanghai").dt.strftime("%m-%d")
        return list(zip(days, found["zone_version"], found["certainty"], strict=True))


def counts(receipt: dict[str, Any]) -> tuple[str, int, int, int, int]:
    rows = receipt["rows"]
    return receipt["status"], rows["read"], rows["accepted"], rows["unchanged"], rows["corrected"]


@pytest.fixture
def office(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Office:
    made = Office(tmp_path, capsys)
    line = {"type": "LineString", "coordinates": [[112 + i / 500, 30.0] for i in range(26)]}
    feature = {"type": "Feature", "properties": {"名称": "江", "mouth": "end"}, "geometry": line}
    (tmp_path / "river.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    made("import", "river", tmp_path / "river.geojson", "--accuracy", "50")
    return made


def crossings(*days: str) -> str:
    """x 8 to 24 millidegrees, 2 a minute from 10:00: in the zone from 10:01 to 10:06."""
    rows = [f"B1,{day} 10:{i:02d}:00,{112 + (8 + 2 * i) / 1000:.3f},30.0" for day in days for i in range(9)]
    return "\n".join(["船名,定位时间,经度,纬度", *rows])


# --- the same again, corrections, withdrawals -------------------------------------------------------------------------


def test_the_same_bytes_twice_change_nothing(office: Office) -> None:
    assert counts(office.zones({})) == ("accepted", 1, 1, 0, 0)
    before = office.table("zones", "--all-versions")
    again = office.zones({})
    assert counts(again) == ("duplicate", 1, 0, 1, 0)
    assert again["notes"][0]["code"] == "same_file"
    pd.testing.assert_frame_equal(office.table("zones", "--all-versions"), before)


def test_a_corrected_file_makes_a_new_version_and_the_old_one_stays_readable(office: Office) -> None:
    office.zones({"rule": "禁止捕捞"})
    second = office.zones({"rule": "禁止捕捞和垂钓"})
    assert counts(second) == ("accepted", 1, 0, 0, 1)
    assert office.table("zones")[["version", "rule"]].to_numpy().tolist() == [[2, "禁止捕捞和垂钓"]]
    every = office.table("zones", "--all-versions")
    assert every[["version", "rule"]].to_numpy().tolist() == [[1, "禁止捕捞"], [2, "禁止捕捞和垂钓"]]
    office("withdraw", second["receipt_id"], "--reason", "发错文件")
    assert office.table("zones")[["version", "rule"]].to_numpy().tolist() == [[1, "禁止捕捞"]]
    every = office.table("zones", "--all-versions")
    assert every["withdrawn_reason"].fillna("").tolist() == ["", "发错文件"]


def test_what_was_said_before_can_be_said_again(office: Office) -> None:
    """Version 1 is replaced; the same words sent once more are not "held already" but version 3."""
    office.zones({"rule": "甲"})
    office.zones({"rule": "乙"})
    third = office.zones({"rule": "甲", "name": "保护区"}, {"rule": "甲", "zone_id": "Y"})  # other bytes
    assert counts(third) == ("accepted", 2, 1, 0, 1)
    held = office.table("zones").set_index("zone_id")
    assert held.loc["Z", ["version", "rule"]].tolist() == [3, "甲"]


# --- valid from, valid to ---------------------------------------------------------------------------------------------


def test_a_correction_that_shortens_the_validity_ends_the_zone(office: Office) -> None:
    office.send("tracks", crossings("2026-05-01", "2026-06-01"))
    office.zones({})
    assert office.visits() == [("05-01", 1, "observed"), ("06-01", 1, "observed")]
    office.zones({"valid_to": "2026-05-15"})
    assert office.visits() == [("05-01", 2, "observed")]
    assert office.table("zones")["version"].tolist() == [2]  # nothing of version 1 holds at any time


def test_valid_to_is_exclusive_and_empty_is_always(office: Office) -> None:
    office.send("tracks", crossings("2026-05-01"))
    office.zones({"valid_from": "2026-05-01 10:03", "valid_to": "2026-05-01 10:05"})
    office("analyse")
    found = office.table("zone_visits").iloc[0]
    assert (found["entered_at"], found["left_at"]) == (
        pd.Timestamp("2026-05-01T10:03+08:00"), pd.Timestamp("2026-05-01T10:05+08:00"),
    )  # fmt: skip


def test_a_version_valid_from_a_future_date_leaves_the_one_before_it_in_force_until_then(office: Office) -> None:
    office.send("tracks", crossings("2026-05-01", "2026-06-01"))
    office.zones({})
    assert counts(office.zones({"rule": "更严", "valid_from": "2026-05-15"})) == ("accepted", 1, 0, 0, 1)
    assert office.visits() == [("05-01", 1, "observed"), ("06-01", 2, "observed")]
    assert office.table("zones")["version"].tolist() == [1, 2]


def test_a_correction_that_forgets_a_later_rule_says_so(office: Office) -> None:
    office.zones({}, {"rule": "更严", "valid_from": "2030-01-01"})
    told = office.zones({"rule": "错字改正"})
    assert {warning["code"] for warning in told["warnings"]} == {"zone_version_ended"}
    assert office.table("zones")["rule"].tolist() == ["错字改正"]
    # sent together, both hold, though the later one had been held before
    office("withdraw", told["receipt_id"], "--reason", "漏了一条")
    both = office.zones({"rule": "错字改正"}, {"rule": "更严", "valid_from": "2030-01-01"})
    assert counts(both) == ("accepted", 2, 0, 0, 2)
    assert office.table("zones")[["version", "rule"]].to_numpy().tolist() == [[3, "错字改正"], [4, "更严"]]


def test_rules_and_parts_of_one_zone_in_one_file_hold_side_by_side(office: Office) -> None:
    office.send("tracks", crossings("2026-04-01", "2026-07-01", "2026-11-15"))
    spring = {"rule": "禁止垂钓", "season_from": "3月1日", "season_to": "6月30日"}
    autumn = {"rule": "禁止捕蟹", "season_from": "11-01", "season_to": "11-30"}
    assert counts(office.zones(spring, autumn)) == ("accepted", 2, 2, 0, 0)
    assert office.visits() == [("04-01", 1, "observed"), ("11-15", 2, "observed")]
    # a correction of one of them keeps the other
    assert counts(office.zones(spring, {**autumn, "season_to": "11-10"})) == ("accepted", 2, 0, 0, 2)
    assert office.visits() == [("04-01", 3, "observed")]
    assert (
        counts(office.zones(spring, {**autumn, "season_to": "11-10"}, {**autumn, "season_to": "11-10"}))[0]
        == "duplicate"
    )


def test_a_season_over_new_year_to_29_february(office: Office) -> None:
    office.send("tracks", crossings("2023-12-31", "2024-02-29", "2024-03-01", "2025-02-28", "2025-03-01", "2025-10-31"))
    office.zones({"season_from": "12月1日", "season_to": "2月29日"})
    assert [day for day, _, _ in office.visits()] == ["12-31", "02-29", "02-28"]


# --- two agencies -----------------------------------------------------------------------------------------------------


def test_two_agencies_may_use_one_zone_id(office: Office) -> None:
    office.send("tracks", crossings("2026-05-01"))
    office.zones({"rule": "甲县禁捕"}, agency="甲县")
    assert counts(office.zones({"rule": "乙县禁捕", "valid_to": "2020-01-01"}, agency="乙县")) == (
        "accepted",
        1,
        1,
        0,
        0,
    )
    assert counts(office.zones({"rule": "乙县再禁"}, agency="乙县")) == ("accepted", 1, 0, 0, 1)
    assert len(office.table("zones")) == 2
    office("analyse")
    found = office.table("zone_visits")
    assert found[["zone_id", "zone_agency", "zone_version"]].to_numpy().tolist() == [["Z", "乙县", 2], ["Z", "甲县", 1]]


# --- as of ------------------------------------------------------------------------------------------------------------


def test_as_of_uses_what_was_known_then_of_zones_and_everything_else(office: Office) -> None:
    first = office.zones({"rule": "旧"})
    tracks = office.send("tracks", crossings("2026-05-01"))
    reports = "案号,查获时间,东经,北纬,渔获重量\nA,2026-05-01 10:03,112.015,30.0,{}\n"
    office.send("seizures", reports.format(3))
    then = office.received(office.send("units", "船名,类型\nB1,快艇"))
    second = office.zones({"rule": "新", "season_from": "10-01", "season_to": "10-31"})
    office.send("tracks", crossings("2026-05-02"))
    office.send("seizures", reports.format(7))
    office.send("units", "船名,类型\nB1,无人机")
    assert office.visits("--as-of", then) == [("05-01", 1, "observed")]
    assert office.table("seizure_links")["zone_ids"].map(list).tolist() == [["Z"]]
    assert office.table("effort")["platform"].unique().tolist() == ["boat"]
    before_tracks = office.received(first)
    assert office.visits("--as-of", before_tracks) == []
    assert office.visits() == []  # out of season now
    assert office.table("seizure_links")["zone_ids"].map(list).tolist() == [[]]
    assert office.table("effort")["platform"].unique().tolist() == ["drone"]
    office("withdraw", second["receipt_id"], "--reason", "错")
    office("withdraw", tracks["receipt_id"], "--reason", "错")
    assert office.visits() == [("05-02", 1, "observed")]
    assert office.visits("--as-of", then) == [("05-01", 1, "observed")]  # withdrawn later: known then


# --- water level ------------------------------------------------------------------------------------------------------

LEVELS = "站名,观测时间,水位(m)\n星子站,2026-05-01 08:00,{}\n星子站,2026-06-01 08:00,11.2\n"


def test_a_meadow_that_is_water_above_12_m(office: Office) -> None:
    office.send("tracks", crossings("2026-05-01", "2026-06-01", "2026-06-05"))
    office.zones({"rule": "高水位时禁捕", "station": "星子水文站", "low": "12"})
    assert [c for _, _, c in office.visits()] == ["possible"] * 3
    first = office.send("levels", LEVELS.format("12.60"))
    assert counts(first) == ("accepted", 2, 2, 0, 0)
    run_ = office("analyse")
    notes = {note["code"]: note["message"] for note in run_["notes"]}
    # 1 May 10:00 to 5 June 10:08 is 840.13 h; known are 24 h of 1 and 2 May, and 26 h from 1 June 08:00
    assert "790.1" in notes["level_unknown"]
    assert "星子" in notes["level_unknown"]
    assert office.visits() == [("05-01", 1, "observed"), ("06-05", 1, "possible")]
    assert counts(office.send("levels", LEVELS.format("12.60")))[0] == "duplicate"
    then = office.received(first)
    second = office.send("levels", LEVELS.format("11.60"))
    assert counts(second) == ("accepted", 2, 0, 1, 1)
    assert office.visits() == [("06-05", 1, "possible")]
    assert office.visits("--as-of", then) == [("05-01", 1, "observed"), ("06-05", 1, "possible")]
    assert sorted(office.table("levels", "--all-versions")["level_m"]) == [11.2, 11.6, 12.6]
    office("withdraw", second["receipt_id"], "--reason", "仪器故障")
    assert office.visits() == [("05-01", 1, "observed"), ("06-05", 1, "possible")]


def test_readings_that_can_not_be_are_refused_row_by_row(office: Office) -> None:
    rows = ["星子,2026-05-01 08:00,12.1", "星子,2026-05-02 08:00,-9999", "星子,2026-05-03 08:00,12.3",
            "星子,2026-05-04 08:00,999.99", "星子,2026-05-05 08:00,12.2", "星子,2026-05-06 08:00,", ",2026-05-07 08:00,12",
            "星子,2026-05-01 08:00,12.9"]  # fmt: skip
    told = office.send("levels", "\n".join(["站名,时间,水位", *rows]))
    assert told["rows"] == {"read": 8, "accepted": 3, "quarantined": 5, "unchanged": 0, "corrected": 0}
    reasons = {error["code"]: error["rows"] for error in told["errors"]}
    assert reasons == {
        "level_absurd": [2], "level_far": [4], "level_missing": [6], "station_missing": [7], "id_twice": [8],
    }  # fmt: skip
    # alone in a file it is judged by what is held
    later = office.send("levels", "站名,时间,水位\n星子水位站,2026-05-08 08:00,1221\n", code=3)
    assert [error["code"] for error in later["errors"]] == ["level_far"]


def example(header: str) -> list[dict[str, str]]:
    """Rows of the table in docs/uploads.md whose first header is this."""
    page = (Path(__file__).parents[1] / "docs" / "uploads.md").read_text(encoding="utf-8")
    lines = page[page.index(f"| {header} |") :].split("\n\n")[0].splitlines()
    names, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    return [dict(zip(names, row, strict=True)) for row in rows]


def test_the_example_of_the_page(office: Office) -> None:
    """The angling ban and the meadow of the page, with its readings; a boat crosses both at 10:00 on four days."""
    rules, told = example("zones: 编号"), example("levels: 站名")
    ours = {"zones: 编号": "zone_id", "规定": "rule", "禁渔开始": "season_from", "禁渔结束": "season_to", "水位站": "station",
            "水位下限": "low"}  # fmt: skip
    office.zones(*[{ours[name]: cell for name, cell in rule.items() if name in ours} for rule in rules])
    readings = [f"{row['levels: 站名']},{row['时间']},{row['水位']}" for row in told if row["时间"].startswith("2026")]
    assert len(readings) == 3
    office.send("levels", "\n".join(["站名,时间,水位", *readings]))
    office.send("tracks", crossings("2026-06-01", "2026-06-02", "2026-06-03", "2026-06-04", "2026-06-30", "2026-07-01"))
    office("analyse")
    found = office.table("zone_visits")
    days = found["entered_at"].dt.tz_convert("Asia/Shanghai").dt.strftime("%m-%d")
    by_zone = {zone: list(zip(days[rows], found["certainty"][rows], strict=True))
               for zone, rows in found.groupby("zone_id").groups.items()}  # fmt: skip
    assert [day for day, _ in by_zone["A1"]] == ["06-01", "06-02", "06-03", "06-04", "06-30"]
    assert by_zone["H7"] == [
        ("06-02", "observed"), ("06-04", "possible"), ("06-30", "possible"), ("07-01", "possible"),
    ]  # fmt: skip


def test_half_a_level_rule_is_none_and_told(office: Office) -> None:
    told = office.zones(
        {"zone_id": "A", "low": "12"},
        {"zone_id": "B", "station": "星子"},
        {"zone_id": "C", "station": "星子", "low": "12米"},
    )
    assert {w["code"]: w["rows"] for w in told["warnings"]} == {"level_no_station": [1], "level_no_bounds": [2]}
    held = office.table("zones").set_index("zone_id")
    assert held["level_station"].notna().tolist() == [False, False, True]
    assert held.loc["C", "level_from_m"] == 12.0
    bad = {"zone_id": "D", "station": "星子", "low": "12", "high": "12"}
    path = office.root / "zones.csv"
    assert "level_backwards" in json.dumps(refused(office, bad)), path


def refused(office: Office, row: dict[str, str]) -> dict[str, Any]:
    base = {"name": "保护区", "wkt": WKT}
    line = ",".join(f'"{({**base, **row}).get(name, "")}"' for name in OURS)
    return office.send("zones", "\n".join([",".join(COLUMNS), line]), code=3)


# --- the rule itself --------------------------------------------------------------------------------------------------

ROW = st.tuples(st.integers(0, 12), st.integers(1, 14))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.lists(ROW, min_size=1, max_size=3), min_size=1, max_size=4), st.randoms(use_true_random=False))
def test_what_stands_equals_the_rule_day_by_day(uploads: list[list[tuple[int, int]]], random: Any) -> None:
    """At any moment the last upload that has begun speaks; of its rows those that began last, while they are valid."""
    day0 = pd.Timestamp("1970-01-01", tz="UTC")
    rows = []
    version = 0
    for upload, parts in enumerate(uploads):
        for begin, length in parts:
            version += 1
            rows.append((version, upload, begin, begin + length))
    shuffled = random.sample(rows, len(rows))
    zones = pd.DataFrame({
        "agency": "a", "zone_id": "z", "version": [r[0] for r in shuffled],
        "valid_from": [day0 + pd.Timedelta(days=r[2]) for r in shuffled],
        "valid_to": [day0 + pd.Timedelta(days=r[3]) for r in shuffled], "receipt_id": [f"r{r[1]}" for r in shuffled],
    })  # fmt: skip
    begin, end = standing(zones)
    for t in range(30):
        begun = [r for r in rows if r[2] <= t]
        speaks = [r for r in begun if r[1] == max(r[1] for r in begun)]
        last = [r for r in speaks if r[2] == max(r[2] for r in speaks)]
        expected = sorted(r[0] for r in last if t < r[3])
        ms = t * 86_400_000
        found = sorted(int(v) for v, a, b in zip(zones["version"], begin, end, strict=True) if a <= ms < b)
        assert found == expected, t
