"""Best-first search of one robot's paths through the window, resumable: each call yields the next best.

States are (step, cell, heading, arrived or not). Robots that are marked with the chain's stamp are obstacles;
a path may run into at most one of the others, which the chain then tries to move. Among paths that reach the
same state, those into different robots, or into the same robot at different steps, are kept apart: meeting
it later gives it time to turn and leave. A path that meets nobody rules out all others to its state.
"""

from __future__ import annotations

import numpy as np

from sim.robots.kernels.layout import (
    BASE,
    BUCKET,
    BUCKETS,
    CLOCKWISE,
    ENTRIES,
    EXPANDED,
    FORWARD,
    HASH,
    HASH_BITS,
    PAIRS,
    ROBOT,
    SCALE,
    SEARCH_STAMP,
    STAMP,
    START,
    TOP,
    TRIED,
    USED,
    WAIT,
    WORD,
    arrival,
    base_of,
    helper,
    lateness,
    to_go,
    trailing_zeros,
)

ZERO, ONE = np.uint64(0), np.uint64(1)


@helper
def slot_of(keys, stamps, stamp, key):
    """Place of `key` in a level's hash set, or the free place where it belongs."""
    i = np.int64((np.uint64(key) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - HASH_BITS))
    while stamps[i] == stamp and keys[i] != key:
        i = (i + 1) & (HASH - 1)
    return i


@helper
def open_search(floor, plan, search, level, robot, bound):
    """Begin a search for paths of value at most `bound`."""
    search.counts[SEARCH_STAMP] += 1
    base = np.int32(0)
    start = np.int32(0)
    if plan.resting[robot] == 0:
        base = base_of(floor, plan, robot)
        start = np.int32(
            to_go(floor.table[plan.row[robot]], floor.surplus, plan.cell[robot], plan.heading[robot], base)
            * SCALE
        )
    top = min(np.int64(BUCKETS - 1), bound - start)
    info = search.level[level]
    info[ROBOT] = robot
    info[BUCKET] = 0
    info[USED] = 1
    info[START] = start
    info[TOP] = top
    info[STAMP] = np.int32(search.counts[SEARCH_STAMP])
    info[TRIED] = 0
    info[BASE] = base
    for k in range(search.filled.shape[1]):
        search.filled[level, k] = np.uint64(0)
    search.state[level, 0] = plan.cell[robot] * 8 + plan.heading[robot] * 2 + plan.resting[robot]
    search.time[level, 0] = 0
    search.parent[level, 0] = -1
    search.pair[level, 0] = -1
    search.spent[level, 0] = 0
    search.next[level, 0] = -1
    if top >= 0:
        search.head[level, 0] = 0
        search.filled[level, 0] = np.uint64(1)


@helper
def next_filled(filled, bucket):
    """The first list from `bucket` on that holds an entry, or `BUCKETS`."""
    word = bucket // WORD
    left = filled[word] >> np.uint64(bucket % WORD) if word < len(filled) else ZERO
    if left:
        return np.int32(bucket + trailing_zeros(left))
    for k in range(word + 1, len(filled)):
        if filled[k]:
            return np.int32(k * WORD + trailing_zeros(filled[k]))
    return np.int32(BUCKETS)


@helper
def exhausted(search, level, pair, attempts):
    """Whether so many paths into the same robot at the same step were tried in vain."""
    seen = 0
    for i in range(search.level[level, TRIED]):
        if search.tried[level, i] == pair:
            seen += 1
    return seen >= attempts


