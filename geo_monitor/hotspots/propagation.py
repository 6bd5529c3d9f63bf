"""Cases of Poisson law whose log rates share a normal law: expectation propagation, and hyperparameters averaged over.

In: cases, hours, a `Model` that knows the normal law at any value of its hyperparameters. Out: what is known of every
cell's log rate at a few such values, with their weights.

Given the hyperparameters the posterior of all log rates is brought to a normal law by expectation propagation (EP, Minka
2001, UAI 17:362-369): each cell's Poisson likelihood is stood in for by a normal one with the same mean and variance in
the light of everything else (the cavity). The posterior of the hyperparameters is EP's marginal likelihood times weak
priors; it is found at its mode, spread by quadrature around it, and everything is averaged over it (the scheme of Rue,
Martino & Chopin 2009, JRSS B 71:319-392). Laplace's normal law would be quicker; but where a cell has a case or none, it
takes the spread of log rates for too small, and the intervals come out too narrow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from geo_monitor.hotspots.sparse import Factor, Pattern

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo_monitor.settings import Settings

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

TURNS = 40  # of EP at most; 4-10 are usual ...
HALF = 12  # ... from this one on stand-ins go half of the way: where a cell's law has two tops they may swing
SETTLED = 5e-4  # standard deviations by which a mean would still move: EP's marginal likelihood errs by its square
POINTS = 24  # of the trapezoid rule in one reach: steps of under a standard deviation, whose error is under 1e-8
WIDE = 6.0  # standard deviations
NEAR = 0.01  # standard deviations to which a top is sought: the rule needs no more
PROBE = 0.15  # step of the finite differences for the curvature at the mode
SLOPE = 3e-4  # step either way of the differences for a slope: to one side only, they err by the step times the cells
AHEAD = 5.0  # of these steps at most stand-ins are foretold
RIDGE = 1e-3  # squared distance in theta under which stand-ins found close together are not told apart
FLOOR = 1.0 / 4.0  # least curvature believed: a hyperparameter no data speak of is not sought beyond 2 units
ALIKE = np.array([[1.0, 0.0, 0.0]])  # a cell has nothing for itself
DESIGN = 1.1  # radius of the design around the mode, in standard deviations a dimension
NEGLIGIBLE = 1e-4  # share of the weight under which a node is left out
OUT_OF_QUESTION = 12.0  # nats by which a model is less likely: of 6e-6 of the weight no node is kept
THREADS = 2


@dataclass(frozen=True)
class Prior:
    """The law of what is structured at one theta, level apart: precision (`diagonal` (n,), `link` (m,), `log_det`), and
    of what every cell has for itself: `own` (c, 3), a mixture of c normal laws, a row the share, mean and variance of one."""

    diagonal: Floats
    link: Floats
    log_det: float
    own: Floats


@dataclass(frozen=True)
class Effects:
    """What all share: columns (n, k) times coefficients, normal around `mean` (k,) with precisions (k,) and
    independent. One column of ones is the level."""

    columns: Floats
    mean: Floats
    precision: Floats

    @classmethod
    def level(cls, n: int, settings: Settings) -> Effects:
        return cls(
            np.ones((n, 1)),
            np.array([np.log(settings.rate_prior_median)]),
            np.array([settings.rate_prior_log_sd**-2.0]),
        )


@dataclass(frozen=True)
class Normal:
    """The law at one theta. Of x = m + u in every cell, the log rate but for what the cell has for itself: mean and
    variance without its own data (`cavity`, (n,)), and the normal stand-ins of the data, exp(pull x - grip x^2 / 2) (n,).
    `own` (c, 3): as in `Prior`, and the slope of `log_density` along it. `log_density`: of marginal likelihood times prior."""

    cavity_mean: Floats
    cavity_variance: Floats
    pull: Floats
    grip: Floats
    own: Floats
    own_slope: Floats
    log_density: float


@dataclass(frozen=True)
class Joint:
    """Prior times stand-ins: their normal law with mean (n,), and the log of their integral. `factor` of the precision
    but for the effects; `through` (n, k), `left` (k, k): what they add to the variance. `structured` (n,): the mean but for
    the effects, whose `columns` (n, k) are."""

    factor: Factor
    through: Floats
    left: Floats
    mean: Floats
    log_integral: float
    structured: Floats
    columns: Floats

    def moments(self) -> tuple[Floats, Floats]:
        """Of what is structured, u: E[u_i^2] (n,), and E[u_i u_j] where cells touch, (m,)."""
        p, u = self.factor.pattern, self.structured
        off = self.through - self.columns
        product = self.factor.inverse_links() + u[p.row_a] * u[p.row_b]
        return (
            self.factor.inverse_diagonal() + _spread(off, self.left) + u**2,
            product + _spread(off[p.row_a], self.left, off[p.row_b]),
        )

    def variance(self) -> Floats:
        return self.factor.inverse_diagonal() + _spread(self.through, self.left)

    def moved(self, pull: Floats) -> Floats:
        """How the mean moves, (n,), when the stand-ins' pull changes by so much (n,)."""
        return self.factor.solve(pull) + _times(self.through, np.linalg.solve(self.left, _inner(self.through, pull)))


