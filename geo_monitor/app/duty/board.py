"""What the pages of the duty read: warnings, taskings, rules, feeds; once for all who see the same of them.

Frames are kept under `mark`, which moves with every revision of anybody, so that the beat of a page costs one small
question to the store. Pages act through the `Desk` of who acts (`act`), which decides what may be done.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from geo_monitor.alerts.rows import LIVE
from geo_monitor.app import controls, data, door
from geo_monitor.errors import GeoMonitorError, Refused
from geo_monitor.loop.warnings import WHO
from geo_monitor.store import live, revisions
from geo_monitor.tables import GRADES, WARNING_CLASSES
from geo_monitor.times import utc

if TYPE_CHECKING:
    from geo_monitor.store.live import Feed

CHOSEN = "duty-chosen"  # keys of the session: the id of the chosen warning,
FORM = "duty-form"  # the form that is open below it,
SAID = "duty-said"  # what was said of the last thing done,
TURN = "duty-turn"  # how often something was done: fields begin empty after it
SAID_S = 60.0  # seconds that what was said stays
HEARD_S = 300.0  # seconds since its last batch in which a feed counts as heard


def wall_ms() -> int:
    """What the clock on the wall says, ms UTC."""
    return int(time.time() * 1000)


def now(path: str) -> datetime:
    """The present: by the wall, or where the clock of a replayed night stands."""
    return data.workspace(path).desk.replayed_to or wall()


def wall() -> datetime:
    """The present by the wall: rules are approved and expire by it even where a night is replayed."""
    return utc(wall_ms())


def shared(path: str) -> str:
    """The door of all with the same rights as who stands at `path`: what is read for one is kept for all of them."""
    root, viewer = door.parts(path)
    return path if viewer is None else door.key(root, viewer)


def mark(path: str) -> str:
    """Moves with every revision of warnings, taskings and rules, and when somebody may see more or less."""
    held = data.workspace(path)
    return f"{revisions.mark(held._store, 'warnings', 'taskings', 'rules')}|{held.accounts.stamp()}"


@st.cache_resource(show_spinner=False, max_entries=16)
def warnings(seen: str, mark: str, every: bool = False) -> pd.DataFrame:
    """The queue by its clock (`Desk.queue`; left_s is not used: it moves); `every`: closed and recalled ones instead,
    newest first."""
    frame = data.workspace(seen).desk.queue(now(seen), every)
    frame = frame.assign(cls=frame["class"])  # a word that a row cannot be asked for by name
    if not every:
        return frame
    done = frame[~frame["state"].isin(LIVE)]
    return done.sort_values(["revised_at", "warning_id"], ascending=[False, True]).reset_index(drop=True)


@st.cache_resource(show_spinner=False, max_entries=8)
def taskings(seen: str, mark: str) -> pd.DataFrame:
    """All taskings that are seen, newest first."""
    frame = data.workspace(seen).desk.taskings()
    return frame.sort_values(["made_at", "tasking_id"], ascending=[False, True]).reset_index(drop=True)


def feeds(path: str, at: datetime) -> list[tuple[Feed, float]]:
    """Feeds with the seconds since something last came of each, the latest first."""
    ms = round(at.timestamp() * 1000)
    found = [(feed, max(ms - feed.seen_at, 0) / 1000) for feed in live.feeds(data.workspace(path)._store)]
    return sorted(found, key=lambda one: one[1])


def plain_rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as `geo_monitor.alerts` takes them: times ms UTC, lists as tuples, nothing as None.

    >>> frame = pd.DataFrame({"at": pd.to_datetime([1000, None], unit="ms", utc=True), "ids": [["a"], []]})
    >>> plain_rows(frame)
    [{'at': 1000, 'ids': ('a',)}, {'at': None, 'ids': ()}]
    """
    columns: dict[str, list[Any]] = {}
    for name in frame.columns:
        values = frame[name]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            ms = values.dt.as_unit("ms").astype("int64")
            columns[name] = [int(v) if ok else None for v, ok in zip(ms, values.notna(), strict=True)]
        else:
            columns[name] = [_plain(value) for value in values]
    names = list(columns)
    return [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple) or (hasattr(value, "tolist") and getattr(value, "ndim", 0) > 0):
        return tuple(value)
    return None if value is None or value is pd.NA or value != value else value


def told(row: Any) -> dict[str, Any]:
    """The evidence of a row of a frame."""
    return dict(json.loads(row.evidence)) if isinstance(row.evidence, str) and row.evidence else {}


