"""What people do with a warning. Each takes a row, who and now (ms UTC) and gives the new row, or raises `Refused` and
nothing has changed.

    open --sign--> signed --dispatch--> dispatched --verify--> verified --close--> closed
    recall: from any of these but closed. close: from signed, dispatched, verified. verify: from signed or dispatched.

Whatever was due before `now` has happened first: who signs after the clock ran out signs at the level it went up to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from geo_monitor.alerts import clocks, route
from geo_monitor.alerts.grade import graver
from geo_monitor.alerts.rows import LIVE, RANKED, Row, changed, told, was_reached
from geo_monitor.errors import Refused, Usage
from geo_monitor.settings import Settings
from geo_monitor.tables import GRADES, OUTCOMES
from geo_monitor.tracks import DAY_MS

FROM = {
    "sign": ("open",),
    "dispatch": ("signed", "dispatched", "verified"),
    "verify": ("signed", "dispatched"),
    "close": ("signed", "dispatched", "verified"),
    "recall": LIVE,
    "regrade": LIVE,
    "silence": (*LIVE, "closed", "recalled"),
}
TOLD_WHY = ("nothing_found", "no_unit", "false")  # outcomes that need a reason: somebody was sent for nothing


def sign(
    row: Row, who: str, now: int, areas: Sequence[str] | None = None, settings: Settings | None = None
) -> dict[str, Any]:
    """Signed for. areas: adcodes the account answers for (None: everybody).

    Raises `Refused`: `warning_state_wrong`, `warning_level_other`.
    """
    settings = settings or Settings()
    row = _ready(row, "sign", now, settings)
    if not route.answers(row, areas):
        office = route.office(row.get("adcode"), row["level"])
        raise Refused("warning_level_other", id=row["warning_id"], level=f"@alerts.level_{row['level']}", office=office)
    return changed(
        row, state="signed", signed_at=now, signed_by=who, report_by=now + clocks.report_ms(row["grade"], settings)
    )


def dispatch(row: Row, who: str, now: int, settings: Settings | None = None) -> dict[str, Any]:
    """Somebody was sent; a verified warning stays verified. Raises `Refused("warning_state_wrong")`."""
    row = _ready(row, "dispatch", now, settings)
    state = "verified" if row["state"] == "verified" else "dispatched"
    return changed(row, {"dispatched_at": now, "dispatched_by": who}, state=state)


def verify(row: Row, who: str, now: int, note: str | None = None, settings: Settings | None = None) -> dict[str, Any]:
    """Somebody saw that it is so. Raises `Refused("warning_state_wrong")`."""
    row = _ready(row, "verify", now, settings)
    return changed(row, {"verified_at": now, "verified_by": who}, _words(note), state="verified")


def close(
    row: Row, who: str, now: int, outcome: str | None, reason: str | None = None, settings: Settings | None = None
) -> dict[str, Any]:
    """Closed with what was found; nothing found, no unit and false ones need a reason.

    Raises `Usage("warning_outcome_unknown")`; `Refused`: `warning_state_wrong`, `warning_outcome_missing`,
    `warning_reason_missing`.
    """
    row = _ready(row, "close", now, settings)
    if not outcome:
        raise Refused("warning_outcome_missing", id=row["warning_id"], outcomes=[*OUTCOMES])
    if outcome not in OUTCOMES:
        raise Usage("warning_outcome_unknown", outcome=outcome, outcomes=[*OUTCOMES])
    words = _reason(row, "close", reason) if outcome in TOLD_WHY else _words(reason)
    return changed(row, {"closed_at": now, "closed_by": who}, words, state="closed", outcome=outcome)


def recall(row: Row, who: str, now: int, reason: str | None, settings: Settings | None = None) -> dict[str, Any]:
    """Taken back, with a reason. Raises `Refused`: `warning_state_wrong`, `warning_reason_missing`."""
    row = _ready(row, "recall", now, settings)
    return changed(row, {"recalled_at": now, "recalled_by": who}, _reason(row, "recall", reason), state="recalled")


def regrade(
    row: Row, who: str, now: int, grade: str, reason: str | None, settings: Settings | None = None
) -> dict[str, Any]:
    """Another grade, up or down, with a reason. The clock that runs is never shortened below the new grade's own from
    now on a lower grade, nor left longer than that on a graver one.

    Raises `Usage("warning_grade_unknown")`; `Refused`: `warning_state_wrong`, `warning_grade_same`,
    `warning_reason_missing`.
    """
    settings = settings or Settings()
    row = _ready(row, "regrade", now, settings)
    if grade not in GRADES:
        raise Usage("warning_grade_unknown", grade=grade, grades=[*GRADES])
    if grade == row["grade"]:
        raise Refused("warning_grade_same", id=row["warning_id"], grade=f"@alerts.grade_{grade}")
    words = _reason(row, "regrade", reason)
    history = [*told(row).get("regrades", ()), [row["grade"], grade, now, who]]
    return regraded(changed(row, {"regrades": history}, words), grade, now, settings)


def regraded(row: Row, grade: str, now: int, settings: Settings) -> dict[str, Any]:
    """The row with another grade and its clock set to it."""
    sooner = graver(grade, row["grade"])
    pick = min if sooner else max
    values: dict[str, Any] = {"grade": grade}
    if row["state"] == "open" and row.get("sign_by") is not None:
        values["sign_by"] = pick(row["sign_by"], now + clocks.sign_ms(grade, settings))
    elif row["state"] != "open" and row.get("report_by") is not None:
        values["report_by"] = pick(row["report_by"], now + clocks.report_ms(grade, settings))
    return {**row, **values}


def silence(
    row: Row,
    who: str,
    now: int,
    until: int,
    reason: str | None,
    zone_id: str | None = None,
    settings: Settings | None = None,
) -> dict[str, Any]:
    """Nothing more of this class from this place (or zone) until then (ms UTC): `context.quiets` reads it from the row,
    and what comes is counted on it. An open or signed warning is recalled by it; the others go on.

    Raises `Refused`: `warning_reason_missing`, `warning_quiet_past`, `warning_quiet_long`, `warning_quiet_nowhere`.
    """
    settings = settings or Settings()
    row = _ready(row, "silence", now, settings)
    words = _reason(row, "silence", reason)
    if until <= now:
        raise Refused("warning_quiet_past", id=row["warning_id"])
    if until - now > settings.alerts_quiet_days * DAY_MS:
        raise Refused("warning_quiet_long", id=row["warning_id"], days=f"{settings.alerts_quiet_days:g}")
    if row.get("reach_id") is None and zone_id is None:
        raise Refused("warning_quiet_nowhere", id=row["warning_id"])
    since = min([row["opened_at"], *(entry["from"] for entry in told(row).get("events", ()))])
    quiet = {"since": since, "until": until, "reason": words, "who": who, "zone": zone_id, "event_ids": []}
    values: dict[str, Any] = {"quiet": quiet}
    if row["state"] in ("open", "signed"):
        return changed(row, {**values, "recalled_at": now, "recalled_by": who}, words, state="recalled")
    return changed(row, values, words)


def settle(
    row: Row, taskings: Iterable[Row], who: str, now: int, settings: Settings | None = None
) -> dict[str, Any] | None:
    """What the taskings of a warning (newest revisions) say of it, or None where that changes nothing.

    Somebody on scene is noted. Once none is under way any more and one is done with an outcome, the warning closes with
    the first of case, education, nothing_found, false, no_unit among them. Where nobody could be sent it stays, counted.
    """
    mine = [one for one in taskings if one["warning_id"] == row["warning_id"]]
    if row["state"] not in FROM["close"] or not mine:
        return None
    due = clocks.up_to(row, now, settings)
    told_now: dict[str, Any] = {}
    if was_reached({}, mine) and "reached_at" not in told(row):
        told_now["reached_at"] = now
    without = sum(one["state"] == "no_unit" for one in mine)
    if without and told(row).get("no_unit") != without:
        told_now["no_unit"] = without
    running = any(one["state"] in ("offered", "accepted", "under_way", "on_scene") for one in mine)
    done = [one for one in mine if one["state"] == "done" and one.get("result")]
    if done and not running:
        best = min(done, key=lambda one: (RANKED.index(one["result"]), one["tasking_id"]))
        told_now |= {"closed_at": now, "closed_by": who, "closed_on": best["tasking_id"]}
        return changed(due, told_now, best.get("text"), state="closed", outcome=best["result"])
    return changed(due, told_now) if told_now else None


def still(row: Row, action: str) -> None:
    """Raises `Refused("warning_state_wrong")` where a warning is closed or recalled. action: the code of its words."""
    if row["state"] not in LIVE:
        raise Refused(
            "warning_state_wrong", id=row["warning_id"], state=f"@alerts.state_{row['state']}", action=f"@{action}"
        )


def _ready(row: Row, action: str, now: int, settings: Settings | None) -> dict[str, Any]:
    if row["state"] not in FROM[action]:
        raise Refused(
            "warning_state_wrong",
            id=row["warning_id"],
            state=f"@alerts.state_{row['state']}",
            action=f"@alerts.action_{action}",
        )
    return clocks.up_to(row, now, settings)


def _words(reason: str | None) -> str | None:
    return (reason or "").strip() or None


def _reason(row: Row, action: str, reason: str | None) -> str:
    words = _words(reason)
    if words is None:
        raise Refused("warning_reason_missing", id=row["warning_id"], action=f"@alerts.action_{action}")
    return words
