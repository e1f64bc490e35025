"""Robots on a floor under one plan: set goals, move a step, look where everybody is.

This is what strategies and floor simulations drive; it knows nothing of errands.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.robots.distances import DEFAULT_BYTES, DistanceTables
from sim.robots.grid import Grid
from sim.robots.guidance import Guidance
from sim.robots.kernels.distances import UNREACHABLE
from sim.robots.kernels.layout import MAX_WINDOW, Floor, new_plan, new_search
from sim.robots.kernels.priority import DIGITS, prioritise
from sim.robots.kernels.push import improve, inherit, whole_step
from sim.robots.kernels.window import begin_step, carry_out, cost_left, stand_still
from sim.robots.yielding import Yielding

BATCH = 32
PASS_BATCH = 256
"""Chains of improvement, and robots of the priority pass, between two looks at the clock."""
NO_WAY = 1 << 30
"""Cost to a goal that cannot be reached."""


@dataclass(frozen=True, slots=True)
class PlannerSettings:
    """How much to plan.

    Attributes:
        window: steps planned ahead, 2 to 12.
        inherit_pushes: robots pushed at most for each robot of the priority pass.
        chains: improvement chains a step; with `ms_per_step`, as many as the time allows.
        pushes: robots pushed at most in one improvement chain, counting those in vain.
        depth: robots at most in one improvement chain at a time; the priority pass has twice as many.
        attempts: paths tried into the same robot at the same step.
        spread: weight of the most urgent robot against the least urgent.
        sharpness: exponent of the weight's growth with the urgency's rank.
        ms_per_step: budget of processor time for planning a step, which on an idle core is wall-clock time, for
            the priority pass as well as improvement; None makes runs reproducible.
        patience: steps without coming nearer after which those in a robot's way step aside; 0 for never.
        guidance: costs of moves.
    """

    window: int = 6
    inherit_pushes: int = 100
    chains: int = 2000
    pushes: int = 40
    depth: int = 10
    attempts: int = 1
    spread: int = 400
    sharpness: int = 2
    ms_per_step: float | None = None
    patience: int = 40
    guidance: Guidance = field(default_factory=Guidance)

    def __post_init__(self) -> None:
        if not 2 <= self.window <= MAX_WINDOW:
            raise ValueError(f"window is {self.window}; it must be 2 to {MAX_WINDOW}")
        if min(self.inherit_pushes, self.chains, self.pushes, self.spread, self.patience) < 0:
            raise ValueError("pushes, chains, spread and patience must not be negative")
        if self.depth < 1 or self.attempts < 1 or self.sharpness < 1:
            raise ValueError("depth, attempts and sharpness must be at least 1")
        if self.ms_per_step is not None and self.ms_per_step <= 0:
            raise ValueError(f"ms_per_step is {self.ms_per_step}; it must be positive, or None")


class WindowPlanner:
    """Moves robots over a grid without conflicts, towards goals that may change at any step.

    Args:
        grid: the floor.
        starts: int32 (robots,), start locations; all robots face East.
        n_goals: how many different goals may come up, to size the distance tables.
        settings: see `PlannerSettings`.
        seed: of the improvement's choice of robots.
        max_table_bytes: bound on the distance tables.
    """

    def __init__(
        self,
        grid: Grid,
        starts: NDArray[np.int32],
        n_goals: int,
        settings: PlannerSettings,
        seed: int,
        max_table_bytes: int = DEFAULT_BYTES,
    ) -> None:
        self.grid = grid
        self.settings = settings
        robots = len(starts)
        guidance = settings.guidance
        self.tables = DistanceTables(grid, guidance, n_goals, robots, max_table_bytes)
        self._floor = Floor(
            grid.neighbours,
            self.tables.edge_cost,
            self.tables.field,
            guidance.turn,
            guidance.wait,
            self.tables.table,
            self.tables.surplus,
        )
        self._plan = new_plan(grid.index[starts], grid.n_free, settings.window)
        self._plan.resting[:] = 1
        self._plan.goal[:] = -1
        self._search = new_search(robots, settings.window, 2 * settings.depth, seed)
        self._goals = np.full(robots, -1, np.int32)
        self._held = np.zeros(robots, np.bool_)
        self._closed: NDArray[np.int32] = np.empty(0, np.int32)
        self._locations = grid.cells[self._plan.cell]
        self._places = tuple(each.astype(np.int32) for each in np.divmod(grid.cells, grid.width))
        self._least_cost = int(self.tables.edge_cost.min())
        self._yielding = Yielding(grid.neighbours, self._way, robots, settings.patience)
        self._sorting = tuple(np.empty(size, np.int64) for size in (robots, robots, robots, DIGITS))
        self._ranks = 1 + (settings.spread * np.linspace(1, 0, robots) ** settings.sharpness).astype(np.int32)

    @property
    def locations(self) -> NDArray[np.int32]:
        """int32 (robots,), where the robots stand; a step makes a new array."""
        return self._locations

    @property
    def headings(self) -> NDArray[np.int32]:
        """int32 (robots,), 0 East, 1 South, 2 West, 3 North."""
        return self._plan.heading

    def cost_left(self, locations: NDArray[np.int32]) -> NDArray[np.int64]:
        """Least cost from where each robot stands and faces to its entry of `locations`, int64 (robots,).

        Tables hold costs modulo 256; the ambiguity is resolved by the Manhattan distance, so that detours of
        256 and more beyond it are understated. Where there is no way, the cost is `NO_WAY`.
        """
        goals, plan = self.grid.index[locations], self._plan
        rows = self.tables.require(goals, np.concatenate([goals, plan.goal]))
        left = np.empty(len(goals), np.int64)
        cost_left(self._floor, plan, rows, goals, *self._places, self._least_cost, NO_WAY, left)
        return left

    def set_goals(self, robots: NDArray[np.int64], locations: NDArray[np.int32]) -> None:
        """Send robots to locations.

        A goal that cannot be reached from where its robot stands is kept, and the robot rests: it makes way
        for others and goes nowhere.
        """
        if len(robots) == 0:
            return
        self._held[robots] = False
        self._goals[robots] = self.grid.index[locations]
        self._yielding.aside[robots] = -1
        self._head_for(robots, self._goals[robots])

    def rest(self, robots: NDArray[np.int64]) -> None:
        """Take the goals of robots away; they make way for all others."""
        if len(robots) == 0:
            return
        self._held[robots] = False
        self._goals[robots] = -1
        self._yielding.aside[robots] = -1
        self._stand_by(robots)

    def hold(self, robots: NDArray[np.int64]) -> None:
        """Robots stay where they are, whoever comes, until they get a goal or rest: being loaded, or broken."""
        if len(robots) == 0:
            return
        self.rest(robots)
        self._held[robots] = True
        stand_still(self._plan, robots)

    def close(self, locations: NDArray[np.int32]) -> None:
        """Only these cells are closed from now on: ways go round them, and goals there cannot be reached.

        Robots that stand there should be held; all distances are computed anew.
        """
        closed = np.unique(self.grid.index[locations])
        if np.array_equal(closed, self._closed):
            return
        self._closed = closed
        neighbours = self.grid.neighbours.copy()
        neighbours[np.isin(neighbours, closed)] = -1
        neighbours[closed] = -1
        self._floor = self._floor._replace(neighbours=neighbours)
        self.tables.forget(neighbours)
        self._yielding.neighbours = neighbours
        self._yielding.aside[:] = -1
        self._plan.goal[:] = -1
        going = np.flatnonzero(self._goals >= 0)
        self._stand_by(np.flatnonzero(self._goals < 0))
        if len(going):
            self._head_for(going, self._goals[going])

    def _head_for(self, robots: NDArray[np.int64], goals: NDArray[np.int32]) -> None:
        plan = self._plan
        plan.goal[robots] = goals
        plan.waited[robots] = -1
        rows = self.tables.require(goals, plan.goal)
        plan.row[robots] = rows
        plan.resting[robots] = self.tables.table[rows, plan.cell[robots]] == UNREACHABLE

    def _stand_by(self, robots: NDArray[np.int64]) -> None:
        self._plan.resting[robots] = 1
        self._plan.goal[robots] = -1

    def _way(self, robot: int, length: int) -> list[int]:
        """Cells of a robot's cheapest way, without the one where it stands; none for one who rests."""
        plan, floor = self._plan, self._floor
        if plan.resting[robot]:
            return []
        row = floor.table[plan.row[robot]]
        cell, heading, goal = int(plan.cell[robot]), int(plan.heading[robot]), int(plan.goal[robot])
        way: list[int] = []
        while cell != goal and len(way) < length:
            packed = int(row[cell])
            here = (packed & 255) + int(floor.surplus[packed >> 8, heading])
            ahead = int(floor.neighbours[cell, heading])
            if ahead >= 0:
                there = int(row[ahead])
                rest = int(floor.edge_cost[floor.field[goal], cell, heading]) + (there & 255)
                rest += int(floor.surplus[there >> 8, heading])
                if (here - rest) & 255 == 0:
                    cell = ahead
                    way.append(cell)
                    continue
            surplus = floor.surplus[packed >> 8]
            right = floor.turn_cost + surplus[(heading + 1) & 3] == surplus[heading]
            heading = (heading + (1 if right else 3)) & 3
        return way

    def _yield_ways(self, urgency: NDArray[np.int64]) -> NDArray[np.int64]:
        """Send aside who blocks the stuck; urgency with those sent aside first of all."""
        plan, yielding = self._plan, self._yielding
        back = yielding.expired()
        if len(back):
            self._stand_by(back[self._goals[back] < 0])
            going = back[self._goals[back] >= 0]
            if len(going):
                self._head_for(going, self._goals[going])
        stuck = yielding.stuck(plan.waited)
        if len(stuck):
            standing = plan.holder[:, 0].copy()
            standing[plan.cell[self._held]] = -1  # they step aside for nobody
            sent = np.array(yielding.decide(stuck, plan.waited, urgency, plan.cell, standing), np.int64)
            if len(sent):
                self._head_for(sent, yielding.aside[sent])
        aside = yielding.sent_aside()
        if len(aside) == 0:
            return urgency
        self._stand_by(aside[plan.cell[aside] == yielding.aside[aside]])
        urgency = urgency.copy()
        urgency[aside] = urgency.max() + 1
        return urgency

    def step(self, urgency: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Plan and carry out one step.

        Args:
            urgency: int64 (robots,); the higher, the sooner a robot is planned and the more it weighs.

        Returns:
            uint8 (robots,), the actions done.
        """
        chosen, plan = self.settings, self._plan
        end = None if chosen.ms_per_step is None else time.thread_time() + chosen.ms_per_step / 1000
        if chosen.patience:
            urgency = self._yield_ways(urgency)
        done = np.empty(len(self._held), np.uint8)
        if end is None:
            whole_step(
                self._floor,
                plan,
                self._search,
                self._held,
                urgency,
                self._ranks,
                *self._sorting,
                chosen.inherit_pushes,
                chosen.chains,
                chosen.pushes,
                chosen.depth,
                chosen.attempts,
                done,
            )
        else:
            self._step_until(end, urgency, done)
        self._locations = self.grid.cells[plan.cell]
        return done

    def _step_until(self, end: float, urgency: NDArray[np.int64], done: NDArray[np.uint8]) -> None:
        """`whole_step` as far as the thread's clock allows."""
        chosen, plan, floor, search = self.settings, self._plan, self._floor, self._search
        prioritise(plan, self._held, urgency, self._ranks, *self._sorting)
        order = self._sorting[1]
        begin_step(floor, plan)
        first = 0 if chosen.inherit_pushes else len(order)
        while first < len(order) and time.thread_time() < end:
            # Robots that the time does not suffice for keep the plans they have.
            last = min(first + PASS_BATCH, len(order))
            inherit(
                floor,
                plan,
                search,
                order,
                first,
                last,
                chosen.inherit_pushes,
                2 * chosen.depth,
                chosen.attempts,
            )
            first = last
        while time.thread_time() < end:
            improve(floor, plan, search, BATCH, chosen.pushes, chosen.depth, chosen.attempts)
        carry_out(plan, done)
