"""Speeds that change with the hour: first in, first out; departures are optimal; files are read and checked."""

from __future__ import annotations

import dataclasses
import gzip
import json
import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solvers import InvalidInputError, Problem, ProblemBuilder, Route, Solution, Travel
from solvers.breaks import run_with_breaks
from solvers.check import check
from solvers.duty import DutyRule, rule_of
from solvers.itinerary import itinerary
from solvers.readers import read, read_sol
from solvers.schedule import latest_departure, schedule
from solvers.speeds import SpeedRule, Speeds
from solvers.time_dependent import Arcs
from tests.conformance.problems import random_problem

DataDir = Callable[[str], Path]

rules = st.builds(
    lambda gaps, values: SpeedRule([0.0, *np.cumsum(gaps).tolist()], values[: len(gaps) + 1]),
    st.lists(st.floats(0.5, 50), min_size=1, max_size=4),
    st.lists(st.floats(0.2, 4), min_size=5, max_size=5),
)


@given(rules, st.floats(-20, 200), st.floats(0, 10), st.floats(0, 300))
def test_who_leaves_later_arrives_later_and_leaving_is_the_inverse(
    rule: SpeedRule, leave: float, later: float, length: float
) -> None:
    arrive = rule.arrive(leave, length)
    assert rule.arrive(leave + later, length) >= arrive - 1e-9
    assert rule.leave(arrive, length) == pytest.approx(leave, abs=1e-9)


@given(rules, st.floats(-20, 200), st.floats(0.1, 300))
def test_arrival_is_where_the_length_is_driven(rule: SpeedRule, leave: float, length: float) -> None:
    arrive = rule.arrive(leave, length)
    edges = [leave, *(c for c in rule.changes if leave < c < arrive), arrive]
    driven = 0.0
    for a, b in pairwise(edges):
        period = sum(c <= (a + b) / 2 for c in rule.changes)
        driven += (b - a) * rule.values[period]
    assert driven == pytest.approx(length)


def test_speed_changes_under_way_and_times_are_rounded_once() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0, service=1, tw=(0, 100))
    b.travel(Travel.of_matrices([[0, 10], [10, 0]]))
    b.vehicle_type(time_cost=1, distance_cost=0)
    slow = Speeds.of([0, 4], [1.0, 3.0])
    base = b.build()
    problem = base.replace(travel=(Travel(base.travel[0].distance, base.travel[0].duration, speeds=slow),))
    assert problem.features == {"time_windows", "time_costs", "time_dependent"}
    run = schedule(problem, Route(0, (0,)))
    # left at 4 or later, each way takes 10/3; earlier takes longer
    assert (run.start_time, run.end_time) == (4, 12)
    assert check(problem.replace(tw=[[0, 5]]), Solution.of([[0]])).violations[0].amount == 1


@given(
    st.integers(0, 400),
    st.sets(st.sampled_from(["several_windows", "soft_windows", "overtime", "open_routes", "reloads"])),
)
def test_no_departure_costs_less(seed: int, more: set[str]) -> None:
    problem = random_problem({"time_dependent", "time_windows", "time_costs", *more}, seed, most=5)
    rng = np.random.default_rng(seed)
    kind = int(rng.integers(len(problem.vehicle_types.count)))
    route = Route(kind, tuple(rng.permutation(problem.num_visits)[:3].tolist()))
    plan = itinerary(problem, route)
    arcs = Arcs(problem, route, plan)
    t, v = problem.vehicle_types, problem.visits
    latest, _ = latest_departure(problem, route)

    def cost(leave: float) -> float | None:
        now, total, last = leave, 0.0, len(plan.nodes) - 1
        for i in range(1, last):
            now = plan.start(i, arcs.arrive(i - 1, now))
            if now > plan.closes[i]:
                return None
            if v.late_cost is not None:
                total += float(v.late_cost[plan.visits[i]]) * max(0.0, now - plan.due[i])
            now += plan.work[i]
        now = arcs.arrive(last - 1, now)
        if now > int(t.shift[kind, 1]):
            return None
        total += float(t.time_cost[kind]) * (now - leave)
        if t.overtime_cost is not None and t.overtime_after is not None:
            total += float(t.overtime_cost[kind]) * max(0.0, now - leave - float(t.overtime_after[kind]))
        return total

    report = check(problem, Solution((route,)))
    late = {"time-window", "late-return"} & {x.code for x in report.violations}
    grid = {
        leave: cost(leave) for leave in np.linspace(plan.leave, max(latest + 3, plan.leave), 400).tolist()
    }
    possible = {leave: c for leave, c in grid.items() if c is not None}
    if late:
        assert not possible
        return
    parts = report.cost
    slack = 3 + 10 * float(t.time_cost[kind])
    assert min(possible.values(), default=np.inf) >= parts.time + parts.overtime + parts.lateness - slack
    assert all(leave <= latest + 1 for leave in possible)


