"""The database under a store: its engine, moments as integers, and what is in force when."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from geo_monitor.errors import GeoMonitorError, Usage
from geo_monitor.store import files
from geo_monitor.store.schema import SQL

DATABASE = "geo_monitor.sqlite"
URL_FILE = "database.url"  # without a password: that comes from the environment (PGPASSWORD) or ~/.pgpass
VARIABLE = "GEO_MONITOR_DATABASE"

ACCEPTED = ("accepted", "accepted_with_warnings")
Moment = datetime | str | None

# a kind of upload -> the table it fills, where the two differ in name
KINDS = {"river": "river_lines", "tracks": "positions", "raster": "rasters"}


def table_of(kind: str) -> str:
    """The table that uploads of a kind fill.

    >>> table_of("tracks"), table_of("zones")
    ('positions', 'zones')
    """
    return KINDS.get(kind, kind)


def milliseconds(moment: Any) -> int:
    """Integer milliseconds since 1970 UTC of a moment (datetime with zone, pandas Timestamp, ISO text with zone).

    >>> milliseconds("1970-01-01T08:00:01+08:00")
    1000
    """
    import pandas as pd

    stamp = pd.Timestamp(moment)
    if stamp.tzinfo is None:
        raise Usage("time_without_zone", time=str(moment))
    return int(stamp.tz_convert("UTC").value // 1_000_000)


def in_force(as_of: Moment) -> sql.ColumnElement[bool]:
    """The condition on `receipts`: taken in by `as_of` (None: now) and not withdrawn by then."""
    receipts = SQL["receipts"]
    accepted = receipts.c.status.in_(ACCEPTED)
    if as_of is None:
        return accepted & receipts.c.withdrawn_at.is_(None)
    moment = milliseconds(as_of)
    standing = receipts.c.withdrawn_at.is_(None) | (receipts.c.withdrawn_at > moment)
    return accepted & (receipts.c.received_at <= moment) & standing


def address(root: Path, url: str | None = None) -> sql.URL:
    """Where the records of the workspace in `root` live: `url`, else what its file `database.url` names (there
    GEO_MONITOR_DATABASE may name it instead, with a password), else the SQLite file in the folder.

    Raises `Usage("database_url_bad")`.
    """
    held = root / URL_FILE
    told = url or (held.is_file() and (os.environ.get(VARIABLE) or held.read_text(encoding="utf-8").strip())) or None
    if told is None:
        return sql.URL.create("sqlite", database=(root / DATABASE).as_posix())
    try:
        found = sql.make_url(told)
    except sql.exc.ArgumentError:
        raise Usage("database_url_bad", url=told.split("@")[-1]) from None
    if found.get_backend_name() != "postgresql":
        raise Usage("database_url_bad", url=found.render_as_string(hide_password=True))
    return found.set(drivername="postgresql+psycopg")


def schema_of(url: sql.URL) -> str:
    """The schema of a workspace on a server: `?schema=` of its URL, else geo_monitor."""
    return str(url.query.get("schema", "geo_monitor"))


def engine_of(url: sql.URL) -> sql.Engine:
    """The engine of a database. On SQLite a transaction begins as the execution option `begin` says (default BEGIN);
    a transaction on a server sees one state from its beginning to its end.

    Raises `GeoMonitorError("database_driver_missing")`.
    """
    if url.get_backend_name() == "postgresql":
        if importlib.util.find_spec("psycopg") is None:
            raise GeoMonitorError("database_driver_missing")
        path = {"options": f"-csearch_path={_quoted(schema_of(url))},public"}
        plain = url.difference_update_query(["schema"])
        return sql.create_engine(plain, connect_args=path, isolation_level="REPEATABLE READ", pool_pre_ping=True)
    engine = sql.create_engine(url, connect_args={"timeout": 60})

    @sql.event.listens_for(engine, "connect")
    def connected(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # transactions begin where we say so, not where the driver guesses
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")  # a commit is on the disk before it is true
        connection.execute("PRAGMA foreign_keys = ON")

    @sql.event.listens_for(engine, "begin")
    def begun(connection: sql.Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))

    return engine


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def lock(root: Path, engine: sql.Engine, wait: bool = True) -> Iterator[bool]:
    """The writer's lock of a workspace, over all processes and, on a server, all machines; gives False where `wait` is
    off and somebody has it. It ends with a killed process."""
    with files.lock(root / ".lock", wait) as free:
        if not free or engine.dialect.name != "postgresql":
            yield free
            return
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            name = str(connection.scalar(sql.text("SELECT current_schema()")))
            key = int.from_bytes(hashlib.sha256(f"geo_monitor {name}".encode()).digest()[:8], "big", signed=True)
            taken = bool(connection.scalar(sql.select(sql.func.pg_try_advisory_lock(key))))
            if not taken and wait:
                connection.execute(sql.select(sql.func.pg_advisory_lock(key)))
                taken = True
            try:
                yield taken
            finally:
                if taken:
                    connection.execute(sql.select(sql.func.pg_advisory_unlock(key)))


@contextmanager
def reached(url: sql.URL) -> Iterator[None]:
    """Says clearly that a database can't be reached. Raises `GeoMonitorError("database_unreachable")`."""
    try:
        yield
    except sql.exc.OperationalError as error:
        if url.get_backend_name() != "postgresql":
            raise
        why = str(error.orig).strip().splitlines()[0]
        raise GeoMonitorError("database_unreachable", url=url.render_as_string(hide_password=True), why=why) from None
