"""A water mask (GeoTIFF, above 0 = water) as a measure of how wide the river is.

Across each reach the mask is probed square to the line; the water that holds the line, or lies nearest to it within the
accuracy of the line, gives the width. Half of it widens the locating tolerance and tells `mid` from the banks.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from geo_monitor.river.banks import direction
from geo_monitor.river.geodesy import Floats, scale, to_degrees

if TYPE_CHECKING:
    from geo_monitor.river.network import Network

PROBES = (0.25, 0.5, 0.75)  # where along a reach the width is measured; their median counts
WIDEST_M = 10_000.0  # metres to each side: half of the widest channel looked for
STEPS = 2_000  # probes to a side at the most: a mask finer than 5 m is read at 5 m
PIXELS = 32_000_000  # pixels read at once: bounds memory


class Mask(NamedTuple):
    """A water mask as it was sent: where its upload lies, what it was called, its outline (WGS84), and the CRS that was given
    for it (None: that of the file)."""

    path: Path
    name: str
    outline: Any
    crs: str | None = None


def with_mask(network: Network, path: Path | str, crs: str | None = None) -> Network:
    """The same network with `half_width_m` (metres) measured on the water mask at `path`, where the mask covers it.

    crs: of the mask, any; None: what the file declares. Nodata counts as not water. Reaches outside keep what they had.
    Raises what rasterio raises for a file that is no raster.
    """
    import rasterio
    from pyproj import Transformer

    with rasterio.open(path, driver="GTiff") as source:
        to_mask = Transformer.from_crs("EPSG:4326", crs or source.crs, always_xy=True)
        middle = network.reaches.iloc[len(network.reaches) // 2]
        x0, y0 = to_mask.transform([middle["lon"], middle["lon"]], [middle["lat"], middle["lat"] + 0.001])
        unit = float(np.hypot(x0[1] - x0[0], y0[1] - y0[0])) / 110.9  # CRS units a metre (0.001 degrees are 110.9 m)
        step = max(min(abs(source.transform.a), abs(source.transform.e)) / max(unit, 1e-12), WIDEST_M / STEPS)
        half = network.half_width_m.copy()
        for lo in range(0, network.channels, 256):
            reach = np.arange(lo, min(lo + 256, network.channels))
            width = _measure(network, reach, source, to_mask, step)
            known = ~np.isnan(width)
            half[reach[known]] = width[known] / 2
    return replace(network, half_width_m=half)


def water(path: Path | str, box: list[float], pixels: int, crs: str | None = None) -> tuple[list[Any], float]:
    """The water of a mask within a box (west, south, east, north; WGS84 degrees) as polygons in WGS84, and the metres of
    a pixel as it was read: at most `pixels` of them, so that a large box is read coarser. crs: as for `with_mask`.

    Raises what rasterio raises for a file that is no raster.
    """
    import rasterio
    import shapely
    from pyproj import Transformer
    from rasterio.features import shapes
    from rasterio.warp import transform_bounds
    from rasterio.windows import Window, from_bounds

    with rasterio.open(path, driver="GTiff") as source:
        system = crs or source.crs
        whole = Window(0, 0, source.width, source.height)
        around = from_bounds(*transform_bounds("EPSG:4326", system, *box), source.transform)
        window = around.round_offsets(op="floor").round_lengths(op="ceil").intersection(whole)
        step = max(float(np.sqrt(window.width * window.height / pixels)), 1.0)
        size = (max(int(window.height / step), 1), max(int(window.width / step), 1))
        block = source.read(1, window=window, out_shape=size, masked=True)
        transform = source.window_transform(window)
        transform *= transform.scale(window.width / size[1], window.height / size[0])
        wet = np.ma.filled(block > 0, False).astype(np.uint8)
        found = [shapely.geometry.shape(shape) for shape, _ in shapes(wet, wet == 1, transform=transform)]
        to_degrees = Transformer.from_crs(system, "EPSG:4326", always_xy=True)
        polygons = shapely.transform(
            np.array(found, dtype=object), lambda xy: np.column_stack(to_degrees.transform(xy[:, 0], xy[:, 1]))
        )
        metre = (box[3] - box[1]) * 111_195.1 / max(size[0], 1)
        return polygons.tolist(), float(metre)


def _measure(network: Network, reach: np.ndarray, source: Any, to_mask: Any, step: float) -> Floats:
    """Width (m) of the water at each reach; NaN where the mask does not cover it, 0 where it shows no water there."""
    axis = network.axis
    offsets = np.arange(-WIDEST_M, WIDEST_M + step, step)
    widths = np.full((len(reach), len(PROBES)), np.nan)
    span = float(np.median(network.high[reach] - network.low[reach]))
    for column, share in enumerate(PROBES):
        position = network.low[reach] + share * (network.high[reach] - network.low[reach])
        x, y = np.interp(position, axis.position, axis.x), np.interp(position, axis.position, axis.y)
        lon, lat = to_degrees(x, y)
        # a mask covers a few reaches of a river
        covered = np.flatnonzero(_place(source, *to_mask.transform(lon, lat))[2])
        if not len(covered):
            continue
        position, x, y, k = position[covered], x[covered], y[covered], scale(lat[covered])
        stem = axis.stem[np.searchsorted(axis.position, position)]
        ux, uy = np.zeros(len(covered)), np.zeros(len(covered))
        for number in np.unique(stem):
            own, vertices = stem == number, axis.stem == number
            start = axis.start[number]
            ux[own], uy[own] = direction(
                axis.x[vertices], axis.y[vertices], axis.position[vertices] - start, position[own] - start, span
            )
        lon, lat = to_degrees(
            x[:, None] - uy[:, None] * offsets * k[:, None], y[:, None] + ux[:, None] * offsets * k[:, None]
        )
        wet = _sample(source, *to_mask.transform(lon, lat))
        widths[covered, column] = _run(wet, offsets, step, network.accuracy_m[reach[covered]])
    known = ~np.isnan(widths).all(axis=1)
    result = np.full(len(reach), np.nan)
    result[known] = np.nanmedian(widths[known], axis=1)
    return result


def _place(source: Any, x: Floats, y: Floats) -> tuple[Floats, Floats, np.ndarray]:
    """Column and row of a raster at points in its CRS, fractions of a pixel kept, and whether they lie on it."""
    inverse = ~source.transform
    x, y = np.asarray(x), np.asarray(y)
    col, row = inverse.a * x + inverse.b * y + inverse.c, inverse.d * x + inverse.e * y + inverse.f
    return col, row, (col >= 0) & (col < source.width) & (row >= 0) & (row < source.height)


def _sample(source: Any, x: Floats, y: Floats) -> Floats:
    """1 water, 0 not, NaN outside the raster, at points in its CRS."""
    from rasterio.windows import Window

    col, row, inside = _place(source, x, y)
    result = np.full(col.shape, np.nan)
    if not inside.any():
        return result
    c, r = np.floor(col[inside]).astype(int), np.floor(row[inside]).astype(int)
    values = np.zeros(len(c))
    rows_at_once = max(int(PIXELS / max(c.max() - c.min() + 1, 1)), 1)
    for top in range(int(r.min()), int(r.max()) + 1, rows_at_once):
        own = (r >= top) & (r < top + rows_at_once)
        if not own.any():
            continue
        left, bottom = int(c[own].min()), int(r[own].max())
        block = source.read(1, window=Window(left, top, int(c[own].max()) - left + 1, bottom - top + 1), masked=True)
        values[own] = np.ma.filled(block > 0, False)[r[own] - top, c[own] - left]
    result[inside] = values
    return result


def _run(wet: Floats, offsets: Floats, step: float, accuracy: Floats) -> Floats:
    """Width of the run of water that holds offset 0, else of the nearest within the accuracy; NaN where not covered.

    >>> offsets = np.arange(-5.0, 6.0)
    >>> wet = np.array([[0, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1]], dtype=float)   # water from -2 to 1, and 4 to 5
    >>> _run(wet, offsets, 1.0, np.array([2.0])).tolist()
    [4.0]
    """
    width = np.full(len(wet), np.nan)
    centre = len(offsets) // 2
    for i, line in enumerate(wet):
        if np.isnan(line[centre]):
            continue
        water = np.flatnonzero(line == 1)
        if not len(water) or np.abs(offsets[water]).min() > max(accuracy[i], step):
            width[i] = 0.0
            continue
        start = int(water[np.abs(offsets[water]).argmin()])
        low = high = start
        while low > 0 and line[low - 1] == 1:
            low -= 1
        while high < len(line) - 1 and line[high + 1] == 1:
            high += 1
        width[i] = (high - low + 1) * step
    return width
