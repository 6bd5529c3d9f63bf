"""Metres on the ellipsoid, cheaply: the ellipsoidal Mercator projection and its local scale.

Mercator is conformal, so within a few kilometres a distance on the map divided by the local scale k(lat) is the
distance on the ground (within 0.45 m of the geodesic at locating distances). Lengths of lines use the geodesic itself.
Source: Snyder, Map Projections - A Working Manual (1987), equations 7-7 and 7-8.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]  # float64 throughout

A = 6_378_137.0  # WGS84 semi-major axis, metres
E2 = 0.00669437999014133  # WGS84 first eccentricity squared
E = E2**0.5
LAT_MAX = 88.0  # beyond it Mercator coordinates grow without bound; no river of ours is there


def to_mercator(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Ellipsoidal Mercator (EPSG:3395) x, y in metres of WGS84 degrees; latitudes are held within +-88.

    >>> x, y = to_mercator(np.array([180.0]), np.array([0.0]))
    >>> float(x[0].round(3)), float(y[0].round(3))
    (20037508.343, 0.0)
    """
    phi = np.radians(np.clip(np.asarray(lat, dtype=float), -LAT_MAX, LAT_MAX))
    x = A * np.radians(np.asarray(lon, dtype=float))
    return x, A * (np.arcsinh(np.tan(phi)) - E * np.arctanh(E * np.sin(phi)))


def to_degrees(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """The inverse of `to_mercator`: lon, lat in WGS84 degrees (fixed-point iteration, to about 1e-12 degrees)."""
    psi = np.asarray(y, dtype=float) / A
    phi = np.arctan(np.sinh(psi))
    for _ in range(8):
        phi = np.arctan(np.sinh(psi + E * np.arctanh(E * np.sin(phi))))
    return np.degrees(np.asarray(x, dtype=float) / A), np.degrees(phi)


def scale(lat: Floats) -> Floats:
    """k(lat): Mercator metres per metre on the ground at latitude `lat` (degrees).

    >>> float(scale(np.array([0.0]))[0])
    1.0
    >>> round(float(scale(np.array([60.0]))[0]), 4)
    1.995
    """
    phi = np.radians(np.clip(np.asarray(lat, dtype=float), -LAT_MAX, LAT_MAX))
    return np.asarray(np.sqrt(1 - E2 * np.sin(phi) ** 2) / np.cos(phi))


def segment_lengths(lon: Floats, lat: Floats) -> Floats:
    """Geodesic metres between successive vertices: (n,) degrees -> (n - 1,).

    >>> [round(float(m)) for m in segment_lengths(np.array([0.0, 1.0]), np.array([0.0, 0.0]))]
    [111319]
    """
    from pyproj import Geod

    if len(lon) < 2:
        return np.zeros(0)
    return np.asarray(Geod(ellps="WGS84").inv(lon[:-1], lat[:-1], lon[1:], lat[1:])[2])


def distances(lon_a: Floats, lat_a: Floats, lon_b: Floats, lat_b: Floats) -> Floats:
    """Geodesic metres between two points each: four (n,) arrays of degrees -> (n,)."""
    from pyproj import Geod

    return np.asarray(Geod(ellps="WGS84").inv(lon_a, lat_a, lon_b, lat_b)[2])
