"""Slots and the route at hand: laid out with its legs, times and loads, and kept until it changes."""

from __future__ import annotations

from typing import Any

from solvers.kernels.jit import helper, inlined
from solvers.kernels.rich.curves import lay_curves
from solvers.kernels.rich.layout import (
    AFTER_AT,
    BEFORE_AT,
    BY_HOUR,
    CAME,
    CLOSE,
    DEPOTS,
    DIMS,
    EARLY,
    END,
    F_NODE,
    HAND_ROWS,
    HAND_SLOT,
    HANDS,
    HAS_DUTY,
    HAS_GAPS,
    HAS_PARTS,
    HAS_RELEASES,
    HAS_RELOADS,
    HAS_TIMES,
    HELD,
    HELD_BEHIND,
    INFINITE,
    ITEMS_AT,
    KIND,
    LATE,
    LATEST_AT,
    LEG_AT,
    LENGTH,
    LOAD_AT,
    LOADED,
    LOADED_STAMP,
    NEVER,
    NO_SOONER,
    OPEN,
    OPEN_END,
    PROFILE,
    READY_AT,
    RELEASE,
    RELOAD_TIME,
    SEQ_AT,
    SLOT,
    SLOT_AT,
    SPAN_AT,
    SPENT,
    STAMP,
    START,
    TIMES,
    TIMES_AT,
    TRIP_AT,
    UNTIL,
    WAY_AT,
    WIDTH,
)
from solvers.kernels.rich.simulate import fresh, just_in_time, released, rest_and_drive, waited
from solvers.kernels.rich.travel import (
    after,
    back_in_window,
    depart,
    distance,
    duration,
    in_window,
    kind,
    rates,
    same_stop,
    service,
)
from solvers.speeds import NOISE


@inlined
def slot(S: Any, r: int) -> int:
    return S[SLOT_AT] + SLOT * r


@inlined
def row_of(P: Any, S: Any, r: int) -> int:
    """Where the items of slot r start in S."""
    return S[SEQ_AT] + P[WIDTH] * r


@helper
def take_up(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, r: int, t: int) -> None:
    """Lay the route of slot r, in a vehicle of type t, out in the scratch arrays: items, times and loads."""
    k, row, rate = S[slot(S, r) + LENGTH], kind(P, t), rates(P, t)
    hand, stride = r % HANDS, P[WIDTH] + 4
    # the parts of one hand follow those of the one before
    shift = hand - B[HAND_SLOT]
    B[HAND_SLOT] = hand
    B[ITEMS_AT] += shift * stride
    B[TRIP_AT] += shift * stride
    B[LEG_AT] += shift * stride * P[DIMS]
    B[BEFORE_AT] += shift * stride * P[DIMS]
    B[AFTER_AT] += shift * stride * P[DIMS]
    X[READY_AT] += shift * stride
    X[LATEST_AT] += shift * stride
    X[WAY_AT] += shift * stride
    X[SPAN_AT] += shift * stride
    X[TIMES_AT] += shift * stride * TIMES
    at, memo = B[ITEMS_AT], HAND_ROWS + 3 * hand
    if B[memo] == r and B[memo + 1] == t and B[memo + 2] == S[slot(S, r) + STAMP]:
        return
    B[memo], B[memo + 1], B[memo + 2] = r, t, S[slot(S, r) + STAMP]
    base, depots, dims = row_of(P, S, r), P[DEPOTS], P[DIMS]
    B[at], B[at + k + 1] = P[row + START], P[row + END]
    for i in range(k):
        B[at + 1 + i] = S[base + i]
    _lay_loads(P, B, row, at, k, dims, depots)
    if dims > 0:
        S[slot(S, r) + LOADED] = B[B[BEFORE_AT]] - P[row + KIND + dims]
        S[slot(S, r) + LOADED_STAMP] = S[slot(S, r) + STAMP]
    p, way, span = P[row + PROFILE], int(X[WAY_AT]), int(X[SPAN_AT])
    for i in range(k + 1):
        X[way + i] = distance(D, P, p, B[at + i], B[at + i + 1])
        X[span + i] = duration(D, P, p, B[at + i], B[at + i + 1])
    if P[HAS_TIMES] == 0:
        return
    ready, latest = int(X[READY_AT]), int(X[LATEST_AT])
    now = max(F[rate + OPEN], released(F, P, B, at, k, 0))
    X[ready] = now
    duty = P[row + HAS_DUTY] == 1
    fresh(X)
    for i in range(1, k + 1):
        x = B[at + i]
        if same_stop(P, B[at + i - 1], x):
            X[ready + i] = now
            continue
        if duty:
            now = rest_and_drive(D, F, P, X, t, B[at + i - 1], x, now)
        else:
            now = after(F, P, t, B[at + i - 1], x, X[span + i - 1], now)
        came = now
        if x < depots:
            now = max(now, F[F_NODE * x + EARLY], released(F, P, B, at, k, i))
        else:
            now = in_window(F, P, x, now)
        if duty and i > 1:
            waited(F, X, rate, now - came)
        elif duty and now > came:
            just_in_time(D, F, P, X, t, B[at], x, X[ready], came, now)
        now += F[rate + RELOAD_TIME] if x < depots else service(F, P, x, t)
        X[ready + i] = now
    bound = F[rate + CLOSE]
    X[latest + k + 1] = bound
    for i in range(k, 0, -1):
        x = B[at + i]
        if not (i == k and P[row + OPEN_END] == 1):
            bound = depart(D, F, P, t, x, B[at + i + 1], bound)
        if same_stop(P, B[at + i - 1], x):
            X[latest + i] = bound
            continue
        bound -= F[rate + RELOAD_TIME] if x < depots else service(F, P, x, t)
        bound = min(bound, F[F_NODE * x + LATE])
        if x >= depots:
            bound = back_in_window(F, P, x, bound)
        X[latest + i] = bound
    if shifts(P, t):
        _lay_trips(F, P, B, X, t, k)
    lay_curves(D, F, P, B, X, t, k)


