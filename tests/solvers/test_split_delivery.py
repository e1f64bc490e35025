"""Split deliveries: what routes may share, how demands are divided, and that little is lost by it."""

from __future__ import annotations

from itertools import pairwise, permutations, product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers import (
    Halt,
    InvalidInputError,
    MaxIterations,
    Part,
    Problem,
    ProblemBuilder,
    Route,
    Solution,
    UnsupportedFeatureError,
    make,
)
from solvers.charging import recharged
from solvers.check import check, cost_of
from solvers.constraints import ROUTE_CONSTRAINTS
from solvers.explain import explain
from solvers.features import FEATURES
from solvers.kernels.rich.layout import INFINITE
from solvers.kernels.rich.pack import pack
from solvers.kernels.rich.session import Session
from solvers.native import dump_problem, dump_solution, load_problem, load_solution
from solvers.replay import replay
from solvers.schedule import schedule
from solvers.splitting import Presplit, parts_of
from tests.conformance.problems import random_problem


def line(*visits: dict[str, Any], **vehicle: Any) -> Problem:
    """A depot at 0, visits at 10, 20, ... on a line, vehicles for 10."""
    b = ProblemBuilder()
    b.depot(0, 0)
    for i, details in enumerate(visits):
        b.visit(10 * (i + 1), 0, **details)
    b.vehicle_type(**{"capacity": 10, "count": 3, **vehicle})
    return b.build()


def test_routes_share_a_demand() -> None:
    problem = line({"delivery": 15, "split": True, "service": 4}, {"delivery": 5}, time_cost=1)
    shared = Solution((Route(0, (0,), parts=(Part(0, (10,)),)), Route(0, (0, 1), parts=(Part(0, (5,)),))))
    report = check(problem, shared)
    assert report.feasible
    assert (report.cost.distance, report.cost.time) == (20 + 40, 20 + 40 + 2 * 4)  # each stop takes its time
    assert [f.schedule.load for f in report.routes] == [((10,), (0,)), ((10,), (5,), (0,))]
    whole = check(problem, Solution.of([[0], [1]]))
    assert [(v.code, v.amount) for v in whole.violations] == [("capacity", 5)]


@pytest.mark.parametrize(
    ("routes", "found"),
    [
        ([Route(0, (0,), parts=(Part(0, (10,)),))], [("split", 5)]),
        ([Route(0, (0,), parts=(Part(0, (9,)),))] * 2, [("split", 3)]),
        ([Route(0, (0, 0), parts=(Part(0, (7,)), Part(1, (8,))))], [("capacity", 5), ("duplicate-visit", 1)]),
        ([Route(0, (0, 0), (Halt(1, 0),), (Part(0, (7,)), Part(1, (8,))))], []),
        (
            [Route(0, (0,), parts=(Part(0, (11,)),)), Route(0, (0,), parts=(Part(0, (4,)),))],
            [("capacity", 1)],
        ),
    ],
)
def test_parts_are_the_demand_and_fit(routes: list[Route], found: list[tuple[str, int]]) -> None:
    problem = line({"delivery": 15, "split": True}, reload_depots=[0])
    report = check(problem, Solution(tuple(routes)))
    assert [(v.code, v.amount) for v in report.violations] == found


def test_what_is_not_to_be_split_is_not() -> None:
    problem = line({"delivery": 6}, {"delivery": 1, "split": True})
    half = Route(0, (0,), parts=(Part(0, (3,)),))
    assert [v.code for v in check(problem, Solution((half, half))).violations] == ["duplicate-visit", "split"]
    assert [v.code for v in check(problem, Solution((half,))).violations] == ["split"]


