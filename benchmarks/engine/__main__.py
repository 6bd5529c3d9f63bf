"""How fast the main job is, beside other engines on the same data.

    python -m benchmarks.engine                              10 million positions, 300 zones, every engine
    python -m benchmarks.engine --fixes 1e8 --engines scan,ours
    python -m benchmarks.engine --fixes 5e6 --engines scan,analyse,geopandas      the whole command beside the joins alone
    python -m benchmarks.engine --year                       `analyse` of a year of 14 boats (14.7 million positions), then of days added
    python -m benchmarks.engine --curves                     ours from 1e5 to 1e8 positions and from 100 to 100,000 zones

Every engine runs in fresh processes, one after the other; of `--repeat` runs the fastest counts. Every time is told as a
multiple of `scan`, the bare read of the columns the main job needs, in the same run. The answers must be the same, or it
says so and ends with 1. Into the folder of `-o`: engine.json, engine.md (the tables it also prints), engine.png. The
workspaces are made in `--worlds` (simulated; 17 MB a million positions) and kept there.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.engine.engines import command, forget

EVERY = ("scan", "ours", "analyse", "geopandas", "duckdb", "sedona", "postgis", "movingpandas")
SLOW = {"movingpandas": 100_000, "postgis": 1_000_000}  # rows these are given: more would take hours
DAYS, A_DAY = 365, 2880  # of a year, and fixes of a boat a day (a fix every 30 s)
CURVE_FIXES, CURVE_ZONES = (10**5, 10**6, 10**7, 10**8), (10**2, 10**3, 10**4, 10**5)


def timed(engine: str, root: Path, rows: int, repeat: int) -> dict[str, Any]:
    """The fastest of `repeat` runs in fresh processes: seconds, peak_mb and the answer; or what went wrong."""
    best: dict[str, Any] = {}
    for _ in range(repeat):
        command = [sys.executable, "-m", "benchmarks.engine.engines", engine, str(root), str(rows)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return {"failed": (done.stderr.strip().splitlines() or ["no word"])[-1]}
        answer = json.loads(done.stdout.splitlines()[-1])
        if not best or answer["seconds"] < best["seconds"]:
            best = answer
    return best


def world(folder: Path, fixes: int, units: int, zones: int) -> Path:
    """A workspace of that size, made in a process of its own so that its memory is nobody's."""
    root = folder / f"{fixes}-{units}-{zones}"
    code = "import sys; from pathlib import Path; from benchmarks.engine import worlds; " \
           "worlds.build(Path(sys.argv[1]), *map(int, sys.argv[2:]))"  # fmt: skip
    subprocess.run([sys.executable, "-c", code, str(root), str(fixes), str(units), str(zones)], check=True)
    return root


