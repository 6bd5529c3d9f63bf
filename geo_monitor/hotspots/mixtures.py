"""Mixtures of (normal law) x (Poisson likelihood of a cell's own cases), told on a grid of log rates in every cell.

In: means and variances of normal laws at the nodes of the hyperparameters, what a cell has for itself, weights, cases, hours.
Out: of every cell its grid, the distribution function there and the mean rate.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from geo_monitor.hotspots.gamma import shared
from geo_monitor.hotspots.tilted import ends, quick_exp, rough_exp, support, tops

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

LAID = 161  # points of the grid of log rates in one cell on which laws are multiplied ...
POINTS = (
    2 * LAID - 1
)  # ... and on which the distribution function is told, straight between them: probabilities come out good to 1e-3, most to 1e-4


def mixtures(
    mean: Floats, variance: Floats, own: Floats, weight: Floats, y: Floats, h: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """First log rate and step of each cell's grid (n,), its distribution function there (n, POINTS), mean rate (n,).

    mean, variance (k, n): normal laws at k nodes of `weight` (k,), which sums to 1; own (k, c, 3): what a cell has for itself
    there, a mixture of normal laws (share, mean, variance); y, h (n,): cases and hours.

    Nothing known but a normal law of log rates around 0: half lies under it, and the mean rate is exp(1/2).

    >>> first, step, cdf, rate = mixtures(*np.zeros((1, 1, 1)), np.ones((1, 1)), np.array([[[1.0, 0.0, 0.0]]]), *np.ones((1, 1)),
    ...                                   *np.zeros((2, 1)))
    >>> round(float(np.interp(0.0, first + step * np.arange(POINTS), cdf[0])), 6), rate.round(5).tolist()
    (0.5, [1.64872])
    """
    node, part = np.nonzero(own[:, :, 0] > 0.0)  # those of a node side by side
    each, n = np.ascontiguousarray(own[node, part].T), mean.shape[1]
    first, step, cdf, expected = np.empty(n), np.empty(n), np.empty((n, POINTS)), np.empty(n)

    def lay(cells: Ints) -> None:
        one, other = (np.ascontiguousarray(law[:, cells].T) for law in (mean, variance))
        into = slice(cells[0], cells[-1] + 1)  # filled in place: the whole is too large to be copied
        _laid(one, other, node, each, weight, y[into], h[into], first[into], step[into], cdf[into], expected[into])

    shared(lay, n)
    return first, step, cdf, expected


@njit(cache=True, nogil=True)
def crossings(first: Floats, step: Floats, cdf: Floats, p: float) -> Floats:
    """Log rates (n,) under which distribution functions told as `mixtures` does hold `p`."""
    found = np.empty(len(first))
    for i in range(len(first)):
        low = min(max(int(np.searchsorted(cdf[i], p)) - 1, 0), POINTS - 2)
        a, b = float(cdf[i, low]), float(cdf[i, low + 1])
        found[i] = first[i] + step[i] * (low + (p - a) / max(b - a, 1e-300))
    return found


@njit(cache=True, nogil=True)
def _laid(
    mean: Floats,
    variance: Floats,
    node: Ints,
    own: Floats,
    weight: Floats,
    y: Floats,
    h: Floats,
    first: Floats,
    step: Floats,
    cdf: Floats,
    expected: Floats,
) -> None:
    """`mixtures` of mean, variance (n, k); own (3, l) of l laws, of the nodes `node` (l,); fills the last four."""
    n, laws = len(mean), len(node)
    centre, spread, tip, left, right = np.empty(laws), np.empty(laws), np.empty(laws), np.empty(laws), np.empty(laws)
    data, density, part = np.zeros(LAID), np.empty(LAID), np.empty((laws, LAID))
    level, mass = np.empty(laws), np.empty(laws)
    begin, end = np.empty(laws, np.int64), np.empty(laws, np.int64)
    for i in range(n):
        for c in range(laws):
            centre[c], spread[c] = mean[i, node[c]] + own[1, c], variance[i, node[c]] + own[2, c]
        _ends(centre, spread, y[i], h[i], tip, left, right)
        low = left.min()
        width = (right.max() - low) / (LAID - 1)
        first[i], step[i] = low, 0.5 * width
        if h[i] > 0.0:
            for j in range(LAID):
                e = low + width * j
                data[j] = y[i] * e - h[i] * np.exp(e)
        else:
            data[:] = 0.0
        density[:] = 0.0
        here = 0
        while here < laws:
            following, most, total = here, -np.inf, 0.0
            while following < laws and node[following] == node[here]:
                c = following
                begin[c] = max(int((left[c] - low) / width), 0)
                end[c] = min(int((right[c] - low) / width) + 2, LAID)
                # as a multiple of what it is at the point next to its top
                top = min(max(int((tip[c] - low) / width + 0.5), 0), LAID - 1)
                level[c] = data[top] - 0.5 * (low + width * top - centre[c]) ** 2 / spread[c]
                off = low + width * begin[c] - centre[c]
                _product(data[begin[c] : end[c]], level[c], off, width, spread[c], part[c])
                mass[c] = _sum(part[c, : end[c] - begin[c]])
                most = max(most, level[c])
                following += 1
            for c in range(here, following):
                level[c] = own[0, c] / np.sqrt(spread[c]) * np.exp(level[c] - most)
                total += level[c] * mass[c]
            for c in range(here, following):
                _add(density[begin[c] : end[c]], weight[node[c]] * level[c] / total, part[c])
            here = following
        density /= density.sum()
        rate, stride, total = np.exp(low), np.exp(width), 0.0
        for j in range(LAID):
            total += density[j] * rate
            rate *= stride
        expected[i] = total
        _cumulated(density, cdf[i])


@njit(cache=True, nogil=True, fastmath={"contract"})
def _ends(centre: Floats, spread: Floats, y: float, h: float, tip: Floats, left: Floats, right: Floats) -> None:
    """Fills left, right and `tip` (l,): between which log rates laws have their mass, and their tops, as `support`."""
    laws = len(tip)
    tip[:] = centre
    if h > 0.0:
        tip[:] = support(centre[0], spread[0], y, h, np.nan)[2]  # of the next to begin with
        tops(centre, spread, np.full(laws, y), np.full(laws, h), tip, np.empty(laws), laws)
    for c in range(laws):
        left[c], right[c] = ends(tip[c], h * quick_exp(min(tip[c], 700.0)), spread[c])


@njit(cache=True, nogil=True, fastmath={"contract"})
def _product(data: Floats, level: float, off: float, width: float, spread: float, part: Floats) -> None:
    """Fills `part` with exp(data - level) times a normal density of variance `spread` but for its height, from `off` beside
    its centre on in steps of `width`."""
    grip = 0.5 / spread
    for j in range(len(data)):
        e = off + width * j
        part[j] = rough_exp(data[j] - level - grip * e * e)


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def _sum(part: Floats) -> float:
    total = 0.0
    for value in part:
        total += value
    return total


@njit(cache=True, nogil=True, fastmath={"contract"})
def _add(total: Floats, share: float, part: Floats) -> None:
    """Adds `share` of `part`."""
    for j in range(len(total)):
        total[j] += share * part[j]


@njit(cache=True, nogil=True)
def _cumulated(density: Floats, cdf: Floats) -> None:
    """Fills the distribution function, told at the points of a density (points,) that sums to 1 and half way between, by
    cubics through four points: over a step (-d_0 + 13 d_1 + 13 d_2 - d_3) / 24, and Hermite's value in its middle."""
    last = len(density) - 1
    running = 0.5 * density[0]
    cdf[0] = running
    for j in range(last):
        before = density[j - 1] if j > 0 else 0.0
        after = density[j + 2] if j + 1 < last else 0.0
        here, following = density[j], density[j + 1]
        reached = min(max(running, running + (13.0 * (here + following) - before - after) / 24.0), 1.0)
        cdf[2 * j + 1] = min(max(running, 0.5 * (running + reached) + 0.125 * (here - following)), reached)
        cdf[2 * j + 2] = running = reached
