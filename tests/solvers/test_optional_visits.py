"""Annealing leans to serving more optional visits: what it is worth, what it lets in, and that it helps."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from solvers import MaxIterations, Problem, ProblemBuilder, make
from solvers.kernels.ant_colony import lay_out
from solvers.kernels.data import Packed, pack
from solvers.kernels.layout import MISSED_SOFT, N_BANK, N_USED, NEAR_WIDTH, VALUE
from solvers.kernels.ruin_recreate import judge, lures, recreate
from solvers.kernels.run import RuinTuning
from solvers.kernels.session import Session
from solvers.kernels.state import begin


@njit
def lure_of(P, S, tune, temperature):  # type: ignore[no-untyped-def]
    return lures(P, S, tune, temperature)


@njit
def put_back(D, F, P, S, T, tune, out, lure, kept_by, ant):  # type: ignore[no-untyped-def]
    begin(S)
    value, soft, used, left_out = S[VALUE], S[MISSED_SOFT], S[N_USED], S[N_BANK]
    if ant:
        lay_out(D, F, P, S, T, out, len(out), 0.0, lure)
    else:
        recreate(D, F, P, S, out, len(out), 0.0, lure)
    tried = left_out - S[N_BANK]
    judge(D, F, P, S, tune, 1e-9, 0.0, kept_by, value, soft, used, left_out)
    return tried, left_out - S[N_BANK]


def far_visit(prize: int) -> Problem:
    """One optional visit: to go there costs 100."""
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(50, 0, prize=prize, required=False, tw=(0, 500))
    b.vehicle_type(count=1, shift=(0, 1000))
    return b.build()


def fresh(problem: Problem) -> tuple[Packed, Session]:
    packed = pack(problem)
    return packed, Session(packed, 1)


@pytest.mark.parametrize("ant", [False, True])
def test_a_visit_may_cost_its_prize_and_the_lure(ant: bool) -> None:
    packed, session = fresh(far_visit(70))
    tune = RuinTuning().array(session)
    size = packed.nodes * int(packed.ints[NEAR_WIDTH])
    trails = np.concatenate([np.full(size, 0.5), np.ones(size)])
    out = np.array([1], dtype=np.int64)
    for lure, kept_by, tried, kept in ((0, 0, 0, 0), (29, 29, 0, 0), (31, 29, 1, 0), (31, 31, 1, 1)):
        state = session.state.copy()
        found = put_back(*packed.arrays, state, trails, tune, out, float(lure), float(kept_by), ant)
        assert found == (tried, kept)
        assert state[VALUE] == (100 if kept else 70)


def test_the_lure_follows_the_share_of_visits_left_out() -> None:
    packed, session = fresh(scattered(3, 40))
    for left_out in (0, 10, 40):
        session.state[N_BANK] = left_out
        for more, temperature in ((0.0, 8.0), (1.0, 8.0), (2.0, 4.0)):
            tune = RuinTuning(more_visits=more).array(session)
            lure = lure_of(packed.ints, session.state, tune, temperature)
            assert lure == pytest.approx(more * temperature * left_out / 40)


def scattered(seed: int, count: int) -> Problem:
    """Optional visits with windows of a quarter of the day; it pays to serve about half of them."""
    rng = np.random.default_rng(seed)
    b = ProblemBuilder()
    b.depot(500, 500)
    for _ in range(count):
        early, demand = int(rng.integers(0, 6000)), int(rng.integers(1, 51))
        b.visit(
            int(rng.integers(0, 1001)),
            int(rng.integers(0, 1001)),
            delivery=demand,
            tw=(early, early + 2000),
            service=10,
            prize=int(demand * rng.uniform(1.0, 3.0)),
            required=False,
        )
    b.vehicle_type(count=12, capacity=600, shift=(0, 8000))
    return b.build()


def test_leaning_to_more_visits_helps() -> None:
    costs = []
    for more in (0.0, 1.0):
        cost = 0
        for seed in range(4):
            solver = make("ruin_recreate", {"more_visits": more})
            cost += solver.solve(scattered(seed, 200), MaxIterations(20_000), seed=seed).cost
        costs.append(cost)
    assert costs[1] < costs[0]
