"""Days of positions let go: all of them before a day or none, told for good, and never taken for days without effort."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import sqlalchemy as sql
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor.errors import Refused, Usage
from geo_monitor.store import Store, compact, expire, positions
from geo_monitor.store import backup as backups
from geo_monitor.store.restore import restore
from geo_monitor.store.schema import EXPIRED, EXPIRED_UNITS
from geo_monitor.store.verify import verify
from tests.store.test_compact import FALL, falling
from tests.store.uploads import fixes, upload

NOW = datetime(2026, 6, 1, tzinfo=UTC)
BEFORE = datetime.fromisoformat("2026-05-03T00:00:00+08:00")
LEAST = 20  # days: up to 2026-05-12


def send(store: Store, folder: Path, rows: pd.DataFrame, name: str, when: datetime = NOW, **fields: Any) -> None:
    made, path = upload(folder, "tracks", rows, name, when.isoformat(), content=name.encode(), **fields)
    store.commit(made, path)


def days(store: Store) -> list[str]:
    return sorted(path.name.removeprefix("day=") for path in (store.root / "positions").iterdir())


def raw(store: Store) -> int:
    return len(list((store.root / "raw").iterdir()))


@pytest.fixture
def filled(store: Store, tmp_path: Path) -> Store:
    """r0: 4 fixes of 1 May. r1: 3 of 2 May, a refused row. r2: 2 of 2 May, 5 of 3 May (08:00 in Shanghai on). r3: 6 of
    20 May; withdrawn: w, 2 of 1 May."""
    bad = pd.DataFrame({"row": [1], "reason_zh": ["坏"], "reason_en": ["bad"]})
    both = pd.concat(
        [fixes("u2", "2026-05-02T01:00:00+00:00", 2), fixes("u2", "2026-05-03T00:00:00+00:00", 5)], ignore_index=True
    )
    send(store, tmp_path, fixes("u0", "2026-05-01T01:00:00+00:00", 4), "r0", agency="甲")
    send(store, tmp_path, fixes("u1", "2026-05-02T01:00:00+00:00", 3), "r1", agency="乙", quarantine=bad)
    send(store, tmp_path, both, "r2", agency="甲")
    send(store, tmp_path, fixes("u0", "2026-05-20T01:00:00+00:00", 6), "r3", agency="甲")
    send(store, tmp_path, fixes("u9", "2026-05-01T05:00:00+00:00", 2), "w", agency="乙")
    store.withdraw("w", "错", NOW)
    (store.root / expire.DERIVED / "effort").mkdir(parents=True)
    return store


def gone(store: Store, do: bool = True, before: datetime = BEFORE, **given: Any) -> expire.Expired:
    return expire.expire(store, before, NOW, LEAST, "管理员", "保存期满" if do else "", do=do, **given)


def test_without_yes_it_only_says_what_would_go(filled: Store) -> None:
    held, book = filled.positions(), len(filled.book("audit"))
    told = gone(filled, do=False)
    # r0 4, w 2 on 1 May; r1 3, r2 2 on 2 May
    assert (told.done, told.held_from, told.first, told.last) == (False, "2026-05-03", "2026-05-01", "2026-05-02")
    assert (told.days, told.files, told.fixes, told.uploads) == (2, 4, 11, 3)  # r0, r1, w; of r2 3 May stays
    assert told.kept == [{"file": "r2.bin", "receipt_id": "r2", "until": "2026-05-04"}]
    size = sum(
        path.stat().st_size for day in ("01", "02") for path in filled.root.glob(f"positions/day=2026-05-{day}/*")
    )
    assert told.bytes == size
    refused = (filled.root / "quarantine" / "r1.csv").stat().st_size
    assert told.upload_bytes == len(b"r0") + len(b"r1") + len(b"w") + refused
    assert (filled.positions().equals(held), len(filled.book("audit")), filled.positions_from) == (True, book, None)


@pytest.mark.parametrize("compacted", [False, True])
def test_what_goes_and_what_stays(filled: Store, compacted: bool) -> None:
    told = gone(filled, do=False)
    if compacted:
        compact.compact(filled, NOW)
    done = gone(filled)
    assert (done.done, done.days, done.fixes, done.uploads, done.kept) == (True, 2, 11, 3, told.kept)
    assert days(filled) == ["2026-05-03", "2026-05-20"]
    assert sorted(path.name for path in filled.root.glob("raw/*")) == sorted(
        filled.book("receipts").set_index("receipt_id").loc[["r2", "r3"], "sha256"]
    )
    assert not list(filled.root.glob("quarantine/*"))
    assert not (filled.root / expire.DERIVED).exists()
    assert set(filled.positions()["receipt_id"].to_pylist()) == {"r2", "r3"}
    assert len(filled.positions()) == 11
    assert len(filled.book("receipts")) == 5  # receipts stay, withdrawn ones too
    found = verify(filled)
    assert (found.troubles, found.looked["fixes"], found.looked["expired"]) == ([], 11, 11)
    last = filled.book("audit").iloc[-1]
    assert (last["action"], last["subject"], last["who"]) == ("expire", "2026-05-03", "管理员")
    said = json.loads(last["detail"])
    assert (said["reason"], said["days"], said["fixes"], said["files"]) == ("保存期满", 2, 11, 2 if compacted else 4)
    # the hash of the rows is that of the same rows anywhere
    rows = {
        (row.day, row.receipt_id): row for row in filled.rows(sql.select(EXPIRED).where(EXPIRED.c.day.is_not(None)))
    }
    assert {key[1]: row.fixes for key, row in rows.items()} == {"r0": 4, "w": 2, "r1": 3, "r2": 2}
    prints = compact.Prints()
    own = positions.TABLE.to_arrow(fixes("u0", "2026-05-01T01:00:00+00:00", 4).assign(receipt_id="r0"))
    prints.add(own.cast(positions.encoded_schema(own.column_names)))
    assert next(row.sha256 for row in rows.values() if row.receipt_id == "r0") == prints.of("r0")
    units = {(row.unit_id, row.agency) for row in filled.rows(sql.select(EXPIRED_UNITS))}
    assert units == {("u0", "甲"), ("u1", "乙"), ("u2", "甲"), ("u9", "乙")}


def test_a_time_that_was_let_go_is_refused_not_empty(filled: Store) -> None:
    gone(filled)
    for asked in (
        {"start": "2026-05-01T00:00:00Z"},
        {"start": BEFORE - timedelta(milliseconds=1), "end": NOW},
        {"end": BEFORE},  # open, and nothing of it is held
        {"start": "2026-04-01T00:00:00Z", "as_of": NOW},  # whenever it is asked as of
    ):
        for read in (filled.positions, filled.position_parts):
            with pytest.raises(Refused) as caught:
                read(**asked)
            assert (caught.value.code, caught.value.params) == ("positions_expired", {"first": "2026-05-03"})
    assert len(filled.positions(start=BEFORE)) == len(filled.positions()) == 11
    assert len(filled.positions(end=BEFORE + timedelta(days=1))) == 5


def test_it_goes_on_from_there_and_never_back(filled: Store) -> None:
    gone(filled)
    again = gone(filled, before=BEFORE - timedelta(days=1))
    assert (again.days, again.held_from, filled.book("audit")["action"].tolist().count("expire")) == (
        0,
        "2026-05-03",
        1,
    )
    more = gone(filled, before=BEFORE + timedelta(days=1, hours=9))  # within 4 May: whole days only
    assert (more.held_from, more.days, more.fixes, more.uploads, more.kept) == ("2026-05-04", 1, 5, 1, [])
    assert (days(filled), raw(filled), verify(filled).troubles) == (["2026-05-20"], 1, [])


def test_where_there_is_nothing_to_let_go_nothing_changes(filled: Store) -> None:
    none = gone(filled, before=datetime.fromisoformat("2026-05-01T23:59:59+08:00"))
    assert (none.done, none.days, none.held_from, filled.positions_from) == (False, 0, "2026-05-01", None)
    assert "expire" not in filled.book("audit")["action"].tolist()


def test_days_that_must_stay_and_a_reason(filled: Store) -> None:
    for asked, latest in (("2026-05-13T00:00:00+08:00", "2026-05-12"),):
        with pytest.raises(Refused) as caught:
            gone(filled, before=datetime.fromisoformat(asked))
        assert caught.value.params == {"asked": "2026-05-13", "latest": latest, "days": LEAST}
    assert gone(filled, do=False, before=datetime.fromisoformat("2026-05-12T00:00:00+08:00")).days == 3
    with pytest.raises(Usage, match="needs a reason"):
        expire.expire(filled, BEFORE, NOW, LEAST, do=True, reason=" ")
    assert (filled.positions_from, len(days(filled))) == (None, 4)


@pytest.mark.parametrize("do", [False, True])
def test_a_file_that_cannot_be_read_is_not_let_go_unseen(filled: Store, do: bool) -> None:
    path = filled.root / "positions" / "day=2026-05-02" / "r1.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(Refused) as caught:
        gone(filled, do=do)
    assert caught.value.params == {"day": "2026-05-02"}
    assert (filled.positions_from, len(days(filled)), raw(filled)) == (None, 4, 5)


def test_uploads_of_which_something_may_be_left_stay(store: Store, tmp_path: Path) -> None:
    """The bytes of an upload stay while another kind, a later day that was lost, or refused rows of later days may be in
    them."""
    one = fixes("u", "2026-05-01T01:00:00+00:00", 4)
    early = BEFORE - timedelta(days=1)
    send(store, tmp_path, one, "r0", early)
    both, path = upload(tmp_path, "patrols", None, "p0", early.isoformat(), content=b"r0")  # the same bytes as patrols
    store.commit(both, path)
    two = pd.concat([fixes("v", "2026-05-01T01:00:00+00:00", 2), fixes("v", "2026-05-20T01:00:00+00:00", 2)])
    send(store, tmp_path, two.reset_index(drop=True), "r1")
    (store.root / "positions" / "day=2026-05-20" / "r1.parquet").unlink()  # lost
    send(store, tmp_path, None, "bad", NOW, status="rejected")  # of what day nobody knows
    send(store, tmp_path, None, "old", early, status="rejected")  # but this came before
    assert gone(store).uploads == 1
    held = {row.receipt_id: store.raw(row.sha256).exists() for row in store.book("receipts").itertuples()}
    assert held == {"r0": True, "p0": True, "r1": True, "bad": True, "old": False}
    assert [(one.code, one.params["receipt_id"]) for one in verify(store).troubles] == [("rows", "r1")]


def test_backup_and_restore_carry_it(filled: Store, tmp_path: Path) -> None:
    gone(filled)
    made = backups.write(filled, tmp_path / "b.gmb", NOW)
    assert made.damaged == []
    again = restore(tmp_path / "b.gmb", tmp_path / "again")
    assert (again.positions_from, verify(again).troubles, verify(again).looked["expired"]) == (
        filled.positions_from,
        [],
        11,
    )
    with pytest.raises(Refused):
        again.positions(start="2026-05-01T00:00:00Z")
    again.close()


def test_who_reads_while_it_is_let_go_is_told(filled: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, other = positions.read, Store(filled.root)

    def late(*given: Any, **named: Any) -> Any:
        monkeypatch.setattr(positions, "read", read)
        gone(other)
        return read(*given, **named)

    monkeypatch.setattr(positions, "read", late)
    with pytest.raises(Refused, match="an administrator let go"):
        filled.positions()
    other.close()


def test_what_was_listed_after_files_went_is_not_taken_for_all(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader sees the records of a moment before, but the folder as it is now."""
    other, listed = Store(filled.root), positions.parts

    def late(*given: Any) -> Any:
        monkeypatch.setattr(positions, "parts", listed)
        gone(other)
        return listed(*given)

    monkeypatch.setattr(positions, "parts", late)
    with filled.reading(), pytest.raises(Refused, match="an administrator let go"):
        filled.position_parts()
    assert len(filled.position_parts()) == 2
    other.close()


