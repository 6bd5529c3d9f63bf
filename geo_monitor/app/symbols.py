"""Symbols of seizures and of units, drawn once into `static/symbols-<theme>.png` and `static/units-<theme>.png`.

Seizures: one shape per setting of the chain, told apart by outline alone, filled in ink with a rim of paper so that they
stand on land and water alike. Units: an arrow with its point up, or a disc for one that lies still; the ring around
tells the age of the fix (whole, half, none and hollow).
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw

    from geo_monitor.app.look import Look

CELL = 64  # pixels of one symbol
FINE = 4  # drawn so many times larger, then reduced: smooth edges
Points = list[tuple[float, float]]


def regular(corners: int, radius: float, turn: float = 0.0) -> Points:
    """Corners of a regular polygon around the middle of a cell; `turn` degrees clockwise from upright.

    >>> [(round(x), round(y)) for x, y in regular(4, 20)]
    [(32, 12), (52, 32), (32, 52), (12, 32)]
    """
    angles = [math.radians(360 * i / corners + turn) for i in range(corners)]
    return [(CELL / 2 + radius * math.sin(a), CELL / 2 - radius * math.cos(a)) for a in angles]


UNITS = tuple(
    f"{who}-{age}-{motion}"
    for who in ("patrol", "traffic")
    for age in ("fresh", "ageing", "old")
    for motion in ("moving", "still")
)
SHAPES: dict[str, Points] = {
    "market": regular(4, 27, 45),
    "road": regular(4, 27),
    "restaurant": regular(3, 28),
    "shop": regular(3, 28, 180),
    "other": regular(6, 24),
}


def sheet(look: Look, names: tuple[str, ...], path: Path) -> None:
    """Draws the symbols `names` side by side."""
    from PIL import Image, ImageDraw

    image = Image.new("RGBA", (CELL * len(names) * FINE, CELL * FINE), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    for i, name in enumerate(names):
        _draw(pen, name, i * CELL, look)
    image.resize((CELL * len(names), CELL), Image.Resampling.LANCZOS).save(path, optimize=True)


def units(look: Look, path: Path) -> None:
    """Draws UNITS side by side."""
    from PIL import Image, ImageDraw

    image = Image.new("RGBA", (CELL * len(UNITS) * FINE, CELL * FINE), (0, 0, 0, 0))
    pen = ImageDraw.Draw(image)
    for i, name in enumerate(UNITS):
        _unit(pen, name, i * CELL, look)
    image.resize((CELL * len(UNITS), CELL), Image.Resampling.LANCZOS).save(path, optimize=True)


def _unit(pen: ImageDraw, name: str, left: float, look: Look) -> None:
    who, age, motion = name.split("-")
    ink, paper = (*(look.patrol if who == "patrol" else look.traffic), 255), (*look.paper, 255)
    size = 1.0 if who == "patrol" else 0.78

    def box(radius: float) -> list[float]:
        return [(left + 32 - radius) * FINE, (32 - radius) * FINE, (left + 32 + radius) * FINE, (32 + radius) * FINE]

    if age != "old":
        # half a ring lies behind the arrow: a wake that fades
        turn = (0, 360) if age == "fresh" else (0, 180)
        pen.arc(box(30 * size), *turn, fill=paper, width=round(7 * FINE * size))
        pen.arc(box(29 * size), *turn, fill=ink, width=round(4 * FINE * size))
    fill = paper if age == "old" else ink
    if motion == "still":
        for radius, colour in ((15, paper), (12, ink), (7.5 if age == "old" else 0, fill)):
            if radius:
                pen.ellipse(box(radius * size), fill=colour)
        return
    for scale, colour in ((1.2, paper), (1.0, ink), (0.52 if age == "old" else 0.0, fill)):
        if scale:
            points = [
                ((left + 32 + x * scale * size) * FINE, (33 + y * scale * size) * FINE)
                for x, y in ((0, -19), (13, 15), (0, 8), (-13, 15))
            ]
            pen.polygon(points, fill=colour)


def _draw(pen: ImageDraw, name: str, left: float, look: Look) -> None:
    ink, paper = (*look.seizure, 255), (*look.paper, 255)
    if name in ("water", "bank"):
        middle = (left + CELL / 2, CELL / 2)
        for radius, fill in ((26, paper), (20, ink)) + (((11, paper),) if name == "bank" else ()):
            box = [(middle[0] - radius) * FINE, (middle[1] - radius) * FINE]
            pen.ellipse([*box, (middle[0] + radius) * FINE, (middle[1] + radius) * FINE], fill=fill)
        return
    corners = SHAPES[name]
    for scale, fill in ((1.1, paper), (0.8, ink)):
        points = [((left + 32 + (x - 32) * scale) * FINE, (32 + (y - 32) * scale) * FINE) for x, y in corners]
        pen.polygon(points, fill=fill)
