"""The best way to put a job into a route: cheap bounds first, the whole route driven only where they pass."""

from __future__ import annotations

from typing import Any

from solvers.kernels.jit import helper, inlined
from solvers.kernels.rich.at_hand import alone, delays, leaving, shifts, slot, take_up
from solvers.kernels.rich.curves import estimate
from solvers.kernels.rich.evaluate import evaluate
from solvers.kernels.rich.layout import (
    AFTER_AT,
    ALLOWED_AT,
    BACKHAUL,
    BACKHAULS_ALONE,
    BEFORE_AT,
    CURVED_AT,
    DEPOTS,
    DIMS,
    EARLY,
    F_ASSIGN_AT,
    F_JOB_AT,
    F_NODE,
    FOUND_GAP,
    FOUND_GAP2,
    FOUND_MEMBER,
    FOUND_MODE,
    GROUP,
    HAND_SLOT,
    HAS_ASSIGN,
    HAS_BACKHAULS,
    HAS_BATTERY,
    HAS_DUTY,
    HAS_LATE_COST,
    HAS_PARTS,
    HAS_RELOADS,
    HAS_TIMES,
    HELD_BEHIND,
    INFINITE,
    ITEMS_AT,
    J_COUNT,
    J_FROM,
    J_KIND,
    JOB,
    JOB_AT,
    JOBS,
    KIND,
    KINDS,
    LATE,
    LATEST_AT,
    LEAST_AT,
    LEG_AT,
    LENGTH,
    LIFO,
    LIMIT,
    LOAD_AT,
    LOADED,
    LOADED_STAMP,
    LOCKED,
    LONGER_AT,
    LONGEST,
    MARK,
    MARKS_AT,
    MAX_DISTANCE,
    MAX_RELOADS,
    MEMBER_AT,
    NEVER,
    NODE,
    OPEN_END,
    PAIR,
    PARTNER,
    PER_DISTANCE,
    PROFILE,
    READY_AT,
    RELEASE,
    RELOAD_COUNT,
    RELOAD_FROM,
    RELOAD_LIST_AT,
    RELOAD_TIME,
    ROLE,
    SINGLE,
    SPAN_AT,
    STAMP,
    TIME_MATTERS,
    TIMES,
    TIMES_AT,
    TOP,
    TOP_AT,
    TRIAL_AT,
    V_COST_AT,
    WAY_AT,
    WIDTH,
    N,
)
from solvers.kernels.rich.travel import (
    after,
    arrive,
    distance,
    distance_from,
    duration,
    duration_from,
    in_window,
    kind,
    rates,
    same_stop,
    service,
)
from solvers.speeds import NOISE

PLAIN, HALT_BEFORE, HALT_AFTER = 0, 1, 2  # insertion modes; + 3 x the number of the reload depot


@inlined
def detour(D: Any, P: Any, X: Any, p: int, a: int, x: int, b: int, gap: int, ends: bool) -> float:
    """Distance that x adds in a gap of the route at hand, between a and b; at the end of an open route there is
    no b."""
    to_x = distance_from(D, P, p, x, a)
    return to_x if ends else to_x + distance(D, P, p, x, b) - X[int(X[WAY_AT]) + gap]


@inlined
def detour_time(D: Any, P: Any, X: Any, p: int, a: int, x: int, b: int, gap: int, ends: bool) -> float:
    """The same in travel time, or in length where speeds change."""
    to_x = duration_from(D, P, p, x, a)
    return to_x if ends else to_x + duration(D, P, p, x, b) - X[int(X[SPAN_AT]) + gap]


@helper
def note_top(X: Any, top: int, tops: int, gap: int, key: float) -> int:
    """Keep the gap among the TOP of least keys, keys from X[top] and gaps behind; returns how many there are."""
    if tops == TOP and X[top + TOP - 1] <= key:
        return tops
    i = min(tops, TOP - 1)
    while i > 0 and X[top + i - 1] > key:
        X[top + i], X[top + TOP + i] = X[top + i - 1], X[top + TOP + i - 1]
        i -= 1
    X[top + i], X[top + TOP + i] = key, gap
    return min(tops + 1, TOP)


