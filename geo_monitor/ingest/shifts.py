"""Whether coordinates whose datum nobody named are WGS84, GCJ-02 or BD-09, told from what is known to lie beneath them.

Each candidate datum is undone and the points are laid over a reference that is finer than the shift (300-700 m): water
of a surveyed bank or a mask, a surveyed line, confirmed tracks, the zone of the same id. The statistic:

- *Places, not fixes.* Points count by cells of `datum_place_m`: what one cell shows is one proof, however many fixes
  lie there. A boat that lay at its berth for a month is one place.
- *Likelihood.* For a shift s and the distance r of a point to the reference (0 inside water), the density of points
  relative to points thrown at random is p = (1 - e) k(r / t) / Z(t) + e, with k(u) = exp(-u^2 / 2), Z the mean of k over
  all places and shifts, t how closely points keep to the reference and e the share that does not (roads, markets, other
  rivers); t and e are integrated out over a grid. L(s) is the product over places of the geometric mean of p.
- *The reference's own error.* All of it may be off together: L(d) is the mean over offsets of half its accuracy (sigma).
- *Decoys.* The alternative to a datum is not only another datum but any unknown offset (a road along the bank, a habit
  of keeping to one side, a blunder): M(d) = (1 - q) L(d) + q mean L(s) over shifts s up to `datum_decoy_m`, with
  q = `datum_decoy_share`. On a straight river half of all shifts fit as well as the right one; then M differs little
  and nothing is told. No file can prove more than the number of decoys over q.
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
STEP_M = 50.0  # between decoys
TILE = 0.25  # degrees; what is asked of the store at once
TILES = 40  # asked for at most: the ones with most places
PLACES = 120  # looked at: more can't raise what the decoys allow
POINTS = 6  # of one place
MOST = 200_000  # points sorted into places; more are thinned
EVERY_M = 250.0  # metres between points of a line or an edge
FAR_M = 1500.0  # distances are cut here: farther is elsewhere
FIX_M = 15.0  # metres; error of a fix or of a vertex, added to the accuracy of the reference
TIGHTNESS = np.geomspace(1.0, 24.0, 8)  # grid of t in units of the reference's own error
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
    there = there[:: len(there) // MOST + 1]
    if not len(there):
        return nothing
    found, coarse = _fields(lon[there], lat[there], reference, settings, None if ids is None else ids[there])
    if not any(found.values()):
        return Verdict("wgs84", plain["wgs84"], plain, coarse=coarse)
    total = np.sum([_log_likelihood(own) for own in found.values() if own], axis=0)
    fits = np.logaddexp.reduce(total[:NEAR].reshape(3, -1) + np.log(_COMMON[:, 2]), axis=1)
    each = np.logaddexp.reduce(total) - np.log(len(total))
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
    """Distances (points, NEAR + decoys) to the reference; the reference's accuracy in metres."""

    metres: Array
    accuracy: float


def _shifts(most: float) -> Array:
    """Decoys (m, 2): metres east and north on a grid within a circle."""
    steps = np.arange(-most, most + STEP_M / 2, STEP_M)
    east, north = (part.ravel() for part in np.meshgrid(steps, steps))
    return np.column_stack([east, north])[np.hypot(east, north) <= most]


def _log_likelihood(places: list[_Place]) -> Array:
    """log L of each candidate and decoy, t and e integrated out.

    By hand: one place, two shifts, one on the reference and one far from it: k = 1 and 0, Z = 1/2, so that with
    e = 0.02 the densities are 0.98 * 2 + 0.02 = 1.98 and 0.02.
    """
    terms = []
    own = np.array([np.hypot(place.accuracy, FIX_M) for place in places])
    for t in TIGHTNESS:
        near = [np.exp(-0.5 * (place.metres / (t * s)) ** 2) for place, s in zip(places, own, strict=True)]
        z = max(float(np.mean([part[:, NEAR:].mean() for part in near])), 1e-12)
        for e, weight in STRAY.items():
            logs = [np.log((1 - e) * part / z + e).mean(axis=0) for part in near]
            terms.append(np.sum(logs, axis=0) + np.log(weight / len(TIGHTNESS)))
    return np.asarray(np.logaddexp.reduce(np.array(terms), axis=0))


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
        own = shapely.clip_by_rect(shapes[use], *box)
        if group == "zone":
            own = shapely.boundary(own)
        distance = _distances(own[~shapely.is_empty(own)], box, half)
        if distance is None:
            continue
        xy = np.column_stack([lon - lon0, lat - lat0]) * scale
        moved = [
            np.column_stack([x - lon0, y - lat0]) * scale for x, y in (datum.undo(d, lon, lat) for d in datum.DATUMS)
        ]
        accuracy = float(np.median(frame["accuracy_m"].to_numpy(dtype=float)[use]))
        around = [part[:, None, :] + accuracy * _COMMON[:, :2] for part in moved]
        places = np.concatenate([*around, xy[:, None, :] + _shifts(settings.datum_decoy_m)], axis=1)
        cells = np.clip(((places + half) / PIXEL_M).astype(int), 0, len(distance) - 1)
        metres = distance[len(distance) - 1 - cells[..., 1], cells[..., 0]]
        return group, _Place(
            np.minimum(metres, FAR_M), float(np.median(frame["accuracy_m"].to_numpy(dtype=float)[use]))
        )
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
    """Metres to the nearest of the shapes, 0 inside, on a square grid of PIXEL_M, north up; None where there is none."""
    from rasterio.features import rasterize
    from rasterio.transform import from_bounds
    from scipy.ndimage import distance_transform_edt

    size = int(2 * half / PIXEL_M)
    if not len(shapes):
        return None
    burnt = rasterize(
        shapes.tolist(), out_shape=(size, size), transform=from_bounds(*box, size, size), all_touched=True
    )
    if not burnt.any():
        return None
    return np.asarray(distance_transform_edt(burnt == 0) * PIXEL_M)
