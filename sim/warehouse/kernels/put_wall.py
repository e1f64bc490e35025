"""Event loop of a put wall: lines come from carts, people put them into their order's cubby.

An order takes a cubby with its first line and gives it back with its last put. Lines of orders without a
cubby wait aside in a buffer, orders in the order of their first line. `counts` holds the sizes named below;
heaps are pairs of arrays (key, number), smallest key first, ties by number.
"""

from __future__ import annotations

import numpy as np
from numba import njit

PENDING, READY, BUSY, FREE, HEAD, TAIL, STEP = range(7)
N_COUNTS = 7
NONE = -1
NO_CUBBY, WAITS, HAS = 0, 1, 2


@njit(cache=True, nogil=True)
def push(keys, numbers, size, key, number):
    """Put an entry into a heap of `size`; the new size."""
    at = size
    while at > 0:
        parent = (at - 1) >> 1
        if keys[parent] < key or (keys[parent] == key and numbers[parent] <= number):
            break
        keys[at], numbers[at] = keys[parent], numbers[parent]
        at = parent
    keys[at], numbers[at] = key, number
    return size + 1


@njit(cache=True, nogil=True)
def pop(keys, numbers, size):
    """Take the first entry out of a heap (read it before); the new size."""
    size -= 1
    key, number = keys[size], numbers[size]
    at = 0
    while True:
        child = 2 * at + 1
        if child >= size:
            break
        right = child + 1
        if right < size and (
            keys[right] < keys[child] or (keys[right] == keys[child] and numbers[right] < numbers[child])
        ):
            child = right
        if key < keys[child] or (key == keys[child] and number <= numbers[child]):
            break
        keys[at], numbers[at] = keys[child], numbers[child]
        at = child
    if size > 0:
        keys[at], numbers[at] = key, number
    return size


@njit(cache=True, nogil=True)
def submit(lines, arrive_s, pending_s, pending, counts):
    for i in range(lines.size):
        counts[PENDING] = push(pending_s, pending, counts[PENDING], arrive_s[i], lines[i])


@njit(cache=True, nogil=True)
def advance(
    until_s,
    step_s,
    levels,
    order_of,
    put_s,
    left,
    cubby,
    first_waiting,
    next_waiting,
    queue,
    pending_s,
    pending,
    ready_s,
    ready,
    busy_s,
    busy,
    counts,
    arrive_out,
    start_out,
    finish_out,
    done_out,
):
    """Work up to `until_s` inclusive. At one instant: finishes, arrivals, capacity, starts."""
    while True:
        now = np.inf
        if counts[PENDING] > 0:
            now = pending_s[0]
        if counts[BUSY] > 0 and busy_s[0] < now:
            now = busy_s[0]
        if counts[STEP] + 1 < step_s.size and step_s[counts[STEP] + 1] < now:
            now = step_s[counts[STEP] + 1]
        if now > until_s or now == np.inf:
            return
        while counts[BUSY] > 0 and busy_s[0] <= now:
            line = busy[0]
            counts[BUSY] = pop(busy_s, busy, counts[BUSY])
            order = order_of[line]
            left[order] -= 1
            if left[order] == 0:
                done_out[order] = now
                counts[FREE] += 1
                if counts[HEAD] < counts[TAIL]:
                    other = queue[counts[HEAD]]
                    counts[HEAD] += 1
                    counts[FREE] -= 1
                    cubby[other] = HAS
                    waiting = first_waiting[other]
                    while waiting != NONE:
                        counts[READY] = push(ready_s, ready, counts[READY], arrive_out[waiting], waiting)
                        waiting = next_waiting[waiting]
                    first_waiting[other] = NONE
        while counts[PENDING] > 0 and pending_s[0] <= now:
            line, came = pending[0], pending_s[0]
            counts[PENDING] = pop(pending_s, pending, counts[PENDING])
            arrive_out[line] = came
            order = order_of[line]
            if cubby[order] == NO_CUBBY:
                if counts[FREE] > 0:
                    counts[FREE] -= 1
                    cubby[order] = HAS
                else:
                    cubby[order] = WAITS
                    queue[counts[TAIL]] = order
                    counts[TAIL] += 1
            if cubby[order] == HAS:
                counts[READY] = push(ready_s, ready, counts[READY], came, line)
            else:
                next_waiting[line] = first_waiting[order]
                first_waiting[order] = line
        while counts[STEP] + 1 < step_s.size and step_s[counts[STEP] + 1] <= now:
            counts[STEP] += 1
        level = levels[counts[STEP]] if counts[STEP] >= 0 else 0
        while counts[READY] > 0 and counts[BUSY] < level:
            line = ready[0]
            counts[READY] = pop(ready_s, ready, counts[READY])
            start_out[line] = now
            finish_out[line] = now + put_s[line]
            counts[BUSY] = push(busy_s, busy, counts[BUSY], finish_out[line], line)
