"""A solution that changes by deltas: linked routes, a journal to undo with, a shadow copy of the best.

Items are nodes (0..N-1), then two sentinels per route slot r: its start N + 2r and its end N + 2r + 1. A
visit on no route is in the bank. Changes between `begin` and `commit` or `undo` cost what they touch, never
the size of the solution.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from solvers.kernels.data import (
    CLOSE,
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
    PLAIN,
    PRIZE,
    PROFILE,
    RELEASE,
    SERVICE,
    SOFT,
    START,
    Data,
)
from solvers.kernels.travel import distance, duration

# columns of `link`; SPAN is the distance from PREV, at a start sentinel the vehicle type of the slot
PREV, NEXT, SLOT, SPAN = range(4)
# columns of `route`; the loads follow
SIZE, KIND, LENGTH, TIME, READY, COST, LOADS = range(7)
# columns of `ahead` (route up to and including the item) and `behind` (from the item on)
WHEN, SPENT, FIRST, LAST = range(4)
# entries of `num`
(
    TICK,
    N_JOURNAL,
    N_TOUCHED,
    N_USED,
    N_BANK,
    N_DIRTY,
    VALUE,  # routes plus prizes lost
    MISSED_HARD,
    MISSED_SOFT,
    BEST_VALUE,
    BEST_HARD,
    BLINK,
    NUMS,
) = range(13)

NOWHERE = -1


class State(NamedTuple):
    """M items, R slots, T types, K dimensions. All int64 unless said; `link` has the matrices' type.

    link      (M, 4)       previous, next, slot, span; the columns above
    place     (M,)  int32  the item's node
    ahead     (M, 4)       when the item is left at the earliest; duration, first and last departure of the part
    behind    (M, 4)       when the item must be reached at the latest; duration, first, last arrival of the part
    peak      (M, 2K)      with `mixed`: largest loads up to leaving the item, and from then on
    route     (R, 6 + K)
    used      (R,), used_at (R,)   slots with visits, and where in `used` each stands (-1: empty)
    bank      (N,), bank_at (N,)   the same for unserved visits
    taken     (T,)         vehicles in use
    stamp     (M,), route_stamp (R,)   tick of the last touch
    journal   (M,), journal_link (M, 4)   items touched in this tick and their links before
    touched   (R,), touched_route (R, 6 + K)
    dirty     (M,), is_dirty (M,)  items that differ from `best`
    best      (M, 4)
    num       (12,)
    rng       (1,) uint64
    """

    link: Any
    place: Any
    ahead: Any
    behind: Any
    peak: Any
    route: Any
    used: Any
    used_at: Any
    bank: Any
    bank_at: Any
    taken: Any
    stamp: Any
    route_stamp: Any
    journal: Any
    journal_link: Any
    touched: Any
    touched_route: Any
    dirty: Any
    is_dirty: Any
    best: Any
    num: Any
    rng: Any


def new_state(data: Data, seed: int) -> State:
    """No routes, every visit in the bank."""
    n, r, k = data.nodes, data.slots, data.dims
    m = n + 2 * r
    link_type = data.dist.dtype
    link = np.full((m, 4), NOWHERE, dtype=link_type)
    slots = np.arange(r)
    link[n::2, SLOT] = link[n + 1 :: 2, SLOT] = slots
    link[n::2, NEXT], link[n + 1 :: 2, PREV] = n + 2 * slots + 1, n + 2 * slots
    link[n:, SPAN] = 0
    place = np.zeros(m, dtype=np.int32)
    place[:n] = np.arange(n)
    width = LOADS + k
    timed, mixed = data.timed != PLAIN, data.mixed
    bank = np.zeros(n, dtype=np.int64)
    bank_at = np.full(n, NOWHERE, dtype=np.int64)
    visits = np.arange(data.depots, n)
    bank[: len(visits)], bank_at[visits] = visits, np.arange(len(visits))
    num = np.zeros(NUMS, dtype=np.int64)
    num[N_BANK] = len(visits)
    num[VALUE] = int(data.node[:, PRIZE].sum())
    num[MISSED_HARD], num[MISSED_SOFT] = int(data.node[:, HARD].sum()), int(data.node[:, SOFT].sum())
    num[BEST_VALUE], num[BEST_HARD] = num[VALUE], num[MISSED_HARD]
    num[BLINK] = 100
    return State(
        link=link,
        place=place,
        ahead=np.zeros((m if timed else 1, 4), dtype=np.int64),
        behind=np.zeros((m if timed else 1, 4), dtype=np.int64),
        peak=np.zeros((m if mixed else 1, 2 * k), dtype=np.int64),
        route=np.zeros((r, width), dtype=np.int64),
        used=np.zeros(r, dtype=np.int64),
        used_at=np.full(r, NOWHERE, dtype=np.int64),
        bank=bank,
        bank_at=bank_at,
        taken=np.zeros(data.kinds, dtype=np.int64),
        stamp=np.zeros(m, dtype=np.int64),
        route_stamp=np.zeros(r, dtype=np.int64),
        journal=np.zeros(m, dtype=np.int64),
        journal_link=np.zeros((m, 4), dtype=link_type),
        touched=np.zeros(r, dtype=np.int64),
        touched_route=np.zeros((r, width), dtype=np.int64),
        dirty=np.zeros(m, dtype=np.int64),
        is_dirty=np.zeros(m, dtype=np.uint8),
        best=link.copy(),
        num=num,
        rng=np.array([(2 * seed + 1) * 0x9E3779B97F4A7C15 % 2**64 or 1], dtype=np.uint64),
    )


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def touch(s: Any, x: int) -> None:
    """Write item x into the journal unless it is there."""
    if s.stamp[x] != s.num[TICK]:
        s.stamp[x] = s.num[TICK]
        k = s.num[N_JOURNAL]
        s.journal[k] = x
        for c in range(4):
            s.journal_link[k, c] = s.link[x, c]
        s.num[N_JOURNAL] = k + 1


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def touch_route(s: Any, r: int) -> None:
    if s.route_stamp[r] != s.num[TICK]:
        s.route_stamp[r] = s.num[TICK]
        k = s.num[N_TOUCHED]
        s.touched[k] = r
        for c in range(s.route.shape[1]):
            s.touched_route[k, c] = s.route[r, c]
        s.num[N_TOUCHED] = k + 1


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def to_bank(d: Any, s: Any, x: int) -> None:
    if s.bank_at[x] < 0:
        k = s.num[N_BANK]
        s.bank[k] = x
        s.bank_at[x] = k
        s.num[N_BANK] = k + 1
        s.num[VALUE] += d.node[x, PRIZE]
        s.num[MISSED_HARD] += d.node[x, HARD]
        s.num[MISSED_SOFT] += d.node[x, SOFT]


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def from_bank(d: Any, s: Any, x: int) -> None:
    k = s.bank_at[x]
    if k >= 0:
        last = s.bank[s.num[N_BANK] - 1]
        s.bank[k] = last
        s.bank_at[last] = k
        s.bank_at[x] = -1
        s.num[N_BANK] -= 1
        s.num[VALUE] -= d.node[x, PRIZE]
        s.num[MISSED_HARD] -= d.node[x, HARD]
        s.num[MISSED_SOFT] -= d.node[x, SOFT]


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def set_used(s: Any, r: int, kind: int, on: bool) -> None:
    """Keep the set of used slots and the count of vehicles taken; `kind` is the type the slot has or had."""
    k = s.used_at[r]
    if on and k < 0:
        s.used_at[r] = s.num[N_USED]
        s.used[s.num[N_USED]] = r
        s.num[N_USED] += 1
        s.taken[kind] += 1
    elif not on and k >= 0:
        last = s.used[s.num[N_USED] - 1]
        s.used[k] = last
        s.used_at[last] = k
        s.used_at[r] = -1
        s.num[N_USED] -= 1
        s.taken[kind] -= 1


@njit(cache=True, nogil=True, _nrt=False)
def free_slot(s: Any) -> int:
    """A slot without visits, or -1. Used slots are kept dense at the low end, so this looks at few."""
    n = s.num[N_USED]
    if n >= len(s.used_at):
        return -1
    if s.used_at[n] < 0:
        return n
    for r in range(n):
        if s.used_at[r] < 0:
            return r
    for r in range(n, len(s.used_at)):
        if s.used_at[r] < 0:
            return r
    return -1


@njit(cache=True, nogil=True, _nrt=False)
def dress(d: Any, s: Any, r: int, kind: int) -> None:
    """Give slot r a vehicle type: its depots, and the time fences of an empty route."""
    a = d.nodes + 2 * r
    s.link[a, SPAN] = kind
    s.place[a] = d.kind[kind, START]
    s.place[a + 1] = d.kind[kind, END]
    s.route[r, KIND] = kind
    if d.timed != 0:
        s.ahead[a, WHEN] = d.kind[kind, OPEN]
        s.ahead[a, SPENT] = 0
        s.ahead[a, FIRST] = d.kind[kind, OPEN]
        s.ahead[a, LAST] = d.kind[kind, CLOSE]
        s.behind[a + 1, WHEN] = d.kind[kind, CLOSE]
        s.behind[a + 1, SPENT] = 0
        s.behind[a + 1, FIRST] = d.kind[kind, OPEN]
        s.behind[a + 1, LAST] = d.kind[kind, CLOSE]


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def step_ahead(d: Any, s: Any, prof: int, x: int) -> bool:
    """Forward times of item x from its predecessor's; False if x cannot be reached in time."""
    p = s.link[x, PREV]
    leg = duration(d, prof, s.place[p], s.place[x])
    if x < d.nodes:
        early, late, work = d.node[x, EARLY], d.node[x, LATE], d.node[x, SERVICE]
    else:
        early, late, work = s.behind[x, FIRST], s.behind[x, WHEN], np.int64(0)
    begin = max(s.ahead[p, WHEN] + leg, early)
    s.ahead[x, WHEN] = begin + work
    if d.timed == 2:
        at = s.ahead[p, SPENT] + leg
        wait = max(early - at - s.ahead[p, LAST], 0)
        s.ahead[x, SPENT] = at + wait + work
        s.ahead[x, FIRST] = max(early - at, s.ahead[p, FIRST]) - wait
        s.ahead[x, LAST] = min(late - at, s.ahead[p, LAST])
    return begin <= late


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def step_behind(d: Any, s: Any, prof: int, x: int) -> bool:
    """Backward times of visit x from its successor's; False if what follows cannot be reached in time."""
    q = s.link[x, NEXT]
    work = d.node[x, SERVICE]
    leg = duration(d, prof, s.place[x], s.place[q])
    late = min(d.node[x, LATE], s.behind[q, WHEN] - leg - work)
    s.behind[x, WHEN] = late
    if d.timed == 2:
        after = work + leg
        wait = max(s.behind[q, FIRST] - after - d.node[x, LATE], 0)
        s.behind[x, SPENT] = after + wait + s.behind[q, SPENT]
        s.behind[x, FIRST] = max(s.behind[q, FIRST] - after, d.node[x, EARLY]) - wait
        s.behind[x, LAST] = min(s.behind[q, LAST] - after, d.node[x, LATE])
    return late >= d.node[x, EARLY]


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def price(d: Any, s: Any, r: int) -> None:
    """Cost of slot r from its length and time."""
    if s.route[r, SIZE] == 0:
        s.route[r, COST] = 0
        return
    t = s.route[r, KIND]
    cost = d.kind[t, FIXED] + d.kind[t, PER_DISTANCE] * s.route[r, LENGTH]
    if d.time_priced == 1:
        cost += d.kind[t, PER_TIME] * s.route[r, TIME]
    s.route[r, COST] = cost


