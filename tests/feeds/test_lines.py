"""Lines to fixes: published AIS messages with known positions, GPS by hand, JSON, and everything that is wrong.

The AIS messages and their values are those of gpsd's test/sample.aivdm, where independent decoders were compared.
"""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo_monitor import messages
from geo_monitor.feeds.fix import Batch, Fix
from geo_monitor.feeds.lines import Lines
from geo_monitor.feeds.splitter import Splitter
from geo_monitor.ingest.readers import ais
from geo_monitor.settings import Settings
from tests.feeds.making import T0, row, sentence

KNOT = 1852 / 3600
CLOCK = int(datetime(2026, 5, 31, 15, 10, 2, tzinfo=UTC).timestamp() * 1000)
SETTINGS = Settings()

# sentence, MMSI, lon, lat, knots, course, UTC second
PUBLISHED = [
    ("!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A", "371798000", -123.395383333, 48.38163333333, 12.3, 224.0, 33),
    ("!AIVDM,1,1,,A,16SteH0P00Jt63hHaa6SagvJ087r,0*42", "440348000", -70.7582, 43.08015, 0.0, 93.4, 13),
    ("!AIVDM,1,1,,B,25Cjtd0Oj;Jp7ilG7=UkKBoB0<06,0*60", "356302000", -71.62614333333, 40.39235833333, 13.9, 87.7, 41),
    ("!AIVDM,1,1,,A,38Id705000rRVJhE7cl9n;160000,0*40", "563808000", -76.32753333333, 36.91, 0.0, 252.0, 35),
    ("!AIVDM,1,1,,A,B52K>;h00Fc>jpUlNV@ikwpUoP06,0*4C", "338087471", -74.07213166667, 40.68454, 0.1, 79.6, 49),
    ("!AIVDM,1,1,,A,B52KB8h006fu`Q6:g1McCwb5oP06,0*00", "338088483", -70.8111966667, 43.11555833333, 0.0, 171.6, 20),
    ("!AIVDM,1,1,,B,C5N3SRgPEnJGEBT>NhWAwwo862PaLELTBJ:V00000000S0D:R220,0*0B", "367059850", -88.8103916667,
     29.543695, 8.7, 335.9, 46),
    ("!AIVDM,1,1,,B,KC5E2b@U19PFdLbMuc5=ROv62<7m,0*16", "206914217", 137.023333333, 4.84, 57.0, 167.0, None),
]  # fmt: skip


def read(*lines: str | bytes, received: int | None = CLOCK, role: str | None = None, unit: str = "船") -> Batch:
    batch, stream = Batch(), Lines(unit, SETTINGS, role)
    for line in lines:
        stream.line(line.encode() if isinstance(line, str) else line, received, batch)
    stream.end(batch)
    return batch


def codes(batch: Batch) -> list[str]:
    return [code for _, code in batch.refused]


@pytest.mark.parametrize(("line", "mmsi", "lon", "lat", "knots", "course", "second"), PUBLISHED)
def test_published_ais(line: str, mmsi: str, lon: float, lat: float, knots: float, course: float, second: int) -> None:
    (fix,) = read(line).fixes
    assert fix.unit_id == mmsi
    assert fix[2:6] == pytest.approx((lon, lat, knots * KNOT, course), abs=1e-6)
    assert fix[6:] == ("traffic", "ais", None)
    if second is None:
        assert fix.time == CLOCK
    else:
        assert fix.time // 1000 % 60 == second
        assert abs(fix.time - CLOCK) <= 30_000


@pytest.mark.parametrize("line", [row[0] for row in PUBLISHED])
def test_a_position_is_that_of_the_same_line_in_an_upload(line: str) -> None:
    found = ais.report(line.split(",")[5])
    assert found is not None
    (fix,) = read(line).fixes
    assert (fix.unit_id, fix.lon, fix.lat, fix.heading) == (found.mmsi, found.lon, found.lat, found.course)
    assert fix.speed == pytest.approx(found.speed)


AIS = PUBLISHED[0][0]


