"""One route driven from end to end: whether it keeps its times, and what it costs.

Says again, on floats, what `solvers.schedule` and `solvers.constraints` say; the tests prove the two equal.
"""

from __future__ import annotations

import math
from typing import Any

from solvers.kernels.jit import helper, inlined
from solvers.kernels.rich.layout import (
    BENDS_AT,
    BETWEEN_EQUALS,
    BREAK_TIME,
    BY_HOUR,
    CATEGORIES,
    CLOSE,
    DEP2_AT,
    DEP_AT,
    DEPOTS,
    DRIVE_BETWEEN,
    DRIVEN,
    DUE,
    EARLY,
    F_ASSIGN_AT,
    F_GAP_AT,
    F_NODE,
    F_SPEED_AT,
    FIRST_PART,
    FIXED,
    GAP_COUNT,
    GAP_FROM,
    HAS_ASSIGN,
    HAS_DUTY,
    HAS_GAPS,
    HAS_LATE_COST,
    HAS_RELEASES,
    HAS_TIMES,
    INFINITE,
    KINDS,
    LATE,
    LATE_COST,
    LONGEST,
    MAX_DISTANCE,
    MAX_DRIVING,
    MAX_DURATION,
    NODE,
    OPEN,
    OPEN_END,
    OVER_AFTER,
    OVER_COST,
    PART,
    PER_DISTANCE,
    PER_TIME,
    PERIODS,
    POINTS,
    POWER,
    PROFILE,
    RELEASE,
    RELOAD_TIME,
    SINCE,
    START_AT,
    STEEP,
    TIME_MATTERS,
)
from solvers.kernels.rich.travel import (
    arrive,
    back_in_window,
    covered,
    depart,
    distance,
    drive,
    drive_back,
    duration,
    in_window,
    kind,
    rates,
    same_stop,
    stay,
)
from solvers.speeds import NOISE


@helper
def released(F: Any, P: Any, B: Any, at: int, k: int, i: int) -> float:
    """When the goods of the trip that starts after item i are all released."""
    out = 0.0
    if P[HAS_RELEASES] == 1:
        i += 1
        while i <= k and B[at + i] >= P[DEPOTS]:
            out = max(out, F[F_NODE * B[at + i] + RELEASE])
            i += 1
    return out


@helper
def rest_and_drive(D: Any, F: Any, P: Any, X: Any, t: int, i: int, j: int, leave: float) -> float:
    """When vehicle type t arrives at j that leaves i at `leave`, with the breaks due on the way; moves the driver's
    clock."""
    row, rate = kind(P, t), rates(P, t)
    p, by_hour = P[row + PROFILE], P[row + BY_HOUR] == 1
    now, length = leave, duration(D, P, p, i, j)
    while True:
        end = drive(F, P, p, i, j, length, now) if by_hour else now + length
        if X[SINCE] + (end - now) <= F[rate + DRIVE_BETWEEN] + NOISE:
            break
        stop = now + max(0.0, F[rate + DRIVE_BETWEEN] - X[SINCE])
        length -= covered(F, P, p, i, j, now, stop) if by_hour else stop - now
        X[DRIVEN] += stop - now
        now = stop + F[rate + BREAK_TIME] - F[rate + FIRST_PART] * X[PART]
        X[SINCE], X[PART] = 0.0, 0.0
    X[SINCE] += end - now
    X[DRIVEN] += end - now
    return end


@inlined
def fresh(X: Any) -> None:
    """Set the driver's clock to the start of a route."""
    X[SINCE], X[DRIVEN], X[PART] = 0.0, 0.0, 0.0