class Seen(NamedTuple):
    """Where in the free parts of theta what stand-ins (n,) were found."""

    part: Floats
    pull: Floats
    grip: Floats


@dataclass(frozen=True)
class Mode:
    """The likeliest theta, the log density there, and `axes`, whose columns are one standard deviation along the free parts
    of theta; `seen`: stand-ins near it, then `PROBE` more and less along each free part."""

    theta: Floats
    log_density: float
    axes: Floats
    seen: list[Seen]

    def foretold(self, part: Floats) -> tuple[Floats, Floats]:
        """Stand-ins (n,) to begin with at `part` of theta: along each part a parabola through those seen."""
        centre = self.seen[0]
        pull, grip = centre.pull.copy(), centre.grip.copy()
        away = np.clip((part - centre.part) / PROBE, -AHEAD, AHEAD)
        for way, more, less in zip(away, self.seen[1::2], self.seen[2::2], strict=True):
            for value, here, up, down in (
                (pull, centre.pull, more.pull, less.pull),
                (grip, centre.grip, more.grip, less.grip),
            ):
                value += 0.5 * way * (up - down) + 0.5 * way**2 * (up + down - 2.0 * here)
        return _near(pull, grip, centre)


class Node(NamedTuple):
    """A point of the hyperparameters' posterior: log weight, theta (d,), the law there."""

    log_weight: float
    theta: Floats
    law: Normal


