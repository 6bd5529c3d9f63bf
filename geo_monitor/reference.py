"""Where the shipped reference data lie."""

from __future__ import annotations

from pathlib import Path

from geo_monitor.errors import GeoMonitorError

PACKAGE = Path(__file__).parent


def path(name: str) -> Path:
    """The file or folder `data/<name>` of the reference data: in the installed package, else in the source tree.

    Raises `GeoMonitorError("reference_missing")` where the installation lacks it.

    >>> path("divisions/localities.geojson").name
    'localities.geojson'
    """
    for base in (PACKAGE / "data", PACKAGE.parent / "data"):
        if (base / name).exists():
            return base / name
    raise GeoMonitorError("reference_missing", name=name)
