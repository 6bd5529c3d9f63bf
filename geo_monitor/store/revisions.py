"""Tables of which every revision is kept: events, warnings, rules, taskings. A row is never overwritten: a change is a
new row with the next revision, when, by whom and why."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sql

from geo_monitor import tables
from geo_monitor.errors import Refused, Usage
from geo_monitor.store import audit, schema
from geo_monitor.store.database import milliseconds
from geo_monitor.store.schema import REVISED, SQL
from geo_monitor.times import utc

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.store.embedded import Store

NAMED = 500  # ids a statement names
SELF = ("revision", "revised_at", "revised_by", "reason")  # says nothing of a row's content


def frame(store: Store, name: str, where: Any = None, every: bool = False) -> pd.DataFrame:
    """The newest revision of each row of a table (with `every`: all revisions), in the order they were made.

    where: a condition on `schema.SQL[name]`. Raises `Usage("unknown_table")`.
    """
    return schema.frame(name, [tuple(row) for row in store.rows(_query(name, where, every))])


def rows(store: Store, name: str, where: Any = None, every: bool = False) -> list[dict[str, Any]]:
    """As `frame`, as plain values: times ms UTC, lists as tuples."""
    return [_plain(name, row) for row in store.rows(_query(name, where, every))]


def mark(store: Store, *names: str) -> str:
    """Changes with every revision of these tables."""
    highest = [sql.select(sql.func.max(_table(name).c.row)).scalar_subquery() for name in names]
    (row,) = store.once(("revisions", *names), lambda: store.rows(sql.select(*highest)))
    return "-".join(str(value or 0) for value in row)


def of_ids(store: Store, name: str, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The newest revisions of these ids, as `rows`; ids that are not there are left out."""
    with store.reading() as connection:
        return _held(connection, name, ids)


def revise(
    store: Store,
    name: str,
    changed: Sequence[Mapping[str, Any]],
    now: datetime | int,
    who: str,
    tell: str | None = None,
) -> list[dict[str, Any]]:
    """Writes rows whose content differs from their newest revision, in one transaction; gives those written.

    changed: plain values (times ms UTC). Columns left out stay as they are. A row that carries `revision` was judged on
    that revision: raises `Refused("changed_meanwhile")` where somebody was quicker (nothing is written then). tell: an
    action for the audit book.
    """
    return together(store, {name: changed}, now, who, tell)[name]


def together(
    store: Store,
    changed: Mapping[str, Sequence[Mapping[str, Any]]],
    now: datetime | int,
    who: str,
    tell: str | None = None,
) -> dict[str, list[dict[str, Any]]]:
    """As `revise`, for rows of several tables: all of them or none. Gives those written, by table."""
    moment = now if isinstance(now, int) else milliseconds(now)
    if not any(changed.values()):
        return {name: [] for name in changed}
    with store.transaction() as connection:
        return {name: _write(connection, name, rows, moment, who, tell) for name, rows in changed.items()}


def differing(store: Store, name: str, changed: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The rows that `revise` would write, whole, with the revision each would be judged on; rows that change nothing are
    left out, and rows of ids not held that are not whole (without a value in a column that needs one)."""
    key = REVISED[name]
    needed = [column.name for column in tables.table(name).columns if not column.null and column.name not in SELF]
    held = of_ids(store, name, [str(row[key]) for row in changed])
    found = []
    for row in changed:
        old = held.get(str(row[key]))
        new = _merged(name, row, old)
        if new is None or (old is None and any(new[column] is None for column in needed)):
            continue
        found.append({**new, "revision": None if old is None else old["revision"], "reason": row.get("reason")})
    return found


def as_frame(name: str, row: Mapping[str, Any]) -> pd.DataFrame:
    """One row of plain values as a frame of its table."""
    return schema.frame(name, [tuple(_stored(name, row).values())])


def _write(
    connection: sql.Connection, name: str, changed: Sequence[Mapping[str, Any]], moment: int, who: str, tell: str | None
) -> list[dict[str, Any]]:
    key, of = REVISED[name], _table(name)
    written: list[dict[str, Any]] = []
    held = _held(connection, name, [str(row[key]) for row in changed])
    for row in changed:
        old = held.get(str(row[key]))
        if row.get("revision") is not None and row["revision"] != (old or {}).get("revision"):
            raise Refused("changed_meanwhile", id=str(row[key]))
        new = _merged(name, row, old)
        if new is None:
            continue
        new["revision"] = 1 if old is None else int(old["revision"]) + 1
        new |= {"revised_at": moment, "revised_by": who, "reason": row.get("reason")}
        written.append(new)
        held[str(row[key])] = new
    replaced = sorted({str(row[key]) for row in written if row["revision"] > 1})
    for i in range(0, len(replaced), NAMED):
        where = of.c.newest & of.c[key].in_(replaced[i : i + NAMED])
        connection.execute(sql.update(of).where(where).values(newest=False))
    last = {str(row[key]): row["revision"] for row in written}
    if written:
        told: list[dict[str, Any]] = [
            {**_stored(name, row), "newest": row["revision"] == last[str(row[key])]} for row in written
        ]
        connection.execute(sql.insert(of), told)
    if tell:
        for row in written:
            detail = {"state": row.get("state"), "reason": row.get("reason")}
            audit.append(connection, utc(moment), who, tell, str(row[key]), **detail)
    return written


def _table(name: str) -> sql.Table:
    if name not in REVISED:
        raise Usage("unknown_table", table=name, tables=[*REVISED])
    return SQL[name]


def _query(name: str, where: Any, every: bool) -> Any:
    of = _table(name)
    query = sql.select(*[of.c[column] for column in tables.table(name).names]).order_by(of.c.row)
    if not every:
        query = query.where(of.c.newest)
    return query if where is None else query.where(where)


def _held(connection: sql.Connection, name: str, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    of, key = _table(name), REVISED[name]
    wanted = sorted(set(ids))
    parts = (wanted[i : i + NAMED] for i in range(0, len(wanted), NAMED))
    found = [row for part in parts for row in connection.execute(_query(name, of.c[key].in_(part), False))]
    return {str(getattr(row, key)): _plain(name, row) for row in found}


def _merged(name: str, row: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """What a row says over what was held, without `SELF`; None where that is the same."""
    columns = [column for column in tables.table(name).names if column not in SELF]
    new = {column: row.get(column, (old or {}).get(column)) for column in columns}
    return None if old is not None and all(_same(new[column], old[column]) for column in columns) else new


def _plain(name: str, row: Any) -> dict[str, Any]:
    shape = tables.table(name)
    values = {}
    for column, value in zip(shape.columns, row, strict=False):
        if column.type == tables.TEXTS:
            value = () if value is None else tuple(json.loads(value))
        values[column.name] = value
    return values


def _stored(name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    shape = tables.table(name)
    out = {}
    for column in shape.columns:
        value = row.get(column.name)
        if column.type == tables.TEXTS and value is not None:
            value = json.dumps(list(value), ensure_ascii=False)
        out[column.name] = value
    return out


def _same(new: Any, old: Any) -> bool:
    if isinstance(new, list | tuple) or isinstance(old, list | tuple):
        return list(new or ()) == list(old or ())
    return bool(new == old)
