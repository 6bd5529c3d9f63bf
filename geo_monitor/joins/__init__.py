"""Joins: who was inside which zone; for each seizure where it lies, what law held and who was near."""

from __future__ import annotations

from geo_monitor.joins.seizures import seizure_counts, seizure_links
from geo_monitor.joins.visits import zone_visits

__all__ = ["seizure_counts", "seizure_links", "zone_visits"]
