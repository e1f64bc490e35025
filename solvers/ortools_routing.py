"""The `ortools` solver: OR-Tools routing on neighbourhoods of the problem, and CP-SAT over the routes seen.

OR-Tools is at its best on some hundred visits. So the problem is first cut into compact groups. Cheapest
insertion makes a plan of each within some milliseconds, then each is solved by ruin and recreate under
annealing; then neighbourhoods of a few routes are solved again, in turn from nothing by annealing and from
their present routes by guided local search; now and then CP-SAT picks the best combination of all routes met.
No matrix larger than a group's is made, so coordinates alone do at any size.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np

from solvers import clock
from solvers.check import check, cost_of
from solvers.constraints import ROUTE_CONSTRAINTS, known_routes
from solvers.features import CLASSIC, require
from solvers.interrupts import interrupts_noted
from solvers.ortools_model import Budget, Model, Routes
from solvers.ortools_parts import (
    able_visits,
    compact_groups,
    decisive,
    fits,
    nearest_first,
    need_of,
    penalties,
    possible_visits,
    servable_visits,
    usable_types,
)
from solvers.problem import Problem
from solvers.ranges import ANY, POSITIVE, SHARE, SOME, Ranges
from solvers.result import Incumbent, OnBest, Result, Status
from solvers.route_pool import RoutePool
from solvers.schedule import leg_function, schedule
from solvers.solution import Route, Solution
from solvers.stop import Progress, Stop, Uncounted
from solvers.travel import IntArray

_KEPT = 600  # routes of one annealing run that go to the pool, the latest
_TOLD = 10  # plans told of while groups are solved, at most


@dataclass(frozen=True, slots=True)
class GroupPlan:
    """Routes of some visits, and what they cost with the penalties of the visits that they leave out."""

    routes: Routes
    objective: int


GroupSearch = Callable[[list[int], list[int]], GroupPlan | None]  # of visits and vehicles (types)


class OrtoolsSolver:
    """OR-Tools routing.

    group_size            visits in one neighbourhood
    group_seconds         time for one search of a neighbourhood by annealing
    group_solutions       accepted solutions in one search, where the stop sets no time limit
    smallest              least size of a neighbourhood, as a share of `group_size`
    gls_every             every so many neighbourhoods guided local search goes on from the present routes
    hot                   first annealing temperature, in mean leg costs
    removed               mean visits removed per ruin
    pool_share            share of the run given to set partitioning over the routes met, 0 for none
    exact_visits          problems of at most so many visits are first tried by CP-SAT as a whole, which proves
                          what it finds optimal if it gets that far
    exact_work            units of deterministic time for that

    One iteration is one search of a neighbourhood. Ctrl-C ends the run after the present one.
    """

    name = "ortools"
    features = CLASSIC
    ablations: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "no set partitioning": {"pool_share": 0.0},
        "no guided local search": {"gls_every": 10**9},
        "only guided local search": {"gls_every": 1},
        "neighbourhoods of one size": {"smallest": 1.0},
        "half the neighbourhood": {"group_size": 60},
    }

    ranges: ClassVar[Ranges] = {
        "group_size": (2, math.inf),
        "group_seconds": POSITIVE,
        "group_solutions": SOME,
        "smallest": SHARE,
        "gls_every": SOME,
        "hot": POSITIVE,
        "removed": SOME,
        "pool_share": SHARE,
        "exact_visits": ANY,
        "exact_work": POSITIVE,
    }

    def __init__(
        self,
        group_size: int = 120,
        group_seconds: float = 2.5,
        group_solutions: int = 200,
        smallest: float = 0.35,
        gls_every: int = 2,
        hot: float = 0.3,
        removed: int = 10,
        pool_share: float = 0.15,
        exact_visits: int = 12,
        exact_work: float = 3.0,
    ) -> None:
        self.group_size = group_size
        self.group_seconds = group_seconds
        self.group_solutions = group_solutions
        self.smallest = smallest
        self.gls_every = gls_every
        self.hot = hot
        self.removed = removed
        self.pool_share = pool_share
        self.exact_visits = exact_visits
        self.exact_work = exact_work

    def enough(self, problem: Problem) -> int:  # noqa: ARG002
        """Iterations for a plan that somebody waits for, see `registry.enough_iterations`."""
        return 2

    def solve(
        self,
        problem: Problem,
        stop: Stop,
        *,
        seed: int,
        start: Solution | None = None,
        on_best: OnBest[Solution] | None = None,
    ) -> Result[Solution]:
        """Best solution found before `stop`. Routes of `start` that violate a constraint are dropped."""
        require(problem, self.features, self.name)
        run = _Run(self, problem, stop, seed, on_best)
        with interrupts_noted(run.interrupt):  # OR-Tools swallows exceptions raised in its callbacks
            run.search(start)
        return run.result()


class _Run:
    """One solve: the incumbent, the clock and the neighbourhoods."""

    def __init__(
        self, solver: OrtoolsSolver, problem: Problem, stop: Stop, seed: int, on_best: OnBest[Solution] | None
    ) -> None:
        self.solver, self.problem, self.seed, self.on_best = solver, problem, seed, on_best
        self.rng = np.random.default_rng(seed)
        self.interrupted = False
        self.proven = False
        self.began = clock.seconds()
        self.monitor, self.uncounted = stop.monitor(), Uncounted(stop).monitor()
        self.max_runtime = stop.max_runtime_s
        self.iterations = 0
        self.improved_at = 0
        self.routes: Routes = ()
        self.objective: int | None = None
        self.history: list[tuple[float, int, int]] = []
        self.penalty = penalties(problem)
        self.usable = usable_types(problem)
        self.servable = servable_visits(problem, self.usable)
        self.pool = RoutePool(problem)
        self.legs = {int(k): leg_function(problem, int(k)) for k in np.unique(problem.vehicle_types.profile)}

    def interrupt(self) -> None:
        self.interrupted = True

    # -- the clock

    def elapsed(self) -> float:
        return clock.seconds() - self.began

    def over(self) -> bool:
        best = self.history[-1][1] if self.history else None
        return self.interrupted or self.monitor(
            Progress(self.iterations, self.iterations - self.improved_at, best)
        )

    def enough(self) -> bool:
        """Whether Ctrl-C, time or a cost ends the run; iterations do not before all groups are solved."""
        best = self.history[-1][1] if self.history else None
        return self.interrupted or self.uncounted(Progress(0, 0, best))

    def budget(self, share: float = 1.0) -> Budget:
        """For one search: by solutions where the stop has no time limit, else by time."""
        if self.max_runtime is None:
            return Budget(self.solver.group_solutions)
        left = self.max_runtime - self.elapsed()
        return Budget(10**9, max(0.05, min(left, self.solver.group_seconds * share)))

    # -- costs

    def route_cost(self, route: Route) -> int | None:
        """Cost of a route, None if it violates a constraint."""
        run = schedule(
            self.problem, route, self.legs[int(self.problem.vehicle_types.profile[route.vehicle_type])]
        )
        if any(True for c in ROUTE_CONSTRAINTS for _ in c.check(self.problem, run)):
            return None
        return cost_of(self.problem, run).total

    def evaluate(self, routes: Routes, visits: list[int]) -> int | None:
        """Cost of the routes plus the penalty of every visit of `visits` that they leave out."""
        costs = [self.route_cost(r) for r in routes]
        if any(c is None for c in costs):
            return None
        served = {v for r in routes for v in r.visits}
        total = sum(int(self.penalty[v]) for v in visits if v not in served)
        for route, cost in zip(routes, costs, strict=True):
            assert cost is not None
            self.pool.add(route, cost)
            total += cost
        return total

    def accept(self, routes: Routes, objective: int) -> None:
        """Make a whole solution the incumbent."""
        better = self.objective is None or objective < self.objective
        self.routes, self.objective = routes, objective
        if not better:
            return
        self.improved_at = self.iterations
        solution = Solution(routes)
        report = check(self.problem, solution)
        elapsed = self.elapsed()
        self.history.append((elapsed, report.cost.total, len(report.unserved)))
        if self.on_best is not None:
            self.on_best(
                Incumbent(solution, report.cost.total, len(report.unserved), elapsed, self.iterations)
            )

    # -- the search

    def search(self, start: Solution | None) -> None:
        everything = list(range(self.problem.num_visits))
        if start is not None:
            routes = known_routes(self.problem, start).routes
            kept = tuple(r for r in routes if r.visits and self.route_cost(r) is not None)
            if not check(self.problem, Solution(kept)).violations:
                value = self.evaluate(kept, everything)
                assert value is not None
                self.accept(kept, value)
        if not self.servable or not self.usable:
            if self.objective is None:
                self.accept((), int(self.penalty.sum()))
            return
        given = bool(self.routes)
        groups = compact_groups(self.problem, self.servable, self.solver.group_size)
        parts = [] if given else self.sketch(groups)
        small = fits(self.problem, self.solver.exact_visits) and not self.interrupted
        found = small and self.prove()
        if self.proven:
            return
        if not (given or found or self.enough()):
            self.build(groups, parts)
        self.improve()

    def prove(self) -> bool:
        """Try the whole problem exactly; whether that finds a plan. `proven` says whether it is optimal."""
        from solvers.ortools_exact import solve_exactly

        seconds = None if self.max_runtime is None else max(0.05, 0.5 * self.max_runtime - self.elapsed())
        work, self.iterations = self.solver.exact_work, self.iterations + 1
        found = solve_exactly(self.problem, self.usable, self.penalty, work, seconds, self.seed)
        if found is None:
            return False
        value = self.evaluate(found.routes, list(range(self.problem.num_visits)))
        if value is None:
            return False
        if self.objective is None or value < self.objective:
            self.accept(found.routes, value)
        self.proven = found.proven and value == found.objective
        return True

    def sketch(self, groups: list[list[int]]) -> list[GroupPlan]:
        """A first plan at once; the plans of the groups that it consists of.

        It heeds no clock: a group given up for time would be missing from the plans that follow, too.
        """
        parts = list(self.solve_groups(groups, lambda _: self.first, None))
        self.take(parts)
        return parts

    def build(self, groups: list[list[int]], parts: list[GroupPlan]) -> None:
        """Solve the groups anew by annealing.

        Those yet to be solved are as in `parts` meanwhile, where there are vehicles for that. Plans are told of at
        most `_TOLD` times, since each is checked whole.
        """

        def annealing(i: int) -> GroupSearch:
            if self.max_runtime is None:
                return self.anneal
            rest = 0.5 * self.max_runtime - self.elapsed()
            share = max(0.02, min(1.0, rest / (len(groups) - i) / self.solver.group_seconds))
            return partial(self.anneal, share=share)

        solved: list[GroupPlan] = []
        until = None if self.max_runtime is None else 0.6 * self.max_runtime
        for plan in self.solve_groups(groups, annealing, until):
            solved.append(plan)
            self.iterations += 1
            ending = self.enough()
            if len(solved) % math.ceil(len(groups) / _TOLD) == 0 or ending:
                self.take([*solved, *parts[len(solved) :]])
            if ending or self.enough():
                return
        self.take(solved)

    def solve_groups(
        self, groups: list[list[int]], search_of: Callable[[int], GroupSearch], until: float | None
    ) -> Iterator[GroupPlan]:
        """`solve_group` one after the other, by the search for the number of each; unused vehicles go on."""
        left = np.array(self.problem.vehicle_types.count, dtype=np.int64)
        waiting = sum(map(len, groups))
        for i, group in enumerate(groups):
            plan = self.solve_group(group, left, search_of(i), waiting, until)
            left -= self.used(plan.routes)
            waiting -= len(group)
            yield plan

    def used(self, routes: Routes) -> IntArray:
        """(types,) vehicles that the routes take."""
        kinds = np.array([route.vehicle_type for route in routes], dtype=np.int64)
        return np.bincount(kinds, minlength=len(self.problem.vehicle_types.count)).astype(np.int64)

    def take(self, parts: list[GroupPlan]) -> None:
        """Make groups' plans together the incumbent if they are better and there are vehicles for them."""
        routes = tuple(route for part in parts for route in part.routes)
        hopeless = set(range(self.problem.num_visits)) - set(self.servable)
        objective = sum(part.objective for part in parts) + int(self.penalty[sorted(hopeless)].sum())
        better = self.objective is None or objective < self.objective
        if better and (self.used(routes) <= self.problem.vehicle_types.count).all():
            self.accept(routes, objective)

    def solve_group(
        self, group: list[int], left: IntArray, search: GroupSearch, waiting: int, until: float | None
    ) -> GroupPlan:
        """Routes for `group`, of the `waiting` visits for which vehicles are `left`: with few at first, and with
        more while mandatory visits stay unserved, but not after `until` seconds of the run."""
        best = GroupPlan((), int(self.penalty[group].sum()))
        needs = need_of(self.problem, group)
        fair = np.ceil(left * (len(group) / waiting)).astype(np.int64)
        while True:
            numbers = [min(int(left[k]), max(int(needs[k]), 1), max(int(fair[k]), 1)) for k in self.usable]
            vehicles = [k for k, number in zip(self.usable, numbers, strict=True) for _ in range(number)]
            found = search(group, vehicles) if vehicles else None
            if found is not None and found.objective < best.objective:
                best = found
            served = {v for r in best.routes for v in r.visits}
            unserved = [v for v in group if v not in served and self.problem.visits.required[v]]
            most = [min(int(left[k]), len(group)) for k in self.usable]
            late = until is not None and self.elapsed() > until
            if not unserved or numbers == most or self.interrupted or late:
                return best
            needs, fair = needs * 2, fair * 2

    def first(self, visits: list[int], vehicles: list[int]) -> GroupPlan | None:
        """Routes by cheapest insertion."""
        chosen = able_visits(self.problem, visits, vehicles)
        if not chosen:
            return None
        return self.part(Model(self.problem, chosen, vehicles, self.penalty).first(Budget(1)), visits)

    def part(self, routes: Routes | None, visits: list[int]) -> GroupPlan | None:
        """The routes with their objective over `visits`, None where there are none or one breaks a rule."""
        value = None if routes is None else self.evaluate(routes, visits)
        return None if routes is None or value is None else GroupPlan(routes, value)

    def anneal(self, visits: list[int], vehicles: list[int], share: float = 1.0) -> GroupPlan | None:
        """Routes and objective by annealing from nothing."""
        chosen = able_visits(self.problem, visits, vehicles)
        if not chosen:
            return None
        model = Model(self.problem, chosen, vehicles, self.penalty)
        met: dict[Route, None] = {}
        routes = model.anneal(
            self.budget(share),
            self.solver.hot,
            self.solver.removed,
            lambda seen: met.update(dict.fromkeys(seen)),
        )
        for route in list(met)[-_KEPT:]:
            cost = self.route_cost(route)
            if cost is not None:
                self.pool.add(route, cost)
        return self.part(routes, visits)

    def improve(self) -> None:
        """Solve neighbourhoods again until the stop says so."""
        pooled, pooled_s, pooled_at = len(self.pool), 0.0, 0
        turn = 0
        while not self.over():
            self.iterations += 1
            turn += 1
            share = self.solver.pool_share
            due = len(self.pool) > 1.2 * pooled and turn - pooled_at >= 8
            if share and due and pooled_s <= share * self.elapsed():
                before = self.elapsed()
                self.recombine()
                pooled, pooled_at, pooled_s = len(self.pool), turn, pooled_s + self.elapsed() - before
                continue
            self.resolve(afresh=turn % self.solver.gls_every != 0)

    def resolve(self, afresh: bool) -> None:
        """One neighbourhood: a few routes around a seed visit, one free vehicle per type, visits left out."""
        problem = self.problem
        assert self.objective is not None
        part = float(self.rng.uniform(self.solver.smallest, 1.0))
        inside, visits = self.neighbourhood(int(part * self.solver.group_size))
        share = part**1.5
        old = tuple(self.routes[i] for i in inside)
        used = self.used(self.routes)
        free = [k for k in self.usable if problem.vehicle_types.count[k] > used[k]]
        vehicles = [r.vehicle_type for r in old] + free
        if not vehicles or not able_visits(problem, visits, vehicles):
            return
        before = self.evaluate(old, visits)
        if afresh or not old or len(visits) < 5:  # too few moves for guided local search to go on
            found = self.anneal(visits, vehicles, share)
        else:
            chosen = able_visits(problem, visits, vehicles)
            model = Model(problem, chosen, vehicles, self.penalty)
            routes = model.improve([*(r.visits for r in old), *([] for _ in free)], self.budget(0.25 * share))
            found = self.part(routes, visits)
        if found is None or before is None or found.objective > before:
            return
        outside = tuple(r for i, r in enumerate(self.routes) if i not in set(inside))
        self.accept(outside + found.routes, self.objective - before + found.objective)

    def neighbourhood(self, size: int) -> tuple[list[int], list[int]]:
        """Indices of some routes close to each other, and their visits with the left-out ones nearby."""
        route_of = {v: i for i, r in enumerate(self.routes) for v in r.visits}
        left_out = [v for v in self.servable if v not in route_of]
        seeds = left_out if left_out and self.rng.random() < 0.5 else self.servable
        seed = seeds[int(self.rng.integers(len(seeds)))]
        inside: list[int] = []
        visits: list[int] = []
        for visit in nearest_first(self.problem, seed, self.servable):
            if len(visits) >= size:
                break
            if visit not in route_of:
                visits.append(visit)
                continue
            route = route_of[visit]
            if route in inside:
                continue
            if len(inside) >= 2 and len(visits) + len(self.routes[route]) > size:
                break
            inside.append(route)
            visits += self.routes[route].visits
        return inside, visits

    def recombine(self) -> None:
        """The best choice among all routes met."""
        assert self.objective is not None
        seconds = None
        if self.max_runtime is not None:
            seconds = max(
                0.1, min(self.solver.pool_share * self.max_runtime, self.max_runtime - self.elapsed())
            )
        routes = self.pool.select(self.routes, self.penalty, seconds, work=4.0, seed=self.seed % 2**31)
        value = None if routes is None else self.evaluate(routes, list(range(self.problem.num_visits)))
        if routes is not None and value is not None and value < self.objective:
            self.accept(routes, value)

    def result(self) -> Result[Solution]:
        solution = Solution(self.routes)
        report = check(self.problem, solution)
        status = Status.OPTIMAL if self.proven and report.feasible else report.status
        if self.proven and report.unserved:  # leaving fewer mandatory visits out may be proven impossible
            status = Status.INFEASIBLE if decisive(self.problem, self.penalty) else report.status
        hopeless = set(range(self.problem.num_visits)) - set(possible_visits(self.problem, self.usable))
        if any(self.problem.visits.required[v] for v in hopeless):
            status = Status.INFEASIBLE
        if not self.routes and not report.unserved:
            status = Status.FEASIBLE
        return Result(
            status=status,
            solution=solution,
            cost=report.cost.total,
            unserved=report.unserved,
            solver=self.solver.name,
            seed=self.seed,
            iterations=self.iterations,
            runtime_s=self.elapsed(),
            history=tuple(self.history),
            interrupted=self.interrupted,
        )
