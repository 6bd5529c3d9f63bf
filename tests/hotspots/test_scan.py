"""The scan against hand calculation, against all connected sets written out, and on published counties."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import combinations
from math import comb, log

import geopandas as gpd
import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st
from libpysal import examples
from libpysal import io as pysal_io

from geo_monitor.errors import Usage
from geo_monitor.hotspots.scan import p_value, scan
from geo_monitor.settings import Settings


def linked(n: int, pairs: list[tuple[int, int]]) -> sp.csr_matrix:
    matrix = sp.lil_matrix((n, n))
    for a, b in pairs:
        matrix[a, b] = matrix[b, a] = 1
    return matrix.tocsr()


def chain(n: int) -> sp.csr_matrix:
    return linked(n, [(i, i + 1) for i in range(n - 1)])


def lattice(side: int) -> sp.csr_matrix:
    line = sp.diags([[1.0] * (side - 1), [1.0] * (side - 1)], [-1, 1])
    return sp.csr_matrix(sp.kron(line, sp.identity(side)) + sp.kron(sp.identity(side), line))


def joined(links: sp.csr_matrix, members: list[int]) -> bool:
    return sp.csgraph.connected_components(links[members][:, members])[0] == 1


def poisson_llr(c: float, e: float, total: float) -> float:
    """Difference of two Poisson log likelihoods, terms without rates dropped, instead of the closed form."""

    def likelihood(rate_in: float, rate_out: float) -> float:
        inside = c * log(rate_in * e) - rate_in * e if c else -rate_in * e
        outside = (total - c) * log(rate_out * (total - e)) if total > c else 0.0
        return inside + outside - rate_out * (total - e)

    if c <= e:
        return 0.0
    return likelihood(c / e, (total - c) / (total - e)) - likelihood(1.0, 1.0)


def brute(cases: np.ndarray, expected: np.ndarray, links: sp.csr_matrix, share: float, windows: list) -> float:
    """Largest ratio over every connected set of looked reaches and every window; cases, expected (t, n)."""
    n = cases.shape[1]
    total = cases.sum()
    mu = expected * total / expected.sum()
    best = 0.0
    for size in range(1, n + 1):
        for members in combinations(np.flatnonzero(mu.sum(axis=0) > 0), size):
            zone = list(members)
            if mu[:, zone].sum() > share * total * (1 + 1e-12) or not joined(links, zone):
                continue
            for begin, end in windows:
                e = mu[begin:end, zone].sum()
                if e > 0:
                    best = max(best, poisson_llr(cases[begin:end, zone].sum(), e, total))
    return best


def network(rng: np.random.Generator, n: int) -> sp.csr_matrix:
    pairs = [(int(rng.integers(i)), i) for i in range(1, n) if rng.random() < 0.9]  # sometimes two rivers
    pairs += [(a, b) for a, b in combinations(range(n), 2) if rng.random() < 0.1]
    return linked(n, pairs)


@runs(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(2, 8), st.sampled_from([0.25, 0.5, 1.0]))
def test_small_networks_are_searched_exactly(seed: int, n: int, share: float) -> None:
    rng = np.random.default_rng(seed)
    links = network(rng, n)
    expected = rng.gamma(1, 1, n) * (rng.random(n) < 0.8)
    cases = rng.poisson(3 * expected)
    found = scan(cases, expected, links, max_share=share, permutations=9)
    want = brute(cases[None], expected[None], links, share, [(0, 1)]) if cases.sum() else 0.0
    assert (found.llr[0] if len(found) else 0.0) == pytest.approx(want, abs=1e-9)


@runs(deadline=None, max_examples=15)
@given(st.integers(0, 10_000), st.booleans(), st.integers(1, 3))
def test_windows_are_searched_exactly(seed: int, prospective: bool, longest: int) -> None:
    rng = np.random.default_rng(seed)
    links = network(rng, 6)
    expected = rng.gamma(1, 1, (4, 6)) * (rng.random((4, 6)) < 0.8)
    cases = rng.poisson(2 * expected)
    windows = [(a, b) for a in range(4) for b in range(a + 1, 5) if b - a <= longest and (b == 4 or not prospective)]
    found = scan(cases, expected, links, 0.5, 9, prospective=prospective, max_steps=longest)
    want = brute(cases, expected, links, 0.5, windows) if cases.sum() else 0.0
    assert (found.llr[0] if len(found) else 0.0) == pytest.approx(want, abs=1e-9)
    for row in found.itertuples():
        assert (row.step_from, row.step_to + 1) in windows
        assert row.cases == cases[row.step_from : row.step_to + 1, row.members].sum()


@runs(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.sampled_from([0, 50_000]))
def test_what_every_table_holds(seed: int, exact: int) -> None:
    """Connected, looked at, within the share, no reach twice, sums and ratios as defined, p within its range."""
    rng = np.random.default_rng(seed)
    n = 40
    links = network(rng, n)
    expected = rng.gamma(1, 1, n) * (rng.random(n) < 0.9)
    cases = rng.poisson(2 * expected)
    found = scan(cases, expected, links, 0.3, 19, seed, settings=replace(Settings(), scan_exact=exact))
    mu = expected * cases.sum() / expected.sum()
    taken = [i for row in found.members for i in row]
    assert len(taken) == len(set(taken))
    assert (found.llr > 0).all() and (found.llr.diff().dropna() <= 0).all()
    assert found.p_value.between(0.05, 1).all() and (found.p_value.diff().dropna() >= 0).all()
    for row in found.itertuples():
        assert joined(links, row.members) and (expected[row.members] > 0).all()
        assert mu[row.members].sum() <= 0.3 * cases.sum() * (1 + 1e-6)
        c, e = cases[row.members].sum(), mu[row.members].sum()
        assert (row.cases, row.expected) == (c, pytest.approx(e))
        assert row.llr == pytest.approx(poisson_llr(c, e, cases.sum()), abs=1e-9)
        assert row.rr == pytest.approx((c / e) / (max(cases.sum() - c, 0.5) / (cases.sum() - e)))


def test_search_of_larger_networks_finds_the_best_of_small_ones() -> None:
    """The growing search, made to work on networks where all sets can be written out: mostly the same maximum."""
    growing = replace(Settings(), scan_exact=0)
    shares = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        links = network(rng, 9)
        expected = rng.gamma(2, 1, 9)
        cases = rng.poisson(3 * expected)
        found = scan(cases, expected, links, 0.5, 1, settings=growing).llr[0]
        best = brute(cases[None], expected[None], links, 0.5, [(0, 1)])
        assert found <= best + 1e-9
        shares.append(found / best)
    assert np.mean(np.array(shares) > 1 - 1e-9) >= 0.9
    assert min(shares) > 0.7


def test_quiet_reach_between_two_busy_ones_is_crossed() -> None:
    """Reaches 3 and 5 hold 6 cases each, 4 none: with 1 expected a reach, 12 of 3 beat 6 of 1:
    C = 20 + 12 = 32 over 32 reaches: 12 ln 4 + 20 ln(20/29) = 9.20; 6 ln 6 + 26 ln(26/31) = 6.18."""
    cases = np.ones(32)
    cases[[3, 5]] = 6
    cases[4] = 0
    cases[20:30] = 0  # 19 other reaches of one case
    cases[31] = 2
    for exact in (0, 50_000):
        found = scan(cases, np.ones(32), chain(32), permutations=9, settings=replace(Settings(), scan_exact=exact))
        assert found.members[0] == [3, 4, 5]
        assert found.llr[0] == pytest.approx(12 * log(4) + 20 * log(20 / 29))


def test_no_cluster_reaches_over_water_nobody_looked_at() -> None:
    """Two busy ends with an unlooked middle are two clusters; the same with the middle looked at is one."""
    cases = np.array([0, 0, 8, 0, 8, 0, 0, 0, 0, 0])
    expected = np.ones(10)
    expected[3] = 0
    assert scan(cases, expected, chain(10), permutations=9).members.tolist() == [[2], [4]]
    expected[3] = 1
    assert scan(cases, expected, chain(10), 0.3, 9).members.tolist()[0] == [2, 3, 4]


@pytest.fixture(scope="module")
def counties() -> tuple[list[str], np.ndarray, np.ndarray, sp.csr_matrix, np.ndarray]:
    """Sudden infant deaths in North Carolina 1974-84: names, deaths, births, contiguity, centroids (degrees, longitude
    shrunk by the cosine of the latitude)."""
    frame = gpd.read_file(examples.get_path("sids2.shp"))
    with closing(pysal_io.open(examples.get_path("sids2.gal"))) as file:
        links = file.read().sparse
    centre = np.column_stack([frame.geometry.centroid.x * np.cos(np.radians(35.5)), frame.geometry.centroid.y])
    deaths, births = frame.SID74 + frame.SID79, frame.BIR74 + frame.BIR79
    return frame.NAME.tolist(), deaths.to_numpy(), births.to_numpy(), links, centre


def test_published_circles(counties) -> None:
    """The circular scan's most likely cluster of 1974-84: four counties, llr 17.63; second the north-east."""
    names, deaths, births, _, centre = counties
    for share in (0.25, 0.5):
        found = scan(deaths, births, points=centre, max_share=share)
        assert sorted(names[i] for i in found.members[0]) == ["Bladen", "Hoke", "Robeson", "Scotland"]
        assert round(found.llr[0], 2) == 17.63
        assert found.p_value[0] == 0.001
        assert sorted(names[i] for i in found.members[1]) == ["Bertie", "Halifax", "Hertford", "Northampton"]


