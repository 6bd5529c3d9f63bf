"""What one block of positions gives: where it lies, who was in which zone, how long somebody looked, who was near.

In: a `Job` (river, zones, settings: small, the same for every block), the block's fixes, the state that the block before
left. Out: plain arrays, and the state for the next block. Every engine calls these functions and adds up in `Found`.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geo_monitor.effort import Looked, Moored, halo_ms, look
from geo_monitor.engine.blocks import BLOCK_DAYS, Block, Plan, Reader, Span
from geo_monitor.engine.kept import Arrays, Aside, Content, digest, of_arrays, of_bytes
from geo_monitor.errors import Refused
from geo_monitor.joins import nearest
from geo_monitor.joins.areas import Areas
from geo_monitor.joins.nearest import Near
from geo_monitor.joins.visits import Underway, Visits, advance
from geo_monitor.river import chainage
from geo_monitor.tables import PLATFORMS
from geo_monitor.tracks import DAY_MS, Chunk, encode, milliseconds

if TYPE_CHECKING:
    from geo_monitor.inputs import Inputs
    from geo_monitor.joins import Places
    from geo_monitor.river import Network
    from geo_monitor.settings import Settings

VERSION = 3  # of what blocks give: to be raised whenever a rule of locating, effort, visits or nearness changes
KINDS = ("unit_id", "patrol_id", "platform", "role")
KINDS_OF_WORK = ("effort", "visits", "near")


@dataclass(frozen=True)
class Job:
    """What every block is worked on with: the river, the zones in force at some time, the platform of units that tell
    none in their fixes, when and where reports lie, and the spans (unit or None, start, end) of patrols in words."""

    network: Network
    areas: Areas
    settings: Settings
    platforms: dict[str, str]
    reports: Places
    told: tuple[tuple[str | None, int, int], ...]

    @classmethod
    def of(cls, inputs: Inputs, network: Network, zones: Areas, reports: Places, settings: Settings) -> Job:
        """The job of these inputs, `areas` and places of reports."""
        spans = (milliseconds(inputs.reported[name]).tolist() for name in ("started_at", "ended_at"))
        units = [name if isinstance(name, str) else None for name in inputs.reported["unit_id"]]
        told = sorted(zip(units, *spans, strict=True), key=lambda row: (row[0] or "", row[1], row[2]))
        return cls(network, zones, settings, inputs.platforms, reports, tuple(told))

    @property
    def halo_ms(self) -> int:
        """`halo`, ms."""
        return halo(self.settings)

    def watched(self, span: Span) -> frozenset[str] | None:
        """Units whose presence in the block has to be known for patrols told in words; None: every unit's."""
        units = {unit for unit, start, end in self.told if start < span.end and end > span.start}
        return None if None in units else frozenset(unit for unit in units if unit is not None)


def halo(settings: Settings) -> int:
    """How much before and after a block is looked at with it, ms. Raises `Refused("halo_too_long")` where that is more than
    a block."""
    found = max(halo_ms(settings), round(settings.nearest_window_s * 1000))
    if found > BLOCK_DAYS * DAY_MS:
        raise Refused("halo_too_long", days=BLOCK_DAYS)
    return found


def areas(inputs: Inputs, settings: Settings) -> Areas:
    """The zones in force at some time that the positions tell of."""
    from geo_monitor.joins.zones import zones_between

    ends = inputs.plan.ends
    return Areas.of([] if ends is None else zones_between(inputs.zones, ends.start, ends.end, inputs.levels, settings))


# --- a block ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Laid:
    """A block's fixes in order: by unit, time, then every other value; with its halo."""

    chunk: Chunk
    unit_ids: list[str]
    patrol_ids: list[str]
    days: tuple[int, int]
    span: Span  # the block's own time

    @classmethod
    def of(cls, table: pa.Table, block: Block, platforms: dict[str, str]) -> Laid:
        """The rows of a block (columns of `blocks.SCHEMA`), in any order, not yet located. platforms: as of a `Job`."""
        from geo_monitor.inputs import with_platforms

        tracks = encode(with_platforms(table.unify_dictionaries(), platforms))
        chunk = next(tracks.chunks(1 << 62), None) or Chunk.empty()
        return cls(chunk, tracks.unit_ids, tracks.patrol_ids, (block.first, block.last), block.span)


def reports(job: Job, span: Span) -> np.ndarray:
    """Places of the reports of a time."""
    return np.flatnonzero((job.reports.time >= span.start) & (job.reports.time < span.end))


