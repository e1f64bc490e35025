"""The plan of a floor for sorting robots: chutes between one-way lanes, inductions in bays, chargers along a side.

Seen from above, with chutes `o`, walls `@` and free cells `.`; lane rows come in pairs, the upper for driving
east and the lower west. A bay is the end of a pair: robots enter by one row, are loaded at its end and leave by the
other.

    ........        entry and exit of a bay (left), field with chutes (right)
    @@..o..o
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from logistics.sorting import PERIOD, SortRobotsSection, floor_limits
from sim.robots.grid import EAST, NORTH, SOUTH, WEST, Grid
from sim.robots.guidance import Guidance

WRONG_WAY = (
    24  # cost of a step against the way through a bay: there and back is dearer than round a floor's block
)


@dataclass(frozen=True, slots=True, eq=False)
class FloorLayout:
    """Where everything is; locations are `row * width + column`.

    Attributes:
        grid: chutes and walls are blocked.
        chutes: int32 (chutes,), row by row.
        drops: int32 (chutes, 4), the free cells East, South, West, North of each chute.
        loads: int32 (inductions,), where robots are loaded.
        lines: int32 (inductions, queue cells), where robots wait for it, the next one first.
        chargers: int32 (chargers,).
        parking: int32, field cells in an order that spreads robots evenly.
        turning: int32 (4,), corners of the field, where robots with nowhere to tip go round.
        ways: int32 cells of each bay's entry, then of its exit, and the heading in which they are driven.
    """

    grid: Grid
    chutes: NDArray[np.int32]
    drops: NDArray[np.int32]
    loads: NDArray[np.int32]
    lines: NDArray[np.int32]
    chargers: NDArray[np.int32]
    parking: NDArray[np.int32]
    turning: NDArray[np.int32]
    ways: list[tuple[NDArray[np.int32], int]]


def floor_layout(section: SortRobotsSection) -> FloorLayout:
    """The plan for these numbers.

    Raises `ValueError` where inductions, chargers or robots find no room.
    """
    for name, most in floor_limits(section).items():
        asked = getattr(section, name)
        if asked > most:
            raise ValueError(f"{asked} {name}, and the floor has room for {most}; add rows of chutes")
    bay = section.queue_cells + 1
    rows = PERIOD * section.chute_rows + 2
    wide = PERIOD * section.chute_columns + 2
    width, height = wide + 2 * bay, rows + 1
    free = np.zeros((height, width), np.bool_)
    free[:rows, bay : bay + wide] = True
    chute_row = 2 + PERIOD * np.arange(section.chute_rows)
    chute_column = bay + 2 + PERIOD * np.arange(section.chute_columns)
    row, column = (each.ravel() for each in np.meshgrid(chute_row, chute_column, indexing="ij"))
    free[row, column] = False
    chutes = (row * width + column).astype(np.int32)
    drops = np.stack([chutes + 1, chutes + width, chutes - 1, chutes - width], axis=1).astype(np.int32)

    # West bays first at every other pair, so that few inductions lie apart.
    places = [(pair, west) for west in (True, False) for pair in range(section.chute_rows + 1)]
    chosen = [places[k] for k in np.linspace(0, len(places) - 1, section.inductions).round().astype(int)]
    loads, lines, ways = [], [], []
    for pair, west in chosen:
        top = PERIOD * pair
        cells = np.arange(bay) if west else width - 1 - np.arange(bay)
        free[top : top + 2, cells] = True
        entry = top + 1 if west else top
        loads.append(entry * width + cells[0])
        lines.append(entry * width + cells[1:])
        leave = top if west else top + 1
        ways.append(((entry * width + cells).astype(np.int32), WEST if west else EAST))
        ways.append(((leave * width + cells).astype(np.int32), EAST if west else WEST))
    spots = bay + 2 * np.arange(section.chargers)
    free[rows, spots] = True
    grid = Grid.from_rows(["".join(".@"[not cell] for cell in line) for line in free])
    lanes = np.flatnonzero(free[:rows].ravel() & np.tile(_between(width, bay, wide), rows))
    steps = np.argsort((np.arange(len(lanes)) * 0.6180339887498949) % 1.0, kind="stable")
    corners = [bay, bay + wide - 1, (rows - 1) * width + bay, (rows - 1) * width + bay + wide - 1]
    return FloorLayout(
        grid,
        chutes,
        drops,
        np.array(loads, np.int32),
        np.array(lines, np.int32).reshape(len(loads), section.queue_cells),
        (rows * width + spots).astype(np.int32),
        lanes[steps].astype(np.int32),
        np.array(corners, np.int32),
        ways,
    )


@dataclass(frozen=True, slots=True)
class BayGuidance(Guidance):
    """Lanes as ever, and bays that are driven one way only: in by the line, out by the other row.

    `ways` are those of the layout.
    """

    ways: tuple[tuple[NDArray[np.int32], int], ...] = ()

    def edge_costs(self, grid: Grid) -> NDArray[np.uint8]:
        costs = Guidance.edge_costs(self, grid)
        for row, (cells, heading) in enumerate(self.ways):
            inside = grid.index[cells]
            costs[inside, (heading + 2) % 4] = WRONG_WAY
            # Who stands in line leaves it at its end alone, and from the other row nobody cuts in.
            across = SOUTH if (heading == EAST) else NORTH
            costs[inside if row % 2 else inside[1:], across] = WRONG_WAY
        return costs


def _between(width: int, first: int, number: int) -> NDArray[np.bool_]:
    columns = np.arange(width)
    inside: NDArray[np.bool_] = (columns >= first) & (columns < first + number)
    return inside
