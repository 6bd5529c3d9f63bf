"""Names of people: sealed at the door, shown by right and with a record. Through the program, on both stores."""

from __future__ import annotations

import json
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from geo_monitor.errors import Denied, GeoMonitorError, Refused, Usage
from geo_monitor.store.persons import Sealer, key_file
from geo_monitor.store.schema import metadata
from geo_monitor.workspace import Workspace

NOW = datetime(2026, 5, 2, tzinfo=UTC)
WORD = "江豚与中华鲟同游十里"
HEAD = "案件编号,查获时间,经度,纬度,当事人姓名,身份证号,执法人员姓名,涉案人数\n"
ROWS = "A1,2026-05-01 01:00,112.0,30.0,张三、李四,420106198001011234,王警官,2\nA2,2026-05-01 02:00,112.1,30.0,张 三,,王警官,1\nA3,,112.1,30.0,赵六,,,1\n"
SECRETS = ("张三", "李四", "张 三", "赵六", "420106198001011234", "王警官")


@pytest.fixture
def held(tmp_path: Path, database: str | None, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("GEO_MONITOR_KEY_FILE", str(tmp_path / "names.key"))
    file = tmp_path / "a.csv"
    file.write_text(HEAD + ROWS, encoding="utf-8")
    made = Workspace.create(tmp_path / "w", database)
    receipt = made.import_file("seizures", file, agency="荆州渔政", now=NOW)
    assert receipt.rows["accepted"] == 2
    notes = {note.code: note.params for note in receipt.notes}
    assert notes["names_sealed"] == {"count": 3}
    assert notes["columns_personal"] == {"columns": ["身份证号", "执法人员姓名"]}
    return made


def test_tables_and_database_hold_pseudonyms_only(held: Workspace) -> None:
    told = held.table("persons")
    assert told[["report_id", "part"]].to_numpy().tolist() == [["A1", "当事人姓名"]] * 2 + [["A2", "当事人姓名"]]
    first, second, third = told["pseudonym"]
    assert first == third != second  # 张三 twice, however it is spaced
    for table in metadata.sorted_tables:
        if table.name == "receipts":
            continue  # their receipts name columns, not people; looked at below
        rows = [str(tuple(row)) for row in held._store.rows(table.select())]
        assert not [secret for secret in SECRETS for row in rows if secret in row], table.name
    receipts = "".join(held.table("receipts")["receipt"])
    assert not [secret for secret in SECRETS if secret in receipts]


def test_a_look_needs_the_right_and_a_reason_and_is_recorded_first(held: Workspace) -> None:
    with pytest.raises(Usage, match="reason"):
        held.names("A1", "  ")
    found = held.names("A1", "移送公安", NOW)
    assert [(one["part"], one["name"]) for one in found] == [("当事人姓名", "张三"), ("当事人姓名", "李四")]
    with pytest.raises(Refused, match="No names"):
        held.names("A9", "试", NOW)
    looks = held.table("audit").query("action == 'names'")
    assert looks[["who", "subject"]].to_numpy().tolist() == [["local", "A1"], ["local", "A9"]]
    assert [json.loads(detail)["reason"] for detail in looks["detail"]] == ["移送公安", "试"]


def test_only_the_role_that_needs_them_sees_names_and_only_of_its_area(held: Workspace) -> None:
    held.accounts.add_agency("荆州渔政", "421000", NOW, "local")
    held.accounts.add_agency("宜昌渔政", "420500", NOW, "local")
    held.accounts.add("管理员", WORD, ["admin"], None, ["100000"], NOW, "local")
    desk = Workspace(held.root, held.accounts.sign_in("管理员", WORD, NOW, "script").viewer)
    for name, role, agency in (
        ("王", "commander", "荆州渔政"),
        ("李", "analyst", "荆州渔政"),
        ("周", "commander", "宜昌渔政"),
    ):
        desk.accounts.add(name, WORD, [role], agency, [], NOW, "管理员")

    def as_(name: str) -> Workspace:
        return Workspace(held.root, held.accounts.sign_in(name, WORD, NOW, "script").viewer)

    assert [one["name"] for one in as_("王").names("A2", "核对", NOW)] == ["张 三"]
    for name in ("李", "管理员"):
        with pytest.raises(Denied, match="may not"):
            as_(name).names("A2", "看看", NOW)
    with pytest.raises(Refused, match="No names"):
        as_("周").names("A2", "看看", NOW)
    assert len(as_("周").table("persons")) == 0
    assert len(as_("李").table("persons")) == 3


def test_a_correction_replaces_the_names_and_its_withdrawal_brings_them_back(held: Workspace, tmp_path: Path) -> None:
    file = tmp_path / "b.csv"
    file.write_text(HEAD + "A1,2026-05-01 01:30,112.0,30.0,孙七,,,1\n", encoding="utf-8")
    receipt = held.import_file("seizures", file, agency="荆州渔政", now=NOW)
    assert receipt.rows["corrected"] == 1
    assert [one["name"] for one in held.names("A1", "核对", NOW)] == ["孙七"]
    held.withdraw(receipt.receipt_id, "错", NOW)
    assert [one["name"] for one in held.names("A1", "核对", NOW)] == ["张三", "李四"]


def test_the_key_is_private_and_without_it_names_stay_shut(held: Workspace, tmp_path: Path) -> None:
    path = key_file(held._store)
    assert path == tmp_path / "names.key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key = path.read_text(encoding="ascii")
    path.unlink()
    with pytest.raises(GeoMonitorError, match="missing"):
        held.names("A1", "核对", NOW)
    path.write_text("00" * 32, encoding="ascii")
    with pytest.raises(GeoMonitorError, match="another key"):
        held.names("A1", "核对", NOW)
    path.write_text(key, encoding="ascii")
    assert len(held.names("A1", "核对", NOW)) == 2


def test_pseudonym_by_hand() -> None:
    """HKDF-SHA-256 (RFC 5869) and HMAC written out with nothing but hashlib."""
    import base64
    import hashlib
    import hmac

    secret = bytes(range(32))
    pseudo_random = hmac.new(bytes(32), secret, hashlib.sha256).digest()
    mark = hmac.new(pseudo_random, b"geo_monitor pseudonym\x01", hashlib.sha256).digest()
    digest = hmac.new(mark, "张三".encode(), hashlib.sha256).digest()
    assert Sealer(secret).pseudonym("张 三") == "P-" + base64.b32encode(digest).decode()[:12]
