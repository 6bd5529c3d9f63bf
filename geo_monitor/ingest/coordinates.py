"""Longitude and latitude as they are written: decimal, degrees and minutes, both in one cell. Arrays in, arrays out."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geo_monitor.ingest import numbers

_SIDES = {
    "e": 1,
    "东经": 1,
    "东": 1,
    "n": 1,
    "北纬": 1,
    "北": 1,
    "w": -1,
    "西经": -1,
    "西": -1,
    "s": -1,
    "南纬": -1,
    "南": -1,
}
_SIDE = re.compile(r"东经|西经|北纬|南纬|经度|纬度|[东西南北]|(?<![a-z])[ewns](?![a-z])", re.IGNORECASE)
_PARTS = re.compile(r"(\d+(?:\.\d+)?)\s*([°度d:]|['‘’分m]|[\"“”秒s])?", re.IGNORECASE)
_DASHED = re.compile(r"^(\d{1,3})-(\d{1,2})-(\d{1,2}(?:\.\d+)?)$")
_LETTERED = re.compile(r"(\d+)\s*d\s*(\d+)\s*m\s*(\d+(?:\.\d+)?)\s*s", re.IGNORECASE)
_POWER = re.compile(r"^[-+]?\d(?:\.\d+)?[eE][-+]?\d{1,2}$")
# signs that look like those of degrees, minutes, seconds; NFKC would make digits and letters of some
_SIGNS = str.maketrans(
    {**dict.fromkeys("º˚゜⁰∘᠂", "°"), **dict.fromkeys("′´`ˊ＇ʹ", "'"), **dict.fromkeys("″˝〃＂ʺ", '"')}
)
_POINT = re.compile(r"^\s*(?:SRID=\d+;)?POINT\s*Z?M?\s*\(\s*([-+.\deE]+)\s+([-+.\deE]+)", re.IGNORECASE)


# names of values: x:112.5 y:30.6, {"lng": 112.5, "lat": 30.6}
_LABEL = re.compile(r"[\"']?\b(longitude|latitude|lon|lng|lat|x|y)\b[\"']?\s*[:=]\s*", re.IGNORECASE)
_LETTERS = {"longitude": "E", "lon": "E", "lng": "E", "x": "E", "latitude": "N", "lat": "N", "y": "N"}
_AFTER = re.compile(r"^([\d.°'\"\s]+?)\s*([EWNS])[\s,;]*([\d.°'\"\s]+?)\s*([EWNS])$", re.IGNORECASE)


def degrees(cell: str) -> float | None:
    """One coordinate in degrees; None where it is none, minutes or seconds reach 60, or a side contradicts itself.

    >>> degrees("东经112°30′15″"), degrees("30°35.5'N"), degrees("112:30:36"), degrees("W 10"), degrees("30°75′")
    (112.50416666666666, 30.591666666666665, 112.51, -10.0, None)
    """
    text = unicodedata.normalize("NFKC", cell.translate(_SIGNS)).strip().lstrip("'").strip()
    text = text.replace("''", '"').replace("’’", '"')
    text = _LETTERED.sub(lambda found: f"{found[1]}°{found[2]}'{found[3]}\"", text)
    if _POWER.match(text):
        return float(text)
    sign = 1
    sides = _SIDE.findall(text)
    for side in sides:
        sign *= _SIDES.get(side.lower(), 1)
    if len([side for side in sides if side.lower() in _SIDES]) > 1:
        return None
    text = _SIDE.sub(" ", text).strip(" :：,")
    if text.startswith(("-", "+")):
        sign *= -1 if text[0] == "-" else 1
        text = text[1:].strip()
    text = _DASHED.sub(r"\1 \2 \3", text)
    found = _PARTS.findall(text)
    if not found or len(found) > 3 or _PARTS.sub("", text).strip():
        return None
    values = [float(number) for number, _ in found]
    if any(value >= 60 for value in values[1:]) or any("." in number for number, _ in found[:-1]):
        return None
    return sign * (values[0] + sum(value / 60 ** (i + 1) for i, value in enumerate(values[1:])))


def parse(column: pa.ChunkedArray | pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """A column of coordinates as floats (NaN where empty), and which cells hold something that is no coordinate."""
    return numbers.convert(column, degrees)


def pairs(
    column: pa.ChunkedArray | pa.Array, lat_first: bool = False
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """A column with both coordinates in one cell, as lon, lat (NaN where empty), and which cells could not be read.

    Letters or 经/纬 tell which is which, else a value over 90, else the order (`lat_first` from the header).

    >>> import pyarrow as pa
    >>> [part.tolist() for part in pairs(pa.array(["112.1,30.2", "30.2 112.1", "N30°30′ E112°", None, "近江心"]))]
    [[112.1, 112.1, 112.0, nan, nan], [30.2, 30.2, 30.5, nan, nan], [False, False, False, False, True]]
    """
    cells = numbers.texts(column)
    lon, lat = np.full(len(cells), np.nan), np.full(len(cells), np.nan)
    bad = np.zeros(len(cells), dtype=bool)
    for i, cell in enumerate(cells):
        if cell is None:
            continue
        pair = _pair(cell, lat_first)
        if pair is None:
            bad[i] = True
        else:
            lon[i], lat[i] = pair
    return lon, lat, bad


def _pair(cell: str, lat_first: bool) -> tuple[float, float] | None:
    point = _POINT.match(cell)
    if point:
        return float(point[1]), float(point[2])
    text = unicodedata.normalize("NFKC", cell.translate(_SIGNS)).strip().strip("()[]{}").strip()
    text = _LABEL.sub(lambda label: " " + _LETTERS[label[1].lower()], text).strip(" ,;")
    turned = _AFTER.match(text)
    if turned:  # letters behind: 112.5E 30.6N
        text = f"{turned[2]}{turned[1]}, {turned[4]}{turned[3]}"
    parts = [part for part in re.split(r"[,;、/|]+|\s{2,}", text) if part.strip()]
    if len(parts) == 1:
        parts = [
            part
            for part in re.split(r"\s+|(?<=[\d\"'°″′秒分度])(?=[北南东西NSEW])|(?<=[北南东西NSEW])(?=\d)", text)
            if part
        ]
        if len(parts) != 2:
            # a letter before each value, blanks within
            parts = [
                part for part in re.split(r"(?=[东西南北][经纬])|(?<=\S)\s*(?=[NSEW])", text) if part and part.strip()
            ]
    if len(parts) != 2:
        return None
    values = [degrees(part) for part in parts]
    first, second = values
    if first is None or second is None:
        return None
    if re.search(r"[北南纬NSns]", parts[0]) or re.search(r"[东西经EWew]", parts[1]):
        return second, first
    if re.search(r"[东西经EWew]", parts[0]) or re.search(r"[北南纬NSns]", parts[1]):
        return first, second
    if abs(first) > 90 or abs(second) > 90:
        return (first, second) if abs(first) > 90 else (second, first)
    return (second, first) if lat_first else (first, second)
