"""A solution that changes by deltas: linked routes, a journal to undo with, a shadow copy of the best.

A visit on no route is in the bank. Changes between `begin` and `commit` or `undo` cost what they touch, never
the size of the solution. The arrays are those of `solvers.kernels.layout`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.data import Packed
from solvers.kernels.jit import helper, inlined
from solvers.kernels.layout import (
    A_FIRST,
    A_LAST,
    A_SPENT,
    A_WHEN,
    ALLOWED_AT,
    B_FIRST,
    B_LAST,
    B_SPENT,
    B_WHEN,
    BANK_AT,
    BANKED,
    BARRED,
    BEST,
    BEST_HARD,
    BEST_VALUE,
    BLINK,
    CLOSE,
    COST,
    DIMS,
    DIRTY,
    DIRTY_AT,
    EARLY,
    END,
    FIXED,
    HARD,
    ITEM,
    JOURNAL_AT,
    KIND,
    KINDS,
    LATE,
    LENGTH,
    LOADS,
    MAX_DISTANCE,
    MAX_DURATION,
    MISSED_HARD,
    MISSED_SOFT,
    MIXED,
    N_BANK,
    N_DIRTY,
    N_JOURNAL,
    N_TOUCHED,
    N_USED,
    NEXT,
    NODE,
    NODES,
    NOWHERE,
    OPEN,
    P_HEAD,
    PEAK_AT,
    PER_DISTANCE,
    PER_TIME,
    PLACE,
    PREV,
    PRIZE,
    PROFILE,
    R_FIXED,
    R_STAMP,
    R_USED,
    RANDOM,
    READY,
    RELEASE,
    ROUTE_AT,
    ROUTE_WIDTH,
    S_HEAD,
    SERVICE,
    SIZE,
    SKILLED,
    SLOT,
    SLOTS,
    SOFT,
    SPAN,
    STAMP,
    START,
    TAKEN_AT,
    TICK,
    TIME,
    TIME_PRICED,
    TIMED,
    TOUCHED_AT,
    USED_AT,
    VALUE,
    WAS,
)
from solvers.kernels.travel import capacity, distance, duration, kind, load, pick
from solvers.travel import IntArray


def new_state(packed: Packed, seed: int) -> IntArray:
    """The state array S: no routes, every visit in the bank."""
    head, n = packed.ints, packed.nodes
    slots, dims, d = int(head[SLOTS]), int(head[DIMS]), packed.depots
    m = n + 2 * slots
    words = R_FIXED + dims
    sizes = {
        PEAK_AT: 2 * dims * m if head[MIXED] else 0,
        ROUTE_AT: slots * (2 + 2 * words),
        USED_AT: slots,
        BANK_AT: n,
        JOURNAL_AT: m,
        TOUCHED_AT: slots,
        DIRTY_AT: m,
        TAKEN_AT: int(head[KINDS]),
    }
    state = np.zeros(S_HEAD + ITEM * m + sum(sizes.values()), dtype=np.int64)
    at = S_HEAD + ITEM * m
    for place, size in sizes.items():
        state[place] = at
        at += size
    state[ROUTE_WIDTH] = 2 + 2 * words

    item = state[S_HEAD : S_HEAD + ITEM * m].reshape(m, ITEM)
    base = S_HEAD
    item[:, PREV - base] = item[:, NEXT - base] = item[:, SLOT - base] = item[:, BANKED - base] = NOWHERE
    item[:n, PLACE - base] = np.arange(n)
    ids = np.arange(slots)
    item[n::2, SLOT - base] = item[n + 1 :: 2, SLOT - base] = ids
    item[n::2, NEXT - base], item[n + 1 :: 2, PREV - base] = n + 2 * ids + 1, n + 2 * ids
    item[:, BEST - base : BEST - base + 4] = item[:, :4]
    visits = np.arange(d, n)
    item[d:n, BANKED - base] = np.arange(n - d)
    state[state[BANK_AT] : state[BANK_AT] + n - d] = visits
    rows = state[state[ROUTE_AT] : state[ROUTE_AT] + sizes[ROUTE_AT]].reshape(slots, -1)
    rows[:, R_USED] = NOWHERE

    state[N_BANK] = n - d
    state[VALUE] = state[BEST_VALUE] = packed.node[:, PRIZE - P_HEAD].sum()
    state[MISSED_HARD] = state[BEST_HARD] = packed.node[:, HARD - P_HEAD].sum()
    state[MISSED_SOFT] = packed.node[:, SOFT - P_HEAD].sum()
    state[BLINK] = 100
    mixed_bits = ((2 * seed + 1) * 0x9E3779B97F4A7C15) % 2**64
    state[RANDOM] = np.array(mixed_bits, dtype=np.uint64).astype(np.int64)
    return state


@inlined
def slot(S: Any, r: int) -> int:
    """Where the row of route slot r starts."""
    return S[ROUTE_AT] + S[ROUTE_WIDTH] * r


@inlined
def touch(S: Any, x: int) -> None:
    """Write item x into the journal unless it is there."""
    if S[ITEM * x + STAMP] != S[TICK]:
        S[ITEM * x + STAMP] = S[TICK]
        k = S[N_JOURNAL]
        S[S[JOURNAL_AT] + k] = x
        for c in range(4):
            S[ITEM * x + WAS + c] = S[ITEM * x + PREV + c]
        S[N_JOURNAL] = k + 1


@inlined
def touch_route(S: Any, r: int) -> None:
    if S[slot(S, r) + R_STAMP] != S[TICK]:
        S[slot(S, r) + R_STAMP] = S[TICK]
        k = S[N_TOUCHED]
        S[S[TOUCHED_AT] + k] = r
        row, words = slot(S, r) + SIZE, (S[ROUTE_WIDTH] - 2) // 2
        for c in range(row, row + words):
            S[c + words] = S[c]
        S[N_TOUCHED] = k + 1


@inlined
def to_bank(P: Any, S: Any, x: int) -> None:
    if S[ITEM * x + BANKED] < 0:
        k = S[N_BANK]
        S[S[BANK_AT] + k] = x
        S[ITEM * x + BANKED] = k
        S[N_BANK] = k + 1
        S[VALUE] += P[NODE * x + PRIZE]
        S[MISSED_HARD] += P[NODE * x + HARD]
        S[MISSED_SOFT] += P[NODE * x + SOFT]


@inlined
def from_bank(P: Any, S: Any, x: int) -> None:
    k = S[ITEM * x + BANKED]
    if k >= 0:
        last = S[S[BANK_AT] + S[N_BANK] - 1]
        S[S[BANK_AT] + k] = last
        S[ITEM * last + BANKED] = k
        S[ITEM * x + BANKED] = -1
        S[N_BANK] -= 1
        S[VALUE] -= P[NODE * x + PRIZE]
        S[MISSED_HARD] -= P[NODE * x + HARD]
        S[MISSED_SOFT] -= P[NODE * x + SOFT]


@helper
def set_used(S: Any, r: int, t: int, on: bool) -> None:
    """Keep the set of used slots and the count of vehicles taken; t is the type the slot has or had."""
    k = S[slot(S, r) + R_USED]
    if on and k < 0:
        S[slot(S, r) + R_USED] = S[N_USED]
        S[S[USED_AT] + S[N_USED]] = r
        S[N_USED] += 1
        S[S[TAKEN_AT] + t] += 1
    elif not on and k >= 0:
        last = S[S[USED_AT] + S[N_USED] - 1]
        S[S[USED_AT] + k] = last
        S[slot(S, last) + R_USED] = k
        S[slot(S, r) + R_USED] = -1
        S[N_USED] -= 1
        S[S[TAKEN_AT] + t] -= 1


@helper
def free_slot(P: Any, S: Any) -> int:
    """A slot without visits, or -1. Used slots are kept dense at the low end, so this looks at few."""
    n = S[N_USED]
    if n >= P[SLOTS]:
        return -1
    if S[slot(S, n) + R_USED] < 0:
        return n
    for r in range(n):
        if S[slot(S, r) + R_USED] < 0:
            return r
    for r in range(n, P[SLOTS]):
        if S[slot(S, r) + R_USED] < 0:
            return r
    return -1


@helper
def dress(P: Any, S: Any, r: int, t: int) -> None:
    """Give slot r a vehicle type: its depots, and the time fences of an empty route."""
    a = P[NODES] + 2 * r
    S[ITEM * a + SPAN] = t
    S[ITEM * a + PLACE] = P[kind(P, t) + START]
    S[ITEM * (a + 1) + PLACE] = P[kind(P, t) + END]
    S[slot(S, r) + KIND] = t
    if P[TIMED] != 0:
        S[ITEM * a + A_WHEN] = P[kind(P, t) + OPEN]
        S[ITEM * a + A_SPENT] = 0
        S[ITEM * a + A_FIRST] = P[kind(P, t) + OPEN]
        S[ITEM * a + A_LAST] = P[kind(P, t) + CLOSE]
        S[ITEM * (a + 1) + B_WHEN] = P[kind(P, t) + CLOSE]
        S[ITEM * (a + 1) + B_SPENT] = 0
        S[ITEM * (a + 1) + B_FIRST] = P[kind(P, t) + OPEN]
        S[ITEM * (a + 1) + B_LAST] = P[kind(P, t) + CLOSE]


@helper
def step_ahead(D: Any, F: Any, P: Any, S: Any, prof: int, x: int) -> bool:
    """Forward times of item x from its predecessor's; False if x cannot be reached in time."""
    p = S[ITEM * x + PREV]
    leg = duration(D, F, P, prof, S[ITEM * p + PLACE], S[ITEM * x + PLACE])
    if x < P[NODES]:
        early, late, work = P[NODE * x + EARLY], P[NODE * x + LATE], P[NODE * x + SERVICE]
    else:
        early, late, work = S[ITEM * x + B_FIRST], S[ITEM * x + B_WHEN], np.int64(0)
    begin = max(S[ITEM * p + A_WHEN] + leg, early)
    S[ITEM * x + A_WHEN] = begin + work
    if P[TIMED] == 2:
        at = S[ITEM * p + A_SPENT] + leg
        wait = max(early - at - S[ITEM * p + A_LAST], 0)
        S[ITEM * x + A_SPENT] = at + wait + work
        S[ITEM * x + A_FIRST] = max(early - at, S[ITEM * p + A_FIRST]) - wait
        S[ITEM * x + A_LAST] = min(late - at, S[ITEM * p + A_LAST])
    return begin <= late


