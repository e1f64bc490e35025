"""Ants: children whose routes are driven anew along the trails of a few solutions of the population.

The pheromone is the population's (population-based ant colony, Guntsch and Middendorf 2002): each solution is a
trail, laid when it joins and gone when it leaves. An ant smells a few trails, drawn by tournament anew for each
ant: the pheromone on an edge is the share of them that have it, kept above a floor as in the max-min ant system
(Stützle and Hoos 2000). Like a focused ant (Skinderowicz 2022) it leaves most of a solution as it is: some
neighbouring routes are given up, and as many driven from the depot on, each next visit drawn by pheromone and
nearness, until it turns home. Local search then looks at the routes that changed.

T  float64  by place in the near lists: nearness
Y  int64    scratch: the rows of the trails that an ant smells, then the loads of its route
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.genetic.crossover import complete, free_kind, take_routes, whole_cost
from solvers.kernels.genetic.evolve import (
    MOST_ROUTES,
    bring,
    educate,
    from_nothing,
    move_on,
)
from solvers.kernels.genetic.individuals import (
    CHILD,
    FEASIBLES,
    GENERATION,
    INFEASIBLES,
    N_ROUTES,
    N_SEQUENCE,
    PENDING,
    SCRATCH_AT,
    SEQUENCE,
    SINCE,
    empty_out,
    kinds_at,
    links_at,
    load_route,
    row_of,
    starts_at,
)
from solvers.kernels.genetic.layout import (
    BARRED,
    CAPACITY,
    DEPOTS,
    DIMS,
    EMPTY,
    ITEM,
    LOAD,
    LOAD_AT,
    MASK,
    MASKED,
    MIXED,
    MOVES,
    NEAR_AT,
    NODE,
    NODES,
    RANDOM,
    REVERSIBLE,
    ROUTE,
)
from solvers.kernels.genetic.population import parents, tournament
from solvers.kernels.genetic.segments import (
    allows,
    base_of,
    kind,
    leg,
    rand_below,
    stamp_tests,
)
from solvers.kernels.jit import entry, helper, inlined

# --- own: float64 parameters of the ants
FLOOR, TRAILS, HOME = range(3)
MOST_TRAILS = 16


@helper
def smell(P: Any, X: Any, G: Any, c: int, j: int, back: bool) -> float:
    """Share of the trails G that go from visit c on to visit j, or home (j 0); with `back` from j on to c."""
    found = 0
    n, at = P[NODES], links_at(P)
    for k in range(len(G)):
        links = row_of(X, G[k]) + at
        if X[links + (n if back else 0) + c] == j or (
            P[REVERSIBLE] == 1 and X[links + (0 if back else n) + c] == j
        ):
            found += 1
    return found / max(1, len(G))


@helper
def ends(P: Any, X: Any, G: Any, c: int) -> float:
    """Share of the trails G that have visit c alone on a route."""
    found = 0
    for k in range(len(G)):
        links = row_of(X, G[k]) + links_at(P)
        if X[links + c] == 0 and X[links + P[NODES] + c] == 0:
            found += 1
    return found / max(1, len(G))


@helper
def fits(D: Any, P: Any, H: Any, t: int, c: int, x: int, back: bool) -> bool:
    """Whether visit x may join, next to visit c, a route of type t with the loads H: deliveries, then pickups."""
    if P[BARRED] > 0 and leg(D, P, base_of(P, t), x if back else c, c if back else x) >= P[BARRED]:
        return False
    if P[MASKED] == 1 and not allows(P, P[NODE * x + MASK], t):
        return False
    cap = kind(P, t) + CAPACITY
    if P[MIXED] == 0:
        return H[0] + P[NODE * x + LOAD] <= P[cap]
    dims = P[DIMS]
    for k in range(2 * dims):
        if H[k] + P[P[LOAD_AT] + 2 * dims * x + k] > P[cap + k % dims]:
            return False
    return True


@helper
def load_up(P: Any, H: Any, x: int) -> None:
    if P[MIXED] == 0:
        H[0] += P[NODE * x + LOAD]
        return
    for k in range(2 * P[DIMS]):
        H[k] += P[P[LOAD_AT] + 2 * P[DIMS] * x + k]


@helper
def follow(
    D: Any, P: Any, S: Any, X: Any, T: Any, own: Any, G: Any, H: Any, t: int, c: int, back: bool, bound: float
) -> int:
    """The visit that a route of type t with the loads H goes on to from visit c, or -1 for home.

    Drawn by pheromone and nearness of the visits that are on no route; `bound` is the pheromone homewards.
    """
    first = P[P[NEAR_AT]]
    home = own[HOME] * bound
    total = home
    for k in range(P[P[NEAR_AT] + c], P[P[NEAR_AT] + c + 1]):
        j = P[k]
        if S[ITEM * j + ROUTE] < 0 and fits(D, P, H, t, c, j, back):
            total += T[k - first] * (own[FLOOR] + smell(P, X, G, c, j, back))
    draw = total * rand_below(S, 1 << 30) / (1 << 30) - home
    chosen = np.int64(-1)
    if draw < 0.0:
        return chosen
    for k in range(P[P[NEAR_AT] + c], P[P[NEAR_AT] + c + 1]):
        j = P[k]
        if S[ITEM * j + ROUTE] < 0 and fits(D, P, H, t, c, j, back):
            chosen = np.int64(j)
            draw -= T[k - first] * (own[FLOOR] + smell(P, X, G, c, j, back))
            if draw < 0.0:
                break
    return chosen


@helper
def grow(
    D: Any, P: Any, S: Any, X: Any, T: Any, own: Any, G: Any, H: Any, t: int, c: int, at: int, back: bool,
    alone: bool,
) -> int:  # fmt: skip
    """Drive on from visit c until home is drawn, writing to row CHILD from place `at`; returns where it ends.

    The visits get ROUTE 0. `alone`: the route has no other visit yet, so that from c only trails that have it alone
    on a route lead home.
    """
    here = np.int64(c)
    while True:
        if alone and here == c:
            bound = own[FLOOR] + ends(P, X, G, here)
        else:
            bound = own[FLOOR] + smell(P, X, G, here, 0, back)
        here = np.int64(follow(D, P, S, X, T, own, G, H, t, here, back, bound))
        if here < 0:
            return at
        load_up(P, H, here)
        S[ITEM * here + ROUTE] = 0
        X[row_of(X, CHILD) + SEQUENCE + at] = here
        at += 1


@helper
def drive(D: Any, P: Any, S: Any, X: Any, T: Any, own: Any, G: Any, H: Any, t: int, c: int, at: int) -> int:
    """One ant's route of type t through visit c, written to row CHILD from place `at` on; returns where it ends.

    It grows forwards until it is drawn home, then backwards.
    """
    x = row_of(X, CHILD) + SEQUENCE
    H[:] = 0
    load_up(P, H, c)
    S[ITEM * c + ROUTE] = 0
    X[x + at] = c
    middle = grow(D, P, S, X, T, own, G, H, t, c, at + 1, False, False)
    end = grow(D, P, S, X, T, own, G, H, t, c, middle, True, middle == at + 1)
    # what was met backwards comes first, in the order driven
    flip(X, x + at, x + middle)
    flip(X, x + at, x + end)
    return end


@inlined
def flip(X: Any, a: int, b: int) -> None:
    """Turn X[a:b] round."""
    b -= 1
    while a < b:
        X[a], X[b] = X[b], X[a]
        a, b = a + 1, b - 1


@helper
def route_in(P: Any, X: Any, i: int, c: int) -> int:
    """The route of row i that serves visit c, or -1."""
    x0 = row_of(X, i)
    total = X[x0 + N_ROUTES]
    for m in range(total):
        for k in range(X[x0 + starts_at(P) + m], X[x0 + starts_at(P) + m + 1]):
            if X[x0 + SEQUENCE + k] == c:
                return np.int64(m)
    return np.int64(-1)


@helper
def drive_all(
    D: Any, P: Any, S: Any, X: Any, T: Any, own: Any, G: Any, H: Any, source: int, count: int
) -> int:
    """Up to `count` routes of an ant into row CHILD, beside each other; returns how many. All visits are absent.

    The first goes through a visit drawn evenly, the others through one near to those served; of the type that
    serves it in the first trail (in row `source` if there is none).
    """
    n, d = P[NODES], P[DEPOTS]
    x0 = row_of(X, CHILD)
    c, at, made = np.int64(d + rand_below(S, n - d)), np.int64(0), 0
    while made < count:
        like = G[0] if len(G) > 0 else source
        m = route_in(P, X, like, c)
        t = X[row_of(X, like) + kinds_at(P) + m] if m >= 0 else np.int64(0)
        X[x0 + starts_at(P) + made], X[x0 + kinds_at(P) + made] = at, t
        at = np.int64(drive(D, P, S, X, T, own, G, H, t, c, at))
        made += 1
        X[x0 + starts_at(P) + made] = at
        c = np.int64(-1)
        for _ in range(20):
            near = X[x0 + SEQUENCE + rand_below(S, at)]
            for k in range(P[P[NEAR_AT] + near], P[P[NEAR_AT] + near + 1]):
                if S[ITEM * P[k] + ROUTE] < 0:
                    c = np.int64(P[k])
                    break
            if c >= 0:
                break
        if c < 0:
            break
    X[x0 + N_ROUTES], X[x0 + N_SEQUENCE] = made, at
    return made


@helper
def join_routes(
    D: Any, P: Any, S: Any, Q: Any, X: Any, source: int, given_up: int, made: int, keep: bool
) -> None:
    """Row `source` without the routes marked at `given_up`, with the ant's; `keep`: of two, the former serve."""
    empty_out(P, S, Q)
    for turn in range(2):
        if (turn == 0) == keep:
            for m in range(X[row_of(X, source) + N_ROUTES]):
                if X[given_up + m] == 0 and S[EMPTY] >= 0:
                    t = free_kind(P, S, X, source, m)
                    if t >= 0:
                        load_route(D, P, S, Q, X, source, m, S[EMPTY], t)
        else:
            S[MOVES] = 1
            take_routes(D, P, S, Q, X, CHILD, 0, made, True)
    S[MOVES] = 2
    complete(D, P, S, Q)


