"""One stream of lines to fixes: AIS and GPS sentences (NMEA 0183), and positions as JSON.

A wrong line is refused with a code and never stops the stream. Nothing in a line is evaluated.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyais
from pyais.exceptions import AISBaseException

from geo_monitor.feeds import objects, programs
from geo_monitor.feeds.fix import Batch, Fix
from geo_monitor.ingest.readers.ais import KNOT, POSITION_TYPES, UNKNOWN_KNOTS
from geo_monitor.ingest.readers.nmea import (
    POSITION,
    SENTENCE,
    ahead,
    checksum,
    clock_time,
    decimal,
    in_degrees,
    of_day,
    told_time,
)
from geo_monitor.ingest.text import decode
from geo_monitor.settings import Settings
from geo_monitor.tracks import DAY_MS, MINUTE_MS

_NEXT = re.compile(r"(?:\\[^\\]*\\)?[!$][A-Z]{2}[A-Z0-9]{3},")  # another sentence behind the first, its line end lost
_TAG_BLOCK = re.compile(r"\\([^\\*]*)\*([0-9A-Fa-f]{2})\\")
_STATION = re.compile(r"\\(?:[^\\]*,)?s:([^,*\\]+)")
# the last field of each position report; a payload that was cut has none
_LAST = {27: "gnss"}
_SCALE = {27: 600.0}  # parts of a degree; pyais rounds to 6 digits, which loses none of them
_SOURCES = {"BD": "beidou", "GB": "beidou"}


@dataclass
class _Group:
    """Parts of an AIS message that has more than one sentence."""

    total: int
    born: int  # AIS lines of the stream before it
    when: str | None
    parts: dict[int, str] = field(default_factory=dict)


class Lines:
    """The lines of one sender, in order: it remembers parts of AIS messages, the date, and the receiver's clock.

    unit: whose the GPS sentences are, unless a tag block names a source (`s:`). role: see `open_source`. state: what
    `state()` gave, to go on where another stopped. owner: whose a JSON object is that tells no unit; None: it is refused.
    """

    def __init__(
        self, unit: str, settings: Settings, role: str | None = None, state: Mapping[str, Any] | None = None,
        owner: str | None = None,
    ) -> None:  # fmt: skip
        self.unit = unit
        self.owner = owner
        self.settings = settings
        self.role = role
        self._groups: dict[str, _Group] = {}
        self._heard = 0  # AIS lines so far
        self._base: tuple[int, int | None, int] | None = None  # base station's clock, our clock then, `_heard` then
        self._moment: int | None = None  # last moment that a GPS told with its date
        self._rmc = self._gga = False  # heard so far: the better sentence counts
        self._ahead = ""  # what a line told of the next sentence
        if state:
            self._restore(state)

    # --- lines -----------------------------------------------------------------------------------------------------
    def line(self, data: bytes | None, received: int | None, batch: Batch) -> None:
        """One line into `batch`. received: ms UTC of our clock when it came; None where that says nothing about the
        time of the fix (a file written before). None for `data` is a line that was too long."""
        if data is None:
            batch.refuse("…", "feed_line_long")
            return
        text = decode(data, "utf-8").lstrip("\ufeff").strip()
        if not text or text[0] == "#":
            batch.left += 1
        elif text[0] in "{[":
            self._json(text, received, batch)
        else:
            self._sentences(text, received, batch)

    def body(self, data: bytes, received: int | None, batch: Batch) -> None:
        """A whole message: one JSON value, however it is laid out, or lines."""
        head = data.lstrip()[:1]
        if head in (b"{", b"["):
            try:
                value = json.loads(data)
            except (ValueError, RecursionError):
                value = None  # not one value: lines of them, each of which is looked at
            if value is not None:
                self._value(value, decode(data[:1000], "utf-8"), received, batch)
                return
        for line in data.splitlines():
            if line.strip():
                self.line(line if len(line) <= self.settings.feed_line_bytes else None, received, batch)

    def end(self, batch: Batch) -> None:
        """No more lines: parts of messages that still wait are refused."""
        for key in list(self._groups):
            self._lose(key, batch)

    def whole(self, data: bytes) -> bool:
        """Whether a line without its end is complete all the same: a JSON object, or a sentence with its checksum.

        >>> lines = Lines("A", Settings())
        >>> lines.whole(b'{"lon": 112'), lines.whole(b'{"lon": 112}')
        (False, True)
        """
        text = decode(data, "utf-8").strip()
        if text[:1] in ("{", "["):
            try:
                json.loads(text)
            except (ValueError, RecursionError):
                return False
            return True
        match = SENTENCE.search(text)
        return match is not None and checksum(match[2]) == int(match[3], 16)

    def state(self) -> dict[str, Any]:
        """What another `Lines` needs to go on from here, for JSON; empty where there is nothing."""
        groups = {
            key: [g.total, self._heard - g.born, g.when, {str(n): s for n, s in g.parts.items()}]
            for key, g in self._groups.items()
        }
        base = [self._base[0], self._base[1], self._heard - self._base[2]] if self._base else None
        told = {
            "groups": groups,
            "base": base,
            "moment": self._moment,
            "rmc": self._rmc,
            "gga": self._gga,
            "ahead": self._ahead,
        }
        return {name: value for name, value in told.items() if value}

    def _restore(self, state: Mapping[str, Any]) -> None:
        for key, (total, age, when, parts) in dict(state.get("groups", {})).items():
            self._groups[str(key)] = _Group(int(total), -int(age), when, {int(n): str(s) for n, s in parts.items()})
        if state.get("base"):
            told, ours, age = state["base"]
            self._base = (int(told), ours, -int(age))
        self._moment = state.get("moment")
        self._ahead = str(state.get("ahead", ""))
        self._rmc, self._gga = bool(state.get("rmc")), bool(state.get("gga"))

    # --- JSON ------------------------------------------------------------------------------------------------------
    def _json(self, text: str, received: int | None, batch: Batch) -> None:
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            batch.refuse(text, "feed_json")
            return
        self._value(value, text, received, batch)

    def _value(self, value: Any, text: str, received: int | None, batch: Batch) -> None:
        several = isinstance(value, list)
        for one in programs.each(value):
            self._keep(self._object(one, received), str(one) if several else text, batch)

    def _object(self, value: Any, received: int | None) -> Fix | str | None:
        if not isinstance(value, dict):
            return "feed_json"
        told = programs.translated(value, self.unit, self.owner, lambda second: self._when(None, second, received))
        return objects.fix(told, self.role, self.owner) if isinstance(told, Mapping) else told

    def _keep(self, found: Fix | str | None, text: str, batch: Batch) -> None:
        if isinstance(found, Fix):
            batch.fixes.append(found)
        elif found is None:
            batch.left += 1
        else:
            batch.refuse(text, found)

    # --- sentences -------------------------------------------------------------------------------------------------
    def _sentences(self, text: str, received: int | None, batch: Batch) -> None:
        while True:
            match = SENTENCE.search(text)
            if match is None:
                told = ahead(text)
                if told is not None:
                    self._ahead = told
                    batch.left += 1
                    return
                batch.refuse(text, "nmea_checksum" if POSITION.search(text) else "feed_line_unknown")
                return
            tail = match[4]
            more = _NEXT.search(tail) if tail else None
            rest = tail[more.start() :] if more else ""
            before, tail = text[: match.start()], tail[: more.start()] if more else tail
            self._sentence(text[: len(text) - len(rest)], match, before, tail, received, batch)
            if not rest:
                return
            text = rest

    def _sentence(
        self, text: str, match: re.Match[str], before: str, tail: str, received: int | None, batch: Batch
    ) -> None:
        before, self._ahead = before or self._ahead, ""
        mark, body = match[1], match[2]
        tags = _TAG_BLOCK.search(before)
        if checksum(body) != int(match[3], 16) or (tags and checksum(tags[1]) != int(tags[2], 16)):
            batch.refuse(text, "nmea_checksum")
            return
        parts = body.split(",")
        kind = parts[0][2:]
        if mark == "!" and kind in ("VDM", "VDO"):
            self._ais(text, match, parts, before, tail, received, batch)
        elif mark == "$" and kind == "RMC":
            self._rmc = True
            self._keep(self._rmc_fix(parts, before), text, batch)
        elif mark == "$" and ((kind == "GGA" and not self._rmc) or (kind == "GLL" and not (self._rmc or self._gga))):
            self._gga |= kind == "GGA"
            self._keep(self._clocked(parts, before, received), text, batch)
        else:
            if mark == "$" and kind == "ZDA" and len(parts) > 4:
                self._moment = _moment(f"{parts[4]}-{parts[3]}-{parts[2]}", parts[1]) or self._moment
            batch.left += 1

    def _unit_of(self, before: str) -> str:
        station = _STATION.search(before) if before else None
        return objects.name(station[1]) or self.unit if station else self.unit

    def _rmc_fix(self, parts: list[str], before: str) -> Fix | str:
        parts = parts + [""] * (13 - len(parts))
        if parts[2] != "A" or parts[12] == "N":
            return "nmea_void"
        day = parts[9]
        if not re.fullmatch(r"\d{6}", day):
            return "nmea_incomplete"
        when = _moment(f"{'19' if int(day[4:]) >= 80 else '20'}{day[4:]}-{day[2:4]}-{day[:2]}", parts[1])
        place = _place(parts[3:7])
        if when is None or place is None:
            return "nmea_incomplete"
        self._moment = when
        speed, course = decimal(parts[7], KNOT), decimal(parts[8], 1.0)
        return objects.checked(
            Fix(
                self._unit_of(before), when, *place, float(speed) if speed else None,
                float(course) % 360 if course else None, self.role or "patrol", _SOURCES.get(parts[0][:2], "gps"), None,
            )
        )  # fmt: skip

    def _clocked(self, parts: list[str], before: str, received: int | None) -> Fix | str:
        """A fix (GGA, GLL) that tells the time of day only."""
        told, place, valid = of_day(parts)
        if not valid:
            return "nmea_void"
        clock, at = _moment("1970-01-01", told), _place(place)
        if clock is None or at is None:
            return "nmea_incomplete"
        about = self._moment if self._moment is not None else received
        if about is None:
            return "feed_no_date"
        when = clock + math.floor((about - clock) / DAY_MS + 0.5) * DAY_MS
        if self._moment is not None:
            self._moment = when
        source = _SOURCES.get(parts[0][:2], "gps")
        return objects.checked(Fix(self._unit_of(before), when, *at, None, None, self.role or "patrol", source, None))

    # --- AIS -------------------------------------------------------------------------------------------------------
    def _ais(
        self, text: str, match: re.Match[str], parts: list[str], before: str, tail: str, received: int | None,
        batch: Batch,
    ) -> None:  # fmt: skip
        self._heard += 1
        for key in [key for key, g in self._groups.items() if self._heard - g.born > self.settings.feed_part_lines]:
            self._lose(key, batch)
        if len(parts) < 7 or not re.fullmatch(r"[1-9]", parts[1]) or not re.fullmatch(r"[1-9]", parts[2]):
            batch.refuse(text, "nmea_incomplete")
            return
        body = ",".join([*parts[:6], parts[-1]])  # a gateway may tell a field more
        sentence = f"!{body}*{checksum(body):02X}"
        when = told_time(before, tail) if before or tail else None
        total, number = int(parts[1]), int(parts[2])
        sentences = [sentence]
        if total > 1:
            group = self._part(total, number, parts, sentence, before, when, batch)
            if group is None:
                return
            sentences = [group.parts[n] for n in range(1, total + 1)]
            when = group.when
            text = sentences[0]
        self._keep(self._message(sentences, when, received), text, batch)

    def _part(
        self, total: int, number: int, parts: list[str], sentence: str, before: str, when: str | None, batch: Batch
    ) -> _Group | None:
        """The group of a part, once it is whole."""
        station = _STATION.search(before) if before else None
        key = f"{total},{parts[3]},{parts[4]},{station[1] if station else ''}"
        group = self._groups.get(key)
        if group and number in group.parts and group.parts[number] != sentence:
            self._lose(key, batch)  # the number of the message is used anew
            group = None
        if number > total:
            batch.refuse(sentence, "nmea_incomplete")
            return None
        if group is None:
            while len(self._groups) >= self.settings.feed_parts:
                self._lose(next(iter(self._groups)), batch)
            group = self._groups[key] = _Group(total, self._heard, when)
        group.parts[number] = sentence
        group.when = group.when or when
        if len(group.parts) < total:
            batch.left += 1
            return None
        del self._groups[key]
        return group

    def _lose(self, key: str, batch: Batch) -> None:
        group = self._groups.pop(key)
        batch.refuse(next(iter(group.parts.values())), "ais_part_missing")

    def _message(self, sentences: list[str], told: str | None, received: int | None) -> Fix | str | None:
        try:
            found: Any = pyais.decode(*sentences)
        except (AISBaseException, ValueError, IndexError, TypeError, KeyError, OverflowError):
            return "ais_payload"
        kind = found.msg_type
        if kind == 4:
            return self._hear_base(found, received)
        if kind not in POSITION_TYPES:
            return None if 1 <= kind <= 27 else "ais_payload"
        if getattr(found, _LAST.get(kind, "raim"), None) is None or not found.mmsi:
            return "ais_payload"
        when = self._when(told, getattr(found, "second", None), received)
        if isinstance(when, str):
            return when
        scale = _SCALE.get(kind, 600_000.0)
        lon, lat = round(found.lon * scale) / scale, round(found.lat * scale) / scale
        if lon == 181.0 or lat == 91.0:
            return "position_missing"
        knots, course = float(found.speed), float(found.course)
        return objects.checked(
            Fix(
                f"{found.mmsi:09d}", when, lon, lat, None if knots == UNKNOWN_KNOTS.get(kind, 102.3) else knots * KNOT,
                None if course >= 360 else course, self.role or "traffic", "ais", None,
            )
        )  # fmt: skip

    def _hear_base(self, found: Any, received: int | None) -> str | None:
        """A base station report (type 4): the receiver's clock, unless it is far off ours."""
        try:
            told = datetime(found.year, found.month, found.day, found.hour, found.minute, found.second)
        except (ValueError, TypeError):
            return None  # no clock: month 0 and hour 24 mean "not available"
        ms = int((told - datetime(1970, 1, 1)).total_seconds() * 1000)
        if received is not None and abs(ms - received) > self.settings.feed_future_s * 1000:
            return "feed_base_clock"
        self._base = (ms, received, self._heard)
        return None

    def _when(self, told: str | None, second: int | None, received: int | None) -> int | str:
        """ms UTC of a report: as its receiver wrote it, else the clock, moved to the nearest moment with the UTC second
        that the report tells (0 to 59)."""
        if told is not None:
            return objects.moment(told) or "ais_no_time"
        clock = received
        if self._base is not None:
            base, ours, heard = self._base
            if received is None or ours is None:
                if self._heard - heard <= self.settings.feed_base_lines:
                    clock = base if received is None else received
            elif 0 <= received - ours <= self.settings.feed_base_s * 1000:
                clock = base + received - ours
        if clock is None:
            return "ais_no_time"
        return clock if second is None or second > 59 else nearest_second(clock, second)


def nearest_second(clock: int, second: int) -> int:
    """The moment nearest to `clock` (ms UTC) whose seconds are `second`.

    At 12:00:02 second 58 was in the minute before.

    >>> nearest_second(2_000, 58), nearest_second(2_000, 1), nearest_second(58_000, 3)
    (-2000, 1000, 63000)
    """
    at = second * 1000
    return at + math.floor((clock - at) / MINUTE_MS + 0.5) * MINUTE_MS


def _place(parts: list[str]) -> tuple[float, float] | None:
    """(lon, lat) of ddmm.mmmm,N,dddmm.mmmm,E."""
    if parts[1] not in ("N", "S") or parts[3] not in ("E", "W"):
        return None
    lat, lon = in_degrees(parts[0], parts[1]), in_degrees(parts[2], parts[3])
    return None if lat is None or lon is None else (float(lon), float(lat))


def _moment(day: str, clock: str) -> int | None:
    """ms UTC of yyyy-mm-dd and hhmmss.sss, None where there is no such moment."""
    told = clock_time(day, clock)
    if told is None:
        return None
    try:
        return round(datetime.fromisoformat(told).timestamp() * 1000)
    except ValueError:
        return None
