"""`locate` against shapely on many points of every adversarial kind, on the shipped river.

    python checks/locate.py --points 10000000

Prints, for each kind, points, how many of them are located and how many do not get the same reach and bank, and km and offset
to 1e-6. Exits 1 if there are any. Shapely takes some 10 microseconds a point.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

CHUNK = 100_000


def asked(doc: str | None) -> int:
    """How many points the command line asks for."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=10_000_000)
    return int(parser.parse_args().points)


def chunks(count: int) -> Iterator[tuple[int, int]]:
    """So many points at a time, each time with a seed of its own."""
    for number, start in enumerate(range(0, count, CHUNK)):
        yield min(CHUNK, count - start), 1000 + number


def main() -> int:
    from geo_monitor.river.locate import place
    from tests.river.test_grid import KINDS, differing, points, shipped

    wrong, count = 0, asked(__doc__) // len(KINDS)
    for kind in KINDS:
        located = off = 0
        for some, seed in chunks(count):
            lon, lat = points(shipped(), kind, some, seed)
            located += int((place(lon, lat, shipped()).reach >= 0).sum())
            off += int(differing(shipped(), lon, lat).sum())
        print(f"{kind}: {count:,} points, {located:,} located, {off} differ", flush=True)
        wrong += off
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
