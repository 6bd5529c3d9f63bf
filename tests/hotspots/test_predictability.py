"""Habits of patrols: shares by hand, entropies by summing over the prior, intervals on habits that are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from scipy.special import betaln, polygamma
from scipy.stats import beta

from geo_monitor.errors import Usage
from geo_monitor.hotspots.predictability import COLUMNS, HABITS, entropy, predictability
from geo_monitor.messages import text


def two_sided(c: tuple[int, int]) -> float:
    """Posterior mean entropy of two values under the prior, summed over p and over b."""
    p = (np.arange(8_000) + 0.5) / 8_000
    h = -(p * np.log2(p) + (1 - p) * np.log2(1 - p))
    top = bottom = 0.0
    for log_b in np.linspace(math.log(1e-4), math.log(1e4), 121):
        b = math.exp(log_b)
        weight = b * (2 * polygamma(1, 2 * b + 1) - polygamma(1, b + 1))  # per unit of log b
        weight *= math.exp(betaln(c[0] + b, c[1] + b) - betaln(b, b))
        density = beta(c[0] + b, c[1] + b).pdf(p)
        top, bottom = top + weight * (h @ density) / density.sum(), bottom + weight
    return top / bottom


@pytest.mark.parametrize("counts", [(6, 6), (9, 3), (1, 20)])
def test_entropy_by_integration(counts: tuple[int, int]) -> None:
    assert entropy(np.array(counts), 2).mean == pytest.approx(two_sided(counts), abs=2e-4)


def test_many_patrols_by_hand() -> None:
    """Even over k of 24 hours: log k / log 24; three of four in one hour, else another: 0.8113 bit."""
    for k in (2, 4, 12, 24):
        assert entropy([20_000] * k, 24).mean == pytest.approx(math.log(k) / math.log(24), abs=1e-3)
    assert entropy([30_000, 10_000], 2).mean == pytest.approx(0.8113, abs=1e-3)
    assert entropy([50_000], 24).mean < 1e-3
    assert entropy([7], 1).mean == 0.0


def test_a_value_never_seen_is_the_same_left_out_or_zero() -> None:
    rng = np.random.default_rng
    a, b = entropy([5, 3, 4], 24, 50, rng(0)), entropy([5, 3, 4], 24, 50, rng(0))
    assert a.mean == b.mean and a.draws.tolist() == b.draws.tolist()
    assert entropy([5, 4, 3], 24).mean == pytest.approx(a.mean, rel=1e-12)  # order does not matter


@runs(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=24), st.integers(0, 30))
def test_entropy_stays_within_0_and_1(counts: list[int], more: int) -> None:
    found = entropy(counts, len(counts) + more, 20, np.random.default_rng(1))
    assert 0 <= found.mean <= 1
    assert ((found.draws >= 0) & (found.draws <= 1)).all()


def test_intervals_hold_the_habit_where_resampling_does_not() -> None:
    """Starts around 22 h with an sd of 2.5 h, 15 patrols a month: true entropy 0.73 of log 24."""
    away = (np.arange(24) - 22 + 12) % 24 - 12
    p = np.exp(-0.5 * (away / 2.5) ** 2)
    p /= p.sum()
    true = -(p * np.log(p)).sum() / math.log(24)
    rng = np.random.default_rng(7)
    inside, raw, mean = [], [], []
    for _ in range(150):
        counts = rng.multinomial(15, p)
        seen = counts[counts > 0]
        found = entropy(seen, 24, 300, rng)
        low, high = np.quantile(found.draws, [0.05, 0.95])
        inside.append(low <= true <= high)
        mean.append(found.mean)
        raw.append(-(seen / 15 * np.log(seen / 15)).sum() / math.log(24))
    assert 0.82 <= np.mean(inside) <= 0.98
    assert abs(np.mean(mean) - true) < 0.03
    assert np.mean(raw) < true - 0.1  # what the shares themselves would say


def audit_of(minutes: list[int], places: list[int], directions: list[int], **more: object) -> object:
    n = len(minutes)
    return predictability([1] * n, [202605] * n, minutes, places, directions, **more).loc[0]


def test_the_commonest_of_each_by_hand() -> None:
    minutes = [1320, 1379, 1330, 60, 119, 600, 601, 602, 603, 120]  # hours 22 22 22 1 1 10 10 10 10 2
    row = audit_of(minutes, [4] * 6 + [9] * 4, [1, 1, 1, 1, 1, 1, 1, -1, -1, 0])
    assert (row.patrols, bool(row.too_few)) == (10, False)
    assert (row.hour_common, row.hour_share) == (10, 0.4)
    assert (row.place_common, row.place_share) == (4, 0.6)
    assert row.direction_patrols == 9  # one unknown, so too few known to say more
    assert np.isnan(row.direction_entropy) and np.isnan(row.direction_share)


def test_of_equals_the_lowest() -> None:
    row = audit_of([60] * 5 + [0] * 5, [3, 2] * 5, [1] * 10)
    assert (row.hour_common, row.hour_share, row.place_common) == (0, 0.5, 2)


def test_the_most_predictable_habit() -> None:
    """From one of 12 places always, at any hour, either way: the place gives the unit away."""
    rng = np.random.default_rng(3)
    minutes = rng.integers(0, 1440, 24)
    unit = [1] * 24 + [2] * 24
    place = [5] * 24 + list(range(12)) * 2
    table = predictability(unit, [1] * 48, [*minutes, *minutes], place, [1, -1] * 24)
    one, other = table.loc[0], table.loc[1]
    assert (one.habit, one.habit_value, one.habit_share) == ("place", 5, 1.0)
    assert one.place_entropy < 0.2 < one.place_month < other.place_entropy
    assert one.place_p_below > 0.95 and other.place_p_below < 0.5
    assert one.place_month == other.place_month
    assert one.hour_entropy > 0.7


def test_too_few_says_so_and_nothing_else() -> None:
    row = audit_of([60] * 9, [1] * 9, [1] * 9)
    assert (row.patrols, bool(row.too_few)) == (9, True)
    assert row.habit is None
    counts = {"unit", "month", "patrols", "too_few", *(f"{habit}_patrols" for habit in HABITS)}
    assert row.drop(list(counts)).isna().all()
    assert not bool(audit_of([60] * 10, [1] * 10, [1] * 10).too_few)


def test_rows_types_and_order() -> None:
    rng = np.random.default_rng(0)
    n = 300
    unit, month = rng.integers(1, 4, n), rng.integers(202601, 202604, n)
    table = predictability(unit, month, rng.integers(0, 1440, n), rng.integers(-1, 6, n), rng.integers(-1, 2, n))
    assert list(table.columns) == COLUMNS
    assert table[["unit", "month"]].values.tolist() == [[u, m] for u in (1, 2, 3) for m in (202601, 202602, 202603)]
    assert table.patrols.sum() == n
    told = table[~table.too_few]
    for habit in HABITS:
        assert (told[f"{habit}_lo"] <= told[f"{habit}_hi"]).all()
        assert told[f"{habit}_hi"].le(1).all() and told[f"{habit}_lo"].ge(0).all()
    again = predictability(unit, month, rng.integers(0, 1, n), rng.integers(-1, 0, n), np.zeros(n))
    assert again.dtypes.equals(table.dtypes)
    assert again.place_entropy.isna().all() and (again.habit == "hour").all()


def test_equal_seed_equal_table() -> None:
    rng = np.random.default_rng(0)
    data = [np.ones(40), np.ones(40), rng.integers(0, 1440, 40), rng.integers(0, 6, 40), rng.choice([-1, 1], 40)]
    first, again, other = (predictability(*data, seed=seed) for seed in (4, 4, 5))
    assert first.equals(again)
    assert first.hour_lo[0] != other.hour_lo[0]
    assert first.hour_entropy[0] == other.hour_entropy[0]  # only the interval is drawn


def test_one_place_in_all_is_no_secret() -> None:
    row = audit_of(list(range(0, 1200, 100)), [8] * 12, [1, -1] * 6)
    assert (row.place_entropy, row.place_lo, row.place_hi, row.habit) == (0, 0, 0, "place")


def test_no_patrols() -> None:
    table = predictability([], [], [], [], [])
    assert len(table) == 0 and list(table.columns) == COLUMNS


@pytest.mark.parametrize(
    ("name", "value"),
    [("start_minute", 1440), ("start_minute", -1), ("start_minute", 3.5), ("direction", 2), ("place", np.nan)],
)
def test_refused_values(name: str, value: float) -> None:
    data = {"unit": [1, 1], "month": [1, 1], "start_minute": [0, 5], "place": [1, 1], "direction": [0, 1]}
    data[name] = [data[name][0], value]
    with pytest.raises(Usage, match=f"{name}.*position 1"):
        predictability(**data)


def test_refused_shapes() -> None:
    with pytest.raises(Usage, match=r"place \(3,\)"):
        predictability([1], [1], [1], [1, 2, 3], [1])
    with pytest.raises(Usage, match="one-dimensional"):
        predictability([[1]], [[1]], [[1]], [[1]], [[1]])


def test_said_aloud() -> None:
    said = text("predictability.hour", "zh", patrols=12, count=7, hour=22, hour_end=23)
    assert said == "12 次巡护中有 7 次在 22 时至 23 时之间出发。"
