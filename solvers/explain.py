"""Why visits are unserved, what would let them in, and what every route costs and can still take.

Every unserved visit is tried at every position of every route and in one empty vehicle of each type, with
the other end of its pair, as each of its alternatives. Where visits are independent and trips single, all
positions are weighed at once on flat arrays; the best of them are then run through the constraint table of
the checker, so that every amount reported is exact: granting it makes the visit fit there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from solvers.battery import battery_of
from solvers.check import CheckReport, RouteFigures, check, cost_of
from solvers.constraints import ROUTE_CONSTRAINTS, Miss, skill_names
from solvers.features import CLASSIC
from solvers.insertion import Places, Trial, places_of, try_everywhere
from solvers.plans import (
    OBJECTIVE,
    Plan,
    against_objective,
    alternatives,
    charged,
    locked_visits,
    plans_for,
    try_plans,
)
from solvers.problem import FAR, UNLIMITED, Objective, Problem
from solvers.schedule import latest_departure, schedule
from solvers.solution import Route, Solution

INSERTABLE = "insertable"  # there is a place for the visit; a longer search would find it
PRIZE_TOO_LOW = "prize-too-low"  # optional, and every place costs more than the prize
LOCKED = "locked"  # there is a place, but a vehicle under way cannot keep its own visits: no plan can hold
FLEET = "fleet"  # the same code as in the checker's table: no vehicle of the type is left
SEVERAL = "several"  # at every place more than one constraint is in the way


@dataclass(frozen=True, slots=True)
class Limit:
    """One constraint in the way at one place. `visit` is the visit whose window or skill is concerned."""

    code: str
    amount: int
    visit: int | None
    what: str


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A place where the visit would fit if every limit in `limits` were granted, and the cost it adds.

    `route` is the index of the route in the solution, None for an empty vehicle of `vehicle_type`; the
    visit would be the `position`-th of the route; `changed` is the route as it would be.
    """

    limits: tuple[Limit, ...]
    route: int | None
    vehicle_type: int
    position: int
    cost: int
    changed: Route

    @property
    def code(self) -> str:
        if not self.limits:
            return INSERTABLE
        return self.limits[0].code if len({x.code for x in self.limits}) == 1 else SEVERAL


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one visit is unserved. `code` and `message` speak of the first, cheapest, relaxation.

    `relaxations` holds the best place for each constraint that alone stands in the way, cheapest first:
    fewest constraints, then the smallest miss in relation to the limit, then the smallest added cost.
    """

    visit: int
    code: str
    message: str
    relaxations: tuple[Relaxation, ...]


@dataclass(frozen=True, slots=True)
class RouteAccount:
    """One route: its figures and cost, and how much room each constraint leaves.

    spare_capacity     per dimension, at the fullest leg
    spare_time         by how much the departure may be put off before a window or the end is missed; None where
                       nothing limits it
    spare_distance, spare_duration   None where the type has no limit
    spare_energy       least energy on arrival anywhere beyond the reserve; None where it has no battery
    tightest_visit     the visit whose window limits `spare_time`, None if it is the end of the route
    """

    figures: RouteFigures
    spare_capacity: tuple[int, ...]
    spare_time: int | None
    spare_distance: int | None
    spare_duration: int | None
    tightest_visit: int | None
    spare_energy: int | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole story of a solution: a reason per visit on no route, an account per route."""

    report: CheckReport
    unserved: tuple[Reason, ...]
    routes: tuple[RouteAccount, ...]


def explain(problem: Problem, solution: Solution) -> Explanation:
    """Reasons for every visit on no route (mandatory and optional), and an account of every route."""
    explainer = Explainer(problem, solution)
    report = explainer.report
    reasons = tuple(explainer.reason(v) for v in sorted(report.unserved + report.left_out))
    return Explanation(report, reasons, tuple(account(problem, figures) for figures in report.routes))


