"""Moves that insertion cannot make: two routes exchange their ends, a route is cut in two, a piece of a route is
driven backwards.

Each is a proposal to the annealing of `solvers.kernels.ruin_recreate`: its change of cost is known before
anything is changed, so a proposal that is turned down costs a few look-ups.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.insertion import NEVER, rand
from solvers.kernels.jit import helper, inlined
from solvers.kernels.layout import (
    A_LAST,
    A_SPENT,
    A_WHEN,
    B_FIRST,
    B_LAST,
    B_SPENT,
    B_WHEN,
    BARRED,
    COST,
    COUNT,
    DEPOTS,
    DIMS,
    END,
    FIELD,
    FIELD_FROM,
    FIXED,
    ITEM,
    KIND,
    LENGTH,
    LOADS,
    MAX_DISTANCE,
    MAX_DURATION,
    MIXED,
    N_USED,
    NEAR_AT,
    NEAR_WIDTH,
    NEXT,
    NODE,
    NODES,
    ONE_WAY,
    PER_DISTANCE,
    PER_TIME,
    PLACE,
    PREV,
    PROFILE,
    QUICK,
    RELEASE,
    ROUTE_WIDTH,
    SIDE,
    SIZE,
    SLOT,
    SLOTS,
    SPAN,
    START,
    SYMMETRIC,
    TAKEN_AT,
    TIME,
    TIME_PRICED,
    TIMED,
    VALUE,
    WAY_AT,
    WITHIN_SIDES,
)
from solvers.kernels.state import begin, commit, dress, free_slot, refresh, set_used, slot, touch, touch_route
from solvers.kernels.travel import capacity, distance, duration, kind, load, pick

ENDS, BACKWARDS = 0, 1  # kinds of proposal


@inlined
def link(S: Any, a: int, b: int) -> None:
    """Let item b follow item a; spans and times hold only after `refresh`."""
    touch(S, a)
    touch(S, b)
    S[ITEM * a + NEXT] = b
    S[ITEM * b + PREV] = a


@helper
def load_before(P: Any, S: Any, x: int, k: int) -> int:
    """Load of dimension k of the visits of x's route up to and including item x."""
    total = np.int64(0)
    while x < P[NODES]:
        total += load(P, x, k)
        x = np.int64(S[ITEM * x + PREV])
    return total


@helper
def length_before(P: Any, S: Any, x: int) -> int:
    """Distance from the start of x's route to item x."""
    total = np.int64(0)
    while x < P[NODES]:
        total += S[ITEM * x + SPAN]
        x = np.int64(S[ITEM * x + PREV])
    return total


@helper
def ready_of(P: Any, S: Any, x: int, step: int) -> int:
    """Latest release of item x and the visits before it (`step` PREV) or behind it (NEXT)."""
    latest = np.int64(0)
    while x < P[NODES]:
        latest = max(latest, P[NODE * x + RELEASE])
        x = np.int64(S[ITEM * x + step])
    return latest


@helper
def room(P: Any, S: Any, t: int, r: int, q: int, u: int, v: int, backwards: bool) -> bool:
    """Whether loads allow slots r and q, of type t, to exchange what follows u and v.

    With `backwards` slot r becomes its beginning up to u with the beginning of q up to v, and q the two rests.
    """
    for k in range(P[DIMS]):
        one, two = load_before(P, S, u, k), load_before(P, S, v, k)
        all_r, all_q = S[slot(S, r) + LOADS + k], S[slot(S, q) + LOADS + k]
        first = one + two if backwards else one + all_q - two
        if first > capacity(P, t, k) or all_r + all_q - first > capacity(P, t, k):
            return False
    return True


@helper
def bears(P: Any, S: Any, t: int, a: int, u: int, y: int) -> bool:
    """Whether a vehicle of type t can carry all deliveries and pickups from start a to u, then from y on."""
    for k in range(P[DIMS]):
        on = load_before(P, S, u, k)
        x = y
        while x < P[NODES]:
            on += load(P, x, k)
            x = np.int64(S[ITEM * x + NEXT])
        if on > capacity(P, t, k):
            return False
        x = y if u == a else np.int64(S[ITEM * a + NEXT])
        while x < P[NODES]:
            on += pick(P, x, k) - load(P, x, k)
            if on > capacity(P, t, k):
                return False
            x = y if x == u else np.int64(S[ITEM * x + NEXT])
    return True


