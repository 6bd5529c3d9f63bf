"""Backups: everything comes back, from either store to either; a file that was tampered with leaves nothing."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
import sqlalchemy as sql

from geo_monitor.errors import Refused, Usage
from geo_monitor.store import Store, backup, unfinished
from geo_monitor.store import restore as restoring
from geo_monitor.store.compact import compact
from geo_monitor.store.restore import restore
from geo_monitor.store.schema import metadata
from geo_monitor.store.verify import verify
from tests import postgres
from tests.store.uploads import at, fixes, seizures, upload

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def full(store: Store, tmp_path: Path) -> Store:
    """Something in every part: two versions, one withdrawn, refused rows, fixes of two days, a run, a name."""
    refused = pd.DataFrame({"编号": ["x"], "reason_zh": ["无时间"], "reason_en": ["no time"]})
    shape = shapely.Polygon([(111.1, 30.3), (112.7, 30.3), (112.7, 31.9)])
    zones = pd.DataFrame({"zone_id": ["z"], "version": [1], "name": ["宜昌保护区"], "geometry": [shape]})
    for number, (kind, rows, fields) in enumerate(
        (
            ("seizures", seizures(report_id=["a", "b"], catch_kg=[0.1, None]), {"quarantine": refused}),
            ("seizures", seizures(report_id=["a"], version=[2]), {}),
            ("zones", zones, {"agency": "hubei"}),
            ("tracks", fixes("u", "2026-05-01T15:59:00+00:00", 3), {}),
            ("seizures", None, {"status": "rejected"}),
        )
    ):
        made, path = upload(tmp_path, kind, rows, f"r{number}", content=bytes([number]) * 9, **fields)
        store.commit(made, path)
    store.withdraw("r1", "错", at("2026-05-02T00:00:00Z"))
    links = pd.DataFrame({"reach_a": ["a"], "reach_b": ["b"], "distance_m": [1.5]})
    store.write_run({"run_id": "run1", "made_at": pd.Timestamp(NOW), "summary": "{}"}, {"links": links})
    (store.root / "settings.toml").write_text("reach_length_m = 400.0\n")
    return store


def everything(store: Store) -> dict[str, Any]:
    """Rows of every table as they stand in the database, and every file."""
    with store.reading() as connection:
        found: dict[str, Any] = {
            table.name: [
                tuple(row) for row in connection.execute(sql.select(table).order_by(*table.primary_key.columns))
            ]
            for table in metadata.sorted_tables
        }
    found["meta"] = [row for row in found["meta"] if row[0] != restoring.RESTORED]
    for part in ("positions", "raw", "quarantine", "runs", "settings.toml"):
        for path in [store.root / part, *(store.root / part).rglob("*")]:
            if path.is_file():
                found[path.relative_to(store.root).as_posix()] = path.read_bytes()
    return found


@pytest.fixture
def file(full: Store, tmp_path: Path) -> Path:
    backup.write(full, tmp_path / "kept.gmb", NOW)
    return tmp_path / "kept.gmb"


@pytest.mark.parametrize("to", ["sqlite", "postgres"])
def test_everything_comes_back_in_either_store(
    full: Store, file: Path, tmp_path: Path, to: str, server: postgres.Server
) -> None:
    again = restore(file, tmp_path / "again", server.url() if to == "postgres" else None)
    assert everything(again) == everything(full)
    assert again.engine.dialect.name == {"sqlite": "sqlite", "postgres": "postgresql"}[to]
    assert sorted(path.name for path in again.root.glob(".tmp*")) == []
    # numbers go on where they were, and the book is one chain
    again.commit(*upload(tmp_path, "seizures", seizures(report_id=["c"]), "r9", content=b"more"))
    assert again.book("receipts")["receipt_id"].tolist() == ["r0", "r1", "r2", "r3", "r4", "r9"]
    assert [(one.code, one.params.get("receipt_id")) for one in verify(again).troubles] == []
    again.close()


def test_only_its_owner_may_read_it(file: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_backup_is_of_one_moment(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An import that ends while the backup is being written is in it with nothing, not with half."""
    store.commit(*upload(tmp_path, "tracks", fixes("u", "2026-05-01T00:00:00+00:00", 2), "r1"))
    plain = backup._files

    def meanwhile(*arguments: Any) -> None:
        other = Store(store.root)
        other.commit(*upload(tmp_path, "tracks", fixes("v", "2026-05-01T00:00:00+00:00", 2), "r2", content=b"2"))
        other.close()
        plain(*arguments)

    monkeypatch.setattr(backup, "_files", meanwhile)
    backup.write(store, tmp_path / "b", NOW)
    again = restore(tmp_path / "b", tmp_path / "again")
    assert again.book("receipts")["receipt_id"].tolist() == ["r1"]
    assert again.orphans() == []
    assert len(store.book("receipts")) == 2


