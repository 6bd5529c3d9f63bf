"""What the person chose. Language, theme, area and run are kept in the address, so that a view can be sent on."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import streamlit as st

from geo_monitor.app import data, levels
from geo_monitor.app.words import Speaker, day, km
from geo_monitor.messages import Lang
from geo_monitor.tables import TIMEZONE

if TYPE_CHECKING:
    import pandas as pd

LAYERS = ("state", "unseen", "zones", "tracks", "seizures")
SHOWN = ("state", "unseen", "zones", "seizures")  # tracks say most about one city, and would cover the basin
PERIODS = ("7", "30", "90", "365", "all")
AREAS = ("basin", "province", "city", "river")
LONG_KM = 300.0  # km; a longer river is cut to a stretch by the slider


@dataclass(frozen=True)
class Choice:
    """Everything chosen in the side bar."""

    area: tuple[Any, ...]
    name: str
    states: tuple[str, ...]
    layers: frozenset[str]
    period: str
    track_days: int


def language() -> Lang:
    """The language of the address, else the usual one."""
    wanted = st.query_params.get("lang") or usual_language()
    return "en" if wanted == "en" else "zh"


def usual_language() -> Lang:
    """The language the program was started with, else Chinese."""
    return "en" if os.environ.get("GEO_MONITOR_LANG") == "en" else "zh"


def theme() -> str:
    """day or night, as the browser shows the page."""
    return "night" if st.context.theme.type == "dark" else "day"


def switches(speaker: Speaker) -> None:
    """The language switch (no reload) and the day and night links (the browser keeps the theme, so these reload)."""
    words, day = st.columns([1.3, 1], vertical_alignment="center")
    with words:
        st.segmented_control(
            "中 | EN",
            ["zh", "en"],
            format_func={"zh": "中", "en": "EN"}.__getitem__,
            default=speaker.lang,
            key="lang-switch",
            label_visibility="collapsed",
            on_change=_speak,
        )
    rest = dict(st.query_params.items())
    links = []
    for name, option in (("day", "light_theme"), ("night", "dark_theme")):
        here = " here" if name == theme() else ""
        address = urlencode({**rest, "embed_options": option})
        links.append(f'<a class="theme{here}" href="?{address}">{speaker.say(name)}</a>')
    day.html(f'<div class="themes">{"".join(links)}</div>')
    st.toggle(speaker.say("wall"), value=wall(), key="wall-switch", on_change=_to_wall)


def wall() -> bool:
    """Whether the page is read from three metres: larger letters, a higher map. Kept in the address."""
    return st.query_params.get("wall") == "1"


def _to_wall() -> None:
    remember("wall", "1" if st.session_state.get("wall-switch") else None)


def _speak() -> None:
    chosen = st.session_state.get("lang-switch")
    if not chosen:
        return
    st.query_params["lang"] = chosen
    # a box goes on showing the word it was chosen by; told its own choice, it shows that of the other language
    for key in ("area-kind", *(f"area-{kind}" for kind in AREAS)):
        if key in st.session_state:
            st.session_state[key] = st.session_state[key]


def run(runs: pd.DataFrame, speaker: Speaker) -> str | None:
    """The result set to show: the newest unless another is chosen."""
    if not len(runs):
        return None
    wanted = st.query_params.get("run")
    named = {row["run_id"]: run_label(row) for _, row in runs.iterrows()}
    ids = list(named)
    chosen = st.selectbox(
        speaker.say("run"), ids, index=ids.index(wanted) if wanted in named else 0, format_func=named.__getitem__
    )
    remember("run", chosen if chosen != ids[0] else None)
    return str(chosen)


def run_label(row: pd.Series) -> str:
    """A run as people tell it from others: its period, and when it was made, to the second (two labels must differ)."""
    start, end = data.period(row)
    return f"{day(start)} – {day(end)}（{row['made_at'].tz_convert(TIMEZONE):%Y-%m-%d %H:%M:%S}）"


def choose(frame: pd.DataFrame, localities: dict[str, tuple[str, str]], speaker: Speaker) -> Choice:
    """Draws the side bar and gives what is chosen. frame: `levels.joined`; localities: adcode -> (name, province)."""
    area_, name = area(frame, localities, speaker)
    states = st.pills(
        speaker.say("states"),
        list(levels.STATES),
        selection_mode="multi",
        default=list(levels.STATES),
        format_func=speaker.say,
        key="states",
    )
    layers = layer_pills(LAYERS, SHOWN, "layers", speaker)
    period = period_slider("period", PERIODS, "365", "period", speaker)
    days = 7
    if "tracks" in layers:
        days = st.slider(speaker.say("track_days"), 1, 60, 7, key="track-days")
    return Choice(area_, name, tuple(states), frozenset(layers), str(period), int(days))


def layer_pills(names: Sequence[str], shown: Sequence[str], key: str, speaker: Speaker) -> list[str]:
    """The choice of layers, `shown` unless another is made."""
    return st.pills(
        speaker.say("layers"),
        list(names),
        selection_mode="multi",
        default=list(shown),
        format_func=lambda layer: speaker.say(f"layer_{layer}"),
        key=key,
    )


def period_slider(label: str, options: Sequence[str], usual: str, key: str, speaker: Speaker) -> str:
    """The choice of how far back seizures are shown."""
    chosen = st.select_slider(
        speaker.say(label), options, usual, format_func=lambda days: speaker.say(f"period_{days}"), key=key
    )
    return str(chosen)


def area(frame: pd.DataFrame, localities: dict[str, tuple[str, str]], speaker: Speaker) -> tuple[tuple[Any, ...], str]:
    """Draws the choice of an area, kept in the address; gives it and its name."""
    wanted = (st.query_params.get("area") or "basin").split("|")
    st.session_state.setdefault("area-kind", wanted[0] if wanted[0] in AREAS else "basin")
    kind = st.selectbox(
        speaker.say("area"), AREAS, format_func=lambda name: speaker.say(f"area_{name}"), key="area-kind"
    )
    if kind == "basin":
        remember("area", None)
        return ("basin",), speaker.say("area_basin")
    options = _options(kind, frame, localities, speaker)
    key = f"area-{kind}"
    if len(wanted) > 1 and wanted[1] in options:
        st.session_state.setdefault(key, wanted[1])
    if st.session_state.get(key) not in options:
        st.session_state.pop(key, None)
    chosen = st.selectbox(speaker.say("which"), list(options), format_func=options.__getitem__, key=key)
    if chosen is None:  # no reach lies in any locality
        return ("basin",), speaker.say("area_basin")
    if kind != "river":
        remember("area", f"{kind}|{chosen}")
        return (kind, chosen), options[chosen]
    of = frame[(frame["river"] == chosen) & (frame["kind"] == "channel")]
    if not len(of):
        remember("area", f"river|{chosen}")
        return ("river", chosen, None, None), options[chosen]
    low, high = float(int(of["km_from"].min())), float(int(of["km_to"].max()) + 1)
    key = f"stretch-{chosen}"
    if len(wanted) == 4 and wanted[1] == chosen and wanted[2] and key not in st.session_state:
        st.session_state[key] = (max(low, float(wanted[2])), min(high, float(wanted[3])))
    st.session_state.setdefault(key, (low, high))
    pair: Any = st.slider(speaker.say("stretch"), low, high, step=1.0, format="K%d", key=key)
    start, end = pair  # the pair stored under its key made it a slider of two
    remember("area", f"river|{chosen}|{start:g}|{end:g}")
    whole = start <= low and end >= high
    name = options[chosen] if whole else speaker.say("place_km", river=options[chosen], low=km(start), high=km(end))
    return ("river", chosen, None if whole else start, None if whole else end), name


def _options(
    kind: str, frame: pd.DataFrame, localities: dict[str, tuple[str, str]], speaker: Speaker
) -> dict[str, str]:
    """Value -> label of the areas of a kind that hold a reach."""
    from geo_monitor.app.basemap import names

    if kind == "river":
        return {name: speaker.river(name) for name in frame["river"].value_counts().index}
    codes = localities_of(frame)
    if kind == "city":
        return {code: speaker.locality(code) for code in codes}
    out: dict[str, str] = {}
    for code in codes:
        name = localities.get(code, ("", ""))[1] or code[:2]
        out[code[:2]] = name if speaker.lang == "zh" else names("province").get(name, (name, name))[1]
    return out


def localities_of(frame: pd.DataFrame) -> list[str]:
    """The codes of the localities that answer for a bank."""
    return sorted(set(frame["adcode_left"].dropna()) | set(frame["adcode_right"].dropna()))


def zoom_to(river: str, low: float, high: float) -> None:
    """Makes a stretch the area, from the next run on (to be called in a callback)."""
    st.session_state["area-kind"] = "river"
    st.session_state["area-river"] = river
    st.session_state[f"stretch-{river}"] = (float(int(low)), float(int(high)))


def zoom_to_water(name: str) -> None:
    """Makes a whole river or lake the area, from the next run on (to be called in a callback)."""
    st.session_state["area-kind"] = "river"
    st.session_state["area-river"] = name
    st.session_state.pop(f"stretch-{name}", None)
    remember("area", f"river|{name}")


def zoom_to_city(adcode: str) -> None:
    """Makes what a city answers for the area, from the next run on (to be called in a callback)."""
    st.session_state["area-kind"] = "city"
    st.session_state["area-city"] = adcode


def remember(name: str, value: str | None) -> None:
    """Keeps a choice in the address; the usual one is left out, so that addresses stay short."""
    if value is None:
        st.query_params.pop(name, None)
    elif st.query_params.get(name) != value:
        st.query_params[name] = value
