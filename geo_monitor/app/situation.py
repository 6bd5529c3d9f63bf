"""The page of the situation: what is on the water now, or was at any past moment, and what of it needs a decision.

Reads the fixes of the last hours or of a past night (`fixes`), zones in force at that moment, seizures before it, and the
answer of the latest analysis with days counted back from it; writes nothing. Everything on the page belongs to one moment.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from geo_monitor.app import chart, controls, data, door, fixes, ground, layers, legend, needs, panel, timebar
from geo_monitor.app import clock as clocks
from geo_monitor.app.clock import Clock
from geo_monitor.app.deck import BASIN, Bounds, fit, plain, turned
from geo_monitor.app.look import FRESH_S, LOOKS
from geo_monitor.app.rows import rows, zone_key
from geo_monitor.app.words import Speaker, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from geo_monitor.app.moments import Fixes

TICK_S = 3.0  # seconds between looks at the store while live
STEP_S = 1.0  # seconds between pictures of a replay
CLOCK = "clock"  # key of the session
TRAIL_S = 1200.0  # seconds
LAYERS = ("state", "unseen", "zones", "units", "trails", "seizures")
NEAR_KM = 5.0  # km; a unit farther from every reach is not said to be near one
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
    held, mark, wall = data.workspace(path), data.stamp(path), _wall()
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
    clock = _clock(path, mark, wall)
    every = {clocks.LIVE: TICK_S, clocks.PLAYING: STEP_S, clocks.STILL: None}[clock.mode]
    picture = st.fragment(_picture, run_every=every)
    picture(path, speaker, area, name, frozenset(shown), int(period))


def _wall() -> int:
    return int(time.time() * 1000)


def _clock(path: str, mark: str, wall: int) -> Clock:
    """The clock of the session; a new one stands at the time of the address, else runs live if fixes do, else stands at the
    last fix."""
    if CLOCK not in st.session_state:
        at = clocks.parse(st.query_params.get("at"))
        newest = fixes.newest(path, mark)
        if at is None and newest is not None and newest < wall - fixes.LIVE_MS:
            at = newest + 1
        st.session_state[CLOCK] = Clock(clocks.LIVE) if at is None else Clock(clocks.STILL, min(at, wall), wall)
    clock: Clock = st.session_state[CLOCK]
    return clock


def _set(clock: Clock) -> None:
    st.session_state[CLOCK] = clock
    controls.remember("at", None if clock.mode == clocks.LIVE else clocks.told(clock.at))


def _picture(path: str, speaker: Speaker, area: tuple[Any, ...], name: str, shown: frozenset[str], period: int) -> None:
    """One picture of one moment: map, time, panel. Runs again by itself while the clock does."""
    import pandas as pd

    wall = _wall()
    if not door.alive(data.workspace(path)):
        st.rerun(scope="app")  # leads to the sign-in
    clock: Clock = st.session_state[CLOCK]
    if clock.ended(wall):
        _set(clock.stopped(wall))
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
    here = units if area[0] == "basin" else _within(units, bounds)
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
        _time(path, clock, at, area, run_id, held, reports, bounds, mark, speaker)
        stretch = None if inside is None or area[0] != "basin" else 20.0
        st.html(legend.html(set(shown), speaker, colours, stretch))
    with right:
        _chosen(found, water, here, zones, valid, reports, names, speaker)
        _units(here, speaker, held)
        local = (
            reports if inside is None or area[0] == "basin" else reports[reports["reach_id"].isin(inside["reach_id"])]
        )
        listed = needs.needs(
            here, held.usual_s(at), zones, valid, _none(reports) if inside is None else inside, local, now, names,
            speaker,
        ) if inside is not None else []  # fmt: skip
        _needs(listed, speaker)


def _head(
    clock: Clock, at: int, name: str, run: pd.Series | None, newest: int | None, wall: int, speaker: Speaker
) -> None:
    import pandas as pd

    when = clocks.told(at, seconds=True).replace("T", " ")
    mode = speaker.say(f"now_{clock.mode}", time="", speed=clock.speed).strip(" ，,")
    parts = [mode]
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


def _within(units: pd.DataFrame, bounds: Bounds) -> pd.DataFrame:
    west, south, east, north = bounds
    lon, lat = units["lon"], units["lat"]
    return units[(lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)].reset_index(drop=True)


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
    return panel.find(st.session_state.get(panel.PICKED), data.drawn(path, run_id, now.floor("6h"), area), water)


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


# --- time -------------------------------------------------------------------------------------------------------------


def _time(
    path: str,
    clock: Clock,
    at: int,
    area: tuple[Any, ...],
    run_id: str | None,
    held: Fixes,
    reports: pd.DataFrame,
    bounds: Bounds,
    mark: str,
    speaker: Speaker,
) -> None:
    """Days and night as charts, and the controls of the clock."""
    import pandas as pd

    wall, colours = _wall(), LOOKS[controls.theme()]
    start = fixes.noon(at)
    night = pd.Timestamp(clocks.told(start)).normalize()
    whole, one = st.columns([1.6, 1], gap="small")
    if run_id is not None:
        known = data.days(path, run_id, area, mark)
        newest = max([night, *known.index[-1:]])
        frame = timebar.days(known, night, newest)
        whole.vega_lite_chart(
            frame,
            timebar.days_chart(speaker, colours),
            key="chart-days",
            on_select=lambda: _to_day(start),
            selection_mode=timebar.PICK,
            width="stretch",
        )
    box = None if area[0] == "basin" else bounds
    hours = held.hours(start, start + fixes.DAY_MS, timebar.BINS, data.TRACK_GAP_S, box)
    since, until = (pd.Timestamp(edge, unit="ms", tz="UTC") for edge in (start, min(start + fixes.DAY_MS, at)))
    found = reports[(reports["time"] >= since) & (reports["time"] <= until) & reports["lon"].notna()]
    if box is not None:
        found = _within(found, box)
    hour = float(fixes.HOUR_MS)
    cases = [(int(value.value // 1_000_000) - start) / hour for value in found["time"]]
    one.vega_lite_chart(
        timebar.night(hours, cases, (at - start) / hour),
        timebar.night_chart(speaker, colours),
        key="chart-night",
        width="stretch",
    )
    _controls(clock, at, start, wall, speaker)


def _to_day(shown: int) -> None:
    """A click on a bar: the same time of night on that day, 23:00 where the page was live."""
    import pandas as pd

    selection = st.session_state["chart-days"]["selection"].get(timebar.PICK) or []
    if not selection:
        return
    wall, clock = _wall(), st.session_state[CLOCK]
    noon = int((pd.Timestamp(selection[0]["day"]) + pd.Timedelta(hours=4)).value // 1_000_000)
    into = 11 * fixes.HOUR_MS if clock.mode == clocks.LIVE else clock.now(wall) - shown
    _set(Clock(clocks.STILL, min(noon + into, wall), wall, clock.speed))
    st.session_state["clock-changed"] = True


def _controls(clock: Clock, at: int, start: int, wall: int, speaker: Speaker) -> None:
    from datetime import datetime

    say = speaker.say
    live, before, play, after, fast, bar = st.columns([0.9, 0.9, 0.8, 0.9, 1.1, 4.4], vertical_alignment="bottom")
    changed = st.session_state.pop("clock-changed", False)
    kind: Any = "primary" if clock.mode == clocks.LIVE else "secondary"
    if live.button(say("go_live"), key="go-live", type=kind, width="stretch"):
        _set(Clock(clocks.LIVE, speed=clock.speed))
        changed = True
    for column, name, shift in ((before, "night_before", -fixes.DAY_MS), (after, "night_after", fixes.DAY_MS)):
        if column.button(say(name), key=name, width="stretch", disabled=at + shift > wall):
            _set(Clock(clocks.STILL, at + shift, wall, clock.speed))
            changed = True
    playing = clock.mode == clocks.PLAYING
    if play.button(
        say("pause" if playing else "play"), key="play", width="stretch", disabled=clock.mode == clocks.LIVE
    ):
        _set(clock.stopped(wall) if playing else clock.playing(wall))
        changed = True
    speed = fast.selectbox(
        say("speed"), clocks.SPEEDS, index=clocks.SPEEDS.index(clock.speed), format_func=lambda n: f"{n}×", key="speed",
        label_visibility="collapsed",
    )  # fmt: skip
    if speed != clock.speed and not changed:
        _set(clock.faster(speed, wall))
        changed = True
    low = datetime.fromisoformat(clocks.told(start))
    high = datetime.fromisoformat(clocks.told(min(start + fixes.DAY_MS, max(wall, start + 60_000))))
    # the slider follows the clock: what it shows is set before it is drawn, and a hand on it comes through its callback
    st.session_state["time-of-night"] = min(max(datetime.fromisoformat(clocks.told(at)), low), high)
    bar.slider(
        say("time_of_night"), low, high, format="HH:mm", step=_minute(), key="time-of-night", on_change=_to_time,
        label_visibility="collapsed", disabled=clock.mode == clocks.LIVE,
    )  # fmt: skip
    if changed:
        st.rerun(scope="app")


def _minute() -> Any:
    from datetime import timedelta

    return timedelta(minutes=1)


def _to_time() -> None:
    at = clocks.parse(f"{st.session_state['time-of-night']:%Y-%m-%dT%H:%M}")
    if at is not None:
        _set(st.session_state[CLOCK].moved(at, _wall()))


# --- the panel --------------------------------------------------------------------------------------------------------


def _none(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.iloc[:0]


def _units(here: pd.DataFrame, speaker: Speaker, held: Fixes) -> None:
    if not len(held) and not len(here):
        st.info(speaker.say("no_fixes"))
        return
    patrol = here["patrol"].to_numpy(dtype=bool)
    fresh = int((patrol & (here["age_s"].to_numpy() <= FRESH_S[-1])).sum())
    st.caption(speaker.say("units_now", patrol=int(patrol.sum()), fresh=fresh, traffic=int((~patrol).sum())))


def _needs(listed: list[needs.Need], speaker: Speaker) -> None:
    st.html(f'<b class="head">{speaker.say("need_head")}</b>')
    if not listed:
        st.caption(speaker.say("need_nothing"))
    for i, need in enumerate(listed):
        said, show = st.columns([4.2, 1], vertical_alignment="center", gap="small")
        said.html(
            f'<div class="need {need.kind}"><span class="kind">{speaker.say(f"need_kind_{need.kind}")}</span>'
            f"<b>{panel.text(need.title)}</b><p>{panel.text(need.body)}</p></div>"
        )
        if need.id:
            show.button(
                speaker.say("need_show"), key=f"need-{i}", on_click=panel.pick, args=(need.id,), width="stretch"
            )


def _chosen(
    found: pd.DataFrame,
    water: pd.DataFrame | None,
    units: pd.DataFrame,
    zones: pd.DataFrame,
    valid: frozenset[tuple[str, str, int]],
    reports: pd.DataFrame,
    names: Mapping[str, str],
    speaker: Speaker,
) -> None:
    """What is known of the chosen thing."""
    picked = st.session_state.get(panel.PICKED)
    if picked is None:
        st.caption(speaker.say("click"))
        return
    if len(found) and water is not None:
        panel.place(found, water, speaker)
        return
    kind, _, name = picked.partition("|")
    if kind == "unit":
        _unit(name, units, water, names, speaker)
    if kind == "zone":
        zone, _, version = name.rpartition("|")
        for row in rows(zones[zones["zone_id"].map(plain) == zone]):
            if str(row.version) == version:
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
    if water is not None and len(water):
        apart = np.hypot((water["lon"] - row.lon) * np.cos(np.radians(row.lat)), water["lat"] - row.lat) * 111.2
        if apart.min() <= NEAR_KM:
            near = next(rows(water.iloc[[int(np.argmin(apart.to_numpy()))]]))
            parts.append(speaker.say("unit_near", place=speaker.place(near)) + speaker.stop)
    panel.sentence(names.get(row.unit_id, row.unit_id), " ".join(parts))
