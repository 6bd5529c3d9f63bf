"""The app: who looks, which pages there are for them, what stands beside every page. The script that `served.py` serves.

Pages read through `geo_monitor.workspace`. Police data go to the browser over the session's own connection only:
`static/` holds the base map, the symbols and the font.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.app import (
    address,
    administration,
    controls,
    data,
    dispatch,
    door,
    duty,
    hotspots,
    legend,
    situation,
    uploads,
)
from geo_monitor.app.deck import escaped, plain
from geo_monitor.app.words import Speaker
from geo_monitor.errors import GeoMonitorError

if TYPE_CHECKING:
    from geo_monitor.store.rights import Viewer

# url, the rights of which one is needed, what draws it
PAGES: tuple[tuple[str, frozenset[str], Callable[[str, Speaker], None]], ...] = (
    ("situation", frozenset({"read"}), situation.page),
    ("warnings", frozenset({"read"}), duty.page),
    ("dispatch", frozenset({"read"}), dispatch.page),
    ("hotspots", frozenset({"read"}), hotspots.page),
    ("data", frozenset({"read", "own", "books", "import"}), uploads.page),
    ("administration", frozenset(administration.RIGHTS), administration.page),
)
READING = ("situation", "hotspots")  # pages that change nothing: their frames are shared by all with the same rights
WALL = "html { font-size: 19px; } .legend { font-size: 15px; }"
CSS = """
<style>
  @import url("/app/static/fonts/map-sans.css");
  [data-testid="stMainBlockContainer"] { padding: 0.6rem 1rem 1rem; max-width: none; }
  [data-testid="stHeader"] { height: 0; min-height: 0; }
  [data-testid="stSidebarUserContent"] { padding-top: 0; margin-top: .4rem; }
  [data-testid="stSidebarHeader"] { padding: 0; height: 2.6rem; }
  [data-testid="stVerticalBlock"] { gap: 0.6rem; }
  .st-key-more, [data-testid="stElementContainer"]:has([data-home], script) { display: none; }
  h1.page { font-size: 1.25rem; font-weight: 600; margin: 0; padding: 0; }
  .asof { font-size: .85rem; opacity: .7; }
  .simulated { border-left: 4px solid #d64018; padding: .3rem .7rem; background: rgba(214,64,24,.10); }
  .said p { margin: .25rem 0 0; line-height: 1.6; }
  .themes { text-align: right; white-space: nowrap; }
  a.theme { color: inherit; opacity: .55; text-decoration: none; padding: .2rem .5rem; }
  a.theme.here { opacity: 1; border-bottom: 2px solid currentColor; }
  table, .said, [data-testid="stDataFrame"] { font-variant-numeric: tabular-nums; }
</style>
"""


def page() -> None:
    """Draws the page for one session."""
    lang = controls.language()
    speaker = Speaker(lang)
    st.set_page_config(speaker.say("title"), layout="wide", initial_sidebar_state=250)
    st.html(CSS.replace("</style>", legend.CSS + (WALL if controls.wall() else "") + "</style>"))
    path = str(data.location())
    with _told(path, speaker):
        held = data.workspace(path)
        viewer = door.viewer(held)
        pages = _pages(path, viewer, speaker)
        chosen = st.navigation(pages, position="hidden" if viewer is None else "sidebar")
        if viewer is None:
            door.form(held, speaker)
            return
        address.follow()
        with st.sidebar:
            door.bar(held, viewer, speaker)
            controls.switches(speaker)
        chosen.run()


def _page(
    draw: Callable[[str, Speaker], None], viewer: Viewer | None, acting: bool, path: str, speaker: Speaker
) -> None:
    if viewer is not None:
        with _told(path, speaker):
            draw(door.key(path, viewer, acting), speaker)


def _pages(path: str, viewer: Viewer | None, speaker: Speaker) -> list[Any]:
    """The pages, named before anybody is in, so that an address sent by a colleague leads there after the sign-in; of
    those signed in, only what their rights open is listed, the first of it opens, and the others refuse for themselves."""
    rights = frozenset().union(*(needs for _, needs, _ in PAGES)) if viewer is None else viewer.rights
    # an auditor may read the receipts, but comes for the books
    first = next((name for name, needs, _ in PAGES if rights & needs - {"books"}), PAGES[0][0])
    return [
        st.Page(
            partial(_page, draw, viewer, name not in READING, path, speaker),
            title=speaker.say(f"page_{name}"),
            url_path=name,
            default=name == first,
            visibility="visible" if rights & needs else "hidden",
        )
        for name, needs, draw in PAGES
    ]


@contextmanager
def _told(path: str, speaker: Speaker) -> Iterator[None]:
    """Tells of an error in words, and what to do."""
    try:
        yield
    except GeoMonitorError as error:
        from geo_monitor.messages import hint, text

        detail = text(error.code, speaker.lang, **error.params)
        st.error(escaped(speaker.say("failed", path=path, detail=plain(detail))))
        more = hint(error.code, speaker.lang, **error.params)
        if more:
            st.info(escaped(more))


if __name__ == "__main__":
    page()
