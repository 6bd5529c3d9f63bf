"""What the page reads: frames of one workspace, kept once for everybody who looks (`st.cache_resource`).

Nothing is computed here that an analysis should compute; rows are filtered, joined and shortened for drawing. Cached
frames are shared between sessions and must not be written to.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from geo_monitor.app import levels
from geo_monitor.app.deck import BASIN, Bounds
from geo_monitor.app.rows import rows
from geo_monitor.errors import Usage
from geo_monitor.tables import TIMEZONE

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.settings import Settings
    from geo_monitor.workspace import Workspace

TRACKS_MAX = 300  # patrols drawn at most; the page says so when there are more
TRACK_GAP_S = 600  # seconds; a longer gap breaks the line, as it adds no effort either
TRACK_TOLERANCE = 0.0008  # degrees; about 80 m, below the accuracy of the base map


def location() -> Path:
    """The workspace to show: after `--` on the command line, else GEO_MONITOR_WORKSPACE, else ./workspace."""
    given = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    return Path(given[0] if given else os.environ.get("GEO_MONITOR_WORKSPACE", "workspace"))


@st.cache_resource(show_spinner=False, max_entries=64)
def workspace(path: str) -> Workspace:
    """The workspace behind a door (`door.key`: path and rights), opened once; a missing one becomes an empty one."""
    from geo_monitor.app import door
    from geo_monitor.workspace import Workspace, open_workspace

    root, viewer = door.parts(path)
    return open_workspace(root) if viewer is None else Workspace(root, viewer)


def stamp(path: str, tracks: bool = True) -> str:
    """Changes whenever an upload is taken in or withdrawn, an analysis ends, or somebody may see more or less: the key
    under which uploaded tables are kept. Without `tracks` it stays the same when fixes come in."""
    held = workspace(path)
    return f"{held.store.mark(tracks)}|{held.accounts.stamp()}"


def runs(path: str) -> pd.DataFrame:
    """Every analysis, newest first."""
    return _runs(path, stamp(path, tracks=False))


@st.cache_resource(show_spinner=False, max_entries=16)
def _runs(path: str, mark: str) -> pd.DataFrame:
    return workspace(path).table("runs").sort_values("made_at", ascending=False, kind="stable").reset_index(drop=True)


@st.cache_resource(show_spinner=False, max_entries=24)
def uploaded(path: str, name: str, mark: str) -> pd.DataFrame:
    """An uploaded table in force; `mark` comes from `stamp`."""
    return workspace(path).table(name)


def current(path: str) -> pd.Series | None:
    """The run that speaks of the latest time, of those the one made last: what a page of the present shows."""
    return _current(path, stamp(path, tracks=False))


@st.cache_resource(show_spinner=False, max_entries=16)
def _current(path: str, mark: str) -> pd.Series | None:
    return latest(_runs(path, mark))


def latest(held: pd.DataFrame) -> pd.Series | None:
    """Of analyses (`runs`) the one that `current` gives."""
    if not len(held):
        return None
    each: list[Any] = [held.iloc[i] for i in range(len(held))]
    found: pd.Series = max(each, key=lambda run: (period(run)[1], run["made_at"]))
    return found


def summary(run: pd.Series) -> dict[str, Any]:
    """What a run (a row of `runs`) says of itself."""
    told: dict[str, Any] = json.loads(str(run["summary"]))
    return told


def period(run: pd.Series) -> tuple[pd.Timestamp, pd.Timestamp]:
    """The time a run speaks of: its period where one was given, else from the first to the last of its data."""
    import pandas as pd

    told = summary(run)
    ends = []
    for column, key in (("period_from", "data_from"), ("period_to", "data_to")):
        value = told.get(key) if pd.isna(run[column]) else run[column]
        ends.append(pd.Timestamp(value if value else run["made_at"]))
    return ends[0], ends[1]


@st.cache_resource(show_spinner=False, max_entries=6)
def reaches(path: str, run_id: str, now: pd.Timestamp) -> pd.DataFrame:
    """The answer of a run joined with the shapes of its reaches (`levels.joined`), days counted back from `now`.

    Before the end of the run's period the last look is that of the last day with effort up to the day of `now`, to the
    day; rates stay those of the run.
    """
    import numpy as np

    held = workspace(path)
    frame = levels.joined(held.table("hotspots", run=run_id), held.table("reaches", run=run_id), now)
    of = runs(path)
    if now >= period(of[of["run_id"] == run_id].iloc[0])[1]:
        return frame
    looked = effort(path, run_id)
    if looked is None:
        return frame
    day = int(np.datetime64(now.tz_convert(TIMEZONE).tz_localize(None), "D").astype(int))
    last = looked[looked["day"] <= day].groupby("reach_id", observed=True)["day"].max()
    unseen = day - last.reindex(frame["reach_id"]).to_numpy(dtype=float)
    return frame.assign(unseen_d=unseen)


@st.cache_resource(show_spinner=False, max_entries=4)
def effort(path: str, run_id: str) -> pd.DataFrame | None:
    """Of `effort`: reach_id (categorical), day (days since 1970), minutes."""
    import numpy as np
    import pandas as pd

    held = result(path, "effort", run_id)
    if held is None:
        return None
    day = np.asarray(held["day"].to_numpy(), dtype="datetime64[D]").astype(int)
    minutes = held["minutes"].to_numpy()
    return pd.DataFrame({"reach_id": held["reach_id"].astype("category"), "day": day, "minutes": minutes})


@st.cache_resource(show_spinner=False, max_entries=16)
def drawn(path: str, run_id: str, now: pd.Timestamp, area: tuple[Any, ...], live: bool = False) -> pd.DataFrame:
    """What is drawn of an area (`in_area`): reaches while few, else stretches; less of it on a `live` map."""
    draw = levels.live if live else levels.choose
    return draw(in_area(reaches(path, run_id, now), area), basin=area[0] == "basin")


def in_area(frame: pd.DataFrame, area: tuple[Any, ...]) -> pd.DataFrame:
    """Rows of an area: ("basin",), ("province", "42"), ("city", "421000") or ("river", "长江", km_from, km_to).

    A reach belongs to a locality where either of its banks does; a river without km is taken whole.
    """
    if area[0] == "basin":
        return frame
    if area[0] in ("province", "city"):
        code = str(area[1])
        left, right = frame["adcode_left"].fillna(""), frame["adcode_right"].fillna("")
        return frame[left.str.startswith(code) | right.str.startswith(code)]
    frame = frame[frame["river"] == area[1]]
    if len(area) < 4 or area[2] is None:
        return frame
    return frame[(frame["km_to"] > area[2]) & (frame["km_from"] < area[3])]


@st.cache_resource(show_spinner=False, max_entries=4)
def localities(path: str, mark: str) -> dict[str, tuple[str, str]]:
    """adcode -> (name, name of the province): the shipped divisions, overridden by uploaded jurisdictions."""
    from geo_monitor.reference import path as reference

    known: dict[str, tuple[str, str]] = {}
    raw = json.loads(reference("divisions/localities.geojson").read_text(encoding="utf-8"))
    for feature in raw["features"]:
        told = feature["properties"]
        if told["adcode"]:
            known[str(told["adcode"])] = (told["name"], told["parent_name"])
    sent = uploaded(path, "jurisdictions", mark)
    for row in rows(sent[sent["adcode"].notna()]):
        known[str(row.adcode)] = (str(row.name), known.get(str(row.adcode), ("", ""))[1])
    return known


def in_force(
    zones: pd.DataFrame, now: pd.Timestamp, levels: pd.DataFrame | None = None, settings: Settings | None = None
) -> set[tuple[str, str, int]]:
    """`zone_key` of the zones in force at `now` (UTC), by the rule the joins use. levels: table `levels`; a zone whose
    rule asks for a level that is not known at `now` counts as in force."""
    from geo_monitor.joins.zones import zones_between

    moment = int(now.timestamp() * 1000)
    held = zones_between(zones, moment, moment, levels, settings)
    return {(z.agency or "", z.zone_id, z.version) for z in held if any(a <= moment < b for a, b in z.windows)}


@st.cache_resource(show_spinner=False, max_entries=8)
def tracks(path: str, mark: str, end: pd.Timestamp, days: int) -> tuple[pd.DataFrame, int]:
    """Patrol tracks of the `days` before `end`, latest first, at most TRACKS_MAX; and how many there are.

    Columns: unit_id, started_at, geometry (lines, broken at gaps over TRACK_GAP_S and simplified).
    """
    import pandas as pd
    import pyarrow.compute as pc

    from geo_monitor.store import expire
    from geo_monitor.store.database import milliseconds

    columns = ["unit_id", "patrol_id", "time", "lon", "lat", "role"]
    store = workspace(path).store
    start = expire.since(store, milliseconds(end - timedelta(days=days)))
    held = store.positions(start=start, end=max(start, end), columns=columns)
    fixes = held.filter(pc.equal(held["role"], "patrol")).to_pandas()
    empty = pd.DataFrame({"unit_id": [], "started_at": [], "geometry": []})
    if not len(fixes):
        return empty, 0
    return lines(fixes)


def lines(fixes: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Fixes (unit_id, patrol_id, time, lon, lat; sorted by unit and time) as one row a patrol, and how many there are.

    >>> import pandas as pd
    >>> time = pd.to_datetime([0, 300, 1200, 1500], unit="s", utc=True)
    >>> fixes = pd.DataFrame({"unit_id": "a", "patrol_id": None, "time": time, "lon": [0, 1, 2, 3.0], "lat": 0.0})
    >>> [shape.wkt for shape in lines(fixes)[0]["geometry"]]
    ['MULTILINESTRING ((2 0, 3 0))', 'MULTILINESTRING ((0 0, 1 0))']
    """
    import numpy as np
    import pandas as pd
    import shapely

    unit = fixes["unit_id"].to_numpy()
    patrol = fixes["patrol_id"].fillna("").to_numpy()
    seconds = fixes["time"].astype("datetime64[ms, UTC]").astype("int64").to_numpy() / 1e3
    other = np.r_[True, (unit[1:] != unit[:-1]) | (patrol[1:] != patrol[:-1])]
    gap = np.r_[True, np.diff(seconds) > TRACK_GAP_S]
    piece = np.cumsum(other | gap) - 1
    # one patrol: the pieces that share unit and patrol id; without an id every piece is its own
    named = np.where(patrol == "", [f"#{n}" for n in piece], patrol)
    whole = np.array([f"{name}|{of}" for name, of in zip(named, unit, strict=True)], dtype=object)
    first = np.flatnonzero(other | gap)
    size = np.bincount(piece)
    keep = np.repeat(size >= 2, size)
    numbers = np.repeat(np.cumsum(size >= 2) - 1, size)[keep]
    if not len(numbers):
        return pd.DataFrame({"unit_id": [], "started_at": [], "geometry": []}), 0
    parts = shapely.linestrings(fixes[["lon", "lat"]].to_numpy()[keep], indices=numbers)
    pieces = pd.DataFrame(
        {
            "patrol": whole[first][size >= 2],
            "unit_id": unit[first][size >= 2],
            "started_at": fixes["time"].to_numpy()[first][size >= 2],
            "line": shapely.simplify(parts, TRACK_TOLERANCE),
        }
    )
    grouped = pieces.groupby("patrol", sort=False).agg(
        unit_id=("unit_id", "first"), started_at=("started_at", "min"), line=("line", list)
    )
    grouped = grouped.sort_values("started_at", ascending=False, kind="stable")
    total = len(grouped)
    grouped = grouped.head(TRACKS_MAX).reset_index(drop=True)
    grouped["geometry"] = [shapely.multilinestrings(lines_) for lines_ in grouped.pop("line")]
    return grouped, total


