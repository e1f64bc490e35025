"""An ant colony on candidate lists: each ant rebuilds a part of the colony's solution along the pheromone.

Pheromone lies between a visit and the visits in its near list only, as in the focused ant colony of Skinderowicz
(2022): an ant takes some strings of visits out and puts each back at the cheapest of a few places, drawn in
proportion to the pheromone; where the outcome is promising a local search moves those visits once more. The
edges that the colony's solution has afterwards are marked; pheromone on the other edges of the visits
concerned evaporates, between the bounds of the max-min ant system (Stützle and Hoos 2000).

T  float64  pheromone (node, near), then the odds that an ant looks at that neighbour
"""

from __future__ import annotations

import math
from typing import Any

from solvers.kernels.insertion import NEVER, best_place, likely_place, place_visit, rand
from solvers.kernels.jit import entry, helper
from solvers.kernels.layout import (
    BEST_HARD,
    BEST_VALUE,
    HARD,
    ITEM,
    MISSED_HARD,
    MISSED_SOFT,
    MIXED,
    NEAR_AT,
    NEAR_WIDTH,
    NEXT,
    NODE,
    NODES,
    PREV,
    PRIZE,
    SLOT,
    TIMED,
    VALUE,
)
from solvers.kernels.ruin_recreate import ruin, settle, sort_removed
from solvers.kernels.state import begin, commit, refresh, save_best, take_out, undo


@helper
def mark(P: Any, S: Any, T: Any, c: int, rate: float, low: float, looks: float) -> None:
    """Evaporate the pheromone beside visit c and lay some on the edges that it has now.

    An ant at c looks at `looks` neighbours on average, fewer where some are sure to be looked at.
    """
    width = P[NEAR_WIDTH]
    p, q = S[ITEM * c + PREV], S[ITEM * c + NEXT]
    served = S[ITEM * c + SLOT] >= 0
    odds = P[NODES] * width
    total = 0.0
    for k in range(width):
        j = P[P[NEAR_AT] + width * c + k]
        at = width * c + k
        aim = 1.0 if served and j >= 0 and j in (p, q) else low
        T[at] += rate * (aim - T[at])
        total += T[at]
    for k in range(width):
        T[odds + width * c + k] = min(1.0, looks * T[width * c + k] / total)


@helper
def lay_out(D: Any, F: Any, P: Any, S: Any, T: Any, out: Any, n: int, log_keep: float) -> None:
    """The ant: puts the visits of `out` back at the cheapest of places drawn by pheromone."""
    for k in range(n):
        c = out[k]
        must = P[NODE * c + HARD] > 0
        cost, at, t = likely_place(
            D, F, P, S, c, log_keep, must and rand(S) < 0.2, T, P[NODES] * P[NEAR_WIDTH]
        )
        if cost < NEVER and (must or cost < P[NODE * c + PRIZE]):
            place_visit(D, F, P, S, c, at, t)


@helper
def improve(D: Any, F: Any, P: Any, S: Any, out: Any, n: int) -> None:
    """Local search: each visit of `out` once more to where it costs least."""
    for k in range(n):
        c = out[k]
        r = S[ITEM * c + SLOT]
        if r < 0:
            continue
        take_out(D, F, P, S, c)
        if P[TIMED] != 0 or P[MIXED] == 1:
            refresh(D, F, P, S, r)
        must = P[NODE * c + HARD] > 0
        cost, at, t = best_place(D, F, P, S, c, 0.0, must)
        if cost < NEVER and (must or cost < P[NODE * c + PRIZE]):
            place_visit(D, F, P, S, c, at, t)


@entry
def march(
    D: Any, F: Any, P: Any, S: Any, T: Any, out: Any, key: Any, tune: Any, iterations: int, since: int
) -> int:
    """Send `iterations` ants; returns how many came since the last new best.

    tune: as in `solvers.kernels.ruin_recreate.search`, then looks, rate, floor of the pheromone, and
    up to how many temperatures above the colony's solution the local search sets in.
    """
    cool = math.log(tune[5] / tune[4])
    incomplete = 0
    looks, rate, low, hope = tune[12], tune[13], tune[14], tune[15]
    for it in range(iterations):
        temperature = tune[4] * math.exp(cool * min(1.0, tune[7] + it * tune[8]))
        begin(S)
        value, soft = S[VALUE], S[MISSED_SOFT]
        n = ruin(D, F, P, S, tune[0], tune[1], tune[2], tune[10], out)
        sort_removed(D, F, P, S, out, n, key)
        lay_out(D, F, P, S, T, out, n, tune[3])
        change = settle(D, F, P, S)
        delta = float(S[VALUE] + change - value) + tune[6] * (S[MISSED_SOFT] - soft)
        if hope > 0.0 and delta < hope * temperature:
            improve(D, F, P, S, out, n)
            change = settle(D, F, P, S)
            delta = float(S[VALUE] + change - value) + tune[6] * (S[MISSED_SOFT] - soft)
        since += 1
        if delta < -temperature * math.log(1.0 - rand(S)):
            S[VALUE] += change
            commit(S)
            hard = S[MISSED_HARD]
            if hard < S[BEST_HARD] or (hard == S[BEST_HARD] and S[VALUE] < S[BEST_VALUE]):
                save_best(S)
                since = 0
        else:
            undo(D, F, P, S)
        if rate > 0.0:
            for k in range(n):
                mark(P, S, T, out[k], rate, low, looks)
        incomplete += S[MISSED_SOFT] > 0
        if (it & 255) == 255:
            if incomplete > 128:
                tune[6] = min(tune[6] * 1.1, 1e15)
            elif incomplete < 32:
                tune[6] = max(tune[6] * 0.98, tune[9])
            incomplete = 0
    return since