@pytest.mark.parametrize("moment", ["before the files", "between two files"])
def test_days_compacted_while_a_backup_is_written_are_in_it_whole(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """An upload that came later lies in the same file as the others then: of it nothing is seen."""
    for name in ("r1", "r2"):
        rows = fixes(name, "2026-05-01T00:00:00+00:00", 2)
        store.commit(*upload(tmp_path, "tracks", rows, name, content=name.encode()))
    expected = store.positions()
    plain = backup._files

    def meanwhile() -> None:
        other = Store(store.root)
        other.commit(*upload(tmp_path, "tracks", fixes("v", "2026-05-01T00:00:00+00:00", 2), "r3", content=b"3"))
        assert compact(other, NOW).files_before == 3
        other.close()

    def files(archive: zipfile.ZipFile, made: backup.Backup, of: Store, tell: Any) -> None:
        if moment == "before the files":
            meanwhile()
        told = []

        def counted(name: str, share: float) -> None:
            told.append(share)
            if moment == "between two files" and len(told) == 2:
                meanwhile()

        plain(archive, made, of, counted)

    monkeypatch.setattr(backup, "_files", files)
    made = backup.write(store, tmp_path / "b", NOW)
    held = [name.split("/")[-1] for name in made.members if name.startswith("positions/")]
    assert made.damaged == []
    assert ("r1.parquet" in held, len(held)) == (moment == "between two files", 1 + (moment == "between two files"))
    again = restore(tmp_path / "b", tmp_path / "again")
    assert again.positions().equals(expected)
    assert verify(again).troubles == []
    assert again.book("receipts")["receipt_id"].tolist() == ["r1", "r2"]
    again.commit(*upload(tmp_path, "tracks", fixes("v", "2026-05-01T00:00:00+00:00", 2), "r4", content=b"3"))
    assert compact(again, NOW).fixes == 6  # what nobody knows is left behind
    assert again.positions(columns=["receipt_id"])["receipt_id"].to_pylist() == ["r1", "r1", "r2", "r2", "r4", "r4"]
    again.close()


def test_a_damaged_workspace_says_so_in_its_backup(full: Store, tmp_path: Path) -> None:
    digest = full.book("receipts")["sha256"][0]
    full.raw(digest).unlink()
    assert backup.write(full, tmp_path / "b", NOW).damaged == [f"raw/{digest}"]


def test_a_backup_inside_the_workspace_would_be_part_of_the_next(full: Store) -> None:
    with pytest.raises(Usage, match="inside"):
        backup.write(full, full.root / "runs" / "b", NOW)


def rewritten(file: Path, change: Callable[[dict[str, bytes], dict[str, Any]], None]) -> Path:
    """The backup with members and manifest changed by hand, hashes made to fit where `change` does so."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(members.pop("manifest.json"))
    change(members, manifest)
    target = file.with_suffix(".changed")
    with zipfile.ZipFile(target, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        archive.writestr("manifest.json", json.dumps(manifest))
    return target


def told(content: bytes) -> dict[str, Any]:
    return {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def slip(members: dict[str, bytes], manifest: dict[str, Any], name: str) -> None:
    members[name] = b"out"
    manifest["members"][name] = told(b"out")


CHANGES: dict[str, Callable[[dict[str, bytes], dict[str, Any]], None]] = {
    "bytes": lambda members, _: members.update({"settings.toml": b"reach_length_m = 900.0\n"}),
    "unnamed": lambda members, _: members.update({"raw/" + "0" * 64: b"x"}),
    "missing": lambda members, _: members.__delitem__("settings.toml"),
    "up": lambda members, manifest: slip(members, manifest, "raw/../../out.txt"),
    "root": lambda members, manifest: slip(members, manifest, "/tmp/out.txt"),
    "dots": lambda members, manifest: slip(members, manifest, "runs/../links.parquet"),
    "program": lambda members, manifest: slip(members, manifest, "geo_monitor.py"),
    "database": lambda members, manifest: slip(members, manifest, "geo_monitor.sqlite"),
    "table": lambda members, manifest: slip(members, manifest, "tables/spies.parquet"),
    "rows": lambda _, manifest: manifest["rows"].update(seizures=99),
    "book": lambda _, manifest: manifest.update(audit_head="0" * 64),
    "newer": lambda _, manifest: manifest.update(schema_version=99),
    "other": lambda _, manifest: manifest.update(format="something"),
    "no size": lambda _, manifest: manifest["members"]["settings.toml"].pop("size"),
    "lists": lambda _, manifest: manifest.update(members=[]),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_was_tampered_with_leaves_nothing(
    full: Store, file: Path, tmp_path: Path, name: str, server: postgres.Server
) -> None:
    database = server.url() if full.engine.dialect.name == "postgresql" else None
    changed = rewritten(file, CHANGES[name])
    with pytest.raises(Refused) as raised:
        restore(changed, tmp_path / "again", database)
    assert raised.value.code in ("backup_damaged", "backup_newer", "backup_unreadable")
    assert [path.name for path in (tmp_path / "again").glob("*") if path.name != ".lock"] == []
    assert not (tmp_path / "out.txt").exists()
    restore(file, tmp_path / "again", database).close()  # the true one still goes in


def test_links_and_bombs_are_refused(file: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(file) as archive:
        members = {info: archive.read(info) for info in archive.infolist()}
    linked = tmp_path / "linked"
    with zipfile.ZipFile(linked, "w") as archive:
        for info, content in members.items():
            if info.filename == "settings.toml":
                info.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(info, content)
    with pytest.raises(Refused, match="damaged"):
        restore(linked, tmp_path / "again")
    # a member that says it is small and is not: the size in the zip is that of the manifest, the bytes go on
    bomb = rewritten(file, lambda m, _: m.update({"settings.toml": b"\0" * 100_000}))
    content = bytearray(bomb.read_bytes())
    size = dict(json.loads(zipfile.ZipFile(file).read("manifest.json"))["members"])["settings.toml"]["size"]
    at_ = content.rindex(b"settings.toml") - 46
    content[at_ + 24 : at_ + 28] = struct.pack("<I", size)
    bomb.write_bytes(content)
    with pytest.raises(Refused, match="damaged"):
        restore(bomb, tmp_path / "again")
    (tmp_path / "text").write_text("no zip")
    for no_file in ("text", "not there"):
        with pytest.raises(Refused, match="no backup"):
            restore(tmp_path / no_file, tmp_path / "again")


def test_only_an_empty_place_is_filled(full: Store, file: Path, tmp_path: Path, server: postgres.Server) -> None:
    with pytest.raises(Refused, match="other things"):
        restore(file, full.root)
    url = server.url()
    Store.create(tmp_path / "there", url).close()
    with pytest.raises(Refused, match="already"):
        restore(file, tmp_path / "again", url)


@pytest.mark.parametrize("step", ["extract", "fill", "_put_last"])
def test_an_interrupted_restore_is_no_workspace_and_the_next_goes_through(
    full: Store, file: Path, tmp_path: Path, step: str, server: postgres.Server
) -> None:
    url = server.url() if full.engine.dialect.name == "postgresql" else None
    root = tmp_path / "again"
    killed = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom geo_monitor.store import restore\n"
        f"whole, step = restore.{step}, {step!r}\n"
        "def fall(*given):\n"
        "    if step == 'extract': whole(*given)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"restore.{step} = fall\n"
        "restore.restore(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] or None)\n"
    )
    done = subprocess.run([sys.executable, "-c", killed, str(file), str(root), url or ""], check=False)
    assert done.returncode == -9
    with pytest.raises(Usage, match="no workspace"):
        Store(root)
    with pytest.raises(Refused, match="interrupted"):
        Store.create(root)
    assert everything(restore(file, root, url)) == everything(full)
    assert not (root / unfinished.RESTORING).exists()


@pytest.mark.parametrize("to", ["sqlite", "postgres"])
@pytest.mark.parametrize(
    ("table", "column", "value"),
    [
        ("zones", "geometry", b"\x01no shape"),
        ("receipts", "receipt", "no JSON"),
        ("meta", "value", "x"),
        ("audit", "hash", "0" * 64),
        ("seizures", "receipt_id", None),
    ],
)
def test_tables_that_no_workspace_holds_are_refused(
    full: Store, file: Path, tmp_path: Path, server: postgres.Server, to: str, table: str, column: str, value: object
) -> None:
    """Hashes that fit are no promise: whoever makes a table can make its hash."""

    def change(members: dict[str, bytes], manifest: dict[str, Any]) -> None:
        name = f"tables/{table}.parquet"
        held = pq.read_table(io.BytesIO(members[name]))
        at_ = held.column_names.index(column)
        values = pa.array([value] * len(held), held.schema.field(at_).type)
        out = io.BytesIO()
        pq.write_table(held.set_column(at_, held.schema.field(at_), values), out)
        members[name] = out.getvalue()
        manifest["members"][name] = told(members[name])

    url = server.url() if to == "postgres" else None
    with pytest.raises(Refused) as raised:
        restore(rewritten(file, change), tmp_path / "again", url)
    assert (raised.value.code, raised.value.params["member"]) == ("backup_damaged", f"tables/{table}.parquet")
    restore(file, tmp_path / "again", url).close()
