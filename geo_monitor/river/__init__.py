"""The river as space: a network from raw lines, reaches, chainage, distance by water, the kernel that locates."""

from __future__ import annotations

from geo_monitor.river.locate import chainage, locate, place
from geo_monitor.river.mask import with_mask
from geo_monitor.river.network import Network, build
from geo_monitor.river.shipped import shipped

__all__ = ["Network", "build", "chainage", "locate", "place", "shipped", "with_mask"]
