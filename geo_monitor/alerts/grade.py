"""How probable a verified case is, how grave, and so which grade.

grade = probability of a verified case x harm, against the cut-offs of the settings. In log odds:

    logit p = logit(yield of the rule) + power * log(rr of the reach) + log(odds of each further kind of event)

Yield of a rule: cases k among n closed situations with a known outcome, Beta(w m + k, w (1 - m) + n - k) with prior mean
m = 1/26 worth w = 4 warnings (the beta-binomial: Gelman et al. 2013, Bayesian Data Analysis, section 2.4). The other two
are judgements, so they are calibrated, after Platt (1999, Advances in Large Margin Classifiers, 61-74):

    logit p' = logit(yield) + a + b (the rest)          a ~ N(0, 1), b ~ N(1, 0.5) so that few data change little

from 30 closed situations on; before, a = 0 and b = 1, told as uncalibrated. The yield itself has no slope: it follows
what came of the rule already, and fitted on the yields told at the time, which began at 1/26 for every rule, a slope of
0.2 to 0.8 came out where 1 was true (docs/warnings.md).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from geo_monitor.alerts.rows import KNOWN, Row, situations
from geo_monitor.settings import Settings
from geo_monitor.tables import GRADES

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.alerts.context import Place


Z90 = 1.6448536269514722  # half of a 90 % interval of the normal law, in standard deviations


@dataclass(frozen=True)
class Calibration:
    """shift and slope (a and b above) with their covariance; `closed` situations behind them. `calibrated` is False
    while those are too few: then nothing is changed."""

    shift: float = 0.0
    slope: float = 1.0
    cov: tuple[float, float, float] = (0.0, 0.0, 0.0)  # of shift; of both; of slope
    closed: int = 0
    calibrated: bool = False


@dataclass(frozen=True)
class Book:
    """What earlier situations came to: by rule (cases, closed with known outcome), and the calibration."""

    rules: Mapping[str, tuple[int, int]] = field(default_factory=dict, hash=False)
    calibration: Calibration = Calibration()


@dataclass(frozen=True)
class Judgement:
    """Probability of a verified case with its 90 % interval; `raw`: before calibration; `rest`: log odds of place and
    kinds, `parts`: what they are made of."""

    probability: float
    lo: float
    hi: float
    raw: float
    rest: float
    calibrated: bool
    parts: Mapping[str, Any] = field(default_factory=dict, hash=False)


def interval(cases: float, closed: float, a: float = 0.5, b: float = 0.5, inside: float = 0.9) -> tuple[float, float]:
    """Equal-tailed interval of a share under a Beta(a, b) prior (0.5, 0.5: Jeffreys). As Brown, Cai & DasGupta (2001,
    Statistical Science 16:101-133) the lower end is 0 without a case and the upper end 1 where all were cases.

    >>> [round(x, 3) for x in interval(1, 26)], interval(0, 5)[0], interval(5, 5)[1]
    ([0.007, 0.141], 0.0, 1.0)
    """
    from scipy.special import betaincinv

    tail = (1 - inside) / 2
    jeffreys = a == b == 0.5
    lo = 0.0 if jeffreys and cases == 0 else float(betaincinv(a + cases, b + closed - cases, tail))
    hi = 1.0 if jeffreys and cases == closed else float(betaincinv(a + cases, b + closed - cases, 1 - tail))
    return lo, hi


def learn(warnings: Iterable[Row], settings: Settings | None = None) -> Book:
    """What the warnings held so far (newest revisions) say of each rule, and of the factors that are judgements."""
    settings = settings or Settings()
    rules: dict[str, tuple[int, int]] = {}
    judged: list[tuple[str, float, bool]] = []
    for one in situations(warnings):
        if one.outcome not in KNOWN:
            continue
        if one.rule is not None:
            cases, closed = rules.get(one.rule, (0, 0))
            rules[one.rule] = cases + (one.outcome == "case"), closed + 1
        if one.judged_by is not None and one.rest is not None and one.base != "coverage":
            judged.append((one.judged_by, one.rest, one.outcome == "case"))
    yielded = [rule_yield(*rules.get(rule, (0, 0)), settings) for rule, _, _ in judged]
    return Book(rules, calibrate(yielded, [rest for _, rest, _ in judged], [case for *_, case in judged], settings))


def rule_yield(cases: int, closed: int, settings: Settings) -> float:
    """Cases a warning of a rule: the mean of its beta law.

    >>> round(rule_yield(0, 0, Settings()), 4), round(rule_yield(3, 12, Settings()), 4)
    (0.0385, 0.1971)
    """
    weight = settings.alerts_prior_weight
    return (weight * settings.alerts_prior_share + cases) / (weight + closed)


def calibrate(
    yielded: Sequence[float], rest: Sequence[float], case: Sequence[bool], settings: Settings | None = None
) -> Calibration:
    """Shift and slope by what came of situations: yields of their rules (n,), log odds of the rest (n,), a case or not
    (n,). The mode of the posterior, by Newton, with the normal law around it.

    Under `alerts_calibrate_from` situations it changes nothing and says so.

    >>> calibrate([0.1] * 29, [0.0] * 29, [False] * 29).calibrated, calibrate([0.1] * 30, [0.0] * 30, [False] * 30).calibrated
    (False, True)
    """
    import numpy as np

    settings = settings or Settings()
    if len(case) < settings.alerts_calibrate_from:
        return Calibration(closed=len(case))
    base = np.array([_logit(p) for p in yielded])
    design = np.column_stack([np.ones(len(base)), np.asarray(rest, dtype=float)])
    seen = np.asarray(case, dtype=float)
    prior = np.array([0.0, 1.0])
    weight = np.diag([settings.alerts_calibrate_shift_sd**-2, settings.alerts_calibrate_slope_sd**-2])

    def chance(at: Any) -> Any:
        return 1 / (1 + np.exp(-(base + design @ at)))

    def loss(at: Any) -> float:
        score = base + design @ at
        return float(np.logaddexp(0, score).sum() - score @ seen + (at - prior) @ weight @ (at - prior) / 2)

    def bend(at: Any) -> Any:
        p = chance(at)
        return design.T @ (design * (p * (1 - p))[:, None]) + weight

    theta = prior.copy()
    for _ in range(100):  # the loss is convex; a step is halved until it does not rise
        step = np.linalg.solve(bend(theta), design.T @ (chance(theta) - seen) + weight @ (theta - prior))
        while loss(theta - step) > loss(theta) + 1e-12:
            step /= 2
        theta = theta - step
        if float(np.abs(step).max()) < 1e-10:
            break
    cov = np.linalg.inv(bend(theta))
    slope = max(float(theta[1]), 0.0)  # a grade must never fall because the evidence grew
    return Calibration(float(theta[0]), slope, (float(cov[0, 0]), float(cov[0, 1]), float(cov[1, 1])), len(case), True)


def place_odds(place: Place, settings: Settings | None = None) -> tuple[float, float]:
    """Factor of odds that a reach gives, and the standard deviation of its logarithm: rr^power, at most 4 either way.

    Without rr the state's own threshold stands for it (hot: 2, cold: 1/2); a reach nobody looked at says nothing.

    >>> from geo_monitor.alerts.context import Place
    >>> place_odds(Place(state="hot", rr=9.0)), place_odds(Place(state="not_looked", rr=9.0)), place_odds(Place())
    ((3.0, 0.0), (1.0, 0.0), (1.0, 0.0))
    """
    settings = settings or Settings()
    if place.state in (None, "not_looked"):
        return 1.0, 0.0
    rr = place.rr
    if rr is None:
        rr = {"hot": settings.hot_factor, "cold": settings.cold_factor}.get(place.state or "", 1.0)
    most = settings.alerts_place_most
    odds = min(max(rr, 1e-9) ** settings.alerts_place_power, most)
    spread = 0.0
    if place.rr is not None and place.rr_lo and place.rr_hi:
        spread = settings.alerts_place_power * math.log(place.rr_hi / place.rr_lo) / (2 * Z90)
    return max(odds, 1 / most), spread


def judge(
    rules: Iterable[str], kinds: Iterable[str], at: Iterable[Place], book: Book, settings: Settings | None = None
) -> Judgement:
    """The probability that a situation with events by these rules, of these kinds, at these places becomes a case.

    The rule of highest yield and the place of highest odds count; further kinds add their odds.

    A new rule on a reach nobody analysed: the prior, 1/26. With 3 cases in 12: (4/26 + 3) / 16.

    >>> round(judge(["slow"], ["slow"], [], Book()).probability, 4)
    0.0385
    >>> round(judge(["slow"], ["slow"], [], Book({"slow": (3, 12)})).probability, 4)
    0.1971
    """
    settings = settings or Settings()
    best = (0.0, "")
    for rule in sorted(set(rules)):
        best = max(best, (rule_yield(*book.rules.get(rule, (0, 0)), settings), rule))
    cases, closed = book.rules.get(best[1], (0, 0))
    weight, share = settings.alerts_prior_weight, settings.alerts_prior_share
    ends = interval(cases, closed, weight * share, weight * (1 - share), settings.interval)
    base = _logit(best[0])
    below, above = base - _logit(ends[0]), _logit(ends[1]) - base
    place, spread = max((place_odds(one, settings) for one in at), default=(1.0, 0.0))
    more = max(len(set(kinds)) - 1, 0)
    rest = math.log(place) + more * math.log(settings.alerts_kind_odds)
    fit = book.calibration
    centre = base + fit.shift + fit.slope * rest
    var = fit.cov[0] + 2 * rest * fit.cov[1] + rest * rest * fit.cov[2] + (fit.slope * spread) ** 2
    known = Z90 * Z90 * max(var, 0.0)
    return Judgement(
        probability=_logistic(centre),
        lo=_logistic(centre - math.sqrt(below**2 + known)),
        hi=_logistic(centre + math.sqrt(above**2 + known)),
        raw=_logistic(base + rest),
        rest=rest,
        calibrated=fit.calibrated,
        parts={
            "rule": best[1],
            "yield": round(best[0], 6),
            "closed": closed,
            "place_odds": round(place, 4),
            "kinds": more + 1,
            "calibrated_on": fit.closed if fit.calibrated else 0,
        },
    )


def grade_of(probability: float, harm: float, settings: Settings | None = None) -> str:
    """The grade of a probability and a harm; a cut-off belongs to the graver grade.

    >>> grade_of(0.35, 1.0), grade_of(0.1, 1.5), grade_of(1 / 26, 1.5), grade_of(1 / 26, 1.0)
    ('red', 'orange', 'yellow', 'blue')
    """
    settings = settings or Settings()
    weight = probability * harm
    return next(grade for grade in GRADES if weight >= cut_off(grade, settings) - 1e-12)


def cut_off(grade: str, settings: Settings) -> float:
    """Probability x harm from which a warning has this grade (blue: 0)."""
    return 0.0 if grade == "blue" else float(getattr(settings, f"alerts_{grade}"))


def graver(a: str, b: str) -> bool:
    """Whether grade a is graver than b.

    >>> graver("red", "blue"), graver("blue", "blue")
    (True, False)
    """
    return GRADES.index(a) < GRADES.index(b)


def hit_rates(warnings: Iterable[Row], settings: Settings | None = None) -> pd.DataFrame:
    """What each grade is worth: a row a grade, gravest first, by the grade the numbers gave (not a person's; without
    class coverage, of which no case comes).

    Columns grade, cut_off (probability x harm), situations (settled with known outcome), cases, rate, rate_lo, rate_hi
    (Jeffreys, 90 %; null without any), expected (mean probability told).
    """
    import pandas as pd

    settings = settings or Settings()
    seen: dict[str, list[tuple[bool, float]]] = {grade: [] for grade in GRADES}
    for one in situations(warnings):
        if one.outcome in KNOWN and one.probability is not None and one.base != "coverage":
            grade = grade_of(one.probability, one.harm, settings)
            seen[grade].append((one.outcome == "case", one.probability))
    rows = []
    for grade, found in seen.items():
        n, cases = len(found), sum(case for case, _ in found)
        lo, hi = interval(cases, n, inside=settings.interval) if n else (None, None)
        rows.append(
            {
                "grade": grade,
                "cut_off": cut_off(grade, settings),
                "situations": n,
                "cases": cases,
                "rate": cases / n if n else None,
                "rate_lo": lo,
                "rate_hi": hi,
                "expected": sum(p for _, p in found) / n if n else None,
            }
        )
    shares = dict.fromkeys(("rate", "rate_lo", "rate_hi", "expected"), "Float64")
    return pd.DataFrame(rows).astype(shares)


def _logit(p: float) -> float:
    p = min(max(p, 1e-9), 1 - 1e-9)
    return math.log(p / (1 - p))


def _logistic(x: float) -> float:
    return 1 / (1 + math.exp(-x)) if x >= 0 else math.exp(x) / (1 + math.exp(x))
