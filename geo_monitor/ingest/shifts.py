"""Whether coordinates whose datum nobody named are WGS84, GCJ-02 or BD-09, told from what is known to lie beneath them.

Each candidate datum is undone and the points are laid over a reference that is finer than the shift (300-700 m): water
of a surveyed bank or a mask, a surveyed line, confirmed tracks, the zone of the same id. The statistic:

- *Places, not fixes.* Points count by cells of `datum_place_m`: what one cell shows is one proof, however many fixes
  lie there. A boat that lay at its berth for a month is one place.
- *Likelihood.* For a shift s and the distance r of a point to the reference (signed: in or out of water, left or right of
  a line), the density of points relative to points thrown at random is p = (1 - e) k(r) / Z + e. k is a habit: on the
  water or the line, or at some distance from it, exp(-(r - o)^2 / 2 t^2), such as along one bank or on a levee road; Z is
  its mean over all places and decoys, e the share of points that keep to nothing (markets, other rivers). Habit, t and e
  are integrated out over a grid. L(s) is the product over places of the geometric mean of p.
- *The reference's own error.* All of it may be off together: L(d) is the mean over offsets of half its accuracy (sigma).
- *Decoys.* The alternative to a datum is not only another datum but any unknown offset (a blunder, a third datum):
  M(d) = (1 - q) L(d) + q mean L(s) over shifts s up to `datum_decoy_m`, with q = `datum_decoy_share`. On a straight river
  many shifts fit as well as the right one, and points that keep aside of it fit every datum; then M differs little and
  nothing is told.
- *Posterior* P(d) ~ prior(d) M(d), with the priors of the settings.

Bayes' theorem with a mixture of nuisance offsets; Box and Tiao, A Bayesian approach to some outlier problems,
Biometrika 55 (1968), has the contamination model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geo_monitor.ingest import datum

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.settings import Settings

Array = NDArray[np.float64]
Reference = Callable[[float, float, float, float], "pd.DataFrame"]
M_PER_DEGREE = 111_195.1
PIXEL_M = 20.0  # of the distance fields
STEP_M = 75.0  # between decoys
TILE = 0.25  # degrees; what is asked of the store at once
TILES = 40  # asked for at most: the ones with most places
PLACES = 120  # looked at: more can't raise what the decoys allow
POINTS = 12  # of one place
MOST = 200_000  # points sorted into places; more are thinned
EVERY_M = 250.0  # metres between points of a line or an edge
FAR_M = 1500.0  # distances are cut here: farther is elsewhere
BINS = 2 * int(FAR_M / PIXEL_M) + 1  # of signed distances
MIDDLE = (np.arange(BINS) - BINS // 2) * PIXEL_M
# distances that are known: the last bins hold all that is farther away, save in the midst of wide water
KNOWN = {
    group: (MIDDLE < FAR_M) & ((MIDDLE > -FAR_M) | (group == "water")) for group in ("zone", "water", "line", "track")
}
# how much of a proof one place is: boats and roads keep their side of a line, a bank or another track for some km
PROOF = {"zone": 1.0, "water": 0.5, "line": 0.35, "track": 0.35}
MOST_DENSE = 50.0  # times as dense as points thrown at random: no habit is kept so well that one place tells more
FIX_M = 15.0  # metres; error of a fix or of a vertex, added to the accuracy of the reference
TIGHTNESS = np.geomspace(1.0, 24.0, 6)  # grid of t in units of the reference's own error
STRAY = {0.02: 0.3, 0.1: 0.3, 0.3: 0.25, 0.6: 0.15}  # share of points that keep to nothing -> its prior weight
GROUPS = {"zone": ("zone",), "water": ("mask", "bank"), "line": ("line",), "track": ("track",)}  # the best first


def between(lon: Array, lat: Array, ring: NDArray[np.int64]) -> tuple[Array, Array, NDArray[np.int64]]:
    """Points on the lines between vertices (n,) of one ring that follow each other, every EVERY_M or closer; and for
    each the vertex it comes after.
    >>> import numpy as np
    >>> lon, lat, owner = between(np.array([112.0, 112.0, 113.0]), np.array([30.0, 30.004, 31.0]), np.array([0, 0, 1]))
    >>> lat.round(3).tolist(), owner.tolist()
    ([30.0, 30.002, 30.004, 31.0], [0, 0, 1, 2])
    """
    east = np.diff(lon) * np.cos(np.radians(lat[1:]))
    way = np.hypot(east, np.diff(lat)) * M_PER_DEGREE
    parts = np.r_[np.where(np.diff(ring) == 0, np.clip(np.ceil(way / EVERY_M), 1, 400), 1), 1].astype(np.int64)
    owner = np.repeat(np.arange(len(lon)), parts)
    share = (np.arange(len(owner)) - np.repeat(np.cumsum(parts) - parts, parts)) / parts[owner]
    after = np.minimum(owner + 1, len(lon) - 1)
    return lon[owner] + share * (lon[after] - lon[owner]), lat[owner] + share * (lat[after] - lat[owner]), owner


@dataclass(frozen=True)
class Verdict:
    """`datum` and how sure that is; `posterior` of each; metres of its shift here; what told (`group`, empty: nothing),
    its accuracy in metres, the number of places; whether only references too coarse were held."""

    datum: str
    confidence: float
    posterior: dict[str, float] = field(default_factory=dict)
    shift_m: float = 0.0
    group: str = ""
    accuracy_m: float = 0.0
    places: int = 0
    coarse: bool = False


def step_of(count: int) -> int:
    """Of so many points every which is looked at, so that they are at most MOST.

    >>> step_of(200_000), step_of(200_001)
    (1, 2)
    """
    return max(-(-count // MOST), 1)


def weigh(
    lon: Array, lat: Array, reference: Reference, settings: Settings, prior: tuple[float, ...],
    ids: NDArray[Any] | None = None,
) -> Verdict:  # fmt: skip
    """The datum of points (n,) in degrees as they stand in the file. ids (n,): the zone each point is of, if any.

    reference: see `ingest.Held`. prior: of wgs84, gcj02, bd09.
    """
    plain = dict(zip(datum.DATUMS, prior, strict=True))
    nothing = Verdict("wgs84", plain["wgs84"], plain)
    there = np.flatnonzero(np.isfinite(lon) & np.isfinite(lat))
    there = there[:: step_of(len(there))]
    if not len(there):
        return nothing
    found, coarse = _fields(lon[there], lat[there], reference, settings, None if ids is None else ids[there])
    if not any(found.values()):
        return Verdict("wgs84", plain["wgs84"], plain, coarse=coarse)
    told = [_log_likelihood(own, name) for name, own in found.items() if own]
    near, decoys = (np.sum(part, axis=0) for part in zip(*told, strict=True))
    fits = np.logaddexp.reduce(near.reshape(3, -1) + np.log(_COMMON[:, 2]), axis=1)
    each = np.logaddexp.reduce(decoys) - np.log(len(decoys))
    share = settings.datum_decoy_share
    log_m = np.logaddexp(np.log1p(-share) + fits, np.log(share) + each)
    log_p = np.log(prior) + log_m
    posterior = np.exp(log_p - np.logaddexp.reduce(log_p))
    best = int(posterior.argmax())
    group = max(found, key=lambda name: len(found[name]))
    name = datum.DATUMS[best]
    x, y = datum.undo(name, lon[there], lat[there])
    moved = np.hypot((x - lon[there]) * np.cos(np.radians(y)), y - lat[there]) * M_PER_DEGREE
    return Verdict(
        name, float(posterior[best]), dict(zip(datum.DATUMS, map(float, posterior), strict=True)), float(np.median(moved)),
        group, float(np.median([place.accuracy for place in found[group]])), sum(map(len, found.values())), coarse,
    )  # fmt: skip


# what all of a reference may be off: steps of its accuracy east and north, and their weights (normal, half of it a sigma)
_COMMON = np.array([(i / 2, j / 2, np.exp(-0.5 * (i * i + j * j))) for i in range(-2, 3) for j in range(-2, 3)])
_COMMON[:, 2] /= _COMMON[:, 2].sum()
NEAR = 3 * len(_COMMON)  # the candidates, each with those around it, come first


@dataclass(frozen=True)
class _Place:
    """The share of its points at each distance from the reference (NEAR + decoys, BINS); the reference's accuracy."""

    shares: Array
    accuracy: float


