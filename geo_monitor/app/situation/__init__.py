"""The page of the situation: what is on the water now, or was at any past moment, and what of it needs a decision.

Reads the fixes of the last hours or of a past night (`fixes`), zones in force at that moment, seizures before it, and the
answer of the latest analysis with days counted back from it; writes nothing. Everything on the page belongs to one moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.app import base, chart, controls, data, door, layers, legend, levels, panel
from geo_monitor.app.deck import turned
from geo_monitor.app.look import LOOKS
from geo_monitor.app.situation import aside, finding, fixes, ground, timeline
from geo_monitor.app.situation import clock as clocks
from geo_monitor.app.situation.clock import Clock
from geo_monitor.app.situation.view import View, look
from geo_monitor.app.words import Speaker, moment

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.messages import Lang

TICK_MS = 3000  # ms between looks at the store while live
STEP_MS = 1000  # ms between pictures of a replay
PICTURE_S = {clocks.LIVE: TICK_MS / 1000, clocks.PLAYING: STEP_MS / 1000}  # seconds by the mode of the clock
ASIDE_S = {clocks.LIVE: 9.0, clocks.PLAYING: 5.0}
HOURS_S = {clocks.LIVE: 60.0, clocks.PLAYING: 2.0}
PERIOD = 30  # days of seizures shown unless others are chosen
HEIGHTS = (540, 640)  # pixels of the map: on a desk, on a wall
MAP = "map-situation"  # key of the map
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
    localities = data.localities(path, data.stamp(path, tracks=False))
    speaker = Speaker(speaker.lang, {code: name for code, (name, _) in localities.items()}, held.settings)
    st.html(CSS)
    run = data.current(path)
    with st.sidebar:
        area, name = ("basin",), speaker.say("area_basin")
        if run is not None:
            water = data.reaches(path, run["run_id"], data.period(run)[1])
            area, name = controls.area(water, localities, speaker)
        shown = controls.layer_pills(LAYERS, LAYERS, "situation-layers", speaker)
        period = controls.period_slider("seizures_of", controls.PERIODS[:-1], str(PERIOD), "situation-period", speaker)
        own = base.choose(path, speaker)
    if held.simulated:
        st.html(f'<div class="simulated" role="note">{speaker.say("simulated")}</div>')
    if run is None:
        st.info(speaker.say("no_run"))
    panel.from_address()
    clock = timeline.clock(path, mark, wall, speaker)
    first = run is not None and chart.first(MAP)
    turn = st.session_state.get(panel.TURN, 0)
    asked = Asked(path, speaker.lang, area, name, frozenset(shown), int(period), own, turn, first)
    left, right = st.columns([2.3, 1], gap="small")
    # three parts with a beat each: a tick costs every session what it draws anew
    with left:
        _beating(_picture, {} if first else PICTURE_S, clock)(asked)
        if first:
            chart.rest(MAP)
        else:
            _beating(_hours, HOURS_S, clock)(asked)
        stretch = levels.BASIN_KM if area[0] == "basin" and run is not None else None
        st.html(legend.html(set(shown), speaker, LOOKS[controls.theme()], stretch))
    with right:
        if not first:
            at = clock.now(wall) // TICK_MS * TICK_MS
            finding.draw(speaker, lambda: look(path, mark, at, clock.mode == clocks.LIVE, area, speaker.lang))
        _beating(_aside, ASIDE_S, clock)(asked)


@dataclass(frozen=True)
class Asked:
    """What this session wants to see; `turn` as the page was drawn whole; `first`: nothing was drawn yet (`chart.first`)."""

    path: str
    lang: Lang
    area: tuple[Any, ...]
    name: str
    shown: frozenset[str]
    period: int
    own: base.Own | None
    turn: int
    first: bool


def _beating(part: Callable[[Asked], None], every: dict[str, float], clock: Clock) -> Callable[[Asked], None]:
    beating: Callable[[Asked], None] = st.fragment(part, run_every=every.get(clock.mode))
    return beating


def _now(asked: Asked) -> tuple[Clock, View]:
    """The clock and what it shows; draws the whole page again where a click changed more than one part of it."""
    wall = timeline.wall_ms()
    clock: Clock = st.session_state[timeline.CLOCK]
    over = not door.alive(data.workspace(asked.path))  # leads to the sign-in
    if clock.ended(wall):
        timeline.keep(clock.stopped(wall))
        over = True
    if over or st.session_state.pop(timeline.CHANGED, False) or st.session_state.get(panel.TURN, 0) != asked.turn:
        st.rerun(scope="app")
    live = clock.mode == clocks.LIVE
    at = clock.now(wall) // (step := TICK_MS if live else STEP_MS) * step
    return clock, look(asked.path, data.stamp(asked.path), at, live, asked.area, asked.lang)


def _picture(asked: Asked) -> None:
    """The moment, and the map of it."""
    clock, view = _now(asked)
    _head(clock, view, asked.name, timeline.wall_ms())
    found = panel.find(st.session_state.get(panel.PICKED), view.drawn, view.water)
    shown = frozenset({"first"} if "state" in asked.shown else ()) if asked.first else asked.shown
    drawing = _drawing(view, found, shown, asked.period)
    chart.base_map(drawing, view.bounds, view.speaker, MAP, HEIGHTS[controls.wall()], asked.own)


def _hours(asked: Asked) -> None:
    """Days and night, and the controls of the clock."""
    clock, view = _now(asked)
    timeline.draw(view, clock)
    if st.session_state.get(timeline.CHANGED):
        st.rerun(scope="app")


def _aside(asked: Asked) -> None:
    """What is chosen, who is on the water, what needs a decision."""
    _, view = _now(asked)
    found = panel.find(st.session_state.get(panel.PICKED), view.drawn, view.water)
    aside.chosen(view, found, asked.name)
    aside.units(view)
    aside.needed(view)


def _head(clock: Clock, view: View, name: str, wall: int) -> None:
    speaker, newest = view.speaker, fixes.newest(view.path, view.mark)
    when = clocks.told(view.at, seconds=True).replace("T", " ")
    parts = [speaker.say(f"now_{clock.mode}", speed=clock.speed)]
    if newest is None:
        parts.append(speaker.say("now_none"))
    elif view.live:
        parts.append(speaker.say("now_last", age=speaker.age(max(wall - newest, 0) / 1000)))
    if view.run is not None:
        made, end = moment(view.run["made_at"]), moment(data.period(view.run)[1])
        parts.append(speaker.say("now_run", made=made, end=end))
    joint = "；" if speaker.lang == "zh" else "; "
    st.html(f'<div class="clock">{panel.text(name)}　{when}<span class="mode">{joint.join(parts)}</span></div>')
    if newest is not None and clock.mode == clocks.STILL and "at" not in st.query_params:
        age = speaker.age((wall - newest) / 1000)
        st.caption(speaker.say("stale", time=clocks.told(newest).replace("T", " "), age=age))


def prepare(path: str, lang: Lang) -> None:
    """Reads, works out and draws what `page` shows first to whoever comes with the rights of `path`, kept for them."""
    wall, mark = timeline.wall_ms(), data.stamp(path)
    clock = timeline.new(path, mark, wall)
    view = look(path, mark, clock.now(wall) // TICK_MS * TICK_MS, clock.mode == clocks.LIVE, ("basin",), lang)
    ground.zones(view, "day")
    ground.reaches(view, "day")
    ground.seizures(view, PERIOD, "day")
    ground.moving(view, "day")
    _ = view.needs, view.night
    if view.run_id is not None:
        data.days(path, view.run_id, view.area, view.still)


def _drawing(view: View, found: pd.DataFrame, shown: frozenset[str], period: int) -> list[dict[str, Any] | str]:
    """The layers from the ground up; all but what this session chose comes as text kept for everybody (`ground`)."""
    theme, turn = controls.theme(), st.session_state.get(panel.TURN, 0)
    out: list[str] = []
    if "zones" in shown:
        out += ground.zones(view, theme)
    still = ground.reaches(view, theme)
    out += [text for name in ("unseen", "first", "state") if name in shown for text in still.get(name, ())]
    if "seizures" in shown:
        out += ground.seizures(view, period, theme)
    moving = ground.moving(view, theme)
    out += [text for name in ("trails", "units") if name in shown for text in moving[name]]
    picked = layers.picked(found, LOOKS[theme]) if len(found) else aside.ring(view)
    return [*picked, *(turned(text, turn) for text in out)]
