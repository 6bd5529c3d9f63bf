"""Every method that names the worst reaches: ours, those of other products, and an oracle.

In: `Looked`, what the agency has (cases, hours, the river). Out: `Answer`, a score a reach, higher is worse; equal scores are
ties. The oracle alone is told the truth's hyperparameters (never its rates).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.accuracy.worlds import CELL_M, REACH_M, World
from geo_monitor.hotspots import exchangeable
from geo_monitor.hotspots.field import Field, Fit
from geo_monitor.hotspots.gistar import gistar
from geo_monitor.hotspots.rates import Posterior, posterior
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SETTINGS = Settings()
BANDWIDTHS_M = (250.0, 500.0, 1000.0, 2000.0, 4000.0)  # of the kernel: the likeliest left-one-out is taken
H3_RESOLUTION = 8  # hexagons 0.9 km from centre to centre: the finest at which a cell holds a reach or two
LON, LAT = 112.0, 30.0  # where the made-up plane touches the earth
METRES_A_DEGREE = 111_320.0
PERMUTATIONS = 9_999  # of our Gi*: p down to 0.0002


@dataclass(frozen=True)
class Looked:
    """`cases`, `hours` (n,); `links` (n, n); `points` (n, 2) metres."""

    cases: Floats
    hours: Floats
    links: Any
    points: Floats


@dataclass(frozen=True)
class Answer:
    """`score` (n,); `low`, `high` (n,): ends of the 90 % interval of the rate, where there is one; `p`: the p-values of all
    tests made, where there are any."""

    score: Floats
    low: Floats | None = None
    high: Floats | None = None
    p: Floats = field(default_factory=lambda: np.zeros(0))


def counts(seen: Looked, truth: World) -> Answer:
    return Answer(seen.cases)


def counts_per_hour(seen: Looked, truth: World) -> Answer:
    return Answer(seen.cases / seen.hours)


def kde(seen: Looked, truth: World) -> Answer:
    """Planar normal kernel over the cases, each at the middle of its reach; hours are not looked at."""
    return Answer(_kernel(seen.points, _bandwidth(seen)) @ seen.cases)


def kde_per_hour(seen: Looked, truth: World) -> Answer:
    """The same kernel over the cases, divided by that over the hours (Kelsall & Diggle 1995, Stat. Med. 14:2335-2342)."""
    kernel = _kernel(seen.points, _bandwidth(seen))
    return Answer((kernel @ seen.cases) / (kernel @ seen.hours))


def gi_hexagons(seen: Looked, truth: World) -> Answer:
    """Planar Gi* of the cases in H3 cells, a cell and the water cells that touch it; hours are not looked at."""
    import h3
    from esda.getisord import G_Local
    from libpysal.weights import W

    lat = LAT + seen.points[:, 1] / METRES_A_DEGREE
    lon = LON + seen.points[:, 0] / (METRES_A_DEGREE * np.cos(np.radians(LAT)))
    names, cell = np.unique(
        [h3.latlng_to_cell(a, b, H3_RESOLUTION) for a, b in zip(lat, lon, strict=True)], return_inverse=True
    )
    cases = np.bincount(cell, weights=seen.cases)
    if np.ptp(cases) == 0.0:
        return Answer(np.zeros(len(cell)), p=np.ones(len(names)))
    water = set(names.tolist())
    around = {name: sorted(water & set(h3.grid_disk(name, 1))) for name in names.tolist()}
    weights = W(around, id_order=names.tolist(), silence_warnings=True)
    found = G_Local(cases, weights, transform="B", permutations=0, star=True)
    return Answer(found.Zs[cell], p=np.minimum(1.0, 2.0 * found.p_norm))


def gi_water(seen: Looked, truth: World) -> Answer:
    """Our Gi*: along the water, of rates corrected for hours (hotspots/gistar.py)."""
    looked = seen.hours >= SETTINGS.looked_h
    rate = exchangeable.posterior(seen.cases, seen.hours).mean
    found = gistar(rate, looked, _within(seen.links, truth), PERMUTATIONS)
    return Answer(np.where(looked, found["gi_z"], -np.inf), p=found["p_value"].to_numpy()[looked])


def marshall(seen: Looked, truth: World) -> Answer:
    """Empirical Bayes of all reaches together (Marshall 1991, Appl. Stat. 40:283-294), by PySAL's esda."""
    from esda.smoothing import Empirical_Bayes

    return Answer(np.ravel(Empirical_Bayes(seen.cases, seen.hours).r))


