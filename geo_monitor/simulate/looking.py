"""What follows from the movement: the fixes the devices sent, and the time that was truly spent looking.

In: `Water`, `Movement`. Out: fixes as a frame; `Looked`, the pieces of time spent in one reach, from which the true
effort is summed and on which cases are found. The truth is the movement itself, without noise: time between true
positions, shared by the way along the water, without the minutes of gaps over 10 minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.simulate.movement import Movement
from geo_monitor.simulate.water import DEGREE_M, Water

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

AGE = 1e10  # seconds between two patrols on the common clock: patrol * AGE + time orders all moments of all patrols
LOST = 0.01  # share of single fixes lost on the way


@dataclass(frozen=True)
class Looked:
    """Pieces of looked time, (p,) each: patrol, reach (index), t0, t1, s0, s1, aside0, aside1. Within a piece the
    position runs evenly from s0 to s1, all in one reach."""

    patrol: Ints
    reach: Ints
    t0: Floats
    t1: Floats
    s0: Floats
    s1: Floats
    aside0: Floats
    aside1: Floats

    @property
    def seconds(self) -> Floats:
        return self.t1 - self.t0


def fixes(water: Water, moved: Movement, seed: int) -> pd.DataFrame:
    """The fixes of all patrols, in order of patrol and time: patrol, unit (positions in their frames), t (whole
    seconds on the Shanghai clock), lon, lat with GPS noise, speed (m/s), heading (degrees)."""
    import pandas as pd

    rng = np.random.default_rng([seed, 3])
    unit = moved.patrols["unit"].to_numpy(dtype=np.int64)
    every = moved.units["fix_s"].to_numpy()[unit]
    start, end = moved.patrols["start"].to_numpy(dtype=float), moved.patrols["end"].to_numpy(dtype=float)
    count = ((end - start) // every).astype(np.int64) + 1
    patrol = np.repeat(np.arange(len(unit)), count)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    t = start[patrol] + step * every[patrol]
    keep = rng.random(len(t)) >= LOST
    keep[np.cumsum(count) - count] = True  # the first fix of a patrol is always there
    late = np.searchsorted(patrol * AGE + t, moved.gaps["patrol"] * AGE + moved.gaps["g0"], side="right")
    early = np.searchsorted(patrol * AGE + t, moved.gaps["patrol"] * AGE + moved.gaps["g1"], side="left")
    silent = np.zeros(len(t) + 1, dtype=np.int64)
    np.add.at(silent, late, 1)
    np.add.at(silent, early, -1)
    keep &= np.cumsum(silent)[:-1] <= 0
    patrol, t = patrol[keep], t[keep]
    s, aside, speed, toward = _where(moved, patrol, t)
    lon, lat = water.point(s, aside)
    ahead_lon, ahead_lat = water.point(s + 1.0, aside)
    upward = np.degrees(np.arctan2((ahead_lon - lon) * np.cos(np.radians(lat)), ahead_lat - lat))
    noise = moved.units["noise_m"].to_numpy()[unit[patrol]]
    lat_m, lon_m = DEGREE_M, DEGREE_M * np.cos(np.radians(lat))
    return pd.DataFrame(
        {
            "patrol": patrol,
            "unit": unit[patrol],
            "t": t,
            "lon": (lon + rng.standard_normal(len(t)) * noise / lon_m).round(6),
            "lat": (lat + rng.standard_normal(len(t)) * noise / lat_m).round(6),
            "speed": np.maximum(speed + rng.normal(0.0, 0.15, len(t)), 0.0).round(2),
            "heading": np.where(toward < 0, upward + 180.0, upward).round(1) % 360.0,
        }
    )


def looked(water: Water, moved: Movement, sent: pd.DataFrame, gap_s: float) -> Looked:
    """The time truly looked, cut at fixes, legs and reach borders; nothing in gaps of more than `gap_s` seconds."""
    key = sent["patrol"].to_numpy() * AGE + sent["t"].to_numpy()
    moments = np.union1d(key, moved.legs["patrol"] * AGE + moved.legs["t0"])
    after = np.searchsorted(key, moments[:-1], side="right")  # the fix that closes the interval this moment is in
    after = np.clip(after, 1, len(key) - 1)
    same = (moments[:-1] >= key[after - 1]) & (moments[:-1] < key[after])
    same &= sent["patrol"].to_numpy()[after - 1] == sent["patrol"].to_numpy()[after]
    same &= key[after] - key[after - 1] <= gap_s
    a, b = moments[:-1][same], moments[1:][same]
    patrol = sent["patrol"].to_numpy()[after[same]]
    t0, t1 = a - patrol * AGE, b - patrol * AGE
    leg = _leg(moved, patrol, 0.5 * (t0 + t1))
    s0, aside0 = _within(moved, leg, t0)
    s1, aside1 = _within(moved, leg, t1)
    move, piece, share = water.shares(s0, s1)
    # when within the move each piece is met: pieces are in rising order of s, the boat may go the other way
    up = (s1 >= s0)[move]
    running = np.cumsum(share)
    whole = np.concatenate([[0.0], running])
    first = np.concatenate([[True], move[1:] != move[:-1]]) if len(move) else np.zeros(0, dtype=bool)
    before = running - share - (whole[:-1][first])[np.cumsum(first) - 1]
    begin = np.where(up, before, 1.0 - before - share)
    span, way, lateral = (t1 - t0)[move], (s1 - s0)[move], (aside1 - aside0)[move]
    keep = share > 0
    at0, at1 = begin[keep], (begin + share)[keep]
    move, span, way, lateral = move[keep], span[keep], way[keep], lateral[keep]
    return Looked(
        patrol=patrol[move],
        reach=water.reach[piece[keep]],
        t0=t0[move] + at0 * span,
        t1=t0[move] + at1 * span,
        s0=s0[move] + at0 * way,
        s1=s0[move] + at1 * way,
        aside0=aside0[move] + at0 * lateral,
        aside1=aside0[move] + at1 * lateral,
    )


def _leg(moved: Movement, patrol: Ints, t: Floats) -> Ints:
    """The leg a patrol is on at a time."""
    leg = np.searchsorted(moved.legs["patrol"] * AGE + moved.legs["t0"], patrol * AGE + t, side="right") - 1
    return np.clip(leg, 0, len(moved.legs["t0"]) - 1)


def _within(moved: Movement, leg: Ints, t: Floats) -> tuple[Floats, Floats]:
    legs = moved.legs
    part = np.clip((t - legs["t0"][leg]) / np.maximum(legs["t1"][leg] - legs["t0"][leg], 1e-9), 0.0, 1.0)
    return (
        legs["s0"][leg] + part * (legs["s1"] - legs["s0"])[leg],
        legs["aside0"][leg] + part * (legs["aside1"] - legs["aside0"])[leg],
    )


def _where(moved: Movement, patrol: Ints, t: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """s, metres aside, speed and direction (+1 upstream, -1 downstream) of patrols at times."""
    leg = _leg(moved, patrol, t)
    s, aside = _within(moved, leg, t)
    way = (moved.legs["s1"] - moved.legs["s0"])[leg]
    return s, aside, np.abs(way) / np.maximum(moved.legs["t1"] - moved.legs["t0"], 1e-9)[leg], np.sign(way)