@helper
def step_behind(D: Any, F: Any, P: Any, S: Any, prof: int, x: int) -> bool:
    """Backward times of visit x from its successor's; False if what follows cannot be reached in time."""
    q = S[ITEM * x + NEXT]
    work = P[NODE * x + SERVICE]
    leg = duration(D, F, P, prof, S[ITEM * x + PLACE], S[ITEM * q + PLACE])
    late = min(P[NODE * x + LATE], S[ITEM * q + B_WHEN] - leg - work)
    S[ITEM * x + B_WHEN] = late
    if P[TIMED] == 2:
        after = work + leg
        wait = max(S[ITEM * q + B_FIRST] - after - P[NODE * x + LATE], 0)
        S[ITEM * x + B_SPENT] = after + wait + S[ITEM * q + B_SPENT]
        S[ITEM * x + B_FIRST] = max(S[ITEM * q + B_FIRST] - after, P[NODE * x + EARLY]) - wait
        S[ITEM * x + B_LAST] = min(S[ITEM * q + B_LAST] - after, P[NODE * x + LATE])
    return late >= P[NODE * x + EARLY]


@helper
def carry_ahead(D: Any, F: Any, P: Any, S: Any, prof: int, y: int) -> None:
    """Forward times of item y and of those behind it, as far as they change."""
    while True:
        at = ITEM * y
        when, spent, first, last = S[at + A_WHEN], S[at + A_SPENT], S[at + A_FIRST], S[at + A_LAST]
        step_ahead(D, F, P, S, prof, y)
        if y >= P[NODES]:
            S[slot(S, S[at + SLOT]) + TIME] = S[at + A_SPENT]
            return
        if S[at + A_WHEN] == when and (
            P[TIMED] == 1
            or (S[at + A_SPENT] == spent and S[at + A_FIRST] == first and S[at + A_LAST] == last)
        ):
            return
        y = np.int64(S[at + NEXT])