@helper
def joined(D: Any, F: Any, P: Any, S: Any, t: int, a: int, b: int) -> int:
    """Duration of the route up to item a followed by item b and what is behind it, or NEVER if too late.

    0 where durations do not matter.
    """
    leg = duration(D, F, P, P[kind(P, t) + PROFILE], S[ITEM * a + PLACE], S[ITEM * b + PLACE])
    if S[ITEM * a + A_WHEN] + leg > S[ITEM * b + B_WHEN]:
        return NEVER
    if P[TIMED] == 1:
        return 0
    at = S[ITEM * a + A_SPENT] + leg
    wait = max(S[ITEM * b + B_FIRST] - at - S[ITEM * a + A_LAST], 0)
    spent = at + wait + S[ITEM * b + B_SPENT]
    last = min(S[ITEM * b + B_LAST] - at, S[ITEM * a + A_LAST])
    if spent > P[kind(P, t) + MAX_DURATION] or max(ready_of(P, S, a, PREV), ready_of(P, S, b, NEXT)) > last:
        return NEVER
    return spent


@helper
def ends_change(D: Any, F: Any, P: Any, S: Any, u: int, v: int, bound: float) -> int:
    """Change of cost when what follows u and what follows v change places; NEVER if not below `bound`.

    u and v are on different routes of one type; v may be the start of its route.
    """
    r, q = np.int64(S[ITEM * u + SLOT]), np.int64(S[ITEM * v + SLOT])
    t = S[slot(S, r) + KIND]
    row = kind(P, t)
    x, y = np.int64(S[ITEM * u + NEXT]), np.int64(S[ITEM * v + NEXT])
    new_x = distance(D, F, P, P[row + PROFILE], S[ITEM * v + PLACE], S[ITEM * x + PLACE])
    new_y = distance(D, F, P, P[row + PROFILE], S[ITEM * u + PLACE], S[ITEM * y + PLACE])
    emptied = v >= P[NODES] and x >= P[NODES]
    if emptied:
        new_x = np.int64(0)
    change = P[row + PER_DISTANCE] * (new_x + new_y - S[ITEM * x + SPAN] - S[ITEM * y + SPAN])
    if emptied:
        change -= P[row + FIXED]
    if change >= bound and P[TIME_PRICED] == 0:
        return NEVER
    if new_x >= P[BARRED] or new_y >= P[BARRED]:
        return NEVER
    if P[TIMED] != 0:
        one = joined(D, F, P, S, t, u, y)
        if one == NEVER:
            return NEVER
        two = np.int64(0) if emptied else joined(D, F, P, S, t, v, x)
        if two == NEVER:
            return NEVER
        if P[TIMED] == 2:
            change += P[row + PER_TIME] * (one + two - S[slot(S, r) + TIME] - S[slot(S, q) + TIME])
            if change >= bound:
                return NEVER
    if P[row + MAX_DISTANCE] < S[slot(S, r) + LENGTH] + S[slot(S, q) + LENGTH] + new_x + new_y:
        before_u, before_v = length_before(P, S, u), length_before(P, S, v)
        first = before_u + new_y + S[slot(S, q) + LENGTH] - before_v - S[ITEM * y + SPAN]
        second = before_v + new_x + S[slot(S, r) + LENGTH] - before_u - S[ITEM * x + SPAN]
        if max(first, second) > P[row + MAX_DISTANCE]:
            return NEVER
    if P[MIXED] == 1:
        a, b = P[NODES] + 2 * r, P[NODES] + 2 * q
        return change if bears(P, S, t, a, u, y) and bears(P, S, t, b, v, x) else NEVER
    return change if room(P, S, t, r, q, u, v, False) else NEVER


