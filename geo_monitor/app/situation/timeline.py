"""The time under the live map: the clock of the session, its charts and its controls."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.app import controls, data
from geo_monitor.app.look import LOOKS
from geo_monitor.app.situation import clock as clocks
from geo_monitor.app.situation import fixes, timebar
from geo_monitor.app.situation.clock import Clock
from geo_monitor.app.words import Speaker
from geo_monitor.times import shanghai_date

if TYPE_CHECKING:
    from geo_monitor.app.situation.view import View

CLOCK = "clock"  # key of the session
CHANGED = "situation-changed"  # key of the session: the whole page has to be drawn again
BARS = st.components.v2.component("bars", css=timebar.CSS, js=timebar.JS)


def wall_ms() -> int:
    """What the clock on the wall says, ms UTC."""
    return int(time.time() * 1000)


def clock(path: str, mark: str, wall: int, speaker: Speaker) -> Clock:
    """The clock of the session; a new one stands at the time of the address, else runs live if fixes do, else stands at the
    last fix. One that stands in days that were let go is put to the first night that is held, and the page says so."""
    if CLOCK not in st.session_state:
        st.session_state[CLOCK] = new(path, mark, wall, clocks.parse(st.query_params.get("at")))
    held: Clock = st.session_state[CLOCK]
    first = fixes.first_night(path)
    if first is not None and held.mode != clocks.LIVE and held.now(wall) < first <= wall:
        held = Clock(clocks.STILL, first, wall, held.speed)
        keep(held)
        st.warning(speaker.say("night_expired", first=shanghai_date(first)))
    return held


def new(path: str, mark: str, wall: int, at: int | None = None) -> Clock:
    """A clock that stands `at` a moment, ms UTC; without one live if fixes are, else at the last fix."""
    newest = fixes.newest(path, mark)
    if at is None and newest is not None and newest < wall - fixes.LIVE_MS:
        at = newest + 1
    return Clock(clocks.LIVE) if at is None else Clock(clocks.STILL, min(at, wall), wall)


def keep(clock: Clock) -> None:
    """Sets the clock of the session, and the address with it."""
    st.session_state[CLOCK] = clock
    controls.remember("at", None if clock.mode == clocks.LIVE else clocks.told(clock.at))


def draw(view: View, clock: Clock) -> None:
    """Days and night as charts, and the controls of the clock."""
    import pandas as pd

    wall, colours = wall_ms(), LOOKS[controls.theme()]
    start = fixes.noon(view.at)
    night = pd.Timestamp(clocks.told(start)).normalize()
    whole, one = st.columns([1.6, 1], gap="small")
    if view.run_id is not None:
        known = data.days(view.path, view.run_id, view.area, view.still)
        held = fixes.first_night(view.path)
        first = None if held is None else pd.Timestamp(shanghai_date(held))
        shown = timebar.days(known, night, max([night, *known.index[-1:]]), first)
        with whole:
            BARS(
                data=timebar.days_chart(shown, view.speaker, colours),
                key="chart-days",
                on_day_change=lambda: _to_day(start),
            )
    with one:
        BARS(data=timebar.night_chart(view.night, view.speaker, colours), key="chart-night")
    _controls(clock, view.at, start, wall, view.speaker)


def _to_day(shown: int) -> None:
    """A click on a bar: the same time of night on that day, 23:00 where the page was live."""
    import pandas as pd

    day = pd.to_datetime(str(st.session_state["chart-days"][timebar.PICK]), format="%Y-%m-%d", errors="coerce")
    if pd.isna(day):  # a browser may send anything
        return
    wall, clock = wall_ms(), st.session_state[CLOCK]
    noon = int((day + pd.Timedelta(hours=4)).value // 1_000_000)
    into = 11 * fixes.HOUR_MS if clock.mode == clocks.LIVE else clock.now(wall) - shown
    keep(Clock(clocks.STILL, min(noon + into, wall), wall, clock.speed))
    st.session_state[CHANGED] = True


def _controls(clock: Clock, at: int, start: int, wall: int, speaker: Speaker) -> None:
    say = speaker.say
    live, before, play, after, fast, bar = st.columns([0.9, 0.9, 0.8, 0.9, 1.1, 4.4], vertical_alignment="bottom")
    kind: Any = "primary" if clock.mode == clocks.LIVE else "secondary"
    if live.button(say("go_live"), key="go-live", type=kind, width="stretch"):
        keep(Clock(clocks.LIVE, speed=clock.speed))
        st.session_state[CHANGED] = True
    for column, name, shift in ((before, "night_before", -fixes.DAY_MS), (after, "night_after", fixes.DAY_MS)):
        if column.button(say(name), key=name, width="stretch", disabled=at + shift > wall):
            keep(Clock(clocks.STILL, at + shift, wall, clock.speed))
            st.session_state[CHANGED] = True
    playing = clock.mode == clocks.PLAYING
    if play.button(
        say("pause" if playing else "play"), key="play", width="stretch", disabled=clock.mode == clocks.LIVE
    ):
        keep(clock.stopped(wall) if playing else clock.playing(wall))
        st.session_state[CHANGED] = True
    speed = fast.selectbox(
        say("speed"), clocks.SPEEDS, index=clocks.SPEEDS.index(clock.speed), format_func=lambda n: f"{n}×", key="speed",
        label_visibility="collapsed",
    )  # fmt: skip
    if speed != clock.speed and not st.session_state.get(CHANGED):
        keep(clock.faster(speed, wall))
        st.session_state[CHANGED] = True
    low = datetime.fromisoformat(clocks.told(start))
    high = datetime.fromisoformat(clocks.told(min(start + fixes.DAY_MS, max(wall, start + 60_000))))
    # the slider follows the clock: what it shows is set before it is drawn, and a hand on it comes through its callback
    st.session_state["time-of-night"] = min(max(datetime.fromisoformat(clocks.told(at)), low), high)
    bar.slider(
        say("time_of_night"), low, high, format="HH:mm", step=timedelta(minutes=1), key="time-of-night", on_change=_to_time,
        label_visibility="collapsed", disabled=clock.mode == clocks.LIVE,
    )  # fmt: skip


def _to_time() -> None:
    at = clocks.parse(f"{st.session_state['time-of-night']:%Y-%m-%dT%H:%M}")
    if at is not None:
        keep(st.session_state[CLOCK].moved(at, wall_ms()))