@helper
def carry_behind(D: Any, F: Any, P: Any, S: Any, prof: int, y: int) -> None:
    """Backward times of item y and of those before it, as far as they change."""
    while y < P[NODES]:
        at = ITEM * y
        when, spent, first, last = S[at + B_WHEN], S[at + B_SPENT], S[at + B_FIRST], S[at + B_LAST]
        step_behind(D, F, P, S, prof, y)
        if S[at + B_WHEN] == when and (
            P[TIMED] == 1
            or (S[at + B_SPENT] == spent and S[at + B_FIRST] == first and S[at + B_LAST] == last)
        ):
            return
        y = np.int64(S[at + PREV])


@helper
def mend(D: Any, F: Any, P: Any, S: Any) -> None:
    """Bring all times up to date after the links of the items in the journal have changed.

    Only what follows or precedes such an item can be out of date. The backward pass goes through the journal from
    its end, since strings are taken out from front to back: so each visit is mostly looked at once.
    """
    if P[TIMED] == 0:
        return
    for k in range(S[N_JOURNAL]):
        x = S[S[JOURNAL_AT] + k]
        r = S[ITEM * x + SLOT]
        if r >= 0 and S[slot(S, r) + SIZE] > 0 and (x < P[NODES] or (x - P[NODES]) % 2 == 1):
            carry_ahead(D, F, P, S, P[kind(P, S[slot(S, r) + KIND]) + PROFILE], x)
    for k in range(S[N_JOURNAL] - 1, -1, -1):
        x = S[S[JOURNAL_AT] + k]
        r = S[ITEM * x + SLOT]
        if r >= 0 and x < P[NODES]:
            carry_behind(D, F, P, S, P[kind(P, S[slot(S, r) + KIND]) + PROFILE], x)


