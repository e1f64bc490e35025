"""What the adapters share: importing the other package, travel matrices, and an honest result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from solvers import clock
from solvers.check import check
from solvers.constraints import ROUTE_CONSTRAINTS, known_routes
from solvers.errors import LogisticsError, MissingExtraError
from solvers.problem import Problem
from solvers.result import Incumbent, OnBest, Result
from solvers.schedule import schedule
from solvers.solution import Route, Solution
from solvers.travel import IntArray


class PeerFailedError(LogisticsError):
    """The other project's solver ended without a solution, or refused the problem."""

    code = "peer-failed"


def need(package: str) -> Any:
    """The imported package; raises `MissingExtraError`, naming the extra."""
    try:
        return import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:
            raise
        message = f"the solver needs the package {package}: pip install 'logistics-engine[peers]'"
        raise MissingExtraError(message) from None


def matrices(problem: Problem) -> list[tuple[IntArray, IntArray]]:
    """Distances and durations over all nodes, per profile; both peers need them whole."""
    made = []
    for travel in problem.travel:
        whole = travel if travel.is_matrix or problem.coords is None else travel.materialise(problem.coords)
        assert whole.distance is not None
        assert whole.duration is not None
        made.append((whole.distance, whole.duration))
    return made


def sound_routes(problem: Problem, routes: Sequence[Route]) -> Solution:
    """The routes without violations, no more of a type than it has vehicles, no visit twice."""
    kept: list[Route] = []
    left = np.array(problem.vehicle_types.count)
    served: set[int] = set()
    for route in known_routes(problem, Solution(tuple(routes))).routes:
        if not route.visits or left[route.vehicle_type] == 0 or served & set(route.visits):
            continue
        run = schedule(problem, route)
        if any(True for constraint in ROUTE_CONSTRAINTS for _ in constraint.check(problem, run)):
            continue
        kept.append(route)
        served |= set(route.visits)
        left[route.vehicle_type] -= 1
    return Solution(tuple(kept))


@dataclass
class Report:
    """Collects one run of a peer. `interrupt` is for `interrupts_noted`."""

    problem: Problem
    solver: str
    seed: int
    began: float = field(default_factory=clock.seconds)
    history: list[tuple[float, int, int]] = field(default_factory=list)
    interrupted: bool = False

    def interrupt(self) -> None:
        self.interrupted = True

    def elapsed(self) -> float:
        return clock.seconds() - self.began

    def result(
        self,
        routes: Sequence[Route],
        start: Solution | None,
        iterations: int,
        on_best: OnBest[Solution] | None,
    ) -> Result[Solution]:
        """The better of the peer's sound routes and the start's, by the checker."""
        options = [sound_routes(self.problem, routes)]
        if start is not None:
            options.append(sound_routes(self.problem, start.routes))
        solution = min(options, key=lambda option: check(self.problem, option).rank)
        report = check(self.problem, solution)
        elapsed, last = self.elapsed(), (report.cost.total, len(report.unserved))
        if not self.history or self.history[-1][1:] != last:
            self.history.append((elapsed, *last))
        if on_best is not None:
            on_best(Incumbent(solution, *last, elapsed, iterations))
        return Result(
            status=report.status,
            solution=solution,
            cost=report.cost.total,
            unserved=report.unserved,
            solver=self.solver,
            seed=self.seed,
            iterations=iterations,
            runtime_s=elapsed,
            history=tuple(self.history),
            interrupted=self.interrupted,
        )
