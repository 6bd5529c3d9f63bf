"""The page of the dispatch: units on the water, who can be there first, and how far everybody is who was sent.

What units tell of themselves comes by their fixes (the duty room moves taskings on); what they say by radio is entered
here. Everything done goes through the `Desk` of who looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from geo_monitor.app import base, chart, controls, data, door, duty, layers
from geo_monitor.app.deck import BASIN, fit
from geo_monitor.app.dispatch import tasks
from geo_monitor.app.duty import board, drawing, look, one, send, waiting
from geo_monitor.app.duty.board import Wanted
from geo_monitor.app.duty.words import Teller
from geo_monitor.app.look import LOOKS
from geo_monitor.app.rows import rows
from geo_monitor.app.situation import fixes
from geo_monitor.app.words import Speaker
from geo_monitor.errors import GeoMonitorError

BEAT_S = 3.0  # seconds between two pictures of the units
MAP_WIDTH, MAP_HEIGHT, MAP_WALL = 660, 420, 560  # pixels
PICK = "dispatch-pick"  # begin of the key of a field
CHOICES = 200  # warnings to choose from at most, the most urgent ones
TRAIL_S = 1200.0  # seconds of the way a unit came


@dataclass(frozen=True)
class Asked:
    """What the whole page was drawn for."""

    path: str
    seen: str
    how: Wanted
    run: Any
    own: base.Own | None
    chosen: str | None
    way: str | None
    teller: Teller


def page(path: str, speaker: Speaker) -> None:
    """Draws the page for one session; `path` is the door of its workspace, opened for who acts."""
    held = data.workspace(path)
    held.viewer.needs("read")
    tell, seen = duty.teller(path, speaker), board.shared(path)
    st.html(look.style(controls.theme()))
    board.from_address()
    if held.simulated:
        st.html(f'<div class="simulated" role="note">{speaker.say("simulated")}</div>')
    duty.replay(path, tell)
    run = data.current(seen)
    with st.sidebar:
        how = duty.filters(seen, run, tell)
        own = base.choose(seen, speaker)
    if not controls.wall():
        with st.container(key="duty-main"):
            left, right = st.columns([1.5, 1], gap="medium")
        with right:
            row = _pick(path, seen, how, run, tell)
    else:
        left, row = st.container(), one.find(path)
    asked = Asked(
        path, seen, how, run, own, None if row is None else row.warning_id, st.session_state.get(send.WAY), tell
    )
    with left:
        st.fragment(_picture, run_every=BEAT_S)(asked)
    st.html(f'<h3 class="part">{escape(tell.say("board"))}</h3>')
    tasks.draw(path, how, None if run is None else str(run["run_id"]), tell)


def _pick(path: str, seen: str, how: Wanted, run: Any, tell: Teller) -> Any | None:
    """The choice of a warning that waits, and who can be there first."""
    frame = board.asked_for(seen, board.mark(path), how, None if run is None else str(run["run_id"]))
    row = one.find(path)
    each_of = {each.warning_id: each for each in rows(frame.head(CHOICES))}
    if row is not None and row.warning_id not in each_of:
        each_of[row.warning_id] = row
    if not each_of:
        st.info(tell.say("pick_none"))
        return None
    at = pd.Timestamp(board.now(path))

    def words(warning_id: str) -> str:
        each = each_of[warning_id]
        parts = [
            f"{tell.grade(each.grade)} {tell.place(each, board.told(each))}",
            tell.of(f"alerts.state_{each.state}"),
        ]
        return tell.joined(parts)

    here = board.chosen() if board.chosen() in each_of else None
    # a field whose chosen option is called otherwise than before (its state changed) would lose it: then it is another
    key = f"{PICK}-{here}-{words(here) if here else ''}"
    st.selectbox(
        tell.say("pick"), list(each_of), index=None if here is None else list(each_of).index(here), format_func=words,
        key=key, on_change=_picked, args=(key,), placeholder=tell.say("choose"),
    )  # fmt: skip
    one.said(tell)
    if row is None:
        return None
    settings = data.workspace(path).settings
    st.html(waiting.line(row, at, tell, settings))
    if row.state in ("closed", "recalled"):
        return row
    may = "dispatch" in one.allowed(path, row)
    if not may:
        st.caption(tell.say("may_not"))
    st.html(f'<h3 class="part">{escape(tell.say("first"))}</h3>')
    send.draw(path, row, tell, may)
    return row


def _picked(key: str) -> None:
    board.choose(st.session_state[key])


def _picture(asked: Asked) -> None:
    """The map: units as the page of the situation draws them, warnings, the way of who may be sent."""
    if not door.alive(data.workspace(asked.path)):
        st.rerun(scope="app")
    if board.chosen() != asked.chosen or st.session_state.get(send.WAY) != asked.way:
        st.rerun(scope="app")
    tell, theme, seen = asked.teller, controls.theme(), asked.seen
    mark = board.mark(asked.path)
    run_id = None if asked.run is None else str(asked.run["run_id"])
    frame = board.asked_for(seen, mark, asked.how, run_id)
    row = one.find(asked.path)
    at = int(board.now(asked.path).timestamp() // BEAT_S * BEAT_S * 1000)
    held = fixes.live(seen).fixes(at)
    units = held.at(at, fixes.LIVE_MS / 1000)
    drawing_: list[dict[str, Any] | str] = []
    line, first = _way(asked, row)
    area = BASIN
    if asked.run is not None and asked.how.area[0] != "basin":
        water = data.reaches(seen, str(run_id), data.period(asked.run)[1])
        area = data.bounds(asked.how.area, data.in_area(water, asked.how.area))
    ways = [("", line)] if len(line) else []
    height = MAP_WALL if controls.wall() else MAP_HEIGHT
    bounds = drawing.fitted(drawing.around(row, ways, frame, area), MAP_WIDTH, height)
    here = units if area == BASIN else data.within(units, area)
    patrols = here.loc[here["patrol"].to_numpy(dtype=bool), "unit_id"].tolist() if len(here) else []
    if 0 < len(here) <= layers.SINGLE_MAX:
        trails = held.trails(at, patrols, TRAIL_S, data.TRACK_GAP_S)
        drawing_ += layers.trails(trails, LOOKS[theme]) if trails else []
    for unit in rows(first):
        drawing_ += drawing.way(line, f"{tell.unit(unit.unit_id)} {send.arrival(unit, tell)}", theme)
    if len(here):
        busy = tasks.busy(seen, mark)
        names = {unit: _named(unit, busy, tell) for unit in here["unit_id"]}
        drawing_ += layers.seen(layers.units(here, fit(bounds)["zoom"], names, tell.speaker, LOOKS[theme], "dispatch"))
    drawing_ += drawing.warnings(frame, asked.chosen, tell, theme, asked.chosen or "")
    chart.base_map(drawing_, bounds, tell.speaker, "map-dispatch", height, asked.own, board.from_map)
    if not len(units):
        st.caption(tell.say("units_none"))


def _way(asked: Asked, row: Any | None) -> tuple[Any, pd.DataFrame]:
    """The way to the chosen warning; nothing where there is none, which the list beside the map explains."""
    nothing = np.empty((0, 2)), pd.DataFrame()
    if row is None or row.state in ("closed", "recalled") or controls.wall():
        return nothing
    try:
        return send.way(asked.path, row.warning_id)
    except GeoMonitorError:
        return nothing


def _named(unit_id: str, busy: dict[str, str], tell: Teller) -> str:
    """A unit by name, and what it is at."""
    state = busy.get(unit_id)
    name = tell.unit(unit_id)
    return name if state is None else f"{name} · {tell.of(f'tasking.state.{state}')}"
