"""Strategies for lifelong path finding, under the project's solver protocol."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.robots.guidance import Guidance
from sim.robots.planner import PlannerSettings, WindowPlanner
from sim.robots.problem import RobotProblem, RobotSolution
from solvers.result import Incumbent, OnBest, Result, Status
from solvers.stop import Progress, Stop

REPORT_EVERY = 100
STALL = 1.0
"""Cost that a step without coming nearer adds to what an active robot has left, where not all can be active."""
KEEP = 6
"""Cost by which another robot must be nearer to its goal to take an active robot's place."""


class WindowStrategy:
    """Plans windows of steps by pushes: a pass by priority, then improvement of all windows together.

    An iteration is a step of the floor; `stop` may end the run early. Robots with the least cost left to their
    goals are most urgent, or those whose last errand lies longest back, see `fairness`. The result's `cost` is
    the number of errands, negated.

    Args:
        prepare_goals: fill the tables of all errands' goals before the first step, as far as memory bounds
            allow, rather than when they turn up.
        active: largest share of the robots that pursue errands at a time, those with the least cost left; the
            others make way, and are chosen anew every step. On crowded floors fewer active robots finish more.
        fairness: units of cost left that one step since the robot's last errand makes up for, in who is urgent
            and who is active; 0 serves the shortest ways alone, 20 practically who has waited longest.
        along, against, turn, wait, lanes, slope: see `Guidance`; further settings: see `PlannerSettings`. What
            is not given is chosen by how many robots there are and how crowded the floor is, see `suggested`.
    """

    name = "windowed"
    features: frozenset[str] = frozenset({"turning"})

    def __init__(
        self,
        *,
        prepare_goals: bool = True,
        active: float | None = None,
        fairness: float | None = None,
        **given: Any,
    ) -> None:
        if active is not None and not 0 < active <= 1:
            raise ValueError(f"active is {active}; it must be above 0 and at most 1")
        if fairness is not None and fairness < 0:
            raise ValueError(f"fairness is {fairness}; it must not be negative")
        self._given = given
        self.prepare_goals = prepare_goals
        self.active = active
        self.fairness = fairness
        settings_of(self._given)

    def settings_for(self, problem: RobotProblem) -> PlannerSettings:
        """The settings used on a problem: those given, the rest as suggested."""
        return settings_of({**self.suggested(problem), **self._given})

    def suggested(self, problem: RobotProblem) -> dict[str, Any]:
        """What did well on floors like this one."""
        return suggested(problem)

    def solve(
        self,
        problem: RobotProblem,
        stop: Stop,
        *,
        seed: int,
        start: RobotSolution | None = None,
        on_best: OnBest[RobotSolution] | None = None,
    ) -> Result[RobotSolution]:
        """See `solvers.registry.Solver`; strategies plan from the first step, so `start` must be None."""
        if start is not None:
            raise ValueError("robot strategies plan from the first step; give no start solution")
        began = time.monotonic()
        robots = problem.n_robots
        goals = np.unique(problem.errands)
        settings = self.settings_for(problem)
        planner = WindowPlanner(problem.grid, problem.starts, len(goals), settings, seed)
        warm_up(settings)
        everybody = np.arange(robots)
        taken = np.zeros(robots, np.int64)
        target = problem.errands[everybody % len(problem.errands)].astype(np.int32)
        if self.prepare_goals:
            rows = len(planner.tables.table)
            first = np.concatenate([np.unique(target), goals])
            wanted = first[np.sort(np.unique(first, return_index=True)[1])][:rows]
            planner.tables.require(problem.grid.index[wanted], problem.grid.index[wanted])
        pool = ErrandPool(planner, robots, self.active or active_share(problem))
        fairness = suggested_fairness(problem) if self.fairness is None else self.fairness
        prepare_s = time.monotonic() - began

        monitor = stop.monitor()
        since = np.zeros(robots, np.int64)
        actions = np.empty((problem.steps, robots), np.uint8)
        cpu_s, wall_s = np.empty(problem.steps), np.empty(problem.steps)
        finished = everybody
        errands = steps = 0
        interrupted = False
        try:
            while steps < problem.steps and not monitor(Progress(steps, 0, -errands)):
                tick, cpu_tick = time.perf_counter(), time.thread_time()
                urgency = pool.choose(
                    target, finished, planner.cost_left(target), fairness * since.astype(np.float64)
                )
                actions[steps] = planner.step(urgency)
                finished = np.flatnonzero(planner.locations == target)
                errands += len(finished)
                since += 1
                since[finished] = 0
                taken[finished] += 1
                target[finished] = problem.errands[
                    (taken[finished] * robots + finished) % len(problem.errands)
                ]
                wall_s[steps] = time.perf_counter() - tick
                cpu_s[steps] = time.thread_time() - cpu_tick
                steps += 1
                if on_best is not None and steps % REPORT_EVERY == 0:
                    so_far = RobotSolution(actions[:steps], errands, prepare_s, cpu_s[:steps], wall_s[:steps])
                    on_best(Incumbent(so_far, -errands, 0, time.monotonic() - began, steps))
        except KeyboardInterrupt:
            interrupted = True
        solution = RobotSolution(
            actions[:steps].copy(), errands, prepare_s, cpu_s[:steps].copy(), wall_s[:steps].copy()
        )
        return Result(
            status=Status.FEASIBLE if steps == problem.steps else Status.INCOMPLETE,
            solution=solution,
            cost=-errands,
            unserved=(),
            solver=self.name,
            seed=seed,
            iterations=steps,
            runtime_s=time.monotonic() - began,
            interrupted=interrupted,
        )


