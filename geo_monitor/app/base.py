"""A base map of the agency's own under the map: chosen in the side bar, kept in the address, off unless chosen.

Picture (or shapes) and style go through Streamlit's media files: under names nobody can guess, for as long as a session
shows them, and never into `static/`, which needs no sign-in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.app import controls, data
from geo_monitor.app.deck import Bounds, escaped, plain
from geo_monitor.app.style import THEMES, style
from geo_monitor.app.uploads import told
from geo_monitor.app.words import Speaker

if TYPE_CHECKING:
    from geo_monitor.store.basemaps import Basemap

SOURCE = "own"  # of the style: the picture or the shapes
ABOVE = "coast"  # the layer of the built-in base map that own ones lie on: land and sea are below, all else above
# by night a picture is dimmed, or it would outshine what the police put on it
PICTURE: dict[str, dict[str, Any]] = {
    "day": {"raster-fade-duration": 0, "raster-opacity": 0.9, "raster-saturation": -0.25},
    "night": {
        "raster-fade-duration": 0,
        "raster-opacity": 0.9,
        "raster-saturation": -0.4,
        "raster-brightness-max": 0.5,
    },
}
# the built-in waters are good to a kilometre or two: from near they let the banks of a better map show through
WATERS = {"river-casing": "line-opacity", "river": "line-opacity", "lake": "fill-opacity"}
FADED = ["interpolate", ["linear"], ["zoom"], 9, 1.0, 11, 0.4]


@dataclass(frozen=True)
class Own:
    """A base map ready to be drawn: address of its style, box in WGS84 degrees."""

    style: str
    bounds: Bounds


def choose(path: str, speaker: Speaker) -> Own | None:
    """Draws the choice where there is any, and gives the base map chosen; None: the built-in one.

    path: the door of the workspace. One that is missing or damaged is told of in words, and the built-in one remains.
    """
    held = {one.name: one for one in data.workspace(path).basemaps.every()}
    wanted = st.query_params.get("base")
    if not held and wanted is None:
        return None
    if wanted is not None and wanted not in held:
        st.warning(escaped(speaker.say("base_missing", name=plain(wanted[:60]))))
    options = [None, *held]
    chosen = st.selectbox(
        speaker.say("base"),
        options,
        index=options.index(wanted) if wanted in held else 0,
        format_func=lambda name: speaker.say("base_none") if name is None else plain(name),
        key="base",
    )
    if chosen is not None or wanted in held:
        controls.remember("base", chosen)
    if chosen is None:
        return None
    own = None
    with told(speaker):
        own = _shared(held[chosen], _content(path, chosen, held[chosen].shown_sha256), speaker)
    return own


@st.cache_resource(show_spinner=False, max_entries=4)
def _content(path: str, name: str, _sha256: str) -> bytes:
    """What shows a base map, read once for everybody. Raises as `Basemaps.content`."""
    return data.workspace(path).basemaps.content(name)[1]


def _shared(one: Basemap, content: bytes, speaker: Speaker) -> Own:
    """Hands the base map and its style to this session's media files."""
    shapes = one.kind == "shapes"
    address = _media(content, "application/geo+json" if shapes else "image/webp", f"{SOURCE}-content")
    theme = controls.theme()
    made = drawn(theme, speaker.lang, address, one.bounds, shapes)
    raw = json.dumps(made, ensure_ascii=False, separators=(",", ":")).encode()
    return Own(_media(raw, "application/json", f"{SOURCE}-style"), one.bounds)


def _media(content: bytes, kind: str, place: str) -> str:
    """The address under which this session gets `content`; `place` tells apart what it shows at once."""
    from streamlit import runtime

    return str(runtime.get_instance().media_file_mgr.add(content, kind, f"geo-monitor-{place}"))


def drawn(theme: str, lang: str, address: str, bounds: Bounds, shapes: bool) -> dict[str, Any]:
    """The built-in style with the base map at `address` above land and sea, below rivers, borders and names.

    >>> made = drawn("day", "zh", "/media/x.webp", (110.0, 29.0, 112.0, 31.0), False)
    >>> made["sources"]["own"]["coordinates"]
    [[110.0, 31.0], [112.0, 31.0], [112.0, 29.0], [110.0, 29.0]]
    >>> [layer["id"] for layer in made["layers"]][:5]
    ['sea', 'land', 'coast', 'own-picture', 'river-casing']
    """
    made = style(theme, lang)
    west, south, east, north = bounds
    if shapes:
        source: dict[str, Any] = {"type": "geojson", "data": address}
        layers = _shapes(theme)
    else:
        corners = [[west, north], [east, north], [east, south], [west, south]]
        source = {"type": "image", "url": address, "coordinates": corners}
        layers = [{"id": f"{SOURCE}-picture", "type": "raster", "source": SOURCE, "paint": PICTURE[theme]}]
    for layer in made["layers"]:
        if layer["id"] in WATERS:
            layer["paint"][WATERS[layer["id"]]] = FADED
    at = [layer["id"] for layer in made["layers"]].index(ABOVE) + 1
    made["sources"][SOURCE] = source
    made["layers"][at:at] = layers
    return made


def _shapes(theme: str) -> list[dict[str, Any]]:
    """Pale areas, water as water, thin grey lines."""
    look = THEMES[theme]

    def layer(kind: str, how: str, paint: dict[str, Any]) -> dict[str, Any]:
        where = ["==", ["get", "kind"], kind]
        return {"id": f"{SOURCE}-{kind}", "type": how, "source": SOURCE, "filter": where, "paint": paint}

    return [
        layer("area", "fill", {"fill-color": look.city, "fill-opacity": 0.35, "fill-antialias": False}),
        layer("water", "fill", {"fill-color": look.water, "fill-antialias": False}),
        layer("line", "line", {"line-color": look.province, "line-width": 0.8}),
    ]


def reaches(own: Own, bounds: Bounds) -> bool:
    """Whether a base map reaches into a box.

    >>> [reaches(Own("", (110, 29, 112, 31)), box) for box in ((111, 30, 115, 33), (113, 30, 115, 33))]
    [True, False]
    """
    mine = own.bounds
    return mine[0] < bounds[2] and bounds[0] < mine[2] and mine[1] < bounds[3] and bounds[1] < mine[3]
