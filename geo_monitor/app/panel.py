"""The panel beside the map: the chosen place in sentences, and the table that follows the selection."""

from __future__ import annotations

from collections.abc import Callable, Set
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from geo_monitor.app import controls, levels
from geo_monitor.app.deck import plain
from geo_monitor.app.rows import rows, zone_key, zone_name
from geo_monitor.app.words import Speaker, percent

if TYPE_CHECKING:
    import pandas as pd

ROWS = 200  # rows of the table at most: the worst of an area, or what lies inside a stretch
AROUND = 6  # reaches shown up and down the river of a chosen one
PICK_MAX = 200  # characters of an id kept in the address; a crowd of reports is longer
PICKED = "picked"  # key of the session: id of what is chosen
TURN = "turn"  # key of the session: how often something was chosen


def from_address() -> None:
    """Chooses what the address names, once for a session."""
    if PICKED not in st.session_state:
        st.session_state[PICKED] = st.query_params.get("pick")


def pick(name: str | None) -> None:
    """Chooses the thing called `name` (None: nothing)."""
    st.session_state[PICKED] = name
    controls.remember("pick", name if name is None or len(name) <= PICK_MAX else None)
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1


def from_map(key: str, pick: Callable[[str], None] = pick) -> None:
    """A click on the map `key`, told to `pick`. Clicks on the water, and on the zoom buttons, come as empty and change nothing."""
    objects = st.session_state[key]["selection"]["objects"]
    for chosen in objects.values():
        for row in chosen:
            # the browser sends the whole row back; only its id is used, everything else is looked up here
            if isinstance(row, dict) and isinstance(row.get("id"), str) and row["id"]:
                pick(row["id"])
                return


def find(name: str | None, drawn: pd.DataFrame, reaches: pd.DataFrame | None) -> pd.DataFrame:
    """The rows of the chosen thing: a stretch or lake as drawn, else a reach; none where it is neither."""
    if name is None or reaches is None:
        return drawn.iloc[:0]
    found = drawn[drawn["id"] == name]
    return found if len(found) else reaches.loc[reaches["id"] == name, list(levels.COMMON)]


def inside(row: Any, reaches: pd.DataFrame) -> pd.DataFrame:
    """The reaches of a drawn row: of a stretch or lake all of them, of a reach its neighbours along the river."""
    river = reaches[reaches["river"] == row.river]
    if row.level == "lake":
        state = row.id.rsplit("|", 1)[1]
        return levels.worst_first(river[(river["kind"] == "lake") & (river["state"] == state)])
    if row.level == "stretch":
        _, low, length = row.id.split("|")
        slot = (river["km_from"] >= float(low) - 1e-9) & (river["km_from"] < float(low) + float(length) - 1e-9)
        return levels.worst_first(river[(river["kind"] == "channel") & slot])
    if row.kind == "lake":
        near = np.hypot(river["lon"] - row.lon, river["lat"] - row.lat) if hasattr(row, "lon") else None
        return river if near is None else river.iloc[np.argsort(near.to_numpy(), kind="stable")[: 2 * AROUND + 1]]
    channel = river[river["kind"] == "channel"].sort_values(["km_from", "reach_id"])
    at = int(np.flatnonzero(channel["id"].to_numpy() == row.id)[0])
    return channel.iloc[max(at - AROUND, 0) : at + AROUND + 1]


def text(value: str) -> str:
    """`value` as HTML that is only text."""
    return escape(plain(value))


def sentence(title: str, body: str) -> None:
    """A heading and a paragraph; both are text, whatever they hold."""
    st.html(f'<div class="said"><b>{text(title)}</b><p>{text(body)}</p></div>')


def known(
    picked: str, zones: pd.DataFrame, valid: Set[tuple[str, str, int]], reports: pd.DataFrame, speaker: Speaker
) -> bool:
    """Says what is known of a chosen zone or of chosen reports; tells whether `picked` is any."""
    kind, _, name = picked.partition("|")
    told = []
    if kind == "zone":
        told = [speaker.zone(row, zone_key(row) in valid) for row in rows(zones) if zone_name(row) == picked]
    elif kind in ("seizure", "seizures"):
        wanted = {name} if kind == "seizure" else set(name.split(","))
        told = [speaker.seizure(row) for row in rows(reports[reports["report_id"].map(plain).isin(wanted)].head(12))]
    for one in told:
        sentence(*one)
    return bool(told)


