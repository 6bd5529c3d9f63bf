"""The brief of a place: a reach, a zone or a unit told in sections, for the panel and for the page a patrol carries.

Pure: frames in (`Known`), a frozen `Brief` out. No store, no page, no clock: everything is as of `Known.at`.

    known = Known(at, reaches, links, zones, seizures, seizure_links, effort, zone_visits, fixes, units)
    brief = of_reach("长江K2030.500", known, Speaker("zh", localities))
    sheet.pdf(brief, speaker, simulated=True)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geo_monitor.app.brief import check, facts, says
from geo_monitor.app.brief.facts import Known
from geo_monitor.app.brief.says import Section
from geo_monitor.app.brief.sketch import Sketch, sketch
from geo_monitor.app.rows import rows
from geo_monitor.app.words import Speaker, km, moment, number
from geo_monitor.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Brief", "Known", "Section", "Sketch", "of_reach", "of_unit", "of_zone"]


@dataclass(frozen=True)
class Brief:
    """What is known of a place at `at` (UTC). Texts are plain, in the language they were asked for.

    Attributes
    ----------
    kind : reach, zone, unit or vessel
    title, subtitle : what it is, whose it is
    sections : in the order they are read
    shape : the place and its surroundings, for a sketch; None where it has no shape
    notes : how figures are to be read
    run : name of the analysis, empty where there is none
    """

    kind: str
    title: str
    subtitle: str
    at: pd.Timestamp
    sections: tuple[Section, ...]
    shape: Sketch | None = None
    notes: tuple[str, ...] = ()
    run: str = ""


def of_reach(reach_id: str, known: Known, speaker: Speaker) -> Brief:
    """The brief of one reach. Raises `Usage("brief_unknown")` where `known.reaches` has no such reach."""
    spot = known.index.get_indexer(pd.Index([reach_id]))[0]
    if spot < 0:
        raise Usage("brief_unknown", id=reach_id)
    spots = np.array([spot])
    row = says.reach_row(known, int(spot))
    zones = facts.meeting(facts.standing_zones(known, speaker.settings), row.geometry)
    found = _cases(known, spots, "reach", speaker)
    near, older = facts.units_near(known, row.geometry, spots, speaker.settings)
    others = _others(known, spots, speaker)
    to_check = [
        *check.core(zones, speaker),
        *check.of_cases(found[0], speaker),
        *check.hot(known, others, "hot", speaker),
        *check.of_reach(row, speaker),
    ]
    sections = (
        _to_check(to_check, speaker),
        says.section(speaker, "place", says.place(row, speaker)),
        says.rules(zones, speaker),
        says.section(speaker, "rate", says.rate(row, speaker)),
        found[1],
        says.visit_days(known, int(spot), speaker),
        says.units(known, near, older, speaker),
        says.partners(known, spots, _facing(row, speaker), speaker),
    )
    return Brief(
        "reach",
        speaker.place(row),
        speaker.banks(row),
        known.at,
        sections,
        sketch(known, row.geometry, spots, zones, found[0], near.head(speaker.settings.brief_units)),
        (speaker.say("brief_note_water"),),
        known.run,
    )


def of_zone(zone_id: str, version: int, agency: str | None, known: Known, speaker: Speaker) -> Brief:
    """The brief of one version of a zone (its key: `rows.zone_key`). Raises `Usage("brief_unknown")`."""
    standing = facts.standing_zones(known, speaker.settings)
    held = known.zones.assign(holds=known.zones.index.isin(standing.index[standing["holds"]]))
    mine = held[(held["zone_id"] == zone_id) & (held["version"] == version) & _same(held["agency"], agency)]
    if not len(mine):
        raise Usage("brief_unknown", id=zone_id)
    row = next(rows(mine))
    shape = _union(mine)
    spots = _inside(known, shape)
    others = facts.meeting(standing, shape) if shape is not None else standing.iloc[:0]
    zones = pd.concat([mine, others.drop(index=mine.index, errors="ignore")]) if len(others) else mine
    found = _cases(known, spots, "zone", speaker)
    near, older = (
        facts.units_near(known, shape, spots, speaker.settings) if shape is not None else (known.zones.iloc[:0], 0)
    )
    table = known.reaches.iloc[spots]
    little = int((table["state"] == "not_looked").sum())
    to_check = [
        *check.core(mine, speaker),
        *check.hot(known, spots, "zone_hot", speaker),
        *check.of_cases(found[0], speaker),
        *([speaker.say("brief_check_zone_unseen", n=len(table), k=little)] if little else []),
    ]
    if int(table["seizures_unpatrolled"].sum()):
        to_check.append(speaker.say("brief_check_unpatrolled", n=int(table["seizures_unpatrolled"].sum())))
    places = _localities(table, speaker)
    effort = says.effort(known, facts.effort_days(known, spots), speaker, "effort_of")
    also = speaker.say("brief_also", places=says.joined(speaker, places)) if len(places) > 1 else ""
    sections = (
        _to_check(to_check, speaker),
        says.section(speaker, "place", _zone_place(row, table, shape, speaker)),
        says.rules(zones, speaker),
        says.section(speaker, "rate", _zone_rate(known, table, speaker)),
        found[1],
        says.zone_visits(known, [effort], False, speaker, zone_id=zone_id, zone_agency=agency or ""),
        says.units(known, near, older, speaker),
        says.partners(known, spots, also, speaker),
    )
    category = says.name(row.category)
    title = says.name(row.name) or says.name(zone_id)
    title = speaker.say("zone", name=title, category=category) if category else title
    drawn = sketch(known, shape, spots, zones, found[0], near.head(speaker.settings.brief_units)) if shape else None
    subtitle = says.joined(speaker, places[: says.PLACES])
    return Brief("zone", title, subtitle, known.at, sections, drawn, (speaker.say("brief_note_water"),), known.run)


def of_unit(fix: Any, known: Known, speaker: Speaker) -> Brief:
    """The brief of the place where a unit is.

    fix : its last fix as a row: unit_id, time (UTC), lon, lat (degrees), speed (m/s), heading (degrees), role. A unit
    on no reach gets no sections on rate, cases and partners.
    """
    spots = facts.on_reach(known, np.array([fix.lon]), np.array([fix.lat]), speaker.settings.there_m)
    spots = spots[spots >= 0]
    shape = shapely.Point(fix.lon, fix.lat)
    zones = facts.meeting(facts.standing_zones(known, speaker.settings), shape)
    found = _cases(known, spots, "reach", speaker)
    near, older = facts.units_near(known, shape, spots, speaker.settings, but=fix.unit_id)
    title, platform, agency = says.unit(known, fix.unit_id)
    kind = "vessel" if says.clean(fix.role) == "traffic" else "unit"
    lines = [speaker.say("brief_fix", point=says.point(fix.lon, fix.lat), time=moment(fix.time)), _moving(fix, speaker)]
    to_check = [*check.core(zones, speaker), *check.of_cases(found[0], speaker)]
    facing = ""
    assessed: list[str] = []
    if len(spots):
        row = says.reach_row(known, int(spots[0]))
        lines += says.place(row, speaker)[:2]
        assessed = says.rate(row, speaker)
        facing = _facing(row, speaker)
        to_check += check.hot(known, np.r_[spots, _others(known, spots, speaker)], "hot", speaker)
        to_check += check.of_reach(row, speaker)
    else:
        lines.append(speaker.say("brief_off_water", metres=f"{speaker.settings.there_m:,.0f}"))
    sections = [
        _to_check(to_check, speaker),
        says.section(speaker, "place", lines),
        says.rules(zones, speaker),
        *([says.section(speaker, "rate", assessed), found[1]] if len(spots) else []),
        says.zone_visits(known, (), True, speaker, unit_id=fix.unit_id),
        says.units(known, near, older, speaker),
        *([says.partners(known, spots, facing, speaker)] if len(spots) else []),
    ]
    said = speaker.say(f"brief_platform_{platform}") if platform else ""
    drawn = sketch(known, shape, spots, zones, found[0], near.head(speaker.settings.brief_units))
    subtitle = says.comma(speaker, [said, agency])
    notes = (speaker.say("brief_note_water"),)
    return Brief(kind, title, subtitle, known.at, tuple(sections), drawn, notes, known.run)


def _to_check(lines: Sequence[str], speaker: Speaker) -> Section:
    return says.section(speaker, "check", (), lines or [speaker.say("brief_check_none")])


def _others(known: Known, spots: np.ndarray, speaker: Speaker) -> np.ndarray:
    """Reaches within `brief_near_m` by water of `spots`, without them."""
    near = np.isfinite(facts.by_water(known, spots, speaker.settings.brief_near_m))
    near[spots] = False
    return np.flatnonzero(near)


def _cases(known: Known, spots: np.ndarray, code: str, speaker: Speaker) -> tuple[pd.DataFrame, Section]:
    around = np.r_[spots, _others(known, spots, speaker)].astype(int)
    found = facts.cases(known, around)
    own = set(known.index[spots]) if len(spots) else set()
    return found, says.cases(found, own, len(around), code, speaker)


def _facing(row: Any, speaker: Speaker) -> str:
    left, right = speaker.locality(row.adcode_left), speaker.locality(row.adcode_right)
    if row.kind == "lake" or not left or not right or row.adcode_left == row.adcode_right:
        return ""
    return speaker.say("brief_facing", left=says.name(left), right=says.name(right))


def _same(values: pd.Series, agency: str | None) -> pd.Series:
    return values.fillna("").astype(str).str.strip() == (agency or "")


def _union(zones: pd.DataFrame) -> shapely.Geometry | None:
    shapes = [g for g in zones["geometry"] if isinstance(g, shapely.Geometry) and not g.is_empty]
    return shapely.union_all(shapely.make_valid(np.array(shapes, dtype=object))) if shapes else None


def _inside(known: Known, shape: shapely.Geometry | None) -> np.ndarray:
    """Reaches that meet a shape."""
    if shape is None:
        return np.zeros(0, int)
    west, south, east, north = shape.bounds
    margin = 0.1  # degrees; no reach is longer
    lon, lat = known.reaches["lon"].to_numpy(), known.reaches["lat"].to_numpy()
    box = (lon > west - margin) & (lon < east + margin) & (lat > south - margin) & (lat < north + margin)
    near = np.flatnonzero(box)
    shapely.prepare(shape)
    return near[shapely.intersects(shape, known.reaches["geometry"].to_numpy()[near])]


def _localities(table: pd.DataFrame, speaker: Speaker) -> list[str]:
    codes = [code for name in ("adcode_left", "adcode_right") for code in table[name].dropna()]
    return [says.name(speaker.locality(code)) for code in dict.fromkeys(codes)]


def _zone_place(row: Any, table: pd.DataFrame, shape: shapely.Geometry | None, speaker: Speaker) -> list[str]:
    lines = []
    if len(table):
        stretches = []
        for river, own in table.groupby("river", sort=False):
            channel = own[own["kind"] == "channel"]
            called = speaker.river(str(river))
            span = {"low": km(channel["km_from"].min()), "high": km(channel["km_to"].max())} if len(channel) else {}
            stretches.append(speaker.say("place_km", river=called, **span) if span else called)
        told = says.joined(speaker, stretches[: says.PLACES]) + ("…" if len(stretches) > says.PLACES else "")
        lines.append(speaker.say("brief_zone_reaches", n=f"{len(table):,}", stretches=told))
        places = _localities(table, speaker)
        if places:
            lines.append(speaker.say("brief_localities", places=says.joined(speaker, places)))
    else:
        lines.append(speaker.say("brief_zone_none"))
    if shape is not None:
        inner = shape.representative_point()
        lines.append(speaker.say("brief_point", point=says.point(inner.x, inner.y)))
    return lines


def _zone_rate(known: Known, table: pd.DataFrame, speaker: Speaker) -> list[str]:
    """A zone has no rate of its own: how many of its reaches are hot, and the hottest that was looked at."""
    if not len(table):
        return []
    counts = table["state"].value_counts()
    told = {state: f"{counts.get(state, 0):,}" for state in ("hot", "cold", "normal", "not_looked")}
    hours, n = number(float(table["patrol_h"].sum())), int(table["seizures"].sum())
    lines = [
        speaker.say("stretch_counts", n=f"{len(table):,}", **told),
        speaker.say("effort", hours=hours, cases=f"{n:,}"),
    ]
    looked = table[table["state"] != "not_looked"].sort_values(["p_hot", "rate"], ascending=False, kind="stable")
    if len(looked):
        worst = says.reach_row(known, int(known.index.get_indexer(pd.Index(looked["reach_id"].iloc[:1]))[0]))
        lines.append(speaker.say("worst", place=speaker.place(worst), rate=speaker.rate(worst)))
    return lines


def _moving(fix: Any, speaker: Speaker) -> str:
    if pd.isna(fix.speed):
        return ""
    kmh = number(float(fix.speed) * 3.6)
    if pd.isna(fix.heading):
        return speaker.say("brief_speed_only", kmh=kmh)
    return speaker.say("brief_speed", kmh=kmh, heading=f"{float(fix.heading):.0f}")
