"""Many files of a day made into one: nothing is lost, doubled or changed, whatever else happens and wherever it falls."""

from __future__ import annotations

import hashlib
import shutil
import struct
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sql
from hypothesis import given, settings
from hypothesis import strategies as st

from geo_monitor.errors import GeoMonitorError
from geo_monitor.store import Store, compact, positions, unfinished
from geo_monitor.store.schema import SQL
from geo_monitor.store.verify import verify
from tests.store.uploads import fixes, upload

NOW = datetime(2026, 6, 1, tzinfo=UTC)
DAY = "2026-05-01"  # in Shanghai from 16:00 UTC of the day before


def send(store: Store, folder: Path, rows: pd.DataFrame, name: str, when: datetime = NOW, **fields: Any) -> None:
    made, path = upload(folder, "tracks", rows, name, when.isoformat(), content=name.encode(), **fields)
    store.commit(made, path)


def paths(store: Store) -> list[str]:
    return sorted(path.relative_to(store.root / "positions").as_posix() for path in store.root.glob("positions/*/*"))


def rows(store: Store, **asked: Any) -> list[tuple[Any, ...]]:
    table = store.positions(**asked)
    return list(zip(*(table[name].to_pylist() for name in table.column_names), strict=True))


@pytest.fixture
def three(store: Store, tmp_path: Path) -> Store:
    """Three uploads of one day, one of them of the next day too, with nulls and other words."""
    for number in range(3):
        sent = fixes(f"u{2 - number}", f"{DAY}T0{number}:00:00+00:00", 4 + number, step_s=3600 * 4.0 if number else 60)
        sent = sent.assign(
            speed=[0.1 * number, *[np.nan] * (len(sent) - 1)], patrol_id=[None, *["巡护"] * (len(sent) - 1)]
        )
        send(store, tmp_path, sent, f"r{number}", NOW + timedelta(hours=number), agency="ab"[number % 2])
    return store


def test_a_day_becomes_one_file_that_says_what_it_holds(three: Store) -> None:
    before = rows(three)
    done = compact.compact(three, NOW)
    assert (done.days, done.files_before, done.files_after, done.fixes) == (2, 5, 2, 15)  # 4 + 5 + 6 fixes
    assert len(paths(three)) == 2
    (one,) = (three.root / "positions" / f"day={DAY}").iterdir()
    hours = {name: (part.rows, part.first, part.last) for name, part in positions.told(one).items()}
    midnight = int(datetime.fromisoformat(f"{DAY}T00:00:00+00:00").timestamp() * 1000)
    # r1 and r2 send every four hours: their fifth fix is of the next day in Shanghai
    ends = {"r0": (0.0, 0.05), "r1": (1.0, 13.0), "r2": (2.0, 14.0)}
    assert hours == {
        name: (4, midnight + round(3_600_000 * first), midnight + round(3_600_000 * last))
        for name, (first, last) in ends.items()
    }
    assert rows(three) == before
    assert verify(three).troubles == []
    book = three.book("audit")
    assert book.loc[book["action"] == "compact", "subject"].tolist() == [DAY, "2026-05-02"]


def test_what_one_upload_brought_is_still_told_apart(three: Store) -> None:
    """Withdrawal, moments in the past, agencies, single uploads, provenance."""
    asked: list[dict[str, Any]] = [
        {"receipts": ["r1"]},
        {"agencies": ["a"]},
        {"as_of": NOW + timedelta(minutes=90)},  # r0 and r1
        {"units": ["u1"], "columns": ["lon", "receipt_id"]},
        {"start": f"{DAY}T09:00:00Z", "columns": ["unit_id", "time"]},
    ]
    before = [rows(three, **one) for one in asked]
    assert [len(found) for found in before] == [5, 10, 9, 5, 7]
    late = {name: positions.newest(three.root / "positions", [name]) for name in ("r0", "r1", "r2")}
    compact.compact(three, NOW)
    assert [rows(three, **one) for one in asked] == before
    assert {name: positions.newest(three.root / "positions", [name]) for name in late} == late
    three.withdraw("r1", "错", NOW + timedelta(days=1))
    assert set(three.positions()["receipt_id"].to_pylist()) == {"r0", "r2"}
    assert rows(three, as_of=NOW + timedelta(hours=5)) == sorted(
        before[1] + before[0], key=lambda row: (row[0], row[2])
    )
    assert verify(three).troubles == []


