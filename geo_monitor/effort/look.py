"""How long somebody looked in one block of days, and the sum over blocks.

In: fixes of patrols of a block with a halo before and after it, located; the stays under way at its beginning. Out:
`Looked`, which needs nothing but others like it to become `Effort`. Rules: `docs/methods-effort.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geo_monitor.effort.legs import Legs, Runs, rivers, shares
from geo_monitor.effort.minutes import Totals, added
from geo_monitor.tables import TABLES
from geo_monitor.tracks import DAY_MS, MINUTE_MS, NEVER, SHANGHAI_MS, Arrays, Chunk, Tracks, nights, timestamps

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.effort.legs import Water
    from geo_monitor.effort.looked import Effort
    from geo_monitor.settings import Settings


AT_ONCE = 16  # parts that are added up together


def halo_ms(settings: Settings) -> int:
    """How much before and after a block has to be seen with it, ms, so that all but stays is known: legs over its border,
    what clips them, and whether the fixes at their ends belong to a stay."""
    return round(1000 * (3 * settings.gap_s + settings.stakeout_s + 2 * settings.stakeout_stray_s))


@dataclass(frozen=True)
class Moored(Arrays):
    """Stays that may be under way at a moment, by unit: text (u,), first and last fix within (u, 2) ms UTC, and where
    the first one lies (u, 2), WGS84 degrees."""

    unit_id: np.ndarray
    time: np.ndarray
    place: np.ndarray

    @classmethod
    def nowhere(cls) -> Moored:
        """Nothing is under way."""
        return cls(np.empty(0, dtype=object), np.empty((0, 2), dtype=np.int64), np.empty((0, 2)))


@dataclass(frozen=True)
class Looked(Arrays):
    """What one block adds. Units and patrols are places in `unit_ids`, `patrol_ids` (ascending; -1: no patrol id).

    key, sums (k,) and (k, 6): as `minutes.Totals`; last_reach, last_look: last moment looked, ms UTC, per reach; spans
    (s, 3): unit, start, end of counted time that begins in the block, ms; parts (f, 6): unit, patrol, first and last fix,
    ms, least and greatest river of a patrol's fixes within one block; km (f, 2): lowest and highest; gaps (g, 4): unit,
    patrol, from, to, ms; seen (p, 2): unit, key, of watched units; kinds (m, 2): unit, patrol of every patrol fix.
    """

    unit_ids: np.ndarray
    patrol_ids: np.ndarray
    key: np.ndarray
    sums: np.ndarray
    unlocated: np.ndarray  # (1,) ms
    last_reach: np.ndarray
    last_look: np.ndarray
    spans: np.ndarray
    parts: np.ndarray
    km: np.ndarray
    gaps: np.ndarray
    seen: np.ndarray

    @classmethod
    def joined(cls, parts: Iterable[Looked]) -> Looked:
        """Of other units or days together: sums of one key as one. Holds all that and a few `parts`."""
        held: list[Looked] = []
        for part in parts:
            held.append(part)
            if len(held) == AT_ONCE:
                held = [cls._joined(held)]
        return held[0] if len(held) == 1 else cls._joined(held)

    @classmethod
    def _joined(cls, parts: list[Looked]) -> Looked:
        every = _together(parts)
        key, sums = added([(part.key, part.sums) for part in parts])
        order = np.lexsort((every.last_look, every.last_reach))
        last = np.flatnonzero(np.diff(every.last_reach[order], append=-1))
        return replace(
            every,
            key=key,
            sums=sums,
            unlocated=every.unlocated.sum(keepdims=True),
            last_reach=every.last_reach[order][last],
            last_look=every.last_look[order][last],
        )


def look(
    chunk: Chunk,
    unit_ids: list[str],
    patrol_ids: list[str],
    network: Water,
    settings: Settings,
    days: tuple[int, int],
    moored: Moored,
    watched: frozenset[str] | None = frozenset(),
) -> tuple[Looked, Moored]:
    """What a block of Shanghai days [days[0], days[1]) adds, and the stays under way at its end.

    chunk: patrol fixes of whole units from `halo_ms` before the block to `halo_ms` after it, located. moored: what the
    block before gave. watched: units of which it is to be known where they were (None: all), for patrols told in words.

    Raises `GeoMonitorError("effort_spread_broken")` if the network's shares of a path don't sum to one.
    """
    from geo_monitor.effort.kernels import gather, merged, pieces, stays

    start, end = (day * DAY_MS - SHANGHAI_MS for day in days)
    gap_ms = round(settings.gap_s * 1000)
    heads = chunk.unit[chunk.bounds[:-1]] if len(chunk) else np.empty(0, dtype=np.int64)
    names = np.array([unit_ids[unit] for unit in heads], dtype=object)
    open_time, open_place = _under_way(names, moored)
    stay = stays(
        chunk.bounds if len(chunk) else np.zeros(1, np.int64), chunk.time, chunk.lon, chunk.lat, gap_ms,
        round(settings.stakeout_s * 1000), settings.stakeout_m, round(settings.stakeout_stray_s * 1000), end,
        open_time, open_place,
    )  # fmt: skip
    under_way = open_time[:, 0] != NEVER
    after = Moored(names[under_way], open_time[under_way], open_place[under_way])
    runs = Runs.of(chunk, settings)
    legs = Legs.of(chunk, runs, settings, start, end)
    last_look = np.full(len(network.reaches), NEVER, dtype=np.int64)
    key, sums, unit, unlocated = gather(
        legs.unit, legs.start, legs.end, legs.a, legs.b, chunk.reach, legs.platform, stay,
        *shares(chunk, legs, network, settings), nights(settings), gap_ms, days[0], days[1], DAY_MS, SHANGHAI_MS, last_look,
    )  # fmt: skip
    total = Totals(len(network.reaches))
    total.sum(key, sums)
    seen = sums[:, 4] == 1
    if watched is not None:
        seen &= np.array([name in watched for name in unit_ids], dtype=bool)[unit] if watched else False
    there = np.flatnonzero(last_look != NEVER)
    parts, km, gaps = pieces(
        runs.rows, runs.run, chunk.unit, chunk.patrol, chunk.time, chunk.reach, chunk.km, rivers(network)[0], gap_ms, start,
        end,
    )  # fmt: skip
    return (
        Looked(
            unit_ids=np.array(unit_ids, dtype=object),
            patrol_ids=np.array(patrol_ids, dtype=object),
            key=total.key,
            sums=total.sums,
            unlocated=np.array([unlocated], dtype=np.int64),
            last_reach=there,
            last_look=last_look[there],
            spans=merged(legs.unit, legs.start, legs.end, start, end),
            parts=parts,
            km=km,
            gaps=gaps,
            seen=np.column_stack([unit[seen], key[seen]]),
        ),
        after,
    )


def _under_way(names: np.ndarray, moored: Moored) -> tuple[np.ndarray, np.ndarray]:
    time, place = np.full((len(names), 2), NEVER, dtype=np.int64), np.zeros((len(names), 2))
    at = {name: row for row, name in enumerate(moored.unit_id)}
    for row, name in enumerate(names):
        if name in at:
            time[row], place[row] = moored.time[at[name]], moored.place[at[name]]
    return time, place


# --- over all blocks --------------------------------------------------------------------------------------------------


def sum_up(
    blocks: Iterable[Looked], network: Water, settings: Settings, reported: pd.DataFrame | None = None
) -> Effort:
    """`Effort` of all blocks, in any order, and of patrols told in words (rows of table `patrols` with how ==
    "reported")."""
    from geo_monitor.effort.kernels import uncovered
    from geo_monitor.effort.looked import Effort
    from geo_monitor.effort.reported import Reported

    parts = list(blocks)
    together = _together(parts)
    total = Totals(len(network.reaches), ((part.key, part.sums) for part in parts))
    np.maximum.at(total.last_look, together.last_reach, together.last_look)
    total.unlocated = int(together.unlocated.sum())
    whole, gaps = _chained(together, settings)
    spans = together.spans[np.lexsort((together.spans[:, 1], together.spans[:, 0]))]
    order = np.lexsort((gaps[:, 1], gaps[:, 3], gaps[:, 2], gaps[:, 0]))
    gaps = gaps[order]
    # whole arrays, as `Reported` hands over too: one type to be compiled for
    of, lo, hi = uncovered(*np.ascontiguousarray(gaps[:, [0, 2, 3]].T), *np.ascontiguousarray(spans.T))
    tracks = Tracks(
        list(together.unit_ids),
        list(together.patrol_ids),
        {"unit": together.parts[:, 0], "patrol": together.parts[:, 1]},
        np.empty(0, np.int64),
        np.empty(0, np.int64),
    )
    told = Reported.read(reported, tracks)
    told.cover(spans[:, 0], spans[:, 1], spans[:, 2], together.seen[:, 0], together.seen[:, 1])
    told.spread(network, total, settings)
    names = whole.names(together)
    unit_ids = together.unit_ids
    return Effort(
        total=total,
        gaps=_frame(
            "effort_gaps",
            unit_id=_texts(unit_ids[gaps[of, 0]]),
            patrol_id=_texts(names[gaps[of, 1]]),
            gap_from=timestamps(lo),
            gap_to=timestamps(hi),
            minutes=(hi - lo) / MINUTE_MS,
        ),
        patrols=_tracked(whole, names, unit_ids, rivers(network)[1]),
        unlocated_minutes=total.unlocated / MINUTE_MS,
        last_look=total.last_look,
        reach_ids=network.reaches["reach_id"].to_numpy(dtype=object),
        notes=told.notes,
    )


def _together(blocks: list[Looked]) -> Looked:
    """All blocks as one but for their sums, their units and patrols numbered alike."""
    unit_ids, patrol_ids = (
        np.array(sorted({name for block in blocks for name in getattr(block, part)}), dtype=object)
        for part in ("unit_ids", "patrol_ids")
    )
    unit_of, patrol_of = ({name: i for i, name in enumerate(ids)} for ids in (unit_ids, patrol_ids))
    found: dict[str, list[np.ndarray]] = {part.name: [] for part in fields(Looked) if part.name not in ("key", "sums")}
    for block in blocks:
        unit = np.array([unit_of[name] for name in block.unit_ids], dtype=np.int64)
        patrol = np.array([*(patrol_of[name] for name in block.patrol_ids), -1], dtype=np.int64)  # -1 is the last
        for name, array in block.arrays().items():
            if name in ("spans", "parts", "gaps", "seen") and len(array):
                array = array.copy()
                array[:, 0] = unit[array[:, 0]]
                if name in ("parts", "gaps"):
                    array[:, 1] = patrol[array[:, 1]]
            if name in found:
                found[name].append(array)
    widths = {"spans": 3, "parts": 6, "km": 2, "gaps": 4, "seen": 2}
    joined = {}
    for name, arrays in found.items():
        none = np.empty((0, widths[name]) if name in widths else 0, dtype=np.float64 if name == "km" else np.int64)
        joined[name] = np.concatenate([none, *(array.reshape(-1, widths[name]) if name in widths else array
                                               for array in arrays)])  # fmt: skip
    key, sums = added(())
    return Looked(**{**joined, "key": key, "sums": sums, "unit_ids": unit_ids, "patrol_ids": patrol_ids})


@dataclass(frozen=True)
class _Whole:
    """Patrols (m,): unit, patrol (-1: no id), first and last fix, ms, least and greatest river, km (m, 2)."""

    unit: np.ndarray
    patrol: np.ndarray
    first: np.ndarray
    last: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    km: np.ndarray

    def names(self, of: Looked) -> np.ndarray:
        """patrol_id of each; one without is named after its unit and first fix: `unit@20260531T150500Z`."""
        named = np.empty(len(self.unit), dtype=object)
        stamp = np.datetime_as_string(self.first.astype("datetime64[ms]"), unit="s")
        for i, (unit, patrol) in enumerate(zip(self.unit.tolist(), self.patrol.tolist(), strict=True)):
            compact = str(stamp[i]).replace("-", "").replace(":", "")
            named[i] = of.patrol_ids[patrol] if patrol >= 0 else f"{of.unit_ids[unit]}@{compact}Z"
        return named


def _chained(of: Looked, settings: Settings) -> tuple[_Whole, np.ndarray]:
    """Patrols over all blocks, and their gaps (g, 4): unit, patrol (a place among the patrols), from, to."""
    order = np.lexsort((of.parts[:, 2], of.parts[:, 1], of.parts[:, 0]))
    unit, patrol, first, last, lowest, highest = of.parts[order].T
    km = of.km[order]
    fresh = np.ones(len(unit), dtype=bool)
    fresh[1:] = (unit[1:] != unit[:-1]) | (patrol[1:] != patrol[:-1])
    away = first[1:] - last[:-1]
    fresh[1:] |= (patrol[1:] < 0) & (away > round(settings.patrol_split_s * 1000))
    begin = np.flatnonzero(fresh)
    number = np.cumsum(fresh) - 1
    between = np.flatnonzero(~fresh[1:] & (away > round(settings.gap_s * 1000)))
    across = np.column_stack([unit[between], number[between], last[between], first[between + 1]])
    # a gap within a block belongs to the part that holds its beginning
    within = of.gaps.copy()
    at = np.lexsort((within[:, 2], within[:, 1], within[:, 0]))
    within = within[at]
    rows = np.concatenate([np.column_stack([unit, patrol, first]), within[:, :3]])
    order = np.lexsort((np.arange(len(rows)) >= len(unit), rows[:, 2], rows[:, 1], rows[:, 0]))
    part = np.maximum.accumulate(np.where(order < len(unit), order, 0))[order >= len(unit)]
    within[:, 1] = number[part]
    if not len(begin):
        none = np.empty(0, dtype=np.int64)
        return _Whole(none, none, none, none, none, none, np.empty((0, 2))), across.reshape(0, 4).astype(np.int64)
    with np.errstate(invalid="ignore"):
        ends = np.column_stack([np.fmin.reduceat(km[:, 0], begin), np.fmax.reduceat(km[:, 1], begin)])
    final = np.append(begin[1:], len(unit)) - 1
    whole = _Whole(
        unit[begin], patrol[begin], first[begin], last[final], np.minimum.reduceat(lowest, begin),
        np.maximum.reduceat(highest, begin), ends,
    )  # fmt: skip
    return whole, np.concatenate([across, within]).astype(np.int64)


def _tracked(whole: _Whole, names: np.ndarray, unit_ids: np.ndarray, river_names: list[str]) -> pd.DataFrame:
    one = (whole.highest == whole.lowest) & ~np.isnan(whole.km[:, 0])
    rows = len(names)
    return _frame(
        "patrols",
        patrol_id=_texts(names),
        unit_id=_texts(unit_ids[whole.unit]),
        started_at=timestamps(whole.first),
        ended_at=timestamps(whole.last),
        river=_texts([river_names[code] if ok else None for code, ok in zip(whole.highest, one, strict=True)]),
        km_from=pa.array(whole.km[:, 0], mask=~one),
        km_to=pa.array(whole.km[:, 1], mask=~one),
        persons=pa.nulls(rows, pa.float64()),
        how=_texts(["tracked"] * rows),
    )


def _texts(values: Any) -> pa.Array:
    return pa.array(list(values), pa.string())


def _frame(name: str, **columns: Any) -> pd.DataFrame:
    table = TABLES[name]
    return table.from_arrow(pa.table(columns).cast(table.arrow))
