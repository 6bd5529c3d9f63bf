"""The rules: each with its state, its end and its yield, those that fall named; a new one written, tried and proposed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from geo_monitor.alerts.backtest import Backtest
from geo_monitor.app import data, underway
from geo_monitor.app.deck import escaped, plain
from geo_monitor.app.duty import board, one
from geo_monitor.app.duty.counted import share
from geo_monitor.app.duty.words import Teller
from geo_monitor.app.job import jobs
from geo_monitor.app.rows import rows
from geo_monitor.app.uploads import told
from geo_monitor.app.words import day, km, number, percent

STARTER = """rule: night_slow
kind: slow
class: gear
hours: [20, 4]
values:
  slow_high_kn: 2.0
expires: 90
"""
TEXT = "duty-rule-text"  # key of the session: the rule that is written


@st.cache_resource(show_spinner=False, max_entries=8)
def _held(seen: str, mark: str, day: str) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    desk = data.workspace(seen).desk
    return desk.rules(), desk.yields(), desk.falling(board.now(seen))


def draw(path: str, teller: Teller) -> None:
    """The part."""
    held = data.workspace(path)
    with told(teller.speaker):
        rules, yields, falling = _held(board.shared(path), board.mark(path), f"{board.now(path):%Y-%m-%d}")
        one.said(teller)
        for row in rows(falling):
            named: dict[str, Any] = {**row._asdict(), "rule": plain(row.rule), "p": percent(float(row.p_fell))}
            named.pop("p_fell")
            st.warning(escaped(teller.say("falling", **named)))
        st.html(f'<h3 class="part">{escape(teller.say("rules"))}</h3>')
        if len(rules):
            _list(rules, yields, set(falling["rule"]), teller)
        else:
            st.info(teller.say("no_rules"))
        if "rules" in held.viewer.rights:
            left, right = st.columns([1, 1.2], gap="medium")
            with left:
                _change(path, rules, teller)
            with right:
                _write(path, teller)


def _list(rules: pd.DataFrame, yields: pd.DataFrame, falling: set[str], teller: Teller) -> None:
    inside = percent(teller.speaker.settings.interval)
    worth = {row.rule: row for row in rows(yields)}
    shown = []
    for row in rows(rules.sort_values(["state", "rule"], kind="stable")):
        of = worth.get(row.rule)
        shown.append(
            {
                teller.say("col_rule"): plain(row.rule),
                teller.say("col_event"): teller.of(f"event.{row.kind}"),
                teller.say("col_version"): int(row.version),
                teller.say("col_state"): teller.of(f"alerts.rule_{row.state}"),
                teller.say("col_until"): teller.say("never_ends") if pd.isna(row.expires_at) else day(row.expires_at),
                teller.say("col_raised"): 0 if of is None else int(of.raised),
                teller.say("col_settled"): 0 if of is None else int(of.settled),
                **{
                    teller.say(f"col_{name}", inside=inside): "" if of is None else share(of, name)
                    for name in ("reached_share", "verified_share", "case_share")
                },
                teller.say("col_yield"): teller.say("falls") if row.rule in falling else "",
            }
        )
    st.dataframe(pd.DataFrame(shown), hide_index=True, key="duty-rules")


def _change(path: str, rules: pd.DataFrame, teller: Teller) -> None:
    """A rule that is there: approve, refuse, renew, retire."""
    desk = data.workspace(path).desk
    live = rules[rules["state"].isin(["proposed", "in_force"])]
    if not len(live):
        return
    states = dict(zip(live["rule"], live["state"], strict=True))
    name = st.selectbox(teller.say("rule_which"), list(states), key="duty-rule", format_func=plain)
    if name not in states:
        return
    row = next(rows(live[live["rule"] == name]))
    st.caption(teller.of(f"alerts.rule_{row.state}"))
    _note(row, teller)
    turn = st.session_state.get(board.TURN, 0)
    reason, days = f"duty-rule-reason-{name}-{turn}", f"duty-rule-days-{name}"

    def button(place: Any, action: str, do: Callable[[datetime], Any], kind: Any = "secondary") -> None:
        place.form_submit_button(
            teller.say(f"rule_{action}"), type=kind, width="stretch", key=f"duty-rule-{action}",
            on_click=_act, args=(path, action, do),
        )  # fmt: skip

    with st.form(f"duty-rule-form-{name}"):
        st.text_input(teller.say("rule_reason"), key=reason, max_chars=500)
        if states[name] == "proposed":
            if isinstance(row.backtest, str):
                _test(Backtest.from_told(json.loads(row.backtest)), teller)
            good, bad = st.columns(2)
            button(good, "approve", lambda at: desk.approve(name, at), "primary")
            button(bad, "drop", lambda at: desk.retire(name, st.session_state[reason], at))
            return
        ends = not pd.isna(row.expires_at)
        if ends:
            usual = teller.speaker.settings.alerts_expires_days
            st.number_input(teller.say("rule_days"), min_value=1, value=usual, key=days)
        good, bad = st.columns(2)
        if ends:
            button(
                good, "renew", lambda at: desk.renew(name, at, int(st.session_state[days]), st.session_state[reason])
            )
        button(bad, "retire", lambda at: desk.retire(name, st.session_state[reason], at))


def _act(path: str, action: str, do: Callable[[datetime], Any]) -> None:
    board.act(path, action, lambda _: do(board.wall()))


def _note(row: Any, teller: Teller) -> None:
    """What a rule says of itself, and its content."""
    body = json.loads(row.body)
    note = body.get(f"note_{teller.speaker.lang}")
    if note:
        st.caption(escaped(note))
    kept = {name: value for name, value in body.items() if value and not name.startswith("note_")}
    content = {"rule": row.rule, "kind": row.kind, "harm": row.harm, **kept}
    st.code(json.dumps(content, ensure_ascii=False, indent=1), language="json")


def _write(path: str, teller: Teller) -> None:
    """A rule as YAML: tried on what is stored, or tried and proposed; a job, which can be stopped."""
    held = data.workspace(path)
    root, viewer = str(held.root), held.viewer
    last = jobs().of(root, "rule", viewer)
    # a field that is not drawn for a while is forgotten: who comes back finds what was tried last
    st.session_state.setdefault(TEXT, STARTER if last is None else last.asked["given"])
    busy = underway.running(root, "rule", viewer)
    with st.form("duty-rule-write"):
        given = st.text_area(
            teller.say("rule_write"), key=TEXT, height=230, max_chars=20_000, help=teller.say("rule_help")
        )
        left, right = st.columns(2)
        test = left.form_submit_button(teller.say("rule_test"), type="primary", width="stretch", disabled=busy)
        propose = right.form_submit_button(teller.say("rule_propose"), width="stretch", disabled=busy)
    if test or propose:
        with told(teller.speaker):
            asked = {"given": given, "now": board.wall().isoformat(), "propose": propose}
            if jobs().start(root, viewer, "rule", asked) is None:
                st.warning(teller.speaker.say("job_busy"))
            else:
                st.rerun()
    underway.draw(root, "rule", viewer, teller.speaker, lambda result: _tried(result, teller))


def _tried(result: dict[str, Any], teller: Teller) -> None:
    """What came of a rule that was written: where it stands if it was proposed, and its back-test."""
    proposed = result.get("proposed")
    if proposed is not None:
        st.success(escaped(teller.of(f"rule.now.{proposed['state']}", **proposed)))
    _test(Backtest.from_told(result["backtest"]), teller)


def _test(found: Backtest, teller: Teller) -> None:
    """What a back-test found, in sentences."""
    counts = {name: f"{getattr(found, name):,}" for name in ("events", "situations", "warnings", "worst_day")}
    lines = [] if found.areas is None else [teller.of("rule.own_waters")]
    lines += [teller.say("test_sum", days=f"{found.days:.0f}", per_day=number(found.per_day), **counts)]
    if found.cases:
        share_ = f"{percent(found.share or 0.0)}, {percent(found.share_lo or 0.0)}–{percent(found.share_hi or 0.0)}"
        named = {"cases": f"{found.cases:,}", "caught": f"{found.caught:,}", "chance": number(found.by_chance)}
        lines.append(teller.say("test_caught", share=share_, **named))
    else:
        lines.append(teller.say("test_no_cases"))
    if found.boat_days_share is not None:
        lines.append(teller.say("test_boats", share=percent(found.boat_days_share)))
    if found.places:
        places = [teller.say("test_place", place=_reach(reach, teller), n=n) for reach, n in found.places[:5]]
        lines.append(teller.say("test_places", places=teller.listed(places)))
    cap = teller.speaker.settings.alerts_cap_day
    if found.over_cap or found.per_day > cap:
        lines.append(teller.say("test_cap", cap=f"{cap:g}"))
    for line in lines:
        st.markdown(escaped(line))


def _reach(reach_id: str, teller: Teller) -> str:
    """A reach in words, where the latest analysis knows it."""
    row = teller.reaches.get(reach_id)
    return reach_id if row is None else f"{teller.speaker.river(row[0])} K{km(row[1])}"
