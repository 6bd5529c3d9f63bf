"""Log rates as a field on the river: alike along the water, and each reach a little different for itself.

In: cases, hours, the links between reaches. Out: `Fit`, the posterior of the log rate of every reach.

    y_i | e_i ~ Poisson(h_i exp(e_i)),   e_i = m + u_i + v_i,   m ~ N(log median, log sd),
    u ~ N(0, s^2 f R(r)),   v_i ~ N(0, s^2 (1 - f)).

R(r) is the correlation of a proper conditional autoregression (CAR) on the river graph of range r: its precision is
(k^2 I + L)^a with L the graph's Laplacian, scaled to variance 1 in every reach, so that a dead end, a confluence and the
middle of a lake are equally uncertain before anything is known (the scaling of Sorbye & Rue 2014, Spatial Stat. 8:39-51,
reach by reach). a = 1 is the plain CAR, a broken line along the water; a = 2 a smooth curve (Lindgren, Rue & Lindstrom
2011, JRSS B 73:423-498). s is the spread of log rates, f its share that is structured (as in BYM2, Riebler et al. 2016,
Stat. Methods Med. Res. 25:1145-1165).

The work: given (s, f, r) the posterior of all e is brought to a normal law by expectation propagation (EP, Minka 2001,
UAI 17:362-369): each reach's Poisson likelihood is stood in for by a normal one with the same mean and variance in the light
of everything else (the cavity). The posterior of (s, f, r) is EP's marginal likelihood times weak priors; it is found at its
mode, spread by quadrature around it, and everything is averaged over it (the scheme of Rue, Martino & Chopin 2009,
JRSS B 71:319-392). Laplace's normal law would be quicker; but where a reach has a case or none, it takes the spread s for
too small, and the intervals come out too narrow.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from geo_monitor.hotspots.sparse import Pattern

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_monitor.settings import Settings

    Floats = NDArray[np.float64]

SMOOTHNESS = (1, 2)  # a broken line along the water, or a smooth curve: the data weigh them
TURNS = 40  # of EP at most; 4-10 are usual
SETTLED = 3e-4  # standard deviations by which a stand-in may miss the mean: EP's marginal likelihood errs by its square
POINTS = 33  # of the trapezoid rule in one reach; the integrands are smooth and vanish at the ends
WIDE = 6.0  # standard deviations
BOUNDS = (  # of log s, logit f, log r
    (np.log(0.02), np.log(3.0)),  # no difference at all; rates 400-fold apart
    (-5.0, 5.0),
    (np.log(0.5), np.log(500.0)),  # reaches: less is no neighbour at all, more is the whole river
)
PROBE = 0.15  # step of the finite differences for the curvature at the mode
FLOOR = 1.0 / 4.0  # least curvature believed: a hyperparameter no data speak of is not sought beyond 2 units
DESIGN = 1.1  # radius of the design around the mode, in standard deviations a dimension
NEGLIGIBLE = 1e-4  # share of the weight under which a node is left out


@dataclass(frozen=True)
class Unit:
    """The structured part at one range: a precision on the river with variance 1 in every reach.

    `diagonal` (n,), `link` (m,): its values; `total` (n,): its row sums; `log_det`: its log determinant.
    """

    diagonal: Floats
    link: Floats
    total: Floats
    log_det: float


@dataclass(frozen=True)
class Normal:
    """The law at one (s, f, r): mean and variance of every log rate without its own data (`cavity`, (n,)); the normal
    stand-ins of the data, exp(pull x - grip x^2 / 2) at x = m + u (n,); the log of marginal likelihood times prior."""

    cavity_mean: Floats
    cavity_variance: Floats
    pull: Floats
    grip: Floats
    log_density: float


@dataclass(frozen=True)
class Fit:
    """What everything but its own data says of every reach's log rate, at k hyperparameter nodes.

    Mean and variance (k, n) of the normal laws (`cavity`); `weight` (k,) sums to 1; `theta` (k, 4): s, f, r, smoothness.
    """

    cavity_mean: Floats
    cavity_variance: Floats
    weight: Floats
    theta: Floats


@dataclass
class Field:
    """The model on one river graph, for one smoothness.

    `pattern`: of the precision; `joined`: whether any reach has a neighbour; `powers`: diagonal (n,) and link values
    (m,) of I, L, ... L^smoothness, from which the precision is put together; `order`: binomial coefficients beside them.
    """

    pattern: Pattern
    joined: bool
    smoothness: int
    powers: list[tuple[Floats, Floats]]
    settings: Settings
    _units: dict[float, Unit] = field(default_factory=dict)

    @classmethod
    def on(cls, links: Any, smoothness: int, settings: Settings) -> Field:
        """The model on scipy.sparse `links` (n, n), symmetric; self-links and values do not matter."""
        import scipy.sparse as sp

        n = links.shape[0]
        touch = sp.csr_matrix(links, dtype=float, copy=True)
        touch.setdiag(0.0)
        touch.eliminate_zeros()
        touch.data[:] = 1.0
        laplacian = (sp.diags(np.asarray(touch.sum(axis=1)).ravel()) - touch).tocsr()
        powers = [sp.identity(n, format="csr")]
        reach = sp.csr_matrix((n, n))
        for _ in range(smoothness):
            powers.append((powers[-1] @ laplacian).tocsr())
            reach = reach + touch + reach @ touch
        pattern = Pattern.of(reach)
        a, b = pattern.row_a, pattern.row_b
        parts = [(matrix.diagonal(), np.asarray(matrix[a, b]).ravel() if len(a) else np.zeros(0)) for matrix in powers]
        return cls(pattern, touch.nnz > 0, smoothness, parts, settings)

    def unit(self, log_r: float) -> Unit:
        """The structured part at range exp(log_r) reaches: (k^2 I + L)^smoothness, scaled to variance 1."""
        if log_r not in self._units:
            p = self.pattern
            # k = sqrt(8 nu) / r with nu = smoothness - 1/2 (Lindgren, Rue & Lindstrom 2011, JRSS B 73:423-498)
            k2 = 8.0 * (self.smoothness - 0.5) * np.exp(-2.0 * log_r)
            diagonal, link = np.zeros(p.n), np.zeros(len(p.row_a))
            for power, (on, off) in enumerate(self.powers):
                share = math.comb(self.smoothness, power) * k2 ** (self.smoothness - power)
                diagonal, link = diagonal + share * on, link + share * off
            raw = p.factor(diagonal, link)
            sd = np.sqrt(raw.inverse_diagonal())
            diagonal, link = diagonal * sd**2, link * sd[p.row_a] * sd[p.row_b]
            self._units[log_r] = Unit(
                diagonal, link, p.multiply(diagonal, link, np.ones(p.n)), raw.log_det + 2.0 * float(np.log(sd).sum())
            )
        return self._units[log_r]

    def log_prior(self, theta: Floats) -> float:
        """Log density of the hyperprior at (log s, logit f, log r), up to a constant: s gamma, f uniform, r log-normal."""
        log_s, logit_f, log_r = theta
        k = self.settings
        value = k.field_sd_prior_shape * (log_s - np.exp(log_s) / k.field_sd_prior_mean)
        if self.joined:
            value -= np.logaddexp(0.0, logit_f) + np.logaddexp(0.0, -logit_f)
            value -= 0.5 * ((log_r - np.log(k.field_range_prior_median)) / k.field_range_prior_log_sd) ** 2
        return float(value)

    def normal(self, y: Floats, h: Floats, theta: Floats, pull: Floats, grip: Floats) -> Normal:
        """The law of the log rates given theta = (log s, logit f, log r).

        y, h (n,): cases and hours, y = 0 where h = 0; pull, grip (n,): the stand-ins to begin with, 0 where h = 0.
        """
        p, k = self.pattern, self.settings
        own_variance, scale = np.exp(2.0 * theta[0]) * np.array([_share(-theta[1]), _share(theta[1])])
        unit = self.unit(float(theta[2]))
        diagonal, link, total = unit.diagonal / scale, unit.link / scale, unit.total / scale
        # the level m, integrated out, takes rank one from the precision Q of m + u: Q - c (Q 1)(Q 1)'
        m0, level = np.log(k.rate_prior_median), 1.0 / k.rate_prior_log_sd**2
        c = 1.0 / (level + float(total.sum()))
        own = total * (level * c * m0)
        seen = np.flatnonzero(h > 0)
        pull, grip = pull.copy(), grip.copy()
        for turn in range(TURNS):
            factor = p.factor(diagonal + grip, link)
            through = factor.solve(total)
            left = 1.0 - c * float(total @ through)
            mean = factor.solve(own + pull)
            mean += through * (c / left) * float(total @ mean)
            variance = factor.inverse_diagonal() + through**2 * (c / left)
            rest = 1.0 / variance - grip
            cavity_mean, cavity_variance = (mean / variance - pull) / rest, 1.0 / rest
            log_z, told_mean, told_variance = tilted(
                cavity_mean[seen], cavity_variance[seen], own_variance, y[seen], h[seen]
            )
            off = np.abs(told_mean - mean[seen]) / np.sqrt(variance[seen])
            if off.max(initial=0.0) < SETTLED or turn == TURNS - 1:
                break
            fresh = np.maximum(1.0 / told_variance - rest[seen], 0.0)
            pull[seen] = told_mean * (rest[seen] + fresh) - cavity_mean[seen] * rest[seen]
            grip[seen] = fresh
        # log of the integral of prior times stand-ins, then each stand-in replaced by the likelihood itself
        d = mean - m0
        rough = float(d @ p.multiply(diagonal, link, d)) - c * float(total @ d) ** 2
        value = float(pull @ mean) - 0.5 * float(grip @ mean**2) - 0.5 * rough
        value += 0.5 * (unit.log_det - p.n * np.log(scale) + np.log(level * c) - factor.log_det - np.log(left))
        a, b, t, w = cavity_mean[seen], cavity_variance[seen], pull[seen], grip[seen]
        stand_in = (t**2 * b + 2.0 * t * a - w * a**2) / (2.0 * (1.0 + w * b)) - 0.5 * np.log1p(w * b)
        value += float((log_z - stand_in).sum())
        return Normal(cavity_mean, cavity_variance + own_variance, pull, grip, value + self.log_prior(theta))

    def explored(self, y: Floats, h: Floats) -> list[tuple[float, Floats, Normal]]:
        """Nodes around the mode of the hyperparameters: log weight, theta, law. y, h as for `normal`."""
        from scipy.optimize import minimize

        level = np.log((y.sum() + 0.5) / (h.sum() + 0.5 / self.settings.rate_prior_median))
        w = h * np.exp(level)
        here = [(w * level + y - w, w)]
        k = self.settings
        first = np.array([np.log(k.field_sd_prior_mean), 0.0, np.log(k.field_range_prior_median)])
        free = np.arange(3) if self.joined else np.array([0])
        low, high = np.array(BOUNDS).T

        def whole(part: Floats) -> Floats:
            theta = first.copy()
            theta[free] = part
            return np.clip(theta, low, high)

        def loss(part: Floats) -> float:
            found = self.normal(y, h, whole(part), *here[0])
            here[0] = (found.pull, found.grip)
            return -found.log_density

        bounds = list(zip(low[free], high[free], strict=True))
        options = {"eps": 1e-2, "ftol": 1e-6, "gtol": 0.1, "maxiter": 25}
        mode = minimize(loss, first[free], method="L-BFGS-B", bounds=bounds, options=options).x
        axes = self._axes(loss, mode)
        half_log_det = float(np.linalg.slogdet(axes)[1])
        nodes = []
        for z, share in _design(len(free)):
            theta = whole(mode + axes @ z)
            normal = self.normal(y, h, theta, *here[0])
            nodes.append((float(np.log(share) + normal.log_density + 0.5 * z @ z + half_log_det), theta, normal))
        return nodes

    def _axes(self, loss: Any, mode: Floats) -> Floats:
        """Columns: the directions and lengths of one standard deviation around the mode."""
        free = len(mode)
        centre = loss(mode)
        steps = PROBE * np.eye(free)
        hessian = np.empty((free, free))
        ahead = [loss(mode + step) for step in steps]
        back = [loss(mode - step) for step in steps]
        for i in range(free):
            hessian[i, i] = (ahead[i] - 2 * centre + back[i]) / PROBE**2
            for j in range(i):
                both = loss(mode + steps[i] + steps[j]) + loss(mode - steps[i] - steps[j])
                hessian[i, j] = hessian[j, i] = (both - ahead[i] - back[i] - ahead[j] - back[j] + 2 * centre) / (
                    2 * PROBE**2
                )
        value, vector = np.linalg.eigh(hessian)
        return vector / np.sqrt(np.maximum(value, FLOOR))


def fit(links: Any, y: Floats, h: Floats, settings: Settings) -> Fit:
    """The posterior of the log rates, averaged over the hyperparameters and over both smoothnesses.

    links scipy.sparse (n, n), symmetric; y, h (n,): cases and hours, y = 0 where h = 0.
    """
    fields = [Field.on(links, smoothness, settings) for smoothness in SMOOTHNESS]
    fields = fields if fields[0].joined else fields[:1]
    with ThreadPoolExecutor(len(fields)) as pool:  # the factors and the sums over reaches let go of the interpreter
        nodes = [node for found in pool.map(lambda model: model.explored(y, h), fields) for node in found]
    count = [len(nodes) // len(fields)] * len(fields)
    smooth = np.repeat([model.smoothness for model in fields], count)
    log_weight = np.array([node[0] for node in nodes])
    weight = np.exp(log_weight - log_weight.max())
    keep = np.flatnonzero(weight > NEGLIGIBLE * weight.sum())
    theta = np.array([nodes[i][1] for i in keep])
    kept = [nodes[i][2] for i in keep]
    return Fit(
        cavity_mean=np.array([law.cavity_mean for law in kept]),
        cavity_variance=np.array([law.cavity_variance for law in kept]),
        weight=weight[keep] / weight[keep].sum(),
        theta=np.column_stack([np.exp(theta[:, 0]), _share(theta[:, 1]), np.exp(theta[:, 2]), smooth[keep]]),
    )


def _design(dimensions: int) -> list[tuple[Floats, float]]:
    """Points and weights with the mean and variance of a standard normal law: the centre, a star and the corners of a
    cube on one sphere (Box & Wilson 1951, JRSS B 13:1-45).

    >>> points = _design(2)
    >>> round(sum(share for _, share in points), 12), round(sum(share * z[0] ** 2 for z, share in points), 12)
    (1.0, 1.0)
    """
    star = np.sqrt(dimensions) * np.vstack([np.eye(dimensions), -np.eye(dimensions)])
    around = np.vstack([star, np.array(list(product([-1.0, 1.0], repeat=dimensions)))])
    around = around[:2] if dimensions == 1 else around
    share = 1.0 / (len(around) * DESIGN**2)
    return [(np.zeros(dimensions), 1.0 - 1.0 / DESIGN**2), *((DESIGN * z, share) for z in around)]


def _share(logit: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-logit))


@njit(cache=True, nogil=True)
def support(a: float, b: float, y: float, h: float) -> tuple[float, float]:
    """Between which log rates normal(a, b) x Poisson(y; h exp(e)) has its mass."""
    e = a
    if h > 0.0:
        if h * np.exp(min(a, 700.0)) > y:  # from the right Newton creeps; from here it does not
            e = min(a, max(np.log((y + 0.5) / h), a - b * (h * np.exp(min(a, 700.0)) - y)))
        for _ in range(100):
            w = h * np.exp(e)
            change = ((a - e) / b + y - w) / (1.0 / b + w)
            e += min(max(change, -2.0), 2.0)
            if abs(change) < 1e-6:
                break
    sd = 1.0 / np.sqrt(1.0 / b + h * np.exp(e))
    # to the left the likelihood lets go, and only the cavity and the cases hold the law
    return e - min(WIDE * np.sqrt(b), 2.0 * WIDE * sd), e + WIDE * sd


@njit(cache=True, nogil=True)
def tilted(a: Floats, b: Floats, v: float, y: Floats, h: Floats) -> tuple[Floats, Floats, Floats]:
    """Log integral, mean and variance of x under normal(a, b) x Poisson(y; h exp(e)), e = x + normal(0, v); (n,) each.

    One integral over e by the trapezoid rule; x given e is normal.
    """
    n = len(a)
    log_z, mean, variance = np.empty(n), np.empty(n), np.empty(n)
    part = np.empty(POINTS)
    for i in range(n):
        spread = b[i] + v
        low, high = support(a[i], spread, y[i], h[i])
        step = (high - low) / (POINTS - 1)
        best = -np.inf
        ahead, stride = h[i] * np.exp(low), np.exp(step)  # h exp(e), taken along by multiplication
        for j in range(POINTS):
            e = low + step * j
            part[j] = -0.5 * (e - a[i]) ** 2 / spread + y[i] * e - ahead
            ahead *= stride
            best = max(best, part[j])
        total, first, second = 0.0, 0.0, 0.0
        for j in range(POINTS):
            x = np.exp(part[j] - best)
            total += x
            first += x * j
            second += x * j * j
        first /= total
        share = b[i] / spread
        log_z[i] = (
            best
            + np.log(total * step)
            - 0.5 * np.log(2.0 * np.pi * spread)
            + y[i] * np.log(h[i])
            - math.lgamma(y[i] + 1.0)
        )
        mean[i] = a[i] + share * (low + step * first - a[i])
        variance[i] = share**2 * step**2 * (second / total - first**2) + share * v
    return log_z, mean, variance