@dataclass(frozen=True)
class Seen:
    """What there is in a block: `kinds` (m, 4), every unit_id, patrol_id, platform and role that occur together; counts
    (2,): fixes, of these on no reach; ends (2,): first and last moment, ms UTC (of no fixes: 0)."""

    kinds: np.ndarray
    counts: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, chunk: Chunk, laid: Laid) -> Seen:
        """What there is among fixes of the block's own time."""
        if not len(chunk):
            return cls(np.empty((0, 4), dtype=object), np.zeros(2, np.int64), np.zeros(2, np.int64))
        told = (chunk.unit, chunk.patrol, chunk.platform, chunk.patrolling)
        fresh = np.ones(len(chunk), dtype=bool)
        np.logical_or.reduce([column[1:] != column[:-1] for column in told], out=fresh[1:])
        rows = np.flatnonzero(fresh)  # rows of a unit stand together: few changes
        codes = np.unique(np.column_stack([column[rows] for column in told]).astype(np.int64), axis=0)
        kinds = [
            np.array(laid.unit_ids, dtype=object)[codes[:, 0]],
            np.array([*laid.patrol_ids, None], dtype=object)[codes[:, 1]],  # -1 is the last
            np.array(PLATFORMS, dtype=object)[codes[:, 2]],
            np.where(codes[:, 3] == 1, "patrol", "traffic").astype(object),
        ]
        counts = np.array([len(chunk), (chunk.reach < 0).sum()], dtype=np.int64)
        return cls(np.column_stack(kinds), counts, np.array([chunk.time.min(), chunk.time.max()], dtype=np.int64))

    @classmethod
    def joined(cls, parts: Sequence[Seen]) -> Seen:
        """Of other units together."""
        parts = [part for part in parts if part.counts[0]]
        if not parts:
            return cls(np.empty((0, 4), dtype=object), np.zeros(2, np.int64), np.zeros(2, np.int64))
        ends = np.array([min(part.ends[0] for part in parts), max(part.ends[1] for part in parts)], dtype=np.int64)
        counts = np.sum([part.counts for part in parts], axis=0)
        return cls(np.concatenate([part.kinds for part in parts]), counts, ends)


@dataclass(frozen=True)
class Part:
    """What some units of a block give, of the kinds of work asked for; `seconds` each took."""

    looked: tuple[Looked, Moored] | None
    seen: Seen | None
    visits: tuple[Visits, Underway] | None
    near: Near | None
    seconds: dict[str, float]


def located(chunk: Chunk, job: Job) -> tuple[Chunk, float]:
    """The chunk with the places of its fixes on the river, which depend on no block before, and the seconds that took."""
    began = time.perf_counter()
    reach, km = chainage(chunk.lon, chunk.lat, job.network)
    return replace(chunk, reach=reach, km=km), time.perf_counter() - began


def part(laid: Laid, chunk: Chunk, job: Job, wanted: Collection[str], moored: Moored, underway: Underway) -> Part:
    """What the units of `chunk`, some of those of `laid`, give: one after the other what of `KINDS_OF_WORK` is wanted, so
    that their fixes are at hand; for "effort" they are `located`."""
    seconds, began = {}, time.perf_counter()

    def spent(what: str) -> None:
        nonlocal began
        now = time.perf_counter()
        seconds[what], began = now - began, now

    looked, seen, visits, near = None, None, None, None
    if "effort" in wanted or "visits" in wanted:
        own = chunk.where((chunk.time >= laid.span.start) & (chunk.time < laid.span.end))
    if "effort" in wanted or "near" in wanted:
        patrols = chunk.where(chunk.patrolling)
    if "effort" in wanted:
        watched = job.watched(laid.span)
        looked = look(patrols, laid.unit_ids, laid.patrol_ids, job.network, job.settings, laid.days, moored, watched)
        seen = Seen.of(own, laid)
        spent("effort")
    if "visits" in wanted:
        names = {laid.unit_ids[code] for code in own.unit[own.bounds[:-1]]} if len(own) else set()
        mine = underway.without([name for name in underway.unit_id if name not in names])
        visits = advance(job.areas, own, laid.unit_ids, laid.patrol_ids, mine, job.settings)
        spent("visits")
    if "near" in wanted:
        rows = reports(job, laid.span)
        lon, lat, moment = (getattr(job.reports, name)[rows] for name in ("lon", "lat", "time"))
        near = nearest(lon, lat, moment, patrols, laid.unit_ids, job.settings)
        spent("near")
    return Part(looked, seen, visits, near, seconds)


