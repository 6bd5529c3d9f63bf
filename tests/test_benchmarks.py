"""The accuracy benchmark: its worlds and measures by hand, the command at small size, and the page that quotes it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from benchmarks import compact as compaction
from benchmarks import ingest as ingesting
from benchmarks.accuracy import worlds
from benchmarks.accuracy.__main__ import main
from benchmarks.accuracy.measures import measured, named
from benchmarks.accuracy.methods import METHODS, Answer, Looked, kde_per_hour, marshall, marshall_local
from benchmarks.accuracy.run import of_oracle
from benchmarks.accuracy.tables import tables
from benchmarks.engine import __main__ as engines_command
from geo_monitor.store import Store

DOCS = Path(__file__).parents[1] / "docs"


def chain(n: int) -> sp.csr_matrix:
    return sp.diags([np.ones(n - 1), np.ones(n - 1)], [-1, 1]).tocsr()


def test_the_command_writes_all_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["--first", "4", "--worlds", "2", "--reaches", "50", "-o", str(tmp_path)])
    answer = json.loads((tmp_path / "accuracy.json").read_text(encoding="utf-8"))
    records = [json.loads(line) for line in (tmp_path / "runs.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(record["kind"], record["habit"]) for record in records] == [
        (kind, habit) for kind in ("flat", "car") for habit in worlds.HABITS
    ]
    assert all(set(METHODS) <= set(record["methods"]) for record in records)
    text = (tmp_path / "accuracy.md").read_text(encoding="utf-8")
    assert capsys.readouterr().out == text == tables(answer)
    assert (tmp_path / "accuracy.png").read_bytes().startswith(b"\x89PNG")
    # a mean of one world is that world
    row = next(row for row in answer["summary"] if (row["kind"], row["habit"], row["method"]) == (
        "car", "following", "rates"))  # fmt: skip
    own = next(record for record in records if (record["kind"], record["habit"]) == ("car", "following"))
    assert row["coverage"]["mean"] == pytest.approx(own["methods"]["rates"]["coverage"], abs=1e-4)
    assert row["of_oracle"]["max"] == pytest.approx(of_oracle(own["methods"], "rates"), abs=1e-4)


def test_the_page_quotes_what_the_command_printed() -> None:
    answer = json.loads((DOCS / "accuracy.json").read_text(encoding="utf-8"))
    page = (DOCS / "accuracy.md").read_text(encoding="utf-8")
    assert tables(answer) in page
    assert f"python -m benchmarks.accuracy --worlds {answer['worlds']}\n" in page


def test_the_feeds_of_the_compaction_benchmark_lie_as_they_say(tmp_path: Path) -> None:
    compaction.make(tmp_path / "w", days=2, feeds=2, per_day=3)
    store = Store(tmp_path / "w")
    files = Counter(path.parent.name for path in store.root.glob("positions/*/*"))
    assert files == {"day=2025-01-01": 6, "day=2025-01-02": 6}
    fixes = store.positions(columns=["unit_id", "time", "lon"]).to_pandas()
    assert fixes.groupby("unit_id").size().tolist() == [2 * 24 * 60] * 40  # a fix a minute
    assert (fixes.groupby("unit_id")["time"].diff().dropna() == pd.Timedelta(minutes=1)).all()
    assert fixes["lon"].between(111.2, 112.3).all()


def test_the_import_benchmark_takes_in_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ingesting.main(["--folder", str(tmp_path / "b"), "--rows", "1e4"])
    told = json.loads(capsys.readouterr().out)
    assert [(one["rows"], one["format"]) for one in told] == [(10_000, "csv"), (10_000, "parquet")]
    for one in told:  # one in 5,000 has no place, one is there twice
        assert one["taken"] == {"read": 10_000, "accepted": 9_996, "quarantined": 2, "unchanged": 2, "corrected": 0}
        assert one["ratio"] == pytest.approx(one["import_s"] / one["bare_s"], abs=0.06)
        assert min(one["process_mb"], one["parser_mb"]) > 50
    assert not (tmp_path / "b").exists()  # it tidies up


def test_the_two_files_of_the_import_benchmark_hold_the_same(tmp_path: Path) -> None:
    for form in ingesting.FORMATS:
        ingesting.make(tmp_path / f"a.{form}", 6_000)
    text = pd.read_csv(tmp_path / "a.csv", parse_dates=["时间"])
    typed = pd.read_parquet(tmp_path / "a.parquet")
    pd.testing.assert_frame_equal(text, typed, check_dtype=False)
    assert typed["纬度"].isna().sum() == 2
    assert typed[["船名", "时间", "经度"]].duplicated().sum() == 1
    assert typed["船名"].nunique() == 400


@pytest.mark.parametrize("kind", worlds.KINDS)
def test_a_world_is_the_same_twice(kind: str) -> None:
    def made() -> bytes:
        world = worlds.world(kind, worlds.river("branches_and_lake", 7, 120), 0.1, 7)
        return b"".join(array.tobytes() for array in (world.rate, world.theta, *worlds.patrolled(world, "opposed", 7)))

    assert made() == made()


def test_measures_by_hand() -> None:
    """60 reaches, rates 60 ... 1. The score knows the first ten, and has the rest as a tie."""
    rate = np.arange(60.0, 0.0, -1.0)
    score = np.r_[np.full(10, 2.0), np.full(50, 1.0)]
    hours = np.r_[1.0, np.full(59, 6.0)]
    found = measured(
        Answer(score, rate - 0.5, np.r_[0.0, 0.0, rate[2:] + 0.5], np.array([0.04, 0.2])), rate, hours, 2.0
    )
    # 10 surely and 40 of 50 at random; 40 of these 50 are among the worst 50
    assert found["precision"] == pytest.approx((10 + 40 * 0.8) / 50)
    assert found["held"] == pytest.approx(sum(range(51, 61)) + 0.8 * sum(range(1, 51)))
    assert found["share"] == pytest.approx(found["held"] / sum(range(11, 61)))
    assert found["activity"] == pytest.approx(3 * np.mean(range(51, 61)) / sum(range(1, 61)))  # 3 of the 10, at random
    assert found["coverage"] == pytest.approx(58 / 59)  # the first, missed, was not looked at; the second counts
    assert (found["above"], found["below"]) == (pytest.approx(1 / 59), 0.0)
    assert found["small_p"] == 0.5
    assert set(measured(Answer(score), np.ones(60), hours, 2.0)) == set()


def test_misses_where_hours_are_fewest_by_hand() -> None:
    """Nine reaches of 2 to 10 hours: of the three with fewest one lies above its interval and one below, of the others one
    above."""
    rate, hours = np.arange(1.0, 10.0), np.arange(2.0, 11.0)
    low, high = rate - 0.5, rate + 0.5
    high[[0, 5]], low[2] = 0.9, 3.1
    low[0], low[5] = 0.0, 0.0
    found = measured(Answer(rate, low, high), rate, hours, 2.0)
    assert (found["above"], found["below"]) == (pytest.approx(2 / 9), pytest.approx(1 / 9))
    assert (found["above_least"], found["below_least"]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


def test_named_are_as_many_as_asked() -> None:
    rng = np.random.default_rng(3)
    for count in (1, 7, 12.5):
        chance = named(rng.integers(0, 4, 40).astype(float), count)
        assert chance.sum() == pytest.approx(count)
        assert chance.min() >= 0
        assert chance.max() <= 1


@pytest.mark.parametrize("name", worlds.RIVERS)
def test_a_river_is_one_water(name: str) -> None:
    water = worlds.river(name, 5, 300)
    count, _ = sp.csgraph.connected_components(water.links, directed=False)
    assert count == 1
    assert water.links.shape == (300, 300) == (len(water.points),) * 2
    assert abs(water.links - water.links.T).nnz == 0
    lake = water.chains[0][0]
    # a tree has one link less than reaches; where it hangs on a lake, one each
    assert water.links.nnz // 2 - water.links[:lake, :lake].nnz // 2 == 300 - lake - (lake == 0)
    degree = np.diff(water.links[:lake, :lake].tocsr().indptr)
    assert lake == 0 or degree.max() == np.bincount(degree).argmax() == 6  # hexagons: six around every inner cell
    steps = water.links.tocoo()
    inside = (steps.row < lake) & (steps.col < lake)
    metres = np.linalg.norm(water.points[steps.row] - water.points[steps.col], axis=1)
    assert metres[inside] == pytest.approx(worlds.CELL_M)


def test_a_field_has_the_covariance_it_says() -> None:
    links, reach = chain(5), 4.0
    laplacian = np.diag(links.toarray().sum(axis=1)) - links.toarray()
    rng = np.random.default_rng(1)
    for smoothness in (1, 2):
        k2 = 8 * (smoothness - 0.5) / reach**2
        covariance = np.linalg.inv(np.linalg.matrix_power(laplacian + k2 * np.eye(5), smoothness))
        sd = np.sqrt(np.diag(covariance))
        draws = np.array([worlds.field(links, reach, smoothness, rng) for _ in range(1000)])
        assert draws.T @ draws / 1000 == pytest.approx(covariance / np.outer(sd, sd), abs=0.12)


def test_pieces_out_of_step() -> None:
    """Three reaches in a row cut at 0.5 and 2.0: half and half, one, one; and a side stream at the middle reach."""
    water = worlds.River(chain(3), np.zeros((3, 2)), ((0, 3, -1),))
    links, part = worlds.pieces(water, 1.5, 0.5)
    assert part.toarray().tolist() == [[0.5, 0.5, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    assert links.toarray().tolist() == chain(3).toarray().tolist()
    side = worlds.river("branches_and_lake", 4, 200)
    links, part = worlds.pieces(side, 0.7, 0.3)
    assert part.sum(axis=1) == pytest.approx(1.0)
    assert sp.csgraph.connected_components(links, directed=False)[0] == 1


@pytest.mark.parametrize("kind", worlds.KINDS)
def test_a_world_has_the_mean_rate_and_patrols_have_their_habit(kind: str) -> None:
    made = worlds.world(kind, worlds.river("branches", 1, 300), 0.1, 3)
    assert made.rate.mean() == pytest.approx(0.1)
    assert made.rate.min() > 0
    lean = []
    for habit in worlds.HABITS:
        hours, cases = worlds.patrolled(made, habit, 3)
        assert hours.mean() == pytest.approx(worlds.MEAN_H)
        assert (cases == np.round(cases)).all()
        lean.append(np.polyfit(made.lean, np.log(hours), 1)[0])
    assert lean == pytest.approx([-0.5, 0.0, 0.5], abs=0.15)


def test_hyperparameters_are_learned_back() -> None:
    """What endless looking tells of a CAR field is what it was drawn from."""
    water = worlds.river("branches", 2, 1000)
    rng = np.random.default_rng(2)
    alike = worlds.field(water.links, 10.0, 1, rng)
    theta = worlds.learned(water, 0.1 * np.exp(0.9 * alike + 0.45 * rng.standard_normal(1000)))
    spread = np.hypot(0.9, 0.45)
    assert np.exp(theta[0]) == pytest.approx(spread, rel=0.15)
    assert 1 / (1 + np.exp(-theta[1])) == pytest.approx(0.9**2 / spread**2, abs=0.1)
    assert 6 < np.exp(theta[2]) < 16


def test_marshall_is_marshalls_formula() -> None:
    rng = np.random.default_rng(4)
    hours = rng.uniform(1, 9, 30)
    cases = rng.poisson(hours * rng.gamma(1.0, 0.3, 30)).astype(float)
    seen = Looked(cases, hours, chain(30), np.column_stack([np.arange(30) * 500.0, np.zeros(30)]))
    crude, mean = cases / hours, cases.sum() / hours.sum()
    between = (hours * (crude - mean) ** 2).sum() / hours.sum() - mean / hours.mean()
    assert between > 0
    made = worlds.world("flat", worlds.river("branches", 0, 30), 0.1, 0)
    assert marshall(seen, made).score == pytest.approx(mean + (crude - mean) * between / (between + mean / hours))
    local = marshall_local(seen, made).score
    near = np.abs(np.subtract.outer(np.arange(30), np.arange(30))) <= 2
    for i in (0, 7, 29):
        own_hours, own = hours[near[i]], crude[near[i]]
        m = cases[near[i]].sum() / own_hours.sum()
        a = max((own_hours * (own - m) ** 2).sum() / own_hours.sum() - m / own_hours.mean(), 0.0)
        assert local[i] == pytest.approx(m + (crude[i] - m) * a / (a + m / hours[i]))


def test_a_kernel_over_cases_and_hours_of_a_river_alike_all_over_is_its_rate() -> None:
    seen = Looked(np.full(20, 3.0), np.full(20, 6.0), chain(20), np.column_stack([np.arange(20) * 500.0, np.zeros(20)]))
    made = worlds.world("flat", worlds.river("branches", 0, 20), 0.5, 0)
    assert kde_per_hour(seen, made).score == pytest.approx(0.5)
    assert METHODS["gi_hexagons"](seen, made).p.min() > 0.05


def test_the_engines_give_the_same_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    # five boats for a day, a fix every 30 s: 2,879 steps of half a minute each
    given = ["--fixes", str(5 * 2880), "--units", "5", "--zones", "4", "--repeat", "1",
             "--engines", "scan,ours,analyse,geopandas", "--worlds", str(tmp_path / "worlds"), "-o", str(tmp_path)]  # fmt: skip
    assert engines_command.main(given) == 0
    answer = json.loads((tmp_path / "engine.json").read_text(encoding="utf-8"))["engines"]
    assert answer["scan"]["rows"] == answer["ours"]["located"] == answer["geopandas"]["located"] == 14_400
    assert answer["analyse"]["rows"] == answer["analyse"]["located"] == 14_400
    assert answer["ours"]["minutes"] == pytest.approx(5 * 2879 / 2, abs=1e-6)
    assert answer["analyse"]["minutes"] == pytest.approx(5 * 2879 / 2, abs=1e-6)
    assert answer["analyse"]["seconds"] > answer["ours"]["seconds"]
    assert capsys.readouterr().out == (tmp_path / "engine.md").read_text(encoding="utf-8")
    assert (tmp_path / "engine.png").read_bytes().startswith(b"\x89PNG")
    wrong = {"a": {"rows": 5, "located": 3}, "b": {"rows": 5, "located": 4}, "c": {"rows": 6, "located": 5}}
    assert engines_command.differing(wrong) == ["located of 5 rows: {'a': 3, 'b': 4}"]


def test_a_year_is_analysed_once_and_a_day_added_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines_command, "DAYS", 2)
    given = ["--year", "--boats", "3", "--zones", "4", "--repeat", "2", "--worlds", str(tmp_path), "-o", str(tmp_path)]
    assert engines_command.main(given) == 0
    rows = json.loads((tmp_path / "engine.json").read_text(encoding="utf-8"))["year"]
    days = [2, 2, 3, 4]
    assert [row["fixes"] for row in rows] == [day * 3 * 2880 for day in days]
    assert all(row["command_seconds"] > row["seconds"] > 0 for row in rows)
    assert rows[1]["share"] == pytest.approx(rows[1]["seconds"] / rows[0]["seconds"], abs=0.01)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["17280-3-4", "engine.json", "engine.md"]