def routes_with_breaks(seed: int, more: set[str], most: int = 7) -> Iterator[tuple[Problem, Route, DutyRule]]:
    """Random routes of a problem with breaks, of types that need them."""
    problem = random_problem({"breaks", "time_windows", *more}, seed, most)
    rng = np.random.default_rng(seed)
    for _ in range(5):
        kind = int(rng.integers(len(problem.vehicle_types.count)))
        rule = rule_of(problem.vehicle_types.duty, kind)
        if rule is not None:
            yield problem, Route(kind, tuple(rng.permutation(problem.num_visits)[:5].tolist())), rule


@given(
    st.integers(0, 2000),
    st.sets(st.sampled_from(["several_windows", "overtime", "open_routes", "time_costs"])),
)
def test_even_speeds_change_nothing_for_a_driver_who_needs_breaks(seed: int, more: set[str]) -> None:
    for problem, route, _ in routes_with_breaks(seed, more):
        plain = problem.replace(travel=tuple(travel.materialise(problem.coords) for travel in problem.travel))
        even = tuple(dataclasses.replace(t, speeds=Speeds.of([0, 50, 90], [1, 1, 1])) for t in plain.travel)
        assert schedule(problem.replace(travel=even), route) == schedule(plain, route)


def driven(rule: SpeedRule, leave: float, arrive: float) -> float:
    """The length driven between two times, period by period."""
    ends = [-math.inf, *rule.changes, math.inf]
    spans = zip(pairwise(ends), rule.values, strict=True)
    return sum(max(0.0, min(b, arrive) - max(a, leave)) * speed for (a, b), speed in spans)


@given(st.integers(0, 2000), st.sets(st.sampled_from(["several_windows", "release_times", "open_routes"])))
def test_breaks_fall_where_the_driving_time_by_the_hour_reaches_its_limit(seed: int, more: set[str]) -> None:
    for problem, route, rule in routes_with_breaks(seed, {"time_dependent", *more}):
        plan = itinerary(problem, route)
        arcs = Arcs(problem, route, plan)
        (arrival, start, departure), breaks, total = run_with_breaks(problem, route, plan, rule)
        left, since, in_all, part = list(breaks), 0.0, 0.0, False
        for i in range(1, len(plan.nodes)):
            now, length = departure[i - 1], 0.0
            while left and left[0][0] <= arrival[i] + 1e-6:
                begun, rest = left.pop(0)
                assert rest == rule.break_time - rule.first_part * part
                assert since + begun - now == pytest.approx(rule.max_driving_between, abs=2e-3)
                length += driven(arcs.rules[i - 1], now, begun)
                in_all += begun - now
                now, since, part = begun + rest, 0.0, False
            length += driven(arcs.rules[i - 1], now, arrival[i])
            assert length == pytest.approx(arcs.lengths[i - 1], abs=1e-6)
            in_all += arrival[i] - now
            since += arrival[i] - now
            assert since <= rule.max_driving_between + 2e-3
            if i == len(plan.nodes) - 1:
                break
            assert start[i] == plan.start(i, arrival[i])
            assert departure[i] == start[i] + plan.work[i]
            wait = start[i] - arrival[i]
            if i > 1 and wait >= rule.break_time - rule.first_part * part - 1e-3:
                since, part = 0.0, False
            elif i > 1 and rule.first_part and wait >= rule.first_part - 1e-3:
                part = True
        assert not left
        assert total == pytest.approx(in_all)
        run = schedule(problem, route)
        assert [length for _, length in run.breaks] == [length for _, length in breaks]
        assert run.driving == math.floor(total + 0.5)


def by_hour(speeds: Speeds, duty: DutyRule, **visit: Any) -> Problem:
    """A depot and a visit at a length of 10."""
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(10, 0, **visit)
    b.vehicle_type(duty=duty)
    b.travel(
        Travel(Travel.of_matrices([[0, 10], [10, 0]]).distance, np.array([[0, 10], [10, 0]]), speeds=speeds)
    )
    return b.build()


@pytest.mark.parametrize(
    ("speeds", "duty", "opens", "leaves", "arrives", "breaks", "ends"),
    [
        # 10 there, 1 of the way back at full speed and 9 at half of it take 20; a break; 4.5 are left
        (([0, 11], [1, 0.5]), DutyRule(20, 5), 0, 0, 10, ((20, 5),), 34),
        # just in time for a visit that opens at 20: the slow hour begins at 12, so 4 at half speed, 6 before
        (([0, 12], [1, 0.5]), DutyRule(30, 5), 20, 6, 20, ((36, 5),), 45),
        # a break falls on the way: leaving at 0 it arrives at 15, leaving 6 later it would be slowed down too much
        (([0, 16], [1, 0.5]), DutyRule(8, 5), 21, 0, 15, ((8, 5), (27, 5), (40, 5)), 51),
    ],
)
def test_one_route_with_breaks_by_hand(
    speeds: tuple[list[float], list[float]],
    duty: DutyRule,
    opens: int,
    leaves: int,
    arrives: int,
    breaks: tuple[tuple[int, int], ...],
    ends: int,
) -> None:
    run = schedule(by_hour(Speeds.of(*speeds), duty, tw=(opens, 900)), Route(0, (0,)))
    assert (run.start_time, run.arrival[1], run.breaks, run.end_time) == (leaves, arrives, breaks, ends)
    assert run.start[1] == max(opens, arrives)