def test_links_find_no_less_than_circles(counties) -> None:
    names, deaths, births, links, _ = counties
    for share in (0.25, 0.5):
        found = scan(deaths, births, links, max_share=share)
        assert found.llr[0] >= 17.63
        assert {"Hoke", "Robeson", "Scotland"} <= {names[i] for i in found.members[0]}
        assert found.p_value[0] == 0.001


def test_planted_cluster_in_time_is_active_now() -> None:
    """A stretch that turns bad in the last two of eight steps; one that ended long ago isn't active."""
    rng = np.random.default_rng(4)
    expected = rng.gamma(3, 0.2, (8, 60))
    risk = expected.copy()
    risk[6:, 20:25] *= 8
    risk[0:2, 40:46] *= 8
    cases = rng.poisson(risk)
    now = scan(cases, expected, chain(60), permutations=199, prospective=True)
    assert set(now.members[0]) >= {21, 22, 23} and now.step_to[0] == 7 and now.step_from[0] >= 5
    assert now.p_value[0] == 0.005
    assert not [row for row in now[now.p_value < 0.05].members if set(row) & set(range(40, 46))]
    ever = scan(cases, expected, chain(60), permutations=199)
    bad = ever[ever.p_value < 0.05]
    assert any(set(row.members) & set(range(40, 46)) and row.step_to <= 2 for row in bad.itertuples())


