"""Whole new routes from visits in the bank, by labelling.

Where visits are optional, single insertions never open a route whose depot legs only many visits together pay
for. This finds such a route at once, as pricing does in column generation (an elementary shortest path with
resources, Feillet et al. 2004), but heuristically: visits are looked at in an order that follows their windows,
arcs go from earlier to later ones of the near lists alone, and a visit keeps few labels. An order makes every
path elementary, and narrow windows make it hardly a restriction.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.data import Packed
from solvers.kernels.insertion import NEVER, place_visit, rand
from solvers.kernels.jit import helper
from solvers.kernels.layout import (
    ALLOWED_AT,
    BANKED,
    CLOSE,
    COUNT,
    DEPOTS,
    DIMS,
    EARLY,
    END,
    FIXED,
    HARD,
    ITEM,
    KINDS,
    LATE,
    MAX_DISTANCE,
    N_USED,
    NEAR_AT,
    NEAR_WIDTH,
    NEXT,
    NODE,
    NODES,
    OPEN,
    P_HEAD,
    PER_DISTANCE,
    PRIZE,
    PROFILE,
    SERVICE,
    SLOT,
    SLOTS,
    SOFT,
    START,
    TAKEN_AT,
    TIMED,
)
from solvers.kernels.state import put_in, refresh, take_out
from solvers.kernels.travel import capacity, distance, duration, kind, load
from solvers.travel import IntArray

LABELS = 4  # kept per visit
ORDERS = 8  # drawn once; wide windows leave room for different ones
LABEL = 5  # words of a label: cost, time of departure, load, length, label before it
WHEN, LOADED, DRIVEN, BEFORE = 1, 2, 3, 4
OVERLOOKED = 0.03  # probability of a visit, so that the same ruin does not give the same route again


def label_space(packed: Packed, seed: int) -> IntArray:
    """Room for the labels of all nodes, after `ORDERS` orders of the visits by a time inside their windows.

    A single word where no visit has a prize.
    """
    node = packed.node
    if not node[:, PRIZE - P_HEAD].any():
        return np.zeros(1, dtype=np.int64)
    early, late = (node[packed.depots :, column - P_HEAD].astype(np.float64) for column in (EARLY, LATE))
    share = np.random.default_rng(seed).random((ORDERS, len(late)))
    orders = np.argsort(early + share * (late - early), axis=1, kind="stable") + packed.depots
    return np.concatenate([orders.ravel(), np.zeros(packed.nodes * (1 + LABELS * LABEL), dtype=np.int64)])


@helper
def add_label(L: Any, at: int, held: int, cost: int, when: int, loaded: int, driven: int, before: int) -> int:
    """Keep a label at the visit whose labels start at `at` if it is worth it; returns how many it holds then."""
    row = -1
    for k in range(held):
        x = at + LABEL * k
        if L[x] <= cost and L[x + WHEN] <= when and L[x + LOADED] <= loaded:
            return held
        if row < 0 and cost <= L[x] and when <= L[x + WHEN] and loaded <= L[x + LOADED]:
            row = x
    if row < 0 and held < LABELS:
        row = at + LABEL * held
        held += 1
    if row < 0:
        row = at
        for k in range(1, held):
            if L[at + LABEL * k] > L[row]:
                row = at + LABEL * k
        if L[row] <= cost:
            return held
    L[row] = cost
    L[row + WHEN], L[row + LOADED], L[row + DRIVEN], L[row + BEFORE] = when, loaded, driven, before
    return held


@helper
def cheapest_route(
    D: Any, F: Any, P: Any, S: Any, L: Any, t: int, order_at: int, miss: float, overlooked: float
) -> tuple[int, int]:
    """(cost less prizes, last label) of the best route found for a vehicle of type t; (0, -1) if none pays.

    Cost of distance and the fixed cost count, one load and the clock constrain; for the rest see `build`.
    """
    n, first, visits = P[NODES], P[DEPOTS], P[NODES] - P[DEPOTS]
    held_at = ORDERS * visits
    labels_at = held_at + n
    row = kind(P, t)
    prof, per = P[row + PROFILE], P[row + PER_DISTANCE]
    best, last = np.int64(0), np.int64(-1)
    for x in range(first, n):
        L[held_at + x] = 0
    for k in range(visits):
        j = L[order_at + k]
        if S[ITEM * j + BANKED] < 0 or P[P[ALLOWED_AT] + P[KINDS] * j + t] == 0 or rand(S) < overlooked:
            continue
        worth = P[NODE * j + PRIZE]
        if P[NODE * j + HARD] > 0:
            worth += np.int64(miss * P[NODE * j + SOFT])
        amount = load(P, j, 0) if P[DIMS] > 0 else np.int64(0)
        most = capacity(P, t, 0) if P[DIMS] > 0 else np.int64(0)
        early, late, work = P[NODE * j + EARLY], P[NODE * j + LATE], P[NODE * j + SERVICE]
        at, held = labels_at + LABELS * LABEL * j, 0
        leg = distance(D, F, P, prof, P[row + START], j)
        start = P[row + OPEN] + duration(D, F, P, prof, P[row + START], j)
        if start <= late and amount <= most:
            cost = P[row + FIXED] + per * leg - worth
            held = add_label(L, at, held, cost, max(start, early) + work, amount, leg, np.int64(-1))
        for m in range(P[NEAR_WIDTH]):
            i = P[P[NEAR_AT] + P[NEAR_WIDTH] * j + m]
            if i < 0:
                break
            if L[held_at + i] == 0:
                continue
            leg = distance(D, F, P, prof, i, j)
            ride = duration(D, F, P, prof, i, j)
            for k2 in range(L[held_at + i]):
                x = labels_at + LABELS * LABEL * i + LABEL * k2
                start = L[x + WHEN] + ride
                if start > late or L[x + LOADED] + amount > most:
                    continue
                held = add_label(
                    L,
                    at,
                    held,
                    L[x] + per * leg - worth,
                    max(start, early) + work,
                    L[x + LOADED] + amount,
                    L[x + DRIVEN] + leg,
                    x,
                )
        L[held_at + j] = held
        leg = distance(D, F, P, prof, j, P[row + END])
        ride = duration(D, F, P, prof, j, P[row + END])
        for k2 in range(held):
            x = at + LABEL * k2
            if L[x + WHEN] + ride > P[row + CLOSE] or L[x + DRIVEN] + leg > P[row + MAX_DISTANCE]:
                continue
            if L[x] + per * leg < best:
                best, last = L[x] + per * leg, x
    return best, last


@helper
def build(D: Any, F: Any, P: Any, S: Any, L: Any, miss: float, overlooked: float) -> bool:
    """Add the whole route that pays best, of any type with a free vehicle; False if there is none.

    A route that breaks a constraint which labels do not follow is taken out again.
    """
    if S[N_USED] >= P[SLOTS]:
        return False
    visits = P[NODES] - P[DEPOTS]
    order_at = np.int64(rand(S) * ORDERS) * visits
    best, chosen, latest, final = NEVER, np.int64(-1), np.int64(-1), np.int64(-1)
    for t in range(P[KINDS]):
        if S[S[TAKEN_AT] + t] >= P[kind(P, t) + COUNT]:
            continue
        cost, last = cheapest_route(D, F, P, S, L, t, order_at, miss, overlooked)
        latest = np.int64(t)
        if last >= 0 and cost < best:
            best, chosen, final = cost, np.int64(t), last
    if chosen < 0:
        return False
    if chosen != latest:  # later types have written over its labels
        best, final = cheapest_route(D, F, P, S, L, chosen, order_at, miss, overlooked)
        if final < 0:
            return False
    labels_at = ORDERS * visits + P[NODES]
    x = final
    r = np.int64(-1)
    while x >= 0:
        j = (x - labels_at) // (LABELS * LABEL)
        if r < 0:
            place_visit(D, F, P, S, j, np.int64(-1), chosen)
            r = S[ITEM * j + SLOT]
        else:  # from the last visit to the first, so each goes next to the start
            put_in(D, F, P, S, j, P[NODES] + 2 * r)
        x = L[x + BEFORE]
    if refresh(D, F, P, S, r):
        return True
    y = S[ITEM * (P[NODES] + 2 * r) + NEXT]
    while y < P[NODES]:
        after = S[ITEM * y + NEXT]
        take_out(D, F, P, S, y)
        y = after
    if P[TIMED] != 0:
        refresh(D, F, P, S, r)
    return False
