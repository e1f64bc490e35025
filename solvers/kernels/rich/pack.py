"""A problem as the rich kernels' arrays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from solvers.battery import battery_of
from solvers.importance import level_weights
from solvers.itinerary import earliest_start, latest_return
from solvers.kernels.data import MATRIX_LIMIT
from solvers.kernels.neighbours import by_tree
from solvers.kernels.rich import layout as at
from solvers.problem import UNLIMITED, Objective, Problem
from solvers.travel import FloatArray, IntArray, Metric, Travel, distances, exact_length

CACHE_LIMIT = 8_000_000  # cells of the insertion cache, 40 bytes each


@dataclass(frozen=True, slots=True, eq=False)
class Packed:
    """The problem's arrays D, F and P; the jobs, each a tuple of visits; the depots that are stations."""

    legs: FloatArray
    floats: FloatArray
    ints: IntArray
    jobs: tuple[tuple[int, ...], ...]
    stations: tuple[int, ...]

    @property
    def arrays(self) -> tuple[Any, Any, Any]:
        return self.legs, self.floats, self.ints

    def __getitem__(self, column: int) -> int:
        """A word of the header of P."""
        return int(self.ints[column])

    def measure_by(self, duration: int) -> None:
        """Weigh durations in relation to this one, where the longest route is to be short."""
        self.ints[at.LONGEST] = max(1, duration)


