"""What is kept comes back as it was, may be written to, and what is written stays with whoever wrote it."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import numpy as np
import pytest

from geo_monitor.engine.kept import Aside, Kept, of_bytes, to_bytes

ARRAYS = {
    "a.number": np.arange(6, dtype=np.int64).reshape(3, 2),
    "a.text": np.array(["甲", None, "甲"], dtype=object),
    "a.pairs": np.array([["x", None], ["y", "x"]], dtype=object),
    "a.nobody": np.empty((0, 4)),
    "b.yes": np.array([True, False]),
}


@pytest.mark.parametrize("compression", ["lz4", None])
@pytest.mark.parametrize("writable", [True, False])
def test_arrays_come_back(compression: str | None, writable: bool) -> None:
    content = to_bytes(ARRAYS, compression)
    found = of_bytes(memoryview(bytearray(content)) if writable else content)
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tolist() == array.tolist()
        assert found[name].flags.writeable
        assert found[name].flags.c_contiguous
        assert found[name].flags.aligned
    assert set(of_bytes(content, "b.")) == {"b.yes"}


def test_what_is_written_into_them_is_not_written_into_the_file(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "effort")
    assert not kept.any("day")
    kept.put_packed("day", "key", to_bytes(ARRAYS, compression=None))
    assert kept.any("day")
    found = kept.get("day", "key")
    assert found is not None
    found["a.number"][:] = 9
    again = kept.get("day", "key")
    assert again is not None
    assert again["a.number"].tolist() == ARRAYS["a.number"].tolist()


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "derived").write_text("a file\n")
    kept = Kept(tmp_path, "effort")
    kept.put("day", "key", ARRAYS)
    assert kept.get("day", "key") is None
    aside = Aside(tmp_path)
    aside.append(b"first")
    assert list(aside) == [b"first"]


def test_what_a_killed_analysis_left_is_cleared_away(tmp_path: Path) -> None:
    kept = Kept(tmp_path, "effort")
    kept.put("day", "key", ARRAYS)
    folder = tmp_path / "derived" / "effort" / "day"
    old, fresh = folder / ".tmp-1-key", folder / ".tmp-2-key"
    for path in (old, fresh):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    kept.put("day", "other", ARRAYS)
    assert not old.exists()
    assert fresh.exists()  # somebody may be writing it


def test_what_is_put_aside_comes_back_in_order_as_often_as_asked(tmp_path: Path) -> None:
    aside = Aside(tmp_path)
    assert list(aside) == []
    aside.append(b"first")
    assert [bytes(content) for content in aside] == [b"first"]
    aside.append(memoryview(b"second"))
    for content in aside:
        content[:1] = b"!"  # of their own: the file does not see it
    assert [bytes(content) for content in aside] == [b"first", b"second"]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []  # nothing is left behind, whatever happens


def test_on_a_full_disk_it_stays_in_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    aside = Aside(tmp_path)
    aside.append(b"first")
    whole = io.FileIO.write

    class Full:
        """A file on a disk with room for three bytes."""

        def __init__(self, file: io.FileIO) -> None:
            self.file, self.room = file, 3

        def fileno(self) -> int:
            return self.file.fileno()

        def write(self, content: memoryview) -> int:
            if not self.room:
                raise OSError(errno.ENOSPC, "No space left on device")
            wrote = whole(self.file, content[: self.room])
            self.room -= wrote
            return wrote

    monkeypatch.setattr(aside, "_file", Full(aside._file))
    aside.append(b"second")
    aside.append(b"third")
    assert [bytes(content) for content in aside] == [b"first", b"second", b"third"]
