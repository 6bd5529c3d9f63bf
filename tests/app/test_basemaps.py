"""Base maps of an agency's own: where their pixels come out, what is refused."""

from __future__ import annotations

import gzip
import io
import itertools
import json
import math
import struct
import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import rasterio
import shapely
from PIL import Image
from rasterio.transform import from_origin

from geo_monitor.basemaps import convert, mvt, pmtiles
from geo_monitor.errors import Refused, Usage
from geo_monitor.ingest import handover
from geo_monitor.ingest.handover import Garbled
from geo_monitor.messages import text
from geo_monitor.store.basemaps import Basemap
from geo_monitor.workspace import Workspace


@pytest.fixture
def held(tmp_path: Path) -> Workspace:
    return Workspace.create(tmp_path / "w")


def geotiff(path: Path, bands: np.ndarray, crs: str | None, left: float, top: float, pixel: float, **more) -> Path:
    count, height, width = bands.shape
    palette = more.pop("palette", None)
    with rasterio.open(path, "w", driver="GTiff", width=width, height=height, count=count, dtype=bands.dtype, crs=crs,
                       transform=from_origin(left, top, pixel, pixel), **more) as out:  # fmt: skip
        out.write(bands)
        if palette:
            out.write_colormap(1, palette)
    return path


def mercator(lat: float) -> float:
    return math.log(math.tan(math.pi / 4 + math.radians(lat) / 2))


def colour(held: Workspace, one: Basemap, lon: float, lat: float) -> tuple[int, int, int, int]:
    """The pixel shown at a place, by hand: linear in longitude, and in Mercator's y."""
    image = Image.open(io.BytesIO(held.basemaps.content(one.name)[1])).convert("RGBA")
    west, south, east, north = one.bounds
    x = (lon - west) / (east - west) * image.width
    y = (mercator(north) - mercator(lat)) / (mercator(north) - mercator(south)) * image.height
    return image.getpixel((int(x), int(y)))


def near(found: tuple[int, ...], wanted: tuple[int, ...], within: int = 12) -> bool:
    """WebP keeps colours nearly."""
    return all(abs(a - b) <= within for a, b in zip(found, wanted, strict=True))


# --- where pixels come out ------------------------------------------------------------------------------------------


def test_degrees_come_out_where_they_lie(held: Workspace, tmp_path: Path) -> None:
    bands = np.full((3, 2000, 1000), 120, np.uint8)  # 10 degrees down: Mercator is far from linear here
    bands[:, 980:1020, 480:520] = np.array([220, 40, 40])[:, None, None]  # around 112.5 E, 30.0 N
    bands[:, :200, :200] = 0
    made = held.basemaps.add(geotiff(tmp_path / "航测.tif", bands, "EPSG:4326", 110.0, 35.0, 0.005, nodata=0))
    assert (made.name, made.kind, made.file) == ("航测", "geotiff", "航测.tif")
    assert made.bounds == pytest.approx((110.0, 25.0, 115.0, 35.0), abs=1e-9)
    assert near(colour(held, made, 112.5, 30.0), (220, 40, 40, 255))
    assert near(colour(held, made, 112.5, 30.2), (120, 120, 120, 255))
    assert near(colour(held, made, 112.5, 29.8), (120, 120, 120, 255))
    assert colour(held, made, 110.5, 34.5)[3] == 0  # no data
    assert near(colour(held, made, 110.5, 33.8), (120, 120, 120, 255))


def test_a_gauss_krueger_zone_comes_out_where_it_lies(held: Workspace, tmp_path: Path) -> None:
    # EPSG:4547: central meridian 114 E at 500,000 m; 30 N lies 3,320,113.4 m of meridian from the equator
    bands = np.full((3, 400, 400), 100, np.uint8)
    bands[:, 180:220, 180:220] = np.array([30, 200, 30])[:, None, None]
    bands[:, :, 380:] = 255
    made = held.basemaps.add(
        geotiff(tmp_path / "a.tif", bands, "EPSG:4547", 500_000 - 4000, 3_320_113.4 + 4000, 20.0, nodata=255), "荆江"
    )
    assert near(colour(held, made, 114.0, 30.0), (30, 200, 30, 255))
    assert near(colour(held, made, 114.0 - 0.0051, 30.0), (100, 100, 100, 255))  # 492 m west; the square ends at 400
    assert near(colour(held, made, 114.0, 30.0 + 0.0045), (100, 100, 100, 255))  # 499 m north
    assert colour(held, made, 114.0 + 0.0395, 30.0)[3] == 0  # 3,811 m east; no data from 3,600 on
    # 4,000 m are 0.04145 degrees of longitude (96,486 m each there) and 0.03608 of latitude (110,852 m each)
    assert made.bounds == pytest.approx((113.95855, 29.96392, 114.04145, 30.03608), abs=0.0003)


