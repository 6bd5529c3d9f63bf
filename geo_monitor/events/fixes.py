"""Fixes as detectors take them: plain arrays, any units, any order.

In: table `positions`. Out: `Fixes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.tracks import Arrays, milliseconds

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Fixes(Arrays):
    """Fixes (n,): unit and platform as text (platform None: a boat), time ms UTC (int64), lon, lat WGS84 degrees, speed
    m/s and heading degrees from north (NaN: not told), patrolling: of role patrol, else of traffic."""

    unit: np.ndarray
    time: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    speed: np.ndarray
    heading: np.ndarray
    patrolling: np.ndarray
    platform: np.ndarray

    def __len__(self) -> int:
        return len(self.time)

    def __getitem__(self, rows: np.ndarray | slice) -> Fixes:
        """Some rows."""
        return Fixes(**{name: values[rows] for name, values in self.arrays().items()})

    @classmethod
    def of_table(cls, table: pa.Table) -> Fixes:
        """Of table `positions`; speed, heading, platform and role may be missing, no role is a patrol (as in effort)."""
        n = table.num_rows

        def text(name: str) -> np.ndarray:
            if name not in table.column_names:
                return np.full(n, None, dtype=object)
            return np.array(table[name].to_pylist(), dtype=object)

        def number(name: str) -> np.ndarray:
            if name not in table.column_names:
                return np.full(n, np.nan)
            return np.asarray(table[name].cast("float64").fill_null(np.nan), dtype=np.float64)

        role = text("role")
        patrolling = role == "patrol" if "role" in table.column_names else np.ones(n, dtype=bool)
        return cls(
            text("unit_id"), milliseconds(table["time"]), number("lon"), number("lat"), number("speed"),
            number("heading"), np.asarray(patrolling, dtype=bool), text("platform"),
        )  # fmt: skip

    @classmethod
    def joined(cls, parts: Sequence[Fixes]) -> Fixes:
        """One after the other."""
        text, number = np.empty(0, dtype=object), np.empty(0)
        none = cls(text, np.empty(0, np.int64), number, number, number, number, np.empty(0, bool), text)
        every = [none, *parts]
        return cls(**{name: np.concatenate([part.arrays()[name] for part in every]) for name in none.arrays()})
