"""The cost and the misses of one more visit at every position of every route, weighed all at once.

Flat numpy arrays over all places: `places_of` prepares a solution, `try_everywhere` weighs a visit. Exact
for routes without violations, but for durations where travel times break the triangle inequality.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.check import CheckReport
from solvers.problem import UNLIMITED, Problem
from solvers.schedule import earliest_departure, latest_return, leg_function
from solvers.solution import Route
from solvers.travel import IntArray, distances


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Positions where a visit may go, P of them: every position of every route, then one in an empty vehicle
    of each type. Times are those of the earliest departure.

    route           (P,)  index of the route in the solution, -1 for an empty vehicle
    spare           (P,)  vehicles of the type that are free; only 0 in the last, empty, places matters
    before, after   (P,)  nodes on either side
    leg             (P,)  distance between them
    leave           (P,)  earliest departure of the route
    ready           (P,)  departure from the node before
    waited          (P,)  waiting up to that node
    room_before     (P,)  delay of the departure that the nodes before bear (waiting included)
    start_after     (P,)  start of service at the node after
    opens_after     (P,)  opening of its window
    room_after      (P,)  delay at the node after that the visits from there on bear
    room_end        (P,)  the same for the end of the route
    waits_after     (P,)  waiting beyond the node after
    load_before     (P, D) largest load up to this leg; load_after: from this leg on
    end, duration, distance  (P,) of the route as it is
    """

    route: IntArray
    spare: IntArray
    vehicle_type: IntArray
    position: IntArray
    before: IntArray
    after: IntArray
    leg: IntArray
    leave: IntArray
    ready: IntArray
    waited: IntArray
    room_before: IntArray
    start_after: IntArray
    opens_after: IntArray
    room_after: IntArray
    room_end: IntArray
    waits_after: IntArray
    load_before: IntArray
    load_after: IntArray
    end: IntArray
    duration: IntArray
    distance: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """One visit at every place: added cost (P,), the amount missed by constraint code (P,), the number of
    constraints missed (P,), the sum of the misses in relation to their limits (P,), and by how much the visit's own
    window is missed (P,)."""

    cost: IntArray
    misses: dict[str, IntArray]
    kinds: IntArray
    weight: NDArray[np.float64]
    own_window: IntArray

    def everywhere(self, code: str, amount: int) -> bool:
        """Whether no place of an able vehicle, taken or free, misses `code` (the visit's own window) by less."""
        misses = self.own_window if code == "time-window" else self.misses[code]
        able = self.misses["skills"] == 0 if code != "skills" else np.ones(len(misses), dtype=bool)
        return bool(able.any()) and int(misses[able].min()) >= amount


def places_of(problem: Problem, report: CheckReport) -> Places:
    """All places of the checked solution; routes with unknown visits are left out."""
    used = np.zeros(len(problem.vehicle_types.count), dtype=np.int64)
    for figures in report.routes:
        used[figures.route.vehicle_type] += 1
    rows: list[dict[str, Any]] = []
    for figures in report.routes:
        rows.append(
            _route_places(problem, figures.route, figures.index, 1, figures.duration, figures.distance)
        )
    for kind, count in enumerate(problem.vehicle_types.count):
        free = max(0, int(count) - int(used[kind]))
        leg = leg_function(problem, int(problem.vehicle_types.profile[kind]))
        ends = int(problem.vehicle_types.start_depot[kind]), int(problem.vehicle_types.end_depot[kind])
        distance, duration = leg(*ends)
        rows.append(_route_places(problem, Route(kind, ()), -1, free, duration, distance))
    return Places(**{key: np.concatenate([row[key] for row in rows]) for key in rows[0]})


def _route_places(
    problem: Problem, route: Route, index: int, spare: int, duration: int, distance: int
) -> dict[str, Any]:
    """The rows of one route, k + 1 of them, in plain Python."""
    t, v, kind = problem.vehicle_types, problem.visits, route.vehicle_type
    leg = leg_function(problem, int(t.profile[kind]))
    nodes = [
        int(t.start_depot[kind]),
        *(problem.num_depots + i for i in route.visits),
        int(t.end_depot[kind]),
    ]
    last = len(nodes) - 1
    windows = [
        (0, int(UNLIMITED)),
        *((int(v.tw[i, 0]), int(v.tw[i, 1])) for i in route.visits),
        (0, int(UNLIMITED)),
    ]
    work = [0, *(int(v.service[i]) for i in route.visits), 0]
    leave = earliest_departure(problem, route)
    start, waited, lengths = [leave], [0], []
    for i in range(last):
        length, travel = leg(nodes[i], nodes[i + 1])
        arrival = start[i] + work[i] + travel
        start.append(max(arrival, windows[i + 1][0]))
        waited.append(waited[i] + start[-1] - arrival)
        lengths.append(length)
    slack = [waited[i] + windows[i][1] - start[i] for i in range(last + 1)]
    room_before = np.minimum.accumulate(np.array(slack[:-1]))
    room_after = np.minimum.accumulate(np.array(slack[:0:-1]))[::-1] - np.array(waited[1:])
    load = np.zeros((last, problem.num_load_dimensions), dtype=np.int64)
    if route.visits:
        chosen = list(route.visits)
        change = v.pickup[chosen] - v.delivery[chosen]
        load[0] = v.delivery[chosen].sum(axis=0)
        load[1:] = load[0] + np.cumsum(change, axis=0)
    full = np.full
    return {
        "route": full(last, index),
        "spare": full(last, spare),
        "vehicle_type": full(last, kind),
        "position": np.arange(last),
        "before": np.array(nodes[:-1]),
        "after": np.array(nodes[1:]),
        "leg": np.array(lengths),
        "leave": full(last, leave),
        "ready": np.array([start[i] + work[i] for i in range(last)]),
        "waited": np.array(waited[:-1]),
        "room_before": room_before,
        "start_after": np.array(start[1:]),
        "opens_after": np.array([w[0] for w in windows[1:]]),
        "room_after": room_after,
        "room_end": latest_return(problem, kind) - start[-1] + waited[-1] - np.array(waited[1:]),
        "waits_after": waited[-1] - np.array(waited[1:]),
        "load_before": np.maximum.accumulate(load, axis=0),
        "load_after": np.maximum.accumulate(load[::-1], axis=0)[::-1],
        "end": full(last, start[-1]),
        "duration": full(last, duration if route.visits else 0),
        "distance": full(last, distance if route.visits else 0),
    }


