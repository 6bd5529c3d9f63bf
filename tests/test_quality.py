"""The quality of uploads: scores worked out by hand, what is named first, and what never raises a score."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor import quality
from geo_monitor import settings as settings_module
from geo_monitor.cli import run
from geo_monitor.ingest import Message, Receipt
from geo_monitor.messages import catalogue
from geo_monitor.tables import table

ROOT = Path(quality.__file__).parent
NO_LATE = pd.DataFrame({"receipt_id": [], "days": [], "rows": [], "again": []})


def upload(
    kind: str = "tracks",
    read: int = 0,
    refused: dict[str, int] | None = None,
    warned: dict[str, int] | None = None,
    corrected: int = 0,
    unchanged: int = 0,
    when: str = "2026-05-10T08:00+08:00",
    agency: str | None = "甲县",
    encoding: str | None = "declared",
    datum: bool = True,
    status: str | None = None,
    error: str | None = None,
) -> Receipt:
    """The receipt of a file of `read` rows. refused, warned: code -> rows."""
    refused, warned = refused or {}, warned or {}
    lost = sum(refused.values())
    taken = read - lost - unchanged
    rows = {
        "read": read,
        "accepted": taken - corrected,
        "quarantined": lost,
        "unchanged": unchanged,
        "corrected": corrected,
    }
    params = {"column": "时间", "words": "某", "year": 2000}
    made = (
        "rejected"
        if error or (read and not taken and not unchanged)
        else "accepted_with_warnings"
        if lost or warned
        else "accepted"
    )
    errors = [Message(code, {"count": n, **params}, tuple(range(1, min(n, 1000) + 1))) for code, n in refused.items()]
    errors += [Message(error, {"file": "甲.zip", "detail": "x"})] if error else []
    return Receipt(
        "", kind, "f", "0", datetime.fromisoformat(when).astimezone(UTC), status or made, agency, rows,
        {"used": encoding and "utf-8", "how": encoding or "detected", "confidence": 1.0},
        {"used": "EPSG:4326", "how": "declared", "datum": "wgs84", "confidence": 1.0},
        () if datum else (Message("datum_assumed"),),
        tuple(Message(code, {"count": n, **params}, (1,)) for code, n in warned.items()), tuple(errors),
    )  # fmt: skip


def book(*uploads: Receipt, withdrawn: tuple[int, ...] = ()) -> pd.DataFrame:
    rows = []
    for i, receipt in enumerate(uploads):
        told = {"zh": receipt.to_json("zh"), "en": receipt.to_json("en"), "counts": receipt.counts()}
        rows.append({
            "receipt_id": f"r{i}", "kind": receipt.kind, "file": receipt.file, "sha256": "0", "agency": receipt.agency,
            "received_at": receipt.received_at, "status": receipt.status, "receipt": json.dumps(told),
            "withdrawn_at": receipt.received_at if i in withdrawn else None,
        })  # fmt: skip
    return table("receipts").conform(pd.DataFrame(rows))


def late(*rows: tuple[int, int, int]) -> pd.DataFrame:
    """(upload, days late, rows)"""
    return pd.DataFrame([{"receipt_id": f"r{i}", "days": d, "rows": n, "again": 0} for i, d, n in rows])


def one(*uploads: Receipt, lateness: pd.DataFrame = NO_LATE, **more: Any) -> quality.Month:
    found = quality.months(book(*uploads, **more), lateness)
    assert len(found) == 1
    return found[0]


# --- scores by hand ---------------------------------------------------------------------------------------------------


def test_everything_right_is_100_and_one_upload_leaves_a_wide_interval() -> None:
    month = one(upload(read=200), lateness=late((0, 1, 200)))
    score, low, high = quality.score(month) or (0, 0, 0)
    # Wilson at 90 %, n = 1, p = 1: lower end 1 / (1 + 1.645^2) = 0.270
    assert (score, round(low, 1), round(high, 9)) == (100, 27.0, 100)
    assert quality.fixes(month) == []


def test_each_share_by_hand() -> None:
    month = one(
        upload(
            read=100, refused={"time_missing": 20}, warned={"word_unknown": 10}, datum=False
        ),  # 80 taken, 60 in time
        upload("zones", read=20, corrected=5, encoding="detected"),
        upload("seizures", error="archive_broken", encoding=None),
        upload("zones", read=30, unchanged=30, status="duplicate"),
        upload("zones", read=10),
        withdrawn=(4,),
        lateness=late((0, 7, 60), (0, 8, 20)),
    )
    assert (month.uploads, month.duplicates, month.rejected, month.withdrawn) == (5, 1, 1, 1)
    assert (month.read, month.taken, month.corrected, month.warned) == (130, 110, 5, 10)
    assert quality.shares(month) == {
        "taken": 110 / 130, "clean": 100 / 130, "steady": 110 / 130, "in_time": 60 / 100, "whole": 2 / 4,
        "declared": pytest.approx((2 / 3 + 2 / 3) / 2),
    }  # fmt: skip
    by_hand = 50 * 110 / 130 + 15 * 100 / 130 + 5 * 110 / 130 + 15 * 0.6 + 10 * 0.5 + 5 * 2 / 3
    score = quality.score(month)
    assert score is not None
    assert score[0] == pytest.approx(by_hand)  # 75.4
    # Wilson by hand for p = 0.7541, n = 4: middle (0.7541 + 0.3382) / 1.6764, half 1.645 * sqrt(0.0464 + 0.0423) / 1.6764
    assert score[1:] == (pytest.approx(35.9, abs=0.1), pytest.approx(94.4, abs=0.1))


def test_a_share_with_nothing_to_judge_by_is_left_out() -> None:
    month = one(upload("units", read=40, refused={"unit_nameless": 10}, encoding=None, datum=True))
    # no times: in_time is out; 75 % of rows, one upload whole, datum declared
    score = quality.score(month)
    assert score is not None
    assert score[0] == pytest.approx((70 * 0.75 + 10 + 5) / 85 * 100)


@pytest.mark.parametrize(("rows", "uploads", "said"), [(9, 1, False), (10, 1, True), (2, 2, False), (1, 3, True)])
def test_too_few_to_say(rows: int, uploads: int, said: bool) -> None:
    month = one(*[upload("zones", read=rows) for _ in range(uploads)])
    assert (quality.score(month) is not None) == said
    told = quality.lines(quality.table([month]), "en")
    assert ("too few" in told[0]) != said


def test_three_refused_files_score_nothing_but_say_what_to_do() -> None:
    month = one(*[upload(error="file_empty", encoding=None) for _ in range(3)])
    # none of three: 0; upper end z^2/3 / (1 + z^2/3) = 0.9019 / 1.9019
    assert quality.score(month) == (0, 0, pytest.approx(47.4, abs=0.05))
    assert len(quality.fixes(month)) == 1


def test_months_are_those_of_shanghai_and_agencies_apart() -> None:
    found = quality.months(
        book(
            upload(read=10, when="2026-05-31T23:59+08:00"),
            upload(read=20, when="2026-06-01T00:00+08:00"),
            upload(read=30, agency=None),
        ),
        NO_LATE,
    )
    assert [(m.agency, m.month, m.read) for m in found] == [
        (None, "2026-05", 30),
        ("甲县", "2026-05", 10),
        ("甲县", "2026-06", 20),
    ]


def test_the_table_holds_what_the_month_holds() -> None:
    month = one(
        upload(
            read=100, refused={"time_missing": 3, "null_island": 9}, warned={"word_unknown": 4}, encoding="detected"
        ),
        lateness=late((0, 2, 50), (0, 30, 38)),
    )
    shape = table("quality_scores")
    row = shape.check(quality.table([month])).iloc[0]
    assert list(row["refused_for"]) == ["null_island:9", "time_missing:3"]
    assert list(row["warned_for"]) == ["word_unknown:4"]
    assert row[["rows_read", "rows_taken", "rows_refused", "rows_late", "days_late"]].tolist() == [100, 88, 12, 38, 2.0]
    assert (row["encoding_declared"], row["datum_declared"]) == (0.0, 1.0)
    assert row["score"] == round(row["score"])  # no false precision
    assert row["score_lo"] < row["score"] < row["score_hi"]


# --- what to mend -----------------------------------------------------------------------------------------------------


def test_fixes_come_by_the_rows_they_would_save() -> None:
    month = one(
        upload(read=3000, refused={"time_missing": 1500, "null_island": 40}, warned={"word_unknown": 900}),
        upload(read=1000, refused={"time_missing": 500}),
        upload(error="file_empty", encoding=None),
        lateness=late((0, 10, 1200)),
    )
    found = quality.fixes(month)
    # the file that can't be read counts as the mean of the two that can: 2,000 rows, as many as have no time
    assert [(fix.code, fix.saves, fix.cleans) for fix in found] == [
        ("file_empty", 2000, 0), ("time_missing", 2000, 0), ("null_island", 40, 0),
        ("quality.fix.late", 0, 1200), ("word_unknown", 0, 900),
    ]  # fmt: skip
    assert found[1].zh == "2,000 行被拒收：没有时间。请补上时间后重新上传这些行。"
    assert found[1].en == "2,000 row(s) were refused: The time is missing. Add the time and send these rows again."
    assert found[0].zh.startswith("1 个文件未能导入：")
    assert "1,200 行" in found[3].zh
    assert found[4].zh.startswith("900 行有提醒：用词不认识")


def test_counts_are_of_all_rows_though_a_message_names_a_thousand() -> None:
    receipt = upload(read=5000, refused={"time_missing": 4321})
    assert len(receipt.errors[0].rows) == 1000
    assert quality.fixes(one(receipt))[0].saves == 4321
    # receipts of an older program keep the row numbers only
    old = book(receipt)
    told = json.loads(old.loc[0, "receipt"])
    old.loc[0, "receipt"] = json.dumps({lang: told[lang] for lang in ("zh", "en")})
    assert quality.fixes(quality.months(old, NO_LATE)[0])[0].saves == 1000


def test_every_warning_an_upload_of_rows_may_get_says_what_to_do() -> None:
    told = set()
    for path in (ROOT / "ingest").rglob("*.py"):
        told |= set(re.findall(r'\.warn\(\s*"(\w+)"', path.read_text(encoding="utf-8")))
        told |= set(re.findall(r'warnings\.append\(\("(\w+)"', path.read_text(encoding="utf-8")))
    files = {"duplicate_rows", "gpkg_triggers", "gpkg_views_skipped", "member_skipped", "several_layers", "sheets_skipped",
             "shx_rebuilt"}  # fmt: skip
    assert len(told) > 20
    missing = sorted(code for code in told - files if f"quality.todo.{code}" not in catalogue())
    assert missing == []


# --- what never raises a score ----------------------------------------------------------------------------------------

SENT = st.fixed_dictionaries({
    "kind": st.sampled_from(["tracks", "zones", "seizures", "units"]), "read": st.integers(1, 60),
    "lost": st.integers(0, 60), "warned": st.integers(0, 60), "in_time": st.integers(0, 60), "again": st.integers(0, 60),
    "encoding": st.sampled_from([None, "declared", "detected"]), "datum": st.booleans(),
})  # fmt: skip


def scored(sent: list[dict[str, Any]]) -> float | None:
    uploads, delays = [], []
    for i, part in enumerate(sent):
        lost = min(part["lost"], part["read"])
        taken = part["read"] - lost
        refused = {"time_missing": lost} if lost else {}
        warned = {"word_unknown": min(part["warned"], taken)} if min(part["warned"], taken) else {}
        uploads.append(
            upload(part["kind"], part["read"], refused, warned, encoding=part["encoding"], datum=part["datum"])
        )
        if part["kind"] in quality.TIMED and taken:
            timely = min(part["in_time"], taken)
            again = min(part["again"], taken)
            delays.append({"receipt_id": f"r{i}", "days": 3, "rows": timely, "again": again})
            delays.append({"receipt_id": f"r{i}", "days": 30, "rows": taken - timely, "again": 0})
    found = quality.score(one(*uploads, lateness=pd.DataFrame(delays) if delays else NO_LATE))
    return None if found is None else found[0]


@settings(max_examples=300, deadline=None)
@given(st.lists(SENT, min_size=1, max_size=4), st.data())
def test_more_refused_rows_never_raise_the_score(sent: list[dict[str, Any]], data: st.DataObject) -> None:
    before = scored(sent)
    worse = [dict(part) for part in sent]
    of = data.draw(st.sampled_from(worse))
    more = data.draw(st.integers(1, 30))
    if data.draw(st.booleans()):
        of["read"] += more  # more rows, all of them refused
    of["lost"] = min(of["lost"], of["read"]) + more
    after = scored(worse)
    if before is not None:
        assert after is None or after <= before + 1e-9


@settings(max_examples=100, deadline=None)
@given(st.lists(SENT, min_size=1, max_size=4))
def test_scores_lie_between_0_and_100_and_in_their_interval(sent: list[dict[str, Any]]) -> None:
    parts = [upload(part["kind"], part["read"]) for part in sent]
    parts += [replace(upload(error="archive_broken", encoding=None), agency="甲县")] * (sent[0]["lost"] % 3)
    month = one(*parts)
    found = quality.score(month)
    if found is not None:
        assert 0 <= found[1] <= found[0] + 1e-9 <= found[2] + 2e-9 <= 100 + 1e-6


def test_a_bigger_weight_on_what_is_lacking_lowers_the_score() -> None:
    month = one(upload(read=100), lateness=late((0, 30, 100)))
    found = [quality.score(month, settings_module.Settings(quality_in_time=w)) for w in (0.0, 15.0, 85.0)]
    assert [round(one_[0], 6) for one_ in found if one_] == [100, 85, 50]


# --- from files -------------------------------------------------------------------------------------------------------


def test_from_files_to_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def shell(*arguments: object) -> Any:
        capsys.readouterr()
        run(["--workspace", str(tmp_path / "w"), *map(str, arguments)])
        return capsys.readouterr().out

    assert "还没有报送记录" in (shell("init"), shell("quality"))[1]
    day = pd.Timestamp.now(tz="Asia/Shanghai").normalize()
    fixes = [
        f"B1,{(day - pd.Timedelta(days=d)).date()} 10:0{i}:00,{112 + i / 1000:.3f},30" for d in (3, 9) for i in range(6)
    ]
    rows = [*fixes, "B1,never,112,30", "B1,never,112,30", f"B1,{day.date()} 01:00,0,0"]
    (tmp_path / "t.csv").write_text("\n".join(["船名,定位时间,经度,纬度", *rows]), encoding="utf-8-sig")
    (tmp_path / "s.csv").write_text(
        f"案号,查获时间,地点\nA,{(day - pd.Timedelta(days=20)).date()},桥下\n", encoding="utf-8-sig"
    )
    (tmp_path / "empty.csv").write_text("")
    for kind, name in (("tracks", "t"), ("seizures", "s"), ("seizures", "empty")):
        shell("import", kind, tmp_path / f"{name}.csv", "--agency", "甲县")
    shell("import", "tracks", tmp_path / "t.csv", "--agency", "乙县")  # the same rows again, of another agency
    said = json.loads(shell("quality", "--agency", "甲县", "--json"))["scores"]
    assert len(said) == 1
    told = said[0]
    assert (told["uploads"], told["uploads_rejected"], told["rows_read"], told["rows_taken"]) == (3, 1, 16, 13)
    assert (told["rows_late"], told["days_late"]) == (7, 9.0)  # 6 fixes of 9 days ago, a report of 20
    assert told["refused_for"] == ["cell_time_unreadable:2", "file_empty:1", "null_island:1"]
    assert told["fixes"][0].startswith("1 个文件未能导入")  # as many rows as the mean upload: 8
    assert told["fixes"][1].startswith("2 行被拒收")
    english = shell("quality", "--lang", "en")
    assert "甲县" in english
    assert "could not be taken in" in english
    shell("export", "quality_scores", "-o", tmp_path / "q.parquet")
    table("quality_scores").check(table("quality_scores").conform(pd.read_parquet(tmp_path / "q.parquet")))


def test_who_sees_whose_scores(tmp_path: Path) -> None:
    from geo_monitor.errors import Denied
    from geo_monitor.store.rights import Viewer
    from geo_monitor.workspace import Workspace

    office = Workspace.create(tmp_path / "w")
    rows = "\n".join(f"{{}}{i},{day},桥下" for i, day in enumerate(["2026-01-01 08:00"] * 3))
    for agency in ("甲县", "乙县"):
        path = tmp_path / "s.csv"
        path.write_text("案号,查获时间,地点\n" + rows.replace("{}", agency), encoding="utf-8")
        office.import_file("seizures", path, agency=agency, now=datetime(2026, 1, 20, tzinfo=UTC))

    def seen(*roles: str, agency: str | None = None) -> dict[str, tuple[int, int]]:
        found = Workspace(tmp_path / "w", Viewer("x", agency, roles, ())).quality()
        return {row.agency: (row.rows_taken, row.rows_late) for row in found.itertuples()}

    assert seen("auditor") == {"甲县": (3, 3), "乙县": (3, 3)}
    assert seen("uploader", agency="甲县") == {"甲县": (3, 3)}
    assert seen("analyst", agency="乙县") == {"乙县": (3, 3)}
    with pytest.raises(Denied):
        seen("admin")
