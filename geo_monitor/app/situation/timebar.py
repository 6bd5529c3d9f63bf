"""The time under the live map: hours patrolled and seizures by day and through the chosen night, as SVG: Streamlit's library
for charts would be an eighth of all that is sent on opening the page.

A night counts its hours from noon in Shanghai, so that it looks the same whatever zone the browser is in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import TYPE_CHECKING

from geo_monitor.app.legend import css

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from geo_monitor.app.look import Look
    from geo_monitor.app.words import Speaker

HEIGHT = 56  # pixels of the tallest bar
DAYS = 60  # bars of the chart of days
BINS = 48  # half hours of a night, noon to noon
PICK = "day"  # what a click on a bar is told as
EVERY = 8  # days between two that are written below their bars
DOTS_Y = 5  # pixels from the top; where seizures are
# clicks are told by `data-day`
CSS = """
figure { margin: 0; padding: 0 1.2rem 0 2.6rem; font: 11px var(--st-font); color: var(--st-text-color); }
figcaption { font-size: 12px; margin: 0 0 6px -2.6rem; }
svg { display: block; width: 100%; overflow: visible; font-variant-numeric: tabular-nums; }
text { fill: currentColor; opacity: .7; }
[data-day] { cursor: pointer; }
[data-day] .hit { fill: transparent; }
[data-day]:not(.here) .bar { opacity: .5; }
"""
JS = """
export default ({ data, parentElement, setTriggerValue }) => {
  let chart = parentElement.querySelector('figure');
  if (!chart) parentElement.appendChild(chart = document.createElement('figure'));
  chart.innerHTML = data;
  chart.onclick = event => {
    const bar = event.target.closest('[data-day]');
    if (bar) setTriggerValue('day', bar.dataset.day);
  };
};
"""


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


def days_chart(frame: pd.DataFrame, speaker: Speaker, colours: Look) -> str:
    """The rows of `days` as bars of hours with dots of seizures above; a click on a bar is of its day."""
    say, step, top = speaker.say, 100 / len(frame), nice(frame["hours"].max())
    most = max(int(frame["cases"].max()), 1)
    out = _scale(top)
    for at, (day, hours, cases, here) in enumerate(frame.itertuples(index=False)):
        told = f"{say('chart_day')} {day}\n{say('chart_hours')} {hours:g}\n{say('chart_cases')} {cases}"
        parts = [
            f"<title>{escape(told)}</title>",
            f'<rect class="hit" x="{at * step:.3f}%" width="{step:.3f}%" height="{HEIGHT}"/>',
            _bar((at + 0.05) * step, 0.9 * step, hours / top, css(colours.patrol, 0.75)),
        ]
        if cases:
            parts.append(_dot((at + 0.5) * step, math.sqrt((8 + 62 * cases / most) / math.pi), css(colours.seizure)))
        chosen = ' class="here"' if here else ""
        out.append(f'<g data-day="{day}"{chosen}>{"".join(parts)}</g>')
    names = [((at + 0.5) * step, day[5:]) for at, day in enumerate(frame["day"]) if at % EVERY == 2]
    return _chart(out, names, say("chart_days"))


def night_chart(frame: pd.DataFrame, speaker: Speaker, colours: Look) -> str:
    """The rows of `night` as bars of hours by half hour, seizures as dots, a line at the moment shown."""
    say, hour, top = speaker.say, 100 / 24, nice(frame["hours"].max())
    out = _scale(top)
    for start, end, hours in frame[["start", "end", "hours"]].dropna().itertuples(index=False):
        told = f"<title>{escape(say('chart_hours'))} {hours:g}</title>"
        bar = _bar(start * hour, (end - start) * hour, hours / top, css(colours.patrol, 0.6))
        out.append(f"<g>{told}{bar}</g>")
    out += [_dot(at * hour, 3.8, css(colours.seizure)) for at in frame["case"].dropna()]
    out += [
        f'<line x1="{at * hour:.3f}%" x2="{at * hour:.3f}%" y2="{HEIGHT}" stroke="{css(colours.pick)}" stroke-width="2"/>'
        for at in frame["now"].dropna()
    ]
    names = [(at * hour, f"{(at + 12) % 24:02}:00") for at in range(0, 25, 4)]
    return _chart(out, names, say("chart_night"))


def nice(most: float) -> float:
    """The end of a scale that holds `most`: 1, 2 or 5 times a power of ten.

    >>> [nice(most) for most in (0, 0.7, 1.2, 5, 84.3, 201)]
    [1, 1.0, 2.0, 5.0, 100.0, 500.0]
    """
    if not most > 0:
        return 1
    unit = 10.0 ** math.floor(math.log10(most))
    return next(unit * times for times in (1, 2, 5, 10) if unit * times >= most)


def _scale(top: float) -> list[str]:
    """Nothing, half and all, written on the left."""
    return [
        f'<text x="-8" y="{HEIGHT * (1 - part) + 4:g}" text-anchor="end">{part * top:g}</text>' for part in (0, 0.5, 1)
    ]


def _bar(x: float, width: float, part: float, colour: str) -> str:
    high = HEIGHT * part
    return f'<rect class="bar" x="{x:.3f}%" width="{width:.3f}%" y="{HEIGHT - high:.1f}" height="{high:.1f}" fill="{colour}"/>'


def _dot(x: float, radius: float, colour: str) -> str:
    return f'<circle cx="{x:.3f}%" cy="{DOTS_Y}" r="{radius:.1f}" fill="{colour}"/>'


def _chart(parts: list[str], names: Iterable[tuple[float, str]], title: str) -> str:
    """`names` stand below, at per cent of the width."""
    below = [f'<text x="{x:.3f}%" y="{HEIGHT + 16}" text-anchor="middle">{escape(name)}</text>' for x, name in names]
    return (
        f'<figcaption>{escape(title)}</figcaption><svg role="img" aria-label="{escape(title)}" height="{HEIGHT + 22}">'
        f"{''.join([*parts, *below])}</svg>"
    )