def test_windows_hold_for_every_part() -> None:
    problem = line({"delivery": 15, "split": True, "tw": (0, 30)}, {"delivery": 1})
    late = Route(0, (1, 0), parts=(Part(1, (9,)),))
    routes = Solution((Route(0, (0,), parts=(Part(0, (6,)),)), late))
    assert check(problem, routes).feasible
    assert [v.amount for v in check(problem.replace(tw=[[0, 29], [0, 99]]), routes).violations] == [1]


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 90)), min_size=1, max_size=3))
def test_parts_are_few_and_sum_to_the_demand(pairs: list[tuple[int, int]]) -> None:
    demand, capacity = (tuple(x) for x in zip(*pairs, strict=True))
    parts = parts_of(demand, capacity)
    assert tuple(map(sum, zip(*parts, strict=True))) == demand
    ratio = max((d / c for d, c in pairs if c and d), default=0.0)
    assert len(parts) <= 5 * ratio + 1 + 1 + 4 + 1 + 1
    if ratio:
        assert all(any(part) for part in parts)
        largest = [max(a / c for a, c in zip(part, capacity, strict=True) if c) for part in parts]
        assert max(largest) <= 0.2 + 2 / min(c for d, c in pairs if c)


def optimum(problem: Problem) -> int:
    """The least cost over all amounts, for two vehicles: every division, every order."""
    depots, demand = 1, problem.visits.delivery[:, 0].tolist()
    assert problem.coords is not None
    xy = problem.coords
    length = np.floor(np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1)) + 0.5).astype(int)

    def tour(visits: tuple[int, ...]) -> int:
        ways = ([0, *(depots + v for v in order), 0] for order in permutations(visits))
        return min(sum(int(length[a, b]) for a, b in pairwise(w)) for w in ways)

    capacity, best = int(problem.vehicle_types.capacity[0, 0]), 10**9
    tours: dict[tuple[int, ...], int] = {}
    for first in product(*(range(d + 1) for d in demand)):
        second = [d - a for d, a in zip(demand, first, strict=True)]
        if sum(first) > capacity or sum(second) > capacity:
            continue
        cost = 0
        for amounts in (first, second):
            visits = tuple(v for v, a in enumerate(amounts) if a)
            if visits not in tours:
                tours[visits] = tour(visits)
            cost += tours[visits]
        best = min(best, cost)
    return best


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_the_search_finds_the_optimum_of_small_problems(data: st.DataObject) -> None:
    b = ProblemBuilder()
    b.depot(5, 5)
    left = 10
    for _ in range(4):
        demand = data.draw(st.integers(1, min(4, left)))
        left -= demand
        b.visit(data.draw(st.integers(0, 10)), data.draw(st.integers(0, 10)), delivery=demand, split=True)
        if not left:
            break
    b.vehicle_type(count=2, capacity=5)  # a fifth of which is one unit, so that any division is possible
    problem = b.build()
    report = check(problem, make("alns").solve(problem, MaxIterations(600), seed=1).solution)
    assert report.feasible
    assert report.cost.total == optimum(problem)


def test_splitting_saves_what_it_is_known_to() -> None:
    """Three demands just above half a load need three routes whole, two when split (Dror and Trudeau 1989)."""
    b = ProblemBuilder()
    b.depot(0, 0)
    for y in (-1, 0, 1):
        b.visit(100, y, delivery=6, split=True)
    b.vehicle_type(count=3, capacity=9)
    problem = b.build()
    result = make("alns").solve(problem, MaxIterations(300), seed=1)
    assert len(result.solution.routes) == 2
    whole = make("alns").solve(problem.replace(split=None), MaxIterations(300), seed=1)
    assert len(whole.solution.routes) == 3
    assert (whole.cost, result.cost) == (600, 402)


def test_a_plan_becomes_parts_and_a_plan_again() -> None:
    for seed in range(12):
        problem = random_problem(("split_delivery", "reloads", "pickups"), seed)
        plan = make("alns").solve(problem, MaxIterations(100), seed=1).solution
        parts = Presplit.make(problem, plan)
        assert parts.start is not None
        assert parts.outward(parts.start) == plan
        inner, outer = check(parts.parts, parts.start), check(problem, plan)
        assert inner.violations == outer.violations == ()
        assert inner.cost.distance == outer.cost.distance
        result = make("alns").solve(problem, MaxIterations(30), seed=2, start=plan)
        assert check(problem, result.solution).rank <= outer.rank


