"""Clocks of warnings: sign by, escalate, report by.

A warning that is not signed at `sign_by` goes up a level (county, city, province) and gets a fresh clock there; the
province keeps it, overdue. Everything follows from the row and `now`, both in ms UTC, so a restart, a sleep or a jump
of the clock leaves the same rows as a tick at every moment would have.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from geo_monitor.alerts import route
from geo_monitor.alerts.rows import Row, changed, told
from geo_monitor.settings import Settings


def sign_ms(grade: str, settings: Settings) -> int:
    """Milliseconds a level has to sign a warning of this grade.

    >>> sign_ms("red", Settings()), sign_ms("blue", Settings())
    (900000, 86400000)
    """
    return round(1000 * float(getattr(settings, f"alerts_sign_{grade}_s")))


def report_ms(grade: str, settings: Settings) -> int:
    """Milliseconds after signing within which the outcome must be reported."""
    return round(1000 * float(getattr(settings, f"alerts_report_{grade}_s")))


def steps(row: Row, now: int, settings: Settings | None = None) -> list[dict[str, Any]]:
    """What is due on one warning up to and at `now`, one revision for each step, first due first.

    Each carries the `revision` it follows from, where the row has one. Evidence gets `escalations` ([level, office, ms]),
    `overdue_at` (the province did not sign), `report_overdue_at` (ms UTC, the moment it was due).
    """
    settings = settings or Settings()
    done: list[dict[str, Any]] = []
    while (following := _step(row, now, settings)) is not None:
        done.append(following)
        row = following if row.get("revision") is None else {**following, "revision": row["revision"] + 1}
    return done


def up_to(row: Row, now: int, settings: Settings | None = None) -> dict[str, Any]:
    """The row after all that is due at `now`, still with the `revision` it came with: what people act upon."""
    due = steps(row, now, settings)
    if not due:
        return dict(row)
    last = due[-1]
    return last if row.get("revision") is None else {**last, "revision": row["revision"]}


def tick(warnings: Iterable[Row], now: int, settings: Settings | None = None) -> list[dict[str, Any]]:
    """All revisions that are due on these warnings up to `now`, for `store.revisions.revise`, warning by warning.

    A red warning of 10:00 that nobody has signed by 10:31 has gone to the city at 10:15 and to the province at 10:30:

    >>> row = {"warning_id": "w", "state": "open", "grade": "red", "adcode": "421022", "level": "county", "sign_by": 900_000}
    >>> [(one["level"], one["escalated_at"], one["sign_by"]) for one in tick([row], 1_860_000)]
    [('city', 900000, 1800000), ('province', 1800000, 2700000)]
    """
    settings = settings or Settings()
    return [step for row in warnings for step in steps(row, now, settings)]


def next_due(warnings: Iterable[Row]) -> int | None:
    """When the next step is due, ms UTC; None while nothing can fall due."""
    moments = []
    for row in warnings:
        moment = _due(row)
        if moment is not None:
            moments.append(moment)
    return min(moments, default=None)


def _due(row: Row) -> int | None:
    if row["state"] == "open":
        moment, flag = row.get("sign_by"), "overdue_at"
    elif row["state"] in ("signed", "dispatched", "verified"):
        moment, flag = row.get("report_by"), "report_overdue_at"
    else:
        return None
    return None if moment is None or flag in told(row) else int(moment)


def _step(row: Row, now: int, settings: Settings) -> dict[str, Any] | None:
    due = _due(row)
    if due is None or due > now:
        return None
    if row["state"] != "open":
        return changed(row, {"report_overdue_at": due}, "@alerts.reason_report_overdue")
    up = route.above(row.get("adcode"), row["level"])
    if up is None:
        return changed(row, {"overdue_at": due}, "@alerts.reason_overdue")
    gone = [*told(row).get("escalations", ()), [up, route.office(row.get("adcode"), up), due]]
    return changed(
        row,
        {"escalations": gone},
        "@alerts.reason_escalated",
        level=up,
        escalated_at=due,
        sign_by=due + sign_ms(row["grade"], settings),
    )
