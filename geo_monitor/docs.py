"""The page docs/tables.md, written out of `geo_monitor.tables`: `python -m geo_monitor.docs > docs/tables.md`."""

from __future__ import annotations

import sys

import pyarrow as pa

from geo_monitor import tables

HEAD = """# Tables

Written out of `geo_monitor/tables.py` by `python -m geo_monitor.docs > docs/tables.md`; a test keeps the two alike.

Times are UTC in Parquet and in the store, ISO 8601 with +08:00 in csv and xlsx. Days are days in Asia/Shanghai.
Longitude and latitude are WGS84 degrees. Columns marked * are never empty. `geo-monitor export` writes any table.
"""


def tables_page() -> str:
    """The whole page."""
    public = [table for table in tables.ALL if not table.inner]
    inner = [table for table in tables.ALL if table.inner]
    parts = [HEAD, *(_section(table) for table in public), "# Inner tables\n\nKept for the program's own use.\n"]
    return "\n".join([*parts, *(_section(table) for table in inner)])


def _section(table: tables.Table) -> str:
    key = f" One row per {', '.join(table.key)}." if table.key else ""
    rows = [f"| {_cell(column)} |" for column in table.columns]
    return "\n".join(
        [f"## {table.name}\n", f"{table.doc}{key}\n", "| column | type | meaning |", "|---|---|---|", *rows, ""]
    )


def _cell(column: tables.Column) -> str:
    limits = [f"one of {', '.join(column.allowed)}"] if column.allowed else []
    if column.low is not None:
        limits.append(f"≥ {column.low:g}")
    if column.high is not None:
        limits.append(f"≤ {column.high:g}")
    meaning = "; ".join([column.doc, *limits]).replace("|", "\\|")
    return f"{column.name}{'' if column.null else ' *'} | {_type(column.type)} | {meaning}"


def _type(kind: pa.DataType) -> str:
    names = {
        tables.TEXT: "text",
        tables.FLOAT: "number",
        tables.INT: "whole number",
        tables.BOOL: "yes or no",
        tables.TIME: "time",
        tables.DAY: "day",
        tables.TEXTS: "list of texts",
        tables.GEOMETRY: "shape",
    }
    return names[kind]


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    sys.stdout.write(tables_page())
