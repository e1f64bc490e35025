"""Parallel savings (Clarke and Wright 1964) over neighbour pairs, for every feature of the problem."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from solvers.kernels.data import (
    CLOSE,
    COUNT,
    EARLY,
    END,
    FIXED,
    HARD,
    LATE,
    MAX_DISTANCE,
    MAX_DURATION,
    OPEN,
    PER_DISTANCE,
    PER_TIME,
    PRIZE,
    PROFILE,
    RELEASE,
    SERVICE,
    START,
)
from solvers.kernels.insertion import NEVER, best_place, place_visit, price_alone
from solvers.kernels.ruin_recreate import settle
from solvers.kernels.state import (
    VALUE,
    begin,
    commit,
    dress,
    free_slot,
    put_in,
    refresh,
    save_best,
    touch,
    touch_route,
    undo,
)
from solvers.kernels.travel import distance, duration


@njit(cache=True, nogil=True, _nrt=False)
def pair_savings(d: Any, first_kind: Any, alone: Any, tail: Any, head: Any, gain: Any) -> int:
    """Fill (tail, head, gain) with the pairs worth joining; returns how many.

    first_kind[c] and alone[c] get the cheapest type for c alone and that route's cost (-1 where none can).
    """
    for c in range(d.depots, d.nodes):
        first_kind[c] = -1
        for t in range(d.kinds):
            cost = price_alone(d, c, t)
            if cost < NEVER and (first_kind[c] < 0 or cost < alone[c]):
                first_kind[c], alone[c] = t, cost
    both_ways = d.symmetric == 1 and d.timed == 0 and d.mixed == 0
    n = 0
    for i in range(d.depots, d.nodes):
        if first_kind[i] < 0:
            continue
        a = first_kind[i]
        for k in range(d.near.shape[1]):
            j = np.int64(d.near[i, k])
            if j < 0:
                break
            if first_kind[j] < 0:
                continue
            b = first_kind[j]
            for way in range(1 if both_ways else 2):
                x, y, u, v = (i, j, a, b) if way == 0 else (j, i, b, a)
                prof = d.kind[u, PROFILE]
                saved = distance(d, prof, x, d.kind[u, END]) + distance(d, prof, d.kind[v, START], y)
                saved -= distance(d, prof, x, y)
                worth = d.kind[u, PER_DISTANCE] * saved + d.kind[v, FIXED]
                if d.timed != 0:
                    leg = duration(d, prof, x, y)
                    wait = d.node[y, EARLY] - d.node[x, LATE] - d.node[x, SERVICE] - leg
                    if d.node[x, EARLY] + d.node[x, SERVICE] + leg > d.node[y, LATE]:
                        continue
                    worth -= max(d.kind[u, PER_DISTANCE], d.kind[u, PER_TIME]) * max(wait, 0)
                if worth > 0:
                    tail[n], head[n], gain[n] = x, y, worth
                    n += 1
    return n


@njit(cache=True, nogil=True, _nrt=False)
def walk(d: Any, follow: Any, x: int, then: int, t: int) -> int:
    """Cost of the route that visits x and its followers, then `then` and its (-1: nothing), or NEVER."""
    prof = d.kind[t, PROFILE]
    at, length = d.kind[t, START], np.int64(0)
    opens = d.kind[t, OPEN]
    now, spent, first, last, ready = opens, np.int64(0), opens, d.kind[t, CLOSE], np.int64(0)
    for k in range(d.dims):
        on, y, jumped = np.int64(0), x, False
        while y >= 0:
            on += d.load[y, k]
            y = follow[y]
            if y < 0 and not jumped:
                y, jumped = then, True
        if on > d.cap[t, k]:
            return NEVER
        y, jumped = x, d.mixed == 0
        while y >= 0 and d.mixed == 1:
            on += d.pick[y, k] - d.load[y, k]
            if on > d.cap[t, k]:
                return NEVER
            y = follow[y]
            if y < 0 and not jumped:
                y, jumped = then, True
    jumped = False
    while True:
        done = x < 0
        to = d.kind[t, END] if done else x
        length += distance(d, prof, at, to)
        if d.timed != 0:
            leg = duration(d, prof, at, to)
            early = opens if done else d.node[to, EARLY]
            late = d.kind[t, CLOSE] if done else d.node[to, LATE]
            work = np.int64(0) if done else d.node[to, SERVICE]
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
        if d.allowed[x, t] == 0:
            return NEVER
        ready = max(ready, d.node[x, RELEASE])
        at = x
        x = follow[x]
        if x < 0 and not jumped:
            x, jumped = then, True
    if length > d.kind[t, MAX_DISTANCE]:
        return NEVER
    cost = d.kind[t, FIXED] + d.kind[t, PER_DISTANCE] * length
    if d.timed == 2:
        if spent > d.kind[t, MAX_DURATION] or ready > last:
            return NEVER
        if d.time_priced == 1:
            cost += d.kind[t, PER_TIME] * spent
    return cost


@njit(cache=True, nogil=True, _nrt=False)
def turn_round(follow: Any, lead: Any, x: int) -> None:
    """Reverse the chain that starts at x."""
    while x >= 0:
        y = follow[x]
        follow[x], lead[x] = lead[x], y
        x = y


@njit(cache=True, nogil=True)
def join(
    d: Any, tail: Any, head: Any, first_kind: Any, alone: Any, flat: Any, starts: Any, kinds: Any
) -> int:
    """Merge along the pairs in the order given; fills routes as CSR and their types, returns how many."""
    n = d.nodes
    follow, lead = np.full(n, -1, dtype=np.int64), np.full(n, -1, dtype=np.int64)
    chain = np.arange(n)
    front, back = np.arange(n), np.arange(n)
    load = d.load.copy()
    kind, cost, size = first_kind.copy(), alone.copy(), np.ones(n, dtype=np.int64)
    simple = d.kinds == 1 and d.timed == 0 and d.mixed == 0 and d.kind[0, MAX_DISTANCE] > 2**59
    turnable = d.symmetric == 1 and d.timed == 0 and d.mixed == 0
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
        for t in range(d.kinds):
            ok = True
            for k in range(d.dims):
                ok = ok and load[a, k] + load[b, k] <= d.cap[t, k]
            room = room or ok
        if not room and d.mixed == 0:
            continue
        for x, y in ((a, i), (b, j)):
            wrong = back[x] != y if x == a else front[x] != y
            if wrong:
                turn_round(follow, lead, front[x])
                front[x], back[x] = back[x], front[x]
        best, best_kind = NEVER, np.int64(-1)
        if simple:
            saved = distance(d, d.kind[0, PROFILE], i, d.kind[0, END])
            saved += distance(d, d.kind[0, PROFILE], d.kind[0, START], j)
            saved -= distance(d, d.kind[0, PROFILE], i, j)
            best, best_kind = (
                cost[a] + cost[b] - d.kind[0, FIXED] - d.kind[0, PER_DISTANCE] * saved,
                np.int64(0),
            )
        else:
            for t in range(d.kinds):
                whole = walk(d, follow, front[a], front[b], t)
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
        for k in range(d.dims):
            load[keep, k] += load[gone, k]
        size[keep] += size[gone]
        cost[keep], kind[keep] = best, best_kind
    count, at = 0, 0
    for c in range(d.depots, n):
        if chain[c] != c or kind[c] < 0:
            continue
        starts[count], kinds[count] = at, kind[c]
        x = front[c]
        while x >= 0:
            flat[at] = x
            at += 1
            x = follow[x]
        count += 1
    starts[count] = at
    return count


@njit(cache=True, nogil=True, _nrt=False)
def load_routes(d: Any, s: Any, flat: Any, starts: Any, kinds: Any) -> None:
    """Add the routes to the state; one that breaks a constraint or lacks a vehicle gets the next best type
    that can drive it, or stays in the bank."""
    for m in range(len(kinds)):
        wanted = kinds[m]
        done = False
        for k in range(-1, d.kinds):
            t = wanted if k < 0 else np.int64(k)
            r = free_slot(s)
            if done or r < 0 or (k >= 0 and t == wanted) or s.taken[t] >= d.kind[t, COUNT]:
                continue
            begin(s)
            a = d.nodes + 2 * r
            touch(s, a)
            touch_route(s, r)
            dress(d, s, r, t)
            p = a
            for i in range(starts[m], starts[m + 1]):
                if s.bank_at[flat[i]] >= 0:
                    put_in(d, s, flat[i], p)
                    p = flat[i]
            if refresh(d, s, r):
                s.num[VALUE] += settle(d, s)
                commit(s)
                done = True
            else:
                undo(d, s)
    save_best(s)


@njit(cache=True, nogil=True, _nrt=False)
def fill(d: Any, s: Any, order: Any) -> None:
    """Insert banked visits in the given order where they cost least, looking everywhere for mandatory ones."""
    begin(s)
    for c in order:
        if s.bank_at[c] < 0:
            continue
        must = d.node[c, HARD] > 0
        cost, at, kind = best_place(d, s, c, 0.0, must)
        if cost < NEVER and (must or cost < d.node[c, PRIZE]):
            place_visit(d, s, c, at, kind)
    s.num[VALUE] += settle(d, s)
    commit(s)
    save_best(s)
