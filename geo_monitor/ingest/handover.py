"""What passes between us and the process that parses an upload: JSON and Arrow, nothing that could run.

The parser's side is not trusted: whatever it hands over is checked here against the tables and the catalogue of
sentences before anybody uses it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo_monitor.ingest.receipt import PERSON, ROWS_NAMED, Message, Receipt, Upload
from geo_monitor.messages import Lang, catalogue, hint, text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from geo_monitor.ingest.spool import Fixes, Spool
    from geo_monitor.tables import Table

STATUSES = ("accepted", "accepted_with_warnings", "duplicate", "rejected")
COUNTS = ("read", "accepted", "quarantined", "unchanged", "corrected")
LANGUAGES: tuple[Lang, ...] = ("zh", "en")
EXTRA = {"agency": "string", "version": "int64"}  # columns of the store beside those of a table
PEOPLE = {name: "int64" if name == "version" else "string" for name in PERSON}
PARAM_CHARACTERS = 2_000  # a longer piece of a sentence is cut ...
LISTED = 50  # ... and so is a longer list in one
JSON_BYTES = 64 << 20  # a longer line or receipt is none of ours
NO_SENTENCE = ("parser_", "scratch_", "fault")  # codes only we ourselves say


class Garbled(Exception):
    """What was handed over is not what was agreed. Its argument says what."""


# --- plain values ----------------------------------------------------------------------------------------------------


def dumps(value: Any) -> bytes:
    """`value` as one line of JSON; times and sets are marked as such."""
    return json.dumps(value, default=_plain, ensure_ascii=True).encode() + b"\n"


def loads(line: bytes) -> Any:
    """The value of a line of `dumps`. Raises `Garbled`.

    >>> from datetime import UTC, datetime
    >>> loads(dumps({"at": datetime(2026, 6, 1, tzinfo=UTC), "ids": {"b", "a"}})) == {
    ...     "at": datetime(2026, 6, 1, tzinfo=UTC), "ids": {"a", "b"}}
    True
    """
    try:
        return json.loads(line, object_hook=_object)
    except (ValueError, TypeError, RecursionError) as error:
        raise Garbled(f"no JSON: {error}") from None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"$time": value.isoformat()}
    if isinstance(value, set | frozenset):
        return {"$set": sorted(value)}
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "item"):  # a number of numpy
        return value.item()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no plain value")


def _object(found: dict[str, Any]) -> Any:
    if found.keys() == {"$time"}:
        return datetime.fromisoformat(found["$time"])
    if found.keys() == {"$set"}:
        return set(found["$set"])
    return found


# --- frames ----------------------------------------------------------------------------------------------------------


def write_table(table: pa.Table, path: Path) -> None:
    """An Arrow table as an IPC file."""
    import pyarrow as pa

    with pa.OSFile(str(path), "wb") as out, pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table, max_chunksize=1 << 20)


def read_table(path: Path) -> pa.Table:
    """The table of an IPC file, every offset and every text in it checked. Raises `Garbled`."""
    import pyarrow as pa

    try:
        with pa.memory_map(str(path)) as file:
            table = pa.ipc.open_file(file).read_all()
        table.validate(full=True)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Garbled(f"{path.name}: {str(error)[:200]}") from None
    return table


def write_frame(frame: pd.DataFrame, path: Path) -> str | None:
    """Any frame as an IPC file. Gives the reference system where it has shapes (a GeoDataFrame), else None."""
    import pyarrow as pa

    crs = None
    if hasattr(frame, "to_crs"):  # asked without loading GeoPandas
        import pandas as pd
        import shapely

        name = frame.geometry.name
        crs = frame.crs.to_string() if frame.crs is not None else ""
        frame = pd.DataFrame(frame).drop(columns=name).assign(geometry=shapely.to_wkb(frame.geometry.to_numpy()))
    write_table(pa.Table.from_pandas(frame, preserve_index=False), path)
    return crs


def read_frame(path: Path, crs: str | None) -> pd.DataFrame:
    """The frame of `write_frame`; a GeoDataFrame where `crs` is not None."""
    frame = read_table(path).to_pandas(date_as_object=True, ignore_metadata=True)
    if crs is None:
        return frame
    import geopandas as gpd
    import shapely

    shapes = shapely.from_wkb(frame["geometry"].to_numpy(dtype=object))
    return gpd.GeoDataFrame(frame.drop(columns="geometry"), geometry=shapes, crs=crs or None)


# --- the upload ------------------------------------------------------------------------------------------------------


def write_upload(upload: Upload, folder: Path) -> None:
    """The parser's side: receipt, rows and refused rows as files in `folder` (where fixes lie already)."""
    import pyarrow as pa

    from geo_monitor import tables
    from geo_monitor.ingest.kinds import TABLES

    receipt = upload.receipt
    told: dict[str, Any] = {name: getattr(receipt, name) for name in ("status", "rows", "encoding", "crs")}
    for form in ("notes", "warnings", "errors"):
        told[form] = [[message.code, message.params, message.rows] for message in getattr(receipt, form)]
    if upload.rows is not None:
        arrow = tables.table(TABLES[receipt.kind]).to_arrow(upload.rows)
        for name, kind in EXTRA.items():
            if name in upload.rows and name not in arrow.column_names:
                cells = pa.Array.from_pandas(upload.rows[name], type=pa.type_for_alias(kind))
                arrow = arrow.append_column(name, cells)
        write_table(arrow, folder / "rows.arrow")
    if upload.quarantine is not None:
        write_table(texts(upload.quarantine), folder / "quarantine.arrow")
    if upload.persons is not None:
        columns = {name: pa.array(upload.persons[name].tolist(), pa.type_for_alias(PEOPLE[name])) for name in PERSON}
        write_table(pa.table(columns), folder / "persons.arrow")
    (folder / "receipt.json").write_bytes(dumps(told))


