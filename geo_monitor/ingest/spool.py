"""Rows put aside in files while an upload is worked on, and what an upload of fixes leaves there for the store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from geo_monitor import tables

if TYPE_CHECKING:
    import pandas as pd

POSITIONS = tables.TABLES["positions"]
WORD = pa.dictionary(pa.int32(), pa.string())
# as fixes lie in a spool: words by their codes, with the number of the row they came from; who received them is known
FIXES = pa.schema(
    [
        *(
            pa.field(f.name, WORD if f.type == pa.string() else f.type)
            for f in POSITIONS.arrow
            if f.name != "receipt_id"
        ),
        pa.field("row", pa.int64()),
    ]
)
_FIXES = re.compile(r"fixes-(-?\d{1,7})\.arrow")
REFUSED = "quarantine.arrow"


class Spool:
    """Record batches put aside in a file, to be read again in their order, one at a time, as often as asked."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, batch: pa.RecordBatch) -> None:
        """Puts a batch behind the others. The file is open no longer than that: there may be thousands."""
        with self.path.open("ab") as file, pa.ipc.new_stream(file, batch.schema) as writer:
            writer.write_batch(batch)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Raises `pyarrow.ArrowException`, `OSError` where another wrote the file, and otherwise."""
        if not self.path.exists():
            return
        size = self.path.stat().st_size
        with pa.OSFile(str(self.path)) as file:
            while file.tell() < size:
                with pa.ipc.open_stream(file) as reader:
                    yield from reader

    def clear(self) -> None:
        self.path.unlink(missing_ok=True)


class Fixes:
    """The fixes of an upload that are to be stored, by Shanghai day, each day sorted by unit and time, and its refused
    rows: files in a folder, read part by part. They go with the folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def days(self) -> list[int]:
        """Days since 1970-01-01, in Asia/Shanghai, of which there are any."""
        names = (_FIXES.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(int(name[1]) for name in names if name)

    def of(self, day: int) -> Spool:
        """Those of a day (columns `FIXES`)."""
        return Spool(self.folder / f"fixes-{day}.arrow")

    @property
    def refused(self) -> Spool:
        """Rows refused, as sent, by number: row, the columns of the file, the reasons."""
        return Spool(self.folder / REFUSED)

    def frame(self, receipt_id: str) -> pd.DataFrame | None:
        """All fixes as rows of table `positions`, in the order of the file; None without any."""
        held = [batch for day in self.days() for batch in self.of(day)]
        if not held:
            return None
        table = pa.Table.from_batches([decoded(batch) for batch in held]).sort_by("row")
        told = pa.array([receipt_id], pa.string()).take(pa.array([0] * len(table), pa.int8()))
        return POSITIONS.from_arrow(table.append_column("receipt_id", told).select(POSITIONS.names))

    def refusals(self) -> pd.DataFrame | None:
        """All refused rows; None without any."""
        held = list(self.refused)
        return pa.Table.from_batches(held).to_pandas() if held else None


def decoded(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Fixes with words as plain text."""
    plain = pa.schema([pa.field(f.name, pa.string() if f.type == WORD else f.type) for f in batch.schema])
    return batch.cast(plain)
