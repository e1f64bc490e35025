"""Set partitioning over routes seen: the cheapest choice among them that serves each visit at most once.

Routes that a search has met and left are often parts of a better whole. OR-Tools CP-SAT picks them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import TYPE_CHECKING

from solvers.cp_sat import search
from solvers.problem import Problem
from solvers.solution import Route
from solvers.travel import IntArray

if TYPE_CHECKING:
    from ortools.sat.python import cp_model


class RoutePool:
    """Routes with their costs; of routes of one type over the same visits only the cheapest is kept.

    Holds `limit` routes at most: the ones least often met are dropped first.
    """

    def __init__(self, problem: Problem, limit: int = 20_000) -> None:
        self._problem = problem
        self._limit = limit
        self._best: dict[tuple[int, frozenset[int]], tuple[int, Route]] = {}
        self._met: dict[tuple[int, frozenset[int]], int] = {}

    def __len__(self) -> int:
        return len(self._best)

    def add(self, route: Route, cost: int) -> None:
        key = route.vehicle_type, frozenset(route.visits)
        self._met[key] = self._met.get(key, 0) + 1
        if key not in self._best or cost < self._best[key][0]:
            self._best[key] = cost, route
        if len(self._best) > 2 * self._limit:
            keep = sorted(self._best, key=lambda k: -self._met[k])[: self._limit]
            self._best = {k: self._best[k] for k in keep}
            self._met = {k: self._met[k] for k in keep}

    def select(
        self,
        incumbent: Iterable[Route],
        penalty: IntArray,
        seconds: float | None,
        work: float,
        seed: int,
        threads: int = 1,
    ) -> tuple[Route, ...] | None:
        """The best selection found within `work` units of deterministic time (and `seconds`, if given).

        With one thread the selection repeats, unless `seconds` end it.

        `penalty` (n,) is the cost of leaving a visit out; `incumbent` must be in the pool and is the start.
        None if the search found nothing, which the incumbent as a hint makes unlikely.
        """
        from ortools.sat.python import cp_model

        model = cp_model.CpModel()
        serving: dict[int, list[cp_model.IntVar]] = defaultdict(list)
        of_type: dict[int, list[cp_model.IntVar]] = defaultdict(list)
        chosen = {(r.vehicle_type, frozenset(r.visits)) for r in incumbent}
        pool = sorted(self._best.items(), key=lambda item: (item[0][0], item[1][1].visits))
        terms, weights = [], []
        for key, (cost, route) in pool:
            use = model.new_bool_var("")
            terms.append(use)
            weights.append(cost)
            of_type[route.vehicle_type].append(use)
            model.add_hint(use, key in chosen)
            for visit in route.visits:
                serving[visit].append(use)
        for visit, uses in sorted(serving.items()):
            left_out = model.new_bool_var("")
            terms.append(left_out)
            weights.append(int(penalty[visit]))
            model.add_exactly_one([*uses, left_out])
        for kind, uses in of_type.items():
            if len(uses) > self._problem.vehicle_types.count[kind]:
                model.add(sum(uses) <= int(self._problem.vehicle_types.count[kind]))
        model.minimize(cp_model.LinearExpr.weighted_sum(terms, weights))
        solver = search(model, work, seconds, seed, threads)
        if solver is None:
            return None
        picked = [route for use, (_, (_, route)) in zip(terms, pool, strict=False) if solver.value(use)]
        return tuple(picked)
