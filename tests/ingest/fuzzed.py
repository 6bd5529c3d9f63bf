"""What every upload must keep to, however it was mangled; seeds and manglings for tests and for `checks/fuzz.py`."""

from __future__ import annotations

import random
import shutil
import struct
import zipfile
from dataclasses import replace
from pathlib import Path

from geo_monitor import ingest
from geo_monitor.errors import Usage
from geo_monitor.settings import Settings
from tests.ingest.made import NOW, counts

CORPUS = Path(__file__).with_name("corpus")
# small limits: a mangled header may claim anything
SETTINGS = replace(Settings(), archive_mb=20.0, raster_pixels=1e6, upload_memory_mb=200, upload_seconds=10.0)
PARTS = {  # formats of several parts, each mangled by itself: endings of a shapefile, members of an archive
    ".shapefile": (".shp", ".shx", ".dbf", ".prj", ".cpg"),
    ".xlsx": (),
    ".zip": (),
}
TOKENS = [b"", b"\x00", b"\xff" * 8, b"NaN", b"Infinity", b"-1", b"1e308", b"-1e308", b"99999999999999999999", b'"', b"'", b"\n",
          b"\r", b",", b"\t", b"[", b"]", b"{", b"}", b"<", b"&amp;", b"\\ud800", "，".encode(), "长江".encode("gb18030"),
          "二〇二六年".encode(), "°′″".encode(), b"2026-02-30", b"0000-00-00", b"9999-12-31", b"24:00:00", b"1970-01-01", b"null",
          b"true", b"EPSG:999999", b"POLYGON EMPTY", b"=1+1", struct.pack("<i", -1), struct.pack("<i", 1 << 30),
          struct.pack(">i", -1), struct.pack("<d", float("nan")), struct.pack("<d", 1e300)]  # fmt: skip


def holds(kind: str, path: Path) -> str:
    """Reads `path` as a `kind`: gives the status, or "usage". Anything else than an upload or a told error is raised."""
    try:
        upload = ingest.read(kind, path, ingest.Options(), ingest.Nothing(), SETTINGS, NOW)
    except Usage:
        return "usage"
    counts(upload)
    for lang in ("zh", "en"):
        upload.receipt.to_json(lang)  # type: ignore[arg-type]
    assert (upload.receipt.status == "rejected") == (upload.rows is None and upload.receipt.status != "duplicate")
    return upload.receipt.status


def seeds() -> list[Path]:
    """Files and folders of the corpus, named `<kind>.<what>.<ending>`."""
    return sorted(CORPUS.iterdir())


def kind_of(seed: Path) -> str:
    return seed.name.split(".")[0]


def pieces(seed: Path) -> list[tuple[str, bytes]]:
    """The parts of a seed that can be mangled one by one: name, content."""
    if seed.is_dir():
        return [(part.name, part.read_bytes()) for part in sorted(seed.iterdir())]
    if seed.suffix in PARTS:
        with zipfile.ZipFile(seed) as archive:
            return [(name, archive.read(name)) for name in archive.namelist()]
    return [(seed.name, seed.read_bytes())]


def put_together(seed: Path, parts: list[tuple[str, bytes]], folder: Path) -> Path:
    """The upload made of `parts`, like `seed`, in `folder` (emptied before)."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    if seed.is_dir():
        for name, content in parts:
            (folder / name).write_bytes(content)
        return folder
    path = folder / f"a{seed.suffix}"
    if seed.suffix in PARTS:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
            for name, content in parts:
                archive.writestr(name, content)
        return path
    path.write_bytes(parts[0][1])
    return path


def mangled(content: bytes, chance: random.Random) -> bytes:
    """`content` after one to four small changes: bytes flipped, taken out, doubled, moved, or replaced by a token."""
    data = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        size = min(chance.choice((1, 1, 2, 4, 8, 32, 200)), len(data) - at)
        match chance.randrange(6):
            case 0:
                data[at : at + size] = chance.randbytes(size)
            case 1:
                del data[at : at + size]
            case 2:
                data[at:at] = data[at : at + size] * chance.randint(1, 5)
            case 3:
                data[at:at] = chance.choice(TOKENS)
            case 4:
                token = chance.choice(TOKENS)
                data[at : at + max(len(token), 1)] = token
            case 5 if len(data):
                other = chance.randrange(len(data))
                data[at : at + size] = data[other : other + size]
    return bytes(data)


def mangle(seed: Path, number: int, folder: Path) -> Path:
    """The upload number `number` made from `seed`: the same every time."""
    chance = random.Random(f"{seed.name}-{number}")
    if seed.suffix in (".zip", ".xlsx") and number % 2:  # the archive itself, not what it holds
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path = folder / f"a{seed.suffix}"
        path.write_bytes(mangled(seed.read_bytes(), chance))
        return path
    parts = pieces(seed)
    which = chance.randrange(len(parts))
    parts[which] = (parts[which][0], mangled(parts[which][1], chance))
    return put_together(seed, parts, folder)
