"""Every command that writes, on a disk with less and less room: told as a full disk, and nothing changed or lost."""

from __future__ import annotations

import contextlib
import gc
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql

from geo_monitor.cli import run
from geo_monitor.cli.console import _keep
from geo_monitor.engine.kept import FOLDER
from geo_monitor.store import Store
from geo_monitor.store.schema import metadata
from tests.store import worlds

ROOT = Path(__file__).parents[2]
ROOM = (0, 4_096, 20_000, 60_000, 150_000, 400_000, 1_000_000, 3_000_000)  # bytes free
FORMATS = ("csv", "xlsx", "parquet", "geojson", "gpkg", "fgb", "shp.zip", "tif")


def typed(root: Path, *arguments: object) -> tuple[int, dict[str, Any]]:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = run(["--workspace", str(root), "--json", *map(str, arguments)])
    return code, json.loads(out.getvalue())


def state(disk: Path) -> tuple[str, list[tuple[str, bytes]]]:
    """Everything on the disk: rows of the database, bytes of the other files."""
    store, digest = Store(disk / "ws"), hashlib.sha256()
    assert store.fallen is None
    with store.reading() as connection:
        for table in metadata.sorted_tables:
            for row in connection.execute(sql.select(table).order_by(*table.primary_key.columns)):
                digest.update(repr(tuple(row)).encode())
    store.close()
    paths = sorted(path for path in disk.rglob("*") if path.is_file() and "sqlite" not in path.name)
    paths = [path for path in paths if FOLDER not in path.parts]  # what may be lost at any time
    return digest.hexdigest(), [(path.relative_to(disk).as_posix(), path.read_bytes()) for path in paths]


@contextlib.contextmanager
def room(disk: Path, free: int) -> Iterator[None]:
    """So many bytes are free on `disk` until the block ends."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as out:
        while (more := shutil.disk_usage(disk).free - free) > 0:
            out.write(b"\0" * min(more, 1 << 20))
    try:
        yield
    finally:
        filler.unlink()


def squeezed(disk: Path, *arguments: object, target: Path | None = None) -> int:
    """Runs a command with more and more room until it goes through. Gives how often the disk was too full."""
    for tries, free in enumerate(ROOM):
        if target is not None:
            target.write_bytes(b"old")
        before = state(disk)
        with room(disk, free):
            code, told = typed(disk / "ws", *arguments)
        if code == 0:
            return tries
        faults = [path.read_text(encoding="utf-8") for path in (disk / "ws").glob("faults/*")]
        assert not faults, faults
        assert (code, told["error"]["code"]) in ((3, "disk_full"), (3, "scratch_full")), (arguments, free, told)
        assert state(disk) == before, (arguments, free)
    raise AssertionError(f"{arguments} needs more than {ROOM[-1]} bytes")


def every_command(disk: Path, beside: Path) -> None:
    """Inside a mount namespace: `disk` is a small file system of our own."""
    from geo_monitor.workspace import Workspace

    worlds.workspace(disk)
    root = disk / "ws"
    gc.collect()  # its connections are closed, and the log beside the database is gone: no room comes free on the way
    assert typed(root, "verify")[0] == 0
    told = {}
    for kind in FORMATS:
        target = disk / f"hotspots.{kind}"
        told[kind] = squeezed(disk, "export", "hotspots", "-o", target, target=target)
        whole = beside / target.name
        Workspace(root).export("hotspots", whole)
        if kind in ("csv", "parquet", "geojson", "fgb", "tif"):
            assert target.read_bytes() == whole.read_bytes(), kind
        target.unlink()
    line = {"type": "LineString", "coordinates": [[112.2, 30.0], [112.0, 30.0]]}
    river = beside / "river.geojson"
    feature = {"type": "Feature", "properties": {"name": "江"}, "geometry": line}
    river.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    fixes = [
        f"新,2026-05-01 {minute // 60:02d}:{minute % 60:02d}:00,{112 + minute * 1e-4:.4f},30.0"
        for minute in range(1400)
    ]
    tracks = beside / "航迹.csv"
    tracks.write_text("\n".join(["unit_id,time,lon,lat", *fixes]), encoding="utf-8")
    for name, kind, file in (("river", "river", river), ("tracks", "tracks", tracks)):
        told[name] = squeezed(disk, "import", kind, file)
    assert Store(root).positions(units=["新"]).num_rows == 1400
    told["analyse"] = squeezed(disk, "analyse")
    assert len(Store(root).book("runs")) == 2
    told["backup"] = squeezed(disk, "backup", "-o", disk / "b.gmb", target=disk / "b.gmb")
    code, _ = typed(beside / "again", "restore", disk / "b.gmb")
    assert code == 0
    (disk / "b.gmb").unlink()
    told["withdraw"] = squeezed(disk, "withdraw", "r-units", "--reason", "错")
    assert all(told.values()), told  # each of them met a full disk
    code, found = typed(root, "verify")
    assert code == 0, found
    print(json.dumps(told))


@pytest.mark.skipif(sys.platform != "linux", reason="mount namespaces are Linux's")
def test_commands_on_a_full_disk(tmp_path: Path) -> None:
    for name in ("disk", "beside"):
        (tmp_path / name).mkdir()
    rights = ["-m"] if os.geteuid() == 0 else ["-r", "-m"]
    program = f"{sys.executable} -m tests.store.test_full_commands {tmp_path}/disk {tmp_path}/beside"
    done = subprocess.run(
        ["unshare", *rights, "sh", "-c", f"mount -t tmpfs -o size=24m none {tmp_path}/disk && exec {program}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(json.loads(done.stdout.splitlines()[-1])) >= {*FORMATS, "tracks", "analyse", "backup"}


def test_a_fault_that_the_workspace_cannot_keep_is_kept_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "faults").write_text("no folder", encoding="utf-8")
    _, kept = _keep(ValueError("what happened"), tmp_path)
    assert Path(kept).parent == Path(tempfile.gettempdir())
    assert "what happened" in Path(kept).read_text(encoding="utf-8")
    Path(kept).unlink()


if __name__ == "__main__":
    every_command(*map(Path, sys.argv[1:]))
