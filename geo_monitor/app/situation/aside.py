"""The panel beside the live map: what is chosen, who is on the water, what needs a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from geo_monitor.app import controls, panel
from geo_monitor.app.brief.show import show
from geo_monitor.app.deck import plain
from geo_monitor.app.look import FRESH_S
from geo_monitor.app.rows import rows, zone_key, zone_name
from geo_monitor.app.situation import fixes
from geo_monitor.app.situation.needs import Need
from geo_monitor.app.situation.timeline import CHANGED
from geo_monitor.app.words import Speaker

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from geo_monitor.app.situation.moments import Fixes

AROUND_KM = 15.0  # km of water on each side of a place that is looked at
NEAR_KM = 5.0  # km; a unit farther from every reach is not said to be near one


def units(here: pd.DataFrame, held: Fixes, speaker: Speaker) -> None:
    """How many are on the water."""
    if not len(held) and not len(here):
        st.info(speaker.say("no_fixes"))
        return
    patrol = here["patrol"].to_numpy(dtype=bool)
    fresh = int((patrol & (here["age_s"].to_numpy() <= FRESH_S[-1])).sum())
    st.caption(speaker.say("units_now", patrol=int(patrol.sum()), fresh=fresh, traffic=int((~patrol).sum())))


def needed(
    listed: list[Need], water: pd.DataFrame, units: pd.DataFrame, reports: pd.DataFrame, speaker: Speaker
) -> None:
    """What needs a decision, each with a way to the place. water: `levels.joined`; units: `moments.Fixes.at`."""
    st.html(f'<b class="head">{speaker.say("need_head")}</b>')
    if not listed:
        st.caption(speaker.say("need_nothing"))
    for i, need in enumerate(listed):
        said, go = st.columns([4.2, 1], vertical_alignment="center", gap="small")
        said.html(
            f'<div class="need {need.kind}"><span class="kind">{speaker.say(f"need_kind_{need.kind}")}</span>'
            f"<b>{panel.text(need.title)}</b><p>{panel.text(need.body)}</p></div>"
        )
        if need.id:
            told = (need.id, water, units, reports)
            go.button(speaker.say("need_show"), key=f"need-{i}", on_click=_go, args=told, width="stretch")


def _go(name: str, water: pd.DataFrame, units: pd.DataFrame, reports: pd.DataFrame) -> None:
    """Chooses a thing and makes the water around it the area."""
    panel.pick(name)
    st.session_state[CHANGED] = True
    kind, _, of = name.partition("|")
    at = {"unit": units, "seizure": reports}.get(kind)
    if at is None:
        near = water[water["id"] == name]
    else:
        spot = at[at["unit_id" if kind == "unit" else "report_id"].map(plain) == of].head(1)
        if not len(spot) or spot["lon"].isna().all():
            return
        near = _nearest(water, float(spot["lon"].iloc[0]), float(spot["lat"].iloc[0]), AROUND_KM)
    for row in rows(near):
        span = water[(water["river"] == row.river) & (water["kind"] == "channel")]
        if row.kind == "channel":
            middle = (row.km_from + row.km_to) / 2
            low, high = max(middle - AROUND_KM, span["km_from"].min()), min(middle + AROUND_KM, span["km_to"].max())
            controls.zoom_to(row.river, low, high)
        elif not len(span):
            controls.zoom_to_lake(row.river)


def _nearest(water: pd.DataFrame, lon: float, lat: float, within_km: float) -> pd.DataFrame:
    """The reach whose middle is nearest, none where it is farther than `within_km`."""
    apart = np.hypot((water["lon"] - lon) * np.cos(np.radians(lat)), water["lat"] - lat) * 111.2
    return water.iloc[[int(np.argmin(apart.to_numpy()))]] if len(apart) and apart.min() <= within_km else water.iloc[:0]


def chosen(
    path: str,
    mark: str,
    run_id: str | None,
    now: pd.Timestamp,
    found: pd.DataFrame,
    water: pd.DataFrame | None,
    units: pd.DataFrame,
    zones: pd.DataFrame,
    valid: frozenset[tuple[str, str, int]],
    reports: pd.DataFrame,
    names: Mapping[str, str],
    speaker: Speaker,
) -> None:
    """What is known of the chosen thing: its brief where it has one."""
    picked = st.session_state.get(panel.PICKED)
    if picked is None:
        st.caption(speaker.say("click"))
        return
    if len(found) and water is not None and found["level"].iloc[0] != "reach":
        panel.place(found, water, speaker)
        return
    kind, _, name = picked.partition("|")
    if not show(path, mark, run_id, now, picked, units, speaker):
        if kind == "unit":
            _unit(name, units, water, names, speaker)
        for row in rows(zones) if kind == "zone" else ():
            if zone_name(row) == picked:
                panel.sentence(*speaker.zone(row, zone_key(row) in valid))
        if kind in ("seizure", "seizures"):
            wanted = {name} if kind == "seizure" else set(name.split(","))
            for row in rows(reports[reports["report_id"].map(plain).isin(wanted)].head(12)):
                panel.sentence(*speaker.seizure(row))
    st.button(speaker.say("clear"), on_click=panel.pick, args=(None,))


def _unit(
    name: str, units: pd.DataFrame, water: pd.DataFrame | None, names: Mapping[str, str], speaker: Speaker
) -> None:
    row = next(rows(units[units["unit_id"].map(plain) == name]), None)
    if row is None:
        panel.sentence(names.get(name, name), speaker.say("unit_gone", hours=fixes.LIVE_MS / fixes.HOUR_MS))
        return
    parts = [speaker.motion(row)]
    for near in rows(_nearest(water, row.lon, row.lat, NEAR_KM)) if water is not None else ():
        parts.append(speaker.say("unit_near", place=speaker.place(near)) + speaker.stop)
    panel.sentence(names.get(row.unit_id, row.unit_id), " ".join(parts))
