"""The robots of a goods-to-person warehouse: where they drive, how long it takes, when they charge."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import cast

import numpy as np

from sim.warehouse.motion import move_s
from sim.warehouse.orders import NONE
from sim.warehouse.pod_floor import PodFloor

IDLE, TO_POD, TO_STATION, AT_STATION, TO_PLACE, TO_CHARGER, CHARGING, OUT = range(8)
MOVING = (TO_POD, TO_STATION, TO_PLACE, TO_CHARGER)


class RobotFleet:
    """State of every robot by number: `phase`, the `pod` it serves and the station that is its `goal`.

    `arrives(at_s, robot)` and `charged(at_s, robot)` put an event on the warehouse's clock, which calls back.
    `idle` holds robots without work, longest idle first. `charge_factor` draws a factor of each charging
    time, None for 1.
    """

    def __init__(
        self,
        floor: PodFloor,
        arrives: Callable[[float, int], None],
        charged: Callable[[float, int], None],
        charge_factor: Callable[[], float] | None,
    ) -> None:
        self._floor, self._section = floor, floor.section
        section = floor.section
        # Few distances turn up on a grid.
        self._move_s = lru_cache(maxsize=4096)(
            lambda distance_m: move_s(distance_m, section.speed_mps, section.acceleration_mps2)
        )
        # The same memory, of which single entries are read faster.
        self._at = cast("memoryview[float]", floor.robot_xy.data)
        self._arrives, self._charged, self._charge_factor = arrives, charged, charge_factor
        robots = floor.section.robots
        self.phase = [IDLE] * robots
        self.pod = [NONE] * robots
        self.goal = [NONE] * robots
        self.stopped_until = [0.0] * robots
        self.delay_s = [0.0] * robots  # stood still on the present way
        self.idle: dict[int, None] = dict.fromkeys(range(robots))
        self.moved_m, self.driven_s = 0.0, 0.0
        self.charges: list[list[tuple[float, float, float]]] = [
            [] for _ in range(robots)
        ]  # asked, began, ended
        self._battery_s = [float(floor.section.drive_s)] * robots
        self._free_chargers = deque(range(floor.section.chargers))
        self._charger_of = [NONE] * robots
        self._queue: deque[int] = deque()
        self._charge_from = [(0.0, 0.0)] * robots

    def drive(self, now: float, robot: int, to: tuple[float, float], extra_s: float) -> None:
        """Set out from where the robot is; it arrives (and has lifted or set down, `extra_s`) later."""
        section, at = self._section, self._at
        across, along = abs(to[0] - at[robot, 0]), abs(to[1] - at[robot, 1])
        travel = self._move_s(across) + self._move_s(along)
        if across > 0 and along > 0:
            travel += section.turn_s
        travel *= section.slowdown
        self._battery_s[robot] -= travel
        self.driven_s += travel
        self.moved_m += across + along
        at[robot, 0], at[robot, 1] = to
        self._arrives(max(now, self.stopped_until[robot]) + travel + extra_s, robot)

    def rest(self, now: float, robot: int) -> None:
        """Idle, unless stopped or in need of charge."""
        if self.stopped_until[robot] > now:
            self.phase[robot] = OUT
            self._arrives(self.stopped_until[robot], robot)
        elif self._battery_s[robot] < self._section.charge_below * self._section.drive_s:
            self._charge_from[robot] = (now, now)
            self._queue.append(robot)
            self.phase[robot] = OUT
            self.charge_next(now)
        else:
            self.phase[robot] = IDLE
            self.idle[robot] = None

    def charge_next(self, now: float) -> None:
        """Send those that wait to free chargers, in turn."""
        while self._free_chargers and self._queue:
            robot, charger = self._queue.popleft(), self._free_chargers.popleft()
            self._charger_of[robot] = charger
            self._charge_from[robot] = (self._charge_from[robot][0], now)  # taken from now on
            self.phase[robot] = TO_CHARGER
            self.drive(now, robot, self._floor.charger_at[charger], 0.0)

    def plug_in(self, now: float, robot: int) -> None:
        """The robot is at its charger."""
        section = self._section
        self.phase[robot] = CHARGING
        empty = 1.0 - max(self._battery_s[robot], 0.0) / section.drive_s
        factor = self._charge_factor() if self._charge_factor is not None else 1.0
        self._charged(now + empty * section.charge_s * factor, robot)

    def leave_charger(self, now: float, robot: int) -> None:
        """The battery is full."""
        asked, began = self._charge_from[robot]
        self.charges[robot].append((asked, began, now))
        self._battery_s[robot] = float(self._section.drive_s)
        self._free_chargers.append(self._charger_of[robot])
        self._charger_of[robot] = NONE
        self.rest(now, robot)
        self.charge_next(now)

    def think_s(self, from_s: float = 0.0) -> float:
        """Mean time from a robot's leaving a charger, after `from_s`, to its asking for one again."""
        away = [
            asked - left
            for spans in self.charges
            for (_, _, left), (asked, _, _) in pairwise(spans)
            if left >= from_s
        ]
        return float(np.mean(away))