def test_the_second_of_a_report_is_that_nearest_to_the_clock() -> None:
    # 15:10:02; second 33 is 31 s ahead and 29 s behind
    assert read(AIS).fixes[0].time == CLOCK - 29_000
    # second 13 is 11 s ahead
    assert read(PUBLISHED[1][0]).fixes[0].time == CLOCK + 11_000


@pytest.mark.parametrize(
    "line",
    [
        f"\\c:{T0 // 1000}*{sentence(f'c:{T0 // 1000}')[-2:]}\\{AIS}",
        f"\\s:st1,c:{T0}\\{AIS}",
        f"{AIS},{T0 // 1000}",
        f"{T0 // 1000} {AIS}",
        f"2026-05-31T15:10:00Z {AIS}",
        f"{AIS} 2026-05-31 23:10:00",
    ],
)
def test_a_time_beside_the_sentence_counts_as_it_is(line: str) -> None:
    assert read(line).fixes[0].time == T0
    assert read(line, received=None).fixes[0].time == T0


GATEHOUSE = sentence("PGHP,1,2026,5,31,15,10,0,0,412,,1,1,4A")


@pytest.mark.parametrize(
    "ahead", [GATEHOUSE, f"\\c:{T0 // 1000}*{sentence(f'c:{T0 // 1000}')[-2:]}\\", f"\\s:st1,c:{T0}\\"]
)
def test_a_line_may_tell_the_time_of_the_next(ahead: str) -> None:
    """$PGHP of Gatehouse's recorders, and tag blocks on lines of their own."""
    batch = read(ahead, AIS, received=None)
    assert [fix.time for fix in batch.fixes] == [T0]
    assert (batch.refused, batch.left) == ([], 1)
    assert codes(read(ahead, AIS, AIS, received=None)) == ["ais_no_time"]  # of the next only
    assert read(ahead, f"{T0 // 1000 + 60} {AIS}", received=None).fixes[0].time == T0 + 60_000  # its own counts
    stream = Lines("船", SETTINGS)
    stream.line(ahead.encode(), None, Batch())
    again, batch = Lines("船", SETTINGS, state=json.loads(json.dumps(stream.state()))), Batch()
    again.line(AIS.encode(), None, batch)
    assert [fix.time for fix in batch.fixes] == [T0]


def test_sentences_of_a_makers_own_are_sound_and_hold_no_position() -> None:
    own = [
        sentence("PFEC,GPint,RMC05"),
        sentence("PGHP,1,2026,13,x"),
        sentence("PSTXY,1"),
        GATEHOUSE.replace("1,4A", "1,5A"),
    ]
    batch = read(*own)
    assert (batch.left, codes(batch)) == (3, ["feed_line_unknown"])  # the last has a wrong checksum


def gll(clock: str = "151000.00", status: str = "A") -> str:
    return sentence(f"GPGLL,3006.0,N,11206.0,E,{clock},{status},A")


def test_where_nothing_better_comes_a_gll_is_a_fix() -> None:
    (fix,) = read(gll()).fixes
    assert fix == Fix("船", T0, pytest.approx(112.1), pytest.approx(30.1), None, None, "patrol", "gps", None)
    assert codes(read(gll(status="V"), gll(""), sentence("GPGLL,3006.0,N,11206.0,E"))) == [
        "nmea_void",
        "nmea_incomplete",
        "nmea_void",
    ]
    assert codes(read(gll(), received=None)) == ["feed_no_date"]
    assert [fix.time for fix in read(sentence("GPZDA,151000,31,05,2026,00,00"), gll(), received=None).fixes] == [T0]
    assert (len(read(rmc(), gll()).fixes), read(rmc(), gll()).left) == (1, 1)
    gga = sentence("GPGGA,151000,3006.0,N,11206.0,E,1,08,1.0,10,M,,M,,")
    stream = Lines("船", SETTINGS)
    stream.line(gga.encode(), CLOCK, Batch())
    again, batch = Lines("船", SETTINGS, state=json.loads(json.dumps(stream.state()))), Batch()
    again.line(gll().encode(), CLOCK, batch)
    assert (batch.fixes, batch.left) == ([], 1)


