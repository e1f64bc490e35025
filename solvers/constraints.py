"""The constraints of the routing problem, one row each: reason code, meaning, check and how to relax it.

`ROUTE_CONSTRAINTS` limit a single route, `SOLUTION_CONSTRAINTS` the routes together. A violation's amount
says by how much the limit is missed, in the limit's own unit; granting that much makes the row hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from solvers.problem import Problem
from solvers.schedule import Schedule, latest_return
from solvers.solution import Solution


@dataclass(frozen=True, slots=True)
class Violation:
    """One limit missed. `route` is the index of the route in the solution, `visit` a visit number or None."""

    code: str
    route: int | None
    visit: int | None
    amount: int
    message: str


@dataclass(frozen=True, slots=True)
class Miss:
    """What a check found: at which visit (None: at the route as a whole), by how much, on which dimension."""

    visit: int | None
    amount: int
    what: str


RouteCheck = Callable[[Problem, Schedule], Iterator[Miss]]


@dataclass(frozen=True, slots=True)
class RouteConstraint:
    """A limit on one route. `feature` is the problem feature that brings it (solvers/features.py)."""

    code: str
    meaning: str
    feature: str | None
    check: RouteCheck


def _visits(problem: Problem, run: Schedule) -> Iterator[tuple[int, int]]:
    """(position, visit) along the route."""
    for position, node in enumerate(run.nodes[1:-1], start=1):
        yield position, node - problem.num_depots


def _capacity(problem: Problem, run: Schedule) -> Iterator[Miss]:
    capacity = problem.vehicle_types.capacity[run.vehicle_type]
    for dimension, (peak, limit) in enumerate(zip(run.load_peak, capacity, strict=True)):
        if peak > limit:
            yield Miss(
                None, peak - int(limit), f"capacity short by {peak - int(limit)} in dimension {dimension}"
            )


def _time_window(problem: Problem, run: Schedule) -> Iterator[Miss]:
    for position, visit in _visits(problem, run):
        late = run.start[position] - int(problem.visits.tw[visit, 1])
        if late > 0:
            yield Miss(visit, late, f"window closes {late} too early")


def _late_return(problem: Problem, run: Schedule) -> Iterator[Miss]:
    late = run.end_time - latest_return(problem, run.vehicle_type)
    if late > 0:
        yield Miss(None, late, f"returns {late} after the end of shift or depot")


def _max_distance(problem: Problem, run: Schedule) -> Iterator[Miss]:
    over = run.distance - int(problem.vehicle_types.max_distance[run.vehicle_type])
    if over > 0:
        yield Miss(None, over, f"distance limit exceeded by {over}")


def _max_duration(problem: Problem, run: Schedule) -> Iterator[Miss]:
    over = run.duration - int(problem.vehicle_types.max_duration[run.vehicle_type])
    if over > 0:
        yield Miss(None, over, f"duration limit exceeded by {over}")


def _skills(problem: Problem, run: Schedule) -> Iterator[Miss]:
    has = int(problem.vehicle_types.skills[run.vehicle_type])
    for _, visit in _visits(problem, run):
        lacking = int(problem.visits.skills[visit]) & ~has
        if lacking:
            listed = ", ".join(skill_names(problem, lacking))
            yield Miss(visit, lacking.bit_count(), f"the vehicle lacks the skill {listed}")


ROUTE_CONSTRAINTS: tuple[RouteConstraint, ...] = (
    RouteConstraint("capacity", "the load of no leg exceeds the capacity", None, _capacity),
    RouteConstraint("time-window", "service starts in its window", "time_windows", _time_window),
    RouteConstraint(
        "late-return", "the route ends in its shift and its depot's hours", "time_windows", _late_return
    ),
    RouteConstraint("max-distance", "the route is not too long", "max_distance", _max_distance),
    RouteConstraint("max-duration", "the route does not last too long", "max_duration", _max_duration),
    RouteConstraint("skills", "the vehicle has every skill that its visits need", "skills", _skills),
)


def _duplicates(_: Problem, solution: Solution) -> Iterator[Violation]:
    seen: set[int] = set()
    for index, route in enumerate(solution.routes):
        for visit in route.visits:
            if visit in seen:
                yield Violation("duplicate-visit", index, visit, 1, f"visit {visit} is served more than once")
            seen.add(visit)


def _fleet(problem: Problem, solution: Solution) -> Iterator[Violation]:
    for kind, used in sorted(Counter(r.vehicle_type for r in solution.routes if r.visits).items()):
        count = int(problem.vehicle_types.count[kind])
        if used > count:
            name = problem.vehicle_types.names[kind]
            yield Violation(
                "fleet", None, None, used - count, f"{used} routes for {count} vehicles of {name}"
            )


@dataclass(frozen=True, slots=True)
class SolutionConstraint:
    """A limit on the routes of a solution together."""

    code: str
    meaning: str
    check: Callable[[Problem, Solution], Iterator[Violation]]


SOLUTION_CONSTRAINTS: tuple[SolutionConstraint, ...] = (
    SolutionConstraint("duplicate-visit", "no visit is served twice", _duplicates),
    SolutionConstraint("fleet", "each type makes no more routes than it has vehicles", _fleet),
)


def unknown_references(problem: Problem, solution: Solution) -> Iterator[Violation]:
    """Routes that name a vehicle type or a visit that does not exist; nothing else of them can be checked."""
    types, visits = len(problem.vehicle_types.count), problem.num_visits
    for index, route in enumerate(solution.routes):
        if not 0 <= route.vehicle_type < types:
            yield Violation(
                "unknown-type", index, None, 1, f"no vehicle type {route.vehicle_type}, there are {types}"
            )
        for visit in route.visits:
            if not 0 <= visit < visits:
                yield Violation("unknown-visit", index, visit, 1, f"no visit {visit}, there are {visits}")


def skill_names(problem: Problem, bits: int) -> tuple[str, ...]:
    """Names of the skills in a bit set; a skill without a name is called by its number."""
    named = problem.skill_names
    return tuple(
        named[b] if b < len(named) else f"skill {b}" for b in range(bits.bit_length()) if bits >> b & 1
    )
