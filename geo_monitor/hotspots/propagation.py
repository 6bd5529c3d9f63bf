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
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from geo_monitor.hotspots.sparse import Factor, Pattern
from geo_monitor.hotspots.tilted import constant, moments

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from geo_monitor.settings import Settings

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

TURNS = 40  # of EP at most; 4-10 are usual ...
HALF = 12  # ... from this one on stand-ins go half of the way: where a cell's law has two tops they may swing
SETTLED = 5e-4  # standard deviations by which a mean would still move: EP's marginal likelihood errs by its square
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
TOGETHER = 4  # nodes worked on by one thread: what they take is made at once


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
    `own` (c, 3): as in `Prior`, and the slope of `log_density` along it; `top` (k, c): where the tilted laws of the k cells
    looked at have their tops. `log_density`: of marginal likelihood times prior."""

    cavity_mean: Floats
    cavity_variance: Floats
    pull: Floats
    grip: Floats
    own: Floats
    own_slope: Floats
    top: Floats
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
    """Where in the free parts of theta what stand-ins (n,) were found, and tops as of a `Normal` (None: none)."""

    part: Floats
    pull: Floats
    grip: Floats
    top: Floats | None = None


@dataclass(frozen=True)
class Mode:
    """The likeliest theta, the log density there, and `axes`, whose columns are one standard deviation along the free parts
    of theta; `seen`: stand-ins near it, then `PROBE` more and less along each free part."""

    theta: Floats
    log_density: float
    axes: Floats
    seen: list[Seen]

    def foretold(self, part: Floats) -> tuple[Floats, Floats, Floats | None]:
        """Stand-ins (n,) and tops to begin with at `part` of theta: along each part a parabola through those seen."""
        centre = self.seen[0]
        pull, grip = centre.pull.copy(), centre.grip.copy()
        away = np.clip((part - centre.part) / PROBE, -AHEAD, AHEAD)
        for way, more, less in zip(away, self.seen[1::2], self.seen[2::2], strict=True):
            for value, here, up, down in (
                (pull, centre.pull, more.pull, less.pull),
                (grip, centre.grip, more.grip, less.grip),
            ):
                value += 0.5 * way * (up - down) + 0.5 * way**2 * (up + down - 2.0 * here)
        return *_near(pull, grip, centre), centre.top


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

    def ready(self, thetas: Floats) -> None:  # noqa: B027 - not all have such
        """Makes what the laws at `thetas` (k, d) take, where it is quicker to make it for several at once."""

    @abstractmethod
    def log_prior(self, theta: Floats) -> float:
        """Log density of the hyperprior at theta, up to a constant."""

    def normal(
        self, y: Floats, h: Floats, theta: Floats, pull: Floats, grip: Floats, top: Floats | None = None
    ) -> tuple[Normal, Joint]:
        """The law of the log rates given theta, and what it was worked out from.

        y, h (n,): cases and hours, y = 0 where h = 0; pull, grip (n,): the stand-ins to begin with, 0 where h = 0; top: as of
        a `Normal` near by, if one is known.
        """
        prior, seen = self.prior(theta), np.flatnonzero(h > 0)
        pull, grip, y, h = pull.copy(), grip.copy(), y[seen], h[seen]
        top = np.full((len(seen), len(prior.own)), np.nan) if top is None else top.copy()
        log_z, told_mean, told_variance = np.empty((3, len(seen)))
        change = np.zeros(len(pull))
        for turn in range(TURNS):
            joint = self._joint(prior, pull, grip)
            mean, variance = joint.mean, joint.variance()
            rest = 1.0 / variance - grip
            cavity_mean, cavity_variance = (mean / variance - pull) / rest, 1.0 / rest
            a, b, t, w = cavity_mean[seen], cavity_variance[seen], pull[seen], grip[seen]
            own_slope = moments(a, b, prior.own, y, h, top, log_z, told_mean, told_variance)
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
        return Normal(cavity_mean, cavity_variance, pull, grip, prior.own, own_slope, top, value), joint

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

        return np.array([rise(step) / (2.0 * SLOPE) for step in self._steps])

    @property
    def _steps(self) -> Floats:
        """By which theta is changed for its slope, (k, d)."""
        return SLOPE * np.eye(len(self.start))[self.free]

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
            self.ready(np.vstack([theta, theta + self._steps, theta - self._steps]))
            law, joint = self.normal(y, h, theta, *foretold(seen, part))
            seen.append(Seen(part.copy(), law.pull, law.grip, law.top))
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

    def nodes(self, y: Floats, h: Floats, mode: Mode, places: Sequence[tuple[Floats, float]]) -> list[Node]:
        """The laws at `places`: so many (d,) standard deviations from the mode, with so much of the weight of a normal law.
        y, h as for `normal`."""
        thetas = [self._whole(mode.theta[self.free] + mode.axes @ z) for z, _ in places]
        self.ready(np.array(thetas))
        found = []
        for theta, (z, share) in zip(thetas, places, strict=True):
            law, _ = self.normal(y, h, theta, *mode.foretold(theta[self.free]))
            log_weight = np.log(share) + law.log_density + 0.5 * z @ z + np.linalg.slogdet(mode.axes)[1]
            found.append(Node(float(log_weight), theta, replace(law, top=law.top[:0])))  # of which no other begins
        return found

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
        asked = []
        for i, (model, _, _) in enumerate(told):
            places = design(len(model.free)) if weight[i] > weight.max() - OUT_OF_QUESTION else []
            asked += [(i, places[at : at + TOGETHER]) for at in range(0, len(places), TOGETHER)]

        def laid(one: tuple[int, list[tuple[Floats, float]]]) -> list[Node]:
            model, y, h = told[one[0]]
            return model.nodes(y, h, modes[one[0]], one[1])

        found: list[list[Node]] = [[] for _ in told]
        for (i, _), nodes in zip(asked, pool.map(laid, asked), strict=True):
            found[i] += nodes
    return found


def _spread(a: Floats, left: Floats, b: Floats | None = None) -> Floats:
    """The diagonal of a left^-1 b', (n,), of long columns a and b (n, k); b is a if not told."""
    return np.einsum("nk,nk->n", np.einsum("nk,kj->nj", a, np.linalg.inv(left)), a if b is None else b)


def _axes(curvature: Floats) -> Floats:
    """Columns: the directions and lengths of one standard deviation around the mode."""
    value, vector = np.linalg.eigh(curvature)
    return np.asarray(vector / np.sqrt(np.maximum(value, FLOOR)))


def foretold(seen: list[Seen], part: Floats) -> tuple[Floats, Floats, Floats | None]:
    """Stand-ins (n,) and tops to begin with at `part` of theta: those found nearest to it, the stand-ins carried on along
    what the last others differ by."""
    near = seen[-2 * len(part) - 1 :]
    near = sorted(near, key=lambda one: float(((one.part - part) ** 2).sum()))
    first, others = near[0], near[1:]
    if not others:
        return first.pull, first.grip, first.top
    ways = np.array([one.part - first.part for one in others])
    share = np.linalg.solve(ways @ ways.T + RIDGE * np.eye(len(ways)), ways @ (part - first.part))
    share = np.clip(share, -1.0, 1.0)
    pull, grip = first.pull.copy(), first.grip.copy()
    for one, way in zip(others, share, strict=True):
        pull += way * (one.pull - first.pull)
        grip += way * (one.grip - first.grip)
    return *_near(pull, grip, first), first.top


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
