"""Base maps of an agency's own: a GeoTIFF or PMTiles file made into what the map can draw.

`convert` runs where untrusted files are read, in the limited process of `ingest.limited`; `accepted` checks on our side
what it handed over; `geo_monitor.store.basemaps` keeps it.

| file | becomes |
|---|---|
| GeoTIFF | one WebP image in EPSG:3857, at most `SIDE` pixels a side, transparent where there are no data |
| PMTiles with pictures | the same, put together at the finest zoom that fits |
| PMTiles with vector tiles | lines and areas, at most `PARTS` with `VERTICES` corners, at the finest zoom that fits |
"""

from __future__ import annotations

import math

SIDE = 4096  # pixels; every browser draws textures of this size
PARTS = 20_000  # lines and areas of a vector base map
VERTICES = 300_000  # their corners: some 5 MB of GeoJSON
KINDS = ("geotiff", "tiles", "shapes")
CLASSES = ("line", "area", "water")  # what a vector base map is drawn as
IMAGE, SHAPES, ARROW = "image.webp", "shapes.geojson", "shapes.arrow"
RADIUS = 6_378_137.0  # metres, of the sphere of EPSG:3857
EDGE = math.pi * RADIUS  # metres from the middle of EPSG:3857 to its edge
NORTH = 85.051_128_78  # degrees of latitude where EPSG:3857 ends

Box = tuple[float, float, float, float]  # west, south, east, north


def lonlat(x: float, y: float) -> tuple[float, float]:
    """WGS84 degrees of a place in EPSG:3857 metres.

    >>> lonlat(0.0, 0.0), tuple(round(v, 6) for v in lonlat(EDGE, EDGE))
    ((0.0, 0.0), (180.0, 85.051129))
    """
    return math.degrees(x / RADIUS), math.degrees(math.atan(math.sinh(y / RADIUS)))


def metres(lon: float, lat: float) -> tuple[float, float]:
    """EPSG:3857 metres of a place in WGS84 degrees; latitudes beyond `NORTH` are cut there.

    >>> tuple(round(v) for v in metres(180.0, 90.0)) == (round(EDGE), round(EDGE))
    True
    """
    lat = max(-NORTH, min(NORTH, lat))
    return math.radians(lon) * RADIUS, math.asinh(math.tan(math.radians(lat))) * RADIUS
