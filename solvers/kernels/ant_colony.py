"""Ants that rebuild parts of one solution: they start the population of `solvers.kernels.genetic.ants`, and do all
the work where a problem is too large for one.

Pheromone lies between a visit and the visits in its near list only: an ant takes some strings of visits out and
puts each back at the cheapest of the places beside near visits drawn by their pheromone. The edges that ants build
are marked, whether their solutions are kept or not: what is learnt is beside which neighbours a visit finds its
place. Pheromone on the other edges of the visits concerned evaporates, between the bounds of the max-min ant system
(Stützle and Hoos 2000).

T  float64  pheromone (node, near), then the odds that an ant looks at that neighbour
"""

from __future__ import annotations

import math
from typing import Any

from solvers.kernels.insertion import NEVER, likely_place, place_visit, rand
from solvers.kernels.jit import entry, helper
from solvers.kernels.layout import (
    HARD,
    ITEM,
    MISSED_SOFT,
    N_BANK,
    N_USED,
    NEAR_AT,
    NEAR_WIDTH,
    NEXT,
    NODE,
    NODES,
    PREV,
    PRIZE,
    SLOT,
    VALUE,
)
from solvers.kernels.ruin_recreate import adapt, disturb, judge, lean, lures, propose_some, sort_removed
from solvers.kernels.state import begin

MARKED = 8  # every so many ants lay pheromone: all the time would take longer than it is worth


@helper
def mark(P: Any, S: Any, T: Any, c: int, rate: float, low: float, looks: float) -> None:
    """Evaporate the pheromone beside visit c and lay some on the edges that it has now.

    An ant at c looks at no more than `looks` neighbours on average: fewer where some are sure to be looked at.
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
    for at in range(width * c, width * c + width):
        T[odds + at] = min(1.0, looks * T[at] / total)


@helper
def lay_out(D: Any, F: Any, P: Any, S: Any, T: Any, out: Any, n: int, log_keep: float, lure: float) -> None:
    """The ant: puts the visits of `out` back at the cheapest of places drawn by pheromone.

    lure: what an optional visit is worth beside its prize, see `solvers.kernels.ruin_recreate.lures`.
    """
    for k in range(n):
        c = out[k]
        if S[ITEM * c + SLOT] >= 0:  # on a whole new route
            continue
        must = P[NODE * c + HARD] > 0
        cost, at, t = likely_place(
            D, F, P, S, c, log_keep, must and rand(S) < 0.2, T, P[NODES] * P[NEAR_WIDTH]
        )
        if cost < NEVER and (must or cost < P[NODE * c + PRIZE] + lure):
            place_visit(D, F, P, S, c, at, t)


@entry
def march(
    D: Any,
    F: Any,
    P: Any,
    S: Any,
    T: Any,
    out: Any,
    key: Any,
    L: Any,
    tune: Any,
    iterations: int,
    since: int,
) -> int:
    """Send `iterations` ants; returns how many came since the last new best.

    tune: as in `solvers.kernels.ruin_recreate.search`, then looks, rate and floor of the pheromone.
    """
    cool = math.log(tune[5] / tune[4])
    incomplete = 0
    looks, rate, low = tune[16], tune[17], tune[18]
    for it in range(iterations):
        temperature = tune[4] * math.exp(cool * min(1.0, tune[7] + it * tune[8]))
        worth = lean(S, tune, temperature)
        if propose_some(D, F, P, S, tune, temperature, worth):
            since = 0
        begin(S)
        value, soft, used, left_out = S[VALUE], S[MISSED_SOFT], S[N_USED], S[N_BANK]
        lure = lures(P, S, tune, temperature)
        n = disturb(D, F, P, S, L, tune, out)
        sort_removed(D, F, P, S, out, n, key)
        lay_out(D, F, P, S, T, out, n, tune[3], lure)
        if rate > 0.0 and it % MARKED == 0:
            for k in range(n):
                mark(P, S, T, out[k], rate, low, looks)
        since += 1
        if judge(D, F, P, S, tune, temperature, worth, lure, value, soft, used, left_out):
            since = 0
        incomplete += S[MISSED_SOFT] > 0
        if (it & 255) == 255:
            adapt(tune, incomplete)
            incomplete = 0
    return since
