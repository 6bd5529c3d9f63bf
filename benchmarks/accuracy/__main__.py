"""How well every method finds the worst reaches, where the truth is known.

    python -m benchmarks.accuracy                   60 worlds, each under three habits of patrolling
    python -m benchmarks.accuracy --quick           5 small worlds

Into the folder of `-o`: accuracy.json (summary and times), runs.jsonl (every world and habit), accuracy.png, and
accuracy.md, the tables of docs/accuracy.md, which it also prints.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.accuracy import methods, worlds
from benchmarks.accuracy.picture import draw
from benchmarks.accuracy.run import runs, summary, times
from benchmarks.accuracy.tables import tables

QUICK = {"count": len(worlds.KINDS), "reaches": 300}


def stated() -> dict[str, Any]:
    """The sets the worlds are drawn from."""
    names = ("MEAN_RATES", "SPREADS", "SHARES", "RANGES", "PIECES", "GAMMA_SHAPES", "MEAN_H", "HABIT", "NOISE")
    return {name.lower(): getattr(worlds, name) for name in names} | {"bandwidths_m": methods.BANDWIDTHS_M}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=60)
    parser.add_argument("--first", type=int, default=0, help="number of the first world")
    parser.add_argument("--reaches", type=int, default=worlds.REACHES)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK['count']} worlds of {QUICK['reaches']} reaches")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/accuracy"))
    asked = parser.parse_args(arguments)
    count, reaches = (QUICK["count"], QUICK["reaches"]) if asked.quick else (asked.worlds, asked.reaches)
    asked.output.mkdir(parents=True, exist_ok=True)
    records = []
    with (asked.output / "runs.jsonl").open("w", encoding="utf-8") as out:
        for record in runs(count, asked.first, reaches):
            records.append(record)
            out.write(json.dumps(record) + "\n")
            print(f"{record['kind']} world {record['world']}, effort {record['habit']}", file=sys.stderr)
    answer = {
        "worlds": count,
        "first": asked.first,
        "reaches": reaches,
        "drawn_from": stated(),
        "times_marshall": times(records),
        "summary": summary(records),
    }
    text = json.dumps(answer).replace('}, {"kind"', '},\n {"kind"')  # a row a line: differences can be read
    (asked.output / "accuracy.json").write_text(text + "\n", encoding="utf-8")
    draw(records, asked.output / "accuracy.png")
    text = tables(answer)
    (asked.output / "accuracy.md").write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