class FastStrategy(WindowStrategy):
    """The priority pass alone over a short window: thousands of robots within milliseconds a step."""

    name = "fast"

    def __init__(self, **given: Any) -> None:
        # No time budget: the pass takes what it takes, and improvement is not this strategy's business.
        super().__init__(**{"chains": 0, **given, "ms_per_step": None})

    def suggested(self, problem: RobotProblem) -> dict[str, Any]:
        """Windows of three steps and few pushes end in jams or in dead ends; a pass that looks further keeps floors
        moving. Among thousands it has no need to send robots aside, elsewhere it does so early."""
        chosen = suggested(problem)
        patience = 0 if problem.n_robots > 1000 else chosen.get("patience", 20)
        window = min(6, chosen["window"])
        return {**chosen, "window": window, "inherit_pushes": 100, "depth": 30, "patience": patience}


def settings_of(flat: Mapping[str, Any]) -> PlannerSettings:
    """Planner settings from one flat mapping that may hold guidance costs as well.

    Raises `ValueError` for unknown names.
    """
    known = [*PlannerSettings.__dataclass_fields__, *Guidance.__dataclass_fields__]
    unknown = sorted(set(flat) - set(known))
    if unknown:
        raise ValueError(f"no setting {', '.join(unknown)}; there are: {', '.join(sorted(known))}")
    costs = {key: flat[key] for key in flat if key in Guidance.__dataclass_fields__}
    rest = {key: flat[key] for key in flat if key not in costs}
    return PlannerSettings(**rest, guidance=Guidance(**costs))


def suggested(problem: RobotProblem) -> dict[str, Any]:
    """Settings that did well on floors like this one.

    The fewer the robots, the longer the windows that a time budget can improve; the emptier the floor, the
    less is won by driving in lanes; the more crowded, the longer the chains that free a way. On a floor with
    hardly a free cell a step of one robot is a step of many, and only short windows leave time for such chains.
    """
    robots = problem.n_robots
    crowding = robots / problem.grid.n_free
    chosen: dict[str, Any] = {"window": 12 if robots <= 150 else 8}
    if robots > 1000:
        chosen |= {"inherit_pushes": 20, "pushes": 20, "slope": 0.5}
    elif crowding <= 0.15:
        chosen |= {"along": 1, "against": 1, "turn": 1, "wait": 1}
    elif crowding <= 0.3:
        chosen |= {"against": 3}
    elif crowding > 0.6:
        # Whoever wants to move here moves many: chains of twice as many robots finish a sixth more errands.
        chosen |= {"pushes": 200, "depth": 20}
    if crowding > 0.85:
        chosen |= {"window": 3}
    if crowding > 0.6:
        # Who is stuck here is stuck in a jam, which robots that step aside only stir up.
        chosen |= {"patience": 0}
    return chosen


