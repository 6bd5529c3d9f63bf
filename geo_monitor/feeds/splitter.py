"""Lines out of a stream of bytes, however it is cut."""

from __future__ import annotations

import re

_ENDS = re.compile(rb"[\r\n]+")


class Splitter:
    r"""Bytes in, whole lines out; `rest` waits for its end. Lines end with CR, LF or both; empty ones are dropped.

    A line of more than `most` bytes comes as None once it has grown too long, and the rest of it is skipped: memory
    never holds more than `most` bytes and one piece.

    >>> lines = Splitter(most=5)
    >>> lines.feed(b"ab\r\nc"), lines.feed(b"d\n\n1234567"), lines.feed(b"89\nxy\n")
    ([b'ab'], [b'cd', None], [b'xy'])
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self.rest = b""
        self.skipping = False

    def feed(self, data: bytes) -> list[bytes | None]:
        parts = _ENDS.split(self.rest + data)
        self.rest = parts.pop()
        out: list[bytes | None] = []
        for part in parts:
            if self.skipping:
                self.skipping = False
            elif len(part) > self.most:
                out.append(None)
            elif part:
                out.append(part)
        if self.skipping:
            self.rest = b""
        elif len(self.rest) > self.most:
            out.append(None)
            self.skipping, self.rest = True, b""
        return out

    def end(self) -> list[bytes | None]:
        """The stream has ended: what is left is a line."""
        rest, self.rest, self.skipping = self.rest, b"", False
        return [rest] if rest else []
