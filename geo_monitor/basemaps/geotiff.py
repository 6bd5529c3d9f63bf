"""GeoTIFF to an RGBA picture in EPSG:3857, whatever its size: read thinned out, never whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.basemaps import EDGE, NORTH, SIDE, Box
from geo_monitor.errors import Refused

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geo_monitor.settings import Settings

GLANCE = 512  # pixels a side from which the range of values is judged
CACHE = 128 << 20  # bytes of unpacked blocks GDAL keeps
AVERAGED = 2e9  # pixels; a larger raster is thinned by taking every n-th pixel instead of averages


def read(path: Path, settings: Settings, name: str) -> tuple[NDArray[np.uint8], Box]:
    """(rows, columns, 4) red, green, blue, alpha, and the box it fills in EPSG:3857 metres.

    Alpha is 0 where there are no data. Raises `Refused`: `basemap_unreadable`, `basemap_too_large`, `basemap_no_crs`,
    `basemap_elsewhere`, `basemap_blank`.
    """
    import rasterio
    from rasterio.errors import CRSError, RasterioError

    try:
        # an explicit driver: nothing else may claim the file
        with rasterio.Env(GDAL_CACHEMAX=CACHE), rasterio.open(path, driver="GTiff") as source:
            _bearable(source, settings, name)
            if not source.crs or source.transform.is_identity:
                raise Refused("basemap_no_crs", file=name)
            box = _box(source, name)
            picture, transform = _picture(source)
            return _turned(picture, transform, source.crs, box, _pixel(source, box), name), box
    except (CRSError, RasterioError, ValueError, ArithmeticError, TypeError, IndexError) as error:
        raise Refused("basemap_unreadable", file=name, detail=str(error)[:80]) from None


def _bearable(source: Any, settings: Settings, name: str) -> None:
    """Nobody can say what a file unpacks to; what it declares has to be bearable, whole and block by block."""
    rows, columns = source.block_shapes[0]
    wide = np.dtype(source.dtypes[0]).itemsize
    interleaved = source.count if source.interleaving and source.interleaving.value == "PIXEL" else 1
    block = rows * columns * wide * interleaved
    pixels = source.width * source.height * source.count
    if pixels > settings.raster_pixels or block > settings.upload_memory_mb * 1e6 / 4:
        raise Refused("basemap_too_large", file=name, width=source.width, height=source.height)


def _box(source: Any, name: str) -> Box:
    """Where the raster lies in EPSG:3857, by 64 places on each of its edges."""
    from rasterio.warp import transform

    t = np.linspace(0, 1, 65)
    none, full = np.zeros(65), np.ones(65)
    column = np.concatenate([t, full, t, none]) * source.width
    row = np.concatenate([none, t, full, t]) * source.height
    at = source.transform
    x, y = at.a * column + at.b * row + at.c, at.d * column + at.e * row + at.f
    lon, lat = (np.asarray(v) for v in transform(source.crs, "EPSG:4326", x, y))
    if not np.isfinite([lon, lat]).all() or np.abs(lon).max() > 180 or np.abs(lat).max() > 90.001:
        raise Refused("basemap_elsewhere", file=name)
    x, y = (np.asarray(v) for v in transform("EPSG:4326", "EPSG:3857", lon, np.clip(lat, -NORTH, NORTH)))
    box = float(x.min()), float(y.min()), float(x.max()), float(y.max())
    if not np.isfinite(box).all() or max(map(abs, box)) > EDGE + 1 or box[0] >= box[2] or box[1] >= box[3]:
        raise Refused("basemap_elsewhere", file=name)
    return box


def _pixel(source: Any, box: Box) -> float:
    """Metres of EPSG:3857 a pixel of the picture: as fine as the raster, as coarse as `SIDE` pixels make it."""
    across, down = box[2] - box[0], box[3] - box[1]
    own = float(np.hypot(across, down) / np.hypot(source.width, source.height))
    return max(own, across / SIDE, down / SIDE)


def _picture(source: Any) -> tuple[NDArray[np.uint8], Any]:
    """(4, rows, columns) as the raster lies, at most `SIDE` a side, and the transform of these pixels."""
    from affine import Affine
    from rasterio.enums import ColorInterp, Resampling

    thin = max(1.0, source.width / SIDE, source.height / SIDE)
    size = max(1, round(source.height / thin)), max(1, round(source.width / thin))
    out = np.zeros((4, *size), np.uint8)
    meant = list(source.colorinterp)
    out[3] = source.dataset_mask(out_shape=size, resampling=Resampling.nearest)
    if ColorInterp.palette in meant:
        band = meant.index(ColorInterp.palette) + 1
        held = source.read(band, out_shape=size, resampling=Resampling.nearest).astype(np.int32)
        palette = np.zeros((max(source.colormap(band), default=0) + 2, 4), np.uint8)
        for value, colour in source.colormap(band).items():
            palette[value] = colour
        colours = palette[np.clip(held, 0, len(palette) - 1)]  # a value without a colour is see-through
        out[:3] = np.moveaxis(colours[..., :3], 2, 0)
        out[3] = np.minimum(out[3], colours[..., 3])
    else:
        whole = source.width * source.height * source.count <= AVERAGED
        how = Resampling.average if thin > 1 and whole else Resampling.nearest
        bands = _bands(meant)
        if all(source.dtypes[band - 1] == "uint8" for band in bands):
            out[: len(bands)] = source.read(bands, out_shape=(len(bands), *size), resampling=how)
        else:
            for into, band in enumerate(bands):
                out[into] = _stretched(source, band, size, how, bands, out[3])
        if len(bands) == 1:
            out[1] = out[2] = out[0]
    return out, source.transform * Affine.scale(source.width / size[1], source.height / size[0])


def _bands(meant: list[Any]) -> list[int]:
    """The bands for red, green and blue (numbers from 1), or the one that is grey.

    >>> from rasterio.enums import ColorInterp as C
    >>> _bands([C.blue, C.green, C.red, C.undefined]), _bands([C.gray, C.alpha]), _bands([C.undefined] * 4)
    ([3, 2, 1], [1], [1, 2, 3])
    """
    from rasterio.enums import ColorInterp

    named = [ColorInterp.red, ColorInterp.green, ColorInterp.blue]
    if all(one in meant for one in named):
        return [meant.index(one) + 1 for one in named]
    plain = [n for n, one in enumerate(meant, 1) if one != ColorInterp.alpha]
    return plain[:3] if len(plain) >= 3 else plain[:1]


def _stretched(
    source: Any, band: int, size: tuple[int, int], how: Any, bands: list[int], mask: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """A band as 0 to 255, from the 2nd to the 98th percentile of all `bands`; takes out of `mask` what is no number."""
    few = min(GLANCE, size[0]), min(GLANCE, size[1])
    glance = source.read(bands, out_shape=(len(bands), *few), masked=True).astype(np.float64)
    good = glance.compressed()
    good = good[np.isfinite(good)]
    low, high = np.percentile(good, [2, 98]) if len(good) else (0.0, 1.0)
    values = source.read(band, out_shape=size, resampling=how, out_dtype="float32")
    mask[~np.isfinite(values)] = 0
    values = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    return np.asarray(np.clip((values - low) / max(high - low, 1e-30) * 255, 0, 255).round(), np.uint8)


def _turned(
    picture: NDArray[np.uint8], transform: Any, crs: Any, box: Box, pixel: float, name: str
) -> NDArray[np.uint8]:
    """`picture` drawn into `box` of EPSG:3857."""
    from rasterio.enums import Resampling
    from rasterio.transform import from_bounds
    from rasterio.warp import reproject

    wide, high = (max(1, min(SIDE, round(length / pixel))) for length in (box[2] - box[0], box[3] - box[1]))
    out = np.zeros((4, high, wide), np.uint8)
    reproject(
        picture,
        out,
        src_transform=transform,
        src_crs=crs,
        dst_transform=from_bounds(*box, wide, high),
        dst_crs="EPSG:3857",
        src_alpha=4,
        dst_alpha=4,
        resampling=Resampling.bilinear,
        warp_mem_limit=64,
    )
    if not out[3].any():
        raise Refused("basemap_blank", file=name)
    return np.ascontiguousarray(np.moveaxis(out, 0, 2))
