"""Shapes written as WKB. Open rings are closed and told; shapes that can't be read are refused row by row."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import shapely

from geo_monitor.ingest.raw import BadRow, Raw
from geo_monitor.ingest.receipt import Message

# what floating-point units write for "no number", in both byte orders
_NANS = tuple(struct.pack(">Q", bits)[::step] for bits in (0x7FF8 << 48, 0xFFF8 << 48) for step in (1, -1))


def take(raw: Raw, blobs: Sequence[bytes | None]) -> list[int]:
    """Gives the rows of `raw` their shapes (n blobs, None: no shape); those that can't be read go to its `bad`.

    Gives the numbers of rows with a ring that was not closed.
    """
    wkb = np.empty(len(blobs), dtype=object)
    wkb[:] = blobs
    with np.errstate(invalid="ignore"):  # what is not finite is refused row by row later
        shapes = shapely.from_wkb(wkb, on_invalid="fix")
    lost = shapely.is_missing(shapes) & np.array([blob is not None for blob in blobs], dtype=bool)
    for i in np.flatnonzero(lost).tolist():
        cells = {
            name: "" if value is None else str(value) for name, value in raw.cells.slice(i, 1).to_pylist()[0].items()
        }
        # a ring that begins and ends with no number can't be closed
        nan = any(written in wkb[i] for written in _NANS)
        raw.bad.append(
            BadRow(int(raw.row[i]), cells, Message("coordinate_not_finite" if nan else "geometry_unreadable"))
        )
    areas = np.flatnonzero(shapely.get_type_id(shapes) >= 3)
    sizes = [len(blob) for blob in shapely.to_wkb(shapes[areas], output_dimension=4)]
    closed = [int(raw.row[i]) for i, size in zip(areas, sizes, strict=True) if size > len(wkb[i])]
    raw.shapes = shapes
    if lost.any():
        raw.cells, raw.row, raw.shapes = raw.cells.filter(pa.array(~lost)), raw.row[~lost], shapes[~lost]
    return closed


def warn(raw: Raw, closed: Sequence[int]) -> None:
    """Says of rows that their rings were closed."""
    if closed:
        raw.warn("ring_closed", list(closed), count=len(closed))
