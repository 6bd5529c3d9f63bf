"""Warnings on the map: a disc with the shape of its grade, the tracks behind the chosen one, the way of who is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import streamlit as st

from geo_monitor.app import data, layers
from geo_monitor.app.deck import BASIN, Bounds, plain
from geo_monitor.app.duty import board
from geo_monitor.app.duty.look import GRADES, INK
from geo_monitor.app.duty.words import SHAPES
from geo_monitor.app.look import LOOKS
from geo_monitor.store import expire
from geo_monitor.store.database import milliseconds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geo_monitor.app.duty.words import Teller
from geo_monitor.app.rows import rows

DRAWN_MOST = 400  # warnings on a map, the most urgent ones
GRADES_UP = ("blue", "yellow", "orange", "red")
SIZES = {"red": 13, "orange": 11, "yellow": 10, "blue": 9}  # pixels
BEFORE_MS = 15 * 60_000  # of the track before the first event: where it came from
TRACK_MS = 12 * 3_600_000  # of a track at most, back from its end
MARGIN = 0.02  # degrees around what is chosen
Track = tuple[str, np.ndarray]


def warnings(
    frame: pd.DataFrame, chosen: str | None, teller: Teller, theme: str, turn: int | str
) -> list[dict[str, Any]]:
    """The most urgent warnings of `frame` (in the order of their clocks), the chosen one ringed; none without a place."""
    look = LOOKS[theme]
    placed = frame[frame["lon"].notna() & frame["lat"].notna()]
    first = placed[placed["warning_id"] == chosen]
    shown = pd.concat([placed.head(DRAWN_MOST), first]).drop_duplicates("warning_id")
    rank = shown["grade"].map(GRADES_UP.index).to_numpy() + 10 * (shown["warning_id"] == chosen).to_numpy()
    shown = shown.iloc[np.argsort(rank, kind="stable")]
    # those of one place (a situation on a border has several) lie under the gravest, or under the chosen one
    shown = shown[~shown[["lon", "lat"]].round(4).duplicated(keep="last")]
    marks = []
    for row in rows(shown):
        told = board.told(row)
        marks.append(
            {
                "id": f"warning|{plain(row.warning_id)}",
                "position": [round(float(row.lon), 5), round(float(row.lat), 5)],
                "title": plain(f"{teller.grade(row.grade)} {teller.place(row, told)}"),
                "body": plain(teller.of(f"alerts.class_{row.cls}")),
                "size": SIZES[row.grade],
                "color": [*GRADES[theme][row.grade], 255],
                "ink": [*INK[row.grade], 255],
                "shape": SHAPES[row.grade],
            }
        )
    out: list[dict[str, Any]] = []
    for row in rows(first):
        ring: dict[str, Any] = {"@@type": "ScatterplotLayer", "id": "duty-ring", "getPosition": "@@=position"}
        ring |= {"data": [{"position": [float(row.lon), float(row.lat)]}], "getRadius": 24, "radiusUnits": "pixels"}
        ring |= {"stroked": True, "filled": False, "getLineColor": [*look.pick, 255], "getLineWidth": 3}
        out.append(ring | {"lineWidthUnits": "pixels"})
    disc: dict[str, Any] = {"@@type": "ScatterplotLayer", "id": f"duty-discs-{turn}", "data": marks}
    disc |= {"getPosition": "@@=position", "getRadius": "@@=size", "radiusUnits": "pixels", "pickable": True}
    disc |= {"stroked": True, "filled": True, "getFillColor": "@@=color", "getLineColor": [*look.paper, 255]}
    disc |= {"getLineWidth": 1.5, "lineWidthUnits": "pixels"}
    shape: dict[str, Any] = {"@@type": "TextLayer", "id": "duty-shapes", "data": marks, "getText": "@@=shape"}
    shape |= {"getPosition": "@@=position", "getColor": "@@=ink", "getSize": "@@=size", "characterSet": "auto"}
    shape |= {"fontFamily": "map-sans, sans-serif", "getTextAnchor": "middle", "getAlignmentBaseline": "center"}
    return [*out, disc, shape] if marks else out


def zones(seen: str, told: Mapping[str, Any], teller: Teller, theme: str) -> list[dict[str, Any]]:
    """The zones that the events of a warning name, solid where in force now."""
    wanted = {str(entry["zone"]) for entry in told.get("events", ()) if entry.get("zone")}
    if not wanted:
        return []
    still = data.stamp(seen, tracks=False)
    held = data.uploaded(seen, "zones", still)
    valid = data.in_force_at(seen, still, pd.Timestamp(board.now(seen)).floor("min"))
    mine = held[held["zone_id"].isin(wanted)]
    return layers.seen(layers.zones(mine, valid, teller.speaker, LOOKS[theme], "duty")) if len(mine) else []


def tracks(ways: Sequence[Track], teller: Teller, theme: str) -> list[dict[str, Any]]:
    """Tracks (unit, (k, 3) of lon, lat, ms UTC) as lines with their fixes, the name of the unit at the end of each."""
    ink = [*LOOKS[theme].traffic, 255]
    lines = [{"path": np.round(way[:, :2], 5).tolist()} for _, way in ways if len(way) > 1]
    dots = [{"position": point} for _, way in ways for point in np.round(way[:, :2], 5).tolist()]
    ends = [
        {"position": np.round(way[-1, :2], 5).tolist(), "name": plain(teller.unit(unit))[:24]} for unit, way in ways
    ]
    line: dict[str, Any] = layers.LINE | {"id": "duty-tracks", "data": lines, "getPath": "@@=path"}
    line |= {"getColor": layers.same(ink), "getWidth": layers.same(2.4), "widthUnits": "pixels", "jointRounded": True}
    dot: dict[str, Any] = {"@@type": "ScatterplotLayer", "id": "duty-fixes", "data": dots, "getPosition": "@@=position"}
    dot |= {"getRadius": 2.6, "radiusUnits": "pixels", "getFillColor": ink}
    name: dict[str, Any] = {
        "@@type": "TextLayer",
        "id": "duty-names",
        "data": ends,
        "getText": "@@=name",
        "getSize": 12,
    }
    name |= {"getPosition": "@@=position", "getColor": ink, "getPixelOffset": [0, 24], "characterSet": "auto"}
    name |= {"fontFamily": "map-sans, sans-serif", "background": True, "backgroundPadding": [3, 1, 3, 1]}
    name |= {"getBackgroundColor": [*LOOKS[theme].paper, 190]}
    return [layer for layer in (line, dot, name) if layer["data"]]


def way(line: np.ndarray, minutes: str, theme: str) -> list[dict[str, Any]]:
    """The way of a unit by water, (m, 2) lon and lat, with its minutes at the middle."""
    if len(line) < 2:
        return []
    ink = [*LOOKS[theme].patrol, 255]
    path: dict[str, Any] = layers.LINE | {"id": "duty-way", "data": [{"path": np.round(line, 5).tolist()}]}
    path |= {"getPath": "@@=path", "getColor": layers.same(ink), "getWidth": layers.same(4), "widthUnits": "pixels"}
    path["getDashArray"] = [2, 1.4]
    middle = np.round(line[len(line) // 2], 5).tolist()
    label: dict[str, Any] = {"@@type": "TextLayer", "id": "duty-minutes", "getText": "@@=name", "getSize": 14}
    label |= {"data": [{"position": middle, "name": plain(minutes)}], "getPosition": "@@=position", "getColor": ink}
    label |= {"fontFamily": "map-sans, sans-serif", "characterSet": "auto", "background": True}
    label |= {"getBackgroundColor": [*LOOKS[theme].paper, 220], "backgroundPadding": [4, 2, 4, 2]}
    return [path, label]


@st.cache_resource(show_spinner=False, max_entries=64)
def behind(seen: str, warning_id: str, revision: int, minute: int) -> list[Track]:
    """The tracks behind a warning: the fixes of its units that are stored and seen, else those its events name."""
    desk, store = data.workspace(seen).desk, data.workspace(seen).store
    events = desk.events(warning_id)
    named: dict[str, list[tuple[float, float, float]]] = {}
    begin, end = None, None
    for row in rows(events):
        some = (board.told(row).get("fixes") or {}).get("some") or ()
        for unit, ms, lon, lat in some:
            named.setdefault(str(unit), []).append((float(lon), float(lat), float(ms)))
        begin = row.started_at if begin is None else min(begin, row.started_at)
        last = pd.Timestamp(minute * 60_000, unit="ms", tz="UTC") if pd.isna(row.ended_at) else row.ended_at
        end = last if end is None else max(end, last)
    if begin is None or end is None:
        return []
    # of what was let go, the events themselves tell
    start = expire.since(store, max(milliseconds(begin) - BEFORE_MS, milliseconds(end) - TRACK_MS))
    end = max(start, end)
    units = sorted({unit for row in rows(events) for unit in row.unit_ids})
    held = store.positions(
        None, start, end + pd.Timedelta(seconds=1), ["unit_id", "time", "lon", "lat"], units, encoded=False
    ).to_pandas()
    found: list[Track] = []
    for unit in units:
        own = held[held["unit_id"] == unit].sort_values("time", kind="stable")
        if len(own) > 1:
            ms = own["time"].astype("datetime64[ms, UTC]").astype("int64").to_numpy(dtype=float)
            points = np.column_stack([own["lon"], own["lat"], ms])
            found.append((unit, points[:: max(len(points) // 400, 1)]))
        elif named.get(unit):
            found.append((unit, np.array(sorted(set(named[unit]), key=lambda point: point[2]))))
    return found


def around(row: Any | None, ways: Sequence[Track], frame: pd.DataFrame, area: Bounds) -> Bounds:
    """What the map shows: the chosen warning with its tracks, else the area, else where the warnings lie."""
    if row is not None and row.lon == row.lon and row.lon is not None:
        points = np.vstack([np.array([[row.lon, row.lat]], dtype=float), *[one[:, :2] for _, one in ways]])
        return _box(points)
    if area != BASIN:
        return area
    placed = frame[frame["lon"].notna() & frame["lat"].notna()]
    return _box(placed[["lon", "lat"]].to_numpy(dtype=float), 0.3) if len(placed) else BASIN


def fitted(bounds: Bounds, width: int, height: int) -> Bounds:
    """The box that shows `bounds` in a window of width x height pixels, where the map fits it to 800 x 600.

    >>> fitted((0.0, 0.0, 1.0, 1.0), 400, 600)
    (-0.5, -0.5, 1.5, 1.5)
    """
    more = (max(800 / width, 600 / height) - 1) / 2
    west, south, east, north = bounds
    across, up = (east - west) * more, (north - south) * more
    return west - across, south - up, east + across, north + up


def _box(points: np.ndarray, margin: float = MARGIN) -> Bounds:
    west, south = points.min(axis=0) - margin
    east, north = points.max(axis=0) + margin
    return tuple(round(float(edge), 3) for edge in (west, south, east, north))  # type: ignore[return-value]


def names(frame: pd.DataFrame, column: str) -> Mapping[str, str]:
    """`column`_id -> name of uploaded rows that have one."""
    known = frame[frame["name"].notna()]
    return dict(zip(known[column].astype(str), known["name"].astype(str), strict=True))
