"""A problem, or some of its visits, as the flat arrays of the genetic kernels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.backhauls import barred_arcs
from solvers.itinerary import earliest_start, latest_return
from solvers.kernels.genetic import layout as L
from solvers.kernels.neighbours import curve_order, nearest
from solvers.problem import Problem
from solvers.travel import FloatArray, IntArray

MAX_CLASSES = 62  # distinct skill sets of vehicle types that a bit mask holds


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """Read-only arrays (see `layout`) and the way back: `order[k]` is the visit of node `depots + k`.

    `kinds[t]` is the problem's vehicle type of internal type t.
    """

    matrices: Any
    ints: IntArray
    order: IntArray
    kinds: IntArray

    @property
    def nodes(self) -> int:
        return int(self.ints[L.NODES])

    @property
    def depots(self) -> int:
        return int(self.ints[L.DEPOTS])

    @property
    def slots(self) -> int:
        return int(self.ints[L.SLOTS])


class Tables:
    """Distance and duration matrices, made once where they fit and cut out per subset of visits where not."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        given = any(travel.is_matrix for travel in problem.travel)
        self._whole = self._make(None) if given or problem.num_nodes <= MATRIX_LIMIT else None

    def _make(self, nodes: IntArray | None) -> tuple[Any, Any]:
        p = self.problem
        dist, dur = [], []
        for travel in p.travel:
            full = travel
            if not travel.is_matrix:
                assert p.coords is not None
                full = travel.materialise(p.coords if nodes is None else p.coords[nodes])
            assert full.distance is not None
            assert full.duration is not None
            dist.append(full.distance)
            dur.append(full.duration)
        same = all(a is b for a, b in zip(dist, dur, strict=True))
        top = max(int(m.max(initial=0)) for m in dist + dur)
        dtype = np.int32 if top < 2**30 else np.int64
        one = np.stack(dist).astype(dtype)
        return one, (one if same else np.stack(dur).astype(dtype))

    def of(self, nodes: IntArray) -> tuple[Any, Any]:
        """(profiles, k, k) distances and durations between `nodes`; one array twice where they are equal."""
        if self._whole is None:
            return self._make(nodes)
        dist, dur = self._whole
        pick = np.ix_(np.arange(len(dist)), nodes, nodes)
        cut = dist[pick]
        return cut, (cut if dur is dist else dur[pick])


