"""The main job over positions on this machine: blocks in time order, each worked on by threads that take its units.

The next block is read while this one is worked on, and its fixes are located by threads that have nothing left to do;
no more than that, so memory does not grow with the data. What a block gave is kept (`kept`) under a hash of all it
depends on: of a year only the days that are new, or that a change touches, are worked on again.
"""

from __future__ import annotations

import ctypes
import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event
from types import TracebackType
from typing import TYPE_CHECKING, Self

import pyarrow as pa

from geo_monitor.effort import Moored
from geo_monitor.engine import work
from geo_monitor.engine.blocks import Plan, Reader
from geo_monitor.engine.earlier import Earlier, due, settled
from geo_monitor.engine.kept import Aside, Content, Kept, of_bytes, to_bytes
from geo_monitor.engine.work import Found, Job, Laid, Part
from geo_monitor.joins.visits import Underway
from geo_monitor.tracks import Chunk

if TYPE_CHECKING:
    from geo_monitor.settings import Settings
    from geo_monitor.stages import Stages

THREADS = min(os.cpu_count() or 1, 8)
# blocks after which unused memory is given back: each time it has to be asked for anew, which takes a while
GIVE_BACK = 8
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
HEAP = 1 << 29  # bytes: what is larger is not taken from the heap, nor is more left unused at its end
PART_ROWS = 150_000  # fixes a thread works on at once: some 100 bytes each for a while
# of a block: some units' fixes, and where they will be located
Parts = list[tuple[Chunk, "Future[tuple[Chunk, float]] | None"]]


class Ahead:
    """Reads the blocks of a plan in a thread of its own."""

    def __init__(self, plan: Plan, platforms: dict[str, str], settings: Settings) -> None:
        """platforms: as of a `work.Job`."""
        _one_heap()
        self.plan, self.platforms = plan, platforms
        self.reader = Reader(plan.span, work.halo(settings))
        self.thread = ThreadPoolExecutor(1)
        self.first: Future[Laid] | None = None

    @classmethod
    def begun(cls, plan: Plan, platforms: dict[str, str], settings: Settings, root: Path) -> Ahead:
        """With the first block, whose river and zones are not known yet, if none was ever worked on below `root`."""
        ahead = cls(plan, platforms, settings)
        if plan.blocks and not Kept(root, "effort").any():
            ahead.first = ahead.thread.submit(ahead.read, 0)
        return ahead

    def read(self, number: int) -> Laid:
        """A block's fixes in order."""
        block = self.plan.blocks[number]
        return Laid.of(self.reader.rows(block), block, self.platforms)


def run(job: Job, plan: Plan, root: Path, stage: Stages, ahead: Ahead | None = None) -> Found:
    """Goes over all blocks of `plan`; what they give is kept below `root`. The clock of `stage` is told how much of the
    stage under way (reading and locating) went to joins and to effort. ahead: of the same plan, where it has begun."""
    for name in ("joins", "effort"):
        stage.spent(name, 0.0)
    full = Event()
    keep = {what: Kept(root, what, full) for what in (*work.KINDS_OF_WORK, "earlier")}
    keys = work.Keys(job, plan)
    earlier = Earlier.held(keys, keep["earlier"])
    found, moored, underway = Found(Aside(root), Aside(root)), earlier.moored, earlier.underway
    till = settled(keys) if due(keys, earlier.blocks) else 0
    with _Hands(job, ahead or Ahead(plan, job.platforms, job.settings), stage) as hands:
        for number in range(earlier.blocks, len(plan.blocks)):
            if number == till > 0:
                earlier = Earlier(till, earlier.found.joined(found), moored, underway)
                found = Found(Aside(root), Aside(root))
            block = plan.blocks[number]
            wanted = {"effort": keys.effort(number, moored), "visits": keys.visits(number, underway)}
            if len(keys.reports(number)):
                wanted["near"] = keys.near(number)
            held = {what: keep[what].packed(block.name, key) for what, key in wanted.items()}
            given: dict[str, Content] = {what: part for what, part in held.items() if part is not None}
            missing = [what for what in wanted if what not in given]
            if missing:
                made = hands.work(number, missing, moored, underway)
                given |= made
                hands.keep([partial(keep[what].put_packed, block.name, wanted[what], made[what]) for what in missing])
            moored = work.stays(of_bytes(given["effort"], "moored."))
            underway = work.visits_underway(of_bytes(given["visits"], "underway."))
            found.effort.append(given["effort"])
            found.visited.append(given["visits"])
            if "near" in given:
                found.add_near(keys.reports(number), of_bytes(given["near"]))
            stage.done((number + 1) / len(plan.blocks))
            if number % GIVE_BACK == GIVE_BACK - 1:
                _give_back()
    _give_back()
    before = earlier.keep(keys, keep["earlier"]) if earlier.blocks == till > 0 else earlier.found
    ended = work.packed_visits([(underway.finished(job.areas, job.settings), Underway.nobody())], Underway.nobody())
    found.visited.append(to_bytes(ended))
    return before.joined(found)


