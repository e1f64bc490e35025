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
EDGE = 5
"""Lanes along either edge of the floor where goals count as lying at the edge."""
BANDS = 20
"""Strips of the floor, side by side, between which the surcharges of `slope` tell goals apart."""
MIN_LANES = 0.1
"""A floor where fewer of the rows are lanes has none; then all rows are taken for lanes."""


@dataclass(frozen=True, slots=True)
class Guidance:
    """Costs of one step each: driving with and against a lane, turning, waiting.

    `lanes` is the number of neighbouring lanes that share a direction. Lanes are the rows and columns that are
    free nearly throughout, as between the racks of a warehouse; the others are for local traffic and cost the
    same both ways. On a floor without such rows (or columns), all are lanes.

    `slope` spreads traffic over the lanes. Of a way from a station at the edge to a cell inside, the leg along the
    floor's longer side may lie in any lane between the two, and turning once less decides: mostly for the lanes
    next to the edge, which fill up while the others stay empty. With a slope, the long leg is cheapest in the
    lane of the end that lies inside, be it the goal or not: a lane as far from there as the floor is broad costs
    `slope` more a cell. So the costs depend on the goal; they are the same for all goals of one of `BANDS` strips.

    Raises:
        ValueError: a cost or surcharge is out of range; packed distances allow turning costs of 1 to 3.
    """

    along: int = 2
    against: int = 5
    turn: int = 2
    wait: int = 2
    lanes: int = 1
    slope: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.turn <= 3:
            raise ValueError(f"turning costs {self.turn}; it must be 1, 2 or 3")
        if not (1 <= self.along <= 7 and 1 <= self.against <= 7 and 1 <= self.wait <= 7 and self.lanes >= 1):
            raise ValueError("costs must be 1 to 7, lanes at least 1")
        if not 0 <= self.slope <= 3:
            raise ValueError(f"slope is {self.slope}; it must be 0 to 3")

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

    def fields(self, grid: Grid) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Surcharges by where the goal lies.

        Returns:
            uint8 (fields, cells, 4), what leaving a cell in a heading costs more; uint8 (cells,), the field of each
            goal.
        """
        row, column = np.divmod(grid.cells, grid.width)
        height, width = grid.height, grid.width
        if self.slope == 0:
            return np.zeros((1, grid.n_free, 4), np.uint8), np.zeros(grid.n_free, np.uint8)
        if width >= height:
            across, along, breadth, headings = row, column, height, (EAST, WEST)
        else:
            across, along, breadth, headings = column, row, width, (SOUTH, NORTH)
        at_edge = (across < EDGE) | (across >= breadth - EDGE)
        kinds, field = np.unique(across * BANDS // breadth * 2 + at_edge, return_inverse=True)
        extra = np.zeros((len(kinds), grid.n_free, 4), np.uint8)
        for k, kind in enumerate(kinds.tolist()):
            away = np.abs(across - (kind // 2 + 0.5) * breadth / BANDS) / breadth
            share = self.slope * (1 - away if kind % 2 else away)
            # Costs are whole numbers: a share of them is a surcharge on as large a share of the cells.
            more = np.floor(share * (along + 1) + 0.5) - np.floor(share * along + 0.5)
            for heading in headings:
                extra[k, :, heading] += more.astype(np.uint8)
        return extra, field.astype(np.uint8)

    def _directions(self, share: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which rows (or columns) lead forth and which back, by their shares of free cells."""
        lane = share >= LANE_SHARE
        if lane.mean() < MIN_LANES:
            lane = np.ones(len(share), bool)
        odd = (np.cumsum(lane) - 1) // self.lanes % 2 == 1
        return lane & ~odd, lane & odd
