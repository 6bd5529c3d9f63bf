"""`Store`: commit an upload, withdraw it, read what was in force at a moment, keep the runs.

In force at T are the rows of receipts received by T and not withdrawn by T; of a record with several versions from
one agency, the newest of these. So withdrawing a correction brings the older version back.
"""

from __future__ import annotations

import json
import logging
import secrets
import sqlite3
import threading
import weakref
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa
import sqlalchemy as sql

from geo_monitor import tables
from geo_monitor.errors import GeoMonitorError, Refused, Usage
from geo_monitor.store import audit, expire, files, persons, policies, positions, schema, unfinished
from geo_monitor.store.database import (
    ACCEPTED,
    DATABASE,
    URL_FILE,
    Moment,
    Pulse,
    address,
    alone,
    committing,
    engine_of,
    in_force,
    lock,
    milliseconds,
    plain,
    reached,
    schema_of,
    table_of,
    tell_where,
    told_id,
)
from geo_monitor.store.positions import Part
from geo_monitor.store.schema import DAYS, META, PERSONS, RECORDS, SQL, stored
from geo_monitor.store.versions import superseded
from geo_monitor.times import shanghai_date

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.ingest import Receipt, Upload
    from geo_monitor.river.mask import Mask

T = TypeVar("T")
log = logging.getLogger("geo_monitor")
FOLDERS = ("positions", "raw", "quarantine", "runs", "basemaps")
DAYS_SINCE = 6  # the version of the schema from which on table `position_days` is filled


