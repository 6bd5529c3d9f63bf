"""Files that mean harm or are broken: each ends in a receipt that says why, and nothing gets out. Made by hand here."""

from __future__ import annotations

import io
import sqlite3
import stat
import struct
import zipfile
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
import shapely

from geo_monitor.errors import Refused
from geo_monitor.ingest import Upload, archives
from geo_monitor.settings import Settings
from tests.ingest.made import box, codes, counts, give, shapefile, write

HEAD = "编号,查获时间,经度,纬度,地点,渔获重量\n"
ROW = "A{0},2026-05-01 08:{0:02d}:00,112.0,30.0,江边,1.5\n"


def refused(upload: Upload) -> str:
    """The one reason of a refused upload, which is worded in both languages and says what to do."""
    receipt = upload.receipt
    assert receipt.status == "rejected"
    assert upload.rows is None
    for lang in ("zh", "en"):
        (error,) = receipt.to_json(lang)["errors"]  # type: ignore[arg-type]
        assert error["message"]
        assert error["hint"]
    return receipt.errors[0].code


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.shp", b"", "file_empty"),
        ("a.shp", b"\x89PNG\r\n\x1a\n" + bytes(60), "file_wrong_content"),
        ("a.csv", "<!DOCTYPE html><html><body>登录超时</body></html>".encode(), "file_is_page"),
        ("a.kml", b"<OGRVRTDataSource><OGRVRTLayer name='x'/></OGRVRTDataSource>", "file_virtual"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "file_wrong_content"),
        ("a.zip", b"PK\x05\x06" + bytes(18), "archive_empty"),
        ("a.zip", b"PK\x03\x04" + bytes(80), "archive_broken"),
        ("a.zip", b"Rar!\x1a\x07\x00" + bytes(80), "file_wrong_content"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [' + b"[" * 100_000, "json_too_deep"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [', "json_broken"),
        ("a.gpkg", b"SQLite format 3\x00" + bytes(200), "gpkg_broken"),
    ],
)
def test_what_it_is_not(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert refused(give("zones", path)) == code


ENTITY = '<?xml version="1.0"?><!DOCTYPE k [<!ENTITY x SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("name", ["a.kml", "a.gpx"])
def test_entities_are_never_read(tmp_path: Path, name: str) -> None:
    body = {
        "a.kml": "<kml><Placemark><name>&x;</name></Placemark></kml>",
        "a.gpx": "<gpx><trk><name>&x;</name></trk></gpx>",
    }
    path = write(tmp_path / name, ENTITY + body[name])
    assert refused(give("tracks" if name == "a.gpx" else "zones", path)) == "xml_entities"


def archive(path: Path, *members: tuple[str, bytes], link: str = "", flag: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for name, content in members:
            out.writestr(name, content)
        if link:
            info = zipfile.ZipInfo("link.csv")
            info.create_system = 3
            info.external_attr = (stat.S_IFLNK | 0o777) << 16
            out.writestr(info, link)
    if flag:
        data = bytearray(path.read_bytes())
        for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
            at = data.find(magic)
            while at >= 0:
                data[at + offset] |= flag
                at = data.find(magic, at + 4)
        path.write_bytes(bytes(data))
    return path


GOOD = (HEAD + ROW.format(1)).encode()


def test_archives_that_lead_out(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as out:
        out.writestr("x.csv", GOOD)
    nested = inner.getvalue()
    for _ in range(Settings().archive_depth):
        outer = io.BytesIO()
        with zipfile.ZipFile(outer, "w") as out:
            out.writestr("inner.zip", nested)
        nested = outer.getvalue()
    cases = {
        "archive_path_outside": archive(tmp_path / "slip.zip", ("a.csv", GOOD), ("../../evil.txt", b"x")),
        "archive_link": archive(tmp_path / "link.zip", ("a.csv", GOOD), link="/etc/hostname"),
        "archive_encrypted": archive(tmp_path / "locked.zip", ("a.csv", GOOD), flag=1),
        "archive_bomb": archive(tmp_path / "bomb.zip", ("a.csv", GOOD), ("a.dbf", bytes(60_000_000))),
        "archive_too_many": archive(
            tmp_path / "many.zip", *((f"{i}.txt", b"") for i in range(Settings().archive_members + 1))
        ),
    }
    (tmp_path / "deep.zip").write_bytes(nested)
    cases["archive_too_deep"] = tmp_path / "deep.zip"
    before = set(tmp_path.parent.rglob("*"))
    for code, path in cases.items():
        assert refused(give("seizures", path)) == code
    assert not set(tmp_path.parent.rglob("*")) - before  # what other tests left there may go meanwhile


def test_many_members_that_are_a_bomb_together_are_refused_before_they_unfold(tmp_path: Path) -> None:
    """Eighty members of 8 MB, each too small to be looked at, are 640 MB out of less than one."""
    path = archive(tmp_path / "many.zip", ("a.csv", GOOD), *((f"{i}.csv", bytes(8_000_000)) for i in range(80)))
    (tmp_path / "into").mkdir()
    with pytest.raises(Refused) as told:
        archives.unpack(path, tmp_path / "into", archives.Budget(Settings()))
    assert told.value.code == "archive_bomb_whole"
    assert not list((tmp_path / "into").iterdir())
    assert refused(give("seizures", path)) == "archive_bomb_whole"


def test_tables_padded_with_blanks_are_no_bomb(tmp_path: Path) -> None:
    """20 MB of blanks in 40 kB: an honest shapefile with long columns that nobody filled."""
    path = archive(tmp_path / "a.zip", ("a.csv", GOOD), ("notes.txt", b" " * 20_000_000))
    assert give("seizures", path).receipt.rows["accepted"] == 1


def test_names_in_gbk_inside_a_zip(tmp_path: Path) -> None:
    shapefile(tmp_path / "s", "x", [[box(112, 30, 112.1, 30.1)]], {"编号": ["Z1"], "名称": ["禁渔区"]}, cpg="GBK")
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as out:
        for part in sorted((tmp_path / "s").iterdir()):
            out.writestr("XXXX" + part.suffix, part.read_bytes())
    # as Windows writes it: the bytes of the name in GBK, no flag that says so (长江 takes four bytes)
    path.write_bytes(path.read_bytes().replace(b"XXXX", "长江".encode("gbk")))
    upload = give("zones", path)
    assert counts(upload) == (1, 1, 0, 0, 0)
    assert upload.rows is not None
    assert upload.rows["name"].tolist() == ["禁渔区"]


def test_a_shapefile_cut_short_or_with_another_table(tmp_path: Path) -> None:
    shapes = [[box(112 + i / 10, 30, 112.05 + i / 10, 30.1)] for i in range(4)]
    table = {"编号": [f"Z{i}" for i in range(4)], "名称": [f"禁渔区{i}" for i in range(4)]}
    whole = shapefile(tmp_path / "a", "z", shapes, table)
    whole.write_bytes(whole.read_bytes()[:-40])
    assert refused(give("zones", whole.parent)) == "shp_truncated"
    other = shapefile(tmp_path / "b", "z", shapes, table)
    shorter = shapefile(tmp_path / "c", "z", shapes[:3], {name: cells[:3] for name, cells in table.items()})
    other.with_suffix(".dbf").write_bytes(shorter.with_suffix(".dbf").read_bytes())
    assert refused(give("zones", other.parent)) == "dbf_rows_differ"
    alone = shapefile(tmp_path / "d", "z", shapes, table)
    alone.with_suffix(".dbf").unlink()
    assert refused(give("zones", alone.parent)) == "dbf_missing"
    rebuilt = shapefile(tmp_path / "e", "z", shapes, table)
    rebuilt.with_suffix(".shx").unlink()
    assert counts(give("zones", rebuilt.parent)) == (4, 4, 0, 0, 0)
    assert "shx_rebuilt" in codes(give("zones", rebuilt.parent), "warnings")


def geopackage(path: Path, more: str = "") -> Path:
    """A GeoPackage of two zones by the standard's own SQL; `more` is run after."""
    with closing(sqlite3.connect(path)) as base:
        base.executescript("""
            CREATE TABLE gpkg_spatial_ref_sys (srs_name TEXT, srs_id INTEGER PRIMARY KEY, organization TEXT,
                organization_coordsys_id INTEGER, definition TEXT, description TEXT);
            INSERT INTO gpkg_spatial_ref_sys VALUES ('CGCS2000', 4490, 'EPSG', 4490, 'GEOGCS', NULL);
            CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, geometry_type_name TEXT,
                srs_id INTEGER, z INTEGER, m INTEGER);
            INSERT INTO gpkg_geometry_columns VALUES ('zones', 'geom', 'POLYGON', 4490, 0, 0);
            CREATE TABLE zones (fid INTEGER PRIMARY KEY, geom BLOB, 编号 TEXT, 名称 TEXT);""")
        for i in range(2):
            shape = shapely.to_wkb(shapely.box(112 + i, 30, 112.1 + i, 30.1))
            blob = b"GP\x00\x01" + struct.pack("<i", 4490) + shape
            base.execute("INSERT INTO zones VALUES (?, ?, ?, ?)", (i + 1, blob, f"Z{i}", f"禁渔区{i}"))
        base.executescript(more)
        base.commit()
    return path


def test_a_geopackage_with_programs_of_its_own(tmp_path: Path) -> None:
    path = geopackage(tmp_path / "a.gpkg", "CREATE TRIGGER evil AFTER DELETE ON zones BEGIN DELETE FROM zones; END;")
    before = path.read_bytes()
    upload = give("zones", path)
    assert counts(upload) == (2, 2, 0, 0, 0)
    assert "gpkg_triggers" in codes(upload, "warnings")
    assert path.read_bytes() == before


def test_a_view_without_end_is_not_looked_at(tmp_path: Path) -> None:
    more = """CREATE VIEW endless AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
        SELECT n.x AS fid, z.geom, z.编号, z.名称 FROM n, zones z;
        INSERT INTO gpkg_geometry_columns VALUES ('endless', 'geom', 'POLYGON', 4490, 0, 0);"""
    upload = give("zones", geopackage(tmp_path / "a.gpkg", more))
    assert counts(upload) == (2, 2, 0, 0, 0)
    assert "gpkg_views_skipped" in codes(upload, "warnings")


def test_rows_that_do_not_fit_the_header(tmp_path: Path) -> None:
    lines = [ROW.format(i) for i in range(6)]
    lines[1] = "A1,2026-05-01 08:01:00,112.0,30.0\n"  # cells missing at the end
    lines[3] = "A3,2026-05-01 08:03:00,112.0,30.0,江边,1.5,多出,一格\n"
    lines[4] = 'A4,2026-05-01 08:04:00,112.0,30.0,"江边,两行\n的地点",1.5\n'
    upload = give("seizures", write(tmp_path / "a.csv", HEAD + "".join(lines)))
    assert counts(upload) == (6, 5, 1, 0, 0)
    assert upload.rows is not None
    assert upload.rows["report_id"].tolist() == ["A0", "A1", "A2", "A4", "A5"]
    assert upload.rows["place"].tolist()[3] == "江边,两行\n的地点"
    assert upload.quarantine is not None
    assert upload.quarantine["row"].tolist() == [4]
    (mended,) = [message for message in upload.receipt.warnings if message.code == "row_cells_repaired"]
    assert mended.rows == (2,)


def test_cells_that_are_too_long_or_hold_control_characters(tmp_path: Path) -> None:
    text = (
        HEAD + ROW.format(0).replace("江边", "江\x00边") + ROW.format(1).replace("江边", "长" * 300_000) + ROW.format(2)
    )
    upload = give("seizures", write(tmp_path / "a.csv", text))
    assert counts(upload) == (3, 3, 0, 0, 0)
    assert upload.rows is not None
    places = upload.rows["place"].tolist()
    assert (places[0], len(places[1])) == ("江边", Settings().cell_characters)
    assert {"control_characters", "cell_cut"} <= codes(upload, "warnings")


def test_coordinates_that_are_none(tmp_path: Path) -> None:
    cells = ["NaN,30.0", "inf,30.0", ",30.0", "112.0,95.5", "112.0,30.0", "112°75′,30.0", "0,0", "-112.0,30.0"]
    rows = [f"A{i},2026-05-01 08:0{i}:00,{cell},江边,1.5" for i, cell in enumerate(cells)]
    upload = give("seizures", write(tmp_path / "a.csv", HEAD + "\n".join(rows)))
    assert counts(upload) == (8, 1, 7, 0, 0)
    assert upload.rows is not None
    assert upload.rows["report_id"].tolist() == ["A4"]
    assert upload.quarantine is not None
    assert upload.quarantine["row"].tolist() == [1, 2, 3, 4, 6, 7, 8]
    assert upload.quarantine["reason_zh"].str.len().min() > 0


def geojson(tmp_path: Path, *geometries: str) -> Path:
    features = [
        f'{{"type": "Feature", "properties": {{"编号": "Z{i}", "名称": "区{i}"}}, "geometry": {geometry}}}'
        for i, geometry in enumerate(geometries)
    ]
    return write(tmp_path / "a.geojson", f'{{"type": "FeatureCollection", "features": [{", ".join(features)}]}}')


def test_shapes_that_are_broken(tmp_path: Path) -> None:
    square = '{"type": "Polygon", "coordinates": [[[112,30],[112.2,30],[112.2,30.2],[112,30.2],[112,30]]]}'
    bow = '{"type": "Polygon", "coordinates": [[[113,30],[113.2,30.2],[113.2,30],[113,30.2],[113,30]]]}'
    unclosed = '{"type": "Polygon", "coordinates": [[[114,30],[114.2,30],[114.2,30.2],[114,30.2]]]}'
    empty = '{"type": "Polygon", "coordinates": []}'
    line = '{"type": "LineString", "coordinates": [[112,30],[113,30]]}'
    infinite = '{"type": "Polygon", "coordinates": [[[112,30],[NaN,30],[112.2,30.2],[112,30]]]}'
    upload = give("zones", geojson(tmp_path, square, bow, unclosed, "null", empty, line, infinite))
    assert counts(upload) == (7, 3, 4, 0, 0)
    assert upload.rows is not None
    assert {"ring_closed"} <= codes(upload, "warnings")
    assert any(code.startswith("geometry_repaired") for code in codes(upload, "warnings"))
    reasons = {message.code for message in upload.receipt.errors}
    assert reasons == {"geometry_missing", "geometry_empty", "geometry_type", "coordinate_not_finite"}
    # the bow is two triangles, each a quarter of the square it spans
    assert shapely.area(np.asarray(upload.rows["geometry"])[1]) == pytest.approx(0.02, rel=1e-9)


def test_lines_where_zones_belong(tmp_path: Path) -> None:
    line = '{"type": "LineString", "coordinates": [[112,30],[113,30]]}'
    upload = give("zones", geojson(tmp_path, line, line))
    assert upload.receipt.status == "rejected"
    assert counts(upload) == (2, 0, 2, 0, 0)
    assert codes(upload, "errors") == {"geometry_type"}


def test_a_quote_that_is_never_closed_takes_no_row_with_it(tmp_path: Path) -> None:
    lines = [ROW.format(i) for i in range(5)]
    lines[1] = lines[1].replace("江边", '"江边')
    upload = give("seizures", write(tmp_path / "a.csv", HEAD + "".join(lines)))
    assert counts(upload) == (5, 5, 0, 0, 0)
    assert "quotes_unclosed" in codes(upload, "warnings")
    assert upload.rows is not None
    assert upload.rows["place"].tolist() == ["江边", '"江边', "江边", "江边", "江边"]


def test_a_cell_longer_than_the_reader_takes_in_a_row_that_does_not_fit(tmp_path: Path) -> None:
    text = HEAD + ROW.format(0) + f"A1,2026-05-01,112,30,{'长' * 200_000},1,多\n" + ROW.format(2)
    upload = give("seizures", write(tmp_path / "a.csv", text))
    assert counts(upload) == (3, 2, 1, 0, 0)
    assert codes(upload, "errors") == {"row_cells_many"}


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_member_whose_bytes_are_damaged(tmp_path: Path, method: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as out:
        out.writestr("a.csv", HEAD + "".join(ROW.format(i % 60) for i in range(500)))
    data = bytearray(path.read_bytes())
    data[60:70] = b"\xff" * 10
    path.write_bytes(bytes(data))
    assert refused(give("seizures", path)) == "archive_broken"


def test_shapes_nested_without_end(tmp_path: Path) -> None:
    deep = "<MultiGeometry>" * 5000 + "</MultiGeometry>" * 5000
    square = "<Polygon><outerBoundaryIs><LinearRing><coordinates>112,30 112.1,30 112.1,30.1 112,30</coordinates></LinearRing></outerBoundaryIs></Polygon>"
    marks = f"<Placemark><name>甲</name>{square}</Placemark><Placemark><name>乙</name>{deep}</Placemark>"
    upload = give("zones", write(tmp_path / "a.kml", f"<kml>{marks}</kml>"))
    assert counts(upload) == (2, 1, 1, 0, 0)
    assert codes(upload, "errors") == {"geometry_unreadable"}


def test_a_geopackage_is_read_with_the_log_beside_it(tmp_path: Path) -> None:
    """A program that still has it open keeps what was written last in a file of its own."""
    import shutil

    (tmp_path / "sent").mkdir()
    path = geopackage(tmp_path / "a.gpkg", "")
    with closing(sqlite3.connect(path)) as base:
        assert base.execute("PRAGMA journal_mode = WAL").fetchone() == ("wal",)
        base.execute("PRAGMA wal_autocheckpoint = 0")
        base.execute("UPDATE zones SET 名称 = '改名后的江段' WHERE 名称 = (SELECT MIN(名称) FROM zones)")
        base.commit()
        for ending in ("", "-wal", "-shm"):
            shutil.copyfile(f"{path}{ending}", tmp_path / "sent" / f"a.gpkg{ending}")
    packed = tmp_path / "a.zip"
    with zipfile.ZipFile(packed, "w") as out:
        for part in sorted((tmp_path / "sent").iterdir()):
            out.write(part, f"导出/{part.name}")
    for sent in (tmp_path / "sent", packed):
        upload = give("zones", sent)
        assert "改名后的江段" in set(upload.rows["name"])
        assert counts(upload) == (2, 2, 0, 0, 0)


def test_a_column_that_claims_more_than_it_holds(tmp_path: Path) -> None:
    """A column of SQLite can be worked out while it is read, here to half a gigabyte."""
    more = "ALTER TABLE zones ADD COLUMN bomb TEXT GENERATED ALWAYS AS (hex(zeroblob(250000000))) VIRTUAL;"
    upload = give("zones", geopackage(tmp_path / "a.gpkg", more))
    assert upload.receipt.status in ("accepted", "rejected")
    assert upload.receipt.rows["accepted"] in (0, 2)


# --- through the command line ----------------------------------------------------------------------------------------


def as_sent(folder: Path) -> dict[str, tuple[str, Path, str]]:
    """A few files of every sort of harm: what it is -> kind, file, the code it must end in ("": it is taken in)."""
    folder.mkdir()
    huge = folder / "huge.tif"
    entries = [(256, 4, 1, 400_000), (257, 4, 1, 400_000), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, 8),
               (277, 3, 1, 1), (278, 4, 1, 1), (279, 4, 1, 1)]  # fmt: skip
    body = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    huge.write_bytes(b"II*\x00" + struct.pack("<I", 8) + body)
    endless = """CREATE VIEW endless AS WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)
        SELECT n.x AS fid, z.geom FROM n, zones z;
        INSERT INTO gpkg_geometry_columns VALUES ('endless', 'geom', 'POLYGON', 4490, 0, 0);"""
    formula = HEAD + ROW.format(1).replace("江边", "=cmd|' /C calc'!A0") + "A2,没有,112,30,@SUM(1),1\n"
    script = '{"type": "Feature", "properties": {"编号": "@@=alert(1)", "名称": "<script>alert(1)</script>"}, "geometry": {"type": "Polygon", "coordinates": [[[112,30],[112.1,30],[112.1,30.1],[112,30]]]}}'
    remote = '<OGRVRTDataSource><OGRVRTLayer name="x"><SrcDataSource>/vsicurl/http://127.0.0.1:9/x</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>'
    return {
        "bomb": ("zones", archive(folder / "bomb.zip", ("a.dbf", bytes(60_000_000))), "archive_bomb"),
        "slip": ("seizures", archive(folder / "slip.zip", ("../../evil.txt", b"x")), "archive_path_outside"),
        "link": ("seizures", archive(folder / "link.zip", link="/etc/passwd"), "archive_link"),
        "locked": ("seizures", archive(folder / "locked.zip", ("a.csv", GOOD), flag=1), "archive_encrypted"),
        "entity": ("zones", write(folder / "e.kml", f"{ENTITY}<kml>&x;</kml>"), "xml_entities"),
        "remote": ("zones", write(folder / "r.kml", remote), "file_virtual"),
        "deep": ("zones", write(folder / "d.geojson", '{"a":' + "[" * 200_000), "json_too_deep"),
        "terabytes": ("raster", huge, "raster_too_large"),
        "view": ("zones", geopackage(folder / "v.gpkg", endless), ""),
        "formula": ("seizures", write(folder / "f.csv", formula), ""),
        "script": ("zones", write(folder / "s.geojson", script), ""),
    }


def test_through_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every receipt in Chinese, nothing outside the workspace, nothing left in it, no formula on the way out."""
    import csv
    import json
    import re

    from geo_monitor.cli.commands import run

    def typed(*words: str) -> tuple[int, str, str]:
        code = run(["--workspace", str(root), *words])
        return code, *capsys.readouterr()

    files = as_sent(tmp_path / "sent")
    root = tmp_path / "w"
    before = {path: path.read_bytes() for path in (tmp_path / "sent").iterdir()}
    assert typed("init")[0] == 0
    for what, (kind, path, code) in files.items():
        exit_code, told, said = typed("import", kind, str(path), "--json")
        receipt = json.loads(told)
        assert exit_code == (3 if code else 0), (what, told)
        assert {error["code"] for error in receipt["errors"]} >= ({code} if code else set()), (what, told)
        for error in receipt["errors"]:
            assert re.search(r"[\u4e00-\u9fff]", error["message"]), error
            assert error["hint"], error
        assert "Traceback" not in told + said
        assert not (root / "faults").exists()
        assert not list(root.glob(".tmp*"))
        assert sorted(part.name for part in tmp_path.iterdir()) == ["sent", "w"]
        if what == "formula":
            with open(receipt["quarantine"], encoding="utf-8-sig", newline="") as refused_rows:
                assert next(csv.DictReader(refused_rows))["地点"] == "'@SUM(1)"
            assert typed("export", "seizures", "-o", str(root / "out.csv"))[0] == 0
            with (root / "out.csv").open(encoding="utf-8-sig", newline="") as exported:
                assert next(csv.DictReader(exported))["place"] == "'=cmd|' /C calc'!A0"
    assert {path: path.read_bytes() for path in (tmp_path / "sent").iterdir()} == before
