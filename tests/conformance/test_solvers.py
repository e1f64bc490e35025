"""One suite that every registered solver passes. New solvers are picked up from the registry by themselves.

Solvers stop on iterations; every result goes through the independent checker.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers import (
    Incumbent,
    MaxIterations,
    MaxRuntime,
    MissingExtraError,
    NoImprovement,
    Problem,
    ProblemBuilder,
    Result,
    Route,
    Solution,
    Solver,
    Status,
    Travel,
    UnsupportedFeatureError,
    make,
    registered,
)
from solvers.check import CheckReport, check
from solvers.features import FEATURES
from tests.conformance.problems import CASES, EXCLUSIVE, case_id, random_problem, supported

# solver -> parameters that make its iterations short; solvers not listed take their defaults
QUICK: dict[str, dict[str, Any]] = {
    "decompose": {"size": 4},
    "ortools": {"group_solutions": 10, "exact_work": 0.2},
    "portfolio": {"processes": 1, "solvers": "ruin_recreate alns"},
    "vroom": {"exploration": 1},
}
ITERATIONS: dict[str, int] = {"auto": 3, "ortools": 3}


def present(name: str) -> bool:
    """Whether the solver's module is there, and the package that it adapts to."""
    if find_spec(registered()[name].target.partition(":")[0]) is None:
        return False
    try:
        make(name)
    except MissingExtraError:
        return False
    return True


SOLVERS = [
    pytest.param(name, marks=() if present(name) else pytest.mark.skip(reason=f"{name} is not installed"))
    for name in registered()
]
every_solver = pytest.mark.parametrize("name", SOLVERS)
# These hand the whole problem to other solvers of the list: what they do with pairs of features is theirs.
HAND_ON = ("auto", "portfolio")
# Pieces of four visits do not see the whole of a plan that serves all; PyVRP may end without a plan of its own.
LEAVE_OUT_MORE = ("decompose", "pyvrp")
SOLVER_CASES = [
    pytest.param(*each.values, case, marks=each.marks, id=f"{case_id(case)}-{each.values[0]}")
    for each in SOLVERS
    for case in CASES
    if len(case) != 2 or each.values[0] not in HAND_ON
]


def quick(name: str) -> Solver[Problem, Solution]:
    return make(name, QUICK.get(name))


def stop_of(name: str) -> MaxIterations:
    return MaxIterations(ITERATIONS.get(name, 200))


def verified(problem: Problem, result: Result[Solution]) -> CheckReport:
    """The checker's report, after comparing with it all that the result claims."""
    report = check(problem, result.solution)
    assert report.violations == ()
    assert result.cost == report.cost.total
    assert result.unserved == report.unserved
    if report.feasible:
        assert result.status in (Status.FEASIBLE, Status.OPTIMAL)
    else:
        assert result.status in (Status.INCOMPLETE, Status.INFEASIBLE)
    assert all(route.visits for route in result.solution.routes)
    return report


def solved(name: str, problem: Problem, seed: int = 1, **more: Any) -> Result[Solution]:
    return quick(name).solve(problem, stop_of(name), seed=seed, **more)


def unserved_by(name: str, problem: Problem) -> int:
    """How many mandatory visits a solver's plan leaves out."""
    return len(verified(problem, solved(name, problem)).unserved)


@cache
def unserved_by_alns(case: tuple[str, ...]) -> int:
    """What `alns`, which supports every feature, leaves out of the random problem of a case."""
    return unserved_by("alns", random_problem(case, 0))


@cache
def start_by(name: str, seed: int) -> Solution:
    """A solver's plan for a problem in which windows, skills, vehicles and optional visits bind."""
    return solved(name, start_problem(seed)).solution


def start_problem(seed: int) -> Problem:
    case = ("time_windows", "skills", "heterogeneous_fleet", "fixed_costs", "optional_visits")
    return random_problem(case, 40 + seed)


@pytest.mark.parametrize(("name", "case"), SOLVER_CASES)
def test_every_feature_and_pair_is_solved_or_refused(name: str, case: tuple[str, ...]) -> None:
    problem = random_problem(case, 0)
    if not problem.features <= quick(name).features:
        with pytest.raises(UnsupportedFeatureError) as caught:
            solved(name, problem)
        assert any(feature in str(caught.value) for feature in problem.features - quick(name).features)
        return
    if name in LEAVE_OUT_MORE:
        assert unserved_by(name, problem) >= unserved_by_alns(case)
    else:
        assert unserved_by(name, problem) == unserved_by_alns(case)


