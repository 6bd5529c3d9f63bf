"""A workspace of the first version becomes one of today, and both ways to today's tables lead to the same tables."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import sqlalchemy as sql
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from geo_monitor.store import Store, audit, migrations, schema
from geo_monitor.store.compact import compact
from geo_monitor.store.database import DATABASE, address, engine_of
from tests.store.uploads import fixes, seizures, upload

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def first_version(root: Path) -> None:
    """What `init` of the first version left, with two rows in its audit book: made by its own step and by hand."""
    for name in ("positions", "raw", "quarantine", "runs"):
        (root / name).mkdir(parents=True)
    engine = engine_of(address(root, None))
    with engine.begin() as connection:
        migrations.upgrade(connection, "0001")
        connection.exec_driver_sql("DROP TABLE alembic_version")  # it knew nothing of steps
        connection.exec_driver_sql(
            "INSERT INTO meta VALUES ('schema_version', '1'), ('made_at', '2026-01-01T00:00:00+00:00')"
        )
        rows = [(0, "local", "import", "R1", "{}"), (1, "local", "withdraw", "R1", '{"reason": "错"}')]
        for row in rows:
            connection.exec_driver_sql(
                'INSERT INTO audit ("at", who, action, subject, detail) VALUES (?, ?, ?, ?, ?)', row
            )
    engine.dispose()


def test_an_old_workspace_is_brought_up_and_its_old_self_kept(tmp_path: Path) -> None:
    first_version(tmp_path)
    store = Store(tmp_path)
    assert store.meta("schema_version") == str(schema.VERSION)
    first = audit.link(audit.FIRST, 0, "local", "import", "R1", "{}")
    second = audit.link(first, 1, "local", "withdraw", "R1", '{"reason": "错"}')
    assert store.book("audit")["hash"].tolist() == [first, second]
    store.commit(*upload(tmp_path, "seizures", seizures(report_id=["a"]), "r1"))
    assert audit.verify(store).rows == 3
    assert len(store.workspace_id) == 16
    with closing(sqlite3.connect(tmp_path / "geo_monitor.v1.sqlite")) as old:
        assert old.execute("SELECT value FROM meta WHERE key = 'schema_version'").fetchone() == ("1",)
    store.close()
    assert Store(tmp_path).workspace_id == store.workspace_id  # once is enough


def test_of_which_days_fixes_came_is_put_down_for_files_of_before(store: Store, tmp_path: Path) -> None:
    """One day compacted, one with a file that nobody committed and one that cannot be read."""
    for number in range(3):
        sent = [fixes(f"u{number}", f"2026-04-0{day}T01:00:00+00:00", 2) for day in (1, 2)]
        store.commit(*upload(tmp_path, "tracks", pd.concat(sent, ignore_index=True), f"r{number}"))
    compact(store, NOW, end=datetime(2026, 4, 1, 16, tzinfo=UTC))
    (later,) = store.root.glob("positions/day=2026-04-02")
    (later / "nobody.parquet").write_bytes((later / "r0.parquet").read_bytes())
    (later / "compact-0.parquet").write_bytes(b"")
    expected = store.rows(sql.select(schema.DAYS).order_by(*schema.DAYS.c))
    assert len(expected) == 6
    with store.transaction() as connection:  # as the version before left it
        schema.DAYS.drop(connection)
        connection.execute(sql.update(schema.META).where(schema.META.c.key == "schema_version").values(value="5"))
        migrations.stamp(connection, "0005")
    assert Store(store.root).rows(sql.select(schema.DAYS).order_by(*schema.DAYS.c)) == expected


def test_steps_and_definitions_make_the_same_tables(tmp_path: Path, database: str | None) -> None:
    where = address(tmp_path, database)
    engine = engine_of(where)
    with engine.begin() as connection:
        if database:
            connection.exec_driver_sql(f'CREATE SCHEMA "{where.query["schema"]}"')
        migrations.upgrade(connection)
    with engine.begin() as connection:
        told = MigrationContext.configure(connection, opts={"compare_type": True, "include_name": _ours})
        assert compare_metadata(told, schema.metadata) == []
        # what is no table: triggers, functions and policies
        stepped = things(connection)
    engine.dispose()
    store = Store.create(tmp_path / "ws", None if database is None else database.replace("schema=t", "schema=u"))
    with store.transaction() as connection:
        assert things(connection) == stepped
        assert (DATABASE in stepped) is False
    store.close()


def _ours(name: str | None, kind: str, parents: object) -> bool:
    return not (kind == "table" and name in ("alembic_version", "spatial_ref_sys"))


def things(connection: sql.Connection) -> list[str]:
    if connection.dialect.name == "sqlite":
        query = "SELECT name || coalesce(sql, '') FROM sqlite_master WHERE type = 'trigger' ORDER BY 1"
    else:
        query = """
            SELECT 'trigger ' || tgname FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid
            WHERE c.relnamespace = current_schema()::regnamespace AND NOT tgisinternal
            UNION ALL SELECT 'function ' || proname || ' ' || prosrc FROM pg_proc WHERE pronamespace = current_schema()::regnamespace
            UNION ALL SELECT 'policy ' || tablename || ' ' || policyname FROM pg_policies WHERE schemaname = current_schema()
            UNION ALL SELECT 'locked ' || relname FROM pg_class
            WHERE relnamespace = current_schema()::regnamespace AND relrowsecurity
            ORDER BY 1"""
    return list(connection.exec_driver_sql(query).scalars())