def place(found: pd.DataFrame, reaches: pd.DataFrame, speaker: Speaker) -> pd.DataFrame:
    """Says what is known of the chosen reach, stretch or lake; gives the reaches for the table."""
    row = next(rows(found))
    worst = next(rows(reaches[reaches["id"] == row.worst]), None)
    sentence(speaker.title(row), speaker.about(row, worst))
    clear, zoom = st.columns(2)
    clear.button(speaker.say("clear"), on_click=pick, args=(None,), width="stretch")
    if row.level == "stretch":
        middle = (row.km_from + row.km_to) / 2
        reach = max(row.km_to - row.km_from, 60.0) / 2
        span = reaches[(reaches["river"] == row.river) & (reaches["kind"] == "channel")]
        low, high = max(middle - reach, span["km_from"].min()), min(middle + reach, span["km_to"].max())
        zoom.button(speaker.say("look_here"), on_click=controls.zoom_to, args=(row.river, low, high), width="stretch")
    if row.level == "reach" and row.kind == "lake":
        row = next(rows(reaches[reaches["id"] == row.id]))
    return inside(row, reaches)


def overview(reaches: pd.DataFrame, name: str, speaker: Speaker, hint: str = "click") -> None:
    """The area in one sentence, and what to do next."""
    counts = reaches["state"].value_counts()
    told = speaker.say(
        "overview",
        n=f"{len(reaches):,}",
        **{state: f"{counts.get(state, 0):,}" for state in levels.STATES},
        hours=speaker.settings.looked_h,
        patrol_h=f"{reaches['patrol_h'].sum():,.0f}",
        seizures=f"{int(reaches['seizures'].sum()):,}",
    )
    sentence(name, told)
    st.caption(speaker.say(hint))


def table(listed: pd.DataFrame, chosen: str | None, caption: str, speaker: Speaker) -> None:
    """Reaches with their figures; a click on a row chooses it."""
    import pandas as pd

    listed = listed.head(ROWS)
    say = speaker.say
    interval = percent(speaker.settings.interval)
    looked = (listed["state"] != "not_looked").to_numpy()
    spans = [
        f"{a:.2f}–{b:.2f}" if ok else "" for a, b, ok in zip(listed["rate_lo"], listed["rate_hi"], looked, strict=True)
    ]
    shown = pd.DataFrame(
        {
            say("col_state"): [
                ("▸ " if name == chosen else "") + say(state)
                for name, state in zip(listed["id"], listed["state"], strict=True)
            ],
            say("col_place"): [plain(speaker.place(row)) for row in rows(listed)],
            say("col_rate"): np.where(looked, listed["rate"], np.nan),
            say("col_interval", interval=interval): spans,
            say("col_rr"): np.where(looked, listed["rr"], np.nan),
            say("col_p"): np.where(looked, listed["p_hot"] * 100, np.nan),
            say("col_hours"): listed["patrol_h"].to_numpy(),
            say("col_cases"): listed["seizures"].to_numpy(),
            say("col_last"): np.floor(listed["unseen_d"].to_numpy()),
            **_classes(listed, speaker),
            say("col_banks"): [plain(speaker.banks(row)) for row in rows(listed)],
        }
    )
    number = st.column_config.NumberColumn
    formats = {
        say("col_rate"): number(format="%.2f"),
        say("col_rr"): number(format="%.1f"),
        say("col_p"): number(format="%.0f%%"),
        say("col_hours"): number(format="%.1f"),
        say("col_last"): number(format="%d"),
    }
    st.caption(caption)
    # the key moves with every choice: a row number kept from another list would mark the wrong reach
    key = f"table-{st.session_state.get(TURN, 0)}"
    ids = listed["id"].tolist()
    st.dataframe(
        shown,
        hide_index=True,
        height=min(38 + 35 * max(len(shown), 1), 460),
        column_config=formats,
        on_select=lambda: from_table(key, ids),
        selection_mode="single-cell",
        key=key,
    )


def _classes(listed: pd.DataFrame, speaker: Speaker) -> dict[str, list[str]]:
    """The column of classes, where the analysis judged any."""
    if not (listed["class"].fillna("none") != "none").any():
        return {}
    return {speaker.say("col_class"): [speaker.trend(name) for name in listed["class"]]}


def from_table(key: str, ids: list[str]) -> None:
    """A click on a cell of the table `key` chooses the thing of its row."""
    for row, _ in st.session_state[key]["selection"]["cells"]:
        pick(ids[row])
        return