@every_solver
@settings(max_examples=15)
@given(data=st.data(), seed=st.integers(0, 10_000))
def test_random_problems_of_any_features(name: str, data: st.DataObject, seed: int) -> None:
    features = quick(name).features
    known = [f for f in sorted(FEATURES) if supported((f,), features)]
    case = data.draw(st.sets(st.sampled_from(known), max_size=5)) if known else set()
    if any(pair <= case for pair in EXCLUSIVE):
        return
    problem = random_problem(case, seed)
    result = solved(name, problem, seed=seed)
    verified(problem, result)
    if result.status is Status.INFEASIBLE:
        assert check(problem, solved("alns", problem).solution).unserved


@every_solver
@pytest.mark.parametrize("case", [c for c in CASES if len(c) != 2], ids=case_id)
def test_same_seed_same_result(name: str, case: tuple[str, ...]) -> None:
    if not supported(case, quick(name).features):
        return
    problem = random_problem(case, 7)
    once, twice = (solved(name, problem, seed=5) for _ in range(2))
    assert once.solution == twice.solution
    assert once.iterations == twice.iterations
    assert [h[1:] for h in once.history] == [h[1:] for h in twice.history]


@every_solver
@pytest.mark.parametrize("seed", range(6))
def test_a_start_is_never_worsened(name: str, seed: int) -> None:
    """The other solvers' results and a poor hand-made plan serve as starts."""
    problem = start_problem(seed)
    if not problem.features <= quick(name).features:
        return
    others = [other for other in registered() if present(other) and other != name]
    able = [other for other in others if problem.features <= quick(other).features]
    starts = [start_by(other, seed) for other in able[: 1 if name in HAND_ON else None]]
    poor = Solution()
    for visit in range(problem.num_visits):
        for kind in range(len(problem.vehicle_types.count)):
            grown = Solution.of([*poor.routes, *Solution.of([[visit]], kind).routes])
            if not check(problem, grown).violations:
                poor = grown
                break
    for start in (*starts, poor):
        result = solved(name, problem, start=start)
        assert verified(problem, result).rank <= check(problem, start).rank


@every_solver
def test_a_long_route_in_small_units_is_a_route(name: str) -> None:
    """What stands for an arc that may not be driven is beyond any route, however many legs this has."""
    rng, unit, n = np.random.default_rng(1), 9000, 60
    legs = np.triu(rng.integers(600, 1000, (n + 1, n + 1)), 1) * unit
    b = ProblemBuilder()
    b.depot()
    for i in range(n):
        b.visit(**({"delivery": 1} if i < n - 5 else {"pickup": 1, "backhaul": True}))
    b.vehicle_type(count=1, capacity=n)
    b.travel(Travel.of_matrices(legs + legs.T))
    problem = b.build()
    if not problem.features <= quick(name).features:
        return
    start = make("alns").solve(problem, MaxIterations(3000), seed=1).solution
    result = solved(name, problem, start=start)
    assert verified(problem, result).rank <= check(problem, start).rank


@every_solver
def test_a_start_with_violations_does_no_harm(name: str) -> None:
    problem = random_problem((), 3)
    everything = Solution.of([range(problem.num_visits)])
    assert check(problem, everything).violations
    verified(problem, solved(name, problem, start=everything))


@every_solver
def test_a_start_may_name_what_there_is_not(name: str) -> None:
    problem = random_problem((), 3)
    nowhere = Solution((Route(10**9, (0,)), Route(-1, (1,)), Route(0, (2, 10**9)), Route(0, (-1,))))
    verified(problem, solved(name, problem, start=nowhere))


@every_solver
@pytest.mark.parametrize("visits", [1, 4])
def test_no_iterations_are_none(name: str, visits: int) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    for k in range(visits):
        b.visit(k + 1, 0, delivery=1)
    b.vehicle_type(count=visits, capacity=visits)
    assert quick(name).solve(b.build(), MaxIterations(0), seed=1).iterations <= 1


@every_solver
def test_a_start_may_have_a_route_of_nothing(name: str) -> None:
    problem = random_problem((), 3)
    verified(problem, solved(name, problem, start=Solution((Route(0, (0,)), Route(0, ())))))


@every_solver
def test_a_start_keeps_the_vehicles_that_it_needs(name: str) -> None:
    """The cheaper vehicle would do for the first visit as well, but it alone is fit for the second."""
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0, delivery=1)
    b.visit(-10, 0, delivery=1, skills=["cold"])
    b.vehicle_type(count=1, capacity=1, fixed_cost=100)
    b.vehicle_type(count=1, capacity=1, skills=["cold"])
    problem = b.build()
    if not problem.features <= quick(name).features:
        return
    start = Solution((Route(0, (0,)), Route(1, (1,))))
    result = quick(name).solve(problem, MaxIterations(1), seed=1, start=start)
    assert verified(problem, result).feasible


