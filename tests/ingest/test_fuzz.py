"""Mangled uploads: whatever is in a file, its door gives rows that add up or an error that is told.

The same manglings every time; `checks/fuzz.py` goes on from here for as long as one likes. A crash that was found once
stays as a case of its own below.
"""

from __future__ import annotations

import io
import json
import random
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.ingest import fuzzed
from tests.ingest.made import box, codes, counts, give, shapefile, workbook, write

INPUTS = 60  # manglings of each seed


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("seed", fuzzed.seeds(), ids=lambda seed: seed.name)
def test_mangled_files(seed: Path, tmp_path: Path) -> None:
    assert fuzzed.holds(fuzzed.kind_of(seed), seed) != "rejected" or seed.name == "tracks.gga.nmea"
    found = {
        fuzzed.holds(fuzzed.kind_of(seed), fuzzed.mangle(seed, number, tmp_path / "a")) for number in range(INPUTS)
    }
    assert "rejected" in found or found & {"accepted", "accepted_with_warnings"}


def test_manglings_are_the_same_every_time_and_change_something(tmp_path: Path) -> None:
    for seed in fuzzed.seeds():
        parts = fuzzed.pieces(seed)
        chance = random.Random(1)
        changed = [fuzzed.mangled(content, chance) for _, content in parts for _ in range(20)]
        assert len(set(changed) - {content for _, content in parts}) > 5
    first, again = (fuzzed.mangle(fuzzed.seeds()[0], 7, tmp_path / str(n)).read_bytes() for n in range(2))
    assert first == again


cells = st.text(st.characters(codec="utf-8"), max_size=20) | st.sampled_from(
    ["2026-05-01 08:00", "112.1", "30,2", "-0", "1e400", "NaN", "112°60′", "K12+300", "长江", "左岸", "3斤", "46143.5", "24:00:00",
     "=1+1", "GCJ-02", "1777593600000", "东经112度", "POINT(112 30)", "POLYGON((0 0,1 1,1 0,0 0))", "POINT(1e400 NaN)"]
)  # fmt: skip
HEADERS = ["编号", "查获时间", "经度", "纬度", "船名", "MMSI", "名称", "wkt", "渔获重量(斤)", "里程", "河流", "岸别", "航速(节)", "row",
           "reason_zh", "坐标系", "开始时间", "结束时间", "单位"]  # fmt: skip
KINDS = ["river", "zones", "tracks", "patrols", "seizures", "units", "jurisdictions"]
calm = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.filterwarnings("ignore")
@calm
@given(
    kind=st.sampled_from(KINDS), header=st.lists(st.sampled_from(HEADERS), min_size=1, max_size=8),
    rows=st.lists(st.lists(cells, max_size=9), max_size=6), delimiter=st.sampled_from(",\t;|"),
    encoding=st.sampled_from(["utf-8", "gb18030", "utf-16", "utf-8-sig"]),
)  # fmt: skip
def test_any_table(
    tmp_path: Path, kind: str, header: list[str], rows: list[list[str]], delimiter: str, encoding: str
) -> None:
    import csv

    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([header, *rows])
    fuzzed.holds(kind, write(tmp_path / "a.csv", out.getvalue(), encoding))


numbers = st.floats() | st.integers(-(10**20), 10**20)
values = st.recursive(
    st.none() | st.booleans() | numbers | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)
points = st.lists(numbers, max_size=4)
lines = st.lists(points | values, max_size=5)
shapes = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["Point", "LineString", "Polygon", "MultiPolygon", "GeometryCollection", "Kreis"]),
        "coordinates": values | points | lines | st.lists(lines, max_size=3) | st.lists(st.lists(lines, max_size=2)),
        "geometries": values,
    }
)
features = st.fixed_dictionaries(
    {
        "type": st.just("Feature"),
        "id": values,
        "properties": values | st.dictionaries(st.sampled_from(HEADERS), values, max_size=4),
        "geometry": values | shapes,
    }
)


@pytest.mark.filterwarnings("ignore")
@calm
@given(
    kind=st.sampled_from(KINDS),
    document=values
    | features
    | st.fixed_dictionaries({"features": st.lists(features | values, max_size=4), "crs": values}),
)
def test_any_json(tmp_path: Path, kind: str, document: Any) -> None:
    fuzzed.holds(kind, write(tmp_path / "a.geojson", "{" + json.dumps(document)[1:]))


# --- found once ------------------------------------------------------------------------------------------------------


def test_flatgeobuf_is_read_at_all(tmp_path: Path) -> None:
    upload = give("zones", fuzzed.CORPUS / "zones.plain.fgb")
    assert counts(upload) == (2, 2, 0, 0, 0)
    assert upload.rows is not None
    assert sorted(upload.rows["name"]) == ["乙", "甲"]  # its writer puts neighbours beside each other
    assert upload.rows["geometry"].total_bounds.tolist() == [112.0, 30.0, 113.1, 30.1]


def test_half_a_surrogate_pair(tmp_path: Path) -> None:
    square = '{"type": "Polygon", "coordinates": [[[112,30],[112.1,30],[112.1,30.1],[112,30]]]}'
    feature = f'{{"type": "Feature", "properties": {{"编号": "a\\ud800", "\\udfff": [1]}}, "geometry": {square}}}'
    upload = give("zones", write(tmp_path / "a.geojson", feature))
    assert upload.rows is not None
    assert upload.rows["zone_id"].tolist() == ["a?"]


