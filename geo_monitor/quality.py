"""How good each agency's uploads are, month by month, and the three most useful things to mend.

In: the book of receipts, and how late the rows came. Out: table `quality_scores`. Pure: no store, no clock.

The score is the mean of shares from 0 to 1, times 100, each with its weight (settings `quality_*`):

| share | weight | of what |
|---|---|---|
| taken | 50 | rows read that were not refused |
| clean | 15 | rows read that were taken in with nothing to remark |
| in time | 15 | rows read, of kinds that tell a time, taken in at most 7 days after their own day |
| whole | 10 | uploads that were neither refused nor withdrawn |
| steady | 5 | rows read that were taken in and are no third or later version of a record |
| declared | 5 | uploads that said their text encoding and their datum, where they have such |

A share that there is nothing to judge by is left out, with its weight. Rows held already (sent again) count nowhere.
Every share of rows is a share of the rows *read*: so refusing more rows never raises a score.

Rows of one file share their faults, so an upload counts as one observation: the interval is Wilson's (JASA 22, 1927)
at 90 % with n = uploads judged. Under 10 rows in under 3 uploads nothing is said.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from math import sqrt
from typing import TYPE_CHECKING, Any

from geo_monitor.messages import Lang, catalogue, text
from geo_monitor.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

TIMED = {"tracks": "time", "seizures": "time", "levels": "time", "patrols": "ended_at"}  # kinds whose rows tell a time
UNSAID = {"datum_assumed", "datum_confirmed", "datum_detected", "datum_cannot_tell", "datum_cannot_tell_coarse",
          "crs_missing", "crs_from_numbers"}  # fmt: skip
Z90 = 1.6448536269514722  # two-sided 90 %


@dataclass
class Month:
    """What an agency sent in one month (Asia/Shanghai). Rows count those not held already."""

    agency: str | None
    month: str
    uploads: int = 0
    duplicates: int = 0  # uploads of which every row was held already
    rejected: int = 0
    withdrawn: int = 0
    read: int = 0
    taken: int = 0
    corrected: int = 0
    again: int = 0  # rows that are the third or a later version of a record
    warned: int = 0  # rows taken in with a warning
    timed: int = 0  # rows read of kinds that tell a time
    in_time: int = 0
    delays: dict[int, int] = field(default_factory=dict)  # days late -> rows
    said: dict[str, tuple[int, int]] = field(default_factory=dict)  # encoding, datum -> declared, of how many
    lost: list[Trouble] = field(default_factory=list)

    @property
    def judged(self) -> int:
        """Uploads that tell something: all but the duplicates."""
        return self.uploads - self.duplicates


@dataclass(frozen=True)
class Trouble:
    """One kind of trouble in one upload: its rows, and how it was told there. level: refused, file, warned."""

    code: str
    level: str
    rows: int
    told: dict[str, tuple[str, str]]  # language -> message, hint


@dataclass(frozen=True)
class Fix:
    """One thing to mend: rows it would save, rows it would make clean, and the sentence in both languages."""

    code: str
    saves: int
    cleans: int
    zh: str
    en: str


# --- from the book ----------------------------------------------------------------------------------------------------


def months(receipts: pd.DataFrame, late: pd.DataFrame, settings: Settings | None = None) -> list[Month]:
    """What each agency sent in each month, by agency and month.

    receipts: table `receipts`. late: one row per receipt and delay: receipt_id, days (Shanghai day of receipt minus
    that of the row, whole days), rows, and again (rows of those that are a third or later version).
    """
    settings = settings or Settings()
    delays: dict[str, dict[int, int]] = {}
    again: dict[str, int] = {}
    told: Any = late.itertuples()
    for row in told:
        of = delays.setdefault(str(row.receipt_id), {})
        of[int(row.days)] = of.get(int(row.days), 0) + int(row.rows)
        again[str(row.receipt_id)] = again.get(str(row.receipt_id), 0) + int(row.again)
    found: dict[tuple[str, str], Month] = {}
    book: Any = receipts.itertuples()
    for receipt in book:
        agency = receipt.agency if isinstance(receipt.agency, str) and receipt.agency else None
        month = receipt.received_at.tz_convert("Asia/Shanghai").strftime("%Y-%m")
        of_month = found.setdefault((agency or "", month), Month(agency, month))
        name = str(receipt.receipt_id)
        _add(of_month, receipt, json.loads(str(receipt.receipt)), delays.get(name, {}), again.get(name, 0), settings)
    return [found[key] for key in sorted(found)]


def _add(
    month: Month, receipt: Any, told: dict[str, Any], delays: dict[int, int], again: int, settings: Settings
) -> None:
    month.uploads += 1
    if receipt.status == "duplicate":
        month.duplicates += 1
        return
    both = {lang: told[lang] for lang in ("zh", "en")}
    rows = both["zh"]["rows"]
    read = rows.get("read", 0) - rows.get("unchanged", 0)
    taken = rows.get("accepted", 0) + rows.get("corrected", 0)
    rejected = receipt.status == "rejected"
    month.rejected += rejected
    month.withdrawn += receipt.withdrawn_at is not None and receipt.withdrawn_at == receipt.withdrawn_at
    month.read += read
    month.taken += taken
    month.corrected += rows.get("corrected", 0)
    month.again += again
    counts = told.get("counts", {})
    errors = _troubles(both, "errors", counts)
    warnings = [one for one in _troubles(both, "warnings", counts) if one.code != "duplicate_rows"]
    # a row may have several warnings: at most all rows taken in are touched
    month.warned += min(taken, sum(one.rows for one in warnings))
    if receipt.kind in TIMED:
        month.timed += read
        month.in_time += sum(n for days, n in delays.items() if days <= settings.quality_days)
        for days, n in delays.items():
            month.delays[days] = month.delays.get(days, 0) + n
    if rejected and not read:
        month.lost += [Trouble(one.code, "file", one.rows, one.told) for one in errors[:1]]
        return
    month.lost += [Trouble(one.code, "refused", one.rows, one.told) for one in errors]
    month.lost += [Trouble(one.code, "warned", one.rows, one.told) for one in warnings]
    # of every file that could be read, refused or not: else refusing its last row could raise the score
    if both["zh"].get("encoding", {}).get("used"):
        _say(month, "encoding", both["zh"]["encoding"]["how"] in ("declared", "given"))
    if both["zh"].get("crs", {}).get("used"):
        codes = {note["code"] for form in ("notes", "warnings") for note in both["zh"].get(form, [])}
        _say(month, "datum", not UNSAID & codes)


def _say(month: Month, what: str, declared: bool) -> None:
    yes, of = month.said.get(what, (0, 0))
    month.said[what] = (yes + declared, of + 1)


def _troubles(told: dict[str, Any], form: str, counts: dict[str, Any]) -> list[Trouble]:
    found = {}
    for zh, en in zip(told["zh"].get(form, []), told["en"].get(form, []), strict=True):
        code = zh["code"]
        if code in found:
            continue
        same = [one for one in told["zh"][form] if one["code"] == code]
        rows = counts.get(form, {}).get(code, sum(len(one.get("rows", [])) for one in same))
        words = {lang: (one["message"], one.get("hint") or "") for lang, one in (("zh", zh), ("en", en))}
        found[code] = Trouble(code, form, int(rows), words)
    return list(found.values())


# --- the score --------------------------------------------------------------------------------------------------------


def shares(month: Month) -> dict[str, float]:
    """The shares that can be judged, by name."""
    found: dict[str, float] = {}
    if month.read:
        found["taken"] = month.taken / month.read
        found["clean"] = max(month.taken - month.warned, 0) / month.read
        found["steady"] = max(month.taken - month.again, 0) / month.read
    if month.timed:
        found["in_time"] = min(month.in_time / month.timed, 1.0)
    if month.judged:
        found["whole"] = max(month.judged - month.rejected - month.withdrawn, 0) / month.judged
    said = [yes / of for yes, of in month.said.values()]
    if said:
        found["declared"] = sum(said) / len(said)
    return found


def score(month: Month, settings: Settings | None = None) -> tuple[float, float, float] | None:
    """Score and its 90 % interval, 0 to 100; None where too little was sent to say anything.

    One upload of 40 rows, 10 of them refused, all of it in time, clean, declared and steady: taken 0.75, clean 0.75,
    in time 0.75, steady 0.75, whole 1, declared 1; (50 + 15 + 15 + 5) * 0.75 + 10 + 5 = 78.75.

    >>> month = Month("a", "2026-05", uploads=1, read=40, taken=30, timed=40, in_time=30, said={"datum": (1, 1)})
    >>> [round(value, 2) for value in score(month)]
    [78.75, 16.99, 98.53]
    """
    settings = settings or Settings()
    if month.read < settings.quality_rows and month.judged < settings.quality_uploads:
        return None
    parts = shares(month)
    if not parts:
        return None
    weights = {name: float(getattr(settings, f"quality_{name}")) for name in parts}
    value = sum(weights[name] * part for name, part in parts.items()) / sum(weights.values())
    low, high = wilson(value, month.judged)
    return 100 * value, 100 * low, 100 * high


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 90 % interval of a share seen in n observations (E. B. Wilson, JASA 22, 1927).

    >>> [round(end, 3) for end in wilson(1.0, 1)]
    [0.27, 1.0]
    """
    square = Z90 * Z90
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z90 * sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
    return max(middle - half, 0.0), min(middle + half, 1.0)