def pack(
    problem: Problem,
    tables: Tables,
    visits: IntArray,
    counts: IntArray,
    *,
    near: int,
    slots: int,
) -> Packed:
    """Flat arrays of the problem with only `visits` and `counts` vehicles of each type."""
    d, n = problem.num_depots, len(visits)
    v, t = problem.visits, problem.vehicle_types
    order = visits
    if problem.coords is not None and n:
        order = visits[curve_order(problem.coords[d + visits])]
    nodes = np.concatenate([np.arange(d, dtype=np.int64), d + order])
    dist, dur = tables.of(nodes)
    plain, barred = (dist, dur), 0
    if problem.visits.backhaul is not None and problem.visits.backhaul[order].any():
        dist, barred = bar_arcs(problem, dist, order)
        dur = dist if plain[1] is plain[0] and not _timed(problem) else plain[1]
    symmetric = all(bool((m == m.T).all()) for m in dist) and (
        dur is dist or all((m == m.T).all() for m in dur)
    )

    kinds = np.flatnonzero(counts > 0).astype(np.int64)
    total, dims = d + n, problem.num_load_dimensions
    timed = _timed(problem)
    pickups, deliveries = bool(v.pickup.any()), bool(v.delivery.any())
    mixed = dims > 1 or (pickups and deliveries)

    node = np.zeros((total, L.NODE), dtype=np.int64)
    skills, class_of = np.unique(t.skills[kinds], return_inverse=True)
    masks = np.zeros(n, dtype=np.int64)
    for c, has in enumerate(skills):
        masks |= ((v.skills[order] & ~has) == 0).astype(np.int64) << c
    columns = (
        (L.EARLY, problem.depots.tw[:, 0], v.tw[order, 0]),
        (L.LATE, problem.depots.tw[:, 1], v.tw[order, 1]),
        (L.SERVICE, 0, v.service[order]),
        (L.RELEASE, 0, v.release[order]),
        (L.PRIZE, 0, np.where(v.required[order], L.NO_PRIZE, v.prize[order])),
        (L.LOAD, 0, (v.pickup if pickups and not deliveries else v.delivery)[order, 0] if dims else 0),
        (L.MASK, (1 << MAX_CLASSES) - 1, masks),
        (L.ANGLE, 0, _angles(problem, order)),
    )
    for column, of_depots, of_visits in columns:
        node[:d, column - L.P_HEAD] = of_depots
        node[d:, column - L.P_HEAD] = of_visits

    every = range(len(t.count))
    kind = np.zeros((len(kinds), L.CAPACITY + dims), dtype=np.int64)
    for column, values in (
        (L.COUNT, np.minimum(counts, n)),
        (L.FIXED, t.fixed_cost),
        (L.PER_DISTANCE, t.distance_cost),
        (L.PER_TIME, t.time_cost),
        (L.START, t.start_depot),
        (L.END, t.end_depot),
        (L.OPEN, np.array([earliest_start(problem, k) for k in every])),
        (L.CLOSE, np.array([latest_return(problem, k) for k in every])),
        (L.MAX_DISTANCE, t.max_distance),
        (L.MAX_DURATION, t.max_duration),
        (L.PROFILE, t.profile),
    ):
        kind[:, column] = values[kinds]
    kind[:, L.CLASS] = class_of
    kind[:, L.CAPACITY :] = t.capacity[kinds]

    load = np.zeros((total if mixed else 0, 2 * dims), dtype=np.int64)
    if mixed:
        load[d:, :dims], load[d:, dims:] = v.delivery[order], v.pickup[order]

    allowed = (masks[:, None] >> np.arange(len(skills))) & 1
    masked = bool((allowed == 0).any())
    starts, lists = _neighbours(
        problem, *plain, nodes, node if timed else None, d, near, allowed if masked else None
    )
    header = np.zeros(L.P_HEAD, dtype=np.int64)
    header[L.NODES], header[L.DEPOTS], header[L.KINDS], header[L.DIMS] = total, d, len(kinds), dims
    header[L.SLOTS] = max(1, min(n, int(kind[:, L.COUNT].sum()), slots))
    header[L.PROFILES] = len(problem.travel)
    header[L.TIMED], header[L.MIXED], header[L.SYMMETRIC] = timed, mixed, symmetric
    uniform = all(len(np.unique(kind[:, c])) <= 1 for c in (L.START, L.END, L.PROFILE))
    header[L.UNIFORM] = uniform
    header[L.ALIKE] = uniform and all(len(np.unique(kind[:, c])) <= 1 for c in (L.OPEN, L.CLOSE))
    header[L.REVERSIBLE] = (
        uniform and symmetric and not timed and not mixed and bool((kind[:, L.START] == kind[:, L.END]).all())
    )
    header[L.BARRED] = barred
    header[L.MASKED] = masked
    header[L.OPTIONAL] = not v.required[order].all()
    header[L.KIND_WIDTH] = L.CAPACITY + dims
    header[L.DURATION_AT] = 0 if dur is dist else dist.size
    at = L.P_HEAD + node.size
    for place, part in ((L.KIND_AT, kind), (L.LOAD_AT, load)):
        header[place] = at
        at += part.size
    header[L.NEAR_AT] = at
    ints = np.concatenate(
        [header, node.ravel(), kind.ravel(), load.ravel(), starts + at, lists], dtype=np.int64
    )
    flat = dist.ravel() if dur is dist else np.concatenate([dist.ravel(), dur.ravel()])
    return Packed(matrices=flat, ints=ints, order=order, kinds=kinds)


def _timed(problem: Problem) -> bool:
    return bool(problem.features & {"time_costs", "max_duration", "release_times", "time_windows"})


def bar_arcs(problem: Problem, dist: Any, order: IntArray) -> tuple[Any, int]:
    """Distances in which the arcs of `barred_arcs` are longer than any route, and that length."""
    arcs = barred_arcs(problem, order)
    barred = (len(order) + 2) * max(1, int(dist.max(initial=0)))
    out = dist.astype(np.int32 if barred < 2**30 else np.int64)
    if arcs is not None:
        out[:, arcs] = barred
    return out, barred


def _angles(problem: Problem, order: IntArray) -> IntArray:
    """Direction of each visit from the mean depot, `layout.TURN` being a full circle; 0 without coordinates."""
    if problem.coords is None:
        return np.zeros(len(order), dtype=np.int64)
    middle = problem.coords[: problem.num_depots].mean(axis=0)
    x, y = (problem.coords[problem.num_depots + order] - middle).T
    turn: IntArray = np.floor(np.arctan2(y, x) / (2 * np.pi) * L.TURN).astype(np.int64) % L.TURN
    return turn


