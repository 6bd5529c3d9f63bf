"""Whether a workspace still is what it was: every file against its hash and its receipt, every row counted."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sql

from geo_monitor import tables
from geo_monitor.errors import Refused
from geo_monitor.stages import Tell, silent
from geo_monitor.store import audit, expire, files, positions, unfinished
from geo_monitor.store.compact import Prints
from geo_monitor.store.database import ACCEPTED, lock, table_of
from geo_monitor.store.schema import RECORDS, SQL

if TYPE_CHECKING:
    from geo_monitor.store import Store


@dataclass(frozen=True)
class Trouble:
    """Something that is not as it was: its sentence is `verify.<code>`, filled with params."""

    code: str
    params: dict[str, Any]


@dataclass
class Verdict:
    """What was looked at, by name (raw, receipts, rows, fixes, quarantine, runs, audit; expired: fixes that were let go),
    and what is wrong."""

    looked: dict[str, int] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)

    def wrong(self, code: str, **params: Any) -> None:
        self.troubles.append(Trouble(code, params))


def verify(store: Store, head: str | None = None, tell: Tell = silent) -> Verdict:
    """Checks everything held, as of one moment, while others go on reading and writing. Changes nothing.

    head: a hash of the audit book noted down elsewhere. Receipts tell how many rows they brought; the rows stored under
    them are counted, fixes in every Parquet file, which is read to its end. Raises `Refused("expired_meanwhile")` where
    days were let go on the way.
    """
    found = Verdict()
    with store.reading() as connection:
        if connection.dialect.name == "sqlite":
            for (told,) in connection.exec_driver_sql("PRAGMA integrity_check"):
                if told != "ok":
                    found.wrong("database", detail=told)
        receipts = _receipts(store, found)
        gone, expired = expire.of_uploads(store), expire.of_receipts(store)
        uploads = [row for row in receipts if row.receipt_id not in gone]
        _raw(store, uploads, found, tell)
        fixes = _fixes(store, receipts, found, tell)
        _rows(store, receipts, fixes + expired, found)
        _quarantine(store, uploads, found)
        if store.positions_from is not None:
            found.looked["expired"] = expired.total()
        _runs(store, found)
        book = audit.verify(store, head)
        found.looked["audit"] = book.rows
        if book.broken is not None:
            found.wrong("audit", row=book.broken)
        if book.head_found is False:
            found.wrong("audit_cut", head=str(head))
        first = store.positions_from
    if store.positions_from != first:
        raise Refused("expired_meanwhile")
    _leftovers(store, found)
    tell("verify", 1.0)
    return found


def _receipts(store: Store, found: Verdict) -> list[Any]:
    """The receipts that can be read; the others are told."""
    held = []
    for row in store.rows(sql.select(SQL["receipts"]).order_by(SQL["receipts"].c.row)):
        try:
            json.loads(row.receipt)["en"]["rows"]
            held.append(row)
        except (ValueError, KeyError, TypeError) as error:
            found.wrong("receipt", receipt_id=row.receipt_id, file=row.file, detail=_line(error))
    return held


def _raw(store: Store, receipts: list[Any], found: Verdict, tell: Tell) -> None:
    """Every upload is there, byte for byte."""
    wanted = {row.sha256: row for row in receipts if row.status != "duplicate"}
    for number, (digest, row) in enumerate(wanted.items()):
        path = store.raw(digest)
        if not path.is_file():
            found.wrong("raw_missing", file=row.file, receipt_id=row.receipt_id)
        elif files.sha256(path) != digest:
            found.wrong("raw_changed", file=row.file, receipt_id=row.receipt_id)
        tell("verify", 0.5 * number / len(wanted))
    found.looked["raw"] = len(wanted)


def _fixes(store: Store, receipts: list[Any], found: Verdict, tell: Tell) -> Counter[str]:
    """Rows of fixes by receipt; every file can be read, holds its own receipts and its own day, and nothing else. Of a
    file of many receipts the rows of each are those that were put there."""
    committed = {row.receipt_id for row in receipts}
    rows: Counter[str] = Counter()
    first = store.positions_from
    folders = [
        day for day in positions.days(store.root / "positions") if first is None or positions.number(day) >= first
    ]
    for number, folder in enumerate(folders):
        tell("verify", 0.5 + 0.4 * number / len(folders))
        damaged: dict[Path, Exception] = {}
        for part in positions.of_day(folder, committed, damaged):
            try:
                held = positions.following([part], lambda parts: [(one, _held(one)) for one in parts])
            except (pa.ArrowException, OSError, KeyError, ValueError) as error:
                damaged[part.path] = error
                continue
            for one, (counts, wrong) in held:
                rows.update({name: counts[name] for name in one.receipts})
                if wrong:
                    found.wrong(wrong, file=one.path.relative_to(store.root).as_posix())
        for path, why in damaged.items():
            found.wrong("file_unreadable", file=path.relative_to(store.root).as_posix(), detail=_line(why))
    found.looked["fixes"] = sum(rows.values())
    return rows


def _held(part: positions.Part) -> tuple[Counter[str], str | None]:
    """Rows by receipt in a file of fixes, and what is wrong with it. Raises where it cannot be read."""
    import pyarrow.compute as pc

    told, prints, rows, right = positions.told(part.path), Prints(), Counter[str](), True
    for table in positions.batches(part.path):
        if part.path.name.startswith(positions.COMPACT):
            prints.add(table)
        counted = pc.value_counts(table["receipt_id"].cast(pa.string())).to_pylist()
        rows.update({one["values"]: one["counts"] for one in counted})
        times = pc.min_max(table["time"].cast(pa.int64())).as_py().values()
        right &= {positions.day_of(ms) for ms in times if ms is not None} <= {part.day}
    if not right or set(rows) - set(told):
        return rows, "fixes_elsewhere"
    same = all(one.sha256 in (None, prints.of(name)) for name, one in told.items())
    return rows, None if same else "fixes_changed"


def _rows(store: Store, receipts: list[Any], fixes: Counter[str], found: Verdict) -> None:
    """Each receipt's rows are all there, and no row is without one."""
    held: dict[str, Counter[str]] = {"positions": fixes}
    for name in (*RECORDS, "persons"):
        of = SQL[name]
        query = sql.select(of.c.receipt_id, sql.func.count()).group_by(of.c.receipt_id)
        held[name] = Counter(dict(store.rows(query)))
    for row in receipts:
        told = json.loads(row.receipt)["en"]["rows"]
        brought = told.get("accepted", 0) + told.get("corrected", 0) if row.status in ACCEPTED else 0
        count = held[table_of(row.kind)][row.receipt_id]
        if count != brought:
            found.wrong("rows", file=row.file, receipt_id=row.receipt_id, told=brought, held=count)
    accepted = {row.receipt_id: table_of(row.kind) for row in receipts if row.status in ACCEPTED}
    for name, counts in held.items():
        where = "seizures" if name == "persons" else name
        strange = [receipt_id for receipt_id in counts if accepted.get(receipt_id) != where]
        if strange:
            found.wrong("rows_of_nobody", table=name, receipts=sorted(strange)[:3])
    found.looked["receipts"] = len(receipts)
    found.looked["rows"] = sum(sum(counts.values()) for name, counts in held.items() if name != "positions")


