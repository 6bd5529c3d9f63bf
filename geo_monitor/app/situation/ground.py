"""What is drawn of a view, as text ready to be sent: reaches by state, the last look, zones, seizures, units, trails.

A live map is sent anew whenever anything on it moves, and thirty people may look at one: so layers are drawn and written
out once for everybody with the same rights, water and language, what lies still for hours. Texts are `deck.encoded`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import shapely
import streamlit as st

from geo_monitor.app import data, layers
from geo_monitor.app.deck import Bounds, encoded
from geo_monitor.app.look import LOOKS
from geo_monitor.app.situation.view import WATER, View
from geo_monitor.app.words import Speaker

if TYPE_CHECKING:
    from geo_monitor.messages import Lang

TURN = "%"
TRAIL_S = 1200.0  # seconds
Texts = tuple[str, ...]


def reaches(view: View, theme: str) -> dict[str, Texts]:
    """The layers "state" and "unseen", and "first", those of a first picture; none without an analysis."""
    if view.run_id is None:
        return {}
    now = view.now.floor(WATER)
    return _reaches(view.path, view.run_id, now, view.area, view.speaker.lang, theme, view)


@st.cache_resource(show_spinner=False, max_entries=64)
def _reaches(
    path: str, run_id: str, now: pd.Timestamp, area: tuple[Any, ...], lang: Lang, theme: str, _view: View
) -> dict[str, Texts]:
    colours, drawn = LOOKS[theme], _view.drawn
    state = layers.reaches(drawn, _view.speaker, colours, TURN, short=True)
    return {
        "first": _texts(layers.outlined(state)),
        "state": _texts(state),
        "unseen": _texts(layers.unseen(drawn, colours)),
    }


def zones(view: View, theme: str) -> Texts:
    """The zones that can be seen, solid where in force."""
    # the hash of the keys, which a frozenset remembers: Streamlit would write each of them out at every tick
    return _zones(view.path, view.still, hash(view.valid), view.bounds, view.speaker.lang, theme, view)


@st.cache_resource(show_spinner=False, max_entries=64)
def _zones(
    path: str,
    mark: str,
    valid: int,
    bounds: Bounds,
    lang: Lang,
    theme: str,
    _view: View,
) -> Texts:
    seen = shapely.intersects(shapely.box(*bounds), _view.zones["geometry"].to_numpy())
    drawn = layers.zones(_view.zones[seen], _view.valid, _view.speaker, LOOKS[theme], TURN, _view.zoom, short=True)
    return _texts(drawn)


def seizures(view: View, days: int, theme: str) -> Texts:
    """The seizures of the `days` before the moment, to the minute: in a replay they come up as it reaches them."""
    known, which = _recent(view.path, view.still, view.run_id, view.at // 60_000, days, view.reports)
    return _seizures(view.path, view.still, which, view.zoom, view.speaker.lang, theme, known)


@st.cache_resource(show_spinner=False, max_entries=32)
def _recent(
    path: str, mark: str, run_id: str | None, minute: int, days: int, _reports: pd.DataFrame
) -> tuple[pd.DataFrame, int]:
    """The seizures of the `days` before a minute that have a place, and a number that tells which these are: a minute in
    which none came and none left is drawn as the one before."""
    until, known = pd.Timestamp(minute * 60_000, unit="ms", tz="UTC"), _reports
    upto = known["time"] <= until
    known = known[
        upto & (known["time"] > until - pd.Timedelta(days=days)) & known["lon"].notna() & known["lat"].notna()
    ]
    return known, hash(known.index.to_numpy().tobytes())


@st.cache_resource(show_spinner=False, max_entries=64)
def _seizures(path: str, mark: str, which: int, zoom: float, lang: Lang, theme: str, _known: pd.DataFrame) -> Texts:
    speaker = Speaker(lang, {}, data.workspace(path).settings)
    return _texts(layers.seizures(_known, zoom, speaker, LOOKS[theme], TURN))


def moving(view: View, theme: str) -> dict[str, Texts]:
    """The layers "units" and "trails"."""
    return _moving(view.path, view.mark, view.at, view.live, view.area, view.speaker.lang, theme, view)


@st.cache_resource(show_spinner=False, max_entries=48)
def _moving(
    path: str, mark: str, at: int, live: bool, area: tuple[Any, ...], lang: Lang, theme: str, _view: View
) -> dict[str, Texts]:
    here, colours = _view.here, LOOKS[theme]
    if not len(here):
        return {"units": (), "trails": ()}
    ways = []
    if len(here) <= layers.SINGLE_MAX:
        patrols = here.loc[here["patrol"].to_numpy(dtype=bool), "unit_id"].tolist()
        ways = _view.held.trails(at, patrols, TRAIL_S, data.TRACK_GAP_S)
    units = layers.units(here, _view.zoom, _view.names, _view.speaker, colours, TURN)
    return {
        "units": _texts(units),
        "trails": _texts(layers.trails(ways, colours)) if ways else (),
    }


def _texts(drawn: list[layers.Layer]) -> Texts:
    return tuple(encoded(layer) for layer in layers.seen(drawn))
