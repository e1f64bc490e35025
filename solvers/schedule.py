"""When a route is where, and with how much on board: plain Python, exact.

The one place that says how a route runs in time. Kernels implement it again for speed; the conformance suite
proves them equal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from solvers.breaks import latest_leave_with_breaks, run_with_breaks
from solvers.duty import rule_of
from solvers.itinerary import (
    NOBODY,
    Itinerary,
    Leg,
    earliest_departure,
    itinerary,
    latest_return,
    leg_function,
)
from solvers.problem import FAR, Problem
from solvers.solution import Route
from solvers.time_dependent import Arcs, latest_leave, rounded, run_times

__all__ = [
    "NOBODY",
    "Leg",
    "Schedule",
    "earliest_departure",
    "latest_departure",
    "latest_return",
    "leg_function",
    "schedule",
]


@dataclass(frozen=True, slots=True)
class Schedule:
    """How one route runs. Stops are the start depot, the visits and halts in order, the end: k + 2 of them.

    A route leaves its start depot no earlier than the depot opens, the shift begins and the last of the goods
    of its first trip is released; it leaves a depot where it reloads likewise, for the goods of the next trip.
    It ends as early as it can and, among the departures that allow this end, takes the latest that adds no
    lateness; so waiting that is left cannot be avoided. Service starts at the first time on or after the
    arrival that is in a window. A service that cannot start in any starts late; lateness is not undone later.
    Where travel times depend on the hour the departure is chosen otherwise (`solvers.time_dependent`), as it is
    where the driver needs breaks (`solvers.breaks`).

    nodes      (k+2)       node numbers; an open route ends at the node of its last visit
    visits     (k+2)       visit numbers, -1 at depots and stations
    trips      (k+2)       number of the trip, from 0; a halt that does not charge begins the next one
    arrival    (k+2)       at the start depot: the departure
    start      (k+2)       start of service, arrival plus waiting
    departure  (k+2)       at the end depot: the arrival
    load       (k+1)[D]    on board on each leg, the first leaving the start depot
    late_cost              price of the services that start after they are due
    breaks                 (start, length) of the driver's breaks on the way, `solvers.duty`
    driving                driving in all, where breaks are due
    energy     (k+2)       on board on arrival; empty where the type has no battery
    charged    (k+2)       energy charged at each stop; empty likewise
    charges                stops of the plan to charge, as positions
    """

    vehicle_type: int
    nodes: tuple[int, ...]
    visits: tuple[int, ...]
    trips: tuple[int, ...]
    arrival: tuple[int, ...]
    start: tuple[int, ...]
    departure: tuple[int, ...]
    load: tuple[tuple[int, ...], ...]
    distance: int
    late_cost: int = 0
    breaks: tuple[tuple[int, int], ...] = ()
    driving: int = 0
    energy: tuple[int, ...] = ()
    charged: tuple[int, ...] = ()
    charges: tuple[int, ...] = ()

    @property
    def start_time(self) -> int:
        return self.departure[0]

    @property
    def end_time(self) -> int:
        return self.arrival[-1]

    @property
    def duration(self) -> int:
        return self.end_time - self.start_time

    @property
    def waiting(self) -> int:
        return sum(s - a for s, a in zip(self.start, self.arrival, strict=True))

    def reloads(self) -> tuple[int, ...]:
        """Positions of the stops between two trips."""
        return tuple(i for i in range(1, len(self.trips)) if self.trips[i] > self.trips[i - 1])

    @property
    def load_peak(self) -> tuple[int, ...]:
        """The largest load of any leg, per dimension."""
        return tuple(max(amounts) for amounts in zip(*self.load, strict=True))


def schedule(problem: Problem, route: Route, leg: Leg | None = None, *, at_once: bool = False) -> Schedule:
    """How `route` runs; `leg` saves making the travel rule again for many routes of one profile.

    `at_once` makes it leave as early as it may, and wait on the way instead; not where speeds change by the hour.
    """
    plan = itinerary(problem, route, leg)
    breaks: tuple[tuple[int, int], ...] = ()
    driving = 0
    if (rule := rule_of(problem.vehicle_types.duty, route.vehicle_type)) is not None:
        times, rests, driven = run_with_breaks(problem, route, plan, rule, at_once)
        arrival, start, departure = (rounded(x) for x in times)
        breaks = tuple((rounded([begun])[0], length) for begun, length in rests)
        driving = rounded([driven])[0]
    elif problem.travel[int(problem.vehicle_types.profile[route.vehicle_type])].speeds is not None:
        arrival, start, departure = (rounded(times) for times in run_times(problem, route, plan))
    else:
        arrival, start, departure = _run_times(plan, at_once)
    return Schedule(
        vehicle_type=route.vehicle_type,
        nodes=tuple(plan.nodes),
        visits=tuple(plan.visits),
        trips=tuple(plan.trips),
        arrival=arrival,
        start=start,
        departure=departure,
        load=_loads(problem, plan, route),
        distance=sum(distance for distance, _ in plan.legs),
        late_cost=_late_cost(problem, plan, start),
        breaks=breaks,
        driving=driving,
        energy=() if plan.charging is None else plan.charging.energy,
        charged=() if plan.charging is None else plan.charging.charged,
        charges=tuple(1 + h.before + i for i, h in enumerate(route.halts) if h.charge),
    )


def _run_times(plan: Itinerary, at_once: bool) -> tuple[tuple[int, ...], ...]:
    """Arrival, start and departure at each stop, where travel times do not depend on the hour."""
    last = len(plan.nodes) - 1
    starts = [plan.leave]
    now = plan.leave
    for i in range(1, last):
        starts.append(plan.start(i, now + plan.legs[i - 1][1]))
        now = starts[-1] + plan.work[i]
    end = now + plan.legs[-1][1]

    latest = end  # the latest arrival at the stop ahead that changes neither the end nor any lateness
    for i in range(last - 1, 0, -1):
        bound = min(latest - plan.legs[i][1] - plan.work[i], max(plan.due[i], starts[i]))
        latest = plan.latest_start(i, bound)
    leave = plan.leave if at_once else latest - plan.legs[0][1]

    arrival, start, departure = [leave], [leave], [leave]
    for i in range(1, last):
        arrival.append(departure[-1] + plan.legs[i - 1][1])
        start.append(plan.start(i, arrival[-1]))
        departure.append(start[-1] + plan.work[i])
    for times in (arrival, start, departure):
        times.append(end)
    return tuple(arrival), tuple(start), tuple(departure)


def _late_cost(problem: Problem, plan: Itinerary, start: Sequence[int]) -> int:
    price = problem.visits.late_cost
    if price is None:
        return 0
    late = zip(plan.visits[1:-1], start[1:-1], plan.due[1:-1], strict=True)
    return sum(int(price[visit]) * max(0, begun - due) for visit, begun, due in late if visit != NOBODY)


def latest_departure(problem: Problem, route: Route) -> tuple[int, int | None]:
    """The latest departure that misses neither a window nor the end, and the visit that sets it (None: the
    end of the route or of a trip)."""
    kind = route.vehicle_type
    plan, limit = itinerary(problem, route), latest_return(problem, kind)
    if problem.travel[int(problem.vehicle_types.profile[kind])].speeds is not None:
        leave, visit = latest_leave(plan, Arcs(problem, route, plan), float(limit))
        bound, binding = math.floor(leave), visit
    else:
        bound, binding = _latest_leave(plan, limit)
    if bound < FAR and (rule := rule_of(problem.vehicle_types.duty, kind)) is not None:
        bound, stop = latest_leave_with_breaks(problem, route, plan, rule, bound, limit)
        binding = None if plan.visits[stop] == NOBODY else plan.visits[stop]
    return bound, binding


def _latest_leave(plan: Itinerary, limit: int) -> tuple[int, int | None]:
    """The same where travel times do not depend on the hour and there are no breaks."""
    bound, binding = limit, None
    for i in range(len(plan.nodes) - 2, 0, -1):
        bound -= plan.legs[i][1] + plan.work[i]
        start = plan.latest_start(i, min(bound, plan.closes[i]))
        if start < bound:
            bound, binding = start, plan.visits[i] if plan.visits[i] != NOBODY else None
    return bound - plan.legs[0][1], binding


def _loads(problem: Problem, plan: Itinerary, route: Route) -> tuple[tuple[int, ...], ...]:
    """Load on each leg. Deliveries are loaded at the start of their trip, pickups stay on board until its end,
    goods of a pair are on board between its ends."""
    pair, on_board = problem.visits.pair, problem.vehicle_types.on_board
    nothing = [0] * problem.num_load_dimensions
    amounts = iter(_amounts(problem, route))
    stops = [(x, *((nothing, nothing) if x == NOBODY else next(amounts))) for x in plan.visits[1:-1]]
    out: list[tuple[int, ...]] = []
    for number in range(plan.trips[-1] + 1):
        trip = [stop for stop, its in zip(stops, plan.trips[1:-1], strict=True) if its == number]
        trip = trip[1:] if number else trip  # a later trip begins at its halt
        load = nothing
        if number == 0 and on_board is not None:
            load = [int(more) for more in on_board[route.vehicle_type]]
        for visit, gone, _ in trip:
            if visit != NOBODY and (pair is None or pair[visit] == NOBODY):
                load = [on + more for on, more in zip(load, gone, strict=True)]
        out.append(tuple(load))
        for _, gone, gained in trip:
            load = [on - less + more for on, less, more in zip(load, gone, gained, strict=True)]
            out.append(tuple(load))
    return tuple(out)


def _amounts(problem: Problem, route: Route) -> list[tuple[list[int], list[int]]]:
    """What each visit of the route gets, and what it gives."""
    v = problem.visits
    out = [(v.delivery[x].tolist(), v.pickup[x].tolist()) for x in route.visits]
    for part in route.parts:
        takes, gives = out[part.position]
        some, none = list(part.amount), [0] * len(part.amount)
        out[part.position] = (none, some) if any(gives) and not any(takes) else (some, none)
    return out
