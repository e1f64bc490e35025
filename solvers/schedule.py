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


@dataclass(frozen=True, slots=True)
class Schedule:
    """How one route runs. Stops are the start depot, the visits in order, the end depot: k + 2 of them.

    A route leaves its start depot no earlier than the depot opens, the shift begins and the last of its
    goods is released. It ends as early as it can and, among the departures that allow this end, takes the
    latest: so its duration is the least possible, and what waiting is left cannot be avoided. A service
    that cannot start in its window starts late; lateness is not undone later.

    nodes      (k+2)       node numbers
    arrival    (k+2)       at the start depot: the departure
    start      (k+2)       start of service, arrival plus waiting
    departure  (k+2)       at the end depot: the arrival
    load       (k+1)[D]    on board on each leg, the first leaving the start depot
    """

    vehicle_type: int
    nodes: tuple[int, ...]
    arrival: tuple[int, ...]
    start: tuple[int, ...]
    departure: tuple[int, ...]
    load: tuple[tuple[int, ...], ...]
    distance: int

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
    """The earliest time at which the route may leave: depot, shift and releases."""
    t = problem.vehicle_types
    opens = int(problem.depots.tw[t.start_depot[route.vehicle_type], 0])
    releases = [int(problem.visits.release[v]) for v in route.visits]
    return max(opens, int(t.shift[route.vehicle_type, 0]), *releases)


def latest_return(problem: Problem, vehicle_type: int) -> int:
    """The latest time at which a route of this type may end: shift and depot."""
    t = problem.vehicle_types
    closes = int(problem.depots.tw[t.end_depot[vehicle_type], 1])
    return min(closes, int(t.shift[vehicle_type, 1]))


def schedule(problem: Problem, route: Route, leg: Leg | None = None) -> Schedule:
    """How `route` runs; `leg` saves making the travel rule again for many routes of one profile."""
    t, v = problem.vehicle_types, problem.visits
    kind = route.vehicle_type
    leg = leg or leg_function(problem, int(t.profile[kind]))
    nodes = (
        int(t.start_depot[kind]),
        *(problem.num_depots + i for i in route.visits),
        int(t.end_depot[kind]),
    )
    windows = [(int(v.tw[i, 0]), int(v.tw[i, 1])) for i in route.visits]
    service = [int(v.service[i]) for i in route.visits]
    legs = [leg(i, j) for i, j in pairwise(nodes)]

    leave = earliest_departure(problem, route)
    leave += _delay(leave, legs, windows, service)
    arrival, start, departure = [leave], [leave], [leave]
    now = leave
    for (_, duration), (opens, _), work in zip(legs, windows, service, strict=False):
        arrival.append(now + duration)
        start.append(max(arrival[-1], opens))
        now = start[-1] + work
        departure.append(now)
    end = now + legs[-1][1]
    for times in (arrival, start, departure):
        times.append(end)
    return Schedule(
        vehicle_type=kind,
        nodes=nodes,
        arrival=tuple(arrival),
        start=tuple(start),
        departure=tuple(departure),
        load=_loads(problem, route.visits),
        distance=sum(distance for distance, _ in legs),
    )


def _delay(
    leave: int, legs: Sequence[tuple[int, int]], windows: Sequence[tuple[int, int]], service: Sequence[int]
) -> int:
    """By how much the departure can be put off without a later end or more lateness on the way."""
    now, waited, slack = leave, 0, None
    for (_, duration), (opens, closes), work in zip(legs, windows, service, strict=False):
        now += duration
        waited += max(0, opens - now)
        now = max(now, opens)
        room = waited + max(0, closes - now)
        slack = room if slack is None else min(slack, room)
        now += work
    return min(waited, slack or 0)


def _loads(problem: Problem, visits: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Load on each leg: deliveries are loaded at the start, pickups stay on board until the end."""
    delivery = [[int(a) for a in problem.visits.delivery[i]] for i in visits]
    pickup = [[int(a) for a in problem.visits.pickup[i]] for i in visits]
    load = [sum(amounts) for amounts in zip(*delivery, strict=True)] or [0] * problem.num_load_dimensions
    out = [tuple(load)]
    for gone, gained in zip(delivery, pickup, strict=True):
        load = [on - d + p for on, d, p in zip(load, gone, gained, strict=True)]
        out.append(tuple(load))
    return tuple(out)
