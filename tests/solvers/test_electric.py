"""Electric vehicles: how much is charged, where, what the checker says, and that nothing better exists."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from solvers import (
    Battery,
    Halt,
    InvalidInputError,
    MaxIterations,
    Problem,
    ProblemBuilder,
    Route,
    Solution,
    UnsupportedFeatureError,
    make,
    registered,
)
from solvers.battery import charge_plan
from solvers.charging import recharged
from solvers.check import check
from solvers.explain import INSERTABLE, explain
from solvers.native import dump_solution, load_solution
from solvers.schedule import schedule
from tests.conformance.problems import random_problem


def line(
    battery: Battery, *visits: dict[str, Any], station: int = 25, hours: int = 90, **vehicle: Any
) -> Problem:
    """A depot at 0, a station on the same line, visits at 10, 20, ..."""
    b = ProblemBuilder()
    b.depot(0, 0)
    b.depot(station, 0, tw=(0, hours), name="station")
    for i, details in enumerate(visits):
        b.visit(10 * (i + 1), 0, delivery=1, **details)
    b.vehicle_type(battery=battery, **{"capacity": 9, "stations": [1], **vehicle})
    return b.build()


def test_a_vehicle_charges_as_little_as_brings_it_on() -> None:
    problem = line(Battery(50, 1, 4, reserve=3, cost=2), {}, {}, {"service": 5}, time_cost=1)
    route = Route(0, (0, 1, 2), (Halt(2, 1, charge=True),))
    report = check(problem, Solution((route,)))
    run = report.routes[0].schedule
    # 60 to drive with 47 to spend: 13 are lacking at 25, four units of time bring 16 of which 3 are left over
    assert run.energy == (50, 40, 30, 25, 36, 6)
    assert run.charged == (0, 0, 0, 16, 0, 0)
    assert (run.start[3], run.departure[3], run.duration) == (25, 29, 60 + 5 + 4)
    assert report.feasible
    assert (report.cost.energy, report.cost.total) == (32, 60 + 69 + 32)
    assert run.load == ((3,), (2,), (1,), (1,), (0,))  # a stop to charge is not the end of a trip


def test_the_battery_is_short_by_what_a_larger_one_would_have_to_hold() -> None:
    battery = Battery(50, 1, 4, reserve=3)
    short = check(line(battery, {}, {}, {}), Solution.of([[0, 1, 2]]))
    assert [(v.code, v.amount) for v in short.violations] == [("battery", 13)]
    assert "battery short by 13" in short.violations[0].message
    assert check(line(Battery(63, 1, 4, reserve=3), {}, {}, {}), Solution.of([[0, 1, 2]])).feasible
    # with the station, too, a battery that holds 20 cannot reach it
    stop = Solution((Route(0, (0, 1, 2), (Halt(2, 1, charge=True),)),))
    assert [
        (v.code, v.amount) for v in check(line(Battery(23, 1, 4, reserve=3), {}, {}, {}), stop).violations
    ] == [("battery", 15)]


def test_stations_have_hours_and_belong_to_a_type() -> None:
    battery, stop = Battery(50, 1, 1), Solution((Route(0, (0, 1, 2), (Halt(2, 1, charge=True),)),))
    late = check(line(battery, {}, {"tw": (100, 200)}, {}), stop)
    assert [(v.code, v.amount) for v in late.violations] == [("station", 15)]
    assert [v.code for v in check(line(battery, {}, {}, {}, stations=[0]), stop).violations] == ["station"]
    home = check(line(battery, {}, {}, {}, stations=[]), stop)
    assert [v.message for v in home.violations] == ["route 0: the vehicle cannot charge at station"]
    unknown = Solution((Route(0, (0,), (Halt(1, 7, charge=True),)),))
    assert "unknown-depot" in [v.code for v in check(line(battery, {}), unknown).violations]


def test_charging_delays_what_comes_after_it() -> None:
    battery = Battery(50, 1, 1)
    stop = Solution((Route(0, (0, 1, 2), (Halt(2, 1, charge=True),)),))
    for closes, missed in ((40, []), (39, [("time-window", 1)])):
        report = check(line(battery, {}, {}, {"tw": (0, closes)}), stop)
        assert [(v.code, v.amount) for v in report.violations] == missed
    for ends, missed in ((70, []), (68, [("late-return", 2)])):
        report = check(line(battery, {}, {}, {}, shift=(0, ends)), stop)
        assert [(v.code, v.amount) for v in report.violations] == missed


@settings(max_examples=150)
@given(st.data())
def test_no_other_amounts_bring_the_vehicle_anywhere_earlier(data: st.DataObject) -> None:
    stops = data.draw(st.integers(1, 5))
    used = [0, *(data.draw(st.integers(0, 8)) for _ in range(stops))]
    charges = [False, *(data.draw(st.booleans()) for _ in range(stops - 1)), False][: stops + 1]
    opens = [data.draw(st.integers(0, 20)) for _ in range(stops + 1)]
    capacity = data.draw(st.integers(4, 12))
    initial = data.draw(st.integers(0, capacity))
    reserve = data.draw(st.integers(0, initial))
    battery = Battery(capacity, 1, data.draw(st.integers(1, 4)), initial, reserve)
    plan = charge_plan(battery, used, charges)
    times = drive(used, opens, plan.times)
    possible = [
        drive(used, opens, amounts)
        for amounts in product(*(range(capacity + 1) if c else (0,) for c in charges))
        if lasts(battery, used, amounts)
    ]
    assert (min(plan.energy[1:]) >= reserve) == bool(possible)
    for others in possible:
        assert all(a <= b for a, b in zip(times, others, strict=True))


def drive(used: list[int], opens: list[int], stays: tuple[int, ...]) -> list[int]:
    """Arrivals, where legs last as long as the energy they use."""
    now, arrivals = 0, []
    for leg, opening, stay in zip(used, opens, stays, strict=True):
        arrivals.append(now + leg)
        now = max(now + leg, opening) + stay
    return arrivals


def lasts(battery: Battery, used: list[int], stays: tuple[int, ...]) -> bool:
    level = battery.at_start
    for leg, stay in zip(used, stays, strict=True):
        level -= leg
        if level < battery.reserve:
            return False
        level = min(battery.capacity, level + battery.rate * stay)
    return True


def all_stops(problem: Problem, visits: tuple[int, ...], most: int) -> Iterator[Route]:
    """The route with every choice of up to `most` stops to charge."""
    stations = (problem.vehicle_types.stations or ((),))[0]
    for count in range(most + 1):
        for before in product(range(len(visits) + 1), repeat=count):
            if list(before) == sorted(before):
                for places in product(stations, repeat=count):
                    halts = (Halt(b, p, charge=True) for b, p in zip(before, places, strict=True))
                    yield Route(0, visits, tuple(halts))


def little(data: st.DataObject, visits: int) -> Problem:
    """A few visits and two stations in the plane, batteries that do not last long."""
    b = ProblemBuilder()
    place = st.integers(0, 12)
    b.depot(6, 6)
    for _ in range(2):
        b.depot(data.draw(place), data.draw(place))
    for _ in range(visits):
        b.visit(data.draw(place), data.draw(place), delivery=1)
    capacity = data.draw(st.integers(8, 24))
    initial = data.draw(st.integers(capacity // 2, capacity))
    b.vehicle_type(
        count=data.draw(st.integers(1, 2)),
        capacity=visits,
        battery=Battery(capacity, 1, 3, initial, data.draw(st.integers(0, 2))),
        stations=[1, 2],
        fixed_cost=3,
    )
    return b.build()


@settings(max_examples=60)
@given(st.data())
def test_the_stops_chosen_make_the_route_shortest(data: st.DataObject) -> None:
    problem = little(data, 2)
    route = recharged(problem, Route(0, (0, 1)))
    found = [check(problem, Solution((r,))) for r in all_stops(problem, (0, 1), 3)]
    report = check(problem, Solution((route,)))
    least = [r.cost.distance for r in found if not r.violations]
    if not route.halts:
        assert found[0].violations == report.violations
    elif least:
        assert not report.violations
        assert report.cost.distance <= min(least)  # less, where more than three stops are shorter
    lack = min(sum(v.amount for v in r.violations) for r in found)
    assert sum(v.amount for v in report.violations) <= lack


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_the_search_finds_the_best_plan_of_small_problems(data: st.DataObject) -> None:
    problem = little(data, 3)
    whole = range(problem.num_visits)
    best: dict[frozenset[int], int] = {frozenset(): 0}
    for count in (1, 2, 3):
        for visits in permutations(whole, count):
            for route in all_stops(problem, visits, 3):
                report = check(problem, Solution((route,)))
                if not report.violations:
                    key = frozenset(visits)
                    best[key] = min(best.get(key, 10**9), report.cost.total)
    pairs = product(best, best) if problem.vehicle_types.count[0] == 2 else ((a, frozenset()) for a in best)
    ranks = [
        (len(whole) - len(a | b), best[a] + best[b]) for a, b in pairs if not a & b
    ]  # two vehicles at most
    result = make("alns").solve(problem, MaxIterations(300), seed=1)
    report = check(problem, result.solution)
    assert report.violations == ()
    assert (len(report.unserved), report.cost.total) <= min(ranks)


def test_a_start_is_never_worsened() -> None:
    for seed in range(4):
        problem = random_problem(("electric", "time_windows"), seed)
        start = make("alns").solve(problem, MaxIterations(300), seed=2).solution
        result = make("alns").solve(problem, MaxIterations(1), seed=3, start=start)
        assert check(problem, result.solution).rank <= check(problem, start).rank


def test_a_visit_too_far_is_explained_by_the_battery() -> None:
    problem = line(Battery(50, 1, 4, reserve=4), {}, {}, {}, {}, {}, {}, {}, station=35, hours=999, count=1)
    reason = explain(problem, Solution.of([[0, 1]])).unserved[-1]
    # it stands at 70, the station at 35: from there and back is 70, with 46 to spend
    assert (reason.visit, reason.code) == (6, "battery")
    best = reason.relaxations[0]
    assert best.limits[0].what.endswith(f"battery short by {70 - 46}")
    assert {halt.place for halt in best.changed.halts} == {1}
    granted = problem.replace(battery=[[50 + 24, 1, 4, 50 + 24, 4, 0]])
    assert check(granted, Solution((best.changed,))).violations == ()


def test_a_stop_to_charge_is_proposed_with_the_visit() -> None:
    problem = line(Battery(50, 1, 4), {}, {}, {}, count=1)
    explanation = explain(problem, Solution.of([[0, 1]]))
    reason = explanation.unserved[0]
    assert reason.code == INSERTABLE
    assert [halt.place for halt in reason.relaxations[0].changed.halts] == [1]
    assert explanation.routes[0].spare_energy == 10


@pytest.mark.parametrize(
    ("battery", "stations", "code"),
    [
        (Battery(0, 1, 1), [1], "battery"),
        (Battery(9, 1, 0), [1], "battery"),
        (Battery(9, -1, 1), [1], "battery"),
        (Battery(9, 1, 1, initial=10), [1], "battery"),
        (Battery(9, 1, 1, initial=3, reserve=4), [1], "battery"),
        (Battery(9, 1, 1), [4], "no-such-depot"),
        (None, [1], "no-battery"),
    ],
)
def test_faults_are_told(battery: Battery | None, stations: list[int], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        line(battery, {}, stations=stations)  # type: ignore[arg-type]
    assert code in [fault.code for fault in caught.value.faults]


def test_plans_with_stops_to_charge_survive_files(tmp_path: Path) -> None:
    problem = line(Battery(50, 1, 4), {}, {}, {})
    plan = Solution((Route(0, (0, 1, 2), (Halt(2, 1, charge=True), Halt(3, 1, charge=True))),))
    for name in ("plan.json", "plan.sol"):
        dump_solution(problem, plan, tmp_path / name)
        assert load_solution(tmp_path / name, problem) == plan
    both = line(Battery(50, 1, 4), {}, {}, {}, reload_depots=[1])
    with pytest.raises(UnsupportedFeatureError, match="charging"):
        dump_solution(both, plan, tmp_path / "plan.sol")


def test_other_solvers_refuse_by_name() -> None:
    problem = line(Battery(50, 1, 4), {}, {})
    for name in ("savings", "ruin_recreate", "genetic", "ant_colony", "ortools"):
        assert name in registered()
        with pytest.raises(UnsupportedFeatureError, match="electric"):
            make(name).solve(problem, MaxIterations(1), seed=1)


def test_trips_and_charging_go_together() -> None:
    problem = line(Battery(40, 1, 5), {}, {}, {}, reload_depots=[0], capacity=2, station=5)
    halts = (Halt(2, 0), Halt(2, 0, charge=True))
    run = schedule(problem.replace(stations=[[0, 1]]), Route(0, (0, 1, 2), halts))
    assert (run.trips, run.load) == ((0, 0, 0, 1, 1, 1, 1), ((2,), (1,), (0,), (1,), (1,), (0,)))
    # of the 60 that the second trip takes no more fits than 40
    assert (run.energy, run.charged) == ((40, 30, 20, 0, 0, 10, -20), (0, 0, 0, 0, 40, 0, 0))
    assert (run.arrival[4], run.departure[4]) == (40, 40 + 8)
