"""A workspace on a made-up river with a ban zone, and boats whose nights are known."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from geo_monitor.workspace import Workspace

NIGHT = datetime(2026, 6, 1, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai
MS = round(NIGHT.timestamp() * 1000)
KM = 1 / 96.3  # degrees of longitude at 30 N
LINE = [[112.0 + 0.01 * i, 30.0] for i in range(41)]  # 38.5 km from west to east


def features(path: Path, kind: str, *shapes: tuple[dict[str, Any], Any]) -> Path:
    """A GeoJSON file of shapes with their attributes."""
    told = [
        {"type": "Feature", "properties": values, "geometry": {"type": kind, "coordinates": coordinates}}
        for values, coordinates in shapes
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": told}, ensure_ascii=False), encoding="utf-8")
    return path


def square(west: float, east: float) -> list[Any]:
    """A ring across the river."""
    return [[[west, 29.99], [east, 29.99], [east, 30.01], [west, 30.01], [west, 29.99]]]


@cache
def _made() -> Path:
    """One such workspace for all tests of a run, to be copied: three uploads are three processes."""
    folder = Path(tempfile.mkdtemp(prefix="geo-monitor-loop-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    workspace = Workspace.create(folder / "ws")
    (folder / "ws" / "settings.toml").write_text("event_beat_s = 20.0\n", encoding="utf-8")  # a night in fewer looks
    river = features(folder / "river.geojson", "LineString", ({"name": "试江", "mouth": "东"}, LINE))
    zone = features(
        folder / "zone.geojson", "Polygon", ({"zone_id": "Z1", "name": "中段禁捕区"}, square(112.2, 112.25))
    )
    county = features(
        folder / "county.geojson",
        "Polygon",
        ({"name": "甲县", "adcode": "421022", "level": "county"}, square(111.9, 112.3)),
        ({"name": "乙县", "adcode": "430602", "level": "county"}, square(112.3, 112.5)),
    )
    for kind, file in (("river", river), ("zones", zone), ("jurisdictions", county)):
        receipt = workspace.import_file(kind, file, accuracy=50.0 if kind == "river" else None)
        assert receipt.status.startswith("accepted"), receipt.to_json("en")
    workspace._store.close()
    return folder


def make(root: Path) -> Workspace:
    """An empty workspace with a river, a zone of 5 km and two counties."""
    shutil.copytree(_made() / "ws", root)
    return Workspace(root)


@pytest.fixture
def held(tmp_path: Path) -> Workspace:
    return make(tmp_path / "ws")


def line(unit: str, ms: int, lon: float, lat: float = 30.0, **more: Any) -> dict[str, Any]:
    """A live position as the contract has it."""
    return {"unit_id": unit, "time": ms, "lon": round(lon, 7), "lat": lat, "role": "traffic", **more}


def passing(
    unit: str, start: int, minutes: int, lon: float, mps: float, every_s: int = 10, **more: Any
) -> list[dict[str, Any]]:
    """A boat that sails east from `lon` at `mps` metres a second."""
    return [
        line(unit, start + 1000 * s, lon + mps * s / 1000 * KM, speed=mps, **more)
        for s in range(0, minutes * 60, every_s)
    ]


def poacher(unit: str = "渔1", start: int = MS) -> list[dict[str, Any]]:
    """Comes at 4 m/s, works its way through the zone at 0.6 m/s for 40 min, leaves."""
    come = passing(unit, start, 10, 112.175, 4.0)
    slow = passing(unit, start + 600_000, 40, 112.2001, 0.6)
    go = passing(unit, start + 3_000_000, 30, 112.2151, 4.0)
    return [*come, *slow, *go]


def write(path: Path, lines: Iterable[dict[str, Any]]) -> Path:
    """A file of JSON lines in order of time."""
    ordered = sorted(lines, key=lambda told: (told["time"], told["unit_id"]))
    path.write_text("".join(json.dumps(told, ensure_ascii=False) + "\n" for told in ordered), encoding="utf-8")
    return path


def table(path: Path, lines: Iterable[dict[str, Any]]) -> Path:
    """The same fixes as a CSV file to import."""
    rows = [
        f"{told['unit_id']},{datetime.fromtimestamp(told['time'] / 1000, UTC).isoformat()},{told['lon']!r},{told['lat']!r}"
        for told in lines
    ]
    path.write_text("\n".join(["unit_id,time,lon,lat", *rows]) + "\n", encoding="utf-8")
    return path
