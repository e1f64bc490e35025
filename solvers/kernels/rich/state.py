"""The routes under search: taking jobs out and putting them in, saving and restoring, the best solution."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.jit import helper, inlined
from solvers.kernels.rich.at_hand import row_of, slot, take_up
from solvers.kernels.rich.evaluate import evaluate
from solvers.kernels.rich.insertion import best_in_route, lay_out
from solvers.kernels.rich.layout import (
    ABSENT_AT,
    ABSENT_OLD_AT,
    BACKUP_AT,
    BEST_AT,
    C_GAPS,
    C_MEMBER,
    C_MODE,
    C_STAMP,
    CACHE,
    CACHE_AT,
    CACHED,
    COST_BEST,
    COST_NOW,
    DEPOTS,
    EXTRA,
    EXTRA_OLD,
    F_JOB_AT,
    FOUND_GAP,
    FOUND_GAP2,
    FOUND_MEMBER,
    FOUND_MODE,
    FREE_AT,
    GROUP,
    INFINITE,
    J_COUNT,
    J_FROM,
    J_HARD,
    J_KIND,
    JOB,
    JOB_AT,
    JOB_OF,
    JOBS,
    KIND_USED_AT,
    LENGTH,
    LOCATE_AT,
    MEMBER_AT,
    MISSED,
    MISSED_BEST,
    MISSED_OLD,
    N_ABSENT,
    N_ABSENT_OLD,
    N_BEST,
    N_FREE,
    N_SAVED,
    N_USED,
    NODE,
    OLD_LENGTH,
    OLD_STAMP,
    OLD_TYPE,
    PAIR,
    PARTNER,
    PLACE,
    RANDOM,
    ROLE,
    SAVED,
    SAVED_AT,
    SLOTS,
    STAMP,
    TICK,
    TRIAL_AT,
    TYPE,
    USED_AT,
    V_CACHE_AT,
    V_COST_AT,
    V_OLD_AT,
    VERSION,
    WHERE_AT,
    WIDTH,
)


@inlined
def rand(S: Any) -> float:
    """Uniform in [0, 1), xorshift64*."""
    x = np.uint64(S[RANDOM])
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    S[RANDOM] = np.int64(x)
    return float((x * np.uint64(2685821657736338717)) >> np.uint64(11)) / 9007199254740992.0


@inlined
def below(S: Any, n: int) -> int:
    """A whole number from 0 to n - 1."""
    return min(n - 1, int(rand(S) * n))


@helper
def save(P: Any, S: Any, V: Any, r: int) -> None:
    """Keep slot r as it is, once per tick, so that `restore` can bring it back."""
    at = slot(S, r)
    if S[at + SAVED] == S[TICK]:
        return
    S[at + SAVED] = S[TICK]
    S[S[SAVED_AT] + S[N_SAVED]] = r
    S[N_SAVED] += 1
    S[at + OLD_LENGTH], S[at + OLD_TYPE], S[at + OLD_STAMP] = S[at + LENGTH], S[at + TYPE], S[at + STAMP]
    V[int(V[V_OLD_AT]) + r] = V[int(V[V_COST_AT]) + r]
    base, back = row_of(P, S, r), S[BACKUP_AT] + P[WIDTH] * r
    for i in range(S[at + LENGTH]):
        S[back + i] = S[base + i]


@helper
def begin(P: Any, S: Any, V: Any) -> None:
    """Start a tick: what happens from here on can be undone."""
    S[TICK] += 1
    S[N_SAVED] = 0
    S[N_ABSENT_OLD] = S[N_ABSENT]
    for i in range(S[N_ABSENT]):
        S[S[ABSENT_OLD_AT] + i] = S[S[ABSENT_AT] + i]
    V[EXTRA_OLD], V[MISSED_OLD] = V[EXTRA], V[MISSED]


@helper
def restore(P: Any, S: Any, V: Any) -> None:
    """Undo everything since `begin`."""
    depots = P[DEPOTS]
    for q in range(S[N_SAVED]):
        r = S[S[SAVED_AT] + q]
        base = row_of(P, S, r)
        for i in range(S[slot(S, r) + LENGTH]):
            x = S[base + i]
            if x >= depots and S[S[WHERE_AT] + x] == r:
                S[S[WHERE_AT] + x] = -1
        if S[slot(S, r) + LENGTH] > 0:
            release_slot(S, r)
    for q in range(S[N_SAVED]):
        r = S[S[SAVED_AT] + q]
        at, base, back = slot(S, r), row_of(P, S, r), S[BACKUP_AT] + P[WIDTH] * r
        if S[at + OLD_LENGTH] > 0:
            take_slot(S, r, S[at + OLD_TYPE])
        S[at + LENGTH], S[at + STAMP] = S[at + OLD_LENGTH], S[at + OLD_STAMP]
        V[int(V[V_COST_AT]) + r] = V[int(V[V_OLD_AT]) + r]
        for i in range(S[at + LENGTH]):
            S[base + i] = S[back + i]
            if S[back + i] >= depots:
                S[S[WHERE_AT] + S[back + i]] = r
    S[N_ABSENT] = S[N_ABSENT_OLD]
    for i in range(S[N_ABSENT]):
        S[S[ABSENT_AT] + i] = S[S[ABSENT_OLD_AT] + i]
    V[EXTRA], V[MISSED] = V[EXTRA_OLD], V[MISSED_OLD]
    total = V[EXTRA]
    for q in range(S[N_USED]):
        total += V[int(V[V_COST_AT]) + S[S[USED_AT] + q]]
    V[COST_NOW] = total


@helper
def take_slot(S: Any, r: int, t: int) -> None:
    """Move slot r from the free ones to those used, for a vehicle of type t."""
    at = slot(S, r)
    place, last = S[at + PLACE], S[S[FREE_AT] + S[N_FREE] - 1]
    S[S[FREE_AT] + place] = last
    S[slot(S, last) + PLACE] = place
    S[N_FREE] -= 1
    S[S[USED_AT] + S[N_USED]] = r
    S[at + PLACE] = S[N_USED]
    S[N_USED] += 1
    S[at + TYPE] = t
    S[S[KIND_USED_AT] + t] += 1


@helper
def release_slot(S: Any, r: int) -> None:
    """Move slot r from those used to the free ones."""
    at = slot(S, r)
    place, last = S[at + PLACE], S[S[USED_AT] + S[N_USED] - 1]
    S[S[USED_AT] + place] = last
    S[slot(S, last) + PLACE] = place
    S[N_USED] -= 1
    S[S[FREE_AT] + S[N_FREE]] = r
    S[at + PLACE] = S[N_FREE]
    S[N_FREE] += 1
    S[S[KIND_USED_AT] + S[at + TYPE]] -= 1
    S[at + LENGTH] = 0


@inlined
def stamped(S: Any, r: int) -> None:
    S[VERSION] += 1
    S[slot(S, r) + STAMP] = S[VERSION]


@helper
def lost_of(F: Any, P: Any, job: int, x: int) -> float:
    """Prize that serving x, rather than the best of its group, gives up."""
    row = P[JOB_AT] + JOB * job
    if P[row + J_KIND] != GROUP:
        return 0.0
    for m in range(P[row + J_COUNT]):
        if P[P[MEMBER_AT] + P[row + J_FROM] + m] == x:
            return F[P[F_JOB_AT] + P[JOBS] + P[row + J_FROM] + m]
    return 0.0


@helper
def leave_out(F: Any, P: Any, S: Any, V: Any, job: int) -> None:
    """Put the job, which is on no route any more, among the absent."""
    S[S[ABSENT_AT] + S[N_ABSENT]] = job
    S[N_ABSENT] += 1
    V[EXTRA] += F[P[F_JOB_AT] + job]
    V[MISSED] += P[P[JOB_AT] + JOB * job + J_HARD]


@helper
def strip(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, r: int) -> None:
    """Take the jobs marked in LOCATE out of slot r; all of its jobs if what is left breaks a rule."""
    save(P, S, V, r)
    at, base, depots = slot(S, r), row_of(P, S, r), P[DEPOTS]
    if not _compact(D, F, P, S, V, B, X, r):
        for i in range(S[at + LENGTH]):
            x = S[base + i]
            if x >= depots and P[NODE * x + JOB_OF] >= 0:
                S[S[LOCATE_AT] + P[NODE * x + JOB_OF]] = S[TICK]
        _compact(D, F, P, S, V, B, X, r)


@helper
def _compact(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, r: int) -> bool:
    """Drop marked jobs and idle halts from slot r; whether the rest keeps every rule."""
    at, base, depots = slot(S, r), row_of(P, S, r), P[DEPOTS]
    k, t = 0, S[at + TYPE]
    for i in range(S[at + LENGTH]):
        x = S[base + i]
        if x >= depots:
            job = P[NODE * x + JOB_OF]
            if job >= 0 and S[S[LOCATE_AT] + job] == S[TICK]:
                S[S[WHERE_AT] + x] = -1
                if P[NODE * x + ROLE] != 2:
                    lost = lost_of(F, P, job, x)
                    V[EXTRA] -= lost
                    leave_out(F, P, S, V, job)
                continue
        elif k == 0:
            continue
        elif S[base + k - 1] < depots:
            k -= 1
        S[base + k] = x
        k += 1
    while k > 0 and S[base + k - 1] < depots:
        k -= 1
    S[at + LENGTH] = k
    stamped(S, r)
    if k == 0:
        V[int(V[V_COST_AT]) + r] = 0.0
        release_slot(S, r)
        return True
    trial = B[TRIAL_AT]
    for i in range(k):
        B[trial + 1 + i] = S[base + i]
    cost = evaluate(D, F, P, B, X, trial, t, k)
    V[int(V[V_COST_AT]) + r] = cost
    return cost < INFINITE


@helper
def put_in(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, job: int, r: int, t: int) -> None:
    """Insert the job into slot r where FOUND_ says; slot r is free or driven by type t."""
    save(P, S, V, r)
    at, base = slot(S, r), row_of(P, S, r)
    x, gap, gap2, mode = B[FOUND_MEMBER], B[FOUND_GAP], B[FOUND_GAP2], B[FOUND_MODE]
    y = P[NODE * x + PARTNER] if P[P[JOB_AT] + JOB * job + J_KIND] == PAIR else -1
    take_up(D, F, P, S, V, B, X, r, t)
    k = lay_out(P, B, t, S[at + LENGTH], gap, x, gap2, y, mode)
    if S[at + LENGTH] == 0:
        take_slot(S, r, t)
    trial = B[TRIAL_AT]
    for i in range(k):
        S[base + i] = B[trial + 1 + i]
    S[at + LENGTH] = k
    stamped(S, r)
    V[int(V[V_COST_AT]) + r] = evaluate(D, F, P, B, X, trial, t, k)
    S[S[WHERE_AT] + x] = r
    if y >= 0:
        S[S[WHERE_AT] + y] = r
    V[EXTRA] += lost_of(F, P, job, x) - F[P[F_JOB_AT] + job]
    V[MISSED] -= P[P[JOB_AT] + JOB * job + J_HARD]


@helper
def cheapest(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, job: int, r: int) -> float:
    """Added cost of the job's best place in the used slot r, from the cache where the route has not changed."""
    t = S[slot(S, r) + TYPE]
    if P[CACHED] == 0:
        return best_in_route(D, F, P, S, V, B, X, job, r, t)
    cell = job * P[SLOTS] + r
    at = S[CACHE_AT] + CACHE * cell
    if S[at + C_STAMP] == S[slot(S, r) + STAMP]:
        return V[int(V[V_CACHE_AT]) + cell]
    cost = best_in_route(D, F, P, S, V, B, X, job, r, t)
    S[at + C_STAMP], S[at + C_MEMBER] = S[slot(S, r) + STAMP], B[FOUND_MEMBER]
    S[at + C_GAPS], S[at + C_MODE] = B[FOUND_GAP] * P[WIDTH] + B[FOUND_GAP2], B[FOUND_MODE]
    V[int(V[V_CACHE_AT]) + cell] = cost
    return cost


