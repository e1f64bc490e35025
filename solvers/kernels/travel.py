"""What the problem says, inside kernels: loads, capacities, travel by matrix or by the profile's rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from solvers.kernels.jit import helper, inlined
from solvers.kernels.layout import (
    CAPACITY,
    DIMS,
    DURATION_AT,
    KIND_AT,
    KIND_WIDTH,
    LOAD_AT,
    MATRIX,
    NODES,
    PICK_AT,
    PROFILES,
)
from solvers.travel import EARTH_RADIUS_M

DIAMETER_M = 2 * EARTH_RADIUS_M


@inlined
def kind(P: Any, t: int) -> int:
    """Where the row of vehicle type t starts."""
    return P[KIND_AT] + P[KIND_WIDTH] * t


@inlined
def load(P: Any, x: int, k: int) -> int:
    """What visit x takes of dimension k; its delivery where there are both deliveries and pickups."""
    return P[P[LOAD_AT] + P[DIMS] * x + k]


@inlined
def pick(P: Any, x: int, k: int) -> int:
    """The pickup of visit x in dimension k, where there are both deliveries and pickups."""
    return P[P[PICK_AT] + P[DIMS] * x + k]


@inlined
def capacity(P: Any, t: int, k: int) -> int:
    """Capacity of vehicle type t in dimension k."""
    return P[P[KIND_AT] + P[KIND_WIDTH] * t + CAPACITY + k]


@helper
def coordinate_distance(F: Any, P: Any, p: int, i: int, j: int) -> int:
    """Distance in profile p between nodes i and j, by the rule of `solvers.travel.Metric`."""
    metric, scale = F[3 * p], F[3 * p + 1]
    a, b = 3 * P[PROFILES] + 2 * i, 3 * P[PROFILES] + 2 * j
    if metric == 3.0:
        lat1, lat2 = math.radians(F[a + 1]), math.radians(F[b + 1])
        u = math.sin((lat2 - lat1) / 2)
        v = math.sin((math.radians(F[b]) - math.radians(F[a])) / 2)
        h = u * u + math.cos(lat1) * math.cos(lat2) * v * v
        return np.int64(np.rint(DIAMETER_M * math.asin(math.sqrt(min(1.0, h))) * scale))
    dx, dy = F[a] - F[b], F[a + 1] - F[b + 1]
    raw = math.sqrt(dx * dx + dy * dy) * scale
    return np.int64(raw + 0.5) if metric == 1.0 else np.int64(raw)


@inlined
def distance(D: Any, F: Any, P: Any, p: int, i: int, j: int) -> int:
    """Distance from node i to node j in profile p."""
    if P[MATRIX] == 1:
        return np.int64(D[(p * P[NODES] + i) * P[NODES] + j])
    return coordinate_distance(F, P, p, i, j)


@inlined
def duration(D: Any, F: Any, P: Any, p: int, i: int, j: int) -> int:
    """Travel time from node i to node j in profile p."""
    if P[MATRIX] == 1:
        return np.int64(D[P[DURATION_AT] + (p * P[NODES] + i) * P[NODES] + j])
    length = coordinate_distance(F, P, p, i, j)
    pace = F[3 * p + 2]
    return length if pace == 1.0 else np.int64(np.rint(length * pace))
