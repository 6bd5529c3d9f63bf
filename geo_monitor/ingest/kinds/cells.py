"""The cells of an upload of fixes: part by part from the file into values, put aside in spools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow as pa

from geo_monitor.ingest import dates, fields, numbers
from geo_monitor.ingest.columns import Columns, counted, normal
from geo_monitor.ingest.kinds.source import Array, Coder, Source
from geo_monitor.ingest.ledger import Ledger, add
from geo_monitor.ingest.raw import Again, Parts, Raw
from geo_monitor.ingest.receipt import Held, Message, Options
from geo_monitor.ingest.spool import Spool
from geo_monitor.settings import Settings

CODED = ("unit_id", "mmsi", "patrol_id", "platform", "role", "source", "datum")  # columns of few texts and many rows
TIME_BAD, PLACE_BAD, SEVERAL, INFINITE, SPEED_BAD, HEADING_BAD = (1 << bit for bit in range(6))


@dataclass(frozen=True)
class Sent:
    """An upload of fixes: its rows, which of its columns are ours, what is said beside it; a folder for spools."""

    parts: Parts
    columns: Columns
    options: Options
    settings: Settings
    held: Held
    now: datetime
    stem: str
    folder: Path

    def source(self, raw: Raw) -> Source:
        return Source(raw, self.columns, Ledger(raw.row), self.options, self.settings, self.held, self.now, self.stem)


@dataclass(frozen=True)
class _Choices:
    """What reading a part depends on and only all of them tell: by column whether days come first in 3/4/2025; whether
    the column of times holds times of day; whether there are shapes; whether what seemed to name units counts the rows."""

    day_first: Mapping[str, bool]
    joined: bool
    shaped: bool
    counted: bool = False


def read(sent: Sent) -> Cells:
    """The cells of all rows; read once more where the first parts were taken otherwise than all of them have to be."""
    choices = _Choices({}, False, sent.parts.head.shapes is not None)
    while True:
        cells = Cells(sent, choices)
        try:
            for raw in sent.parts.parts():
                cells.add(raw)
        except Again:
            cells.clear()
            continue
        if (wanted := cells.wanted()) == choices:
            return cells
        cells.clear()
        choices = wanted


class Cells:
    """The values of the cells, two spools for each part: what tells the place, and the rest. They go as they are used."""

    def __init__(self, sent: Sent, choices: _Choices) -> None:
        self.sent, self.choices = sent, choices
        self.places, self.values = list[Spool](), list[Spool]()
        self.coders = {name: Coder(sent.settings.cell_characters) for name in CODED}
        self.read = self.nameless = 0
        self.misfits: dict[tuple[str, str], Message] = {}
        self.zoneless = self._clocks = self._apart = self._shapes = False
        self._most: dict[str, dates.Most] = {}
        self._used: dict[str, set[bool | None]] = {}
        self.counts: dict[str, Array] = {name: np.zeros(0, dtype=np.int64) for name in ("unit_id", "mmsi")}

    def add(self, raw: Raw) -> None:
        """Takes in the rows of a part."""
        source = self.sent.source(raw)
        for row in raw.bad:
            add(self.misfits, row.reason, (row.row,))
        self.read += len(raw.row) + len(raw.bad)
        n = len(raw.row)
        if not n:
            return
        codes, cut = {}, np.zeros(n, dtype=np.uint8)
        for bit, name in enumerate(CODED):
            codes[name] = np.full(n, -1, dtype=np.int32)
            if name in source and not (name == "unit_id" and self.choices.counted):
                codes[name], long = self.coders[name](source.column(name))
                cut |= long.astype(np.uint8) << bit
        self._count(codes)
        times = self._times(source)
        there = times.ms != dates.NAT
        self.zoneless |= bool((there & ~times.zoned).any())
        spots = source.spots(self.choices.shaped)
        self._shapes |= raw.shapes is not None and any(shape is not None for shape in raw.shapes)
        speed, no_speed = self._numbers(source, "speed", low=0.0)
        heading, no_heading = self._numbers(source, "heading")
        flags = (times.bad | (times.clock & there)) * TIME_BAD + spots.bad * PLACE_BAD + spots.several * SEVERAL
        flags += spots.infinite * INFINITE + no_speed * SPEED_BAD + no_heading * HEADING_BAD
        place = {"x": spots.x, "y": spots.y, "platform": codes["platform"], "datum": codes["datum"]}
        value = {
            "row": raw.row, **{name: codes[name] for name in ("unit_id", "mmsi", "patrol_id", "role", "source")},
            "ms": np.where(times.clock, dates.NAT, times.ms), "speed": speed, "heading": heading,
            "type": spots.type, "flags": flags.astype(np.uint8), "cut": cut,
        }  # fmt: skip
        for name, held, columns in (("places", self.places, place), ("values", self.values, value)):
            held.append(Spool(self.sent.folder / f"{name}-{len(held)}.arrow"))
            held[-1].add(packed(columns))

    def clear(self) -> None:
        for spool in (*self.places, *self.values):
            spool.clear()

    def wanted(self) -> _Choices:
        """The choices by all rows."""
        given, firsts = self.choices, dict(self.choices.day_first)
        for name, most in self._most.items():
            day_first, _ = dates.order(most)
            if self._used[name] != {day_first}:
                firsts[name] = day_first
        return replace(
            given, day_first=firsts, joined=given.joined or (self._clocks and self._apart), shaped=given.shaped and self._shapes,
            counted=given.counted or self._counted(),
        )  # fmt: skip

    def _counted(self) -> bool:
        """Whether a column that may name anything says 1, 2, 3 ...: points are so named by the programs that draw them."""
        names = self.coders["unit_id"].names
        vague = self.header in fields.VAGUE and not self.by_number and "unit_id" not in self.sent.options.columns
        return vague and len(names) == self.named and not self.nameless and counted(list(names))

    @cached_property
    def notes(self) -> list[str]:
        """What is to be said of how dates are written."""
        if "time" not in self.sent.columns:
            columns = ["date", "clock"]
        else:
            columns = ["date", "time"] if self._clocks and "date" in self.sent.columns else ["time"]
        return [note for name in columns for note in dates.order(self._most.get(name, (0, 0, 0)))[1]]

    @property
    def named(self) -> int:
        """Rows that name their unit."""
        return sum(int(count.sum()) for count in self.counts.values())

    @cached_property
    def by_number(self) -> bool:
        """Whether units go by their MMSI: where a file has one, unless another column plainly names units."""
        match, header = self.sent.columns.matches.get("unit_id"), self.header
        plain = match is not None and match.step < 3 and header not in fields.VAGUE and not header.startswith("mmsi")
        return "mmsi" in self.sent.columns and not plain

    @cached_property
    def header(self) -> str:
        return normal(self.sent.columns.header("unit_id") or "")

    def _count(self, codes: Mapping[str, Array]) -> None:
        """Counts the rows of each unit."""
        unit, number = codes["unit_id"], codes["mmsi"] if self.by_number else np.full(len(codes["mmsi"]), -1)
        for name, rows in (("unit_id", unit[(unit >= 0) & (number < 0)]), ("mmsi", number[number >= 0])):
            more = np.bincount(rows, minlength=len(self.coders[name].names))
            more[: len(self.counts[name])] += self.counts[name]
            self.counts[name] = more
        self.nameless += int(((unit < 0) & (number < 0)).sum())

    def _times(self, source: Source) -> dates.Times:
        own, day = self._parsed(source, "time"), self._parsed(source, "date")
        if own is None or day is None:
            found = own if own is not None else day
            assert found is not None
            if own is None and (clock := self._parsed(source, "clock")) is not None:
                return dates.join(found, clock)
            return found
        clocks = bool(own.clock.any())
        self._clocks |= clocks
        if clocks or self.choices.joined:
            return dates.join(day, own)
        self._apart = True
        return own

    def _parsed(self, source: Source, name: str) -> dates.Times | None:
        if name not in source:
            return None
        times = dates.parse(source.column(name), source.columns.zone(name), self.choices.day_first.get(name))
        if times.most[0]:
            self._most[name] = dates.larger(self._most.get(name, (0, 0, 0)), times.most)
            self._used.setdefault(name, set()).add(times.day_first)
        return times

    def _numbers(self, source: Source, name: str, low: float = -np.inf) -> tuple[Array, Array]:
        """Floats (n,) in our unit, NaN where empty or under `low`, and the cells that are no such number."""
        if name not in source:
            return np.full(len(source), np.nan), np.zeros(len(source), dtype=bool)
        match = source.columns.matches[name]
        values, bad = numbers.parse(source.column(name), match.field.dimension, match.factor)
        with np.errstate(invalid="ignore"):
            less = values < low
        return np.where(less, np.nan, values), bad | less


def packed(columns: Mapping[str, Array]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([pa.array(values) for values in columns.values()], names=list(columns))
