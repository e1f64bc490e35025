"""First-fit splitting of order lines into parcels."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


def first_fit(
    first_line: Ints, weight: Ints, volume: Ints, quantity: Ints, limit_g: int, limit_ml: int
) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints]:
    """Parcels of each order: its lines in turn, each into the order's first parcels with room, then new ones.

    `first_line` (orders + 1,), the rest (lines,): weight and volume of one unit, units. A unit beyond a limit
    travels alone. An order without lines gets no parcel here. Returns order, weight, volume and units of each
    parcel, then parcel, line and units of each row of contents.
    """
    orders = len(first_line) - 1
    parcels = np.empty((4, orders), np.int64)
    rows = np.empty((3, len(weight)), np.int64)
    order = filled = listed = 0
    while True:
        order, filled, listed = _fill(
            first_line, weight, volume, quantity, limit_g, limit_ml, order, filled, listed, parcels, rows
        )
        if order == orders:
            break
        parcels, rows = _twice(parcels), _twice(rows)
    order_of, parcel_g, parcel_ml, parcel_units = parcels[:, :filled]
    row_parcel, row_line, row_units = rows[:, :listed]
    return order_of, parcel_g, parcel_ml, parcel_units, row_parcel, row_line, row_units


def _twice(table: Ints) -> Ints:
    return np.concatenate([table, np.empty_like(table)], axis=1)


@numba.njit(cache=True)
def _fill(
    first_line: Ints,
    weight: Ints,
    volume: Ints,
    quantity: Ints,
    limit_g: int,
    limit_ml: int,
    order: int,
    filled: int,
    listed: int,
    parcels: Ints,
    rows: Ints,
) -> tuple[int, int, int]:
    """Go on from this order, with so many columns of both tables in use, while there is room for them.

    Returns the order that found none, or how many there are, with the columns in use by those before it.
    """
    while order < len(first_line) - 1:
        parcel_count, row_count = filled, listed
        for line in range(first_line[order], first_line[order + 1]):
            left = quantity[line]
            parcel = filled  # the order's first parcel
            while left > 0:
                if parcel == parcel_count:
                    if parcel_count == parcels.shape[1]:
                        return order, filled, listed
                    parcels[0, parcel] = order
                    parcels[1:, parcel] = 0
                    parcel_count += 1
                    room = max(1, min(limit_g // weight[line], limit_ml // volume[line]))
                else:
                    room = min(
                        (limit_g - parcels[1, parcel]) // weight[line],
                        (limit_ml - parcels[2, parcel]) // volume[line],
                    )
                put = min(left, room)
                if put > 0:
                    if row_count == rows.shape[1]:
                        return order, filled, listed
                    rows[0, row_count], rows[1, row_count], rows[2, row_count] = parcel, line, put
                    row_count += 1
                    parcels[1, parcel] += put * weight[line]
                    parcels[2, parcel] += put * volume[line]
                    parcels[3, parcel] += put
                    left -= put
                parcel += 1
        filled, listed = parcel_count, row_count
        order += 1
    return order, filled, listed