@helper
def just_in_time(
    D: Any, F: Any, P: Any, X: Any, t: int, i: int, j: int, leave: float, came: float, begun: float
) -> float:
    """The departure from the start i that is just in time for the first service, at j, which starts at `begun` for
    who leaves at `leave` and arrives at `came` (`solvers.breaks`); sets the driver's clock on arrival."""
    without = depart(D, F, P, t, i, j, begun)
    fresh(X)
    if begun - without <= F[rates(P, t) + DRIVE_BETWEEN] + NOISE:
        X[SINCE] = X[DRIVEN] = begun - without
        return without
    later = leave + begun - came
    if rest_and_drive(D, F, P, X, t, i, j, later) <= begun + NOISE:
        return later
    fresh(X)
    rest_and_drive(D, F, P, X, t, i, j, leave)
    return leave


@helper
def waited(F: Any, X: Any, rate: int, wait: float) -> None:
    """Waiting that is long enough is a break or its first part."""
    if wait >= F[rate + BREAK_TIME] - F[rate + FIRST_PART] * X[PART] - NOISE:
        X[SINCE], X[PART] = 0.0, 0.0
    elif F[rate + FIRST_PART] > 0 and wait >= F[rate + FIRST_PART] - NOISE:
        X[PART] = 1.0


@helper
def timeless(D: Any, F: Any, P: Any, B: Any, at: int, t: int, k: int) -> float:
    """What the route of items B[at .. at + k + 1] costs whenever it is driven: the vehicle, the distance, who
    serves whom; INFINITE if it is too long."""
    row, rate = kind(P, t), rates(P, t)
    p, length = P[row + PROFILE], 0.0
    for i in range(k + 1 - (P[row + OPEN_END] == 1)):
        length += distance(D, P, p, B[at + i], B[at + i + 1])
    if length > F[rate + MAX_DISTANCE]:
        return INFINITE
    cost = F[rate + FIXED] + F[rate + PER_DISTANCE] * length
    if P[HAS_ASSIGN] == 1:
        for i in range(1, k + 1):
            if same_stop(P, B[at + i - 1], B[at + i]):
                continue
            cost += F[P[F_ASSIGN_AT] + P[KINDS] * B[at + i] + t]
    return cost


@helper
def driven(D: Any, F: Any, P: Any, B: Any, X: Any, at: int, t: int, k: int) -> float:
    """Cost of the route of items B[at .. at + k + 1], both ends set and loads looked after; INFINITE if it is too
    long or late somewhere."""
    row, rate = kind(P, t), rates(P, t)
    p, open_end, depots = P[row + PROFILE], P[row + OPEN_END] == 1, P[DEPOTS]
    cost = timeless(D, F, P, B, at, t, k)
    if cost >= INFINITE:
        return INFINITE
    if P[HAS_TIMES] == 0:
        return cost
    leave = max(F[rate + OPEN], released(F, P, B, at, k, 0))
    duty = P[row + HAS_DUTY] == 1
    if P[row + BY_HOUR] == 1 and P[row + TIME_MATTERS] == 1 and not duty:
        return cost + best_departure(D, F, P, B, X, at, t, k, leave)
    start, now = X[START_AT], leave
    starts = int(start)
    fresh(X)
    for i in range(1, k + 1):
        x = B[at + i]
        if same_stop(P, B[at + i - 1], x):
            continue
        if duty:
            now = rest_and_drive(D, F, P, X, t, B[at + i - 1], x, now)
        else:
            now = arrive(D, F, P, t, B[at + i - 1], x, now)
        came = now
        if x < depots:
            now = max(now, F[F_NODE * x + EARLY], released(F, P, B, at, k, i))
        else:
            now = in_window(F, P, x, now)
        if duty and i > 1:
            waited(F, X, rate, now - came)
        elif duty and now > came:
            leave = just_in_time(D, F, P, X, t, B[at], x, leave, came, now)
        if now > F[F_NODE * x + LATE] + NOISE:
            return INFINITE
        X[starts + i] = now
        if x < depots:
            now += F[rate + RELOAD_TIME]
        else:
            if P[HAS_LATE_COST] == 1:
                cost += F[F_NODE * x + LATE_COST] * max(0.0, now - F[F_NODE * x + DUE])
            now += stay(F, P, X, x, i, t)
    if not open_end and duty:
        now = rest_and_drive(D, F, P, X, t, B[at + k], B[at + k + 1], now)
    elif not open_end:
        now = arrive(D, F, P, t, B[at + k], B[at + k + 1], now)
    if duty and math.floor(X[DRIVEN] + 0.5) > F[rate + MAX_DRIVING]:
        return INFINITE
    if now > F[rate + CLOSE] + NOISE:
        return INFINITE
    if P[row + TIME_MATTERS] == 0:
        return cost
    if duty:
        return cost + priced(F, P, rate, math.floor(now + 0.5) - math.floor(leave + 0.5))
    latest = now
    for i in range(k, 0, -1):
        x = B[at + i]
        travel = 0.0 if i == k and open_end else duration(D, P, p, x, B[at + i + 1])
        if same_stop(P, B[at + i - 1], x):
            latest -= travel
            continue
        work = F[rate + RELOAD_TIME] if x < depots else stay(F, P, X, x, i, t)
        due = F[F_NODE * x + LATE] if x < depots else F[F_NODE * x + DUE]
        latest = min(latest - travel - work, max(due, X[starts + i]))
        if x >= depots:
            latest = back_in_window(F, P, x, latest)
    return cost + priced(F, P, rate, now - (latest - duration(D, P, p, B[at], B[at + 1])))


