"""One population at work: arrays made for a problem or a part of it, solutions in, solutions out."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from solvers.kernels.genetic import evolve as E
from solvers.kernels.genetic import individuals as I
from solvers.kernels.genetic import layout as L
from solvers.kernels.genetic.data import Packed
from solvers.kernels.genetic.population import new_population
from solvers.kernels.genetic.segments import new_state
from solvers.solution import Route
from solvers.travel import IntArray


@dataclass(frozen=True, slots=True)
class Tuning:
    """Parameters of the search, see `solvers.genetic.GeneticSolver`."""

    minimum: int = 25
    offspring: int = 40
    elite: int = 4
    close: int = 5
    initial: int = 100
    patience: int = 20_000
    longest: int = 2
    swap_star: bool = True
    ordered_share: float = 1.0
    most_routes: float = 0.5
    target_feasible: float = 0.2
    raise_factor: float = 1.2
    lower_factor: float = 0.85
    prices_every: int = 100
    repair: float = 0.5
    repair_factor: float = 10.0

    def array(self, splits: bool) -> np.ndarray:
        """The kernels' tuning vector; `splits`: tours can be split, otherwise only SREX makes children."""
        tune = np.zeros(E.TUNE)
        for place, value in (
            (E.LONGEST, self.longest),
            (E.STAR, self.swap_star),
            (E.ORDERED_SHARE, self.ordered_share if splits else 0.0),
            (E.MOST_ROUTES, self.most_routes),
            (E.TARGET, self.target_feasible),
            (E.RAISE, self.raise_factor),
            (E.LOWER, self.lower_factor),
            (E.EVERY, self.prices_every),
            (E.REPAIR, self.repair),
            (E.REPAIR_FACTOR, self.repair_factor),
            (E.PATIENCE, self.patience),
            (E.RESTART_SIZE, self.initial),
            (E.BY_SPLIT, splits),
        ):
            tune[place] = value
        return tune


class Evolution:
    """A population of solutions of one packed problem. Same arrays, seed and calls: same results."""

    def __init__(self, packed: Packed, seed: int, tuning: Tuning) -> None:
        self.packed = packed
        head = packed.ints
        self.splits = bool(
            head[L.KINDS] == 1 and head[L.REVERSIBLE] and not head[L.MASKED] and not head[L.OPTIONAL]
        )
        self.state, self.prices = new_state(packed, seed)
        self.rows, self.costs, self.distances = new_population(
            packed, tuning.minimum, tuning.offspring, tuning.elite, tuning.close
        )
        self.scratch = np.zeros((2 * packed.slots + 4) * (packed.nodes + 1) if self.splits else 1)
        self.tune = tuning.array(self.splits)
        self._set_prices()
        self.rows[I.PENDING] = tuning.initial

    def _set_prices(self) -> None:
        """First prices: a unit of load as dear as its share of a long trip, a unit of time as one of distance."""
        head, dims = self.packed.ints, int(self.packed.ints[L.DIMS])
        width = int(head[L.KIND_WIDTH])
        kinds = head[head[L.KIND_AT] : head[L.KIND_AT] + width * head[L.KINDS]].reshape(-1, width)
        per = max(1.0, float(kinds[:, L.PER_DISTANCE].mean()))
        legs = self.packed.matrices
        if head[L.BARRED]:
            legs = legs[legs < head[L.BARRED]]
        far = float(legs.max(initial=1)) * per
        node = head[L.P_HEAD : L.P_HEAD + L.NODE * self.packed.nodes].reshape(-1, L.NODE)
        if head[L.MIXED]:
            load = head[head[L.LOAD_AT] : head[L.LOAD_AT] + 2 * dims * self.packed.nodes].reshape(-1, 2, dims)
            most = load.max(axis=(0, 1), initial=1)
        else:
            most = np.full(dims, node[:, L.LOAD - L.P_HEAD].max(initial=1))
        self.prices[L.Q_LOAD : L.Q_LOAD + dims] = np.clip(far / np.maximum(most, 1), 0.1, 1e6)
        self.prices[[L.Q_WARP, L.Q_DISTANCE, L.Q_DURATION]] = per

    @property
    def _arrays(self) -> tuple[np.ndarray, ...]:
        return (
            self.packed.matrices,
            self.packed.ints,
            self.state,
            self.prices,
            self.rows,
            self.costs,
            self.distances,
        )

    def run(self, generations: int) -> None:
        """So many generations."""
        self._call(generations, 0)

    def _call(self, generations: int, given: int) -> None:
        """The compiled search, see `solvers.kernels.genetic.evolve`."""
        E.evolve(*self._arrays, self.scratch, self.tune, generations, given)

    def bring_in(self, routes: Iterable[Route], search: bool = True) -> None:
        """Add a solution to the population, as it is and (`search`) after local search.

        Visits and types that are not of this problem are ignored.
        """
        p, x = self.packed, self.rows[I.X_HEAD + int(self.rows[I.X_WIDTH]) * I.CHILD :]
        node = {int(v): p.depots + k for k, v in enumerate(p.order)}
        kind = {int(t): k for k, t in enumerate(p.kinds)}
        starts, kinds = I.SEQUENCE + p.nodes, I.SEQUENCE + p.nodes + p.slots + 1
        count = k = 0
        for route in routes:
            known = [node[v] for v in route.visits if v in node]
            if not known or route.vehicle_type not in kind or count == p.slots:
                continue
            x[starts + count], x[kinds + count] = k, kind[route.vehicle_type]
            x[I.SEQUENCE + k : I.SEQUENCE + k + len(known)] = known
            count, k = count + 1, k + len(known)
        x[starts + count], x[I.N_ROUTES], x[I.N_SEQUENCE] = k, count, k
        self._call(0, 2 if search else 1)

    @property
    def best_cost(self) -> int | None:
        """Cost of the best feasible solution, prizes of visits it leaves out included; None if none is known."""
        if not self.rows[I.HAS_BEST]:
            return None
        return round(float(self.costs[I.F_WIDTH * I.BEST_ROW + I.COST]))

    def best(self) -> tuple[Route, ...]:
        """Routes of the best feasible solution, in the problem's numbers."""
        return self.routes_of(I.BEST_ROW)

    def routes_of(self, row: int) -> tuple[Route, ...]:
        """Routes of a row, in the problem's numbers."""
        p, x = self.packed, self.rows[I.X_HEAD + int(self.rows[I.X_WIDTH]) * row :]
        starts, kinds = I.SEQUENCE + p.nodes, I.SEQUENCE + p.nodes + p.slots + 1
        visits = p.order[x[I.SEQUENCE : I.SEQUENCE + x[I.N_SEQUENCE]] - p.depots].tolist()
        cuts = x[starts : starts + x[I.N_ROUTES] + 1].tolist()
        types = p.kinds[x[kinds : kinds + x[I.N_ROUTES]]].tolist()
        return tuple(Route(t, tuple(visits[a:b])) for t, a, b in zip(types, cuts[:-1], cuts[1:], strict=True))


def slots_for(packed_visits: IntArray, demand: float, capacity: float, routes: int, vehicles: int) -> int:
    """How many route slots to keep: more than any sensible solution uses, fewer than one per visit."""
    least = math.ceil(1.3 * demand / capacity) if capacity > 0 else len(packed_visits)
    return max(1, min(vehicles, len(packed_visits), max(least + 3, math.ceil(1.5 * routes) + 5)))