@every_solver
@pytest.mark.parametrize(("prize", "cost"), [(15, 15), (25, 20)])
def test_a_single_visit_is_served_only_if_it_pays(name: str, prize: int, cost: int) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0, delivery=1, prize=prize, required=False)
    b.vehicle_type(count=1, capacity=1)
    problem = b.build()
    if not problem.features <= quick(name).features:
        return
    result = solved(name, problem)
    verified(problem, result)
    assert result.cost == cost


@every_solver
def test_nothing_leaves_before_time_0(name: str) -> None:
    """A window may have opened before now; one that has closed is missed."""
    b = ProblemBuilder()
    b.depot(0, 0, tw=(-1000, 1000))
    b.visit(10, 0, delivery=1, tw=(-50, 10))
    b.visit(20, 0, delivery=1, tw=(-50, 19))
    b.vehicle_type(count=1, capacity=2, shift=(-1000, 1000))
    problem = b.build()
    if not problem.features <= quick(name).features:
        return
    assert verified(problem, solved(name, problem)).unserved == (1,)


@pytest.mark.parametrize(
    "name", [p for p in SOLVERS if p.values[0] not in (*HAND_ON, "pyvrp", "hgs", "vroom")]
)
def test_a_stop_without_improvement_repeats(name: str) -> None:
    problem = random_problem((), 8, most=40)
    once, twice = (quick(name).solve(problem, NoImprovement(30), seed=3) for _ in range(2))
    assert (once.iterations, once.solution) == (twice.iterations, twice.solution)


@every_solver
def test_incumbents_improve_and_the_last_is_the_result(name: str) -> None:
    problem = random_problem(("time_windows",) if "time_windows" in quick(name).features else (), 11, most=40)
    seen: list[Incumbent[Solution]] = []
    result = solved(name, problem, on_best=seen.append)
    ranks = [check(problem, i.solution).rank for i in seen]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == len(ranks)
    assert seen[-1].solution == result.solution
    told = [(i.cost, i.unserved) for i in seen]
    assert [h[1:] for h in result.history][-len(told) :] == told
    for incumbent in seen:
        report = check(problem, incumbent.solution)
        assert (incumbent.cost, incumbent.unserved) == (report.cost.total, len(report.unserved))


def hopeless(what: str) -> tuple[Problem, set[int]]:
    """A problem in which only some visits can be served, and those that cannot."""
    b = ProblemBuilder(name=what)
    b.depot(0, 0, tw=(0, 1000))
    b.visit(10, 0, delivery=2)
    details: dict[str, Any] = {"delivery": 2}
    vehicle: dict[str, Any] = {"count": 2, "capacity": 5}
    never = {1}
    if what == "skill":
        details["skills"] = ["cold"]
    elif what == "load":
        details["delivery"] = 9
    elif what == "window":
        details["tw"] = (0, 3)
    elif what == "release":
        details["release"] = 999
    elif what == "distance":
        vehicle["max_distance"] = 30
    elif what == "duration":
        vehicle["max_duration"] = 30
    elif what == "no vehicle":
        vehicle["count"], never = 0, {0, 1}
    elif what == "shift too short":
        vehicle["shift"], never = (0, 5), {0, 1}
    b.visit(20, 0, **details)
    b.vehicle_type(**vehicle)
    return b.build(), never


@every_solver
@pytest.mark.parametrize(
    "what",
    ["skill", "load", "window", "release", "distance", "duration", "no vehicle", "shift too short"],
)
def test_infeasible_problems_give_a_status(name: str, what: str) -> None:
    problem, never = hopeless(what)
    if not problem.features <= quick(name).features:
        return
    result = solved(name, problem)
    verified(problem, result)
    assert set(result.unserved) == never
    assert result.status in (Status.INCOMPLETE, Status.INFEASIBLE)


@every_solver
def test_a_problem_without_visits_is_solved(name: str) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.vehicle_type()
    result = solved(name, b.build())
    assert (result.status, result.cost, result.solution) == (Status.FEASIBLE, 0, Solution())


@every_solver
def test_a_single_visit_is_solved(name: str) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(3, 4)
    b.vehicle_type(capacity=0)
    result = solved(name, b.build())
    assert (result.cost, result.solution) == (10, Solution.of([[0]]))


