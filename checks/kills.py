"""Imports killed at any moment: each must leave all of an upload or nothing of it, and the next start must say which.

Usage: python checks/kills.py --store sqlite --kills 200 [--seed 7]

Uploads of tracks, zones and seizures go through the door one after another. Each import is killed (SIGKILL): a quarter
at a random moment of the whole import, a quarter at a random moment from the beginning of its commit on, a quarter just
before a file or SQL operation of the commit drawn by lot, a quarter as the program that people type, at a random moment
of its run; the process that parses must be gone with it. Then the workspace is opened as the next command would, and
checked; and the same file is imported again, which must give exactly what it would have given.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

KINDS = ("tracks", "zones", "seizures")
WAYS = ("whole", "commit", "step", "program")
TRACKED = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir")


@dataclass(frozen=True)
class Made:
    """A file to import, the rows of it that are good, and those that are not."""

    kind: str
    path: Path
    good: int
    bad: int


def make(folder: Path, number: int) -> Made:
    """Upload `number`: its kind by turns, its ids and values its own."""
    kind = KINDS[number % len(KINDS)]
    name = f"{kind}-{number}"
    if kind == "zones":
        corner = 111 + number * 1e-3
        ring = [[corner, 30.0], [corner + 0.01, 30.0], [corner + 0.01, 30.01], [corner, 30.01], [corner, 30.0]]
        zones = [
            {
                "type": "Feature",
                "properties": {"zone_id": f"{name}-{i}", "name": f"保护区{number}-{i}"},
                "geometry": shape,
            }
            for i, shape in enumerate([{"type": "Polygon", "coordinates": [ring]}] * 5 + [None])
        ]
        text = json.dumps({"type": "FeatureCollection", "features": zones}, ensure_ascii=False)
        made = Made(kind, folder / f"{name}.geojson", 5, 1)
    elif kind == "seizures":
        rows = [f"{name}-{i},2026-04-{i % 28 + 1:02d} 10:00,112.{i:02d},30.0,{i}" for i in range(40)]
        text = "\n".join(["案号,查获时间,东经,北纬,渔获重量", *rows, f"{name}-x,,112.0,30.0,1"])
        made = Made(kind, folder / f"{name}.csv", 40, 1)
    else:  # four days, so that many files stand on the disk before the commit
        rows = [
            f"{name},2026-05-{1 + i // 100:02d} {8 + i % 100 // 60:02d}:{i % 60:02d}:00,{112 + i * 1e-4:.4f},{30 + number * 1e-3:.3f}"
            for i in range(400)
        ]
        text = "\n".join(
            ["unit_id,time,lon,lat", *rows, f"{name},never,112.0,30.0", f"{name},2026-05-01 07:00:00,,30.0"]
        )
        made = Made(kind, folder / f"{name}.csv", 400, 2)
    made.path.write_text(text, encoding="utf-8")
    return made


# --- the import that is killed, in a process of its own ---------------------------------------------------------------


def importing(root: str, kind: str, path: str, to: Connection, fall_at: int | None) -> None:
    """Imports, telling when it begins, when its commit begins, and how many steps the commit took; falls before step
    `fall_at` of the commit (None: never)."""
    import sqlalchemy as sql

    from geo_monitor.store import Store
    from geo_monitor.workspace import Workspace

    steps, commit, counting = 0, Store.commit, False

    def step(*_: Any) -> None:
        nonlocal steps
        steps += counting
        if counting and steps == fall_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def counted(self: Store, *given: Any, **more: Any) -> Any:
        nonlocal counting
        to.send("commit")
        counting = True
        done = commit(self, *given, **more)
        counting = False
        return done

    Store.commit = counted  # type: ignore[method-assign]
    sys.addaudithook(lambda event, _: step() if event in TRACKED else None)
    for event in ("before_cursor_execute", "after_cursor_execute", "commit"):
        sql.event.listen(sql.Engine, event, step)
    workspace = Workspace(root)
    to.send("begin")
    receipt = workspace.import_file(kind, path)
    to.send((receipt.status, steps))


class Imports:
    """Starts imports from a process that has everything loaded."""

    def __init__(self) -> None:
        # its children are copies of a process without threads
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(
            ["checks.kills", "geo_monitor.workspace", "geo_monitor.ingest", "geopandas"]
        )

    @contextmanager
    def start(self, root: Path, made: Made, fall_at: int | None = None) -> Iterator[tuple[Any, Connection]]:
        ours, theirs = self._context.Pipe(duplex=False)
        process = self._context.Process(target=importing, args=(str(root), made.kind, str(made.path), theirs, fall_at))
        process.start()
        theirs.close()
        try:
            yield process, ours
        finally:
            process.kill()
            process.join()
            ours.close()

    def whole(self, root: Path, made: Made) -> tuple[str, int, float, float]:
        """An import that nobody kills: its status, the steps of its commit, seconds before and in the commit."""
        with self.start(root, made) as (process, told):
            moments = []
            try:
                while not isinstance(word := told.recv(), tuple):
                    moments.append(time.perf_counter())
            except EOFError:
                raise AssertionError(f"the import of {made.path.name} failed") from None
            end = time.perf_counter()
            process.join()
            before = (moments[1] if len(moments) > 1 else end) - moments[0]
            return (*word, before, end - moments[-1])


def typed(root: Path, made: Made, seconds: float | None = None) -> tuple[bool, float]:
    """The import as people type it, its whole process group killed after `seconds` (None: never). Gives whether it
    came to its end, and how long it ran."""
    command = [sys.executable, "-m", "geo_monitor", "--workspace", str(root), "import", made.kind, str(made.path)]
    begun = time.perf_counter()
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=ROOT, start_new_session=True
    ) as process:
        try:
            return process.wait(seconds) == 0, time.perf_counter() - begun
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait() == 0, time.perf_counter() - begun


def strays(root: Path) -> list[int]:
    """Processes that work in the folder `root`: parsers that outlived their import. They have 10 seconds to end."""
    here = str(root.resolve())
    for _ in range(1000):
        found = []
        for link in Path("/proc").glob("[0-9]*/cwd"):
            with suppress(OSError):  # ended meanwhile
                if os.readlink(link).startswith(here):
                    found.append(int(link.parent.name))
        if not found:
            return []
        time.sleep(0.01)
    return found


# --- what must hold ---------------------------------------------------------------------------------------------------


def rows_of(store: Any, made: Made) -> int:
    """Rows held of an upload, found by their own ids, not by receipts."""
    import pyarrow.compute as pc

    name = made.path.stem
    if made.kind == "tracks":
        return int(pc.sum(pc.equal(store.positions(columns=["unit_id"])["unit_id"], name)).as_py() or 0)
    column = {"zones": "zone_id", "seizures": "report_id"}[made.kind]
    held = store.records(made.kind, all_versions=True)[column]
    return int(held.str.startswith(f"{name}-").sum())


def judge(root: Path, made: Made, finished: bool) -> tuple[bool, str]:
    """Opens the workspace after a kill. Gives whether the upload is in, and what the opening said."""
    from geo_monitor.store import Store, files
    from geo_monitor.store.verify import verify

    store = Store(root)
    try:
        book = store.book("receipts")
        statuses = book.loc[book["sha256"] == files.sha256(made.path), "status"].tolist()
        held = any(status.startswith("accepted") for status in statuses)
        fallen = store.fallen
        assert not finished or statuses, f"{made.path.name}: said to be through, and is not"
        if fallen is not None:
            assert fallen.done == bool(statuses), f"{made.path.name}: the next start said {fallen.code}"
            assert fallen.work.name == made.path.name, fallen
        assert rows_of(store, made) == (made.good if held else 0), f"{made.path.name}: half of it is in"
        troubles = verify(store).troubles
        assert not troubles, f"{made.path.name}: {troubles}"
        if statuses == ["rejected"]:  # the parser, not the store: counted, and to be looked into
            return False, f"refused, {json.loads(book['receipt'].iloc[-1])['en']['errors'][0]['code']}"
        return held, fallen.code.rsplit(".", 1)[1] if fallen else "nothing had begun" if not held else "came to its end"
    finally:
        store.close()


def killed(
    imports: Imports, root: Path, made: Made, way: str, dice: random.Random, size: tuple[int, float, float]
) -> bool:
    """Starts an import of `size` (steps, seconds before and in the commit) and kills it. Gives whether it had come to
    its end before."""
    steps, before, during = size
    with imports.start(root, made, dice.randint(1, steps) if way == "step" else None) as (process, told):
        try:
            while not isinstance(word := told.recv(), tuple):
                if (way, word) in (("whole", "begin"), ("commit", "commit")):
                    time.sleep(dice.uniform(0, before + during if way == "whole" else during))
                    process.kill()
            return True
        except EOFError:  # killed
            process.join()
            return False


def run(database: str | None, kills: int, seed: int, folder: Path) -> dict[str, Any]:
    """Kills that many imports. Gives how many were killed in which way and what the next start said of them.

    Raises AssertionError at the first one that does not hold.
    """
    from geo_monitor.store import Store
    from geo_monitor.store.verify import verify

    dice = random.Random(seed)  # noqa: S311
    root = folder / "workspace"
    Store.create(root, database).close()
    imports = Imports()
    sizes = {}
    for number in range(len(KINDS)):
        made = make(folder, number)
        status, steps, before, during = imports.whole(root, made)
        assert status.startswith("accepted")
        sizes[made.kind] = (steps, before, during)
    program = min(typed(root, make(folder, 0))[1] for _ in range(2))  # seconds for a duplicate: others take longer
    said: Counter[str] = Counter()
    for number in range(len(KINDS), len(KINDS) + kills):
        made, way = make(folder, number), WAYS[number // len(KINDS) % len(WAYS)]
        if way == "program":
            finished, _ = typed(root, made, dice.uniform(0, 1.1 * program))
            assert not strays(root), f"{made.path.name}: its parser goes on"
        else:
            finished = killed(imports, root, made, way, dice, sizes[made.kind])
        held, what = judge(root, made, finished)
        said[f"{way}: {what}"] += 1
        status, *_ = imports.whole(root, made)
        assert status == "duplicate" if held else status.startswith("accepted"), f"{made.path.name}: again {status}"
        store = Store(root)
        assert rows_of(store, made) == made.good
        store.close()
        if said.total() % 20 == 0:
            print(f"{said.total()} of {kills}", file=sys.stderr, flush=True)
    store = Store(root)
    assert not verify(store).troubles
    left = sorted(path.name for path in root.glob(".tmp*"))
    assert not left, left
    wanted = sum(make(folder, number).good for number in range(len(KINDS) + kills))
    held_rows = len(store.positions(columns=["lon"])) + sum(len(store.records(kind)) for kind in KINDS[1:])
    assert held_rows == wanted, (held_rows, wanted)
    store.close()
    return {
        "kills": kills,
        "rows": held_rows,
        "said": dict(sorted(said.items())),
        "steps": {k: v[0] for k, v in sizes.items()},
    }


def main(
    doc: str, kill: Callable[[str | None, int, int, Path], dict[str, Any]], sentence: str, store: str | None = None
) -> None:
    """Asks how many and in which store (`store`: unless told), runs `kill`, and prints what was found."""
    asked = argparse.ArgumentParser(description=doc.splitlines()[0])
    asked.add_argument("--store", choices=("sqlite", "postgres"), default=store, required=store is None)
    asked.add_argument("--kills", type=int, default=200)
    asked.add_argument("--seed", type=int, default=7)
    given = asked.parse_args()
    from tests import postgres

    server = postgres.started() if given.store == "postgres" else nullcontext()
    with server as running, tempfile.TemporaryDirectory(prefix="geo-monitor-kills-") as folder:
        found = kill(running.url() if running else None, given.kills, given.seed, Path(folder))
    print(f"{given.store}: {sentence.format(**found)}")
    for what, count in found["said"].items():
        print(f"  {what}: {count}")


if __name__ == "__main__":
    main(__doc__, run, "{kills} imports killed, each all or nothing; {rows} rows held as sent")