def test_a_day_that_is_compacted_while_it_is_counted(filled: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    told, other, said = gone(filled, do=False), Store(filled.root), positions.said

    def late(*given: Any) -> Any:
        monkeypatch.setattr(positions, "said", said)
        assert compact.compact(other, NOW).days == 2
        return said(*given)

    monkeypatch.setattr(positions, "said", late)
    again = gone(filled, do=False)
    assert (again.fixes, again.days, again.files) == (told.fixes, told.days, 2)
    other.close()


def test_a_backup_that_misses_what_went_meanwhile_is_none(filled: Store, tmp_path: Path) -> None:
    other = Store(filled.root)

    def tell(stage: str, share: float) -> None:
        if other.positions_from is None:  # all is listed, nothing is read yet
            gone(other)

    with pytest.raises(Refused, match="an administrator let go"):
        backups.write(filled, tmp_path / "b.gmb", NOW, tell)
    assert not (tmp_path / "b.gmb").exists()
    other.close()


def test_a_fall_at_any_step_leaves_all_or_nothing(tmp_path: Path) -> None:
    """All of the days and no word of it, or the word and none of them; readers see one or the other before anybody tidies
    up."""
    codes = []
    for at in range(1, 120):
        folder = tmp_path / f"{at}"
        folder.mkdir()
        held = Store.create(folder / "ws")
        for number in range(2):
            send(held, folder, fixes(f"u{number}", f"2026-05-0{number + 1}T01:00:00+00:00", 3), f"r{number}")
        send(held, folder, fixes("u", "2026-05-20T01:00:00+00:00", 2), "r9")
        with falling(held, at):
            gone(held)
        took = FALL.steps
        seen = len(held.positions())
        assert seen in (2, 8), at
        held = Store(held.root)
        codes.append(None if held.fallen is None else held.fallen.code)
        known = held.positions_from is not None
        assert (len(held.positions()), seen, len(days(held)), raw(held)) == ((2, 2, 1, 1) if known else (8, 8, 3, 3)), (
            at
        )
        assert verify(held).troubles == []
        assert codes[-1] in (None, "fallen.expire.finished" if known else "fallen.expire.undone")
        assert gone(held).fixes == (0 if known else 6)  # and once more does the rest
        assert (len(held.positions()), len(days(held)), raw(held), verify(held).troubles) == (2, 1, 1, [])
        held.close()
        if took < at:
            break
    else:
        pytest.fail("it never came to its end")
    assert min(codes.count("fallen.expire.undone"), codes.count("fallen.expire.finished")) > 3


FALLING = """
import os, signal, sys
import sqlalchemy as sql
from tests.store.test_expire import gone
from geo_monitor.store import Store

store, left = Store(sys.argv[1]), int(sys.argv[2])

def step(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

CHANGES = ("open", "os.rename", "os.remove", "os.rmdir")
sys.addaudithook(lambda event, given: event in CHANGES and str(given[0]).startswith(sys.argv[1]) and step())
for event in ("before_cursor_execute", "commit"):
    sql.event.listen(store.engine, event, step)
gone(store)
"""


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a signal")
def test_a_killed_process_leaves_all_or_nothing(filled: Store) -> None:
    """Killed later and later until it is through; the next start says what became of it."""
    said, expected = Counter[str](), filled.positions()
    held, after = filled, filled.positions(start=BEFORE)
    for at in range(10, 200, 5):
        command = [sys.executable, "-c", FALLING, str(held.root), str(at)]
        code = subprocess.run(command, check=False, cwd=Path(__file__).parents[2]).returncode
        assert code in (0, -signal.SIGKILL)
        rows = held.positions()
        assert rows.equals(expected) or rows.equals(after), at
        held.close()
        held = Store(held.root)
        said["through" if held.fallen is None else held.fallen.code] += 1
        known = held.positions_from is not None
        assert held.positions().equals(after if known else expected)
        assert (days(held)[0], verify(held).troubles) == ("2026-05-03" if known else "2026-05-01", [])
        expected = after if known else expected
        if code == 0:
            break
    assert (code, known, len(days(held)), raw(held)) == (0, True, 2, 2)
    assert min(said["fallen.expire.undone"], said["fallen.expire.finished"]) > 0, said
    held.close()


PAIRS = [(unit, day) for unit in ("u0", "u1") for day in range(1, 6)]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.sets(st.sampled_from(PAIRS), min_size=1, max_size=4)),
        st.tuples(st.just("withdraw"), st.integers(0, 5)),
        st.tuples(st.just("compact"), st.just(0)),
        st.tuples(st.just("expire"), st.tuples(st.integers(1, 6), st.one_of(st.just(10_000), st.integers(1, 60)))),
    ),
    min_size=3,
    max_size=9,
)


