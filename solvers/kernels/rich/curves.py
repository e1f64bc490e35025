"""Routes whose duration depends on the hour, priced from the middle: what comes before and behind is laid out once.

For each item of a route at hand two piecewise linear functions are kept: when it is left, by departure from the
start, and when the route ends, by arrival at the item. A change then costs what it touches: the first function of
the item before it, the legs that are new, and the second function of the item behind it are composed, as prefixes
and suffixes are where travel times stand still (Vidal et al. 2013). What comes out is right but for rounding at
both ends, so it serves to choose; whoever takes the choice drives the route (`solvers.kernels.rich.evaluate`).
"""

from __future__ import annotations

from typing import Any

from solvers.kernels.jit import helper, inlined
from solvers.kernels.rich.evaluate import keeps_rules
from solvers.kernels.rich.layout import (
    BENDS_AT,
    BY_HOUR,
    CLOSE,
    CURVE,
    CURVE_AT,
    CURVE_X_AT,
    CURVED_AT,
    DEP2_AT,
    DEP_AT,
    DEPOTS,
    EARLY,
    END,
    F_NODE,
    HAND_SLOT,
    HAS_BATTERY,
    HAS_DUTY,
    HAS_GAPS,
    HAS_LATE_COST,
    HAS_PARTS,
    HAS_RELEASES,
    INFINITE,
    ITEMS_AT,
    LATE,
    LATEST_AT,
    LONGEST,
    OPEN,
    OPEN_END,
    POINTS,
    PROFILE,
    START,
    TIME_MATTERS,
    WIDTH,
)
from solvers.kernels.rich.simulate import add_point, bends, priced, split, timeless
from solvers.kernels.rich.travel import drive, duration, kind, rates, service

LONG = 10  # items from which on it pays: shorter routes are driven as soon as their functions are laid out
C_ROW = 4  # per item of a hand: where its two functions start and how many points they have
LEFT, LEFT_POINTS, ENDS, ENDS_POINTS = range(4)


@helper
def has_curves(P: Any, t: int) -> bool:
    """Whether routes of type t are priced this way: by duration, at speeds that change, with nothing beside it that
    depends on when who is served."""
    row = kind(P, t)
    plain = P[HAS_GAPS] == 0 and P[HAS_LATE_COST] == 0 and P[HAS_PARTS] == 0 and P[HAS_RELEASES] == 0
    plain = plain and P[row + HAS_DUTY] == 0 and P[row + HAS_BATTERY] == 0 and P[LONGEST] == 0
    return bool(plain and P[row + BY_HOUR] == 1 and P[row + TIME_MATTERS] == 1)


@inlined
def curve_row(P: Any, B: Any, hand: int, i: int) -> int:
    return B[CURVE_AT] + C_ROW * ((P[WIDTH] + 4) * hand + i)


@inlined
def first_point(X: Any, base: int, at: float, time: float) -> int:
    """Start the points at `base` with one; returns their number."""
    X[base], X[base + POINTS], X[base + 2 * POINTS] = at, time, 0.0
    return 1


@helper
def cut(X: Any, base: int, m: int, bound: float) -> int:
    """Drop the points with times after `bound`, but for one at it; returns how many are left."""
    n = m
    while n > 0 and X[base + POINTS + n - 1] > bound:
        n -= 1
    if n == m or n == 0:
        return n
    now, after = X[base + POINTS + n - 1], X[base + POINTS + n]
    share = (bound - now) / (after - now)
    X[base + n] = X[base + n - 1] + share * (X[base + n] - X[base + n - 1])
    X[base + POINTS + n], X[base + 2 * POINTS + n] = bound, 0.0
    return n + 1


@helper
def go_on(
    D: Any, F: Any, P: Any, X: Any, t: int, i: int, j: int, a: int, b: int, m: int, latest: float
) -> int:
    """Arrivals at node j, to the points at b, of those who leave node i at the times of the points at a; returns
    how many points are in time."""
    p, marks = P[kind(P, t) + PROFILE], int(X[BENDS_AT])
    length = duration(D, P, p, i, j)
    low, high = X[a + POINTS], X[a + POINTS + m - 1]
    m = split(X, True, a, b, m, marks, bends(F, P, X, p, i, j, length, marks, low, high))
    for q in range(m):
        X[b + POINTS + q] = drive(F, P, p, i, j, length, X[b + POINTS + q])
    return cut(X, b, m, latest)


