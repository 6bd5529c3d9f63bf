"""Zones, jurisdictions and rivers in every format they are sent in."""

from __future__ import annotations

import json
import sqlite3
import struct
import zipfile
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from tests.ingest.made import box, codes, counts, give, shapefile, write

A, B = box(112.0, 29.5, 112.1, 29.6), box(112.2, 29.5, 112.3, 29.6)
NAMES = ["城陵矶江段", "嘉鱼江段"]
LINE = [(112.0, 29.5), (112.2, 29.6), (112.4, 29.55)]


def kml(placemarks: list[tuple[str, str]]) -> str:
    body = "".join(f"<Placemark><name>{name}</name>{shape}</Placemark>" for name, shape in placemarks)
    return f'<?xml version="1.0" encoding="UTF-8"?><kml xmlns="http://www.opengis.net/kml/2.2"><Document>{body}</Document></kml>'


def kml_polygon(ring: list[tuple[float, float]]) -> str:
    told = " ".join(f"{x},{y},0" for x, y in ring)
    return f"<Polygon><outerBoundaryIs><LinearRing><coordinates>{told}</coordinates></LinearRing></outerBoundaryIs></Polygon>"


def polygons(folder: Path, form: str) -> Path:
    if form == "gpkg":
        path = folder / "areas.gpkg"
        shapes = [shapely.Polygon(A), shapely.Polygon(B)]
        gpd.GeoDataFrame({"名称": NAMES}, geometry=shapes, crs=4490).to_file(path, driver="GPKG")
        return path
    if form == "geojson":
        features = [
            {"type": "Feature", "properties": {"名称": name}, "geometry": {"type": "Polygon", "coordinates": [ring]}}
            for name, ring in zip(NAMES, (A, B), strict=True)
        ]
        text = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)
        return write(folder / "areas.geojson", text)
    if form == "kml":
        told = [(name, kml_polygon(ring)) for name, ring in zip(NAMES, (A, B), strict=True)]
        return write(folder / "areas.kml", kml(told))
    shapefile(folder / "shp", "禁渔区", [[A], [B]], {"名称": NAMES})
    if form == "folder":
        return folder / "shp"
    path = folder / "areas.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for part in sorted((folder / "shp").iterdir()):
            archive.write(part, f"data/areas{part.suffix}")
    return path


FORMS = ("zip", "folder", "gpkg", "geojson", "kml")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ["zones", "jurisdictions"])
def test_polygons_in_every_format(tmp_path: Path, kind: str, form: str) -> None:
    upload = give(kind, polygons(tmp_path, form), agency="湖北省渔政")
    assert upload.receipt.status == "accepted", upload.receipt
    assert counts(upload) == (2, 2, 0, 0, 0)
    assert sorted(upload.rows["name"]) == sorted(NAMES)
    assert set(upload.rows["agency"]) == {"湖北省渔政"}
    assert set(upload.rows["version"]) == {1}
    bounds = upload.rows.set_index("name").geometry.bounds
    assert bounds.loc["城陵矶江段"].tolist() == pytest.approx([112.0, 29.5, 112.1, 29.6], abs=1e-9)
    crs = upload.receipt.crs
    assert crs["used"] == ("EPSG:4490" if form in ("zip", "folder", "gpkg") else "EPSG:4326")
    if form in ("zip", "folder"):
        assert upload.receipt.encoding["used"] == "gb18030"
        assert "cgcs2000_as_wgs84" in codes(upload)


@pytest.mark.parametrize("form", FORMS)
def test_river_lines_in_every_format(tmp_path: Path, form: str) -> None:
    shape = shapely.LineString(LINE)
    if form == "gpkg":
        path = tmp_path / "r.gpkg"
        gpd.GeoDataFrame({"河流名称": ["长江"]}, geometry=[shape], crs=4490).to_file(path, driver="GPKG")
    elif form == "geojson":
        feature = {"type": "Feature", "properties": {"river": "长江"}, "geometry": shapely.geometry.mapping(shape)}
        path = write(tmp_path / "r.geojson", json.dumps({"type": "FeatureCollection", "features": [feature]}))
    elif form == "kml":
        told = " ".join(f"{x},{y}" for x, y in LINE)
        path = write(tmp_path / "r.kml", kml([("长江", f"<LineString><coordinates>{told}</coordinates></LineString>")]))
    else:
        path = shapefile(tmp_path / "shp", "river", [[LINE]], {"河流": ["长江"]}, kind=3).parent
        if form == "zip":
            path = tmp_path / "r.zip"
            with zipfile.ZipFile(path, "w") as archive:
                for part in sorted((tmp_path / "shp").iterdir()):
                    archive.write(part, part.name)
    upload = give("river", path)
    assert upload.receipt.status == "accepted"
    row = upload.rows.iloc[0]
    assert (row["river"], row["what"]) == ("长江", "channel")
    assert shapely.get_coordinates(row.geometry).tolist() == pytest.approx(shapely.get_coordinates(shape), abs=1e-9)
    assert pd.isna(row["accuracy_m"])
    assert "accuracy_assumed" in codes(upload)


