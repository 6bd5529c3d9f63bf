"""The offline base map: GeoJSON, styles and glyphs, made once from `data/` and shipped with the package.

    python -m geo_monitor.app.basemap                   # GeoJSON, styles, symbols
    python -m geo_monitor.app.basemap --font FONT.ttc   # also the glyphs, from a font with an open licence

Reads: natural-earth/{rivers_10m, lakes_10m, land_10m_estuary, land_50m, places_10m}, divisions/{provinces, localities},
`names.csv` beside this file (short Chinese names and their usual English spelling), and the river network for km marks.
Writes: `static/basemap/*.geojson`, `style-{day,night}-{zh,en}.json`, `glyphs/map/*.pbf`.

Nothing of an agency is ever read or written here: static files need no sign-in. Province borders are simplified twice,
for the whole basin and for a city, because the browser loads every byte before it draws the first pixel.
"""

from __future__ import annotations

import argparse
import csv
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from geo_monitor.app.rows import rows

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy as np

HERE = Path(__file__).parent
OUT = HERE / "static" / "basemap"
DECIMALS = 4  # degrees; 1e-4 is 11 m, a tenth of the accuracy of the best source here
FINE = 0.006  # degrees; about 600 m, below the 1 km of the division data
COARSE = 0.02  # degrees; about 2 km, under a pixel at the zooms of the whole basin
FRAME = (84.0, 18.0, 130.0, 45.0)  # degrees; borders and names are kept inside: the basin with a margin
ESTUARY = (118.0, 28.0, 122.5311, 34.0)  # degrees; where the finer land of the estuary is used
APART = 0.012  # degrees; two neighbours drew one border up to this far apart
OUTLINE = 0.05  # degrees; the province file is coarser than the localities by up to this
BORDER_INSET = 0.03  # degrees; borders nearer to the sea than this are the coast, which the land already draws
SEATS = {"西宁", "拉萨", "昆明", "成都", "武汉", "长沙", "南昌", "合肥", "南京", "贵阳", "西安", "兰州", "郑州", "杭州"}
ESTUARY_HEAD = 119.6064  # degrees east; the centre line of the source ends here, the estuary is drawn as water
WIDE_FROM = 111.3  # degrees east; below Yichang the Yangtze leaves the gorges and is over 1 km wide


@cache
def names(kind: str) -> dict[str, tuple[str, str]]:
    """Of one kind (locality, province, town, river, lake): name as in the data -> (short Chinese name, English).

    >>> names("locality")["荆州市"]
    ('荆州', 'Jingzhou')
    """
    with (HERE / "names.csv").open(encoding="utf-8", newline="") as file:
        return {row["name"]: (row["short"], row["en"]) for row in csv.DictReader(file) if row["kind"] == kind}


def feature(geometry: Any, decimals: int = DECIMALS, **properties: Any) -> dict[str, Any]:
    """One GeoJSON feature, empty properties left out, coordinates rounded to `decimals`."""
    import shapely

    shape = json.loads(shapely.to_geojson(geometry))
    shape["coordinates"] = _rounded(shape["coordinates"], decimals)
    kept = {key: value for key, value in properties.items() if value == value and value not in (None, "")}
    return {"type": "Feature", "properties": kept, "geometry": shape}


def _rounded(values: Any, decimals: int) -> Any:
    if isinstance(values, (int, float)):
        return round(float(values), decimals)
    return [_rounded(value, decimals) for value in values]


def _read(name: str) -> gpd.GeoDataFrame:
    import pyogrio

    from geo_monitor.reference import path

    return pyogrio.read_dataframe(path(name))


def land() -> list[dict[str, Any]]:
    """The ground: generalised land, and finer land around the estuary, where it alone draws both banks."""
    import shapely

    estuary = shapely.box(*ESTUARY)
    far = shapely.union_all(shapely.make_valid(_read("natural-earth/land_50m.geojson").geometry.to_numpy()))
    near = shapely.union_all(shapely.make_valid(_read("natural-earth/land_10m_estuary.geojson").geometry.to_numpy()))
    # the seam: a hair of overlap, or the antialiasing of two polygons shows it as a line
    far = shapely.difference(far, estuary.buffer(-0.01))
    near = shapely.intersection(near, estuary)
    whole = shapely.union_all([far, near])
    return [feature(shapely.simplify(part, 0.001)) for part in shapely.get_parts(whole) if part.area > 1e-4]


