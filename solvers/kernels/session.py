"""A search in progress: one packed problem, one state, batches of compiled work between looks at the clock."""

from __future__ import annotations

import numpy as np

from solvers.kernels import ruin_recreate, savings
from solvers.kernels.data import HARD, PRIZE, Packed
from solvers.kernels.state import (
    BEST_HARD,
    BEST_VALUE,
    NEXT,
    SLOT,
    SPAN,
    VALUE,
    State,
    new_state,
)
from solvers.solution import Route, Solution


class Session:
    """Owns the state of one search. `best()` is always free of violations."""

    def __init__(self, packed: Packed, seed: int) -> None:
        self.data, self.order = packed
        self.state: State = new_state(self.data, seed)
        width = ruin_recreate.MAX_REMOVED + ruin_recreate.MAX_FROM_BANK
        self.scratch = (np.empty(width, dtype=np.int64), np.empty(width))

    def construct(self) -> None:
        """Savings routes, then greedy insertion of what is left."""
        d = self.data
        n = d.nodes
        if n == d.depots:
            return
        kind, alone = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.int64)
        most = 2 * d.near.size
        tail, head, gain = (np.empty(most, dtype=np.int64) for _ in range(3))
        count = savings.pair_savings(d, kind, alone, tail, head, gain)
        by_gain = np.argsort(-gain[:count], kind="stable")
        flat, starts = np.empty(n, dtype=np.int64), np.empty(n + 1, dtype=np.int64)
        kinds = np.empty(n, dtype=np.int64)
        routes = savings.join(d, tail[by_gain], head[by_gain], kind, alone, flat, starts, kinds)
        self._load(flat, starts[: routes + 1], kinds[:routes])

    def start_from(self, solution: Solution) -> None:
        """The routes of `solution` that hold, then greedy insertion of what is left."""
        place = np.empty(len(self.order), dtype=np.int64)
        place[self.order] = np.arange(self.data.depots, self.data.nodes)
        lengths = [len(r) for r in solution.routes]
        visits = [v for r in solution.routes for v in r.visits]
        flat = place[np.array(visits, dtype=np.int64)]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self._load(flat, starts, np.array([r.vehicle_type for r in solution.routes], dtype=np.int64))

    def _load(self, flat: np.ndarray, starts: np.ndarray, kinds: np.ndarray) -> None:
        d = self.data
        # where vehicles are short, routes whose loss would hurt most choose first
        worth = np.zeros(len(kinds))
        if len(kinds):
            value = d.node[flat[: starts[-1]], HARD] * 1e6 + d.node[flat[: starts[-1]], PRIZE] + 1e-3
            worth = np.add.reduceat(value, starts[:-1])
        by_worth = np.argsort(-worth, kind="stable")
        pieces = [flat[starts[m] : starts[m + 1]] for m in by_worth]
        new_starts = np.concatenate([[0], np.cumsum([len(p) for p in pieces])]).astype(np.int64)
        new_flat = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int64)
        savings.load_routes(d, self.state, new_flat, new_starts, kinds[by_worth])
        visits = np.arange(d.depots, d.nodes)
        first = np.lexsort((visits, -d.node[visits, PRIZE], -d.node[visits, HARD]))
        savings.fill(d, self.state, visits[first])

    @property
    def best_cost(self) -> int:
        """Cost of the best solution, prizes lost included, unserved mandatory visits not."""
        return int(self.state.num[BEST_VALUE])

    @property
    def best_rank(self) -> tuple[int, int]:
        """Orders solutions: weighted unserved mandatory visits, then cost."""
        return int(self.state.num[BEST_HARD]), int(self.state.num[BEST_VALUE])

    @property
    def best_unserved(self) -> int:
        """Number of mandatory visits on no route of the best solution."""
        visits = slice(self.data.depots, self.data.nodes)
        return int(((self.state.best[visits, SLOT] < 0) & (self.data.node[visits, HARD] > 0)).sum())

    @property
    def edge_cost(self) -> float:
        """Mean cost of an edge of the present solution; the scale of the temperatures."""
        edges = max(1, self.data.nodes - self.data.depots)
        return max(1.0, float(self.state.num[VALUE]) / edges)

    def best(self) -> Solution:
        """The best solution found so far."""
        n, best = self.data.nodes, self.state.best
        heads = np.flatnonzero(best[n::2, NEXT] < n)
        follow = best[:, NEXT].tolist()
        routes = []
        for r in heads.tolist():
            x, visits = follow[n + 2 * r], []
            while x < n:
                visits.append(x)
                x = follow[x]
            back = self.order[np.array(visits, dtype=np.int64) - self.data.depots]
            routes.append(Route(int(best[n + 2 * r, SPAN]), tuple(back.tolist())))
        routes.sort(key=lambda route: (route.vehicle_type, route.visits))
        return Solution(tuple(routes))