def suggested_fairness(problem: RobotProblem) -> float:
    """Weight of waiting against nearness.

    Where improvement gets every plan nearly right, serving who has waited longest finishes most errands; where
    robots are in each other's way, serving the nearest does. Among thousands it gains at the start, but no run was
    long enough to show that it keeps moving.
    """
    crowding = problem.n_robots / problem.grid.n_free
    if crowding > 0.6:
        return 0.0
    return 20.0 if crowding <= 0.3 or problem.n_robots > 1000 else 0.25


def active_share(problem: RobotProblem) -> float:
    """Share of robots to pursue errands at a time: all, until the floor is about a third full of them."""
    crowding = problem.n_robots / problem.grid.n_free
    return min(1.0, 0.38 / crowding)


class ErrandPool:
    """Which robots pursue their errands: all, or a share of them, those with the least cost left.

    They are chosen anew every step, as robots that make way for others are carried nearer to their own goals.
    A step in which an active robot comes no nearer counts like `STALL` more cost left, and is forgotten five
    times as slowly while it makes way: or else those stuck near their goals come to be all the active there are.
    """

    def __init__(self, planner: WindowPlanner, robots: int, share: float) -> None:
        self._planner = planner
        self._limit = max(1, round(share * robots))
        self._busy = np.zeros(robots, bool)
        self._nearest = np.zeros(robots, np.int64)
        self._stalled = np.zeros(robots)

    def choose(
        self,
        target: NDArray[np.int32],
        renewed: NDArray[np.int64],
        left: NDArray[np.int64],
        waited: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        """Send the nearest robots to their targets, and let the others rest.

        Args:
            target: int32 (robots,), locations; renewed: the robots whose targets are new.
            left: int64 (robots,), cost to the targets.
            waited: float64 (robots,), cost that is made up for by waiting.

        Returns:
            int64 (robots,), how urgent each robot is.
        """
        if self._limit == len(target):
            self._planner.set_goals(renewed, target[renewed])
            return (waited - left).astype(np.int64)
        self._stalled[renewed] = 0
        self._nearest[renewed] = left[renewed] + 1
        stuck = self._busy & (left >= self._nearest)
        self._nearest = np.minimum(self._nearest, left)
        self._stalled = np.where(stuck, self._stalled + STALL, np.maximum(0, self._stalled - STALL / 5))
        urgency = (waited - left - self._stalled).astype(np.int64)
        chosen = np.zeros(len(target), bool)
        chosen[np.argsort(-urgency - KEEP * self._busy, kind="stable")[: self._limit]] = True
        self._planner.rest(np.flatnonzero(self._busy & ~chosen))
        starting = chosen & ~self._busy
        starting[renewed] = chosen[renewed]
        fresh = np.flatnonzero(starting)
        self._planner.set_goals(fresh, target[fresh])
        self._busy = chosen
        return urgency


def warm_up(settings: PlannerSettings) -> None:
    """Compile or load all kernels, so that no step pays for it."""
    from sim.robots.grid import Grid

    # Under a budget kernels are called one by one, while time is left: each step gets at least one further.
    budget = None if settings.ms_per_step is None else 20.0
    quick = replace(settings, ms_per_step=budget, chains=4, inherit_pushes=4)
    planner = WindowPlanner(Grid.from_rows(["...", "..."]), np.array([0, 2], np.int32), 2, quick, 1)
    planner.set_goals(np.arange(2), np.array([2, 0], np.int32))
    planner.cost_left(np.array([2, 0], np.int32))
    for _ in range(4):
        planner.step(np.zeros(2, np.int64))
