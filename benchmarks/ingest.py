"""What importing fixes costs beside reading the same file: python -m benchmarks.ingest --folder DIR --rows 1e5,1e6,1e7

For each size a CSV and a Parquet file of 400 boats with a fix every 30 s, with some rows that are wrong or there twice
(one in 5,000 each), is imported into an empty workspace, every check and the flushing to the disk included, and read by
`pyarrow.csv.read_csv` or `pyarrow.parquet.read_table`, each in a process of its own. Prints seconds, their ratio, and the
peak memory (MB) of the importing process and of the one that parses.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

BOATS = 400
STEP_S = 30
START = np.datetime64("2026-05-01T00:00:00", "s")  # local time, as agencies write it
EVERY = 5_000  # rows for one without a place, and for one that is there twice
CHUNK = 500_000
FORMATS = ("csv", "parquet")


def chunks(rows: int) -> Iterator[pa.Table]:
    """The file, some rows at a time, as a registry would write it: by time."""
    rng = np.random.default_rng(7)
    names = pa.array([f"渔政{number:03d}" for number in range(BOATS)])
    for first in range(0, rows, CHUNK):
        at = np.arange(first, min(first + CHUNK, rows))
        twice = (at % EVERY == EVERY - 1) & (at >= BOATS)
        at = np.where(twice, at - 1, at)  # as the row before
        step, boat = np.divmod(at, BOATS)
        lat = np.round(30.2 + 0.05 * np.cos(step / 700 + boat), 6)
        yield pa.table(
            {
                "船名": names.take(pa.array(boat)),
                "时间": pa.array(START + step * STEP_S),
                "经度": np.round(111.3 + boat * 0.002 + 0.05 * np.sin(step / 500 + boat), 6),
                "纬度": pa.array(lat, mask=at % EVERY == 7),
                "航速": np.round(2 + rng.random(len(at)), 1),
                "航向": rng.integers(0, 360, len(at)),
            }
        )


def make(path: Path, rows: int) -> None:
    """Writes a file; its ending tells the format."""
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    parts = chunks(rows)
    first = next(parts)
    maker = pq.ParquetWriter if path.suffix == ".parquet" else pc.CSVWriter
    with maker(path, first.schema) as writer:
        writer.write_table(first)
        for part in parts:
            writer.write_table(part)


def imported(path: Path) -> dict[str, Any]:
    from geo_monitor import pipeline  # noqa: F401  not in the clock
    from geo_monitor.workspace import Workspace

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        workspace = Workspace.create(Path(folder) / "w")
        began = time.perf_counter()
        receipt = workspace.import_file("tracks", path)
        seconds = time.perf_counter() - began
    return {"seconds": round(seconds, 3), "rows": dict(receipt.rows)}


def bare(path: Path) -> dict[str, Any]:
    import pyarrow.csv as pc
    import pyarrow.dataset  # noqa: F401  not in the clock
    import pyarrow.parquet as pq

    began = time.perf_counter()
    table = pq.read_table(path) if path.suffix == ".parquet" else pc.read_csv(path)
    return {"seconds": round(time.perf_counter() - began, 3), "rows": len(table)}


TASKS = {"imported": imported, "bare": bare}


def timed(path: Path, task: str) -> Any:
    """One task in a process of its own, with the peak memory of that process and of the one it started, MB."""
    command = [sys.executable, "-m", "benchmarks.ingest", "--folder", str(path), "--task", task]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main(given: Sequence[str] | None = None) -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--folder", type=Path, required=True)
    asked.add_argument("--rows", default="1e5,1e6,1e7")
    asked.add_argument("--formats", default=",".join(FORMATS))
    asked.add_argument("--task", choices=TASKS)
    options = asked.parse_args(given)
    if options.task:
        told = TASKS[options.task](options.folder)
        for name, who in (("process_mb", resource.RUSAGE_SELF), ("parser_mb", resource.RUSAGE_CHILDREN)):
            told[name] = round(resource.getrusage(who).ru_maxrss * 1024 / 1e6)
        print(json.dumps(told))
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    found = []
    for rows in (int(float(number)) for number in options.rows.split(",")):
        for form in options.formats.split(","):
            path = options.folder / f"fixes-{rows}.{form}"
            make(path, rows)
            plain, ours = timed(path, "bare"), timed(path, "imported")
            ratio = round(ours["seconds"] / plain["seconds"], 1)
            said = {"rows": rows, "format": form, "mb": round(path.stat().st_size / 1e6, 1)}
            found.append({**said, "bare_s": plain["seconds"], "import_s": ours["seconds"], "ratio": ratio,
                          "process_mb": ours["process_mb"], "parser_mb": ours["parser_mb"], "taken": ours["rows"]})  # fmt: skip
            path.unlink()
    if not any(options.folder.iterdir()):
        shutil.rmtree(options.folder)
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
