"""Operations and the water around them: which patrol surges there were, and what lies up- and downstream of each.

In: hours by step and reach; links, distances and mouths of the river. Out: operations, ring codes for `displacement`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def flow(links: Any, mouths: ArrayLike) -> NDArray[np.int64]:
    """The next reach downstream of each of n reaches: the next on the shortest way by water to a mouth.

    links : scipy.sparse (n, n), symmetric, metres between reaches that touch
    mouths : indices of the reaches at which water leaves the network, one or more a connected part

    Returns (n,) int, -1 at the mouths and where no mouth can be reached. One rule for channels, tributaries and lake
    cells; round an island, the arm that is longer than the other is cut where both ways are equally long.

    A river 0 - 1 - 2 with its mouth at 0 and a tributary 3 that joins at 1:

    >>> import scipy.sparse as sp
    >>> a, b = [0, 1, 1], [1, 2, 3]
    >>> flow(sp.coo_matrix(([500.0] * 6, (a + b, b + a)), shape=(4, 4)), [0]).tolist()
    [-1, 0, 1, 1]
    """
    from scipy.sparse.csgraph import dijkstra

    outlet = np.atleast_1d(np.asarray(mouths, dtype=np.int64))
    if not len(outlet):
        return np.full(links.shape[0], -1, dtype=np.int64)
    _, before, _ = dijkstra(links.tocsr(), directed=False, indices=outlet, min_only=True, return_predecessors=True)
    return np.where(before >= 0, before, -1).astype(np.int64)


def rings(
    treated: ArrayLike, distance: Any, downstream: ArrayLike, settings: Settings | None = None
) -> NDArray[np.int64]:
    """Ring codes of n reaches around the treated ones: 1 upstream, 2 downstream; 3, 4 the same farther out; 0 others.

    Parameters
    ----------
    treated : (n,) bool
    distance : scipy.sparse (n, n), symmetric: metres by water up to the outer ring, self excluded
    downstream : (n,) index of the next reach down, -1 where there is none (see `flow`)

    A reach up to `settings.displacement_ring_m` (2 km; outer: 5 km) from the nearest treated one is *upstream* if its
    water passes that one, which takes in tributaries that join in or above the treated stretch. All others are
    *downstream*: the way to them leaves the stretch at its lower end, be it down the river or up a tributary that joins
    below. Treated reaches are 0.

    Raises `Usage`: `hotspots_shape`, `displacement_flow` (also for a flow that goes round in a circle).

    The river of `flow`, its reach 1 treated, then 2: the tributary is upstream of 1, but downstream of 2.

    >>> import scipy.sparse as sp
    >>> metres = np.array([[0, 5, 10, 10], [5, 0, 5, 5], [10, 5, 0, 10], [10, 5, 10, 0]]) * 100.0
    >>> rings([False, True, False, False], sp.csr_matrix(metres), [-1, 0, 1, 1]).tolist()
    [2, 0, 1, 1]
    >>> rings([False, False, True, False], sp.csr_matrix(metres), [-1, 0, 1, 1]).tolist()
    [2, 2, 0, 2]
    """
    settings = settings or Settings()
    inner, outer = settings.displacement_ring_m
    mask, down = np.asarray(treated, dtype=bool), np.asarray(downstream, dtype=np.int64)
    n = len(mask)
    if distance.shape != (n, n):
        raise Usage("hotspots_shape", name="distance", shape=str(distance.shape), n=n)
    if down.shape != (n,) or (down < -1).any() or (down >= n).any():
        raise Usage("displacement_flow", n=n)
    to_treated = distance.tocsr()[:, np.flatnonzero(mask)].tocoo()
    nearest = np.full(n, np.inf)
    np.minimum.at(nearest, to_treated.row, to_treated.data)
    near = ~mask & (nearest <= outer)
    # follow the water down to the first treated reach; on a way that long, every reach before it lies in the rings too
    start = np.flatnonzero(near)
    at, hit = start.copy(), np.full(len(start), -1)
    for _ in range(int(near.sum()) + 1):
        going = (at >= 0) & near[at]
        if not going.any():
            break
        at[going] = down[at[going]]
        hit = np.where((at >= 0) & mask[at] & (hit < 0), at, hit)
    else:
        raise Usage("displacement_flow", n=n)
    reached = np.full(n, -1)
    reached[start] = hit
    upstream = np.zeros(n, dtype=bool)
    own = (
        near[to_treated.row]
        & (np.flatnonzero(mask)[to_treated.col] == reached[to_treated.row])
        & (to_treated.data <= nearest[to_treated.row] + 1e-6)
    )
    upstream[to_treated.row[own]] = True
    return np.where(near, np.where(upstream, 1, 2) + np.where(nearest > inner, 2, 0), 0).astype(np.int64)


@dataclass(frozen=True)
class Operation:
    """A patrol surge: its first and last step and the reaches (indices, ascending) it covered."""

    step: int
    last: int
    members: NDArray[np.int64]


def operations(hours: ArrayLike, links: Any, settings: Settings | None = None) -> list[Operation]:
    """Patrol surges nobody listed, from the hours (t, n) of t steps, oldest first; links (n, n) as for `flow`.

    A reach surges in a step whose hours are at least `surge_factor` (3) times the median of its earlier looked steps
    (`step_looked_h` hours or more), of which there must be `surge_steps` (3), and `surge_min_h` (6) hours more than it.
    Surging reaches that touch, in the same step or in one that follows, are one operation. Cases play no part on
    purpose: operations picked for their many cases before would all seem to have worked.

    Returns operations by first step, then by lowest member. Raises `Usage("surge_shape")`.

    >>> import scipy.sparse as sp
    >>> chain = sp.diags([[500.0] * 2, [500.0] * 2], [-1, 1])
    >>> operations([[2, 2, 2], [2, 2, 2], [2, 2, 2], [9, 8, 2], [2, 2, 2]], chain)
    [Operation(step=3, last=3, members=array([0, 1]))]
    """
    from scipy.sparse import coo_matrix, csr_matrix, identity
    from scipy.sparse.csgraph import connected_components

    settings = settings or Settings()
    h = np.asarray(hours, dtype=float)
    if h.ndim != 2 or links.shape != (h.shape[1], h.shape[1]) or not ((h >= 0) & (h < np.inf)).all():
        raise Usage("surge_shape", hours=str(h.shape), links=str(links.shape))
    steps, n = h.shape
    surge = np.zeros((steps, n), dtype=bool)
    for t in range(settings.surge_steps, steps):
        busy = np.flatnonzero(h[t] >= settings.surge_min_h)
        past = np.where(h[:t, busy] >= settings.step_looked_h, h[:t, busy], np.nan)
        enough = np.isfinite(past).sum(axis=0) >= settings.surge_steps
        busy, usual = busy[enough], np.nanmedian(past[:, enough], axis=0)
        surge[t, busy] = (h[t, busy] >= settings.surge_factor * usual) & (h[t, busy] - usual >= settings.surge_min_h)
    step, reach = np.nonzero(surge)
    number = np.full((steps, n), -1)
    number[step, reach] = np.arange(len(step))
    touch = (csr_matrix(links) != 0).astype(float) + identity(n, format="csr")
    a, b = touch.nonzero()
    pairs = []
    for later in (0, 1):
        for t in range(steps - later):
            both = surge[t, a] & surge[t + later, b]
            pairs.append(np.column_stack([number[t, a[both]], number[t + later, b[both]]]))
    edges = np.concatenate(pairs) if pairs else np.zeros((0, 2), int)
    graph = coo_matrix((np.ones(len(edges)), edges.T), shape=(len(step), len(step)))
    _, label = connected_components(graph, directed=False)
    found = []
    for name in range(label.max(initial=-1) + 1):
        own = label == name
        found.append(Operation(int(step[own].min()), int(step[own].max()), np.unique(reach[own])))
    return sorted(found, key=lambda o: (o.step, int(o.members[0])))


def around(values: ArrayLike, operation: Operation, settings: Settings | None = None) -> tuple[Any, Any]:
    """Sums (n,) of `values` (t, n) over the `displacement_steps` (3) steps before and after an operation.

    The operation's own steps belong to neither: what was found in them is the operation, not its effect.

    >>> before, after = around([[1, 0], [2, 0], [50, 9], [4, 1], [5, 1]], Operation(2, 2, np.array([0])))
    >>> before.tolist(), after.tolist()
    ([3, 0], [9, 2])
    """
    settings = settings or Settings()
    series, width = np.asarray(values), settings.displacement_steps
    before = series[max(operation.step - width, 0) : operation.step].sum(axis=0)
    return before, series[operation.last + 1 : operation.last + 1 + width].sum(axis=0)
