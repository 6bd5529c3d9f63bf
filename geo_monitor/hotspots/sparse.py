"""Sparse Cholesky factors of river-shaped matrices, and the variances they hold.

In: the pattern of a symmetric matrix (which reaches touch). Out: `Pattern`, which for any values on that pattern gives
the factor A = L L', solutions, log det A, and the diagonal of A^-1 without ever forming A^-1.

A river network is nearly a tree, and a lake's cells are a plane graph: in the right order of elimination L has hardly
more entries than A (minimum degree, which takes a tree from its leaves). The diagonal of the inverse follows from L by
the recursion of Takahashi, Fagan & Chin (1973, Proc. 8th PICA Conf.): for j from the last column to the first,

    Z_ij = delta_ij / L_jj^2 - (1 / L_jj) sum_{k > j, L_kj != 0} L_kj Z_ki,     i >= j, L_ij != 0,

which needs no entry of Z = A^-1 outside the pattern of L (Erisman & Tinney 1975, Comm. ACM 18:177-179).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from geo_monitor.errors import Usage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

ABREAST = 4  # matrices eliminated at once


def neighbours(links: Any, n: int) -> Any:
    """`links` as scipy.sparse csr (n, n); None: no reach touches another.

    Raises `Usage`: `rates_links` for another shape, `rates_links_symmetric`.
    """
    import scipy.sparse as sp

    links = sp.csr_matrix((n, n)) if links is None else sp.csr_matrix(links)
    if links.shape != (n, n):
        raise Usage("rates_links", links=str(links.shape), n=n)
    off = abs(links - links.T)
    if off.nnz and (off > 1e-9 * abs(links).max()).nnz:
        raise Usage("rates_links_symmetric")
    return links


@dataclass(frozen=True)
class Pattern:
    """Where a symmetric (n, n) matrix may hold something, in the order of elimination, and where its factor does.

    `order` (n,): the reach that is eliminated as i-th. `row_a`, `row_b` (m,): the m links, as positions of reaches;
    `a_place` (m,): where the factor holds them. The factor's columns are `l_start[j]` to `l_start[j + 1]` of `l_row`, the
    diagonal first, rows ascending. The rows that follow k in column j stand in column k too, in runs side by side: those of
    entry (k, j) are `run_start[entry]` to `run_start[entry + 1]` of `run` (runs, 2), place of the first and length. Values of
    a matrix on the pattern are a diagonal (n,) in reach order and a value a link (m,).
    """

    order: Ints
    row_a: Ints
    row_b: Ints
    a_place: Ints
    l_start: Ints
    l_row: Ints
    run_start: Ints
    run: NDArray[np.int32]

    @classmethod
    def of(cls, links: Any) -> Pattern:
        """The pattern of scipy.sparse `links` (n, n), symmetric; self-links are ignored, values do not matter."""
        import scipy.sparse as sp
        from scipy.sparse.linalg import splu

        entries = sp.coo_matrix(links)
        off = (entries.row < entries.col) & (entries.data != 0)
        n = links.shape[0]
        a, b = entries.row[off].astype(np.int64), entries.col[off].astype(np.int64)
        ones = np.ones(len(a))
        matrix = sp.csc_matrix(
            (np.r_[-ones, -ones, np.zeros(n)], (np.r_[a, b, np.arange(n)], np.r_[b, a, np.arange(n)])), shape=(n, n)
        )
        matrix += sp.diags(1.0 - np.asarray(matrix.sum(axis=1)).ravel(), format="csc")
        # the order is all that is wanted of this factor: minimum degree is not offered by itself
        found = splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
        place = found.perm_c.astype(np.int64)
        start, early, _ = _lower(a, b, place)
        place = _postorder(_elimination_tree(n, start, early))[place]
        order = np.argsort(place, kind="stable").astype(np.int64)
        start, early, sort = _lower(a, b, place)
        late = np.repeat(np.arange(n), np.diff(start))
        parent = _elimination_tree(n, start, early)
        l_row_start, l_row_column = _row_patterns(n, start, early, parent)
        l_start, l_row = _columns(n, l_row_start, l_row_column)
        entry = np.repeat(np.arange(n), np.diff(l_start)) * n + l_row  # rows ascend in every column
        run_start, run = _runs(l_start, l_row)
        return cls(
            order=order,
            row_a=a[sort],
            row_b=b[sort],
            a_place=np.searchsorted(entry, early * n + late),
            l_start=l_start,
            l_row=l_row,
            run_start=run_start,
            run=run,
        )

    @property
    def n(self) -> int:
        return len(self.order)

    def factor(self, diagonal: Floats, link: Floats) -> Factor:
        """The factor of the positive definite matrix with this diagonal (n,) and these link values (m,).

        Raises `numpy.linalg.LinAlgError` if it is not positive definite.

        The chain of three with 2 on the diagonal and -1 between neighbours: determinant 4, inverse known in full.

        >>> import scipy.sparse as sp
        >>> chain = sp.diags([[1.0] * 2, [1.0] * 2], [-1, 1])
        >>> factor = Pattern.of(chain).factor(np.full(3, 2.0), np.full(2, -1.0))
        >>> round(float(np.exp(factor.log_det)), 12), factor.inverse_diagonal().round(12).tolist()
        (4.0, [0.75, 1.0, 0.75])
        >>> factor.solve(np.array([1.0, 0.0, 0.0])).round(12).tolist()
        [0.75, 0.5, 0.25]
        """
        value = self.laid(diagonal, link)
        self.eliminate(value, np.arange(self.n))
        return Factor(self, value)

    def eliminate(self, value: Floats, columns: Ints) -> None:
        """Turns the `columns` (ascending) of a matrix that is `laid` into those of L. Of them none may wait for one that is
        neither here nor done; what stands in the others then is the matrix that remains (the Schur complement). `value` may
        hold as many matrices at once as it has columns, (l, `ABREAST`): to find the way through the pattern takes longer than
        the sums.

        Raises `numpy.linalg.LinAlgError` if it is not positive definite.
        """
        kernel = _cholesky if value.ndim == 1 else _cholesky_abreast
        bad = kernel(value, columns, self.l_start, self.l_row, self.run_start, self.run)
        if bad >= 0:
            raise np.linalg.LinAlgError(f"not positive definite at position {int(self.order[bad])}")

    def remaining(self, wanted: NDArray[np.bool_]) -> tuple[Pattern, NDArray[np.bool_]]:
        """What is left when every branch of the elimination without a wanted reach (n,) is eliminated: the pattern of
        that matrix, its reaches numbered in order of elimination, and which columns of this one they are, (n,).

        Of a chain of four whose first two are wanted, these stay:

        >>> import scipy.sparse as sp
        >>> chain = sp.diags([[1.0] * 3, [1.0] * 3], [-1, 1])
        >>> whole = Pattern.of(chain)
        >>> core, stays = whole.remaining(np.array([True, True, False, False]))
        >>> core.n, sorted(whole.order[stays].tolist())
        (2, [0, 1])
        """
        stays = _awaited(wanted[self.order], self.l_start, self.l_row)
        entry = np.repeat(stays, np.diff(self.l_start))
        number = np.cumsum(stays) - 1
        count = np.diff(self.l_start)[stays]
        l_start, l_row = np.r_[0, np.cumsum(count)], number[self.l_row[entry]]
        off = np.ones(len(l_row), dtype=bool)
        off[l_start[:-1]] = False
        run_start, run = _runs(l_start, l_row)
        n = len(count)
        core = Pattern(
            order=np.arange(n),
            row_a=np.repeat(np.arange(n), count)[off],
            row_b=l_row[off],
            a_place=np.flatnonzero(off),
            l_start=l_start,
            l_row=l_row,
            run_start=run_start,
            run=run,
        )
        return core, stays

    def laid(self, diagonal: Floats, link: Floats) -> Floats:
        """The matrix with this diagonal and these link values, where the factor will stand."""
        value = np.zeros(len(self.l_row))
        value[self.l_start[:-1]] = diagonal[self.order]
        value[self.a_place] = link
        return value

    def multiply(self, diagonal: Floats, link: Floats, x: Floats) -> Floats:
        """The matrix with this diagonal and these link values, times x (n,)."""
        return _multiply(diagonal, link, self.row_a, self.row_b, x)


@dataclass(frozen=True)
class Factor:
    """L of A = L L', by columns, the diagonal first in each."""

    pattern: Pattern
    value: Floats

    @property
    def log_det(self) -> float:
        """log det A."""
        return float(2.0 * np.log(self.value[self.pattern.l_start[:-1]]).sum())

    def solve(self, right: Floats) -> Floats:
        """A^-1 right, (n,)."""
        p = self.pattern
        answer = np.empty(p.n)
        answer[p.order] = _solve(self.value, p.l_start, p.l_row, right[p.order])
        return answer

    def inverse_diagonal(self) -> Floats:
        """The diagonal of A^-1, (n,): the marginal variances under the precision A."""
        p = self.pattern
        answer = np.empty(p.n)
        answer[p.order] = self._inverse[p.l_start[:-1]]
        return answer

    def inverse_links(self) -> Floats:
        """A^-1 where reaches touch, (m,)."""
        return self._inverse[self.pattern.a_place]

    @cached_property
    def _inverse(self) -> Floats:
        """A^-1 where L holds something."""
        p = self.pattern
        return _takahashi(self.value, p.l_start, p.l_row, p.run_start, p.run)


