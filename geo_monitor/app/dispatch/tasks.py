"""The board of taskings: a column a state, each with its clock; a part of the page with a beat of its own."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from geo_monitor.app import data, door, panel
from geo_monitor.app.duty import board, one
from geo_monitor.app.duty.board import Wanted
from geo_monitor.app.duty.words import Teller, moment, span
from geo_monitor.app.rows import rows
from geo_monitor.dispatch.candidates import OPEN
from geo_monitor.dispatch.taskings import RECALLED_MS, STEPS
from geo_monitor.tables import OUTCOMES, TIMEZONE

BEAT_S = 3.0
CARDS = 12  # cards of a column; the others are counted
ENDED = ("done", "declined", "recalled", "no_unit")
COLUMNS = (*OPEN, "ended")
ACTIONS = ("accept", "depart", "arrive", "finish", "decline")
OPENED = "dispatch-tasking"  # key of the session: the tasking that is being worked at


def busy(seen: str, mark: str) -> dict[str, str]:
    """Unit -> the state of its tasking that runs, the farthest one."""
    frame = board.taskings(seen, mark)
    running = frame[frame["state"].isin(OPEN) & frame["unit_id"].notna()]
    order = {state: i for i, state in enumerate(OPEN)}
    found: dict[str, str] = {}
    for row in rows(running):
        if order[row.state] >= order.get(found.get(row.unit_id, ""), -1):
            found[row.unit_id] = row.state
    return found


def in_columns(frame: pd.DataFrame, at: pd.Timestamp) -> dict[str, pd.DataFrame]:
    """Taskings by column: what runs by its due time, what ended on the Shanghai day of `at` newest first; one that was
    recalled, for a whole shift."""
    found = {state: frame[frame["state"] == state].sort_values("due_at", kind="stable") for state in OPEN}
    today = at.tz_convert(TIMEZONE).normalize()
    ended = frame[frame["state"].isin(ENDED)]
    when = ended["ended_at"].fillna(ended["made_at"])
    fresh = (ended["state"] == "recalled") & (when >= at - pd.Timedelta(milliseconds=RECALLED_MS))
    ended = ended[(when >= today) | fresh]
    found["ended"] = ended.sort_values("ended_at", ascending=False, kind="stable")
    return found


def clock(row: Any, at: pd.Timestamp, teller: Teller) -> tuple[str, bool]:
    """Until when the unit should be there, while it is not; and whether that has passed."""
    if row.state not in ("offered", "accepted", "under_way") or row.due_at is pd.NaT or row.due_at is None:
        return "", False
    left = (row.due_at - at).total_seconds()
    return (
        (teller.say("due_over", left=span(-left)), True)
        if left < 0
        else (teller.say("due_left", left=span(left)), False)
    )


def draw(path: str, how: Wanted, run_id: str | None, teller: Teller) -> None:
    """The board, and below it the tasking that is being worked at."""
    opened = st.session_state.get(OPENED)
    st.fragment(_columns, run_every=BEAT_S)(path, how, run_id, opened, board.mark(path), teller)
    frame = board.taskings(board.shared(path), board.mark(path))
    row = next(rows(frame[frame["tasking_id"] == opened]), None)
    if row is not None:
        with st.container(border=True, key="dispatch-work"):
            _work(path, row, teller)
    elif "command" in data.workspace(path).viewer.rights and len(frame):
        st.caption(teller.say("task_none"))


def _columns(path: str, how: Wanted, run_id: str | None, opened: str | None, drawn: str, teller: Teller) -> None:
    if not door.alive(data.workspace(path)):
        st.rerun(scope="app")
    seen, mark, at = board.shared(path), board.mark(path), pd.Timestamp(board.now(path))
    if st.session_state.get(OPENED) != opened or _of(seen, mark, opened) != _of(seen, drawn, opened):
        st.rerun(scope="app")
    frame = board.taskings(seen, mark)
    known: dict[str, Any] = {}
    for every in (False, True):
        part = board.asked_for(seen, mark, how, run_id, every)
        known |= {row.warning_id: row for row in rows(part[part["warning_id"].isin(set(frame["warning_id"]))])}
    frame = frame[frame["warning_id"].isin(set(known))]
    if not len(frame):
        st.caption(teller.say("board_none"))
        return
    columns = in_columns(frame, at)
    for place, name in zip(st.columns(len(COLUMNS), gap="small"), COLUMNS, strict=True):
        with place:
            _column(name, columns[name], known, opened, at, teller)


def _of(seen: str, mark: str, opened: str | None) -> int:
    frame = board.taskings(seen, mark)
    return int(frame.loc[frame["tasking_id"] == opened, "revision"].sum())


def _column(
    name: str, part: pd.DataFrame, known: dict[str, Any], opened: str | None, at: pd.Timestamp, teller: Teller
) -> None:
    head = teller.say("column_ended") if name == "ended" else teller.of(f"tasking.state.{name}")
    over = sum(clock(row, at, teller)[1] for row in rows(part))
    more = f' <span class="task over">{escape(teller.say("overdue_n", n=over))}</span>' if over else ""
    st.html(f'<div class="column">{escape(head)} {len(part):,}{more}</div>')
    for row in rows(part.head(CARDS)):
        st.html(card(row, known[row.warning_id], at, teller, row.tasking_id == opened))
        if row.state in OPEN:
            st.button(
                teller.say("task_open"), key=f"dispatch-open-{row.tasking_id}", on_click=_open, args=(row.tasking_id,),
                width="stretch",
            )  # fmt: skip
    if len(part) > CARDS:
        st.caption(teller.say("more", n=f"{len(part) - CARDS:,}"))


def card(row: Any, warning: Any, at: pd.Timestamp, teller: Teller, here: bool) -> str:
    """A tasking, HTML: unit, where to, clock, what came of it."""
    left, over = clock(row, at, teller)
    place = teller.place(warning, board.told(warning))
    lines = [f"<b>{panel.text(teller.unit(row.unit_id) or teller.of('tasking.state.no_unit'))}</b>"]
    lines.append(panel.text(f"{teller.grade(warning.grade)} {place}"))
    if left:
        lines.append(f'<span class="{"over" if over else ""}">{panel.text(left)}</span>')
    if row.state in ENDED:
        told = [teller.of(f"tasking.state.{row.state}"), moment(row.ended_at)]
        told += [
            teller.of(f"tasking.outcome.{row.result}") if row.state == "done" and isinstance(row.result, str) else ""
        ]
        told += [teller.why(row.reason), row.text if isinstance(row.text, str) else ""]
        lines.append(
            f'<span class="{"over" if row.state == "recalled" else ""}">{panel.text(teller.joined(told))}</span>'
        )
    return f'<div class="task{" here" if here else ""}">{"<br>".join(lines)}</div>'


def _open(tasking_id: str | None) -> None:
    st.session_state[OPENED] = tasking_id


def _work(path: str, row: Any, teller: Teller) -> None:
    """What may be said of the tasking that is open."""
    st.html(f'<div class="lines"><p><b>{panel.text(teller.tasking(row))}</b></p></div>')
    one.said(teller)
    with st.container(horizontal=True):
        st.button(teller.say("task_go"), key="dispatch-warning", on_click=board.choose, args=(row.warning_id,))
        st.button(teller.say("clear"), key="dispatch-clear", on_click=_open, args=(None,))
    if "command" not in data.workspace(path).viewer.rights or row.state not in OPEN:
        return
    may = [name for name in ACTIONS if row.state in STEPS[name][0]]
    turn = st.session_state.get(board.TURN, 0)
    fields = {name: f"dispatch-{name}-{row.tasking_id}-{turn}" for name in ("outcome", "words", "report", "why")}
    with st.container(horizontal=True):
        for name in may:
            if name in ("accept", "depart", "arrive"):
                args: tuple[Any, ...] = (path, row.tasking_id, name, {})
                st.button(teller.say(f"task_{name}"), key=f"dispatch-{name}", type="primary", on_click=_act, args=args)
    if "finish" in may:
        with st.form("dispatch-finish", border=False):
            st.selectbox(
                teller.say("outcome"), OUTCOMES, index=None, placeholder=teller.say("choose"), key=fields["outcome"],
                format_func=lambda name: teller.of(f"tasking.outcome.{name}"),
            )  # fmt: skip
            st.text_area(teller.say("task_words"), key=fields["words"], max_chars=1000)
            st.text_input(teller.say("task_report"), key=fields["report"], max_chars=100)
            args = (path, row.tasking_id, "finish", {n: fields[n] for n in ("outcome", "words", "report")})
            st.form_submit_button(
                teller.say("task_finish"), type="primary", on_click=_act, args=args, key="dispatch-submit-finish"
            )
    if "decline" in may:
        with st.form("dispatch-decline", border=False):
            st.text_input(teller.say("task_why"), key=fields["why"], max_chars=500)
            args = (path, row.tasking_id, "decline", {"words": fields["why"]})
            st.form_submit_button(teller.say("task_decline"), on_click=_act, args=args, key="dispatch-submit-decline")


def _act(path: str, tasking_id: str, name: str, fields: dict[str, str]) -> None:
    """In a callback: reads the fields of the form from the session and tells the desk."""
    told = {field: st.session_state[key] or None for field, key in fields.items()}
    more = {"outcome": told.get("outcome"), "words": told.get("words"), "report_id": told.get("report")}
    desk = data.workspace(path).desk
    board.act(path, "task", lambda at: desk.act(tasking_id, name, at, **more))
