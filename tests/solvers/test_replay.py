"""Replays of a plan: sampled factors have the moments they should, luck is shared, violations are counted."""

from __future__ import annotations

import numpy as np
import pytest

from solvers import MaxIterations, Problem, ProblemBuilder, Solution, UnsupportedFeatureError, make
from solvers.check import check
from solvers.replay import _leg_factors, _with_demands, replay
from tests.conformance.problems import random_problem


def line(capacity: int = 300, closes: int = 10_000) -> Problem:
    """Three visits in a row; time costs as much as distance."""
    b = ProblemBuilder()
    b.depot(0, 0, tw=(0, 100_000))
    for x in (1000, 2000, 3000):
        b.visit(x, 0, delivery=100, tw=(0, closes))
    b.vehicle_type(capacity=capacity, time_cost=1)
    return b.build()


PLAN = Solution.of([(0, 1, 2)])


def test_without_variation_a_sample_is_the_plan() -> None:
    problem = random_problem(("time_windows", "pickups", "time_costs"), 4)
    plan = make("savings").solve(problem, MaxIterations(200), seed=1).solution
    found = replay(problem, plan, 5, 1, demand_cv=0, travel_cv=0)
    assert set(found.cost.tolist()) == {check(problem, plan).cost.total}
    assert (found.sound_share, found.broken) == (1.0, {})


def test_factors_have_mean_one_and_the_given_variation() -> None:
    hops = [(i, i + 1) for i in range(20_000)]
    factors = _leg_factors(hops, 1, 0, 0.3)
    assert factors.mean() == pytest.approx(1.0, abs=0.01)
    assert factors.std() == pytest.approx(0.3, abs=0.01)
    assert abs(np.corrcoef(factors[:-1], factors[1:])[0, 1]) < 0.03
    b = ProblemBuilder()
    b.depot(0, 0)
    for _ in range(5000):
        b.visit(1, 0, delivery=1000, pickup=500)
    b.vehicle_type()
    varied = _with_demands(b.build(), 1, 0, 0.4).visits
    assert varied.delivery.mean() == pytest.approx(1000, rel=0.02)
    assert varied.delivery.std() == pytest.approx(400, rel=0.05)
    assert np.abs(varied.delivery - 2 * varied.pickup).max() <= 1  # one factor per visit


def test_luck_belongs_to_visits_and_legs_not_to_plans() -> None:
    few, many = [(3, 4)], [(1, 2), (3, 4), (4, 3)]
    for sample in range(5):
        assert _leg_factors(few, 7, sample, 0.2)[0] == _leg_factors(many, 7, sample, 0.2)[1]
    a, b, c = (_leg_factors(few, *key, 0.2)[0] for key in ((7, 0), (7, 1), (8, 0)))
    assert len({a, b, c}) == 3
    once, twice = (replay(line(), PLAN, 20, 3) for _ in range(2))
    assert once.as_json() == twice.as_json()
    longer = replay(line(), PLAN, 40, 3)
    assert longer.cost[:20].tolist() == once.cost.tolist()


def test_cost_follows_travel_times_where_time_costs() -> None:
    found = replay(line(capacity=10**6), PLAN, 2000, 1, demand_cv=0.0, travel_cv=0.5)
    assert found.planned_cost == 12_000
    # distance stays; duration is the sum of four legs of 1000, 1000, 1000, 3000
    assert found.cost.mean() == pytest.approx(12_000, rel=0.02)
    assert found.cost.std() == pytest.approx(0.5 * np.sqrt(3 * 1000**2 + 3000**2), rel=0.1)
    assert found.sound_share == 1.0


def test_violations_are_counted_with_their_amounts() -> None:
    full = replay(line(), PLAN, 1000, 1, demand_cv=0.3, travel_cv=0.0)
    assert set(full.broken) == {"capacity"}
    assert 0.35 < full.broken["capacity"].share < 0.6  # the vehicle is exactly full on average
    assert full.broken["capacity"].mean_misses == 1
    assert full.sound_share == pytest.approx(1 - full.broken["capacity"].share)
    late = replay(line(closes=3000), PLAN, 1000, 1, demand_cv=0.0, travel_cv=0.3)
    assert set(late.broken) == {"time-window"}
    assert 0.3 < late.broken["time-window"].share < 0.6
    assert late.routes == (late.sound_share,)


def test_vehicles_leave_when_planned() -> None:
    """The plan leaves late to avoid waiting; a slow sample is then late, although leaving early would do."""
    b = ProblemBuilder()
    b.depot(0, 0, tw=(0, 100_000))
    b.visit(1000, 0, tw=(5000, 5000))
    b.vehicle_type()
    found = replay(b.build(), Solution.of([(0,)]), 400, 1, demand_cv=0.0, travel_cv=0.2)
    assert 0.3 < found.broken["time-window"].share < 0.65


def test_pairs_share_one_factor_and_what_cannot_be_replayed_is_refused() -> None:
    problem = random_problem(("pickup_delivery",), 1)
    pair = problem.visits.pair
    assert pair is not None
    varied = _with_demands(problem, 1, 0, 0.5).visits
    ends = np.flatnonzero(pair >= 0)
    assert len(ends)
    assert (varied.delivery[ends] == varied.pickup[pair[ends]]).all()
    with pytest.raises(UnsupportedFeatureError, match="time_dependent"):
        replay(random_problem(("time_dependent",), 1), Solution(), 3, 1)
    with pytest.raises(ValueError, match="unknown visits"):
        replay(line(), Solution.of([(0, 99)]), 3, 1)


def test_planned_departures_stay() -> None:
    """Who arrives early waits; the plan's vehicle does not know beforehand that it may leave later."""
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(500, 0, tw=(1000, 2000))
    b.vehicle_type(distance_cost=0, time_cost=1)
    factors = [_leg_factors([(0, 1), (1, 0)], 1, k, 0.4) for k in range(20)]
    lasts = [max(1000, 500 + round(500 * out)) + round(500 * back) - 500 for out, back in factors]
    found = replay(b.build(), Solution.of([[0]]), 20, 1, demand_cv=0, travel_cv=0.4)
    assert found.cost.tolist() == lasts
