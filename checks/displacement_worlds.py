"""Is displacement named where it is, and only there? One command, made-up worlds of known truth, no files.

    python checks/displacement_worlds.py --worlds 400

Prints a table in markdown: of each kind of world the share named displaced (up, down or both), all verdicts, and
how often the 90 % intervals of treated, upstream and downstream reaches held the truth. Exit code 1 where a world
without displacement is named displaced in more than 5 % of runs and what chance adds to that once in a thousand times.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import pandas as pd
from scipy.stats import binom

from geo_monitor.hotspots.displacement import displacement

ALLOWED, SLACK = 0.05, 0.001
NAMES = ("control", "treated", "up", "down")
SIZES = (218, 6, 8, 8)  # 240 reaches
GROUP = np.repeat(np.arange(4), SIZES)
TREATED, RING = np.array([0, 1, 0, 0])[GROUP] == 1, np.array([0, 0, 1, 2])[GROUP]
RATE, HOURS = 0.1, 40.0  # means: cases an hour in a reach, hours a reach before and after

KINDS: dict[str, tuple[bool, dict[str, float]]] = {  # name: (displaced in truth, what rates are multiplied by)
    "nothing happened": (False, {}),
    "everything doubled": (False, {"all": 2.0}),
    "reaches change by themselves (log sd 0.6)": (False, {"wobble": 0.6}),
    "pure drop to a quarter": (False, {"treated": 0.25}),
    "pure drop, reaches change by themselves": (False, {"treated": 0.25, "wobble": 0.6}),
    "upstream ring doubles by itself": (False, {"up": 2.0}),
    "drop, upstream ring doubles": (True, {"treated": 0.25, "up": 2.0}),
    "drop, both rings double": (True, {"treated": 0.25, "up": 2.0, "down": 2.0}),
    "drop, rings fall to 0.4": (False, {"treated": 0.25, "up": 0.4, "down": 0.4}),
}


def world(rng: np.random.Generator, change: dict[str, float]) -> tuple[np.ndarray, ...]:
    """Cases before, hours before, cases after, hours after, (240,) each. Operations go where the rate is high: twice."""
    n = len(GROUP)
    rate = rng.gamma(1.5, RATE / 1.5, n) * np.where(TREATED, 2.0, 1.0)
    before, after = rng.gamma(2.0, HOURS / 2.0, (2, n))
    factor = change.get("all", 1.0) * np.array([change.get(name, 1.0) for name in NAMES])[GROUP]
    wobble = change.get("wobble", 0.0)
    own = np.exp(rng.normal(-(wobble**2) / 2, wobble, n))
    return rng.poisson(rate * before), before, rng.poisson(rate * factor * own * after), after


def judged(change: dict[str, float], worlds: int, seed: int) -> pd.DataFrame:
    """What `displacement` says of `worlds` worlds of one kind, a row each."""
    drawn = [world(np.random.default_rng([seed, run]), change) for run in range(worlds)]
    y, h, z, g = (np.stack(values) for values in zip(*drawn, strict=True))
    return displacement(y, h, z, g, np.tile(TREATED, (worlds, 1)), np.tile(RING, (worlds, 1)), seed=seed)


def held(answer: pd.DataFrame, change: dict[str, float]) -> list[float]:
    """Share of worlds whose 90 % interval of each ratio to the control holds the truth: treated, up, down."""
    return [
        float((answer[f"ratio_{name}_lo"].le(truth) & answer[f"ratio_{name}_hi"].ge(truth)).mean())
        for name, truth in ((name, change.get(name, 1.0)) for name in NAMES[1:])
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    most = binom.ppf(1 - SLACK, asked.worlds, ALLOWED) / asked.worlds
    print("| world | named displaced | verdicts | intervals that held the truth: treated, up, down |")
    print("|---|---|---|---|")
    failed = []
    for number, (kind, (true, change)) in enumerate(KINDS.items()):
        answer = judged(change, asked.worlds, asked.seed * len(KINDS) + number)
        named = answer["verdict"].str.startswith("displaced")
        share = float(named.mean())
        verdicts = ", ".join(
            f"{name} {part:.1%}" for name, part in answer["verdict"].value_counts(normalize=True).items()
        )
        intervals = ", ".join(f"{part:.0%}" for part in held(answer, change))
        print(f"| {kind} | {share:.1%} | {verdicts} | {intervals} |", flush=True)
        if not true and share > most:
            failed.append(kind)
    print(f"\n{asked.worlds} worlds each; without displacement at most {most:.1%} may be named displaced")
    for kind in failed:
        print(f"FAIL {kind}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
