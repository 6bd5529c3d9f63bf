"""Who can be there first: the list from which a unit is sent, on both pages of the duty."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from geo_monitor.app import data, panel
from geo_monitor.app.deck import plain
from geo_monitor.app.duty import board
from geo_monitor.app.rows import rows
from geo_monitor.app.uploads import told
from geo_monitor.app.words import number

if TYPE_CHECKING:
    from geo_monitor.app.duty.words import Teller

FIRST = 5  # units that can be sent with one click; the others stand in a table
ROWS = 200  # rows of that table at most
WAY = "duty-way"  # key of the session: the unit whose way is on the map


@st.cache_resource(show_spinner=False, max_entries=32)
def _candidates(seen: str, warning_id: str, mark: str, minute: int) -> pd.DataFrame:
    return data.workspace(seen).desk.candidates(warning_id, board.now(seen))


def candidates(path: str, warning_id: str) -> pd.DataFrame:
    """Who can be at a warning's place first, worked out once a minute for all. Raises as `Desk.candidates`."""
    minute = int(board.now(path).timestamp() // 60)
    return _candidates(board.shared(path), warning_id, board.mark(path), minute)


@st.cache_resource(show_spinner=False, max_entries=64)
def _way(seen: str, warning_id: str, unit_id: str, minute: int) -> np.ndarray:
    return data.workspace(seen).desk.way(warning_id, unit_id, board.now(seen))


def way(path: str, warning_id: str) -> tuple[np.ndarray, pd.DataFrame]:
    """The way of the unit picked with `WAY`, else of the first that comes by water, lon and lat (m, 2); and its row."""
    found = candidates(path, warning_id)
    afloat = found[(found["how"] == "water") & found["seconds"].notna()]
    picked = afloat[afloat["unit_id"] == st.session_state.get(WAY)]
    first = (picked if len(picked) else afloat[afloat["reason"].isna()]).head(1)
    if not len(first):
        return np.empty((0, 2)), first
    minute = int(board.now(path).timestamp() // 60)
    return _way(board.shared(path), warning_id, str(first["unit_id"].iloc[0]), minute), first


def arrival(row: Any, teller: Teller) -> str:
    """Minutes until it is there: making ready, and the way."""
    ready = float(row.mobilise_s) if row.mobilise_s == row.mobilise_s else 0.0
    return teller.say("minutes", n=f"{(float(row.seconds) + ready) / 60:.0f}")


def draw(path: str, row: Any, teller: Teller, may: bool) -> None:
    """The list for the warning `row`; `may`: who looks may send."""
    with told(teller.speaker):
        with st.spinner(teller.say("reckoning")):  # the first time after a start the river is built
            found = candidates(path, row.warning_id)
        coming = found[found["reason"].isna() & found["seconds"].notna()]
        if not len(coming):
            st.warning(teller.say("nobody"))
        for unit in rows(coming.head(FIRST)):
            _unit(path, row, unit, teller, may)
        rest = pd.concat([coming.iloc[FIRST:], found[~found.index.isin(coming.index)]])
        if len(rest):
            with st.expander(teller.say("others", n=f"{len(rest):,}")):
                st.dataframe(_table(rest.head(ROWS), teller), hide_index=True, key=f"duty-others-{row.warning_id}")
        if may:
            _nobody(path, row, teller)


def _unit(path: str, row: Any, unit: Any, teller: Teller, may: bool) -> None:
    said, see, go = st.columns([4, 1, 1], vertical_alignment="center", gap="small")
    parts = [
        teller.of(f"dispatch.how.{unit.how}"),
        teller.say("distance", km=number(float(unit.distance_m) / 1000)),
        teller.of(f"dispatch.status.{unit.status}"),
        _start(unit, teller),
        "" if pd.isna(unit.remark) else teller.of(f"dispatch.remark.{unit.remark}"),
    ]
    name = panel.text(teller.unit(unit.unit_id))
    body = panel.text(teller.joined(parts))
    said.html(
        f'<div class="warn"><div class="top"><b>{name}</b><span class="left">{arrival(unit, teller)}</span></div><p>{body}</p></div>'
    )
    if unit.how == "water":
        see.button(
            teller.say("way"), key=f"duty-way-{unit.unit_id}", on_click=_show, args=(unit.unit_id,), width="stretch"
        )
    if may:
        desk = data.workspace(path).desk
        do: Any = partial(desk.dispatch, row.warning_id, unit.unit_id)
        go.button(
            teller.say("send"), key=f"duty-send-{unit.unit_id}", type="primary", width="stretch",
            on_click=board.act, args=(path, "dispatch", do, {row.warning_id: row.revision}),
        )  # fmt: skip


def _show(unit_id: str) -> None:
    st.session_state[WAY] = unit_id


def _start(unit: Any, teller: Teller) -> str:
    if unit.start == "fix":
        return teller.say("start_fix", age=teller.speaker.age(max(float(unit.age_s), 0)))
    return teller.say("start_base")


def _table(rest: pd.DataFrame, teller: Teller) -> pd.DataFrame:
    """Those that come later, and those that cannot come, with the reason."""
    shown = []
    for unit in rows(rest):
        known = unit.seconds == unit.seconds and unit.seconds is not pd.NA
        shown.append(
            {
                teller.say("col_unit"): plain(teller.unit(unit.unit_id)),
                teller.say("col_arrival"): arrival(unit, teller) if known else "",
                teller.say("col_how"): teller.of(f"dispatch.how.{unit.how}") if isinstance(unit.how, str) else "",
                teller.say("col_reason"): teller.of(f"dispatch.reason.{unit.reason}")
                if isinstance(unit.reason, str)
                else "",
            }
        )
    return pd.DataFrame(shown)


def _nobody(path: str, row: Any, teller: Teller) -> None:
    desk, key = data.workspace(path).desk, board.key("nobody")

    def do(at: datetime) -> Any:
        return desk.no_unit(row.warning_id, st.session_state[key], at)

    with st.form(f"duty-nobody-{row.warning_id}", border=False):
        words, go = st.columns([3, 1], vertical_alignment="bottom")
        words.text_input(teller.say("nobody_why"), key=key, max_chars=500)
        go.form_submit_button(
            teller.say("nobody_say"), width="stretch", key="duty-submit-nobody",
            on_click=board.act, args=(path, "no_unit", do, {row.warning_id: row.revision}),
        )  # fmt: skip