@dataclass
class Model(ABC):
    """A law of log rates x + v in n cells: x normal given theta, sparse precision; v each for itself, all by one law.

    `pattern`: of the precision; `effects`: what all share.
    """

    pattern: Pattern
    effects: Effects
    settings: Settings

    @property
    @abstractmethod
    def start(self) -> Floats:
        """Theta (d,) from which its mode is sought."""

    @property
    @abstractmethod
    def bounds(self) -> Floats:
        """Least and most of every part of theta, (d, 2)."""

    @property
    @abstractmethod
    def scale(self) -> Floats:
        """By how much each part of theta (d,) is usually uncertain: the unit in which its mode is sought."""

    @property
    @abstractmethod
    def free(self) -> Ints:
        """The parts of theta that mean anything for these links."""

    @abstractmethod
    def prior(self, theta: Floats) -> Prior:
        """The law at theta, effects apart."""

    @abstractmethod
    def log_prior(self, theta: Floats) -> float:
        """Log density of the hyperprior at theta, up to a constant."""

    def normal(self, y: Floats, h: Floats, theta: Floats, pull: Floats, grip: Floats) -> tuple[Normal, Joint]:
        """The law of the log rates given theta, and what it was worked out from.

        y, h (n,): cases and hours, y = 0 where h = 0; pull, grip (n,): the stand-ins to begin with, 0 where h = 0.
        """
        prior, seen = self.prior(theta), np.flatnonzero(h > 0)
        pull, grip, y, h = pull.copy(), grip.copy(), y[seen], h[seen]
        top = np.full((len(seen), len(prior.own)), np.nan)
        log_z, told_mean, told_variance = np.empty((3, len(seen)))
        change = np.zeros(len(pull))
        for turn in range(TURNS):
            joint = self._joint(prior, pull, grip)
            mean, variance = joint.mean, joint.variance()
            rest = 1.0 / variance - grip
            cavity_mean, cavity_variance = (mean / variance - pull) / rest, 1.0 / rest
            a, b, t, w = cavity_mean[seen], cavity_variance[seen], pull[seen], grip[seen]
            own_slope = _tilted(a, b, prior.own, y, h, top, log_z, told_mean, told_variance)
            way = 1.0 if turn < HALF else 0.5
            fresh = np.maximum(1.0 / told_variance - 1.0 / b, 0.0)
            to_pull, to_grip = way * (told_mean * (1.0 / b + fresh) - a / b - t), way * (fresh - w)
            change[seen] = to_pull - to_grip * mean[seen]
            if turn == TURNS - 1 or np.abs(joint.moved(change) / np.sqrt(variance)).max(initial=0.0) < SETTLED:
                break
            pull[seen] += to_pull
            grip[seen] += to_grip
        # each stand-in replaced by the likelihood itself
        stand_in = (t**2 * b + 2.0 * t * a - w * a**2) / (2.0 * (1.0 + w * b)) - 0.5 * np.log1p(w * b)
        value = (
            joint.log_integral + float((log_z - stand_in).sum()) + float(constant(y, h).sum()) + self.log_prior(theta)
        )
        return Normal(cavity_mean, cavity_variance, pull, grip, prior.own, own_slope, value), joint

    def slope(self, theta: Floats, law: Normal, joint: Joint) -> Floats:
        """Of `law.log_density` at theta, along its free parts.

        EP's marginal likelihood is stationary in its stand-ins and cavities (Minka 2001), so they are held. What is left is
        the mean, under the posterior, of the slope of the log prior of u (Fisher's identity; source: Cappe, Moulines & Ryden
        2005, Inference in Hidden Markov Models, proposition 10.1.6): for a precision Q that changes by dQ,

            (d log det Q - sum_ij dQ_ij E[u_i u_j]) / 2,

        and what a cell has for itself. The changes are differences: Q takes no more than its own factor.
        """
        square, product = joint.moments()

        def rise(step: Floats) -> float:
            more, less = self.prior(theta + step), self.prior(theta - step)
            rough = float(((more.diagonal - less.diagonal) * square).sum())
            rough += 2.0 * float(((more.link - less.link) * product).sum())
            alone = float((law.own_slope * (more.own - less.own)).sum())
            told = self.log_prior(theta + step) - self.log_prior(theta - step)
            return 0.5 * (more.log_det - less.log_det - rough) + alone + told

        return np.array([rise(SLOPE * unit) / (2.0 * SLOPE) for unit in np.eye(len(theta))[self.free]])

    def _joint(self, prior: Prior, pull: Floats, grip: Floats) -> Joint:
        """The prior times the stand-ins.

        Effects x b of precision L, integrated out, take a low rank from the precision Q of x b + u:
        Q - Q x (L + x'Q x)^-1 x'Q.
        """
        p, shared = self.pattern, self.effects
        x = shared.columns
        total = np.column_stack([p.multiply(prior.diagonal, prior.link, column) for column in x.T])
        whole = np.diag(shared.precision) + _inner(x, total)
        factor = p.factor(prior.diagonal + grip, prior.link)
        through = np.column_stack([factor.solve(column) for column in total.T])
        left = whole - _inner(total, through)
        mean = factor.solve(_times(total, np.linalg.solve(whole, shared.precision * shared.mean)) + pull)
        mean += _times(through, np.linalg.solve(left, _inner(total, mean)))
        effect = np.linalg.solve(whole, shared.precision * shared.mean + _inner(total, mean))
        d = mean - _times(x, shared.mean)
        off = _inner(total, d)
        rough = float((d * p.multiply(prior.diagonal, prior.link, d)).sum()) - float(off @ np.linalg.solve(whole, off))
        value = float((pull * mean).sum()) - 0.5 * float((grip * mean**2).sum()) - 0.5 * rough
        value += 0.5 * (prior.log_det + np.log(shared.precision).sum() - factor.log_det - np.linalg.slogdet(left)[1])
        return Joint(factor, through, left, mean, value, mean - _times(x, effect), x)

    def mode(self, y: Floats, h: Floats) -> Mode:
        """Where the hyperparameters are likeliest, and how sharply. y, h as for `normal`."""
        from scipy.optimize import minimize

        level = np.log((y.sum() + 0.5) / (h.sum() + 0.5 / self.settings.rate_prior_median))
        w = h * np.exp(level)
        seen = [Seen(self.start[self.free], w * level + y - w, w)]
        scale, (low, high) = self.scale[self.free], self.bounds[self.free].T

        def slope(part: Floats) -> tuple[float, Floats]:
            theta = self._whole(part)
            law, joint = self.normal(y, h, theta, *foretold(seen, part))
            seen.append(Seen(part.copy(), law.pull, law.grip))
            return law.log_density, self.slope(theta, law, joint)

        def loss(x: Floats) -> tuple[float, Floats]:
            value, rise = slope(np.clip(x * scale, low, high))
            return -value, -rise * scale

        options = {"ftol": 1e-6, "gtol": 0.1, "maxiter": 25}
        bounds = list(zip(low / scale, high / scale, strict=True))
        best = minimize(
            loss, self.start[self.free] / scale, jac=True, method="L-BFGS-B", bounds=bounds, options=options
        )
        middle = np.clip(best.x * scale, low, high)
        centre = min(seen, key=lambda one: float(((one.part - middle) ** 2).sum()))
        steps, hessian, rise = PROBE * np.eye(len(middle)), [], np.zeros(len(middle))
        for step in steps:
            more, less = slope(middle + step)[1], slope(middle - step)[1]
            hessian.append((less - more) / (2 * PROBE))
            rise += (more + less) / (2 * len(middle))
        curvature = 0.5 * (np.array(hessian) + np.array(hessian).T)
        around = [centre, *seen[-2 * len(middle) :]]
        # the search ends near the mode: the last step is Newton's, but for what stands at its bound
        free = np.flatnonzero(~((middle <= low) & (rise < 0)) & ~((middle >= high) & (rise > 0)))
        value, vector = np.linalg.eigh(curvature[np.ix_(free, free)])
        middle[free] += vector @ (vector.T @ rise[free] / np.maximum(value, FLOOR))
        return Mode(self._whole(np.clip(middle, low, high)), -float(best.fun), _axes(curvature), around)

    def node(self, y: Floats, h: Floats, mode: Mode, z: Floats, share: float) -> Node:
        """The law `z` (d,) standard deviations from the mode, with `share` of the weight of a normal law. y, h as for
        `normal`."""
        part = mode.theta[self.free] + mode.axes @ z
        theta = self._whole(part)
        law, _ = self.normal(y, h, theta, *mode.foretold(theta[self.free]))
        log_weight = np.log(share) + law.log_density + 0.5 * z @ z + np.linalg.slogdet(mode.axes)[1]
        return Node(float(log_weight), theta, law)

    def _whole(self, part: Floats) -> Floats:
        """Theta with `part` for its free parts, within its bounds."""
        theta = self.start.copy()
        theta[self.free] = part
        return np.clip(theta, *self.bounds.T)


