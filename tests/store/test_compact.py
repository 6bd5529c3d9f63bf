"""Many files of a day made into one: nothing is lost, doubled or changed, whatever else happens and wherever it falls."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from geo_monitor.store import Store, compact, positions
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
