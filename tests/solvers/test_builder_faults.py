"""What is wrong with a problem or with a solver's parameters is told, all of it at once, before a search begins."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from solvers import InvalidInputError, Metric, ProblemBuilder, Travel, make
from solvers.battery import Battery
from solvers.duty import DutyRule
from solvers.travel import distances, longest_leg
from tests.solvers.test_variants import single


@pytest.mark.parametrize(
    ("visits", "vehicle", "code"),
    [
        ([{"tw": [(0, 9), (5, 20)]}], {}, "window-order"),
        ([{"backhaul": True, "delivery": 1}], {}, "backhaul-delivery"),
        ([{"service_by_type": {"ship": 4}}], {}, "no-such-type"),
        ([{"service_by_type": {"type 0": -4}}], {}, "negative"),
        ([{"group": "a"}, {"group": "a", "required": False}], {}, "group-mixed"),
        ([{"delivery": 1, "pickup_at": 4}], {}, "no-such-visit"),
        ([{}, {"pickup_at": 1}], {}, "pair-self"),
        ([{"pickup": 2}, {"delivery": 1, "pickup_at": 0}], {}, "pair-amounts"),
        ([{"pickup": 1}, *[{"delivery": 1, "pickup_at": 0}] * 2], {}, "pair-twice"),
        ([{}, {"pickup_at": 0}, {"pickup_at": 1}], {}, "pair-chain"),
        ([{"delivery": 1}, {"pickup_at": 0}], {}, "pair-depot"),
        ([{}, {"pickup_at": 0, "required": False}], {}, "pair-mixed"),
        ([{"group": "a"}, {"pickup_at": 0}], {}, "pair-rule"),
        ([{"due": -1}], {}, "negative"),
        ([{"previous": "ship"}], {}, "no-such-type"),
        ([{"split": True, "delivery": 2001}], {"capacity": 2}, "split-loads"),
        ([{"split": True, "delivery": (2001, 1)}], {"capacity": (2, 9000)}, "split-loads"),
        ([{"delivery": 2**59}], {}, "too-large"),
        ([{"delivery": 2**63}], {}, "too-large"),
        ([{"tw": (0, 2**64)}], {}, "too-large"),
        ([{"service": 2.5}], {}, "not-whole"),
        ([{"prize": float("nan")}], {}, "not-whole"),
        ([{}], {"capacity": 2**63}, "too-large"),
        ([{}], {"duty": DutyRule(1, 2**59)}, "too-large"),
        ([{}], {"battery": Battery(2**59, 2**55, 1), "stations": [0]}, "too-large"),
        ([{"prize": 2**59}], {}, "too-large"),
        ([{"tw": (2**59, 2**60)}], {}, "too-large"),
        ([{"service_by_type": {"type 0": 2**59}}], {}, "too-large"),
        ([{"due": 1, "late_cost": 2**50}], {}, "too-large"),
        ([{}], {"fixed_cost": 2**60 - 1}, "too-large"),
        ([{}], {"distance_cost": 2**50}, "too-large"),
        ([{}], {"reload_time": 2**59}, "too-large"),
        ([{}], {"locked": [4]}, "no-such-visit"),
        ([{}], {"locked": [0], "count": 2}, "locked-count"),
        ([{}], {"locked": [0, 0]}, "locked-twice"),
        ([{"group": "a"}], {"locked": [0]}, "locked-group"),
        ([{}, {"pickup_at": 0}], {"locked": [0]}, "locked-pair"),
        ([{}], {"overtime_cost": -1}, "negative"),
        ([{}], {"reload_depots": [3]}, "no-such-depot"),
        ([{}], {"profile": -2}, "no-such-profile"),
    ],
)
def test_faults_of_variants_are_told(visits: Any, vehicle: Any, code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        single(*visits, **vehicle)
    assert code in [fault.code for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("visit", "vehicle", "place"),
    [
        ({"delivery": 2.7}, {}, "visits[0].delivery"),
        ({"delivery": [2.7]}, {}, "visits[0].delivery"),
        ({"pickup": np.array([1.0, 0.5])}, {}, "visits[0].pickup"),
        ({"tw": (0, 10.9)}, {}, "visits[0].tw"),
        ({"tw": [(0, 10), (20, 30.5)]}, {}, "visits[0].tw"),
        ({"service_by_type": {"type 0": 2.5}}, {}, "visits[0].service_by_type"),
        ({"pickup_at": 0.5}, {}, "visits[0].pickup_at"),
        ({}, {"capacity": 2.7}, "vehicle_types[0].capacity"),
        ({}, {"on_board": [0.5]}, "vehicle_types[0].on_board"),
        ({}, {"shift": (0.5, 10)}, "vehicle_types[0].shift"),
        ({}, {"locked": [0.5]}, "vehicle_types[0].locked"),
        ({}, {"reload_depots": [0.5]}, "vehicle_types[0].reload_depots"),
        ({}, {"start_depot": 0.5, "end_depot": 0}, "vehicle_types[0].start_depot"),
        ({}, {"profile": 0.5}, "vehicle_types[0].profile"),
    ],
)
def test_numbers_that_are_not_whole_are_told_and_not_cut_off(visit: Any, vehicle: Any, place: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        single(visit, **vehicle)
    assert [(fault.place, fault.code) for fault in caught.value.faults] == [(place, "not-whole")]


def test_whole_numbers_may_be_floats() -> None:
    pair = {"delivery": np.float64(2), "pickup_at": 0.0, "tw": (0.0, 10.0), "service": 3.0}
    problem = single(
        {"pickup": [2.0]},
        pair,
        {"tw": np.array([[0.0, 1.0], [5.0, 9.0]])},
        **{"capacity": 9.0, "shift": (0.0, 20.0), "profile": 0.0, "start_depot": 0.0, "reload_depots": [0.0]},
    )
    assert problem.visits.tw.tolist()[1:] == [[0, 10], [0, 9]]
    assert problem.closed_times == {2: [(1, 5)]}
    assert problem.visits.delivery.tolist() == [[0], [2], [0]]
    assert problem.visits.pair is not None
    assert problem.visits.pair.tolist() == [-1, 0, -1]
    assert problem.vehicle_types.reload_depots == ((0,),)


@pytest.mark.parametrize("tw", [(5,), (5, 10, 15), [(0, 3), (5,)], [(0, 3), 5], 7, None, "ab"])
def test_windows_have_two_ends(tw: Any) -> None:
    b = ProblemBuilder()
    b.depot(0, 0, tw=tw)
    b.visit(1, 1, tw=tw)
    b.vehicle_type(shift=tw)
    with pytest.raises(InvalidInputError) as caught:
        b.build()
    places = ["depots[0].tw", "visits[0].tw", "vehicle_types[0].shift"]
    assert [(f.place, f.code) for f in caught.value.faults] == [(place, "bad-window") for place in places]


def test_names_that_visits_speak_of_are_told_apart() -> None:
    b = ProblemBuilder()
    b.depot(0, 0, tw=(50, 10))
    b.visit(1, 0, service_by_type={"type 0": 3})
    b.vehicle_type()
    b.vehicle_type(name="type 0")
    with pytest.raises(InvalidInputError) as caught:
        b.build()
    assert {"name-twice", "window-reversed"} == {fault.code for fault in caught.value.faults}


@pytest.mark.parametrize("metric", [Metric.EUCLIDEAN_ROUND, Metric.HAVERSINE])
def test_ways_that_are_too_long_are_told(metric: Metric) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(1, 1)
    b.vehicle_type()
    b.travel(Travel(metric=metric, scale=1e300))
    with pytest.raises(InvalidInputError, match="too-large"):
        b.build()


@pytest.mark.parametrize(
    ("travel", "code"),
    [
        ({"scale": -1.0}, "bad-value"),
        ({"scale": float("inf")}, "bad-value"),
        ({"duration_per_distance": -1.0}, "bad-value"),
        ({"duration_per_distance": float("nan")}, "bad-value"),
    ],
)
def test_units_of_travel_that_are_none_are_told(travel: Any, code: str) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(float("inf"), 1)
    b.vehicle_type()
    b.travel(Travel(metric=Metric.HAVERSINE, **travel))
    with pytest.raises(InvalidInputError) as caught:
        b.build()
    assert {fault.code for fault in caught.value.faults} == {code, "not-finite"}


@pytest.mark.parametrize("odd", [1.5, float("nan"), float("inf"), 1e19])
def test_matrices_are_of_whole_numbers(odd: float) -> None:
    with pytest.raises(InvalidInputError, match=r"travel.duration\[1, 0\].*not-whole"):
        Travel.of_matrices([[0, 2], [2, 0]], [[0.0, 2.0], [odd, 0.0]])
    travel = Travel.of_matrices([[0.0, 2.0], [3.0, 0.0]])
    assert travel.distance is not None
    assert travel.distance.dtype == np.int64
    assert travel.distance.tolist() == [[0, 2], [3, 0]]


def test_a_problem_without_anything_is_told_so() -> None:
    with pytest.raises(InvalidInputError) as caught:
        ProblemBuilder().build()
    assert {fault.code for fault in caught.value.faults} == {"no-depot", "no-vehicle"}


def test_a_problem_without_visits_is_one() -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.vehicle_type()
    assert b.build().num_visits == 0


def test_prices_in_one_city_and_ways_that_are_barred_are_not_too_large() -> None:
    b = ProblemBuilder()
    b.depot(120.15, 30.27)
    for k in range(5000):
        b.visit(120.0 + 0.0001 * (k % 3000), 30.2 + 0.00001 * k, due=100, late_cost=10)
    b.vehicle_type()
    b.travel(Travel(metric=Metric.HAVERSINE, duration_per_distance=0.1))
    assert b.build().num_visits == 5000
    away = np.full((601, 601), 1000)
    away[5, 7] = 10**9
    np.fill_diagonal(away[1:, 1:], 10**16)  # no leg, and often filled so
    b = ProblemBuilder()
    b.depot()
    for _ in range(600):
        b.visit()
    b.vehicle_type(distance_cost=10_000)
    b.travel(Travel.of_matrices(away))
    assert b.build().num_visits == 600
    b.travel(Travel.of_matrices(away * 10**8))
    with pytest.raises(InvalidInputError, match="too-large"):
        b.build()


@pytest.mark.parametrize(
    ("low", "high"),
    [((-170, -60), (170, 80)), ((8, 47), (9, 48)), ((-1, -50), (1, -20)), ((0, 89), (180, 90))],
)
def test_the_longest_leg_is_at_least_as_long_as_any(low: Any, high: Any) -> None:
    rng = np.random.default_rng(1)
    for metric in (Metric.HAVERSINE, Metric.EUCLIDEAN_ROUND):
        travel = Travel(metric=metric, scale=1.3)
        coords = rng.uniform(low, high, (60, 2))
        coords[:4] = [low, high, (low[0], high[1]), (high[0], low[1])]
        legs = distances(travel, coords, coords)
        assert legs.max() <= longest_leg(travel, coords) + 0.5
    assert longest_leg(travel, coords[:0]) == 0.0


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("ant_colony", {"rebuild_floor": 0.0}),
        ("savings", {"polish_per_visit": float("inf")}),
        ("decompose", {"size": -3, "passes": 0, "first_share": 1.0}),
        ("ruin_recreate", {"blink": 1.0}),
        ("ruin_recreate", {"first_temperature": 0.0, "near": -5}),
        ("alns", {"blink": 2.0, "first_temperature": -1.0}),
        ("genetic", {"minimum": 0}),
        ("ant_colony", {"rebuild_evaporation": 2.0, "minimum": 0}),
        ("ortools", {"group_size": 1}),
        ("portfolio", {"pool_share": 1.5}),
        ("savings", {"neighbours": 0}),
    ],
)
def test_parameters_out_of_range_are_told(name: str, parameters: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        make(name, parameters)
    assert [(f.place, f.code) for f in caught.value.faults] == [(key, "bad-value") for key in parameters]
