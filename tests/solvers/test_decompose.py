"""Parts of problems that stand in the whole as they are, how they are chosen, and what solving them brings."""

from __future__ import annotations

import os
import signal
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from solvers import (
    Battery,
    InvalidInputError,
    MaxIterations,
    MaxRuntime,
    NoImprovement,
    Problem,
    ProblemBuilder,
    Solution,
    Status,
    TargetCost,
    UnknownSolverError,
    UnsupportedFeatureError,
    make,
)
from solvers.check import check
from solvers.features import FEATURES
from solvers.neighbourhood import Neighbourhoods
from solvers.problem import Objective
from solvers.result import Incumbent
from solvers.subproblem import cut
from tests.benchmarks.rich import made
from tests.conformance.problems import random_problem


def scattered(n: int, seed: int = 0, capacity: int = 40) -> Problem:
    rng = np.random.default_rng(seed)
    b = ProblemBuilder(name=f"scattered-{n}")
    b.depot(500, 500)
    for x, y in rng.integers(0, 1000, (n, 2)):
        b.visit(int(x), int(y), delivery=int(rng.integers(1, 9)))
    b.vehicle_type(count=n, capacity=capacity)
    return b.build()


def solved(problem: Problem, stop: Any = None, **parameters: Any) -> Any:
    return make("decompose", parameters).solve(problem, stop or MaxIterations(4000), seed=3)


# --- parts ---