@helper
def split_change(D: Any, F: Any, P: Any, S: Any, u: int, bound: float) -> int:
    """Change of cost when what follows visit u becomes a route of its own; NEVER if not below `bound`."""
    r, x = np.int64(S[ITEM * u + SLOT]), np.int64(S[ITEM * u + NEXT])
    t = S[slot(S, r) + KIND]
    row = kind(P, t)
    if x >= P[NODES] or S[S[TAKEN_AT] + t] >= P[row + COUNT] or S[N_USED] >= P[SLOTS]:
        return NEVER
    start, end = P[NODES] + 2 * r, P[NODES] + 2 * r + 1
    new_x = distance(D, F, P, P[row + PROFILE], P[row + START], x)
    new_y = distance(D, F, P, P[row + PROFILE], u, P[row + END])
    change = P[row + PER_DISTANCE] * (new_x + new_y - S[ITEM * x + SPAN]) + P[row + FIXED]
    if (change >= bound and P[TIME_PRICED] == 0) or max(new_x, new_y) >= P[BARRED]:
        return NEVER
    if P[TIMED] != 0:
        one, two = joined(D, F, P, S, t, u, end), joined(D, F, P, S, t, start, x)
        if one == NEVER or two == NEVER:
            return NEVER
        if P[TIMED] == 2:
            change += P[row + PER_TIME] * (one + two - S[slot(S, r) + TIME])
            if change >= bound:
                return NEVER
    if P[row + MAX_DISTANCE] < S[slot(S, r) + LENGTH] + new_x + new_y:
        before = length_before(P, S, u)
        if (
            max(before + new_y, S[slot(S, r) + LENGTH] - before - S[ITEM * x + SPAN] + new_x)
            > P[row + MAX_DISTANCE]
        ):
            return NEVER
    return change


@helper
def after(P: Any, S: Any, u: int, v: int) -> bool:
    """Whether visit u comes after v on their route; False too where the order does not matter to `turns`."""
    x, y = np.int64(S[ITEM * u + NEXT]), np.int64(S[ITEM * v + NEXT])
    if x >= P[NODES] or P[NODE * u + SIDE] > P[NODE * v + SIDE]:
        return True
    return y < P[NODES] and P[NODE * x + SIDE] > P[NODE * y + SIDE]


@helper
def turns(D: Any, F: Any, P: Any, S: Any, t: int, u: int, v: int) -> bool:
    """Whether what `backwards_change` drives backwards has no backhauls, or is nothing but backhauls.

    Where u and v are on one route, u is before v unless both are backhauls or neither is.
    """
    r, q = np.int64(S[ITEM * u + SLOT]), np.int64(S[ITEM * v + SLOT])
    x = np.int64(S[ITEM * u + NEXT])
    if r == q:
        return P[NODE * u + SIDE] == P[NODE * v + SIDE] or P[NODE * x + SIDE] == P[NODE * v + SIDE]
    if P[NODE * S[ITEM * (P[NODES] + 2 * q) + NEXT] + SIDE] != P[NODE * v + SIDE]:
        return False
    if x >= P[NODES]:
        return True
    last = np.int64(S[ITEM * (P[NODES] + 2 * r + 1) + PREV])
    if P[NODE * x + SIDE] != P[NODE * last + SIDE]:
        return False
    row = kind(P, t)
    return distance(D, F, P, P[row + PROFILE], P[row + START], last) < P[BARRED]