def pack(problem: Problem, near: int = 100, wholes: Sequence[int] | None = None) -> Packed:
    """Flat arrays of `problem`; 16 N² bytes for each travel profile where matrices are given or N is small.

    Visits with the same number in `wholes` are parts of one: one after the other they are a single stop.
    """
    d, n, v, t = problem.num_depots, problem.num_visits, problem.visits, problem.vehicle_types
    stations = tuple(sorted({place for places in t.stations or () for place in places}))
    total, kinds, dims = d + n + len(stations), len(t.count), problem.num_load_dimensions
    visits = slice(d, d + n)
    features = problem.features
    jobs = _jobs(problem)
    header = np.zeros(at.P_HEAD, dtype=np.int64)
    under_way = sum(1 for visits in t.locked or () if visits)
    slots = max(1, under_way + int(min(len(jobs), np.minimum(t.count, len(jobs)).sum())))
    width = _width(problem)
    flags = {
        at.N: total,
        at.DEPOTS: d,
        at.VISITS: n,
        at.STATIONS: d + n,
        at.KINDS: kinds,
        at.DIMS: dims,
        at.JOBS: len(jobs),
        at.SLOTS: slots,
        at.WIDTH: width,
        at.HAS_GAPS: "several_windows" in features,
        at.HAS_PAIRS: "pickup_delivery" in features,
        at.HAS_BACKHAULS: "backhauls" in features,
        at.BACKHAULS_ALONE: problem.backhauls_alone,
        at.HAS_RELOADS: "reloads" in features,
        at.HAS_RELEASES: "release_times" in features,
        at.HAS_LATE_COST: "soft_windows" in features,
        at.VEHICLES_FIRST: problem.objective is Objective.VEHICLES,
        at.HAS_PRIZES: bool(problem.visits.prize.any()),
        at.CACHED: len(jobs) * slots <= CACHE_LIMIT,
        at.HAS_TIMES: _timed(problem),
    }
    for column, value in flags.items():
        header[column] = int(value)
    ints = _Parts(header)
    floats = _Parts(np.zeros(0), dtype=np.float64)

    node = np.zeros((total, at.NODE), dtype=np.int64)
    times = np.zeros((total, at.F_NODE))
    first = at.P_HEAD
    node[:, at.PARTNER - first] = node[:, at.JOB_OF - first] = -1
    for number, job in enumerate(jobs):
        node[[d + x for x in job], at.JOB_OF - first] = number
    for visit in range(n) if v.pair is not None else ():
        partner = problem.partner(visit)
        if partner is not None and v.pair is not None:
            node[d + visit, at.PARTNER - first] = d + partner
            node[d + visit, at.ROLE - first] = 2 if v.pair[visit] == partner else 1
    node[:, at.WHOLE - first] = -1
    if wholes is not None:
        header[at.HAS_PARTS] = 1
        node[visits, at.WHOLE - first] = wholes
    if v.backhaul is not None:
        node[visits, at.BACKHAUL - first] = v.backhaul
    gaps: list[tuple[int, int]] = []
    for visit, closed in sorted(problem.closed_times.items()):
        node[d + visit, at.GAP_FROM - first], node[d + visit, at.GAP_COUNT - first] = len(gaps), len(closed)
        gaps += closed
    ints.append(None, node)

    windows = np.concatenate([problem.depots.tw, v.tw, problem.depots.tw[list(stations)]])
    times[:, at.EARLY], times[:, at.LATE], times[:, at.DUE] = windows[:, 0], windows[:, 1], windows[:, 1]
    times[visits, at.RELEASE] = v.release
    longest = problem.objective is Objective.LONGEST
    price = at.BETWEEN_EQUALS if longest else 1.0
    if v.due is not None and v.late_cost is not None:
        times[visits, at.DUE], times[visits, at.LATE_COST] = (
            np.minimum(v.due, v.tw[:, 1]),
            price * v.late_cost,
        )
    paired = node[visits, at.ROLE - first] == 2
    loads = np.zeros((total, 3, dims), dtype=np.int64)
    loads[visits, 0] = np.where(paired[:, None], 0, v.delivery)
    collects = node[visits, at.ROLE - first] == 1
    loads[visits, 1] = np.where(collects[:, None], 0, v.pickup)
    loads[visits, 2] = np.where(collects[:, None], v.pickup, 0) - np.where(paired[:, None], v.delivery, 0)
    scale = np.maximum(1, t.capacity.max(axis=0))
    times[visits, at.SIZE_KEY] = ((v.delivery + v.pickup) / scale).sum(axis=1)
    floats.append(None, times)
    ints.append(at.LOAD_AT, loads)

    kind, rate = _types(problem)
    rate[:, [at.FIXED, at.PER_DISTANCE, at.PER_TIME, at.OVER_COST, at.ENERGY_COST]] *= price
    on_board = np.zeros_like(t.capacity) if t.on_board is None else t.on_board
    ints.append(at.KIND_AT, np.concatenate([kind, t.capacity, on_board], axis=1))
    if v.previous is not None and v.change_cost is not None:
        assign = np.zeros((total, kinds))
        moved = (v.previous[:, None] >= 0) & (v.previous[:, None] != np.arange(kinds)[None, :])
        assign[visits] = np.where(moved, price * v.change_cost[:, None], 0)
        header[at.HAS_ASSIGN] = 1
        ints.place(at.F_ASSIGN_AT, floats.append(None, assign))
    if longest:
        header[at.LONGEST] = _scale(problem)
    ints.place(at.F_KIND_AT, floats.append(None, rate))
    allowed = np.ones((total, kinds), dtype=np.int64)
    allowed[visits] = (v.skills[:, None] & ~t.skills[None, :]) == 0
    ints.append(at.ALLOWED_AT, allowed)
    ints.append(at.RELOAD_LIST_AT, np.array([x for depots in t.reload_depots or () for x in depots]))
    number = {place: d + n + i for i, place in enumerate(stations)}
    ints.append(at.STATION_LIST_AT, np.array([number[x] for places in t.stations or () for x in set(places)]))
    ints.place(at.F_GAP_AT, floats.append(None, np.array(gaps, dtype=np.float64)))
    service = np.zeros((total, kinds))
    service[visits] = v.service[:, None] if v.service_by_type is None else v.service_by_type
    ints.place(at.F_SERVICE_AT, floats.append(None, service))

    rows, members, lost, costs = _job_rows(problem, jobs, price)
    ints.append(at.JOB_AT, rows)
    ints.append(at.MEMBER_AT, members)
    ints.place(at.F_JOB_AT, floats.append(None, np.concatenate([costs, lost])))
    nodes = [*range(d + n), *stations]
    _speeds(problem, ints, floats, nodes)
    width = min(near, max(1, n))
    if any(travel.is_matrix for travel in problem.travel) or total <= MATRIX_LIMIT:
        matrices = [_matrix(problem, travel)[:, nodes][:, :, nodes] for travel in problem.travel]
        ints.header[at.STRIDE] = total
        near_lists = _near(matrices[0][0], d, n, width)
        turned = [m.transpose(0, 2, 1) for m in matrices]
        if any((m != other).any() for m, other in zip(matrices, turned, strict=True)):
            ints.header[at.TURNED] = sum(m.size for m in matrices)
            matrices += turned
        legs = np.concatenate([m.ravel() for m in matrices])
    else:
        assert problem.coords is not None
        near_lists = _near_by_tree(problem.coords[visits], problem.travel[0].metric, d, total, width)
        rules = [_rule(travel) for travel in problem.travel]
        ints.header[at.COORDS_AT] = at.RULE * len(rules)
        legs = np.concatenate([np.ravel(rules), problem.coords[nodes].ravel()])
    ints.header[at.NEAR_WIDTH] = near_lists.shape[1]
    ints.append(at.NEAR_AT, near_lists)
    return Packed(legs, floats.array(), ints.array(), jobs, stations)


