"""Asking for an analysis on the page, and what becomes of it: a form, a bar, a way to stop it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.app import data, underway
from geo_monitor.app.job import jobs
from geo_monitor.app.uploads import told
from geo_monitor.app.words import Speaker

if TYPE_CHECKING:
    from geo_monitor.store.rights import Viewer


def draw(path: str, viewer: Viewer, speaker: Speaker) -> None:
    """The part, for whoever may analyse. `path`: the door of the workspace; `viewer`: who acts."""
    if "analyse" not in viewer.rights:
        return
    root = str(data.workspace(path).root)
    with st.expander(speaker.say("again"), expanded=underway.running(root, "analyse", viewer)):
        underway.draw(root, "analyse", viewer, speaker, lambda run: st.success(speaker.say("again_done", run=run)))
        if not underway.running(root, "analyse", viewer):
            _form(root, viewer, speaker)


def _form(root: str, viewer: Viewer, speaker: Speaker) -> None:
    with st.form("analyse-again"):
        all_ = st.checkbox(speaker.say("again_all"), value=True, key="again-all")
        low, high = st.columns(2)
        start: date | None = low.date_input(speaker.say("again_from"), value=None, key="again-from")
        end: date | None = high.date_input(speaker.say("again_to"), value=None, key="again-to")
        methods = st.selectbox(
            speaker.say("again_methods"),
            ["rates,gistar", "all"],
            format_func=lambda name: speaker.say("again_usual" if name != "all" else "again_every"),
            key="again-methods",
        )
        if st.form_submit_button(speaker.say("again_start"), type="primary"):
            asked: dict[str, Any] = {"methods": methods}
            if not all_:
                asked["start"] = None if start is None else start.isoformat()
                asked["end"] = None if end is None else (end + timedelta(days=1)).isoformat()
            with told(speaker):
                if jobs().start(root, viewer, "analyse", asked) is None:
                    st.warning(speaker.say("job_busy"))
                    return
                st.rerun()