@helper
def backwards_change(D: Any, F: Any, P: Any, S: Any, u: int, v: int, bound: float) -> int:
    """Change of cost when u and v become neighbours and so do their successors; NEVER if not below `bound`.

    On one route what lies between is driven backwards. Of two routes one takes both beginnings, the other both
    rests. For problems without clocks and pickups, with symmetric distances and types that end where they start;
    what is driven backwards is all backhauls or none.
    """
    r, q = np.int64(S[ITEM * u + SLOT]), np.int64(S[ITEM * v + SLOT])
    t = S[slot(S, r) + KIND]
    row = kind(P, t)
    if P[SYMMETRIC] == WITHIN_SIDES:
        if r == q and after(P, S, u, v):
            u, v = v, u
        if not turns(D, F, P, S, t, u, v):
            return NEVER
    x, y = np.int64(S[ITEM * u + NEXT]), np.int64(S[ITEM * v + NEXT])
    emptied = r != q and x >= P[NODES] and y >= P[NODES]
    near = distance(D, F, P, P[row + PROFILE], S[ITEM * u + PLACE], S[ITEM * v + PLACE])
    far = distance(D, F, P, P[row + PROFILE], S[ITEM * x + PLACE], S[ITEM * y + PLACE])
    if emptied:
        far = np.int64(0)
    more = near + far - S[ITEM * x + SPAN] - S[ITEM * y + SPAN]
    change = P[row + PER_DISTANCE] * more
    if emptied:
        change -= P[row + FIXED]
    if change >= bound or near >= P[BARRED] or far >= P[BARRED]:
        return NEVER
    if r == q:
        return change if S[slot(S, r) + LENGTH] + more <= P[row + MAX_DISTANCE] else NEVER
    if P[row + MAX_DISTANCE] < S[slot(S, r) + LENGTH] + S[slot(S, q) + LENGTH] + near + far:
        first = length_before(P, S, u) + near + length_before(P, S, v)
        rest = S[slot(S, r) + LENGTH] + S[slot(S, q) + LENGTH] + more - first
        if max(first, rest) > P[row + MAX_DISTANCE]:
            return NEVER
    return change if room(P, S, t, r, q, u, v, True) else NEVER


@helper
def hand_over(P: Any, S: Any, x: int, step: int, r: int) -> int:
    """Item x and the visits behind (`step` NEXT) or before it (PREV) now belong to slot r; the last of them."""
    last = x
    while x < P[NODES]:
        touch(S, x)
        S[ITEM * x + SLOT] = r
        last, x = x, np.int64(S[ITEM * x + step])
    return last


@helper
def turn(S: Any, f: int, l: int) -> None:  # noqa: E741
    """Let the string f to l be driven from l to f; its outer links are the caller's."""
    x = f
    while True:
        touch(S, x)
        y = np.int64(S[ITEM * x + NEXT])
        S[ITEM * x + NEXT], S[ITEM * x + PREV] = S[ITEM * x + PREV], y
        if x == l:
            return
        x = y


@helper
def exchange_ends(P: Any, S: Any, u: int, v: int) -> None:
    """Let what follows u and what follows v change places."""
    n = P[NODES]
    r, q = np.int64(S[ITEM * u + SLOT]), np.int64(S[ITEM * v + SLOT])
    x, y = np.int64(S[ITEM * u + NEXT]), np.int64(S[ITEM * v + NEXT])
    last_x, last_y = hand_over(P, S, x, NEXT, q), hand_over(P, S, y, NEXT, r)
    end_r, end_q = n + 2 * r + 1, n + 2 * q + 1
    if y < n:
        link(S, u, y)
        link(S, last_y, end_r)
    else:
        link(S, u, end_r)
    if x < n:
        link(S, v, x)
        link(S, last_x, end_q)
    else:
        link(S, v, end_q)


@helper
def drive_backwards(P: Any, S: Any, u: int, v: int) -> None:
    """Carry out what `backwards_change` describes."""
    n = P[NODES]
    r, q = np.int64(S[ITEM * u + SLOT]), np.int64(S[ITEM * v + SLOT])
    if r == q:
        x = np.int64(S[ITEM * u + NEXT])
        while x < n and x != v:
            x = np.int64(S[ITEM * x + NEXT])
        if x >= n:
            u, v = v, u
        x, y = np.int64(S[ITEM * u + NEXT]), np.int64(S[ITEM * v + NEXT])
        turn(S, x, v)
        link(S, u, v)
        link(S, x, y)
        return
    x, y = np.int64(S[ITEM * u + NEXT]), np.int64(S[ITEM * v + NEXT])
    start_q, end_r = n + 2 * q, n + 2 * r + 1
    first = hand_over(P, S, v, PREV, r)
    turn(S, first, v)
    link(S, u, v)
    link(S, first, end_r)
    if x < n:
        last = hand_over(P, S, x, NEXT, q)
        turn(S, x, last)
        link(S, start_q, last)
        link(S, x, y)
    else:
        link(S, start_q, y)


