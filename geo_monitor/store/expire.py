"""Days of positions let go, once they are older than an agency's rules allow it to keep them.

It is always every day before one day, so what is held is one stretch of time, and everybody can be told where it begins
(`Store.positions_from`). A day that was let go must never look like one on which nobody was out: whoever asks for a time
before that moment is refused (`Store.begin`), whoever asks for all there is gets it from there on, and fixes that come
late for such a day are refused, too.

The commit makes it true: with it the first day held, what was held before it (table `expired`: of each day and receipt
the fixes, first and last moment and a hash of the rows) and the row of the audit book are there, and from then on the
files of these days are nothing to anybody (`Store.orphans`). They go at once, with the bytes of uploads and the refused
rows of which no later day is held, and everything that analyses kept in `derived/`; a fall in between is ended by the
next start.
"""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import sqlalchemy as sql

from geo_monitor.errors import Refused, Usage
from geo_monitor.stages import Tell, silent
from geo_monitor.store import audit, compact, files, positions, unfinished
from geo_monitor.store.database import ACCEPTED, milliseconds
from geo_monitor.store.schema import DAYS, EXPIRED, EXPIRED_UNITS, META, SQL
from geo_monitor.times import utc

if TYPE_CHECKING:
    from geo_monitor.store import Store
    from geo_monitor.store.seen import Seen

log = logging.getLogger("geo_monitor")
FROM = "positions_from"  # in `meta`: the first day of which positions are held, once any were let go
DERIVED = "derived"
REFUSED = "day_expired"  # the code of rows of such days that come late


@dataclass
class Expired:
    """What was let go (`done`), or would be: positions before the day `held_from` (ISO, as all days here).

    days, files, fixes, bytes: of positions; first, last: the first and the last of these days. uploads, upload_bytes:
    uploads whose bytes and refused rows go, too. kept: uploads that brought such days but hold later ones as well, each
    with file, receipt_id and until: it goes when days before that one are let go.
    """

    held_from: str
    done: bool = False
    days: int = 0
    first: str | None = None
    last: str | None = None
    files: int = 0
    fixes: int = 0
    bytes: int = 0
    uploads: int = 0
    upload_bytes: int = 0
    kept: list[dict[str, str]] = field(default_factory=list)


@dataclass
class _Held:
    """What lies before a day: the rows for table `expired`, units by agency, receipts whose upload goes."""

    told: Expired
    rows: list[dict[str, Any]] = field(default_factory=list)
    units: set[tuple[str, str | None]] = field(default_factory=set)
    uploads: list[str] = field(default_factory=list)


def expire(
    store: Store,
    before: datetime,
    now: datetime,
    least: int,
    who: str = "local",
    reason: str = "",
    *,
    do: bool = False,
    tell: Tell = silent,
) -> Expired:
    """Lets go of the positions of all Shanghai days that end by `before`; without `do` it only says what would go. Where
    there are none nothing changes.

    least: days before `now` that must stay (`Settings.expire_days_least`). Imports wait meanwhile, readers do not.

    Raises `Refused`: `expire_too_young`, `expire_unreadable` where a file of positions cannot be read or was altered;
    `Usage("expire_no_reason")`; as `Store.writing`. Nothing is changed then.
    """
    day = positions.day_of(milliseconds(before))
    latest = positions.day_of(milliseconds(now)) - least
    if day > latest:
        raise Refused("expire_too_young", asked=date(day), latest=date(latest), days=least)
    day = max(day, store.positions_from or day)  # what was let go stays so
    if not do:
        return _before(store, day, hashed=False, tell=tell).told
    if not reason.strip():
        raise Usage("expire_no_reason")
    with store.writing(unfinished.Work("expire", date(day), subject(day))):
        day = max(day, store.positions_from or day)
        held = _before(store, day, hashed=True, tell=tell)
        told = held.told
        told.done = bool(held.rows or held.uploads)
        if told.done:
            with store.transaction() as connection:
                connection.execute(sql.delete(META).where(META.c.key == FROM))
                connection.execute(sql.insert(META).values(key=FROM, value=date(day)))
                connection.execute(sql.delete(DAYS).where(DAYS.c.day < day))
                _insert(connection, held)
                detail = {name: getattr(told, name) for name in ("days", "first", "last", "files", "fixes", "uploads")}
                audit.append(connection, now, who, "expire", date(day), reason=reason, **detail)
        clear(store)
    tell("expire", 1.0)
    return told


