"""Savings construction: good routes in milliseconds, for thousands of stops and every feature."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from solvers import clock
from solvers.constraints import known_routes
from solvers.features import CLASSIC, require
from solvers.problem import Problem
from solvers.ranges import ANY, SOME, Ranges
from solvers.result import OnBest, Result
from solvers.solution import Solution
from solvers.stop import Started, Stop


class SavingsSolver:
    """Clarke and Wright's savings over neighbour pairs, greedy insertion of the rest, a short descent.

    The descent is a number of ruin-and-recreate iterations at temperature zero, `polish_per_visit` for each
    visit, so that the result depends on the problem and the seed alone, unless `stop` ends it before. The
    construction is compiled as a whole: neither `stop` nor Ctrl-C cuts it short, and Ctrl-C there leaves no
    plan. A start solution takes the place of the savings.
    """

    name = "savings"
    features = CLASSIC | {"backhauls"}
    ablations: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "no descent": {"polish_per_visit": 0.0},
        "a third of the neighbours": {"neighbours": 10},
    }

    ranges: ClassVar[Ranges] = {"polish_per_visit": ANY, "neighbours": SOME}

    def __init__(self, polish_per_visit: float = 4.0, neighbours: int = 30) -> None:
        self.polish_per_visit = polish_per_visit
        self.neighbours = neighbours

    def enough(self, problem: Problem) -> int:
        """Iterations of the whole descent."""
        return int(self.polish_per_visit * problem.num_visits)

    def solve(
        self,
        problem: Problem,
        stop: Stop,
        *,
        seed: int,
        start: Solution | None = None,
        on_best: OnBest[Solution] | None = None,
    ) -> Result[Solution]:
        """See `solvers.registry.Solver`. Ctrl-C during the descent returns the best so far."""
        stop, began = Started(stop), clock.seconds()
        from solvers.kernels.data import pack
        from solvers.kernels.run import Recorder, descend
        from solvers.kernels.session import Session

        require(problem, self.features, self.name)
        session = Session(pack(problem, near=self.neighbours, adjacent=self.neighbours), seed)
        recorder = Recorder(session, problem, began, on_best)
        if start is None:
            session.construct()
        else:
            session.start_from(known_routes(problem, start))
        iterations = self.enough(problem)
        if stop.max_iterations is not None:
            iterations = min(iterations, stop.max_iterations)
        return recorder.result(self.name, seed, descend(session, recorder, stop, iterations))
