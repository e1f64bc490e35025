"""Adapter to VROOM (through pyvroom), https://vroom-project.org."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np

from solvers.check import check
from solvers.features import require
from solvers.interrupts import interrupts_noted
from solvers.itinerary import earliest_start, latest_return
from solvers.ortools_parts import need_of, servable_visits, usable_types
from solvers.peers.common import PeerFailedError, Report, matrices, need
from solvers.problem import Problem
from solvers.result import OnBest, Result
from solvers.solution import Route, Solution
from solvers.stop import Stop
from solvers.travel import IntArray

_HORIZON = 2**31  # VROOM holds times in 32 bits


class VroomSolver:
    """VROOM at a fixed exploration level (0 to 5), one thread.

    The seed has no effect: what VROOM leaves to chance is the direction of a route that costs the same either way
    and which of several like vehicles drives it, and both are set here. Of `stop` only the time limit is heeded. A
    start is not used, but the result is never worse than it.
    """

    name = "vroom"
    features = frozenset(
        {
            "capacities",
            "pickups",
            "time_windows",
            "multi_depot",
            "heterogeneous_fleet",
            "fixed_costs",
            "max_distance",
            "skills",
            "profiles",
            "priorities",
        }
    )

    def __init__(self, exploration: int = 5) -> None:
        self._vroom = need("vroom")
        self.exploration = exploration

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
        usable = usable_types(problem)
        visits = servable_visits(problem, usable)
        if not visits:
            return report.result((), start, 0, on_best)
        most = np.minimum(problem.vehicle_types.count, len(visits))
        fleet = np.minimum(most, need_of(problem, visits))
        tables = matrices(problem)
        with interrupts_noted(report.interrupt):  # it cannot be halted, but what it then ends with is kept
            while True:
                routes, unassigned = self._once(problem, visits, usable, fleet, tables, stop.max_runtime_s)
                late = stop.max_runtime_s is not None and report.elapsed() > 0.5 * stop.max_runtime_s
                if not unassigned or (fleet == most).all() or late or report.interrupted:
                    return report.result(routes, start, 1, on_best)
                fleet = np.minimum(most, 2 * fleet)

    def _once(
        self,
        problem: Problem,
        visits: list[int],
        usable: list[int],
        fleet: Any,
        tables: Any,
        seconds: float | None,
    ) -> tuple[list[Route], bool]:
        """Routes, and whether VROOM left visits out."""
        vroom, v, t = self._vroom, problem.visits, problem.vehicle_types
        model = vroom.Input()
        names: dict[tuple[int, int], str] = {}
        for kind in usable:
            key = int(t.profile[kind]), int(t.distance_cost[kind])
            if key in names:
                continue
            names[key] = f"profile {len(names)}"
            distance, duration = tables[key[0]]
            model.set_durations_matrix(names[key], _held(duration))
            model.set_distances_matrix(names[key], _held(distance))
            model.set_costs_matrix(names[key], _held(distance * key[1]))
        levels = np.unique(v.priority).tolist()
        for visit in visits:
            skills = int(v.skills[visit])
            opens, closes = (int(np.clip(x, 0, _HORIZON)) for x in v.tw[visit])
            model.add_job(
                vroom.Job(
                    id=visit,
                    location=problem.num_depots + visit,
                    default_service=int(v.service[visit]),
                    delivery=vroom.Amount(v.delivery[visit].tolist()),
                    pickup=vroom.Amount(v.pickup[visit].tolist()),
                    skills={b for b in range(64) if skills >> b & 1},
                    priority=min(100, levels.index(int(v.priority[visit]))),
                    time_windows=[vroom.TimeWindow(opens, closes)],
                )
            )
        kinds: list[int] = []
        for kind in usable:
            depots = int(t.start_depot[kind]), int(t.end_depot[kind])
            opens, closes = earliest_start(problem, kind), min(_HORIZON, latest_return(problem, kind))
            limit = int(t.max_distance[kind])
            skills = int(t.skills[kind])
            for _ in range(int(fleet[kind])):
                model.add_vehicle(
                    vroom.Vehicle(
                        id=len(kinds),
                        start=depots[0],
                        end=depots[1],
                        profile=names[int(t.profile[kind]), int(t.distance_cost[kind])],
                        capacity=vroom.Amount(t.capacity[kind].tolist()),
                        skills={b for b in range(64) if skills >> b & 1},
                        time_window=vroom.TimeWindow(opens, closes),
                        costs=vroom.VehicleCosts(fixed=int(t.fixed_cost[kind])),
                        max_distance=min(limit, 2**32 - 1),
                    )
                )
                kinds.append(kind)
        timeout = None if seconds is None else timedelta(seconds=seconds)
        try:
            solution = model.solve(exploration_level=self.exploration, nb_threads=1, timeout=timeout)
        except vroom._vroom.VroomInputException as error:
            raise PeerFailedError(f"VROOM: {error}") from None
        steps = solution.routes
        jobs = steps[steps["type"] == "job"]
        routes = [
            directed(problem, Route(kinds[int(vehicle)], tuple(int(job) for job in rows["id"])))
            for vehicle, rows in jobs.groupby("vehicle_id")
        ]
        routes.sort(key=lambda route: (route.vehicle_type, route.visits))
        return routes, len(jobs) < len(visits)


def _held(table: IntArray) -> IntArray:
    """The legs as VROOM can hold them; what stands on the diagonal is none. Raises `PeerFailedError`."""
    legs = table.copy()
    np.fill_diagonal(legs, 0)
    if legs.max(initial=0) >= 2**32:
        raise PeerFailedError(f"VROOM holds numbers in 32 bits, a leg has {legs.max()}: choose larger units")
    return legs


def directed(problem: Problem, route: Route) -> Route:
    """The route, or the same driven backwards if that costs the same and comes first in the order of visits."""
    back = Route(route.vehicle_type, route.visits[::-1])
    if back.visits >= route.visits:
        return route
    there, here = (check(problem, Solution((each,))) for each in (route, back))
    return back if not here.violations and here.cost.total == there.cost.total else route