@njit(cache=True, nogil=True, _nrt=False)
def refresh(d: Any, s: Any, r: int) -> bool:
    """Recompute everything of slot r from its links; False if it breaks a constraint. O(length)."""
    t = s.route[r, KIND]
    prof = d.kind[t, PROFILE]
    a = d.nodes + 2 * r
    end = a + 1
    dims = d.dims
    for k in range(dims):
        s.route[r, LOADS + k] = 0
    size, length, ready = 0, np.int64(0), np.int64(0)
    good = True
    x = np.int64(s.link[a, NEXT])
    p = a
    while True:
        span = distance(d, prof, s.place[p], s.place[x])
        s.link[x, SPAN] = span
        length += span
        if d.timed != 0 and not step_ahead(d, s, prof, x):
            good = False
        if x == end:
            break
        size += 1
        if d.skilled == 1 and d.allowed[x, t] == 0:
            good = False
        for k in range(dims):
            s.route[r, LOADS + k] += d.load[x, k]
        ready = max(ready, d.node[x, RELEASE])
        p, x = x, np.int64(s.link[x, NEXT])
    s.route[r, SIZE] = size
    s.route[r, LENGTH] = length
    s.route[r, READY] = ready
    for k in range(dims):
        if s.route[r, LOADS + k] > d.cap[t, k]:
            good = False
    if length > d.kind[t, MAX_DISTANCE]:
        good = False
    if d.timed == 2:
        s.route[r, TIME] = s.ahead[end, SPENT]
        if s.ahead[end, SPENT] > d.kind[t, MAX_DURATION] or ready > s.ahead[end, LAST]:
            good = False
    if d.timed != 0:
        x = np.int64(s.link[end, PREV])
        while x != a:
            step_behind(d, s, prof, x)
            x = np.int64(s.link[x, PREV])
    if d.mixed == 1:
        good = peaks(d, s, r) and good
    price(d, s, r)
    return good or size == 0


