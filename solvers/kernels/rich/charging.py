"""Where a vehicle charges on its way: labels carried along the gaps of a route (Froger et al. 2019).

A label stands for one way of reaching a station in a gap between two items: what it costs, how long it is, when
it arrives and with how much energy. How much was charged at the stop before is known only now: as little as
brought it here. A label that is no better in anything than another at the same place is dropped, as is one that
cannot become a shorter or cheaper route than one known; the label that promises the shortest comes first. Times
are those of the earliest departure.
"""

from __future__ import annotations

import math
from typing import Any

from solvers.kernels.jit import helper
from solvers.kernels.rich.layout import (
    BATTERY,
    CLOSE,
    CONSUMPTION,
    DEPOTS,
    DONE_LABEL,
    DRIVEN,
    DUE,
    EARLY,
    END,
    END_COST,
    END_WAY,
    ENERGY_COST,
    F_NODE,
    FINALS,
    FIXED,
    HAS_DUTY,
    HAS_LATE_COST,
    HAS_TIMES,
    INFINITE,
    INITIAL,
    L_CHARGED,
    L_CHARGING,
    L_COST,
    L_DISTANCE,
    L_DRIVEN,
    L_GAP,
    L_LEVEL,
    L_NODE,
    L_PARENT,
    L_PART,
    L_ROW,
    L_SINCE,
    L_STATE,
    L_STOPS,
    L_TIME,
    L_VALUE,
    L_WAY,
    LABEL_AT,
    LABEL_X_AT,
    LABELS,
    LATE,
    LATE_COST,
    LEFT_AT,
    LIMIT,
    LONGEST,
    MAX_DISTANCE,
    MAX_DRIVING,
    OPEN,
    OPEN_END,
    OPEN_LABEL,
    PART,
    PER_DISTANCE,
    PLAN_AT,
    PLAN_LENGTH,
    PROFILE,
    RATE,
    RELOAD_TIME,
    RESERVE,
    SINCE,
    SLACK,
    START,
    STATION_COUNT,
    STATION_FROM,
    STATION_LIST_AT,
    STAY_AT,
    TIME_MATTERS,
    WIDTH,
    WORSE_LABEL,
)
from solvers.kernels.rich.simulate import driven, just_in_time, released, rest_and_drive, waited
from solvers.kernels.rich.travel import arrive, distance, in_window, kind, rates, same_stop, service
from solvers.speeds import NOISE


@helper
def charged(D: Any, F: Any, P: Any, B: Any, X: Any, at: int, t: int, k: int) -> float:
    """Cost of the route of items B[at .. at + k + 1] with the best stops to charge found, which stand in the plan;
    INFINITE if there are none, or none that cost less than LIMIT."""
    row, rate = kind(P, t), rates(P, t)
    open_end, p, length, left = P[row + OPEN_END], P[row + PROFILE], 0.0, int(X[LEFT_AT])
    X[left + k + 1] = X[left + k] = 0.0
    for i in range(k - open_end, -1, -1):
        length += distance(D, P, p, B[at + i], B[at + i + 1])
        X[left + i] = length
    if F[rate + CONSUMPTION] * length <= F[rate + INITIAL] - F[rate + RESERVE]:
        return driven(D, F, P, B, X, at, t, k)
    count = label_ways(D, F, P, B, X, at, t, k)
    best, chosen, last = INFINITE, -1, -1
    tries = FINALS if P[row + TIME_MATTERS] == 1 else 1
    for _ in range(tries):
        final = cheapest_end(P, B, X, k, count)
        if final < 0:
            break
        B[B[LABEL_AT] + L_ROW * final + L_STATE] = DONE_LABEL
        cost = drive_plan(D, F, P, B, X, at, t, k, final)
        last = final
        if cost < best:
            best, chosen = cost, final
    if chosen >= 0 and chosen != last:
        lay_plan(P, B, X, at, t, k, chosen)
    return best


