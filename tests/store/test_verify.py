"""`verify` finds what was altered, and nothing where nothing was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geo_monitor.store import Store, positions, unfinished
from geo_monitor.store.compact import compact
from geo_monitor.store.schema import RECORDS, SQL
from geo_monitor.store.verify import verify
from tests.store.uploads import fixes, seizures, upload


@pytest.fixture
def full(store: Store, tmp_path: Path) -> Store:
    refused = pd.DataFrame({"编号": ["x"], "reason_zh": ["无时间"], "reason_en": ["no\ntime"]})
    for number, (kind, rows) in enumerate(
        (
            ("seizures", seizures(report_id=["a", "b"])),
            ("tracks", fixes("u", "2026-05-01T15:59:00+00:00", 3)),
            ("units", pd.DataFrame({"unit_id": ["u"]})),
        )
    ):
        made, path = upload(tmp_path, kind, rows, f"r{number}", content=bytes([number]) * 9)
        store.commit(made, path)
    made, path = upload(tmp_path, "seizures", seizures(report_id=["c"]), "r3", content=b"q", quarantine=refused)
    store.commit(made, path)
    links = pd.DataFrame({"reach_a": ["a"], "reach_b": ["b"], "distance_m": [1.5]})
    store.write_run(
        {"run_id": "run1", "made_at": pd.Timestamp("2026-06-01", tz="UTC"), "summary": "{}"}, {"links": links}
    )
    return store


def raw(store: Store, number: int) -> Path:
    return store.raw(str(store.book("receipts")["sha256"][number]))


def fix_file(store: Store) -> Path:
    return store.root / "positions" / "day=2026-05-01" / "r1.parquet"


def refused_rows(store: Store) -> Path:
    return store.root / "quarantine" / "r3.csv"


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def turned(path: Path) -> None:
    """One byte in the middle of the data."""
    content = bytearray(path.read_bytes())
    content[len(content) // 4] ^= 0xFF
    path.write_bytes(content)


def without(store: Store, table: str, receipt_id: str) -> None:
    with store.transaction() as connection:
        connection.execute(SQL[table].delete().where(SQL[table].c.receipt_id == receipt_id))


def of_nobody(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute(SQL["units"].insert().values(unit_id="v", version=1, receipt_id="r9"))


def unreadable(store: Store) -> None:
    book = SQL["receipts"]
    with store.transaction() as connection:
        connection.execute(book.update().where(book.c.receipt_id == "r0").values(receipt="{"))


def compacted(store: Store) -> Path:
    """The one file of the day, of two receipts."""
    own = fixes("w", "2026-05-01T03:00:00+00:00", 2).assign(receipt_id="r1b")
    made = upload(store.root.parent, "tracks", own.drop(columns="receipt_id"), "r1b", content=b"r1b")
    store.commit(*made)
    assert compact(store, datetime(2026, 6, 1, tzinfo=UTC)).files_before == 2
    assert verify(store).troubles == []
    (path,) = store.root.glob("positions/day=2026-05-01/*")
    return path


def plain(path: Path) -> None:
    """The same rows in a file that does not tell what they are."""
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)
    positions.told.cache_clear()


def moved(path: Path) -> None:
    """One value is another."""
    table = pq.read_table(path)
    at = table.column_names.index("speed")
    values = pa.array([1.5, *[None] * (len(table) - 1)], pa.float64())
    metadata = table.schema.metadata
    pq.write_table(table.set_column(at, table.field(at), values).replace_schema_metadata(metadata), path)


def stands_for(store: Store) -> None:
    before = fix_file(store)
    content = before.read_bytes()
    compacted(store)
    before.write_bytes(content)


DAMAGE: dict[str, tuple[Callable[[Store], object], set[str]]] = {
    "raw lost": (lambda store: raw(store, 0).unlink(), {"raw_missing"}),
    "raw changed": (lambda store: raw(store, 0).write_bytes(b"other"), {"raw_changed"}),
    "rows gone": (lambda store: without(store, "seizures", "r0"), {"rows"}),
    "receipt unreadable": (unreadable, {"receipt", "rows_of_nobody"}),
    "rows of nobody": (of_nobody, {"rows_of_nobody"}),
    "fixes lost": (lambda store: fix_file(store).unlink(), {"rows"}),
    "fixes cut": (lambda store: cut(fix_file(store)), {"rows", "file_unreadable"}),
    "fixes turned": (lambda store: turned(fix_file(store)), {"rows", "file_unreadable"}),
    "fixes of another day": (
        lambda store: fix_file(store).rename(fix_file(store).parents[1] / "day=2026-05-02" / "r1.parquet"),
        {"rows", "fixes_elsewhere"},
    ),
    "compacted fixes lost": (lambda store: compacted(store).unlink(), {"rows"}),
    "compacted fixes cut": (lambda store: cut(compacted(store)), {"rows", "file_unreadable"}),
    "compacted fixes that say nothing": (lambda store: plain(compacted(store)), {"rows", "file_unreadable"}),
    "compacted fixes changed": (lambda store: moved(compacted(store)), {"fixes_changed"}),
    "what a compacted file stands for left": (stands_for, {"left_over"}),
    "refused rows lost": (lambda store: refused_rows(store).unlink(), {"file_unreadable"}),
    "refused rows cut": (
        lambda store: refused_rows(store).write_text("编号\r\n", encoding="utf-8-sig"),
        {"quarantine"},
    ),
    "run lost": (lambda store: (store.root / "runs" / "run1" / "links.parquet").unlink(), {"run_missing"}),
    "run cut": (lambda store: cut(store.root / "runs" / "run1" / "links.parquet"), {"file_unreadable"}),
    "left over": (lambda store: (store.root / "raw" / ("0" * 64)).write_bytes(b""), {"left_over"}),
    "mark left": (lambda store: unfinished.begin(store.root, unfinished.Work()), {"left_over"}),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_and_named(full: Store, name: str) -> None:
    assert verify(full).troubles == []
    damage, codes = DAMAGE[name]
    damage(full)
    assert {one.code for one in verify(full).troubles} == codes


def test_what_was_looked_at_is_counted(full: Store) -> None:
    looked = verify(full).looked
    assert looked == {"raw": 4, "fixes": 3, "receipts": 4, "rows": 4, "quarantine": 1, "runs": 1, "audit": 5}


def test_an_altered_book_is_found(store: Store, tmp_path: Path) -> None:
    store.commit(*upload(tmp_path, "seizures", seizures(report_id=["a"]), "r0"))
    with store.transaction() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("DROP TRIGGER audit_no_update")
        else:
            connection.exec_driver_sql("DROP TRIGGER audit_append_only ON audit")
        connection.execute(SQL["audit"].update().values(who="nobody"))
    assert [one.code for one in verify(store).troubles] == ["audit"]
    assert [one.code for one in verify(store, "0" * 63 + "1").troubles] == ["audit", "audit_cut"]


def test_while_somebody_writes_left_overs_are_not_looked_for(full: Store) -> None:
    (full.root / "raw" / ("0" * 64)).write_bytes(b"")
    with full.writing():
        assert verify(Store(full.root)).troubles == []


def test_every_table_of_records_is_counted() -> None:
    assert set(RECORDS) | {"persons"} == {
        name for name, table in SQL.items() if "receipt_id" in table.c and name != "receipts"
    }
