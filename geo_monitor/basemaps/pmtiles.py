"""Reads PMTiles, version 3: a header of 127 bytes, directories of varints, tiles along a Hilbert curve.

Specification: https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md (public domain).
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from geo_monitor.basemaps import Box
from geo_monitor.errors import Refused

MAGIC = b"PMTiles"
TYPES = {1: "mvt", 2: "png", 3: "jpeg", 4: "webp"}
DIRECTORY = 16 << 20  # bytes of a directory unpacked, at most
TILE = 8 << 20  # bytes of a tile unpacked, at most
DEPTH = 4  # directories in directories
_HEADER = struct.Struct("<7sB11Q6B4iB2i")


@dataclass(frozen=True)
class Entry:
    """A tile, or (`run` 0) a directory: from this id on, where its bytes lie."""

    tile: int
    offset: int
    length: int
    run: int


class Archive:
    """A PMTiles file that is open.

    `type` of its tiles (a value of `TYPES`), `least` and `most` zoom, `box` in WGS84 degrees.

    Raises `Refused("basemap_unreadable")`, `Refused("basemap_packing")` for a compression other than none or gzip.
    """

    def __init__(self, file: IO[bytes], size: int, name: str) -> None:
        self._file, self._size, self._name = file, size, name
        self._leaves: dict[tuple[int, int], list[Entry]] = {}
        head = self._bytes(0, _HEADER.size)
        magic, version, *told = _HEADER.unpack(head)
        if magic != MAGIC or version != 3:
            raise self._broken("no PMTiles, version 3")
        (root, root_length, _, _, self._leaf, _, self._data, _, _, _, _), told = told[:11], told[11:]
        _, self._inner, self._packed, kind, self.least, self.most, west, south, east, north = told[:10]
        self.box: Box = (west / 1e7, south / 1e7, east / 1e7, north / 1e7)
        if kind not in TYPES:
            raise self._broken(f"tiles of kind {kind}")
        if not (self.least <= self.most <= 30 and _is_box(self.box)):
            raise self._broken(f"zoom {self.least} to {self.most}, bounds {self.box}")
        self.type = TYPES[kind]
        self._root = self._directory(root, root_length)

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """The bytes of a tile, unpacked, or None where there is none."""
        wanted = number(z, x, y)
        entries = self._root
        for _ in range(DEPTH):
            at = bisect_right(entries, wanted, key=lambda entry: entry.tile) - 1
            if at < 0:
                return None
            found = entries[at]
            if found.run:
                if wanted >= found.tile + found.run:
                    return None
                return self._unpacked(self._bytes(self._data + found.offset, found.length), self._packed, TILE)
            entries = self._directory(self._leaf + found.offset, found.length)
        raise self._broken("directories without end")

    def _directory(self, offset: int, length: int) -> list[Entry]:
        if (offset, length) not in self._leaves:
            raw = self._unpacked(self._bytes(offset, length), self._inner, DIRECTORY)
            if len(self._leaves) > 64:
                self._leaves.clear()
            try:
                self._leaves[offset, length] = entries(raw)
            except (IndexError, ValueError) as error:
                raise self._broken(f"directory: {error}") from None
        return self._leaves[offset, length]

    def _bytes(self, offset: int, length: int) -> bytes:
        if length > TILE or offset + length > self._size:
            raise self._broken("a part lies outside the file")
        self._file.seek(offset)
        return self._file.read(length)

    def _unpacked(self, raw: bytes, how: int, most: int) -> bytes:
        if how == 1:
            return raw
        if how != 2:
            raise Refused("basemap_packing", file=self._name)
        stream = zlib.decompressobj(wbits=31)
        try:
            out = stream.decompress(raw, most)
        except zlib.error as error:
            raise self._broken(str(error)) from None
        if stream.unconsumed_tail:
            raise self._broken("a part unpacks to more than it may")
        return out

    def _broken(self, detail: str) -> Refused:
        return Refused("basemap_unreadable", file=self._name, detail=detail[:80])


def _is_box(box: Box) -> bool:
    west, south, east, north = box
    return -180 <= west < east <= 180 and -90 <= south < north <= 90


def entries(raw: bytes) -> list[Entry]:
    """The entries of a directory. Raises `ValueError`, `IndexError` for bytes that are none.

    >>> entries(bytes([2, 5, 37, 1, 2, 10, 20, 1, 0]))
    [Entry(tile=5, offset=0, length=10, run=1), Entry(tile=42, offset=10, length=20, run=2)]
    """
    count, at = varint(raw, 0)
    if count > len(raw) // 4:  # four numbers each, of a byte at least
        raise ValueError("more entries than bytes")
    columns: list[list[int]] = []
    for _ in range(4):
        column = []
        for _ in range(count):
            value, at = varint(raw, at)
            column.append(value)
        columns.append(column)
    out: list[Entry] = []
    tile = 0
    for step, run, length, place in zip(*columns, strict=True):
        tile += step
        before = out[-1] if out else Entry(0, 0, 0, 0)
        out.append(Entry(tile, place - 1 if place else before.offset + before.length, length, run))
    return out


def varint(raw: bytes, at: int) -> tuple[int, int]:
    """A number of seven bits a byte, lowest first, and where the next begins.

    >>> varint(bytes([0xAC, 0x02, 7]), 0)
    (300, 2)
    """
    value = shift = 0
    while True:
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number without end")


def number(z: int, x: int, y: int) -> int:
    """The id of a tile: those of all lower zooms come before it, those of its own along a Hilbert curve.

    >>> [number(0, 0, 0), *(number(1, x, y) for x, y in ((0, 0), (0, 1), (1, 1), (1, 0))), number(2, 0, 0)]
    [0, 1, 2, 3, 4, 5]
    """
    before = (4**z - 1) // 3
    along, side = 0, 1 << z
    half = side // 2
    while half:
        right, down = int(x & half > 0), int(y & half > 0)
        along += half * half * ((3 * right) ^ down)
        if not down:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        half //= 2
    return before + along


def opened(path: Path, file: IO[bytes], name: str) -> Archive:
    """The archive in `file`, opened at `path`. Raises as `Archive`."""
    return Archive(file, path.stat().st_size, name)
