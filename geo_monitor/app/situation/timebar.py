"""The time under the live map: hours patrolled and seizures by day and through the chosen night (Vega-Lite), drawn by the
page's own library, nothing fetched.

A night counts its hours from noon in Shanghai, so that it looks the same whatever zone the browser is in.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from geo_monitor.app.legend import css

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from geo_monitor.app.look import Look
    from geo_monitor.app.words import Speaker

HEIGHT = 92  # pixels
DAYS = 60  # bars of the chart of days
BINS = 48  # half hours of a night, noon to noon
PICK = "day"  # name of the chart's selection


def days(
    frame: pd.DataFrame, chosen: pd.Timestamp, newest: pd.Timestamp, first: pd.Timestamp | None = None
) -> pd.DataFrame:
    """DAYS rows (day, hours, cases, here) of `data.days` that hold the `chosen` day, the latest ones where they do; none
    of days before `first`, of which positions were let go: they are not days without patrols.

    >>> import pandas as pd
    >>> day = pd.Timestamp("2025-06-01")
    >>> held = pd.DataFrame({"hours": [2.0], "cases": [1]}, index=[day])
    >>> days(held, day, day)[["day", "hours", "cases", "here"]].iloc[-1].to_json(), len(days(held, day, day))
    ('{"day":"2025-06-01","hours":2.0,"cases":1,"here":true}', 60)
    """
    import pandas as pd

    end = min(newest, chosen + pd.Timedelta(days=DAYS // 2))
    span = pd.date_range(end - pd.Timedelta(days=DAYS - 1), end, freq="D")
    span = span if first is None else span[span >= first]
    found = frame.reindex(span)
    return pd.DataFrame(
        {
            "day": span.strftime("%Y-%m-%d"),
            "hours": found["hours"].fillna(0.0).round(1).to_numpy(),
            "cases": found["cases"].fillna(0).astype(int).to_numpy(),
            "here": (span == chosen).tolist(),
        }
    )


def night(hours: np.ndarray, cases: Sequence[float], now: float) -> pd.DataFrame:
    """Rows of the chart of a night, times in hours since noon: bars (start, end, hours), seizures (case), and `now`.

    >>> import numpy as np
    >>> night(np.zeros(BINS), [11.5], 10.0).count().to_dict()
    {'start': 48, 'end': 48, 'hours': 48, 'case': 1, 'now': 1}
    """
    import numpy as np
    import pandas as pd

    edges = np.linspace(0, 24, BINS + 1)
    bars = pd.DataFrame({"start": edges[:-1], "end": edges[1:], "hours": np.round(hours, 2)})
    rest = [pd.DataFrame({"case": np.asarray(cases, dtype=float)}), pd.DataFrame({"now": [now]})]
    return pd.concat([bars, *[part for part in rest if len(part)]], ignore_index=True).reindex(
        columns=["start", "end", "hours", "case", "now"]
    )


def days_chart(speaker: Speaker, colours: Look) -> dict[str, Any]:
    """Of the rows of `days`: bars of hours with dots of seizures above; a click on a bar selects its day under PICK."""
    say = speaker.say
    x = {"field": "day", "type": "ordinal", "axis": _axis(labelExpr="slice(datum.value, 5)", labelOverlap=True)}
    tips = [
        {"field": "day", "title": say("chart_day")},
        {"field": "hours", "title": say("chart_hours")},
        {"field": "cases", "title": say("chart_cases")},
    ]
    bar = {
        "mark": {"type": "bar", "color": css(colours.patrol, 0.75), "cursor": "pointer"},
        "params": [{"name": PICK, "select": {"type": "point", "encodings": ["x"]}}],
        "encoding": {
            "x": x,
            "y": {"field": "hours", "type": "quantitative", "axis": _axis(tickCount=2, format="~r")},
            "opacity": {"condition": {"test": "datum.here", "value": 1}, "value": 0.5},
            "tooltip": tips,
        },
    }
    dot = {
        "mark": {"type": "point", "filled": True, "color": css(colours.seizure), "opacity": 1},
        "transform": [{"filter": "datum.cases > 0"}],
        "encoding": {
            "x": x,
            "y": {"value": 5},
            "size": {"field": "cases", "type": "quantitative", "scale": {"range": [8, 70]}, "legend": None},
            "tooltip": tips,
        },
    }
    return _chart([bar, dot], say("chart_days"))


def night_chart(speaker: Speaker, colours: Look) -> dict[str, Any]:
    """Of the rows of `night`: bars of hours by half hour, seizures as dots, a line at the moment shown."""
    say = speaker.say
    clock = "format((datum.value + 12) % 24, '02') + ':00'"
    x = {
        "type": "quantitative",
        "scale": {"domain": [0, 24]},
        "axis": _axis(labelExpr=clock, values=[*range(0, 25, 4)]),
    }
    bar = {
        "mark": {"type": "rect", "color": css(colours.patrol, 0.6)},
        "transform": [{"filter": "isValid(datum.hours)"}],
        "encoding": {
            "x": {"field": "start"} | x,
            "x2": {"field": "end"},
            "y": {
                "field": "hours",
                "type": "quantitative",
                "axis": _axis(tickCount=2, format="~r"),
                "scale": {"zero": True},
            },
            "y2": {"datum": 0},
            "tooltip": [{"field": "hours", "title": say("chart_hours")}],
        },
    }
    dot = {
        "mark": {"type": "point", "filled": True, "color": css(colours.seizure), "size": 45, "opacity": 1},
        "transform": [{"filter": "isValid(datum.case)"}],
        "encoding": {"x": {"field": "case"} | x, "y": {"value": 5}},
    }
    line = {
        "mark": {"type": "rule", "color": css(colours.pick), "strokeWidth": 2},
        "transform": [{"filter": "isValid(datum.now)"}],
        "encoding": {"x": {"field": "now"} | x},
    }
    return _chart([bar, dot, line], say("chart_night"))


def _axis(**more: Any) -> dict[str, Any]:
    return {"title": None, "grid": False, "labelFontSize": 11, "labelAngle": 0, **more}


def _chart(layers: list[dict[str, Any]], title: str) -> dict[str, Any]:
    return {
        "layer": layers,
        "height": HEIGHT,
        "title": {"text": title, "fontSize": 12, "fontWeight": "normal", "anchor": "start", "offset": 4},
        "padding": {"left": 4, "right": 4, "top": 0, "bottom": 0},
    }
