"""One file a kind of upload: raw cells and shapes to rows of its table. Each gives a frame with a row for every row read,
but `tracks`, whose rows may be too many: they go by in parts."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from geo_monitor.ingest.kinds.source import Source, Taken

TABLES = {
    "river": "river_lines",
    "zones": "zones",
    "tracks": "positions",
    "patrols": "patrols",
    "levels": "levels",
    "seizures": "seizures",
    "units": "units",
    "jurisdictions": "jurisdictions",
    "raster": "rasters",
}
IDENTITY = {  # the column that, with the agency, names a record
    "river": "line_id",
    "zones": "zone_id",
    "patrols": "patrol_id",
    "levels": "reading_id",
    "seizures": "report_id",
    "units": "unit_id",
    "jurisdictions": "name",
    "raster": "raster_id",
}


def take(kind: str, source: Source) -> Taken:
    """The rows of `source` as its kind understands them."""
    taken: Taken = import_module(f"geo_monitor.ingest.kinds.{kind}").take(source)
    return taken
