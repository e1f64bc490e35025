"""How a route runs where travel times depend on the hour; see `solvers.schedule`, which calls this.

The departure is free: of all departures that keep every window, the one at which the route costs least
(duration, overtime, lateness), of equals the shortest, then the earliest. The
arrival at each stop is a piecewise linear function of the departure. It is carried along the route as a list
of points, so the optimum, which lies at one of them, is exact.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from itertools import pairwise

from solvers.itinerary import NOBODY, Itinerary, latest_return
from solvers.problem import Problem
from solvers.solution import Route
from solvers.speeds import NOISE, SpeedRule
from solvers.travel import exact_length

Point = tuple[float, float]  # departure from the start depot, time at the present stop


STEADY = SpeedRule([0.0], [1.0])  # where speeds do not change the length of a leg is its duration


class Arcs:
    """Lengths and speed rules of the legs of a route."""

    def __init__(self, problem: Problem, route: Route, plan: Itinerary) -> None:
        kind = route.vehicle_type
        travel = problem.travel[int(problem.vehicle_types.profile[kind])]
        self.lengths: list[float] = []
        self.rules: list[SpeedRule] = []
        if (speeds := travel.speeds) is None:
            self.lengths += [float(duration) for _, duration in plan.legs]
            self.rules += [STEADY] * len(plan.legs)
            return
        rules: dict[int, SpeedRule] = {}
        open_end = problem.vehicle_types.open_end
        for at, (i, j) in enumerate(pairwise(plan.nodes)):
            category = 0 if speeds.category is None else int(speeds.category[i, j])
            rule = rules.setdefault(category, speeds.rule(category))
            last = at == len(plan.nodes) - 2
            stays = last and open_end is not None and bool(open_end[kind])
            self.lengths.append(0.0 if stays else exact_length(travel, problem.coords, i, j))
            self.rules.append(rule)

    def arrive(self, leg: int, leave: float) -> float:
        return self.rules[leg].arrive(leave, self.lengths[leg])

    def leave(self, leg: int, arrive: float) -> float:
        return self.rules[leg].leave(arrive, self.lengths[leg])


def run_times(
    problem: Problem, route: Route, plan: Itinerary
) -> tuple[list[float], list[float], list[float]]:
    """Arrival, start and departure at each stop, not rounded."""
    arcs = Arcs(problem, route, plan)
    points = _arrivals(problem, route, plan, arcs)
    if not points:
        return _drive(plan, arcs, float(plan.leave))
    priced = problem.visits.late_cost is not None
    best = min(
        points,
        key=lambda p: (
            _round(_price(problem, route, plan, arcs, p, priced)),
            _round(p[1] - p[0]),
            p[0],
        ),
    )
    return _drive(plan, arcs, best[0])


def _round(value: float) -> float:
    """Equal up to the noise of floating point."""
    return round(value, 6)


def _drive(plan: Itinerary, arcs: Arcs, leave: float) -> tuple[list[float], list[float], list[float]]:
    arrival, start, departure = [leave], [leave], [leave]
    last = len(plan.nodes) - 1
    for i in range(1, last):
        arrival.append(arcs.arrive(i - 1, departure[-1]))
        start.append(plan.start(i, arrival[-1]))
        departure.append(start[-1] + plan.work[i])
    end = arcs.arrive(last - 1, departure[-1])
    for times in (arrival, start, departure):
        times.append(end)
    return arrival, start, departure


def _price(problem: Problem, route: Route, plan: Itinerary, arcs: Arcs, point: Point, priced: bool) -> float:
    """What the departure decides of the route's cost."""
    t, kind = problem.vehicle_types, route.vehicle_type
    duration = point[1] - point[0]
    cost = float(t.time_cost[kind]) * duration
    if t.overtime_cost is not None and t.overtime_after is not None:
        cost += float(t.overtime_cost[kind]) * max(0.0, duration - float(t.overtime_after[kind]))
    if priced and problem.visits.late_cost is not None:
        _, start, _ = _drive(plan, arcs, point[0])
        for i, visit in enumerate(plan.visits[1:-1], start=1):
            if visit != NOBODY and (price := float(problem.visits.late_cost[visit])):
                cost += price * max(0.0, start[i] - plan.due[i])
    return cost