@helper
def attended(X: Any, opens: float, work: float, a: int, b: int, m: int) -> int:
    """Departures, to the points at b, after `work` that starts at `opens` or later, for the arrivals at a."""
    out = 0
    for q in range(m):
        dep, now = X[a + q], X[a + POINTS + q]
        out = add_point(X, True, b, out, dep, max(now, opens) + work, 0.0)
        if now < opens and q + 1 < m and X[a + POINTS + q + 1] > opens:
            share = (opens - now) / (X[a + POINTS + q + 1] - now)
            out = add_point(X, True, b, out, dep + share * (X[a + q + 1] - dep), opens + work, 0.0)
    return out


@helper
def follow(X: Any, a: int, m: int, start: int, count: int, b: int) -> int:
    """The ends, to the points at b, for arrivals at a and the kept function of the ends that starts at `start`."""
    out, r = 0, 0
    for q in range(m):
        dep, now = X[a + q], X[a + POINTS + q]
        while r < count and X[start + 2 * r] <= now:
            r += 1
        if r == 0:
            end = X[start + 1]
        elif r == count:
            end = X[start + 2 * r - 1]
        else:
            share = (now - X[start + 2 * r - 2]) / (X[start + 2 * r] - X[start + 2 * r - 2])
            end = X[start + 2 * r - 1] + share * (X[start + 2 * r + 1] - X[start + 2 * r - 1])
        out = add_point(X, True, b, out, dep, end, 0.0)
        if q + 1 == m:
            break
        after, s = X[a + POINTS + q + 1], r
        while s < count and X[start + 2 * s] < after:
            share = (X[start + 2 * s] - now) / (after - now)
            here = dep + share * (X[a + q + 1] - dep)
            out = add_point(X, True, b, out, here, X[start + 2 * s + 1], 0.0)
            s += 1
    return out


@helper
def keep_points(X: Any, B: Any, cell: int, a: int, m: int, store: int, used: int) -> int:
    """Copy the points at a to the hand's store and note them in B[cell] and behind; returns how many points are
    stored now, -1 if there is no room."""
    if used < 0 or used + m > CURVE or m >= POINTS - 1:
        return -1
    B[cell], B[cell + 1] = store + 2 * used, m
    for q in range(m):
        X[store + 2 * (used + q)], X[store + 2 * (used + q) + 1] = X[a + q], X[a + POINTS + q]
    return used + m


@helper
def lay_curves(D: Any, F: Any, P: Any, B: Any, X: Any, t: int, k: int) -> None:
    """Lay out both functions of all items of the route at hand, if it is of that kind and there is room."""
    hand, at, row, rate = B[HAND_SLOT], B[ITEMS_AT], kind(P, t), rates(P, t)
    B[B[CURVED_AT] + hand] = 0
    if k < LONG or not has_curves(P, t):
        return
    for i in range(1, k + 1):
        if B[at + i] < P[DEPOTS]:
            return
    open_end, latest, store = P[row + OPEN_END] == 1, int(X[LATEST_AT]), int(X[CURVE_X_AT]) + 2 * CURVE * hand
    a, b, begin = int(X[DEP_AT]), int(X[DEP2_AT]), F[rate + OPEN]
    # as late as the items up to here allow: what is to come behind them may be quicker than what comes now
    m = first_point(X, a, begin, begin)
    m = add_point(X, True, a, m, F[rate + CLOSE], F[rate + CLOSE], 0.0)
    used = keep_points(X, B, curve_row(P, B, hand, 0) + LEFT, a, m, store, 0)
    for i in range(1, k + 1):
        x = B[at + i]
        m = go_on(D, F, P, X, t, B[at + i - 1], x, a, b, m, F[F_NODE * x + LATE])
        m = attended(X, F[F_NODE * x + EARLY], service(F, P, x, t), b, a, m)
        used = keep_points(X, B, curve_row(P, B, hand, i) + LEFT, a, m, store, used)
        if used < 0 or m == 0:
            return
    for i in range(k, 0, -1):
        x = B[at + i]
        m = first_point(X, a, min(begin, X[latest + i]), min(begin, X[latest + i]))
        m = add_point(X, True, a, m, X[latest + i], X[latest + i], 0.0)
        m = attended(X, F[F_NODE * x + EARLY], service(F, P, x, t), a, b, m)
        a, b = b, a
        if not (i == k and open_end):
            m = go_on(D, F, P, X, t, x, B[at + i + 1], a, b, m, X[latest + i + 1])
            a, b = b, a
        if i < k:
            cell = curve_row(P, B, hand, i + 1) + ENDS
            m = follow(X, a, m, B[cell], B[cell + 1], b)
            a, b = b, a
        used = keep_points(X, B, curve_row(P, B, hand, i) + ENDS, a, m, store, used)
        if used < 0 or m == 0:
            return
    B[B[CURVED_AT] + hand] = 1


