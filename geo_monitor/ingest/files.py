"""From a file, a zip or a folder to raw rows: what is in it, which parts belong together, which reader takes each."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

from geo_monitor.errors import Refused
from geo_monitor.ingest import archives, numbers, sniff
from geo_monitor.ingest.archives import Budget, Member
from geo_monitor.ingest.columns import counted, match, normal
from geo_monitor.ingest.fields import VAGUE
from geo_monitor.ingest.raw import Parts, Raw, Sliced, together, without_controls
from geo_monitor.ingest.receipt import Message, Options
from geo_monitor.settings import Settings

SHAPEFILE = (".shp", ".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".fix", ".atx", ".ain", ".aih")
DATA = (".shp", ".gpkg", ".fgb", ".parquet", ".geoparquet", ".gpx", ".kml", ".geojson", ".json", ".csv", ".tsv", ".xlsx",
        ".nmea", ".tif", ".tiff")  # fmt: skip

WAL = "-wal"  # behind the name of an SQLite file: what was written last, until the program that wrote it closes


@contextmanager
def opened(path: Path, settings: Settings) -> Iterator[tuple[list[Member], Budget]]:
    """The files of an upload, zips unpacked; they are gone when the block ends."""
    budget = Budget(settings)
    with TemporaryDirectory(prefix="geo-monitor-") as scratch:
        yield _members(path, Path(scratch), budget), budget


def _members(path: Path, scratch: Path, budget: Budget) -> list[Member]:
    if path.is_dir():
        files = sorted(part for part in path.rglob("*") if part.is_file() and not part.is_symlink())
        if not files:
            raise Refused("archive_empty", file=path.name)
        return [Member(part, part.relative_to(path).as_posix()) for part in files]
    if sniff.kind(path) == "zip":
        return archives.unpack(path, scratch, budget)
    return [Member(path, path.name)]


def rasters(members: list[Member]) -> list[Member]:
    """The GeoTIFFs among the files of an upload; beside them may lie what programs leave there (overviews, statistics, pictures).
    Raises as `sniff.kind` for a file that came alone."""
    if len(members) == 1:
        return members if sniff.kind(members[0].path) == "tif" else []
    found = []
    for member in members:
        with suppress(Refused):
            if member.ending not in (".ovr", ".msk") and sniff.kind(member.path) == "tif":
                found.append(member)
    return found


@contextmanager
def geotiff(path: Path, settings: Settings) -> Iterator[Path]:
    """The one GeoTIFF of an upload that is kept as it was sent: the file itself, or what an archive holds, for as long as the
    block lasts. Raises as `opened`, and `Refused("raster_one")`."""
    with opened(path, settings) as (members, _):
        found = rasters(members)
        if len(found) != 1:
            raise Refused("raster_one", file=path.name, found=len(found))
        yield found[0].path


def parts(members: list[Member], budget: Budget, kind: str, options: Options, settings: Settings, file: str) -> Parts:
    """As `read`, part by part: a CSV or Parquet file that came alone is never whole in memory."""
    from geo_monitor.ingest.readers import columnar, delimited

    if len(members) == 1 and members[0].ending not in SHAPEFILE:
        (member,) = members
        name, found = PurePosixPath(member.name).name, sniff.kind(member.path)
        if found in ("delimited", "parquet"):
            if found == "parquet":
                made = columnar.parts(member.path, name)
            else:
                made = delimited.parts(member.path, kind, options.encoding, settings, name)
            _tell_names(made.head, budget)
            return made
    return Sliced(read(members, budget, kind, options, settings, file))


def _tell_names(raw: Raw, budget: Budget) -> None:
    if budget.names_recoded:
        raw.notes.append(Message("names_recoded", {"names": budget.names_recoded[:5]}))


def read(members: list[Member], budget: Budget, kind: str, options: Options, settings: Settings, file: str) -> Raw:
    """All data sets of an upload as one. Raises `Refused`: `nothing_usable`, and whatever the only reader raises."""
    shapes: dict[str, dict[str, Path]] = {}
    others: list[Member] = []
    left: list[str] = []
    logs = {member.name.removesuffix(WAL): member.path for member in members if member.name.endswith(WAL)}
    members = [member for member in members if not (member.name.endswith(WAL) or member.name.endswith("-shm"))]
    alone = len(members) == 1
    for member in members:
        if member.ending in SHAPEFILE or member.name.lower().endswith(".shp.xml"):
            shapes.setdefault(member.stem.lower(), {})[member.ending] = member.path
        elif alone or member.ending in DATA:
            others.append(member)
        else:
            left.append(member.name)
    raws: list[Raw] = []
    failed: list[tuple[str, Refused]] = []
    with TemporaryDirectory(prefix="geo-monitor-") as scratch:
        for number, (stem, parts) in enumerate(sorted(shapes.items())):
            if ".shp" not in parts and set(parts) != {".dbf"}:
                left.append(stem)
                continue
            place = Path(scratch) / str(number)
            place.mkdir()
            label = file if len(shapes) == 1 else PurePosixPath(stem).name
            try:
                raws.append(_shapefile(parts, options, settings, label, place))
            except Refused as error:
                failed.append((label, error))
        for number, member in enumerate(others):
            place = Path(scratch) / f"other-{number}"
            place.mkdir()
            try:
                raws.append(_one(member, kind, options, settings, place, logs.get(member.name)))
            except Refused as error:
                failed.append((member.name, error))
    if not raws:
        if failed:
            raise failed[0][1]
        raise Refused("nothing_usable", file=file, files=left[:20])
    for part in raws:
        part.cells, held = without_controls(part.cells)
        if held:
            part.warn("control_characters", part.row[held].tolist(), count=len(held))
    if kind == "tracks" and len(raws) > 1:
        raws = [_with_unit(part, options) for part in raws]
    raw = together(raws)
    if len(raws) > 1:
        layers = [part.name for part in raws[:50]]
        if kind == "tracks":  # a folder of tracks is how they come
            raw.notes.append(Message("several_layers", {"layers": layers}))
        else:
            raw.warn("several_layers", None, layers=layers)
    for name, reason in failed:
        raw.warn("member_skipped", None, member=name, why={"code": reason.code, "params": reason.params})
    if left:
        raw.notes.append(Message("members_left", {"members": left[:20]}))
    _tell_names(raw, budget)
    return raw


def _with_unit(raw: Raw, options: Options) -> Raw:
    """Of several track files one that names no unit is named after itself, not after the folder they came in."""
    import pyarrow as pa

    stem = PurePosixPath(raw.name).stem
    if raw.fields is not None:
        named = "unit_id" in raw.fields
        raw.fields.setdefault("unit_id", "unit_id")
    else:
        found = match("tracks", [str(label) for label in raw.cells.column_names], options.columns)
        named, header = "unit_id" in found or "mmsi" in found, found.header("unit_id") or ""
        if normal(header) in VAGUE and "mmsi" not in found and "unit_id" not in options.columns:
            named = not counted(numbers.texts(raw.cells[header]).tolist())
    if not named:
        cells = pa.array([stem] * len(raw.cells), pa.string())
        at = raw.cells.schema.get_field_index("unit_id")
        raw.cells = raw.cells.append_column("unit_id", cells) if at < 0 else raw.cells.set_column(at, "unit_id", cells)
        raw.notes.append(Message("unit_from_file", {"unit": stem}))
    return raw


def _shapefile(parts: dict[str, Path], options: Options, settings: Settings, label: str, place: Path) -> Raw:
    from geo_monitor.ingest.readers import shapefile

    if ".shp" not in parts:
        raise Refused("shp_missing", file=label)
    kind = sniff.kind(parts[".shp"])
    if kind != "shp":
        raise Refused("file_wrong_content", file=label, found=kind)
    return shapefile.read(parts, options.encoding, settings, label, place)


def _one(member: Member, kind: str, options: Options, settings: Settings, place: Path, log: Path | None = None) -> Raw:
    from geo_monitor.ingest.readers import columnar, database, delimited, geojson, nmea, workbook, xml

    name = PurePosixPath(member.name).name
    found = sniff.kind(member.path)
    if found == "gpkg":
        return database.read(member.path, settings, name, log, place)
    if found == "fgb":
        return columnar.flatgeobuf(member.path, name, place)
    if found == "parquet":
        return columnar.parquet(member.path, name)
    if found == "xlsx":
        return workbook.read(member.path, kind, settings, name)
    if found == "gpx":
        return xml.gpx(member.path, options.encoding, settings, name)
    if found == "kml":
        return xml.kml(member.path, kind, options.encoding, settings, name)
    if found == "geojson":
        return geojson.read(member.path, options.encoding, settings, name)
    if found == "nmea":
        return nmea.read(member.path, name)
    if found == "delimited":
        return delimited.read(member.path, kind, options.encoding, settings, name)
    if found == "shp":
        copy = place / "part.shp"
        shutil.copyfile(member.path, copy)
        return _shapefile({".shp": copy}, options, settings, name, place)
    raise Refused("file_wrong_content", file=name, found=found)