def placed(seizures: pd.DataFrame, links: pd.DataFrame | None, reaches: pd.DataFrame | None) -> pd.DataFrame:
    """`seizures` with a place for those reported by river and km: the middle of the reach they were located on."""
    if links is None or reaches is None or not len(seizures):
        return seizures
    middle = reaches.set_index("reach_id")[["lon", "lat"]]
    reach = links.drop_duplicates("report_id").set_index("report_id")["reach_id"].reindex(seizures["report_id"])
    found = middle.reindex(reach.to_numpy())
    out = seizures.copy()
    for name in ("lon", "lat"):
        out[name] = out[name].where(out[name].notna(), found[name].to_numpy())
    return out


def result(path: str, name: str, run_id: str) -> pd.DataFrame | None:
    """A result table of a run, or None where this run has none of that name (an older program made it)."""
    try:
        return _result(path, name, run_id)
    except Usage as error:
        if error.code != "no_such_result":
            raise
        return None


@st.cache_resource(show_spinner=False, max_entries=8)
def _result(path: str, name: str, run_id: str) -> pd.DataFrame:
    return workspace(path).table(name, run=run_id)


@st.cache_resource(show_spinner=False, max_entries=8)
def reports(path: str, run_id: str | None, mark: str) -> pd.DataFrame:
    """Seizures in force with a place (`placed`) and, where a run located them, their reach_id."""
    sent = uploaded(path, "seizures", mark)
    if run_id is None:
        return sent.assign(reach_id=None)
    links = result(path, "seizure_links", run_id)
    water = workspace(path).table("reaches", run=run_id)
    found = placed(sent, links, water).copy()
    if links is None:
        return found.assign(reach_id=None)
    reach = links.drop_duplicates("report_id").set_index("report_id")["reach_id"].reindex(found["report_id"])
    return found.assign(reach_id=reach.to_numpy())


