"""Small problems solved to proven optimality by CP-SAT: one circuit per vehicle, loads and times along its arcs."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import pairwise

from ortools.sat.python import cp_model

from solvers.cp_sat import search
from solvers.itinerary import earliest_start, latest_return, leg_function
from solvers.ortools_parts import possible_visits
from solvers.problem import Problem
from solvers.solution import Route
from solvers.travel import IntArray


@dataclass(frozen=True, slots=True)
class Exact:
    """The best routes found, their cost with the penalties of visits left out, and whether both are proven."""

    routes: tuple[Route, ...]
    objective: int
    proven: bool


def solve_exactly(
    problem: Problem, usable: list[int], penalty: IntArray, work: float, seconds: float | None, seed: int
) -> Exact | None:
    """Search with `work` units of deterministic time (and `seconds`, if given); None if nothing was found.

    `usable` are the vehicle types worth a circuit, `penalty` (n,) what each visit costs that is left out.
    """
    model = _Model(problem, usable, penalty)
    solver = search(model.model, work, seconds, seed)
    if solver is None:
        return None
    routes = tuple(r for v in range(len(model.kinds)) if (r := model.route(v, solver)).visits)
    return Exact(routes, round(solver.objective_value), solver.response_proto.status == cp_model.OPTIMAL)


class _Model:
    """Visits are nodes 1 to n of each vehicle's circuit, its depots together node 0."""

    def __init__(self, problem: Problem, usable: list[int], penalty: IntArray) -> None:
        self.problem, self.model = problem, cp_model.CpModel()
        t, n = problem.vehicle_types, problem.num_visits
        self.kinds = [k for k in usable for _ in range(min(int(t.count[k]), n))]
        self.serves: list[dict[int, cp_model.IntVar]] = []
        self.arcs: list[dict[tuple[int, int], cp_model.IntVar]] = []
        self.used: list[cp_model.IntVar] = []
        self.costs: list[cp_model.LinearExprT] = []
        for kind in self.kinds:
            self._circuit(kind)
        for visit in range(n):
            left_out = self.model.new_bool_var("")
            self.costs.append(int(penalty[visit]) * left_out)
            self.model.add_exactly_one([left_out, *(s[visit] for s in self.serves if visit in s)])
        self._order_equal_vehicles()
        self._loads()
        if problem.features & {"time_windows", "release_times", "max_duration", "time_costs"}:
            self._times()
        self.model.minimize(cp_model.LinearExpr.sum(self.costs))

    def _leg(self, kind: int, i: int, j: int) -> tuple[int, int]:
        t, depots = self.problem.vehicle_types, self.problem.num_depots
        start = int(t.start_depot[kind]) if i == 0 else depots + i - 1
        end = int(t.end_depot[kind]) if j == 0 else depots + j - 1
        return leg_function(self.problem, int(t.profile[kind]))(start, end)

    def _circuit(self, kind: int) -> None:
        t, model = self.problem.vehicle_types, self.model
        able = possible_visits(self.problem, [kind])
        nodes = [0, *(v + 1 for v in able)]
        used = model.new_bool_var("")
        serves = {v: model.new_bool_var("") for v in able}
        arcs = {(i, j): model.new_bool_var("") for i in nodes for j in nodes if i != j}
        loops = [(0, 0, ~used), *((v + 1, v + 1, ~s) for v, s in serves.items())]
        for served in serves.values():
            model.add_implication(served, used)  # no circuit past the depot
        model.add_circuit([*((i, j, x) for (i, j), x in arcs.items()), *loops])
        length = cp_model.LinearExpr.weighted_sum(
            list(arcs.values()), [self._leg(kind, i, j)[0] for i, j in arcs]
        )
        if t.max_distance[kind] < 2**60:
            model.add(length <= int(t.max_distance[kind]))
        self.costs.append(int(t.distance_cost[kind]) * length + int(t.fixed_cost[kind]) * used)
        self.used.append(used)
        self.serves.append(serves)
        self.arcs.append(arcs)

    def _order_equal_vehicles(self) -> None:
        """Vehicles of a type in the order of their lowest visits: each plan then appears once."""
        of_type: dict[int, list[int]] = defaultdict(list)
        for vehicle, kind in enumerate(self.kinds):
            of_type[kind].append(vehicle)
        for vehicles in of_type.values():
            for before, after in pairwise(vehicles):
                self.model.add_implication(self.used[after], self.used[before])
                for visit, served in self.serves[after].items():
                    lower = [s for v, s in self.serves[before].items() if v < visit]
                    self.model.add_bool_or([*lower, ~served])

    def _loads(self) -> None:
        problem, model = self.problem, self.model
        v = problem.visits
        for dim in range(problem.num_load_dimensions):
            gives = [int(a) for a in v.delivery[:, dim]]
            takes = [int(a) for a in v.pickup[:, dim]]
            most = sum(gives) + sum(takes)
            after = [model.new_int_var(0, most, "") for _ in gives] if any(takes) else []
            for kind, serves, arcs in zip(self.kinds, self.serves, self.arcs, strict=True):
                capacity = int(problem.vehicle_types.capacity[kind, dim])
                given = cp_model.LinearExpr.weighted_sum(list(serves.values()), [gives[i] for i in serves])
                model.add(given <= capacity)
                if not after:
                    continue
                for visit, served in serves.items():
                    model.add(after[visit] <= capacity).only_enforce_if(served)
                for (i, j), x in arcs.items():
                    if j == 0:
                        continue
                    change = takes[j - 1] - gives[j - 1]
                    on_board = given if i == 0 else after[i - 1]
                    model.add(after[j - 1] == on_board + change).only_enforce_if(x)

    def _times(self) -> None:
        problem, model = self.problem, self.model
        v, t = problem.visits, problem.vehicle_types
        durations = [
            self._leg(k, *arc)[1] for k, arcs in zip(self.kinds, self.arcs, strict=True) for arc in arcs
        ]
        longest = max(durations, default=0)
        opens = [earliest_start(problem, k) for k in self.kinds]
        begin = max([0, *opens, *v.tw[:, 0].tolist(), *v.release.tolist()])
        horizon = begin + int(v.service.sum()) + (problem.num_visits + 2) * longest + 1
        starts = []
        for earliest, latest in v.tw.tolist():
            starts.append(model.new_int_var(earliest, min(latest, horizon), ""))
        for kind, earliest, serves, arcs, used in zip(
            self.kinds, opens, self.serves, self.arcs, self.used, strict=True
        ):
            leave = model.new_int_var(earliest, horizon, "")
            home = model.new_int_var(min(0, earliest), horizon + longest, "")
            model.add(home <= min(latest_return(problem, kind), horizon + longest)).only_enforce_if(used)
            for visit, served in serves.items():
                if v.release[visit]:
                    model.add(leave >= int(v.release[visit])).only_enforce_if(served)
            for (i, j), x in arcs.items():
                ready = leave if i == 0 else starts[i - 1] + int(v.service[i - 1])
                arrival = home if j == 0 else starts[j - 1]
                model.add(arrival >= ready + self._leg(kind, i, j)[1]).only_enforce_if(x)
            lasts = model.new_int_var(0, horizon + longest, "")
            model.add(lasts >= home - leave).only_enforce_if(used)
            if t.max_duration[kind] < 2**60:
                model.add(lasts <= int(t.max_duration[kind]))
            self.costs.append(int(t.time_cost[kind]) * lasts)

    def route(self, vehicle: int, solver: cp_model.CpSolver) -> Route:
        follow = {i: j for (i, j), x in self.arcs[vehicle].items() if solver.value(x)}
        visits, node = [], follow.get(0, 0)
        while node:
            visits.append(node - 1)
            node = follow[node]
        return Route(self.kinds[vehicle], tuple(visits))
