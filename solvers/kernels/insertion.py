"""Where a banked visit goes best: next to its neighbours, on a new route, or anywhere as a last resort."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from solvers.kernels.jit import helper, inlined
from solvers.kernels.layout import (
    A_LAST,
    A_SPENT,
    A_WHEN,
    ALLOWED_AT,
    B_FIRST,
    B_LAST,
    B_SPENT,
    B_WHEN,
    BARRED,
    BLINK,
    CLOSE,
    COST,
    COUNT,
    DIMS,
    EARLY,
    END,
    FIXED,
    ITEM,
    KIND,
    KINDS,
    LATE,
    LENGTH,
    LOADS,
    MATRIX,
    MAX_DISTANCE,
    MAX_DURATION,
    MIXED,
    N_USED,
    NEAR_AT,
    NEAR_WIDTH,
    NEXT,
    NODE,
    NODES,
    OPEN,
    PEAK_AT,
    PER_DISTANCE,
    PER_TIME,
    PLACE,
    PREV,
    PROFILE,
    QUICK,
    RANDOM,
    READY,
    RELEASE,
    ROOM_AT,
    ROUTE_AT,
    ROUTE_WIDTH,
    SERVICE,
    SIZE,
    SKILLED,
    SLOT,
    SLOTS,
    SPAN,
    STAMP,
    STAND_INS_AT,
    STAND_INS_WIDTH,
    START,
    TAKEN_AT,
    TICK,
    TIME,
    TIME_PRICED,
    TIMED,
    USED_AT,
    WAS,
    WAY_AT,
)
from solvers.kernels.state import dress, free_slot, put_in, refresh, slot, touch, touch_route
from solvers.kernels.travel import capacity, distance, duration, kind, load, pick

NEVER = np.int64(2**62)  # cost of what is not possible


@inlined
def rand(S: Any) -> float:
    """Uniform in [0, 1), xorshift64*; the 64 bits of state are S[RANDOM]."""
    x = np.uint64(S[RANDOM])
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    S[RANDOM] = np.int64(x)
    return np.float64((x * np.uint64(0x2545F4914F6CDD1D)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inlined
def blinks(S: Any, log_keep: float) -> bool:
    """True with the blink probability, at the cost of a counter; log_keep is log(1 - probability) or 0."""
    if log_keep == 0.0:
        return False
    S[BLINK] -= 1
    if S[BLINK] > 0:
        return False
    S[BLINK] = 1 + np.int64(math.log(1.0 - rand(S)) / log_keep)
    return True


@inlined
def fits(P: Any, S: Any, c: int, r: int, t: int) -> bool:
    """Whether slot r, driven by type t, can take visit c as far as loads and skills go (not its order)."""
    if P[SKILLED] == 1 and P[P[ALLOWED_AT] + P[KINDS] * c + t] == 0:
        return False
    for k in range(P[DIMS]):
        if S[slot(S, r) + LOADS + k] + load(P, c, k) > capacity(P, t, k):
            return False
    return True


@helper
def in_time(D: Any, F: Any, P: Any, S: Any, c: int, p: int, q: int, r: int, t: int) -> int:
    """Extra duration of c between items p and q of slot r, or NEVER; 0 where durations do not matter."""
    prof = P[kind(P, t) + PROFILE]
    leg = duration(D, F, P, prof, S[ITEM * p + PLACE], c)
    begin = max(S[ITEM * p + A_WHEN] + leg, P[NODE * c + EARLY])
    if begin > P[NODE * c + LATE]:
        return NEVER
    work = P[NODE * c + SERVICE]
    leg2 = duration(D, F, P, prof, c, S[ITEM * q + PLACE])
    if begin + work + leg2 > S[ITEM * q + B_WHEN]:
        return NEVER
    if P[TIMED] == 1:
        return 0
    at = S[ITEM * p + A_SPENT] + leg
    wait = max(P[NODE * c + EARLY] - at - S[ITEM * p + A_LAST], 0)
    spent = at + wait + work
    last = min(P[NODE * c + LATE] - at, S[ITEM * p + A_LAST])
    at = spent + leg2
    wait = max(S[ITEM * q + B_FIRST] - at - last, 0)
    spent = at + wait + S[ITEM * q + B_SPENT]
    last = min(S[ITEM * q + B_LAST] - at, last)
    if spent > P[kind(P, t) + MAX_DURATION] or max(S[slot(S, r) + READY], P[NODE * c + RELEASE]) > last:
        return NEVER
    return spent - S[slot(S, r) + TIME]


@inlined
def fit_between(D: Any, F: Any, P: Any, S: Any, c: int, p: int, q: int, r: int, t: int) -> int:
    """Price of the extra time of c between items p and q, or NEVER if peaks or times do not allow it."""
    if P[MIXED] == 1:
        for k in range(P[DIMS]):
            if S[S[PEAK_AT] + 2 * P[DIMS] * p + k] + load(P, c, k) > capacity(P, t, k) or S[
                S[PEAK_AT] + 2 * P[DIMS] * p + P[DIMS] + k
            ] + pick(P, c, k) > capacity(P, t, k):
                return NEVER
    if P[TIMED] != 0:
        more = in_time(D, F, P, S, c, p, q, r, t)
        if more == NEVER:
            return NEVER
        if P[TIME_PRICED] == 1:
            return P[kind(P, t) + PER_TIME] * more
    return np.int64(0)


@helper
def price_at(D: Any, F: Any, P: Any, S: Any, c: int, p: int, q: int, r: int, t: int, bound: int) -> int:
    """Extra cost of c between items p and q, or NEVER if it is not possible or not below `bound`."""
    prof = P[kind(P, t) + PROFILE]
    extra = (
        distance(D, F, P, prof, S[ITEM * p + PLACE], c)
        + distance(D, F, P, prof, c, S[ITEM * q + PLACE])
        - S[ITEM * q + SPAN]
    )
    cost = P[kind(P, t) + PER_DISTANCE] * extra
    if cost >= bound and P[TIME_PRICED] == 0:
        return NEVER
    if extra >= P[BARRED] or S[slot(S, r) + LENGTH] + extra > P[kind(P, t) + MAX_DISTANCE]:
        return NEVER
    more = fit_between(D, F, P, S, c, p, q, r, t)
    return cost + more if more < NEVER and cost + more < bound else NEVER


@helper
def price_alone(D: Any, F: Any, P: Any, c: int, t: int) -> int:
    """Cost of a route of type t with visit c alone, or NEVER."""
    if P[P[ALLOWED_AT] + P[KINDS] * c + t] == 0:
        return NEVER
    for k in range(P[DIMS]):
        if load(P, c, k) > capacity(P, t, k) or (P[MIXED] == 1 and pick(P, c, k) > capacity(P, t, k)):
            return NEVER
    prof, a, b = P[kind(P, t) + PROFILE], P[kind(P, t) + START], P[kind(P, t) + END]
    length = distance(D, F, P, prof, a, c) + distance(D, F, P, prof, c, b)
    if length >= P[BARRED] or length > P[kind(P, t) + MAX_DISTANCE]:
        return NEVER
    cost = P[kind(P, t) + FIXED] + P[kind(P, t) + PER_DISTANCE] * length
    if P[TIMED] != 0:
        out = duration(D, F, P, prof, a, c)
        spent = out + P[NODE * c + SERVICE] + duration(D, F, P, prof, c, b)
        begin = max(max(P[kind(P, t) + OPEN], P[NODE * c + RELEASE]) + out, P[NODE * c + EARLY])
        if begin > P[NODE * c + LATE] or begin - out + spent > P[kind(P, t) + CLOSE]:
            return NEVER
        if spent > P[kind(P, t) + MAX_DURATION]:
            return NEVER
        if P[TIME_PRICED] == 1:
            cost += P[kind(P, t) + PER_TIME] * spent
    return cost


@helper
def upgrade(D: Any, F: Any, P: Any, S: Any, c: int, r: int) -> tuple[int, int]:
    """(type, extra cost) of the cheapest free type that could take slot r with visit c where its own cannot.

    Only the type's stand-ins, see `solvers.kernels.data.stand_ins`; with other ones `retype` deals.
    """
    t = S[slot(S, r) + KIND]
    best, best_cost = -1, NEVER
    for k in range(P[DIMS]):
        if S[slot(S, r) + LOADS + k] + load(P, c, k) > P[P[ROOM_AT] + P[DIMS] * t + k]:
            return best, best_cost
    at = P[STAND_INS_AT] + P[STAND_INS_WIDTH] * t
    while P[at] >= 0:
        u = P[at]
        at += 1
        if S[S[TAKEN_AT] + u] >= P[kind(P, u) + COUNT] or not fits(P, S, c, r, u):
            continue
        cost = P[kind(P, u) + FIXED] - P[kind(P, t) + FIXED]
        cost += (P[kind(P, u) + PER_DISTANCE] - P[kind(P, t) + PER_DISTANCE]) * S[slot(S, r) + LENGTH]
        if cost >= best_cost:
            continue
        if P[SKILLED] == 1:
            x = np.int64(S[ITEM * (P[NODES] + 2 * r) + NEXT])
            while x < P[NODES] and P[P[ALLOWED_AT] + P[KINDS] * x + u] == 1:
                x = np.int64(S[ITEM * x + NEXT])
            if x < P[NODES]:
                continue
        best, best_cost = u, cost
    return best, best_cost


@helper
def best_place(
    D: Any, F: Any, P: Any, S: Any, c: int, log_keep: float, thorough: bool
) -> tuple[int, int, int]:
    """(cost, item to follow, type): the type is -1 to keep the slot's own, the item -1 for a new route."""
    return likely_place(D, F, P, S, c, log_keep, thorough, F, 0)