def test_lakes_marks_and_what_columns_tell_of_a_river(tmp_path: Path) -> None:
    line = {"type": "LineString", "coordinates": LINE}
    lake = {"type": "Polygon", "coordinates": [A]}
    mark = {"type": "Point", "coordinates": [112.2, 29.6]}
    features = [
        {"type": "Feature", "properties": {"river": "长江", "accuracy_m": 30, "mouth": "end", "main_stem": "是"}, "geometry": line},
        {"type": "Feature", "properties": {"river": "洞庭湖"}, "geometry": lake},
        {"type": "Feature", "properties": {"river": "长江", "里程（km）": "K1405+300"}, "geometry": mark},
        {"type": "Feature", "properties": {"river": "长江"}, "geometry": mark},
    ]  # fmt: skip
    path = write(tmp_path / "r.geojson", json.dumps({"type": "FeatureCollection", "features": features}))
    upload = give("river", path)
    assert counts(upload) == (4, 3, 1, 0, 0)
    assert codes(upload, "errors") == {"mark_without_km"}
    rows = upload.rows.set_index("what")
    assert sorted(rows.index) == ["channel", "lake", "mark"]
    assert rows.loc["mark", "km"] == pytest.approx(1405.3)
    assert rows.loc["channel", ["accuracy_m", "mouth", "main_stem"]].tolist() == [30, "end", "是"]
    given = give("river", path, accuracy=80.0)
    assert given.rows.set_index("what").loc["channel", "accuracy_m"] == 80
    assert "accuracy_assumed" not in codes(given)


def test_jurisdictions_of_one_name_are_parts_of_one(tmp_path: Path) -> None:
    path = shapefile(
        tmp_path / "j", "xian", [[A], [B], [box(113, 30, 113.1, 30.1)]],
        {"县名": ["监利市", "监利市", "洪湖市"], "区划代码": ["", "421023", "421083"]}, cpg="GBK",
    ).parent  # fmt: skip
    upload = give("jurisdictions", path)
    assert counts(upload) == (3, 3, 0, 0, 0)
    rows = upload.rows.set_index("name")
    assert len(rows) == 2
    assert rows.loc["监利市"].geometry.equals(shapely.union_all([shapely.Polygon(A), shapely.Polygon(B)]))
    assert rows.loc["监利市", "adcode"] == "421023"  # told by one of its parts
    assert rows["level"].to_dict() == {"监利市": "county", "洪湖市": "county"}
    assert "parts_joined" in codes(upload)


def test_a_jurisdiction_repeated_to_the_letter_is_unchanged(tmp_path: Path) -> None:
    path = shapefile(tmp_path / "j", "x", [[A], [A], [B]], {"name": ["a", "a", "a"], "adcode": ["1", "1", "1"]}).parent
    upload = give("jurisdictions", path)
    assert counts(upload) == (3, 2, 0, 1, 0)
    assert codes(upload, "warnings") == {"duplicate_rows"}


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("3月1日至6月30日", ("03-01", "06-30")),
        ("3月1日0时至6月30日24时", ("03-01", "06-30")),
        ("每年3月1日零时—6月30日24时", ("03-01", "06-30")),
        ("11月1日-次年2月28日", ("11-01", "02-28")),
        ("3.1-6.30", ("03-01", "06-30")),
        ("03-01~06-30", ("03-01", "06-30")),
        ("全年", (None, None)),
        ("常年禁捕", (None, None)),
    ],
)
def test_seasons(tmp_path: Path, cell: str, expected: tuple[str | None, str | None]) -> None:
    path = shapefile(tmp_path / "z", "z", [[A]], {"编号": ["Z1"], "禁渔期": [cell]}).parent
    upload = give("zones", path)
    assert upload.receipt.status == "accepted", upload.receipt.warnings
    found = upload.rows.iloc[0]
    assert tuple(None if pd.isna(found[n]) else found[n] for n in ("season_from", "season_to")) == expected


