"""Fixes of patrols and of traffic. What is in memory does not grow with the file: rows go by in parts and lie in spools.

    cells    the file, part by part -> values of its cells, put aside
    rule     over all of them: which way dates are written, where the points are, which units there are
    placed   part by part: rows without a time or a place are refused, the others go to shares: all fixes of some units
    sailed   share by share, sorted (`sailed`): jumps, frozen receivers, what is held already
    stored   share by share: the rows to store, by day

Column-wise throughout: a Python loop runs over parts, shares, days and distinct names only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from geo_monitor.ingest import crs, dates, geometry, identity, motion, vocabulary
from geo_monitor.ingest.columns import normal
from geo_monitor.ingest.datum import named as datum_named
from geo_monitor.ingest.kinds import cells, sailed
from geo_monitor.ingest.kinds.cells import (
    CODED,
    HEADING_BAD,
    INFINITE,
    PLACE_BAD,
    SEVERAL,
    SPEED_BAD,
    TIME_BAD,
    Cells,
    Sent,
    packed,
)
from geo_monitor.ingest.kinds.source import Array, Spots, refuse_moments
from geo_monitor.ingest.ledger import Book, Ledger
from geo_monitor.ingest.receipt import Message
from geo_monitor.ingest.spool import FIXES, Fixes, Spool
from geo_monitor.tracks import KNOT, shanghai_day

NO_SPEED, NO_HEADING = 102.3, 511  # AIS: not available (knots, degrees)
SHARE_ROWS = 1 << 19  # fixes of a share, about: one unit is in one share


@dataclass
class Done:
    """What became of the rows: how many were read, are to be stored, were refused, are held already; number and reason
    (of `book`) of those refused beside `misfits`, rows that do not fit the header; where the points are."""

    book: Book
    rule: crs.Rule
    read: int = 0
    accepted: int = 0
    unchanged: int = 0
    misfits: Mapping[tuple[str, str], Message] = field(default_factory=dict)
    refused: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    reason: Array = field(default_factory=lambda: np.zeros(0, dtype=np.int32))


def take(sent: Sent) -> Done:
    """Goes through an upload; the rows to store are left in its folder (`spool.Fixes`)."""
    source = sent.source(sent.parts.head)
    source.need("time", "date")
    if sent.parts.head.shapes is None:
        source.need("lon", "position")
        source.need("lat", "position")
    return _Tracks(sent, cells.read(sent)).done()


# --- units ------------------------------------------------------------------------------------------------------------


class _Units:
    """The units of an upload: `names` as the store sorts them, and which share of the rows each is in."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        sent = [*cells.coders["unit_id"].names, *(cells.coders["mmsi"].names if cells.by_number else ())]
        if cells.nameless:
            sent.append(cells.sent.stem)
        # one name, one code: the file's stem or an MMSI may also stand in the other column
        self.names = sorted(set(sent), key=str.encode)
        place = {name: at for at, name in enumerate(self.names)}
        self._at = np.array([place[name] for name in sent], dtype=np.int64)
        self.came = np.zeros(len(self.names), dtype=np.int64)  # the order in which the names came
        self.came[[place[name] for name in dict.fromkeys(sent)]] = np.arange(len(self.names))
        counts = [*cells.counts["unit_id"], *(cells.counts["mmsi"] if cells.by_number else ()), cells.nameless]
        rows = np.bincount(self._at, weights=counts[: len(sent)], minlength=len(self.names))
        self.share = np.zeros(len(self.names), dtype=np.int64)
        share = held = 0
        for at, count in enumerate(rows.tolist()):
            if held and held + count > SHARE_ROWS:
                share, held = share + 1, 0
            self.share[at], held = share, held + count
        self.shares = share + 1

    def of(self, values: Mapping[str, Array]) -> tuple[Array, Array, Array]:
        """Of each row (n,) its unit, whether none was named, and whether it is AIS."""
        cells, unit = self.cells, values["unit_id"].astype(np.int64)
        ais = np.full(len(unit), cells.header.startswith("mmsi"))
        if cells.by_number:
            number = values["mmsi"]
            unit = np.where(number >= 0, number + len(cells.coders["unit_id"].names), unit)
            ais |= number >= 0
        if cells.sent.parts.head.fields is not None and "source" in cells.sent.columns:
            words = np.array([*(word == "ais" for word in cells.coders["source"].names), False], dtype=bool)
            ais |= words[values["source"]]
        missing = unit < 0
        return self._at[np.where(missing, len(self._at) - 1, unit)], missing, ais