@pytest.mark.parametrize(
    "geometry",
    [
        '{"type": "Point", "coordinates": [{}]}',
        '{"type": "LineString", "coordinates": [{}, {"0": 1}]}',
        '{"type": "GeometryCollection", "geometries": true}',
        f'{{"type": "Point", "coordinates": [{"9" * 400}, 30]}}',
    ],
)
def test_coordinates_that_are_none_in_json(tmp_path: Path, geometry: str) -> None:
    feature = f'{{"type": "Feature", "properties": {{"编号": "Z1"}}, "geometry": {geometry}}}'
    upload = give("zones", write(tmp_path / "a.geojson", feature))
    assert counts(upload) == (1, 0, 1, 0, 0)
    assert codes(upload, "errors") == {"geometry_unreadable"}
    assert upload.quarantine is not None
    assert upload.quarantine["编号"].tolist() == ["Z1"]


def test_a_number_of_thousands_of_digits(tmp_path: Path) -> None:
    path = write(tmp_path / "a.geojson", f'{{"type": "Feature", "id": {"9" * 5000}, "geometry": null}}')
    assert codes(give("zones", path), "errors") == {"json_broken"}


@pytest.mark.parametrize("name", ["zlib", "a\x00b", "undefined", "idna", "unicode_escape"])
def test_a_code_page_that_is_no_encoding(tmp_path: Path, name: str) -> None:
    path = shapefile(tmp_path, "z", [[box(112, 30, 112.1, 30.1)]], {"编号": ["Z1"], "名称": ["禁渔区"]}, cpg=name)
    upload = give("zones", path.parent)
    assert upload.rows is not None
    assert upload.rows["name"].tolist() == ["禁渔区"]


def test_a_workbook_whose_xml_is_broken(tmp_path: Path) -> None:
    whole = workbook(tmp_path / "a.xlsx", [["编号", "查获时间"], ["A1", "2026-05-01"]])
    for member in ("xl/worksheets/sheet1.xml", "xl/workbook.xml"):
        broken = tmp_path / "b.xlsx"
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(broken, "w") as out:
            for name in source.namelist():
                content = source.read(name)
                out.writestr(name, content[: len(content) // 2] if name == member else content)
        assert codes(give("seizures", broken), "errors") == {"workbook_broken"}


def test_a_point_of_a_kml_track_that_is_no_number(tmp_path: Path) -> None:
    text = (fuzzed.CORPUS / "tracks.gx.kml").read_text().replace("112.001", "112x")
    upload = give("tracks", write(tmp_path / "a.kml", text))
    assert counts(upload) == (2, 1, 1, 0, 0)
    assert codes(upload, "errors") == {"geometry_unreadable"}


def test_a_geopackage_with_bytes_that_are_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    path.write_bytes((fuzzed.CORPUS / "zones.table.gpkg").read_bytes())
    with closing(sqlite3.connect(path)) as base:
        base.execute("DROP TRIGGER evil")
        base.execute("UPDATE zones SET 名称 = CAST(X'E7A681FF' AS TEXT)")
        base.commit()
    upload = give("zones", path)
    assert upload.rows is not None
    assert upload.rows["name"].tolist() == ["禁\ufffd", "禁\ufffd"]


def test_a_raster_that_lies_nowhere(tmp_path: Path) -> None:
    import numpy as np
    import rasterio
    from rasterio.transform import Affine

    path = tmp_path / "a.tif"
    for at in (1e300, 500.0):
        with rasterio.open(
            path, "w", driver="GTiff", width=4, height=4, count=1, dtype="uint8", crs="EPSG:4326",
            transform=Affine(0.1, 0, at, 0, -0.1, 30),
        ) as out:  # fmt: skip
            out.write(np.ones((1, 4, 4), dtype=np.uint8))
        assert codes(give("raster", path), "errors") == {"raster_broken"}


def test_an_archive_that_names_a_place_before_its_beginning(tmp_path: Path) -> None:
    data = bytearray((fuzzed.CORPUS / "seizures.two.zip").read_bytes())
    directory = data.index(b"PK\x01\x02")
    data[directory + 42 : directory + 46] = b"\xff\xff\xff\x7f"  # where the member begins
    end = data.index(b"PK\x05\x06")
    data[end + 16 : end + 20] = (directory + 5000).to_bytes(4, "little")  # where the directory begins
    (tmp_path / "a.zip").write_bytes(bytes(data))
    assert codes(give("seizures", tmp_path / "a.zip"), "errors") == {"archive_broken"}
    assert fuzzed.holds("seizures", fuzzed.mangle(fuzzed.CORPUS / "seizures.two.zip", 29, tmp_path / "b")) == "rejected"


def test_a_column_of_the_sender_called_as_ours(tmp_path: Path) -> None:
    """The quarantine file keeps our row numbers, and no header of it is run by a spreadsheet."""
    text = "row,编号,查获时间,经度,纬度,=cmd\nx,A1,没有,112,30,1\ny,A2,2026-05-01,112,30,1,多\nz,A3,没有,112,30,1\n"
    refused = give("seizures", write(tmp_path / "a.csv", text)).quarantine
    assert refused is not None
    assert refused["row"].tolist() == [1, 2, 3]
    assert refused["row_sent"].tolist() == ["x", "y", "z"]
    assert "'=cmd" in refused
    refused.to_csv(tmp_path / "again.csv", index=False)
    again = give("seizures", tmp_path / "again.csv").quarantine
    assert again is not None
    assert again.columns.tolist() == refused.columns.tolist()
