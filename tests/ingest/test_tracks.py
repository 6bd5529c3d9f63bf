"""Fixes in every format they are sent in."""

from __future__ import annotations

import json
import re
import zipfile
from functools import reduce
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from geo_monitor import ingest, tables
from tests.ingest.made import codes, counts, give, write

KNOT = 1852 / 3600


def points(count: int) -> str:
    return "".join(
        f'<trkpt lat="{30 + i / 1000}" lon="112"><time>2025-06-01T00:0{i}:00Z</time></trkpt>' for i in range(count)
    )


def gpx(*tracks: str) -> str:
    body = "".join(f"<trk>{track}</trk>" for track in tracks)
    return f'<?xml version="1.0"?><gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">{body}</gpx>'


def test_gpx_tracks_are_units_and_patrols_and_segments_are_not(tmp_path: Path) -> None:
    second = f"<name>鄂渔政02</name><trkseg>{points(3)}</trkseg>"
    segments = f"<name>鄂渔政01</name><trkseg>{points(2)}</trkseg><trkseg>{points(2).replace('T00', 'T01')}</trkseg>"
    upload = give("tracks", write(tmp_path / "巡护.gpx", gpx(segments, second)))
    assert upload.receipt.status == "accepted"
    assert counts(upload) == (7, 7, 0, 0, 0)
    rows = upload.rows
    assert rows.groupby("unit_id", observed=True).size().to_dict() == {"鄂渔政01": 4, "鄂渔政02": 3}
    assert rows.groupby("unit_id", observed=True)["patrol_id"].nunique().to_dict() == {"鄂渔政01": 1, "鄂渔政02": 1}
    assert rows["patrol_id"].nunique() == 2
    assert set(rows["role"]) == {"patrol"}
    assert set(rows["source"]) == {"gps"}
    assert rows["time"].min() == pd.Timestamp("2025-06-01T00:00Z")


def test_gpx_in_gb2312_and_gpx_without_times(tmp_path: Path) -> None:
    track = "<trk><name>渔政宜宾艇</name><trkseg>" + "".join(
        f'<trkpt lat="30" lon="{112 + i / 1000}"><time>2026-05-01T00:0{i}:00Z</time></trkpt>' for i in range(5)
    )
    text = gpx(track + "</trkseg></trk>").replace('version="1.0"?', 'version="1.0" encoding="gb2312"?', 1)
    path = tmp_path / "a.gpx"
    path.write_bytes(text.encode("gb2312"))
    upload = give("tracks", path)
    assert set(upload.rows["unit_id"]) == {"渔政宜宾艇"} and len(upload.rows) == 5
    path.write_bytes(re.sub("<time>.*?</time>", "", text).encode("gb2312"))
    (error,) = give("tracks", path).receipt.errors
    assert error.code == "columns_missing"
    assert "time" not in error.params["headers"]


def test_gpx_without_names_are_named_after_their_files(tmp_path: Path) -> None:
    track = f"<trkseg>{points(3)}</trkseg>"
    one = give("tracks", write(tmp_path / "艇3.gpx", gpx(track)))
    assert set(one.rows["unit_id"]) == {"艇3"}
    assert one.receipt.status == "accepted"
    assert "unit_from_file" in codes(one)
    with zipfile.ZipFile(tmp_path / "两艇.zip", "w") as archive:
        archive.writestr("艇1.gpx", gpx(track))
        archive.writestr("艇2.gpx", gpx(track.replace('lon="112"', 'lon="113"')))
    both = give("tracks", tmp_path / "两艇.zip")
    assert counts(both) == (6, 6, 0, 0, 0)
    assert both.rows.groupby("unit_id", observed=True).size().to_dict() == {"艇1": 3, "艇2": 3}
    assert both.rows["patrol_id"].nunique() == 2


