"""Sparse factors against dense linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from geo_monitor.hotspots.sparse import ABREAST, Pattern


def lake(side: int) -> sp.csr_matrix:
    """A square of lake cells, each touching the four beside it."""
    line = sp.diags([np.ones(side - 1), np.ones(side - 1)], [-1, 1])
    one = sp.identity(side)
    return (sp.kron(line, one) + sp.kron(one, line)).tocsr()


def dense(pattern: Pattern, diagonal: np.ndarray, link: np.ndarray) -> np.ndarray:
    matrix = np.diag(diagonal)
    matrix[pattern.row_a, pattern.row_b] = link
    matrix[pattern.row_b, pattern.row_a] = link
    return matrix


@given(st.integers(1, 40), st.integers(0, 10_000))
def test_factor_solves_and_inverts_as_dense_algebra_does(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    links = sp.triu(sp.random(n, n, min(1.0, 3.0 / n), rng=rng), 1)
    pattern = Pattern.of((links + links.T).tocsr())
    link = rng.normal(size=len(pattern.row_a))
    weight = np.zeros(n)
    np.add.at(weight, pattern.row_a, np.abs(link))
    np.add.at(weight, pattern.row_b, np.abs(link))
    diagonal = weight + rng.uniform(0.1, 2.0, n)  # dominant, so positive definite
    whole = dense(pattern, diagonal, link)
    factor = pattern.factor(diagonal, link)
    right = rng.normal(size=n)
    assert factor.solve(right) == pytest.approx(np.linalg.solve(whole, right), rel=1e-9, abs=1e-9)
    assert factor.inverse_diagonal() == pytest.approx(np.diag(np.linalg.inv(whole)), rel=1e-9)
    assert factor.log_det == pytest.approx(np.linalg.slogdet(whole)[1], rel=1e-9, abs=1e-9)
    assert pattern.multiply(diagonal, link, right) == pytest.approx(whole @ right, rel=1e-9, abs=1e-9)


def test_matrices_eliminated_abreast_are_those_eliminated_alone() -> None:
    """To the last bit, and of some columns only what is then left."""
    rng = np.random.default_rng(11)
    pattern = Pattern.of(lake(7))
    values = np.column_stack(
        [pattern.laid(rng.uniform(4.5, 9.0, 49), rng.uniform(-1.0, 1.0, len(pattern.row_a))) for _ in range(ABREAST)]
    )
    alone = [np.ascontiguousarray(column) for column in values.T]
    for columns in (np.arange(20), np.arange(20, 49)):
        pattern.eliminate(values, columns)
        for one in alone:
            pattern.eliminate(one, columns)
        assert values.T.tobytes() == np.array(alone).tobytes()
    bad = np.tile(pattern.laid(np.ones(49), np.full(len(pattern.row_a), 2.0))[:, None], ABREAST)
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        pattern.eliminate(bad, np.arange(49))


def test_a_tree_has_no_fill_and_a_lake_little() -> None:
    """A tree of n reaches: n + (n - 1) entries of L. A plane graph of n cells: of the order n log n, far from n^2 / 2."""
    rng = np.random.default_rng(3)
    parent = np.array([rng.integers(0, i) for i in range(1, 500)])
    tree = sp.coo_matrix((np.ones(499), (np.arange(1, 500), parent)), shape=(500, 500))
    assert len(Pattern.of(tree + tree.T).l_row) == 999
    assert len(Pattern.of(lake(30)).l_row) < 900 * np.log2(900) * 2


def test_a_matrix_that_is_not_positive_definite_is_refused() -> None:
    """[[1, 2], [2, 1]] has the eigenvalue -1."""
    pattern = Pattern.of(sp.csr_matrix(np.array([[0.0, 1.0], [1.0, 0.0]])))
    with pytest.raises(np.linalg.LinAlgError, match="not positive definite"):
        pattern.factor(np.ones(2), np.array([2.0]))


def test_self_links_and_stored_zeros_are_no_links() -> None:
    links = sp.csr_matrix(([3.0, 0.0, 0.0], ([0, 0, 1], [0, 1, 0])), shape=(2, 2))
    assert len(Pattern.of(links).row_a) == 0
