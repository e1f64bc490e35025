"""The compiled evaluation of routes equals the checker's on random problems of any features."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers import Metric, Objective, Problem, ProblemBuilder, Solution, Travel
from solvers.charging import recharged
from solvers.check import check, cost_of
from solvers.constraints import ROUTE_CONSTRAINTS
from solvers.features import FEATURES
from solvers.kernels.rich import layout
from solvers.kernels.rich import pack as rich_pack
from solvers.kernels.rich import session as rich_session
from solvers.kernels.rich.pack import pack
from solvers.kernels.rich.session import Session
from solvers.schedule import Schedule, latest_return, schedule
from solvers.speeds import Speeds
from tests.conformance.problems import CASES, case_id, random_problem, random_routes

TUNE = [10.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 5.0]
WEIGHTS = [1.0, 1.0, 1.0, 1.0, 1.0]


def session(problem: Problem, seed: int) -> Session:
    return Session(problem, pack(problem), seed, np.array(TUNE), WEIGHTS)


def at_a_limit(problem: Problem, run: Schedule) -> bool:
    """Whether a rounded time is just where a window, a depot or the shift ends: the time itself may be past it."""
    closes = np.concatenate([problem.depots.tw[:, 1], problem.visits.tw[:, 1]])
    stops = any(start == closes[node] for node, start in zip(run.nodes, run.start, strict=True))
    return stops or run.end_time == latest_return(problem, run.vehicle_type)


def compare(problem: Problem, seed: int) -> tuple[int, int]:
    """Routes found sound, and routes in all, after comparing both evaluations."""
    rng = np.random.default_rng(seed)
    rich, sound = session(problem, seed), 0
    routes = random_routes(problem, rng, 25)
    slack = 0.0
    if "time_dependent" in problem.features:  # rounding of times, and of prices of lateness
        slack = 6.0 * float(problem.vehicle_types.time_cost.max()) + 3.0
        for price in (problem.vehicle_types.overtime_cost, problem.visits.late_cost):
            slack += 0.0 if price is None else 6.0 * float(price.max())
    for bare in routes:
        cost, route = rich.evaluate(bare), rich.charged(bare)
        if cost >= layout.INFINITE:  # so it is with the stops of the shortest way, too
            route = recharged(problem, bare)
        run = schedule(problem, route)
        misses = [(c.code, m) for c in ROUTE_CONSTRAINTS for m in c.check(problem, run)]
        if slack and misses and all(miss.amount <= 1 for _, miss in misses):
            continue  # a limit missed by less than the rounding
        if slack and cost >= layout.INFINITE and at_a_limit(problem, run):
            continue
        assert (cost >= layout.INFINITE) == bool(misses), (route, cost, misses)
        if not misses:
            sound += 1
        if not misses and problem.objective is not Objective.LONGEST:  # whose costs are powers of durations
            assert cost == pytest.approx(cost_of(problem, run).total, abs=slack, rel=1e-12), route
    return sound, len(routes)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_evaluation_equals_the_checker_for_every_pair_of_features(case: tuple[str, ...]) -> None:
    for seed in range(3):
        compare(random_problem(case, seed), seed)


@pytest.fixture
def without_matrices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rich_pack, "MATRIX_LIMIT", 0)


@pytest.mark.usefixtures("without_matrices")
@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_evaluation_by_coordinates_equals_the_checker(case: tuple[str, ...]) -> None:
    problem = random_problem(case, 3)
    assert pack(problem)[layout.STRIDE] == 0
    compare(problem, 3)


@pytest.mark.usefixtures("without_matrices")
@pytest.mark.parametrize("feature", [None, "time_dependent"])
@pytest.mark.parametrize("pace", [1.0, 0.7])
@pytest.mark.parametrize("metric", [m for m in Metric if m is not Metric.MATRIX])
def test_every_rule_of_lengths_equals_the_checker(metric: Metric, pace: float, feature: str | None) -> None:
    problem = random_problem(("max_distance", "time_windows", *([feature] if feature else [])), 2)
    assert problem.coords is not None
    travel = [replace(t, metric=metric, duration_per_distance=pace) for t in problem.travel]
    problem = replace(problem, travel=tuple(travel))
    if metric is Metric.HAVERSINE:  # metres between degrees: in the units that the windows are in
        problem = replace(problem, coords=problem.coords / 100_000 + [120.0, 30.0])
    assert pack(problem)[layout.STRIDE] == 0
    assert sum(compare(problem, seed)[0] for seed in range(3)) > 5


def test_neighbours_by_coordinates_are_those_by_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    for x, y in np.random.default_rng(4).uniform(0, 1e6, (60, 2)).tolist():
        b.visit(x, y)
    b.vehicle_type(count=1)
    problem = b.build()
    lists = []
    for limit in (0, 100):
        monkeypatch.setattr(rich_pack, "MATRIX_LIMIT", limit)
        packed = pack(problem, near=20)
        at, width = packed[layout.NEAR_AT], packed[layout.NEAR_WIDTH]
        lists.append(packed.ints[at : at + width * packed[layout.N]].tolist())
    assert lists[0] == lists[1]


@settings(max_examples=60)
@given(case=st.sets(st.sampled_from(sorted(FEATURES)), max_size=7), seed=st.integers(0, 10_000))
def test_evaluation_equals_the_checker(case: set[str], seed: int) -> None:
    compare(random_problem(case, seed), seed)


@pytest.mark.parametrize("feature", FEATURES)
def test_sound_routes_are_among_those_compared(feature: str) -> None:
    assert sum(compare(random_problem((feature,), seed), seed)[0] for seed in range(4)) > 5


@settings(max_examples=40)
@given(case=st.sets(st.sampled_from(sorted(FEATURES)), max_size=6), seed=st.integers(0, 10_000))
def test_every_solution_of_a_search_checks_out_with_its_cost(case: set[str], seed: int) -> None:
    searches_soundly(random_problem(case, seed), seed)


@pytest.mark.usefixtures("without_matrices")
@pytest.mark.parametrize("feature", FEATURES)
def test_so_does_every_solution_by_coordinates(feature: str) -> None:
    searches_soundly(random_problem((feature,), 7), 7)


def searches_soundly(problem: Problem, seed: int) -> None:
    rich = session(problem, seed)
    if not rich.load_locked():
        return
    rich.construct()
    for _ in range(4):
        report = check(problem, rich.best())
        assert report.violations == ()
        if not problem.features & {"time_dependent", "longest_route"}:
            assert rich.best_cost == report.cost.total
        rich.cool(10.0, 1.0, 1.0, 0.0)
        rich.search(40, 0)


def test_searches_repeat_with_the_seed() -> None:
    problem = random_problem(("time_windows", "pickup_delivery"), 3)
    twice = []
    for _ in range(2):
        rich = session(problem, 5)
        rich.construct()
        rich.cool(10.0, 1.0, 1.0, 0.0)
        rich.search(300, 0)
        twice.append((rich.best(), rich.best_cost, rich.best_rank))
    assert twice[0] == twice[1]


def test_a_start_is_taken_over() -> None:
    problem = random_problem((), 8)
    routes = Solution.of([[v] for v in range(problem.num_visits)])
    rich = session(problem, 1)
    rich.start_from(routes)
    assert rich.best().served() == routes.served()


def test_many_windows_stay_in_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled code checks no bounds: whatever is written behind the arrays is seen here."""
    b = ProblemBuilder()
    b.depot(0, 0)
    for i in range(6):
        b.visit(10 + i, 3 * i, delivery=1, tw=[(10 * k, 10 * k + 5) for k in range(60)])
    b.vehicle_type(count=3, capacity=4, time_cost=1, shift=(0, 700))
    b.travel(Travel(metric=Metric.EUCLIDEAN_ROUND, speeds=Speeds.of([0, 100], [[1.0, 0.5]])))
    made = []

    def guarded(*given: Any) -> Any:
        made.append(
            (len(plain := laid_out(*given)), np.concatenate([plain, np.full(500, 12345, plain.dtype)]))
        )
        return made[-1][1]

    laid_out = rich_session._laid_out
    monkeypatch.setattr(rich_session, "_laid_out", guarded)
    rich = session(b.build(), 1)
    rich.construct()
    rich.search(50, 0)
    assert len(made) == 4
    assert all((whole[size:] == 12345).all() for size, whole in made)