def _lower(a: Ints, b: Ints, place: Ints) -> tuple[Ints, Ints, Ints]:
    """Links as lower rows, a row the later eliminated: begin of each row (n + 1,), columns, and which link each is (m,)."""
    late, early = np.maximum(place[a], place[b]), np.minimum(place[a], place[b])
    sort = np.lexsort([early, late])
    return np.searchsorted(late[sort], np.arange(len(place) + 1)).astype(np.int64), early[sort], sort


@njit(cache=True, nogil=True)
def _postorder(parent: Ints) -> Ints:
    """Place of every column when a column comes right after those whose elimination it waits for: the factor is as full,
    and what is worked on together lies together."""
    n = len(parent)
    child, sibling = np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    for j in range(n - 1, -1, -1):
        if parent[j] >= 0:
            sibling[j] = child[parent[j]]
            child[parent[j]] = j
    place, stack, done = np.empty(n, np.int64), np.empty(n, np.int64), 0
    for root in range(n):
        if parent[root] >= 0:
            continue
        top = 0
        stack[0] = root
        while top >= 0:
            j = stack[top]
            if child[j] >= 0:
                top += 1
                stack[top] = child[j]
                child[j] = sibling[child[j]]
            else:
                place[j] = done
                done += 1
                top -= 1
    return place


