"""Asking for an analysis on the page, and what becomes of it: a form, a bar, a way to stop it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from geo_monitor.app import data, door
from geo_monitor.app.deck import escaped, plain
from geo_monitor.app.hotspots.job import Job, jobs
from geo_monitor.app.uploads import told
from geo_monitor.app.words import Speaker, moment
from geo_monitor.messages import catalogue, hint, text

if TYPE_CHECKING:
    from geo_monitor.store.rights import Viewer

TICK_S = 1.0  # seconds between looks at a running job
SEEN = "analysis-seen"  # key of the session: the job whose end was told


def draw(path: str, viewer: Viewer, speaker: Speaker) -> None:
    """The part, for whoever may analyse. `path`: the door of the workspace; `viewer`: who acts."""
    if "analyse" not in viewer.rights:
        return
    root = str(data.workspace(path).root)
    job = jobs().of(root)
    with st.expander(speaker.say("again"), expanded=job is not None and job.state == "running"):
        if job is not None and job.state == "running":
            st.fragment(_running, run_every=TICK_S)(root, viewer, speaker)
            return
        if job is not None:
            _ended(job, speaker)
        _form(root, viewer, speaker)


def _running(root: str, viewer: Viewer, speaker: Speaker) -> None:
    job = jobs().of(root)
    if job is None or job.state != "running" or not door.alive(data.workspace(root)):
        st.rerun(scope="app")
        return
    code = f"stage.{job.stage}"
    name = text(code, speaker.lang) if code in catalogue() else job.stage
    st.progress(min(max(job.share, 0.0), 1.0), text=name)
    st.caption(speaker.say("again_by", who=plain(job.who), time=moment(pd.Timestamp(job.started))))
    mine = viewer.account == job.who or "accounts" in viewer.rights
    if mine and st.button(speaker.say("again_stop"), key="stop-analysis"):
        job.stop()
        st.rerun(scope="app")


def _ended(job: Job, speaker: Speaker) -> None:
    if job.state == "done":
        st.success(speaker.say("again_done", run=job.run_id))
    elif job.state == "stopped":
        st.info(speaker.say("again_stopped"))
    elif job.error is not None:
        code, params = job.error
        st.error(escaped(plain(text(code, speaker.lang, **params))))
        more = hint(code, speaker.lang, **params)
        if more:
            st.info(escaped(plain(more)))
    else:
        st.error(speaker.say("again_fault"))


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
                if jobs().start(root, viewer, asked) is None:
                    st.warning(speaker.say("again_busy"))
                    return
                st.rerun()