def test_a_gateway_may_tell_a_field_more() -> None:
    body = AIS[1:].split("*")[0]
    more = body.replace(",0", ",0,0") if body.endswith(",0") else body
    assert more != body
    assert read(sentence(more, "!")).fixes == read(AIS).fixes


def test_a_talker_nobody_knows_is_read() -> None:
    assert (
        read(sentence(AIS[1:].split("*")[0].replace("AIVDM", "--VDM"), "!")).fixes[0].unit_id
        == read(AIS).fixes[0].unit_id
    )


def test_without_any_clock_there_is_no_time() -> None:
    assert codes(read(AIS, received=None)) == ["ais_no_time"]


BASE = "!AIVDM,1,1,,A,403OviQuMGCqWrRO9>E6fE700@GO,0*4D"  # 2007-05-14 19:57:39
BASE_AT = int(datetime(2007, 5, 14, 19, 57, 39, tzinfo=UTC).timestamp() * 1000)


def test_a_base_station_is_the_clock_of_a_recording() -> None:
    batch = read(BASE, AIS, received=None)
    assert batch.left == 1
    assert batch.fixes[0].time == BASE_AT - 6_000  # second 33


def test_a_base_station_far_off_our_clock_is_refused() -> None:
    batch = read(BASE, AIS)
    assert codes(batch) == ["feed_base_clock"]
    assert batch.fixes[0].time == CLOCK - 29_000
    near = read(BASE, AIS, received=BASE_AT + 50_000)
    assert near.fixes[0].time == BASE_AT - 6_000  # our clock is 50 s ahead


def test_a_base_station_without_a_clock_says_nothing() -> None:
    assert read("!AIVDM,1,1,,A,402Fha0000Htt<tSF0l4Q@000d20,0*65").left == 1


def two_parts(number: int = 3) -> tuple[str, str]:
    """Type 19 of gpsd's sample, cut in two as receivers may."""
    payload = PUBLISHED[6][0].split(",")[5]
    return (
        sentence(f"AIVDM,2,1,{number},B,{payload[:30]},0", "!"),
        sentence(f"AIVDM,2,2,{number},B,{payload[30:]},0", "!"),
    )


def test_parts_of_a_message_come_together_in_any_order_and_over_batches() -> None:
    first, second = two_parts()
    for lines in ((first, AIS, second), (second, first)):
        batch = read(*lines)
        assert batch.fixes[-1].lat == pytest.approx(29.543695)
        assert not batch.refused
    stream, one, two = Lines("船", SETTINGS), Batch(), Batch()
    stream.line(first.encode(), CLOCK, one)
    again = Lines("船", SETTINGS, state=json.loads(json.dumps(stream.state())))
    again.line(second.encode(), CLOCK, two)
    assert [fix.unit_id for fix in two.fixes] == ["367059850"]
    assert again.state() == {}


def test_parts_that_never_come_are_refused_and_do_not_fill_memory() -> None:
    stream, batch = Lines("船", SETTINGS), Batch()
    for i in range(1000):
        stream.line(sentence(f"AIVDM,2,1,{i % 10},{'AB'[i % 2]}{i},{'5' * 20},0", "!").encode(), CLOCK, batch)
    assert len(stream._groups) == SETTINGS.feed_parts
    stream.end(batch)
    assert codes(batch) == ["ais_part_missing"] * 1000


def test_parts_of_another_time_are_not_put_together() -> None:
    first, second = two_parts()
    batch = read(first, *[AIS] * SETTINGS.feed_part_lines, second)
    assert codes(batch) == ["ais_part_missing"] * 2
    assert len(batch.fixes) == SETTINGS.feed_part_lines


def test_other_messages_are_left_not_refused() -> None:
    static = (
        "!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C",
        "!AIVDM,2,2,1,A,88888888880,2*25",
        "!AIVDM,1,1,,A,85Mwp`1Kf3aCnsNvBWLi=wQuNhA5t43N`5nCuI=p<IBfVqnMgPGs,0*47",
        sentence("GPGSV,1,1,00"),
        "# a comment",
    )
    batch = read(*static)
    assert (batch.fixes, batch.refused, batch.left) == ([], [], 5)