def test_palettes_and_deep_greys(held: Workspace, tmp_path: Path) -> None:
    classes = np.zeros((1, 100, 100), np.uint8)
    classes[0, :, 50:] = 1
    classes[0, 50:, :50] = 7  # has no colour of its own
    palette = {0: (10, 20, 200, 255), 1: (240, 200, 0, 255)}
    made = held.basemaps.add(geotiff(tmp_path / "p.tif", classes, "EPSG:4326", 112, 31, 0.001, palette=palette))
    assert near(colour(held, made, 112.02, 30.98), (10, 20, 200, 255))
    assert near(colour(held, made, 112.08, 30.92), (240, 200, 0, 255))
    deep = np.linspace(1000, 5000, 10_000).reshape(1, 100, 100).astype(np.uint16)
    deep[0, :, :10] = 65_535
    made = held.basemaps.add(geotiff(tmp_path / "d.tif", deep, "EPSG:4326", 112, 31, 0.001, nodata=65_535))
    dark, middle, bright = (colour(held, made, 112.05, lat) for lat in (30.9995, 30.95, 30.9005))
    assert dark[:3] < (20,) * 3
    assert near(middle, (127, 127, 127, 255), 15)
    assert bright[:3] > (235,) * 3
    assert colour(held, made, 112.003, 30.95)[3] == 0


def test_a_raster_larger_than_what_is_shown_is_thinned(held: Workspace, tmp_path: Path) -> None:
    bands = np.full((1, 1000, 9000), 80, np.uint8)
    bands[0, :, 4500:] = 200
    made = held.basemaps.add(
        geotiff(tmp_path / "l.tif", bands, "EPSG:3857", 12_500_000, 3_500_000, 10, tiled=True, compress="deflate")
    )
    image = Image.open(io.BytesIO(held.basemaps.content("l")[1]))
    assert image.size == (4096, 455)
    west, _, east, _ = made.bounds
    assert near(colour(held, made, west + 0.49 * (east - west), 29.95), (80, 80, 80, 255))
    assert near(colour(held, made, west + 0.51 * (east - west), 29.95), (200, 200, 200, 255))


# --- PMTiles --------------------------------------------------------------------------------------------------------


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def archive(
    path: Path,
    tiles: dict[tuple[int, int, int], bytes],
    kind: int,
    box: tuple[float, ...],
    directory: bytes | None = None,
) -> Path:
    """A PMTiles file of its specification: one gzipped directory, tiles one after another, unpacked as they are."""
    numbered = sorted((pmtiles.number(*zxy), raw) for zxy, raw in tiles.items())
    ids = [one for one, _ in numbered]
    steps = [b - a for a, b in zip([0, *ids], ids, strict=False)]
    offsets = np.cumsum([0, *(len(raw) for _, raw in numbered)])[:-1].tolist()
    columns = [len(ids), *steps, *[1] * len(ids), *(len(raw) for _, raw in numbered), *(o + 1 for o in offsets)]
    root = gzip.compress(b"".join(map(varint, columns))) if directory is None else directory
    data = b"".join(raw for _, raw in numbered)
    zooms = [z for z, _, _ in tiles] or [0]
    edges = [round(v * 1e7) for v in box]
    head = struct.pack("<7sB11Q6B4iB2i", b"PMTiles", 3, 127, len(root), 127 + len(root), 0, 127 + len(root), 0,
                       127 + len(root), len(data), len(ids), len(ids), len(ids), 1, 2, 1, kind, min(zooms), max(zooms),
                       *edges, 0, 0, 0)  # fmt: skip
    path.write_bytes(head + root + data)
    return path


def picture(shade: tuple[int, int, int], form: str = "PNG", side: int = 256) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (side, side), shade).save(out, form)
    return out.getvalue()


