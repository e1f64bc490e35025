"""Neighbour lists, savings, and the insertion of visits, pairs and alternatives against plain Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest
from numba import njit

from solvers import Halt, Metric, Problem, ProblemBuilder, Route, Solution
from solvers.check import check
from solvers.constraints import ROUTE_CONSTRAINTS
from solvers.kernels.data import pack, stand_ins
from solvers.kernels.genetic import absent
from solvers.kernels.genetic import layout as L
from solvers.kernels.neighbours import WAIT_WEIGHT, nearest
from solvers.kernels.rich import layout
from solvers.kernels.rich import search as acts
from solvers.kernels.rich.pack import pack as pack_rich
from solvers.kernels.rich.session import Session
from solvers.kernels.savings import join, pair_savings
from solvers.schedule import schedule
from solvers.travel import FloatArray
from tests.conformance.problems import random_problem
from tests.solvers import genetic_reference as ref
from tests.solvers.test_rich_kernels import TUNE, WEIGHTS, session


def closeness(xy: FloatArray, node: FloatArray, i: int, j: int) -> float:
    """Travel plus weighted waiting and lateness that cannot be avoided, in the better direction."""
    leg = float(np.hypot(*(xy[i] - xy[j])))
    both = []
    for a, b in ((i, j), (j, i)):
        waits = max(0.0, node[b, 0] - leg - node[a, 2] - node[a, 1])
        both.append(leg + WAIT_WEIGHT * waits + max(0.0, node[a, 0] + node[a, 2] + leg - node[b, 1]))
    return min(both)


def are_least(row: Any, value: dict[int, float]) -> bool:
    """Whether the row has those of least value, each once, ascending."""
    told = [value[j] for j in row.tolist()]
    return len(set(row.tolist())) == len(row) and told == pytest.approx(sorted(value.values())[: len(row)])


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("tabled", [False, True])
def test_neighbours_are_the_closest_visits(timed: bool, tabled: bool) -> None:
    rng = np.random.default_rng(3)
    xy, depots, near, beside = rng.uniform(0, 100, (40, 2)), 2, 6, 4
    xy[10] = xy[11]  # twins at one place are each other's first
    early = rng.integers(0, 200, 40)
    node = np.column_stack([early, early + rng.integers(5, 90, 40), rng.integers(0, 20, 40)]).astype(np.int64)
    table = np.hypot(*(xy[:, None, k] - xy[None, :, k] for k in (0, 1)))
    given = (table, table) if tabled else (None, None)
    rule = np.array([float(Metric.EUCLIDEAN_ROUND.value), 1.0, 1.0])
    found = nearest(*given, xy, rule, node if timed else None, depots=depots, near=near, adjacent=beside)
    assert (found[0][:depots] == -1).all()
    for i in range(depots, 40):
        others = [j for j in range(depots, 40) if j != i]

        away = {j: float(table[i, j]) for j in others}
        assert are_least(found[1][i], away)
        if timed:
            # without a table only the nearest three times as many are looked at
            known = others if tabled else sorted(others, key=lambda j: table[i, j])[: 3 * near]
            away = {j: closeness(xy, node.astype(float), i, j) for j in known}
        assert are_least(found[0][i], away)
    assert found[1][10][0] == 11


def test_equally_near_visits_are_taken_by_number() -> None:
    """Else the lists, and with them whole plans, would depend on how the processor partitions."""
    rng = np.random.default_rng(4)
    table = rng.integers(1, 4, (300, 300))
    table += table.T
    rule = np.array([float(Metric.EUCLIDEAN_ROUND.value), 1.0, 1.0])
    found, _ = nearest(table, table, np.zeros((300, 2)), rule, None, depots=1, near=12, adjacent=12)
    for i in range(1, 300):
        others = [j for j in range(1, 300) if j != i]
        assert found[i].tolist() == sorted(others, key=lambda j: (table[i, j], j))[:12]


@pytest.mark.parametrize("timed", [False, True])
@pytest.mark.parametrize("tabled", [False, True])
@pytest.mark.parametrize("near", [12, 50])  # of 59 others about 35 share a type
def test_visits_that_no_vehicle_may_serve_both_are_nearest_last(timed: bool, tabled: bool, near: int) -> None:
    rng = np.random.default_rng(5)
    xy = rng.uniform(0, 100, (60, 2))
    early = rng.integers(0, 200, 60)
    node = np.column_stack([early, early + rng.integers(5, 90, 60), rng.integers(0, 20, 60)]).astype(np.int64)
    allowed = rng.permuted(np.tile([1, 0, 0, 0, 0, 1], (59, 1)), axis=1)  # two of six types each
    table = np.hypot(*(xy[:, None, k] - xy[None, :, k] for k in (0, 1)))
    given, rule = (table, table) if tabled else (None, None), np.array([1.0, 1.0, 1.0])
    told = node if timed else None
    found, beside = nearest(*given, xy, rule, told, depots=1, near=near, adjacent=4, allowed=allowed)
    plain, _ = nearest(*given, xy, rule, told, depots=1, near=59, adjacent=4)
    for i in range(1, 60):
        assert beside[i].tolist() == sorted(set(range(1, 60)) - {i}, key=lambda j: table[i, j])[:4]
        known = sorted(set(range(1, 60)) - {i}, key=lambda j: table[i, j])[: None if tabled else 3 * near]
        order = [j for j in plain[i].tolist() if j in known]
        together = [j for j in order if (allowed[i - 1] & allowed[j - 1]).any()]
        apart = [j for j in order if j not in together]
        assert found[i].tolist() == (together + apart)[:near]


def test_stand_ins_of_a_type_can_do_more_from_the_same_depots() -> None:
    b = ProblemBuilder()
    one, two = b.depot(0, 0), b.depot(9, 9)
    b.visit(1, 1, delivery=1)
    for depot, capacity, skills, extra in (
        (one, 10, (), {}),
        (one, 20, (), {}),
        (one, 10, ("cold",), {}),
        (one, 5, ("cold",), {}),
        (two, 30, (), {}),
        (one, 40, (), {"max_distance": 7}),
    ):
        b.vehicle_type(count=1, capacity=capacity, skills=skills, start_depot=depot, **extra)
    types = b.build().vehicle_types
    found, room = stand_ins(pack(b.build()).kind, types.skills)
    told = [[u for u in row if u >= 0] for row in found.tolist()]
    assert told == [[1, 2, 3], [2, 3], [1], [0, 1, 2], [], []]
    assert room.tolist() == [[20], [10], [20], [20], [0], [0]]
    assert (found[:, -1] == -1).all()


def clarke_wright(problem: Problem, pairs: list[tuple[int, int]]) -> int:
    """Cost of the routes after joining ends of routes along `pairs`, where that costs less and keeps the rules."""
    routes = [[v] for v in range(problem.num_visits)]

    def cost(visits: list[int]) -> int | None:
        report = check(problem, Solution.of([visits]))
        codes = {rule.code for rule in ROUTE_CONSTRAINTS}
        return None if codes & {v.code for v in report.violations} else report.cost.total

    for i, j in pairs:
        a, b = (next(r for r in routes if x in r) for x in (i, j))
        if a is b:
            continue
        tries = [(x, y) for x in (a, a[::-1]) for y in (b, b[::-1]) if x[-1] == i and y[0] == j]
        if not tries:
            continue
        whole = tries[0][0] + tries[0][1]
        after, before = cost(whole), (cost(a), cost(b))
        if after is not None and after < sum(x for x in before if x is not None):
            routes = [r for r in routes if r is not a and r is not b] + [whole]
    return sum(check(problem, Solution.of([r])).cost.total for r in routes)


@pytest.mark.parametrize("case", [(), ("capacities",), ("fixed_costs",), ("max_distance",)], ids="+".join)
def test_savings_equal_a_plain_clarke_and_wright(case: tuple[str, ...]) -> None:
    joined = 0
    for seed in range(25):
        problem = random_problem(case, seed, most=14)
        problem = problem.replace(count=[problem.num_visits])
        packed = pack(problem, near=30, adjacent=30)
        n = packed.nodes
        kind, alone = np.full(n, -1, dtype=np.int64), np.zeros(n, dtype=np.int64)
        tail, head, gain = (np.empty(2 * n * n, dtype=np.int64) for _ in range(3))
        count = pair_savings(*packed.arrays, kind, alone, tail, head, gain)
        visit = {packed.depots + k: int(v) for k, v in enumerate(packed.order)}
        if any(kind[c] < 0 for c in visit):
            continue
        d = problem.travel[0].materialise(problem.coords).distance
        assert d is not None
        t = problem.vehicle_types
        for x, y, worth in zip(
            tail[:count].tolist(), head[:count].tolist(), gain[:count].tolist(), strict=True
        ):
            i, j = 1 + visit[x], 1 + visit[y]
            assert worth == t.distance_cost[0] * (d[i, 0] + d[0, j] - d[i, j]) + t.fixed_cost[0]
        order = np.argsort(-gain[:count], kind="stable")
        flat, starts, kinds = (np.empty(n + 1, dtype=np.int64) for _ in range(3))
        routes = join(*packed.arrays, tail[order], head[order], kind, alone, flat, starts, kinds)
        made = [[visit[c] for c in flat[starts[r] : starts[r + 1]].tolist()] for r in range(routes)]
        cost = sum(check(problem, Solution.of([r])).cost.total for r in made)
        pairs = [
            (visit[x], visit[y]) for x, y in zip(tail[order].tolist(), head[order].tolist(), strict=True)
        ]
        assert cost == clarke_wright(problem, pairs), seed
        joined += routes < problem.num_visits
    assert joined > 5


RICH: list[tuple[str, ...]] = [
    (),
    ("time_windows", "pickups"),
    ("time_windows", "time_costs"),
    ("soft_windows", "overtime"),
    ("release_times", "reloads", "time_windows"),
    ("pickup_delivery", "time_windows"),
    ("pickup_delivery", "lifo", "max_duration"),
    ("pickup_delivery", "reloads"),
    ("exclusive_groups", "optional_visits", "several_windows"),
    ("backhauls", "max_distance"),
    ("plan_changes", "open_routes", "skills"),
    ("breaks", "time_windows"),
    ("breaks", "time_dependent"),
]


def grown(problem: Problem, rich: Session, route: Route, members: tuple[int, ...]) -> Iterator[Route]:
    """The route with the members, one after the other or apart, at every place, with and without a new trip."""
    nodes = rich.items(route).tolist()
    new = [problem.num_depots + v for v in members]
    gaps = range(len(nodes) + 1)
    for places in product(gaps, repeat=len(new)):
        if list(places) != sorted(places):
            continue
        whole = list(nodes)
        for node, place in reversed(list(zip(new, places, strict=True))):
            whole.insert(place, node)
        yield rich._route(route.vehicle_type, np.array(whole))
    for depot, gap in product((problem.vehicle_types.reload_depots or ((),))[0], gaps):
        for whole in ([*new], [depot, *new], [*new, depot]):
            items = np.array([*nodes[:gap], *whole, *nodes[gap:]])
            if nodes and not (gap == len(nodes) and whole[-1] == depot):
                yield rich._route(route.vehicle_type, items)


def sound(problem: Problem, route: Route) -> bool:
    """Whether the route keeps every rule by the checker."""
    run = schedule(problem, route)
    return not any(True for rule in ROUTE_CONSTRAINTS for _ in rule.check(problem, run))


@pytest.mark.parametrize("case", RICH, ids="+".join)
def test_a_job_goes_where_it_costs_least_by_the_checker(case: tuple[str, ...]) -> None:
    """Each job in turn is taken out of a plan and put back by the kernels, and by trying every place."""
    compared = 0
    for seed in range(25):
        problem = random_problem(case, seed, most=8)
        t, packed = problem.vehicle_types, pack_rich(problem)
        if "reloads" in problem.features and len(t.count) > 1:
            continue  # the brute force knows the depots of one type only
        whole = session(problem, seed)
        whole.construct()
        for visits in packed.jobs:
            others = [job for job in packed.jobs if job != visits]
            if any(not whole.best().served() & set(job) for job in others):
                continue  # it would be put in as well
            routes = [without(route, visits) for route in whole.best().routes]
            routes = [route for route in routes if route.visits]
            if any(not sound(problem, r) or len(r.visits) + len(r.halts) > layout.TOP for r in routes):
                continue
            rich = Session(problem, packed, seed, np.array(TUNE), WEIGHTS)
            for route in routes:
                rich._act(acts.LOAD, route.vehicle_type, items=rich.items(route))
            used = Counter(route.vehicle_type for route in routes)
            new = [Route(k, ()) for k in range(len(t.count)) if used[k] < t.count[k]]
            paired = len(visits) == 2 and problem.partner(visits[0]) == visits[1]
            plans = [
                Solution((*(r for r in routes if r is not route), longer))
                for route in (*routes, *new)
                for members in ([visits] if paired else [(v,) for v in visits])
                for longer in grown(problem, rich, route, members)
                if sound(problem, longer)
            ]
            rich.construct()
            if not plans or not problem.visits.required[visits[0]]:
                plans.append(Solution(tuple(routes)))
            costs = [check(problem, plan).cost.total for plan in plans]
            assert check(problem, rich.best()).cost.total == min(costs), (seed, visits)
            compared += len(costs) > 1
    assert compared > 10


def without(route: Route, gone: tuple[int, ...]) -> Route:
    """The route without these visits, and without trips that would be empty."""
    trips = [tuple(v for v in trip if v not in gone) for trip in route.trips()]
    places = [None, *(halt.place for halt in route.halts)]
    visits: tuple[int, ...] = ()
    halts: list[Halt] = []
    for place, trip in zip(places, trips, strict=True):
        if trip and visits and place is not None:
            halts.append(Halt(len(visits), place))
        visits += trip
    return Route(route.vehicle_type, visits, tuple(halts))


@njit
def changes(D, P, S, Q, u, v):  # type: ignore[no-untyped-def]
    return (
        absent.insertion(D, P, S, Q, u, v, 1e29),
        absent.removal(D, P, S, Q, v) if v < P[L.NODES] else 0.0,
        absent.replacement(D, P, S, Q, u, v) if v < P[L.NODES] else 0.0,
    )


@pytest.mark.parametrize(
    "case",
    [
        ("optional_visits",),
        ("optional_visits", "time_windows", "time_costs", "release_times", "max_duration"),
        ("optional_visits", "heterogeneous_fleet", "fixed_costs", "skills", "multi_depot"),
        ("optional_visits", "pickups", "capacities", "max_distance"),
    ],
    ids="+".join,
)
def test_absent_visits_cost_what_the_reference_says(case: tuple[str, ...]) -> None:
    compared = 0
    for seed in range(20):
        problem = random_problem(case, seed)
        rng, e = np.random.default_rng(seed), ref.evolution(problem, seed)
        kept = [(t, [v for v in r if rng.random() < 0.7]) for t, r in ref.random_routes(problem, e, seed)]
        ref.put(e, [(t, visits) for t, visits in kept if visits])
        routes = ref.routes_in(e)
        node = {int(v): e.packed.depots + k for k, v in enumerate(e.packed.order)}
        missing = set(node) - {v for _, visits in routes.values() for v in visits}
        for (_, (kind, visits)), u in product(routes.items(), missing):
            before = ref.route_cost(problem, e, kind, visits)
            able = not int(problem.visits.skills[u]) & ~int(problem.vehicle_types.skills[kind])
            for i, v in enumerate(visits):
                told = changes(*ref.arrays(e)[:4], node[u], node[v])
                without = [*visits[:i], *visits[i + 1 :]]
                assert told[1] == pytest.approx(ref.route_cost(problem, e, kind, without) - before)
                if not able:
                    assert told[0] == told[2] == absent.NEVER
                    continue
                behind, instead = [*visits[: i + 1], u, *visits[i + 1 :]], [*visits[:i], u, *visits[i + 1 :]]
                assert told[0] == pytest.approx(ref.route_cost(problem, e, kind, behind) - before)
                assert told[2] == pytest.approx(ref.route_cost(problem, e, kind, instead) - before)
                compared += 1
    assert compared > 50
