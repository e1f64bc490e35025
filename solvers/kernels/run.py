"""Runs batches of a kernel against a stop criterion and records what they find."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from solvers import clock
from solvers.kernels.layout import FIELD, FIELD_FROM, FIXED
from solvers.kernels.ruin_recreate import search
from solvers.kernels.session import Session
from solvers.problem import Problem
from solvers.result import Incumbent, OnBest, Result, Status
from solvers.solution import Solution
from solvers.stop import MaxIterations, Progress, Stop, time_ends_first

SPARE_ROUTES = 1.25  # from so many times the routes that loads ask for on, windows decide how many there are
Batch = Callable[[np.ndarray, int, int], int]

BATCH_S = 0.15  # aim of a batch's length, where time decides
STEP = 256  # iterations after which the kernel adapts; batches of whole steps do what one batch does
# Above FIELDS_ABOVE visits ruins keep to a field of neighbouring visits for up to so many iterations, so that
# what they touch stays in the processor's caches; then the field moves on along the curve that numbers the
# visits, at least SWEEPS times over all of them.
FIELDS_ABOVE, FIELD_VISITS, FIELD_ITERATIONS, SWEEPS = 10_000, 2_000, 20_000, 20


@dataclass(frozen=True, slots=True)
class RuinTuning:
    """Parameters of the search; temperatures in units of the mean edge cost of the start."""

    mean_removed: float = 10.0
    max_string: float = 7.0
    split: float = 0.5
    blink: float = 0.01
    whole_route: float = 0.01
    first_temperature: float = 0.3
    last_temperature: float = 0.01
    exchanges: float = 1.0
    rebuilt: float = 0.0
    more_routes: float = 0.0
    more_visits: float = 0.0

    def array(self, session: Session) -> np.ndarray:
        """The kernel's tuning vector; its places for the share of the run done are zero."""
        scale = session.edge_cost
        miss = 20.0 * scale + float(session.packed.kind[:, FIXED].max(initial=0))
        return np.array(
            [
                self.mean_removed,
                self.max_string,
                self.split,
                math.log(1.0 - self.blink) if self.blink > 0 else 0.0,
                self.first_temperature * scale,
                self.last_temperature * scale,
                miss,
                0.0,
                0.0,
                4.0 * scale,
                self.whole_route,
                self.exchanges,
                self.rebuilt if session.has_labels else 0.0,
                self.more_routes,
                SPARE_ROUTES * session.fewest_routes,
                self.more_visits,
            ]
        )


@dataclass
class Recorder:
    """Follows the session's best: history, reports to `on_best`, and the result in the end."""

    session: Session
    problem: Problem
    began: float
    on_best: OnBest[Solution] | None
    history: list[tuple[float, int, int]] = field(default_factory=list)
    interrupted: bool = False
    _rank: tuple[int, int] | None = None

    def note(self, iteration: int) -> bool:
        """Record a new best, if there is one since the last call; True then."""
        if self._rank is not None and self.session.best_rank >= self._rank:
            return False
        self._rank = self.session.best_rank
        elapsed, cost = clock.seconds() - self.began, self.session.best_cost
        unserved = self.session.best_unserved
        self.history.append((elapsed, cost, unserved))
        if self.on_best is not None:
            self.on_best(Incumbent(self.session.best(), cost, unserved, elapsed, iteration))
        return True

    def result(self, name: str, seed: int, iterations: int) -> Result[Solution]:
        solution = self.session.best()
        required = self.problem.visits.required
        unserved = tuple(v for v in solution.unserved(self.problem.num_visits) if required[v])
        status = Status.FEASIBLE
        if unserved:
            status = Status.INCOMPLETE if solution.routes else Status.INFEASIBLE
        return Result(
            status=status,
            solution=solution,
            cost=self.session.best_cost,
            unserved=unserved,
            solver=name,
            seed=seed,
            iterations=iterations,
            runtime_s=clock.seconds() - self.began,
            history=tuple(self.history),
            interrupted=self.interrupted,
        )


