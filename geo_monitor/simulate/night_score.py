"""Events and warnings of a night against its truth.

In: `Night.truth`, events and warnings as tables `events` and `warnings` (times UTC or ms). Out: a table by kind. Pure.

An event is right if it shares a unit with an offence, overlaps it in time and lies within 500 m of its way; else it is
false. An offence is found by an event of its own kind that is right for it; `found_any`: by one of any kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from geo_monitor.errors import GeoMonitorError
from geo_monitor.simulate.nights import KINDS
from geo_monitor.simulate.water import DEGREE_M

if TYPE_CHECKING:
    import pandas as pd

NEAR_M = 500.0
LEVEL = 0.90  # of intervals
FOREVER = np.iinfo(np.int64).max
# the settings (seconds) a rule of each kind needs at least before it can tell
LEAST: dict[str, tuple[str, ...]] = {
    "slow": ("event_slow_s", "event_window_s"), "zone_entry": ("visit_s",), "meeting": ("event_meeting_s",),
    "gap": ("event_gap_s",), "dark": ("event_dark_s",), "loiter": ("event_loiter_s", "event_window_s"),
    "no_permit": ("visit_s",), "overdue": ("event_overdue_silent_s",), "avoids": ("event_avoids_left_s",),
}  # fmt: skip


def least(settings: Any) -> dict[str, float]:
    """Seconds by kind from the start of an offence until its rule could know of it (of `avoids`: from `knowable_at`)."""
    return {kind: sum(float(getattr(settings, name)) for name in names) for kind, names in LEAST.items()}


def share(found: int, of: int) -> tuple[float, float, float]:
    """A share and its exact 90 % interval (Clopper & Pearson 1934, Biometrika 26:404); NaN of nothing.

    >>> tuple(round(part, 4) for part in share(0, 10))  # the upper end: 1 - 0.05 ** (1 / 10)
    (0.0, 0.0, 0.2589)
    """
    from scipy.stats import beta

    if of == 0:
        return np.nan, np.nan, np.nan
    tail = (1 - LEVEL) / 2
    low = float(beta.ppf(tail, found, of - found + 1)) if found else 0.0
    high = float(beta.ppf(1 - tail, found + 1, of - found)) if found < of else 1.0
    return found / of, low, high


def rate(count: int, of: float) -> tuple[float, float, float]:
    """A count per `of` and its exact 90 % interval (Garwood 1936, Biometrika 28:437).

    >>> tuple(round(part, 3) for part in rate(0, 1.0))  # the upper end: -ln 0.05
    (0.0, 0.0, 2.996)
    """
    from scipy.stats import chi2

    if of <= 0:
        return np.nan, np.nan, np.nan
    tail = (1 - LEVEL) / 2
    low = float(chi2.ppf(tail, 2 * count)) / 2 if count else 0.0
    return count / of, low / of, float(chi2.ppf(1 - tail, 2 * count + 2)) / 2 / of


def matches(truth: pd.DataFrame, events: pd.DataFrame, near_m: float = NEAR_M) -> pd.DataFrame:
    """Pairs of event and what happened (innocent things too): event_id, offence_id, iou (of their times).

    An open event lasts forever. Events withdrawn count for nothing.
    """
    import pandas as pd

    by_unit: dict[str, list[int]] = {}
    t0, t1 = _ms(truth["started_at"]), _ms(truth["ended_at"])
    for row, units in enumerate(truth["unit_ids"]):
        for unit in units:
            by_unit.setdefault(unit, []).append(row)
    paths = truth["path"].tolist()
    found = []
    events = _standing(events)
    begun, over = _ms(events["started_at"]), _ms(events["ended_at"], FOREVER)
    lon, lat = events["lon"].to_numpy(dtype=float), events["lat"].to_numpy(dtype=float)
    for i, (name, units) in enumerate(zip(events["event_id"], events["unit_ids"], strict=True)):
        for row in sorted({row for unit in _many(units) for row in by_unit.get(unit, ())}):
            if begun[i] > t1[row] or over[i] < t0[row]:
                continue
            if _metres(paths[row], lon[i], lat[i]) > near_m:
                continue
            end = over[i] if over[i] < FOREVER else max(t1[row], begun[i])
            both = max(min(end, t1[row]) - max(begun[i], t0[row]), 0)
            either = max(end, t1[row]) - min(begun[i], t0[row])
            found.append((name, truth["offence_id"].iloc[row], both / either if either > 0 else 1.0))
    return pd.DataFrame(found, columns=["event_id", "offence_id", "iou"])


def score(
    truth: pd.DataFrame, events: pd.DataFrame, warnings: pd.DataFrame | None = None, *, unit_days: float,
    least_s: Mapping[str, float], near_m: float = NEAR_M,
) -> pd.DataFrame:  # fmt: skip
    """A row a kind of event, and one for `all`.

    events: event_id, kind, unit_ids, started_at, ended_at, lon, lat; `known_at`, when it was first told, and `state`
    where there are. warnings: warning_id, event_ids, opened_at. Offences: offences, found, share, lo, hi (90 %),
    found_any, iou (median). Events: events, false_events, yield_events (share of them that is right), false_per_unit_day with
    lo, hi. Warnings, filed by the kind of their first event: warnings, false_warnings (none of their events is right),
    false_warnings_per_unit_day, yield with lo, hi; told: offences of which a warning opened while or after they went on,
    joined: those only added to a warning that was open before; minutes from the offence's start to the first right warning of any kind (event, where there are no warnings):
    minutes_median, minutes_p90; and from when its own rule could have known: late_median, late_p90.

    Raises `GeoMonitorError("night_two_nights")` where ids are not unique.
    """
    import pandas as pd

    if truth["offence_id"].duplicated().any() or events["event_id"].duplicated().any():
        raise GeoMonitorError("night_two_nights")
    offences = truth[truth["is_offence"]].set_index("offence_id")
    events = _standing(events)
    pairs = matches(truth[truth["is_offence"]], events, near_m)
    kind_of = dict(zip(events["event_id"], events["kind"], strict=True))
    pairs["event_kind"] = [kind_of[name] for name in pairs["event_id"]]
    pairs["offence_kind"] = offences["kind"].reindex(pairs["offence_id"]).to_numpy(dtype=object)
    right = set(pairs["event_id"])
    start = pd.Series(_ms(offences["started_at"]), index=offences.index)
    could = start + np.array([round(least_s[kind] * 1000) for kind in offences["kind"]], dtype=np.int64)
    if "knowable_at" in offences:
        own = _ms(offences["knowable_at"], 0)
        more = np.array([round(least_s[kind] * 1000) for kind in offences["kind"]], dtype=np.int64)
        could = could.where(own == 0, own + more)
    told, joined = _told(pairs, events, warnings, {str(name): int(at) for name, at in start.items()})
    by_warning = _warned(warnings, kind_of, right)
    rows = []
    for kind in (*KINDS, "all"):
        mine = offences.index[(offences["kind"] == kind) | (kind == "all")]
        own = pairs[(pairs["event_kind"] == pairs["offence_kind"]) & pairs["offence_id"].isin(mine)]
        hit = int(own["offence_id"].nunique())
        got, low, high = share(hit, len(mine))
        here = [name for name, of in kind_of.items() if kind in (of, "all")]
        false = sum(name not in right for name in here)
        per, per_lo, per_hi = rate(false, unit_days)
        raised = [good for of, good in by_warning if kind in (of, "all")]
        worth, worth_lo, worth_hi = share(sum(raised), len(raised))
        known = [name for name in mine if name in told]
        minutes = np.array([(told[name] - start[name]) / 60_000 for name in known])
        late = np.array([(told[name] - could[name]) / 60_000 for name in known])
        rows.append(
            {
                "kind": kind, "offences": len(mine), "found": hit, "share": got, "share_lo": low, "share_hi": high,
                "found_any": int(pairs.loc[pairs["offence_id"].isin(mine), "offence_id"].nunique()),
                "iou": float(own.groupby("offence_id")["iou"].max().median()) if len(own) else np.nan,
                "events": len(here), "false_events": false, "yield_events": share(len(here) - false, len(here))[0],
                "false_per_unit_day": per, "false_lo": per_lo, "false_hi": per_hi,
                "told": len(known), "joined": len(joined.intersection(mine)),
                "warnings": len(raised), "false_warnings": len(raised) - sum(raised),
                "false_warnings_per_unit_day": rate(len(raised) - sum(raised), unit_days)[0],
                "yield": worth, "yield_lo": worth_lo, "yield_hi": worth_hi,
                "minutes_median": _at(minutes, 50), "minutes_p90": _at(minutes, 90),
                "late_median": _at(late, 50), "late_p90": _at(late, 90),
            }
        )  # fmt: skip
    return pd.DataFrame(rows).set_index("kind")


def causes(truth: pd.DataFrame, events: pd.DataFrame, near_m: float = NEAR_M) -> pd.DataFrame:
    """Why false events were raised: kind, what the boats were doing then, number of events; most first."""
    import pandas as pd

    events = _standing(events)
    pairs = matches(truth, events, near_m)
    bad = set(truth.loc[truth["is_offence"], "offence_id"])
    right = set(pairs.loc[pairs["offence_id"].isin(bad), "event_id"])
    what = dict(zip(truth["offence_id"], truth["what"], strict=True))
    before = _last(truth)
    doing: dict[str, set[str]] = {}
    for event, offence in zip(pairs["event_id"], pairs["offence_id"], strict=True):
        doing.setdefault(event, set()).add(what[offence])
    rows = [
        (kind, ", ".join(sorted(doing.get(name) or {f"after: {before(_many(units), at)}"})))
        for name, kind, units, at in zip(
            events["event_id"], events["kind"], events["unit_ids"], _ms(events["started_at"]), strict=True
        )
        if name not in right
    ]
    frame = pd.DataFrame(rows, columns=["kind", "what"]).value_counts().rename("events").reset_index()
    return frame.sort_values(["events", "kind", "what"], ascending=[False, True, True], ignore_index=True)


def _last(truth: pd.DataFrame) -> Any:
    """What one of some units did last before a moment (ms)."""
    told: dict[str, list[tuple[int, str]]] = {}
    for units, at, what in zip(truth["unit_ids"], _ms(truth["started_at"]).tolist(), truth["what"], strict=True):
        for unit in units:
            told.setdefault(unit, []).append((at, what))

    def before(units: Iterable[str], at: int) -> str:
        done = [one for unit in units for one in told.get(unit, ()) if one[0] <= at]
        return max(done)[1] if done else "nothing"

    return before


def _told(
    pairs: pd.DataFrame, events: pd.DataFrame, warnings: pd.DataFrame | None, start: Mapping[str, int]
) -> tuple[dict[str, int], set[str]]:
    """When each offence was first told of after it began, ms: by warnings where there are, else by events (nothing
    without times); and the offences that were only added to warnings opened before."""
    opened: dict[str, list[int]] = {}
    if warnings is not None:
        for names, at in zip(warnings["event_ids"], _ms(warnings["opened_at"]).tolist(), strict=True):
            for name in _many(names):
                opened.setdefault(name, []).append(at)
    elif "known_at" in events:
        opened = {name: [at] for name, at in zip(events["event_id"], _ms(events["known_at"]).tolist(), strict=True)}
    told: dict[str, int] = {}
    joined: set[str] = set()
    for event, offence in zip(pairs["event_id"], pairs["offence_id"], strict=True):
        for at in opened.get(event, ()):
            if at >= start[offence]:
                told[offence] = min(at, told.get(offence, FOREVER))
            else:
                joined.add(offence)
    return told, joined - set(told)


def _warned(warnings: pd.DataFrame | None, kind_of: Mapping[str, str], right: set[str]) -> list[tuple[str, bool]]:
    """Of each warning the kind of its first event that stands, and whether one of them is right."""
    if warnings is None:
        return []
    found = []
    for names in warnings["event_ids"]:
        every = [name for name in _many(names) if name in kind_of]
        found.append((kind_of[every[0]] if every else "", any(name in right for name in every)))
    return found


def _standing(events: pd.DataFrame) -> pd.DataFrame:
    return events[events["state"] != "withdrawn"] if "state" in events else events


def _at(values: Any, percent: float) -> float:
    return float(np.percentile(values, percent)) if len(values) else np.nan


def _many(values: Any) -> Iterable[str]:
    """Ids of a cell: a list, or text joined by `;`."""
    return [part for part in values.split(";") if part] if isinstance(values, str) else values


def _ms(values: Any, empty: int = 0) -> Any:
    """ms UTC (int64) of times or of ms; `empty` where there is none."""
    import pandas as pd

    values = pd.Series(values)
    if pd.api.types.is_numeric_dtype(values):
        return np.where(values.isna(), empty, values.fillna(0).to_numpy(dtype=np.int64))
    told = pd.to_datetime(values, utc=True, format="ISO8601" if values.dtype == object else None)
    number = told.dt.tz_localize(None).to_numpy(dtype="datetime64[ms]").astype(np.int64)
    return np.where(told.isna().to_numpy(), empty, number)


def _metres(path: Any, lon: float, lat: float) -> float:
    """Metres from a place to a broken line (k, 3) of ms, lon, lat; as on a plane, for some kilometres."""
    x = (path[:, 1] - lon) * np.cos(np.radians(lat)) * DEGREE_M
    y = (path[:, 2] - lat) * DEGREE_M
    if len(x) == 1:
        return float(np.hypot(x[0], y[0]))
    dx, dy = np.diff(x), np.diff(y)
    long = np.maximum(dx * dx + dy * dy, 1e-9)
    part = np.clip(-(x[:-1] * dx + y[:-1] * dy) / long, 0.0, 1.0)
    return float(np.hypot(x[:-1] + part * dx, y[:-1] + part * dy).min())