def _inner(a: Any, b: Any) -> Floats:
    """a'b of long columns, the same to the last bit however many threads an algebra library runs."""
    return np.einsum("nk,n...->k...", a, b)


def _times(a: Any, b: Any) -> Floats:
    """a b for long columns a (n, k) and b (k,)."""
    return np.einsum("nk,k->n", a, b)


def explored(told: Sequence[tuple[Model, Floats, Floats]]) -> list[list[Node]]:
    """Nodes around the modes of models, by model; none of those that are out of the question. With each model its y, h, as
    for `Model.normal`."""
    with ThreadPoolExecutor(THREADS) as pool:  # the factors and the sums over cells let go of the interpreter
        modes = list(pool.map(lambda one: one[0].mode(*one[1:]), told))
        # what a model weighs by the height and width of its mode
        weight = np.array([mode.log_density + np.linalg.slogdet(mode.axes)[1] for mode in modes])
        asked = [
            (i, z, share)
            for i, (model, _, _) in enumerate(told)
            if weight[i] > weight.max() - OUT_OF_QUESTION
            for z, share in design(len(model.free))
        ]
        nodes = list(pool.map(lambda one: told[one[0]][0].node(*told[one[0]][1:], modes[one[0]], *one[1:]), asked))
    return [[node for node, one in zip(nodes, asked, strict=True) if one[0] == i] for i in range(len(told))]


