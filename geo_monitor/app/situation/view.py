"""Everything the page knows of one moment on one water, worked out once for all who look at it with the same rights.

A live picture is drawn again every few seconds in every session: sessions that show the same water in the same tick share
one `View`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from geo_monitor.app import data
from geo_monitor.app.deck import BASIN, Bounds, fit
from geo_monitor.app.situation import fixes, needs, timebar
from geo_monitor.app.words import Speaker

if TYPE_CHECKING:
    from geo_monitor.app.situation.moments import Fixes
    from geo_monitor.messages import Lang

WATER = "6h"  # days since the last look are counted anew so often
KEPT_S = (
    15.0  # seconds a view is kept: each holds the fixes of hours as they were then, and uploads come every few seconds
)


@dataclass(frozen=True, eq=False)
class View:
    """`at` ms UTC; `area` as `data.in_area`; `bounds` of the map. `run`: the row of the latest analysis, None without one.

    units : where everybody is (`moments.Fixes.at`); here : those within `bounds`
    zones : those uploaded; valid : keys of those in force at the moment
    water : `levels.joined` as at the moment, None without an analysis; inside : its rows in the area
    reports : `data.reports`; names : unit_id -> what people call it
    mark : `data.stamp`; still : the same but for fixes, which come every few seconds and change no other table
    """

    path: str
    mark: str
    still: str
    at: int
    live: bool
    area: tuple[Any, ...]
    bounds: Bounds
    run: pd.Series | None
    held: Fixes
    units: pd.DataFrame
    here: pd.DataFrame
    zones: pd.DataFrame
    valid: frozenset[tuple[str, str, int]]
    water: pd.DataFrame | None
    inside: pd.DataFrame | None
    reports: pd.DataFrame
    names: Mapping[str, str]
    speaker: Speaker

    @property
    def now(self) -> pd.Timestamp:
        """The moment, UTC."""
        return pd.Timestamp(self.at, unit="ms", tz="UTC")

    @property
    def run_id(self) -> str | None:
        return None if self.run is None else str(self.run["run_id"])

    @property
    def basin(self) -> bool:
        return bool(self.area[0] == "basin")

    @property
    def zoom(self) -> float:
        return fit(self.bounds)["zoom"]

    @property
    def drawn(self) -> pd.DataFrame:
        """What is drawn of the water; no rows without an analysis."""
        if self.run_id is None:
            return pd.DataFrame({"id": []})
        return data.drawn(self.path, self.run_id, self.now.floor(WATER), self.area, live=True)

    # not `cached_property`: under Python 3.11 that has one lock for the views of all waters

    @property
    def needs(self) -> list[needs.Need]:
        """What needs a decision; nothing without an analysis."""
        return _needs(self.path, self.mark, self.at, self.live, self.area, self.speaker.lang, self)

    @property
    def night(self) -> pd.DataFrame:
        """Rows of the chart of the night (`timebar.night`)."""
        return _night(self.path, self.mark, self.at, self.live, self.area, self)


@st.cache_resource(show_spinner=False, max_entries=48, ttl=KEPT_S)
def look(path: str, mark: str, at: int, live: bool, area: tuple[Any, ...], lang: Lang) -> View:
    """The view of a water at `at`, ms UTC; `live` from the fixes of the last hours, else from those of a past night."""
    still = data.stamp(path, tracks=False)
    localities = data.localities(path, still)
    speaker = Speaker(lang, {code: name for code, (name, _) in localities.items()}, data.workspace(path).settings)
    now = pd.Timestamp(at, unit="ms", tz="UTC")
    held, units = _everybody(path, mark, at, live)
    run = data.current(path)
    run_id = None if run is None else str(run["run_id"])
    water = None if run_id is None else data.reaches(path, run_id, now.floor(WATER))
    inside, bounds = (None, BASIN) if run_id is None else _inside(path, run_id, now.floor(WATER), area)
    return View(
        path,
        mark,
        still,
        at,
        live,
        area,
        bounds,
        run,
        held,
        units,
        units if area[0] == "basin" else data.within(units, bounds),
        data.uploaded(path, "zones", still),
        data.in_force_at(path, still, now.floor("min")),
        water,
        inside,
        data.reports(path, run_id, still),
        data.names_of_units(path, still),
        speaker,
    )


@st.cache_resource(show_spinner=False, max_entries=48)
def _needs(
    path: str, mark: str, at: int, live: bool, area: tuple[Any, ...], lang: Lang, _view: View
) -> list[needs.Need]:
    run_id, inside = _view.run_id, _view.inside
    if inside is None or run_id is None:
        return []
    still, bucket = _view.still, _view.now.floor(WATER)
    usual = _usual(path, at // 60_000, live, _view.held)
    water = _asking(path, still, run_id, bucket, area, lang, inside, _view.speaker)
    forced = _forced(path, still, hash(_view.valid), _view)
    local = _local(path, still, run_id, area, _view.reports, inside)
    return needs.needs(_view.here, usual, forced, water, local, _view.now, _view.names, _view.speaker)


@st.cache_resource(show_spinner=False, max_entries=48)
def _night(path: str, mark: str, at: int, live: bool, area: tuple[Any, ...], _view: View) -> pd.DataFrame:
    start = fixes.noon(at)
    box = None if _view.basin else _view.bounds
    # a live night grows: worked out anew every minute, not with every upload
    hours = _hours(path, f"{at // 60_000}" if live else mark, start, box, _view.held)
    since, until = pd.Timestamp(start, unit="ms", tz="UTC"), _view.now
    found = _view.reports
    found = found[(found["time"] >= since) & (found["time"] <= until) & found["lon"].notna()]
    if box is not None:
        found = data.within(found, box)
    hour = float(fixes.HOUR_MS)
    cases = [(int(value.value // 1_000_000) - start) / hour for value in found["time"]]
    return timebar.night(hours, cases, (at - start) / hour)


# What follows is the same for many views: of a tick, of a water, of a minute. Each is worked out once.


@st.cache_resource(show_spinner=False, max_entries=8, ttl=KEPT_S)
def _everybody(path: str, mark: str, at: int, live: bool) -> tuple[Fixes, pd.DataFrame]:
    """The fixes, and where everybody was at the moment, whatever water is looked at."""
    held = fixes.live(path).fixes(at) if live else fixes.night(path, mark, fixes.noon(at))
    return held, held.at(at, fixes.LIVE_MS / 1000)


@st.cache_resource(show_spinner=False, max_entries=64)
def _inside(path: str, run_id: str, now: pd.Timestamp, area: tuple[Any, ...]) -> tuple[pd.DataFrame, Bounds]:
    inside = data.in_area(data.reaches(path, run_id, now), area)
    return inside, data.bounds(area, inside)


@st.cache_resource(show_spinner=False, max_entries=64)
def _asking(
    path: str,
    still: str,
    run_id: str,
    now: pd.Timestamp,
    area: tuple[Any, ...],
    lang: Lang,
    _inside: pd.DataFrame,
    _speaker: Speaker,
) -> needs.Water:
    return needs.Water.of(_inside, _speaker)


@st.cache_resource(show_spinner=False, max_entries=16)
def _forced(path: str, still: str, valid: int, _view: View) -> needs.Forced:
    return needs.Forced(_view.zones, _view.valid)


@st.cache_resource(show_spinner=False, max_entries=64)
def _local(
    path: str, still: str, run_id: str, area: tuple[Any, ...], _reports: pd.DataFrame, _inside: pd.DataFrame
) -> pd.DataFrame:
    """The seizures on a water."""
    return _reports if area[0] == "basin" else _reports[_reports["reach_id"].isin(_inside["reach_id"])]


@st.cache_resource(show_spinner=False, max_entries=8)
def _usual(path: str, minute: int, live: bool, _held: Fixes) -> dict[str, float]:
    return _held.usual_s(minute * 60_000)


@st.cache_resource(show_spinner=False, max_entries=64)
def _hours(path: str, mark: str, start: int, box: Bounds | None, _held: Fixes) -> np.ndarray:
    return _held.hours(start, start + fixes.DAY_MS, timebar.BINS, data.TRACK_GAP_S, box)
