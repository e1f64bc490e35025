"""Lifelong path finding for robots: the problem, and the solution that a strategy gives.

Rules (League of Robot Runners 2023): robots start facing East; each step of one second a robot drives forward,
turns a quarter clockwise (East → South → West → North) or counter-clockwise, or waits. Two robots never stand
on one cell and never exchange cells in one step. Robot k's j-th errand is `errands[(j * robots + k) % n]`; one
is known at a time, and it is finished when the robot stands on its cell after a step, whatever its heading.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.robots.grid import Grid
from solvers.errors import Fault, InvalidInputError

FORWARD, CLOCKWISE, COUNTER, WAIT = 0, 1, 2, 3
"""Actions, as stored in `RobotSolution.actions`."""


@dataclass(frozen=True, slots=True, eq=False)
class RobotProblem:
    """A floor, robots on it and an endless list of errands.

    Attributes:
        name: as in the file name, without suffix.
        grid: the floor.
        starts: int32 (robots,), start locations, all distinct and free.
        errands: int32 (n,), free locations in the order in which they are dealt out.
        steps: number of steps of one second to simulate.
    """

    name: str
    grid: Grid
    starts: NDArray[np.int32]
    errands: NDArray[np.int32]
    steps: int

    def __post_init__(self) -> None:
        faults: list[Fault] = []
        for field in ("starts", "errands"):
            locations = getattr(self, field)
            inside = (locations >= 0) & (locations < len(self.grid.free))
            bad = np.flatnonzero(~inside | ~self.grid.free[np.where(inside, locations, 0)])
            faults += [
                self._fault(f"{field}[{i}]", locations[i], "not a free cell", "give row * width + column")
                for i in bad.tolist()
            ]
            if len(locations) == 0:
                faults.append(self._fault(field, "", "empty", "give at least one location"))
        unique, counts = np.unique(self.starts, return_counts=True)
        for location in unique[counts > 1].tolist():
            rows = np.flatnonzero(self.starts == location).tolist()
            faults.append(self._fault(f"starts[{rows[-1]}]", location, "shared start", "use distinct cells"))
        if self.steps < 1:
            faults.append(self._fault("steps", self.steps, "not a number of steps", "give at least 1"))
        if faults:
            raise InvalidInputError(faults)

    @property
    def n_robots(self) -> int:
        return len(self.starts)

    def replace(self, **changes: Any) -> RobotProblem:
        """A copy with some attributes changed."""
        return replace(self, **changes)

    def _fault(self, place: str, value: object, message: str, repair: str) -> Fault:
        return Fault(self.name, place, str(value), "robot-problem", message, repair)


@dataclass(frozen=True, slots=True, eq=False)
class RobotSolution:
    """What every robot did in every step.

    Attributes:
        actions: uint8 (steps, robots), of FORWARD, CLOCKWISE, COUNTER, WAIT.
        errands: number of errands finished, as the strategy counts them; the checker counts anew.
        prepare_s: seconds spent before the first step (distance tables).
        cpu_s: float64 (steps,), processor seconds spent on each step, planning and bookkeeping.
        wall_s: float64 (steps,), the same by the wall clock.
    """

    actions: NDArray[np.uint8]
    errands: int
    prepare_s: float
    cpu_s: NDArray[np.float64]
    wall_s: NDArray[np.float64]
