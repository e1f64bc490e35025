"""The independent checker: recomputes every constraint and every cost of a solution from the problem.

Plain Python; shares no code with the kernels. Every solution in every test and benchmark goes through it.
"""

from __future__ import annotations

from dataclasses import dataclass

from solvers.constraints import ROUTE_CONSTRAINTS, SOLUTION_CONSTRAINTS, Violation, unknown_references
from solvers.problem import Problem
from solvers.result import Status
from solvers.schedule import Leg, Schedule, leg_function, schedule
from solvers.solution import Route, Solution

__all__ = ["CheckReport", "CostParts", "RouteFigures", "Violation", "check", "cost_of", "schedule"]


@dataclass(frozen=True, slots=True)
class CostParts:
    """The objective, in its parts; integers in cost units."""

    distance: int = 0
    time: int = 0
    fixed: int = 0
    prizes_lost: int = 0

    @property
    def total(self) -> int:
        return self.distance + self.time + self.fixed + self.prizes_lost


@dataclass(frozen=True, slots=True)
class RouteFigures:
    """One route: its run in time, its cost without prizes, and its place in the solution."""

    index: int
    route: Route
    schedule: Schedule
    cost: CostParts

    @property
    def distance(self) -> int:
        return self.schedule.distance

    @property
    def duration(self) -> int:
        return self.schedule.duration

    @property
    def start_time(self) -> int:
        return self.schedule.start_time

    @property
    def end_time(self) -> int:
        return self.schedule.end_time

    @property
    def waiting(self) -> int:
        return self.schedule.waiting

    @property
    def load_peak(self) -> tuple[int, ...]:
        return self.schedule.load_peak


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What the checker found.

    `unserved` are the mandatory visits on no route, `left_out` the optional ones; `routes` has the figures
    of each route that names known visits and a known type. `rank` orders solutions: fewer unserved visits
    of the highest priority first, then of the next, then the cost; only for equal problems.
    """

    violations: tuple[Violation, ...]
    cost: CostParts
    routes: tuple[RouteFigures, ...]
    unserved: tuple[int, ...]
    left_out: tuple[int, ...]
    rank: tuple[int, ...]

    @property
    def feasible(self) -> bool:
        """No constraint is violated and every mandatory visit is served."""
        return not self.violations and not self.unserved

    @property
    def status(self) -> Status:
        """The status of a result that holds this solution, when nothing more is proven."""
        if self.feasible:
            return Status.FEASIBLE
        return Status.INCOMPLETE if self.routes and not self.violations else Status.INFEASIBLE


def cost_of(problem: Problem, run: Schedule) -> CostParts:
    """Cost of one route; an empty one costs nothing."""
    if len(run.nodes) == 2:
        return CostParts()
    t, kind = problem.vehicle_types, run.vehicle_type
    return CostParts(
        distance=int(t.distance_cost[kind]) * run.distance,
        time=int(t.time_cost[kind]) * run.duration,
        fixed=int(t.fixed_cost[kind]),
    )


def check(problem: Problem, solution: Solution) -> CheckReport:
    """Every violation, every cost part and every route's figures of `solution`; raises nothing."""
    violations = list(unknown_references(problem, solution))
    broken = {violation.route for violation in violations}
    known = [(i, r) for i, r in enumerate(solution.routes) if i not in broken]
    legs: dict[int, Leg] = {}
    figures = []
    for index, route in known:
        profile = int(problem.vehicle_types.profile[route.vehicle_type])
        if profile not in legs:
            legs[profile] = leg_function(problem, profile)
        run = schedule(problem, route, legs[profile])
        figures.append(RouteFigures(index, route, run, cost_of(problem, run)))
        if not route.visits:
            continue
        for constraint in ROUTE_CONSTRAINTS:
            for miss in constraint.check(problem, run):
                at = "" if miss.visit is None else f", visit {problem.visits.names[miss.visit]}"
                message = f"route {index}{at}: {miss.what}"
                violations.append(Violation(constraint.code, index, miss.visit, miss.amount, message))
    kept = Solution(tuple(route for _, route in known))
    for rule in SOLUTION_CONSTRAINTS:
        violations += rule.check(problem, kept)

    absent = kept.unserved(problem.num_visits)
    required = problem.visits.required
    unserved = tuple(v for v in absent if required[v])
    left_out = tuple(v for v in absent if not required[v])
    parts = [f.cost for f in figures]
    cost = CostParts(
        distance=sum(p.distance for p in parts),
        time=sum(p.time for p in parts),
        fixed=sum(p.fixed for p in parts),
        prizes_lost=sum(int(problem.visits.prize[v]) for v in left_out),
    )
    levels = sorted({int(p) for p in problem.visits.priority[required]}, reverse=True)
    missed = [int(problem.visits.priority[v]) for v in unserved]
    rank = (*(missed.count(level) for level in levels), cost.total)
    return CheckReport(tuple(violations), cost, tuple(figures), unserved, left_out, rank)
