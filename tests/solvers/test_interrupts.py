"""Ctrl-C and a request to end, where the search is in native code."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from solvers import MaxIterations, MaxRuntime, Problem, ProblemBuilder, make
from solvers.check import check
from solvers.interrupts import interrupts_noted


def raising(number: int, frame: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def handled(number: int, handler: object) -> Iterator[None]:
    before = signal.signal(number, handler)  # type: ignore[arg-type]
    try:
        yield
    finally:
        signal.signal(number, before)


def town() -> Problem:
    rng = np.random.default_rng(1)
    b = ProblemBuilder()
    b.depot(500, 500)
    for x, y in rng.integers(0, 1000, (55, 2)):
        b.visit(int(x), int(y), delivery=int(rng.integers(1, 9)), tw=(0, 6000))
    b.vehicle_type(count=60, capacity=40)
    return b.build()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("name", ["ortools", "pyvrp"])
def test_the_search_ends_with_what_it_has(name: str, number: signal.Signals) -> None:
    if name == "pyvrp":
        pytest.importorskip("pyvrp")
    problem = town()
    make(name).solve(problem, MaxIterations(1), seed=1)  # so that all is loaded
    with handled(number, raising):
        threading.Timer(1.5, os.kill, (os.getpid(), number)).start()
        began = time.monotonic()
        found = make(name).solve(problem, MaxRuntime(60), seed=1)
        assert signal.getsignal(number) is raising
    assert time.monotonic() - began < 30
    assert found.interrupted
    assert check(problem, found.solution).feasible


def test_handlers_that_do_something_else_still_do() -> None:
    heard: list[str] = []
    with (
        handled(signal.SIGTERM, lambda *_: heard.append("own")),
        interrupts_noted(lambda: heard.append("noted")),
    ):
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
    assert heard == ["own", "noted"]


def test_signals_that_are_ignored_or_left_to_the_system_stay_so() -> None:
    ignored, left = handled(signal.SIGINT, signal.SIG_IGN), handled(signal.SIGTERM, signal.SIG_DFL)
    with ignored, left, interrupts_noted(lambda: None):
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_other_threads_hear_nothing() -> None:
    before, seen = signal.getsignal(signal.SIGINT), []

    def inside() -> None:
        with interrupts_noted(lambda: None):
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert seen == [before]