# --- what is wanted -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """Filters: an area (as `data.in_area`), grades, classes."""

    area: tuple[Any, ...] = ("basin",)
    grades: tuple[str, ...] = GRADES
    classes: tuple[str, ...] = WARNING_CLASSES

    @property
    def everything(self) -> bool:
        return self == Wanted()


def wanted(frame: pd.DataFrame, how: Wanted, water: pd.DataFrame | None) -> pd.DataFrame:
    """Rows of `frame` that are asked for. water: `levels.joined` of the latest analysis, which knows the reaches of an
    area; where a warning lies on none, its locality tells for a province or city."""
    keep = frame["grade"].isin(how.grades) & frame["class"].isin(how.classes)
    if how.area[0] != "basin":
        ids = set() if water is None else set(data.in_area(water, how.area)["reach_id"])
        inside = frame["reach_id"].isin(ids)
        if how.area[0] in ("province", "city"):
            inside |= frame["adcode"].fillna("").str.startswith(str(how.area[1]))
        keep &= inside
    return frame if keep.all() else frame[keep].reset_index(drop=True)


@st.cache_resource(show_spinner=False, max_entries=32)
def asked_for(seen: str, mark: str, how: Wanted, run_id: str | None, done: bool = False) -> pd.DataFrame:
    """The warnings that wait (`done`: those that do not any more) and are wanted."""
    water = None
    if run_id is not None and how.area[0] != "basin":
        of = data.runs(seen)
        water = data.reaches(seen, run_id, data.period(of[of["run_id"] == run_id].iloc[0])[1])
    return wanted(warnings(seen, mark, done), how, water)


def listed(name: str, every: tuple[str, ...]) -> tuple[str, ...]:
    """What the address says of a filter: those of `every` it names, all of them where it names none."""
    given = (st.query_params.get(name) or "").split(",")
    return tuple(one for one in every if one in given) or every


# --- choosing and acting --------------------------------------------------------------------------------------------


def from_address() -> None:
    """Chooses the warning that the address names, once for a session."""
    if CHOSEN not in st.session_state:
        st.session_state[CHOSEN] = st.query_params.get("warning")


def chosen() -> str | None:
    """The id of the chosen warning."""
    found: str | None = st.session_state.get(CHOSEN)
    return found


def choose(warning_id: str | None) -> None:
    """Chooses a warning (None: none)."""
    if warning_id != st.session_state.get(CHOSEN):
        st.session_state.pop(FORM, None)
        st.session_state.pop(SAID, None)
    st.session_state[CHOSEN] = warning_id
    controls.remember("warning", warning_id)


def from_map(name: str | None) -> None:
    """A click on the map: on a warning it chooses that one."""
    kind, _, warning_id = (name or "").partition("|")
    if kind == "warning":
        choose(warning_id)


def key(name: str) -> str:
    """The key of a field of a form: of this warning, and another one after every act."""
    return f"duty-{name}-{chosen()}-{st.session_state.get(TURN, 0)}"


def act(path: str, done: str, do: Callable[[datetime], Any], seen: Mapping[str, int] | None = None) -> None:
    """Does something, and keeps what is to be said of it: the sentence `app.duty_done_<done>`, or why it was refused.

    seen: warning_id -> the revision the page showed. Where a person changed it since, nothing is done and who did what is
    told: somebody quicker was there, and what is on the screen is not what stands.
    """
    moment = now(path)
    try:
        for warning_id, revision in (seen or {}).items():
            _quicker(path, warning_id, revision)
        do(moment)
    except GeoMonitorError as error:
        say(error.code, dict(error.params), bad=True)
    else:
        say(f"app.duty_done_{done}", {})
        st.session_state.pop(FORM, None)
        st.session_state[TURN] = st.session_state.get(TURN, 0) + 1


def say(code: str, params: dict[str, Any], bad: bool = False) -> None:
    """Keeps a sentence for `said`."""
    st.session_state[SAID] = (code, params, bad, wall_ms())


def said() -> tuple[str, dict[str, Any], bool] | None:
    """What was said of the last thing done, for `SAID_S`."""
    kept = st.session_state.get(SAID)
    if kept is None or wall_ms() - kept[3] > SAID_S * 1000:
        return None
    return kept[0], kept[1], kept[2]


def _quicker(path: str, warning_id: str, revision: int) -> None:
    """Raises `Refused("changed_meanwhile")` where a person changed a warning after `revision`, with who did it."""
    history = data.workspace(path).desk.history(warning_id)
    later = history[(history["revision"] > revision) & (history["revised_by"] != WHO)]
    if len(later):
        last = later.iloc[-1]
        state = f"@alerts.state_{last['state']}"
        raise Refused("app.duty_quicker", id=warning_id, who=str(last["revised_by"]), state=state)
