"""Checks an installation and a workspace. Every finding has a sentence and, where something is to do, what."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from geo_monitor.store import Store

State = Literal["fine", "look", "broken"]
LIBRARIES = (
    "numpy",
    "pandas",
    "pyarrow",
    "geopandas",
    "shapely",
    "psutil",
    "pyproj",
    "rasterio",
    "sqlalchemy",
    "streamlit",
    "numba",
)
REFERENCE = ("natural-earth/rivers_10m.geojson", "natural-earth/lakes_10m.geojson", "divisions/localities.geojson")
FREE_GB = 5.0
MANY_FILES = 10_000  # of positions: from here on opening them takes seconds
FONT_FOLDERS = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "~/.fonts",
    "~/.local/share/fonts",
    "/Library/Fonts",
    "/System/Library/Fonts",
    "C:/Windows/Fonts",
)
CHINESE_FONTS = (
    "noto*cjk*",
    "notosanssc*",
    "sourcehan*",
    "wqy*",
    "simsun*",
    "simhei*",
    "msyh*",
    "pingfang*",
    "*droidsansfallback*",
)


@dataclass(frozen=True)
class Finding:
    """One check: its sentence is `doctor.<check>.<state>`, or the one that `said` names, filled with params."""

    check: str
    state: State
    params: dict[str, Any] = field(default_factory=dict)
    said: str | None = None

    @property
    def code(self) -> str:
        return self.said or f"doctor.{self.check}.{self.state}"


def examine(root: Path) -> list[Finding]:
    """All checks, of the installation and of the workspace in `root`."""
    installation = [versions(), projections(), rasters(), parser(), reference_data(), fonts()]
    return [*installation, disk(root), exposure(), *workspace(root)]


def versions() -> Finding:
    """Python and the libraries."""
    missing, found = [], []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    params = {"python": platform.python_version(), "libraries": found, "missing": missing}
    return Finding("versions", "broken" if missing or sys.version_info < (3, 11) else "fine", params)


def projections() -> Finding:
    """PROJ works: the UTM 50N easting of its central meridian (117 E) is 500 km."""
    import pyproj

    try:
        east, _ = pyproj.Transformer.from_crs(4326, 32650, always_xy=True).transform(117.0, 30.0)
    except pyproj.exceptions.ProjError as error:
        return Finding("proj", "broken", {"version": pyproj.proj_version_str, "detail": str(error)})
    state: State = "fine" if abs(east - 500_000) < 0.01 else "broken"
    return Finding("proj", state, {"version": pyproj.proj_version_str, "detail": f"{east:.2f}"})


def rasters() -> Finding:
    """GDAL has the drivers used for import and export."""
    import pyogrio
    import rasterio
    from rasterio.drivers import raster_driver_extensions

    vector = {"GPKG", "ESRI Shapefile", "GeoJSON", "FlatGeobuf", "KML", "GPX"} - set(pyogrio.list_drivers())
    tif = set() if "tif" in raster_driver_extensions() else {"GTiff"}
    missing = sorted(vector | tif)
    params = {
        "vector": ".".join(str(part) for part in pyogrio.__gdal_version__),
        "raster": rasterio.__gdal_version__,
        "missing": missing,
    }
    return Finding("gdal", "broken" if missing else "fine", params)


def parser() -> Finding:
    """Uploads are parsed in a process of its own; what protects it here."""
    from geo_monitor.ingest import limited
    from geo_monitor.ingest.drivers import KEPT
    from geo_monitor.ingest.sandbox import PROTECTIONS

    try:
        held, drivers = limited.protections()
    except (limited.ParserFault, OSError) as error:
        return Finding("parser", "broken", {"detail": str(error).strip().splitlines()[-1]})
    more = sorted(set(drivers) - set(KEPT))
    missing = [name for name in PROTECTIONS if name not in held] + ["drivers"] * bool(more)
    params = {"missing": missing, "drivers": more}
    return Finding("parser", "look" if missing else "fine", params)


def reference_data() -> Finding:
    """The shipped river, lakes and localities are there."""
    from geo_monitor.errors import GeoMonitorError
    from geo_monitor.reference import path

    try:
        for name in REFERENCE:
            path(name)
    except GeoMonitorError as error:
        return Finding("reference", "broken", dict(error.params))
    return Finding("reference", "fine", {"count": len(REFERENCE)})


def fonts() -> Finding:
    """A Chinese font on this machine (the browser draws the map's names with it)."""
    for folder in FONT_FOLDERS:
        for path in Path(folder).expanduser().rglob("*"):
            if path.is_file() and any(fnmatch(path.name.lower(), pattern) for pattern in CHINESE_FONTS):
                return Finding("fonts", "fine", {"font": path.name})
    return Finding("fonts", "look")


def disk(root: Path) -> Finding:
    """Room where the workspace lies."""
    at = root.absolute()
    while not at.exists():
        at = at.parent
    free = shutil.disk_usage(at).free / 1e9
    return Finding("disk", "fine" if free >= FREE_GB else "look", {"free": f"{free:,.1f}", "wanted": f"{FREE_GB:g}"})


def exposure() -> Finding:
    """Streamlit's own settings don't open the map to the network behind our back."""
    from geo_monitor.cli.launch import is_loopback

    address = os.environ.get("STREAMLIT_SERVER_ADDRESS", "127.0.0.1")
    return Finding("network", "fine" if is_loopback(address) else "look", {"address": address})


def workspace(root: Path) -> list[Finding]:
    """The workspace: opens, nothing left over, every raw upload still what it was, every file of fixes there."""
    from geo_monitor.errors import GeoMonitorError
    from geo_monitor.settings import Settings, load
    from geo_monitor.store import Store, expire, files, positions
    from geo_monitor.store.accounts import Accounts
    from geo_monitor.store.database import DATABASE, URL_FILE

    if not any((root / name).exists() for name in (DATABASE, URL_FILE)):
        return [Finding("workspace", "look", {"root": str(root)})]
    try:
        store = Store(root)
    except GeoMonitorError as error:
        return [Finding("workspace", "broken", error.params, error.code)]
    receipts = store.book("receipts")
    private = Accounts(store, Settings()).any()  # nobody signed in: no names of files
    found = [Finding("workspace", "fine", {"root": str(root.resolve()), "receipts": len(receipts)})]
    try:
        load(root / "settings.toml")
    except GeoMonitorError as error:
        found.append(Finding("settings", "broken", error.params, error.code))
    if store.fallen is not None:
        told = {**store.fallen.params, **({"name": "***"} if private else {})}
        found.append(Finding("fallen", "look", told, store.fallen.code))
    left = store.orphans()
    found.append(Finding("orphans", "look" if left else "fine", {"count": len(left)}))
    gone = receipts["receipt_id"].isin(expire.of_uploads(store))
    wanted = set(receipts.loc[(receipts["status"] != "duplicate") & ~gone, "sha256"])
    bad = sorted(name for name in wanted if not store.raw(name).exists() or files.sha256(store.raw(name)) != name)
    named = "receipt_id" if private else "file"
    names = receipts.loc[receipts["sha256"].isin(bad), named].head(3).tolist()
    found.append(Finding("raw", "broken" if bad else "fine", {"count": len(wanted), "bad": len(bad), "names": names}))
    tracks = receipts[(receipts["kind"] == "tracks") & receipts["status"].str.startswith("accepted")]
    held = _fixes_held(root) + expire.of_receipts(store)
    lost = []
    for receipt in tracks.itertuples():
        rows = json.loads(str(receipt.receipt))["en"]["rows"]
        if held.get(str(receipt.receipt_id), 0) != rows.get("accepted", 0) + rows.get("corrected", 0):
            lost.append(str(receipt.receipt_id))
    found.append(Finding("positions", "broken" if lost else "fine", {"count": len(tracks), "lost": lost[:3]}))
    count = sum(len(positions.listed(day)) for day in positions.days(root / "positions"))
    found.append(Finding("files", "look" if count > MANY_FILES else "fine", {"count": f"{count:,}"}))
    found += _feeds(store)
    if (root / "SIMULATED").exists():
        found.append(Finding("simulated", "look"))
    store.close()
    return found


def _feeds(store: Store) -> list[Finding]:
    """Live feeds: when one was last heard, what waits for a receipt, and whether somebody keeps the duty room."""
    from datetime import UTC, datetime

    from geo_monitor.store import live

    feeds = live.feeds(store)
    if not feeds:
        return []
    with store.alone("room") as free:
        kept = free is None
    minutes = (datetime.now(UTC).timestamp() - max(feed.seen_at for feed in feeds) / 1000) / 60
    told = {"count": len(feeds), "minutes": f"{minutes:.0f}", "waiting": live.count(store)}
    return [Finding("feeds", "fine" if kept else "look", told)]


def _fixes_held(root: Path) -> Counter[str]:
    """Rows of fixes on the disk, by receipt; a file that is not readable counts nothing."""
    import pyarrow as pa

    from geo_monitor.store import positions

    held: Counter[str] = Counter()
    for day in positions.days(root / "positions"):
        for part in positions.of_day(day, None, unreadable={}):
            with suppress(pa.ArrowInvalid, OSError):
                held.update({name: told.rows for _, name, told in positions.following([part], positions.said)})
    return held
