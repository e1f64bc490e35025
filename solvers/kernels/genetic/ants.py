"""Ants: children that follow the pheromone of a population from one of its solutions on.

The pheromone between near visits is how often the population's solutions have them as neighbours (population-based
ant colony, Guntsch and Middendorf 2002), evaporating into the next count and kept above a floor as in the max-min
ant system (Stützle and Hoos 2000). An ant takes over a solution and walks from visit to visit, drawn by pheromone
and nearness; a visit that it did not find next is moved there, until so many edges are new (focused ant colony,
Skinderowicz 2022). Local search then looks at the routes that changed.

T  float64  by place in the near lists: pheromone, then nearness, then their product
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.genetic.crossover import complete
from solvers.kernels.genetic.evolve import (
    bring,
    educate,
    from_nothing,
    move_on,
)
from solvers.kernels.genetic.individuals import (
    FEASIBLES,
    GENERATION,
    INFEASIBLES,
    PENDING,
    SCRATCH_AT,
    SINCE,
    links_at,
    load_whole,
    row_of,
)
from solvers.kernels.genetic.layout import (
    BARRED,
    DEPOTS,
    ITEM,
    MASK,
    MASKED,
    MOVES,
    N_ABSENT,
    NEAR_AT,
    NEXT,
    NODE,
    NODES,
    PLACE,
    PREV,
    R_KIND,
    ROUTE,
    SLOTS,
)
from solvers.kernels.genetic.population import parents, pick
from solvers.kernels.genetic.segments import (
    allows,
    base_of,
    leg,
    link,
    rand_below,
    route,
    stamp_tests,
    update,
)
from solvers.kernels.jit import entry, helper

# --- own: float64 parameters of the ants
EVAPORATION, FLOOR, FEWEST, MOST, LAID_EVERY = range(5)


@helper
def lay(P: Any, X: Any, T: Any, rate: float, low: float) -> None:
    """Evaporate the pheromone and lay that of the population: the share of its solutions that have each edge."""
    n = P[NODES]
    first, count = P[P[NEAR_AT]], P[P[NEAR_AT] + n] - P[P[NEAR_AT]]
    good = X[FEASIBLES]
    members = good if good > 0 else X[INFEASIBLES]
    if members == 0:
        return
    for at in range(count):
        T[at] *= 1.0 - rate
    gain = rate / members
    for m in range(members):
        links = row_of(X, pick(X, m)) + links_at(P)
        for c in range(P[DEPOTS], n):
            after, before = X[links + c], X[links + n + c]
            for k in range(P[P[NEAR_AT] + c], P[P[NEAR_AT] + c + 1]):
                if P[k] == after or P[k] == before:
                    T[k - first] += gain
    for at in range(count):
        T[at] = max(T[at], low)
        T[2 * count + at] = T[at] * T[count + at]


@helper
def may_follow(D: Any, P: Any, S: Any, c: int, j: int) -> bool:
    """Whether visit j may be moved behind visit c as far as skills and barred arcs go."""
    t = S[route(S, S[ITEM * c + ROUTE]) + R_KIND]
    if P[MASKED] == 1 and not allows(P, P[NODE * j + MASK], t):
        return False
    if P[BARRED] > 0:
        base = base_of(P, t)
        after = S[ITEM * np.int64(S[ITEM * c + NEXT]) + PLACE]
        p, q = np.int64(S[ITEM * j + PREV]), np.int64(S[ITEM * j + NEXT])
        if leg(D, P, base, c, j) >= P[BARRED] or leg(D, P, base, j, after) >= P[BARRED]:
            return False
        return leg(D, P, base, S[ITEM * p + PLACE], S[ITEM * q + PLACE]) < P[BARRED]
    return True


@helper
def walk(D: Any, P: Any, S: Any, Q: Any, X: Any, T: Any, wanted: int) -> int:
    """Send an ant through the solution at hand until `wanted` visits are moved; returns how many were.

    The routes that it changed are brought up to date and stamped as modified, all others as tested.
    """
    n, d, slots = P[NODES], P[DEPOTS], P[SLOTS]
    first = P[P[NEAR_AT]]
    score = 2 * (P[P[NEAR_AT] + n] - first) - first
    seen, changed = X[SCRATCH_AT], X[SCRATCH_AT] + n
    for k in range(n + slots):
        X[seen + k] = 0
    moved, steps, c = 0, 0, np.int64(-1)
    while moved < wanted and steps < 10 * wanted + 20:
        steps += 1
        if c < 0:
            c = np.int64(d + rand_below(S, n - d))
            if S[ITEM * c + ROUTE] < 0:
                c = np.int64(-1)
                continue
        X[seen + c] = 1
        before = S[ITEM * c + PREV]
        total = 0.0
        for k in range(P[P[NEAR_AT] + c], P[P[NEAR_AT] + c + 1]):
            j = P[k]
            if X[seen + j] == 0 and S[ITEM * j + ROUTE] >= 0 and j != before:
                total += T[score + k]
        if total <= 0.0:
            c = np.int64(-1)
            continue
        draw = total * rand_below(S, 1 << 30) / (1 << 30)
        chosen = np.int64(-1)
        for k in range(P[P[NEAR_AT] + c], P[P[NEAR_AT] + c + 1]):
            j = P[k]
            if X[seen + j] == 0 and S[ITEM * j + ROUTE] >= 0 and j != before:
                chosen = j
                draw -= T[score + k]
                if draw < 0.0:
                    break
        j = chosen
        if S[ITEM * c + NEXT] != j:
            if not may_follow(D, P, S, c, j):
                c = np.int64(-1)
                continue
            moved += 1
            X[changed + S[ITEM * c + ROUTE]] = 1
            X[changed + S[ITEM * j + ROUTE]] = 1
            link(S, S[ITEM * j + PREV], S[ITEM * j + NEXT])
            link(S, j, S[ITEM * c + NEXT])
            link(S, c, j)
            S[ITEM * j + ROUTE] = S[ITEM * c + ROUTE]
        c = j
    stamp_tests(P, S, 0)
    S[MOVES] = 1
    for r in range(slots):
        if X[changed + r] == 1:
            update(D, P, S, Q, r)
    return moved


@entry
def colony(
    D: Any, P: Any, S: Any, Q: Any, X: Any, XF: Any, XD: Any, W: Any, tune: Any, T: Any, own: Any, ants: int,
    given: int,
) -> None:  # fmt: skip
    """Send `ants` ants, each from a solution of the population; solutions from nothing while any are PENDING.

    Before, with `given` 1 or 2, what stands in row CHILD joins the population as in `evolve`.
    """
    if given > 0:
        bring(D, P, S, Q, X, XF, XD, tune, given)
    for _ in range(ants):
        if X[GENERATION] % np.int64(own[LAID_EVERY]) == 0 and own[EVAPORATION] > 0.0:
            lay(P, X, T, own[EVAPORATION], own[FLOOR])
        X[SINCE] += 1
        X[GENERATION] += 1
        if X[PENDING] > 0 or X[FEASIBLES] + X[INFEASIBLES] < 2:
            X[PENDING] = max(0, X[PENDING] - 1)
            from_nothing(D, P, S, Q, W, tune)
            educate(D, P, S, Q, X, XF, XD, tune, True)
        else:
            source, _other = parents(X, XF, XD, S)
            load_whole(D, P, S, Q, X, source)
            if S[N_ABSENT] > 0:
                complete(D, P, S, Q)
            fewest = np.int64(own[FEWEST])
            wanted = fewest + rand_below(S, max(1, np.int64(own[MOST]) - fewest + 1))
            walk(D, P, S, Q, X, T, wanted)
            educate(D, P, S, Q, X, XF, XD, tune, False)
        move_on(P, X, XF, Q, tune)
