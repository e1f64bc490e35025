"""The checker of robot plans: plain numpy, shares nothing with the planners but the map's free cells.

It drives the robots by their actions alone, step by step, on row and column coordinates.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.robots.problem import RobotProblem

MAX_LISTED = 100
"""Conflicts described in full; beyond that they are only counted."""


@dataclass(frozen=True, slots=True)
class RobotConflict:
    """A broken rule: kind (`vertex`, `swap`, `blocked`, `outside`, `action`), step (from 0) and robots."""

    kind: str
    step: int
    robots: tuple[int, ...]
    location: int

    @property
    def message(self) -> str:
        who = " and ".join(str(robot) for robot in self.robots)
        return f"step {self.step}: {self.kind} at location {self.location}, robots {who}"


@dataclass(frozen=True, slots=True, eq=False)
class RobotCheck:
    """What the checker found.

    Attributes:
        errands: finished errands in all; per_step int64 (steps,) those finished after each step.
        conflicts: number of broken rules; listed: the first of them.
        final: int32 (robots,), locations at the end.
    """

    errands: int
    per_step: NDArray[np.int64]
    conflicts: int
    listed: tuple[RobotConflict, ...]
    final: NDArray[np.int32]


def check_actions(problem: RobotProblem, actions: NDArray[np.uint8]) -> RobotCheck:
    """Replay `actions` (steps, robots) under the League 2023 rules.

    A robot that drives off the floor or into a blocked cell is reported and stays where it is; conflicts are
    reported and the robots go on, so that one fault does not hide the next.

    Raises:
        ValueError: the shape of `actions` does not fit the problem.
    """
    robots = problem.n_robots
    if actions.ndim != 2 or actions.shape[1] != robots or len(actions) > problem.steps:
        raise ValueError(f"actions of shape {actions.shape}; expected at most ({problem.steps}, {robots})")
    height, width = problem.grid.height, problem.grid.width
    free = problem.grid.free.reshape(height, width)
    row, column = np.divmod(problem.starts.astype(np.int64), width)
    # Degrees clockwise from East.
    heading = np.zeros(robots, np.int64)
    taken = np.zeros(robots, np.int64)
    target = problem.errands[np.arange(robots) % len(problem.errands)].astype(np.int64)
    listed: list[RobotConflict] = []
    conflicts = 0
    per_step = np.zeros(len(actions), np.int64)

    def report(kind: str, step: int, who: tuple[int, ...], location: int) -> None:
        nonlocal conflicts
        conflicts += 1
        if len(listed) < MAX_LISTED:
            listed.append(RobotConflict(kind, step, who, location))

    for step, chosen in enumerate(actions):
        before = row * width + column
        for robot in np.flatnonzero(chosen > 3).tolist():
            report("action", step, (robot,), int(before[robot]))
        angle = np.deg2rad(heading)
        drives = chosen == 0
        new_row = row + np.where(drives, np.rint(np.sin(angle)), 0).astype(np.int64)
        new_column = column + np.where(drives, np.rint(np.cos(angle)), 0).astype(np.int64)
        heading = (heading + np.where(chosen == 1, 90, 0) - np.where(chosen == 2, 90, 0)) % 360
        outside = (new_row < 0) | (new_row >= height) | (new_column < 0) | (new_column >= width)
        for robot in np.flatnonzero(outside).tolist():
            report("outside", step, (robot,), int(before[robot]))
        new_row = np.where(outside, row, new_row)
        new_column = np.where(outside, column, new_column)
        stuck = ~free[new_row, new_column]
        for robot in np.flatnonzero(stuck).tolist():
            report("blocked", step, (robot,), int(new_row[robot] * width + new_column[robot]))
        row = np.where(stuck, row, new_row)
        column = np.where(stuck, column, new_column)
        after = row * width + column
        order = np.argsort(after, kind="stable")
        same = np.flatnonzero(after[order][1:] == after[order][:-1])
        for i in same.tolist():
            report("vertex", step, (int(order[i]), int(order[i + 1])), int(after[order[i]]))
        # A swap shows as one robot's (from, to) being another's (to, from).
        moved = np.flatnonzero(after != before)
        there = before[moved] * (height * width) + after[moved]
        back = after[moved] * (height * width) + before[moved]
        partner = {edge: int(robot) for edge, robot in zip(back.tolist(), moved.tolist(), strict=True)}
        for edge, robot in zip(there.tolist(), moved.tolist(), strict=True):
            other = partner.get(edge)
            if other is not None and other > robot:
                report("swap", step, (int(robot), other), int(after[robot]))
        finished = np.flatnonzero(after == target)
        per_step[step] = len(finished)
        taken[finished] += 1
        target[finished] = problem.errands[(taken[finished] * robots + finished) % len(problem.errands)]
    final = (row * width + column).astype(np.int32)
    return RobotCheck(int(per_step.sum()), per_step, conflicts, tuple(listed), final)
