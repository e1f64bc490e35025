"""Batteries and chargers of a robot floor: who goes to charge, which charger, and who waits for one."""

from __future__ import annotations

from collections import deque

import numpy as np

from sim.sorting.parcels import NONE, FloatArray


class Charging:
    """Batteries as shares of full, chargers that are reserved when a robot sets out for one, and a line for them.

    Visits tell when the robot wanted to charge, when it stood at the charger, and when it left.
    """

    def __init__(self, robots: int, chargers: int, drive_s: float, first: FloatArray) -> None:
        self.battery = first
        self.drive_s = drive_s
        self.line: deque[int] = deque()
        self.free = list(range(chargers))
        self.charger = np.full(robots, NONE, np.int64)
        self.visits: list[tuple[int, float, float, float]] = []  # robot, asked, start, finish
        self.reserved: list[float] = []  # of each visit, when its charger was reserved
        self._asked = np.zeros(robots)
        self._start = np.zeros(robots)
        self._taken = np.zeros(robots)

    def ask(self, robot: int, at_s: float, near: FloatArray) -> bool:
        """Whether a charger is free; the one that `near` (chargers,) puts first is then reserved."""
        self._asked[robot] = at_s
        if not self.free:
            self.line.append(robot)
            return False
        self._reserve(robot, near, at_s)
        return True

    def begin(self, robot: int, at_s: float) -> None:
        self._start[robot] = at_s

    def end(self, robot: int, at_s: float) -> int | None:
        """The robot is full and leaves; the next in line, if any, whose charger is now reserved."""
        self.battery[robot] = 1.0
        self.visits.append((robot, float(self._asked[robot]), float(self._start[robot]), at_s))
        self.reserved.append(float(self._taken[robot]))
        self.free.append(int(self.charger[robot]))
        self.charger[robot] = NONE
        if not self.line:
            return None
        following = self.line.popleft()
        self._reserve(following, np.zeros(1 + max(self.free)), at_s)
        return following

    def stays(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """(asked, start, finish) of all visits that ended."""
        table = np.array(self.visits, np.float64).reshape(-1, 4)
        return table[:, 1], table[:, 2], table[:, 3]

    def away_s(self, from_s: float) -> float:
        """Mean time from leaving the chargers to asking again, of visits asked for after `from_s`."""
        left: dict[int, float] = {}
        gaps: list[float] = []
        for robot, asked, _, finish in self.visits:
            if robot in left and asked >= from_s:
                gaps.append(asked - left[robot])
            left[robot] = finish
        return float(np.mean(gaps)) if gaps else float("nan")

    def _reserve(self, robot: int, near: FloatArray, at_s: float) -> None:
        self._taken[robot] = at_s
        charger = min(self.free, key=lambda each: (near[each], each))
        self.free.remove(charger)
        self.charger[robot] = charger
