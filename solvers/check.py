"""The independent checker: recomputes every constraint and every cost of a solution from the problem.

Plain Python; shares no code with the kernels. Every solution in every test and benchmark goes through it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from solvers.battery import battery_of
from solvers.constraints import ROUTE_CONSTRAINTS, SOLUTION_CONSTRAINTS, Violation, unknown_references
from solvers.problem import Objective, Problem
from solvers.result import Result, Status
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
    overtime: int = 0
    lateness: int = 0
    changes: int = 0
    energy: int = 0

    @property
    def total(self) -> int:
        return sum(getattr(self, f.name) for f in fields(self))

    def __add__(self, other: CostParts) -> CostParts:
        return CostParts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))


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

    `unserved` are the mandatory visits on no route, `left_out` the optional ones; a group of alternatives of
    which none is served counts once, by its first member. `routes` has the figures of each route that names
    known visits and a known type. `rank` orders solutions: fewer unserved visits of the highest priority
    first, then of the next, then what the problem's objective asks; only for equal problems.
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
    def longest(self) -> int:
        """Duration of the longest route, 0 where there is none."""
        return _longest(self.routes)

    @property
    def status(self) -> Status:
        """The status of a result that holds this solution, when nothing more is proven."""
        if self.feasible:
            return Status.FEASIBLE
        return Status.INCOMPLETE if self.routes and not self.violations else Status.INFEASIBLE


def _longest(routes: Iterable[RouteFigures]) -> int:
    return max((figures.duration for figures in routes if figures.route.visits), default=0)


def claims(result: Result[Solution], report: CheckReport) -> list[str]:
    """What a solver states of its solution and the checker does not find."""
    who, found = result.solver, []
    if result.cost != report.cost.total:
        found.append(f"{who} states cost {result.cost:,}, the checker finds {report.cost.total:,}")
    if result.status.feasible != report.feasible:
        found.append(f"{who} calls its solution {result.status}, the checker finds it {report.status}")
    if set(result.unserved) != set(report.unserved):
        few, all_ = len(result.unserved), len(report.unserved)
        found.append(f"{who} states {few} visits unserved, not those {all_} that the checker finds")
    return found


def confirmed_status(result: Result[Solution], report: CheckReport) -> Status:
    """The solver's status, which may say what is proven, where the checker agrees; else the checker's."""
    return result.status if result.status.feasible == report.feasible else report.status


def cost_of(problem: Problem, run: Schedule) -> CostParts:
    """Cost of one route; an empty one costs nothing."""
    if len(run.nodes) == 2:
        return CostParts()
    t, kind = problem.vehicle_types, run.vehicle_type
    overtime = 0
    if t.overtime_cost is not None and t.overtime_after is not None:
        overtime = int(t.overtime_cost[kind]) * max(0, run.duration - int(t.overtime_after[kind]))
    return CostParts(
        distance=int(t.distance_cost[kind]) * run.distance,
        time=int(t.time_cost[kind]) * run.duration,
        fixed=int(t.fixed_cost[kind]),
        overtime=overtime,
        lateness=run.late_cost,
        changes=_changes(problem, run),
        energy=_energy(problem, run),
    )


def _energy(problem: Problem, run: Schedule) -> int:
    """Price of what is charged on the way."""
    battery = battery_of(problem.vehicle_types.battery, run.vehicle_type)
    return 0 if battery is None else battery.cost * sum(run.charged)


def _changes(problem: Problem, run: Schedule) -> int:
    """Price of the visits that another vehicle type served in the plan before."""
    v = problem.visits
    if v.previous is None or v.change_cost is None:
        return 0
    moved = (x for x in run.visits if x >= 0 and v.previous[x] not in (-1, run.vehicle_type))
    return sum(int(v.change_cost[x]) for x in moved)


def prizes_lost(problem: Problem, served: set[int], left_out: tuple[int, ...]) -> int:
    """Prizes of the optional visits left out, and what the members served fall short of their groups'."""
    v = problem.visits
    lost = 0
    for visit in left_out:
        members = (visit,) if v.group is None or v.group[visit] < 0 else problem.members[int(v.group[visit])]
        lost += max(int(v.prize[m]) for m in members)
    for members in problem.members.values():
        chosen = [m for m in members if m in served]
        if chosen and not v.required[chosen[0]]:
            lost += max(int(v.prize[m]) for m in members) - max(int(v.prize[m]) for m in chosen)
    return lost


def absent_visits(problem: Problem, served: set[int]) -> tuple[int, ...]:
    """Visits on no route, ascending; of a group without a served member only the first."""
    group = problem.visits.group
    if group is None:
        return tuple(v for v in range(problem.num_visits) if v not in served)
    settled = {int(group[v]) for v in served if group[v] >= 0}
    absent = []
    for visit in range(problem.num_visits):
        mine = int(group[visit])
        if visit in served or mine in settled:
            continue
        absent.append(visit)
        if mine >= 0:
            settled.add(mine)
    return tuple(absent)


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

    served = kept.served()
    absent = absent_visits(problem, served)
    required = problem.visits.required
    unserved = tuple(v for v in absent if required[v])
    left_out = tuple(v for v in absent if not required[v])
    cost = sum((f.cost for f in figures), CostParts(prizes_lost=prizes_lost(problem, served, left_out)))
    levels = sorted({int(p) for p in problem.visits.priority[required]}, reverse=True)
    missed = [int(problem.visits.priority[v]) for v in unserved]
    goal: tuple[int, ...] = (cost.total,)
    if problem.objective is Objective.VEHICLES:
        goal = (sum(1 for f in figures if f.route.visits), cost.total)
    if problem.objective is Objective.LONGEST:
        goal = (_longest(figures), cost.total)
    rank = (*(missed.count(level) for level in levels), *goal)
    return CheckReport(tuple(violations), cost, tuple(figures), unserved, left_out, rank)
