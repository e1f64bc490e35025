"""Who is planned first."""

from __future__ import annotations

from sim.robots.kernels.layout import entry

DIGIT_BITS = 11
DIGITS = 1 << DIGIT_BITS


@entry
def prioritise(plan, held, urgency, ranks, key, order, spare, places):
    """Sort robots into `order`, the most urgent first, and give them the weights `ranks` in that order.

    Those `held` come before all others, for who comes first and wants nothing is an obstacle to the rest; those
    that rest come last. Equals keep the order of their numbers. `held` bool, `ranks` int32, all others int64
    (robots,), `key` and `spare` scratch space, as is `places` (DIGITS,).

    Sorts digit by digit from the last: urgencies differ by little, so that two or three digits do.
    """
    n = len(order)
    most = urgency[0]
    least = urgency[0]
    for robot in range(n):
        most = max(most, urgency[robot])
        least = min(least, urgency[robot])
    last = most - least + 2
    for robot in range(n):
        order[robot] = robot
        if held[robot]:
            key[robot] = 0
        elif plan.resting[robot] == 1:
            key[robot] = last
        else:
            key[robot] = most - urgency[robot] + 1
    shift = 0
    while last >> shift > 0:
        places[:] = 0
        for robot in range(n):
            places[(key[robot] >> shift) & (DIGITS - 1)] += 1
        place = 0
        for digit in range(DIGITS):
            number = places[digit]
            places[digit] = place
            place += number
        for at in range(n):
            digit = (key[order[at]] >> shift) & (DIGITS - 1)
            spare[places[digit]] = order[at]
            places[digit] += 1
        for at in range(n):
            order[at] = spare[at]
        shift += DIGIT_BITS
    for at in range(n):
        plan.weight[order[at]] = ranks[at]
