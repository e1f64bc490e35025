"""The put wall: lines picked in batches are sorted into cubbies, one order each."""

from __future__ import annotations

import numpy as np

from sim.stations import CapacityProfile
from sim.warehouse.kernels import put_wall as kernel
from sim.warehouse.orders import NONE, FloatArray, IntArray


class PutWall:
    """`cubbies` cubbies and people by a capacity profile; advances in any steps with the same times.

    `order_of_line` (lines,) and `put_s` (lines,) describe every line that may ever come. `arrive_s`,
    `start_s` and `finish_s` (lines,) and `done_s` (orders,) are filled as time advances, NaN before;
    `finish_s` may lie ahead.
    """

    def __init__(
        self, cubbies: int, capacity: CapacityProfile, order_of_line: IntArray, orders: int, put_s: FloatArray
    ) -> None:
        if cubbies < 1:
            raise ValueError(f"{cubbies} cubbies; a put wall needs at least one")
        lines = order_of_line.size
        self.capacity = capacity
        self.arrive_s, self.start_s, self.finish_s = (np.full(lines, np.nan) for _ in range(3))
        self.done_s = np.full(orders, np.nan)
        self._order_of = order_of_line.astype(np.int64)
        self._put_s = put_s.astype(np.float64)
        self._left = np.bincount(order_of_line, minlength=orders).astype(np.int64)
        self._cubby = np.zeros(orders, np.int64)
        self._first_waiting = np.full(orders, NONE, np.int64)
        self._next_waiting = np.full(lines, NONE, np.int64)
        self._queue = np.empty(orders, np.int64)
        self._heaps = [(np.empty(lines + 1), np.empty(lines + 1, np.int64)) for _ in range(2)]
        most = max(1, int(capacity.levels.max()))
        self._busy = (np.empty(most + 1), np.empty(most + 1, np.int64))
        self._counts = np.zeros(kernel.N_COUNTS, np.int64)
        self._counts[kernel.FREE] = cubbies
        self._counts[kernel.STEP] = -1

    def submit(self, lines: IntArray, arrive_s: FloatArray) -> None:
        """Announce lines, each once, at or after the last advance."""
        kernel.submit(lines.astype(np.int64), arrive_s.astype(np.float64), *self._heaps[0], self._counts)

    def advance(self, until_s: float) -> None:
        """Work up to `until_s` inclusive."""
        kernel.advance(
            float(until_s),
            self.capacity.step_s,
            self.capacity.levels,
            self._order_of,
            self._put_s,
            self._left,
            self._cubby,
            self._first_waiting,
            self._next_waiting,
            self._queue,
            *self._heaps[0],
            *self._heaps[1],
            *self._busy,
            self._counts,
            self.arrive_s,
            self.start_s,
            self.finish_s,
            self.done_s,
        )
