"""The page a patrol takes along: a `Brief` on one A4 sheet, as PDF with its font inside.

Always one page: rows of lists are cut first ("and n more"), then long texts (an ellipsis). The same brief gives the
same bytes; the date in the file is the brief's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from geo_monitor.app.brief.drawing import THICK, draw
from geo_monitor.app.brief.paper import GREY, HEIGHT, INK, LEADING, PALE, POINT, WIDTH, Colour, Paper
from geo_monitor.app.words import Speaker, moment

if TYPE_CHECKING:
    from geo_monitor.app.brief import Brief, Section

MARGIN = 12.0  # mm
TEXT, HEAD, TITLE = 8.0, 9.0, 17.0  # points
SIDE = 66.0  # mm; the square of the sketch and the column under it
GAP = 5.0  # mm between columns
FILL = 57.0  # mm of the block that is filled in by hand
FOOT = 11.0  # mm
RIGHT = ("units", "partners")  # sections under the sketch
AIR = 0.55  # lines of white before a heading
ROWS = 40  # rows of a section that are tried at most
MARK: Colour = (178, 52, 16)


@dataclass
class Piece:
    """A section cut to its column: `rows` are wrapped lines, `left` how many rows were left out."""

    heading: list[str]
    rows: list[list[str]]
    lead: int
    left: int
    numbered: bool = False

    def lines(self) -> int:
        return len(self.heading) + sum(len(row) for row in self.rows) + (1 if self.left else 0)


def pdf(brief: Brief, speaker: Speaker, simulated: bool) -> bytes:
    """The page of `brief` as a PDF file of one page. simulated: whether the data are, which is then said twice.

    speaker: gives the words of the page; the lines of the brief stay in the language they were made in.
    """
    when = brief.at.to_pydatetime() if brief.at == brief.at else datetime(2000, 1, 1, tzinfo=UTC)
    paper = Paper(when, brief.title)
    top = _head(paper, brief, speaker, simulated)
    bottom = HEIGHT - MARGIN - FOOT - FILL - 3
    left = [part for part in brief.sections if part.code not in RIGHT]
    right = [part for part in brief.sections if part.code in RIGHT]
    x = WIDTH - MARGIN - SIDE
    draw(paper, brief.shape, x, top, SIDE, speaker)
    under = _legend(paper, x, top + SIDE, speaker)
    _column(paper, left, MARGIN, top, x - GAP - MARGIN, bottom, speaker)
    _column(paper, right, x, under, SIDE, bottom, speaker)
    _fill(paper, bottom + 3, speaker)
    _foot(paper, brief, speaker, simulated)
    return paper.bytes()


def _head(paper: Paper, brief: Brief, speaker: Speaker, simulated: bool) -> float:
    """Kind, title, moment; gives where the columns begin."""
    edge = WIDTH - MARGIN
    kind = speaker.say(f"brief_of_{brief.kind}")
    paper.say(MARGIN, 14.5, f"{speaker.say('brief_sheet_title')} · {kind}", HEAD, GREY)
    used = paper.say(edge, 14.5, speaker.say("brief_sheet_internal"), HEAD, GREY, right=True)
    if simulated:
        told = speaker.say("brief_note_simulated")
        wide = paper.width(told, HEAD) + 4
        paper.pdf.set_draw_color(*MARK)
        paper.pdf.set_line_width(0.4)
        paper.pdf.rect(edge - used - 4 - wide, 10.6, wide, 5.6)
        paper.say(edge - used - 2 - wide, 14.5, told, HEAD, MARK)
    y = 24.0
    for line in paper.lines(brief.title, WIDTH - 2 * MARGIN, TITLE, 1):
        paper.say(MARGIN, y, line, TITLE, heavy=True)
    time = speaker.say("brief_at", time=moment(brief.at))
    room = WIDTH - 2 * MARGIN - paper.width(time, HEAD) - 6
    for line in paper.lines(brief.subtitle, room, HEAD + 1, 1):
        paper.say(MARGIN, 30.5, line, HEAD + 1)
    paper.say(edge, 30.5, time, HEAD, right=True)
    paper.rule(MARGIN, 33, edge, 33, INK, 0.5)
    return 36.5


def _legend(paper: Paper, x: float, y: float, speaker: Speaker) -> float:
    """What the lines and marks of the sketch mean; gives where the next section begins."""
    from geo_monitor.app.look import LOOKS

    size, at, line = 6.5, x, y + 3.2
    for state in ("hot", "normal", "cold", "not_looked"):
        told = paper.clean(speaker.say(state))
        wide = 5.5 + paper.width(told, size) + 2.5
        dash = (1.1, 0.9) if state == "not_looked" else None
        paper.path([(at, line - 0.8), (at + 4.5, line - 0.8)], getattr(LOOKS["day"], state), THICK[state], dash)
        paper.say(at + 5.5, line, told, size, GREY)
        at += wide
    line += 3.4
    at = x + 0.9
    diamond = [(at, line - 1.7), (at + 0.9, line - 0.8), (at, line + 0.1), (at - 0.9, line - 0.8), (at, line - 1.7)]
    paper.path(diamond, INK, 0.1, fill=INK)
    at += 2 + paper.say(at + 1.8, line, speaker.say("brief_sheet_seizure"), size, GREY) + 2.2
    paper.pdf.set_fill_color(20, 84, 60)
    paper.pdf.ellipse(at, line - 1.8, 2, 2, style="F")
    at += 2.8 + paper.say(at + 2.8, line, speaker.say("brief_sheet_unit"), size, GREY) + 2
    paper.pdf.set_draw_color(*LOOKS["day"].zone)
    paper.pdf.set_line_width(0.3)
    paper.pdf.rect(at, line - 1.9, 3.2, 2.1)
    paper.say(at + 4.2, line, speaker.say("brief_sheet_zone"), size, GREY)
    return line + 3.5


def _column(
    paper: Paper, parts: Sequence[Section], x: float, top: float, wide: float, bottom: float, speaker: Speaker
) -> None:
    """Sets sections one under another between top and bottom, cut so that all fit."""
    step = TEXT * POINT * LEADING
    room = int((bottom - top) / step)
    pieces = _cut(paper, parts, wide, room)
    y = top
    for piece in pieces:
        y += step
        for line in piece.heading:
            paper.say(x, y - 0.7, line, HEAD, INK, heavy=True)
            y += step
        paper.rule(x, y - step + 0.2, x + wide, y - step + 0.2, PALE, 0.25)
        for row in piece.rows:
            if not piece.numbered:
                paper.pdf.set_fill_color(*GREY)
                paper.pdf.ellipse(x + 0.3, y - 1.3, 0.8, 0.8, style="F")
            for line in row:
                paper.say(x + 2.6, y, line, TEXT)
                y += step
        if piece.left:
            paper.say(x + 2.6, y, speaker.say("brief_more", n=f"{piece.left:,}"), TEXT, GREY)
            y += step
        y -= step * (1 - AIR)


def _cut(paper: Paper, parts: Sequence[Section], wide: float, room: int) -> list[Piece]:
    """The sections as they fit into `room` lines: shorter lists first, shorter texts then, and last no lists."""
    parts = [part for part in parts if part.lines][:12]
    pieces: list[Piece] = []
    for most in (6, 4, 2, 1):
        pieces = []
        for part in parts:
            rows = [paper.lines(line, wide - 2.6, TEXT, most) for line in part.lines[:ROWS]]
            rows = [row for row in rows if row]
            heading = paper.lines(part.heading, wide, HEAD, 1)
            left = part.more + max(len(part.lines) - ROWS, 0)
            pieces.append(Piece(heading, rows, part.lead, left, numbered=part.code == "units"))
        while _height(pieces) > room:
            loose = [piece for piece in pieces if len(piece.rows) > max(piece.lead, 2)]
            if not loose:
                break
            longest = max(loose, key=lambda piece: piece.lines())
            longest.rows.pop()
            longest.left += 1
        if _height(pieces) <= room:
            return pieces
    while pieces and _height(pieces) > room:
        last = next((piece for piece in reversed(pieces) if len(piece.rows) > 1), None)
        if last is None:
            pieces.pop()
        else:
            last.rows.pop()
            last.left += 1
    return pieces


def _height(pieces: Sequence[Piece]) -> float:
    return sum(piece.lines() + AIR for piece in pieces)


def _fill(paper: Paper, top: float, speaker: Speaker) -> None:
    """The block a patrol fills in by hand."""
    left, edge = MARGIN, WIDTH - MARGIN
    middle = WIDTH / 2
    paper.say(left, top + 4, speaker.say("brief_sheet_fill"), HEAD, heavy=True)
    y = top + 6
    rows = [
        ("arrived", "left", 8.5),
        ("crew", "weather", 8.5),
        ("found", "", 16.5),
        ("result", "", 8.5),
        ("sign", "", 8.5),
    ]
    paper.pdf.set_draw_color(*GREY)
    paper.pdf.set_line_width(0.25)
    paper.pdf.rect(left, y, edge - left, sum(high for _, _, high in rows))
    for first, second, high in rows:
        paper.say(left + 2, y + 5.4, speaker.say(f"brief_sheet_{first}"), TEXT, GREY)
        if second:
            paper.rule(middle, y, middle, y + high, GREY)
            paper.say(middle + 2, y + 5.4, speaker.say(f"brief_sheet_{second}"), TEXT, GREY)
        if first == "result":
            paper.say(left + 22, y + 5.4, speaker.say("brief_sheet_results"), TEXT)
        y += high
        if first != "sign":
            paper.rule(left, y, edge, y, GREY)


def _foot(paper: Paper, brief: Brief, speaker: Speaker, simulated: bool) -> None:
    """What the page rests on."""
    y = HEIGHT - MARGIN - FOOT + 6
    run = speaker.say("brief_sheet_run", run=brief.run) if brief.run else speaker.say("brief_sheet_no_run")
    told = [run, speaker.say("brief_note_simulated")] if simulated else [run]
    first = " · ".join([*told, *brief.notes[:2]])
    for text in (first, speaker.say("brief_sheet_source")):
        for line in paper.lines(text, WIDTH - 2 * MARGIN, 6.5, 1):
            paper.say(MARGIN, y, line, 6.5, GREY)
        y += 3.6