def marshall_local(seen: Looked, truth: World) -> Answer:
    """Marshall's local form, by PySAL's esda: drawn towards the rate of the reaches within two links."""
    from esda.smoothing import Spatial_Empirical_Bayes
    from libpysal.weights import WSP

    near = seen.links + seen.links @ seen.links
    near.setdiag(0.0)
    near.eliminate_zeros()
    near.data[:] = 1.0
    weights = WSP(near.tocsr()).to_W(silence_warnings=True)
    with np.errstate(invalid="ignore"):
        score = np.ravel(Spatial_Empirical_Bayes(seen.cases, seen.hours, weights).r)
    return Answer(np.where(np.isnan(score), 0.0, score))  # no case within two links: esda divides 0 by 0


def gamma_poisson(seen: Looked, truth: World) -> Answer:
    """Full Bayes without neighbours (hotspots/exchangeable.py)."""
    return _told(exchangeable.posterior(seen.cases, seen.hours))


def ours(seen: Looked, truth: World) -> Answer:
    """The rates of the table (hotspots/rates.py)."""
    return _told(posterior(seen.cases, seen.hours, seen.links))


def oracle(seen: Looked, truth: World) -> Answer:
    """The same model, told its true hyperparameters."""
    model = Field.on(seen.links, SETTINGS)
    nothing = np.zeros(len(seen.cases))
    law, _ = model.normal(seen.cases, seen.hours, truth.theta, nothing, nothing)
    fit = Fit(law.cavity_mean[None], law.cavity_variance[None], np.ones(1), np.zeros((1, 4)), own=law.own[None])
    looked = seen.hours >= SETTINGS.looked_h
    basin = float(seen.cases[looked].sum() / seen.hours[looked].sum())
    return _told(Posterior(fit, seen.cases, seen.hours, basin, basin))


METHODS: dict[str, Callable[[Looked, World], Answer]] = {
    "counts": counts,
    "counts_per_hour": counts_per_hour,
    "kde": kde,
    "kde_per_hour": kde_per_hour,
    "gi_hexagons": gi_hexagons,
    "gi_water": gi_water,
    "marshall": marshall,
    "marshall_local": marshall_local,
    "gamma_poisson": gamma_poisson,
    "rates": ours,
    "oracle": oracle,
}


def _told(known: Posterior | exchangeable.Posterior) -> Answer:
    """Worst by p_hot, ties by rate, as the public table says."""
    pairs = np.column_stack([known.above(SETTINGS.hot_factor * known.basin), known.mean])
    _, score = np.unique(pairs, axis=0, return_inverse=True)
    tail = (1.0 - SETTINGS.interval) / 2.0
    return Answer(score.reshape(-1).astype(float), known.quantile(tail), known.quantile(1.0 - tail))


def _kernel(points: Floats, bandwidth: float) -> Floats:
    """(n, n)."""
    square = ((points[:, None, :] - points[None, :, :]) ** 2).sum(axis=2)
    return np.exp(-0.5 * square / bandwidth**2) / (2.0 * np.pi * bandwidth**2)


def _bandwidth(seen: Looked) -> float:
    """Under which each case is likeliest in the light of all others."""
    at = seen.cases > 0

    def likelihood(bandwidth: float) -> float:
        kernel = _kernel(seen.points[at], bandwidth)
        others = kernel @ seen.cases[at] - np.diag(kernel)
        return float(seen.cases[at] @ np.log(np.maximum(others, 1e-300)))

    return max(BANDWIDTHS_M, key=likelihood) if at.any() else BANDWIDTHS_M[-1]


def _within(links: Any, truth: World) -> Any:
    """Reaches within the band of Gi* by water, (n, n): links are as long as the mean of the two reaches they join."""
    import scipy.sparse as sp
    from scipy.sparse.csgraph import dijkstra

    n, lake = links.shape[0], truth.river.chains[0][0]
    long = np.where(np.arange(n) < lake, CELL_M, REACH_M)
    steps = links.tocoo()
    metres = sp.csr_matrix((0.5 * (long[steps.row] + long[steps.col]), (steps.row, steps.col)), shape=(n, n))
    found = dijkstra(metres, directed=False, limit=SETTINGS.band_m)
    return sp.csr_matrix(np.isfinite(found) & (found > 0.0), dtype=float)
