"""The stops of a route, with what the problem says of each, before any time is known."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from solvers.battery import Charging, battery_of, charge_plan
from solvers.problem import Problem
from solvers.solution import Route
from solvers.speeds import NOISE
from solvers.travel import Metric, exact_length

Leg = Callable[[int, int], tuple[int, int]]

Time = TypeVar("Time", int, float)  # float where travel times depend on the hour


NOBODY = -1  # in place of a visit, at stops in depots and stations


def leg_function(problem: Problem, profile: int) -> Leg:
    """(origin node, destination node) -> (distance, duration) in travel profile `profile`."""
    travel = problem.travel[profile]
    if travel.distance is not None and travel.duration is not None:
        dist, dur = travel.distance, travel.duration
        return lambda i, j: (int(dist[i, j]), int(dur[i, j]))
    if problem.coords is None:
        raise ValueError("a travel profile without matrices needs coordinates")
    xy, pace = problem.coords, travel.duration_per_distance

    def leg(i: int, j: int) -> tuple[int, int]:
        length = exact_length(travel, xy, i, j)
        if travel.metric is Metric.HAVERSINE:
            distance = round(length)
        elif travel.metric is Metric.EUCLIDEAN_ROUND:
            distance = math.floor(length + 0.5)
        else:
            distance = math.floor(length)
        return distance, distance if pace == 1.0 else round(distance * pace)

    return leg


def earliest_start(problem: Problem, vehicle_type: int) -> int:
    """When vehicles of this type may leave, goods apart: start depot, shift, and never before time 0."""
    t = problem.vehicle_types
    return max(0, int(t.shift[vehicle_type, 0]), int(problem.depots.tw[t.start_depot[vehicle_type], 0]))


def earliest_departure(problem: Problem, route: Route) -> int:
    """The earliest time at which the route may leave, the goods of its first trip released."""
    releases = [int(problem.visits.release[v]) for v in route.trips()[0]]
    return max([earliest_start(problem, route.vehicle_type), *releases])


def latest_return(problem: Problem, vehicle_type: int) -> int:
    """The latest time at which a route of this type may end: shift and depot."""
    t = problem.vehicle_types
    closes = int(problem.depots.tw[t.end_depot[vehicle_type], 1])
    return min(closes, int(t.shift[vehicle_type, 1]))


@dataclass(slots=True)
class Itinerary:
    """The stops of a route with what the problem says of each, before any time is known.

    `due` is when service starts at the latest without a price; `gaps` are (closes, opens) by stop. At a station
    `work` is the time that charging takes.
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
    charging: Charging | None

    def start(self, stop: int, arrival: Time) -> Time:
        """The first time on or after `arrival` at which service may start."""
        start = max(arrival, type(arrival)(self.opens[stop]))
        for closes, opens in self.gaps.get(stop, ()):
            if closes + NOISE < start < opens:
                start = type(arrival)(opens)
        return start

    def latest_start(self, stop: int, bound: Time) -> Time:
        """The last time on or before `bound` at which service may start, were there no opening."""
        for closes, opens in self.gaps.get(stop, ()):
            if closes < bound < opens:
                return type(bound)(closes)
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
        loaded = list(route.trips())
        for halt in reversed(route.halts):
            at, goods = 1 + halt.before, () if halt.charge else loaded.pop()
            window = [int(x) for x in problem.depots.tw[halt.place]]
            nodes.insert(at, halt.place)
            visits.insert(at, NOBODY)
            opens.insert(at, max([window[0], *(int(v.release[i]) for i in goods)]))
            due.insert(at, window[1])
            closes.insert(at, window[1])
            work.insert(at, 0 if halt.charge else reload_time)
        trips = _trip_numbers(route)
    gaps: dict[int, list[tuple[int, int]]] = {}
    if v.gaps is not None:
        closed = problem.closed_times
        gaps = {i: closed[visit] for i, visit in enumerate(visits) if visit in closed}
    legs = [leg(i, j) for i, j in pairwise(nodes)]
    if t.open_end is not None and t.open_end[kind]:
        legs[-1], nodes[-1] = (0, 0), nodes[-2]
    charging = None
    if (battery := battery_of(t.battery, kind)) is not None:
        used = [0, *(battery.consumption * distance for distance, _ in legs)]
        charging = charge_plan(battery, used, _charges(route, len(nodes)))
        work = [a + b for a, b in zip(work, charging.times, strict=True)]
    leave = earliest_departure(problem, route)
    return Itinerary(leave, nodes, visits, trips, legs, opens, closes, due, work, gaps, charging)


def _trip_numbers(route: Route) -> list[int]:
    """The number of the trip at each stop."""
    numbers = [0] * (len(route.visits) + len(route.halts) + 2)
    for number, halt in enumerate(route.halts):
        if not halt.charge:
            for stop in range(1 + halt.before + number, len(numbers)):
                numbers[stop] += 1
    return numbers


def _charges(route: Route, stops: int) -> list[bool]:
    """Whether the vehicle charges, at each stop."""
    out = [False] * stops
    for number, halt in enumerate(route.halts):
        out[1 + halt.before + number] = halt.charge
    return out