def _neighbours(
    problem: Problem,
    dist: Any,
    dur: Any,
    nodes: IntArray,
    node: IntArray | None,
    d: int,
    near: int,
    allowed: IntArray | None,
) -> tuple[IntArray, IntArray]:
    """Neighbour lists of all nodes: where each starts in the second array (one more at the end), and that.

    j is near i where either is among the other's `near` closest.
    """
    total = len(nodes)
    if total - d < 2:
        return np.full(total + 1, total + 1, dtype=np.int64), np.zeros(0, dtype=np.int64)
    xy = np.zeros((total, 2)) if problem.coords is None else problem.coords[nodes]
    travel = problem.travel[0]
    rule: FloatArray = np.array([float(travel.metric), travel.scale, travel.duration_per_distance])
    closest, _ = nearest(dist[0], dur[0], xy, rule, node, depots=d, near=near, adjacent=1, allowed=allowed)
    k = closest.shape[1]
    near_of = closest[d:, :k]
    rows = np.repeat(np.arange(d, total), k)
    columns = near_of.ravel()
    rank = np.tile(np.arange(k), total - d)
    keep = columns >= 0
    rows, columns, rank = rows[keep], columns[keep], rank[keep]
    a, b, r = np.concatenate([rows, columns]), np.concatenate([columns, rows]), np.concatenate([rank, rank])
    by = np.lexsort((r, b, a))
    a, b, r = a[by], b[by], r[by]
    first = np.ones(len(a), dtype=bool)
    first[1:] = (a[1:] != a[:-1]) | (b[1:] != b[:-1])
    a, b, r = a[first], b[first], r[first]
    by = np.lexsort((b, r, a))
    a, b = a[by], b[by]
    starts = np.searchsorted(a, np.arange(total + 1)).astype(np.int64)
    return starts + total + 1, b.astype(np.int64)


def servable(problem: Problem) -> Any:
    """(n, t) bool: whether a vehicle of each type could serve each visit alone."""
    v, t, d = problem.visits, problem.vehicle_types, problem.num_depots
    n = problem.num_visits
    out = np.zeros((n, len(t.count)), dtype=bool)
    every = np.arange(n, dtype=np.int64) + d
    cache: dict[tuple[int, int], Any] = {}

    def legs(profile: int, depot: int) -> Any:
        if (profile, depot) not in cache:
            cache[profile, depot] = _depot_legs(problem, profile, depot, every)
        return cache[profile, depot]

    for k in range(len(t.count)):
        if t.count[k] < 1:
            continue
        (out_dist, out_dur), _ = legs(int(t.profile[k]), int(t.start_depot[k]))
        _, (back_dist, back_dur) = legs(int(t.profile[k]), int(t.end_depot[k]))
        opens, closes = earliest_start(problem, k), latest_return(problem, k)
        begin = np.maximum(np.maximum(opens, v.release) + out_dur, v.tw[:, 0])
        out[:, k] = (
            ((v.skills & ~t.skills[k]) == 0)
            & (v.delivery <= t.capacity[k]).all(axis=1)
            & (v.pickup <= t.capacity[k]).all(axis=1)
            & (out_dist + back_dist <= t.max_distance[k])
            & (begin <= v.tw[:, 1])
            & (begin + v.service + back_dur <= closes)
            & (out_dur + v.service + back_dur <= t.max_duration[k])
        )
    return out


def _depot_legs(problem: Problem, profile: int, depot: int, nodes: IntArray) -> Any:
    """((distance, duration) from the depot to each node, the same back)."""
    travel = problem.travel[profile]
    if travel.is_matrix:
        assert travel.distance is not None
        assert travel.duration is not None
        return (
            (travel.distance[depot, nodes], travel.duration[depot, nodes]),
            (travel.distance[nodes, depot], travel.duration[nodes, depot]),
        )
    from solvers.travel import distances

    assert problem.coords is not None
    there = distances(travel, problem.coords[nodes], problem.coords[depot : depot + 1])[0]
    pace = travel.duration_per_distance
    dur = there if pace == 1.0 else np.rint(there * pace).astype(np.int64)
    return (there, dur), (there, dur)


MATRIX_LIMIT = 2_500  # nodes; above this only parts of a problem given by coordinates get matrices
