"""Large problems by neighbourhoods of routes: any solver works on one neighbourhood after the other."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from solvers import clock
from solvers.check import CheckReport, absent_visits, check
from solvers.choice import features_of_solver
from solvers.errors import Fault, InvalidInputError, UnknownSolverError
from solvers.features import require
from solvers.neighbourhood import Neighbourhood, Neighbourhoods
from solvers.plans import charged
from solvers.problem import Objective, Problem
from solvers.ranges import ANY, PART, SOME, Ranges
from solvers.registry import RoutingSolver, enough_iterations, make, registered
from solvers.result import Incumbent, OnBest, Result
from solvers.solution import Route, Solution
from solvers.stop import FirstOf, MaxIterations, MaxRuntime, Monitor, Progress, Stop
from solvers.subproblem import Part, cut

INNER = ("ruin_recreate", "alns")  # the first that supports the problem works inside
SIZES = {"ruin_recreate": 5000}  # visits of a part by inner solver; SIZE for the others
SIZE = 500
COOL = {"first_temperature": 0.1}  # of ruin_recreate on parts: it does not begin with a poor plan there
UNBOUNDED = 200  # iterations for each visit of a part, where the stop bounds neither iterations nor time
REPORT_S = 0.25  # least time between two incumbents reported while a part is solved


class DecomposeSolver:
    """Routes that lie together are taken out as a problem of their own, solved from where they stand, and put
    back unless that made them worse; a problem of no more than `size` visits is left to the inner
    solver.

    Parameters
    ----------
    inner, parameters
        The solver of the parts and its parameters; by default the first of `INNER` that supports the problem.
    size
        Visits of a part, about; 0 takes `SIZES` or `SIZE`. Routes at the seams between parts stay as they are
        until the next pass, so parts should be much larger than routes.
    passes
        How often all visits are dealt out to parts, each time to other ones.
    first, first_share
        The solver that makes the start where none is given, and the share of the run that it may take (the
        construction of `savings` heeds no clock). Where it lacks features of the problem, the inner solver builds
        the plan part by part, or as a whole where that leaves visits out.

    The idea is POPMUSIC (Taillard and Voss 2002); groups of neighbouring routes as Santini et al. (2023) compare.
    One iteration is one of the inner solver. No array grows with the square of the visits unless the problem
    brings matrices.
    """

    name = "decompose"
    ablations: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "one pass": {"passes": 1},
        "twice the passes": {"passes": 4},
        "small parts": {"size": 1000},
        "genetic inside": {"inner": "genetic"},
    }

    ranges: ClassVar[Ranges] = {"size": ANY, "passes": SOME, "first_share": PART}

    def __init__(
        self,
        inner: str = "",
        parameters: Mapping[str, Any] | None = None,
        size: int = 0,
        passes: int = 2,
        first: str = "savings",
        first_share: float = 0.1,
    ) -> None:
        for name in filter(None, (inner, first)):
            if name not in registered():
                raise UnknownSolverError(f"no solver {name!r}; there are: {', '.join(registered())}")
        bad = []
        if inner == self.name:
            bad.append(("inner", inner, "name another solver"))
        if size == 1:
            bad.append(("size", str(size), "give a number of visits, 2 or more, or 0"))
        if bad:
            raise InvalidInputError(
                tuple(Fault("solver decompose", k, v, "bad-value", "out of range", r) for k, v, r in bad)
            )
        self.inner, self.parameters = inner, dict(parameters or {})
        self.size, self.passes = size, passes
        self.first, self.first_share = first, first_share

    @property
    def features(self) -> frozenset[str]:
        """What the inner solver supports, but for split deliveries: routes that share a visit may be far apart."""
        names = (self.inner,) if self.inner else INNER
        return frozenset().union(*(features_of_solver(name) or () for name in names)) - {"split_delivery"}

    def inner_for(self, problem: Problem) -> str:
        """The name of the solver that works on the parts of `problem`."""
        able = (name for name in INNER if problem.features <= (features_of_solver(name) or frozenset()))
        return self.inner or next(able, INNER[-1])

    def enough(self, problem: Problem) -> int:
        """What is enough for the inner solver, whose iterations are counted."""
        return enough_iterations(make(self.inner_for(problem), self.parameters), problem)

    def solve(
        self,
        problem: Problem,
        stop: Stop,
        *,
        seed: int,
        start: Solution | None = None,
        on_best: OnBest[Solution] | None = None,
    ) -> Result[Solution]:
        """See `solvers.registry.Solver`. Ctrl-C returns the best so far."""
        require(problem, self.features, self.name)
        name = self.inner_for(problem)
        size = self.size or SIZES.get(name, SIZE)
        whole = problem.num_visits <= size
        usual = COOL if name == "ruin_recreate" and not whole else {}
        inner = make(name, {**usual, **self.parameters})
        if whole:
            found = inner.solve(problem, stop, seed=seed, start=start, on_best=on_best)
            return dataclasses.replace(found, solver=self.name)
        run = _Run(self, inner, size, problem, stop, seed, on_best)
        try:
            run.search(start)
        except KeyboardInterrupt:
            run.interrupted = True
        return run.result()


@dataclass(frozen=True)
class _Through:
    """The caller's stop, as it applies while a part is solved."""

    over: Monitor
    iterations: int
    since: int
    rest: int | None

    max_runtime_s: float | None = None
    max_iterations: int | None = None

    def monitor(self) -> Monitor:
        return self._over

    def _over(self, p: Progress) -> bool:
        since = p.since_improvement
        if since >= p.iterations:  # nothing found in this part
            since += self.since
        cost = None if p.best_cost is None or self.rest is None else self.rest + p.best_cost
        return self.over(Progress(self.iterations + p.iterations, since, cost))