def test_p_value_is_the_exact_chance_of_the_maximum() -> None:
    """Three cases over 4 alike reaches, clusters of one reach: the maximum is that of the fullest reach. All three
    in one: 4 of 64 ways; two or more in one: 64 - 24 ways. A largest share of p, by 4000 replicates within 4 sd."""
    alone = linked(4, [])
    for cases, want in (([3, 0, 0, 0], 4 / 64), ([2, 1, 0, 0], 40 / 64), ([1, 1, 1, 0], 1.0)):
        found = scan(cases, np.ones(4), alone, permutations=4000, settings=replace(Settings(), scan_stop=10_000))
        assert found.p_value[0] == pytest.approx(want, abs=4 * np.sqrt(want * (1 - want) / 4000) + 1 / 4001)


def test_stopping_rule_keeps_its_level() -> None:
    """Exactly: maxima all alike in law, so the rank of the data's among R replicates is uniform over 0..R. With h = 2,
    R = 9: P(p <= 0.4) = P(2nd larger not before replicate 5) = P(at most one of 4 larger) = 2/5."""
    rng = np.random.default_rng(0)
    draws = rng.random((20_000, 10))
    p = np.array([p_value(row[1:], row[0], permutations=9, stop=2) for row in draws])
    for level in (0.2, 2 / 9, 0.25, 0.4, 0.5, 2 / 3):
        share = (p <= level + 1e-12).mean()
        assert share <= level + 4 * np.sqrt(level * (1 - level) / 20_000)
    assert (p <= 0.4).mean() == pytest.approx(0.4, abs=4 * np.sqrt(0.24 / 20_000))


def test_quiet_worlds_stay_quiet() -> None:
    """120 worlds without clusters, uneven hours, river and lake: p < 0.05 in 0-11 (binomial 0.05: over 11 in 1 %).
    The full count is `checks/scan_null.py`."""
    links = sp.block_diag([chain(60), lattice(6)]).tocsr()
    small = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        expected = rng.gamma(1, 1, 96)
        cases = rng.multinomial(60, expected / expected.sum())
        small += scan(cases, expected, links, permutations=99, seed=seed, max_clusters=1).p_value[0] < 0.05
    tail = sum(comb(120, k) * 0.05**k * 0.95 ** (120 - k) for k in range(12, 121))
    assert tail < 0.02
    assert small <= 11


