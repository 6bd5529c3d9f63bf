"""Numbers as they are written: full width digits, thousands separators, a unit behind them. Arrays in, arrays out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_PLAIN = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_LOOSE = re.compile(r"^(?:约|大约|近|~|≈)?\s*([+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|[+-]?\.\d+)\s*(.*?)\s*$")
_CHAINAGE = re.compile(r"^[A-Za-z]{0,3}[Kk]?\s*(\d+)\s*\+\s*(\d{1,3}(?:\.\d+)?)\s*(?:m|米)?$")
# dimension -> unit -> how many of our unit it is
UNITS: dict[str, dict[str, float]] = {
    "mass": {"kg": 1, "公斤": 1, "千克": 1, "斤": 0.5, "市斤": 0.5, "两": 0.05, "g": 0.001, "克": 0.001, "吨": 1000,
             "t": 1000, "kgs": 1, "㎏": 1},
    "money": {"元": 1, "cny": 1, "rmb": 1, "￥": 1, "¥": 1, "人民币": 1, "人民币元": 1, "千元": 1e3, "万元": 1e4, "万": 1e4,
              "亿元": 1e8},
    "km": {"km": 1, "公里": 1, "千米": 1, "里": 0.5, "m": 0.001, "米": 0.001, "海里": 1.852, "nm": 1.852, "nmi": 1.852},
    "metre": {"m": 1, "米": 1, "公尺": 1, "km": 1000, "公里": 1000, "千米": 1000},
    "speed": {"m/s": 1, "米/秒": 1, "mps": 1, "km/h": 1 / 3.6, "kmh": 1 / 3.6, "kph": 1 / 3.6, "公里/小时": 1 / 3.6,
              "千米/小时": 1 / 3.6, "公里/时": 1 / 3.6, "千米/时": 1 / 3.6, "kn": 1852 / 3600, "kt": 1852 / 3600,
              "kts": 1852 / 3600, "knot": 1852 / 3600, "knots": 1852 / 3600, "节": 1852 / 3600, "海里/小时": 1852 / 3600},
    "angle": {"°": 1, "度": 1, "deg": 1, "degree": 1, "degrees": 1},
    "count": dict.fromkeys(("人", "名", "个", "艘", "条", "张", "件", "套", "台", "根", "把", "只", "具", "副", "顶", "口", "辆", "人次", "艘次", "pcs", "部", "米", "m"), 1),
    "hours": {"h": 1, "小时": 1, "hour": 1, "hours": 1, "min": 1 / 60, "分钟": 1 / 60, "分": 1 / 60, "天": 24},
}  # fmt: skip


def unit(word: str, dimension: str) -> float | None:
    """How many of our unit one `word` is, None where it is no unit of the dimension.

    >>> unit("斤", "mass"), unit("万元", "money"), unit("km", "mass")
    (0.5, 10000.0, None)
    """
    found = UNITS.get(dimension, {}).get(unicodedata.normalize("NFKC", word).strip().lower().rstrip("."))
    return None if found is None else float(found)


def plain(cell: str) -> str:
    """The cell in half width, trimmed, without the apostrophe that keeps a spreadsheet from running it."""
    return unicodedata.normalize("NFKC", cell).strip().lstrip("'").strip()


def loose(cell: str, dimension: str) -> float | None:
    """A number with anything usual around it, in our unit; None where it is none.

    >>> loose("1,250.5 公斤", "mass"), loose("３斤", "mass"), loose("约2吨", "mass"), loose("K123+400", "km")
    (1250.5, 1.5, 2000.0, 123.4)
    """
    text = plain(cell)
    if dimension == "km":
        mark = _CHAINAGE.match(text)
        if mark:
            return int(mark[1]) + float(mark[2]) / 1000
        text = re.sub(r"^[A-Za-z]{0,2}[Kk](?=\d)", "", text)
    match = _LOOSE.match(text)
    if not match:
        return None
    value = float(match[1].replace(",", ""))
    if not match[2]:
        return value
    factor = unit(match[2], dimension)
    return None if factor is None else value * factor


def has_unit(cell: str, dimension: str) -> bool:
    """Whether the cell itself tells its unit."""
    match = _LOOSE.match(plain(cell))
    chained = dimension == "km" and _CHAINAGE.match(plain(cell))
    return bool(chained or (match and match[2] and unit(match[2], dimension) is not None))


def parse(
    column: pa.ChunkedArray | pa.Array, dimension: str = "", factor: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A column as floats in our unit (NaN where empty), and which cells hold something that is no finite number.

    factor: our units in one of the header's; a unit written in a cell counts instead.

    >>> import pyarrow as pa
    >>> parse(pa.array(["2", " 3.5", "4公斤", "", "n/a"]), "mass", 0.5)[0].tolist()
    [1.0, 1.75, 4.0, nan, nan]
    """

    def one(cell: str) -> float | None:
        value = loose(cell, dimension)
        return None if value is None else value if has_unit(cell, dimension) else value * factor

    values, bad = convert(column, one, factor)
    return values, bad