@helper
def ant(
    D: Any, P: Any, S: Any, Q: Any, X: Any, T: Any, own: Any, G: Any, H: Any, source: int, most: float
) -> None:
    """An ant's routes in row `source` in the place of as many that share most visits with them.

    Of the two ways to settle what both serve, the cheaper is taken.
    """
    total = X[row_of(X, source) + N_ROUTES]
    empty_out(P, S, Q)
    if total == 0:
        complete(D, P, S, Q)
        stamp_tests(P, S, -1)
        return
    count = 1 + rand_below(S, max(1, np.int64(most * total)))
    made = drive_all(D, P, S, X, T, own, G, H, source, count)
    given_up = X[SCRATCH_AT]
    gains, x0 = given_up + total, row_of(X, source)
    for m in range(total):
        gain = 0
        for k in range(X[x0 + starts_at(P) + m], X[x0 + starts_at(P) + m + 1]):
            gain += 1 if S[ITEM * X[x0 + SEQUENCE + k] + ROUTE] == 0 else -1
        X[given_up + m], X[gains + m] = 0, gain
    for _ in range(made):
        best = np.int64(-1)
        for m in range(total):
            if X[given_up + m] == 0 and (best < 0 or X[gains + m] > X[gains + best]):
                best = np.int64(m)
        if best >= 0:
            X[given_up + best] = 1
    seed = S[RANDOM]
    join_routes(D, P, S, Q, X, source, given_up, made, True)
    one, after = whole_cost(P, S, Q), S[RANDOM]
    join_routes(D, P, S, Q, X, source, given_up, made, False)
    if one < whole_cost(P, S, Q):
        S[RANDOM] = seed
        join_routes(D, P, S, Q, X, source, given_up, made, True)
        S[RANDOM] = after
    stamp_tests(P, S, 0)


