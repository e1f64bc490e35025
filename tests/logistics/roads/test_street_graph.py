"""Contracted street graphs keep every travel time; points within an edge travel as if the edge were split."""

from __future__ import annotations

import random
from itertools import pairwise

import networkx as nx
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from logistics.roads import OsmRoads, Roads
from logistics.roads.street_graph import Segments, contract, great_circle_m, largest_part
from solvers.errors import InvalidInputError
from tests.logistics.roads.reference_travel import arrival_s, haversine_m

SIDE = 6


def random_segments(seed: int) -> Segments:
    """A jittered grid of streets about 110 m apart; a third are missing, a third of the rest are one-way."""
    rng = np.random.default_rng(seed)
    column, row = np.meshgrid(np.arange(SIDE), np.arange(SIDE))
    lonlat = np.column_stack([9.5 + column.ravel() * 0.0015, 47.1 + row.ravel() * 0.001])
    lonlat += rng.uniform(-2e-4, 2e-4, lonlat.shape)
    point = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    a = np.concatenate([point[:, :-1].ravel(), point[:-1].ravel()])
    b = np.concatenate([point[:, 1:].ravel(), point[1:].ravel()])
    keep = rng.random(len(a)) < 0.7
    a, b = a[keep], b[keep]
    metres = great_circle_m(lonlat[a], lonlat[b])
    forward, backward = metres / rng.uniform(3, 25, (2, len(a)))
    kind = rng.random(len(a))
    forward[kind < 0.15] = np.inf
    backward[kind > 0.85] = np.inf
    return Segments(lonlat, a, b, metres, forward, backward)


def directed(segments: Segments) -> nx.DiGraph:
    graph = nx.DiGraph()
    for a, b, metres, ahead, back in zip(
        segments.a.tolist(),
        segments.b.tolist(),
        segments.metres.tolist(),
        segments.forward_s.tolist(),
        segments.backward_s.tolist(),
        strict=True,
    ):
        for tail, head, seconds in ((a, b, ahead), (b, a, back)):
            if seconds != np.inf:
                graph.add_edge(tail, head, seconds=seconds, metres=metres)
    return graph


def connected(seed: int) -> Segments:
    segments = largest_part(random_segments(seed))
    assume(len(segments.a) > 0)
    return segments


@given(seed=st.integers(0, 10**6))
def test_the_largest_part_is_that_of_networkx(seed):
    segments = random_segments(seed)
    expected = max(len(part) for part in nx.strongly_connected_components(directed(segments)))
    kept = directed(largest_part(segments))
    assert len(kept) == (expected if expected > 1 else 0)
    assert not len(kept) or nx.is_strongly_connected(kept)


@given(seed=st.integers(0, 10**6))
def test_every_point_of_the_map_keeps_its_travel_times(seed):
    segments = connected(seed)
    raw = directed(segments)
    roads: Roads = OsmRoads(contract(segments))
    points = sorted(raw)
    places = roads.places(segments.lonlat[points])
    assert roads.snapping().largest_m == pytest.approx(0, abs=1e-6)
    metres, seconds = roads.matrix(places, 0.0)
    for i in range(0, len(points), 5):
        origin = points[i]
        expected = nx.single_source_dijkstra_path_length(raw, origin, weight="seconds")
        for j, target in enumerate(points):
            leg_m, leg_s = roads.leg(places[i], places[j], 0.0)
            assert leg_s == pytest.approx(expected[target], abs=1e-6)
            assert (metres[i, j], seconds[i, j]) == (leg_m, round(leg_s))


@given(seed=st.integers(0, 10**6))
def test_points_beside_a_street_travel_from_their_foot_on_it(seed):
    segments = connected(seed)
    rng = random.Random(seed)
    picks = [(rng.randrange(len(segments.a)), rng.uniform(0.02, 0.98)) for _ in range(4)]
    picks.append((picks[0][0], rng.uniform(0.02, 0.98)))  # two on one segment
    lonlat = []
    for piece, share in picks:
        start, end = segments.lonlat[segments.a[piece]], segments.lonlat[segments.b[piece]]
        lonlat.append(start + share * (end - start))
    roads = OsmRoads(contract(segments))
    places = roads.places(lonlat)
    for i, (piece, share) in enumerate(picks):
        for j, (other, other_share) in enumerate(picks):
            split = directed(segments)
            _split(split, segments, {"from": (piece, share), "to": (other, other_share)})
            expected = nx.dijkstra_path_length(split, "from", "to", weight="seconds") if i != j else 0.0
            assert roads.leg(places[i], places[j], 0.0)[1] == pytest.approx(expected, abs=0.01)


