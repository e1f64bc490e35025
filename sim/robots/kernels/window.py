"""Moving the window: value the plans, lengthen them by a step, carry out their first step."""

from __future__ import annotations

import numpy as np

from sim.robots.kernels.distances import UNREACHABLE
from sim.robots.kernels.layout import (
    BLOCK,
    CLOCKWISE,
    COUNTER,
    FORWARD,
    SCALE,
    WAIT,
    arrival,
    base_of,
    entry,
    fetch,
    helper,
    lateness,
    lift,
    place,
    to_go,
)


@helper
def turned(heading, action):
    if action == CLOCKWISE:
        return (heading + 1) & 3
    if action == COUNTER:
        return (heading + 3) & 3
    return heading


@helper
def extend(floor, plan, robot, heading, base):
    """Let a robot that waits in its last step do what brings it nearer, if nobody is in the way."""
    window = plan.actions.shape[1]
    cell = plan.path[robot, window]
    if plan.actions[robot, window - 1] != WAIT:
        return
    row = floor.table[plan.row[robot]]
    here = to_go(row, floor.surplus, cell, heading, base)
    ahead = floor.neighbours[cell, heading]
    if ahead >= 0:
        rest = np.int32(floor.edge_cost[floor.field[plan.goal[robot]], cell, heading])
        if ahead == plan.goal[robot]:
            rest += arrival(base)
        else:
            rest += to_go(row, floor.surplus, ahead, heading, base)
        if rest <= here:
            before = plan.holder[ahead, window - 1]
            swapped = before >= 0 and plan.holder[cell, window] == before
            if plan.holder[ahead, window] < 0 and not swapped:
                plan.holder[cell, window] = -1
                plan.holder[ahead, window] = robot
                plan.path[robot, window] = ahead
                plan.actions[robot, window - 1] = FORWARD
            return
    for action in range(1, 3):
        if floor.turn_cost + to_go(row, floor.surplus, cell, turned(heading, action), base) <= here:
            plan.actions[robot, window - 1] = action
            return


@entry
def begin_step(floor, plan):
    """Lengthen all plans and set `value` and `least`."""
    window = plan.actions.shape[1]
    for robot in range(len(plan.cell)):
        if robot % BLOCK == 0:
            seen = np.int64(0)
            for other in range(robot, min(robot + BLOCK, len(plan.cell))):
                seen += fetch(floor, plan, other, max(1, window // 2))
            plan.seen[0] = seen
        plan.value[robot] = 0
        plan.least[robot] = 0
        if plan.resting[robot] == 1:
            plan.waited[robot] = 0
            continue
        base = base_of(floor, plan, robot)
        row = floor.table[plan.row[robot]]
        field = floor.field[plan.goal[robot]]
        heading = plan.heading[robot]
        nearer = ((base - plan.nearest[robot] + 128) & 255) < 128
        if nearer or plan.waited[robot] < 0:
            plan.nearest[robot] = base
            plan.waited[robot] = 0
        else:
            plan.waited[robot] += 1
        plan.least[robot] = to_go(row, floor.surplus, plan.cell[robot], heading, base) * SCALE
        spent = 0
        arrived = False
        for t in range(window):
            if t == window - 1 and not arrived:
                extend(floor, plan, robot, heading, base)
            action = plan.actions[robot, t]
            if not arrived:
                if action == FORWARD:
                    spent += floor.edge_cost[field, plan.path[robot, t], heading] * SCALE
                    arrived = plan.path[robot, t + 1] == plan.goal[robot]
                elif action == WAIT:
                    spent += floor.wait_cost * SCALE + lateness(window, t)
                else:
                    spent += floor.turn_cost * SCALE
            heading = turned(heading, action)
        if arrived:
            rest = arrival(base)
        else:
            rest = to_go(row, floor.surplus, plan.path[robot, window], heading, base)
        plan.value[robot] = spent + rest * SCALE


@entry
def cost_left(floor, plan, rows, goals, row_of, column_of, least_cost, no_way, left):
    """Cost from each robot's cell and heading to its entry of `goals`, to `left` (int64), or `no_way`.

    `rows` are the goals' rows of the table; `row_of` and `column_of` int32 (cells,), where cells lie. `least_cost`
    is that of one move: the Manhattan distance says which multiple of 256 a table's entry lacks.
    """
    # Apart from the rest, so that many reads of the table are under way together, see `fetch`.
    for robot in range(len(goals)):
        left[robot] = floor.table[rows[robot], plan.cell[robot]]
    for robot in range(len(goals)):
        cell, goal, packed = plan.cell[robot], goals[robot], left[robot]
        if packed == UNREACHABLE:
            left[robot] = no_way
            continue
        steps = abs(row_of[cell] - row_of[goal]) + abs(column_of[cell] - column_of[goal])
        least = np.int64(least_cost * steps)
        surplus = np.int64(floor.surplus[packed >> 8, plan.heading[robot]])
        left[robot] = least + (((packed & 255) - least) & 255) + surplus


@entry
def carry_out(plan, done):
    """Do the first action of every plan, write it to `done` (uint8 (n,)), move the window on by a step.

    As everybody waits in the step that is new, who stood where at the window's end still does: cell by cell, all
    others come a step nearer. That is one pass over the floor in the order of memory; no path need be followed.
    """
    window = plan.actions.shape[1]
    robots = len(plan.cell)
    for cell in range(plan.holder.shape[0]):
        for t in range(window):
            plan.holder[cell, t] = plan.holder[cell, t + 1]
    for robot in range(robots):
        done[robot] = plan.actions[robot, 0]
        plan.heading[robot] = turned(plan.heading[robot], plan.actions[robot, 0])
        plan.cell[robot] = plan.path[robot, 1]
        for t in range(window):
            plan.path[robot, t] = plan.path[robot, t + 1]
        for t in range(window - 1):
            plan.actions[robot, t] = plan.actions[robot, t + 1]
        plan.actions[robot, window - 1] = WAIT


@helper
def halt(plan, robot, window):
    """Let a robot wait where it is all through the window, whoever runs into it."""
    lift(plan, robot)
    for t in range(window):
        plan.path[robot, t + 1] = plan.cell[robot]
        plan.actions[robot, t] = WAIT
    place(plan, robot)


@entry
def stand_still(plan, robots):
    """Let `robots` (int64) wait through the window, and those that would run into them, and so on."""
    window = plan.actions.shape[1]
    for i in range(len(robots)):
        halt(plan, robots[i], window)
    changed = True
    while changed:
        changed = False
        for robot in range(len(plan.cell)):
            for t in range(1, window + 1):
                if plan.holder[plan.path[robot, t], t] != robot:
                    halt(plan, robot, window)
                    changed = True
                    break