@helper
def propose(D: Any, F: Any, P: Any, S: Any, bound: float, worth: float) -> bool:
    """The best exchange of a random visit with its near ones, or with clocks a cut behind it, carried out if it
    changes the cost by less than `bound`; True then. A cut may cost as much more as a route more is worth."""
    visits = P[NODES] - P[DEPOTS]
    if S[FIELD] > 0:
        c = P[DEPOTS] + (S[FIELD_FROM] + int(rand(S) * S[FIELD])) % visits
    else:
        c = P[DEPOTS] + int(rand(S) * visits)
    r = np.int64(S[ITEM * c + SLOT])
    if r < 0:
        return False
    t = S[slot(S, r) + KIND]
    row = kind(P, t)
    plain = P[TIMED] == 0 and P[MIXED] == 0
    both = plain and P[SYMMETRIC] != ONE_WAY and P[row + START] == P[row + END]
    width, per = P[NEAR_WIDTH], P[row + PER_DISTANCE]
    # all proposals drive from c to j or back instead of two edges, of which each ends at c or at j
    known = P[QUICK] == 1 and P[TIME_PRICED] == 0
    span = max(S[ITEM * c + SPAN], S[ITEM * S[ITEM * c + NEXT] + SPAN])
    best, how, one, two = bound, -1, np.int64(-1), np.int64(-1)
    before = np.int64(S[ITEM * c + PREV])
    for k in range(width):
        j = P[P[NEAR_AT] + width * c + k]
        if j < 0:
            break
        q = S[ITEM * j + SLOT] if j < P[NODES] else np.int64(-1)
        if q < 0:
            continue
        if known:
            longest = span + max(S[ITEM * j + SPAN], S[ITEM * S[ITEM * j + NEXT] + SPAN])
            if per * (P[P[WAY_AT] + width * c + k] - longest) - P[row + FIXED] >= best:
                continue
        if S[slot(S, q) + KIND] != t:
            continue
        if q != r:
            p = np.int64(S[ITEM * j + PREV])
            change = ends_change(D, F, P, S, c, p, best)
            if change < best:
                best, how, one, two = float(change), ENDS, c, p
            # c behind j; where c is the first of its route, seen from j, which is a visit
            change = ends_change(D, F, P, S, j, before, best)
            if change < best:
                best, how, one, two = float(change), ENDS, j, before
        if both:
            if S[ITEM * c + NEXT] == j or before == j:
                continue
            change = backwards_change(D, F, P, S, c, j, best)
            if change < best:
                best, how, one, two = float(change), BACKWARDS, c, j
            p = np.int64(S[ITEM * j + PREV])
            if before < P[NODES] and p < P[NODES]:
                change = backwards_change(D, F, P, S, before, p, best)
                if change < best:
                    best, how, one, two = float(change), BACKWARDS, before, p
    if P[TIMED] != 0:
        change = split_change(D, F, P, S, c, best + worth)
        if change < best + worth:
            how, one, two = ENDS, c, P[NODES] + 2 * free_slot(P, S)
    if how < 0:
        return False
    carry_out(D, F, P, S, how, one, two)
    return True


@helper
def carry_out(D: Any, F: Any, P: Any, S: Any, how: int, u: int, v: int) -> None:
    """Make the move and keep it."""
    r, q = np.int64(S[ITEM * u + SLOT]), np.int64(S[ITEM * v + SLOT])
    begin(S)
    touch_route(S, r)
    touch_route(S, q)
    if S[slot(S, q) + SIZE] == 0:
        touch(S, v)
        dress(P, S, q, S[slot(S, r) + KIND])
        set_used(S, q, S[slot(S, r) + KIND], True)
    if how == ENDS:
        exchange_ends(P, S, u, v)
    else:
        drive_backwards(P, S, u, v)
    words = (S[ROUTE_WIDTH] - 2) // 2
    for s in (r, q):
        refresh(D, F, P, S, s)
        if S[slot(S, s) + SIZE] == 0:
            set_used(S, s, S[slot(S, s) + KIND], False)
        S[VALUE] += S[slot(S, s) + COST] - S[slot(S, s) + COST + words]
        if q == r:
            break
    commit(S)
