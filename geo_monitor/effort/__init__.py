"""Effort: how long somebody looked, per reach, day and platform; from tracks, and from patrols reported in words."""

from __future__ import annotations

from geo_monitor.effort.look import Looked, Moored, halo_ms, look, sum_up
from geo_monitor.effort.looked import Effort, effort

__all__ = ["Effort", "Looked", "Moored", "effort", "halo_ms", "look", "sum_up"]
