"""Sums of time: parts are added up as numpy adds them, whatever their number and sizes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geo_monitor.effort.minutes import Totals, added

PARTS = st.lists(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1 << 50)), max_size=30), max_size=9)


def part(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    """Keys, ascending, and sums of rows; the columns differ."""
    held = dict(rows)
    keys = np.array(sorted(held), dtype=np.int64)
    return keys, np.array([[held[key] + c for c in range(6)] for key in sorted(held)], dtype=np.int64).reshape(-1, 6)


@given(PARTS)
def test_parts_are_added_as_numpy_adds_them(rows: list[list[tuple[int, int]]]) -> None:
    parts = [part(one) for one in rows]
    keys, of = np.unique(np.concatenate([np.empty(0, np.int64), *(key for key, _ in parts)]), return_inverse=True)
    sums = np.zeros((len(keys), 6), dtype=np.int64)
    np.add.at(sums, of, np.concatenate([np.empty((0, 6), np.int64), *(one for _, one in parts)]))
    key, total = added(parts)
    assert key.tolist() == keys.tolist()
    assert total.tolist() == sums.tolist()


def test_keys_in_any_order_are_summed_onto_what_is_there() -> None:
    total = Totals(1)
    for keys in ([5, 3, 5], [4, 3]):
        total.sum(np.array(keys), np.full((len(keys), 6), 2))
    assert total.key.tolist() == [3, 4, 5]
    assert total.sums[:, 0].tolist() == [4, 2, 4]
