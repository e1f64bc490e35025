"""Insertion and pheromone kernels against plain Python on random problems."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from solvers import MaxIterations, Problem, Route, Solution, make
from solvers.check import check
from solvers.constraints import ROUTE_CONSTRAINTS
from solvers.kernels import savings
from solvers.kernels.ant_colony import march, mark
from solvers.kernels.data import Packed, pack
from solvers.kernels.insertion import NEVER, best_place
from solvers.kernels.layout import BANKED, ITEM, NEAR_AT, NEAR_WIDTH, NEXT, PREV, SLOT
from solvers.kernels.run import RuinTuning
from solvers.kernels.session import Session
from tests.conformance.problems import random_problem

CASES = [
    (),
    ("pickups",),
    ("time_windows",),
    ("time_windows", "time_costs", "max_duration"),
    ("release_times", "time_windows"),
    ("max_distance", "capacities"),
    ("backhauls",),
    ("backhauls", "time_windows"),
]


@njit
def places(D, F, P, S, visits, costs, after):  # type: ignore[no-untyped-def]
    for k in range(len(visits)):
        costs[k], after[k], _ = best_place(D, F, P, S, visits[k], 0.0, False)


@njit
def marked(P, S, T, visits, rate, low):  # type: ignore[no-untyped-def]
    for c in visits:
        mark(P, S, T, c, rate, low, 3.0)


def partial(problem: Problem, seed: int) -> tuple[Packed, Session, Solution]:
    """A session in which some visits of a whole solution are in the bank."""
    whole = make("savings").solve(problem, MaxIterations(20), seed=seed).solution
    rng = np.random.default_rng(seed)
    kept = [Route(r.vehicle_type, tuple(v for v in r.visits if rng.random() < 0.7)) for r in whole.routes]
    packed = pack(problem)
    session = Session(packed, seed)
    place = np.empty(problem.num_visits, dtype=np.int64)
    place[packed.order] = np.arange(packed.depots, packed.nodes)
    sound = [r for r in kept if r.visits and not check(problem, Solution((r,))).violations]
    starts = np.cumsum([0, *(len(r.visits) for r in sound)]).astype(np.int64)
    flat = place[np.array([v for r in sound for v in r.visits], dtype=np.int64)]
    kinds = np.array([r.vehicle_type for r in sound], dtype=np.int64)
    savings.load_routes(*packed.arrays, session.state, flat, starts, kinds)
    return packed, session, session.best()


def route_cost(problem: Problem, route: Route) -> int | None:
    """The route's cost by the checker, None where it breaks a constraint."""
    report = check(problem, Solution((route,)))
    codes = {constraint.code for constraint in ROUTE_CONSTRAINTS}
    if any(v.code in codes for v in report.violations):
        return None
    return report.cost.total - report.cost.prizes_lost


def cheapest(problem: Problem, solution: Solution, visit: int) -> int:
    """Least extra cost of the visit at any place of any route or on a new one, NEVER if there is none."""
    best = int(NEVER)
    for route in solution.routes:
        before = route_cost(problem, route)
        assert before is not None
        for at in range(len(route.visits) + 1):
            grown = Route(route.vehicle_type, (*route.visits[:at], visit, *route.visits[at:]))
            after = route_cost(problem, grown)
            if after is not None:
                best = min(best, after - before)
    if len(solution.routes) < int(problem.vehicle_types.count.sum()):
        alone = route_cost(problem, Route(0, (visit,)))
        best = best if alone is None else min(best, alone)
    return best


@pytest.mark.parametrize("case", CASES, ids="+".join)
def test_the_best_place_is_the_cheapest_by_the_checker(case: tuple[str, ...]) -> None:
    compared = 0
    for seed in range(12):
        problem = random_problem(case, seed)
        packed, session, solution = partial(problem, seed)
        items = session.state[32:].reshape(-1)[: ITEM * packed.nodes].reshape(-1, ITEM)
        waiting = np.flatnonzero(items[:, BANKED - 32] >= 0)
        costs, after = np.empty(len(waiting), dtype=np.int64), np.empty(len(waiting), dtype=np.int64)
        places(*packed.arrays, session.state, waiting, costs, after)
        for c, cost in zip(waiting.tolist(), costs.tolist(), strict=True):
            visit = int(packed.order[c - packed.depots])
            assert cost == cheapest(problem, solution, visit)
            compared += cost < NEVER
    assert compared > 10


def test_pheromone_moves_towards_the_edges_that_a_visit_has() -> None:
    problem = random_problem((), 5, most=40)
    packed, session, _ = partial(problem, 5)
    ints, width = packed.ints, int(packed.ints[NEAR_WIDTH])
    size = packed.nodes * width
    trail = np.random.default_rng(1).uniform(0.1, 0.9, size)
    pheromone = np.concatenate([trail, np.zeros(size)])
    visits = np.arange(packed.depots, packed.nodes)
    marked(ints, session.state, pheromone, visits, 0.25, 0.02)
    items = session.state[32 : 32 + ITEM * packed.nodes].reshape(-1, ITEM)
    raised = 0
    for c in visits.tolist():
        mine = {int(items[c, PREV - 32]), int(items[c, NEXT - 32])} if items[c, SLOT - 32] >= 0 else set()
        for k in range(width):
            j = int(ints[int(ints[NEAR_AT]) + width * c + k])
            old, new = trail[width * c + k], pheromone[width * c + k]
            assert new == pytest.approx(0.75 * old + 0.25 * (1.0 if j in mine else 0.02))
            raised += new > old
        row = pheromone[width * c : width * (c + 1)]
        odds = np.minimum(1.0, 3.0 * row / row.sum())
        assert pheromone[size + width * c : size + width * (c + 1)] == pytest.approx(odds)
    assert raised > 5


@pytest.mark.parametrize("rate", [0.0, 0.1])
def test_ants_lay_pheromone_within_its_bounds_unless_frozen(rate: float) -> None:
    problem = random_problem((), 6, most=40)
    packed = pack(problem)
    session = Session(packed, 1)
    session.construct()
    size = packed.nodes * int(packed.ints[NEAR_WIDTH])
    start = np.concatenate([np.full(size, 0.5), np.full(size, 0.3)])
    pheromone = start.copy()
    own = np.array([5.0, rate, 0.02])
    tune = np.concatenate([RuinTuning().array(session), own])
    march(*packed.arrays, session.state, pheromone, *session.scratch, tune, 3000, 0)
    if rate == 0.0:
        assert (pheromone == start).all()
        return
    level = pheromone[:size]
    assert level.min() >= 0.02
    assert level.max() <= 1.0
    assert level.min() < 0.05 < 0.8 < level.max()
