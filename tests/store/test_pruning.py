"""What cannot be in a row group by its statistics is not read from it: of the others every byte is spoilt here."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from geo_monitor.engine import blocks
from geo_monitor.errors import Refused
from geo_monitor.store import Store, compact, positions
from tests.store.uploads import fixes, upload

UNITS = [f"u{number}" for number in range(8)]
FIXES = 50  # of a unit: one row group
START = "2026-05-01T00:00:00+00:00"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """Eight boats in one compacted file, a row group each: boat n from 110 + n degrees on, all at the same times but u7."""
    monkeypatch.setattr(positions, "ROW_GROUP", FIXES)
    made = Store.create(tmp_path / "ws")
    for half in (UNITS[:4], UNITS[4:]):
        frames = [fixes(unit, START, FIXES, lon=110.0 + int(unit[1])) for unit in half]
        rows = pd.concat(frames, ignore_index=True)
        rows.loc[rows["unit_id"] == "u7", "time"] += pd.Timedelta(hours=2)
        made.commit(*upload(tmp_path, "tracks", rows, f"r-{half[0]}", content=half[0].encode()))
    assert compact.compact(made, datetime(2026, 6, 1, tzinfo=UTC)).files_before == 2
    return made


def spoil(store: Store, but: list[int]) -> None:
    """Turns every byte of the row groups other than `but`."""
    (path,) = store.root.glob("positions/*/*.parquet")
    meta, content = pq.read_metadata(path), bytearray(path.read_bytes())
    assert meta.num_row_groups == len(UNITS)
    for number in set(range(len(UNITS))) - set(but):
        for column in range(meta.num_columns):
            told = meta.row_group(number).column(column)
            begin = told.data_page_offset if told.dictionary_page_offset is None else told.dictionary_page_offset
            end = begin + told.total_compressed_size
            content[begin:end] = bytes(byte ^ 0xFF for byte in content[begin:end])
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("asked", "groups"),
    [
        ({"units": ["u2"]}, [2]),
        ({"units": ["u2", "u6"], "encoded": True}, [2, 6]),
        ({"box": (112.5, 29.0, 114.02, 31.0)}, [3, 4]),  # u2 ends at 112.049, u4 begins at 114.0
        ({"box": (114.049, 30.0, 115.0, 30.0)}, [4, 5]),  # edges are in it
        ({"start": "2026-05-01T02:00:00Z"}, [7]),
        ({"receipts": ["r-u4"], "units": ["u5"]}, [5]),
    ],
)
def test_only_row_groups_that_may_hold_it_are_read(store: Store, asked: dict[str, Any], groups: list[int]) -> None:
    expected = store.positions(**asked)
    assert {f"u{number}" for number in groups} == set(expected["unit_id"].to_pylist())
    spoil(store, groups)
    assert store.positions(**asked).equals(expected)
    with pytest.raises(Refused) as told:
        store.positions()
    assert told.value.code == "positions_unreadable"


def test_a_part_of_the_units_of_a_day_is_read_alone(store: Store) -> None:
    (part,) = store.position_parts()
    spoil(store, [3, 4])
    rows = blocks._read(part, "u3", "u5")
    assert np.unique(rows["unit_id"].to_pylist()).tolist() == ["u3", "u4"]


def test_a_box_holds_what_lies_in_it(tmp_path: Path) -> None:
    made = Store.create(tmp_path / "ws")
    made.commit(*upload(tmp_path, "tracks", fixes("u", START, 10), "r"))  # from 112.000 to 112.009
    found = made.positions(columns=["lon", "lat"], box=(112.002, 29.9, 112.004, 30.0))
    assert found.to_pydict() == {"lon": pytest.approx([112.002, 112.003, 112.004]), "lat": [30.0] * 3}
    assert made.positions(box=(112.002, 29.9, 112.004, 29.99)).num_rows == 0
