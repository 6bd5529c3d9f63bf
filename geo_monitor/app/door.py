"""Who is looking: the sign-in form, the session cookie, and the key under which frames are kept for such a viewer.

A workspace without accounts opens for everybody on this machine. Once it has accounts, nothing is read before a sign-in;
the token lies in a cookie of the browser session (SameSite=Strict), so that a reload or another page keeps it.

Where `.streamlit/secrets.toml` has a section `[auth]`, an identity provider (OpenID Connect) can vouch for somebody.
Streamlit keeps what it told for 30 days; here it opens a session of ours once, within `sign_in_fresh_s` of its issue.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

import streamlit as st

from geo_monitor.app.deck import escaped
from geo_monitor.app.words import Speaker
from geo_monitor.errors import Denied
from geo_monitor.messages import hint, text
from geo_monitor.store.rights import OWNER, Viewer

if TYPE_CHECKING:
    from geo_monitor.workspace import Workspace

COOKIE = "geo_monitor_session"
VIEWER = "viewer"
TOKEN = "session-token"  # noqa: S105  a key of the session state
PART = "\x1f"
CLOCKS_S = 60.0  # how far the provider's clock may be ahead of ours


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
    found = _viewer(workspace)
    st.session_state[VIEWER] = found
    return found


def _viewer(workspace: Workspace) -> Viewer | None:
    if not workspace.accounts.any():
        return OWNER
    token = st.session_state.get(TOKEN) or st.context.cookies.get(COOKIE)
    if not token or token == st.session_state.get("signed-out"):
        return _vouched(workspace)
    try:
        found = workspace.accounts.viewer(token, datetime.now(UTC))
    except Denied as error:
        st.session_state.pop(TOKEN, None)
        st.session_state["signed-out"] = token
        st.session_state["sign-in-error"] = error
        return _vouched(workspace)
    st.session_state[TOKEN] = token
    return found


def acting() -> Viewer:
    """Who looks, by name, once `viewer` has told: pages that only read share what is kept and do not know."""
    found: Viewer = st.session_state[VIEWER]
    return found


def alive(workspace: Workspace) -> bool:
    """Whether who looks may go on looking: asked at every tick of a live page, which counts as a click."""
    if not workspace.accounts.any():
        return True
    try:
        workspace.accounts.viewer(st.session_state.get(TOKEN, ""), datetime.now(UTC))
    except Denied:
        return False
    return True


def providers() -> list[str]:
    """The identity providers of `[auth]` in secrets.toml: names of its parts, or "default" for one without a name."""
    section = st.secrets.get("auth", {}) if st.secrets.load_if_toml_exists() else {}
    named = [name for name, part in section.items() if hasattr(part, "items") and "client_id" in part]
    return named or (["default"] if "client_id" in section else [])


def _vouched(workspace: Workspace) -> Viewer | None:
    """Who an identity provider vouched for just now; None for nobody, for one without an account, and the second time."""
    told = st.user.to_dict() if providers() else {}
    if not told.get("is_logged_in") or st.session_state.get("vouched") == told.get("iat"):
        return None
    now = datetime.now(UTC)
    st.session_state["vouched"] = told.get("iat")
    if not 0 <= now.timestamp() - float(str(told.get("iat", 0))) + CLOCKS_S <= workspace.settings.sign_in_fresh_s:
        return None
    try:
        session = workspace.accounts.sign_in_by(f"{told['iss']}|{told['sub']}", now, "provider")
    except Denied as error:
        st.session_state["sign-in-error"] = error
        return None
    st.session_state.pop("sign-in-error", None)
    st.session_state[TOKEN] = st.session_state["new-cookie"] = session.token
    return session.viewer


def form(workspace: Workspace, speaker: Speaker) -> None:
    """Account and password, and what went wrong before."""
    told = st.session_state.pop("sign-in-error", None)
    _, middle, _ = st.columns([1, 1.2, 1])
    with middle:
        st.html(f'<h1 class="page">{speaker.say("title")}</h1>')
        if told is not None:
            detail = text(told.code, speaker.lang, **told.params)
            more = hint(told.code, speaker.lang, **told.params) if told.code != "session_over" else None
            st.error(escaped(detail) + (f"\n\n{escaped(more)}" if more else ""))
        with st.form("sign-in"):
            name = st.text_input(speaker.say("account"), key="sign-in-name", autocomplete="username", max_chars=64)
            word = st.text_input(
                speaker.say("password"),
                type="password",
                key="sign-in-word",
                autocomplete="current-password",
                max_chars=1024,
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
        for provider in providers():
            name = "" if provider == "default" else provider
            if st.button(speaker.say("sign_in_by", name=name), key=f"provider-{provider}", width="stretch"):
                if find_spec("authlib") is None:
                    st.error(speaker.say("provider_missing"))
                else:
                    st.login(provider)
        if providers() and st.user.is_logged_in:
            st.caption(speaker.say("vouched_as", name=escaped(st.user.get("email") or st.user.get("sub"))))
            if st.button(speaker.say("provider_sign_out"), key="provider-sign-out"):
                st.logout()


def bar(workspace: Workspace, viewer: Viewer, speaker: Speaker) -> None:
    """Who is signed in, and the way out."""
    fresh = st.session_state.pop("new-cookie", None)
    if fresh:
        _cookie(fresh, round(workspace.settings.session_h * 3600))
    if viewer is OWNER:
        return
    who, out = st.columns([1.3, 1], vertical_alignment="center")
    who.caption(escaped(viewer.account))
    if out.button(speaker.say("sign_out"), key="sign-out"):
        token = st.session_state.pop(TOKEN, None)
        if token:
            workspace.accounts.sign_out(token)
            st.session_state["signed-out"] = token
        if providers() and st.user.is_logged_in:
            st.logout()  # leads away from this page, and here again as nobody
            st.stop()
        st.rerun()


def _cookie(token: str, seconds: int) -> None:
    """Sets the cookie from the page: the server can read cookies but not send them."""
    cookie = json.dumps(f"{COOKIE}={token}; path=/; SameSite=Strict; max-age={seconds}")
    secure = "(parent.location.protocol === 'https:' ? '; Secure' : '')"
    st.iframe(f"<script>parent.document.cookie = {cookie} + {secure};</script>", height=1)
