"""The best place of a pair or a visit in a route is the best of all places, each driven."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numba import njit

from solvers import Problem, Route
from solvers.kernels.rich import layout
from solvers.kernels.rich.insertion import best_in_route
from solvers.kernels.rich.pack import pack
from solvers.kernels.rich.search import EVALUATE
from solvers.kernels.rich.session import Session
from solvers.travel import Travel
from tests.conformance.problems import random_problem

TUNE = [10.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
CASES = [
    ("pickup_delivery",),
    ("pickup_delivery", "time_windows"),
    ("pickup_delivery", "lifo", "time_windows"),
    ("pickup_delivery", "open_routes", "time_windows"),
    ("pickup_delivery", "several_windows"),
    ("pickup_delivery", "heterogeneous_fleet", "profiles"),
    ("pickup_delivery", "time_windows", "time_costs"),
]
# several trips, goods that come in during the day
TRIPS = [
    ("reloads", "time_windows"),
    ("release_times", "time_windows"),
    ("reloads", "release_times", "time_windows"),
    ("reloads", "release_times"),
    ("reloads", "release_times", "time_windows", "pickups", "backhauls"),
    ("reloads", "release_times", "time_windows", "multi_depot"),
    ("reloads", "release_times", "time_windows", "open_routes"),
    ("reloads", "release_times", "several_windows"),
    ("reloads", "release_times", "time_windows", "pickup_delivery"),
]


@njit
def best_place(D: Any, F: Any, P: Any, S: Any, V: Any, B: Any, X: Any, job: int, r: int, t: int) -> float:
    return best_in_route(D, F, P, S, V, B, X, job, r, t)


def uphill(problem: Problem, seed: int) -> Problem:
    """The problem in the hills: up costs more than down, distances and durations differ, detours are no shorter."""
    assert problem.coords is not None
    heights = np.random.default_rng(seed).integers(0, 20, problem.num_nodes)
    climb = np.maximum(0, heights[None, :] - heights[:, None])
    flat = [t if t.is_matrix else t.materialise(problem.coords) for t in problem.travel]
    hilly = [Travel.of_matrices(t.distance + climb, t.duration + 2 * climb) for t in flat]
    return replace(problem, travel=tuple(hilly))


@pytest.mark.parametrize("hills", [False, True], ids=["flat", "hills"])
@pytest.mark.parametrize("case", CASES, ids="+".join)
def test_the_best_place_of_a_pair_is_the_best_of_all(case: tuple[str, ...], hills: bool) -> None:
    found = none = 0
    for seed in range(20):
        problem = random_problem(case, seed, most=30)
        if hills:
            problem = uphill(problem, seed)
        session = Session(problem, packed := pack(problem), seed, np.array(TUNE), [1.0] * 5)
        assert (packed[layout.TURNED] > 0) == hills
        session.construct()
        assert session.stops == problem.num_visits / len(session.best().routes)
        S = session.state
        used = S[S[layout.USED_AT] :][: S[layout.N_USED]].tolist()
        pairs = [(number, job) for number, job in enumerate(packed.jobs) if len(job) == 2]
        for r in used:
            row, base = S[layout.SLOT_AT] + layout.SLOT * r, S[layout.SEQ_AT] + packed[layout.WIDTH] * r
            visits = (S[base:][: S[row + layout.LENGTH]] - problem.num_depots).tolist()
            kind = int(S[row + layout.TYPE])
            old = session.evaluate(Route(kind, tuple(visits)))
            for number, (x, y) in pairs:
                if x in visits or len(visits) + 2 > packed[layout.WIDTH]:
                    continue
                best = layout.INFINITE
                for i in range(len(visits) + 1):
                    for j in range(i, len(visits) + 1):
                        whole = (*visits[:i], x, *visits[i:j], y, *visits[j:])
                        cost = session.evaluate(Route(kind, whole))
                        best = min(best, cost - old if cost < layout.INFINITE else cost)
                assert best_place(*session.arrays, number, r, kind) == pytest.approx(best, abs=1e-6)
                found, none = found + (best < layout.INFINITE), none + (best >= layout.INFINITE)
    assert found > 20
    if "time_windows" in case:
        assert none > 0


def longer(items: list[int], added: tuple[int, ...], places: list[int]) -> list[list[int]]:
    """All routes that have the added nodes, too, in this order, in one trip; with one halt more at `places`, or
    without."""
    out = []
    for i in range(len(items) + 1):
        for j in range(i, len(items) + 1) if len(added) == 2 else [i]:
            out.append([*items[:i], added[0], *items[i:j], *added[1:], *items[j:]])
        for place in places:
            out.append([*items[:i], place, *added, *items[i:]])
            if i < len(items):
                out.append([*items[:i], *added, place, *items[i:]])
    return out


@pytest.mark.parametrize("hills", [False, True], ids=["flat", "hills"])
@pytest.mark.parametrize("case", TRIPS, ids="+".join)
def test_the_best_place_in_trips_is_the_best_of_all(case: tuple[str, ...], hills: bool) -> None:
    found = trips = 0
    for seed in range(30):
        problem = random_problem(case, seed, most=24)
        if hills:
            problem = uphill(problem, seed)
        session = Session(problem, packed := pack(problem), seed, np.array(TUNE), [1.0] * 5)
        session.construct()
        S, d = session.state, problem.num_depots
        reloads = problem.vehicle_types.reload_depots
        for r in S[S[layout.USED_AT] :][: S[layout.N_USED]].tolist():
            row, base = S[layout.SLOT_AT] + layout.SLOT * r, S[layout.SEQ_AT] + packed[layout.WIDTH] * r
            items, kind = S[base:][: S[row + layout.LENGTH]].tolist(), int(S[row + layout.TYPE])
            places = sorted(set(reloads[kind])) if reloads else []
            trips += sum(x < d for x in items)
            old = session._act(EVALUATE, kind, items=np.array(items))
            for number, job in enumerate(packed.jobs):
                added = tuple(d + x for x in job)
                if set(added) & set(items) or len(items) + 3 > packed[layout.WIDTH]:
                    continue
                costs = [
                    session._act(EVALUATE, kind, items=np.array(whole)) - old
                    for whole in longer(items, added, places)
                ]
                least = min(costs)
                told = best_place(*session.arrays, number, r, kind)
                if least >= layout.INFINITE / 2:
                    assert told >= layout.INFINITE
                else:
                    assert told == pytest.approx(least, abs=1e-6)
                    found += 1
    assert found > 100
    if "reloads" in case:
        assert trips > 10
