"""The page of the warnings: what waits by its clock, the chosen one with all that may be done, what became of them, rules.

Everything done goes through the `Desk` of who looks (`board.act`), which refuses in words; the page only leaves out what
would be refused. The room is called duty because a folder called like the standard library's `warnings` would stand in
its way for every program started beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from geo_monitor.app import base, chart, controls, data
from geo_monitor.app.deck import BASIN
from geo_monitor.app.duty import board, counted, drawing, look, one, rulebook, send, waiting
from geo_monitor.app.duty.board import Wanted
from geo_monitor.app.duty.words import Teller
from geo_monitor.app.rows import rows
from geo_monitor.app.words import Speaker, moment
from geo_monitor.tables import GRADES, WARNING_CLASSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo_monitor.messages import Lang
    from geo_monitor.settings import Settings

TABS = ("queue", "done", "counts", "rules")
TAB = "duty-tab"  # key of the session
MAP_WIDTH, MAP_HEIGHT = 480, 320  # pixels; the width at which all of a place is still seen


def page(path: str, speaker: Speaker) -> None:
    """Draws the page for one session; `path` is the door of its workspace, opened for who acts."""
    held = data.workspace(path)
    held.viewer.needs("read")
    tell, seen = teller(path, speaker), board.shared(path)
    st.html(look.style(controls.theme()))
    board.from_address()
    if held.simulated:
        st.html(f'<div class="simulated" role="note">{speaker.say("simulated")}</div>')
    replay(path, tell)
    run = data.current(seen)
    run_id = None if run is None else str(run["run_id"])
    with st.sidebar:
        how = filters(seen, run, tell)
        own = base.choose(seen, speaker)
    if controls.wall():
        st.html(f'<h1 class="page">{tell.say("head")}</h1>')
        waiting.draw(_asked(path, seen, how, run_id, tell))
        return
    tab = _tab(tell)
    if tab == "counts":
        counted.draw(path, how, run_id, tell)
    elif tab == "rules":
        rulebook.draw(path, tell)
    else:
        with st.container(key="duty-main"):
            left, right = st.columns([1.25, 1], gap="medium")
        row = one.find(path)
        with left:
            if tab == "queue":
                waiting.draw(_asked(path, seen, how, run_id, tell))
            else:
                counted.done(path, how, run_id, tell)
        with right:
            _map(path, seen, how, run, row, own, tell, tab == "done")
            if row is not None:
                st.html(look.CHOSEN_FIRST)
                one.draw(path, row, tell)
            elif board.chosen() is not None:
                one.said(tell)
                st.info(tell.say("unknown"))
            else:
                st.caption(tell.say("choose_one"))


def replay(path: str, tell: Teller) -> None:
    """Says where the clock stands if it is that of a replayed night."""
    at = data.workspace(path).desk.replayed_to
    if at is not None:
        st.html(f'<div class="simulated" role="note">{tell.say("replayed", at=moment(pd.Timestamp(at)))}</div>')


def teller(path: str, speaker: Speaker) -> Teller:
    """Who says things about this workspace: names of localities, units and zones, banks of the latest analysis."""
    seen = board.shared(path)
    still = data.stamp(seen, tracks=False)
    settings = data.workspace(path).settings
    return _teller(seen, still, speaker.lang, hash(settings), settings)


@st.cache_resource(show_spinner=False, max_entries=16)
def _teller(seen: str, still: str, lang: Lang, told: int, _settings: Settings) -> Teller:
    known = data.localities(seen, still)
    provinces = {f"{code[:2]}0000": province for code, (_, province) in known.items() if province}
    localities = provinces | {code: name for code, (name, _) in known.items()}
    speaker = Speaker(lang, localities, _settings)
    run = data.current(seen)
    banks, reaches = ({}, {}) if run is None else _water(seen, str(run["run_id"]))
    return Teller(speaker, data.names_of_units(seen, still), _zones(seen, still), banks, reaches)


@st.cache_resource(show_spinner=False, max_entries=8)
def _zones(seen: str, still: str) -> dict[str, str]:
    return dict(drawing.names(data.uploaded(seen, "zones", still), "zone_id"))


@st.cache_resource(show_spinner=False, max_entries=4)
def _water(seen: str, run_id: str) -> tuple[dict[str, tuple[str | None, str | None]], dict[str, tuple[str, float]]]:
    """Banks and names of the reaches of an analysis."""
    water = data.workspace(seen).table("reaches", run=run_id)
    ids = water["reach_id"].astype(str).tolist()
    left, right = (
        [code if isinstance(code, str) else None for code in water[name]] for name in ("adcode_left", "adcode_right")
    )
    banks = dict(zip(ids, zip(left, right, strict=True), strict=True))
    return banks, dict(zip(ids, zip(water["river"], water["km_from"], strict=True), strict=True))


def filters(seen: str, run: Any, tell: Teller) -> Wanted:
    """The filters of the side bar, kept in the address. An area needs an analysis, which knows the water."""
    area: tuple[Any, ...] = ("basin",)
    if run is not None:
        water = data.reaches(seen, str(run["run_id"]), data.period(run)[1])
        known = data.localities(seen, data.stamp(seen, tracks=False))
        area, _ = controls.area(water, known, tell.speaker)
    grades = _pills("grade", GRADES, tell.grade, tell)
    classes = _pills("class", WARNING_CLASSES, lambda name: tell.of(f"alerts.class_{name}"), tell)
    return Wanted(area, grades, classes)


def _pills(name: str, every: Sequence[str], words: Any, tell: Teller) -> tuple[str, ...]:
    """The choice of some of `every`; none chosen counts as all."""
    held = board.listed(name, tuple(every))
    chosen = st.pills(
        tell.say(f"by_{name}"), list(every), selection_mode="multi", format_func=words, key=f"duty-{name}",
        default=list(held) if len(held) < len(every) else [],
    )  # fmt: skip
    controls.remember(name, ",".join(chosen) if chosen and len(chosen) < len(every) else None)
    return tuple(one for one in every if one in chosen) or tuple(every)


def _tab(tell: Teller) -> str:
    wanted = st.query_params.get("tab")
    st.session_state.setdefault(TAB, wanted if wanted in TABS else TABS[0])
    tab = st.segmented_control(
        tell.say("head"), TABS, key=TAB, required=True, format_func=lambda name: tell.say(f"tab_{name}"),
        label_visibility="collapsed",
    ) or TABS[0]  # fmt: skip
    controls.remember("tab", tab if tab != TABS[0] else None)
    return str(tab)


def _asked(path: str, seen: str, how: Wanted, run_id: str | None, tell: Teller) -> waiting.Asked:
    drawn = waiting.changed(seen, board.mark(path), how, run_id, board.chosen())
    return waiting.Asked(path, seen, how, run_id, drawn, tell)


def _map(
    path: str, seen: str, how: Wanted, run: Any, row: Any | None, own: base.Own | None, tell: Teller, done: bool
) -> None:
    """The warnings on the map, the chosen one with the tracks behind it, and the way of who may be sent."""
    theme, run_id = controls.theme(), None if run is None else str(run["run_id"])
    frame = board.asked_for(seen, board.mark(path), how, run_id, done)
    ways = []
    layers: list[dict[str, Any] | str] = []
    if row is not None:
        minute = int(board.now(path).timestamp() // 60)
        ways = drawing.behind(seen, row.warning_id, int(row.revision), minute)
        layers += drawing.zones(seen, board.told(row), tell, theme)
        layers += drawing.tracks(ways, tell, theme)
        if st.session_state.get(board.FORM) == "dispatch" and row.lon == row.lon and row.lon is not None:
            line, first = send.way(path, row.warning_id)
            for unit in rows(first):
                layers += drawing.way(line, f"{tell.unit(unit.unit_id)} {send.arrival(unit, tell)}", theme)
    layers += drawing.warnings(frame, board.chosen(), tell, theme, board.chosen() or "")
    area = BASIN
    if run is not None and how.area[0] != "basin":
        water = data.reaches(seen, str(run_id), data.period(run)[1])
        area = data.bounds(how.area, data.in_area(water, how.area))
    bounds = drawing.fitted(drawing.around(row, ways, frame, area), MAP_WIDTH, MAP_HEIGHT)
    chart.base_map(layers, bounds, tell.speaker, "map-duty", MAP_HEIGHT, own, board.from_map)
