"""Genetic kernels equal plain-Python references: moves, split, SWAP*, crossovers, populations."""

from __future__ import annotations

import numpy as np
import pytest

from solvers import Problem, ProblemBuilder
from solvers.kernels.genetic import individuals as I
from solvers.kernels.genetic import layout as L
from solvers.kernels.genetic.engine import Evolution
from tests.conformance.problems import random_problem
from tests.solvers import genetic_reference as ref

CASES: list[tuple[str, ...]] = [
    (),
    ("capacities",),
    ("pickups",),
    ("time_windows",),
    ("time_windows", "release_times", "time_costs", "max_duration"),
    ("heterogeneous_fleet", "fixed_costs", "skills"),
    ("multi_depot", "heterogeneous_fleet", "max_distance"),
    ("profiles", "time_windows", "skills", "pickups"),
    ("backhauls",),
    ("backhauls", "time_windows", "max_distance"),
    (
        "capacities",
        "pickups",
        "time_windows",
        "multi_depot",
        "heterogeneous_fleet",
        "fixed_costs",
        "time_costs",
    ),
]
case_id = "+".join


def total(problem: Problem, e: Evolution, routes: list[tuple[int, list[int]]]) -> float:
    return sum(ref.route_cost(problem, e, t, visits) for t, visits in routes)


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_loaded_routes_cost_what_the_reference_says(case: tuple[str, ...]) -> None:
    for seed in range(20):
        problem = random_problem(case, seed)
        e = ref.evolution(problem, seed)
        ref.put(e, ref.random_routes(problem, e, seed))
        for r, (kind, visits) in ref.routes_in(e).items():
            cost = ref.slot_cost(e.packed.ints, e.state, e.prices, r)
            assert cost == pytest.approx(ref.route_cost(problem, e, kind, visits)), (seed, visits)


def moved(routes: list[list[int]], op: int, u: int, v: int) -> list[list[int]] | None:
    """The visit lists after move `op` between visits u and v, or None where the move makes no sense."""
    ru, rv = (next(k for k, r in enumerate(routes) if w in r) for w in (u, v))
    i, j = routes[ru].index(u), routes[rv].index(v)
    new = [list(r) for r in routes]
    if op < 4:
        count = (1, 2, 2, 3)[op]
        piece = routes[ru][i : i + count]
        if len(piece) < count or v in piece or (ru == rv and j == i - 1):
            return None
        new[ru] = routes[ru][:i] + routes[ru][i + count :]
        at = new[rv].index(v) + 1
        new[rv][at:at] = piece[::-1] if op >= 2 else piece
        return new
    if op < 7:
        a, b = ((1, 1), (2, 1), (2, 2))[op - 4]
        one, two = routes[ru][i : i + a], routes[rv][j : j + b]
        if len(one) < a or len(two) < b or (ru == rv and not (i + a < j or j + b < i)):
            return None
        if ru != rv:
            new[ru][i : i + a], new[rv][j : j + b] = two, one
        else:
            (lo, x, y), (hi, _, _) = sorted([(i, one, two), (j, two, one)], key=lambda z: z[0])
            old, first, second = routes[ru], y, x
            new[ru] = old[:lo] + first + old[lo + len(x) : hi] + second + old[hi + len(y) :]
        return new
    if op == 7:
        if ru != rv or j <= i + 1:
            return None
        new[ru][i + 1 : j + 1] = routes[ru][i + 1 : j + 1][::-1]
        return new
    if ru == rv:
        return None
    a, b = routes[ru], routes[rv]
    if op == 8:
        new[ru], new[rv] = a[: i + 1] + b[j + 1 :], b[: j + 1] + a[i + 1 :]
    else:
        new[ru], new[rv] = a[: i + 1] + b[: j + 1][::-1], a[i + 1 :][::-1] + b[j + 1 :]
    return new


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_moves_are_accepted_exactly_when_the_recomputed_cost_falls(case: tuple[str, ...]) -> None:
    tried = improved = 0
    for seed in range(12):
        problem = random_problem(case, seed, most=14)
        e = ref.evolution(problem, seed)
        ref.put(e, ref.random_routes(problem, e, seed))
        rng = np.random.default_rng(seed)
        node = {int(v): e.packed.depots + k for k, v in enumerate(e.packed.order)}
        d, p, s, q = ref.arrays(e)[:4]
        for _ in range(120):
            now = ref.routes_in(e)
            u, v = rng.choice(problem.num_visits, 2, replace=False).tolist()
            op = int(rng.integers(10))
            if op == 9 and not p[L.REVERSIBLE]:
                continue
            slots = list(now)
            kinds = [now[r][0] for r in slots]
            after = moved([now[r][1] for r in slots], op, u, v)
            if after is None:
                continue
            t = problem.vehicle_types
            if op == 8 and len({int(t.profile[now[r][0]]) for r in slots if {u, v} & set(now[r][1])}) > 1:
                continue
            able = all(
                not int(problem.visits.skills[w]) & ~int(t.skills[k])
                for k, visits in zip(kinds, after, strict=True)
                for w in visits
            )
            change = total(problem, e, list(zip(kinds, after, strict=True))) - total(
                problem, e, list(now.values())
            )
            if p[L.PROFILES] == 1 and able and change < -1e-2 and op in (0, 4, 8, 9):
                assert ref.pair_is_promising(d, p, s, q, node[u], node[v], 3) or op in (4, 9), (seed, op)
            done = ref.attempt(d, p, s, q, op, node[u], node[v])
            assert done == (able and change < -1e-2), (seed, op, u, v, change)
            tried, improved = tried + 1, improved + done
            found = ref.routes_in(e)
            expected = after if done else [now[r][1] for r in slots]
            assert sorted(r for _, r in found.values()) == sorted(r for r in expected if r)
            for r, (kind, visits) in found.items():
                assert ref.slot_cost(p, s, q, r) == pytest.approx(ref.route_cost(problem, e, kind, visits))
    assert tried > 200
    assert improved > 20


