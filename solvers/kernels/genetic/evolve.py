"""The entry points: generations of the hybrid genetic search, and rows brought in from outside."""

from __future__ import annotations

from typing import Any

from solvers.kernels.genetic.crossover import complete, ordered, selective
from solvers.kernels.genetic.individuals import (
    CHILD,
    FEASIBLE,
    FEASIBLES,
    GENERATION,
    INFEASIBLES,
    PENDING,
    RESTARTS,
    SINCE,
    TALLY,
    empty_out,
    load_whole,
    row_of,
    write,
)
from solvers.kernels.genetic.layout import (
    DIMS,
    MOVES,
    Q_DISTANCE,
    Q_DURATION,
    Q_LOAD,
    Q_WARP,
    R_OVER,
    R_SIZE,
    SLOTS,
)
from solvers.kernels.genetic.population import adapt_prices, add, count_violations, forget, parents
from solvers.kernels.genetic.search import local_search, shuffle
from solvers.kernels.genetic.segments import rand_below, route, stamp_tests, update
from solvers.kernels.genetic.split import split
from solvers.kernels.jit import entry, helper

# --- tune: float64 parameters of the search
(
    LONGEST,
    STAR,
    ORDERED_SHARE,  # of children made by the ordered crossover
    MOST_ROUTES,  # share of the routes that SREX exchanges at most
    TARGET,
    RAISE,
    LOWER,
    EVERY,
    REPAIR,
    REPAIR_FACTOR,
    PATIENCE,
    RESTART_SIZE,
    BY_SPLIT,  # 1: individuals from nothing are split random tours
) = range(13)
TUNE = 16


@helper
def scale_prices(P: Any, Q: Any, by: float) -> None:
    for k in range(P[DIMS]):
        Q[Q_LOAD + k] *= by
    Q[Q_WARP] *= by
    Q[Q_DISTANCE] *= by
    Q[Q_DURATION] *= by


@helper
def educate(D: Any, P: Any, S: Any, Q: Any, X: Any, XF: Any, XD: Any, tune: Any, everywhere: bool) -> None:
    """Local search, then into the population; where that is infeasible, perhaps again at higher prices.

    The second search looks at all pairs or, but for `everywhere`, at those with routes that break a constraint.
    """
    star = tune[STAR] > 0.5
    local_search(D, P, S, Q, int(tune[LONGEST]), star)
    write(D, P, S, Q, X, XF, CHILD)
    count_violations(X, XF, CHILD)
    add(P, X, XF, XD, CHILD)
    if X[row_of(X, CHILD) + FEASIBLE] == 1 or rand_below(S, 1000) >= 1000 * tune[REPAIR]:
        return
    scale_prices(P, Q, tune[REPAIR_FACTOR])
    stamp_tests(P, S, -1 if everywhere else S[MOVES])
    S[MOVES] += 1
    for r in range(P[SLOTS]):
        if S[route(S, r) + R_SIZE] > 0 and (everywhere or S[route(S, r) + R_OVER] > 0):
            update(D, P, S, Q, r)
    local_search(D, P, S, Q, int(tune[LONGEST]), star)
    scale_prices(P, Q, 1.0 / tune[REPAIR_FACTOR])
    write(D, P, S, Q, X, XF, CHILD)
    if X[row_of(X, CHILD) + FEASIBLE] == 1:
        add(P, X, XF, XD, CHILD)


@helper
def move_on(P: Any, X: Any, XF: Any, Q: Any, tune: Any) -> None:
    """After a child: prices follow what local searches end with; without a new best for long all begins anew."""
    if X[TALLY] >= tune[EVERY]:
        adapt_prices(P, X, XF, Q, tune[TARGET], tune[RAISE], tune[LOWER])
    if X[SINCE] >= tune[PATIENCE]:
        forget(X)
        X[SINCE] = 0
        X[RESTARTS] += 1
        X[PENDING] = int(tune[RESTART_SIZE])


@helper
def from_nothing(D: Any, P: Any, S: Any, Q: Any, W: Any, tune: Any) -> None:
    """A random solution: a split random tour, or visits put in one by one in random order."""
    if tune[BY_SPLIT] > 0.5:
        shuffle(P, S)
        split(D, P, S, Q, W)
    else:
        empty_out(P, S, Q)
    complete(D, P, S, Q)
    stamp_tests(P, S, -1)


@helper
def bring(D: Any, P: Any, S: Any, Q: Any, X: Any, XF: Any, XD: Any, tune: Any, given: int) -> None:
    """Let the routes written into row CHILD join the population: as they are, and (`given` 2) improved, too."""
    load_whole(D, P, S, Q, X, CHILD)
    complete(D, P, S, Q)
    stamp_tests(P, S, -1)
    write(D, P, S, Q, X, XF, CHILD)
    add(P, X, XF, XD, CHILD)
    if given == 2:
        educate(D, P, S, Q, X, XF, XD, tune, True)


@entry
def evolve(
    D: Any, P: Any, S: Any, Q: Any, X: Any, XF: Any, XD: Any, W: Any, tune: Any, generations: int, given: int
) -> None:
    """Run `generations`: each makes one individual, by crossover or, while any are PENDING, from nothing.

    Before, with `given` 1 or 2, the routes written into row CHILD join the population: as they are, and with 2
    also after local search. One entry for both, because each one compiles everything it calls.
    """
    if given > 0:
        bring(D, P, S, Q, X, XF, XD, tune, given)
    for _ in range(generations):
        if X[PENDING] > 0:
            X[PENDING] -= 1
            from_nothing(D, P, S, Q, W, tune)
        elif X[FEASIBLES] + X[INFEASIBLES] < 2:
            from_nothing(D, P, S, Q, W, tune)
        else:
            one, two = parents(X, XF, XD, S)
            if rand_below(S, 1000) < 1000 * tune[ORDERED_SHARE]:
                ordered(D, P, S, Q, X, W, one, two)
                complete(D, P, S, Q)
            else:
                selective(D, P, S, Q, X, one, two, tune[MOST_ROUTES])
        X[SINCE] += 1
        X[GENERATION] += 1
        educate(D, P, S, Q, X, XF, XD, tune, True)
        move_on(P, X, XF, Q, tune)
