"""Several solvers in parallel processes that share what they find, and set partitioning over their routes."""

from __future__ import annotations

import pickle
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path
from typing import Any, ClassVar

from solvers.check import CheckReport, check
from solvers.choice import (
    DEFAULT_RULES,
    Rule,
    able,
    features_of_rules,
    features_of_solver,
    load_rules,
    members,
    usable_cores,
)
from solvers.errors import UnknownSolverError, UnsupportedFeatureError
from solvers.features import require
from solvers.ortools_parts import penalties
from solvers.parallel.pool import InlinePool, WorkerPool
from solvers.parallel.rounds import Finished, Round
from solvers.problem import Problem
from solvers.ranges import ANY, SHARE, SOME, Ranges
from solvers.registry import enough_iterations, listens, make, registered
from solvers.result import Incumbent, OnBest, Result, Status
from solvers.route_costs import route_costs
from solvers.route_pool import RoutePool
from solvers.solution import Route, Solution
from solvers.stop import FirstOf, MaxIterations, Progress, Stop

WORK = 2.0  # units of deterministic time that one choice among the routes may take


class PortfolioSolver:
    """Solvers compete in rounds; each round starts from the best so far and from the best mix of all routes.

    Where time bounds the run, solvers that listen (see `registry.listen`) take in the best of the others at once.

    processes      at a time, 0 for the cores that this process may use; with 1 the solvers take turns here
    solvers        names separated by blanks; empty for those that the rules give and that can solve the problem
    rules          a TOML file in place of solvers/choice.toml
    rounds         of competition; by default one where solvers hear of each other while they run, else two
    pool_share     share of the run for choosing among the routes seen (set partitioning)
    pool_routes    routes that each round of each solver may add to the pool, the latest

    One iteration is one iteration of every process. With a stop on iterations and without a time limit the
    result depends on the seed and on `processes` only, and improvements are reported after each round;
    otherwise as they happen.
    """

    name = "portfolio"
    ablations: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "no set partitioning": {"pool_share": 0.0},
        "two rounds": {"rounds": 2},
        "four rounds": {"rounds": 4},
        "ruin and recreate alone": {"solvers": "ruin_recreate"},
    }

    ranges: ClassVar[Ranges] = {"processes": ANY, "rounds": SOME, "pool_share": SHARE, "pool_routes": SOME}

    def __init__(
        self,
        processes: int = 0,
        solvers: str = "",
        rules: str = "",
        rounds: int | None = None,
        pool_share: float = 0.06,
        pool_routes: int = 8000,
    ) -> None:
        self.processes = processes
        self.solvers = tuple(solvers.split())
        for unknown in (name for name in self.solvers if name not in registered()):
            raise UnknownSolverError(
                f"no solver {unknown!r} for the portfolio; there are: {', '.join(registered())}"
            )
        self.rules = load_rules(Path(rules) if rules else DEFAULT_RULES)
        self.rounds = rounds
        self.pool_share = pool_share
        self.pool_routes = pool_routes

    @property
    def features(self) -> frozenset[str]:
        """What some solver of the portfolio supports."""
        if self.solvers:
            return frozenset().union(*(features_of_solver(name) or () for name in self.solvers))
        return features_of_rules(self.rules.member)

    def enough(self, problem: Problem) -> int:
        """The least that is enough for a member: every process does so many iterations."""
        cores = self.processes or usable_cores()
        chosen = self.members(problem, MaxIterations(1), cores)
        return min(enough_iterations(make(rule.solver, rule.parameters), problem) for rule in chosen)

    def members(self, problem: Problem, stop: Stop, cores: int) -> list[Rule]:
        """Who takes part; raises `UnsupportedFeatureError` where nobody knows every feature of the problem."""
        if not self.solvers:
            return members(problem, stop, self.rules, cores)
        chosen = [rule for rule in map(Rule, self.solvers) if able(rule, problem)]
        if not chosen:
            raise UnsupportedFeatureError(
                f"none of {', '.join(self.solvers)} supports every feature of the problem"
            )
        return chosen

    def solve(
        self,
        problem: Problem,
        stop: Stop,
        *,
        seed: int,
        start: Solution | None = None,
        on_best: OnBest[Solution] | None = None,
    ) -> Result[Solution]:
        """See `solvers.registry.Solver`. Ctrl-C ends all processes and returns the best so far."""
        require(problem, self.features, self.name)
        cores = self.processes or usable_cores()
        chosen = self.members(problem, stop, cores)
        run = _Run(self, problem, stop, seed, on_best, chosen, cores)
        run.begin(start)
        if problem.num_visits:
            with InlinePool(problem) if cores == 1 else WorkerPool(problem, cores) as workers:
                try:
                    run.search(workers)
                except KeyboardInterrupt:  # while this process checked or recombined what was found
                    run.interrupted = True
        return run.result()