@njit(cache=True, nogil=True)
def _awaited(wanted: NDArray[np.bool_], l_start: Ints, l_row: Ints) -> NDArray[np.bool_]:
    """Columns that are wanted, or whose elimination waits for one that is."""
    stays = wanted.copy()
    for j in range(len(wanted)):
        if stays[j] and l_start[j + 1] > l_start[j] + 1:
            stays[l_row[l_start[j] + 1]] = True  # its parent in the elimination tree
    return stays


@njit(cache=True, nogil=True)
def _elimination_tree(n: int, start: Ints, column: Ints) -> Ints:
    """Parent of every column in the elimination tree, -1 for roots (Liu 1990, SIAM J. Matrix Anal. 11:134-172)."""
    parent = np.full(n, -1, np.int64)
    ancestor = np.full(n, -1, np.int64)
    for row in range(n):
        for at in range(start[row], start[row + 1]):
            i = column[at]
            while i != -1 and i < row:
                following = ancestor[i]
                ancestor[i] = row
                if following == -1:
                    parent[i] = row
                i = following
    return parent


@njit(cache=True, nogil=True)
def _row_patterns(n: int, start: Ints, column: Ints, parent: Ints) -> tuple[Ints, Ints]:
    """Columns left of the diagonal in every row of L, ascending: the paths in the tree from the entries of A to the
    row's own column."""
    mark = np.full(n, -1, np.int64)
    count = np.zeros(n + 1, np.int64)
    for row in range(n):
        mark[row] = row
        for at in range(start[row], start[row + 1]):
            i = column[at]
            while mark[i] != row:
                mark[i] = row
                count[row + 1] += 1
                i = parent[i]
    begin = np.cumsum(count)
    found = np.empty(begin[n], np.int64)
    mark[:] = -1
    for row in range(n):
        mark[row] = row
        fill = begin[row]
        for at in range(start[row], start[row + 1]):
            i = column[at]
            while mark[i] != row:
                mark[i] = row
                found[fill] = i
                fill += 1
                i = parent[i]
        found[begin[row] : fill].sort()
    return begin, found


@njit(cache=True, nogil=True)
def _columns(n: int, row_start: Ints, row_column: Ints) -> tuple[Ints, Ints]:
    """The pattern of L by columns, the diagonal first, rows ascending."""
    start = np.zeros(n + 1, np.int64)
    for column in row_column:
        start[column + 1] += 1
    for j in range(n):
        start[j + 1] += start[j] + 1
    row_of = np.empty(start[n], np.int64)
    fill = start[:-1].copy()
    for row in range(n):
        row_of[fill[row]] = row
        fill[row] += 1
        for at in range(row_start[row], row_start[row + 1]):
            j = row_column[at]
            row_of[fill[j]] = row
            fill[j] += 1
    return start, row_of


@njit(cache=True, nogil=True)
def _runs(l_start: Ints, l_row: Ints) -> tuple[Ints, NDArray[np.int32]]:
    """`run_start` and `run` of a `Pattern`."""
    start, run = np.zeros(len(l_row) + 1, np.int64), np.empty((0, 2), np.int32)
    for filling in (False, True):
        found = 0
        for j in range(len(l_start) - 1):
            end = l_start[j + 1]
            for p in range(l_start[j], end):
                start[p] = found
                at, before = l_start[l_row[p]], -1
                for q in range(p + 1, end if p > l_start[j] else p):
                    at += 1
                    while l_row[at] != l_row[q]:
                        at += 1
                    if filling and at != before + 1:
                        run[found] = at, 0
                    found += at != before + 1
                    if filling:
                        run[found - 1, 1] += 1
                    before = at
        start[len(l_row)] = found
        if not filling:
            run = np.empty((found, 2), np.int32)
    return start, run


