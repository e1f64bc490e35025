"""Where a banked visit goes best: next to its neighbours, on a new route, or anywhere as a last resort."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from solvers.kernels.data import (
    CLOSE,
    COUNT,
    EARLY,
    END,
    FIXED,
    LATE,
    MAX_DISTANCE,
    MAX_DURATION,
    OPEN,
    PER_DISTANCE,
    PER_TIME,
    PROFILE,
    RELEASE,
    SERVICE,
    START,
)
from solvers.kernels.state import (
    BLINK,
    COST,
    FIRST,
    KIND,
    LAST,
    LENGTH,
    LOADS,
    N_USED,
    NEXT,
    PREV,
    READY,
    SLOT,
    SPAN,
    SPENT,
    TIME,
    WHEN,
    dress,
    free_slot,
    put_in,
    refresh,
    touch,
    touch_route,
)
from solvers.kernels.travel import distance, duration

NEVER = np.int64(2**62)  # cost of what is not possible


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def rand(rng: Any) -> float:
    """Uniform in [0, 1), xorshift64*; the state is rng[0]."""
    x = rng[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    rng[0] = x
    return np.float64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def blinks(s: Any, log_keep: float) -> bool:
    """True with the blink probability, at the cost of a counter; log_keep is log(1 - probability) or 0."""
    if log_keep == 0.0:
        return False
    s.num[BLINK] -= 1
    if s.num[BLINK] > 0:
        return False
    s.num[BLINK] = 1 + np.int64(math.log(1.0 - rand(s.rng)) / log_keep)
    return True


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def fits(d: Any, s: Any, c: int, r: int, t: int) -> bool:
    """Whether slot r, driven by type t, can take visit c as far as loads and skills go (not its order)."""
    if d.allowed[c, t] == 0:
        return False
    for k in range(d.dims):
        if s.route[r, LOADS + k] + d.load[c, k] > d.cap[t, k]:
            return False
    return True


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def in_time(d: Any, s: Any, c: int, p: int, q: int, r: int, t: int) -> int:
    """Extra duration of c between items p and q of slot r, or NEVER; 0 where durations do not matter."""
    prof = d.kind[t, PROFILE]
    leg = duration(d, prof, s.place[p], c)
    begin = max(s.ahead[p, WHEN] + leg, d.node[c, EARLY])
    if begin > d.node[c, LATE]:
        return NEVER
    work = d.node[c, SERVICE]
    leg2 = duration(d, prof, c, s.place[q])
    if begin + work + leg2 > s.behind[q, WHEN]:
        return NEVER
    if d.timed == 1:
        return 0
    at = s.ahead[p, SPENT] + leg
    wait = max(d.node[c, EARLY] - at - s.ahead[p, LAST], 0)
    spent = at + wait + work
    first = max(d.node[c, EARLY] - at, s.ahead[p, FIRST]) - wait
    last = min(d.node[c, LATE] - at, s.ahead[p, LAST])
    at = spent + leg2
    wait = max(s.behind[q, FIRST] - at - last, 0)
    spent = at + wait + s.behind[q, SPENT]
    last = min(s.behind[q, LAST] - at, last)
    if spent > d.kind[t, MAX_DURATION] or max(s.route[r, READY], d.node[c, RELEASE]) > last:
        return NEVER
    return spent - s.route[r, TIME]


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def price_at(d: Any, s: Any, c: int, p: int, q: int, r: int, t: int, bound: int) -> int:
    """Extra cost of c between items p and q, or NEVER if it is not possible or not below `bound`."""
    prof = d.kind[t, PROFILE]
    extra = distance(d, prof, s.place[p], c) + distance(d, prof, c, s.place[q]) - s.link[q, SPAN]
    cost = d.kind[t, PER_DISTANCE] * extra
    if cost >= bound and d.time_priced == 0:
        return NEVER
    if s.route[r, LENGTH] + extra > d.kind[t, MAX_DISTANCE]:
        return NEVER
    if d.mixed == 1:
        for k in range(d.dims):
            if (
                s.peak[p, k] + d.load[c, k] > d.cap[t, k]
                or s.peak[p, d.dims + k] + d.pick[c, k] > d.cap[t, k]
            ):
                return NEVER
    if d.timed != 0:
        more = in_time(d, s, c, p, q, r, t)
        if more == NEVER:
            return NEVER
        if d.time_priced == 1:
            cost += d.kind[t, PER_TIME] * more
    return cost if cost < bound else NEVER


@njit(cache=True, nogil=True, _nrt=False)
def price_alone(d: Any, c: int, t: int) -> int:
    """Cost of a route of type t with visit c alone, or NEVER."""
    if d.allowed[c, t] == 0:
        return NEVER
    for k in range(d.dims):
        if d.load[c, k] > d.cap[t, k] or (d.mixed == 1 and d.pick[c, k] > d.cap[t, k]):
            return NEVER
    prof, a, b = d.kind[t, PROFILE], d.kind[t, START], d.kind[t, END]
    length = distance(d, prof, a, c) + distance(d, prof, c, b)
    if length > d.kind[t, MAX_DISTANCE]:
        return NEVER
    cost = d.kind[t, FIXED] + d.kind[t, PER_DISTANCE] * length
    if d.timed != 0:
        out = duration(d, prof, a, c)
        spent = out + d.node[c, SERVICE] + duration(d, prof, c, b)
        begin = max(max(d.kind[t, OPEN], d.node[c, RELEASE]) + out, d.node[c, EARLY])
        if begin > d.node[c, LATE] or begin - out + spent > d.kind[t, CLOSE]:
            return NEVER
        if spent > d.kind[t, MAX_DURATION]:
            return NEVER
        if d.time_priced == 1:
            cost += d.kind[t, PER_TIME] * spent
    return cost


@njit(cache=True, nogil=True, _nrt=False)
def upgrade(d: Any, s: Any, c: int, r: int) -> tuple[int, int]:
    """(type, extra cost) of the cheapest free type that could take slot r with visit c where its own cannot.

    Only types from the same depots with the same profile, price of time and clock, so that the slot's times
    hold; with other ones `retype` deals.
    """
    t = s.route[r, KIND]
    best, best_cost = -1, NEVER
    for u in range(d.kinds):
        if u == t or s.taken[u] >= d.kind[u, COUNT] or not fits(d, s, c, r, u):
            continue
        same = True
        for k in (PER_TIME, START, END, OPEN, CLOSE, MAX_DISTANCE, MAX_DURATION, PROFILE):
            if d.kind[u, k] != d.kind[t, k]:
                same = False
        if not same:
            continue
        if d.skilled == 1:
            x = np.int64(s.link[d.nodes + 2 * r, NEXT])
            while x < d.nodes and same:
                same = d.allowed[x, u] == 1
                x = np.int64(s.link[x, NEXT])
            if not same:
                continue
        cost = d.kind[u, FIXED] - d.kind[t, FIXED]
        cost += (d.kind[u, PER_DISTANCE] - d.kind[t, PER_DISTANCE]) * s.route[r, LENGTH]
        if cost < best_cost:
            best, best_cost = u, cost
    return best, best_cost


@njit(cache=True, nogil=True, _nrt=False)
def best_place(d: Any, s: Any, c: int, log_keep: float, thorough: bool) -> tuple[int, int, int]:
    """(cost, item to follow, type): the type is -1 to keep the slot's own, the item -1 for a new route."""
    best, at, kind = NEVER, np.int64(-1), np.int64(-1)
    last_r, last_t, last_extra = np.int64(-1), np.int64(-1), np.int64(0)
    for k in range(d.near.shape[1]):
        j = np.int64(d.near[c, k])
        if j < 0:
            break
        r = np.int64(s.link[j, SLOT])
        if r < 0:
            continue
        if r != last_r:
            last_r = r
            last_t = s.route[r, KIND]
            last_extra = np.int64(0)
            if not fits(d, s, c, r, last_t):
                last_t = -1
                if d.kinds > 1 and d.mixed == 0:
                    last_t, last_extra = upgrade(d, s, c, r)
        if last_t < 0:
            continue
        switch = np.int64(-1) if last_t == s.route[r, KIND] else last_t
        bound = best - last_extra
        if not blinks(s, log_keep):
            cost = price_at(d, s, c, j, np.int64(s.link[j, NEXT]), r, last_t, bound)
            if cost < bound:
                best, at, kind, bound = cost + last_extra, j, switch, cost
        if not blinks(s, log_keep):
            p = np.int64(s.link[j, PREV])
            cost = price_at(d, s, c, p, j, r, last_t, bound)
            if cost < bound:
                best, at, kind = cost + last_extra, p, switch
    if s.num[N_USED] < d.slots:
        for t in range(d.kinds):
            if s.taken[t] < d.kind[t, COUNT] and not blinks(s, log_keep):
                cost = price_alone(d, c, t)
                if cost < best:
                    best, at, kind = cost, np.int64(-1), np.int64(t)
    if best == NEVER and thorough:
        for k in range(s.num[N_USED]):
            r = s.used[k]
            t = s.route[r, KIND]
            if not fits(d, s, c, r, t):
                continue
            p = d.nodes + 2 * r
            while True:
                q = np.int64(s.link[p, NEXT])
                cost = price_at(d, s, c, p, q, r, t, best)
                if cost < best:
                    best, at = cost, p
                if q >= d.nodes:
                    break
                p = q
    return best, at, kind


