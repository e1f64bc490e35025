"""Variants of the routing problem: how each changes a route's run in time, its load and its cost."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvers import (
    Halt,
    InvalidInputError,
    MaxIterations,
    Objective,
    Problem,
    ProblemBuilder,
    Route,
    Solution,
    Status,
    Travel,
    UnsupportedFeatureError,
    make,
)
from solvers.check import check
from solvers.duty import CHINA, EU, US, DutyRule
from solvers.explain import FLEET, INSERTABLE, PRIZE_TOO_LOW, explain
from solvers.features import FEATURES
from solvers.plans import OBJECTIVE
from solvers.schedule import latest_departure, schedule
from tests.conformance.problems import random_problem


def single(*visits: dict[str, Any], **vehicle: Any) -> Problem:
    """A depot at 0, open from 0 to 1000, visits at 10, 20, ... on a line, one vehicle type."""
    b = ProblemBuilder()
    b.depot(0, 0, tw=(0, 1000))
    for i, details in enumerate(visits):
        b.visit(10 * (i + 1), 0, **details)
    b.vehicle_type(**{"capacity": 9, **vehicle})
    return b.build()


def test_an_open_route_ends_at_its_last_visit() -> None:
    problem = single({}, {"service": 5}, open_end=True, time_cost=1)
    report = check(problem, Solution.of([[0, 1]]))
    assert (report.cost.distance, report.cost.time) == (20, 25)
    assert report.routes[0].schedule.nodes == (0, 1, 2, 2)
    assert check(problem.replace(shift=[[0, 24]]), Solution.of([[0, 1]])).violations[0].amount == 1


def test_service_times_go_by_vehicle_type() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0, service=7, service_by_type={"bike": 30})
    b.visit(10, 0, service=7)
    b.vehicle_type(name="van", time_cost=1)
    b.vehicle_type(name="bike", time_cost=1)
    problem = b.build()
    for kind, time in ((0, 34), (1, 57)):
        assert check(problem, Solution((Route(kind, (0, 1)),))).cost.time == time


def test_overtime_is_paid_beyond_its_threshold() -> None:
    problem = single({"service": 30}, overtime_after=45, overtime_cost=7, distance_cost=0)
    report = check(problem, Solution.of([[0]]))
    assert (report.cost.overtime, report.cost.total) == (5 * 7, 35)
    assert check(problem.replace(overtime_after=[50]), Solution.of([[0]])).cost.total == 0


def test_lateness_is_paid_from_the_due_time_and_forbidden_beyond_the_window() -> None:
    problem = single({"due": 4, "late_cost": 3, "tw": (0, 12)}, distance_cost=0)
    report = check(problem, Solution.of([[0]]))
    assert (report.feasible, report.cost.lateness, report.cost.total) == (True, 18, 18)
    late = check(problem.replace(tw=[[0, 9]]), Solution.of([[0]]))
    assert [(v.code, v.amount) for v in late.violations] == [("time-window", 1)]


def test_the_departure_is_not_put_off_at_the_price_of_lateness() -> None:
    problem = single({"due": 15, "late_cost": 1}, {"tw": (100, 200)}, time_cost=1, distance_cost=0)
    run = schedule(problem, Route(0, (0, 1)))
    assert (run.start[1], run.start_time, run.late_cost) == (15, 5, 0)


@given(st.data())
def test_with_several_windows_too_no_departure_is_better(data: st.DataObject) -> None:
    n = data.draw(st.integers(1, 3))
    b = ProblemBuilder()
    b.depot(0, 0)
    windows = []
    for _ in range(n):
        edges = sorted(data.draw(st.sets(st.integers(0, 60), min_size=4, max_size=4)))
        windows.append([(edges[0], edges[1]), (edges[2], edges[3])])
        b.visit(data.draw(st.integers(-9, 9)), 0, tw=windows[-1], service=2)
    b.vehicle_type(time_cost=1)
    problem = b.build()
    route = Route(0, tuple(range(n)))
    run = schedule(problem, route)

    def drive(leave: int) -> tuple[int, list[int]]:
        now, at, late = leave, 0.0, []
        for v in range(n):
            x = float(problem.coords[v + 1, 0])  # type: ignore[index]
            now += int(abs(x - at))
            now = min((max(now, a) for a, z in windows[v] if max(now, a) <= z), default=now)
            late.append(max(0, now - windows[v][1][1]))
            now, at = now + 2, x
        return now + int(abs(at)), late

    earliest_end, least_late = drive(0)
    assert run.end_time == earliest_end
    assert run.start_time == max(t for t in range(140) if drive(t) == (earliest_end, least_late))
    found = {v.visit: v.amount for v in check(problem, Solution((route,))).violations}
    assert found == {v: late for v, late in enumerate(least_late) if late}
    if not found:
        latest = max(t for t in range(200) if not any(drive(t)[1]))
        assert latest_departure(problem.replace(shift=[[0, 10_000]]), route)[0] == latest


def test_loads_of_pairs_stay_between_their_ends() -> None:
    problem = single({"pickup": 4}, {"delivery": 3}, {"delivery": 4, "pickup_at": 0}, {"pickup": 2})
    run = schedule(problem, Route(0, (0, 1, 2, 3)))
    assert run.load == ((3,), (7,), (4,), (0,), (2,))


def test_trips_load_and_unload_at_their_depot() -> None:
    details = ({"delivery": 8}, {"delivery": 5, "release": 90}, {"pickup": 9})
    problem = single(*details, reload_depots=[0], reload_time=6, time_cost=1)
    route = Route(0, (0, 1, 2), (Halt(1, 0), Halt(2, 0)))
    report = check(problem, Solution((route,)))
    run = report.routes[0].schedule
    assert report.feasible
    assert run.load == ((8,), (0,), (5,), (0,), (0,), (9,))
    assert run.trips == (0, 0, 1, 1, 2, 2, 2)
    assert (run.start[2], run.departure[2]) == (90, 96)
    assert (run.start_time, run.end_time, report.cost.distance) == (70, 96 + 40 + 6 + 60, 120)
    shut = check(
        problem.replace(depots=type(problem.depots)(np.array([[0, 85]]), ("d",))), Solution((route,))
    )
    assert {v.code for v in shut.violations} == {"late-return"}


def test_trips_cannot_share_a_pair() -> None:
    problem = single({"pickup": 1}, {"delivery": 1, "pickup_at": 0}, reload_depots=[0])
    cut = check(problem, Solution((Route(0, (0, 1), (Halt(1, 0),)),)))
    assert [v.code for v in cut.violations] == ["pair", "pair"]


def test_one_member_of_a_group_is_served() -> None:
    home, locker = {"group": "a"}, {"group": "a"}
    problem = single(home, locker, {})
    assert check(problem, Solution()).unserved == (0, 2)
    assert check(problem, Solution.of([[1]])).unserved == (2,)
    both = check(problem, Solution.of([[0, 1, 2]]))
    assert [(v.code, v.amount, v.visit) for v in both.violations] == [("group", 1, 1)]


def test_an_optional_group_loses_its_largest_prize_less_the_one_won() -> None:
    optional = {"group": "a", "required": False}
    problem = single({**optional, "prize": 50}, {**optional, "prize": 20}, {"required": False, "prize": 7})
    lost = {
        routes: check(problem, Solution.of(routes)).cost.prizes_lost for routes in ((), ((0,),), ((1, 2),))
    }
    assert lost == {(): 57, ((0,),): 7, ((1, 2),): 30}
    assert check(problem, Solution()).left_out == (0, 2)


def test_a_vehicle_under_way_keeps_its_visits_and_its_load() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.depot(25, 0, name="present place of van 1")
    for x in (10, 30, 40):
        b.visit(x, 0, delivery=3)
    b.vehicle_type(count=2, capacity=9)
    b.vehicle_type(1, 9, start_depot=1, end_depot=0, shift=(50, 500), locked=[1], on_board=2, name="van 1")
    problem = b.build()
    report = check(problem, Solution((Route(1, (1, 2)), Route(0, (0,)))))
    assert report.feasible
    run = report.routes[0].schedule
    assert (run.start_time, run.load, run.distance) == (50, ((8,), (5,), (2,)), 5 + 10 + 40)
    for routes in (
        [Route(1, (2, 1)), Route(0, (0,))],
        [Route(0, (0, 1, 2))],
        [Route(1, (2,)), Route(0, (1,))],
    ):
        assert {v.code for v in check(problem, Solution(tuple(routes))).violations} == {"locked"}
    too_much = check(problem.replace(on_board=[[0], [4]]), Solution((Route(1, (1, 2)), Route(0, (0,)))))
    assert [(v.code, v.amount) for v in too_much.violations] == [("capacity", 1)]
    solved = make("alns").solve(problem, MaxIterations(50), seed=1)
    assert next(r for r in solved.solution.routes if r.vehicle_type == 1).visits[0] == 1


def test_moving_a_visit_to_another_vehicle_has_a_price() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0, previous="b", change_cost=50)
    b.visit(20, 0)
    b.vehicle_type(name="a")
    b.vehicle_type(name="b")
    problem = b.build()
    costs = [check(problem, Solution((Route(kind, (0, 1)),))).cost for kind in (0, 1)]
    assert [(c.changes, c.total) for c in costs] == [(50, 90), (0, 40)]
    assert make("alns").solve(problem, MaxIterations(50), seed=1).cost == 40


def test_the_longest_route_comes_first_where_it_is_the_objective() -> None:
    visits = [{"service": 10}, {"service": 10}, {"service": 10}, {"service": 10}]
    problem = single(*visits, count=2).replace(objective=Objective.LONGEST)
    uneven, even = (check(problem, Solution.of(r)) for r in ([[0, 1, 2, 3]], [[0, 3], [1, 2]]))
    assert (uneven.rank, even.rank) == ((0, 120, 80), (0, 100, 140))
    solved = make("alns").solve(problem, MaxIterations(200), seed=1)
    assert check(problem, solved.solution).rank[1] <= 100


def test_fewer_vehicles_rank_first_where_they_are_the_objective() -> None:
    problem = single({}, {}, count=2).replace(objective=Objective.VEHICLES, distance_cost=[5])
    one, two = (check(problem, Solution.of(r)) for r in ([[0, 1]], [[0], [1]]))
    assert one.rank == (0, 1, 200)
    assert two.rank == (0, 2, 300)


def test_locked_visits_that_cannot_be_served_make_a_problem_infeasible() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(100, 0, required=False, prize=5, tw=(0, 10))
    b.vehicle_type(locked=[0])
    result = make("alns").solve(b.build(), MaxIterations(100), seed=1)
    assert result.status is Status.INFEASIBLE


def test_a_larger_vehicle_is_found_that_pays_only_for_many_visits() -> None:
    """Two visits a trip of 2,000 or twenty in a vehicle that costs 50 more."""
    b = ProblemBuilder()
    b.depot(0, 0)
    for k in range(20):
        b.visit(1000 + k, k % 3, delivery=1)
    b.vehicle_type(count=20, capacity=2, open_end=True)
    b.vehicle_type(count=20, capacity=20, fixed_cost=50, open_end=True)
    for seed in range(3):
        result = make("alns").solve(b.build(), MaxIterations(2000), seed=seed)
        assert [route.vehicle_type for route in result.solution.routes] == [1]


def test_visits_that_pay_only_together_are_found() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    for k in range(10):
        b.visit(1000 + k, k % 3, delivery=1, prize=300, required=False)
    b.vehicle_type(count=2, capacity=10, open_end=True)
    for seed in range(3):
        result = make("alns").solve(b.build(), MaxIterations(2000), seed=seed)
        assert len(result.solution.served()) == 10


def test_of_equally_long_routes_the_cheaper_is_taken() -> None:
    """The vehicle that is cheaper by distance has the dearer overtime, or is dearer by the hour."""
    for plain, dear in (
        ({}, {"overtime_after": 9, "overtime_cost": 3}),
        ({"time_cost": 1}, {"time_cost": 2}),
    ):
        b = ProblemBuilder(objective=Objective.LONGEST)
        b.depot(0, 0)
        b.visit(10, 0, delivery=1)
        b.vehicle_type(capacity=1, **dear)
        b.vehicle_type(capacity=1, fixed_cost=2, **plain)
        result = make("alns").solve(b.build(), MaxIterations(500), seed=1)
        assert [route.vehicle_type for route in result.solution.routes] == [1]


@pytest.mark.parametrize(
    ("name", "feature"),
    [
        ("ortools", "backhauls"),
        *product(("ruin_recreate", "ortools", "savings"), ("pickup_delivery", "reloads", "vehicles_first")),
    ],
)
def test_solvers_refuse_what_they_do_not_know(name: str, feature: str) -> None:
    problem = random_problem((feature,), 1)
    assert feature in problem.features
    with pytest.raises(UnsupportedFeatureError, match=feature):
        make(name).solve(problem, MaxIterations(1), seed=1)


@pytest.mark.parametrize("feature", FEATURES)
def test_random_problems_use_the_feature_they_are_made_for(feature: str) -> None:
    assert feature in random_problem((feature,), 5).features


def greedy(problem: Problem, seed: int) -> Solution:
    """Visits and pairs appended in random order wherever nothing is violated; one is left out."""
    rng = np.random.default_rng(seed)
    locked = problem.vehicle_types.locked or ()
    solution = Solution.of(Route(kind, visits) for kind, visits in enumerate(locked) if visits)
    for visit in rng.permutation(problem.num_visits)[1:].tolist():
        if visit in solution.served():
            continue
        partner = problem.partner(visit)
        ends = (visit,)
        if partner is not None and problem.visits.pair is not None:
            ends = (partner, visit) if problem.visits.pair[visit] == partner else (visit, partner)
        grown = [
            Solution(
                (
                    *solution.routes[:i],
                    Route(r.vehicle_type, r.visits + ends, r.halts),
                    *solution.routes[i + 1 :],
                )
            )
            for i, r in enumerate(solution.routes)
        ]
        grown += [
            Solution((*solution.routes, Route(kind, ends)))
            for kind in range(len(problem.vehicle_types.count))
        ]
        sound = [s for s in grown if not check(problem, s).violations]
        if sound:
            solution = sound[int(rng.integers(len(sound)))]
    return solution


@given(case=st.sets(st.sampled_from(sorted(FEATURES)), max_size=5), seed=st.integers(0, 5_000))
def test_reasons_name_every_limit_of_the_route_they_propose(case: set[str], seed: int) -> None:
    problem = random_problem(case, seed)
    solution = greedy(problem, seed)
    explanation = explain(problem, solution)
    if not problem.vehicle_types.locked:  # what is locked may break rules by itself
        assert explanation.report.violations == ()
    assert {r.visit for r in explanation.unserved} == {
        *explanation.report.unserved,
        *explanation.report.left_out,
    }
    for reason in explanation.unserved:
        for place in reason.relaxations:
            routes = list(solution.routes)
            if place.route is None:
                routes.append(place.changed)
            else:
                routes[place.route] = place.changed
            after = check(problem, Solution(tuple(routes)))
            stated = sorted((x.code, x.amount) for x in place.limits if x.code != OBJECTIVE)
            if not explanation.report.violations:
                assert stated == sorted((v.code, v.amount) for v in after.violations)
            before, now = explanation.report.cost, after.cost
            assert place.cost == (now.total - now.prizes_lost) - (before.total - before.prizes_lost)
            if not place.limits:
                assert reason.code in (INSERTABLE, PRIZE_TOO_LOW)
                assert len(after.unserved + after.left_out) < len(explanation.unserved)
            if not stated and not problem.visits.required[reason.visit] and not explanation.report.violations:
                better = not place.limits and reason.code == INSERTABLE
                assert (after.rank < explanation.report.rank) == better


@pytest.mark.parametrize(
    ("objective", "words", "amount"),
    [
        (Objective.LONGEST, "the longest route lasts 40 longer, which counts more than its prize", 40),
        (Objective.VEHICLES, "one more route is driven, which counts more than its prize", 1),
    ],
)
def test_a_prize_does_not_outweigh_the_objective(objective: Objective, words: str, amount: int) -> None:
    optional = {"required": False, "prize": 500, "delivery": (9, 9), "service": 20}
    plain = single({"delivery": (9, 9)}, optional, count=2, capacity=(10, 10))
    problem = plain.replace(objective=objective)
    (reason,) = explain(problem, Solution.of([[0]])).unserved
    assert reason.code == OBJECTIVE
    assert reason.message.startswith(words)
    assert [(x.code, x.amount) for x in reason.relaxations[0].limits] == [(OBJECTIVE, amount)]
    (free,) = explain(plain, Solution.of([[0]])).unserved
    assert free.code == INSERTABLE


def test_a_pair_is_explained_as_a_whole() -> None:
    problem = single({"delivery": 9}, {"pickup": 12}, {"delivery": 12, "pickup_at": 1}, capacity=10, count=1)
    reasons = explain(problem, Solution.of([[0]])).unserved
    assert [r.visit for r in reasons] == [1, 2]
    assert all(r.code == "capacity" and "short by 2" in r.message for r in reasons)


def test_the_best_alternative_is_proposed() -> None:
    near = single({"group": "a", "tw": (0, 5)}, {"group": "a"}, count=1)
    reason = explain(near, Solution()).unserved[0]
    assert (reason.visit, reason.code, reason.relaxations[0].changed.visits) == (0, INSERTABLE, (1,))


def test_a_further_trip_is_proposed() -> None:
    problem = single({"delivery": 8}, {"delivery": 8}, count=1, reload_depots=[0])
    reason = explain(problem, Solution.of([[0]])).unserved[0]
    assert reason.code == INSERTABLE
    assert reason.relaxations[0].changed == Route(0, (0, 1), (Halt(1, 0),))
    limited = explain(problem.replace(max_reloads=[0]), Solution.of([[0]])).unserved[0]
    assert {r.code for r in limited.relaxations} == {"reload", "capacity", FLEET}


def test_breaks_are_taken_on_the_way_and_long_waits_are_breaks() -> None:
    rule = DutyRule(max_driving_between=35, break_time=8)
    problem = single({"tw": (15, 900)}, {}, {"tw": (50, 900)}, duty=rule, time_cost=1)
    run = schedule(problem, Route(0, (0, 1, 2)))
    # leaves at 5 for the first stop, reaches the third at 35 and waits 15 there: a break; 30 back
    assert (run.start_time, run.start[1:4], run.breaks, run.driving) == (5, (15, 25, 50), (), 60)
    assert run.end_time == 50 + 30
    short = schedule(problem.replace(tw=[[15, 900], [0, 900], [41, 900]]), Route(0, (0, 1, 2)))
    assert (short.breaks, short.end_time) == (((46, 8),), 41 + 30 + 8)


def test_a_break_may_be_taken_in_two_parts() -> None:
    rule = DutyRule(max_driving_between=25, break_time=9, first_part=3)
    problem = single({}, {"tw": (24, 900)}, duty=rule)
    run = schedule(problem, Route(0, (0, 1)))
    assert (run.start[2], run.breaks) == (24, ((29, 6),))
    assert schedule(problem.replace(duty=[[25, 9, 0, 0]]), Route(0, (0, 1))).breaks == ((29, 9),)


@pytest.mark.parametrize(
    ("rule", "hours", "breaks"),
    [(CHINA, 8.5, [20, 20]), (EU, 8.5, [45]), (US, 8.5, [30]), (US, 8, [])],
)
def test_hours_of_service_of_three_regions(rule: DutyRule, hours: float, breaks: list[int]) -> None:
    there = int(hours * 3600 / 2)
    b = ProblemBuilder()
    b.depot()
    b.visit()
    b.travel(Travel.of_matrices([[0, there], [there, 0]]))
    b.vehicle_type(duty=rule)
    report = check(b.build(), Solution.of([[0]]))
    assert [length // 60 for _, length in report.routes[0].schedule.breaks] == breaks
    too_long = 0 if not rule.max_driving else max(0, 2 * there - rule.max_driving)
    assert sum(v.amount for v in report.violations) == too_long


def test_a_broken_duty_rule_is_a_fault() -> None:
    for rule in (DutyRule(0, 5), DutyRule(9, 5, 5), DutyRule(9, 5, 0, -1)):
        with pytest.raises(InvalidInputError, match="duty-rule"):
            single({}, duty=rule)
