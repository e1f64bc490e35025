"""PyVRP's data say what the problem says: routes cost the same there and keep the same rules."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers import Halt, MaxIterations, Objective, Problem, ProblemBuilder, Solution, make
from solvers.check import check
from solvers.constraints import ROUTE_CONSTRAINTS
from solvers.peers.pyvrp import PyvrpSolver
from solvers.peers.pyvrp_model import FORBIDDEN, PyvrpModel
from solvers.schedule import schedule
from tests.conformance.problems import random_problem, random_routes

pyvrp = pytest.importorskip("pyvrp")

VARIANTS = ("backhauls", "exclusive_groups", "overtime", "pickup_delivery", "reloads", "vehicles_first")


def theirs(model: PyvrpModel, solution: Solution) -> tuple[bool, int]:
    """Whether PyVRP finds the routes sound, and what they cost in our terms."""
    routes = [model.to_peer(route) for route in solution.routes]
    sound = all(r.is_feasible() and r.distance() < FORBIDDEN for r in routes)
    dims = model.problem.num_load_dimensions
    costs = pyvrp.CostEvaluator([0.0] * dims, 0.0, 0.0)
    return sound, model.cost(costs.penalised_cost(pyvrp.Solution(model.data, routes)))


def compare(problem: Problem, seed: int) -> int:
    """How many random routes are sound, after comparing what both sides say of each."""
    model, sound = PyvrpModel(pyvrp, problem), 0
    if not model.visits:
        return 0
    for route in random_routes(problem, np.random.default_rng(seed), 20):
        if not set(route.visits) <= set(model.visits):
            continue
        run = schedule(problem, route)
        codes = {c.code for c in ROUTE_CONSTRAINTS for _ in c.check(problem, run)}
        if codes & {"pair", "pair-order", "reload"}:
            continue  # PyVRP does not take such a route at all
        chosen = [m for m in problem.members.values() if len(set(m) & set(route.visits)) > 1]
        if chosen:
            continue
        solution = Solution((route,))
        fits, cost = theirs(model, solution)
        assert fits == (not codes), (route, codes)
        if fits:
            report = check(problem, solution)
            assert model.from_peer(model.to_peer(route)) == route
            assert cost == report.cost.total, route
            sound += 1
    return sound


@pytest.mark.parametrize("feature", VARIANTS)
def test_routes_cost_the_same_there(feature: str) -> None:
    assert sum(compare(random_problem({feature}, seed), seed) for seed in range(12)) > 10


@settings(max_examples=60)
@given(
    st.sets(st.sampled_from(sorted(PyvrpSolver.features - {"release_times"})), max_size=6),
    st.integers(0, 9999),
)
def test_routes_of_any_features_cost_the_same_there(case: set[str], seed: int) -> None:
    if not {"release_times", "pickup_delivery"} <= case:  # shipments there have no release times
        compare(random_problem(case, seed), seed)


def test_vehicles_come_first_and_the_history_tells_our_cost() -> None:
    b = ProblemBuilder(objective=Objective.VEHICLES)
    b.depot(0, 0)
    for opens in (10, 500):
        b.visit(10, 0, delivery=3, tw=(opens, opens))
    b.vehicle_type(count=2, capacity=6, time_cost=1)
    problem = b.build()
    result = make("pyvrp").solve(problem, MaxIterations(50), seed=1)
    # one vehicle waits for the second visit, two would not
    assert [len(r.visits) for r in result.solution.routes] == [2]
    assert {cost for _, cost, _ in result.history} == {result.cost}


def test_loading_for_a_further_trip_takes_time_and_the_first_does_not() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    for _ in range(3):
        b.visit(10, 0, delivery=5, release=40)
    b.vehicle_type(count=1, capacity=10, time_cost=1, reload_depots=[0], max_reloads=1, reload_time=7)
    problem = b.build()
    result = make("pyvrp").solve(problem, MaxIterations(50), seed=1)
    assert result.solution.routes[0].halts in ((Halt(1, 0),), (Halt(2, 0),))
    report = check(problem, result.solution)
    assert report.feasible
    assert (report.cost.distance, report.cost.time) == (40, 47)
