"""Routes at speeds by the hour, put together from prefixes and suffixes, cost what they cost when driven."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numba import njit

from solvers import MaxIterations, Problem, ProblemBuilder, make
from solvers.check import check
from solvers.kernels.rich import layout
from solvers.kernels.rich.at_hand import take_up
from solvers.kernels.rich.curves import LONG, estimate
from solvers.kernels.rich.evaluate import evaluate
from solvers.kernels.rich.pack import pack
from solvers.kernels.rich.session import Session
from solvers.speeds import Speeds
from solvers.travel import Metric, Travel

TUNE = [10.0, 10.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
VEHICLES: list[dict[str, Any]] = [
    {},
    {"open_end": True},
    {"fixed_cost": 50, "distance_cost": 3, "max_duration": 1500},
    {"overtime_after": 600, "overtime_cost": 7, "max_distance": 1400},
]


def by_the_hour(seed: int, **vehicle: Any) -> Problem:
    """Few vehicles, so that routes are long; speeds in four periods, by two kinds of roads."""
    rng, n = np.random.default_rng(seed), 60
    b = ProblemBuilder(name=f"by-the-hour-{seed}")
    b.depot(50, 50)
    for _ in range(n):
        opens = int(rng.integers(0, 700))
        ends = opens + int(rng.integers(200, 1500))
        b.visit(*rng.integers(0, 101, 2).tolist(), delivery=1, tw=(opens, ends), service=5)
    b.vehicle_type(**{"count": 6, "capacity": 20, "time_cost": 2, "shift": (0, 2500), **vehicle})
    starts = [0.0, *np.cumsum(rng.uniform(100.5, 400.0, 3)).tolist()]
    speeds = Speeds.of(starts, rng.uniform(0.4, 2.0, (2, 4)), rng.integers(0, 2, (n + 1, n + 1)))
    b.travel(Travel(metric=Metric.EUCLIDEAN_ROUND, speeds=speeds))
    return b.build()


@njit
def both(
    D: Any,
    F: Any,
    P: Any,
    S: Any,
    V: Any,
    B: Any,
    X: Any,
    r: int,
    s: int,
    i: int,
    j: int,
    k2: int,
    items: Any,
) -> tuple[float, float, bool]:
    """Estimate and cost of the first i items of slot r, `items`, and those of slot s from the j-th of k2 on;
    whether both routes are laid out."""
    take_up(D, F, P, S, V, B, X, r, 0)
    hand, at = B[layout.HAND_SLOT], B[layout.TRIAL_AT]
    known = B[B[layout.CURVED_AT] + hand] == 1
    for q in range(i):
        B[at + 1 + q] = B[B[layout.ITEMS_AT] + 1 + q]
    n = i
    for x in items:
        n += 1
        B[at + n] = x
    take_up(D, F, P, S, V, B, X, s, 0)
    hand2 = B[layout.HAND_SLOT]
    known = known and B[B[layout.CURVED_AT] + hand2] == 1
    for q in range(j, k2 + 1):
        n += 1
        B[at + n] = B[B[layout.ITEMS_AT] + q]
    guess = estimate(D, F, P, B, X, 0, at, n, hand, i, hand2, j, k2) if known else 0.0
    return guess, evaluate(D, F, P, B, X, at, 0, n), known


@pytest.mark.parametrize("vehicle", VEHICLES, ids=lambda v: "+".join(v) or "plain")
def test_routes_put_together_cost_what_they_cost_driven(vehicle: dict[str, Any]) -> None:
    sound = late = 0
    for seed in range(4):
        problem = by_the_hour(seed, **vehicle)
        session = Session(problem, pack(problem), seed, np.array(TUNE), [1.0] * 5)
        session.construct()
        S, depots = session.state, problem.num_depots
        used = S[S[layout.USED_AT] :][: S[layout.N_USED]].tolist()
        lengths = {r: int(S[S[layout.SLOT_AT] + layout.SLOT * r + layout.LENGTH]) for r in used}
        long = [r for r in used if lengths[r] >= LONG]
        rng, t = np.random.default_rng(seed), problem.vehicle_types
        slack = 2.0 * float(t.time_cost.max()) + 1.0
        slack += 0.0 if t.overtime_cost is None else 2.0 * float(t.overtime_cost.max())
        for _ in range(300):
            r, s = (int(x) for x in rng.choice(long, 2))
            i, j = int(rng.integers(0, lengths[r] + 1)), int(rng.integers(1, lengths[s] + 2))
            items = rng.integers(depots, depots + problem.num_visits, rng.integers(0, 4)).astype(np.int64)
            if i == 0 and len(items) == 0 and j > lengths[s]:
                continue  # no route at all
            guess, cost, known = both(*session.arrays, r, s, i, j, lengths[s], items)
            assert known
            if cost >= layout.INFINITE:
                late += 1
                assert guess >= layout.INFINITE
            else:
                sound += 1
                assert guess == pytest.approx(cost, abs=slack)
    assert min(sound, late) > 100  # both are compared


def test_solutions_by_the_hour_check_out_with_their_cost() -> None:
    problem = by_the_hour(7)
    result = make("alns").solve(problem, MaxIterations(500), seed=1)
    report = check(problem, result.solution)
    assert report.feasible
    assert report.cost.total == result.cost
    assert max(len(route.visits) for route in result.solution.routes) >= LONG
