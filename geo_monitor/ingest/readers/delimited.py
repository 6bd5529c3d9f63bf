"""CSV, TSV and other delimited text: every cell as text, rows that don't fit the header repaired or refused one by one."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo_monitor.errors import Refused
from geo_monitor.ingest.columns import OUR_COLUMNS, match
from geo_monitor.ingest.raw import BadRow, Raw, numbered
from geo_monitor.ingest.receipt import Message
from geo_monitor.ingest.text import SAMPLE, clean, file_text
from geo_monitor.settings import Settings

DELIMITERS = (",", "\t", ";", "|", "，")
TITLE_LINES = 15  # lines of a title that may stand before the header


def read(path: Path, kind: str, encoding: str | None, settings: Settings, name: str) -> Raw:
    """A delimited text file; see `geo_monitor.ingest.raw.Raw`. Raises `Refused`: `choice_needed`, `file_no_rows`,
    `header_unknown`."""
    text, used = file_text(path.read_bytes(), encoding, settings.encoding_sure, name)
    zeros = text.count("\x00")
    delimiter, skip, header = _header(text, kind, name)
    start = _offset(text, skip + 1)
    body = text[start:].encode("utf-8")
    del text
    table, bad, repaired, lone = _parse(body, header, delimiter)
    if set(OUR_COLUMNS) <= set(header):
        table = _unguarded(table)
    raw = Raw(table, numbered(len(table), bad), encoding=used, name=name, bad=bad)
    blank = _blank(table)
    if blank.any():  # rows of commas that spreadsheets leave behind are no rows; the others keep their numbers
        raw.cells, raw.row = table.filter(pa.array(~blank)), raw.row[~blank]
    for code in used.warnings:
        raw.warn(code)
    if zeros:
        raw.cells, rows = _without_controls(raw.cells)
        raw.warn("control_characters", [int(raw.row[i]) for i in rows], count=len(rows))
    if lone:
        raw.warn("quotes_unclosed")
    if repaired:
        raw.warn("row_cells_repaired", repaired, count=len(repaired))
    if not raw.read:
        raise Refused("file_no_rows", file=name)
    return raw


def _offset(text: str, lines: int) -> int:
    """Where the text after the first `lines` records begins (a quoted header may span lines)."""
    start = 0
    for _ in range(lines):
        quotes = 0
        while True:
            end = text.find("\n", start)
            end = len(text) if end < 0 else end + 1
            quotes += text.count('"', start, end)
            start = end
            if quotes % 2 == 0 or end >= len(text):
                break
    return start


def _header(text: str, kind: str, name: str) -> tuple[str, int, list[str]]:
    """The delimiter, the lines before the header, the header: the line that holds most columns we know."""
    best: tuple[int, int, str, int, list[str]] | None = None
    sample = text[: SAMPLE // 4]
    for delimiter in DELIMITERS:
        lines = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        try:
            for number, cells in enumerate(lines):
                if number >= TITLE_LINES:
                    break
                filled = [cell.strip().lstrip("\ufeff") for cell in cells]
                if len([cell for cell in filled if cell]) < 2 and delimiter != ",":
                    continue
                known = len(match(kind, filled).matches)
                if best is None or (known, -number) > best[:2]:
                    best = (known, -number, delimiter, number, filled)
        except csv.Error:
            continue
    if best is None or best[0] == 0:
        first = sample.split("\n", 1)[0][:200]
        raise Refused("header_unknown", file=name, headers=first.strip())
    _, _, delimiter, number, header = best
    return delimiter, number, _distinct(header)


def _distinct(header: list[str]) -> list[str]:
    """Names for every column: empty ones numbered, repeated ones told apart."""
    seen: dict[str, int] = {}
    names = []
    for i, cell in enumerate(header):
        name = cell or f"column_{i + 1}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name}.{seen[name]}")
    return names


def _parse(body: bytes, header: list[str], delimiter: str) -> tuple[pa.Table, list[BadRow], list[int], bool]:
    """The rows as a table of text, the rows refused, the numbers of rows whose missing or spare cells were mended, and
    whether a quote is never closed, so that quotes are taken as they stand."""
    if not body.strip():
        return pa.table({name: pa.array([], pa.string()) for name in header}), [], [], False
    if delimiter == "，":
        body, delimiter = body.decode().replace("，", ",").encode(), ","
    table, odd = _arrow(body, header, delimiter)
    if _swallowed(body, table, odd):
        table, odd = _arrow(body, header, delimiter, quoted=False)
        lone = True
    else:
        lone = False
    assert table is not None
    if not odd:
        return table, [], [], lone
    bad: list[BadRow] = []
    mended: list[tuple[int, list[str]]] = []
    for number, line in odd:
        cells = _cells(line, delimiter, not lone)
        spare = cells[len(header) :]
        if any(cell.strip() for cell in spare):
            told = dict(zip(header, cells, strict=False))
            told[header[-1]] = delimiter.join(cells[len(header) - 1 :])
            bad.append(BadRow(number, told, Message("row_cells_many", {"found": len(cells), "wanted": len(header)})))
        else:
            mended.append((number, (cells + [""] * len(header))[: len(header)]))
    if mended:
        # back to where they stood: rows that fitted keep the numbers that are left
        fitted = numbered(len(table), [BadRow(number, {}, Message("")) for number, _ in odd])
        extra = pa.table(
            {name: pa.array([cells[i] for _, cells in mended], pa.string()) for i, name in enumerate(header)}
        )
        numbers = pa.array([*fitted.tolist(), *(number for number, _ in mended)])
        table = pa.concat_tables([table, extra]).take(pc.sort_indices(numbers))
    # a spare empty cell at the end of every row is how some programs write, not a fault of the rows
    plain = len(mended) == len(table)
    return table, sorted(bad, key=lambda row: row.row), [] if plain else [number for number, _ in mended], lone


def _arrow(
    body: bytes, header: list[str], delimiter: str, quoted: bool = True
) -> tuple[pa.Table | None, list[tuple[int, str]]]:
    """The rows that fit the header (None where a quote that is never closed leaves nothing), number and text of others."""
    from pyarrow import csv as arrow_csv

    odd: list[tuple[int, str]] = []

    def keep(row: Any) -> str:
        odd.append((row.number, row.text))
        return "skip"

    largest = max(len(line) for line in body.split(b"\n")) if len(body) < 64 << 20 else 1 << 20
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(body),
            # one thread, so that a row that does not fit knows its number
            read_options=arrow_csv.ReadOptions(
                column_names=header, use_threads=False, block_size=max(4 << 20, 2 * largest + 1024)
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter, quote_char='"' if quoted else False,
                newlines_in_values=quoted and b'"' in body, invalid_row_handler=keep,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in header},
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )  # fmt: skip
    except pa.ArrowInvalid:  # a row longer than any line
        if not quoted:
            raise
        return None, odd
    return table, odd


def _swallowed(body: bytes, table: pa.Table | None, odd: list[tuple[int, str]]) -> bool:
    """Whether a quote that is never closed made all the rest of the file one cell."""
    if table is None:
        return True
    if body.count(b'"') % 2 == 0:
        return False
    last = [str(cell) for cell in table.slice(len(table) - 1).to_pylist()[0].values()] if len(table) else []
    return any("\n" in text.rstrip("\r\n") for text in [*last, *(text for _, text in odd[-1:])])


def _cells(line: str, delimiter: str, quoted: bool) -> list[str]:
    if quoted:
        try:
            return next(csv.reader(io.StringIO(line, newline=""), delimiter=delimiter), [])
        except csv.Error:  # a cell longer than Python's reader takes
            pass
    return line.rstrip("\r\n").split(delimiter)


def _blank(table: pa.Table) -> NDArray[np.bool_]:
    """Rows (n,) without anything in any cell."""
    blank = np.ones(len(table), dtype=bool)
    for column in table.columns:
        if not blank.any():
            break
        empty = pc.equal(pc.utf8_trim_whitespace(column), "")
        blank &= empty.to_numpy().astype(bool)
    return blank


def _unguarded(table: pa.Table) -> pa.Table:
    """A quarantine file that comes back: without the apostrophes that keep a spreadsheet from running its cells."""
    columns = [pc.replace_substring_regex(column, r"^'([=+\-@\t\r])", r"\1") for column in table.columns]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))


def _without_controls(table: pa.Table) -> tuple[pa.Table, list[int]]:
    rows: set[int] = set()
    columns = {}
    for name in table.column_names:
        cells = table[name].to_pylist()
        for i, cell in enumerate(cells):
            if cell is not None and (plain := clean(cell)) != cell:
                rows.add(i)
                cells[i] = plain
        columns[name] = pa.array(cells, pa.string())
    return pa.table(columns), sorted(rows)
