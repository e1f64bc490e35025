"""A problem as flat arrays for the kernels, visits renumbered along a space-filling curve.

Nodes are depots first, then visits in curve order: nearby visits get nearby rows, which keeps the matrices
and the node tables in the processor's caches.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.backhauls import barred_arcs
from solvers.importance import level_weights
from solvers.itinerary import earliest_start, latest_return
from solvers.kernels.layout import (
    ADJACENT_AT,
    ADJACENT_WIDTH,
    ALLOWED_AT,
    BARRED,
    BOTH_WAYS,
    CAPACITY,
    CLOSE,
    COUNT,
    DEPOTS,
    DIMS,
    DURATION_AT,
    EARLY,
    END,
    FIXED,
    HARD,
    KIND_AT,
    KIND_WIDTH,
    KINDS,
    LATE,
    LOAD_AT,
    MATRIX,
    MAX_DISTANCE,
    MAX_DURATION,
    MIXED,
    NEAR_AT,
    NEAR_WIDTH,
    NODE,
    NODES,
    ONE_WAY,
    OPEN,
    P_HEAD,
    PER_DISTANCE,
    PER_TIME,
    PICK_AT,
    PLAIN,
    PRIZE,
    PROFILE,
    PROFILES,
    QUICK,
    RELEASE,
    ROOM_AT,
    SEGMENTS,
    SERVICE,
    SIDE,
    SIDED,
    SKILLED,
    SLOTS,
    SOFT,
    STAND_INS_AT,
    STAND_INS_WIDTH,
    START,
    SYMMETRIC,
    TIME_PRICED,
    TIMED,
    WAY_AT,
    WINDOWS,
    WITHIN_SIDES,
)
from solvers.kernels.neighbours import curve_order, nearest
from solvers.problem import UNLIMITED, Problem
from solvers.travel import FloatArray, IntArray, Travel, longest_leg, paired_distances

MATRIX_LIMIT = 2_000  # nodes; above this distances are computed on the fly unless matrices were given


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """The kernels' read-only arrays (see `solvers.kernels.layout`) and the way back.

    `order[k]` is the problem's number of internal visit k; the views `node`, `kind` and `load` show parts of
    `ints` by row.
    """

    matrices: Any
    floats: FloatArray
    ints: IntArray
    order: IntArray
    node: IntArray
    kind: IntArray
    load: IntArray

    @property
    def arrays(self) -> tuple[Any, Any, Any]:
        """D, F and P, as the kernels take them."""
        return self.matrices, self.floats, self.ints

    @property
    def nodes(self) -> int:
        return int(self.ints[NODES])

    @property
    def depots(self) -> int:
        return int(self.ints[DEPOTS])


def pack(problem: Problem, *, near: int = 40, adjacent: int = 100) -> Packed:
    """Flat arrays of `problem` with neighbour lists of the given lengths."""
    d, n = problem.num_depots, problem.num_visits
    v, t = problem.visits, problem.vehicle_types
    order = curve_order(problem.coords[d:]) if problem.coords is not None else np.arange(n, dtype=np.int64)
    nodes = np.concatenate([np.arange(d, dtype=np.int64), d + order])

    given = any(travel.is_matrix for travel in problem.travel)
    matrix = given or d + n <= MATRIX_LIMIT
    sided = v.backhaul is not None and bool(v.backhaul.any())
    dist, dur, symmetric = _matrices(problem, nodes) if matrix else _no_matrices()
    xy = np.zeros((d + n, 2)) if problem.coords is None else np.ascontiguousarray(problem.coords[nodes])
    rule = np.array(
        [(float(tr.metric), tr.scale, tr.duration_per_distance) for tr in problem.travel], dtype=np.float64
    )

    total, dims, kinds = d + n, problem.num_load_dimensions, len(t.count)
    node = np.zeros((total, NODE), dtype=np.int64)
    rows = {
        EARLY: np.concatenate([problem.depots.tw[:, 0], v.tw[order, 0]]),
        LATE: np.concatenate([problem.depots.tw[:, 1], v.tw[order, 1]]),
    }
    for column, values in (
        (SERVICE, v.service),
        (RELEASE, v.release),
        (PRIZE, np.where(v.required, 0, v.prize)),
    ):
        rows[column] = np.concatenate([np.zeros(d, dtype=np.int64), values[order]])
    for column, values in zip((HARD, SOFT), _importance(problem), strict=True):
        rows[column] = np.concatenate([np.zeros(d, dtype=np.int64), values[order]])
    if v.backhaul is not None:
        rows[SIDE] = np.concatenate([np.zeros(d, dtype=np.int64), v.backhaul[order]])
    for column, values in rows.items():
        node[:, column - P_HEAD] = values

    mixed = bool(v.pickup.any()) and bool(v.delivery.any())
    amounts = v.delivery if mixed or not v.pickup.any() else v.pickup
    capacity = t.capacity
    if mixed and sided and _apart(problem):
        # all deliveries are made before the first pickup, so they never share the vehicle: dimensions of their own
        mixed, dims = False, 2 * dims
        amounts, capacity = np.hstack([v.delivery, v.pickup]), np.hstack([capacity, capacity])
    load = np.zeros((total, dims), dtype=np.int64)
    load[d:] = amounts[order]
    pick = np.zeros((total if mixed else 0, dims), dtype=np.int64)
    if mixed:
        pick[d:] = v.pickup[order]

    kind = np.zeros((kinds, CAPACITY + dims), dtype=np.int64)
    kind[:, COUNT] = np.minimum(t.count, n)
    kind[:, FIXED], kind[:, PER_DISTANCE], kind[:, PER_TIME] = t.fixed_cost, t.distance_cost, t.time_cost
    kind[:, START], kind[:, END] = t.start_depot, t.end_depot
    kind[:, OPEN] = [earliest_start(problem, k) for k in range(kinds)]
    kind[:, CLOSE] = [latest_return(problem, k) for k in range(kinds)]
    kind[:, MAX_DISTANCE], kind[:, MAX_DURATION] = t.max_distance, t.max_duration
    kind[:, PROFILE] = t.profile
    kind[:, CAPACITY:] = capacity

    allowed = np.ones((total, kinds), dtype=np.int64)
    allowed[d:] = (v.skills[order, None] & ~t.skills[None, :]) == 0

    features = problem.features
    timed = PLAIN
    if features & {"time_costs", "max_duration", "release_times"}:
        timed = SEGMENTS
    elif "time_windows" in features:
        timed = WINDOWS
    near_lists, adjacent_lists = nearest(
        dist[0] if matrix else None,
        dur[0] if matrix else None,
        xy,
        rule[0],
        node if timed else None,
        depots=d,
        near=near,
        adjacent=adjacent,
        allowed=allowed[d:] if "skills" in features else None,
    )

    others, room = stand_ins(kind, t.skills)

    far = int(UNLIMITED)
    if sided:
        longest = int(dist.max(initial=0)) if matrix else _longest(problem)
        far = max(1 << 29, 2 * (n + 2) * longest)  # half of it is beyond any route
    if sided and matrix:
        same = dur is dist and not timed  # no clock reads the durations then
        dist = dist.astype(np.int32 if far < 2**31 else np.int64)
        dist[:, barred_arcs(problem, order)] = far
        dur = dist if same else dur.astype(dist.dtype)
    quick = symmetric and len(problem.travel) == 1 and not sided
    header = np.zeros(P_HEAD, dtype=np.int64)
    header[BARRED] = far // 2
    header[QUICK] = quick
    header[NODES], header[DEPOTS], header[KINDS], header[DIMS] = total, d, kinds, dims
    header[SLOTS] = max(1, int(min(n, kind[:, COUNT].sum())))
    header[MATRIX], header[SYMMETRIC], header[TIMED], header[MIXED] = (
        matrix,
        (WITHIN_SIDES if sided else BOTH_WAYS) if symmetric else ONE_WAY,
        timed,
        mixed,
    )
    if sided and not matrix:
        header[SIDED] = 1 if problem.backhauls_alone else 2
    header[SKILLED] = "skills" in features
    header[TIME_PRICED] = "time_costs" in features
    header[PROFILES] = len(problem.travel)
    header[NEAR_WIDTH], header[ADJACENT_WIDTH] = near_lists.shape[1], adjacent_lists.shape[1]
    header[KIND_WIDTH] = CAPACITY + dims
    header[DURATION_AT] = 0 if dur is dist else dist.size
    header[STAND_INS_WIDTH] = others.shape[1]
    parts = {
        KIND_AT: kind,
        LOAD_AT: load,
        PICK_AT: pick,
        ALLOWED_AT: allowed,
        NEAR_AT: near_lists,
        WAY_AT: _ways(near_lists, dist if matrix else None, problem.travel[0], xy)
        if quick
        else near_lists[:0],
        ADJACENT_AT: adjacent_lists,
        STAND_INS_AT: others,
        ROOM_AT: room,
    }
    at = P_HEAD + node.size
    for place, part in parts.items():
        header[place] = at
        at += part.size
    ints = np.concatenate([header, node.ravel(), *(part.ravel() for part in parts.values())], dtype=np.int64)
    return Packed(
        matrices=dist.ravel() if dur is dist else np.concatenate([dist.ravel(), dur.ravel()]),
        floats=np.concatenate([rule.ravel(), xy.ravel()]),
        ints=ints,
        order=order,
        node=node,
        kind=kind,
        load=load,
    )


def stand_ins(kind: IntArray, skills: IntArray) -> tuple[IntArray, IntArray]:
    """(kinds, width) types that can step in for each, -1 after the last; (kinds, dims) their largest capacity.

    They have more capacity or another skill; depots, profile, clock and price of time are the same, so that the
    times of a route hold.
    """
    same = (PER_TIME, START, END, OPEN, CLOSE, MAX_DISTANCE, MAX_DURATION, PROFILE)
    group = np.unique(kind[:, same], axis=0, return_inverse=True)[1].reshape(-1)
    more = (kind[None, :, CAPACITY:] > kind[:, None, CAPACITY:]).any(axis=2)
    more |= (skills[None, :] & ~skills[:, None]) != 0
    able = more & (group[:, None] == group[None, :])
    out = np.full((len(kind), int(able.sum(axis=1).max(initial=0)) + 1), -1, dtype=np.int64)
    room = np.zeros((len(kind), kind.shape[1] - CAPACITY), dtype=np.int64)
    for t, row in enumerate(able):
        who = np.flatnonzero(row)
        out[t, : len(who)] = who
        room[t] = kind[who, CAPACITY:].max(axis=0, initial=0)
    return out, room


def _apart(problem: Problem) -> bool:
    """Whether backhauls deliver nothing and other visits pick nothing up."""
    v = problem.visits
    assert v.backhaul is not None
    return not (v.delivery[v.backhaul].any() or v.pickup[~v.backhaul].any())


def _longest(problem: Problem) -> int:
    """A bound on the distances by coordinates."""
    assert problem.coords is not None
    return 1 + math.ceil(max(longest_leg(travel, problem.coords) for travel in problem.travel))


def _ways(near: IntArray, dist: Any | None, travel: Travel, xy: FloatArray) -> IntArray:
    """(N, width): the distance of each node to those in its near list."""
    there = np.maximum(near, 0)
    if dist is not None:
        return np.take_along_axis(dist[0], there, axis=1).astype(np.int64)
    return paired_distances(travel, xy[:, None, :], xy[there])


def _no_matrices() -> tuple[Any, Any, bool]:
    dummy = np.zeros((1, 1, 1), dtype=np.int32)
    return dummy, dummy, True


def _matrices(problem: Problem, nodes: IntArray) -> tuple[Any, Any, bool]:
    """Stacked distance and duration matrices in the kernels' node order; int32 where every entry fits."""
    full = [tr if tr.is_matrix else tr.materialise(problem.coords) for tr in problem.travel]  # type: ignore[arg-type]
    pick = np.ix_(nodes, nodes)
    top = max(max(int(m.max(initial=0)) for m in (tr.distance, tr.duration)) for tr in full)  # type: ignore[union-attr]
    dtype = np.int32 if top < 2**30 else np.int64
    dist = np.stack([tr.distance[pick] for tr in full]).astype(dtype)  # type: ignore[index]
    same = all(tr.duration is tr.distance for tr in full)
    dur = dist if same else np.stack([tr.duration[pick] for tr in full]).astype(dtype)  # type: ignore[index]
    symmetric = all(bool((m == m.T).all()) for m in dist)
    return dist, dur, symmetric


def _importance(problem: Problem) -> tuple[IntArray, IntArray]:
    """Weights of unserved mandatory visits: by priority as in `level_weights` (hard), and a mild one (soft)."""
    v = problem.visits
    hard = np.zeros(problem.num_visits, dtype=np.int64)
    soft = np.zeros(problem.num_visits, dtype=np.int64)
    _, rank, counts = np.unique(v.priority[v.required], return_inverse=True, return_counts=True)
    hard[v.required] = np.array(level_weights(counts.tolist()), dtype=np.int64)[rank]
    soft[v.required] = 1 + rank
    return hard, soft
