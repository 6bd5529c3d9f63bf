"""A job of `job.py` on a page: how far it is, a way to stop it, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import streamlit as st

from geo_monitor.app import data, door
from geo_monitor.app.deck import escaped, plain
from geo_monitor.app.job import Job, jobs
from geo_monitor.app.words import Speaker, moment
from geo_monitor.messages import catalogue, hint, text
from geo_monitor.store.rights import Viewer

TICK_S = 1.0  # seconds between looks at a running job


def running(root: str, work: str, viewer: Viewer) -> bool:
    """Whether one is under way."""
    job = jobs().of(root, work, viewer)
    return job is not None and job.state == "running"


def draw(root: str, work: str, viewer: Viewer, speaker: Speaker, done: Callable[[Any], object]) -> None:
    """The job under way, or what became of the last one until it is put away; `done` draws its result."""
    job = jobs().of(root, work, viewer)
    if job is None:
        return
    if job.state == "running":
        st.fragment(_running, run_every=TICK_S)(job, viewer, speaker)
        return
    if job.state == "done":
        done(job.result)
    elif job.state == "stopped":
        st.info(speaker.say("job_stopped"))
    elif job.error is not None:
        code, params = job.error
        st.error(escaped(plain(text(code, speaker.lang, **params))))
        more = hint(code, speaker.lang, **params)
        if more:
            st.info(escaped(plain(more)))
    else:
        st.error(speaker.say("job_fault"))
    st.button(speaker.say("job_close"), key=f"close-{work}", on_click=jobs().forget, args=(job,))


def _running(job: Job, viewer: Viewer, speaker: Speaker) -> None:
    if job.state != "running" or not door.alive(data.workspace(job.root)):
        st.rerun(scope="app")
        return
    code = f"stage.{job.stage}"
    name = text(code, speaker.lang) if code in catalogue() else job.stage
    st.progress(min(max(job.share, 0.0), 1.0), text=name)
    seconds = (datetime.now(UTC) - job.started).total_seconds()
    began = moment(pd.Timestamp(job.started))
    st.caption(speaker.say("job_by", who=plain(job.who), time=began, seconds=f"{seconds:,.0f}"))
    mine = viewer.account == job.who or "accounts" in viewer.rights
    if mine and st.button(speaker.say("job_stop"), key=f"stop-{job.work}"):
        job.stop()
        st.rerun(scope="app")
