"""Solves beside the simulated clock: submitted when asked for, collected when the clock says they are done."""

from __future__ import annotations

import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from logistics.dispatch.messages import Solve
from solvers import LogisticsError, MaxIterations, Result, Solution, make
from solvers.check import check
from solvers.registry import enough_iterations


class PlanRejectedError(LogisticsError):
    """A solver returned a plan that the independent checker rejects: a defect of that solver."""

    code = "plan-rejected"


@dataclass(frozen=True, slots=True)
class Solved:
    """A solver's answer, checked, with the wall time that it took and the metres driven in it."""

    result: Result[Solution]
    runtime_s: float
    distance_m: int


def solve(command: Solve) -> Solved:
    """Carry out one `Solve` command; raises `PlanRejectedError` if the checker finds a violation."""
    begun = time.perf_counter()
    solver = make(command.solver, command.parameters)
    iterations = command.iterations or enough_iterations(solver, command.problem)
    result = solver.solve(command.problem, MaxIterations(iterations), seed=command.seed)
    report = check(command.problem, result.solution)
    if report.violations:
        listed = "; ".join(str(v.message) for v in report.violations[:3])
        raise PlanRejectedError(f"solver {command.solver!r} on {command.problem.name}: {listed}")
    return Solved(result, time.perf_counter() - begun, sum(r.distance for r in report.routes))


class SolverPool:
    """Runs solves on `jobs` threads: compiled kernels and OR-Tools let go of the interpreter while they run."""

    def __init__(self, jobs: int | None = None) -> None:
        self._pool = ThreadPoolExecutor(max_workers=jobs or os.cpu_count() or 1)
        self.runtime_s = 0.0

    def submit(self, command: Solve) -> Future[Solved]:
        return self._pool.submit(solve, command)

    def collect(self, future: Future[Solved]) -> Solved:
        """The answer, waiting for it if need be; adds its wall time to `runtime_s`."""
        solved = future.result()
        self.runtime_s += solved.runtime_s
        return solved

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
