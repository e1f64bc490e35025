"""Loading a truck: parcels into containers in their order, containers into the truck."""

from __future__ import annotations

import numba as nb
import numpy as np


def load_truck(
    kind: np.ndarray,
    weight_g: np.ndarray,
    volume_ml: np.ndarray,
    container_g: np.ndarray,
    container_ml: np.ndarray,
    truck_g: int,
    truck_ml: int,
) -> np.ndarray:
    """Container number of each parcel on the truck, -1 where it stays behind.

    kind, weight_g, volume_ml (n,) int64 in loading order; container_g, container_ml (kinds,) int64. One
    container of each kind is open at a time; a full one is closed (next fit). An opened container takes its
    whole volume of the truck. A parcel larger than an empty container fills one by itself.
    """
    out = np.full(len(kind), -1, dtype=np.int32)
    _load(kind, weight_g, volume_ml, container_g, container_ml, truck_g, truck_ml, out)
    return out


@nb.njit(cache=True, nogil=True)
def _load(
    kind: np.ndarray,
    weight_g: np.ndarray,
    volume_ml: np.ndarray,
    container_g: np.ndarray,
    container_ml: np.ndarray,
    truck_g: int,
    truck_ml: int,
    out: np.ndarray,
) -> None:
    kinds = len(container_g)
    opened = np.full(kinds, -1, dtype=np.int32)
    used_g = np.zeros(kinds, dtype=np.int64)
    used_ml = np.zeros(kinds, dtype=np.int64)
    count = np.int32(0)
    load_g = np.int64(0)
    load_ml = np.int64(0)
    for i in range(len(kind)):
        k = kind[i]
        if load_g + weight_g[i] > truck_g:
            continue
        fits = (
            opened[k] >= 0
            and used_g[k] + weight_g[i] <= container_g[k]
            and used_ml[k] + volume_ml[i] <= container_ml[k]
        )
        if not fits:
            space = max(container_ml[k], volume_ml[i])
            if load_ml + space > truck_ml:
                continue
            opened[k] = count
            count += 1
            load_ml += space
            used_g[k] = 0
            used_ml[k] = 0
        out[i] = opened[k]
        used_g[k] += weight_g[i]
        used_ml[k] += volume_ml[i]
        load_g += weight_g[i]
