"""Whether a route keeps every rule, and what it costs."""

from __future__ import annotations

from typing import Any

from solvers.kernels.jit import helper
from solvers.kernels.rich.charging import charged
from solvers.kernels.rich.layout import (
    ALLOWED_AT,
    BACKHAUL,
    BACKHAULS_ALONE,
    DEPOTS,
    DIMS,
    END,
    HAS_BACKHAULS,
    HAS_BATTERY,
    HAS_PAIRS,
    INFINITE,
    KIND,
    KINDS,
    LIFO,
    LOAD_AT,
    LOADS_AT,
    MARK,
    MARKS_AT,
    MAX_RELOADS,
    NODE,
    PARTNER,
    PLAN_LENGTH,
    RELOAD_COUNT,
    RELOAD_FROM,
    RELOAD_LIST_AT,
    ROLE,
    STACK_AT,
    START,
)
from solvers.kernels.rich.simulate import driven
from solvers.kernels.rich.travel import kind


@helper
def keeps_rules(P: Any, B: Any, at: int, t: int, k: int) -> bool:
    """Loads, order and company of the items B[at + 1 .. at + k] in a vehicle of type t."""
    dims, depots, row = P[DIMS], P[DEPOTS], kind(P, t)
    loads, first, reloads = B[LOADS_AT], 1, 0
    while True:
        for d in range(dims):
            B[loads + d] = P[row + KIND + dims + d] if first == 1 else 0
        last = first
        while last <= k and B[at + last] >= depots:
            x = B[at + last]
            if P[P[ALLOWED_AT] + P[KINDS] * x + t] == 0:
                return False
            for d in range(dims):
                B[loads + d] += P[P[LOAD_AT] + 3 * dims * x + d]
            last += 1
        for d in range(dims):
            if B[loads + d] > P[row + KIND + d]:
                return False
        B[MARK] += 1
        mark, on_board, behind = B[MARK], 0, False
        for i in range(first, last):
            x = B[at + i]
            amounts = P[LOAD_AT] + 3 * dims * x
            for d in range(dims):
                B[loads + d] += P[amounts + dims + d] - P[amounts + d] + P[amounts + 2 * dims + d]
                if B[loads + d] > P[row + KIND + d]:
                    return False
            if P[HAS_BACKHAULS] == 1:
                if P[NODE * x + BACKHAUL] == 1:
                    if i == first and P[BACKHAULS_ALONE] == 0:
                        return False
                    behind = True
                elif behind:
                    return False
            if P[HAS_PAIRS] == 1 and P[NODE * x + ROLE] != 0:
                if P[NODE * x + ROLE] == 1:
                    B[B[MARKS_AT] + x] = mark
                    B[B[STACK_AT] + on_board] = x
                    on_board += 1
                else:
                    if B[B[MARKS_AT] + P[NODE * x + PARTNER]] != mark:
                        return False
                    on_board -= 1
                    if P[row + LIFO] == 1 and B[B[STACK_AT] + on_board] != P[NODE * x + PARTNER]:
                        return False
        if on_board > 0:
            return False
        if last > k:
            break
        reloads += 1
        known = False
        for r in range(P[row + RELOAD_FROM], P[row + RELOAD_FROM] + P[row + RELOAD_COUNT]):
            known = known or P[P[RELOAD_LIST_AT] + r] == B[at + last]
        if not known:
            return False
        first = last + 1
    return reloads <= P[row + MAX_RELOADS]


@helper
def evaluate(D: Any, F: Any, P: Any, B: Any, X: Any, at: int, t: int, k: int) -> float:
    """Cost of the route of items B[at + 1 .. at + k]; INFINITE if it breaks a rule. Sets both ends.

    Where it has to charge, the stops found stand in the plan (PLAN_AT), with the items between them.
    """
    B[PLAN_LENGTH] = 0
    if k == 0:
        return 0.0
    row = kind(P, t)
    B[at], B[at + k + 1] = P[row + START], P[row + END]
    if not keeps_rules(P, B, at, t, k):
        return INFINITE
    if P[row + HAS_BATTERY] == 1:
        return charged(D, F, P, B, X, at, t, k)
    return driven(D, F, P, B, X, at, t, k)
