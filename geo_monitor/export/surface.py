"""Figures along the river as a Cloud-Optimised GeoTIFF.

In: tables `reaches`, `locating` and `hotspots` (or `effort`) of a run. Out: float32 bands, WGS84, NaN off the river.

A pixel within a reach's locating tolerance of the line takes the value of the reach its centre is nearest to; a lake
cell fills its own outline. A pixel is a quarter of the smallest tolerance, or half the usual lake cell if that is less;
larger where that would make over 50 million.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Usage

if TYPE_CHECKING:
    from collections.abc import Iterator

    import geopandas as gpd

    from geo_monitor.workspace import Workspace

RADIUS = 6_378_137.0  # metres; of the sphere of the Mercator plane used to find the nearest line
DEGREE_M = 111_320.0  # metres of one degree of latitude
PIXELS = 50_000_000
STRIP = 512  # rows computed at a time; a whole number of tiles


@dataclass(frozen=True)
class Band:
    """One band: (n,) values in the order of the reaches."""

    description: str
    unit: str
    values: np.ndarray


def write(workspace: Workspace, name: str, path: Path, run: str | None = None) -> int:
    """Writes the surface of table `name` (`hotspots` or `effort`). Gives how many reaches it shows.

    Raises `Usage("export_no_surface")` for other tables, `Usage("surface_empty")` where the run has no reach.
    """
    if name not in ("hotspots", "effort"):
        raise Usage("export_no_surface", table=name)
    reaches = workspace.table("reaches", run)
    # the water of others is no data: there no effort would read as nobody having looked
    mine = reaches["reach_id"].isin(workspace.table("hotspots", run)["reach_id"])
    reaches = reaches[mine].reset_index(drop=True)
    if not len(reaches):
        raise Usage("surface_empty")
    tolerance = workspace.table("locating", run).set_index("reach_id")["tolerance_m"].reindex(reaches["reach_id"])
    tags = {"SIMULATED": "YES"} if workspace.simulated else {}
    burn(reaches, tolerance.to_numpy(dtype=float), bands(workspace, name, reaches, run), path, tags)
    return len(reaches)


def bands(workspace: Workspace, name: str, reaches: gpd.GeoDataFrame, run: str | None) -> list[Band]:
    """The bands of a table, in the order of the reaches."""
    frame = workspace.table(name, run)
    if name == "effort":
        hours = frame.groupby("reach_id")["minutes"].sum().reindex(reaches["reach_id"], fill_value=0.0) / 60
        return [Band("effort: hours looked in the period", "h", hours.to_numpy())]
    frame = frame.set_index("reach_id").reindex(reaches["reach_id"])
    width = frame["rate_hi"] - frame["rate_lo"]
    return [
        Band("effort: hours looked in the period", "h", frame["patrol_h"].to_numpy()),
        Band("rate: cases found per hour looked", "1/h", frame["rate"].to_numpy()),
        Band("width of the 90 % interval of the rate (rate_hi - rate_lo)", "1/h", width.to_numpy()),
    ]


def burn(
    reaches: gpd.GeoDataFrame,
    tolerance_m: np.ndarray,
    layers: list[Band],
    path: Path,
    tags: dict[str, str] | None = None,
) -> None:
    """Writes `layers` (values per reach) as bands of a COG. reaches: n rows, WGS84; tolerance_m: (n,) metres."""
    import rasterio
    import rasterio.shutil
    from rasterio.transform import from_origin
    from rasterio.windows import Window

    ribbon = _Ribbon(reaches, tolerance_m)
    west, south, east, north = ribbon.bounds
    size = pixel_size(finest(reaches, tolerance_m), east - west, north - south)
    width, height = int(np.ceil((east - west) / size)) or 1, int(np.ceil((north - south) / size)) or 1
    profile: dict[str, Any] = {
        "driver": "GTiff",
        "dtype": "float32",
        "count": len(layers),
        "width": width,
        "height": height,
        "crs": "EPSG:4326",
        "transform": from_origin(west, north, size, size),
        "nodata": np.nan,
        "tiled": True,
        "blockxsize": 512,
        "blockysize": 512,
        "compress": "DEFLATE",
        "sparse_ok": True,
        "bigtiff": "IF_SAFER",
    }
    with tempfile.TemporaryDirectory(dir=path.parent) as made:
        plain = Path(made) / "plain.tif"
        with rasterio.open(plain, "w", **profile) as out:
            out.update_tags(**(tags or {}))
            for number, layer in enumerate(layers, start=1):
                out.set_band_description(number, layer.description)
                out.set_band_unit(number, layer.unit)
            for top in range(0, height, STRIP):
                rows = min(STRIP, height - top)
                strip = ribbon.reach_of(west, north - top * size, size, width, rows)
                found = strip >= 0
                if not found.any():
                    continue
                window = Window(0, top, width, rows)
                for number, layer in enumerate(layers, start=1):
                    values = np.full(strip.shape, np.nan, dtype=np.float32)
                    values[found] = layer.values[strip[found]]
                    out.write(values, number, window=window)
        # averages over a narrow ribbon would mix it with nothing: GDAL's average leaves nodata out
        rasterio.shutil.copy(
            plain,
            path,
            driver="COG",
            compress="DEFLATE",
            predictor="YES",
            overview_resampling="average",
            bigtiff="IF_SAFER",
        )
    with rasterio.open(path) as written:  # to its end: on a full disk GDAL may leave it without and say nothing
        for _, window in written.block_windows(1):
            written.read(window=window)


def finest(reaches: gpd.GeoDataFrame, tolerance_m: np.ndarray) -> float:
    """Metres a pixel should be to show every part: a quarter of the smallest tolerance of a channel, half the width of
    the usual lake cell (the median: cells cut by the shore are slivers); at least 1."""
    lake = (reaches["kind"] == "lake").to_numpy()
    sizes = [float(tolerance_m[~lake].min()) / 4] if not lake.all() else []
    sizes += [float(reaches["length_m"][lake].median()) / 2] if lake.any() else []
    return max(min(sizes), 1.0)


def pixel_size(wanted_m: float, width: float, height: float) -> float:
    """Degrees a pixel: `wanted_m` metres, unless width x height degrees then hold over 50 million pixels.

    >>> round(pixel_size(1000.0, 30.0, 12.0) * DEGREE_M)
    1000
    >>> round(30.0 * 12.0 / pixel_size(10.0, 30.0, 12.0) ** 2)
    50000000
    """
    return max(wanted_m / DEGREE_M, float(np.sqrt(width * height / PIXELS)))


class _Ribbon:
    """The river with its locating width: which reach a pixel belongs to."""

    def __init__(self, reaches: gpd.GeoDataFrame, tolerance_m: np.ndarray) -> None:
        import shapely

        shapes = reaches.geometry.to_numpy()
        flat = shapely.transform(shapes, _mercator)
        lake = (reaches["kind"] == "lake").to_numpy()
        stretch = 1 / np.cos(np.radians(reaches["lat"].to_numpy(dtype=float)))  # Mercator metres of one metre here
        widened = flat.copy()
        widened[~lake] = shapely.buffer(flat[~lake], (tolerance_m * stretch)[~lake], quad_segs=8)
        self.outlines = shapely.transform(widened, _degrees)
        self.bounds = tuple(float(value) for value in shapely.total_bounds(self.outlines))
        self._tree = shapely.STRtree(flat)
        self._boxes = shapely.bounds(self.outlines)

    def reach_of(self, west: float, north: float, size: float, width: int, rows: int) -> np.ndarray:
        """Reach index (rows, width) of each pixel whose centre lies in the ribbon, else -1."""
        import shapely
        from rasterio.features import rasterize
        from rasterio.transform import from_origin

        south = north - rows * size
        near = np.flatnonzero((self._boxes[:, 1] <= north) & (self._boxes[:, 3] >= south))
        strip = np.full((rows, width), -1, dtype=np.int64)
        if not len(near):
            return strip
        inside = rasterize(
            [(shape, 1) for shape in self.outlines[near]],
            out_shape=(rows, width),
            transform=from_origin(west, north, size, size),
            dtype="uint8",
        )
        row, column = np.nonzero(inside)
        for part in self._parts(len(row)):
            lon = west + (column[part] + 0.5) * size
            lat = north - (row[part] + 0.5) * size
            strip[row[part], column[part]] = self._tree.nearest(shapely.points(_mercator(np.column_stack([lon, lat]))))
        return strip

    @staticmethod
    def _parts(count: int, size: int = 500_000) -> Iterator[slice]:
        for start in range(0, count, size):
            yield slice(start, start + size)


def _mercator(points: np.ndarray) -> np.ndarray:
    lat = np.radians(points[:, 1])
    return np.column_stack([RADIUS * np.radians(points[:, 0]), RADIUS * np.arcsinh(np.tan(lat))])


def _degrees(points: np.ndarray) -> np.ndarray:
    return np.column_stack([np.degrees(points[:, 0] / RADIUS), np.degrees(np.arctan(np.sinh(points[:, 1] / RADIUS)))])