def test_two_sentences_whose_line_end_was_lost() -> None:
    batch = read(AIS + f",{T0 // 1000}" + PUBLISHED[1][0] + f",{T0 // 1000 + 1}")
    assert [(fix.unit_id, fix.time) for fix in batch.fixes] == [("371798000", T0), ("440348000", T0 + 1000)]


# --- GPS ---------------------------------------------------------------------------------------------------------
def rmc(clock: str = "151000.00", day: str = "310526", talker: str = "GN", status: str = "A") -> str:
    return sentence(f"{talker}RMC,{clock},{status},3006.0000,N,11206.0000,E,10.0,090.0,{day},,,A")


def gga(clock: str = "151000", quality: str = "1") -> str:
    return sentence(f"GPGGA,{clock},3006.0000,N,11206.0000,E,{quality},08,1.0,20.0,M,,M,,")


def test_rmc() -> None:
    batch = read(rmc(), rmc("151001", talker="BD"), unit="渔政1")
    assert batch.fixes[0] == Fix("渔政1", T0, 112.1, 30.1, pytest.approx(5.144444), 90.0, "patrol", "gps", None)
    assert batch.fixes[1].source == "beidou"
    assert batch.fixes[1].time == T0 + 1000


def test_a_tag_block_names_the_unit_of_a_gps() -> None:
    assert read(f"\\s:艇7,c:1\\{rmc()}").fixes[0].unit_id == "艇7"


def test_gga_has_the_date_of_zda_or_of_our_clock_also_over_midnight() -> None:
    zda = sentence("GPZDA,235959.00,31,05,2026,00,00")
    midnight = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)
    assert [fix.time for fix in read(zda, gga("235959"), gga("000001"), received=None).fixes] == [
        midnight - 1000,
        midnight + 1000,
    ]
    assert read(gga("000001"), received=midnight - 500).fixes[0].time == midnight + 1000
    assert codes(read(gga(), received=None)) == ["feed_no_date"]


def test_where_rmc_comes_gga_is_left() -> None:
    batch = read(rmc(), gga("151001"), rmc("151001"))
    assert [fix.speed for fix in batch.fixes] == pytest.approx([5.144444] * 2)
    assert batch.left == 1


# --- JSON --------------------------------------------------------------------------------------------------------
def test_the_line_of_the_contract() -> None:
    line = '{"unit_id": "u", "time": "2026-05-31T23:10:00+08:00", "lon": 112.1, "lat": 30.0, "speed": 3.1, "heading": 80, "role": "traffic"}'
    assert read(line).fixes == [Fix("u", T0, 112.1, 30.0, 3.1, 80.0, "traffic", None, None)]


@pytest.mark.parametrize(
    ("more", "role"),
    [({}, "patrol"), ({"source": "ais"}, "traffic"), ({"role": "巡护"}, "patrol"), ({"role": "traffic"}, "traffic")],
)
def test_role(more: dict[str, Any], role: str) -> None:
    assert read(row(**more)).fixes[0].role == role
    assert read(row(), role="traffic").fixes[0].role == "traffic"
    assert read(AIS, role="patrol").fixes[0].role == "patrol"


@pytest.mark.parametrize(
    "line",
    [
        {"船名": "渔政1", "定位时间": "2026-05-31 23:10:00", "经度": "112.1", "纬度": "30.0"},
        {"device": "渔政1", "timestamp": T0, "lng": 112.1, "latitude": 30.0},
        {"vessel_id": "渔政1", "timestamp": T0 / 1000, "x": 112.1, "y": 30.0},
        {"name": "渔政1", "time": "2026/5/31 23:10", "lon": 112.1, "lat": 30.0, "extra": {"a": [1]}},
        {"unit_id": "渔政1", "time_utc": "2026-05-31 15:10:00", "lon": 112.1, "lat": 30.0},
        {"unit_id": "渔政1", "time": "2026-05-31T15:10:00Z", "lon": 112.1, "lat": 30.0, "datum": "WGS84"},
        {"unit_id": "渔政1", "日期": "2026-05-31", "时刻": "23:10", "lon": 112.1, "lat": 30.0},
    ],
)
def test_other_words_and_times(line: dict[str, Any]) -> None:
    (fix,) = read(json.dumps(line, ensure_ascii=False)).fixes
    assert fix[:4] == ("渔政1", T0, 112.1, 30.0)


