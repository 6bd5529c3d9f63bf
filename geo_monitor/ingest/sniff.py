"""What a file is, by its bytes. Its name is believed only between formats that look alike (CSV or NMEA text)."""

from __future__ import annotations

import re
import struct
import zipfile
from pathlib import Path

from geo_monitor.errors import Refused

HEAD = 65_536
_REFUSED = (
    (b"\x89PNG", "PNG image"), (b"\xff\xd8\xff", "JPEG image"), (b"GIF8", "GIF image"), (b"%PDF", "PDF"),
    (b"Rar!", "RAR archive"), (b"7z\xbc\xaf", "7z archive"), (b"\x1f\x8b", "gzip archive"),
    (b"\xd0\xcf\x11\xe0", "old Office file (.xls, .doc)"), (b"MZ", "program"), (b"\x7fELF", "program"), (b"BM", "BMP image"),
)  # fmt: skip


def kind(path: Path) -> str:
    """shp, gpkg, fgb, parquet, tif, zip, xlsx, gpx, kml, geojson, nmea or delimited.

    Raises `Refused`: `file_empty`, `file_wrong_content` (a picture, a program ...), `file_virtual` (a GDAL VRT and the
    like, which make a reader fetch other files), `file_is_page` (HTML).
    """
    if path.stat().st_size == 0:
        raise Refused("file_empty", file=path.name)
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head[:4] == b"\x00\x00\x27\x0a":
        return "shp"
    if head.startswith(b"SQLite format 3\x00"):
        return "gpkg"
    if head.startswith(b"fgb\x03"):
        return "fgb"
    if head.startswith(b"PAR1"):
        return "parquet"
    if head[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return "tif"
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _zip(path)
    for magic, name in _REFUSED:
        if head.startswith(magic) and not (magic in (b"MZ", b"BM") and head[2:40].isascii() and b"," in head):
            raise Refused("file_wrong_content", file=path.name, found=name)
    return _text(head, path)


def _zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, struct.error):
        raise Refused("archive_broken", file=path.name) from None
    if "xl/workbook.xml" in names:
        return "xlsx"
    if "word/document.xml" in names or "ppt/presentation.xml" in names:
        raise Refused("file_wrong_content", file=path.name, found="Word/PowerPoint")
    return "zip"


def _text(head: bytes, path: Path) -> str:
    plain = head
    for bom, name in ((b"\xef\xbb\xbf", ""), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if head.startswith(bom):
            plain = head[3:] if not name else head[: len(head) // 2 * 2].decode(name, errors="ignore").encode()
            break
    plain = plain.lstrip()
    low = plain[:4096].lower()
    if low.startswith((b"<!doctype html", b"<html")) or (b"<html" in low[:512] and b"<?xml" not in low[:64]):
        raise Refused("file_is_page", file=path.name)
    if low.startswith((b"<ogrvrtdatasource", b"<vrtdataset", b"<gdalwms", b"<wms_")) or b"<ogrvrt" in low:
        raise Refused("file_virtual", file=path.name, found="VRT")
    if plain.startswith(b"<"):
        if re.search(rb"<(\w+:)?gpx[\s>]", plain):
            return "gpx"
        if re.search(rb"<(\w+:)?kml[\s>]", plain):
            return "kml"
        raise Refused("file_xml_unknown", file=path.name)
    if plain.startswith((b"{", b"[", b"\x1e{")) and not _nmea_lines(plain):  # logs that put times in brackets
        return "geojson"
    if re.match(rb"(\\[^\\\n]*\\)?[$!][A-Z]{2}[A-Z0-9]{2,4},", plain) or _nmea_lines(plain):
        return "nmea"
    return "delimited"


def _nmea_lines(plain: bytes) -> bool:
    """Logs that put a time or a number before each sentence."""
    lines = plain.split(b"\n")[:50]
    hits = sum(bool(re.search(rb"[$!](GP|GN|BD|GB|AI|BS)[A-Z]{3},.*\*[0-9A-Fa-f]{2}", line)) for line in lines)
    return hits > len([line for line in lines if line.strip()]) // 2
