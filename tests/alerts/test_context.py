"""Places from the tables of a run."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from geo_monitor.alerts.context import Context, Place, places, within


def test_places_from_tables() -> None:
    reaches = pd.DataFrame(
        {
            "reach_id": ["a", "b"],
            "adcode_left": ["421022", None],
            "adcode_right": ["421022", None],
            "lon": [112.0, 112.1],
            "lat": [30.0, 30.1],
            "river": ["长江", "洞庭湖"],
            "km_from": [1000.0, None],
        }
    )
    assert places(reaches)["b"] == Place((), 112.1, 30.1, "洞庭湖")
    heat = pd.DataFrame(
        {"reach_id": ["a"], "state": ["hot"], "rate": [0.4], "rate_lo": [0.2], "rate_hi": [0.8], "rr": [4.0]}
    )
    watch = pd.DataFrame({"reach_ids": [("a",), ("b",)], "watch_to": [pd.NaT, pd.Timestamp("2026-01-01", tz="UTC")]})
    found = places(reaches, heat, watch)
    assert (found["a"].adcodes, found["a"].km, found["a"].watched) == (("421022",), 1000.0, True)
    assert (found["a"].state, found["a"].rr) == ("hot", 4.0)
    assert (found["a"].rr_lo, found["a"].rr_hi) == pytest.approx((2.0, 8.0))  # the basin's rate is 0.1
    assert not found["b"].watched


def test_distances_of_a_network() -> None:
    """Three reaches in a row, 500 m apart, known up to 600 m."""
    metres = csr_matrix(np.array([[0, 500, 0], [500, 0, 500], [0, 500, 0]], dtype=float))
    distance = within(["a", "b", "c"], metres)
    assert [distance("a", other) for other in ("a", "b", "c", "x")] == [0, 500, float("inf"), float("inf")]
    assert Context(distance=distance).metres("b", None) == float("inf")
    assert Context().metres("q", "q") == 0
