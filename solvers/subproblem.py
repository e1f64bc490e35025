"""Part of a problem as a problem of its own: some routes, some visits on no route, the vehicles left for them.

Every feature is kept: what a solver finds for the part can stand in the whole as it is.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.problem import Problem, VehicleTypes, Visits
from solvers.solution import Route, Solution
from solvers.speeds import Speeds
from solvers.travel import IntArray, Travel


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A part of a problem. `visits` and `kinds` hold the whole's numbers of its visits and vehicle types."""

    problem: Problem
    visits: IntArray
    kinds: IntArray

    def inward(self, routes: Iterable[Route]) -> Solution:
        """Routes of the whole, all of whose visits are in the part, as the part numbers them."""
        place = {visit: at for at, visit in enumerate(self.visits.tolist())}
        kind = {whole: at for at, whole in enumerate(self.kinds.tolist())}
        return Solution(
            tuple(Route(kind[r.vehicle_type], tuple(place[v] for v in r.visits), r.halts) for r in routes)
        )

    def outward(self, solution: Solution) -> tuple[Route, ...]:
        """A solution of the part as routes of the whole."""
        visits, kinds = self.visits.tolist(), self.kinds.tolist()
        return tuple(
            Route(kinds[r.vehicle_type], tuple(visits[v] for v in r.visits), r.halts) for r in solution.routes
        )


def cut(problem: Problem, inside: Sequence[Route], absent: Iterable[int], outside: Iterable[Route]) -> Part:
    """The part made of the routes `inside` and the visits `absent`, which are on no route.

    The routes `outside` keep their vehicles; all others are free for the part. The caller sees to it that
    pairs and groups of alternatives come whole: both ends of a pair, and of a group all members or, where a
    route outside serves one of them, none.
    """
    v, t = problem.visits, problem.vehicle_types
    chosen = np.array(sorted({x for route in inside for x in route.visits} | set(absent)), dtype=np.int64)
    used = Counter(route.vehicle_type for route in outside)
    count = np.maximum(0, t.count - np.array([used[k] for k in range(len(t.count))], dtype=np.int64))
    named: IntArray = np.empty(0, dtype=np.int64)  # types that may be gone but that a price refers to
    if v.previous is not None:
        named = v.previous[chosen]
    kept = np.flatnonzero((count > 0) | np.isin(np.arange(len(count)), named))
    if not len(kept):
        kept = np.arange(min(1, len(count)))
    nodes = np.concatenate([np.arange(problem.num_depots), problem.num_depots + chosen])
    part = dataclasses.replace(
        problem,
        visits=_visits(v, chosen, kept, problem.num_visits),
        vehicle_types=_types(t, chosen, kept, count),
        travel=tuple(_travel(profile, nodes) for profile in problem.travel),
        coords=None if problem.coords is None else problem.coords[nodes],
    )
    return Part(part, chosen, kept)


def _visits(v: Visits, chosen: IntArray, kept: IntArray, total: int) -> Visits:
    place = np.full(total + 1, -1, dtype=np.int64)  # the last entry stands for -1, which stays
    place[chosen] = np.arange(len(chosen))
    rows: dict[str, Any] = {"names": tuple(v.names[x] for x in chosen.tolist())}
    for field in dataclasses.fields(v):
        values = getattr(v, field.name)
        if values is not None and field.name not in ("names", "gaps"):
            rows[field.name] = values[chosen]
    if v.service_by_type is not None:
        rows["service_by_type"] = np.ascontiguousarray(rows["service_by_type"][:, kept])
    if v.pair is not None:
        rows["pair"] = place[rows["pair"]]
    if v.gaps is not None:
        gaps = v.gaps[place[v.gaps[:, 0]] >= 0].copy()
        gaps[:, 0] = place[gaps[:, 0]]
        rows["gaps"] = gaps
    if v.previous is not None:
        kind = np.full(int(max(v.previous.max(initial=0), kept.max(initial=0))) + 2, -1, dtype=np.int64)
        kind[kept] = np.arange(len(kept))
        rows["previous"] = kind[rows["previous"]]
    return dataclasses.replace(v, **rows)


def _types(t: VehicleTypes, chosen: IntArray, kept: IntArray, count: IntArray) -> VehicleTypes:
    rows: dict[str, Any] = {}
    for field in dataclasses.fields(t):
        values = getattr(t, field.name)
        if isinstance(values, np.ndarray):
            rows[field.name] = values[kept]
        elif values is not None:
            rows[field.name] = tuple(values[k] for k in kept.tolist())
    rows["count"] = count[kept]
    gone = count[kept] == 0
    if t.locked is not None:
        place = {visit: at for at, visit in enumerate(chosen.tolist())}
        rows["locked"] = tuple(
            () if out else tuple(place[x] for x in visits)
            for visits, out in zip(rows["locked"], gone.tolist(), strict=True)
        )
    if t.on_board is not None:
        rows["on_board"] = np.where(gone[:, None], 0, rows["on_board"])
    return dataclasses.replace(t, **rows)


def _travel(travel: Travel, nodes: IntArray) -> Travel:
    pick = np.ix_(nodes, nodes)
    speeds = travel.speeds
    if speeds is not None and speeds.category is not None:
        speeds = Speeds(speeds.starts, speeds.values, np.ascontiguousarray(speeds.category[pick]))
    if travel.distance is None or travel.duration is None:
        return dataclasses.replace(travel, speeds=speeds)
    distance = np.ascontiguousarray(travel.distance[pick])
    same = travel.duration is travel.distance
    duration = distance if same else np.ascontiguousarray(travel.duration[pick])
    return dataclasses.replace(travel, distance=distance, duration=duration, speeds=speeds)
