"""The door: one upload, from the file to rows and receipt. The order of the steps, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geo_monitor import tables
from geo_monitor.errors import Refused
from geo_monitor.ingest import columns, files, handover, identity, kinds, numbers
from geo_monitor.ingest.columns import Columns, Match
from geo_monitor.ingest.fields import FIELDS, Field
from geo_monitor.ingest.kinds.source import Source
from geo_monitor.ingest.ledger import Book, Ledger, add
from geo_monitor.ingest.raw import Parts, Raw
from geo_monitor.ingest.receipt import PERSON, ROWS_NAMED, Held, Message, Options, Receipt, Upload, status_of
from geo_monitor.ingest.spool import Fixes
from geo_monitor.messages import text
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import pandas as pd


def read(kind: str, path: Path, options: Options, held: Held, settings: Settings, now: datetime) -> Upload:
    """An upload as rows and receipt; a file that can't be used gives a receipt that says why, and no rows.

    kind: one of `kinds.TABLES`. Raises `Usage` where the options themselves are wrong.
    """
    path = Path(path)
    blank = Receipt.blank(kind, path.name, sha256(path), options.agency, now)
    with TemporaryDirectory(prefix="geo-monitor-") as folder:
        return fill(blank, path, options, held, settings, now, Path(folder)).gathered()


def fill(
    receipt: Receipt, path: Path, options: Options, held: Held, settings: Settings, now: datetime, folder: Path
) -> Upload:
    """As `read`, for a receipt that is begun; fixes and what is refused of them are left in `folder`."""
    kind, digest = receipt.kind, receipt.sha256
    before = held.sha256(digest, kind)
    try:
        with files.opened(path, settings) as (members, budget):
            if kind == "raster":
                from geo_monitor.ingest.kinds import raster

                upload = raster.upload(receipt, files.rasters(members), options, held, settings, path.name, digest)
            elif kind == "tracks":
                parts = files.parts(members, budget, kind, options, settings, path.name)
                upload = _fixes(receipt, parts, path, options, held, settings, now, folder)
            else:
                raw = files.read(members, budget, kind, options, settings, path.name)
                upload = _rows(receipt, raw, kind, path, options, held, settings, now)
    except Refused as error:
        told = Message(error.code, error.params, tuple(error.rows[:ROWS_NAMED]))
        return Upload(replace(receipt, errors=(told,)))
    if before is not None and upload.receipt.status != "rejected":
        note = Message("same_file", {"receipt": before})
        found = replace(upload.receipt, status="duplicate", notes=(note, *upload.receipt.notes))
        return Upload(found)
    return upload


def sha256(path: Path) -> str:
    """Of a file's bytes; of a folder's, those of its files in order of their names."""
    digest = hashlib.sha256()
    for part in sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]:
        with part.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def _rows(
    receipt: Receipt, raw: Raw, kind: str, path: Path, options: Options, held: Held, settings: Settings, now: datetime
) -> Upload:
    ledger = Ledger(raw.row)
    found = _columns(kind, raw, options)
    source = Source(raw, found, ledger, options, settings, held, now, path.stem)
    taken = kinds.take(kind, source)
    frame = taken.frame
    if kind == "jurisdictions":
        done = _jurisdictions(frame, ledger, held)
    else:
        done = identity.records(kind, frame, ledger, held)
    refused = ~ledger.alive
    counts = {
        "read": raw.read, "accepted": int(done.new.sum()), "quarantined": int(refused.sum()) + len(raw.bad),
        "unchanged": int(done.unchanged.sum()), "corrected": int(done.corrected.sum()),
    }  # fmt: skip
    persons = _persons(taken.names, done)
    if persons is not None:
        ledger.note("names_sealed", count=len(persons))
    _tell_columns(ledger, found)
    errors = _errors(ledger, raw)
    warnings = [*_of_reader(raw), *ledger.warnings]
    if done.corrected.any():
        ledger.notes.append(Message("records_corrected", {"count": counts["corrected"]}))
    changed = counts["accepted"] + counts["corrected"]
    status = status_of(counts, bool(warnings or errors))
    if status == "duplicate":
        ledger.notes.append(Message("rows_held_already", {"count": counts["unchanged"]}))
    made = replace(
        receipt, status=status, rows=counts, encoding=raw.encoding.to_json(),
        crs=taken.placed.to_json() if taken.placed else {**receipt.crs, "confidence": 1.0, "used": "EPSG:4326"},
        notes=(*raw.notes, *_once(ledger.notes)), warnings=tuple(warnings), errors=tuple(errors),
    )  # fmt: skip
    if kind in ("units", "patrols", "levels"):
        made = replace(made, crs=receipt.crs)
    rows = None
    if changed and done.rows is not None:
        table = tables.table(kinds.TABLES[kind])
        extra = [name for name in ("agency", "version") if name in done.rows and name not in table.names]
        rows = table.conform(done.rows.assign(receipt_id=receipt.receipt_id))
        for name in extra:
            rows[name] = done.rows[name].to_numpy()
    quarantine = None
    if counts["quarantined"] and status != "duplicate":
        places = np.flatnonzero(refused)
        quarantine = _quarantine(raw, places, [ledger.reasons[code] for code in ledger.reason[places].tolist()])
    return Upload(made, rows, quarantine, persons if rows is not None else None)


def _fixes(
    receipt: Receipt, parts: Parts, path: Path, options: Options, held: Held, settings: Settings, now: datetime, folder: Path
) -> Upload:  # fmt: skip
    """As `_rows`, of fixes: neither they nor the refused rows are ever in memory together; they are left in `folder`."""
    from geo_monitor.ingest.kinds import tracks

    found = _columns("tracks", parts.head, options)
    done = tracks.take(tracks.Sent(parts, found, options, settings, held, now, path.stem, folder))
    book, misfits = done.book, list(done.misfits.values())
    quarantined = len(done.refused) + sum(message.params["count"] for message in misfits)
    counts = {
        "read": done.read, "accepted": done.accepted, "quarantined": quarantined, "unchanged": done.unchanged,
        "corrected": 0,
    }  # fmt: skip
    _tell_columns(book, found)
    grouped: dict[tuple[str, str], Message] = {}
    for message in [*book.reasons, *misfits]:
        if message is not None:
            add(grouped, message, message.rows)
    warnings = [*_of_reader(parts.head), *book.warnings]
    status = status_of(counts, bool(warnings or grouped))
    if status == "duplicate":
        book.notes.append(Message("rows_held_already", {"count": counts["unchanged"]}))
    empty = {**receipt.crs, "confidence": 1.0, "used": "EPSG:4326"}
    made = replace(
        receipt, status=status, rows=counts, encoding=parts.head.encoding.to_json(),
        crs=empty if done.rule.empty else done.rule.to_json(), notes=(*parts.head.notes, *_once(book.notes)),
        warnings=tuple(warnings), errors=tuple(grouped.values()),
    )  # fmt: skip
    left = Fixes(folder)
    if quarantined and status != "duplicate":
        for frame in _refused(parts, done.refused, [book.reasons[code] for code in done.reason.tolist()], quarantined):
            left.refused.add(handover.texts(frame).to_batches()[0])
    return Upload(made, fixes=left)


def _refused(
    parts: Parts, rows: NDArray[np.int64], reasons: list[Message | None], count: int
) -> Iterator[pd.DataFrame]:
    """The refused rows as sent, part by part: the file is gone through once more, up to the last of them."""
    for raw in parts.parts():
        first, end = (
            (int(at) for at in np.searchsorted(rows, [raw.row[0], raw.row[-1] + 1])) if len(raw.row) else (0, 0)
        )
        if first < end or raw.bad:
            yield _quarantine(raw, np.searchsorted(raw.row, rows[first:end]), reasons[first:end])
            count -= end - first + len(raw.bad)
        if not count:
            return


def _persons(names: dict[str, list[tuple[str, ...]]], done: identity.Sorted) -> pd.DataFrame | None:
    """The names in the rows to store, one a row (`PERSON`); None where there are none."""
    import pandas as pd

    if done.rows is None or not names:
        return None
    kept = np.flatnonzero(done.new | done.corrected)
    ids = zip(*(done.rows[column].tolist() for column in ("report_id", "agency", "version")), strict=True)
    told = [
        (report_id, agency, version, header, name)
        for row, (report_id, agency, version) in zip(kept.tolist(), ids, strict=True)
        for header, cells in names.items()
        for name in cells[row]
    ]
    return pd.DataFrame(told, columns=list(PERSON)) if told else None


def _jurisdictions(frame: pd.DataFrame, ledger: Ledger, held: Held) -> identity.Sorted:
    """Rows of one name count with the record they are part of."""
    again = identity.same_parts(frame, ledger)
    merged, owner = identity.merge(frame, ledger)
    first = owner == np.arange(len(frame))
    inner = Ledger(ledger.row[first])
    done = identity.records("jurisdictions", merged[first].reset_index(drop=True), inner, held)
    place = np.cumsum(first) - 1
    part = owner >= 0
    masks = []
    for mask in (done.new, done.corrected, done.unchanged):
        whole = np.zeros(len(frame), dtype=bool)
        whole[part] = mask[place[owner[part]]]
        masks.append(whole)
    joined = part & ~first & ~again
    if joined.any():
        ledger.note("parts_joined", count=int(joined.sum()))
    ledger.warn("duplicate_rows", again & ~masks[2])
    return identity.Sorted(masks[0] & ~again, masks[1] & ~again, masks[2] | again, done.rows)


def _columns(kind: str, raw: Raw, options: Options) -> Columns:
    if raw.fields is None or options.columns:
        return columns.match(kind, [str(name) for name in raw.cells.column_names], options.columns)
    known = {field.name: field for field in FIELDS[kind]}
    matches = {ours: Match(known.get(ours, Field(ours, ())), theirs) for ours, theirs in raw.fields.items()}
    return Columns(matches, (), ())


def _tell_columns(ledger: Ledger | Book, found: Columns) -> None:
    if found.ignored:
        ledger.note("columns_ignored", columns=found.ignored[:20])
    dropped = [header for header in found.personal if header not in found.names]
    if dropped:
        ledger.note("columns_personal", columns=dropped)


def _once(notes: Sequence[Message]) -> list[Message]:
    kept: list[Message] = []
    for note in notes:
        if note not in kept:
            kept.append(note)
    return kept


def _of_reader(raw: Raw) -> list[Message]:
    return [Message(code, params, tuple(rows[:ROWS_NAMED])) for code, rows, params in raw.warnings]


def _errors(ledger: Ledger, raw: Raw) -> list[Message]:
    """One message a reason, with all its rows."""
    grouped: dict[tuple[str, str], Message] = {}
    for message in ledger.reasons[1:]:
        if message is not None:
            add(grouped, message, message.rows)
    for bad in raw.bad:
        add(grouped, bad.reason, (bad.row,))
    return list(grouped.values())


def _quarantine(raw: Raw, refused: NDArray[np.int64], reasons: list[Message | None]) -> pd.DataFrame:
    """The refused rows as sent (places in `raw`, and those that do not fit the header), each with its number and the
    reason, ready to correct and send again."""
    import pandas as pd
    import pyarrow as pa
    import shapely

    from geo_monitor.cells import safe

    cells = raw.cells.take(pa.array(refused))
    again = set(columns.OUR_COLUMNS) <= set(cells.column_names)  # a quarantine file that came back

    def labelled(sent: dict[str, Any]) -> dict[str, Any]:
        """Under names that are not ours and that no spreadsheet would run."""
        ours = {name: f"{name}_sent" for name in columns.OUR_COLUMNS if not again}
        return {safe(ours.get(name, name)): sent[name] for name in sent if not (again and name in columns.OUR_COLUMNS)}

    sent = labelled({str(name): numbers.texts(cells[name]) for name in cells.column_names})
    if raw.shapes is not None:
        sent["wkt"] = shapely.to_wkt(raw.shapes[refused], rounding_precision=9)
    rows = pd.DataFrame({"row": raw.row[refused], **sent})
    bad = pd.DataFrame([{"row": row.row, **labelled(row.cells)} for row in raw.bad])
    both = pd.concat([rows, bad], ignore_index=True) if len(bad) else rows
    reasons = [*reasons, *(row.reason for row in raw.bad)]
    for lang in handover.LANGUAGES:
        both[f"reason_{lang}"] = ["" if r is None else text(r.code, lang, **r.params) for r in reasons]
    return both.sort_values("row", kind="stable").reset_index(drop=True)
