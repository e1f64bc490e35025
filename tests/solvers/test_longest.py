"""Where the longest route is to be short, then the cost: `alns`, whose kernels weigh durations by a high power."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from solvers import MaxIterations, Metric, Objective, Problem, ProblemBuilder, Solution, Travel, make
from solvers.alns import _Run
from solvers.check import check
from solvers.kernels.rich.layout import INFINITE, STEEP
from solvers.kernels.rich.simulate import steep
from solvers.speeds import Speeds


@njit
def weight(share: float) -> float:
    return steep(share)  # type: ignore[no-any-return]


def far_cluster(capacity: int, *more: dict[str, Any]) -> Problem:
    """40 visits close together at a distance of 1,000, four vehicles."""
    rng = np.random.default_rng(1)
    b = ProblemBuilder(objective=Objective.LONGEST)
    b.depot(0, 0)
    for _ in range(40):
        b.visit(1000 + int(rng.integers(0, 60)), int(rng.integers(0, 60)), delivery=1)
    for details in more:
        b.visit(**details)
    b.vehicle_type(count=4, capacity=capacity)
    return b.build()


def test_more_routes_are_begun_where_that_makes_the_longest_shorter() -> None:
    """Four long routes weigh less than one that is a tenth longer."""
    result = make("alns").solve(far_cluster(41), MaxIterations(3000), seed=1)
    few = make("alns").solve(far_cluster(10), MaxIterations(3000), seed=1)
    rank = check(far_cluster(41), result.solution).rank
    assert rank[:2] <= check(far_cluster(41), few.solution).rank[:2]
    assert rank[1] < 2200


def test_among_plans_with_the_same_longest_route_the_cost_counts() -> None:
    """One visit far away settles the longest route; the others are then to be served at least cost."""
    rng = np.random.default_rng(5)
    places = [*rng.integers(0, 100, (40, 2)).tolist(), [300, 50]]

    def problem(objective: Objective, limit: int) -> Problem:
        b = ProblemBuilder(objective=objective)
        b.depot(50, 50)
        for x, y in places:
            b.visit(x, y, delivery=1)
        b.vehicle_type(count=41, capacity=15, max_duration=limit)
        return b.build()

    whole = problem(Objective.LONGEST, 2000)
    found = check(whole, make("alns").solve(whole, MaxIterations(10_000), seed=1).solution)
    assert found.longest == 500
    bounded = problem(Objective.COST, 500)
    cheapest = check(bounded, make("alns").solve(bounded, MaxIterations(10_000), seed=1).solution)
    assert found.cost.total <= 1.01 * cheapest.cost.total


def test_a_visit_left_out_keeps_its_chance_of_a_longer_route(monkeypatch: pytest.MonkeyPatch) -> None:
    """The search for lower cost, which no route may outlast, begins where all are served."""
    begun: list[int] = []
    monkeypatch.setattr(_Run, "within_longest", lambda run: begun.append(1))
    b = ProblemBuilder(objective=Objective.LONGEST)
    b.depot(0, 0)
    b.visit(60, 0, delivery=1)
    b.visit(90, 0, delivery=9)
    b.vehicle_type(count=1, capacity=5)
    make("alns").solve(b.build(), MaxIterations(300), seed=1)
    assert not begun


def test_a_long_wait_is_no_reason_to_leave_a_visit_out() -> None:
    b = ProblemBuilder(objective=Objective.LONGEST)
    b.depot(0, 0)
    b.visit(60, 0, delivery=1, tw=(0, 600))
    b.visit(60, 5, delivery=1, tw=(14_400, 15_000))
    b.vehicle_type(count=1, capacity=5)
    result = make("alns").solve(b.build(), MaxIterations(300), seed=1)
    assert [route.visits for route in result.solution.routes] == [(0, 1)]


def test_a_route_that_cannot_but_be_long_is_driven() -> None:
    b = ProblemBuilder(objective=Objective.LONGEST)
    b.depot(0, 0)
    for k in range(40):
        b.visit(10 * np.cos(k), 10 * np.sin(k), delivery=1)
    b.visit(3000, 0, delivery=1)
    b.vehicle_type(count=41, capacity=1)
    problem = b.build()
    assert make("alns").solve(problem, MaxIterations(300), seed=1).unserved == ()
    start = Solution.of([[v] for v in range(41)])
    assert make("alns").solve(problem, MaxIterations(10), seed=1, start=start).unserved == ()


def test_no_prize_outweighs_a_longer_route() -> None:
    problem = far_cluster(41, {"x": 2000, "y": 0, "required": False, "prize": 1000})
    result = make("alns").solve(problem, MaxIterations(3000), seed=1)
    report = check(problem, result.solution)
    assert report.left_out == (40,)
    assert report.rank[1] < 2400


@pytest.mark.parametrize("seed", [1167, 3165, 3885, 4081, 4298])
def test_departures_are_those_of_the_checker_where_speeds_change(seed: int) -> None:
    """What can be served at least cost can be served with the longest route first."""
    rng = np.random.default_rng(seed)
    b = ProblemBuilder()
    b.depot(0, 0)
    for _ in range(4):
        x, y = float(rng.integers(0, 60)), float(rng.integers(0, 60))
        b.visit(x, y, delivery=1, due=int(rng.integers(10, 150)), late_cost=1)
    limit = int(rng.integers(60, 200))
    b.vehicle_type(
        count=1, capacity=4, max_duration=limit, distance_cost=0, time_cost=int(rng.integers(0, 2))
    )
    speeds = Speeds.of([0, 40, 80, 120], [list(rng.uniform(0.3, 2, 4))])
    b.travel(Travel(metric=Metric.EUCLIDEAN_ROUND, speeds=speeds))
    problem = b.build()
    cheap = make("alns").solve(problem, MaxIterations(500), seed=1)
    longest = problem.replace(objective=Objective.LONGEST)
    short = make("alns").solve(longest, MaxIterations(500), seed=1)
    assert not check(longest, short.solution).violations
    assert len(short.unserved) == len(cheap.unserved)


def test_durations_never_weigh_as_much_as_what_is_not_allowed() -> None:
    shares = [0.0, 0.5, 0.99, 1.0, STEEP, STEEP + 1e-9, 2.0, 100.0, 2.0**53]
    weights = [weight(share) for share in shares]
    assert weights == sorted(weights)
    assert weights[3] == 1e6
    assert 4 * weight(0.93) < weights[3]
    assert 1000 * weights[-1] < INFINITE