class Explainer:
    """Answers for single visits of one solution; what all answers share is computed once."""

    def __init__(self, problem: Problem, solution: Solution) -> None:
        self.problem = problem
        self.solution = solution

    @cached_property
    def report(self) -> CheckReport:
        return check(self.problem, self.solution)

    @cached_property
    def stuck(self) -> str | None:
        """Which vehicle under way breaks a rule by its locked visits alone, and how; None where all can go on."""
        types = self.problem.vehicle_types
        driving = {route.vehicle_type for route in self.solution.routes}
        for kind in range(len(types.count)):
            begun = locked_visits(self.problem, kind)
            if not begun or kind in driving:
                continue
            ways = [schedule(self.problem, r) for r in charged(self.problem, Route(kind, begun))]
            misses = [[m for c in ROUTE_CONSTRAINTS for m in c.check(self.problem, run)] for run in ways]
            if all(misses):
                listed = "; ".join(self._what(None, m) for m in min(misses, key=len))
                return f"{types.names[kind]} cannot keep its locked visits ({listed})"
        return None

    @cached_property
    def places(self) -> Places:
        return places_of(self.problem, self.report)

    def reason(self, visit: int) -> Reason:
        """Why `visit`, which no route serves, is unserved; raises ValueError if a route serves it."""
        if any(visit in figures.route.visits for figures in self.report.routes):
            raise ValueError(f"visit {visit} is served")
        if self.problem.features <= CLASSIC and not any(r.halts for r in self.solution.routes):
            trial = try_everywhere(self.problem, self.places, visit)
            plans = [self._plan(visit, slot) for slot in _candidates(trial)]
        else:
            every = plans_for(self.problem, self.report, visit)
            trial = try_plans(self.problem, self.report, every, visit, self._optional(visit))
            gains = np.array([self._gain(visit, plan.route) for plan in every])
            trial = replace(trial, cost=trial.cost - gains)
            plans = [every[slot] for slot in _candidates(trial)]
        chosen = [self._exact(visit, plan) for plan in plans]
        order = {id(r): i for i, r in enumerate(chosen)}
        relaxations = tuple(sorted(chosen, key=lambda r: (len({x.code for x in r.limits}), order[id(r)])))
        if not relaxations:
            return Reason(visit, FLEET, "there is no vehicle", ())
        best = relaxations[0]
        code, message = self._words(visit, trial, best)
        return Reason(visit, code, message, relaxations)

    def _plan(self, visit: int, slot: int) -> Plan:
        """The place `slot` as a plan."""
        places = self.places
        kind, index, at = (int(a[slot]) for a in (places.vehicle_type, places.route, places.position))
        old = self.solution.routes[index].visits if index >= 0 else ()
        route = Route(kind, (*old[:at], visit, *old[at:]))
        return Plan(route, index if index >= 0 else None, int(places.spare[slot]), at)

    def _optional(self, visit: int) -> bool:
        return not self.problem.visits.required[visit]

    def _gain(self, visit: int, route: Route) -> int:
        """Prizes that `route` would bring of `visit`, its alternatives or the other end of its pair."""
        partner = self.problem.partner(visit)
        concerned = {*alternatives(self.problem, visit), *(() if partner is None else (partner,))}
        added = concerned.intersection(route.visits) - self.solution.served()
        return sum(int(self.problem.visits.prize[v]) for v in added)

    def _exact(self, visit: int, plan: Plan) -> Relaxation:
        """The plan with its limits and cost as the checker's own table finds them."""
        problem, kind = self.problem, plan.route.vehicle_type
        run = schedule(problem, plan.route)
        limits = [
            Limit(c.code, m.amount, m.visit, self._what(visit, m))
            for c in ROUTE_CONSTRAINTS
            for m in c.check(problem, run)
        ]
        if plan.spare == 0:
            name = problem.vehicle_types.names[kind]
            limits.append(Limit(FLEET, 1, None, f"one more vehicle of {name} is needed"))
        if self._optional(visit) and (amount := against_objective(problem, self.report, plan, run)):
            longest = problem.objective is Objective.LONGEST
            more = f"the longest route lasts {amount} longer" if longest else "one more route is driven"
            limits.append(Limit(OBJECTIVE, amount, None, f"{more}, which counts more than its prize"))
        before = 0
        if plan.index is not None:
            before = cost_of(problem, schedule(problem, self.solution.routes[plan.index])).total
        added = cost_of(problem, run).total - before
        return Relaxation(tuple(limits), plan.index, kind, plan.position, added, plan.route)

    def _what(self, visit: int | None, miss: Miss) -> str:
        """A miss in words, with the name of its visit where that is not `visit`."""
        if miss.visit is None or miss.visit == visit:
            return miss.what
        return f"visit {self.problem.visits.names[miss.visit]}: {miss.what}"

    def _words(self, visit: int, trial: Trial, best: Relaxation) -> tuple[str, str]:
        problem = self.problem
        where = f"route {best.route}"
        if best.route is None:
            begun = locked_visits(problem, best.vehicle_type)
            where = "the vehicle under way" if begun else "an empty vehicle"
        vehicle = problem.vehicle_types.names[best.vehicle_type]
        if not best.limits:
            prize = self._gain(visit, best.changed)
            if self._optional(visit) and best.cost >= prize:
                return PRIZE_TOO_LOW, f"serving it adds {best.cost} to the cost, its prize is {prize}"
            if self.stuck is not None:
                return LOCKED, f"no plan can hold: {self.stuck}; relax that or unlock them"
            return INSERTABLE, f"fits in {where} ({vehicle}) for {best.cost} more; search longer"
        listed, first = "; ".join(x.what for x in best.limits), best.limits[0]
        # misses of several load dimensions, or of other visits' windows, are not one and the same everywhere
        one = best.code != "capacity" or problem.num_load_dimensions == 1
        own = best.code != "time-window" or first.visit == visit
        if (
            len(best.limits) == 1
            and best.code != OBJECTIVE
            and one
            and own
            and trial.everywhere(best.code, first.amount)
        ):
            skills = ", ".join(skill_names(problem, int(problem.visits.skills[visit])))
            if best.code == "skills":
                return best.code, f"no vehicle has every skill of {skills}"
            return best.code, f"{listed} for every vehicle{f' with skill {skills}' if skills else ''}"
        return best.code, f"{listed}, at the best place ({where}, {vehicle})"


