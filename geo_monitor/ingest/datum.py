"""GCJ-02 and BD-09, the shifted datums of Chinese maps, back to WGS84.

GCJ-02 adds to every coordinate a smooth offset of some 100 m (published by reverse engineering; the formulas below are
the widely used ones, with the Krasovsky ellipsoid). BD-09 shifts once more. Both are undone by iterating the forward
formulas until the input comes back, which leaves less than a millimetre.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
A, EE = 6378245.0, 0.00669342162296594323  # Krasovsky 1940: semi-major axis, eccentricity squared
CHINA = (72.004, 0.8293, 137.8347, 55.8271)  # outside this box the formulas shift nothing
DATUMS = ("wgs84", "gcj02", "bd09")


def gcj02(lon: Array, lat: Array) -> tuple[Array, Array]:
    """WGS84 degrees to GCJ-02 degrees; arrays (n,)."""
    x, y = lon - 105.0, lat - 35.0
    root = np.sqrt(np.abs(x))
    wave = (20 * np.sin(6 * np.pi * x) + 20 * np.sin(2 * np.pi * x)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + wave
    north += (20 * np.sin(np.pi * y) + 40 * np.sin(np.pi * y / 3)) * 2 / 3
    north += (160 * np.sin(np.pi * y / 12) + 320 * np.sin(np.pi * y / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + wave
    east += (20 * np.sin(np.pi * x) + 40 * np.sin(np.pi * x / 3)) * 2 / 3
    east += (150 * np.sin(np.pi * x / 12) + 300 * np.sin(np.pi * x / 30)) * 2 / 3
    radians = np.radians(lat)
    magic = 1 - EE * np.sin(radians) ** 2
    d_lat = np.degrees(north / (A * (1 - EE) / (magic * np.sqrt(magic))))
    d_lon = np.degrees(east / (A / np.sqrt(magic) * np.cos(radians)))
    west, south, east_end, north_end = CHINA
    inside = (lon >= west) & (lon <= east_end) & (lat >= south) & (lat <= north_end)
    return np.where(inside, lon + d_lon, lon), np.where(inside, lat + d_lat, lat)


def bd09(lon: Array, lat: Array) -> tuple[Array, Array]:
    """WGS84 degrees to BD-09 degrees; arrays (n,)."""
    x, y = gcj02(lon, lat)
    turn = np.pi * 3000 / 180
    radius = np.hypot(x, y) + 2e-5 * np.sin(y * turn)
    angle = np.arctan2(y, x) + 3e-6 * np.cos(x * turn)
    return radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006


FORWARD: dict[str, Callable[[Array, Array], tuple[Array, Array]]] = {"gcj02": gcj02, "bd09": bd09}


def undo(datum: str, lon: Array, lat: Array) -> tuple[Array, Array]:
    """Degrees in `datum` (wgs84, gcj02, bd09) to WGS84 degrees; arrays (n,).

    >>> import numpy as np
    >>> there = gcj02(np.array([114.3]), np.array([30.6]))
    >>> bool(abs(there[0][0] - 114.3) > 0.004)
    True
    >>> back = undo("gcj02", *there)
    >>> float(round(back[0][0], 9)), float(round(back[1][0], 9))
    (114.3, 30.6)
    """
    if datum == "wgs84":
        return lon, lat
    forward = FORWARD[datum]
    x, y = lon.copy(), lat.copy()
    for _ in range(20):  # each round leaves about 1e-4 of the error; 4 suffice
        fx, fy = forward(x, y)
        dx, dy = lon - fx, lat - fy
        x, y = x + dx, y + dy
        if not np.any(np.maximum(np.abs(dx), np.abs(dy)) > 1e-10):
            break
    return x, y


def named(text: str) -> str | None:
    """The datum a word means, or None.

    >>> named("GCJ-02"), named("百度坐标"), named("CGCS2000"), named("lon_wgs84"), named("54")
    ('gcj02', 'bd09', 'wgs84', 'wgs84', None)
    """
    plain = text.strip().lower().replace("-", "").replace("_", "").replace(" ", "")
    if "gcj" in plain or "火星" in plain or "高德" in plain or "腾讯" in plain or "国测局" in plain or "mars" in plain:
        return "gcj02"
    if "bd09" in plain or "百度" in plain or "baidu" in plain:
        return "bd09"
    if plain in {"2000", "gps", "epsg:4326", "epsg:4490", "北斗"} or re.search("wgs(19)?84|cgcs2000|国家2000", plain):
        return "wgs84"
    return None
