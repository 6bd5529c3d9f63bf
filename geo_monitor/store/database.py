"""The database under a store: its engine, moments as integers, and what is in force when."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from geo_monitor.errors import GeoMonitorError, Refused, Usage
from geo_monitor.store import files
from geo_monitor.store.schema import SQL

DATABASE = "geo_monitor.sqlite"
URL_FILE = "database.url"  # without a password: that comes from the environment (PGPASSWORD) or ~/.pgpass
VARIABLE = "GEO_MONITOR_DATABASE"
LINGER_S = 5.0  # seconds; a server misses a killed writer only when its statement is through
WAIT_S = 60.0  # seconds one waits for another's transaction on SQLite, then hears of it
SPARE = 1 << 20  # bytes; a disk with less is full

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
    held = _told(root)
    told = url or (held and (os.environ.get(VARIABLE) or held[0]))
    if not told:
        return sql.URL.create("sqlite", database=(root / DATABASE).as_posix())
    try:
        found = sql.make_url(told)
    except sql.exc.ArgumentError:
        raise Usage("database_url_bad", url=told.split("@")[-1]) from None
    if found.get_backend_name() != "postgresql":
        raise Usage("database_url_bad", url=plain(found))
    return found.set(drivername="postgresql+psycopg")


def tell_where(root: Path, where: sql.URL, workspace_id: str) -> None:
    """Writes into the folder where its records live, without a password, and the id by which they know it."""
    with files.replacing(root / URL_FILE) as temporary:
        temporary.write_text(f"{plain(where)}\n{workspace_id}\n", encoding="utf-8")


def told_id(root: Path) -> str | None:
    """The id of the workspace that a folder's records must have, where it says one."""
    held = _told(root)
    return held[1] if len(held) > 1 else None


def _told(root: Path) -> list[str]:
    held = root / URL_FILE
    return held.read_text(encoding="utf-8").split() if held.is_file() else []


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
    engine = sql.create_engine(url, connect_args={"timeout": WAIT_S})

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


class Pulse:
    """Another number after every commit to a SQLite file, of whatever process: some microseconds to ask, where a query
    costs a hundred times that. A server has no such number."""

    def __init__(self, url: sql.URL) -> None:
        self._file = url.database if url.get_backend_name() == "sqlite" else None
        self._guard = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened = 0  # connections so far: each counts for itself

    def beat(self) -> tuple[int, int] | None:
        """The number; None where there is none, or the file cannot be asked: whoever asks for more will hear why."""
        if self._file is None:
            return None
        with self._guard:
            try:
                if self._connection is None:
                    # one that writes nothing, so that no commit is its own: of those it would not hear
                    where = f"{Path(self._file).absolute().as_uri()}?mode=rw"
                    self._connection = sqlite3.connect(where, check_same_thread=False, uri=True)
                    self._opened += 1
                ((found,),) = self._connection.execute("PRAGMA data_version").fetchall()
            except sqlite3.Error:
                return None
            return self._opened, int(found)

    def close(self) -> None:
        with self._guard:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def alone(root: Path, engine: sql.Engine, what: str) -> Iterator[Callable[[], None] | None]:
    """Being the only one to do `what` (a word) in a workspace, as `lock`, without waiting."""
    with files.lock(root / f".{what}", wait=False) as free:
        if not free or engine.dialect.name != "postgresql":
            yield (lambda: None) if free else None
            return
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not connection.scalar(sql.select(sql.func.pg_try_advisory_lock(_key(what)))):
                yield None
                return
            try:
                yield lambda: connection.exec_driver_sql("SELECT 1").close()
            finally:
                if not connection.invalidated:
                    connection.execute(sql.select(sql.func.pg_advisory_unlock(_key(what))))


@contextmanager
def lock(root: Path, engine: sql.Engine, wait: bool = True) -> Iterator[Callable[[], None] | None]:
    """The writer's lock of a workspace, over all processes and, on a server, all machines; gives None where `wait` is
    off and somebody has it, else a call that raises where the lock was lost (a server that was restarted meanwhile).
    It ends with a killed process."""
    with files.lock(root / ".lock", wait) as free:
        if not free or engine.dialect.name != "postgresql":
            yield (lambda: None) if free else None
            return
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            taken = connection.scalar(sql.select(sql.func.pg_try_advisory_lock(_key("writer"))))
            end = time.monotonic() + LINGER_S
            while not taken and not wait and time.monotonic() < end:
                time.sleep(0.05)
                taken = connection.scalar(sql.select(sql.func.pg_try_advisory_lock(_key("writer"))))
            if not taken and wait:
                connection.execute(sql.select(sql.func.pg_advisory_lock(_key("writer"))))
            if not taken and not wait:
                yield None
                return
            # of a killed writer the lock ends at once, but a commit it had sent may still be under way
            connection.execute(sql.select(sql.func.pg_advisory_lock(_key("commit"))))
            connection.execute(sql.select(sql.func.pg_advisory_unlock(_key("commit"))))
            try:
                yield lambda: connection.exec_driver_sql("SELECT 1").close()
            finally:
                if not connection.invalidated:
                    connection.execute(sql.select(sql.func.pg_advisory_unlock(_key("writer"))))


def committing(connection: sql.Connection) -> None:
    """On a server, keeps the next writer from looking at what is held until this transaction has come to its end."""
    if connection.dialect.name == "postgresql":
        connection.execute(sql.select(sql.func.pg_advisory_xact_lock(_key("commit"))))


def _key(what: str) -> sql.ColumnElement[int]:
    told = sql.literal(f"geo_monitor {what} ") + sql.func.current_schema()
    return sql.func.hashtextextended(told, 0)


@contextmanager
def reached(url: sql.URL, root: Path) -> Iterator[None]:
    """Says clearly that a database can't be reached or written to, is full, damaged, or held by another for long.

    Raises `GeoMonitorError("database_unreachable")`, `Refused`: `disk_full`, `database_busy`, `database_damaged`,
    `Usage("workspace_unwritable")`.
    """
    try:
        yield
    except sql.exc.DBAPIError as error:
        if _full(error, root):
            if url.get_backend_name() == "sqlite":
                raise files.full(root) from error
            raise Refused("disk_full", place=plain(url), free="?") from error
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_BUSY:
            raise Refused("database_busy", root=str(root), seconds=f"{WAIT_S:g}") from error
        if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
            raise Usage("workspace_unwritable", root=str(root), reason=str(error.orig)) from error
        if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
            raise Refused("database_damaged", root=str(root), reason=str(error.orig)) from error
        if url.get_backend_name() != "postgresql" or not isinstance(error, sql.exc.OperationalError):
            raise
        why = str(error.orig).strip().splitlines()[0]
        raise GeoMonitorError("database_unreachable", url=plain(url), why=why) from None


def plain(url: sql.URL) -> str:
    """The address for people and files: without a password, wherever it stood.

    >>> plain(sql.make_url("postgresql+psycopg://u:secret@h/d?password=secret&schema=s"))
    'postgresql://u@h/d?schema=s'
    """
    bare = sql.URL.create(url.get_backend_name(), url.username, None, url.host, url.port, url.database, url.query)
    return bare.difference_update_query(["password"]).render_as_string()


def _full(error: sql.exc.DBAPIError, root: Path) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return shutil.disk_usage(root).free < SPARE  # no room for the files that SQLite keeps beside its own
    return code == sqlite3.SQLITE_FULL or getattr(error.orig, "sqlstate", None) == "53100"
