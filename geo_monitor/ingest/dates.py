"""Times as they are written, to UTC milliseconds. Arrays in, arrays out; distinct cells are parsed once.

A time without zone is Asia/Shanghai (UTC+8; no summer time since 1991). Whether 3/4/2025 is April or March is decided
over the whole column: one cell that can only be day-first makes all of them so. Where none decides, AM or PM makes them
American, month first; what is only likely is warned of (`ORDER_DOUBTS`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

FAST_FROM = 2000  # distinct cells; below, the general parser is quick enough
NAT = np.iinfo(np.int64).min  # no time
DAY_MS = 86_400_000
ORDER_DOUBTS = ("dates_order_unclear", "dates_order_american")
ORDER_WARNINGS = ("dates_order_both", *ORDER_DOUBTS)
SHANGHAI_MS = 8 * 3_600_000
EXCEL_DAY_0 = -25_569  # 1899-12-30 in days since 1970

_CLOCK = r"(?P<h>\d{1,2})\s*[:：时時点]\s*(?:(?P<mi>\d{1,2})\s*(?:[:：分]\s*(?:(?P<s>\d{1,2})(?:[.,](?P<f>\d{1,9}))?\s*秒?)?)?)?整?"
_HALVES = "上午|下午|凌晨|早上|清晨|早晨|晨|早|午前|中午|正午|午间|午后|傍晚|晚上|晚间|夜晚|晚|夜间|夜里|深夜|半夜|夜"
_HALF = rf"(?P<half>[AaPp]\.?[Mm]\.?|{_HALVES})?"
_ZONE = r"(?P<zone>Z|z|(?:UTC|GMT)?[+-]\d{2}:?\d{2}|(?:UTC|GMT)?[+-]\d{1,2}|UTC|GMT|北京时间|CST)?"
_TAIL = rf"(?:(?:\s*T\s*|\s*t\s*|_|\s+|,\s*)?(?:星期.\s*)?{_HALF}\s*{_CLOCK}\s*(?P<half2>[AaPp]\.?[Mm]\.?)?\s*{_ZONE}(?:\s*UTC|\s*GMT)?(?:\[.*\])?)?"
_SHAPES = (
    (
        "ymd",
        re.compile(rf"^(?P<a>\d{{4}})\s*[-/.年]\s*(?P<b>\d{{1,2}})\s*[-/.月]\s*(?P<c>\d{{1,2}})\s*[日号]?{_TAIL}$"),
    ),
    ("dmy", re.compile(rf"^(?P<a>\d{{1,2}})\s*[-/.]\s*(?P<b>\d{{1,2}})\s*[-/.]\s*(?P<c>\d{{4}}){_TAIL}$")),
    (
        "compact",
        re.compile(
            rf"^(?P<a>\d{{4}})(?P<b>\d{{2}})(?P<c>\d{{2}})(?:[T ]?(?P<h>\d{{2}})(?P<mi>\d{{2}})(?P<s>\d{{2}})?(?:\.(?P<f>\d{{1,9}}))?{_ZONE})?$"
        ),
    ),
    ("compact", re.compile(rf"^(?P<a>\d{{4}})(?P<b>\d{{2}})(?P<c>\d{{2}}){_TAIL}$")),
    ("clock", re.compile(rf"^{_HALF}\s*{_CLOCK}$")),
)
_MONTHS = {
    name: i + 1
    for i, name in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
}
_NAMED_MONTH = re.compile(r"^(\d{1,2})[- ]([A-Za-z]{3})[a-z]*[- ,]+(\d{4}|\d{2}(?!\d))(.*)$")
_MONTH_FIRST = re.compile(r"^([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2}),?\s+(\d{4})(.*)$")
_WEEKDAY = re.compile(r"^(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*,?\s+", re.IGNORECASE)
_HOUR_ONLY = re.compile(r"^(\d{4}-\d{2}-\d{2}T\d{2})(Z|[+-]\d{2}:?\d{2})?$")
_NUMERALS = "〇零一二三四五六七八九"
_NUMERAL = re.compile(rf"[{_NUMERALS}○十]+")
_NUMBER = re.compile(r"^[+-]?\d+(\.\d+)?([eE][+-]?\d+)?$")


# the largest first and second number of cells that are day-first or month-first; 1 where one of them says AM or PM
Most = tuple[int, int, int]


@dataclass
class Times:
    """`ms` (n,) UTC milliseconds, NAT where there is none; `bad`: something was written that is no time;
    `clock`: only a time of day was written (`ms` counts from midnight); `bare`: a date without a time of day."""

    ms: NDArray[np.int64]
    bad: NDArray[np.bool_]
    clock: NDArray[np.bool_]
    bare: NDArray[np.bool_]
    zoned: NDArray[np.bool_]
    notes: list[str] = field(default_factory=list)
    rest: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    day_first: bool | None = None
    most: Most = (0, 0, 0)

    def fill(self, other: Times) -> None:
        """Puts the times of `other` where `rest` says."""
        for name in ("ms", "bad", "clock", "bare", "zoned"):
            getattr(self, name)[self.rest] = getattr(other, name)
        self.notes += [note for note in other.notes if note not in self.notes]
        self.most = larger(self.most, other.most)
        self.day_first = other.day_first if self.day_first is None else self.day_first


def larger(one: Most, other: Most) -> Most:
    return max(one[0], other[0]), max(one[1], other[1]), max(one[2], other[2])


def order(most: Most) -> tuple[bool, list[str]]:
    """Whether days come first in a column of 3/4/2025, and what is said of it.

    >>> order((12, 31, 0)), order((5, 5, 0)), order((5, 5, 1)), order((0, 0, 0))
    ((False, ['dates_month_first']), (True, ['dates_order_unclear']), (False, ['dates_order_american']), (True, []))
    """
    if not most[0]:
        return True, []
    if most[0] > 12:
        return True, ["dates_day_first", *(["dates_order_both"] if most[1] > 12 else [])]
    if most[1] > 12:
        return False, ["dates_month_first"]
    return (False, ["dates_order_american"]) if most[2] else (True, ["dates_order_unclear"])


def parse(column: pa.ChunkedArray | pa.Array, zone: str | None = None, same_day_first: bool | None = None) -> Times:
    """Every way of writing a time that we know, over a whole column.

    zone: the zone the column's header tells ("utc", "local" or None for our rule). same_day_first: whether days come
    first in 3/4/2025, where that is known already; nothing is noted of it then.

    >>> import pyarrow as pa
    >>> times = parse(pa.array(["2026年5月31日 23时10分", "2026/5/31 24:00:00", "31/5/2026 23:59", "46173.5", "25:10"]))
    >>> [str(np.datetime64(int(ms), "ms"))[:16] for ms in times.ms[:4]], times.bad.tolist()
    (['2026-05-31T15:10', '2026-05-31T16:00', '2026-05-31T15:59', '2026-05-31T04:00'], [False, False, False, False, True])
    """
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return _typed(column, zone)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return _numbers(column, zone)
    coded = pc.dictionary_encode(pc.cast(column, pa.string()), null_encoding="mask")
    codes = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    few = _fast(coded.dictionary, zone, same_day_first) if len(coded.dictionary) > FAST_FROM else None
    if few is None:
        few = _distinct(coded.dictionary.to_pylist(), zone, same_day_first)
    elif len(few.rest):
        few.fill(_distinct(coded.dictionary.take(pa.array(few.rest)).to_pylist(), zone, few.day_first))
    bad, clock, bare, zoned = (
        np.where(codes < 0, False, _at(part, codes, False)) for part in (few.bad, few.clock, few.bare, few.zoned)
    )
    return Times(
        np.where(codes < 0, NAT, _at(few.ms, codes, NAT)),
        bad,
        clock,
        bare,
        zoned,
        few.notes,
        day_first=few.day_first,
        most=few.most,
    )


_DAYS = r"((0[13578]|1[02])-(0[1-9]|[12]\d|3[01])|(0[469]|11)-(0[1-9]|[12]\d|30)|02-(0[1-9]|1\d|2[0-8]))"
_ISO = rf"^\d{{4}}-{_DAYS}[ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{{1,3}})?)?$"
_SLASHED = r"^\d{2}[-/.]\d{2}[-/.]\d{4} "


def _fast(cells: pa.Array, zone: str | None, day_first: bool | None) -> Times | None:
    """The common ways of writing, column-wise; what does not fit stays in `rest` for the general parser.

    None where a column of 01/02/2025 does not tell day from month: then all cells must be looked at together.
    """
    n = len(cells)
    text = pc.utf8_trim_whitespace(cells)
    if (plainly := _plainly(text)) is not None:
        no = np.zeros(n, dtype=bool)
        return Times(plainly - _shift(zone), no, no.copy(), no.copy(), no.copy())
    slashed = pc.match_substring_regex(text, _SLASHED)
    most: Most = (0, 0, 0)
    notes = list[str]()
    if pc.any(slashed).as_py():
        first = pc.cast(pc.utf8_slice_codeunits(text.filter(slashed), 0, 2), pa.int8())
        second = pc.cast(pc.utf8_slice_codeunits(text.filter(slashed), 3, 5), pa.int8())
        most = (pc.max(first).as_py(), pc.max(second).as_py(), 0)
        if day_first is None:
            if (most[0] > 12) == (most[1] > 12):
                return None
            day_first, notes = order(most)
        day, month = (0, 3) if day_first else (3, 0)
        turned = pc.binary_join_element_wise(
            pc.utf8_slice_codeunits(text, 6, 10),
            pc.utf8_slice_codeunits(text, month, month + 2),
            pc.binary_join_element_wise(
                pc.utf8_slice_codeunits(text, day, day + 2), pc.utf8_slice_codeunits(text, 11), " "
            ),
            "-",
        )
        text = pc.if_else(slashed, turned, text)
    utc, east8 = pc.ends_with(text, "Z"), pc.match_substring_regex(text, r"\+08:?00$")
    text = pc.replace_substring_regex(text, r"(Z|\+08:?00)$", "")
    text = pc.replace_substring_regex(text, r"^(\d{4})/(\d{2})/(\d{2})", r"\1-\2-\3")
    good = pc.match_substring_regex(text, _ISO)
    stamps = pc.cast(pc.if_else(good, text, None), pa.timestamp("ms"))
    ms = stamps.cast(pa.int64()).fill_null(NAT).to_numpy(zero_copy_only=False).copy()
    done, is_utc = (part.to_numpy(zero_copy_only=False).astype(bool) for part in (good, utc))
    zoned = (is_utc | east8.to_numpy(zero_copy_only=False).astype(bool)) & done
    ms[done] -= np.where(is_utc, 0, np.where(zoned, SHANGHAI_MS, _shift(zone)))[done]
    bad, clock, bare = (np.zeros(n, dtype=bool) for _ in range(3))
    return Times(ms, bad, clock, bare, zoned, notes, np.flatnonzero(~done), day_first, most)


def _plainly(text: pa.Array) -> NDArray[np.int64] | None:
    """Milliseconds as if in UTC where every cell is 2026-05-31 23:10 or the like, without a zone, else None: most columns
    are, and so many patterns need not be tried on each."""
    if (pc.min(pc.utf8_length(text)).as_py() or 0) < len("2026-05-31 23:10"):
        return None
    try:
        return np.asarray(pc.cast(text, pa.timestamp("ms")).cast(pa.int64()), dtype=np.int64)
    except pa.ArrowInvalid:
        return None


def _at(values: NDArray[Any], codes: NDArray[Any], empty: Any) -> NDArray[Any]:
    return values[codes] if len(values) else np.full(len(codes), empty)


def _shift(zone: str | None) -> int:
    return 0 if zone == "utc" else SHANGHAI_MS


def _typed(column: pa.Array, zone: str | None) -> Times:
    n = len(column)
    bare = np.full(n, pa.types.is_date(column.type))
    zoned = np.full(n, pa.types.is_timestamp(column.type) and column.type.tz is not None)
    empty = column.is_null().to_numpy(zero_copy_only=False)
    plain = column.cast(pa.timestamp("ms", tz=getattr(column.type, "tz", None)), safe=False)
    ms = plain.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    ms = np.where(empty, NAT, np.where(zoned, ms, ms - _shift(zone)))
    no = np.zeros(n, dtype=bool)
    return Times(ms, no, no.copy(), bare, zoned & ~empty)


def _numbers(column: pa.Array, zone: str | None) -> Times:
    values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    ms, bad, zoned, bare = number_times(values, zone)
    return Times(ms, bad, np.zeros(len(ms), dtype=bool), bare, zoned)


def number_times(
    values: NDArray[np.float64], zone: str | None
) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_], NDArray[np.bool_]]:
    """Numbers that stand for times: ms, bad, zoned, bare.

    By size: below 100,000 are Excel days since 1899-12-30 (local); up to 1e11 seconds since 1970 (UTC); up to 1e14
    milliseconds; up to 1e17 microseconds; yyyymmdd where that is a date of 1900-2100.
    """
    there = np.isfinite(values)
    v = np.where(there, values, 0.0)
    year = v // 10_000
    compact = (year >= 1900) & (year <= 2100) & (v == np.floor(v)) & (v % 10_000 // 100 <= 12) & (v % 100 <= 31)
    compact &= (v % 10_000 // 100 >= 1) & (v % 100 >= 1)
    excel = (v > 0) & (v < 100_000)
    seconds = ~compact & ((v == 0) | ((v >= 100_000) & (v < 1e11)))
    millis = (v >= 1e11) & (v < 1e14)
    micros = (v >= 1e14) & (v < 1e17)
    ms = np.full(len(v), NAT, dtype=np.int64)
    # an Excel day holds about 1e-10 of a day: whole seconds are meant
    ms[excel] = np.round((v[excel] + EXCEL_DAY_0) * 86_400).astype(np.int64) * 1000 - _shift(zone)
    ms[seconds] = np.round(v[seconds] * 1000).astype(np.int64)
    ms[millis] = np.round(v[millis]).astype(np.int64)
    ms[micros] = np.round(v[micros] / 1000).astype(np.int64)
    for i in np.flatnonzero(compact):
        day = _day(int(year[i]), int(v[i] % 10_000 // 100), int(v[i] % 100))
        if day is not None:
            ms[i] = day * DAY_MS - _shift(zone)
    bad = there & (ms == NAT)
    ms[~there] = NAT
    bare = compact | (excel & (v == np.floor(v)))
    return ms, bad, (seconds | millis | micros) & there, bare


def _day(year: int, month: int, day: int) -> int | None:
    """Days since 1970 of a civil date, None where there is no such day."""
    if not (1 <= month <= 12 and 1 <= day <= 31 and 1 <= year <= 9999):
        return None
    start = np.datetime64(f"{year:04d}-{month:02d}", "M")
    count = (start.astype("datetime64[D]") + np.timedelta64(day - 1, "D")).astype(np.int64)
    return int(count) if np.datetime64(int(count), "D").astype("datetime64[M]") == start else None


def _distinct(cells: list[str], zone: str | None, day_first: bool | None) -> Times:
    n = len(cells)
    ms = np.full(n, NAT, dtype=np.int64)
    bad, clock, bare, zoned = (np.zeros(n, dtype=bool) for _ in range(4))
    found: list[tuple[int, str, dict[str, str]]] = []
    for i, cell in enumerate(cells):
        plain = _plain(cell)
        if not plain:
            continue
        shape, parts = _match(plain)
        if shape:
            found.append((i, shape, parts))
        elif _NUMBER.match(plain):
            one, wrong, has_zone, is_bare = number_times(np.array([float(plain)]), zone)
            ms[i], bad[i], zoned[i], bare[i] = one[0], wrong[0], has_zone[0], is_bare[0]
        else:
            bad[i] = True
    notes = list[str]()
    most: Most = (0, 0, 0)
    for _, shape, parts in found:
        if shape == "dmy":
            half = (parts["half"] or parts["half2"] or "")[:1].lower() in ("a", "p")
            most = larger(most, (int(parts["a"]), int(parts["b"]), int(half)))
    if day_first is None and most[0]:
        day_first, notes = order(most)
    for i, shape, parts in found:
        value, told_zone, only_day = _value(shape, parts, zone, day_first is not False)
        if value is None:
            bad[i] = True
            continue
        ms[i], zoned[i], bare[i], clock[i] = value, told_zone, only_day, shape == "clock"
    return Times(ms, bad, clock, bare, zoned, notes, day_first=day_first, most=most)


def _plain(cell: str) -> str:
    import unicodedata

    return unicodedata.normalize("NFKC", cell).strip().strip("'\"").strip()


def _words(plain: str) -> str:
    """A written time with its words as figures and without what does not count.

    >>> _words("二〇二六年五月三日晚八点半"), _words("May 3, 2026 8:00"), _words("2026-05-03 约8时许(北京时间)")
    ('2026年5月3日晚8点30分', '3 May 2026 8:00', '2026-05-03 8时北京时间')
    """
    plain = _WEEKDAY.sub("", plain)
    plain = _MONTH_FIRST.sub(r"\2 \1 \3\4", plain)
    plain = _HOUR_ONLY.sub(lambda hour: f"{hour[1]}:00{hour[2] or ''}", plain)
    plain = re.sub(r"(?<=[日号\d])\s*\(?(?:星期|周)[一二三四五六日天]\)?\s*", " ", plain).strip()
    plain = re.sub(r"\((北京时间|UTC\+8|GMT\+8|东八区)\)$", "北京时间", plain, flags=re.IGNORECASE)
    plain = re.sub(r"\s*\([^()]*\)$", "", plain)
    plain = re.sub(r"(?:许|左右|前后)(?=$|北京时间$)|(?<=[日号\s])(?:约|大约)(?=\d)", "", plain)
    if re.search("[年月日]", plain):
        plain = _NUMERAL.sub(lambda found: _figure(found[0]), plain)
    return re.sub("(?<=[点时])半", "30分", plain)


def _figure(numeral: str) -> str:
    """Chinese numerals up to 99, or digit by digit, as figures: 二十三 is 23, 二〇二六 is 2026."""
    numeral = numeral.replace("○", "〇")
    if "十" not in numeral:
        return "".join("0" if c == "〇" else str(max(_NUMERALS.index(c) - 1, 0)) for c in numeral)
    tens, _, ones = numeral.partition("十")
    return f"{_figure(tens) if tens else '1'}{_figure(ones) if ones else '0'}"


def _match(plain: str) -> tuple[str, dict[str, str]]:
    plain = _words(plain)
    month = _NAMED_MONTH.match(plain)
    if month and month[2].lower() in _MONTHS:
        year = month[3] if len(month[3]) == 4 else f"20{month[3]}"
        plain = f"{year}-{_MONTHS[month[2].lower()]}-{month[1]}{month[4]}"
    for shape, pattern in _SHAPES:
        match = pattern.match(plain)
        if match:
            return shape, match.groupdict()
    return "", {}


def _value(shape: str, parts: dict[str, Any], zone: str | None, day_first: bool) -> tuple[int | None, bool, bool]:
    day: int | None = 0
    if shape in ("ymd", "compact"):
        day = _day(int(parts["a"]), int(parts["b"]), int(parts["c"]))
    elif shape == "dmy":
        first, second = int(parts["a"]), int(parts["b"])
        d, m = (first, second) if day_first else (second, first)
        day = _day(int(parts["c"]), m, d)
    if day is None:
        return None, False, False
    bare = parts.get("h") is None
    hour, minute, second = (int(parts.get(name) or 0) for name in ("h", "mi", "s"))
    half = (parts.get("half") or parts.get("half2") or "").lower().replace(".", "")
    night = half in ("晚上", "晚间", "夜晚", "晚", "夜间", "夜里", "深夜", "半夜", "夜")
    if (
        (half in ("pm", "下午", "午后", "傍晚") and 1 <= hour < 12)
        or (half in ("中午", "正午", "午间") and 1 <= hour < 3)
        or (night and 5 <= hour < 12)
    ):
        hour += 12
    elif night and hour == 12:
        hour = 24 if minute == 0 else 0  # 晚上12点 ends the day
        day += hour == 0
    elif half in ("am", "凌晨", "上午") and hour == 12:
        hour = 0
    if not (hour < 24 or (hour == 24 and minute == 0 and second == 0)) or minute > 59 or second > 60:
        return None, False, False
    fraction = int((parts.get("f") or "0").ljust(3, "0")[:3])
    ms = day * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + fraction
    if shape == "clock":
        return ms, False, False
    told = parts.get("zone")
    if not told:
        return ms - _shift(zone), False, bare
    if told in ("北京时间", "CST"):
        return ms - SHANGHAI_MS, True, bare
    if told in ("Z", "z", "UTC", "GMT"):
        return ms, True, bare
    told = told.removeprefix("UTC").removeprefix("GMT")
    digits = told[1:].replace(":", "").zfill(2)
    hours, minutes = (int(digits), 0) if len(digits) <= 2 else (int(digits[:-2]), int(digits[-2:]))
    if hours > 14 or minutes > 59:
        return None, False, False
    return ms - (1 if told[0] == "+" else -1) * (hours * 60 + minutes) * 60_000, True, bare


def join(date: Times, clock: Times) -> Times:
    """A column of dates and one of times of day as moments. A cell of the clock column that is a moment counts alone."""
    day_fraction = clock.ms - (EXCEL_DAY_0 * DAY_MS - SHANGHAI_MS)
    is_fraction = ~clock.clock & (clock.ms != NAT) & (day_fraction >= 0) & (day_fraction < DAY_MS)
    of_day = np.where(clock.clock, clock.ms, np.where(is_fraction, day_fraction, 0))
    whole = ~clock.clock & ~is_fraction & (clock.ms != NAT)
    there = (date.ms != NAT) & (clock.ms != NAT)
    ms = np.where(whole, clock.ms, np.where(there, date.ms + of_day, NAT))
    ms = np.where((date.ms != NAT) & (clock.ms == NAT) & ~clock.bad, date.ms, ms)
    bad = date.bad | clock.bad | (~whole & (date.ms == NAT) & (clock.ms != NAT))
    no = np.zeros(len(ms), dtype=bool)
    return Times(ms, bad, no, (clock.ms == NAT) & date.bare, clock.zoned | date.zoned, [*date.notes, *clock.notes])


def month_day(cell: str) -> str | None:
    """A day of the year as MM-DD, None where it is none.

    >>> month_day("3月1日"), month_day("0630"), month_day("2024-02-29"), month_day("13-01")
    ('03-01', '06-30', '02-29', None)
    """
    plain = _plain(cell)
    match = (
        re.match(r"^(?:\d{4}\s*[-/.年]\s*)?(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*[日号]?(?:[T ].*)?$", plain)
        or re.match(r"^(\d{2})(\d{2})$", plain)
        or re.match(r"^--(\d{2})-(\d{2})$", plain)
    )
    if not match or _day(2024, int(match[1]), int(match[2])) is None:
        return None
    return f"{int(match[1]):02d}-{int(match[2]):02d}"
