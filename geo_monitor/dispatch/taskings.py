"""Taskings: what a unit was asked, what it answered, and what came of it. Rows in, rows out; now is an argument.

    offered -> accepted -> under_way -> on_scene -> done
       |          |            |
       +----------+------------+-> declined            no_unit: nobody could be asked; kept and counted
    recalled: from the first four, when the warning is recalled or closed

Under way and on the scene follow from the unit's own track, so that crews need not type; by hand they may be told too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from geo_monitor.dispatch.road import air
from geo_monitor.dispatch.water import Conditions, Place, waterway
from geo_monitor.errors import Refused, Usage
from geo_monitor.river.geodesy import Floats
from geo_monitor.tables import TIMEZONE

if TYPE_CHECKING:
    import pandas as pd

    from geo_monitor.river.network import Network
    from geo_monitor.settings import Settings

STATES = ("offered", "accepted", "under_way", "on_scene", "done", "declined", "recalled", "no_unit")
OUTCOMES = ("case", "education", "nothing_found", "no_unit", "false")  # as in `warnings`
STEPS = {  # action -> states it may be taken in, the state it leads to
    "accept": (("offered",), "accepted"),
    "decline": (("offered", "accepted", "under_way"), "declined"),
    "depart": (("accepted",), "under_way"),
    "arrive": (("accepted", "under_way"), "on_scene"),
    "finish": (("on_scene",), "done"),
}
MOMENT = {"accept": "accepted_at", "depart": "under_way_at", "arrive": "on_scene_at", "decline": "ended_at",
          "finish": "ended_at"}  # fmt: skip
RECALLED_MS = 12 * 3_600_000  # a shift: so long a recalled tasking stands among those that run
AFLOAT = ("boat", "rubber_boat")


@dataclass(frozen=True)
class Result:
    """What came of it: an outcome (`OUTCOMES`), words, the report it led to."""

    outcome: str
    text: str | None = None
    report_id: str | None = None


@dataclass(frozen=True)
class Tasking:
    """One row. Times are ms UTC. unit_id is None for `no_unit`. result is the outcome; text says it in words, or why it
    was declined or recalled or nobody could be asked. told_by: who told the last step; how: by hand or by track."""

    tasking_id: str
    warning_id: str
    unit_id: str | None
    state: str
    made_at: int
    due_at: int | None
    result: str | None = None
    text: str | None = None
    report_id: str | None = None
    accepted_at: int | None = None
    under_way_at: int | None = None
    on_scene_at: int | None = None
    ended_at: int | None = None
    told_by: str | None = None
    how: str | None = None

    @property
    def open(self) -> bool:
        """Whether something is still to come."""
        return self.state not in ("done", "declined", "recalled", "no_unit")

    @property
    def last_at(self) -> int:
        """When the last step was taken."""
        times = (self.accepted_at, self.under_way_at, self.on_scene_at, self.ended_at)
        return max([self.made_at, *(time for time in times if time is not None)])


def tasking_id(warning_id: str, unit_id: str | None, made_at: int) -> str:
    """The same for the same warning, unit and moment: SHA-256 of them, 16 characters.

    >>> tasking_id("w", "u", 0) == tasking_id("w", "u", 0) != tasking_id("w", None, 0)
    True
    """
    return hashlib.sha256(f"{warning_id}\x1f{unit_id or ''}\x1f{made_at}".encode()).hexdigest()[:16]


def due(eta: int, settings: Settings) -> int:
    """When a tasking is due (ms UTC) whose unit is reckoned to arrive at `eta`."""
    return int(eta + round(1000 * settings.dispatch_margin_s))


def offer(warning_id: str, unit_id: str, now: int, due_at: int) -> Tasking:
    """A unit is asked. Raises `Usage("tasking_unit_missing")`, `Refused("tasking_due_past")`."""
    if not unit_id:
        raise Usage("tasking_unit_missing")
    if due_at < now:
        raise Refused("tasking_due_past")
    return Tasking(tasking_id(warning_id, unit_id, now), warning_id, unit_id, "offered", now, due_at)


def no_unit(warning_id: str, now: int, why: str, who: str | None = None) -> Tasking:
    """Nobody could be asked: kept, with the reason in words, and counted. Raises `Refused("tasking_why_missing")`."""
    if not why or not why.strip():
        raise Refused("tasking_why_missing")
    return Tasking(
        tasking_id(warning_id, None, now), warning_id, None, "no_unit", now, None, "no_unit", why.strip(),
        ended_at=now, told_by=who, how="hand",
    )  # fmt: skip


def act(
    tasking: Tasking,
    action: str,
    now: int,
    who: str,
    result: Result | None = None,
    *,
    why: str | None = None,
    due_at: int | None = None,
    speaks_for: Collection[str] | None = None,
) -> Tasking:
    """The tasking after `action`: accept, decline, depart, arrive or finish.

    who : who does it, kept in `told_by`
    result : asked for by finish, and by nothing else
    why : asked for by decline
    due_at : on accept, the due time reckoned anew (`due(eta)`); else it stays
    speaks_for : the units that `who` may speak for; None: only the unit of that name

    Raises `Usage("tasking_action_unknown")`; `Refused`: `tasking_not_yours`, `tasking_wrong_step`, `tasking_time_back`,
    `tasking_result_missing`, `tasking_result_unknown`, `tasking_result_early`, `tasking_why_missing`, `tasking_due_past`.
    """
    if action not in STEPS:
        raise Usage("tasking_action_unknown", action=action)
    if tasking.unit_id is None or tasking.unit_id not in ({who} if speaks_for is None else set(speaks_for)):
        raise Refused("tasking_not_yours", unit=tasking.unit_id or "-")
    new = _step(tasking, action, now, who, "hand")
    if action == "finish":
        if result is None:
            raise Refused("tasking_result_missing")
        if result.outcome not in OUTCOMES:
            raise Refused("tasking_result_unknown", outcome=result.outcome, outcomes=[*OUTCOMES])
        return replace(new, result=result.outcome, text=result.text, report_id=result.report_id)
    if result is not None:
        raise Refused("tasking_result_early", action=f"@tasking.action.{action}")
    if action == "decline":
        if not why or not why.strip():
            raise Refused("tasking_why_missing")
        return replace(new, text=why.strip())
    if action == "accept" and due_at is not None:
        if due_at < now:
            raise Refused("tasking_due_past")
        return replace(new, due_at=due_at)
    return new


def recall(tasking: Tasking, now: int, who: str, why: str | None = None) -> Tasking:
    """The tasking called off at `now` (ms UTC), as its warning was recalled or closed; a step that its crew's clock put
    later does not keep it. Raises `Refused("tasking_wrong_step")` for one at its end."""
    if not tasking.open:
        raise Refused("tasking_wrong_step", action="@tasking.action.recall", state=f"@tasking.state.{tasking.state}")
    moment = max(now, tasking.last_at)
    return replace(tasking, state="recalled", text=why, ended_at=moment, told_by=who, how="hand")


def _step(tasking: Tasking, action: str, now: int, who: str | None, how: str) -> Tasking:
    allowed, state = STEPS[action]
    if tasking.state not in allowed:
        raise Refused("tasking_wrong_step", action=f"@tasking.action.{action}", state=f"@tasking.state.{tasking.state}")
    if now < tasking.last_at:
        raise Refused("tasking_time_back")
    moment: dict[str, int] = {MOMENT[action]: now}
    return replace(tasking, state=state, told_by=who, how=how, **moment)  # type: ignore[arg-type]


def overdue(taskings: Iterable[Tasking], now: int) -> list[Tasking]:
    """Those not yet on the scene whose due time has passed, longest overdue first."""
    late = [
        one
        for one in taskings
        if one.state in ("offered", "accepted", "under_way") and one.due_at is not None and one.due_at < now
    ]
    return sorted(late, key=lambda one: (one.due_at, one.tasking_id))


def by_track(
    tasking: Tasking,
    fixes: pd.DataFrame,
    place: Place,
    network: Network,
    settings: Settings,
    platform: str = "boat",
) -> list[Tasking]:
    """The steps that a unit's own fixes tell: its tasking as it goes on, none to two rows.

    fixes : unit_id, time (UTC, or ms), lon, lat; of any units, in any order
    platform : boats are measured along the water, others in a straight line

    Under way: a fix `dispatch_toward_m` nearer to the place than the unit was when it accepted (its last fix of the
    `dispatch_fix_s` before, else the first after). On the scene: a fix within `dispatch_there_m`; where only reach and km of the place are known,
    in a straight line within the locating tolerance more. Steps carry the time of their fix and how = track.
    """
    from geo_monitor import river

    if tasking.state not in ("accepted", "under_way") or tasking.accepted_at is None:
        return []
    own = fixes[fixes["unit_id"] == tasking.unit_id]
    time = _ms(own["time"])
    order = np.argsort(time, kind="stable")
    recent = (time <= tasking.accepted_at) & (time >= tasking.accepted_at - 1000 * settings.dispatch_fix_s)
    before = order[recent[order]][-1:]
    track = np.r_[before, order[time[order] > tasking.accepted_at]]
    if not len(track):
        return []
    time = time[track]
    lon, lat = own["lon"].to_numpy(dtype=float)[track], own["lat"].to_numpy(dtype=float)[track]
    straight = air(lon, lat, place)
    metres, slack = straight, 0.0
    if platform in AFLOAT and place.reach >= 0:
        spots = river.place(lon, lat, network)
        # still water at 1 m/s: seconds are metres
        metres = waterway(network, Conditions()).times(spots.reach, spots.km, place, 1.0)[0]
        metres = np.where((spots.reach == place.reach) & (place.reach >= network.channels), straight, metres)
    if not place.exact and place.reach >= 0:
        slack = float(network.tolerance_m[place.reach])
    steps: list[Tasking] = []
    after = time > tasking.accepted_at
    there = after & (metres <= settings.dispatch_there_m) & (straight <= settings.dispatch_there_m + slack)
    toward = after & (_first_known(metres) - metres > settings.dispatch_toward_m)
    if tasking.under_way_at is not None:
        there &= time >= tasking.under_way_at
    now = tasking
    if tasking.state == "accepted" and toward.any():
        moved = int(time[toward].min())
        if not there.any() or moved <= int(time[there].min()):
            now = _step(now, "depart", moved, tasking.unit_id, "track")
            steps.append(now)
    if there.any():
        now = _step(now, "arrive", int(time[there].min()), tasking.unit_id, "track")
        steps.append(now)
    return steps


def _first_known(metres: Floats) -> float:
    """The first distance that is one; NaN where there is none (nothing is nearer than NaN)."""
    known = metres[np.isfinite(metres)]
    return float(known[0]) if len(known) else float("nan")


def _ms(time: pd.Series) -> np.ndarray:
    import pandas as pd

    if isinstance(time.dtype, pd.DatetimeTZDtype):
        return time.dt.as_unit("ms").astype("int64").to_numpy()
    return pd.to_numeric(time).to_numpy(dtype=np.int64)


def table(taskings: Iterable[Tasking]) -> pd.DataFrame:
    """A frame of the rows, columns as in `Tasking`, times as UTC timestamps."""
    import pandas as pd

    names = [one.name for one in fields(Tasking)]
    frame = pd.DataFrame([asdict(one) for one in taskings], columns=names, dtype=object)
    for name in names:
        if name.endswith("_at"):
            frame[name] = pd.to_datetime(pd.to_numeric(frame[name]).astype("Int64"), unit="ms", utc=True).astype(
                "datetime64[ms, UTC]"
            )
    return frame


def counts(taskings: Iterable[Tasking], locality: Mapping[str, str] | None = None) -> pd.DataFrame:
    """A row a locality and month (Shanghai, of `made_at`): how asking went.

    locality : adcode of each warning_id; warnings not in it, or none given, count under an empty adcode

    Columns adcode, month (YYYY-MM), offers, accepted, declined, no_unit, on_scene, done, then those done by outcome
    (outcome_case, outcome_education, outcome_nothing_found, outcome_no_unit, outcome_false), accept_min and arrive_min: median minutes from asking to
    acceptance and to arrival (NaN where none). A unit that accepted and then declined counts in both.
    """
    import pandas as pd

    every = list(taskings)
    asked = np.array([one.unit_id is not None for one in every], dtype=bool)
    made = np.array([one.made_at for one in every], dtype="int64")

    def minutes(name: str) -> Floats:
        return np.array(
            [np.nan if getattr(one, name) is None else (getattr(one, name) - one.made_at) / 60_000 for one in every]
        )

    frame = pd.DataFrame(
        {
            "adcode": [(locality or {}).get(one.warning_id, "") for one in every],
            "month": pd.to_datetime(pd.Series(made), unit="ms", utc=True).dt.tz_convert(TIMEZONE).dt.strftime("%Y-%m"),
            "offers": asked,
            "accepted": [one.accepted_at is not None for one in every],
            "declined": [one.state == "declined" for one in every],
            "no_unit": ~asked,
            "on_scene": [one.on_scene_at is not None for one in every],
            "done": [one.state == "done" for one in every],
            **{f"outcome_{name}": [one.state == "done" and one.result == name for one in every] for name in OUTCOMES},
        }
    )
    keys = ["adcode", "month"]
    sums = frame.groupby(keys, sort=True).sum().astype("int64")
    times = pd.DataFrame({**frame[keys], "accept_min": minutes("accepted_at"), "arrive_min": minutes("on_scene_at")})
    return sums.join(times.groupby(keys).median()).reset_index()
