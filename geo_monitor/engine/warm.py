"""Compiles what an analysis needs before somebody waits for it: once an installation, from `init`.

numba keeps compiled code beside the package or, where that may not be written, in the user's cache folder. A mark beside it
says for which code that was done, and holds what the main job calls, ready to be run (`compiled.run`).
"""

from __future__ import annotations

import compileall
import hashlib
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

MAIN = ("geo_monitor.river.", "geo_monitor.joins.", "geo_monitor.effort.", "geo_monitor.hotspots.")
PACKAGE = Path(__file__).resolve().parents[1]


def folder() -> Path:
    """Where what an installation makes once is kept: beside the package, or where that may not be written the user's cache."""
    beside = PACKAGE / "engine" / "__pycache__"
    return beside if os.access(beside if beside.is_dir() else beside.parent, os.W_OK) else _users()


def shelf() -> Path | None:
    """`folder`, made, if it can be written to."""
    shared = folder()
    try:
        shared.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return shared if os.access(shared, os.W_OK) else None


def mark() -> Path:
    """Where the mark lies: its name changes with the code, with numba and with the machine."""
    from geo_monitor import compiled

    told = hashlib.sha256(repr(compiled.made_for()).encode())
    for path in sorted(PACKAGE.rglob("*.py")):
        state = path.stat()
        told.update(f"{path.relative_to(PACKAGE)}|{state.st_mtime_ns}|{state.st_size}".encode())
    return folder() / f"compiled-{told.hexdigest()[:16]}"


def _users() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "geo_monitor"


def load() -> None:
    """Loads what runs compiled code, and the compiled code of the main job: time that can pass beside something else."""
    from geo_monitor import compiled

    try:
        functions = pickle.loads(mark().read_bytes())  # noqa: S301  our own, beside code that numba reads so too
    except (FileNotFoundError, EOFError, pickle.UnpicklingError):  # nothing is compiled yet, or a fall left half of it
        return
    compiled.run(functions)


def _kernels() -> Iterator[tuple[str, str]]:
    """The main job's functions that this process has compiled, or loaded from numba's cache: module and name."""
    from numba.core.dispatcher import Dispatcher

    for module in [name for name in sys.modules if name.startswith(MAIN)]:
        for name, one in vars(sys.modules[module]).items():
            if isinstance(one, Dispatcher) and one.py_func.__module__ == module and one.signatures:
                yield module, name


def needed() -> bool:
    """Whether code has yet to be compiled."""
    return not mark().is_file()


def warm() -> None:
    """Compiles the main job and the detectors; then builds the shipped river, which every workspace shares that is not sent
    its own."""
    from geo_monitor.engine import rivers
    from geo_monitor.inputs import Drawing
    from geo_monitor.settings import Settings

    _run()
    compileall.compile_dir(
        PACKAGE, quiet=2
    )  # where Python is told to leave no byte code it would be made on every start
    settings = Settings()
    rivers.network(Drawing.nothing_sent(settings), settings, folder())
    if shelf() is None:
        return  # nowhere to write to: compiled code is not kept either, and the next time is as slow
    if any(getattr(sys.modules[module], name).stats.cache_misses for module, name in _kernels()):
        # what compiled code calls is compiled with it and comes with it: a process that only loads tells what is asked for
        subprocess.run([sys.executable, "-m", "geo_monitor.engine.warm"], check=False)
    else:
        _note()


def _note() -> None:
    """Leaves the mark: what this process has loaded from numba's cache, ready to run."""
    from geo_monitor import compiled

    functions = [one for module, name in _kernels() for one in compiled.ready(module, name)]
    with suppress(OSError):  # a full disk: the next `init` compiles again
        temporary = mark().with_suffix(f".{os.getpid()}")
        temporary.write_bytes(pickle.dumps(functions))
        temporary.replace(mark())


def _run() -> None:
    """The main job and the detectors on a river of three kilometres with one boat."""
    import geopandas as gpd
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    import shapely

    from geo_monitor import effort, events, hotspots, joins, river
    from geo_monitor.engine import work
    from geo_monitor.engine.blocks import SCHEMA, Block
    from geo_monitor.engine.kept import to_bytes
    from geo_monitor.joins.areas import Areas
    from geo_monitor.joins.visits import Underway
    from geo_monitor.joins.zones import Zone
    from geo_monitor.settings import Settings

    settings = Settings()
    line = gpd.GeoDataFrame({"river": ["r"], "accuracy_m": [100.0], "mouth": [True]}, crs="EPSG:4326",
                            geometry=[shapely.LineString([(112.03, 30.0), (112.0, 30.0)])])  # fmt: skip
    lake = gpd.GeoDataFrame({"river": ["l"], "accuracy_m": [100.0]}, crs="EPSG:4326",
                            geometry=[shapely.box(112.03, 30.0, 112.06, 30.02)])  # fmt: skip
    network = river.build(line, lake, settings=settings, land=shapely.Point(0, 0))
    n = 40
    fixes = pa.table(
        {
            "unit_id": pa.array(["u"] * n).dictionary_encode(),
            "patrol_id": pa.nulls(n, pa.string()).dictionary_encode(),
            "time": pa.array(60_000 * np.arange(n), pa.timestamp("ms", "UTC")),
            "platform": pa.nulls(n, pa.string()).dictionary_encode(),
            "role": pa.array(["patrol"] * n).dictionary_encode(),
            "lon": 112.0 + 0.001 * np.arange(n),
            "lat": np.full(n, 30.0),
        }
    ).select(SCHEMA.names).cast(SCHEMA)  # fmt: skip
    always = np.array([[-(10**12), 10**12]])
    passed = Zone("z", 1, always, shapely.box(112.005, 29.99, 112.01, 30.01))
    stayed_in = Zone("y", 1, always, shapely.box(112.02, 29.99, 112.06, 30.01))
    reports = pd.DataFrame({"report_id": ["s"], "time": pd.to_datetime([60_000], unit="ms", utc=True), "lon": [112.002],
                            "lat": [30.0]})  # fmt: skip
    job = work.Job(network, Areas.of([passed, stayed_in]), settings, {}, joins.places(reports, network), ())
    block = Block(0, 4, (), (), ())
    laid = work.Laid.of(fixes, block, {})
    chunk, _ = work.located(laid.chunk, job)
    part = work.part(laid, chunk, job, work.KINDS_OF_WORK, effort.Moored.nowhere(), Underway.nobody())
    given = work.together([part], laid, job, effort.Moored.nowhere(), Underway.nobody())
    found = work.Found([to_bytes(given["effort"])] * 2)
    work.visits_underway(given["visits"]).finished(job.areas, settings)
    looked = effort.sum_up(found.looked, network, settings)
    exposure, table = looked.hours, looked.table
    network.within(settings.band_m)
    assert len(table) and exposure.sum() > 0
    hotspots.rates([3, 0, 1, 0], [6.0, 6.0, 6.0, 0.0], network.adjacency[:4, :4], settings=settings)
    events.warm(network, settings)


if __name__ == "__main__":
    _run()
    _note()