def _quarantine(store: Store, receipts: list[Any], found: Verdict) -> None:
    """The refused rows of each receipt are there."""
    counted = 0
    for row in receipts:
        told = json.loads(row.receipt)["en"]
        if not told.get("quarantine"):
            continue
        counted += 1
        path = store.root / "quarantine" / f"{row.receipt_id}.csv"
        try:
            with path.open(encoding="utf-8-sig", newline="") as file:
                lines = sum(1 for _ in csv.reader(file)) - 1
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            found.wrong("file_unreadable", file=f"quarantine/{path.name}", detail=_line(error))
            continue
        if lines != told["rows"]["quarantined"]:
            found.wrong(
                "quarantine", file=row.file, receipt_id=row.receipt_id, told=told["rows"]["quarantined"], held=lines
            )
    found.looked["quarantine"] = counted


def _runs(store: Store, found: Verdict) -> None:
    """Every table of every run can be read to its end."""
    import pyarrow.parquet as pq

    runs = [run for (run,) in store.rows(sql.select(SQL["runs"].c.run_id).order_by(SQL["runs"].c.row))]
    for run in runs:
        paths = sorted((store.root / "runs" / run).glob("*.parquet"))
        if not paths:
            found.wrong("run_missing", run_id=run)
        for path in paths:
            try:
                tables.table(path.stem).from_arrow(pq.read_table(path))
            except (pa.ArrowException, OSError, KeyError, ValueError) as error:
                found.wrong("file_unreadable", file=f"runs/{run}/{path.name}", detail=_line(error))
    found.looked["runs"] = len(runs)


def _leftovers(store: Store, found: Verdict) -> None:
    """Files that nothing stands behind. While somebody writes there may be some, so then nobody looks."""
    with lock(store.root, store.engine, wait=False) as free:
        if free is None:
            return
        for path in store.orphans():
            found.wrong("left_over", file=path.relative_to(store.root).as_posix())
        if unfinished.found(store.root) is not None:
            found.wrong("left_over", file=unfinished.MARK)


def _line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
