"""The audit book: rows are only ever added, and each carries a hash over itself and the one before.

hash_n = SHA-256 of the JSON array [hash_(n-1), at, who, action, subject, detail]; hash_0 is 64 zeros. So a changed,
removed or inserted row breaks every hash after it; what was cut off the end shows when a hash kept elsewhere is no
longer in the book. (The construction is that of Schneier and Kelsey, "Secure audit logs", ACM TISSEC 1999, without
the forward-secure keys.)
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql

from geo_monitor.store.database import milliseconds
from geo_monitor.store.schema import SQL

if TYPE_CHECKING:
    from geo_monitor.store import Store

FIRST = "0" * 64


@dataclass(frozen=True)
class Verdict:
    """What `verify` found: rows read, the newest hash, the first row that does not fit (None: all do), and whether the
    head kept elsewhere is in the book (None: none was given)."""

    rows: int
    head: str
    broken: int | None
    head_found: bool | None

    @property
    def ok(self) -> bool:
        return self.broken is None and self.head_found is not False


def link(before: str, at: int, who: str, action: str, subject: str | None, detail: str | None) -> str:
    """The hash of a row that follows one with hash `before`; `at` in milliseconds since 1970 UTC.

    >>> link(FIRST, 0, "a", "b", None, None)[:16]
    'f04e6ded21f672e8'
    """
    told = json.dumps([before, at, who, action, subject, detail], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(told.encode()).hexdigest()


def append(connection: sql.Connection, at: Any, who: str, action: str, subject: str | None, **detail: Any) -> str:
    """Adds a row within the transaction of `connection` and gives its hash."""
    audit = SQL["audit"]
    if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
        connection.exec_driver_sql(f"LOCK TABLE {_quoted(connection, audit)} IN EXCLUSIVE MODE")
    before = connection.scalar(sql.select(audit.c.hash).order_by(audit.c.row.desc()).limit(1)) or FIRST
    told = json.dumps(detail, ensure_ascii=False, sort_keys=True)
    moment = milliseconds(at)
    made = link(before, moment, who, action, subject, told)
    row = {"at": moment, "who": who, "action": action, "subject": subject, "detail": told, "hash": made}
    connection.execute(sql.insert(audit).values(**row))
    return made


def _quoted(connection: sql.Connection, table: sql.Table) -> str:
    return connection.dialect.identifier_preparer.format_table(table)


def verify(store: Store, head: str | None = None) -> Verdict:
    """Checks every row against its hash, oldest first; `head`: a hash noted down earlier, which must be in the book."""
    audit = SQL["audit"]
    names = ("at", "who", "action", "subject", "detail")
    before, broken, found = FIRST, None, None if head is None else head == FIRST
    rows = store.rows(sql.select(*(audit.c[name] for name in names), audit.c.hash).order_by(audit.c.row))
    for number, (*row, written) in enumerate(rows, 1):
        if broken is None and link(before, *row) != written:
            broken = number
        before = written
        found = True if written == head else found
    return Verdict(len(rows), before, broken, found)