@helper
def priced(F: Any, P: Any, rate: int, spent: float) -> float:
    """Cost of a route's duration, `INFINITE` if it is too long."""
    if spent > F[rate + MAX_DURATION]:
        return INFINITE
    cost = F[rate + PER_TIME] * spent + F[rate + OVER_COST] * max(0.0, spent - F[rate + OVER_AFTER])
    if P[LONGEST] > 0:
        cost += steep(spent / P[LONGEST])
    return cost


@helper
def steep(share: float) -> float:
    """What a route of `share` times the longest duration so far weighs where the longest is to be short.

    A power so high that the sum of these falls when the longest route gets shorter, though others get longer or
    more; beyond `STEEP` it grows slowly, as no duration may come near `INFINITE`.
    """
    weight = 1e6 * min(share, STEEP) ** POWER
    return weight if share <= STEEP else weight * (1.0 + POWER * math.log(share / STEEP))


@helper
def last_change(F: Any, P: Any, p: int) -> float:
    """When the last of the periods begins."""
    starts, out = P[F_SPEED_AT] + p * P[PERIODS] * (1 + P[CATEGORIES]), 0.0
    for q in range(P[PERIODS]):
        if F[starts + q] < INFINITE:
            out = max(out, F[starts + q])
    return out


@helper
def add_point(X: Any, prune: bool, base: int, m: int, dep: float, now: float, paid: float) -> int:
    """Append a point; one that only leaves later takes the place of the last, unless the function may jump
    there. Returns the number of points."""
    if prune and m > 0 and X[base + POINTS + m - 1] == now and X[base + 2 * POINTS + m - 1] == paid:
        X[base + m - 1] = dep
        return m
    if m >= POINTS - 1:
        return m
    X[base + m], X[base + POINTS + m], X[base + 2 * POINTS + m] = dep, now, paid
    return m + 1


@helper
def split(X: Any, prune: bool, source: int, target: int, m: int, marks: int, count: int) -> int:
    """The points with those added at which the time takes one of the ascending values X[marks ..]."""
    out, mark = 0, 0
    for i in range(m):
        dep, now, paid = X[source + i], X[source + POINTS + i], X[source + 2 * POINTS + i]
        out = add_point(X, prune, target, out, dep, now, paid)
        if i + 1 == m:
            break
        after = X[source + POINTS + i + 1]
        while mark < count and X[marks + mark] <= now:
            mark += 1
        while mark < count and X[marks + mark] < after:
            share = (X[marks + mark] - now) / (after - now)
            out = add_point(
                X,
                prune,
                target,
                out,
                dep + share * (X[source + i + 1] - dep),
                X[marks + mark],
                paid + share * (X[source + 2 * POINTS + i + 1] - paid),
            )
            mark += 1
    return out


