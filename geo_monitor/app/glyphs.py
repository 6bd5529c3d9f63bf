"""Glyph ranges for the map's labels: signed distance fields in the PBF form that Mapbox GL reads.

The browser draws Chinese characters from its own fonts and asks the server only for the other ranges. One range that is
missing (a single rare character in one name is enough) removes *every* label of its tile, so all 256 files exist: real
glyphs where labels need them, a valid empty stack elsewhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

SIZE = 24  # pixels of the em square: fixed by the format
BORDER = 3  # pixels kept around each glyph: fixed by the format
RADIUS = 8  # pixels over which the distance runs from 0 to 255: fixed by the format
CUTOFF = 0.25  # share of that range lying outside the outline: fixed by the format
ASCENT = 25  # pixels from the top of the line to the baseline, as Mapbox GL's shaping expects
OVERSAMPLE = 6  # drawn so many times larger, for a distance field finer than a pixel
# Latin with accents, punctuation (dashes, quotes, ellipsis), Chinese punctuation, full-width forms
REAL = (0, 256, 8192, 12288, 65280)


def varint(value: int) -> bytes:
    """Protocol Buffers base-128 varint.

    >>> varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def zigzag(value: int) -> int:
    """Protocol Buffers sint32: small negative numbers stay small.

    >>> [zigzag(value) for value in (0, -1, 1, -2)]
    [0, 1, 2, 3]
    """
    return value << 1 if value >= 0 else (-value << 1) - 1


def _number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def _bytes(field: int, value: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(value)) + value


def stack(name: str, start: int, glyphs: bytes) -> bytes:
    """One range file: a font stack called `name` holding the encoded `glyphs` of start..start+255."""
    body = _bytes(1, name.encode()) + _bytes(2, f"{start}-{start + 255}".encode()) + glyphs
    return _bytes(1, body)


def glyph(font: FreeTypeFont, code: int) -> bytes:
    """One encoded glyph; empty bytes where the font has none."""
    import numpy as np
    from PIL import Image, ImageDraw
    from scipy.ndimage import distance_transform_edt

    character = chr(code)
    advance = round(font.getlength(character) / OVERSAMPLE)
    left, top, right, bottom = (int(edge) for edge in font.getbbox(character, anchor="ls"))
    record = _number(1, code)
    if right <= left or bottom <= top:
        if not advance:
            return b""
        metrics = _number(3, 0) + _number(4, 0) + _number(5, 0) + _number(6, zigzag(-ASCENT)) + _number(7, advance)
        return _bytes(3, record + metrics)
    x0, y0 = left // OVERSAMPLE, top // OVERSAMPLE
    width, height = -(-right // OVERSAMPLE) - x0, -(-bottom // OVERSAMPLE) - y0
    pixels = ((width + 2 * BORDER) * OVERSAMPLE, (height + 2 * BORDER) * OVERSAMPLE)
    image = Image.new("L", pixels, 0)
    origin = ((BORDER - x0) * OVERSAMPLE, (BORDER - y0) * OVERSAMPLE)
    ImageDraw.Draw(image).text(origin, character, fill=255, font=font, anchor="ls")
    inside = np.asarray(image) > 127
    outward = distance_transform_edt(~inside) - distance_transform_edt(inside)
    shape = (height + 2 * BORDER, OVERSAMPLE, width + 2 * BORDER, OVERSAMPLE)
    distance = outward.reshape(shape).mean(axis=(1, 3)) / OVERSAMPLE
    field = np.clip(255 * (1 - (distance / RADIUS + CUTOFF)), 0, 255).round().astype(np.uint8)
    metrics = _number(3, width) + _number(4, height) + _number(5, zigzag(x0))
    metrics += _number(6, zigzag(-y0 - ASCENT)) + _number(7, advance)
    return _bytes(3, record + _bytes(2, field.tobytes()) + metrics)


def write(source: Path, folder: Path) -> int:
    """All 256 range files of the font at `source` into `folder`; returns how many bytes that are.

    Raises `OSError` where `source` is not a font.
    """
    from fontTools.ttLib import TTFont
    from PIL import ImageFont

    number = 2 if source.suffix == ".ttc" else 0  # in the Noto CJK collection face 2 is simplified Chinese
    font = ImageFont.truetype(str(source), SIZE * OVERSAMPLE, index=number)
    held = TTFont(source, fontNumber=number).getBestCmap()
    folder.mkdir(parents=True, exist_ok=True)
    total = 0
    for start in range(0, 65536, 256):
        drawn = b""
        if start in REAL:
            drawn = b"".join(glyph(font, code) for code in range(start, start + 256) if code in held)
        data = stack(folder.name, start, drawn)
        (folder / f"{start}-{start + 255}.pbf").write_bytes(data)
        total += len(data)
    return total
