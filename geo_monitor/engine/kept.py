"""What blocks gave, kept in the workspace, so that a new day costs a day: `derived/<what>/<block>/<key>.arrow`.

The key is a hash of everything the result depends on (the files, the state carried in, settings, river, zones), so what
is found under it is right for as long as it is there, and nothing has to be invalidated. Losing the folder loses time.
"""

from __future__ import annotations

import hashlib
import json
import logging
import mmap
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from threading import Event
from typing import Any
from weakref import finalize

import numpy as np
import pyarrow as pa

from geo_monitor.errors import Refused
from geo_monitor.store import files

log = logging.getLogger("geo_monitor")

FOLDER = "derived"
RECENT = 3  # results kept of a block: periods and reach lengths that people go back and forth between
LEFT_S = 3600.0  # seconds after which a temporary file is one that a killed analysis left
HASH = 32  # bytes in front of a file: the hash of the rest
HASHED = 1 << 24  # bytes hashed at once, side by side
Arrays = Mapping[str, np.ndarray]
Content = bytes | memoryview  # of arrays, as `to_bytes` has them


def digest(*values: Any) -> str:
    """A hash of plain values and arrays that is the same in every process."""
    told = hashlib.sha256()
    for value in values:
        if isinstance(value, np.ndarray):
            if value.dtype == object or value.dtype.kind == "U":
                told.update(json.dumps(value.tolist(), ensure_ascii=False).encode())
            else:
                told.update(f"{value.dtype.str}{value.shape}".encode())
                told.update(np.ascontiguousarray(value).data)
        else:
            told.update(json.dumps(value, ensure_ascii=False, sort_keys=True, default=str).encode())
        told.update(b"\x1f")
    return told.hexdigest()


def of_arrays(arrays: Arrays) -> str:
    """The hash of named arrays."""
    return digest(*(part for name in sorted(arrays) for part in (name, arrays[name])))


def _hash(content: Content) -> bytes:
    """The SHA-256 of the SHA-256 of its pieces."""
    whole = memoryview(content)

    def told(at: int) -> bytes:
        return hashlib.sha256(whole[at : at + HASHED]).digest()

    begins = range(0, len(whole), HASHED)
    if len(begins) <= 1:  # most are small, and no thread is worth them
        return hashlib.sha256(b"".join(map(told, begins))).digest()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return hashlib.sha256(b"".join(pool.map(told, begins))).digest()


def let_go(root: Path) -> bool:
    """Empties what is kept in the workspace `root`; whether there was anything."""
    there = (root / FOLDER).is_dir()
    shutil.rmtree(root / FOLDER, ignore_errors=True)
    return there


