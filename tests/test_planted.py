"""Planted worlds at small size: what is planted is named for what it is. `checks/planted.py` does every kind in full."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from geo_monitor import open as open_workspace
from geo_monitor.simulate import files, planted
from geo_monitor.workspace import Workspace

CHECKS = Path(__file__).parents[1] / "checks"
SEED = 1


@pytest.fixture(scope="module")
def check() -> ModuleType:
    sys.path.insert(0, str(CHECKS))
    try:
        import planted as module  # checks/planted.py
    finally:
        sys.path.remove(str(CHECKS))
    assert Path(str(module.__file__)).parent == CHECKS
    return module


def world(folder: Path, kind: str) -> tuple[Workspace, pd.DataFrame, str, str]:
    """A workspace with the files of a planted world of 336 days, what is planted, its first day and the one after the
    last. One unit beside the boats on rounds."""
    there, uploads = files.make(SEED, folder / "made", days=336, units=1, plant=kind)
    workspace = open_workspace(folder / "workspace")
    (workspace.root / "settings.toml").write_text(
        "gi_permutations = 9999\nnear_repeat_permutations = 99\n", encoding="utf-8"
    )
    for one in uploads:
        receipt = workspace.import_file(one.kind, one.path, agency=one.agency)
        assert receipt.status in ("accepted", "accepted_with_warnings"), receipt
    assert there.plants is not None
    start = str(there.totals["start"])
    return workspace, there.plants, start, str((pd.Timestamp(start) + pd.Timedelta(days=336)).date())


@pytest.mark.parametrize("kind", ["reemerging", "unlooked"])
def test_what_is_planted_is_named(
    check: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(planted, "ROUNDS_M", 4_000.0)  # of rounds below and above what is planted: fewer fixes
    workspace, plants, start, end = world(tmp_path, kind)

    def exported(name: str) -> pd.DataFrame:
        path = tmp_path / f"{name}.csv"
        workspace.export(name, path)
        return pd.read_csv(path, encoding="utf-8-sig", low_memory=False)

    late = None
    if kind == "unlooked":
        since = str((pd.Timestamp(end) - pd.Timedelta(days=check.LATELY)).date())
        workspace.analyse(since, end)
        late = exported("hotspots")
    run = workspace.analyse(start, end, methods="emerging,scan,near_repeat,reemergence,displacement,why")
    found = check.Found({name: exported(name) for name in check.TABLES}, run.summary, plants, start, end, late)
    verdict = check.JUDGES[kind](found)
    assert [question for question, right in verdict if not right] == []
