"""The main job, from the tables in the store to the answer, as one page.

    store -> river -> locate, joins, effort (positions, block by block: `engine`) -> hotspots -> tables and summary

Every stage reads tables and gives tables; what a stage does stands in its own room.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Thread
from typing import TYPE_CHECKING, Any

from geo_monitor.inputs import Period, held, read
from geo_monitor.panel import panel
from geo_monitor.settings import Settings
from geo_monitor.stages import Stages, Tell, silent
from geo_monitor.summary import summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    import pyarrow as pa

    from geo_monitor.joins.areas import Areas
    from geo_monitor.store import Store

# rates and Gi* always; the others when asked for, `all` means every one. What each answers: `geo_monitor.answers`
METHODS = (
    "rates",
    "gistar",
    "emerging",
    "scan",
    "near_repeat",
    "reemergence",
    "displacement",
    "forecast",
    "why",
    "predictability",
)


@dataclass(frozen=True)
class Result:
    """Frames (of the largest, `effort`, the Arrow table) by table name, the summary (timings, counts, what was left out and
    why, notes), and the period looked at: it begins no earlier than the positions held."""

    tables: dict[str, pd.DataFrame | pa.Table]
    summary: dict[str, Any]
    period: Period


def analyse(
    store: Store,
    period: Period,
    settings: Settings | None = None,
    seed: int = 0,
    tell: Tell = silent,
    methods: Sequence[str] = ("rates", "gistar"),
    engine: str = "local",
) -> Result:
    """Runs the main job on what is in force, with the `methods` asked for. The same data and seed give the same tables,
    whatever the `engine` (`engine.ENGINES`) that goes over the positions. Raises as `inputs.held`."""
    from geo_monitor import answers, hotspots, joins
    from geo_monitor import effort as looking
    from geo_monitor import engine as engines
    from geo_monitor.engine import warm, work
    from geo_monitor.hotspots import exposure

    settings = settings or Settings()
    stage = Stages(tell)
    loading = Thread(target=warm.load)  # while the disk is read
    loading.start()

    def areas() -> Areas:
        loading.join()  # a function called before is loaded by numba alone, which takes longer than all of them
        return work.areas(inputs, settings)

    with stage("read"), store.reading():  # imports may end meanwhile: a run uses what was there at one moment
        period, begun = held(store, period)
        inputs = read(store, period, settings)
        inputs.notes += begun
    with stage("river"), ThreadPoolExecutor(1) as beside:  # the zones are made ready, and positions read, beside it
        ahead = engines.ahead(engine, inputs, settings, store.root)
        zones = beside.submit(areas)
        network = engines.river(inputs, settings, store.root)
        loading.join()
    with stage("locate"):
        places = joins.places(inputs.seizures, network)
        job = work.Job.of(inputs, network, zones.result(), places, settings)
        found = engines.run(engine, job, inputs.plan, store.root, stage, ahead)
    with stage("joins"):
        visits = joins.visits_table(found.visits, job.areas)
        near = found.near(len(inputs.seizures))
        links = joins.seizure_links(
            inputs.seizures, near, inputs.zones, network, settings, levels=inputs.levels, place=places
        )
        span = inputs.span(period, found.span)
        if span is not None:
            inputs.notes += joins.level_gaps(inputs.zones, inputs.levels, *span, settings)
    with stage("effort"):
        looked = looking.sum_up(found.looked, network, settings, inputs.reported)
    with stage("hotspots"):
        cases, unpatrolled, left_out = joins.seizure_counts(links, network)
        finders = joins.found_by(inputs.seizures, links, found.kinds, inputs.reported, settings)
        weighed = exposure.weights(looked.hours, finders.counts(links, network), exposure.stated(settings), settings)
        hot, known = hotspots.table(
            network.reaches,
            cases,
            unpatrolled,
            looked.hours,
            network.within(settings.band_m),
            looked.last_look,
            settings,
            seed,
            network.adjacency,
            weighed.per_hour,
        )
        leaning = hotspots.habit(hot["seizures"], hot["exposure_h"], settings)
        inputs.notes += joins.beyond_hours(inputs.seizures, links, looked.days)

    tables: dict[str, Any] = {
        "reaches": network.reaches,
        "links": network.links,
        "locating": network.reaches[["reach_id"]].assign(tolerance_m=network.tolerance_m),
        "zone_visits": visits,
        "seizure_links": links,
        "effort": looked.table,
        "effort_gaps": looked.gaps,
        "patrols": looked.patrols,
        "hotspots": hot,
    }
    told = summary(inputs, network, found, looked, hot, weighed, leaning, left_out, stage.timings)
    if set(methods) <= {"rates", "gistar"}:
        return Result(tables, told, period)
    days = panel(looked.total, links, inputs.seizures, network, period, weighed.per_hour)
    ground = answers.Ground(days, network, settings, seed)
    if "emerging" in methods:
        with stage("emerging"):
            hot["class"] = answers.classes(ground)
    if "scan" in methods:
        with stage("scan"):
            tables["clusters"] = answers.clusters(ground)
    if "near_repeat" in methods:
        with stage("near_repeat"):
            tables["near_repeat"], told["near_repeat"] = answers.near_repeat(ground)
    if "reemergence" in methods:
        with stage("reemergence"):
            tables["reemergence"], tables["relapse_curve"] = answers.reemergence(ground, inputs.seizures)
    if "displacement" in methods:
        with stage("displacement"):
            tables["displacement"] = answers.displacement(ground)
    if "forecast" in methods:
        with stage("forecast"):
            tables["forecast"] = answers.forecast(ground)
    if "why" in methods:
        with stage("why"):
            tables["why"] = answers.why(ground, hot, known, leaning)
    if "predictability" in methods:
        with stage("predictability"):
            tables["predictability"] = answers.predictability(ground, looked.patrols, work.tracks(job, inputs.plan))
    return Result(tables, told, period)