@every_solver
def test_priorities_decide_who_is_left_out(name: str) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    for i in range(6):
        b.visit(10 + i, 0, delivery=1, priority=5 if i in (2, 5) else 1)
    b.vehicle_type(count=1, capacity=3)
    problem = b.build()
    if not problem.features <= quick(name).features:
        return
    result = solved(name, problem)
    assert {2, 5} <= result.solution.served()
    assert len(result.solution.served()) == 3


@every_solver
def test_prizes_decide_which_optional_visits_are_served(name: str) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0, required=False, prize=100)
    b.visit(0, 50, required=False, prize=20)
    b.vehicle_type()
    problem = b.build()
    if not problem.features <= quick(name).features:
        return
    result = solved(name, problem)
    assert result.solution.served() == {0}
    assert result.cost == 20 + 20
    assert result.status in (Status.FEASIBLE, Status.OPTIMAL)


@every_solver
def test_no_prize_outweighs_a_mandatory_visit(name: str) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(20, 0, delivery=1)
    b.visit(1, 0, delivery=1, required=False, prize=100)
    b.vehicle_type(count=1, capacity=1)
    problem = b.build()
    if not problem.features <= quick(name).features:
        return
    result = solved(name, problem)
    verified(problem, result)
    assert (result.solution, result.cost) == (Solution.of([[0]]), 140)


@pytest.mark.parametrize("name", ["alns", "ant_colony", "genetic", "portfolio", "ruin_recreate"])
@pytest.mark.parametrize(("priorities", "cheap"), [(False, 267), (True, 443)])
def test_a_fleet_too_small_for_all_is_still_used_well(name: str, priorities: bool, cheap: int) -> None:
    """Who stays out is settled by numbers and priorities; among such plans the cost counts."""
    rng = np.random.default_rng(7)
    b = ProblemBuilder()
    b.depot(50, 50)
    for i in range(40):
        b.visit(*rng.integers(0, 100, 2).tolist(), delivery=1, priority=i % 2 if priorities else 0)
    b.vehicle_type(count=2, capacity=10)
    problem = b.build()
    report = verified(problem, quick(name).solve(problem, MaxIterations(4000), seed=1))
    assert len(report.unserved) == 20
    assert not priorities or not any(v % 2 for v in report.unserved)
    assert report.cost.total < 1.2 * cheap


@every_solver
@pytest.mark.parametrize("stay", [9999, 0])
def test_an_empty_route_is_held_to_no_limit(name: str, stay: int) -> None:
    """Nobody drives from a place to itself, whatever stands on the diagonal, nor from start to end for nothing."""
    b = ProblemBuilder()
    b.depot()
    if not stay:
        b.depot()
    b.visit(delivery=1)
    b.visit(delivery=1)
    b.vehicle_type(count=2, capacity=5, max_distance=30, end_depot=0 if stay else 1)
    legs = np.array([[0, 500, 10, 12], [500, 0, 10, 12], [10, 10, 0, 5], [12, 12, 5, 0]])
    np.fill_diagonal(legs, stay)
    b.travel(Travel.of_matrices(legs[1:, 1:] if stay else legs))
    problem = b.build()
    if not problem.features <= quick(name).features:
        return
    result = solved(name, problem)
    assert verified(problem, result).feasible
    assert result.cost == 27


@every_solver
def test_matrices_without_coordinates_do(name: str) -> None:
    rng = np.random.default_rng(2)
    b = ProblemBuilder()
    b.depot()
    for _ in range(9):
        b.visit(delivery=1)
    b.travel(Travel.of_matrices(rng.integers(5, 90, (10, 10)), rng.integers(5, 90, (10, 10))))
    b.vehicle_type(count=9, capacity=3, max_duration=300)
    problem = b.build()
    if not problem.features <= quick(name).features:
        return
    assert verified(problem, solved(name, problem)).feasible


@every_solver
def test_several_hundred_visits_by_coordinates(name: str) -> None:
    rng = np.random.default_rng(4)
    b = ProblemBuilder()
    b.depot(500, 500)
    for x, y in rng.integers(0, 1000, (400, 2)):
        b.visit(int(x), int(y), delivery=int(rng.integers(1, 9)))
    b.vehicle_type(count=400, capacity=60)
    problem = b.build()
    assert verified(problem, solved(name, problem)).feasible


@every_solver
def test_a_time_limit_is_a_stop_as_well(name: str) -> None:
    problem = random_problem(("time_windows",) if "time_windows" in quick(name).features else (), 2)
    verified(problem, quick(name).solve(problem, MaxRuntime(0.3), seed=1))
