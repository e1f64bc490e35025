"""Ants on populations: trails equal their plain-Python count, ants follow them and keep solutions whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numba import njit

from solvers import MaxIterations, make
from solvers.check import check
from solvers.kernels.genetic import individuals as I
from solvers.kernels.genetic import layout as L
from solvers.kernels.genetic.ants import FLOOR, HOME, ant, drive_all, smell
from solvers.kernels.genetic.engine import Evolution
from solvers.kernels.genetic.individuals import empty_out
from tests.conformance.problems import random_problem
from tests.solvers import genetic_reference as ref

CASES: list[tuple[str, ...]] = [
    (),
    ("time_windows", "pickups"),
    ("heterogeneous_fleet", "skills", "multi_depot"),
]
TRAILS, SOURCE = I.FIRST_ROW, I.FIRST_ROW + 3  # rows that no population uses here


@njit
def smell_at(P: Any, X: Any, G: Any, c: int, j: int, back: bool) -> float:
    return smell(P, X, G, c, j, back)


@njit
def drive_on(
    D: Any, P: Any, S: Any, Q: Any, X: Any, T: Any, own: Any, G: Any, H: Any, source: int, count: int
) -> int:
    empty_out(P, S, Q)
    return drive_all(D, P, S, X, T, own, G, H, source, count)


@njit
def send(D: Any, P: Any, S: Any, Q: Any, X: Any, T: Any, own: Any, G: Any, H: Any, source: int) -> None:
    ant(D, P, S, Q, X, T, own, G, H, source, 0.6)


def with_links(e: Evolution, routes: ref.Routes, row: int) -> None:
    """Write `routes` into a row, links included."""
    ref.put(e, routes)
    ref.write_row(*ref.arrays(e)[:6], row)


def edges(e: Evolution, routes: Iterable[Sequence[int]]) -> set[frozenset[int]]:
    """The edges between the visits of `routes`, in the kernels' numbers."""
    node = {int(v): e.packed.depots + k for k, v in enumerate(e.packed.order)}
    return {frozenset((node[a], node[b])) for visits in routes for a, b in pairwise(visits)}


