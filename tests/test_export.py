"""Exports, read back by other programs than ours. Values are those of `tests/store/worlds.py`."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyarrow.parquet as pq
import pyogrio
import pytest
import rasterio

from geo_monitor.errors import Usage
from geo_monitor.export import format_of
from geo_monitor.export.maps import short_names
from geo_monitor.workspace import Workspace
from tests.store import worlds

MAPS = ("geojson", "gpkg", "fgb", "shp.zip")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return worlds.workspace(tmp_path_factory.mktemp("world"))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_csv_is_for_excel_in_shanghai(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "hot.csv"
    workspace.export("hotspots", path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    rows = rows_of(path)
    assert [row["adcodes"] for row in rows] == ["420500;421000", "420500", "", ""]
    assert [row["last_look"] for row in rows][:3] == ["2026-06-01T00:00:00+08:00", "2026-06-01T00:00:00+08:00", ""]
    assert "geometry" not in rows[0]
    workspace.export("effort", tmp_path / "effort.csv")
    assert [row["day"] for row in rows_of(tmp_path / "effort.csv")] == ["2026-05-31", "2026-06-01"]


def test_csv_of_positions(workspace: Workspace, tmp_path: Path) -> None:
    workspace.export("positions", tmp_path / "p.csv")
    rows = rows_of(tmp_path / "p.csv")
    assert [row["time"] for row in rows] == [
        "2026-05-31T23:59:30+08:00",
        "2026-06-01T00:00:00+08:00",
        "2026-06-01T00:00:30+08:00",
    ]
    assert list(rows[0]) == list(workspace.table("positions").columns)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_no_cell_runs_as_a_formula(workspace: Workspace, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"s.{kind}"
    workspace.export("seizures", path)
    if kind == "csv":
        rows = rows_of(path)
        ids, places = [row["report_id"] for row in rows], [row["place"] for row in rows]
    else:
        sheet = list(openpyxl.load_workbook(path).active.iter_rows())
        names = [cell.value for cell in sheet[0]]
        assert {cell.data_type for row in sheet for cell in row} <= {"s", "n"}
        ids, places = ([row[names.index(name)].value for row in sheet[1:]] for name in ("report_id", "place"))
    assert ids[1] == "'=cmd|' /C calc'!A0"
    assert places == ["码头", "-12", "'@SUM(1)", "在桥下"]


def test_parquet_keeps_types_and_shapes(workspace: Workspace, tmp_path: Path) -> None:
    workspace.export("hotspots", tmp_path / "h.parquet")
    hot = gpd.read_parquet(tmp_path / "h.parquet")
    assert hot.crs.to_epsg() == 4326
    assert hot.geometry[0].equals(worlds.LINES[0])
    assert hot.geometry[3].equals(worlds.LAKE)
    assert list(hot["adcodes"][0]) == ["420500", "421000"]
    assert str(hot["last_look"].dtype) == "datetime64[ms, UTC]"
    workspace.export("positions", tmp_path / "p.parquet")
    points = gpd.read_parquet(tmp_path / "p.parquet")
    assert [(point.x, point.y) for point in points.geometry] == [(112.0, 30.0), (112.001, 30.0), (112.002, 30.0)]
    workspace.export("links", tmp_path / "l.parquet")
    assert b"geo" not in pq.read_schema(tmp_path / "l.parquet").metadata


@pytest.mark.parametrize("name", ["hotspots.csv", "hotspots.parquet", "positions.csv", "positions.parquet"])
def test_equal_tables_give_equal_bytes(workspace: Workspace, tmp_path: Path, name: str) -> None:
    one, two = tmp_path / name, tmp_path / f"again-{name}"
    for path in (one, two):
        workspace.export(name.split(".")[0], path)
    assert one.read_bytes() == two.read_bytes()


@pytest.mark.parametrize("kind", MAPS)
def test_seizures_are_points(workspace: Workspace, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"s.{kind}"
    workspace.export("seizures", path)
    points = gpd.read_file(path)
    assert points.crs.to_epsg() == 4326
    at = dict(zip(points["report_id"], points.geometry, strict=True))
    assert (at["a"].x, at["a"].y) == (112.005, 30.0)
    # km 1.25 of the reach from km 1 (at 112.00) up to km 2 (at 111.99): a quarter up from 112.00
    assert at["by-km"].x == pytest.approx(111.9975, abs=1e-9)
    assert at["words"] is None


def test_zone_versions_and_long_texts(workspace: Workspace, tmp_path: Path) -> None:
    done = workspace.export("zones", tmp_path / "z.shp.zip")
    assert [note["code"] for note in done.notes] == ["shp_text_cut"]
    # 254 bytes hold 84 characters of 3 bytes
    assert gpd.read_file(tmp_path / "z.shp.zip")["rule"][0] == "禁" * 84
    workspace.export("zones", tmp_path / "z.gpkg")
    assert gpd.read_file(tmp_path / "z.gpkg")["rule"][0] == "禁" * 200


@pytest.mark.parametrize("kind", ["geojson", "gpkg", "fgb"])
def test_reach_tables_carry_their_line(workspace: Workspace, tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"h.{kind}"
    workspace.export("hotspots", path)
    hot = gpd.read_file(path).sort_values("reach_id").set_index("reach_id")
    assert hot.geometry["江K0001.000"].equals_exact(worlds.LINES[1], 1e-9)
    assert hot["adcodes"]["江K0000.000"] == "420500;421000"
    assert hot["rate_hi"]["江K0002.000"] == 0.55
    assert pd.Timestamp(hot["last_look"]["江K0000.000"]) == pd.Timestamp("2026-06-01T00:00:00+08:00")
    workspace.export("effort", tmp_path / f"e.{kind}")
    assert list(gpd.read_file(tmp_path / f"e.{kind}")["day"].astype(str).str[:10]) == ["2026-05-31", "2026-06-01"]


def test_shapefile_parts_lines_from_areas(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "h.shp.zip"
    workspace.export("hotspots", path)
    assert {name for name, _ in pyogrio.list_layers(path)} == {"hotspots_lines", "hotspots_areas"}
    lines = gpd.read_file(path, layer="hotspots_lines")
    assert len(lines) == 3
    assert len(gpd.read_file(path, layer="hotspots_areas")) == 1
    assert lines["river"][0] == "江"
    assert max(len(name) for name in lines.columns if name != "geometry") <= 10
    with zipfile.ZipFile(path) as archive:
        assert archive.read("hotspots_lines.cpg") == b"UTF-8"
        assert "seizures_u\tseizures_unpatrolled" in archive.read("hotspots.fields.txt").decode()


def test_short_names_are_unique() -> None:
    names = [f"a_long_field_{number}" for number in range(120)] + ["A_LONG_FIE"]
    short = short_names(names)
    assert len({name.lower() for name in short.values()}) == 121
    assert max(map(len, short.values())) == 10
    assert short["A_LONG_FIE"] == "A_LONG_FIE"


@pytest.mark.parametrize("table", ["units", "links", "patrols", "receipts"])
@pytest.mark.parametrize("kind", [*MAPS, "tif"])
def test_tables_without_place_refuse_map_formats(workspace: Workspace, tmp_path: Path, table: str, kind: str) -> None:
    path = tmp_path / f"t.{kind}"
    with pytest.raises(Usage) as refused:
        workspace.export(table, path)
    assert refused.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_a_failed_export_leaves_the_old_file(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "u.gpkg"
    path.write_text("old")
    with pytest.raises(Usage):
        workspace.export("units", path)
    assert path.read_text() == "old"
    with pytest.raises(Usage, match="No format"):
        format_of(Path("u.doc"))
    workspace.export("zones", path)
    assert len(gpd.read_file(path)) == 1


def test_surface(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "h.tif"
    workspace.export("hotspots", path)
    with rasterio.open(path) as surface:
        assert surface.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert surface.crs.to_epsg() == 4326
        assert surface.units == ("h", "1/h", "1/h")
        assert [text.split(":")[0].split(" of")[0] for text in surface.descriptions] == ["effort", "rate", "width"]
        # a quarter of the tolerance of 200 m
        assert surface.res[0] * 111_320 == pytest.approx(50.0)
        # 0.0015 degrees (167 m) north of the line is inside 200 m, 0.0022 (245 m) is not
        at = [(112.005, 30.0), (111.995, 30.0015), (111.985, 29.9985), (112.025, 30.005), (111.995, 30.0022)]
        values = np.array(list(surface.sample(at)))
    expected = [[10.0, 0.3, 0.5], [5.0, 0.1, 0.4], [0.0, 0.2, 0.5], [4.0, 0.25, 0.375]]
    np.testing.assert_allclose(values[:4], expected, rtol=1e-6)
    assert np.isnan(values[4]).all()
    workspace.export("effort", tmp_path / "e.tif")
    with rasterio.open(tmp_path / "e.tif") as surface:
        np.testing.assert_allclose(list(surface.sample(at[:2])), [[1.5], [0.0]])  # 30 + 60 minutes


def test_simulated_data_say_so(tmp_path: Path) -> None:
    made = worlds.workspace(tmp_path)
    made.mark_simulated()
    done = made.export("zones", tmp_path / "z.geojson")
    assert [note["code"] for note in done.notes] == ["simulated_notice"]
    assert "模拟数据" in json.loads((tmp_path / "z.geojson").read_text(encoding="utf-8"))["description"]
    made.export("zones", tmp_path / "z.parquet")
    assert pq.read_schema(tmp_path / "z.parquet").metadata[b"simulated"] == b"true"
    made.export("hotspots", tmp_path / "h.tif")
    with rasterio.open(tmp_path / "h.tif") as surface:
        assert surface.tags()["SIMULATED"] == "YES"


def test_all_versions_with_withdrawn_rows(tmp_path: Path) -> None:
    made = worlds.workspace(tmp_path)
    made.withdraw("r-zones", "错发")
    made.export("zones", tmp_path / "now.csv")
    made.export("zones", tmp_path / "ever.csv", all_versions=True)
    made.export("zones", tmp_path / "ever.parquet", all_versions=True)
    assert rows_of(tmp_path / "now.csv") == []
    assert [row["withdrawn_reason"] for row in rows_of(tmp_path / "ever.csv")] == ["错发"]
    assert gpd.read_parquet(tmp_path / "ever.parquet")["withdrawn_reason"].tolist() == ["错发"]
    with pytest.raises(Usage, match="no versions"):
        made.export("hotspots", tmp_path / "h.csv", all_versions=True)
