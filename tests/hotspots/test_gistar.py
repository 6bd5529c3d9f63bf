"""Gi* by hand, by the formula of Ord & Getis, by exhaustive permutation; q-values by a published example."""

from __future__ import annotations

from itertools import permutations as orders

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import settings as runs
from hypothesis import strategies as st

from geo_monitor.errors import Usage
from geo_monitor.hotspots import benjamini_hochberg, gistar


def chain(n: int) -> sp.csr_matrix:
    return sp.diags([[500.0] * (n - 1), [500.0] * (n - 1)], [-1, 1]).tocsr()


def ord_getis(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """Equation 14* of Ord & Getis 1995 for any weights w (n, n), self included."""
    n = len(x)
    m, s = x.mean(), np.sqrt((x**2).mean() - x.mean() ** 2)
    total, squares = w.sum(axis=1), (w**2).sum(axis=1)
    return (w @ x - total * m) / (s * np.sqrt((n * squares - total**2) / (n - 1)))


def test_five_reaches_by_hand() -> None:
    """x = 1, 2, 3, 4, 10 in a row: mean 4, mean square 26, s^2 = 10. First reach, itself and one neighbour:
    local mean 1.5, variance of it 10 (5/2 - 1)/4 = 3.75, z = -2.5 / sqrt(3.75) = -1.29099.
    Third, itself and two: local mean 3, 10 (5/3 - 1)/4 = 1.6667, z = -1 / 1.29099 = -0.77460.
    Last: local mean 7, z = 3 / sqrt(3.75) = 1.54919."""
    z = gistar([1.0, 2, 3, 4, 10], [True] * 5, chain(5), permutations=0).gi_z
    assert z[0] == pytest.approx(-1.29099, abs=1e-5)
    assert z[2] == pytest.approx(-0.77460, abs=1e-5)
    assert z[4] == pytest.approx(1.54919, abs=1e-5)


@runs(deadline=None, max_examples=25)
@given(st.integers(0, 10_000), st.integers(5, 40))
def test_row_standardised_formula(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    links = np.triu(rng.random((n, n)) < 0.15, 1)
    links = links | links.T
    x = rng.gamma(1.0, 1.0, n)
    w = (links | np.eye(n, dtype=bool)).astype(float)
    w /= w.sum(axis=1, keepdims=True)
    apart = w.max(axis=1) * n > 1 + 1e-9  # a neighbourhood of all reaches has no variance
    z = gistar(x, np.ones(n, dtype=bool), sp.csr_matrix(links * 700.0), permutations=0).gi_z.to_numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = ord_getis(x, w)
    assert z[apart] == pytest.approx(expected[apart], rel=1e-9, abs=1e-9)
    assert (z[~apart] == 0).all()


def test_z_is_that_of_esda() -> None:
    """PySAL's Gi* under binary weights, on a chain of 60 with some links across."""
    from esda.getisord import G_Local
    from libpysal.weights import WSP

    rng = np.random.default_rng(7)
    links = np.triu(rng.random((60, 60)) < 0.05, 1) + np.diag(np.ones(59), 1)
    links = ((links + links.T) > 0).astype(float)
    x = rng.gamma(1.0, 1.0, 60)
    w = WSP(sp.csr_matrix(links + np.eye(60))).to_W(silence_warnings=True)
    expected = G_Local(x, w, transform="B", permutations=0, star=True).Zs
    z = gistar(x, np.ones(60, dtype=bool), sp.csr_matrix(links), permutations=0).gi_z
    assert z.to_numpy() == pytest.approx(expected, abs=1e-9)


def test_not_looked_is_nan_and_nobodys_neighbour() -> None:
    """A wild value where nobody looked changes nothing; it cuts the chain into two and three reaches."""
    looked = np.array([True, True, False, True, True, True])
    answer = gistar([1.0, 2, 1e9, 3, 4, 10], looked, chain(6), permutations=0)
    assert answer.loc[2].isna().all()
    apart = chain(6).tolil()
    apart[2, :] = apart[:, 2] = 0
    expected = gistar([1.0, 2, 3, 4, 10], [True] * 5, apart.tocsr()[looked][:, looked], permutations=0)
    assert answer.gi_z[looked].tolist() == expected.gi_z.tolist()


def test_permutation_p_against_all_permutations() -> None:
    """Seven reaches: for each, all 720 orders of the other six, two-sided."""
    x = np.array([0.0, 1.0, 5.0, 6.0, 2.0, 0.5, 3.0])
    neighbours = chain(7).toarray() > 0
    exact = []
    for i in range(7):
        others = np.delete(x, i)
        here = np.flatnonzero(neighbours[i])
        place = [j if j < i else j - 1 for j in here]
        sums = np.array([sum(order[j] for j in place) for order in orders(others)])
        mine = x[here].sum()
        exact.append(min(1.0, 2 * min((sums >= mine - 1e-9).mean(), (sums <= mine + 1e-9).mean())))
    answer = gistar(x, np.ones(7, dtype=bool), chain(7), permutations=40_000, seed=5)
    assert answer.p_value.to_numpy() == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("reach", [0, 50, 102, 250])
def test_permutation_p_where_draws_are_sparse(reach: int) -> None:
    """Many reaches, few neighbours: p against plain shuffles of all other reaches' rates."""
    n = 400
    rng = np.random.default_rng(3)
    x = rng.gamma(0.7, 1.0, n)
    x[100:105] += 4
    here = chain(n)[reach].indices
    others = np.delete(x, reach)
    sums = np.array([rng.permutation(others)[: len(here)].sum() for _ in range(10_000)])
    plain = min(1.0, 2 * min((sums >= x[here].sum()).mean(), (sums <= x[here].sum()).mean()))
    ours = gistar(x, np.ones(n, dtype=bool), chain(n), permutations=20_000, seed=2).p_value[reach]
    assert ours == pytest.approx(plain, abs=0.03)
    assert (ours < 0.005) == (reach == 102)


def test_null_worlds_stay_silent() -> None:
    """Exchangeable rates: p-values are near uniform (5 % under 0.05), and hardly any q under 0.05."""
    p, q = [], []
    for world in range(20):
        x = np.random.default_rng([world, 9]).gamma(0.5, 1.0, 500)
        answer = gistar(x, np.ones(500, dtype=bool), chain(500), permutations=9_999, seed=world)
        p.append((answer.p_value < 0.05).mean())
        q.append((answer.q_value < 0.05).any())
    assert 0.02 <= np.mean(p) <= 0.07
    assert np.mean(q) <= 0.2


def test_same_seed_same_bytes_other_seed_other_draws() -> None:
    x = np.random.default_rng(0).gamma(1.0, 1.0, 200)
    one, two, other = (gistar(x, np.ones(200, dtype=bool), chain(200), 999, seed) for seed in (4, 4, 5))
    assert one.to_csv() == two.to_csv()
    assert not one.p_value.equals(other.p_value)


@pytest.mark.parametrize("n", [0, 1, 2, 3])
def test_few_reaches(n: int) -> None:
    answer = gistar(np.arange(n, dtype=float), np.ones(n, dtype=bool), sp.csr_matrix((n, n)), 99, 0)
    assert answer.gi_z.isna().all() if n < 2 else np.isfinite(answer.to_numpy()).all()


def test_equal_rates_stand_out_nowhere() -> None:
    answer = gistar([0.2] * 6, [True] * 6, chain(6), 99, 0)
    assert (answer.gi_z == 0).all()
    assert (answer.q_value == 1).all()


def test_everybody_a_neighbour() -> None:
    answer = gistar([1.0, 2.0, 5.0], [True] * 3, sp.csr_matrix(np.ones((3, 3))), 99, 0)
    assert (answer.gi_z == 0).all()
    assert (answer.p_value == 1).all()


def test_wrong_input_is_named() -> None:
    with pytest.raises(Usage, match="do not match"):
        gistar([1.0, 2.0], [True], chain(2))
    with pytest.raises(Usage, match="no finite rate"):
        gistar([1.0, np.nan, 2.0], [True] * 3, chain(3))


def test_published_example_of_benjamini_and_hochberg() -> None:
    """Their table of 15 p-values (1995, section 4.1): at 5 %, the four smallest are rejected."""
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
         0.7590, 1.0000]  # fmt: skip
    q = benjamini_hochberg(p)
    assert (q <= 0.05).sum() == 4
    assert q[3] == pytest.approx(0.0095 * 15 / 4)
    assert q[0] == pytest.approx(0.0015)
    assert q[14] == pytest.approx(1.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_q_is_scipys_false_discovery_control(p: list[float]) -> None:
    from scipy.stats import false_discovery_control

    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p))
