"""How well every method foretells the next week, where the truth is known.

    python -m benchmarks.forecast              4 worlds of 200 reaches under three habits of patrolling, 8 weeks each
    python -m benchmarks.forecast --quick      2 small worlds, 2 weeks

Each week is foretold from the weeks before it alone. Writes forecast.json and forecast.md (the tables of
docs/methods-forecast.md) into the folder of `-o`, and prints the tables.
"""

from __future__ import annotations

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.forecast import run, worlds


def foretold(task: tuple[int, str, int, int]) -> list[dict[str, Any]]:
    """The records of one world: number, habit, weeks held out, reaches."""
    number, habit, weeks, reaches = task
    kind = worlds.KINDS[number % len(worlds.KINDS)]
    return run.weeks(worlds.world(kind, habit, run.PAST + weeks, reaches, number), number)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=4)
    parser.add_argument("--first", type=int, default=0, help="number of the first world")
    parser.add_argument("--reaches", type=int, default=200)
    parser.add_argument("--weeks", type=int, default=8, help="held out, one after the other")
    parser.add_argument("--habits", nargs="+", choices=worlds.HABITS, default=list(worlds.HABITS))
    parser.add_argument("--jobs", type=int, default=1, help="worlds at a time")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("-o", "--output", type=Path, default=Path("build/forecast"))
    asked = parser.parse_args()
    if asked.quick:
        asked.worlds, asked.reaches, asked.weeks = 2, 120, 2
    asked.output.mkdir(parents=True, exist_ok=True)
    numbers = range(asked.first, asked.first + asked.worlds)
    tasks = [(number, habit, asked.weeks, asked.reaches) for number in numbers for habit in asked.habits]
    records = []
    with ProcessPoolExecutor(asked.jobs) as pool:
        for task, found in zip(tasks, pool.map(foretold, tasks), strict=True):
            records += found
            print(f"world {task[0]}, effort {task[1]}", file=sys.stderr)
    answer = {"reaches": asked.reaches, "weeks": asked.weeks, "summary": run.summary(records), "records": records}
    (asked.output / "forecast.json").write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    text = run.table(answer["summary"])
    (asked.output / "forecast.md").write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