# --- what to mend -----------------------------------------------------------------------------------------------------


def fixes(month: Month, settings: Settings | None = None) -> list[Fix]:
    """What to mend, the most useful first: by the rows it would save, then by the rows it would make clean.

    A file that could not be read at all is taken to hold as many rows as the mean upload of the month that could.
    """
    settings = settings or Settings()
    readable = month.judged - sum(one.level == "file" for one in month.lost)
    mean = max(round(month.read / readable), 1) if readable and month.read else 1
    of: dict[tuple[str, str], list[Trouble]] = {}
    for one in month.lost:
        of.setdefault((one.level, one.code), []).append(one)
    found = []
    for (level, code), same in of.items():
        rows, files = sum(one.rows for one in same), len(same)
        words = max(same, key=lambda one: one.rows).told
        saves = rows if level == "refused" else mean * files if level == "file" else 0
        cleans = max(rows, files) if level == "warned" else 0
        told = {lang: _sentence(level, code, rows, files, words[lang], lang) for lang in ("zh", "en")}
        found.append(Fix(code, saves, cleans, told["zh"], told["en"]))
    late = sum(n for days, n in month.delays.items() if days > settings.quality_days)
    found += _plain("late", late, count=f"{late:,}", days=settings.quality_days)
    found += _plain("again", month.again, count=f"{month.again:,}")
    for what, (yes, total) in month.said.items():
        found += _plain(what, total - yes, count=f"{total - yes:,}")
    return sorted(found, key=lambda fix: (-fix.saves, -fix.cleans, fix.code))


