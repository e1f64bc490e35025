"""Split: cut a giant tour into routes at least cost (Prins 2004; Vidal 2016 for the limited fleet)."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.genetic.individuals import empty_out
from solvers.kernels.genetic.layout import (
    CAPACITY,
    DEPOTS,
    EMPTY,
    END,
    FIXED,
    ITEM,
    LOAD,
    N_ABSENT,
    NODE,
    NODES,
    ORDER_AT,
    PER_DISTANCE,
    ROUTE,
    SLOTS,
    START,
)
from solvers.kernels.genetic.segments import base_of, dress, kind, leg, link, price, update
from solvers.kernels.jit import helper

BEYOND = 1.5  # a route that holds more than this share of the capacity is not considered


@helper
def cheapest_cuts(D: Any, P: Any, S: Any, Q: Any, W: Any, best: int, back: int, source: int) -> None:
    """One pass: W[best + j] becomes the least cost of serving the first j visits, W[back + j] its last cut.

    From W[source + i]; where source is another row, exactly one route is added.
    """
    n = P[NODES] - P[DEPOTS]
    base = base_of(P, 0)
    start, end = P[kind(P, 0) + START], P[kind(P, 0) + END]
    cap = P[kind(P, 0) + CAPACITY]
    for i in range(n):
        if W[source + i] > 1e29:
            continue
        x = S[S[ORDER_AT] + i]
        load = P[NODE * x + LOAD]
        dist = leg(D, P, base, start, x)
        j = i + 1
        while True:
            whole = dist + leg(D, P, base, x, end)
            cost = W[source + i] + float(P[kind(P, 0) + FIXED] + P[kind(P, 0) + PER_DISTANCE] * whole)
            cost += price(P, Q, 0, whole, load)
            if cost < W[best + j]:
                W[best + j] = cost
                W[back + j] = i
            if j == n:
                break
            y = S[S[ORDER_AT] + j]
            load += P[NODE * y + LOAD]
            if load > BEYOND * cap:
                break
            dist += leg(D, P, base, x, y)
            x = y
            j += 1


@helper
def split(D: Any, P: Any, S: Any, Q: Any, W: Any) -> float:
    """Make the solution of the giant tour at ORDER_AT; returns its cost. For one type and one load, no clocks.

    W is scratch of (2 SLOTS + 4) (n + 1) floats.
    """
    n = P[NODES] - P[DEPOTS]
    width = n + 1
    for j in range(width):
        W[j] = 1e30
    W[0] = 0.0
    cheapest_cuts(D, P, S, Q, W, 0, width, 0)
    routes, j = 0, n
    while j > 0:
        j = np.int64(W[width + j])
        routes += 1
    empty_out(P, S, Q)
    if routes <= P[SLOTS]:
        j = n
        while j > 0:
            i = np.int64(W[width + j])
            route_of_piece(D, P, S, Q, i, j)
            j = i
        return W[n]
    m = P[SLOTS]
    for j in range(width * (2 * m + 2)):
        W[j] = 1e30
    W[0] = 0.0
    for k in range(m):
        cheapest_cuts(D, P, S, Q, W, (2 * k + 2) * width, (2 * k + 3) * width, 2 * k * width)
    k = m
    for other in range(1, m):
        if W[2 * other * width + n] < W[2 * k * width + n]:
            k = other
    total = W[2 * k * width + n]
    j = n
    while k > 0 and total < 1e29:
        i = np.int64(W[(2 * k + 1) * width + j])
        route_of_piece(D, P, S, Q, i, j)
        j, k = i, k - 1
    return total


@helper
def route_of_piece(D: Any, P: Any, S: Any, Q: Any, i: int, j: int) -> None:
    """A new route of visits i to j - 1 of the giant tour."""
    r = S[EMPTY]
    a = P[NODES] + 2 * r
    dress(P, S, r, 0)
    prev = a
    for k in range(i, j):
        x = S[S[ORDER_AT] + k]
        S[ITEM * x + ROUTE] = r
        S[N_ABSENT] -= 1
        link(S, prev, x)
        prev = x
    link(S, prev, a + 1)
    update(D, P, S, Q, r)