class _Parts:
    """Parts laid end to end; their places go to the header, which is the first of them."""

    def __init__(self, header: Any, dtype: Any = np.int64) -> None:
        self.header, self._parts, self._size, self._dtype = header, [header], len(header), dtype

    def append(self, column: int | None, part: Any) -> int:
        where = self._size
        self._parts.append(np.asarray(part, dtype=self._dtype).ravel())
        self._size += self._parts[-1].size
        if column is not None:
            self.place(column, where)
        return where

    def place(self, column: int, where: int) -> None:
        self.header[column] = where

    def array(self) -> Any:
        return np.concatenate(self._parts).astype(self._dtype)


def _jobs(problem: Problem) -> tuple[tuple[int, ...], ...]:
    """What is inserted as one: groups, pairs with the pickup first, single visits; by their first visit."""
    v, jobs = problem.visits, []
    known = {visit for visits in problem.vehicle_types.locked or () for visit in visits}
    for visit in range(problem.num_visits):
        if visit in known:
            continue
        job: tuple[int, ...] = (visit,)
        partner = problem.partner(visit)
        if partner is not None and v.pair is not None:
            job = (partner, visit) if v.pair[visit] == partner else (visit, partner)
        elif v.group is not None and v.group[visit] >= 0:
            job = problem.members[int(v.group[visit])]
        known |= set(job)
        jobs.append(job)
    return tuple(jobs)


def _width(problem: Problem) -> int:
    """An upper bound on the items of a route."""
    n, v, t = problem.num_visits, problem.visits, problem.vehicle_types
    if "reloads" in problem.features:
        most = int(n if t.max_reloads is None else min(n, t.max_reloads.max()))
        return n + most + 2
    bound = n
    if "pickup_delivery" not in problem.features:
        for dim in range(problem.num_load_dimensions):
            for amounts in (v.delivery[:, dim], v.pickup[:, dim]):
                if (amounts > 0).all():
                    loads = np.cumsum(np.sort(amounts))
                    bound = min(bound, int(np.searchsorted(loads, t.capacity[:, dim].max(), side="right")))
    return bound + 2


def _timed(problem: Problem) -> bool:
    names = {"time_windows", "release_times", "time_costs", "max_duration", "overtime", "soft_windows"}
    names |= {"breaks", "several_windows", "time_dependent", "longest_route", "locked_routes"}
    return bool(problem.features & names)


def _scale(problem: Problem) -> int:
    """A guess at the duration of a route: what all visits take, there and back alone, shared by the vehicles."""
    travel, d = problem.travel[0], problem.num_depots
    out = _rows(problem, travel, slice(0, d))[1][:, d:].min(axis=0) if problem.num_visits else np.ones(1)
    vehicles = max(1, problem.num_vehicles)
    return max(1, int((2 * out.sum() + problem.visits.service.sum()) / vehicles / 2))


