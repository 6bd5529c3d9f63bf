"""Files that appear whole or not at all, their hashes, and the lock that keeps two writers apart."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from geo_monitor.errors import GeoMonitorError, Refused

TEMPORARY = ".tmp-"  # every name that begins so may be swept
BLOCK = 1 << 20
FULL = (errno.ENOSPC, errno.EDQUOT)  # the disk, or what one user may fill of it


def sha256(path: Path) -> str:
    """SHA-256 of a file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path`; what was written there takes the place of `path` in one step.

    The bytes are on the disk before the name is. If the block raises, `path` is as it was.

    Raises `Refused("disk_full")`, `OSError` for a device, pipe or socket: in its place would stand a file.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "no file", str(path))
    # the whole name stays at the end: writers choose their format by it
    temporary = path.with_name(f"{TEMPORARY}{os.getpid()}-{os.urandom(4).hex()}-{path.name}")
    with room(path.parent):
        folder(path.parent)
        try:
            yield temporary
            sync(temporary)
            temporary.replace(path)
            sync(path.parent)
        finally:
            remove(temporary)


def folder(path: Path) -> None:
    """Makes a folder, with those above it; its name is on the disk before anything in it is."""
    if path.is_dir():
        return
    folder(path.parent)
    path.mkdir(exist_ok=True)
    sync(path.parent)


@contextmanager
def room(place: Path) -> Iterator[None]:
    """Tells of a full disk as of a full disk. Raises `Refused("disk_full")`."""
    try:
        yield
    except OSError as error:
        if error.errno not in FULL:
            raise
        raise full(place) from error


@contextmanager
def filling(place: Path, need: float) -> Iterator[None]:
    """Around a library that writes to the folder `place` and does not say why it failed: where fewer than `need` bytes
    were free when it began, the disk was full. Raises `Refused("disk_full")`."""
    free = shutil.disk_usage(place).free
    try:
        yield
    except GeoMonitorError:
        raise
    except Exception as error:
        if free >= need:
            raise
        raise full(place) from error


def full(place: Path, told: str | None = None) -> Refused:
    """The error of a full disk: the one that holds `place`, told as `told`."""
    there = next(path for path in (place, *place.absolute().parents) if path.exists())
    return Refused("disk_full", place=told or str(place), free=f"{shutil.disk_usage(there).free / 1e6:,.1f}")


def sync(path: Path) -> None:
    """Puts a file's bytes, or a folder's list of names, on the disk."""
    if path.is_dir() and os.name == "nt":
        return  # Windows writes folder entries through, and can't open a folder
    handle = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(path: Path) -> None:
    """Removes a file or folder; one that is not there is fine."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def members(path: Path) -> list[Path]:
    """The files that make up an upload: of a folder all, of a loose shapefile its parts, else the file itself."""
    if path.is_dir():
        return sorted(part for part in path.rglob("*") if part.is_file())
    if path.suffix.lower() == ".shp":
        return sorted(part for part in path.parent.iterdir() if part.is_file() and _stem(part) == path.stem.lower())
    return [path]


def _stem(part: Path) -> str:
    name = part.name.lower()
    return name.removesuffix(".xml").rsplit(".", 1)[0]


def zip_of(path: Path, target: Path, compress: bool = True) -> Path:
    """`target`: a zip of an upload's `members`, the same bytes for the same content whatever the clock says."""
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    base = path if path.is_dir() else path.parent
    with zipfile.ZipFile(target, "w", method) as archive:
        for part in members(path):
            info = zipfile.ZipInfo(part.relative_to(base).as_posix(), date_time=(1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            info.external_attr = 0o644 << 16
            with archive.open(info, "w", force_zip64=True) as out, part.open("rb") as source:
                shutil.copyfileobj(source, out, BLOCK)
    return target


@contextmanager
def lock(path: Path, wait: bool = True) -> Iterator[bool]:
    """Holds the lock file `path` against other processes and threads; gives False where `wait` is off and it is taken.

    The lock belongs to the open file, so it ends with a killed process.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        taken = _take(file.fileno(), wait)
        try:
            yield taken
        finally:
            if taken:
                _release(file.fileno())


def _take(handle: int, wait: bool) -> bool:
    if os.name == "nt":
        import msvcrt
        import time

        while True:
            with suppress(OSError):
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
                return True
            if not wait:
                return False
            time.sleep(0.1)
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _release(handle: int) -> None:
    if os.name == "nt":
        import msvcrt

        os.lseek(handle, 0, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_UNLCK, 1)  # type: ignore[attr-defined, unused-ignore]
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_UN)
