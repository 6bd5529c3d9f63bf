"""What a rule would have done on stored history, before it goes live.

In: the rule's row, the events its detector finds in stored fixes, the stored cases, the period. Out: how many warnings a
day, where, and which cases came within `alerts_caught_m` by water and `alerts_caught_h` after a warning. That share means
little by itself: a rule that warns everywhere all the time "catches" everything. So beside it stands what warnings of
the same places and lengths catch by chance, a case's moment being any of the period.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from geo_monitor.alerts.context import Context
from geo_monitor.alerts.grade import interval
from geo_monitor.alerts.rows import HOUR_MS, Row, event_row, situations, told
from geo_monitor.alerts.rules import digest
from geo_monitor.alerts.warnings import raise_
from geo_monitor.errors import Refused, Usage
from geo_monitor.events.event import Event
from geo_monitor.settings import Settings
from geo_monitor.tracks import DAY_MS, SHANGHAI_MS

PLACES = 10  # places named, most warnings first
Place = tuple[str | None, str | None]  # reach, zone


@dataclass(frozen=True)
class Backtest:
    """`per_day`: warnings (a border counts twice) / days, of less than a day all of them: no average may be above the worst
    day; `worst_day`: most on one Shanghai day; `places`: (reach_id,
    situations), most first; `caught` of `cases` after a warning, with `share` and its 90 % interval (None without
    cases); `by_chance`: cases expected to be caught if warnings told nothing of when; `boat_days_share`: boat days with
    an event of all boat days seen (None: not told, or fewer than `alerts_everything_least`, too few to be traffic).
    `areas`: adcodes whose waters alone are counted (None: all waters); `over_cap`: over all waters a second person must
    approve it, whatever is counted here."""

    rule: str
    digest: str
    days: float
    events: int
    situations: int
    warnings: int
    per_day: float
    worst_day: int
    places: tuple[tuple[str, int], ...]
    cases: int
    caught: int
    share: float | None
    share_lo: float | None
    share_hi: float | None
    by_chance: float
    boat_days_share: float | None
    areas: tuple[str, ...] | None = None
    over_cap: bool = False

    def check(self, settings: Settings | None = None, exact: bool = True) -> None:
        """Raises `Refused`: `rule_raises_nothing` on all of stored history, `rule_raises_everything` where it speaks of
        `alerts_everything` of all boat days or more. exact: says of how many; else only of at least so many."""
        settings = settings or Settings()
        if self.warnings == 0:
            raise Refused("rule_raises_nothing", rule=self.rule, days=f"{max(self.days, 1.0):.0f}", events=self.events)
        if self.boat_days_share is not None and self.boat_days_share >= settings.alerts_everything:
            share = f"{100 * (self.boat_days_share if exact else settings.alerts_everything):.0f}"
            raise Refused("rule_raises_everything", rule=self.rule, share=share)

    def told(self) -> dict[str, Any]:
        """As plain values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_told(cls, told: Mapping[str, Any]) -> Backtest:
        """The same back from JSON."""
        places = tuple((reach, int(n)) for reach, n in told["places"])
        areas = told.get("areas")
        return cls(**{**told, "places": places, "areas": None if areas is None else tuple(areas)})


def backtest(
    rule: Row,
    events: Iterable[Event | Row],
    cases: Iterable[Row],
    period: tuple[int, int],
    context: Context,
    boat_days: int | None = None,
    settings: Settings | None = None,
    seen: Callable[[list[dict[str, Any]]], list[dict[str, Any]]] = lambda rows: rows,
) -> Backtest:
    """What `rule` (a row, in force or not) would have raised in `period` (from, to; ms UTC).

    events: found by its detector with this rule (others are left out). cases: rows with time (ms UTC), reach_id,
    zone_ids (each may be missing). boat_days: days on which each boat was seen, summed, to tell a rule that speaks of
    everybody. seen: of rows of warnings those that count. Quiet periods and what is known of earlier warnings do not count. Raises `Usage("rule_period")`.
    """
    settings = settings or Settings()
    begin, end = period
    if end <= begin:
        raise Usage("rule_period")
    mine = [
        event for event in map(event_row, events) if event["rule"] == rule["rule"] and event["state"] != "withdrawn"
    ]
    mine = [event for event in mine if begin <= event["started_at"] < end]
    rows = seen(raise_(mine, [rule], [], replace(context, quiets=()), end, settings).rows)
    found = situations(rows)
    alarms: dict[Place, set[int]] = {}  # when, by reach and zone; the two sides of a border are one
    one_each = {told(row)["situation"]: row for row in rows}
    for row in one_each.values():
        reach, zone = told(row)["origin"]
        alarms.setdefault((reach, zone), set()).add(_first(row))
    days = (end - begin) / DAY_MS
    each_day = Counter((_first(row) + SHANGHAI_MS) // DAY_MS for row in rows)
    where = Counter(told(row)["origin"][0] for row in one_each.values())
    del where[None]
    caught, chance, total = 0, 0.0, 0
    for case in cases:
        if begin <= case["time"] < end:
            hit, share = _caught(case, alarms, period, context, settings)
            caught, chance, total = caught + hit, chance + share, total + 1
    lo, hi = interval(caught, total, inside=settings.interval) if total else (None, None)
    spoken = {(unit, (event["started_at"] + SHANGHAI_MS) // DAY_MS) for event in mine for unit in event["unit_ids"]}
    enough = boat_days is not None and boat_days >= settings.alerts_everything_least
    return Backtest(
        rule=rule["rule"],
        digest=digest(rule),
        days=days,
        events=len(mine),
        situations=len(found),
        warnings=len(rows),
        per_day=len(rows) / max(days, 1.0),
        worst_day=max(each_day.values(), default=0),
        places=tuple(sorted(where.items(), key=lambda item: (-item[1], item[0]))[:PLACES]),
        cases=total,
        caught=caught,
        share=caught / total if total else None,
        share_lo=lo,
        share_hi=hi,
        by_chance=chance,
        boat_days_share=len(spoken) / boat_days if boat_days and enough else None,
    )


def _first(row: Row) -> int:
    """When a warning's first event began."""
    return min(int(entry["from"]) for entry in told(row)["events"])


def _caught(
    case: Row,
    alarms: Mapping[Place, set[int]],
    period: tuple[int, int],
    context: Context,
    settings: Settings,
) -> tuple[bool, float]:
    """Whether a case came soon after an alarm near it; and the share of the period that is soon after one."""
    long = round(settings.alerts_caught_h * HOUR_MS)
    reach, zones = case.get("reach_id"), set(case.get("zone_ids") or ())
    near: list[int] = []
    for (there, zone), moments in alarms.items():
        if reach is not None and there is not None:
            hit = context.metres(reach, there) <= settings.alerts_caught_m
        else:
            hit = zone is not None and zone in zones
        if hit:
            near += moments
    covered, until = 0, period[0]
    for at in sorted(near):
        covered += max(0, min(at + long, period[1]) - max(at, until))
        until = max(until, at + long)
    return any(at <= case["time"] <= at + long for at in near), covered / (period[1] - period[0])