@helper
def likely_place(
    D: Any, F: Any, P: Any, S: Any, c: int, log_keep: float, thorough: bool, T: Any, odds_at: int
) -> tuple[int, int, int]:
    """The place that costs least, or with `odds_at` > 0 the least of some drawn at random.

    Beside the visit that is k-th in c's near list places are then looked at with the probability
    `T[odds_at + W * c + k]`, W being the length of the lists: one number is drawn for all of them. The place
    that c had is always looked at.

    An edge is looked at from its end nearer to c, where distances are symmetric: from the farther end it can
    cost no less than twice the way there less the edge, which rules most edges out before a look-up. With
    clocks that end may be missing in the near list, so there both ends count. Only
    places that would be the best so far blink; the others might as well have been overlooked.
    """
    n, width, kinds = P[NODES], P[NEAR_WIDTH], P[KINDS]
    near, ways = P[NEAR_AT] + width * c, P[WAY_AT] + width * c
    far = P[BARRED]
    nearer = 0 if P[TIMED] == 0 else width
    matrix, c_row = P[MATRIX] == 1, c * n
    quick, loose = P[QUICK] == 1, P[TIMED] == 0 and P[MIXED] == 0
    route_at, route_width = S[ROUTE_AT], S[ROUTE_WIDTH]
    best, at, new_kind = NEVER, np.int64(-1), np.int64(-1)
    last_r, last_t, last_extra = np.int64(-1), np.int64(-1), np.int64(0)
    own, row, prof, per, slack = np.int64(-1), np.int64(0), np.int64(0), np.int64(0), np.int64(0)
    out, back = np.int64(0), np.int64(0)
    odds = odds_at + width * c
    level = rand(S) if odds_at > 0 else 0.0
    moved = S[ITEM * c + STAMP] == S[TICK]
    for k in range(-2 if moved else 0, width):
        if k >= 0:
            j = P[near + k]
            if j < 0:
                break
            if odds_at > 0 and T[odds + k] < level:
                continue
        else:  # between its former neighbours, which may be far away
            j = S[ITEM * c + WAS + k + 2]
        r = S[ITEM * j + SLOT] if j >= 0 else np.int64(-1)
        if r < 0 or (j >= n and S[route_at + route_width * r + SIZE] == 0):
            continue
        if r != last_r:
            last_r = r
            own = S[route_at + route_width * r + KIND]
            last_t, last_extra = own, np.int64(0)
            if not fits(P, S, c, r, own):
                last_t = np.int64(-1)
                if kinds > 1 and P[MIXED] == 0:
                    last_t, last_extra = upgrade(D, F, P, S, c, r)
            if last_t >= 0:
                old = row
                row = kind(P, last_t)
                prof, per = P[row + PROFILE], P[row + PER_DISTANCE]
                slack = P[row + MAX_DISTANCE] - S[route_at + route_width * r + LENGTH]
                if quick and row != old:
                    out = distance(D, F, P, prof, P[row + START], c)
                    back = distance(D, F, P, prof, c, P[row + END])
        if last_t < 0:
            continue
        way = np.int64(0)
        if quick:
            way = P[ways + k] if k >= 0 else distance(D, F, P, prof, c, S[ITEM * j + PLACE])
        for side in range(2):
            if k + 2 == 1 - side:
                continue
            if side == 0:
                p, q = j, S[ITEM * j + NEXT]
                span = S[ITEM * q + SPAN]
            else:
                p, q = S[ITEM * j + PREV], j
                span = S[ITEM * j + SPAN]
            if quick:
                x = q if side == 0 else p
                if x >= n:
                    extra = way - span + (back if side == 0 else out)
                elif k >= nearer and last_extra + per * (2 * way - span) >= best:
                    continue
                elif matrix:
                    extra = way - span + np.int64(D[c_row + x])
                else:
                    extra = way - span + distance(D, F, P, prof, c, x)
            else:
                extra = (
                    distance(D, F, P, prof, S[ITEM * p + PLACE], c)
                    + distance(D, F, P, prof, c, S[ITEM * q + PLACE])
                    - span
                )
            cost = last_extra + per * extra
            if cost >= best and P[TIME_PRICED] == 0:
                continue
            if extra > slack or extra >= far:
                continue
            if not loose:
                more = fit_between(D, F, P, S, c, p, q, r, last_t)
                if more == NEVER:
                    continue
                cost += more
            if cost < best and not blinks(S, log_keep):
                best, at, new_kind = cost, p, np.int64(-1) if last_t == own else last_t
    if S[N_USED] < P[SLOTS]:
        for t in range(kinds):
            if S[S[TAKEN_AT] + t] < P[kind(P, t) + COUNT]:
                cost = price_alone(D, F, P, c, t)
                if cost < best and not blinks(S, log_keep):
                    best, at, new_kind = cost, np.int64(-1), np.int64(t)
    if best == NEVER and thorough:
        for k in range(S[N_USED]):
            r = S[S[USED_AT] + k]
            t = S[slot(S, r) + KIND]
            if not fits(P, S, c, r, t):
                continue
            p = n + 2 * r
            while True:
                q = np.int64(S[ITEM * p + NEXT])
                cost = price_at(D, F, P, S, c, p, q, r, t, best)
                if cost < best:
                    best, at = cost, p
                if q >= n:
                    break
                p = q
    return best, at, new_kind


