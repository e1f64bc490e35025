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
    """Routes, and visits on no route, that are solved together."""

    routes: tuple[Route, ...]
    absent: tuple[int, ...]

    @property
    def size(self) -> int:
        """Visits."""
        return sum(len(r) for r in self.routes) + len(self.absent)


class Neighbourhoods:
    """Chooses neighbourhoods of about `size` visits.

    Visits on no route are taken like routes of their own; alternatives of a visit that is served go with its
    route.
    """

    def __init__(self, problem: Problem, size: int, rng: np.random.Generator) -> None:
        self._problem = problem
        self._size = size
        self._rng = rng
        self._tied = problem.visits.group is not None or problem.visits.pair is not None

    def around(self, routes: Sequence[Route], middle: int) -> Neighbourhood:
        """What lies nearest to the visit `middle`; a route is as near as its nearest visit."""
        units = self._units(routes)
        distance = self._distances(middle)
        distance[middle] = -1  # whatever else is at the same place, it comes along itself
        away = np.minimum.reduceat(distance[units.flat], units.starts)
        order = np.argsort(away, kind="stable")
        fits = int(np.searchsorted(np.cumsum(units.sizes[order]), self._size, side="right"))
        return units.neighbourhood(order[: max(2, fits)])

    def split(self, routes: Sequence[Route]) -> list[Neighbourhood]:
        """All routes and all visits on no route, each in one neighbourhood.

        Halves again and again what is too large, between two visits far from each other of which the first is
        random, so that other neighbourhoods come out each time.
        """
        units = self._units(routes)
        done, todo = [], [np.arange(len(units.sizes))]
        while todo:
            mine = todo.pop()
            total = int(units.sizes[mine].sum())
            if total <= self._size or len(mine) < 2:
                done.append(units.neighbourhood(mine))
                continue
            visits = units.visits(mine)
            far = int(visits[self._distances(int(visits[self._rng.integers(len(visits))]))[visits].argmax()])
            away = self._distances(far)
            other = int(visits[away[visits].argmax()])
            lean = (away - self._distances(other))[units.flat]
            order = mine[np.argsort((np.add.reduceat(lean, units.starts) / units.sizes)[mine], kind="stable")]
            parts = -(-total // self._size)
            wanted = total * (parts // 2) / parts
            at = int(np.searchsorted(np.cumsum(units.sizes[order]), wanted))
            at = min(max(1, at), len(order) - 1)
            todo += [order[at:], order[:at]]
        return done

    def _units(self, routes: Sequence[Route]) -> _Units:
        absent = np.ones(self._problem.num_visits, dtype=bool)
        absent[[x for route in routes for x in route.visits]] = False
        mates, alone = self._ties(routes, np.flatnonzero(absent).tolist())
        groups = [*(r.visits for r in routes), *alone]
        sizes = np.array([len(g) for g in groups], dtype=np.int64)
        flat = np.array([x for g in groups for x in g], dtype=np.int64)
        return _Units(routes, mates, alone, flat, np.concatenate([[0], np.cumsum(sizes)[:-1]]), sizes)

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


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """What stays together: routes, and after them the visits on no route, with pairs and groups whole."""

    routes: Sequence[Route]
    mates: dict[int, list[int]]
    alone: list[list[int]]
    flat: IntArray
    starts: IntArray
    sizes: IntArray

    def visits(self, units: IntArray) -> IntArray:
        chosen = np.zeros(len(self.sizes), dtype=bool)
        chosen[units] = True
        visits: IntArray = self.flat[np.repeat(chosen, self.sizes)]
        return visits

    def neighbourhood(self, units: IntArray) -> Neighbourhood:
        chosen = sorted(units.tolist())
        inside = [u for u in chosen if u < len(self.routes)]
        absent = [x for u in chosen[len(inside) :] for x in self.alone[u - len(self.routes)]]
        absent += [x for u in inside for x in self.mates.get(u, ())]
        return Neighbourhood(tuple(self.routes[u] for u in inside), tuple(sorted(absent)))