@helper
def shifts(P: Any, t: int) -> bool:
    """Whether trips of vehicle type t start later where goods are released later, and what that does to the visits
    is told without driving."""
    row = kind(P, t)
    plain = P[HAS_GAPS] == 0 and P[HAS_PARTS] == 0 and P[row + BY_HOUR] == 0 and P[row + HAS_DUTY] == 0
    return bool(plain and (P[HAS_RELEASES] == 1 or P[HAS_RELOADS] == 1))


@helper
def _lay_trips(F: Any, P: Any, B: Any, X: Any, t: int, k: int) -> None:
    """Lay out the rows of TIMES of the route at hand."""
    at, depots, rate, span = B[ITEMS_AT], P[DEPOTS], rates(P, t), int(X[SPAN_AT])
    now = F[rate + OPEN]
    for i in range(k + 1):
        x, here = B[at + i], int(X[TIMES_AT]) + TIMES * i
        if i == 0 or x < depots:
            if i > 0:
                now = max(X[int(X[READY_AT]) + i - 1] + X[span + i - 1], F[F_NODE * x + EARLY])
            X[here + CAME], X[here + SPENT], X[here + HELD] = now, 0.0, 0.0
            X[here + NO_SOONER], X[here + UNTIL] = -INFINITE, INFINITE
            if i > 0:
                X[here + UNTIL] = F[F_NODE * x + LATE] + F[rate + RELOAD_TIME]
            continue
        last = here - TIMES
        spent, work = X[last + SPENT] + X[span + i - 1], service(F, P, x, t)
        X[here + CAME], X[here + SPENT] = 0.0, spent + work
        X[here + NO_SOONER] = max(X[last + NO_SOONER] + X[span + i - 1], F[F_NODE * x + EARLY]) + work
        X[here + UNTIL] = min(X[last + UNTIL], F[F_NODE * x + LATE] - spent)
        X[here + HELD] = max(X[last + HELD], F[F_NODE * x + RELEASE])
    behind = 0.0
    for i in range(k, -1, -1):
        x = B[at + i]
        X[int(X[TIMES_AT]) + TIMES * i + HELD_BEHIND] = behind
        behind = 0.0 if x < depots else max(behind, F[F_NODE * x + RELEASE])


@helper
def starting(F: Any, P: Any, B: Any, t: int, gap: int, held: float) -> float:
    """When the trip of item `gap` of the route at hand starts that waits only for goods released at `held`."""
    return held + (F[rates(P, t) + RELOAD_TIME] if B[B[TRIP_AT] + gap] > 0 else 0.0)


@helper
def delays(F: Any, P: Any, B: Any, X: Any, t: int, gap: int, held: float) -> bool:
    """Whether goods that are released at `held` let the trip of item `gap` start later."""
    return starting(F, P, B, t, gap, held) > X[int(X[READY_AT]) + B[B[TRIP_AT] + gap]]


@helper
def on_time(X: Any, gap: int, start: float, sooner: float) -> float:
    """When the vehicle leaves item `gap`, if its trip starts at `start` and it leaves at `sooner` at the earliest;
    NEVER if too late for the items so far."""
    row = int(X[TIMES_AT]) + TIMES * gap
    return NEVER if start > X[row + UNTIL] + NOISE else max(sooner, start + X[row + SPENT])


@helper
def leaving(F: Any, P: Any, B: Any, X: Any, t: int, gap: int, held: float) -> float:
    """When the vehicle of the route at hand leaves item `gap`, on a trip with goods more that are released at
    `held`; NEVER if too late for the items so far."""
    ready = X[int(X[READY_AT]) + gap]
    if not delays(F, P, B, X, t, gap, held):
        return ready
    return on_time(X, gap, starting(F, P, B, t, gap, held), ready)


@helper
def alone(F: Any, P: Any, B: Any, X: Any, t: int, gap: int, held: float) -> float:
    """The same on a trip that ends after item `gap`, but for those goods."""
    times = int(X[TIMES_AT])
    held = max(X[times + TIMES * B[B[TRIP_AT] + gap] + CAME], X[times + TIMES * gap + HELD], held)
    return on_time(X, gap, starting(F, P, B, t, gap, held), X[times + TIMES * gap + NO_SOONER])


@helper
def _lay_loads(P: Any, B: Any, row0: int, at: int, k: int, dims: int, depots: int) -> None:
    """Per leg after each item: the load, the largest so far and from here on in its trip, the trip's start."""
    leg, before, after = B[LEG_AT], B[BEFORE_AT], B[AFTER_AT]
    i = 0
    while i <= k:
        last = i + 1
        while last <= k and B[at + last] >= depots:
            last += 1
        for d in range(dims):
            load = P[row0 + KIND + dims + d] if i == 0 else 0
            for q in range(i + 1, last):
                load += P[P[LOAD_AT] + 3 * dims * B[at + q] + d]
            most = load
            for q in range(i, last):
                if q > i:
                    row = P[LOAD_AT] + 3 * dims * B[at + q]
                    load += P[row + dims + d] - P[row + d] + P[row + 2 * dims + d]
                most = max(most, load)
                B[leg + dims * q + d], B[before + dims * q + d] = load, most
            most = 0
            for q in range(last - 1, i - 1, -1):
                most = max(most, B[leg + dims * q + d])
                B[after + dims * q + d] = most
        for q in range(i, last):
            B[B[TRIP_AT] + q] = i
        i = last