HEADERS = (
    "vessel_id,timestamp,lng,latitude,speed(km/h)",
    "船名,定位时间,经度,纬度,航速（公里/小时）",
    "终端编号,定位时间（北京时间）,东经（°）,北纬（°）,速度(km/h)",
    "MyBoat,When,A,B,speed km/h",
)


@pytest.mark.parametrize("header", HEADERS)
def test_csv_headers(tmp_path: Path, header: str) -> None:
    text = header + "\nK1,2025-06-01 08:00:00,112.0,30.0,18\nK1,2025/6/1 8:01,112.001,30.0,36\n"
    columns = {"unit_id": "MyBoat", "time": "When", "lon": "A", "lat": "B"} if "MyBoat" in header else {}
    upload = give("tracks", write(tmp_path / "t.csv", text, "gb18030"), columns=columns)
    assert upload.receipt.status == "accepted", upload.receipt
    assert set(upload.rows["unit_id"]) == {"K1"}
    assert upload.rows["time"].tolist() == [pd.Timestamp("2025-06-01T00:00Z"), pd.Timestamp("2025-06-01T00:01Z")]
    assert upload.rows["speed"].tolist() == pytest.approx([5.0, 10.0])
    if "北京时间" not in header:
        assert "time_zone_assumed" in codes(upload)


def test_a_wrong_columns_option_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "unit,time,lon,lat\na,2025-06-01,112,30\n")
    assert codes(give("tracks", path, columns={"unit_id": "boat"}), "errors") == {"column_not_there"}
    assert codes(give("tracks", path, columns={"colour": "unit"}), "errors") == {"column_unknown"}


def test_date_and_time_of_day_in_two_columns(tmp_path: Path) -> None:
    for number, header in enumerate(("船名,日期,时间,经度,纬度", "unit,date,time,lon,lat")):
        path = write(
            tmp_path / f"{number}.csv", header + "\nA,2025年6月1日,23:59:30,112,30\nA,2025-06-02,0:00,112,30\n"
        )
        upload = give("tracks", path)
        assert upload.receipt.status == "accepted", upload.receipt
        assert upload.rows["time"].tolist() == [pd.Timestamp("2025-06-01T15:59:30Z"), pd.Timestamp("2025-06-01T16:00Z")]


def test_geojson_points(tmp_path: Path) -> None:
    features = [
        {"type": "Feature", "properties": {"unit": "A", "time": f"2025-06-01 08:0{i}:00"},
         "geometry": {"type": "Point", "coordinates": [112.0, 30.0 + i / 1000]}}
        for i in range(3)
    ]  # fmt: skip
    path = write(tmp_path / "t.geojson", json.dumps({"type": "FeatureCollection", "features": features}))
    upload = give("tracks", path)
    assert counts(upload) == (3, 3, 0, 0, 0)
    assert upload.rows["lat"].tolist() == pytest.approx([30.0, 30.001, 30.002])
    assert "time_zone_assumed" in codes(upload)


@pytest.mark.parametrize("geo", [False, True])
def test_parquet(tmp_path: Path, geo: bool) -> None:
    times = pd.date_range("2025-06-01T00:00Z", periods=3, freq="min")
    path = tmp_path / "t.parquet"
    if geo:
        shapes = [shapely.Point(112, 30 + i / 1000) for i in range(3)]
        gpd.GeoDataFrame({"unit": ["A"] * 3, "time": times}, geometry=shapes, crs=4326).to_parquet(path)
    else:
        lat = [30.0, 30.001, 30.002]
        pq.write_table(pa.table({"unit": ["A"] * 3, "time": pa.array(times), "lon": [112.0] * 3, "lat": lat}), path)
    upload = give("tracks", path)
    assert upload.receipt.status == "accepted"
    assert counts(upload) == (3, 3, 0, 0, 0)
    assert upload.rows["time"].tolist() == list(times)
    assert upload.rows["lat"].tolist() == pytest.approx([30.0, 30.001, 30.002])


