"""What one analysis reads: the tables in force, with the shipped river and localities where none were imported.

In: the store. Out: `Inputs`, plain frames.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from geo_monitor import reference, tables
from geo_monitor.engine import blocks
from geo_monitor.times import shanghai_date, utc
from geo_monitor.tracks import NEVER, milliseconds

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geo_monitor.river.mask import Mask
    from geo_monitor.settings import Settings
    from geo_monitor.store import Store

DISTRICTS = ("上海", "重庆")  # of these the shipped localities are counties and districts, elsewhere cities
LOCALITIES = "divisions/localities.geojson"
SHIPPED = ("rivers_10m", "lakes_10m", "land_10m_estuary")  # what `river.shipped` reads
DRAWN = ("river", "jurisdictions", "raster")  # kinds of uploads that change the river
EVER = blocks.Span(-(1 << 60), 1 << 60)


@dataclass(frozen=True)
class Period:
    """Start (inclusive) and end (exclusive), None for open; `as_of`: only what had been received by then."""

    start: datetime | None = None
    end: datetime | None = None
    as_of: datetime | None = None

    @property
    def span(self) -> blocks.Span:
        """The same in ms UTC."""
        start, end = (None if edge is None else milliseconds([edge])[0] for edge in (self.start, self.end))
        return blocks.Span(EVER.start if start is None else int(start), EVER.end if end is None else int(end))


@dataclass
class Drawing:
    """What a river is built from. lines, lakes, marks, jurisdictions are frames of these tables; `masks` water masks. What is
    shipped is read only when asked for: once a river is built of it, nobody does."""

    sent: dict[str, gpd.GeoDataFrame]  # lines, lakes, marks, jurisdictions as far as they were sent: no rows is none
    masks: list[Mask]
    settings: Settings

    @classmethod
    def nothing_sent(cls, settings: Settings) -> Drawing:
        """Of the shipped river alone."""
        import geopandas as gpd

        names = ("lines", "lakes", "marks", "jurisdictions")
        return cls({name: gpd.GeoDataFrame() for name in names}, [], settings)

    @property
    def own(self) -> bool:
        """Whether anything of it was sent."""
        return any(len(frame) for frame in self.sent.values()) or bool(self.masks)

    @cached_property
    def _shipped(self) -> tuple[gpd.GeoDataFrame, ...]:
        from geo_monitor import river

        return river.shipped(self.settings)

    def _drawn(self, name: str, number: int) -> gpd.GeoDataFrame:
        """What was sent. Lakes and km marks sent without a line complete the shipped river."""
        return self.sent[name] if len(self.sent["lines"]) or len(self.sent[name]) else self._shipped[number]

    @property
    def lines(self) -> gpd.GeoDataFrame:
        return self._drawn("lines", 0)

    @property
    def lakes(self) -> gpd.GeoDataFrame:
        return self._drawn("lakes", 1)

    @property
    def marks(self) -> gpd.GeoDataFrame:
        return self._drawn("marks", 2)

    @cached_property
    def jurisdictions(self) -> gpd.GeoDataFrame:
        return self.sent["jurisdictions"] if len(self.sent["jurisdictions"]) else localities()

    @property
    def used(self) -> list[Path]:
        """The files of reference data that lines, lakes and jurisdictions are made from."""
        files = [] if len(self.sent["lines"]) else [reference.path(f"natural-earth/{name}.geojson") for name in SHIPPED]
        return files + ([] if len(self.sent["jurisdictions"]) else [reference.path(LOCALITIES)])


@dataclass
class Inputs:
    """Frames of the tables of these names; `zones` with every version in force; `river` what it is drawn from.

    Positions are not read yet: `plan` says in which blocks they lie.
    """

    river: Drawing
    zones: gpd.GeoDataFrame
    plan: blocks.Plan
    platforms: dict[str, str]  # of units, for fixes that tell none
    seizures: pd.DataFrame
    reported: pd.DataFrame  # of table `patrols`, and the platform of the unit
    levels: pd.DataFrame  # readings of the gauges that rules of zones ask for, whatever the period
    notes: list[dict[str, Any]] = field(default_factory=list)

    def span(self, period: Period, fixes: tuple[int, int] | None) -> tuple[int, int] | None:
        """The time looked at, ms UTC: that of the period, where it is open from the first to the last of fixes and
        seizures. None where there is neither."""
        times = [*(fixes or ()), *milliseconds(self.seizures["time"]).tolist()]
        asked = period.span
        if not times:
            return None
        return (
            min(times) if asked.start == EVER.start else asked.start,
            max(times) if asked.end == EVER.end else asked.end,
        )


def held(store: Store, period: Period) -> tuple[Period, list[dict[str, Any]]]:
    """The period as far as positions are held: where it is open it begins with them, and a note says so. Reports of the
    time before would count as found without anybody looking.

    Raises `Refused("positions_expired")` where it asks for a time of which positions were let go.
    """
    begin = store.begin(period.start, period.end)
    if period.start is not None or begin is None:
        return period, []
    return replace(period, start=utc(begin)), [{"code": "positions_from", "params": {"first": shanghai_date(begin)}}]


def drawing(store: Store, settings: Settings, as_of: datetime | None = None) -> Drawing:
    """What was in force at `as_of` (None: is now) of all that a river is built from (`DRAWN`)."""
    river = store.records("river", as_of)
    kinds = {"lines": "channel", "lakes": "lake", "marks": "mark"}
    sent = {name: river[river["what"] == what].reset_index(drop=True) for name, what in kinds.items()}
    sent["jurisdictions"] = store.records("jurisdictions", as_of)
    return Drawing(sent, store.masks(as_of), settings)


def read(store: Store, period: Period, settings: Settings) -> Inputs:
    """Everything in force at `period.as_of` that lies in the period. Raises as `work.halo`."""
    from geo_monitor.engine import work

    notes: list[dict[str, Any]] = []
    river = drawing(store, settings, period.as_of)
    if not len(river.sent["lines"]):
        notes.append({"code": "river_shipped", "params": {"accuracy": f"{settings.accuracy_shipped_m:,.0f}"}})
    if not len(river.sent["jurisdictions"]):
        features = re.findall(rb'"type"\s*:\s*"Feature"', reference.path(LOCALITIES).read_bytes())
        notes.append({"code": "jurisdictions_shipped", "params": {"count": len(features)}})
    # in an order of their own, whatever the order in which they were sent
    seizures = _within(store.records("seizures", period.as_of), "time", period)
    seizures = seizures.sort_values("report_id", kind="stable", ignore_index=True)
    times = milliseconds(seizures["time"])
    patrols = store.records("patrols", period.as_of).sort_values("patrol_id", kind="stable", ignore_index=True)
    platforms = store.records("units", period.as_of).set_index("unit_id")["platform"].dropna()
    patrols["platform"] = patrols["unit_id"].map(platforms)
    zones = store.records("zones", period.as_of, all_versions=True)
    fixes = store.position_parts(period.as_of, period.start, period.end)
    return Inputs(
        river=river,
        zones=zones,
        levels=_asked(store, zones, period),
        plan=blocks.plan(fixes, period.span, work.halo(settings), times[times != NEVER]),
        platforms={str(unit_id): str(platform) for unit_id, platform in platforms.items()},
        seizures=seizures,
        reported=_within(patrols[patrols["how"] == "reported"], "started_at", period),
        notes=notes,
    )


def _asked(store: Store, zones: gpd.GeoDataFrame, period: Period) -> pd.DataFrame:
    stations = set(zones["level_station"].dropna())
    if not stations:
        return tables.table("levels").from_arrow(tables.table("levels").arrow.empty_table())
    levels = store.records("levels", period.as_of)
    return levels[levels["station"].isin(stations)].reset_index(drop=True)


def with_platforms(fixes: pa.Table, platforms: dict[str, str]) -> pa.Table:
    """`fixes` (text as dictionaries) with the platform of their unit, {unit_id: platform}, where they tell none."""
    at = fixes.column_names.index("platform")
    if not platforms or not fixes["platform"].null_count:
        return fixes
    batches = []
    for batch in fixes.to_batches():
        told, unit = batch.column("platform"), batch.column("unit_id")
        names = told.dictionary.to_pylist()
        every = [*names, *sorted(set(platforms.values()) - set(names))]
        of_unit = [platforms.get(name) for name in unit.dictionary.to_pylist()]
        known = pa.array([None if name is None else every.index(name) for name in of_unit], pa.int32())
        codes = told.indices.cast(pa.int32()).fill_null(known.take(unit.indices))
        column = pa.DictionaryArray.from_arrays(codes, pa.array(every, pa.string()))
        batches.append(batch.set_column(at, "platform", column))
    return pa.Table.from_batches(batches)


def localities() -> gpd.GeoDataFrame:
    """The shipped localities as table `jurisdictions` (map drawings, good to about 1 km; no legal boundary)."""
    import geopandas as gpd

    frame = gpd.read_file(reference.path(LOCALITIES), engine="pyogrio")
    frame["level"] = ["county" if parent in DISTRICTS else "city" for parent in frame["parent_name"]]
    return tables.table("jurisdictions").conform(frame)


def _within(frame: pd.DataFrame, column: str, period: Period) -> pd.DataFrame:
    keep = frame[column].notna()
    if period.start is not None:
        keep &= frame[column] >= period.start
    if period.end is not None:
        keep &= frame[column] < period.end
    return frame[keep].reset_index(drop=True)
