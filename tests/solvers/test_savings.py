"""The savings solver: what ends its descent, and that batches do what one long descent does."""

from __future__ import annotations

import os
import signal
import threading
import time

import numpy as np
import pytest

from solvers import (
    Incumbent,
    MaxIterations,
    MaxRuntime,
    NoImprovement,
    Problem,
    ProblemBuilder,
    Solution,
    make,
)
from solvers.check import check
from solvers.kernels.data import pack
from solvers.kernels.ruin_recreate import search
from solvers.kernels.run import RuinTuning
from solvers.kernels.session import Session

LONG = {"polish_per_visit": 1e6}


def scattered(visits: int, seed: int = 1) -> Problem:
    rng = np.random.default_rng(seed)
    b = ProblemBuilder()
    b.depot(500, 500)
    for x, y in rng.integers(0, 1000, (visits, 2)):
        b.visit(int(x), int(y), delivery=int(rng.integers(1, 9)), tw=(0, 6000))
    b.vehicle_type(count=visits, capacity=40)
    return b.build()


@pytest.mark.parametrize("iterations", [100, 2048, 7001])
def test_batches_do_what_one_descent_does(iterations: int) -> None:
    problem = scattered(400)
    session = Session(pack(problem, near=30, adjacent=30), 3)
    session.construct()
    tune = RuinTuning(mean_removed=8.0, first_temperature=1e-9, last_temperature=1e-9).array(session)
    search(*session.packed.arrays, session.state, *session.scratch, tune, iterations, 0)
    solver = make("savings", LONG)
    for stop in (MaxIterations(iterations), MaxIterations(iterations) | MaxRuntime(500)):
        found = solver.solve(problem, stop, seed=3)
        assert (found.solution, found.iterations) == (session.best(), iterations)


def test_a_time_limit_ends_the_descent() -> None:
    problem = scattered(300)
    make("savings").solve(problem, MaxIterations(1), seed=1)  # so that all is loaded
    began = time.monotonic()
    found = make("savings", LONG).solve(problem, MaxIterations(4_000_000) | MaxRuntime(0.5), seed=1)
    assert time.monotonic() - began < 5
    assert 0 < found.iterations < 4_000_000
    assert not found.interrupted
    assert check(problem, found.solution).feasible


def test_the_descent_ends_where_nothing_new_is_found() -> None:
    found = make("savings", LONG).solve(scattered(30), NoImprovement(5000), seed=1)
    assert 5000 <= found.iterations < 1_000_000


def test_ctrl_c_keeps_the_best_so_far() -> None:
    problem = scattered(300)
    heard: list[Incumbent[Solution]] = []
    make("savings").solve(problem, MaxIterations(1), seed=1)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()
        found = make("savings", LONG).solve(problem, MaxIterations(4_000_000), seed=1, on_best=heard.append)
    finally:
        signal.signal(signal.SIGINT, before)
    assert found.interrupted
    assert 0 < found.iterations < 4_000_000
    assert check(problem, found.solution).feasible
    assert len(heard) > 1
    assert heard[-1].solution == found.solution
    assert found.history[-1][1] == found.cost < heard[0].cost


def test_no_visits() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.vehicle_type()
    found = make("savings").solve(b.build(), MaxRuntime(5), seed=1)
    assert (found.solution, found.cost, found.iterations) == (Solution(), 0, 0)
