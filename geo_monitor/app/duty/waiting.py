"""The queue by its clock: a part of the page with a beat of its own, so that clocks count down and nothing else moves."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pandas as pd
import streamlit as st

from geo_monitor.app import controls, data, door, panel
from geo_monitor.app.deck import escaped, plain
from geo_monitor.app.duty import board, look
from geo_monitor.app.duty.board import Wanted
from geo_monitor.app.duty.look import GRADES as COLOURS
from geo_monitor.app.duty.look import badge
from geo_monitor.app.legend import css
from geo_monitor.app.rows import rows
from geo_monitor.tables import GRADES

if TYPE_CHECKING:
    from geo_monitor.app.duty.words import Teller

BEAT_S = 2.0
PAGE, PAGE_WALL = 10, 14  # rows of a page of the queue
PAGE_KEY = "duty-queue-page"
NAMED = 3  # overdue warnings named on the page of the situation


@dataclass(frozen=True)
class Asked:
    """What the whole page was drawn for; the beat draws it anew where that is not so any more (`changed`)."""

    path: str
    seen: str
    how: Wanted
    run_id: str | None
    drawn: str
    teller: Teller


def changed(seen: str, mark: str, how: Wanted, run_id: str | None, chosen: str | None) -> str:
    """Moves when the map or the chosen warning must be drawn anew; not with every revision of every warning."""
    frame = board.asked_for(seen, mark, how, run_id)
    return f"{_map(seen, mark, how, run_id, frame)}|{of_chosen(seen, mark, chosen)}"


@st.cache_resource(show_spinner=False, max_entries=32)
def _map(seen: str, mark: str, how: Wanted, run_id: str | None, _frame: pd.DataFrame) -> int:
    return hash(tuple(zip(_frame["warning_id"], _frame["grade"], strict=True)))


def of_chosen(seen: str, mark: str, chosen: str | None) -> str:
    """The state of the chosen warning and of its taskings."""
    if chosen is None:
        return ""
    found = [frame for every in (False, True) if len(frame := _one(seen, mark, chosen, every))]
    revision = int(found[0]["revision"].iloc[0]) if found else 0
    mine = board.taskings(seen, mark)
    mine = mine[mine["warning_id"] == chosen]
    return f"{chosen}:{revision}:{len(mine)}:{int(mine['revision'].sum())}"


def _one(seen: str, mark: str, chosen: str, every: bool) -> pd.DataFrame:
    frame = board.warnings(seen, mark, every)
    return frame[frame["warning_id"] == chosen]


def draw(asked: Asked) -> None:
    """The part; draws itself every `BEAT_S` seconds."""
    st.fragment(_draw, run_every=BEAT_S)(asked)


def _draw(asked: Asked) -> None:
    if not door.alive(data.workspace(asked.path)):
        st.rerun(scope="app")  # leads to the sign-in
    mark, wall = board.mark(asked.path), controls.wall()
    chosen = board.chosen()
    if changed(asked.seen, mark, asked.how, asked.run_id, chosen) != asked.drawn:
        st.rerun(scope="app")
    teller, at = asked.teller, pd.Timestamp(board.now(asked.path))
    frame = board.asked_for(asked.seen, mark, asked.how, asked.run_id)
    every = board.warnings(asked.seen, mark)
    st.html(counted(frame, at, teller))
    if not len(frame):
        _empty(asked, len(every), at)
        return
    size = PAGE_WALL if wall else PAGE
    pages = -(-len(frame) // size)
    page = min(int(st.session_state.get(PAGE_KEY, 0)), pages - 1)
    settings = data.workspace(asked.path).settings
    for row in rows(frame.iloc[page * size : (page + 1) * size]):
        here = row.warning_id == chosen
        html = line(row, at, teller, settings, here)
        if wall:
            st.html(html)
            continue
        said, go = st.columns([6, 1], vertical_alignment="center", gap="small")
        said.html(html)
        go.button(
            teller.say("look"), key=f"duty-look-{row.warning_id}", on_click=board.choose, args=(row.warning_id,),
            width="stretch", type="primary" if here else "secondary",
        )  # fmt: skip
    if pages > 1:
        _pager(page, pages, len(frame), teller)
    if len(frame) < len(every):
        st.caption(teller.say("filtered", n=f"{len(every) - len(frame):,}"))


def _pager(page: int, pages: int, n: int, teller: Teller) -> None:
    back, where, on = st.columns([1, 2, 1], vertical_alignment="center")
    back.button(
        teller.say("page_back"), key="duty-back", on_click=_turn, args=(page - 1,), disabled=page == 0, width="stretch"
    )
    where.caption(teller.say("page_of", page=page + 1, pages=pages, n=f"{n:,}"))
    on.button(
        teller.say("page_on"),
        key="duty-on",
        on_click=_turn,
        args=(page + 1,),
        disabled=page == pages - 1,
        width="stretch",
    )


def _turn(page: int) -> None:
    st.session_state[PAGE_KEY] = max(page, 0)


def counted(frame: pd.DataFrame, at: pd.Timestamp, teller: Teller) -> str:
    """How many wait per grade, and how many clocks have run out, HTML."""
    theme = controls.theme()
    n = frame["grade"].value_counts()
    parts = [f"<span>{badge(grade, teller.grade(grade), theme)} {int(n.get(grade, 0)):,}</span>" for grade in GRADES]
    over = int((frame["due_at"] < at).sum())
    words = teller.say("overdue_n", n=f"{over:,}") if over else teller.say("overdue_none")
    parts.append(f'<span class="{"over" if over else ""}">{escape(words)}</span>')
    return f'<div class="counts">{"".join(parts)}</div>'


def line(row: Any, at: pd.Timestamp, teller: Teller, settings: Any, here: bool = False) -> str:
    """One warning of the queue, HTML: grade, place, clock; class, locality, since when, probability, state, who signs."""
    told = board.told(row)
    left, over = teller.clock(row, at)
    state = [teller.of(f"alerts.state_{row.state}"), teller.signs(row, at, settings)]
    parts = [
        teller.of(f"alerts.class_{row.cls}"),
        teller.locality(row),
        teller.since(row, told),
        teller.chance(row, told),
        teller.listed(state),
    ]
    theme = controls.theme()
    text = panel.text
    return (
        f'<div class="warn{" here" if here else ""}" style="border-color:{css(COLOURS[theme][row.grade])}"><div class="top">'
        f"{badge(row.grade, teller.grade(row.grade), theme)}<b>{text(teller.place(row, told))}</b>"
        f'<span class="left{" over" if over else ""}">{text(left)}</span></div><p>{text(teller.joined(parts))}</p></div>'
    )


def _empty(asked: Asked, others: int, at: pd.Timestamp) -> None:
    """That nothing waits, whether anybody listens, and what to do."""
    teller = asked.teller
    st.info(teller.say("empty_filtered" if others else "empty", n=f"{others:,}"))
    heard = [(feed, age) for feed, age in board.feeds(asked.path, at.to_pydatetime())]
    running = [(feed, age) for feed, age in heard if age <= board.HEARD_S]
    if running:
        names = teller.listed([_shown(feed.name) for feed, _ in running[:4]])
        st.caption(
            escaped(teller.say("watch_running", n=len(running), names=names, age=teller.speaker.age(running[0][1])))
        )
    elif heard:
        name, age = _shown(heard[0][0].name), teller.speaker.age(heard[0][1])
        st.warning(escaped(teller.say("watch_stopped", name=name, age=age)))
    else:
        st.warning(teller.say("watch_never"))


def _shown(name: str) -> str:
    """A feed as people know it: no more of a path than its last part."""
    return plain(name if "://" in name else name.replace("\\", "/").rsplit("/", 1)[-1])[:60]


def line_of(path: str, teller: Teller) -> None:
    """How many warnings wait per grade, those that are overdue by name, and the way to them: for the situation's page."""
    frame = board.warnings(board.shared(path), board.mark(path))
    at, say = pd.Timestamp(board.now(path)), teller.say
    theme = controls.theme()
    n = frame["grade"].value_counts()
    parts = [f"<span>{badge(g, teller.grade(g), theme)} {int(n[g]):,}</span>" for g in GRADES if g in n]
    over = frame[frame["due_at"] < at]
    told = ""
    if len(over):
        named = [f"{teller.grade(row.grade)} {teller.place(row, board.told(row))}" for row in rows(over.head(NAMED))]
        words = say("line_over", names=teller.listed(named))
        more = f" {say('line_more', n=len(over))}" if len(over) > NAMED else ""
        told = f'<p class="over">{panel.text(words + more)}</p>'
    rest = {name: st.query_params[name] for name in ("lang", "embed_options", "wall") if name in st.query_params}
    link = f'<a href="warnings?{urlencode(rest)}" target="_self">{escape(say("line_go"))}</a>'
    body = " ".join(parts) or escape(say("line_none"))
    st.html(
        f'{look.style(theme)}<div class="lines"><div class="counts"><b>{escape(say("line"))}</b>{body} {link}</div>{told}</div>'
    )
