"""A water mask: how wide the river is, from a made-up GeoTIFF of a straight channel 800 m wide."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import rasterio
from pyproj import Transformer
from rasterio.transform import from_origin

from geo_monitor import river
from geo_monitor.ingest.files import geotiff
from geo_monitor.river import mask
from geo_monitor.settings import Settings
from tests.river.drawing import EAST, LAT, LON, NORTH, build, degrees, line, located

NETWORK = build(("长江", line((0, 0), (10_000, 0)), {"accuracy_m": 100.0}))  # flows east: left is north


def write(path: Path, wet: np.ndarray, transform: object, crs: str, **more: object) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", height=wet.shape[0], width=wet.shape[1], count=1, dtype="uint8", crs=crs,
        transform=transform, **more,
    ) as target:  # fmt: skip
        target.write(wet.astype("uint8"), 1)
    return path


def lonlat_mask(path: Path, north: float, south: float, x: tuple[float, float] = (-2_000, 12_000)) -> Path:
    """Water between `south` and `north` metres of the line, pixels of about 20 m, in degrees; covers x (metres)."""
    lon_step, lat_step = 20 / EAST, 20 / NORTH
    west, top = LON + x[0] / EAST, LAT + 3_000 / NORTH
    columns, lines = round((x[1] - x[0]) / 20), 300
    y = 3_000 - 20 * (np.arange(lines) + 0.5)
    wet = np.repeat(((y < north) & (y > south))[:, None], columns, axis=1)
    return write(path, wet, from_origin(west, top, lon_step, lat_step), "EPSG:4326")


def test_the_width_is_measured_and_half_of_it_widens_the_tolerance(tmp_path: Path) -> None:
    network = river.with_mask(NETWORK, lonlat_mask(tmp_path / "mask.tif", 400, -400))
    assert np.allclose(network.half_width_m, 400, atol=20)
    assert np.allclose(network.tolerance_m, 600, atol=20)
    assert NETWORK.half_width_m.max() == 0  # the network given is left as it was
    found = located(network, [(5_000, 300), (5_000, -370), (5_000, 450), (5_000, -450), (5_000, 570), (5_000, 640)])
    assert found["bank"].tolist()[:5] == ["mid", "mid", "left", "right", "left"]
    assert (found["reach"] >= 0).tolist() == [True] * 5 + [False]
    assert found["offset_m"].tolist()[:4] == pytest.approx([-300, 370, -450, 450], abs=1)
    bare = located(NETWORK, [(5_000, 150), (5_000, 300)])
    assert bare["bank"].tolist()[0] == "left"
    assert bare["reach"].iloc[1] == -1


def test_a_mask_in_a_projected_crs(tmp_path: Path) -> None:
    """EPSG:4549 (CGCS2000, central meridian 120 E): eight degrees off it the grid is turned by 4 degrees."""
    to_grid = Transformer.from_crs("EPSG:4326", "EPSG:4549", always_xy=True)
    corners = degrees([(-2_000, -3_000), (-2_000, 3_000), (12_000, -3_000), (12_000, 3_000)])
    x, y = to_grid.transform(corners[:, 0], corners[:, 1])
    west, top = min(x), max(y)
    columns, lines = int((max(x) - west) / 20), int((top - min(y)) / 20)
    gx, gy = np.meshgrid(west + 20 * (np.arange(columns) + 0.5), top - 20 * (np.arange(lines) + 0.5))
    _, lat = to_grid.transform(gx, gy, direction="INVERSE")
    wet = np.abs(lat - LAT) * NORTH < 400
    network = river.with_mask(NETWORK, write(tmp_path / "grid.tif", wet, from_origin(west, top, 20, 20), "EPSG:4549"))
    # eight degrees from its meridian the grid's metre is 0.7 % long
    assert np.allclose(network.half_width_m, 400, atol=25)


def test_what_the_mask_does_not_cover_stays(tmp_path: Path) -> None:
    network = river.with_mask(NETWORK, lonlat_mask(tmp_path / "part.tif", 400, -400, x=(5_000, 12_000)))
    reaches = network.reaches
    covered = reaches["km_to"] <= 4.6
    bare = reaches["km_from"] >= 5.4
    assert np.allclose(network.half_width_m[covered], 400, atol=20)
    assert (network.half_width_m[bare] == 0).all()
    again = river.with_mask(network, lonlat_mask(tmp_path / "other.tif", 200, -200, x=(-2_000, 5_000)))
    assert np.allclose(again.half_width_m[covered], 400, atol=20)
    assert np.allclose(again.half_width_m[bare], 200, atol=20)


def test_only_what_the_mask_covers_is_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mask of a stretch was asked about every reach of the river, thousands of points to each: 44 s for the shipped one."""
    asked = []
    do = mask._sample
    monkeypatch.setattr(mask, "_sample", lambda source, x, y: (asked.append(len(x)), do(source, x, y))[1])
    network = river.with_mask(NETWORK, lonlat_mask(tmp_path / "part.tif", 400, -400, x=(5_000, 7_000)))
    covered = int((network.half_width_m > 0).sum())
    assert 4 <= covered <= 5
    assert max(asked) <= covered
    asked.clear()
    far = lonlat_mask(tmp_path / "far.tif", 400, -400, x=(500_000, 502_000))
    assert river.with_mask(NETWORK, far).half_width_m.max() == 0
    assert asked == []


def test_water_beside_the_line_counts_within_its_accuracy(tmp_path: Path) -> None:
    """The drawn line lies 80 m north of the water (accuracy 100 m): the channel is that water, 600 m wide."""
    beside = river.with_mask(NETWORK, lonlat_mask(tmp_path / "beside.tif", -80, -680))
    assert np.allclose(beside.half_width_m, 300, atol=20)
    away = river.with_mask(NETWORK, lonlat_mask(tmp_path / "away.tif", -200, -800))
    assert (away.half_width_m == 0).all()


def test_nodata_is_no_water(tmp_path: Path) -> None:
    path = lonlat_mask(tmp_path / "nodata.tif", 400, -400)
    with rasterio.open(path) as source:
        wet, transform = source.read(1), source.transform
    wet[wet == 0] = 255
    masked = write(tmp_path / "n.tif", wet, transform, "EPSG:4326", nodata=255)
    assert np.allclose(river.with_mask(NETWORK, masked).half_width_m, 400, atol=20)


def test_a_file_that_is_no_raster(tmp_path: Path) -> None:
    (tmp_path / "x.tif").write_text("not a raster", encoding="utf-8")
    with pytest.raises(rasterio.errors.RasterioIOError):
        river.with_mask(NETWORK, tmp_path / "x.tif")


def test_a_mask_sent_in_a_zip_and_kept_without_an_ending(tmp_path: Path) -> None:
    """The store keeps uploads byte for byte under their hash: a zip has no `.zip` there."""
    mask = lonlat_mask(tmp_path / "mask.tif", 400, -400)
    kept = tmp_path / "0f3a"
    with zipfile.ZipFile(kept, "w") as archive:
        archive.write(mask, "水域/掩膜.tif")
    with geotiff(kept, Settings()) as path:
        assert np.allclose(river.with_mask(NETWORK, path).half_width_m, 400, atol=20)
