"""Rates on a river of full size: 30,000 reaches, channels and lakes in one graph, all looked at, in under 60 s and 4 GB.

    python checks/rates_size.py
    python checks/rates_size.py --reaches 300000

The river is a tree of long channels with a lake of 7,000 cells in it; true rates, hours and cases are simulated. Prints
seconds (compiled code; the compilation of a first run is told apart), peak memory, how full the factor is, the same on the
shipped river (of more reaches: on as many of them as it takes, each flowing into the next), and a dense inverse of 2,000
reaches beside it for scale. Exits 1 over 60 s for 30,000 reaches, more for more, or over 4 GB.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time

import numpy as np
import scipy.sparse as sp

from geo_monitor.hotspots import rates
from geo_monitor.hotspots.sparse import Pattern
from geo_monitor.simulate.risk import true_rates

LIMIT_S, LIMIT_MB = 60.0, 4096.0


def river(n: int, rng: np.random.Generator) -> sp.csr_matrix:
    """A tree of channels of some hundred reaches, and a square lake of about a quarter of the reaches, at most 7,000, on it."""
    side = int(np.sqrt(min(n, 30_000) / 4.3))
    channel = n - side * side
    parent = np.arange(-1, channel - 1)
    for branch in range(300, channel, 300):
        parent[branch] = rng.integers(0, branch)
    line = sp.diags([np.ones(side - 1), np.ones(side - 1)], [-1, 1])
    lake = (sp.kron(line, sp.identity(side)) + sp.kron(sp.identity(side), line)).tocoo()
    a = np.r_[np.arange(1, channel), channel // 2, lake.row[lake.row < lake.col] + channel]
    b = np.r_[parent[1:], channel, lake.col[lake.row < lake.col] + channel]
    half = sp.coo_matrix((np.ones(len(a)), (a, b)), shape=(n, n))
    return (half + half.T).tocsr()


def timed(links: sp.csr_matrix, seed: int) -> tuple[float, float]:
    """Seconds of `rates` on a world where every reach was looked at, and the share of true rates in the intervals."""
    rng = np.random.default_rng(seed)
    true = true_rates(links, 0.1, seed)
    hours = rng.gamma(3.0, 2.0, links.shape[0])
    cases = rng.poisson(true * hours)
    began = time.perf_counter()
    answer = rates(cases, hours, links)
    took = time.perf_counter() - began
    return took, float(((answer["rate_lo"] <= true) & (true <= answer["rate_hi"])).mean())


def shipped(n: int) -> sp.csr_matrix:
    """As many shipped rivers as come nearest to n reaches, the last reach of each beside the first of the next."""
    from geo_monitor.river import build
    from geo_monitor.river import shipped as lines

    one = build(*lines()).adjacency
    size = one.shape[0]
    times = max(1, round(n / size))
    mouth = size * np.arange(1, times)
    joint = sp.coo_matrix((np.ones(times - 1), (mouth - 1, mouth)), shape=(size * times, size * times))
    return (sp.block_diag([one] * times) + joint + joint.T).tocsr()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reaches", type=int, default=30_000)
    asked = parser.parse_args()
    rng = np.random.default_rng(0)
    first, _ = timed(river(200, rng), 0)
    print(f"first call, compilation included, 200 reaches: {first:.1f} s")
    began = time.perf_counter()
    np.linalg.inv(np.eye(2000) * 3 + rng.random((2000, 2000)) / 4000)
    print(f"for scale, a dense inverse of 2,000 reaches: {time.perf_counter() - began:.2f} s")
    worst = 0.0
    for name, links in (("made up", river(asked.reaches, rng)), ("shipped", shipped(asked.reaches))):
        fill = len(Pattern.of(links).l_row) / (links.nnz / 2 + links.shape[0])
        took, held = timed(links, 1)
        worst = max(worst, took)
        print(f"{name}: {links.shape[0]} reaches, {took:.1f} s, factor {fill:.2f} x the matrix, {held:.3f} inside")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:.0f} MB")
    sys.exit(0 if worst < LIMIT_S * max(asked.reaches / 30_000, 1.0) and peak < LIMIT_MB else 1)


if __name__ == "__main__":
    main()
