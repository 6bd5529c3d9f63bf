"""Tilted laws: a normal law of a log rate times the Poisson likelihood of a cell's own cases, and its moments.

In: means and variances of normal laws, what a cell has for itself, cases, hours; one value a cell. Out: log integral, mean
and variance. Expectation propagation (`propagation.py`) asks for these a few hundred times a fit, for every cell: they are
worked on many abreast, so that a processor does several at a time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

POINTS = 24  # of the trapezoid rule in one cell: steps of under a standard deviation, whose error is under 1e-8
WIDE = 6.0  # standard deviations
NEAR = 0.01  # standard deviations to which a top is sought: the rule needs no more
ABREAST = 64  # cells
TRIES = 4  # of Newton's steps for all abreast; what has not got there goes on by itself


def _to_bits(_: Any, x: Any) -> Any:
    """The 64 bits of a float as a whole number."""
    return types.int64(types.float64), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.IntType(64))


def _of_bits(_: Any, x: Any) -> Any:
    """64 bits as a float."""
    return types.float64(types.int64), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.DoubleType())


_bits: Any = intrinsic(_to_bits)
_float: Any = intrinsic(_of_bits)


@njit(cache=True, nogil=True, inline="always")
def _series(e: float, r: float, shifted: float) -> float:
    """2^k exp r, of `quick_exp`: the series from its eighth term on, of which `e` is what comes before and that."""
    e = e * r + 1.0 / 5040.0
    e = e * r + 1.0 / 720.0
    e = e * r + 1.0 / 120.0
    e = e * r + 1.0 / 24.0
    e = e * r + 1.0 / 6.0
    e = e * r + 0.5
    e = e * r + 1.0
    return (e * r + 1.0) * _float((_bits(shifted) + 1023) << 52)


@njit(cache=True, nogil=True, inline="always")
def quick_exp(x: float) -> float:
    """exp x for x < 709, to the last bit or two; 1e-308 for x under -708.

    A loop over this runs several at a time, as one over the C library's does not: x = k log 2 + r with |r| < 0.35, exp r by
    its series (the rest is under 2e-16), and 2^k by writing k where a float keeps its exponent (Tang 1989, ACM Trans. Math.
    Softw. 15:144-157).
    """
    x = max(x, -708.0)
    shifted = x * 1.4426950408889634 + 6755399441055744.0  # 1.5 * 2^52: a sum's last bits are k
    k = shifted - 6755399441055744.0
    r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10  # log 2 in two parts
    e = 1.0 / 479001600.0
    e = e * r + 1.0 / 39916800.0
    e = e * r + 1.0 / 3628800.0
    e = e * r + 1.0 / 362880.0
    return _series(e * r + 1.0 / 40320.0, r, shifted)


@njit(cache=True, nogil=True, inline="always")
def rough_exp(x: float) -> float:
    """`quick_exp` to 3e-10 of itself, as far as -700 < x < 709: four terms less of the series."""
    x = max(x, -708.0)
    shifted = x * 1.4426950408889634 + 6755399441055744.0
    r = x - (shifted - 6755399441055744.0) * 0.6931471805599453
    return _series(1.0 / 40320.0, r, shifted)


@njit(cache=True, nogil=True, inline="always")
def ends(top: float, w: float, b: float) -> tuple[float, float]:
    """Between which log rates a law has its mass: its top, the mean number of cases there, variance of its normal part."""
    sd = 1.0 / np.sqrt(1.0 / b + w)
    # to the left the likelihood lets go, and only the cavity and the cases hold the law
    return top - min(WIDE * np.sqrt(b), 2.0 * WIDE * sd), top + WIDE * sd


@njit(cache=True, nogil=True, inline="always")
def _change(e: float, w: float, a: float, b: float, y: float) -> tuple[float, float]:
    """Newton's step from e, where the mean number of cases is w, towards the top, and the curvature at e."""
    grip = 1.0 / b + w
    return min(max(((a - e) / b + y - w) / grip, -2.0), 2.0), grip


@njit(cache=True, nogil=True)
def support(a: float, b: float, y: float, h: float, start: float = np.nan) -> tuple[float, float, float]:
    """Between which log rates normal(a, b) x Poisson(y; h exp(e)) has its mass, and its top to a hundredth of its width,
    sought from `start` where that is not far off (NaN: nothing known)."""
    e, w = a, 0.0
    if h > 0.0:
        if (start - a) ** 2 < WIDE**2 * b:
            e = start
        elif h * np.exp(min(a, 700.0)) > y:  # from the right Newton creeps; from here it does not
            e = min(a, max(np.log((y + 0.5) / h), a - b * (h * np.exp(min(a, 700.0)) - y)))
        else:  # nor does it from above the top: that is under a + b y, and under the data's own
            e = max(a, min(np.log((y + 0.5) / h), a + b * y))
        w = h * quick_exp(min(e, 700.0))
        for _ in range(100):
            change, grip = _change(e, w, a, b, y)
            e += change
            w = h * quick_exp(min(e, 700.0))
            if change * change * grip < NEAR * NEAR:
                break
    low, high = ends(e, w, b)
    return low, high, e


def tilted(a: Floats, b: Floats, own: Floats, y: Floats, h: Floats) -> tuple[Floats, Floats, Floats]:
    """Log integral, mean and variance of x under normal(a, b) x Poisson(y; h exp(e)), e = x + v; (n,) each.

    v has the mixture `own` (c, 3) of normal laws (share, mean, variance). For each of them one integral over e by the
    trapezoid rule; x given e is normal. y >= 0, h > 0.
    """
    log_z, mean, variance = (np.empty(len(a)) for _ in range(3))
    moments(a, b, own, y, h, np.full((len(a), len(own)), np.nan), log_z, mean, variance)
    return log_z + constant(y, h), mean, variance