def test_units_of_speed_and_values_that_mean_unknown() -> None:
    def speed(**more: Any) -> tuple[float | None, float | None]:
        fix = read(row(**more)).fixes[0]
        return fix.speed, fix.heading

    assert speed(sog=10.0)[0] == pytest.approx(5.144444)
    assert speed(sog=102.3)[0] is None
    assert speed(**{"航速(km/h)": 36})[0] == pytest.approx(10)
    assert speed(speed=-1, heading=-1) == (None, None)
    assert speed(speed=None, heading=511) == (None, None)
    assert speed(speed="3.5", heading=360) == (3.5, 0.0)


def test_gb18030_is_read_as_uploads_are() -> None:
    assert read(row().encode("gb18030")).fixes[0].unit_id == "渔政1"


NASTY: list[str | bytes] = [
    "x", "hello world", "\x00\x01\x02", b"\xff\xfe\x00a", "{", "[", "{}", '{"a":1}', "[[]]", "[1,2]", '["a"]', "{]", "null}",
    '{"unit_id":', "[" * 50_000, '{"a":' * 20_000, '{"unit_id": "u", "time": NaN, "lon": 1, "lat": 1}',
    row(lon="Infinity"), row(lon=1e400), row(lat=float("nan")), row(lon=181), row(lat=-91), row(lon=0, lat=0), row(lon=True),
    row(lon=None), row(lat=""), row(lon=[112]), row(lon={"a": 1}), row(lon="__import__('os').system('true')"), row(lon=10**400),
    row(unit=""), row(unit="  "), row(unit=None), row(unit=1.5), row(unit=True), row(unit=["a"]), row(unit="a" * 81),  # type: ignore[arg-type]
    row(unit="\x1b[31mred\u202e"), row(time=""), row(time=None), row(time="soon"), row(time="23:10"), row(time="2026-05-31"),
    row(time=5), row(time=1e300), row(time=-1), row(time="2026-02-30T10:00:00"), row(time="9" * 500), row(time=[1]), row(time=True),
    row(time="03/04/2026 10:00"), row(time="0000-01-01T00:00:00"), row(speed="fast"), row(speed=-5), row(speed=[3]),
    row(heading=999), row(heading="north"), row(role="admin"), row(role=5), row(role=["patrol"]), row(datum="gcj02"), row(坐标系="BD09"),
    json.dumps({f"k{i}": i for i in range(1000)}),
    "!AIVDM", "!AIVDM,1,1,,A,,0*26", "$GPRMC,*00", "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4B",
    "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ", "!AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,0*4A"[:30],
    sentence("AIVDM,1,1,,A,15RTgt0PAso;90TKc,0", "!"), sentence("AIVDM,1,1,,A,1,0", "!"), sentence("AIVDM,1,1,,A,,0", "!"),
    sentence("AIVDM,1,1,,A,\x7f\x1f~~,0", "!"), sentence("AIVDM,1,1,,A,长江,0", "!"), sentence("AIVDM,9,9,,A,x,0", "!"),
    sentence("AIVDM,0,0,,A,x,0", "!"), sentence("AIVDM,2,3,1,A,x,0", "!"), sentence("AIVDM,a,b,,A,x,0", "!"),
    sentence("AIVDM,1,1,,A,15RTgt0PAso;90TKcjM8h6g208CQ,9", "!"), sentence("AIVDM,1,1", "!"), sentence(f"AIVDM,1,1,,A,{'w' * 5000},0", "!"),
    sentence("AIVDM,1,1,,A,w5RTgt0PAso;90TKcjM8h6g208CQ,0", "!"), sentence("AIVDM,1,1,,A,05RTgt0PAso;90TKcjM8h6g208CQ,0", "!"),
    rmc(status="V"), rmc(day="320526"), rmc(day=""), rmc("250000"), rmc("15:10"), rmc(day="ABCDEF"),
    sentence("GPRMC,151000,A,9906.0,N,11206.0,E,,,310526"), sentence("GPRMC,151000,A,3006.0,X,11206.0,E,,,310526"),
    sentence("GPRMC,151000,A,,,,,,,310526"), sentence("GPRMC"), sentence("GPGGA,,,,,,"), sentence("GPRMC,151000,A,0000.0,N,00000.0,E,,,310526"),
    "\\c:1*00\\" + AIS, "\\c:99999999999999999999\\" + AIS,
]  # fmt: skip