def test_a_season_that_can_not_be_read_is_told(tmp_path: Path) -> None:
    path = shapefile(tmp_path / "z", "z", [[A]], {"编号": ["Z1"], "禁渔期": ["按当年通告"]}).parent
    assert codes(give("zones", path), "warnings") == {"season_unreadable"}


def test_when_a_zone_is_in_force(tmp_path: Path) -> None:
    path = shapefile(
        tmp_path / "z", "z", [[A], [B]],
        {"zone_id": ["1", "2"], "生效日期": ["2021-01-01", "2021年1月1日"], "有效期至": ["2024-12-31", ""]},
    ).parent  # fmt: skip
    upload = give("zones", path)
    first, second = upload.rows.iloc[0], upload.rows.iloc[1]
    # midnight in China is 16:00 UTC of the day before; "valid to" the last of a day counts that day in full
    assert first["valid_from"] == second["valid_from"] == pd.Timestamp("2020-12-31T16:00Z")
    assert first["valid_to"] == pd.Timestamp("2024-12-31T16:00Z")
    assert pd.isna(second["valid_to"])
    assert {"time_zone_assumed"} <= codes(upload)
    assert upload.receipt.status == "accepted"


def test_polygons_without_a_name_or_a_shape(tmp_path: Path) -> None:
    nameless = shapefile(tmp_path / "z", "z", [[A]], {"remark": ["x"]}).parent
    upload = give("zones", nameless)
    assert upload.receipt.status == "rejected"
    assert codes(upload, "errors") == {"columns_missing"}
    told = upload.receipt.to_json("en")["errors"][0]
    assert "zone_id" in told["message"]
    assert told["hint"]
    assert "--columns" in told["hint"]
    shapeless = write(tmp_path / "z.csv", "zone_id,name\n1,a\n")
    assert codes(give("zones", shapeless), "errors") == {"shapes_missing"}


def test_metres_without_a_zone_ask_for_the_system(tmp_path: Path) -> None:
    ring = box(500_000, 3_260_000, 501_000, 3_261_000)
    path = shapefile(tmp_path / "z", "z", [[ring]], {"name": ["a"]}, prj=None).parent
    upload = give("zones", path)
    assert upload.receipt.status == "rejected"
    assert codes(upload, "errors") == {"choice_needed"}
    hint = upload.receipt.to_json("zh")["errors"][0]
    assert "--crs" in hint["hint"] + hint["message"]
    given = give("zones", path, crs="EPSG:4546")  # CGCS2000, three degrees around 111°E: x 500,000 is the meridian
    assert given.rows.geometry.iloc[0].bounds[0] == pytest.approx(111.0, abs=1e-7)
    assert given.receipt.crs["how"] == "given"


@pytest.mark.parametrize(
    ("written", "declared", "warned"),
    [
        ("gbk", "GBK", False),
        ("gbk", "gb2312", False),
        ("gb18030", "GB18030", False),
        ("utf-8", "UTF-8", False),
        ("utf-8-sig", "utf-8", False),
        ("utf-8", None, False),
        ("utf-16", "UTF-16", False),
        ("gbk", "UTF-8", True),  # a program that writes what the machine speaks under the head it always writes
        ("utf-8", "GB2312", True),
        ("gbk", None, True),  # without a word XML is UTF-8
    ],
)
def test_xml_in_the_encodings_it_is_sent_in(tmp_path: Path, written: str, declared: str | None, warned: bool) -> None:
    """expat knows none of China's; programs that ask Windows write them."""
    names = [f"{name}禁捕区（{number}）" for number in range(3) for name in NAMES]
    text = kml([(name, kml_polygon(A)) for name in names])
    head = "" if declared is None else f'<?xml version="1.0" encoding="{declared}"?>\n'
    path = tmp_path / "禁捕区.kml"
    path.write_bytes((head + text.partition("?>")[2]).encode(written))
    upload = give("zones", path)
    assert upload.rows["name"].tolist() == names
    assert codes(upload, "warnings") == ({"encoding_declared_wrong"} if warned else set())
    used = upload.receipt.encoding["used"]
    assert used == {"gbk": "gb18030", "utf-8-sig": "utf-8"}.get(written, written)


