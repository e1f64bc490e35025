"""Quickest ways on a road graph by Dijkstra's algorithm with departure-dependent edges (Dreyfus 1969).

Edges are first-in-first-out (see `profile`), so settling each vertex once, at its earliest time, is exact.
A static graph is the case of one rate of 1 at all hours.

The graph is flat: the edges of vertex v are `first_edge[v]` up to `first_edge[v + 1]`; edge k leads to
`head[k]` over `metres[k]`, and takes `work[k]` at the hourly rates `rates[row[k]]`.

Places are two tables, one row each. A place on a vertex has one exit and one entry at no cost; a place within
an edge leaves by the end of the edge and is entered by its start, and likewise on the edge's twin:
`at` (p, 5) int32: exit vertex, second exit vertex, entry vertex, second entry vertex, edge; -1 where absent.
`cost` (p, 12) float64: work and metres of each exit and entry in that order, then work and metres from the
start of the edge to the place, and from the start of its twin (inf without twin).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

from logistics.roads.kernels.profile import elapsed

I32 = NDArray[np.int32]
F64 = NDArray[np.float64]


def search(
    first_edge: I32,
    head: I32,
    work: F64,
    metres: F64,
    row: I32,
    rates: F64,
    at: I32,
    cost: F64,
    wanted: NDArray[np.bool_],
    clock_s: float,
    slowdown: float,
) -> tuple[F64, F64, I32]:
    """Times, metres and the edge of arrival for every vertex settled, from one place (a row of `at`, `cost`).

    Ends when all `wanted` vertices (n,) are settled, or all that can be reached. Seconds are counted from
    the departure at `clock_s`; inf where not reached. Values of vertices not wanted may be upper bounds.
    """
    n = len(first_edge) - 1
    seconds, length, via = np.empty(n), np.empty(n), np.empty(n, dtype=np.int32)
    _search(
        first_edge, head, work, metres, row, rates, at, cost, wanted, clock_s, slowdown, seconds, length, via
    )
    return seconds, length, via


@numba.njit(cache=True)
def _search(
    first_edge: I32,
    head: I32,
    work: F64,
    metres: F64,
    row: I32,
    rates: F64,
    at: I32,
    cost: F64,
    wanted: NDArray[np.bool_],
    clock_s: float,
    slowdown: float,
    seconds: F64,
    length: F64,
    via: I32,
) -> None:
    seconds[:] = np.inf
    length[:] = np.inf
    via[:] = -1
    keys = np.empty(len(head) + 3)
    items = np.empty(len(head) + 3, dtype=np.int32)
    size = 0
    for k in range(2):
        v = at[k]
        if v >= 0 and cost[2 * k] * slowdown < seconds[v]:
            seconds[v] = cost[2 * k] * slowdown
            length[v] = cost[2 * k + 1]
            size = _push(keys, items, size, seconds[v], v)
    missing = wanted.sum()
    while size > 0 and missing > 0:
        key = keys[0]
        u = items[0]
        size = _pop(keys, items, size)
        if key > seconds[u]:
            continue
        if wanted[u]:
            missing -= 1
        for e in range(first_edge[u], first_edge[u + 1]):
            v = head[e]
            if seconds[v] <= key:
                continue
            reached = key + elapsed(clock_s + key, work[e] * slowdown, rates[row[e]])
            if reached < seconds[v]:
                seconds[v] = reached
                length[v] = length[u] + metres[e]
                via[v] = e
                size = _push(keys, items, size, reached, v)


def between(
    first_edge: I32,
    head: I32,
    work: F64,
    metres: F64,
    row: I32,
    rates: F64,
    from_at: I32,
    from_cost: F64,
    to_at: I32,
    to_cost: F64,
    clock_s: float,
    slowdown: float,
) -> tuple[F64, F64]:
    """Seconds and metres (n, k) from each of n places to each of k, all leaving at `clock_s`.

    Costs within an edge are taken as they stand, whatever the hour: such places are for graphs whose rates
    are all 1. inf where there is no way.
    """
    total = np.full((len(from_at), len(to_at)), np.inf)
    length = np.full((len(from_at), len(to_at)), np.inf)
    _between(
        first_edge,
        head,
        work,
        metres,
        row,
        rates,
        from_at,
        from_cost,
        to_at,
        to_cost,
        clock_s,
        slowdown,
        total,
        length,
    )
    return total, length


@numba.njit(cache=True)
def _between(
    first_edge: I32,
    head: I32,
    work: F64,
    metres: F64,
    row: I32,
    rates: F64,
    from_at: I32,
    from_cost: F64,
    to_at: I32,
    to_cost: F64,
    clock_s: float,
    slowdown: float,
    total: F64,
    length: F64,
) -> None:
    origins = len(from_at)
    targets = len(to_at)
    n = len(first_edge) - 1
    seconds, way, via = np.empty(n), np.empty(n), np.empty(n, dtype=np.int32)
    wanted = np.zeros(n, dtype=np.bool_)
    for j in range(targets):
        for k in range(2, 4):
            if to_at[j, k] >= 0:
                wanted[to_at[j, k]] = True
    for i in range(origins):
        _search(
            first_edge,
            head,
            work,
            metres,
            row,
            rates,
            from_at[i],
            from_cost[i],
            wanted,
            clock_s,
            slowdown,
            seconds,
            way,
            via,
        )
        for j in range(targets):
            for k in range(2, 4):
                v = to_at[j, k]
                if v >= 0 and seconds[v] + to_cost[j, 2 * k] * slowdown < total[i, j]:
                    total[i, j] = seconds[v] + to_cost[j, 2 * k] * slowdown
                    length[i, j] = way[v] + to_cost[j, 2 * k + 1]
            if from_at[i, 4] >= 0 and from_at[i, 4] == to_at[j, 4]:
                for c in (8, 10):  # along the edge itself, then along its twin
                    ahead = to_cost[j, c] - from_cost[i, c]
                    if ahead >= 0.0 and ahead * slowdown < total[i, j]:
                        total[i, j] = ahead * slowdown
                        length[i, j] = to_cost[j, c + 1] - from_cost[i, c + 1]


@numba.njit(cache=True)
def _push(keys: F64, items: I32, size: int, key: float, item: int) -> int:
    k = size
    while k > 0:
        parent = (k - 1) >> 1
        if keys[parent] <= key:
            break
        keys[k] = keys[parent]
        items[k] = items[parent]
        k = parent
    keys[k] = key
    items[k] = item
    return size + 1


@numba.njit(cache=True)
def _pop(keys: F64, items: I32, size: int) -> int:
    size -= 1
    key = keys[size]
    item = items[size]
    k = 0
    while True:
        child = 2 * k + 1
        if child >= size:
            break
        if child + 1 < size and keys[child + 1] < keys[child]:
            child += 1
        if keys[child] >= key:
            break
        keys[k] = keys[child]
        items[k] = items[child]
        k = child
    keys[k] = key
    items[k] = item
    return size