def test_best_known_solutions_check_out_to_nine_digits(data_dir: DataDir) -> None:
    instances = sorted(data_dir("routing/tdvrptw-lera").rglob("*.vrp.json"))
    assert len(instances) >= 100
    for path in instances:
        problem = read(path, "family")
        solution, stated = read_sol(str(path).replace(".vrp.json", ".bks.Duration.json"), problem)
        report = check(problem, solution)
        assert report.feasible, (path.name, report.violations[:3])
        assert report.cost.total / problem.cost_scale == pytest.approx(stated, rel=1e-9), path.name


def content() -> dict[str, Any]:
    return {
        "instance_name": "tiny",
        "num_vehicles": 2,
        "vehicle_capacity": 9,
        "coordinates": [[0, 0], [3, 4]],
        "demands": [0, 2],
        "service_times": [0, 5],
        "time_windows": [[0, 90], [1, 50]],
        "depot": 0,
        "td": {
            "model": "igp-profile",
            "time_periods": [[0, 30], [30, 90]],
            "speeds": [[1, 2], [2, 1]],
            "categories_path": "tiny.igp.json.gz",
        },
    }


def write(folder: Path, change: Callable[[dict[str, Any]], Any], rows: list[str]) -> Path:
    made = content()
    change(made)
    (folder / "tiny.igp.json.gz").write_bytes(gzip.compress(json.dumps({"categories": rows}).encode()))
    path = folder / "tiny.vrp.json"
    path.write_text(json.dumps(made))
    return path


def test_mamut_file(tmp_path: Path) -> None:
    problem: Problem = read(write(tmp_path, lambda c: None, ["01", "10"]), "family")
    assert (problem.name, problem.num_visits, problem.cost_scale) == ("tiny", 1, 10_000_000)
    marked = tmp_path / "tiny.vrp.json"
    marked.write_text(marked.read_text(), encoding="utf-8-sig")
    assert read(marked, "family").num_visits == 1
    assert check(problem, Solution.of([[0]])).cost.total / problem.cost_scale == 5 / 2 + 5 + 5 / 2
    (tmp_path / "x.bks.Duration.json").write_text('{"routes": [[1]], "cost": 10.0}')
    assert read_sol(tmp_path / "x.bks.Duration.json", problem) == (Solution.of([[0]]), 10.0)
    (tmp_path / "x.bks.Duration.json").write_text('{"routes": [[2]], "cost": 10.0}')
    with pytest.raises(InvalidInputError, match=r"routes\[0\]\[0\]"):
        read_sol(tmp_path / "x.bks.Duration.json", problem)


@pytest.mark.parametrize(
    ("change", "rows", "place"),
    [
        (lambda c: c.pop("demands"), ["01", "10"], "demands"),
        (lambda c: c["demands"].append(1), ["01", "10"], "demands"),
        (lambda c: c.update(demands=[1, 2]), ["01", "10"], "demands[0]"),
        (lambda c: c.update(num_vehicles=0), ["01", "10"], "num_vehicles"),
        (lambda c: c.update(vehicle_capacity=10**30), ["01", "10"], "vehicle_capacity"),
        (lambda c: c["time_windows"].__setitem__(1, [1, 1e18]), ["01", "10"], "time_windows[1][1]"),
        (lambda c: c.update(time_windows=[[0, 90], [50, 1]]), ["01", "10"], "time_windows[1]"),
        (lambda c: c["td"].update(speeds=[[1, 0], [2, 1]]), ["01", "10"], "td"),
        (lambda c: c["td"].update(time_periods=[[0, 30], [31, 90]]), ["01", "10"], "td.time_periods[1]"),
        (lambda c: c["td"].update(categories_sha256="0"), ["01", "10"], "td.categories_sha256"),
        (lambda c: c["td"].update(categories_path="none.gz"), ["01", "10"], ""),
        (lambda c: None, ["01"], "td.categories_path"),
        (lambda c: None, ["01", "1²"], "td.categories_path"),
        (lambda c: None, ["09", "90"], "td"),
    ],
)
def test_malformed_files_are_told(change: Any, rows: list[str], place: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        read(write(tmp_path, change, rows), "family")
    assert place in [fault.place for fault in caught.value.faults]