@helper
def after_ruin(D: Any, F: Any, P: Any, S: Any) -> None:
    """Times, peaks and latest releases of the routes that visits have been taken out of."""
    mend(D, F, P, S)
    for k in range(S[N_TOUCHED]):
        r = S[S[TOUCHED_AT] + k]
        if P[MIXED] == 1:
            peaks(P, S, r)
        if S[slot(S, r) + READY] > 0:
            ready, x = np.int64(0), np.int64(S[ITEM * (P[NODES] + 2 * r) + NEXT])
            while x < P[NODES]:
                ready = max(ready, P[NODE * x + RELEASE])
                x = np.int64(S[ITEM * x + NEXT])
            S[slot(S, r) + READY] = ready


@inlined
def price(P: Any, S: Any, r: int) -> None:
    """Cost of slot r from its length and time."""
    if S[slot(S, r) + SIZE] == 0:
        S[slot(S, r) + COST] = 0
        return
    t = S[slot(S, r) + KIND]
    cost = P[kind(P, t) + FIXED] + P[kind(P, t) + PER_DISTANCE] * S[slot(S, r) + LENGTH]
    if P[TIME_PRICED] == 1:
        cost += P[kind(P, t) + PER_TIME] * S[slot(S, r) + TIME]
    S[slot(S, r) + COST] = cost


