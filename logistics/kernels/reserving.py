"""All-or-nothing reservation of stock, parcel by parcel."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def reserve_in_turn(
    free: Ints,
    parcels: Ints,
    warehouse: NDArray[np.int32],
    first_line: Ints,
    item: NDArray[np.int32],
    quantity: Ints,
) -> NDArray[np.bool_]:
    """Take each parcel's lines from `free` (warehouses, items), which is changed, or none of them.

    `parcels` (n,) are rows of `warehouse` and `first_line`, in the order of their turn; lines are rows of
    `item` and `quantity`. Returns (n,) whether the parcel got its units.
    """
    granted = np.zeros(len(parcels), np.bool_)
    _reserve(free, parcels, warehouse, first_line, item, quantity, granted)
    return granted


@numba.njit(cache=True)
def _reserve(
    free: Ints,
    parcels: Ints,
    warehouse: NDArray[np.int32],
    first_line: Ints,
    item: NDArray[np.int32],
    quantity: Ints,
    granted: NDArray[np.bool_],
) -> None:
    for turn in range(len(parcels)):
        parcel = parcels[turn]
        site = warehouse[parcel]
        start, end = first_line[parcel], first_line[parcel + 1]
        line = start
        while line < end and free[site, item[line]] >= quantity[line]:
            free[site, item[line]] -= quantity[line]
            line += 1
        if line == end:
            granted[turn] = True
        else:
            for taken in range(start, line):
                free[site, item[taken]] += quantity[taken]
