"""Finding by what people call it: units, zones, cities, waters, kilometres of a river, coordinates, reports; and going there."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import streamlit as st

from geo_monitor.app import controls, panel
from geo_monitor.app.deck import escaped, plain
from geo_monitor.app.rows import rows, zone_key, zone_name
from geo_monitor.app.situation.timeline import CHANGED
from geo_monitor.app.words import Speaker
from geo_monitor.ingest.coordinates import pairs

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.app.situation.view import View

AROUND_KM = 15.0  # km of water on each side of a place that is looked at
MOST = 8  # finds that are listed
BOX = "find"  # key of the box
KM = re.compile(r"(.*?)[\s,，]*k?\s*(\d{1,4}(?:\.\d+)?)\s*(?:km|公里)?")


@dataclass(frozen=True)
class Find:
    """A thing by the words it is listed under; `id` as on the map, None for an area, which `go` makes the one looked at.
    `rank`: the less, the better it fits."""

    rank: tuple[int, str]
    said: str
    id: str | None = None
    go: Callable[[], None] | None = None


def draw(speaker: Speaker, look: Callable[[], View]) -> None:
    """The box, and what the words in it name of what `look` sees."""
    words = st.text_input(speaker.say("find"), key=BOX, placeholder=speaker.say("find_such_as"), max_chars=80)
    if not folded(words):
        return
    view = look()
    found = finds(words, view)
    for number, one in enumerate(found[:MOST]):
        st.button(escaped(one.said), key=f"find-{number}", on_click=_take, args=(one, Known.of(view)), width="stretch")
    if not found:
        st.caption(speaker.say("find_nothing"))
    elif len(found) > MOST:
        st.caption(speaker.say("find_more", n=len(found) - MOST))


def finds(words: str, view: View) -> list[Find]:
    """What `words` name, the best fit first: the whole name before its beginning before any part of it, units before zones
    before areas before reports. Letters may be of either width and case, and blanks do not matter."""
    wanted = folded(words)
    parts = (_units, _zones, _areas, _reports)
    found = [one for number, part in enumerate(parts) for one in part(wanted, view, number)]
    return sorted([*found, *_spot(words, view), *_coordinates(words, view)], key=lambda one: one.rank)


def folded(words: object) -> str:
    """Words without what does not matter when they are looked for.

    >>> folded("鄂渔政 ０１２－Ａ"), folded(None)
    ('鄂渔政012-a', '')
    """
    return "".join(unicodedata.normalize("NFKC", plain(words)).casefold().split())


def _fit(wanted: str, *names: object) -> int | None:
    """How well the best of the names fits; None: not at all."""
    held = [name for name in map(folded, names) if wanted and wanted in name]
    return min((0 if name == wanted else 1 if name.startswith(wanted) else 2 for name in held), default=None)


def _units(wanted: str, view: View, kind: int) -> Iterator[Find]:
    for row in rows(view.units):
        name = view.names.get(row.unit_id, row.unit_id)
        fit = _fit(wanted, row.unit_id, name)
        if fit is not None:
            age = view.speaker.say("unit_fix", age=view.speaker.age(row.age_s))
            said = view.speaker.say("find_unit", name=plain(name), told=age)
            yield Find((fit * 10 + kind, said), said, f"unit|{plain(row.unit_id)}")


def _zones(wanted: str, view: View, kind: int) -> Iterator[Find]:
    # of the versions of one zone that in force, else the last
    versions = sorted(rows(view.zones), key=lambda row: (zone_key(row) in view.valid, row.version))
    for row in {zone_key(row)[:2]: row for row in versions}.values():
        fit = _fit(wanted, row.zone_id, row.name)
        if fit is not None:
            title, _ = view.speaker.zone(row, zone_key(row) in view.valid)
            yield Find((fit * 10 + kind, title), plain(title), zone_name(row))


def _areas(wanted: str, view: View, kind: int) -> Iterator[Find]:
    """Cities that answer for a bank, rivers and lakes."""
    if view.water is None:
        return
    speaker, english = view.speaker, Speaker("en", view.speaker.localities)
    for code in controls.localities_of(view.water):
        fit = _fit(wanted, speaker.localities.get(code, code), english.locality(code), code)
        if fit is not None:
            said = speaker.say("find_area", name=plain(speaker.locality(code)))
            yield Find((fit * 10 + kind, said), said, go=partial(controls.zoom_to_city, code))
    for name in view.water["river"].unique():
        fit = _fit(wanted, name, english.river(name))
        if fit is not None:
            said = speaker.say("find_area", name=plain(speaker.river(name)))
            yield Find((fit * 10 + kind, said), said, go=partial(controls.zoom_to_water, name))


def _spot(words: str, view: View) -> Iterator[Find]:
    """The reach at a kilometre of a river: "长江 K950", "长江950"; the river may be named in English too."""
    told = KM.fullmatch(unicodedata.normalize("NFKC", plain(words)).casefold().strip())
    if told is None or view.water is None or not folded(told[1]):
        return
    km, channels = float(told[2]), view.water[view.water["kind"] == "channel"]
    at = channels[(channels["km_from"] <= km) & (km < channels["km_to"])]
    for row in rows(at):
        if _fit(folded(told[1]), row.river, Speaker("en").river(row.river)) == 0:
            said = view.speaker.place(row)
            yield Find((0, said), plain(said), row.id)


def _coordinates(words: str, view: View) -> Iterator[Find]:
    """The reach nearest to WGS84 coordinates, written in any way that uploads are read in ("112.25,30.05", "北纬30°3′ 东经112°15′")."""
    import pyarrow as pa

    lon, lat, bad = (part[0] for part in pairs(pa.array([plain(words)])))
    if bad or np.isnan(lon) or view.water is None:
        return
    for row in rows(nearest(view.water, lon, lat, AROUND_KM)):
        said = view.speaker.say("find_coordinates", lon=f"{lon:.5f}", lat=f"{lat:.5f}", place=view.speaker.place(row))
        yield Find((0, said), plain(said), row.id)


def _reports(wanted: str, view: View, kind: int) -> Iterator[Find]:
    for row in rows(view.reports):
        fit = _fit(wanted, row.report_id)
        if fit is not None:
            title, _ = view.speaker.seizure(row)
            yield Find((fit * 10 + kind, title), plain(title), plain(f"seizure|{row.report_id}"))


def _take(one: Find, known: Known) -> None:
    st.session_state[BOX] = ""
    if one.id is not None:
        go(one.id, known)
    elif one.go is not None:
        panel.pick(None)
        one.go()
    st.session_state.pop(
        CHANGED, None
    )  # this box stands in no part with a beat of its own: the whole page is drawn anyway


class Known(NamedTuple):
    """What is needed to go to a thing; buttons hold on to it, so no more than that."""

    water: pd.DataFrame | None
    units: pd.DataFrame
    zones: pd.DataFrame
    reports: pd.DataFrame

    @classmethod
    def of(cls, view: View) -> Known:
        return cls(view.water, view.units, view.zones, view.reports)


def go(name: str, known: Known) -> None:
    """Chooses a thing and makes the water around it the area."""
    panel.pick(name)
    st.session_state[CHANGED] = True
    if known.water is None:
        return
    water, at = known.water, _place(name, known)
    near = water[water["id"] == name] if at is None else nearest(water, *at, AROUND_KM)
    for row in rows(near):
        span = water[(water["river"] == row.river) & (water["kind"] == "channel")]
        if row.kind == "channel":
            middle = (row.km_from + row.km_to) / 2
            low, high = max(middle - AROUND_KM, span["km_from"].min()), min(middle + AROUND_KM, span["km_to"].max())
            controls.zoom_to(row.river, low, high)
        elif not len(span):
            controls.zoom_to_water(row.river)


def _place(name: str, known: Known) -> tuple[float, float] | None:
    """Where a unit, report or zone is, WGS84 degrees, NaN where nobody knows; None for what lies on the water itself."""
    kind, _, of = name.partition("|")
    if kind == "zone":
        spots = [row.geometry.representative_point() for row in rows(known.zones) if zone_name(row) == name]
        return (spots[0].x, spots[0].y) if spots else (np.nan, np.nan)
    frame = {"unit": known.units, "seizure": known.reports}.get(kind)
    if frame is None:
        return None
    spot = frame[frame["unit_id" if kind == "unit" else "report_id"].map(plain) == of].head(1)
    return (float(spot["lon"].iloc[0]), float(spot["lat"].iloc[0])) if len(spot) else (np.nan, np.nan)


def nearest(water: pd.DataFrame, lon: float, lat: float, within_km: float) -> pd.DataFrame:
    """The reach whose middle is nearest, none where it is farther than `within_km` or the place is not known."""
    apart = np.hypot((water["lon"] - lon) * np.cos(np.radians(lat)), water["lat"] - lat).to_numpy() * 111.2
    close = len(apart) > 0 and apart.min() <= within_km
    return water.iloc[[int(np.argmin(apart))]] if close else water.iloc[:0]