def _spread(a: Floats, left: Floats, b: Floats | None = None) -> Floats:
    """The diagonal of a left^-1 b', (n,), of long columns a and b (n, k); b is a if not told."""
    return np.einsum("nk,nk->n", np.einsum("nk,kj->nj", a, np.linalg.inv(left)), a if b is None else b)


def _axes(curvature: Floats) -> Floats:
    """Columns: the directions and lengths of one standard deviation around the mode."""
    value, vector = np.linalg.eigh(curvature)
    return np.asarray(vector / np.sqrt(np.maximum(value, FLOOR)))


def foretold(seen: list[Seen], part: Floats) -> tuple[Floats, Floats]:
    """Stand-ins (n,) to begin with at `part` of theta: those found nearest to it, carried on along what the last others
    differ by."""
    near = seen[-2 * len(part) - 1 :]
    near = sorted(near, key=lambda one: float(((one.part - part) ** 2).sum()))
    first, others = near[0], near[1:]
    if not others:
        return first.pull, first.grip
    ways = np.array([one.part - first.part for one in others])
    share = np.linalg.solve(ways @ ways.T + RIDGE * np.eye(len(ways)), ways @ (part - first.part))
    share = np.clip(share, -1.0, 1.0)
    pull, grip = first.pull.copy(), first.grip.copy()
    for one, way in zip(others, share, strict=True):
        pull += way * (one.pull - first.pull)
        grip += way * (one.grip - first.grip)
    return _near(pull, grip, first)


def _near(pull: Floats, grip: Floats, known: Seen) -> tuple[Floats, Floats]:
    """Stand-ins (n,) as foretold, where they are not far from those known."""
    good = (grip < 2.0 * known.grip) & (2.0 * grip > known.grip)
    return np.where(good, pull, known.pull), np.where(good, grip, known.grip)


def weights(nodes: list[Node]) -> tuple[Floats, Ints]:
    """Weights, summing to 1, and positions of the nodes that count for anything."""
    log_weight = np.array([node.log_weight for node in nodes])
    weight = np.exp(log_weight - log_weight.max())
    keep = np.flatnonzero(weight > NEGLIGIBLE * weight.sum())
    return weight[keep] / weight[keep].sum(), keep