@njit(cache=True, nogil=True, _nrt=False)
def place_visit(d: Any, s: Any, c: int, at: int, kind: int) -> None:
    """Carry out what `best_place` found."""
    if at < 0:
        r = free_slot(s)
        at = d.nodes + 2 * r
        touch(s, at)
        touch_route(s, r)
        dress(d, s, r, kind)
        for k in range(d.dims):
            s.route[r, LOADS + k] = 0
        s.route[r, LENGTH] = 0
        s.route[r, READY] = 0
        s.route[r, TIME] = 0
    elif kind >= 0:
        r = np.int64(s.link[at, SLOT])
        change_kind(d, s, r, kind)
    put_in(d, s, c, at)


@njit(cache=True, nogil=True, _nrt=False)
def change_kind(d: Any, s: Any, r: int, kind: int) -> None:
    """Give used slot r another vehicle type; its times and length hold only after `refresh`."""
    touch(s, d.nodes + 2 * r)
    touch_route(s, r)
    s.taken[s.route[r, KIND]] -= 1
    s.taken[kind] += 1
    dress(d, s, r, kind)


@njit(cache=True, nogil=True, _nrt=False)
def retype(d: Any, s: Any, r: int) -> None:
    """Give slot r the free vehicle type that makes it cheapest."""
    own = s.route[r, KIND]
    a = d.nodes + 2 * r
    best, best_cost, tried = own, s.route[r, COST], False
    x, y = np.int64(s.link[a, NEXT]), np.int64(s.link[a + 1, PREV])
    for t in range(d.kinds):
        if t == own or s.taken[t] >= d.kind[t, COUNT]:
            continue
        possible = d.allowed[x, t] == 1
        for k in range(d.dims):
            if s.route[r, LOADS + k] > d.cap[t, k]:
                possible = False
        if not possible:
            continue
        if d.kind[t, PROFILE] == d.kind[own, PROFILE]:
            # a bound that is exact but for time: only the depot legs change
            prof = d.kind[t, PROFILE]
            length = s.route[r, LENGTH] - s.link[x, SPAN] - s.link[a + 1, SPAN]
            length += distance(d, prof, d.kind[t, START], x) + distance(d, prof, y, d.kind[t, END])
            if length > d.kind[t, MAX_DISTANCE]:
                continue
            if d.kind[t, FIXED] + d.kind[t, PER_DISTANCE] * length >= best_cost:
                continue
        tried = True
        touch(s, a + 1)
        z = x
        while z < d.nodes:
            touch(s, z)
            z = np.int64(s.link[z, NEXT])
        change_kind(d, s, r, t)
        if refresh(d, s, r) and s.route[r, COST] < best_cost:
            best, best_cost = t, s.route[r, COST]
        change_kind(d, s, r, own)
    if best != own:
        change_kind(d, s, r, best)
    if tried:
        refresh(d, s, r)
