"""Accounts, as a part of the administration page: listed, made, changed, closed. As `geo-monitor accounts` does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.app.administration import forms
from geo_monitor.app.deck import plain
from geo_monitor.app.uploads import told
from geo_monitor.app.words import Speaker, moment
from geo_monitor.errors import Usage
from geo_monitor.messages import listed
from geo_monitor.store.accounts import NAME_LENGTH, PASSWORD_LENGTH
from geo_monitor.store.rights import ROLES

if TYPE_CHECKING:
    from geo_monitor.workspace import Workspace

PICKED = "admin-account"  # which account is being changed


def draw(held: Workspace, speaker: Speaker) -> None:
    """The part. Tells errors of `Accounts` in words. Raises `Denied("not_allowed")`."""
    every = held.accounts.every()
    if not every:
        st.warning(speaker.say("admin_first"))
        _add(held, speaker, first=True)
        return
    _table(every, last_sign_ins(held), speaker)
    left, right = st.columns(2, gap="medium")
    with left:
        forms.heading(speaker.say("admin_add"))
        _add(held, speaker, first=False)
    with right:
        forms.heading(speaker.say("admin_change"))
        _change(held, every, speaker)


def last_sign_ins(held: Workspace) -> dict[str, Any]:
    """account -> its newest sign-in (UTC) in the audit book; empty without the right to read that."""
    if "audit" not in held.viewer.rights:
        return {}
    found = held.table("audit")
    found = found[found["action"] == "sign_in"]
    return dict(found.groupby("who")["at"].max())


def _table(every: list[dict[str, Any]], last: dict[str, Any], speaker: Speaker) -> None:
    import pandas as pd

    shown = [
        {
            speaker.say("admin_name"): plain(one["name"]),
            speaker.say("admin_agency"): plain(one["agency"]),
            speaker.say("admin_roles"): listed(
                (speaker.say(f"admin_role_{role}") for role in one["roles"]), speaker.lang
            ),
            speaker.say("admin_areas"): listed((forms.place(code, speaker) for code in one["adcodes"]), speaker.lang),
            speaker.say("admin_state"): _state(one, speaker),
            speaker.say("admin_last"): moment(last.get(one["name"])),
            speaker.say("admin_identity_short"): plain(one["identity"]),
        }
        for one in every
    ]
    st.dataframe(pd.DataFrame(shown), hide_index=True, key="admin-accounts")


def _locked(one: dict[str, Any]) -> bool:
    return one["locked_until"] is not None and one["locked_until"] > datetime.now(UTC).timestamp() * 1000


def _state(one: dict[str, Any], speaker: Speaker) -> str:
    import pandas as pd

    if one["disabled"]:
        return speaker.say("admin_closed")
    if _locked(one):
        return speaker.say("admin_locked", until=moment(pd.Timestamp(one["locked_until"], unit="ms", tz="UTC")))
    return speaker.say("admin_open")


# --- making ---------------------------------------------------------------------------------------------------------


def _add(held: Workspace, speaker: Speaker, first: bool) -> None:
    registered = [name for name, _ in held.accounts.agencies()]
    with st.form("admin-add"):
        name = st.text_input(
            speaker.say("admin_name"), key=forms.key("add-name"), max_chars=NAME_LENGTH, autocomplete="off"
        )
        word, again = _words(held, speaker, "add", "admin_word")
        identity = st.text_input(speaker.say("admin_identity"), key=forms.key("add-identity"), autocomplete="off")
        roles = _roles(speaker, ["admin"] if first else [], "add")
        agency = st.selectbox(
            speaker.say("admin_agency"),
            [None, *registered],
            format_func=lambda value: speaker.say("admin_no_agency") if value is None else plain(value),
            key=forms.key("add-agency"),
        )
        areas = _areas(held, speaker, [], "add")
        known = st.checkbox(speaker.say("admin_first_sure"), key=forms.key("add-sure")) if first else True
        if st.form_submit_button(speaker.say("admin_add_first" if first else "admin_add"), type="primary"):
            with told(speaker):
                if forms.sure(known, speaker):
                    password = None if identity.strip() and not word else _same(word, again)
                    held.accounts.add(
                        name,
                        password,
                        roles,
                        agency,
                        areas,
                        datetime.now(UTC),
                        held.viewer.account,
                        identity.strip() or None,
                    )
                    forms.done(speaker, "admin_added", name=plain(name))


def _words(held: Workspace, speaker: Speaker, of: str, label: str) -> tuple[str, str]:
    """The two fields of a new password."""
    labels = (speaker.say(label, length=held.settings.password_length), speaker.say("admin_word_again"))
    first, second = (
        st.text_input(
            words,
            type="password",
            key=forms.key(f"{of}-word-{number}"),
            max_chars=PASSWORD_LENGTH,
            autocomplete="new-password",
        )
        for number, words in enumerate(labels)
    )
    return first or "", second or ""


def _same(word: str, again: str) -> str:
    if word != again:
        raise Usage("password_differs")
    return word


def _roles(speaker: Speaker, held: list[str], of: str) -> list[str]:
    return st.multiselect(
        speaker.say("admin_roles"),
        list(ROLES),
        default=held,
        format_func=lambda role: speaker.say(f"admin_role_{role}"),
        key=forms.key(f"{of}-roles"),
        placeholder=speaker.say("admin_choose"),
        help=speaker.say("admin_roles_say"),
    )


def _areas(held: Workspace, speaker: Speaker, own: list[str], of: str) -> list[str]:
    agencies = [adcode for _, adcode in held.accounts.agencies()]
    return st.multiselect(
        speaker.say("admin_areas"),
        forms.places(speaker, [*agencies, *own]),
        default=own,
        format_func=lambda code: forms.place(code, speaker),
        key=forms.key(f"{of}-areas"),
        placeholder=speaker.say("admin_choose_or_type"),
        accept_new_options=True,
        help=speaker.say("admin_areas_help"),
    )


# --- changing -------------------------------------------------------------------------------------------------------


def _change(held: Workspace, every: list[dict[str, Any]], speaker: Speaker) -> None:
    accounts = {one["name"]: one for one in every}
    name = st.selectbox(
        speaker.say("admin_pick_account"),
        list(accounts),
        index=None,
        format_func=plain,
        placeholder=speaker.say("admin_pick_account"),
        key=PICKED,
        label_visibility="collapsed",
    )
    if name is None:
        st.caption(speaker.say("admin_ends"))
        return
    one = accounts[name]
    if name == held.viewer.account:
        st.info(speaker.say("admin_own"))
    st.caption(speaker.say("admin_ends"))
    with st.form("admin-scope"):
        roles = _roles(speaker, one["roles"], f"change-{name}")
        areas = _areas(held, speaker, one["adcodes"], f"change-{name}")
        if st.form_submit_button(speaker.say("admin_save")):
            new_roles = None if set(roles) == set(one["roles"]) else roles
            new_areas = None if set(areas) == set(one["adcodes"]) else areas
            if new_roles is new_areas is None:
                st.info(speaker.say("admin_same"))
            else:
                _changed(held, name, speaker, roles=new_roles, adcodes=new_areas)
    with st.form("admin-word"):
        word, again = _words(held, speaker, f"change-{name}", "admin_word_new")
        if st.form_submit_button(speaker.say("admin_set_word")):
            with told(speaker):
                _changed(held, name, speaker, password=_same(word, again))
    if one["disabled"]:
        if st.button(speaker.say("admin_enable"), key=forms.key(f"enable-{name}")):
            _changed(held, name, speaker, disabled=False)
        return
    if _locked(one) and st.button(speaker.say("admin_unlock"), key=forms.key(f"unlock-{name}")):
        _changed(held, name, speaker, unlock=True)
    with st.form("admin-disable"):
        ticked = st.checkbox(speaker.say("admin_disable_sure"), key=forms.key(f"disable-{name}"))
        if st.form_submit_button(speaker.say("admin_disable")) and forms.sure(ticked, speaker):
            _changed(held, name, speaker, "admin_disabled", disabled=True)


def _changed(held: Workspace, name: str, speaker: Speaker, said: str = "admin_changed", **what: Any) -> None:
    """Changes an account and says so, or why not."""
    with told(speaker):
        held.accounts.change(name, datetime.now(UTC), held.viewer.account, **what)
        forms.done(speaker, said, name=plain(name))