def texts(frame: pd.DataFrame) -> pa.Table:
    """Refused rows as a table: `row` a number, all else text."""
    import pyarrow as pa

    return pa.table({str(name): _column(frame[name]) for name in frame.columns}).combine_chunks()


def _column(cells: Any) -> pa.Array:
    """Row numbers as they are, everything else as text."""
    import pyarrow as pa

    if cells.name == "row":
        return pa.array(cells.to_numpy(), pa.int64())
    plain = [None if cell is None or cell != cell else str(cell) for cell in cells.tolist()]
    # half of a pair of surrogates has no bytes in UTF-8
    return pa.array([cell if cell is None else cell.encode("utf-8", "replace").decode() for cell in plain], pa.string())


def read_upload(blank: Receipt, folder: Path) -> Upload:
    """Our side: the upload in `folder`, checked. Who sent what when stays as `blank` has it. Raises `Garbled`."""
    path = folder / "receipt.json"
    if path.is_symlink() or not path.is_file() or path.stat().st_size > JSON_BYTES:
        raise Garbled("the receipt is missing, or too long")
    receipt = _receipt(blank, loads(path.read_bytes()))
    if receipt.kind == "tracks":
        return Upload(receipt, fixes=_fixes(receipt, folder))
    rows = _rows(receipt, folder / "rows.arrow")
    persons = _people(rows, folder / "persons.arrow")
    return Upload(receipt, rows, _quarantine(receipt, folder / "quarantine.arrow"), persons)


def _people(rows: pd.DataFrame | None, path: Path) -> pd.DataFrame | None:
    if not path.is_file() or path.is_symlink():
        return None
    import pyarrow as pa

    arrow = read_table(path)
    if arrow.schema.remove_metadata() != pa.schema([(name, pa.type_for_alias(kind)) for name, kind in PEOPLE.items()]):
        raise Garbled("persons have other columns")
    if rows is None or "report_id" not in rows or not set(arrow["report_id"].to_pylist()) <= set(rows["report_id"]):
        raise Garbled("persons of other reports than those sent")
    frame = arrow.to_pandas()
    if frame[["report_id", "version", "part", "name"]].isna().any(axis=None):
        raise Garbled("a person without name or report")
    return frame


def _receipt(blank: Receipt, told: Any) -> Receipt:
    wanted = {"status", "rows", "encoding", "crs", "notes", "warnings", "errors"}
    if not isinstance(told, dict) or set(told) != wanted or told["status"] not in STATUSES:
        raise Garbled("the receipt has other parts")
    counts = told["rows"]
    if not isinstance(counts, dict) or set(counts) != set(COUNTS):
        raise Garbled("the receipt counts otherwise")
    if any(type(count) is not int or count < 0 for count in counts.values()):
        raise Garbled("a count is no number")
    if counts["read"] != sum(counts[name] for name in COUNTS[1:]):
        raise Garbled(f"the rows do not add up: {counts}")
    for name in ("encoding", "crs"):
        if not isinstance(told[name], dict) or not all(_is_scalar(value) for value in told[name].values()):
            raise Garbled(f"{name} is no plain record")
    changes: dict[str, Any] = {"status": told["status"], "rows": counts}
    for name in ("encoding", "crs"):
        changes[name] = {str(key)[:40]: _cut(value) for key, value in told[name].items()}
    for form in ("notes", "warnings", "errors"):
        changes[form] = tuple(message(found) for found in _listed(told[form]))
    return replace(blank, **changes)


