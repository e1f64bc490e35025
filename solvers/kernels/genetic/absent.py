"""Visits on no route: putting them in where they cost least, leaving optional ones out, exchanging them."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.genetic.layout import (
    COUNT,
    CUM,
    EMPTY,
    FIXED,
    ITEM,
    KINDS,
    LOAD,
    MASK,
    MASKED,
    MOVES,
    N_ABSENT,
    NEAR_AT,
    NEXT,
    NO_PRIZE,
    NODE,
    NODES,
    NOWHERE,
    PER_DISTANCE,
    PLACE,
    PREV,
    PRIZE,
    Q_SLACK,
    R_DIST,
    R_KIND,
    R_LOAD,
    R_MODIFIED,
    R_SIZE,
    ROUTE,
    SLOTS,
    TAKEN_AT,
)
from solvers.kernels.genetic.moves import EPS
from solvers.kernels.genetic.segments import allows, base_of, dress, kind, leg, link, route, slack_of, update
from solvers.kernels.jit import helper

NEVER = 1e300


@helper
def insertion(D: Any, P: Any, S: Any, Q: Any, u: int, v: int, bound: float) -> float:
    """Extra cost of absent visit u behind item v, or NEVER where it is not below `bound`."""
    r = S[ITEM * v + ROUTE]
    row = route(S, r)
    t = S[row + R_KIND]
    if P[MASKED] == 1 and not allows(P, P[NODE * u + MASK], t):
        return NEVER
    base, y = base_of(P, t), S[ITEM * v + NEXT]
    more = (
        leg(D, P, base, S[ITEM * v + PLACE], u)
        + leg(D, P, base, u, S[ITEM * y + PLACE])
        - (S[ITEM * y + CUM] - S[ITEM * v + CUM])
    )
    gain = float(P[kind(P, t) + PER_DISTANCE] * more)
    if S[row + R_SIZE] == 0:
        gain += P[kind(P, t) + FIXED]
    gain -= Q[Q_SLACK + r]
    if gain >= bound:
        return NEVER
    gain += slack_of(D, P, S, Q, t, v, u, u, NEXT, -1, -1, NEXT, -1, -1, NEXT, y,
                     S[row + R_DIST] + more, S[row + R_LOAD] + P[NODE * u + LOAD])  # fmt: skip
    return gain if gain < bound else NEVER


@helper
def put_behind(D: Any, P: Any, S: Any, Q: Any, u: int, v: int) -> None:
    y = S[ITEM * v + NEXT]
    link(S, v, u)
    link(S, u, y)
    S[MOVES] += 1
    S[N_ABSENT] -= 1
    update(D, P, S, Q, S[ITEM * v + ROUTE])


@helper
def take_away(D: Any, P: Any, S: Any, Q: Any, u: int) -> None:
    link(S, S[ITEM * u + PREV], S[ITEM * u + NEXT])
    S[MOVES] += 1
    S[N_ABSENT] += 1
    r = S[ITEM * u + ROUTE]
    S[ITEM * u + ROUTE] = NOWHERE
    update(D, P, S, Q, r)


@helper
def insert(D: Any, P: Any, S: Any, Q: Any, u: int, bound: float, thorough: bool) -> bool:
    """Put absent visit u where it costs least, next to near visits or on a new route, if below `bound`.

    `thorough` looks at every place where those offer none.
    """
    best, at, new_kind = bound, np.int64(-1), np.int64(-1)
    for k in range(P[P[NEAR_AT] + u], P[P[NEAR_AT] + u + 1]):
        v = P[k]
        if S[ITEM * v + ROUTE] < 0:
            continue
        cost = insertion(D, P, S, Q, u, v, best)
        if cost < best:
            best, at = cost, v
        p = S[ITEM * v + PREV]
        cost = insertion(D, P, S, Q, u, p, best)
        if cost < best:
            best, at = cost, p
    e = S[EMPTY]
    if e >= 0:
        for t in range(P[KINDS]):
            if S[S[TAKEN_AT] + t] < P[kind(P, t) + COUNT]:
                dress(P, S, e, t)
                cost = insertion(D, P, S, Q, u, P[NODES] + 2 * e, best)
                if cost < best:
                    best, at, new_kind = cost, P[NODES] + 2 * e, t
    if at < 0 and thorough:
        for r in range(P[SLOTS]):
            if S[route(S, r) + R_SIZE] == 0:
                continue
            v = P[NODES] + 2 * r
            while True:
                cost = insertion(D, P, S, Q, u, v, best)
                if cost < best:
                    best, at = cost, v
                v = S[ITEM * v + NEXT]
                if v >= P[NODES]:
                    break
    if at < 0:
        return False
    if at >= P[NODES] and S[route(S, S[ITEM * at + ROUTE]) + R_SIZE] == 0:
        dress(P, S, S[ITEM * at + ROUTE], new_kind)
    put_behind(D, P, S, Q, u, at)
    return True


@helper
def removal(D: Any, P: Any, S: Any, Q: Any, u: int) -> float:
    """Change of the routes' cost when visit u leaves its route."""
    r = S[ITEM * u + ROUTE]
    row = route(S, r)
    t = S[row + R_KIND]
    if S[row + R_SIZE] == 1:
        return -float(P[kind(P, t) + FIXED] + P[kind(P, t) + PER_DISTANCE] * S[row + R_DIST]) - Q[Q_SLACK + r]
    p, x = S[ITEM * u + PREV], S[ITEM * u + NEXT]
    more = leg(D, P, base_of(P, t), S[ITEM * p + PLACE], S[ITEM * x + PLACE]) - (
        S[ITEM * x + CUM] - S[ITEM * p + CUM]
    )
    new = slack_of(D, P, S, Q, t, p, -1, -1, NEXT, -1, -1, NEXT, -1, -1, NEXT, x,
                   S[row + R_DIST] + more, S[row + R_LOAD] - P[NODE * u + LOAD])  # fmt: skip
    return float(P[kind(P, t) + PER_DISTANCE] * more) + new - Q[Q_SLACK + r]


