"""A binary heap in two flat arrays: the least key first, among equals the least value."""

from __future__ import annotations

from numba import njit


@njit(cache=True)
def before(keys, values, a, b):
    return keys[a] < keys[b] or (keys[a] == keys[b] and values[a] < values[b])


@njit(cache=True)
def push(keys, values, state, slot, key, value):
    """`state[slot]` is the number of entries."""
    i = state[slot]
    state[slot] += 1
    keys[i] = key
    values[i] = value
    while i > 0 and before(keys, values, i, (i - 1) // 2):
        parent = (i - 1) // 2
        keys[i], keys[parent] = keys[parent], keys[i]
        values[i], values[parent] = values[parent], values[i]
        i = parent


@njit(cache=True)
def pop(keys, values, state, slot):
    """The value of the least key."""
    least = values[0]
    state[slot] -= 1
    n = state[slot]
    keys[0] = keys[n]
    values[0] = values[n]
    i = 0
    while True:
        child = 2 * i + 1
        if child >= n:
            return least
        if child + 1 < n and before(keys, values, child + 1, child):
            child += 1
        if not before(keys, values, child, i):
            return least
        keys[i], keys[child] = keys[child], keys[i]
        values[i], values[child] = values[child], values[i]
        i = child
