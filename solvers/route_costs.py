"""Costs of many routes at once, for pools of routes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from solvers import clock
from solvers.check import cost_of
from solvers.features import CLASSIC
from solvers.problem import Problem
from solvers.schedule import Leg, leg_function, schedule
from solvers.solution import Route
from solvers.travel import IntArray, paired_distances

# features under which a route costs its vehicle and its distance, nothing else
_PLAIN = CLASSIC - {"time_costs"}


def route_costs(problem: Problem, routes: Sequence[Route], seconds: float | None = None) -> list[int]:
    """Cost of each route as the checker computes it, for as many of the first routes as `seconds` allow.

    Where distance and vehicle are all that costs, arrays do it; otherwise every route is run through in time.
    """
    if problem.features <= _PLAIN:
        return _by_distance(problem, routes)
    legs: dict[int, Leg] = {}
    costs: list[int] = []
    end = None if seconds is None else clock.seconds() + seconds
    for route in routes:
        if end is not None and clock.seconds() > end:
            break
        profile = int(problem.vehicle_types.profile[route.vehicle_type])
        if profile not in legs:
            legs[profile] = leg_function(problem, profile)
        costs.append(cost_of(problem, schedule(problem, route, legs[profile])).total)
    return costs


def _by_distance(problem: Problem, routes: Sequence[Route]) -> list[int]:
    t = problem.vehicle_types
    costs = np.zeros(len(routes), dtype=np.int64)
    for kind in sorted({r.vehicle_type for r in routes}):
        chosen = [i for i, r in enumerate(routes) if r.vehicle_type == kind and r.visits]
        if not chosen:
            continue
        lengths = np.array([len(routes[i].visits) for i in chosen])
        flat = np.concatenate([np.array(routes[i].visits, dtype=np.int64) for i in chosen])
        first = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        nodes = flat + problem.num_depots
        # each visit's leg to it, then each route's leg home
        before = np.empty_like(nodes)
        before[1:] = nodes[:-1]
        before[first] = t.start_depot[kind]
        last = nodes[first + lengths - 1]
        profile = int(t.profile[kind])
        there = _pairs(problem, profile, before, nodes)
        home = _pairs(problem, profile, last, np.full(len(last), int(t.end_depot[kind])))
        distance = np.add.reduceat(there, first) + home
        costs[chosen] = distance * int(t.distance_cost[kind]) + int(t.fixed_cost[kind])
    return [int(c) for c in costs]


def _pairs(problem: Problem, profile: int, origins: IntArray, ends: IntArray) -> IntArray:
    """Distance of each origin to the end beside it."""
    travel = problem.travel[profile]
    if travel.distance is not None:
        found: IntArray = travel.distance[origins, ends]
        return found
    assert problem.coords is not None
    return paired_distances(travel, problem.coords[origins], problem.coords[ends])
