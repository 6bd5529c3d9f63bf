"""zone_entry and no_permit: the machine of zone visits (`joins.kernels`) over traffic boats, unit by unit.

In: tracks with fixes the machine has not seen. Out: visits. Rules: `docs/methods-effort.md`, Zone visits.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geo_monitor.events import rows as at
from geo_monitor.events.ground import Law, spread
from geo_monitor.events.single import Found, minutes
from geo_monitor.events.track import Track, Visiting
from geo_monitor.joins import machine
from geo_monitor.joins.areas import Areas
from geo_monitor.settings import Settings

Visit = tuple[int, int, int, bool]  # zone version, entered, left (ms UTC), observed


def numbers(settings: Settings) -> tuple[int, int, float, int, int, int]:
    """Thresholds as the compiled machine takes them."""
    return (
        settings.visit_fixes, round(settings.visit_s * 1000), float(settings.visit_exit_m),
        round(settings.visit_exit_s * 1000), round(settings.visit_observed_s * 1000),
        round(settings.patrol_split_s * 1000),
    )  # fmt: skip


def advance(tracks: Sequence[Track], firsts: Sequence[int], areas: Areas, settings: Settings) -> None:
    """Takes the visits of each track through its rows from `firsts` on; `Track.visited` and `head.visiting` change."""
    from geo_monitor.joins import kernels

    taken, parts = [], []
    for track, first in zip(tracks, firsts, strict=True):
        rows = track.rows[first:]
        rows = rows[rows[:, at.KIND] == at.TRAFFIC]
        if len(rows):
            taken.append(track)
            parts.append(rows[:, [at.T, at.LON, at.LAT]])
    if not taken or not len(areas.zones):
        return
    n = len(taken)
    bounds = np.cumsum([0, *(len(part) for part in parts)]).astype(np.int64)
    rows = np.concatenate(parts)
    time = rows[:, 0].astype(np.int64)
    lon, lat = np.ascontiguousarray(rows[:, 1]), np.ascontiguousarray(rows[:, 2])
    before, ago, place = np.zeros(n, dtype=bool), np.zeros(n, dtype=np.int64), np.zeros((n, 2))
    for u, track in enumerate(taken):
        last = track.head.visiting.last
        if last is not None:
            before[u], ago[u], place[u] = True, last[0], last[1:]
    runs = np.concatenate([[0], np.cumsum(-(-np.diff(bounds) // kernels.RUN))]).astype(np.int64)
    boxes = kernels.extents(bounds, lon, lat, before, place)
    pair_unit, pair_zone, state = _pairs(taken, areas, boxes, runs)
    fixes, need, exit_m, exit_ms, seen, split = numbers(settings)
    found, of = kernels.advance_all(
        pair_unit, pair_zone, state, bounds, runs, boxes, time, lon, lat, np.full(len(time), -1, dtype=np.int64), before,
        ago, place, areas.window_at, areas.windows, areas.edge_at, areas.edges, areas.slab_at, areas.slab, areas.sure,
        areas.filed_at, areas.filed, areas.grid, areas.box, fixes, need, exit_m, exit_ms, seen, split,
        int(np.diff(areas.filed_at).max(initial=0)),
    )  # fmt: skip
    for track, row in zip(taken, bounds[1:] - 1, strict=True):
        track.head.visiting.last = int(time[row]), float(lon[row]), float(lat[row])
        track.head.visiting.state = {}
    live = (state[:, [machine.WAS_IN, machine.FIXES, machine.OPEN]] > 0).any(axis=1)
    for p in np.flatnonzero(live).tolist():
        taken[int(pair_unit[p])].head.visiting.state[int(pair_zone[p])] = state[p]
    for row, p in zip(found, of, strict=True):
        taken[int(pair_unit[p])].visited.append(_visit(areas, int(pair_zone[p]), row))


def _pairs(
    tracks: Sequence[Track], areas: Areas, boxes: np.ndarray, runs: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pairs of track and zone that have anything to do with each other, and the state each begins in."""
    import shapely

    low, high, first = np.minimum.reduceat, np.maximum.reduceat, runs[:-1]
    whole = [low(boxes[:, 0], first), low(boxes[:, 1], first), high(boxes[:, 2], first), high(boxes[:, 3], first)]
    unit, zone = areas.tree.query(shapely.box(*whole))
    told = [(u, z) for u, track in enumerate(tracks) for z in track.head.visiting.state]
    told_unit, told_zone = np.array(told, dtype=np.int64).reshape(-1, 2).T
    size = len(areas.zones)
    key = np.unique(np.concatenate([unit.astype(np.int64) * size + zone, told_unit * size + told_zone]))
    pair_unit, pair_zone = np.divmod(key, size)
    state = np.zeros((len(key), machine.WIDTH), dtype=np.int64)
    state[:, machine.CODES] = -1
    for u, z in told:
        state[np.searchsorted(key, u * size + z)] = tracks[u].head.visiting.state[z]
    return pair_unit, pair_zone, state


