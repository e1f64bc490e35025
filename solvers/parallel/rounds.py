"""A round of the portfolio: one call of one solver, and what it brings."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from solvers.problem import Problem
from solvers.registry import listen, make
from solvers.result import Incumbent, Result
from solvers.solution import Route, Solution
from solvers.stop import FirstOf, MaxRuntime, Monitor, Progress, Stop

IDLE_S = 300.0  # a worker process that has had nothing to do for so long ends
REPORT_S = 0.25  # least time between two incumbents reported, and a hundredth of the time gone


@dataclass(frozen=True)
class Round:
    """One call of a solver.

    stop      when the solver ends by itself
    until     moment (`time.time()`) at which it ends at the latest, None for no such bound
    live      report incumbents while it runs
    hears     take in solutions of others while it runs, see `registry.listen`
    keep      bound on the routes sent back
    """

    solver: str
    parameters: dict[str, Any]
    stop: Stop
    until: float | None
    seed: int
    start: Solution | None
    live: bool
    keep: int
    hears: bool = False


@dataclass(frozen=True)
class Finished:
    """What a round brought: the result, the latest routes of its incumbents, its process's time at work so far."""

    result: Result[Solution]
    routes: list[Route]
    processor_s: float


@dataclass(frozen=True)
class Halt:
    """A stop that asks whether somebody else wants the run to end."""

    asked: Callable[[], bool]

    max_runtime_s: float | None = None
    max_iterations: int | None = None

    def monitor(self) -> Monitor:
        return self._over

    def _over(self, _: Progress) -> bool:
        return self.asked()


def play(
    problem: Problem,
    wanted: Round,
    halted: Callable[[], bool],
    report: Callable[[Incumbent[Solution]], object],
    arrivals: Callable[[], Solution | None] | None = None,
) -> Finished:
    """Do the round; `report` is told of incumbents now and then if it is live, `arrivals` asked if it hears."""
    met: dict[Route, None] = {}
    began, last = time.monotonic(), -math.inf

    def on_best(best: Incumbent[Solution]) -> None:
        nonlocal last
        for route in best.solution.routes:
            met.pop(route, None)
            met[route] = None
        if len(met) > 2 * wanted.keep:
            for route in list(met)[: -wanted.keep]:
                del met[route]
        now = time.monotonic()
        if wanted.live and now - last >= max(REPORT_S, 0.01 * (now - began)):
            last = now
            report(best)

    stop: Stop = FirstOf((wanted.stop, Halt(halted)))
    if wanted.until is not None:
        stop = FirstOf((stop, MaxRuntime(max(0.01, wanted.until - time.time()))))
    solver = make(wanted.solver, wanted.parameters)
    if wanted.hears and arrivals is not None:
        listen(solver, arrivals)
    result = solver.solve(problem, stop, seed=wanted.seed, start=wanted.start, on_best=on_best)
    return Finished(result, list(met)[-wanted.keep :], time.process_time())
