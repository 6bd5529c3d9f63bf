"""What became of warnings: those that are done, the counts of the bulletin, what each grade was worth."""

from __future__ import annotations

from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from geo_monitor.alerts import counts
from geo_monitor.app import data
from geo_monitor.app.deck import plain
from geo_monitor.app.duty import board
from geo_monitor.app.duty.board import Wanted
from geo_monitor.app.duty.words import Teller, moment
from geo_monitor.app.rows import rows
from geo_monitor.app.uploads import told
from geo_monitor.app.words import number, percent
from geo_monitor.tables import OUTCOMES

ROWS = 100  # rows of a page of what is done
MONTHS_ROWS = 500  # rows of the counts at most


def done(path: str, how: Wanted, run_id: str | None, teller: Teller) -> None:
    """Closed and recalled warnings, newest first; a click on a row chooses it."""
    frame = board.asked_for(board.shared(path), board.mark(path), how, run_id, done=True)
    if not len(frame):
        st.info(teller.say("nothing_done"))
        return
    pages = -(-len(frame) // ROWS)
    page = 1
    if pages > 1:
        page = int(
            st.number_input(teller.say("page_which", pages=pages, n=f"{len(frame):,}"), 1, pages, key="duty-done-page")
        )
    part = frame.iloc[(page - 1) * ROWS : page * ROWS]
    ids = part["warning_id"].tolist()
    shown = []
    for row in rows(part):
        evidence = board.told(row)
        shown.append(
            {
                teller.say("col_grade"): teller.grade(row.grade),
                teller.say("col_place"): plain(teller.place(row, evidence)),
                teller.say("col_class"): teller.of(f"alerts.class_{row.cls}"),
                teller.say("col_opened"): moment(row.opened_at),
                teller.say("col_done"): moment(row.revised_at),
                teller.say("col_outcome"): teller.of(f"alerts.outcome_{row.outcome}")
                if isinstance(row.outcome, str)
                else teller.of(f"alerts.state_{row.state}"),
                teller.say("col_who"): plain(teller.account(row.revised_by)),
                teller.say("col_locality"): plain(teller.locality(row)),
            }
        )
    key = f"duty-done-{page}-{board.chosen()}"
    st.dataframe(
        pd.DataFrame(shown), hide_index=True, key=key, height=min(38 + 35 * len(shown), 620),
        on_select=lambda: _from_table(key, ids), selection_mode="single-cell",
    )  # fmt: skip


def _from_table(key: str, ids: list[str]) -> None:
    for row, _ in st.session_state[key]["selection"]["cells"]:
        board.choose(ids[row])
        return


@st.cache_resource(show_spinner=False, max_entries=16)
def _counts(seen: str, mark: str, how: Wanted, run_id: str | None) -> pd.DataFrame:
    parts = [board.asked_for(seen, mark, how, run_id, ended) for ended in (False, True)]
    rows = [row for part in parts for row in board.plain_rows(part)]
    return counts.counts(rows, board.plain_rows(board.taskings(seen, mark)))


@st.cache_resource(show_spinner=False, max_entries=8)
def _hit_rates(seen: str, mark: str) -> pd.DataFrame:
    return data.workspace(seen).desk.hit_rates()


def draw(path: str, how: Wanted, run_id: str | None, teller: Teller) -> None:
    """Counts by locality, month and grade of the warnings asked for; what each grade was worth beside its cut-off."""
    seen, mark = board.shared(path), board.mark(path)
    with told(teller.speaker):
        st.html(f'<h3 class="part">{escape(teller.say("rates"))}</h3>')
        _rates(_hit_rates(seen, mark), teller)
        st.html(f'<h3 class="part">{escape(teller.say("counts"))}</h3>')
        _bulletin(_counts(seen, mark, how, run_id), teller)


def share(row: Any, name: str) -> str:
    """A share with its interval: "12% (5%–24%)"; empty where nothing is known.

    >>> from types import SimpleNamespace
    >>> share(SimpleNamespace(rate=0.12, rate_lo=0.05, rate_hi=0.24), "rate")
    '12% (5%–24%)'
    """
    value = getattr(row, name)
    if pd.isna(value):
        return ""
    return f"{_share(value)} ({_share(getattr(row, f'{name}_lo'))}–{_share(getattr(row, f'{name}_hi'))})"


def _share(value: float) -> str:
    """A measured share: unlike a probability it may be nothing or all."""
    return f"{value:.0%}" if value in (0.0, 1.0) else percent(float(value))


def _rates(rates: pd.DataFrame, teller: Teller) -> None:
    inside = percent(teller.speaker.settings.interval)
    shown = [
        {
            teller.say("col_grade"): teller.grade(row.grade),
            teller.say("col_cut_off"): f"≥ {row.cut_off:g}" if row.cut_off else teller.say("the_rest"),
            teller.say("col_settled"): int(row.situations),
            teller.say("col_cases"): int(row.cases),
            teller.say("col_hit", inside=inside): share(row, "rate") or teller.say("none_settled"),
            teller.say("col_expected"): "" if pd.isna(row.expected) else percent(float(row.expected)),
        }
        for row in rows(rates)
    ]
    st.dataframe(pd.DataFrame(shown), hide_index=True, key="duty-rates")
    st.caption(teller.say("rates_how"))


def _bulletin(frame: pd.DataFrame, teller: Teller) -> None:
    if not len(frame):
        st.info(teller.say("no_counts"))
        return
    frame = frame.sort_values("month", ascending=False, kind="stable").head(MONTHS_ROWS)
    numbers = ("raised", "signed_in_time", "escalated", "overdue", "reached", "verified")
    shown = []
    for row in frame.to_dict("records"):
        code = row["adcode"] if isinstance(row["adcode"], str) else None
        shown.append(
            {
                teller.say("col_locality"): plain(teller.speaker.locality(code)) or teller.say("no_locality"),
                teller.say("col_month"): row["month"],
                teller.say("col_grade"): teller.grade(row["grade"]),
                **{teller.say(f"col_{name}"): int(row[name]) for name in numbers},
                **{teller.of(f"alerts.outcome_{name}"): int(row[name]) for name in OUTCOMES},
                teller.say("col_recalled"): int(row["recalled"]),
                teller.say("col_minutes"): "" if pd.isna(row["minutes_to_sign"]) else number(row["minutes_to_sign"]),
            }
        )
    st.dataframe(pd.DataFrame(shown), hide_index=True, key="duty-counts", height=min(38 + 35 * len(shown), 560))