def constant(y: Floats, h: Floats) -> Floats:
    """What a Poisson law has beyond exp(y e - h exp(e)), as a log, (n,): y log h - log y!."""
    from scipy.special import gammaln

    return np.asarray(y * np.log(h) - gammaln(y + 1.0))


@njit(cache=True, nogil=True)
def moments(
    a: Floats, b: Floats, own: Floats, y: Floats, h: Floats, top: Floats, log_z: Floats, mean: Floats, variance: Floats
) -> Floats:
    """`tilted`, log integrals but for the constant, into arrays that are given. `top` (n, c) holds where the laws of each
    part have their tops, or NaN, and is brought up to date. Answers the slope of all log integrals' sum along `own`."""
    n, parts, wide = len(a), len(own), ABREAST
    slope, size = np.zeros((parts, 3)), np.empty((parts, wide))
    part = np.empty((parts, 4, wide))
    # what stands beyond the last cell is worked on with it, and left
    cases, time, centre, spread, tip = np.zeros(wide), np.ones(wide), np.zeros(wide), np.ones(wide), np.zeros(wide)
    for begin in range(0, n, wide):
        count = min(wide, n - begin)
        for i in range(count):
            cases[i], time[i] = y[begin + i], h[begin + i]
        for c in range(parts):
            for i in range(count):
                centre[i], spread[i] = a[begin + i] + own[c, 1], b[begin + i] + own[c, 2]
                tip[i] = top[begin + i, c]
            tops(centre, spread, cases, time, tip, size[0], count)
            for i in range(count):
                top[begin + i, c] = tip[i]
            _integrals(centre, spread, cases, time, tip, part[c])
        for i in range(count):
            best = part[0, 0, i]
            for c in range(1, parts):
                best = max(best, part[c, 0, i])
            total, middle, around = 0.0, 0.0, 0.0
            for c in range(parts):
                size[c, i] = quick_exp(part[c, 0, i] - best)
                total += own[c, 0] * size[c, i]
                middle += own[c, 0] * size[c, i] * part[c, 1, i]
            middle /= total  # of (x - a) / b
            room = b[begin + i]
            for c in range(parts):
                share, held = own[c, 0] * size[c, i] / total, room / (room + own[c, 2])
                around += share * (held * (held * part[c, 2, i] + own[c, 2]) + (room * (part[c, 1, i] - middle)) ** 2)
                slope[c, 0] += size[c, i] / total
                slope[c, 1] += share * part[c, 1, i]
                slope[c, 2] += share * part[c, 3, i]
            log_z[begin + i] = best + np.log(total)
            mean[begin + i], variance[begin + i] = a[begin + i] + room * middle, around
    return slope


@njit(cache=True, nogil=True, fastmath={"contract"})
def tops(centre: Floats, spread: Floats, y: Floats, h: Floats, tip: Floats, off: Floats, count: int) -> None:
    """Brings `tip` to where normal(centre, spread) x Poisson(y; h exp(e)) is highest, as `support` does; `off` is for use."""
    for i in range(count):
        if not (tip[i] - centre[i]) ** 2 < WIDE**2 * spread[i]:
            tip[i] = support(centre[i], spread[i], y[i], h[i], np.nan)[2]
    far = 1.0
    for _ in range(TRIES):
        for i in range(len(tip)):
            change, grip = _change(tip[i], h[i] * quick_exp(min(tip[i], 700.0)), centre[i], spread[i], y[i])
            tip[i] += change
            off[i] = change * change * grip
        far = 0.0
        for i in range(count):
            far = max(far, off[i])
        if far < NEAR * NEAR:
            break
    if not far < NEAR * NEAR:
        for i in range(count):
            tip[i] = support(centre[i], spread[i], y[i], h[i], tip[i])[2]


@njit(cache=True, nogil=True, fastmath={"contract"})
def _integrals(centre: Floats, spread: Floats, y: Floats, h: Floats, tip: Floats, found: Floats) -> None:
    """Of normal(centre, spread) x Poisson(y; h exp(e)) with its top at `tip`: into `found` (4, n) log integral, its slope
    along `centre`, variance, and the integral's slope along `spread`."""
    n = len(tip)
    low, step, grip, height, rate, turn = np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    total, first, second = np.empty(n), np.empty(n), np.empty(n)
    for i in range(n):
        w = h[i] * quick_exp(min(tip[i], 700.0))
        low[i], high = ends(tip[i], w, spread[i])
        step[i] = (high - low[i]) / (POINTS - 1)
        grip[i] = 0.5 / spread[i]
        height[i] = y[i] * tip[i] - w - grip[i] * (tip[i] - centre[i]) ** 2
        rate[i], turn[i] = h[i] * quick_exp(min(low[i], 700.0)), quick_exp(min(step[i], 700.0))
        total[i], first[i], second[i] = 0.0, 0.0, 0.0
    for j in range(POINTS):
        for i in range(n):
            e = low[i] + step[i] * j
            value = rough_exp(y[i] * e - rate[i] - grip[i] * (e - centre[i]) ** 2 - height[i])
            rate[i] *= turn[i]
            total[i] += value
            first[i] += value * j
            second[i] += value * (j * j)
    for i in range(n):
        middle = first[i] / total[i]
        off = low[i] + step[i] * middle - centre[i]
        around = step[i] ** 2 * (second[i] / total[i] - middle**2)
        found[1, i], found[2, i] = off / spread[i], around
        found[3, i] = 0.5 * ((around + off**2) / spread[i] - 1.0) / spread[i]
        total[i] = (total[i] * step[i]) ** 2 / (2.0 * np.pi * spread[i])
    for i in range(n):
        found[0, i] = height[i] + 0.5 * np.log(total[i])
