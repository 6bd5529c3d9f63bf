"""Fixes of live feeds: stored at once in table `live`, later sealed into files under a receipt like any upload.

A fix is stored once however often it comes: its key is the unit and the moment. A batch and the place where its source
goes on from are one transaction, so a killed feed resumes without loss or doubles. Sealing judges the fixes against
what is held, as for an upload, and removes them from `live` in the transaction that makes their receipt true.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sql

from geo_monitor import tables
from geo_monitor.store import expire, files, positions, schema, unfinished
from geo_monitor.store.database import milliseconds
from geo_monitor.store.schema import FEEDS, LIVE, META
from geo_monitor.times import utc

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.feeds import Fix
    from geo_monitor.ingest import Receipt
    from geo_monitor.settings import Settings
    from geo_monitor.store.embedded import Store

log = logging.getLogger("geo_monitor")
RECEIPT = "live"  # stands for the receipt of a fix that has none yet
VALUES = ("unit_id", "time", "lon", "lat", "speed", "heading", "platform", "role", "source")
CLOCK = "replay_clock"  # in the facts of the workspace: how far a night was replayed
SEALED = "sealed_row"  # in the book: the highest number of the fixes that a receipt sealed


@dataclass(frozen=True)
class Feed:
    """What is known of a feed: its name, agency, mark (where its source goes on from), counts since it began, and fixes
    that were taken and wait for proof of their place (values of `feeds.Fix`)."""

    name: str
    agency: str | None
    mark: str | None
    seen_at: int
    stored: int
    repeated: int
    refused: int
    told: Mapping[str, int]
    held: Sequence[Sequence[Any]]


def feeds(store: Store) -> list[Feed]:
    """Every feed there ever was, by name."""
    return [
        Feed(**{**row._mapping, "told": json.loads(row.told), "held": json.loads(row.held)})
        for row in store.rows(sql.select(FEEDS).order_by(FEEDS.c.name))
    ]


def feed(store: Store, name: str) -> Feed | None:
    """One feed, or None."""
    return next((held for held in feeds(store) if held.name == name), None)


def append(
    store: Store,
    name: str,
    agency: str | None,
    fixes: Sequence[Fix],
    mark: str | None,
    now: int,
    refused: Mapping[str, int],
    held: Sequence[Fix] = (),
) -> list[Fix]:
    """Stores a batch of fixes of the feed `name` and its mark in one transaction. Gives the fixes that were new.

    now: ms UTC. refused: code -> lines refused with this batch. held: all fixes that wait for proof of their place. A
    fix whose unit and moment are in `live` already is a repeat. Raises as `Store.transaction`.
    """
    rows = [
        {**{column: getattr(fix, column) for column in VALUES}, "feed": name, "agency": agency, "arrived_at": now}
        for fix in fixes
    ]
    with store.transaction() as connection:
        last = connection.scalar(sql.select(sql.func.max(LIVE.c.row))) or 0
        if rows:
            connection.execute(_or_nothing(connection), rows)
        new = set()
        if rows:
            query = sql.select(LIVE.c.unit_id, LIVE.c.time).where(LIVE.c.row > last, LIVE.c.feed == name)
            new = {tuple(row) for row in connection.execute(query)}
        fresh, seen = [], set()
        for fix in fixes:
            key = (fix.unit_id, fix.time)
            if key in new and key not in seen:
                seen.add(key)
                fresh.append(fix)
        before = connection.execute(sql.select(FEEDS).where(FEEDS.c.name == name)).one_or_none()
        told = dict(json.loads(before.told)) if before else {}
        for code, count in refused.items():
            told[code] = told.get(code, 0) + count
        values = {
            "agency": agency,
            "mark": mark if mark is not None else (before.mark if before else None),
            "seen_at": now,
            "stored": (before.stored if before else 0) + len(fresh),
            "repeated": (before.repeated if before else 0) + len(fixes) - len(fresh),
            "refused": (before.refused if before else 0) + sum(refused.values()),
            "told": json.dumps(told),
            "held": json.dumps([list(fix) for fix in held], ensure_ascii=False),
        }
        if before:
            connection.execute(sql.update(FEEDS).where(FEEDS.c.name == name).values(**values))
        else:
            connection.execute(sql.insert(FEEDS).values(name=name, **values))
    return fresh


def _or_nothing(connection: sql.Connection) -> Any:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert
    else:
        from sqlalchemy.dialects.sqlite import insert  # type: ignore[assignment]
    return insert(LIVE).on_conflict_do_nothing(index_elements=["unit_id", "time"])


def condition(
    start_ms: int | None,
    end_ms: int | None,
    units: Collection[str] | None,
    agencies: Collection[str] | None,
    after: int = 0,
) -> sql.ColumnElement[bool]:
    """The fixes of a period, of some units and agencies, with a row number beyond `after`."""
    where = LIVE.c.row > after
    if start_ms is not None:
        where &= LIVE.c.time >= start_ms
    if end_ms is not None:
        where &= LIVE.c.time < end_ms
    if agencies is not None:
        where &= LIVE.c.agency.in_(sorted(agencies))
    if units is not None and len(units) <= 500:
        where &= LIVE.c.unit_id.in_(sorted(units))
    return where


def read(store: Store, where: sql.ColumnElement[bool]) -> tuple[pa.Table, np.ndarray]:
    """Fixes not sealed yet as rows of table `positions`, and their row numbers, in the order they came."""
    names = [*VALUES, "row"]
    found = store.rows(sql.select(*[LIVE.c[name] for name in names]).where(where).order_by(LIVE.c.row))
    columns = dict(zip(names, zip(*found, strict=True) if found else [()] * len(names), strict=True))
    types = {column.name: column.type for column in tables.TABLES["positions"].columns}
    arrays = {
        name: pa.array(columns[name], pa.int64()).cast(tables.TIME)
        if name == "time"
        else pa.array(columns[name], types[name])
        for name in VALUES
    }
    arrays["patrol_id"] = pa.nulls(len(found), pa.string())
    arrays["receipt_id"] = pa.array([RECEIPT] * len(found), pa.string())
    names = list(types)
    table = pa.Table.from_arrays([arrays[name] for name in names], names=names)
    return table, np.array(columns["row"], dtype=np.int64)


def bounds(store: Store) -> tuple[int, int] | None:
    """First and last row number there is, or None: fixes before the first are sealed by now."""
    query = sql.select(sql.func.min(LIVE.c.row), sql.func.max(LIVE.c.row))
    ((low, high),) = store.once("live", lambda: store.rows(query))
    return None if low is None else (int(low), int(high))


def count(store: Store) -> int:
    """Fixes not sealed yet."""
    return int(store.rows(sql.select(sql.func.count()).select_from(LIVE))[0][0])


def seal(store: Store, settings: Settings, now: datetime, who: str = "watch", wait: bool = True) -> list[Receipt]:
    """Turns all fixes in `live` into files of positions, a receipt for each feed and agency. Gives the receipts.

    Judged as an upload would be: what is held already is unchanged, the same moment elsewhere is refused. With `wait`
    off nothing is done while somebody else writes. Raises as `Store.writing`.
    """
    if not count(store):
        return []
    from geo_monitor.store.audit import append as note
    from geo_monitor.store.embedded import note_days

    with store.writing(unfinished.Work("import", "live"), wait=wait) as free:
        if not free:
            return []
        held = bounds(store)
        if held is None:
            return []
        last = held[1]
        query = sql.select(LIVE.c.feed, LIVE.c.agency).where(LIVE.c.row <= last).distinct()
        groups = sorted((tuple(row) for row in store.rows(query)), key=lambda row: (row[0], row[1] or ""))
        made = []
        for name, agency in groups:
            own = (LIVE.c.row <= last) & (LIVE.c.feed == name)
            own &= LIVE.c.agency.is_(None) if agency is None else LIVE.c.agency == agency
            table, _ = read(store, own)
            made.append(_sealed(store, settings, name, agency, table.drop_columns("receipt_id"), last, now))
        with store.transaction() as connection:
            for receipt, row, parts in made:
                schema.insert(connection, "receipts", row)
                note_days(connection, parts)
                note(connection, now, who, "import", receipt.receipt_id, status=receipt.status)
            connection.execute(sql.delete(LIVE).where(LIVE.c.row <= last))
    log.info("sealed %d feeds up to row %d", len(made), last)
    return [receipt for receipt, _, _ in made]


def _sealed(
    store: Store, settings: Settings, name: str, agency: str | None, table: pa.Table, row: int, now: datetime
) -> tuple[Receipt, pd.DataFrame, list[positions.Part]]:
    import pyarrow.parquet as pq

    from geo_monitor.ingest import Receipt, identity
    from geo_monitor.ingest.ledger import Ledger
    from geo_monitor.ingest.receipt import Message, status_of
    from geo_monitor.messages import text
    from geo_monitor.store.held import Held

    with TemporaryDirectory(prefix="geo-monitor-") as folder:
        raw = Path(folder) / "fixes.parquet"
        pq.write_table(table.select(list(VALUES)), raw, compression="zstd")
        digest = files.sha256(raw)
        store.keep_raw(raw, digest)
    times = np.asarray(table["time"].cast(pa.int64()))
    first, end = (_told(int(edge)) for edge in (times.min(), times.max()))
    shown = name if "://" in name else Path(name).name  # no more of a path than an upload shows
    label = f"{shown} {first}-{end}.parquet"
    receipt = Receipt.blank("tracks", label, digest, agency, now)
    frame = tables.TABLES["positions"].from_arrow(table)
    ledger = Ledger(np.arange(1, len(frame) + 1))
    # rows in `live` are not held yet: those of the same batch are judged against each other by the key of the table
    done = identity.positions(frame, ledger, Held(store), settings)
    refused = ~ledger.alive
    counts = {
        "read": len(frame), "accepted": int(done.new.sum()), "quarantined": int(refused.sum()),
        "unchanged": int(done.unchanged.sum()), "corrected": 0,
    }  # fmt: skip
    errors = tuple(message for message in ledger.reasons[1:] if message is not None)
    status = status_of(counts, bool(errors or ledger.warnings))
    receipt = replace(
        receipt, status=status, rows=counts, notes=(Message("feed_sealed", {"feed": name}), *ledger.notes),
        crs={**receipt.crs, "used": "EPSG:4326", "how": "declared", "datum": "wgs84", "confidence": 1.0},
        warnings=tuple(ledger.warnings), errors=errors,
    )  # fmt: skip
    if counts["quarantined"] and status != "duplicate":
        bad = frame[refused].drop(columns=["patrol_id"]).assign(row=np.flatnonzero(refused) + 1)
        reasons = [ledger.reasons[code] for code in ledger.reason[refused].tolist()]
        for lang in ("zh", "en"):
            bad[f"reason_{lang}"] = ["" if r is None else text(r.code, lang, **r.params) for r in reasons]
        receipt = replace(receipt, quarantine=store.keep_quarantine((bad,), receipt.receipt_id))
    parts: list[positions.Part] = []
    if counts["accepted"] and done.rows is not None:
        rows = done.rows.assign(receipt_id=receipt.receipt_id)
        paths = positions.write(store.root / "positions", rows, receipt.receipt_id)
        parts = [positions.Part(path, (receipt.receipt_id,)) for path in paths]
    from geo_monitor.store.embedded import receipt_row

    written = receipt_row(receipt)
    told = {**json.loads(written["receipt"].iloc[0]), SEALED: row}
    return receipt, written.assign(receipt=json.dumps(told, ensure_ascii=False)), parts


def _told(ms: int) -> str:
    return f"{utc(ms + positions.SHANGHAI_MS):%Y%m%dT%H%M%S}"


def newest(store: Store, agencies: Collection[str] | None) -> int | None:
    """The time of the latest fix not sealed yet, ms UTC."""
    ((found,),) = store.rows(sql.select(sql.func.max(LIVE.c.time)).where(condition(None, None, None, agencies)))
    return None if found is None else int(found)


def heard(store: Store, receipts: Collection[str], agencies: Collection[str] | None = None) -> int | None:
    """The time of the latest fix of these uploads, or of those not sealed yet (of some agencies), ms UTC."""
    found = (store.newest(receipts), newest(store, agencies))
    return max((moment for moment in found if moment is not None), default=None)


def last_fixes(store: Store, since: datetime) -> dict[str, tuple[int, float, float]]:
    """Of every unit heard since then its latest stored fix: time (ms UTC), lon, lat."""
    begin = expire.since(store, milliseconds(since))
    table = positions.last(store.positions(None, begin, None, ["unit_id", "time", "lon", "lat"], encoded=True))
    ms = table["time"].cast(pa.int64()).to_pylist()
    columns = (table["unit_id"].to_pylist(), ms, table["lon"].to_pylist(), table["lat"].to_pylist())
    return {unit: (time, lon, lat) for unit, time, lon, lat in zip(*columns, strict=True)}


def oldest(store: Store) -> int | None:
    """The time of the earliest fix not sealed yet, ms UTC."""
    ((found,),) = store.rows(sql.select(sql.func.min(LIVE.c.time)))
    return None if found is None else int(found)


def clock(store: Store) -> int | None:
    """Where the clock of a replayed night stands, ms UTC; None: time is that of the wall."""
    found = store.once(CLOCK, lambda: store.rows(sql.select(META.c.value).where(META.c.key == CLOCK)))
    return int(found[0].value) if found else None


def set_clock(store: Store, moment: int | None) -> None:
    """Moves the clock of a replay to `moment` (ms UTC), or (None) gives time back to the wall."""
    with store.transaction() as connection:
        connection.execute(sql.delete(META).where(META.c.key == CLOCK))
        if moment is not None:
            connection.execute(sql.insert(META).values(key=CLOCK, value=str(moment)))


def last_row(store: Store) -> int:
    """The highest row number there is; 0 where all is sealed."""
    held = bounds(store)
    return 0 if held is None else held[1]


def sealed_upto(store: Store, receipts: Collection[str], row: int) -> set[str]:
    """Of these receipts the ones that sealed fixes of numbers up to `row`."""
    of = schema.SQL["receipts"]
    query = sql.select(of.c.receipt_id, of.c.receipt).where(of.c.receipt_id.in_(sorted(receipts)))
    told = {str(name): json.loads(text).get(SEALED) for name, text in store.rows(query)}
    return {name for name, last in told.items() if last is not None and last <= row}