def test_swap_star_finds_the_best_exchange_of_two_visits() -> None:
    """On plain problems nothing is estimated, so brute force over all places must agree."""
    found = 0
    for seed in range(60):
        problem = random_problem((), seed, most=12)
        e = ref.evolution(problem, seed)
        ref.put(e, ref.random_routes(problem, e, seed))
        now = ref.routes_in(e)
        if len(now) < 2:
            continue
        (ra, (ka, a)), (rb, (kb, b)) = list(now.items())[:2]
        before = total(problem, e, [(ka, a), (kb, b)])
        best = 0.0
        for u in [*a, None]:
            for v in [*b, None]:
                one, two = [w for w in a if w != u], [w for w in b if w != v]
                ones = [[*one[:i], v, *one[i:]] for i in range(len(one) + 1)] if v is not None else [one]
                twos = [[*two[:i], u, *two[i:]] for i in range(len(two) + 1)] if u is not None else [two]
                for x in ones:
                    for y in twos:
                        best = min(best, total(problem, e, [(ka, x), (kb, y)]) - before)
        node = {int(v): e.packed.depots + k for k, v in enumerate(e.packed.order)}
        done = ref.attempt(*ref.arrays(e)[:4], 10, node[a[0]], node[b[0]])
        after = ref.routes_in(e)
        change = total(problem, e, [after[r] for r in (ra, rb) if r in after]) - before
        # relocations by SWAP* go to the best place, exchanges avoid the places next to the visit that leaves
        assert done == (best < -1e-2), seed
        assert change == pytest.approx(best), seed
        found += done
    assert found > 20


def best_cut(problem: Problem, e: Evolution, tour: list[int], most: int) -> float:
    """Least cost of cutting `tour` into at most `most` routes of at most 1.5 capacities."""
    n, cap = len(tour), 1.5 * int(problem.vehicle_types.capacity[0, 0])
    cost = {(0, 0): 0.0}
    for k in range(most):
        for i in range(n):
            if (k, i) not in cost:
                continue
            for j in range(i + 1, n + 1):
                if j > i + 1 and problem.visits.delivery[tour[i:j], 0].sum() > cap:
                    break
                new = cost[k, i] + ref.route_cost(problem, e, 0, tour[i:j])
                cost[k + 1, j] = min(new, cost.get((k + 1, j), np.inf))
    return min((c for (_, j), c in cost.items() if j == n), default=np.inf)


def test_split_equals_dynamic_programming_with_and_without_a_fleet_limit() -> None:
    limited = 0
    for seed in range(40):
        problem = random_problem(("fixed_costs",) if seed % 2 else (), seed)
        for slots in (problem.num_visits, 3):
            e = ref.evolution(problem, seed, slots)
            if not e.splits:
                continue
            tour = np.random.default_rng(seed).permutation(problem.num_visits).tolist()
            node = {int(v): e.packed.depots + k for k, v in enumerate(e.packed.order)}
            at = int(e.state[L.ORDER_AT])
            e.state[at : at + len(tour)] = [node[v] for v in tour]
            cost = ref.cut(*ref.arrays(e)[:4], e.scratch)
            expected = best_cut(problem, e, tour, e.packed.slots)
            if expected == np.inf:
                assert cost > 1e29
                continue
            assert cost == pytest.approx(expected), (seed, slots)
            found = ref.routes_in(e)
            assert total(problem, e, list(found.values())) == pytest.approx(cost)
            assert sorted(v for _, r in found.values() for v in r) == sorted(tour)
            limited += e.packed.slots == 3
    assert limited > 10