def clear(store: Store) -> None:
    """Removes what is nothing to anybody any more, and what analyses kept of it. For whoever holds the writer's lock."""
    for path in [*store.orphans(), store.root / DERIVED]:
        with suppress(PermissionError):  # Windows keeps a file that somebody reads; `verify` tells of it
            files.remove(path)
    files.sync(store.root / "positions")


def _before(store: Store, day: int, hashed: bool, tell: Tell) -> _Held:
    """What lies before a day; with `hashed` every row of it is read. Raises `Refused("expire_unreadable")`."""
    held = _Held(Expired(date(day)))
    receipts = {row.receipt_id: row for row in store.rows(sql.select(SQL["receipts"]))}
    known = store.positions_from
    folders = [
        one for one in positions.days(store.root / "positions") if known is None or positions.number(one) >= known
    ]
    gone = of_receipts(store)
    later: dict[str, int] = {}
    for at, folder in enumerate(folders):
        tell("expire", at / len(folders))
        parts = _parts(folder, receipts)
        if positions.number(folder) >= day:
            later |= {name: positions.number(folder) for part in parts for name in part.receipts}
        elif parts:
            _count(held, positions.number(folder), parts, receipts, gone, hashed)
    _uploads(store, held, receipts, gone, later, day)
    return held


def _parts(folder: Path, receipts: Collection[str]) -> list[positions.Part]:
    unreadable: dict[Path, Exception] = {}
    parts = positions.of_day(folder, receipts, unreadable)
    if unreadable:
        raise Refused("expire_unreadable", day=date(positions.number(folder)))
    return parts


def _count(
    held: _Held, day: int, parts: list[positions.Part], receipts: dict[str, Any], gone: Counter[str], hashed: bool
) -> None:
    """Adds a day to what is let go."""
    told = held.told
    try:
        said, units, sizes = positions.following(parts, _hashed if hashed else _heads)
    except (pa.ArrowException, OSError, ValueError) as error:
        log.warning("positions of %s cannot be read: %s", date(day), error)
        raise Refused("expire_unreadable", day=date(day)) from error
    for name, one in sorted(said.items()):
        row = {"fixes": one.rows, "first_at": one.first, "last_at": one.last, "sha256": one.sha256}
        held.rows.append({"day": day, "receipt_id": name, **row})
        gone[name] += one.rows
        told.fixes += one.rows
    held.units |= {(unit, receipts[name].agency) for name, unit in units}
    told.files, told.bytes = told.files + len(sizes), told.bytes + sum(sizes)
    told.days += 1
    told.first, told.last = told.first or date(day), date(day)


# what a day holds, by receipt; pairs of receipt and unit; bytes of its files
_Day = tuple[dict[str, positions.Told], set[tuple[str, str]], list[int]]


def _heads(parts: Sequence[positions.Part]) -> _Day:
    said = {name: one for _, name, one in positions.said(parts)}
    return said, set(), [part.path.stat().st_size for part in parts]


def _hashed(parts: Sequence[positions.Part]) -> _Day:
    """The same with the hash of the rows, and the units; every row is read."""
    said, _ = compact.read(parts)
    columns = ["receipt_id", "unit_id"]
    pairs = positions.read(parts, columns, encoded=True).group_by(columns).aggregate([])
    names, units = (pairs[name].cast(pa.string()).to_pylist() for name in columns)
    return said, set(zip(names, units, strict=True)), [part.path.stat().st_size for part in parts]


