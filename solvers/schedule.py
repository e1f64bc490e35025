"""When a route is where, and with how much on board: plain Python on Python integers, exact.

The one place that says how a route runs in time. Kernels implement it again for speed; the conformance
suite proves them equal.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from solvers.problem import Problem
from solvers.solution import Route
from solvers.travel import EARTH_RADIUS_M, Metric

Leg = Callable[[int, int], tuple[int, int]]


NOBODY = -1  # in place of a visit, at stops in depots


@dataclass(frozen=True, slots=True)
class Schedule:
    """How one route runs. Stops are the start depot, the visits and halts in order, the end: k + 2 of them.

    A route leaves its start depot no earlier than the depot opens, the shift begins and the last of the goods
    of its first trip is released; it leaves a depot where it reloads likewise, for the goods of the next trip.
    It ends as early as it can and, among the departures that allow this end, takes the latest that adds no
    lateness; so waiting that is left cannot be avoided. Service starts at the first time on or after the
    arrival that is in a window. A service that cannot start in any starts late; lateness is not undone later.

    nodes      (k+2)       node numbers; an open route ends at the node of its last visit
    visits     (k+2)       visit numbers, -1 at depots
    trips      (k+2)       number of the trip, from 0; a halt begins the next one
    arrival    (k+2)       at the start depot: the departure
    start      (k+2)       start of service, arrival plus waiting
    departure  (k+2)       at the end depot: the arrival
    load       (k+1)[D]    on board on each leg, the first leaving the start depot
    late_cost              price of the services that start after they are due
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

    @property
    def load_peak(self) -> tuple[int, ...]:
        """The largest load of any leg, per dimension."""
        return tuple(max(amounts) for amounts in zip(*self.load, strict=True))


def leg_function(problem: Problem, profile: int) -> Leg:
    """(origin node, destination node) -> (distance, duration) in travel profile `profile`."""
    travel = problem.travel[profile]
    if travel.distance is not None and travel.duration is not None:
        dist, dur = travel.distance, travel.duration
        return lambda i, j: (int(dist[i, j]), int(dur[i, j]))
    if problem.coords is None:
        raise ValueError("a travel profile without matrices needs coordinates")
    xy, scale, pace = problem.coords, travel.scale, travel.duration_per_distance

    def euclidean(i: int, j: int) -> float:
        dx, dy = float(xy[i, 0] - xy[j, 0]), float(xy[i, 1] - xy[j, 1])
        return math.sqrt(dx * dx + dy * dy) * scale

    def haversine(i: int, j: int) -> int:
        lon1, lat1, lon2, lat2 = (math.radians(float(c)) for c in (*xy[i], *xy[j]))
        h = (
            math.sin((lat2 - lat1) / 2) ** 2
            + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
        )
        return round(2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h))) * scale)

    rules: dict[Metric, Callable[[int, int], int]] = {
        Metric.EUCLIDEAN_ROUND: lambda i, j: math.floor(euclidean(i, j) + 0.5),
        Metric.EUCLIDEAN_TRUNCATE: lambda i, j: math.floor(euclidean(i, j)),
        Metric.HAVERSINE: haversine,
    }
    rule = rules[travel.metric]

    def leg(i: int, j: int) -> tuple[int, int]:
        distance = rule(i, j)
        return distance, distance if pace == 1.0 else round(distance * pace)

    return leg


def earliest_departure(problem: Problem, route: Route) -> int:
    """The earliest time at which the route may leave: depot, shift and releases of the first trip."""
    t = problem.vehicle_types
    opens = int(problem.depots.tw[t.start_depot[route.vehicle_type], 0])
    first = route.visits if not route.halts else route.visits[: route.halts[0].before]
    releases = [int(problem.visits.release[v]) for v in first]
    return max(opens, int(t.shift[route.vehicle_type, 0]), *releases)


def latest_return(problem: Problem, vehicle_type: int) -> int:
    """The latest time at which a route of this type may end: shift and depot."""
    t = problem.vehicle_types
    closes = int(problem.depots.tw[t.end_depot[vehicle_type], 1])
    return min(closes, int(t.shift[vehicle_type, 1]))


@dataclass(slots=True)
class Itinerary:
    """The stops of a route with what the problem says of each, before any time is known.

    `due` is when service starts at the latest without a price; `gaps` are (closes, opens) by stop.
    """

    leave: int
    nodes: list[int]
    visits: list[int]
    trips: list[int]
    legs: list[tuple[int, int]]
    opens: list[int]
    closes: list[int]
    due: list[int]
    work: list[int]
    gaps: dict[int, list[tuple[int, int]]]

    def start(self, stop: int, arrival: int) -> int:
        """The first time on or after `arrival` at which service may start."""
        start = max(arrival, self.opens[stop])
        for closes, opens in self.gaps.get(stop, ()):
            if closes < start < opens:
                start = opens
        return start

    def latest_start(self, stop: int, bound: int) -> int:
        """The last time on or before `bound` at which service may start, were there no opening."""
        for closes, opens in self.gaps.get(stop, ()):
            if closes < bound < opens:
                return closes
        return bound


