"""Ban zones: polygons with the rule that holds there, and when it holds."""

from __future__ import annotations

import re

import numpy as np

from geo_monitor.ingest import dates, geometry
from geo_monitor.ingest.kinds.source import Array, Source, Taken, content_id, or_else, stamp

RANGE = re.compile(r"\s*(?:至|到|—+|–|~|～|(?<=[日\d])\s*-\s*(?=\d{1,2}\s*月))\s*")


def take(source: Source) -> Taken:
    """Rows of `zones`."""
    import pandas as pd
    import shapely

    ledger = source.ledger
    shapes, placed = geometry.to_wgs84(source.shapes(), source.told(), ledger, source.settings, source.datums())
    shapes = geometry.polygons(shapes, ledger, source.settings)
    name, given = source.texts("name"), source.texts("zone_id")
    if "name" not in source:
        source.need("zone_id", "name")
    nameless = np.array([a is None and b is None for a, b in zip(name, given, strict=True)], dtype=bool)
    ledger.refuse(nameless, "zone_nameless")
    alive = ledger.alive
    outline = np.array([shape.wkt if ok else None for shape, ok in zip(shapely.set_precision(
        np.where(alive, shapes, None), 1e-7), alive, strict=True)], dtype=object)  # fmt: skip
    if all(cell is None for cell in given):
        ledger.note("id_from_content")
    begin, end = _seasons(source)
    start, stop = source.moments("valid_from", required=False), _until(source)
    backwards = (start != dates.NAT) & (stop != dates.NAT) & (stop <= start)
    ledger.refuse(backwards, "valid_backwards")
    frame = pd.DataFrame({
        "zone_id": or_else(given, content_id("z", name, outline)), "name": or_else(name, given),
        "category": source.texts("category"), "rule": source.texts("rule"), "season_from": begin, "season_to": end,
        "valid_from": stamp(start), "valid_to": stamp(stop), "agency": source.agencies(), "geometry": shapes,
    })  # fmt: skip
    return Taken(frame, placed)


def _until(source: Source) -> Array:
    """The moment a rule ends (exclusive): a bare last day counts in full."""
    ms = source.moments("valid_to", required=False)
    if "valid_to" not in source:
        return ms
    bare = dates.parse(source.column("valid_to"), source.columns.zone("valid_to")).bare
    whole_day = bare & (ms != dates.NAT)
    last_day = re.search(r"至|止|截止|有效期", source.columns.header("valid_to") or "") is not None
    return np.where(whole_day & last_day, ms + 86_400_000, ms)


def _seasons(source: Source) -> tuple[Array, Array]:
    """MM-DD from and to (n,): two columns, or one that says 3月1日至6月30日."""
    begin, end = (_month_days(source, name) for name in ("season_from", "season_to"))
    if "season" in source:
        for i, cell in enumerate(source.texts("season")):
            parts = RANGE.split(cell) if cell else []
            if len(parts) == 2 and begin[i] is None and end[i] is None:
                begin[i], end[i] = dates.month_day(parts[0]), dates.month_day(parts[1])
    half = np.array([(a is None) != (b is None) for a, b in zip(begin, end, strict=True)], dtype=bool)
    source.ledger.warn("season_half", half)
    begin[half] = end[half] = None
    return begin, end


def _month_days(source: Source, name: str) -> Array:
    cells = source.texts(name)
    days = np.array([None if cell is None else dates.month_day(cell) for cell in cells], dtype=object)
    unread = np.array([a is not None and b is None for a, b in zip(cells, days, strict=True)], dtype=bool)
    source.ledger.warn("season_unreadable", unread, column=source.columns.header(name))
    return days
