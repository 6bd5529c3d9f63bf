"""The map itself as a part of a page: base map, layers, view, and what happens on a click."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from geo_monitor.app import address, base, controls, layers, panel
from geo_monitor.app.deck import Bounds, Deck
from geo_monitor.app.words import Speaker

HEIGHT = 600  # pixels of the map
DRAWN = "drawn-"  # keys of the session, with that of a map: its first picture was drawn
# until the rest of a page is drawn for a browser that does not ask for it by itself (`address.MORE`); late enough for those that
# draw slowly: asked for twice, the map would be sent twice
SOON_S = 12.0


def base_map(
    drawing: Sequence[dict[str, Any] | str],
    bounds: Bounds,
    speaker: Speaker,
    key: str,
    height: int = HEIGHT,
    own: base.Own | None = None,
    pick: Callable[[str], None] = panel.pick,
) -> None:
    """Draws the map, over a base map of the agency's `own` where one was chosen (`base.choose`). Under the same `key` it
    keeps its view until `bounds` change, whatever else does. A click on a thing calls `pick` with its id."""
    style = f"app/static/basemap/style-{controls.theme()}-{speaker.lang}.json" if own is None else own.style
    st.pydeck_chart(
        Deck(drawing, style, address.view(key, bounds), layers.TOOLTIP),
        height=height,
        on_select=lambda: panel.from_map(key, pick),
        selection_mode="single-object",
        key=key,
        alt=speaker.say("title"),
    )
    if own is not None and not base.reaches(own, bounds):
        st.caption(speaker.say("base_outside"))
    if not served():
        st.warning(speaker.say("no_static"))


def first(key: str) -> bool:
    """Whether the map of this key was not drawn yet in this session. A browser that draws in software takes seconds for a whole
    page at once, so a page then shows where it is hot and asks for the rest (`rest`)."""
    return DRAWN + key not in st.session_state


def rest(key: str) -> None:
    """Has the page drawn again as soon as its first map stands."""
    st.button("…", key=address.MORE)
    _soon(key)


@st.fragment(run_every=SOON_S)
def _soon(key: str) -> None:
    if not first(key):
        st.rerun(scope="app")
    st.session_state[DRAWN + key] = True


def served() -> bool:
    """Whether the server gives out `static/` of this package, as the base map needs."""
    from streamlit import config
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    if context is None or not config.get_option("server.enableStaticServing"):
        return False
    return (Path(context.main_script_path).parent / "static" / "basemap" / "land.geojson").exists()