class Store:
    """The tables of one workspace.

    `root` is its folder: positions, raw uploads, quarantine and runs. The records live in its SQLite file, or in the
    database that its file `database.url` names. `fallen`: the write that was interrupted before this opening, finished
    or undone by it, or None.

    Raises `Usage("workspace_missing")` where `root` holds no workspace, `GeoMonitorError`: `workspace_newer`,
    `database_unreachable`, `database_driver_missing`, `database_of_another`.
    """

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root)
        if not any((self.root / name).is_file() for name in (DATABASE, URL_FILE)):
            raise Usage("workspace_missing", root=str(self.root))
        self._url = address(self.root)
        self._engine = engine_of(self._url)
        weakref.finalize(self, self._engine.dispose)  # nobody has to think of `close`
        self._guard = threading.RLock()
        self._depth = 0
        self._holding = threading.local()  # the writing thread's check of its lock: others may write records meanwhile
        self._snapshot = threading.local()
        self._pulse = Pulse(self._url)
        weakref.finalize(self, self._pulse.close)
        self._answers: dict[Hashable, tuple[tuple[int, int], Any]] = {}
        with reached(self._url, self.root):
            found = self.meta("schema_version")
        if found is None:
            raise Usage("workspace_missing", root=str(self.root))
        expected = told_id(self.root)
        if expected is not None and self.workspace_id != expected:
            raise GeoMonitorError(
                "database_of_another", url=plain(self._url), found=self.workspace_id, expected=expected
            )
        if int(found) > schema.VERSION:
            raise GeoMonitorError("workspace_newer", root=str(self.root), found=found, known=schema.VERSION)
        if int(found) < schema.VERSION:
            self._upgrade()
        self.fallen = self.sweep()

    @classmethod
    def create(cls, root: Path | str, url: str | None = None, now: datetime | None = None) -> Store:
        """Makes an empty workspace in `root`, its records in the database `url` if one is given; one that is there
        already is opened as it is.

        Raises `Refused("workspace_not_empty")` where the folder holds other things, `Refused("restore_unfinished")`
        where a restore fell over in it, `Usage("database_url_bad")`,
        `GeoMonitorError`: `database_unreachable`, `postgis_missing`, `database_driver_missing`.
        """
        root = Path(root)
        held = [name for name in (DATABASE, URL_FILE) if (root / name).is_file()]
        if root.exists() and not held:
            strange = sorted(part.name for part in root.iterdir()) if root.is_dir() else [root.name]
            ours = {
                *FOLDERS,
                "settings.toml",
                ".lock",
                ".room",
                unfinished.MARK,
                unfinished.NEW,
                f"{DATABASE}-wal",
                f"{DATABASE}-shm",
            }
            strange = [name for name in strange if name not in ours and not name.startswith(files.TEMPORARY)]
            if strange:
                raise Refused("workspace_not_empty", root=str(root), names=strange[:5])
        if held == [DATABASE]:
            return cls(root)
        if not held and (root / unfinished.RESTORING).exists():
            raise Refused("restore_unfinished", root=str(root))
        where = address(root, url)
        for name in FOLDERS:
            files.folder(root / name)
        on_server = where.get_backend_name() == "postgresql"
        with files.room(root), files.lock(root / ".lock"), reached(where, root):
            # the folder knows whose records it goes with before there are any: a fall in between harms nothing
            workspace_id = told_id(root) or secrets.token_hex(8)
            if on_server and not held:
                tell_where(root, where, workspace_id)
            try:
                engine = engine_of(where)
                with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
                    _make(connection, where, now or datetime.now(UTC), workspace_id)
                engine.dispose()
                return cls(root)
            except BaseException:
                if on_server and not held:
                    files.remove(root / URL_FILE)
                raise

    def _upgrade(self) -> None:
        """Takes the steps of `migrations` that are missing; on SQLite a copy of the old records is kept first."""
        from geo_monitor.store import migrations

        with self._guard, lock(self.root, self._engine):
            found = int(str(self.meta("schema_version")))
            if found >= schema.VERSION:
                return  # another process was quicker
            if self._url.get_backend_name() == "sqlite":
                self._keep_copy(self.root / f"geo_monitor.v{found}.sqlite")
            with self.transaction() as connection:
                if not sql.inspect(connection).has_table("alembic_version"):
                    migrations.stamp(connection, f"{found:04d}")
                migrations.upgrade(connection)
                if found < DAYS_SINCE:
                    note_days(connection, self._day_files())
                mine = sql.update(META).where(META.c.key == "schema_version")
                connection.execute(mine.values(value=str(schema.VERSION)))
        log.warning("upgraded %s from %d to %d", self.root, found, schema.VERSION)

    def _day_files(self) -> Iterator[Part]:
        """What lies in the files of committed receipts. One that cannot be read is passed over: `verify` tells of it."""
        committed = {row.receipt_id for row in self._receipt_names()}
        for day in positions.days(self.root / "positions"):
            yield from positions.of_day(day, committed, {})

    def _keep_copy(self, path: Path) -> None:
        with (
            files.replacing(path) as temporary,
            closing(sqlite3.connect(self.root / DATABASE)) as old,
            closing(sqlite3.connect(temporary)) as new,
        ):
            old.backup(new)

    @property
    def engine(self) -> sql.Engine:
        """The database of the records."""
        return self._engine

    def close(self) -> None:
        """Lets go of the database file."""
        self._engine.dispose()
        self._pulse.close()

    # --- writing ----------------------------------------------------------------------------------------------------

    @contextmanager
    def writing(
        self,
        work: unfinished.Work = unfinished.Work(),  # noqa: B008  it can't change
        wait: bool = True,
    ) -> Iterator[bool]:
        """One writer at a time, over all processes; others wait. An import holds it from its first look at what is
        held to its commit, so that two uploads never judge by the same old state. Readers never wait.

        work: what it is for, told after a fall. If the block raises, what it had left is removed at once. With `wait`
        off it does not wait for another writer: it gives False then, and the block must write nothing.

        Raises `Refused("disk_full")`, `GeoMonitorError("database_unreachable")`; nothing is changed then.
        """
        with self._guard:
            self._depth += 1
            try:
                if self._depth > 1:
                    yield True
                    return
                with files.room(self.root), reached(self._url, self.root), lock(self.root, self._engine, wait) as held:
                    if held is None:
                        yield False
                        return
                    self._holding.check = held
                    with self._marked(work):
                        yield True
            finally:
                self._depth -= 1
                if not self._depth:
                    self._holding.check = None

    @contextmanager
    def alone(self, what: str) -> Iterator[Callable[[], None] | None]:
        """Being the only one to do `what` (a word) in the workspace, over all processes; gives None where somebody else
        is, else a call that raises where that was lost. Raises `GeoMonitorError("database_unreachable")`."""
        with files.room(self.root), reached(self._url, self.root), alone(self.root, self._engine, what) as held:
            yield held

    @contextmanager
    def _marked(self, work: unfinished.Work) -> Iterator[None]:
        """A mark stays where the writer was killed, so that only then the next start looks for left-overs; so does the
        next writer, whose own mark would hide it."""
        self._recovered()
        try:
            unfinished.begin(self.root, work)
            yield
        except BaseException:
            self._clear()  # if this fails too, the mark stays and the next start does it
            unfinished.end(self.root)
            raise
        unfinished.end(self.root)

    @contextmanager
    def transaction(self) -> Iterator[sql.Connection]:
        """One transaction on the records, kept if the block ends well. One at a time; each statement in it sees what
        was committed before.

        Raises `Refused`: `disk_full`, `database_busy`; `GeoMonitorError("database_unreachable")`.
        """
        options = {"begin": "BEGIN IMMEDIATE"}
        if self._engine.dialect.name == "postgresql":
            options["isolation_level"] = "READ COMMITTED"
        with reached(self._url, self.root), self._engine.execution_options(**options).begin() as connection:
            committing(connection)
            check: Callable[[], None] | None = getattr(self._holding, "check", None)
            if check is not None:
                check()
            yield connection

    def commit(self, upload: Upload, raw: Path | None, who: str = "local") -> Receipt:
        """Stores an upload: raw bytes, refused rows, rows, receipt. Gives the receipt, its quarantine path filled in.

        The database commit comes last and makes it true: before it every reader sees nothing of the upload, after it
        all. A refused or duplicate upload leaves its receipt only (a refused one its bytes too, unless all of it is of days
        that were let go).
        """
        receipt = upload.receipt
        kind = table_of(receipt.kind)
        work = unfinished.Work("import", receipt.file, receipt.receipt_id)
        with self.writing(work):
            unfinished.begin(self.root, work)
            expired = receipt.status == "rejected" and set(receipt.counts()["errors"]) == {expire.REFUSED}
            if receipt.status != "duplicate" and not expired:
                if raw is not None:
                    self.keep_raw(raw, receipt.sha256)
                refused: Iterable[pd.DataFrame] = () if upload.quarantine is None else (upload.quarantine,)
                if upload.fixes is not None:
                    refused = (batch.to_pandas() for batch in upload.fixes.refused)
                receipt = replace(receipt, quarantine=self.keep_quarantine(refused, receipt.receipt_id))
            rows = upload.rows if receipt.status in ACCEPTED else None
            written: list[Path] = []
            folder, name = self.root / "positions", receipt.receipt_id
            if upload.fixes is not None and receipt.status in ACCEPTED:
                written = positions.write_spooled(folder, upload.fixes, name)
            elif rows is not None and kind == "positions":
                written = positions.write(folder, rows.assign(receipt_id=name), name)
            with self.transaction() as connection:
                schema.insert(connection, "receipts", receipt_row(receipt))
                note_days(connection, [Part(path, (name,)) for path in written])
                if rows is not None and kind != "positions":
                    rows = rows.assign(receipt_id=receipt.receipt_id)
                    for name, value in (("agency", receipt.agency), ("version", 1)):
                        if name not in rows:
                            rows = rows.assign(**{name: value})
                    schema.insert(connection, kind, rows)
                if rows is not None and upload.persons is not None:
                    people = persons.sealed(self, upload.persons).assign(receipt_id=receipt.receipt_id)
                    connection.execute(
                        sql.insert(PERSONS),
                        [{str(key): value for key, value in row.items()} for row in people.to_dict("records")],
                    )
                if expired:
                    expire.no_upload(connection, [receipt.receipt_id])
                audit.append(connection, receipt.received_at, who, "import", receipt.receipt_id, status=receipt.status)
        return receipt

    def keep_raw(self, raw: Path, digest: str) -> None:
        """Keeps the bytes of an upload under their SHA-256. Raises `Refused("upload_changed")`."""
        target = self.raw(digest)
        if target.exists():
            return
        with files.replacing(target) as temporary:
            with raw.open("rb") as source, temporary.open("wb") as out:
                while block := source.read(files.BLOCK):
                    out.write(block)
            found = files.sha256(temporary)
            if found != digest:
                raise Refused("upload_changed", file=raw.name)

    def keep_quarantine(self, frames: Iterable[pd.DataFrame], receipt_id: str) -> str | None:
        """Keeps the refused rows of an upload as CSV; gives the path, None where there are none. The frames have the same
        columns."""
        from geo_monitor.cells import safe

        target, some = self.root / "quarantine" / f"{receipt_id}.csv", (frame for frame in frames if len(frame))
        first = next(some, None)
        if first is None:
            return None
        with files.replacing(target) as temporary, temporary.open("w", encoding="utf-8-sig", newline="") as out:
            for number, frame in enumerate(chain((first,), some)):
                frame.map(safe).to_csv(out, index=False, header=not number, lineterminator="\r\n")
        return str(target)

    def withdraw(self, receipt_id: str, reason: str, now: datetime, who: str = "local") -> pd.DataFrame:
        """Takes an upload out of force from `now` on; its rows stay readable. Gives its row of `receipts`.

        Raises `Usage("receipt_unknown")`, `Refused("receipt_withdrawn")` if that was done before,
        `Refused("receipt_holds_nothing")` for one that was refused or a duplicate, `Usage("reason_missing")`.
        """
        if not reason.strip():
            raise Usage("reason_missing")
        receipts = SQL["receipts"]
        with self.writing(), self.transaction() as connection:
            found = connection.execute(sql.select(receipts).where(receipts.c.receipt_id == receipt_id)).one_or_none()
            if found is None:
                raise Usage("receipt_unknown", receipt_id=receipt_id)
            if found.status not in ACCEPTED:
                raise Refused("receipt_holds_nothing", receipt_id=receipt_id, status=found.status)
            if found.withdrawn_at is not None:
                raise Refused("receipt_withdrawn", receipt_id=receipt_id, reason=found.withdrawn_reason)
            connection.execute(
                sql.update(receipts)
                .where(receipts.c.receipt_id == receipt_id)
                .values(withdrawn_at=milliseconds(now), withdrawn_reason=reason)
            )
            audit.append(connection, now, who, "withdraw", receipt_id, reason=reason)
        return self.book("receipts", SQL["receipts"].c.receipt_id == receipt_id)

    def write_run(
        self, run: Mapping[str, Any], results: Mapping[str, pd.DataFrame | pa.Table], who: str = "local"
    ) -> None:
        """Keeps the tables of a run (`run`: a row of table `runs`), then its row. Older runs stay."""
        import pandas as pd

        from geo_monitor import geoparquet

        folder = self.root / "runs" / str(run["run_id"])
        with self.writing(unfinished.Work("analyse", str(run["run_id"]), str(run["run_id"]))):
            with files.replacing(folder) as temporary:
                temporary.mkdir()

                def keep(name: str) -> None:
                    path = temporary / f"{name}.parquet"
                    geoparquet.write(tables.table(name).to_arrow(results[name]), path)
                    files.sync(path)

                with ThreadPoolExecutor(2) as pool:  # most of it is packing, and waiting for the disk
                    list(pool.map(keep, results))
            with self.transaction() as connection:
                schema.insert(connection, "runs", pd.DataFrame([dict(run)]))
                audit.append(connection, run["made_at"], who, "analyse", str(run["run_id"]))

    def set_meta(self, key: str, value: str) -> None:
        """Keeps a fact about the workspace (such as `simulated`)."""
        with self.writing(), self.transaction() as connection:
            connection.execute(sql.delete(META).where(META.c.key == key))
            connection.execute(sql.insert(META).values(key=key, value=value))

    def sweep(self) -> unfinished.Fallen | None:
        """Finishes what an interrupted writer was at: if its row is in the database it had come through, else what it
        left is removed. Writes that into the audit book and gives it.

        Gives None, and does nothing, while somebody is writing, or where the last writer came to its end.
        """
        if unfinished.found(self.root) is None:
            return None
        with self._guard, reached(self._url, self.root), lock(self.root, self._engine, wait=False) as held:
            return None if held is None else self._recovered()

    def _recovered(self) -> unfinished.Fallen | None:
        """`sweep`, for whoever holds the lock."""
        work = unfinished.found(self.root)
        if work is None:
            return None
        subjects = {row.receipt_id for row in self._receipt_names()} | self._run_names()
        subjects |= {path.stem for path in self.root.glob(f"positions/day=*/{positions.COMPACT}*.parquet")}
        if self.positions_from is not None:
            subjects.add(expire.subject(self.positions_from))
        if work.action == "expire":
            files.remove(self.root / expire.DERIVED)
        fallen = unfinished.Fallen(work, work.subject in subjects, tuple(self._clear()))
        told = {"work": work.action, "name": work.name, "done": fallen.done, "left": len(fallen.left)}
        with self.transaction() as connection:
            audit.append(connection, datetime.now(UTC), "geo-monitor", "recover", work.subject or None, **told)
        unfinished.end(self.root)
        log.info("recovered %s %s: %s", work.action, work.name, "finished" if fallen.done else "undone")
        return fallen

    def _clear(self) -> list[str]:
        left = self.orphans()
        for path in left:
            log.info("sweep %s", path)
            files.remove(path)
        return [path.relative_to(self.root).as_posix() for path in left]

    def orphans(self) -> list[Path]:
        """Files of interrupted imports and runs, and of what was let go: nothing reads them."""
        receipts = {row.receipt_id: row.sha256 for row in self._receipt_names()}
        runs, first = self._run_names(), self.positions_from
        gone = expire.of_uploads(self)
        hashes = {digest for name, digest in receipts.items() if name not in gone}
        left = [path for name in FOLDERS for path in (self.root / name).rglob(f"{files.TEMPORARY}*")]
        left += [path for path in self.root.glob("positions/day=*/*.parquet") if _of_nobody(path, receipts)]
        days = positions.days(self.root / "positions")
        left += [day for day in days if first is not None and positions.number(day) < first]
        left += [path for day in days for path in positions.superseded(day)]
        left += [path for path in self.root.glob("quarantine/*.csv") if path.stem not in receipts or path.stem in gone]
        left += [path for path in self.root.glob("raw/*") if path.name not in hashes]
        left += [path for path in self.root.glob("runs/*") if path.name not in runs]
        left += self.root.glob(unfinished.RESTORING)
        return sorted({path for path in left if not any(parent in left for parent in path.parents)})

    # --- reading ----------------------------------------------------------------------------------------------------

    def meta(self, key: str) -> str | None:
        """A fact about the workspace, or None."""
        with self.reading() as connection:
            if not sql.inspect(connection).has_table("meta"):
                return None
            return connection.scalar(sql.select(META.c.value).where(META.c.key == key))

    def receipts_in_force(
        self, as_of: Moment = None, kinds: Sequence[str] | None = None, agencies: Collection[str] | None = None
    ) -> list[str]:
        """Receipts in force at `as_of` (None: now), oldest first; of some agencies only, if told."""
        receipts = SQL["receipts"]
        query = sql.select(receipts.c.receipt_id).where(in_force(as_of)).order_by(receipts.c.row)
        if kinds is not None:
            query = query.where(receipts.c.kind.in_(list(kinds)))
        if agencies is not None:
            query = query.where(receipts.c.agency.in_(sorted(agencies)))
        return [receipt_id for (receipt_id,) in self.rows(query)]

    def mark(self, tracks: bool = True) -> str:
        """Changes whenever an upload is taken in or withdrawn, an analysis ends, or days are let go: cheap to ask again and
        again. Without `tracks`, uploads of fixes do not count: they change no table of records."""
        receipts, runs = SQL["receipts"], SQL["runs"]
        counted = sql.true() if tracks else receipts.c.kind != "tracks"
        query = sql.select(
            sql.select(sql.func.max(receipts.c.row)).where(counted).scalar_subquery(),
            sql.select(sql.func.count(receipts.c.withdrawn_at)).where(counted).scalar_subquery(),
            sql.select(sql.func.max(runs.c.row)).scalar_subquery(),
            sql.select(META.c.value).where(META.c.key == expire.FROM).scalar_subquery(),
        )
        ((uploads, withdrawn, analyses, first),) = self.once(("mark", tracks), lambda: self.rows(query))
        return f"{uploads or 0}-{withdrawn}-{analyses or 0}" + (f"-{first}" if first else "")

    def records(self, table: str, as_of: Moment = None, all_versions: bool = False) -> pd.DataFrame:
        """Records in force at `as_of` (None: now), with agency, version and receipt_id, in the order they came.

        Of each record (per agency) the newest version; with `all_versions` every version of receipts in force. Of zones
        a version stays beside its successor for the time the successor does not cover.
        """
        name = table_of(table)
        if name not in RECORDS:
            raise Usage("unknown_table", table=table, tables=sorted(RECORDS))
        of = SQL[name]
        columns = [of.c[column] for column in stored(name).names]
        held = sql.select(SQL["receipts"].c.receipt_id).where(in_force(as_of))
        query = sql.select(*columns, of.c.row).where(of.c.receipt_id.in_(held))
        if not all_versions and name != "zones":
            place = sql.func.row_number().over(
                partition_by=[of.c.agency, of.c[RECORDS[name]]], order_by=[of.c.version.desc(), of.c.row.desc()]
            )
            ranked = query.add_columns(place.label("newest")).subquery()
            query = sql.select(*[ranked.c[column] for column in stored(name).names], ranked.c.row)
            query = query.where(ranked.c.newest == 1).order_by(ranked.c.row)
        else:
            query = query.order_by(of.c.row)
        frame = schema.frame(name, [tuple(row)[:-1] for row in self.rows(query)])
        if name == "zones" and not all_versions:
            frame = frame[~superseded(frame)].reset_index(drop=True)
        return frame

    def history(self, table: str) -> pd.DataFrame:
        """Every row of a table of records ever stored, with received_at, withdrawn_at and withdrawn_reason."""
        name = table_of(table)
        if name not in RECORDS:
            raise Usage("unknown_table", table=table, tables=sorted(RECORDS))
        of, receipts = SQL[name], SQL["receipts"]
        beside = [column for column in tables.TABLES["receipts"].columns if column.name in HISTORY]
        shape = replace(stored(name), columns=(*stored(name).columns, *beside))
        query = (
            sql.select(*[of.c[column] for column in stored(name).names], *[receipts.c[c.name] for c in beside])
            .join_from(of, receipts, of.c.receipt_id == receipts.c.receipt_id)
            .order_by(of.c.row)
        )
        return schema.frame(name, [tuple(row) for row in self.rows(query)], shape)

    def positions(
        self,
        as_of: Moment = None,
        start: Moment = None,
        end: Moment = None,
        columns: Sequence[str] | None = None,
        units: Sequence[str] | None = None,
        encoded: bool = False,
        agencies: Collection[str] | None = None,
        receipts: Collection[str] | None = None,
        sealed: bool = False,
        box: positions.Box | None = None,
    ) -> pa.Table:
        """Fixes in force at `as_of`, start <= time < end, sorted by unit_id and time; see `store.positions.read`.

        receipts: of these uploads only. Of now (`as_of` None) with those of live feeds that have no receipt yet (theirs
        reads `live`), unless only those `sealed` are asked for. Raises as `begin` and `keeping_up`.
        """
        from geo_monitor.store import live

        names = tables.TABLES["positions"].names
        with self.keeping_up():
            with self.reading():  # a fix is sealed or not, never both
                start_ms, end_ms = self.begin(start, end), None if end is None else milliseconds(end)
                parts = self.position_parts(as_of, start, end, agencies, receipts)
                fresh = None
                if as_of is None and not sealed and (receipts is None or live.RECEIPT in receipts):
                    fresh, _ = live.read(self, live.condition(start_ms, end_ms, units, agencies))
            return positions.read(parts, columns or names, start_ms, end_ms, units, encoded, fresh, box)

    def position_parts(
        self,
        as_of: Moment = None,
        start: Moment = None,
        end: Moment = None,
        agencies: Collection[str] | None = None,
        receipts: Collection[str] | None = None,
    ) -> list[Part]:
        """Where the fixes in force at `as_of` lie that may be in [start, end), oldest day first; of these uploads only,
        if told. Raises as `begin`, and `Refused`: `expired_meanwhile`, `positions_unreadable` where a file is gone."""
        first, start_ms = self.positions_from, self.begin(start, end)
        end_ms = None if end is None else milliseconds(end)
        held = self.receipts_in_force(as_of, ["tracks"], agencies)
        if receipts is not None:
            held = [name for name in held if name in receipts]
        found = positions.parts(self.root / "positions", held, start_ms, end_ms)
        with reached(self._url, self.root), self._engine.connect() as now:  # what is read may be of an older moment
            if expire.known(now) != first:
                raise Refused("expired_meanwhile")  # files may have gone before they were listed
        gone = self._days(start_ms, end_ms, held) - {(part.day, name) for part in found for name in part.receipts}
        if gone:  # a day without its file would look like one on which nobody was out
            raise positions.not_readable([positions.file_of(self.root / "positions", *one) for one in sorted(gone)])
        return found

    def _days(self, start_ms: int | None, end_ms: int | None, receipts: Iterable[str]) -> set[tuple[int, str]]:
        """Day and receipt of all fixes that `receipts` brought in days of [start_ms, end_ms)."""
        query = sql.select(DAYS.c.day, DAYS.c.receipt_id)
        if start_ms is not None:
            query = query.where(DAYS.c.day >= positions.day_of(start_ms))
        if end_ms is not None:
            query = query.where(DAYS.c.day <= positions.day_of(end_ms - 1))
        wanted = set(receipts)
        return {(day, name) for day, name in self.rows(query) if name in wanted}

    @property
    def positions_from(self) -> int | None:
        """The first Shanghai day (since 1970) of which positions are held, once those of days before it were let go."""

        def ask() -> int | None:
            with self.reading() as connection:
                return expire.known(connection)

        return self.once(expire.FROM, ask)

    @property
    def held_from(self) -> int | None:
        """The begin of that day, ms UTC."""
        day = self.positions_from
        return None if day is None else day * positions.DAY_MS - positions.SHANGHAI_MS

    def begin(self, start: Moment = None, end: Moment = None) -> int | None:
        """Where positions of [start, end) begin, ms UTC: at `start`, else where those held do.

        Raises `Refused("positions_expired")` for a time of which positions were let go: it is not one without any.
        """
        first, begin = self.held_from, None if start is None else milliseconds(start)
        if first is None or (begin is not None and begin >= first):
            return begin
        if begin is not None or (end is not None and milliseconds(end) <= first):
            raise Refused("positions_expired", first=shanghai_date(first))
        return first

    @contextmanager
    def keeping_up(self) -> Iterator[None]:
        """Around what reads files of positions. Raises `Refused("expired_meanwhile")` where they were let go meanwhile."""
        first = self.positions_from
        try:
            yield
        except FileNotFoundError as error:
            if self.positions_from == first:
                raise
            raise Refused("expired_meanwhile") from error

    def newest(self, receipts: Collection[str]) -> int | None:
        """The time of the latest fix of these uploads, ms UTC; None without any."""
        return positions.newest(self.root / "positions", receipts)

    def live(self, after: int = 0, agencies: Collection[str] | None = None) -> tuple[pa.Table, Any]:
        """Fixes of live feeds that have no receipt yet, of row numbers beyond `after`, and those numbers (n,)."""
        from geo_monitor.store import live

        return live.read(self, live.condition(None, None, None, agencies, after))

    def book(self, name: str, where: Any = None) -> pd.DataFrame:
        """The tables `receipts`, `runs` or `audit`, oldest first."""
        of = SQL[name]
        query = sql.select(*[of.c[column] for column in stored(name).names]).order_by(of.c.row)
        rows = self.rows(query if where is None else query.where(where))
        return schema.frame(name, [tuple(row) for row in rows])

    def run_id(self, run_id: str | None = None) -> str:
        """The run asked for, or the latest. Raises `Usage("run_unknown")`, `Usage("no_run")`."""
        runs = SQL["runs"]
        if run_id is None:
            for (latest,) in self.rows(sql.select(runs.c.run_id).order_by(runs.c.row.desc()).limit(1)):
                return str(latest)
            raise Usage("no_run")
        if not self.rows(sql.select(runs.c.run_id).where(runs.c.run_id == run_id)):
            raise Usage("run_unknown", run_id=run_id)
        return run_id

    def result(self, table: str, run_id: str | None = None) -> pd.DataFrame:
        """A result table of a run (None: the latest). Raises `Usage("no_such_result")` where that run has none."""
        import pyarrow.parquet as pq

        shape = tables.table(table)
        run = self.run_id(run_id)
        path = self.root / "runs" / run / f"{table}.parquet"
        if not path.exists():
            raise Usage("no_such_result", table=table, run_id=run)
        return shape.from_arrow(pq.read_table(path))

    def raw(self, digest: str) -> Path:
        """Where the bytes of an upload lie."""
        return self.root / "raw" / digest

    def masks(self, as_of: Moment = None) -> list[Mask]:
        """The water masks in force at `as_of`."""
        from geo_monitor.river.mask import Mask

        held = self.records("raster", as_of)
        receipts = SQL["receipts"]
        of = receipts.c.receipt_id.in_(held["receipt_id"].tolist())
        told = {} if held.empty else dict(self.rows(sql.select(receipts.c.receipt_id, receipts.c.receipt).where(of)))
        found = []
        for digest, name, outline, by in held[["raster_id", "name", "geometry", "receipt_id"]].itertuples(index=False):
            crs = json.loads(told[by])["en"]["crs"]
            found.append(Mask(self.raw(digest), name, outline, crs["used"] if crs["how"] == "given" else None))
        return found

    def persons(self) -> pd.DataFrame:
        """The people in reports in force, as pseudonyms; of each report those of its newest version."""
        persons = SQL["persons"]
        held = sql.select(SQL["receipts"].c.receipt_id).where(in_force(None))
        newest = sql.func.rank().over(
            partition_by=[persons.c.agency, persons.c.report_id], order_by=persons.c.version.desc()
        )
        names = tables.table("persons").names
        ranked = sql.select(*(persons.c[n] for n in names), persons.c.row, newest.label("newest")).where(
            persons.c.receipt_id.in_(held)
        )
        told = ranked.subquery()
        query = sql.select(*(told.c[n] for n in names)).where(told.c.newest == 1).order_by(told.c.row)
        return schema.frame("persons", [tuple(row) for row in self.rows(query)])

    @property
    def workspace_id(self) -> str:
        """What tells this workspace from every other, wherever its folder is moved."""
        return str(self.meta("workspace_id"))

    def account_changed(self, name: str) -> None:
        """On a server the account's database role is made, and may read."""
        if self._engine.dialect.name == "postgresql":
            with self.transaction() as connection:
                if not policies.grant(connection, schema_of(self._url), name):
                    log.warning("no database role for %s: the login of this program may not make roles", name)

    def _receipt_names(self) -> Iterable[Any]:
        receipts = SQL["receipts"]
        return self.rows(sql.select(receipts.c.receipt_id, receipts.c.sha256))

    def _run_names(self) -> set[str]:
        return {run for (run,) in self.rows(sql.select(SQL["runs"].c.run_id))}

    def rows(self, query: Any) -> list[Any]:
        """The rows of an SQLAlchemy query."""
        with self.reading() as connection:
            return list(connection.execute(query))

    def once(self, question: Hashable, ask: Callable[[], T]) -> T:
        """What `ask` answers to a question about the records (no file, no clock), asked again only after somebody, in
        whatever process, committed something. For the few things that every session wants to know every few seconds."""
        if getattr(self._snapshot, "connection", None) is not None:
            return ask()  # an old moment, perhaps
        beat = self._pulse.beat()
        if beat is None:
            return ask()
        held = self._answers.get(question)
        if held is None or held[0] != beat:
            # the answer may know of a commit after the beat: then it is asked once more than needed, never less
            held = self._answers[question] = (beat, ask())
        answer: T = held[1]
        return answer

    @contextmanager
    def reading(self) -> Iterator[sql.Connection]:
        """What is read inside, by this thread, is of one moment, whatever others commit meanwhile. Raises as
        `transaction`."""
        connection = getattr(self._snapshot, "connection", None)
        if connection is not None:
            yield connection
            return
        with reached(self._url, self.root), self._engine.connect() as connection:
            self._snapshot.connection = connection
            try:
                yield connection
            finally:
                self._snapshot.connection = None


