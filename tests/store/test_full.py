"""A full disk: told as one, and nothing lost. On a file system of three megabytes in a mount namespace of its own."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from geo_monitor.errors import Refused
from geo_monitor.store import Store, files, unfinished
from geo_monitor.store.verify import verify
from tests import postgres
from tests.store.uploads import fixes, seizures, upload

ROOT = Path(__file__).parents[2]
INSIDE = """
import shutil, sys
from pathlib import Path
import numpy as np
import pandas as pd
from geo_monitor.errors import Refused
from geo_monitor.store import Store, backup
from geo_monitor.store.verify import verify
from tests.store.uploads import at, fixes, seizures, upload

disk, beside, url = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] or None
store = Store.create(disk / "ws", url)
store.commit(*upload(beside, "seizures", seizures(report_id=["a"]), "small", content=b"small"))
free = shutil.disk_usage(disk).free
noise = np.random.default_rng(1)
long = fixes("u", "2026-05-01T00:00:00+00:00", 600_000, 1.0).assign(lon=noise.uniform(110, 112, 600_000))
words = ["".join(map(chr, noise.integers(0x4E00, 0x9FFF, 1000))) for _ in range(1500)]
full = 0
for name, kind, rows, content in (
    ("raw", "seizures", seizures(report_id=["b"]), noise.bytes(8_000_000)),
    ("fixes", "tracks", long, b"fixes"),
    ("records", "seizures", seizures(report_id=[f"c{i}" for i in range(1500)], place=words), b"records"),
):
    try:
        store.commit(*upload(beside, kind, rows, name, content=content))
    except Refused as error:
        assert error.code == "disk_full", error
        full += 1
        assert store.orphans() == [], name
    store.close()
    store = Store(disk / "ws")  # the next command opens it
    assert store.fallen is None
    assert store.records("seizures")["report_id"].tolist()[:1] == ["a"]
    assert not verify(store).troubles, verify(store).troubles
try:
    backup.write(store, disk / "b", at("2026-05-01T00:00:00Z"))
    (disk / "b").unlink()
except Refused as error:
    assert error.code == "disk_full"
store.commit(*upload(beside, "seizures", seizures(report_id=["z"]), "last", content=b"last"))
print(full, sorted(path.name for path in disk.glob("*")), len(store.book("receipts")))
"""


def test_a_full_disk_is_told_and_loses_nothing(tmp_path: Path, database: str | None) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "beside").mkdir()
    mount = f"mount -t tmpfs -o size=3m none {tmp_path}/disk"
    command = f'{mount} && exec {sys.executable} -c "$INSIDE" {tmp_path}/disk {tmp_path}/beside "{database or ""}"'
    rights = ["-m"] if os.geteuid() == 0 else ["-r", "-m"]
    done = subprocess.run(
        ["unshare", *rights, "sh", "-c", command],
        env={**os.environ, "INSIDE": INSIDE, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # on a server the records don't lie on this disk
    assert done.stdout.strip() == ("3 ['ws'] 2" if database is None else "2 ['ws'] 3")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_quota_is_a_full_disk_too(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def full(path: Path) -> None:
        if path.suffix == ".parquet":
            raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files, "sync", full)
    with pytest.raises(Refused) as raised:
        store.commit(*upload(tmp_path, "tracks", fixes("u", "2026-05-01T00:00:00+00:00", 2), "r1"))
    assert raised.value.code == "disk_full"
    monkeypatch.undo()
    assert store.orphans() == []
    assert unfinished.found(store.root) is None
    store.commit(*upload(tmp_path, "tracks", fixes("u", "2026-05-01T00:00:00+00:00", 2), "r1"))
    assert len(store.positions()) == 2
    assert verify(store).troubles == []


def test_a_full_server_is_told(tmp_path: Path, server: postgres.Server) -> None:
    """53100 is disk_full in PostgreSQL's table of error codes (appendix A of its manual)."""
    store = Store.create(tmp_path / "ws", server.url())
    with store.transaction() as connection:
        connection.exec_driver_sql(
            "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = '53100'; END $$"
        )
        connection.exec_driver_sql("CREATE TRIGGER f BEFORE INSERT ON seizures EXECUTE FUNCTION full_disk()")
    with pytest.raises(Refused) as raised:
        store.commit(*upload(tmp_path, "seizures", seizures(report_id=["a"]), "r1"))
    assert raised.value.code == "disk_full"
    assert "gm@127.0.0.1" in raised.value.params["place"]
    assert (len(store.book("receipts")), store.orphans()) == (0, [])
    store.close()
