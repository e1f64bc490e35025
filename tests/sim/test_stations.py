"""Stations against the SimPy oracle, in any steps, with shifts, priorities and ties."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.stations import CapacityProfile, Station, StationChain
from tests.sim.oracle import run as oracle

DAY_S = 86_400
Times = dict[tuple[int, int], tuple[float, float, float]]


def profile(steps: Sequence[tuple[float, int]]) -> CapacityProfile:
    return CapacityProfile(
        np.array([time for time, _ in steps], np.float64), np.array([level for _, level in steps], np.int64)
    )


@st.composite
def capacities(draw: st.DrawFn) -> list[tuple[float, int]]:
    times = draw(st.lists(st.integers(0, 60), min_size=1, max_size=5, unique=True).map(sorted))
    return [(float(time), draw(st.integers(0, 3))) for time in times]


@st.composite
def cases(draw: st.DrawFn) -> tuple:
    """A chain with jobs; times on a coarse grid half of the time, so that most events coincide."""
    stages = draw(st.integers(1, 3))
    steps = [draw(capacities()) for _ in range(stages)]
    coarse = draw(st.booleans())
    unit = st.integers(0, 12).map(float) if coarse else st.floats(0, 12, allow_subnormal=False)
    transfer = [draw(unit) for _ in range(stages)]
    rows = draw(st.lists(st.integers(0, 99), min_size=1, max_size=25, unique=True))
    arrival = st.integers(0, 40).map(float) if coarse else st.floats(0, 40, allow_subnormal=False)
    jobs = [(row, draw(arrival), draw(st.integers(-1, 2)), draw(st.integers(0, stages - 1))) for row in rows]
    service = {(stage, row): draw(unit) for stage in range(stages) for row in rows}
    stops = draw(st.lists(arrival, max_size=8).map(sorted))
    return steps, transfer, jobs, service, stops


def run_chain(case: tuple, stops: Sequence[float], late: bool = False) -> tuple[Times, Times]:
    """Times of all starts, and of all finishes as the chain reports them; `late` submits at the last moment."""
    steps, transfer, jobs, service, _ = case
    chain = StationChain(
        [Station(f"s{k}", profile(steps[k]), transfer[k]) for k in range(len(steps))],
        lambda stage, rows: np.array([service[stage, row] for row in rows.tolist()], np.float64),
    )
    started: Times = {}
    finished: dict[tuple[int, int], float] = {}
    waiting = list(jobs)
    for stop in stops:
        due = [job for job in waiting if not late or job[1] <= stop]
        waiting = [job for job in waiting if job not in due]
        for row, arrive, priority, stage in due:
            chain.submit(np.array([row]), np.array([arrive]), np.array([priority]), stage)
        for step in chain.advance(stop):
            moved = step.started
            for i in range(len(moved)):
                key = (step.stage, int(moved.rows[i]))
                assert key not in started
                assert moved.start_s[i] <= stop
                started[key] = (moved.arrive_s[i], moved.start_s[i], moved.finish_s[i])
            assert (np.diff(moved.start_s) >= 0).all()
            assert (np.diff(step.finished_s) >= 0).all()
            for row, time in zip(step.finished_rows.tolist(), step.finished_s.tolist(), strict=True):
                finished[step.stage, row] = time
            station = chain.stations[step.stage]
            assert station.in_service == sum(
                begin <= stop < end for key, (_, begin, end) in started.items() if key[0] == step.stage
            )
    return started, finished


@given(cases())
def test_chain_equals_one_simpy_process_per_parcel(case: tuple) -> None:
    steps, transfer, jobs, service, _ = case
    expected = oracle(steps, transfer, jobs, lambda stage, row: service[stage, row], 1e6)
    started, finished = run_chain(case, [1e6])
    assert started == expected
    assert finished == {key: times[2] for key, times in expected.items()}


@given(cases())
def test_steps_change_nothing(case: tuple) -> None:
    stops = [*case[4], math.inf]
    assert run_chain(case, stops) == run_chain(case, [math.inf])
    assert run_chain(case, stops, late=True) == run_chain(case, [math.inf])


@given(cases())
def test_stops_cut_where_they_say(case: tuple) -> None:
    steps, transfer, jobs, service, stops = case
    until = stops[-1] if stops else 20.0
    expected = oracle(steps, transfer, jobs, lambda stage, row: service[stage, row], until)
    started, _ = run_chain(case, [until])
    assert started == expected


@given(cases())
def test_next_event_is_never_later_than_the_next_start(case: tuple) -> None:
    """Stepping from event to event meets every start at the very event."""
    steps, _, jobs, service, _ = case
    station = Station("s", profile(steps[0]))
    rows = np.array([job[0] for job in jobs])
    station.submit(
        rows,
        np.array([job[1] for job in jobs]),
        np.array([service[0, row] for row in rows.tolist()]),
        np.array([job[2] for job in jobs]),
    )
    seen = 0
    while (event := station.next_event_s()) < math.inf:
        started = station.advance(event)
        assert (started.start_s == event).all()
        seen += len(started)
    assert seen + station.in_queue == rows.size
    assert len(station.advance(math.inf)) == 0


def test_large_random_case_equals_oracle() -> None:
    """Grows the arrays, opens many priority classes and mixes late with early submissions."""
    generator = np.random.default_rng(3)
    n = 3000
    jobs = [
        (row, float(arrive), int(priority), 0)
        for row, (arrive, priority) in enumerate(
            zip(generator.integers(0, 5000, n), generator.integers(0, 40, n), strict=True)
        )
    ]
    service = generator.exponential(8.0, (2, n))
    steps = [[(0.0, 3), (1000.0, 0), (1500.0, 6)], [(0.0, 5)]]
    case = (steps, [30.0, 0.0], jobs, {(k, r): float(service[k, r]) for k in range(2) for r in range(n)}, [])
    expected = oracle(steps, [30.0, 0.0], jobs, lambda stage, row: float(service[stage, row]), 1e9)
    assert run_chain(case, [math.inf])[0] == expected
    assert run_chain(case, [*np.arange(0.0, 5000.0, 97.0), math.inf], late=True)[0] == expected


def test_late_submission_for_the_present_instant_takes_its_place_in_line() -> None:
    station = Station("s", CapacityProfile.constant(1))
    one = np.array([1.0])
    station.submit(np.array([5, 9]), np.array([0.0, 0.0]), np.array([4.0, 4.0]), np.array([0, 0]))
    assert station.advance(0.0).rows.tolist() == [5]
    station.submit(np.array([7]), 0 * one, one, np.array([0]))
    started = station.advance(math.inf)
    assert started.rows.tolist() == [7, 9]
    assert started.start_s.tolist() == [4.0, 5.0]


def test_capacity_drop_lets_running_jobs_finish() -> None:
    station = Station("s", profile([(0.0, 3), (5.0, 1)]))
    rows = np.arange(5)
    station.submit(rows, np.zeros(5), np.array([10.0, 12.0, 14.0, 1.0, 1.0]), np.zeros(5))
    assert station.advance(6.0).start_s.tolist() == [0.0, 0.0, 0.0]
    assert (station.in_service, station.in_queue, station.expected) == (3, 2, 0)
    assert station.advance(math.inf).start_s.tolist() == [14.0, 15.0]


def test_shifts_over_midnight_closures_and_overlaps() -> None:
    capacity = CapacityProfile.of_shifts(
        [(8 * 3600, 16 * 3600, 5), (12 * 3600, 20 * 3600, 2), (22 * 3600, 6 * 3600, 3)],
        horizon_days=2,
        closures=[(9 * 3600, 10 * 3600, 4), (13 * 3600, 14 * 3600, None), (DAY_S, DAY_S + 3600, 99)],
    )
    by_hour = [capacity.level_at(hour * 3600.0) for hour in range(56)]
    day = [3] * 6 + [0] * 2 + [5] * 4 + [7] * 4 + [2] * 4 + [0] * 2 + [3] * 2
    expected = day * 2 + [3] * 6 + [0] * 2
    expected[9], expected[13], expected[24] = 1, 0, 0
    assert by_hour == expected
    assert capacity.level_at(-1.0) == 0
    assert capacity.server_seconds(0.0, 56 * 3600.0) == 3600.0 * sum(expected)
    assert capacity.server_seconds(1800.0, 9.5 * 3600.0) == 3600.0 * (5.5 * 3 + 5 + 0.5)
    assert capacity.server_seconds(-10.0, 0.0) == 0.0


@given(
    st.lists(st.tuples(st.integers(0, DAY_S - 1), st.integers(0, DAY_S - 1), st.integers(0, 4)), max_size=4),
    st.integers(1, 3),
    st.lists(
        st.tuples(
            st.integers(-DAY_S, 3 * DAY_S), st.integers(0, DAY_S), st.one_of(st.none(), st.integers(0, 5))
        ).map(lambda closure: (closure[0], closure[0] + closure[1], closure[2])),
        max_size=3,
    ),
    st.lists(st.integers(0, 4 * DAY_S), min_size=1, max_size=5),
)
def test_shifts_equal_counting_at_a_moment(
    shifts: list, days: int, closures: list, moments: list[int]
) -> None:
    capacity = CapacityProfile.of_shifts(shifts, days, closures)
    for moment in moments:
        present = 0
        for start, end, servers in shifts:
            length = end - start if end > start else end - start + DAY_S
            present += servers * sum(
                d * DAY_S + start <= moment < d * DAY_S + start + length for d in range(-1, days)
            )
        lost = [missing for start, end, missing in closures if start <= moment < end]
        expected = 0 if None in lost else max(0, present - sum(lost))
        assert capacity.level_at(moment) == expected


def test_refuses_what_it_cannot_honour() -> None:
    station = Station("packing", CapacityProfile.constant(1))
    station.advance(10.0)
    one = np.array([1])
    with pytest.raises(ValueError, match=r"packing: row 1 arrives at 9.0, but the clock stands at 10.0"):
        station.submit(one, np.array([9.0]), np.array([1.0]), one)
    for bad in (-1.0, math.nan, math.inf):
        with pytest.raises(ValueError, match="service time"):
            station.submit(one, np.array([10.0]), np.array([bad]), one)
    with pytest.raises(ValueError, match="differ in length"):
        station.submit(one, np.array([10.0, 11.0]), np.array([1.0]), one)
    with pytest.raises(ValueError, match="cannot go back"):
        station.advance(9.0)
    assert (station.in_queue, station.in_service, station.expected) == (0, 0, 0)
    with pytest.raises(ValueError, match="transfer"):
        Station("packing", CapacityProfile.constant(1), -1.0)
    with pytest.raises(ValueError, match="ascend"):
        profile([(1.0, 1), (1.0, 2)])
    with pytest.raises(ValueError, match="zero or more"):
        CapacityProfile.constant(-1)
    with pytest.raises(ValueError, match="one level"):
        profile([])
    with pytest.raises(ValueError, match="horizon"):
        CapacityProfile.of_shifts([], 0)
    with pytest.raises(ValueError, match="shift from"):
        CapacityProfile.of_shifts([(-1, 5, 1)], 1)
    with pytest.raises(ValueError, match="closure from"):
        CapacityProfile.of_shifts([(1, 5, 1)], 1, [(5, 4, 1)])
    with pytest.raises(ValueError, match="at least one station"):
        StationChain([], lambda stage, rows: np.zeros(rows.size))