@helper
def bends(
    F: Any, P: Any, X: Any, p: int, i: int, j: int, length: float, at: int, low: float, high: float
) -> int:
    """Ascending departures between `low` and `high` at which the arrival's slope changes, to X[at ..]; returns how
    many."""
    if low >= high:
        return 0
    periods = P[PERIODS]
    starts = P[F_SPEED_AT] + p * periods * (1 + P[CATEGORIES])
    came, last = drive(F, P, p, i, j, length, low), drive(F, P, p, i, j, length, high)
    count, a, b = 0, 1, 1
    while a < periods and F[starts + a] <= low:
        a += 1
    while b < periods and F[starts + b] <= came:
        b += 1
    while True:
        change = F[starts + a] if a < periods else INFINITE
        before = INFINITE
        if b < periods and F[starts + b] < last:
            before = drive_back(F, P, p, i, j, length, F[starts + b])
        value = min(before, change)
        if value >= high:
            break
        if before <= change:
            b += 1
        else:
            a += 1
        if value > low and (count == 0 or value > X[at + count - 1]):
            X[at + count] = value
            count += 1
    return count


@helper
def best_departure(D: Any, F: Any, P: Any, B: Any, X: Any, at: int, t: int, k: int, begin: float) -> float:
    """Cost of duration and lateness at the best departure, where travel times depend on the hour.

    The end as a function of the departure is carried along the route as points (`solvers.time_dependent`).
    """
    row, rate, depots = kind(P, t), rates(P, t), P[DEPOTS]
    p, open_end = P[row + PROFILE], P[row + OPEN_END] == 1
    final = F[rate + CLOSE]
    for i in range(k, 0, -1):
        x = B[at + i]
        if not (i == k and open_end):
            final = depart(D, F, P, t, x, B[at + i + 1], final)
        if same_stop(P, B[at + i - 1], x):
            continue
        final -= F[rate + RELOAD_TIME] if x < depots else stay(F, P, X, x, i, t)
        final = min(final, F[F_NODE * x + LATE])
        if x >= depots:
            final = back_in_window(F, P, x, final)
        opens = F[F_NODE * x + EARLY]
        if x < depots:
            opens = max(opens, released(F, P, B, at, k, i))
        if final < opens - NOISE:
            return INFINITE
    final = depart(D, F, P, t, B[at], B[at + 1], final)
    if final < begin - NOISE:
        return INFINITE
    # who leaves after all openings and changes of speed gains nothing by leaving still later
    enough = max(begin, last_change(F, P, p))
    for i in range(1, k + 1):
        x = B[at + i]
        enough = max(enough, F[F_NODE * x + EARLY])
        if x < depots:
            enough = max(enough, released(F, P, B, at, k, i))
        elif P[HAS_GAPS] == 1 and P[NODE * x + GAP_COUNT] > 0:
            enough = max(enough, F[P[F_GAP_AT] + 2 * (P[NODE * x + GAP_FROM] + P[NODE * x + GAP_COUNT]) - 1])
    final = max(begin, min(final, enough))
    prune = P[HAS_GAPS] == 0
    a, b, marks = int(X[DEP_AT]), int(X[DEP2_AT]), int(X[BENDS_AT])
    m = add_point(X, prune, a, 0, begin, begin, 0.0)
    if final > begin:
        m = add_point(X, prune, a, m, final, final, 0.0)
    for i in range(1, k + 2):
        if i == k + 1 and open_end:
            break
        here, x = B[at + i - 1], B[at + i]
        if i <= k and same_stop(P, here, x):
            continue
        length = duration(D, P, p, here, x)
        low, high = X[a + POINTS], X[a + POINTS + m - 1]
        m = split(X, prune, a, b, m, marks, bends(F, P, X, p, here, x, length, marks, low, high))
        for q in range(m):
            X[b + POINTS + q] = drive(F, P, p, here, x, length, X[b + POINTS + q])
        a, b = b, a
        if i == k + 1:
            break
        m = served(F, P, B, X, a, b, m, at, t, k, i)
        a, b = b, a
    best, shortest, chosen = INFINITE, INFINITE, 0
    same = 1e-6 if P[LONGEST] == 0 else 1e-6 * BETWEEN_EQUALS
    for q in range(m):
        spent = X[a + POINTS + q] - X[a + q]
        price = F[rate + PER_TIME] * spent + F[rate + OVER_COST] * max(0.0, spent - F[rate + OVER_AFTER])
        price += X[a + 2 * POINTS + q]
        if price < best - same or (price <= best + same and spent < shortest - 1e-6):
            best, shortest, chosen = price, spent, q
    end, left = X[a + POINTS + chosen], X[a + chosen]
    return priced(F, P, rate, math.floor(end + 0.5) - math.floor(left + 0.5)) + X[a + 2 * POINTS + chosen]