@dataclass
class _Run:
    """One call of `solve`: the plan as it stands, what it costs, the clock."""

    solver: DecomposeSolver
    inner: RoutingSolver
    size: int
    problem: Problem
    stop: Stop
    seed: int
    on_best: OnBest[Solution] | None
    began: float = field(default_factory=clock.seconds)
    history: list[tuple[float, int, int]] = field(default_factory=list)
    iterations: int = 0
    improved_at: int = 0
    interrupted: bool = False

    def __post_init__(self) -> None:
        self.monitor = self.stop.monitor()
        self.seconds, self.limit = self.stop.max_runtime_s, self.stop.max_iterations
        self.rng = np.random.default_rng(self.seed)
        self.around = Neighbourhoods(self.problem, self.size, self.rng)
        self.live = self.seconds is not None and self.limit is None and self.on_best is not None
        self.take(Solution(), check(self.problem, Solution()))

    def elapsed(self) -> float:
        return clock.seconds() - self.began

    def over(self) -> bool:
        if self.interrupted or (self.limit is not None and self.iterations >= self.limit):
            return True
        return self.monitor(Progress(self.iterations, self.iterations - self.improved_at, self.cost))

    def bounds(self, share: float) -> list[Stop]:
        """Stops at `share` of what is left of the run."""
        stops: list[Stop] = []
        if self.limit is not None:
            stops.append(MaxIterations(max(1, int((self.limit - self.iterations) * share))))
        if self.seconds is not None:
            stops.append(MaxRuntime(max(0.01, (self.seconds - self.elapsed()) * share)))
        return stops or [MaxIterations(UNBOUNDED * self.size)]

    # -- the plan

    def take(self, solution: Solution, report: CheckReport) -> None:
        """Begin anew from `solution`."""
        self.solution, self.cost, self.unserved = solution, report.cost.total, len(report.unserved)
        self.rank = report.rank

    def note(self) -> None:
        """The plan is a new best one."""
        elapsed = self.elapsed()
        self.improved_at = self.iterations
        self.history.append((elapsed, self.cost, self.unserved))
        if self.on_best is not None:
            self.on_best(Incumbent(self.solution, self.cost, self.unserved, elapsed, self.iterations))

    # -- the search

    def search(self, start: Solution | None) -> None:
        if not self.begin(start):
            return
        if self.problem.objective is Objective.LONGEST:
            turns = max(1, round(self.solver.passes * self.problem.num_visits / self.size))
            while self.solution.routes and not self.over():
                chosen = self.around.around(self.solution.routes, self.longest())
                self.improve(chosen, self.bounds(1.0 / turns))
                turns = max(1, turns - 1)
            return
        passes, total = self.solver.passes, self.problem.num_visits
        while not self.over():
            left = passes * total
            for chosen in self.around.split(self.solution.routes):
                if self.over():
                    return
                self.improve(chosen, self.bounds(min(1.0, chosen.size / max(1.0, left))))
                left -= chosen.size
            passes = max(1, passes - 1)

    def begin(self, start: Solution | None) -> bool:
        """A first plan; False where there can be none, since vehicles under way break a rule already."""
        sound = None  # the start and what the checker says of it
        if start is not None and not (report := check(self.problem, start)).violations:
            sound = start, report
        if sound is not None and not sound[1].unserved:
            self.take(*sound)
            self.note()
            return True
        if self.problem.features <= (features_of_solver(self.solver.first) or frozenset()):
            stop: Stop = FirstOf((*self.bounds(self.solver.first_share), self.stop))
            found = make(self.solver.first).solve(self.problem, stop, seed=self.seed, start=start)
            outcome = found.solution, check(self.problem, found.solution)
            self.take(*(sound if sound is not None and sound[1].rank < outcome[1].rank else outcome))
            self.iterations, self.interrupted = found.iterations, found.interrupted
            self.note()
            return True
        if sound is not None:
            self.take(*sound)
        else:
            locked = self.locked_plan()
            report = check(self.problem, locked)
            if report.violations:
                self.note()
                return False
            self.take(locked, report)
        self.build()
        if self.unserved and not self.over():
            self.build_whole()
        return True

    def locked_plan(self) -> Solution:
        """Just the locked visits of vehicles under way, charging on the way where they must."""
        begun = enumerate(self.problem.vehicle_types.locked or ())
        routes = []
        for route in (Route(kind, visits) for kind, visits in begun if visits):
            ways = charged(self.problem, route)
            sound = (way for way in ways if not check(self.problem, Solution((way,))).violations)
            routes.append(next(sound, route))
        return Solution(tuple(routes))

    def build(self) -> None:
        """Have the inner solver serve what is on no route, one neighbourhood after the other, at its quickest."""
        try:
            waiting = set(absent_visits(self.problem, self.solution.served()))
            # neither few iterations nor the cost of half a plan end it
            while waiting and not self.interrupted and not self.monitor(Progress(0, 0, None)):
                chosen = self.around.around(self.solution.routes, min(waiting))
                waiting -= {x for r in chosen.routes for x in r.visits} | set(chosen.absent)
                self.improve(chosen, [MaxIterations(1)], quiet=True)
        finally:
            self.note()

    def build_whole(self) -> None:
        """The inner solver's first plan of everything, if it serves more: parts leave vehicles short one by one."""
        through = _Through(self.monitor, self.iterations, 0, 0)
        stop = FirstOf((MaxIterations(1), *self.bounds(self.solver.first_share), through))
        found = self.inner.solve(self.problem, stop, seed=self.seed)
        self.iterations, self.interrupted = self.iterations + found.iterations, found.interrupted
        report = check(self.problem, found.solution)
        if not report.violations and report.rank < check(self.problem, self.solution).rank:
            self.take(found.solution, report)
            self.note()

    def improve(self, chosen: Neighbourhood, bounds: list[Stop], quiet: bool = False) -> None:
        """Solve one neighbourhood."""
        inside = set(chosen.routes)
        outside = [route for route in self.solution.routes if route not in inside]
        part = cut(self.problem, chosen.routes, chosen.absent, outside)
        start = part.inward(chosen.routes)
        turn = _Turn(self, part, outside, check(part.problem, start), quiet)
        since = self.iterations - self.improved_at
        through = _Through(self.monitor, self.iterations, since, self.cost - turn.report.cost.total)
        stop = FirstOf((*bounds, through))
        found = self.inner.solve(
            part.problem,
            stop,
            seed=int(self.rng.integers(2**31)),
            start=start if chosen.routes else None,
            on_best=turn.hear if self.live and not quiet else None,
        )
        self.iterations += max(1, found.iterations)
        self.interrupted |= found.interrupted
        turn.put(found.solution)

    def longest(self) -> int:
        """A visit of the route that lasts longest."""
        report = check(self.problem, self.solution)
        route = max(report.routes, key=lambda f: f.duration).route
        return route.visits[int(self.rng.integers(len(route)))]

    def result(self) -> Result[Solution]:
        report = check(self.problem, self.solution)
        return Result(
            status=report.status,
            solution=self.solution,
            cost=report.cost.total,
            unserved=report.unserved,
            solver=self.solver.name,
            seed=self.seed,
            iterations=self.iterations,
            runtime_s=self.elapsed(),
            history=tuple(self.history),
            interrupted=self.interrupted,
        )


