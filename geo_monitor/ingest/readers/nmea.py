"""NMEA 0183 logs: GPS fixes (RMC; where none comes GGA, else GLL, with the date of ZDA) and AIS (AIVDM, AIVDO). A row a
position.

Sentences whose checksum does not fit, whose parts are incomplete or that have no time are refused one by one.
"""

from __future__ import annotations

import codecs
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import reduce
from operator import xor
from pathlib import Path

import pyarrow as pa

from geo_monitor.errors import Refused
from geo_monitor.ingest.raw import BadRow, Raw, numbered
from geo_monitor.ingest.readers import ais
from geo_monitor.ingest.receipt import Message
from geo_monitor.ingest.text import Encoding

SENTENCE = re.compile(r"([$!])((?:[A-Z0-9]{2}|--)[A-Z0-9]{3},[^*\r\n]*)\*([0-9A-Fa-f]{2})(.*)")
_TAGS = re.compile(r"\\([^\\]*)\\")
_EPOCH = re.compile(r"\b(\d{10}(?:\.\d+)?|\d{13})\b")
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
POSITION = re.compile(r"[$!][A-Z0-9]{2}(RMC|GGA|GLL|VDM|VDO),")
_LONE = re.compile(r"(?:\\[^\\]*\\)+")
_OWN = re.compile(r"\$(P[A-Z0-9]{3,},[^*$!\r\n]*)\*([0-9A-Fa-f]{2})")  # $P…: sentences of a maker's own
COLUMNS = ("unit_id", "time", "lon", "lat", "speed", "heading", "source", "sentence")


@dataclass
class _Log:
    rows: list[tuple[str | None, ...]] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    groups: dict[tuple[str, str, str], dict[str, object]] = field(default_factory=dict)
    date: str | None = None
    other: int = 0
    static: int = 0
    ahead: str = ""
    clock: str = ""  # the time of day told last, hhmmss

    def add(self, *row: str | None) -> None:
        self.rows.append(row)

    def refuse(self, sentence: str, code: str) -> None:
        number = len(self.rows) + len(self.bad) + 1
        self.bad.append(BadRow(number, {"sentence": sentence}, Message(code)))


def read(path: Path, name: str) -> Raw:
    """An NMEA log. Raises `Refused("nmea_no_positions")`."""
    with path.open("rb") as file:
        utf16 = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    lines = path.read_text(encoding="utf-16" if utf16 else "ascii", errors="replace").splitlines()
    log = _Log()
    best = next((kind for kind in ("RMC", "GGA") if any(f"{kind}," in line for line in lines)), "GLL")
    for line in lines:
        if line.strip():
            _line(line.strip(), log, best)
    for group in log.groups.values():
        log.refuse(str(group["first"]), "ais_part_missing")
    if not log.rows and not log.bad:
        raise Refused("nmea_no_positions", file=name, sentences=log.other + log.static)
    cells = {label: pa.array([row[i] for row in log.rows], pa.string()) for i, label in enumerate(COLUMNS)}
    table = pa.table(cells)
    # without a row every one is there, so that the reasons of what is refused are told
    fields = {label: label for label in COLUMNS[:-1] if not len(table) or table[label].null_count < len(table)}
    raw = Raw(table, numbered(len(table), log.bad), name=name, bad=log.bad, standard=True, fields=fields)
    raw.encoding = Encoding("ascii", "declared", 1.0)
    if log.static:
        raw.notes.append(Message("ais_static_left", {"count": log.static}))
    if log.other:
        raw.notes.append(Message("nmea_others_left", {"count": log.other}))
    return raw


def _line(line: str, log: _Log, best: str) -> None:
    match = SENTENCE.search(line)
    if match is None:
        told_ahead = ahead(line)
        if told_ahead is not None:
            log.ahead = told_ahead
            log.other += 1
        elif POSITION.search(line):
            log.refuse(line, "nmea_checksum")  # no checksum at all: as good as a wrong one
        else:
            log.other += 1
        return
    mark, body, told, tail = match.groups()
    parts = body.split(",")
    kind = parts[0][2:]
    position = kind in (best, "VDM", "VDO")
    if checksum(body) != int(told, 16):
        if position:
            log.refuse(line, "nmea_checksum")
        else:
            log.other += 1
        return
    if mark == "!" and kind in ("VDM", "VDO"):
        _ais(line, parts, line[: match.start()] or log.ahead, tail, log)
        log.ahead = ""
    elif kind == best == "RMC":
        _rmc(line, parts, log)
    elif kind == best:
        _clocked(line, parts, log)
    elif kind == "ZDA" and len(parts) > 4 and all(parts[2:5]):
        log.date, log.clock = f"{parts[4]}-{parts[3]}-{parts[2]}", parts[1]
        log.other += 1
    else:
        log.other += 1


def in_degrees(value: str, side: str) -> str | None:
    """ddmm.mmmm as degrees."""
    if not re.fullmatch(r"\d{3,5}(\.\d+)?", value) or side not in ("N", "S", "E", "W"):
        return None
    whole = value.split(".")[0]
    degrees = int(whole[:-2] or 0) + float(value[len(whole) - 2 :]) / 60
    return repr(-degrees if side in ("S", "W") else degrees)


def clock_time(day: str | None, time: str) -> str | None:
    if day is None or not re.fullmatch(r"\d{6}(\.\d+)?", time):
        return None
    fraction = f".{time[7:10]}" if time[7:].strip("0") else ""
    return f"{day}T{time[:2]}:{time[2:4]}:{time[4:6]}{fraction}Z"


