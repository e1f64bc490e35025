"""Travel between nodes: integer matrices, or coordinates with a rounding rule when a matrix would not fit."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from solvers.errors import Fault, InvalidInputError
from solvers.speeds import Speeds

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]

EARTH_RADIUS_M = 6_371_008.8  # mean radius, IUGG


class Metric(IntEnum):
    """How a distance is computed. All but MATRIX work on coordinates alone, in O(1) memory per pair."""

    MATRIX = 0
    EUCLIDEAN_ROUND = 1  # nearest integer of scale * Euclidean (VRPLIB EUC_2D with scale 1)
    EUCLIDEAN_TRUNCATE = 2  # scale * Euclidean, truncated (DIMACS: one decimal, scale 10)
    HAVERSINE = 3  # [lon, lat] degrees, metres on the sphere times `scale` (the detour factor), rounded


@dataclass(frozen=True, slots=True, eq=False)
class Travel:
    """Distances and durations of one travel profile over all nodes (depots first, then visits).

    Either `distance` and `duration` are (N, N) int64 matrices (metric MATRIX), or `metric` and the problem's
    coordinates define the distance and `duration = round(distance * duration_per_distance)`. With `speeds`
    the duration follows from the distance before it is rounded, and from the hour.
    """

    distance: IntArray | None = None
    duration: IntArray | None = None
    metric: Metric = Metric.MATRIX
    scale: float = 1.0
    duration_per_distance: float = 1.0
    speeds: Speeds | None = None

    @classmethod
    def of_matrices(cls, distance: Any, duration: Any | None = None) -> Travel:
        """Profile from matrices of whole numbers; the duration defaults to the distance.

        Raises `InvalidInputError` for numbers that are not whole: how to round them is for the caller to say.
        """
        dist = _whole("distance", distance)
        dur = dist if duration is None else _whole("duration", duration)
        dist.setflags(write=False)
        dur.setflags(write=False)
        return cls(dist, dur)

    @property
    def is_matrix(self) -> bool:
        return self.metric is Metric.MATRIX

    def materialise(self, coords: FloatArray) -> Travel:
        """The same profile as matrices, but for its speeds by the hour, in row blocks; needs 16 N² bytes."""
        if self.is_matrix:
            return self
        n = len(coords)
        dist = np.empty((n, n), dtype=np.int64)
        for lo in range(0, n, 512):
            dist[lo : lo + 512] = distances(self, coords, coords[lo : lo + 512])
        dur = dist
        if self.duration_per_distance != 1.0:
            dur = np.rint(dist * self.duration_per_distance).astype(np.int64)
        return Travel.of_matrices(dist, dur)


def _whole(key: str, table: Any) -> IntArray:
    given = np.asarray(table)
    if given.dtype.kind == "f":
        broken = ~(np.abs(given) <= 2.0**62) | (given != np.rint(given))
        if broken.any():
            at = tuple(int(k) for k in np.argwhere(broken)[0])
            place, value = f"travel.{key}[{', '.join(map(str, at))}]", str(given[at])
            repair = "round them, or choose smaller units"
            fault = Fault("problem", place, value, "not-whole", "not a whole number", repair)
            raise InvalidInputError((fault,))
    return np.ascontiguousarray(given, dtype=np.int64)


def exact_length(travel: Travel, coords: FloatArray | None, i: int, j: int) -> float:
    """The distance from node i to node j before it is rounded."""
    if travel.distance is not None:
        return float(travel.distance[i, j])
    if coords is None:
        raise ValueError("a travel profile without matrices needs coordinates")
    if travel.metric is Metric.HAVERSINE:
        lon1, lat1, lon2, lat2 = (math.radians(float(c)) for c in (*coords[i], *coords[j]))
        h = math.sin((lat2 - lat1) / 2) ** 2
        h += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
        return 2 * EARTH_RADIUS_M * math.asin(math.sqrt(min(1.0, h))) * travel.scale
    dx, dy = float(coords[i, 0] - coords[j, 0]), float(coords[i, 1] - coords[j, 1])
    return math.sqrt(dx * dx + dy * dy) * travel.scale


def longest_leg(travel: Travel, coords: FloatArray) -> float:
    """A bound on the distance between any two of the coordinates (N, 2), before it is rounded."""
    if not len(coords):
        return 0.0
    low, high = coords.min(axis=0), coords.max(axis=0)
    if travel.metric is Metric.HAVERSINE:  # along a meridian, then along the wider of the parallels
        wide, tall = np.radians(high - low)
        wide *= 1.0 if low[1] < 0.0 < high[1] else math.cos(math.radians(min(abs(low[1]), abs(high[1]))))
        return float(min(math.pi, wide + tall)) * EARTH_RADIUS_M * travel.scale
    return float(np.hypot(*(high - low))) * travel.scale


def distances(travel: Travel, coords: FloatArray, origins: FloatArray) -> IntArray:
    """Distances from each origin coordinate to every coordinate, as (len(origins), len(coords)) int64."""
    return paired_distances(travel, origins[:, None, :], coords[None, :, :])


def paired_distances(travel: Travel, origins: FloatArray, targets: FloatArray) -> IntArray:
    """Distances between coordinates (..., 2) of broadcastable shapes, int64."""
    if travel.metric is Metric.HAVERSINE:
        lon1, lat1 = np.radians(origins[..., 0]), np.radians(origins[..., 1])
        lon2, lat2 = np.radians(targets[..., 0]), np.radians(targets[..., 1])
        h = np.sin((lat2 - lat1) / 2) ** 2 + np.cos(lat1) * np.cos(lat2) * np.sin((lon2 - lon1) / 2) ** 2
        metres = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.minimum(1.0, h)))
        rounded: IntArray = np.rint(metres * travel.scale).astype(np.int64)
        return rounded
    dx = origins[..., 0] - targets[..., 0]
    dy = origins[..., 1] - targets[..., 1]
    raw = np.sqrt(dx * dx + dy * dy) * travel.scale
    if travel.metric is Metric.EUCLIDEAN_ROUND:
        return np.floor(raw + 0.5).astype(np.int64)
    if travel.metric is Metric.EUCLIDEAN_TRUNCATE:
        return np.floor(raw).astype(np.int64)
    raise ValueError("a matrix profile has no coordinate rule")
