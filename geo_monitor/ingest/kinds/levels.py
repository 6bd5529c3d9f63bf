"""Water levels read at gauges: station, moment, metres."""

from __future__ import annotations

import re
import unicodedata

import numpy as np

from geo_monitor.ingest import dates
from geo_monitor.ingest.kinds.source import Array, Source, Taken, stamp

_KIND = re.compile(r"\s*(?:水位|水文|潮位|测)?站$")


def take(source: Source) -> Taken:
    """Rows of `levels`. A reading is known by agency, station and moment."""
    import pandas as pd

    ledger = source.ledger
    source.need("station")
    source.need("level_m")
    source.need("time", "date")
    station = stations(source, "station")
    ledger.refuse(np.array([cell is None for cell in station], dtype=bool), "station_missing")
    ms = source.moments("time")
    level = source.numbers("level_m")
    ledger.refuse(np.isnan(level), "level_missing")
    low, high = source.settings.level_low_m, source.settings.level_high_m
    ledger.refuse((level < low) | (level > high), "level_absurd", low=f"{low:g}", high=f"{high:g}")
    apart = source.settings.level_apart_m
    ledger.refuse(_far(station, level, ledger.alive, source, apart), "level_far", apart=f"{apart:g}")
    made = [
        None if name is None or t == dates.NAT else f"{name} {np.datetime64(int(t), 'ms').astype('datetime64[s]')}Z"
        for name, t in zip(station, ms, strict=True)
    ]
    frame = pd.DataFrame({
        "reading_id": made, "station": station, "time": stamp(ms), "level_m": level, "agency": source.agencies(),
    })  # fmt: skip
    return Taken(frame)


def stations(source: Source, name: str) -> Array:
    """Gauges by their bare names (n,), None where empty: what a zone asks for must be found among the readings."""
    cells = source.texts(name)
    return np.array([None if cell is None else bare(cell) for cell in cells], dtype=object)


def bare(station: str) -> str:
    """A gauge's name in half width without what it is.

    >>> bare("星子水文站"), bare("汉口(武汉关)站 "), bare("站")
    ('星子', '汉口(武汉关)', '站')
    """
    plain = unicodedata.normalize("NFKC", station).strip()
    return _KIND.sub("", plain) or plain


def _far(station: Array, level: Array, alive: Array, source: Source, apart: float) -> Array:
    """Readings over `apart` metres from the median of their station, of three or more: those held and these (n,)."""
    import pandas as pd

    there = source.held.records("levels")
    here = pd.DataFrame({"station": station[alive], "level_m": level[alive]})
    both = pd.concat([here, there[["station", "level_m"]]], ignore_index=True).dropna()
    known = {name: part.median() for name, part in both.groupby("station")["level_m"] if len(part) >= 3}
    middle = np.array([known.get(name, np.nan) for name in station], dtype=float)
    return np.asarray(np.abs(level - middle) > apart, dtype=bool)
