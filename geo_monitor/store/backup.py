"""One portable file of a whole workspace, the same for SQLite and a server; `restore` makes a workspace of it again.

The file is a zip:

| member | what |
|---|---|
| `manifest.json` | format, schema_version, workspace_id, made_at, rows of each table, size and SHA-256 of every other member |
| `tables/<table>.parquet` | every table of the database as it is stored, shapes as WKB; sessions are left out |
| `positions/…`, `raw/…`, `quarantine/…`, `runs/…` | the files that a receipt or run in those tables stands behind |
| `basemaps/…` | base maps of the agency's own, as they are shown |
| `settings.toml`, `SIMULATED` | where the workspace has them |

Tables are read at one moment, and what a receipt brought never changes: so nobody has to stop for it. Where a day is
compacted meanwhile, files of it may be in it beside the one that stands in their place, and that one may hold rows of
receipts that came later, which are nothing to anybody. The key of people's names is not in it, and must be kept
elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import pyarrow as pa
import sqlalchemy as sql

from geo_monitor.errors import Refused, Usage
from geo_monitor.stages import Tell, silent
from geo_monitor.store import expire, files, persons, positions
from geo_monitor.store.audit import FIRST
from geo_monitor.store.positions import Part
from geo_monitor.store.schema import BATCH, PERSONS, SQL, metadata

if TYPE_CHECKING:
    from geo_monitor.store import Store

FORMAT = "geo_monitor backup"
FORMAT_VERSION = 1
MANIFEST = "manifest.json"
LEFT_OUT = ("sessions",)  # who was signed in then is not signed in after a restore
LOOSE = ("settings.toml", "SIMULATED")


@dataclass
class Backup:
    """What a backup holds: rows of each table, members by name with size and sha256, the newest hash of its audit book,
    and what should have been in it but was not in the workspace or was not what it had been (`damaged`). `key_file`:
    where the key of people's names lies, which is not in it (None: no names are held)."""

    rows: dict[str, int] = field(default_factory=dict)
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    damaged: list[str] = field(default_factory=list)
    audit_head: str = FIRST
    key_file: Path | None = None


