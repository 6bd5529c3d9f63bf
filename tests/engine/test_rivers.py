"""The river is built once, and again when something it is made from changes."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import from_origin

from geo_monitor import river
from geo_monitor.engine import rivers, warm
from geo_monitor.engine.kept import FOLDER
from geo_monitor.errors import Refused
from geo_monitor.inputs import Drawing, Period, read
from geo_monitor.river import Network
from geo_monitor.river.paths import WaterGraph
from geo_monitor.settings import Settings
from geo_monitor.store import Store
from geo_monitor.store.held import Held
from geo_monitor.workspace import Workspace
from tests.engine import worlds


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return worlds.made(tmp_path, days=range(1))


@contextmanager
def built() -> Iterator[list[int]]:
    """One entry for every time a river is built."""
    times: list[int] = []
    do = river.build

    def counting(*given: object, **named: object) -> river.Network:
        times.append(1)
        return do(*given, **named)  # type: ignore[arg-type]

    with mock.patch.object(river, "build", counting):
        yield times


def reaches(workspace: Workspace, **told: float) -> pd.DataFrame:
    return workspace.analyse(**told).table("reaches")  # type: ignore[arg-type]


def test_a_second_analysis_finds_the_river_as_it_was(workspace: Workspace, tmp_path: Path) -> None:
    with built() as times:
        first = reaches(workspace)
        worlds.send(workspace, tmp_path, "tracks", worlds.tracks(1), "day1")
        second = reaches(workspace)
    assert len(times) == 1
    pd.testing.assert_frame_equal(first, second, check_exact=True)


def test_another_length_of_reach_a_lake_or_a_locality_is_another_river(workspace: Workspace, tmp_path: Path) -> None:
    box = [[112.1, 30.002], [112.2, 30.002], [112.2, 30.05], [112.1, 30.05], [112.1, 30.002]]
    square = {"type": "Polygon", "coordinates": [box]}
    with built() as times:
        before = reaches(workspace)
        assert len(reaches(workspace, reach_length=1000)) < len(before)
        worlds.write(tmp_path / "lake.geojson", [({"river": "湖", "what": "lake"}, square)])
        assert workspace.import_file("river", tmp_path / "lake.geojson").status.startswith("accepted")
        with_lake = reaches(workspace)
        assert (with_lake["kind"] == "lake").any()
        worlds.write(tmp_path / "county.geojson", [({"adcode": "429001", "name": "甲县", "level": "county"}, square)])
        receipt = workspace.import_file("jurisdictions", tmp_path / "county.geojson")
        assert receipt.status.startswith("accepted"), receipt.to_json("en")
        assert not with_lake["adcode_left"].equals(reaches(workspace)["adcode_left"])
    assert len(times) == 4


def mask(path: Path, at: pd.Series, wet: float = 1, dry: float = 0, crs: str | None = "EPSG:4326") -> Path:
    """40 m of water to each side of the line, pixels of about 10 m, some 4 km around a reach."""
    pixels = np.full((40, 400), dry)
    pixels[16:24] = wet
    with rasterio.open(
        path, "w", driver="GTiff", height=40, width=400, count=1, dtype="float32", crs=crs,
        transform=from_origin(at["lon"] - 0.02, at["lat"] + 0.002, 0.0001, 0.0001),
    ) as target:  # fmt: skip
        target.write(pixels.astype("float32"), 1)
    return path


def zipped(path: Path, name: bytes, content: Path) -> Path:
    """As old Windows programs zip: the name as its bytes are, no flag that says UTF-8."""
    stand_in = "x" * len(name)
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(content, stand_in)
    path.write_bytes(path.read_bytes().replace(stand_in.encode(), name))
    return path


def test_a_mask_is_measured_on_the_river_that_is_there(workspace: Workspace, tmp_path: Path) -> None:
    before = reaches(workspace)
    receipt = workspace.import_file("raster", mask(tmp_path / "mask.tif", before.iloc[len(before) // 2]))
    assert receipt.status == "accepted", receipt.to_json("en")
    with built() as times:
        workspace.build_river(receipt)
        with_mask = workspace.analyse().table("locating")
        workspace.withdraw(receipt.receipt_id, "another is coming")
        assert reaches(workspace).equals(before)  # the one without it is kept, too
    assert times == []
    wider = with_mask["tolerance_m"] > with_mask["tolerance_m"].min()
    assert 0 < wider.sum() < len(before)


@pytest.mark.parametrize(
    "form", ["plain", "gbk", "backslash", "nested", "folder", "beside", "given", "negative", "nan"]
)
def test_a_mask_is_found_in_whatever_it_was_sent_in(workspace: Workspace, tmp_path: Path, form: str) -> None:
    """An analysis opens what the import took: of a zip whose names GDAL reads otherwise it had ended with a fault, as of a
    mask whose CRS was given; values that are no water for the import were water for it."""
    before = reaches(workspace)
    dry = {"negative": -9999.0, "nan": np.nan}.get(form, 0.0)
    path = mask(
        tmp_path / "mask.tif", before.iloc[len(before) // 2], dry=dry, crs=None if form == "given" else "EPSG:4326"
    )
    if form == "gbk":
        path = zipped(tmp_path / "a.zip", "水域/掩膜.tif".encode("gbk"), path)
    elif form == "backslash":
        path = zipped(tmp_path / "a.zip", b"data\\MASK.TIF", path)
    elif form == "nested":
        path = zipped(tmp_path / "b.zip", b"inner.zip", zipped(tmp_path / "a.zip", b"mask.tif", path))
    elif form == "beside":  # what programs leave beside a raster
        with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
            archive.write(path, "MASK.dat")
            archive.write(path, "mask.tif.ovr")
            for name, content in (("mask.tif.aux.xml", b"<PAMDataset/>"), ("mask.pdf", b"%PDF-1.4"), ("empty", b"")):
                archive.writestr(name, content)
        path = tmp_path / "a.zip"
    elif form == "folder":
        (tmp_path / "sent").mkdir()
        path = path.rename(tmp_path / "sent" / "mask.tif").parent
    receipt = workspace.import_file("raster", path, crs="EPSG:4326" if form == "given" else None)
    assert receipt.status == "accepted", receipt.to_json("en")
    tolerance = workspace.analyse().table("locating")["tolerance_m"]
    assert tolerance.max() - tolerance.min() == pytest.approx(40, abs=6)
    assert 0 < (tolerance > tolerance.min()).sum() < len(before)
    # and so do checks of a datum that an upload does not name
    at = before.iloc[len(before) // 2]
    box = (at["lon"] - 0.01, at["lat"] - 0.001, at["lon"] + 0.01, at["lat"] + 0.001)
    known = Held(workspace._store).reference(*box)
    (water,) = known.loc[known["kind"] == "mask", "geometry"]
    assert water.bounds == pytest.approx((box[0], at["lat"] - 0.0004, box[2], at["lat"] + 0.0004), abs=2e-4)


def test_a_mask_that_is_gone_is_told_by_its_name(workspace: Workspace, tmp_path: Path) -> None:
    at = reaches(workspace).iloc[3]
    receipt = workspace.import_file("raster", mask(tmp_path / "水域.tif", at))
    (workspace.root / "raw" / receipt.sha256).unlink()
    with pytest.raises(Refused) as told:
        workspace.analyse()
    assert (told.value.code, told.value.params["file"]) == ("raster_broken", "水域.tif")


def test_a_river_that_is_not_as_it_was_written_is_built_again(workspace: Workspace) -> None:
    before = reaches(workspace)
    (path,) = (workspace.root / FOLDER / "river").rglob("*.arrow")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))
    with built() as times:
        pd.testing.assert_frame_equal(reaches(workspace), before, check_exact=True)
    assert len(times) == 1


def test_the_shipped_river_is_built_once_for_all_workspaces(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(warm, "folder", lambda: tmp_path / "cache")
    settings = Settings(reach_length_m=20_000)
    shipped = Drawing.nothing_sent(settings)
    with built() as times:
        first = rivers.network(shipped, settings, tmp_path / "one")
        sent = read(Store(Workspace.create(tmp_path / "two").root), Period(), settings).river
        with mock.patch.object(WaterGraph, "_edges", side_effect=AssertionError("worked out again")):
            second = rivers.network(sent, settings, tmp_path / "two")
        monkeypatch.setattr(os, "access", lambda *_: False)
        rivers.network(shipped, settings, tmp_path / "three")
    assert len(times) == 2  # the last where nothing can be kept beside compiled code
    assert [(tmp_path / name / FOLDER / "river").is_dir() for name in ("one", "two", "cache", "three")] == [
        False, False, True, True,
    ]  # fmt: skip
    pd.testing.assert_frame_equal(first.reaches, second.reaches, check_exact=True)
    pd.testing.assert_frame_equal(second.links, network_links(second), check_exact=True)
    assert (first.adjacency != second.adjacency).nnz == 0
    assert (first.water.matrix != second.water.matrix).nnz == 0 and first.water.matrix.nnz > 1000
    for name, array in first.water.arrays().items():
        np.testing.assert_array_equal(array, second.water.arrays()[name], strict=True, err_msg=name)


def network_links(network: Network) -> pd.DataFrame:
    """The links of a network as its water tells them, not as they were kept."""
    a, b, metres = network.water.links()
    names = network.reaches["reach_id"].to_numpy()
    return pd.DataFrame({"reach_a": names[a], "reach_b": names[b], "distance_m": metres})
