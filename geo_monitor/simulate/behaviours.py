"""What boats do in a simulated night: ways along the water, innocent and not, and what of it is true.

A way is a broken line: time (seconds UTC), place on the axis `s` of `Water` (rising upstream), metres aside (> 0 right
looking downstream). A `Boat` has one way, times at which it is silent, and a diary of what it did.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from geo_monitor.simulate.rounds import sweep
from geo_monitor.tracks import KNOT

Diary = list["Entry"]

BANK_M = 280.0  # metres from the middle of the water to where boats lie
LANE_M = (35.0, 120.0)  # metres from the middle, where traffic keeps: upstream on one side, downstream on the other
LEG_S = 300.0  # seconds a speed is kept
NIGHT_S = (2 * 3600.0, 10 * 3600.0)  # seconds after 18:00: 20:00 to 04:00, when most offences are


@dataclass(frozen=True)
class Device:
    """What tells where a boat is: `moving`, `still` seconds between fixes (`still` below `slow` m/s), share of fixes
    lost. AIS as ITU-R M.1371-5, annex 1, table 1 (class A: 10 s under 14 knots, 3 min at anchor) and table 2 (class B:
    30 s, 3 min up to 2 knots)."""

    name: str
    source: str
    moving: float
    still: float
    slow: float
    lost: float


CLASS_A = Device("ais_a", "ais", 10.0, 180.0, 0.15, 0.03)
CLASS_A_QUICK = Device("ais_a", "ais", 4.0, 180.0, 0.15, 0.03)
CLASS_B = Device("ais_b", "ais", 30.0, 180.0, 2 * KNOT, 0.08)
BEIDOU = Device("beidou", "beidou", 30.0, 30.0, 0.0, 0.02)
PATROL = Device("gps", "gps", 10.0, 10.0, 0.0, 0.02)


@dataclass(frozen=True)
class Entry:
    """What a boat did from `t0` to `t1` (seconds UTC). kind: the kind of event that should tell of it, None where none
    should. others: units in it too. told: when a rule could know at the earliest, where that is not a matter of the
    rule's own minimum."""

    what: str
    t0: float
    t1: float
    kind: str | None = None
    zone_id: str | None = None
    others: tuple[str, ...] = ()
    told: float | None = None