def together(parts: Sequence[Part], laid: Laid, job: Job, moored: Moored, underway: Underway) -> dict[str, Arrays]:
    """What parts of a block's units gave, by kind of work, as plain arrays."""
    looked = [part.looked for part in parts if part.looked is not None]
    seen = Seen.joined([part.seen for part in parts if part.seen is not None])
    visits = [part.visits for part in parts if part.visits is not None]
    near = [part.near for part in parts if part.near is not None]
    given = {}
    if looked:
        given["effort"] = packed_looked(looked, seen, moored, laid.unit_ids)
    if visits:
        given["visits"] = packed_visits(visits, underway)
    if near:
        given["near"] = packed_near(near, laid, job)
    return given


# --- as plain arrays --------------------------------------------------------------------------------------------------


def packed_looked(parts: Sequence[tuple[Looked, Moored]], seen: Seen, before: Moored, units: Sequence[str]) -> Arrays:
    """What parts of a block's units gave, what there is in it, and the stays that go on, also of units that are not among
    those of the block: they may be those of another part of its days."""
    there = set(units)
    others = np.array([name not in there for name in before.unit_id], dtype=bool)
    states = [Moored(before.unit_id[others], before.time[others], before.place[others]), *(after for _, after in parts)]
    names = np.concatenate([state.unit_id for state in states])
    order = np.argsort(names.astype(str), kind="stable")
    together = {name: np.concatenate([getattr(state, name) for state in states])[order]
                for name in ("unit_id", "time", "place")}  # fmt: skip
    arrays = {f"moored.{name}": array for name, array in together.items()}
    arrays |= {f"seen.{name}": array for name, array in vars(seen).items()}
    looked = Looked.joined([one for one, _ in parts])
    return arrays | {f"looked.{name}": array for name, array in looked.arrays().items()}


def packed_visits(parts: Sequence[tuple[Visits, Underway]], before: Underway) -> Arrays:
    """Visits that parts of a block's units gave, and what goes on after it, of these and of all other units."""
    names = {name for _, after in parts for name in after.unit_id}
    after = Underway.joined([before.without(names), *(after for _, after in parts)])
    visits = Visits.joined([visits for visits, _ in parts])
    return {f"visits.{name}": array for name, array in visits.arrays().items()} | {
        f"underway.{name}": array for name, array in after.arrays().items()
    }


def packed_near(parts: Sequence[Near], laid: Laid, job: Job) -> Arrays:
    """Who was near the `reports` of a block's time by parts of its units, as `Near` has it."""
    found = Near.nobody(len(reports(job, laid.span)))
    for one in parts:
        found = found.joined(one)
    return found.arrays()