@helper
def place_visit(D: Any, F: Any, P: Any, S: Any, c: int, at: int, t: int) -> None:
    """Carry out what `best_place` found."""
    if at < 0:
        r = free_slot(P, S)
        at = P[NODES] + 2 * r
        touch(S, at)
        touch_route(S, r)
        dress(P, S, r, t)
        for k in range(P[DIMS]):
            S[slot(S, r) + LOADS + k] = 0
        S[slot(S, r) + LENGTH] = 0
        S[slot(S, r) + READY] = 0
        S[slot(S, r) + TIME] = 0
    elif t >= 0:
        r = np.int64(S[ITEM * at + SLOT])
        change_kind(D, F, P, S, r, t)
    put_in(D, F, P, S, c, at)


@helper
def change_kind(D: Any, F: Any, P: Any, S: Any, r: int, t: int) -> None:
    """Give used slot r another vehicle type; its times and length hold only after `refresh`."""
    touch(S, P[NODES] + 2 * r)
    touch_route(S, r)
    S[S[TAKEN_AT] + S[slot(S, r) + KIND]] -= 1
    S[S[TAKEN_AT] + t] += 1
    dress(P, S, r, t)


@helper
def retype(D: Any, F: Any, P: Any, S: Any, r: int) -> None:
    """Give slot r the free vehicle type that makes it cheapest."""
    own = S[slot(S, r) + KIND]
    a = P[NODES] + 2 * r
    best, best_cost, tried = own, S[slot(S, r) + COST], False
    x, y = np.int64(S[ITEM * a + NEXT]), np.int64(S[ITEM * (a + 1) + PREV])
    for t in range(P[KINDS]):
        if t == own or S[S[TAKEN_AT] + t] >= P[kind(P, t) + COUNT]:
            continue
        possible = P[P[ALLOWED_AT] + P[KINDS] * x + t] == 1
        for k in range(P[DIMS]):
            if S[slot(S, r) + LOADS + k] > capacity(P, t, k):
                possible = False
        if not possible:
            continue
        if P[kind(P, t) + PROFILE] == P[kind(P, own) + PROFILE]:
            # a bound that is exact but for time: only the depot legs change
            prof = P[kind(P, t) + PROFILE]
            length = S[slot(S, r) + LENGTH] - S[ITEM * x + SPAN] - S[ITEM * (a + 1) + SPAN]
            length += distance(D, F, P, prof, P[kind(P, t) + START], x) + distance(
                D, F, P, prof, y, P[kind(P, t) + END]
            )
            if length > P[kind(P, t) + MAX_DISTANCE]:
                continue
            if P[kind(P, t) + FIXED] + P[kind(P, t) + PER_DISTANCE] * length >= best_cost:
                continue
        tried = True
        touch(S, a + 1)
        z = x
        while z < P[NODES]:
            touch(S, z)
            z = np.int64(S[ITEM * z + NEXT])
        change_kind(D, F, P, S, r, t)
        if refresh(D, F, P, S, r) and S[slot(S, r) + COST] < best_cost:
            best, best_cost = t, S[slot(S, r) + COST]
        change_kind(D, F, P, S, r, own)
    if best != own:
        change_kind(D, F, P, S, r, best)
    if tried:
        refresh(D, F, P, S, r)
