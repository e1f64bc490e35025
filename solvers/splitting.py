"""Split deliveries by parts fixed beforehand: each visit that may be split becomes several, served whole.

The parts are 20, 10, 5 and 1 % of the largest vehicle's capacity, as many of each as go into the demand, and the
rest, so that few of them make up nearly every amount (Chen, Golden, Wang and Wasil 2017). Parts of a visit that
end up in one trip are one stop again.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from solvers.problem import Problem
from solvers.solution import Halt, Part, Route, Solution
from solvers.travel import IntArray, Travel

SHARES = (Fraction(1, 5), Fraction(1, 10), Fraction(1, 20), Fraction(1, 100))

Amount = tuple[int, ...]


def parts_of(demand: Amount, capacity: Amount) -> list[Amount]:
    """The parts of a demand, the largest first; their sum is the demand.

    >>> parts_of((37,), (50,))
    [(10,), (10,), (10,), (5,), (1,), (1,)]
    """
    bounds = [Fraction(d, c) for d, c in zip(demand, capacity, strict=True) if d and c]
    if not bounds:
        return [demand]
    whole = left = max(bounds)
    ends = []
    for share in SHARES:
        for _ in range(int(left / share)):
            left -= share
            ends.append((whole - left) / whole)
    out, before = [], (0,) * len(demand)
    for end in (*ends, Fraction(1)):
        until = tuple(int(end * d) for d in demand)
        if until != before:
            out.append(tuple(a - b for a, b in zip(until, before, strict=True)))
        before = until
    return out


@dataclass(frozen=True, slots=True)
class Presplit:
    """A problem of parts, and the way back. `of` are the visits by part, `amounts` what each part is."""

    original: Problem
    parts: Problem
    of: tuple[int, ...]
    amounts: tuple[Amount, ...]
    start: Solution | None

    @classmethod
    def make(cls, problem: Problem, start: Solution | None = None) -> Presplit:
        """The parts of `problem`. Those of a visit that `start`, a plan without violations, splits are parts of
        what its routes give, so that it is a plan for the parts, too."""
        v = problem.visits
        assert v.split is not None
        demand = [tuple(int(a) for a in row) for row in v.delivery + v.pickup]
        capacity = tuple(int(c) for c in problem.vehicle_types.capacity.max(axis=0))
        given = {} if start is None else _given(start, demand)
        of: list[int] = []
        amounts: list[Amount] = []
        for visit, whole in enumerate(demand):
            shared = [p for some in given.get(visit, [whole]) for p in parts_of(some, capacity)]
            mine = shared if v.split[visit] else [whole]
            of += [visit] * len(mine)
            amounts += mine
        parts = _problem_of(problem, of, amounts)
        return cls(problem, parts, tuple(of), tuple(amounts), _inward(start, of, amounts, demand))

    def outward(self, solution: Solution) -> Solution:
        """A plan for the parts as one for the visits; visits of which a part is left out are left out."""
        wanted = Counter(self.of)
        found = Counter(self.of[part] for route in solution.routes for part in route.visits)
        whole = {visit for visit, count in found.items() if count == wanted[visit]}
        return Solution.of(self.joined(route, whole) for route in solution.routes)

    def joined(self, route: Route, whole: set[int]) -> Route:
        """The route of the visits `whole` with the parts of a visit in one trip joined: a delivery at the first of
        them, a pickup at the last, so that no leg carries more than before."""
        collects = set(np.flatnonzero(self.original.visits.pickup.sum(axis=1)).tolist())
        places: dict[tuple[int, int], int] = {}  # where each visit stays, by trip
        sums: dict[tuple[int, int], Amount] = {}
        trip_of = [number for number, trip in enumerate(route.trips()) for _ in trip]
        for position, (part, trip) in enumerate(zip(route.visits, trip_of, strict=True)):
            key = trip, self.of[part]
            if key not in places or key[1] in collects:
                places[key] = position
            some = sums.get(key, (0,) * len(self.amounts[part]))
            sums[key] = tuple(a + b for a, b in zip(some, self.amounts[part], strict=True))
        kept = sorted((at, key) for key, at in places.items() if key[1] in whole)
        visits: list[int] = []
        parts: list[Part] = []
        demand = self.original.visits.delivery + self.original.visits.pickup
        for _, key in kept:
            if sums[key] != tuple(demand[key[1]].tolist()):
                parts.append(Part(len(visits), sums[key]))
            visits.append(key[1])
        halts: list[Halt] = []
        for halt in route.halts:
            before = sum(at < halt.before for at, _ in kept)
            idle = not halt.charge and (
                before == 0 or any(h.before == before and not h.charge for h in halts)
            )
            if not idle:
                halts.append(Halt(before, halt.place, halt.charge))
        while halts and not halts[-1].charge and halts[-1].before == len(visits):
            halts.pop()
        return Route(route.vehicle_type, tuple(visits), tuple(halts), tuple(parts))


def _given(start: Solution, demand: list[Amount]) -> dict[int, list[Amount]]:
    """What each visit gets from each route or trip."""
    out: dict[int, list[Amount]] = {}
    for route in start.routes:
        amounts = {part.position: part.amount for part in route.parts}
        for position, visit in enumerate(route.visits):
            amount = amounts.get(position, demand[visit])
            if any(amount) or not any(demand[visit]):
                out.setdefault(visit, []).append(amount)
    return out


def _inward(
    start: Solution | None, of: list[int], amounts: list[Amount], demand: list[Amount]
) -> Solution | None:
    """A plan for the visits as one for their parts, which are in the order in which the plan gives them."""
    if start is None:
        return None
    left: dict[int, list[int]] = {}
    for part, visit in enumerate(of):
        left.setdefault(visit, []).append(part)
    routes = []
    for route in start.routes:
        shares = {part.position: part.amount for part in route.parts}
        visits: list[int] = []
        first = [0]  # where the parts of each position begin
        for position, visit in enumerate(route.visits):
            rest = shares.get(position, demand[visit])
            while any(rest) or not any(demand[visit]):
                part = left[visit].pop(0)
                rest = tuple(a - b for a, b in zip(rest, amounts[part], strict=True))
                visits.append(part)
                if not any(demand[visit]):
                    break
            first.append(len(visits))
        halts = tuple(Halt(first[h.before], h.place, h.charge) for h in route.halts)
        routes.append(Route(route.vehicle_type, tuple(visits), halts))
    return Solution.of(routes)


def _problem_of(problem: Problem, of: list[int], amounts: list[Amount]) -> Problem:
    v, rows, d = problem.visits, np.array(of, dtype=np.int64), problem.num_depots
    first = np.searchsorted(rows, np.arange(problem.num_visits))
    count = np.bincount(rows, minlength=problem.num_visits)
    some = np.array(amounts, dtype=np.int64).reshape(len(of), -1)
    columns: dict[str, Any] = {}
    for field in dataclasses.fields(v):
        values = getattr(v, field.name)
        if isinstance(values, np.ndarray) and field.name != "gaps":
            columns[field.name] = values[rows]
    collects = ((v.pickup.sum(axis=1) > 0) & (v.delivery.sum(axis=1) == 0))[rows][:, None]
    single = (count[rows] == 1)[:, None]
    columns["delivery"] = np.where(single, v.delivery[rows], np.where(collects, 0, some))
    columns["pickup"] = np.where(single, v.pickup[rows], np.where(collects, some, 0))
    columns["prize"] = v.prize[rows] // count[rows]
    if v.pair is not None:
        columns["pair"] = np.where(v.pair[rows] >= 0, first[np.maximum(v.pair[rows], 0)], -1)
    if v.gaps is not None:
        columns["gaps"] = [
            (part, closes, opens)
            for part, visit in enumerate(of)
            for closes, opens in problem.closed_times.get(visit, [])
        ]
    columns.update(split=None, names=[v.names[visit] for visit in of])
    nodes = np.concatenate([np.arange(d), d + rows])
    if problem.vehicle_types.locked is not None:
        columns["locked"] = [tuple(int(first[x]) for x in known) for known in problem.vehicle_types.locked]
    return problem.replace(
        coords=None if problem.coords is None else problem.coords[nodes],
        travel=tuple(_travel_of(travel, nodes) for travel in problem.travel),
        **columns,
    )


def _travel_of(travel: Travel, nodes: IntArray) -> Travel:
    square = np.ix_(nodes, nodes)
    speeds = travel.speeds
    if speeds is not None and speeds.category is not None:
        speeds = dataclasses.replace(speeds, category=speeds.category[square])
    if travel.distance is None or travel.duration is None:
        return dataclasses.replace(travel, speeds=speeds)
    made = Travel.of_matrices(travel.distance[square], travel.duration[square])
    return dataclasses.replace(made, speeds=speeds)
