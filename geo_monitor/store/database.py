"""The database under a store: its engine, moments as integers, and what is in force when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sql

from geo_monitor.errors import Usage
from geo_monitor.store.schema import SQL

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


def engine_of(url: str) -> sql.Engine:
    """The engine of a database. A transaction begins as the execution option `begin` says (default BEGIN)."""
    engine = sql.create_engine(url, connect_args={"timeout": 60} if url.startswith("sqlite") else {})
    if engine.dialect.name == "sqlite":

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
