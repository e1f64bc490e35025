"""Local search to the first optimum: all moves over near pairs, in random order, until none improves."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.genetic.absent import reconsider
from solvers.kernels.genetic.layout import (
    A_OK,
    ALIKE,
    COUNT,
    DEPOTS,
    EMPTY,
    FIXED,
    ITEM,
    KINDS,
    MASKED,
    MOVES,
    NEAR_AT,
    NEXT,
    NO_PRIZE,
    NODE,
    NODES,
    OPTIONAL,
    ORDER_AT,
    PER_DISTANCE,
    PREV,
    PRIZE,
    R_DIST,
    R_KIND,
    R_LOAD,
    R_MODIFIED,
    R_SIZE,
    ROUTE,
    SLOTS,
    TAKEN_AT,
    TESTED,
)
from solvers.kernels.genetic.moves import EPS, improve_pair
from solvers.kernels.genetic.segments import (
    allows,
    cost_of,
    dress,
    kind,
    rand_below,
    route,
    set_kind,
    slack_of,
)
from solvers.kernels.genetic.swap_star import swap_star
from solvers.kernels.jit import helper


@helper
def shuffle(P: Any, S: Any) -> None:
    """A random order of the visits at ORDER_AT."""
    at, d, n = S[ORDER_AT], P[DEPOTS], P[NODES] - P[DEPOTS]
    for k in range(n):
        S[at + k] = d + k
    for k in range(n - 1, 0, -1):
        j = rand_below(S, k + 1)
        S[at + k], S[at + j] = S[at + j], S[at + k]


@helper
def local_search(D: Any, P: Any, S: Any, Q: Any, longest: int, star: bool) -> None:
    """Improve the solution until no move does. Pairs whose stamps say that nothing changed are passed over.

    `longest` is the most visits that move at once (1 to 3); `star` turns SWAP* on.
    """
    shuffle(P, S)
    n = P[NODES] - P[DEPOTS]
    first = True
    while True:
        before = S[MOVES]
        for k in range(n):
            u = S[S[ORDER_AT] + k]
            last = S[ITEM * u + TESTED]
            S[ITEM * u + TESTED] = S[MOVES]
            if P[OPTIONAL] == 1 and P[NODE * u + PRIZE] != NO_PRIZE:
                reconsider(D, P, S, Q, u, last)
            if S[ITEM * u + ROUTE] >= 0:
                around(D, P, S, Q, u, last, longest)
                if not first:
                    alone(D, P, S, Q, u, last, longest)
        if P[KINDS] > 1:
            retype_all(D, P, S, Q, before)
        if star and S[MOVES] == before:
            swap_star(D, P, S, Q)
        if S[MOVES] == before and not first:
            return
        first = False


@helper
def around(D: Any, P: Any, S: Any, Q: Any, u: int, last: int, longest: int) -> None:
    """Moves between visit u and its neighbours."""
    for k in range(P[P[NEAR_AT] + u], P[P[NEAR_AT] + u + 1]):
        v = P[k]
        rv = S[ITEM * v + ROUTE]
        if rv < 0:
            continue
        stamp = S[route(S, S[ITEM * u + ROUTE]) + R_MODIFIED]
        if stamp <= last and S[route(S, rv) + R_MODIFIED] <= last:
            continue
        if improve_pair(D, P, S, Q, u, v, longest):
            continue
        p = S[ITEM * v + PREV]
        if p >= P[NODES]:
            improve_pair(D, P, S, Q, u, p, longest)


@helper
def alone(D: Any, P: Any, S: Any, Q: Any, u: int, last: int, longest: int) -> None:
    """Moves between visit u and a route without visits, of each type that is left."""
    if S[route(S, S[ITEM * u + ROUTE]) + R_MODIFIED] <= last:
        return
    for t in range(P[KINDS]):
        e = S[EMPTY]
        if e < 0:
            return
        if S[S[TAKEN_AT] + t] < P[kind(P, t) + COUNT]:
            dress(P, S, e, t)
            if improve_pair(D, P, S, Q, u, P[NODES] + 2 * e, longest):
                return


@helper
def cost_as(D: Any, P: Any, S: Any, Q: Any, r: int, t: int) -> float:
    """Cost of slot r if it were of type t, where types differ in nothing that changes how it runs."""
    row, end = route(S, r), P[NODES] + 2 * r + 1
    slack = slack_of(D, P, S, Q, t, S[ITEM * end + PREV], -1, -1, NEXT, -1, -1, NEXT, -1, -1, NEXT, end,
                     S[row + R_DIST], S[row + R_LOAD])  # fmt: skip
    return float(P[kind(P, t) + FIXED] + P[kind(P, t) + PER_DISTANCE] * S[row + R_DIST]) + slack


@helper
def may_be(P: Any, S: Any, r: int, t: int) -> bool:
    """Whether all visits of slot r may be served by type t."""
    if P[MASKED] == 0:
        return True
    x = S[ITEM * (P[NODES] + 2 * r + 1) + PREV]
    return allows(P, S[ITEM * x + A_OK], t)


@helper
def retype_all(D: Any, P: Any, S: Any, Q: Any, since: int) -> None:
    """Give changed routes cheaper types that are left; let two routes exchange their types."""
    for r in range(P[SLOTS]):
        row = route(S, r)
        if S[row + R_SIZE] == 0 or S[row + R_MODIFIED] < since:
            continue
        own = S[row + R_KIND]
        best, best_cost = own, cost_of(P, S, Q, r) - EPS
        for t in range(P[KINDS]):
            if t == own or S[S[TAKEN_AT] + t] >= P[kind(P, t) + COUNT] or not may_be(P, S, r, t):
                continue
            if P[ALIKE] == 1:
                cost = cost_as(D, P, S, Q, r, t)
            else:
                stamp = S[row + R_MODIFIED]
                set_kind(D, P, S, Q, r, t)
                cost = cost_of(P, S, Q, r)
                set_kind(D, P, S, Q, r, own)
                S[row + R_MODIFIED] = stamp
            if cost < best_cost:
                best, best_cost = t, cost
        if best != own:
            S[MOVES] += 1
            set_kind(D, P, S, Q, r, best)
        if P[ALIKE] == 1:
            trade_type(D, P, S, Q, r)


@helper
def trade_type(D: Any, P: Any, S: Any, Q: Any, r: int) -> None:
    """Let slot r exchange its type with the slot where that gains most."""
    own, cost = S[route(S, r) + R_KIND], cost_of(P, S, Q, r)
    best, with_slot = -EPS, np.int64(-1)
    for o in range(P[SLOTS]):
        t = S[route(S, o) + R_KIND]
        if S[route(S, o) + R_SIZE] == 0 or t == own or not may_be(P, S, r, t) or not may_be(P, S, o, own):
            continue
        change = cost_as(D, P, S, Q, r, t) + cost_as(D, P, S, Q, o, own) - cost - cost_of(P, S, Q, o)
        if change < best:
            best, with_slot = change, o
    if with_slot >= 0:
        t = S[route(S, with_slot) + R_KIND]
        S[MOVES] += 1
        set_kind(D, P, S, Q, r, t)
        set_kind(D, P, S, Q, with_slot, own)