# --- the rest ---------------------------------------------------------------------------------------------------------


class _Tracks:
    """From cells to fixes."""

    def __init__(self, sent: Sent, cells: Cells) -> None:
        self.sent, self.cells, self.units, self.book = sent, cells, _Units(cells), Book()
        self.words = {name: self._words(name) for name in ("platform", "role", "source")}
        datums = cells.coders["datum"].names
        self.datums = np.array([*map(datum_named, datums), sent.columns.datum], dtype=object)
        self.strange_datums = np.array([*(datum_named(word) is None for word in datums), False], dtype=bool)
        self.refused: list[tuple[Array, Array]] = []
        self.pairs: dict[int, int] = {}
        self.all_ais = True
        self.strangers = np.zeros(len(self.units.names), dtype=bool)
        self.came = np.full(len(self.units.names), np.iinfo(np.int64).max)  # the first row of each unit
        self.numbering = sent.parts.head.fields is not None and bool(cells.coders["patrol_id"].names)

    def done(self) -> Done:
        sent, cells, book = self.sent, self.cells, self.book
        told = crs.Told(
            sent.parts.head.crs, sent.options.crs, sent.options.datum, sent.parts.head.standard,
            sent.parts.head.fields is not None and "source" in sent.columns, sent.parts.head.expected, sent.held.reference,
        )  # fmt: skip
        if cells.choices.counted:
            book.add(_said("unit_counts_rows", column=sent.columns.header("unit_id"), unit=sent.stem))
        elif cells.nameless and not cells.named:
            book.note("unit_from_file", unit=sent.stem)
        for note in cells.notes:
            if note not in dates.ORDER_WARNINGS:
                book.note(note)
        if cells.zoneless:
            book.note("time_zone_assumed")
        rule = crs.rule(self._points, told, sent.settings)
        for code, params in rule.notes:
            book.note(code, **params)
        self._expect(rule)
        for places, values in zip(cells.places, cells.values, strict=True):
            self._placed(_all(places), _all(values), rule)
            places.clear()
            values.clear()
        found = Done(book, rule, cells.read, misfits=cells.misfits)
        self._sailed(found)
        if self.refused:
            row, reason = (np.concatenate(part) for part in zip(*self.refused, strict=True))
            order = np.argsort(row, kind="stable")
            found.refused, found.reason = row[order], reason[order]
        return found

    def _words(self, name: str) -> tuple[Array, Array, list[str]]:
        """Of each code of a column, and of none, the allowed value and whether the word is unknown; some of those."""
        cells = list(self.cells.coders[name].names)
        few, unknown = vocabulary.translate(name, np.array([*cells, None], dtype=object))
        return few, unknown, sorted(cell for cell, odd in zip(cells, unknown, strict=False) if odd)[:5]

    @property
    def _datum_named(self) -> bool:
        return "datum" in self.sent.columns or self.sent.columns.datum is not None

    @cached_property
    def _strange_words(self) -> list[str]:
        """Some of the words for a datum that we don't know."""
        words = self.cells.coders["datum"].names
        return sorted(word for word, strange in zip(words, self.strange_datums, strict=False) if strange)[:5]

    def _points(self) -> Iterator[crs.Points]:
        few = self.words["platform"][0]
        telling = np.array([word is None or word == "boat" for word in few], dtype=bool)
        named = self._datum_named
        for spool in self.cells.places:
            place = _all(spool)
            x, y = place["x"], place["y"]
            there = ~(np.isnan(x) | np.isnan(y))
            yield crs.Points(
                np.where(there, x, np.nan), np.where(there, y, np.nan),
                self.datums[place["datum"]] if named else None, crs.Of(telling[place["platform"]]),
            )  # fmt: skip

    def _expect(self, rule: crs.Rule) -> None:
        """Says in which order things are told."""
        book, columns, settings = self.book, self.sent.columns, self.sent.settings
        time = columns.header("time") or columns.header("date")
        book.expect("cell_time_unreadable", refused=True, column=time)
        book.expect("time_missing", refused=True)
        book.expect("time_dead_clock", refused=True, year=settings.earliest_year)
        book.expect("time_future", refused=True)
        for number in sorted(set(geometry.NAMES) - {geometry.POINT, geometry.POINTS}):
            book.expect("geometry_type", refused=True, found=geometry.NAMES[number], wanted="Point")
        for code in ("points_many", "coordinate_not_finite", "coordinate_unreadable", "coordinate_half",
                     *crs.REFUSED, "position_missing"):  # fmt: skip
            book.expect(code, refused=True)
        book.expect("fix_jump", refused=True, speed=f"{settings.jump_mps:g}")
        self._expect_cut("unit_id", "mmsi")
        book.expect("unit_from_file_some", unit=self.sent.stem)
        for note in self.cells.notes:
            if note in dates.ORDER_WARNINGS:
                book.add(_said(note))
        self._expect_cut("platform")
        self._expect_words("platform")
        self._expect_cut("datum")
        book.expect("datum_word_unknown", column=columns.header("datum"), words=self._strange_words)
        for code, params in rule.told:
            book.expect(code, **params)
        for name in ("speed", "heading"):
            book.expect("number_unreadable", column=columns.header(name))
        book.expect("heading_beyond", column=columns.header("heading"))
        self._expect_cut("patrol_id")
        book.expect("track_cut", speed=f"{settings.jump_mps:g}")
        book.expect("track_frozen", minutes=f"{settings.frozen_s / 60:g}")
        for name in ("role", "source"):
            self._expect_cut(name)
            self._expect_words(name)
        book.expect("duplicate_rows")

    def _expect_cut(self, *names: str) -> None:
        for name in names:
            self.book.expect(
                "cell_cut", column=self.sent.columns.header(name), limit=self.sent.settings.cell_characters
            )

    def _expect_words(self, name: str) -> None:
        self.book.expect("word_unknown", column=self.sent.columns.header(name), words=self.words[name][2])

    def _warn_cut(self, ledger: Ledger, cut: Array, *names: str) -> None:
        for name in names:
            rows = (cut >> CODED.index(name)) & 1 == 1
            ledger.warn(
                "cell_cut", rows, column=self.sent.columns.header(name), limit=self.sent.settings.cell_characters
            )

    def _warn_words(self, ledger: Ledger, name: str, codes: Array) -> None:
        _, unknown, words = self.words[name]
        if unknown.any():
            ledger.warn("word_unknown", unknown[codes], column=self.sent.columns.header(name), words=words)

    def _placed(self, place: dict[str, Array], value: dict[str, Array], rule: crs.Rule) -> None:
        """A part: refuses what has no time or place, and puts the rest where its unit's fixes are."""
        sent, columns, row, flags = self.sent, self.sent.columns, value["row"], value["flags"]
        ledger = Ledger(row)
        unit, missing, ais = self.units.of(value)
        self._warn_cut(ledger, value["cut"], "unit_id", "mmsi")
        if self.cells.named:
            ledger.warn("unit_from_file_some", missing, unit=sent.stem)
        ms = value["ms"]
        header = columns.header("time") or columns.header("date")
        refuse_moments(ms, flags & TIME_BAD != 0, header, ledger, sent.settings, sent.now)
        self._warn_cut(ledger, value["cut"], "platform")
        self._warn_words(ledger, "platform", place["platform"])
        x, y = place["x"], place["y"]
        spots = Spots(x, y, value["type"], flags & PLACE_BAD != 0, flags & SEVERAL != 0, flags & INFINITE != 0)
        there = spots.refuse(ledger)
        self._warn_cut(ledger, value["cut"], "datum")
        strange = self.strange_datums[place["datum"]]
        ledger.warn("datum_word_unknown", strange, column=columns.header("datum"), words=self._strange_words)
        lon, lat = x, y
        if not rule.empty:
            datums = self.datums[place["datum"]] if self._datum_named else None
            found = rule(crs.Points(np.where(there, x, np.nan), np.where(there, y, np.nan), datums))
            for code, mask in found.bad.items():
                ledger.refuse(mask, code)
            geometry.tell(found, ledger, None, len(row))
            lon, lat = found.lon, found.lat
        ledger.refuse(np.isnan(lon) | np.isnan(lat), "position_missing")
        ledger.warn("number_unreadable", flags & SPEED_BAD != 0, column=columns.header("speed"))
        ledger.warn("number_unreadable", flags & HEADING_BAD != 0, column=columns.header("heading"))
        heading = np.where(value["heading"] == NO_HEADING, np.nan, value["heading"])
        with np.errstate(invalid="ignore"):
            wrong = (heading < 0) | (heading > 360)
        ledger.warn("heading_beyond", wrong & ~ais, column=columns.header("heading"))
        self._warn_cut(ledger, value["cut"], "patrol_id")
        codes = self.book.add(ledger)[ledger.reason]
        self._refuse(row, codes)
        self.all_ais &= bool(ais.all())
        self.strangers[unit[ais]] = True
        np.minimum.at(self.came, unit, row)
        patrol = value["patrol_id"]
        if self.numbering:
            patrol = self._own_patrols(unit, patrol, ms)
        keep = (codes == 0) | ((ms != dates.NAT) & ~np.isnan(lon)) if self._told_speed is None else codes == 0
        rows = {
            "row": row, "unit": unit.astype(np.int32), "patrol": patrol, "ms": ms, "lon": lon, "lat": lat,
            "speed": value["speed"], "heading": np.where(wrong, np.nan, heading), "platform": place["platform"],
            "role": value["role"], "source": value["source"], "ais": ais, "cut": value["cut"], "alive": codes == 0,
        }  # fmt: skip
        share = self.units.share[unit]
        order = np.flatnonzero(keep)
        order = order[np.argsort(share[order], kind="stable")]
        batch, share = packed({name: values[order] for name, values in rows.items()}), share[order]
        starts = np.flatnonzero(np.r_[True, np.diff(share) != 0][: len(share)]).tolist()
        for start, stop in zip(starts, [*starts[1:], len(share)], strict=False):
            self._share(int(share[start])).add(batch.slice(start, stop - start))

    def _refuse(self, row: Array, codes: Array) -> None:
        if (codes != 0).any():
            self.refused.append((row[codes != 0], codes[codes != 0]))

    def _own_patrols(self, unit: Array, patrol: Array, ms: Array) -> Array:
        """A reader's own numbering (a GPX track) is unique in its file only: a patrol is that of one unit, and named after
        it and its first fix."""
        pair = np.where(
            (patrol >= 0) & (ms != dates.NAT), unit * len(self.cells.coders["patrol_id"].names) + patrol, -1
        )
        found, codes = np.unique(pair, return_inverse=True)
        first = np.full(len(found), np.iinfo(np.int64).max)
        np.minimum.at(first, codes.reshape(-1), ms)
        for key, begin in zip(found.tolist(), first.tolist(), strict=True):
            if key >= 0:
                self.pairs[key] = min(begin, self.pairs.get(key, begin))
        return pair

    def _share(self, number: int) -> Spool:
        return Spool(self.sent.folder / f"share-{number}.arrow")

    # --- speed --------------------------------------------------------------------------------------------------------

    @cached_property
    def _told_speed(self) -> str | None:
        """The unit of speeds where header or format tell it, "" where there are none; None: the way between fixes does."""
        match = self.sent.columns.matches.get("speed")
        if match is None:
            return ""
        if self.sent.parts.head.fields is not None or match.unit:
            return "m/s"
        return "kn" if normal(match.header) in {"sog", "speedoverground"} else None

    def _speed_factor(self) -> tuple[float, bool]:
        """What one of the column is in m/s, and whether it is AIS's speed over ground."""
        if self._told_speed in ("", "m/s"):
            return 1.0, False
        header = self.sent.columns.header("speed")
        if self._told_speed == "kn" or self.all_ais:
            self.book.note("speed_unit", unit="kn", column=header)
            return KNOT, True
        found = motion.unit_of(*self._legs())
        if found is None or found[1] < 0.6:
            self.book.note("speed_unit", unit="m/s", column=header)
            return 1.0, False
        self.book.note("speed_unit", unit={1.0: "m/s", KNOT: "kn"}.get(found[0], "km/h"), column=header)
        return found[0], False

    def _legs(self) -> tuple[Array, Array]:
        """Legs that tell the unit of speed, of the units that came first."""
        held: list[Array] = [np.zeros((3, 0))]
        for number in range(self.units.shares):
            fixes = _all(self._share(number))
            if not fixes:
                continue
            order = np.lexsort((fixes["ms"], fixes["unit"]))
            unit, ms, lon, lat, speed = (fixes[name][order] for name in ("unit", "ms", "lon", "lat", "speed"))
            way, told, at = motion.legs(unit, ms, lon, lat, speed)
            legs = np.hstack([held[0], np.vstack([self.units.came[unit[at]], way, told])])
            held = [legs[:, np.argsort(legs[0], kind="stable")[: motion.LEGS]]]
        return held[0][1], held[0][2]

    # --- sailed, stored -----------------------------------------------------------------------------------------------

    def _sailed(self, found: Done) -> None:
        sent, names = self.sent, self.units.names
        factor, over_ground = self._speed_factor()
        strange = self._strange()
        patrols = list(self.cells.coders["patrol_id"].names)
        samples: dict[int, identity.Sample] = {}
        for number in range(self.units.shares):
            spool = self._share(number)
            fixes = _all(spool)
            spool.clear()
            if not fixes or not fixes["alive"].any():
                continue
            if not fixes["alive"].all():
                fixes = {name: values[fixes["alive"]] for name, values in fixes.items()}
            ledger = Ledger(fixes["row"])
            speed = fixes["speed"]
            if over_ground:
                speed = np.where(np.abs(speed - NO_SPEED) < 1e-6, np.nan, speed)
            track = sailed.Fixes(
                fixes["unit"].astype(np.int64),
                fixes["patrol"].astype(np.int64),
                fixes["ms"],
                fixes["lon"],
                fixes["lat"],
                speed * factor,
            )
            own = patrols
            if self.numbering:
                track.patrol, own = self._named_patrols(track.patrol)
            own = sailed.check(track, names, own, ledger, sent.settings)
            self._warn_cut(ledger, fixes["cut"], "role", "source")
            self._warn_words(ledger, "role", fixes["role"])
            self._warn_words(ledger, "source", fixes["source"])
            unchanged = identity.repeated(
                track.unit, names, track.ms, track.lon, track.lat, ledger, sent.held, sent.settings
            )
            codes = self.book.add(ledger)[ledger.reason]
            self._refuse(fixes["row"], codes)
            found.unchanged += int((unchanged & ledger.alive).sum())
            fresh = ledger.alive & ~unchanged
            samples |= identity.samples(track.unit, track.ms, track.lon, track.lat, fresh)
            for unit in sorted(samples, key=lambda unit: int(self.came[unit]))[identity.TWICE_UNITS :]:
                del samples[unit]
            keep = track.order[fresh[track.order]]
            for first in range(0, len(keep), SHARE_ROWS):  # a unit may have more
                rows = self._rows(fixes, track, own, strange, keep[first : first + SHARE_ROWS])
                self._kept(number).add(rows)
        twice = identity.under_another_name(
            {unit: samples[unit] for unit in sorted(samples, key=lambda unit: int(self.came[unit]))},
            names,
            sent.held,
            sent.settings,
        )
        for message in twice.values():
            self.book.expect(message.code, **message.params)
        self._stored(found, twice)

    def _strange(self) -> Array:
        """Units (by name) whose AIS is traffic: numbers that belong to no unit held."""
        if self.sent.options.role or not self.strangers.any():
            return np.zeros(len(self.units.names), dtype=bool)
        held = self.sent.held
        ours = held.mmsi() | set(held.records("units")["unit_id"].dropna())
        strange = self.strangers & ~np.array([name in ours for name in self.units.names], dtype=bool)
        if strange.any():
            self.book.note("ais_traffic", units=int(strange.sum()))
        return strange

    def _named_patrols(self, pair: Array) -> tuple[Array, list[str]]:
        found, codes = np.unique(pair, return_inverse=True)
        many, names = len(self.cells.coders["patrol_id"].names), self.units.names
        own = [sailed.named(names[key // many], self.pairs[key]) for key in found.tolist() if key >= 0]
        return codes.reshape(-1) - int(len(found) > 0 and found[0] < 0), own

    def _rows(
        self, fixes: Mapping[str, Array], track: sailed.Fixes, patrols: list[str], strange: Array, keep: Array
    ) -> pa.RecordBatch:
        """Rows of `positions`, of the fixes `keep`, in that order."""
        sent, unit = self.sent, track.unit[keep]
        low = int(unit.min())
        ais = fixes["ais"][keep]
        roles = self.words["role"][0]
        if sent.options.role:
            role = _words(np.zeros(len(keep), dtype=np.int32), [sent.options.role])
        else:
            plain = np.where(strange[unit] & ais, 1, 0)
            role = _words(_or_else(roles, fixes["role"][keep], plain), [*roles[:-1], "patrol", "traffic"])
        sources = self.words["source"][0]
        origin = np.where(ais, 1, 0)
        source = _words(
            _or_else(sources, fixes["source"][keep], origin), [*sources[:-1], sent.parts.head.source, "ais"]
        )
        columns = {
            "unit_id": _words(unit - low, self.units.names[low : int(unit.max()) + 1]),
            "patrol_id": _words(track.patrol[keep], patrols),
            "time": pa.array(track.ms[keep], pa.int64()).cast(FIXES.field("time").type),
            "lon": pa.array(track.lon[keep]), "lat": pa.array(track.lat[keep]),
            "speed": pa.array(track.speed[keep], from_pandas=True), "heading": pa.array(fixes["heading"][keep], from_pandas=True),
            "platform": _words(fixes["platform"][keep], list(self.words["platform"][0][:-1])),
            "role": role, "source": source, "row": pa.array(fixes["row"][keep]),
        }  # fmt: skip
        return pa.RecordBatch.from_arrays([columns[name] for name in FIXES.names], schema=FIXES)

    def _kept(self, number: int) -> Spool:
        return Spool(self.sent.folder / f"kept-{number}.arrow")

    def _stored(self, found: Done, twice: Mapping[int, Message]) -> None:
        """Puts the rows to store where their day's are; those of a unit held under another name count as held."""
        again = {self.units.names[unit]: message for unit, message in twice.items()}
        fixes = Fixes(self.sent.folder)
        for number in range(self.units.shares):
            spool = self._kept(number)
            for batch in spool:
                unit = batch.column("unit_id")
                for at, name in enumerate(unit.dictionary.to_pylist()):
                    if name in again and (same := np.asarray(unit.indices) == at).any():
                        rows = np.sort(np.asarray(batch.column("row"))[same])
                        ledger = Ledger(rows)
                        ledger.warn(again[name].code, np.ones(len(rows), dtype=bool), **again[name].params)
                        self.book.add(ledger)
                        found.unchanged += len(rows)
                if again:
                    held = np.array([name in again for name in unit.dictionary.to_pylist()], dtype=bool)
                    batch = batch.filter(pa.array(~held[np.asarray(unit.indices)]))
                if not len(batch):
                    continue
                found.accepted += len(batch)
                day = shanghai_day(np.asarray(batch.column("time").cast(pa.int64())))
                order = np.argsort(day, kind="stable")
                starts = np.flatnonzero(np.diff(day[order], prepend=day.min() - 1))
                for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(order)], strict=True):
                    fixes.of(int(day[order[start]])).add(batch.take(pa.array(order[start:stop])))
            spool.clear()


def _said(code: str, **params: object) -> Ledger:
    ledger = Ledger(np.zeros(0, dtype=np.int64))
    ledger.warn(code, None, **params)
    return ledger


def _arrays(batch: pa.RecordBatch) -> dict[str, Array]:
    return {name: batch.column(name).to_numpy(zero_copy_only=False) for name in batch.schema.names}


def _all(spool: Spool) -> dict[str, Array]:
    """All of a share, in the order of the file; nothing where there is nothing."""
    parts = [_arrays(batch) for batch in spool]
    if not parts:
        return {}
    return {name: np.concatenate([part.pop(name) for part in parts]) for name in list(parts[0])}


def _or_else(words: Array, codes: Array, other: Array) -> Array:
    """Codes (n,) into words, and where these are none `other`, counted on after them."""
    none = np.array([word is None for word in words], dtype=bool)
    return np.where(none[codes], len(words) - 1 + other, codes)


def _words(codes: Array, names: Sequence[str | None]) -> pa.DictionaryArray:
    """Texts by their codes, those that are used in the order of `names`; -1 and the code of None are null."""
    place: dict[str, int] = {}
    at = np.full(len(names) + 1, -1, dtype=np.int32)
    for code in np.unique(codes).tolist():
        if code >= 0 and (name := names[code]) is not None:
            at[code] = place.setdefault(name, len(place))
    found = at[codes]
    return pa.DictionaryArray.from_arrays(pa.array(found, mask=found < 0), pa.array(list(place), pa.string()))