def sentence(body: str) -> str:
    return f"${body}*{reduce(lambda a, b: a ^ b, body.encode()):02X}"


def test_nmea(tmp_path: Path) -> None:
    lines = [
        sentence("GPRMC,000000.00,A,3030.000,N,11206.000,E,10.0,90.0,010625,,,A"),
        sentence("GNRMC,000100.00,A,3030.100,N,11206.000,E,10.0,90.0,010625,,,A"),
        sentence("GPRMC,000200.00,V,,,,,,,010625,,,N"),
        sentence("GPRMC,000300.00,A,3030.300,N,11206.000,E,10.0,90.0,010625,,,A")[:-2] + "ZZ",
    ]
    upload = give("tracks", write(tmp_path / "艇5.nmea", "\r\n".join(lines)))
    assert counts(upload) == (4, 2, 2, 0, 0)
    assert codes(upload, "errors") == {"nmea_void", "nmea_checksum"}
    assert set(upload.rows["unit_id"]) == {"艇5"}
    first = upload.rows.iloc[0]
    assert (first["lon"], first["lat"]) == pytest.approx((112.1, 30.5))
    assert first["speed"] == pytest.approx(10 * KNOT)
    assert first["heading"] == 90
    assert first["time"] == pd.Timestamp("2025-06-01T00:00Z")


def test_nmea_with_nothing_but_gll(tmp_path: Path) -> None:
    lines = [
        sentence("GPGLL,3030.000,N,11206.000,E,000000,A,A"),  # no date yet
        sentence("GPZDA,000100,01,06,2025,00,00"),
        sentence("GPGLL,3030.000,N,11206.000,E,000100.00,A,A"),
        sentence("GPGLL,3030.000,N,11206.000,E,000200.00,V,N"),
    ]
    upload = give("tracks", write(tmp_path / "艇6.nmea", "\r\n".join(lines)))
    assert counts(upload) == (3, 1, 2, 0, 0)
    assert codes(upload, "errors") == {"nmea_void", "nmea_incomplete"}
    row = upload.rows.iloc[0]
    assert (row["lon"], row["lat"], row["time"]) == (pytest.approx(112.1), 30.5, pd.Timestamp("2025-06-01T00:01:00Z"))


def test_nmea_whose_times_stand_on_lines_of_their_own(tmp_path: Path) -> None:
    """$PGHP of Gatehouse's recorders, and a tag block alone; of the next sentence only."""
    report = "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A"  # a published example, MMSI 371798000
    lines = [sentence("PGHP,1,2025,6,1,8,0,5,250,412,,1,1,4A"), report, "\\c:1748764866\\", report, report]
    upload = give("tracks", write(tmp_path / "log.nmea", "\r\n".join(lines)))
    assert counts(upload) == (3, 2, 1, 0, 0)
    assert codes(upload, "errors") == {"ais_no_time"}
    assert upload.rows["time"].tolist() == [
        pd.Timestamp("2025-06-01T08:00:05.250Z"),
        pd.Timestamp("2025-06-01T08:01:06Z"),
    ]


AIS = """# Timestamp,Type of mobile,MMSI,Latitude,Longitude,Navigational status,ROT,SOG,COG,Heading,IMO,Ship type
31/12/2024 00:00:00,Class A,219000001,56.100000,11.200000,Under way using engine,0.0,10.0,90.0,511,Unknown,Cargo
31/12/2024 00:00:00,Class A,219000001,56.100000,11.200000,Under way using engine,0.0,10.0,90.0,511,Unknown,Cargo
31/12/2024 00:01:00,Class A,219000001,56.100000,11.205000,Under way using engine,0.0,102.3,90.0,91,Unknown,Cargo
31/12/2024 00:01:00,Class A,219000001,57.900000,11.205000,Under way using engine,0.0,10.0,90.0,91,Unknown,Cargo
01/01/2025 00:00:10,Class A,219000002,91.000000,181.000000,Unknown value,,,,,Unknown,Fishing
01/01/2025 00:00:20,Class A,219000002,55.000000,12.000000,Unknown value,,5.0,45.0,,Unknown,Fishing
"""


