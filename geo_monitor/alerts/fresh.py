"""New warnings: their ids, their columns, and those that a person raises."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geo_monitor.alerts import clocks, route
from geo_monitor.alerts.context import Context, Place
from geo_monitor.alerts.rows import short_hash, written
from geo_monitor.errors import Refused, Usage
from geo_monitor.settings import Settings
from geo_monitor.tables import GRADES, WARNING_CLASSES


def warning_id(cls: str, event_id: str, adcode: str | None) -> str:
    """The id of a warning: hash of class, first event and locality, 16 characters.

    >>> warning_id("zone", "e", None) == warning_id("zone", "e", ""), warning_id("zone", "e", "421022")[:4]
    (True, 'f593')
    """
    return short_hash(cls, event_id, adcode or "")


def by_hand(
    cls: str,
    grade: str,
    words: str,
    reach_id: str | None,
    context: Context,
    who: str,
    now: int,
    adcodes: Sequence[str] = (),
    settings: Settings | None = None,
) -> list[dict[str, Any]]:
    """A warning that a person raises (a tip, a stretch nobody looks at): one for each locality, by its banks or as told.

    Its grade is the person's; no probability is claimed. Raises `Usage`: `warning_class_unknown`,
    `warning_grade_unknown`; `Refused("warning_reason_missing")` without words.
    """
    settings = settings or Settings()
    if cls not in WARNING_CLASSES:
        raise Usage("warning_class_unknown", cls=cls, classes=[*WARNING_CLASSES])
    if grade not in GRADES:
        raise Usage("warning_grade_unknown", grade=grade, grades=[*GRADES])
    if not words.strip():
        raise Refused("warning_reason_missing", id="-", action="@alerts.action_raise")
    place = context.place(reach_id)
    told_as = short_hash("by hand", cls, who, str(now), reach_id or "", words.strip())
    wanted = route.localities(adcodes or place.adcodes)
    ids = {adcode: warning_id(cls, told_as, adcode) for adcode in wanted}
    rows = []
    for adcode, id_ in ids.items():
        evidence: dict[str, Any] = {"situation": told_as, "base": cls, "origin": [reach_id, None], "events": []}
        evidence |= {
            "river": place.river,
            "km": place.km,
            "state": place.state,
            "raised_by": who,
            "words": words.strip(),
        }
        if len(ids) > 1:
            evidence["with"] = sorted(other for other in ids.values() if other != id_)
        row = fresh(id_, cls, grade, reach_id, adcode, place, now, settings)
        rows.append({**row, "evidence": written(evidence), "reason": words.strip()})
    return rows


def fresh(
    id_: str, cls: str, grade: str, reach_id: str | None, adcode: str | None, place: Place, now: int, settings: Settings
) -> dict[str, Any]:
    """A warning of this moment that nobody has seen, its clock running."""
    return {
        "warning_id": id_,
        "class": cls,
        "grade": grade,
        "reach_id": reach_id,
        "adcode": adcode,
        "level": route.level(adcode),
        "lon": place.lon,
        "lat": place.lat,
        "opened_at": now,
        "sign_by": now + clocks.sign_ms(grade, settings),
        "signed_at": None,
        "signed_by": None,
        "escalated_at": None,
        "report_by": None,
        "state": "open",
        "event_ids": (),
        "rule": None,
        "probability": None,
        "probability_lo": None,
        "probability_hi": None,
        "harm": None,
        "evidence": None,
        "outcome": None,
        "reason": None,
    }