def _is_flat(params: Any) -> bool:
    return isinstance(params, dict) and not any(isinstance(value, dict) for value in params.values())


def _param(code: str, value: Any) -> Any:
    """A plain value, or code and params, plain themselves, of another sentence. Raises `Garbled`."""
    if isinstance(value, dict):
        if set(value) != {"code", "params"} or not _is_flat(value["params"]):
            raise Garbled(f"{code}: params are no plain values")
        inner = message([value["code"], value["params"], []])
        return {"code": inner.code, "params": inner.params}
    if not _is_plain(value):
        raise Garbled(f"{code}: params are no plain values")
    return _cut(value)


def message(found: Any) -> Message:
    """[code, params, rows] as a message that can be told in both languages. Raises `Garbled`."""
    if not isinstance(found, list) or len(found) != 3:
        raise Garbled("a message has other parts")
    code, params, rows = found
    if not isinstance(code, str) or code not in catalogue() or code.startswith(NO_SENTENCE):
        raise Garbled(f"unknown code: {str(code)[:60]}")
    if not isinstance(params, dict):
        raise Garbled(f"{code}: params are no record")
    if not isinstance(rows, list) or len(rows) > ROWS_NAMED or not all(type(row) is int for row in rows):
        raise Garbled(f"{code}: rows are no numbers")
    params = {str(key): _param(code, value) for key, value in params.items()}
    try:
        for lang in LANGUAGES:
            text(code, lang, **params)
            hint(code, lang, **params)
    except (KeyError, ValueError, IndexError, TypeError) as error:
        raise Garbled(f"{code}: {error!r}") from None
    return Message(code, params, tuple(rows))


def _listed(found: Any) -> list[Any]:
    if not isinstance(found, list):
        raise Garbled("messages are no list")
    return found


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _is_plain(value: Any) -> bool:
    """Whether it is one value or a list of some."""
    return all(map(_is_scalar, value)) if isinstance(value, list) else _is_scalar(value)


def _cut(value: Any) -> Any:
    if isinstance(value, list):
        return [_cut(one) for one in value[:LISTED]] + ["…"] * (len(value) > LISTED)
    if isinstance(value, str) and len(value) > PARAM_CHARACTERS:
        return value[:PARAM_CHARACTERS] + "…"
    return value


def _rows(receipt: Receipt, path: Path) -> pd.DataFrame | None:
    from geo_monitor.ingest.kinds import TABLES

    stored = receipt.rows["accepted"] + receipt.rows["corrected"] if receipt.status.startswith("accepted") else 0
    if not path.is_file() or path.is_symlink():
        if stored:
            raise Garbled("accepted rows are missing")
        return None
    import pyarrow as pa
    import shapely

    from geo_monitor import tables

    table = tables.table(TABLES[receipt.kind])
    arrow = read_table(path)
    extra = [field for field in arrow.schema if field.name not in table.names]
    own = arrow.select(arrow.column_names[: len(table.names)])
    if own.schema.remove_metadata() != table.arrow or any(EXTRA.get(f.name) != str(f.type) for f in extra):
        raise Garbled(f"rows have other columns than {table.name}")
    # rows of one name make one jurisdiction, else each row stands for itself
    if not 0 < len(arrow) <= stored or (receipt.kind != "jurisdictions" and len(arrow) != stored):
        raise Garbled(f"{len(arrow)} rows where the receipt counts {stored}")
    if "receipt_id" in own.column_names:
        told = pa.array([receipt.receipt_id], pa.string()).take(pa.array([0] * len(own), pa.int8()))
        own = own.set_column(own.column_names.index("receipt_id"), "receipt_id", told)
    if broken := flaws(table, own):
        raise Garbled(broken)
    try:
        frame = table.from_arrow(own)
    except (shapely.errors.GEOSException, ValueError, TypeError) as error:
        raise Garbled(str(error)[:300]) from None
    for field in extra:
        frame[field.name] = arrow[field.name].to_numpy()
    return frame


def _fixes(receipt: Receipt, folder: Path) -> Fixes | None:
    """What was left of an upload of fixes, gone through batch by batch; None where nothing is to be stored."""
    from geo_monitor.ingest.spool import Fixes

    fixes = Fixes(folder)
    stored = receipt.rows["accepted"] + receipt.rows["corrected"] if receipt.status.startswith("accepted") else 0
    days = fixes.days() if stored else []
    if (found := sum(_fixes_of(fixes, day) for day in days)) != stored:
        raise Garbled(f"{found} rows where the receipt counts {stored}")
    refused = receipt.rows["quarantined"] if receipt.status != "duplicate" else 0
    if refused and (found := sum(len(batch) for batch in _refused(fixes.refused))) != refused:
        raise Garbled("refused rows are not those of the receipt")
    return fixes if stored or refused else None


