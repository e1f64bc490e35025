"""What the state keeps of each route is the same after changes by deltas as computed anew from its links."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from solvers.kernels.data import pack
from solvers.kernels.insertion import best_place, change_kind, place_visit, rand
from solvers.kernels.layout import (
    A_FIRST,
    A_LAST,
    A_SPENT,
    A_WHEN,
    B_FIRST,
    B_LAST,
    B_SPENT,
    B_WHEN,
    COUNT,
    DEPOTS,
    DIMS,
    ITEM,
    KIND,
    KINDS,
    LENGTH,
    LOADS,
    MIXED,
    N_USED,
    NEXT,
    NODES,
    PEAK_AT,
    READY,
    SIZE,
    SLOT,
    TAKEN_AT,
    TIME,
    TIMED,
    USED_AT,
)
from solvers.kernels.session import Session
from solvers.kernels.state import after_ruin, begin, commit, refresh, slot, take_out, touch, undo
from solvers.kernels.travel import kind
from tests.conformance.problems import random_problem

CASES = [
    ("time_windows",),
    ("time_windows", "time_costs", "max_duration"),
    ("release_times", "time_windows", "skills"),
    ("pickups", "capacities"),
    ("pickups", "time_windows", "max_duration"),
    ("heterogeneous_fleet", "time_windows", "time_costs", "multi_depot", "profiles"),
]
WIDTH = 16  # words written per item and per route


@njit
def columns(P, S, out):  # type: ignore[no-untyped-def]
    """What is kept: a row for each visit on a route, then for each used slot."""
    n, dims = P[NODES], P[DIMS]
    out[:] = 0
    for x in range(P[DEPOTS], n):
        row = WIDTH * x
        if S[ITEM * x + SLOT] < 0:
            out[row] = -1
            continue
        timed = (A_WHEN, B_WHEN)
        if P[TIMED] != 0:
            for c in timed:
                out[row] = S[ITEM * x + c]
                row += 1
        if P[TIMED] == 2:
            for c in (A_SPENT, A_FIRST, A_LAST, B_SPENT, B_FIRST, B_LAST):
                out[row] = S[ITEM * x + c]
                row += 1
        if P[MIXED] == 1:
            for k in range(2 * dims):
                out[row] = S[S[PEAK_AT] + 2 * dims * x + k]
                row += 1
    for k in range(S[N_USED]):
        r = S[S[USED_AT] + k]
        row = WIDTH * (n + r)
        for c in (SIZE, KIND, LENGTH, READY):
            out[row] = S[slot(S, r) + c]
            row += 1
        if P[TIMED] == 2:
            out[row] = S[slot(S, r) + TIME]
            row += 1
        for c in range(dims):
            out[row] = S[slot(S, r) + LOADS + c]
            row += 1


@njit
def anew(D, F, P, S):  # type: ignore[no-untyped-def]
    for k in range(S[N_USED]):
        refresh(D, F, P, S, S[S[USED_AT] + k])


@njit
def ruined(D, F, P, S, share):  # type: ignore[no-untyped-def]
    begin(S)
    taken = 0
    for x in range(P[DEPOTS], P[NODES]):
        if S[ITEM * x + SLOT] >= 0 and rand(S) < share:
            take_out(D, F, P, S, x)
            taken += 1
    after_ruin(D, F, P, S)
    return taken


@njit
def recreated(D, F, P, S):  # type: ignore[no-untyped-def]
    for x in range(P[DEPOTS], P[NODES]):
        if S[ITEM * x + SLOT] < 0 and rand(S) < 0.8:
            cost, at, t = best_place(D, F, P, S, x, 0.0, False)
            if cost < 2**62:
                place_visit(D, F, P, S, x, at, t)


@njit
def retyped(D, F, P, S):  # type: ignore[no-untyped-def]
    """Give the first used slot another type, whether that is allowed or not."""
    r = S[S[USED_AT]]
    t = (S[slot(S, r) + KIND] + 1) % P[KINDS]
    if S[S[TAKEN_AT] + t] >= P[kind(P, t) + COUNT]:
        return
    x = S[ITEM * (P[NODES] + 2 * r) + NEXT]
    touch(S, P[NODES] + 2 * r + 1)
    while x < P[NODES]:
        touch(S, x)
        x = S[ITEM * x + NEXT]
    change_kind(D, F, P, S, r, t)
    refresh(D, F, P, S, r)


@njit
def undone(D, F, P, S, keep):  # type: ignore[no-untyped-def]
    if keep:
        commit(S)
    else:
        undo(D, F, P, S)


@pytest.mark.parametrize("case", CASES, ids="+".join)
def test_changes_by_deltas_leave_what_a_full_pass_computes(case: tuple[str, ...]) -> None:
    taken = 0
    for seed in range(12):
        packed = pack(random_problem(case, seed, most=20))
        session = Session(packed, seed)
        session.construct()
        arrays: tuple[Any, ...] = (*packed.arrays, session.state)
        size = WIDTH * (packed.nodes + len(session.state) // ITEM)

        def kept(arrays: tuple[Any, ...] = arrays, size: int = size) -> list[int]:
            out = np.zeros(size, dtype=np.int64)
            columns(arrays[2], arrays[3], out)
            return out.tolist()

        def sound(arrays: tuple[Any, ...] = arrays) -> bool:
            before = kept()
            anew(*arrays)
            return before == kept()

        for turn in range(8):
            start = kept()
            taken += ruined(*arrays, 0.1 + 0.1 * turn)
            assert sound()
            recreated(*arrays)
            assert sound()
            if len(packed.kind) > 1 and session.state[N_USED] > 0 and turn % 4 == 0:
                retyped(*arrays)
            keep = turn % 4 == 3
            undone(*arrays, keep)
            assert keep or kept() == start
            assert sound()
    assert taken > 100
