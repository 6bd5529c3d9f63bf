"""The audit book: what it catches. Hashes are recomputed here in another way (printf into sha256 by hand)."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sql

from geo_monitor.store import Store, audit
from geo_monitor.store.schema import SQL

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def book(store: Store, rows: int) -> list[str]:
    heads = []
    for number in range(rows):
        with store.transaction() as connection:
            heads.append(audit.append(connection, NOW, "王", "import", f"R{number}", why="试"))
    return heads


def test_hash_of_the_first_row_by_hand(store: Store) -> None:
    (head,) = book(store, 1)
    plain = f'["{"0" * 64}",1777593600000,"王","import","R0","{{\\"why\\": \\"试\\"}}"]'
    assert head == hashlib.sha256(plain.encode()).hexdigest()


def test_a_whole_book_fits(store: Store) -> None:
    heads = book(store, 5)
    found = audit.verify(store)
    assert (found.ok, found.rows, found.head, found.broken) == (True, 5, heads[-1], None)
    assert audit.verify(store, heads[2]).ok
    assert not audit.verify(store, "").ok  # a head that somebody forgot to fill in is not there
    assert not audit.verify(store, "f" * 64).ok


@pytest.mark.parametrize("column", ["at", "who", "action", "subject", "detail", "hash"])
def test_an_altered_row_is_named(store: Store, column: str) -> None:
    book(store, 5)
    unlocked(
        store, sql.update(SQL["audit"]).where(SQL["audit"].c.row == 3).values(**{column: 7 if column == "at" else "x"})
    )
    assert audit.verify(store).broken == 3


def test_a_removed_row_breaks_the_next(store: Store) -> None:
    book(store, 5)
    unlocked(store, sql.delete(SQL["audit"]).where(SQL["audit"].c.row == 3))
    assert audit.verify(store).broken == 3  # the fourth row stands third now


def test_what_is_cut_off_the_end_shows_by_the_head_kept_elsewhere(store: Store) -> None:
    heads = book(store, 5)
    unlocked(store, sql.delete(SQL["audit"]).where(SQL["audit"].c.row > 3))
    assert audit.verify(store).ok  # by itself a shorter book is a good book
    found = audit.verify(store, heads[-1])
    assert (found.ok, found.head_found) == (False, False)


def test_rows_can_only_be_added(store: Store) -> None:
    book(store, 2)
    of = SQL["audit"]
    for statement in (sql.update(of).values(who="x"), sql.delete(of)):
        with pytest.raises(sql.exc.DBAPIError, match="append"), store.transaction() as connection:
            connection.execute(statement)
    assert audit.verify(store).rows == 2


def unlocked(store: Store, statement: sql.sql.Executable) -> None:
    """What somebody does who has the database in hand and takes the triggers away first."""
    with store.transaction() as connection:
        if connection.dialect.name == "sqlite":
            names = connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'trigger'").scalars().all()
            for name in names:
                connection.exec_driver_sql(f'DROP TRIGGER "{name}"')
        else:
            connection.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER USER")
        connection.execute(statement)


def test_every_import_and_withdrawal_is_in_the_book(tmp_path: Path, store: Store) -> None:
    from tests.store.uploads import seizures, upload

    store.commit(*upload(tmp_path, "seizures", seizures(report_id=["a"]), "r1"), who="李")
    store.withdraw("r1", "错发", NOW, who="王")
    told = store.book("audit")
    assert told[["who", "action", "subject"]].to_numpy().tolist() == [["李", "import", "r1"], ["王", "withdraw", "r1"]]
    assert audit.verify(store).ok
