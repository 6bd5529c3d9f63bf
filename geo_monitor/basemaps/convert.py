"""A file made into a base map, in the limited process; and what that process handed over, checked on our side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.basemaps import (
    ARROW,
    CLASSES,
    IMAGE,
    KINDS,
    NORTH,
    PARTS,
    SHAPES,
    SIDE,
    VERTICES,
    Box,
    lonlat,
    pmtiles,
)
from geo_monitor.errors import Refused

if TYPE_CHECKING:
    from geo_monitor.settings import Settings

QUALITY = 85  # of WebP: letters of a scanned map stay sharp
IMAGE_BYTES = 48 << 20


@dataclass(frozen=True)
class Made:
    """What a file became: kind (of `KINDS`), box in WGS84 degrees, name of the file with it, its bytes."""

    kind: str
    bounds: Box
    shows: str
    content: bytes


def convert(path: Path, folder: Path, settings: Settings) -> dict[str, Any]:
    """Makes `IMAGE` or `ARROW` in `folder`; gives kind and bounds (WGS84). For the limited process.

    Raises `Refused`: `basemap_not_one`, and what `geotiff.read` and `tiles.read` raise.
    """
    from geo_monitor.basemaps import geotiff, tiles

    with path.open("rb") as file:
        head = file.read(8)
    if head[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        drawn, box = geotiff.read(path, settings, path.name)
        kind = "geotiff"
    elif head.startswith(pmtiles.MAGIC):
        kind, made, box = tiles.read(path, path.name)
        if isinstance(made, list):
            _write_shapes(made, folder / ARROW)
            return _told(kind, box)
        drawn = made
    else:
        raise Refused("basemap_not_one", file=path.name)
    from PIL import Image

    Image.fromarray(drawn, "RGBA").save(folder / IMAGE, "WEBP", quality=QUALITY, method=2)
    return _told(kind, box)


def _told(kind: str, box: Box) -> dict[str, Any]:
    return {"kind": kind, "bounds": [*lonlat(box[0], box[1]), *lonlat(box[2], box[3])]}


def _write_shapes(made: list[tuple[str, bytes]], path: Path) -> None:
    import pyarrow as pa

    from geo_monitor.ingest import handover

    kinds, shapes = zip(*made, strict=True)
    handover.write_table(pa.table({"kind": pa.array(kinds, pa.string()), "shape": pa.array(shapes, pa.binary())}), path)


# --- our side -------------------------------------------------------------------------------------------------------


def accepted(told: Any, folder: Path) -> Made:
    """What the limited process told and left in `folder`, as far as it keeps to the rules. Raises `Garbled`."""
    from geo_monitor.ingest.handover import Garbled

    if not isinstance(told, dict) or set(told) != {"kind", "bounds"} or told["kind"] not in KINDS:
        raise Garbled("a base map of other parts")
    bounds = told["bounds"]
    if not isinstance(bounds, list) or len(bounds) != 4 or not is_box(bounds):
        raise Garbled("a base map without bounds")
    west, south, east, north = map(float, bounds)
    name = ARROW if told["kind"] == "shapes" else IMAGE
    path = folder / name
    if path.is_symlink() or not path.is_file() or path.stat().st_size > IMAGE_BYTES:
        raise Garbled(f"{name} is missing, or too large")
    if name == ARROW:
        return Made("shapes", (west, south, east, north), SHAPES, _geojson(path))
    content = path.read_bytes()
    if not is_webp(content):
        raise Garbled("the picture is none")
    return Made(told["kind"], (west, south, east, north), IMAGE, content)


def is_box(bounds: Any) -> bool:
    """Whether four numbers are west, south, east and north of a place on the map.

    >>> is_box([110, 29, 112, 31]), is_box([112, 29, 110, 31]), is_box([110, 29, 112, "31"]), is_box([0, 0, 1, 90])
    (True, False, False, False)
    """
    if not all(type(edge) in (int, float) for edge in bounds):
        return False
    west, south, east, north = bounds
    return bool(-180.001 <= west < east <= 180.001 and -NORTH - 0.001 <= south < north <= NORTH + 0.001)


def is_webp(content: bytes) -> bool:
    """Whether bytes are a WebP file from their first to their last, of at most `SIDE` pixels where its head says so."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        return False
    if int.from_bytes(content[4:8], "little") + 8 != len(content):
        return False
    if content[12:16] != b"VP8X":
        return content[12:16] in (b"VP8 ", b"VP8L")
    return all(int.from_bytes(content[at : at + 3], "little") < SIDE for at in (24, 27))


def _geojson(path: Path) -> bytes:
    """The shapes as GeoJSON, class by class, to 5 decimals (1 m)."""
    import json

    import pyarrow as pa
    import shapely

    from geo_monitor.ingest import handover
    from geo_monitor.ingest.handover import Garbled

    table = handover.read_table(path)
    if table.schema.remove_metadata() != pa.schema([("kind", pa.string()), ("shape", pa.binary())]):
        raise Garbled("shapes have other columns")
    kinds = table["kind"].to_pylist()
    try:
        shapes = shapely.from_wkb(table["shape"].to_numpy())
    except (shapely.errors.GEOSException, ValueError, TypeError) as error:
        raise Garbled(str(error)[:200]) from None
    if not set(kinds) <= set(CLASSES) or shapely.is_missing(shapes).any():
        raise Garbled("a shape without a class")
    counts = shapely.get_num_geometries(shapes).sum(), shapely.get_num_coordinates(shapes).sum()
    box = shapely.total_bounds(shapes)
    if counts[0] > PARTS or counts[1] > VERTICES * 2 or not np.isfinite(box).all() or np.abs(box).max() > 180.001:
        raise Garbled("shapes without end")
    rounded = shapely.transform(shapes, lambda at: at.round(5))
    features = [
        {"type": "Feature", "properties": {"kind": kind}, "geometry": json.loads(text)}
        for kind, text in zip(kinds, shapely.to_geojson(rounded), strict=True)
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, separators=(",", ":")).encode()
