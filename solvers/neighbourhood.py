"""Groups of routes that lie together, chosen so that all visits get their turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from solvers.problem import Problem
from solvers.solution import Route
from solvers.travel import IntArray, paired_distances


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """Numbers of routes, and visits on no route, that are solved together."""

    routes: tuple[int, ...]
    absent: tuple[int, ...]


class Neighbourhoods:
    """Chooses neighbourhoods of about `size` visits, each around a visit that has been in the fewest so far.

    Routes are as near as their nearest visit, so whatever lies close to the middle is in. Visits on no route
    are taken like routes of their own; alternatives of a visit that is served go with its route.
    """

    def __init__(self, problem: Problem, size: int, rng: np.random.Generator) -> None:
        self._problem = problem
        self._size = size
        self._rng = rng
        self._met = np.zeros(problem.num_visits, dtype=np.int64)
        self._tied = problem.visits.group is not None or problem.visits.pair is not None

    @property
    def parts(self) -> int:
        """Neighbourhoods that would cover the problem if they did not overlap."""
        return -(-self._problem.num_visits // self._size)

    def choose(self, routes: Sequence[Route], middle: int | None = None) -> Neighbourhood:
        """The neighbourhood of the visit `middle`, or of one that has rarely been in any."""
        if middle is None:
            rare = np.flatnonzero(self._met == self._met.min())
            middle = int(rare[self._rng.integers(len(rare))])
        flat = np.array([x for route in routes for x in route.visits], dtype=np.int64)
        absent = np.ones(self._problem.num_visits, dtype=bool)
        absent[flat] = False
        mates, alone = self._ties(routes, np.flatnonzero(absent).tolist())
        sizes = [len(r) for r in routes] + [len(unit) for unit in alone]
        flat = np.concatenate([flat, np.array([x for unit in alone for x in unit], dtype=np.int64)])
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        distance = self._distances(middle)
        distance[middle] = -1  # whatever else is at the same place, it comes along itself
        away = np.minimum.reduceat(distance[flat], starts)
        order = np.argsort(away, kind="stable")
        fits = int(np.searchsorted(np.cumsum(np.array(sizes)[order]), self._size, side="right"))
        chosen = order[: max(2, fits)].tolist()
        inside = tuple(sorted(u for u in chosen if u < len(routes)))
        outer = [x for u in chosen if u >= len(routes) for x in alone[u - len(routes)]]
        outer += [x for u in inside for x in mates.get(u, ())]
        self._met[[x for u in inside for x in routes[u].visits]] += 1
        self._met[outer] += 1
        self._met[middle] += 1
        return Neighbourhood(inside, tuple(sorted(outer)))

    def _ties(
        self, routes: Sequence[Route], absent: list[int]
    ) -> tuple[dict[int, list[int]], list[list[int]]]:
        """Absent visits that go with a route, by its number; the others, with pairs and groups together."""
        if not self._tied:
            return {}, [[x] for x in absent]
        p, group = self._problem, self._problem.visits.group
        settled: dict[int, int] = {}
        if group is not None:
            settled = {int(group[x]): u for u, r in enumerate(routes) for x in r.visits if group[x] >= 0}
        mates: dict[int, list[int]] = {}
        units: dict[int, list[int]] = {}
        for x in absent:
            mine = -1 if group is None else int(group[x])
            other = p.partner(x)
            if mine in settled:
                mates.setdefault(settled[mine], []).append(x)
            elif mine >= 0:
                units.setdefault(p.num_visits + mine, []).append(x)
            else:
                units.setdefault(x if other is None else min(x, other), []).append(x)
        return mates, list(units.values())

    def _distances(self, visit: int) -> IntArray:
        """(n,) how far each visit is from `visit`: the mean of both directions, doubled."""
        p, d = self._problem, self._problem.num_depots
        travel = p.travel[0]
        if travel.distance is not None:
            both: IntArray = travel.distance[d + visit, d:] + travel.distance[d:, d + visit]
            return both
        assert p.coords is not None
        return paired_distances(travel, p.coords[d + visit], p.coords[d:])
