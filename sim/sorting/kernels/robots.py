"""What a step of all robots adds to the counts of a floor, and who arrived in it."""

from __future__ import annotations

from numba import njit

from sim.robots.problem import FORWARD, WAIT


@njit(cache=True)
def anybody_moves(state, stopped, moving):
    """Whether a robot is in a state in which it drives, and not stopped."""
    for robot in range(state.size):
        if moving[state[robot]] and not stopped[robot]:
            return True
    return False


@njit(cache=True)
def count_step(
    before, here, done, state, stopped, moving, target, used, battery, traffic, waited, state_steps, arrived
):  # fmt: skip
    """Adds to `traffic` and `waited` (locations,) and `state_steps` (states,), whose last one is being stopped.

    Takes `used` of the `battery` of who drove or turned.

    `before` and `here` are locations, `done` actions, `moving` (states,) says in which states robots drive. The
    number of robots at their `target`, ascending in `arrived`.
    """
    n = 0
    for robot in range(here.size):
        if done[robot] != WAIT:
            battery[robot] -= used
        if done[robot] == FORWARD:
            traffic[here[robot]] += 1
        if stopped[robot]:
            state_steps[-1] += 1
            continue
        state_steps[state[robot]] += 1
        if not moving[state[robot]]:
            continue
        if done[robot] == WAIT:
            waited[before[robot]] += 1
        if here[robot] == target[robot]:
            arrived[n] = robot
            n += 1
    return n