def _uploads(
    store: Store, held: _Held, receipts: dict[str, Any], gone: Counter[str], later: dict[str, int], day: int
) -> None:
    """Finds the uploads of which nothing is held any more. The same bytes may have been sent several times."""
    already = of_uploads(store)
    same: dict[str, list[Any]] = defaultdict(list)
    for row in receipts.values():
        same[row.sha256].append(row)
    for digest, rows in same.items():
        rows = [row for row in rows if row.receipt_id not in already]
        # of a duplicate nothing was kept, so it speaks only where nobody else does
        speak = [row for row in rows if row.status != "duplicate"] or rows
        if rows and all(_whole(row, gone, later, day) for row in speak):
            held.uploads += [row.receipt_id for row in rows]
            refused = [store.root / "quarantine" / f"{row.receipt_id}.csv" for row in rows]
            sizes = [path.stat().st_size for path in (store.raw(digest), *refused) if path.is_file()]
            held.told.uploads += bool(sizes)
            held.told.upload_bytes += sum(sizes)
        else:
            held.told.kept += [
                {"file": row.file, "receipt_id": row.receipt_id, "until": date(later[row.receipt_id] + 1)}
                for row in rows
                if gone[row.receipt_id] and row.receipt_id in later
            ]


def _whole(row: Any, gone: Counter[str], later: dict[str, int], day: int) -> bool:
    """Whether all that an upload brought lies before a day. What came before it cannot hold a later fix."""
    if row.kind != "tracks" or row.receipt_id in later:
        return False
    if positions.day_of(row.received_at) < day:
        return True
    rows = json.loads(row.receipt)["en"]["rows"]
    brought = rows.get("accepted", 0) + rows.get("corrected", 0) if row.status in ACCEPTED else 0
    return 0 < brought <= gone[row.receipt_id]  # a file that was lost may have held a later day


def _insert(connection: sql.Connection, held: _Held) -> None:
    if held.rows:
        connection.execute(sql.insert(EXPIRED), held.rows)
    no_upload(connection, held.uploads)
    known = {(row.unit_id, row.agency) for row in connection.execute(sql.select(EXPIRED_UNITS))}
    fresh = sorted(held.units - known, key=str)
    if fresh:
        connection.execute(sql.insert(EXPIRED_UNITS), [{"unit_id": unit, "agency": agency} for unit, agency in fresh])


def no_upload(connection: sql.Connection, receipts: Sequence[str]) -> None:
    """Puts down that of the uploads of these receipts neither bytes nor refused rows are kept."""
    nothing = {"day": None, "fixes": 0, "first_at": None, "last_at": None, "sha256": None}
    if receipts:
        connection.execute(sql.insert(EXPIRED), [{**nothing, "receipt_id": name} for name in receipts])


# --- what is known of it afterwards -----------------------------------------------------------------------------------


def known(connection: sql.Connection) -> int | None:
    """`Store.positions_from` as a connection sees it."""
    day = connection.scalar(sql.select(META.c.value).where(META.c.key == FROM))
    return None if day is None else int(np.datetime64(day, "D").astype(np.int64))


def since(store: Store | Seen, ms: int) -> datetime:
    """The moment `ms` (since 1970 UTC), or the first one of which positions are held where that is later."""
    return utc(max(ms, store.held_from or 0))


def of_receipts(store: Store) -> Counter[str]:
    """Fixes let go, by receipt."""
    query = sql.select(EXPIRED.c.receipt_id, sql.func.sum(EXPIRED.c.fixes)).group_by(EXPIRED.c.receipt_id)
    return Counter({name: int(count) for name, count in store.rows(query)})


def of_days(store: Store) -> list[tuple[int, str, int]]:
    """Fixes let go: day (since 1970), receipt, fixes."""
    query = sql.select(EXPIRED.c.day, EXPIRED.c.receipt_id, EXPIRED.c.fixes).where(EXPIRED.c.day.is_not(None))
    return [(day, name, fixes) for day, name, fixes in store.rows(query)]


def of_uploads(store: Store) -> set[str]:
    """Receipts whose upload was let go: its bytes and its refused rows."""
    return {name for (name,) in store.rows(sql.select(EXPIRED.c.receipt_id).where(EXPIRED.c.day.is_(None)))}


def subject(day: int) -> str:
    """By what the next start after a fall knows that it had come through."""
    return f"{FROM}={date(day)}"


def date(day: int) -> str:
    """A day since 1970 as people write it."""
    return str(np.datetime64(day, "D"))