@helper
def refresh(D: Any, F: Any, P: Any, S: Any, r: int) -> bool:
    """Recompute everything of slot r from its links; False if it breaks a constraint. O(length)."""
    t = S[slot(S, r) + KIND]
    prof = P[kind(P, t) + PROFILE]
    a = P[NODES] + 2 * r
    end = a + 1
    dims = P[DIMS]
    for k in range(dims):
        S[slot(S, r) + LOADS + k] = 0
    size, length, ready = 0, np.int64(0), np.int64(0)
    good = True
    x = np.int64(S[ITEM * a + NEXT])
    p = a
    while True:
        span = distance(D, F, P, prof, S[ITEM * p + PLACE], S[ITEM * x + PLACE])
        S[ITEM * x + SPAN] = span
        length += span
        if P[TIMED] != 0 and not step_ahead(D, F, P, S, prof, x):
            good = False
        if x == end:
            break
        size += 1
        if P[SKILLED] == 1 and P[P[ALLOWED_AT] + P[KINDS] * x + t] == 0:
            good = False
        for k in range(dims):
            S[slot(S, r) + LOADS + k] += load(P, x, k)
        ready = max(ready, P[NODE * x + RELEASE])
        p, x = x, np.int64(S[ITEM * x + NEXT])
    S[slot(S, r) + SIZE] = size
    S[slot(S, r) + LENGTH] = length
    S[slot(S, r) + READY] = ready
    for k in range(dims):
        if S[slot(S, r) + LOADS + k] > capacity(P, t, k):
            good = False
    if length >= P[BARRED] or length > P[kind(P, t) + MAX_DISTANCE]:
        good = False
    if P[TIMED] == 2:
        S[slot(S, r) + TIME] = S[ITEM * end + A_SPENT]
        if S[ITEM * end + A_SPENT] > P[kind(P, t) + MAX_DURATION] or ready > S[ITEM * end + A_LAST]:
            good = False
    if P[TIMED] != 0:
        x = np.int64(S[ITEM * end + PREV])
        while x != a:
            step_behind(D, F, P, S, prof, x)
            x = np.int64(S[ITEM * x + PREV])
    if P[MIXED] == 1:
        good = peaks(P, S, r) and good
    price(P, S, r)
    return good or size == 0


@helper
def peaks(P: Any, S: Any, r: int) -> bool:
    """Largest loads before and after each item of slot r; False where the capacity is passed."""
    a = P[NODES] + 2 * r
    t = S[slot(S, r) + KIND]
    good = True
    for k in range(P[DIMS]):
        on = S[slot(S, r) + LOADS + k]
        top = on
        S[S[PEAK_AT] + 2 * P[DIMS] * a + k] = top
        S[S[PEAK_AT] + 2 * P[DIMS] * a + P[DIMS] + k] = on
        x = np.int64(S[ITEM * a + NEXT])
        while x < P[NODES]:
            on += pick(P, x, k) - load(P, x, k)
            top = max(top, on)
            S[S[PEAK_AT] + 2 * P[DIMS] * x + k] = top
            S[S[PEAK_AT] + 2 * P[DIMS] * x + P[DIMS] + k] = on
            x = np.int64(S[ITEM * x + NEXT])
        if top > capacity(P, t, k):
            good = False
        x = np.int64(S[ITEM * x + PREV])
        top = np.int64(-1)
        while True:
            top = max(top, S[S[PEAK_AT] + 2 * P[DIMS] * x + P[DIMS] + k])
            S[S[PEAK_AT] + 2 * P[DIMS] * x + P[DIMS] + k] = top
            if x == a:
                break
            x = np.int64(S[ITEM * x + PREV])
    return good


@helper
def take_out(D: Any, F: Any, P: Any, S: Any, x: int) -> None:
    """Unlink visit x and bank it. Times and peaks of its slot are stale until `refresh`."""
    p, q, r = np.int64(S[ITEM * x + PREV]), np.int64(S[ITEM * x + NEXT]), np.int64(S[ITEM * x + SLOT])
    touch(S, p)
    touch(S, x)
    touch(S, q)
    touch_route(S, r)
    t = S[slot(S, r) + KIND]
    span = distance(D, F, P, P[kind(P, t) + PROFILE], S[ITEM * p + PLACE], S[ITEM * q + PLACE])
    S[slot(S, r) + LENGTH] += span - S[ITEM * x + SPAN] - S[ITEM * q + SPAN]
    S[ITEM * p + NEXT] = q
    S[ITEM * q + PREV] = p
    S[ITEM * q + SPAN] = span
    S[ITEM * x + SLOT] = NOWHERE
    for k in range(P[DIMS]):
        S[slot(S, r) + LOADS + k] -= load(P, x, k)
    S[slot(S, r) + SIZE] -= 1
    to_bank(P, S, x)
    if S[slot(S, r) + SIZE] == 0:
        set_used(S, r, t, False)


