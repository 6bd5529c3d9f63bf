"""Files that grow: one file, or every file of a folder, read from the start or a mark and followed from there.

A file is known by its place on the disk (inode), its first bytes and the last that were read, so one that was renamed is
not read twice, and one that was written anew is read from its start, also where it begins as it did.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geo_monitor.errors import Refused, Usage
from geo_monitor.feeds.address import Address
from geo_monitor.feeds.fix import Batch
from geo_monitor.feeds.lines import Lines
from geo_monitor.feeds.received import CHUNK, now_ms
from geo_monitor.feeds.splitter import Splitter
from geo_monitor.settings import Settings

log = logging.getLogger("geo_monitor")
HEAD = 256  # bytes, the first ones and those before the place to go on from, by which a file is known
OPEN = 64  # files held open at once
SKIPPED = (".tmp", ".part", ".swp", ".gz", ".zip", ".xz", ".bz2")  # being written under another name, or packed

VERSION = 1  # of the marks


@dataclass
class _File:
    """One file. at: bytes read; done: bytes up to the end of the last line that was looked at."""

    path: Path
    inode: int
    lines: Lines
    splitter: Splitter
    at: int = 0
    done: int = 0
    head: bytes = b""
    tail: bytes = b""  # last bytes before `done`
    handle: int | None = None
    live: bool = False  # what comes now was written now
    grew: float = 0.0  # `time.monotonic` of the last new byte
    there: bool = True

    def close(self) -> None:
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None

    def told(self) -> dict[str, Any]:
        """For the mark."""
        head = self.head[: self.done]
        out = {
            "name": self.path.name, "inode": self.inode, "done": self.done, "head": [len(head), _hash(head)],
            "tail": [len(self.tail), _hash(self.tail)],
        }  # fmt: skip
        state = self.lines.state()
        return {**out, "lines": state} if state else out


class Files:
    """A file or a folder (not its subfolders), in the order of the names. Never ends."""

    def __init__(self, address: Address, settings: Settings, mark: str | None, role: str | None) -> None:
        self.name = address.name
        self.settings = settings
        self._role = role
        self._unit = address.options.get("unit")
        self._path = Path(address.path)
        self._folder = self._path.is_dir()
        if mark is None and not self._path.exists():
            raise Usage("feed_no_file", feed=self.name)
        if not self._folder and self._path.exists() and not self._path.is_file():
            raise Usage("feed_no_file", feed=self.name)
        self._marked = _marked(mark)
        self._files: dict[int, _File] = {}
        self._next = ""  # name of the file that the next look begins with
        self._first = True
        self._closed = False
        if not self._folder:
            self._turned()

    # --- Source ------------------------------------------------------------------------------------------------------
    def read(self, wait: float) -> Batch | None:
        deadline = time.monotonic() + wait
        batch = Batch()
        while not self._closed:
            self._look(batch)
            left = deadline - time.monotonic()
            if batch.lines or left <= 0:
                batch.mark = self._mark()
                return batch
            time.sleep(min(self.settings.feed_poll_s, left))
        return None

    def stored(self, batch: Batch) -> None:
        """A file needs no telling: the mark of the batch says where to go on."""

    def close(self) -> None:
        self._closed = True
        for file in self._files.values():
            file.close()

    # --- looking -----------------------------------------------------------------------------------------------------
    def _look(self, batch: Batch) -> None:
        """Reads what is new in all files, until the batch is full."""
        self._list(batch)
        files = sorted(self._files.values(), key=lambda file: (file.there, file.path.name))  # rotated ones first
        names = [file.path.name for file in files]
        first = names.index(self._next) if self._next in names else 0
        self._next = ""
        for file in files[first:] + files[:first]:
            self._follow(file, batch)
            if batch.lines >= self.settings.feed_batch:
                self._next = file.path.name
                return
        self._first = False

    def _list(self, batch: Batch) -> None:
        """Which files there are now."""
        for file in self._files.values():
            file.there = False
        for path in self._paths():
            try:
                found = os.stat(path)
            except OSError:
                continue  # gone since it was listed
            if not stat.S_ISREG(found.st_mode):
                continue
            known = self._files.get(found.st_ino)
            file = known or self._begin(path, found.st_ino)
            if known is None:
                self._files[found.st_ino] = file
                file.live = not self._first and not self._folder  # a log begun after rotation
            file.path, file.there = path, True
            if found.st_size < file.at or (found.st_size > file.at and not self._same(file)):
                log.warning("feed %s: %s was emptied or written anew; read from its start", self.name, path.name)
                self._end(file, batch)
                self._files[found.st_ino] = self._begin(path, found.st_ino)

    def _paths(self) -> list[Path]:
        if not self._folder:
            return [self._path]
        try:
            with os.scandir(self._path) as found:
                names = sorted(one.name for one in found)
        except OSError as error:
            log.warning("feed %s: %s", self.name, error)
            return []
        return [self._path / name for name in names if name[0] != "." and not name.lower().endswith(SKIPPED)]

    def _begin(self, path: Path, inode: int) -> _File:
        """A file not known yet: where its mark says, or at its start."""
        marked = self._known(path, inode)
        lines = Lines(self._unit or path.stem, self.settings, self._role, marked.get("lines"), self._unit)
        file = _File(path, inode, lines, Splitter(self.settings.feed_line_bytes), grew=time.monotonic())
        if marked:
            file.at = file.done = marked["done"]
            file.head = _bytes(path, 0, min(HEAD, file.done))
            file.tail = _bytes(path, max(file.done - HEAD, 0), file.done)
        return file

    def _known(self, path: Path, inode: int) -> dict[str, Any]:
        """The mark of this file, if it has one: by inode, or by name where the file was copied to another disk."""
        if not self._marked:
            return {}
        for fits in (lambda one: one["inode"] == inode, lambda one: one["name"] == path.name):
            for one in self._marked:
                (head, begins), (tail, ends), done = one["head"], one["tail"], one["done"]
                if (
                    fits(one)
                    and _size(path) >= done
                    and _hash(_bytes(path, 0, head)) == begins
                    and _hash(_bytes(path, done - tail, done)) == ends
                ):
                    self._marked.remove(one)
                    return one
        return {}

    def _turned(self) -> None:
        """The file of the mark may have been renamed since (`log` to `log.1`): its rest comes first."""
        for one in list(self._marked):
            for path in sorted(self._path.parent.glob(f"{self._path.stem}*")):
                if path == self._path or not path.is_file() or os.stat(path).st_ino != one["inode"]:
                    continue
                file = self._begin(path, one["inode"])
                if file.done == one["done"] and self._open(file):
                    self._files[file.inode] = file

    def _same(self, file: _File) -> bool:
        """Whether a file that grew still holds what was read of it, by its first bytes and the last of them."""
        done, tail = file.done, file.tail
        return _bytes(file.path, 0, len(file.head)) == file.head and _bytes(file.path, done - len(tail), done) == tail

    def _follow(self, file: _File, batch: Batch) -> None:
        if file.handle is None and not self._open(file):
            if not file.there:
                self._end(file, batch)
            return
        handle = file.handle
        while handle is not None and batch.lines < self.settings.feed_batch:
            data = os.pread(handle, CHUNK, file.at)
            if not data:
                file.live = True
                self._at_the_end(file, batch)
                return
            received = now_ms() if file.live else None
            if len(file.head) < HEAD and file.at == len(file.head):
                file.head += data[: HEAD - len(file.head)]
            file.at += len(data)
            file.grew = time.monotonic()
            for line in file.splitter.feed(data):
                file.lines.line(line, received, batch)
            if not file.splitter.skipping:
                self._done(file, handle)

    @staticmethod
    def _done(file: _File, handle: int) -> None:
        file.done = file.at - len(file.splitter.rest)
        begin = max(file.done - HEAD, 0)
        file.tail = os.pread(handle, file.done - begin, begin)

    def _open(self, file: _File) -> bool:
        """Opens a file that may have something new; of many, those quiet for longest are closed."""
        if not file.there or _size(file.path) <= file.at:
            return False
        try:
            handle = os.open(file.path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            log.warning("feed %s: %s", self.name, error)
            return False
        if os.fstat(handle).st_ino != file.inode:
            os.close(handle)  # replaced meanwhile: the next look finds the new one
            return False
        file.handle = handle
        held = [one for one in self._files.values() if one.handle is not None]
        if len(held) > OPEN:
            min((one for one in held if one is not file), key=lambda one: one.grew).close()
        return True

    def _at_the_end(self, file: _File, batch: Batch) -> None:
        if not file.there:
            self._end(file, batch)
            return
        rest = file.splitter.rest
        if rest and time.monotonic() - file.grew >= self.settings.feed_half_s and file.lines.whole(rest):
            for line in file.splitter.end():
                file.lines.line(line, now_ms() if file.live else None, batch)
            if file.handle is not None:
                self._done(file, file.handle)

    def _end(self, file: _File, batch: Batch) -> None:
        """A file that is no more, all of it read: what is left of a line is a line."""
        for line in file.splitter.end():
            file.lines.line(line, None, batch)
        file.lines.end(batch)
        file.close()
        self._files.pop(file.inode, None)

    # --- marks -------------------------------------------------------------------------------------------------------
    def _mark(self) -> str:
        files = [file.told() for file in self._files.values()]
        return json.dumps({"version": VERSION, "files": [*files, *self._marked]}, separators=(",", ":"))


def _bytes(path: Path, begin: int, end: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(max(begin, 0))
            return file.read(max(end - max(begin, 0), 0))
    except OSError:
        return b""


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _pair(told: list[Any]) -> list[Any]:
    return [int(told[0]), str(told[1])]


def _marked(mark: str | None) -> list[dict[str, Any]]:
    """The files of a mark. Raises `Refused("feed_mark_unreadable")`."""
    if mark is None:
        return []
    try:
        told = json.loads(mark)
        if told["version"] != VERSION:
            raise ValueError("another version")
        files = [
            {"name": str(one["name"]), "inode": int(one["inode"]), "done": int(one["done"]),
             "head": _pair(one["head"]),
             "tail": _pair(one.get("tail", [0, _hash(b"")])), "lines": dict(one.get("lines", {}))}
            for one in told["files"]
        ]  # fmt: skip
    except (ValueError, KeyError, TypeError, IndexError):
        raise Refused("feed_mark_unreadable") from None
    return files
