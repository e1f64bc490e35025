"""Hybrid genetic search: crossovers and local search over feasible and infeasible solutions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from solvers import clock
from solvers.constraints import known_routes
from solvers.features import CLASSIC, require
from solvers.problem import Problem
from solvers.ranges import ANY, POSITIVE, SHARE, SOME, Ranges
from solvers.result import Incumbent, OnBest, Result, Status
from solvers.solution import Route, Solution
from solvers.stop import MaxIterations, MaxRuntime, Progress, Started, Stop, Uncounted
from solvers.travel import IntArray

if TYPE_CHECKING:
    from solvers.kernels.genetic.data import Packed
    from solvers.kernels.genetic.engine import Evolution, Tuning
    from solvers.kernels.run import Batch
    from solvers.kernels.session import Session

BATCH_S = 0.15
SMALL = 400  # visits up to which a population grows from nothing where nothing is known of the time
WARM_ITERATIONS = 100  # of ruin and recreate beforehand for each generation, at most, where those are counted
PATIENT_S = 0.25  # seconds per visit that a population needs to grow from nothing
MIDDLING = 600  # visits up to which a population makes up for shorter warm runs, where tours can be split
CLOCKED_S = 0.14  # seconds per visit below which, with clocks, several warm runs would each be too short
LARGE = 500  # visits above which children take a smaller part of the second parent


class GeneticSolver:
    """Hybrid genetic search (Vidal et al. 2012, 2022) from a savings start.

    An iteration is a generation: one child, its local search and, where it breaks constraints, perhaps a
    repair. Where mandatory visits cannot all be served, ruin and recreate decides which ones are; problems by
    coordinates of more than 2,500 places, where no matrices are made, are left to it altogether.

    Parameters
    ----------
    near
        Length of the neighbour lists of the local search.
    warm_runs, warm_share
        Runs of ruin and recreate whose results start the population, and their share of the time. By default
        three in 0.6 of it; two in 0.4 for plain problems of up to 600 visits, and none where there is time enough;
        one in 0.8 with clocks and less than 0.14 s per visit. One fewer of several where what others find is
        heard, see `solvers.registry.listen`.
    minimum, offspring, elite, close
        Size of each population after a selection of survivors, individuals added before the next one, members
        protected by cost alone, members that the distance from the others is averaged over.
    initial, patience
        Individuals made from nothing at the start and at a restart; generations without a new best before one.
    longest, swap_star
        Most visits that move at once (1 to 3); whether SWAP* is used, by default where there are no clocks.
    ordered_share, most_routes
        Share of children by ordered crossover where tours can be split, the others by route exchange; share of
        the routes that this exchanges at most (by default half, a fifth on large problems, a tenth with clocks).
    target_feasible, raise_factor, lower_factor, prices_every
        Wanted share of local searches that end feasible, and how prices of violations follow it.
    repair, repair_factor
        Probability of a second local search for an infeasible child (by default a half, a tenth on large problems
        with clocks), with prices that much higher.
    """

    name = "genetic"
    features = CLASSIC | {"backhauls"}
    ablations: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "no SWAP*": {"swap_star": False},
        "only single visits move": {"longest": 1},
        "no repair": {"repair": 0.0},
        "no ordered crossover": {"ordered_share": 0.0},
        "no elite": {"elite": 0},
        "half the neighbours": {"near": 10},
        "a small population": {"minimum": 10, "offspring": 10},
    }

    ranges: ClassVar[Ranges] = {
        "near": SOME,
        "warm_runs": ANY,
        "warm_share": SHARE,
        "minimum": SOME,
        "offspring": SOME,
        "elite": ANY,
        "close": SOME,
        "initial": SOME,
        "patience": SOME,
        "longest": (1, 3),
        "ordered_share": SHARE,
        "most_routes": SHARE,
        "target_feasible": SHARE,
        "raise_factor": SOME,
        "lower_factor": SHARE,
        "prices_every": SOME,
        "repair": SHARE,
        "repair_factor": POSITIVE,
    }

    def __init__(
        self,
        near: int | None = None,
        warm_runs: int | None = None,
        warm_share: float | None = None,
        minimum: int = 25,
        offspring: int = 40,
        elite: int = 4,
        close: int = 5,
        initial: int = 100,
        patience: int = 20_000,
        longest: int = 2,
        swap_star: bool | None = None,
        ordered_share: float = 1.0,
        most_routes: float | None = None,
        target_feasible: float = 0.2,
        raise_factor: float = 1.2,
        lower_factor: float = 0.85,
        prices_every: int = 100,
        repair: float | None = None,
        repair_factor: float = 10.0,
    ) -> None:
        self.near, self.warm_runs, self.warm_share = near, warm_runs, warm_share
        self.arrivals: Callable[[], Solution | None] | None = None
        self.tuning: dict[str, Any] = {
            "minimum": minimum,
            "offspring": offspring,
            "elite": elite,
            "close": close,
            "initial": initial,
            "patience": patience,
            "longest": longest,
            "swap_star": swap_star,
            "ordered_share": ordered_share,
            "most_routes": most_routes,
            "target_feasible": target_feasible,
            "raise_factor": raise_factor,
            "lower_factor": lower_factor,
            "prices_every": prices_every,
            "repair": repair,
            "repair_factor": repair_factor,
        }

    def enough(self, problem: Problem) -> int:  # noqa: ARG002
        """Iterations for a plan that somebody waits for, see `registry.enough_iterations`."""
        return 20

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
        stop, record = Started(stop), _Record(problem, self.name, seed, on_best)
        from solvers.kernels import data
        from solvers.kernels.session import Session
        from solvers.ruin_recreate import usual

        require(problem, self.features, self.name)
        session = Session(data.pack(problem, near=int(usual(problem)["near"])), seed)
        if start is None:
            session.construct()
        else:
            session.start_from(known_routes(problem, start))
        record.note_session(session, 0)
        _Search(self, problem, stop, seed, session, record).run()
        return record.result()

    def growth_s(self, visits: int) -> float:
        """Seconds that a population needs to grow from nothing rather than from warm runs."""
        return PATIENT_S * visits

    def batches(self, session: Session) -> Batch | None:  # noqa: ARG002
        """What runs in the place of ruin and recreate on this session, see `solvers.kernels.run.anneal`."""
        return None

    def evolution(self, packed: Packed, seed: int, tuning: Tuning) -> Evolution:
        """The population that makes the solutions."""
        from solvers.kernels.genetic.engine import Evolution

        return Evolution(packed, seed, tuning)


@dataclass
class _Record:
    """The best solution so far: history, reports to `on_best`, and the result in the end."""

    problem: Problem
    solver: str
    seed: int
    on_best: OnBest[Solution] | None
    began: float = field(default_factory=clock.seconds)
    history: list[tuple[float, int, int]] = field(default_factory=list)
    rank: tuple[int, int] | None = None
    solution: Solution = field(default_factory=Solution)
    iterations: int = 0
    at: int = 0
    interrupted: bool = False

    def note(self, rank: tuple[int, int], solution: Callable[[], Solution], unserved: int) -> bool:
        """Record a solution if it beats the best; `rank` is the weight of what is unserved, then cost."""
        if self.rank is not None and rank >= self.rank:
            return False
        self.rank, self.solution, self.at = rank, solution(), self.iterations
        elapsed = clock.seconds() - self.began
        self.history.append((elapsed, rank[1], unserved))
        if self.on_best is not None:
            self.on_best(Incumbent(self.solution, rank[1], unserved, elapsed, self.iterations))
        return True

    def note_session(self, session: Session, iterations: int) -> bool:
        self.iterations = iterations
        return self.note(session.best_rank, session.best, session.best_unserved)

    def result(self) -> Result[Solution]:
        required = self.problem.visits.required
        unserved = tuple(v for v in self.solution.unserved(self.problem.num_visits) if required[v])
        status = Status.FEASIBLE
        if unserved:
            status = Status.INCOMPLETE if self.solution.routes else Status.INFEASIBLE
        assert self.rank is not None
        return Result(
            status=status,
            solution=self.solution,
            cost=self.rank[1],
            unserved=unserved,
            solver=self.solver,
            seed=self.seed,
            iterations=self.iterations,
            runtime_s=clock.seconds() - self.began,
            history=tuple(self.history),
            interrupted=self.interrupted,
        )


class _Search:
    """One run: a population over the visits that can be served, and ruin and recreate while some are not."""

    def __init__(
        self,
        solver: GeneticSolver,
        problem: Problem,
        stop: Stop,
        seed: int,
        session: Session,
        record: _Record,
    ) -> None:
        from solvers.kernels.genetic.data import servable

        self.solver, self.problem, self.stop, self.seed = solver, problem, stop, seed
        self.session, self.record = session, record
        can = servable(problem)
        self.visits = np.flatnonzero(can.any(axis=1)).astype(np.int64)
        self.counts = np.where(can.any(axis=0), problem.vehicle_types.count, 0)
        never = ~can.any(axis=1)
        v = problem.visits
        self.lost_prizes = int(v.prize[never & ~v.required].sum())
        self.lost = int((never & v.required).sum())
        self.lost_weight = int(_weights(session)[never].sum())

    def run(self) -> None:
        record = self.record
        monitor, limit = self.stop.monitor(), self.stop.max_iterations
        if len(self.visits) < 1 or self.problem.num_visits < 2:
            return
        try:
            warm = self.warm_up()
            if record.interrupted:
                return
            evolution = self.population(warm)
            done, batch = 0, 10
            while not monitor(
                Progress(done, done - record.at, None if record.rank is None else record.rank[1])
            ):
                size = batch if limit is None else min(batch, limit - done)
                if size <= 0:
                    break
                began = clock.seconds()
                if evolution is not None:
                    self.hear(evolution)
                    evolution.run(size)
                    self.note(evolution, done + size)
                if evolution is None or (record.rank is not None and record.rank[0] > self.lost_weight):
                    self.ruin(size)
                done += size
                record.iterations = done
                spent = clock.seconds() - began
                if limit is None and self.stop.max_runtime_s is not None:
                    batch = max(1, min(2 * batch, int(BATCH_S * size / max(spent, 1e-9))))
        except KeyboardInterrupt:
            record.interrupted = True

    def splits(self) -> bool:
        """Whether giant tours can be split: one type of vehicle from and to one depot, one load, no clocks."""
        p = self.problem
        return not p.features - {"fixed_costs", "max_distance", "priorities"}

    def warm_up(self) -> list[Solution]:
        """Results of independent runs of ruin and recreate."""
        from solvers.kernels.run import Recorder, RuinTuning, anneal
        from solvers.kernels.session import Session
        from solvers.ruin_recreate import CLOCKED, usual

        n = len(self.visits)
        runs = self.solver.warm_runs
        seconds, share, made = self.stop.max_runtime_s, self.solver.warm_share, []
        limit = self.stop.max_iterations
        patient = n <= SMALL if seconds is None else self.solver.growth_s(n) <= seconds
        if not self.fits():
            runs, share = 1, 1.0
        else:
            quick = self.splits() and n <= MIDDLING
            clocked = bool(CLOCKED & self.problem.features)
            hurried = clocked and seconds is not None and seconds < CLOCKED_S * n
            some, part = (1, 0.8) if hurried else (2, 0.4) if quick else (3, 0.6)
            share = part if share is None else share
            if runs is None:
                runs = 0 if n < 10 or (patient and self.splits()) else some
                if runs > 1 and self.solver.arrivals is not None:
                    runs -= 1  # others warm up too
        chosen = usual(self.problem)
        tuning = RuinTuning(**{key: value for key, value in chosen.items() if key != "near"})
        for k in range(runs):
            session = self.session if k == 0 else Session(self.session.packed, self.seed + 7919 * k)
            if k > 0:
                session.construct()
            stop = self.stop
            if limit is not None:
                stop = MaxIterations(min(20 * n + 200, WARM_ITERATIONS * max(1, limit))) | Uncounted(stop)
            if seconds:
                stop = MaxRuntime(seconds * share / runs) | stop

            def tell(found: Incumbent[Solution], session: Session = session) -> None:
                self.record.note(session.best_rank, lambda: found.solution, found.unserved)

            recorder = Recorder(session, self.problem, clock.seconds(), tell)
            anneal(session, recorder, stop, tuning, self.solver.batches(session))
            made.append(session.best())
            if recorder.interrupted:
                self.record.interrupted = True
                break
        return made

    def fits(self) -> bool:
        """Whether a population can be kept: matrices small enough, types and loads few enough."""
        from solvers.kernels.genetic.data import MATRIX_LIMIT, MAX_CLASSES
        from solvers.kernels.genetic.layout import MAX_DIMS

        p = self.problem
        classes = np.unique(p.vehicle_types.skills[self.counts > 0])
        if len(classes) > MAX_CLASSES or p.num_load_dimensions > MAX_DIMS:
            return False
        return p.num_nodes <= MATRIX_LIMIT or all(t.is_matrix for t in p.travel)

    def population(self, warm: list[Solution]) -> Evolution | None:
        from solvers.kernels.genetic import data
        from solvers.kernels.genetic.engine import Tuning, slots_for

        if not self.fits():
            return None
        p = self.problem
        types = np.flatnonzero(self.counts > 0)
        demand = float(p.visits.delivery[self.visits, 0].sum()) if p.num_load_dimensions else 0.0
        capacity = (
            float(p.vehicle_types.capacity[types, 0].min(initial=2**60)) if p.num_load_dimensions else 0.0
        )
        routes = len(self.record.solution.routes)
        slots = slots_for(
            self.visits, demand, capacity, routes, int(np.minimum(self.counts, p.num_visits).sum())
        )
        timed = bool(p.features & {"time_windows", "time_costs", "max_duration", "release_times"})
        large = len(self.visits) > LARGE
        near = self.solver.near or ((15 if large else 30) if timed else 20)
        packed = data.pack(p, data.Tables(p), self.visits, self.counts, near=near, slots=slots)
        given = {k: v for k, v in self.solver.tuning.items() if v is not None}
        tuning = Tuning(**given)
        if self.solver.tuning["swap_star"] is None:
            # it looks at distances alone, so that clocks turn nearly all it finds down
            tuning = replace(tuning, swap_star=not timed)
        if self.solver.tuning["most_routes"] is None:
            tuning = replace(tuning, most_routes=(0.1 if timed else 0.2) if large else 0.5)
        if self.solver.tuning["repair"] is None:
            # repair looks at all visits again, so on large problems it costs many generations
            tuning = replace(tuning, repair=0.1 if timed and large else 0.5)
        if warm:
            tuning = replace(tuning, initial=0, ordered_share=0.0)
        evolution = self.solver.evolution(packed, self.seed, tuning)
        evolution.bring_in(self.record.solution.routes)
        for solution in warm:
            if solution != self.record.solution:
                evolution.bring_in(solution.routes)
        self.note(evolution, 0)
        return evolution

    def note(self, evolution: Evolution, iterations: int) -> None:
        self.record.iterations = iterations
        cost = evolution.best_cost
        if cost is not None:
            self.record.note(
                (self.lost_weight, cost + self.lost_prizes), lambda: _ordered(evolution.best()), self.lost
            )

    def hear(self, evolution: Evolution) -> None:
        """Let a solution that others have found join the population."""
        found = None if self.solver.arrivals is None else self.solver.arrivals()
        if found is not None:
            evolution.bring_in(found.routes, search=False)

    def ruin(self, generations: int) -> None:
        from solvers.kernels.ruin_recreate import search
        from solvers.kernels.run import RuinTuning

        tune = RuinTuning(first_temperature=0.02, last_temperature=0.02).array(self.session)
        packed = self.session.packed
        search(*packed.arrays, self.session.state, *self.session.scratch, tune, 50 * generations, 0)
        self.record.note_session(self.session, self.record.iterations)


def _weights(session: Session) -> IntArray:
    """(n,) what ruin and recreate makes of leaving each mandatory visit unserved: priorities, lexicographic."""
    from solvers.kernels.layout import HARD, P_HEAD

    packed = session.packed
    out = np.zeros(len(packed.order), dtype=np.int64)
    out[packed.order] = packed.node[packed.depots :, HARD - P_HEAD]
    return out


def _ordered(routes: tuple[Route, ...]) -> Solution:
    return Solution(tuple(sorted(routes, key=lambda r: (r.vehicle_type, r.visits))))
