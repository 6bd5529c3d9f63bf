"""Base maps of the agency's own, as a part of the administration page. As `geo-monitor basemap` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from geo_monitor.app.administration import forms
from geo_monitor.app.deck import escaped, plain
from geo_monitor.app.uploads import on_disk, speak, told
from geo_monitor.app.words import Speaker, moment
from geo_monitor.messages import text
from geo_monitor.store.basemaps import ENDINGS, NAME_LENGTH, Basemap

if TYPE_CHECKING:
    from geo_monitor.workspace import Workspace


def draw(held: Workspace, speaker: Speaker) -> None:
    """The part. Tells errors of `Basemaps` in words. Raises `Denied("not_allowed")`."""
    held.viewer.needs("keep")
    st.caption(speaker.say("admin_basemap_say"))
    every = held.basemaps.every()
    left, right = st.columns([1, 1.5], gap="medium")
    with left:
        forms.heading(speaker.say("admin_basemap_add"))
        _add(held, speaker)
    with right:
        forms.heading(speaker.say("admin_basemap_list"))
        if every:
            _list(every, speaker)
            _remove(held, [one.name for one in every], speaker)
        else:
            st.info(text("basemap_none", speaker.lang))


def _add(held: Workspace, speaker: Speaker) -> None:
    speak(speaker)
    with st.form("admin-basemap"):
        sent = st.file_uploader(
            speaker.say("admin_basemap_file"), type=[end[1:] for end in ENDINGS], key=forms.key("basemap-file")
        )
        name = st.text_input(
            speaker.say("admin_basemap_name"), key=forms.key("basemap-name"), max_chars=NAME_LENGTH, autocomplete="off"
        ).strip()
        st.caption(escaped(speaker.say("admin_basemap_big")))
        if st.form_submit_button(speaker.say("admin_basemap_add"), type="primary"):
            if sent is None:
                st.warning(speaker.say("admin_basemap_no_file"))
                return
            with told(speaker):
                with on_disk([sent]) as file, st.spinner(speaker.say("admin_basemap_working")):
                    made = held.basemaps.add(file, name or None)
                forms.done(speaker, "admin_basemap_added", name=plain(made.name))


def _list(every: list[Basemap], speaker: Speaker) -> None:
    import pandas as pd

    shown = [
        {
            speaker.say("admin_basemap_name").split("（")[0].split(" (")[0]: plain(one.name),
            speaker.say("admin_basemap_kind"): text(f"basemap_kind_{one.kind}", speaker.lang),
            speaker.say("admin_basemap_bounds"): "{:.3f}, {:.3f} – {:.3f}, {:.3f}".format(*one.bounds),
            speaker.say("admin_basemap_of"): plain(one.file),
            speaker.say("admin_basemap_who"): plain(one.who),
            speaker.say("admin_basemap_at"): _when(one.at),
            "SHA-256": plain(one.sha256),
        }
        for one in every
    ]
    st.dataframe(pd.DataFrame(shown), hide_index=True, key="admin-basemaps")


def _when(at: str) -> str:
    import pandas as pd

    found = pd.to_datetime(at, utc=True, errors="coerce")
    return plain(at) if found is pd.NaT else moment(found)


def _remove(held: Workspace, names: list[str], speaker: Speaker) -> None:
    with st.form("admin-basemap-remove"):
        name = st.selectbox(
            speaker.say("admin_basemap_pick"),
            names,
            index=None,
            format_func=plain,
            placeholder=speaker.say("admin_choose"),
            key=forms.key("basemap-pick"),
        )
        ticked = st.checkbox(speaker.say("admin_basemap_sure"), key=forms.key("basemap-sure"))
        pressed = st.form_submit_button(speaker.say("admin_basemap_remove"))
        if pressed and name is not None and forms.sure(ticked, speaker):
            with told(speaker):
                held.basemaps.remove(name)
                forms.done(speaker, "admin_basemap_removed", name=plain(name))
