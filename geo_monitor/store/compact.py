"""Many small files of a day made into one: a live feed is sealed every few minutes, and a year of that is tens of thousands
of files, whose heads alone take long to open.

Of a Shanghai day that is over everything committed is written to positions/day=…/compact-<hash>.parquet, sorted by unit and
time. Its metadata tells which receipts it holds, with rows, first and last moment and a hash of the rows of each; it is
read back against these before it appears, whole, by a rename. From then on readers take from it what it holds
(`positions.of_day`), so nothing is counted twice while the older files still lie beside it. Then the audit book gets its
row, and only then they go; a fall in between is ended by the next start. Receipts stay what they are.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sql

from geo_monitor.errors import GeoMonitorError, Refused
from geo_monitor.stages import Tell, silent
from geo_monitor.store import audit, files, positions, unfinished
from geo_monitor.store.database import milliseconds
from geo_monitor.store.positions import Part, Told
from geo_monitor.store.schema import SQL

if TYPE_CHECKING:
    from geo_monitor.store import Store

log = logging.getLogger("geo_monitor")
ROWS = 2_000_000  # rows held in memory at once: a larger day is written by units
VALUES = tuple(name for name in positions.TABLE.names if name != "receipt_id")


@dataclass
class Compacted:
    """What came of it: days rewritten, files and bytes of these before and after, fixes in them; days left as they were
    because a file of them cannot be read or was altered (`verify` tells which)."""

    days: int = 0
    fixes: int = 0
    files_before: int = 0
    files_after: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    unreadable: list[str] = field(default_factory=list)


def compact(
    store: Store,
    now: datetime,
    who: str = "local",
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    least: int = 2,
    most: int | None = None,
    wait: bool = True,
    tell: Tell = silent,
) -> Compacted:
    """Compacts the Shanghai days over at `now` (in [start, end), if told) that lie in at least `least` files, the oldest
    first; `most`: so many days only. Imports wait while one day is written, readers never do. With `wait` off it ends
    where somebody else writes.

    Raises as `Store.writing`; `GeoMonitorError("compact_differs")` where a new file is not what was read (nothing of the
    day is changed then).
    """
    folder = store.root / "positions"
    first = None if start is None else positions.day_of(milliseconds(start) + positions.DAY_MS - 1)
    last = positions.day_of(milliseconds(now) if end is None else min(milliseconds(now), milliseconds(end))) - 1
    names = [day.name.removeprefix("day=") for day in positions.days(folder)]
    due = [
        folder / f"day={name}"
        for name in names
        if (first is None or name >= str(np.datetime64(first, "D"))) and name <= str(np.datetime64(last, "D"))
    ]
    due = [day for day in due if len(positions.listed(day)) >= least]
    done = Compacted()
    for number, day in enumerate(due):
        tell("compact", number / len(due))
        name = day.name.removeprefix("day=")
        with store.writing(unfinished.Work("compact", name), wait) as free:
            if not free:
                break
            _day(store, day, now, who, done)
        if done.days == most:
            break
    tell("compact", 1.0)
    return done


def _day(store: Store, day: Path, now: datetime, who: str, done: Compacted) -> None:
    """Compacts a day, within `store.writing`."""
    committed = {receipt_id for (receipt_id,) in store.rows(sql.select(SQL["receipts"].c.receipt_id))}
    try:
        parts = positions.of_day(day, committed)
        for path in {day / name for name in positions.listed(day)} - {part.path for part in parts}:
            if path.stem in committed or path.name.startswith(positions.COMPACT):  # another stands in its place
                with suppress(PermissionError):
                    files.remove(path)
        if len(parts) < 2:
            return
        told, units = read(parts)
    except (pa.ArrowException, OSError, ValueError, Refused) as error:
        done.unreadable.append(day.name.removeprefix("day="))
        log.warning("%s stays as it is: %s", day, error)
        return
    said = json.dumps({name: asdict(one) for name, one in sorted(told.items())}, separators=(",", ":"))
    target = day / f"{positions.COMPACT}{hashlib.sha256(said.encode()).hexdigest()[:16]}.parquet"
    unfinished.begin(store.root, unfinished.Work("compact", day.name.removeprefix("day="), target.stem))
    rows = sum(one.rows for one in told.values())
    before = [part.path for part in parts]
    sizes = [path.stat().st_size for path in before]
    with files.replacing(target) as temporary:
        _write(temporary, parts, units, said)
        found = prints_of(temporary)
        if found.names != sorted(told) or any(found.of(name) != one.sha256 for name, one in told.items()):
            raise GeoMonitorError("compact_differs", day=day.name.removeprefix("day="))
    with store.transaction() as connection:
        detail = {"file": target.name, "files": len(before), "receipts": len(told), "fixes": rows}
        audit.append(connection, now, who, "compact", day.name.removeprefix("day="), **detail)
    for path in {*before} - {target}:  # after a fall it may be one of them
        with suppress(PermissionError):  # Windows keeps a file that somebody reads; the next time it goes
            files.remove(path)
    files.sync(day)
    done.days, done.fixes = done.days + 1, done.fixes + rows
    done.files_before, done.files_after = done.files_before + len(before), done.files_after + 1
    done.bytes_before, done.bytes_after = done.bytes_before + sum(sizes), done.bytes_after + target.stat().st_size


def read(parts: Sequence[Part]) -> tuple[dict[str, Told], Counter[str]]:
    """What there is to say of every receipt in the parts, and rows by unit. Raises `ValueError` where the rows in a file of
    many receipts are not those that were put there."""
    import pyarrow.compute as pc

    prints, units = Prints(), Counter[str]()
    for part in parts:
        for table in positions.batches(part.path, part.receipts if part.mixed else None):
            prints.add(table)
            counted = pc.value_counts(table["unit_id"].cast(pa.string())).to_pylist()
            units.update({one["values"]: one["counts"] for one in counted})
    held = {name: one for _, name, one in positions.said(parts)}
    changed = [name for name, one in held.items() if one.sha256 not in (None, prints.of(name))]
    if changed:
        raise ValueError(f"not the rows that were put there: {', '.join(changed[:3])}")
    return {name: replace(one, sha256=prints.of(name)) for name, one in held.items()}, units


def _write(path: Path, parts: Sequence[Part], units: Counter[str], said: str) -> None:
    """Writes the rows of parts, some units at a time, in row groups of `positions.ROW_GROUP`."""
    import pyarrow.parquet as pq

    schema = positions.stored_schema({positions.TOLD: said.encode()})
    with pq.ParquetWriter(path, schema, compression="zstd", use_dictionary=list(positions.WORDS)) as out:
        left = schema.empty_table()
        groups = list(_together(units))
        for some in groups:
            rows = positions.read(parts, positions.TABLE.names, units=some if len(groups) > 1 else None)
            left = pa.concat_tables([left, positions.with_points(rows).cast(schema)])
            whole = len(left) // positions.ROW_GROUP * positions.ROW_GROUP
            if whole:
                out.write_table(left.slice(0, whole), row_group_size=positions.ROW_GROUP)
            left = left.slice(whole)
        if len(left):
            out.write_table(left)


def _together(units: Counter[str]) -> Iterator[list[str]]:
    """Units in the order of the files, so many that they have about `ROWS` rows."""
    some, rows = list[str](), 0
    for name in sorted(units, key=str.encode):
        if some and rows + units[name] > ROWS:
            yield some
            some, rows = [], 0
        some.append(name)
        rows += units[name]
    yield some


def prints_of(path: Path) -> Prints:
    """The hashes of the rows of every receipt in a file. Raises as `positions.batches`."""
    prints = Prints()
    for table in positions.batches(path):
        prints.add(table)
    return prints


class Prints:
    """SHA-256 of the rows of receipts, each in their order, whatever files and row groups they lie in: of the hashes of the
    columns of `VALUES`, numbers as a byte for null and 8 bytes, words each ended by a line feed (null: a zero byte)."""

    def __init__(self) -> None:
        self._of: dict[str, list[Any]] = {}

    @property
    def names(self) -> list[str]:
        """The receipts of which there were rows."""
        return sorted(self._of)

    def add(self, table: pa.Table) -> None:
        """Takes in rows of table `positions`, words encoded."""
        if not len(table):
            return
        receipt = table["receipt_id"].combine_chunks()
        codes = np.asarray(receipt.indices if isinstance(receipt, pa.DictionaryArray) else receipt.chunk(0).indices)
        order = np.argsort(codes, kind="stable")
        table, codes = table.take(pa.array(order)).combine_chunks(), codes[order]
        edges = [0, *(np.flatnonzero(np.diff(codes)) + 1).tolist(), len(codes)]
        for start, stop in pairwise(edges):
            part = table.slice(start, stop - start)
            own = self._of.setdefault(part["receipt_id"][0].as_py(), [hashlib.sha256() for _ in VALUES])
            for name, digest in zip(VALUES, own, strict=True):
                digest.update(_bytes(part[name]))

    def of(self, receipt: str) -> str:
        """The hash of a receipt's rows, hexadecimal."""
        own = self._of.get(receipt) or [hashlib.sha256() for _ in VALUES]
        return hashlib.sha256(b"".join(digest.digest() for digest in own)).hexdigest()


def _bytes(column: pa.ChunkedArray) -> bytes:
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        words = pa.concat_arrays(column.cast(pa.string()).chunks).fill_null("\0")
        line = pc.binary_join(pa.ListArray.from_arrays([0, len(words)], words), "\n")
        return bytes(line[0].as_buffer()) + b"\n"
    made = np.empty(len(column), dtype=[("held", "?"), ("value", "<f8" if column.type == pa.float64() else "<i8")])
    made["held"] = column.is_valid().to_numpy()
    plain = column if column.type == pa.float64() else column.cast(pa.int64())
    made["value"] = plain.fill_null(0).to_numpy()
    return made.tobytes()
