"""The constraints of the routing problem, one row each: reason code, meaning, check and how to relax it.

`ROUTE_CONSTRAINTS` limit a single route, `SOLUTION_CONSTRAINTS` the routes together. A violation's amount
says by how much the limit is missed, in the limit's own unit; granting that much makes the row hold.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from solvers.battery import battery_of
from solvers.duty import rule_of
from solvers.problem import Problem
from solvers.schedule import NOBODY, Schedule, latest_return
from solvers.solution import Route, Solution


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


def _visits(run: Schedule) -> Iterator[tuple[int, int]]:
    """(position, visit) along the route."""
    for position, visit in enumerate(run.visits):
        if visit != NOBODY:
            yield position, visit


def _capacity(problem: Problem, run: Schedule) -> Iterator[Miss]:
    capacity = problem.vehicle_types.capacity[run.vehicle_type]
    for dimension, (peak, limit) in enumerate(zip(run.load_peak, capacity, strict=True)):
        if peak > limit:
            yield Miss(
                None, peak - int(limit), f"capacity short by {peak - int(limit)} in dimension {dimension}"
            )


def _time_window(problem: Problem, run: Schedule) -> Iterator[Miss]:
    for position, visit in _visits(run):
        late = run.start[position] - int(problem.visits.tw[visit, 1])
        if late > 0:
            yield Miss(visit, late, f"window closes {late} too early")


def _late_return(problem: Problem, run: Schedule) -> Iterator[Miss]:
    late = run.end_time - latest_return(problem, run.vehicle_type)
    if late > 0:
        yield Miss(None, late, f"returns {late} after the end of shift or depot")
    for position in run.reloads():
        late = run.start[position] - int(problem.depots.tw[run.nodes[position], 1])
        if late > 0:
            yield Miss(None, late, f"trip {run.trips[position]} starts {late} after its depot closes")


def _max_distance(problem: Problem, run: Schedule) -> Iterator[Miss]:
    over = run.distance - int(problem.vehicle_types.max_distance[run.vehicle_type])
    if over > 0:
        yield Miss(None, over, f"distance limit exceeded by {over}")


def _max_duration(problem: Problem, run: Schedule) -> Iterator[Miss]:
    over = run.duration - int(problem.vehicle_types.max_duration[run.vehicle_type])
    if over > 0:
        yield Miss(None, over, f"duration limit exceeded by {over}")


def _driving(problem: Problem, run: Schedule) -> Iterator[Miss]:
    rule = rule_of(problem.vehicle_types.duty, run.vehicle_type)
    if rule is not None and rule.max_driving and run.driving > rule.max_driving:
        over = run.driving - rule.max_driving
        yield Miss(None, over, f"driving limit exceeded by {over}")


def _skills(problem: Problem, run: Schedule) -> Iterator[Miss]:
    has = int(problem.vehicle_types.skills[run.vehicle_type])
    for _, visit in _visits(run):
        lacking = int(problem.visits.skills[visit]) & ~has
        if lacking:
            listed = ", ".join(skill_names(problem, lacking))
            yield Miss(visit, lacking.bit_count(), f"the vehicle lacks the skill {listed}")


def _backhauls(problem: Problem, run: Schedule) -> Iterator[Miss]:
    backhaul = problem.visits.backhaul
    if backhaul is None:
        return
    seen: int | None = None  # the trip in which a backhaul was served
    begun: int | None = None  # the trip of the visit before
    for position, visit in _visits(run):
        trip = run.trips[position]
        if backhaul[visit]:
            if begun != trip and not problem.backhauls_alone:
                yield Miss(visit, 1, "its trip has no visit ahead of the backhauls")
            seen = trip
        elif seen == trip:
            yield Miss(visit, 1, "it comes after a backhaul")
        begun = trip


def _pairs(problem: Problem, run: Schedule) -> Iterator[Miss]:
    if problem.visits.pair is None:
        return
    at = {visit: position for position, visit in _visits(run)}
    for visit, position in at.items():
        partner = problem.partner(visit)
        if partner is None:
            continue
        other = at.get(partner)
        if other is None or run.trips[other] != run.trips[position]:
            name = problem.visits.names[partner]
            yield Miss(visit, 1, f"the other end of its pair, visit {name}, is not in the same trip")


def _pair_order(problem: Problem, run: Schedule) -> Iterator[Miss]:
    pair = problem.visits.pair
    if pair is None:
        return
    at = {visit: position for position, visit in _visits(run)}
    for visit, position in at.items():
        start = int(pair[visit])
        if start >= 0 and at.get(start, 0) > position:
            yield Miss(
                visit, 1, f"its goods are collected only later, at visit {problem.visits.names[start]}"
            )


def _lifo(problem: Problem, run: Schedule) -> Iterator[Miss]:
    pair, lifo = problem.visits.pair, problem.vehicle_types.lifo
    if pair is None or lifo is None or not lifo[run.vehicle_type]:
        return
    at = {visit: position for position, visit in _visits(run)}
    stack: list[int] = []
    for visit in at:
        start = int(pair[visit])
        if start in stack:
            above = len(stack) - 1 - stack.index(start)
            if above:
                yield Miss(visit, above, f"goods of {above} other pairs were loaded on top of its own")
            stack.remove(start)
        elif (end := problem.partner(visit)) is not None and at.get(end, 0) > at[visit]:
            stack.append(visit)


def _reloads(problem: Problem, run: Schedule) -> Iterator[Miss]:
    trips = run.trips[-1]
    if not trips:
        return
    t, kind = problem.vehicle_types, run.vehicle_type
    allowed = () if t.reload_depots is None else t.reload_depots[kind]
    for position in run.reloads():
        if run.nodes[position] not in allowed:
            name = problem.depots.names[run.nodes[position]]
            yield Miss(None, 1, f"the vehicle cannot reload at {name}")
    most = trips if t.max_reloads is None else int(t.max_reloads[kind])
    if trips > most:
        yield Miss(None, trips - most, f"{trips - most} more reloads than the {most} allowed")


def _battery(problem: Problem, run: Schedule) -> Iterator[Miss]:
    battery = battery_of(problem.vehicle_types.battery, run.vehicle_type)
    if battery is None:
        return
    stop = min(range(1, len(run.energy)), key=lambda i: run.energy[i])
    short = battery.reserve - run.energy[stop]
    if short > 0:
        visit = None if run.visits[stop] == NOBODY else run.visits[stop]
        yield Miss(visit, short, f"battery short by {short}")


def _stations(problem: Problem, run: Schedule) -> Iterator[Miss]:
    stations = problem.vehicle_types.stations
    allowed = () if stations is None else stations[run.vehicle_type]
    for position in run.charges:
        name = problem.depots.names[run.nodes[position]]
        if run.nodes[position] not in allowed:
            yield Miss(None, 1, f"the vehicle cannot charge at {name}")
        late = run.start[position] - int(problem.depots.tw[run.nodes[position], 1])
        if late > 0:
            yield Miss(None, late, f"{name} closes {late} before charging starts")


ROUTE_CONSTRAINTS: tuple[RouteConstraint, ...] = (
    RouteConstraint("capacity", "the load of no leg exceeds the capacity", None, _capacity),
    RouteConstraint("time-window", "service starts in its window", "time_windows", _time_window),
    RouteConstraint(
        "late-return", "the route ends in its shift and its depot's hours", "time_windows", _late_return
    ),
    RouteConstraint("max-distance", "the route is not too long", "max_distance", _max_distance),
    RouteConstraint("max-duration", "the route does not last too long", "max_duration", _max_duration),
    RouteConstraint("max-driving", "the driver does not drive too long", "breaks", _driving),
    RouteConstraint("skills", "the vehicle has every skill that its visits need", "skills", _skills),
    RouteConstraint("backhaul-order", "backhauls come last in their trip", "backhauls", _backhauls),
    RouteConstraint("pair", "both ends of a pair are in the same trip", "pickup_delivery", _pairs),
    RouteConstraint("pair-order", "goods are collected before delivery", "pickup_delivery", _pair_order),
    RouteConstraint("lifo", "what was loaded last is unloaded first", "lifo", _lifo),
    RouteConstraint("battery", "on arrival the battery holds its reserve", "electric", _battery),
    RouteConstraint(
        "station", "charging starts at the type's stations, in their hours", "electric", _stations
    ),
    RouteConstraint("reload", "trips start at the type's depots, not too many", "reloads", _reloads),
)


def _duplicates(problem: Problem, solution: Solution) -> Iterator[Violation]:
    split = problem.visits.split
    seen: set[int] = set()
    for index, route in enumerate(solution.routes):
        for trip in route.trips():
            shared: set[int] = set()
            for visit in trip:
                known = seen if split is None or not split[visit] else shared
                if visit in known:
                    message = f"visit {problem.visits.names[visit]} is served more than once"
                    yield Violation("duplicate-visit", index, visit, 1, message)
                known.add(visit)


def _split(problem: Problem, solution: Solution) -> Iterator[Violation]:
    v = problem.visits
    given: dict[int, list[int]] = {}
    for route in solution.routes:
        parts = {part.position: part.amount for part in route.parts}
        for position, visit in enumerate(route.visits):
            splits = v.split is not None and bool(v.split[visit])
            if not splits and position not in parts:
                continue
            demand = (v.delivery[visit] + v.pickup[visit]).tolist()
            some = zip(given.get(visit, [0] * len(demand)), parts.get(position, demand), strict=True)
            given[visit] = [a + b for a, b in some]
    for visit, amounts in sorted(given.items()):
        demand = (v.delivery[visit] + v.pickup[visit]).tolist()
        off = sum(abs(a - b) for a, b in zip(amounts, demand, strict=True))
        if off:
            message = f"visit {v.names[visit]} demands {demand}, its parts are {amounts}"
            yield Violation("split", None, visit, off, message)
        elif v.split is None or not v.split[visit]:
            yield Violation("split", None, visit, 1, f"visit {v.names[visit]} must not be split")


def _fleet(problem: Problem, solution: Solution) -> Iterator[Violation]:
    for kind, used in sorted(Counter(r.vehicle_type for r in solution.routes if r.visits).items()):
        count = int(problem.vehicle_types.count[kind])
        if used > count:
            name = problem.vehicle_types.names[kind]
            yield Violation(
                "fleet", None, None, used - count, f"{used} routes for {count} vehicles of {name}"
            )


def _groups(problem: Problem, solution: Solution) -> Iterator[Violation]:
    served = solution.served()
    for members in problem.members.values():
        chosen = [visit for visit in members if visit in served]
        if len(chosen) > 1:
            listed = ", ".join(problem.visits.names[visit] for visit in chosen)
            message = f"visits {listed} are alternatives of each other"
            yield Violation("group", None, chosen[-1], len(chosen) - 1, message)


def _locked(problem: Problem, solution: Solution) -> Iterator[Violation]:
    for kind, visits in enumerate(problem.vehicle_types.locked or ()):
        if not visits:
            continue
        index = next((i for i, r in enumerate(solution.routes) if r.vehicle_type == kind), None)
        begins = () if index is None else solution.routes[index].visits[: len(visits)]
        missing = sum(a != b for a, b in zip(begins, visits, strict=False)) + len(visits) - len(begins)
        halts = 0
        if index is not None:
            halts = sum(halt.before < len(visits) for halt in solution.routes[index].reloads())
        if missing or halts:
            name = problem.vehicle_types.names[kind]
            message = f"{name} does not begin with its {len(visits)} locked visits"
            yield Violation("locked", index, None, missing + halts, message)


@dataclass(frozen=True, slots=True)
class SolutionConstraint:
    """A limit on the routes of a solution together."""

    code: str
    meaning: str
    check: Callable[[Problem, Solution], Iterator[Violation]]


SOLUTION_CONSTRAINTS: tuple[SolutionConstraint, ...] = (
    SolutionConstraint("duplicate-visit", "no visit is served twice", _duplicates),
    SolutionConstraint("fleet", "each type makes no more routes than it has vehicles", _fleet),
    SolutionConstraint("locked", "vehicles under way keep their locked visits", _locked),
    SolutionConstraint("split", "the parts of a visit that may be split are its demand", _split),
    SolutionConstraint("group", "of a group of alternatives no more than one is served", _groups),
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
        before = 0
        for halt in route.halts:
            if not 0 <= halt.place < problem.num_depots:
                message = f"no depot {halt.place}, there are {problem.num_depots}"
                yield Violation("unknown-depot", index, None, 1, message)
            if not before <= halt.before <= len(route.visits):
                message = f"a halt before position {halt.before} of {len(route.visits)} is out of order"
                yield Violation("halt-order", index, None, 1, message)
            before = max(before, halt.before)
        yield from _unknown_parts(problem, index, route)


def known_routes(problem: Problem, solution: Solution) -> Solution:
    """`solution` without the routes that name what does not exist, or no visit; solvers begin from no others."""
    broken = {violation.route for violation in unknown_references(problem, solution)}
    kept = (route for i, route in enumerate(solution.routes) if i not in broken and route.visits)
    return Solution(tuple(kept))


def _unknown_parts(problem: Problem, index: int, route: Route) -> Iterator[Violation]:
    before = -1
    for part in route.parts:
        if not before < part.position < len(route.visits):
            message = f"a part of the visit at position {part.position} is out of order"
            yield Violation("part-order", index, None, 1, message)
        if len(part.amount) != problem.num_load_dimensions or min(part.amount, default=0) < 0:
            message = f"{part.amount} is no amount in {problem.num_load_dimensions} dimensions"
            yield Violation("part-amount", index, None, 1, message)
        before = part.position


def skill_names(problem: Problem, bits: int) -> tuple[str, ...]:
    """Names of the skills in a bit set; a skill without a name is called by its number."""
    named = problem.skill_names
    return tuple(
        named[b] if b < len(named) else f"skill {b}" for b in range(bits.bit_length()) if bits >> b & 1
    )
