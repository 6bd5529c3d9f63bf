"""The main job, from the tables in the store to the answer, as one page.

    store -> river -> locate -> joins -> effort -> hotspots -> tables of one run and its summary

Every stage reads tables and gives tables; what a stage does stands in its own room.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geo_monitor.inputs import Period, read
from geo_monitor.settings import Settings
from geo_monitor.stages import Stages, Tell, located, silent, summary, with_masks
from geo_monitor.tables import PLATFORMS

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.store import Store

METHODS = ("rates", "gistar")  # what `analyse` runs; `all` means these


@dataclass(frozen=True)
class Result:
    """Frames by table name, and the summary: timings, counts, what was left out and why, notes."""

    tables: dict[str, pd.DataFrame]
    summary: dict[str, Any]


def analyse(
    store: Store,
    period: Period,
    settings: Settings | None = None,
    seed: int = 0,
    tell: Tell = silent,
) -> Result:
    """Runs the main job on what is in force. The same data and seed give the same tables."""
    from geo_monitor import effort as looking
    from geo_monitor import hotspots, joins, river

    settings = settings or Settings()
    stage = Stages(tell)

    with stage("read"):
        inputs = read(store, period, settings)
    with stage("river"):
        network = river.build(
            inputs.lines,
            inputs.lakes,
            inputs.marks,
            inputs.jurisdictions,
            reach_length_m=settings.reach_length_m,
            settings=settings,
        )
        network = with_masks(network, inputs.masks)
    with stage("locate"):
        where = located(inputs.fixes, network, stage)
    with stage("joins"):
        visits = joins.zone_visits(inputs.fixes, inputs.zones, settings)
        links = joins.seizure_links(inputs.seizures, inputs.fixes, inputs.zones, network, settings)
    with stage("effort"):
        looked = looking.effort(inputs.fixes, where, network, settings, inputs.reported)
        hours = looking.platform_hours(looked.effort, network)
    with stage("hotspots"):
        cases, unpatrolled, left_out = joins.seizure_counts(links, network)
        hot = hotspots.table(
            network.reaches,
            cases,
            unpatrolled,
            dict(zip(PLATFORMS, hours.T, strict=True)),
            network.within(settings.band_m),
            looked.last_look,
            settings,
            seed,
            network.adjacency,
        )

    tables = {
        "reaches": network.reaches,
        "links": network.links,
        "locating": network.reaches[["reach_id"]].assign(tolerance_m=network.tolerance_m),
        "zone_visits": visits,
        "seizure_links": links,
        "effort": looked.effort,
        "effort_gaps": looked.gaps,
        "patrols": looked.patrols,
        "hotspots": hot,
    }
    return Result(tables, summary(inputs, network, where, looked, hot, left_out, stage.timings))
