"""Ruins of large problems keep to fields of neighbouring visits, and every visit gets its turn."""

from __future__ import annotations

import numpy as np
import pytest

from solvers import MaxIterations, make
from solvers.check import check
from solvers.kernels import run
from solvers.kernels.data import pack
from solvers.kernels.layout import FIELD, FIELD_FROM
from solvers.kernels.session import Session
from tests.solvers.test_decompose import scattered


@pytest.fixture
def small_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "FIELDS_ABOVE", 200)
    monkeypatch.setattr(run, "FIELD_VISITS", 70)
    monkeypatch.setattr(run, "FIELD_ITERATIONS", 1000)


@pytest.mark.usefixtures("small_fields")
def test_fields_cover_all_visits_many_times() -> None:
    session = Session(pack(scattered(300)), 1)
    ground, met = run._Field(session), np.zeros(300, dtype=np.int64)
    for done in range(0, 100_000, 250):
        ground.move(done, 100_000.0)
        assert session.state[FIELD] == 70
        met[(session.state[FIELD_FROM] + np.arange(70)) % 300] += 1
    assert met.min() > 0.7 * met.mean()
    assert met.min() >= run.SWEEPS


@pytest.mark.usefixtures("small_fields")
def test_short_runs_have_no_fields() -> None:
    session = Session(pack(scattered(300)), 1)
    run._Field(session).move(0, 5_000.0)
    assert session.state[FIELD] == 0


@pytest.mark.usefixtures("small_fields")
def test_results_with_fields_hold_and_repeat() -> None:
    problem = scattered(300)
    once, twice = (make("ruin_recreate").solve(problem, MaxIterations(40_000), seed=2) for _ in range(2))
    start = make("savings").solve(problem, MaxIterations(100), seed=2)
    assert once.solution == twice.solution
    assert check(problem, once.solution).feasible
    assert once.cost < 0.99 * start.cost
