"""Worlds with a known truth, written as agencies send their data.

| file | holds |
|---|---|
| `made_up_river.py` | raw centre lines of a river that does not exist |
| `water.py` | a network as courses to move along |
| `risk.py` | the true rate of every reach, by hour and season |
| `movement.py`, `reported.py` | patrols with GPS, and those that only a report tells of |
| `planted.py` | what is planted: where and when the rate changes, where patrols are sent, where they never go |
| `rounds.py` | boats sent to a stretch: regular rounds, operations |
| `repeats.py` | near repeats: a case raises the risk around it |
| `looking.py` | fixes, and the time truly looked |
| `cases.py`, `zones.py` | seizures, ban zones |
| `worlds.py` | all of it together: `world(network, seed) -> World` |
| `files.py`, `formats.py` | `write(world, folder)`: agency files with the truth beside them |
| `score.py` | results against the truth |
"""

from __future__ import annotations

from geo_monitor.simulate.files import AgencyFile, make, write
from geo_monitor.simulate.made_up_river import river
from geo_monitor.simulate.planted import PLANTS, Plant
from geo_monitor.simulate.score import score
from geo_monitor.simulate.worlds import World, world

__all__ = ["PLANTS", "AgencyFile", "Plant", "World", "make", "river", "score", "world", "write"]