@helper
def cheapest_end(P: Any, B: Any, X: Any, k: int, count: int) -> int:
    """The label at the end of the route that costs least of those not yet tried, the shortest of equals; -1 if
    there is none."""
    rows, values, found = B[LABEL_AT], int(X[LABEL_X_AT]), -1
    for q in range(count):
        if B[rows + L_ROW * q + L_GAP] != k + 1 or B[rows + L_ROW * q + L_STATE] != OPEN_LABEL:
            continue
        if found < 0 or X[values + L_VALUE * q + L_COST] < X[values + L_VALUE * found + L_COST]:
            found = q
    return found


@helper
def drive_plan(D: Any, F: Any, P: Any, B: Any, X: Any, at: int, t: int, k: int, final: int) -> float:
    """Cost of the route with the stops that led to the label `final`, laid out in the plan."""
    lay_plan(P, B, X, at, t, k, final)
    rate = rates(P, t)
    energy = F[rate + ENERGY_COST] * X[int(X[LABEL_X_AT]) + L_VALUE * final + L_CHARGED]
    cost = driven(D, F, P, B, X, B[PLAN_AT], t, B[PLAN_LENGTH])
    return INFINITE if cost >= INFINITE else cost + energy


@helper
def lay_plan(P: Any, B: Any, X: Any, at: int, t: int, k: int, final: int) -> None:
    """Write the items with the stops that led to the label `final` to the plan, and the times spent charging."""
    row, plan, stays = kind(P, t), B[PLAN_AT], int(X[STAY_AT])
    rows, values = B[LABEL_AT], int(X[LABEL_X_AT])
    place = k + B[rows + L_ROW * final + L_STOPS]
    B[PLAN_LENGTH] = place
    B[plan], B[plan + place + 1] = P[row + START], P[row + END]
    label, i = final, k
    while label > 0:
        parent = B[rows + L_ROW * label + L_PARENT]
        while i > B[rows + L_ROW * parent + L_GAP]:
            B[plan + place] = B[at + i]
            X[stays + place] = 0.0
            i -= 1
            place -= 1
        if parent > 0:
            B[plan + place] = B[rows + L_ROW * parent + L_NODE]
            X[stays + place] = X[values + L_VALUE * label + L_CHARGING]
            place -= 1
        label = parent


@helper
def label_ways(D: Any, F: Any, P: Any, B: Any, X: Any, at: int, t: int, k: int) -> int:
    """Make labels from the start to the end; returns how many there are."""
    rate, rows, values = rates(P, t), B[LABEL_AT], int(X[LABEL_X_AT])
    B[rows + L_GAP], B[rows + L_NODE], B[rows + L_PARENT] = 0, B[at], -1
    B[rows + L_STOPS], B[rows + L_STATE] = 0, OPEN_LABEL
    for v in range(L_VALUE):
        X[values + v] = 0.0
    X[values + L_LEVEL] = F[rate + INITIAL]
    if P[HAS_TIMES] == 1:
        X[values + L_TIME] = max(F[rate + OPEN], released(F, P, B, at, k, 0))
    count = 1
    X[values + L_WAY] = X[int(X[LEFT_AT])]
    X[END_COST], X[END_WAY] = INFINITE, INFINITE
    if X[LIMIT] < INFINITE and P[LONGEST] == 0:
        X[END_COST], X[END_WAY] = X[LIMIT] - F[rate + FIXED], 0.0
    while True:
        label = -1
        for q in range(count):
            if B[rows + L_ROW * q + L_STATE] != OPEN_LABEL or B[rows + L_ROW * q + L_GAP] > k:
                continue
            if label < 0 or X[values + L_VALUE * q + L_WAY] < X[values + L_VALUE * label + L_WAY]:
                label = q
        if label < 0:
            return count
        own = values + L_VALUE * label
        if hopeless(F, P, X, t, own):
            B[rows + L_ROW * label + L_STATE] = WORSE_LABEL
            continue
        B[rows + L_ROW * label + L_STATE] = DONE_LABEL
        count = extend(D, F, P, B, X, at, t, k, label, count)


@helper
def hopeless(F: Any, P: Any, X: Any, t: int, label: int) -> bool:
    """Whether the label of values at `label` leads to no route that is shorter or cheaper than one known; where
    only driving tells the cost, a way somewhat longer is not given up."""
    ahead = X[label + L_WAY] - X[label + L_DISTANCE]
    cost = X[label + L_COST] + F[rates(P, t) + PER_DISTANCE] * (ahead - SLACK)
    longest = X[END_WAY] + SLACK
    if P[kind(P, t) + TIME_MATTERS] == 1:
        longest *= 1.02
        cost *= 0.98
    return cost >= X[END_COST] and X[label + L_WAY] >= longest


