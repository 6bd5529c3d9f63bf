"""Log rates as a field on the river: alike along the water, and each reach a little different for itself.

In: cases, hours, the links between reaches. Out: `Fit`, the posterior of the log rate of every reach.

    y_i | e_i ~ Poisson(h_i exp(e_i)),   e_i = m + u_i + v_i,   m ~ N(log median, log sd),
    u ~ N(0, s^2 f R(r)),   v_i ~ N(0, s^2 (1 - f)).

What a reach has for itself, v, is told in two ways, and the data weigh them. In `Field` every reach differs a little, as
above. In `Pockets` most have nothing (f = 1) and a share w is raised much, v_i ~ (1 - w) [0] + w N(log raise, log sd): a
spike and a slab (Mitchell & Beauchamp 1988, JASA 83:1023-1032). A normal v has to be wide in every reach to let a few
stand out, and the intervals of all others come out too wide.

R(r) is the correlation of a proper conditional autoregression (CAR) on the river graph of range r: its precision is
k^2 I + L with L the graph's Laplacian and k = 2 / r (Lindgren, Rue & Lindstrom 2011, JRSS B 73:423-498), scaled to variance
1 in every reach, so that a dead end, a confluence and the middle of a lake are equally uncertain before anything is known
(the scaling of Sorbye & Rue 2014, Spatial Stat. 8:39-51, reach by reach). s is the spread of log rates, f its share that is
structured (as in BYM2, Riebler et al. 2016, Stat. Methods Med. Res. 25:1145-1165).

How the posterior is worked out: `propagation.py`.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numba import njit

from geo_monitor.hotspots.propagation import ALIKE, THREADS, Effects, Model, Node, Prior, explored, logistic, weights
from geo_monitor.hotspots.sparse import ABREAST, Factor, Pattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_monitor.settings import Settings

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

UNITS = 12  # kept at a time: two threads have up to four each in use
KNOT, KNOTS = 0.25, 6  # of log r
BOUNDS = (  # of log s, logit f, log r
    (np.log(0.02), np.log(3.0)),  # no difference at all; rates 400-fold apart
    (-5.0, 5.0),
    (np.log(0.5), np.log(500.0)),  # reaches: less is no neighbour at all, more is the whole river
)
POCKET_BOUNDS = (np.log(1e-4), np.log(0.3))  # of log w: none on any river; beyond, standing out is the rule


@dataclass(frozen=True)
class Unit:
    """The structured part at one range: a precision on the river with variance 1 in every reach.

    `diagonal` (n,), `link` (m,): its values; `log_det`: its log determinant.
    """

    diagonal: Floats
    link: Floats
    log_det: float


@dataclass(frozen=True)
class Fit:
    """What everything but its own data says of every reach's log rate, at k hyperparameter nodes.

    Mean and variance (k, n) of the normal laws (`cavity`) of what is shared, and `own` (k, c, 3) of what the reach has for
    itself: a mixture of c normal laws, a row the share, mean and variance of one; None: nothing. `weight` (k,) sums to 1;
    `theta` (k, 4): s, f, r, share w of pockets. `log_evidence`: log probability of the cases under the whole model.
    """

    cavity_mean: Floats
    cavity_variance: Floats
    weight: Floats
    theta: Floats
    log_evidence: float = 0.0
    own: Floats | None = None

    @property
    def parts(self) -> Floats:
        """`own`, where it is nothing too."""
        return np.tile(ALIKE, (len(self.weight), 1, 1)) if self.own is None else self.own


@dataclass
class Field(Model):
    """The model on one river graph.

    `river`: pattern of the precision over all reaches; `laplacian` (l,): L laid on it; `joined`: whether any reach has a
    neighbour; `effects`: the level. The hyperparameters theta are log s, logit f, log r.

    Branches nobody looked at say nothing: `over` has the law of all other reaches by itself. `pattern` is its precision's,
    `stays` are the columns of `river` that are left, `goes` those that are not.
    """

    joined: bool
    river: Pattern
    laplacian: Floats
    stays: Ints
    goes: Ints
    _units: dict[float, Unit] = field(default_factory=dict)
    _knots: dict[int, Floats] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def start(self) -> Floats:
        """Theta from which its mode is sought."""
        k = self.settings
        return np.array([np.log(k.field_sd_prior_mean), 0.0, np.log(k.field_range_prior_median)])

    @property
    def bounds(self) -> Floats:
        """Least and most of every part of theta, (d, 2)."""
        return np.array(BOUNDS)

    @property
    def scale(self) -> Floats:
        return np.array([0.1, 0.35, 0.25])

    @property
    def free(self) -> Ints:
        """The parts of theta that mean anything: without neighbours there is no structure."""
        return np.arange(3) if self.joined else np.array([0])

    @classmethod
    def on(cls, links: Any, settings: Settings) -> Self:
        """The model on scipy.sparse `links` (n, n), symmetric; self-links and values do not matter."""
        import scipy.sparse as sp

        n = links.shape[0]
        touch = sp.csr_matrix(links, dtype=float, copy=True)
        touch.setdiag(0.0)
        touch.eliminate_zeros()
        touch.data[:] = 1.0
        pattern = Pattern.of(sp.identity(n, format="csr") + touch)
        laplacian = pattern.laid(np.asarray(touch.sum(axis=1)).ravel(), np.full(len(pattern.row_a), -1.0))
        level, nothing = Effects.level(n, settings), np.zeros(0, dtype=np.int64)
        return cls(pattern, level, settings, touch.nnz > 0, pattern, laplacian, np.arange(n), nothing)

    @property
    def kept(self) -> Ints:
        """The reaches the law is told of, in its order."""
        return self.river.order[self.stays] if self.pattern is not self.river else np.arange(self.river.n)

    def over(self, looked: NDArray[np.bool_]) -> Self:
        """The same model of the reaches looked at (n,) and those between them: the others are integrated out, exactly."""
        pattern, stays = self.river.remaining(looked)
        return replace(
            self,
            pattern=pattern,
            effects=Effects.level(pattern.n, self.settings),
            stays=np.flatnonzero(stays),
            goes=np.flatnonzero(~stays),
            _units={},
        )

    def everywhere(self, node: Node, river: Field) -> tuple[Floats, Floats]:
        """Mean and variance of the cavities of all reaches, (n,) each, from a node told `over` some of them. river: the
        same model of all."""
        law, n = node.law, river.pattern.n
        if self.pattern.n == n:
            mean, variance = np.empty((2, n))
            mean[self.kept], variance[self.kept] = law.cavity_mean, law.cavity_variance
            return mean, variance
        pull, grip = np.zeros((2, n))
        pull[self.kept], grip[self.kept] = law.pull, law.grip
        # what a reach has for itself has no part in this
        prior = self._law(node.theta, river._undetermined(float(node.theta[2])))
        joint = river._joint(prior, pull, grip)
        variance = joint.variance()
        rest = 1.0 / variance - grip
        return (joint.mean / variance - pull) / rest, 1.0 / rest

    def unit(self, log_r: float) -> Unit:
        """The structured part at range exp(log_r) reaches: k^2 I + L, scaled to variance 1."""
        held = self._units.get(log_r)
        return self._make([log_r])[0] if held is None else held

    def ready(self, thetas: Floats) -> None:
        missing = [log_r for log_r in dict.fromkeys(thetas[:, 2].tolist()) if log_r not in self._units]
        for first in range(0, len(missing), ABREAST):
            self._make(missing[first : first + ABREAST])

    def _make(self, log_r: list[float]) -> list[Unit]:
        """Makes, and keeps for a while, the units at these ranges, `ABREAST` at most."""
        p, river, full = self.pattern, self.river, log_r + log_r[:1] * (ABREAST - len(log_r))
        value = np.column_stack([self._at(one) for one in full])
        river.eliminate(value, self.goes)
        sd = np.column_stack([self._deviations(one, self.stays) for one in full])
        value = _columns(value, river.l_start, self.stays, len(p.l_row))
        place = np.empty(p.n, dtype=np.int64)
        place[p.order] = np.arange(p.n)
        diagonal, link = _scaled(value, sd, p.l_start, p.a_place, place, place[p.row_a], place[p.row_b])
        p.eliminate(value, np.arange(p.n))
        log_det = 2.0 * np.log(value[p.l_start[:-1]] * sd).sum(axis=0)
        made = [Unit(diagonal[at], link[at], float(log_det[at])) for at in range(len(log_r))]
        with self._lock:
            self._units |= zip(log_r, made, strict=True)
            for one in [*self._units][: max(len(self._units) - UNITS, 0)]:
                del self._units[one]
        return made

    def _undetermined(self, log_r: float) -> Unit:
        """The unit of all reaches, but for its determinant, which no moment needs."""
        p, value = self.river, self._at(log_r)
        sd = np.empty(p.n)
        sd[p.order] = self._deviations(log_r)
        diagonal = np.empty(p.n)
        diagonal[p.order] = value[p.l_start[:-1]]
        return Unit(diagonal * sd**2, value[p.a_place] * sd[p.row_a] * sd[p.row_b], np.nan)

    def _at(self, log_r: float) -> Floats:
        """k^2 I + L over all reaches, (l,), where its factor will stand."""
        value = self.laplacian.copy()
        value[self.river.l_start[:-1]] += 4.0 * np.exp(-2.0 * log_r)
        return value

    def _deviations(self, log_r: float, which: Any = slice(None)) -> Floats:
        """Standard deviations under k^2 I + L of those reaches `which`, in the river's order of elimination.

        Their logs are smooth in log r: polynomials through those at the nearest `KNOTS` of even steps, which every range
        asked for shares, are right to 1e-4.
        """
        first = math.floor(log_r / KNOT) - KNOTS // 2 + 1
        at = np.arange(first, first + KNOTS)
        total = 0.0
        for i in at:
            known = self._knots.get(int(i))
            if known is None:
                value = self._at(i * KNOT)
                self.river.eliminate(value, np.arange(self.river.n))
                variance = Factor(self.river, value).inverse_diagonal()[self.river.order]
                known = self._knots[int(i)] = 0.5 * np.log(variance)
            others = at[at != i]
            total = total + float(np.prod((log_r / KNOT - others) / (i - others))) * known[which]
        return np.exp(total)

    def prior(self, theta: Floats) -> Prior:
        """The law of u at theta, and that of v."""
        return self._law(theta, self.unit(float(theta[2])))

    def _law(self, theta: Floats, unit: Unit) -> Prior:
        """`prior` of the reaches of a unit, that at the range in theta."""
        own, scale = np.exp(2.0 * theta[0]) * np.array([logistic(-theta[1]), logistic(theta[1])])
        law = np.array([[1.0, 0.0, own]])
        return Prior(unit.diagonal / scale, unit.link / scale, unit.log_det - len(unit.diagonal) * np.log(scale), law)

    def spread_and_range(self, log_s: float, log_r: float) -> float:
        """Log density of the hyperprior at log s and log r: s gamma, r log-normal."""
        k = self.settings
        shape = k.field_sd_prior_shape
        value = shape * (np.log(shape / k.field_sd_prior_mean) + log_s - np.exp(log_s) / k.field_sd_prior_mean)
        value -= math.lgamma(shape)
        if self.joined:
            value -= 0.5 * ((log_r - np.log(k.field_range_prior_median)) / k.field_range_prior_log_sd) ** 2
            value -= np.log(k.field_range_prior_log_sd * np.sqrt(2 * np.pi))
        return float(value)

    def log_prior(self, theta: Floats) -> float:
        """Log density of the hyperprior at (log s, logit f, log r): s gamma, f beta, r log-normal."""
        from scipy.special import betaln

        value = self.spread_and_range(theta[0], theta[2])
        if self.joined:
            a, b = self.settings.field_share_prior_a, self.settings.field_share_prior_b
            value -= a * np.logaddexp(0.0, -theta[1]) + b * np.logaddexp(0.0, theta[1]) + betaln(a, b)
        return float(value)


@njit(cache=True, nogil=True)
def _columns(value: Floats, l_start: Ints, wanted: Ints, count: int) -> Floats:
    """What stands in the `wanted` columns, `count` values (count, k), one column after the other."""
    found, at = np.empty((count, ABREAST)), 0
    for j in wanted:
        for p in range(l_start[j], l_start[j + 1]):
            for c in range(ABREAST):
                found[at, c] = value[p, c]
            at += 1
    return found


@njit(cache=True, nogil=True)
def _scaled(
    value: Floats, sd: Floats, l_start: Ints, a_place: Ints, place: Ints, at_a: Ints, at_b: Ints
) -> tuple[Floats, Floats]:
    """Diagonals (k, n) and links (k, m) of matrices value (l, k), every reach scaled by its sd, (n, k)."""
    diagonal, link = np.empty((ABREAST, len(place))), np.empty((ABREAST, len(a_place)))
    for i in range(len(place)):
        j = place[i]
        for c in range(ABREAST):
            diagonal[c, i] = value[l_start[j], c] * sd[j, c] * sd[j, c]
    for m in range(len(a_place)):
        for c in range(ABREAST):
            link[c, m] = value[a_place[m], c] * sd[at_a[m], c] * sd[at_b[m], c]
    return diagonal, link


class Pockets(Field):
    """The same river; what a reach has for itself is nothing in most, and in a few a raise. Theta is log s, log w, log r."""

    @property
    def bounds(self) -> Floats:
        return np.array([BOUNDS[0], POCKET_BOUNDS, BOUNDS[2]])

    def _law(self, theta: Floats, unit: Unit) -> Prior:
        k, w, scale = self.settings, float(np.exp(theta[1])), np.exp(2.0 * theta[0])
        law = np.array([[1.0 - w, 0.0, 0.0], [w, k.pocket_raise_log, k.pocket_raise_log_sd**2]])
        return Prior(unit.diagonal / scale, unit.link / scale, unit.log_det - len(unit.diagonal) * np.log(scale), law)

    def log_prior(self, theta: Floats) -> float:
        """Log density of the hyperprior at (log s, log w, log r): s and r as in `Field`, w log-normal."""
        k = self.settings
        z = (theta[1] - np.log(k.pocket_share_prior_median)) / k.pocket_share_prior_log_sd
        level = -0.5 * z**2 - np.log(k.pocket_share_prior_log_sd * np.sqrt(2 * np.pi))
        return float(self.spread_and_range(theta[0], theta[2]) + level)

    @property
    def start(self) -> Floats:
        k = self.settings
        return np.log([k.field_sd_prior_mean, k.pocket_share_prior_median, k.field_range_prior_median])


def fit(links: Any, y: Floats, h: Floats, settings: Settings) -> Fit:
    """The posterior of the log rates, averaged over the hyperparameters and both laws of what a reach has for
    itself, each as likely as the other beforehand.

    links scipy.sparse (n, n), symmetric; y, h (n,): cases and hours, y = 0 where h = 0.
    """
    from scipy.special import logsumexp

    river = Field.on(links, settings)
    each = river.over(h > 0) if (h > 0).any() else river
    # without neighbours a field is no more than a spread, and `exchangeable.py` tells of reaches that stand out; the
    # model that takes longest goes first
    models = [Pockets(**vars(each)), each] if river.joined else [each]
    laid_out = explored([(model, y[each.kept], h[each.kept]) for model in models])
    nodes = [node for found in laid_out for node in found]
    of = [model for model, found in zip(models, laid_out, strict=True) for _ in found]
    weight, keep = weights(nodes)

    def everywhere(i: int) -> tuple[Floats, Floats]:
        return of[i].everywhere(nodes[i], river)

    with ThreadPoolExecutor(THREADS) as pool:
        mean, variance = (np.array(found) for found in zip(*pool.map(everywhere, keep), strict=True))
    theta, kept = np.array([nodes[i].theta for i in keep]), [nodes[i].law for i in keep]
    own = np.zeros((len(keep), 2, 3))
    for node, law in zip(own, kept, strict=True):
        node[: len(law.own)] = law.own
    pockets = own[:, 1, 0]
    return Fit(
        cavity_mean=mean,
        cavity_variance=variance,
        weight=weight,
        theta=np.column_stack(
            [np.exp(theta[:, 0]), np.where(pockets > 0, 1.0, logistic(theta[:, 1])), np.exp(theta[:, 2]), pockets]
        ),
        # each model as likely as the other; the design's weights are for a standard normal density
        log_evidence=float(
            logsumexp([node.log_weight for node in nodes])
            - np.log(len(models))
            + 0.5 * len(models[0].free) * np.log(2 * np.pi)
        ),
        own=own,
    )