def descend(session: Session, recorder: Recorder, stop: Stop, iterations: int) -> int:
    """Up to so many iterations without uphill moves, until `stop` or Ctrl-C; returns the iterations done.

    Small ruins, since nothing else smooths the start. To tell of a plan takes as long as the plan is large, so that
    it is done only a few times in all.
    """
    visits = session.packed.nodes - session.packed.depots
    recorder.note(0)
    if visits == 0:
        return 0
    tune = RuinTuning(mean_removed=8.0, first_temperature=1e-9, last_temperature=1e-9).array(session)
    monitor, batch = stop.monitor(), STEP if stop.max_runtime_s is not None else 8 * STEP
    done, since, told = 0, 0, 0
    try:
        while done < iterations and not monitor(Progress(done, since, session.best_cost)):
            size, began = min(batch, iterations - done), clock.seconds()
            since = search(*session.packed.arrays, session.state, *session.scratch, tune, size, since)
            done += size
            if stop.max_runtime_s is not None:
                pace = size / max(1e-9, clock.seconds() - began)
                batch = STEP * max(1, min(2 * batch, int(BATCH_S * pace)) // STEP)
            if done - told >= visits / 4:
                told = done
                recorder.note(done)
    except KeyboardInterrupt:
        recorder.interrupted = True
    recorder.note(done)
    return done


@dataclass
class _Field:
    """The visits among which ruins start for now, in large problems."""

    session: Session
    moved_at: int = 0

    def move(self, done: int, expected: float) -> None:
        """Move on if it is time after `done` of about `expected` iterations."""
        state, visits = self.session.state, self.session.packed.nodes - self.session.packed.depots
        stay = min(FIELD_ITERATIONS, expected * FIELD_VISITS / max(1, visits) / SWEEPS)
        if visits <= FIELDS_ABOVE or stay < FIELD_ITERATIONS / 10:  # too short to be worth it
            state[FIELD] = 0
            return
        state[FIELD] = FIELD_VISITS
        if done - self.moved_at >= stay:
            self.moved_at = done
            state[FIELD_FROM] = (state[FIELD_FROM] + FIELD_VISITS) % visits


def anneal(
    session: Session, recorder: Recorder, stop: Stop, tuning: RuinTuning, batch_of: Batch | None = None
) -> int:
    """Ruin and recreate with annealing until `stop`; returns the iterations done.

    `batch_of` runs a batch by another kernel than `search`: from the tuning vector, the iterations to do and
    those since the last new best to the latter afterwards.

    The temperature follows the share of the iterations where the stop bounds them, so such runs repeat; it
    follows the clock where only time is bounded, or where time will run out first.
    """
    monitor = stop.monitor()
    tune = tuning.array(session)
    limit, seconds = stop.max_iterations, stop.max_runtime_s
    done, since = 0, 0
    if session.packed.nodes - session.packed.depots < 2:  # no more to find out than whether a visit pays
        few = 10 if limit is None else min(10, limit)
        return descend(session, recorder, MaxIterations(few), few)
    recorder.note(0)
    horizon = float(limit) if limit is not None else 2000.0 * (session.packed.nodes + 100)
    started = clock.seconds()
    by_clock, share = limit is None and seconds is not None, 0.0
    batch = 200 if by_clock else 2000
    ground = _Field(session)
    try:
        while not monitor(Progress(done, since, session.best_cost)):
            size = batch if limit is None else min(batch, limit - done)
            if size <= 0:
                break
            tune[7] = share if by_clock else done / horizon
            rate = done / max(1e-9, clock.seconds() - started)
            within = horizon if seconds is None or not by_clock else rate * seconds
            ground.move(done, within)
            tune[8] = 1.0 / horizon
            if by_clock and seconds is not None:
                tune[8] = 1.0 / max(1.0, rate * seconds)
            if batch_of is None:
                since = search(*session.packed.arrays, session.state, *session.scratch, tune, size, since)
            else:
                since = batch_of(tune, size, since)
            done += size
            recorder.note(done)
            spent = clock.seconds() - started
            if seconds is not None:
                share = (clock.seconds() - recorder.began) / seconds
                by_clock |= done >= 5 * batch and time_ends_first(stop, done, spent)
            if by_clock:
                batch = max(20, min(2 * batch, int(BATCH_S * done / spent)))
    except KeyboardInterrupt:
        recorder.interrupted = True
    return done
