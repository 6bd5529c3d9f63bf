"""Batch and live give the same: any batches, any order, repeats, a restart, and fixes given up and read again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor.events.detect import Detection, detect, same
from geo_monitor.events.event import Event
from geo_monitor.events.fixes import Fixes
from geo_monitor.events.rule import Rule
from geo_monitor.settings import Settings
from tests.events.made import LEVELS, T0, fixes, rule, water, zones
from tests.river.drawing import EAST, LAT, LON, NORTH

# thresholds so short that random tracks of hours meet them
SHORT = Settings(
    event_late_s=1200.0, event_cut_s=7200.0, event_slow_s=240.0, event_meeting_m=150.0, event_meeting_s=120.0,
    event_gap_s=400.0, event_gap_factor=2.0, event_gap_others=1, event_gap_share=0.5, event_gap_moored_s=600.0,
    event_loiter_s=240.0, event_overdue_s=3600.0, event_overdue_silent_s=1900.0, event_overdue_m=300.0,
    event_avoids_least=1, event_avoids_p=0.9, event_avoids_apart_s=600.0, event_avoids_rest_s=180.0,
    event_avoids_left_s=300.0, event_avoids_left_m=300.0, event_meeting_still_s=1200.0,
)  # fmt: skip
LAW = zones(
    {"zone_id": "Z", "box": (-400, -200, 300, 200)},
    {"zone_id": "P", "rule": "须持许可", "box": (100, -100, 900, 300)},
    {"zone_id": "L", "category": "码头", "box": (-50, 0, 50, 60)},
)
RULES = (
    rule("zone_entry"), rule("slow"), rule("meeting"), rule("gap"), rule("dark"), rule("loiter"),
    rule("no_permit", allowed=("b",)), rule("overdue"), rule("avoids"),
    Rule("night", 1, "slow", {"slow_s": 60.0}, hours=(22.5, 3.0)),
    Rule("here", 2, "gap", {"gap_s": 300.0}, zones=("Z",), reaches=(("长江", 19.0, 20.5),)),
)  # fmt: skip
STEPS = (1, 10, 30, 60, 170, 290, 301, 700, 1900)


def made_up(seed: int, n: int) -> Fixes:
    """A few boats, a patrol and a camera about a zone, a landing and each other, over some hours."""
    rng = np.random.default_rng(seed)
    parts = []
    for unit, patrol, platform in (("a", False, None), ("b", False, "boat"), ("c", False, None), ("p", True, "boat"),
                                   ("k", False, "camera")):  # fmt: skip
        often = rng.dirichlet(np.array([1, 4, 8, 8, 2, 2, 1, 0.6, 0.4]))
        step = rng.choice(STEPS, n, p=often)
        if rng.random() < 0.3:
            step[rng.integers(n)] = 7300
        t = np.cumsum(step) + int(rng.integers(0, 600))
        mode = rng.choice([0.0, 0.6, 4.0], n, p=[0.5, 0.35, 0.15])
        stay = np.sort(rng.integers(0, n, 4))
        speed = np.repeat(mode[:5], np.diff([0, *stay, n])) * rng.choice([-1, 1])
        x = np.clip(np.cumsum(speed * step) + rng.normal(0, 8, n) + rng.choice([-200, 0, 40]), -3000, 3000)
        y = rng.normal(20, 15, n)
        parts.append(Fixes(
            np.array([unit] * n, dtype=object), T0 + t.astype(np.int64) * 1000, LON + x / EAST, LAT + y / NORTH,
            np.full(n, np.nan), np.full(n, np.nan), np.full(n, patrol), np.array([platform] * n, dtype=object),
        ))  # fmt: skip
    return fixes(*parts)


def whole(given_: Fixes, now: int) -> list[Event]:
    return detect(given_, water(), LAW, LEVELS, RULES, SHORT, now)


class Book:
    """What somebody who writes down all that `changed` tells has in the end."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}

    def write(self, told: tuple[Sequence[Event], Sequence[str]]) -> None:
        for name in told[1]:
            assert name in self.events
            del self.events[name]
        self.events |= {event.event_id: event for event in told[0]}

    def same(self, events: Sequence[Event]) -> None:
        assert sorted(self.events) == sorted(event.event_id for event in events)
        for event in events:
            mine = self.events[event.event_id]
            assert same(mine, event), (mine, event)


