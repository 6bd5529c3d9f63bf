"""The chosen warning: why it is there, what was done with it, and what may be done now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from geo_monitor.alerts import actions, clocks, route
from geo_monitor.app import controls, data, panel
from geo_monitor.app.deck import escaped
from geo_monitor.app.duty import board, send
from geo_monitor.app.duty.look import badge
from geo_monitor.app.duty.words import as_row
from geo_monitor.app.rows import rows
from geo_monitor.app.uploads import told
from geo_monitor.messages import hint, text
from geo_monitor.tables import GRADES, OUTCOMES

if TYPE_CHECKING:
    from geo_monitor.app.duty.words import Teller

ACTIONS = ("sign", "verify", "dispatch", "close", "regrade", "recall", "silence")
QUIET_H = (2, 8, 24, 72, 168, 720)  # hours of silence to choose from, up to what the settings allow
EVENTS = 12  # events told of; a situation may stand on hundreds


def find(path: str) -> Any | None:
    """The row of the chosen warning; None where none is chosen, or it is not there for who looks."""
    chosen = board.chosen()
    if chosen is None:
        return None
    seen, mark = board.shared(path), board.mark(path)
    for every in (False, True):
        frame = board.warnings(seen, mark, every)
        found = frame[frame["warning_id"] == chosen]
        if len(found):
            return next(rows(found))
    return None


def draw(path: str, row: Any, teller: Teller) -> None:
    """Head, what may be done, why, what was done, who was sent."""
    held = data.workspace(path)
    at = pd.Timestamp(board.now(path))
    evidence = board.told(row)
    st.html(_head(row, evidence, teller, at, held.settings))
    said(teller)
    open_now = _actions(path, row, teller)
    if open_now is not None:
        with st.container(border=True):
            FORMS[open_now](path, row, evidence, teller)
    with told(teller.speaker):
        _why(path, row, evidence, teller)
        _sent(path, row, teller)
        _history(path, row, teller)
    st.button(teller.say("clear"), key="duty-clear", on_click=board.choose, args=(None,))


def said(teller: Teller) -> None:
    """What was said of the last thing done."""
    found = board.said()
    if found is None:
        return
    code, params, bad = found
    words = escaped(text(code, teller.speaker.lang, **params))
    more = hint(code, teller.speaker.lang, **params)
    (st.error if bad else st.success)(words + (f"\n\n{escaped(more)}" if more else ""))


def _head(row: Any, evidence: dict[str, Any], teller: Teller, at: pd.Timestamp, settings: Any) -> str:
    parts = [
        teller.of(f"alerts.class_{row.cls}"),
        teller.locality(row),
        teller.since(row, evidence),
        teller.of(f"alerts.state_{row.state}"),
        teller.signs(row, at, settings),
        teller.of(f"alerts.outcome_{row.outcome}") if isinstance(row.outcome, str) else "",
    ]
    lines = [teller.joined(parts), teller.chance(row, evidence)]
    if evidence.get("late_h"):
        lines.append(teller.say("late", hours=f"{evidence['late_h']:.1f}"))
    if evidence.get("with"):
        lines.append(teller.say("also", n=len(evidence["with"])))
    if evidence.get("no_unit"):
        lines.append(teller.say("no_unit_n", n=evidence["no_unit"]))
    body = "".join(f"<p>{panel.text(line)}</p>" for line in lines)
    return (
        f'<div class="warn"><div class="top">{badge(row.grade, teller.grade(row.grade), controls.theme())}'
        f"<b>{panel.text(teller.place(row, evidence))}</b></div>{body}</div>"
    )


# --- what may be done -----------------------------------------------------------------------------------------------


def allowed(path: str, row: Any) -> list[str]:
    """The actions that the state of a warning and the rights of who looks allow; the `Desk` asks again."""
    viewer = data.workspace(path).viewer
    if "command" not in viewer.rights:
        return []
    found = {name for name in ACTIONS if row.state in actions.FROM[name]}
    if row.state == "open":  # who sends somebody signs by it
        now = clocks.up_to(as_row(row), round(board.now(path).timestamp() * 1000), data.workspace(path).settings)
        answers = route.answers(now, None if viewer.everywhere else viewer.adcodes)
        found = found | {"dispatch"} if answers else found - {"sign"}
    return [name for name in ACTIONS if name in found]


def _actions(path: str, row: Any, teller: Teller) -> str | None:
    """The buttons; gives the form that is open."""
    may = allowed(path, row)
    viewer = data.workspace(path).viewer
    if row.state == "open" and "command" in viewer.rights and "sign" not in may:
        st.caption(
            escaped(
                teller.say(
                    "others_sign",
                    office=teller.signs(row, pd.Timestamp(board.now(path)), data.workspace(path).settings),
                )
            )
        )
    if not may:
        return None
    desk = data.workspace(path).desk
    with st.container(horizontal=True, gap="small", key="duty-actions"):
        for name in may:
            main = name == "sign" or (name == "dispatch" and row.state in ("open", "signed"))
            if name == "sign":
                do: Any = partial(_do, path, row, name, partial(desk.sign, row.warning_id))
            else:
                do = partial(_toggle, name)
            words = teller.say(f"do_{name}")
            st.button(words, key=f"duty-do-{name}", type="primary" if main else "secondary", on_click=do)
    open_now: str | None = st.session_state.get(board.FORM)
    return open_now if open_now in may and open_now in FORMS else None


def _toggle(name: str) -> None:
    st.session_state[board.FORM] = None if st.session_state.get(board.FORM) == name else name


# What is done is done in callbacks: they run before the page is drawn anew, so that a click on a button which somebody
# quicker has made pointless is answered in words, and not lost with the button.


def _do(path: str, row: Any, name: str, do: Callable[[datetime], Any]) -> None:
    board.act(path, name, do, {row.warning_id: row.revision})


def _submit(path: str, row: Any, name: str, teller: Teller, do: Callable[[datetime], Any]) -> None:
    """The button of a form. `do` reads the fields from the session."""
    st.form_submit_button(
        teller.say("confirm", what=teller.say(f"do_{name}")), type="primary", key=f"duty-submit-{name}",
        on_click=_do, args=(path, row, name, do),
    )  # fmt: skip


def _verify(path: str, row: Any, evidence: dict[str, Any], teller: Teller) -> None:
    desk, note = data.workspace(path).desk, board.key("note")
    with st.form("duty-verify", border=False):
        st.text_input(teller.say("verify_note"), key=note, max_chars=500)
        _submit(path, row, "verify", teller, lambda at: desk.verify(row.warning_id, at, _typed(note) or None))


def _dispatch(path: str, row: Any, evidence: dict[str, Any], teller: Teller) -> None:
    st.html(f'<h3 class="part">{escape(teller.say("first"))}</h3>')
    send.draw(path, row, teller, may=True)


def _close(path: str, row: Any, evidence: dict[str, Any], teller: Teller) -> None:
    desk, outcome, words = data.workspace(path).desk, board.key("outcome"), board.key("words")
    with st.form("duty-close", border=False):
        st.selectbox(
            teller.say("outcome"), OUTCOMES, index=None, key=outcome, placeholder=teller.say("choose"),
            format_func=lambda name: teller.of(f"alerts.outcome_{name}"),
        )  # fmt: skip
        st.text_area(teller.say("close_words"), key=words, max_chars=1000, height=80)
        _submit(path, row, "close", teller, lambda at: desk.close(row.warning_id, _typed(outcome), at, _typed(words)))


def _regrade(path: str, row: Any, evidence: dict[str, Any], teller: Teller) -> None:
    desk, grade, words = data.workspace(path).desk, board.key("grade"), board.key("words")
    with st.form("duty-regrade", border=False):
        grades = [name for name in GRADES if name != row.grade]
        st.selectbox(teller.say("to_grade"), grades, key=grade, format_func=teller.grade)
        st.text_input(teller.say("reason"), key=words, max_chars=500)
        _submit(path, row, "regrade", teller, lambda at: desk.regrade(row.warning_id, _typed(grade), _typed(words), at))


def _recall(path: str, row: Any, evidence: dict[str, Any], teller: Teller) -> None:
    desk, words = data.workspace(path).desk, board.key("words")
    with st.form("duty-recall", border=False):
        st.text_input(teller.say("reason"), key=words, max_chars=500)
        _submit(path, row, "recall", teller, lambda at: desk.recall(row.warning_id, _typed(words), at))


def _silence(path: str, row: Any, evidence: dict[str, Any], teller: Teller) -> None:
    held = data.workspace(path)
    most = held.settings.alerts_quiet_days * 24
    zones = list(dict.fromkeys(entry["zone"] for entry in evidence.get("events", ()) if entry.get("zone")))
    hours, where, words = board.key("hours"), board.key("zone"), board.key("words")
    with st.form("duty-silence", border=False):
        st.selectbox(
            teller.say("silence_for"), [h for h in QUIET_H if h <= most], index=1, key=hours,
            format_func=lambda h: teller.say("hours" if h < 48 else "days", n=h if h < 48 else h // 24),
        )  # fmt: skip
        st.selectbox(
            teller.say("silence_where"), [None, *zones], key=where,
            index=0 if isinstance(row.reach_id, str) or not zones else 1,
            format_func=lambda zone: teller.say("silence_here") if zone is None else teller.zone(zone),
        )  # fmt: skip
        st.text_input(teller.say("reason"), key=words, max_chars=500)
        st.caption(teller.say("silence_what"))

        def do(at: datetime) -> Any:
            until = at + timedelta(hours=float(_typed(hours)))
            return held.desk.silence(row.warning_id, until, _typed(words), at, _typed(where))

        _submit(path, row, "silence", teller, do)


def _typed(key: str) -> Any:
    return st.session_state[key]


FORMS = {
    "verify": _verify, "dispatch": _dispatch, "close": _close, "regrade": _regrade, "recall": _recall,
    "silence": _silence,
}  # fmt: skip


# --- why, and what was done -----------------------------------------------------------------------------------------


def _why(path: str, row: Any, evidence: dict[str, Any], teller: Teller) -> None:
    st.html(f'<h3 class="part">{escape(teller.say("why"))}</h3>')
    if evidence.get("words"):
        st.html(f'<div class="lines"><p>{panel.text(str(evidence["words"]))}</p></div>')
    events = data.workspace(path).desk.events(row.warning_id).sort_values("started_at", kind="stable")
    if not len(events):
        st.caption(teller.say("no_events"))
        return
    lines = []
    for event in rows(events.head(EVENTS)):
        head, body = teller.event(event)
        lines.append(f"<p><b>{panel.text(head)}</b><br>{panel.text(body)}</p>")
    st.html(f'<div class="lines">{"".join(lines)}</div>')
    if len(events) > EVENTS:
        st.caption(teller.say("more_events", n=f"{len(events) - EVENTS:,}"))


def _sent(path: str, row: Any, teller: Teller) -> None:
    mine = board.taskings(board.shared(path), board.mark(path))
    mine = mine[mine["warning_id"] == row.warning_id]
    if not len(mine):
        return
    st.html(f'<h3 class="part">{escape(teller.say("sent"))}</h3>')
    lines = [f"<p>{panel.text(teller.tasking(one))}</p>" for one in rows(mine)]
    st.html(f'<div class="lines">{"".join(lines)}</div>')


def _history(path: str, row: Any, teller: Teller) -> None:
    history = data.workspace(path).desk.history(row.warning_id)
    with st.expander(teller.say("history", n=len(history))):
        lines = []
        for when, who, what, why in reversed(teller.changes(history)):
            words = teller.joined([what, why]) or teller.say("was_revised")
            lines.append(f'<p><span class="when">{panel.text(when)}</span>{panel.text(who)}　{panel.text(words)}</p>')
        st.html(f'<div class="lines">{"".join(lines)}</div>')