def itinerary(problem: Problem, route: Route, leg: Leg | None = None) -> Itinerary:
    """The route's stops; `leg` saves making the travel rule again for many routes of one profile."""
    t, v, kind = problem.vehicle_types, problem.visits, route.vehicle_type
    leg = leg or leg_function(problem, int(t.profile[kind]))
    depots, served = problem.num_depots, route.visits
    service = v.service if v.service_by_type is None else v.service_by_type[:, kind]
    nodes = [int(t.start_depot[kind]), *(depots + i for i in served), int(t.end_depot[kind])]
    visits = [NOBODY, *served, NOBODY]
    opens = [0, *(int(v.tw[i, 0]) for i in served), 0]
    closes = [0, *(int(v.tw[i, 1]) for i in served), 0]
    work = [0, *(int(service[i]) for i in served), 0]
    due = closes
    if v.due is not None:
        due = [0, *(min(int(v.due[i]), int(v.tw[i, 1])) for i in served), 0]
    trips = [0] * len(nodes)
    if route.halts:
        due = list(due)
        reload_time = 0 if t.reload_time is None else int(t.reload_time[kind])
        for halt, goods in reversed(list(zip(route.halts, route.trips()[1:], strict=True))):
            at, released = 1 + halt.before, max((int(v.release[i]) for i in goods), default=0)
            window = [int(x) for x in problem.depots.tw[halt.place]]
            nodes.insert(at, halt.place)
            visits.insert(at, NOBODY)
            opens.insert(at, max(window[0], released))
            due.insert(at, window[1])
            closes.insert(at, window[1])
            work.insert(at, reload_time)
        trips = _trip_numbers(visits)
    gaps: dict[int, list[tuple[int, int]]] = {}
    if v.gaps is not None:
        closed = problem.closed_times
        gaps = {i: closed[visit] for i, visit in enumerate(visits) if visit in closed}
    legs = [leg(i, j) for i, j in pairwise(nodes)]
    if t.open_end is not None and t.open_end[kind]:
        legs[-1], nodes[-1] = (0, 0), nodes[-2]
    leave = earliest_departure(problem, route)
    return Itinerary(leave, nodes, visits, trips, legs, opens, closes, due, work, gaps)


def _trip_numbers(visits: Sequence[int]) -> list[int]:
    numbers = [0]
    for i, visit in enumerate(visits[1:], start=1):
        numbers.append(numbers[-1] + (visit == NOBODY and i < len(visits) - 1))
    return numbers


def schedule(problem: Problem, route: Route, leg: Leg | None = None) -> Schedule:
    """How `route` runs; `leg` saves making the travel rule again for many routes of one profile."""
    plan = itinerary(problem, route, leg)
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
    leave = latest - plan.legs[0][1]

    arrival, start, departure = [leave], [leave], [leave]
    for i in range(1, last):
        arrival.append(departure[-1] + plan.legs[i - 1][1])
        start.append(plan.start(i, arrival[-1]))
        departure.append(start[-1] + plan.work[i])
    for times in (arrival, start, departure):
        times.append(end)
    return Schedule(
        vehicle_type=route.vehicle_type,
        nodes=tuple(plan.nodes),
        visits=tuple(plan.visits),
        trips=tuple(plan.trips),
        arrival=tuple(arrival),
        start=tuple(start),
        departure=tuple(departure),
        load=_loads(problem, plan.visits[1:-1]),
        distance=sum(distance for distance, _ in plan.legs),
        late_cost=_late_cost(problem, plan, start),
    )


def _late_cost(problem: Problem, plan: Itinerary, start: Sequence[int]) -> int:
    price = problem.visits.late_cost
    if price is None:
        return 0
    late = zip(plan.visits[1:-1], start[1:-1], plan.due[1:-1], strict=True)
    return sum(int(price[visit]) * max(0, begun - due) for visit, begun, due in late if visit != NOBODY)


def latest_departure(problem: Problem, route: Route) -> tuple[int, int | None]:
    """The latest departure that misses neither a window nor the end, and the visit that sets it (None: the
    end of the route or of a trip)."""
    plan = itinerary(problem, route)
    bound, binding = latest_return(problem, route.vehicle_type), None
    for i in range(len(plan.nodes) - 2, 0, -1):
        bound -= plan.legs[i][1] + plan.work[i]
        start = plan.latest_start(i, min(bound, plan.closes[i]))
        if start < bound:
            bound, binding = start, plan.visits[i] if plan.visits[i] != NOBODY else None
    return bound - plan.legs[0][1], binding


def _loads(problem: Problem, stops: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Load on each leg of visits and, as -1, depots. Deliveries are loaded at the start of their trip, pickups
    stay on board until its end, goods of a pair are on board between its ends."""
    v, width = problem.visits, problem.num_load_dimensions
    pair = v.pair
    out: list[tuple[int, ...]] = []
    begins = 0
    while True:
        ends = begins
        while ends < len(stops) and stops[ends] != NOBODY:
            ends += 1
        trip = stops[begins:ends]
        delivery = [[int(a) for a in v.delivery[i]] for i in trip]
        pickup = [[int(a) for a in v.pickup[i]] for i in trip]
        from_depot = [d for i, d in zip(trip, delivery, strict=True) if pair is None or pair[i] == NOBODY]
        load = [sum(amounts) for amounts in zip(*from_depot, strict=True)] or [0] * width
        out.append(tuple(load))
        for gone, gained in zip(delivery, pickup, strict=True):
            load = [on - d + p for on, d, p in zip(load, gone, gained, strict=True)]
            out.append(tuple(load))
        begins = ends + 1
        if ends == len(stops):
            return tuple(out)