@helper
def extend(D: Any, F: Any, P: Any, B: Any, X: Any, at: int, t: int, k: int, label: int, count: int) -> int:
    """Labels of all places that a vehicle at `label` reaches with one charge; returns how many there are now."""
    row, rate = kind(P, t), rates(P, t)
    p, open_end, own = P[row + PROFILE], P[row + OPEN_END] == 1, B[LABEL_AT] + L_ROW * label
    first, here, length = B[own + L_GAP], B[own + L_NODE], 0.0
    holds = F[rate + INITIAL if label == 0 else rate + BATTERY] - F[rate + RESERVE]
    used = F[rate + CONSUMPTION]
    for gap in range(first, k + 1):
        if gap == k and open_end:
            return reached(D, F, P, B, X, at, t, k, label, count, k + 1, here, length)
        for c in range(P[row + STATION_COUNT]):
            place = P[P[STATION_LIST_AT] + P[row + STATION_FROM] + c]
            way = length + distance(D, P, p, here, place)
            if used * way <= holds and not (gap == first and place == here):
                count = reached(D, F, P, B, X, at, t, k, label, count, gap, place, way)
        length += distance(D, P, p, here, B[at + gap + 1])
        here = B[at + gap + 1]
        if used * length > holds:
            return count
    return reached(D, F, P, B, X, at, t, k, label, count, k + 1, here, length)


@helper
def reached(
    D: Any,
    F: Any,
    P: Any,
    B: Any,
    X: Any,
    at: int,
    t: int,
    k: int,
    label: int,
    count: int,
    gap: int,
    place: int,
    way: float,
) -> int:
    """Add the label of `place` in `gap`, `way` further on than `label`, unless it breaks a rule or is no better
    than another; returns how many there are now."""
    rate, rows, values = rates(P, t), B[LABEL_AT], int(X[LABEL_X_AT])
    if count == LABELS or B[rows + L_ROW * label + L_STOPS] + (label > 0) > P[WIDTH]:
        return count
    old, new, fresh = values + L_VALUE * label, values + L_VALUE * count, rows + L_ROW * count
    time, gained, used = 0.0, 0.0, F[rate + CONSUMPTION] * way
    if label > 0:
        lacks = max(0.0, F[rate + RESERVE] + used - X[old + L_LEVEL])
        time = math.ceil(lacks / F[rate + RATE])
        gained = min(time * F[rate + RATE], F[rate + BATTERY] - X[old + L_LEVEL])
        time = min(time, math.ceil(gained / F[rate + RATE]))
    X[new + L_DISTANCE] = X[old + L_DISTANCE] + way
    if X[new + L_DISTANCE] > F[rate + MAX_DISTANCE]:
        return count
    X[new + L_COST] = X[old + L_COST] + F[rate + PER_DISTANCE] * way + F[rate + ENERGY_COST] * gained
    X[new + L_LEVEL] = X[old + L_LEVEL] + gained - used
    X[new + L_CHARGING], X[new + L_CHARGED] = time, X[old + L_CHARGED] + gained
    X[new + L_TIME] = 0.0
    X[new + L_WAY] = X[new + L_DISTANCE]
    if gap <= k:
        ahead = distance(D, P, P[kind(P, t) + PROFILE], place, B[at + gap + 1])
        X[new + L_WAY] += ahead + X[int(X[LEFT_AT]) + gap + 1]
    if hopeless(F, P, X, t, new):
        return count
    B[fresh + L_GAP], B[fresh + L_NODE], B[fresh + L_PARENT] = gap, place, label
    B[fresh + L_STOPS], B[fresh + L_STATE] = B[rows + L_ROW * label + L_STOPS] + (label > 0), OPEN_LABEL
    if P[HAS_TIMES] == 1 and not drive_on(D, F, P, B, X, at, t, k, label, count):
        return count
    for q in range(1, count):
        other = values + L_VALUE * q
        if B[rows + L_ROW * q + L_GAP] != gap or B[rows + L_ROW * q + L_NODE] != place:
            continue
        if B[rows + L_ROW * q + L_STATE] == WORSE_LABEL:
            continue
        if no_worse(X, other, new):
            return count
        if B[rows + L_ROW * q + L_STATE] == OPEN_LABEL and no_worse(X, new, other):
            B[rows + L_ROW * q + L_STATE] = WORSE_LABEL
    if gap > k:
        X[END_COST] = min(X[END_COST], X[new + L_COST])
        X[END_WAY] = min(X[END_WAY], X[new + L_DISTANCE])
    return count + 1


