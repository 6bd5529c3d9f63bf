"""Agency files: read back with other people's readers, labelled, and equal to the byte."""

from __future__ import annotations

import hashlib
import json
import zipfile
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest

from geo_monitor import simulate


@pytest.fixture(scope="module")
def folder(world, tmp_path_factory):
    into = tmp_path_factory.mktemp("sim") / "world"
    simulate.write(world, into)
    return into


def one(folder, pattern):
    found = list(folder.glob(pattern))
    assert len(found) == 1
    return found[0]


def test_every_kind_is_there_and_in_the_manifest(folder) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["simulated"] is True
    assert {row["kind"] for row in manifest["files"]} == {"river", "zones", "units", "tracks", "patrols", "seizures"}
    named = {row["file"] for row in manifest["files"]} | {"README.md", "manifest.json", "truth"}
    assert named == {path.name for path in folder.iterdir()}


def test_every_upload_says_that_it_is_simulated(folder) -> None:
    """In its name, and in every row or unit; the truth and the README in their text."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert all("模拟数据" in row["file"] for row in manifest["files"])
    assert "模拟数据" in (folder / "README.md").read_text(encoding="utf-8")
    assert json.loads((folder / "truth" / "totals.json").read_text(encoding="utf-8"))["simulated"] is True
    assert (pd.read_csv(folder / "truth" / "reaches.csv")["simulated"] == "模拟数据").all()
    for path in folder.glob("tracks_*.csv"):
        encoding = "utf-8-sig" if "长航" in path.name else "gb18030"
        assert pd.read_csv(path, encoding=encoding).iloc[:, 0].str.startswith("模拟").all()
    assert (pd.read_csv(one(folder, "seizures_渔政*.csv"), encoding="gb18030")["备注"] == "模拟数据").all()


def test_tracks_read_back(folder, world) -> None:
    police = pd.read_csv(one(folder, "tracks_长航*.csv"), encoding="utf-8-sig")
    mine = world.tracks[world.tracks["agency"] == "模拟长航公安"].reset_index(drop=True)
    assert len(police) == len(mine)
    local = mine["time"].dt.tz_convert("Asia/Shanghai").dt.tz_localize(None)
    assert (pd.to_datetime(police["定位时间"]) == local).all()
    assert np.array_equal(police["经度"], mine["lon"])
    assert police["航速(节)"].to_numpy() * 0.514444 == pytest.approx(mine["speed"].to_numpy(), abs=0.003)


def test_gpx_has_a_track_a_patrol(folder, world) -> None:
    tree = ET.parse(one(folder, "tracks_护渔队*.gpx"))
    space = "{http://www.topografix.com/GPX/1/1}"
    mine = world.tracks[world.tracks["agency"] == "模拟护渔队"]
    tracks = tree.findall(f"{space}trk")
    assert len(tracks) == mine["patrol_id"].nunique()
    points = tree.findall(f".//{space}trkpt")
    assert len(points) == len(mine)
    assert float(points[0].get("lat")) == pytest.approx(mine["lat"].iloc[0], abs=1e-6)
    assert pd.Timestamp(points[-1].find(f"{space}time").text) == mine["time"].iloc[-1]


def test_zones_are_a_gbk_shapefile(folder, world) -> None:
    path = one(folder, "zones_*.zip")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        table = archive.read(next(name for name in names if name.endswith(".dbf")))
    assert {name.rsplit(".", 1)[1] for name in names} >= {"shp", "shx", "dbf", "prj", "cpg"}
    assert "保护区核心区".encode("gbk") in table
    assert "保护区核心区".encode() not in table
    back = pyogrio.read_dataframe(f"/vsizip/{path}")
    assert back["编号"].tolist() == world.zones["zone_id"].tolist()
    assert back["禁渔期起"].dropna().tolist() == world.zones["season_from"].dropna().tolist()
    assert back.geometry.bounds.to_numpy() == pytest.approx(world.zones.geometry.bounds.to_numpy(), abs=1e-9)


def test_river_reads_back(folder, world) -> None:
    back = gpd.read_file(one(folder, "river_*.geojson"))
    assert len(back) == len(world.lines)
    assert back.geometry.geom_equals_exact(world.lines.geometry, 0).all()
    assert set(back["河名"]) == set(world.lines["river"])


def test_workbook_reads_back_with_real_dates(folder, world) -> None:
    page = openpyxl.load_workbook(one(folder, "seizures_长航*.xlsx")).active
    rows = list(page.values)
    mine = world.seizures[world.seizures["agency"] == "模拟长航公安"]
    assert len(rows) == len(mine) + 1
    assert rows[0][:2] == ("案件编号", "查获时间")
    first = mine.iloc[0]["time"].tz_convert("Asia/Shanghai").tz_localize(None)
    assert rows[1][1] == first.to_pydatetime()


def test_equal_worlds_equal_bytes(world, folder, tmp_path) -> None:
    simulate.write(world, tmp_path / "again")

    def sums(at):
        return {p.relative_to(at): hashlib.sha256(p.read_bytes()).hexdigest() for p in at.rglob("*") if p.is_file()}

    assert sums(folder) == sums(tmp_path / "again")


def test_archives_carry_no_clock(folder) -> None:
    for path in (one(folder, "zones_*.zip"), one(folder, "seizures_长航*.xlsx")):
        with zipfile.ZipFile(path) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(2025, 1, 1, 0, 0, 0)}
    table = zipfile.ZipFile(one(folder, "zones_*.zip"))
    dbf = table.read(next(name for name in table.namelist() if name.endswith(".dbf")))
    assert tuple(dbf[1:4]) == (125, 1, 1)
    core = zipfile.ZipFile(one(folder, "seizures_长航*.xlsx")).read("docProps/core.xml").decode()
    assert core.count("2025-01-01T00:00:00Z") == 2


def test_make_needs_no_workspace(tmp_path) -> None:
    made, uploads = simulate.make(9, tmp_path / "new", days=5, units=3)
    assert made.totals["seed"] == 9
    assert all(upload.path.exists() for upload in uploads)


def test_a_real_river_is_not_called_simulated(handmade, tmp_path) -> None:
    """Names that do not begin with 模拟 are taken for a real river: its file says so, everything else is simulated."""
    made = simulate.world(handmade, 2, days=5, units=3, zone_count=2)
    uploads = simulate.write(made, tmp_path / "real")
    (path,) = [upload.path for upload in uploads if upload.kind == "river"]
    assert "真实河道" in path.name
    body = json.loads(path.read_text(encoding="utf-8"))
    assert {feature["properties"]["备注"] for feature in body["features"]} == {"河道为真实数据,随模拟数据附送"}
    assert "河道中心线为真实数据" in (tmp_path / "real" / "README.md").read_text(encoding="utf-8")
    assert all("模拟数据" in upload.path.name for upload in uploads)
