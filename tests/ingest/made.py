"""Agency files written by hand for the tests: bytes and text by the formats' own rules, no writer of ours."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geo_monitor import ingest
from geo_monitor.settings import Settings

NOW = datetime(2026, 6, 1, tzinfo=UTC)
Ring = Sequence[tuple[float, float]]


def box(west: float, south: float, east: float, north: float) -> list[tuple[float, float]]:
    """A ring of corners, clockwise as shapefiles want it."""
    return [(west, south), (west, north), (east, north), (east, south), (west, south)]


def give(kind: str, path: Path, held: Any = None, **options: Any) -> ingest.Upload:
    return ingest.read(kind, path, ingest.Options(**options), held or ingest.Nothing(), Settings(), NOW)


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode(encoding))
    return path


def codes(upload: ingest.Upload | ingest.Receipt, form: str = "notes") -> set[str]:
    receipt = getattr(upload, "receipt", upload)
    return {message.code for message in getattr(receipt, form)}


def counts(upload: ingest.Upload | ingest.Receipt) -> tuple[int, int, int, int, int]:
    """read, accepted, quarantined, unchanged, corrected"""
    rows = getattr(upload, "receipt", upload).rows
    found = tuple(rows[name] for name in ("read", "accepted", "quarantined", "unchanged", "corrected"))
    assert found[0] == sum(found[1:]), found
    return found  # type: ignore[return-value]


def shapefile(
    folder: Path,
    stem: str,
    shapes: Sequence[Sequence[Ring]],
    table: dict[str, Sequence[str]],
    kind: int = 5,
    encoding: str = "gb18030",
    prj: str | None = "EPSG:4490",
    cpg: str | None = None,
) -> Path:
    """ESRI shapefile (white paper of 1998) with a dBASE III table. kind: 1 point, 3 line, 5 polygon. Gives the .shp."""
    from pyproj import CRS

    folder.mkdir(parents=True, exist_ok=True)
    points = [xy for parts in shapes for ring in parts for xy in ring]
    bounds = (*map(min, zip(*points, strict=True)), *map(max, zip(*points, strict=True)))
    records = []
    for parts in shapes:
        flat = [xy for ring in parts for xy in ring]
        if kind == 1:
            records.append(struct.pack("<i2d", 1, *flat[0]))
            continue
        limits = (*map(min, zip(*flat, strict=True)), *map(max, zip(*flat, strict=True)))
        starts = [sum(len(ring) for ring in parts[:i]) for i in range(len(parts))]
        head = struct.pack(f"<i4d2i{len(parts)}i", kind, *limits, len(parts), len(flat), *starts)
        records.append(head + b"".join(struct.pack("<2d", *xy) for xy in flat))
    body, index, place = b"", b"", 50
    for number, record in enumerate(records, start=1):
        body += struct.pack(">2i", number, len(record) // 2) + record
        index += struct.pack(">2i", place, len(record) // 2)
        place += 4 + len(record) // 2
    for ending, content in ((".shp", body), (".shx", index)):
        head = struct.pack(">7i", 9994, 0, 0, 0, 0, 0, 50 + len(content) // 2)
        head += struct.pack("<2i8d", 1000, kind, *bounds, 0, 0, 0, 0)
        (folder / f"{stem}{ending}").write_bytes(head + content)
    width = 80
    rows = list(zip(*table.values(), strict=True))
    dbf = struct.pack("<4BIHH20x", 3, 125, 1, 1, len(rows), 33 + 32 * len(table), 1 + width * len(table))
    for name in table:
        dbf += name.encode(encoding)[:10].ljust(11, b"\0") + b"C" + bytes(4) + bytes([width, 0]) + bytes(14)
    dbf += b"\r"
    for row in rows:
        dbf += b" " + b"".join(cell.encode(encoding).ljust(width) for cell in row)
    (folder / f"{stem}.dbf").write_bytes(dbf + b"\x1a")
    if prj:
        (folder / f"{stem}.prj").write_text(CRS.from_user_input(prj).to_wkt("WKT1_ESRI"))
    if cpg:
        (folder / f"{stem}.cpg").write_text(cpg)
    return folder / f"{stem}.shp"


def workbook(path: Path, rows: Sequence[Sequence[Any]]) -> Path:
    import openpyxl

    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(list(row))
    book.save(path)
    return path