@dataclass
class _Run:
    """One solve: the best so far, the routes seen, the clock."""

    solver: PortfolioSolver
    problem: Problem
    stop: Stop
    seed: int
    on_best: OnBest[Solution] | None
    members: list[Rule]
    cores: int = 1
    rounds: int = field(default=2, init=False)
    began: float = field(default_factory=time.monotonic)
    iterations: int = 0
    improved_at: int = 0
    interrupted: bool = False
    proven: Status | None = None
    history: list[tuple[float, int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.best = Solution()
        self.report: CheckReport = check(self.problem, self.best)
        self.routes: dict[Route, None] = {}
        self.seconds, self.limit = self.stop.max_runtime_s, self.stop.max_iterations
        if self.solver.rounds is not None:
            self.rounds = max(1, self.solver.rounds)
        elif self.cores > 1 and self.seconds is not None and self.limit is None:
            waiting = self.solver.solvers and len(self.members) > self.cores  # named, so all have their turn
            if not waiting and any(self._hears(rule) for rule in self.members[: self.cores]):
                self.rounds = 1
        self.monitor = self.stop.monitor()

    @property
    def live(self) -> bool:
        """Whether incumbents are told as they come: not where a stop on iterations makes the run repeat."""
        return self.seconds is not None or self.limit is None

    def _hears(self, rule: Rule) -> bool:
        """Whether the rule's solver is to take in what others find."""
        return self.live and listens(make(rule.solver, rule.parameters))

    def elapsed(self) -> float:
        return time.monotonic() - self.began

    # -- what is found

    def begin(self, start: Solution | None) -> None:
        if start is not None:
            report = check(self.problem, start)
            if not report.violations:
                self.best, self.report = start, report
        if not self.problem.num_visits or self.best.routes:
            self._note()

    def hear(self, found: Incumbent[Solution]) -> None:
        """An incumbent of a worker, while it runs."""
        if (found.unserved, found.cost) < (len(self.report.unserved), self.report.cost.total) or (
            self.problem.features & {"priorities", "vehicles_first", "longest_route"}
        ):
            self.offer(found.solution)

    def offer(self, solution: Solution) -> None:
        """Make it the best if the checker ranks it before the present best."""
        report = check(self.problem, solution)
        if not report.violations and report.rank < self.report.rank:
            self.best, self.report = solution, report
            self._note()

    def _note(self) -> None:
        elapsed, cost, unserved = self.elapsed(), self.report.cost.total, len(self.report.unserved)
        self.history.append((elapsed, cost, unserved))
        self.improved_at = self.iterations
        if self.on_best is not None:
            self.on_best(Incumbent(self.best, cost, unserved, elapsed, self.iterations))

    # -- the search

    def search(self, workers: InlinePool | WorkerPool) -> None:
        number = 0
        while not self._over(number):
            before = self.report.rank
            rounds = self._rounds(number, len(workers))
            ends = rounds[0].until
            patience = None if ends is None else ends - time.time() + 1.0 + 0.05 * (self.seconds or 0.0)
            brought, self.interrupted = workers.run(rounds, self.hear, patience, not self.best.routes)
            self._take(brought)
            if self.interrupted or self.proven is not None or not len(workers):
                return
            self.recombine()
            number += 1
            unbounded = self.seconds is None and self.limit is None
            if unbounded and number >= self.rounds and self.report.rank >= before:
                return

    def _over(self, number: int) -> bool:
        if self.seconds is not None and (number >= self.rounds or self.elapsed() >= self.seconds):
            return True
        if self.limit is not None and self.iterations >= self.limit:
            return True
        best = self.history[-1][1] if self.history else None
        return number > 0 and self.monitor(
            Progress(self.iterations, self.iterations - self.improved_at, best)
        )

    def _rounds(self, number: int, size: int) -> list[Round]:
        """What each worker does next; solvers that are more than workers take turns from round to round."""
        stop, until = self.stop, None
        if self.limit is not None:
            share = -(-self.limit // min(self.rounds, self.limit))
            stop = FirstOf((stop, MaxIterations(min(share, self.limit - self.iterations))))
        if self.seconds is not None:
            left = self.seconds - self.elapsed()
            part = left / (self.rounds - number) - self.solver.pool_share * self.seconds
            until = time.time() + max(0.05, part)
        pickle.dumps(stop)  # a stop of the caller's own must be fit to travel
        made = []
        for worker in range(size):
            turn = worker + (number * size if size < len(self.members) else 0)
            rule = self.members[turn % len(self.members)]
            made.append(
                Round(
                    solver=rule.solver,
                    parameters=rule.parameters,
                    stop=stop,
                    until=until,
                    seed=(self.seed + 7919 * (worker + size * number)) % 2**31,
                    start=self.best if self.best.routes else None,
                    live=self.live,
                    keep=self.solver.pool_routes,
                    hears=self._hears(rule),
                )
            )
        return made

    def _take(self, brought: list[Finished]) -> None:
        done = max((f.result.iterations for f in brought), default=0)
        self.iterations += max(1, done)  # so that rounds come to an end where members find nothing to do
        if self.limit is not None:
            self.iterations = min(self.iterations, self.limit)
        for finished in brought:
            self.routes |= dict.fromkeys(finished.routes)
            self.routes |= dict.fromkeys(finished.result.solution.routes)
            self.offer(finished.result.solution)
            if finished.result.status is Status.OPTIMAL:
                self.proven = Status.OPTIMAL
        if not self.history and brought:
            self._note()

    def recombine(self) -> None:
        """The best choice among all routes seen."""
        share = self.solver.pool_share
        if share <= 0 or len(self.best.routes) < 2 or "split_delivery" in self.problem.features:
            return  # nor are routes that share visits a partition
        seconds = None if self.seconds is None else share * self.seconds
        if seconds is not None:
            seconds = max(0.05, min(seconds, (self.seconds or 0.0) - self.elapsed()))
        began = time.monotonic()
        inside = set(self.best.routes)
        others = (route for route in reversed(self.routes) if route not in inside)
        latest = list(islice(chain(self.best.routes, others), 4 * self.solver.pool_routes))
        costs = route_costs(self.problem, latest, None if seconds is None else seconds / 4)
        pool = RoutePool(self.problem, len(latest))
        for route, cost in zip(latest, costs, strict=False):
            pool.add(route, cost)
        if seconds is not None:
            seconds = max(0.05, seconds - (time.monotonic() - began))
        threads = 1 if seconds is None else self.cores
        work = WORK if seconds is None else 1000.0  # the clock decides
        penalty, seed = penalties(self.problem), self.seed % 2**31
        picked = pool.select(self.best.routes, penalty, seconds, work, seed, threads)
        if picked is not None:
            self.offer(Solution(picked))

    def result(self) -> Result[Solution]:
        return Result(
            status=self.proven or (Status.FEASIBLE if self.report.feasible else self.report.status),
            solution=self.best,
            cost=self.report.cost.total,
            unserved=self.report.unserved,
            solver=self.solver.name,
            seed=self.seed,
            iterations=self.iterations,
            runtime_s=self.elapsed(),
            history=tuple(self.history),
            interrupted=self.interrupted,
        )
