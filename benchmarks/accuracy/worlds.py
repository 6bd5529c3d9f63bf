"""Made-up rivers with a known true rate in every reach, and patrols with a habit.

In: a seed. Out: `River` (links, places on a plane), `World` (true rates and the hyperparameters behind them), and for a
habit of patrolling the hours and cases of every reach.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.simulate import risk

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

KINDS = ("car", "pockets", "out_of_step", "gamma", "flat")
HABITS = ("opposed", "unrelated", "following")
RIVERS = ("branches", "branches_and_lake")

REACHES = 1240
REACH_M = 500.0  # metres along the water from one mid point to the next
CELL_M = 900.0  # metres between the centres of two lake cells
LAKE = 12  # a lake has LAKE x LAKE hexagonal cells
STEM = 400  # reaches of the longest chain
CHAIN = (20, 150)  # reaches of the others
TURN = 0.35  # radians a reach, standard deviation: the river winds

MEAN_RATES = (0.1, 0.3, 0.03)  # cases per hour, mean over reaches
SPREADS = (0.7, 1.0, 1.4)  # of log rates
SHARES = (0.5, 0.8, 0.99)  # of their variance that is alike along the water
RANGES = (5.0, 10.0, 20.0, 40.0)  # reaches
PIECES = (0.4, 0.7, 1.6, 2.5)  # length of the true pieces in reaches, where they are out of step
GAMMA_SHAPES = (0.7, 1.5, 3.0)  # of independent true rates: coefficients of variation 1.2, 0.8, 0.6

MEAN_H = 6.0  # hours of looking, mean over reaches
HABIT = 0.5  # log hours per standard deviation of the smooth part of log risk
NOISE = 0.5  # standard deviation of the rest of log hours
ENDLESS_H = 1000.0  # hours in every reach, enough to learn the hyperparameters from


@dataclass(frozen=True)
class River:
    """`links` scipy.sparse (n, n), symmetric 0/1; `points` (n, 2) in metres. `chains`: first reach, length, reach at the
    foot (-1: none); lake cells come before the first chain."""

    links: Any
    points: Floats
    chains: tuple[tuple[int, int, int], ...]


@dataclass(frozen=True)
class World:
    """`rate` (n,), cases per hour; `lean` (n,), mean 0 and sd 1: what patrols follow or avoid; `theta`: the true log s,
    logit f, log r of the field."""

    kind: str
    river: River
    rate: Floats
    lean: Floats
    theta: Floats


def river(name: str, seed: int, reaches: int = REACHES) -> River:
    """A winding stem with side streams on side streams, `name` one of RIVERS; the lake lies at the foot of the stem."""
    rng = np.random.default_rng([seed, 11])
    points: list[Any] = []
    pairs: list[tuple[int, int]] = []
    if name == "branches_and_lake":
        side = min(LAKE, int(np.sqrt(reaches / 4)))
        for row in range(side):
            for column in range(side):
                k = len(points)
                points.append(CELL_M * np.array([column + 0.5 * (row % 2) - side / 2, np.sqrt(0.75) * (row - side)]))
                pairs += [(k - 1, k)] if column else []
                over = [column, column + 1] if row % 2 else [column - 1, column]
                pairs += [(k - side - column + c, k) for c in over if row and 0 <= c < side]
    chains: list[tuple[int, int, int]] = []
    while len(points) < reaches:
        first = len(points)
        length = min(reaches - first, STEM if not chains else int(rng.integers(*CHAIN)))
        foot = first - 1 if not chains else int(rng.integers(0, first))
        at = points[foot] if foot >= 0 else np.zeros(2)
        heading = rng.uniform(0, np.pi)
        for i in range(length):
            heading += rng.normal(0, TURN)
            at = at + REACH_M * np.array([np.cos(heading), np.sin(heading)])
            points.append(at)
            if i or foot >= 0:
                pairs.append((first + i - 1 if i else foot, first + i))
        chains.append((first, length, foot))
    return River(_links(pairs, len(points)), np.array(points), tuple(chains))


def world(kind: str, water: River, mean_rate: float, seed: int) -> World:
    """True rates of one of KINDS on `water`; their mean is `mean_rate`."""
    rng = np.random.default_rng([seed, 12])
    n = water.links.shape[0]
    spread, share, reach = (float(rng.choice(given)) for given in (SPREADS, SHARES, RANGES))
    theta = _theta(spread, share, reach)
    if kind == "car":
        alike = field(water.links, reach, 1, rng)
        log_risk = spread * (np.sqrt(share) * alike + np.sqrt(1 - share) * rng.standard_normal(n))
    elif kind == "pockets":
        # the recipe of `geo-monitor simulate` (geo_monitor/simulate/risk.py)
        reach = float(np.sqrt(12.0)) * risk.RANGE_REACHES
        alike = field(water.links, reach, 2, rng)
        pockets = np.zeros(n)
        where = rng.choice(n, size=max(1, n // risk.POCKET_EVERY), replace=False)
        pockets[where] = rng.uniform(*risk.POCKET_LOG, size=len(where))
        beside = np.asarray(water.links.multiply(pockets).max(axis=1).todense()).ravel()
        log_risk = risk.FIELD_SD * alike + np.maximum(pockets, 0.6 * beside)
        log_risk = np.minimum(log_risk, risk.LOG_MOST)
        rest = float(np.var(log_risk - risk.FIELD_SD * alike))
        theta = _theta(float(np.sqrt(risk.FIELD_SD**2 + rest)), risk.FIELD_SD**2 / (risk.FIELD_SD**2 + rest), reach)
    elif kind == "out_of_step":
        length = rng.choice(PIECES)
        links, part = pieces(water, length, rng.uniform(0, length))
        alike = field(links, reach / length, 1, rng)
        rest = rng.standard_normal(links.shape[0])
        log_risk = np.log(part @ np.exp(spread * (np.sqrt(share) * alike + np.sqrt(1 - share) * rest)))
        alike = part @ alike
    elif kind == "gamma":
        from scipy.special import polygamma

        shape = rng.choice(GAMMA_SHAPES)
        log_risk = np.log(np.maximum(rng.gamma(shape, size=n), 1e-9))
        alike, theta = log_risk, _theta(float(polygamma(1, shape)) ** 0.5, 0.0, reach)
    else:
        alike, log_risk, theta = field(water.links, reach, 1, rng), np.zeros(n), _theta(0.0, 0.5, reach)
    rate = np.exp(log_risk)
    rate *= mean_rate / rate.mean()
    if kind == "out_of_step":
        theta = learned(water, rate)
    return World(kind, water, rate, (alike - alike.mean()) / alike.std(), theta)


def patrolled(made: World, habit: str, seed: int) -> tuple[Floats, Floats]:
    """Hours and cases of every reach, (n,) each, where patrols have `habit`, one of HABITS."""
    rng = np.random.default_rng([seed, 13])
    lean = {"opposed": -HABIT, "unrelated": 0.0, "following": HABIT}[habit]
    hours = np.exp(lean * made.lean + NOISE * rng.standard_normal(len(made.rate)))
    hours *= MEAN_H / hours.mean()
    return hours, rng.poisson(hours * made.rate).astype(float)


def field(links: Any, reach: float, smoothness: int, rng: np.random.Generator) -> Floats:
    """A draw of the field that is alike along the water: precision (k^2 I + L)^smoothness, variance 1 everywhere.

    With L = B'B (B: a row a link) and white noise x, z, Q = k^2 I + L: Q^-1 (k x + B' z) has covariance Q^-1, and Q^-1 x
    has Q^-2.
    """
    import scipy.sparse as sp
    from scipy.sparse.linalg import splu

    n = links.shape[0]
    upper = sp.triu(links, 1).tocoo()
    m = upper.nnz
    rows = np.arange(m)
    across = sp.csr_matrix(
        (np.r_[np.ones(m), -np.ones(m)], (np.r_[rows, rows], np.r_[upper.row, upper.col])), shape=(m, n)
    )
    k = np.sqrt(8.0 * (smoothness - 0.5)) / reach
    precision = (k**2 * sp.identity(n) + across.T @ across).tocsc()
    white = rng.standard_normal(n)
    covariance = np.linalg.inv(precision.toarray())
    if smoothness == 1:
        draw = splu(precision).solve(k * white + across.T @ rng.standard_normal(m))
        return np.asarray(draw / np.sqrt(np.diag(covariance)))
    return np.asarray((covariance @ white) / np.sqrt((covariance**2).sum(axis=1)))


def pieces(water: River, length: float, offset: float) -> tuple[Any, Any]:
    """The water cut anew, out of step with its reaches: links (m, m) of the m pieces, and the share of each reach that
    lies in each piece, (n, m), rows summing to 1. A lake's cells stay as they are."""
    import scipy.sparse as sp

    n = water.links.shape[0]
    lake = water.chains[0][0]
    within = sp.triu(water.links[:lake, :lake], 1).tocoo()
    pairs = list(zip(within.row.tolist(), within.col.tolist(), strict=True))
    rows, columns, shares = list(range(lake)), list(range(lake)), [1.0] * lake
    middle = list(range(lake)) + [0] * (n - lake)  # the piece in which the middle of a reach lies
    count = lake
    for first, reaches, foot in water.chains:
        inner = np.arange(offset, reaches, length)
        edges = np.r_[0.0, inner[(inner > 1e-6) & (inner < reaches - 1e-6)], float(reaches)]
        for i in range(reaches):
            low = int(np.searchsorted(edges, i, side="right")) - 1
            while low < len(edges) - 1 and edges[low] < i + 1:
                rows.append(first + i)
                columns.append(count + low)
                shares.append(min(edges[low + 1], i + 1.0) - max(edges[low], float(i)))
                low += 1
            middle[first + i] = count + int(np.searchsorted(edges, i + 0.5, side="right")) - 1
        pairs += [(count + j, count + j + 1) for j in range(len(edges) - 2)]
        pairs += [(middle[foot], count)] if foot >= 0 else []
        count += len(edges) - 1
    return _links(pairs, count), sp.csr_matrix((shares, (rows, columns)), shape=(n, count))


def learned(water: River, rate: Floats) -> Floats:
    """Theta of the model as it follows from looking ENDLESS_H hours into every reach."""
    from geo_monitor.hotspots.field import Field
    from geo_monitor.hotspots.propagation import explored
    from geo_monitor.settings import Settings

    model, cases = Field.on(water.links, Settings()), np.round(rate * ENDLESS_H)
    nodes = explored([(model, cases, np.full(len(rate), ENDLESS_H))])[0]
    return max(nodes, key=lambda node: node.log_weight).theta


def _theta(spread: float, share: float, reach: float) -> Floats:
    """log s, logit f, log r, within what the model admits."""
    share = min(max(share, 1.0 / (1.0 + np.exp(5.0))), 1.0 / (1.0 + np.exp(-5.0)))
    return np.array([np.log(max(spread, 0.02)), np.log(share / (1.0 - share)), np.log(reach)])


def _links(pairs: list[tuple[int, int]], n: int) -> Any:
    import scipy.sparse as sp

    a, b = np.array(pairs).T
    return sp.csr_matrix((np.ones(2 * len(a)), (np.r_[a, b], np.r_[b, a])), shape=(n, n))