def _arrivals(problem: Problem, route: Route, plan: Itinerary, arcs: Arcs) -> list[Point]:
    """The end of the route as a function of the departure, where all windows are kept; empty if nowhere."""
    last = len(plan.nodes) - 1
    final = float(latest_return(problem, route.vehicle_type))
    for i in range(last - 1, 0, -1):
        final = min(arcs.leave(i, final) - plan.work[i], float(plan.closes[i]))
        final = plan.latest_start(i, final)
        if final < plan.opens[i] - NOISE:
            return []
    final = arcs.leave(0, final)
    if final < plan.leave - NOISE:
        return []
    begin = float(plan.leave)
    # who leaves after all openings and changes of speed gains nothing by leaving still later
    changes = [rule.changes[-1] for rule in arcs.rules if rule.changes]
    openings = [float(x) for x in plan.opens[1:-1]]
    openings += [float(after) for gap in plan.gaps.values() for _, after in gap]
    final = max(begin, min(final, max([begin, *changes, *openings])))
    points: list[Point] = [(begin, begin), (final, final)]
    for i in range(1, last + 1):
        points = _split(points, arcs.rules[i - 1].bends(arcs.lengths[i - 1]))
        points = [(leave, arcs.arrive(i - 1, now)) for leave, now in points]
        if i == last:
            break
        edges = [float(plan.opens[i]), float(plan.due[i])]
        for closes, opens in plan.gaps.get(i, ()):
            edges += [float(closes), float(opens)]
        points = _split(points, sorted(edges))
        points = _served(points, plan, i)
    over = problem.vehicle_types.overtime_after
    return points if over is None else _split_duration(points, float(over[route.vehicle_type]))


def _served(points: list[Point], plan: Itinerary, stop: int) -> list[Point]:
    """The departure from a stop in place of the arrival. Where a window closes, the function jumps."""
    jumps = {float(closes): opens for closes, opens in plan.gaps.get(stop, ())}
    out = []
    for leave, now in points:
        out.append((leave, plan.start(stop, now) + plan.work[stop]))
        if now in jumps and leave < points[-1][0]:
            out.append((leave, float(jumps[now] + plan.work[stop])))
    return out


def _split(points: list[Point], at: list[float]) -> list[Point]:
    """The points with those added at which the function takes a value of `at`."""
    out = [points[0]]
    for (leave, now), (leave_after, after) in pairwise(points):
        for value in at[bisect_right(at, now) :]:
            if value >= after:
                break
            share = (value - now) / (after - now)
            out.append((leave + share * (leave_after - leave), value))
        out.append((leave_after, after))
    return out


def _split_duration(points: list[Point], duration: float) -> list[Point]:
    """The points with those added at which the route lasts just `duration`."""
    out = [points[0]]
    for (leave, end), (leave_after, after) in pairwise(points):
        here, there = end - leave - duration, after - leave_after - duration
        if here * there < 0:
            share = here / (here - there)
            out.append((leave + share * (leave_after - leave), end + share * (after - end)))
        out.append((leave_after, after))
    return out


def latest_leave(plan: Itinerary, arcs: Arcs, limit: float) -> tuple[float, int | None]:
    """The latest departure that misses neither a window nor `limit`, and the visit that sets it."""
    bound, binding = limit, None
    for i in range(len(plan.nodes) - 2, 0, -1):
        bound = arcs.leave(i, bound) - plan.work[i]
        start = plan.latest_start(i, min(bound, plan.closes[i]))
        if start < bound:
            bound, binding = start, plan.visits[i] if plan.visits[i] != NOBODY else None
    return arcs.leave(0, bound), binding


def rounded(times: Iterable[float]) -> tuple[int, ...]:
    return tuple(math.floor(t + 0.5) for t in times)
