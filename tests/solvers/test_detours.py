"""Where the way past a visit may be longer than the way through it, to take it out can break its route."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from solvers import MaxIterations, Problem, ProblemBuilder, Solution, Travel, make
from solvers.check import check
from solvers.kernels.data import pack
from solvers.kernels.layout import DEPOTS, MISSED_SOFT, N_BANK, N_USED, VALUE
from solvers.kernels.ruin_recreate import judge
from solvers.kernels.run import RuinTuning
from solvers.kernels.session import Session
from solvers.kernels.state import after_ruin, begin, take_out


@njit
def without(D, F, P, S, tune, visit):  # type: ignore[no-untyped-def]
    """Leave a visit out at a temperature at which anything goes; whether the outcome stands."""
    begin(S)
    value, soft, used, left_out = S[VALUE], S[MISSED_SOFT], S[N_USED], S[N_BANK]
    take_out(D, F, P, S, P[DEPOTS] + visit)
    after_ruin(D, F, P, S)
    judge(D, F, P, S, tune, 1e12, 0.0, 0.0, value, soft, used, left_out)
    return S[N_BANK] > left_out


# depot, a, b, c: each a step from the next, but from a to c and from b to the depot it is far
AROUND = [[0, 1, 1, 1], [1, 0, 1, 20], [20, 1, 0, 1], [1, 20, 1, 0]]
Limits = tuple[dict[str, Any], ...]  # of the vehicle, and of visits
# what breaks without b (without c in the last), and what does not
CASES: list[tuple[Limits, Limits]] = [
    (({"max_distance": 21},), ({"max_distance": 22},)),
    (({"max_duration": 21},), ({"max_duration": 22},)),
    (({"shift": (0, 21)},), ({"shift": (0, 22)},)),
    (({}, {}, {}, {"tw": (0, 20)}), ({}, {}, {}, {"tw": (0, 21)})),
    (({}, {}, {}, {"tw": (0, 21), "release": 1}), ({}, {}, {}, {"tw": (0, 22), "release": 1})),
    (({"shift": (0, 26)}, {}, {"tw": (24, 30)}), ({"shift": (0, 44)}, {}, {"tw": (24, 30)})),
]


def roundabout(limit: dict[str, Any], *visits: dict[str, Any]) -> Problem:
    b = ProblemBuilder()
    b.depot()
    for k in range(3):
        b.visit(delivery=1, **(visits[k] if k < len(visits) else {}))
    b.vehicle_type(count=1, capacity=3, **limit)
    b.travel(Travel.of_matrices(np.array(AROUND), np.array(AROUND)))
    return b.build()


@pytest.mark.parametrize(("tight", "loose"), CASES)
def test_a_route_that_breaks_when_a_visit_leaves_it_is_restored(tight: Limits, loose: Limits) -> None:
    for limits, stands in ((tight, False), (loose, True)):
        problem = roundabout(*limits)
        assert not check(problem, Solution.of([[0, 1, 2]])).violations
        gone = 2 if len(limits) == 3 else 1
        rest = [v for v in range(3) if v != gone]
        assert (not check(problem, Solution.of([rest])).violations) == stands
        packed = pack(problem)
        session = Session(packed, 1)
        session.start_from(Solution.of([[0, 1, 2]]))
        assert session.best().routes[0].visits == (0, 1, 2)
        where = int(np.flatnonzero(packed.order == gone)[0])
        assert without(*packed.arrays, session.state, RuinTuning().array(session), where) == stands


@pytest.mark.parametrize("name", ["savings", "ruin_recreate", "genetic", "ant_colony", "alns"])
def test_rounded_times_are_kept(name: str) -> None:
    """Seeds at which plans were late by one: distances of a few units, rounded."""
    for seed in (1080, 1227, 4779, 4788):
        rng = np.random.default_rng(seed)
        n = int(rng.integers(4, 12))
        b = ProblemBuilder()
        b.depot(0, 0)
        for _ in range(n):
            tw = {}
            if rng.random() < 0.6:
                opens = int(rng.integers(0, 12))
                tw = {"tw": (opens, opens + int(rng.integers(0, 6)))}
            b.visit(float(rng.integers(0, 8)) * 0.7, float(rng.integers(0, 2)) * 0.7, delivery=1, **tw)
        shift = 0, int(rng.integers(8, 20))
        count, capacity, fixed = int(rng.integers(2, 5)), int(rng.integers(3, 8)), int(rng.choice([0, 3]))
        b.vehicle_type(count=count, capacity=capacity, fixed_cost=fixed, shift=shift)
        problem = b.build()
        result = make(name).solve(problem, MaxIterations(500), seed=seed)
        assert check(problem, result.solution).violations == ()


def two_depots(max_distance: int) -> Problem:
    """Six visits near the end of the way, to be served early, and six near its start, to be served late."""
    b = ProblemBuilder()
    b.depot(0, 0)
    b.depot(1000, 0)
    for k in range(6):
        b.visit(985 + 3 * k, 0, delivery=1, tw=(0, 1500))
        b.visit(10 + 3 * k, 0, delivery=1, tw=(1600, 9000))
    b.vehicle_type(
        count=12, capacity=12, start_depot=0, end_depot=1, max_distance=max_distance, fixed_cost=10_000
    )
    return b.build()


def far_apart(max_distance: int) -> Problem:
    """Two visits close to the depot, far from each other."""
    b = ProblemBuilder()
    b.depot()
    b.visit(delivery=1)
    b.visit(delivery=1)
    b.vehicle_type(count=2, capacity=5, max_distance=max_distance, fixed_cost=10_000)
    b.travel(Travel.of_matrices(np.array([[0, 10, 10], [10, 0, 100], [10, 100, 0]])))
    return b.build()


@pytest.mark.parametrize("name", ["savings", "ruin_recreate", "genetic", "ant_colony", "alns"])
@pytest.mark.parametrize(
    ("problem", "routes"),
    [(two_depots(2500), 2), (two_depots(3000), 1), (far_apart(119), 2), (far_apart(120), 1)],
)
def test_routes_joined_keep_their_longest_distance(name: str, problem: Problem, routes: int) -> None:
    """One route can be longer than the two that it replaces."""
    result = make(name).solve(problem, MaxIterations(1000), seed=1)
    assert check(problem, result.solution).feasible
    assert len(result.solution.routes) == routes
