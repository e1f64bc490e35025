"""Matching of cancellations to purchases."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def match_latest(
    first: Ints, purchase_at: Ints, bought: Ints, group: Ints, cancelled_at: Ints, cancelled: Ints
) -> tuple[Ints, Ints, Ints]:
    """Take cancelled units from the latest earlier purchases of their group that have units left.

    Purchases of group g are rows first[g] : first[g + 1], in the order of time; cancellations are handled in
    the order given. Returns cancellation, purchase and units of each match.
    """
    # each match is the last of its cancellation or of its purchase
    matches = np.empty((3, len(cancelled_at) + len(bought)), np.int64)
    count = _match(first, purchase_at, bought.copy(), group, cancelled_at, cancelled, matches)
    by, of, units = matches[:, :count]
    return by, of, units


@numba.njit(cache=True)
def _match(
    first: Ints,
    purchase_at: Ints,
    left: Ints,
    group: Ints,
    cancelled_at: Ints,
    cancelled: Ints,
    matches: Ints,
) -> int:
    """Fill the columns of `matches`, take units from those `left`; returns how many columns there are."""
    count = 0
    for row in range(len(cancelled_at)):
        wanted = cancelled[row]
        purchase = first[group[row] + 1] - 1
        while wanted > 0 and purchase >= first[group[row]]:
            taken = min(wanted, left[purchase])
            if purchase_at[purchase] < cancelled_at[row] and taken > 0:
                matches[0, count], matches[1, count], matches[2, count] = row, purchase, taken
                count += 1
                left[purchase] -= taken
                wanted -= taken
            purchase -= 1
    return count
