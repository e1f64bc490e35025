"""Ruin and recreate: strings, neighbours, routes and trips out; jobs back in greedily; simulated annealing.

The ruins by strings, the orders of insertion and the sum of absences, by which a fleet is made smaller, follow
slack induction by string removals (Christiaens and Vanden Berghe 2020); the choice among ruins adapts to what
each has brought, as in adaptive large neighbourhood search (Ropke and Pisinger 2006).
"""

from __future__ import annotations

import math
from typing import Any

from solvers.kernels.jit import entry, helper
from solvers.kernels.rich.at_hand import row_of, slot
from solvers.kernels.rich.evaluate import evaluate
from solvers.kernels.rich.exchange import propose
from solvers.kernels.rich.insertion import best_in_route
from solvers.kernels.rich.layout import (
    ABSENCES_AT,
    ABSENT_AT,
    ABSENT_OLD_AT,
    CACHED,
    CAP,
    COST_BEST,
    COST_NOW,
    COUNT,
    DEPOTS,
    EARLY,
    F_JOB_AT,
    F_NODE,
    FOUND_GAP,
    FOUND_GAP2,
    FOUND_MEMBER,
    FOUND_MODE,
    FREE_AT,
    HAS_PRIZES,
    HAS_RELOADS,
    INFINITE,
    INSERTION,
    J_COUNT,
    J_FROM,
    J_LEVEL,
    J_REQUIRED,
    JOB,
    JOB_AT,
    JOB_OF,
    KEY_AT,
    KIND_USED_AT,
    KINDS,
    LATE,
    LENGTH,
    LOCATE_AT,
    LOCKED,
    LONGEST,
    MEMBER_AT,
    MISSED,
    MISSED_BEST,
    MISSED_OLD,
    N_ABSENT,
    N_ABSENT_OLD,
    N_BEST,
    N_FREE,
    N_USED,
    NEAR_AT,
    NEAR_WIDTH,
    NODE,
    ORDER_AT,
    SAVED,
    SEEN,
    SIZE_KEY,
    START,
    TICK,
    TRIAL_AT,
    TYPE,
    USED_AT,
    V_COST_AT,
    V_WEIGHT_AT,
    VEHICLES_FIRST,
    VISITS,
    WHERE_AT,
)
from solvers.kernels.rich.state import (
    begin,
    below,
    cheapest,
    load_route,
    put_in,
    rand,
    recall,
    restore,
    save,
    save_best,
    stamped,
    strip,
    total_cost,
)
from solvers.kernels.rich.travel import distance, fetch, kind

STRINGS, SPLIT_STRINGS, NEIGHBOURS, ROUTE, TRIP, RUINS = 0, 1, 2, 3, 4, 5
FEW_ROUTES = 12  # where more are used, only those near a job are tried first
NEARBY = 30  # so many visits near each member of a job tell which
# probability that a type passes for up to DEARER times dearer when a route is begun: what is cheapest for its first
# visit is seldom cheapest for all that may follow
DOUBTED, DEARER = 0.2, 20.0
# share of iterations in which prizes count up to 2 ** MOST_GENEROUS times: where none pays alone, many may together
GENEROUS, MOST_GENEROUS = 0.03, 5.0
ABOVE_ALL = 1e13  # of the keys by which absent jobs are put in order

SEARCH, CONSTRUCT, DROP_ROUTE, KEEP, LOAD, EVALUATE = range(6)

# the tuning vector
MEAN_REMOVED, MAX_STRING, BLINK, TEMPERATURE, FLEET, REACTION, DONE, EXCHANGES, URGENT = range(9)


@helper
def mark(P: Any, S: Any, B: Any, x: int, count: int) -> int:
    """Mark the job of visit x for removal and list its route; returns the number of routes listed."""
    job = P[NODE * x + JOB_OF]
    r = S[S[WHERE_AT] + x]
    if job < 0 or r < 0:
        return count
    S[S[LOCATE_AT] + job] = S[TICK]
    for q in range(count):
        if B[B[ORDER_AT] + q] == r:
            return count
    B[B[ORDER_AT] + count] = r
    return count + 1