@dataclass
class _Turn:
    """A neighbourhood while it is solved. `report` is the checker's on the part as it stands in the plan."""

    run: _Run
    part: Part
    outside: list[Route]
    report: CheckReport
    quiet: bool
    heard: float = field(default_factory=clock.seconds)

    def hear(self, found: Incumbent[Solution]) -> None:
        """An incumbent of the inner solver: now and then it goes into the plan at once."""
        now = clock.seconds()
        if now - self.heard >= max(REPORT_S, 0.01 * (now - self.run.began)):
            self.heard = now
            self.put(found.solution)

    def put(self, solution: Solution) -> None:
        """Put a solution of the part into the plan unless the plan is better without."""
        run, before = self.run, self.report
        report = check(self.part.problem, solution)
        if report.violations or report.rank > before.rank:
            return
        routes = (*self.outside, *self.part.outward(solution))
        whole = Solution(tuple(sorted(routes, key=lambda r: (r.vehicle_type, r.visits))))
        better = report.rank < before.rank
        if run.problem.objective is Objective.LONGEST:  # the longest route may be another one
            all_of_it = check(run.problem, whole)
            if all_of_it.rank > run.rank:
                return
            better = all_of_it.rank < run.rank
            run.rank = all_of_it.rank
        self.report = report
        run.solution = whole
        run.cost += report.cost.total - before.cost.total
        run.unserved += len(report.unserved) - len(before.unserved)
        if better and not self.quiet:
            run.note()
