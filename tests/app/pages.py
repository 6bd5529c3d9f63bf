"""Reads a PDF as a reader's "copy text" does: the pages, and the text through the font's own table of characters."""

from __future__ import annotations

import re
import zlib

OBJECT = re.compile(rb"(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def _streams(file: bytes) -> list[bytes]:
    found = []
    for _, body in OBJECT.findall(file):
        head, mark, rest = body.partition(b"stream\n")
        if mark:
            raw = rest.rsplit(b"\nendstream", 1)[0]
            found.append(zlib.decompress(raw) if b"FlateDecode" in head else raw)
    return found


def count(file: bytes) -> int:
    """Number of pages, as objects and as the page tree tells it."""
    pages = len(re.findall(rb"/Type /Page\b(?!s)", file))
    told = re.findall(rb"/Count (\d+)", file)
    assert told == [str(pages).encode()]
    return pages


def text(file: bytes) -> list[str]:
    """The strings of the page in the order written."""
    streams = _streams(file)
    cmap = next(part for part in streams if b"begincmap" in part).decode()
    chars = {
        int(code, 16): bytes.fromhex(value).decode("utf-16-be")
        for code, value in re.findall(r"<([0-9A-F]{4})> <([0-9A-F]+)>\n", cmap.split("endcodespacerange")[1])
    }
    page = next(part for part in streams if b" Tj ET" in part)
    return ["".join(chars[code] for code in _codes(raw)) for raw in _strings(page)]


def _strings(page: bytes) -> list[bytes]:
    """The literal strings shown by Tj: parentheses balanced, escapes undone."""
    found, at = [], 0
    while (at := page.find(b"(", at)) >= 0:
        out, at, deep = bytearray(), at + 1, 1
        while True:
            c = page[at : at + 1]
            at += 1
            if c == b"\\":
                escaped = page[at : at + 1]
                out += ESCAPES.get(escaped, escaped)
                at += 1
                continue
            deep += {b"(": 1, b")": -1}.get(c, 0)
            if not deep:
                break
            out += c
        assert page[at : at + 3] == b" Tj", page[at : at + 20]
        found.append(bytes(out))
    return found


def _codes(raw: bytes) -> list[int]:
    assert len(raw) % 2 == 0
    return [int.from_bytes(raw[i : i + 2], "big") for i in range(0, len(raw), 2)]