@helper
def served(F: Any, P: Any, B: Any, X: Any, a: int, b: int, m: int, at: int, t: int, k: int, i: int) -> int:
    """Departures from item i, to the points at b, for the arrivals at a; returns the number of points."""
    x, marks, count = B[at + i], int(X[BENDS_AT]), 0
    opens, work = F[F_NODE * x + EARLY], 0.0
    if x < P[DEPOTS]:
        opens = max(opens, released(F, P, B, at, k, i))
        work = F[rates(P, t) + RELOAD_TIME]
    else:
        work = stay(F, P, X, x, i, t)
    X[marks] = opens
    count = 1
    if P[HAS_LATE_COST] == 1 and F[F_NODE * x + LATE_COST] > 0:
        count = put(X, marks, count, F[F_NODE * x + DUE])
    first, gaps = P[NODE * x + GAP_FROM], 0
    if P[HAS_GAPS] == 1:
        gaps = P[NODE * x + GAP_COUNT]
        for g in range(first, first + gaps):
            count = put(X, marks, count, F[P[F_GAP_AT] + 2 * g])
            count = put(X, marks, count, F[P[F_GAP_AT] + 2 * g + 1])
    # the marks are few, so the points are split into a second copy and then moved on
    prune = P[HAS_GAPS] == 0
    n = split(X, prune, a, b, m, marks, count)
    for q in range(n):
        for part in range(3):
            X[a + part * POINTS + q] = X[b + part * POINTS + q]
    out = 0
    for q in range(n):
        dep, now, paid = X[a + q], X[a + POINTS + q], X[a + 2 * POINTS + q]
        start = max(now, opens)
        if gaps > 0:
            start = in_window(F, P, x, start)
        late = 0.0
        if P[HAS_LATE_COST] == 1 and x >= P[DEPOTS]:
            late = F[F_NODE * x + LATE_COST] * max(0.0, start - F[F_NODE * x + DUE])
        out = add_point(X, prune, b, out, dep, start + work, paid + late)
        for g in range(first, first + gaps):
            if now == F[P[F_GAP_AT] + 2 * g] and q + 1 < n:
                start = F[P[F_GAP_AT] + 2 * g + 1]
                if x >= P[DEPOTS]:
                    late = F[F_NODE * x + LATE_COST] * max(0.0, start - F[F_NODE * x + DUE])
                out = add_point(X, prune, b, out, dep, start + work, paid + late)
    return out


@helper
def put(X: Any, at: int, count: int, value: float) -> int:
    """Insert a value into the ascending X[at ..]; returns the new count."""
    i = count
    while i > 0 and X[at + i - 1] > value:
        X[at + i] = X[at + i - 1]
        i -= 1
    X[at + i] = value
    return count + 1
