"""Does the scan keep quiet where nothing is going on, and find what is there? One command, made-up rivers, no files.

    python checks/scan_null.py              share of null worlds whose most likely cluster has p < 0.05
    python checks/scan_null.py --power      share of planted clusters found at p < 0.05, by links and by circles

Null: exit code 1 where a share is outside 2.5-7.5 % (400 runs around 5 %); with few cases, over 7.5 % only: ties make
the test cautious, never bold.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

import numpy as np
import scipy.sparse as sp

from geo_monitor.hotspots.scan import scan
from geo_monitor.settings import Settings

LAKE = 10  # a lake of 10 x 10 cells at the foot of the river
KINDS = {  # name: (reaches, cases, steps, keywords of scan)
    "spatial": (300, 200, 1, {}),
    "prospective": (200, 200, 13, {"prospective": True}),
    "any window": (150, 100, 6, {}),
    "circles": (300, 200, 1, {"circles": True}),
    "few cases": (300, 5, 1, {}),
}

FORMS = {"links": Settings().scan_changes, "links, 0 changes": 0, "links, 8 changes": 8, "circles": 0}


def river(n: int, rng: np.random.Generator) -> tuple[sp.csr_matrix, np.ndarray]:
    """A winding stem with side streams and a lake: links (n, n), points (n, 2) in units of a reach."""
    links = sp.lil_matrix((n, n))
    points = np.zeros((n, 2))
    for i in range(LAKE * LAKE):
        row, column = divmod(i, LAKE)
        points[i] = column, row - LAKE
        if column:
            links[i, i - 1] = 1
        if row:
            links[i, i - LAKE] = 1
    k = LAKE * LAKE
    stem = k + (n - k) // 2
    foot, left = LAKE * LAKE - 1, stem - k
    while k < n:
        heading = rng.uniform(0, np.pi)
        for _ in range(min(left, n - k)):
            heading += rng.normal(0, 0.35)
            points[k] = points[foot] + [np.cos(heading), np.sin(heading)]
            links[k, foot] = 1
            foot = k
            k += 1
        foot, left = int(rng.integers(LAKE * LAKE, k)), int(rng.integers(5, 40))
    return (links + links.T).tocsr(), points


def hours(shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """Uneven looking; a fifth of all reaches and steps never looked at."""
    return rng.gamma(1.0, 1.0, shape) * (rng.random(shape) < 0.8)


def p_values(kind: str, runs: int, seed: int = 0) -> np.ndarray:
    """p of the most likely cluster in `runs` worlds without any, (runs,); 1 where no cluster is named."""
    n, total, steps, given = KINDS[kind]
    options = dict(given)
    circles = options.pop("circles", False)
    p = np.ones(runs)
    for run in range(runs):
        rng = np.random.default_rng([seed, run])
        links, points = river(n, rng)
        expected = hours((steps, n), rng)
        cases = rng.multinomial(total, expected.ravel() / expected.sum()).reshape(expected.shape)
        if steps == 1:
            cases, expected = cases[0], expected[0]
        found = scan(cases, expected, links, seed=run, points=points if circles else None, **options)
        if len(found):
            p[run] = found["p_value"].iloc[0]
    return p


def planted(links: sp.csr_matrix, where: str, size: int, rng: np.random.Generator) -> np.ndarray:
    """`size` connected reaches grown at random: around a confluence (a bend and part of a side stream), or in the lake."""
    degree = np.diff(links.indptr)
    lake = np.arange(len(degree)) < LAKE * LAKE
    members = [int(rng.choice(np.flatnonzero(lake if where == "lake" else ~lake & (degree >= 3))))]
    while len(members) < size:
        around = [j for i in members for j in links.indices[links.indptr[i] : links.indptr[i + 1]] if j not in members]
        members.append(int(rng.choice(around)))
    return np.array(members)


def power(where: str, rr: float, runs: int, size: int = 8, n: int = 600, total: int = 400) -> dict[str, np.ndarray]:
    """For each form: share of worlds found at p < 0.05 with a reach of the truth; mean overlap (Jaccard) of all."""
    settings = {form: replace(Settings(), scan_changes=changes) for form, changes in FORMS.items()}
    found = {form: np.zeros(2) for form in FORMS}
    for run in range(runs):
        rng = np.random.default_rng([1, run])
        links, points = river(n, rng)
        truth = planted(links, where, size, rng)
        expected = rng.gamma(2.0, 1.0, n)
        risk = expected.copy()
        risk[truth] *= rr
        cases = rng.multinomial(total, risk / risk.sum())
        for form in FORMS:
            place = points if form == "circles" else None
            table = scan(cases, expected, links, 0.25, 199, points=place, max_clusters=1, settings=settings[form])
            first = table.iloc[0]
            common = len(set(first["members"]) & set(truth))
            found[form] += [first["p_value"] < 0.05 and common > 0, common / len({*first["members"], *truth})]
    return {form: sums / runs for form, sums in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--kinds", nargs="+", choices=list(KINDS), default=list(KINDS))
    parser.add_argument("--power", action="store_true")
    asked = parser.parse_args()
    if asked.power:
        for where, rr in (("fork", 3.0), ("fork", 4.0), ("lake", 4.0)):
            for form, (share, overlap) in power(where, rr, asked.runs).items():
                print(f"{where} rr {rr:g} {form:18} found {share:.2f} overlap {overlap:.2f}", flush=True)
        return
    bad = False
    for kind in asked.kinds:
        share = float((p_values(kind, asked.runs) < 0.05).mean())
        good = share <= 0.075 and (share >= 0.025 or kind == "few cases")
        bad |= not good
        print(f"{'ok  ' if good else 'FAIL'} {kind:12} p < 0.05 in {share:.4f} of {asked.runs} null worlds", flush=True)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
