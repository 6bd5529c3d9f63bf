"""Draws a `Sketch` on paper: zones, reaches by state, seizures, units, km marks, scale and north."""

from __future__ import annotations

import math
from collections.abc import Callable

import shapely

from geo_monitor.app.brief.paper import GREY, INK, Colour, Paper
from geo_monitor.app.brief.sketch import Sketch
from geo_monitor.app.look import LOOKS
from geo_monitor.app.words import Speaker, km

LOOK = LOOKS["day"]
THICK = {"hot": 1.3, "cold": 0.9, "normal": 0.5, "not_looked": 0.5}  # mm: the state is told without colour too
ORDER = ("not_looked", "normal", "cold", "hot")
GROUND: Colour = (248, 248, 246)
ZONE: Colour = (236, 231, 216)
HALO: Colour = (255, 226, 120)
HALO_MAX = 3  # reaches marked as the place at most
SMALL = 6.5  # points
At = Callable[[float, float], tuple[float, float]]  # metres east and north of the middle -> mm on the page


def draw(paper: Paper, shape: Sketch | None, x: float, y: float, side: float, speaker: Speaker) -> None:
    """Draws into the square with its upper left corner at x, y."""
    pdf = paper.pdf
    pdf.set_fill_color(*GROUND)
    pdf.rect(x, y, side, side, style="F")
    if shape is not None:
        per_m = side / 2 / shape.half_m

        def at(east: float, north: float) -> tuple[float, float]:
            return x + side / 2 + east * per_m, y + side / 2 - north * per_m

        with pdf.local_context(), pdf.rect_clip(x, y, side, side):
            _ground(paper, shape, at)
            _figures(paper, shape, at)
        _scale(paper, x, y, side, per_m)
    pdf.set_draw_color(*GREY)
    pdf.set_line_width(0.25)
    pdf.rect(x, y, side, side)
    top = x + side - 4.5
    paper.path([(top, y + 8), (top - 1.3, y + 8), (top, y + 3.5), (top + 1.3, y + 8), (top, y + 8)], INK, 0.2, fill=INK)
    told = speaker.say("brief_sheet_north")
    paper.say(top - paper.width(told, SMALL) / 2, y + 11, told, SMALL)


def _ground(paper: Paper, shape: Sketch, at: At) -> None:
    for held, holds in shape.zones:
        for part in _parts(held, "Polygon"):
            outline = [at(*point[:2]) for point in part.exterior.coords]
            paper.path(outline, LOOK.zone, 0.35, None if holds else (1.0, 0.9), ZONE if holds else GROUND)
    few = sum(here for _, _, here in shape.reaches) <= HALO_MAX  # a zone is told by its outline
    for held, _, here in shape.reaches:
        if here and few:
            for part in _parts(held, "LineString"):
                paper.path([at(*point[:2]) for point in part.coords], HALO, 3.6)
    ranked = sorted(shape.reaches, key=lambda told: ORDER.index(told[1]) if told[1] in ORDER else 0)
    for held, state, here in ranked:
        ink: Colour = getattr(LOOK, state, LOOK.normal)
        dash = (1.1, 0.9) if state == "not_looked" else None
        thick = THICK.get(state, 0.5)
        for part in _parts(held, "LineString"):
            paper.path([at(*point[:2]) for point in part.coords], ink, thick, dash)
        for part in _parts(held, "Polygon"):
            paper.path(
                [at(*p[:2]) for p in part.exterior.coords], ink, thick / 2, dash, HALO if here and few else GROUND
            )
    if shape.flow is not None:
        east, north, dx, dy = shape.flow
        cx, cy = at(east, north)
        side = (-dy, dx) if dx >= 0 else (dy, -dx)  # an arrow north of the channel, pointing downstream
        a = (cx + side[0] * 3.2 - dx * 4, cy - side[1] * 3.2 + dy * 4)
        b = (a[0] + dx * 8, a[1] - dy * 8)
        paper.rule(*a, *b, GREY, 0.35)
        for turn in (2.6, -2.6):
            ex, ey = dx * math.cos(turn) - dy * math.sin(turn), dx * math.sin(turn) + dy * math.cos(turn)
            paper.rule(*b, b[0] + ex * 1.6, b[1] - ey * 1.6, GREY, 0.35)


def _figures(paper: Paper, shape: Sketch, at: At) -> None:
    for east, north in reversed(shape.marks):
        cx, cy = at(east, north)
        size = 0.85
        points = [(cx, cy - size), (cx + size, cy), (cx, cy + size), (cx - size, cy), (cx, cy - size)]
        paper.path(points, (255, 255, 255), 0.15, fill=LOOK.seizure)
    for east, north, value in shape.labels:
        cx, cy = at(east, north)
        _dot(paper, cx, cy, 0.45, INK)
        told = f"K{km(value)}"
        paper.pdf.set_fill_color(*GROUND)
        paper.pdf.rect(cx - 1.3, cy + 1.3, paper.width(told, SMALL) + 0.6, 2.7, style="F")
        paper.say(cx - 1, cy + 3.6, told, SMALL, GREY)
    for east, north, number in shape.units:
        cx, cy = at(east, north)
        _dot(paper, cx, cy, 1.7, (20, 84, 60))
        told = str(number)
        paper.say(cx - paper.width(told, SMALL) / 2, cy + 0.8, told, SMALL, (255, 255, 255))
    if shape.place is not None:
        cx, cy = at(*shape.place)
        for reach in (2.4, 1.2):
            paper.pdf.set_draw_color(*INK)
            paper.pdf.set_line_width(0.4)
            paper.pdf.ellipse(cx - reach, cy - reach, 2 * reach, 2 * reach)


def _dot(paper: Paper, x: float, y: float, radius: float, ink: Colour) -> None:
    paper.pdf.set_fill_color(*ink)
    paper.pdf.ellipse(x - radius, y - radius, 2 * radius, 2 * radius, style="F")


def _scale(paper: Paper, x: float, y: float, side: float, per_m: float) -> None:
    """A bar of a round length up to 40 % of the square."""
    longest = 0.4 * side / per_m
    size = 10 ** math.floor(math.log10(longest))
    metres = next(step * size for step in (5, 2, 1) if step * size <= longest)
    left, foot = x + 3, y + side - 3
    paper.rule(left, foot, left + metres * per_m, foot, INK, 0.5)
    for end in (left, left + metres * per_m):
        paper.rule(end, foot - 1, end, foot, INK, 0.3)
    told = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    paper.say(left, foot - 1.6, told, SMALL)


def _parts(shape: shapely.Geometry, kind: str) -> list[shapely.Geometry]:
    """The lines or polygons a shape is made of."""
    return [
        leaf
        for part in shapely.get_parts(shape)
        for leaf in shapely.get_parts(part)
        if leaf.geom_type == kind and not leaf.is_empty
    ]