@settings(max_examples=60, deadline=None)
@given(
    case=st.sets(st.sampled_from(sorted(set(FEATURES) - {"longest_route", "time_dependent"})), max_size=5),
    seed=st.integers(0, 5_000),
)
def test_parts_in_a_row_are_one_stop_for_the_kernels_too(case: set[str], seed: int) -> None:
    problem = random_problem({*case, "split_delivery"}, seed)
    split, rng = Presplit.make(problem), np.random.default_rng(seed)
    rich = Session(split.parts, pack(split.parts, 100, split.of), seed, np.zeros(8), [1.0] * 5)
    shares = [[p for p, visit in enumerate(split.of) if visit == v] for v in range(problem.num_visits)]
    for _ in range(25):
        some = [shares[v] for v in rng.permutation(problem.num_visits)[: int(rng.integers(1, 5))]]
        parts = [p for mine in some for p in mine[: int(rng.integers(1, len(mine) + 1))]]
        bare = Route(int(rng.integers(len(problem.vehicle_types.count))), tuple(parts))
        cost, route = rich.evaluate(bare), rich.charged(bare)
        if cost >= INFINITE:
            route = recharged(split.parts, bare)
        joined = split.joined(route, set(range(problem.num_visits)))
        run = schedule(problem, joined)
        misses = [miss for rule in ROUTE_CONSTRAINTS for miss in rule.check(problem, run)]
        assert (cost >= INFINITE) == bool(misses)
        if not misses:
            assert cost == cost_of(problem, run).total


def test_what_cannot_be_served_as_a_whole_is_left_out_as_a_whole() -> None:
    problem = line({"delivery": 25, "split": True}, {"delivery": 8}, count=2)
    result = make("alns").solve(problem, MaxIterations(200), seed=1)
    assert check(problem, result.solution).violations == ()
    assert result.unserved == (0,)
    reason = explain(problem, result.solution).unserved[0]
    assert reason.code == "capacity"
    assert "short by 15" in reason.message


@pytest.mark.parametrize(
    ("visits", "code"),
    [
        ([{"delivery": 1, "pickup": 1, "split": True}], "split-both"),
        ([{"group": "a", "split": True}], "split-rule"),
        ([{"pickup": 1, "split": True}, {"delivery": 1, "pickup_at": 0}], "split-rule"),
        ([{"delivery": 1, "split": True}, {}], "split-rule"),
    ],
)
def test_faults_are_told(visits: list[dict[str, Any]], code: str) -> None:
    vehicle = {"locked": [0], "count": 1} if len(visits) == 2 and "pickup_at" not in visits[1] else {}
    with pytest.raises(InvalidInputError) as caught:
        line(*visits, **vehicle)
    assert code in [fault.code for fault in caught.value.faults]


def test_files_hold_parts(tmp_path: Path) -> None:
    problem = line({"delivery": 15, "split": True}, {"delivery": 5})
    dump_problem(problem, tmp_path / "p.json")
    assert load_problem(tmp_path / "p.json").features == problem.features >= {"split_delivery"}
    plan = Solution((Route(0, (0,), parts=(Part(0, (10,)),)), Route(0, (0, 1), parts=(Part(0, (5,)),))))
    dump_solution(problem, plan, tmp_path / "plan.json")
    assert load_solution(tmp_path / "plan.json", problem) == plan
    with pytest.raises(UnsupportedFeatureError, match="split_delivery"):
        dump_solution(problem, plan, tmp_path / "plan.sol")


def test_who_does_not_know_it_refuses_by_name() -> None:
    problem = line({"delivery": 15, "split": True})
    for name in ("savings", "ruin_recreate", "genetic", "ant_colony", "ortools"):
        with pytest.raises(UnsupportedFeatureError, match="split_delivery"):
            make(name).solve(problem, MaxIterations(1), seed=1)
    with pytest.raises(UnsupportedFeatureError, match="split_delivery"):
        replay(problem, Solution(), 2, 1)
