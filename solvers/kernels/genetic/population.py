"""Two populations, feasible and infeasible, with biased fitness: cost and distance from the others.

Vidal et al. (2012), "A hybrid genetic algorithm for multidepot and periodic vehicle routing problems".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.kernels.genetic.individuals import (
    AWAY,
    BASE_COST,
    BEST_ROW,
    CLOSE,
    COST,
    DISTANCE_PRICE,
    DURATION_PRICE,
    ELITE,
    F_WIDTH,
    FEASIBLE,
    FEASIBLE_AT,
    FEASIBLES,
    FIRST_ROW,
    FITNESS,
    FREE_AT,
    HAS_BEST,
    INFEASIBLE_AT,
    INFEASIBLES,
    LOAD_PRICE,
    MINIMUM,
    N_FREE,
    OFFSPRING,
    SCRATCH_AT,
    SINCE,
    TALLY,
    TALLY_DISTANCE,
    TALLY_DURATION,
    TALLY_LOAD,
    TALLY_WARP,
    WARP_PRICE,
    X_HEAD,
    X_ROWS,
    X_WIDTH,
    broken_pairs,
    copy_row,
    row_of,
    row_width,
)
from solvers.kernels.genetic.layout import (
    DIMS,
    Q_DISTANCE,
    Q_DURATION,
    Q_LOAD,
    Q_WARP,
)
from solvers.kernels.genetic.segments import rand_below
from solvers.kernels.jit import helper, inlined


def new_population(packed: Any, minimum: int, offspring: int, elite: int, close: int) -> Any:
    """Arrays X, XF and XD for at most `minimum + offspring` individuals of each kind; XD holds distances."""
    nodes, slots = packed.nodes, packed.slots
    width, rows = row_width(nodes, slots), FIRST_ROW + 2 * (minimum + offspring + 1)
    lists = X_HEAD + width * rows
    X = np.zeros(lists + 3 * rows + 2 * nodes + 2 * slots + rows, dtype=np.int64)
    X[X_WIDTH], X[X_ROWS] = width, rows
    X[FEASIBLE_AT], X[INFEASIBLE_AT], X[FREE_AT] = lists, lists + rows, lists + 2 * rows
    X[SCRATCH_AT] = lists + 3 * rows
    X[MINIMUM], X[OFFSPRING], X[ELITE], X[CLOSE] = minimum, offspring, elite, close
    free = np.arange(rows - 1, FIRST_ROW - 1, -1)
    X[X[FREE_AT] : X[FREE_AT] + len(free)] = free
    X[N_FREE] = len(free)
    return X, np.zeros(F_WIDTH * rows), np.zeros(rows * rows)


@inlined
def list_at(X: Any, feasible: int) -> int:
    return X[FEASIBLE_AT] if feasible == 1 else X[INFEASIBLE_AT]


@inlined
def size_of(X: Any, feasible: int) -> int:
    return X[FEASIBLES] if feasible == 1 else X[INFEASIBLES]


@inlined
def set_size(X: Any, feasible: int, size: int) -> None:
    if feasible == 1:
        X[FEASIBLES] = size
    else:
        X[INFEASIBLES] = size


@helper
def nearest_mean(X: Any, XD: Any, at: int, size: int, i: int, close: int) -> float:
    """Mean distance of row i to the `close` members nearest to it."""
    rows = X[X_ROWS]
    total, floor, taken = 0.0, -1.0, 0
    # repeated minimum: close is about five, so this is cheaper than sorting
    while taken < min(close, size - 1):
        least, ties = 1e9, 0
        for k in range(size):
            j = X[at + k]
            if j == i:
                continue
            away = XD[rows * i + j]
            if away > floor:
                if away < least:
                    least, ties = away, 1
                elif away == least:
                    ties += 1
        if ties == 0:
            break
        use = min(ties, min(close, size - 1) - taken)
        total += least * use
        taken += use
        floor = least
    return total / taken if taken > 0 else 1.0


@helper
def rate(X: Any, XF: Any, XD: Any, feasible: int) -> None:
    """Biased fitness of all members of one population; its list is sorted by cost."""
    at, size, scratch = list_at(X, feasible), size_of(X, feasible), X[SCRATCH_AT]
    if size == 0:
        return
    for k in range(size):
        XF[F_WIDTH * X[at + k] + AWAY] = nearest_mean(X, XD, at, size, X[at + k], X[CLOSE])
    for k in range(size):
        i = X[at + k]
        j = k
        while j > 0 and XF[F_WIDTH * X[at + X[scratch + j - 1]] + AWAY] < XF[F_WIDTH * i + AWAY]:
            X[scratch + j] = X[scratch + j - 1]
            j -= 1
        X[scratch + j] = k
    for place in range(size):
        k = X[scratch + place]
        by_cost = k / max(1, size - 1)
        by_distance = place / max(1, size - 1)
        if size <= X[ELITE]:
            XF[F_WIDTH * X[at + k] + FITNESS] = by_cost
        else:
            XF[F_WIDTH * X[at + k] + FITNESS] = by_cost + (1.0 - X[ELITE] / size) * by_distance


@helper
def remove_worst(X: Any, XF: Any, XD: Any, feasible: int) -> None:
    """Remove a clone if there is one, else the member with the worst biased fitness; never the best."""
    rate(X, XF, XD, feasible)
    at, size, rows = list_at(X, feasible), size_of(X, feasible), X[X_ROWS]
    worst, worst_clone, worst_fitness = 1, False, -1e9
    for k in range(1, size):
        i = X[at + k]
        clone = False
        for m in range(size):
            if m != k and XD[rows * i + X[at + m]] < 1e-9:
                clone = True
                break
        fitness = XF[F_WIDTH * i + FITNESS]
        if (clone and not worst_clone) or (clone == worst_clone and fitness > worst_fitness):
            worst, worst_clone, worst_fitness = k, clone, fitness
    X[X[FREE_AT] + X[N_FREE]] = X[at + worst]
    X[N_FREE] += 1
    for k in range(worst, size - 1):
        X[at + k] = X[at + k + 1]
    set_size(X, feasible, size - 1)


@helper
def add(P: Any, X: Any, XF: Any, XD: Any, child: int) -> bool:
    """Add a copy of row `child` to its population; True if it is a new best."""
    feasible = X[row_of(X, child) + FEASIBLE]
    i = X[X[FREE_AT] + X[N_FREE] - 1]
    X[N_FREE] -= 1
    copy_row(X, XF, child, i)
    at, size, rows = list_at(X, feasible), size_of(X, feasible), X[X_ROWS]
    for k in range(size):
        j = X[at + k]
        XD[rows * i + j] = XD[rows * j + i] = broken_pairs(P, X, i, j)
    k = size
    while k > 0 and XF[F_WIDTH * X[at + k - 1] + COST] > XF[F_WIDTH * i + COST] - 1e-5:
        X[at + k] = X[at + k - 1]
        k -= 1
    X[at + k] = i
    size += 1
    set_size(X, feasible, size)
    if size > X[MINIMUM] + X[OFFSPRING]:
        while size_of(X, feasible) > X[MINIMUM]:
            remove_worst(X, XF, XD, feasible)
    if feasible == 1 and (
        X[HAS_BEST] == 0 or XF[F_WIDTH * child + COST] < XF[F_WIDTH * BEST_ROW + COST] - 1e-3
    ):
        copy_row(X, XF, child, BEST_ROW)
        X[HAS_BEST] = 1
        X[SINCE] = 0
        return True
    return False


@helper
def tournament(X: Any, XF: Any, S: Any) -> int:
    """The fitter of two random members of both populations."""
    total = X[FEASIBLES] + X[INFEASIBLES]
    one = pick(X, rand_below(S, total))
    two = pick(X, rand_below(S, total))
    return one if XF[F_WIDTH * one + FITNESS] < XF[F_WIDTH * two + FITNESS] else two


@inlined
def pick(X: Any, k: int) -> int:
    """Member number k, the feasible ones first."""
    return X[X[FEASIBLE_AT] + k] if k < X[FEASIBLES] else X[X[INFEASIBLE_AT] + k - X[FEASIBLES]]


@helper
def parents(X: Any, XF: Any, XD: Any, S: Any) -> Any:
    rate(X, XF, XD, 1)
    rate(X, XF, XD, 0)
    one = tournament(X, XF, S)
    two = tournament(X, XF, S)
    tries = 0
    while two == one and tries < 10:
        two = tournament(X, XF, S)
        tries += 1
    return one, two


@helper
def forget(X: Any) -> None:
    """Empty both populations; the best ever stays in its row."""
    for feasible in range(2):
        for k in range(size_of(X, feasible)):
            X[X[FREE_AT] + X[N_FREE]] = X[list_at(X, feasible) + k]
            X[N_FREE] += 1
        set_size(X, feasible, 0)


@helper
def count_violations(X: Any, XF: Any, child: int) -> None:
    """Note what row `child`, fresh from local search, keeps to."""
    f0 = F_WIDTH * child
    X[TALLY] += 1
    X[TALLY_LOAD] += XF[f0 + LOAD_PRICE] <= 0.0
    X[TALLY_WARP] += XF[f0 + WARP_PRICE] <= 0.0
    X[TALLY_DISTANCE] += XF[f0 + DISTANCE_PRICE] <= 0.0
    X[TALLY_DURATION] += XF[f0 + DURATION_PRICE] <= 0.0


@inlined
def factor(share: float, target: float, up: float, down: float) -> float:
    return up if share < target - 0.05 else down if share > target + 0.05 else 1.0


@helper
def adapt_prices(P: Any, X: Any, XF: Any, Q: Any, target: float, up: float, down: float) -> None:
    """Dearer violations where too few local searches end without, cheaper where too many do."""
    done = max(1, X[TALLY])
    by_load = factor(X[TALLY_LOAD] / done, target, up, down)
    by_warp = factor(X[TALLY_WARP] / done, target, up, down)
    by_distance = factor(X[TALLY_DISTANCE] / done, target, up, down)
    by_duration = factor(X[TALLY_DURATION] / done, target, up, down)
    X[TALLY] = X[TALLY_LOAD] = X[TALLY_WARP] = X[TALLY_DISTANCE] = X[TALLY_DURATION] = 0
    for k in range(P[DIMS]):
        Q[Q_LOAD + k] = min(max(Q[Q_LOAD + k] * by_load, 1e-3), 1e9)
    Q[Q_WARP] = min(max(Q[Q_WARP] * by_warp, 1e-3), 1e9)
    Q[Q_DISTANCE] = min(max(Q[Q_DISTANCE] * by_distance, 1e-3), 1e9)
    Q[Q_DURATION] = min(max(Q[Q_DURATION] * by_duration, 1e-3), 1e9)
    at, size = X[INFEASIBLE_AT], X[INFEASIBLES]
    for k in range(size):
        f0 = F_WIDTH * X[at + k]
        missing = XF[f0 + COST] - (
            XF[f0 + BASE_COST] + XF[f0 + LOAD_PRICE] + XF[f0 + WARP_PRICE]
            + XF[f0 + DISTANCE_PRICE] + XF[f0 + DURATION_PRICE]
        )  # fmt: skip
        XF[f0 + LOAD_PRICE] *= by_load
        XF[f0 + WARP_PRICE] *= by_warp
        XF[f0 + DISTANCE_PRICE] *= by_distance
        XF[f0 + DURATION_PRICE] *= by_duration
        XF[f0 + COST] = missing + (
            XF[f0 + BASE_COST] + XF[f0 + LOAD_PRICE] + XF[f0 + WARP_PRICE]
            + XF[f0 + DISTANCE_PRICE] + XF[f0 + DURATION_PRICE]
        )  # fmt: skip
    for k in range(1, size):
        i = X[at + k]
        j = k
        while j > 0 and XF[F_WIDTH * X[at + j - 1] + COST] > XF[F_WIDTH * i + COST]:
            X[at + j] = X[at + j - 1]
            j -= 1
        X[at + j] = i
