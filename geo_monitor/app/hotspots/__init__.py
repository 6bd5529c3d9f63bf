"""The page of the hotspots: what an analysis found on a water, map and table linked both ways.

Reads hotspots and reaches of a run, and zones, seizures and positions in force; writes nothing.
"""

from __future__ import annotations

from collections.abc import Set
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.app import base, chart, controls, data, door, layers, legend, levels, panel
from geo_monitor.app.brief.show import show
from geo_monitor.app.deck import BASIN, Bounds, fit
from geo_monitor.app.hotspots import again, tabs
from geo_monitor.app.look import LOOKS
from geo_monitor.app.rows import rows
from geo_monitor.app.words import Speaker, day, moment

if TYPE_CHECKING:
    import pandas as pd


MAP = "map"  # key of the map
CLOSER = 2  # steps of zoom by hand within which corners of zones do not show


def page(path: str, speaker: Speaker) -> None:
    """Draws the page for one session; `path` is the door of its workspace."""
    import pandas as pd

    mark, still = data.stamp(path), data.stamp(path, tracks=False)
    localities = data.localities(path, still)
    held = data.workspace(path)
    names = {code: name for code, (name, _) in localities.items()}
    speaker = Speaker(speaker.lang, names, held.settings)
    with st.sidebar:
        runs = data.runs(path)
        run_id = controls.run(runs, speaker)
        again.draw(path, door.acting(), speaker)
        own = base.choose(path, speaker) if run_id is None else None
    seizures = data.uploaded(path, "seizures", still)
    zones = data.uploaded(path, "zones", still)
    valid = data.in_force_at(path, still, pd.Timestamp.now(tz="UTC").floor("min"))
    if run_id is None:
        _head(speaker, held.simulated, "")
        st.info(speaker.say("no_run"))
        _empty(zones, valid, seizures, own, speaker)
        return
    run = runs[runs["run_id"] == run_id].iloc[0]
    start, end = data.period(run)
    reaches = data.reaches(path, run_id, end)
    with st.sidebar:
        choice = controls.choose(reaches, localities, speaker)
        own = base.choose(path, speaker)
    asof = speaker.say("as_of", made=moment(run["made_at"]), start=day(start), end=moment(end))
    _head(speaker, held.simulated, asof)

    area = data.in_area(reaches, choice.area)
    drawn = data.drawn(path, run_id, end, choice.area)
    drawn = drawn[drawn["state"].isin(choice.states)]
    panel.from_address()
    chosen = st.session_state.get(panel.PICKED)
    found = panel.find(chosen, drawn, reaches)
    bounds = data.bounds(choice.area, area)
    placed = data.placed(seizures, data.result(path, "seizure_links", run_id), reaches)
    recent = _recent(placed, end, choice.period)
    tracks = data.tracks(path, mark, end, choice.track_days) if "tracks" in choice.layers else None

    first = chart.first(MAP)
    left, right = st.columns([2.3, 1], gap="small")
    with left:
        worst = {row.id: row for row in rows(reaches[reaches["id"].isin(drawn["worst"])])}
        shown = choice.layers & {"state"} if first else choice.layers
        drawing = _drawing(drawn, found, zones, valid, recent, tracks, worst, shown, bounds, speaker)
        chart.base_map(layers.outlined(drawing) if first else drawing, bounds, speaker, MAP, own=own)
        if first:
            chart.rest(MAP)
    with right:
        if not len(drawn):
            st.info(speaker.say("nothing_here"))
        if len(found) and found["level"].iloc[0] == "reach":
            tabs.why(path, run_id, str(found["id"].iloc[0]), speaker)
        listed, caption = _said(chosen, found, area, reaches, zones, valid, placed, choice, speaker)
        if tracks is not None:
            cut = tracks[1] > data.TRACKS_MAX
            st.caption(
                speaker.say("tracks_cut", n=data.TRACKS_MAX)
                if cut
                else speaker.say("shown_tracks", days=choice.track_days, n=tracks[1])
            )
        if len(found) and found["level"].iloc[0] == "reach":
            nobody = pd.DataFrame({"unit_id": [], "patrol": []})
            show(path, still, run_id, end, str(found["id"].iloc[0]), nobody, speaker, whole=False)
        panel.table(listed[listed["state"].isin(choice.states)], chosen, caption, speaker)
    stretch = None if "stretch" not in set(drawn["level"]) else _stretch_km(choice.area)
    st.html(legend.html(set(choice.layers), speaker, LOOKS[controls.theme()], stretch))
    if first:
        return
    intervals, compared, watch, clusters = st.tabs([speaker.say(f"tab_{name}") for name in tabs.NAMES])
    with intervals:
        tabs.draw_intervals(run, area, reaches, speaker)
    with compared:
        tabs.draw_compare(path, runs, run, area, choice.area, speaker)
    with watch:
        tabs.draw_watch(path, run_id, area, reaches, speaker)
    with clusters:
        tabs.draw_clusters(path, run_id, area, reaches, speaker)