def _candidates(trial: Trial) -> list[int]:
    """The best place overall, then the best place for each constraint that alone stands in the way."""
    order = np.lexsort((trial.cost, trial.weight, trial.kinds))
    if len(order) == 0:
        return []
    chosen = [int(order[0])]
    if trial.kinds[chosen[0]] == 0:
        return chosen
    for misses in trial.misses.values():
        alone = order[(trial.kinds[order] == 1) & (misses[order] > 0)]
        if len(alone) and int(alone[0]) not in chosen:
            chosen.append(int(alone[0]))
    return chosen


def account(problem: Problem, figures: RouteFigures) -> RouteAccount:
    """How much room every constraint leaves on one route."""
    run, t = figures.schedule, problem.vehicle_types
    kind = run.vehicle_type

    def room(limit: int, used: int) -> int | None:
        return None if limit >= UNLIMITED else limit - used

    latest, tightest = latest_departure(problem, figures.route)
    capacity, battery = t.capacity[kind], battery_of(t.battery, kind)
    return RouteAccount(
        figures=figures,
        spare_capacity=tuple(int(c) - p for c, p in zip(capacity, run.load_peak, strict=True)),
        spare_time=None if latest >= FAR else latest - run.start_time,
        spare_distance=room(int(t.max_distance[kind]), run.distance),
        spare_duration=room(int(t.max_duration[kind]), run.duration),
        tightest_visit=tightest,
        spare_energy=None if battery is None else min(run.energy[1:]) - battery.reserve,
    )
