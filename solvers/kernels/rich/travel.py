"""Rows of the problem, and driving: arrival and departure times by matrix or by speeds that change."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.jit import helper, inlined
from solvers.kernels.rich.layout import (
    BY_HOUR,
    CATEGORIES,
    CATEGORY_AT,
    COORDS_AT,
    DIMS,
    EARLY,
    F_GAP_AT,
    F_KIND,
    F_KIND_AT,
    F_NODE,
    F_SERVICE_AT,
    F_SPEED_AT,
    FETCHED,
    GAP_COUNT,
    GAP_FROM,
    HAS_GAPS,
    HAS_PARTS,
    KIND,
    KIND_AT,
    KINDS,
    NODE,
    PERIODS,
    PROFILE,
    R_METRIC,
    R_PACE,
    R_SCALE,
    R_UNROUNDED,
    RULE,
    STATIONS,
    STAY_AT,
    STRIDE,
    TURNED,
    WHOLE,
    N,
)
from solvers.kernels.travel import raw_length, rounded
from solvers.speeds import NOISE

LINE = 8  # words of a cache line


@inlined
def kind(P: Any, t: int) -> int:
    """Where the row of vehicle type t starts; capacities follow at + KIND, then what is on board at the start."""
    return P[KIND_AT] + (KIND + 2 * P[DIMS]) * t


@inlined
def rates(P: Any, t: int) -> int:
    """Where the costs and times of vehicle type t start in F."""
    return P[F_KIND_AT] + F_KIND * t


@helper
def by_rule(D: Any, P: Any, p: int, i: int, j: int, timed: bool) -> float:
    """Distance from i to j by their coordinates, or with `timed` the travel time; both are the same back."""
    rule, a, b = RULE * p, P[COORDS_AT] + 2 * i, P[COORDS_AT] + 2 * j
    raw = raw_length(D[rule + R_METRIC], D[rule + R_SCALE], D[a], D[a + 1], D[b], D[b + 1])
    if timed and D[rule + R_UNROUNDED] == 1.0:
        return raw
    whole = np.float64(rounded(D[rule + R_METRIC], raw))
    if timed and D[rule + R_PACE] != 1.0:
        return np.rint(whole * D[rule + R_PACE])
    return whole


@inlined
def distance(D: Any, P: Any, p: int, i: int, j: int) -> float:
    n = P[STRIDE]
    if n == 0:
        return by_rule(D, P, p, i, j, False)
    return D[2 * p * n * n + i * n + j]


@inlined
def duration(D: Any, P: Any, p: int, i: int, j: int) -> float:
    """Travel time; the length, not rounded, where speeds change with the hour."""
    n = P[STRIDE]
    if n == 0:
        return by_rule(D, P, p, i, j, True)
    return D[(2 * p + 1) * n * n + i * n + j]


@inlined
def distance_from(D: Any, P: Any, p: int, j: int, i: int) -> float:
    """Distance from i to j: for loops over i, which read a row of j then instead of a column."""
    n = P[STRIDE]
    if n == 0:
        return by_rule(D, P, p, i, j, False)
    return D[P[TURNED] + 2 * p * n * n + j * n + i]


@inlined
def duration_from(D: Any, P: Any, p: int, j: int, i: int) -> float:
    """Travel time from i to j, read likewise."""
    n = P[STRIDE]
    if n == 0:
        return by_rule(D, P, p, i, j, True)
    return D[P[TURNED] + (2 * p + 1) * n * n + j * n + i]


@helper
def fetch(D: Any, P: Any, X: Any, p: int, x: int) -> None:
    """Read all that leads from and to x ahead, a word of each cache line: the lines come side by side here, but one
    after the other where each is waited for, and that takes most of the time of a search with 1,000 visits."""
    n, total = P[STRIDE], 0.0
    if n == 0:
        return
    for side in range(2 if P[TURNED] > 0 else 1):
        for block in range(2 * p, 2 * p + 2):
            row = side * P[TURNED] + block * n * n + x * n
            for i in range(row, row + n, LINE):
                total += D[i]
    X[FETCHED] = total


@inlined
def service(F: Any, P: Any, x: int, t: int) -> float:
    return F[P[F_SERVICE_AT] + P[KINDS] * x + t]


@inlined
def stay(F: Any, P: Any, X: Any, x: int, i: int, t: int) -> float:
    """Time spent at item i, the visit or station x."""
    if x >= P[STATIONS]:
        return X[int(X[STAY_AT]) + i]
    return service(F, P, x, t)


@inlined
def same_stop(P: Any, a: int, b: int) -> bool:
    """Whether a and b, one after the other, are parts of one visit: served at once, in one stop."""
    return P[HAS_PARTS] == 1 and P[NODE * a + WHOLE] == P[NODE * b + WHOLE] and P[NODE * a + WHOLE] >= 0


@helper
def in_window(F: Any, P: Any, x: int, time: float) -> float:
    """The first time on or after `time` in a window of x, the last window's end aside."""
    early = F[F_NODE * x + EARLY]
    if time < early:
        time = early
    if P[HAS_GAPS] == 1:
        first = P[NODE * x + GAP_FROM]
        for g in range(first, first + P[NODE * x + GAP_COUNT]):
            if F[P[F_GAP_AT] + 2 * g] + NOISE < time < F[P[F_GAP_AT] + 2 * g + 1]:
                time = F[P[F_GAP_AT] + 2 * g + 1]
    return time


