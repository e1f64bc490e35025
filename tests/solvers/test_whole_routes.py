"""Whole new routes by labelling: against all routes tried one by one, against the checker, and that they help."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from numba import njit

from solvers import MaxIterations, Problem, ProblemBuilder, Route, Solution, make
from solvers.check import check
from solvers.kernels.data import pack
from solvers.kernels.layout import VALUE
from solvers.kernels.ruin_recreate import settle
from solvers.kernels.session import Session
from solvers.kernels.state import begin, commit
from solvers.kernels.whole_routes import build
from tests.conformance.problems import random_problem
from tests.solvers.test_exchange_kernels import CODES, Plan

CASES = [
    ("optional_visits", "time_windows"),
    ("optional_visits", "time_windows", "capacities"),
    ("optional_visits", "time_windows", "max_distance", "fixed_costs"),
    ("optional_visits", "time_windows", "skills", "heterogeneous_fleet"),
    ("optional_visits", "time_windows", "max_duration", "time_costs"),
    ("optional_visits", "time_windows", "pickups", "capacities"),
    ("optional_visits", "time_windows", "backhauls"),
    ("optional_visits", "time_windows", "release_times"),
]


@njit
def build_one(D, F, P, S, L, miss):  # type: ignore[no-untyped-def]
    begin(S)
    built = build(D, F, P, S, L, miss, 0.0)
    S[VALUE] += settle(D, F, P, S)
    commit(S)
    return built


def remote_visits(seed: int, count: int) -> Problem:
    """Optional visits whose windows leave one order, far from the depot: one alone never pays."""
    rng = np.random.default_rng(seed)
    b = ProblemBuilder()
    b.depot(0, 0)
    for k in range(count):
        early = 1000 + 300 * k
        b.visit(
            900 + int(rng.integers(0, 100)),
            int(rng.integers(0, 100)),
            delivery=int(rng.integers(1, 5)),
            tw=(early, early + 40),
            service=10,
            prize=int(rng.integers(60, 900)),
            required=False,
        )
    b.vehicle_type(count=2, capacity=12, shift=(0, 20_000))
    return b.build()


def cost(problem: Problem, *routes: tuple[int, ...]) -> float:
    report = check(problem, Solution(tuple(Route(0, visits) for visits in routes)))
    return math.inf if report.violations else report.cost.total


@pytest.mark.parametrize("seed", range(6))
def test_the_first_route_is_the_best_of_all(seed: int) -> None:
    problem = remote_visits(seed, 6)
    packed = pack(problem)
    session = Session(packed, seed)
    built = build_one(*packed.arrays, session.state, session.scratch[2], 0.0)
    every = [visits for size in range(1, 7) for visits in permutations(range(6), size)]
    best = min(cost(problem, visits) for visits in every)
    assert built == (best < cost(problem))
    assert session.state[VALUE] == min(best, cost(problem))


@pytest.mark.parametrize("case", CASES, ids="+".join)
def test_what_is_built_is_sound_and_costs_what_it_should(case: tuple[str, ...]) -> None:
    built = 0
    for seed in range(20):
        problem = random_problem(case, seed)
        if not (problem.visits.prize > 0).any():
            continue
        packed = pack(problem)
        session = Session(packed, seed)
        while build_one(*packed.arrays, session.state, session.scratch[2], 1e5):
            built += 1
        report = check(problem, Plan(problem, packed, session).solution())
        assert not [v for v in report.violations if v.code in CODES]
        assert report.cost.total == session.state[VALUE]
    assert built > 10


def test_search_opens_routes_that_no_single_visit_pays_for() -> None:
    problem = remote_visits(1, 12)
    nothing = cost(problem)
    alone = make("ruin_recreate", {"rebuilt": 0.0}).solve(
        problem, MaxIterations(2_000), seed=1, start=Solution()
    )
    whole = make("ruin_recreate").solve(problem, MaxIterations(2_000), seed=1, start=Solution())
    assert whole.cost < 0.9 * nothing
    assert whole.cost < alone.cost
    assert check(problem, whole.solution).cost.total == whole.cost


def test_optional_visits_without_prizes_are_left_out() -> None:
    problem = remote_visits(1, 12)
    problem = problem.replace(visits=replace(problem.visits, prize=np.zeros_like(problem.visits.prize)))
    assert make("ruin_recreate", {"rebuilt": 1.0}).solve(problem, MaxIterations(500), seed=1).cost == 0