@st.cache_resource(show_spinner=False, max_entries=16)
def names_of_units(path: str, mark: str) -> dict[str, str]:
    """unit_id -> what people call it."""
    sent = uploaded(path, "units", mark)
    named = sent[sent["name"].notna()]
    return dict(zip(named["unit_id"].astype(str), named["name"].astype(str), strict=True))


@st.cache_resource(show_spinner=False, max_entries=32)
def days(path: str, run_id: str, area: tuple[Any, ...], mark: str) -> pd.DataFrame:
    """Hours patrolled and seizures of an area by Shanghai day: index day (without zone), columns hours, cases."""
    import pandas as pd

    of = runs(path)
    end = period(of[of["run_id"] == run_id].iloc[0])[1]
    ids = pd.Index(in_area(reaches(path, run_id, end), area)["reach_id"])
    looked = effort(path, run_id)
    out = pd.DataFrame({"hours": pd.Series(dtype=float), "cases": pd.Series(dtype=int)})
    if looked is not None:
        mine = looked[looked["reach_id"].isin(ids)]
        out = pd.DataFrame({"hours": mine.groupby("day")["minutes"].sum() / 60})
        out.index = pd.to_datetime(out.index, unit="D")
    sent = reports(path, run_id, mark)
    sent = sent[sent["reach_id"].isin(ids) & sent["time"].notna()]
    by_day = sent["time"].dt.tz_convert(TIMEZONE).dt.tz_localize(None).dt.normalize().value_counts()
    out.index = pd.DatetimeIndex(out.index)
    return out.reindex(out.index.union(by_day.index)).assign(cases=by_day).fillna({"hours": 0.0, "cases": 0})


