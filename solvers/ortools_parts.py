"""What the `ortools` solver asks of a problem: penalties, vehicles and visits of use, groups, neighbours."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from solvers.constraints import ROUTE_CONSTRAINTS
from solvers.features import CLASSIC
from solvers.importance import level_weights
from solvers.problem import Problem
from solvers.schedule import earliest_departure, latest_return, leg_function, schedule
from solvers.solution import Route
from solvers.travel import IntArray, distances, longest_leg

MOST_ARCS = 4000  # circuits of all vehicles together; beyond, nothing is proven in reasonable time
# with these alone, a vehicle that has the skills and the capacity for a visit can serve it on a route of its own
_UNHINDERED = CLASSIC - {"time_windows", "max_distance", "max_duration"}
_MOST = 2**52  # bound on the sum of penalties; leaves room for costs in OR-Tools' 64 bits


def penalties(problem: Problem) -> IntArray:
    """(n,) cost of leaving each visit out: its prize, or more than any plan costs if it is mandatory.

    Mandatory visits weigh by priority as in `level_weights`. Where costs are so large that `_MOST` leaves no room
    for both, the levels come first and a visit weighs less than a whole plan: see `decisive`.
    """
    v = problem.visits
    penalty = np.array(v.prize, dtype=np.int64)
    mandatory = np.flatnonzero(v.required)
    if not len(mandatory):
        return penalty
    least = 1 + _prizes(problem) + 2 * _dearest_trip(problem)
    _, rank, members = np.unique(v.priority[mandatory], return_inverse=True, return_counts=True)
    weights = np.array(level_weights(members.tolist(), _MOST // least), dtype=np.int64)
    base = min(1 + _dearest_plan(problem), _MOST // int(weights @ members))
    penalty[mandatory] = base * weights[rank]
    return penalty


def decisive(problem: Problem, penalty: IntArray) -> bool:
    """Whether plans of least cost and `penalties` leave out as few mandatory visits as can be."""
    return bool((penalty[problem.visits.required] > _dearest_plan(problem)).all())


def _dearest_plan(problem: Problem) -> int:
    """A bound on the cost of any plan: all prizes forgone, and the dearest trip for each visit."""
    return _prizes(problem) + problem.num_visits * _dearest_trip(problem)


def _prizes(problem: Problem) -> int:
    return int(problem.visits.prize[~problem.visits.required].sum())


def _dearest_trip(problem: Problem) -> int:
    """A bound on the cost of serving one visit by a vehicle of its own."""
    v, t = problem.visits, problem.vehicle_types
    dearest = 0
    for kind in range(len(t.count)):
        distance, duration = _longest_leg(problem, int(t.profile[kind]))
        lasting = 2 * duration + int(v.service.max(initial=0)) + _latest_wait(problem, kind)
        dearest = max(
            dearest,
            int(t.fixed_cost[kind])
            + int(t.distance_cost[kind]) * 2 * distance
            + int(t.time_cost[kind]) * lasting,
        )
    return dearest


def _longest_leg(problem: Problem, profile: int) -> tuple[int, int]:
    travel = problem.travel[profile]
    if travel.distance is not None and travel.duration is not None:
        return int(travel.distance.max(initial=0)), int(travel.duration.max(initial=0))
    assert problem.coords is not None
    across = math.floor(longest_leg(travel, problem.coords) + 0.5) + 1
    return across, math.ceil(across * travel.duration_per_distance)


def _latest_wait(problem: Problem, kind: int) -> int:
    opens = int(problem.visits.tw[:, 0].max(initial=0))
    return max(0, opens - int(problem.vehicle_types.shift[kind, 0]))


def usable_types(problem: Problem) -> list[int]:
    """Vehicle types that exist and whose day does not end before it begins."""
    count = problem.vehicle_types.count
    return [
        kind
        for kind in range(len(count))
        if count[kind] > 0 and earliest_departure(problem, Route(kind, ())) <= latest_return(problem, kind)
    ]


def fits(problem: Problem, most_visits: int) -> bool:
    """Whether the problem is small enough and within what the model of `solvers.ortools_exact` says."""
    vehicles = int(np.minimum(problem.vehicle_types.count, problem.num_visits).sum())
    arcs = vehicles * (problem.num_visits + 1) ** 2
    return problem.features <= CLASSIC and problem.num_visits <= most_visits and arcs <= MOST_ARCS


def able_visits(problem: Problem, visits: Sequence[int], kinds: Sequence[int]) -> list[int]:
    """Those of `visits` that some vehicle type of `kinds` has the skills for."""
    has = [int(problem.vehicle_types.skills[k]) for k in set(kinds)]
    return [v for v in visits if any(not int(problem.visits.skills[v]) & ~h for h in has)]


def possible_visits(problem: Problem, kinds: Sequence[int]) -> list[int]:
    """Visits that some type of `kinds` has the skills and the capacity for; no plan serves the others."""
    found = []
    t, v = problem.vehicle_types, problem.visits
    for visit in range(problem.num_visits):
        load = np.maximum(v.delivery[visit], v.pickup[visit])
        needs = int(v.skills[visit])
        if any((load <= t.capacity[k]).all() and not needs & ~int(t.skills[k]) for k in kinds):
            found.append(visit)
    return found


def servable_visits(problem: Problem, kinds: Sequence[int]) -> list[int]:
    """Visits that some vehicle can serve on a route of their own, or of their pair's; backhauls may be alone there.

    The others are not searched for. (Only where travel times break the triangle inequality might one of them
    fit in a longer route.)
    """
    possible = possible_visits(problem, kinds)
    if problem.features <= _UNHINDERED:
        return possible
    rules = [rule for rule in ROUTE_CONSTRAINTS if rule.code != "backhaul-order"]
    legs = {k: leg_function(problem, int(problem.vehicle_types.profile[k])) for k in kinds}

    def sound(route: Route) -> bool:
        run = schedule(problem, route, legs[route.vehicle_type])
        return not any(True for rule in rules for _ in rule.check(problem, run))

    def whole(visit: int) -> tuple[int, ...]:
        partner, pair = problem.partner(visit), problem.visits.pair
        if partner is None or pair is None:
            return (visit,)
        return (partner, visit) if pair[visit] == partner else (visit, partner)

    return [visit for visit in possible if any(sound(Route(k, whole(visit))) for k in kinds)]


def need_of(problem: Problem, visits: Sequence[int]) -> IntArray:
    """(types,) vehicles of each type that the loads of `visits` call for if it drives alone, and some more."""
    v, t = problem.visits, problem.vehicle_types
    chosen = list(visits)
    load = np.maximum(v.delivery[chosen].sum(axis=0), v.pickup[chosen].sum(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        fills = np.where(load > 0, load / t.capacity, 0.0)
    fills = np.where(np.isfinite(fills), fills, len(chosen))
    spread = (
        0.05 * len(chosen) if problem.features & {"time_windows", "max_duration", "max_distance"} else 0.0
    )
    needed: IntArray = np.ceil(1.1 * fills.max(axis=1, initial=0.0) + spread + 2).astype(np.int64)
    return needed


def compact_groups(problem: Problem, visits: Sequence[int], size: int) -> list[list[int]]:
    """Visits in groups of at most about `size` that are near each other.

    With coordinates: sectors around the first depot while the problem has one, halves across the longer side
    otherwise. With matrices alone: nearest neighbours of a seed, taken off one group after the other.
    Sectors begin behind the widest gap, and all have loads for a whole number of vehicles, equally full.
    """
    number = math.ceil(len(visits) / size)
    if number <= 1:
        return [list(visits)]
    if problem.coords is None:
        left, groups = list(visits), []
        while left:
            near = list(nearest_first(problem, left[0], left))
            groups.append(near[: math.ceil(len(visits) / number)])
            left = sorted(set(left) - set(groups[-1]))
        return groups
    xy = problem.coords[problem.num_depots :]
    if problem.num_depots == 1 and len(visits) <= 10 * size:
        around = xy[list(visits)] - problem.coords[0]
        angles = np.arctan2(around[:, 1], around[:, 0])
        order = np.argsort(angles, kind="stable")
        gaps = np.diff(angles[order], prepend=angles[order[-1]] - 2 * np.pi)
        order = np.roll(order, -int(np.argmax(gaps)))
        return [[visits[i] for i in part] for part in _cut(problem, visits, order, number) if len(part)]

    def halved(part: list[int]) -> list[list[int]]:
        if len(part) <= size:
            return [part]
        at = xy[part]
        axis = int(np.argmax(np.ptp(at, axis=0)))
        order = np.argsort(at[:, axis], kind="stable")
        middle = len(part) // 2
        return halved([part[i] for i in order[:middle]]) + halved([part[i] for i in order[middle:]])

    return halved(list(visits))


def _cut(problem: Problem, visits: Sequence[int], order: IntArray, number: int) -> list[IntArray]:
    """`order` in `number` parts of as many vehicle loads each as can be, or of equal length without loads."""
    kinds = usable_types(problem)
    capacity = int(problem.vehicle_types.capacity[kinds, 0].max()) if problem.num_load_dimensions else 0
    delivery, pickup = (a[list(visits)] for a in (problem.visits.delivery, problem.visits.pickup))
    load = np.cumsum(np.maximum(delivery, pickup)[order, 0]) if capacity else np.zeros(0)
    if not capacity or load[-1] < number * capacity:
        return np.array_split(order, number)
    vehicles = math.ceil(load[-1] / capacity)
    bounds = np.round(np.arange(1, number) * vehicles / number).astype(np.int64)
    return np.split(order, np.searchsorted(load * vehicles, bounds * load[-1], side="right"))


def nearest_first(problem: Problem, seed: int, visits: Sequence[int]) -> Iterator[int]:
    """`visits` by distance from the visit `seed`, itself first."""
    nodes = np.array(visits, dtype=np.int64) + problem.num_depots
    travel, here = problem.travel[0], seed + problem.num_depots
    if travel.distance is not None:
        away = travel.distance[here, nodes] + travel.distance[nodes, here]
    else:
        assert problem.coords is not None
        away = distances(travel, problem.coords[nodes], problem.coords[here : here + 1])[0]
    away = np.where(nodes == here, -1, away)
    for i in np.argsort(away, kind="stable"):
        yield visits[int(i)]
