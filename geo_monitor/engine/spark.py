"""The main job over positions on a Spark cluster: the same blocks and the same functions as on this machine.

Positions are read by Spark, sent to lanes by unit, sorted by days, unit and time, and worked on in Python processes that
see Arrow batches (`mapInArrow`); river, zones and settings go to each as one broadcast. No spatial library runs in Java.
A lane is a stream: it holds the days at hand and those on both sides, whatever the size of the whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass

MASTER = "GEO_MONITOR_SPARK_MASTER"  # such as spark://host:7077; without it, a session that is there, or this machine
