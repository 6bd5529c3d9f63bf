"""Detectors: what boats do on the water that somebody should look at. Pure: fixes in, events out; no files, no clock."""

from geo_monitor.events.event import Event
from geo_monitor.events.fixes import Fixes
from geo_monitor.events.rule import Rule

__all__ = ["Event", "Fixes", "Rule"]
