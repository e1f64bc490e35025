"""Who is planned first."""

from __future__ import annotations

from sim.robots.kernels.layout import entry

LAST = 1 << 60
"""Beyond any urgency."""


@entry
def prioritise(plan, held, urgency, ranks, key, order, spare):
    """Sort robots into `order`, the most urgent first, and give them the weights `ranks` in that order.

    Those `held` come before all others, for who comes first and wants nothing is an obstacle to the rest; those
    that rest come last. Equals keep the order of their numbers. `held` bool, `ranks` int32, all others int64
    (robots,), `key` and `spare` scratch space.
    """
    n = len(order)
    for robot in range(n):
        order[robot] = robot
        if held[robot]:
            key[robot] = -LAST
        elif plan.resting[robot] == 1:
            key[robot] = LAST
        else:
            key[robot] = -urgency[robot]
    width = 1
    while width < n:  # merge sort, from runs of one upwards
        for low in range(0, n, 2 * width):
            middle, high = min(low + width, n), min(low + 2 * width, n)
            left, right = low, middle
            for at in range(low, high):
                if left < middle and (right >= high or key[order[left]] <= key[order[right]]):
                    spare[at] = order[left]
                    left += 1
                else:
                    spare[at] = order[right]
                    right += 1
        for at in range(n):
            order[at] = spare[at]
        width *= 2
    for at in range(n):
        plan.weight[order[at]] = ranks[at]
