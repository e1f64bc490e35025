"""SWAP*: two visits of different routes change routes, each going to its best place there.

Vidal (2022), "Hybrid genetic search for the CVRP: open-source implementation and SWAP* neighborhood". Of each
visit the three cheapest places in the other route are kept: one of them does not touch the visit that leaves,
unless the best place is the one that it leaves. Only routes whose sectors overlap are looked at. Clocks and
several loads are judged exactly for the best candidate only.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.genetic.layout import (
    ANGLE,
    BEST3_AT,
    CAPACITY,
    CUM,
    DROP_AT,
    ITEM,
    LOAD,
    MASK,
    MASKED,
    MIXED,
    MOVES,
    NEXT,
    NODE,
    NODES,
    PER_DISTANCE,
    PLACE,
    PREV,
    Q_LOAD,
    Q_SLACK,
    R_DIST,
    R_HIGH,
    R_KIND,
    R_LOAD,
    R_LOW,
    R_MODIFIED,
    R_SIZE,
    R_SWAPPED,
    ROUTES_AT,
    SLOTS,
    SYMMETRIC,
    TIMED,
    TURN,
)
from solvers.kernels.genetic.moves import EPS
from solvers.kernels.genetic.segments import (
    allows,
    base_of,
    cost_of,
    kind,
    leg,
    link,
    rand_below,
    route,
    slack_of,
    update,
)
from solvers.kernels.jit import helper, inlined

FAR = np.int64(2**60)


@helper
def sector(P: Any, S: Any, r: int) -> None:
    """The smallest sector, seen from the depot, that grows around the visits of slot r one by one."""
    x = S[ITEM * (P[NODES] + 2 * r) + NEXT]
    low = high = P[NODE * x + ANGLE]
    x = S[ITEM * x + NEXT]
    while x < P[NODES]:
        a = P[NODE * x + ANGLE]
        if (a - low) % TURN > (high - low) % TURN:
            if (a - high) % TURN <= (low - a) % TURN:
                high = a
            else:
                low = a
        x = S[ITEM * x + NEXT]
    S[route(S, r) + R_LOW], S[route(S, r) + R_HIGH] = low, high


@inlined
def overlap(S: Any, a: int, b: int) -> bool:
    """Whether the sectors of route rows a and b meet."""
    return (S[b + R_LOW] - S[a + R_LOW]) % TURN <= (S[a + R_HIGH] - S[a + R_LOW]) % TURN or (
        S[a + R_LOW] - S[b + R_LOW]
    ) % TURN <= (S[b + R_HIGH] - S[b + R_LOW]) % TURN


@helper
def swap_star(D: Any, P: Any, S: Any, Q: Any) -> None:
    """Try every pair of overlapping routes of which one changed since it was last tried."""
    at, used = S[ROUTES_AT], 0
    for r in range(P[SLOTS]):
        if S[route(S, r) + R_SIZE] > 0:
            S[at + used] = r
            used += 1
            if S[route(S, r) + R_MODIFIED] > S[route(S, r) + R_SWAPPED]:
                sector(P, S, r)
    for k in range(used - 1, 0, -1):
        j = rand_below(S, k + 1)
        S[at + k], S[at + j] = S[at + j], S[at + k]
    for i in range(used):
        u = S[at + i]
        row = route(S, u)
        last = S[row + R_SWAPPED]
        S[row + R_SWAPPED] = S[MOVES]
        for j in range(used):
            v = S[at + j]
            other = route(S, v)
            if u >= v or S[row + R_SIZE] == 0 or S[other + R_SIZE] == 0:
                continue
            if max(S[row + R_MODIFIED], S[other + R_MODIFIED]) > last and overlap(S, row, other):
                swap_between(D, P, S, Q, u, v)


@helper
def three_best(D: Any, P: Any, S: Any, Q: Any, ru: int, rv: int) -> None:
    """For every visit of ru: what its removal saves, and its three cheapest places in rv, unless forbidden."""
    base, t = base_of(P, S[route(S, rv) + R_KIND]), S[route(S, rv) + R_KIND]
    x = S[ITEM * (P[NODES] + 2 * ru) + NEXT]
    cap = P[kind(P, t) + CAPACITY]
    while x < P[NODES]:
        p, y = S[ITEM * x + PREV], S[ITEM * x + NEXT]
        own = base_of(P, S[route(S, ru) + R_KIND])
        S[S[DROP_AT] + x] = leg(D, P, own, S[ITEM * p + PLACE], S[ITEM * y + PLACE]) - (
            S[ITEM * y + CUM] - S[ITEM * p + CUM]
        )
        c0 = c1 = c2 = FAR
        p0 = p1 = p2 = np.int64(-1)
        if P[MASKED] == 0 or allows(P, P[NODE * x + MASK], t):
            v = P[NODES] + 2 * rv
            end = v + 1
            into = np.int64(D[base + S[ITEM * v + PLACE] * P[NODES] + x])
            while v != end:
                w = S[ITEM * v + NEXT]
                place = S[ITEM * w + PLACE]
                onto = leg(D, P, base, x, place)
                cost = into + onto - (S[ITEM * w + CUM] - S[ITEM * v + CUM])
                if P[TIMED] == 1 and cost < c2:
                    more = slack_of(D, P, S, Q, t, v, x, x, NEXT, -1, -1, NEXT, -1, -1, NEXT, w,
                                    S[route(S, rv) + R_DIST] + cost, cap) - Q[Q_SLACK + rv]  # fmt: skip
                    if more > 0.0:
                        cost += np.int64(min(more / max(1, P[kind(P, t) + PER_DISTANCE]), 1e15))
                if cost < c2:
                    if cost < c0:
                        c2, p2, c1, p1, c0, p0 = c1, p1, c0, p0, cost, v
                    elif cost < c1:
                        c2, p2, c1, p1 = c1, p1, cost, v
                    else:
                        c2, p2 = cost, v
                into = onto if P[SYMMETRIC] == 1 else leg(D, P, base, place, x)
                v = w
        at = S[BEST3_AT] + 6 * x
        S[at], S[at + 1], S[at + 2], S[at + 3], S[at + 4], S[at + 5] = c0, p0, c1, p1, c2, p2
        x = y


@inlined
def place_without(D: Any, P: Any, S: Any, base: int, x: int, v: int) -> Any:
    """(extra distance, item to follow) of visit x in the route of v once v has left; -1 is v's own place."""
    p, w = S[ITEM * v + PREV], S[ITEM * v + NEXT]
    at_p, at_w = S[ITEM * p + PLACE], S[ITEM * w + PLACE]
    # where v was, measured against the route without v
    best = leg(D, P, base, at_p, x) + leg(D, P, base, x, at_w) - leg(D, P, base, at_p, at_w)
    place = np.int64(-1)
    row = S[BEST3_AT] + 6 * x
    for k in range(3):
        q = S[row + 2 * k + 1]
        if q >= 0 and q != v and q != p:
            if S[row + 2 * k] < best:
                best, place = S[row + 2 * k], q
            break
    return best, place


