"""What `ortools` calls optimal is the optimum: compared with the enumeration of every plan."""

from __future__ import annotations

import gc
import weakref
from collections import Counter
from functools import cache
from itertools import combinations, permutations

import pytest

from solvers import MaxIterations, MaxRuntime, Problem, ProblemBuilder, Route, Status, make
from solvers.check import check, cost_of, schedule
from solvers.constraints import ROUTE_CONSTRAINTS
from solvers.features import CLASSIC
from solvers.ortools_model import Budget, Model
from solvers.ortools_parts import penalties
from tests.conformance.problems import CASES, case_id, random_problem

CLASSIC_CASES = [c for c in CASES if set(c) <= CLASSIC]


def best_of_all_plans(problem: Problem) -> tuple[int, int]:
    """(unserved mandatory visits, cost) of the best plan, by trying every route over every set of visits."""
    visits, t = tuple(range(problem.num_visits)), problem.vehicle_types
    cheapest: dict[tuple[int, tuple[int, ...]], int] = {}
    for size in range(1, len(visits) + 1):
        for chosen in combinations(visits, size):
            for kind in range(len(t.count)):
                for order in permutations(chosen):
                    run = schedule(problem, Route(kind, order))
                    if any(True for c in ROUTE_CONSTRAINTS for _ in c.check(problem, run)):
                        continue
                    cost = cost_of(problem, run).total
                    cheapest[kind, chosen] = min(cost, cheapest.get((kind, chosen), cost))

    @cache
    def rest(left: frozenset[int], used: tuple[int, ...]) -> tuple[int, int]:
        if not left:
            return 0, 0
        first = min(left)
        unserved, cost = rest(left - {first}, used)
        required = bool(problem.visits.required[first])
        best = (unserved + required, cost + (0 if required else int(problem.visits.prize[first])))
        for (kind, chosen), price in cheapest.items():
            if first == chosen[0] and left.issuperset(chosen) and used.count(kind) < t.count[kind]:
                unserved, cost = rest(left - set(chosen), tuple(sorted((*used, kind))))
                best = min(best, (unserved, cost + price))
        return best

    return rest(frozenset(visits), ())


@pytest.mark.parametrize("case", CLASSIC_CASES, ids=case_id)
def test_the_proven_optimum_is_the_best_of_all_plans(case: tuple[str, ...]) -> None:
    if "priorities" in case:
        return  # the enumeration does not weigh them; the next test does
    problem = random_problem(case, 3, most=5)
    result = make("ortools", {"exact_work": 20.0}).solve(problem, MaxIterations(1), seed=1)
    unserved, cost = best_of_all_plans(problem)
    assert (len(result.unserved), result.cost) == (unserved, cost)
    assert result.status is (Status.INFEASIBLE if unserved else Status.OPTIMAL)
    assert result.iterations == 1


def test_priorities_decide_who_is_left_out() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    for i in range(6):
        b.visit(10 + i, 0, delivery=1, priority=9 if i in (2, 5) else 1)
    b.vehicle_type(count=1, capacity=3)
    result = make("ortools").solve(b.build(), MaxIterations(1), seed=1)
    assert {2, 5} <= result.solution.served()
    assert result.status is Status.INFEASIBLE  # proven: not all six fit
    assert Counter(len(r) for r in result.solution.routes) == {3: 1}


def test_larger_problems_are_not_proven_and_a_start_is_kept() -> None:
    problem = random_problem((), 2, most=40)
    assert problem.num_visits > 12
    result = make("ortools", {"group_solutions": 10}).solve(problem, MaxIterations(2), seed=1)
    assert result.status is Status.FEASIBLE
    small = random_problem(("time_windows",), 1, most=9)
    best = make("ortools").solve(small, MaxRuntime(20), seed=1)
    assert best.status is Status.OPTIMAL
    assert best.runtime_s < 15  # proven optimal, it does not go on until the limit
    again = make("ortools").solve(small, MaxRuntime(20), seed=1, start=best.solution)
    assert (again.status, again.cost) == (Status.OPTIMAL, best.cost)
    assert check(small, again.solution).feasible


def test_a_searched_model_is_freed() -> None:
    """OR-Tools holds our callback from C++: a cycle through it would keep every model of a long run."""
    problem = random_problem(("capacities", "time_windows"), 1)
    penalty = penalties(problem)
    model = Model(problem, range(problem.num_visits), [0, 0], penalty)
    assert model.anneal(Budget(5), hot=0.3, removed=3, watch=lambda routes: None) is not None
    alive = weakref.ref(model)
    del model
    gc.collect()
    assert alive() is None