def _fixes_of(fixes: Fixes, day: int) -> int:
    """How many fixes there are of a day, all of it, in order and by the rules of the table. Raises `Garbled`."""
    import numpy as np
    import pyarrow as pa

    from geo_monitor import tables
    from geo_monitor.ingest.spool import FIXES
    from geo_monitor.tracks import shanghai_day

    table, count, last = tables.table("positions"), 0, (b"", 0)
    for batch in _batches(fixes.of(day)):
        if batch.schema.remove_metadata() != FIXES:
            raise Garbled(f"rows have other columns than {table.name}")
        if not len(batch):
            continue
        words = [column for column in batch.columns if pa.types.is_dictionary(column.type)]
        if any(column.dictionary.null_count for column in words):
            raise Garbled("a word is missing")
        if broken := flaws(table, batch):
            raise Garbled(broken)
        ms = np.asarray(batch.column("time").cast(pa.int64()))
        names = [name.encode() for name in batch.column("unit_id").dictionary.to_pylist()]
        unit = np.asarray(batch.column("unit_id").indices)
        if any(one >= other for one, other in pairwise(names)) or (shanghai_day(ms) != day).any():
            raise Garbled("rows of another day, or units out of order")
        later = (np.diff(unit) > 0) | ((np.diff(unit) == 0) & (np.diff(ms) >= 0))
        if not later.all() or last > (names[unit[0]], int(ms[0])):
            raise Garbled("rows out of order")
        last, count = (names[unit[-1]], int(ms[-1])), count + len(batch)
    return count


def _refused(spool: Spool) -> Iterator[pa.RecordBatch]:
    names: list[str] | None = None
    for batch in _batches(spool):
        names = names or batch.schema.names
        if any(str(field.type) != ("int64" if field.name == "row" else "string") for field in batch.schema):
            raise Garbled("refused rows are no text")
        if batch.schema.names != names or len(set(names)) != len(names):
            raise Garbled("refused rows have other columns")
        yield batch


def _batches(spool: Spool) -> Iterator[pa.RecordBatch]:
    """The batches of a spool, every offset and every text in them checked. Raises `Garbled`."""
    import pyarrow as pa

    try:
        if spool.path.is_symlink():
            raise Garbled(f"{spool.path.name} leads elsewhere")
        for batch in spool:
            batch.validate(full=True)
            yield batch
    except (pa.ArrowException, OSError, ValueError) as error:
        raise Garbled(f"{spool.path.name}: {str(error)[:200]}") from None


def flaws(table: Table, arrow: pa.Table | pa.RecordBatch) -> str | None:
    """What breaks the rules of a table's columns that are there (as `Table.check`, which takes longer to load than an import), or None.

    >>> from geo_monitor.tables import table
    >>> import pyarrow as pa
    >>> flaws(table("links"), pa.table({"reach_a": ["a"], "reach_b": ["b"], "distance_m": [-1.0]}))
    'distance_m: -1.0 is less than 0'
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    for column in table.columns:
        if column.name not in arrow.schema.names:
            continue
        cells = arrow[column.name]
        if cells.null_count and not column.null:
            return f"{column.name}: {cells.null_count} are missing"
        if isinstance(cells, pa.DictionaryArray):
            cells = cells.dictionary
        if column.allowed and pc.all(pc.is_in(cells.drop_null(), pa.array(column.allowed))).as_py() is False:
            return f"{column.name}: other words than {', '.join(column.allowed)}"
        if column.low is None and column.high is None:
            continue
        if pa.types.is_floating(cells.type) and pc.any(pc.is_nan(cells)).as_py():
            return f"{column.name}: not a number"
        least, most = pc.min_max(cells).as_py().values()
        if column.low is not None and least is not None and least < column.low:
            return f"{column.name}: {least} is less than {column.low}"
        if column.high is not None and most is not None and most > column.high:
            return f"{column.name}: {most} is more than {column.high}"
    return None


def _quarantine(receipt: Receipt, path: Path) -> pd.DataFrame | None:
    if not path.is_file() or path.is_symlink():
        return None
    table = read_table(path)
    if any(str(field.type) != ("int64" if field.name == "row" else "string") for field in table.schema):
        raise Garbled("refused rows are no text")
    if len(table) != receipt.rows["quarantined"] or len(set(table.column_names)) != table.num_columns:
        raise Garbled("refused rows are not those of the receipt")
    return table.to_pandas()
