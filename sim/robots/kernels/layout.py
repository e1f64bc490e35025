"""The arrays that the planning kernels share.

A window of `w` steps lies ahead of every robot: `path[r, t]` is its cell after t steps, `actions[r, t]` what it
does in step t. `holder[cell, t]` says who stands where, so that a conflict costs one look-up. Costs are those
of the guidance times `SCALE`; the units below rank paths of equal cost, those that wait late first.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from llvmlite.ir import Constant, IntType
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

FORWARD, CLOCKWISE, COUNTER, WAIT = 0, 1, 2, 3
SCALE = 16
BLOCK = 32
"""Robots whose part of memory is fetched together."""
BUCKETS = 2048
WORD = 64
"""Lists of a search, and how many of them share a word of `Search.filled`."""
HASH_BITS = 11
HASH = 1 << HASH_BITS
"""Places of a level's hash set, more than there are `ENTRIES`."""
ENTRIES = 1500
PAIRS = 64
MAX_WINDOW = 12
"""Beyond this, late waiting would outweigh a unit of cost, and distances modulo 256 become ambiguous."""

# Slots of `Search.level`.
ROBOT, BUCKET, USED, START, TOP, STAMP, TRIED, BASE = range(8)
# Slots of `Search.counts`: the last stamps given, and how much work was done.
CHAIN_STAMP, SEARCH_STAMP, CHAINS, ACCEPTED, EXPANDED = range(5)


class Floor(NamedTuple):
    """What does not change during a run.

    neighbours int32 (cells, 4); edge_cost uint8 (fields, cells, 4), of leaving a cell in a heading;
    field uint8 (cells,), which of these costs hold for a goal; table uint16
    (goals, cells) and surplus uint8 (codes, 4), see `distances`.
    """

    neighbours: NDArray[np.int32]
    edge_cost: NDArray[np.uint8]
    field: NDArray[np.uint8]
    turn_cost: int
    wait_cost: int
    table: NDArray[np.uint16]
    surplus: NDArray[np.uint8]


class Plan(NamedTuple):
    """Robots and their windows: cell, heading, goal, row (of the table), value (of the plan, against the least
    cost at the start), least (lower bound of value), weight, nearest (least cost so far, modulo 256), waited
    (steps since then, -1 for a new goal), all int32 (n,); resting uint8 (n,), robots without
    errand; path int32 (n, w + 1); actions uint8 (n, w); holder int32 (cells, w + 1), -1 where nobody stands;
    seen int64 (1,), see `fetch`."""

    cell: NDArray[np.int32]
    heading: NDArray[np.int32]
    goal: NDArray[np.int32]
    row: NDArray[np.int32]
    resting: NDArray[np.uint8]
    weight: NDArray[np.int32]
    nearest: NDArray[np.int32]
    waited: NDArray[np.int32]
    value: NDArray[np.int32]
    least: NDArray[np.int32]
    path: NDArray[np.int32]
    actions: NDArray[np.uint8]
    holder: NDArray[np.int32]
    seen: NDArray[np.int64]


class Search(NamedTuple):
    """Scratch of chains of searches, one level a robot of the chain.

    The entries of a level form lists by cost (`head`, `next`); those lists that hold any have a bit set in
    `filled`, uint64 (levels, BUCKETS / WORD). `state` is cell * 8 + heading * 2 + arrived, `pair` the robot in the
    way * 16 + the step of the first conflict, or -1.
    """

    mark: NDArray[np.int32]
    level: NDArray[np.int32]
    filled: NDArray[np.uint64]
    head: NDArray[np.int32]
    next: NDArray[np.int32]
    state: NDArray[np.int32]
    time: NDArray[np.int32]
    parent: NDArray[np.int32]
    pair: NDArray[np.int32]
    action: NDArray[np.uint8]
    spent: NDArray[np.int32]
    key: NDArray[np.int64]
    key_stamp: NDArray[np.int32]
    tried: NDArray[np.int32]
    change: NDArray[np.int64]
    old_path: NDArray[np.int32]
    old_actions: NDArray[np.uint8]
    old_value: NDArray[np.int32]
    counts: NDArray[np.int64]
    random: NDArray[np.uint64]