class _Hashed:
    """A file to write to that keeps count."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self._digest = hashlib.sha256()
        self.size = 0
        self.closed = False

    def write(self, data: Any) -> int:
        data = memoryview(data).cast("B")
        self._digest.update(data)
        self._out.write(data)
        self.size += len(data)
        return len(data)

    def tell(self) -> int:
        return self.size

    def flush(self) -> None: ...

    def close(self) -> None:
        self.closed = True

    def writable(self) -> bool:
        return True

    def readable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def told(self) -> dict[str, Any]:
        return {"size": self.size, "sha256": self._digest.hexdigest()}


def write(store: Store, target: Path, now: datetime, tell: Tell = silent) -> Backup:
    """Writes everything in the workspace to `target`, readable by its owner only; one that is there is replaced.

    Raises `Usage("backup_inside")` for a file within the workspace, `Refused`: `disk_full`, `expired_meanwhile`.
    """
    from geo_monitor import __version__

    target = target.absolute()
    if target.resolve().is_relative_to(store.root.resolve()):
        raise Usage("backup_inside", file=str(target), root=str(store.root))
    made = Backup()
    with files.replacing(target) as temporary:
        temporary.touch(mode=0o600)
        with zipfile.ZipFile(temporary, "w") as archive, store.reading() as connection:
            for table in metadata.sorted_tables:
                if table.name not in LEFT_OUT:
                    _table(archive, made, connection, table)
            _files(archive, made, store, tell)
            made.audit_head = _head(connection)
            if made.rows[PERSONS.name]:
                made.key_file = persons.key_file(store)
            manifest = {
                "format": FORMAT,
                "version": FORMAT_VERSION,
                "program": __version__,
                "schema_version": int(str(store.meta("schema_version"))),
                "workspace_id": store.workspace_id,
                "made_at": now.isoformat(),
                "audit_head": made.audit_head,
                "rows": made.rows,
                "members": made.members,
            }
            archive.writestr(_info(MANIFEST), json.dumps(manifest, ensure_ascii=False, indent=1))
            first = store.positions_from
        if store.positions_from != first:  # files of these days may be missing
            raise Refused("expired_meanwhile")
    tell("backup", 1.0)
    return made


def _head(connection: sql.Connection) -> str:
    """The newest hash of the audit book."""
    book = SQL["audit"]
    return connection.scalar(sql.select(book.c.hash).order_by(book.c.row.desc()).limit(1)) or FIRST


def arrow_of(column: sql.Column[Any]) -> pa.DataType:
    """The type of a column in a backup: that of its bytes, the same whatever database it came from."""
    kinds = (
        (sql.LargeBinary, pa.binary()),
        (sql.Boolean, pa.bool_()),
        (sql.Integer, pa.int64()),
        (sql.Float, pa.float64()),
        (sql.Text, pa.string()),
    )
    return next(arrow for kind, arrow in kinds if isinstance(column.type, kind))


def _table(archive: zipfile.ZipFile, made: Backup, connection: sql.Connection, table: sql.Table) -> None:
    import pyarrow.parquet as pq

    shape = pa.schema([pa.field(column.name, arrow_of(column)) for column in table.columns])
    query = sql.select(table).order_by(*table.primary_key.columns).execution_options(yield_per=BATCH)
    with _member(archive, made, f"tables/{table.name}.parquet") as out, pq.ParquetWriter(out, shape) as writer:
        rows = 0
        for part in connection.execute(query).partitions():
            columns = zip(*part, strict=True)
            arrays = [pa.array(values, kind.type) for values, kind in zip(columns, shape, strict=True)]
            writer.write_table(pa.Table.from_arrays(arrays, schema=shape))
            rows += len(part)
    made.rows[table.name] = rows


def _files(archive: zipfile.ZipFile, made: Backup, store: Store, tell: Tell) -> None:
    """The files that receipts and runs stand behind, as the snapshot of `store` knows them."""
    book = SQL["receipts"]
    receipts = store.rows(sql.select(book.c.receipt_id, book.c.sha256, book.c.status))
    committed = {row.receipt_id for row in receipts}
    runs = {run for (run,) in store.rows(sql.select(SQL["runs"].c.run_id))}
    expired, first = expire.of_uploads(store), store.positions_from
    raw = sorted({row.sha256 for row in receipts if row.status != "duplicate" and row.receipt_id not in expired})
    fixes: dict[Path, Part] = {}
    for day in positions.days(store.root / "positions"):
        if first is not None and positions.number(day) < first:
            continue
        unreadable: dict[Path, Exception] = {}
        fixes |= {part.path: part for part in positions.of_day(day, committed, unreadable)}
        fixes |= {path: Part(path, ()) for path in unreadable}
    wanted = list(fixes)
    wanted += [path for path in sorted(store.root.glob("quarantine/*.csv")) if path.stem in committed - expired]
    wanted += [path for path in sorted(store.root.glob("runs/*/*.parquet")) if path.parent.name in runs]
    wanted += [store.raw(digest) for digest in raw]
    wanted += sorted(store.root.glob("basemaps/[0-9a-f]*/*.*"))
    wanted += [store.root / name for name in LOOSE if (store.root / name).is_file()]
    for number, path in enumerate(wanted):  # it grows where a day is compacted meanwhile
        tell("backup", number / len(wanted))
        name = path.relative_to(store.root).as_posix()
        try:
            source = path.open("rb")
        except FileNotFoundError:
            gone = fixes.get(path, Part(path, ()))
            now = positions.of_day(path.parent, gone.receipts, {}) if gone.receipts else []
            wanted += [part.path for part in now if part.path not in fixes]
            fixes |= {part.path: part for part in now}
            if not now or sum(len(part.receipts) for part in now) < len(gone.receipts):
                made.damaged.append(name)
            continue
        with source, _member(archive, made, name) as out:
            while block := source.read(files.BLOCK):
                out.write(block)
        if path.parent.name == "raw" and made.members[name]["sha256"] != path.name:
            made.damaged.append(name)


@contextmanager
def _member(archive: zipfile.ZipFile, made: Backup, name: str) -> Iterator[Any]:
    with archive.open(_info(name), "w", force_zip64=True) as inner:
        out = _Hashed(inner)
        yield out
    made.members[name] = out.told()


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_STORED if name.endswith(".parquet") else zipfile.ZIP_DEFLATED
    info.external_attr = 0o600 << 16
    return info
