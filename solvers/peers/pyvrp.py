"""Adapter to PyVRP (iterated local search), https://pyvrp.org."""

from __future__ import annotations

from typing import Any

from solvers.features import CLASSIC, require
from solvers.interrupts import interrupts_noted
from solvers.peers.common import Report, need, sound_routes
from solvers.peers.pyvrp_model import PyvrpModel
from solvers.problem import Problem
from solvers.result import OnBest, Result
from solvers.solution import Solution
from solvers.stop import Progress, Stop


class PyvrpSolver:
    """PyVRP at its default parameters; infeasible routes it ends with are dropped.

    Its bound on penalties is made for a unit of distance that costs 1: it grows with what a unit, or one more
    vehicle, costs, since with a bound that is too low PyVRP finds nothing feasible.

    `on_best` hears only of the final solution, the history has the cost of every new best.
    """

    name = "pyvrp"
    features = (CLASSIC - {"priorities"}) | {
        "backhauls",
        "exclusive_groups",
        "overtime",
        "pickup_delivery",
        "reloads",
        "vehicles_first",
    }

    def __init__(self) -> None:
        self._pyvrp = need("pyvrp")

    def solve(
        self,
        problem: Problem,
        stop: Stop,
        *,
        seed: int,
        start: Solution | None = None,
        on_best: OnBest[Solution] | None = None,
    ) -> Result[Solution]:
        """See `solvers.registry.Solver`. Needs n² matrices."""
        require(problem, self.features, self.name)
        report = Report(problem, self.name, seed)
        model = PyvrpModel(self._pyvrp, problem)
        if not model.visits:
            return report.result((), start, 0, on_best)
        monitor, seen = stop.monitor(), _Seen()

        def ended(best_cost: float) -> bool:
            if best_cost < seen.best and best_cost < 2**62:
                seen.best, seen.at = int(best_cost), seen.iterations
                report.history.append((report.elapsed(), model.cost(seen.best), 0))
            best = None if seen.best >= 2**62 else seen.best
            done = monitor(Progress(seen.iterations, seen.iterations - seen.at, best))
            seen.iterations += 1
            return done or report.interrupted

        initial = None
        if start is not None and start.routes:
            made = [model.to_peer(route) for route in sound_routes(problem, start.routes).routes]
            initial = self._pyvrp.Solution(model.data, [route for route in made if route is not None])
        with interrupts_noted(report.interrupt):
            found = self._pyvrp.solve(
                model.data,
                ended,
                seed=seed,
                collect_stats=False,
                params=self._pyvrp.SolveParams(penalty=self._penalties(problem)),
                initial_solution=initial,
            )
        routes = [model.from_peer(route) for route in found.best.routes()]
        return report.result(routes, start, max(0, seen.iterations - 1), on_best)

    def _penalties(self, problem: Problem) -> Any:
        usual = self._pyvrp.PenaltyParams()
        types = problem.vehicle_types
        unit = max(1, int(types.distance_cost.max()), int(types.time_cost.max()))
        most = max(usual.max_penalty * unit, 2.0 * float(types.fixed_cost.max()))
        return self._pyvrp.PenaltyParams(max_penalty=most)


class _Seen:
    """State of one run's stop."""

    best: int = 2**62
    iterations: int = 0
    at: int = 0
