"""Space-time scan: which connected stretch of water, over which time, has more cases than looking there explains?

In: cases and expected cases by reach (and step), links between reaches or points. Out: a row a cluster with its
likelihood ratio and its p-value, which holds for the whole search, not for one stretch.

For a zone with c cases where e are expected, out of C in all (Kulldorff 1997, Commun. Stat. 26:1481-1496, Poisson):

    llr = c ln(c / e) + (C - c) ln((C - c) / (C - e))   where c > e, else 0

The statistic is the largest llr over all candidate zones and windows. Its law under "cases fall as expected" comes from
replicates that spread the C cases over reaches and steps in proportion to expected, each searched in the same way.
"""

from __future__ import annotations

import math
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.hotspots import scan_kernels as kernels
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

BATCH = 64  # replicates between two looks at the stopping rule; the answer doesn't depend on it


def scan(
    cases: ArrayLike,
    expected: ArrayLike,
    links: Any = None,
    max_share: float = 0.25,
    permutations: int = 999,
    seed: int = 0,
    *,
    points: ArrayLike | None = None,
    prospective: bool = False,
    max_steps: int | None = None,
    max_members: int | None = None,
    max_clusters: int | None = None,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Clusters, most likely first.

    Parameters
    ----------
    cases : (n,) whole numbers, or (t, n) by step, oldest first
    expected : same shape, >= 0, on any scale (rescaled to sum to cases): hours of looking times the basin's rate. Where
        it is 0 nobody looked: such a reach joins nothing and is in no cluster
    links : scipy.sparse (n, n), symmetric: an entry wherever two reaches touch. Zones are connected sets of reaches:
        all of them on a small network; else reaches in order of the number of links from each reach, the best of these
        improved reach by reach (docs/methods-scan.md)
    max_share : a cluster's reaches hold at most this share of total expected (over all steps)
    permutations : replicates; they stop early once the p-value can't be small (Besag & Clifford 1991)
    points : (n, 2) planar coordinates: zones are circles, the nearest reaches of each reach, connected or not, and
        `links` isn't used
    prospective : only windows that reach the last step: clusters active now (Kulldorff 2001, JRSS A 164:61-72)
    max_steps : longest window in steps (default: `settings.scan_window` of all, rounded up; with all of them, what ended
        long ago still counts as active now)
    max_members : most reaches in a cluster (default: `settings.scan_members`)
    max_clusters : most rows (default: `settings.scan_clusters`)

    Returns
    -------
    DataFrame: members (positions, ascending), cases, expected (they sum to all cases), rr (cases / expected inside over
    the same outside; with no case outside, half a case is counted there), llr, p_value; with steps also step_from and
    step_to (from 0, inclusive). No reach is in two rows. Empty without cases, or where nothing exceeds expectation.
    `attrs["replicates"]`: replicates drawn.

    Raises `Usage`: `scan_shape`, `scan_cases`, `scan_expected`, `scan_unexpected`, `scan_links`, `scan_one_way`,
    `scan_points`, `scan_option`.

    Four reaches in a row, alike in hours, all ten cases in the first two, where five are expected:
    llr = 10 ln(10 / 5) = 6.931, rr = (10 / 5) / (0.5 / 5) = 20.

    >>> import scipy.sparse as sp
    >>> chain = sp.diags([[1.0] * 3, [1.0] * 3], [-1, 1])
    >>> found = scan([5, 5, 0, 0], [1, 1, 1, 1], chain, max_share=0.5)
    >>> found.members.tolist()
    [[0, 1]]
    >>> found[["cases", "expected", "rr", "llr"]].round(3).to_numpy().tolist()
    [[10.0, 5.0, 20.0, 6.931]]
    >>> bool(found.p_value[0] < 0.05)
    True
    """
    settings = settings or Settings()
    y, mu = _checked(cases, expected)
    steps, n = y.shape
    _check_options(
        max_share=max_share,
        permutations=permutations,
        max_steps=max_steps,
        max_members=max_members,
        max_clusters=max_clusters,
    )
    touching = _links(links, n) if points is None else None
    place = None if points is None else _points(points, n)
    total = y.sum()
    active = np.flatnonzero(mu.sum(axis=0) > 0)
    rows: list[dict[str, Any]] = []
    replicates = 0
    if total > 0:
        mu = mu * (total / mu.sum())
        river = _River(
            expected=_summed(mu[:, active]),
            touching=None if touching is None else touching[active][:, active].tocsr(),
            place=None if place is None else place[active],
            windows=_windows(steps, max_steps or math.ceil(steps * settings.scan_window), prospective),
            limit=max_share * total * (1 + kernels.TIE),
            most=max_members or settings.scan_members,
            settings=settings,
        )
        rows = river.clusters(_summed(y[:, active]), max_clusters or settings.scan_clusters)
    if rows:
        ratios = np.array([row["llr"] for row in rows])
        largest = river.null(mu[:, active], int(total), ratios[0], permutations, seed)
        replicates = len(largest)
        # a later search can by luck find more than the first, which is the one the replicates repeat
        for row, ratio in zip(rows, np.minimum(ratios, ratios[0]), strict=True):
            row["p_value"] = p_value(largest, ratio, permutations, settings.scan_stop)
            row["members"] = active[row["members"]].tolist()
        rows.sort(key=lambda row: -row["llr"])
    return _table(rows, with_steps=np.ndim(cases) == 2, replicates=replicates)


def p_value(largest: ArrayLike, ratio: float, permutations: int, stop: int) -> float:
    """Chance of a largest ratio of at least `ratio`, from those of null replicates in the order drawn.

    At the `stop`-th replicate that reaches it, l in all: stop / l; else (1 + those that reached it) / (1 + permutations)
    (Besag & Clifford 1991, Biometrika 78:301-304). Either way P(p <= alpha) <= alpha where nothing is going on.

    >>> p_value([1.0, 3.0, 2.0, 5.0], 4.0, permutations=4, stop=3)
    0.4
    >>> p_value([1.0, 3.0, 2.0], 2.0, permutations=999, stop=2)
    0.6666666666666666
    """
    reached = np.flatnonzero(np.asarray(largest) >= ratio * (1 - kernels.TIE))
    if len(reached) >= stop:
        return float(stop / (reached[stop - 1] + 1))
    return float((1 + len(reached)) / (1 + permutations))


@dataclass
class _River:
    """What the search needs to know, over the m reaches with expected cases."""

    expected: NDArray[np.float64]  # (t + 1, m), summed over steps
    touching: Any  # (m, m) csr, or None for circles
    place: NDArray[np.float64] | None  # (m, 2) for circles
    windows: NDArray[np.int64]  # (w, 2): steps from, to (exclusive)
    limit: float
    most: int
    settings: Settings

    def orders(self, weight: NDArray[np.float64]) -> tuple[Any, ...]:
        """The candidate zones, as arguments of the kernels; a reach heavier than the limit is in none."""
        settings = self.settings
        if self.place is not None:
            ptr, node = _circles(self.place, weight, self.limit, self.most)
            nothing = np.zeros(len(weight) + 1, dtype=np.int32)
            return (ptr, node, nothing, nothing[:0], weight, self.limit, self.most, 0, 0)
        graph = (self.touching.indptr, self.touching.indices)
        ptr, node = kernels.all_connected(*graph, weight, self.limit, self.most, settings.scan_exact)
        if len(ptr) > 1:
            return (ptr, node, *graph, weight, self.limit, self.most, 0, 0)
        ptr, node = kernels.balls(*graph, weight, self.limit, self.most)
        return (ptr, node, *graph, weight, self.limit, self.most, settings.scan_starts, settings.scan_changes)

    def clusters(self, observed: NDArray[np.float64], most: int) -> list[dict[str, Any]]:
        """Clusters without a common reach: the best one, then the best of the river without it, and so on."""
        weight = self.expected[-1].copy()
        total = observed[-1].sum()
        rows: list[dict[str, Any]] = []
        while len(rows) < most:
            llr, w, members = kernels.search(observed, self.expected, self.windows, *self.orders(weight))
            if llr <= 0:
                break
            begin, end = (int(step) for step in self.windows[w])
            members = np.sort(members)
            c = (observed[end] - observed[begin])[members].sum()
            e = (self.expected[end] - self.expected[begin])[members].sum()
            outside = max(total - c, 0.5)
            rows.append(
                {
                    "members": members,
                    "step_from": begin,
                    "step_to": end - 1,
                    "cases": int(c),
                    "expected": float(e),
                    "rr": float((c / e) / (outside / (total - e))),
                    "llr": float(llr),
                }
            )
            weight[members] = np.inf
        return rows

    def null(
        self, expected: NDArray[np.float64], total: int, ratio: float, permutations: int, seed: int
    ) -> NDArray[np.float64]:
        """Largest ratios of up to `permutations` replicates (r,), the same whatever the number of threads."""
        rng = np.random.default_rng(seed)
        step, node = np.nonzero(expected)
        chance = expected[step, node] / expected[step, node].sum()
        common = (step, node, self.expected, self.windows, *self.orders(self.expected[-1]))
        threads = os.cpu_count() or 1
        largest = np.empty(0)
        with ThreadPoolExecutor(threads) as pool:
            while len(largest) < permutations:
                draws = rng.multinomial(total, chance, size=min(BATCH, permutations - len(largest)))
                parts = pool.map(lambda part: kernels.maxima(part, *common), np.array_split(draws, threads))
                largest = np.concatenate([largest, *parts])
                if (largest >= ratio * (1 - kernels.TIE)).sum() >= self.settings.scan_stop:
                    break
        return largest


def _summed(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(t, m) -> (t + 1, m): sums over the steps before each; in row order, so that kernels are compiled once."""
    return np.ascontiguousarray(np.vstack([np.zeros(values.shape[1]), np.cumsum(values, axis=0)]))


def _windows(steps: int, longest: int, prospective: bool) -> NDArray[np.int64]:
    ends = [steps] if prospective else range(1, steps + 1)
    return np.array([(begin, end) for end in ends for begin in range(max(0, end - longest), end)], dtype=np.int64)


def _circles(
    place: NDArray[np.float64], weight: NDArray[np.float64], limit: float, most: int
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Orders by straight distance from each reach, ties by position, until the limit or `most` is reached."""
    from scipy.spatial import cKDTree

    tree = cKDTree(place)
    k = min(most, len(place))
    nodes = []
    for centre in place:
        distance, near = (np.atleast_1d(found) for found in tree.query(centre, k=k))
        near = near[np.lexsort([near, distance])]
        nodes.append(near[np.cumsum(weight[near]) <= limit])
    ptr = np.concatenate([[0], np.cumsum([len(order) for order in nodes])]).astype(np.int64)
    return ptr, np.concatenate(nodes).astype(np.int32)


def _table(rows: list[dict[str, Any]], with_steps: bool, replicates: int) -> pd.DataFrame:
    import pandas as pd

    kinds: dict[str, Any] = {
        "members": object,
        "step_from": "int64",
        "step_to": "int64",
        "cases": "int64",
        "expected": "float64",
    }
    kinds |= {"rr": "float64", "llr": "float64", "p_value": "float64"}
    names = [name for name in kinds if with_steps or not name.startswith("step_")]
    frame = pd.DataFrame({name: pd.Series([row[name] for row in rows], dtype=kinds[name]) for name in names})
    frame.attrs["replicates"] = replicates
    return frame


def _checked(cases: ArrayLike, expected: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Cases and expected as (t, n)."""
    y, mu = np.asarray(cases, dtype=float), np.asarray(expected, dtype=float)
    if y.ndim not in (1, 2) or y.shape != mu.shape or y.size == 0:
        raise Usage("scan_shape", cases=str(y.shape), expected=str(mu.shape))
    y, mu = np.atleast_2d(y), np.atleast_2d(mu)
    for code, wrong, values in (
        ("scan_cases", ~(np.isfinite(y) & (y >= 0) & (y == np.floor(y))), y),
        ("scan_expected", ~(np.isfinite(mu) & (mu >= 0)), mu),
        ("scan_unexpected", (y > 0) & (mu == 0), y),
    ):
        if wrong.any():
            step, position = (int(place) for place in np.argwhere(wrong)[0])
            value = float(values[step, position])
            raise Usage(code, step=step, position=position, value=value, count=int(wrong.sum()))
    return y, mu


def _check_options(**given: float | None) -> None:
    for name, value in given.items():
        if value is None:
            continue
        good = 0 < value <= 1 if name == "max_share" else value >= 1 and value == int(value)
        if not good:
            raise Usage("scan_option", name=name, value=value)


def _links(links: Any, n: int) -> Any:
    """0/1 links (n, n), csr: an entry wherever one is stored, whatever it holds (a distance of 0 m included)."""
    import scipy.sparse as sp

    if links is None or links.shape != (n, n):
        raise Usage("scan_links", links="None" if links is None else str(links.shape), n=n)
    entries = sp.coo_matrix(links)
    off = entries.row != entries.col
    matrix = sp.csr_matrix((np.ones(int(off.sum())), (entries.row[off], entries.col[off])), shape=(n, n))
    matrix.data[:] = 1.0
    if (matrix != matrix.T).nnz:
        raise Usage("scan_one_way", count=int((matrix != matrix.T).nnz))
    matrix.sort_indices()
    return matrix


def _points(points: ArrayLike, n: int) -> NDArray[np.float64]:
    place = np.asarray(points, dtype=float)
    if place.shape != (n, 2) or not np.isfinite(place).all():
        raise Usage("scan_points", points=str(place.shape), n=n)
    return place
