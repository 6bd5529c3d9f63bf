"""What is sent again: the same bytes, the same rows, corrections, what was withdrawn."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from geo_monitor.ingest import Receipt
from geo_monitor.workspace import Workspace
from tests.ingest.made import box, codes, counts, shapefile, write

REPORTS = (
    "案号,时间,经度,纬度,渔具,渔获重量\nA1,2025-06-01 08:00,112.5,29.6,地笼,3\nA2,2025-06-02 08:00,112.6,29.6,电鱼,4\n"
)
TRACK = "unit,time,lon,lat\nB1,2025-06-01 08:00:00,112.0,30.0\nB1,2025-06-01 08:01:00,112.001,30.0\n"


class Office:
    """A workspace whose clock goes on a minute with every act."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.workspace = Workspace.create(root / "w")
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def clock(self) -> datetime:
        self.now += timedelta(minutes=1)
        return self.now

    def send(self, kind: str, name: str, content: str | Path, **options: Any) -> Receipt:
        path = content if isinstance(content, Path) else write(self.root / name, content)
        return self.workspace.import_file(kind, path, now=self.clock(), **options)

    def withdraw(self, receipt: Receipt) -> None:
        self.workspace.withdraw(receipt.receipt_id, "测试", now=self.clock())


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.mark.parametrize(
    ("kind", "content", "table"), [("seizures", REPORTS, "seizures"), ("tracks", TRACK, "positions")]
)
def test_the_same_again_is_a_duplicate(office: Office, kind: str, content: str, table: str) -> None:
    assert counts(office.send(kind, "a.csv", content)) == (2, 2, 0, 0, 0)
    before = office.workspace.table(table)
    same_bytes = office.send(kind, "b.csv", content)
    other_bytes = office.send(kind, "c.csv", content.replace("\n", "\r\n"))
    for receipt in (same_bytes, other_bytes):
        assert receipt.status == "duplicate"
        assert counts(receipt) == (2, 0, 0, 2, 0)
        assert receipt.quarantine is None
    assert {"same_file"} <= codes(same_bytes)
    assert {"rows_held_already"} <= codes(other_bytes)
    pd.testing.assert_frame_equal(office.workspace.table(table), before)


def test_half_held_half_new(office: Office) -> None:
    office.send("tracks", "a.csv", TRACK)
    more = office.send("tracks", "b.csv", TRACK + "B1,2025-06-01 08:02:00,112.002,30.0\n")
    assert counts(more) == (3, 1, 0, 2, 0)
    assert len(office.workspace.table("positions")) == 3


def test_rows_repeated_in_one_file_count_once(office: Office) -> None:
    for kind, text in (("seizures", REPORTS), ("tracks", TRACK)):
        header, first, second = text.strip().split("\n")
        receipt = office.send(kind, f"{kind}.csv", "\n".join([header, first, first, second, first]))
        assert counts(receipt) == (4, 2, 0, 2, 0)
        assert {m.code: m.rows for m in receipt.warnings} == {"duplicate_rows": (2, 4)}
        assert receipt.status == "accepted_with_warnings"


def test_the_same_moment_elsewhere_is_a_clash_within_and_between_files(office: Office) -> None:
    office.send("tracks", "a.csv", TRACK)
    receipt = office.send("tracks", "b.csv", TRACK.replace("112.001", "112.101"))
    assert counts(receipt) == (2, 0, 1, 1, 0)
    assert codes(receipt, "errors") == {"device_clash"}
    held = office.workspace.table("positions")
    assert sorted(held["lon"]) == pytest.approx([112.0, 112.001])


def test_compacted_days_are_held_as_before(office: Office) -> None:
    """The same bytes, the same rows, the same moment elsewhere, a withdrawal and the file once more."""
    first = office.send("tracks", "a.csv", TRACK)
    office.send("tracks", "b.csv", TRACK.replace("B1", "B2"))
    assert office.workspace.compact(now=office.clock()).files_before == 2
    assert office.send("tracks", "a.csv", TRACK).status == "duplicate"
    assert counts(office.send("tracks", "c.csv", TRACK + "B1,2025-06-01 08:02:00,112.002,30.0\n")) == (3, 1, 0, 2, 0)
    assert codes(office.send("tracks", "d.csv", TRACK.replace("112.001", "112.101")), "errors") == {"device_clash"}
    office.withdraw(first)
    assert sorted(office.workspace.table("positions")["unit_id"]) == ["B1", "B2", "B2"]
    assert counts(office.send("tracks", "a.csv", TRACK)) == (2, 2, 0, 0, 0)
    assert office.workspace.compact(now=office.clock()).files_before == 3
    assert sorted(office.workspace.table("positions")["unit_id"]) == ["B1", "B1", "B1", "B2", "B2"]
    assert office.workspace.verify().troubles == []


def test_a_correction_is_a_new_version_and_its_withdrawal_brings_the_old_one_back(office: Office) -> None:
    office.send("seizures", "a.csv", REPORTS)
    corrected = REPORTS.replace("地笼,3", "地笼,7")
    second = office.send("seizures", "b.csv", corrected)
    assert counts(second) == (2, 0, 0, 1, 1)
    assert second.status == "accepted"

    def held() -> list[tuple[int, float]]:
        rows = office.workspace.table("seizures").set_index("report_id")
        return [(int(rows.loc[name, "version"]), float(rows.loc[name, "catch_kg"])) for name in ("A1", "A2")]

    assert held() == [(2, 7.0), (1, 4.0)]
    history = office.workspace.table("seizures", all_versions=True)
    told = history[history["report_id"] == "A1"].sort_values("version")
    assert told["catch_kg"].tolist() == [3.0, 7.0]
    office.withdraw(second)
    assert held() == [(1, 3.0), (1, 4.0)]
    assert office.send("seizures", "b.csv", corrected).status == "accepted"  # the same file is let in again
    assert [kg for _, kg in held()] == [7.0, 4.0]
    back = office.send("seizures", "c.csv", REPORTS + "\n")
    assert counts(back) == (2, 0, 0, 1, 1)
    assert [kg for _, kg in held()] == [3.0, 4.0]


