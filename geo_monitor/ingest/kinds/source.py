"""What every kind asks of the raw rows: columns by our names, as texts, numbers, words, moments, places."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely
from numpy.typing import NDArray

from geo_monitor.errors import Refused
from geo_monitor.ingest import coordinates, crs, dates, datum, geometry, numbers, vocabulary
from geo_monitor.ingest.columns import Columns, normal
from geo_monitor.ingest.ledger import Ledger
from geo_monitor.ingest.raw import Raw
from geo_monitor.ingest.receipt import Held, Options, zone_key
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]
NOBODY = ("无", "不详", "未知", "逃逸", "在逃", "-", "—", "/", "none", "unknown")


@dataclass(frozen=True)
class Taken:
    """A row for every row read (refused ones too; the ledger tells), and where the coordinates were found to be.

    names: header of theirs -> for every row the names of people in it (tuples, n).
    """

    frame: pd.DataFrame
    placed: crs.Placed | None = None
    names: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)


@dataclass
class Spots:
    """Coordinates (n,) as sent, NaN where there are none, and why they can't be used: the type of a shape (-1: none),
    `bad` (unreadable), `several` points in one row, `infinite` numbers."""

    x: Array
    y: Array
    type: Array
    bad: Array
    several: Array
    infinite: Array

    def refuse(self, ledger: Ledger) -> Array:
        """Refuses the rows whose coordinates are none; gives those that have both (n,)."""
        geometry.only_types(self.type, ("point",), ledger)
        ledger.refuse(self.several, "points_many")
        ledger.refuse(self.infinite, "coordinate_not_finite")
        ledger.refuse(self.bad, "coordinate_unreadable")
        half = np.isnan(self.x) != np.isnan(self.y)
        ledger.refuse(half & ~self.bad, "coordinate_half")
        return ~(np.isnan(self.x) | np.isnan(self.y))


def refuse_moments(
    ms: Array, bad: Array, header: str | None, ledger: Ledger, settings: Settings, now: datetime
) -> None:
    """Refuses rows without a usable time: ms (n,) UTC milliseconds, `dates.NAT` where there is none; `bad`: unreadable."""
    there = ms != dates.NAT
    early = there & (ms < np.datetime64(f"{settings.earliest_year}-01-01", "ms").astype(np.int64))
    late = there & (ms > int(now.timestamp() * 1000) + int(settings.future_s * 1000))
    ledger.refuse(bad, "cell_time_unreadable", column=header)
    ledger.refuse(~there, "time_missing")
    ledger.refuse(early, "time_dead_clock", year=settings.earliest_year)
    ledger.refuse(late, "time_future")


class Coder:
    """Texts as codes into the distinct ones, in the order they come, over all parts of a column."""

    def __init__(self, most: int) -> None:
        self.names: dict[str, int] = {}
        self._most = most

    def __call__(self, column: pa.ChunkedArray) -> tuple[Array, Array]:
        """Codes (n,), -1 where empty, and the cells that are longer than a cell may be and were cut. Cells that differ in
        blanks only are one text."""
        import pyarrow.compute as pc

        if not pa.types.is_string(column.type):
            column = pa.chunked_array([pa.array(numbers.texts(column), pa.string())])
        coded = pc.dictionary_encode(column, null_encoding="mask").unify_dictionaries()
        if not coded.num_chunks:
            return np.zeros(0, dtype=np.int32), np.zeros(0, dtype=bool)
        sent = [cell.strip() for cell in coded.chunk(0).dictionary.to_pylist()]
        place = [self.names.setdefault(cell[: self._most], len(self.names)) if cell else -1 for cell in sent]
        long = [len(cell) > self._most for cell in sent]
        codes = np.concatenate([chunk.indices.fill_null(len(sent)).to_numpy() for chunk in coded.chunks])
        return np.array([*place, -1], dtype=np.int32)[codes], np.array([*long, False], dtype=bool)[codes]


@dataclass
class Source:
    """One upload on its way: raw rows, whose columns are known, with the ledger of what happens to them."""

    raw: Raw
    columns: Columns
    ledger: Ledger
    options: Options
    settings: Settings
    held: Held
    now: datetime
    stem: str

    def __len__(self) -> int:
        return len(self.raw.row)

    def __contains__(self, name: str) -> bool:
        return name in self.columns

    def need(self, *names: str) -> None:
        """Raises `Refused("columns_missing")` where none of `names` is a column."""
        if not any(name in self for name in names):
            headers = self.raw.cells.column_names[:40]
            raise Refused("columns_missing", needed=" / ".join(names), headers=headers)

    def column(self, name: str) -> pa.ChunkedArray:
        return self.raw.cells[self.columns.header(name)]

    def texts(self, name: str) -> Array:
        """Trimmed text (n,), None where empty or where there is no such column."""
        if name not in self:
            return np.full(len(self), None, dtype=object)
        cells = numbers.texts(self.column(name))
        long = np.array([cell is not None and len(cell) > self.settings.cell_characters for cell in cells], dtype=bool)
        if long.any():
            self.ledger.warn("cell_cut", long, column=self.columns.header(name), limit=self.settings.cell_characters)
            cells[long] = [cell[: self.settings.cell_characters] for cell in cells[long]]
        return cells

    def coded(self, name: str) -> tuple[Array, list[str]]:
        """A text column as codes (n,) into its distinct texts, -1 where empty: for columns of many rows and few texts."""
        coder = Coder(self.settings.cell_characters)
        if name not in self:
            return np.full(len(self), -1, dtype=np.int32), []
        codes, long = coder(self.column(name))
        self.ledger.warn("cell_cut", long, column=self.columns.header(name), limit=self.settings.cell_characters)
        return codes, list(coder.names)

    def numbers(self, name: str, low: float | None = None) -> Array:
        """Floats (n,) in our unit, NaN where empty; what is no number, or under `low`, is left empty and told."""
        if name not in self:
            return np.full(len(self), np.nan)
        match = self.columns.matches[name]
        values, bad = numbers.parse(self.column(name), match.field.dimension, match.factor)
        if low is not None:
            bad = bad | (values < low)
            values = np.where(values < low, np.nan, values)
        self.ledger.warn("number_unreadable", bad, column=match.header)
        return values

    def people(self) -> dict[str, list[tuple[str, ...]]]:
        """Header of theirs -> the names in each row (n); one cell may hold several."""
        cells = {header: numbers.texts(self.raw.cells[header]) for header in self.columns.names}
        return {header: [names_in(cell) for cell in column] for header, column in cells.items()}

    def words(self, name: str) -> Array:
        """One of the field's allowed values (n,), None where empty; an unknown word is left empty and told."""
        codes, cells = self.coded(name)
        few, unknown = vocabulary.translate(name, np.array([*cells, None], dtype=object))
        if unknown.any():
            some = sorted(cell for cell, odd in zip(cells, unknown, strict=False) if odd)[:5]
            self.ledger.warn("word_unknown", unknown[codes], column=self.columns.header(name), words=some)
        return np.asarray(few[codes], dtype=object)

    def moments(self, name: str, required: bool = True) -> Array:
        """UTC milliseconds (n,), `dates.NAT` where there is none; unusable ones are refused where `required`."""
        times = self._moments(name)
        if times is None:
            return np.full(len(self), dates.NAT)
        for note in times.notes:
            (self.ledger.warn if note in dates.ORDER_WARNINGS else self.ledger.note)(note)
        there = times.ms != dates.NAT
        if (there & ~times.zoned).any():
            self.ledger.note("time_zone_assumed")
        bad = times.bad | (times.clock & there)
        ms = np.where(times.clock, dates.NAT, times.ms)
        if required:
            refuse_moments(ms, bad, self.time_header(name), self.ledger, self.settings, self.now)
        else:
            self.ledger.refuse(bad, "cell_time_unreadable", column=self.columns.header(name))
        return ms

    def time_header(self, name: str) -> str | None:
        return self.columns.header(name) or self.columns.header("date")

    def _moments(self, name: str) -> dates.Times | None:
        own, day = (self._parsed(column) if column in self else None for column in (name, "date"))
        if own is None and day is not None and "clock" in self:
            return dates.join(day, self._parsed("clock"))
        if own is not None and day is not None and own.clock.any():
            return dates.join(day, own)
        return own if own is not None else day

    def _parsed(self, name: str) -> dates.Times:
        """A column of times; where it does not tell day from month, as the file's other columns are written."""
        zone = self.columns.zone(name)
        times = dates.parse(self.column(name), zone)
        if not set(times.notes).isdisjoint(dates.ORDER_DOUBTS):
            others = [match.field for match in self.columns.matches.values() if match.field.type == "time"]
            found = [dates.order(dates.parse(self.column(other.name)).most) for other in others]
            told = {way for way, notes in found if notes and notes[0] not in dates.ORDER_DOUBTS}
            if len(told) == 1:
                return dates.parse(self.column(name), zone, told.pop())
        return times

    def datums(self) -> Array | None:
        """A datum named in the rows themselves, or in the header of their coordinates (n,), or None."""
        header = self.columns.datum
        if "datum" not in self:
            return None if header is None else np.full(len(self), header, dtype=object)
        cells = self.texts("datum")
        found = np.array([header if cell is None else datum.named(cell) for cell in cells], dtype=object)
        unknown = np.array([cell is not None and datum.named(cell) is None for cell in cells], dtype=bool)
        words = sorted(set(cells[unknown].tolist()))[:5]
        self.ledger.warn("datum_word_unknown", unknown, column=self.columns.header("datum"), words=words)
        return found

    def told(self) -> crs.Told:
        raw, options = self.raw, self.options
        receiver = raw.fields is not None and "source" in raw.fields
        return crs.Told(raw.crs, options.crs, options.datum, raw.standard, receiver, raw.expected, self.held.reference)

    def spots(self, shaped: bool) -> Spots:
        """The places as sent: of the shapes where `shaped`, else of one or two columns."""
        n = len(self)
        x, y, no = np.full(n, np.nan), np.full(n, np.nan), np.zeros(n, dtype=bool)
        found = Spots(x, y, np.full(n, -1, dtype=np.int8), no, no, no)
        if shaped:
            shapes = self.raw.shapes
            there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
            found.type = np.where(there, shapely.get_type_id(shapes), -1).astype(np.int8)
            found.several = there & (shapely.get_num_geometries(shapes) > 1)
            pick = there & np.isin(found.type, (geometry.POINT, geometry.POINTS)) & ~found.several
            assert shapes is not None
            flat = shapely.get_geometry(shapes[pick], 0)
            x[pick], y[pick] = shapely.get_x(flat), shapely.get_y(flat)
            found.infinite = pick & ~(np.isfinite(x) & np.isfinite(y))
        elif "lon" in self and "lat" in self:
            found.x, bad_x = coordinates.parse(self.column("lon"))
            found.y, bad_y = coordinates.parse(self.column("lat"))
            found.bad = bad_x | bad_y
        elif "position" in self:
            header = normal(self.columns.header("position") or "")
            lat_first = header.startswith(("lat", "纬"))
            found.x, found.y, found.bad = coordinates.pairs(self.column("position"), lat_first)
        return found

    def points(self, telling: Array | None = None) -> tuple[Array, Array, crs.Placed | None]:
        """lon, lat (n,) in WGS84, NaN where a row has none; rows whose place can't be used are refused.

        telling (n,): rows that should lie on the water or at its edge (None: all); they may tell the datum.
        """
        spots = self.spots(self.raw.shapes is not None and not shapely.is_missing(self.raw.shapes).all())
        there = spots.refuse(self.ledger)
        if not there.any():
            return spots.x, spots.y, None
        x, y = np.where(there, spots.x, np.nan), np.where(there, spots.y, np.nan)
        placed = crs.place(x, y, self.told(), self.settings, self.datums(), crs.Of(telling))
        for code, mask in placed.bad.items():
            self.ledger.refuse(mask, code)
        geometry.tell(placed, self.ledger, None, len(self))
        return placed.lon, placed.lat, placed

    def shapes(self) -> Array:
        """The rows' shapes as sent: of the file, or of a text column (WKT or GeoJSON)."""
        if self.raw.shapes is not None:
            return self.raw.shapes
        if "geometry" not in self:
            raise Refused("shapes_missing", file=self.raw.name)
        cells = self.texts("geometry")
        read = np.array([None if cell is None else _shape(cell) for cell in cells], dtype=object)
        written = np.array([cell is not None for cell in cells], dtype=bool)
        self.ledger.refuse(written & shapely.is_missing(read), "geometry_unreadable")
        return read

    def zones(self) -> Array:
        """What a zone held would be the same by (n,): agency and id, else name; see `zone_key`."""
        ids = or_else(self.texts("zone_id"), self.texts("name"))
        return np.array([None if i is None else zone_key(a, i) for a, i in zip(self.agencies(), ids, strict=True)],
                        dtype=object)  # fmt: skip

    def agencies(self) -> Array:
        """The agency of each row: its own column, else the one given."""
        cells = self.texts("agency")
        return np.array([self.options.agency if cell is None else cell for cell in cells], dtype=object)