@helper
def fits_order(P: Any, B: Any, at: int, k: int, gap: int, x: int) -> bool:
    """Whether x may stand after item `gap`, as far as backhauls are concerned."""
    here, after, depots = B[at + gap], B[at + gap + 1], P[DEPOTS]
    if P[NODE * x + BACKHAUL] == 0:
        return here < depots or P[NODE * here + BACKHAUL] == 0
    if P[BACKHAULS_ALONE] == 0 and (gap == 0 or here < depots):
        return False
    return gap == k or after < depots or P[NODE * after + BACKHAUL] == 1


@helper
def try_with(
    D: Any,
    F: Any,
    P: Any,
    B: Any,
    X: Any,
    t: int,
    k: int,
    gap: int,
    x: int,
    gap2: int,
    y: int,
    mode: int,
    limit: float,
) -> float:
    """Cost of the route at hand with x after item `gap`, and y (unless -1) after item `gap2` or x; `mode` says
    whether a new trip begins before or ends after them. What costs `limit` or more may pass for impossible."""
    n = lay_out(P, B, t, k, gap, x, gap2, y, mode)
    if n > P[WIDTH]:
        return NEVER
    hand = B[HAND_SLOT]
    if mode == PLAIN and k > 0 and B[B[CURVED_AT] + hand] == 1:
        cost = estimate(D, F, P, B, X, t, B[TRIAL_AT], n, hand, gap, hand, gap2 + 1, k)
        return cost if cost < INFINITE else NEVER
    X[LIMIT] = limit
    cost = evaluate(D, F, P, B, X, B[TRIAL_AT], t, n)
    X[LIMIT] = INFINITE
    return cost if cost < INFINITE else NEVER


