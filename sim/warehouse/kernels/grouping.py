"""Greedy grouping of items by affinity, for aisles and pods."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def grow_groups(first, other, value, weight, sizes, pull, group):
    """Fill groups one after the other; `group[i]` becomes the group of item i, items left over keep -1, items
    with another negative number are passed by.

    A group begins with the heaviest item left and takes, one at a time, the item with the largest weight × (1
    + pull × mean affinity to the group's items); affinity is a symmetric CSR matrix `first`, `other`,
    `value`.
    """
    items = weight.size
    score = np.zeros(items)
    near = np.empty(items, np.int64)
    for number in range(sizes.size):
        n_near = 0
        held = 0
        held_weight = 0.0
        while held < sizes[number]:
            best, best_score = -1, -1.0
            for item in range(items):
                if group[item] != -1:
                    continue
                worth = weight[item]
                if held_weight > 0.0:
                    worth *= 1.0 + pull * score[item] / held_weight
                if worth > best_score:
                    best, best_score = item, worth
            if best < 0:
                return
            group[best] = number
            held += 1
            held_weight += weight[best]
            for at in range(first[best], first[best + 1]):
                if score[other[at]] == 0.0:
                    near[n_near] = other[at]
                    n_near += 1
                score[other[at]] += value[at] * weight[best]
        for at in range(n_near):
            score[near[at]] = 0.0
