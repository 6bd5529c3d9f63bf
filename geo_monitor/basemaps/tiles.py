"""PMTiles to one picture, or to lines and areas."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.basemaps import EDGE, PARTS, SIDE, VERTICES, Box, metres, pmtiles
from geo_monitor.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from PIL import Image

    from geo_monitor.basemaps.pmtiles import Archive

TILES = 1024  # tiles read at most: 4,096 pixels of tiles of 128
VECTOR_TILES = 256
PIXELS = (128, 256, 512, 1024)  # sides of tiles


def picture(archive: Archive, name: str) -> tuple[NDArray[np.uint8], Box]:
    """(rows, columns, 4) red, green, blue, alpha at the finest zoom that fits, and its box in EPSG:3857 metres.

    Raises `Refused`: `basemap_unreadable`, `basemap_blank`, `basemap_too_large`.
    """
    from PIL import Image

    side, box = _side(archive, name), _box(archive)
    for z in range(archive.most, archive.least - 1, -1):
        scale = side * 2**z / (2 * EDGE)  # pixels a metre
        size = [max(1, round(length * scale)) for length in (box[2] - box[0], box[3] - box[1])]
        if max(size) <= SIDE and _count(box, z) <= TILES:
            break
    else:
        raise Refused("basemap_too_large", file=name, width=size[0], height=size[1])
    out = Image.new("RGBA", (size[0], size[1]))
    left, top = round((box[0] + EDGE) * scale), round((EDGE - box[3]) * scale)
    found = False
    for x, y in _within(box, z):
        raw = archive.tile(z, x, y)
        if raw is not None:
            found = True
            tile = _tile(raw, archive.type, name)
            if tile.size != (side, side):
                tile = tile.resize((side, side))
            out.paste(tile, (x * side - left, y * side - top))
    if not found:
        raise Refused("basemap_blank", file=name)
    # what was drawn begins and ends at whole pixels
    drawn = (left / scale - EDGE, EDGE - (top + size[1]) / scale, (left + size[0]) / scale - EDGE, EDGE - top / scale)
    return np.asarray(out), drawn


def shapes(archive: Archive, name: str) -> tuple[list[tuple[str, bytes]], Box]:
    """(class, WKB in WGS84) of the lines and areas at the finest zoom that fits, and their box in EPSG:3857 metres.

    Raises `Refused`: `basemap_unreadable`, `basemap_blank`, `basemap_too_much`.
    """
    from geo_monitor.basemaps import mvt

    box = _box(archive)
    for z in range(archive.most, archive.least - 1, -1):
        if _count(box, z) > VECTOR_TILES:
            continue
        made: list[tuple[str, bytes]] = []
        parts = vertices = 0
        for x, y in _within(box, z):
            raw = archive.tile(z, x, y)
            if raw is None:
                continue
            try:
                drawn = mvt.drawn(raw, z, x, y, VERTICES - vertices)
            except (ValueError, IndexError) as error:
                raise Refused("basemap_unreadable", file=name, detail=str(error)[:80]) from None
            if drawn is None:
                parts = PARTS + 1
                break
            for kind, shape, count, corners in drawn:
                made.append((kind, shape))
                parts, vertices = parts + count, vertices + corners
            if parts > PARTS or vertices > VERTICES:
                parts = PARTS + 1
                break
        if parts <= PARTS:
            if not made:
                raise Refused("basemap_blank", file=name)
            return made, box
    raise Refused("basemap_too_much", file=name, most=f"{PARTS:,}")


def read(path: Path, name: str) -> tuple[str, NDArray[np.uint8] | list[tuple[str, bytes]], Box]:
    """Kind (`tiles`, `shapes`), `picture` or `shapes`, and the box. Raises as these and `pmtiles.Archive`."""
    with path.open("rb") as file:
        archive = pmtiles.opened(path, file, name)
        if archive.type == "mvt":
            made, box = shapes(archive, name)
            return "shapes", made, box
        drawn, box = picture(archive, name)
        return "tiles", drawn, box


def _box(archive: Archive) -> Box:
    west, south, east, north = archive.box
    return *metres(west, south), *metres(east, north)


def _span(box: Box, z: int) -> tuple[int, int, int, int]:
    """First and last column, first and last row of the tiles of a zoom that touch `box`."""
    side, last = 2 * EDGE / 2**z, 2**z - 1
    columns = (box[0] + EDGE) / side, (box[2] + EDGE) / side
    rows = (EDGE - box[3]) / side, (EDGE - box[1]) / side
    low = (min(max(math.floor(first), 0), last) for first, _ in (columns, rows))
    high = (min(max(math.ceil(end) - 1, 0), last) for _, end in (columns, rows))
    (x0, y0), (x1, y1) = low, high
    return x0, max(x0, x1), y0, max(y0, y1)


def _count(box: Box, z: int) -> int:
    x0, x1, y0, y1 = _span(box, z)
    return (x1 - x0 + 1) * (y1 - y0 + 1)


def _within(box: Box, z: int) -> Iterator[tuple[int, int]]:
    x0, x1, y0, y1 = _span(box, z)
    return ((x, y) for y in range(y0, y1 + 1) for x in range(x0, x1 + 1))


def _side(archive: Archive, name: str) -> int:
    """Pixels of a side of the tiles, by the first that is there."""
    box = _box(archive)
    for z in range(archive.least, archive.most + 1):
        if _count(box, z) > TILES:
            break
        for x, y in _within(box, z):
            raw = archive.tile(z, x, y)
            if raw is not None:
                return _tile(raw, archive.type, name).size[0]
    raise Refused("basemap_blank", file=name)


def _tile(raw: bytes, kind: str, name: str) -> Image.Image:
    """A tile as RGBA; its size is looked at before its pixels are unpacked."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(raw), formats=[kind]) as found:
            if found.size[0] not in PIXELS or found.size[0] != found.size[1]:
                detail = f"a tile of {found.size[0]} x {found.size[1]} pixels"
                raise Refused("basemap_unreadable", file=name, detail=detail)
            return found.convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise Refused("basemap_unreadable", file=name, detail=str(error)[:80]) from None
