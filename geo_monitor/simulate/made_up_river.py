"""A river that does not exist, drawn the way agencies' centre lines come: in pieces, in either direction, with gaps.

Out: table `river_lines` as a GeoDataFrame (river, accuracy_m, mouth, main_stem, geometry). The main stem and the
tributaries are sine-generated curves (Langbein & Leopold 1966, USGS Professional Paper 422-H): the direction swings as
a sine of the distance along the channel, which draws meanders.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.simulate.water import DEGREE_M

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

STEP_M = 200.0  # between vertices
ACCURACY_M = 200.0  # the lines say of themselves
MAIN = "模拟江"
BRANCHES = ("模拟甲河", "模拟乙河", "模拟丙河", "模拟丁河")
GAP_M = (200.0, 600.0)  # of a missing piece: within what a river builder closes at this accuracy (1,000 m)


def river(seed: int, main_km: float | None = None) -> gpd.GeoDataFrame:
    """Raw centre lines (EPSG:4326) of a made-up river somewhere in the Yangtze basin; equal seeds, equal lines.

    A main stem of 220-380 km (or `main_km`, 40 or more, the tributaries in proportion) with two islands, three or four tributaries, some of which stop 100-300 m short of the
    main stem; everything cut into pieces drawn in either direction, with three gaps in the main stem. The lowest piece
    says where the mouth is. All names say that it is simulated.
    """
    import geopandas as gpd
    import shapely

    rng = np.random.default_rng([seed, 21])
    middle = (rng.uniform(106.0, 117.0), rng.uniform(28.5, 31.5))
    heading = rng.uniform(-0.6, 0.6)  # eastward, as the basin drains
    length = rng.uniform(220_000.0, 380_000.0)
    scale = 1.0 if main_km is None else main_km * 1000.0 / length
    main = _meander(np.zeros(2), heading, scale * length, rng)
    main -= main.mean(axis=0)
    trunk = shapely.LineString(main)
    islands, taken = _islands(main, rng)
    branches = _branches(main, heading, taken, scale, rng)
    rows: list[tuple[str, str | None, str, Floats]] = []
    for number, piece in enumerate(_pieces(main, taken, rng)):
        lowest = bool(np.allclose(piece[-1], main[-1]))
        turned = piece[::-1] if number % 2 and not lowest else piece
        rows.append((MAIN, "是" if lowest else None, "是", turned))
    rows += [(MAIN, None, "是", arc) for arc in islands if shapely.LineString(arc).crosses(trunk) is False]
    for name, branch in zip(BRANCHES, branches, strict=False):
        cut = int(rng.integers(len(branch) // 3, 2 * len(branch) // 3))
        rows += [(name, None, "否", branch[cut:]), (name, None, "否", branch[: cut + 1][::-1])]
    stretch = np.cos(np.radians(middle[1]))
    order = rng.permutation(len(rows))
    return gpd.GeoDataFrame(
        {
            "river": [rows[i][0] for i in order],
            "accuracy_m": [ACCURACY_M] * len(rows),
            "mouth": [rows[i][1] for i in order],
            "main_stem": [rows[i][2] for i in order],
        },
        geometry=[
            shapely.LineString(
                np.column_stack(
                    [middle[0] + rows[i][3][:, 0] / (DEGREE_M * stretch), middle[1] + rows[i][3][:, 1] / DEGREE_M]
                ).round(7)
            )
            for i in order
        ],
        crs="EPSG:4326",
    )


def _meander(start: Floats, heading: float, length: float, rng: np.random.Generator) -> Floats:
    """Vertices (m, 2; metres) of a sine-generated curve, drawn from `start`."""
    s = np.arange(0.0, length, STEP_M)
    wave = rng.uniform(9_000.0, 18_000.0)
    swing = rng.uniform(0.7, 1.15)  # radians; at 2.2 a bend would cut itself off
    drift = np.cumsum(rng.normal(0.0, 0.010, len(s)))
    drift -= np.linspace(0.0, drift[-1], len(s))  # it wanders, and comes back to its course
    phase = rng.uniform(0, 2 * np.pi) + 2 * np.pi * s / wave + 0.8 * np.sin(2 * np.pi * s / (5.3 * wave))
    direction = heading + np.clip(drift, -0.5, 0.5) + swing * np.sin(phase)
    steps = STEP_M * np.column_stack([np.cos(direction), np.sin(direction)])
    return start + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)])


def _islands(main: Floats, rng: np.random.Generator) -> tuple[list[Floats], list[tuple[int, int]]]:
    """Two arcs beside the main stem that share its vertices at both ends; and the vertex ranges they take up."""
    arcs, taken = [], []
    for part in (0.3, 0.65):
        first = int(len(main) * (part + rng.uniform(-0.08, 0.08)))
        last = first + int(rng.integers(12, 21))
        bulge = rng.uniform(500.0, 750.0) * rng.choice([-1.0, 1.0])
        inner = main[first : last + 1]
        along = np.gradient(inner, axis=0)
        normal = np.column_stack([-along[:, 1], along[:, 0]]) / np.hypot(along[:, 0], along[:, 1])[:, None]
        arcs.append(inner + normal * (bulge * np.sin(np.linspace(0, np.pi, len(inner))))[:, None])
        taken.append((first - 5, last + 5))
    return arcs, taken


def _branches(
    main: Floats, heading: float, taken: list[tuple[int, int]], scale: float, rng: np.random.Generator
) -> list[Floats]:  # fmt: skip
    """Three or four tributaries, drawn downstream, that touch nothing but the main stem at their foot."""
    import shapely

    wanted = int(rng.integers(3, 5))
    trunk = shapely.LineString(main)
    made: list[Floats] = []
    for _ in range(400):
        if len(made) == wanted:
            break
        foot = int(rng.integers(len(main) // 8, 7 * len(main) // 8))
        if any(first <= foot <= last for first, last in taken):
            continue
        side = rng.choice([-1.0, 1.0])
        toward = heading + side * rng.uniform(1.3, 2.0)
        up = _meander(main[foot], toward, scale * rng.uniform(30_000.0, 80_000.0), rng)
        rest = shapely.LineString(up[4:])
        if rest.distance(trunk) < 500.0 or any(rest.distance(shapely.LineString(other)) < 3_000.0 for other in made):
            continue
        if not rest.is_simple:
            continue
        taken.append((foot - 5, foot + 5))
        short = len(made) % 2 == 1  # every second one stops short of the main stem
        foot_end = up[0] + (up[1] - up[0]) * rng.uniform(0.5, 1.0) if short else up[0]
        made.append(np.concatenate([up[1:][::-1] if not short else up[2:][::-1], foot_end[None, :]]))
    return made


def _pieces(main: Floats, taken: list[tuple[int, int]], rng: np.random.Generator) -> list[Floats]:
    """The main stem in eight pieces (a short one in five): three with a gap before the next, the others sharing a vertex with it."""
    cuts: list[int] = []
    number, apart = (7, 25) if len(main) >= 1000 else (4, 8)
    while len(cuts) < number:
        cut = int(rng.integers(30, len(main) - 30))
        if all(abs(cut - other) > apart for other in cuts) and not any(a <= cut <= b for a, b in taken):
            cuts.append(cut)
    gaps = set(cuts[:3])
    pieces, first, lead = [], 0, None
    for cut in sorted(cuts):
        piece = main[first : cut + 1]
        pieces.append(piece if lead is None else np.concatenate([lead[None, :], piece]))
        lead = None
        first = cut
        if cut in gaps:
            width = rng.uniform(*GAP_M)
            steps = int(width // STEP_M)
            way = (width - steps * STEP_M) / STEP_M
            lead = main[cut + steps] + way * (main[cut + steps + 1] - main[cut + steps])
            first = cut + steps + 1
    last = main[first:]
    pieces.append(last if lead is None else np.concatenate([lead[None, :], last]))
    return pieces
