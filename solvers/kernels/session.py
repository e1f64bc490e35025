"""A search in progress: one packed problem, one state, batches of compiled work between looks at the clock."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from solvers.compiled import announce_compiling
from solvers.kernels import ruin_recreate, savings
from solvers.kernels.data import Packed
from solvers.kernels.layout import (
    BEST,
    BEST_HARD,
    BEST_VALUE,
    CAPACITY,
    COUNT,
    HARD,
    ITEM,
    NEAR_WIDTH,
    NEXT,
    P_HEAD,
    PREV,
    PRIZE,
    S_HEAD,
    SLOT,
    SLOTS,
    SPAN,
    VALUE,
)
from solvers.kernels.state import new_state
from solvers.kernels.whole_routes import label_space
from solvers.solution import Route, Solution
from solvers.travel import IntArray

announce_compiling("solvers.kernels", Path(__file__).parent)


class Session:
    """Owns the state of one search. `best()` is always free of violations."""

    def __init__(self, packed: Packed, seed: int) -> None:
        self.packed = packed
        self.state = new_state(packed, seed)
        width = ruin_recreate.MAX_REMOVED + ruin_recreate.MAX_FROM_BANK
        self.scratch = (np.empty(width, dtype=np.int64), np.empty(width), label_space(packed, seed))

    @property
    def has_labels(self) -> bool:
        """Whether prizes are to be had, without which no whole new route pays and labels have no room."""
        return self.scratch[2].size > 1

    @property
    def _hard(self) -> IntArray:
        return self.packed.node[:, HARD - P_HEAD]

    @property
    def _prize(self) -> IntArray:
        return self.packed.node[:, PRIZE - P_HEAD]

    def _best_links(self) -> IntArray:
        """(M, 4): previous, next, slot, span of each item in the best solution."""
        items = self.packed.nodes + 2 * int(self.packed.ints[SLOTS])
        return self.state[S_HEAD : S_HEAD + ITEM * items].reshape(items, ITEM)[
            :, BEST - S_HEAD : BEST - S_HEAD + 4
        ]

    def construct(self) -> None:
        """Savings routes, then greedy insertion of what is left."""
        p = self.packed
        n = p.nodes
        if n == p.depots:
            return
        kind, alone = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.int64)
        most = 2 * p.nodes * int(p.ints[NEAR_WIDTH])
        tail, head, gain = (np.empty(most, dtype=np.int64) for _ in range(3))
        count = savings.pair_savings(*p.arrays, kind, alone, tail, head, gain)
        by_gain = np.argsort(-gain[:count], kind="stable")
        flat, starts = np.empty(n, dtype=np.int64), np.empty(n + 1, dtype=np.int64)
        kinds = np.empty(n, dtype=np.int64)
        routes = savings.join(*p.arrays, tail[by_gain], head[by_gain], kind, alone, flat, starts, kinds)
        self._load(flat, starts[: routes + 1], kinds[:routes])

    def start_from(self, solution: Solution) -> None:
        """The routes of `solution`, all of known visits, that hold, then greedy insertion of what is left."""
        place = np.empty(len(self.packed.order), dtype=np.int64)
        place[self.packed.order] = np.arange(self.packed.depots, self.packed.nodes)
        lengths = [len(r) for r in solution.routes]
        visits = [v for r in solution.routes for v in r.visits]
        flat = place[np.array(visits, dtype=np.int64)]
        starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        self._load(flat, starts, np.array([r.vehicle_type for r in solution.routes], dtype=np.int64), True)

    def _load(self, flat: IntArray, starts: IntArray, kinds: IntArray, given: bool = False) -> None:
        """Add routes and greedily what is left; those of a given plan keep their vehicles if they can."""
        p = self.packed
        # where vehicles are short, routes whose loss would hurt most choose first
        worth = np.zeros(len(kinds))
        if len(kinds):
            value = self._hard[flat[: starts[-1]]] * 1e6 + self._prize[flat[: starts[-1]]] + 1e-3
            worth = np.add.reduceat(value, starts[:-1])
        by_worth = np.argsort(-worth, kind="stable")
        pieces = [flat[starts[m] : starts[m + 1]] for m in by_worth]
        new_starts = np.concatenate([[0], np.cumsum([len(p) for p in pieces])]).astype(np.int64)
        new_flat = np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int64)
        chosen = kinds[by_worth]
        if given:
            savings.load_given(*p.arrays, self.state, new_flat, new_starts, chosen)
        savings.load_routes(*p.arrays, self.state, new_flat, new_starts, chosen)
        visits = np.arange(p.depots, p.nodes)
        first = np.lexsort((visits, -self._prize[visits], -self._hard[visits]))
        savings.fill(*p.arrays, self.state, visits[first])

    @property
    def best_cost(self) -> int:
        """Cost of the best solution, prizes lost included, unserved mandatory visits not."""
        return int(self.state[BEST_VALUE])

    @property
    def best_rank(self) -> tuple[int, int]:
        """Orders solutions: weighted unserved mandatory visits, then cost."""
        return int(self.state[BEST_HARD]), int(self.state[BEST_VALUE])

    @property
    def best_unserved(self) -> int:
        """Number of mandatory visits on no route of the best solution."""
        visits = slice(self.packed.depots, self.packed.nodes)
        absent = self._best_links()[visits, SLOT - PREV] < 0
        return int((absent & (self._hard[visits] > 0)).sum())

    @property
    def edge_cost(self) -> float:
        """Mean cost of an edge of the present solution; the scale of the temperatures."""
        edges = max(1, self.packed.nodes - self.packed.depots)
        return max(1.0, float(self.state[VALUE]) / edges)

    @property
    def fewest_routes(self) -> int:
        """Routes that the loads (deliveries, where there are both) of mandatory visits ask for at least."""
        p = self.packed
        room = np.maximum(1, p.kind[p.kind[:, COUNT] > 0, CAPACITY:].max(axis=0, initial=0))
        return int((-(-p.load[self._hard > 0].sum(axis=0) // room)).max(initial=0))

    def best(self) -> Solution:
        """The best solution found so far."""
        n, best = self.packed.nodes, self._best_links()
        heads = np.flatnonzero(best[n::2, NEXT - PREV] < n)
        follow = best[:, NEXT - PREV].tolist()
        routes = []
        for r in heads.tolist():
            x, visits = follow[n + 2 * r], []
            while x < n:
                visits.append(x)
                x = follow[x]
            back = self.packed.order[np.array(visits, dtype=np.int64) - self.packed.depots]
            routes.append(Route(int(best[n + 2 * r, SPAN - PREV]), tuple(back.tolist())))
        routes.sort(key=lambda route: (route.vehicle_type, route.visits))
        return Solution(tuple(routes))
