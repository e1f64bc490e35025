"""Linked routes with what is known of each beginning and each rest, and the price of a route put together anew.

Segments of a route are joined by the rules of Vidal et al. (2013), "A hybrid genetic algorithm with adaptive
diversity management for a large class of vehicle routing problems with time-windows".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.genetic.data import Packed
from solvers.kernels.genetic.layout import (
    A_EARLY,
    A_LATE,
    A_OK,
    A_READY,
    A_SPENT,
    A_WARP,
    B_EARLY,
    B_LATE,
    B_OK,
    B_READY,
    B_SPENT,
    B_WARP,
    BACK,
    BARRED,
    BEST3_AT,
    CAPACITY,
    CLASS,
    CLOSE,
    CUM,
    DIMS,
    DROP_AT,
    DURATION_AT,
    EARLY,
    EMPTY,
    END,
    FIXED,
    HELD,
    ITEM,
    KIND_AT,
    KIND_WIDTH,
    KINDS,
    LATE,
    LOAD,
    LOAD_AT,
    MASK,
    MASKED,
    MAX_DISTANCE,
    MAX_DURATION,
    MIXED,
    MOVES,
    NEXT,
    NODE,
    NODES,
    NOWHERE,
    OPEN,
    ORDER_AT,
    PEAK_AT,
    PER_DISTANCE,
    PER_TIME,
    PLACE,
    POS,
    PREV,
    PROFILE,
    Q_DISTANCE,
    Q_DURATION,
    Q_LOAD,
    Q_SLACK,
    Q_WARP,
    R_DIST,
    R_KIND,
    R_LOAD,
    R_MODIFIED,
    R_OVER,
    R_SIZE,
    R_SPENT,
    R_SWAPPED,
    R_WARP,
    RANDOM,
    RELEASE,
    ROUTE,
    ROUTE_AT,
    ROUTES_AT,
    S_HEAD,
    SERVICE,
    SLOTS,
    START,
    SYMMETRIC,
    TAKEN_AT,
    TESTED,
    TIMED,
    WIDTH,
)
from solvers.kernels.jit import helper, inlined
from solvers.travel import FloatArray, IntArray

ALL_CLASSES = (1 << 62) - 1


def new_state(packed: Packed, seed: int) -> tuple[IntArray, FloatArray]:
    """Arrays S and Q: no routes, every visit absent, prices zero."""
    head, n = packed.ints, packed.nodes
    slots, dims = int(head[SLOTS]), int(head[DIMS])
    m = n + 2 * slots
    sizes = {
        ROUTE_AT: slots * WIDTH,
        ORDER_AT: n,
        ROUTES_AT: slots + 1,
        TAKEN_AT: int(head[KINDS]),
        PEAK_AT: 6 * dims * m if head[MIXED] else 0,
        BEST3_AT: 6 * n,
        DROP_AT: n,
    }
    state = np.zeros(S_HEAD + ITEM * m + sum(sizes.values()), dtype=np.int64)
    at = S_HEAD + ITEM * m
    for place, size in sizes.items():
        state[place] = at
        at += size
    items = state[S_HEAD : S_HEAD + ITEM * m].reshape(m, ITEM)
    items[:n, PLACE - S_HEAD] = np.arange(n)
    items[:n, ROUTE - S_HEAD] = NOWHERE
    items[n::2, ROUTE - S_HEAD] = items[n + 1 :: 2, ROUTE - S_HEAD] = np.arange(slots)
    mixed_bits = ((2 * seed + 1) * 0x9E3779B97F4A7C15) % 2**64
    state[RANDOM] = np.array(mixed_bits, dtype=np.uint64).astype(np.int64)
    return state, np.zeros(Q_SLACK + slots, dtype=np.float64)


@inlined
def rand_below(S: Any, n: int) -> int:
    """Uniform integer in [0, n), by xorshift64*."""
    x = np.uint64(S[RANDOM])
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    S[RANDOM] = np.int64(x)
    word = (x * np.uint64(2685821657736338717)) >> np.uint64(33)
    return np.int64((word * np.uint64(n)) >> np.uint64(31))


@inlined
def kind(P: Any, t: int) -> int:
    """Where the row of vehicle type t starts."""
    return P[KIND_AT] + P[KIND_WIDTH] * t


@inlined
def route(S: Any, r: int) -> int:
    """Where the row of route slot r starts."""
    return S[ROUTE_AT] + WIDTH * r


@inlined
def base_of(P: Any, t: int) -> int:
    """Where the distance matrix of type t starts in D."""
    return P[kind(P, t) + PROFILE] * P[NODES] * P[NODES]


@inlined
def leg(D: Any, P: Any, base: int, i: int, j: int) -> int:
    """Distance from place i to place j in the matrix at `base`."""
    return np.int64(D[base + i * P[NODES] + j])


@inlined
def travel_time(D: Any, P: Any, base: int, i: int, j: int) -> int:
    return np.int64(D[P[DURATION_AT] + base + i * P[NODES] + j])


@inlined
def load_of(P: Any, S: Any, x: int) -> int:
    """Load of item x in the first dimension; 0 at sentinels."""
    return P[NODE * S[ITEM * x + PLACE] + LOAD] if x < P[NODES] else np.int64(0)


@inlined
def allows(P: Any, mask: int, t: int) -> bool:
    return (mask >> P[kind(P, t) + CLASS]) & 1 == 1


@inlined
def join(spent: int, warp: int, early: int, late: int, edge: int, s2: int, w2: int, e2: int, l2: int) -> Any:
    """(duration, time warp, first, last start) of a segment, an edge and another segment."""
    at = spent - warp + edge
    wait = max(e2 - at - late, 0)
    back = max(early + at - l2, 0)
    return (
        spent + s2 + edge + wait,
        warp + w2 + back,
        max(e2 - at, early) - wait,
        min(l2 - at, late) + back,
    )


@inlined
def price(P: Any, Q: Any, t: int, dist: int, load: int) -> float:
    """Price of a route of type t beyond its distance cost, where neither clocks nor several loads matter."""
    return Q[Q_LOAD] * max(0, load - P[kind(P, t) + CAPACITY]) + Q[Q_DISTANCE] * max(
        0, dist - P[kind(P, t) + MAX_DISTANCE]
    )


@helper
def excess(P: Any, S: Any, Q: Any, t: int, a: int, f1: int, l1: int, s1: int, f2: int, l2: int, s2: int,
           f3: int, l3: int, s3: int, b: int, weighted: bool) -> float:  # fmt: skip
    """Loads over the capacity of type t, summed over the dimensions; for `slack_of`. `weighted`: times price."""
    total = 0.0
    dims = P[DIMS]
    for k in range(dims):
        row = S[PEAK_AT] + 6 * dims * a + 3 * k
        out, back, top = S[row], S[row + 1], S[row + 2]
        for piece in range(3):
            x = f1 if piece == 0 else f2 if piece == 1 else f3
            last = l1 if piece == 0 else l2 if piece == 1 else l3
            step = s1 if piece == 0 else s2 if piece == 1 else s3
            if x < 0:
                continue
            while True:
                deliver, pick = P[P[LOAD_AT] + 2 * dims * x + k], P[P[LOAD_AT] + 2 * dims * x + dims + k]
                top = max(top + deliver, back + max(deliver, pick))
                out += deliver
                back += pick
                if x == last:
                    break
                x = S[ITEM * x + step]
        if b < P[NODES]:
            row = S[PEAK_AT] + 6 * dims * b + 3 * dims + 3 * k
            top = max(top + S[row], back + S[row + 2])
        over = max(0, top - P[kind(P, t) + CAPACITY + k])
        total += over * Q[Q_LOAD + k] if weighted else float(over)
    return total


@helper
def clock(D: Any, P: Any, S: Any, t: int, a: int, f1: int, l1: int, s1: int, f2: int, l2: int, s2: int,
          f3: int, l3: int, s3: int, b: int) -> Any:  # fmt: skip
    """(duration, time warp) of a route of type t put together from pieces; see `slack_of`."""
    base = base_of(P, t)
    spent, warp, early = S[ITEM * a + A_SPENT], S[ITEM * a + A_WARP], S[ITEM * a + A_EARLY]
    late, ready = S[ITEM * a + A_LATE], S[ITEM * a + A_READY]
    at = S[ITEM * a + PLACE]
    for piece in range(3):
        x = f1 if piece == 0 else f2 if piece == 1 else f3
        last = l1 if piece == 0 else l2 if piece == 1 else l3
        step = s1 if piece == 0 else s2 if piece == 1 else s3
        if x < 0:
            continue
        while True:
            edge = travel_time(D, P, base, at, x)
            spent, warp, early, late = join(
                spent,
                warp,
                early,
                late,
                edge,
                P[NODE * x + SERVICE],
                0,
                P[NODE * x + EARLY],
                P[NODE * x + LATE],
            )
            ready = max(ready, P[NODE * x + RELEASE])
            at = x
            if x == last:
                break
            x = S[ITEM * x + step]
    if b < P[NODES]:
        edge = travel_time(D, P, base, at, b)
        spent, warp, early, late = join(
            spent, warp, early, late, edge,
            S[ITEM * b + B_SPENT], S[ITEM * b + B_WARP], S[ITEM * b + B_EARLY], S[ITEM * b + B_LATE],
        )  # fmt: skip
        ready = max(ready, S[ITEM * b + B_READY])
        at = S[ITEM * (P[NODES] + 2 * S[ITEM * b + ROUTE] + 1) + PREV]
    edge = travel_time(D, P, base, at, P[kind(P, t) + END])
    spent, warp, early, late = join(
        spent, warp, early, late, edge, 0, 0, P[kind(P, t) + OPEN], P[kind(P, t) + CLOSE]
    )
    return spent, warp + max(0, ready - late)


@helper
def slack_of(D: Any, P: Any, S: Any, Q: Any, t: int, a: int, f1: int, l1: int, s1: int, f2: int, l2: int, s2: int,
             f3: int, l3: int, s3: int, b: int, dist: int, load: int) -> float:  # fmt: skip
    """Price, beside fixed and distance cost, of a route of type t put together from pieces.

    The beginning up to item a, then up to three strings of visits from f to l (f = -1: none) in steps of
    NEXT or PREV, then the rest from item b. `dist` is its distance, `load` its load where one tells all.
    """
    total = Q[Q_DISTANCE] * max(0, dist - P[kind(P, t) + MAX_DISTANCE])
    if P[MIXED] == 1:
        total += excess(P, S, Q, t, a, f1, l1, s1, f2, l2, s2, f3, l3, s3, b, True)
    else:
        total += Q[Q_LOAD] * max(0, load - P[kind(P, t) + CAPACITY])
    if P[TIMED] == 1:
        spent, warp = clock(D, P, S, t, a, f1, l1, s1, f2, l2, s2, f3, l3, s3, b)
        total += timed_price(P, Q, t, spent, warp)
    return total


@inlined
def timed_price(P: Any, Q: Any, t: int, spent: int, warp: int) -> float:
    over = max(0, spent - P[kind(P, t) + MAX_DURATION])
    return P[kind(P, t) + PER_TIME] * float(spent) + Q[Q_WARP] * warp + Q[Q_DURATION] * over


@helper
def dress(P: Any, S: Any, r: int, t: int) -> None:
    """Make slot r, which must have no visits, an empty route of type t."""
    a = P[NODES] + 2 * r
    b = a + 1
    S[route(S, r) + R_KIND] = t
    S[ITEM * a + PLACE], S[ITEM * b + PLACE] = P[kind(P, t) + START], P[kind(P, t) + END]
    if P[TIMED] == 1:
        S[ITEM * a + A_EARLY], S[ITEM * a + A_LATE] = P[kind(P, t) + OPEN], P[kind(P, t) + CLOSE]


@helper
def clear(P: Any, S: Any, Q: Any) -> None:
    """No routes, no visit on a route."""
    for x in range(P[NODES]):
        S[ITEM * x + ROUTE] = NOWHERE
    for t in range(P[KINDS]):
        S[S[TAKEN_AT] + t] = 0
    for r in range(P[SLOTS]):
        reset(P, S, Q, r)
    S[EMPTY] = 0
    S[MOVES] = 0


@helper
def reset(P: Any, S: Any, Q: Any, r: int) -> None:
    """Slot r has no visits any more."""
    a = P[NODES] + 2 * r
    S[ITEM * a + NEXT], S[ITEM * (a + 1) + PREV] = a + 1, a
    S[ITEM * a + A_OK] = S[ITEM * (a + 1) + B_OK] = ALL_CLASSES
    S[ITEM * (a + 1) + A_OK] = ALL_CLASSES
    for c in (CUM, HELD, BACK, POS):
        S[ITEM * a + c] = S[ITEM * (a + 1) + c] = 0
    S[ITEM * (a + 1) + POS] = 1
    for c in (A_SPENT, A_WARP, A_READY):
        S[ITEM * a + c] = 0
    if P[MIXED] == 1:
        for k in range(6 * P[DIMS]):
            S[S[PEAK_AT] + 6 * P[DIMS] * a + k] = 0
    row = route(S, r)
    for c in (R_SIZE, R_DIST, R_LOAD, R_SPENT, R_WARP, R_OVER):
        S[row + c] = 0
    S[row + R_SWAPPED] = -1
    S[row + R_MODIFIED] = S[MOVES]
    Q[Q_SLACK + r] = 0.0


@helper
def find_empty(P: Any, S: Any) -> None:
    """Set EMPTY to a slot without visits, or -1."""
    if S[EMPTY] >= 0 and S[route(S, S[EMPTY]) + R_SIZE] == 0:
        return
    S[EMPTY] = -1
    for r in range(P[SLOTS]):
        if S[route(S, r) + R_SIZE] == 0:
            S[EMPTY] = r
            return


@helper
def update(D: Any, P: Any, S: Any, Q: Any, r: int) -> None:
    """Recompute everything of slot r from its links, type and stamps included. O(length)."""
    a = P[NODES] + 2 * r
    end = a + 1
    row = route(S, r)
    t = S[row + R_KIND]
    was = S[row + R_SIZE]
    if S[ITEM * a + NEXT] == end:
        if was > 0:
            S[S[TAKEN_AT] + t] -= 1
            if S[EMPTY] < 0:
                S[EMPTY] = r
        reset(P, S, Q, r)
        return
    base = base_of(P, t)
    size = 0
    cum, held, back, ok = np.int64(0), np.int64(0), np.int64(0), np.int64(ALL_CLASSES)
    prev, at = a, S[ITEM * a + PLACE]
    spent, warp, early, late = np.int64(0), np.int64(0), S[ITEM * a + A_EARLY], S[ITEM * a + A_LATE]
    ready = np.int64(0)
    x = S[ITEM * a + NEXT]
    while True:
        place = S[ITEM * x + PLACE]
        cum += leg(D, P, base, at, place)
        size += 1
        S[ITEM * x + CUM] = cum
        S[ITEM * x + POS] = size
        S[ITEM * x + ROUTE] = r
        if P[SYMMETRIC] == 0:
            back += leg(D, P, base, place, at)
            S[ITEM * x + BACK] = back
        if x == end:
            break
        held += P[NODE * x + LOAD]
        S[ITEM * x + HELD] = held
        if P[MASKED] == 1:
            ok &= P[NODE * x + MASK]
            S[ITEM * x + A_OK] = ok
        if P[TIMED] == 1:
            edge = travel_time(D, P, base, at, x)
            spent, warp, early, late = join(
                spent,
                warp,
                early,
                late,
                edge,
                P[NODE * x + SERVICE],
                0,
                P[NODE * x + EARLY],
                P[NODE * x + LATE],
            )
            ready = max(ready, P[NODE * x + RELEASE])
            S[ITEM * x + A_SPENT], S[ITEM * x + A_WARP] = spent, warp
            S[ITEM * x + A_EARLY], S[ITEM * x + A_LATE], S[ITEM * x + A_READY] = early, late, ready
        if P[MIXED] == 1:
            ahead(P, S, prev, x)
        prev, at = x, place
        x = S[ITEM * x + NEXT]
    S[ITEM * end + HELD] = held
    if P[TIMED] == 1 or P[MASKED] == 1 or P[MIXED] == 1:
        behind(D, P, S, a, end, base)
    S[row + R_SIZE] = size - 1
    S[row + R_DIST] = cum
    S[row + R_LOAD] = held
    over = max(0, cum - P[kind(P, t) + MAX_DISTANCE])
    slack = Q[Q_DISTANCE] * over
    if P[BARRED] > 0:
        over += cum // P[BARRED]  # counts, but has no price: the length of such arcs is price enough
    if P[MIXED] == 1:
        slack += excess(P, S, Q, t, prev, -1, -1, NEXT, -1, -1, NEXT, -1, -1, NEXT, end, True)
        over += np.int64(excess(P, S, Q, t, prev, -1, -1, NEXT, -1, -1, NEXT, -1, -1, NEXT, end, False))
    else:
        slack += Q[Q_LOAD] * max(0, held - P[kind(P, t) + CAPACITY])
        over += max(0, held - P[kind(P, t) + CAPACITY])
    if P[TIMED] == 1:
        spent, warp = clock(D, P, S, t, prev, -1, -1, NEXT, -1, -1, NEXT, -1, -1, NEXT, end)
        S[row + R_SPENT], S[row + R_WARP] = spent, warp
        slack += timed_price(P, Q, t, spent, warp)
        over += warp + max(0, spent - P[kind(P, t) + MAX_DURATION])
    S[row + R_OVER] = over
    Q[Q_SLACK + r] = slack
    S[row + R_MODIFIED] = S[MOVES]
    if was == 0:
        S[S[TAKEN_AT] + t] += 1
        if S[EMPTY] == r:
            find_empty(P, S)


@helper
def ahead(P: Any, S: Any, p: int, x: int) -> None:
    """Deliveries, pickups and highest load up to visit x, from those up to item p before it."""
    dims = P[DIMS]
    for k in range(dims):
        deliver, pick = P[P[LOAD_AT] + 2 * dims * x + k], P[P[LOAD_AT] + 2 * dims * x + dims + k]
        a, b = S[PEAK_AT] + 6 * dims * p + 3 * k, S[PEAK_AT] + 6 * dims * x + 3 * k
        S[b + 2] = max(S[a + 2] + deliver, S[a + 1] + max(deliver, pick))
        S[b], S[b + 1] = S[a] + deliver, S[a + 1] + pick


@helper
def behind(D: Any, P: Any, S: Any, a: int, end: int, base: int) -> None:
    """The B_ columns and loads of the visits between sentinels a and end."""
    dims = P[DIMS]
    x, y = S[ITEM * end + PREV], end
    while x != a:
        if P[MASKED] == 1:
            S[ITEM * x + B_OK] = P[NODE * x + MASK] & S[ITEM * y + B_OK]
        if P[TIMED] == 1:
            spent, warp = P[NODE * x + SERVICE], np.int64(0)
            early, late, ready = P[NODE * x + EARLY], P[NODE * x + LATE], P[NODE * x + RELEASE]
            if y != end:
                spent, warp, early, late = join(
                    spent, warp, early, late, travel_time(D, P, base, x, y),
                    S[ITEM * y + B_SPENT], S[ITEM * y + B_WARP], S[ITEM * y + B_EARLY], S[ITEM * y + B_LATE],
                )  # fmt: skip
                ready = max(ready, S[ITEM * y + B_READY])
            S[ITEM * x + B_SPENT], S[ITEM * x + B_WARP] = spent, warp
            S[ITEM * x + B_EARLY], S[ITEM * x + B_LATE], S[ITEM * x + B_READY] = early, late, ready
        if P[MIXED] == 1:
            for k in range(dims):
                deliver, pick = P[P[LOAD_AT] + 2 * dims * x + k], P[P[LOAD_AT] + 2 * dims * x + dims + k]
                d2 = p2 = top = np.int64(0)
                if y != end:
                    row = S[PEAK_AT] + 6 * dims * y + 3 * dims + 3 * k
                    d2, p2, top = S[row], S[row + 1], S[row + 2]
                row = S[PEAK_AT] + 6 * dims * x + 3 * dims + 3 * k
                S[row], S[row + 1] = deliver + d2, pick + p2
                S[row + 2] = max(max(deliver, pick) + d2, pick + top)
        y, x = x, S[ITEM * x + PREV]


@inlined
def link(S: Any, x: int, y: int) -> None:
    """y follows x."""
    S[ITEM * x + NEXT] = y
    S[ITEM * y + PREV] = x


@helper
def cost_of(P: Any, S: Any, Q: Any, r: int) -> float:
    """What slot r costs, prices of violations included."""
    row = route(S, r)
    if S[row + R_SIZE] == 0:
        return 0.0
    t = S[row + R_KIND]
    return float(P[kind(P, t) + FIXED] + P[kind(P, t) + PER_DISTANCE] * S[row + R_DIST]) + Q[Q_SLACK + r]


@helper
def set_kind(D: Any, P: Any, S: Any, Q: Any, r: int, t: int) -> None:
    """Give slot r, which has visits, another vehicle type."""
    S[S[TAKEN_AT] + S[route(S, r) + R_KIND]] -= 1
    S[S[TAKEN_AT] + t] += 1
    dress(P, S, r, t)
    update(D, P, S, Q, r)


@helper
def stamp_tests(P: Any, S: Any, at: int) -> None:
    """Take all pairs as tested when `at` moves were done: only routes modified since are looked at; -1 for all."""
    for x in range(P[NODES]):
        S[ITEM * x + TESTED] = at
    for r in range(P[SLOTS]):
        S[route(S, r) + R_SWAPPED] = at
