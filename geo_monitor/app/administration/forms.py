"""What the forms of the administration page share: fresh fields after a change, and places by name and adcode."""

from __future__ import annotations

import html
import json
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NoReturn

import streamlit as st

from geo_monitor.app.deck import escaped, plain
from geo_monitor.app.words import Speaker
from geo_monitor.messages import Lang, text
from geo_monitor.reference import path as reference
from geo_monitor.store.rights import EVERYWHERE

TURN, DONE = "admin-turn", "admin-done"  # keys of the session state


def key(name: str) -> str:
    """The key of a field: another after every change, so that nothing typed (a password) stays in it."""
    return f"admin-{name}-{st.session_state.get(TURN, 0)}"


def heading(words: str) -> None:
    """The head of a section."""
    st.html(f'<h2 class="section">{html.escape(words)}</h2>')


def done(speaker: Speaker, code: str, **params: Any) -> NoReturn:
    """Draws the page anew, with empty fields, and says what was done."""
    st.session_state[DONE] = speaker.say(code, **params)
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
    st.rerun()


def say_done() -> None:
    """Says once what the last change was."""
    words = st.session_state.pop(DONE, None)
    if words:
        st.success(escaped(words))


def sure(ticked: bool, speaker: Speaker) -> bool:
    """Whether a destructive step was confirmed; says so where it was not."""
    if not ticked:
        st.warning(speaker.say("admin_unsure"))
    return ticked


@cache
def localities(lang: Lang) -> Mapping[str, str]:
    """adcode -> Chinese name of the shipped localities, of their provinces and of the whole basin."""
    raw = json.loads(reference("divisions/localities.geojson").read_text(encoding="utf-8"))
    known = {EVERYWHERE: text("app.admin_basin", lang)}
    for feature in raw["features"]:
        one = feature["properties"]
        if one["adcode"]:
            known.setdefault(str(one["parent"]), str(one["parent_name"]))
            known[str(one["adcode"])] = str(one["name"])
    return dict(sorted(known.items()))


def place(adcode: str, speaker: Speaker) -> str:
    """A place as it is written in tables and lists: "荆州市 421000"; the code alone where its name is not known."""
    name = speaker.locality(adcode)
    return plain(adcode if name == adcode else f"{name} {adcode}")


def places(speaker: Speaker, more: Iterable[str] = ()) -> list[str]:
    """The adcodes to choose from: those of the shipped localities, and `more`."""
    return list(dict.fromkeys([*speaker.localities, *more]))
