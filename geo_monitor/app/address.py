"""How far the map was dragged and zoomed by hand, in the address: one that is sent on shows a colleague the same.

Streamlit's map tells the server nothing of its view, and need not: the browser writes it into the address by itself, twice
a second at most and without a rerun, and the server reads it where a session opens.
"""

from __future__ import annotations

import re
from typing import Any

import streamlit as st

from geo_monitor.app.deck import MAX_ZOOM, MIN_ZOOM, Bounds, fit

MORE = "more"  # key of a button nobody sees, which the browser presses once its first map stands
HELD = "view"  # key of the session: the map and box that were shown first, and the view of the address on them
NUMBER = r"(-?\d{1,3}(?:\.\d{1,8})?)"
# The view lies in the state of React, above the canvas; a Streamlit that keeps it elsewhere leaves the address
# as it is. `a.theme` are the links that load the page anew.
SCRIPT = """
<script>
window.geoMonitorView ||= setInterval(() => {
  const map = document.querySelector('[data-testid=stDeckGlJsonChart]'), home = document.querySelector('[data-home]');
  if (!map || !home) return;
  const view = shown(map.querySelector('canvas'));
  if (!view) return;
  const told = [view.longitude.toFixed(5), view.latitude.toFixed(5), view.zoom.toFixed(2)].join();
  const settled = told === window.geoMonitorTold;
  window.geoMonitorTold = told;
  if (!settled) return;
  const more = document.querySelector('.st-key-MORE button');
  if (more && !more.dataset.pressed) { more.dataset.pressed = true; more.click(); }
  const usual = home.dataset.home.split(',').map(Number);
  const near = Math.max(Math.abs(view.longitude - usual[0]), Math.abs(view.latitude - usual[1])) * 2 ** view.zoom;
  const moved = near > 1 || Math.abs(view.zoom - usual[2]) > 0.01;
  write(location.search, search => history.replaceState(history.state, '', location.pathname + search + location.hash));
  for (const link of document.querySelectorAll('a.theme')) write(link.search, search => { link.search = search; });

  function shown(canvas) {
    const element = canvas && canvas.parentElement;
    let at = element && element[Object.keys(element).find(key => key.startsWith('__reactFiber'))];
    for (; at; at = at.return) {
      const view = at.memoizedProps && at.memoizedProps.viewState;
      if (view && Number.isFinite(view.longitude)) return view;
    }
  }
  function write(old, keep) {
    const search = new URLSearchParams(old);
    if (moved) search.set('view', told); else search.delete('view');
    if (search.get('view') !== new URLSearchParams(old).get('view')) keep(String(search) && '?' + search);
  }
}, 500);
</script>
"""


def follow() -> None:
    """Lets the browser of this session write the view of its map into the address."""
    st.html(SCRIPT.replace("MORE", MORE), unsafe_allow_javascript=True)  # holds nothing that anybody typed


def view(key: str, bounds: Bounds) -> dict[str, float]:
    """Where the map `key` begins: at the view of the address as long as it is the first that this session was shown, of the
    same box, else at the view that fits `bounds`. Tells the browser the latter, for that one needs no words in an address."""
    usual = fit(bounds)
    st.html(f'<span data-home="{usual["longitude"]},{usual["latitude"]},{usual["zoom"]}"></span>')
    if HELD not in st.session_state:
        st.session_state[HELD] = (key, bounds), parse(st.query_params.get("view"))
    first, wanted = st.session_state[HELD]
    if first != (key, bounds):
        st.session_state[HELD] = None, None
        return usual
    return wanted or usual


def parse(told: str | None) -> dict[str, float] | None:
    """The view that an address tells: longitude, latitude (degrees), zoom; None for anything else.

    >>> parse("112.25,30.1,9.5")
    {'longitude': 112.25, 'latitude': 30.1, 'zoom': 9.5}
    >>> [parse(told) for told in (None, "", "112.25,30.1", "nan,1,2", "200,30,9", "112,30,40")]
    [None, None, None, None, None, None]
    """
    found: Any = re.fullmatch(f"{NUMBER},{NUMBER},{NUMBER}", told or "", re.ASCII)
    if found is None:
        return None
    longitude, latitude, zoom = map(float, found.groups())
    if abs(longitude) > 180 or abs(latitude) > 85 or not MIN_ZOOM <= zoom <= MAX_ZOOM:
        return None
    return {"longitude": longitude, "latitude": latitude, "zoom": zoom}
