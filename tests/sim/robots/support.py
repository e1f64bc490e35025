"""Small floors and problems for the tests of robots."""

from __future__ import annotations

import heapq

import numpy as np

from sim.robots.grid import Grid
from sim.robots.guidance import Guidance
from sim.robots.problem import RobotProblem


def random_floor(rng: np.random.Generator, height: int, width: int, blocked: float) -> Grid:
    """A floor with walls at random; the largest connected part is what stays free."""
    free = rng.random((height, width)) >= blocked
    free[height // 2, width // 2] = True
    label = np.full((height, width), -1)
    best: list[tuple[int, int]] = []
    for row, column in np.argwhere(free).tolist():
        if label[row, column] >= 0:
            continue
        label[row, column] = 1
        part = [(row, column)]
        for r, c in part:
            for next_r, next_c in ((r + 1, c), (r - 1, c), (r, c + 1), (r, c - 1)):
                inside = 0 <= next_r < height and 0 <= next_c < width
                if inside and free[next_r, next_c] and label[next_r, next_c] < 0:
                    label[next_r, next_c] = 1
                    part.append((next_r, next_c))
        best = max(best, part, key=len)
    rows = [["@"] * width for _ in range(height)]
    for r, c in best:
        rows[r][c] = "."
    return Grid.from_rows(["".join(row) for row in rows])


def random_problem(
    seed: int, *, robots: int, steps: int, blocked: float = 0.15, size: int = 8
) -> RobotProblem:
    rng = np.random.default_rng(seed)
    grid = random_floor(rng, size, size + 2, blocked)
    starts = rng.permutation(grid.cells)[:robots].astype(np.int32)
    errands = rng.choice(grid.cells, 40 * len(starts)).astype(np.int32)
    return RobotProblem(f"random-{seed}", grid, starts, errands, steps)


def plain_distances(grid: Grid, guidance: Guidance, goal: int) -> dict[tuple[int, int], int]:
    """Cost from every (cell, heading) to the goal, by a search on reversed moves."""
    extra, field = guidance.fields(grid)
    costs = guidance.edge_costs(grid) + extra[field[goal]]
    done: dict[tuple[int, int], int] = {}
    queue = [(0, goal, heading) for heading in range(4)]
    while queue:
        cost, cell, heading = heapq.heappop(queue)
        if (cell, heading) in done:
            continue
        done[cell, heading] = cost
        for turned in ((heading + 1) % 4, (heading + 3) % 4):
            heapq.heappush(queue, (cost + guidance.turn, cell, turned))
        behind = int(grid.neighbours[cell, (heading + 2) % 4])
        if behind >= 0:
            heapq.heappush(queue, (cost + int(costs[behind, heading]), behind, heading))
    return done