def _shifts(most: float) -> Array:
    """Decoys (m, 2): metres east and north on a grid within a circle."""
    steps = np.arange(-most, most + STEP_M / 2, STEP_M)
    east, north = (part.ravel() for part in np.meshgrid(steps, steps))
    return np.column_stack([east, north])[np.hypot(east, north) <= most]


def _log_likelihood(places: list[_Place], group: str) -> tuple[Array, Array]:
    """log L of the candidates (NEAR,) with habit, t and e integrated out, and of the decoys (m,) with t and e.

    By hand: one place, two decoys, one on the reference and one far from it, plain habit: k = 1 and 0, Z = 1/2, so that
    with e = 0.02 the densities are 0.98 * 2 + 0.02 = 1.98 and 0.02.
    """
    own = float(np.hypot(np.median([place.accuracy for place in places]), FIX_M))
    random = _random(np.mean([place.shares[NEAR:].mean(axis=0) for place in places], axis=0), group)
    tables, weights, plain = [], [], []
    for number, (kernel, habit) in enumerate(_habits(group)):
        for t in TIGHTNESS:
            k = kernel(t * own) * KNOWN[group]
            z = max(float(random @ k), 1e-12)
            for e, weight in STRAY.items():
                tables.append(np.log((1 - e) * np.minimum(k / z, MOST_DENSE) + e))
                weights.append(np.log(weight * habit / len(TIGHTNESS)))
                plain.append(number == 0)
    table, log_w, first = np.array(tables).T, np.array(weights), np.array(plain)
    table *= PROOF[group]
    near = np.sum([place.shares[:NEAR] @ table for place in places], axis=0)
    far = np.sum([place.shares[NEAR:] @ table[:, first] for place in places], axis=0)
    of_first = log_w[first] - np.logaddexp.reduce(log_w[first])
    return np.logaddexp.reduce(near + log_w, axis=1), np.logaddexp.reduce(far + of_first, axis=1)