def design(dimensions: int) -> list[tuple[Floats, float]]:
    """Points and weights with the mean and variance of a standard normal law: the centre, a star and the corners of a
    cube on one sphere (Box & Wilson 1951, JRSS B 13:1-45).

    >>> points = design(4)
    >>> len(points), round(sum(share for _, share in points), 12)
    (17, 1.0)
    >>> bool(np.allclose(sum(share * np.outer(z, z) for z, share in points), np.eye(4)))
    True
    """
    star = np.sqrt(dimensions) * np.vstack([np.eye(dimensions), -np.eye(dimensions)])
    corners = np.array(list(product([-1.0, 1.0], repeat=dimensions)))
    if dimensions > 3:  # every other corner does: squares and products of two come out the same
        corners = corners[corners.prod(axis=1) > 0]
    around = np.vstack([star, corners])
    around = around[:2] if dimensions == 1 else around
    share = 1.0 / (len(around) * DESIGN**2)
    return [(np.zeros(dimensions), 1.0 - 1.0 / DESIGN**2), *((DESIGN * z, share) for z in around)]


def logistic(logit: Any) -> Any:
    return 1.0 / (1.0 + np.exp(-logit))


def _to_bits(_: Any, x: Any) -> Any:
    """The 64 bits of a float as a whole number."""
    return types.int64(types.float64), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.IntType(64))


def _of_bits(_: Any, x: Any) -> Any:
    """64 bits as a float."""
    return types.float64(types.int64), lambda _c, builder, _s, args: builder.bitcast(args[0], ir.DoubleType())


_bits: Any = intrinsic(_to_bits)
_float: Any = intrinsic(_of_bits)


@njit(cache=True, nogil=True, inline="always")
def quick_exp(x: float) -> float:
    """exp x for x < 709, to the last bit or two; 1e-308 for x under -708.

    A loop over this runs several at a time, as one over the C library's does not: x = k log 2 + r with |r| < 0.35, exp r by
    its series (the rest is under 2e-16), and 2^k by writing k where a float keeps its exponent (Tang 1989, ACM Trans. Math.
    Softw. 15:144-157).
    """
    x = max(x, -708.0)
    shifted = x * 1.4426950408889634 + 6755399441055744.0  # 1.5 * 2^52: a sum's last bits are k
    k = shifted - 6755399441055744.0
    r = (x - k * 6.93147180369123816490e-01) - k * 1.90821492927058770002e-10  # log 2 in two parts
    e = 1.0 / 479001600.0
    e = e * r + 1.0 / 39916800.0
    e = e * r + 1.0 / 3628800.0
    e = e * r + 1.0 / 362880.0
    e = e * r + 1.0 / 40320.0
    e = e * r + 1.0 / 5040.0
    e = e * r + 1.0 / 720.0
    e = e * r + 1.0 / 120.0
    e = e * r + 1.0 / 24.0
    e = e * r + 1.0 / 6.0
    e = e * r + 0.5
    e = e * r + 1.0
    return (e * r + 1.0) * _float((_bits(shifted) + 1023) << 52)


@njit(cache=True, nogil=True)
def support(a: float, b: float, y: float, h: float, start: float = np.nan) -> tuple[float, float, float]:
    """Between which log rates normal(a, b) x Poisson(y; h exp(e)) has its mass, and its top to a hundredth of its width,
    sought from `start` where that is not far off (NaN: nothing known)."""
    e, w = a, 0.0
    if h > 0.0:
        if (start - a) ** 2 < WIDE**2 * b:
            e = start
        elif h * np.exp(min(a, 700.0)) > y:  # from the right Newton creeps; from here it does not
            e = min(a, max(np.log((y + 0.5) / h), a - b * (h * np.exp(min(a, 700.0)) - y)))
        else:  # nor does it from above the top: that is under a + b y, and under the data's own
            e = max(a, min(np.log((y + 0.5) / h), a + b * y))
        w = h * quick_exp(min(e, 700.0))
        for _ in range(100):
            grip = 1.0 / b + w
            change = min(max(((a - e) / b + y - w) / grip, -2.0), 2.0)
            e += change
            w = h * quick_exp(min(e, 700.0))
            if change * change * grip < NEAR * NEAR:
                break
    sd = 1.0 / np.sqrt(1.0 / b + w)
    # to the left the likelihood lets go, and only the cavity and the cases hold the law
    return e - min(WIDE * np.sqrt(b), 2.0 * WIDE * sd), e + WIDE * sd, e


