"""Mixtures of gamma laws, asked often: their distribution function from tables, and quantiles by a compiled search.

In: laws that share their shapes with many others, as those of reaches with equally many cases do. Out: `Tables`, good to
1e-9 in probability.

P(a, x), the regularised incomplete gamma function, is laid out over log x once for every distinct shape a. A cell is the
polynomial of degree five with the function's value and its first two derivatives at both ends: with g = x^a e^-x / Gamma(a),
dP / d log x = g and d2P / d log x2 = g (a - x). In steps of a tenth of the law's width its error, h^6 / 46,080 times the
sixth derivative (Davis 1975, Interpolation and Approximation, theorem 3.5.1), is under 1e-9.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from collections.abc import Callable

from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

STEP = 0.1  # of a cell, in log x times the square root of the shape (of 1 under it): about a tenth of the law's width
NOTHING = 1e-13  # probability below which a table has no cell, and short of 1 from which it has none
LOW = -28.0  # log x under which P(a, x) = x^a / Gamma(a + 1) to 1e-12
FAR = 690.0  # log rates beyond are not looked for: rates of 1e-300 and 1e300
ROUNDS = 200  # at most, of the search for a quantile; five are usual ...
BISECTED = 8  # ... and every eighth goes half way
LOG_RATE = 1e-9  # a quantile is known to this much of itself ...
HELD = 1e-12  # ... or holds the probability asked for to this much


class Tables(NamedTuple):
    """P(a, x) for s shapes a (s,): cells `begin[i]` to `begin[i + 1]` of `cell` (cells, 6) from log x = `low[i]` on, each
    `step[i]` long; a row holds the coefficients of the powers 0 to 5 of the place in the cell."""

    shape: Floats
    low: Floats
    step: Floats
    begin: Ints
    cell: Floats


class Laws(NamedTuple):
    """u mixtures of k gamma laws: scales (u, k), weights (k,), and of each the first of its k shapes in `tables`, (u,)."""

    scale: Floats
    weight: Floats
    row: Ints
    tables: Tables

    @classmethod
    def of(cls, shape: Floats, scale: Floats, weight: Floats) -> Laws:
        """shape, scale (u, k), weight (k,) with sum 1. Mixtures whose first shapes are equal have all shapes equal.

        Half exponential of mean 1, half of mean 2: under 1 lie (1 - e^-1) / 2 + (1 - e^-0.5) / 2 = 0.5128.

        >>> two = Laws.of(np.ones((1, 2)), np.array([[1.0, 2.0]]), np.full(2, 0.5))
        >>> under(two, np.zeros(1, dtype=np.int64), np.zeros(1)).round(4).tolist()
        [0.5128]
        """
        _, one, row = np.unique(shape[:, 0], return_index=True, return_inverse=True)
        return cls(scale, weight, row.reshape(-1).astype(np.int64) * len(weight), _tables(shape[one].ravel()))


class Told(NamedTuple):
    """Distribution functions of n log rates told at even steps, straight between them: first log rate and step (n,), and
    the values (n, points)."""

    first: Floats
    step: Floats
    cdf: Floats


NONE = Told(np.zeros(0), np.zeros(0), np.zeros((0, 2)))


def _tables(shape: Floats) -> Tables:
    from scipy.special import gammaincinv

    with np.errstate(divide="ignore"):
        low = np.maximum(np.log(gammaincinv(shape, NOTHING)), LOW)
    root = np.sqrt(shape)
    step = STEP / np.maximum(1.0, root)
    count = np.ceil((np.log(shape + 9.0 * root + 32.0) - low) / step).astype(np.int64)
    begin = np.r_[0, np.cumsum(count)]
    cell = np.empty((begin[-1], 6))

    def lay(own: Ints) -> None:
        cell[begin[own[0]] : begin[own[-1] + 1]] = _cells(shape[own], low[own], step[own], count[own])

    shared(lay, len(shape))
    return Tables(shape, low, step, begin, cell)


def _cells(shape: Floats, low: Floats, step: Floats, count: Ints) -> Floats:
    """The cells of some shapes, one after the other."""
    from scipy.special import gammainc, gammaln

    knots = count + 1
    place = np.arange(knots.sum()) - np.repeat(np.cumsum(knots) - knots, knots)
    a, h = np.repeat(shape, knots), np.repeat(step, knots)
    log_x = np.repeat(low, knots) + h * place
    x = np.exp(log_x)
    density = np.exp(a * log_x - x - np.repeat(gammaln(shape), knots))
    value, slope, bend = gammainc(a, x), h * density, h**2 * density * (a - x)
    left = np.delete(np.arange(len(a)), np.cumsum(knots) - 1)
    right = left + 1
    rise = value[right] - value[left] - slope[left] - 0.5 * bend[left]
    turn = slope[right] - slope[left] - bend[left]
    twist = 0.5 * (bend[right] - bend[left])
    return np.column_stack(
        [
            value[left],
            slope[left],
            0.5 * bend[left],
            10.0 * rise - 4.0 * turn + twist,
            -15.0 * rise + 7.0 * turn - 2.0 * twist,
            6.0 * rise - 3.0 * turn + twist,
        ]
    )


def shared(work: Callable[[Ints], None], n: int) -> None:
    """Runs `work` on parts of 0 ... n - 1, none empty, as many at a time as there are cores; what it calls lets go of the
    interpreter."""
    cores = os.cpu_count() or 1
    with ThreadPoolExecutor(cores) as pool:
        list(pool.map(work, np.array_split(np.arange(n), min(n, 4 * cores)) if n else []))


def under(laws: Laws, law: Ints, at: Floats) -> Floats:
    """P(log rate < at) of n mixtures: which of `laws` and the log rate, (n,) each."""
    found = np.empty(len(at))

    def ask(own: Ints) -> None:
        found[own] = _under(laws, law[own], at[own])

    shared(ask, len(at))
    return found


def quantiles(laws: Laws, law: Ints, p: float, start: Floats, share: float = 1.0, told: Told = NONE) -> Floats:
    """Log rate (n,) under which the answer lies with probability p, searched from `start` (n,).

    The answer is of mixture `law` (n,) of `laws` with probability `share`, else of `told`.

    Exponential of mean 1: half lies under log 2.

    >>> one = Laws.of(np.ones((1, 1)), np.ones((1, 1)), np.ones(1))
    >>> np.exp(quantiles(one, np.zeros(1, dtype=np.int64), 0.5, np.zeros(1))).round(6).tolist()
    [0.693147]
    """
    found = np.empty(len(law))

    def seek(own: Ints) -> None:
        part = slice(own[0], own[-1] + 1)  # no copy: the whole is large
        grid = NONE if share >= 1.0 else Told(told.first[part], told.step[part], told.cdf[part])
        found[part] = _quantiles(laws, law[part], p, start[part], share, grid)

    shared(seek, len(law))
    return found


@njit(cache=True, nogil=True)
def _held(at: float, row: int, log_scale: Floats, weight: Floats, tables: Tables) -> tuple[float, float]:
    """P(log rate < at) of one mixture, and its slope there."""
    total, slope = 0.0, 0.0
    for k in range(len(weight)):
        i = row + k
        log_x = at - log_scale[k] - tables.low[i]
        place = log_x / tables.step[i]
        if place < 0.0:
            value = weight[k] * tables.cell[tables.begin[i], 0] * np.exp(tables.shape[i] * log_x)
            total += value
            slope += tables.shape[i] * value
        elif place < tables.begin[i + 1] - tables.begin[i]:
            own = int(place)
            c, t = tables.begin[i] + own, place - own
            value, rise = tables.cell[c, 5], 0.0
            for power in range(4, -1, -1):
                rise = value + t * rise
                value = tables.cell[c, power] + t * value
            total += weight[k] * value
            slope += weight[k] * rise / tables.step[i]
        else:
            total += weight[k]
    return min(max(total, 0.0), 1.0), slope


@njit(cache=True, nogil=True)
def _under(laws: Laws, law: Ints, at: Floats) -> Floats:
    found = np.empty(len(at))
    for i in range(len(at)):
        found[i] = _held(at[i], laws.row[law[i]], np.log(laws.scale[law[i]]), laws.weight, laws.tables)[0]
    return found


@njit(cache=True, nogil=True)
def _told(at: float, told: Told, i: int) -> tuple[float, float]:
    place = (at - told.first[i]) / told.step[i]
    own = int(min(max(np.floor(place), 0.0), told.cdf.shape[1] - 2.0))
    low, high = told.cdf[i, own], told.cdf[i, own + 1]
    within = min(max(place - own, 0.0), 1.0)
    return min(max(low + within * (high - low), 0.0), 1.0), (high - low) / told.step[i] if 0.0 < within < 1.0 else 0.0


@njit(cache=True, nogil=True)
def _quantiles(laws: Laws, law: Ints, p: float, start: Floats, share: float, told: Told) -> Floats:
    """From `start` by Newton's steps in the log-odds, which are all but straight in the tails, no longer than strides that
    double; half way between the ends known so far where a step would pass them, and now and then, as the slope may jump."""
    found = np.empty(len(law))
    for i in range(len(law)):
        row, log_scale = laws.row[law[i]], np.log(laws.scale[law[i]])
        left, right, stride = -FAR, FAR, 0.5
        at = min(max(start[i], left), right)
        for turn in range(ROUNDS):
            held, slope = _held(at, row, log_scale, laws.weight, laws.tables)
            if share < 1.0:
                beside, rise = _told(at, told, i)
                held, slope = share * held + (1.0 - share) * beside, share * slope + (1.0 - share) * rise
            if held < p:
                left = at
            else:
                right = at
            if abs(held - p) <= HELD or right - left <= LOG_RATE:
                break
            step = stride if held < p else -stride
            if 0.0 < held < 1.0 and slope > 0.0:
                odds = np.log(held / (1.0 - held)) - np.log(p / (1.0 - p))
                newton = -odds * held * (1.0 - held) / slope
                step = newton if abs(newton) < stride else step
            stride *= 2.0
            between = left > -FAR and right < FAR
            if between and (turn % BISECTED == BISECTED - 1 or not left < at + step < right):
                at = 0.5 * (left + right)
            else:
                at = min(max(at + step, -FAR), FAR)
            if at in (left, right):  # beyond all rates looked for, or no number lies between
                break
        found[i] = at
    return found