def _make(connection: sql.Connection, where: sql.URL, now: datetime, workspace_id: str) -> None:
    """The tables of an empty workspace, and what it says of itself. Raises `GeoMonitorError("postgis_missing")`."""
    from geo_monitor.store import migrations

    if connection.dialect.name == "postgresql":
        make_space(connection, where)
    if sql.inspect(connection).has_table(META.name):
        return
    schema.metadata.create_all(connection)
    for statement in policies.statements(connection.dialect.name):
        connection.exec_driver_sql(statement)
    values = {"schema_version": str(schema.VERSION), "made_at": now.isoformat(), "workspace_id": workspace_id}
    connection.execute(sql.insert(META), [{"key": key, "value": value} for key, value in values.items()])
    migrations.stamp(connection)


def make_space(connection: sql.Connection, where: sql.URL) -> None:
    """The schema of a workspace on a server, with PostGIS at hand. Raises `GeoMonitorError("postgis_missing")`."""
    space = connection.dialect.identifier_preparer.quote(schema_of(where))
    connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {space}")
    if connection.scalar(sql.text("SELECT 1 FROM pg_extension WHERE extname = 'postgis'")) is None:
        try:
            connection.exec_driver_sql("CREATE EXTENSION postgis SCHEMA public")
        except sql.exc.DBAPIError:
            raise GeoMonitorError("postgis_missing", database=where.database) from None


