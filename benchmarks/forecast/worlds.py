"""Rivers whose true rates drift from week to week, and what patrols with a habit find there.

In: a seed. Out: `World`: true rate, hours and cases of every week and reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.accuracy import worlds
from geo_monitor.simulate import risk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

KINDS = ("simulated", "model")
HABITS = worlds.HABITS
WEEK = 7  # days
FIRST_DAY = 1  # of the year, of the first week

MEAN_RATES = (0.05, 0.15)  # cases per hour, mean over reaches and weeks
WEEK_H = 0.5  # hours of looking per reach and week, mean
LOOKED = 0.4  # share of reaches looked at in a week
HABIT = 0.5  # log hours per standard deviation of log risk
# simulated: the rates of `geo-monitor simulate` (risk.py: smooth risk, pockets, the year's wave), and ...
DRIFT_SD = 0.6  # of a field that drifts, log units ...
DRIFT_REACHES = 10.0  # ... alike over so many reaches ...
DRIFT_DAYS = 180.0  # ... and days (0.14 is left)
MOVING_EVERY = 60  # a pocket that comes and goes per this many reaches ...
MOVING_WEEKS = (4, 27)  # ... and stays for so many weeks
# model: drawn from the law forecast.py assumes, with theta drawn from
SPREADS = (0.7, 1.0, 1.3)
SHARES = (0.5, 0.8)
RANGES = (5.0, 15.0)
RANGES_DAYS = (60.0, 180.0, 540.0)
SEASON_SD = 0.4


@dataclass(frozen=True)
class World:
    """`rate`, `hours`, `cases` (weeks, n); `water`: links and points."""

    kind: str
    habit: str
    water: worlds.River
    rate: Floats
    hours: Floats
    cases: Floats


def middle_days(weeks: int) -> Floats:
    """Middles of the weeks, days since the turn of the first year."""
    return FIRST_DAY - 1.0 + WEEK * (np.arange(weeks, dtype=np.float64) + 0.5)


def world(kind: str, habit: str, weeks: int, reaches: int, seed: int) -> World:
    """A world of one of KINDS, patrolled by one of HABITS; the same seed has the same true rates under every habit."""
    water = worlds.river("branches", seed, reaches)
    rng = np.random.default_rng([seed, 21])
    mean_rate = rng.choice(MEAN_RATES)
    log_risk = _simulated(water, weeks, seed, rng) if kind == "simulated" else _model(water, weeks, rng)
    rate = np.exp(log_risk)
    rate *= mean_rate / rate.mean()
    mean = log_risk.mean(axis=0)
    lean = {"opposed": -HABIT, "unrelated": 0.0, "following": HABIT}[habit] * (mean - mean.mean()) / mean.std()
    rng = np.random.default_rng([seed, 22])
    hours = np.exp(lean) * rng.gamma(2.0, 0.5, rate.shape) * _outings(water, weeks, rng)
    hours *= WEEK_H / hours.mean()
    return World(kind, habit, water, rate, hours, rng.poisson(hours * rate).astype(float))


def _simulated(water: worlds.River, weeks: int, seed: int, rng: np.random.Generator) -> Floats:
    n = water.links.shape[0]
    log_risk = np.log(risk.true_rates(water.links, 1.0, seed)) + DRIFT_SD * _drift(
        water, weeks, DRIFT_REACHES, DRIFT_DAYS, rng
    )
    for at in rng.choice(n, size=max(1, n // MOVING_EVERY), replace=False):
        first, stay = rng.integers(-MOVING_WEEKS[1], weeks), rng.integers(*MOVING_WEEKS)
        place = np.zeros(n)
        place[water.links[at].indices] = 0.6
        place[at] = 1.0
        log_risk[max(first, 0) : max(first + stay, 0)] += rng.uniform(*risk.POCKET_LOG) * place
    noon = 86_400.0 * middle_days(weeks)
    season = 1.0 + risk.SEASON * np.cos(2 * np.pi * (noon / 86_400.0 - 29.5) / 365.2425)
    return np.minimum(log_risk, risk.LOG_MOST) + np.log(season)[:, None]


def _model(water: worlds.River, weeks: int, rng: np.random.Generator) -> Floats:
    spread, share = rng.choice(SPREADS), rng.choice(SHARES)
    drift = _drift(water, weeks, rng.choice(RANGES), rng.choice(RANGES_DAYS), rng)
    stays = rng.standard_normal(water.links.shape[0])
    turn = 2 * np.pi * middle_days(weeks) / 365.2425
    season = SEASON_SD * (rng.standard_normal() * np.cos(turn) + rng.standard_normal() * np.sin(turn))
    return np.asarray(spread * (np.sqrt(share) * drift + np.sqrt(1 - share) * stays) + season[:, None])


def _drift(water: worlds.River, weeks: int, reaches: float, days: float, rng: np.random.Generator) -> Floats:
    """A field alike along the water, autoregressive from week to week, variance 1, (weeks, n)."""
    a = np.exp(-2.0 * WEEK / days)
    drift = [worlds.field(water.links, reaches, 1, rng)]
    for _ in range(weeks - 1):
        drift.append(a * drift[-1] + np.sqrt(1 - a**2) * worlds.field(water.links, reaches, 1, rng))
    return np.array(drift)


def _outings(water: worlds.River, weeks: int, rng: np.random.Generator) -> Floats:
    """1 where patrols go in a week, 0 elsewhere: stretches, since a boat passes reaches one after the other."""
    n = water.links.shape[0]
    near = (water.links + water.links @ water.links + water.links @ water.links @ water.links) != 0
    out = np.zeros((weeks, n))
    for week in out:
        while week.mean() < LOOKED:
            at = int(rng.integers(n))
            week[at] = 1.0
            week[near[at].indices] = 1.0
    return out
