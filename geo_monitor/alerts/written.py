"""Rules as people write them: YAML, or the fields of a form. A strict schema; nothing in it is ever evaluated.

In: text or a mapping. Out: `Written`, or `Refused` naming field and line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from geo_monitor.errors import Refused
from geo_monitor.events.rule import Rule
from geo_monitor.settings import Settings
from geo_monitor.tables import EVENT_KINDS, TIMEZONE, WARNING_CLASSES
from geo_monitor.tracks import DAY_MS

FIELDS = (
    "rule",
    "kind",
    "class",
    "harm",
    "values",
    "zones",
    "reaches",
    "hours",
    "allowed",
    "note_zh",
    "note_en",
    "expires",
)
NEEDED = ("rule", "kind", "class")
SLUG = re.compile(r"[a-z][a-z0-9_-]{0,39}")
TEXT_MOST = 20_000  # characters of a rule
DEPTH_MOST = 5  # lists in mappings in lists; a rule needs 3
NOTE_MOST = 500  # characters of a note
LIST_MOST = 1000  # zones, reaches, units
HARM_MOST = 10.0


@dataclass(frozen=True)
class Written:
    """A rule as written. `harm`: its own, else that of its class. `body`: what is stored as JSON. `expires`: days, or
    the last day it holds (Asia/Shanghai), or None: as the settings say."""

    rule: str
    kind: str
    cls: str
    harm: float
    body: Mapping[str, Any]
    expires: int | date | None

    def expires_at(self, now: int, settings: Settings) -> int:
        """Until when it holds, ms UTC. Raises `Refused`: `rule_expires_past`, `rule_expires_far`."""
        if isinstance(self.expires, date):
            end = datetime.combine(self.expires + timedelta(days=1), time(), ZoneInfo(TIMEZONE))
            until = round(end.timestamp() * 1000)
        else:
            until = now + (settings.alerts_expires_days if self.expires is None else self.expires) * DAY_MS
        return checked_end(until, now, settings)


def checked_end(until: int, now: int, settings: Settings) -> int:
    """`until`, if a rule may hold that long. Raises `Refused`: `rule_expires_past`, `rule_expires_far`."""
    if until <= now:
        raise Refused("rule_expires_past")
    if until > now + (settings.alerts_expires_most + 1) * DAY_MS:  # the last day counts in full
        raise Refused("rule_expires_far", days=settings.alerts_expires_most)
    return until


def thresholds(kind: str, settings: Settings) -> tuple[str, ...]:
    """Names that `values` may hold for a kind of event: those of its settings, without `event_`."""
    names = [part.name for part in fields(settings)]
    own = [name for name in names if name.startswith(f"event_{kind}_")]
    own += [name for name in names if kind == "slow" and name == "event_current_mps"]
    return tuple(name.removeprefix("event_") for name in own)


def read(given: str | Mapping[str, Any], settings: Settings | None = None) -> Written:
    """The rule of a YAML text, or of a mapping.

    Raises `Refused`: `rule_yaml`, `rule_long`, `rule_no_mapping`, `rule_field_twice`, `rule_field_unknown`,
    `rule_field_missing`, `rule_field_bad`, `rule_threshold_unknown`; each but the first three names field and line.

    >>> read("rule: night\\nkind: slow\\nclass: gear\\nhours: [20, 4]").body["hours"]
    [20.0, 4.0]
    """
    settings = settings or Settings()
    lines: dict[str, int] = {}
    if isinstance(given, str):
        given, lines = _parsed(given)
    return _Reader(given, lines, settings).read()


def as_rule(rule: str, version: int, kind: str, body: Mapping[str, Any]) -> Rule:
    """What detectors run."""
    hours = body.get("hours")
    return Rule(
        rule=rule,
        version=version,
        kind=kind,
        values=dict(body.get("values", {})),
        zones=tuple(body.get("zones", ())),
        reaches=tuple((river, float(begin), float(end)) for river, begin, end in body.get("reaches", ())),
        hours=None if hours is None else (float(hours[0]), float(hours[1])),
        allowed=tuple(body.get("allowed", ())),
    )


def _parsed(text: str) -> tuple[Mapping[str, Any], dict[str, int]]:
    """The mapping of a YAML text, and the line of each of its fields."""
    import yaml

    if len(text) > TEXT_MOST:
        raise Refused("rule_long", most=TEXT_MOST)
    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            # a few lines of aliases unfold to gigabytes, and 15,000 brackets take half a minute
            if depth > DEPTH_MOST or isinstance(event, yaml.AliasEvent):
                detail = "*alias" if isinstance(event, yaml.AliasEvent) else "[[[ … {{{ …"
                raise Refused("rule_yaml", line=event.start_mark.line + 1, detail=detail)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark is not None else 1
        raise Refused("rule_yaml", line=line, detail=getattr(error, "problem", None) or "-") from None
    except ValueError as error:  # 2026-02-30
        raise Refused("rule_yaml", line=1, detail=str(error)) from None
    if not isinstance(value, Mapping):
        raise Refused("rule_no_mapping")
    lines: dict[str, int] = {}
    _lines(node, "", lines)
    return value, lines


def _lines(node: Any, path: str, lines: dict[str, int]) -> None:
    import yaml

    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            at = f"{path}{key.value}"
            if at in lines:
                raise Refused("rule_field_twice", field=at, line=key.start_mark.line + 1)
            lines[at] = key.start_mark.line + 1
            _lines(value, f"{at}.", lines)
    elif isinstance(node, yaml.SequenceNode):
        for i, value in enumerate(node.value):
            lines[f"{path}{i + 1}"] = value.start_mark.line + 1
            _lines(value, f"{path}{i + 1}.", lines)


class _Reader:
    """One pass over the fields, each checked against what it may hold."""

    def __init__(self, given: Mapping[str, Any], lines: Mapping[str, int], settings: Settings) -> None:
        self.given, self.lines, self.settings = given, lines, settings

    def read(self) -> Written:
        self._known(self.given, FIELDS, "")
        for name in NEEDED:
            if self.given.get(name) in (None, ""):
                raise Refused("rule_field_missing", field=name, needed=[*NEEDED])
        rule = self._text("rule", self.given["rule"], 40)
        if not SLUG.fullmatch(rule):
            raise self._bad("rule", "slug")
        kind = self._one_of("kind", EVENT_KINDS)
        cls = self._one_of("class", WARNING_CLASSES)
        harm = self.given.get("harm")
        if harm is None:
            harm = getattr(self.settings, f"alerts_harm_{cls}")
        elif not 0 < self._number("harm", harm) <= HARM_MOST:
            raise self._bad("harm", "harm")
        body = {
            "values": self._values(kind),
            "zones": self._texts("zones"),
            "reaches": self._reaches(),
            "hours": self._hours(),
            "allowed": self._texts("allowed"),
            "note_zh": self._text("note_zh", self.given.get("note_zh") or "", NOTE_MOST),
            "note_en": self._text("note_en", self.given.get("note_en") or "", NOTE_MOST),
        }
        return Written(rule, kind, cls, float(harm), body, self._expires())

    def _bad(self, field: str, wants: str) -> Refused:
        return Refused("rule_field_bad", field=field, line=self._line(field), wants=f"@alerts.wants_{wants}")

    def _line(self, field: str) -> str:
        return str(self.lines.get(field, "–"))

    def _known(self, given: Mapping[Any, Any], names: Iterable[str], path: str) -> None:
        for name in given:
            if name not in names:
                at = f"{path}{name}"
                raise Refused("rule_field_unknown", field=at, line=self._line(at), fields=[*names])

    def _text(self, field: str, value: Any, most: int) -> str:
        if not isinstance(value, str) or len(value) > most:
            raise self._bad(field, "text")
        return value.strip()

    def _number(self, field: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise self._bad(field, "number")
        return float(value)

    def _one_of(self, field: str, allowed: tuple[str, ...]) -> str:
        value = self.given[field]
        if value not in allowed:
            raise Refused(
                "rule_field_choice", field=field, line=self._line(field), value=str(value), allowed=[*allowed]
            )
        return str(value)

    def _list(self, field: str, value: Any, each: Callable[[str, Any], Any]) -> list[Any]:
        if value is None:
            return []
        if not isinstance(value, list | tuple) or len(value) > LIST_MOST:
            raise self._bad(field, "list")
        return [each(f"{field}.{i + 1}", one) for i, one in enumerate(value)]

    def _texts(self, field: str) -> list[str]:
        def each(at: str, value: Any) -> str:
            if not isinstance(value, str) or not value.strip():
                raise self._bad(at, "name")  # 0123 without quotes is a number, and another one
            return self._text(at, value, 200)

        return sorted(set(self._list(field, self.given.get(field), each)))

    def _values(self, kind: str) -> dict[str, float]:
        given = self.given.get("values") or {}
        if not isinstance(given, Mapping):
            raise self._bad("values", "mapping")
        known = thresholds(kind, self.settings)
        found = {}
        for name, value in given.items():
            at, short = f"values.{name}", str(name).removeprefix("event_")
            if short not in known:
                told = [*known] or "–"
                raise Refused("rule_threshold_unknown", field=at, line=self._line(at), kind=kind, names=told)
            if self._number(at, value) < 0:
                raise self._bad(at, "positive")
            found[short] = float(value)
        return dict(sorted(found.items()))

    def _reaches(self) -> list[list[Any]]:
        def each(at: str, value: Any) -> list[Any]:
            if isinstance(value, list | tuple) and len(value) == 3:
                value = dict(zip(("river", "km_from", "km_to"), value, strict=True))
            if not isinstance(value, Mapping):
                raise self._bad(at, "reach")
            self._known(value, ("river", "km_from", "km_to"), f"{at}.")
            if len(value) != 3 or not isinstance(value["river"], str) or not value["river"].strip():
                raise self._bad(at, "reach")
            begin, end = self._number(at, value["km_from"]), self._number(at, value["km_to"])
            if begin >= end:
                raise self._bad(at, "reach")
            return [value["river"].strip(), begin, end]

        return sorted(self._list("reaches", self.given.get("reaches"), each))

    def _hours(self) -> list[float] | None:
        value = self.given.get("hours")
        if value is None:
            return None
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise self._bad("hours", "hours")
        begin, end = (self._number("hours", one) for one in value)
        if not (0 <= begin <= 24 and 0 <= end <= 24) or begin == end:
            raise self._bad("hours", "hours")  # YAML reads 20:00 without quotes as 1200
        return [begin, end]

    def _expires(self) -> int | date | None:
        value = self.given.get("expires")
        if value is None:
            return None
        if isinstance(value, datetime):
            return value.date()
        if isinstance(value, date):
            return value
        if isinstance(value, str):
            try:
                return date.fromisoformat(value.strip())
            except ValueError:
                raise self._bad("expires", "expires") from None
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise self._bad("expires", "expires")
        return value
