"""What an analysis reads where only part of the river was sent."""

from __future__ import annotations

import json
from pathlib import Path

from geo_monitor.inputs import Period, read
from geo_monitor.settings import Settings
from geo_monitor.workspace import Workspace


def test_km_marks_without_a_line_tie_the_shipped_river(tmp_path: Path) -> None:
    path = tmp_path / "里程标.geojson"
    point = {"type": "Point", "coordinates": [114.29, 30.57]}
    feature = {"type": "Feature", "properties": {"河流": "长江", "里程": 1043}, "geometry": point}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    workspace = Workspace.create(tmp_path / "w")
    assert workspace.import_file("river", path).status == "accepted"
    inputs = read(workspace.store, Period(), Settings())
    assert inputs.marks[["river", "km"]].to_numpy().tolist() == [["长江", 1043.0]]
    assert len(inputs.lines) > 20
    assert {note["code"] for note in inputs.notes} == {"river_shipped", "jurisdictions_shipped"}
