"""The demonstration: the real river, simulated patrols and reports, through the ordinary door, analysed.

In: a seed. Out: agency files with the truth beside them, and a workspace marked as simulated.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from geo_monitor.errors import GeoMonitorError, Refused
from geo_monitor.stages import Tell, silent
from geo_monitor.workspace import Run, Workspace

if TYPE_CHECKING:
    from geo_monitor.simulate import World
    from geo_monitor.simulate.files import AgencyFile

# cases per hour of looking, mean over the reaches: half a year of 24 units is then enough to tell some reaches as hot
MEAN_RATE = 0.15


def write_world(
    folder: Path, seed: int, real: bool, days: int | None, units: int, tell: Tell = silent, plant: str | None = None
) -> tuple[World, list[AgencyFile]]:
    """Writes a simulated world into `folder`, on the shipped Yangtze if `real`, else on a made-up river.

    `days`: default 90, or as many as the `plant` needs. Gives the world and its files in the order to import them.
    Raises `Refused("simulate_folder")` where `folder` holds anything.
    """
    from geo_monitor.simulate import files

    tell("simulate", 0.0)
    if not real:
        made = files.make(seed, folder, days=days, units=units, plant=plant)
        tell("simulate", 1.0)
        return made
    from geo_monitor.river import build, shipped
    from geo_monitor.settings import Settings
    from geo_monitor.simulate import world

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused("simulate_folder", folder=str(folder))
    settings = Settings()
    lines, lakes, marks = shipped(settings)
    network = build(lines, lakes, marks, reach_length_m=settings.reach_length_m, settings=settings)
    tell("simulate", 0.5)
    if plant is None:
        days = files.DAYS if days is None else days
        there = world(network, seed, days=days, units=units, mean_rate=MEAN_RATE, lines=lines)
    else:
        there = world(network, seed, days=days, units=units, lines=lines, plant=plant)
    tell("simulate", 0.8)
    uploads = files.write(there, folder)
    tell("simulate", 1.0)
    return there, uploads


def build(root: Path, seed: int, days: int, units: int, tell: Tell = silent) -> Run:
    """Makes (or opens) the demonstration workspace in `root`, analyses it, and plays a night on it.

    The same seed again imports nothing twice. Raises `Refused("demo_in_real_workspace")` where `root` already holds
    uploads that are not simulated, `GeoMonitorError("demo_refused")` if the door refuses what the simulation wrote.
    """
    workspace = Workspace.create(root)
    if not workspace.simulated and len(workspace.store.book("receipts")):
        raise Refused("demo_in_real_workspace", root=str(root))
    workspace.mark_simulated()
    from geo_monitor.cli import night
    from geo_monitor.simulate import nights

    with tempfile.TemporaryDirectory() as made:
        world, uploads = write_world(Path(made) / "world", seed, True, days, units, tell)
        # the river is the shipped one and is read as such: as an upload it would pass for an agency's own
        sent = [(upload.kind, upload.path, upload.agency) for upload in uploads if upload.kind != "river"]
        network = night.water(world.lines)
        zones = nights.zones(network, seed)
        drawn = Path(made) / "night-zones.geojson"
        zones.drop(columns="receipt_id").dropna(axis=1, how="all").to_file(drawn, driver="GeoJSON")
        sent.append(("zones", drawn, night.AGENCY))
        for number, (kind, path, agency) in enumerate(sent):
            tell("import", number / len(sent))
            receipt = workspace.import_file(kind, path, agency=agency)
            if receipt.status == "rejected":
                detail = ", ".join(error.code for error in receipt.errors)
                raise GeoMonitorError("demo_refused", file=path.name, detail=detail)
        tell("import", 1.0)
    run = workspace.analyse(seed=seed, tell=tell)
    if workspace.desk.replayed_to is None:
        night.replay(workspace, network, zones, seed, tell)
    return run