def compared(folder: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """Every engine on one workspace."""
    root = world(folder, asked.fixes, asked.units, asked.zones)
    engines = {}
    for name in asked.engines.split(","):
        rows = min(asked.fixes, SLOW.get(name, asked.fixes))
        engines[name] = {
            "rows": rows,
            **timed(name, root, rows, asked.repeat if name in ("scan", "ours", "analyse") else 1),
        }
        print(f"{name}: {engines[name]}", file=sys.stderr, flush=True)
    floor = engines["scan"]["seconds"] / asked.fixes
    for answer in engines.values():
        if "seconds" in answer:
            answer["times_scan"] = round(answer["seconds"] / answer["rows"] / floor, 1)
    return {"fixes": asked.fixes, "units": asked.units, "zones": asked.zones, "engines": engines}


def curves(folder: Path, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """`scan` and `ours` at every size."""
    sizes = [(fixes, asked.zones) for fixes in CURVE_FIXES if fixes <= asked.fixes]
    sizes += [(min(asked.fixes, 10**6), zones) for zones in CURVE_ZONES]
    found = []
    for fixes, zones in sizes:
        root = world(folder, fixes, asked.units, zones)
        floor, ours = (timed(name, root, fixes, asked.repeat) for name in ("scan", "ours"))
        found.append({"fixes": fixes, "zones": zones, **ours, "scan_seconds": floor["seconds"],
                      "times_scan": round(ours["seconds"] / floor["seconds"], 1)})  # fmt: skip
        print(found[-1], file=sys.stderr, flush=True)
    return found


def year(folder: Path, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """`analyse` of a year, as if for the first time; once more; and after each of `--repeat` days added, one by one. seconds:
    of the stages that go over positions (locate, joins, effort)."""
    made = world(folder, DAYS * asked.boats * A_DAY, asked.boats, asked.zones)
    found: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(dir=folder) as copy:
        root = Path(copy) / "year"
        shutil.copytree(made, root)
        forget(root)
        for step in ("first", "nothing new", *["a day more"] * asked.repeat):
            if step == "a day more":
                code = "import sys; from pathlib import Path; from benchmarks.engine import worlds; " \
                       "worlds.add_day(Path(sys.argv[1]), *map(int, sys.argv[2:]))"  # fmt: skip
                day = DAYS + len(found) - 2
                subprocess.run([sys.executable, "-c", code, str(root), str(day), str(asked.boats)], check=True)
            told = command(root)
            seconds = sum(told["timings"][stage] for stage in ("locate", "joins", "effort"))
            share = round(seconds / found[0]["seconds"], 4) if found else 1.0
            row = {"step": step, "fixes": told["counts"]["positions"], "seconds": round(seconds, 3), "share": share}
            found.append({**row, "command_seconds": told["seconds"]})
            print(found[-1], file=sys.stderr, flush=True)
    return found


def differing(engines: dict[str, dict[str, Any]]) -> list[str]:
    """What engines that saw the same rows do not agree on."""
    told = []
    for name in ("zone_pairs", "located", "minutes"):
        for rows in {answer["rows"] for answer in engines.values()}:
            said = {
                engine: answer[name] for engine, answer in engines.items() if answer["rows"] == rows and name in answer
            }
            values = list(said.values())
            if values and max(values) - min(values) > 1e-6 * max(values):
                told.append(f"{name} of {rows:,} rows: {said}")
    return told


def tables(answer: dict[str, Any]) -> str:
    """Markdown."""
    parts = []
    if "engines" in answer:
        parts.append(f"{answer['fixes']:,} positions, {answer['units']:,} boats, {answer['zones']:,} zones\n")
        parts.append("| engine | positions | seconds | peak MB | × scan |\n| --- | --- | --- | --- | --- |")
        for name, told in answer["engines"].items():
            cells = [f"{told['seconds']:,.2f}", f"{told['peak_mb']:,.0f}", f"{told['times_scan']:,.1f}"] \
                if "seconds" in told else [told["failed"], "", ""]  # fmt: skip
            parts.append(f"| {name} | {told['rows']:,} | " + " | ".join(cells) + " |")
    for row in answer.get("curves", []):
        if row is answer["curves"][0]:
            parts.append("\n| positions | zones | seconds | peak MB | × scan |\n| --- | --- | --- | --- | --- |")
        parts.append(f"| {row['fixes']:,} | {row['zones']:,} | {row['seconds']:,.2f} | {row['peak_mb']:,.0f} | "
                     f"{row['times_scan']:,.1f} |")  # fmt: skip
    for row in answer.get("year", []):
        if row is answer["year"][0]:
            parts.append(
                "| analysis | positions | locate, joins, effort, s | % of the first | the command, s |\n"
                + "| --- " * 5
                + "|"
            )
        parts.append(f"| {row['step']} | {row['fixes']:,} | {row['seconds']:.2f} | {100 * row['share']:.1f} | "
                     f"{row['command_seconds']:.1f} |")  # fmt: skip
    return "\n".join(parts) + "\n"


def draw(answer: dict[str, Any], path: Path) -> None:
    """Engines as bars of multiples of the scan; the curves as lines."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = [name for name in ("engines", "curves") if name in answer]
    figure = Figure(figsize=(6 * len(panels), 4), layout="constrained")
    FigureCanvasAgg(figure)
    for axes, panel in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        if panel == "engines":
            told = {name: row["times_scan"] for name, row in answer["engines"].items() if "times_scan" in row}
            axes.barh(
                list(told),
                list(told.values()),
                color=["#2166ac" if name == "ours" else "#999999" for name in told],
            )
            axes.set_xscale("log")
            axes.invert_yaxis()
            axes.set_title("time, × the bare scan", loc="left", fontsize=11)
        else:
            for fixed, moving in (("zones", "fixes"), ("fixes", "zones")):
                value = answer["curves"][0 if fixed == "zones" else -1][fixed]
                rows = [row for row in answer["curves"] if row[fixed] == value]
                axes.plot([row[moving] for row in rows], [row["seconds"] for row in rows], "o-", label=f"by {moving}")
            axes.set_xscale("log")
            axes.set_yscale("log")
            axes.legend(frameon=False)
            axes.set_title("seconds", loc="left", fontsize=11)
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=150)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fixes", type=lambda text: int(float(text)), default=10_000_000)
    parser.add_argument("--units", type=int, default=400)
    parser.add_argument("--zones", type=int, default=300)
    parser.add_argument("--engines", default=",".join(EVERY))
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--curves", action="store_true")
    parser.add_argument("--year", action="store_true")
    parser.add_argument("--boats", type=int, default=14, help="of --year")
    parser.add_argument("--worlds", type=Path, default=Path("build/worlds"))
    parser.add_argument("-o", "--output", type=Path, default=Path("build/engine"))
    asked = parser.parse_args(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    asked.worlds.mkdir(parents=True, exist_ok=True)
    answer: dict[str, Any]
    if asked.year:
        answer = {"year": year(asked.worlds, asked)}
    else:
        answer = {"curves": curves(asked.worlds, asked)} if asked.curves else compared(asked.worlds, asked)
    (asked.output / "engine.json").write_text(json.dumps(answer, indent=1) + "\n", encoding="utf-8")
    (asked.output / "engine.md").write_text(tables(answer), encoding="utf-8")
    if not asked.year:
        draw(answer, asked.output / "engine.png")
    print(tables(answer), end="")
    wrong = differing(answer.get("engines", {}))
    for line in wrong:
        print(f"not the same answer: {line}", file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
