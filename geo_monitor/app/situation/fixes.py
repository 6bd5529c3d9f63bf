"""Fixes of a workspace kept in memory for the pages: the last hours, which grow with every upload and with live feeds,
and past nights.

Kept once for all sessions with the same rights. A file of fixes never changes once it is there, and the fixes of feeds
that have no file yet are numbered, so that a tick reads only what came since the last one.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import streamlit as st

from geo_monitor.app import data
from geo_monitor.app.situation.moments import COLUMNS, Fixes
from geo_monitor.store import expire
from geo_monitor.times import utc

if TYPE_CHECKING:
    from geo_monitor.store.seen import Seen

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LIVE_MS = 6 * HOUR_MS  # a unit silent for longer is not drawn any more
SHANGHAI_MS = 8 * HOUR_MS


class Live:
    """The fixes of the last hours behind a door, with what was read of them already."""

    def __init__(self, path: str) -> None:
        self._path, self._lock = path, Lock()
        self._known: frozenset[str] = frozenset()
        self._held: Fixes | None = None
        self._fresh: Fresh | None = None
        self._shown: Fixes | None = None

    def fixes(self, now: int) -> Fixes:
        """All fixes since LIVE_MS before `now`, ms UTC, that are in force at this moment."""
        store = data.workspace(self._path).store
        with self._lock:
            # before the files: what is sealed in between comes twice, not never
            fresh = Fresh.grown(self._fresh, store)
            there = store.tracks()
            start = now - LIVE_MS
            old = self._held is None or self._held.start > start or self._held.start < start - 2 * LIVE_MS
            if self._held is None or old or self._known - there:  # the clock moved on, or an upload was withdrawn
                begin = start - LIVE_MS
                self._held, self._shown = _read(self._path, begin, None, there), None
            elif there - self._known:
                self._held = self._held.joined(_read(self._path, self._held.start, None, there - self._known))
                self._shown = None
            if self._shown is None or fresh is not self._fresh or there != self._known:
                live = fresh.fixes(self._held.start)
                self._shown = self._held.joined(live) if len(live) else self._held
            self._known, self._fresh = there, fresh
            return self._shown


@dataclass(frozen=True)
class Fresh:
    """Fixes (n,) of feeds without a file yet, and their numbers (n,), growing."""

    table: pa.Table
    number: np.ndarray

    @classmethod
    def grown(cls, before: Fresh | None, store: Seen) -> Fresh:
        """What was known before without what is sealed by now, and what came since; `before` itself if all is as it was."""
        ends = store.live_bounds()
        if before is None:
            return cls(*store.live())
        if ends is None:
            return before if not len(before.number) else cls(before.table.slice(0, 0), before.number[:0])
        last = int(before.number.max(initial=0))
        table, number = store.live(last) if ends[1] > last else (before.table.slice(0, 0), before.number[:0])
        keep = before.number >= ends[0]
        if keep.all() and not len(number):
            return before
        return cls(pa.concat_tables([before.table.filter(pa.array(keep)), table]), np.r_[before.number[keep], number])

    def fixes(self, start: int) -> Fixes:
        """Those since `start`, ms UTC."""
        time = np.asarray(self.table["time"].cast(pa.int64()))
        return Fixes.of(self.table.filter(pa.array(time >= start)).select(list(COLUMNS)), start)


@st.cache_resource(show_spinner=False, max_entries=16)
def live(path: str) -> Live:
    """The `Live` behind a door."""
    return Live(path)


@st.cache_resource(show_spinner=False, max_entries=3)
def night(path: str, mark: str, start: int) -> Fixes:
    """The fixes from noon to noon around a night; `start`: `noon` before it, ms UTC. Keeps LIVE_MS before it, too."""
    return _read(path, start - LIVE_MS, start + DAY_MS, None)


@st.cache_resource(show_spinner=False, max_entries=16, ttl=5.0)  # fixes of feeds change no mark
def newest(path: str, mark: str) -> int | None:
    """The time of the latest fix, ms UTC."""
    return data.workspace(path).store.newest()


def noon(moment: int) -> int:
    """The last Shanghai noon up to `moment`, ms UTC: a night belongs to the day on which it began.

    >>> day = 86_400_000
    >>> [noon(day + hour * 3_600_000) // 3_600_000 for hour in (3, 4, 27)]  # 11:00, 12:00 and 11:00 of the next day
    [4, 28, 28]
    """
    shift = SHANGHAI_MS - 12 * HOUR_MS
    return (moment + shift) // DAY_MS * DAY_MS - shift


def first_night(path: str) -> int | None:
    """The noon from which on fixes are held, ms UTC, where those of days before were let go; None: no day was."""
    first = data.workspace(path).store.held_from
    return None if first is None else first + 12 * HOUR_MS


def _read(path: str, start: int, end: int | None, receipts: frozenset[str] | None) -> Fixes:
    store = data.workspace(path).store
    table = store.positions(
        start=expire.since(store, start),  # of the hours before the first night held
        end=None if end is None else utc(end),
        columns=list(COLUMNS),
        encoded=True,
        receipts=receipts,
    )
    return Fixes.of(table, start)
