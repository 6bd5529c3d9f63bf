"""Compiled code is made ready once, by `init`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from geo_monitor.engine import warm

CODE = """
import pickle
import sys
from pathlib import Path
from geo_monitor.engine import warm
warm.warm()
loaded = {f"{module}.{name}" for module, name, _ in pickle.loads(warm.mark().read_bytes())}
print(warm.needed(), len(list(Path(sys.argv[1]).rglob("*.nbc"))), *loaded)
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


def test_loading_beside_a_first_call_waits_for_the_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """numba's contexts are brought up to date by whoever calls compiled code first: two at once fell over each other."""
    from numba.core.compiler_lock import global_compiler_lock
    from numba.core.registry import cpu_target

    held = []
    for context in (cpu_target.typing_context, cpu_target.target_context):
        monkeypatch.setattr(context, "refresh", lambda: held.append(global_compiler_lock.is_locked()))
    monkeypatch.setattr(warm, "mark", lambda: tmp_path / "nothing is noted")
    warm.load()
    assert held == [True, True]