def test_ais_of_strangers(tmp_path: Path) -> None:
    upload = give("tracks", write(tmp_path / "aisdk.csv", AIS, "utf-8-sig"))
    assert upload.receipt.status == "accepted_with_warnings"
    # read 6: 3 new, the same again, the same moment 200 km away, no position
    assert counts(upload) == (6, 3, 2, 1, 0)
    assert codes(upload, "errors") == {"device_clash", "position_not_available"}
    assert "duplicate_rows" in codes(upload, "warnings")
    rows = upload.rows
    assert set(rows["unit_id"]) == {"219000001", "219000002"}
    assert set(rows["role"]) == {"traffic"}
    assert set(rows["source"]) == {"ais"}
    assert rows["time"].iloc[0] == pd.Timestamp("2024-12-30T16:00Z")  # 31 December, not a 31st month; Asia/Shanghai
    assert rows["speed"].tolist()[:1] == pytest.approx([10 * KNOT])
    assert np.isnan(rows["speed"].iloc[1])
    assert np.isnan(rows["heading"].iloc[0])
    assert {"dates_day_first", "ais_traffic"} <= codes(upload)
    numbers = {message.code: message.rows for message in upload.receipt.errors}
    assert numbers == {"device_clash": (4,), "position_not_available": (5,)}


class Fleet(ingest.Nothing):
    """A store that holds one unit with an AIS number."""

    def mmsi(self) -> set[str]:
        return {"219000002"}


def test_ais_of_our_own_units_is_patrol(tmp_path: Path) -> None:
    path = write(tmp_path / "aisdk.csv", AIS, "utf-8-sig")
    rows = give("tracks", path, Fleet()).rows
    assert rows.groupby("unit_id", observed=True)["role"].agg(set).to_dict() == {"219000001": {"traffic"}, "219000002": {"patrol"}}  # fmt: skip
    assert set(give("tracks", path, role="patrol").rows["role"]) == {"patrol"}


def test_words_for_platform(tmp_path: Path) -> None:
    words = {
        "执法快艇": "boat",
        "大疆无人机": "drone",
        "徒步": "foot",
        "巡逻车": "vehicle",
        "高清视频监控": "camera",
        "飞艇?": "boat",
    }
    lines = [f"u{i},2025-06-01 08:00,112,{30 + i / 100},{word}" for i, word in enumerate(words)]
    lines.append("u9,2025-06-01 08:00,112,31,骑马")
    upload = give("tracks", write(tmp_path / "t.csv", "船号,时间,经度,纬度,平台\n" + "\n".join(lines)))
    assert [None if pd.isna(v) else v for v in upload.rows["platform"]] == [*words.values(), None]
    assert codes(upload, "warnings") == {"word_unknown"}


def test_missing_columns_say_which(tmp_path: Path) -> None:
    upload = give("tracks", write(tmp_path / "t.csv", "unit,time,value\na,2025-06-01,3\n"))
    assert upload.receipt.status == "rejected"
    assert upload.rows is None
    told = upload.receipt.to_json("zh")["errors"][0]
    assert told["code"] == "columns_missing"
    assert "lon" in told["message"]
    assert told["hint"]


def test_rows_are_of_their_table(tmp_path: Path) -> None:
    rows = give("tracks", write(tmp_path / "aisdk.csv", AIS, "utf-8-sig")).rows
    tables.table("positions").check(rows)


class HeldFixes(ingest.Nothing):
    """Ten minutes of 渔政A on its way east, as another agency sent them."""

    def moments(self, times: object) -> pd.DataFrame:
        ms = np.array(list(times))  # type: ignore[call-overload]
        step = (ms - np.datetime64("2026-05-01T00:00:00", "ms").astype(np.int64)) / 30_000
        time = pd.to_datetime(ms, unit="ms", utc=True)
        return pd.DataFrame({"unit_id": "渔政A", "time": time, "lon": 112 + step / 1000, "lat": 30.0, "seen": True})


