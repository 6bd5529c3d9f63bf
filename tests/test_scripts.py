"""The recipes run as they stand."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

import geopandas as gpd
import openpyxl
import pandas as pd
import pytest

from geo_monitor.workspace import Workspace
from tests.test_workspace import NOW, workspace  # noqa: F401  a fixture

SCRIPTS = Path(__file__).parents[1] / "scripts"


def run(monkeypatch: pytest.MonkeyPatch, name: str, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", [name, *arguments])
    runpy.run_path(str(SCRIPTS / name), run_name="__main__")


def test_yearly_hotspots(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    run(monkeypatch, "yearly_hotspots.py", str(workspace.root), "2026", str(tmp_path / "h.gpkg"))
    layer = gpd.read_file(tmp_path / "h.gpkg", layer="hotspots")
    assert len(layer) == 1
    assert layer["patrol_h"][0] == pytest.approx(3.0)
    assert layer.geometry[0].geom_type == "LineString"


def test_effort_of_a_city(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    reaches = workspace.analyse(now=NOW).table("reaches")
    adcode = reaches["adcode_left"].dropna().iloc[0]
    run(monkeypatch, "effort_of_a_city.py", str(workspace.root), adcode, str(tmp_path / "e.csv"))
    effort = pd.read_csv(tmp_path / "e.csv")
    assert effort[["river", "month", "platform"]].to_numpy().tolist() == [["江", "2026-06", "boat"]]
    assert effort["hours"][0] == 3.0
    assert effort["stakeout_hours"][0] == 3.0


def test_seizures_and_zones(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    workspace.analyse(now=NOW)
    run(monkeypatch, "seizures_and_zones.py", str(workspace.root), str(tmp_path / "s.xlsx"))
    rows = list(openpyxl.load_workbook(tmp_path / "s.xlsx").active.values)
    assert len(rows) == 1 + 5
    found = dict(zip(rows[0], rows[1], strict=True))
    assert (found["report_id"], found["nearest_unit_id"], found["time"]) == ("found", "a", "2026-06-01T09:00:00+08:00")