class Kept:
    """The results of one kind of work (`what`) in the workspace `root`. `full`: set once the disk is, for all kinds alike."""

    def __init__(self, root: Path, what: str, full: Event | None = None) -> None:
        self._root = root / FOLDER
        self._folder = self._root / what
        self._full = full or Event()

    def any(self, block: str = "*") -> bool:
        """Whether anything is kept of a block, or of one at all."""
        return next(self._folder.glob(f"{block}/*.arrow"), None) is not None

    def get(self, block: str, key: str) -> dict[str, np.ndarray] | None:
        """The arrays kept under `key`, or None."""
        content = self.packed(block, key)
        return None if content is None else of_bytes(content)

    def packed(self, block: str, key: str) -> memoryview | None:
        """What `to_bytes` gave of them. A file that is not what was written is none, and is written anew."""
        path = self._folder / block / f"{key}.arrow"
        try:
            with path.open("rb") as file:
                content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        except (OSError, ValueError):  # not there, or nobody may read it; nothing can be mapped of an empty file
            return None
        if _hash(content[HASH:]) != content[:HASH]:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            return None
        with suppress(OSError):  # it only tells what was used last
            path.touch()
        return content[HASH:]

    def put(self, block: str, key: str, arrays: Arrays) -> None:
        """Keeps arrays under `key`, not compressed: `put_packed`."""
        self.put_packed(block, key, memoryview(_packed(arrays, None)))

    def put_packed(self, block: str, key: str, content: Content) -> None:
        """Keeps what `to_bytes` gave under `key`; of one block only the `RECENT` used last stay.

        What is kept only saves time: on a full disk it is let go, with what was kept before, and where the folder cannot be
        written to, or is taken away meanwhile, nothing is kept. The file is not forced onto the disk, which would take longer
        than the work: its hash tells whether it is whole.
        """
        if self._full.is_set():
            return
        folder = self._folder / block
        temporary = folder / f"{files.TEMPORARY}{os.getpid()}-{key}"
        try:
            with files.room(self._root.parent):
                folder.mkdir(parents=True, exist_ok=True)
                with temporary.open("wb") as file:  # one after the other: together they would be there twice
                    file.write(_hash(content))
                    file.write(content)
                temporary.replace(folder / f"{key}.arrow")
        except Refused:
            self._full.set()
            let_go(self._root.parent)
            log.warning("no room to keep what blocks gave: %s is emptied", self._root)
            return
        except OSError as error:
            log.warning("what blocks gave is not kept: %s", error)
            return
        with suppress(OSError):  # another analysis was quicker
            held = sorted(folder.glob("*.arrow"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
            left = [path for path in folder.glob(f"{files.TEMPORARY}*") if time.time() - path.stat().st_mtime > LEFT_S]
            for path in [*held[RECENT:], *left]:
                path.unlink(missing_ok=True)


class Aside:
    """What `to_bytes` gave, again and again, put aside on the disk of the workspace `root`: memory does not grow with it.

    On a full disk, or where nothing can be written, it stays in memory. The file has no name and goes with this object.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._file: Any = None
        self._size = 0
        self._held: list[slice | Content] = []

    def append(self, content: Content) -> None:
        """Puts `content` behind the others."""
        if self._held and not isinstance(self._held[-1], slice):  # there was no room before
            self._held.append(content)
            return
        try:
            with files.room(self._root):
                self._held.append(self._written(content))
        except (Refused, OSError):  # full, or not to be written to
            self._held.append(content)

    def __iter__(self) -> Iterator[Content]:
        """All, in their order. What is written into them is not written into the file."""
        if self._size:
            whole = memoryview(mmap.mmap(self._file.fileno(), self._size, access=mmap.ACCESS_COPY))
        for place in self._held:
            yield whole[place] if isinstance(place, slice) else place

    def _written(self, content: Content) -> slice:
        if self._file is None:
            folder = self._root / FOLDER
            folder.mkdir(parents=True, exist_ok=True)
            self._file = TemporaryFile(buffering=0, dir=folder)  # noqa: SIM115  open for as long as this object is
            finalize(self, self._file.close)
        left = memoryview(content)
        while left:
            left = left[self._file.write(left) :]
        self._size += len(content)
        return slice(self._size - len(content), self._size)


def to_bytes(arrays: Arrays, compression: str | None = "lz4") -> bytes:
    """Named arrays as an Arrow stream of one row. What is not compressed need not be read as a whole."""
    return bytes(_packed(arrays, compression))


def _packed(arrays: Arrays, compression: str | None) -> pa.Buffer:
    table = pa.table({name: _column(array) for name, array in arrays.items()})
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression=compression)) as out:
        out.write_table(table)
    return sink.getvalue()


def of_bytes(content: Content, prefix: str = "") -> dict[str, np.ndarray]:
    """The inverse of `to_bytes`, of arrays whose names begin with `prefix`. They can be written to (compiled code is
    another for arrays that can't); those that were not compressed lie in `content`, if that can be written to."""
    with pa.ipc.open_stream(content) as stream:
        wanted = [at for at, name in enumerate(stream.schema.names) if name.startswith(prefix)]
    with pa.ipc.open_stream(content, options=pa.ipc.IpcReadOptions(included_fields=wanted)) as stream:
        table = stream.read_all()
    whole = np.frombuffer(content, dtype=np.uint8)
    return {name: _array(table[name], whole) for name in table.column_names}


def _column(array: np.ndarray) -> pa.Array:
    """An array of one or two dimensions as one cell: its values and its width (0: one dimension)."""
    flat = np.ascontiguousarray(array).reshape(-1)
    if flat.dtype.kind == "U":
        flat = flat.astype(object)
    values = pa.array(flat, pa.string()).dictionary_encode() if flat.dtype == object else pa.array(flat)
    width = array.shape[1] if array.ndim == 2 else 0
    cell = pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)
    return pa.StructArray.from_arrays([cell, pa.array([width], pa.int32())], names=["values", "width"])


def _array(column: pa.ChunkedArray, whole: np.ndarray) -> np.ndarray:
    cell = column.chunk(0)
    values = cell.field("values").values  # of the one cell: all there are
    width = int(cell.field("width")[0].as_py())
    if pa.types.is_dictionary(values.type):
        words = np.array([*values.dictionary.to_pylist(), None], dtype=object)  # -1 is the last
        flat = words[np.asarray(values.indices.fill_null(-1))]
    else:
        flat = np.asarray(values)
        at = flat.ctypes.data - whole.ctypes.data
        inside = whole.flags.writeable and 0 <= at <= len(whole) - flat.nbytes and flat.nbytes > 0
        flat = whole[at : at + flat.nbytes].view(flat.dtype) if inside else flat.copy()
    return flat.reshape(-1, width) if width else flat
