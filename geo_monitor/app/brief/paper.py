"""A sheet of paper: one A4 page, the embedded font, text that is only text, lines broken as Chinese and English are.

Lengths are millimetres from the upper left corner, sizes of type are points. Nothing here starts a second page.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from fpdf import FPDF
from fpdf.enums import TextMode

FONT = Path(__file__).parents[1] / "static" / "fonts" / "map-sans-sc.woff2"
WIDTH, HEIGHT = 210.0, 297.0
POINT = 25.4 / 72  # millimetres of a point
MISSING = "〓"  # stands for a character the font does not hold
LEADING = 1.42  # line height over size of type
LONGEST = 20_000  # characters of one text that are looked at
NEVER_FIRST = set("，。、；：？！）》】”’…—–·％%℃°,.;:?!)]}")
NEVER_LAST = set("（《【“‘([{")

Colour = tuple[int, int, int]
INK: Colour = (24, 26, 28)
GREY: Colour = (104, 110, 114)
PALE: Colour = (214, 217, 219)


class Paper:
    """One page being written. at: the moment that stands in the file as its date.

    >>> from datetime import timezone
    >>> paper = Paper(datetime(2026, 1, 1, tzinfo=timezone.utc), "石首")
    >>> paper.clean("a\\x00\\u202eb\\n㐂")
    'ab 〓'
    """

    def __init__(self, at: datetime, title: str) -> None:
        self.pdf = FPDF("P", "mm", "A4")
        self.pdf.set_auto_page_break(False)
        self.pdf.set_margin(0)
        self.pdf.add_font("sans", "", FONT)
        self.pdf.add_page()
        self.pdf.set_font("sans", "", 9)
        font: Any = self.pdf.fonts["sans"]
        self._known: dict[int, str] = font.cmap
        self._wide: dict[int, float] = font.cw  # thousandths of the size
        self._font: Any = font.ttfont
        self.pdf.set_creation_date(at)
        self.pdf.set_title(self.clean(title)[:200])
        self.pdf.set_producer("geo_monitor")

    def clean(self, text: object) -> str:
        """`text` on one line in characters that the font holds: blanks for line breaks, no control or direction
        marks, MISSING for what can't be shown."""
        blanks = "".join(" " if c.isspace() else c for c in str(text)[:LONGEST])
        seen = "".join(c for c in blanks if c.isprintable())
        return "".join(c if ord(c) in self._known else MISSING for c in " ".join(seen.split(" "))).strip()

    def width(self, text: str, size: float) -> float:
        """Millimetres of cleaned `text`."""
        return float(sum(self._wide[ord(c)] for c in text)) / 1000 * size * POINT

    def lines(self, text: object, wide: float, size: float, most: int = 6) -> list[str]:
        """`text` broken into at most `most` lines of `wide` mm; what is over is told by an ellipsis."""
        rest = self.clean(text)
        found: list[str] = []
        while rest and len(found) < most:
            n = self._fit(rest, wide, size)
            found.append(rest[:n].rstrip())
            rest = rest[n:].lstrip()
        if rest and found:
            last = found[-1]
            while last and self.width(last + "…", size) > wide:
                last = last[:-1]
            found[-1] = last.rstrip("，。、；：,.;: ") + "…"
        return found

    def _fit(self, text: str, wide: float, size: float) -> int:
        """How many characters make the first line; at least one."""
        room = wide / (size * POINT) * 1000 + 1e-6
        n = 0
        while n < len(text) and room >= self._wide[ord(text[n])]:
            room -= self._wide[ord(text[n])]
            n += 1
        if n == len(text):
            return n
        end = max(n, 1)
        for at in range(end, max(end - 40, 0), -1):  # the last place where a line may end
            before, after = text[at - 1], text[at]
            word = _of_word(before) and _of_word(after)
            if not word and after not in NEVER_FIRST and before not in NEVER_LAST:
                return at
        return end

    def say(
        self,
        x: float,
        y: float,
        text: object,
        size: float,
        ink: Colour = INK,
        *,
        heavy: bool = False,
        right: bool = False,
    ) -> float:
        """Writes one line with its baseline at y, from x on or, with `right`, up to x; gives its width."""
        told = self.clean(text)
        wide = self.width(told, size)
        self.pdf.set_font_size(size)
        self.pdf.set_text_color(*ink)
        left = x - wide if right else x
        if heavy:  # the font has one weight: a thin stroke of the same colour makes it heavier
            with self.pdf.local_context():
                self.pdf.set_draw_color(*ink)
                self.pdf.set_line_width(size * 0.012)
                self.pdf.text_mode = TextMode.FILL_STROKE
                self.pdf.text(left, y, told)
        else:
            self.pdf.text(left, y, told)
        return wide

    def rule(self, x0: float, y0: float, x1: float, y1: float, ink: Colour = PALE, thick: float = 0.2) -> None:
        """A straight line."""
        self.pdf.set_draw_color(*ink)
        self.pdf.set_line_width(thick)
        self.pdf.line(x0, y0, x1, y1)

    def path(
        self,
        points: Sequence[tuple[float, float]],
        ink: Colour,
        thick: float,
        dash: tuple[float, float] | None = None,
        fill: Colour | None = None,
    ) -> None:
        """A line through points, or with `fill` a closed shape."""
        if len(points) < 2:
            return
        self.pdf.set_draw_color(*ink)
        self.pdf.set_line_width(thick)
        if dash is not None:
            self.pdf.set_dash_pattern(*dash)
        if fill is None:
            self.pdf.polyline(list(points))
        else:
            self.pdf.set_fill_color(*fill)
            self.pdf.polygon(list(points), style="DF")
        if dash is not None:
            self.pdf.set_dash_pattern()

    def bytes(self) -> bytes:
        """The file; nothing can be written after."""
        file = bytes(self.pdf.output())
        self._font.close()
        return file


def _of_word(c: str) -> bool:
    return (c.isascii() and (c.isalnum() or c in "-_./:'+")) or c in "–"
