"""Compiled draws of case days under the null of `near_repeat`, and counts of near pairs.

Compiled because the draws are a chain: each exchange depends on the one before.
"""

# numba compiles these bodies, so they are written as plain loops over scalars
from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def exchange(
    rng: np.random.Generator, place: np.ndarray, period: np.ndarray, hours: np.ndarray, proposals: int
) -> None:
    """Exchange the periods of random pairs of cases, in place; a Metropolis chain on P ~ product of hours.

    place (m,) row of each case in `hours` (u, p); period (m,). Reversible, so running it backwards is running it.
    """
    m = len(place)
    for _ in range(proposals):
        a, b = int(rng.random() * m), int(rng.random() * m)  # several times as fast as rng.integers
        if place[a] == place[b] or period[a] == period[b]:
            continue
        fresh = hours[place[a], period[b]] * hours[place[b], period[a]]
        if fresh > rng.random() * hours[place[a], period[a]] * hours[place[b], period[b]]:
            period[a], period[b] = period[b], period[a]


@njit(cache=True)
def count(
    day: np.ndarray,
    first: np.ndarray,
    pair: np.ndarray,
    pair_band: np.ndarray,
    lag_band: np.ndarray,
    counts: np.ndarray,
) -> None:
    """Add to `counts` (distance bands, time bands) the pairs of cases near in place and time.

    day (m,), cases sorted by reach: those of reach u are first[u]:first[u + 1]. pair (k, 2) reaches near each other,
    u <= v, and their distance band. lag_band[lag in days] is the time band; lags past its end are in none.
    """
    for k in range(len(pair)):
        u, v = pair[k, 0], pair[k, 1]
        for a in range(first[u], first[u + 1]):
            for b in range(a + 1 if u == v else first[v], first[v + 1]):
                lag = abs(day[a] - day[b])
                if lag < len(lag_band):
                    counts[pair_band[k], lag_band[lag]] += 1


@njit(cache=True)
def null_counts(
    rng: np.random.Generator,
    draws: int,
    proposals: int,
    place: np.ndarray,
    period: np.ndarray,
    begin: np.ndarray,
    end: np.ndarray,
    looked_day: np.ndarray,
    total: np.ndarray,
    first: np.ndarray,
    pair: np.ndarray,
    pair_band: np.ndarray,
    lag_band: np.ndarray,
    bands: int,
) -> np.ndarray:
    """Counts of near pairs in `draws` worlds of the null, (draws, bands, time bands).

    begin, end (u, p): the looked days of reach u in period p are looked_day[begin:end], and `total` (one longer) the
    hours before each. All draws start where one chain from the observed periods came to (Besag & Clifford 1989).
    """
    hours = np.empty(begin.shape)
    for u in range(begin.shape[0]):
        for p in range(begin.shape[1]):
            hours[u, p] = total[end[u, p]] - total[begin[u, p]]
    hub = period.copy()
    exchange(rng, place, hub, hours, proposals)
    counts = np.zeros((draws, bands, lag_band[-1] + 1), np.int64)
    day = np.empty(len(place), np.int64)
    for r in range(draws):
        drawn = hub.copy()
        exchange(rng, place, drawn, hours, proposals)
        for a in range(len(place)):
            low, high = begin[place[a], drawn[a]], end[place[a], drawn[a]]
            x = total[low] + rng.random() * (total[high] - total[low])
            while high - low > 1:
                middle = (low + high) // 2
                if total[middle] <= x:
                    low = middle
                else:
                    high = middle
            day[a] = looked_day[low]
        count(day, first, pair, pair_band, lag_band, counts[r])
    return counts
