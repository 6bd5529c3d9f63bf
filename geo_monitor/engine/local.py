"""The main job over positions on this machine: blocks in time order, each worked on by threads that take its units.

The next block is read while this one is worked on, and no more than that, so memory does not grow with the data. What a
block gave is kept (`kept`) under a hash of all it depends on: of a year only the days that are new, or that a change
touches, are worked on again.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np
import pyarrow as pa

from geo_monitor.engine import work
from geo_monitor.engine.blocks import Plan, Reader
from geo_monitor.engine.kept import Arrays, Kept
from geo_monitor.engine.work import Found, Job, Laid
from geo_monitor.tracks import Chunk

if TYPE_CHECKING:
    from geo_monitor.stages import Stages

T = TypeVar("T")
THREADS = min(os.cpu_count() or 1, 8)
LET_GO = 8  # blocks after which unused memory is given back: each time it has to be asked for anew, which takes a while
PART_ROWS = 350_000  # fixes a thread works on at once: some 100 bytes each for a while


def run(job: Job, plan: Plan, root: Path, stage: Stages) -> Found:
    """Goes over all blocks of `plan`; what they give is kept below `root`. The clock of `stage` is told how much of the
    stage under way (reading and locating) went to joins and to effort."""
    from geo_monitor.effort import Moored
    from geo_monitor.joins.visits import Underway

    found = Found()
    for name in ("joins", "effort"):
        stage.spent(name, 0.0)
    moored, underway = Moored.nowhere(), Underway.nobody()
    keep = {what: Kept(root, what) for what in ("effort", "visits", "near")}
    keys = work.Keys(job, plan)
    with _Hands(job, plan, stage) as hands:

        def given(what: str, number: int, key: str, do: Callable[[], Arrays]) -> Arrays:
            name = plan.blocks[number].name
            held = keep[what].get(name, key)
            if held is not None:
                return held
            hands.take(number)
            began = time.perf_counter()
            arrays = do()
            keep[what].put(name, key, arrays)
            hands.spent(what, time.perf_counter() - began)
            return arrays

        for number in range(len(plan.blocks)):
            looking, visiting = partial(hands.looked, moored), partial(hands.visited, underway)
            moored = found.add_looked(given("effort", number, keys.effort(number, moored), looking))
            underway = found.add_visits(given("visits", number, keys.visits(number, underway), visiting))
            if len(keys.reports(number)):
                found.add_near(given("near", number, keys.near(number), hands.near))
            stage.done((number + 1) / len(plan.blocks))
            if number % LET_GO == LET_GO - 1:
                _let_go()
    found.visits.append(underway.finished(job.areas, job.settings))
    return found


def _let_go() -> None:
    """Gives what blocks before have left unused back to the system, so that memory does not grow with their number."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        with suppress(AttributeError):  # a C library without it gives back by itself
            ctypes.CDLL(None).malloc_trim(0)


class _Hands:
    """Reads blocks, and does with the one at hand what is asked, in threads."""

    def __init__(self, job: Job, plan: Plan, stage: Stages) -> None:
        self.job, self.plan, self.stage = job, plan, stage
        self.reader = Reader(plan.span, job.halo_ms)
        self.pool = ThreadPoolExecutor(THREADS)
        self.ahead = ThreadPoolExecutor(1)
        self.next: tuple[int, Future[Laid]] | None = None
        self.at = -1
        self.laid = Laid.nothing()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.pool.shutdown(cancel_futures=True)
        self.ahead.shutdown(cancel_futures=True)

    def spent(self, what: str, seconds: float) -> None:
        """Tells the clock: near and visits are joins."""
        self.stage.spent("effort" if what == "effort" else "joins", seconds)
        self.stage.spent("locate", -seconds)

    def take(self, number: int) -> None:
        """Makes a block the one at hand, located. The next one is read meanwhile."""
        if self.at == number:
            return
        blocks = self.plan.blocks
        ready = self.next[1].result() if self.next is not None else None  # there is one reader
        laid = ready if ready is not None and self.next is not None and self.next[0] == number else self.read(number)
        self.next = None
        if number + 1 < len(blocks):
            self.next = number + 1, self.ahead.submit(self.read, number + 1)
        parts = self.each(laid.chunk, lambda chunk: work.located(chunk, self.job.network))
        self.laid = laid.located(*(np.concatenate([part[i] for part in parts]) for i in range(2)))
        self.at = number

    def read(self, number: int) -> Laid:
        """A block's fixes in order, not yet located."""
        block = self.plan.blocks[number]
        return Laid.of(self.reader.rows(block), block, self.job)

    def each(self, chunk: Chunk, do: Callable[[Chunk], T]) -> list[T]:
        """`do` for parts of a chunk, of whole units."""
        return list(self.pool.map(do, chunk.parts(max(THREADS, -(-len(chunk) // PART_ROWS)))))

    @property
    def patrols(self) -> Chunk:
        """The fixes of patrols, with the halo."""
        return self.laid.chunk.where(self.laid.chunk.patrolling)

    def looked(self, moored: work.Moored) -> Arrays:
        parts = self.each(self.patrols, lambda chunk: work.looked(self.laid, chunk, self.job, moored))
        return work.packed_looked(parts, work.seen(self.laid), moored, self.laid.unit_ids)

    def visited(self, underway: work.Underway) -> Arrays:
        own = self.laid.chunk.where(self.laid.own)
        parts = self.each(own, lambda chunk: work.visited(self.laid, chunk, self.job, underway))
        return work.packed_visits(parts, underway)

    def near(self) -> Arrays:
        parts = self.each(self.patrols, lambda chunk: work.near(self.laid, chunk, self.job))
        return work.packed_near(parts, self.laid, self.job)
