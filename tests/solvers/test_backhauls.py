"""Backhauls by coordinates alone: the same search as on matrices in which the arcs out of order are barred."""

from __future__ import annotations

import numpy as np
import pytest

from solvers import MaxIterations, Problem, ProblemBuilder, make
from solvers.backhauls import barred_arcs
from solvers.check import check
from solvers.kernels import data
from solvers.kernels.travel import bars


def mixed(n: int, alone: bool, apart: bool) -> Problem:
    """With `apart` backhauls alone pick goods up; coordinates so wide that no two distances are equal."""
    rng = np.random.default_rng(3)
    b = ProblemBuilder(backhauls_alone=alone)
    b.depot(5e5, 5e5)
    for x, y in rng.uniform(0, 1e6, (n, 2)).tolist():
        if rng.random() < 0.4:
            b.visit(x, y, pickup=int(rng.integers(1, 9)), backhaul=True)
        else:
            pickup = 0 if apart else int(rng.integers(0, 3))
            b.visit(x, y, delivery=int(rng.integers(1, 9)), pickup=pickup)
    b.vehicle_type(count=n, capacity=40)
    return b.build()


@pytest.mark.parametrize("alone", [True, False])
def test_the_same_arcs_are_barred(alone: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = mixed(20, alone, True)
    monkeypatch.setattr(data, "MATRIX_LIMIT", 0)
    packed = data.pack(problem)
    nodes = range(packed.nodes)
    found = [[bars.py_func(packed.ints, i, j) for j in nodes] for i in nodes]
    assert np.array_equal(found, barred_arcs(problem, packed.order))


@pytest.mark.parametrize("apart", [True, False])
@pytest.mark.parametrize("alone", [True, False])
def test_the_same_plan_without_matrices(alone: bool, apart: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = mixed(120, alone, apart)
    plans = []
    for limit in (2_000, 0):
        monkeypatch.setattr(data, "MATRIX_LIMIT", limit)
        result = make("ruin_recreate").solve(problem, MaxIterations(2_000), seed=1)
        report = check(problem, result.solution)
        assert report.feasible
        assert report.cost.total == result.cost
        plans.append(result.solution)
    assert plans[0] == plans[1]