def _rmc(line: str, parts: list[str], log: _Log) -> None:
    parts = parts + [""] * (10 - len(parts))
    day = parts[9]
    if re.fullmatch(r"\d{6}", day):
        century = "19" if int(day[4:]) >= 80 else "20"
        log.date = f"{century}{day[4:]}-{day[2:4]}-{day[:2]}"
    if parts[2] == "V":
        log.refuse(line, "nmea_void")
        return
    when = clock_time(log.date if day else None, parts[1])
    lat, lon = in_degrees(parts[3], parts[4]), in_degrees(parts[5], parts[6])
    if when is None or lat is None or lon is None:
        log.refuse(line, "nmea_incomplete")
        return
    speed = decimal(parts[7], ais.KNOT)
    log.add(None, when, lon, lat, speed, decimal(parts[8], 1.0), "gps", line)


def of_day(parts: list[str]) -> tuple[str, list[str], bool]:
    """Of a GGA or GLL: its time of day, the four fields of its place, whether it is a fix."""
    parts = parts + [""] * (7 - len(parts))
    if parts[0].endswith("GGA"):
        return parts[1], parts[2:6], parts[6] not in ("0", "")
    return parts[5], parts[1:5], parts[6] == "A"


def _clocked(line: str, parts: list[str], log: _Log) -> None:
    """A fix (GGA, GLL) that tells the time of day only."""
    clock, place, valid = of_day(parts)
    if not valid:
        log.refuse(line, "nmea_void")
        return
    # midnight has passed, and no sentence has told the day yet
    if log.date is not None and log.clock[:2] >= "18" and clock[:2] < "06":
        with suppress(ValueError):
            log.date = (date.fromisoformat(log.date) + timedelta(days=1)).isoformat()
    log.clock = clock
    when = clock_time(log.date, clock)
    lat, lon = in_degrees(place[0], place[1]), in_degrees(place[2], place[3])
    if when is None or lat is None or lon is None:
        log.refuse(line, "nmea_incomplete")
        return
    log.add(None, when, lon, lat, None, None, "gps", line)


def decimal(value: str, factor: float) -> str | None:
    return repr(float(value) * factor) if re.fullmatch(r"\d+(\.\d+)?", value) else None


def checksum(body: str) -> int:
    """Of a sentence or tag block, what lies between its marks: all bytes, exclusive or.

    >>> f"{checksum('GPRMC,,V,,,,,,,,,,N'):02X}"
    '53'
    """
    return reduce(xor, body.encode("utf-8", "surrogatepass"), 0)


def ahead(line: str) -> str | None:
    """What a line without a sentence we know tells of the next one: its tag blocks, or the moment of reception (UTC) in a
    $PGHP of Gatehouse's recorders; "" of another $P sentence, None of any other line and of a wrong checksum.

    >>> ahead("$PGHP,1,2010,6,11,11,46,11,390,231,45,992190934,1,2B*5B")
    '2010-06-11T11:46:11.390Z'
    """
    told = line.strip()
    if _LONE.fullmatch(told):
        return told
    match = _OWN.fullmatch(told)
    if match is None or checksum(match[1]) != int(match[2], 16):
        return None
    parts = match[1].split(",")
    if parts[:2] != ["PGHP", "1"] or len(parts) < 9 or not all(part.isdecimal() for part in parts[2:9]):
        return ""
    year, month, day, hour, minute, second, ms = map(int, parts[2:9])
    return f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}.{ms:03d}Z"


def told_time(before: str, tail: str) -> str | None:
    """The time a receiver wrote around a sentence: tag block `c:`, else an epoch or ISO time before or behind."""
    for block in _TAGS.findall(before):
        for tag in block.split("*")[0].split(","):
            if tag.startswith("c:") and tag[2:].isdigit():
                return tag[2:]
    for text in (tail, before):
        iso = _ISO.search(text)
        if iso:
            return iso[0]
        epoch = _EPOCH.search(text)
        if epoch:
            return epoch[0]
    return None


def _ais(line: str, parts: list[str], before: str, tail: str, log: _Log) -> None:
    if len(parts) < 7 or not parts[1].isdigit() or not parts[2].isdigit():
        log.refuse(line, "nmea_incomplete")
        return
    total, number = int(parts[1]), int(parts[2])
    when = told_time(before, tail)
    payload = parts[5]
    if total > 1:
        key = (parts[1], parts[3], parts[4])
        group = log.groups.get(key)
        if number == 1:
            if group is not None:
                log.refuse(str(group["first"]), "ais_part_missing")
            log.groups[key] = {"first": line, "payload": payload, "next": 2, "time": when}
            return
        if group is None or group["next"] != number:
            if group is None:
                log.refuse(line, "ais_part_missing")
            else:
                log.refuse(str(log.groups.pop(key)["first"]), "ais_part_missing")
            return
        group["payload"] = str(group["payload"]) + payload
        group["next"] = number + 1
        if number < total:
            return
        log.groups.pop(key)
        payload, when, line = str(group["payload"]), group["time"] or when, str(group["first"])  # type: ignore[assignment]
    try:
        found = ais.report(payload)
    except ValueError:
        log.refuse(line, "ais_payload")
        return
    if found is None:
        log.static += 1
    elif when is None:
        log.refuse(line, "ais_no_time")
    else:
        speed, course = (None if value is None else repr(value) for value in (found.speed, found.course))
        log.add(found.mmsi, when, repr(found.lon), repr(found.lat), speed, course, "ais", line)
