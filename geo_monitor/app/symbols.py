"""The seizure symbols: one shape per setting of the chain, drawn once into `static/symbols-<theme>.png`.

Shapes are told apart by outline alone, filled in ink with a rim of paper so that they stand on land and water alike.
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