def _split(graph: nx.DiGraph, segments: Segments, cuts: dict[str, tuple[int, float]]) -> None:
    """Put named points on segments of the graph, in order where two lie on one."""
    by_piece: dict[int, list[tuple[float, str]]] = {}
    for name, (piece, share) in cuts.items():
        by_piece.setdefault(piece, []).append((share, name))
    for piece, points in by_piece.items():
        a, b = int(segments.a[piece]), int(segments.b[piece])
        stops = [(0.0, a), *sorted(points), (1.0, b)]
        for (low, tail), (high, head) in pairwise(stops):
            if segments.forward_s[piece] != np.inf:
                graph.add_edge(tail, head, seconds=(high - low) * segments.forward_s[piece])
            if segments.backward_s[piece] != np.inf:
                graph.add_edge(head, tail, seconds=(high - low) * segments.backward_s[piece])


@given(seed=st.integers(0, 10**6))
def test_the_path_is_as_long_as_the_leg_and_follows_the_streets(seed):
    segments = connected(seed)
    rng = np.random.default_rng(seed)
    roads = OsmRoads(contract(segments))
    places = roads.places(segments.lonlat[rng.choice(segments.a, 5)] + rng.normal(0, 3e-4, (5, 2)))
    known = {tuple(point) for point in segments.lonlat.tolist()}
    for origin in places:
        for target in places:
            line = roads.path(origin, target, 0.0)
            assert len(line) >= 2
            length = sum(haversine_m(a, b) for a, b in pairwise(line.tolist()))
            assert length == pytest.approx(roads.leg(origin, target, 0.0)[0], abs=0.6)
            assert all(tuple(point) in known for point in line[1:-1].tolist())


@given(seed=st.integers(0, 10**6), start=st.integers(0, 86_399), depart=st.floats(0, 100_000))
def test_traffic_slows_all_streets_by_the_hour(seed, start, depart):
    segments = connected(seed)
    rng = np.random.default_rng(seed)
    traffic = rng.uniform(0.001, 1.0, 24)  # so slow that legs cross several hours
    free, slowed = OsmRoads(contract(segments)), OsmRoads(contract(segments), traffic, start)
    points = segments.lonlat[rng.choice(segments.a, 6)]
    places, same = free.places(points), slowed.places(points)
    dwell, earliest = rng.uniform(0, 600, 6), rng.uniform(0, depart + 9000, 6)
    drive = slowed.drive(same, depart, dwell, earliest, slowdown=1.25)
    now = depart
    for k in range(1, 6):
        metres, free_s = free.leg(places[k - 1], places[k], 0.0)
        plain = arrival_s(start + now, free_s, traffic) - start
        assert now + slowed.leg(same[k - 1], same[k], now)[1] == pytest.approx(plain, abs=1e-5)
        now = arrival_s(start + now, 1.25 * free_s, traffic) - start
        assert drive.arrive_s[k] == pytest.approx(now, abs=1e-5)
        assert drive.distance_m[k] == metres
        now = max(now, earliest[k]) + dwell[k]
        assert drive.leave_s[k] == pytest.approx(now, abs=1e-5)


def test_a_ring_without_junction_and_a_cul_de_sac_survive_contraction():
    lonlat = np.array([[0, 0], [0.001, 0], [0.001, 0.001], [0, 0.001]], dtype=float)
    a, b = np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0])
    metres = great_circle_m(lonlat[a], lonlat[b])
    ring = contract(Segments(lonlat, a, b, metres, metres / 10, np.full(4, np.inf)))
    assert (len(ring.lonlat), len(ring.head), ring.twin.tolist()) == (1, 1, [-1])
    assert ring.length_m[0] == pytest.approx(metres.sum())
    roads = OsmRoads(ring)
    places = roads.places(lonlat)
    # One-way: from point 2 back to point 1 the way leads round.
    assert roads.leg(places[1], places[2], 0.0)[1] == pytest.approx(metres[1] / 10)
    assert roads.leg(places[2], places[1], 0.0)[1] == pytest.approx((metres.sum() - metres[1]) / 10)
    both = contract(Segments(lonlat, a, b, metres, metres / 10, metres / 10))
    assert (len(both.head), both.twin.tolist()) == (2, [1, 0])
    dead_end = contract(Segments(lonlat[:2], a[:1], b[:1], metres[:1], metres[:1] / 10, metres[:1] / 10))
    assert (len(dead_end.lonlat), len(dead_end.head)) == (2, 2)


def test_places_too_far_from_a_street_reach_nothing():
    segments = largest_part(random_segments(1))
    roads = OsmRoads(contract(segments), max_snap_m=200)
    near, far = segments.lonlat[segments.a[0]] + [-7e-5, 5e-5], [9.6, 47.2]
    places = roads.places([near, far])
    assert places.dtype == np.int32
    assert roads.components(places).tolist() == [0, -1]
    report = roads.snapping()
    assert (report.points, report.moved, report.too_far) == (2, 2, 1)
    assert report.largest_m > 10_000
    for call in (lambda: roads.matrix(places, 0.0), lambda: roads.leg(places[1], places[0], 0.0)):
        with pytest.raises(InvalidInputError, match="unreachable-place") as caught:
            call()
        assert caught.value.faults[0].place == f"place {places[1]}"
    with pytest.raises(InvalidInputError, match="bad-speed"):
        OsmRoads(contract(segments), traffic=[1.0] * 23 + [0.0])
