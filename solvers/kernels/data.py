"""A problem as flat arrays for the kernels, visits renumbered along a space-filling curve.

Nodes are depots first, then visits in curve order: nearby visits get nearby rows, which keeps the matrices
and the node tables in the processor's caches. `order` maps back to the problem's visit numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from solvers.kernels.neighbours import curve_order, nearest
from solvers.problem import UNLIMITED, Problem
from solvers.travel import IntArray

MATRIX_LIMIT = 2_000  # nodes; above this distances are computed on the fly unless matrices were given

# columns of `node`
EARLY, LATE, SERVICE, RELEASE, PRIZE, HARD, SOFT = range(7)
# columns of `kind`
COUNT, FIXED, PER_DISTANCE, PER_TIME, START, END, OPEN, CLOSE, MAX_DISTANCE, MAX_DURATION, PROFILE = range(11)

PLAIN, WINDOWS, SEGMENTS = 0, 1, 2  # values of `timed`


class Data(NamedTuple):
    """What the kernels read. n visits, d depots, N = d + n nodes, T types, P profiles, K load dimensions.

    dist, dur   (P, N, N)  int32 or int64 matrices; one dummy row where `matrix` is 0
    xy          (N, 2)     coordinates, used where `matrix` is 0
    rule        (P, 3)     float64: metric, scale, duration per distance
    node        (N, 7)     int64, columns above; HARD and SOFT are 0 for optional visits and depots
    load        (N, K)     what counts against the capacity; the deliveries where `mixed`
    pick        (N, K)     the pickups where `mixed`, else unused
    kind        (T, 11)    int64, columns above
    cap         (T, K)
    allowed     (N, T)     uint8, whether the type has the visit's skills
    near        (N, B)     int32, neighbours for insertion, best first; -1 pads
    adjacent    (N, A)     int32, neighbours for ruin, nearest first; -1 pads
    """

    dist: Any
    dur: Any
    xy: Any
    rule: Any
    node: Any
    load: Any
    pick: Any
    kind: Any
    cap: Any
    allowed: Any
    near: Any
    adjacent: Any
    depots: int
    nodes: int
    slots: int
    kinds: int
    dims: int
    matrix: int
    symmetric: int
    timed: int
    mixed: int
    skilled: int
    time_priced: int
    optional: int


class Packed(NamedTuple):
    """`Data` and the way back: internal visit k is visit `order[k]` of the problem."""

    data: Data
    order: IntArray


def pack(problem: Problem, *, near: int = 40, adjacent: int = 100) -> Packed:
    """Flat arrays of `problem` with neighbour lists of the given lengths."""
    d, n = problem.num_depots, problem.num_visits
    v, t = problem.visits, problem.vehicle_types
    order = curve_order(problem.coords[d:]) if problem.coords is not None else np.arange(n, dtype=np.int64)
    nodes = np.concatenate([np.arange(d, dtype=np.int64), d + order])

    given = any(travel.is_matrix for travel in problem.travel)
    matrix = given or d + n <= MATRIX_LIMIT
    dist, dur, symmetric = _matrices(problem, nodes) if matrix else _no_matrices()
    xy = np.zeros((d + n, 2)) if problem.coords is None else np.ascontiguousarray(problem.coords[nodes])
    rule = np.array(
        [(float(tr.metric), tr.scale, tr.duration_per_distance) for tr in problem.travel], dtype=np.float64
    )

    node = np.zeros((d + n, 7), dtype=np.int64)
    node[:d, EARLY], node[:d, LATE] = problem.depots.tw[:, 0], problem.depots.tw[:, 1]
    node[d:, EARLY], node[d:, LATE] = v.tw[order, 0], v.tw[order, 1]
    node[d:, SERVICE], node[d:, RELEASE] = v.service[order], v.release[order]
    node[d:, PRIZE] = np.where(v.required, 0, v.prize)[order]
    hard, soft = _importance(problem)
    node[d:, HARD], node[d:, SOFT] = hard[order], soft[order]

    dims = problem.num_load_dimensions
    mixed = bool(v.pickup.any()) and bool(v.delivery.any())
    load = np.zeros((d + n, dims), dtype=np.int64)
    pick = np.zeros((d + n if mixed else 1, dims), dtype=np.int64)
    load[d:] = (v.delivery if mixed or not v.pickup.any() else v.pickup)[order]
    if mixed:
        pick[d:] = v.pickup[order]

    kind = np.zeros((len(t.count), 11), dtype=np.int64)
    kind[:, COUNT] = np.minimum(t.count, n)
    kind[:, FIXED], kind[:, PER_DISTANCE], kind[:, PER_TIME] = t.fixed_cost, t.distance_cost, t.time_cost
    kind[:, START], kind[:, END] = t.start_depot, t.end_depot
    kind[:, OPEN] = np.maximum(t.shift[:, 0], problem.depots.tw[t.start_depot, 0])
    kind[:, CLOSE] = np.minimum(t.shift[:, 1], problem.depots.tw[t.end_depot, 1])
    kind[:, MAX_DISTANCE], kind[:, MAX_DURATION] = t.max_distance, t.max_duration
    kind[:, PROFILE] = t.profile

    allowed = np.ones((d + n, len(t.count)), dtype=np.uint8)
    allowed[d:] = ((v.skills[order, None] & ~t.skills[None, :]) == 0).astype(np.uint8)

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
    )
    data = Data(
        dist=dist,
        dur=dur,
        xy=xy,
        rule=rule,
        node=node,
        load=load,
        pick=pick,
        kind=kind,
        cap=np.ascontiguousarray(np.array(t.capacity, dtype=np.int64)),
        allowed=allowed,
        near=near_lists,
        adjacent=adjacent_lists,
        depots=d,
        nodes=d + n,
        slots=max(1, int(min(n, kind[:, COUNT].sum()))),
        kinds=len(t.count),
        dims=dims,
        matrix=int(matrix),
        symmetric=int(symmetric),
        timed=timed,
        mixed=int(mixed),
        skilled=int("skills" in features),
        time_priced=int("time_costs" in features),
        optional=int("optional_visits" in features),
    )
    return Packed(data, order)


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
    """Weights of unserved mandatory visits: lexicographic by priority (hard) and a mild one (soft)."""
    v = problem.visits
    hard = np.zeros(problem.num_visits, dtype=np.int64)
    soft = np.zeros(problem.num_visits, dtype=np.int64)
    weight = 1
    for rank, level in enumerate(np.unique(v.priority[v.required])):
        mine = v.required & (v.priority == level)
        hard[mine] = weight
        soft[mine] = 1 + rank
        weight = min(weight * (1 + int(mine.sum())), int(UNLIMITED) >> 20)
    return hard, soft
