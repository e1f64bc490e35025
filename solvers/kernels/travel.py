"""Distances and durations inside kernels: from the matrices, or from coordinates by the profile's rule."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import njit

from solvers.travel import EARTH_RADIUS_M

DIAMETER_M = 2 * EARTH_RADIUS_M


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def coordinate_distance(xy: Any, rule: Any, p: int, i: int, j: int) -> int:
    """Distance in profile p between nodes i and j, by the rule of `solvers.travel.Metric`."""
    metric = rule[p, 0]
    if metric == 3.0:
        lat1, lat2 = math.radians(xy[i, 1]), math.radians(xy[j, 1])
        half_lon = (math.radians(xy[j, 0]) - math.radians(xy[i, 0])) / 2
        a, b = math.sin((lat2 - lat1) / 2), math.sin(half_lon)
        h = a * a + math.cos(lat1) * math.cos(lat2) * b * b
        return np.int64(np.rint(DIAMETER_M * math.asin(math.sqrt(min(1.0, h))) * rule[p, 1]))
    dx, dy = xy[i, 0] - xy[j, 0], xy[i, 1] - xy[j, 1]
    raw = math.sqrt(dx * dx + dy * dy) * rule[p, 1]
    return np.int64(raw + 0.5) if metric == 1.0 else np.int64(raw)


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def distance(d: Any, p: int, i: int, j: int) -> int:
    """Distance from node i to node j in profile p."""
    if d.matrix == 1:
        return np.int64(d.dist[p, i, j])
    return coordinate_distance(d.xy, d.rule, p, i, j)


@njit(cache=True, nogil=True, _nrt=False, forceinline=True)
def duration(d: Any, p: int, i: int, j: int) -> int:
    """Travel time from node i to node j in profile p."""
    if d.matrix == 1:
        return np.int64(d.dur[p, i, j])
    length = coordinate_distance(d.xy, d.rule, p, i, j)
    pace = d.rule[p, 2]
    return length if pace == 1.0 else np.int64(np.rint(length * pace))
