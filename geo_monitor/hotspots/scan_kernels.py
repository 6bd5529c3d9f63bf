"""Compiled search of the space-time scan: which zone and window has the highest likelihood ratio.

Nodes are the reaches with expected cases, 0..m-1. A *zone* is a set of nodes, a *window* a run of steps. Candidate zones
are the prefixes of *orders* (`ptr`, `node`, CSR): an order adds one node at a time, as a growing circle does.
Arrays in, arrays out; every kernel runs without the interpreter lock, so replicates run in threads.
"""

# numba compiles these bodies, so they are written as plain loops over scalars
from __future__ import annotations

import math

import numpy as np
from numba import njit

TIE = 1e-9  # relative; ratios closer than this are equal: sums of the same numbers in another order


@njit(cache=True, nogil=True)
def llr(c: float, e: float, total: float) -> float:
    """Log likelihood ratio of c cases where e of `total` are expected; 0 unless more than expected (Kulldorff 1997)."""
    if c <= e * (1.0 + TIE):
        return 0.0
    value = c * math.log(c / e)
    if c < total:
        value += (total - c) * math.log((total - c) / (total - e))
    return value


@njit(cache=True, nogil=True)
def balls(
    indptr: np.ndarray, indices: np.ndarray, weight: np.ndarray, limit: float, most: int
) -> tuple[np.ndarray, np.ndarray]:
    """Orders by links: from each node breadth first, while the weights (m,) sum to `limit` or less; `most` nodes.

    Every prefix is connected: a node comes after one it touches. Nodes heavier than `limit` are walls.
    """
    m = len(indptr) - 1
    ptr = np.zeros(m + 1, dtype=np.int64)
    node = np.empty(max(16, 8 * m), dtype=np.int32)
    seen = np.full(m, -1, dtype=np.int64)
    queue = np.empty(m, dtype=np.int32)
    size = 0
    for centre in range(m):
        head, tail = 0, 0
        if weight[centre] <= limit:
            queue[0] = centre
            seen[centre] = centre
            tail = 1
        total = 0.0
        while head < tail and head < most:
            i = queue[head]
            head += 1
            total += weight[i]
            if total > limit:
                break
            if size == len(node):
                longer = np.empty(2 * size, dtype=np.int32)
                longer[:size] = node
                node = longer
            node[size] = i
            size += 1
            for k in range(indptr[i], indptr[i + 1]):
                j = indices[k]
                if seen[j] != centre and weight[j] <= limit:
                    seen[j] = centre
                    queue[tail] = j
                    tail += 1
        ptr[centre + 1] = size
    return ptr, node[:size].copy()


@njit(cache=True, nogil=True)
def all_connected(
    indptr: np.ndarray, indices: np.ndarray, weight: np.ndarray, limit: float, most: int, room: int
) -> tuple[np.ndarray, np.ndarray]:
    """Every connected set of up to `most` nodes within `limit`, each once, as an order whose prefixes are connected.

    Enumeration without repeats by extension (Wernicke 2006, IEEE/ACM TCBB 3:347): a set grows from its smallest node
    by nodes larger than it that no earlier member touches. Empty where the sets together hold over `room` nodes.
    """
    m = len(indptr) - 1
    none = np.zeros(1, dtype=np.int64), np.empty(0, dtype=np.int32)
    if m > room:
        return none
    ptr = np.zeros(room + 1, dtype=np.int64)
    node = np.empty(room, dtype=np.int32)
    deepest = min(m, int(math.sqrt(2.0 * room)) + 1)  # a set of d nodes comes after its d - 1 prefixes
    sets, size = 0, 0
    state = np.zeros(m, dtype=np.int32)  # how often a node is a member or touches one
    member = np.empty(m, dtype=np.int32)
    todo = np.empty((deepest + 1, m), dtype=np.int32)  # nodes that may extend the set, a row a depth
    left = np.zeros(deepest + 1, dtype=np.int64)
    for root in range(m):
        if weight[root] > limit:
            continue
        depth = 0
        todo[0, 0] = root
        left[0] = 1
        total = 0.0
        state[root] += 1
        while depth >= 0:
            if left[depth] == 0:  # nothing more at this depth: take the last member back
                depth -= 1
                if depth >= 0:
                    v = member[depth]
                    total -= weight[v]
                    for k in range(indptr[v], indptr[v + 1]):
                        state[indices[k]] -= 1
                continue
            left[depth] -= 1
            v = todo[depth, left[depth]]
            if depth == most or total + weight[v] > limit:
                continue
            if size + depth + 1 > room:
                return none
            member[depth] = v
            total += weight[v]
            for k in range(depth + 1):
                node[size + k] = member[k]
            size += depth + 1
            sets += 1
            ptr[sets] = size
            count = left[depth]
            todo[depth + 1, :count] = todo[depth, :count]
            for k in range(indptr[v], indptr[v + 1]):
                j = indices[k]
                if state[j] == 0 and j > root:
                    todo[depth + 1, count] = j
                    count += 1
                state[j] += 1
            depth += 1
            left[depth] = count
        state[root] -= 1
    return ptr[: sets + 1].copy(), node[:size].copy()


