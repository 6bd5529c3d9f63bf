"""The public table: columns, states, lists, weights, and the same bytes twice."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from geo_monitor import hotspots
from geo_monitor.errors import Usage
from geo_monitor.settings import Settings
from geo_monitor.tables import PLATFORMS, TABLES

N = 8
FEW = dataclasses.replace(Settings(), gi_permutations=999)
HOURS = np.zeros((N, len(PLATFORMS), 2))
HOURS[:, PLATFORMS.index("boat"), 0] = [20.0, 200.0, 1.5, 1.0, 0.0, 20.0, 0.0, 2.0]
HOURS[1, PLATFORMS.index("boat"), 1] = 100.0  # by night
HOURS[:, PLATFORMS.index("foot"), 0] = [0, 0, 0.4, 1.0, 0, 0, 0, 0]


def reaches() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "reach_id": [f"r{i}" for i in range(N)],
            "river": ["甲江"] * 7 + ["乙湖"],
            "km_from": [0.5 * i for i in range(7)] + [np.nan],
            "km_to": [0.5 * i + 0.5 for i in range(7)] + [np.nan],
            "lon": 112.0 + np.arange(N) / 100,
            "lat": 30.0,
            "adcode_left": ["420100"] * 4 + ["420700", None, "", None],
            "adcode_right": ["420100", "420700", None, "", "420100", None, None, "420100"],
        }
    )


def made(**changes: object) -> pd.DataFrame:
    given = {
        "cases": [30, 0, 1, 0, 0, 2, 0, 0],
        "unpatrolled": [0, 1, 0, 0, 0, 0, 3, 0],
        "hours": HOURS,
        "distance_within": sp.diags([[500.0] * 7, [500.0] * 7], [-1, 1]).tocsr(),
        "last_look_ms": [1_740_000_000_000] * 4 + [-1, 0, np.iinfo(np.int64).min, 1_740_000_000_001],
        "settings": FEW,
        "seed": 1,
    } | changes
    return hotspots.table(reaches(), **given)[0]


def test_every_column_in_order_and_allowed() -> None:
    table = made()
    assert tuple(table.columns) == TABLES["hotspots"].names
    TABLES["hotspots"].check(table)
    never_null = [column.name for column in TABLES["hotspots"].columns if not column.null]
    assert not table[never_null].isna().any().any()


def test_states_by_hand() -> None:
    """30 cases in 20 h is hot; none in 300 h is cold; 1.9 h (1.5 by boat, 0.4 on foot) is not looked, 1 + 1 h is."""
    table = made()
    assert table.state[0] == "hot"
    assert table.state[1] == "cold"
    assert table.state[2] == "not_looked"
    assert table.state[3] != "not_looked"
    assert table.state[4] == "not_looked"
    assert (table["class"] == "none").all()


def test_sums_by_hand() -> None:
    """Looked: reaches 0, 1, 3, 5, 7 with 32 cases in 344 h."""
    table = made()
    assert table.patrol_h.tolist() == [20.0, 300.0, 1.9, 2.0, 0.0, 20.0, 0.0, 2.0]
    assert table.expected.tolist() == pytest.approx([h * 32 / 344 for h in table.patrol_h])
    assert (table.rate / table.rr).to_numpy() == pytest.approx(32 / 344)
    assert table.seizures_unpatrolled.sum() == 4


def test_not_looked_has_the_priors_rate_and_no_gi() -> None:
    table = made()
    unseen = table[table.patrol_h == 0]
    assert unseen[["rate", "rate_lo", "rate_hi", "rr", "p_hot"]].nunique().eq(1).all()
    assert table.loc[table.state == "not_looked", ["gi_z", "q_value"]].isna().all().all()
    assert table.loc[table.state != "not_looked", ["gi_z", "q_value"]].notna().all().all()


def test_localities_once_and_never_empty() -> None:
    codes = [list(one) for one in made().adcodes]
    assert codes == [
        ["420100"], ["420100", "420700"], ["420100"], ["420100"], ["420700", "420100"], [], [], ["420100"],
    ]  # fmt: skip


def test_last_look_is_empty_where_nobody_ever_looked() -> None:
    last = made().last_look
    assert last.isna().tolist() == [False] * 4 + [True, False, True, False]
    assert last[0] == pd.Timestamp("2025-02-19T21:20:00Z")
    assert last[7].value % 10**9 == 1_000_000  # the millisecond is kept


def test_weights_make_exposure_not_patrol_hours() -> None:
    """An hour on foot as half a boat hour: 1.5 + 0.2 in reach 2; the 2 h rule still sees 1 + 1 h in reach 3."""
    table = made(settings=dataclasses.replace(FEW, weight_foot=0.5))
    assert table.exposure_h[2] == pytest.approx(1.7)
    assert table.exposure_h[3] == pytest.approx(1.5)
    assert table.state[3] != "not_looked"


def test_an_hour_by_night_counts_as_it_is_told() -> None:
    """Reach 1: 200 h by day at half an hour, 100 h by night at two; the hours patrolled stay 300."""
    table = made(per_hour=np.tile([0.5, 2.0], (len(PLATFORMS), 1)))
    assert table.exposure_h[1] == 300.0
    assert table.exposure_h[0] == 10.0
    assert table.patrol_h.tolist() == made().patrol_h.tolist()
    assert table.expected.tolist() == pytest.approx([h * 32 / (10 + 300 + 1 + 10 + 1) for h in table.exposure_h])


def test_same_bytes_twice(tmp_path) -> None:
    for name in ("a", "b"):
        table = made()
        table.to_csv(tmp_path / f"{name}.csv", index=False)
        TABLES["hotspots"].to_arrow(table)
        table.to_parquet(tmp_path / f"{name}.parquet")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_no_case_at_all_is_answered() -> None:
    table = made(cases=[0] * N)
    TABLES["hotspots"].check(table)
    assert (table.expected == 0).all()
    assert not (table.state == "hot").any()


def test_without_a_case_nothing_is_cold() -> None:
    """Every third reach is looked at for 1,008 h, the others for 2.05 h."""
    n = 60
    hours = np.where(np.arange(n) % 3, 2.05, 1008.0)
    looked = np.zeros((n, len(PLATFORMS), 2))
    looked[:, PLATFORMS.index("boat"), 0] = hours
    frame = pd.concat([reaches().iloc[:1]] * n, ignore_index=True).assign(reach_id=[f"r{i}" for i in range(n)])
    touch = sp.diags([np.ones(n - 1)] * 2, [-1, 1]).tocsr()
    none = np.zeros(n, dtype=int)
    found, _ = hotspots.table(frame, none, none, looked, touch, np.full(n, 10), FEW, links=touch)
    assert set(found["state"]) == {"normal"}
    # the same where all that was looked counts for nothing
    nothing = np.zeros((len(PLATFORMS), 2))
    found, _ = hotspots.table(frame, none, none, looked, touch, np.full(n, 10), FEW, 0, touch, nothing)
    assert set(found["state"]) == {"normal"}


def test_nobody_looked_at_all() -> None:
    table = made(hours=np.zeros_like(HOURS), cases=[0] * N)
    TABLES["hotspots"].check(table)
    assert (table.state == "not_looked").all()


def test_no_reaches() -> None:
    with pytest.raises(Usage) as caught:
        hotspots.table(reaches().iloc[:0], [], [], HOURS[:0], sp.csr_matrix((0, 0)), [], FEW)
    assert caught.value.code == "rates_shape"


def test_wrong_input_is_named() -> None:
    with pytest.raises(Usage, match=r"\(8, 5\)"):
        made(hours=HOURS.sum(axis=2))
    with pytest.raises(Usage, match="-1"):
        made(per_hour=np.full((len(PLATFORMS), 2), -1.0))
    with pytest.raises(Usage, match="cases"):
        made(cases=[1, 2])
