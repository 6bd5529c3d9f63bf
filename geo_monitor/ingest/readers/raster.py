"""GeoTIFF water masks: looked at block by block, within limits, before anything is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import Refused, Usage

if TYPE_CHECKING:
    from geo_monitor.settings import Settings


CACHE_MB = 64  # of blocks that GDAL keeps: each is read once


@dataclass(frozen=True)
class Raster:
    """What a raster says of itself: size, metres a pixel, outline in WGS84, reference system, share of data and water."""

    width: int
    height: int
    pixel_m: float
    outline: Any
    crs: str
    data: float
    water: float


def read(path: Path, crs: str | None, settings: Settings, name: str) -> Raster:
    """Reads every block of a GeoTIFF once. Water is every value above 0 that is no nodata.

    Raises `Refused`: `raster_broken`, `raster_too_large`, `crs_missing_raster`, `raster_truncated`.
    """
    import rasterio
    from pyproj.exceptions import ProjError
    from rasterio.errors import RasterioError
    from shapely.errors import GEOSException

    try:
        # an explicit driver: nothing else may claim the file
        with rasterio.Env(GDAL_CACHEMAX=CACHE_MB), rasterio.open(path, driver="GTiff") as source:
            if source.width * source.height * source.count > settings.raster_pixels:
                raise Refused("raster_too_large", file=name, width=source.width, height=source.height,
                              limit=f"{settings.raster_pixels / 1e6:,.0f}")  # fmt: skip
            return _look(source, path, crs, settings, name)
    except (RasterioError, ProjError, GEOSException, ValueError, ArithmeticError, TypeError) as error:
        raise Refused("raster_broken", file=name, detail=str(error)[:80]) from None


def _look(source: Any, path: Path, crs: str | None, settings: Settings, name: str) -> Raster:
    import shapely
    from pyproj import CRS, Transformer
    from pyproj.exceptions import CRSError
    from rasterio.errors import RasterioError

    declared = crs or (source.crs.to_wkt() if source.crs else None)
    if declared is None or source.transform.is_identity:
        raise Refused("crs_missing_raster", file=name)
    try:
        system = CRS.from_user_input(f"EPSG:{crs}" if crs and crs.isdigit() else declared)
    except CRSError:
        if crs:
            raise Usage("crs_unknown_option", crs=crs) from None
        raise Refused("crs_unknown", crs=declared[:80]) from None
    block = source.block_shapes[0]
    if block[0] * block[1] * source.count * 8 > settings.upload_memory_mb * 1e6 / 2:
        raise Refused("raster_too_large", file=name, width=block[1], height=block[0],
                      limit=f"{settings.raster_pixels / 1e6:,.0f}")  # fmt: skip
    data = water = 0
    try:
        for _, window in source.block_windows(1):
            values = source.read(1, window=window, masked=True)
            good = ~np.ma.getmaskarray(values) & np.isfinite(np.asarray(values.data, dtype=float))
            data += int(good.sum())
            water += int((np.asarray(values.data)[good] > 0).sum())
    except (RasterioError, OSError):
        raise Refused("raster_truncated", file=name) from None
    bounds = source.bounds
    if not np.isfinite(bounds).all():
        raise Refused("raster_broken", file=name, detail="geotransform")
    box = shapely.box(*bounds)
    edge = shapely.segmentize(box, max(box.length / 80, 1e-12))
    there = Transformer.from_crs(system, 4326, always_xy=True)
    outline = shapely.transform(edge, there.transform, interleaved=False)
    pixel = abs(source.transform.a)
    if system.is_geographic:
        pixel *= 111_195.1 * float(np.cos(np.radians(outline.centroid.y)))
    if not np.isfinite([pixel, *outline.bounds]).all() or np.abs(outline.bounds).max() > 180:
        raise Refused("raster_broken", file=name, detail="geotransform")
    number = system.to_epsg()
    size = source.width * source.height
    return Raster(source.width, source.height, float(pixel), outline, f"EPSG:{number}" if number else crs or system.name,
                  data / size, water / size)  # fmt: skip