def part_of(arrays: Arrays, prefix: str) -> dict[str, np.ndarray]:
    """The arrays whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def stays(arrays: Arrays) -> Moored:
    """The stays that go on after a block, of what it gave of effort."""
    return Moored.from_arrays(part_of(arrays, "moored."))


def visits_underway(arrays: Arrays) -> Underway:
    """The visits that go on after a block, of what it gave of visits."""
    return Underway.from_arrays(part_of(arrays, "underway."))


@dataclass
class Found:
    """What all blocks gave, in any order: effort and visits packed, a tenth of the memory, until they are asked for.

    `near` is for reports by place; span: first and last moment of all fixes.
    """

    effort: list[Content] | Aside = field(default_factory=list)
    visited: list[Content] | Aside = field(default_factory=list)
    nears: list[tuple[np.ndarray, Near]] = field(default_factory=list)

    def add_near(self, rows: np.ndarray, arrays: Arrays) -> None:
        """Adds what `packed_near` gave of the reports with the places `rows`."""
        self.nears.append((rows, Near(**arrays)))

    @property
    def looked(self) -> Iterator[Looked]:
        """Effort, one block after the other."""
        for content in self.effort:
            yield Looked.from_arrays(part_of(of_bytes(content, "looked."), "looked."))

    @property
    def visits(self) -> Iterator[Visits]:
        """Visits that ended, one block after the other."""
        for content in self.visited:
            yield Visits.from_arrays(part_of(of_bytes(content, "visits."), "visits."))

    @cached_property
    def seen(self) -> Seen:
        """What there is in all blocks."""
        return Seen.joined([Seen(**part_of(of_bytes(content, "seen."), "seen.")) for content in self.effort])

    @property
    def positions(self) -> int:
        """How many fixes there are."""
        return int(self.seen.counts[0])

    @property
    def unlocated(self) -> int:
        """How many of them lie on no reach."""
        return int(self.seen.counts[1])

    @property
    def span(self) -> tuple[int, int] | None:
        """First and last moment, ms UTC, or None without fixes."""
        first, last = self.seen.ends.tolist()
        return (first, last) if self.positions else None

    @property
    def kinds(self) -> pa.Table:
        """Every unit_id, patrol_id, platform and role that occur together."""
        columns = self._kinds().T
        return pa.table({name: pa.array(column, pa.string()) for name, column in zip(KINDS, columns, strict=True)})

    def _kinds(self) -> np.ndarray:
        """The same, (m, 4)."""
        held = {tuple(row) for row in self.seen.kinds.tolist()}
        rows = sorted(held, key=lambda row: tuple("" if value is None else value for value in row))
        return np.array(rows, dtype=object).reshape(-1, len(KINDS))

    def joined(self, other: Found) -> Found:
        """This and what other blocks gave."""
        return Found([*self.effort, *other.effort], [*self.visited, *other.visited], self.nears + other.nears)

    def together(self) -> Arrays:
        """Effort and visits of all blocks as if one had given them, but for what goes on."""
        looked, visits = Looked.joined(self.looked), Visits.joined(self.visits)
        seen = replace(self.seen, kinds=self._kinds())
        parts = {"looked": looked.arrays(), "seen": vars(seen), "visits": visits.arrays()}
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    def near(self, reports: int) -> Near:
        """Who was near each of `reports` reports."""
        found = Near.nobody(reports)
        for rows, one in self.nears:
            wide = Near.nobody(reports)
            for name, array in one.arrays().items():
                getattr(wide, name)[rows] = array
            found = found.joined(wide)
        return found


# --- what a block's results depend on ---------------------------------------------------------------------------------


class Keys:
    """Hashes of all that what a block gives depends on."""

    def __init__(self, job: Job, plan: Plan) -> None:
        self.job, self.plan = job, plan
        self._always = digest(VERSION, vars(job.settings), job.network.digest, job.platforms)

    def effort(self, number: int, moored: Moored) -> str:
        """Of effort, with what goes on before it."""
        return digest(self._always, self._files(number), self._watched(number), of_arrays(moored.arrays()))

    def visits(self, number: int, underway: Underway) -> str:
        """Of zone visits, with what goes on before them."""
        told = self._files(number, halo=False), self.law(number), of_arrays(underway.arrays())
        return digest(VERSION, vars(self.job.settings), *told)

    def near(self, number: int) -> str:
        """Of who was near the reports of its time."""
        return digest(VERSION, vars(self.job.settings), self._files(number), *self._told(number))

    def reports(self, number: int) -> np.ndarray:
        """Places of the reports of its time."""
        return reports(self.job, self.plan.blocks[number].span)

    def earlier(self, blocks: int) -> str:
        """Of all that the first `blocks` give."""
        return digest(self._chained[blocks - 1], self.law(blocks - 1))

    @cached_property
    def _chained(self) -> list[str]:
        """Of all that up to and with each block gives, but for the zones: `law`."""
        found, told = [], digest(self._always)
        for number in range(len(self.plan.blocks)):
            told = digest(told, self._files(number), self._watched(number), *self._told(number))
            found.append(told)
        return found

    def law(self, number: int) -> str:
        """Of the zones that visits up to the end of a block depend on."""
        return self.job.areas.until(self.plan.blocks[number].span.end)

    def _watched(self, number: int) -> list[str] | None:
        watched = self.job.watched(self.plan.blocks[number].span)
        return None if watched is None else sorted(watched)

    def _told(self, number: int) -> list[np.ndarray]:
        rows = self.reports(number)
        return [getattr(self.job.reports, name)[rows] for name in ("time", "lon", "lat")]

    def _files(self, number: int, halo: bool = True) -> list[Any]:
        block, own = self.plan.blocks[number], self.plan.blocks[number].span
        wide = self.job.halo_ms if halo else 0
        start, end = max(own.start - wide, self.plan.span.start), min(own.end + wide, self.plan.span.end)
        sides = [block.before, block.parts, block.after] if halo else [block.parts]
        names = [sorted(f"{part.path.parent.name}/{name}" for part in one for name in part.receipts) for one in sides]
        return [block.first, block.last, block.low, block.high, start, end, names]


def tracks(job: Job, plan: Plan) -> Iterator[tuple[Chunk, Sequence[str]]]:
    """The located fixes of every block, in time order, without halo; with the text of their units."""
    reader = Reader(plan.span, 0)
    for block in plan.blocks:
        laid = Laid.of(reader.rows(block), block, job.platforms)
        chunk = laid.chunk.where((laid.chunk.time >= laid.span.start) & (laid.chunk.time < laid.span.end))
        yield located(chunk, job)[0], laid.unit_ids
