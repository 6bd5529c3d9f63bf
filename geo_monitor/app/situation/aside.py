"""The panel beside the live map: what is chosen, who is on the water, what needs a decision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.app import controls, duty, panel
from geo_monitor.app.brief.show import show
from geo_monitor.app.deck import plain
from geo_monitor.app.duty import waiting
from geo_monitor.app.look import FRESH_S, LOOKS
from geo_monitor.app.rows import rows
from geo_monitor.app.situation import finding, fixes

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.app.situation.view import View

NEAR_KM = 5.0  # km; a unit farther from every reach is not said to be near one


def units(view: View) -> None:
    """How many are on the water."""
    if not len(view.held):
        st.info(view.speaker.say("no_fixes"))
        return
    patrol = view.here["patrol"].to_numpy(dtype=bool)
    fresh = int((patrol & (view.here["age_s"].to_numpy() <= FRESH_S[-1])).sum())
    st.caption(view.speaker.say("units_now", patrol=int(patrol.sum()), fresh=fresh, traffic=int((~patrol).sum())))


def needed(view: View) -> None:
    """What needs a decision, each with a way to the place; above it the warnings that wait now."""
    speaker = view.speaker
    waiting.line_of(view.path, duty.teller(view.path, speaker))
    if view.water is None:
        return
    st.html(f'<b class="head">{speaker.say("need_head")}</b>')
    if not view.needs:
        st.caption(speaker.say("need_nothing"))
    for i, need in enumerate(view.needs):
        said, go = st.columns([3.8, 1], vertical_alignment="center", gap="small")
        said.html(
            f'<div class="need {need.kind}"><span class="kind">{speaker.say(f"need_kind_{need.kind}")}</span>'
            f"<b>{panel.text(need.title)}</b><p>{panel.text(need.body)}</p></div>"
        )
        if need.id:
            told = need.id, finding.Known.of(view)
            go.button(speaker.say("need_show"), key=f"need-{i}", on_click=finding.go, args=told, width="stretch")


def ring(view: View) -> list[dict[str, Any]]:
    """A ring around the chosen unit, for the map."""
    kind, _, name = (st.session_state.get(panel.PICKED) or "").partition("|")
    found = view.here[view.here["unit_id"].map(plain) == name] if kind == "unit" else view.here.iloc[:0]
    if not len(found):
        return []
    layer: dict[str, Any] = {"@@type": "ScatterplotLayer", "id": "picked-unit", "getPosition": "@@=position"}
    layer |= {"data": [{"position": [row.lon, row.lat]} for row in rows(found)]}
    layer |= {"getRadius": 21, "radiusUnits": "pixels", "stroked": True, "filled": False}
    pick = LOOKS[controls.theme()].pick
    return [layer | {"getLineColor": [*pick, 255], "getLineWidth": 3, "lineWidthUnits": "pixels"}]


def chosen(view: View, found: pd.DataFrame, name: str) -> None:
    """What is known of the chosen thing, its brief where it has one; of the area (called `name`) while nothing is chosen.

    found: the rows of a chosen reach, stretch or lake (`panel.find`).
    """
    picked, speaker = st.session_state.get(panel.PICKED), view.speaker
    if picked is None:
        if view.inside is not None:
            panel.overview(view.inside, name, speaker, "click_map")
        return
    if len(found) and view.water is not None and found["level"].iloc[0] != "reach":
        panel.place(found, view.water, speaker)
        return
    kind, _, of = picked.partition("|")
    if not show(view.path, view.still, view.run_id, view.now, picked, view.units, speaker):
        if kind == "unit":
            _unit(view, of)
        panel.known(picked, view.zones, view.valid, view.reports, speaker)
    st.button(speaker.say("clear"), on_click=panel.pick, args=(None,))


def _unit(view: View, name: str) -> None:
    """A unit in words, where there is no brief of it."""
    speaker = view.speaker
    row = next(rows(view.units[view.units["unit_id"].map(plain) == name]), None)
    if row is None:
        gone = speaker.say("unit_gone", hours=fixes.LIVE_MS / fixes.HOUR_MS)
        panel.sentence(view.names.get(name, name), gone)
        return
    parts = [speaker.motion(row)]
    for near in rows(finding.nearest(view.water, row.lon, row.lat, NEAR_KM)) if view.water is not None else ():
        parts.append(speaker.say("unit_near", place=speaker.place(near)) + speaker.stop)
    panel.sentence(view.names.get(row.unit_id, row.unit_id), " ".join(parts))
