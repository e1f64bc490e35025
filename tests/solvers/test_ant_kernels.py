"""Ants on populations: the pheromone equals its plain-Python count, and ants keep solutions whole."""

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
from solvers.kernels.genetic.ants import lay, walk
from solvers.kernels.genetic.engine import Evolution
from tests.conformance.problems import random_problem
from tests.solvers import genetic_reference as ref

CASES: list[tuple[str, ...]] = [
    (),
    ("time_windows", "pickups"),
    ("heterogeneous_fleet", "skills", "multi_depot"),
]


@njit
def lay_on(P: Any, X: Any, T: Any, rate: float, low: float) -> None:
    lay(P, X, T, rate, low)


@njit
def send(D: Any, P: Any, S: Any, Q: Any, X: Any, T: Any, wanted: int) -> int:
    return walk(D, P, S, Q, X, T, wanted)


def near_pairs(e: Evolution) -> list[tuple[int, int]]:
    """(visit, near visit) by place in the pheromone."""
    p = e.packed.ints
    starts = p[p[L.NEAR_AT] : p[L.NEAR_AT] + e.packed.nodes + 1].tolist()
    return [(c, int(p[k])) for c in range(e.packed.nodes) for k in range(starts[c], starts[c + 1])]


def edges(e: Evolution, routes: Iterable[Sequence[int]]) -> set[frozenset[int]]:
    """The edges between the visits of `routes`, in the kernels' numbers."""
    node = {int(v): e.packed.depots + k for k, v in enumerate(e.packed.order)}
    return {frozenset((node[a], node[b])) for visits in routes for a, b in pairwise(visits)}


def test_pheromone_is_the_share_of_solutions_with_an_edge() -> None:
    problem = random_problem((), 4, most=25)
    e = ref.evolution(problem, 4)
    d, p, s, q, x, xf, xd = ref.arrays(e)[:7]
    for seed in range(5):
        ref.put(e, ref.random_routes(problem, e, seed))
        ref.write_row(d, p, s, q, x, xf, I.CHILD)
        ref.add_child(p, x, xf, xd)
    feasible = int(x[I.FEASIBLES])
    at, size = (I.FEASIBLE_AT, feasible) if feasible else (I.INFEASIBLE_AT, int(x[I.INFEASIBLES]))
    members = [e.routes_of(int(x[x[at] + k])) for k in range(size)]
    have = [edges(e, [route.visits for route in member]) for member in members]
    pairs = near_pairs(e)
    old = np.random.default_rng(1).uniform(0.0, 1.0, len(pairs))
    nearness = np.random.default_rng(2).uniform(0.1, 1.0, len(pairs))
    trail = np.concatenate([old, nearness, old])
    lay_on(p, x, trail, 0.25, 0.02)
    share = np.array([np.mean([frozenset(pair) in mine for mine in have]) for pair in pairs])
    assert 0.0 < share.mean() < 1.0
    wanted = np.maximum(0.75 * old + 0.25 * share, 0.02)
    assert trail[: len(pairs)] == pytest.approx(wanted)
    assert trail[2 * len(pairs) :] == pytest.approx(wanted * nearness)


@pytest.mark.parametrize("case", CASES, ids="+".join)
def test_ants_follow_the_pheromone_and_lose_no_visit(case: tuple[str, ...]) -> None:
    moved = nearer = 0
    for seed in range(15):
        problem = random_problem(case, seed, most=25)
        e = ref.evolution(problem, seed)
        ref.put(e, ref.random_routes(problem, e, seed + 100))
        target = edges(e, [visits for _, visits in ref.routes_in(e).values()])
        ref.put(e, ref.random_routes(problem, e, seed))
        before = ref.routes_in(e)
        d, p, s, q, x = ref.arrays(e)[:5]
        pairs = near_pairs(e)
        level = np.array([1.0 if frozenset(pair) in target else 1e-6 for pair in pairs])
        trail = np.concatenate([level, np.ones(len(pairs)), level])
        count = int(send(d, p, s, q, x, trail, 6))
        after = ref.routes_in(e)
        assert count <= 6
        assert sorted(v for _, r in after.values() for v in r) == sorted(
            v for _, r in before.values() for v in r
        )
        for r, (kind, visits) in after.items():
            assert ref.slot_cost(p, s, q, r) == pytest.approx(ref.route_cost(problem, e, kind, visits))
        old = edges(e, [visits for _, visits in before.values()])
        new = edges(e, [visits for _, visits in after.values()])
        moved += count
        nearer += len(new & target) - len(old & target)
    assert moved > 10
    assert nearer > 10


@pytest.mark.parametrize(
    "parameters",
    [
        {"frozen": True},
        {"fewest": 1, "most": 1},
        {"most": 100, "nearness": 0.0},
        {"evaporation": 1.0, "laid_every": 1},
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
