"""Mapbox vector tiles, version 2, to lines and areas in WGS84: what is needed of them to draw a quiet ground.

Specification: https://github.com/mapbox/vector-tile-spec/tree/master/2.1 (CC BY 3.0). Points and names are left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from geo_monitor.basemaps.pmtiles import varint

LINE, POLYGON = 2, 3
GROUND = ("earth", "land", "background")  # layers that are everything: the built-in land is drawn already
EXTENTS = (64, 65_536)  # sides of a tile in its own units

Drawn = list[tuple[str, bytes, int, int]]  # class, WKB, parts, corners


def drawn(raw: bytes, z: int, x: int, y: int, most: int) -> Drawn | None:
    """The lines and areas of a tile, cut at its edge, one multi-part shape a class; None with over `most` corners.

    Raises `ValueError`, `IndexError` for bytes that are no tile.
    """
    import shapely

    held: dict[str, list[Any]] = {"line": [], "area": [], "water": []}
    corners = 0
    for name, extent, features in _layers(raw):
        if name in GROUND:
            continue
        for kind, numbers in features:
            rings = _parts(numbers)
            corners += sum(map(len, rings))
            if corners > most:
                return None
            if kind == LINE:
                held["line"] += [shapely.linestrings(_placed(part, extent, z, x, y)) for part in rings if len(part) > 1]
            elif kind == POLYGON:
                into = "water" if "water" in name or name in ("ocean", "lakes", "rivers") else "area"
                held[into] += _polygons(rings, extent, z, x, y)
    edges = _placed(np.array([[0, 4096], [4096, 0]]), 4096, z, x, y)
    out: Drawn = []
    for into, shapes in held.items():
        try:
            cut = shapely.clip_by_rect(np.array(shapes, dtype=object), *edges[0], *edges[1])
        except shapely.errors.GEOSException:
            cut = np.array([], dtype=object)  # crossed lines that can't be cut: a quiet ground does without
        wanted = 1 if into == "line" else 3
        parts = shapely.get_parts(cut[~shapely.is_empty(cut)]) if len(cut) else cut
        parts = parts[shapely.get_type_id(parts) == wanted] if len(parts) else parts
        if len(parts):
            whole = (shapely.multilinestrings if into == "line" else shapely.multipolygons)(parts)
            out.append((into, shapely.to_wkb(whole), len(parts), int(shapely.get_num_coordinates(whole))))
    return out


def _placed(points: Any, extent: int, z: int, x: int, y: int) -> Any:
    """(n, 2) units of a tile as WGS84 degrees."""
    at = np.asarray(points, dtype=float) / extent
    across, down = (x + at[:, 0]) / 2**z, (y + at[:, 1]) / 2**z
    return np.column_stack([across * 360 - 180, np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * down))))])


def _polygons(rings: list[list[tuple[int, int]]], extent: int, z: int, x: int, y: int) -> list[Any]:
    """Rings as polygons: one that turns clockwise (in units with y down) begins one, the others are its holes."""
    import shapely

    out: list[tuple[Any, list[Any]]] = []
    for ring in rings:
        if len(ring) < 3:
            continue
        at = np.array([*ring, ring[0]], dtype=np.int64)
        area = int((at[:-1, 0] * at[1:, 1] - at[1:, 0] * at[:-1, 1]).sum())
        line = _placed(at, extent, z, x, y)
        if area > 0:
            out.append((line, []))
        elif area < 0 and out:
            out[-1][1].append(line)
    return [shapely.Polygon(shell, holes) for shell, holes in out]


def _parts(numbers: bytes) -> list[list[tuple[int, int]]]:
    """The lines or rings of a geometry, in units of the tile.

    >>> _parts(bytes([9, 4, 4, 18, 0, 16, 16, 0]))
    [[(2, 2), (2, 10), (10, 10)]]
    """
    out: list[list[tuple[int, int]]] = []
    at = x = y = 0
    while at < len(numbers):
        told, at = varint(numbers, at)
        command, count = told & 7, told >> 3
        if command == 7:
            continue
        if command not in (1, 2) or count > len(numbers):
            raise ValueError(f"command {command}, {count} times")
        for _ in range(count):
            dx, at = varint(numbers, at)
            dy, at = varint(numbers, at)
            x, y = x + ((dx >> 1) ^ -(dx & 1)), y + ((dy >> 1) ^ -(dy & 1))
            if max(abs(x), abs(y)) > 1 << 31:
                raise ValueError("a place far outside the tile")
            if command == 1:
                out.append([])
            elif not out:
                raise ValueError("a line without a beginning")
            out[-1].append((x, y))
    return out


def _layers(raw: bytes) -> Iterator[tuple[str, int, list[tuple[int, bytes]]]]:
    """Name, extent and (type, geometry) of each layer."""
    for field, layer in _fields(raw):
        if field != 3 or not isinstance(layer, bytes):
            continue
        name, extent, features = "", 4096, []
        for part, value in _fields(layer):
            if part == 1 and isinstance(value, bytes):
                name = value[:80].decode("utf-8", "replace").lower()
            elif part == 5 and isinstance(value, int):
                extent = value
            elif part == 2 and isinstance(value, bytes):
                held = dict(_fields(value))
                kind, numbers = held.get(3), held.get(4)
                if isinstance(kind, int) and isinstance(numbers, bytes):
                    features.append((kind, numbers))
        if not EXTENTS[0] <= extent <= EXTENTS[1]:
            raise ValueError(f"extent {extent}")
        yield name, extent, features


def _fields(raw: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protocol buffer: number and value.

    >>> list(_fields(bytes([0x08, 0x96, 0x01, 0x12, 0x02, 0x68, 0x69])))
    [(1, 150), (2, b'hi')]
    """
    at = 0
    while at < len(raw):
        key, at = varint(raw, at)
        field, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(raw, at)
            yield field, value
            continue
        if wire == 2:
            length, at = varint(raw, at)
        elif wire in (1, 5):
            length = 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at + length > len(raw):
            raise ValueError("a field longer than the tile")
        yield field, raw[at : at + length]
        at += length
