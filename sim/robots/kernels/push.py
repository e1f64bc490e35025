"""Chains of pushes: a robot takes a better path, whoever is in its way takes another, and so on.

Priority inheritance with backtracking over whole windows of actions. `inherit` goes through the robots by
priority, and those that were planned are obstacles to the rest. `improve` starts chains at random robots and
keeps those that lower the weighted sum of all plans' values: a large-neighbourhood search whose neighbourhoods
are the robots that stand in each other's way. Plans are free of conflicts before and after each chain.

Sources of the methods: Okumura et al., Artificial Intelligence 310 (2022), priority inheritance with
backtracking; Yukhnevich and Andreychuk (2025), multi-action operations; Jiang et al. (2024), improving windows
by large-neighbourhood search.
"""

from __future__ import annotations

import numpy as np

from sim.robots.kernels.layout import (
    ACCEPTED,
    BLOCK,
    CHAIN_STAMP,
    CHAINS,
    ROBOT,
    entry,
    fetch,
    helper,
    lift,
    place,
)
from sim.robots.kernels.priority import prioritise
from sim.robots.kernels.search import next_path, open_search, take
from sim.robots.kernels.window import begin_step, carry_out

UNBOUNDED = np.int64(1) << 40


@helper
def keep(plan, search, robot, level):
    for t in range(plan.path.shape[1]):
        search.old_path[level, t] = plan.path[robot, t]
    for t in range(plan.actions.shape[1]):
        search.old_actions[level, t] = plan.actions[robot, t]
    search.old_value[level] = plan.value[robot]


@helper
def put_back(plan, search, robot, level):
    for t in range(plan.path.shape[1]):
        plan.path[robot, t] = search.old_path[level, t]
    for t in range(plan.actions.shape[1]):
        plan.actions[robot, t] = search.old_actions[level, t]
    plan.value[robot] = search.old_value[level]


@helper
def affordable(plan, robot, change, slack):
    """Highest value that a robot's new plan may have, given the weighted change so far."""
    room = (slack - change) // plan.weight[robot]
    return plan.value[robot] + min(np.int64(1) << 20, max(-(np.int64(1) << 20), room))


@helper
def push(floor, plan, search, root, slack, stamp, pushes, depth, attempts):
    """Give `root` a better plan; whether that worked out. The weighted sum grows by at most `slack`."""
    search.counts[CHAINS] += 1
    level = 0
    done = 0
    bound = min(np.int64(plan.value[root]) - 1, affordable(plan, root, np.int64(0), slack))
    keep(plan, search, root, 0)
    lift(plan, root)
    search.mark[root] = stamp
    search.change[0] = 0
    open_search(floor, plan, search, 0, root, bound)
    while True:
        robot = search.level[level, ROBOT]
        found = np.int32(-1)
        if done <= pushes:
            found = next_path(floor, plan, search, level, stamp, level + 1 < depth, attempts)
        if found >= 0:
            pair = search.pair[level, found]
            take(plan, search, level, found)
            if pair < 0:
                place(plan, robot)
                search.counts[ACCEPTED] += 1
                return True
            done += 1
            other = pair >> 4
            change = search.change[level] + np.int64(plan.weight[robot]) * (
                plan.value[robot] - search.old_value[level]
            )
            level += 1
            search.change[level] = change
            keep(plan, search, other, level)
            lift(plan, other)
            search.mark[other] = stamp
            place(plan, robot)
            open_search(floor, plan, search, level, other, affordable(plan, other, change, slack))
        else:
            put_back(plan, search, robot, level)
            search.mark[robot] = 0
            if level > 0:
                lift(plan, search.level[level - 1, ROBOT])
            place(plan, robot)
            if level == 0:
                return False
            level -= 1


@entry
def inherit(floor, plan, search, order, first, last, pushes, depth, attempts):
    """Plan the robots `order[first:last]` (int64); who was planned makes way for nobody later in the order.

    A pass begins with `first` 0 and may be carried on by further calls, with nothing else in between.
    """
    if first == 0:
        search.counts[CHAIN_STAMP] += 1
    stamp = np.int32(search.counts[CHAIN_STAMP])
    for i in range(first, last):
        if (i - first) % BLOCK == 0:
            seen = np.int64(0)
            for k in range(i, min(i + BLOCK, last)):
                if plan.value[order[k]] > plan.least[order[k]]:
                    seen += fetch(floor, plan, order[k], 2)
            plan.seen[0] = seen
        robot = order[i]
        if search.mark[robot] == stamp:
            continue
        if plan.value[robot] > plan.least[robot]:
            push(floor, plan, search, robot, UNBOUNDED, stamp, pushes, depth, attempts)
        search.mark[robot] = stamp


@entry
def improve(floor, plan, search, chains, pushes, depth, attempts):
    """Start `chains` chains at random robots; keep those that lower the weighted sum of values."""
    robots = len(plan.cell)
    for _ in range(chains):
        x = search.random[0]
        x ^= x << np.uint64(13)
        x ^= x >> np.uint64(7)
        x ^= x << np.uint64(17)
        search.random[0] = x
        robot = np.int64((x >> np.uint64(11)) % np.uint64(robots))
        if plan.value[robot] <= plan.least[robot]:
            continue
        search.counts[CHAIN_STAMP] += 1
        stamp = np.int32(search.counts[CHAIN_STAMP])
        push(floor, plan, search, robot, np.int64(0), stamp, pushes, depth, attempts)


@entry
def whole_step(
    floor, plan, search, held, urgency, ranks, key, order, spare, places, inherit_pushes, chains, pushes,
    depth, attempts, done,
):  # fmt: skip
    """A step that no clock interrupts, in one call: handing over the arrays costs as much as some of its parts.

    See `prioritise` for `held` to `places`.
    """
    prioritise(plan, held, urgency, ranks, key, order, spare, places)
    begin_step(floor, plan)
    if inherit_pushes > 0:
        inherit(floor, plan, search, order, 0, len(order), inherit_pushes, 2 * depth, attempts)
    improve(floor, plan, search, chains, pushes, depth, attempts)
    carry_out(plan, done)
