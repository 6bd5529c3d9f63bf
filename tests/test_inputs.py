"""What an analysis reads where only part of the river was sent."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa

from geo_monitor.inputs import Period, read, with_platforms
from geo_monitor.settings import Settings
from geo_monitor.store import Store
from geo_monitor.workspace import Workspace


def test_km_marks_without_a_line_tie_the_shipped_river(tmp_path: Path) -> None:
    path = tmp_path / "里程标.geojson"
    point = {"type": "Point", "coordinates": [114.29, 30.57]}
    feature = {"type": "Feature", "properties": {"河流": "长江", "里程": 1043}, "geometry": point}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")
    workspace = Workspace.create(tmp_path / "w")
    assert workspace.import_file("river", path).status == "accepted"
    inputs = read(Store(workspace.root), Period(), Settings())
    assert inputs.river.marks[["river", "km"]].to_numpy().tolist() == [["长江", 1043.0]]
    assert len(inputs.river.lines) > 20
    assert {note["code"] for note in inputs.notes} == {"river_shipped", "jurisdictions_shipped"}


def test_fixes_without_platform_are_those_of_their_units() -> None:
    """What a file tells of a fix stands; else the unit's; two chunks, each with dictionaries of its own."""

    def table(units: list[str], platforms: list[str | None]) -> pa.Table:
        columns = {"unit_id": pa.array(units), "platform": pa.array(platforms, pa.string())}
        return pa.table({name: column.dictionary_encode() for name, column in columns.items()})

    fixes = pa.concat_tables(
        [
            table(["a", "b", "a", "c"], [None, None, "drone", "boat"]),
            table(["b", "d"], [None, None]),
            table(["c"], ["boat"]),
        ]
    )
    known = with_platforms(fixes, {"a": "foot", "b": "vehicle", "unseen": "camera"})
    assert known["platform"].to_pylist() == ["foot", "vehicle", "drone", "boat", "vehicle", None, "boat"]
    assert known["unit_id"].to_pylist() == fixes["unit_id"].to_pylist()
    assert known.schema.names == fixes.schema.names
    assert with_platforms(fixes, {}) is fixes
    assert with_platforms(fixes.slice(0, 0), {"a": "foot"}).num_rows == 0


def test_the_main_job_reads_the_platform_of_the_unit(tmp_path: Path) -> None:
    workspace = Workspace.create(tmp_path / "w")
    (tmp_path / "units.csv").write_text("unit_id,platform\nu1,foot\n", encoding="utf-8")
    (tmp_path / "tracks.csv").write_text(
        "unit_id,time,lon,lat\nu1,2026-05-31 10:00:00,112.1,30.1\nu2,2026-05-31 10:00:00,112.1,30.1\n",
        encoding="utf-8",
    )
    (tmp_path / "patrols.csv").write_text(
        "patrol_id,unit_id,started_at,ended_at,river,km_from,km_to\n"
        "p1,u1,2026-05-31 10:00,2026-05-31 11:00,长江,1,2\np2,u2,2026-05-31 10:00,2026-05-31 11:00,长江,1,2\n",
        encoding="utf-8",
    )
    for kind in ("units", "tracks", "patrols"):
        assert workspace.import_file(kind, tmp_path / f"{kind}.csv").rows["accepted"] > 0
    inputs = read(Store(workspace.root), Period(), Settings())
    assert inputs.platforms == {"u1": "foot"}
    assert inputs.plan.rows == 2
    platform = inputs.reported.set_index("patrol_id")["platform"]
    assert platform["p1"] == "foot"
    assert not isinstance(platform["p2"], str)
