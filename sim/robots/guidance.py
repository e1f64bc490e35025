"""Guidance: costs of moves that make traffic flow one way, so that robots seldom meet head on.

A robot prefers lanes whose direction suits it; nothing is forbidden, so every goal stays reachable. See Zhang
et al., "Guidance graph optimization for lifelong multi-agent path finding" (IJCAI 2024).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.robots.grid import EAST, NORTH, SOUTH, WEST, Grid

LANE_SHARE = 0.9
"""Share of free cells that makes a row or column a lane."""
MIN_LANES = 0.1
"""A floor where fewer of the rows are lanes has none; then all rows are taken for lanes."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """Costs of one step each: driving with and against a lane, turning, waiting.

    `lanes` is the number of neighbouring lanes that share a direction. Lanes are the rows and columns that are
    free nearly throughout, as between the racks of a warehouse; the others are for local traffic and cost the
    same both ways. On a floor without such rows (or columns), all are lanes.

    Raises:
        ValueError: a cost is out of range; packed distances allow turning costs of 1 to 3.
    """

    along: int = 2
    against: int = 5
    turn: int = 2
    wait: int = 2
    lanes: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.turn <= 3:
            raise ValueError(f"turning costs {self.turn}; it must be 1, 2 or 3")
        if not (1 <= self.along <= 7 and 1 <= self.against <= 7 and 1 <= self.wait <= 7 and self.lanes >= 1):
            raise ValueError("costs must be 1 to 7, lanes at least 1")

    def edge_costs(self, grid: Grid) -> NDArray[np.uint8]:
        """uint8 (cells, 4), cost of leaving each cell in each heading: alternate rows and columns are one-way."""
        costs = np.full((grid.n_free, 4), self.along, np.uint8)
        row, column = np.divmod(grid.cells, grid.width)
        free = grid.free.reshape(grid.height, grid.width)
        east, west = self._directions(free.mean(axis=1))
        south, north = self._directions(free.mean(axis=0))
        costs[west[row], EAST] = self.against
        costs[east[row], WEST] = self.against
        costs[north[column], SOUTH] = self.against
        costs[south[column], NORTH] = self.against
        return costs

    def _directions(self, share: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which rows (or columns) lead forth and which back, by their shares of free cells."""
        lane = share >= LANE_SHARE
        if lane.mean() < MIN_LANES:
            lane = np.ones(len(share), bool)
        odd = (np.cumsum(lane) - 1) // self.lanes % 2 == 1
        return lane & ~odd, lane & odd