@helper
def swap_between(D: Any, P: Any, S: Any, Q: Any, ru: int, rv: int) -> bool:
    """Carry out the best exchange or relocation between two routes if it improves."""
    row_u, row_v = route(S, ru), route(S, rv)
    tu, tv = S[row_u + R_KIND], S[row_v + R_KIND]
    base_u, base_v = base_of(P, tu), base_of(P, tv)
    if base_u != base_v:
        return False
    three_best(D, P, S, Q, ru, rv)
    three_best(D, P, S, Q, rv, ru)
    per_u, per_v = P[kind(P, tu) + PER_DISTANCE], P[kind(P, tv) + PER_DISTANCE]
    load_u, load_v = S[row_u + R_LOAD], S[row_v + R_LOAD]
    cap_u, cap_v = P[kind(P, tu) + CAPACITY], P[kind(P, tv) + CAPACITY]
    simple = P[MIXED] == 0
    over = 0.0
    if simple:
        over = Q[Q_LOAD] * (max(0, load_u - cap_u) + max(0, load_v - cap_v))
    else:
        over = Q[Q_SLACK + ru] + Q[Q_SLACK + rv]
    best, best_u, best_v = -EPS, np.int64(-1), np.int64(-1)
    first, last = P[NODES] + 2 * ru, P[NODES] + 2 * rv
    u = S[ITEM * first + NEXT]
    while u < P[NODES]:
        drop_u, lu = S[S[DROP_AT] + u], P[NODE * u + LOAD]
        v = S[ITEM * last + NEXT]
        while v < P[NODES]:
            more = P[NODE * v + LOAD] - lu
            change = -over
            if simple:
                change += Q[Q_LOAD] * (max(0, load_u + more - cap_u) + max(0, load_v - more - cap_v))
            if change + per_u * drop_u + per_v * S[S[DROP_AT] + v] < best:
                cost_v, _ = place_without(D, P, S, base_v, u, v)
                change += per_u * drop_u + per_v * (S[S[DROP_AT] + v] + cost_v)
                if change < best:
                    cost_u, _ = place_without(D, P, S, base_u, v, u)
                    change += per_u * cost_u
                    allowed = P[MASKED] == 0 or (
                        allows(P, P[NODE * u + MASK], tv) and allows(P, P[NODE * v + MASK], tu)
                    )
                    if change < best and allowed:
                        best, best_u, best_v = change, u, v
            v = S[ITEM * v + NEXT]
        u = S[ITEM * u + NEXT]
    # a visit that only goes over
    for side in range(2):
        first = P[NODES] + 2 * (ru if side == 0 else rv)
        per, per_other = (per_u, per_v) if side == 0 else (per_v, per_u)
        x = S[ITEM * first + NEXT]
        while x < P[NODES]:
            c = S[S[BEST3_AT] + 6 * x]
            if c < FAR:
                change = per * S[S[DROP_AT] + x] + per_other * float(c) - over
                if simple:
                    more = P[NODE * x + LOAD] if side == 1 else -P[NODE * x + LOAD]
                    change += Q[Q_LOAD] * (max(0, load_u + more - cap_u) + max(0, load_v - more - cap_v))
                if change < best:
                    best = change
                    best_u, best_v = (x, np.int64(-1)) if side == 0 else (np.int64(-1), x)
            x = S[ITEM * x + NEXT]
    if best_u < 0 and best_v < 0:
        return False
    return carry_out(D, P, S, Q, ru, rv, best_u, best_v)