@helper
def ruin(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, T: Any, how: int) -> None:
    """Take jobs near a random visit out of their routes."""
    depots, visits = P[DEPOTS], P[VISITS]
    seed = depots + below(S, visits)
    count, near = 0, P[NEAR_AT] + P[NEAR_WIDTH] * seed
    if how == NEIGHBOURS:
        wanted = 1 + below(S, int(2 * T[MEAN_REMOVED]))
        taken = 0
        for a in range(P[NEAR_WIDTH]):
            x = P[near + a]
            if x < 0 or taken >= wanted:
                break
            if S[S[WHERE_AT] + x] >= 0 and rand(S) < 0.8:
                count = mark(P, S, B, x, count)
                taken += 1
    elif how in (ROUTE, TRIP):
        r = S[S[WHERE_AT] + seed]
        if r < 0:
            return
        base, k = row_of(P, S, r), S[slot(S, r) + LENGTH]
        first, last = 0, k
        if how == TRIP:
            at = 0
            while S[base + at] != seed:
                at += 1
            first, last = at, at + 1
            while first > 0 and S[base + first - 1] >= depots:
                first -= 1
            while last < k and S[base + last] >= depots:
                last += 1
        for i in range(first, last):
            if S[base + i] >= depots:
                count = mark(P, S, B, S[base + i], count)
    else:
        count = strings(P, S, B, T, near, how == SPLIT_STRINGS)
    for q in range(count):
        strip(D, F, P, S, V, B, X, B[B[ORDER_AT] + q])


@helper
def strings(P: Any, S: Any, B: Any, T: Any, near: int, split: bool) -> int:
    """Mark strings of visits in routes close to each other; returns the number of routes listed."""
    if S[N_USED] == 0:
        return 0
    depots, served = P[DEPOTS], 0
    for q in range(S[N_USED]):
        served += S[slot(S, S[S[USED_AT] + q]) + LENGTH]
    longest = max(1.0, min(T[MAX_STRING], served / S[N_USED]))
    most = max(1.0, 4.0 * T[MEAN_REMOVED] / (1.0 + longest) - 1.0)
    wanted, count = int(1.0 + rand(S) * most), 0
    for a in range(P[NEAR_WIDTH]):
        c = P[near + a]
        if c < 0 or count >= wanted:
            break
        r = S[S[WHERE_AT] + c]
        if r < 0:
            continue
        listed = False
        for q in range(count):
            listed = listed or B[B[ORDER_AT] + q] == r
        if listed:
            continue
        base, k = row_of(P, S, r), S[slot(S, r) + LENGTH]
        length = int(1.0 + rand(S) * min(float(k), longest))
        length = min(length, k)
        kept = 0
        if split and length > 1:
            while length + kept < k and rand(S) > 0.01 and (kept == 0 or rand(S) < 0.99):
                kept += 1
                if rand(S) < 0.5:
                    break
        at = 0
        while S[base + at] != c:
            at += 1
        span = min(k, length + kept)
        low, high = max(0, at - span + 1), min(at, k - span)
        first = low + below(S, high - low + 1)
        hole = first + below(S, length) if kept > 0 else -1
        before = count
        for i in range(first, first + span):
            if S[base + i] < depots or (kept > 0 and hole <= i < hole + kept):
                continue
            count = mark(P, S, B, S[base + i], count)
        if count == before:
            count = mark(P, S, B, c, count)
        if count == before:
            B[B[ORDER_AT] + count] = r  # only locked visits: pass the route by
    return count


@helper
def sort_absent(D: Any, F: Any, P: Any, S: Any, X: Any, T: Any) -> None:
    """Order the absent jobs: at random, by load, far or close, narrow windows or early ends first; by priority."""
    keys, n, choice = int(X[KEY_AT]), S[N_ABSENT], rand(S) * 15.0
    urgent = T[URGENT] > 0.0 and rand(S) < T[URGENT]
    for q in range(n):
        job = S[S[ABSENT_AT] + q]
        x = P[P[MEMBER_AT] + P[P[JOB_AT] + JOB * job + J_FROM]]
        if choice < 4.0:
            key = rand(S)
        elif choice < 8.0:
            key = -F[F_NODE * x + SIZE_KEY]
        elif choice < 10.0:
            key = -distance(D, P, 0, P[kind(P, 0) + START], x)
        elif choice < 11.0:
            key = distance(D, P, 0, P[kind(P, 0) + START], x)
        elif choice < 13.0:
            key = F[F_NODE * x + LATE] - F[F_NODE * x + EARLY]
        else:
            key = F[F_NODE * x + LATE]
        if P[P[JOB_AT] + JOB * job + J_REQUIRED] == 0:
            key = key if choice < 4.0 else key - 1e-6 * F[P[F_JOB_AT] + job]
        elif urgent:
            key -= ABOVE_ALL * P[P[JOB_AT] + JOB * job + J_LEVEL]
        X[keys + q] = key
    gap = n // 2
    while gap > 0:
        for i in range(gap, n):
            key, job, j = X[keys + i], S[S[ABSENT_AT] + i], i
            while j >= gap and X[keys + j - gap] > key:
                X[keys + j] = X[keys + j - gap]
                S[S[ABSENT_AT] + j] = S[S[ABSENT_AT] + j - gap]
                j -= gap
            X[keys + j], S[S[ABSENT_AT] + j] = key, job
        gap //= 2


