"""What the problem says, inside kernels: loads, capacities, travel by matrix or by the profile's rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from solvers.kernels.jit import helper, inlined
from solvers.kernels.layout import (
    BARRED,
    CAPACITY,
    DEPOTS,
    DIMS,
    DURATION_AT,
    KIND_AT,
    KIND_WIDTH,
    LOAD_AT,
    MATRIX,
    NODE,
    NODES,
    PICK_AT,
    PROFILES,
    SIDE,
    SIDED,
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
def raw_length(metric: float, scale: float, x1: float, y1: float, x2: float, y2: float) -> float:
    """Distance between two points before it is rounded, by the rule of `solvers.travel.Metric`."""
    if metric == 3.0:
        lat1, lat2 = math.radians(y1), math.radians(y2)
        u = math.sin((lat2 - lat1) / 2)
        v = math.sin((math.radians(x2) - math.radians(x1)) / 2)
        h = u * u + math.cos(lat1) * math.cos(lat2) * v * v
        return DIAMETER_M * math.asin(math.sqrt(min(1.0, h))) * scale
    dx, dy = x1 - x2, y1 - y2
    return math.sqrt(dx * dx + dy * dy) * scale


@inlined
def rounded(metric: float, raw: float) -> int:
    """A length as a whole number, by the same rule."""
    if metric == 3.0:
        return np.int64(np.rint(raw))
    return np.int64(raw + 0.5) if metric == 1.0 else np.int64(raw)


@helper
def coordinate_distance(F: Any, P: Any, p: int, i: int, j: int) -> int:
    """Distance in profile p between nodes i and j by their coordinates."""
    a, b = 3 * P[PROFILES] + 2 * i, 3 * P[PROFILES] + 2 * j
    return rounded(F[3 * p], raw_length(F[3 * p], F[3 * p + 1], F[a], F[a + 1], F[b], F[b + 1]))


@helper
def bars(P: Any, i: int, j: int) -> bool:
    """Whether the order of backhauls rules the arc out, as `solvers.backhauls.barred_arcs` does."""
    if P[NODE * j + SIDE] == 1:
        return P[SIDED] == 2 and i < P[DEPOTS]
    return j >= P[DEPOTS] and P[NODE * i + SIDE] == 1


@inlined
def distance(D: Any, F: Any, P: Any, p: int, i: int, j: int) -> int:
    """Distance from node i to node j in profile p."""
    if P[MATRIX] == 1:
        return np.int64(D[(p * P[NODES] + i) * P[NODES] + j])
    if P[SIDED] > 0 and bars(P, i, j):
        return 2 * P[BARRED]
    return coordinate_distance(F, P, p, i, j)


@inlined
def duration(D: Any, F: Any, P: Any, p: int, i: int, j: int) -> int:
    """Travel time from node i to node j in profile p."""
    if P[MATRIX] == 1:
        return np.int64(D[P[DURATION_AT] + (p * P[NODES] + i) * P[NODES] + j])
    length = coordinate_distance(F, P, p, i, j)
    pace = F[3 * p + 2]
    return length if pace == 1.0 else np.int64(np.rint(length * pace))
