"""The command line `geo-monitor`."""

from __future__ import annotations

from geo_monitor.cli.commands import command, hoisted, main, run

__all__ = ["command", "hoisted", "main", "run"]