def _plain(what: str, cleans: int, **params: Any) -> list[Fix]:
    if not cleans:
        return []
    code = f"quality.fix.{what}"
    return [Fix(code, 0, cleans, text(code, "zh", **params), text(code, "en", **params))]


def _sentence(level: str, code: str, rows: int, files: int, words: tuple[str, str], lang: Lang) -> str:
    """The count, what is wrong, what to do."""
    what, todo = words
    if f"quality.todo.{code}" in catalogue():  # a warning tells the count of its own upload; here all are meant
        what, todo = text(f"quality.todo.{code}", lang), ""
    head = "warned_file" if level == "warned" and not rows else level
    line = text(f"quality.fix.{head}", lang, rows=f"{rows:,}", files=f"{files:,}", what=what)
    return f"{line} {todo}" if lang == "en" and todo else line + todo


# --- the table --------------------------------------------------------------------------------------------------------


def table(of: Iterable[Month], settings: Settings | None = None) -> pd.DataFrame:
    """Table `quality_scores`, a row per agency and month."""
    import pandas as pd

    from geo_monitor import tables

    settings = settings or Settings()
    rows = []
    for month in of:
        given, mend = score(month, settings), fixes(month, settings)[:3]
        row: dict[str, Any] = {
            "agency": month.agency,
            "month": month.month,
            "uploads": month.uploads,
            "uploads_duplicate": month.duplicates,
            "uploads_rejected": month.rejected,
            "uploads_withdrawn": month.withdrawn,
            "rows_read": month.read,
            "rows_taken": month.taken,
            "rows_refused": month.read - month.taken,
            "rows_warned": month.warned,
            "rows_corrected": month.corrected,
            "rows_corrected_again": month.again,
            "rows_late": sum(n for days, n in month.delays.items() if days > settings.quality_days),
            "days_late": median(month.delays),
            "refused_for": _by_kind(month, ("refused", "file")),
            "warned_for": _by_kind(month, ("warned",)),
            "encoding_declared": _part(month, "encoding"),
            "datum_declared": _part(month, "datum"),
        }
        for name, value in zip(("score", "score_lo", "score_hi"), given or (None,) * 3, strict=True):
            row[name] = None if value is None else float(round(value))
        for i in range(3):
            row[f"fix_{i + 1}"] = mend[i].zh if i < len(mend) else None
            row[f"fix_{i + 1}_en"] = mend[i].en if i < len(mend) else None
        rows.append(row)
    shape = tables.table("quality_scores")
    return shape.conform(pd.DataFrame(rows, columns=list(shape.names)))


