"""Ban zones: polygons with the rule that holds there, and when it holds."""

from __future__ import annotations

import re

import numpy as np

from geo_monitor.ingest import dates, geometry
from geo_monitor.ingest.kinds.levels import stations
from geo_monitor.ingest.kinds.source import Array, Source, Taken, content_id, or_else, stamp

# a hyphen parts two days only where it can't stand inside one: 3月1日-6月30日, 3.1-6.30, but not 03-01
RANGE = re.compile(r"\s*(?:至|到|—+|–|~|～|(?<=[日号时点])\s*-\s*|(?<=\d\.\d)-|(?<=\d\.\d\d)-|\s-\s)\s*")
ALWAYS = re.compile(r"全年|常年|终年|长年|all year|year.?round", re.IGNORECASE)


def take(source: Source) -> Taken:
    """Rows of `zones`."""
    import pandas as pd
    import shapely

    ledger = source.ledger
    shapes, placed = geometry.to_wgs84(
        source.shapes(), source.told(), ledger, source.settings, source.datums(), source.zones()
    )
    shapes = geometry.polygons(shapes, ledger, source.settings)
    name, given = source.texts("name"), source.texts("zone_id")
    if "name" not in source:
        source.need("zone_id", "name")
    nameless = np.array([a is None and b is None for a, b in zip(name, given, strict=True)], dtype=bool)
    ledger.refuse(nameless, "zone_nameless")
    alive = ledger.alive
    rounded = shapes.copy()
    rounded[~alive] = None
    outline = shapely.to_wkt(shapely.set_precision(rounded, 1e-7), rounding_precision=-1)
    if all(cell is None for cell in given):
        ledger.note("id_from_content")
    begin, end = _seasons(source)
    start, stop = source.moments("valid_from", required=False), _until(source)
    backwards = (start != dates.NAT) & (stop != dates.NAT) & (stop <= start)
    ledger.refuse(backwards, "valid_backwards")
    station, low, high = _levels(source)
    frame = pd.DataFrame({
        "zone_id": or_else(given, content_id("z", name, outline)), "name": or_else(name, given),
        "category": source.texts("category"), "rule": source.texts("rule"), "season_from": begin, "season_to": end,
        "valid_from": stamp(start), "valid_to": stamp(stop), "level_station": station, "level_from_m": low,
        "level_to_m": high, "agency": source.agencies(), "geometry": shapes,
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


def _levels(source: Source) -> tuple[Array, Array, Array]:
    """Gauge, lower and upper level (n,) of rules that hold at some water levels only; half a rule is none, and told."""
    station = stations(source, "level_station")
    low, high = source.numbers("level_from_m"), source.numbers("level_to_m")
    source.ledger.refuse(low >= high, "level_backwards")
    named = np.array([cell is not None for cell in station], dtype=bool)
    bound = ~np.isnan(low) | ~np.isnan(high)
    source.ledger.warn("level_no_station", bound & ~named)
    source.ledger.warn("level_no_bounds", named & ~bound)
    whole = named & bound
    station[~whole] = None
    return station, np.where(whole, low, np.nan), np.where(whole, high, np.nan)


def _seasons(source: Source) -> tuple[Array, Array]:
    """MM-DD from and to (n,): two columns, or one that says 3月1日至6月30日."""
    begin, end = (_month_days(source, name) for name in ("season_from", "season_to"))
    if "season" in source:
        unread = np.zeros(len(source), dtype=bool)
        for i, cell in enumerate(source.texts("season")):
            if cell is None or begin[i] is not None or end[i] is not None:
                continue
            parts = [_month_day(part) for part in RANGE.split(cell)]
            if len(parts) == 2 and None not in parts:
                begin[i], end[i] = parts
            elif not ALWAYS.search(cell):
                unread[i] = True
        source.ledger.warn("season_unreadable", unread, column=source.columns.header("season"))
    half = np.array([(a is None) != (b is None) for a, b in zip(begin, end, strict=True)], dtype=bool)
    source.ledger.warn("season_half", half)
    begin[half] = end[half] = None
    return begin, end


def _month_days(source: Source, name: str) -> Array:
    cells = source.texts(name)
    days = np.array([None if cell is None else _month_day(cell) for cell in cells], dtype=object)
    unread = np.array([a is not None and b is None for a, b in zip(cells, days, strict=True)], dtype=bool)
    source.ledger.warn("season_unreadable", unread, column=source.columns.header(name))
    return days


def _month_day(cell: str) -> str | None:
    """A day as notices word it: 每年3月1日零时, 次年2月28日24时. The hour is left out, both days count in full."""
    plain = re.sub(r"^\s*自?(?:每年|次年|翌年|当年|同年|下一年)?(?:的)?\s*", "", cell)
    return dates.month_day(re.sub(r"(?<=[日号])\s*(?:零|[\d:：]+)\s*[时点](?:整)?.*$|(?<=[日号])止$", "", plain))
