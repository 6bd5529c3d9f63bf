"""Who answers for which ground. Rows of one name are parts of one unit."""

from __future__ import annotations

import numpy as np

from geo_monitor.ingest import geometry
from geo_monitor.ingest.kinds.source import Source, Taken


def take(source: Source) -> Taken:
    """Rows of `jurisdictions`; the door joins rows of one name into one record (`merge`)."""
    import pandas as pd

    source.need("name")
    shapes, placed = geometry.to_wgs84(source.shapes(), source.told(), source.ledger, source.settings, source.datums())
    shapes = geometry.polygons(shapes, source.ledger, source.settings)
    name = source.texts("name")
    source.ledger.refuse(np.array([cell is None for cell in name], dtype=bool), "name_missing")
    level = source.words("level")
    code = source.texts("adcode")
    plain = np.array([None if cell is None or not cell.isdigit() else cell for cell in code], dtype=object)
    level = np.array([known or _level(number) for known, number in zip(level, plain, strict=True)], dtype=object)
    frame = pd.DataFrame({
        "adcode": code, "name": name, "level": level, "parent": source.texts("parent"), "agency": source.agencies(),
        "geometry": shapes,
    })  # fmt: skip
    return Taken(frame, placed)


def _level(code: str | None) -> str | None:
    """The level a GB/T 2260 code tells by its zeros."""
    if code is None or len(code) != 6:
        return None
    return "province" if code.endswith("0000") else "city" if code.endswith("00") else "county"
