"""Who is looking: the sign-in form, the session cookie, and the key under which frames are kept for such a viewer.

A workspace without accounts opens for everybody on this machine. Once it has accounts, nothing is read before a sign-in;
the token lies in a cookie of the browser session (SameSite=Strict), so that a reload or another page keeps it.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from geo_monitor.app.words import Speaker
from geo_monitor.errors import Denied
from geo_monitor.messages import hint, text
from geo_monitor.store.rights import OWNER, Viewer

if TYPE_CHECKING:
    from geo_monitor.workspace import Workspace

COOKIE = "geo_monitor_session"
TOKEN = "session-token"  # noqa: S105  a key of the session state
PART = "\x1f"


def key(path: str, viewer: Viewer, acting: bool = False) -> str:
    """Path and scope as one text: viewers with the same rights share what is kept. `acting` names the account too, for
    what it does is recorded."""
    if viewer is OWNER:
        return path
    who = viewer.account if acting else ""
    return path + PART + json.dumps([who, viewer.agency, viewer.roles, viewer.adcodes], ensure_ascii=False)


def parts(door: str) -> tuple[str, Viewer | None]:
    """The path and the viewer of a `key`; a bare path is that of a workspace without accounts."""
    path, found, scope = door.partition(PART)
    if not found:
        return path, None
    account, agency, roles, adcodes = json.loads(scope)
    return path, Viewer(account, agency, tuple(roles), tuple(adcodes))


def viewer(workspace: Workspace) -> Viewer | None:
    """Who looks in this session; None where a sign-in is needed first."""
    if not workspace.accounts.any():
        return OWNER
    token = st.session_state.get(TOKEN) or st.context.cookies.get(COOKIE)
    if not token or token == st.session_state.get("signed-out"):
        return None
    try:
        found = workspace.accounts.viewer(token, datetime.now(UTC))
    except Denied as error:
        st.session_state.pop(TOKEN, None)
        st.session_state["signed-out"] = token
        st.session_state["sign-in-error"] = error
        return None
    st.session_state[TOKEN] = token
    return found


def form(workspace: Workspace, speaker: Speaker) -> None:
    """Account and password, and what went wrong before."""
    told = st.session_state.pop("sign-in-error", None)
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle:
        st.html(f'<h1 class="page">{speaker.say("title")}</h1>')
        if told is not None:
            detail = text(told.code, speaker.lang, **told.params)
            more = hint(told.code, speaker.lang, **told.params) if told.code != "session_over" else None
            st.error(detail + (f"\n\n{more}" if more else ""))
        with st.form("sign-in"):
            name = st.text_input(speaker.say("account"), key="sign-in-name", autocomplete="username")
            word = st.text_input(
                speaker.say("password"), type="password", key="sign-in-word", autocomplete="current-password"
            )
            if st.form_submit_button(speaker.say("sign_in"), type="primary"):
                try:
                    session = workspace.accounts.sign_in(name, word, datetime.now(UTC), "page")
                except Denied as error:
                    st.session_state["sign-in-error"] = error
                else:
                    st.session_state[TOKEN] = session.token
                    st.session_state["new-cookie"] = session.token
                st.rerun()


def bar(workspace: Workspace, viewer: Viewer, speaker: Speaker) -> None:
    """Who is signed in, and the way out."""
    fresh = st.session_state.pop("new-cookie", None)
    if fresh:
        _cookie(fresh, round(workspace.settings.session_h * 3600))
    if viewer is OWNER:
        return
    who, out = st.columns([2, 1], vertical_alignment="center")
    who.caption(viewer.account)
    if out.button(speaker.say("sign_out"), key="sign-out"):
        token = st.session_state.pop(TOKEN, None)
        if token:
            workspace.accounts.sign_out(token)
            st.session_state["signed-out"] = token
        st.rerun()


def _cookie(token: str, seconds: int) -> None:
    """Sets the cookie from the page: the server can read cookies but not send them."""
    cookie = json.dumps(f"{COOKIE}={token}; path=/; SameSite=Strict; max-age={seconds}")
    st.iframe(f"<script>parent.document.cookie = {cookie};</script>", height=1)
