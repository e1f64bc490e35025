"""Parallel savings (Clarke and Wright 1964) over neighbour pairs, for every feature of the problem."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.insertion import NEVER, best_place, place_visit, price_alone
from solvers.kernels.jit import allocating, entry, helper
from solvers.kernels.layout import (
    ALLOWED_AT,
    BANKED,
    BOTH_WAYS,
    CLOSE,
    COST,
    COUNT,
    DEPOTS,
    DIMS,
    EARLY,
    END,
    FIXED,
    HARD,
    ITEM,
    KINDS,
    LATE,
    LOAD_AT,
    MAX_DISTANCE,
    MAX_DURATION,
    MIXED,
    N_USED,
    NEAR_AT,
    NEAR_WIDTH,
    NODE,
    NODES,
    OPEN,
    PER_DISTANCE,
    PER_TIME,
    PRIZE,
    PROFILE,
    RELEASE,
    SERVICE,
    START,
    SYMMETRIC,
    TAKEN_AT,
    TIME_PRICED,
    TIMED,
    TOUCHED_AT,
    USED_AT,
    VALUE,
)
from solvers.kernels.ruin_recreate import keep_best, settle
from solvers.kernels.state import (
    begin,
    commit,
    dress,
    free_slot,
    put_in,
    refresh,
    slot,
    touch,
    touch_route,
    undo,
)
from solvers.kernels.travel import capacity, distance, duration, kind, load, pick


@entry
def pair_savings(D: Any, F: Any, P: Any, first_kind: Any, alone: Any, tail: Any, head: Any, gain: Any) -> int:
    """Fill (tail, head, gain) with the pairs worth joining; returns how many.

    first_kind[c] and alone[c] get the cheapest type for c alone and that route's cost (-1 where none can).
    """
    for c in range(P[DEPOTS], P[NODES]):
        first_kind[c] = -1
        for t in range(P[KINDS]):
            cost = price_alone(D, F, P, c, t)
            if cost < NEVER and (first_kind[c] < 0 or cost < alone[c]):
                first_kind[c], alone[c] = t, cost
    both_ways = P[SYMMETRIC] == BOTH_WAYS and P[TIMED] == 0 and P[MIXED] == 0
    n = 0
    for i in range(P[DEPOTS], P[NODES]):
        if first_kind[i] < 0:
            continue
        a = first_kind[i]
        for k in range(P[NEAR_WIDTH]):
            j = np.int64(P[P[NEAR_AT] + P[NEAR_WIDTH] * i + k])
            if j < 0:
                break
            if first_kind[j] < 0:
                continue
            b = first_kind[j]
            for way in range(1 if both_ways else 2):
                x, y, u, v = (i, j, a, b) if way == 0 else (j, i, b, a)
                prof = P[kind(P, u) + PROFILE]
                saved = distance(D, F, P, prof, x, P[kind(P, u) + END]) + distance(
                    D, F, P, prof, P[kind(P, v) + START], y
                )
                saved -= distance(D, F, P, prof, x, y)
                worth = P[kind(P, u) + PER_DISTANCE] * saved + P[kind(P, v) + FIXED]
                if P[TIMED] != 0:
                    leg = duration(D, F, P, prof, x, y)
                    wait = P[NODE * y + EARLY] - P[NODE * x + LATE] - P[NODE * x + SERVICE] - leg
                    if P[NODE * x + EARLY] + P[NODE * x + SERVICE] + leg > P[NODE * y + LATE]:
                        continue
                    worth -= max(P[kind(P, u) + PER_DISTANCE], P[kind(P, u) + PER_TIME]) * max(wait, 0)
                if worth > 0:
                    tail[n], head[n], gain[n] = x, y, worth
                    n += 1
    return n


@helper
def walk(D: Any, F: Any, P: Any, follow: Any, x: int, then: int, t: int) -> int:
    """Cost of the route that visits x and its followers, then `then` and its (-1: nothing), or NEVER."""
    prof = P[kind(P, t) + PROFILE]
    at, length = P[kind(P, t) + START], np.int64(0)
    opens = P[kind(P, t) + OPEN]
    now, spent, first, last, ready = opens, np.int64(0), opens, P[kind(P, t) + CLOSE], np.int64(0)
    for k in range(P[DIMS]):
        on, y, jumped = np.int64(0), x, False
        while y >= 0:
            on += load(P, y, k)
            y = follow[y]
            if y < 0 and not jumped:
                y, jumped = then, True
        if on > capacity(P, t, k):
            return NEVER
        y, jumped = x, P[MIXED] == 0
        while y >= 0 and P[MIXED] == 1:
            on += pick(P, y, k) - load(P, y, k)
            if on > capacity(P, t, k):
                return NEVER
            y = follow[y]
            if y < 0 and not jumped:
                y, jumped = then, True
    jumped = False
    while True:
        done = x < 0
        to = P[kind(P, t) + END] if done else x
        length += distance(D, F, P, prof, at, to)
        if P[TIMED] != 0:
            leg = duration(D, F, P, prof, at, to)
            early = opens if done else P[NODE * to + EARLY]
            late = P[kind(P, t) + CLOSE] if done else P[NODE * to + LATE]
            work = np.int64(0) if done else P[NODE * to + SERVICE]
            now = max(now + leg, early)
            if now > late:
                return NEVER
            now += work
            begin_at = spent + leg
            wait = max(early - begin_at - last, 0)
            spent = begin_at + wait + work
            first = max(early - begin_at, first) - wait
            last = min(late - begin_at, last)
        if done:
            break
        if P[P[ALLOWED_AT] + P[KINDS] * x + t] == 0:
            return NEVER
        ready = max(ready, P[NODE * x + RELEASE])
        at = x
        x = follow[x]
        if x < 0 and not jumped:
            x, jumped = then, True
    if length > P[kind(P, t) + MAX_DISTANCE]:
        return NEVER
    cost = P[kind(P, t) + FIXED] + P[kind(P, t) + PER_DISTANCE] * length
    if P[TIMED] == 2:
        if spent > P[kind(P, t) + MAX_DURATION] or ready > last:
            return NEVER
        if P[TIME_PRICED] == 1:
            cost += P[kind(P, t) + PER_TIME] * spent
    return cost


@helper
def turn_round(follow: Any, lead: Any, x: int) -> None:
    """Reverse the chain that starts at x."""
    while x >= 0:
        y = follow[x]
        follow[x], lead[x] = lead[x], y
        x = y


@allocating
def join(
    D: Any,
    F: Any,
    P: Any,
    tail: Any,
    head: Any,
    first_kind: Any,
    alone: Any,
    flat: Any,
    starts: Any,
    kinds: Any,
) -> int:
    """Merge along the pairs in the order given; fills routes as CSR and their types, returns how many."""
    n = P[NODES]
    follow, lead = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    chain = np.arange(n)
    front, back = np.arange(n), np.arange(n)
    dims = P[DIMS]
    carried = P[P[LOAD_AT] : P[LOAD_AT] + dims * n].copy()
    chosen, cost, size = first_kind.copy(), alone.copy(), np.ones(n, dtype=np.int64)
    simple = P[KINDS] == 1 and P[TIMED] == 0 and P[MIXED] == 0 and P[kind(P, 0) + MAX_DISTANCE] > 2**59
    turnable = P[SYMMETRIC] == BOTH_WAYS and P[TIMED] == 0 and P[MIXED] == 0
    for m in range(len(tail)):
        i, j = tail[m], head[m]
        a, b = chain[i], chain[j]
        if a == b:
            continue
        if back[a] != i and not (turnable and front[a] == i):
            continue
        if front[b] != j and not (turnable and back[b] == j):
            continue
        room = False
        for t in range(P[KINDS]):
            ok = True
            for k in range(P[DIMS]):
                ok = ok and carried[dims * a + k] + carried[dims * b + k] <= capacity(P, t, k)
            room = room or ok
        if not room and P[MIXED] == 0:
            continue
        for x, y in ((a, i), (b, j)):
            wrong = back[x] != y if x == a else front[x] != y
            if wrong:
                turn_round(follow, lead, front[x])
                front[x], back[x] = back[x], front[x]
        best, best_kind = NEVER, np.int64(-1)
        if simple:
            saved = distance(D, F, P, P[kind(P, 0) + PROFILE], i, P[kind(P, 0) + END])
            saved += distance(D, F, P, P[kind(P, 0) + PROFILE], P[kind(P, 0) + START], j)
            saved -= distance(D, F, P, P[kind(P, 0) + PROFILE], i, j)
            best, best_kind = (
                cost[a] + cost[b] - P[kind(P, 0) + FIXED] - P[kind(P, 0) + PER_DISTANCE] * saved,
                np.int64(0),
            )
        else:
            for t in range(P[KINDS]):
                whole = walk(D, F, P, follow, front[a], front[b], t)
                if whole < best:
                    best, best_kind = whole, np.int64(t)
        if best >= cost[a] + cost[b]:
            continue
        if size[a] < size[b]:
            keep, gone = b, a
        else:
            keep, gone = a, b
        new_front, new_back = front[a], back[b]
        x = front[gone]
        while x >= 0:
            chain[x] = keep
            x = follow[x]
        follow[i], lead[j] = j, i
        front[keep], back[keep] = new_front, new_back
        for k in range(P[DIMS]):
            carried[dims * keep + k] += carried[dims * gone + k]
        size[keep] += size[gone]
        cost[keep], chosen[keep] = best, best_kind
    count, at = 0, 0
    for c in range(P[DEPOTS], n):
        if chain[c] != c or chosen[c] < 0:
            continue
        starts[count], kinds[count] = at, chosen[c]
        x = front[c]
        while x >= 0:
            flat[at] = x
            at += 1
            x = follow[x]
        count += 1
    starts[count] = at
    return count


@helper
def load_route(D: Any, F: Any, P: Any, S: Any, flat: Any, first: int, last: int, t: int) -> bool:
    """Begin a change that adds flat[first:last] as a route of type t; False if it breaks a constraint or no such
    vehicle is free."""
    begin(S)
    r = free_slot(P, S)
    if r < 0 or S[S[TAKEN_AT] + t] >= P[kind(P, t) + COUNT]:
        return False
    p = P[NODES] + 2 * r
    touch(S, p)
    touch_route(S, r)
    dress(P, S, r, t)
    for i in range(first, last):
        if S[ITEM * (flat[i]) + BANKED] >= 0:
            put_in(D, F, P, S, flat[i], p)
            p = flat[i]
    return refresh(D, F, P, S, r)


@entry
def load_given(D: Any, F: Any, P: Any, S: Any, flat: Any, starts: Any, kinds: Any) -> None:
    """Add the routes to the state that hold with the vehicle types they come with, and set their entries of `kinds`
    to -1; then let routes have cheaper vehicles that are still free."""
    for m in range(len(kinds)):
        if load_route(D, F, P, S, flat, starts[m], starts[m + 1], kinds[m]):
            S[VALUE] += S[slot(S, S[S[TOUCHED_AT]]) + COST]
            kinds[m] = -1
            commit(S)
        else:
            undo(D, F, P, S)
    keep_best(S)
    begin(S)
    for k in range(S[N_USED]):
        touch_route(S, S[S[USED_AT] + k])
    S[VALUE] += settle(D, F, P, S)
    commit(S)
    keep_best(S)


@entry
def load_routes(D: Any, F: Any, P: Any, S: Any, flat: Any, starts: Any, kinds: Any) -> None:
    """Add the routes to the state, but those of kind -1; one that breaks a constraint or lacks a vehicle gets the
    next best type that can drive it, or stays in the bank."""
    for m in range(len(kinds)):
        wanted = kinds[m]
        if wanted < 0:
            continue
        done = False
        for k in range(-1, P[KINDS]):
            t = wanted if k < 0 else np.int64(k)
            if done or (k >= 0 and t == wanted):
                continue
            if load_route(D, F, P, S, flat, starts[m], starts[m + 1], t):
                S[VALUE] += settle(D, F, P, S)
                commit(S)
                done = True
            else:
                undo(D, F, P, S)
    keep_best(S)


@entry
def fill(D: Any, F: Any, P: Any, S: Any, order: Any) -> None:
    """Insert banked visits in the given order where they cost least, looking everywhere for mandatory ones."""
    begin(S)
    for c in order:
        if S[ITEM * c + BANKED] < 0:
            continue
        must = P[NODE * c + HARD] > 0
        cost, at, t = best_place(D, F, P, S, c, 0.0, must)
        if cost < NEVER and (must or cost < P[NODE * c + PRIZE]):
            place_visit(D, F, P, S, c, at, t)
    S[VALUE] += settle(D, F, P, S)
    commit(S)
    keep_best(S)
