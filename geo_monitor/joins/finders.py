"""Finders: with what, and by day or by night, each seizure was found.

In: `seizures`, their `seizure_links`, the positions, the patrols reported in words. Out: a platform and day or night per
seizure; cases by reach, platform, day and night, as `hotspots.exposure` asks for. Rules: `docs/methods-effort.md`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from geo_monitor.settings import Settings
from geo_monitor.tables import PLATFORMS
from geo_monitor.tracks import milliseconds, night_ms

if TYPE_CHECKING:
    import pandas as pd

UNKNOWN = -1


@dataclass(frozen=True)
class Found:
    """Per seizure (m,): `platform`, a place in `tables.PLATFORMS` or `UNKNOWN`; `night`, whether it was found at night."""

    platform: np.ndarray
    night: np.ndarray

    def counts(self, links: pd.DataFrame, network: Any) -> np.ndarray:
        """Cases in the rate whose finder is known (n reaches, platforms, 2): by day, by night."""
        import pandas as pd

        use = (links["use"] == "rate").to_numpy() & (self.platform != UNKNOWN)
        reach = pd.Index(network.reaches["reach_id"].to_numpy()).get_indexer(pd.Index(links["reach_id"][use]))
        cases = np.zeros((len(network.reaches), len(PLATFORMS), 2), dtype=np.int64)
        np.add.at(cases, (reach, self.platform[use], self.night[use].astype(np.int64)), 1)
        return cases


def found_by(
    seizures: pd.DataFrame,
    links: pd.DataFrame,
    fixes: pa.Table,
    reported: pd.DataFrame | None = None,
    settings: Settings | None = None,
) -> Found:
    """Who found each row of `seizures` (m); `links` row by row beside it.

    The platform is that of the patrol the report names, by its fixes or its report in words; else that of the nearest
    unit, if that was within `there_m`. A patrol or unit of two platforms tells nothing.
    """
    settings = settings or Settings()
    of_patrol, of_unit = _platforms(fixes, reported)
    by_patrol = _looked_up(seizures["patrol_id"] if "patrol_id" in seizures else [None] * len(seizures), of_patrol)
    near = links["nearest_unit_m"].to_numpy(dtype=float, na_value=np.nan) <= settings.there_m
    by_unit = np.where(near, _looked_up(links["nearest_unit_id"], of_unit), UNKNOWN)
    time = milliseconds(seizures["time"]) if len(seizures) else np.empty(0, np.int64)
    return Found(np.where(by_patrol != UNKNOWN, by_patrol, by_unit), night_ms(time, time + 1, settings) > 0)


def _platforms(fixes: pa.Table, reported: pd.DataFrame | None) -> tuple[dict[str, int], dict[str, int]]:
    """Platform of each patrol and of each unit that has one; without any it is a boat, as everywhere."""
    names = [name for name in ("unit_id", "patrol_id", "platform", "role") if name in fixes.column_names]
    kinds = fixes.select(names).unify_dictionaries().group_by(names).aggregate([]).to_pylist()
    patrols: dict[str, set[str]] = {}
    units: dict[str, set[str]] = {}
    for kind in kinds:
        if kind.get("role", "patrol") == "patrol":
            platform = kind.get("platform") or "boat"
            units.setdefault(kind["unit_id"], set()).add(platform)
            if kind.get("patrol_id") is not None:
                patrols.setdefault(kind["patrol_id"], set()).add(platform)
    if reported is not None:
        platform_of = reported["platform"] if "platform" in reported else ["boat"] * len(reported)
        for patrol_id, platform in zip(reported["patrol_id"], platform_of, strict=True):
            patrols.setdefault(patrol_id, set()).add(platform if isinstance(platform, str) else "boat")
    return _single(patrols), _single(units)


def _single(kinds: dict[str, set[str]]) -> dict[str, int]:
    return {name: PLATFORMS.index(next(iter(kind))) for name, kind in kinds.items() if len(kind) == 1}


def _looked_up(names: Any, platform: dict[str, int]) -> np.ndarray:
    return np.array([platform.get(name, UNKNOWN) if isinstance(name, str) else UNKNOWN for name in names], np.int64)