@pytest.mark.parametrize(
    "case",
    [(f,) for f in FEATURES if f in make("decompose").features]
    + [("exclusive_groups", "plan_changes", "skills")],
)
@pytest.mark.parametrize("seed", range(3))
def test_a_part_costs_what_its_routes_cost_in_the_whole(case: tuple[str, ...], seed: int) -> None:
    problem = random_problem(case, seed, most=14)
    plan = make("alns").solve(problem, MaxIterations(30), seed=1).solution
    assert plan.routes
    half = plan.routes[: -(-len(plan.routes) // 2)]
    figures_of = check(problem, plan).routes
    whole = {f.route: (f.cost, f.schedule.start_time, f.schedule.end_time) for f in figures_of}
    for inside in (half, plan.routes[len(half) :]):
        outside = [r for r in plan.routes if r not in inside]
        part = cut(problem, inside, (), outside)
        within = part.inward(inside)
        report = check(part.problem, within)
        assert report.violations == ()
        assert part.outward(within) == tuple(inside)
        for figures, route in zip(report.routes, inside, strict=True):
            now = figures.cost, figures.schedule.start_time, figures.schedule.end_time
            assert now == whole[route]
        assert part.problem.features <= problem.features


def test_vehicles_of_routes_outside_are_not_free_for_a_part() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    for i in range(6):
        b.visit(10 * i, 5, delivery=1)
    b.vehicle_type(count=3, capacity=2)
    problem = b.build()
    plan = Solution.of([[0, 1], [2, 3]])
    part = cut(problem, plan.routes[:1], (4, 5), plan.routes[1:])
    assert part.visits.tolist() == [0, 1, 4, 5]
    assert part.problem.vehicle_types.count.tolist() == [2]


@pytest.mark.parametrize("case", [(), ("pickup_delivery",), ("exclusive_groups",), ("optional_visits",)])
def test_a_split_deals_out_every_route_and_absent_visit_once(case: tuple[str, ...]) -> None:
    problem = random_problem(case, 5, most=14)
    plan = make("alns").solve(problem, MaxIterations(30), seed=1).solution
    kept = plan.routes[1:]
    parts = Neighbourhoods(problem, 4, np.random.default_rng(1)).split(kept)
    assert len(parts) > 1
    routes = [route for part in parts for route in part.routes]
    assert len(routes) == len(kept)
    assert set(routes) == set(kept)
    dealt = [x for part in parts for x in (*part.absent, *(v for r in part.routes for v in r.visits))]
    assert sorted(dealt) == list(range(problem.num_visits))


def test_what_lies_around_a_visit_is_near_and_no_larger_than_asked() -> None:
    problem = scattered(300)
    assert problem.coords is not None
    plan = make("savings").solve(problem, MaxIterations(1), seed=1).solution
    around = Neighbourhoods(problem, 60, np.random.default_rng(1)).around(plan.routes, 17)
    inside = {v for r in around.routes for v in r.visits}
    assert 17 in inside
    assert len(inside) <= 60
    away = np.hypot(*(problem.coords[1:] - problem.coords[18]).T)
    outside = [r for r in plan.routes if r not in around.routes]
    farthest = max(min(away[list(r.visits)]) for r in around.routes)
    assert farthest <= min(min(away[list(r.visits)]) for r in outside) + 1


# --- solving ---


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_parts_bring_more_than_the_start(seed: int) -> None:
    problem = scattered(300, capacity=120)  # routes long enough to leave the start something to gain
    start = make("savings").solve(problem, MaxIterations(100), seed=seed)
    decompose = make("decompose", {"size": 80, "parameters": {"near": 15}})
    result = decompose.solve(problem, MaxIterations(4000), seed=seed)
    report = check(problem, result.solution)
    assert report.feasible
    assert result.cost == report.cost.total
    assert result.cost < 0.99 * start.cost
    assert result.iterations <= 4000
    assert len(result.history) > 3


def test_a_small_problem_is_left_to_the_inner_solver() -> None:
    problem = scattered(40)
    inner = make("ruin_recreate").solve(problem, MaxIterations(300), seed=3)
    result = solved(problem, MaxIterations(300))
    assert (result.solver, result.solution) == ("decompose", inner.solution)


@pytest.mark.parametrize("inner", ["genetic", "alns", "ant_colony"])
def test_any_solver_works_inside(inner: str) -> None:
    problem = scattered(120)
    result = solved(problem, MaxIterations(200), inner=inner, size=40)
    assert check(problem, result.solution).feasible
    assert result.cost == check(problem, result.solution).cost.total


def test_features_beyond_the_inner_solver_are_refused() -> None:
    with pytest.raises(UnsupportedFeatureError, match="open_routes"):
        solved(random_problem(("open_routes",), 1), inner="ruin_recreate")


def test_pairs_are_built_part_by_part() -> None:
    rng = np.random.default_rng(1)
    b = ProblemBuilder()
    b.depot(500, 500)
    for i in range(40):
        x, y = (int(c) for c in rng.integers(0, 1000, 2))
        b.visit(x, y, pickup=1)
        b.visit(min(999, x + 60), y, delivery=1, pickup_at=2 * i)
    b.vehicle_type(count=40, capacity=3)
    problem = b.build()
    result = solved(problem, MaxIterations(400), size=20)
    assert check(problem, result.solution).feasible
    assert result.cost < result.history[0][1]


def test_visits_that_parts_leave_out_find_places_in_a_plan_of_the_whole() -> None:
    """Built part by part, 6 of these stay out: each part uses a vehicle that it could do without."""
    problem = made("open", 200)
    problem = replace(problem, vehicle_types=replace(problem.vehicle_types, count=np.array([13])))
    result = solved(problem, MaxIterations(20), size=40)
    assert result.unserved == ()
    assert check(problem, result.solution).feasible


def test_the_longest_route_gets_shorter() -> None:
    problem = scattered(60).replace(objective=Objective.LONGEST, count=[20])
    result = solved(problem, MaxIterations(600), size=20)
    figures = check(problem, result.solution)
    first = make("decompose", {"size": 20}).solve(problem, MaxIterations(1), seed=3)
    assert figures.feasible
    assert figures.rank < check(problem, first.solution).rank


def test_where_nothing_can_be_served_there_is_no_longest_route() -> None:
    b = ProblemBuilder(objective=Objective.LONGEST)
    b.depot(0, 0)
    for x in range(6):
        b.visit(x, 0, delivery=5)
    b.vehicle_type(count=1, capacity=1)
    result = solved(b.build(), MaxIterations(20), size=2)
    assert (result.status, result.unserved) == (Status.INFEASIBLE, (0, 1, 2, 3, 4, 5))


def test_a_vehicle_under_way_may_have_to_charge_before_its_locked_visits() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    station = b.depot(50, 0)
    b.visit(90, 0)
    for i in range(6):
        b.visit(5 + i, 3)
    battery = Battery(capacity=120, consumption=1, rate=10)
    b.vehicle_type(1, 9, locked=[0], battery=battery, stations=[station])
    b.vehicle_type(2, 9)
    result = make("decompose", {"size": 3}).solve(b.build(), MaxIterations(300), seed=1)
    assert result.status is Status.FEASIBLE
    assert not check(b.build(), result.solution).violations


def test_a_vehicle_under_way_that_is_too_late_makes_the_problem_infeasible() -> None:
    """Even where all its visits are optional: it has set out for them."""
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(90, 0, tw=(0, 10), required=False, prize=1)
    for i in range(6):
        b.visit(5 + i, 3, required=False, prize=1)
    b.vehicle_type(1, 9, locked=[0])
    b.vehicle_type(2, 9)
    result = make("decompose", {"size": 3}).solve(b.build(), MaxIterations(300), seed=1)
    assert result.status is check(b.build(), result.solution).status is Status.INFEASIBLE


def test_building_ends_with_the_time() -> None:
    """Part by part takes as long as there are parts, so it looks at the clock between them."""
    b = ProblemBuilder()
    b.depot(50, 50)
    rng = np.random.default_rng(5)
    for _ in range(30):
        first = b.visit(*rng.integers(0, 100, 2).tolist(), pickup=1)
        b.visit(*rng.integers(0, 100, 2).tolist(), delivery=1, pickup_at=first)
    b.vehicle_type(count=30, capacity=2)
    whole = solved(b.build(), MaxIterations(1), size=4)
    assert whole.unserved == ()
    ended = solved(b.build(), MaxRuntime(1e-9) | MaxIterations(1000), size=4)
    assert len(ended.unserved) > 30


def test_the_callers_stop_holds_inside_a_part() -> None:
    problem = scattered(200)
    assert solved(problem, NoImprovement(300), size=60).iterations > 300
    start = solved(problem, MaxIterations(1), size=60)
    target = solved(problem, TargetCost(start.cost - 1), size=60)
    assert target.cost < start.cost
    assert target.iterations < 200 * 60


def test_ctrl_c_returns_the_best_so_far() -> None:
    problem = scattered(300)
    found: list[int] = []

    def tell(best: Incumbent[Solution]) -> None:
        if best.unserved == 0 and not found:  # a slow machine may need longer for it than any pause set here
            threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
            found.append(best.cost)

    result = make("decompose", {"size": 80}).solve(problem, MaxRuntime(60), seed=3, on_best=tell)
    assert result.interrupted
    assert result.cost <= found[0]
    assert result.runtime_s < 30
    assert check(problem, result.solution).feasible


@pytest.mark.parametrize(
    "given", [{"size": 1}, {"passes": 0}, {"first_share": 1.5}, {"inner": "decompose"}, {"size": -3}]
)
def test_bad_parameters_are_named(given: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError, match=next(iter(given))):
        make("decompose", given)


def test_unknown_solvers_are_named() -> None:
    with pytest.raises(UnknownSolverError, match="nobody"):
        make("decompose", {"inner": "nobody"})
