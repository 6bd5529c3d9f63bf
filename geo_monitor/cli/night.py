"""The demonstration's last night: a simulated feed through the duty room, with officers who sign, send and report.

In: a workspace and zones of `simulate.nights`. Out: events, warnings and taskings as a night leaves them, at the moment at
which the replay stops. Everything is simulated; what is found on the spot is what the simulation knows to be true.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pandas as pd

from geo_monitor.errors import Refused
from geo_monitor.feeds import Fix
from geo_monitor.loop.room import Room
from geo_monitor.loop.watch import ROOM
from geo_monitor.simulate import nights
from geo_monitor.stages import Tell, silent
from geo_monitor.store import live

if TYPE_CHECKING:
    import geopandas as gpd

    from geo_monitor.loop.desk import Desk
    from geo_monitor.river.network import Network
    from geo_monitor.workspace import Workspace

FEED = "模拟夜间.jsonl"
AGENCY = "模拟渔政支队"
PLANE = "EPSG:32649"
WHERE = (
    111.75,
    29.6,
    112.5,
    30.6,
)  # west, south, east, north of the water it is played on: the Jingjiang about Jingzhou
UNITS, HOURS = 60, 4.0  # boats, hours of the night
BEGIN = "T20:00"  # of the evening after all that was patrolled, Shanghai clock
SHOWN_H = 2.75  # hours after its begin at which the replay stops: things are going on
STEP_MS = 300_000  # officers look at the queue so often
SIGN_MS = 480_000  # after so long somebody has read a warning
SEND = ("red", "orange", "yellow")  # grades for which a boat is sent
COME_S = 5400.0  # a boat farther away than that is not sent
SPOT_MS = 900_000  # a crew is at work on the spot for so long


def water(lines: gpd.GeoDataFrame) -> Network:
    """The water of the night: the longest piece of the main stem within `WHERE`."""
    from geo_monitor import river

    parts = lines[lines["river"] == "长江"].clip(WHERE).explode(ignore_index=True)
    longest = parts.geometry.to_crs(PLANE).length.idxmax()
    return river.build(parts.loc[[longest]].reset_index(drop=True))


def replay(workspace: Workspace, network: Network, zones: Any, seed: int, tell: Tell = silent) -> None:
    """Plays the night on `network` up to the moment shown, where its clock then stands. `zones` of the night must be in the
    workspace already."""
    store, settings = workspace._store, workspace.settings
    newest = store.newest(frozenset(store.receipts_in_force(None, ["tracks"])))
    day = pd.Timestamp(newest or 0, unit="ms", tz="Asia/Shanghai") + pd.Timedelta(days=1)
    night = nights.night(network, zones, settings, seed, UNITS, HOURS, f"{day:%Y-%m-%d}{BEGIN}")
    offenders = {unit for units in night.truth.loc[night.truth["is_offence"], "unit_ids"] for unit in units}
    fixes, arrived = _fixes(night), night.arrivals["arrived"]
    moments = (arrived - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(milliseconds=1)
    order = night.arrivals["fix"].to_numpy()
    end = night.start + round(SHOWN_H * 3_600_000)
    with store.alone(ROOM) as held:
        if held is None:
            raise Refused("room_taken")
        room = Room(store, settings, event_clock=True)
        for low in range(night.start, end, STEP_MS):
            tell("night", (low - night.start) / (end - night.start))
            batch = [fixes[k] for k in order[(moments >= low) & (moments < min(low + STEP_MS, end))]]
            live.append(store, FEED, AGENCY, batch, None, low + STEP_MS, {})
            room.turn(low + STEP_MS)
            _duty(workspace.desk, offenders)
    live.seal(store, settings, datetime.now(UTC))
    tell("night", 1.0)


def _fixes(night: nights.Night) -> list[Fix]:
    of = night.fixes
    times = ((of["time"] - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(milliseconds=1)).tolist()
    names = ("unit_id", "lon", "lat", "speed", "heading", "role", "source", "platform")
    columns = [[None if value is None or value != value else value for value in of[name]] for name in names]
    return [Fix(row[0], time, *row[1:]) for time, row in zip(times, zip(*columns, strict=True), strict=True)]


def _duty(desk: Desk, offenders: set[str]) -> None:
    """What the officers do at this moment of the replay: first those on the water, then the desk."""
    now = desk.now()
    for tasking in desk.taskings(running=True).itertuples():
        _crew(desk, tasking, now, offenders)
    for row in desk.queue(now).to_dict("records"):
        if row["state"] == "open" and now - row["opened_at"] >= pd.Timedelta(milliseconds=SIGN_MS):
            desk.sign(row["warning_id"], now)
            if row["grade"] in SEND:
                _send(desk, row["warning_id"], row["grade"], now)


def _send(desk: Desk, warning_id: str, grade: str, now: datetime) -> None:
    """The first who can be there within `COME_S`; where nobody can, that is told of red ones, others wait for somebody."""
    found = desk.candidates(warning_id, now)
    able = found[found["reason"].isna() & (found["seconds"] <= COME_S)]
    if len(able):
        desk.dispatch(warning_id, str(able["unit_id"].iloc[0]), now)
    elif grade == "red":
        desk.no_unit(warning_id, "附近巡护艇均在执行任务（模拟）", now)


def _crew(desk: Desk, row: Any, now: datetime, offenders: set[str]) -> None:
    """One step of a crew that was sent, if it is time."""
    age = now - row.made_at
    if row.state == "offered":
        desk.act(row.tasking_id, "accept", now)
    elif row.state == "accepted":
        desk.act(row.tasking_id, "depart", now)
    elif row.state == "under_way" and now >= row.due_at - pd.Timedelta(minutes=5):
        desk.act(row.tasking_id, "arrive", now)
    elif row.state == "on_scene" and age >= (row.due_at - row.made_at) + pd.Timedelta(milliseconds=SPOT_MS):
        units = {unit for one in desk.events(row.warning_id)["unit_ids"] for unit in one}
        right = bool(units & offenders)
        words = "现场查获渔具（模拟）" if right else "现场未见异常（模拟）"
        desk.act(row.tasking_id, "finish", now, outcome="case" if right else "nothing_found", words=words)
