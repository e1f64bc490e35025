"""A search in progress: one packed problem, its state, and batches of compiled work."""

from __future__ import annotations

from typing import Any

import numpy as np

from solvers.constraints import known_routes
from solvers.kernels.rich import layout as at
from solvers.kernels.rich import search as acts
from solvers.kernels.rich.pack import Packed
from solvers.kernels.rich.search import FLEET, MAX_STRING, MEAN_REMOVED, TEMPERATURE, act
from solvers.problem import Problem
from solvers.solution import Halt, Route, Solution

_NO_ITEMS = np.zeros(0, dtype=np.int64)


class Session:
    """Arrays of one search. `tune` is the kernels' tuning vector (`solvers.kernels.rich.search`)."""

    def __init__(self, problem: Problem, packed: Packed, seed: int, tune: Any, weights: Any) -> None:
        self.problem, self.packed, self.tune = problem, packed, tune
        total, slots, width, jobs = (packed[c] for c in (at.N, at.SLOTS, at.WIDTH, at.JOBS))
        kinds, dims, cached = packed[at.KINDS], packed[at.DIMS], packed[at.CACHED]
        cells = jobs * slots if cached else 1
        sizes = [
            (at.SEQ_AT, slots * width),
            (at.SLOT_AT, slots * at.SLOT),
            (at.USED_AT, slots),
            (at.FREE_AT, slots),
            (at.WHERE_AT, total),
            (at.ABSENT_AT, jobs),
            (at.ABSENT_OLD_AT, jobs),
            (at.SAVED_AT, slots),
            (at.BACKUP_AT, slots * width),
            (at.BEST_AT, total + slots * 2 + max(total, slots)),
            (at.CACHE_AT, at.CACHE * cells),
            (at.ABSENCES_AT, jobs),
            (at.KIND_USED_AT, kinds),
            (at.LOCATE_AT, jobs),
        ]
        self.state = _laid_out(at.S_HEAD, sizes, np.int64)
        s = self.state
        mixed = np.random.SeedSequence(seed).generate_state(1, np.uint64) | np.uint64(1)
        s[at.RANDOM] = mixed.astype(np.int64)[0]
        s[at.N_FREE], s[at.CAP] = slots, slots
        rows = s[s[at.SLOT_AT] : s[at.SLOT_AT] + slots * at.SLOT].reshape(slots, at.SLOT)
        rows[:, at.PLACE] = np.arange(slots)
        s[s[at.FREE_AT] : s[at.FREE_AT] + slots] = np.arange(slots)
        s[s[at.WHERE_AT] : s[at.WHERE_AT] + total] = -1
        s[s[at.ABSENT_AT] : s[at.ABSENT_AT] + jobs] = np.arange(jobs)
        s[at.N_ABSENT] = jobs
        s[s[at.ABSENCES_AT] : s[at.ABSENCES_AT] + jobs] = 1
        places = [
            (at.V_COST_AT, slots),
            (at.V_OLD_AT, slots),
            (at.V_CACHE_AT, cells),
            (at.V_WEIGHT_AT, 2 * len(weights)),
        ]
        self.values = _laid_out(at.V_HEAD, places, np.float64)
        w = int(self.values[at.V_WEIGHT_AT])
        self.values[w : w + 2 * len(weights)] = [*weights, *weights]
        job_rows = packed.ints[packed[at.JOB_AT] :][: jobs * at.JOB].reshape(jobs, at.JOB)
        self.values[at.EXTRA] = packed.floats[packed[at.F_JOB_AT] :][:jobs].sum()
        self.values[at.MISSED] = job_rows[:, at.J_HARD].sum()
        by_hour = "time_dependent" in problem.features
        most_gaps = max(map(len, problem.closed_times.values()), default=0)
        scratch = [
            (at.ITEMS_AT, (width + 4) * at.HANDS),
            (at.TRIAL_AT, 2 * width + 8),
            (at.SECOND_AT, 2 * width + 8),
            (at.LEG_AT, (width + 4) * dims * at.HANDS),
            (at.BEFORE_AT, (width + 4) * dims * at.HANDS),
            (at.AFTER_AT, (width + 4) * dims * at.HANDS),
            (at.MARKS_AT, 2 * total),
            (at.STACK_AT, width + 4),
            (at.TRIP_AT, (width + 4) * at.HANDS),
            (at.LOADS_AT, dims),
            (at.ORDER_AT, slots + 1),
            (at.PLAN_AT, 2 * width + 12),
            (at.LABEL_AT, at.LABELS * at.L_ROW),
            (at.CURVE_AT, 4 * (width + 4) * at.HANDS if by_hour else 0),
            (at.CURVED_AT, at.HANDS),
        ]
        self.scratch = _laid_out(at.B_HEAD, scratch, np.int64)
        self.scratch[at.HAND_ROWS : at.HAND_ROWS + 3 * at.HANDS] = -1
        times = [
            (at.READY_AT, (width + 4) * at.HANDS),
            (at.LATEST_AT, (width + 4) * at.HANDS),
            (at.TOP_AT, 2 * at.TOP),
            (at.START_AT, 2 * width + 12),
            (at.STAY_AT, 2 * width + 12),
            (at.LEFT_AT, width + 4),
            (at.WAY_AT, (width + 4) * at.HANDS),
            (at.SPAN_AT, (width + 4) * at.HANDS),
            (at.TIMES_AT, (width + 4) * at.TIMES * at.HANDS),
            (at.LONGER_AT, width + 4),
            (at.LEAST_AT, width + 4),
            (at.LABEL_X_AT, at.LABELS * at.L_VALUE),
            (at.DEP_AT, 3 * at.POINTS),
            (at.DEP2_AT, 3 * at.POINTS),
            (at.KEY_AT, jobs),
            (at.CURVE_X_AT, 2 * at.CURVE * at.HANDS if by_hour else 0),
            (at.BENDS_AT, 4 * packed[at.PERIODS] + 64 + 4 * most_gaps),
        ]
        self.times = _laid_out(at.X_HEAD, times, np.float64)
        self.times[at.LIMIT] = at.INFINITE

    @property
    def arrays(self) -> tuple[Any, ...]:
        return (*self.packed.arrays, self.state, self.values, self.scratch, self.times)

    def follow(self, other: Session) -> None:
        """Go on where another session of this problem has got to with its random numbers and absences."""
        jobs, own, theirs = self.packed[at.JOBS], self.state, other.state
        own[at.RANDOM] = theirs[at.RANDOM]
        mine, known = own[at.ABSENCES_AT], theirs[at.ABSENCES_AT]
        own[mine : mine + jobs] = theirs[known : known + jobs]

    def _act(self, what: int, first: int = 0, second: int = 0, items: Any = _NO_ITEMS) -> float:
        return float(act(*self.arrays, self.tune, what, first, second, items))

    def load_locked(self) -> bool:
        """Load the routes of vehicles under way as far as they are locked; False if one breaks a rule."""
        for kind, visits in enumerate(self.problem.vehicle_types.locked or ()):
            if visits and self.evaluate(Route(kind, visits)) >= at.INFINITE:
                return False
            if visits:
                self._act(acts.LOAD, kind, items=self.items(Route(kind, visits)))
        return True

    def start_from(self, solution: Solution) -> None:
        """Load the routes that keep every rule; what else there is stays absent."""
        solution = known_routes(self.problem, solution)
        locked = self.problem.vehicle_types.locked
        for kind, visits in enumerate(locked or ()):
            if not any(r.vehicle_type == kind and r.visits[: len(visits)] == visits for r in solution.routes):
                solution = Solution((*solution.routes, *Solution.of([visits], kind).routes))
        counts = self.problem.vehicle_types.count
        used = np.zeros(len(counts), dtype=np.int64)
        served: set[int] = set()
        for route in solution.routes:
            kind = route.vehicle_type
            sound = 0 <= kind < len(counts) and used[kind] < counts[kind] and route.visits
            if not sound or served & set(route.visits) or self.state[at.N_FREE] == 0:
                continue
            if self._clashes(route, served) or self.evaluate(route) >= at.INFINITE:
                continue
            if locked is not None and route.visits[: len(locked[kind])] != locked[kind]:
                continue
            used[kind] += 1
            served |= set(route.visits)
            self._act(acts.LOAD, kind, items=self.items(route))
        self.construct()

    def _clashes(self, route: Route, served: set[int]) -> bool:
        """Whether the route serves a second member of a group."""
        group = self.problem.visits.group
        if group is None:
            return False
        taken = [int(group[v]) for v in (*served, *route.visits) if group[v] >= 0]
        return len(taken) != len(set(taken))

    def items(self, route: Route) -> Any:
        """The route as nodes, depots where it reloads included."""
        nodes = [self.problem.num_depots + v for v in route.visits]
        for halt in reversed(route.reloads()):
            nodes.insert(halt.before, halt.place)
        return np.array(nodes, dtype=np.int64)

    def evaluate(self, route: Route) -> float:
        """Cost of a route, `INFINITE` if it breaks a rule or does not fit the arrays; with the stops to charge that
        the kernels choose."""
        if len(route.visits) + len(route.reloads()) > self.packed[at.WIDTH]:
            return at.INFINITE
        return self._act(acts.EVALUATE, route.vehicle_type, items=self.items(route))

    def construct(self) -> None:
        self._act(acts.CONSTRUCT)

    def drop_route(self) -> None:
        self._act(acts.DROP_ROUTE)

    def search(self, iterations: int, since: int) -> tuple[int, int]:
        """Up to so many iterations; how many were done, and how many since the last new best."""
        since = int(self._act(acts.SEARCH, iterations, since))
        return int(self.tune[acts.DONE]), since

    def cool(self, scale: float, first: float, last: float, share: float, fleet: bool = False) -> None:
        """Set the temperature to what is due at this share of the annealing, `scale` times `first` to `last`."""
        self.tune[TEMPERATURE] = scale * first * (last / first) ** share
        self.tune[FLEET] = float(fleet)

    def remove(self, mean: float, longest: float) -> None:
        """Set the mean number of visits that an iteration removes, and the longest string."""
        self.tune[[MEAN_REMOVED, MAX_STRING]] = mean, longest

    @property
    def stops(self) -> float:
        """Mean number of visits on a route of the best solution."""
        return self.problem.num_visits / max(1, int(self.state[at.N_BEST]))

    def allow(self, routes: int) -> None:
        """Let there be no more routes than this."""
        self.state[at.CAP] = min(routes, self.packed[at.SLOTS])

    def keep(self) -> Solution:
        """Make the present solution the best, and return it."""
        self._act(acts.KEEP)
        return self.best()

    @property
    def complete(self) -> bool:
        """Whether the present solution serves all mandatory visits."""
        return bool(self.values[at.MISSED] == 0)

    @property
    def best_rank(self) -> tuple[float, int, float]:
        vehicles = int(self.state[at.N_BEST]) if self.packed[at.VEHICLES_FIRST] else 0
        return float(self.values[at.MISSED_BEST]), vehicles, float(self.values[at.COST_BEST])

    @property
    def best_cost(self) -> int:
        return round(float(self.values[at.COST_BEST]))

    def best(self) -> Solution:
        """The best solution found."""
        s, where, routes = self.state, int(self.state[at.BEST_AT]), []
        for _ in range(int(s[at.N_BEST])):
            kind, length = int(s[where]), int(s[where + 1])
            routes.append(self._route(kind, s[where + 2 : where + 2 + length]))
            where += 2 + length
        return Solution(tuple(sorted(routes, key=lambda r: (r.vehicle_type, r.visits))))

    def _route(self, kind: int, items: Any) -> Route:
        """The items as a route, with its stops to charge."""
        battery = self.problem.vehicle_types.battery
        if battery is not None and battery[kind, 0]:
            self._act(acts.EVALUATE, kind, items=items)
            first, count = self.scratch[at.PLAN_AT] + 1, int(self.scratch[at.PLAN_LENGTH])
            items = self.scratch[first : first + count] if count else items
        depots, beyond = self.problem.num_depots, self.packed[at.STATIONS]
        visits: list[int] = []
        halts = []
        for node in items.tolist():
            if node < depots:
                halts.append(Halt(len(visits), node))
            elif node < beyond:
                visits.append(node - depots)
            else:
                halts.append(Halt(len(visits), self.packed.stations[node - beyond], charge=True))
        return Route(kind, tuple(visits), tuple(halts))

    def charged(self, route: Route) -> Route:
        """The route with the stops to charge that the kernels choose."""
        return self._route(route.vehicle_type, self.items(route))

    @property
    def edge_cost(self) -> float:
        """Mean cost of a leg of the present routes."""
        s, used = self.state, int(self.state[at.N_USED])
        slots = s[s[at.USED_AT] : s[at.USED_AT] + used]
        lengths = s[s[at.SLOT_AT] + at.SLOT * slots + at.LENGTH]
        costs = self.values[int(self.values[at.V_COST_AT]) + slots]
        fixed = self.packed.floats[self.packed[at.F_KIND_AT] + at.FIXED]
        return max(1.0, float((costs - fixed).sum()) / max(1, int(lengths.sum()) + used))


def _laid_out(head: int, parts: list[tuple[int, int]], dtype: Any) -> Any:
    """Zeros with the places of the parts in the header."""
    where, places = head, {}
    for column, size in parts:
        places[column] = where
        where += max(1, size)
    out = np.zeros(where, dtype=dtype)
    for column, place in places.items():
        out[column] = place
    return out
