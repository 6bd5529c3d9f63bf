"""What an hour of looking counts for: exposures of boat, foot, drone, vehicle, camera, day and night on one scale.

In: hours looked and cases found, by reach, platform, day and night; the stated weights. Out: `Weights`.

Given the cases of a reach, which platform found each of them, by day or by night, does not depend on how many cases
there are to be found: conditioned on their number the Poisson rate of the reach drops out, and what is left is

    P(found by platform p, by day or night t) = w_p g_t h_pt / sum of w g h over all that looked in this reach

(conditional likelihood: Andersen 1970, JRSS B 32:283-301; Clayton & Hills 1993, Statistical Models in Epidemiology).
So weights are learnt only where different eyes saw the same water, never from the habit of flying drones where much is
found. Log weights have a normal prior around the stated ones; the posterior is maximised by Newton's method, and its
interval is Laplace's, widened where cases came in batches (sandwich variance by reach: White 1982, Econometrica 50:1-25).
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.hotspots.newton import climbed
from geo_monitor.settings import Settings
from geo_monitor.tables import PLATFORMS

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

BOAT = 0  # its place in `tables.PLATFORMS`: the reference, an hour of which is the unit of exposure


@dataclass(frozen=True)
class Weights:
    """What p platforms and the night count for. Rows of the (p + 1,) arrays: the platforms, then `night`.

    weight : hours of the reference that an hour counts for; of the night: hours by day that an hour by night counts for
    lo, hi : the interval (90 %) of what prior and data say together, whether or not the weight is taken from them
    estimated : bool, whether `weight` is the estimate; else it is the stated one
    cases : int, cases that could tell: in reaches where this platform and another looked, or by day and by night
    per_hour : (p, 2) what an hour counts for, by day and by night; over all hours looked day and night average to 1
    """

    weight: Floats
    lo: Floats
    hi: Floats
    estimated: NDArray[np.bool_]
    cases: NDArray[np.int64]
    per_hour: Floats

    def told(self) -> list[dict[str, Any]]:
        """The rows as plain values, for the summary of a run; the platforms are those of `tables.PLATFORMS`."""
        rows = zip((*PLATFORMS, "night"), self.weight, self.lo, self.hi, self.estimated, self.cases, strict=True)
        return [
            {
                "category": name,
                "weight": round(float(weight), 4),
                "lo": round(float(lo), 4),
                "hi": round(float(hi), 4),
                "estimated": bool(estimated),
                "cases": int(cases),
            }
            for name, weight, lo, hi, estimated, cases in rows
        ]


def stated(settings: Settings) -> Floats:
    """The stated weights (platforms,) in the order of `tables.PLATFORMS`."""
    return np.array([settings.weight(platform) for platform in PLATFORMS])


def weights(hours: ArrayLike, cases: ArrayLike, stated: ArrayLike, settings: Settings | None = None) -> Weights:
    """Weights of p platforms and of the night, from who found the cases of n reaches.

    Parameters
    ----------
    hours : (n, p, 2) hours looked, by day and by night
    cases : (n, p, 2) cases found, whole numbers. Those whose finder is unknown are left out by the caller; those of a
        platform that by its hours did not look there say nothing and are left out here
    stated : (p,) weights without data; 0 keeps a platform out altogether

    The reference keeps its stated weight: platform 0 (boat), or the one with most hours where no boat looked. The night
    has one factor for all platforms, stated as 1. A weight leaves its stated value only with `weight_cases_min` cases
    that could tell and if its interval excludes the stated value. That interval is wide enough (Bonferroni) that where
    every stated weight is true, all of them stay in 90 % of data sets (`interval`).

    Raises `Usage`: `exposure_shape`, `exposure_value`, `exposure_weight`.

    Boat and drone look 10 h each by day, all in the same reach; the boat finds 30 cases, the drone 10. With next to no
    prior the drone's hour is worth 10/30 of a boat's; a drone that finds 22 to 30 stays at the stated 1:

    >>> from dataclasses import replace
    >>> free = replace(Settings(), weight_prior_log_sd=100)
    >>> hours = [[[10.0, 0.0], [10.0, 0.0]]]
    >>> weights(hours, [[[30, 0], [10, 0]]], [1.0, 1.0], free).weight.round(3).tolist()
    [1.0, 0.333, 1.0]
    >>> weights(hours, [[[30, 0], [22, 0]]], [1.0, 1.0], free).weight.tolist()
    [1.0, 1.0, 1.0]
    """
    settings = settings or Settings()
    h, y, w = _checked(hours, cases, stated)
    h, y = h * (w > 0)[:, None], y * (w > 0)[:, None]
    p = len(w)
    by_platform = h.sum(axis=(0, 2))
    reference = BOAT if by_platform[BOAT] > 0 else int(np.argmax(by_platform))
    y = np.where(h > 0, y, 0.0)
    free = np.append(w > 0, True)
    free[reference] = False
    log, spread = np.zeros(p + 1), np.zeros(p + 1)
    log[free], spread[free] = _fit(h, y, w, free, settings)

    total = y.sum(axis=(1, 2))
    looked = h.sum(axis=2) > 0
    both = np.column_stack([looked & (looked.sum(axis=1) > 1)[:, None], (h.sum(axis=1) > 0).all(axis=1)])
    told = (both * total[:, None]).sum(axis=0).astype(np.int64)
    tried = free & (told >= settings.weight_cases_min)
    tail = (1 - settings.interval) / 2
    sure = NormalDist().inv_cdf(1 - tail / max(1, int(tried.sum())))
    estimated = tried & (np.abs(log) > sure * spread)

    base = np.append(w, 1.0)
    weight = np.where(estimated, base * np.exp(log), base)
    wide = NormalDist().inv_cdf(1 - tail) * spread
    by_day, by_night = h[:, :, 0].sum(), h[:, :, 1].sum()
    night = weight[-1]
    day = (by_day + by_night) / (by_day + night * by_night) if by_day + by_night > 0 else 1.0
    return Weights(
        weight=weight,
        lo=base * np.exp(log - wide),
        hi=base * np.exp(log + wide),
        estimated=estimated,
        cases=told,
        per_hour=weight[:-1, None] * np.array([day, night * day]),
    )


def _fit(h: Floats, y: Floats, w: Floats, free: NDArray[np.bool_], settings: Settings) -> tuple[Floats, Floats]:
    """Posterior mode and standard deviation of the free log weights (k,), against the stated ones."""
    p = h.shape[1]
    kind = np.vstack([np.repeat(np.eye(p), 2, axis=0).T, np.tile([0.0, 1.0], p)])[free]  # (k, 2 p) which factors apply
    use = y.sum(axis=(1, 2)) > 0
    found = y[use].reshape(-1, 2 * p)
    base = (h * w[:, None])[use].reshape(-1, 2 * p)
    count, seen = found.sum(axis=1), found.sum(axis=0)
    precision = settings.weight_prior_log_sd**-2

    def chances(log: Floats) -> tuple[Floats, float]:
        eta = log @ kind
        part = base * np.exp(eta - eta.max())
        whole = part.sum(axis=1)
        value = seen @ (eta - eta.max()) - count @ np.log(whole) - 0.5 * precision * log @ log
        return part / whole[:, None], float(value)

    def step(log: Floats) -> Floats:
        chance, _ = chances(log)
        slope = kind @ (seen - count @ chance) - precision * log
        return np.linalg.solve(_curvature(kind, chance, count, precision), slope)

    log = climbed(np.zeros(len(kind)), lambda log: chances(log)[1], step)
    chance, _ = chances(log)
    inverse = np.linalg.inv(_curvature(kind, chance, count, precision))
    score = (found - count[:, None] * chance) @ kind.T  # of each reach
    robust = inverse @ (score.T @ score + precision * np.eye(len(kind))) @ inverse
    return log, np.sqrt(np.maximum(np.diag(inverse), np.diag(robust)))


def _curvature(kind: Floats, chance: Floats, count: Floats, precision: float) -> Floats:
    """Minus the second derivative of the log posterior (k, k)."""
    expected = chance @ kind.T  # (reaches, k)
    return kind * (count @ chance) @ kind.T - (expected * count[:, None]).T @ expected + precision * np.eye(len(kind))


def _checked(hours: ArrayLike, cases: ArrayLike, stated: ArrayLike) -> tuple[Floats, Floats, Floats]:
    h, y, w = (np.asarray(values, dtype=float) for values in (hours, cases, stated))
    if h.ndim != 3 or h.shape[1:] != (len(np.atleast_1d(w)), 2) or y.shape != h.shape or w.ndim != 1:
        raise Usage("exposure_shape", hours=str(h.shape), cases=str(y.shape), stated=str(w.shape))
    if not (np.isfinite(h) & (h >= 0)).all() or not (np.isfinite(y) & (y >= 0) & (y == np.floor(y))).all():
        raise Usage("exposure_value")
    if not (np.isfinite(w) & (w >= 0)).all() or not (w > 0).any():
        raise Usage("exposure_weight", weights=str(w.tolist()))
    return h, y, w