def _random(shares: Array, group: str) -> Array:
    """How often points thrown at random lie in each bin (BINS,), from how often decoys do.

    Land a kilometre off has as much room as land nearby, yet decoys seldom get there: beyond the edge of the water, or
    to both sides of a line or track, every bin holds what those within 500 m hold on average.
    """
    near = (np.abs(MIDDLE) <= 500) & (MIDDLE != 0)
    if group == "zone":
        return shares
    if group == "line":
        return np.full(BINS, shares[near].mean())
    flat = np.full(BINS, shares[near & (MIDDLE > 0)].mean())
    return np.where(MIDDLE > 0, flat, shares if group == "water" else flat)


def _habits(group: str) -> list[tuple[Callable[[float], Array], float]]:
    """Where points of an upload may keep to: k over the bins for a tightness in metres, and its prior weight.

    The plain one first: on the water, on the line. Then at a distance o: left or right of a line, on both sides of it;
    inside the water or out of it (a levee road). Nearness to a track has no side: there the density is that of one side.
    """

    def at(o: float, both: bool = False, times: float = 1.0) -> Callable[[float], Array]:
        place = np.abs(MIDDLE) if both else MIDDLE
        return lambda t: times * np.exp(-0.5 * ((place - o) / t) ** 2)

    away = np.arange(100.0, 1300.0, 100.0)
    n = len(away)
    if group == "zone":
        return [(at(0.0), 1.0)]
    if group == "track":
        return [(at(0.0), 0.5), *((at(o, times=2.0), 0.5 / n) for o in away)]
    if group == "line":
        sides = [(at(side * o), 0.2 / n) for o in away for side in (-1, 1)]
        return [(at(0.0), 0.4), *sides, *((at(o, both=True), 0.2 / n) for o in away)]
    on_water = lambda t: np.exp(-0.5 * (np.maximum(MIDDLE, 0) / t) ** 2)  # noqa: E731
    return [(on_water, 0.4), *((at(-o), 0.3 / n) for o in away), *((at(o), 0.3 / n) for o in away)]