@njit(cache=True, nogil=True)
def _multiply(diagonal: Floats, link: Floats, row_a: Ints, row_b: Ints, x: Floats) -> Floats:
    answer = diagonal * x
    for m in range(len(link)):
        answer[row_a[m]] += link[m] * x[row_b[m]]
        answer[row_b[m]] += link[m] * x[row_a[m]]
    return answer


@njit(cache=True, nogil=True)
def _cholesky(value: Floats, columns: Ints, l_start: Ints, l_row: Ints, run_start: Ints, run: NDArray[np.int32]) -> int:
    """Turns a matrix laid where L will stand into L, column by column (right-looking; Davis 2006, Direct Methods for
    Sparse Linear Systems, section 4.9). The column at which it turned out not positive definite, or -1."""
    for j in columns:
        first, end = l_start[j], l_start[j + 1]
        if not value[first] > 0.0:
            return j
        root = np.sqrt(value[first])
        value[first] = root
        for p in range(first + 1, end):
            value[p] /= root
        for p in range(first + 1, end):
            entry, q = value[p], p + 1
            value[l_start[l_row[p]]] -= entry * entry
            for r in range(run_start[p], run_start[p + 1]):
                at = run[r, 0]
                for step in range(run[r, 1]):
                    value[at + step] -= entry * value[q + step]
                q += run[r, 1]
    return -1


@njit(cache=True, nogil=True)
def _cholesky_abreast(
    value: Floats, columns: Ints, l_start: Ints, l_row: Ints, run_start: Ints, run: NDArray[np.int32]
) -> int:
    """`_cholesky` of `ABREAST` matrices, value (l, ABREAST): the same to the last bit."""
    root = np.empty(ABREAST)
    for j in columns:
        first, end = l_start[j], l_start[j + 1]
        for c in range(ABREAST):
            if not value[first, c] > 0.0:
                return j
            value[first, c] = root[c] = np.sqrt(value[first, c])
        for p in range(first + 1, end):
            for c in range(ABREAST):
                value[p, c] /= root[c]
        for p in range(first + 1, end):
            q, own = p + 1, l_start[l_row[p]]
            for c in range(ABREAST):
                value[own, c] -= value[p, c] * value[p, c]
            for r in range(run_start[p], run_start[p + 1]):
                at = run[r, 0]
                for step in range(run[r, 1]):
                    for c in range(ABREAST):
                        value[at + step, c] -= value[p, c] * value[q + step, c]
                q += run[r, 1]
    return -1


@njit(cache=True, nogil=True)
def _solve(value: Floats, l_start: Ints, l_row: Ints, right: Floats) -> Floats:
    n = len(right)
    x = right.copy()
    for j in range(n):
        x[j] /= value[l_start[j]]
        for p in range(l_start[j] + 1, l_start[j + 1]):
            x[l_row[p]] -= value[p] * x[j]
    for j in range(n - 1, -1, -1):
        for p in range(l_start[j] + 1, l_start[j + 1]):
            x[j] -= value[p] * x[l_row[p]]
        x[j] /= value[l_start[j]]
    return x


@njit(cache=True, nogil=True)
def _takahashi(value: Floats, l_start: Ints, l_row: Ints, run_start: Ints, run: NDArray[np.int32]) -> Floats:
    """The inverse Z on the pattern of L."""
    n = len(l_start) - 1
    z = np.empty(len(value))
    longest = 0
    for j in range(n):
        longest = max(longest, l_start[j + 1] - l_start[j])
    sums = np.zeros(longest)
    for j in range(n - 1, -1, -1):
        first, end = l_start[j], l_start[j + 1]
        # sum_k L_kj Z_ki over the symmetric Z: each stored entry (i, k), i >= k, serves rows i and k
        for p in range(first + 1, end):
            sums[p - first] = value[p] * z[l_start[l_row[p]]]
        for p in range(first + 1, end - 1):
            entry, own, q = value[p], 0.0, p + 1
            for r in range(run_start[p], run_start[p + 1]):
                at = run[r, 0]
                for step in range(run[r, 1]):
                    known = z[at + step]
                    sums[q + step - first] += entry * known
                    own += value[q + step] * known
                q += run[r, 1]
            sums[p - first] += own
        d = 1.0 / value[first]
        total = 0.0
        for p in range(first + 1, end):
            z[p] = -sums[p - first] * d
            total += value[p] * z[p]
        z[first] = (d - total) * d
    return z
