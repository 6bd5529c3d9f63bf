"""The public table `hotspots`: a row a reach, in the order of the reaches.

In: table `reaches`; arrays in its order (cases, cases nobody patrolled for, hours by platform, day and night, last look)
and the distances by water within the Gi* band. Out: table `hotspots`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage
from geo_monitor.hotspots import exchangeable
from geo_monitor.hotspots.exposure import stated
from geo_monitor.hotspots.gistar import gistar
from geo_monitor.hotspots.rates import Posterior, posterior, told
from geo_monitor.settings import Settings
from geo_monitor.tables import PLATFORMS, TABLES

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray


def table(
    reaches: pd.DataFrame,
    cases: ArrayLike,
    unpatrolled: ArrayLike,
    hours: ArrayLike,
    distance_within: Any,
    last_look_ms: ArrayLike,
    settings: Settings | None = None,
    seed: int = 0,
    links: Any = None,
    per_hour: ArrayLike | None = None,
) -> tuple[pd.DataFrame, Posterior]:
    """The table `hotspots` of a period, and the posterior behind its rates.

    Parameters
    ----------
    reaches : n rows of table `reaches`
    cases : (n,) seizures in the rate (setting water, bank or empty, found by patrol or with a unit there)
    unpatrolled : (n,) seizures by tip or camera with no unit there
    hours : (n, platforms, 2) hours looked, platforms in the order of `tables.PLATFORMS`, by day and by night
    distance_within : scipy.sparse (n, n), `network.within(settings.band_m)`
    last_look_ms : (n,) end of the last look, integer ms since 1970 UTC; negative: never
    seed : of the Gi* permutations
    links : scipy.sparse (n, n) adjacency: along it the rates borrow strength
    per_hour : (platforms, 2) what an hour counts for, `exposure.Weights.per_hour`; default: the stated weights

    A reach is `not_looked` by the unweighted hours of all platforms; its rate, interval and p_hot are the prior's.
    `class` is none: it needs the Gi* series of `emerging`.

    Raises `Usage`: `hotspots_shape`, `hotspots_hours`, `exposure_weight`, and those of `rates`.
    """
    import pandas as pd

    settings = settings or Settings()
    n = len(reaches)
    y = _column(cases, n, "cases")
    alone = _column(unpatrolled, n, "unpatrolled")
    last = np.asarray(_column(last_look_ms, n, "last_look_ms"), dtype=np.int64)
    looked_h = np.asarray(hours, dtype=float)
    shape = (n, len(PLATFORMS), 2)
    if looked_h.shape != shape:
        raise Usage("hotspots_hours", shape=str(looked_h.shape), expected=str(shape))
    weight = np.tile(stated(settings)[:, None], 2) if per_hour is None else np.asarray(per_hour, dtype=float)
    if weight.shape != shape[1:] or not (np.isfinite(weight) & (weight >= 0)).all():
        raise Usage("exposure_weight", weights=str(weight.tolist()))
    patrol_h, exposure_h = looked_h.sum(axis=(1, 2)), (looked_h * weight).sum(axis=(1, 2))
    looked = patrol_h >= settings.looked_h
    known = posterior(y, exposure_h, links, looked=looked, settings=settings)
    answer = told(known, settings.hot_factor, settings.interval)
    # the rate that cold is told by is cases / hours: none is below that of a basin without a case
    p_cold = known.below(settings.cold_factor * known.basin) if known.crude > 0 else np.zeros(n)
    # on rates that know nothing of their neighbours: Gi* is to find likeness along the water, not to be handed it
    lonely = known.lonely or exchangeable.posterior(y, exposure_h, looked=looked, settings=settings)
    local = gistar(lonely.mean, looked, distance_within, settings.gi_permutations, seed)
    frame = pd.DataFrame(
        {
            "reach_id": reaches["reach_id"].to_numpy(),
            "river": reaches["river"].to_numpy(),
            "km_from": reaches["km_from"].to_numpy(dtype=float),
            "km_to": reaches["km_to"].to_numpy(dtype=float),
            "lon": reaches["lon"].to_numpy(dtype=float),
            "lat": reaches["lat"].to_numpy(dtype=float),
            "adcodes": adcodes(reaches["adcode_left"], reaches["adcode_right"]),
            "seizures": y.astype(np.int64),
            "seizures_unpatrolled": alone.astype(np.int64),
            "patrol_h": patrol_h,
            "exposure_h": exposure_h,
            "expected": exposure_h * known.crude,
            **answer,
            "gi_z": local["gi_z"].to_numpy(),
            "q_value": local["q_value"].to_numpy(),
            "state": state(patrol_h, answer["p_hot"], p_cold, settings),
            "class": "none",
            "last_look": pd.to_datetime(pd.Series(last).where(last >= 0), unit="ms", utc=True).to_numpy(),
        }
    )
    return TABLES["hotspots"].conform(frame), known


def state(
    hours: ArrayLike, p_hot: ArrayLike, p_cold: ArrayLike, settings: Settings | None = None
) -> NDArray[np.object_]:
    """hot, normal, cold or not_looked, (n,).

    Under `looked_h` hours (2) nothing is said; else hot at p_hot >= `hot_p`, cold at p_cold >= `cold_p`.

    >>> state([1.9, 2.0, 5.0, 5.0], [0.99, 0.8, 0.79, 0.0], [0.0, 0.0, 0.1, 0.8]).tolist()
    ['not_looked', 'hot', 'normal', 'cold']
    """
    settings = settings or Settings()
    named = np.full(np.shape(hours), "normal", dtype=object)
    named[np.asarray(p_cold) >= settings.cold_p] = "cold"
    named[np.asarray(p_hot) >= settings.hot_p] = "hot"
    named[np.asarray(hours, dtype=float) < settings.looked_h] = "not_looked"
    return named


def adcodes(left: pd.Series, right: pd.Series) -> list[list[str]]:
    """Localities on the two banks: left before right, each once, nothing for an empty bank.

    >>> import pandas as pd
    >>> adcodes(pd.Series(["4201", "4201", None]), pd.Series(["4201", "4207", None]))
    [['4201'], ['4201', '4207'], []]
    """
    pairs = list(zip(*(side.astype(object).where(side.notna(), "").tolist() for side in (left, right)), strict=True))
    named = {pair: [code for code in dict.fromkeys(pair) if code != ""] for pair in set(pairs)}  # few, on many reaches
    return [named[pair] for pair in pairs]


def _column(values: ArrayLike, n: int, name: str) -> NDArray[Any]:
    array = np.asarray(values)
    if array.shape != (n,):
        raise Usage("hotspots_shape", name=name, shape=str(array.shape), n=n)
    return array
