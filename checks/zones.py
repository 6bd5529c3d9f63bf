"""Who is in a zone, against shapely's exact predicate, on many points of every adversarial kind and polygons of every sort:
500,000 corners, slivers, holes, parts that touch, necks of meanders, repaired ones that crossed themselves.

    python checks/zones.py --points 10000000

Prints, for each polygon and kind, points, how many are inside and how many get another answer. Exits 1 if there are any.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from checks.locate import asked, chunks


def main() -> int:
    from tests.joins.test_inside import KINDS, SHAPES, answers, points, shape

    wrong, count = 0, asked(__doc__) // (len(KINDS) * len(SHAPES))
    for name in SHAPES:
        for kind in KINDS:
            within = off = 0
            for some, seed in chunks(count):
                mine, exact = answers(shape(name), points(shape(name), kind, some, seed))
                within += int(exact.sum())
                off += int((mine != exact).sum())
            print(f"{name}, {kind}: {count:,} points, {within:,} inside, {off} differ", flush=True)
            wrong += off
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
