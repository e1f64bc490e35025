"""Inductions of a robot floor: parcels in line, robots called, one parcel loaded at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

import numpy as np

from sim.sorting.layout import FloorLayout
from sim.sorting.parcels import NONE, FloatArray, IntArray

OUTSIDE = 1 << 20  # farther than any way on a floor
CLOSED = 1 << 60  # longer than any queue


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
        self._held = [0] * number  # parcels in the queue and being loaded
        self.open = [True] * number
        self.places = [
            [load, *line] for load, line in zip(layout.loads.tolist(), layout.lines.tolist(), strict=True)
        ]
        self._robots = robots
        # As many robots are called as there are places; those beyond a shortened line head for its last place.
        self._line = [places + places[-1:] * len(places) for places in self.places]
        self.way, self._rank = self._ways()
        self.busy_s = np.zeros(number)
        self.level_s = np.zeros(number)  # integral of the number waiting
        self.peak = 0
        self.stays: list[tuple[int, int, float, float, float]] = []  # induction, parcel, came, start, end
        self.came_s: FloatArray = np.full(parcels, np.nan)
        self._turn: int = 0

    def _ways(self) -> tuple[list[list[int]], list[list[int]]]:
        """Cells to the place of loading, by induction and location; and as a rank in the line, times robots."""
        location = np.arange(len(self.layout.grid.free))
        row, column = np.divmod(location, self.layout.grid.width)
        ways, ranks = [], []
        for places in self.places:
            to_row, to_column = divmod(places[0], self.layout.grid.width)
            way = abs(row - to_row) + abs(column - to_column)
            ways.append(way.tolist())
            # Who is in the line comes before all others.
            ranks.append((self._robots * (way + np.where(np.isin(location, places), 0, OUTSIDE))).tolist())
        return ways, ranks

    @property
    def waiting(self) -> int:
        """Parcels in all queues."""
        return sum(map(len, self.queues))

    def join(self, parcel: int, at_s: float) -> int:
        """A parcel comes; the induction that it joins. Where all are closed, one is as good as another."""
        self.came_s[parcel] = at_s
        number, held = len(self.queues), self._held
        if not all(self.open):
            held = [each if is_open else CLOSED for each, is_open in zip(held, self.open, strict=True)]
        least = min(held)
        # The first of the shortest, from where the last one joined.
        best = held.index(least, self._turn) if least in held[self._turn :] else held.index(least)
        self._turn = (best + 1) % number
        self.queues[best].append(parcel)
        self._held[best] += 1
        return best

    def measure(self, seconds: float) -> None:
        """Add what waits to the integral."""
        lengths = list(map(len, self.queues))
        self.level_s += np.array(lengths) * seconds
        self.peak = max(self.peak, sum(lengths))

    def neediest(self) -> int:
        """The induction that calls next, or NONE: the longest queue of those that want robots, then most robots."""
        best, longest, most, ready, room = NONE, 0, 0, self._ready, len(self.places[0])
        for k, (queue, called) in enumerate(zip(self.queues, self.called, strict=True)):
            length, has = len(queue), len(called)
            if has >= room or (has >= ready and has >= length) or length < longest or not self.open[k]:
                continue
            calls = length if length > ready else ready
            wanted = (calls if calls < room else room) - has
            if length > longest or wanted > most:
                best, longest, most = k, length, wanted
        return best

    def close(self, k: int, at_s: float) -> tuple[list[int], list[int]]:
        """Its parcels join other queues; the robots that it had called, and the inductions joined."""
        joined = []
        self.open[k] = False
        robots, self.called[k] = self.called[k], []
        if any(self.open):
            parcels, self.queues[k] = list(self.queues[k]), deque()
            self._held[k] -= len(parcels)
            for parcel in parcels:
                came = self.came_s[parcel]
                self.stays.append((k, parcel, float(came), float("nan"), at_s))
                joined.append(self.join(parcel, at_s))
        return robots, joined

    def line_up(self, k: int, locations: list[int], closed: set[int]) -> Iterable[tuple[int, int]]:
        """(robot, place) of all called robots, the nearest first; those beyond the line head for its last place."""
        rank, n = self._rank[k], self._robots
        turn = sorted([rank[locations[robot]] + robot for robot in self.called[k]])
        # The place of who is being loaded is free again when the robot has its parcel.
        first = 1 if self.loading[k] != NONE else 0
        line = self._line[k][first:]
        if closed:
            places = [cell for cell in self.places[k][first:] if cell not in closed] or self.places[k][:1]
            line = places + places[-1:] * len(self.places[k])
        return zip([key % n for key in turn], line, strict=False)

    def begin(self, k: int) -> int:
        """The first parcel of the queue, which is now being loaded."""
        parcel = self.queues[k].popleft()
        self.loading[k] = parcel
        return parcel

    def end(self, k: int, start_s: float, end_s: float) -> int:
        """The parcel that is on its robot now."""
        parcel = self.loading[k]
        self.loading[k] = NONE
        self._held[k] -= 1
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
