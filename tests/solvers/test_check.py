"""The checker: each constraint's row, the route's run in time, the cost parts, travel by coordinates."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvers import Battery, Halt, Metric, Part, Problem, ProblemBuilder, Route, Solution, Travel
from solvers.check import check, schedule
from solvers.constraints import ROUTE_CONSTRAINTS, SOLUTION_CONSTRAINTS
from solvers.duty import DutyRule
from solvers.result import Status
from solvers.travel import distances


def line(*positions: int, **vehicle: object) -> ProblemBuilder:
    """A depot at 0 and visits on a line; the test adds details."""
    b = ProblemBuilder()
    b.depot(0, 0)
    for x in positions:
        b.visit(x, 0)
    b.vehicle_type(**vehicle)  # type: ignore[arg-type]
    return b


def test_costs_are_the_sum_of_their_parts() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0, service=5)
    b.visit(20, 0, required=False, prize=70)
    b.visit(30, 0)
    b.vehicle_type(count=2, fixed_cost=100, distance_cost=2, time_cost=3)
    report = check(b.build(), Solution.of([[0]]))
    cost = report.cost
    assert (cost.distance, cost.time, cost.fixed, cost.prizes_lost) == (40, 75, 100, 70)
    assert cost.total == 285
    assert report.unserved == (2,)
    assert report.left_out == (1,)
    assert report.violations == ()
    assert report.status is Status.INCOMPLETE
    assert report.rank == (1, 285)


def test_departure_is_as_late_as_the_earliest_end_allows() -> None:
    b = ProblemBuilder()
    b.depot(0, 0, tw=(0, 1000))
    b.visit(10, 0, tw=(100, 120), service=5)
    b.visit(20, 0, tw=(200, 300), service=5)
    b.vehicle_type()
    run = schedule(b.build(), Route(0, (0, 1)))
    # waiting 90 at the first and 85 at the second; the first window allows a delay of 90 + 20
    assert run.arrival == (110, 120, 135, 225)
    assert run.start == (110, 120, 200, 225)
    assert run.departure == (110, 125, 205, 225)
    assert (run.duration, run.waiting) == (115, 65)


@given(st.data())
def test_no_other_departure_ends_earlier_or_is_shorter_at_that_end(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 4))
    b = ProblemBuilder()
    b.depot(0, 0)
    for _ in range(n):
        opens = data.draw(st.integers(0, 40))
        b.visit(
            data.draw(st.integers(-9, 9)), 0, tw=(opens, opens + data.draw(st.integers(0, 30))), service=2
        )
    b.vehicle_type(time_cost=1)
    problem = b.build()
    run = schedule(problem, Route(0, tuple(range(n))))

    def drive(leave: int) -> tuple[int, list[int]]:
        now, at, late = leave, 0.0, []
        for v in range(n):
            x = float(problem.coords[v + 1, 0])  # type: ignore[index]
            now = max(now + int(abs(x - at)), int(problem.visits.tw[v, 0]))
            late.append(max(0, now - int(problem.visits.tw[v, 1])))
            now, at = now + 2, x
        return now + int(abs(at)), late

    earliest_end, least_late = drive(0)
    assert run.end_time == earliest_end
    same = [t for t in range(120) if drive(t) == (earliest_end, least_late)]
    assert run.start_time == max(same)


def test_load_peaks_where_pickups_meet_deliveries() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(1, 0, pickup=(6, 1))
    b.visit(2, 0, delivery=(5, 0))
    b.vehicle_type(capacity=(10, 0))
    report = check(b.build(), Solution.of([[0, 1]]))
    assert report.routes[0].schedule.load == ((5, 0), (11, 1), (6, 1))
    assert report.routes[0].load_peak == (11, 1)
    assert [(v.code, v.amount) for v in report.violations] == [("capacity", 1), ("capacity", 1)]
    assert check(b.build(), Solution.of([[1, 0]])).routes[0].load_peak == (6, 1)


def broken(code: str) -> tuple[Problem, Solution, int]:
    """A problem, a solution that violates just `code`, and the amount by which it does."""
    b = ProblemBuilder()
    b.depot(0, 0, tw=(0, 500))
    details: dict[str, object] = {"capacity": 9, "count": 2}
    one: dict[str, object] = {"delivery": 1}
    two: dict[str, object] = {"delivery": 1}
    routes: list[Route] = [Route(0, (0,)), Route(0, (1,))]
    amount = 1
    if code == "capacity":
        one, amount = {"delivery": 12}, 3
    elif code == "time-window":
        one, amount = {"delivery": 1, "tw": (0, 60)}, 40
    elif code == "late-return":
        one, amount = {"delivery": 1, "service": 310}, 10
    elif code == "max-distance":
        details["max_distance"], amount = 188, 12
    elif code == "max-duration":
        one["tw"], details["max_duration"], amount = (300, 400), 193, 7
    elif code == "skills":
        one["skills"], details["skills"], amount = ("cold", "tall", "lift"), ("tall",), 2
    elif code == "fleet":
        details["count"] = 1
    elif code == "duplicate-visit":
        routes = [Route(0, (0, 1)), Route(0, (1,))]
    elif code == "unknown-visit":
        routes = [Route(0, (0,)), Route(0, (1,)), Route(0, (2,))]
    elif code == "unknown-type":
        routes = [Route(0, (0,)), Route(0, (1,)), Route(1, (0,))]
    elif code == "unknown-depot":
        routes = [Route(0, (0,), (Halt(1, 4),)), Route(0, (1,)), Route(0, (0,))]
    elif code == "halt-order":
        routes = [Route(0, (0,), (Halt(2, 0),)), Route(0, (1,)), Route(0, (0,))]
    elif code == "part-order":
        routes = [Route(0, (0,), parts=(Part(1, (1,)),)), Route(0, (1,)), Route(0, (0,))]
    elif code == "part-amount":
        routes = [Route(0, (0,), parts=(Part(0, (-1,)),)), Route(0, (1,)), Route(0, (0,))]
    elif code == "split":
        one, amount = {"delivery": 9, "split": True}, 2
        routes = [Route(0, (0,), parts=(Part(0, (4,)),)), Route(0, (1, 0), parts=(Part(1, (3,)),))]
    elif code == "reload":
        details["reload_depots"], details["max_reloads"], amount = (0,), 1, 2
        routes = [Route(0, (0, 1), (Halt(1, 0), Halt(1, 0), Halt(1, 0)))]
    elif code == "backhaul-order":
        one, routes = {"pickup": 1, "backhaul": True}, [Route(0, (0, 1))]
    elif code == "group":
        one["group"] = two["group"] = "home or locker"
    elif code in ("pair", "pair-order"):
        one, two["pickup_at"] = {"pickup": 1}, 0
        routes, amount = ([Route(0, (1, 0))], 1) if code == "pair-order" else (routes, 1)
    elif code == "max-driving":
        details["duty"], amount = DutyRule(500, 20, max_driving=193), 7
    elif code == "battery":
        details["battery"], amount = Battery(193, 1, 1), 7
    elif code == "station":
        details["battery"], details["stations"] = Battery(200, 1, 1), (0,)
        routes[0] = Route(0, (0,), (Halt(0, 0, charge=True), Halt(1, 1, charge=True)))
        b.depot(50, 0)
    elif code == "locked":
        details["count"], details["locked"], routes, amount = 1, (1, 0), [Route(0, (0, 1))], 2
    elif code == "lifo":
        details["lifo"] = True
        one, two["pickup_at"] = {"pickup": 1}, 0
    b.visit(100, 0, **one)  # type: ignore[arg-type]
    b.visit(1, 0, **two)  # type: ignore[arg-type]
    if code == "lifo":
        for _ in range(2):
            start = b.visit(5, 0, pickup=1)
            b.visit(7, 0, delivery=1, pickup_at=start)
        routes, amount = [Route(0, (0, 2, 4, 5, 1, 3))], 1
    b.vehicle_type(**details)  # type: ignore[arg-type]
    return b.build(), Solution(tuple(routes)), amount


CODES = [
    *(c.code for c in ROUTE_CONSTRAINTS),
    *(c.code for c in SOLUTION_CONSTRAINTS),
    "unknown-visit",
    "unknown-type",
    "unknown-depot",
    "halt-order",
    "part-order",
    "part-amount",
]


@pytest.mark.parametrize("code", CODES)
def test_every_constraint_is_found_with_its_amount(code: str) -> None:
    problem, solution, amount = broken(code)
    report = check(problem, solution)
    found = [(v.code, v.amount) for v in report.violations]
    if code == "pair":  # each end lacks the other
        found.remove((code, amount))
    assert found == [(code, amount)]
    assert not report.feasible
    assert report.status is Status.INFEASIBLE


def test_sound_solution_has_no_violation() -> None:
    problem, solution, _ = broken("none")
    report = check(problem, solution)
    assert report.feasible
    assert report.status is Status.FEASIBLE
    assert report.cost.total == 202


def test_releases_shifts_and_depot_hours_hold_a_route_back() -> None:
    b = ProblemBuilder()
    b.depot(0, 0, tw=(30, 500))
    b.visit(10, 0, release=70)
    b.visit(20, 0)
    b.vehicle_type(count=2, shift=(50, 400))
    problem = b.build()
    assert schedule(problem, Route(0, (0, 1))).start_time == 70
    assert schedule(problem, Route(0, (1,))).start_time == 50
    assert schedule(problem.replace(shift=[[0, 400]]), Route(0, (1,))).start_time == 30
    assert check(problem.replace(shift=[[50, 109]]), Solution.of([[0, 1]])).violations[0].amount == 1


def test_profiles_and_depots_are_those_of_the_vehicle_type() -> None:
    b = ProblemBuilder()
    b.depot()
    b.depot()
    b.visit()
    fast = np.array([[0, 9, 2], [9, 0, 3], [4, 5, 0]])
    b.travel(Travel.of_matrices(fast))
    b.travel(Travel.of_matrices(fast * 10, fast))
    b.vehicle_type(start_depot=0, end_depot=1)
    b.vehicle_type(start_depot=1, end_depot=0, profile=1, time_cost=1)
    problem = b.build()
    assert check(problem, Solution.of([Route(0, (0,))])).cost.total == 2 + 5
    there = check(problem, Solution.of([Route(1, (0,))])).cost
    assert (there.distance, there.time) == (70, 7)


@pytest.mark.parametrize(
    ("metric", "scale", "pace"),
    [
        *product([Metric.EUCLIDEAN_ROUND, Metric.EUCLIDEAN_TRUNCATE], [1.0, 10.0], [1.0, 0.37]),
        (Metric.HAVERSINE, 1.3, 0.1),
    ],
)
def test_travel_on_the_fly_equals_the_matrix(metric: Metric, scale: float, pace: float) -> None:
    rng = np.random.default_rng(5)
    xy = rng.uniform(-80, 80, size=(40, 2))
    b = ProblemBuilder()
    b.depot(*xy[0])
    for x, y in xy[1:]:
        b.visit(x, y)
    b.travel(Travel(metric=metric, scale=scale, duration_per_distance=pace))
    b.vehicle_type(time_cost=1)
    problem = b.build()
    assert problem.coords is not None
    matrices = problem.replace(travel=(problem.travel[0].materialise(problem.coords),))
    solution = Solution.of([list(rng.permutation(39))])
    on_the_fly = check(problem, solution)
    assert on_the_fly.cost == check(matrices, solution).cost
    expected = distances(problem.travel[0], problem.coords, problem.coords)
    nodes = on_the_fly.routes[0].schedule.nodes
    assert on_the_fly.cost.distance == expected[nodes[:-1], nodes[1:]].sum()


def test_thirty_thousand_visits_by_coordinates() -> None:
    rng = np.random.default_rng(1)
    b = ProblemBuilder()
    b.depot(0, 0)
    for x, y in rng.integers(0, 10_000, size=(30_000, 2)):
        b.visit(int(x), int(y), delivery=1)
    b.vehicle_type(count=300, capacity=100)
    report = check(b.build(), Solution.of(np.arange(30_000).reshape(300, 100)))
    assert report.feasible
    assert len(report.routes) == 300


def test_a_solution_may_be_empty() -> None:
    problem, _, _ = broken("none")
    report = check(problem, Solution())
    assert report.unserved == (0, 1)
    assert report.cost.total == 0
    assert report.status is Status.INFEASIBLE