def batches(given_: Fixes, rng: np.random.Generator, order: np.ndarray) -> list[np.ndarray]:
    cuts = np.sort(rng.integers(0, len(given_), int(rng.integers(0, 25))))
    return [part for part in np.split(order, cuts) if len(part)]


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), n=st.integers(5, 120), how=st.sampled_from(["any", "late", "time"]))
def test_any_order_in_any_batches(seed: int, n: int, how: str) -> None:
    every = made_up(seed, n)
    rng = np.random.default_rng(seed + 1)
    shift = {"any": 10**9, "late": 1_000_000, "time": 0}[how]
    order = np.argsort(every.time + rng.integers(0, shift + 1, len(every)), kind="stable")
    now = int(every.time.max())
    detection = Detection(water(), LAW, LEVELS, RULES, SHORT)
    book = Book()
    for part in batches(every, rng, order):
        detection.feed(every[part])
        if rng.random() < 0.3:
            detection.feed(every[part])  # sent twice
        if rng.random() < 0.8:
            book.write(detection.changed(int(every.time[part].max())))
    book.write(detection.changed(now))
    book.same(whole(every, now))
    assert detection.changed(now) == ([], [])


def test_made_up_tracks_show_every_kind() -> None:
    kinds: set[str] = set()
    for seed in range(12):
        every = made_up(seed, 120)
        kinds |= {event.kind for event in whole(every, int(every.time.max()))}
    assert kinds == {"zone_entry", "slow", "meeting", "gap", "dark", "loiter", "no_permit", "overdue", "avoids"}


class Store:
    """Keeps fixes, and reads of a unit what the detection asks for."""

    def __init__(self) -> None:
        self.fixes = fixes()
        self.asked = 0

    def keep(self, more: Fixes) -> None:
        self.fixes = fixes(self.fixes, more)

    def since_cut(self, unit: str, ms: int) -> Fixes:
        """From the begin of the stretch that the last fix at or before `ms` belongs to."""
        self.asked += 1
        mine = self.fixes[self.fixes.unit == unit]
        mine = mine[np.argsort(mine.time, kind="stable")]
        begin = np.concatenate([[0], np.flatnonzero(np.diff(mine.time) >= SHORT.event_cut_s * 1000) + 1])
        last = int(np.searchsorted(mine.time, ms, side="right")) - 1
        if not len(mine) or last < 0:
            return mine[mine.time >= ms]
        return mine[int(begin[np.searchsorted(begin, last, side="right") - 1]) :]


@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), n=st.integers(30, 250), how=st.sampled_from(["late", "very late", "time"]))
def test_fixes_given_up_are_read_again(seed: int, n: int, how: str) -> None:
    every = made_up(seed, n)
    rng = np.random.default_rng(seed + 2)
    delay = rng.integers(0, 1_000_001, len(every)) if how != "time" else np.zeros(len(every), dtype=np.int64)
    if how == "very late":
        delay += np.where(rng.random(len(every)) < 0.02, rng.integers(0, 20_000_000, len(every)), 0)
    order = np.argsort(every.time + delay, kind="stable")
    store, book = Store(), Book()
    short = SHORT if how == "very late" else replace(SHORT, event_keep_s=10_800.0)  # what is forgotten stays as told
    detection = Detection(water(), LAW, LEVELS, RULES, short, store.since_cut)
    for part in batches(every, rng, order):
        store.keep(every[part])
        detection.feed(every[part])
        book.write(detection.changed(int(store.fixes.time.max())))
    book.same(whole(every, int(every.time.max())))


@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), n=st.integers(30, 200), share=st.floats(0.05, 0.95))
def test_a_restart_from_the_last_cuts_goes_on_as_if_nothing_had_been(seed: int, n: int, share: float) -> None:
    every = made_up(seed, n)
    every = every[np.argsort(every.time, kind="stable")]
    half = int(share * len(every))
    now = int(every.time.max())
    store, book = Store(), Book()
    first = Detection(water(), LAW, LEVELS, RULES, SHORT, store.since_cut)
    store.keep(every[:half])
    first.feed(store.fixes)
    at = int(store.fixes.time.max())
    book.write(first.changed(at))
    second = Detection(water(), LAW, LEVELS, RULES, SHORT)
    second.feed(fixes(*(store.since_cut(unit, at) for unit in np.unique(store.fixes.unit.astype(str)))))
    begun = second.changed(at)
    assert begun[1] == []
    # what it finds is what had been found; of what hangs on others, only where all that was sent then has been read
    all_read = at - SHORT.event_cut_s * 1000 + 3_600_000
    for event in begun[0]:
        if (event.started_at >= all_read and event.kind != "avoids") or event.kind in (
            "zone_entry",
            "slow",
            "loiter",
            "no_permit",
            "overdue",
        ):
            assert same(book.events[event.event_id], event)
    second.history = store.since_cut
    for part in np.array_split(np.arange(half, len(every)), 3):
        if len(part):
            store.keep(every[part])
            second.feed(every[part])
            told = second.changed(int(every.time[part].max()))
            book.write((told[0], [name for name in told[1] if name in book.events]))

    def told_alike(event: Event) -> bool:
        """What a restart promises: of several units' events those that began since all that was sent has been read."""
        return event.kind != "avoids" and (event.kind not in ("gap", "meeting", "dark") or event.started_at >= all_read)

    book.events = {name: event for name, event in book.events.items() if told_alike(event)}
    book.same([event for event in whole(every, now) if told_alike(event)])
