"""GeoJSON: a feature collection, single features, or one feature a line. Broken shapes are refused feature by feature."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import shapely

from geo_monitor.errors import Refused
from geo_monitor.ingest.raw import BadRow, Raw, numbered, whole
from geo_monitor.ingest.receipt import Message
from geo_monitor.ingest.text import file_text
from geo_monitor.settings import Settings

TYPES = {"Point", "LineString", "Polygon", "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection"}


class _Broken(Exception):
    """A shape that can't be built; its argument is a message code."""


def read(path: Path, encoding: str | None, settings: Settings, name: str) -> Raw:
    """A GeoJSON file. Raises `Refused`: `json_too_deep`, `json_broken`, `json_no_features`, `choice_needed`."""
    text, used = file_text(path.read_bytes(), encoding, settings.encoding_sure, name)
    _check_depth(text, settings.json_depth)
    document = _load(text, name)
    features = _features(document)
    if features is None:
        raise Refused("json_no_features", file=name)
    if not features:
        raise Refused("file_no_rows", file=name)
    shapes, closed, bad, kept, rows = [], [], [], [], []
    for number, feature in enumerate(features, start=1):
        properties = feature.get("properties") if isinstance(feature, dict) else None
        properties = {whole(key): value for key, value in properties.items()} if isinstance(properties, dict) else {}
        if isinstance(feature, dict) and feature.get("id") is not None:
            properties.setdefault("id", feature["id"])
        try:
            with np.errstate(invalid="ignore"):  # what is not finite is refused row by row later
                shape, was_open = _shape(feature.get("geometry") if isinstance(feature, dict) else None)
        except _Broken as error:
            cells = {str(key): _text(value) or "" for key, value in properties.items()}
            bad.append(BadRow(number, cells, Message(str(error))))
            continue
        shapes.append(shape)
        kept.append(properties)
        rows.append(number)
        if was_open:
            closed.append(number)
    table = _table(kept, [str(key) for row in bad for key in row.cells])
    raw = Raw(table, numbered(len(kept), bad), name=name, bad=bad, standard=True)
    raw.shapes = np.empty(len(shapes), dtype=object)
    raw.shapes[:] = shapes
    raw.crs = _crs(document)
    raw.read_as(used)
    if closed:
        raw.warn("ring_closed", closed, count=len(closed))
    return raw


def _check_depth(text: str, limit: int) -> None:
    """Nesting is counted on brackets alone, before any parser climbs in; brackets inside strings are skipped."""
    data = np.frombuffer(text.encode("utf-8"), dtype=np.uint8)
    step = np.zeros(len(data), dtype=np.int8)
    step[(data == 0x5B) | (data == 0x7B)] = 1
    step[(data == 0x5D) | (data == 0x7D)] = -1
    if not len(data) or int(np.cumsum(step, dtype=np.int64).max()) <= limit:
        return
    escaped = np.zeros(len(data), dtype=bool)
    slashes = np.flatnonzero(data == 0x5C)
    for position in slashes.tolist():
        if not escaped[position] and position + 1 < len(data):
            escaped[position + 1] = True
    quotes = (data == 0x22) & ~escaped
    inside = np.cumsum(quotes) % 2 == 1
    step[inside] = 0
    if int(np.cumsum(step, dtype=np.int64).max()) > limit:
        raise Refused("json_too_deep", limit=limit)


def _load(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError:
        raise Refused("json_too_deep", limit=64) from None
    except json.JSONDecodeError as error:
        lines = [line.strip("\x1e \r") for line in text.split("\n") if line.strip("\x1e \r")]
        if len(lines) > 1 and all(line.startswith("{") for line in lines[:20]):
            try:
                return {"type": "FeatureCollection", "features": [json.loads(line) for line in lines]}
            except (ValueError, RecursionError):
                pass  # the fault of the whole document tells more than that of a line
        raise Refused("json_broken", file=name, line=error.lineno, detail=error.msg) from None
    except ValueError as error:  # a number of thousands of digits
        raise Refused("json_broken", file=name, line=1, detail=str(error)[:80]) from None


def _features(document: Any) -> list[Any] | None:
    if isinstance(document, list):
        return document if all(isinstance(item, dict) for item in document) else None
    if not isinstance(document, dict):
        return None
    if isinstance(document.get("features"), list):
        return list(document["features"])
    if document.get("type") == "Feature":
        return [document]
    if document.get("type") in TYPES:
        return [{"type": "Feature", "properties": {}, "geometry": document}]
    return None


def _crs(document: Any) -> str | None:
    """The `crs` member that older files carry, as text pyproj reads; CRS84 is the standard itself."""
    member = document.get("crs") if isinstance(document, dict) else None
    name = (member.get("properties") or {}).get("name") if isinstance(member, dict) else None
    if not isinstance(name, str) or "CRS84" in name:
        return None
    return name if len(name) < 200 else None


def _shape(geometry: Any) -> tuple[Any, bool]:
    """The shape of a `geometry` member (None where null), and whether a ring had to be closed."""
    if geometry is None:
        return None, False
    if not isinstance(geometry, dict) or geometry.get("type") not in TYPES:
        raise _Broken("geometry_unreadable")
    kind, coordinates = geometry["type"], geometry.get("coordinates")
    try:
        if kind == "GeometryCollection":
            parts = [_shape(part) for part in geometry.get("geometries") or []]
            return shapely.GeometryCollection([part for part, _ in parts if part is not None]), any(c for _, c in parts)
        if kind == "Point":
            return (shapely.Point(_ring([coordinates])[0]) if coordinates else shapely.Point()), False
        if kind == "LineString":
            return shapely.LineString(_ring(coordinates)), False
        if kind == "MultiPoint":
            return shapely.MultiPoint(_ring(coordinates)), False
        if kind == "MultiLineString":
            return shapely.MultiLineString([_ring(line) for line in coordinates or []]), False
        if kind == "Polygon":
            return _polygon(coordinates)
        polygons = [_polygon(part) for part in coordinates or []]
        return shapely.MultiPolygon([polygon for polygon, _ in polygons]), any(closed for _, closed in polygons)
    except (TypeError, ValueError, LookupError, ArithmeticError, shapely.errors.GEOSException):
        raise _Broken("geometry_unreadable") from None


def _ring(coordinates: Any) -> Any:
    points = [(float(point[0]), float(point[1])) for point in coordinates]
    return np.array(points) if points else np.zeros((0, 2))


def _polygon(rings: Any) -> tuple[Any, bool]:
    if not rings:
        return shapely.Polygon(), False
    closed = False
    made = []
    for ring in rings:
        points = _ring(ring)
        if len(points) and not np.array_equal(points[0], points[-1]):
            points = np.vstack([points, points[:1]])
            closed = True
        if 0 < len(points) < 4:
            raise _Broken("ring_too_short")
        made.append(points)
    return shapely.Polygon(made[0], made[1:]), closed


def _table(rows: list[dict[str, Any]], more: list[str]) -> pa.Table:
    """The properties as text; `more` names those of features that were refused."""
    names: dict[str, None] = {}
    for row in rows:
        names.update(dict.fromkeys(str(key) for key in row))
    names.update(dict.fromkeys(more))
    return pa.table({name: pa.array([_text(row.get(name)) for row in rows], pa.string()) for name in names})


def _text(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return whole(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return whole(json.dumps(value, ensure_ascii=False))
    return (
        repr(value)
        if isinstance(value, float) and not value.is_integer()
        else str(int(value))
        if value == value and abs(value) < 1e300
        else str(value)
    )
