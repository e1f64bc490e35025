"""Adaptive large neighbourhood search for problems with every feature of the model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from solvers import clock
from solvers.check import CheckReport, check
from solvers.features import CLASSIC, require
from solvers.problem import Objective, Problem
from solvers.ranges import ANY, BLINK, POSITIVE, SHARE, SOME, Ranges
from solvers.result import Incumbent, OnBest, Result, Status
from solvers.solution import Solution
from solvers.splitting import Presplit
from solvers.stop import Progress, Stop, time_ends_first

if TYPE_CHECKING:
    from solvers.kernels.rich.pack import Packed
    from solvers.kernels.rich.session import Session

# With a fleet too small for the start: so many visits make it worth to begin with more vehicles (of 1,000 visits of
# pairs 86 stayed out, then none after 9 s; of 200 to 400 as many or a few more), for at most this share of the run.
FIT_VISITS, FIT_SHARE = 500, 0.4
# Visits removed by an iteration on average, and on long routes at most
FEW_REMOVED, MOST_REMOVED = 10.0, 40.0
# Share of the run after which the first attempt to drop a route is given up; half as long again each time.
PATIENCE = 0.03
# How often visits are put in by priority first, so that one takes the place of a lower one
BY_PRIORITY = 0.5
# Share of the run for finding places for visits that the start leaves out, whatever that costs
PLACES_SHARE = 0.35
# Share of the run after which the longest route, where that comes first, is taken for as short as it gets
LONGEST_SHARE = 0.7
_BATCH_S = 0.15  # aim of a batch's length, where time decides


class AlnsSolver:
    """Ruin and recreate with adaptive choice of ruins and simulated annealing; pairs, alternatives and trips are
    moved as such, and every changed route is driven anew. Demands to be split are divided beforehand
    (`solvers.splitting`).

    Parameters
    ----------
    mean_removed, max_string, blink
        Mean visits removed per iteration, longest string, probability of overlooking a route. By default 10 and 10;
        for pairs, as many as a mean route has, up to 40, and three quarters of that, but while routes are dropped.
    first_temperature, last_temperature
        Of the annealing, in units of the mean cost of a leg at its start.
    strings, split_strings, neighbours, route, trip
        Weights of the ruins at the start.
    reaction
        How fast the weights follow success, 0 to keep them.
    fleet_share
        Share of the run given to making the fleet smaller, where vehicles come first.
    near
        Visits within reach of one ruin.
    exchanges
        Proposals per iteration to exchange route ends, move or swap pieces, or drive them backwards; None takes 4,
        or 1 where they are mostly in vain (pairs) or dear to price (speeds by the hour).
    heat_iterations, reheat
        So many iterations per visit make one annealing; where the run has time for more, it is heated again, to
        `reheat` times the first temperature: few long routes can be shut in by a single one. 0 anneals once.
    """

    name = "alns"
    features = CLASSIC | {
        "backhauls",
        "breaks",
        "electric",
        "exclusive_groups",
        "lifo",
        "locked_routes",
        "longest_route",
        "open_routes",
        "overtime",
        "pickup_delivery",
        "plan_changes",
        "reloads",
        "service_by_type",
        "several_windows",
        "soft_windows",
        "split_delivery",
        "time_dependent",
        "vehicles_first",
    }
    ablations: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "no annealing": {"first_temperature": 1e-9, "last_temperature": 1e-9},
        "no blinks": {"blink": 0.0},
        "weights that stay": {"reaction": 0.0},
        "whole strings only": {"split_strings": 0.0},
        "no strings": {"strings": 0.0, "split_strings": 0.0},
        "no neighbourhoods": {"neighbours": 0.0},
        "no whole routes": {"route": 0.0},
        "no whole trips": {"trip": 0.0},
        "no exchanges": {"exchanges": 0.0},
        "no heating again": {"heat_iterations": 0.0},
        "no search for fewer vehicles": {"fleet_share": 0.0},
        "half the ruin": {"mean_removed": 5.0},
        "twice the ruin": {"mean_removed": 20.0},
        "a third of the neighbours": {"near": 33},
    }

    ranges: ClassVar[Ranges] = {
        "mean_removed": SOME,
        "max_string": SOME,
        "blink": BLINK,
        "first_temperature": POSITIVE,
        "last_temperature": POSITIVE,
        "strings": ANY,
        "split_strings": ANY,
        "neighbours": ANY,
        "route": ANY,
        "trip": ANY,
        "reaction": SHARE,
        "fleet_share": SHARE,
        "near": SOME,
        "exchanges": ANY,
        "heat_iterations": ANY,
        "reheat": POSITIVE,
    }

    def __init__(
        self,
        mean_removed: float | None = None,
        max_string: float | None = None,
        blink: float = 0.02,
        first_temperature: float = 0.3,
        last_temperature: float = 0.003,
        strings: float = 4.0,
        split_strings: float = 4.0,
        neighbours: float = 1.0,
        route: float = 0.3,
        trip: float = 0.5,
        reaction: float = 0.002,
        fleet_share: float = 0.4,
        near: int = 100,
        exchanges: float | None = None,
        heat_iterations: float = 1000.0,
        reheat: float = 10.0,
    ) -> None:
        self.mean_removed, self.max_string, self.blink = mean_removed, max_string, blink
        self.first_temperature, self.last_temperature = first_temperature, last_temperature
        self.weights = [strings, split_strings, neighbours, route, trip]
        self.reaction, self.fleet_share, self.near = reaction, fleet_share, near
        self.exchanges = exchanges
        self.heat_iterations, self.reheat = heat_iterations, reheat

    def enough(self, problem: Problem) -> int:
        """Iterations for a plan that somebody waits for, see `registry.enough_iterations`."""
        return max(200, 10 * problem.num_visits)

    def solve(
        self,
        problem: Problem,
        stop: Stop,
        *,
        seed: int,
        start: Solution | None = None,
        on_best: OnBest[Solution] | None = None,
    ) -> Result[Solution]:
        """See `solvers.registry.Solver`."""
        require(problem, self.features, self.name)
        run = _Run(self, problem, stop, seed, on_best)
        try:
            run.search(start)
        except KeyboardInterrupt:
            run.interrupted = True
        return run.result()


@dataclass
class _Run:
    """One call of `solve`."""

    solver: AlnsSolver
    problem: Problem
    stop: Stop
    seed: int
    on_best: OnBest[Solution] | None
    began: float = field(default_factory=clock.seconds)
    history: list[tuple[float, int, int]] = field(default_factory=list)
    iterations: int = 0
    since: int = 0
    interrupted: bool = False
    solution: Solution = field(default_factory=Solution)

    def __post_init__(self) -> None:
        self.report: CheckReport = check(self.problem, self.solution)
        self.monitor = self.stop.monitor()
        self.rate = 0.0
        self.searching_s = 0.0
        self.by_clock = self.stop.max_iterations is None
        self.parts: Presplit | None = None
        self.searched = self.problem  # what the kernels are given
        self.found = Solution()  # the best solution, as one of that problem

    def elapsed(self) -> float:
        return clock.seconds() - self.began

    def pack(self, problem: Problem) -> Packed:
        from solvers.kernels.rich.pack import pack

        wholes = None if self.parts is None or problem is self.problem else self.parts.of
        return pack(problem, self.solver.near, wholes)

    @property
    def per_visit(self) -> float:
        """Jobs of the kernels for each visit: its parts."""
        return self.searched.num_visits / max(1, self.problem.num_visits)

    def session(self, start: Solution | None) -> Session:
        """A fresh search from `start`, or from nothing."""
        from solvers.kernels.rich.session import Session

        s = self.solver
        weights = list(s.weights)
        if "reloads" not in self.searched.features:
            weights[-1] = 0.0
        exchanges = s.exchanges
        if exchanges is None:
            exchanges = 1.0 if self.searched.features & {"pickup_delivery", "time_dependent"} else 4.0
        urgent = BY_PRIORITY if "priorities" in self.searched.features else 0.0
        # ruins and temperature are set as the search goes on
        tune = np.array([0.0, 0.0, s.blink, 0.0, 0.0, s.reaction, 0.0, exchanges, urgent])
        made = Session(self.searched, self.packed, self.seed, tune, weights)
        if start is None:
            made.load_locked()
            made.construct()
        else:
            made.start_from(start)
        return made

    def resumed(self) -> Session:
        """A fresh search from the best found; what is on no route there may find a place at once."""
        made = self.session(self.found)
        self.take(made.best())
        return made

    def ruins(self, stops: float) -> tuple[float, float]:
        """Mean visits removed and the longest string where a mean route has so many stops.

        Pairs on long routes: of ruins that leave most of a route as it is, few lead to another good one.
        """
        mean, longest = self.solver.mean_removed, self.solver.max_string
        paired = "pickup_delivery" in self.searched.features
        if mean is None:
            most = min(MOST_REMOVED, self.searched.num_visits / 25)
            mean = max(FEW_REMOVED, min(stops, most)) if paired else FEW_REMOVED
        if longest is None:
            longest = max(FEW_REMOVED, 0.75 * mean) if paired else FEW_REMOVED
        return self.per_visit * mean, self.per_visit * longest

    def search(self, start: Solution | None) -> None:
        if self.problem.num_visits == 0 or self.problem.vehicle_types.count.max(initial=0) == 0:
            self.note(Solution())
            return
        if "split_delivery" in self.problem.features:
            if start is not None and not self.note(start):
                start = None
            self.parts = Presplit.make(self.problem, start)
            self.searched, start = self.parts.parts, self.parts.start
            self.found = Solution() if start is None else start
        self.packed = self.pack(self.searched)
        session = self.session(start)
        if start is not None and "electric" in self.problem.features:
            self.take(start)  # whose stops to charge may be better than those that the kernels choose
        self.take(session.best())
        if self.parts is not None and start is None and (self.report.unserved or self.report.left_out):
            self.search_whole(self.parts)
        if not self.history:
            self.note(Solution())
            if self.parts is None:  # a locked route breaks a rule: nothing can be done
                return
        first = self.problem.objective is Objective.VEHICLES
        if self.report.unserved and self.searched.num_visits >= FIT_VISITS and _limited(self.searched):
            self.fit_fleet()
            session = self.resumed()
        elif self.report.unserved and first:
            session = self.resumed()
        if self.report.unserved:
            session = self.find_places(session)
        if first and not self.report.unserved:
            self.shrink_fleet(session, _least_vehicles(self.problem), self.solver.fleet_share)
            session = self.resumed()
            session.allow(max(1, len(self.solution.routes)))
        if self.problem.objective is Objective.LONGEST:
            self.anneal(session, LONGEST_SHARE)
            if not self.report.unserved:  # a visit that is left out may need a longer one
                session = self.within_longest()
        self.anneal(session, 1.0)

    def search_whole(self, parts: Presplit) -> None:
        """Search without splitting for half of the run: where not all can be served, parts of visits that come to
        nothing take the room of others."""
        split = self.packed
        self.searched, self.parts, self.packed = self.problem, None, self.pack(self.problem)
        session = self.session(None)
        self.take(session.best())
        self.anneal(session, 0.5)
        self.searched, self.parts, self.packed, self.found = parts.parts, parts, split, Solution()

    def take(self, found: Solution) -> None:
        """Note a solution of the problem that the kernels are given."""
        if self.note(found if self.parts is None else self.parts.outward(found)):
            self.found = found

    def note(self, solution: Solution) -> bool:
        """Take a solution that ranks better than all before; whether it does."""
        report = check(self.problem, solution)
        if report.violations or (self.history and report.rank >= self.report.rank):
            return False
        self.solution, self.report, self.since = solution, report, 0
        elapsed, cost, unserved = self.elapsed(), report.cost.total, len(report.unserved)
        self.history.append((elapsed, cost, unserved))
        if self.on_best is not None:
            self.on_best(Incumbent(solution, cost, unserved, elapsed, self.iterations))
        return True

    def over(self) -> bool:
        return self.monitor(Progress(self.iterations, self.since, self.report.cost.total))

    def done(self) -> float:
        """Share of the run that is over, as far as the stop bounds it: by the clock only where that ends it."""
        limit, seconds = self.stop.max_iterations, self.stop.max_runtime_s
        if limit is not None and not self.by_clock:
            return min(1.0, self.iterations / max(1, limit))
        if seconds is not None:
            return min(1.0, self.elapsed() / max(1e-9, seconds))
        return min(1.0, self.since / 50_000)

    def batch(self) -> int:
        """Iterations at one temperature."""
        limit, timed = self.stop.max_iterations, self.stop.max_runtime_s is not None
        size = max(10, int(self.rate * _BATCH_S)) if timed and self.by_clock else 1000
        return size if limit is None else min(size, 1000, limit - self.iterations)

    def step(self, session: Session) -> None:
        """A batch, with looks at the clock in between where time is bounded, too; what it finds."""
        left = self.batch()
        while left > 0:
            before = clock.seconds()
            size = left if self.stop.max_runtime_s is None else min(left, max(10, int(self.rate * _BATCH_S)))
            rank = session.best_rank
            done, self.since = session.search(size, self.since)
            self.iterations += done
            spent = clock.seconds() - before
            self.searching_s += spent
            if spent > 0.01 or not self.rate:
                self.rate = min(done / max(1e-5, spent), 2 * self.rate + 1000)
            if session.best_rank < rank:
                self.take(session.best())
            self.look_at_clock()
            left = left - size if done == size and not self.over() else 0

    def look_at_clock(self) -> None:
        """Go by the clock from now on if a twentieth of the time shows that it will end the run."""
        if self.searching_s > 0.05 * (self.stop.max_runtime_s or 0.0):
            self.by_clock |= time_ends_first(self.stop, self.iterations, self.searching_s)

    def anneal(self, session: Session, until: float, enough: Callable[[], bool] = lambda: False) -> None:
        """Cool down until the share `until` of the run is over or `enough`, several times where there is time."""
        s = self.solver
        session, scale = self.measured(session)
        begin, heats, by_clock = self.done(), 0, self.by_clock
        while not (enough() or self.over()) and (share := self.done()) < until and self.batch() > 0:
            part = min(1.0, (share - begin) / max(1e-9, until - begin))
            heat, part = divmod(part * max(1, heats), 1.0)
            first = s.first_temperature * (s.reheat if 0 < heat < heats else 1.0)
            session.cool(scale, first, s.last_temperature, part)
            session.remove(*self.ruins(session.stops))
            self.step(session)
            if not heats or by_clock != self.by_clock:
                heats, by_clock = self.heats(until - begin), self.by_clock
            if self.problem.objective is Objective.LONGEST:
                session, scale = self.measured(session)

    def measured(self, session: Session) -> tuple[Session, float]:
        """The session, and what temperatures are measured by.

        Where the longest route is to be short, a new session once that route has got shorter by a hundredth:
        durations are weighed in relation to the longest.
        """
        from solvers.kernels.rich.layout import LONGEST

        if known := self.packed[LONGEST]:
            longest = self.report.longest
            if longest > 0 and not 0.99 * known <= longest <= known:
                self.packed.measure_by(longest)
                before, session = session, self.resumed()
                session.follow(before)
        return session, self.per_visit * session.edge_cost

    def heats(self, share: float) -> int:
        """How often to cool down within this share of the run."""
        limit, seconds = self.stop.max_iterations, self.stop.max_runtime_s
        most = float(limit or 0)
        if self.by_clock and seconds is not None:
            most = self.rate * seconds
        each = self.solver.heat_iterations * self.searched.num_visits
        return max(1, int(share * most / each)) if each > 0 else 1

    def shrink_fleet(self, session: Session, least: int, until: float) -> Session:
        """Make do with ever fewer routes, down to `least`, until this share of the run is over; the last session.

        One route after the other is dropped, each time until its jobs have found places in the others. Where they
        find none for a while, the last complete solution is annealed instead, as long as that saves routes.
        """
        patience, dropping = PATIENCE, True
        while (few := len(session.best().routes)) > least and not self.over() and self.done() < until:
            end = min(until, self.done() + patience)
            if dropping:
                session.drop_route()
                session.cool(session.edge_cost, 0.1, 0.1, 0.0, fleet=True)
                session.remove(*self.ruins(1.0))
                while not session.complete and not self.over() and self.done() < end and self.batch() > 0:
                    self.step(session)
                if session.complete:
                    self.take(session.keep())
                    if len(session.best().routes) == few:  # none may be dropped
                        return session
                    continue
                stuck, session = session, self.session(session.best())
                session.follow(stuck)
                session.allow(few)  # with more at less cost, the next drop would only come back to these
                patience *= 1.5
                dropping = False
            else:
                self.anneal(session, end, _fewer(session, few))
                dropping = len(session.best().routes) == few
        return session

    def find_places(self, session: Session) -> Session:
        """Look for places for what is absent, as after a route was dropped, for a part of the run that is left."""
        until = self.done() + PLACES_SHARE * (1.0 - self.done())
        session.cool(session.edge_cost, 0.1, 0.1, 0.0, fleet=True)
        session.remove(*self.ruins(1.0))
        while not session.complete and not self.over() and self.done() < until and self.batch() > 0:
            self.step(session)
        return self.resumed()

    def within_longest(self) -> Session:
        """A search from the best plan for lower cost, in which no route may last longer than the longest there."""
        types = self.searched.vehicle_types
        within = np.minimum(types.max_duration, self.report.longest)
        self.searched = replace(
            self.searched, objective=Objective.COST, vehicle_types=replace(types, max_duration=within)
        )
        self.packed = self.pack(self.searched)
        return self.resumed()

    def fit_fleet(self) -> None:
        """Serve all with more vehicles than there are, then with ever fewer, down to the fleet.

        A route whose jobs find places in the others is spared far more easily than places are found for all jobs
        that a full fleet left out.
        """
        limited, packed, types = self.searched, self.packed, self.searched.vehicle_types
        fleet = int(types.count[0])
        plenty = np.minimum(limited.num_visits, 2 * types.count + 10)
        self.searched = replace(
            limited, vehicle_types=replace(types, count=plenty), objective=Objective.VEHICLES
        )
        self.packed = self.pack(self.searched)
        session = self.session(None)
        if session.complete:
            session = self.shrink_fleet(session, fleet, FIT_SHARE)
        routes = session.best().routes
        self.searched, self.packed = limited, packed
        most = sorted(routes, key=lambda route: -len(route.visits))[:fleet]
        self.take(Solution(tuple(sorted(most, key=routes.index))))

    def result(self) -> Result[Solution]:
        status = self.report.status
        if not self.solution.routes and not self.report.unserved and not self.report.violations:
            status = Status.FEASIBLE
        return Result(
            status=status,
            solution=self.solution,
            cost=self.report.cost.total,
            unserved=self.report.unserved,
            solver=self.solver.name,
            seed=self.seed,
            iterations=self.iterations,
            runtime_s=self.elapsed(),
            history=tuple(self.history),
            interrupted=self.interrupted,
        )


def _fewer(session: Session, few: int) -> Callable[[], bool]:
    return lambda: len(session.best().routes) < few


def _limited(problem: Problem) -> bool:
    """Whether all vehicles are alike, fewer than visits, and free to take any."""
    count = problem.vehicle_types.count
    return len(count) == 1 and count[0] < problem.num_visits and "locked_routes" not in problem.features


def _least_vehicles(problem: Problem) -> int:
    """A lower bound on the number of routes, by load."""
    if not problem.visits.required.any():
        return 0
    if problem.features & {"reloads", "pickup_delivery", "exclusive_groups"}:
        return 1
    v, t = problem.visits, problem.vehicle_types
    loads = v.delivery[v.required].sum(axis=0), v.pickup[v.required].sum(axis=0)
    most = t.capacity.max(axis=0)
    return max(
        [1, *(-(-int(a) // max(1, int(c))) for load in loads for a, c in zip(load, most, strict=True))]
    )
