"""The command line `geo-monitor`."""

from __future__ import annotations

import os

# threads are our own: those of an algebra library would wait for work on the same processors, turning
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from geo_monitor.cli.commands import command, hoisted, main, run

__all__ = ["command", "hoisted", "main", "run"]
