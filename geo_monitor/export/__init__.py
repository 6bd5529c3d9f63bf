"""Tables to files: sheets, Parquet, map formats, and surfaces along the river."""

from __future__ import annotations

from geo_monitor.export.files import Exported, cells, export, format_of

__all__ = ["Exported", "cells", "export", "format_of"]
