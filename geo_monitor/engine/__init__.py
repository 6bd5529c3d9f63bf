"""The main job over any number of positions: one block of days after the other, the same work here and on a cluster.

`rivers` gives the river, `blocks` cuts what is held into blocks, `work` says what one block gives, `kept` keeps that,
`local` runs blocks on this machine, `spark` on a cluster. Every engine gives the same tables to the last bit.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geo_monitor.errors import Usage

if TYPE_CHECKING:
    from geo_monitor.engine.blocks import Plan
    from geo_monitor.engine.local import Ahead
    from geo_monitor.engine.work import Found, Job
    from geo_monitor.inputs import Inputs
    from geo_monitor.river import Network
    from geo_monitor.settings import Settings
    from geo_monitor.stages import Stages

ENGINES = ("local", "spark")


def river(inputs: Inputs, settings: Settings, root: Path) -> Network:
    """The river of a run: `rivers.network`."""
    from geo_monitor.engine import rivers

    return rivers.network(inputs.river, settings, root)


def ahead(engine: str, inputs: Inputs, settings: Settings, root: Path) -> Ahead | None:
    """What begins to read positions before their river is there, where the engine reads them itself: for `run`."""
    from geo_monitor.engine.local import Ahead

    return Ahead.begun(inputs.plan, inputs.platforms, settings, root) if engine == "local" else None


def run(engine: str, job: Job, plan: Plan, root: Path, stage: Stages, ahead: Ahead | None = None) -> Found:
    """What all blocks of `plan` give, by the engine of that name. Raises `Usage`: `engine_unknown`, `engine_missing`."""
    if engine == "local":
        from geo_monitor.engine import local

        return local.run(job, plan, root, stage, ahead)
    if engine == "spark":
        from geo_monitor.engine import spark

        return spark.run(job, plan, stage)
    raise Usage("engine_unknown", engine=engine, engines=[*ENGINES])
