"""Rows to deck.gl layers (dicts of its JSON form, as `deck.Deck` takes them).

Every function takes a frame and a `Speaker` and gives layers. Rows carry `id`, their shape, colours, and `title` and
`body` for the one tooltip template. All text goes through `deck.plain`. Layer ids end in a number that moves with every
selection: the browser then forgets what it had selected, which would otherwise fade all other states.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.app import look
from geo_monitor.app.deck import plain
from geo_monitor.app.rows import rows, zone_key, zone_name
from geo_monitor.app.symbols import UNITS
from geo_monitor.app.words import STILL_MS

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.app.look import Look, Rgb
    from geo_monitor.app.words import Speaker

Layer = dict[str, Any]
DIGITS = 4  # degrees; 11 m, under a pixel at the closest zoom of the base map's accuracy
SYMBOLS = ("water", "bank", "market", "road", "restaurant", "shop", "other")
# All lines are of one kind, with the same extension and a colour, a width and a number of their own a row: in software a browser
# needs up to a second before it draws the first line of each kind, and a value that a layer shares makes another kind (`same`)
PATH: Layer = {
    "@@type": "PathLayer",
    "extensions": [{"@@type": "PathStyleExtension", "dash": True, "offset": True}],
    "getDashArray": [0, 0],
    "getOffset": 0,
}
LINE: Layer = PATH | {"highlightedObjectIndex": -1}  # not pickable: rows have their number even so
SINGLE_MAX = 150  # units drawn one by one up to here; more are gathered where they crowd
NAMED_MAX = 60  # names of units written beside them up to here
FAR_TOLERANCE = 0.012  # degrees: half a pixel of the basin
WAY_TOLERANCE = 0.0003  # degrees (30 m): of the way a unit came
NAMED_ZOOM = 6.5  # at coarser zooms names would lie over each other
NAME_MAX = 24  # characters of a name on the map
ACCESSORS = {"color": "getColor", "width": "getWidth", "fill": "getFillColor", "edge": "getLineColor"}
LISTED = 12  # reports of a crowd that a click tells of
CROWD_PIXELS = 46  # seizures nearer than this are one symbol with their number
TOUCH = 0.6  # of that: groups with their middles nearer are one
TOOLTIP = {
    "html": "<b>{title}</b><br>{body}",
    "style": {
        "backgroundColor": "rgba(22,24,28,0.94)",
        "color": "#f4f5f6",
        "fontSize": "13px",
        "lineHeight": "1.5",
        "maxWidth": "340px",
        "padding": "8px 12px",
        "borderRadius": "3px",
        "fontFamily": "map-sans, sans-serif",
        "zIndex": "9",
    },
}


def reaches(
    frame: pd.DataFrame,
    speaker: Speaker,
    colours: Look,
    turn: int | str,
    worst: dict[str, Any] | None = None,
    short: bool = False,
) -> list[Layer]:
    """Reaches and stretches as lines along the channel, lake cells as polygons, coloured by state.

    `worst` is id -> row of the hottest reach of a stretch, for its tooltip. `short` draws coarser and says less: a live map
    is sent anew with every tick, and a click says the rest.
    """
    lines: list[Layer] = []
    bold: list[Layer] = []
    dashed: list[Layer] = []
    cells: list[Layer] = []
    # hot last: what matters most lies on top
    fine = bool((frame["level"] == "reach").any())
    digits = 3 if short and not fine else DIGITS
    rank = frame["state"].map({"not_looked": 0, "normal": 1, "cold": 2, "hot": 3})
    for row in rows(frame.iloc[np.argsort(rank.to_numpy(), kind="stable")]):
        looked = row.state != "not_looked"
        colour = colours.state(row.state)
        opacity = look.alpha(row.rate_lo, row.rate_hi) if looked else 210
        if short:
            title, body = speaker.place(row), speaker.brief(row)
        else:
            title, body = speaker.title(row), speaker.about(row, (worst or {}).get(row.worst))
        told = {"id": plain(row.id), "title": plain(title), "body": plain(body)}
        if row.kind == "lake":
            fill = [*colour, (opacity // 2 if row.state == "hot" else opacity // 3) if looked else 26]
            edge = [*colour, 200 if looked else 110]
            for polygon in _polygons(
                row.geometry, 0 if row.level == "reach" else FAR_TOLERANCE if short and not fine else 0.004, digits
            ):
                cells.append(told | {"polygon": polygon, "fill": fill, "edge": edge})
            continue
        far, loud = row.level != "reach", row.state in ("hot", "cold")
        pixels = look.width(row.p_hot if loud else 0.0, far and not loud)
        simple = (0.0004 if fine else FAR_TOLERANCE) if short else {"reach": 0.0, "stretch": 0.003}[row.level]
        for path in _paths(row.geometry, simple, digits):
            into = bold if loud else lines if looked else dashed
            into.append(told | {"path": path, "color": [*colour, opacity], "width": pixels})
    common: Layer = {"getPath": "@@=path", "widthUnits": "pixels"}
    common |= {"jointRounded": True, "pickable": True, "autoHighlight": True, "highlightColor": [*colours.pick, 90]}
    dash: Layer = {"getDashArray": list(look.DASH)}
    return [
        _polygon_layer(f"cells-{turn}", cells),
        PATH | {"id": f"unlooked-{turn}"} | _columns(dashed, "color", "width") | common | dash,
        PATH | {"id": f"reaches-{turn}"} | _columns(lines, "color", "width") | common,
        # round ends make a dot of 500 m that would be two pixels long; in faint normal lines they would show as beads
        PATH | {"id": f"bold-{turn}", "capRounded": True} | _columns(bold, "color", "width") | common,
    ]


def outlined(drawn: Iterable[Layer]) -> list[Layer]:
    """Layers with areas as lines alone, for a first picture: filled ones are another kind, which takes a browser its time."""
    return [layer | {"filled": False} if layer["@@type"] == "PolygonLayer" else layer for layer in drawn]


def seen(drawn: Iterable[Layer]) -> list[Layer]:
    """Layers that hold something: an empty one costs the browser as much as a full one at first."""
    return [layer for layer in drawn if layer["data"]]


def same(value: float | Sequence[float]) -> str:
    """An accessor that gives every row `value`.

    >>> same([16, 32, 48, 255]), same(1.5)
    ('@@=[16,32,48,255]', '@@=1.5')
    """
    return f"@@={json.dumps(value, separators=(',', ':'))}"


def _columns(data: list[Layer], *names: str) -> Layer:
    """`data` and the accessors of `names`: a value that all rows share is said once.

    >>> _columns([{"path": 1, "color": [9]}, {"path": 2, "color": [9]}], "color")
    {'data': [{'path': 1}, {'path': 2}], 'getColor': '@@=[9]'}
    """
    shared = {name: data[0][name] for name in names if data and all(row[name] == data[0][name] for row in data)}
    kept = [{name: value for name, value in row.items() if name not in shared} for row in data]
    told = {ACCESSORS[name]: same(shared[name]) if name in shared else f"@@={name}" for name in names}
    return {"data": kept, **told}


def unseen(frame: pd.DataFrame, colours: Look) -> list[Layer]:
    """Days since the last look: a thin line on the right of the channel, light to dark.

    Neighbours of one step are joined into one line: an offset line breaks at every end, and 20 km are ten pixels.
    """
    import shapely

    channel = frame[frame["kind"] == "channel"]
    steps = np.array([look.age(days) for days in channel["unseen_d"]], dtype=int)
    paths = []
    far = not (channel["level"] == "reach").any()
    tolerance, digits = (FAR_TOLERANCE, 3) if far else (0.001, DIGITS)
    for step, colour in enumerate(colours.ages):
        for _, group in channel[steps == step].groupby("river", sort=True):
            parts = shapely.get_parts(group["geometry"].to_numpy())
            joined = shapely.line_merge(shapely.multilinestrings(list(parts)), directed=True)
            paths += [{"path": path, "color": [*colour, 255]} for path in _paths(joined, tolerance, digits)]
    offset: Layer = {"getOffset": 1.5}
    layer = LINE | {"id": "unseen", "data": paths, "getPath": "@@=path", "getColor": "@@=color"}
    return [
        layer
        | {
            "getWidth": same(1.8 if tolerance > 0.001 else 2.5),
            "widthUnits": "pixels",
            "jointRounded": True,
            "capRounded": True,
        }
        | offset
    ]


def picked(frame: pd.DataFrame, colours: Look) -> list[Layer]:
    """The chosen thing ringed: a wide line beneath its own."""
    paths: list[Any] = []
    for row in rows(frame):
        if row.kind == "lake":
            paths += [ring for polygon in _polygons(row.geometry, 0) for ring in polygon]
        else:
            paths += _paths(row.geometry, 0)
    outer: Layer = {
        **LINE,
        "id": "picked",
        "data": [{"path": path} for path in paths],
        "getPath": "@@=path",
    }
    outer |= {"getColor": same([*colours.pick, 235]), "getWidth": same(15), "widthUnits": "pixels"}
    inner = outer | {"id": "picked-inner", "getColor": same([*colours.paper, 255]), "getWidth": same(11)}
    return [part | {"capRounded": True, "jointRounded": True} for part in (outer, inner)]


def zones(
    frame: pd.DataFrame,
    in_force: Set[tuple[str, str, int]],
    speaker: Speaker,
    colours: Look,
    turn: int | str,
    zoom: float | None = None,
    short: bool = False,
) -> list[Layer]:
    """Zones: outline and a faint fill; solid where its `zone_key` is in force, dashed where not.

    With `zoom` only corners that can be seen at it. `short` says in words only whether they are in force, a click the rest.
    """
    pixel = 0.0 if zoom is None else 360 / (512 * 2**zoom)  # degrees
    tolerance, digits = max(0.001, pixel / 2), DIGITS if pixel < 0.005 else 3
    fills: list[Layer] = []
    dashed: list[Layer] = []
    for row in rows(frame):
        force = zone_key(row) in in_force
        title, body = speaker.zone(row, force)
        if short:
            body = speaker.say("zone_in_force" if force else "zone_out") + speaker.stop
        core = "核心" in str(row.category) or "core" in str(row.category).lower()
        told = {"id": zone_name(row), "title": plain(title), "body": plain(body)}
        for polygon in _polygons(row.geometry, tolerance, digits):
            fill = [*colours.zone, (44 if core else 26) if force else 8]
            fills.append(told | {"polygon": polygon, "fill": fill, "edge": [*colours.zone, 220 if force else 0]})
            if not force:
                dashed.extend({"path": ring} for ring in polygon)
    edge: Layer = {
        **LINE,
        "getPath": "@@=path",
        "getColor": same([*colours.zone, 220]),
        "widthUnits": "pixels",
    }
    dash: Layer = {"getDashArray": [3, 3]}
    # those in force have their edge from the polygon itself; dashes need lines of their own
    outlined = _polygon_layer(f"zones-{turn}", fills) | {"getLineWidth": same(1.5)}
    return [outlined, edge | {"id": "zones-dashed", "data": dashed, "getWidth": same(1.2)} | dash]


def tracks(frame: pd.DataFrame, colours: Look) -> list[Layer]:
    """Patrol tracks (columns unit_id, geometry) as hairlines."""
    paths = [{"path": path} for shape in frame["geometry"] for path in _paths(shape, 0)]
    layer = LINE | {"id": "tracks", "data": paths, "getPath": "@@=path", "widthUnits": "pixels"}
    return [layer | {"getColor": same([*colours.track, 110]), "getWidth": same(1.1)}]


def units(
    frame: pd.DataFrame, zoom: float, names: Mapping[str, str], speaker: Speaker, colours: Look, turn: int | str
) -> list[Layer]:
    """Units as arrows with heading and a ring for the age of the fix; one tag with a number where they crowd at `zoom`.

    frame: `moments.Fixes.at`; names: unit_id -> what people call it.
    """
    single: list[Layer] = []
    named: list[Layer] = []
    many: list[Layer] = []
    age_s, of_patrol = frame["age_s"].to_numpy(), frame["patrol"].to_numpy(dtype=bool)
    lon, lat = frame["lon"].to_numpy(), frame["lat"].to_numpy()
    groups = _crowds(lon, lat, zoom) if len(frame) > SINGLE_MAX else np.arange(len(frame))[:, None]
    for group in groups:
        if len(group) > 1:
            patrol = int(of_patrol[group].sum())
            old = int((age_s[group] > look.FRESH_S[-1]).sum())
            body = speaker.say("units_parts", patrol=patrol, traffic=len(group) - patrol, old=old)
            told = {"id": "", "title": speaker.say("units_here", n=f"{len(group):,}"), "body": body}
            position = _point(lon[group].mean(), lat[group].mean())
            many.append(told | {"position": position, "count": f"{len(group):,}"})
    alone = [int(group[0]) for group in groups if len(group) == 1]
    for row in rows(frame.iloc[alone]):
        moving = row.heading == row.heading and not row.speed < STILL_MS
        who = "patrol" if row.patrol else "traffic"
        symbol = f"{who}-{look.freshness(row.age_s)}-{'moving' if moving else 'still'}"
        name = plain(names.get(row.unit_id, row.unit_id))
        told = {"id": f"unit|{plain(row.unit_id)}", "title": name, "body": plain(speaker.motion(row))}
        place = {"position": _point(row.lon, row.lat)}
        single.append(told | place | {"symbol": symbol, "angle": -round(row.heading) if moving else 0})
        if row.patrol and zoom >= NAMED_ZOOM:
            age = f" {speaker.age(row.age_s)}" if row.age_s > look.FRESH_S[-1] else ""
            named.append(place | {"name": name[:NAME_MAX] + age})
    icon: Layer = {"@@type": "IconLayer", "id": f"units-{turn}", "iconAtlas": f"/app/static/units-{colours.name}.png"}
    icon |= {"data": single, "iconMapping": _mapping(UNITS), "getIcon": "@@=symbol", "getAngle": "@@=angle"}
    icon |= {"getPosition": "@@=position", "getSize": 30, "sizeUnits": "pixels", "pickable": True}
    tag = _tag(f"unit-crowds-{turn}", many, colours.patrol, colours, [0, 0])
    out = [icon, tag]
    if 0 < len(named) <= NAMED_MAX:
        label: Layer = {"@@type": "TextLayer", "id": "unit-names", "data": named, "getText": "@@=name", "getSize": 12}
        label |= {"getPosition": "@@=position", "getColor": [*colours.patrol, 255], "getPixelOffset": [0, 22]}
        label |= {"fontFamily": "map-sans, sans-serif", "characterSet": "auto", "background": True}
        out.append(label | {"getBackgroundColor": [*colours.paper, 170], "backgroundPadding": [3, 1, 3, 1]})
    return out


def trails(ways: Sequence[np.ndarray], colours: Look) -> list[Layer]:
    """The way units came, (k, 2) lon and lat each, as thin lines."""
    import shapely

    lines = shapely.simplify([shapely.LineString(way) for way in ways], WAY_TOLERANCE)
    data = [{"path": path} for line in lines for path in _paths(line, 0)]
    layer: Layer = LINE | {"id": "trails", "data": data, "getPath": "@@=path", "widthUnits": "pixels"}
    return [layer | {"getColor": same([*colours.patrol, 150]), "getWidth": same(1.6), "jointRounded": True}]


def seizures(frame: pd.DataFrame, zoom: float, speaker: Speaker, colours: Look, turn: int | str) -> list[Layer]:
    """Seizures by the setting they were found in; one symbol with a number where they crowd at `zoom`.

    frame: `seizures` with lon and lat known.
    """
    single: list[Layer] = []
    many: list[Layer] = []
    lon, lat = frame["lon"].to_numpy(dtype=float), frame["lat"].to_numpy(dtype=float)
    setting, report = frame["setting"].fillna("place_unknown").to_numpy(dtype=object), frame["report_id"].to_numpy()
    groups = _crowds(lon, lat, zoom)
    for group in groups:
        n = len(group)
        if n == 1:
            continue
        # the commonest first, of equals the one that comes first
        counted = sorted(Counter(setting[group]).items(), key=lambda one: -one[1])
        joint = "；" if speaker.lang == "zh" else "; "
        kinds = joint.join(f"{speaker.say(str(name))} {count}" for name, count in counted)
        told = {
            "id": "seizures|" + ",".join(plain(i) for i in report[group[:LISTED]]),
            "title": speaker.say("seizures_here", n=n),
            "body": f"{kinds}{speaker.stop}{speaker.say('seizures_zoom')}",
        }
        position = _point(lon[group].mean(), lat[group].mean())
        many.append(told | {"position": position, "count": f"{n:,}"})
    for row in rows(frame.iloc[[int(group[0]) for group in groups if len(group) == 1]]):
        title, body = speaker.seizure(row)
        symbol = row.setting if row.setting in SYMBOLS else "other"
        told = {"id": plain(f"seizure|{row.report_id}"), "title": plain(title), "body": plain(body)}
        single.append(told | {"position": _point(row.lon, row.lat), "symbol": symbol})
    icon: Layer = {"@@type": "IconLayer", "iconAtlas": f"/app/static/symbols-{colours.name}.png", "data": single}
    icon |= {"id": f"seizures-{turn}", "iconMapping": _mapping(SYMBOLS), "getIcon": "@@=symbol", "getSize": 17}
    icon |= {"getPosition": "@@=position", "sizeUnits": "pixels", "getColor": [*colours.seizure, 255], "pickable": True}
    # a tag above the place, not a disc on it: what was found must not hide where it is hot
    return [icon, _tag(f"crowds-{turn}", many, colours.seizure, colours, [0, -15])]


def _tag(name: str, data: list[Layer], ink: Rgb, colours: Look, offset: list[int]) -> Layer:
    """Numbers in a box."""
    tag: Layer = {"@@type": "TextLayer", "id": name, "data": data, "getText": "@@=count", "getSize": 11}
    tag |= {"getPosition": "@@=position", "getColor": [*ink, 255], "getPixelOffset": offset}
    tag |= {"background": True, "getBackgroundColor": [*colours.paper, 235], "backgroundPadding": [4, 2, 4, 2]}
    tag |= {"getBorderColor": [*ink, 255], "getBorderWidth": 1, "fontFamily": "map-sans, sans-serif"}
    return tag | {"pickable": True}


def _crowds(lon: np.ndarray, lat: np.ndarray, zoom: float) -> list[np.ndarray]:
    """Rows (k,) of places (n,) nearer than CROWD_PIXELS at `zoom` together: grid cells, joined where symbols would touch."""
    if not len(lon):
        return []
    size = CROWD_PIXELS * 360 / (512 * 2**zoom)
    squeeze = np.cos(np.radians(30))  # the basin lies around 30 degrees north: cells square on the screen
    x, y = lon / size, lat / (size * squeeze)
    cells = np.floor(np.column_stack([x, y])).astype(int)
    _, cell = np.unique(cells, axis=0, return_inverse=True)
    cell = cell.ravel()
    for _ in range(4):  # a joined crowd has a new middle, which may touch the next one
        n = np.bincount(cell)
        middle = np.column_stack([np.bincount(cell, x), np.bincount(cell, y)]) / n[:, None]
        apart = np.hypot(*(middle[:, None, :] - middle[None, :, :]).transpose(2, 0, 1))
        first = np.argmax(apart < TOUCH, axis=1)  # the first group each one touches, at most itself
        if (first == np.arange(len(n))).all():
            break
        _, cell = np.unique(first[cell], return_inverse=True)
    order = np.argsort(cell, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(cell[order])) + 1)


def _mapping(names: Sequence[str]) -> dict[str, dict[str, Any]]:
    return {name: {"x": 64 * i, "y": 0, "width": 64, "height": 64, "mask": False} for i, name in enumerate(names)}


def _polygon_layer(name: str, rows: list[Layer]) -> Layer:
    """rows: polygon, fill, edge."""
    common = {"getPolygon": "@@=polygon", "lineWidthUnits": "pixels", "getLineWidth": same(0.8), "pickable": True}
    return {**PATH, "@@type": "PolygonLayer", "id": name} | _columns(rows, "fill", "edge") | common


def _point(lon: float, lat: float) -> list[float]:
    return [round(float(lon), 5), round(float(lat), 5)]


def _paths(shape: Any, tolerance: float, digits: int = DIGITS) -> list[list[list[float]]]:
    """The lines of `shape` as lists of [lon, lat], simplified to `tolerance` degrees."""
    import shapely

    if shape is None or shapely.is_empty(shape):
        return []
    parts = [part for part in shapely.get_parts(shape) if part.geom_type == "LineString"]
    if tolerance:
        parts = list(shapely.simplify(parts, tolerance))
    return [np.round(shapely.get_coordinates(part), digits).tolist() for part in parts]


def _polygons(shape: Any, tolerance: float, digits: int = DIGITS) -> list[list[list[list[float]]]]:
    """The polygons of `shape`, each a list of rings."""
    import shapely

    if shape is None or shapely.is_empty(shape):
        return []
    if tolerance:
        shape = shapely.simplify(shape, tolerance)
    out = []
    for part in shapely.get_parts(shape):
        if part.geom_type == "Polygon" and not part.is_empty:
            rings = [part.exterior, *part.interiors]
            out.append([np.round(shapely.get_coordinates(ring), digits).tolist() for ring in rings])
    return out
