"""The main job as a user runs it: through the command line, from files to answers."""

from __future__ import annotations

import csv
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def worlds() -> ModuleType:
    """The full-size check, run here at small size."""
    spec = importlib.util.spec_from_file_location("worlds", ROOT / "checks" / "worlds.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_unseen_world_comes_out_near_its_truth(worlds: ModuleType, tmp_path: Path) -> None:
    found = worlds.world(tmp_path, seed=21, days=20, units=8)
    assert abs(found["effort_total_error"]) <= 0.03
    assert found["effort_median_error"] < 0.06
    assert found["located"] >= 0.98
    assert found["wrongly_named"] == 0
    assert found["effort_stretches"] > 10


def test_ais_of_strangers_is_taken_in_and_stays_unlocated(worlds: ModuleType, tmp_path: Path) -> None:
    """Another continent, day-first dates, a BOM, a minute repeated, a position not available."""
    path = tmp_path / "aisdk.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.writer(file)
        out.writerow(
            ["# Timestamp", "Type of mobile", "MMSI", "Latitude", "Longitude", "SOG", "COG", "Heading", "Name"]
        )
        for minute in range(50):
            out.writerow(
                [
                    f"31/12/2024 10:{minute:02d}:00",
                    "Class A",
                    "219000001",
                    55.5 + minute / 1000,
                    12.6,
                    9.7,
                    1.0,
                    511,
                    "A",
                ]
            )
        out.writerow(["31/12/2024 10:49:00", "Class A", "219000001", 55.549, 12.6, 9.7, 1.0, 511, "A"])
        out.writerow(["31/12/2024 10:50:00", "Class A", "219000002", 91.0, 181.0, 102.3, 360.0, 511, "B"])
    workspace = tmp_path / "w"
    worlds.run(workspace, "init")
    receipt = worlds.run(workspace, "import", "tracks", str(path))
    assert receipt["rows"] == {"read": 52, "accepted": 50, "quarantined": 1, "unchanged": 1, "corrected": 0}
    summary = worlds.run(workspace, "analyse")
    counts = summary["counts"]
    assert counts["positions"] == 50
    assert counts["positions_unlocated"] == 50
    assert counts["patrol_hours"] == 0
    worlds.run(workspace, "export", "positions", "-o", str(tmp_path / "positions.csv"))
    rows = list(csv.DictReader((tmp_path / "positions.csv").open(encoding="utf-8-sig")))
    assert {row["role"] for row in rows} == {"traffic"}
    assert rows[0]["time"].startswith("2024-12-31T10:00:00")
    assert float(rows[0]["speed"]) == pytest.approx(9.7 * 1852 / 3600)


def test_the_rules_that_hold_without_a_river(worlds: ModuleType, tmp_path: Path) -> None:
    """Inputs in any order, exported without a run; a withdrawn upload is out of force."""
    path = tmp_path / "查获.csv"
    path.write_text("案号,查获时间,经度,纬度,渔具\n甲1,2026-03-01 22:10,112.25,30.30,地笼\n", encoding="utf-8")
    workspace = tmp_path / "w"
    worlds.run(workspace, "init")
    receipt = worlds.run(workspace, "import", "seizures", str(path))
    worlds.run(workspace, "export", "seizures", "-o", str(tmp_path / "a.csv"))
    (row,) = csv.DictReader((tmp_path / "a.csv").open(encoding="utf-8-sig"))
    assert row["report_id"] == "甲1"
    assert row["time"].startswith("2026-03-01T22:10:00")
    assert row["time"].endswith("+08:00")
    worlds.run(workspace, "withdraw", str(receipt["receipt_id"]), "--reason", "报错文件")
    worlds.run(workspace, "export", "seizures", "-o", str(tmp_path / "b.csv"))
    assert not list(csv.DictReader((tmp_path / "b.csv").open(encoding="utf-8-sig")))