@helper
def put_in(D: Any, F: Any, P: Any, S: Any, x: int, p: int) -> None:
    """Link banked visit x after item p and bring its slot up to date."""
    q, r = np.int64(S[ITEM * p + NEXT]), np.int64(S[ITEM * p + SLOT])
    touch(S, p)
    touch(S, x)
    touch(S, q)
    touch_route(S, r)
    t = S[slot(S, r) + KIND]
    prof = P[kind(P, t) + PROFILE]
    before = distance(D, F, P, prof, S[ITEM * p + PLACE], x)
    after = distance(D, F, P, prof, x, S[ITEM * q + PLACE])
    if S[slot(S, r) + SIZE] == 0:
        set_used(S, r, t, True)
        S[slot(S, r) + LENGTH] = before + after
    else:
        S[slot(S, r) + LENGTH] += before + after - S[ITEM * q + SPAN]
    S[ITEM * p + NEXT] = x
    S[ITEM * x + PREV] = p
    S[ITEM * x + NEXT] = q
    S[ITEM * x + SLOT] = r
    S[ITEM * x + SPAN] = before
    S[ITEM * q + PREV] = x
    S[ITEM * q + SPAN] = after
    for k in range(P[DIMS]):
        S[slot(S, r) + LOADS + k] += load(P, x, k)
    S[slot(S, r) + SIZE] += 1
    from_bank(P, S, x)
    S[slot(S, r) + READY] = max(S[slot(S, r) + READY], P[NODE * x + RELEASE])
    if P[TIMED] != 0:
        step_ahead(D, F, P, S, prof, x)
        carry_ahead(D, F, P, S, prof, q)
        step_behind(D, F, P, S, prof, x)
        carry_behind(D, F, P, S, prof, p)
    if P[MIXED] == 1:
        peaks(P, S, r)


@helper
def begin(S: Any) -> None:
    """Start a change that `undo` or `commit` ends."""
    S[TICK] += 1
    S[N_JOURNAL] = 0
    S[N_TOUCHED] = 0


@helper
def undo(D: Any, F: Any, P: Any, S: Any) -> None:
    """Back to where `begin` was called; VALUE and the MISSED sums included."""
    for k in range(S[N_JOURNAL]):
        x = S[S[JOURNAL_AT] + k]
        for c in range(4):
            S[ITEM * x + PREV + c] = S[ITEM * x + WAS + c]
        if x < P[NODES]:
            if S[ITEM * x + SLOT] < 0:
                to_bank(P, S, x)
            else:
                from_bank(P, S, x)
    words = (S[ROUTE_WIDTH] - 2) // 2
    for k in range(S[N_TOUCHED]):
        row = slot(S, S[S[TOUCHED_AT] + k])
        set_used(S, S[S[TOUCHED_AT] + k], S[row + KIND], False)
        for c in range(row + SIZE, row + SIZE + words):
            S[c] = S[c + words]
        if P[KINDS] > 1:
            dress(P, S, S[S[TOUCHED_AT] + k], S[row + KIND])
    # a type that changes the times of a route is given with all its visits touched, see `retype`
    mend(D, F, P, S)
    for k in range(S[N_TOUCHED]):
        r = S[S[TOUCHED_AT] + k]
        if S[slot(S, r) + SIZE] > 0:
            set_used(S, r, S[slot(S, r) + KIND], True)
            if P[MIXED] == 1:
                peaks(P, S, r)


@helper
def commit(S: Any) -> None:
    """Keep the change; the touched items now differ from the best."""
    for k in range(S[N_JOURNAL]):
        x = S[S[JOURNAL_AT] + k]
        if S[ITEM * x + DIRTY] == 0:
            S[ITEM * x + DIRTY] = 1
            S[S[DIRTY_AT] + S[N_DIRTY]] = x
            S[N_DIRTY] += 1


@helper
def save_best(S: Any) -> None:
    """Copy what differs into `best`."""
    for k in range(S[N_DIRTY]):
        x = S[S[DIRTY_AT] + k]
        S[ITEM * x + DIRTY] = 0
        for c in range(4):
            S[ITEM * x + BEST + c] = S[ITEM * x + PREV + c]
    S[N_DIRTY] = 0
    S[BEST_VALUE] = S[VALUE]
    S[BEST_HARD] = S[MISSED_HARD]