def gear(e: Evolution, floor: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nearness everywhere the same, parameters, and scratch for loads."""
    p = e.packed.ints
    own = np.zeros(8)
    own[FLOOR], own[HOME] = floor, 1.0
    starts = p[p[L.NEAR_AT] : p[L.NEAR_AT] + e.packed.nodes + 1]
    return np.ones(int(starts[-1] - starts[0])), own, np.zeros(max(1, 2 * int(p[L.DIMS])), dtype=np.int64)


def test_pheromone_is_the_share_of_trails_with_an_edge() -> None:
    problem = random_problem(("time_windows",), 4, most=25)
    e = ref.evolution(problem, 4)
    trails, found = np.arange(TRAILS, TRAILS + 3), 0.0
    for row in trails.tolist():
        with_links(e, ref.random_routes(problem, e, row), row)
    p, x = e.packed.ints, e.rows
    assert not p[L.REVERSIBLE]
    node = {int(v): e.packed.depots + k for k, v in enumerate(e.packed.order)}
    steps = []
    for row in trails.tolist():
        lists = [[0, *(node[v] for v in route.visits), 0] for route in e.routes_of(row)]
        steps.append({pair for visits in lists for pair in pairwise(visits)})
    for c in node.values():
        for j in (0, *node.values()):
            share = np.mean([(c, j) in mine for mine in steps])
            assert smell_at(p, x, trails, c, j, False) == pytest.approx(share)
            assert smell_at(p, x, trails, c, j, True) == pytest.approx(
                np.mean([(j, c) in mine for mine in steps])
            )
            found += share
    assert found > 1.0
    assert smell_at(p, x, trails[:0], 1, 2, False) == 0.0


@pytest.mark.parametrize("case", CASES, ids="+".join)
def test_ants_follow_trails_within_capacity(case: tuple[str, ...]) -> None:
    followed = driven = 0
    by_chance = without = 0
    for seed in range(15):
        problem = random_problem(case, seed, most=25)
        e = ref.evolution(problem, seed)
        with_links(e, ref.random_routes(problem, e, seed + 100), TRAILS)
        with_links(e, ref.random_routes(problem, e, seed), SOURCE)
        target = edges(e, [route.visits for route in e.routes_of(TRAILS)])
        d, p, s, q, x = ref.arrays(e)[:5]
        nearness, own, loads = gear(e, 1e-6)
        made = int(drive_on(d, p, s, q, x, nearness, own, np.array([TRAILS]), loads, SOURCE, 3))
        routes = e.routes_of(I.CHILD)
        assert 1 <= len(routes) == made <= 3
        visits = [v for route in routes for v in route.visits]
        assert len(set(visits)) == len(visits)
        for route in routes:
            if len(route.visits) < 2:
                continue
            capacity = problem.vehicle_types.capacity[route.vehicle_type]
            for loads_of in (problem.visits.delivery, problem.visits.pickup):
                assert (loads_of[list(route.visits)].sum(axis=0) <= capacity).all()
        mine = edges(e, [route.visits for route in routes])
        followed += len(mine & target)
        driven += len(mine)
        drive_on(d, p, s, q, x, nearness, own, np.array([TRAILS])[:0], loads, SOURCE, 3)
        mine = edges(e, [route.visits for route in e.routes_of(I.CHILD)])
        by_chance += len(mine & target)
        without += len(mine)
    assert driven > 20
    assert followed * without > 2 * by_chance * driven
    assert followed > 0.35 * driven  # trails that overload a vehicle can't be followed to their ends


@pytest.mark.parametrize("case", CASES, ids="+".join)
@pytest.mark.parametrize("floor", [1e-6, 1.0])
def test_what_an_ant_leaves_is_whole(case: tuple[str, ...], floor: float) -> None:
    changed = 0
    for seed in range(15):
        problem = random_problem(case, seed, most=25)
        e = ref.evolution(problem, seed)
        with_links(e, ref.random_routes(problem, e, seed + 100), TRAILS)
        with_links(e, ref.random_routes(problem, e, seed), SOURCE)
        before = {(route.vehicle_type, route.visits) for route in e.routes_of(SOURCE)}
        served = sorted(v for _, visits in before for v in visits)
        d, p, s, q, x = ref.arrays(e)[:5]
        nearness, own, loads = gear(e, floor)
        send(d, p, s, q, x, nearness, own, np.array([TRAILS]), loads, SOURCE)
        after = ref.routes_in(e)
        assert sorted(v for _, visits in after.values() for v in visits) == served
        for r, (kind, visits) in after.items():
            assert ref.slot_cost(p, s, q, r) == pytest.approx(ref.route_cost(problem, e, kind, visits))
        changed += before != {(kind, tuple(visits)) for kind, visits in after.values()}
    assert changed > 10


@pytest.mark.parametrize(
    "parameters",
    [
        {"frozen": True},
        {"trails": 40, "home": 0.0},
        {"floor": 1.0, "nearness": 0.0},
        {"minimum": 3, "offspring": 2, "elite": 1, "close": 1, "initial": 2, "repair": 0.0},
        {"patience": 10, "initial": 3},
        {"warm_runs": 2, "rebuild_looks": 3.0},
    ],
    ids=str,
)
def test_every_part_can_be_switched_off_or_replaced(parameters: dict[str, Any]) -> None:
    problem = random_problem((), 7, most=40)
    result = make("ant_colony", parameters).solve(problem, MaxIterations(60), seed=3)
    report = check(problem, result.solution)
    assert report.feasible
    assert report.cost.total == result.cost
    assert result.iterations == 60
    assert (
        make("ant_colony", parameters).solve(problem, MaxIterations(60), seed=3).solution == result.solution
    )
