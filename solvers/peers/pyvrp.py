"""Adapter to PyVRP (iterated local search), https://pyvrp.org."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.features import CLASSIC, require
from solvers.ortools_parts import servable_visits, usable_types
from solvers.peers.common import Report, matrices, need
from solvers.problem import UNLIMITED, Problem
from solvers.result import OnBest, Result
from solvers.solution import Route, Solution
from solvers.stop import Progress, Stop

_FORBIDDEN = 10**9  # distance and duration of an arc that a vehicle type may not take


class PyvrpSolver:
    """PyVRP at its default parameters. Skills are forbidden arcs; infeasible routes it ends with are dropped.

    `on_best` hears only of the final solution, the history has the cost of every new best.
    """

    name = "pyvrp"
    features = CLASSIC - {"priorities"}

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
        visits = servable_visits(problem, usable_types(problem))
        if not visits:
            return report.result((), start, 0, on_best)
        data = self._data(problem, visits)
        monitor, seen = stop.monitor(), _Seen()

        def ended(best_cost: float) -> bool:
            if best_cost < seen.best and best_cost < 2**62:
                seen.best, seen.at = int(best_cost), seen.iterations
                report.history.append((report.elapsed(), seen.best + seen.shift, 0))
            best = None if seen.best >= 2**62 else seen.best
            done = monitor(Progress(seen.iterations, seen.iterations - seen.at, best))
            seen.iterations += 1
            return done

        initial = None
        position = {v: i for i, v in enumerate(visits)}
        if start is not None and start.routes:
            routes = [
                ([position[v] for v in r.visits if v in position], r.vehicle_type) for r in start.routes
            ]
            made = [self._pyvrp.Route(data, indices, kind) for indices, kind in routes if indices]
            initial = self._pyvrp.Solution(data, made)
        seen.shift = _prizes_beyond(problem, visits)
        found = self._pyvrp.solve(data, ended, seed=seed, collect_stats=False, initial_solution=initial)
        routes_found = [
            Route(route.vehicle_type(), tuple(visits[a.idx] for a in route if a.is_client()))
            for route in found.best.routes()
        ]
        return report.result(routes_found, start, max(0, seen.iterations - 1), on_best)

    def _data(self, problem: Problem, visits: list[int]) -> Any:
        pyvrp, v, t = self._pyvrp, problem.visits, problem.vehicle_types
        nodes = np.array([*range(problem.num_depots), *(problem.num_depots + i for i in visits)])
        xy = np.zeros((problem.num_nodes, 2)) if problem.coords is None else problem.coords
        most = 2**62

        def end(value: int) -> int:
            return most if value >= UNLIMITED else int(value)

        clients = [
            pyvrp.Client(
                location=problem.num_depots + i,
                delivery=v.delivery[visit].tolist(),
                pickup=v.pickup[visit].tolist(),
                service_duration=int(v.service[visit]),
                tw_early=int(v.tw[visit, 0]),
                tw_late=end(v.tw[visit, 1]),
                release_time=int(v.release[visit]),
                prize=int(v.prize[visit]),
                required=bool(v.required[visit]),
            )
            for i, visit in enumerate(visits)
        ]
        tables, profiles = self._profiles(problem, nodes)
        types = [
            pyvrp.VehicleType(
                num_available=max(1, min(int(t.count[k]), len(visits))),
                capacity=t.capacity[k].tolist(),
                start_depot=int(t.start_depot[k]),
                end_depot=int(t.end_depot[k]),
                fixed_cost=int(t.fixed_cost[k]),
                tw_early=int(max(t.shift[k, 0], 0)),
                tw_late=end(t.shift[k, 1]),
                shift_duration=end(t.max_duration[k]),
                max_distance=end(t.max_distance[k]),
                unit_distance_cost=int(t.distance_cost[k]),
                unit_duration_cost=int(t.time_cost[k]),
                profile=profiles[k],
            )
            for k in range(len(t.count))
        ]
        return pyvrp.ProblemData(
            locations=[pyvrp.Location(x=float(x), y=float(y)) for x, y in xy[nodes]],
            clients=clients,
            depots=[
                pyvrp.Depot(location=d, tw_early=int(max(opens, 0)), tw_late=end(closes))
                for d, (opens, closes) in enumerate(problem.depots.tw)
            ],
            vehicle_types=types,
            distance_matrices=[distance for distance, _ in tables],
            duration_matrices=[duration for _, duration in tables],
        )

    def _profiles(self, problem: Problem, nodes: Any) -> tuple[list[tuple[Any, Any]], list[int]]:
        """Matrices per travel profile and skill set that needs its own; the profile of each vehicle type."""
        whole, block = matrices(problem), np.ix_(nodes, nodes)
        t = problem.vehicle_types
        tables: list[tuple[Any, Any]] = []
        made: dict[tuple[int, bytes], int] = {}
        needs = problem.visits.skills[nodes[problem.num_depots :] - problem.num_depots]
        profiles = []
        for kind in range(len(t.count)):
            barred = np.flatnonzero(needs & ~t.skills[kind]) + problem.num_depots
            key = int(t.profile[kind]), barred.tobytes()
            if key not in made:
                pair = [table[block].copy() for table in whole[key[0]]]
                for table in pair:
                    table[:, barred] = table[barred, :] = _FORBIDDEN
                    np.fill_diagonal(table, 0)
                made[key] = len(tables)
                tables.append((pair[0], pair[1]))
            profiles.append(made[key])
        return tables, profiles


class _Seen:
    """State of one run's stop."""

    best: int = 2**62
    shift: int = 0
    iterations: int = 0
    at: int = 0


def _prizes_beyond(problem: Problem, visits: list[int]) -> int:
    """Prizes of optional visits that PyVRP is not told of, because nothing can serve them."""
    lost = np.ones(problem.num_visits, dtype=bool)
    lost[visits] = False
    return int(problem.visits.prize[lost & ~problem.visits.required].sum())