@helper
def no_worse(X: Any, a: int, b: int) -> bool:
    """Whether the label of values at a is no worse in anything than the one at b."""
    return (
        X[a + L_COST] <= X[b + L_COST]
        and X[a + L_DISTANCE] <= X[b + L_DISTANCE]
        and X[a + L_TIME] <= X[b + L_TIME]
        and X[a + L_LEVEL] >= X[b + L_LEVEL]
    )


@helper
def drive_on(D: Any, F: Any, P: Any, B: Any, X: Any, at: int, t: int, k: int, label: int, to: int) -> bool:
    """Drive from `label` to the label `to`, with the charging that it tells; False if that is late somewhere."""
    row, rate, rows, values = kind(P, t), rates(P, t), B[LABEL_AT], int(X[LABEL_X_AT])
    old, new = values + L_VALUE * label, values + L_VALUE * to
    own, goal = rows + L_ROW * label, rows + L_ROW * to
    duty, now, depots = P[row + HAS_DUTY] == 1, X[old + L_TIME], P[DEPOTS]
    leave = max(F[rate + OPEN], released(F, P, B, at, k, 0))
    X[SINCE], X[PART], X[DRIVEN] = X[old + L_SINCE], X[old + L_PART], X[old + L_DRIVEN]
    here, gap, ahead = B[own + L_NODE], B[own + L_GAP], B[goal + L_GAP]
    # a vehicle waits for its first stop before it leaves, which is no break
    first = label == 0
    if label > 0:
        start = max(now, F[F_NODE * here + EARLY])
        if start > F[F_NODE * here + LATE] + NOISE:
            return False
        if duty and B[own + L_STOPS] + gap > 0:
            waited(F, X, rate, start - now)
        elif duty and start > now:
            just_in_time(D, F, P, X, t, B[at], here, leave, now, start)
        now = start + X[new + L_CHARGING]
    for i in range(gap + 1, min(ahead, k) + 1):
        x = B[at + i]
        if same_stop(P, here, x):
            here = x
            continue
        if duty:
            now = rest_and_drive(D, F, P, X, t, here, x, now)
        else:
            now = arrive(D, F, P, t, here, x, now)
        came = now
        if x < depots:
            now = max(now, F[F_NODE * x + EARLY], released(F, P, B, at, k, i))
        else:
            now = in_window(F, P, x, now)
        if duty and not first:
            waited(F, X, rate, now - came)
        elif duty and now > came:
            just_in_time(D, F, P, X, t, here, x, leave, came, now)
        first = False
        if now > F[F_NODE * x + LATE] + NOISE:
            return False
        if x < depots:
            now += F[rate + RELOAD_TIME]
        else:
            if P[HAS_LATE_COST] == 1:
                X[new + L_COST] += F[F_NODE * x + LATE_COST] * max(0.0, now - F[F_NODE * x + DUE])
            now += service(F, P, x, t)
        here = x
    place = B[goal + L_NODE]
    if not (ahead > k and P[row + OPEN_END] == 1):
        if duty:
            now = rest_and_drive(D, F, P, X, t, here, place, now)
        else:
            now = arrive(D, F, P, t, here, place, now)
    if ahead > k and now > F[rate + CLOSE] + NOISE:
        return False
    if duty and math.floor(X[DRIVEN] + 0.5) > F[rate + MAX_DRIVING]:
        return False
    X[new + L_TIME] = now
    X[new + L_SINCE], X[new + L_PART], X[new + L_DRIVEN] = X[SINCE], X[PART], X[DRIVEN]
    return True