@pytest.mark.parametrize(("form", "kind"), [("PNG", 2), ("JPEG", 3), ("WEBP", 4)])
def test_pictures_of_pmtiles_are_put_together(held: Workspace, tmp_path: Path, form: str, kind: int) -> None:
    # zoom 8: a tile is 1.40625 degrees wide; column 207 begins at 111.09375 E, 208 at 112.5 E; row 105 holds 30 N
    row = int((1 - mercator(30.0) / math.pi) / 2 * 256)
    tiles = {(8, 207, row): picture((200, 30, 30), form), (8, 208, row): picture((30, 30, 200), form)}
    tiles[7, 103, row // 2] = picture((0, 255, 0), form)
    made = held.basemaps.add(archive(tmp_path / "t.pmtiles", tiles, kind, (111.5, 29.8, 113.5, 30.2)))
    assert made.kind == "tiles"
    assert made.bounds == pytest.approx((111.5, 29.8, 113.5, 30.2), abs=1.40625 / 256)
    assert near(colour(held, made, 112.45, 30.0), (200, 30, 30, 255), 20)
    assert near(colour(held, made, 112.55, 30.0), (30, 30, 200, 255), 20)


def test_vector_tiles_become_lines_and_areas(held: Workspace, tmp_path: Path) -> None:
    shapes = {
        "roads": [shapely.LineString([(112.0, 30.0), (112.6, 30.6)])],
        "water": [shapely.box(112.1, 30.1, 112.3, 30.3) - shapely.box(112.15, 30.15, 112.25, 30.25)],
    }
    for layer, every in shapes.items():
        gpd.GeoDataFrame(geometry=every, crs=4326).to_file(
            tmp_path / f"{layer}.pmtiles", driver="PMTiles", layer=layer, MINZOOM=5, MAXZOOM=10
        )
    for layer, kind, wanted in (
        ("roads", "line", (112.0, 30.0, 112.6, 30.6)),
        ("water", "water", (112.1, 30.1, 112.3, 30.3)),
    ):
        path = tmp_path / f"{layer}.pmtiles"
        made = held.basemaps.add(path)
        drawn = json.loads(held.basemaps.content(made.name)[1])
        assert {one["properties"]["kind"] for one in drawn["features"]} == {kind}
        found = shapely.unary_union([shapely.geometry.shape(one["geometry"]) for one in drawn["features"]])
        assert found.bounds == pytest.approx(wanted, abs=0.0005)
        if kind == "water":
            assert found.area == pytest.approx(0.04 - 0.01, rel=0.01)  # the hole is one
        assert made.bounds == pytest.approx(wanted, abs=0.001)


@pytest.mark.parametrize("raw", [b"\x1a\x05\x12\x7f", b"\x1a" + b"\xff" * 20, b"\x1a\x04\x28\x01\x12\x00", b"\x07"])
def test_broken_vector_tiles_are_told(raw: bytes) -> None:
    with pytest.raises((ValueError, IndexError)):
        mvt.drawn(raw, 0, 0, 0, 100)


def test_tiles_along_the_curve() -> None:
    # the first of zoom 3 come after 1 + 4 + 16 tiles; a curve visits each once, stepping to a neighbour
    every = sorted((pmtiles.number(3, x, y), x, y) for x in range(8) for y in range(8))
    assert [one[0] for one in every] == list(range(21, 85))
    assert {abs(a[1] - b[1]) + abs(a[2] - b[2]) for a, b in itertools.pairwise(every)} == {1}


# --- refused --------------------------------------------------------------------------------------------------------


def refused(held: Workspace, path: Path) -> Refused:
    with pytest.raises(Refused) as told:
        held.basemaps.add(path)
    assert held.basemaps.every() == []
    assert not len(held.table("audit"))
    assert list((held.root / "basemaps").iterdir()) == []
    assert text(told.value.code, "zh", **told.value.params)
    return told.value


def test_what_is_no_base_map_is_refused(held: Workspace, tmp_path: Path) -> None:
    grey = np.ones((1, 50, 50), np.uint8)
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as out:
        out.write(geotiff(tmp_path / "in.tif", grey, "EPSG:4326", 112, 30, 0.01), "in.tif")
    (tmp_path / "a.png.tif").write_bytes(picture((1, 2, 3)))
    (tmp_path / "vrt.tif").write_text("<VRTDataset rasterXSize='1' rasterYSize='1'/>")
    (tmp_path / "empty.tif").write_bytes(b"")
    for name in ("a.csv", "a.zip", "a.png.tif", "vrt.tif", "empty.tif"):
        assert refused(held, tmp_path / name).code == "basemap_not_one"
    plain = geotiff(tmp_path / "plain.tif", grey, None, 112, 30, 0.01)
    assert refused(held, plain).code == "basemap_no_crs"
    assert refused(held, geotiff(tmp_path / "off.tif", grey, "EPSG:4326", 200, 30, 0.01)).code == "basemap_elsewhere"
    blank = geotiff(tmp_path / "blank.tif", grey, "EPSG:4326", 112, 30, 0.01, nodata=1)
    assert refused(held, blank).code == "basemap_blank"
    whole = geotiff(tmp_path / "whole.tif", np.ones((3, 500, 500), np.uint8), "EPSG:4326", 112, 30, 0.01).read_bytes()
    (tmp_path / "cut.tif").write_bytes(whole[: len(whole) // 2])
    assert refused(held, tmp_path / "cut.tif").code == "basemap_unreadable"
    with pytest.raises(Usage):
        held.basemaps.add(tmp_path / "nowhere.tif")


def test_bombs_are_refused_before_they_unpack(held: Workspace, tmp_path: Path) -> None:
    for name, size, more in (("wide", 200_000, {}), ("block", 30_000, {"blockxsize": 30_000, "blockysize": 30_000})):
        path = tmp_path / f"{name}.tif"
        with rasterio.open(path, "w", driver="GTiff", width=size, height=size, count=1, dtype="uint8", crs="EPSG:3857",
                           transform=from_origin(12_000_000, 3_500_000, 1, 1), sparse_ok=True, compress="deflate",
                           bigtiff="YES", tiled=True, **more):  # fmt: skip
            pass
        assert refused(held, path).code == "basemap_too_large"
    bomb = gzip.compress(bytes(200 << 20))
    box = (111.5, 29.8, 113.5, 30.2)
    assert refused(held, archive(tmp_path / "d.pmtiles", {}, 2, box, bomb)).code == "basemap_unreadable"
    huge = bytearray(picture((1, 1, 1)))
    huge[16:24] = struct.pack(">II", 60_000, 60_000)  # a PNG that says it is 60,000 pixels a side
    assert refused(held, archive(tmp_path / "p.pmtiles", {(0, 0, 0): bytes(huge)}, 2, box)).code == "basemap_unreadable"


def test_broken_pmtiles_are_refused(held: Workspace, tmp_path: Path) -> None:
    box = (111.5, 29.8, 113.5, 30.2)
    good = archive(tmp_path / "g.pmtiles", {(0, 0, 0): picture((1, 2, 3))}, 2, box).read_bytes()
    for name, raw in {
        "cut": good[:100],
        "nothing": good[:127],
        "old": good[:7] + b"\x02" + good[8:],
        "outside": good[:8] + struct.pack("<Q", 1 << 40) + good[16:],
        "kind": good[:99] + b"\x09" + good[100:],
    }.items():
        (tmp_path / f"{name}.pmtiles").write_bytes(raw)
        assert refused(held, tmp_path / f"{name}.pmtiles").code == "basemap_unreadable", name
    (tmp_path / "zstd.pmtiles").write_bytes(good[:97] + b"\x04" + good[98:])
    assert refused(held, tmp_path / "zstd.pmtiles").code == "basemap_packing"
    assert refused(held, archive(tmp_path / "w.pmtiles", {(0, 0, 0): b"x"}, 2, (113.0, 30, 112, 31))).code
    assert refused(held, archive(tmp_path / "e.pmtiles", {}, 2, box)).code == "basemap_blank"
    # a directory that leads to itself
    loop = gzip.compress(b"".join(map(varint, [1, 0, 0, 40, 1])))
    assert refused(held, archive(tmp_path / "l.pmtiles", {}, 2, box, loop)).code == "basemap_unreadable"


def test_a_limit_reached_is_told_and_leaves_nothing(held: Workspace, tmp_path: Path) -> None:
    (held.root / "settings.toml").write_text("upload_seconds = 0.01\n")
    path = geotiff(tmp_path / "a.tif", np.ones((1, 50, 50), np.uint8), "EPSG:4326", 112, 30, 0.01)
    told = refused(Workspace(held.root), path)
    assert told.code == "basemap_stopped"
    assert "超过时间上限" in text(told.code, "zh", **told.params)
    assert not list(held.root.glob(".tmp-*"))


def test_what_the_process_hands_over_is_checked(tmp_path: Path) -> None:
    good = {"kind": "geotiff", "bounds": [110, 29, 112, 31]}
    out = io.BytesIO()
    Image.new("RGBA", (4, 4), (1, 2, 3, 128)).save(out, "WEBP")
    (tmp_path / "image.webp").write_bytes(out.getvalue())
    assert convert.accepted(good, tmp_path).bounds == (110, 29, 112, 31)
    for told in (
        None,
        {**good, "kind": "svg"},
        {**good, "bounds": [110, 29, float("nan"), 31]},
        {**good, "bounds": ["110", 29, 112, 31]},
        {**good, "more": 1},
        {**good, "kind": "shapes"},
    ):
        with pytest.raises(Garbled):
            convert.accepted(told, tmp_path)
    for content in (b"<svg onload='x()'/>", out.getvalue() + b"<script>", b"RIFF"):
        (tmp_path / "image.webp").write_bytes(content)
        with pytest.raises(Garbled):
            convert.accepted(good, tmp_path)
    (tmp_path / "image.webp").unlink()
    (tmp_path / "image.webp").symlink_to("/etc/passwd")
    with pytest.raises(Garbled):
        convert.accepted(good, tmp_path)
    line = shapely.to_wkb(shapely.LineString([(0, 0), (1, 1)]))
    for kind, shape in (("script", line), ("line", b"\x01junk"), ("line", shapely.to_wkb(shapely.Point(900, 0)))):
        handover.write_table(
            pa.table({"kind": [kind], "shape": pa.array([shape], pa.binary())}), tmp_path / "shapes.arrow"
        )
        with pytest.raises(Garbled):
            convert.accepted({**good, "kind": "shapes"}, tmp_path)
