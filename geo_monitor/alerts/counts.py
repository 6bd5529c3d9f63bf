"""What came of warnings: counted for the bulletin, and the yield of each rule.

In: newest revisions of `warnings` and `taskings`. Out: DataFrames.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from statistics import median
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from geo_monitor.alerts.grade import interval
from geo_monitor.alerts.rows import KNOWN, Row, Situation, situations, told, was_reached
from geo_monitor.settings import Settings
from geo_monitor.tables import GRADES, OUTCOMES, TIMEZONE
from geo_monitor.tracks import DAY_MS

if TYPE_CHECKING:
    import pandas as pd


def month(ms: int) -> str:
    """The Shanghai month of a moment.

    >>> month(0), month(1_772_294_400_000)
    ('1970-01', '2026-03')
    """
    return datetime.fromtimestamp(ms / 1000, ZoneInfo(TIMEZONE)).strftime("%Y-%m")


def counts(warnings: Iterable[Row], taskings: Iterable[Row] = ()) -> pd.DataFrame:
    """Messages by locality, month of opening (Asia/Shanghai) and grade: a row each, in that order, gravest first.

    Columns adcode (null: none loaded), month, grade, raised, signed_in_time (before any clock ran out), escalated,
    overdue (the province did not sign in time), reached, verified, one for each outcome, recalled, minutes_to_sign
    (median of those signed; null without).
    """
    import pandas as pd

    went: dict[str, list[Row]] = defaultdict(list)
    for tasking in taskings:
        went[tasking["warning_id"]].append(tasking)
    groups: dict[tuple[str, str, int], list[Row]] = defaultdict(list)
    for row in warnings:
        groups[row.get("adcode") or "", month(row["opened_at"]), GRADES.index(row["grade"])].append(row)
    found = []
    for (adcode, of, grade), rows in sorted(groups.items()):
        evidence = [told(row) for row in rows]
        signed = [(row["signed_at"] - row["opened_at"]) / 60_000 for row in rows if row["signed_at"] is not None]
        late = [bool(one.get("escalations") or "overdue_at" in one) for one in evidence]
        pairs = list(zip(rows, late, strict=True))
        found.append(
            {
                "adcode": adcode or None,
                "month": of,
                "grade": GRADES[grade],
                "raised": len(rows),
                "signed_in_time": sum(row["signed_at"] is not None and not after for row, after in pairs),
                "escalated": sum(bool(one.get("escalations")) for one in evidence),
                "overdue": sum("overdue_at" in one for one in evidence),
                "reached": sum(was_reached(row, went.get(row["warning_id"], ())) for row in rows),
                "verified": sum(
                    "verified_at" in one or row.get("outcome") in ("case", "education")
                    for row, one in zip(rows, evidence, strict=True)
                ),
                **{name: sum(row.get("outcome") == name for row in rows) for name in OUTCOMES},
                "recalled": sum(row["state"] == "recalled" for row in rows),
                "minutes_to_sign": median(signed) if signed else None,
            }
        )
    numbers = ["raised", "signed_in_time", "escalated", "overdue", "reached", "verified", *OUTCOMES, "recalled"]
    frame = pd.DataFrame(found, columns=["adcode", "month", "grade", *numbers, "minutes_to_sign"])
    return frame.astype({"minutes_to_sign": "Float64", **dict.fromkeys(numbers, "int64")})


def yields(
    rules: Iterable[Row],
    warnings: Iterable[Row],
    taskings: Iterable[Row] = (),
    by_month: bool = False,
    settings: Settings | None = None,
) -> pd.DataFrame:
    """Of each rule, raised -> reached -> verified -> case: a row a rule (with `by_month`: a rule and month of opening).

    Counts situations, not messages. Columns rule, month (with `by_month`), raised, recalled, settled (closed), reached,
    known (closed with a known outcome), verified, cases; and with Jeffreys 90 % intervals reached_share (of settled),
    verified_share, case_share (of known), each with _lo and _hi, null where nothing is settled or known. Rules without
    warnings have a row of zeros (not by month). Reached, verified and cases are counted among the settled ones.
    """
    import pandas as pd

    settings = settings or Settings()
    groups: dict[tuple[str, str], list[Situation]] = {}
    if not by_month:
        groups = {(row["rule"], ""): [] for row in rules}
    for one in situations(warnings, taskings):
        if one.rule is not None:
            groups.setdefault((one.rule, month(one.opened_at) if by_month else ""), []).append(one)
    rows = []
    for (rule, of), group in sorted(groups.items()):
        settled = [one for one in group if one.outcome is not None]
        known = [one for one in settled if one.outcome in KNOWN]
        reached, verified = sum(one.reached for one in settled), sum(one.verified for one in known)
        cases = sum(one.outcome == "case" for one in known)
        row: dict[str, Any] = {"rule": rule, **({"month": of} if by_month else {})}
        row |= {"raised": len(group), "recalled": sum(one.recalled for one in group), "settled": len(settled)}
        row |= {"reached": reached, "known": len(known), "verified": verified, "cases": cases}
        row |= _share("reached_share", reached, len(settled), settings)
        row |= _share("verified_share", verified, len(known), settings)
        row |= _share("case_share", cases, len(known), settings)
        rows.append(row)
    shares = [f"{name}_share{end}" for name in ("reached", "verified", "case") for end in ("", "_lo", "_hi")]
    first = ["rule", *(["month"] if by_month else [])]
    numbers = ["raised", "recalled", "settled", "reached", "known", "verified", "cases"]
    return pd.DataFrame(rows, columns=[*first, *numbers, *shares]).astype(
        {**dict.fromkeys(shares, "Float64"), **dict.fromkeys(numbers, "int64")}
    )


def falling(warnings: Iterable[Row], now: int, settings: Settings | None = None) -> pd.DataFrame:
    """The rules whose yield fell: P(cases a warning of the last 90 days < before) > 0.95, both under Jeffreys' prior.

    Columns rule, cases_before, known_before, cases_recent, known_recent, p_fell; surest first. A rule without a closed
    situation on both sides is not named. Of rules that did not change up to one in twenty is named at any time: a
    reason to look, no proof.
    """
    import pandas as pd

    settings = settings or Settings()
    since = now - round(settings.alerts_fall_days * DAY_MS)
    sides: dict[str, tuple[list[bool], list[bool]]] = defaultdict(lambda: ([], []))
    for one in situations(warnings):
        if one.rule is not None and one.outcome in KNOWN and one.opened_at <= now:
            sides[one.rule][one.opened_at > since].append(one.outcome == "case")
    rows = []
    for rule, (before, recent) in sorted(sides.items()):
        if before and recent:
            p = below((sum(recent), len(recent)), (sum(before), len(before)))
            if p > settings.alerts_fall_p:
                rows.append((rule, sum(before), len(before), sum(recent), len(recent), p))
    columns = ["rule", "cases_before", "known_before", "cases_recent", "known_recent", "p_fell"]
    return pd.DataFrame(rows, columns=columns).sort_values("p_fell", ascending=False, kind="stable", ignore_index=True)


def below(a: tuple[int, int], b: tuple[int, int]) -> float:
    """P(share a < share b) of (cases, all), each Beta(cases + 1/2, all - cases + 1/2).

    The integral of a's distribution function over b's quantiles, by Gauss-Legendre.

    >>> round(below((3, 10), (3, 10)), 4), round(below((1, 10), (4, 10)) + below((4, 10), (1, 10)), 4)
    (0.5, 1.0)
    """
    import numpy as np
    from scipy.special import betainc, betaincinv

    node, weight = np.polynomial.legendre.leggauss(100)
    at = betaincinv(b[0] + 0.5, b[1] - b[0] + 0.5, (node + 1) / 2)
    return float((weight / 2 * betainc(a[0] + 0.5, a[1] - a[0] + 0.5, at)).sum())


def _share(name: str, part: int, whole: int, settings: Settings) -> dict[str, float | None]:
    if whole == 0:
        return dict.fromkeys((name, f"{name}_lo", f"{name}_hi"))
    lo, hi = interval(part, whole, inside=settings.interval)
    return {name: part / whole, f"{name}_lo": lo, f"{name}_hi": hi}
