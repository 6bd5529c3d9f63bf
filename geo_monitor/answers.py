"""The optional methods of the main job: tables in, each method's arrays, its result table out. One function a method.

| `--methods` | result | method |
|---|---|---|
| `emerging` | `hotspots.class` | `hotspots/series.py`, `emerging.py` |
| `scan` | `clusters` | `hotspots/scan.py` |
| `near_repeat` | `near_repeat` | `hotspots/near_repeat.py` |
| `reemergence` | `reemergence`, `relapse_curve` | `hotspots/reemergence.py`, `relapse.py` |
| `displacement` | `displacement` | `hotspots/operations.py`, `displacement.py` |
| `forecast` | `forecast` | `hotspots/forecast.py` |
| `why` | `why` | `hotspots/why.py` |
| `predictability` | `predictability` | `hotspots/predictability.py` |

Steps are counted back from the end of the period: 28 days where a method asks for Gi* or surges, 7 for the watch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor import hotspots
from geo_monitor.panel import Panel, moment
from geo_monitor.tables import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd
    from numpy.typing import NDArray

    from geo_monitor.hotspots import Posterior
    from geo_monitor.river import Network
    from geo_monitor.settings import Settings
    from geo_monitor.tracks import Chunk

WEEK = 7
FRESH = 4  # weeks the forecast sees week by week: they make its last 28-day step ...
MONTHS = 12  # ... after so many steps of 28 days
SURGE, CRACKDOWN = 1, 2  # treatments as `hotspots.reemergence` codes them
TREATED = {SURGE: "surge", CRACKDOWN: "crackdown"}
NARROWED = 0.005  # share of an interval that is told as more than nothing
PUNISHED = ("administrative", "criminal")  # dispositions that are a crackdown and not advice


@dataclass
class Ground:
    """What the methods stand on. `panel` is None where nobody looked and nothing was found."""

    panel: Panel | None
    network: Network
    settings: Settings
    seed: int

    @cached_property
    def ids(self) -> NDArray[np.object_]:
        return self.network.reaches["reach_id"].to_numpy(dtype=object)

    @cached_property
    def steps(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Cases and hours (t, n) of the 28-day steps."""
        if self.panel is None:
            return np.zeros((0, len(self.ids))), np.zeros((0, len(self.ids)))
        return self.panel.steps(self.settings.step_days)

    @cached_property
    def z(self) -> NDArray[np.float64]:
        """Gi* of each step, (t, n)."""
        return hotspots.gi_series(*self.steps, self.near, self.settings)

    @cached_property
    def near(self) -> Any:
        return self.network.within(self.settings.band_m)

    @property
    def panel_whole(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Cases and hours (1, n) of the whole period as one step."""
        assert self.panel is not None
        return self.panel.steps(self.panel.last_day - self.panel.first_day + 1)

    @cached_property
    def operations(self) -> list[Any]:
        return hotspots.operations(self.steps[1], self.network.adjacency, self.settings)

    def begin(self, step: int) -> pd.Timestamp:
        """When a 28-day step begins, UTC."""
        return self._moment(step, self.settings.step_days, len(self.steps[0]))

    def _moment(self, step: int, days: int, count: int) -> pd.Timestamp:
        import pandas as pd

        assert self.panel is not None  # a step is one of a panel
        return pd.Timestamp(self.panel.since(int(step), days, count))

    def names(self, members: Any) -> list[str]:
        return [str(name) for name in self.ids[np.asarray(members, dtype=np.int64)]]


def classes(ground: Ground) -> NDArray[np.object_]:
    """Column `class` of the table `hotspots`."""
    return hotspots.emerging(ground.z, ground.settings)


def clusters(ground: Ground) -> pd.DataFrame:
    """Table `clusters`: what is active now, and what was at any time.

    Cases are expected by hours and by how many each step had in all, so that a season is no cluster. Where nobody looked
    in the last step nobody knows what is active now: such reaches are in no cluster of that kind.
    """
    import pandas as pd

    looked = ground.steps[1] >= ground.settings.step_looked_h
    rows = []
    for kind in ("now", "ever"):
        seen = looked & looked[-1:] if kind == "now" else looked
        cases, hours = (np.where(seen, part, 0.0) for part in ground.steps)
        total = hours.sum(axis=1, keepdims=True)
        expected = hours * np.divide(cases.sum(axis=1, keepdims=True), total, out=np.zeros_like(total), where=total > 0)
        cases = np.where(expected > 0, cases, 0.0)
        if cases.sum() == 0:
            continue
        # before and after these steps nothing can be found: a date far off costs nothing
        told = np.flatnonzero(expected.sum(axis=1) > 0)
        span = slice(told[0], told[-1] + 1)
        found = hotspots.scan(
            cases[span].astype(np.int64),
            expected[span],
            ground.network.adjacency,
            seed=ground.seed,
            prospective=kind == "now",
            settings=ground.settings,
        )
        for number, row in enumerate(found.to_dict("records"), start=1):
            rows.append(
                {
                    "cluster_id": f"{kind}-{number}",
                    "kind": kind,
                    "reach_ids": ground.names(row["members"]),
                    "period_from": ground.begin(int(told[0]) + row["step_from"]),
                    "period_to": ground.begin(int(told[0]) + row["step_to"] + 1),
                    "seizures": int(row["cases"]),
                    "expected": row["expected"],
                    "rr": row["rr"],
                    "llr": row["llr"],
                    "p_value": row["p_value"],
                }
            )
    return _table("clusters", pd.DataFrame(rows))


def near_repeat(ground: Ground) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Table `near_repeat`, and its window for the run summary."""
    import pandas as pd

    panel, settings = ground.panel, ground.settings
    if panel is None or not len(panel.case_reach):
        return _table("near_repeat", pd.DataFrame()), {}
    found = hotspots.near_repeat(
        panel.case_reach,
        panel.case_day - panel.first_day,
        panel.hours,
        ground.network.within(1000.0 * max(settings.near_repeat_km)),
        seed=ground.seed,
        settings=settings,
    )
    summary = {
        "window_km": found.window_km,
        "window_days": found.window_days,
        "faded_km": found.faded_km,
        "faded_days": found.faded_days,
        "cases": found.cases,
        "left_out": found.left_out,
        "returned": None if found.returned is None else round(float(found.returned), 3),
        "answered": found.answered,
    }
    return _table("near_repeat", found.bands), summary


def reemergence(ground: Ground, seizures: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables `reemergence` and `relapse_curve`. A patrol surge is a treatment, and so is a step in which the place was
    hot and a case there ended in a penalty; of both, the surge is told. Penalties for what little is found in a quiet
    place begin nothing."""
    import pandas as pd

    from geo_monitor.hotspots.heat import heat

    panel, settings = ground.panel, ground.settings
    cases, hours = ground.steps
    if panel is None or not len(cases):
        return _table("reemergence", pd.DataFrame()), _table("relapse_curve", pd.DataFrame())
    ratio = settings.step_days // WEEK
    punished = seizures["disposition"].isin(PUNISHED).to_numpy()[panel.case_row]
    hot = heat(ground.z, cases, hours, ground.network.adjacency, settings)
    treated = np.zeros(cases.shape, dtype=np.int64)
    step = (panel.case_day - panel.last_day - 1) // settings.step_days + len(cases)
    use = punished & (step >= 0)
    treated[step[use], panel.case_reach[use]] = CRACKDOWN
    treated[~hot] = 0
    for operation in ground.operations:
        treated[operation.step : operation.last + 1, operation.members] = SURGE
    places = hotspots.spells(
        hot, hours, ground.network.adjacency, treated, step_days=settings.step_days, settings=settings
    )
    weekly = panel.steps(WEEK, most=len(cases) * ratio)
    skip = len(weekly[0]) - len(cases) * ratio  # 0, as the steps end with the same day
    assert skip == 0
    fine = [
        hotspots.Spell(
            members=place.members,
            hot_from=place.hot_from * ratio,
            hot_to=place.hot_to * ratio + ratio - 1,
            start=place.start * ratio,
            treatment=place.treatment,
            again=None if place.again is None else place.again * ratio,
        )
        for place in places
    ]
    found = hotspots.watch(*weekly, fine, step_days=WEEK, settings=settings)
    count = len(weekly[0])

    def begins(steps: Any, later: int = 0) -> Any:
        return [pd.NaT if pd.isna(value) else ground._moment(int(value) + later, WEEK, count) for value in steps]

    frame = pd.DataFrame(
        {
            "place_id": [f"watch-{number}" for number in range(1, len(found) + 1)],
            "reach_ids": pd.Series([ground.names(members) for members in found["members"]], dtype=object),
            "treatment": [TREATED[code] for code in found["treatment"]],
            "hot_from": begins(found["hot_from"]),
            "hot_to": begins(found["hot_to"], 1),
            "watch_from": begins(found["watch_from"]),
            "watch_to": begins(found["until"]),
            "seizures": found["cases"],
            "back_at": begins(found["back_step"], 1),
        }
    )
    for name in (
        "watch_days", "looked_days", "unlooked_days", "looked_h", "hot_rate", "expected_if_hot", "p_back", "back_unseen",
        "state", *(f"clock_{days}" for days in settings.reemergence_clocks),
    ):  # fmt: skip
        frame[name] = found[name].to_numpy()
    curve = hotspots.relapse_curve(*hotspots.stretches(found), settings=settings)
    return _table("reemergence", frame), _table("relapse_curve", curve)


def displacement(ground: Ground) -> pd.DataFrame:
    """Table `displacement`: a row a patrol surge found in the hours."""
    import pandas as pd

    cases, hours = ground.steps
    surges = ground.operations
    if not surges:
        return _table("displacement", pd.DataFrame())
    settings, network = ground.settings, ground.network
    downstream = hotspots.flow(network.link_metres, _mouths(network))
    distance = network.within(max(settings.displacement_ring_m))
    before_after, treated, ring = [], [], []
    for surge in surges:
        before_after.append([part for values in (cases, hours) for part in hotspots.around(values, surge, settings)])
        mask = np.zeros(len(ground.ids), dtype=bool)
        mask[surge.members] = True
        treated.append(mask)
        ring.append(hotspots.rings(mask, distance, downstream, settings))
    told = (hours > 0).any(axis=0) | (np.array(ring) > 0).any(axis=0)  # others say nothing, and are most of a river
    cases_before, cases_after, hours_before, hours_after = np.array(before_after)[:, :, told].transpose(1, 0, 2)
    found = hotspots.displacement(
        cases_before, hours_before, cases_after, hours_after, np.array(treated)[:, told], np.array(ring)[:, told],
        seed=ground.seed, settings=settings,
    )  # fmt: skip
    found = found.rename(columns={"cases_treated_before": "seizures_before", "cases_treated_after": "seizures_after"})
    found["operation_id"] = [f"surge-{number}" for number in range(1, len(surges) + 1)]
    found["reach_ids"] = pd.Series([ground.names(surge.members) for surge in surges], dtype=object)
    found["surge_from"] = [ground.begin(surge.step) for surge in surges]
    found["surge_to"] = [ground.begin(surge.last + 1) for surge in surges]
    return _table("displacement", found)


def forecast(ground: Ground) -> pd.DataFrame:
    """Table `forecast`: the week after the period, from its last four weeks and the year of 28-day steps before them."""
    import pandas as pd

    from geo_monitor.panel import EPOCH

    panel, settings = ground.panel, ground.settings
    reaches = ground.network.reaches
    if panel is None:
        return _table("forecast", pd.DataFrame())
    weeks = panel.steps(WEEK, most=FRESH)
    months = [part[:-1][-MONTHS:] for part in ground.steps]
    early = len(months[0]) if len(weeks[0]) == FRESH else 0  # a period under four weeks is told by its weeks alone
    cases, hours = (np.vstack([months[i][len(months[i]) - early :], weeks[i]]) for i in (0, 1))
    days = np.r_[np.full(early, float(settings.step_days)), np.full(len(weeks[0]), float(WEEK))]
    if not len(days):
        cases, hours = ground.panel_whole
        days = np.array([float(panel.last_day - panel.first_day + 1)])
    last = EPOCH + timedelta(days=panel.last_day)
    found = hotspots.forecast(
        cases, hours, ground.network.adjacency, step_days=days, last_day=last.timetuple().tm_yday, settings=settings
    )
    frame = pd.concat(
        [reaches[["reach_id", "river", "km_from", "km_to"]].reset_index(drop=True), found], axis=1
    ).assign(
        period_from=pd.Timestamp(moment(panel.last_day + 1)),
        period_to=pd.Timestamp(moment(panel.last_day + 1 + days[-1])),
    )
    return _table("forecast", frame)


def why(ground: Ground, hot: pd.DataFrame, known: Posterior, habit: hotspots.Habit | None) -> pd.DataFrame:
    """Table `why`: every reach somebody looked at, and those within 2 km by water of one. habit: of the patrols."""
    import pandas as pd

    from geo_monitor.messages import text

    settings = ground.settings
    near = ground.network.within(settings.why_near_m)
    looked = known.hours > 0
    which = np.flatnonzero(looked | ((near != 0) @ looked.astype(float) > 0))
    found = hotspots.why(known, which, near, settings=settings)
    row = hot.iloc[which].reset_index(drop=True)
    like = found["like"].to_numpy()
    has = like >= 0
    columns = ["reach_id", "river", "km_from", "km_to", "state", "seizures", "patrol_h", "exposure_h", "last_look"]
    frame = row[columns].assign(
        rate=row["rate"],
        rate_lo=row["rate_lo"],
        rate_hi=row["rate_hi"],
        basin_rate=known.basin,
        rate_alone=found["rate_alone"].to_numpy(),
        near_seizures=found["near_cases"].to_numpy().astype(np.int64),
        near_h=found["near_hours"].to_numpy(),
        like_m=found["like_m"].to_numpy(),
        like_seizures=pd.array(np.where(has, known.cases[np.maximum(like, 0)], 0), dtype="Int64"),
        like_h=np.where(has, known.hours[np.maximum(like, 0)], np.nan),
        narrowing=found["narrowing"].to_numpy(),
    )
    frame["like_reach_id"] = [ground.ids[other] if other >= 0 else None for other in like]
    frame.loc[~has, "like_seizures"] = pd.NA
    leans = habit.leans_at(frame["exposure_h"]) if habit else [""] * len(frame)
    for language in ("zh", "en"):
        rows = zip(frame.itertuples(), leans, strict=True)
        frame[language] = [_sentence(item, lean, settings, language, text) for item, lean in rows]
    return _table("why", frame)


def _sentence(row: Any, leans: str, settings: Settings, language: str, text: Any) -> str:
    """One sentence a commander can say aloud. leans: as of a `Habit`, or nothing."""
    import pandas as pd

    place = text(
        "why.place_km" if not pd.isna(row.km_from) else "why.place",
        language, river=row.river, km_from=f"{row.km_from:.1f}", km_to=f"{row.km_to:.1f}",
    )  # fmt: skip
    parts = [
        text(
            f"why.{row.state}",
            language,
            place=place,
            seizures=row.seizures,
            hours=f"{row.patrol_h:.1f}",
            rate=_plain(10 * row.rate),
            lo=_plain(10 * row.rate_lo),
            hi=_plain(10 * row.rate_hi),
            basin=_plain(10 * row.basin_rate),
            times=_plain(row.rate / row.basin_rate, 1),
        ),
        text("why.near" if row.near_h > 0 else "why.near_none", language, seizures=row.near_seizures,
             hours=f"{row.near_h:.1f}", alone=_plain(10 * row.rate_alone)),
    ]  # fmt: skip
    if leans:
        parts.insert(1, text(f"why.{leans}", language))
    if f"{row.exposure_h:.1f}" != f"{row.patrol_h:.1f}":
        parts.insert(1, text("why.weighed", language, hours=f"{row.exposure_h:.1f}"))
    if not pd.isna(row.like_m):
        parts.append(
            text("why.like", language, km=f"{row.like_m / 1000:.1f}", seizures=row.like_seizures,
                 hours=f"{row.like_h:.1f}")
        )  # fmt: skip
    parts.append(
        text("why.never", language)
        if pd.isna(row.last_look)
        else text("why.last", language, at=row.last_look.tz_convert("Asia/Shanghai").strftime("%Y-%m-%d %H:%M"))
    )
    nobody = row.state == "not_looked" and row.narrowing >= NARROWED
    wanted = nobody or row.narrowing >= settings.why_wanted
    code = "why.shift_wanted" if wanted else "why.shift"
    parts.append(text(code, language, hours=f"{settings.shift_h:g}", share=f"{100 * row.narrowing:.0f}"))
    return ("；" if language == "zh" else "; ").join(parts) + ("。" if language == "zh" else ".")


def _plain(value: float, decimals: int = 2) -> str:
    """A number >= 0 that is read aloud: `decimals`, or, where they would show nothing of it, two digits.

    >>> [_plain(value) for value in (19.739, 0.3, 0.0452, 0.00123, 0.0)]
    ['19.74', '0.30', '0.05', '0.0012', '0.00']
    """
    small = 0 < value < 0.5 * 10.0**-decimals
    return f"{value:.{1 - math.floor(math.log10(value)) if small else decimals}f}"


def predictability(ground: Ground, patrols: pd.DataFrame, tracks: Iterable[tuple[Chunk, Any]]) -> pd.DataFrame:
    """Table `predictability`: tracked patrols by unit and month (Asia/Shanghai).

    tracks: located fixes, chunk by chunk in time order, each with the ids of its units.

    A patrol starts from the 5 km of river its first located fix lies in; its first direction is that of its first
    `predictability_move_m` metres along one river.
    """
    import pandas as pd

    from geo_monitor.tracks import milliseconds

    settings = ground.settings
    if not len(patrols):
        return _table("predictability", pd.DataFrame())
    start = milliseconds(patrols["started_at"])
    local = pd.to_datetime(start, unit="ms", utc=True).tz_convert("Asia/Shanghai")
    unit, units = pd.factorize(patrols["unit_id"], sort=True)
    month, months = pd.factorize(np.asarray(local.strftime("%Y-%m")), sort=True)
    place, direction = _beginnings(ground, patrols, tracks, settings)
    codes, places = pd.factorize(pd.Series(place, dtype=object), sort=True)
    found = hotspots.predictability(
        unit, month, np.asarray(local.hour * 60 + local.minute), codes, direction, seed=ground.seed, settings=settings
    )
    names = {"place": dict(enumerate(places)), "direction": {1: "up", -1: "down"}}
    for habit, told in names.items():
        found[f"{habit}_common"] = [None if pd.isna(value) else told[int(value)] for value in found[f"{habit}_common"]]
    found = found.assign(unit_id=units[found["unit"]], month=months[found["month"]])
    return _table("predictability", found)


def _beginnings(
    ground: Ground, patrols: pd.DataFrame, tracks: Iterable[tuple[Chunk, Any]], settings: Settings
) -> tuple[list[str | None], NDArray[np.int64]]:
    """5 km stretch in which each patrol starts (None: not on a river with km), and its first direction."""
    from geo_monitor.tracks import milliseconds

    river = ground.network.reaches["river"].to_numpy(dtype=object)
    begin, end = milliseconds(patrols["started_at"]), milliseconds(patrols["ended_at"])
    of_unit: dict[str, list[int]] = {}
    for number, name in enumerate(patrols["unit_id"]):
        of_unit.setdefault(name, []).append(number)
    start = np.full(len(patrols), np.nan)  # km of the first located fix
    home: list[str | None] = [None] * len(patrols)
    direction = np.zeros(len(patrols), dtype=np.int64)
    for chunk, unit_ids in tracks:
        on = np.flatnonzero((chunk.reach >= 0) & ~np.isnan(chunk.km))
        unit, time, along, of = chunk.unit[on], chunk.time[on], chunk.km[on], chunk.reach[on]
        edges = np.flatnonzero(np.diff(unit, prepend=-1, append=-1))
        for low, high in pairwise(edges):
            for number in of_unit.get(str(unit_ids[unit[low]]), ()):
                first, last = low + np.searchsorted(time[low:high], [begin[number], end[number] + 1])
                if first == last or direction[number]:
                    continue
                if home[number] is None:
                    start[number], home[number] = along[first], river[of[first]]
                km = along[first:last]
                far = np.abs(km - start[number]) * 1000 >= settings.predictability_move_m
                moved = np.flatnonzero(far & (river[of[first:last]] == home[number]))
                if len(moved):
                    direction[number] = int(np.sign(km[moved[0]] - start[number]))
    step = settings.predictability_place_km
    lows = [None if name is None else int(km // step * step) for km, name in zip(start, home, strict=True)]
    places = [None if low is None else f"{name} {low}-{low + step:g} km" for low, name in zip(lows, home, strict=True)]
    return places, direction


def _mouths(network: Network) -> NDArray[np.int64]:
    """The reach at which each connected water leaves the network: the lowest of a stem that joins no other; in a water
    without one, its first reach."""
    from scipy.sparse.csgraph import connected_components

    _, part = connected_components(network.adjacency, directed=False)
    reaches = network.reaches
    km = reaches["km_from"].to_numpy(dtype=float)
    outlet = (reaches["kind"] == "channel").to_numpy() & reaches["mouth_km"].isna().to_numpy() & np.isfinite(km)
    order = np.lexsort([np.arange(len(part)), np.where(outlet, km, np.inf), part])
    first = np.r_[True, part[order][1:] != part[order][:-1]]
    return order[first].astype(np.int64)


def _table(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    shape = TABLES[name]
    if not len(frame):
        return shape.from_arrow(shape.arrow.empty_table())
    return shape.conform(frame)
