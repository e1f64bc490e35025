"""Distances for robots that turn: one table row per goal, all four headings of a cell in 16 bits.

A state is (cell, heading). From the goal backwards, Dijkstra with circular buckets gives the least cost from
every state to the goal cell (any heading). The four costs of one cell differ by at most twice the turning
cost from their least value, so a cell is stored as that least value modulo 256 and a one-byte code for the
pattern of the four surpluses. Within a planning window costs change by less than 128, so differences survive
the modulo: a table row takes two bytes per cell instead of eight.
"""

from __future__ import annotations

import itertools

import numpy as np
from numba import njit
from numpy.typing import NDArray

UNREACHABLE = np.uint16(0xFFFF)
"""Entry of cells from which the goal cannot be reached; its code is never given to a pattern."""


def surplus_patterns(turn_cost: int) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """All patterns that the four headings of a cell can show above their least cost.

    Neighbouring headings differ by at most one turn, and the least surplus is zero.

    Returns:
        uint8 (codes, 4), the surplus by code and heading; int32 ((2 * turn_cost + 1) ** 4,), the code of
        each pattern read as a number of that base, -1 for patterns that cannot occur.

    Raises:
        ValueError: the turning cost is so large that patterns do not fit a byte.
    """
    base = 2 * turn_cost + 1
    codes = np.full(base**4, -1, np.int32)
    patterns = []
    for number, pattern in enumerate(itertools.product(range(base), repeat=4)):
        smooth = all(abs(pattern[k] - pattern[k - 1]) <= turn_cost for k in range(4))
        if min(pattern) == 0 and smooth:
            codes[number] = len(patterns)
            patterns.append(pattern)
    if len(patterns) > 255:
        raise ValueError(f"turning cost {turn_cost} gives {len(patterns)} patterns, more than a byte holds")
    return np.array(patterns, np.uint8), codes


@njit(cache=True)
def fill_row(
    goal: int,
    neighbours: NDArray[np.int32],
    edge_cost: NDArray[np.uint8],
    turn_cost: int,
    code_of: NDArray[np.int32],
    cost: NDArray[np.int32],
    heads: NDArray[np.int32],
    entry_state: NDArray[np.int32],
    entry_next: NDArray[np.int32],
    row: NDArray[np.uint16],
) -> None:
    """Write the packed distances to `goal` into `row` (n_free,).

    `cost` (n_free * 4), `heads` (a power of two above the largest cost), `entry_state` and `entry_next`
    (n_free * 12) are scratch.
    """
    n_cells = len(row)
    mask = len(heads) - 1
    cost[:] = 0x3FFFFFFF
    heads[:] = -1
    n_entries = 0
    waiting = 0
    for heading in range(4):
        state = goal * 4 + heading
        cost[state] = 0
        entry_state[n_entries] = state
        entry_next[n_entries] = heads[0]
        heads[0] = n_entries
        n_entries += 1
        waiting += 1
    level = 0
    while waiting > 0:
        bucket = level & mask
        entry = heads[bucket]
        if entry < 0:
            level += 1
            continue
        heads[bucket] = entry_next[entry]
        waiting -= 1
        state = entry_state[entry]
        if cost[state] != level:
            continue
        cell = state >> 2
        heading = state & 3
        for kind in range(3):
            if kind == 0:
                before = neighbours[cell, (heading + 2) & 3]
                if before < 0:
                    continue
                previous = before * 4 + heading
                total = level + edge_cost[before, heading]
            else:
                previous = cell * 4 + ((heading + (1 if kind == 1 else 3)) & 3)
                total = level + turn_cost
            if total < cost[previous]:
                cost[previous] = total
                entry_state[n_entries] = previous
                entry_next[n_entries] = heads[total & mask]
                heads[total & mask] = n_entries
                n_entries += 1
                waiting += 1
    base = 2 * turn_cost + 1
    for cell in range(n_cells):
        least = min(min(cost[cell * 4], cost[cell * 4 + 1]), min(cost[cell * 4 + 2], cost[cell * 4 + 3]))
        if least >= 0x3FFFFFFF:
            row[cell] = UNREACHABLE
            continue
        number = 0
        for heading in range(4):
            number = number * base + cost[cell * 4 + heading] - least
        row[cell] = np.uint16((code_of[number] << 8) | (least & 255))