@entry
def colony(
    D: Any, P: Any, S: Any, Q: Any, X: Any, XF: Any, XD: Any, W: Any, tune: Any, T: Any, Y: Any, own: Any,
    ants: int, given: int,
) -> None:  # fmt: skip
    """Send `ants` ants, each from a solution of the population; solutions from nothing while any are PENDING.

    Before, with `given` 1 or 2, what stands in row CHILD joins the population as in `evolve`.
    """
    if given > 0:
        bring(D, P, S, Q, X, XF, XD, tune, given)
    trails, loads = Y[:MOST_TRAILS], Y[MOST_TRAILS:]
    for _ in range(ants):
        X[SINCE] += 1
        X[GENERATION] += 1
        members = X[FEASIBLES] + X[INFEASIBLES]
        if X[PENDING] > 0 or members < 2:
            X[PENDING] = max(0, X[PENDING] - 1)
            from_nothing(D, P, S, Q, W, tune)
        else:
            source, other = parents(X, XF, XD, S)
            smelt = min(MOST_TRAILS, np.int64(own[TRAILS]))
            for k in range(smelt):
                trails[k] = other if k == 0 else tournament(X, XF, S)
            ant(D, P, S, Q, X, T, own, trails[:smelt], loads, source, tune[MOST_ROUTES])
        educate(D, P, S, Q, X, XF, XD, tune, True)
        move_on(P, X, XF, Q, tune)