def _to_and_fro(problem: Problem, places: Places, node: int) -> tuple[IntArray, ...]:
    """Distance and duration from the node before each place to `node`, then on to the node after."""
    out = tuple(np.empty(len(places.route), dtype=np.int64) for _ in range(4))
    profiles = problem.vehicle_types.profile[places.vehicle_type]
    for k in np.unique(profiles):
        travel, rows = problem.travel[int(k)], profiles == k
        before, after = places.before[rows], places.after[rows]
        if travel.distance is not None and travel.duration is not None:
            table, clock = travel.distance, travel.duration
            legs = [table[before, node], clock[before, node], table[node, after], clock[node, after]]
        else:
            assert problem.coords is not None
            here, pace = problem.coords[node : node + 1], travel.duration_per_distance
            to, fro = (distances(travel, problem.coords[ends], here)[0] for ends in (before, after))
            legs = [to, np.rint(to * pace), fro, np.rint(fro * pace)]
        for column, values in zip(out, legs, strict=True):
            column[rows] = values
    return out


def try_everywhere(problem: Problem, places: Places, visit: int) -> Trial:
    """Added cost and misses of `visit` at each place."""
    p, v, t = places, problem.visits, problem.vehicle_types
    kind = p.vehicle_type
    to, to_time, fro, fro_time = _to_and_fro(problem, p, problem.num_depots + visit)
    opens, closes = (int(x) for x in v.tw[visit])

    def over(amount: IntArray) -> IntArray:
        return np.maximum(amount, 0)

    # the visit's release may hold the whole route back, the visit itself what comes after it
    held = over(int(v.release[visit]) - p.leave)
    arrival = p.ready + over(held - p.waited) + to_time
    start = np.maximum(arrival, opens)
    arrival_after = start + int(v.service[visit]) + fro_time
    start_after = np.maximum(arrival_after, p.opens_after)
    delay = start_after - p.start_after
    late = over(np.maximum.reduce([start - closes, held - p.room_before, delay - p.room_after]))
    late_end = over(delay - p.room_end)

    # the shortest duration: the latest departure that neither delays the end nor misses a window
    waited = over(p.waited - held) + (start - arrival)
    waited_after = waited + (start_after - arrival_after)
    bearable = np.minimum.reduce(
        [
            waited_after + over(p.waits_after - delay),
            p.room_before - held,
            waited + over(closes - start),
            waited_after + p.room_after - delay,
        ]
    )
    end = p.end + over(delay - p.waits_after)
    duration = end - (p.leave + held) - over(bearable)
    added = to + fro - p.leg
    length = np.where(p.route >= 0, p.distance + added, to + fro)
    grown = length - p.distance

    capacity = t.capacity[kind]
    load = np.maximum(p.load_before + v.delivery[visit], p.load_after + v.pickup[visit])
    lacking = np.bitwise_count(v.skills[visit] & ~t.skills[kind]).astype(np.int64)
    short = over(load - capacity)
    longest = max(1, int(p.duration.max()), int(duration.min()))
    limits = [
        ("capacity", short.sum(axis=1), (short / np.maximum(capacity, 1)).sum(axis=1)),
        ("time-window", late, late / longest),
        ("late-return", late_end, late_end / longest),
        (
            "max-distance",
            miss := over(length - t.max_distance[kind]),
            miss / np.maximum(t.max_distance[kind], 1),
        ),
        (
            "max-duration",
            miss := over(duration - t.max_duration[kind]),
            miss / np.maximum(t.max_duration[kind], 1),
        ),
        ("skills", lacking, lacking.astype(np.float64)),
        ("fleet", miss := (p.spare == 0).astype(np.int64), miss.astype(np.float64)),
    ]
    cost = t.distance_cost[kind] * grown + t.time_cost[kind] * (duration - p.duration)
    cost = cost + np.where(p.route >= 0, 0, t.fixed_cost[kind])
    kinds = sum((np.asarray(m) > 0).astype(np.int64) for _, m, _ in limits)
    weight = sum(np.asarray(w, dtype=np.float64) for _, _, w in limits)
    return Trial(
        cost, {code: m for code, m, _ in limits}, np.asarray(kinds), np.asarray(weight), over(start - closes)
    )