def test_what_comes_later_is_taken_in_the_next_time(three: Store, tmp_path: Path) -> None:
    compact.compact(three, NOW)
    first = paths(three)
    assert compact.compact(three, NOW).days == 0
    send(three, tmp_path, fixes("late", f"{DAY}T03:00:00+00:00", 2), "r9")
    before = rows(three)
    assert compact.compact(three, NOW, least=3).days == 0
    assert compact.compact(three, NOW).files_before == 2
    assert rows(three) == before
    (now,) = set(paths(three)) - set(first)
    assert sorted(positions.told(three.root / "positions" / now)) == ["r0", "r1", "r2", "r9"]
    assert len(paths(three)) == 2


def test_only_days_that_are_over_and_asked_for(three: Store) -> None:
    over = datetime.fromisoformat("2026-05-02T00:00:00+08:00")
    second = timedelta(seconds=1)
    assert compact.compact(three, over - second).days == 0
    assert compact.compact(three, NOW, end=over - second).days == 0
    assert compact.compact(three, NOW, start=over - second, end=over + timedelta(days=1)).days == 1
    assert [name.split("/")[0] for name in paths(three)].count("day=2026-05-02") == 1
    assert compact.compact(three, over).days == 1
    assert len(paths(three)) == 2


def test_while_another_writes_nothing_is_done(three: Store) -> None:
    other = Store(three.root)
    with three.writing():
        assert compact.compact(other, NOW, wait=False).days == 0
    other.close()
    assert len(paths(three)) == 5


def test_who_reads_meanwhile_follows(three: Store) -> None:
    """Parts listed before a day is compacted, once or twice, are found again; what lies nowhere is not passed over."""
    parts = three.position_parts()
    expected = positions.read(parts, positions.TABLE.names)
    compact.compact(three, NOW)
    assert positions.read(parts, positions.TABLE.names).equals(expected)
    now = positions.where_now(parts)  # a file is read once, not once for each receipt
    assert [(part.receipts, part.mixed) for part in now] == [(("r0", "r1", "r2"), False), (("r1", "r2"), False)]
    again = three.position_parts(as_of=NOW + timedelta(minutes=30))  # of r0 alone
    one = positions.read(again, ["receipt_id"])
    for path in (three.root / "positions").glob("day=*/compact-*"):
        path.rename(path.with_name("compact-other.parquet"))
    assert positions.read(again, ["receipt_id"]).equals(one)
    for path in (three.root / "positions").glob("day=*/compact-*"):
        path.unlink()
    with pytest.raises(FileNotFoundError):
        positions.read(parts, ["receipt_id"])


