"""GPX and KML by a streaming parser that knows no entities: nothing in such a file can unfold or fetch anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import shapely

from geo_monitor.errors import Refused
from geo_monitor.ingest.raw import BadRow, Raw, numbered
from geo_monitor.ingest.receipt import Message
from geo_monitor.ingest.text import Decoded, file_pieces

if TYPE_CHECKING:
    from geo_monitor.settings import Settings

HEAD = 1024  # bytes of a file in which XML says its encoding

GPX_FIELDS = {"unit_id": "name", "patrol_id": "track", "time": "time", "lon": "lon", "lat": "lat", "speed": "speed",
              "heading": "course"}  # fmt: skip


class _Source:
    """A text as a file that a parser reads: told as text it is not asked what its head says of bytes, of which expat knows
    UTF-8 and UTF-16, but none of the encodings of China."""

    def __init__(self, pieces: Iterable[str]) -> None:
        self._pieces, self._piece, self._at = iter(pieces), "", 0

    def read(self, size: int) -> str:
        while self._at == len(self._piece):
            piece = next(self._pieces, None)
            if piece is None:
                return ""
            self._piece, self._at = piece, 0
        self._at, begun = min(self._at + size, len(self._piece)), self._at
        return self._piece[begun : self._at]


def _decoded(path: Path, encoding: str | None, settings: Settings, name: str) -> Decoded:
    """The text of an XML file. Where neither it nor anybody says, it is UTF-8, by the standard. Raises as `Decoded`."""
    with path.open("rb") as file:
        said = re.match(rb"""\s*<\?xml[^>]*?\sencoding\s*=\s*["']([\w.:-]+)""", file.read(HEAD))
    declared = said[1].decode("ascii", errors="ignore") if said else "utf-8"
    return Decoded(file_pieces(path), encoding, settings.encoding_sure, name, declared)


def _events(text: Decoded, name: str) -> Iterator[tuple[str, Any, str]]:
    """(start or end, element, local tag). Raises `Refused`: `xml_entities`, `xml_broken`."""
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    try:
        for event, element in iterparse(_Source(text), events=("start", "end"), forbid_dtd=True):
            yield event, element, element.tag.rpartition("}")[2]
    except DefusedXmlException:
        raise Refused("xml_entities", file=name) from None
    except (ParseError, ValueError, LookupError) as error:
        raise Refused("xml_broken", file=name, detail=str(error)[:80]) from None


def gpx(path: Path, encoding: str | None, settings: Settings, name: str) -> Raw:
    """All tracks and segments of a GPX file: a row a point; unit = track name, one patrol a track.

    Raises `Refused`: `xml_entities`, `xml_broken`, `gpx_no_tracks`, and as `text.Decoded`.
    """
    text = _decoded(path, encoding, settings, name)
    columns: dict[str, list[str | None]] = {
        key: [] for key in ("name", "track", "lon", "lat", "time", "speed", "course")
    }
    labels: list[str | None] = []
    track, label, other = 0, None, 0
    depth: list[str] = []
    for event, element, tag in _events(text, name):
        if event == "start":
            depth.append(tag)
            if tag == "trk":
                track, label = track + 1, None
            continue
        depth.pop()
        if tag == "name" and depth and depth[-1] == "trk":
            label = (element.text or "").strip() or None
        elif tag == "trkpt":
            told = {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in element.iter()}
            columns["lon"].append(element.get("lon"))
            columns["lat"].append(element.get("lat"))
            for key in ("time", "speed", "course"):
                columns[key].append(told.get(key) or None)
            columns["track"].append(f"{name}#{track}")
            element.clear()
        elif tag == "trkseg":
            element.clear()
        elif tag == "trk":
            new = len(columns["lon"]) - len(labels)
            labels += [label] * new
            element.clear()
        elif tag in ("wpt", "rtept"):
            other += 1
            element.clear()
    columns["name"] = labels
    if not columns["lon"]:
        raise Refused("gpx_no_tracks", file=name, points=other)
    # only what is told anywhere
    table = pa.table({key: pa.array(values, pa.string()) for key, values in columns.items() if any(values)})
    # GPX 1.1 gives speed in m/s (as its extensions do) and time in UTC
    fields = {ours: theirs for ours, theirs in GPX_FIELDS.items() if theirs in table.column_names}
    raw = Raw(table, numbered(len(table)), name=name, standard=True, fields=fields, source="gps")
    raw.read_as(text.encoding)
    if other:
        raw.notes.append(Message("gpx_points_left", {"count": other}))
    return raw


