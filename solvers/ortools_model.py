"""One OR-Tools routing model: some visits, some vehicles, every constraint of the problem between them.

Nothing here decides what to search for; `solvers/ortools_routing.py` does.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from google.protobuf import text_format  # type: ignore[import-untyped]
from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from solvers.itinerary import earliest_start, latest_return
from solvers.problem import UNLIMITED, Problem
from solvers.solution import Route
from solvers.travel import IntArray, distances

Routes = tuple[Route, ...]
OnRoutes = Callable[[Routes], None]

_FIRST = routing_enums_pb2.FirstSolutionStrategy
_META = routing_enums_pb2.LocalSearchMetaheuristic
_ON = 3  # BOOL_TRUE of the operator switches
_NEAR = 0.0005  # solutions within this share of the best are worth watching

# ruin-and-recreate within OR-Tools: slack induction by string removals (Christiaens & Vanden Berghe 2020)
_ITERATED = """
perturbation_strategy: RUIN_AND_RECREATE
ruin_recreate_parameters {{
  ruin_strategies {{
    sisr {{ max_removed_sequence_size: 10 avg_num_removed_visits: {removed} bypass_factor: 0.01 }}
  }}
  ruin_composition_strategy: RUN_ALL_SEQUENTIALLY
  recreate_strategy {{ heuristic: LOCAL_CHEAPEST_INSERTION }}
  route_selection_neighbors_ratio: 1 route_selection_min_neighbors: 20 route_selection_max_neighbors: 100
}}
improve_perturbed_solution: false
reference_solution_acceptance_strategy {{
  simulated_annealing {{
    cooling_schedule_strategy: EXPONENTIAL
    initial_temperature: {hot} final_temperature: {cold} automatic_temperatures: false
  }}
}}
best_solution_acceptance_strategy {{ greedy_descent {{}} }}
"""

_LNS_OPERATORS = (
    "use_global_cheapest_insertion_close_nodes_lns",
    "use_local_cheapest_insertion_close_nodes_lns",
    "use_global_cheapest_insertion_path_lns",
    "use_local_cheapest_insertion_path_lns",
    "use_local_cheapest_insertion_expensive_chain_lns",
)


@dataclass(frozen=True, slots=True)
class Budget:
    """How long one search may take: accepted solutions (reproducible) and, if any, seconds."""

    solutions: int
    seconds: float | None = None


def travel_between(problem: Problem, profile: int, nodes: IntArray) -> tuple[IntArray, IntArray]:
    """Distances and durations among `nodes`, as two (k, k) arrays; no larger one is made."""
    travel = problem.travel[profile]
    if travel.distance is not None and travel.duration is not None:
        block = np.ix_(nodes, nodes)
        return travel.distance[block], travel.duration[block]
    assert problem.coords is not None
    xy = problem.coords[nodes]
    distance = distances(travel, xy, xy)
    if travel.duration_per_distance == 1.0:
        return distance, distance
    return distance, np.rint(distance * travel.duration_per_distance).astype(np.int64)


class Model:
    """Routing model over `visits` and one vehicle per entry of `vehicles` (vehicle types).

    Every visit may be left out at its penalty. Visits that no given vehicle has the skills for must not be
    passed in.
    """

    def __init__(
        self, problem: Problem, visits: Sequence[int], vehicles: Sequence[int], penalty: IntArray
    ) -> None:
        self.problem, self.visits, self.vehicles = problem, list(visits), list(vehicles)
        self._kinds = sorted(set(self.vehicles))
        t = problem.vehicle_types
        depots = sorted({int(d[k]) for k in self._kinds for d in (t.start_depot, t.end_depot)})
        self._local = {depot: i for i, depot in enumerate(depots)}
        self._nodes = np.array([*depots, *(problem.num_depots + v for v in self.visits)], dtype=np.int64)
        starts = [self._local[int(t.start_depot[k])] for k in self.vehicles]
        ends = [self._local[int(t.end_depot[k])] for k in self.vehicles]
        self._manager = pywrapcp.RoutingIndexManager(len(self._nodes), len(self.vehicles), starts, ends)
        self._routing = pywrapcp.RoutingModel(self._manager)
        self._index = {v: self._manager.NodeToIndex(len(depots) + i) for i, v in enumerate(self.visits)}
        self._add_costs()
        self._add_loads()
        self._add_distance_limits()
        self._add_times()
        self._add_skills()
        for v in self.visits:
            self._routing.AddDisjunction([self._index[v]], int(penalty[v]))
        self._watch: OnRoutes | None = None
        self._best: int | None = None
        # OR-Tools' C++ side holds the callback: were this model reachable from it, neither would ever be freed.
        this = weakref.ref(self)

        def seen() -> None:
            model = this()
            if model is not None:
                model._seen()

        self._routing.AddAtSolutionCallback(seen)

    @cached_property
    def _travel(self) -> dict[int, tuple[IntArray, IntArray]]:
        profiles = {int(self.problem.vehicle_types.profile[k]) for k in self._kinds}
        between = {p: travel_between(self.problem, p, self._nodes) for p in profiles}
        for table in (table for tables in between.values() for table in tables):
            # only a vehicle that stays where it is goes from start to end; OR-Tools holds it to its limits too
            table[: len(self._local), : len(self._local)] = 0
        return between

    def _of_type(self, kind: int) -> tuple[IntArray, IntArray]:
        return self._travel[int(self.problem.vehicle_types.profile[kind])]

    def _column(self, values: IntArray) -> list[int]:
        """A value per model node: 0 at depots, the visits' own elsewhere."""
        return [0] * len(self._local) + [int(x) for x in values[self.visits]]

    def _per_vehicle(self, make: Callable[[int], int]) -> list[int]:
        """One evaluator per vehicle, made once per type."""
        made = {kind: make(kind) for kind in self._kinds}
        return [made[kind] for kind in self.vehicles]

    def _add_costs(self) -> None:
        t = self.problem.vehicle_types
        matrices: dict[tuple[int, int], int] = {}

        def evaluator(kind: int) -> int:
            key = int(t.profile[kind]), int(t.distance_cost[kind])
            if key not in matrices:
                costs = self._of_type(kind)[0] * key[1]
                matrices[key] = self._routing.RegisterTransitMatrix(costs.tolist())
            return matrices[key]

        for vehicle, index in enumerate(self._per_vehicle(evaluator)):
            self._routing.SetArcCostEvaluatorOfVehicle(index, vehicle)
            self._routing.SetFixedCostOfVehicle(int(t.fixed_cost[self.vehicles[vehicle]]), vehicle)

    def _add_loads(self) -> None:
        problem, routing = self.problem, self._routing
        for dim in range(problem.num_load_dimensions):
            delivery, pickup = (a[:, dim] for a in (problem.visits.delivery, problem.visits.pickup))
            carried = [a for a in (delivery, pickup) if a[self.visits].any()]
            capacity = [int(problem.vehicle_types.capacity[k, dim]) for k in self.vehicles]
            for i, amounts in enumerate(carried):
                column = routing.RegisterUnaryTransitVector(self._column(amounts))
                routing.AddDimensionWithVehicleCapacity(column, 0, capacity, True, f"load {dim} {i}")
            if len(carried) < 2:
                continue
            # the load itself: starts with all deliveries on board, so ends with just the pickups
            column = routing.RegisterUnaryTransitVector(self._column(pickup - delivery))
            routing.AddDimensionWithVehicleCapacity(column, 0, capacity, False, f"load {dim}")
            on_board = routing.GetDimensionOrDie(f"load {dim}")
            picked = routing.GetDimensionOrDie(f"load {dim} 1")
            for vehicle in range(len(self.vehicles)):
                end = routing.End(vehicle)
                routing.solver().Add(on_board.CumulVar(end) == picked.CumulVar(end))

    def _add_distance_limits(self) -> None:
        limits = [int(self.problem.vehicle_types.max_distance[k]) for k in self.vehicles]
        if min(limits) >= UNLIMITED:
            return
        columns = self._per_vehicle(
            lambda kind: self._routing.RegisterTransitMatrix(self._of_type(kind)[0].tolist())
        )
        self._routing.AddDimensionWithVehicleTransitAndCapacity(columns, 0, limits, True, "distance")

    def _add_times(self) -> None:
        problem, routing = self.problem, self._routing
        if not problem.features & {"time_windows", "release_times", "max_duration", "time_costs"}:
            return
        v, t = problem.visits, problem.vehicle_types
        service = np.array(self._column(v.service), dtype=np.int64)
        longest = max(int(self._of_type(k)[1].max()) for k in self._kinds)
        begins = [earliest_start(problem, k) for k in self.vehicles]
        latest_begin = max([*begins, *v.tw[self.visits, 0].tolist(), *v.release[self.visits].tolist()])
        horizon = latest_begin + int(service.sum()) + (len(self.visits) + 2) * longest + 1
        columns = self._per_vehicle(
            lambda kind: routing.RegisterTransitMatrix((self._of_type(kind)[1] + service[:, None]).tolist())
        )
        routing.AddDimensionWithVehicleTransits(columns, horizon, horizon, False, "time")
        time = routing.GetDimensionOrDie("time")
        for visit, index in self._index.items():
            opens, closes = (int(x) for x in v.tw[visit])
            time.CumulVar(index).SetRange(opens, min(closes, horizon))
            if v.release[visit]:
                time.CumulVar(index).SetMin(int(v.release[visit]) + self._nearest_start(visit))
        for vehicle, kind in enumerate(self.vehicles):
            close = min(latest_return(problem, kind), horizon)
            time.CumulVar(routing.Start(vehicle)).SetRange(begins[vehicle], horizon)
            time.CumulVar(routing.End(vehicle)).SetRange(0, max(close, 0))
            if t.time_cost[kind]:
                time.SetSpanCostCoefficientForVehicle(int(t.time_cost[kind]), vehicle)
            if t.max_duration[kind] < horizon:
                time.SetSpanUpperBoundForVehicle(int(t.max_duration[kind]), vehicle)
        if v.release[self.visits].any():
            self._add_releases(time, horizon)

    def _nearest_start(self, visit: int) -> int:
        """Travel time from the nearest start depot."""
        starts = {
            kind: self._local[int(self.problem.vehicle_types.start_depot[kind])] for kind in self._kinds
        }
        node = len(self._local) + self.visits.index(visit)
        return min(int(self._of_type(kind)[1][start, node]) for kind, start in starts.items())

    def _add_releases(self, time: Any, horizon: int) -> None:
        """A level that stays the same along a route, is no lower than any release, and the start waits for."""
        routing = self._routing
        zero = routing.RegisterUnaryTransitVector([0] * len(self._nodes))
        routing.AddDimension(zero, 0, horizon, False, "ready")
        ready = routing.GetDimensionOrDie("ready")
        for visit, index in self._index.items():
            ready.CumulVar(index).SetMin(int(self.problem.visits.release[visit]))
        for vehicle in range(len(self.vehicles)):
            start = routing.Start(vehicle)
            routing.solver().Add(time.CumulVar(start) >= ready.CumulVar(start))

    def _add_skills(self) -> None:
        skills = self.problem.vehicle_types.skills
        for visit, index in self._index.items():
            needs = int(self.problem.visits.skills[visit])
            able = [i for i, k in enumerate(self.vehicles) if not needs & ~int(skills[k])]
            if not able:
                raise ValueError(f"no vehicle of the model has the skills of visit {visit}")
            if len(able) < len(self.vehicles):
                # SetAllowedVehiclesForIndex cannot be called from Python in OR-Tools 9.15; -1 is «left out»
                self._routing.VehicleVar(index).SetValues([-1, *able])

    def _typical_leg_cost(self) -> float:
        t = self.problem.vehicle_types
        costs = []
        for kind in self._kinds:
            distance, duration = self._of_type(kind)
            costs.append(float((distance * t.distance_cost[kind] + duration * t.time_cost[kind]).mean()))
        return max(1.0, sum(costs) / len(costs))

    def _parameters(self, budget: Budget) -> Any:
        p = pywrapcp.DefaultRoutingSearchParameters()
        p.first_solution_strategy = _FIRST.LOCAL_CHEAPEST_INSERTION
        p.solution_limit = budget.solutions
        seconds = budget.seconds
        if seconds is None:
            # Far beyond what the solutions take. OR-Tools counts only solutions that pass its full check, and
            # would go on for ever where recreation yields none; then the best found stays what it is.
            seconds = 2.0 + 0.01 * budget.solutions * max(1.0, len(self.visits) / 50)
        p.time_limit.FromMilliseconds(max(1, int(seconds * 1000)))
        return p

    def first(self, budget: Budget) -> Routes | None:
        """Routes by cheapest insertion, as they come."""
        return self._routes(self._routing.SolveWithParameters(self._parameters(replace(budget, solutions=1))))

    def anneal(
        self, budget: Budget, hot: float, removed: int, watch: OnRoutes | None = None
    ) -> Routes | None:
        """Build from nothing, then ruin and recreate under annealing from `hot` mean leg costs down to hot/50.

        `watch` is told the routes of each solution that comes near the best so far.
        """
        p = self._parameters(budget)
        p.use_iterated_local_search = True
        temperature = hot * self._typical_leg_cost()
        p.iterated_local_search_parameters.Clear()
        text_format.Parse(
            _ITERATED.format(removed=removed, hot=temperature, cold=temperature / 50),
            p.iterated_local_search_parameters,
        )
        self._watch = watch
        return self._routes(self._routing.SolveWithIteratedLocalSearch(p))

    def improve(self, routes: Sequence[Sequence[int]], budget: Budget) -> Routes | None:
        """Guided local search with large-neighbourhood operators from `routes`, one per vehicle of the model."""
        p = self._parameters(budget)
        p.local_search_metaheuristic = _META.GUIDED_LOCAL_SEARCH
        for name in _LNS_OPERATORS:
            setattr(p.local_search_operators, name, _ON)
        self._routing.CloseModelWithParameters(p)
        plan = [[self._index[v] for v in route] for route in routes]
        start = self._routing.ReadAssignmentFromRoutes(plan, True)
        if start is None:
            return None
        return self._routes(self._routing.SolveFromAssignmentWithParameters(start, p))

    def _seen(self) -> None:
        if self._watch is None:
            return
        cost = self._routing.CostVar().Min()
        if self._best is None or cost < self._best * (1 + _NEAR):
            self._best = cost if self._best is None else min(self._best, cost)
            self._watch(self._read(lambda index: int(self._routing.NextVar(index).Value())))

    def _routes(self, assignment: Any) -> Routes | None:
        if assignment is None:
            return None
        return self._read(lambda index: int(assignment.Value(self._routing.NextVar(index))))

    def _read(self, follow: Callable[[int], int]) -> Routes:
        visit_of = {index: visit for visit, index in self._index.items()}
        routes = []
        for vehicle, kind in enumerate(self.vehicles):
            visits, index = [], follow(self._routing.Start(vehicle))
            while not self._routing.IsEnd(index):
                visits.append(visit_of[index])
                index = follow(index)
            if visits:
                routes.append(Route(kind, tuple(visits)))
        return tuple(routes)