def median(delays: dict[int, int]) -> float | None:
    """The median of whole days told as days -> rows, the lower one of two; None without rows.

    >>> median({0: 2, 3: 1, 40: 2}), median({})
    (3.0, None)
    """
    total, seen = sum(delays.values()), 0
    for days in sorted(delays):
        seen += delays[days]
        if 2 * seen >= total:
            return float(days)
    return None


def _by_kind(month: Month, levels: tuple[str, ...]) -> list[str]:
    of: dict[str, int] = {}
    for one in month.lost:
        if one.level in levels:
            of[one.code] = of.get(one.code, 0) + max(one.rows, one.level == "file")
    return [f"{code}:{rows}" for code, rows in sorted(of.items(), key=lambda item: (-item[1], item[0]))]


def _part(month: Month, what: str) -> float | None:
    yes, of = month.said.get(what, (0, 0))
    return yes / of if of else None


def lines(scores: pd.DataFrame, lang: Lang) -> list[str]:
    """Table `quality_scores` as sentences, newest month first in each agency."""
    said = []
    rows: Any = scores.sort_values(["agency", "month"], ascending=[True, False], na_position="last").itertuples()
    for row in rows:
        name = row.agency if isinstance(row.agency, str) else text("quality.nobody", lang)
        params = {"agency": name, "month": row.month, "uploads": row.uploads, "rows": f"{row.rows_read:,}"}
        known = row.score == row.score and row.score is not None
        ends = (
            {"score": f"{row.score:.0f}", "low": f"{row.score_lo:.0f}", "high": f"{row.score_hi:.0f}"} if known else {}
        )
        said.append(text("quality.score" if known else "quality.too_few", lang, **params, **ends))
        for i in (1, 2, 3):
            fix = getattr(row, f"fix_{i}" if lang == "zh" else f"fix_{i}_en")
            if isinstance(fix, str):
                said.append(f"  {i}. {fix}")
    return said


def plain(scores: pd.DataFrame, lang: Lang) -> list[dict[str, Any]]:
    """Table `quality_scores` as plain values for JSON, the things to mend as a list in one language."""
    told = []
    for row in scores.astype(object).where(scores.notna(), None).to_dict("records"):
        mend = [row.pop(f"fix_{i}{end}") for i in (1, 2, 3) for end in ("", "_en")]
        kept = mend[0::2] if lang == "zh" else mend[1::2]
        kept_row: dict[str, Any] = {str(name): value for name, value in row.items()}
        told.append({
            **{name: list(value) if hasattr(value, "tolist") else value for name, value in kept_row.items()},
            "fixes": [fix for fix in kept if fix],
        })  # fmt: skip
    return told