def lakes() -> list[dict[str, Any]]:
    """Lakes with their names; `rank` 1 (seen from afar) to 3."""
    known = names("lake")
    out = []
    for row in rows(_read("natural-earth/lakes_10m.geojson")):
        if row.geometry.area < 1e-4:  # square degrees, about 1 km2: slivers of the clipping, not lakes
            continue
        zh, en = known.get(str(row.name), (row.name_zh, None))
        rank = 1 if row.geometry.area > 0.07 else 2 if row.geometry.area > 0.02 else 3
        out.append(feature(row.geometry, zh=zh, en=en, rank=rank))
    return out


def rivers() -> list[dict[str, Any]]:
    """Centre lines by name; `size` 4 (the Yangtze below Yichang) to 1 (headwaters) gives the width."""
    import shapely

    known = names("river")
    out = []
    lines = _shipped_lines()
    for (river, main_stem, _), group in lines.groupby(["river", "main", "estuary"]):
        merged = shapely.line_merge(shapely.union_all(group.geometry.to_numpy()))
        (zh, en), main = known[str(river)], int(main_stem)
        upper = {"通天河": 1, "沱沱河": 1, "金沙江": 2, "长江": 3}
        for part in shapely.get_parts(merged):
            if part.bounds[2] > ESTUARY_HEAD + 0.01:
                # land ends here and the sea is the river: a line for its name and the km marks, not to be drawn
                out.append(feature(part, zh=zh, en=en, size=4, main=main, estuary=1))
                continue
            if river != "长江":
                size = upper[str(river)] if main else 1 if river in ("楚玛尔河", "丹江", "沱江") else 2
                out.append(feature(part, zh=zh, en=en, size=size, main=main))
                continue
            for piece, wide in _cut(part, WIDE_FROM):
                out.append(feature(piece, zh=zh, en=en, size=4 if wide else 3, main=main))
    return out


def _cut(line: Any, lon: float) -> list[tuple[Any, bool]]:
    """`line` in two at the meridian `lon`: (piece, lies east of it)."""
    import shapely

    pieces = []
    for half, east in ((shapely.box(-180, -90, lon, 90), False), (shapely.box(lon, -90, 180, 90), True)):
        inside = shapely.intersection(line, half)
        pieces += [(part, east) for part in shapely.get_parts(inside) if part.geom_type == "LineString" and part.length]
    return pieces


def _shipped_lines() -> gpd.GeoDataFrame:
    """The shipped centre lines, estuary included: river, main, geometry."""
    from geo_monitor import river
    from geo_monitor.river.lines import truth_value
    from geo_monitor.settings import Settings

    lines = river.shipped(Settings())[0]
    main = [int(truth_value(value) or False) for value in lines["main_stem"]]
    estuary = lines.geometry.bounds["maxx"] > ESTUARY_HEAD + 0.01
    return lines.assign(main=main, estuary=estuary)[["river", "main", "estuary", "geometry"]]


def borders() -> list[dict[str, Any]]:
    """Border lines, drawn once each: `level` province or city, `detail` coarse (whole basin) or fine.

    Neighbours in the division data share their vertices, so a border is told by the two polygons a segment belongs to:
    no overlay, and nothing drawn twice. Around the basin the finer localities also give the borders of the provinces.
    """
    import numpy as np
    import shapely

    units = _read("divisions/localities.geojson")
    ends, left, right = shared_segments(units.geometry.to_numpy())
    once = ~_drawn_apart(ends, left, right)
    ends, left, right = ends[once], left[once], right[once]
    parent = np.append(units["parent"].to_numpy(), "")  # -1, nobody on the other side, is the last
    states = _read("divisions/provinces.geojson")
    # where two neighbours were drawn apart, each segment has one owner although it lies inside the province
    outline = shapely.STRtree(shapely.get_parts(shapely.boundary(states.geometry.to_numpy())))
    near = outline.query(shapely.points(ends.mean(axis=1)), predicate="dwithin", distance=OUTLINE)[0]
    on_outline = np.zeros(len(ends), dtype=bool)
    on_outline[near] = True
    city = (parent[left] == parent[right]) | ((right < 0) & ~on_outline)
    far_ends, far_left, far_right = shared_segments(states.geometry.to_numpy())
    ours = np.append(states["adcode"].isin(parent).to_numpy(), False)
    beyond = ~(ours[far_left] | ours[far_right])

    ground = shapely.union_all([shapely.from_geojson(json.dumps(part["geometry"])) for part in land()])
    inland = shapely.intersection(ground.buffer(-BORDER_INSET), shapely.box(*FRAME))
    shapely.prepare(inland)
    province = np.concatenate([ends[~city], far_ends[beyond]])
    out = []
    # the style shows city borders from zoom 6 on, where only the fine ones serve
    for level, segments, detail, tolerance in (
        ("province", province, "coarse", COARSE),
        ("province", province, "fine", FINE),
        ("city", ends[city], "fine", FINE),
    ):
        merged = shapely.line_merge(shapely.multilinestrings(shapely.linestrings(segments)))
        lines = shapely.intersection(shapely.simplify(shapely.get_parts(merged), tolerance), inland)
        parts = [p for p in shapely.get_parts(lines) if p.geom_type == "LineString" and p.length > BORDER_INSET / 3]
        out.append(feature(shapely.MultiLineString(parts), 3, level=level, detail=detail))
    return out