def test_a_folder_read_while_files_change_places_is_read_again(three: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list may have been begun before the new file was there, and ended when the old ones were gone."""
    day = three.root / "positions" / f"day={DAY}"
    parts = positions.of_day(day, None)
    compact.compact(three, NOW)
    answers = iter([[], ["r0.parquet"]])
    listdir = positions.os.listdir
    monkeypatch.setattr(positions.os, "listdir", lambda path: next(answers, None) or listdir(path))
    (now,) = positions.of_day(day, None)
    assert now.receipts == tuple(part.receipts[0] for part in parts)


def test_a_new_file_that_is_not_what_was_read_is_thrown_away(three: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, before = positions.with_points, rows(three)

    def turned(table: pa.Table) -> pa.Table:
        at = table.column_names.index("lon")
        return plain(table.set_column(at, "lon", pa.array([112.0] * len(table), pa.float64())))

    monkeypatch.setattr(positions, "with_points", turned)
    with pytest.raises(GeoMonitorError) as caught:
        compact.compact(three, NOW)
    assert (caught.value.code, caught.value.params) == ("compact_differs", {"day": DAY})
    monkeypatch.undo()
    assert (rows(three), len(paths(three)), unfinished.found(three.root)) == (before, 5, None)


def test_a_day_with_a_damaged_file_is_left_as_it_is(three: Store) -> None:
    path = three.root / "positions" / f"day={DAY}" / "r1.parquet"
    path.write_bytes(path.read_bytes()[:-9])
    done = compact.compact(three, NOW, most=1)
    assert (done.unreadable, done.days) == ([DAY], 1)
    assert len(list(path.parent.iterdir())) == 3
    assert unfinished.found(three.root) is None


def test_what_was_altered_since_is_not_written_anew(three: Store, tmp_path: Path) -> None:
    """Else the new file would vouch for it."""
    compact.compact(three, NOW)
    (path,) = (three.root / "positions" / f"day={DAY}").iterdir()
    table = pq.read_table(path)
    turned = table.set_column(0, table.field(0), pa.array(["x", *table["unit_id"].to_pylist()[1:]]))
    pq.write_table(turned.replace_schema_metadata(table.schema.metadata), path)
    send(three, tmp_path, fixes("late", f"{DAY}T03:00:00+00:00", 2), "r9")
    done = compact.compact(three, NOW)
    assert (done.unreadable, done.days) == ([DAY], 0)
    assert [one.code for one in verify(three).troubles] == ["fixes_changed"]


def test_a_large_day_is_written_by_units_as_a_small_one(
    three: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "ROW_GROUP", 4)
    monkeypatch.setattr(compact, "ROWS", 5)
    before = rows(three)
    compact.compact(three, NOW)
    assert rows(three) == before
    for name, groups in ((f"day={DAY}", [4, 4, 4]), ("day=2026-05-02", [3])):
        (path,) = (three.root / "positions" / name).iterdir()
        meta = pq.read_metadata(path)
        assert [meta.row_group(number).num_rows for number in range(meta.num_row_groups)] == groups
        assert b"geo" in meta.metadata
    assert verify(three).troubles == []


def test_the_hash_of_rows_by_hand() -> None:
    frame = pd.DataFrame(
        {"unit_id": ["甲", "甲"], "time": pd.to_datetime([1, 2], unit="ms", utc=True), "receipt_id": "r"}
    )
    table = positions.TABLE.to_arrow(frame.assign(lon=[112.5, -1.0], lat=30.0, speed=[np.nan, 2.0], role="patrol"))
    prints = compact.Prints()
    for part in (table.slice(0, 1), table.slice(1)):  # wherever it is cut
        prints.add(part.cast(positions.encoded_schema(table.column_names)))

    def number(*values: float | int | None) -> bytes:
        return b"".join(
            struct.pack("<?d" if isinstance(one, float) else "<?q", True, one) if one is not None else bytes(9)
            for one in values
        )

    columns = {
        "unit_id": "甲\n甲\n".encode(), "time": number(1, 2), "lon": number(112.5, -1.0), "lat": number(30.0, 30.0),
        "speed": number(None, 2.0), "heading": number(None, None), "role": b"patrol\npatrol\n",
    }  # fmt: skip
    digests = [hashlib.sha256(columns.get(name, b"\0\n\0\n")).digest() for name in positions.TABLE.names[:-1]]
    assert positions.TABLE.names[-1] == "receipt_id"
    assert (prints.names, prints.of("r")) == (["r"], hashlib.sha256(b"".join(digests)).hexdigest())


# --- falls ------------------------------------------------------------------------------------------------------------


class Dead(BaseException):
    """The process is not there any more."""


@dataclass
class Fall:
    """Lets a program fall before its step number `at`: from then on it can change no file and say nothing to the
    database, as after kill -9."""

    root: Path | None = None
    at: int = 0
    steps: int = field(default=0)

    def step(self) -> None:
        self.steps += 1
        if self.steps >= self.at:
            raise Dead


FALL = Fall()
CHANGES = ("os.rename", "os.remove", "os.mkdir", "os.rmdir")


def _watch(event: str, given: tuple[Any, ...]) -> None:
    if FALL.root is None or not (event in CHANGES or (event == "open" and given[1] not in (None, "r", "rb"))):
        return
    if str(given[0]).startswith(str(FALL.root)) and not str(given[0]).endswith(".lock"):
        FALL.step()


sys.addaudithook(_watch)  # it cannot be taken away, but does nothing without a root


@contextmanager
def falling(store: Store, at: int) -> Iterator[None]:
    def step(*_: Any) -> None:
        FALL.step()

    FALL.root, FALL.at, FALL.steps = store.root, at, 0
    for event in ("before_cursor_execute", "commit"):
        sql.event.listen(store.engine, event, step)
    try:
        with suppress(Dead):
            yield
    finally:
        FALL.root = None
        for event in ("before_cursor_execute", "commit"):
            sql.event.remove(store.engine, event, step)
        store.close()


def test_a_fall_at_any_step_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    held = Store.create(tmp_path / "ws")
    for number in range(3):
        send(held, tmp_path, fixes(f"u{number}", f"{DAY}T01:00:00+00:00", 3), f"r{number}")
    expected, codes = rows(held), []
    for at in range(1, 100):
        for path in (held.root / "positions").rglob("*.parquet"):
            path.unlink()
        for number in range(3):
            own = fixes(f"u{number}", f"{DAY}T01:00:00+00:00", 3).assign(receipt_id=f"r{number}")
            positions.write(held.root / "positions", own, f"r{number}")
        with falling(held, at):
            compact.compact(held, NOW)
        assert rows(held) == expected, at  # before anybody tidies up
        held = Store(held.root)
        codes.append(None if held.fallen is None else held.fallen.code)
        assert rows(held) == expected, at
        assert len(paths(held)) == (3 if codes[-1] == "fallen.compact.undone" else 1) or codes[-1] is None
        assert verify(held).troubles == []
        if FALL.steps < at:
            break
    undone, finished = codes.count("fallen.compact.undone"), codes.count("fallen.compact.finished")
    assert codes == [None] * codes.index("fallen.compact.undone") + ["fallen.compact.undone"] * undone + [
        "fallen.compact.finished"
    ] * finished + [None] * (len(codes) - codes.index("fallen.compact.undone") - undone - finished)
    assert min(undone, finished) > 4


PAIRS = [(unit, day) for unit in ("u0", "u1", "u2") for day in ("2026-05-01", "2026-05-02")]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.sets(st.sampled_from(PAIRS), min_size=1)),
        st.tuples(st.just("withdraw"), st.integers(0, 5)),
        st.tuples(st.just("compact"), st.one_of(st.just(10_000), st.integers(1, 60))),  # falls before this step
    ),
    min_size=3,
    max_size=10,
)


@settings(max_examples=15, deadline=None)
@given(steps=STEPS)
def test_compacting_at_any_time_changes_no_rows(
    steps: list[tuple[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Uploads sent, withdrawn, sent again, days compacted and falls between, against plain lists of what was sent."""
    folder = tmp_path_factory.mktemp("steps")
    held = Store.create(folder / "ws")
    sent: dict[str, list[tuple[str, str]]] = {}  # in force
    gone: dict[str, list[tuple[str, str]]] = {}
    for number, (what, value) in enumerate(steps):
        moment = NOW + timedelta(hours=number)
        stale, expected = held.position_parts(), rows(held)
        if what == "commit":
            free = sorted(value - {pair for pairs in sent.values() for pair in pairs})
            if free:
                frames = [fixes(unit, f"{day}T01:00:00+00:00", 3) for unit, day in free]
                send(held, folder, pd.concat(frames, ignore_index=True), f"r{number}", moment)
                sent[f"r{number}"] = free
        elif what == "withdraw" and sent:
            name = sorted(sent)[value % len(sent)]
            held.withdraw(name, "错", moment)
            gone[name] = sent.pop(name)
        elif what == "compact":
            with falling(held, value):
                compact.compact(held, NOW)
            assert positions.read(stale, positions.TABLE.names).num_rows == len(expected)
            assert rows(held) == expected
            held = Store(held.root)
        found = held.positions(columns=["unit_id", "time", "receipt_id"]).to_pylist()
        assert Counter((row["unit_id"], f"{row['time']:%Y-%m-%d}", row["receipt_id"]) for row in found) == Counter(
            {(unit, day, name): 3 for name, pairs in sent.items() for unit, day in pairs}
        )
        assert all(held.newest([name]) == max(moments(pairs)) for name, pairs in {**sent, **gone}.items())
    assert verify(held).troubles == []
    for name, pairs in {**sent, **gone}.items():  # what was withdrawn stays readable
        when = NOW + timedelta(hours=int(name[1:]))
        own = held.positions(as_of=when, receipts=[name])
        assert (
            sorted(
                set(zip(own["unit_id"].to_pylist(), map(str, own["time"].cast(pa.date32()).to_pylist()), strict=True))
            )
            == pairs
        )
    held.close()


@pytest.mark.parametrize("count", range(3, 6))  # which of the two names comes first is as good as chance
def test_after_a_fall_beside_a_file_that_holds_more_nothing_is_lost(tmp_path: Path, count: int) -> None:
    """A restored workspace may have a file with rows of an upload it knows nothing of; compacted, it is written without
    them. Where that falls both files stand, and neither holds all of the other."""
    held = Store.create(tmp_path / "ws")
    for number in range(3):
        send(held, tmp_path, fixes(f"u{number}", f"{DAY}T01:00:00+00:00", count), f"r{number}")
    compact.compact(held, NOW)
    with held.transaction() as connection:
        connection.execute(SQL["receipts"].delete().where(SQL["receipts"].c.receipt_id == "r2"))
    (raw,) = held.orphans()
    raw.unlink()
    send(held, tmp_path, fixes("u3", f"{DAY}T01:00:00+00:00", 3), "r3")
    expected = rows(held)
    assert len(expected) == 2 * count + 3
    held.close()
    for at in range(1, 100):
        shutil.copytree(tmp_path / "ws", tmp_path / f"{at}")
        again = Store(tmp_path / f"{at}")
        with falling(again, at):
            compact.compact(again, NOW)
        again = Store(again.root)
        assert rows(again) == expected
        compact.compact(again, NOW)
        assert rows(again) == expected
        assert [sorted(positions.told(path)) for path in again.root.glob("positions/*/*")] == [["r0", "r1", "r3"]]
        assert verify(again).troubles == []
        again.close()
        if FALL.steps < at:
            break


def moments(pairs: list[tuple[str, str]]) -> list[int]:
    """The time of the last fix of each, ms UTC."""
    return [round(datetime.fromisoformat(f"{day}T01:02:00+00:00").timestamp() * 1000) for _, day in pairs]
