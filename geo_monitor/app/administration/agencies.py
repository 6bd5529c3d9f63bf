"""Agencies and what they share, as a part of the administration page. As `geo-monitor agencies` and `shares` do."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import streamlit as st

from geo_monitor.app.administration import forms
from geo_monitor.app.deck import escaped, plain
from geo_monitor.app.uploads import told
from geo_monitor.app.words import Speaker
from geo_monitor.messages import listed
from geo_monitor.store.accounts import NAME_LENGTH, SHARED

if TYPE_CHECKING:
    from geo_monitor.workspace import Workspace


def draw(held: Workspace, speaker: Speaker) -> None:
    """The part. Tells errors of `Accounts` in words. Raises `Denied("not_allowed")`."""
    registered = dict(held.accounts.agencies())
    left, right = st.columns([1, 1.5], gap="medium")
    with left:
        forms.heading(speaker.say("admin_agency_list"))
        _agencies(held, registered, speaker)
        _register(held, registered, speaker)
    with right:
        forms.heading(speaker.say("admin_shares"))
        st.caption(speaker.say("admin_share_say"))
        _shares(held, speaker)
        forms.heading(speaker.say("admin_share_add"))
        if len(registered) < 2:
            st.info(speaker.say("admin_share_needs_two"))
        else:
            _share(held, list(registered), speaker)


def _agencies(held: Workspace, registered: dict[str, str], speaker: Speaker) -> None:
    import pandas as pd

    if not registered:
        st.info(speaker.say("admin_no_agencies"))
        return
    count = Counter(one["agency"] for one in held.accounts.every())
    shown = [
        {
            speaker.say("admin_unit"): plain(name),
            speaker.say("admin_areas"): forms.place(adcode, speaker),
            speaker.say("admin_accounts_of"): count[name],
        }
        for name, adcode in registered.items()
    ]
    st.dataframe(pd.DataFrame(shown), hide_index=True, key="admin-agencies")


def _register(held: Workspace, registered: dict[str, str], speaker: Speaker) -> None:
    with st.form("admin-agency"):
        name = st.text_input(
            speaker.say("admin_agency_name"), key=forms.key("agency-name"), max_chars=NAME_LENGTH, autocomplete="off"
        ).strip()
        adcode = st.selectbox(
            speaker.say("admin_adcode"),
            forms.places(speaker, registered.values()),
            index=None,
            format_func=lambda code: forms.place(code, speaker),
            placeholder=speaker.say("admin_choose_or_type"),
            key=forms.key("agency-adcode"),
            accept_new_options=True,
            help=speaker.say("admin_adcode_help"),
        )
        move = st.checkbox(speaker.say("admin_agency_sure"), key=forms.key("agency-sure"))
        if st.form_submit_button(speaker.say("admin_agency_add"), type="primary"):
            adcode = (adcode or "").strip()
            before = registered.get(name)
            if before is not None and before != adcode and not move:
                where = forms.place(before, speaker)
                st.warning(escaped(speaker.say("admin_agency_there", name=plain(name), place=where)))
                return
            with told(speaker):
                held.accounts.add_agency(name, adcode, datetime.now(UTC), held.viewer.account)
                forms.done(speaker, "admin_agency_added", name=plain(name), place=forms.place(adcode, speaker))


# --- shares ---------------------------------------------------------------------------------------------------------


def _shares(held: Workspace, speaker: Speaker) -> None:
    import pandas as pd

    every = held.accounts.shares()
    if not every:
        st.info(speaker.say("admin_no_shares"))
        return
    shown = [
        {
            speaker.say("admin_share_number"): one["number"],
            speaker.say("admin_share_table"): speaker.say(f"admin_table_{one['table']}"),
            speaker.say("admin_share_from"): plain(one["from"]),
            speaker.say("admin_share_to"): plain(one["to"]),
            speaker.say("admin_share_hidden"): listed(
                (speaker.say(f"admin_field_{name}") for name in one["hidden"]), speaker.lang
            )
            or speaker.say("admin_nothing_hidden"),
            speaker.say("admin_share_why"): plain(one["reason"]),
        }
        for one in every
    ]
    st.dataframe(pd.DataFrame(shown), hide_index=True, key="admin-shares")
    names = {
        one["number"]: f"{one['number']}　{plain(one['from'])} → {plain(one['to'])}　"
        + speaker.say(f"admin_table_{one['table']}")
        for one in every
    }
    with st.form("admin-share-end"):
        number = st.selectbox(
            speaker.say("admin_share_pick"), list(names), format_func=names.__getitem__, key=forms.key("share-number")
        )
        ticked = st.checkbox(speaker.say("admin_share_end_sure"), key=forms.key("share-sure"))
        if st.form_submit_button(speaker.say("admin_share_end")) and forms.sure(ticked, speaker):
            with told(speaker):
                held.accounts.end_share(number, datetime.now(UTC), held.viewer.account)
                forms.done(speaker, "admin_share_ended", number=number)


def _share(held: Workspace, registered: list[str], speaker: Speaker) -> None:
    table = st.selectbox(
        speaker.say("admin_share_table"),
        list(SHARED),
        format_func=lambda name: speaker.say(f"admin_table_{name}"),
        key="admin-share-table",
    )
    with st.form("admin-share"):
        one, other = st.columns(2)
        giver, taker = (
            place.selectbox(
                speaker.say(f"admin_share_{side}"),
                registered,
                index=None,
                format_func=plain,
                placeholder=speaker.say("admin_choose"),
                key=forms.key(f"share-{side}"),
            )
            for place, side in ((one, "from"), (other, "to"))
        )
        hidden = st.multiselect(
            speaker.say("admin_share_hidden"),
            SHARED[table],
            format_func=lambda name: speaker.say(f"admin_field_{name}"),
            placeholder=speaker.say("admin_nothing_hidden"),
            key=forms.key(f"share-hidden-{table}"),
        )
        reason = st.text_input(speaker.say("admin_share_reason"), key=forms.key("share-reason"), max_chars=500)
        if st.form_submit_button(speaker.say("admin_share_add"), type="primary"):
            if giver is None or taker is None or giver == taker:
                st.warning(speaker.say("admin_share_same"))
                return
            with told(speaker):
                who = held.viewer.account
                number = held.accounts.share(table, giver, taker, hidden, reason, datetime.now(UTC), who)
                forms.done(
                    speaker,
                    "admin_share_added",
                    number=number,
                    giver=plain(giver),
                    taker=plain(taker),
                    table=speaker.say(f"admin_table_{table}"),
                )
