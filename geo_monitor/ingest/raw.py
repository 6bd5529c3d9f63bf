"""What a reader gives: the cells as sent, shapes where there are any, and what the file says of itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo_monitor.errors import Refused
from geo_monitor.ingest.receipt import Message
from geo_monitor.ingest.text import CONTROLS, DECLARED, Encoding, clean

PART_ROWS = 1 << 18  # rows of an upload in memory at once, about


@dataclass
class BadRow:
    """A row that its reader could not take: its number, the cells as far as they go, why."""

    row: int
    cells: dict[str, str]
    reason: Message


@dataclass
class Raw:
    """cells: Arrow table (n rows), text as sent or typed where the format has types; row: (n,) 1-based data row numbers.

    shapes: (n,) shapely objects or None; crs: what the file says; standard: the format itself fixes WGS84;
    expected: such files carry a reference system, one without is worth a warning; fields: our field -> column, where
    the reader knows (GPX, NMEA), instead of looking at headers.
    """

    cells: pa.Table
    row: NDArray[np.int64]
    shapes: NDArray[Any] | None = None
    encoding: Encoding = field(default_factory=lambda: DECLARED)
    crs: str | None = None
    standard: bool = False
    expected: bool = False
    fields: dict[str, str] | None = None
    source: str | None = None
    name: str = ""
    bad: list[BadRow] = field(default_factory=list)
    notes: list[Message] = field(default_factory=list)
    warnings: list[tuple[str, list[int], dict[str, Any]]] = field(default_factory=list)

    @property
    def read(self) -> int:
        """Rows in the file, refused ones included."""
        return len(self.row) + len(self.bad)

    def warn(self, code: str, rows: list[int] | None = None, **params: Any) -> None:
        self.warnings.append((code, rows or [], params))

    def read_as(self, encoding: Encoding) -> None:
        """Says in which encoding the text was read, and what was strange about it."""
        self.encoding = encoding
        for code in encoding.warnings:
            self.warn(code)


class Again(Exception):
    """What a reader gave so far does not hold: it has to be asked for its parts from the beginning."""


class Parts:
    """The raw rows of an upload part by part, in their order, as often as asked.

    head: what holds for all of it, without rows; its warnings are those of all rows once the parts were gone through.
    """

    def __init__(self, head: Raw) -> None:
        self.head = head

    def parts(self) -> Iterator[Raw]:
        """Raises `Again`, `Refused`."""
        raise NotImplementedError

    def whole(self) -> Raw:
        """All rows at once."""
        while True:
            try:
                found = list(self.parts())
                break
            except Again:
                continue
        whole = replace(self.head, bad=[row for part in found for row in part.bad])
        whole.cells = pa.concat_tables([self.head.cells, *(part.cells for part in found)])
        whole.row = np.concatenate([part.row for part in found])
        if self.head.shapes is not None:
            whole.shapes = np.concatenate([part.shapes for part in found])
        return whole


class Sliced(Parts):
    """The parts of rows that were read as a whole."""

    def __init__(self, raw: Raw) -> None:
        nothing = None if raw.shapes is None else raw.shapes[:0]
        super().__init__(replace(raw, cells=raw.cells.slice(0, 0), row=raw.row[:0], shapes=nothing, bad=[]))
        self._raw = raw

    def parts(self) -> Iterator[Raw]:
        raw, bad = self._raw, sorted(self._raw.bad, key=lambda row: row.row)
        for first in range(0, max(len(raw.row), 1), PART_ROWS):
            end = first + PART_ROWS
            own = [row for row in bad if end >= len(raw.row) or row.row < raw.row[end]]
            bad = bad[len(own) :]
            shapes = None if raw.shapes is None else raw.shapes[first:end]
            yield replace(raw, cells=raw.cells.slice(first, PART_ROWS), row=raw.row[first:end], shapes=shapes, bad=own)


def whole(text: str) -> str:
    """`text` without halves of surrogate pairs, which JSON and Excel can hold and UTF-8 can't.

    >>> whole("江\\ud800面")
    '江?面'
    """
    return text.encode("utf-8", "replace").decode("utf-8")


def without_controls(table: pa.Table) -> tuple[pa.Table, list[int]]:
    """The table without control characters, and the places of the rows that held any."""
    rows: set[int] = set()
    for at, name in enumerate(table.column_names):
        if not pa.types.is_string(table[name].type):
            continue
        held = np.flatnonzero(pc.match_substring_regex(table[name], CONTROLS).fill_null(False).to_numpy())
        if len(held):
            cells = table[name].to_pylist()
            for i in held.tolist():
                cells[i] = clean(cells[i])
            rows.update(held.tolist())
            table = table.set_column(at, name, pa.array(cells, pa.string()))
    return table, sorted(rows)


def numbered(n: int, bad: list[BadRow] | None = None) -> NDArray[np.int64]:
    """Numbers of n rows, 1, 2, ..., with those of the bad rows left out.

    >>> numbered(3, [BadRow(2, {}, Message("x"))]).tolist()
    [1, 3, 4]
    """
    taken = {row.row for row in bad or []}
    if not taken:
        return np.arange(1, n + 1, dtype=np.int64)
    numbers = np.arange(1, n + len(taken) + 1, dtype=np.int64)
    return numbers[~np.isin(numbers, sorted(taken))]


def together(parts: list[Raw]) -> Raw:
    """Several data sets of one upload as one: columns by name, rows numbered on.

    Raises `Refused("layers_crs_differ")`.
    """
    if len(parts) == 1:
        return parts[0]
    systems = sorted({str(part.crs) for part in parts if part.shapes is not None})
    if len(systems) > 1:
        raise Refused("layers_crs_differ", systems=" | ".join(system[:60] for system in systems))
    tables, rows, shapes, bad = [], [], [], []
    offset = 0
    merged = Raw(parts[0].cells, parts[0].row)
    for part in parts:
        tables.append(
            pa.table({name: part.cells[name].cast(pa.string()) if not pa.types.is_nested(part.cells[name].type)
                      else part.cells[name] for name in part.cells.column_names})
            if not _same_types(parts) else part.cells
        )  # fmt: skip
        rows.append(part.row + offset)
        shapes.append(part.shapes if part.shapes is not None else np.full(len(part.row), None, dtype=object))
        bad += [BadRow(row.row + offset, row.cells, row.reason) for row in part.bad]
        merged.notes += part.notes
        merged.warnings += [(code, [row + offset for row in named], p) for code, named, p in part.warnings]
        offset += part.read
    merged.cells = pa.concat_tables(tables, promote_options="default")
    merged.row = np.concatenate(rows)
    merged.bad = bad
    if any(part.shapes is not None for part in parts):
        merged.shapes = np.concatenate(shapes)
    worst = min(parts, key=lambda part: part.encoding.confidence)
    merged.encoding, merged.name, merged.source = worst.encoding, parts[0].name, parts[0].source
    merged.crs, merged.standard = parts[0].crs, all(part.standard for part in parts)
    merged.expected = any(part.expected for part in parts)
    merged.fields = parts[0].fields if all(part.fields == parts[0].fields for part in parts) else None
    return merged


def _same_types(parts: list[Raw]) -> bool:
    seen: dict[str, pa.DataType] = {}
    return all(
        seen.setdefault(field.name, field.type) == field.type or pa.types.is_null(field.type)
        for part in parts
        for field in part.cells.schema
    )