@helper
def lay_out(P: Any, B: Any, t: int, k: int, gap: int, x: int, gap2: int, y: int, mode: int) -> int:
    """Write that route to the trial items; returns its length."""
    at, to = B[ITEMS_AT], B[TRIAL_AT]
    place = P[P[RELOAD_LIST_AT] + P[kind(P, t) + RELOAD_FROM] + mode // 3] if mode % 3 else 0
    n = 0
    for i in range(k + 1):
        if i > 0:
            n += 1
            B[to + n] = B[at + i]
        if i == gap:
            if mode % 3 == HALT_BEFORE:
                n += 1
                B[to + n] = place
            n += 1
            B[to + n] = x
        if y >= 0 and i == gap2:
            n += 1
            B[to + n] = y
        if i == gap2 and mode % 3 == HALT_AFTER:
            n += 1
            B[to + n] = place
    return n


@helper
def best_single(
    D: Any, F: Any, P: Any, B: Any, X: Any, t: int, k: int, old: float, x: int, best: float
) -> float:
    """Added cost of the best place of x in the route at hand, if below `best`; sets FOUND_ to it."""
    row, rate, at, dims = kind(P, t), rates(P, t), B[ITEMS_AT], P[DIMS]
    if P[P[ALLOWED_AT] + P[KINDS] * x + t] == 0:
        return best
    p, per, extra = P[row + PROFILE], F[rate + PER_DISTANCE] * (P[LONGEST] == 0), 0.0
    if P[HAS_ASSIGN] == 1:
        extra = F[P[F_ASSIGN_AT] + P[KINDS] * x + t]
    if k == 0:
        cost = try_with(D, F, P, B, X, t, k, 0, x, 0, -1, PLAIN, best + old)
        if cost < best:
            found(B, x, 0, 0, PLAIN)
            return cost
        return best
    exact = P[row + TIME_MATTERS] == 0 and P[HAS_LATE_COST] == 0 and P[LONGEST] == 0
    exact = exact and P[row + HAS_DUTY] == 0 and P[row + HAS_BATTERY] == 0 and P[HAS_PARTS] == 0
    exact = exact and F[rate + MAX_DISTANCE] >= INFINITE
    shifting = shifts(P, t)
    ready, latest, amounts = int(X[READY_AT]), int(X[LATEST_AT]), P[LOAD_AT] + 3 * dims * x
    late = F[F_NODE * x + LATE]
    top, tops = int(X[TOP_AT]), 0
    few = (P[row + TIME_MATTERS] == 1 or P[row + HAS_BATTERY] == 1) and k > TOP
    for gap in range(P[row + LOCKED], k + 1):
        here, behind = B[at + gap], B[at + gap + 1]
        ends = gap == k and P[row + OPEN_END] == 1
        added = per * detour(D, P, X, p, here, x, behind, gap, ends) + extra
        if added >= best:
            continue
        plain = True
        for d in range(dims):
            limit = P[row + KIND + d]
            if B[B[BEFORE_AT] + dims * gap + d] + P[amounts + d] > limit:
                plain = False
            if B[B[AFTER_AT] + dims * gap + d] + P[amounts + dims + d] > limit:
                plain = False
        if plain and P[HAS_BACKHAULS] == 1:
            plain = fits_order(P, B, at, k, gap, x)
        whole = not exact
        if plain and P[HAS_TIMES] == 1:
            held = F[F_NODE * x + RELEASE]
            now = leaving(F, P, B, X, t, gap, held) if shifting else X[ready + gap]
            whole = whole or (not shifting and delays(F, P, B, X, t, gap, held))
            if not same_stop(P, here, x):
                now = in_window(F, P, x, after(F, P, t, here, x, duration_from(D, P, p, x, here), now))
                if now > late + NOISE:
                    continue
                now += service(F, P, x, t)
            if not ends:
                now = arrive(D, F, P, t, x, behind, now)
            if now > X[latest + gap + 1] + NOISE:
                plain = False
        if plain and few:  # driven below, if among the shortest detours
            tops = note_top(X, top, tops, gap, detour_time(D, P, X, p, here, x, behind, gap, ends))
        elif plain:
            if whole:
                added = try_with(D, F, P, B, X, t, k, gap, x, gap, -1, PLAIN, best + old) - old
            if added < best:
                best = added
                found(B, x, gap, gap, PLAIN)
    for q in range(tops):
        gap = int(X[top + TOP + q])
        added = try_with(D, F, P, B, X, t, k, gap, x, gap, -1, PLAIN, best + old) - old
        if added < best:
            best = added
            found(B, x, gap, gap, PLAIN)
    if P[HAS_RELOADS] == 1 and P[row + RELOAD_COUNT] > 0:
        best = with_reload(D, F, P, B, X, t, k, old, x, -1, best)
    return best


@helper
def with_reload(
    D: Any, F: Any, P: Any, B: Any, X: Any, t: int, k: int, old: float, x: int, y: int, best: float
) -> float:
    """The same for x, or x and y one after the other, with one more trip."""
    row, rate, at = kind(P, t), rates(P, t), B[ITEMS_AT]
    p, per, halts = P[row + PROFILE], F[rate + PER_DISTANCE] * (P[LONGEST] == 0), 0
    for i in range(1, k + 1):
        halts += B[at + i] < P[DEPOTS]
    if halts >= P[row + MAX_RELOADS]:
        return best
    last = x if y < 0 else y
    inner = 0.0 if y < 0 else distance(D, P, p, x, y)
    for gap in range(P[row + LOCKED], k + 1):
        here, behind = B[at + gap], B[at + gap + 1]
        ends = gap == k and P[row + OPEN_END] == 1
        gone = 0.0 if ends else X[int(X[WAY_AT]) + gap]
        for c in range(P[row + RELOAD_COUNT]):
            place = P[P[RELOAD_LIST_AT] + P[row + RELOAD_FROM] + c]
            out = 0.0 if ends else distance(D, P, p, last, behind)
            added = distance(D, P, p, here, place) + distance(D, P, p, place, x) + inner + out - gone
            # behind a halt at the same place it is that halt's trip
            apart = gap == 0 or here != place
            if per * added < best and apart and halt_before(D, F, P, B, X, t, k, gap, x, y, place):
                cost = try_with(D, F, P, B, X, t, k, gap, x, gap, y, HALT_BEFORE + 3 * c, best + old) - old
                if cost < best:
                    best = cost
                    found(B, x, gap, gap, HALT_BEFORE + 3 * c)
            if gap == k or behind == place:
                continue
            out = distance(D, P, p, place, behind)
            added = distance(D, P, p, here, x) + inner + distance(D, P, p, last, place) + out - gone
            if per * added < best and halt_after(D, F, P, B, X, t, gap, x, y, place):
                cost = try_with(D, F, P, B, X, t, k, gap, x, gap, y, HALT_AFTER + 3 * c, best + old) - old
                if cost < best:
                    best = cost
                    found(B, x, gap, gap, HALT_AFTER + 3 * c)
    return best


@helper
def served_both(D: Any, F: Any, P: Any, t: int, here: int, x: int, y: int, now: float) -> float:
    """When vehicle type t, which leaves `here` at `now`, has served x, and y (unless -1); NEVER if too late."""
    now = in_window(F, P, x, arrive(D, F, P, t, here, x, now))
    if now > F[F_NODE * x + LATE] + NOISE:
        return NEVER
    now += service(F, P, x, t)
    if y >= 0:
        now = in_window(F, P, y, arrive(D, F, P, t, x, y, now))
        if now > F[F_NODE * y + LATE] + NOISE:
            return NEVER
        now += service(F, P, y, t)
    return now


@helper
def reloaded(D: Any, F: Any, P: Any, t: int, here: int, place: int, now: float, held: float) -> float:
    """When vehicle type t, which leaves `here` at `now`, has reloaded at `place` goods released at `held`."""
    now = max(arrive(D, F, P, t, here, place, now), F[F_NODE * place + EARLY], held)
    return NEVER if now > F[F_NODE * place + LATE] + NOISE else now + F[rates(P, t) + RELOAD_TIME]


@helper
def held_until(F: Any, x: int, y: int) -> float:
    """When the goods of x, and y (unless -1), are released."""
    return F[F_NODE * x + RELEASE] if y < 0 else max(F[F_NODE * x + RELEASE], F[F_NODE * y + RELEASE])


@helper
def halt_before(
    D: Any, F: Any, P: Any, B: Any, X: Any, t: int, k: int, gap: int, x: int, y: int, place: int
) -> bool:
    """Whether the times of the route at hand allow a halt after item `gap`, then x and y; True if only driving
    tells."""
    if P[HAS_TIMES] == 0 or not shifts(P, t):
        return True
    at, behind = B[ITEMS_AT], B[B[ITEMS_AT] + gap + 1]
    held = max(held_until(F, x, y), X[int(X[TIMES_AT]) + TIMES * gap + HELD_BEHIND])
    now = reloaded(D, F, P, t, B[at + gap], place, alone(F, P, B, X, t, gap, 0.0), held)
    now = served_both(D, F, P, t, place, x, y, now)
    if gap == k and P[kind(P, t) + OPEN_END] == 1:
        return now < NEVER
    return arrive(D, F, P, t, x if y < 0 else y, behind, now) <= X[int(X[LATEST_AT]) + gap + 1] + NOISE


@helper
def halt_after(D: Any, F: Any, P: Any, B: Any, X: Any, t: int, gap: int, x: int, y: int, place: int) -> bool:
    """Whether they allow x and y after item `gap`, then a halt; True if only driving tells."""
    if P[HAS_TIMES] == 0 or not shifts(P, t):
        return True
    at, behind = B[ITEMS_AT], B[B[ITEMS_AT] + gap + 1]
    now = alone(F, P, B, X, t, gap, held_until(F, x, y))
    now = served_both(D, F, P, t, B[at + gap], x, y, now)
    held = X[int(X[TIMES_AT]) + TIMES * gap + HELD_BEHIND]
    now = reloaded(D, F, P, t, x if y < 0 else y, place, now, held)
    return arrive(D, F, P, t, place, behind, now) <= X[int(X[LATEST_AT]) + gap + 1] + NOISE


@inlined
def found(B: Any, x: int, gap: int, gap2: int, mode: int) -> None:
    B[FOUND_MEMBER], B[FOUND_GAP], B[FOUND_GAP2], B[FOUND_MODE] = x, gap, gap2, mode


@helper
def least_detours(
    D: Any, F: Any, P: Any, B: Any, X: Any, t: int, k: int, y: int, per: float, amounts: int
) -> int:
    """Lay out, by gap of the route at hand, what y, the delivery of a pair, adds at the least there or later in the
    trip, with its pickup before; returns where in X.

    A pickup makes later what comes behind, so that y need not be tried where it would be late even without (but
    for odd travel times, by which a detour comes sooner: there a place may be overlooked).
    """
    row, at, dims, depots = kind(P, t), B[ITEMS_AT], P[DIMS], P[DEPOTS]
    p, legs, ready, latest = P[row + PROFILE], B[LEG_AT], int(X[READY_AT]), int(X[LATEST_AT])
    timed = P[HAS_TIMES] == 1 and P[row + HAS_DUTY] == 0 and P[HAS_PARTS] == 0
    late, out, longer = F[F_NODE * y + LATE], int(X[LEAST_AT]), int(X[LONGER_AT])
    X[out + k + 1] = INFINITE
    for gap in range(k, P[row + LOCKED] - 1, -1):
        here, behind = B[at + gap], B[at + gap + 1]
        ends = gap == k and P[row + OPEN_END] == 1
        bound = INFINITE if gap < k and behind < depots else X[out + gap + 1]
        added = detour(D, P, X, p, here, y, behind, gap, ends)
        X[longer + gap] = added
        if per * added < bound:
            if timed:
                length = duration_from(D, P, p, y, here)
                now = in_window(F, P, y, after(F, P, t, here, y, length, X[ready + gap]))
                if now <= late + NOISE:
                    now += service(F, P, y, t)
                    if not ends:
                        now = arrive(D, F, P, t, y, behind, now)
                    if now <= X[latest + gap + 1] + NOISE:
                        bound = per * added
            else:
                bound = per * added
        for d in range(dims):
            if B[legs + dims * gap + d] + P[amounts + d] > P[row + KIND + d]:
                bound = INFINITE
        X[out + gap] = bound
    return out


@helper
def best_pair(
    D: Any, F: Any, P: Any, B: Any, X: Any, t: int, k: int, old: float, x: int, y: int, best: float
) -> float:
    """Added cost of the best places of pickup x and delivery y in the route at hand, if below `best`."""
    row, rate, at, dims = kind(P, t), rates(P, t), B[ITEMS_AT], P[DIMS]
    if P[P[ALLOWED_AT] + P[KINDS] * x + t] == 0 or P[P[ALLOWED_AT] + P[KINDS] * y + t] == 0:
        return best
    p, per, extra = P[row + PROFILE], F[rate + PER_DISTANCE] * (P[LONGEST] == 0), 0.0
    if P[HAS_ASSIGN] == 1:
        extra = F[P[F_ASSIGN_AT] + P[KINDS] * x + t] + F[P[F_ASSIGN_AT] + P[KINDS] * y + t]
    if k == 0:
        cost = try_with(D, F, P, B, X, t, k, 0, x, 0, y, PLAIN, best + old)
        if cost < best:
            found(B, x, 0, 0, PLAIN)
            return cost
        return best
    exact = P[row + TIME_MATTERS] == 0 and P[HAS_LATE_COST] == 0 and P[LONGEST] == 0
    exact = exact and P[row + HAS_DUTY] == 0 and F[rate + MAX_DISTANCE] >= INFINITE
    exact = exact and P[row + HAS_BATTERY] == 0 and P[HAS_PARTS] == 0
    shifting = shifts(P, t)
    timed, depots, lifo = P[HAS_TIMES] == 1, P[DEPOTS], P[row + LIFO] == 1
    ready, latest = int(X[READY_AT]), int(X[LATEST_AT])
    amounts, legs = P[LOAD_AT] + 3 * dims * x + 2 * dims, B[LEG_AT]
    held = max(F[F_NODE * x + RELEASE], F[F_NODE * y + RELEASE])
    least = least_detours(D, F, P, B, X, t, k, y, per, amounts)
    longer, way, span, between = int(X[LONGER_AT]), int(X[WAY_AT]), int(X[SPAN_AT]), distance(D, P, p, x, y)
    for gap in range(P[row + LOCKED], k + 1):
        here, behind = B[at + gap], B[at + gap + 1]
        ends = gap == k and P[row + OPEN_END] == 1
        first = per * detour(D, P, X, p, here, x, behind, gap, ends) + extra
        both = distance_from(D, P, p, x, here) + between
        if not ends:
            both += distance(D, P, p, y, behind) - X[way + gap]
        both = per * both + extra
        if both >= best and first + X[least + gap + 1] >= best:
            continue
        whole = not exact
        now = 0.0
        if timed:
            whole = whole or (not shifting and delays(F, P, B, X, t, gap, held))
            length = duration_from(D, P, p, x, here)
            now = leaving(F, P, B, X, t, gap, held) if shifting else X[ready + gap]
            now = in_window(F, P, x, after(F, P, t, here, x, length, now))
            if now > F[F_NODE * x + LATE] + NOISE:
                continue
            now += service(F, P, x, t)
        if P[HAS_BACKHAULS] == 1 and not fits_order(P, B, at, k, gap, x):
            continue
        B[MARK] += 1
        mark, inside = B[MARK], 0
        leave, before = now, x  # leaving `before`, with x on board
        for gap2 in range(gap, k + 1):
            if gap2 > gap:
                if first + X[least + gap2] >= best:
                    break
                z = B[at + gap2]
                if z < depots:
                    break
                if timed and not same_stop(P, before, z):
                    length = duration(D, P, p, x, z) if before == x else X[span + gap2 - 1]
                    leave = in_window(F, P, z, after(F, P, t, before, z, length, leave))
                    if leave > F[F_NODE * z + LATE] + NOISE:
                        break
                    leave += service(F, P, z, t)
                before = z
                if lifo and P[NODE * z + ROLE] == 1:
                    B[B[MARKS_AT] + P[N] + z] = mark
                    inside += 1
                elif lifo and P[NODE * z + ROLE] == 2:
                    if B[B[MARKS_AT] + P[N] + P[NODE * z + PARTNER]] != mark:
                        break
                    inside -= 1
            full = False
            for d in range(dims):
                full = full or B[legs + dims * gap2 + d] + P[amounts + d] > P[row + KIND + d]
            if full:
                break
            behind = B[at + gap2 + 1]
            if timed and gap2 > gap and not (gap2 == k and P[row + OPEN_END] == 1):
                length = X[span + gap2]
                late = after(F, P, t, before, behind, length, leave) > X[latest + gap2 + 1] + NOISE
                if late:  # even without y what comes behind would be missed from here on
                    break
            if inside > 0:
                continue
            ends = gap2 == k and P[row + OPEN_END] == 1
            added = both if gap2 == gap else first + per * X[longer + gap2]
            if added >= best:
                continue
            if P[HAS_BACKHAULS] == 1 and not fits_order(P, B, at, k, gap2, y):
                continue
            if timed:
                length = duration_from(D, P, p, y, before)
                now = in_window(F, P, y, after(F, P, t, before, y, length, leave))
                if now > F[F_NODE * y + LATE] + NOISE:
                    continue
                now += service(F, P, y, t)
                if not ends:
                    now = arrive(D, F, P, t, y, behind, now)
                if now > X[latest + gap2 + 1] + NOISE:
                    continue
            if whole:
                added = try_with(D, F, P, B, X, t, k, gap, x, gap2, y, PLAIN, best + old) - old
            if added < best:
                best = added
                found(B, x, gap, gap2, PLAIN)
    if P[HAS_RELOADS] == 1 and P[row + RELOAD_COUNT] > 0:
        best = with_reload(D, F, P, B, X, t, k, old, x, y, best)
    return best


@inlined
def is_full(P: Any, S: Any, job: int, r: int, t: int) -> bool:
    """Whether the route in slot r is known to have no room for the delivery of the job; it need not be laid out."""
    at, row = P[JOB_AT] + JOB * job, kind(P, t)
    if P[DIMS] == 0 or P[at + J_KIND] != SINGLE or P[HAS_RELOADS] == 1 or S[slot(S, r) + LENGTH] == 0:
        return False
    if S[slot(S, r) + LOADED_STAMP] != S[slot(S, r) + STAMP]:
        return False
    x = P[P[MEMBER_AT] + P[at + J_FROM]]
    load = S[slot(S, r) + LOADED] + P[row + KIND + P[DIMS]] + P[P[LOAD_AT] + 3 * P[DIMS] * x]
    return load > P[row + KIND]


@helper
def best_in_route(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, job: int, r: int, t: int) -> float:
    """Added cost of the job's best place in slot r driven by type t, INFINITE if none; FOUND_ says where."""
    if is_full(P, S, job, r, t):
        return INFINITE
    take_up(D, F, P, S, V, B, X, r, t)
    k, at = S[slot(S, r) + LENGTH], P[JOB_AT] + JOB * job
    old = 0.0 if k == 0 else V[int(V[V_COST_AT]) + r]
    members, best = P[MEMBER_AT] + P[at + J_FROM], INFINITE
    if P[at + J_KIND] == PAIR:
        return best_pair(D, F, P, B, X, t, k, old, P[members], P[members + 1], best)
    if P[at + J_KIND] != GROUP:
        return best_single(D, F, P, B, X, t, k, old, P[members], best)
    for m in range(P[at + J_COUNT]):
        lost = F[P[F_JOB_AT] + P[JOBS] + P[at + J_FROM] + m]
        best = best_single(D, F, P, B, X, t, k, old, P[members + m], best - lost) + lost
    return best