def test_same_bytes_whatever_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    expected = rng.gamma(2, 1, (3, 80))
    cases = rng.poisson(expected)
    answers = []
    for threads in (1, 3, 7):
        monkeypatch.setattr(os, "cpu_count", lambda threads=threads: threads)
        answers.append(scan(cases, expected, chain(80), permutations=199, seed=5))
    with ThreadPoolExecutor(2) as pool:  # two pages of the app at once
        answers += pool.map(lambda _: scan(cases, expected, chain(80), permutations=199, seed=5), range(2))
    for answer in answers[1:]:
        assert answer.to_json() == answers[0].to_json() and answer.attrs == answers[0].attrs


def test_scale_of_expected_and_of_links_means_nothing() -> None:
    rng = np.random.default_rng(8)
    expected = rng.gamma(2, 1, 30)
    cases = rng.poisson(expected)
    one = scan(cases, expected, chain(30), permutations=49)
    two = scan(cases, expected * 1024, chain(30) * 500.0, permutations=49)
    assert one.members.tolist() == two.members.tolist()
    assert one.llr.to_numpy() == pytest.approx(two.llr.to_numpy())
    assert one.p_value.tolist() == two.p_value.tolist()


def test_an_early_stop_says_how_far_it_came() -> None:
    """A case a reach but for one that has two and one without: nearly every replicate has a larger maximum."""
    cases = np.ones(100)
    cases[[10, 60]] = 0, 2
    found = scan(cases, np.ones(100), chain(100), permutations=999)
    assert found.p_value[0] > 0.7
    assert 50 <= found.attrs["replicates"] < 999


COLUMNS = ["members", "cases", "expected", "rr", "llr", "p_value"]


def test_degenerate_worlds() -> None:
    nothing = scan([0, 0, 0], [1, 1, 1], chain(3))
    assert list(nothing.columns) == COLUMNS and len(nothing) == 0
    assert len(scan([0, 0, 0], [0, 0, 0], chain(3))) == 0  # nobody looked, nothing seen
    assert len(scan([5], [2.0], linked(1, []))) == 0  # one reach is all there is
    assert list(scan([[0]], [[1]], linked(1, [])).columns) == ["members", "step_from", "step_to", *COLUMNS[1:]]
    one = scan([0, 0, 0, 1, 0], np.ones(5), chain(5))
    assert one.members.tolist() == [[3]] and one.p_value[0] == pytest.approx(1.0, abs=0.03)
    heap = scan([0, 40, 0, 0, 0], np.ones(5), chain(5))
    assert heap.members[0] == [1]
    assert heap.rr[0] == pytest.approx((40 / 8) / (0.5 / 32))  # no case outside: half a one
    long = scan([3, 1, 0, 5, 2], [1, 2, 10_000, 1, 3], chain(5))
    for table in (one, heap, long):
        assert np.isfinite(table[["expected", "rr", "llr", "p_value"]].to_numpy()).all()
    islands = scan([4, 4, 0, 4, 0, 0, 0, 0], np.ones(8), linked(8, [(0, 1), (2, 3), (4, 5), (6, 7)]), 0.5)
    assert islands.members[0] == [0, 1]


@pytest.mark.parametrize(
    ("code", "given"),
    [
        ("scan_shape", {"cases": [1, 2], "expected": [1.0]}),
        ("scan_shape", {"cases": [], "expected": []}),
        ("scan_cases", {"cases": [1, -1, 0]}),
        ("scan_cases", {"cases": [0.5, 0, 0]}),
        ("scan_cases", {"cases": [np.nan, 0, 0]}),
        ("scan_expected", {"expected": [1, np.inf, 1]}),
        ("scan_expected", {"expected": [1, -1, 1]}),
        ("scan_unexpected", {"expected": [1, 0, 1]}),
        ("scan_links", {"links": chain(4)}),
        ("scan_links", {"links": None}),
        ("scan_one_way", {"links": sp.csr_matrix(np.triu(np.ones((3, 3))))}),
        ("scan_points", {"points": [[0, 1], [1, 2]]}),
        ("scan_points", {"points": [[0, 1], [1, 2], [np.nan, 1]]}),
        ("scan_option", {"max_share": 0}),
        ("scan_option", {"max_share": 1.5}),
        ("scan_option", {"permutations": 0}),
        ("scan_option", {"max_steps": 0}),
        ("scan_option", {"max_members": 1.5}),
    ],
)
def test_what_is_refused(code: str, given: dict) -> None:
    with pytest.raises(Usage) as error:
        scan(**({"cases": [1, 2, 0], "expected": [1, 1, 1], "links": chain(3)} | given))
    assert error.value.code == code
    assert str(error.value) != code
