"""Inductions of a robot floor: parcels in line, robots called, one parcel loaded at a time."""

from __future__ import annotations

from collections import deque

import numpy as np

from sim.sorting.layout import FloorLayout
from sim.sorting.parcels import NONE, FloatArray, IntArray

OUTSIDE = 1 << 20  # farther than any way on a floor


class Inductions:
    """Queues of parcels and lines of robots.

    A parcel joins the shortest open queue. An induction calls a robot for each parcel, at most as many as fit in
    its line; without parcels it still has some wait, of all robots half at most. Robots take the places of the line
    in the order of their distance, those in the line before all others.
    """

    def __init__(self, layout: FloorLayout, parcels: int, robots: int) -> None:
        number = len(layout.loads)
        self._ready: int = min(layout.lines.shape[1] + 1, robots // (2 * number))
        self.layout = layout
        self.queues: list[deque[int]] = [deque() for _ in range(number)]
        self.called: list[list[int]] = [[] for _ in range(number)]
        self.loading = [NONE] * number  # the parcel
        self.open = [True] * number
        self.places = [
            [load, *line] for load, line in zip(layout.loads.tolist(), layout.lines.tolist(), strict=True)
        ]
        self._inside = [set(places) for places in self.places]
        self.busy_s = np.zeros(number)
        self.level_s = np.zeros(number)  # integral of the number waiting
        self.peak = 0
        self.stays: list[tuple[int, int, float, float, float]] = []  # induction, parcel, came, start, end
        self.came_s: FloatArray = np.full(parcels, np.nan)
        self._width = layout.grid.width
        self._turn: int = 0

    @property
    def waiting(self) -> int:
        """Parcels in all queues."""
        return sum(map(len, self.queues))

    def join(self, parcel: int, at_s: float) -> int:
        """A parcel comes; the induction that it joins. Where all are closed, one is as good as another."""
        self.came_s[parcel] = at_s
        number = len(self.queues)
        best, least = self._turn % number, 1 << 60
        for step in range(number):
            k = (self._turn + step) % number
            length = len(self.queues[k]) + (self.loading[k] != NONE)
            if length < least and self.open[k]:
                best, least = k, length
        self._turn = (best + 1) % number
        self.queues[best].append(parcel)
        return best

    def measure(self, seconds: float) -> None:
        """Add what waits to the integral."""
        lengths = [len(queue) for queue in self.queues]
        self.level_s += np.array(lengths) * seconds
        self.peak = max(self.peak, sum(lengths))

    def wanted(self, k: int) -> int:
        """Robots that induction would still call."""
        if not self.open[k]:
            return 0
        most = len(self.places[k])
        return min(most, max(self._ready, len(self.queues[k]))) - len(self.called[k])

    def neediest(self) -> int:
        """The induction that calls next, or NONE."""
        best, most = NONE, (0, 0)
        for k in range(len(self.queues)):
            wanted = self.wanted(k)
            if wanted > 0 and (len(self.queues[k]), wanted) > most:
                best, most = k, (len(self.queues[k]), wanted)
        return best

    def close(self, k: int, at_s: float) -> tuple[list[int], list[int]]:
        """Its parcels join other queues; the robots that it had called, and the inductions joined."""
        joined = []
        self.open[k] = False
        robots, self.called[k] = self.called[k], []
        if any(self.open):
            parcels, self.queues[k] = list(self.queues[k]), deque()
            for parcel in parcels:
                came = self.came_s[parcel]
                self.stays.append((k, parcel, float(came), float("nan"), at_s))
                joined.append(self.join(parcel, at_s))
        return robots, joined

    def line_up(self, k: int, locations: np.ndarray, closed: set[int]) -> list[tuple[int, int]]:
        """(robot, place) of all called robots, the nearest first; those beyond the line head for its last place."""
        robots = self.called[k]
        if not robots:
            return []
        load = int(self.layout.loads[k])
        to_row, to_column = divmod(load, self._width)
        way = []
        for robot in robots:
            location = int(locations[robot])
            row, column = divmod(location, self._width)
            outside = 0 if location in self._inside[k] else OUTSIDE
            way.append((abs(row - to_row) + abs(column - to_column) + outside, robot))
        # The place of who is being loaded is free again when the robot has its parcel.
        first = 1 if self.loading[k] != NONE else 0
        places = [cell for cell in self.places[k][first:] if cell not in closed] or [load]
        return [(robot, places[min(at, len(places) - 1)]) for at, (_, robot) in enumerate(sorted(way))]

    def begin(self, k: int) -> int:
        """The first parcel of the queue, which is now being loaded."""
        parcel = self.queues[k].popleft()
        self.loading[k] = parcel
        return parcel

    def end(self, k: int, start_s: float, end_s: float) -> int:
        """The parcel that is on its robot now."""
        parcel = self.loading[k]
        self.loading[k] = NONE
        self.busy_s[k] += end_s - start_s
        self.stays.append((k, parcel, float(self.came_s[parcel]), start_s, end_s))
        return parcel

    def stays_of(self, k: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """(came, start, end) of parcels loaded at an induction; start is NaN for those sent on to another."""
        table = np.array([row[2:] for row in self.stays if row[0] == k], np.float64).reshape(-1, 3)
        return table[:, 0], table[:, 1], table[:, 2]

    def waits(self) -> FloatArray:
        """Seconds that parcels waited in a queue, in the order of loading."""
        table = np.array([(start - came) for _, _, came, start, _ in self.stays], np.float64)
        return table[~np.isnan(table)]

    def numbers(self) -> IntArray:
        """int64, parcels that wait or are being loaded."""
        held = [parcel for queue in self.queues for parcel in queue]
        return np.array(held + [parcel for parcel in self.loading if parcel != NONE], np.int64)
