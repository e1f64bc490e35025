"""Every way to serve one more visit, made as a whole route and weighed by the checker's own rules.

For problems where a visit does not come alone: pairs, alternatives, trips, and whatever the flat weighing of
`solvers.insertion` does not know. Slower than that by two orders of magnitude.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from solvers.battery import battery_of
from solvers.charging import recharged
from solvers.check import CheckReport, cost_of
from solvers.constraints import ROUTE_CONSTRAINTS
from solvers.insertion import Trial
from solvers.problem import Objective, Problem
from solvers.schedule import Leg, Schedule, leg_function, schedule
from solvers.solution import Halt, Part, Route

OBJECTIVE = "objective"  # optional, and serving it would worsen what the objective puts before costs


@dataclass(frozen=True, slots=True)
class Plan:
    """One route as it would be. `index` is the route it replaces, None for a vehicle not yet used; `spare` is
    0 where no such vehicle is left; `position` is where the visit would stand."""

    route: Route
    index: int | None
    spare: int
    position: int


def plans_for(problem: Problem, report: CheckReport, visit: int) -> list[Plan]:
    """All routes that serve `visit`, its alternatives, or both ends of its pair, besides what they serve now.

    A visit locked to a vehicle under way has no other; that vehicle begins with all that is locked to it.
    """
    served = {v for f in report.routes for v in f.route.visits}
    found = []
    used = [0] * len(problem.vehicle_types.count)
    for figures in report.routes:
        used[figures.route.vehicle_type] += 1
    owner = next((k for k in range(len(used)) if visit in locked_visits(problem, k)), None)
    for member in alternatives(problem, visit):
        partner = problem.partner(member)
        ends = (member,) if partner is None or partner in served else _in_order(problem, member, partner)
        for figures in report.routes:
            if partner is not None and partner in served and partner not in figures.route.visits:
                continue
            if owner not in (None, figures.route.vehicle_type):
                continue
            for position, route in _grown(problem, figures.route, ends):
                found += [Plan(r, figures.index, 1, position) for r in charged(problem, route)]
        for kind, count in enumerate(problem.vehicle_types.count.tolist()):
            if owner not in (None, kind) or partner in served:
                continue
            if begun := locked_visits(problem, kind):
                if not used[kind]:
                    found += _under_way(problem, Route(kind, begun), member, ends)
            else:
                spare = max(0, count - used[kind])
                found += [Plan(r, None, spare, 0) for r in charged(problem, Route(kind, ends))]
    return found


def locked_visits(problem: Problem, kind: int) -> tuple[int, ...]:
    """The visits that every route of the type begins with; none where it is not under way."""
    locked = problem.vehicle_types.locked
    return () if locked is None else locked[kind]


def _under_way(problem: Problem, begun: Route, visit: int, ends: tuple[int, ...]) -> list[Plan]:
    """Routes of a vehicle under way that the solution leaves out: as it begins, or with `ends` after that."""
    if visit in begun.visits:
        grown = [(begun.visits.index(visit), begun)]
    else:
        grown = list(_grown(problem, begun, ends))
    return [Plan(r, None, 1, position) for position, route in grown for r in charged(problem, route)]


def charged(problem: Problem, route: Route) -> tuple[Route, ...]:
    """The route as it is and, where that differs, with the stops to charge that make it shortest."""
    if battery_of(problem.vehicle_types.battery, route.vehicle_type) is None:
        return (route,)
    return tuple(dict.fromkeys((route, recharged(problem, route))))


def alternatives(problem: Problem, visit: int) -> tuple[int, ...]:
    """The visits of which one is to be served: those of its group, or the visit alone."""
    group = problem.visits.group
    return (visit,) if group is None or group[visit] < 0 else problem.members[int(group[visit])]


def _in_order(problem: Problem, visit: int, partner: int) -> tuple[int, int]:
    assert problem.visits.pair is not None
    return (partner, visit) if problem.visits.pair[visit] == partner else (visit, partner)


def _grown(problem: Problem, route: Route, ends: tuple[int, ...]) -> Iterator[tuple[int, Route]]:
    """The position of the first visit added, and the route with all of `ends` in this order."""
    for position, once in _with(problem, route, ends[0], len(locked_visits(problem, route.vehicle_type))):
        if len(ends) == 1:
            yield position, once
            continue
        for _, twice in _with(problem, once, ends[1], position + 1):
            yield position, twice


def _with(problem: Problem, route: Route, visit: int, least: int) -> Iterator[tuple[int, Route]]:
    """`visit` at each position from `least` on: on either side of a halt, and in a last trip of its own."""
    kind, visits, halts = route.vehicle_type, route.visits, route.halts
    for at in range(least, len(visits) + 1):
        grown = (*visits[:at], visit, *visits[at:])
        parts = tuple(Part(p.position + (p.position >= at), p.amount) for p in route.parts)
        here = [k for k, halt in enumerate(halts) if halt.before == at]
        for cut in range(here[0], here[-1] + 2) if here else [sum(h.before < at for h in halts)]:
            moved = (*halts[:cut], *(Halt(h.before + 1, h.place, h.charge) for h in halts[cut:]))
            yield at, Route(kind, grown, moved, parts)
    depots = problem.vehicle_types.reload_depots
    for place in () if depots is None else depots[kind]:
        yield len(visits), Route(kind, (*visits, visit), (*halts, Halt(len(visits), place)), route.parts)


def against_objective(problem: Problem, report: CheckReport, plan: Plan, run: Schedule) -> int:
    """What `plan`, running so, adds to that which the objective puts before costs: a route, or to the longest."""
    if problem.objective is Objective.VEHICLES:
        return int(plan.index is None)
    if problem.objective is Objective.LONGEST:
        return max(0, run.duration - report.longest)
    return 0


def try_plans(problem: Problem, report: CheckReport, plans: list[Plan], visit: int, optional: bool) -> Trial:
    """Added cost and misses of each plan with `visit`; see `solvers.insertion.Trial`. What is `optional` is served
    only where that does not go against the objective: a miss of its own."""
    legs: dict[int, Leg] = {}
    t = problem.vehicle_types
    codes = [c.code for c in ROUTE_CONSTRAINTS]
    misses = {code: np.zeros(len(plans), dtype=np.int64) for code in (*codes, "fleet", OBJECTIVE)}
    cost = np.zeros(len(plans), dtype=np.int64)
    weight = np.zeros(len(plans))
    own_window = np.zeros(len(plans), dtype=np.int64)
    before = {f.index: f.cost.total for f in report.routes}
    for i, plan in enumerate(plans):
        kind = plan.route.vehicle_type
        profile = int(t.profile[kind])
        leg = legs.setdefault(profile, leg_function(problem, profile))
        run = schedule(problem, plan.route, leg)
        cost[i] = cost_of(problem, run).total - (0 if plan.index is None else before[plan.index])
        scale = {
            "capacity": max(1, int(t.capacity[kind].max(initial=0))),
            "time-window": max(1, run.duration),
            "late-return": max(1, run.duration),
            "max-distance": max(1, int(t.max_distance[kind])),
            "max-duration": max(1, int(t.max_duration[kind])),
            "battery": max(1, int(t.battery[kind, 0])) if t.battery is not None else 1,
        }
        for constraint in ROUTE_CONSTRAINTS:
            found = list(constraint.check(problem, run))
            amount = sum(miss.amount for miss in found)
            misses[constraint.code][i] = amount
            if constraint.code == "time-window":
                own_window[i] = sum(miss.amount for miss in found if miss.visit == visit)
            weight[i] += amount / scale.get(constraint.code, 1)
        if plan.spare == 0:
            misses["fleet"][i] = 1
            weight[i] += 1
        if optional and (amount := against_objective(problem, report, plan, run)):
            misses[OBJECTIVE][i] = amount
            weight[i] += amount / (max(1, run.duration) if problem.objective is Objective.LONGEST else 1)
    kinds = sum(((m > 0).astype(np.int64) for m in misses.values()), np.zeros(len(plans), dtype=np.int64))
    return Trial(cost, misses, kinds, weight, own_window)