@helper
def recreate(
    D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, T: Any, worth: float, doubt: float
) -> None:
    """Insert the absent jobs one after the other, each at its cheapest place; those stay out that have none, or for
    which it costs more than `worth` times their prize. With probability `doubt` a type passes for dearer."""
    sort_absent(D, F, P, S, X, T)
    left = 0
    for q in range(S[N_ABSENT]):
        job = S[S[ABSENT_AT] + q]
        if not insert(D, F, P, S, V, B, X, T, job, worth, doubt):
            S[S[ABSENT_AT] + left] = job
            left += 1
    S[N_ABSENT] = left


@helper
def note_routes(P: Any, S: Any, B: Any, x: int, width: int, count: int) -> int:
    """List the routes of the first `width` visits near x; returns the number listed."""
    for q in range(min(width, P[NEAR_WIDTH])):
        y = P[P[NEAR_AT] + P[NEAR_WIDTH] * x + q]
        r = S[S[WHERE_AT] + y] if y >= 0 else -1
        if r >= 0 and S[slot(S, r) + SEEN] != S[INSERTION]:
            S[slot(S, r) + SEEN] = S[INSERTION]
            B[B[ORDER_AT] + count] = r
            count += 1
    return count


@helper
def candidates(P: Any, S: Any, B: Any, job: int) -> int:
    """List the routes that pass near the job, all where they are few; returns how many there are."""
    S[INSERTION] += 1
    count, row = 0, P[JOB_AT] + JOB * job
    if S[N_USED] > FEW_ROUTES:
        for m in range(P[row + J_COUNT]):
            x = P[P[MEMBER_AT] + P[row + J_FROM] + m]
            count = note_routes(P, S, B, x, NEARBY, count)
        return count
    for q in range(S[N_USED]):
        B[B[ORDER_AT] + q] = S[S[USED_AT] + q]
    return S[N_USED]


@helper
def insert(
    D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, T: Any, job: int, worth: float, doubt: float
) -> bool:
    """Insert one job at its cheapest place, routes overlooked at random; False if it is to stay out.

    Routes that do not pass near it are tried only where the others have no place for it.
    """
    best = INFINITE
    row = P[JOB_AT] + JOB * job
    if P[row + J_REQUIRED] == 0:
        best = worth * F[P[F_JOB_AT] + job]
    route, mode, member, gap, gap2, type_ = -1, 0, 0, 0, 0, 0
    for m in range(P[row + J_COUNT]):
        fetch(D, P, X, 0, P[P[MEMBER_AT] + P[row + J_FROM] + m])
    count = candidates(P, S, B, job)
    for around in range(2):
        for q in range(count if around == 0 else S[N_USED]):
            r = B[B[ORDER_AT] + q] if around == 0 else S[S[USED_AT] + q]
            if (around == 1 and S[slot(S, r) + SEEN] == S[INSERTION]) or rand(S) < T[BLINK]:
                continue
            cost = cheapest(D, F, P, S, V, B, X, job, r)
            if cost < best:
                best, route = cost, r
                if P[CACHED] == 0:
                    member, gap, gap2, mode = B[FOUND_MEMBER], B[FOUND_GAP], B[FOUND_GAP2], B[FOUND_MODE]
        if route >= 0 or count == S[N_USED]:
            break
    fresh = False
    if S[N_FREE] > 0 and S[N_USED] < S[CAP]:
        r = S[S[FREE_AT] + S[N_FREE] - 1]
        for t in range(P[KINDS]):
            if S[S[KIND_USED_AT] + t] >= P[kind(P, t) + COUNT]:
                continue
            cost = best_in_route(D, F, P, S, V, B, X, job, r, t)
            if doubt > 0.0 and rand(S) < doubt:
                cost *= 1.0 + DEARER * rand(S)
            if cost < best:
                best, route, fresh, type_ = cost, r, True, t
                member, gap, gap2, mode = B[FOUND_MEMBER], B[FOUND_GAP], B[FOUND_GAP2], B[FOUND_MODE]
    if route < 0:
        return False
    if not fresh:
        type_ = S[slot(S, route) + TYPE]
        if P[CACHED] == 1:
            recall(P, S, B, job, route)
    if fresh or P[CACHED] == 0:
        B[FOUND_MEMBER], B[FOUND_GAP], B[FOUND_GAP2], B[FOUND_MODE] = member, gap, gap2, mode
    put_in(D, F, P, S, V, B, X, job, route, type_)
    return True


