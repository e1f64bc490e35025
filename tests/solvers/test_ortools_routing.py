"""The `ortools` solver as it runs: a plan at once, better ones as groups are solved, an end when asked for."""

from __future__ import annotations

import signal
from itertools import pairwise

import numpy as np
import pytest

from solvers import (
    Incumbent,
    MaxIterations,
    MaxRuntime,
    Problem,
    ProblemBuilder,
    Result,
    Route,
    Solution,
    Status,
    Stop,
    TargetCost,
    make,
)
from solvers.check import check
from solvers.ortools_routing import GroupPlan, OrtoolsSolver, _Run

GROUPS = 3  # of 120 visits at most


def spread(n: int = 300, **more: int) -> Problem:
    rng = np.random.default_rng(2)
    b = ProblemBuilder()
    b.depot(500, 500)
    for x, y, load in rng.integers(1, 1000, (n, 3)).tolist():
        b.visit(x, y, delivery=1 + load % 20)
    b.vehicle_type(count=more.get("small", n), capacity=100)
    if "large" in more:
        b.vehicle_type(count=more["large"], capacity=250, fixed_cost=300)
    return b.build()


def heard(
    problem: Problem, stop: Stop, interrupted: int = 0
) -> tuple[list[Incumbent[Solution]], Result[Solution]]:
    """All incumbents, the last of which the result must be; Ctrl-C comes at the one of number `interrupted`."""
    told: list[Incumbent[Solution]] = []

    def hear(found: Incumbent[Solution]) -> None:
        told.append(found)
        if len(told) == interrupted:
            signal.raise_signal(signal.SIGINT)

    result = make("ortools", {"group_solutions": 5}).solve(problem, stop, seed=1, on_best=hear)
    assert result.interrupted == (interrupted > 0)
    assert (result.solution, result.cost) == (told[-1].solution, told[-1].cost)
    return told, result


def test_a_whole_plan_is_told_of_before_any_neighbourhood_is_searched() -> None:
    told, _ = heard(spread(), MaxIterations(GROUPS + 2))
    assert told[0].iteration == 0
    assert told[0].unserved == 0
    assert {1, GROUPS} <= {found.iteration for found in told}  # group by group
    assert all(later.cost < earlier.cost for earlier, later in pairwise(told))


@pytest.mark.usefixtures("heard_signals")
@pytest.mark.parametrize("visits", [10, 300])  # 10 would be proven
def test_ctrl_c_at_the_first_plan_ends_it(visits: int) -> None:
    _, end = heard(spread(visits), MaxIterations(50), interrupted=1)
    assert (end.iterations, end.unserved, end.status) == (0, (), Status.FEASIBLE)


@pytest.mark.usefixtures("heard_signals")
def test_ctrl_c_ends_it_after_the_present_group() -> None:
    _, end = heard(spread(), MaxIterations(50), interrupted=2)
    assert (end.iterations, end.unserved) == (1, ())


def test_a_cost_that_the_first_plan_meets_ends_it() -> None:
    first = heard(spread(), MaxIterations(1))[0][0]
    _, end = heard(spread(), TargetCost(first.cost) | MaxIterations(50))
    assert (end.iterations, end.cost) == (0, first.cost)


def test_an_empty_start_is_none() -> None:
    problem = spread()
    solver = make("ortools", {"group_solutions": 5})
    empty, none = (solver.solve(problem, MaxIterations(4), seed=1, start=s) for s in (Solution(), None))
    assert (empty.cost, empty.unserved) == (none.cost, ())


def test_groups_that_time_does_not_suffice_for_stay_as_they_were() -> None:
    _, end = heard(spread(), MaxRuntime(0.02))
    assert end.iterations < GROUPS
    assert end.unserved == ()


def test_plans_of_groups_fit_the_fleet_together() -> None:
    problem = spread(small=20, large=9)
    told, _ = heard(problem, MaxIterations(GROUPS + 2))
    assert len(told) > 1
    for found in told:
        report = check(problem, found.solution)
        assert report.violations == ()
        assert (report.cost.total, len(report.unserved)) == (found.cost, found.unserved)


def test_groups_that_need_more_vehicles_than_there_are_are_no_plan() -> None:
    problem = spread(6, small=1)
    run = _Run(OrtoolsSolver(), problem, MaxIterations(1), 1, None)
    run.take([GroupPlan((Route(0, (0, 1)),), 900), GroupPlan((Route(0, (2, 3)),), 900)])
    assert run.objective is None
    run.take([GroupPlan((Route(0, (0, 1)),), 900), GroupPlan((), 900)])
    assert (run.objective, run.routes) == (1800, (Route(0, (0, 1)),))
