"""Imports and compactions killed at any moment, some on each store; `checks/kills.py` and `checks/compact_kills.py` do 200."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from checks import compact_kills, kills
from geo_monitor.store import unfinished
from geo_monitor.workspace import Workspace


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a signal")
def test_a_killed_import_is_all_or_nothing_and_the_next_start_says_which(tmp_path: Path, database: str | None) -> None:
    found = kills.run(database, 20, 11, tmp_path)
    assert sum(found["said"].values()) == 20
    assert min(found["steps"].values()) > 10  # kills by step have where to fall


def test_what_a_killed_parser_had_unpacked_goes_when_the_workspace_is_next_opened(tmp_path: Path) -> None:
    root = Workspace.create(tmp_path / "ws").root
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    killed, going_on = (root / f".tmp-parse-{number}-x" for number in (gone.pid, os.getpid()))
    for folder in (killed, going_on):
        folder.mkdir()
        (folder / "unpacked.shp").write_bytes(b"shape")
    unfinished.begin(root, unfinished.Work("import", "x.zip"))
    assert Workspace(root).fallen == unfinished.Fallen(unfinished.Work("import", "x.zip"), False, ())
    assert (killed.exists(), going_on.exists()) == (False, True)


def test_a_writer_killed_while_it_marks_what_it_is_at_leaves_the_mark_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_first, then = unfinished.Work("import", "x.zip"), unfinished.Work("import", "x.zip", "receipt")
    unfinished.begin(tmp_path, at_first)

    def killed(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(unfinished.files, "sync", killed)  # the new bytes may be there, in part or whole
    with pytest.raises(KeyboardInterrupt):
        unfinished.begin(tmp_path, then)
    assert unfinished.found(tmp_path) == at_first
    unfinished.end(tmp_path)
    assert not list(tmp_path.iterdir())


def test_who_writes_next_tidies_up_after_a_killed_writer_before_its_own_mark_hides_it(tmp_path: Path) -> None:
    held = Workspace.create(tmp_path / "ws")
    unfinished.begin(held.root, unfinished.Work("import", "x.zip", "r1"))  # killed while the workspace is open here
    left = held.root / "raw" / ("0" * 64)
    left.write_bytes(b"half")
    with held._store.writing(unfinished.Work("import", "y.zip")):
        assert not left.exists()
        assert unfinished.found(held.root) == unfinished.Work("import", "y.zip")
    book = held.table("audit")
    assert book.loc[book["action"] == "recover", "subject"].tolist() == ["r1"]


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is a signal")
def test_a_killed_compaction_loses_no_fix_and_doubles_none_beside_a_reader(
    tmp_path: Path, database: str | None
) -> None:
    found = compact_kills.run(database, 8, 11, tmp_path)
    assert sum(found["said"].values()) == 9
    assert found["reads"] > 8