@pytest.mark.parametrize(("off", "moves", "twice"), [(0.0, 1, True), (0.001, 1, False), (0.0, 0, False)])
def test_one_patrol_under_two_names_counts_once(tmp_path: Path, off: float, moves: int, twice: bool) -> None:
    """The same way at the same seconds is one boat; beside it (100 m) or elsewhere most of the time it is another."""
    rows = [
        f"艇B,2026-05-01 08:{i // 2:02d}:{i % 2 * 30:02d},{112 + moves * i / 1000:.6f},{30 + off}" for i in range(40)
    ]
    upload = give("tracks", write(tmp_path / "a.csv", "\n".join(["船名,时间,经度,纬度", *rows])), HeldFixes())
    assert ("patrol_twice" in codes(upload, "warnings")) is twice
    assert counts(upload) == ((40, 0, 0, 40, 0) if twice else (40, 40, 0, 0, 0))


def test_a_log_with_times_in_brackets_is_nmea_not_json(tmp_path: Path) -> None:
    lines = [
        f"[2026-05-01 20:0{i}:00] " + sentence(f"GPRMC,12000{i}.00,A,3000.000,N,1120{i}.000,E,5.0,90.0,010526,,,A")
        for i in range(5)
    ]
    assert counts(give("tracks", write(tmp_path / "a.log", "\n".join(lines)))) == (5, 5, 0, 0, 0)


def test_a_log_of_which_nothing_can_be_taken_says_why(tmp_path: Path) -> None:
    """It said that a column `time` was missing, and named columns that no such file has."""
    lines = [f"$GPRMC,12000{i}.00,A,3000.000,N,1120{i}.000,E,5.0,90.0,010526,,,A*00" for i in range(5)]
    upload = give("tracks", write(tmp_path / "a.nmea", "\n".join(lines)))
    assert upload.receipt.status == "rejected"
    assert counts(upload) == (5, 0, 5, 0, 0)
    assert codes(upload, "errors") == {"nmea_checksum"}


@pytest.mark.parametrize("again", [False, True])
def test_times_of_day_go_on_after_midnight(tmp_path: Path, again: bool) -> None:
    """The day is told once, or also after midnight: 23:59:40, :50, 00:00:00, 00:00:10 UTC."""
    place = "3000.000,N,11200.000,E,1,08,1.0,20.0,M,0,M,,"
    lines = [sentence("GPZDA,235940.00,01,05,2026,00,00")]
    lines += [sentence(f"GPGGA,{clock}.00,{place}") for clock in ("235940", "235950")]
    lines += [sentence("GPZDA,000000.00,02,05,2026,00,00")] if again else []
    lines += [sentence(f"GPGGA,{clock}.00,{place}") for clock in ("000000", "000010")]
    rows = give("tracks", write(tmp_path / "a.nmea", "\r\n".join(lines))).rows
    assert rows["time"].dt.strftime("%d %H%M%S").tolist() == ["01 235940", "01 235950", "02 000000", "02 000010"]


def test_fixes_whose_dates_may_be_american_are_warned_of(tmp_path: Path) -> None:
    text = "船名,时间,经度,纬度\n渔政1,3/4/2025 3:20:00 PM,112.5,29.6\n渔政1,3/4/2025 3:21:00 PM,112.501,29.6\n"
    upload = give("tracks", write(tmp_path / "t.csv", text))
    assert "dates_order_american" in codes(upload, "warnings")
    assert upload.rows["time"].iloc[0] == pd.Timestamp("2025-03-04T07:20Z")


