"""Joins: who was inside which zone; for each seizure where it lies, what law held, who was near and who
found it."""

from __future__ import annotations

from geo_monitor.joins.finders import found_by
from geo_monitor.joins.nearest import nearest
from geo_monitor.joins.seizures import Places, beyond_hours, places, seizure_counts, seizure_links
from geo_monitor.joins.visits import visits_table, zone_visits
from geo_monitor.joins.zones import level_gaps

__all__ = [
    "Places",
    "beyond_hours",
    "found_by",
    "level_gaps",
    "nearest",
    "places",
    "seizure_counts",
    "seizure_links",
    "visits_table",
    "zone_visits",
]
