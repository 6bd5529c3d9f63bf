"""Patrols reported in words: river, stretch, start, end, persons."""

from __future__ import annotations

import re

import numpy as np

from geo_monitor.ingest import dates, numbers
from geo_monitor.ingest.kinds.source import Source, Taken, content_id, or_else, stamp

RANGE = re.compile(r"\s*(?:至|到|—+|–|~|～|-|－)\s*(?=[KkＫ]?\s*\d)")


def take(source: Source) -> Taken:
    """Rows of `patrols`, how = reported."""
    import pandas as pd

    ledger, n = source.ledger, len(source)
    source.need("started_at", "date")
    source.need("ended_at", "hours")
    source.need("river")
    source.need("km_from", "stretch")
    start = source.moments("started_at")
    end = source.moments("ended_at", required=False)
    hours = source.numbers("hours", low=0.0)
    by_hours = (end == dates.NAT) & (start != dates.NAT) & ~np.isnan(hours)
    end = np.where(by_hours, start + np.nan_to_num(hours * 3_600_000).astype(np.int64), end)
    # 22:00 to 03:00 written as times of one day: the night is crossed
    crossed = (
        (end != dates.NAT) & (start != dates.NAT) & (end <= start) & (start - end < 86_400_000) & ("date" in source)
    )
    end = np.where(crossed, end + 86_400_000, end)
    ledger.warn("patrol_over_midnight", crossed)
    ledger.refuse(end == dates.NAT, "patrol_no_end")
    ledger.refuse((end <= start) & (end != dates.NAT), "patrol_backwards")
    low, high = source.numbers("km_from"), source.numbers("km_to")
    if "stretch" in source:
        for i, cell in enumerate(source.texts("stretch")):
            parts = RANGE.split(cell) if cell else []
            if len(parts) == 2 and np.isnan(low[i]) and np.isnan(high[i]):
                values = [numbers.loose(part, "km") for part in parts]
                if values[0] is not None and values[1] is not None:
                    low[i], high[i] = values[0], values[1]
    river = source.texts("river")
    ledger.refuse(np.array([cell is None for cell in river], dtype=bool), "river_name_missing")
    ledger.refuse(np.isnan(low) | np.isnan(high), "stretch_missing")
    unit = source.texts("unit_id")
    ids = source.texts("patrol_id")
    if all(cell is None for cell in ids) and n:
        ledger.note("id_from_content")
    made = content_id("p", unit, start, end, river, low, high)
    frame = pd.DataFrame({
        "patrol_id": or_else(ids, made), "unit_id": unit, "started_at": stamp(start), "ended_at": stamp(end),
        "river": river, "km_from": np.fmin(low, high), "km_to": np.fmax(low, high),
        "persons": source.numbers("persons", low=0.0), "how": "reported", "agency": source.agencies(),
    })  # fmt: skip
    return Taken(frame)
