"""Compiled code is made ready once, by `init`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from geo_monitor import compiled
from geo_monitor.engine import warm
from tests.store import worlds

CODE = """
import pickle
import sys
from pathlib import Path
from geo_monitor.engine import warm
warm.warm()
loaded = {f"{one.module}.{one.name}" for one in pickle.loads(warm.mark().read_bytes())}
print(warm.needed(), len(list(Path(sys.argv[1]).rglob("*.nbc"))), *loaded)
"""

ANALYSIS = """
import sys
from numba.core.caching import Cache
from geo_monitor.engine import warm
from geo_monitor.workspace import Workspace
if warm.needed():
    warm.warm()
if not warm.mark().is_file():
    sys.exit("nothing is ready")
asked, by_itself = [], Cache._load_overload
def ask(cache, *given):
    asked.append(cache._py_func.__name__)
    return by_itself(cache, *given)
Cache._load_overload = ask
found = Workspace(sys.argv[1]).analyse()
print(len(found.table("hotspots")), *asked)
"""


def test_it_leaves_compiled_code_and_is_not_needed_again(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    told = {"NUMBA_CACHE_DIR": str(cache), "PYTHONPYCACHEPREFIX": str(tmp_path / "py"), "PYTHONDONTWRITEBYTECODE": "1"}
    given = {**os.environ, **told}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE, str(cache)], env=given, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    needed, compiled, *loaded = done.stdout.split()
    assert needed == "False"
    assert int(compiled) > 25  # kernels of river, joins, effort, hotspots
    made = {path.name.split(".")[0] for path in (tmp_path / "py").rglob("geo_monitor/**/*.pyc")}
    assert {"pipeline", "work", "field", "embedded"} <= made  # though Python leaves none by itself
    # what is only called by other compiled code comes with it: loaded by itself it would take half a second of every analysis
    assert "geo_monitor.effort.kernels.merged" in loaded
    assert "geo_monitor.effort.kernels._largest" not in loaded


def test_the_mark_changes_with_the_code(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = warm.mark().name
    (tmp_path / "one.py").write_text("x = 1\n")
    monkeypatch.setattr(warm, "PACKAGE", tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "users"))
    assert warm.mark().name != before
    (tmp_path / "engine").mkdir()
    first = warm.mark()
    assert first.parent == tmp_path / "engine" / "__pycache__"
    (tmp_path / "one.py").write_text("x = 22\n")
    assert warm.mark().name != first.name
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert warm.mark().parent == tmp_path / "users" / "geo_monitor"


def test_an_analysis_runs_what_is_ready_and_asks_numba_for_nothing(tmp_path: Path) -> None:
    """One function left out costs half a second: numba then makes itself ready to compile."""
    line = [sys.executable, "-W", "ignore", "-c", ANALYSIS, str(worlds.workspace(tmp_path).root)]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    reaches, *asked = done.stdout.split()
    assert int(reaches) > 0 and asked == []


def test_machine_code_of_another_machine_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of programs may be copied, or shared: what is ready there may be another processor's."""
    here = warm.mark()
    made_for = compiled.made_for()
    assert any("+" in str(each) for each in made_for)  # the processor's features are among it
    monkeypatch.setattr(compiled, "made_for", lambda: (*made_for[:-1], "+another"))
    assert warm.mark() != here


def test_without_a_mark_nothing_is_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(warm, "mark", lambda: tmp_path / "mark")
    warm.load()
    (tmp_path / "mark").write_bytes(b"")
    warm.load()