def numbered_points(count: int, name: str = "{}") -> str:
    marks = "".join(
        f"<Placemark><name>{name.format(i + 1)}</name><TimeStamp><when>2025-06-01T00:{i:02d}:00Z</when></TimeStamp>"
        f"<Point><coordinates>{112.5 + i / 1000},29.6</coordinates></Point></Placemark>"
        for i in range(count)
    )
    return f'<kml xmlns="http://www.opengis.net/kml/2.2"><Document>{marks}</Document></kml>'


def test_points_named_by_their_number_are_one_unit(tmp_path: Path) -> None:
    path = write(tmp_path / "鄂渔政101.kml", numbered_points(5))
    upload = give("tracks", path)
    assert set(upload.rows["unit_id"]) == {"鄂渔政101"}
    assert "unit_counts_rows" in codes(upload, "warnings")
    assert set(give("tracks", path, columns={"unit_id": "name"}).rows["unit_id"]) == set("12345")
    fleet = give("tracks", write(tmp_path / "b.kml", numbered_points(5, "渔政{}")))
    assert len(set(fleet.rows["unit_id"])) == 5


def test_files_of_numbered_points_are_a_unit_each(tmp_path: Path) -> None:
    for name in ("渔政1", "渔政2"):
        write(tmp_path / "sent" / f"{name}.kml", numbered_points(4, "点{}"))
    assert set(give("tracks", tmp_path / "sent").rows["unit_id"]) == {"渔政1", "渔政2"}


SHIFTED = "船名,时间,{}\n渔政1,2025-06-01 08:00,112.506,29.597,112.5,29.6\n渔政1,2025-06-01 08:01,112.507,29.597,112.501,29.6\n"


@pytest.mark.parametrize(
    "header",
    [
        "lon_gcj02,lat_gcj02,lon_wgs84,lat_wgs84",
        "高德经度,高德纬度,WGS84经度,WGS84纬度",
        "经度(GCJ02),纬度(GCJ02),经度,纬度",
    ],
)
@pytest.mark.parametrize("kind", ["tracks", "seizures"])
def test_of_two_pairs_of_coordinates_those_in_wgs84_count(tmp_path: Path, kind: str, header: str) -> None:
    text = (
        SHIFTED.format(header)
        .replace("船名", "船名" if kind == "tracks" else "编号")
        .replace("\n渔政1,2025-06-01 08:01", "\n渔政2,2025-06-01 08:01")
    )
    upload = give(kind, write(tmp_path / "t.csv", text))
    assert upload.rows["lon"].tolist() == pytest.approx([112.5, 112.501])
    assert "datum_converted" not in codes(upload, "warnings")


def test_fixes_whose_header_names_a_shifted_datum_are_converted(tmp_path: Path) -> None:
    text = "船名,时间,lon_gcj02,lat_gcj02\n渔政1,2025-06-01 08:00,112.506,29.597\n"
    upload = give("tracks", write(tmp_path / "t.csv", text))
    assert "datum_converted" in codes(upload, "warnings")
    assert abs(upload.rows["lon"].iloc[0] - 112.506) > 0.003


@pytest.mark.parametrize("kind", ["tracks", "seizures"])
def test_a_datum_nobody_knows_is_told(tmp_path: Path, kind: str) -> None:
    text = "编号,时间,经度,纬度,坐标系\nA1,2025-06-01 08:00,112.5,29.6,北京54\nA2,2025-06-01 08:00,112.5,29.6,WGS84\n"
    upload = give(kind, write(tmp_path / "t.csv", text))
    (told,) = [message for message in upload.receipt.warnings if message.code == "datum_word_unknown"]
    assert (told.params["words"], told.rows) == (["北京54"], (1,))


def test_a_log_in_utf16(tmp_path: Path) -> None:
    line = sentence("GPRMC,000000,A,2936.000,N,11230.000,E,3.0,90.0,010625,,")
    upload = give("tracks", write(tmp_path / "a.nmea", line + "\n", "utf-16"))
    assert upload.rows["lon"].tolist() == pytest.approx([112.5])