def tilted(a: Floats, b: Floats, own: Floats, y: Floats, h: Floats) -> tuple[Floats, Floats, Floats]:
    """Log integral, mean and variance of x under normal(a, b) x Poisson(y; h exp(e)), e = x + v; (n,) each.

    v has the mixture `own` (c, 3) of normal laws (share, mean, variance). For each of them one integral over e by the
    trapezoid rule; x given e is normal.
    """
    log_z, mean, variance = (np.empty(len(a)) for _ in range(3))
    _tilted(a, b, own, y, h, np.full((len(a), len(own)), np.nan), log_z, mean, variance)
    return log_z + constant(y, h), mean, variance


def constant(y: Floats, h: Floats) -> Floats:
    """What a Poisson law has beyond exp(y e - h exp(e)), as a log, (n,): y log h - log y!."""
    from scipy.special import gammaln

    return np.asarray(y * np.log(h) - gammaln(y + 1.0))


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract", "nsz"})
def _sums(part: Floats) -> tuple[float, float, float]:
    """Sums of part, part j, part j^2."""
    total, first, second = 0.0, 0.0, 0.0
    for j in range(len(part)):
        total += part[j]
        first += part[j] * j
        second += part[j] * (j * j)
    return total, first, second


@njit(cache=True, nogil=True)
def _tilted(
    a: Floats, b: Floats, own: Floats, y: Floats, h: Floats, top: Floats, log_z: Floats, mean: Floats, variance: Floats
) -> Floats:
    """`tilted`, log integrals but for the constant, into arrays that are given. `top` (n, c) holds where the laws of each
    part have their tops, or NaN, and is brought up to date. Answers the slope of all log integrals' sum along `own`."""
    n, parts = len(a), len(own)
    slope, here = np.zeros((parts, 3)), np.empty((parts, 3))
    part = np.empty(POINTS)
    z, at, spread_at = np.empty(parts), np.empty(parts), np.empty(parts)
    for i in range(n):
        best = -np.inf
        for c in range(parts):
            v = own[c, 2]
            spread, centre = b[i] + v, a[i] + own[c, 1]
            low, high, tip = support(centre, spread, y[i], h[i], top[i, c])
            top[i, c] = tip
            step, cases, time, grip = (high - low) / (POINTS - 1), y[i], h[i], 0.5 / spread
            height = cases * tip - time * quick_exp(tip) - grip * (tip - centre) ** 2
            for j in range(POINTS):
                e = low + step * j
                part[j] = quick_exp(cases * e - time * quick_exp(e) - grip * (e - centre) ** 2 - height)
            total, first, second = _sums(part)
            first /= total
            share = b[i] / spread
            off = low + step * first - centre
            around = step**2 * (second / total - first**2)
            z[c] = height + 0.5 * np.log((total * step) ** 2 / (2.0 * np.pi * spread))
            at[c] = a[i] + share * off
            spread_at[c] = share**2 * around + share * v
            here[c] = 1.0, off / spread, 0.5 * ((around + off**2) / spread - 1.0) / spread
            best = max(best, z[c])
        total, middle, around = 0.0, 0.0, 0.0
        for c in range(parts):
            z[c] = np.exp(z[c] - best) if parts > 1 else 1.0
            total += own[c, 0] * z[c]
            middle += own[c, 0] * z[c] * at[c]
        middle /= total
        for c in range(parts):
            share = own[c, 0] * z[c] / total
            around += share * (spread_at[c] + (at[c] - middle) ** 2)
            slope[c, 0] += z[c] / total
            slope[c, 1] += share * here[c, 1]
            slope[c, 2] += share * here[c, 2]
        log_z[i] = best + np.log(total)
        mean[i], variance[i] = middle, around
    return slope