@helper
def replacement(D: Any, P: Any, S: Any, Q: Any, u: int, v: int) -> float:
    """Change of the routes' cost when absent visit u takes the place of v."""
    r = S[ITEM * v + ROUTE]
    row = route(S, r)
    t = S[row + R_KIND]
    if P[MASKED] == 1 and not allows(P, P[NODE * u + MASK], t):
        return NEVER
    base, p, x = base_of(P, t), S[ITEM * v + PREV], S[ITEM * v + NEXT]
    more = (
        leg(D, P, base, S[ITEM * p + PLACE], u)
        + leg(D, P, base, u, S[ITEM * x + PLACE])
        - (S[ITEM * x + CUM] - S[ITEM * p + CUM])
    )
    new = slack_of(
        D, P, S, Q, t, p, u, u, NEXT, -1, -1, NEXT, -1, -1, NEXT, x,
        S[row + R_DIST] + more, S[row + R_LOAD] + P[NODE * u + LOAD] - P[NODE * v + LOAD],
    )  # fmt: skip
    return float(P[kind(P, t) + PER_DISTANCE] * more) + new - Q[Q_SLACK + r]


@helper
def reconsider(D: Any, P: Any, S: Any, Q: Any, u: int, last: int) -> bool:
    """Serve optional visit u, serve it instead of a near one, or leave it out, if that improves.

    Only what changed since stamp `last` is looked at.
    """
    prize = float(P[NODE * u + PRIZE])
    if S[ITEM * u + ROUTE] >= 0:
        if S[route(S, S[ITEM * u + ROUTE]) + R_MODIFIED] > last and removal(D, P, S, Q, u) + prize < -EPS:
            take_away(D, P, S, Q, u)
            return True
        return False
    stale = False
    for k in range(P[P[NEAR_AT] + u], P[P[NEAR_AT] + u + 1]):
        r = S[ITEM * P[k] + ROUTE]
        if r >= 0 and S[route(S, r) + R_MODIFIED] > last:
            stale = True
            break
    if not stale:
        return False
    if insert(D, P, S, Q, u, prize - EPS, False):
        return True
    best, at = -EPS, np.int64(-1)
    for k in range(P[P[NEAR_AT] + u], P[P[NEAR_AT] + u + 1]):
        v = P[k]
        r = S[ITEM * v + ROUTE]
        if r < 0 or P[NODE * v + PRIZE] == NO_PRIZE or S[route(S, r) + R_MODIFIED] <= last:
            continue
        change = replacement(D, P, S, Q, u, v) - prize + P[NODE * v + PRIZE]
        if change < best:
            best, at = change, v
    if at < 0:
        return False
    p, x, r = S[ITEM * at + PREV], S[ITEM * at + NEXT], S[ITEM * at + ROUTE]
    S[ITEM * at + ROUTE] = NOWHERE
    link(S, p, u)
    link(S, u, x)
    S[MOVES] += 1
    update(D, P, S, Q, r)
    return True