def _shape(cell: str) -> Any:
    text = cell.strip()
    try:
        return shapely.from_geojson(text) if text.startswith("{") else shapely.from_wkt(text.partition(";")[2] or text)
    except shapely.errors.GEOSException:
        return None


def names_in(cell: str | None) -> tuple[str, ...]:
    """The names in a cell; what holds a digit, or says there is nobody, is none.

    >>> names_in("张三、李四; 王五"), names_in("无"), names_in("420106198001011234"), names_in(None)
    (('张三', '李四', '王五'), (), (), ())
    """
    parts = [part.strip() for part in re.split(r"[、,，;；/|\n]", cell or "")]
    return tuple(part for part in parts if part and part not in NOBODY and not any(c.isdigit() for c in part))


def stamp(ms: Array) -> pd.Series:
    """UTC milliseconds (`dates.NAT`: none) as times."""
    import pandas as pd

    return pd.Series(
        pd.to_datetime(np.where(ms == dates.NAT, np.datetime64("NaT"), ms.astype("datetime64[ms]")), utc=True)
    )


def content_id(prefix: str, *columns: Array) -> Array:
    """A name (n,) made of what the rows hold: the same content has the same name on every machine.

    The name ends in the first 12 digits of the SHA-1 of the content; that of nothing is da39a3ee5e6b...

    >>> content_id("x", np.array([None, None], dtype=object)).tolist()
    ['x-da39a3ee5e6b', 'x-da39a3ee5e6b']
    """
    rows = zip(*(column.tolist() for column in columns), strict=True)
    made = []
    for row in rows:
        plain = "\x1f".join("" if cell is None or cell != cell else repr(cell) for cell in row)
        made.append(f"{prefix}-{hashlib.sha1(plain.encode(), usedforsecurity=False).hexdigest()[:12]}")
    return np.array(made, dtype=object)


def or_else(cells: Array, other: Array) -> Array:
    """`cells` (n,), with `other` where they are None."""
    return np.array([b if a is None else a for a, b in zip(cells, other, strict=True)], dtype=object)
