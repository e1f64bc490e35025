"""Great-circle metres between registered places (haversine formula)."""

from __future__ import annotations

import math

import numba
import numpy as np
from numpy.typing import NDArray

from solvers.travel import EARTH_RADIUS_M


def along(
    lon: NDArray[np.float64], lat: NDArray[np.float64], places: NDArray[np.int32]
) -> NDArray[np.float64]:
    """Metres from each place of a route to the next: (n,) float64, item k ends at place k, item 0 is 0.

    `lon`, `lat`: radians of all registered places, which `places` indexes.
    """
    metres = np.zeros(len(places))
    _along(lon, lat, places, metres)
    return metres


def between(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    places: NDArray[np.int32],
) -> NDArray[np.float64]:
    """(n, n) metres between all pairs of places, flattened row by row."""
    metres = np.zeros(len(places) ** 2)
    _between(lon, lat, places, metres)
    return metres


@numba.njit(cache=True)
def _along(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    places: NDArray[np.int32],
    metres: NDArray[np.float64],
) -> None:
    for k in range(1, len(places)):
        metres[k] = _metres(lon, lat, places[k - 1], places[k])


@numba.njit(cache=True)
def _between(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    places: NDArray[np.int32],
    metres: NDArray[np.float64],
) -> None:
    n = len(places)
    for i in range(n):
        for j in range(i):
            one_way = _metres(lon, lat, places[i], places[j])
            metres[i * n + j] = one_way
            metres[j * n + i] = one_way


@numba.njit(cache=True, inline="always")
def _metres(lon: NDArray[np.float64], lat: NDArray[np.float64], a: int, b: int) -> float:
    s = math.sin((lat[b] - lat[a]) / 2.0)
    t = math.sin((lon[b] - lon[a]) / 2.0)
    h = s * s + math.cos(lat[a]) * math.cos(lat[b]) * t * t
    return 2.0 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h)))