def _fields(
    lon: Array, lat: Array, reference: Reference, settings: Settings, ids: NDArray[Any] | None
) -> tuple[dict[str, list[_Place]], bool]:
    """The places that some reference tells of, by the group that tells; whether there were coarse references only."""
    cell = settings.datum_place_m / M_PER_DEGREE
    keys = np.column_stack([np.floor(lat / cell), np.floor(lon * np.cos(np.radians(lat)) / cell)]).astype(np.int64)
    _, first, code = np.unique(keys[:, 0] << 32 | keys[:, 1], return_index=True, return_inverse=True)
    order = np.argsort(code, kind="stable")
    members = np.split(order, np.flatnonzero(np.diff(code[order])) + 1)
    tiles: dict[tuple[int, int], list[int]] = {}
    for number, at in enumerate(first.tolist()):
        tiles.setdefault((int(lon[at] // TILE), int(lat[at] // TILE)), []).append(number)
    found: dict[str, list[_Place]] = {name: [] for name in GROUPS}
    coarse = fine = False
    ranked = sorted(tiles, key=lambda tile: (-len(tiles[tile]), tile))[:TILES]
    for west, south in ranked:
        margin = (FAR_M + 2 * settings.datum_decoy_m) / M_PER_DEGREE
        box = (
            west * TILE - 1.2 * margin,
            south * TILE - margin,
            (west + 1) * TILE + 1.2 * margin,
            (south + 1) * TILE + margin,
        )
        frame = reference(*box)
        if not len(frame):
            continue
        good = frame["accuracy_m"].to_numpy(dtype=float) <= settings.datum_reference_m
        coarse, fine = coarse or not good.all(), fine or bool(good.any())
        frame = frame[good]
        if not len(frame):
            continue
        wanted = _spread(tiles[west, south], max(PLACES // len(ranked), 4))
        for number in wanted:
            rows = _spread(members[number].tolist(), POINTS)
            one = _place(lon[rows], lat[rows], frame, settings, None if ids is None else ids[rows])
            if one is not None:
                found[one[0]].append(one[1])
    return found, coarse and not fine


def _spread(items: list[int], most: int) -> list[int]:
    """At most so many of them, evenly taken."""
    if len(items) <= most:
        return items
    return [items[i] for i in np.linspace(0, len(items) - 1, most).round().astype(int)]


def _place(
    lon: Array, lat: Array, frame: pd.DataFrame, settings: Settings, ids: NDArray[Any] | None
) -> tuple[str, _Place] | None:
    """The distances of a few points close together, from the best group of references around them; None without any."""
    import shapely

    lon0, lat0 = float(lon.mean()), float(lat.mean())
    half = settings.datum_place_m + settings.datum_decoy_m + 500.0
    scale = np.array([M_PER_DEGREE * np.cos(np.radians(lat0)), M_PER_DEGREE])
    span = half / scale
    box = (lon0 - span[0], lat0 - span[1], lon0 + span[0], lat0 + span[1])
    shapes = frame["geometry"].to_numpy(dtype=object)
    kinds = frame["kind"].to_numpy(dtype=object)
    near = shapely.intersects(shapes, shapely.box(*box))
    for group, members in GROUPS.items():
        use = near & np.isin(kinds, members)
        if group == "zone":
            mine = set() if ids is None else {one for one in ids.tolist() if one is not None}
            use &= np.array([one in mine for one in frame["zone"]], dtype=bool)
        if not use.any():
            continue
        if group == "water" and not _covered(shapes[kinds == "cover"], kinds[use], box):
            continue
        own = shapely.boundary(shapes[use]) if group == "zone" else shapes[use]
        own = shapely.clip_by_rect(own, *box)
        distance = _distances(own[~shapely.is_empty(own)], box, half)
        if distance is None:
            continue
        if group == "zone":
            distance = np.abs(distance)
        xy = np.column_stack([lon - lon0, lat - lat0]) * scale
        moved = [
            np.column_stack([x - lon0, y - lat0]) * scale for x, y in (datum.undo(d, lon, lat) for d in datum.DATUMS)
        ]
        accuracy = float(np.median(frame["accuracy_m"].to_numpy(dtype=float)[use]))
        around = [part[:, None, :] + accuracy * _COMMON[:, :2] for part in moved]
        places = np.concatenate([*around, xy[:, None, :] + _shifts(settings.datum_decoy_m)], axis=1)
        cells = np.clip(((places + half) / PIXEL_M).astype(int), 0, len(distance) - 1)
        metres = distance[len(distance) - 1 - cells[..., 1], cells[..., 0]]
        bins = np.round(np.clip(metres, -FAR_M, FAR_M) / PIXEL_M).astype(int) + BINS // 2
        shares = np.zeros((bins.shape[1], BINS))
        np.add.at(shares, (np.arange(bins.shape[1])[None, :], bins), 1 / len(bins))
        return group, _Place(shares, accuracy)
    return None


def _covered(covers: NDArray[Any], kinds: NDArray[Any], box: tuple[float, float, float, float]) -> bool:
    """Whether a mask shows the whole box: beyond its edge there is no land, only nothing known."""
    import shapely

    if "mask" not in kinds.tolist() or not len(covers):
        return True
    return bool(
        shapely.area(shapely.union_all(covers).intersection(shapely.box(*box))) > 0.95 * shapely.area(shapely.box(*box))
    )


def _distances(shapes: NDArray[Any], box: tuple[float, float, float, float], half: float) -> Array | None:
    """Metres to the nearest of the shapes on a square grid of PIXEL_M, north up; None where there is none.

    Of polygons negative inside; of lines negative on their left.
    """
    import shapely
    from rasterio.features import rasterize
    from rasterio.transform import from_bounds
    from scipy.ndimage import distance_transform_edt

    size = int(2 * half / PIXEL_M)
    grid = {"out_shape": (size, size), "transform": from_bounds(*box, size, size), "all_touched": True}
    if not len(shapes):
        return None
    lines = shapely.get_parts(shapes)
    lines = lines[np.isin(shapely.get_type_id(lines), (1, 2))]
    if not len(lines):
        burnt = rasterize(shapes.tolist(), **grid) > 0
        if not burnt.any():
            return None
        areas = shapely.get_dimensions(shapes).max() == 2
        inside = distance_transform_edt(burnt) if areas else 0.0
        return np.asarray((distance_transform_edt(~burnt) - inside) * PIXEL_M)
    xy, owner = shapely.get_coordinates(lines, return_index=True)
    pairs = np.flatnonzero(np.diff(owner) == 0)
    ends = np.stack([xy[pairs], xy[pairs + 1]], axis=1)
    pieces = shapely.linestrings(ends)
    burnt = rasterize(zip(pieces.tolist(), range(1, len(pieces) + 1), strict=True), dtype="int32", **grid)
    if not burnt.any():
        return None
    metres, (row, column) = distance_transform_edt(burnt == 0, return_indices=True)
    nearest = ends[burnt[row, column] - 1]
    to_x = box[0] + (np.arange(size)[None, :] + 0.5) / size * (box[2] - box[0]) - nearest[..., 0, 0]
    to_y = box[3] - (np.arange(size)[:, None] + 0.5) / size * (box[3] - box[1]) - nearest[..., 0, 1]
    along = nearest[..., 1, :] - nearest[..., 0, :]
    left = along[..., 0] * to_y - along[..., 1] * to_x > 0
    return np.asarray(np.where(left, -metres, metres) * PIXEL_M)
