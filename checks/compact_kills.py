"""Compactions killed at any moment beside a reader: no fix may ever be missing or there twice, and the next start must say
what became of it.

Usage: python checks/compact_kills.py [--store sqlite] [--kills 200] [--seed 7]

Three days of positions get new uploads again and again, and each time they are compacted by a process that is killed
(SIGKILL): by turns at a random moment and just before a file or SQL operation drawn by lot. Meanwhile the workspace is read
on and on, once with what was listed before; every answer must be all that was sent. Then it is opened as the next command
would, `verify` must find nothing, and now and then an upload is withdrawn or sent once more.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from checks.kills import TRACKED, main  # noqa: E402

if TYPE_CHECKING:
    from geo_monitor.store import Store

DAYS = ("2026-05-01", "2026-05-02", "2026-05-03")
NOW = datetime(2026, 6, 1, tzinfo=UTC)
FIXES = 40  # of an upload and day
COLUMNS = ("unit_id", "time", "lon", "receipt_id")


def compacting(root: str, to: Connection, fall_at: int | None) -> None:
    """Compacts, telling when it begins and how many steps it took; falls before step `fall_at` (None: never)."""
    import sqlalchemy as sql

    from geo_monitor.store import Store
    from geo_monitor.store.compact import compact

    steps = 0

    def step(*_: Any) -> None:
        nonlocal steps
        steps += 1
        if steps == fall_at:
            os.kill(os.getpid(), signal.SIGKILL)

    store = Store(root)
    sys.addaudithook(lambda event, _: step() if event in TRACKED else None)
    for event in ("before_cursor_execute", "after_cursor_execute", "commit"):
        sql.event.listen(sql.Engine, event, step)
    to.send("begin")
    compact(store, NOW)
    to.send(steps)


def send(store: Store, folder: Path, number: int) -> None:
    """Upload `number`: a boat of its own on every day."""
    import pandas as pd

    from tests.store.uploads import fixes, upload

    frames = [fixes(f"boat-{number}", f"{day}T01:00:00+00:00", FIXES, lon=111 + number * 1e-3) for day in DAYS]
    made = upload(folder, "tracks", pd.concat(frames, ignore_index=True), f"r{number}", content=str(number).encode())
    store.commit(*made)


def rows(store: Store, parts: Any = None) -> list[tuple[Any, ...]]:
    """Everything in force, or what the `parts` hold."""
    from geo_monitor.store import positions

    table = store.positions(columns=COLUMNS) if parts is None else positions.read(parts, COLUMNS)
    return list(zip(*(table[name].to_pylist() for name in COLUMNS), strict=True))


def run(database: str | None, kills: int, seed: int, folder: Path) -> dict[str, Any]:
    """Kills that many compactions. Gives what the next start said of them, and how often was read beside them.

    Raises AssertionError at the first one that does not hold.
    """
    from geo_monitor.store import Store
    from geo_monitor.store.verify import verify

    dice = random.Random(seed)  # noqa: S311
    root = folder / "workspace"
    store = Store.create(root, database)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["checks.compact_kills", "geo_monitor.store.compact", "pyarrow.dataset"])
    said: Counter[str] = Counter()
    reads, steps, seconds, number = 0, 60, 1.0, 0
    for kill in range(kills + 1):
        for _ in range(dice.randint(2, 4)):
            send(store, folder, number)
            number += 1
        if kill % 5 == 4:
            store.withdraw(dice.choice(store.receipts_in_force()), "错", NOW + timedelta(minutes=kill))
        expected, parts = rows(store), store.position_parts()
        way = "whole" if not kill else ("moment", "step")[kill % 2]
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=compacting, args=(str(root), theirs, dice.randint(1, steps) if way == "step" else None)
        )
        process.start()
        theirs.close()
        try:
            assert ours.recv() == "begin"
            began = time.perf_counter()
            end = began + dice.uniform(0, seconds) if way == "moment" else float("inf")
            while process.is_alive() and time.perf_counter() < end:
                reads += 1
                assert rows(store, parts if reads % 2 else None) == expected, f"{kill}: read beside it"
            if way == "moment":
                process.kill()
            elif way == "whole":
                steps, seconds = ours.recv(), time.perf_counter() - began
        finally:
            process.kill()
            process.join()
            ours.close()
        assert rows(store) == expected, f"{kill}: after the kill"
        store.close()
        store = Store(root)
        assert rows(store) == expected, f"{kill}: after the next start"
        assert rows(store, parts) == expected, f"{kill}: listed before"
        assert not verify(store).troubles, verify(store).troubles
        fallen = store.fallen.code.rsplit(".", 1)[1] if store.fallen else "between two days, or at its end"
        said[f"{way}: {fallen}"] += 1
        if kill and kill % 20 == 0:
            print(f"{kill} of {kills}", file=sys.stderr, flush=True)
    store.close()
    return {"kills": kills, "rows": len(expected), "reads": reads, "said": dict(sorted(said.items()))}


if __name__ == "__main__":
    main(__doc__, run, "{kills} compactions killed; {reads} reads beside them, all of all rows", store="sqlite")
