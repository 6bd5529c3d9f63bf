"""Undeclared tracks against a water mask held as a GeoTIFF, through the workspace: a winding water 600 m wide."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from rasterio.transform import from_origin

from geo_monitor.ingest import datum
from geo_monitor.workspace import Workspace

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WEST, NORTH, STEP = 111.99, 30.08, 0.0003


def middle(lon: np.ndarray) -> np.ndarray:
    return 30.0 + 0.02 * np.sin((lon - 112) * 40)


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    folder = tmp_path_factory.mktemp("mask")
    lon, lat = WEST + STEP * (np.arange(1067) + 0.5), NORTH - STEP * (np.arange(533) + 0.5)
    water = (np.abs(lat[:, None] - middle(lon)) < 0.0027).astype(np.uint8)
    place = from_origin(WEST, NORTH, STEP, STEP)
    with rasterio.open(folder / "mask.tif", "w", driver="GTiff", width=1067, height=533, count=1, dtype="uint8",
                       crs="EPSG:4326", transform=place, nodata=255) as file:  # fmt: skip
        file.write(water, 1)
    made = Workspace.create(folder / "w")
    assert made.import_file("raster", folder / "mask.tif", now=NOW).status == "accepted"
    return made


@pytest.mark.parametrize("truth", ["wgs84", "gcj02", "bd09"])
def test_a_water_mask_tells_the_datum_of_tracks(held: Workspace, tmp_path: Path, truth: str) -> None:
    lon = np.linspace(112.005, 112.295, 1200)
    lat = middle(lon) + np.random.default_rng(3).normal(0, 0.0006, 1200)
    x, y = (lon, lat) if truth == "wgs84" else datum.FORWARD[truth](lon, lat)
    time = pd.date_range("2026-05-01 08:00", periods=1200, freq="30s")
    sent = pd.DataFrame({"终端编号": f"船{truth}", "定位时间": time, "经度": x.round(7), "纬度": y.round(7)})
    sent.to_csv(tmp_path / "t.csv", index=False)
    upload = held.preview("tracks", tmp_path / "t.csv", now=NOW)
    assert upload.receipt.crs["datum"] == truth
    assert upload.receipt.crs["datum_how"] == "tested"
    codes = {message.code for message in (*upload.receipt.notes, *upload.receipt.warnings)}
    assert codes & {"datum_detected", "datum_confirmed"} == {
        "datum_confirmed" if truth == "wgs84" else "datum_detected"
    }
    rows = upload.rows
    assert rows is not None
    metres = np.hypot((rows["lon"] - lon) * 96_486, (rows["lat"] - lat) * 110_852)
    assert metres.max() < 1.0
