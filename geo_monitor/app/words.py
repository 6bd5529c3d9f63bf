"""What the map says in sentences: words first, numbers with unit and interval.

Every function takes a row (a named tuple of `levels.COMMON`, of `zones`, of `seizures`) and gives plain text. The page
escapes it; nothing here is HTML.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from geo_monitor.app.basemap import names
from geo_monitor.messages import Lang, listed, text
from geo_monitor.settings import Settings
from geo_monitor.tables import TIMEZONE

STILL_MS = 0.3  # m/s; slower is drift and scatter


@dataclass(frozen=True)
class Speaker:
    """Says things in a language; `localities` is adcode -> name."""

    lang: Lang = "zh"
    localities: Mapping[str, str] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)

    def say(self, code: str, **params: Any) -> str:
        """The sentence `app.<code>`."""
        return text(f"app.{code}", self.lang, **params)

    @property
    def stop(self) -> str:
        return "。" if self.lang == "zh" else "."

    def _all(self, parts: list[str]) -> str:
        return ("；" if self.lang == "zh" else "; ").join(part for part in parts if part) + self.stop

    def river(self, name: str) -> str:
        """A river's or lake's name as people of the language call it.

        >>> Speaker("en").river("长江"), Speaker("zh").river("长江")
        ('Yangtze', '长江')
        """
        if self.lang == "zh":
            return name
        english = dict(names("lake").values()) | dict(names("river").values())
        return english.get(name, name)

    def locality(self, adcode: str | None) -> str:
        """The name of a locality; its code where the name is not known, empty without one."""
        if not adcode or adcode != adcode:
            return ""
        name = self.localities.get(adcode, adcode)
        return name if self.lang == "zh" else names("locality").get(name, (name, name))[1]

    def place(self, row: Any) -> str:
        """River and chainage: "长江 K1,012–K1,012.5"; a lake cell has no km."""
        river = self.river(row.river)
        if row.km_from != row.km_from or row.kind == "lake":
            return f"{river} {self.say('cell')}" if row.level == "reach" else river
        return self.say("place_km", river=river, low=km(row.km_from), high=km(row.km_to))

    def banks(self, row: Any) -> str:
        """Who answers for the banks, left and right looking downstream."""
        left, right = self.locality(row.adcode_left), self.locality(row.adcode_right)
        if left and left == right:
            return self.say("both", place=left)
        sides = [self.say(side, place=name) for side, name in (("left", left), ("right", right)) if name]
        return listed(sides, self.lang)

    def rate(self, row: Any) -> str:
        """Rate, interval, ratio and p_hot in one clause."""
        return self.say(
            "rate",
            rate=number(row.rate),
            lo=number(row.rate_lo),
            hi=number(row.rate_hi),
            rr=number(row.rr),
            p=percent(row.p_hot),
            interval=percent(self.settings.interval),
            factor=self.settings.hot_factor,
        )

    def trend(self, name: str | None) -> str:
        """A class of `emerging` in words; empty for none.

        >>> Speaker("en").trend("hot_new"), Speaker("en").trend("none")
        ('new hot spot', '')
        """
        heat, _, kind = (name or "none").partition("_")
        return self.say(f"brief_trend_{heat}", kind=self.say(f"brief_kind_{kind}")) if kind else ""

    def last(self, row: Any) -> str:
        """When somebody looked last."""
        if row.unseen_d != row.unseen_d:
            return self.say("last_never")
        if row.unseen_d < 1:
            return self.say("last_today")
        return self.say("last_days", days=f"{math.floor(row.unseen_d):,}")

    def title(self, row: Any) -> str:
        """Place and banks: "长江 K1,012–K1,012.5（左岸荆州市、右岸岳阳市）"."""
        banks = self.banks(row)
        opened, closed = ("（", "）") if self.lang == "zh" else (" (", ")")
        return self.place(row) + (f"{opened}{banks}{closed}" if banks else "")

    def reach(self, row: Any) -> str:
        """What is known of one reach, after its title: state, rate with interval, effort, last look."""
        return f"{self.say(row.state)}{self._colon}{self._reach(row)}"

    @property
    def _colon(self) -> str:
        return "：" if self.lang == "zh" else ": "

    def _reach(self, row: Any) -> str:
        unpatrolled = int(row.seizures_unpatrolled)
        more = self.say("unpatrolled", n=unpatrolled) if unpatrolled else ""
        if row.state == "not_looked":
            little = self.say("too_little", hours=number(row.patrol_h), least=self.settings.looked_h)
            return self._all([little, more, self.last(row)])
        effort = self.say("effort", hours=number(row.patrol_h), cases=int(row.seizures))
        return self._all([self.rate(row), effort, more, self.last(row)])

    def stretch(self, row: Any, worst: Any | None = None) -> str:
        """What is known of a stretch or a lake: counts, effort, its hottest reach (`worst`), how long unseen."""
        n = int(row.hot + row.cold + row.normal + row.not_looked)
        counts = self.say(
            "stretch_counts", n=n, hot=row.hot, cold=row.cold, normal=row.normal, not_looked=row.not_looked
        )
        effort = self.say("effort", hours=number(row.patrol_h), cases=int(row.seizures))
        hottest = ""
        if worst is not None and worst.state != "not_looked":
            hottest = self.say("worst", place=self.place(worst), rate=self.rate(worst))
        if row.unseen_d != row.unseen_d:
            unseen = self.say("half_never")
        else:
            unseen = self.say("half_unseen", days=f"{math.floor(row.unseen_d):,}")
        return f"{self.say(row.state)}{self._colon}{self._all([counts, effort, hottest, unseen])}"

    def about(self, row: Any, worst: Any | None = None) -> str:
        """`reach` or `stretch`, by the row's level."""
        return self.reach(row) if row.level == "reach" else self.stretch(row, worst)

    def brief(self, row: Any) -> str:
        """State in a word, the rate where it is hot or cold, and the last look."""
        if row.state == "not_looked":
            return (
                self.say("last_never") if row.unseen_d != row.unseen_d else f"{self.say(row.state)}; {self.last(row)}"
            )
        rate = ""
        if row.state in ("hot", "cold"):
            rate = self.say("rate_short", rate=number(row.rate), lo=number(row.rate_lo), hi=number(row.rate_hi))
        return self._all([self.say(row.state), rate, self.last(row) if row.level == "reach" else ""])

    def zone(self, row: Any, in_force: bool) -> tuple[str, str]:
        """Title and body of a zone."""
        category = _text(row.category)
        title = self.say("zone", name=_text(row.name), category=category) if category else _text(row.name)
        parts = [self.say("zone_in_force" if in_force else "zone_out"), _text(row.rule)]
        if _text(row.season_from):
            parts.append(self.say("zone_season", start=_text(row.season_from), end=_text(row.season_to)))
        station = _text(getattr(row, "level_station", None))
        if station:
            low, high = (
                "" if edge != edge or edge is None else f"{edge:g}" for edge in (row.level_from_m, row.level_to_m)
            )
            which = "level_between" if low and high else "level_from" if low else "level_to"
            parts.append(self.say(f"zone_{which}", station=station, low=low, high=high))
        start, end = day(row.valid_from), day(row.valid_to)
        if start or end:
            parts.append(self.say("zone_valid", start=start or self.say("open_end"), end=end or self.say("open_end")))
        if _text(row.agency):
            parts.append(self.say("zone_agency", agency=_text(row.agency)))
        return title or row.zone_id, self._all(parts)

    def age(self, seconds: float) -> str:
        """How long, in one unit.

        >>> [Speaker("en").age(s) for s in (12, 119, 5400, 200_000)]
        ['12 s', '1 min', '1.5 h', '2 days']
        """
        if seconds < 60:
            return self.say("age_seconds", n=int(seconds))
        if seconds < 3600:
            return self.say("age_minutes", n=int(seconds // 60))
        if seconds < 172_800:
            hours = seconds / 3600
            return self.say("age_hours", n=f"{hours:.1f}".removesuffix(".0") if hours < 10 else int(hours))
        return self.say("age_days", n=f"{int(seconds // 86_400):,}")

    def motion(self, row: Any) -> str:
        """How a unit moves, and how old its fix is (a row of `moments.Fixes.at`)."""
        parts = [self.say("unit_patrol" if row.patrol else "unit_traffic")]
        if row.heading == row.heading and row.speed == row.speed and row.speed >= STILL_MS:
            parts.append(self.say("unit_moving", speed=f"{row.speed * 3.6:.1f}", heading=f"{row.heading:.0f}"))
        elif row.speed == row.speed:
            still = row.speed < STILL_MS
            parts.append(self.say("unit_still") if still else self.say("unit_slow", speed=f"{row.speed * 3.6:.1f}"))
        return self._all([*parts, self.say("unit_fix", age=self.age(row.age_s))])

    def seizure(self, row: Any) -> tuple[str, str]:
        """Title and body of a seizure report."""
        parts = [moment(row.time), self.say(row.setting if _text(row.setting) else "place_unknown"), _text(row.place)]
        if _text(row.origin):
            parts.append(self.say(f"by_{row.origin}"))
        if _text(row.gear):
            parts.append(self.say("gear", gear=_text(row.gear)))
        if row.catch_kg == row.catch_kg and row.catch_kg is not None:
            parts.append(self.say("catch", kg=number(row.catch_kg)))
        if _text(row.disposition):
            parts.append(self.say(row.disposition))
        return self.say("seizure", id=row.report_id), self._all(parts)


def _text(value: object) -> str:
    return "" if value is None or value != value else str(value)


def number(value: float) -> str:
    """A figure to about two digits, as people read it.

    >>> [number(v) for v in (0.0, 0.0312, 0.314, 4.21, 15.3, 1234.5)]
    ['0', '0.031', '0.31', '4.2', '15', '1,234']
    """
    if value == 0:
        return "0"
    if abs(value) >= 10:
        return f"{value:,.0f}"
    if abs(value) >= 1:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.2g}"


def percent(value: float) -> str:
    """A probability in whole per cent, never rounded to certainty.

    >>> [percent(p) for p in (0.9, 0.004, 0.999)]
    ['90%', '<1%', '>99%']
    """
    if value < 0.01:
        return "<1%"
    return ">99%" if value > 0.99 else f"{value:.0%}"


def km(value: float) -> str:
    """Chainage as river police write it.

    >>> km(1012.0), km(1012.5), km(87.25)
    ('1,012', '1,012.5', '87.2')
    """
    return f"{value:,.0f}" if abs(value - round(value)) < 0.05 else f"{value:,.1f}"


def moment(value: Any) -> str:
    """A UTC time in Asia/Shanghai, to the minute."""
    return "" if value is None or value != value else f"{value.tz_convert(TIMEZONE):%Y-%m-%d %H:%M}"


def day(value: Any) -> str:
    """The Asia/Shanghai day of a UTC time."""
    return "" if value is None or value != value else f"{value.tz_convert(TIMEZONE):%Y-%m-%d}"
