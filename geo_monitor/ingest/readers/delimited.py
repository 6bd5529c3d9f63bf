"""CSV, TSV and other delimited text: every cell as text, rows that don't fit the header repaired or refused one by one."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from geo_monitor.errors import Refused
from geo_monitor.ingest import raw
from geo_monitor.ingest.columns import OUR_COLUMNS, match
from geo_monitor.ingest.raw import Again, BadRow, Parts, Raw, numbered
from geo_monitor.ingest.receipt import ROWS_NAMED, Message
from geo_monitor.ingest.text import CONTROL_BYTES, SAMPLE, Decoded, file_pieces
from geo_monitor.settings import Settings

DELIMITERS = (",", "\t", ";", "|", "，")
BLOCK = 4 << 20  # bytes parsed in one go, at least: a row that is longer is taken for a quote that is never closed
SMALL = 64 << 20  # bytes of a file whose lines are measured, so that even its longest fits
TITLE_LINES = 15  # lines of a title that may stand before the header


def read(path: Path, kind: str, encoding: str | None, settings: Settings, name: str) -> Raw:
    """A delimited text file as a whole; see `geo_monitor.ingest.raw.Raw`. Raises as `parts`."""
    return parts(path, kind, encoding, settings, name).whole()


def parts(path: Path, kind: str, encoding: str | None, settings: Settings, name: str) -> Parts:
    """A delimited text file part by part. Raises `Refused`: `choice_needed`, `header_unknown` at once, `file_no_rows`
    at its end."""
    return _Delimited(path, kind, encoding, settings, name)


class _Delimited(Parts):
    """The file is gone through for its encoding, for what it holds (`_survey`), and each time its parts are asked for."""

    def __init__(self, path: Path, kind: str, encoding: str | None, settings: Settings, name: str) -> None:
        self._text = Decoded(file_pieces(path), encoding, settings.encoding_sure, name)
        self._delimiter, skip, header = _header(_beginning(self._text, SAMPLE // 4)[0], kind, name)
        self._skip = skip + 1
        self._start = self._body_at()
        empty = pa.table({name: pa.array([], pa.string()) for name in header})
        super().__init__(Raw(empty, numbered(0), encoding=self._text.encoding, name=name))
        self._ours = set(OUR_COLUMNS) <= set(header)
        self._controls, self._quotes, self._block = self._survey()
        self._quoted = not self._lone()

    def parts(self) -> Iterator[Raw]:
        controls, mended, rows, read = _Some(), _Some(), 0, 0
        for table, numbers, bad, repaired in self._rows():
            rows += len(table)
            mended.add(repaired)
            if self._ours:
                table = _unguarded(table)
            table = _unprotected(table)
            blank = _blank(table)
            if blank.any():  # rows of commas that spreadsheets leave behind are no rows; the others keep their numbers
                table, numbers = table.filter(pa.array(~blank)), numbers[~blank]
            if self._controls:
                table, held = raw.without_controls(table)
                controls.add(numbers[held].tolist())
            read += len(table) + len(bad)
            for first in range(0, max(len(table), 1), raw.PART_ROWS):
                part = slice(first, first + raw.PART_ROWS)
                last = first + raw.PART_ROWS >= len(table)
                own = [row for row in bad if last or row.row < numbers[part.stop]]
                bad = bad[len(own) :]
                yield self._part(table.slice(first, raw.PART_ROWS), numbers[part], own)
        if not read:
            raise Refused("file_no_rows", file=self.head.name)
        self.head.warnings = []
        for code in self._text.encoding.warnings:
            self.head.warn(code)
        if self._controls:
            self.head.warn("control_characters", controls.first, count=controls.count)
        if not self._quoted:
            self.head.warn("quotes_unclosed")
        # a spare empty cell at the end of every row is how some programs write, not a fault of the rows
        if mended.count and mended.count != rows:
            self.head.warn("row_cells_repaired", mended.first, count=mended.count)

    def _part(self, table: pa.Table, numbers: NDArray[np.int64], bad: list[BadRow]) -> Raw:
        return Raw(table, numbers, encoding=self._text.encoding, name=self.head.name, bad=bad)

    def _body_at(self) -> int:
        """Bytes of UTF-8 before the rows."""
        most = SAMPLE // 4
        while True:
            text, longer = _beginning(self._text, most)
            start = _offset(text, self._skip)
            if start < len(text) or not longer:
                return len(text[:start].encode("utf-8"))
            most *= 4

    def _body(self) -> Iterator[bytes]:
        """The rows as UTF-8, cells parted by a single byte."""
        left = self._start
        for piece in self._text.utf8() if self._delimiter != "，" else (text.encode() for text in self._text):
            if left >= len(piece):
                left -= len(piece)
                continue
            piece, left = piece[left:], 0
            yield piece if self._delimiter != "，" else piece.decode().replace("，", ",").encode()

    def _survey(self) -> tuple[int, int, int]:
        """Control characters, quotes, and how many bytes are parsed in one go."""
        controls = quotes = size = longest = rest = 0
        for piece in self._body():
            controls += len(piece) - len(piece.translate(None, CONTROL_BYTES))
            quotes += piece.count(b'"')
            size += len(piece)
            if size < SMALL:
                ends = np.flatnonzero(np.frombuffer(piece, dtype=np.uint8) == ord("\n"))
                lengths = np.diff(ends, prepend=-1 - rest, append=len(piece))
                longest, rest = max(longest, int(lengths.max())), int(lengths[-1]) - 1
        return controls, quotes, max(BLOCK, 2 * (longest if size < SMALL else 1 << 20) + 1024)

    def _lone(self) -> bool:
        """Whether a quote that is never closed would make all the rest of the file one cell."""
        if self._quotes % 2 == 0:
            return False
        odd: list[tuple[int, str]] = []
        last: list[str] = []
        try:
            for batch in self._batches(True, odd):
                if len(batch):
                    last = [str(cell) for cell in batch.slice(len(batch) - 1).to_pylist()[0].values()]
        except pa.ArrowInvalid:  # a row longer than any line
            return True
        return any("\n" in text.rstrip("\r\n") for text in [*last, *(text for _, text in odd[-1:])])

    def _batches(self, quoted: bool, odd: list[tuple[int, str]]) -> Iterator[pa.RecordBatch]:
        """The rows that fit the header; number and text of the others are put in `odd` before the batch they belong to
        is given."""
        from pyarrow import csv as arrow_csv

        def keep(row: Any) -> str:
            odd.append((row.number, row.text))
            return "skip"

        header = self.head.cells.column_names
        body = self._body()
        first = next(body, b"")
        if not first.strip() and not any(piece.strip() for piece in body):
            return
        yield from arrow_csv.open_csv(
            pa.PythonFile(_Stream(self._body()), mode="r"),
            # one thread, so that a row that does not fit knows its number
            read_options=arrow_csv.ReadOptions(column_names=header, use_threads=False, block_size=self._block),
            parse_options=arrow_csv.ParseOptions(
                delimiter="," if self._delimiter == "，" else self._delimiter, quote_char='"' if quoted else False,
                newlines_in_values=quoted and self._quotes > 0, invalid_row_handler=keep,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in header},
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )  # fmt: skip

    def _rows(self) -> Iterator[tuple[pa.Table, NDArray[np.int64], list[BadRow], list[int]]]:
        """Rows as tables of text with their numbers, the rows refused, and the numbers of rows whose missing or spare
        cells were mended. Raises `Again` where a quote that is never closed shows only here."""
        odd: list[tuple[int, str]] = []
        number = 1
        held: list[pa.RecordBatch] = []
        try:
            for batch in self._batches(self._quoted, odd):
                held.append(batch)
                if sum(map(len, held)) >= raw.PART_ROWS:
                    yield (done := self._mended(pa.Table.from_batches(held), number, odd, False))[:4]
                    number, held = done[4], []
        except pa.ArrowInvalid:  # a row longer than any line
            if not self._quoted:
                raise
            self._quoted = False
            raise Again from None
        yield self._mended(pa.Table.from_batches(held, self.head.cells.schema), number, odd, True)[:4]

    def _mended(
        self, table: pa.Table, number: int, odd: list[tuple[int, str]], last: bool
    ) -> tuple[pa.Table, NDArray[np.int64], list[BadRow], list[int], int]:
        """The rows from `number` on, those that did not fit among them, and the number that comes next."""
        header, delimiter = self.head.cells.column_names, "," if self._delimiter == "，" else self._delimiter
        count = 0  # of the rows that do not fit, those that stand before the last that does
        while count < len(odd) and odd[count][0] < number + len(table) + count:
            count += 1
        count = len(odd) if last else count
        own, odd[:count] = odd[:count], []
        if not own:
            return table, np.arange(number, number + len(table)), [], [], number + len(table)
        after = max(number + len(table) + len(own), own[-1][0] + 1)
        taken = {place for place, _ in own}
        numbers = np.arange(number, after)
        numbers = numbers[~np.isin(numbers, sorted(taken))][: len(table)]
        bad: list[BadRow] = []
        mended: list[tuple[int, list[str]]] = []
        for place, line in own:
            cells = _cells(line, delimiter, self._quoted)
            spare = cells[len(header) :]
            if any(cell.strip() for cell in spare):
                told = dict(zip(header, cells, strict=False))
                told[header[-1]] = delimiter.join(cells[len(header) - 1 :])
                many = Message("row_cells_many", {"found": len(cells), "wanted": len(header)})
                bad.append(BadRow(place, told, many))
            else:
                mended.append((place, (cells + [""] * len(header))[: len(header)]))
        if mended:
            extra = pa.table(
                {name: pa.array([cells[i] for _, cells in mended], pa.string()) for i, name in enumerate(header)}
            )
            numbers = np.r_[numbers, [place for place, _ in mended]]
            order = np.argsort(numbers, kind="stable")
            table, numbers = pa.concat_tables([table, extra]).take(pa.array(order)), numbers[order]
        return table, numbers, bad, [place for place, _ in mended], after


class _Some:
    """How many rows, and the numbers of the first thousand."""

    def __init__(self) -> None:
        self.first, self.count = list[int](), 0

    def add(self, rows: list[int]) -> None:
        self.first += rows[: ROWS_NAMED - len(self.first)]
        self.count += len(rows)


class _Stream(io.RawIOBase):
    """Pieces of bytes as a file to be read once."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._left = pieces, memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Fills the buffer: what is less is taken for a block of its own."""
        filled = 0
        while filled < len(buffer):
            if not len(self._left):
                piece = next(self._pieces, None)
                if piece is None:
                    break
                self._left = memoryview(piece)
            count = min(len(buffer) - filled, len(self._left))
            buffer[filled : filled + count], self._left = self._left[:count], self._left[count:]
            filled += count
        return filled


def _beginning(text: Decoded, most: int) -> tuple[str, bool]:
    """The first characters of a text, `most` of them, and whether there are more."""
    found = ""
    for piece in text:
        found += piece
        if len(found) > most:
            return found[:most], True
    return found, False


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
                filled = [re.sub('^="(.*)"$', r"\1", cell.strip().lstrip("\ufeff")) for cell in cells]
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


def _unprotected(table: pa.Table) -> pa.Table:
    """Cells written as ="007", so that Excel keeps their zeros, as what they say."""
    for at, name in enumerate(table.column_names):
        if pc.any(pc.starts_with(table[name], '="')).as_py():
            table = table.set_column(at, name, pc.replace_substring_regex(table[name], r'^="([^"]*)"$', r"\1"))
    return table


def _unguarded(table: pa.Table) -> pa.Table:
    """A quarantine file that comes back: without the apostrophes that keep a spreadsheet from running its cells."""
    columns = [pc.replace_substring_regex(column, r"^'([=+\-@\t\r])", r"\1") for column in table.columns]
    return pa.table(dict(zip(table.column_names, columns, strict=True)))
