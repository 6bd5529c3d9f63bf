"""The one door in: uploads of agencies become rows of our tables, with a receipt.

    upload = read("tracks", Path("tracks.csv"), Options(agency="hubei"), Nothing(), Settings(), now)

In: a file or folder, what is already held, the clock as an argument. Out: `Upload` with the receipt, the rows to store
and the refused rows. Nothing is written and nothing is remembered here.

    readers/   one a format: bytes -> raw cells and shapes
    kinds/     one a kind of upload: raw cells -> rows of its table
    text, columns, vocabulary, dates, coordinates, crs, datum, geometry, motion, archives: one repair each
    spool      rows put aside in files: fixes are never in memory together
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geo_monitor.ingest.receipt import Held, Message, Nothing, Options, Receipt, Upload

if TYPE_CHECKING:
    from geo_monitor.ingest.door import read

__all__ = ["Held", "Message", "Nothing", "Options", "Receipt", "Upload", "read"]


def __getattr__(name: str) -> Any:
    if name == "read":
        from geo_monitor.ingest.door import read

        return read
    raise AttributeError(f"module 'geo_monitor.ingest' has no attribute {name!r}")
