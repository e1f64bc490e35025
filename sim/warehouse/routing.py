"""Routing of pickers: how far a tour through a list of locations is, by S-shape, largest gap, or exactly."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim.warehouse.kernels import routing as kernel
from sim.warehouse.layout import AisleBlock
from sim.warehouse.orders import FloatArray, IntArray, RowArray

POLICIES = {"s_shape": kernel.S_SHAPE, "largest_gap": kernel.LARGEST_GAP, "exact": kernel.EXACT}


@dataclass(frozen=True, slots=True, eq=False)
class Tours:
    """Length in metres and number of aisles entered, one of each per tour."""

    length_m: FloatArray
    aisles: RowArray


def route(block: AisleBlock, location: IntArray, tour: IntArray, tours: int, policy: str = "exact") -> Tours:
    """Route every tour from the depot through its locations and back.

    `location` and `tour` are parallel, one entry a pick, in any order; tours without a pick have length 0.
    Raises `ValueError` for an unknown policy, location or tour.
    """
    if policy not in POLICIES:
        raise ValueError(f"no routing policy {policy!r}; there are: {', '.join(POLICIES)}")
    location, tour = np.asarray(location, np.int64), np.asarray(tour, np.int64)
    for what, values, limit in (("location", location, block.locations), ("tour", tour, tours)):
        if values.size and not 0 <= values.min() <= values.max() < limit:
            raise ValueError(f"{what} outside 0 to {limit - 1}: {values.min()} to {values.max()}")
    aisle, along = block.aisle[location], block.along_m[location]
    turn = np.lexsort((along, aisle, tour))
    first = np.searchsorted(tour[turn], np.arange(tours + 1)).astype(np.int64)
    result = Tours(np.zeros(tours), np.zeros(tours, np.int32))
    kernel.tour_lengths(
        aisle[turn].astype(np.int64),
        along[turn],
        first,
        block.depot_aisle,
        block.aisle_pitch_m,
        block.length_m,
        POLICIES[policy],
        result.length_m,
        result.aisles,
    )
    return result