@helper
def next_path(floor, plan, search, level, stamp, may_push, attempts):
    """Entry of the next best path of the level's robot, or -1 if there is none left."""
    window = plan.actions.shape[1]
    cells = np.int64(plan.holder.shape[0])
    info = search.level[level]
    robot, bucket, used, start, top, base = (
        info[ROBOT],
        info[BUCKET],
        info[USED],
        info[START],
        info[TOP],
        info[BASE],
    )
    goal = plan.goal[robot]
    edge_cost = floor.edge_cost[floor.field[max(goal, 0)]]
    head = search.head[level]
    filled = search.filled[level]
    following = search.next[level]
    states = search.state[level]
    times = search.time[level]
    parents = search.parent[level]
    pairs = search.pair[level]
    costs = search.spent[level]
    actions = search.action[level]
    keys = search.key[level]
    stamps = search.key_stamp[level]
    visited = info[STAMP]
    mark = search.mark
    holder = plan.holder
    neighbours = floor.neighbours
    row = floor.table[plan.row[robot]]
    surplus = floor.surplus
    resting = plan.resting[robot] == 1
    reached = np.int32(0) if resting else arrival(base)
    turn_cost = np.int32(floor.turn_cost)
    wait_cost = np.int32(floor.wait_cost)
    found = np.int32(-1)
    while True:
        bucket = next_filled(filled, bucket)
        if bucket > top:
            break
        entry = head[bucket]
        head[bucket] = following[entry]
        if following[entry] < 0:
            filled[bucket // WORD] &= ~(ONE << np.uint64(bucket % WORD))
        state = states[entry]
        t = times[entry]
        pair = pairs[entry]
        key = (t * cells * 8 + state) << 32
        if pair >= 0:
            if exhausted(search, level, pair, attempts):
                continue
            free = slot_of(keys, stamps, visited, key)
            if stamps[free] == visited:
                continue
        slot = slot_of(keys, stamps, visited, key + pair + 1)
        if stamps[slot] == visited:
            continue
        stamps[slot] = visited
        keys[slot] = key + pair + 1
        if t == window:
            found = entry
            break
        search.counts[EXPANDED] += 1
        cell = state >> 3
        heading = (state >> 1) & 3
        arrived = state & 1
        # A list gives back last what was put first: among equals, moving comes out before waiting.
        for k in range(4):
            action = WAIT - k
            next_cell = cell
            next_heading = heading
            next_arrived = arrived
            spent = costs[entry]
            if action == FORWARD:
                next_cell = neighbours[cell, heading]
                if next_cell < 0:
                    continue
                if arrived == 0:
                    spent += edge_cost[cell, heading] * SCALE
                    if next_cell == goal:
                        next_arrived = np.int32(1)
            elif action == WAIT:
                if arrived == 0:
                    spent += wait_cost * SCALE + lateness(window, t)
            else:
                next_heading = (heading + (1 if action == CLOCKWISE else 3)) & 3
                if arrived == 0:
                    spent += turn_cost * SCALE
            next_pair = pair
            other = holder[next_cell, t + 1]
            if other >= 0:
                if mark[other] == stamp:
                    continue
                if next_pair < 0:
                    if not may_push:
                        continue
                    next_pair = other * 16 + t
                elif (next_pair >> 4) != other:
                    continue
            if action == FORWARD:
                other = holder[next_cell, t]
                if other >= 0 and holder[cell, t + 1] == other:
                    if mark[other] == stamp:
                        continue
                    if next_pair < 0:
                        if not may_push:
                            continue
                        next_pair = other * 16 + t
                    elif (next_pair >> 4) != other:
                        continue
            if next_arrived == 1:
                ahead = reached
            else:
                ahead = to_go(row, surplus, next_cell, next_heading, base)
            total = max(spent + ahead * SCALE - start, bucket)
            if total > top or used >= ENTRIES:
                continue
            states[used] = next_cell * 8 + next_heading * 2 + next_arrived
            times[used] = t + 1
            parents[used] = entry
            pairs[used] = next_pair
            costs[used] = spent
            actions[used] = action
            bit = ONE << np.uint64(total % WORD)
            if filled[total // WORD] & bit:
                following[used] = head[total]
            else:
                following[used] = -1
                filled[total // WORD] |= bit
            head[total] = used
            used += 1
    info[BUCKET] = bucket
    info[USED] = used
    return found


@helper
def take(plan, search, level, entry):
    """Make an entry's path the robot's plan; remember whom it runs into."""
    info = search.level[level]
    robot = info[ROBOT]
    plan.value[robot] = info[START] + info[BUCKET]
    pair = search.pair[level, entry]
    if pair >= 0 and info[TRIED] < PAIRS:
        search.tried[level, info[TRIED]] = pair
        info[TRIED] += 1
    for t in range(plan.actions.shape[1], 0, -1):
        plan.path[robot, t] = search.state[level, entry] >> 3
        plan.actions[robot, t - 1] = search.action[level, entry]
        entry = search.parent[level, entry]
