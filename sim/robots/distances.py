"""Distance tables by goal, filled when a goal first turns up, within a bound on memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sim.robots.grid import Grid
from sim.robots.guidance import Guidance
from sim.robots.kernels.distances import arcs_into, fill_row, surplus_patterns

DEFAULT_BYTES = 5 * 2**30


class DistanceTables:
    """Packed distances over (cell, heading) to each goal asked for; see `kernels.distances`.

    Two bytes a cell and goal. When the bound is reached, rows whose goals nobody has at the moment are used
    again, the oldest first.

    Args:
        grid, guidance: the floor and the costs.
        goals: how many different goals may come up.
        robots: goals in use at a time, for which there is always room, whatever `max_bytes`.
        max_bytes: bound on the table's size.
    """

    def __init__(
        self, grid: Grid, guidance: Guidance, goals: int, robots: int, max_bytes: int = DEFAULT_BYTES
    ) -> None:
        self.grid = grid
        extra, self.field = guidance.fields(grid)
        self.edge_cost: NDArray[np.uint8] = guidance.edge_costs(grid) + extra
        self.turn_cost = guidance.turn
        self.surplus, self._codes = surplus_patterns(guidance.turn)
        cells = grid.n_free
        # Robots may be sent aside to cells that are nobody's errand, so every one of them needs room for two.
        rows = min(cells, max(2 * robots, min(goals, max_bytes // (2 * cells))))
        self.table: NDArray[np.uint16] = np.empty((rows, cells), np.uint16)
        self.row_of = np.full(cells, -1, np.int32)
        self._goal_of = np.full(rows, -1, np.int32)
        self._next = 0
        self._arcs = [arcs_into(grid.neighbours, costs) for costs in self.edge_cost]
        largest = int(self.edge_cost.max()) + self.turn_cost
        self._scratch = (
            np.empty(cells * 4, np.uint32),
            np.empty((1 << largest.bit_length(), cells * 4), np.int32),
        )

    def require(self, goals: NDArray[np.int32], in_use: NDArray[np.int32]) -> NDArray[np.int32]:
        """Rows of `goals` (dense cell indices), computed where missing; goals `in_use` (or -1) keep their rows."""
        rows = self.row_of[goals]
        if rows.size == 0 or rows.min() >= 0:
            return rows
        held = set(in_use.tolist()) | set(goals.tolist())
        for goal in np.unique(goals[rows < 0]).tolist():
            self._fill(goal, held)
        return self.row_of[goals]

    def forget(self, neighbours: NDArray[np.int32]) -> None:
        """Start anew with other ways between the cells: int32 (cells, 4), as in the grid."""
        self._arcs = [arcs_into(neighbours, costs) for costs in self.edge_cost]
        self.row_of[:] = -1
        self._goal_of[:] = -1
        self._next = 0

    def reachable(self, goal: int, cells: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether the goal, which must have a row, can be reached from each of `cells`."""
        found: NDArray[np.bool_] = self.table[self.row_of[goal], cells] != 0xFFFF
        return found

    def _fill(self, goal: int, held: set[int]) -> None:
        for _ in range(len(self._goal_of)):
            old = int(self._goal_of[self._next])
            if old < 0 or old not in held:
                break
            self._next = (self._next + 1) % len(self._goal_of)
        row = self._next
        if self._goal_of[row] >= 0:
            self.row_of[self._goal_of[row]] = -1
        self._goal_of[row] = goal
        self.row_of[goal] = row
        self._next = (row + 1) % len(self._goal_of)
        fill_row(
            goal,
            self._arcs[self.field[goal]],
            self.turn_cost,
            self._codes,
            *self._scratch,
            self.table[row],
        )
