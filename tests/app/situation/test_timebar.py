"""The charts of the time, against bars worked out by hand."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import numpy as np
import pandas as pd

from geo_monitor.app.look import LOOKS
from geo_monitor.app.situation import timebar
from geo_monitor.app.words import Speaker

SAY = Speaker("en")


def drawn(chart: str) -> ET.Element:
    caption, svg = ET.fromstring(f"<figure>{chart}</figure>")
    assert caption.text == svg.attrib["aria-label"]
    return svg


def bars(svg: ET.Element) -> list[tuple[float, float, float]]:
    """Left edge and width in per cent, height in pixels; they stand on one line."""
    found = [one.attrib for one in svg.iter("rect") if one.attrib["class"] == "bar"]
    assert {float(one["y"]) + float(one["height"]) for one in found} <= {float(timebar.HEIGHT)}
    return [(float(one["x"][:-1]), float(one["width"][:-1]), float(one["height"])) for one in found]


def dots(svg: ET.Element) -> list[float]:
    return [float(one.attrib["cx"][:-1]) for one in svg.iter("circle")]


def test_days_are_bars_that_tell_their_day_when_clicked() -> None:
    day = pd.Timestamp("2025-06-01")
    known = pd.DataFrame({"hours": [80.0, 25.0], "cases": [0, 2]}, index=[day - pd.Timedelta(days=1), day])
    svg = drawn(timebar.days_chart(timebar.days(known, day, day), SAY, LOOKS["day"]))
    groups = svg.findall("g")
    assert len(groups) == timebar.DAYS
    assert (groups[-1].attrib["data-day"], groups[-1].attrib["class"]) == ("2025-06-01", "here")
    assert "class" not in groups[-2].attrib
    title = groups[-1].find("title")
    assert title is not None
    assert title.text == "day 2025-06-01\nhours patrolled 25\nseizures 2"
    # 100 hours are the whole height; a day is 100/60 of the width
    assert [round(height, 1) for _, _, height in bars(svg)[-2:]] == [
        round(timebar.HEIGHT * part, 1) for part in (0.8, 0.25)
    ]
    assert abs(bars(svg)[-1][0] - (59.05 * 100 / 60)) < 0.01
    assert dots(svg) == [round(59.5 * 100 / 60, 3)]
    texts = [one.text for one in svg.findall("text")]
    assert texts[:4] == ["0", "50", "100", "04-05"]  # the third day of 60


def test_a_night_begins_at_noon() -> None:
    hours = np.zeros(timebar.BINS)
    hours[20] = 1.5  # 22:00 to 22:30
    svg = drawn(timebar.night_chart(timebar.night(hours, [11.5, 12.0], 10.0), SAY, LOOKS["night"]))
    x, width, height = bars(svg)[20]
    assert (round(x, 2), round(width, 2), height) == (round(10 / 24 * 100, 2), round(50 / 24, 2), timebar.HEIGHT * 0.75)
    assert [round(at, 2) for at in dots(svg)] == [47.92, 50.0]
    (line,) = svg.iter("line")
    assert line.attrib["x1"] == line.attrib["x2"] == "41.667%"
    assert [one.text for one in svg.findall("text")] == [
        "0",
        "1",
        "2",
        *(f"{at:02}:00" for at in (12, 16, 20, 0, 4, 8, 12)),
    ]


def test_an_empty_night_is_a_chart_too() -> None:
    svg = drawn(timebar.night_chart(timebar.night(np.zeros(timebar.BINS), [], 3.0), SAY, LOOKS["day"]))
    assert {height for _, _, height in bars(svg)} == {0.0}
    assert dots(svg) == []
