"""Neighbour lists: the visits worth trying next to each visit, without an n×n array where n is large."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from solvers.travel import FloatArray, IntArray, Metric

WAIT_WEIGHT = 0.2  # a unit of unavoidable waiting counts less than one of travel; of lateness, as much


def curve_order(xy: FloatArray) -> IntArray:
    """Visit numbers along a Hilbert curve through `xy` (n, 2)."""
    n = len(xy)
    low = xy.min(axis=0, initial=np.inf)
    span = float(np.max(xy.max(axis=0, initial=-np.inf) - low, initial=0.0)) or 1.0
    side = 1 << 15
    x, y = (np.minimum((xy - low) / span * side, side - 1)).astype(np.int64).reshape(n, 2).T
    key = np.zeros(n, dtype=np.int64)
    s = side >> 1
    while s:
        rx, ry = (x & s) > 0, (y & s) > 0
        key += s * s * ((3 * rx) ^ ry)
        flip = ~ry & rx
        x, y = np.where(flip, side - 1 - x, x), np.where(flip, side - 1 - y, y)
        x, y = np.where(~ry, y, x), np.where(~ry, x, y)
        s >>= 1
    return np.argsort(key, kind="stable").astype(np.int64)


def nearest(
    dist: Any | None,
    dur: Any | None,
    xy: FloatArray,
    rule: FloatArray,
    node: IntArray | None,
    *,
    depots: int,
    near: int,
    adjacent: int,
    allowed: Any | None = None,
) -> tuple[Any, Any]:
    """(near, adjacent) lists over all nodes, int64, padded with -1; depots have none and are in none.

    `adjacent` goes by distance. `near` does too, or with `node` (early, late, service in its first three
    columns) by travel time plus weighted unavoidable waiting and lateness of the better direction. With `allowed`
    (visits, types), true where the type may serve the visit, those that no type may serve both come last.
    """
    total = len(xy) if dist is None else len(dist)
    n = total - depots
    near, adjacent = min(near, max(1, n - 1)), min(adjacent, max(1, n - 1))
    near_out = np.full((total, near), -1, dtype=np.int64)
    adjacent_out = np.full((total, adjacent), -1, dtype=np.int64)
    if n < 2:
        return near_out, adjacent_out
    plain = node is None and allowed is None
    width = min(n - 1, max(near if plain else 3 * near, adjacent))
    found = (
        by_tree(xy[depots:], Metric(int(rule[0])), width)
        if dist is None
        else _by_matrix(dist[depots:, depots:], width)
    )
    adjacent_out[depots:] = found[:, :adjacent] + depots
    if plain:
        near_out[depots:] = found[:, :near] + depots
        return near_out, adjacent_out
    travel = dist if node is None else dur
    if travel is not None:
        found = np.broadcast_to(np.arange(n), (n, n))
    if allowed is not None:
        sets, kind = np.unique(allowed > 0, axis=0, return_inverse=True)
        kind, apart = kind.reshape(-1), sets.astype(np.int64) @ sets.T.astype(np.int64) == 0
    for lo in range(0, n, 1024):
        rows = np.arange(lo, min(lo + 1024, n))
        cost = _closeness(travel, xy, rule, node, depots, rows, found[rows])
        if allowed is not None:
            cost += (cost.max() + 1.0) * apart[kind[rows, None], kind[found[rows]]]
        if travel is not None:
            cost[np.arange(len(rows)), rows] = np.inf
        near_out[depots + rows] = np.take_along_axis(found[rows], _smallest(cost, near), axis=1) + depots
    return near_out, adjacent_out


def _by_matrix(dist: Any, width: int) -> Any:
    """The `width` nearest of each row, by the sum of both directions."""
    both = dist.astype(np.float64)
    both += both.T
    np.fill_diagonal(both, np.inf)
    return _smallest(both, width)


def _smallest(cost: FloatArray, width: int) -> Any:
    """Columns of the `width` smallest entries of each row, ascending, ties by column."""
    width = min(width, cost.shape[1])
    # `argpartition` would pick among equals in an order that depends on the processor
    last = np.partition(cost, width - 1, axis=1)[:, width - 1 : width]
    below, tied = cost < last, cost == last
    wanted = width - below.sum(axis=1, keepdims=True)
    part = np.nonzero(below | (tied & (tied.cumsum(axis=1) <= wanted)))[1].reshape(len(cost), width)
    inner = np.argsort(np.take_along_axis(cost, part, axis=1), axis=1, kind="stable")
    return np.take_along_axis(part, inner, axis=1)


def by_tree(xy: FloatArray, metric: Metric, width: int) -> Any:
    """(n, width) the nearest to each of the points (n, 2) but itself, in order, without an n×n array."""
    points = xy
    if metric is Metric.HAVERSINE:
        lon, lat = np.radians(xy).T
        points = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    found = cKDTree(points).query(points, k=range(1, width + 2))[1]
    # a twin at the same place may come before the visit itself, so drop it by number, not by column
    own = found == np.arange(len(xy))[:, None]
    own[~own.any(axis=1), -1] = True
    return found[~own].reshape(len(xy), width)


def _closeness(
    travel: Any | None,
    xy: FloatArray,
    rule: FloatArray,
    node: IntArray | None,
    depots: int,
    rows: Any,
    found: Any,
) -> FloatArray:
    i, j = depots + rows[:, None], depots + found
    if travel is not None:
        there, back = travel[i, j].astype(np.float64), travel[j, i].astype(np.float64)
    else:
        if int(rule[0]) == Metric.HAVERSINE:
            lon, lat = np.radians(xy[:, 0]), np.radians(xy[:, 1])
            dx, dy = (
                (lon[i] - lon[j]) * np.cos((lat[i] + lat[j]) / 2) * 6_371_008.8,
                (lat[i] - lat[j]) * 6_371_008.8,
            )
        else:
            dx, dy = xy[i, 0] - xy[j, 0], xy[i, 1] - xy[j, 1]
        there = back = np.hypot(dx, dy) * rule[1] * rule[2]
    if node is None:
        return there + back
    early, late, service = (node[:, k].astype(np.float64) for k in range(3))

    def directed(a: Any, b: Any, leg: FloatArray) -> FloatArray:
        waiting = np.maximum(0.0, early[b] - leg - service[a] - late[a])
        lateness = np.maximum(0.0, early[a] + service[a] + leg - late[b])
        return leg + WAIT_WEIGHT * waiting + lateness

    return np.minimum(directed(i, j, there), directed(j, i, back))
