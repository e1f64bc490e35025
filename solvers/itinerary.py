"""The stops of a route, with what the problem says of each, before any time is known."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeVar

from solvers.problem import Problem
from solvers.solution import Route
from solvers.travel import Metric, exact_length

Leg = Callable[[int, int], tuple[int, int]]

Time = TypeVar("Time", int, float)  # float where travel times depend on the hour

_NOISE = 1e-3  # floating point may miss the end of a window by less than this

NOBODY = -1  # in place of a visit, at stops in depots


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

    def start(self, stop: int, arrival: Time) -> Time:
        """The first time on or after `arrival` at which service may start."""
        start = max(arrival, type(arrival)(self.opens[stop]))
        for closes, opens in self.gaps.get(stop, ()):
            if closes + _NOISE < start < opens:
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