@helper
def merge_trips(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, r: int) -> None:
    """Drop every halt of slot r without which the route is allowed and costs less."""
    at, base, depots, trial = slot(S, r), row_of(P, S, r), P[DEPOTS], B[TRIAL_AT]
    i = 0
    while i < S[at + LENGTH]:
        if S[base + i] >= depots:
            i += 1
            continue
        k = 0
        for j in range(S[at + LENGTH]):
            if j != i:
                k += 1
                B[trial + k] = S[base + j]
        cost = evaluate(D, F, P, B, X, trial, S[at + TYPE], k)
        if cost >= V[int(V[V_COST_AT]) + r]:
            i += 1
            continue
        save(P, S, V, r)
        for j in range(k):
            S[base + j] = B[trial + 1 + j]
        S[at + LENGTH] = k
        stamped(S, r)
        V[int(V[V_COST_AT]) + r] = cost


@helper
def retype(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, r: int, t: int) -> None:
    """Let a free vehicle of type t drive slot r if it may and costs less."""
    at, base, own = slot(S, r), row_of(P, S, r), S[slot(S, r) + TYPE]
    taken = S[S[KIND_USED_AT] + t] >= P[kind(P, t) + COUNT]
    if t == own or taken or P[kind(P, own) + LOCKED] > 0 or P[kind(P, t) + LOCKED] > 0:
        return
    for i in range(S[at + LENGTH]):
        B[B[TRIAL_AT] + 1 + i] = S[base + i]
    cost = evaluate(D, F, P, B, X, B[TRIAL_AT], t, S[at + LENGTH])
    if cost >= V[int(V[V_COST_AT]) + r]:
        return
    save(P, S, V, r)
    S[S[KIND_USED_AT] + own] -= 1
    S[S[KIND_USED_AT] + t] += 1
    S[at + TYPE] = t
    stamped(S, r)
    V[int(V[V_COST_AT]) + r] = cost


@helper
def absences(S: Any, at: int, n: int) -> float:
    total = 0.0
    for q in range(n):
        total += S[S[ABSENCES_AT] + S[at + q]]
    return total


@helper
def better(P: Any, S: Any, V: Any) -> bool:
    """Whether the present solution is better than the best."""
    if V[MISSED] != V[MISSED_BEST]:
        return V[MISSED] < V[MISSED_BEST]
    if P[VEHICLES_FIRST] == 1 and S[N_USED] != S[N_BEST]:
        return S[N_USED] < S[N_BEST]
    margin = 1e-3 if P[LONGEST] == 0 else 1e-7  # prices are small then, see `pack`
    return V[COST_NOW] < V[COST_BEST] - margin


@helper
def construct(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, T: Any) -> None:
    """Insert all absent jobs, then take the outcome for the best."""
    begin(P, S, V)
    recreate(D, F, P, S, V, B, X, T, 1.0, 0.0)
    V[COST_NOW] = total_cost(S, V)
    save_best(P, S, V)


@helper
def drop_route(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, T: Any) -> None:
    """Take out the route whose jobs have been absent least often, and allow no new one."""
    begin(P, S, V)
    depots, chosen, least = P[DEPOTS], -1, INFINITE
    for q in range(S[N_USED]):
        r = S[S[USED_AT] + q]
        base, total = row_of(P, S, r), rand(S)
        for i in range(S[slot(S, r) + LENGTH]):
            x = S[base + i]
            if x >= depots:
                if P[NODE * x + JOB_OF] < 0:
                    total = INFINITE
                else:
                    total += S[S[ABSENCES_AT] + P[NODE * x + JOB_OF]]
        if total < least:
            chosen, least = r, total
    if chosen < 0:
        return
    base, count = row_of(P, S, chosen), 0
    for i in range(S[slot(S, chosen) + LENGTH]):
        if S[base + i] >= depots:
            count = mark(P, S, B, S[base + i], count)
    strip(D, F, P, S, V, B, X, chosen)
    S[CAP] = S[N_USED]
    V[COST_NOW] = total_cost(S, V)


