"""Files and folders that grow, turn, shrink; standard input."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis
from hypothesis import strategies as st

from geo_monitor.feeds import Fix, Source, open_source
from geo_monitor.settings import Settings
from tests.feeds.making import gathered, row, some
from tests.feeds.test_lines import AIS, two_parts

QUICK = Settings(feed_poll_s=0.01, feed_half_s=0.05)


def numbers(fixes: list[Fix]) -> list[int]:
    """Which rows of `making.row` they are."""
    return [round((fix.lat - 30) * 1000) for fix in fixes]


def rows(*which: int) -> str:
    return "".join(row(i) + "\n" for i in which)


def drain(source: Source) -> tuple[list[int], str | None]:
    """All that is there now, and the mark behind it."""
    out: list[Fix] = []
    while True:
        batch = source.read(0)
        assert batch is not None
        out += batch.fixes
        if not batch.lines:
            return numbers(out), batch.mark


def add(path: Path, text: str) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.write(text)


def test_a_file_is_read_from_its_start_and_followed(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(rows(0, 1), encoding="utf-8")
    source = open_source(str(path), QUICK)
    assert source.name == str(path)
    assert drain(source)[0] == [0, 1]
    add(path, rows(2))
    assert drain(source)[0] == [2]
    assert drain(source)[0] == []
    source.close()
    assert source.read(0) is None


def test_a_half_written_line_waits_and_a_whole_last_one_does_not_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    whole = row(1)
    path.write_text(rows(0) + whole[:40], encoding="utf-8")
    source = open_source(str(path), QUICK)
    assert drain(source)[0] == [0]
    _, mark = drain(source)
    add(path, whole[40:])
    assert numbers(gathered(source, some(1))[0]) == [1]  # without an end of line
    add(path, "\n" + rows(2))
    assert drain(source)[0] == [2]
    assert drain(open_source(str(path), QUICK, mark=mark))[0] == [1, 2]  # the half line was not passed over


def test_on_from_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(rows(*range(50)), encoding="utf-8")
    source = open_source(str(path), QUICK)
    few = Settings(feed_batch=1, feed_line_bytes=65_536)
    batch = open_source(str(path), few).read(0)
    assert batch is not None
    assert drain(open_source(str(path), QUICK, mark=batch.mark))[0] == list(range(len(batch.fixes), 50))
    _, mark = drain(source)
    add(path, rows(50))
    assert drain(open_source(str(path), QUICK, mark=mark))[0] == [50]


def test_a_file_that_turns(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(rows(0), encoding="utf-8")
    source = open_source(str(path), QUICK)
    _, mark = drain(source)
    add(path, rows(1) + row(2))  # the last line never gets its end
    path.rename(tmp_path / "a.json.1")
    path.write_text(rows(3), encoding="utf-8")
    assert drain(source)[0] == [1, 2, 3]
    add(path, rows(4))
    assert drain(source)[0] == [4]
    # and while nobody looked
    assert drain(open_source(str(path), QUICK, mark=mark))[0] == [1, 2, 3, 4]


def test_a_file_that_is_emptied_or_written_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(rows(0, 1), encoding="utf-8")
    source = open_source(str(path), QUICK)
    _, mark = drain(source)
    path.write_text(rows(2), encoding="utf-8")
    assert drain(source)[0] == [2]
    path.write_text(rows(3, 4, 5, 6), encoding="utf-8")  # longer than before, another beginning
    assert drain(source)[0] == [3, 4, 5, 6]
    assert drain(open_source(str(path), QUICK, mark=mark))[0] == [3, 4, 5, 6]


def test_a_file_written_anew_with_the_beginning_it_had(tmp_path: Path) -> None:
    """What was late is put in its place: the first 256 bytes are as they were, and the file is longer."""
    path = tmp_path / "a.json"
    path.write_text(rows(*range(20), *range(25, 30)), encoding="utf-8")
    source = open_source(str(path), QUICK)
    _, mark = drain(source)
    assert path.read_bytes()[:256] == rows(*range(20)).encode()[:256]
    path.write_text(rows(*range(30)), encoding="utf-8")
    assert drain(open_source(str(path), QUICK, mark=mark))[0] == list(range(30))
    assert drain(source)[0] == list(range(30))


def test_a_file_that_is_gone_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(rows(0), encoding="utf-8")
    source = open_source(str(path), QUICK)
    _, mark = drain(source)
    path.unlink()
    assert drain(source)[0] == []
    later = open_source(str(path), QUICK, mark=mark)
    assert drain(later)[0] == []
    path.write_text(rows(1), encoding="utf-8")
    assert drain(source)[0] == [1]
    assert drain(later)[0] == [1]


def test_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b.json").write_text(rows(2, 3), encoding="utf-8")
    (tmp_path / "a.json").write_text(rows(0, 1) + row(9)[:30], encoding="utf-8")
    (tmp_path / ".hidden").write_text(rows(7), encoding="utf-8")
    (tmp_path / "c.json.tmp").write_text(rows(7), encoding="utf-8")
    (tmp_path / "sub").mkdir()
    os.mkfifo(tmp_path / "fifo")
    source = open_source(str(tmp_path), QUICK)
    read, mark = drain(source)
    assert read == [0, 1, 2, 3]
    (tmp_path / "c.json.tmp").rename(tmp_path / "c.json")
    add(tmp_path / "a.json", row(9)[30:] + "\n")
    (tmp_path / "b.json").rename(tmp_path / "z.json")  # not read again
    add(tmp_path / "z.json", rows(4))
    assert drain(source)[0] == [9, 7, 4]
    assert drain(open_source(str(tmp_path), QUICK, mark=mark))[0] == [9, 7, 4]


def test_a_folder_of_more_files_than_may_be_open(tmp_path: Path) -> None:
    for i in range(150):
        (tmp_path / f"{i:03d}.json").write_text(rows(i), encoding="utf-8")
    source = open_source(str(tmp_path), QUICK)
    assert drain(source)[0] == list(range(150))
    for i in range(0, 150, 10):
        add(tmp_path / f"{i:03d}.json", rows(i + 1000))
    assert drain(source)[0] == [i + 1000 for i in range(0, 150, 10)]


def test_sentences_without_time_need_a_clock_that_knows_when_they_came(tmp_path: Path) -> None:
    path = tmp_path / "ais.nmea"
    path.write_text(AIS + "\n", encoding="utf-8")
    source = open_source(str(path), QUICK)
    batch = source.read(0)
    assert batch is not None
    assert batch.refused == [(AIS, "ais_no_time")]  # nobody knows when the file was written
    add(path, AIS + "\n")
    batch = source.read(0)
    assert batch is not None
    assert [fix.unit_id for fix in batch.fixes] == ["371798000"]


def test_parts_of_a_message_over_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ais.nmea"
    first, second = two_parts()
    path.write_text(f"{first},1780240200\n", encoding="utf-8")
    _, mark = drain(open_source(str(path), QUICK))
    add(path, second + "\n")
    batch = open_source(str(path), QUICK, mark=mark).read(0)
    assert batch is not None
    assert [(fix.unit_id, fix.time) for fix in batch.fixes] == [("367059850", 1780240200000)]


@pytest.mark.parametrize(("option", "unit"), [("", "boat7"), ("?unit=渔政7", "渔政7")])
def test_gps_sentences_are_those_of_the_file_or_of_the_address(tmp_path: Path, option: str, unit: str) -> None:
    from tests.feeds.test_lines import rmc

    path = tmp_path / "boat7.nmea"
    path.write_text(rmc() + "\n", encoding="utf-8")
    batch = open_source(f"{path}{option}", QUICK, role="traffic").read(0)
    assert batch is not None
    assert [(fix.unit_id, fix.role) for fix in batch.fixes] == [(unit, "traffic")]


@hypothesis(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 400), st.sampled_from(["add", "turn", "restart", "read"])), max_size=12))
def test_whatever_happens_to_a_file_every_line_comes_once(tmp_path: Path, steps: list[tuple[int, str]]) -> None:
    for old in tmp_path.glob("log*"):
        old.unlink()
    path = tmp_path / "log"
    path.touch()
    text = rows(*range(30)).encode()
    source, mark, read, at, turns = open_source(str(path), QUICK), None, [], 0, 0
    for size, what in [*steps, (len(text), "add")]:
        with path.open("ab") as file:
            at += file.write(text[at : at + size])
        if what in ("read", "restart"):
            got, mark = drain(source)
            read += got
        if what == "restart":
            source.close()
            source = open_source(str(path), QUICK, mark=mark)
        if what == "turn":
            end = text.find(b"\n", at - 1) + 1 if at else 0  # a writer turns between lines
            with path.open("ab") as file:
                at += file.write(text[at:end])
            read += drain(source)[0]
            turns += 1
            path.rename(tmp_path / f"log.{turns}")
            path.touch()
    read += drain(source)[0]
    source.close()
    assert read == list(range(30))


def test_standard_input_ends() -> None:
    code = (
        "from geo_monitor.feeds import open_source; from geo_monitor.settings import Settings\n"
        "source, n = open_source('-', Settings()), 0\n"
        "while (batch := source.read(5)) is not None: n += len(batch.fixes)\n"
        "print(n, source.read(5))"
    )
    text = rows(*range(5000)) + row(5000)
    done = subprocess.run([sys.executable, "-c", code], input=text.encode(), capture_output=True, check=True)
    assert done.stdout.decode().split() == ["5001", "None"]