@pytest.mark.parametrize("line", NASTY, ids=range(len(NASTY)))
def test_a_nasty_line_is_refused_with_words_and_stops_nothing(line: str | bytes) -> None:
    batch = read(line, AIS)
    assert [fix.unit_id for fix in batch.fixes] == ["371798000"]
    assert batch.refused
    for text, code in batch.refused:
        assert len(text) <= 200
        assert text.isprintable()
        assert messages.text(code, "zh")
        assert messages.text(code, "en")


@given(st.binary(max_size=300))
def test_any_bytes_are_a_fix_a_refusal_or_nothing(data: bytes) -> None:
    read(data, received=CLOCK)
    Lines("船", SETTINGS).body(data, CLOCK, Batch())


@given(st.recursive(st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20), lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from(["unit_id", "time", "lon", "lat", "speed", "heading", "role", "source", "platform", "船名", "经度", "date", "clock", "id", "mmsi"]), one, max_size=9), max_leaves=20))  # fmt: skip
def test_any_json_is_a_fix_a_refusal_or_nothing(value: Any) -> None:
    batch = read(json.dumps(value))
    assert batch.lines >= (0 if value == [] else 1)
    for fix in batch.fixes:
        assert -180 <= fix.lon <= 180


@given(st.text(alphabet="0123456789,.AVNSEW*$!GPRMCIVD\\:;", max_size=80), st.sampled_from(["GPRMC,", "GPGGA,", "GPZDA,", "AIVDM,1,1,,A,", "AIVDM,2,1,3,A,"]))  # fmt: skip
def test_any_sentence_with_a_checksum(body: str, head: str) -> None:
    batch = read(sentence(head + body, "!" if head[0] == "A" else "$"))
    assert batch.lines >= 1 or "AIVDM,2" in head


# --- however the bytes are cut -----------------------------------------------------------------------------------
STREAM = "\r\n".join(
    [row(0), AIS, rmc(), *two_parts(), "nasty", row(1), f"{AIS},{T0 // 1000}", "{" + "x" * 300, row(2), gga(), ""]
).encode()


@given(st.lists(st.integers(0, len(STREAM)), max_size=40), st.sampled_from([b"\r\n", b"\n", b"\r"]))
def test_any_cut_of_the_stream_gives_the_same(cuts: list[int], ending: bytes) -> None:
    settings = Settings(feed_line_bytes=250)

    def all_of(pieces: list[bytes]) -> Batch:
        batch, splitter, lines = Batch(), Splitter(settings.feed_line_bytes), Lines("船", settings)
        for piece in pieces:
            for line in splitter.feed(piece):
                lines.line(line, CLOCK, batch)
        return batch

    whole = STREAM.replace(b"\r\n", ending)
    edges = sorted({0, *(min(cut, len(whole)) for cut in cuts), len(whole)})
    cut = all_of([whole[a:b] for a, b in itertools.pairwise(edges)])
    assert cut == all_of([STREAM])
    assert len(cut.fixes) == 7
    assert codes(cut) == ["feed_line_unknown", "feed_line_long"]


def test_a_line_without_end_takes_no_memory() -> None:
    splitter = Splitter(100)
    out = [line for _ in range(10_000) for line in splitter.feed(b"x" * 1000)]
    assert out == [None]
    assert splitter.rest == b""
    assert splitter.feed(b"\nabc\n") == [b"abc"]