def new_plan(starts: NDArray[np.int32], cells: int, window: int) -> Plan:
    """Robots that stand at `starts` (dense cell indices), facing East, and plan to wait."""
    n = len(starts)

    def zeros() -> NDArray[np.int32]:
        return np.zeros(n, np.int32)

    holder = np.full((cells, window + 1), -1, np.int32)
    holder[starts] = np.arange(n, dtype=np.int32)[:, None]
    return Plan(
        starts.astype(np.int32),
        zeros(),
        zeros(),
        zeros(),
        np.zeros(n, np.uint8),
        np.ones(n, np.int32),
        zeros(),
        zeros(),
        zeros(),
        zeros(),
        np.repeat(starts.astype(np.int32)[:, None], window + 1, axis=1),
        np.full((n, window), WAIT, np.uint8),
        holder,
        np.zeros(1, np.int64),
    )


def new_search(robots: int, window: int, depth: int, seed: int) -> Search:
    """Scratch for chains of at most `depth` robots."""

    def level(width: int) -> NDArray[np.int32]:
        return np.zeros((depth, width), np.int32)

    state = np.random.SeedSequence(seed).generate_state(1, np.uint64)
    return Search(
        np.zeros(robots, np.int32),
        level(8),
        np.zeros((depth, BUCKETS // WORD), np.uint64),
        level(BUCKETS),
        level(ENTRIES),
        level(ENTRIES),
        level(ENTRIES),
        level(ENTRIES),
        level(ENTRIES),
        np.zeros((depth, ENTRIES), np.uint8),
        level(ENTRIES),
        np.zeros((depth, HASH), np.int64),
        level(HASH),
        level(PAIRS),
        np.zeros(depth, np.int64),
        level(window + 1),
        np.zeros((depth, window), np.uint8),
        np.zeros(depth, np.int32),
        np.zeros(5, np.int64),
        state | np.uint64(1),
    )


entry = njit(cache=True, nogil=True, _nrt=False)
helper = njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True, _nrt=False)


@intrinsic  # type: ignore[misc]
def trailing_zeros(_typing, word):  # type: ignore[no-untyped-def]
    """How many bits of a uint64 other than 0 are zero below the lowest that is set: one instruction."""

    def build(_context, builder, _signature, words):  # type: ignore[no-untyped-def]
        return builder.cttz(words[0], Constant(IntType(1), 1))

    return types.int64(types.uint64), build


@helper
def to_go(row, surplus, cell, heading, base):
    """Cost from a state to the goal of a table's row, minus `base`, the least at the robot's cell modulo 256."""
    packed = np.int32(row[cell])
    return (((packed & 255) - base + 128) & 255) - 128 + surplus[packed >> 8, heading]


@helper
def base_of(floor, plan, robot):
    return np.int32(floor.table[plan.row[robot], plan.cell[robot]] & 255)


@helper
def arrival(base):
    """Cost to go of one who has arrived, on the same footing as `to_go`."""
    return ((128 - base) & 255) - 128


@helper
def lateness(window, step):
    """Surcharge of waiting in a step: earlier is dearer, lest plans put motion off for ever."""
    return (window - step) >> 2


@helper
def fetch(floor, plan, robot, stride):
    """Bring what planning a robot will read, along its present path, from memory into the caches.

    Each of thousands of robots has a row of the table to itself. Read when it is needed, an entry takes some 350 ns
    in which nothing else can go on; read for a whole `BLOCK` of robots in a row, 40, as many reads are under way
    together. The sum returned must be stored, in `seen`, or the compiler drops reads whose results nobody wants.
    """
    row = floor.table[plan.row[robot]]
    costs = floor.edge_cost[floor.field[max(plan.goal[robot], 0)]]
    seen = np.int64(0)
    for t in range(0, plan.path.shape[1], stride):
        cell = plan.path[robot, t]
        seen += row[cell] + costs[cell, 0] + floor.neighbours[cell, 0] + plan.holder[cell, t]
    return seen


@helper
def lift(plan, robot):
    """Take a robot's path off the floor."""
    for t in range(plan.path.shape[1]):
        if plan.holder[plan.path[robot, t], t] == robot:
            plan.holder[plan.path[robot, t], t] = -1


@helper
def place(plan, robot):
    """Put a robot's path on the floor."""
    for t in range(plan.path.shape[1]):
        plan.holder[plan.path[robot, t], t] = robot
