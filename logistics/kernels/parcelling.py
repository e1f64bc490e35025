"""First-fit splitting of order lines into parcels."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@numba.njit(cache=True)
def _grown(array: Ints) -> Ints:
    larger = np.empty(2 * len(array) + 16, np.int64)
    larger[: len(array)] = array
    return larger


@numba.njit(cache=True)
def first_fit(
    first_line: Ints, weight: Ints, volume: Ints, quantity: Ints, limit_g: int, limit_ml: int
) -> tuple[Ints, Ints, Ints, Ints, Ints, Ints, Ints]:
    """Parcels of each order: its lines in turn, each into the order's first parcels with room, then new ones.

    `first_line` (orders + 1,), the rest (lines,): weight and volume of one unit, units. A unit beyond a limit
    travels alone. An order without lines gets no parcel here. Returns order, weight, volume and units of each
    parcel, then parcel, line and units of each row of contents.
    """
    orders = len(first_line) - 1
    order_of = np.empty(orders + 16, np.int64)
    parcel_g = np.empty(orders + 16, np.int64)
    parcel_ml = np.empty(orders + 16, np.int64)
    parcel_units = np.empty(orders + 16, np.int64)
    row_parcel = np.empty(len(weight) + 16, np.int64)
    row_line = np.empty(len(weight) + 16, np.int64)
    row_units = np.empty(len(weight) + 16, np.int64)
    parcels = 0
    rows = 0
    for order in range(orders):
        opened = parcels  # the order's first parcel
        for line in range(first_line[order], first_line[order + 1]):
            left = quantity[line]
            parcel = opened
            while left > 0:
                if parcel == parcels:
                    if parcels == len(order_of):
                        order_of = _grown(order_of)
                        parcel_g = _grown(parcel_g)
                        parcel_ml = _grown(parcel_ml)
                        parcel_units = _grown(parcel_units)
                    order_of[parcels] = order
                    parcel_g[parcels] = 0
                    parcel_ml[parcels] = 0
                    parcel_units[parcels] = 0
                    parcels += 1
                    room = max(1, min(limit_g // weight[line], limit_ml // volume[line]))
                else:
                    room = min(
                        (limit_g - parcel_g[parcel]) // weight[line],
                        (limit_ml - parcel_ml[parcel]) // volume[line],
                    )
                put = min(left, room)
                if put > 0:
                    if rows == len(row_parcel):
                        row_parcel = _grown(row_parcel)
                        row_line = _grown(row_line)
                        row_units = _grown(row_units)
                    row_parcel[rows] = parcel
                    row_line[rows] = line
                    row_units[rows] = put
                    rows += 1
                    parcel_g[parcel] += put * weight[line]
                    parcel_ml[parcel] += put * volume[line]
                    parcel_units[parcel] += put
                    left -= put
                parcel += 1
    return (
        order_of[:parcels],
        parcel_g[:parcels],
        parcel_ml[:parcels],
        parcel_units[:parcels],
        row_parcel[:rows],
        row_line[:rows],
        row_units[:rows],
    )