@helper
def search(
    D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, T: Any, iterations: int, since: int
) -> int:
    """Iterations of ruin and recreate; returns how many passed since the last new best. With T[FLEET] it ends
    as soon as no mandatory job is absent. T[DONE] counts the iterations."""
    T[DONE] = 0
    temperature, weights = T[TEMPERATURE], int(V[V_WEIGHT_AT])
    for _ in range(iterations):
        if T[FLEET] > 0 and V[MISSED] == 0:
            break
        since += 1
        T[DONE] += 1
        for _q in range(0 if T[FLEET] > 0 else int(T[EXCHANGES] + rand(S))):
            changed = propose(D, F, P, S, V, B, X, -temperature * math.log(rand(S) + 1e-300))
            if changed and better(P, S, V):
                save_best(P, S, V)
                since = 0
        begin(P, S, V)
        old = V[COST_NOW]
        how, pick = 0, rand(S)
        total = 0.0
        for h in range(RUINS):
            total += V[weights + h]
        pick *= total
        while how + 1 < RUINS and pick >= V[weights + how]:
            pick -= V[weights + how]
            how += 1
        ruin(D, F, P, S, V, B, X, T, how)
        worth = 1.0
        if P[HAS_PRIZES] == 1 and rand(S) < GENEROUS:
            worth = 2.0 ** (MOST_GENEROUS * rand(S))
        recreate(D, F, P, S, V, B, X, T, worth, DOUBTED if P[KINDS] > 1 else 0.0)
        for q in range(S[N_USED] if P[HAS_RELOADS] == 1 or P[KINDS] > 1 else 0):
            r = S[S[USED_AT] + q]
            if S[slot(S, r) + SAVED] != S[TICK]:
                continue
            if P[HAS_RELOADS] == 1:
                merge_trips(D, F, P, S, V, B, X, r)
            if P[KINDS] > 1:
                retype(D, F, P, S, V, B, X, r, below(S, P[KINDS]))
        V[COST_NOW] = total_cost(S, V)
        accepted = V[COST_NOW] < old - temperature * math.log(rand(S) + 1e-300)
        if V[MISSED] != V[MISSED_OLD] or V[MISSED] > 0:
            if V[MISSED] != V[MISSED_OLD]:
                accepted = V[MISSED] < V[MISSED_OLD]
            if T[FLEET] > 0:
                now = absences(S, S[ABSENT_AT], S[N_ABSENT])
                before = absences(S, S[ABSENT_OLD_AT], S[N_ABSENT_OLD])
                accepted = accepted or now < before
                for q in range(S[N_ABSENT]):
                    S[S[ABSENCES_AT] + S[S[ABSENT_AT] + q]] += 1
        score = 0.0
        if accepted:
            score = 1.0 if V[COST_NOW] != old else 0.2
            if V[COST_NOW] < old:
                score = 4.0
            if better(P, S, V):
                save_best(P, S, V)
                since, score = 0, 10.0
        else:
            restore(P, S, V)
        if V[weights + RUINS + how] > 0:  # 0 keeps a weight as it is
            V[weights + how] += T[REACTION] * (V[weights + RUINS + how] * (0.5 + score) - V[weights + how])
            V[weights + how] = max(V[weights + how], 0.2 * V[weights + RUINS + how])
    return since


@entry
def act(
    D: Any,
    F: Any,
    P: Any,
    S: Any,
    V: Any,
    B: Any,
    X: Any,
    T: Any,
    what: int,
    first: int,
    second: int,
    items: Any,
) -> float:
    """One of the acts below; a single entry, since the compiler optimises all that an entry reaches anew.

    SEARCH      `first` iterations, `second` since the last new best; returns how many there are now
    CONSTRUCT   insert all absent jobs, take the outcome for the best
    DROP_ROUTE  take out one route and allow no new one
    KEEP        take the present solution for the best
    LOAD        make `items` a route of type `first`
    EVALUATE    the cost of `items` as a route of type `first`
    """
    if what == SEARCH:
        return search(D, F, P, S, V, B, X, T, first, second)
    if what == CONSTRUCT:
        construct(D, F, P, S, V, B, X, T)
    elif what == DROP_ROUTE:
        drop_route(D, F, P, S, V, B, X, T)
    elif what == KEEP:
        V[COST_NOW] = total_cost(S, V)
        save_best(P, S, V)
    elif what == LOAD:
        load_route(D, F, P, S, V, B, X, first, items)
    elif what == EVALUATE:
        trial = B[TRIAL_AT]
        for i in range(len(items)):
            B[trial + 1 + i] = items[i]
        return evaluate(D, F, P, B, X, trial, first, len(items))
    return 0.0
