"""SQL tables out of `geo_monitor.tables`, and frames in and out of them.

Times are integer milliseconds, days integer days since 1970, lists JSON text, shapes WKB. Every table of records has
three columns beside its own, where it lacks them: agency, version, receipt_id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sql

from geo_monitor import tables
from geo_monitor.store.shapes import Shape

if TYPE_CHECKING:
    import pandas as pd

VERSION = 6  # of this schema, kept in `meta`: the number of the newest step in `migrations`
# a table of records -> the column that, with the agency, names a record (as `ingest` understands it)
RECORDS: dict[str, str] = {
    "zones": "zone_id",
    "seizures": "report_id",
    "units": "unit_id",
    "patrols": "patrol_id",
    "levels": "reading_id",
    "jurisdictions": "name",
    "river_lines": "line_id",
    "rasters": "raster_id",
}
BOOKS = ("receipts", "runs", "audit")
# a table of which every revision is kept -> the column that names what is revised
REVISED: dict[str, str] = {
    "events": "event_id",
    "warnings": "warning_id",
    "rules": "rule",
    "taskings": "tasking_id",
}
BESIDE = (tables.AGENCY, tables.VERSION, tables.RECEIPT)
BATCH = 20_000  # rows a statement

metadata = sql.MetaData()


def _type(kind: pa.DataType) -> sql.types.TypeEngine[Any]:
    if kind in (tables.INT, tables.TIME, tables.DAY):
        return sql.BigInteger()
    if kind == tables.FLOAT:
        return sql.Float(53)
    return Shape() if kind == tables.GEOMETRY else sql.Text()


@cache
def stored(name: str) -> tables.Table:
    """The table `name` as it is stored: with agency, version and receipt_id."""
    public = tables.table(name)
    if name not in RECORDS:
        return public
    beside = tuple(column for column in BESIDE if column.name not in public.names)
    return tables.Table(public.name, public.doc, public.columns + beside, public.key, public.inner)


def _row() -> sql.Column[int]:
    # SQLite makes only plain INTEGER keys count up by themselves
    return sql.Column("row", sql.BigInteger().with_variant(sql.Integer(), "sqlite"), primary_key=True)


def _sql_table(name: str) -> sql.Table:
    table = stored(name)
    columns = [
        sql.Column(column.name, _type(column.type), nullable=column.null or column.type == tables.TEXTS)
        for column in table.columns
    ]
    newest = [sql.Column("newest", sql.Boolean, nullable=False)] if name in REVISED else []
    built = sql.Table(name, metadata, _row(), *columns, *newest)
    if name in REVISED:
        sql.Index(f"{name}_by_id", built.c[REVISED[name]], built.c.revision, unique=True)
        sql.Index(f"{name}_by_state", built.c.newest, built.c.state)
    elif name in RECORDS:
        sql.Index(f"{name}_by_receipt", built.c.receipt_id)
    else:
        for key in table.key:
            sql.Index(f"{name}_by_{key}", built.c[key], unique=len(table.key) == 1)
    return built


SQL: dict[str, sql.Table] = {name: _sql_table(name) for name in (*RECORDS, *BOOKS, *REVISED)}
PERSONS = sql.Table(
    "persons",
    metadata,
    _row(),
    *(sql.Column(name, sql.Text, nullable=name in ("agency", "part")) for name in ("report_id", "agency", "part")),
    sql.Column("version", sql.BigInteger, nullable=False),
    sql.Column("pseudonym", sql.Text, nullable=False),
    sql.Column("sealed", sql.LargeBinary, nullable=False),
    sql.Column("receipt_id", sql.Text, nullable=False, index=True),
)
SQL["persons"] = PERSONS
AGENCIES = sql.Table(
    "agencies",
    metadata,
    sql.Column("name", sql.Text, primary_key=True),
    sql.Column("adcode", sql.Text, nullable=False),
)
ACCOUNTS = sql.Table(
    "accounts",
    metadata,
    sql.Column("name", sql.Text, primary_key=True),
    sql.Column("password", sql.Text),  # argon2id; none where an identity provider checks
    sql.Column("identity", sql.Text, unique=True),  # issuer|subject
    sql.Column("roles", sql.Text, nullable=False),  # JSON lists
    sql.Column("adcodes", sql.Text, nullable=False),
    sql.Column("agency", sql.Text),
    sql.Column("disabled", sql.Boolean, nullable=False),
    sql.Column("failed", sql.Integer, nullable=False),  # wrong passwords since the last right one
    sql.Column("locked_until", sql.BigInteger),  # this and all moments below: ms since 1970 UTC
    sql.Column("made_at", sql.BigInteger, nullable=False),
)
SESSIONS = sql.Table(
    "sessions",
    metadata,
    sql.Column("token", sql.Text, primary_key=True),  # SHA-256 of it
    sql.Column("account", sql.Text, nullable=False),
    sql.Column("how", sql.Text, nullable=False),
    *(sql.Column(name, sql.BigInteger, nullable=False) for name in ("made_at", "seen_at", "ends_at")),
)
SHARES = sql.Table(
    "shares",
    metadata,
    _row(),
    *(sql.Column(name, sql.Text, nullable=False) for name in ("name", "from_agency", "to_agency", "hidden", "reason")),
    sql.Column("made_at", sql.BigInteger, nullable=False),
    sql.Column("ended_at", sql.BigInteger),
)
# fixes of live feeds until they are sealed into files under a receipt; `row` only ever grows
LIVE = sql.Table(
    "live",
    metadata,
    _row(),
    sql.Column("unit_id", sql.Text, nullable=False),
    sql.Column("time", sql.BigInteger, nullable=False),
    *(sql.Column(name, sql.Float(53), nullable=False) for name in ("lon", "lat")),
    *(sql.Column(name, sql.Float(53)) for name in ("speed", "heading")),
    sql.Column("platform", sql.Text),
    sql.Column("role", sql.Text, nullable=False),
    sql.Column("source", sql.Text),
    sql.Column("feed", sql.Text, nullable=False),
    sql.Column("agency", sql.Text),
    sql.Column("arrived_at", sql.BigInteger, nullable=False),
    sqlite_autoincrement=True,
)
sql.Index("live_by_moment", LIVE.c.unit_id, LIVE.c.time, unique=True)
FEEDS = sql.Table(
    "feeds",
    metadata,
    sql.Column("name", sql.Text, primary_key=True),
    sql.Column("agency", sql.Text),
    sql.Column("mark", sql.Text),  # where its source goes on from
    sql.Column("seen_at", sql.BigInteger, nullable=False),  # ms since 1970 UTC of the last batch
    *(sql.Column(name, sql.BigInteger, nullable=False) for name in ("stored", "repeated", "refused")),
    sql.Column("told", sql.Text, nullable=False),  # JSON: code -> lines refused
    sql.Column("held", sql.Text, nullable=False),  # JSON: fixes that wait for proof of their place
)
# of which Shanghai days each receipt brought fixes: a file that is gone altogether is missed, not taken for nobody out
DAYS = sql.Table(
    "position_days",
    metadata,
    sql.Column("day", sql.BigInteger, primary_key=True, autoincrement=False),  # since 1970
    sql.Column("receipt_id", sql.Text, primary_key=True),
)
# what was held of days of positions that were let go (`expire`): a row a day and receipt; without a day: the bytes of the
# upload and its refused rows went, too
EXPIRED = sql.Table(
    "expired",
    metadata,
    _row(),
    sql.Column("day", sql.BigInteger),  # days since 1970 in Shanghai
    sql.Column("receipt_id", sql.Text, nullable=False, index=True),
    sql.Column("fixes", sql.BigInteger, nullable=False),
    sql.Column("first_at", sql.BigInteger),  # ms since 1970 UTC
    sql.Column("last_at", sql.BigInteger),
    sql.Column("sha256", sql.Text),  # of the rows (`compact.Prints`)
)
# whose units had fixes in these days: older results are theirs to see, and nobody else's
EXPIRED_UNITS = sql.Table(
    "expired_units",
    metadata,
    _row(),
    sql.Column("unit_id", sql.Text, nullable=False),
    sql.Column("agency", sql.Text),
)
META = sql.Table("meta", metadata, sql.Column("key", sql.Text, primary_key=True), sql.Column("value", sql.Text))


def insert(connection: sql.Connection, name: str, frame: pd.DataFrame) -> None:
    """Puts every row of `frame` into the SQL table of that name."""
    table = stored(name)
    for batch in table.to_arrow(frame).to_batches(max_chunksize=BATCH):
        columns = [_out(batch.column(column.name), column.type) for column in table.columns]
        rows = [dict(zip(table.names, row, strict=True)) for row in zip(*columns, strict=True)]
        if rows:
            connection.execute(sql.insert(SQL[name]), rows)


def _out(values: pa.Array, kind: pa.DataType) -> list[Any]:
    if kind == tables.TIME:
        return values.cast(pa.int64()).to_pylist()
    if kind == tables.DAY:
        return values.cast(pa.int32()).to_pylist()
    if kind == tables.TEXTS:
        return [None if value is None else json.dumps(value, ensure_ascii=False) for value in values.to_pylist()]
    return values.to_pylist()


def frame(name: str, rows: Iterable[Sequence[Any]], shape: tables.Table | None = None) -> pd.DataFrame:
    """SQL rows, columns in the order of `stored(name)` (or of `shape`), as a frame."""
    table = shape or stored(name)
    columns = list(zip(*rows, strict=True)) or [()] * len(table.columns)
    arrays = [_in(values, column.type) for values, column in zip(columns, table.columns, strict=True)]
    return table.from_arrow(pa.Table.from_arrays(arrays, schema=table.arrow))


def _in(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    if kind == tables.TIME:
        return pa.array(values, pa.int64()).cast(kind)
    if kind == tables.DAY:
        return pa.array(values, pa.int32()).cast(kind)
    if kind == tables.TEXTS:
        return pa.array([None if value is None else json.loads(value) for value in values], kind)
    return pa.array(values, kind)
