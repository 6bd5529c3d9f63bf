"""Reports of illegal fishing found: placed by coordinates, by river, km and bank, or in words only."""

from __future__ import annotations

import numpy as np

from geo_monitor.ingest.kinds.source import Source, Taken, content_id, or_else, stamp


def take(source: Source) -> Taken:
    """Rows of `seizures`. Words alone are kept `unplaced`: the map places them by hand."""
    import pandas as pd

    ledger = source.ledger
    source.need("time", "date")
    if source.raw.shapes is None:
        source.need("lon", "position", "km", "place")
    ms = source.moments("time")
    setting = source.words("setting")
    lon, lat, placed = source.points(
        telling=np.array([word in (None, "water", "bank") for word in setting], dtype=bool)
    )
    river, km, place = source.texts("river"), source.numbers("km"), source.texts("place")
    nowhere = np.isnan(lon) & ~(np.array([cell is not None for cell in river], dtype=bool) & ~np.isnan(km))
    worded = np.array([cell is not None for cell in place], dtype=bool)
    ledger.refuse(nowhere & ~worded, "place_missing")
    ledger.warn("unplaced", nowhere & worded)
    texts = {name: source.texts(name) for name in ("gear", "patrol_id")}
    numbers = {
        name: source.numbers(name, low=0.0) for name in ("quantity", "catch_kg", "value_cny", "vessels", "suspects")
    }
    words = {name: source.words(name) for name in ("bank", "origin", "disposition")}
    made = content_id("r", ms, lon.round(6), lat.round(6), river, km, place, texts["gear"], numbers["catch_kg"])
    report = source.texts("report_id")
    if all(cell is None for cell in report):
        ledger.note("id_from_content")
    frame = pd.DataFrame({
        "report_id": or_else(report, made), "time": stamp(ms), "lon": lon, "lat": lat, "river": river, "km": km,
        "place": place, "setting": setting, **words, **texts, **numbers, "agency": source.agencies(),
    })  # fmt: skip
    return Taken(frame, placed, source.people())
