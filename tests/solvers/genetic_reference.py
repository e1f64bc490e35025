"""Plain-Python references of the genetic kernels, and compiled drivers that let tests call the kernels."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numba import njit

from solvers import Problem
from solvers.kernels.genetic import data, moves, swap_star
from solvers.kernels.genetic import individuals as I
from solvers.kernels.genetic import layout as L
from solvers.kernels.genetic import population as pop
from solvers.kernels.genetic.crossover import ordered, selective
from solvers.kernels.genetic.engine import Evolution, Tuning
from solvers.kernels.genetic.segments import cost_of
from solvers.kernels.genetic.split import split
from solvers.schedule import leg_function

Routes = list[tuple[int, list[int]]]  # (vehicle type, visits)


@njit
def attempt(D: Any, P: Any, S: Any, Q: Any, op: int, u: int, v: int) -> bool:
    """Carry out move number `op` between items u and v if it improves."""
    x = S[L.ITEM * u + L.NEXT]
    y = S[L.ITEM * v + L.NEXT]
    if op == 0:
        return moves.relocate(D, P, S, Q, u, u, 1, v, False)
    if op == 1:
        return moves.relocate(D, P, S, Q, u, x, 2, v, False)
    if op == 2:
        return moves.relocate(D, P, S, Q, u, x, 2, v, True)
    if op == 3:
        return moves.relocate(D, P, S, Q, u, S[L.ITEM * x + L.NEXT], 3, v, True)
    if op == 4:
        return moves.exchange(D, P, S, Q, u, u, v, v)
    if op == 5:
        return moves.exchange(D, P, S, Q, u, x, v, v)
    if op == 6:
        return moves.exchange(D, P, S, Q, u, x, v, y)
    if op == 7:
        return moves.reverse(D, P, S, Q, u, v)
    if op == 8:
        return moves.swap_rests(D, P, S, Q, u, v)
    if op == 9:
        return moves.cross(D, P, S, Q, u, v)
    return swap_star.swap_between(D, P, S, Q, S[L.ITEM * u + L.ROUTE], S[L.ITEM * v + L.ROUTE])


@njit
def pair_is_promising(D: Any, P: Any, S: Any, Q: Any, u: int, v: int, longest: int) -> bool:
    return moves.promising(D, P, S, Q, u, v, longest)


@njit
def load_row(D: Any, P: Any, S: Any, Q: Any, X: Any, i: int) -> None:
    I.load_whole(D, P, S, Q, X, i)


@njit
def write_row(D: Any, P: Any, S: Any, Q: Any, X: Any, XF: Any, i: int) -> None:
    I.write(D, P, S, Q, X, XF, i)


@njit
def slot_cost(P: Any, S: Any, Q: Any, r: int) -> float:
    return cost_of(P, S, Q, r)


@njit
def cut(D: Any, P: Any, S: Any, Q: Any, W: Any) -> float:
    return split(D, P, S, Q, W)


@njit
def cross_over(D: Any, P: Any, S: Any, Q: Any, X: Any, W: Any, i: int, j: int, ox: bool) -> None:
    if ox:
        ordered(D, P, S, Q, X, W, i, j)
    else:
        selective(D, P, S, Q, X, i, j, 0.6)


@njit
def add_child(P: Any, X: Any, XF: Any, XD: Any) -> bool:
    return pop.add(P, X, XF, XD, I.CHILD)


@njit
def rate_members(X: Any, XF: Any, XD: Any, feasible: int) -> None:
    pop.rate(X, XF, XD, feasible)


@njit
def pairs_apart(P: Any, X: Any, i: int, j: int) -> float:
    return I.broken_pairs(P, X, i, j)


def evolution(problem: Problem, seed: int, slots: int | None = None, near: int = 8) -> Evolution:
    """An empty population of `problem` with random prices, so that every term of a cost shows."""
    visits = np.arange(problem.num_visits, dtype=np.int64)
    counts = np.minimum(problem.vehicle_types.count, problem.num_visits)
    packed = data.pack(
        problem, data.Tables(problem), visits, counts, near=near, slots=slots or problem.num_visits
    )
    made = Evolution(packed, seed, Tuning(minimum=4, offspring=4, elite=2, close=2, initial=0))
    rng = np.random.default_rng(seed)
    made.prices[: L.Q_SLACK] = rng.choice([0.5, 2.0, 7.0], L.Q_SLACK)
    return made


def random_routes(problem: Problem, e: Evolution, seed: int) -> Routes:
    """Every visit on some route, types within their counts, skills kept; anything else may be violated."""
    rng = np.random.default_rng(seed)
    left = {t: int(c) for t, c in enumerate(np.minimum(problem.vehicle_types.count, problem.num_visits))}
    routes: Routes = []
    for v in rng.permutation(problem.num_visits).tolist():
        able = [t for t in left if not int(problem.visits.skills[v]) & ~int(problem.vehicle_types.skills[t])]
        fitting = [k for k, (t, _) in enumerate(routes) if t in able]
        new = [t for t in able if left[t] > 0]
        if new and len(routes) < e.packed.slots and (not fitting or rng.random() < 0.3):
            t = int(rng.choice(new))
            left[t] -= 1
            routes.append((t, [v]))
        elif fitting:
            visits = routes[int(rng.choice(fitting))][1]
            visits.insert(int(rng.integers(len(visits) + 1)), v)
    return routes


def put(e: Evolution, routes: Routes, row: int = I.CHILD) -> None:
    """Write `routes` into a row of the population, sequence only, and load it."""
    p = e.packed
    x = e.rows[I.X_HEAD + int(e.rows[I.X_WIDTH]) * row :]
    node = {int(v): p.depots + k for k, v in enumerate(p.order)}
    kind = {int(t): k for k, t in enumerate(p.kinds)}
    starts, kinds, k = I.SEQUENCE + p.nodes, I.SEQUENCE + p.nodes + p.slots + 1, 0
    for m, (t, visits) in enumerate(routes):
        x[starts + m], x[kinds + m] = k, kind[t]
        x[I.SEQUENCE + k : I.SEQUENCE + k + len(visits)] = [node[v] for v in visits]
        k += len(visits)
    x[starts + len(routes)], x[I.N_ROUTES], x[I.N_SEQUENCE] = k, len(routes), k
    load_row(*arrays(e)[:5], row)


def arrays(e: Evolution) -> tuple[Any, ...]:
    return e.packed.matrices, e.packed.ints, e.state, e.prices, e.rows, e.costs, e.distances


def routes_in(e: Evolution) -> dict[int, tuple[int, list[int]]]:
    """Slot -> (vehicle type, visits) of the solution under local search."""
    p, s = e.packed, e.state
    found = {}
    for r in range(p.slots):
        visits, x = [], int(s[L.ITEM * (p.nodes + 2 * r) + L.NEXT])
        while x < p.nodes:
            visits.append(int(p.order[x - p.depots]))
            x = int(s[L.ITEM * x + L.NEXT])
        if visits:
            row = int(s[L.ROUTE_AT]) + L.WIDTH * r
            found[r] = int(p.kinds[s[row + L.R_KIND]]), visits
    return found


def run_of(problem: Problem, kind: int, visits: list[int], leave: int) -> tuple[int, int]:
    """(duration, time warp) when leaving at `leave`: who comes late serves at once and turns the clock back."""
    leg = leg_function(problem, int(problem.vehicle_types.profile[kind]))
    t, v, d = problem.vehicle_types, problem.visits, problem.num_depots
    now, warp, at = leave, 0, int(t.start_depot[kind])
    for visit in visits:
        now = max(now + leg(at, d + visit)[1], int(v.tw[visit, 0]))
        late = max(0, now - int(v.tw[visit, 1]))
        now, warp, at = now - late + int(v.service[visit]), warp + late, d + visit
    end = int(t.end_depot[kind])
    now += leg(at, end)[1]
    late = max(0, now - min(int(t.shift[kind, 1]), int(problem.depots.tw[end, 1])))
    return now - leave + warp, warp + late


def out_of_order(problem: Problem, a: int, b: int) -> bool:
    """Whether the arc between two nodes leads from a backhaul to another visit, or to backhauls that are alone."""
    back, d = problem.visits.backhaul, problem.num_depots
    if back is None or b < d:
        return False
    if a < d:
        return bool(back[b - d]) and not problem.backhauls_alone
    return bool(back[a - d]) and not bool(back[b - d])


def route_cost(problem: Problem, e: Evolution, kind: int, visits: list[int]) -> float:
    """Cost of a route with the prices of its violations, recomputed from the problem."""
    if not visits:
        return 0.0
    t, v, d, q = problem.vehicle_types, problem.visits, problem.num_depots, e.prices
    leg = leg_function(problem, int(t.profile[kind]))
    stops = [int(t.start_depot[kind]), *(d + i for i in visits), int(t.end_depot[kind])]
    barred = int(e.packed.ints[L.BARRED])  # the length of arcs that the order of backhauls rules out
    dist = sum(barred if out_of_order(problem, a, b) else leg(a, b)[0] for a, b in pairwise(stops))
    cost = float(t.fixed_cost[kind] + t.distance_cost[kind] * dist)
    cost += q[L.Q_DISTANCE] * max(0, dist - int(t.max_distance[kind]))
    for k in range(problem.num_load_dimensions):
        load = top = int(v.delivery[visits, k].sum())
        for i in visits:
            load += int(v.pickup[i, k]) - int(v.delivery[i, k])
            top = max(top, load)
        cost += q[L.Q_LOAD + k] * max(0, top - int(t.capacity[kind, k]))
    if e.packed.ints[L.TIMED]:
        opens = max(int(t.shift[kind, 0]), int(problem.depots.tw[t.start_depot[kind], 0]))
        first = max(opens, *(int(v.release[i]) for i in visits))
        least = run_of(problem, kind, visits, first)[1]
        low, high = first, first + 100_000  # the latest departure with no more warp; more of it never helps
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (
                (middle, high) if run_of(problem, kind, visits, middle)[1] == least else (low, middle - 1)
            )
        spent = run_of(problem, kind, visits, low)[0]
        cost += q[L.Q_WARP] * least + float(t.time_cost[kind]) * spent
        cost += q[L.Q_DURATION] * max(0, spent - int(t.max_duration[kind]))
    return cost
