"""What the browser tests serve: the real page over the workspace of `tests.app.fake`."""

import os

import streamlit as st

import geo_monitor.workspace
from geo_monitor.app.main import page
from tests.app.fake import FakeWorkspace


@st.cache_resource
def held() -> FakeWorkspace:
    return FakeWorkspace(empty=os.environ.get("FAKE_EMPTY") == "1")


geo_monitor.workspace.open_workspace = lambda path: held()
page()
