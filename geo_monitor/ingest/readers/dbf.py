"""The attribute table of a shapefile, byte for byte: cells stay bytes until the encoding is known.

Layout: dBASE III/IV as in the shapefile specification (header 32 bytes, a descriptor of 32 bytes a field, rows of
fixed width, each with a deletion mark).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geo_monitor.errors import Refused
from geo_monitor.ingest.text import decode

LANGUAGES = {0x4D: "gb18030", 0x4E: None, 0x4F: "big5", 0x57: None, 0x03: "latin-1", 0x01: None, 0x02: None}


@dataclass(frozen=True)
class Field:
    """A field: its name as bytes (10 at most, often cut inside a character), type letter, offset and width in the row."""

    name: bytes
    type: str
    start: int
    width: int
    decimals: int


@dataclass(frozen=True)
class Dbf:
    """cells: (rows, row width) bytes; deleted: rows marked as deleted; declared: rows the header claims."""

    fields: tuple[Field, ...]
    cells: NDArray[np.uint8]
    deleted: NDArray[np.bool_]
    declared: int
    language: int

    def texts(self, field: Field) -> list[bytes]:
        """The cells of a field as stripped bytes."""
        block = np.ascontiguousarray(self.cells[:, field.start : field.start + field.width])
        return [cell.strip(b" \x00") for cell in block.view(f"S{field.width}").ravel().tolist()] if len(block) else []

    def pieces(self) -> list[bytes]:
        """Everything that holds text: field names and the cells of character fields."""
        found = [field.name for field in self.fields]
        for field in self.fields:
            if field.type in "CM":
                found += self.texts(field)[:20_000]
        return found

    def table(self, encoding: str) -> pa.Table:
        """All fields as an Arrow table: numbers as numbers, dates as ISO text, the rest as text."""
        columns: dict[str, pa.Array] = {}
        for number, field in enumerate(self.fields):
            name = decode(field.name, encoding) or f"column_{number + 1}"
            while name in columns:
                name += "_"
            columns[name] = pa.array([_cell(cell, field, encoding) for cell in self.texts(field)], pa.string())
        return pa.table(columns)


def _cell(cell: bytes, field: Field, encoding: str) -> str | None:
    if not cell or cell.strip(b"*") == b"":
        return None  # stars are what GDAL and ArcGIS write for a null number
    if field.type == "D":
        text = cell.decode("ascii", errors="replace")
        return None if text == "00000000" else text
    text = decode(cell, encoding).strip()
    if field.type in "NF" and "." in text and "e" not in text.lower():
        text = text.rstrip("0").rstrip(".")
    return text or None


def read(path: Path, name: str) -> Dbf:
    """Reads a `.dbf`. Raises `Refused("dbf_broken")`."""
    data = path.read_bytes()
    if len(data) < 33:
        raise Refused("dbf_broken", file=name)
    rows, header, width = struct.unpack_from("<IHH", data, 4)
    fields: list[Field] = []
    start, position = 1, 32
    while position + 32 <= min(header, len(data)) and data[position] != 0x0D:
        label, kind = data[position : position + 11].split(b"\x00")[0], chr(data[position + 11])
        size, decimals = data[position + 16], data[position + 17]
        fields.append(Field(label.strip(), kind, start, size, decimals))
        start, position = start + size, position + 32
    if not fields or width < start or header > len(data) or any(field.width == 0 for field in fields):
        raise Refused("dbf_broken", file=name)
    body: Any = np.frombuffer(data, dtype=np.uint8, offset=header)
    whole = min(rows, len(body) // width)
    cells = body[: whole * width].reshape(whole, width)
    return Dbf(tuple(fields), cells, cells[:, 0] == 0x2A if whole else np.zeros(0, dtype=bool), rows, data[29])
