"""What a warning, an event, a tasking says in words. Plain text: the pages escape it.

A warning is a named tuple of a row of `warnings` with its evidence beside it (`board.told`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from geo_monitor.alerts import clocks, route
from geo_monitor.app.basemap import names
from geo_monitor.app.rows import rows
from geo_monitor.app.words import Speaker, km, number, percent
from geo_monitor.loop.warnings import WHO
from geo_monitor.messages import listed, text, worded
from geo_monitor.settings import Settings
from geo_monitor.tables import TIMEZONE
from geo_monitor.tracks import KNOT

SHAPES = {
    "red": "▲",
    "orange": "◆",
    "yellow": "■",
    "blue": "●",
}  # a grade is told by shape and word, not by colour alone


@dataclass(frozen=True)
class Teller:
    """Says things with the names of units, zones (zone_id -> name), banks (reach_id -> adcodes left and right) and
    reaches (reach_id -> river, km)."""

    speaker: Speaker
    units: Mapping[str, str] = field(default_factory=dict)
    zones: Mapping[str, str] = field(default_factory=dict)
    banks: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    reaches: Mapping[str, tuple[str, float]] = field(default_factory=dict)

    def say(self, code: str, **params: Any) -> str:
        """The sentence `app.duty_<code>`."""
        return self.speaker.say(f"duty_{code}", **params)

    def of(self, code: str, **params: Any) -> str:
        """The sentence `code` of any area."""
        return text(code, self.speaker.lang, **params)

    def joined(self, parts: Sequence[str]) -> str:
        return ("；" if self.speaker.lang == "zh" else "; ").join(part for part in parts if part)

    def listed(self, parts: Sequence[str]) -> str:
        return listed(parts, self.speaker.lang)

    def unit(self, unit_id: str | None) -> str:
        return "" if unit_id is None or unit_id != unit_id else self.units.get(unit_id, unit_id)

    def zone(self, zone_id: str | None) -> str:
        return "" if zone_id is None or zone_id != zone_id else self.zones.get(zone_id, zone_id)

    def account(self, name: Any) -> str:
        return self.say("by_itself") if name == WHO else str(name or "")

    def grade(self, name: str) -> str:
        return f"{SHAPES[name]} {self.of(f'alerts.grade_{name}')}"

    def office(self, adcode: Any, level: str) -> str:
        """The office that must sign: its level, and its name where a jurisdiction is loaded."""
        at = route.office(adcode if isinstance(adcode, str) and adcode else None, level)
        word = self.of(f"alerts.level_{level}")
        if not at:
            return word
        name = self.speaker.localities.get(at, at)
        if self.speaker.lang == "en":
            name = names("province" if level == "province" else "locality").get(name, (name, name))[1]
        return self.say("office", level=word, name=name)

    # --- a warning --------------------------------------------------------------------------------------------------

    def place(self, row: Any, told: Mapping[str, Any]) -> str:
        """River, km, bank, zone: "长江 K1,012.5 左岸 石首天鹅洲保护区"; degrees where it lies on no located water."""
        parts = []
        if told.get("river"):
            parts.append(self.speaker.river(told["river"]))
            if told.get("km") is not None:
                parts.append(f"K{km(float(told['km']))}")
            left, right = self.banks.get(row.reach_id, (None, None))
            sides = {"left": left, "right": right}
            mine = [side for side, code in sides.items() if code and code == row.adcode]
            if len(mine) == 1:
                parts.append(self.say(f"bank_{mine[0]}"))
        elif row.lon == row.lon and row.lon is not None:
            parts.append(self.say("degrees", lon=f"{row.lon:.4f}", lat=f"{row.lat:.4f}"))
        zones = dict.fromkeys(entry.get("zone") for entry in told.get("events", ()) if entry.get("zone"))
        parts += [self.zone(zone) for zone in list(zones)[:2]]
        return " ".join(parts) or self.say("nowhere")

    def locality(self, row: Any) -> str:
        return self.speaker.locality(row.adcode) or self.say("no_locality")

    def chance(self, row: Any, told: Mapping[str, Any]) -> str:
        """The probability of a case with its interval, and whether it is calibrated."""
        if row.probability is None or row.probability != row.probability:
            return self.say("chance_none")
        named = {"p": percent(row.probability), "lo": percent(row.probability_lo), "hi": percent(row.probability_hi)}
        inside = percent(self.speaker.settings.interval)
        return self.say("chance" if told.get("calibrated") else "chance_not_yet", inside=inside, **named)

    def since(self, row: Any, told: Mapping[str, Any]) -> str:
        """Since when: the first event that stands on it, else when it was raised."""
        first = min((entry["from"] for entry in told.get("events", ())), default=None)
        begun = row.opened_at if first is None else pd.Timestamp(first, unit="ms", tz="UTC")
        return self.say("since", time=moment(begun))

    def clock(self, row: Any, at: pd.Timestamp) -> tuple[str, bool]:
        """The clock that runs, and whether it has run out."""
        due = row.due_at
        if due is None or due != due:
            return "", False
        left = (due - at).total_seconds()
        what = "sign" if row.state == "open" else "report"
        if left < 0:
            return self.say(f"{what}_over", left=span(-left)), True
        return self.say(f"{what}_left", left=span(left)), False

    def signs(self, row: Any, at: pd.Timestamp, settings: Settings) -> str:
        """Who must sign now, whatever the duty room has had time to write."""
        if row.state != "open":
            return ""
        due = clocks.up_to(as_row(row), round(at.timestamp() * 1000), settings)
        return self.say("signs", office=self.office(row.adcode, due["level"]))

    # --- an event ---------------------------------------------------------------------------------------------------

    def event(self, row: Any) -> tuple[str, str]:
        """Who did what, when; and what was measured against which threshold."""
        told = json.loads(row.evidence) if isinstance(row.evidence, str) and row.evidence else {}
        units = self.listed([self.unit(unit) for unit in list(row.unit_ids)[:4]])
        head = [units, self.of(f"event.{row.kind}"), self.zone(row.zone_id)]
        end = self.say("goes_on") if row.ended_at is pd.NaT or row.ended_at is None else moment(row.ended_at)
        when = self.say("event_when", start=moment(row.started_at), end=end)
        if told.get("minutes") is not None:
            when += self.say("event_minutes", n=number(float(told["minutes"])))
        facts = [when, *self._facts(row.kind, told), self._rests(told)]
        facts.append(self.say("event_rule", rule=row.rule, version=row.rule_version))
        if row.state == "withdrawn":
            facts.append(self.say("event_withdrawn"))
        return " ".join(part for part in head if part), self.joined(facts) + self.speaker.stop

    def _facts(self, kind: str, told: Mapping[str, Any]) -> list[str]:
        """Sentences of what was measured, those whose values the evidence holds."""
        of = {"certainty": told.get("certainty"), **told.get("limits", {}), **_flat(told)}
        found = []
        for name, needs, shape in FACTS.get(kind, ()):
            if all(of.get(need) is not None for need in needs):
                found.append(self.say(f"fact_{name}", **shape({need: of[need] for need in needs})))
        certainty = told.get("certainty")
        if certainty:
            found.append(self.say(f"certainty_{str(certainty).replace(' ', '_')}"))
        if told.get("current") == "not known":
            found.append(self.say("fact_current"))
        return found

    def _rests(self, told: Mapping[str, Any]) -> str:
        number_ = (told.get("fixes") or {}).get("number")
        return self.say("event_fixes", n=f"{number_:,}") if number_ else ""

    # --- history ----------------------------------------------------------------------------------------------------

    def changes(self, history: pd.DataFrame) -> list[tuple[str, str, str, str]]:
        """What each revision changed, oldest first: when, who, what, why in words."""
        found = []
        before: Any = None
        for row in rows(history):
            what = []
            if before is None:
                what.append(self.say("was_raised", grade=self.of(f"alerts.grade_{row.grade}")))
            else:
                if row.state != before.state:
                    what.append(self.of(f"alerts.state_{row.state}"))
                if row.grade != before.grade:
                    what.append(self.say("was_graded", old=self.grade(before.grade), new=self.grade(row.grade)))
                if row.level != before.level:
                    what.append(self.say("was_escalated", office=self.office(row.adcode, row.level)))
            if isinstance(row.outcome, str) and (before is None or before.outcome != row.outcome):
                what.append(self.of(f"alerts.outcome_{row.outcome}"))
            found.append(
                (moment(row.revised_at), self.account(row.revised_by), self.joined(what), self.why(row.reason))
            )
            before = row
        return found

    def why(self, reason: Any) -> str:
        """A reason as somebody gave it, or the words of one that nobody did."""
        return worded(reason, self.speaker.lang) if isinstance(reason, str) else ""

    # --- a tasking --------------------------------------------------------------------------------------------------

    def tasking(self, row: Any) -> str:
        """Who was sent, how far it is, and what came of it."""
        parts = [self.unit(row.unit_id) or self.of("tasking.state.no_unit"), self.of(f"tasking.state.{row.state}")]
        last = next(
            (at for at in (row.ended_at, row.on_scene_at, row.under_way_at, row.accepted_at, row.made_at) if at == at and at is not None), None
        )  # fmt: skip
        parts.append(moment(last))
        if isinstance(row.result, str) and row.state == "done":
            parts.append(self.of(f"tasking.outcome.{row.result}"))
        parts.append(self.why(row.reason))
        if isinstance(row.text, str):
            parts.append(row.text)
        if row.how == "track":
            parts.append(self.of("tasking.how.track"))
        return self.joined(parts)


def _flat(told: Mapping[str, Any]) -> dict[str, Any]:
    """Evidence with the parts of its parts beside them: speed_mps {least} as speed_mps_least."""
    found: dict[str, Any] = {}
    for name, value in told.items():
        if isinstance(value, Mapping):
            found |= {f"{name}_{part}": one for part, one in value.items()}
        else:
            found[name] = value
    return found


def _knots(of: dict[str, Any]) -> dict[str, str]:
    speeds = {name.removeprefix("speed_mps_"): f"{of[name] / KNOT:.1f}" for name in of if name.startswith("speed_mps_")}
    return speeds | _minutes({name: value for name, value in of.items() if not name.startswith("speed_mps_")})


def _minutes(of: dict[str, Any]) -> dict[str, str]:
    """Figures as people read them; those in seconds (…_s) as minutes."""
    return {
        name.rsplit(".", 1)[-1]: number(float(value) / 60) if name.endswith("_s") else _figure(value)
        for name, value in of.items()
    }


def _figure(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else number(value) if isinstance(value, float) else str(value)


def _began(of: dict[str, Any]) -> dict[str, str]:
    rest = {name: value for name, value in of.items() if name != "patrol_began"}
    return {"patrol_began": moment(pd.Timestamp(of["patrol_began"], unit="ms", tz="UTC")), **_minutes(rest)}


SPEEDS = ("speed_mps_least", "speed_mps_mean", "speed_mps_most")
# kind of event -> (sentence, what the evidence must hold for it, how its values are written)
FACTS: dict[str, tuple[tuple[str, tuple[str, ...], Any], ...]] = {
    "slow": (("slow", (*SPEEDS, "slow_low_kn", "slow_high_kn", "slow_s"), _knots),),
    "loiter": (("loiter", (*SPEEDS, "loiter_m", "loiter_kn", "loiter_s"), _knots),),
    "meeting": (("meeting", ("metres_least", "metres_mean", "meeting_m", "meeting_s"), _minutes),),
    "gap": (
        ("gap", ("limit_s", "median_interval_s"), lambda of: {
            "limit": number(of["limit_s"] / 60), "median": number(of["median_interval_s"])}),
        ("gap_others", ("others_heard", "others_silent"), _minutes),
    ),
    "dark": (("dark", ("detections", "dark_m", "dark_s"), lambda of: {
        "detections": _figure(of["detections"]), "dark_m": _figure(of["dark_m"]), "dark_s": _figure(of["dark_s"])}),),
    "overdue": (("overdue", ("patrol_began", "metres_from_begin", "overdue_s", "overdue_silent_s"), _began),),
    "avoids": (("avoids", ("approaches", "left", "quiet", "quiet_left", "p_value", "avoids_m"), _minutes),),
}  # fmt: skip


def as_row(row: Any) -> dict[str, Any]:
    """What clocks ask of a row of a frame, times ms UTC."""

    def ms(value: Any) -> int | None:
        return None if value is None or value != value else int(value.timestamp() * 1000)

    return {
        "warning_id": row.warning_id, "state": row.state, "grade": row.grade, "level": row.level, "evidence": row.evidence,
        "adcode": row.adcode if isinstance(row.adcode, str) and row.adcode else None,
        "sign_by": ms(row.sign_by), "report_by": ms(row.report_by), "escalated_at": ms(row.escalated_at),
    }  # fmt: skip


def moment(value: Any) -> str:
    """Month, day and minute in Asia/Shanghai: what a watch of one night needs.

    >>> moment(pd.Timestamp("2026-05-31T15:10Z"))
    '05-31 23:10'
    """
    return "" if value is None or value != value else f"{value.tz_convert(TIMEZONE):%m-%d %H:%M}"


def span(seconds: float) -> str:
    """A time as a clock counts it down.

    >>> span(75), span(3_725), span(200_000)
    ('01:15', '1:02:05', '55:33:20')
    """
    whole = int(seconds)
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02d}:{left:02d}" if hours else f"{minutes:02d}:{left:02d}"
