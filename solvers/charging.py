"""Where to charge on a given route: the stops that make it shortest, exactly.

Between two stops to charge a vehicle passes the visits (and depots where it reloads) in their order, so the
choice is a shortest path whose vertices are the stations in the gaps of the route, joined where the battery
lasts from one to the other (the fixed-route charging problem, Montoya et al. 2017, here by distance alone; with
it both the energy charged and the time spent charging are least). Windows do not enter the choice: the checker
tells whether the route keeps them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from solvers.battery import Battery, battery_of
from solvers.itinerary import Leg, itinerary, leg_function
from solvers.problem import Problem
from solvers.solution import Halt, Route

Vertex = tuple[int, int]  # gap of the route, from 0, and station; (-1, -1) is the start, (gaps, -1) the end


def recharged(problem: Problem, route: Route) -> Route:
    """The route with the stops to charge that make it shortest, in place of those it has; none if none is needed.

    Where no stops let the battery last, those with which it is short by least, of these the shortest. A route
    whose type has no battery is returned as it is.
    """
    t, kind = problem.vehicle_types, route.vehicle_type
    battery = battery_of(t.battery, kind)
    if battery is None:
        return route
    bare = Route(kind, route.visits, route.reloads(), route.parts)
    plan = itinerary(problem, bare)
    stays_out = t.open_end is not None and bool(t.open_end[kind])
    ends = plan.nodes[:-1] if stays_out else plan.nodes
    stations = () if t.stations is None else tuple(sorted(set(t.stations[kind])))
    way = _Way(battery, leg_function(problem, int(t.profile[kind])), tuple(ends), stations)
    stops = [] if way.lasts() else way.stops(0)
    if stops is None:
        stops = way.stops(way.least_lack()) or []
    return _with_stops(bare, plan.visits, stops)


@dataclass(slots=True)
class _Way:
    """The nodes that a route passes, and the stations that it may pass between them."""

    battery: Battery
    leg: Leg
    nodes: tuple[int, ...]
    stations: tuple[int, ...]

    @property
    def gaps(self) -> int:
        return len(self.nodes) - 1

    def onward(self, vertex: Vertex, limit: int | None) -> Iterator[tuple[Vertex, int, int]]:
        """Where to charge next, or the end: the distance to it, and the energy lacking on arrival, which is no
        more than `limit`."""
        gap, station = vertex
        used, holds = self.battery.consumption, self.battery.capacity - self.battery.reserve
        here, length = station, 0
        if gap < 0:
            here, holds = self.nodes[0], self.battery.at_start - self.battery.reserve
        for ahead in range(max(gap, 0), self.gaps):
            for place in self.stations:
                distance = length + self.leg(here, place)[0]
                lack = max(0, used * distance - holds)
                if (ahead, place) != vertex and (limit is None or lack <= limit):
                    yield (ahead, place), distance, lack
            length += self.leg(here, self.nodes[ahead + 1])[0]
            here = self.nodes[ahead + 1]
            if limit is not None and used * length - holds > limit:
                return
        yield (self.gaps, -1), length, max(0, used * length - holds)

    def lasts(self) -> bool:
        """Whether the battery lasts without a stop."""
        length = sum(self.leg(a, b)[0] for a, b in pairwise(self.nodes))
        return self.battery.consumption * length <= self.battery.at_start - self.battery.reserve

    def least_lack(self) -> int:
        """The least energy by which the battery is short on the way with the best stops."""
        best: dict[Vertex, int] = {}
        queue = [(0, (-1, -1))]
        while queue:
            lack, vertex = heapq.heappop(queue)
            if vertex in best:
                continue
            best[vertex] = lack
            if vertex[0] == self.gaps:
                return lack
            for to, _, more in self.onward(vertex, None):
                heapq.heappush(queue, (max(lack, more), to))
        raise AssertionError("the end is always ahead")

    def stops(self, lack: int) -> list[Vertex] | None:
        """The stops of the shortest way on which the battery is never short by more than `lack`; the fewest, the
        first of equals. None if there is no such way."""
        done: set[Vertex] = set()
        queue: list[tuple[int, int, tuple[Vertex, ...]]] = [(0, 0, ((-1, -1),))]
        while queue:
            length, count, path = heapq.heappop(queue)
            vertex = path[-1]
            if vertex in done:
                continue
            done.add(vertex)
            if vertex[0] == self.gaps:
                return list(path[1:-1])
            for to, distance, _ in self.onward(vertex, lack):
                if to not in done:
                    heapq.heappush(queue, (length + distance, count + 1, (*path, to)))
        return None


def _with_stops(route: Route, stops: list[int], charges: list[Vertex]) -> Route:
    """The route with halts to charge in the gaps told; `stops` are its visits and, as -1, its depots."""
    halts: list[Halt] = []
    reloads, visits = list(route.halts), 0
    waiting = list(charges)
    for gap, (here, _) in enumerate(pairwise(stops)):
        if gap > 0:
            if here >= 0:
                visits += 1
            else:
                halts.append(reloads.pop(0))
        while waiting and waiting[0][0] == gap:
            halts.append(Halt(visits, waiting.pop(0)[1], charge=True))
    return Route(route.vehicle_type, route.visits, tuple(halts), route.parts)
