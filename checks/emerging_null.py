"""Emerging classes on null rivers and on rivers with a new pocket: the figures of docs/methods-emerging.md.

    python checks/emerging_null.py --worlds 4

Rivers of 1,500 reaches in a row, 13 steps; `plain` is Gi* of esda, `here` that of `hotspots/series.py`. Prints two tables. Exits 1
if on null rivers patrolled for 6 h everywhere at 0.06 cases an hour more than 2.5 % of scores are hot or cold, or more than
5 % of reaches get a class.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.special import ndtr

from geo_monitor.hotspots import emerging, gi_series, gistar
from geo_monitor.hotspots.exchangeable import posterior

N, STEPS = 1500, 13
NEAR = sp.diags([np.ones(N - d) for d in (1, 2, 3, 4)] * 2, [1, 2, 3, 4, -1, -2, -3, -4]).tocsr()  # 2 km of 500 m
Floats = NDArray[np.float64]


def hours(effort: str, rng: np.random.Generator) -> Floats:
    """Hours looked (STEPS, N): 1-50 at random, 1-50 by habit (the same stretches always), or 6 everywhere."""
    if effort == "random":
        return np.exp(rng.uniform(0, np.log(50), (STEPS, N)))
    if effort == "habit":
        smooth = np.convolve(rng.normal(size=N + 60), np.exp(-0.5 * (np.arange(-30, 31) / 10) ** 2), "valid")[:N]
        like = ndtr((smooth - smooth.mean()) / smooth.std())
        return np.clip(np.exp(like * np.log(50))[None, :] * np.exp(rng.normal(0, 0.2, (STEPS, N))), 1, 50)
    return np.full((STEPS, N), 6.0)


def plain(cases: Floats, looked: Floats) -> Floats:
    rows = [
        gistar(posterior(y, h, looked=h >= 1).mean, h >= 1, NEAR, permutations=0)["gi_z"].to_numpy()
        for y, h in zip(cases, looked, strict=True)
    ]
    return np.array(rows)


METHODS = {"plain": plain, "here": lambda cases, looked: gi_series(cases, looked, NEAR)}


def null(effort: str, base: float, worlds: int) -> dict[str, Floats]:
    """Per method: shares of scores hot, cold, hot and cold in the busiest third, and of reaches with a class."""
    with_self = (NEAR + sp.identity(N)).tocsr()
    size = np.asarray(with_self.sum(axis=1)).ravel()
    found: dict[str, list[list[float]]] = {name: [] for name in METHODS}
    for world in range(worlds):
        rng = np.random.default_rng([11, world])
        looked = hours(effort, rng)
        cases = rng.poisson(base * looked).astype(float)
        around = (with_self @ looked.T / size[:, None]).T
        busy = around >= np.quantile(around, 0.67)
        for name, method in METHODS.items():
            z = method(cases, looked)
            hot, cold = z >= 1.96, z <= -1.96
            named = (emerging(z) != "none").mean()
            found[name].append([hot.mean(), cold.mean(), hot[busy].mean(), cold[busy].mean(), named])
    return {name: np.mean(rows, axis=0) for name, rows in found.items()}


def pocket(spread: float, size: int, worlds: int) -> dict[str, Floats]:
    """Per method: share of the pocket named hot_new, of worlds with any, of the pocket hot in the last step."""
    found: dict[str, list[list[float]]] = {name: [] for name in METHODS}
    for world in range(worlds):
        rng = np.random.default_rng([12, world])
        looked = hours("even", rng)
        rate = np.tile(0.06 * np.exp(rng.normal(0, spread, N) - spread**2 / 2), (STEPS, 1))
        at = int(rng.integers(50, N - 50))
        rate[-1, at : at + size] *= 8
        cases = rng.poisson(rate * looked).astype(float)
        for name, method in METHODS.items():
            z = method(cases, looked)
            new = emerging(z)[at : at + size] == "hot_new"
            found[name].append([new.mean(), float(new.any()), (z[-1, at : at + size] >= 1.96).mean()])
    return {name: np.mean(rows, axis=0) for name, rows in found.items()}


def row(*cells: object) -> None:
    print("| " + " | ".join(f"{100 * c:.1f} %" if isinstance(c, float) else str(c) for c in cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=4)
    asked = parser.parse_args()
    bad = False
    row("cases/h", "hours a step", "z", "hot", "cold", "hot, busiest third", "cold, busiest third", "with a class")
    row(*["---"] * 8)
    for base, effort in ((0.06, "random"), (0.06, "habit"), (0.06, "even"), (0.003, "habit"), (0.003, "even")):
        for name, shares in null(effort, base, asked.worlds).items():
            row(str(base) if name == "plain" else "", effort if name == "plain" else "", name, *shares.tolist())
            if (name, base, effort) == ("here", 0.06, "even"):
                bad |= bool(shares[0] > 0.025 or shares[1] > 0.025 or shares[4] > 0.05)
    print()
    row("log sd of rates", "reaches", "z", "named hot_new", "worlds with any", "hot now")
    row(*["---"] * 6)
    for spread in (0.0, 0.7):
        for size in (3, 5):
            for name, shares in pocket(spread, size, 6 * asked.worlds).items():
                row(str(spread), str(size), name, *shares.tolist())
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