def _one_heap() -> None:
    """Lets all threads, and Arrow too, take memory from one heap: what one has done with is there for the others, and less
    has to be asked of the system, which takes longer than to fill it."""
    pa.set_memory_pool(pa.system_memory_pool())
    if sys.platform == "linux":
        with suppress(AttributeError):  # a C library without it
            for setting, value in ((M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, HEAP), (M_TRIM_THRESHOLD, HEAP)):
                ctypes.CDLL(None).mallopt(setting, value)


def _give_back() -> None:
    """Gives what blocks before have left unused back to the system, so that memory does not grow with their number."""
    pa.default_memory_pool().release_unused()
    if sys.platform == "linux":
        with suppress(AttributeError):  # a C library without it gives back by itself
            ctypes.CDLL(None).malloc_trim(0)


class _Hands:
    """Reads blocks, and does with the one at hand what is asked, in threads."""

    def __init__(self, job: Job, ahead: Ahead, stage: Stages) -> None:
        self.job, self.ahead, self.stage = job, ahead, stage
        self.pool = ThreadPoolExecutor(THREADS)
        self.writer = ThreadPoolExecutor(1)
        self.next: tuple[int, Future[tuple[Laid, Parts]]] | None = None
        self.water: Future[object] | None = None
        self.keeping: list[Future[None]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.pool.shutdown(cancel_futures=True)
        self.ahead.thread.shutdown(cancel_futures=True)
        self.writer.shutdown()
        if error is None:
            self.keep([])

    def laid(self, number: int, locating: bool) -> tuple[Laid, Parts]:
        """A block's fixes in order, and in parts. The next one is read meanwhile."""
        ready = self.next[1].result() if self.next is not None else None  # there is one reader
        ahead = ready is not None and self.next is not None and self.next[0] == number
        laid, parts = ready if ahead and ready is not None else self.read(number, locating)
        self.next = None
        if number + 1 < len(self.ahead.plan.blocks):
            self.next = number + 1, self.ahead.thread.submit(self.read, number + 1, locating)
        return laid, parts

    def read(self, number: int, locating: bool) -> tuple[Laid, Parts]:
        """A block's fixes in order, and in parts, which threads locate once they have done what they were told before."""
        begun = self.ahead.first if number == 0 else None
        laid = self.ahead.read(number) if begun is None else begun.result()
        self.ahead.first = None
        # as many for one thread as for the other, or it would wait
        each = -(-len(laid.chunk) // (THREADS * PART_ROWS))
        chunks = laid.chunk.parts(THREADS * max(each, 1))
        return laid, [
            (chunk, self.pool.submit(work.located, chunk, self.job) if locating else None) for chunk in chunks
        ]

    def work(self, number: int, wanted: Sequence[str], moored: Moored, underway: Underway) -> dict[str, bytes]:
        """What of `work.KINDS_OF_WORK` is wanted of a block, packed, each thread with some units at a time; tells the
        clock."""
        if "effort" in wanted and self.water is None:  # made once, while the first block is read
            self.water = self.pool.submit(lambda: self.job.network.water)
        laid, parts = self.laid(number, "effort" in wanted)
        if self.water is not None:
            self.water.result()
        began, locating = time.perf_counter(), []

        def done(chunk: Chunk, ahead: Future[tuple[Chunk, float]] | None) -> Part:
            if "effort" in wanted:
                chunk, seconds = ahead.result() if ahead is not None else work.located(chunk, self.job)
                locating.append(seconds)
            return work.part(laid, chunk, self.job, wanted, moored, underway)

        made = list(self.pool.map(done, *zip(*parts, strict=True)))
        together = work.together(made, laid, self.job, moored, underway)
        given = {what: to_bytes(arrays) for what, arrays in together.items()}
        passed, every = time.perf_counter() - began, sum(locating) + sum(sum(part.seconds.values()) for part in made)
        for what, stage in (("effort", "effort"), ("visits", "joins"), ("near", "joins")):
            share = sum(part.seconds.get(what, 0.0) for part in made) / max(every, 1e-9)
            self.stage.spent(stage, passed * share)
            self.stage.spent("locate", -passed * share)
        return given

    def keep(self, puts: Sequence[Callable[[], None]]) -> None:
        """Keeps what a block gave while the next one is worked on, and no more than that one."""
        for ended in self.keeping:
            ended.result()
        self.keeping = [self.writer.submit(put) for put in puts]
