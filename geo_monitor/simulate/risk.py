"""The true risk: cases an hour of looking would find, patchy along the water, by night and by season.

In: adjacency of the reaches, seed. Out: true rate of each reach; how the hour and the day of the year change it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

RANGE_REACHES = 8.0  # reaches over which the smooth part of the risk stays alike (4 km of 500 m reaches)
FIELD_SD = 0.8  # of the smooth part of log risk
LOG_MOST = 3.2  # log risk is not raised above this: 25 times the usual
SMALL = 30  # reaches; a water of fewer is alike all over
POCKET_EVERY = 120  # one pocket per this many reaches ...
POCKET_LOG = (1.5, 2.8)  # ... whose log risk is raised by this much
NIGHT = 2.0  # 20:00-04:00 against the day's mean (0.5 in the other 16 hours, so that the mean is 1)
SEASON = 0.4  # amplitude over the year, highest at the end of January (eel fry, the spring festival)


def true_rates(adjacency: Any, mean_rate: float, seed: int) -> Floats:
    """True rate per hour of each of n reaches; their mean is `mean_rate`.

    A Gaussian field (I / range^2 + L)^-1 white noise, L the Laplacian of the network, plus pockets of a reach or two.
    Each connected water is brought to mean 0 and the same spread; a small one is alike all over.
    """
    import scipy.sparse as sp
    from scipy.sparse.csgraph import connected_components
    from scipy.sparse.linalg import splu

    n = adjacency.shape[0]
    rng = np.random.default_rng([seed, 1])
    joined = (adjacency != 0).astype(float).tocsc()
    degree = np.asarray(joined.sum(axis=1)).ravel()
    precision = (sp.diags(degree + RANGE_REACHES**-2) - joined).tocsc()
    field = splu(precision).solve(rng.standard_normal(n))
    _, part = connected_components(joined, directed=False)
    size = np.bincount(part)
    field -= (np.bincount(part, weights=field) / size)[part]
    spread = np.sqrt(np.bincount(part, weights=field**2) / size)[part]
    large = size[part] >= SMALL
    field = np.where(large, field / np.where(large, spread, 1.0), rng.standard_normal(len(size))[part]) * FIELD_SD
    pockets = np.zeros(n)
    where = rng.choice(n, size=max(1, n // POCKET_EVERY), replace=False)
    pockets[where] = rng.uniform(*POCKET_LOG, size=len(where))
    pockets = np.maximum(pockets, 0.6 * np.asarray(joined.multiply(pockets).max(axis=1).todense()).ravel())
    risk = np.exp(np.minimum(field + pockets, LOG_MOST))
    return mean_rate * risk / risk.mean()


def by_clock(seconds: Floats) -> Floats:
    """Factor on the true rate at moments given in seconds since 1970 on the Shanghai clock.

    Midnight and noon of 30 January 1970 (day 30 of the year, the season's height):

    >>> by_clock(np.array([29.5 * 86400 - 43200, 29.5 * 86400])).round(2).tolist()
    [2.8, 0.7]
    """
    hour = (seconds / 3600.0) % 24.0
    night = np.where((hour >= 20.0) | (hour < 4.0), NIGHT, (24.0 - 8.0 * NIGHT) / 16.0)
    season = 1.0 + SEASON * np.cos(2 * np.pi * (seconds / 86400.0 - 29.5) / 365.2425)
    return night * season