@helper
def back_in_window(F: Any, P: Any, x: int, time: float) -> float:
    """The last time on or before `time` that is not between two windows of x."""
    if P[HAS_GAPS] == 1:
        first = P[NODE * x + GAP_FROM]
        for g in range(first, first + P[NODE * x + GAP_COUNT]):
            if F[P[F_GAP_AT] + 2 * g] < time < F[P[F_GAP_AT] + 2 * g + 1]:
                time = F[P[F_GAP_AT] + 2 * g]
    return time


@inlined
def speeds_of(P: Any, p: int, i: int, j: int) -> int:
    """Where the speeds of the arc start in F; the profile's period starts stand at the block's start."""
    block = P[F_SPEED_AT] + p * P[PERIODS] * (1 + P[CATEGORIES])
    if P[CATEGORY_AT] == 0:  # all arcs are of the first category
        return block + P[PERIODS]
    n = P[N]
    return block + P[PERIODS] * (1 + P[P[CATEGORY_AT] + (p * n + i) * n + j])


@inlined
def period_at(F: Any, P: Any, starts: int, time: float) -> int:
    """The period that `time` falls into; the periods' starts stand from `starts` on."""
    k = 0
    while k + 1 < P[PERIODS] and F[starts + k + 1] <= time:
        k += 1
    return k


@helper
def drive(F: Any, P: Any, p: int, i: int, j: int, length: float, leave: float) -> float:
    """When one arrives at j who leaves i at `leave` and has `length` to go (Ichoua et al. 2003)."""
    periods = P[PERIODS]
    starts = P[F_SPEED_AT] + p * periods * (1 + P[CATEGORIES])
    speeds = speeds_of(P, p, i, j)
    k = period_at(F, P, starts, leave)
    now = leave
    while k + 1 < periods:
        reached = (F[starts + k + 1] - now) * F[speeds + k]
        if reached >= length:
            break
        length -= reached
        now = F[starts + k + 1]
        k += 1
    return now + length / F[speeds + k]


@helper
def drive_back(F: Any, P: Any, p: int, i: int, j: int, length: float, arrive: float) -> float:
    """When one leaves i who arrives at j at `arrive`."""
    periods = P[PERIODS]
    starts = P[F_SPEED_AT] + p * periods * (1 + P[CATEGORIES])
    speeds = speeds_of(P, p, i, j)
    k = 0
    while k + 1 < periods and F[starts + k + 1] < arrive:
        k += 1
    now = arrive
    while k > 0:
        reached = (now - F[starts + k]) * F[speeds + k]
        if reached >= length:
            break
        length -= reached
        now = F[starts + k]
        k -= 1
    return now - length / F[speeds + k]


@helper
def covered(F: Any, P: Any, p: int, i: int, j: int, leave: float, until: float) -> float:
    """The length driven from i towards j from `leave` to `until`."""
    periods = P[PERIODS]
    starts = P[F_SPEED_AT] + p * periods * (1 + P[CATEGORIES])
    speeds = speeds_of(P, p, i, j)
    k = period_at(F, P, starts, leave)
    now, length = leave, 0.0
    while k + 1 < periods and F[starts + k + 1] < until:
        length += (F[starts + k + 1] - now) * F[speeds + k]
        now = F[starts + k + 1]
        k += 1
    return length + (until - now) * F[speeds + k]


@inlined
def arrive(D: Any, F: Any, P: Any, t: int, i: int, j: int, leave: float) -> float:
    """When vehicle type t arrives at node j that leaves node i at `leave`."""
    return after(F, P, t, i, j, duration(D, P, P[kind(P, t) + PROFILE], i, j), leave)


@inlined
def after(F: Any, P: Any, t: int, i: int, j: int, length: float, leave: float) -> float:
    """The same where the `duration` is known."""
    row = kind(P, t)
    if P[row + BY_HOUR] == 0:
        return leave + length
    return drive(F, P, P[row + PROFILE], i, j, length, leave)


@inlined
def depart(D: Any, F: Any, P: Any, t: int, i: int, j: int, at: float) -> float:
    """When vehicle type t has to leave node i to arrive at node j at `at`."""
    row = kind(P, t)
    length = duration(D, P, P[row + PROFILE], i, j)
    if P[row + BY_HOUR] == 0:
        return at - length
    return drive_back(F, P, P[row + PROFILE], i, j, length, at)
