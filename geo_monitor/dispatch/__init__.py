"""Who can be there first, and what became of those sent. Pure: arrays and frames in, frames out; no files, no clock."""

from __future__ import annotations

from geo_monitor.dispatch.candidates import candidates
from geo_monitor.dispatch.taskings import Result, Tasking, act, by_track, counts, due, no_unit, offer, overdue, table
from geo_monitor.dispatch.water import Conditions, Limit, Lock, Place, Waterway, Way, waterway

__all__ = [
    "Conditions",
    "Limit",
    "Lock",
    "Place",
    "Result",
    "Tasking",
    "Waterway",
    "Way",
    "act",
    "by_track",
    "candidates",
    "counts",
    "due",
    "no_unit",
    "offer",
    "overdue",
    "table",
    "waterway",
]
