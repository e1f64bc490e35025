"""Great-circle roads: equal to a plain-Python reference, first-in-first-out, drive = repeated legs."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.roads import GreatCircleRoads, Roads
from solvers.errors import InvalidInputError
from solvers.travel import Metric, distances
from tests.logistics.roads.reference_travel import arrival_s, haversine_m

profiles = st.lists(st.floats(0.5, 40.0), min_size=24, max_size=24)
points = st.tuples(st.floats(119.5, 121.0), st.floats(29.5, 31.0))


@given(a=points, b=points, speeds=profiles, start=st.integers(0, 86_399), depart=st.floats(0, 200_000))
def test_leg_equals_the_plain_integration(a, b, speeds, start, depart):
    roads = GreatCircleRoads(1.3, speeds, start)
    origin, destination = roads.places([a, b])
    metres, seconds = roads.leg(origin, destination, depart)
    expected_m = 1.3 * haversine_m(a, b)
    assert metres == pytest.approx(expected_m, abs=0.5001)
    clock = start + depart
    assert seconds == pytest.approx(arrival_s(clock, expected_m, speeds) - clock, rel=1e-9, abs=1e-6)


@given(
    a=points,
    b=points,
    speeds=profiles,
    depart=st.floats(0, 200_000),
    later=st.floats(0, 20_000),
    slowdown=st.floats(0.3, 5.0),
)
def test_leaving_later_never_arrives_earlier(a, b, speeds, depart, later, slowdown):
    roads = GreatCircleRoads(1.2, speeds)
    ids = roads.places([a, b])
    first = roads.drive(ids, depart, np.zeros(2), slowdown=slowdown).arrive_s[1]
    second = roads.drive(ids, depart + later, np.zeros(2), slowdown=slowdown).arrive_s[1]
    assert second >= first - 1e-6


@given(
    stops=st.lists(points, min_size=1, max_size=8),
    speeds=profiles,
    depart=st.floats(0, 100_000),
    seed=st.integers(0, 2**32 - 1),
)
def test_drive_is_the_same_as_repeated_legs(stops, speeds, depart, seed):
    rng = np.random.default_rng(seed)
    roads: Roads = GreatCircleRoads(1.4, speeds, 30_000)
    ids = roads.places(stops)
    dwell = rng.uniform(0, 600, len(ids))
    earliest = rng.uniform(depart, depart + 20_000, len(ids))
    drive = roads.drive(ids, depart, dwell, earliest)
    now = depart
    assert drive.arrive_s[0] == drive.leave_s[0] == depart
    assert drive.distance_m[0] == 0
    for k in range(1, len(ids)):
        metres, seconds = roads.leg(ids[k - 1], ids[k], now)
        now += seconds
        assert drive.arrive_s[k] == pytest.approx(now, abs=1e-6)
        assert drive.distance_m[k] == metres
        now = max(now, earliest[k]) + dwell[k]
        assert drive.leave_s[k] == pytest.approx(now, abs=1e-6)


def test_matrix_is_legs_rounded_once():
    rng = np.random.default_rng(3)
    roads = GreatCircleRoads(1.3, rng.uniform(3, 20, 24), 7 * 3600)
    ids = roads.places(rng.uniform([120, 30], [121, 31], (20, 2)))
    metres, seconds = roads.matrix(ids, 1800.0)
    assert metres.dtype == seconds.dtype == np.int64
    for i in range(20):
        for j in range(20):
            leg_m, leg_s = roads.leg(ids[i], ids[j], 1800.0)
            assert (metres[i, j], seconds[i, j]) == (leg_m, round(leg_s))
    assert not np.diag(seconds).any()


def test_travel_gives_the_matrix_distances_and_the_speed_of_the_hour():
    speeds = np.linspace(5, 28, 24)
    roads = GreatCircleRoads(1.25, speeds, start_second_of_day=23 * 3600)
    ids = roads.places(np.random.default_rng(5).uniform([120, 30], [120.2, 30.2], (40, 2)))
    rule, coords = roads.travel(ids[10:], depart_s=3 * 3600)  # 02:00
    assert coords is not None
    assert rule.metric is Metric.HAVERSINE
    assert rule.duration_per_distance == pytest.approx(1 / speeds[2])
    metres, _ = roads.matrix(ids[10:], 0.0)
    assert np.abs(distances(rule, coords, coords) - metres).max() <= 1  # another order of rounding


def test_a_slowdown_multiplies_time_where_speed_is_constant():
    roads = GreatCircleRoads(1.3, 10.0)
    ids = roads.places([[9.5, 47.1], [9.6, 47.2]])
    plain = roads.drive(ids, 0.0, np.zeros(2)).arrive_s[1]
    assert roads.drive(ids, 0.0, np.zeros(2), slowdown=1.7).arrive_s[1] == pytest.approx(1.7 * plain)


def test_a_registered_place_keeps_its_id():
    roads = GreatCircleRoads(1.0, 10.0)
    first = roads.places([[9.5, 47.1], [9.6, 47.2]])
    before = roads.leg(first[0], first[1], 0.0)
    second = roads.places([[10.0, 48.0]])
    assert first.dtype == np.int32
    assert [*first, *second] == [0, 1, 2]
    assert roads.leg(first[0], first[1], 0.0) == before
    assert roads.path(0, 2, 0.0).tolist() == [[9.5, 47.1], [10.0, 48.0]]
    assert roads.components(np.array([0, 2], dtype=np.int32)).tolist() == [0, 0]
    assert (roads.snapping().points, roads.snapping().largest_m) == (3, 0)


@pytest.mark.parametrize(
    ("arguments", "places"),
    [
        ((0.9, 10.0), ["detour_factor"]),
        ((1.2, [1.0, 2.0]), ["speeds_mps"]),
        ((1.2, [5.0] * 22 + [0.0, -1.0]), ["speeds_mps[22]", "speeds_mps[23]"]),
        ((float("nan"), 10.0), ["detour_factor"]),
    ],
)
def test_bad_arguments_name_every_fault(arguments, places):
    with pytest.raises(InvalidInputError) as caught:
        GreatCircleRoads(*arguments)
    assert [fault.place for fault in caught.value.faults] == places


def test_bad_points_are_all_named():
    roads = GreatCircleRoads(1.2, 10.0)
    with pytest.raises(InvalidInputError) as caught:
        roads.places([[9.5, 47.0], [200.0, 0.0], [9.5, float("nan")]])
    assert [fault.place for fault in caught.value.faults] == ["points[1]", "points[2]"]
    with pytest.raises(InvalidInputError, match="bad-slowdown"):
        roads.drive(roads.places([[9.5, 47.0]]), 0.0, np.zeros(1), slowdown=0.0)