@pytest.mark.parametrize("case", CASES, ids=case_id)
def test_children_hold_every_visit_once_and_no_type_too_often(case: tuple[str, ...]) -> None:
    for seed in range(10):
        problem = random_problem(case, seed)
        e = ref.evolution(problem, seed)
        for row in (3, 4):
            ref.put(e, ref.random_routes(problem, e, 10 * seed + row), row)
        ref.cross_over(*ref.arrays(e)[:5], e.scratch, 3, 4, e.splits and seed % 2 == 0)
        found = ref.routes_in(e)
        assert sorted(v for _, r in found.values() for v in r) == list(range(problem.num_visits))
        for kind, count in enumerate(problem.vehicle_types.count):
            assert sum(t == kind for t, _ in found.values()) <= count
        for kind, visits in found.values():
            has = int(problem.vehicle_types.skills[kind])
            assert not any(int(problem.visits.skills[v]) & ~has for v in visits)


def neighbours(routes: list[tuple[int, list[int]]]) -> dict[int, tuple[int, int]]:
    """visit -> (next, previous), -1 for the depot."""
    out = {}
    for _, r in routes:
        for k, v in enumerate(r):
            out[v] = (r[k + 1] if k + 1 < len(r) else -1, r[k - 1] if k else -1)
    return out


def apart(a: list[tuple[int, list[int]]], b: list[tuple[int, list[int]]]) -> float:
    one, two = neighbours(a), neighbours(b)
    broken = 0
    for v, (following, before) in one.items():
        broken += following not in two[v]
        broken += before == -1 and -1 not in two[v]
    return broken / len(one)


def test_a_population_keeps_its_books() -> None:
    problem = random_problem((), 5, most=12)
    e = ref.evolution(problem, 5)
    seen: dict[int, list[tuple[int, list[int]]]] = {}
    best = np.inf
    for seed in range(60):
        routes = ref.random_routes(problem, e, seed)
        ref.put(e, routes)
        d, p, s, q, x, xf, xd = ref.arrays(e)
        ref.write_row(d, p, s, q, x, xf, I.CHILD)
        assert xf[I.F_WIDTH * I.CHILD + I.COST] == pytest.approx(total(problem, e, routes))
        new_best = ref.add_child(p, x, xf, xd)
        lists = {}
        for feasible, size_at, list_at in (
            (1, I.FEASIBLES, I.FEASIBLE_AT),
            (0, I.INFEASIBLES, I.INFEASIBLE_AT),
        ):
            rows = x[x[list_at] : x[list_at] + x[size_at]].tolist()
            costs = [xf[I.F_WIDTH * i + I.COST] for i in rows]
            assert costs == sorted(costs)
            assert len(rows) <= 8
            assert all(x[I.X_HEAD + x[I.X_WIDTH] * i + I.FEASIBLE] == feasible for i in rows)
            lists[feasible] = rows
        members = lists[0] + lists[1]
        free = x[x[I.FREE_AT] : x[I.FREE_AT] + x[I.N_FREE]].tolist()
        assert sorted(members + free) == list(range(I.FIRST_ROW, x[I.X_ROWS]))
        seen = {i: [(r.vehicle_type, list(r.visits)) for r in e.routes_of(i)] for i in members}
        for rows in lists.values():
            for i in rows:
                for j in rows:
                    if i != j:
                        stored = xd[x[I.X_ROWS] * i + j]
                        assert stored in (
                            pytest.approx(apart(seen[i], seen[j])),
                            pytest.approx(apart(seen[j], seen[i])),
                        )
        if lists[1]:
            least = xf[I.F_WIDTH * lists[1][0] + I.COST]
            assert new_best == (least < best - 1e-3)
            best = min(best, least)
            assert e.best_cost == round(best)
    rows = lists[0]
    assert len(rows) >= 3
    ref.rate_members(x, xf, xd, 0)
    k = len(rows)
    away = {i: np.mean(sorted(xd[x[I.X_ROWS] * i + j] for j in rows if j != i)[:2]) for i in rows}
    by_away = sorted(rows, key=lambda i: -away[i])
    for place, i in enumerate(rows):
        assert xf[I.F_WIDTH * i + I.AWAY] == pytest.approx(away[i])
        ties = [m for m, j in enumerate(by_away) if away[j] == pytest.approx(away[i])]
        options = [place / (k - 1) + (1 - 2 / k) * m / (k - 1) if k > 2 else place / (k - 1) for m in ties]
        assert any(xf[I.F_WIDTH * i + I.FITNESS] == pytest.approx(o) for o in options)


def test_backhauls_come_last_and_never_alone() -> None:
    from solvers import MaxIterations, make
    from solvers.check import check

    rng = np.random.default_rng(3)
    b = ProblemBuilder(backhauls_alone=False)
    b.depot(50, 50)
    for k in range(30):
        details = {"pickup": 3, "backhaul": True} if k % 3 == 0 else {"delivery": 3}
        b.visit(*rng.integers(0, 100, 2).tolist(), **details)  # type: ignore[arg-type]
    b.vehicle_type(count=6, capacity=20)
    problem = b.build()
    result = make("genetic").solve(problem, MaxIterations(60), seed=1)
    report = check(problem, result.solution)
    assert report.feasible
    assert report.cost.total == result.cost
