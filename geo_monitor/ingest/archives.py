"""Zip archives: unpacked under safe names into a temporary folder, within limits on number, size, ratio and depth.

Members keep their own names (GBK names of Windows decoded) only as labels; on disk they lie in folders of their own
numbering, so that no name can lead anywhere.
"""

from __future__ import annotations

import errno
import lzma
import stat
import struct
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from geo_monitor.errors import Refused
from geo_monitor.ingest.text import score
from geo_monitor.settings import Settings

BLOCK = 1 << 20
FREE = 50 * BLOCK  # tables padded with blanks pack 500 fold: what unfolds to less is no bomb, however well it packs
BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, EOFError, OSError, NotImplementedError, RuntimeError,
          ValueError)  # fmt: skip
IGNORED = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini")


@dataclass(frozen=True)
class Member:
    """A file of an upload: where it lies, and the name it had (with its folders)."""

    path: Path
    name: str

    @property
    def stem(self) -> str:
        """The name without its last ending: what the parts of a shapefile share."""
        name = self.name[: -len(".xml")] if self.name.lower().endswith(".xml") else self.name
        return name.rsplit(".", 1)[0] if "." in PurePosixPath(name).name else name

    @property
    def ending(self) -> str:
        return PurePosixPath(self.name).suffix.lower()


@dataclass
class Budget:
    """What unpacking may still use, over all archives of an upload; `packed`: bytes it was sent in."""

    settings: Settings
    members: int = 0
    size: int = 0
    packed: int = 0
    names_recoded: list[str] = field(default_factory=list)

    def take(self, size: int) -> None:
        self.size += size
        self.allow(self.size)

    def allow(self, size: int) -> None:
        """Raises `Refused` (`archive_too_large`, `archive_bomb_whole`) where the whole upload may not unfold to `size`."""
        if size > self.settings.archive_mb * 1e6:
            raise Refused("archive_too_large", limit=f"{self.settings.archive_mb:g}")
        if self.abnormal(size, self.packed):
            raise Refused("archive_bomb_whole", size=f"{size / 1e6:,.0f}", packed=f"{self.packed / 1e6:,.2f}")

    def abnormal(self, size: int, packed: int) -> bool:
        return size > FREE and size > self.settings.archive_ratio * max(packed, 1)


def unpack(path: Path, into: Path, budget: Budget, depth: int = 1) -> list[Member]:
    """The files in a zip, unpacked below `into`.

    Raises `Refused`: `archive_broken`, `archive_empty`, `archive_encrypted`, `archive_link`, `archive_path_outside`,
    `archive_too_many`, `archive_too_large`, `archive_bomb`, `archive_bomb_whole`, `archive_too_deep`.
    """
    settings = budget.settings
    if depth == 1:
        budget.packed += path.stat().st_size
    if depth > settings.archive_depth:
        raise Refused("archive_too_deep", limit=settings.archive_depth)
    found: list[Member] = []
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            names = _names(infos, budget)
            for info, name in zip(infos, names, strict=True):
                _check(info, name, budget)
            budget.allow(budget.size + sum(info.file_size for info in infos))
            for number, (info, name) in enumerate(zip(infos, names, strict=True)):
                if PurePosixPath(name).name in IGNORED or name.startswith("__MACOSX/"):
                    continue
                target = into / f"{depth}-{number}"
                target.mkdir(parents=True)
                safe = "part" + "".join(c for c in PurePosixPath(name).suffix.lower() if c.isalnum() or c == ".")[:12]
                _write(archive, info, target / safe, budget)
                if zipfile.is_zipfile(target / safe) and not _is_workbook(target / safe):
                    found += unpack(target / safe, target, budget, depth + 1)
                else:
                    found.append(Member(target / safe, name))
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise  # the disk, not the archive (which may name a place before its own beginning)
        raise Refused("archive_broken", file=path.name) from None
    if not found:
        raise Refused("archive_empty", file=path.name)
    return found


def _is_workbook(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return "xl/workbook.xml" in archive.namelist()


def check_workbook(path: Path, settings: Settings) -> None:
    """The same limits for a spreadsheet, which is a zip. Raises as `unpack`."""
    budget = Budget(settings, packed=path.stat().st_size)
    with zipfile.ZipFile(path) as archive:
        for info in archive.infolist():
            _check(info, info.filename, budget)
            budget.take(info.file_size)


def _names(infos: list[zipfile.ZipInfo], budget: Budget) -> list[str]:
    """Names as their maker saw them: without the UTF-8 flag the bytes are what Windows had, mostly GBK."""
    raw = [None if info.flag_bits & 0x800 else _bytes(info.filename) for info in infos]
    odd = [name for name in raw if name is not None and not name.isascii()]
    encoding = ""
    if odd:
        scores = {name: score(odd, name) for name in ("gb18030", "big5")}
        scores["utf-8"] = 1.1 if all(_valid(name) for name in odd) else 0.0
        encoding = max(scores, key=lambda name: scores[name])
        budget.names_recoded.append(encoding)
    return [
        (info.filename if name is None or name.isascii() else name.decode(encoding, errors="replace")).replace(
            "\\", "/"
        )
        for info, name in zip(infos, raw, strict=True)
    ]


def _bytes(name: str) -> bytes | None:
    try:
        return name.encode("cp437")
    except UnicodeEncodeError:
        return None


def _valid(name: bytes) -> bool:
    try:
        name.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _check(info: zipfile.ZipInfo, name: str, budget: Budget) -> None:
    settings = budget.settings
    budget.members += 1
    if budget.members > settings.archive_members:
        raise Refused("archive_too_many", limit=settings.archive_members)
    if info.flag_bits & 0x1:
        raise Refused("archive_encrypted", member=name)
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Refused("archive_link", member=name)
    parts = PurePosixPath(name.replace("\\", "/"))
    if parts.is_absolute() or ".." in parts.parts or (len(name) > 1 and name[1] == ":"):
        raise Refused("archive_path_outside", member=name)
    if budget.abnormal(info.file_size, info.compress_size):
        raise Refused("archive_bomb", member=name, size=f"{info.file_size / 1e6:,.0f}",
                      packed=f"{info.compress_size / 1e6:,.2f}")  # fmt: skip


def _write(archive: zipfile.ZipFile, info: zipfile.ZipInfo, target: Path, budget: Budget) -> None:
    """One member, counted while it unfolds: what its header says of the size is not believed."""
    with archive.open(info) as source, target.open("xb") as out:
        written = 0
        while block := source.read(BLOCK):
            budget.take(len(block))
            written += len(block)
            if budget.abnormal(written, info.compress_size):
                raise Refused("archive_bomb", member=info.filename, size=f"{written / 1e6:,.0f}",
                              packed=f"{info.compress_size / 1e6:,.2f}")  # fmt: skip
            out.write(block)
