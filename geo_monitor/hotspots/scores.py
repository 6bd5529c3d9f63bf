"""How good a forecast was, once the cases are in.

In: what was foretold, and the cases and hours that came. Out: log score (a proper score of the whole forecast law), PAI and
PEI (where the forecast put its 5 % of the river).

- Log score: log probability the forecast gave to what happened; the mean over reaches looked at, higher is better. No
  other forecast than one's true belief has the highest expected score (Good 1952, JRSS B 14:107-114; Gneiting & Raftery
  2007, JASA 102:359-378).
- PAI, prediction accuracy index (Chainey, Tompson & Uhlig 2008, Security Journal 21:4-28): share of cases in the foretold
  places over their share of the area, here river length. 1 is chance.
- PEI, prediction efficiency index (Hunt 2016, PhD thesis, American University): PAI over the largest that places of the same
  length could have had. At most 1.

Cases come only where somebody looks. PAI and PEI of cases therefore reward naming places that are patrolled; compare
methods by them only over reaches looked at, and together with the log score, which is given the hours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.hotspots import exchangeable
from geo_monitor.hotspots.rates import Posterior
from geo_monitor.hotspots.tilted import tilted

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def log_predictive(known: Posterior | exchangeable.Posterior, cases: ArrayLike, hours: ArrayLike) -> Floats:
    """Log probability of `cases` (n,) found in `hours` (n,) under what was known of the rates before; 0 in 0 hours.

    Exact for the gamma mixtures of `exchangeable` (negative binomial); for the normal laws of `rates` and `forecast`
    a quadrature in every reach and node. `known` must not hold these cases already: a `rates.Posterior` that holds data
    of its own is answered by its laws times its own data.

    One case in an hour where the rate is gamma of shape 1, mean 1: a geometric law of mean 1, P = 1/4.

    >>> one = np.ones((1, 1))
    >>> known = exchangeable.Posterior(one, one, np.ones(1), np.zeros(1, dtype=int), 1.0, 1.0)
    >>> float(np.exp(log_predictive(known, [1], [1.0]))[0].round(12))
    0.25
    """
    from scipy.special import gammaln, logsumexp, xlogy

    y, h = exchangeable.checked(cases, hours)
    if isinstance(known, exchangeable.Posterior):
        a, scale = known.shape[known.which], known.scale[known.which]
        m = h[:, None] * scale
        log_p = gammaln(a + y[:, None]) - gammaln(a) - gammaln(y[:, None] + 1) - a * np.log1p(m)
        log_p = log_p + xlogy(y[:, None], m / (1 + m))
        return np.where(h > 0, logsumexp(log_p, axis=1, b=known.weight), 0.0)
    answer = np.zeros(len(y))
    seen = np.flatnonzero(h > 0)
    y, h, y0, h0 = y[seen], h[seen], known.cases[seen], known.hours[seen]
    own = h0 > 0
    fit = known.fit
    by_node = np.empty((len(fit.weight), len(seen)))
    laws = zip(fit.cavity_mean[:, seen], fit.cavity_variance[:, seen], fit.parts, strict=True)
    for node, (a, b, part) in enumerate(laws):
        # new given own data: both together are one count of all hours, split between the two
        by_node[node] = tilted(a, b, part, y0 + y, h0 + h)[0]
        by_node[node, own] -= tilted(a[own], b[own], part, y0[own], h0[own])[0]
    split = gammaln(y0 + y + 1) - gammaln(y + 1) - gammaln(y0 + 1) + xlogy(y, h / (h0 + h)) + xlogy(y0, h0 / (h0 + h))
    answer[seen] = split + logsumexp(by_node, axis=0, b=fit.weight[:, None])
    return answer


def log_score(known: Posterior | exchangeable.Posterior, cases: ArrayLike, hours: ArrayLike) -> float:
    """Mean of `log_predictive` over the reaches looked at; 0 where none was.

    >>> one = np.ones((1, 1))
    >>> known = exchangeable.Posterior(one, one, np.ones(1), np.zeros(2, dtype=int), 1.0, 1.0)
    >>> round(log_score(known, [1, 0], [1.0, 0.0]), 6) == round(float(np.log(0.25)), 6)
    True
    """
    seen = np.asarray(hours, dtype=float) > 0
    return float(log_predictive(known, cases, hours)[seen].mean()) if seen.any() else 0.0


def inside(foretold: ArrayLike, length: ArrayLike, share: float = 0.05) -> Floats:
    """What part of every reach is among the `share` of river length foretold worst, (n,) in 0..1.

    Equals at the edge are in by the same part, so that the order of reaches does not matter.

    >>> inside([5.0, 1.0, 1.0, 0.0], [1.0, 1.0, 1.0, 1.0], 0.5).tolist()
    [1.0, 0.5, 0.5, 0.0]
    """
    x, size = np.asarray(foretold, dtype=float), np.asarray(length, dtype=float)
    if x.ndim != 1 or x.shape != size.shape or len(x) == 0:
        raise Usage("scores_shape", foretold=str(x.shape), length=str(size.shape))
    if not (np.isfinite(x).all() and np.isfinite(size).all() and (size > 0).all() and 0 < share <= 1):
        raise Usage("scores_value", share=share)
    _, group = np.unique(-x, return_inverse=True)
    held = np.bincount(group, weights=size)
    before = np.cumsum(held) - held
    return np.clip((share * size.sum() - before) / held, 0.0, 1.0)[group]


def pai(foretold: ArrayLike, found: ArrayLike, length: ArrayLike, share: float = 0.05) -> float:
    """Prediction accuracy index: (cases in the places / cases) / (length of the places / length); 0 without cases.

    foretold (n,): any score, higher is worse; found (n,): cases that came (or true rates); length (n,): of reaches;
    share: of river length that is named. Raises `Usage`: `scores_shape`, `scores_value`.

    Of 10 reaches of 500 m two are named, 20 %, and hold 3 of 5 cases: 0.6 / 0.2.

    >>> pai([9, 8, 0, 0, 0, 0, 0, 0, 0, 0], [2, 1, 0, 0, 0, 0, 0, 0, 0, 2], [500.0] * 10, share=0.2)
    3.0
    """
    y = np.asarray(found, dtype=float)
    part = inside(foretold, length, share)
    if y.shape != part.shape:
        raise Usage("scores_shape", foretold=str(part.shape), length=str(y.shape))
    if not (np.isfinite(y).all() and (y >= 0).all()):
        raise Usage("scores_value", share=share)
    return float((part * y).sum() / (share * y.sum())) if y.sum() > 0 else 0.0


def pei(foretold: ArrayLike, found: ArrayLike, length: ArrayLike, share: float = 0.05) -> float:
    """Prediction efficiency index: PAI over that of the places of the same length that held most; 0 without cases.

    Arguments and errors as in `pai`. There, the best two reaches would have held 4 of the 5 cases: 3 / 4.

    >>> pei([9, 8, 0, 0, 0, 0, 0, 0, 0, 0], [2, 1, 0, 0, 0, 0, 0, 0, 0, 2], [500.0] * 10, share=0.2)
    0.75
    """
    reached = pai(foretold, found, length, share)
    best = pai(np.asarray(found, dtype=float) / np.asarray(length, dtype=float), found, length, share)
    return reached / best if best > 0 else 0.0
