"""The sections of a brief: facts of `brief_facts` as lines of text, in the language of a `Speaker`.

Every line is plain text; what agencies typed stands in it as typed, shortened, and is never markup.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geo_monitor.app.brief import facts
from geo_monitor.app.rows import rows
from geo_monitor.app.words import Speaker, day, km, moment, number
from geo_monitor.messages import listed
from geo_monitor.tables import TIMEZONE

if TYPE_CHECKING:
    from geo_monitor.app.brief.facts import Known

TEXT_MAX = 600  # characters of a rule; longer ones are cut with a note
NAME_MAX = 60  # characters of a name, a gear, a unit
GEARS = 5  # kinds counted by name, the rest as "others"
MARKED = ("tip", "camera")  # origins told with each case: nobody was there by himself
OURS = ("check", "place", "rate", "cases", "partners")  # sections whose lines begin with our words, not with a name
PLACES = 3  # reaches or localities named in one line


@dataclass(frozen=True)
class Section:
    """A heading with lines. `more`: how many further rows the data hold; `lead`: first lines that are no rows of a
    list and are cut last."""

    code: str
    heading: str
    lines: tuple[str, ...]
    more: int = 0
    lead: int = 0


def section(speaker: Speaker, code: str, lead: Sequence[str], listed: Sequence[str] = (), more: int = 0) -> Section:
    """The section `code` of lines that speak for all of it, and the rows of a list."""
    told = tuple(line for line in (*lead, *listed) if line)
    if speaker.lang == "en" and code in OURS:
        told = tuple(line[0].upper() + line[1:] for line in told)
    return Section(code, speaker.say(f"brief_{code}"), told, more, len([line for line in lead if line]))


def clean(value: object) -> str:
    """Text on one line: null is empty, line breaks and runs of blanks become one blank.

    >>> clean("a\\n  b"), clean(None), clean(float("nan"))
    ('a b', '', '')
    """
    if value is None or value != value:
        return ""
    return " ".join(str(value)[: 4 * TEXT_MAX].split())


def cut(value: object, speaker: Speaker, longest: int = TEXT_MAX) -> str:
    """`clean`, shortened to `longest` characters with an ellipsis and how long the whole is.

    >>> cut("abcdef", Speaker("en"), 3)
    'abc… (6 characters in full, cut here)'
    """
    text = clean(value)
    if len(text) <= longest:
        return text
    return f"{text[:longest]}…{speaker.say('brief_cut', n=f'{len(str(value)):,}')}"


def name(value: object) -> str:
    """A name in at most NAME_MAX characters."""
    text = clean(value)
    return text if len(text) <= NAME_MAX else f"{text[:NAME_MAX]}…"


def joined(speaker: Speaker, parts: Sequence[str]) -> str:
    """Names in a row."""
    return listed(parts, speaker.lang)


def comma(speaker: Speaker, parts: Sequence[str]) -> str:
    """Clauses in a row."""
    return ("，" if speaker.lang == "zh" else ", ").join(part for part in parts if part)


def reach_row(known: Known, spot: int) -> Any:
    """The reach as `Speaker` takes it; `unseen_d` counts back from `at`, `trend` is its `class`."""
    values: dict[str, Any] = {str(key): value for key, value in known.reaches.iloc[spot].items()}
    last = values["last_look"]
    if not pd.isna(last) and last > known.at:  # the run knows more than was known then: only days of effort tell
        days = facts.effort_days(known, np.array([spot]))["day"]
        last = min(pd.Timestamp(days.iloc[0], tz=TIMEZONE) + pd.Timedelta(days=1), known.at) if len(days) else pd.NaT
        values["last_look"] = last
    values["unseen_d"] = float("nan") if pd.isna(last) else (known.at - last).total_seconds() / 86_400
    values["trend"] = values.pop("class", "none")
    return SimpleNamespace(**{"level": "reach", "side": None} | values)


def point(lon: float, lat: float) -> str:
    """Longitude and latitude to about a metre.

    >>> point(112.5, 29.75)
    '112.50000°E 29.75000°N'
    """
    return f"{lon:.5f}°E {lat:.5f}°N"


def banks(row: Any, speaker: Speaker) -> str:
    """Whose the banks are, in one clause."""
    left, right = name(speaker.locality(row.adcode_left)), name(speaker.locality(row.adcode_right))
    if not left and not right:
        return speaker.say("brief_bank_unknown")
    if row.kind == "lake":
        return speaker.say("brief_bank_lake", place=left or right)
    if left == right:
        return speaker.say("brief_bank_both", place=left)
    sides = [(left, "brief_bank_left"), (right, "brief_bank_right")]
    told = [speaker.say(code, place=place) for place, code in sides if place]
    return comma(speaker, [*told, speaker.say("brief_bank_rule")])


def place(row: Any, speaker: Speaker) -> list[str]:
    """Lines on where a reach is."""
    kind = "lake" if row.kind == "lake" else "side" if clean(row.side) else "channel"
    told = speaker.say(f"brief_{kind}", place=speaker.place(row), length=f"{row.length_m:,.0f}")
    lines = [told if kind == "lake" else comma(speaker, [told, speaker.say("brief_km")]), banks(row, speaker)]
    return [*lines, speaker.say("brief_point", point=point(row.lon, row.lat))]


def rules(zones: pd.DataFrame, speaker: Speaker) -> Section:
    """What holds at the place, then what does not hold now, each with its text, season, validity and agency."""
    lines = []
    for row in sorted(rows(zones), key=lambda row: (not row.holds, str(row.zone_id), row.version)):
        short = row._replace(
            name=name(row.name), category=name(row.category), rule=cut(row.rule, speaker), agency=name(row.agency)
        )
        title, body = speaker.zone(short, bool(row.holds))
        said = speaker.say("brief_pair", head=title, body=body)
        lines.append(said)
    if not any(zones["holds"]):
        lines.insert(0, speaker.say("brief_none_holds" if lines else "brief_no_rule"))
    return section(speaker, "rules", (), lines)


def rate(row: Any, speaker: Speaker) -> list[str]:
    """State, class, rate with interval, effort and last look of a reach; no verdict where nobody looked enough."""
    unpatrolled = int(row.seizures_unpatrolled)
    more = [speaker.say("unpatrolled", n=unpatrolled)] if unpatrolled else []
    if row.state == "not_looked":
        little = speaker.say("too_little", hours=number(row.patrol_h), least=speaker.settings.looked_h)
        return [speaker.say("brief_not_looked"), little, *more, last(row, speaker)]
    effort = speaker.say("effort", hours=number(row.patrol_h), cases=int(row.seizures))
    state = speaker.say(row.state)
    trend = speaker.trend(clean(row.trend))
    if trend:
        state = speaker.say("brief_state_class", state=state, trend=trend)
    return [speaker.say("brief_pair", head=state, body=speaker.rate(row)), effort, *more, last(row, speaker)]


def last(row: Any, speaker: Speaker) -> str:
    """When somebody looked last, with the day."""
    if row.unseen_d != row.unseen_d:
        return speaker.say("last_never")
    if row.unseen_d < 1:
        return speaker.say("brief_last_today", day=day(row.last_look))
    return speaker.say("brief_last", day=day(row.last_look), days=f"{math.floor(row.unseen_d):,}")


def counted(values: Sequence[str], speaker: Speaker) -> str:
    """How often each value: "地笼 3、拦河网 1"; those beyond GEARS together, the empty ones last."""
    counts = Counter(value for value in values if value)
    ranked = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    told = [f"{name(value)} {n}" for value, n in ranked[:GEARS]]
    rest = sum(n for _, n in ranked[GEARS:])
    empty = sum(1 for value in values if not value)
    told += [f"{speaker.say('brief_others')} {rest}"] if rest else []
    told += [f"{speaker.say('brief_unstated')} {empty}"] if empty else []
    return joined(speaker, told)


def case(row: Any, own: set[str], speaker: Speaker) -> str:
    """One seizure on a line: when, where, what, and by whom it was found where not by a patrol."""
    where = f"K{km(row.link_km)}" if row.link_km == row.link_km and row.link_km is not None else ""
    bank = speaker.say(row.link_bank, place="").strip() if clean(row.link_bank) in ("left", "right") else ""
    marked = clean(row.origin)
    mark = speaker.say("brief_marked", origin=speaker.say(f"brief_origin_{marked}")) if marked in MARKED else ""
    parts = [
        moment(row.time) + mark,
        f"{where} {bank}".strip(),
        speaker.say("brief_near_case") if row.link_reach not in own else "",
        speaker.say(row.setting) if clean(row.setting) not in ("", "water") else "",
        name(row.gear),
        speaker.say("catch", kg=number(row.catch_kg)) if row.catch_kg == row.catch_kg and row.catch_kg else "",
        speaker.say(row.disposition) if clean(row.disposition) else "",
    ]
    return comma(speaker, parts)


def cases(found: pd.DataFrame, own: set[str], reaches: int, code: str, speaker: Speaker) -> Section:
    """Seizures of a place (`own` reach_ids) and its neighbours: counts, then the latest ones."""
    near = f"{speaker.settings.brief_near_m / 1000:g}"
    mine = int(found["link_reach"].isin(own).sum())
    if not reaches:
        return section(speaker, "cases", [speaker.say("brief_no_cases")])
    lead = [speaker.say(f"brief_cases_{code}", km=near, reaches=f"{reaches:,}", n=f"{len(found):,}", own=f"{mine:,}")]
    if len(found):
        lead.append(speaker.say("brief_by_gear", counts=counted([clean(v) for v in found["gear"]], speaker)))
        origins = [speaker.say(f"brief_origin_{v}") if clean(v) else "" for v in found["origin"]]
        lead.append(speaker.say("brief_by_origin", counts=counted(origins, speaker)))
    shown = found.head(speaker.settings.brief_cases)
    listed = [case(row, own, speaker) for row in rows(shown)]
    return section(speaker, "cases", lead, listed, len(found) - len(shown))


def effort(known: Known, found: pd.DataFrame, speaker: Speaker, code: str = "effort") -> str:
    """Patrol hours over the last days, of rows of `effort`."""
    days = speaker.settings.brief_days
    end = pd.Timestamp(known.at.tz_convert(TIMEZONE).date())
    start = end - pd.Timedelta(days=days - 1)
    recent = found[pd.to_datetime(found["day"]) >= start]
    hours = float(recent["minutes"].sum()) / 60
    told = {"start": f"{start:%m-%d}", "end": f"{end:%m-%d}", "hours": number(hours), "n": recent["day"].nunique()}
    return speaker.say(f"brief_{code}", days=days, **told)


def visit_days(known: Known, spot: int, speaker: Speaker) -> Section:
    """Days on which a patrol looked at a reach."""
    found = facts.effort_days(known, np.array([spot]))
    if not len(found):
        return section(speaker, "visits", [speaker.say("brief_no_visits")])
    shown = found.head(speaker.settings.brief_visits)
    listed = []
    for row in rows(shown):
        told = speaker.say(
            "brief_day",
            day=row.day,
            platform=speaker.say(f"brief_platform_{row.platform}"),
            minutes=number(row.minutes),
            passes=int(row.passes),
            units=int(row.units),
        )
        wait = speaker.say("brief_stakeout", minutes=number(row.stakeout_minutes)) if row.stakeout_minutes >= 1 else ""
        dark = getattr(row, "night_minutes", 0.0)
        listed.append(
            comma(speaker, [told, wait, speaker.say("brief_night", minutes=number(dark)) if dark >= 1 else ""])
        )
    return section(speaker, "visits", [effort(known, found, speaker)], listed, len(found) - len(shown))


def zone_visits(known: Known, lead: Sequence[str], of_unit: bool, speaker: Speaker, **wanted: Any) -> Section:
    """Who was in a zone, or in which zones a unit was: from when to when, for how long."""
    found = facts.visits(known, **wanted)
    if not len(found):
        return section(speaker, "visits", [*lead, speaker.say("brief_no_zone" if of_unit else "brief_no_visits")])
    shown = found.head(speaker.settings.brief_visits)
    zones = {str(i): name(n) for i, n in zip(known.zones["zone_id"], known.zones["name"], strict=True)}
    listed = []
    for row in rows(shown):
        end = row.left_at.tz_convert(TIMEZONE)
        same = row.entered_at.tz_convert(TIMEZONE).date() == end.date()
        span = {"start": moment(row.entered_at), "end": f"{end:%H:%M}" if same else moment(row.left_at)}
        span["minutes"] = number(row.minutes)
        if of_unit:
            told = speaker.say("brief_visit_unit", zone=zones.get(str(row.zone_id)) or name(row.zone_id), **span)
        else:
            told = speaker.say("brief_visit", unit=unit(known, row.unit_id)[0], **span)
        listed.append(told + (speaker.say("brief_possible") if row.certainty == "possible" else ""))
    lead = [*lead, speaker.say("brief_visits_unit")] if of_unit else lead
    return section(speaker, "visits", lead, listed, len(found) - len(shown))


def unit(known: Known, unit_id: object) -> tuple[str, str, str]:
    """Name, platform and agency of a unit; its id where `units` holds no name."""
    if known.units is not None and len(known.units):
        found = known.units[known.units["unit_id"] == unit_id]
        if len(found):
            row = found.iloc[-1]
            return name(row["name"]) or name(unit_id), clean(row["platform"]), name(row["agency"])
    return name(unit_id), "", ""


def units(known: Known, near: pd.DataFrame, older: int, speaker: Speaker) -> Section:
    """The nearest units with both distances and the age of their fix."""
    hours = f"{speaker.settings.brief_fix_h:g}"
    tail = [speaker.say("brief_units_older", n=older, hours=hours)] if older else []
    if not len(near):
        return section(speaker, "units", [speaker.say("brief_no_units", hours=hours), *tail])
    shown = near.head(speaker.settings.brief_units)
    listed = []
    for n, row in enumerate(rows(shown), start=1):
        title, platform, agency = unit(known, row.unit_id)
        kind = speaker.say(f"brief_platform_{platform}") if platform else ""
        inside = comma(speaker, [kind, agency])
        opened, closed = ("（", "）") if speaker.lang == "zh" else (" (", ")")
        straight = number(row.straight_m / 1000)
        age = _age((known.at - row.time).total_seconds(), speaker)
        if row.water_m == row.water_m:
            way = speaker.say("brief_unit_both", water=number(row.water_m / 1000), straight=straight, age=age)
        else:
            way = speaker.say("brief_unit_straight", straight=straight, age=age, far=f"{facts.WATER_M / 1000:g}")
        listed.append(f"{n}. {title}{opened + inside + closed if inside else ''} {way}")
    return section(speaker, "units", (), [*listed, *tail], len(near) - len(shown))


def _age(seconds: float, speaker: Speaker) -> str:
    if seconds < 60:
        return speaker.say("brief_age_now")
    if seconds < 3600:
        return speaker.say("brief_age_minutes", n=round(seconds / 60))
    return speaker.say("brief_age_hours", n=f"{seconds / 3600:.1f}")


def partners(known: Known, spots: np.ndarray, facing: str, speaker: Speaker) -> Section:
    """Other localities by the water; `facing` is the line on those at the place itself."""
    within = speaker.settings.brief_border_m
    lines = [facing] if facing else []
    here = known.reaches.iloc[spots[0]] if len(spots) else None
    for code, metres, spot in facts.borders(known, spots, within):
        there = known.reaches.iloc[spot]
        way = "away"
        one = here is not None and here["river"] == there["river"] and len(spots) == 1
        if one and here is not None and here["kind"] == there["kind"] == "channel":
            way = "up" if there["km_from"] > here["km_from"] else "down"
        lines.append(speaker.say(f"brief_{way}", km=number(metres / 1000), place=name(speaker.locality(code))))
    if not lines:
        lines = [speaker.say("brief_no_partners", km=f"{within / 1000:g}")]
    return section(speaker, "partners", (), lines)
