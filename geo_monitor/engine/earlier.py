"""What all blocks but the last gave, kept as one: a new day in a year then costs a day, and not to read what all others gave.

In: the keys of blocks, and what they gave. Out: `derived/earlier/all/<key>.arrow`. The key is a hash of all that the
blocks up to there depend on; what goes on after them follows from that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import numpy as np

from geo_monitor.effort import Moored
from geo_monitor.engine import work
from geo_monitor.engine.kept import Arrays, Kept, of_bytes, to_bytes
from geo_monitor.engine.work import Found
from geo_monitor.joins.visits import Underway

if TYPE_CHECKING:
    from geo_monitor.engine.work import Keys

DAYS = 32  # days of blocks that are read one by one before what is kept as one is made anew
NAME = "all"


@dataclass(frozen=True)
class Earlier:
    """What the first `blocks` of a plan gave, and what goes on after them."""

    blocks: int = 0
    found: Found = field(default_factory=Found)
    moored: Moored = field(default_factory=Moored.nowhere)
    underway: Underway = field(default_factory=Underway.nobody)

    @classmethod
    def held(cls, keys: Keys, kept: Kept) -> Self:
        """The most that is kept of the blocks of these keys; nothing if nothing is."""
        if not kept.any(NAME):
            return cls()
        for blocks in range(settled(keys), 0, -1):
            content = kept.packed(NAME, keys.earlier(blocks))
            if content is not None:
                found = Found([content], [content])
                found.add_near(_reports(keys, blocks), work.part_of(of_bytes(content, "near."), "near."))
                going_on = of_bytes(content, "moored."), of_bytes(content, "underway.")
                return cls(blocks, found, work.stays(going_on[0]), work.visits_underway(going_on[1]))
        return cls()

    def keep(self, keys: Keys, kept: Kept) -> Found:
        """Keeps this; gives what was found, as one."""
        rows = _reports(keys, self.blocks)
        near = self.found.near(len(keys.job.reports.time)).arrays()
        arrays: Arrays = {
            **self.found.together(),
            **{f"moored.{name}": array for name, array in self.moored.arrays().items()},
            **{f"underway.{name}": array for name, array in self.underway.arrays().items()},
            **{f"near.{name}": array[rows] for name, array in near.items()},
        }
        content = to_bytes(arrays, compression=None)
        kept.put_packed(NAME, keys.earlier(self.blocks), content)
        return Found([content], [content], self.found.nears)


def settled(keys: Keys) -> int:
    """How many blocks a new day leaves as they are: it falls into the last one's, or begins one beside it."""
    blocks = keys.plan.blocks
    return sum(block.last < blocks[-1].first for block in blocks)


def due(keys: Keys, since: int) -> bool:
    """Whether it pays to keep all settled blocks as one, where the first `since` are."""
    blocks = keys.plan.blocks[since : settled(keys)]
    return bool(blocks) and blocks[-1].last - blocks[0].first >= DAYS


def _reports(keys: Keys, blocks: int) -> np.ndarray:
    """Places of the reports of the first blocks' time, in the order of the blocks."""
    spans = dict.fromkeys(block.span for block in keys.plan.blocks[:blocks])
    return np.concatenate([np.empty(0, np.int64), *(work.reports(keys.job, span) for span in spans)])