@njit(cache=True, nogil=True)
def search(
    cases: np.ndarray, expected: np.ndarray, window: np.ndarray, ptr: np.ndarray, node: np.ndarray,
    indptr: np.ndarray, indices: np.ndarray, weight: np.ndarray, limit: float, most: int, starts: int, changes: int,
) -> tuple[float, int, np.ndarray]:  # fmt: skip
    """The best ratio, its window and its nodes (empty where nothing has more cases than expected).

    cases, expected: (t + 1, m) summed over steps from the first, so that a window's is a difference of two rows.
    The `starts` orders with the best prefix are each improved by up to `changes` steps of `climb`.
    """
    m = cases.shape[1]
    total = 0.0
    for i in range(m):
        total += cases[-1, i]
    orders = len(ptr) - 1
    top = np.zeros(orders)
    length = np.zeros(orders, dtype=np.int64)
    when = np.zeros(orders, dtype=np.int64)
    for w in range(len(window)):
        begin, end = window[w, 0], window[w, 1]
        c_of = cases[end] - cases[begin]
        e_of = expected[end] - expected[begin]
        for z in range(orders):
            c, e, best = 0.0, 0.0, top[z]
            for k in range(ptr[z], ptr[z + 1]):
                i = node[k]
                c += c_of[i]
                e += e_of[i]
                over = c - e
                # ratio <= total * chi-square (Kullback-Leibler <= chi-square): most zones need no logarithm
                if over > 0.0 and over * over * total > best * e * (total - e):
                    value = llr(c, e, total)
                    if value > best * (1.0 + TIE):
                        best = value
                        length[z] = k + 1 - ptr[z]
                        when[z] = w
            top[z] = best
    found, found_w = 0.0, 0
    found_nodes = np.empty(0, dtype=np.int64)
    for _ in range(min(max(starts, 1), orders)):
        z = int(np.argmax(top))
        if top[z] <= 0.0:
            break
        w = when[z]
        nodes = node[ptr[z] : ptr[z] + length[z]].astype(np.int64)
        value = top[z]
        top[z] = 0.0
        if starts > 0:
            c_of = cases[window[w, 1]] - cases[window[w, 0]]
            e_of = expected[window[w, 1]] - expected[window[w, 0]]
            value, nodes = climb(nodes, c_of, e_of, total, indptr, indices, weight, limit, most, changes)
        if value > found * (1.0 + TIE):
            found, found_w, found_nodes = value, w, nodes
    return found, found_w, found_nodes