@helper
def joined(
    D: Any,
    F: Any,
    P: Any,
    B: Any,
    X: Any,
    t: int,
    hand: int,
    i: int,
    first: int,
    last: int,
    hand2: int,
    j: int,
    k2: int,
) -> float:
    """Least duration of the route that has the items of `hand` up to the i-th, B[first] to B[last - 1], and those
    of `hand2` from the j-th of k2 on; INFINITE if it is late somewhere."""
    stride, row, rate = P[WIDTH] + 4, kind(P, t), rates(P, t)
    a, b = int(X[DEP_AT]), int(X[DEP2_AT])
    cell = curve_row(P, B, hand, i) + LEFT
    m, start = B[cell + 1], B[cell]
    for q in range(m):
        X[a + q], X[a + POINTS + q], X[a + 2 * POINTS + q] = X[start + 2 * q], X[start + 2 * q + 1], 0.0
    here = B[B[ITEMS_AT] + (hand - B[HAND_SLOT]) * stride + i]
    for q in range(first, last):
        x = B[q]
        m = go_on(D, F, P, X, t, here, x, a, b, m, F[F_NODE * x + LATE])
        if m == 0:
            return INFINITE
        m = attended(X, F[F_NODE * x + EARLY], service(F, P, x, t), b, a, m)
        here = x
    if j <= k2:
        shift = (hand2 - B[HAND_SLOT]) * stride
        y = B[B[ITEMS_AT] + shift + j]
        m = go_on(D, F, P, X, t, here, y, a, b, m, X[int(X[LATEST_AT]) + shift + j])
        cell = curve_row(P, B, hand2, j) + ENDS
        m = follow(X, b, m, B[cell], B[cell + 1], a)
    elif P[row + OPEN_END] == 0:
        m = go_on(D, F, P, X, t, here, P[row + END], a, b, m, F[rate + CLOSE])
        a = b
    best = INFINITE
    for q in range(m):
        best = min(best, X[a + POINTS + q] - X[a + q])
    return best


@helper
def estimate(
    D: Any,
    F: Any,
    P: Any,
    B: Any,
    X: Any,
    t: int,
    at: int,
    n: int,
    hand: int,
    i: int,
    hand2: int,
    j: int,
    k2: int,
) -> float:
    """Cost of the route of items B[at + 1 .. at + n], whose first i are those of `hand` and whose last those of
    `hand2` from the j-th of k2 on, but for rounding; INFINITE if it breaks a rule."""
    row = kind(P, t)
    if not keeps_rules(P, B, at, t, n):
        return INFINITE
    B[at], B[at + n + 1] = P[row + START], P[row + END]
    cost = timeless(D, F, P, B, at, t, n)
    if cost >= INFINITE:
        return INFINITE
    spent = joined(D, F, P, B, X, t, hand, i, at + 1 + i, at + n - (k2 - j), hand2, j, k2)
    return cost + priced(F, P, rates(P, t), spent) if spent < INFINITE else INFINITE
