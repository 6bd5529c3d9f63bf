"""Two analyses beside each other: expected values by hand."""

import math

import pandas as pd
import pytest

from geo_monitor.app.hotspots import compare


def frame(*rows):
    """rows: (reach, state, rate, factor): the interval is rate / factor to rate * factor."""
    return pd.DataFrame(
        [
            {"reach_id": r, "state": s, "rate": m, "rate_lo": m / f, "rate_hi": m * f, "patrol_h": 5.0, "seizures": 1}
            for r, s, m, f in rows
        ]
    )


def test_the_probability_is_that_of_two_lognormal_rates():
    told = compare.table(frame(("a", "normal", 0.4, 2.0)), frame(("a", "normal", 0.1, 3.0)), 0.9)
    z = 1.6448536269514722  # the 95 % quantile of the normal law (a published table)
    sd = math.hypot(math.log(2) / z, math.log(3) / z)
    assert told["p_higher"].iloc[0] == pytest.approx(0.5 * (1 + math.erf(math.log(4) / sd / math.sqrt(2))))
    assert told["ratio"].iloc[0] == pytest.approx(4.0)


def test_each_change_has_its_name():
    now = frame(
        ("risen_hot", "hot", 0.4, 1.5), ("stays_hot", "hot", 0.4, 1.5), ("left_hot", "normal", 0.1, 2), ("hot_unseen", "not_looked", 0.1, 5),
        ("risen", "normal", 0.4, 1.3), ("fallen", "normal", 0.1, 1.3), ("same", "normal", 0.2, 1.3), ("unknown", "normal", 0.2, 2),
    )  # fmt: skip
    before = frame(
        ("risen_hot", "normal", 0.1, 1.5), ("stays_hot", "hot", 0.4, 1.5), ("left_hot", "hot", 0.4, 2), ("hot_unseen", "hot", 0.4, 2),
        ("risen", "normal", 0.1, 1.3), ("fallen", "normal", 0.4, 1.3), ("same", "cold", 0.2, 1.3), ("unknown", "not_looked", 0.1, 5),
    )  # fmt: skip
    told = compare.table(now, before, 0.9).set_index("reach_id")
    assert told["change"].to_dict() == {name: name for name in compare.CHANGES}
    assert told.loc[["hot_unseen", "unknown"], "p_higher"].isna().all()


def test_what_says_nothing_is_left_out_and_new_hot_places_come_first():
    now = frame(("a", "normal", 0.4, 1.3), ("b", "hot", 0.4, 2), ("c", "normal", 0.2, 1.3))
    before = frame(("a", "normal", 0.1, 1.3), ("b", "normal", 0.1, 2), ("c", "normal", 0.2, 1.3))
    assert compare.worth_telling(compare.table(now, before, 0.9))["reach_id"].tolist() == ["b", "a"]


def test_a_reach_of_one_analysis_only_is_left_out():
    assert len(compare.table(frame(("a", "hot", 1, 2)), frame(("b", "hot", 1, 2)), 0.9)) == 0
