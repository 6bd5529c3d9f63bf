"""Do the rates keep their promise on made-up rivers? One command, no files.

    python checks/accuracy.py --worlds 15

The worlds are those of `python -m benchmarks.accuracy`. Promised, for the mean over the worlds of each kind and habit of
patrolling: the 50 reaches named worst hold at least 0.95 of the true rate that an oracle's 50 hold, and 0.86 to 0.955 of the
true rates of reaches looked at (2 h or more) lie inside their 90 % interval. Prints both for every kind and habit, the raw
counts beside them, and then every single world outside, the oracle's figure with it. Exits 1 where a mean is outside.

A flat river is shown and not judged: no reach is worst there, and an interval around the one rate holds it everywhere.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.accuracy.picture import PROMISED as COVERAGE
from benchmarks.accuracy.run import of_oracle, runs, summary
from benchmarks.accuracy.worlds import REACHES

SHARE = 0.95  # of the true rate held by the oracle's 50


def broken(records: list[dict[str, Any]]) -> list[str]:
    """A line for every world that by itself is outside what is promised for the mean."""
    lines = []
    for record in records:
        found = record["methods"]
        share = of_oracle(found, "rates")
        coverage = found["rates"]["coverage"]
        named = f"world {record['world']} {record['kind']}, effort {record['habit']}, {record['cases']} cases"
        if share is not None and share < SHARE:
            lines.append(f"{named}: share {share:.3f} of the oracle's")
        if not COVERAGE[0] <= coverage <= COVERAGE[1]:
            lines.append(f"{named}: coverage {coverage:.3f} (oracle {found['oracle']['coverage']:.3f})")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=60)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--reaches", type=int, default=REACHES)
    asked = parser.parse_args()
    records = list(runs(asked.worlds, asked.first, asked.reaches))
    rows = {(row["kind"], row["habit"], row["method"]): row for row in summary(records)}
    bad = 0
    for (kind, habit, method), row in rows.items():
        if method != "rates":
            continue
        coverage = row["coverage"]["mean"]
        share = row.get("of_oracle", {"mean": 1.0})["mean"]
        raw = rows[kind, habit, "counts"].get("of_oracle", {"mean": 1.0})["mean"]
        good = share >= SHARE and COVERAGE[0] <= coverage <= COVERAGE[1]
        judged = kind != "flat"
        bad += judged and not good
        print(
            f"{('ok  ' if good else 'FAIL') if judged else '    '} {kind:12} {habit:10} share of the oracle's {share:.3f}"
            f" (counts {raw:.3f}), coverage {coverage:.3f}, worlds {row['worlds']}"
        )
    for line in broken([record for record in records if record["kind"] != "flat"]):
        print("alone outside:", line)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
