"""Matching of cancellations to purchases."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@numba.njit(cache=True)
def match_latest(
    first: Ints, purchase_at: Ints, bought: Ints, group: Ints, cancelled_at: Ints, cancelled: Ints
) -> tuple[Ints, Ints, Ints]:
    """Take cancelled units from the latest earlier purchases of their group that have units left.

    Purchases of group g are rows first[g] : first[g + 1], in the order of time; cancellations are handled in
    the order given. Returns cancellation, purchase and units of each match.
    """
    left = bought.copy()
    capacity = len(cancelled_at) + 16
    by, of, units = np.empty(capacity, np.int64), np.empty(capacity, np.int64), np.empty(capacity, np.int64)
    count = 0
    for row in range(len(cancelled_at)):
        wanted = cancelled[row]
        purchase = first[group[row] + 1] - 1
        while wanted > 0 and purchase >= first[group[row]]:
            taken = min(wanted, left[purchase])
            if purchase_at[purchase] < cancelled_at[row] and taken > 0:
                if count == capacity:
                    capacity *= 2
                    by, of, units = _twice(by), _twice(of), _twice(units)
                by[count], of[count], units[count] = row, purchase, taken
                count += 1
                left[purchase] -= taken
                wanted -= taken
            purchase -= 1
    return by[:count], of[:count], units[:count]


@numba.njit(cache=True)
def _twice(array: Ints) -> Ints:
    larger = np.empty(2 * len(array), np.int64)
    larger[: len(array)] = array
    return larger
