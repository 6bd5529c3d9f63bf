"""The look of the base map: a Mapbox GL style (version 8, as of Mapbox GL JS 1.13) for day and for night.

The river is the figure, the land is the ground: two quiet greys, water lighter by day and darker by night, and no other
colour, because colour belongs to what the commander has to see. Every address is local.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

BASE = "/app/static/basemap"
FONT = "map"


@dataclass(frozen=True)
class Theme:
    """Greys of one theme, as CSS colours."""

    land: str
    water: str
    shore: str
    channel: str  # edges of rivers: firmer than a shore, for the river is the figure
    province: str
    city: str
    town: str
    halo: str
    faint: str  # province names
    river: str  # names of waters
    mark: str  # km marks


THEMES = {
    "day": Theme(
        land="#e9e9e6",
        water="#fbfcfc",
        shore="#aeb5b9",
        channel="#87949b",
        province="#aaaaa6",
        city="#d0d0cc",
        town="#3c4043",
        halo="#efefec",
        faint="#9a9a96",
        river="#62737c",
        mark="#5d666b",
    ),
    "night": Theme(
        land="#1d2125",
        water="#0c0f12",
        shore="#3d474e",
        channel="#5b6b75",
        province="#4a5056",
        city="#2d3237",
        town="#c3c9ce",
        halo="#15181b",
        faint="#676e75",
        river="#86979f",
        mark="#98a2a8",
    ),
}


def style(theme: str, lang: str) -> dict[str, Any]:
    """The style for a theme (day, night) with labels in a language (zh, en).

    >>> style("day", "zh")["layers"][0]["paint"]
    {'background-color': '#fbfcfc'}
    """
    look = THEMES[theme]
    layers = [{"id": "sea", "type": "background", "paint": {"background-color": look.water}}]
    layers += _ground(look) + _water(look) + _borders(look) + _labels(look, lang)
    names = ("land", "lakes", "rivers", "borders", "places", "marks")
    return {
        "version": 8,
        "name": f"geo_monitor {theme} {lang}",
        "glyphs": f"{BASE}/glyphs/{{fontstack}}/{{range}}.pbf",
        # tolerance: half the default, or the meanders below Jingzhou turn into a zigzag at middle zooms
        "sources": {n: {"type": "geojson", "data": f"{BASE}/{n}.geojson", "tolerance": 0.2} for n in names},
        "layers": layers,
    }


def _zoomed(*stops: Any) -> list[Any]:
    """Exponential in zoom, so that widths keep their ground size: zoom, value, zoom, value, ..."""
    return ["interpolate", ["exponential", 1.6], ["zoom"], *stops]


def _ground(look: Theme) -> list[dict[str, Any]]:
    return [
        {"id": "land", "type": "fill", "source": "land", "paint": {"fill-color": look.land, "fill-antialias": True}},
        {
            "id": "coast",
            "type": "line",
            "source": "land",
            "paint": {"line-color": look.shore, "line-width": _zoomed(4, 0.4, 10, 1.2)},
        },
    ]


def _by_size(*widths: float) -> list[Any]:
    return ["match", ["get", "size"], 4, widths[0], 3, widths[1], 2, widths[2], widths[3]]


def _water(look: Theme) -> list[dict[str, Any]]:
    # a zoom expression has to stand outermost, hence one `match` per stop; widths in pixels, about 1.5 km of water
    # below Yichang at zoom 11 and beyond
    wide = _zoomed(3, _by_size(1.6, 1.3, 0.8, 0.6), 6, _by_size(3.6, 2.8, 1.6, 1.1), 8, _by_size(6.5, 5, 2.6, 1.8))
    wide += [11, _by_size(22, 14, 7, 4), 14, _by_size(110, 70, 30, 16)]
    casing = _zoomed(3, _by_size(2.6, 2.2, 1.4, 1.1), 6, _by_size(5.0, 4.0, 2.5, 1.9), 8, _by_size(8.0, 6.3, 3.7, 2.8))
    casing += [11, _by_size(23.6, 15.6, 8.4, 5.4), 14, _by_size(112, 72, 32, 18)]
    line = {"line-cap": "round", "line-join": "round"}
    order = {"line-sort-key": ["get", "size"]}
    drawn = ["!", ["has", "estuary"]]
    return [
        {
            "id": "river-casing",
            "type": "line",
            "source": "rivers",
            "filter": drawn,
            "layout": line | order,
            "paint": {"line-color": look.channel, "line-width": casing},
        },
        {
            "id": "lake-shore",
            "type": "line",
            "source": "lakes",
            "paint": {"line-color": look.shore, "line-width": _zoomed(4, 0.8, 10, 2)},
        },
        {"id": "lake", "type": "fill", "source": "lakes", "paint": {"fill-color": look.water}},
        {
            "id": "river",
            "type": "line",
            "source": "rivers",
            "filter": drawn,
            "layout": line | order,
            "paint": {"line-color": look.water, "line-width": wide},
        },
    ]


def _borders(look: Theme) -> list[dict[str, Any]]:
    def lines(name: str, level: str, detail: str, colour: str, width: list[Any], **more: Any) -> dict[str, Any]:
        paint: dict[str, Any] = {"line-color": colour, "line-width": width}
        if level == "province":
            paint["line-dasharray"] = [4, 2]
        where = ["all", ["==", ["get", "level"], level], ["==", ["get", "detail"], detail]]
        return {"id": name, "type": "line", "source": "borders", "filter": where, "paint": paint} | more

    # below the water in the stack would hide borders that run along a river, which is where they matter most
    return [
        lines("city-border", "city", "fine", look.city, _zoomed(6, 0.6, 11, 1.4), minzoom=6),
        lines("province-border-far", "province", "coarse", look.province, _zoomed(3, 0.6, 7, 1.0), maxzoom=7),
        lines("province-border", "province", "fine", look.province, _zoomed(7, 1.0, 11, 1.8), minzoom=7),
    ]


def _text(lang: str, size: Any, **layout: Any) -> dict[str, Any]:
    # names without an English spelling keep the Chinese one: a name beats a gap
    name = ["get", "zh"] if lang == "zh" else ["coalesce", ["get", "en"], ["get", "zh"]]
    return {"text-field": name, "text-font": [FONT], "text-size": size, "text-max-width": 8} | layout


def _ink(colour: str, halo: str, width: float = 1.4) -> dict[str, Any]:
    return {"text-color": colour, "text-halo-color": halo, "text-halo-width": width, "text-halo-blur": 0.3}


def _labels(look: Theme, lang: str) -> list[dict[str, Any]]:
    sizes = {1: _zoomed(4, 13, 8, 17), 2: _zoomed(5, 11.5, 9, 15), 3: _zoomed(6, 11, 9, 14), 4: 12, 5: 12}
    towns = {
        rank: {
            "id": f"town-{rank}",
            "type": "symbol",
            "source": "places",
            "minzoom": zoom,
            "filter": ["all", ["==", ["get", "kind"], "town"], ["==", ["get", "rank"], rank]],
            "layout": _text(lang, sizes[rank], **{"text-padding": 3}),
            "paint": _ink(look.town, look.halo, 1.6),
        }
        for rank, zoom in ((1, 3.5), (2, 4.8), (3, 6.0), (4, 7.2), (5, 8.4))
    }
    lakes = {
        rank: {
            "id": f"lake-name-{rank}",
            "type": "symbol",
            "source": "lakes",
            "minzoom": zoom,
            "filter": ["all", ["has", "zh"], ["==", ["get", "rank"], rank]],
            "layout": _text(lang, 12, **{"text-letter-spacing": 0.1, "text-max-width": 5}),
            "paint": _ink(look.river, look.water),
        }
        for rank, zoom in ((1, 5.6), (2, 7.2), (3, 8.2))
    }
    marks = {
        step: {
            "id": f"km-{step}",
            "type": "symbol",
            "source": "marks",
            "minzoom": zoom,
            "filter": ["==", ["get", "step"], step],
            "layout": {
                "text-field": ["concat", "• K", ["to-string", ["get", "km"]]],
                "text-font": [FONT],
                "text-size": 11,
                "text-anchor": "left",
                "text-offset": [-0.25, 0],
                "text-padding": 8,
            },
            "paint": _ink(look.mark, look.halo),
        }
        for step, zoom in ((1, 11.5), (10, 8.3), (100, 5.6))
    }
    province = {
        "id": "province-name",
        "type": "symbol",
        "source": "places",
        "filter": ["==", ["get", "kind"], "province"],
        "maxzoom": 7.5,
        "layout": _text(lang, _zoomed(4, 12, 7, 17), **{"text-letter-spacing": 0.35, "text-padding": 6}),
        "paint": _ink(look.faint, look.halo, 1.0),
    }
    along: dict[str, Any] = {
        "symbol-placement": "line",
        "symbol-spacing": 420,
        "text-letter-spacing": 0.25 if lang == "zh" else 0.08,
        "text-max-angle": 40,
        "text-offset": [0, -0.95],
        "symbol-sort-key": ["-", 0, ["get", "size"]],
    }
    river = {
        "id": "river-name",
        "type": "symbol",
        "source": "rivers",
        "minzoom": 4.6,
        "layout": _text(lang, ["match", ["get", "main"], 1, 14, 12], **along),
        "paint": _ink(look.river, look.halo),
    }
    # where labels compete the last layer wins
    order = [province, marks[1], towns[5], lakes[3], marks[10], towns[4], lakes[2], towns[3], marks[100]]
    return [*order, river, lakes[1], towns[2], towns[1]]
