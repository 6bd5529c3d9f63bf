"""The main job on a real Spark cluster of two worker processes: the same tables, also when one of them is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pytest

from geo_monitor.errors import Usage
from geo_monitor.workspace import Workspace
from tests.engine import worlds

TABLES = ("effort", "effort_gaps", "patrols", "zone_visits", "seizure_links", "hotspots")
EXECUTOR = b"CoarseGrainedExecutorBackend"
CODE = """
import sys
from geo_monitor.workspace import Workspace
for _ in range(int(sys.argv[2])):
    print(Workspace(sys.argv[1]).analyse(engine="spark").run_id, flush=True)
"""


def executors(under: int) -> list[int]:
    """Processes that work for the cluster of process `under`."""
    parents = {}
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
            if EXECUTOR in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue  # it has ended

    def below(pid: int) -> bool:
        while pid > 1:
            if pid == under:
                return True
            pid = parents.get(pid, 1)
        return False

    return [pid for pid in found if below(pid)]


def by_spark(workspace: Workspace, times: int = 1, kill: bool = False) -> tuple[list[str], list[int]]:
    """The runs a cluster of two makes, and the executors that were killed."""
    import pyspark

    home = os.path.dirname(pyspark.__file__)
    given = {**os.environ, "GEO_MONITOR_SPARK": "local-cluster[2,1,1024]", "SPARK_HOME": home}
    command = [sys.executable, "-W", "ignore", "-c", CODE, str(workspace.root), str(times)]
    killed: list[int] = []
    with subprocess.Popen(command, env=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:

        def killing() -> None:
            while process.poll() is None and not killed:
                for pid in executors(process.pid):
                    if list(Path(f"/proc/{pid}/task").glob("*/children")) and working(pid):
                        os.kill(pid, signal.SIGKILL)
                        killed.append(pid)
                        return
                time.sleep(0.05)

        if kill:
            threading.Thread(target=killing, daemon=True).start()
        out, err = process.communicate(timeout=400)
    assert process.returncode == 0, err[-3000:]
    return out.split(), killed


def working(pid: int) -> bool:
    """Whether an executor has started Python to work on a lane."""
    children = [
        int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()
    ]
    return any(
        b"pyspark" in Path(f"/proc/{child}/cmdline").read_bytes()
        for child in children
        if Path(f"/proc/{child}").exists()
    )


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("spark")
    made = worlds.made(folder)
    worlds.border(made, folder)  # of a lane of its own
    return made


def same(workspace: Workspace, run: str, expected: str) -> None:
    for name in TABLES:
        one, other = workspace.table(name, run), workspace.table(name, expected)
        assert len(other)
        pd.testing.assert_frame_equal(one, other, check_exact=True, obj=name)


def test_a_cluster_gives_the_same_tables_to_the_last_bit(workspace: Workspace) -> None:
    expected = workspace.analyse().run_id
    (run,), _ = by_spark(workspace)
    same(workspace, run, expected)
    here, there = (workspace.run(name).summary for name in (expected, run))
    assert there["counts"] == here["counts"]
    assert there["unlocated_minutes"] == here["unlocated_minutes"]


def test_a_killed_executor_changes_nothing(workspace: Workspace) -> None:
    expected = workspace.analyse().run_id
    (run,), killed = by_spark(workspace, kill=True)
    assert len(killed) == 1
    same(workspace, run, expected)


def test_compacted_days_are_read_without_what_was_withdrawn(workspace: Workspace, tmp_path: Path) -> None:
    wrong = worlds.send(workspace, tmp_path, "tracks", worlds.tracks(3, seed=5).assign(unit_id="UX"), "wrong")
    more = worlds.send(workspace, tmp_path, "tracks", worlds.tracks(5, seed=5).assign(unit_id="UY"), "more")
    workspace.withdraw(wrong, "another boat's")
    expected = workspace.analyse().run_id
    assert workspace.compact().files_before > 4
    assert more in workspace.store.tracks()
    (run,), _ = by_spark(workspace)
    same(workspace, run, expected)


def test_without_spark_it_says_what_to_install(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(Usage) as told:
        workspace.analyse(engine="spark")
    assert told.value.code == "engine_missing"
    assert told.value.params == {"missing": "pyspark"}