@njit(cache=True, nogil=True, _nrt=False)
def peaks(d: Any, s: Any, r: int) -> bool:
    """Largest loads before and after each item of slot r; False where the capacity is passed."""
    a = d.nodes + 2 * r
    t = s.route[r, KIND]
    good = True
    for k in range(d.dims):
        on = s.route[r, LOADS + k]
        top = on
        s.peak[a, k] = top
        s.peak[a, d.dims + k] = on
        x = np.int64(s.link[a, NEXT])
        while x < d.nodes:
            on += d.pick[x, k] - d.load[x, k]
            top = max(top, on)
            s.peak[x, k] = top
            s.peak[x, d.dims + k] = on
            x = np.int64(s.link[x, NEXT])
        if top > d.cap[t, k]:
            good = False
        x = np.int64(s.link[x, PREV])
        top = np.int64(-1)
        while True:
            top = max(top, s.peak[x, d.dims + k])
            s.peak[x, d.dims + k] = top
            if x == a:
                break
            x = np.int64(s.link[x, PREV])
    return good


@njit(cache=True, nogil=True, _nrt=False)
def take_out(d: Any, s: Any, x: int) -> None:
    """Unlink visit x and bank it. Times and peaks of its slot are stale until `refresh`."""
    p, q, r = np.int64(s.link[x, PREV]), np.int64(s.link[x, NEXT]), np.int64(s.link[x, SLOT])
    touch(s, p)
    touch(s, x)
    touch(s, q)
    touch_route(s, r)
    t = s.route[r, KIND]
    span = distance(d, d.kind[t, PROFILE], s.place[p], s.place[q])
    s.route[r, LENGTH] += span - s.link[x, SPAN] - s.link[q, SPAN]
    s.link[p, NEXT] = q
    s.link[q, PREV] = p
    s.link[q, SPAN] = span
    s.link[x, SLOT] = NOWHERE
    for k in range(d.dims):
        s.route[r, LOADS + k] -= d.load[x, k]
    s.route[r, SIZE] -= 1
    to_bank(d, s, x)
    if s.route[r, SIZE] == 0:
        set_used(s, r, t, False)


