"""Rates with their intervals drawn as intervals, hours looked beside them (Vega-Lite)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_monitor.app.deck import plain
from geo_monitor.app.legend import css
from geo_monitor.app.levels import STATES
from geo_monitor.app.rows import rows
from geo_monitor.app.words import percent

if TYPE_CHECKING:
    from geo_monitor.app.look import Look
    from geo_monitor.app.words import Speaker

MOST = 25  # reaches drawn
ROW = 17  # pixels of one


def frame(listed: pd.DataFrame, speaker: Speaker) -> pd.DataFrame:
    """The first MOST looked-at reaches of `listed` (`levels.joined`, worst first): place, state, rate, lo, hi, hours, cases."""
    looked = listed[listed["state"] != "not_looked"].head(MOST)
    return pd.DataFrame(
        {
            "place": [f"{i + 1}. {plain(speaker.place(row))}" for i, row in enumerate(rows(looked))],
            "state": looked["state"].astype(str).to_numpy(),
            "rate": looked["rate"].to_numpy(),
            "lo": looked["rate_lo"].to_numpy(),
            "hi": looked["rate_hi"].to_numpy(),
            "hours": looked["patrol_h"].round(1).to_numpy(),
            "cases": looked["seizures"].to_numpy(),
        }
    )


def chart(told: pd.DataFrame, basin: float, speaker: Speaker, colours: Look) -> dict[str, Any]:
    """Of `frame`: a bar from lo to hi with a dot at the rate, a dashed line at the `basin` rate; hours as bars beside."""
    say = speaker.say
    y = {
        "field": "place",
        "type": "ordinal",
        "sort": told["place"].tolist(),
        "title": None,
        "axis": {"labelLimit": 220},
    }
    scale = {"domain": list(STATES), "range": [css(colours.state(state)) for state in STATES]}
    colour = {"field": "state", "type": "nominal", "scale": scale, "legend": None}
    interval = say("col_interval", interval=percent(speaker.settings.interval))
    tips = [
        {"field": "place", "title": say("col_place")},
        {"field": "rate", "title": say("col_rate"), "format": ".2f"},
        {"field": "lo", "title": interval, "format": ".2f"},
        {"field": "hi", "title": interval, "format": ".2f"},
        {"field": "cases", "title": say("col_cases")},
        {"field": "hours", "title": say("col_hours")},
    ]
    x = {"type": "quantitative", "title": say("axis_rate"), "axis": {"grid": True}}
    height = ROW * max(len(told), 1)
    rates = {
        "height": height,
        "width": 460,
        "layer": [
            {
                "mark": {"type": "bar", "height": 6, "opacity": 0.45},
                "encoding": {"y": y, "x": {"field": "lo"} | x, "x2": {"field": "hi"}, "color": colour, "tooltip": tips},
            },
            {
                "mark": {"type": "point", "filled": True, "size": 55, "opacity": 1},
                "encoding": {"y": y, "x": {"field": "rate"} | x, "color": colour, "tooltip": tips},
            },
            {
                "mark": {"type": "rule", "strokeDash": [4, 3], "color": css(colours.pick, 0.7)},
                "encoding": {"x": {"datum": basin}},
            },
        ],
    }
    hours = {
        "height": height,
        "width": 170,
        "mark": {"type": "bar", "height": 8, "color": css(colours.patrol, 0.6)},
        "encoding": {
            "y": y | {"axis": None},
            "x": {"field": "hours", "type": "quantitative", "title": say("axis_hours")},
            "tooltip": tips,
        },
    }
    return {"hconcat": [rates, hours], "spacing": 14}
