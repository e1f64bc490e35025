"""Slots and the route at hand: laid out with its legs, times and loads, and kept until it changes."""

from __future__ import annotations

from typing import Any

from solvers.kernels.jit import helper, inlined
from solvers.kernels.rich.curves import lay_curves
from solvers.kernels.rich.layout import (
    AFTER_AT,
    BEFORE_AT,
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
    HAS_TIMES,
    ITEMS_AT,
    KIND,
    LATE,
    LATEST_AT,
    LEG_AT,
    LENGTH,
    LOAD_AT,
    OPEN,
    OPEN_END,
    PROFILE,
    READY_AT,
    RELOAD_TIME,
    SEQ_AT,
    SLOT,
    SLOT_AT,
    SPAN_AT,
    STAMP,
    START,
    TRIP_AT,
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
    at, memo = B[ITEMS_AT], HAND_ROWS + 3 * hand
    if B[memo] == r and B[memo + 1] == t and B[memo + 2] == S[slot(S, r) + STAMP]:
        return
    B[memo], B[memo + 1], B[memo + 2] = r, t, S[slot(S, r) + STAMP]
    base, depots, dims = row_of(P, S, r), P[DEPOTS], P[DIMS]
    B[at], B[at + k + 1] = P[row + START], P[row + END]
    for i in range(k):
        B[at + 1 + i] = S[base + i]
    _lay_loads(P, B, row, at, k, dims, depots)
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
    lay_curves(D, F, P, B, X, t, k)


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
