"""geo_monitor joins patrol tracks, ban zones and seizure reports on the river itself.

    import geo_monitor as gm
    workspace = gm.open("workspace")        # the object the command line uses
    workspace.import_file("tracks", "tracks.csv")
    run = workspace.analyse()
    workspace.table("hotspots")

Importing this package is cheap: the heavy parts load when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "hotspots", "open", "river"]

if TYPE_CHECKING:
    from geo_monitor import hotspots, river
    from geo_monitor.workspace import open_workspace as open


def __getattr__(name: str) -> Any:
    if name == "open":
        from geo_monitor.workspace import open_workspace

        return open_workspace
    if name in {"hotspots", "river"}:
        return import_module(f"geo_monitor.{name}")
    raise AttributeError(f"module 'geo_monitor' has no attribute {name!r}")