@st.cache_resource(show_spinner=False, max_entries=64)
def in_force_at(path: str, mark: str, now: pd.Timestamp) -> frozenset[tuple[str, str, int]]:
    """`in_force` of the zones of a workspace, some by the water level."""
    zones = uploaded(path, "zones", mark)
    if "level_station" not in zones or not zones["level_station"].notna().any():
        return frozenset(in_force(zones, now))
    return frozenset(in_force(zones, now, uploaded(path, "levels", mark), workspace(path).settings))


def bounds(area: tuple[Any, ...], frame: pd.DataFrame) -> Bounds:
    """What the map shows of an area: the basin, or the box around its reaches with a margin."""
    import shapely

    if area[0] == "basin" or not len(frame):
        return BASIN
    west, south, east, north = shapely.total_bounds(frame["geometry"].to_numpy())
    margin = max(0.06 * max(east - west, north - south), 0.02)
    return float(west - margin), float(south - margin), float(east + margin), float(north + margin)


def within(frame: pd.DataFrame, bounds: Bounds) -> pd.DataFrame:
    """Rows of `frame` with lon and lat inside `bounds`."""
    west, south, east, north = bounds
    lon, lat = frame["lon"], frame["lat"]
    return frame[(lon >= west) & (lon <= east) & (lat >= south) & (lat <= north)].reset_index(drop=True)