def _types(problem: Problem) -> tuple[IntArray, FloatArray]:
    t, kinds = problem.vehicle_types, len(problem.vehicle_types.count)

    def of(values: Any, usual: Any) -> Any:
        return np.full(kinds, usual) if values is None else values

    kind = np.zeros((kinds, at.KIND), dtype=np.int64)
    rate = np.zeros((kinds, at.F_KIND))
    kind[:, at.COUNT] = t.count
    kind[:, at.START], kind[:, at.END], kind[:, at.PROFILE] = t.start_depot, t.end_depot, t.profile
    kind[:, at.OPEN_END], kind[:, at.LIFO] = of(t.open_end, False), of(t.lifo, False)
    kind[:, at.MAX_RELOADS] = of(t.max_reloads, int(UNLIMITED))
    numbers = [len(depots) for depots in t.reload_depots or [()] * kinds]
    kind[:, at.RELOAD_COUNT] = numbers
    kind[:, at.RELOAD_FROM] = np.cumsum([0, *numbers[:-1]])
    kind[:, at.BY_HOUR] = [problem.travel[int(p)].speeds is not None for p in t.profile]
    rate[:, at.FIXED], rate[:, at.PER_DISTANCE], rate[:, at.PER_TIME] = (
        t.fixed_cost,
        t.distance_cost,
        t.time_cost,
    )
    rate[:, at.OPEN] = [earliest_start(problem, k) for k in range(len(t.count))]
    rate[:, at.CLOSE] = [latest_return(problem, k) for k in range(len(t.count))]
    rate[:, at.MAX_DISTANCE], rate[:, at.MAX_DURATION] = t.max_distance, t.max_duration
    rate[:, at.OVER_AFTER] = of(t.overtime_after, float(UNLIMITED))
    rate[:, at.OVER_COST] = of(t.overtime_cost, 0.0)
    if t.duty is not None:
        kind[:, at.HAS_DUTY] = t.duty[:, 0] > 0
        rate[:, at.DRIVE_BETWEEN : at.MAX_DRIVING + 1] = t.duty
        rate[t.duty[:, 3] == 0, at.MAX_DRIVING] = float(UNLIMITED)
    if t.battery is not None:
        kind[:, at.HAS_BATTERY] = t.battery[:, 0] > 0
        rate[:, at.BATTERY : at.ENERGY_COST + 1] = t.battery
        batteries = [battery_of(t.battery, k) for k in range(kinds)]
        rate[:, at.INITIAL] = [0 if b is None else b.at_start for b in batteries]
    numbers = [len(set(places)) for places in t.stations or [()] * kinds]
    kind[:, at.STATION_COUNT] = numbers
    kind[:, at.STATION_FROM] = np.cumsum([0, *numbers[:-1]])
    rate[:, at.RELOAD_TIME] = of(t.reload_time, 0.0)
    longest = problem.objective is Objective.LONGEST
    kind[:, at.TIME_MATTERS] = (
        (t.time_cost > 0) | (t.max_duration < UNLIMITED) | (rate[:, at.OVER_COST] > 0) | longest
    )
    kind[:, at.LOCKED] = [len(visits) for visits in t.locked or [()] * kinds]
    return kind, rate


def _job_rows(
    problem: Problem, jobs: tuple[tuple[int, ...], ...], price: float
) -> tuple[IntArray, IntArray, FloatArray, FloatArray]:
    """Job rows, members' nodes, what each member gives up, and the cost of leaving each job out, times `price`."""
    v, d = problem.visits, problem.num_depots
    rows = np.zeros((len(jobs), at.JOB), dtype=np.int64)
    members = [d + x for job in jobs for x in job]
    lost, costs = np.zeros(len(members)), np.zeros(len(jobs))
    hard, level = _importance(problem, jobs)
    place = 0
    for k, job in enumerate(jobs):
        required = bool(v.required[job[0]])
        pair = len(job) == 2 and problem.partner(job[0]) == job[1]
        group = not pair and v.group is not None and v.group[job[0]] >= 0
        prizes = [int(v.prize[x]) for x in job]
        rows[k] = (
            (at.PAIR if pair else at.GROUP if group else at.SINGLE),
            place,
            len(job),
            required,
            hard[k],
            level[k],
        )
        if not required:
            costs[k] = max(prizes) if group else sum(prizes)
            if group:
                lost[place : place + len(job)] = [max(prizes) - p for p in prizes]
        place += len(job)
    return rows, np.array(members, dtype=np.int64), price * lost, price * costs


def _importance(problem: Problem, jobs: tuple[tuple[int, ...], ...]) -> tuple[list[int], list[int]]:
    """Weights of absent mandatory jobs by priority, see `level_weights`, and their levels from 0 up.

    A pair weighs what two visits do.
    """
    v = problem.visits
    level = [int(v.priority[list(job)].max()) if v.required[job[0]] else None for job in jobs]
    size = [2 if problem.partner(job[0]) is not None else 1 for job in jobs]
    counts: Counter[int] = Counter()
    for s, x in zip(size, level, strict=True):
        if x is not None:
            counts[x] += s
    known = sorted(counts)
    weight = dict(zip(known, level_weights([counts[x] for x in known]), strict=True))
    weights = [0 if x is None else s * weight[x] for s, x in zip(size, level, strict=True)]
    return weights, [0 if x is None else known.index(x) for x in level]


