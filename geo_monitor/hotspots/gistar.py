"""Local Gi* along the water: is a reach part of a stretch where rates are high (or low) together?

In: effort-corrected rates (n,), which reaches were looked at, distances by water within the band.
Out: gi_z, p_value, q_value; NaN where nobody looked.

For reach i with weights w_ij = 1/k_i for the k_i looked reaches within the band, itself included (Ord & Getis 1995,
Geographical Analysis 27:286-306, equation 14*):

    z_i = (sum_j w_ij x_j - W_i m) / (s sqrt((n S_i - W_i^2) / (n - 1))),   W_i = sum_j w_ij = 1,   S_i = sum_j w_ij^2

with m and s^2 the mean and variance (divisor n) of x over all looked reaches.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

FLAT = 1e-12  # relative spread of the rates below which they count as all equal: nothing stands out, z = 0
CELLS = 20_000_000  # random numbers held at once in a permutation chunk (160 MB)


def gistar(
    rate: ArrayLike, looked: ArrayLike, distance_within: Any, permutations: int = 99_999, seed: int = 0
) -> pd.DataFrame:
    """Local Gi* of `rate` over network neighbours.

    Parameters
    ----------
    rate : (n,) effort-corrected rates; values where `looked` is False are not used
    looked : (n,) bool
    distance_within : scipy.sparse (n, n): an entry wherever two reaches lie within the band by water, self excluded
    permutations : conditional permutations for the p-value (0: the normal approximation of z)
    seed : of the permutations

    Returns
    -------
    DataFrame (n rows): gi_z; p_value, two-sided; q_value, Benjamini-Hochberg over the looked reaches. NaN where not
    looked; all NaN with fewer than two looked reaches; z = 0 and p = q = 1 where all looked rates are equal.

    Raises `Usage("gistar_shape")`.

    Four reaches in a row, neighbours next to each other: the high end stands out, the low end the other way.

    >>> import scipy.sparse as sp
    >>> chain = sp.diags([[1.0] * 3, [1.0] * 3], [-1, 1])
    >>> gistar([4.0, 4.0, 0.0, 0.0], [True] * 4, chain, permutations=0).gi_z.round(3).tolist()
    [1.732, 1.0, -1.0, -1.732]
    """
    import pandas as pd
    from scipy.special import ndtr

    x = np.asarray(rate, dtype=float)
    seen = np.asarray(looked, dtype=bool)
    n = len(x)
    if x.ndim != 1 or seen.shape != x.shape or distance_within.shape != (n, n):
        raise Usage("gistar_shape", rate=str(x.shape), looked=str(seen.shape), distances=str(distance_within.shape))
    answer = pd.DataFrame(np.full((n, 3), np.nan), columns=["gi_z", "p_value", "q_value"])
    index = np.flatnonzero(seen)
    if len(index) < 2:
        return answer
    x = x[index]
    if not np.isfinite(x).all():
        raise Usage("gistar_rate", position=int(index[np.flatnonzero(~np.isfinite(x))[0]]))
    neighbours = _binary(distance_within.tocsr()[index][:, index])
    if np.ptp(x) <= FLAT * np.abs(x).max():
        z, p = np.zeros(len(x)), np.ones(len(x))
    else:
        z = _z(x, neighbours)
        p = 2 * ndtr(-np.abs(z)) if permutations == 0 else _permuted(x, neighbours, permutations, seed)
    answer.loc[index, "gi_z"] = z
    answer.loc[index, "p_value"] = p
    answer.loc[index, "q_value"] = benjamini_hochberg(p)
    return answer


def benjamini_hochberg(p: ArrayLike) -> NDArray[np.float64]:
    """q-values: the smallest false discovery rate at which each test would be called (Benjamini & Hochberg 1995).

    q of the i-th smallest of m p-values is min over j >= i of p_j m / j, at most 1.

    >>> benjamini_hochberg([0.01, 0.04, 0.03, 0.5]).round(4).tolist()
    [0.04, 0.0533, 0.0533, 0.5]
    """
    values = np.asarray(p, dtype=float)
    m = len(values)
    order = np.argsort(values, kind="stable")
    stepped = np.minimum.accumulate((values[order] * m / np.arange(1, m + 1))[::-1])[::-1]
    q = np.empty(m)
    q[order] = np.minimum(stepped, 1.0)
    return q


def _binary(links: Any) -> Any:
    """0/1 neighbours without self, whatever distances (0 m included) the entries held."""
    import scipy.sparse as sp

    entries = links.tocoo()
    off = entries.row != entries.col
    ones = np.ones(int(off.sum()))
    matrix = sp.csr_matrix((ones, (entries.row[off], entries.col[off])), shape=links.shape)
    matrix.data[:] = 1.0
    return matrix


def _z(x: NDArray[np.float64], neighbours: Any) -> NDArray[np.float64]:
    """Analytic z of Gi*, by the formula above with w = 1/k: of k neighbours, self included, the mean's distance from that of
    all, over its standard deviation were they drawn without replacement."""
    n = len(x)
    k = np.asarray(neighbours.sum(axis=1)).ravel() + 1.0
    everybody = k >= n  # its neighbourhood is the whole river: the local mean is the mean, without variance
    off = (neighbours @ x + x) / k - x.mean()
    return np.where(everybody, 0.0, off / (x.std() * np.sqrt(np.where(everybody, 1.0, n / k - 1.0) / (n - 1.0))))


def _permuted(x: NDArray[np.float64], neighbours: Any, permutations: int, seed: int) -> NDArray[np.float64]:
    """Two-sided conditional-permutation p-values of Gi*.

    x_i stays, its k neighbours' values are replaced by k drawn from the other n - 1 reaches without replacement.
    Reaches with equally many neighbours share their draws (as in esda), and a draw that holds reach i itself is not
    counted for i: what remains is uniform over the k-subsets of the others. Sharing makes 100,000 permutations cheap,
    which matters: with 999, no p is under 0.002, and over thousands of reaches no q could ever be small.
    """
    n = len(x)
    target = neighbours @ x
    size = np.asarray(neighbours.sum(axis=1)).ravel().astype(np.int64)
    slack = 1e-9 * np.abs(x).max() * np.maximum(size, 1)  # sums of the same values in another order are ties
    p = np.ones(n)
    for k in np.unique(size):
        members = np.flatnonzero(size == k)
        if k == 0 or k >= n - 1:
            continue  # no neighbour, or all of them: nothing to permute, p = 1
        rng = np.random.default_rng([seed, int(k)])
        mine = np.zeros(n, dtype=bool)
        mine[members] = True
        high, low, drawn = np.zeros(n), np.zeros(n), np.zeros(n)
        step = max(1, CELLS // (int(k) if k * k <= n else n))
        for begin in range(0, permutations, step):
            count = min(step, permutations - begin)
            draws = _subsets(rng, n, int(k), count)
            sums = x[draws].sum(axis=1)
            order = np.sort(sums)
            high[members] += count - np.searchsorted(order, target[members] - slack[members], side="left")
            low[members] += np.searchsorted(order, target[members] + slack[members], side="right")
            flat = draws.ravel()
            owner = np.repeat(sums, k)
            wanted = mine[flat]
            flat, owner = flat[wanted], owner[wanted]
            high -= np.bincount(flat, weights=owner >= target[flat] - slack[flat], minlength=n)
            low -= np.bincount(flat, weights=owner <= target[flat] + slack[flat], minlength=n)
            drawn -= np.bincount(flat, minlength=n)
            drawn[members] += count
        tail = np.minimum(high[members], low[members])
        p[members] = np.minimum(1.0, 2 * (tail + 1) / (drawn[members] + 1))
    return p


def _subsets(rng: np.random.Generator, n: int, k: int, count: int) -> NDArray[np.int64]:
    """`count` random k-subsets of range(n), (count, k)."""
    if k * k > n:
        return np.argpartition(rng.random((count, n)), k - 1, axis=1)[:, :k]
    draws = rng.integers(0, n, size=(count, k))
    again = np.arange(count)
    while len(again):  # draw rows with a repeated member anew: uniform over subsets
        ordered = np.sort(draws[again], axis=1)
        again = again[(ordered[:, 1:] == ordered[:, :-1]).any(axis=1)]
        draws[again] = rng.integers(0, n, size=(len(again), k))
    return draws