@njit(cache=True, nogil=True, _nrt=False)
def put_in(d: Any, s: Any, x: int, p: int) -> None:
    """Link banked visit x after item p and bring its slot up to date."""
    q, r = np.int64(s.link[p, NEXT]), np.int64(s.link[p, SLOT])
    touch(s, p)
    touch(s, x)
    touch(s, q)
    touch_route(s, r)
    t = s.route[r, KIND]
    prof = d.kind[t, PROFILE]
    before = distance(d, prof, s.place[p], x)
    after = distance(d, prof, x, s.place[q])
    if s.route[r, SIZE] == 0:
        set_used(s, r, t, True)
        s.route[r, LENGTH] = before + after
    else:
        s.route[r, LENGTH] += before + after - s.link[q, SPAN]
    s.link[p, NEXT] = x
    s.link[x, PREV] = p
    s.link[x, NEXT] = q
    s.link[x, SLOT] = r
    s.link[x, SPAN] = before
    s.link[q, PREV] = x
    s.link[q, SPAN] = after
    for k in range(d.dims):
        s.route[r, LOADS + k] += d.load[x, k]
    s.route[r, SIZE] += 1
    from_bank(d, s, x)
    if d.timed == 2 or d.mixed == 1:
        refresh(d, s, r)
    elif d.timed == 1:
        step_ahead(d, s, prof, x)
        y = q
        while True:
            old = s.ahead[y, WHEN]
            step_ahead(d, s, prof, y)
            if y >= d.nodes or s.ahead[y, WHEN] == old:
                break
            y = np.int64(s.link[y, NEXT])
        step_behind(d, s, prof, x)
        y = p
        while y < d.nodes:
            old = s.behind[y, WHEN]
            step_behind(d, s, prof, y)
            if s.behind[y, WHEN] == old:
                break
            y = np.int64(s.link[y, PREV])


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def begin(s: Any) -> None:
    """Start a change that `undo` or `commit` ends."""
    s.num[TICK] += 1
    s.num[N_JOURNAL] = 0
    s.num[N_TOUCHED] = 0