def _matrix(problem: Problem, travel: Travel) -> FloatArray:
    """(2, N, N) distances, then durations, see `_rows`."""
    blocks = [_rows(problem, travel, slice(lo, lo + 512)) for lo in range(0, problem.num_nodes, 512)]
    return np.concatenate(blocks, axis=1)


def _rows(problem: Problem, travel: Travel, rows: slice) -> FloatArray:
    """(2, r, N) distances, then durations from r nodes; lengths before rounding where speeds follow the hour."""
    if travel.distance is not None and travel.duration is not None:
        second = travel.distance if travel.speeds is not None else travel.duration
        return np.stack([travel.distance[rows], second[rows]]).astype(np.float64)
    xy = problem.coords
    assert xy is not None
    distance: Any = distances(travel, xy, xy[rows])
    duration: Any = distance
    if travel.speeds is not None:
        duration = _lengths(travel, xy, range(*rows.indices(len(xy))))
    elif travel.duration_per_distance != 1.0:
        duration = np.rint(distance * travel.duration_per_distance)
    return np.stack([distance.astype(np.float64), duration.astype(np.float64)])


def _lengths(travel: Travel, xy: FloatArray, rows: range) -> FloatArray:
    if travel.metric is not Metric.HAVERSINE:
        dx, dy = (xy[rows.start : rows.stop, None, k] - xy[None, :, k] for k in (0, 1))
        out: FloatArray = np.sqrt(dx * dx + dy * dy) * travel.scale
        return out
    return np.array([[exact_length(travel, xy, i, j) for j in range(len(xy))] for i in rows])


def _rule(travel: Travel) -> tuple[float, ...]:
    """How lengths follow from coordinates, as the kernels take it."""
    return float(travel.metric), travel.scale, travel.duration_per_distance, float(travel.speeds is not None)


def _near_by_tree(xy: FloatArray, metric: Metric, depots: int, total: int, width: int) -> IntArray:
    """The same as `_near` from the coordinates (n, 2) of visits, of which there are more than `width`."""
    out = np.full((total, width), -1, dtype=np.int64)
    own = np.arange(len(xy))
    out[depots + own, 0] = depots + own
    out[depots + own, 1:] = depots + by_tree(xy, metric, width - 1)
    return out


def _near(distance: FloatArray, depots: int, visits: int, width: int) -> IntArray:
    """Per node the visits by distance to and from it, itself first."""
    total = len(distance)
    both = distance + distance.T
    out = np.full((total, width), -1, dtype=np.int64)
    for x in range(depots, depots + visits):
        row = both[x, depots : depots + visits].copy()
        row[x - depots] = -1.0
        some = np.argsort(row, kind="stable")[:width]
        out[x, : len(some)] = depots + some
    return out


def _speeds(problem: Problem, ints: _Parts, floats: _Parts, nodes: list[int]) -> None:
    """Per profile: the starts of its periods, then a row of speeds per category; and the categories of arcs."""
    known = [travel.speeds for travel in problem.travel]
    if not any(s is not None for s in known):
        return
    periods = max(len(s.starts) for s in known if s is not None)
    categories = max(len(s.values) for s in known if s is not None)
    block = np.full((len(known), 1 + categories, periods), 1e18)
    several = any(s is not None and s.category is not None for s in known)
    table = np.zeros((len(known), len(nodes), len(nodes)) if several else 0, dtype=np.int64)
    for k, s in enumerate(known):
        if s is None:
            continue
        block[k, 0, : len(s.starts)] = s.starts
        block[k, 1:] = 1.0
        block[k, 1 : 1 + len(s.values), : len(s.starts)] = s.values
        if s.category is not None:
            table[k] = s.category[nodes][:, nodes]
    ints.header[at.PERIODS], ints.header[at.CATEGORIES] = periods, categories
    ints.place(at.F_SPEED_AT, floats.append(None, block))
    if several:
        ints.append(at.CATEGORY_AT, table)