def convert(
    column: pa.ChunkedArray | pa.Array, one: Callable[[str], float | None], factor: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Plain numbers column-wise (times `factor`), every other distinct cell through `one`."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        return np.full(len(column), np.nan), np.zeros(len(column), dtype=bool)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        if pa.types.is_integer(column.type) or pa.types.is_floating(column.type) or pa.types.is_decimal(column.type):
            values = column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False) * factor
            return np.where(np.isfinite(values), values, np.nan), np.isinf(values)
        column = column.cast(pa.string())
    text = pc.utf8_trim_whitespace(column)
    if (plainly := _plainly(text)) is not None:
        plainly = plainly * factor
        return np.where(np.isfinite(plainly), plainly, np.nan), np.zeros(len(column), dtype=bool)
    good = pc.fill_null(pc.match_substring_regex(text, _PLAIN), False)
    values = pc.cast(pc.if_else(good, text, None), pa.float64()).to_numpy(zero_copy_only=False) * factor
    values = np.where(np.isfinite(values), values, np.nan)
    rest = pc.and_(pc.fill_null(pc.not_equal(text, ""), False), pc.invert(good))
    bad = np.zeros(len(column), dtype=bool)
    left = np.flatnonzero(rest.to_numpy(zero_copy_only=False))
    if len(left):
        values = values.copy()
        coded = pc.dictionary_encode(text.take(pa.array(left)))
        answers = [one(cell) for cell in coded.dictionary.to_pylist()]
        few = np.array([np.nan if answer is None else answer for answer in answers], dtype=float)
        codes = coded.indices.to_numpy()
        values[left] = few[codes]
        bad[left] = ~np.isfinite(few)[codes]
    return np.where(np.isfinite(values), values, np.nan), bad


def _plainly(text: pa.Array) -> NDArray[np.float64] | None:
    """Cells as floats (NaN where empty) where every one is plainly a finite number, else None: most columns are."""
    filled = pc.if_else(pc.equal(text, ""), None, text)
    try:
        values = pc.cast(filled, pa.float64())
    except pa.ArrowInvalid:
        return None
    # the words nan and inf are numbers to Arrow, not to us
    if pc.all(pc.is_finite(values)).as_py() is False:
        return None
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=float)


def texts(column: pa.ChunkedArray | pa.Array) -> NDArray[Any]:
    """A column as trimmed text objects, None where empty. Whole floats lose their ".0"; times read as ISO."""
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
    if pa.types.is_floating(column.type):
        values = column.to_numpy(zero_copy_only=False)
        return np.array([None if v != v else str(int(v)) if v == int(v) and abs(v) < 1e15 else repr(float(v)) for v in values],
                        dtype=object)  # fmt: skip
    if pa.types.is_nested(column.type) or pa.types.is_binary(column.type):
        return np.array([None if v is None else str(v) for v in column.to_pylist()], dtype=object)
    column = pc.utf8_trim_whitespace(pc.cast(column, pa.string()))
    column = pc.if_else(pc.equal(column, ""), None, column)
    return np.asarray(column.to_numpy(zero_copy_only=False), dtype=object)