@settings(max_examples=15, deadline=None)
@given(steps=STEPS)
def test_days_let_go_at_any_time(steps: list[tuple[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> None:
    """Uploads of some days, withdrawn, compacted and let go with falls between, against plain lists of what was sent."""
    folder = tmp_path_factory.mktemp("steps")
    held, first, number = Store.create(folder / "ws"), 0, 0
    sent: dict[str, set[tuple[str, int]]] = {}
    standing: list[str] = []
    for what, how in steps:
        if what == "commit":
            pairs = sorted(pair for pair in how if pair[1] >= first)  # the door refuses the others
            name = f"r{(number := number + 1)}"
            frames = [fixes(f"{unit}-{name}", f"2026-05-0{day}T01:00:00+00:00", 2) for unit, day in pairs]
            if frames:
                send(held, folder, pd.concat(frames, ignore_index=True), name)
                sent[name] = set(pairs)
                standing.append(name)
        elif what == "withdraw" and standing:
            held.withdraw(standing.pop(how % len(standing)), "错", NOW)
        elif what == "compact":
            compact.compact(held, NOW)
        elif what == "expire":
            day, at = how
            before, asked = held.positions_from, datetime.fromisoformat(f"2026-05-0{day}T00:00:00+08:00")
            with falling(held, at):
                gone(held, before=asked)
            held = Store(held.root)
            known, wanted = held.positions_from, positions.day_of(round(asked.timestamp() * 1000))
            assert known in (before, max(before or wanted, wanted))  # all of it or nothing
            first = first if known is None else int(expire.date(known)[-1])
        there = {(name, unit, day) for name in standing for unit, day in sent[name] if day >= first}
        table = held.positions(columns=["receipt_id", "unit_id", "time"]).to_pandas()
        told = zip(table["receipt_id"], table["unit_id"].str[:2], table["time"].dt.day, strict=True)
        assert (set(told), len(table)) == (there, 2 * len(there))
        assert verify(held).troubles == []
        kept = {name for name, pairs in sent.items() if any(day >= first for _, day in pairs)}
        assert raw(held) == len(kept)
    held.close()
