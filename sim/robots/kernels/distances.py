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


def arcs_into(neighbours: NDArray[np.int32], edge_cost: NDArray[np.uint8]) -> NDArray[np.int32]:
    """For each state the one from which driving leads there, and its cost: int32 (n_free * 4,).

    `(before * 4 + heading) * 256 + cost`, or -1 where there is none; one look-up instead of two that are far apart.
    """
    headings = np.arange(4)
    before = neighbours[:, (headings + 2) & 3].astype(np.int64)
    packed = (before * 4 + headings) * 256 + edge_cost[np.maximum(before, 0), headings]
    return np.where(before < 0, -1, packed).astype(np.int32).ravel()


@njit(cache=True)
def fill_row(
    goal: int,
    arcs: NDArray[np.int32],
    turn_cost: int,
    code_of: NDArray[np.int32],
    cost: NDArray[np.uint32],
    bucket: NDArray[np.int32],
    row: NDArray[np.uint16],
) -> None:
    """Write the packed distances to `goal` into `row` (n_free,).

    `arcs`: see `arcs_into`. Scratch: `cost` (n_free * 4); `bucket` (a power of two above the largest cost,
    n_free * 4), of which a level holds every state at most once, as it enters only when its cost falls.
    """
    n_cells = len(row)
    mask = len(bucket) - 1
    far = np.uint32(0xFFFFFFFF)
    cost[:] = far
    size = np.zeros(len(bucket), np.int64)
    for heading in range(4):
        cost[goal * 4 + heading] = 0
        bucket[0, heading] = goal * 4 + heading
    size[0] = 4
    level = np.int64(0)
    empty = 0
    while empty <= mask:
        here = level & mask
        if size[here] == 0:
            empty += 1
        else:
            empty = 0
        turned_cost = np.uint32(level + turn_cost)
        turned_level = (level + turn_cost) & mask
        for k in range(size[here]):
            state = bucket[here, k]
            if cost[state] != level:
                continue
            arc = arcs[state]
            if arc >= 0:
                previous = arc >> 8
                total = np.uint32(level + (arc & 255))
                if total < cost[previous]:
                    cost[previous] = total
                    there = np.int64(total) & mask
                    bucket[there, size[there]] = previous
                    size[there] += 1
            first = state & ~3
            for turn in range(1, 4, 2):
                previous = first | ((state + turn) & 3)
                if turned_cost < cost[previous]:
                    cost[previous] = turned_cost
                    bucket[turned_level, size[turned_level]] = previous
                    size[turned_level] += 1
        size[here] = 0
        level += 1
    base = 2 * turn_cost + 1
    for cell in range(n_cells):
        a, b, c, d = cost[cell * 4], cost[cell * 4 + 1], cost[cell * 4 + 2], cost[cell * 4 + 3]
        least = min(min(a, b), min(c, d))
        if least == far:
            row[cell] = UNREACHABLE
            continue
        number = (((a - least) * base + (b - least)) * base + (c - least)) * base + (d - least)
        row[cell] = np.uint16((code_of[number] << 8) | (least & 255))
