"""What to check at a place: short lines by stated rules, each with the fact it rests on.

| line | when |
|---|---|
| gear, bank, hours | at least `brief_least` cases near, and `brief_share` of those that state it agree |
| hot neighbours | a reach within `brief_near_m` by water is hot |
| core zone | a zone in force here is a core zone by its category |
| unseen | not looked at for over `brief_days` days, or never in the period |
| looked too little | the state is not_looked |
| leads | cases by tip or camera with no patrol near (`seizures_unpatrolled`) |
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo_monitor.app.brief.says import PLACES, clean, joined, name
from geo_monitor.app.rows import rows
from geo_monitor.app.words import Speaker, number
from geo_monitor.tables import TIMEZONE

if TYPE_CHECKING:
    from geo_monitor.app.brief.facts import Known

CORE = ("核心", "core")  # words in a zone's category that name a core zone
BLOCK_H = 4  # hours of a part of the day


def most(values: Sequence[str], speaker: Speaker) -> tuple[str, int, int] | None:
    """The value that enough of the cases agree on: (value, how many, of how many that state one).

    >>> most(["a", "a", "b", ""], Speaker("zh"))
    ('a', 2, 3)
    """
    told = [value for value in values if value]
    if len(told) < speaker.settings.brief_least:
        return None
    value, n = min(Counter(told).items(), key=lambda pair: (-pair[1], pair[0]))
    return (value, n, len(told)) if n >= speaker.settings.brief_share * len(told) else None


def of_cases(found: pd.DataFrame, speaker: Speaker) -> list[str]:
    """Lines on gear, bank and hours of the cases near the place."""
    lines = []
    gear = most([clean(value) for value in found["gear"]], speaker)
    if gear is not None:
        lines.append(speaker.say("brief_check_gear", gear=name(gear[0]), k=gear[1], n=gear[2]))
    bank = most([clean(value) if value != "mid" else "" for value in found["link_bank"]], speaker)
    if bank is not None:
        lines.append(speaker.say(f"brief_check_{bank[0]}", k=bank[1], n=bank[2]))
    hours = found["time"].dt.tz_convert(TIMEZONE).dt.hour.to_numpy() if len(found) else np.zeros(0, int)
    start, end = round(speaker.settings.night_from_h), round(speaker.settings.night_to_h)
    night = int(((hours >= start) | (hours < end)).sum())
    spans = {"start": f"{start:02d}", "end": f"{end:02d}"}
    if len(hours) >= speaker.settings.brief_least and night >= speaker.settings.brief_share * len(hours):
        lines.append(speaker.say("brief_check_night", k=night, n=len(hours), **spans))
    else:
        block = most([str(int(hour) // BLOCK_H) for hour in hours], speaker)
        if block is not None:
            first = int(block[0]) * BLOCK_H
            spans = {"start": f"{first:02d}", "end": f"{first + BLOCK_H:02d}"}
            lines.append(speaker.say("brief_check_hours", k=block[1], n=block[2], **spans))
    return lines


def hot(known: Known, spots: np.ndarray, code: str, speaker: Speaker) -> list[str]:
    """The line on hot reaches among `spots`, if any: the first few are named, hottest first."""
    table = known.reaches.iloc[spots]
    table = table[table["state"] == "hot"].sort_values(["p_hot", "rate"], ascending=False, kind="stable")
    if not len(table):
        return []
    places = [speaker.place(row) for row in rows(table.head(PLACES).assign(level="reach"))]
    said = joined(speaker, places) + ("…" if len(table) > PLACES else "")
    near = f"{speaker.settings.brief_near_m / 1000:g}"
    return [speaker.say(f"brief_check_{code}", n=len(table), places=said, km=near)]


def core(zones: pd.DataFrame, speaker: Speaker) -> list[str]:
    """The line on each core zone in force."""
    return [
        speaker.say("brief_check_core", zone=name(row.name) or name(row.zone_id))
        for row in rows(zones[zones["holds"]])
        if any(word in clean(row.category).lower() for word in CORE)
    ]


def of_reach(row: Any, speaker: Speaker) -> list[str]:
    """Lines on the looking at one reach: unseen, too little, leads."""
    lines = []
    least = speaker.settings.brief_days
    if row.unseen_d != row.unseen_d:
        lines.append(speaker.say("brief_check_never"))
    elif row.unseen_d > least:
        lines.append(speaker.say("brief_check_unseen", days=f"{math.floor(row.unseen_d):,}", least=least))
    if row.state == "not_looked" and row.patrol_h > 0:
        hours = {"hours": number(row.patrol_h), "least": f"{speaker.settings.looked_h:g}"}
        lines.append(speaker.say("brief_check_little", **hours))
    if int(row.seizures_unpatrolled):
        lines.append(speaker.say("brief_check_unpatrolled", n=int(row.seizures_unpatrolled)))
    return lines
