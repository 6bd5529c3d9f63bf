"""What detectors and warnings need to know of the water, the law and the last analysis, read from the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from geo_monitor.inputs import Period, read
from geo_monitor.store import revisions

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geo_monitor.events.rule import Rule
    from geo_monitor.river import Network
    from geo_monitor.settings import Settings
    from geo_monitor.store import Store


@dataclass(frozen=True)
class Ground:
    """mark: changes with everything this was read from. `rules`: those in force, `rows` of table `rules` of the same.
    adcodes: reach -> localities on its banks."""

    mark: str
    network: Network
    zones: gpd.GeoDataFrame
    levels: pd.DataFrame
    rules: Sequence[Rule]
    rows: Sequence[dict[str, Any]]
    adcodes: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, store: Store, settings: Settings) -> Ground:
        """As it is in the store now; the river is built once and kept."""
        from geo_monitor import engine
        from geo_monitor.alerts import rules

        with store.reading():
            mark = mark_of(store)
            inputs = read(store, Period(start=datetime.now(UTC)), settings)
            rows = [row for row in revisions.rows(store, "rules") if row["state"] == "in_force"]
        network = engine.river(inputs, settings, store.root)
        banks = network.reaches[["reach_id", "adcode_left", "adcode_right"]]
        adcodes = {
            str(reach): tuple(dict.fromkeys(code for code in codes if isinstance(code, str) and code))
            for reach, *codes in banks.itertuples(index=False)
        }
        return cls(mark, network, inputs.zones, inputs.levels, [rules.rule_of(row) for row in rows], rows, adcodes)


def mark_of(store: Store) -> str:
    """Changes when zones, water, units or rules change, an analysis ends, or an upload is withdrawn."""
    return f"{store.mark(tracks=False)}|{revisions.mark(store, 'rules')}"


_kept: dict[str, Ground] = {}


def shared(store: Store, settings: Settings) -> Ground:
    """The ground of a workspace as it is now, kept in memory while nothing changes."""
    key = str(store.root.resolve())
    held = _kept.get(key)
    if held is None or held.mark != mark_of(store):
        held = _kept[key] = Ground.of(store, settings)
    return held
