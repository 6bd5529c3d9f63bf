"""A workspace out of a backup. The file is not trusted: it may have been made by somebody else, or be damaged.

Everything is laid out in the folder `.tmp-restoring` of the new workspace, checked on the way, and moved into place;
the database comes last (on a server its commit, then the file `database.url`), and before it the folder is no
workspace. So a restore that is interrupted left none, and the next one begins anew.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
import shutil
import stat
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import shapely
import sqlalchemy as sql

from geo_monitor.errors import Refused
from geo_monitor.stages import Tell, silent
from geo_monitor.store import files, policies, positions, schema
from geo_monitor.store.audit import FIRST
from geo_monitor.store.backup import FORMAT, FORMAT_VERSION, LEFT_OUT, LOOSE, MANIFEST
from geo_monitor.store.database import DATABASE, URL_FILE, address, engine_of, plain, reached, schema_of, tell_where
from geo_monitor.store.embedded import FOLDERS, Store, make_space
from geo_monitor.store.schema import BATCH, META
from geo_monitor.store.shapes import Shape
from geo_monitor.store.unfinished import RESTORING

JSON = {"receipt", "summary", "detail", "roles", "adcodes", "hidden"}  # columns of the books and of accounts
TOKEN = "token"  # noqa: S105  the name of a file; its text is in the database once that is restored
RESTORED = "restored_as"  # where, in `meta`
MANIFEST_BYTES = 1 << 28
WORD = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
MEMBER = re.compile(
    rf"tables/[a-z_]+\.parquet|positions/day=\d{{4}}-\d\d-\d\d/{WORD}\.parquet|raw/[0-9a-f]{{64}}"
    rf"|quarantine/{WORD}\.csv|runs/{WORD}/[a-z_]+\.parquet"
    rf"|basemaps/[0-9a-f]{{16}}/(base\.json|image\.webp|shapes\.geojson)|settings\.toml|SIMULATED",
    re.ASCII,
)


@dataclass(frozen=True)
class Manifest:
    """What a backup says of itself."""

    schema_version: int
    workspace_id: str
    made_at: str
    audit_head: str
    rows: dict[str, int]
    members: dict[str, tuple[int, str]]  # size, SHA-256


def restore(file: Path, root: Path, url: str | None = None, tell: Tell = silent) -> Store:
    """Makes the workspace of the backup `file` in `root` (missing or empty), its records in the database `url` if one
    is given, and opens it.

    Raises `Refused`: `workspace_not_empty`, `backup_unreadable`, `backup_damaged`, `backup_newer`, `restore_busy`,
    `database_not_empty`, `disk_full`; `Usage("database_url_bad")`, `GeoMonitorError("database_unreachable")`.
    """
    where = address(root, url)
    there = {path.name for path in root.iterdir()} if root.is_dir() else set()
    begun = RESTORING in there
    strange = sorted(there - {RESTORING, ".lock"} - ({*FOLDERS, *LOOSE} if begun else set()))
    if root.is_file() or strange:
        raise Refused("workspace_not_empty", root=str(root), names=strange[:5] or root.name)
    with _opened(file) as archive:
        told = manifest(archive, file)
        files.folder(root)
        with files.room(root), files.lock(root / ".lock", wait=False) as free, reached(where, root):
            if not free:
                raise Refused("restore_busy", root=str(root))
            if not _was_finished(root, where):
                for name in (RESTORING, *FOLDERS, *LOOSE):
                    files.remove(root / name)
                try:
                    _restore(archive, told, file, root, where, tell)
                except BaseException:
                    for name in (RESTORING, *FOLDERS, *LOOSE):
                        files.remove(root / name)
                    raise
            _put_last(root, where)
    tell("restore", 1.0)
    return Store(root)


def _restore(archive: zipfile.ZipFile, told: Manifest, file: Path, root: Path, where: sql.URL, tell: Tell) -> None:
    """Everything but the last step, that makes it a workspace."""
    place = root / RESTORING
    extract(archive, told, file, place, tell)
    for day in positions.days(place / "positions"):
        for path in positions.superseded(day):
            files.remove(path)
    token = secrets.token_hex(16)
    (place / TOKEN).write_text(token, encoding="ascii")
    files.sync(place / TOKEN)
    if where.get_backend_name() == "postgresql":
        tell_where(place, where, told.workspace_id)
        target = where
    else:
        target = where.set(database=(place / DATABASE).as_posix())
    engine = engine_of(target)
    try:
        with engine.execution_options(begin="BEGIN IMMEDIATE").begin() as connection:
            fill(connection, target, told, place / "tables", file)
            connection.execute(sql.insert(META).values(key=RESTORED, value=token))
            for name in FOLDERS:
                files.folder(place / name)
                (place / name).replace(root / name)
            for name in LOOSE:
                if (place / name).exists():
                    (place / name).replace(root / name)
            files.sync(root)
    finally:
        engine.dispose()


def _put_last(root: Path, where: sql.URL) -> None:
    """From here on the folder is a workspace."""
    name = URL_FILE if where.get_backend_name() == "postgresql" else DATABASE
    files.sync(root / RESTORING / name)
    (root / RESTORING / name).replace(root / name)
    files.sync(root)
    files.remove(root / RESTORING)


def _was_finished(root: Path, where: sql.URL) -> bool:
    """Whether an earlier restore into this folder fell between the commit on the server and its very last step."""
    token = root / RESTORING / TOKEN
    if where.get_backend_name() != "postgresql":
        return False
    engine = engine_of(where)
    try:
        with engine.connect() as connection:
            if not sql.inspect(connection).has_table(META.name, schema=schema_of(where)):
                return False
            found = connection.scalar(sql.select(META.c.value).where(META.c.key == RESTORED))
            if token.is_file() and found == token.read_text(encoding="ascii"):
                return True
            raise Refused("database_not_empty", url=plain(where))
    finally:
        engine.dispose()


# --- reading the archive --------------------------------------------------------------------------------------------


def _opened(file: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise Refused("backup_unreadable", file=file.name, why=str(error)) from None


def manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    """The manifest, and nothing in the archive that it does not name, nor of another kind than a plain file.

    Raises `Refused`: `backup_unreadable`, `backup_damaged`, `backup_newer`.
    """
    infos = archive.infolist()
    names = [info.filename for info in infos]
    told = _read_manifest(archive, file)
    if len(set(names)) < len(names):
        raise Refused("backup_damaged", file=file.name, member=Counter(names).most_common(1)[0][0])
    for info in infos:
        kind = stat.S_IFMT(info.external_attr >> 16)
        if info.flag_bits & 1 or kind not in (0, stat.S_IFREG):
            raise Refused("backup_damaged", file=file.name, member=info.filename)
        if info.filename == MANIFEST:
            continue
        size, _ = told.members.get(info.filename, (-1, ""))
        if not MEMBER.fullmatch(info.filename) or info.file_size != size:
            raise Refused("backup_damaged", file=file.name, member=info.filename)
    missing = sorted(set(told.members) - set(names))
    if missing:
        raise Refused("backup_damaged", file=file.name, member=missing[0])
    return told


def _read_manifest(archive: zipfile.ZipFile, file: Path) -> Manifest:
    try:
        info = archive.getinfo(MANIFEST)
        if info.flag_bits & 1 or info.file_size > MANIFEST_BYTES:
            raise ValueError(MANIFEST)
        found = json.loads(archive.read(info))
        if found["format"] != FORMAT:
            raise ValueError(MANIFEST)
        if int(found["version"]) > FORMAT_VERSION or int(found["schema_version"]) > schema.VERSION:
            raise Refused("backup_newer", file=file.name, program=str(found["program"]))
        members = {str(name): (int(one["size"]), str(one["sha256"])) for name, one in found["members"].items()}
        rows = {str(name): int(count) for name, count in found["rows"].items()}
        version = max(1, int(found["schema_version"]))
        return Manifest(
            version, str(found["workspace_id"]), str(found["made_at"]), str(found["audit_head"]), rows, members
        )
    except (KeyError, ValueError, TypeError, AttributeError, OSError, RecursionError, NotImplementedError) as error:
        raise Refused("backup_unreadable", file=file.name, why=str(error)) from None
    except zipfile.BadZipFile as error:
        raise Refused("backup_unreadable", file=file.name, why=str(error)) from None


def extract(archive: zipfile.ZipFile, told: Manifest, file: Path, place: Path, tell: Tell = silent) -> None:
    """Lays every member out below `place`, each no longer than it says and with the hash it says.

    Raises `Refused`: `backup_damaged`, `disk_full`.
    """
    files.folder(place)
    whole = sum(size for size, _ in told.members.values())
    if whole > shutil.disk_usage(place).free:
        raise files.full(place)
    done = 0
    for name, (size, sha256) in told.members.items():
        path = place.joinpath(*name.split("/"))
        files.folder(path.parent)
        digest, length = hashlib.sha256(), 0
        try:
            with archive.open(name) as source, path.open("xb") as out:
                while block := source.read(files.BLOCK):
                    length += len(block)
                    if length > size:
                        break
                    digest.update(block)
                    out.write(block)
        except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError, FileExistsError, zlib.error) as error:
            raise Refused("backup_damaged", file=file.name, member=name) from error
        if length != size or digest.hexdigest() != sha256:
            raise Refused("backup_damaged", file=file.name, member=name)
        files.sync(path)
        done += size
        tell("restore", 0.9 * done / max(whole, 1))
    for folder in {path.parent for path in place.rglob("*")}:
        files.sync(folder)


# --- the database ---------------------------------------------------------------------------------------------------


def fill(connection: sql.Connection, where: sql.URL, told: Manifest, folder: Path, file: Path) -> None:
    """Makes the tables as they were when the backup was made, and puts its rows in. Raises `Refused("backup_damaged")`."""
    from geo_monitor.store import migrations

    on_server = connection.dialect.name == "postgresql"
    if on_server:
        make_space(connection, where)
    migrations.upgrade(connection, f"{told.schema_version:04d}")
    connection.execute(sql.delete(META))  # a step may have written into it
    tables = sql.inspect(connection).get_table_names(schema=schema_of(where) if on_server else None)
    wanted = set(tables) - {*LEFT_OUT, "alembic_version"}
    held = {path.stem for path in folder.glob("*.parquet")}
    if wanted != held:
        raise Refused("backup_damaged", file=file.name, member=f"tables/{min(wanted ^ held)}.parquet")
    for name in sorted(wanted):
        columns = set(connection.execute(sql.select(sql.text("*")).select_from(sql.table(name)).limit(0)).keys())
        try:
            count = _insert(connection, name, folder / f"{name}.parquet", columns)
        except sql.exc.OperationalError:  # a server that went away, a full disk
            raise
        except (pa.ArrowException, ValueError, shapely.GEOSException, sql.exc.DatabaseError) as error:
            raise Refused("backup_damaged", file=file.name, member=f"tables/{name}.parquet") from error
        if count != told.rows.get(name):
            raise Refused("backup_damaged", file=file.name, member=f"tables/{name}.parquet")
        if on_server and "row" in columns:
            table = connection.dialect.identifier_preparer.quote(name)
            connection.exec_driver_sql(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'row'), max(\"row\")) FROM {table} HAVING count(*) > 0"  # noqa: S608
            )
    facts = {row.key: row.value for row in connection.execute(sql.select(META))}
    if (facts.get("schema_version"), facts.get("workspace_id")) != (str(told.schema_version), told.workspace_id):
        raise Refused("backup_damaged", file=file.name, member="tables/meta.parquet")
    if told.schema_version > 1:  # the first version had no chain
        audit = schema.SQL["audit"]
        head = connection.scalar(sql.select(audit.c.hash).order_by(audit.c.row.desc()).limit(1))
        if (head or FIRST) != told.audit_head:
            raise Refused("backup_damaged", file=file.name, member="tables/audit.parquet")
    if on_server and "accounts" in wanted:
        for (account,) in connection.execute(sql.select(schema.ACCOUNTS.c.name)).all():
            policies.grant(connection, schema_of(where), account)


def _insert(connection: sql.Connection, name: str, path: Path, columns: set[str]) -> int:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as source:
        shape = source.schema_arrow
        if set(shape.names) != columns or len(shape) != len(columns):
            raise ValueError(name)
        table = sql.table(name, *(sql.column(column.name, _type(column)) for column in shape))
        count = 0
        for batch in source.iter_batches(batch_size=BATCH):
            _readable(batch)
            connection.execute(sql.insert(table), batch.to_pylist())
            count += len(batch)
    return count


def _readable(batch: pa.RecordBatch) -> None:
    """Shapes are shapes, and lists and receipts JSON: a server would ask for the first, and a reader for both."""
    for name in batch.schema.names:
        if name == "geometry":
            shapely.from_wkb(batch.column(name).to_numpy(zero_copy_only=False))
        elif name in JSON:
            for text in batch.column(name).to_pylist():
                if text is not None:
                    json.loads(text)


def _type(column: pa.Field) -> sql.types.TypeEngine[Any]:
    if column.name == "geometry":
        return Shape()
    kinds = (
        mine
        for arrow, mine in (
            (pa.binary(), sql.LargeBinary()),
            (pa.bool_(), sql.Boolean()),
            (pa.int64(), sql.BigInteger()),
            (pa.float64(), sql.Float(53)),
            (pa.string(), sql.Text()),
        )
        if arrow == column.type
    )
    found = next(kinds, None)
    if found is None:
        raise ValueError(column.name)
    return found