def test_xml_of_a_given_encoding(tmp_path: Path) -> None:
    path = tmp_path / "a.kml"
    path.write_bytes(kml([("長江禁漁區", kml_polygon(A))]).replace("UTF-8", "Big5").encode("big5"))
    assert give("zones", path, encoding="big5").rows["name"].tolist() == ["長江禁漁區"]
    assert give("zones", path).rows["name"].tolist() == ["長江禁漁區"]


def test_a_ring_of_kml_that_is_not_closed_is_told(tmp_path: Path) -> None:
    told = [("甲", kml_polygon(A[:-1])), ("乙", kml_polygon(B))]
    upload = give("zones", write(tmp_path / "a.kml", kml(told)))
    (warning,) = [one for one in upload.receipt.warnings if one.code == "ring_closed"]
    assert warning.rows == (1,) and len(upload.rows) == 2


def test_why_a_member_was_left_out_is_told_in_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("甲.kml", kml([("甲", kml_polygon(A))]))
        archive.writestr("乙.kml", "<kml><Placemark>")
    receipt = give("zones", path).receipt
    told = {lang: receipt.to_json(lang)["warnings"] for lang in ("zh", "en")}
    (zh,), (en,) = ([one["message"] for one in told[lang] if one["code"] == "member_skipped"] for lang in ("zh", "en"))
    assert "已跳过：“乙.kml”的 XML 有错误" in zh
    assert 'was skipped: The XML of "乙.kml" is broken' in en


NAN, INF = float("nan"), float("inf")
RINGS = {
    "开口": A[:-1],
    "断点": [*A[:2], (NAN, NAN), *A[3:]],
    "首尾": [(NAN, NAN), *A[1:4], (NAN, NAN)],
    "无穷": [*A[:2], (INF, 29.6), *A[3:]],
    "好的": B,
}


def ring_wkb(ring: list[tuple[float, float]]) -> bytes:
    return struct.pack("<B3I", 1, 3, 1, len(ring)) + b"".join(struct.pack("<2d", *xy) for xy in ring)


def with_rings(folder: Path, form: str) -> Path:
    names, rings = list(RINGS), list(RINGS.values())
    if form == "shapefile":
        shapefile(folder / "shp", "zones", [[ring] for ring in rings], {"名称": names})
        return folder / "shp"
    if form == "parquet":
        path = folder / "zones.parquet"
        geo = {"primary_column": "geometry", "columns": {"geometry": {"encoding": "WKB"}}}
        table = pa.table({"名称": names, "geometry": [ring_wkb(ring) for ring in rings]})
        pq.write_table(table.replace_schema_metadata({"geo": json.dumps(geo)}), path)
        return path
    path = folder / "zones.gpkg"
    valid = [shapely.Polygon(B)] * len(names)
    gpd.GeoDataFrame({"名称": names}, geometry=valid, crs=4490).to_file(path, driver="GPKG")
    with closing(sqlite3.connect(path)) as base:
        for (trigger,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            base.execute(f'DROP TRIGGER "{trigger}"')
        head = b"GP\0\1" + struct.pack("<i", 4490)
        for name, ring in RINGS.items():
            base.execute("UPDATE zones SET geom = ? WHERE 名称 = ?", (head + ring_wkb(ring), name))
        base.commit()
    return path


@pytest.mark.parametrize("form", ["shapefile", "gpkg", "parquet"])
def test_open_rings_are_closed_and_told_and_no_number_is_no_place(tmp_path: Path, form: str) -> None:
    upload = give("zones", with_rings(tmp_path, form))
    assert sorted(upload.rows["name"]) == sorted(["开口", "好的"])
    closed = next(message for message in upload.receipt.warnings if message.code == "ring_closed")
    assert (closed.params["count"], closed.rows) == (1, (1,))
    (refused,) = upload.receipt.errors
    assert (refused.code, refused.rows) == ("coordinate_not_finite", (2, 3, 4))


def test_a_prj_in_gbk_is_told_as_written(tmp_path: Path) -> None:
    shapefile(tmp_path / "s", "x", [[A]], {"名称": ["嘉鱼"]}, prj=None)
    (tmp_path / "s" / "x.prj").write_bytes("嘉鱼县独立坐标系".encode("gbk"))
    upload = give("zones", tmp_path / "s")
    told = [str(message.params) for form in ("warnings", "errors") for message in getattr(upload.receipt, form)]
    assert any("嘉鱼县独立坐标系" in text for text in told)
