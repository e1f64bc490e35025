"""Crossovers: ordered (OX, then split) and selective route exchange (SREX). Children become the solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.genetic.absent import NEVER, insert
from solvers.kernels.genetic.individuals import (
    N_ROUTES,
    SCRATCH_AT,
    SEQUENCE,
    empty_out,
    kinds_at,
    load_route,
    row_of,
    starts_at,
)
from solvers.kernels.genetic.layout import (
    BARRED,
    COUNT,
    DEPOTS,
    EMPTY,
    ITEM,
    KINDS,
    MASK,
    MASKED,
    MOVES,
    N_ABSENT,
    NO_PRIZE,
    NODE,
    NODES,
    ORDER_AT,
    PRIZE,
    RANDOM,
    ROUTE,
    SLOTS,
    TAKEN_AT,
)
from solvers.kernels.genetic.search import shuffle
from solvers.kernels.genetic.segments import allows, cost_of, kind, leg, rand_below, stamp_tests
from solvers.kernels.genetic.split import split
from solvers.kernels.jit import helper


@helper
def complete(D: Any, P: Any, S: Any, Q: Any) -> None:
    """Put all absent visits where they cost least, in random order; optional ones only where that pays.

    Those that cannot come first in a route wait for the others.
    """
    if S[N_ABSENT] == 0:
        return
    shuffle(P, S)
    for turn in range(2):
        for k in range(P[NODES] - P[DEPOTS]):
            x = S[S[ORDER_AT] + k]
            if S[ITEM * x + ROUTE] >= 0:
                continue
            if turn == 0 and P[BARRED] > 0 and leg(D, P, 0, 0, x) >= P[BARRED]:
                continue
            prize = P[NODE * x + PRIZE]
            insert(D, P, S, Q, x, NEVER if prize == NO_PRIZE else float(prize), prize == NO_PRIZE)
        if P[BARRED] == 0:
            return


@helper
def whole_cost(P: Any, S: Any, Q: Any) -> float:
    """Cost of the solution, violations and prizes lost included."""
    total = 0.0
    for r in range(P[SLOTS]):
        total += cost_of(P, S, Q, r)
    if S[N_ABSENT] > 0:
        for x in range(P[DEPOTS], P[NODES]):
            if S[ITEM * x + ROUTE] < 0:
                total += 1e12 if P[NODE * x + PRIZE] == NO_PRIZE else P[NODE * x + PRIZE]
    return total


@helper
def ordered(D: Any, P: Any, S: Any, Q: Any, X: Any, W: Any, i: int, j: int) -> None:
    """A piece of the giant tour of row i, then the visits of row j in its order; split into routes."""
    n = P[NODES] - P[DEPOTS]
    a, b, at, used = row_of(X, i) + SEQUENCE, row_of(X, j) + SEQUENCE, S[ORDER_AT], X[SCRATCH_AT]
    for x in range(P[NODES]):
        X[used + x] = 0
    start, end = rand_below(S, n), rand_below(S, n)
    while end == start and n > 1:
        end = rand_below(S, n)
    k = start
    while True:
        x = X[a + k]
        S[at + k] = x
        X[used + x] = 1
        if k == end:
            break
        k = (k + 1) % n
    put = (end + 1) % n
    for step in range(1, n + 1):
        x = X[b + (end + step) % n]
        if X[used + x] == 0:
            S[at + put] = x
            put = (put + 1) % n
    split(D, P, S, Q, W)
    stamp_tests(P, S, -1)


@helper
def free_kind(P: Any, S: Any, X: Any, i: int, m: int) -> int:
    """The type of route m of row i, or another that is left and may serve its visits, or -1."""
    x0 = row_of(X, i)
    own = X[x0 + kinds_at(P) + m]
    if S[S[TAKEN_AT] + own] < P[kind(P, own) + COUNT]:
        return own
    mask = np.int64(-1)
    if P[MASKED] == 1:
        for k in range(X[x0 + starts_at(P) + m], X[x0 + starts_at(P) + m + 1]):
            mask &= P[NODE * X[x0 + SEQUENCE + k] + MASK]
    for t in range(P[KINDS]):
        if S[S[TAKEN_AT] + t] < P[kind(P, t) + COUNT] and allows(P, mask, t):
            return t
    return np.int64(-1)


@helper
def take_routes(D: Any, P: Any, S: Any, Q: Any, X: Any, i: int, first: int, count: int, inside: bool) -> None:
    """Add routes of row i: the `count` from `first` on, round the end, or (`inside` False) the others."""
    total = X[row_of(X, i) + N_ROUTES]
    for m in range(total):
        if ((m - first) % total < count) == inside and S[EMPTY] >= 0:
            t = free_kind(P, S, X, i, m)
            if t >= 0:
                load_route(D, P, S, Q, X, i, m, S[EMPTY], t)


@helper
def assemble(D: Any, P: Any, S: Any, Q: Any, X: Any, i: int, j: int, a: int, b: int, ka: int, kb: int, keep: bool) -> None:  # fmt: skip # noqa: E501
    """Row i with its `ka` routes from a on replaced by the `kb` routes from b on of row j.

    Where both have a visit, the routes of row i keep it (`keep`), or those of row j.
    """
    empty_out(P, S, Q)
    if keep:
        take_routes(D, P, S, Q, X, i, a, ka, False)
        S[MOVES] = 1
        take_routes(D, P, S, Q, X, j, b, kb, True)
    else:
        S[MOVES] = 1
        take_routes(D, P, S, Q, X, j, b, kb, True)
        take_routes(D, P, S, Q, X, i, a, ka, False)
    S[MOVES] = 2
    complete(D, P, S, Q)


@helper
def selective(D: Any, P: Any, S: Any, Q: Any, X: Any, i: int, j: int, most: float) -> None:
    """Selective route exchange (Nagata and Bräysy 2010): up to `most` (share) of neighbouring routes of row i.

    The routes of row j are those that share most visits with them. Of the two ways to settle what both serve,
    the cheaper is taken.
    """
    na, nb = X[row_of(X, i) + N_ROUTES], X[row_of(X, j) + N_ROUTES]
    if na == 0 or nb == 0:
        empty_out(P, S, Q)
        complete(D, P, S, Q)
        stamp_tests(P, S, -1)
        return
    top = max(1, min(min(na, nb), np.int64(most * min(na, nb))))
    count = 1 + rand_below(S, top)
    a = rand_below(S, na)
    mark = X[SCRATCH_AT]
    for x in range(P[NODES]):
        X[mark + x] = 0
    x0, y0 = row_of(X, i), row_of(X, j)
    for m in range(count):
        r = (a + m) % na
        for k in range(X[x0 + starts_at(P) + r], X[x0 + starts_at(P) + r + 1]):
            X[mark + X[x0 + SEQUENCE + k]] = 1
    gain_at = mark + P[NODES]
    for r in range(nb):
        gain = 0
        for k in range(X[y0 + starts_at(P) + r], X[y0 + starts_at(P) + r + 1]):
            gain += 2 * X[mark + X[y0 + SEQUENCE + k]] - 1
        X[gain_at + r] = gain
    total = np.int64(0)
    for m in range(count):
        total += X[gain_at + m]
    best, b = total, np.int64(0)
    for first in range(1, nb):
        total += X[gain_at + (first + count - 1) % nb] - X[gain_at + first - 1]
        if total > best:
            best, b = total, first
    seed = S[RANDOM]
    assemble(D, P, S, Q, X, i, j, a, b, count, count, True)
    one = whole_cost(P, S, Q)
    assemble(D, P, S, Q, X, i, j, a, b, count, count, False)
    if one < whole_cost(P, S, Q):
        S[RANDOM] = seed
        assemble(D, P, S, Q, X, i, j, a, b, count, count, True)
    # only what differs from row i or j is worth the local search's time
    stamp_tests(P, S, 0)
