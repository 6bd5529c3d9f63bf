"""The chart object handed to `st.pydeck_chart`: compact JSON, local base map, nothing that can be mistaken for code.

deck.gl's JSON form evaluates every string that begins with `@@`, wherever it stands, and one such string that does not
parse takes the whole map down. `plain` is therefore the only door through which text of agencies reaches a layer.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pydeck

Bounds = tuple[float, float, float, float]  # west, south, east, north, WGS84 degrees
BASIN: Bounds = (90.5, 24.5, 122.3, 35.5)
MIN_ZOOM, MAX_ZOOM = 2.5, 16.0  # how far the map can be zoomed
TILE = 512  # pixels of a Web Mercator world at zoom 0, as deck.gl counts


def plain(value: object) -> str:
    r"""`value` as text that is only text: a leading `@@` becomes full-width, control characters go, null is empty.

    >>> plain("@@=foo(((") == "\uff20\uff20=foo((("
    True
    >>> plain(None), plain("石首")
    ('', '石首')
    """
    if value is None or value != value:  # NaN and NaT differ from themselves
        return ""
    text = "".join(c for c in str(value) if c.isprintable() or c == "\n")
    # curly braces are what tooltips substitute: a name holding {id} must not pull in another field
    text = text.replace("{", "\uff5b").replace("}", "\uff5d")
    stripped = text.lstrip()
    return "\uff20\uff20" + stripped[2:] if stripped.startswith("@@") else text


def escaped(value: object) -> str:
    r"""`plain` text for a place that reads markdown: every mark is written so that it is only itself.

    >>> escaped("![x](http://a.b) <b>") == r"\!\[x\]\(http\:\/\/a\.b\) \<b\>"
    True
    """
    return re.sub(r"([!-/:-@\[-`{-~])", r"\\\1", plain(value))


class Deck(pydeck.Deck):
    """A pydeck chart whose layers are ready dicts of deck.gl's JSON form, or such dicts as text (`encoded`);
    `view` is where it begins: longitude, latitude (degrees), zoom (`fit`).

    `to_json` of pydeck indents and sorts, four times the bytes of what is sent here.
    """

    def __init__(
        self,
        layers: Sequence[dict[str, Any] | str],
        style: str,
        view: Mapping[str, float],
        tooltip: dict[str, Any],
    ) -> None:
        # Not that of pydeck: it tries to load Jupyter, which is not there, for every map of every tick.
        # `map_provider` None with a style of our own: every other combination asks a server on the internet.
        self.layers: list[Any] = []
        self.map_provider, self.map_style, self._tooltip = None, style, tooltip
        self.rows = list(layers)
        self.view = dict(view)

    def to_json(self) -> str:
        spec = {
            "initialViewState": self.view | {"bearing": 0, "pitch": 0, "minZoom": MIN_ZOOM, "maxZoom": MAX_ZOOM},
            "mapStyle": self.map_style,
            "views": [{"@@type": "MapView", "controller": {"dragRotate": False, "touchRotate": False}}],
        }
        rows = ",".join(row if isinstance(row, str) else _compact(row) for row in self.rows)
        return f'{_compact(spec)[:-1]},"layers":[{rows}]}}'


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def encoded(layer: dict[str, Any]) -> str:
    """A layer as text that can be kept, its id first; `turned` gives it the number of a choice.

    >>> turned(encoded({"data": ["id-%"], "id": "reaches-%"}), 3)
    '{"id":"reaches-3","data":["id-%"]}'
    """
    return _compact({"id": layer["id"]} | layer)


def turned(text: str, turn: int) -> str:
    """An `encoded` layer with the `%` that ends its id, if one does, replaced."""
    start = len('{"id":"')
    name = text[start : text.index('"', start)]
    return f'{{"id":"{name[:-1]}{turn}{text[start + len(name) :]}' if name.endswith("%") else text


def fit(bounds: Bounds, width: int = 800, height: int = 600, padding: int = 16) -> dict[str, float]:
    """Centre and zoom at which `bounds` fill a window of width x height pixels, less `padding` on each side.

    >>> fit((-180, -85.05112878, 180, 85.05112878), 512, 512, 0)
    {'longitude': 0.0, 'latitude': 0.0, 'zoom': 2.5}
    >>> fit((0, 0, 180, 0.0001), 1024, 512, 0)["zoom"]  # half the world in 1,024 pixels: 512 * 2**z / 2 = 1024
    2.5
    """
    west, south, east, north = bounds
    top, bottom = _mercator(north), _mercator(south)
    across = max((east - west) / 360, 1e-6)
    down = max(bottom - top, 1e-6)
    zoom = math.log2(min((width - 2 * padding) / across, (height - 2 * padding) / down) / TILE)
    middle = (top + bottom) / 2
    latitude = math.degrees(2 * math.atan(math.exp(math.pi * (1 - 2 * middle))) - math.pi / 2)
    return {
        "longitude": round((west + east) / 2, 4) + 0.0,
        "latitude": round(latitude, 4) + 0.0,
        "zoom": round(min(max(zoom, MIN_ZOOM), 13.0), 2),
    }


def _mercator(lat: float) -> float:
    """Web Mercator y in 0 (north) to 1 (south)."""
    return (1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2
