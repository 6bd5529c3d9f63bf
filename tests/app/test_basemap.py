"""The committed base map is what the data make, is whole, is small, and asks nobody on the internet."""

import json

import pytest

from geo_monitor.app import basemap, style

SIXTEEN = {
    *("长江", "金沙江", "通天河", "沱沱河", "沱江", "沅江", "汉江", "赣江", "大渡河", "岷江", "乌江", "湘江", "嘉陵江"),
    *("雅砻江", "楚玛尔河", "丹江"),
}


def features(name):
    text = (basemap.OUT / f"{name}.geojson").read_text(encoding="utf-8")
    return json.loads(text, parse_constant=lambda value: pytest.fail(f"{value} is no JSON"))["features"]


@pytest.mark.parametrize("name", sorted(basemap.LAYERS))
def test_the_committed_file_is_what_the_data_make(name):
    committed = json.loads((basemap.OUT / f"{name}.geojson").read_text(encoding="utf-8"))
    made = json.loads(basemap.geojson(name))
    assert len(made["features"]) == len(committed["features"])
    for one, other in zip(made["features"], committed["features"], strict=True):
        assert one["properties"] == other["properties"]
        assert list(numbers(one["geometry"])) == pytest.approx(list(numbers(other["geometry"])), abs=2e-4)


def numbers(geometry):
    def walk(value):
        if isinstance(value, list):
            for item in value:
                yield from walk(item)
        else:
            yield value

    return walk(geometry["coordinates"])


@pytest.mark.parametrize("theme", sorted(style.THEMES))
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_committed_style_is_what_the_code_makes_and_all_local(theme, lang):
    text = (basemap.OUT / f"style-{theme}-{lang}.json").read_text(encoding="utf-8")
    assert json.loads(text) == style.style(theme, lang)
    assert "://" not in text
    for source in json.loads(text)["sources"].values():
        assert (basemap.OUT / source["data"].rsplit("/", 1)[1]).exists()


def fields(data):
    """Protocol Buffers, length-delimited and varint fields only: an independent reader of the format."""
    at = 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        key = varint()
        if key & 7 == 2:
            size = varint()
            yield key >> 3, data[at : at + size]
            at += size
        else:
            assert key & 7 == 0
            yield key >> 3, varint()


def test_all_256_glyph_ranges_are_there_and_readable():
    folder = basemap.OUT / "glyphs" / style.FONT
    held = {}
    for start in range(0, 65536, 256):
        ((field, body),) = fields((folder / f"{start}-{start + 255}.pbf").read_bytes())
        assert field == 1
        parts = list(fields(body))
        assert parts[0] == (1, style.FONT.encode())
        assert parts[1] == (2, f"{start}-{start + 255}".encode())
        for _, glyph in parts[2:]:
            told = dict(fields(glyph))
            held[told[1]] = told
            if told.get(2):
                assert len(told[2]) == (told[3] + 6) * (told[4] + 6)  # a border of 3 pixels all around
    assert {ord(c) for c in "AZaz09 K–•·，。（）"} <= set(held)


def test_the_letter_l_is_a_filled_stroke():
    folder = basemap.OUT / "glyphs" / style.FONT
    ((_, body),) = fields((folder / "0-255.pbf").read_bytes())
    glyph = next(told for told in (dict(fields(g)) for f, g in fields(body) if f == 3) if told[1] == ord("l"))
    # 191 = 255 * (1 - 0.25) is the outline: inside it is more, at the corner of the border less
    assert max(glyph[2]) > 191 > glyph[2][0]


def test_every_river_of_the_data_is_drawn_and_named():
    rivers = features("rivers")
    assert {one["properties"]["zh"] for one in rivers} == SIXTEEN
    assert all(one["properties"]["en"] for one in rivers)


def test_the_big_cities_and_lakes_have_their_chinese_names():
    towns = {one["properties"]["zh"] for one in features("places")}
    assert {"重庆", "宜昌", "武汉", "九江", "安庆", "南京", "南通", "上海", "石首"} <= towns
    lakes = {one["properties"].get("zh") for one in features("lakes")}
    assert {"鄱阳湖", "洞庭湖", "太湖", "巢湖", "丹江口水库"} <= lakes


def test_names_cover_every_locality_once():
    told = json.loads(basemap_data("divisions/localities.geojson"))
    names = basemap.names("locality")
    assert {one["properties"]["name"] for one in told["features"]} == set(names)
    assert all(zh and en and en[0].isupper() and en.isascii() for zh, en in names.values())


def basemap_data(name):
    from geo_monitor.reference import path

    return path(name).read_text(encoding="utf-8")


def test_km_marks_fall_towards_the_sea():
    # cities from west to east along the Yangtze, each a degree or more apart: (name, lon, lat)
    cities = [("宜宾", 104.63, 28.77), ("重庆", 106.56, 29.57), ("宜昌", 111.28, 30.70), ("武汉", 114.30, 30.60),
              ("九江", 115.99, 29.71), ("南京", 118.77, 32.05), ("南通", 120.87, 32.02)]  # fmt: skip
    main = [one for one in features("marks") if one["properties"]["step"] in (1, 10, 100)]
    found = []
    for _, lon, lat in cities:
        near = min(
            main,
            key=lambda m, x=lon, y=lat: (
                (m["geometry"]["coordinates"][0] - x) ** 2 + (m["geometry"]["coordinates"][1] - y) ** 2
            ),
        )
        found.append(near["properties"]["km"])
    assert found == sorted(found, reverse=True)
    assert len(set(found)) == len(found)


def test_the_base_map_stays_small():
    total = sum(file.stat().st_size for file in basemap.OUT.rglob("*") if file.is_file())
    assert total < 3_000_000


def test_static_files_hold_the_base_map_only():
    served = {file.relative_to(basemap.OUT.parent).parts[0] for file in basemap.OUT.parent.rglob("*") if file.is_file()}
    assert served == {"basemap", "fonts", "symbols-day.png", "symbols-night.png", "units-day.png", "units-night.png"}