def _head(speaker: Speaker, simulated: bool, asof: str) -> None:
    st.html(f'<h1 class="page">{speaker.say("title")}</h1><div class="asof">{asof}</div>')
    if simulated:
        st.html(f'<div class="simulated" role="note">{speaker.say("simulated")}</div>')


def _drawing(
    drawn: pd.DataFrame,
    found: pd.DataFrame,
    zones: pd.DataFrame,
    valid: Set[tuple[str, str, int]],
    seizures: pd.DataFrame,
    tracks: tuple[pd.DataFrame, int] | None,
    worst: dict[str, Any],
    shown: Set[str],
    bounds: Bounds,
    speaker: Speaker,
) -> list[layers.Layer]:
    """The layers from the ground up: areas, then lines, then points."""
    colours = LOOKS[controls.theme()]
    turn = st.session_state.get(panel.TURN, 0)
    out: list[layers.Layer] = []
    zoom = fit(bounds)["zoom"]
    if "zones" in shown:
        out += layers.zones(zones, valid, speaker, colours, turn, zoom + CLOSER)
    if len(found):
        out += layers.picked(found, colours)
    if "unseen" in shown:
        out += layers.unseen(drawn, colours)
    if "state" in shown:
        out += layers.reaches(drawn, speaker, colours, turn, worst)
    if tracks is not None:
        out += layers.tracks(tracks[0], colours)
    if "seizures" in shown:
        out += layers.seizures(seizures, zoom, speaker, colours, turn)
    return out


def _said(
    chosen: str | None,
    found: pd.DataFrame,
    area: pd.DataFrame,
    reaches: pd.DataFrame,
    zones: pd.DataFrame,
    valid: Set[tuple[str, str, int]],
    seizures: pd.DataFrame,
    choice: controls.Choice,
    speaker: Speaker,
) -> tuple[pd.DataFrame, str]:
    """Says what is chosen; gives the rows of the table and its caption."""
    if len(found):
        listed = panel.place(found, reaches, speaker)
        single = found["level"].iloc[0] == "reach"
        return listed, speaker.say("around" if single else "inside")
    if chosen is not None and panel.known(chosen, zones, valid, seizures, speaker):
        st.button(speaker.say("clear"), on_click=panel.pick, args=(None,))
    else:
        panel.overview(area, choice.name, speaker)
    return levels.worst_first(area), speaker.say("table")


def _recent(seizures: pd.DataFrame, end: pd.Timestamp, period: str) -> pd.DataFrame:
    known = seizures[seizures["lon"].notna() & seizures["lat"].notna()]
    return known if period == "all" else known[known["time"] > end - timedelta(days=int(period))]


def _stretch_km(area: tuple[Any, ...]) -> float:
    return levels.BASIN_KM if area[0] == "basin" else levels.MIDDLE_KM


def _empty(
    zones: pd.DataFrame,
    valid: Set[tuple[str, str, int]],
    seizures: pd.DataFrame,
    own: base.Own | None,
    speaker: Speaker,
) -> None:
    """The base map, with zones and seizures where some were imported already."""
    colours = LOOKS[controls.theme()]
    turn = st.session_state.get(panel.TURN, 0)
    known = seizures[seizures["lon"].notna() & seizures["lat"].notna()]
    drawing = layers.zones(zones, valid, speaker, colours, turn) if len(zones) else []
    drawing += layers.seizures(known, fit(BASIN)["zoom"], speaker, colours, turn) if len(known) else []
    chart.base_map(drawing, BASIN, speaker, MAP, own=own)