@helper
def carry_out(D: Any, P: Any, S: Any, Q: Any, ru: int, rv: int, u: int, v: int) -> bool:
    """Do it, and undo it if it does not improve after all (clocks, several loads, distance limits)."""
    before = cost_of(P, S, Q, ru) + cost_of(P, S, Q, rv)
    stamp_u, stamp_v = S[route(S, ru) + R_MODIFIED], S[route(S, rv) + R_MODIFIED]
    base = base_of(P, S[route(S, ru) + R_KIND])
    after_u = after_v = np.int64(-1)
    p = q = np.int64(-1)
    if u >= 0:
        p = S[ITEM * u + PREV]
        after_u = S[S[BEST3_AT] + 6 * u + 1]
        if v >= 0:
            _, after_u = place_without(D, P, S, base, u, v)
    if v >= 0:
        q = S[ITEM * v + PREV]
        after_v = S[S[BEST3_AT] + 6 * v + 1]
        if u >= 0:
            _, after_v = place_without(D, P, S, base, v, u)
    if u >= 0:
        link(S, p, S[ITEM * u + NEXT])
    if v >= 0:
        link(S, q, S[ITEM * v + NEXT])
    if u >= 0:
        a = after_u if after_u >= 0 else q
        w = S[ITEM * a + NEXT]
        link(S, a, u)
        link(S, u, w)
    if v >= 0:
        a = after_v if after_v >= 0 else p
        w = S[ITEM * a + NEXT]
        link(S, a, v)
        link(S, v, w)
    S[MOVES] += 1
    update(D, P, S, Q, ru)
    update(D, P, S, Q, rv)
    if cost_of(P, S, Q, ru) + cost_of(P, S, Q, rv) < before - EPS:
        if S[route(S, ru) + R_SIZE] > 0:
            sector(P, S, ru)
        if S[route(S, rv) + R_SIZE] > 0:
            sector(P, S, rv)
        return True
    if u >= 0:
        link(S, S[ITEM * u + PREV], S[ITEM * u + NEXT])
    if v >= 0:
        link(S, S[ITEM * v + PREV], S[ITEM * v + NEXT])
    if u >= 0:
        w = S[ITEM * p + NEXT]
        link(S, p, u)
        link(S, u, w)
    if v >= 0:
        w = S[ITEM * q + NEXT]
        link(S, q, v)
        link(S, v, w)
    S[MOVES] -= 1
    update(D, P, S, Q, ru)
    update(D, P, S, Q, rv)
    S[route(S, ru) + R_MODIFIED], S[route(S, rv) + R_MODIFIED] = stamp_u, stamp_v
    return False