def kml(path: Path, kind: str, encoding: str | None, settings: Settings, name: str) -> Raw:
    """The placemarks of a KML file: a row each, with their shape, name, extended data and time.

    For tracks, a placemark with a `gx:Track` gives a row a point. Raises as `gpx`, and `json_no_features`.
    """
    text = _decoded(path, encoding, settings, name)
    rows: list[dict[str, str | None]] = []
    shapes: list[Any] = []
    bad: list[BadRow] = []
    closed: list[int] = []
    for event, element, tag in _events(text, name):
        if event != "end" or tag != "Placemark":
            continue
        told = _placemark(element)
        tracks = [part for part in element.iter() if part.tag.rpartition("}")[2] == "Track"]
        if kind == "tracks" and tracks:
            for number, part in enumerate(tracks):
                patrol = f"{told.get('name') or name}-{number + 1}"
                for when, where, readable in _track(part):
                    if not readable:
                        cells = {**told, "time": when, "patrol_id": patrol}
                        bad.append(_unreadable(len(rows) + len(bad) + 1, cells))
                        continue
                    rows.append({**told, "time": when, "patrol_id": patrol})
                    shapes.append(where)
            element.clear()
            continue
        try:
            shape = _kml_shape(element)
        except (ValueError, IndexError, RecursionError, shapely.errors.GEOSException):
            bad.append(_unreadable(len(rows) + len(bad) + 1, told))
            element.clear()
            continue
        rows.append(told)
        shapes.append(shape)
        if _open(element):
            closed.append(len(rows) + len(bad))
        element.clear()
    if not rows and not bad:
        raise Refused("json_no_features", file=name)
    keys = dict.fromkeys(key for row in rows for key in row)
    keys.update(dict.fromkeys(key for refused in bad for key in refused.cells))
    table = pa.table({key: pa.array([row.get(key) for row in rows], pa.string()) for key in keys})
    raw = Raw(table, numbered(len(rows), bad), name=name, bad=bad, standard=True)
    raw.read_as(text.encoding)
    raw.shapes = np.empty(len(shapes), dtype=object)
    raw.shapes[:] = shapes
    if closed:
        raw.warn("ring_closed", closed, count=len(closed))
    return raw


def _unreadable(number: int, cells: dict[str, str | None]) -> BadRow:
    return BadRow(number, {key: value or "" for key, value in cells.items()}, Message("geometry_unreadable"))


def _local(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _placemark(element: Any) -> dict[str, str | None]:
    told: dict[str, str | None] = {}
    for child in element.iter():
        tag = _local(child)
        if tag == "Data" and child.get("name"):
            value = next((part.text for part in child if _local(part) == "value"), None)
            told[child.get("name")] = (value or "").strip() or None
        elif tag == "SimpleData" and child.get("name"):
            told[child.get("name")] = (child.text or "").strip() or None
    for child in element:
        if _local(child) in ("name", "description") and (child.text or "").strip():
            told.setdefault(_local(child), child.text.strip())
        elif _local(child) == "TimeStamp":
            when = next((part.text for part in child if _local(part) == "when"), None)
            told.setdefault("time", (when or "").strip() or None)
    if element.get("id"):
        told.setdefault("id", element.get("id"))
    return told


def _track(element: Any) -> Iterator[tuple[str | None, Any, bool]]:
    """Time, place (None where there is none) and whether the place can be read, of each point of a `gx:Track`."""
    times = [(part.text or "").strip() or None for part in element if _local(part) == "when"]
    places = [(part.text or "").split() for part in element if _local(part) == "coord"]
    for i, place in enumerate(places):
        try:
            shape, readable = shapely.Point(float(place[0]), float(place[1])) if len(place) >= 2 else None, True
        except ValueError:
            shape, readable = None, False
        yield (times[i] if i < len(times) else None), shape, readable


def _coordinates(element: Any) -> list[tuple[float, float]]:
    text = next((part.text for part in element.iter() if _local(part) == "coordinates"), None) or ""
    points = [point.split(",") for point in text.split()]
    return [(float(point[0]), float(point[1])) for point in points]


def _open(element: Any) -> bool:
    """Whether a ring of the placemark does not end where it began."""
    rings = [_coordinates(part) for part in element.iter() if _local(part) == "LinearRing"]
    return any(ring and ring[0] != ring[-1] for ring in rings)


def _kml_shape(element: Any) -> Any:
    parts = []
    for child in element:
        tag = _local(child)
        if tag == "Point":
            point = _coordinates(child)
            parts.append(shapely.Point(point[0]) if point else shapely.Point())
        elif tag in ("LineString", "LinearRing"):
            parts.append(shapely.LineString(_coordinates(child)))
        elif tag == "Polygon":
            outer = [part for part in child if _local(part) == "outerBoundaryIs"]
            inner = [part for part in child if _local(part) == "innerBoundaryIs"]
            shell = _coordinates(outer[0]) if outer else []
            parts.append(shapely.Polygon(shell, [_coordinates(ring) for part in inner for ring in part]))
        elif tag in ("MultiGeometry", "MultiTrack"):
            inside = _kml_shape(child)
            if inside is not None:
                parts.append(inside)
        elif tag == "Track":
            points = [where for _, where, _ in _track(child) if where is not None]
            parts.append(shapely.LineString(points))
    if not parts:
        return None
    if len(parts) == 1:
        return parts[0]
    kinds = {part.geom_type for part in parts}
    many = {"Point": shapely.MultiPoint, "LineString": shapely.MultiLineString, "Polygon": shapely.MultiPolygon}
    if len(kinds) == 1 and next(iter(kinds)) in many:
        return many[next(iter(kinds))](parts)
    return shapely.GeometryCollection(parts)