def _visit(areas: Areas, z: int, row: np.ndarray) -> Visit:
    entered, left = row[2:3], row[3:4]
    seen = bool(row[4] == 1 and not areas.zones[z].doubts(entered, left)[0])
    return z, int(row[2]), int(row[3]), seen


def standing(visiting: Visiting, areas: Areas, settings: Settings) -> list[tuple[Visit, bool]]:
    """Visits as they are if no fix follows, and whether the boat is inside."""
    from geo_monitor.joins.kernels import finish

    if visiting.last is None:
        return []
    fixes, need, _, exit_ms, _, _ = numbers(settings)
    told = []
    out = np.empty((2, 5), dtype=np.int64)
    for z, row in sorted(visiting.state.items()):
        inside = row[machine.FIXES] > 0
        count = finish(row.copy(), visiting.last[0], fixes, need, exit_ms, out)
        for k in range(count):
            told.append((_visit(areas, z, out[k]), bool(inside and k == count - 1 and out[k, 3] == visiting.last[0])))
    return told


def found(track: Track, visit: Visit, going: bool, rule: int, law: Law) -> Found:
    """A visit as an event: where the boat was when it entered, and its fixes of the first minutes."""
    z, entered, left, seen = visit
    fixes = track.entries[z, entered]
    x, y = fixes[0][1], fixes[0][2]
    evidence = {
        "entered": entered,
        "minutes": minutes(entered, None if going else left),
        "certainty": "observed" if seen and not going else "possible",
        "fixes": {"number": int(fixes[0][3]), "first": int(fixes[1][0]), "last": int(fixes[-1][0]),
                  "some": [[track.unit, int(t), float(a), float(b)] for t, a, b in fixes[1:]]},
    }  # fmt: skip
    if going:
        evidence["certainty"] = "goes on"
    return Found(rule, (track.unit,), str(law.zone(z).zone_id), entered, None if going else left, x, y, evidence)


def remember(track: Track, visit: Visit, since: float, settings: Settings) -> None:
    """Keeps where the boat entered and up to 20 fixes of the minutes after (`event_leg_s`), while its fixes are held.

    The first row is time, lon, lat of the crossing, the number of fixes and up to when they are told. since: the moment from which the unit's
    fixes have changed.
    """
    z, entered, left, _ = visit
    until = min(entered + settings.event_leg_s * 1000, float(left))
    old = track.entries.get((z, entered))
    if old is not None and since > entered + settings.event_leg_s * 1000 and old[0][4] == until:
        return
    rows = track.rows
    if track.patrol or track.sensor:  # it has been something else too
        rows = rows[rows[:, at.KIND] == at.TRAFFIC]
    times = rows[:, at.T]
    first = int(np.searchsorted(times, entered))
    if old is not None and entered < track.whole:
        return
    stop = int(np.searchsorted(times, until, side="right"))
    x, y = rows[min(first, len(rows) - 1), [at.LON, at.LAT]].tolist()
    if 0 < first < len(rows) and times[first] > entered:
        (ta, xa, ya), (tb, xb, yb) = rows[first - 1 : first + 1, : at.REACH].tolist()
        share = (entered - ta) / (tb - ta)
        x, y = xa + share * (xb - xa), ya + share * (yb - ya)
    elif old is not None and first == 0 and times[0] > entered:
        x, y = old[0][1:3]  # the fix before the crossing has been given up
    some = rows[first : max(stop, first + 1), : at.REACH]
    some = some if len(some) else rows[-1:, : at.REACH]  # a passage: the fix before or after it
    kept = some[list(spread(len(some), at.SAMPLE))].tolist()
    told = [[float(entered), float(x), float(y), float(len(some)), until], *kept]
    if old != told:
        track.entries[z, entered] = told
        track.visits.pop((z, entered), None)