@njit(cache=True, nogil=True, _nrt=False)
def undo(d: Any, s: Any) -> None:
    """Back to where `begin` was called; VALUE and the MISSED sums included."""
    for k in range(s.num[N_JOURNAL]):
        x = s.journal[k]
        for c in range(4):
            s.link[x, c] = s.journal_link[k, c]
        if x < d.nodes:
            if s.link[x, SLOT] < 0:
                to_bank(d, s, x)
            else:
                from_bank(d, s, x)
    for k in range(s.num[N_TOUCHED]):
        r = s.touched[k]
        set_used(s, r, s.route[r, KIND], False)
        for c in range(s.route.shape[1]):
            s.route[r, c] = s.touched_route[k, c]
    for k in range(s.num[N_TOUCHED]):
        r = s.touched[k]
        t = s.route[r, KIND]
        if d.kinds > 1:
            dress(d, s, r, t)
        if s.route[r, SIZE] > 0:
            set_used(s, r, t, True)
            if d.timed != 0 or d.mixed == 1:
                refresh(d, s, r)


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def commit(s: Any) -> None:
    """Keep the change; the touched items now differ from the best."""
    for k in range(s.num[N_JOURNAL]):
        x = s.journal[k]
        if s.is_dirty[x] == 0:
            s.is_dirty[x] = 1
            s.dirty[s.num[N_DIRTY]] = x
            s.num[N_DIRTY] += 1


@njit(cache=True, nogil=True, _nrt=False)
def save_best(s: Any) -> None:
    """Copy what differs into `best`."""
    for k in range(s.num[N_DIRTY]):
        x = s.dirty[k]
        s.is_dirty[x] = 0
        for c in range(4):
            s.best[x, c] = s.link[x, c]
    s.num[N_DIRTY] = 0
    s.num[BEST_VALUE] = s.num[VALUE]
    s.num[BEST_HARD] = s.num[MISSED_HARD]
