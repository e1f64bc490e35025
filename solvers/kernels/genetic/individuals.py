"""Individuals as rows of X and XF: written from the solution under local search, and loaded into it.

A row of X: header, visits route by route, where each route starts, the type of each, then successor and
predecessor of every node (0 for a depot, NOWHERE for absent visits). Routes stand in the order of their mean
direction from the depot. A row of XF: costs, with the prices that violations had when it was written.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from solvers.kernels.genetic.layout import (
    ANGLE,
    CAPACITY,
    DEPOTS,
    FIXED,
    ITEM,
    MAX_DISTANCE,
    MAX_DURATION,
    MIXED,
    N_ABSENT,
    NEXT,
    NO_PRIZE,
    NODE,
    NODES,
    NOWHERE,
    PER_DISTANCE,
    PER_TIME,
    PREV,
    PRIZE,
    Q_DISTANCE,
    Q_DURATION,
    Q_LOAD,
    Q_WARP,
    R_DIST,
    R_HUB,
    R_KIND,
    R_LOAD,
    R_OVER,
    R_SIZE,
    R_SPENT,
    R_WARP,
    ROUTE,
    ROUTES_AT,
    SLOTS,
    TIMED,
    TURN,
)
from solvers.kernels.genetic.segments import clear, dress, excess, kind, link, route, update
from solvers.kernels.jit import helper, inlined

# --- X: header
(
    X_WIDTH,  # words of a row
    X_ROWS,
    FEASIBLES,
    INFEASIBLES,
    FEASIBLE_AT,  # rows of the feasible ones, best first
    INFEASIBLE_AT,
    FREE_AT,
    N_FREE,
    MINIMUM,
    OFFSPRING,
    ELITE,
    CLOSE,
    PENDING,  # individuals still to be made from nothing
    SINCE,  # generations since the last new best
    GENERATION,
    RESTARTS,
    TALLY,  # of the last local searches: how many, and how many kept to capacity, clock, distance, duration
    TALLY_LOAD,
    TALLY_WARP,
    TALLY_DISTANCE,
    TALLY_DURATION,
    SCRATCH_AT,
    HAS_BEST,
) = range(23)
X_HEAD = 32

# --- X: words of a row
N_ROUTES, N_SEQUENCE, FEASIBLE, _SPARE, SEQUENCE = range(5)

# --- XF: row words
COST, BASE_COST, LOAD_PRICE, WARP_PRICE, DISTANCE_PRICE, DURATION_PRICE, FITNESS, AWAY = range(8)
F_WIDTH = 8

BEST_ROW, CHILD, FIRST_ROW = 0, 1, 3


@inlined
def row_of(X: Any, i: int) -> int:
    return X_HEAD + X[X_WIDTH] * i


@inlined
def starts_at(P: Any) -> int:
    return SEQUENCE + P[NODES]


@inlined
def kinds_at(P: Any) -> int:
    return SEQUENCE + P[NODES] + P[SLOTS] + 1


@inlined
def links_at(P: Any) -> int:
    return SEQUENCE + P[NODES] + 2 * P[SLOTS] + 1


def row_width(nodes: int, slots: int) -> int:
    return SEQUENCE + nodes + 2 * slots + 1 + 2 * nodes


@helper
def hub(P: Any, S: Any, r: int) -> None:
    """Mean direction of the visits of slot r."""
    x = S[ITEM * (P[NODES] + 2 * r) + NEXT]
    a = b = 0.0
    while x < P[NODES]:
        turn = P[NODE * x + ANGLE] * (2 * math.pi / TURN)
        a += math.cos(turn)
        b += math.sin(turn)
        x = S[ITEM * x + NEXT]
    S[route(S, r) + R_HUB] = np.int64(math.floor(math.atan2(b, a) / (2 * math.pi) * TURN)) % TURN


@helper
def write(D: Any, P: Any, S: Any, Q: Any, X: Any, XF: Any, i: int) -> None:
    """Write the solution into row i."""
    x0, f0 = row_of(X, i), F_WIDTH * i
    n, d = P[NODES], P[DEPOTS]
    at, used = S[ROUTES_AT], 0
    for r in range(P[SLOTS]):
        if S[route(S, r) + R_SIZE] > 0:
            hub(P, S, r)
            j = used
            while j > 0 and S[route(S, S[at + j - 1]) + R_HUB] > S[route(S, r) + R_HUB]:
                S[at + j] = S[at + j - 1]
                j -= 1
            S[at + j] = r
            used += 1
    links = x0 + links_at(P)
    base = load_price = warp_price = distance_price = duration_price = 0.0
    for x in range(d, n):
        if S[ITEM * x + ROUTE] < 0:
            X[links + x] = X[links + n + x] = NOWHERE
            if P[NODE * x + PRIZE] != NO_PRIZE:
                base += P[NODE * x + PRIZE]
    k, over = 0, np.int64(0)
    for m in range(used):
        r = S[at + m]
        row = route(S, r)
        t = S[row + R_KIND]
        X[x0 + starts_at(P) + m] = k
        X[x0 + kinds_at(P) + m] = t
        x, prev = S[ITEM * (n + 2 * r) + NEXT], np.int64(0)
        while x < n:
            X[x0 + SEQUENCE + k] = x
            k += 1
            following = S[ITEM * x + NEXT]
            X[links + x] = following if following < n else 0
            X[links + n + x] = prev
            prev, x = x, following
        base += P[kind(P, t) + FIXED] + P[kind(P, t) + PER_DISTANCE] * S[row + R_DIST]
        distance_price += Q[Q_DISTANCE] * max(0, S[row + R_DIST] - P[kind(P, t) + MAX_DISTANCE])
        if P[MIXED] == 1:
            end = n + 2 * r + 1
            load_price += excess(
                P, S, Q, t, S[ITEM * end + PREV], -1, -1, NEXT, -1, -1, NEXT, -1, -1, NEXT, end, True
            )
        else:
            load_price += Q[Q_LOAD] * max(0, S[row + R_LOAD] - P[kind(P, t) + CAPACITY])
        if P[TIMED] == 1:
            base += P[kind(P, t) + PER_TIME] * S[row + R_SPENT]
            warp_price += Q[Q_WARP] * S[row + R_WARP]
            duration_price += Q[Q_DURATION] * max(0, S[row + R_SPENT] - P[kind(P, t) + MAX_DURATION])
        over += S[row + R_OVER]
    X[x0 + starts_at(P) + used] = k
    X[x0 + N_ROUTES], X[x0 + N_SEQUENCE] = used, k
    missing = 0
    if k < n - d:
        for x in range(d, n):
            if S[ITEM * x + ROUTE] < 0 and P[NODE * x + PRIZE] == NO_PRIZE:
                missing += 1
    X[x0 + FEASIBLE] = 1 if over == 0 and missing == 0 else 0
    XF[f0 + BASE_COST], XF[f0 + LOAD_PRICE], XF[f0 + WARP_PRICE] = base, load_price, warp_price
    XF[f0 + DISTANCE_PRICE], XF[f0 + DURATION_PRICE] = distance_price, duration_price
    # a visit that must be served but is not: never wanted, so dearer than anything else
    XF[f0 + COST] = base + load_price + warp_price + distance_price + duration_price + 1e12 * missing


@helper
def load_route(D: Any, P: Any, S: Any, Q: Any, X: Any, i: int, m: int, r: int, t: int) -> None:
    """Put the visits of route m of row i that are on no route yet into empty slot r as type t."""
    x0 = row_of(X, i)
    a = P[NODES] + 2 * r
    dress(P, S, r, t)
    prev = a
    for k in range(X[x0 + starts_at(P) + m], X[x0 + starts_at(P) + m + 1]):
        x = X[x0 + SEQUENCE + k]
        if S[ITEM * x + ROUTE] < 0:
            S[ITEM * x + ROUTE] = r
            S[N_ABSENT] -= 1
            link(S, prev, x)
            prev = x
    link(S, prev, a + 1)
    update(D, P, S, Q, r)


@helper
def empty_out(P: Any, S: Any, Q: Any) -> None:
    clear(P, S, Q)
    S[N_ABSENT] = P[NODES] - P[DEPOTS]


@helper
def load_whole(D: Any, P: Any, S: Any, Q: Any, X: Any, i: int) -> None:
    """Make row i the solution under local search, with all stamps at zero."""
    empty_out(P, S, Q)
    for m in range(X[row_of(X, i) + N_ROUTES]):
        load_route(D, P, S, Q, X, i, m, m, X[row_of(X, i) + kinds_at(P) + m])


@helper
def copy_row(X: Any, XF: Any, a: int, b: int) -> None:
    """Row b becomes row a."""
    for k in range(X[X_WIDTH]):
        X[row_of(X, b) + k] = X[row_of(X, a) + k]
    for k in range(F_WIDTH):
        XF[F_WIDTH * b + k] = XF[F_WIDTH * a + k]


@helper
def broken_pairs(P: Any, X: Any, i: int, j: int) -> float:
    """Share of visits whose neighbours in row i are not neighbours in row j (Prins 2009)."""
    n, d = P[NODES], P[DEPOTS]
    a, b = row_of(X, i) + links_at(P), row_of(X, j) + links_at(P)
    apart = 0
    for x in range(d, n):
        s, p, s2, p2 = X[a + x], X[a + n + x], X[b + x], X[b + n + x]
        if s != s2 and s != p2:
            apart += 1
        if p == 0 and p2 != 0 and s2 != 0:
            apart += 1
    return apart / max(1, n - d)