def test_ids_are_those_of_an_agency(office: Office) -> None:
    assert counts(office.send("seizures", "a.csv", REPORTS, agency="甲"))[1] == 2
    other = office.send("seizures", "b.csv", REPORTS.replace("112.5", "112.7"), agency="乙")
    assert counts(other) == (2, 2, 0, 0, 0)


def test_withdrawn_tracks_come_in_again(office: Office) -> None:
    first = office.send("tracks", "a.csv", TRACK)
    office.withdraw(first)
    assert len(office.workspace.table("positions")) == 0
    again = office.send("tracks", "a.csv", TRACK)
    assert counts(again) == (2, 2, 0, 0, 0)
    assert again.status == "accepted"
    assert len(office.workspace.table("positions")) == 2


def test_a_dry_run_changes_nothing(office: Office) -> None:
    receipt = office.send("tracks", "a.csv", TRACK + "B1,never,112,30\n", dry_run=True)
    assert counts(receipt) == (3, 2, 1, 0, 0)
    assert len(office.workspace.table("positions")) == 0
    assert len(office.workspace.table("receipts")) == 0
    assert office.send("tracks", "a.csv", TRACK).status == "accepted"


def zones(root: Path, name: str, rules: list[str], starts: list[str]) -> Path:
    ring = box(112.0, 29.5, 112.1, 29.6)
    table = {"zone_id": ["Z1"] * len(rules), "rule": rules, "valid_from": starts}
    return shapefile(root / name, "zones", [[ring]] * len(rules), table).parent


def test_versions_of_a_zone_in_one_file(office: Office) -> None:
    """Two versions of Z1, the second in force later; sent again in other files they are held already."""
    rules, starts = ["禁止垂钓", "全面禁捕"], ["2020-01-01", "2021-01-01"]
    first = office.send("zones", "", zones(office.root, "a", rules, starts))
    assert counts(first)[0] == 2
    history = office.workspace.table("zones", all_versions=True)
    assert sorted(zip(history["version"], history["rule"], strict=True)) == [(1, "禁止垂钓"), (2, "全面禁捕")]
    again = office.send("zones", "", zones(office.root, "b", [*rules, rules[1]], [*starts, starts[1]]))
    assert again.status == "duplicate", again
    assert counts(again) == (3, 0, 0, 3, 0)


def test_shapes_sent_again_in_another_file(office: Office) -> None:
    for kind in ("zones", "jurisdictions"):
        for folder in ("a", "b"):
            ring = box(112.0, 29.5, 112.1, 29.6)
            shapefile(office.root / f"{kind}{folder}", folder, [[ring]], {"名称": ["城陵矶江段"]})
        assert office.send(kind, "", office.root / f"{kind}a").status == "accepted"
        again = office.send(kind, "", office.root / f"{kind}b")
        assert again.status == "duplicate", again
        assert counts(again) == (1, 0, 0, 1, 0)


BAD_ROWS = {
    "tracks": (
        "船名,定位时间,经度,纬度\n=B1,2025-06-01 08:00:00,-112.0,30.0\nB2,2025-13-01,112.0,30.0\n",
        [("-112.0", "112.0"), ("2025-13-01", "2025-12-01")],
    ),
    "seizures": (
        "案号,时间,经度,纬度,备注\nA1,2025-06-01 08:00,181,91,\"一,二\"\nA2,,112,30,x\n",
        [("181,91", "112.1,30.1"), ("A2,,", "A2,2025-06-01 09:00,")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD_ROWS)
def test_the_quarantine_can_be_corrected_and_sent_again(office: Office, kind: str) -> None:
    text, mends = BAD_ROWS[kind]
    first = office.send(kind, "a.csv", text)
    assert counts(first) == (2, 0, 2, 0, 0)
    assert first.quarantine is not None
    sent = Path(first.quarantine).read_text(encoding="utf-8-sig")
    for wrong, right in mends:
        assert wrong in sent
        sent = sent.replace("'" + wrong, right).replace(wrong, right)
    second = office.send(kind, "mended.csv", sent)
    assert counts(second) == (2, 2, 0, 0, 0), second
    assert "columns_ignored" not in codes(second) or kind == "seizures"
    if kind == "tracks":
        assert set(office.workspace.table("positions")["unit_id"]) == {"=B1", "B2"}


def test_refused_shapes_can_be_corrected_and_sent_again(office: Office) -> None:
    rings = [[box(112.0, 29.5, 112.1, 29.6)], [box(112.2, 29.5, 112.3, 29.6)]]
    path = shapefile(office.root / "z", "z", rings, {"名称": ["嘉鱼江段", ""]}).parent
    first = office.send("zones", "", path)
    assert counts(first) == (2, 1, 1, 0, 0)
    sent = pd.read_csv(first.quarantine, dtype=str, encoding="utf-8-sig", keep_default_na=False)
    sent["名称"] = "石首江段"
    sent.to_csv(office.root / "mended.csv", index=False, encoding="utf-8-sig")
    second = office.workspace.import_file("zones", office.root / "mended.csv", crs="EPSG:4490", now=office.clock())
    assert counts(second) == (1, 1, 0, 0, 0)
    bounds = office.workspace.table("zones").set_index("name").loc["石首江段"].geometry.bounds
    assert bounds == pytest.approx((112.2, 29.5, 112.3, 29.6), abs=1e-8)
