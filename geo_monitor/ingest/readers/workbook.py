"""Excel workbooks (.xlsx): values only, formulas by their last result, every sheet that has the columns of the kind."""

from __future__ import annotations

import struct
import warnings
import zipfile
import zlib
from datetime import date, datetime, time, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import numpy as np
import pyarrow as pa

from geo_monitor.errors import Refused
from geo_monitor.ingest.archives import check_workbook
from geo_monitor.ingest.columns import match
from geo_monitor.ingest.raw import Raw, together, whole
from geo_monitor.ingest.readers.delimited import TITLE_LINES, _distinct
from geo_monitor.settings import Settings

# what openpyxl and the libraries under it raise for files that are no workbooks
BROKEN = (ParseError, zipfile.BadZipFile, zlib.error, struct.error, OSError, EOFError, ValueError, TypeError,
          AttributeError, LookupError, ArithmeticError, AssertionError, NotImplementedError, RecursionError)  # fmt: skip


def read(path: Path, kind: str, settings: Settings, name: str) -> Raw:
    """All usable sheets of a workbook. Raises `Refused`: `workbook_broken`, `header_unknown`, `file_no_rows`."""
    import openpyxl

    try:
        check_workbook(path, settings)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # styles and extensions that openpyxl does not know
            book = openpyxl.load_workbook(path, read_only=True, data_only=True, keep_links=False)
            sheets = {sheet.title: _rows(sheet) for sheet in book.worksheets if sheet.sheet_state == "visible"}
            hidden = {sheet.title: _rows(sheet) for sheet in book.worksheets if sheet.sheet_state != "visible"}
            book.close()
    except BROKEN as error:
        raise Refused("workbook_broken", file=name, detail=str(error)[:80]) from None
    filled = {title: rows for title, rows in sheets.items() if rows}
    if not filled:
        raise Refused("file_no_rows", file=name)
    unseen = [title for title, rows in hidden.items() if _header(rows, kind) is not None]  # not lists to choose from
    parts, left, first = [], [], ""
    for title, rows in filled.items():
        found = _header(rows, kind)
        if found is None:
            left.append(title)
            first = first or ", ".join(cell for cell in rows[0] if cell)
            continue
        parts.append(_table(rows, *found, name))
    if not parts:
        raise Refused("header_unknown", file=name, headers=first)
    raw = together(parts)
    if len(parts) > 1:
        raw.warn("several_layers", None, layers=[title for title in filled if title not in left])
    if left:
        raw.warn("sheets_skipped", None, sheets=[*left])
    if unseen:
        raw.warn("sheets_hidden", None, sheets=unseen)
    if not raw.read:
        raise Refused("file_no_rows", file=name)
    return raw


def _rows(sheet: Any) -> list[list[str | None]]:
    rows = []
    sheet.reset_dimensions()  # some programs say A1 of every sheet, some all there is room for
    for cells in sheet.iter_rows(values_only=True):
        texts = [_text(cell) for cell in cells]
        while texts and texts[-1] is None:
            texts.pop()
        rows.append(texts)
    while rows and not any(rows[-1]):
        rows.pop()
    return rows if any(any(row) for row in rows) else []


def _text(cell: Any) -> str | None:
    """A cell as the text that means the same: ISO for times, the shortest number."""
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        near = cell.replace(microsecond=0) + timedelta(seconds=round(cell.microsecond / 1e6))  # Excel days are rounded
        return near.isoformat(sep=" ") if near.time() != time() else near.date().isoformat()
    if isinstance(cell, date | time):
        return cell.isoformat()
    if isinstance(cell, timedelta):
        seconds = round(cell.total_seconds())
        return f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return whole(str(cell))


def _header(rows: list[list[str | None]], kind: str) -> tuple[int, list[str]] | None:
    """The row that holds most columns we know, within the first lines, and its names; None where no row holds two.

    A header of two rows (position over longitude and latitude) counts as its lower one, with the upper one's cells where
    that is empty.
    """
    best, found = 1, None
    above: list[str] = []
    for number, row in enumerate(rows[:TITLE_LINES]):
        cells = [(cell or "").strip() for cell in row]
        merged = [low or high for low, high in zip_longest(cells, above, fillvalue="")]
        for names in (cells, merged):
            known = len(match(kind, names).matches)
            if known > best:
                best, found = known, (number, names)
        above = cells
    return found


def _table(rows: list[list[str | None]], header: int, names: list[str], name: str) -> Raw:
    width = max(len(names), *(len(row) for row in rows))
    names = _distinct(names + [""] * (width - len(names)))
    body = [(number, row) for number, row in enumerate(rows[header + 1 :], start=1) if any(row)]
    columns = {
        label: pa.array([row[i] if i < len(row) else None for _, row in body], pa.string())
        for i, label in enumerate(names)
    }
    return Raw(pa.table(columns), np.arange(1, len(body) + 1, dtype=np.int64), name=name)