@dataclass
class Boat:
    """One boat; `silent`: spans without fixes; `sends`: False where only sensors see it."""

    unit_id: str
    role: str
    device: Device
    t: list[float] = field(default_factory=list)
    s: list[float] = field(default_factory=list)
    aside: list[float] = field(default_factory=list)
    silent: list[tuple[float, float]] = field(default_factory=list)
    diary: Diary = field(default_factory=list)
    sends: bool = True

    # --- where it is -------------------------------------------------------------------------------------------------
    @property
    def now(self) -> float:
        return self.t[-1]

    @property
    def here(self) -> float:
        return self.s[-1]

    def at(self, t: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Place and metres aside at times within the way."""
        return np.interp(t, self.t, self.s), np.interp(t, self.t, self.aside)

    # --- what it does ------------------------------------------------------------------------------------------------
    def begin(self, t: float, s: float, aside: float) -> Boat:
        self.t, self.s, self.aside = [t], [s], [aside]
        return self

    def to(self, t: float, s: float, aside: float) -> None:
        self.t.append(t)
        self.s.append(s)
        self.aside.append(aside)

    def go(self, s: float, aside: float, speed: float, rng: np.random.Generator) -> None:
        """To a place at about `speed` m/s over ground, changing it every some minutes; the last 60 s lead to `aside`."""
        side = np.clip(aside, -LANE_M[1], LANE_M[1]) if abs(s - self.here) > 1500.0 else aside
        while abs(s - self.here) > 1.0:
            pace = speed * rng.uniform(0.85, 1.15)
            step = min(abs(s - self.here), pace * LEG_S)
            self.to(self.now + step / pace, self.here + np.sign(s - self.here) * step, side + rng.uniform(-20.0, 20.0))
        self.to(self.now + max(20.0, abs(aside - self.aside[-1]) / max(speed, 0.5)), s, aside)

    def lie(self, seconds: float, rng: np.random.Generator, swing_m: float = 3.0) -> None:
        """Keeps its place, swinging about it."""
        end, s, aside = self.now + seconds, self.here, self.aside[-1]
        while self.now < end - 1.0:
            step = min(rng.uniform(600.0, 1800.0), end - self.now)
            self.to(self.now + step, s + rng.uniform(-swing_m, swing_m), aside + rng.uniform(-swing_m, swing_m))

    def did(self, what: str, t0: float, kind: str | None = None, zone_id: str | None = None,
            others: Sequence[str] = (), told: float | None = None) -> None:  # fmt: skip
        """Writes into the diary what it did from `t0` until now."""
        if self.now > t0:
            self.diary.append(Entry(what, t0, self.now, kind, zone_id, tuple(others), told))


@dataclass(frozen=True)
class Stretch:
    """Where a night takes place: the course [foot, head] on the axis, the part [low, high] of it, the time [t0, t1]
    (seconds UTC), the current (m/s)."""

    foot: float
    head: float
    low: float
    high: float
    t0: float
    t1: float
    current: float

    def over_ground(self, through: float, up: bool) -> float:
        """Speed over ground of a boat that makes `through` m/s through the water."""
        return through - self.current if up else through + self.current


# --- innocent ----------------------------------------------------------------------------------------------------------
def transit(boat: Boat, of: Stretch, rng: np.random.Generator, through: float | None = None) -> None:
    """Comes in at an end of the course some time, leaves at the other and is seen for 8 km more."""
    up = bool(rng.random() < 0.5)
    speed = of.over_ground(rng.uniform(3.0, 5.5) if through is None else through, up)
    a, b = (of.foot, of.head) if up else (of.head, of.foot)
    way = 8000.0
    a, b = (a - way, b + way) if up else (a + way, b - way)
    lane = rng.uniform(*LANE_M) * (1.0 if up else -1.0)
    boat.begin(rng.uniform(of.t0 - 0.7 * abs(b - a) / speed, of.t1 - 1800.0), a, lane)
    boat.go(b, lane, speed, rng)
    boat.did("transit", boat.t[0])


def arriving(boat: Boat, of: Stretch, rng: np.random.Generator, berth: float) -> None:
    """Comes in, makes fast at a berth, and stays; some switch off after a few minutes, some much later, some never."""
    up = bool(rng.random() < 0.5)
    a = of.foot - 8000.0 if up else of.head + 8000.0
    speed = of.over_ground(rng.uniform(3.0, 5.0), up)
    lane = rng.uniform(*LANE_M) * (1.0 if up else -1.0)
    way = abs(berth - a) / speed
    boat.begin(rng.uniform(of.t0 - 0.5 * way, max(of.t1 - 1.2 * way, of.t0)), a, lane)
    boat.go(berth, BANK_M * float(np.sign(lane)), speed, rng)
    boat.did("transit", boat.t[0])
    moored(boat, of, rng)


def moored(boat: Boat, of: Stretch, rng: np.random.Generator) -> None:
    """At a berth from now until the end of the night, or until it switches off."""
    begun = boat.now
    chance = rng.random()
    stays = of.t1 - begun
    if chance < 0.2:
        stays = rng.uniform(120.0, 600.0)  # makes fast, everything off
    elif chance < 0.4:
        stays = rng.uniform(2400.0, 14_400.0)
    stays = min(stays, of.t1 - begun)
    if stays <= 0:
        return
    boat.lie(stays, rng)
    boat.did("switched off soon after making fast" if chance < 0.2 else "moored", begun)


def barge(boat: Boat, of: Stretch, rng: np.random.Generator) -> None:
    """A laden sand barge: 0.9 to 1.7 m/s over ground upstream, about all night."""
    speed = rng.uniform(0.9, 1.7)
    way = speed * (of.t1 - of.t0)
    first = rng.uniform(of.low, max(of.high - way, of.low + 1.0))
    lane = rng.uniform(*LANE_M)
    boat.begin(of.t0, first, lane)
    boat.go(min(first + way, of.head), lane, speed, rng)
    boat.did("slow barge", boat.t[0])
    moored(boat, of, rng)


def ferry(boat: Boat, of: Stretch, rng: np.random.Generator, place: float) -> None:
    """Crosses until about 23:00, and again from 05:00."""
    boat.begin(of.t0, place, BANK_M)
    side, stop = 1.0, of.t0 + rng.uniform(4.5, 5.5) * 3600.0
    while boat.now < of.t1:
        if stop < boat.now < of.t0 + 11 * 3600.0:
            boat.lie(max(of.t0 + 11 * 3600.0 - boat.now, 600.0), rng)
        boat.lie(rng.uniform(360.0, 720.0), rng)
        side = -side
        boat.to(boat.now + 2 * BANK_M / rng.uniform(1.8, 3.0), place + rng.uniform(-15.0, 15.0), side * BANK_M)
    boat.did("ferry", boat.t[0])


def anchored(boat: Boat, of: Stretch, rng: np.random.Generator, place: float, aside: float) -> None:
    """Waits at an anchorage; some come in the evening, some leave before morning."""
    come = rng.random() < 0.3
    boat.begin(of.t0 + (rng.uniform(0.0, 4.0) * 3600.0 if come else 0.0), place, aside)
    if come:
        boat.begin(boat.now, max(place - 6000.0, of.foot), LANE_M[1])
        boat.go(place, aside, of.over_ground(4.0, True), rng)
        boat.did("transit", boat.t[0])
    begun = boat.now
    leave = rng.random() < 0.3
    until = of.t0 + rng.uniform(7.0, 11.0) * 3600.0 if leave else of.t1
    boat.lie(max(until - begun, 600.0), rng, swing_m=25.0)
    boat.did("anchored", begun)
    if leave:
        begun = boat.now
        boat.go(of.head + 8000.0, LANE_M[1], of.over_ground(4.0, True), rng)
        boat.did("transit", begun)


def errands(boat: Boat, of: Stretch, rng: np.random.Generator, berths: Sequence[float]) -> None:
    """A small boat from berth to berth, lying an hour or two between."""
    boat.begin(of.t0, float(rng.choice(berths)) + rng.uniform(-60.0, 60.0), BANK_M)
    while boat.now < of.t1:
        begun = boat.now
        boat.lie(rng.uniform(1200.0, 9000.0), rng)
        near = [s for s in berths if 500.0 < abs(s - boat.here) < 12_000.0]
        if near:
            goal = float(rng.choice(near)) + rng.uniform(-60.0, 60.0)
            boat.go(goal, BANK_M * float(rng.choice([-1.0, 1.0])), rng.uniform(2.0, 4.5), rng)
        boat.did("errands", begun)


def supply(fuel: Boat, ship: Boat, of: Stretch, rng: np.random.Generator) -> None:
    """A fuel boat lies alongside a ship under way for a quarter of an hour and more: a handover to look at, but lawful."""
    transit(ship, of, rng, through=3.0)
    span = [t for t, s in zip(ship.t, ship.s, strict=True) if of.low < s < of.high and of.t0 < t < of.t1 - 5400.0]
    if not span:
        fuel.begin(of.t0, of.low, BANK_M)
        fuel.lie(of.t1 - of.t0, rng)
        fuel.did("moored", of.t0)
        return
    t = float(rng.choice(span))
    long = rng.uniform(900.0, 1800.0)
    s, aside = (float(part[0]) for part in ship.at(np.array([t])))
    fuel.begin(of.t0, s, BANK_M)
    fuel.lie(max(t - 300.0 - fuel.now, 60.0), rng)
    fuel.to(max(t, fuel.now + 120.0), s, aside + 18.0)
    _alongside(fuel, ship, fuel.now, fuel.now + long, 18.0)
    fuel.diary.append(Entry("fuelling under way", t, t + long, None, None, (ship.unit_id,)))
    ship.diary.append(Entry("fuelling under way", t, t + long, None, None, (fuel.unit_id,)))
    fuel.go(s, BANK_M, 4.0, rng)
    fuel.did("errands", t + long)


def _alongside(boat: Boat, other: Boat, t0: float, t1: float, beside_m: float) -> None:
    """Keeps beside another boat from `t0` to `t1`."""
    inner = [t for t in other.t if t0 < t < t1]
    for t in [t0, *inner, t1]:
        s, aside = other.at(np.array([t]))
        if t > boat.now:
            boat.to(t, float(s[0]), float(aside[0]) + beside_m)


def patrol(boat: Boat, of: Stretch, rng: np.random.Generator, beat: tuple[float, float], elsewhere: bool) -> None:
    """On rounds of a beat for 6 to 10 hours, with a stake-out; then home, switched off some time after making fast.
    `elsewhere`: it ends at another berth than it began at."""
    low, high = beat
    base = float(rng.uniform(low, high))
    hours = rng.uniform(6.0, 10.0)
    boat.begin(of.t0 + rng.uniform(0.0, max(of.t1 - of.t0 - hours * 3600.0, 60.0)), base, BANK_M)
    begun = boat.now
    boat.lie(rng.uniform(120.0, 600.0), rng)
    end = begun + hours * 3600.0
    while boat.now < end - 3600.0:
        seconds = min(rng.uniform(3600.0, 9000.0), end - 1800.0 - boat.now)
        legs = sweep(low, high, boat.now + 60.0, seconds, rng)
        boat.go(float(legs[0, 2]), float(legs[0, 4]), rng.uniform(4.0, 8.0), rng)
        shift = boat.now - legs[0, 0]
        for _, t1, _, s1, _, aside1 in legs:
            boat.to(float(t1 + shift), float(s1), float(aside1))
        if rng.random() < 0.5:
            boat.to(boat.now + 120.0, boat.here, BANK_M * 0.8)
            boat.lie(rng.uniform(1800.0, 7200.0), rng)
    home = float(np.clip(base + 6000.0 * (1.0 if base < (low + high) / 2 else -1.0), low, high)) if elsewhere else base
    boat.go(home, BANK_M, 6.0, rng)
    boat.lie(rng.uniform(180.0, 3000.0), rng)
    boat.did("patrol ends elsewhere" if elsewhere else "patrol", begun)


# --- not innocent ------------------------------------------------------------------------------------------------------
def out_and_back(
    boat: Boat, of: Stretch, rng: np.random.Generator, place: tuple[float, float], act: Callable[[], None]
) -> None:
    """Lies at a bank some kilometres off, goes to a place (s, aside) in time for what it does there, and goes home."""
    s, aside = place
    home = float(np.clip(s + rng.choice([-1.0, 1.0]) * rng.uniform(1500.0, 6000.0), of.foot + 100.0, of.head - 100.0))
    speed = rng.uniform(2.5, 4.5)
    last = min(of.t1, of.t0 + NIGHT_S[1]) - 5400.0
    first = min(of.t0 + NIGHT_S[0], last)
    at = rng.uniform(first, last) if rng.random() < 0.85 else rng.uniform(of.t0 + 3000.0, of.t1 - 5400.0)
    boat.begin(of.t0, home, BANK_M * float(np.sign(aside) or 1.0))
    boat.lie(max(at - abs(home - s) / speed - of.t0, 60.0), rng)
    boat.did("moored", boat.t[0])
    begun = boat.now
    boat.go(s, aside, speed, rng)
    boat.did("on the way", begun)
    act()
    begun = boat.now
    boat.go(home, BANK_M * float(np.sign(aside) or 1.0), speed, rng)
    boat.did("on the way", begun)
    begun = boat.now
    if begun < of.t1:
        boat.lie(of.t1 - begun, rng)
        boat.did("moored", begun)


def fishing(boat: Boat, of: Stretch, rng: np.random.Generator, gear: str, seconds: float) -> None:
    """electro: 0.4-1.1 m/s along the bank, up and down; net: 0.15-0.6 m/s, setting and hauling; drift: with the current.
    Between two runs it turns, for up to 90 s."""
    end, anchor = boat.now + seconds, boat.here
    toward = float(rng.choice([-1.0, 1.0]))
    while boat.now < end - 1.0:
        step = min(rng.uniform(240.0, 900.0), end - boat.now)
        if gear == "drift":
            speed, toward = float(np.clip(of.current + rng.normal(0.0, 0.08), 0.2, 2.4 * KNOT)), -1.0
        else:
            speed = rng.uniform(0.4, 1.1) if gear == "electro" else rng.uniform(0.15, 0.6)
        s = float(np.clip(boat.here + toward * speed * step, of.foot + 50.0, of.head - 50.0))
        boat.to(boat.now + step, s, boat.aside[-1] + rng.uniform(-10.0, 10.0))
        if abs(boat.here - anchor) > 700.0:
            toward = float(np.sign(anchor - boat.here))
        if gear != "drift" and boat.now < end - 120.0:
            boat.to(boat.now + rng.uniform(20.0, 90.0), boat.here, boat.aside[-1])


def handover(giver: Boat, taker: Boat, of: Stretch, rng: np.random.Generator, place: float) -> None:
    """The giver waits mid-river, the taker comes alongside, both drift with the water for 12 to 25 minutes, the taker
    goes on to a bank and unloads."""
    long = rng.uniform(720.0, 1500.0)

    def act() -> None:
        giver.lie(rng.uniform(120.0, 420.0), rng)
        t0, s = giver.now, giver.here
        giver.to(t0 + long, s - 0.8 * of.current * long, giver.aside[-1] + rng.uniform(-20.0, 20.0))
        giver.did("handover", t0, "meeting", None, (taker.unit_id,))

    out_and_back(giver, of, rng, (place, rng.uniform(-25.0, 25.0)), act)
    entry = next(entry for entry in giver.diary if entry.kind == "meeting")
    home = float(np.clip(place - rng.uniform(2000.0, 5000.0), of.foot + 100.0, of.head - 100.0))
    side = float(rng.choice([-1.0, 1.0]))
    taker.begin(of.t0, home, side * BANK_M)
    speed = rng.uniform(2.5, 4.5)
    taker.lie(max(entry.t0 - abs(home - place) / speed - 90.0 - of.t0, 60.0), rng)
    taker.did("moored", taker.t[0])
    s, aside = (float(part[0]) for part in giver.at(np.array([entry.t0])))
    begun = taker.now
    taker.go(s, aside + 60.0, abs(home - s) / max(entry.t0 - 60.0 - begun, 60.0), rng)
    taker.to(max(entry.t0, taker.now + 20.0), s, aside + 15.0)
    taker.did("on the way", begun)
    _alongside(taker, giver, taker.now, entry.t1, 15.0)
    begun = taker.now
    taker.go(taker.here - 800.0, side * BANK_M, 3.5, rng)
    taker.lie(rng.uniform(480.0, 1200.0), rng)
    taker.go(home, side * BANK_M, 3.5, rng)
    taker.did("unloading", begun)
    if taker.now < of.t1:
        begun = taker.now
        taker.lie(of.t1 - begun, rng)
        taker.did("moored", begun)


def lookout(boat: Boat, of: Stretch, rng: np.random.Generator, patrols: Sequence[Boat], place: float,
            near_m: float, least: int) -> None:  # fmt: skip
    """Lies at a bank; whenever a patrol comes within some 2.6 km by water it makes off to 1.8 km away, and comes back
    half an hour after. An offence from its `least`-th flight on."""
    hide = place + 1800.0 if place + 1800.0 < of.head else place - 1800.0
    boat.begin(of.t0, place, -BANK_M)
    grid = np.arange(of.t0, of.t1, 20.0)
    near = np.zeros(len(grid), dtype=bool)
    for other in patrols:
        there = (grid >= other.t[0]) & (grid <= other.t[-1])
        for a, b in other.silent:
            there &= ~((grid >= a) & (grid <= b))
        s, _ = other.at(grid)
        near |= there & (np.abs(s - place) < near_m)
    flights: list[float] = []
    for t, close in zip(grid, near, strict=True):
        if not close or t < boat.now + 60.0:
            continue
        begun = boat.now
        if t - begun < 900.0:  # it has not come to rest since: it stays where it is hidden
            continue
        boat.lie(t - begun, rng)
        flights.append(boat.now)
        boat.go(hide, -BANK_M, rng.uniform(3.0, 4.5), rng)
        clear = grid[(grid > boat.now) & ~near]
        boat.lie(max((float(clear[0]) if len(clear) else of.t1) + 1200.0 - boat.now, 60.0), rng)
        boat.go(place, -BANK_M, 3.0, rng)
    if boat.now < of.t1:
        boat.lie(of.t1 - boat.now, rng)
    if len(flights) >= least:
        boat.diary.append(
            Entry("lookout", flights[0], max(flights[-1], flights[least - 1]) + 900.0, "avoids",
                  told=flights[least - 1])
        )  # fmt: skip
    boat.did("lookout", boat.t[0])
