"""The page of the situation: what is on the water now, or was at any past moment, and what of it needs a decision.

Reads the fixes of the last hours or of a past night (`fixes`), zones in force at that moment, seizures before it, and the
answer of the latest analysis with days counted back from it; writes nothing. Everything on the page belongs to one moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.app import chart, controls, data, door, layers, legend, panel
from geo_monitor.app.deck import BASIN, Bounds, fit, plain, turned
from geo_monitor.app.look import LOOKS
from geo_monitor.app.rows import rows
from geo_monitor.app.situation import aside, fixes, ground, needs, timeline
from geo_monitor.app.situation import clock as clocks
from geo_monitor.app.situation.clock import Clock
from geo_monitor.app.words import Speaker, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from geo_monitor.app.situation.moments import Fixes

TICK_S = 3.0  # seconds between looks at the store while live
STEP_S = 1.0  # seconds between pictures of a replay
TRAIL_S = 1200.0  # seconds
LAYERS = ("state", "unseen", "zones", "units", "trails", "seizures")
CSS = """
<style>
  .clock { font-size: 1.5rem; font-weight: 600; font-variant-numeric: tabular-nums; line-height: 1.3; }
  .clock .mode { font-size: .95rem; font-weight: 400; opacity: .8; margin-left: .6rem; }
  .need { border-left: 4px solid transparent; padding: .1rem .6rem .25rem; line-height: 1.45; }
  .need b { font-weight: 600; }
  .need .kind { font-size: .78rem; opacity: .75; margin-right: .4rem; }
  .need p { margin: 0; font-size: .88rem; opacity: .82; }
  .need.intrusion, .need.unseen { border-color: #d64018; }
  .need.silent { border-color: #8a7fb4; }
  .need.seizure { border-color: #55606a; }
  .need.never { border-color: #a8957a; }
</style>
"""


def page(path: str, speaker: Speaker) -> None:
    """Draws the page for one session; `path` is the door of its workspace."""
    held, mark, wall = data.workspace(path), data.stamp(path), timeline.wall_ms()
    localities = data.localities(path, mark)
    speaker = Speaker(speaker.lang, {code: name for code, (name, _) in localities.items()}, held.settings)
    st.html(CSS)
    runs = data.runs(path)
    run = runs.iloc[0] if len(runs) else None
    with st.sidebar:
        area, name = ("basin",), speaker.say("area_basin")
        if run is not None:
            water = data.reaches(path, run["run_id"], data.period(run)[1])
            area, name = controls.area(water, localities, speaker)
        shown = st.pills(
            speaker.say("layers"),
            list(LAYERS),
            selection_mode="multi",
            default=list(LAYERS),
            format_func=lambda layer: speaker.say(f"layer_{layer}"),
            key="situation-layers",
        )
        period = st.select_slider(
            speaker.say("seizures_of"),
            controls.PERIODS[:-1],
            "30",
            format_func=lambda days: speaker.say(f"period_{days}"),
            key="situation-period",
        )
    if held.simulated:
        st.html(f'<div class="simulated" role="note">{speaker.say("simulated")}</div>')
    if run is None:
        st.info(speaker.say("no_run"))
    panel.from_address()
    clock = timeline.clock(path, mark, wall)
    every = {clocks.LIVE: TICK_S, clocks.PLAYING: STEP_S, clocks.STILL: None}[clock.mode]
    picture = st.fragment(_picture, run_every=every)
    picture(path, speaker, area, name, frozenset(shown), int(period))


def _picture(path: str, speaker: Speaker, area: tuple[Any, ...], name: str, shown: frozenset[str], period: int) -> None:
    """One picture of one moment: map, time, panel. Runs again by itself while the clock does."""
    import pandas as pd

    wall = timeline.wall_ms()
    if not door.alive(data.workspace(path)):
        st.rerun(scope="app")  # leads to the sign-in
    clock: Clock = st.session_state[timeline.CLOCK]
    if clock.ended(wall):
        timeline.keep(clock.stopped(wall))
        st.rerun(scope="app")
    mark, at = data.stamp(path), clock.now(wall)
    now = pd.Timestamp(at, unit="ms", tz="UTC")
    held = fixes.live(path).fixes(wall) if clock.mode == clocks.LIVE else fixes.night(path, mark, fixes.noon(at))
    units = held.at(at, fixes.LIVE_MS / 1000)
    zones = data.uploaded(path, "zones", mark)
    valid = data.in_force_at(path, mark, now.floor("min"))
    runs = data.runs(path)
    run = runs.iloc[0] if len(runs) else None
    run_id = None if run is None else str(run["run_id"])
    water = None if run is None else data.reaches(path, str(run_id), now.floor("6h"))
    inside = None if water is None else data.in_area(water, area)
    bounds = BASIN if inside is None else data.bounds(area, inside)
    here = units if area[0] == "basin" else data.within(units, bounds)
    names = data.names_of_units(path, mark)
    reports = data.reports(path, run_id, mark)

    _head(clock, at, name, run, fixes.newest(path, mark), wall, speaker)
    left, right = st.columns([2.3, 1], gap="small")
    with left:
        drawing = _drawing(path, mark, run_id, now, area, bounds, shown, period, here, held, valid, names, speaker)
        found = _found(path, run_id, now, area, water)
        colours = LOOKS[controls.theme()]
        picked = layers.picked(found, colours) if len(found) else _ringed(here, zones)
        chart.base_map([*picked, *drawing], bounds, speaker, "map-situation", height=540)
        timeline.draw(path, clock, at, area, run_id, held, reports, bounds, mark, speaker)
        stretch = None if inside is None or area[0] != "basin" else 20.0
        st.html(legend.html(set(shown), speaker, colours, stretch))
    with right:
        aside.chosen(path, mark, run_id, now, found, water, units, zones, valid, reports, names, speaker)
        aside.units(here, held, speaker)
        local = (
            reports if inside is None or area[0] == "basin" else reports[reports["reach_id"].isin(inside["reach_id"])]
        )
        if inside is not None and water is not None:
            listed = needs.needs(here, held.usual_s(at), zones, valid, inside, local, now, names, speaker)
            aside.needed(listed, water, units, reports, speaker)
    if st.session_state.pop(timeline.CHANGED, False):
        st.rerun(scope="app")  # what stands beside the picture changed, or how often it is drawn


def _head(
    clock: Clock, at: int, name: str, run: pd.Series | None, newest: int | None, wall: int, speaker: Speaker
) -> None:
    import pandas as pd

    when = clocks.told(at, seconds=True).replace("T", " ")
    parts = [speaker.say(f"now_{clock.mode}", speed=clock.speed)]
    if newest is None:
        parts.append(speaker.say("now_none"))
    elif clock.mode == clocks.LIVE:
        parts.append(speaker.say("now_last", age=speaker.age(max(wall - newest, 0) / 1000)))
    if run is not None:
        made, end = moment(run["made_at"]), moment(data.period(run)[1])
        parts.append(speaker.say("now_run", made=made, end=end))
    joint = "；" if speaker.lang == "zh" else "; "
    st.html(f'<div class="clock">{plain(name)}　{when}<span class="mode">{joint.join(parts)}</span></div>')
    if newest is not None and clock.mode == clocks.STILL and "at" not in st.query_params:
        age = speaker.age((wall - newest) / 1000)
        st.caption(speaker.say("stale", time=moment(pd.Timestamp(newest, unit="ms", tz="UTC")), age=age))


def _drawing(
    path: str,
    mark: str,
    run_id: str | None,
    now: pd.Timestamp,
    area: tuple[Any, ...],
    bounds: Bounds,
    shown: frozenset[str],
    period: int,
    here: pd.DataFrame,
    held: Fixes,
    valid: frozenset[tuple[str, str, int]],
    names: Mapping[str, str],
    speaker: Speaker,
) -> list[dict[str, Any] | str]:
    """The layers from the ground up; what lies still comes as text kept for everybody (`ground`)."""
    import pandas as pd

    theme, lang = controls.theme(), speaker.lang
    turn, zoom = st.session_state.get(panel.TURN, 0), fit(bounds)["zoom"]
    out: list[str] = []
    if "zones" in shown:
        out += ground.zones(path, valid, lang, theme, mark)
    if run_id is not None:
        still = ground.reaches(path, run_id, now.floor("6h"), area, lang, theme, mark)
        out += still["unseen"] if "unseen" in shown else ()
        out += still["state"] if "state" in shown else ()
    if "seizures" in shown:
        # to the minute: what happens later in a replay comes up as it is reached
        until = now.floor("min")
        out += ground.seizures(path, run_id, until - pd.Timedelta(days=period), until, zoom, lang, theme, mark)
    drawing: list[dict[str, Any] | str] = [turned(text, turn) for text in out]
    if "trails" in shown and 0 < len(here) <= layers.SINGLE_MAX:
        patrols = here.loc[here["patrol"].to_numpy(dtype=bool), "unit_id"].tolist()
        ways = held.trails(
            held.start if not len(held) else int(now.value // 1_000_000), patrols, TRAIL_S, data.TRACK_GAP_S
        )
        drawing += layers.trails(ways, LOOKS[theme])
    if "units" in shown and len(here):
        drawing += layers.units(here, zoom, names, speaker, LOOKS[theme], turn)
    return drawing


def _found(
    path: str, run_id: str | None, now: pd.Timestamp, area: tuple[Any, ...], water: pd.DataFrame | None
) -> pd.DataFrame:
    import pandas as pd

    if water is None or run_id is None:
        return pd.DataFrame()
    return panel.find(
        st.session_state.get(panel.PICKED), data.drawn(path, run_id, now.floor("6h"), area, live=True), water
    )


def _ringed(units: pd.DataFrame, zones: pd.DataFrame) -> list[dict[str, Any]]:
    """A ring around the chosen unit or zone."""
    kind, _, name = (st.session_state.get(panel.PICKED) or "").partition("|")
    colours = LOOKS[controls.theme()]
    if kind == "unit":
        ring: dict[str, Any] = {"@@type": "ScatterplotLayer", "id": "picked-unit", "getPosition": "@@=position"}
        ring |= {"data": [{"position": [row.lon, row.lat]} for row in rows(units) if plain(row.unit_id) == name]}
        ring |= {"getRadius": 21, "radiusUnits": "pixels", "stroked": True, "filled": False}
        return [ring | {"getLineColor": [*colours.pick, 255], "getLineWidth": 3, "lineWidthUnits": "pixels"}]
    return []