@helper
def recall(P: Any, S: Any, B: Any, job: int, r: int) -> None:
    """Set FOUND_ to what the cache says of the job and slot r."""
    at = S[CACHE_AT] + CACHE * (job * P[SLOTS] + r)
    B[FOUND_MEMBER], B[FOUND_MODE] = S[at + C_MEMBER], S[at + C_MODE]
    B[FOUND_GAP], B[FOUND_GAP2] = S[at + C_GAPS] // P[WIDTH], S[at + C_GAPS] % P[WIDTH]


@helper
def total_cost(S: Any, V: Any) -> float:
    total = V[EXTRA]
    for q in range(S[N_USED]):
        total += V[int(V[V_COST_AT]) + S[S[USED_AT] + q]]
    return total


@helper
def save_best(P: Any, S: Any, V: Any) -> None:
    """Copy the routes to the best solution: per route its type, length and items."""
    at = S[BEST_AT]
    for q in range(S[N_USED]):
        r = S[S[USED_AT] + q]
        k, base = S[slot(S, r) + LENGTH], row_of(P, S, r)
        S[at], S[at + 1] = S[slot(S, r) + TYPE], k
        for i in range(k):
            S[at + 2 + i] = S[base + i]
        at += 2 + k
    S[N_BEST] = S[N_USED]
    V[COST_BEST], V[MISSED_BEST] = V[COST_NOW], V[MISSED]


@helper
def load_route(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, t: int, items: Any) -> None:
    """Make the items, all absent so far, a route of type t."""
    r = S[S[FREE_AT] + S[N_FREE] - 1]
    take_slot(S, r, t)
    base, k = row_of(P, S, r), len(items)
    trial = B[TRIAL_AT]
    for i in range(k):
        x = items[i]
        S[base + i] = B[trial + 1 + i] = x
        if x < P[DEPOTS]:
            continue
        S[S[WHERE_AT] + x] = r
        job = P[NODE * x + JOB_OF]
        if job >= 0 and P[NODE * x + ROLE] != 2:
            V[EXTRA] += lost_of(F, P, job, x) - F[P[F_JOB_AT] + job]
            V[MISSED] -= P[P[JOB_AT] + JOB * job + J_HARD]
            left = 0
            for q in range(S[N_ABSENT]):
                if S[S[ABSENT_AT] + q] != job:
                    S[S[ABSENT_AT] + left] = S[S[ABSENT_AT] + q]
                    left += 1
            S[N_ABSENT] = left
    S[slot(S, r) + LENGTH] = k
    stamped(S, r)
    V[int(V[V_COST_AT]) + r] = evaluate(D, F, P, B, X, trial, t, k)