def note_days(connection: sql.Connection, parts: Iterable[Part]) -> None:
    """Puts down of which days receipts brought fixes."""
    rows = {(part.day, name) for part in parts for name in part.receipts}
    if rows:
        connection.execute(sql.insert(DAYS), [{"day": day, "receipt_id": name} for day, name in sorted(rows)])


HISTORY = ("received_at", "withdrawn_at", "withdrawn_reason")


def _of_nobody(path: Path, receipts: Collection[str]) -> bool:
    """Whether a file of fixes has no committed receipt. A file of many receipts only ever took committed ones."""
    return path.stem not in receipts and not path.name.startswith(positions.COMPACT)


def receipt_row(receipt: Receipt) -> pd.DataFrame:
    """The row of table `receipts` of a receipt."""
    import pandas as pd

    kept = receipt  # in the book a workspace that was moved still finds its files
    if receipt.quarantine is not None:
        kept = replace(receipt, quarantine=f"quarantine/{receipt.receipt_id}.csv")
    told = {**{lang: kept.to_json(lang) for lang in ("zh", "en")}, "counts": receipt.counts()}
    row = {name: getattr(receipt, name) for name in ("receipt_id", "kind", "file", "sha256", "agency", "status")}
    row["received_at"] = pd.Timestamp(milliseconds(receipt.received_at), unit="ms", tz="UTC")
    return pd.DataFrame([{**row, "receipt": json.dumps(told, ensure_ascii=False)}])