def shared_segments(polygons: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each segment of the polygons' rings once: ends (n, 2, 2) in degrees, and the rows of the one or two polygons.

    The second row is -1 where only one polygon has the segment.

    >>> import shapely
    >>> ends, a, b = shared_segments([shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    >>> len(ends), ends[(b >= 0)].tolist()
    (7, [[[1.0, 0.0], [1.0, 1.0]]])
    """
    import numpy as np
    import shapely

    parts, owner = shapely.get_parts(polygons, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    points, ring = shapely.get_coordinates(rings, return_index=True)
    follows = ring[1:] == ring[:-1]
    fixed = np.round(points * 1e4).astype(np.int64)  # exact keys; the data are drawn to 1e-3 degrees
    ends = np.hstack([fixed[:-1], fixed[1:]])[follows]
    of = owner[part[ring[:-1]]][follows]
    turned = (ends[:, 0] > ends[:, 2]) | ((ends[:, 0] == ends[:, 2]) & (ends[:, 1] > ends[:, 3]))
    ends[turned] = ends[turned][:, [2, 3, 0, 1]]
    unique, number = np.unique(ends, axis=0, return_inverse=True)
    number = number.ravel()
    first, second = np.full(len(unique), -1), np.full(len(unique), -1)
    second[number] = of  # the last to write stays ...
    first[number[::-1]] = of[::-1]  # ... and the first, so that two owners end in the two arrays
    second[second == first] = -1
    return unique.reshape(-1, 2, 2) / 1e4, first, second


def _drawn_apart(ends: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """True for segments of one owner that run beside a segment of an earlier polygon: the same border drawn twice."""
    import numpy as np
    import shapely

    alone = np.flatnonzero(right < 0)
    tree = shapely.STRtree(shapely.linestrings(ends[alone]))
    middles = shapely.points(ends[alone].mean(axis=1))
    mine, other = tree.query(middles, predicate="dwithin", distance=APART)
    again = np.zeros(len(ends), dtype=bool)
    again[alone[mine[left[alone[other]] < left[alone[mine]]]]] = True
    return again


def places() -> list[dict[str, Any]]:
    """Names of towns and provinces.

    Chinese names come with the divisions (the other source has pinyin only) at the seat of the locality. `rank` orders
    them: 1 a provincial seat or a municipality, 2 a city of a million, 3 another city, 4 a district or small town.
    """
    import shapely

    towns = _read("natural-earth/places_10m.geojson")
    x, y = towns.geometry.x.to_numpy(), towns.geometry.y.to_numpy()
    people = towns["pop_max"].to_numpy()
    frame = shapely.box(*FRAME)
    out: list[dict[str, Any]] = []
    known = names("locality")
    for row in rows(_read("divisions/localities.geojson")):
        zh, en = known[row.name]
        near = (abs(x - row.label_lon) < 0.15) & (abs(y - row.label_lat) < 0.15)
        if row.parent_name in ("上海", "重庆"):
            rank = 4 if row.name in ("万州区", "涪陵区") else 5
        elif zh in SEATS:
            rank = 1
        else:
            rank = 2 if near.any() and people[near].max() >= 1_000_000 else 3
        point = shapely.Point(row.label_lon, row.label_lat)
        if row.name != "渝中区" and shapely.contains(frame, point):
            out.append(feature(point, kind="town", zh=zh, en=en, rank=rank))
    for name, (zh, en) in names("town").items():
        row = towns[towns["name"] == name]
        row = row[row["adm1name"] == "Fujian"] if name == "Fuzhou" else row
        out.append(feature(row.geometry.iloc[0], kind="town", zh=zh, en=en, rank=4))
    known = names("province")
    for row in rows(_read("divisions/provinces.geojson")):
        zh, en = known[row.name]
        if row.name in ("上海", "重庆"):
            seat = shapely.Point(121.4726, 31.2317) if row.name == "上海" else shapely.Point(106.5582, 29.5690)
            out.append(feature(seat, kind="town", zh=zh, en=en, rank=1))
            continue
        largest = max(shapely.get_parts(row.geometry), key=lambda part: part.area)
        # the middle of the widest room inside the province: the seat already carries the name of its town
        middle = shapely.get_point(shapely.maximum_inscribed_circle(largest, 0.05), 0)
        if shapely.contains(frame, middle):
            out.append(feature(middle, kind="province", zh=zh, en=en))
    return out


def marks() -> list[dict[str, Any]]:
    """Kilometre marks along the rivers, `step` 100, 10 or (main stem, navigable part) 1 km.

    They follow the chainage of the network as drawn, uncalibrated: the one the demonstration and its reaches use.
    """
    import numpy as np
    import shapely

    from geo_monitor import river
    from geo_monitor.settings import Settings

    settings = Settings()
    lines, lakes, official = river.shipped(settings)
    network = river.build(lines, lakes, official, reach_length_m=settings.reach_length_m, settings=settings)
    channel = network.reaches[(network.reaches["kind"] == "channel") & network.reaches["side"].isna()]
    spans = channel.groupby("river").agg(low=("km_from", "min"), high=("km_to", "max"))
    out = []
    for name, span in spans.iterrows():
        every = 1 if name == "长江" else 10
        km = np.arange(np.ceil(span.low / every) * every, span.high + 1e-9, every)
        lon, lat = network.point(np.full(len(km), name, dtype=object), km)
        for at, x, y in zip(km, lon, lat, strict=True):
            if np.isfinite(x) and (at or name == "长江"):  # K0 of a tributary would read as the sea
                step = 100 if at % 100 == 0 else 10 if at % 10 == 0 else 1
                out.append(feature(shapely.Point(x, y), km=int(at), step=step))
    return out


LAYERS = {"land": land, "lakes": lakes, "rivers": rivers, "borders": borders, "places": places, "marks": marks}


def geojson(name: str) -> str:
    """The text of `static/basemap/<name>.geojson`, compact: the same data give the same bytes."""
    collection = {"type": "FeatureCollection", "features": LAYERS[name]()}
    return json.dumps(collection, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def main(argv: list[str] | None = None) -> None:
    from geo_monitor.app import fonts, glyphs, layers, look, style, symbols

    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--font", type=Path, help="an OpenType font with an open licence; makes the glyph ranges anew")
    parser.add_argument("--only", choices=sorted(LAYERS), action="append", help="only these layers")
    options = parser.parse_args(argv)
    OUT.mkdir(parents=True, exist_ok=True)
    for name in options.only or LAYERS:
        text = geojson(name)
        (OUT / f"{name}.geojson").write_text(text, encoding="utf-8")
        print(f"{name}.geojson {len(text.encode()) / 1000:.0f} kB")
    for theme in style.THEMES:
        for lang in ("zh", "en"):
            text = json.dumps(style.style(theme, lang), ensure_ascii=False, separators=(",", ":")) + "\n"
            (OUT / f"style-{theme}-{lang}.json").write_text(text, encoding="utf-8")
    for colours in look.LOOKS.values():
        symbols.sheet(colours, layers.SYMBOLS, OUT.parent / f"symbols-{colours.name}.png")
        symbols.units(colours, OUT.parent / f"units-{colours.name}.png")
    fonts.write()
    if options.font:
        print(f"glyphs {glyphs.write(options.font, OUT / 'glyphs' / style.FONT) / 1000:.0f} kB")


if __name__ == "__main__":
    main()
