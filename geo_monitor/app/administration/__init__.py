"""The administration page: accounts, agencies and shares, the audit book, base maps, health. Each part only with its right.

Everything goes through `geo_monitor.workspace` and its accounts, which ask what the viewer may do and write the audit
book; the page only hides what would be refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from geo_monitor.app import data
from geo_monitor.app.administration import agencies, basemaps, book, forms, health, people
from geo_monitor.app.uploads import told
from geo_monitor.app.words import Speaker

if TYPE_CHECKING:
    from geo_monitor.store.rights import Viewer

# part -> the rights of which one opens it, and what draws it
PARTS = {
    "accounts": ({"accounts"}, people.draw),
    "agencies": ({"accounts"}, agencies.draw),
    "audit": ({"audit"}, book.draw),
    "basemaps": ({"keep"}, basemaps.draw),
    "health": ({"keep", "audit"}, health.draw),
}
RIGHTS = ("accounts", "audit", "keep")
# The tables' own download writes cells as they are, so that a spreadsheet would run them: it is not offered here.
CSS = """
<style>
  [data-testid="stElementToolbarButton"]:has(button[aria-label="Download as CSV"]) { display: none; }
  h2.section { font-size: 1.05rem; font-weight: 600; margin: .5rem 0 0; padding: 0; }
  [data-testid="stMetricValue"] { font-size: 1.3rem; }
  .check { border-left: 4px solid #3f8f5f; padding: .15rem .7rem; margin: .3rem 0; line-height: 1.5; }
  .check.look { border-color: #c98a1b; }
  .check.broken { border-color: #d64018; }
  .check b { margin-right: .6rem; }
  .check div { opacity: .75; font-size: .9rem; }
</style>
"""


def open_to(viewer: Viewer) -> bool:
    """Whether any part of the page is this viewer's to see."""
    return bool(viewer.rights & set(RIGHTS))


def page(path: str, speaker: Speaker) -> None:
    """Draws the page for one session; `path` is the door of its workspace, opened for who acts.

    Reads accounts, agencies, shares and the table `audit`. Tells `Denied` (`not_allowed`, `sign_in_needed`) in words.
    """
    st.html(f'<h1 class="page">{speaker.say("page_administration")}</h1>{CSS}')
    with told(speaker):
        held = data.workspace(path)
        held.viewer.needs(*RIGHTS)
        speaker = Speaker(speaker.lang, forms.localities(speaker.lang), held.settings)
        forms.say_done()
        names = [name for name, (rights, _) in PARTS.items() if held.viewer.rights & rights]
        labels = [speaker.say(f"admin_{name}") for name in names]
        tabs = st.tabs(labels, key=f"admin-tab-{speaker.lang}", on_change="rerun")
        for name, tab in zip(names, tabs, strict=True):
            if tab.open:
                with tab, told(speaker):
                    PARTS[name][1](held, speaker)
