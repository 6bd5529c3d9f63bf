"""The first page: the map. `streamlit run` gets this file, `geo-monitor app` starts it.

Reads hotspots and reaches of a run, and zones, seizures and positions in force, through `geo_monitor.workspace`; writes
nothing. Police data go to the browser over the session's own connection only: `static/` holds the base map, the
symbols and the font.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import streamlit as st

from geo_monitor.app import administration, controls, data, door, layers, legend, levels, panel, uploads
from geo_monitor.app.deck import BASIN, Bounds, Deck, escaped, fit, plain
from geo_monitor.app.look import LOOKS
from geo_monitor.app.rows import rows, zone_key
from geo_monitor.app.words import Speaker, day, moment
from geo_monitor.errors import GeoMonitorError

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.store.rights import Viewer

HEIGHT = 600  # pixels of the map
CSS = """
<style>
  [data-testid="stMainBlockContainer"] { padding: 0.6rem 1rem 1rem; max-width: none; }
  [data-testid="stHeader"] { height: 0; min-height: 0; }
  [data-testid="stSidebarUserContent"] { padding-top: 0; margin-top: .4rem; }
  [data-testid="stSidebarHeader"] { padding: 0; height: 2.6rem; }
  [data-testid="stVerticalBlock"] { gap: 0.6rem; }
  h1.page { font-size: 1.25rem; font-weight: 600; margin: 0; padding: 0; }
  .asof { font-size: .85rem; opacity: .7; }
  .simulated { border-left: 4px solid #d64018; padding: .3rem .7rem; background: rgba(214,64,24,.10); }
  .said p { margin: .25rem 0 0; line-height: 1.6; }
  .themes { text-align: right; white-space: nowrap; }
  a.theme { color: inherit; opacity: .55; text-decoration: none; padding: .2rem .5rem; }
  a.theme.here { opacity: 1; border-bottom: 2px solid currentColor; }
  table, .said, [data-testid="stDataFrame"] { font-variant-numeric: tabular-nums; }
</style>
"""


def page() -> None:
    """Draws the page for one session."""
    lang = controls.language()
    speaker = Speaker(lang)
    st.set_page_config(speaker.say("title"), layout="wide", initial_sidebar_state=250)
    st.html(CSS.replace("</style>", legend.CSS + "</style>"))
    path = str(data.location())
    with _told(path, speaker):
        held = data.workspace(path)
        viewer = door.viewer(held)
        map_ = st.Page(
            lambda: _map_page(path, viewer, speaker),
            title=speaker.say("page_map"),
            url_path="map",
            default=True,
            visibility=_listed(viewer, "read", "own"),
        )
        data_ = st.Page(
            lambda: _data_page(path, viewer, speaker),
            title=speaker.say("page_data"),
            url_path="data",
            visibility=_listed(viewer, "read", "own", "books"),
        )
        managed = st.Page(
            lambda: _administration(path, viewer, speaker),
            title=speaker.say("page_administration"),
            url_path="administration",
            visibility=_listed(viewer, *administration.RIGHTS),
        )
        # named before anybody is in, so that an address sent by a colleague leads there after the sign-in
        chosen = st.navigation([map_, data_, managed], position="hidden" if viewer is None else "sidebar")
        if viewer is None:
            door.form(held, speaker)
            return
        with st.sidebar:
            door.bar(held, viewer, speaker)
            controls.switches(speaker)
        if chosen is map_ and not viewer.rights & {"read", "own"} and administration.open_to(viewer):
            st.switch_page(
                managed, query_params=dict(st.query_params.items())
            )  # who only administers has no map to begin with
        chosen.run()


def _listed(viewer: Viewer | None, *rights: str) -> Literal["visible", "hidden"]:
    """Whether a page is listed for a viewer: with one of these rights. Every page refuses for itself, too."""
    return "visible" if viewer is not None and viewer.rights & set(rights) else "hidden"


def _map_page(path: str, viewer: Viewer | None, speaker: Speaker) -> None:
    if viewer is not None:
        with _told(path, speaker):
            _page(door.key(path, viewer), speaker)


def _data_page(path: str, viewer: Viewer | None, speaker: Speaker) -> None:
    if viewer is not None:
        with _told(path, speaker):
            uploads.page(door.key(path, viewer, acting=True), speaker)


def _administration(path: str, viewer: Viewer | None, speaker: Speaker) -> None:
    if viewer is not None:
        with _told(path, speaker):
            administration.page(door.key(path, viewer, acting=True), speaker)


@contextmanager
def _told(path: str, speaker: Speaker) -> Iterator[None]:
    """Tells of an error in words, and what to do."""
    try:
        yield
    except GeoMonitorError as error:
        from geo_monitor.messages import hint, text

        detail = text(error.code, speaker.lang, **error.params)
        st.error(escaped(speaker.say("failed", path=path, detail=plain(detail))))
        more = hint(error.code, speaker.lang, **error.params)
        if more:
            st.info(escaped(more))


def _page(path: str, speaker: Speaker) -> None:
    mark = data.stamp(path)
    localities = data.localities(path, mark)
    held = data.workspace(path)
    names = {code: name for code, (name, _) in localities.items()}
    speaker = Speaker(speaker.lang, names, held.settings)
    with st.sidebar:
        runs = data.runs(path)
        run_id = controls.run(runs, speaker)
    seizures = data.uploaded(path, "seizures", mark)
    zones = data.uploaded(path, "zones", mark)
    valid = _in_force(zones, path, mark)
    if run_id is None:
        _head(speaker, held.simulated, "")
        st.info(speaker.say("no_run"))
        _empty(zones, valid, seizures, speaker)
        return
    run = runs[runs["run_id"] == run_id].iloc[0]
    start, end = _period(run)
    reaches = data.reaches(path, run_id, end)
    with st.sidebar:
        choice = controls.choose(reaches, localities, speaker)
    asof = speaker.say("as_of", made=moment(run["made_at"]), start=day(start), end=moment(end))
    _head(speaker, held.simulated, asof)

    area = data.in_area(reaches, choice.area)
    drawn = data.drawn(path, run_id, end, choice.area)
    drawn = drawn[drawn["state"].isin(choice.states)]
    chosen = st.session_state.get(panel.PICKED)
    found = panel.find(chosen, drawn, reaches)
    bounds = _bounds(choice.area, area)
    placed = data.placed(seizures, data.result(path, "seizure_links", run_id), reaches)
    recent = _recent(placed, end, choice.period)
    tracks = data.tracks(path, mark, end, choice.track_days) if "tracks" in choice.layers else None

    left, right = st.columns([2.3, 1], gap="small")
    with left:
        worst = {row.id: row for row in rows(reaches[reaches["id"].isin(drawn["worst"])])}
        drawing = _drawing(drawn, found, zones, valid, recent, tracks, worst, choice, bounds, speaker)
        _map(drawing, bounds, speaker)
        stretch = None if "stretch" not in set(drawn["level"]) else _stretch_km(choice.area)
        st.html(legend.html(set(choice.layers), speaker, LOOKS[controls.theme()], stretch))
    with right:
        if not len(drawn):
            st.info(speaker.say("nothing_here"))
        listed, caption = _said(chosen, found, area, reaches, zones, valid, placed, choice, speaker)
        if tracks is not None:
            cut = tracks[1] > data.TRACKS_MAX
            st.caption(
                speaker.say("tracks_cut", n=data.TRACKS_MAX)
                if cut
                else speaker.say("shown_tracks", days=choice.track_days, n=tracks[1])
            )
        panel.table(listed[listed["state"].isin(choice.states)], chosen, caption, speaker)


def _head(speaker: Speaker, simulated: bool, asof: str) -> None:
    st.html(f'<h1 class="page">{speaker.say("title")}</h1><div class="asof">{asof}</div>')
    if simulated:
        st.html(f'<div class="simulated" role="note">{speaker.say("simulated")}</div>')


def _drawing(
    drawn: pd.DataFrame,
    found: pd.DataFrame,
    zones: pd.DataFrame,
    valid: set[tuple[str, str, int]],
    seizures: pd.DataFrame,
    tracks: tuple[pd.DataFrame, int] | None,
    worst: dict[str, Any],
    choice: controls.Choice,
    bounds: Bounds,
    speaker: Speaker,
) -> list[layers.Layer]:
    """The layers from the ground up: areas, then lines, then points."""
    colours = LOOKS[controls.theme()]
    turn = st.session_state.get(panel.TURN, 0)
    out: list[layers.Layer] = []
    if "zones" in choice.layers:
        out += layers.zones(zones, valid, speaker, colours, turn)
    if len(found):
        out += layers.picked(found, colours)
    if "unseen" in choice.layers:
        out += layers.unseen(drawn, colours)
    if "state" in choice.layers:
        out += layers.reaches(drawn, speaker, colours, turn, worst)
    if tracks is not None:
        out += layers.tracks(tracks[0], colours)
    if "seizures" in choice.layers:
        out += layers.seizures(seizures, fit(bounds)["zoom"], speaker, colours, turn)
    return out


def _map(drawing: list[layers.Layer], bounds: Bounds, speaker: Speaker) -> None:
    style = f"app/static/basemap/style-{controls.theme()}-{speaker.lang}.json"
    st.pydeck_chart(
        Deck(drawing, style, bounds, layers.TOOLTIP),
        height=HEIGHT,
        on_select=panel.from_map,
        selection_mode="single-object",
        key="map",
        alt=speaker.say("title"),
    )
    if not served():
        st.warning(speaker.say("no_static"))


def served() -> bool:
    """Whether the server gives out `static/` of this package, as the base map needs."""
    from streamlit import config
    from streamlit.runtime.scriptrunner import get_script_run_ctx

    context = get_script_run_ctx()
    if context is None or not config.get_option("server.enableStaticServing"):
        return False
    return (Path(context.main_script_path).parent / "static" / "basemap" / "land.geojson").exists()


def _said(
    chosen: str | None,
    found: pd.DataFrame,
    area: pd.DataFrame,
    reaches: pd.DataFrame,
    zones: pd.DataFrame,
    valid: set[tuple[str, str, int]],
    seizures: pd.DataFrame,
    choice: controls.Choice,
    speaker: Speaker,
) -> tuple[pd.DataFrame, str]:
    """Says what is chosen; gives the rows of the table and its caption."""
    if len(found):
        listed = panel.place(found, reaches, speaker)
        single = found["level"].iloc[0] == "reach"
        return listed, speaker.say("around" if single else "inside")
    kind, _, name = (chosen or "").partition("|")
    told = False
    if kind == "zone":
        zone, _, version = name.rpartition("|")
        for row in rows(zones[(zones["zone_id"].map(plain) == zone)]):
            if str(row.version) == version:
                panel.sentence(*speaker.zone(row, zone_key(row) in valid))
                told = True
    if kind in ("seizure", "seizures"):
        wanted = {name} if kind == "seizure" else set(name.split(","))
        for row in rows(seizures[seizures["report_id"].map(plain).isin(wanted)].head(12)):
            panel.sentence(*speaker.seizure(row))
            told = True
    if told:
        st.button(speaker.say("clear"), on_click=panel.pick, args=(None,))
    else:
        panel.overview(area, choice.name, speaker)
    return levels.worst_first(area), speaker.say("table")


def _in_force(zones: pd.DataFrame, path: str, mark: str) -> set[tuple[str, str, int]]:
    """The zones that hold now (`rows.zone_key`), some by the water level."""
    import pandas as pd

    now = pd.Timestamp.now(tz="UTC")
    if "level_station" not in zones or not zones["level_station"].notna().any():
        return data.in_force(zones, now)
    levels_ = data.uploaded(path, "levels", mark)
    return data.in_force(zones, now, levels_, data.workspace(path).settings)


def _period(run: pd.Series) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The time a run speaks of: its period where one was given, else from the first to the last of its data."""
    import pandas as pd

    told = json.loads(str(run["summary"]))
    ends = []
    for column, key in (("period_from", "data_from"), ("period_to", "data_to")):
        value = told.get(key) if pd.isna(run[column]) else run[column]
        ends.append(pd.Timestamp(value if value else run["made_at"]))
    return ends[0], ends[1]


def _recent(seizures: pd.DataFrame, end: pd.Timestamp, period: str) -> pd.DataFrame:
    known = seizures[seizures["lon"].notna() & seizures["lat"].notna()]
    return known if period == "all" else known[known["time"] > end - timedelta(days=int(period))]


def _stretch_km(area: tuple[Any, ...]) -> float:
    return levels.BASIN_KM if area[0] == "basin" else levels.MIDDLE_KM


def _bounds(area: tuple[Any, ...], frame: pd.DataFrame) -> Bounds:
    """What the map shows of an area: the basin, or the box around its reaches with a margin."""
    import shapely

    if area[0] == "basin" or not len(frame):
        return BASIN
    west, south, east, north = shapely.total_bounds(frame["geometry"].to_numpy())
    margin = max(0.06 * max(east - west, north - south), 0.02)
    return float(west - margin), float(south - margin), float(east + margin), float(north + margin)


def _empty(zones: pd.DataFrame, valid: set[tuple[str, str, int]], seizures: pd.DataFrame, speaker: Speaker) -> None:
    """The base map, with zones and seizures where some were imported already."""
    colours = LOOKS[controls.theme()]
    turn = st.session_state.get(panel.TURN, 0)
    known = seizures[seizures["lon"].notna() & seizures["lat"].notna()]
    drawing = layers.zones(zones, valid, speaker, colours, turn) if len(zones) else []
    drawing += layers.seizures(known, fit(BASIN)["zoom"], speaker, colours, turn) if len(known) else []
    _map(drawing, BASIN, speaker)


if __name__ == "__main__":
    page()
