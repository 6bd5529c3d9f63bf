"""What lies still under the live map, as text ready to be sent: reaches by state, the last look, zones, seizures.

A live map is sent anew whenever anything on it moves, and thirty people may look at one: so the part that does not move is
drawn and written out once for everybody with the same rights, water, language and hour. Texts are `deck.encoded` layers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.app import data, layers
from geo_monitor.app.deck import encoded
from geo_monitor.app.look import LOOKS
from geo_monitor.app.words import Speaker
from geo_monitor.messages import Lang

if TYPE_CHECKING:
    import pandas as pd

TURN = "%"


@st.cache_resource(show_spinner=False, max_entries=64)
def reaches(
    path: str, run_id: str, now: pd.Timestamp, area: tuple[Any, ...], lang: Lang, theme: str, mark: str
) -> dict[str, tuple[str, ...]]:
    """The layers "state" and "unseen" of an area as at `now`."""
    names = {code: name for code, (name, _) in data.localities(path, mark).items()}
    speaker, colours = Speaker(lang, names, data.workspace(path).settings), LOOKS[theme]
    drawn = data.drawn(path, run_id, now, area, live=True)
    return {
        "state": tuple(encoded(layer) for layer in layers.reaches(drawn, speaker, colours, TURN, short=True)),
        "unseen": tuple(encoded(layer) for layer in layers.unseen(drawn, colours)),
    }


@st.cache_resource(show_spinner=False, max_entries=64)
def zones(path: str, in_force: frozenset[tuple[str, str, int]], lang: Lang, theme: str, mark: str) -> tuple[str, ...]:
    """The zones, solid where `in_force`."""
    speaker = Speaker(lang, {}, data.workspace(path).settings)
    frame = data.uploaded(path, "zones", mark)
    return tuple(encoded(layer) for layer in layers.zones(frame, set(in_force), speaker, LOOKS[theme], TURN))


@st.cache_resource(show_spinner=False, max_entries=64)
def seizures(
    path: str,
    run_id: str | None,
    start: pd.Timestamp,
    end: pd.Timestamp,
    zoom: float,
    lang: Lang,
    theme: str,
    mark: str,
) -> tuple[str, ...]:
    """The seizures in (start, end]."""
    frame = data.reports(path, run_id, mark)
    known = frame[(frame["time"] > start) & (frame["time"] <= end) & frame["lon"].notna() & frame["lat"].notna()]
    speaker = Speaker(lang, {}, data.workspace(path).settings)
    return tuple(encoded(layer) for layer in layers.seizures(known, zoom, speaker, LOOKS[theme], TURN))