@njit(cache=True, nogil=True)
def climb(
    nodes: np.ndarray, c_of: np.ndarray, e_of: np.ndarray, total: float, indptr: np.ndarray, indices: np.ndarray,
    weight: np.ndarray, limit: float, most: int, changes: int,
) -> tuple[float, np.ndarray]:  # fmt: skip
    """A connected zone made better by the best change at a time, `changes` at most: its ratio and its nodes.

    A change is a neighbour more, a neighbour and one behind it more (a quiet reach before a busy one), or a member
    less where the rest stays connected.
    """
    m = len(c_of)
    inside = np.zeros(m, dtype=np.bool_)
    c, e, load = 0.0, 0.0, 0.0
    count = len(nodes)
    for i in nodes:
        inside[i] = True
        c += c_of[i]
        e += e_of[i]
        load += weight[i]
    best = llr(c, e, total)
    member = np.empty(m, dtype=np.int64)
    member[:count] = nodes
    for _ in range(changes):
        pick, second, drop = -1, -1, -1
        goal = best * (1.0 + TIE)
        for a in range(count):
            i = member[a]
            for k in range(indptr[i], indptr[i + 1] if count < most else indptr[i]):
                j = indices[k]
                if inside[j] or load + weight[j] > limit:
                    continue
                value = llr(c + c_of[j], e + e_of[j], total)
                if value > goal:
                    goal, pick, second = value, j, -1
                for h in range(indptr[j], indptr[j + 1]):
                    b = indices[h]
                    if inside[b] or count + 2 > most or c_of[b] <= e_of[b] or load + weight[j] + weight[b] > limit:
                        continue
                    value = llr(c + c_of[j] + c_of[b], e + e_of[j] + e_of[b], total)
                    if value > goal:
                        goal, pick, second = value, j, b
        if count > 1:
            for a in range(count):
                i = member[a]
                value = llr(c - c_of[i], e - e_of[i], total)
                if value > goal and stays_connected(member, count, a, inside, indptr, indices):
                    goal, pick, drop = value, -1, a
        if drop >= 0:
            i = member[drop]
            inside[i] = False
            c -= c_of[i]
            e -= e_of[i]
            load -= weight[i]
            count -= 1
            member[drop] = member[count]
        elif pick >= 0:
            for j in (pick, second):
                if j >= 0:
                    inside[j] = True
                    c += c_of[j]
                    e += e_of[j]
                    load += weight[j]
                    member[count] = j
                    count += 1
        else:
            break
        best = goal
    return best, member[:count].copy()


@njit(cache=True, nogil=True)
def stays_connected(
    member: np.ndarray, count: int, leaving: int, inside: np.ndarray, indptr: np.ndarray, indices: np.ndarray
) -> bool:
    """Whether the members (the first `count`) stay one piece without member number `leaving`."""
    first = member[1] if leaving == 0 else member[0]
    queue = np.empty(count, dtype=np.int64)
    queue[0] = first
    inside[member[leaving]] = False  # members are taken out as they are met, and put back
    inside[first] = False
    head, tail = 0, 1
    while head < tail:
        i = queue[head]
        head += 1
        for k in range(indptr[i], indptr[i + 1]):
            j = indices[k]
            if inside[j]:
                inside[j] = False
                queue[tail] = j
                tail += 1
    for a in range(count):
        inside[member[a]] = True
    return tail == count - 1


@njit(cache=True, nogil=True)
def maxima(
    draws: np.ndarray, cell_step: np.ndarray, cell_node: np.ndarray, expected: np.ndarray, window: np.ndarray,
    ptr: np.ndarray, node: np.ndarray, indptr: np.ndarray, indices: np.ndarray, weight: np.ndarray, limit: float,
    most: int, starts: int, changes: int,
) -> np.ndarray:  # fmt: skip
    """The best ratio of each null replicate; draws (r, cells), cell k being step cell_step[k] of node cell_node[k]."""
    answer = np.zeros(len(draws))
    cases = np.zeros(expected.shape)
    for r in range(len(draws)):
        cases[:] = 0.0
        for k in range(draws.shape[1]):
            cases[cell_step[k] + 1, cell_node[k]] += draws[r, k]
        for t in range(1, len(cases)):
            cases[t] += cases[t - 1]
        answer[r] = search(cases, expected, window, ptr, node, indptr, indices, weight, limit, most, starts, changes)[0]
    return answer
