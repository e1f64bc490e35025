"""Graphs with hourly speeds: equal to an independent time-dependent search, first-in-first-out, bad files."""

from __future__ import annotations

import gzip
import json
import random

import networkx as nx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.roads import HourlyGraphRoads, Roads
from logistics.roads.hourly_graph import HourlyGraph
from logistics.roads.hourly_reader import read_hourly_graph
from solvers.errors import InvalidInputError
from tests.logistics.roads.reference_travel import arrival_s, earliest_arrivals

LYON = "roads/lyon-hourly-speeds/n={n}/mamut-lyon-n{n}-{model}-heavy-{sampling}"
CASES = [(10, "bpr", "hyb"), (10, "wave", "poi"), (100, "bpr", "poi"), (1000, "wave", "hyb")]


def random_edges(seed: int, vertices: int = 8) -> list[list]:
    """A ring, so that everything is reached, and as many chords again; some edges take hours."""
    rng = random.Random(seed)
    pairs = [(v, (v + 1) % vertices) for v in range(vertices)]
    pairs += [(rng.randrange(vertices), rng.randrange(vertices)) for _ in range(vertices)]
    return [
        [
            a,
            b,
            rng.choice([0.0, rng.uniform(1, 500), rng.uniform(5e3, 2e5)]),
            [rng.uniform(0.5, 30) for _ in range(24)],
        ]
        for a, b in pairs
    ]


def graph_of(edges: list[list], vertices: int = 8, customers=()) -> HourlyGraph:
    return HourlyGraph.of_edges(vertices, *zip(*edges, strict=True), customers)


def outgoing(edges: list[list]) -> dict[int, list]:
    table: dict[int, list] = {}
    for tail, head, metres, speeds in edges:
        table.setdefault(tail, []).append((head, metres, speeds))
    return table


@given(seed=st.integers(0, 10**6), start=st.integers(0, 86_399), depart=st.floats(0, 200_000))
def test_legs_equal_a_plain_time_dependent_search(seed, start, depart):
    edges = random_edges(seed)
    roads = HourlyGraphRoads(graph_of(edges), start)
    places = roads.at_vertices(range(8))
    metres, seconds = roads.matrix(places, depart)
    clock = start + depart
    for source in range(8):
        expected = earliest_arrivals(outgoing(edges), source, clock)
        for target in range(8):
            leg_m, leg_s = roads.leg(source, target, depart)
            assert leg_s == pytest.approx(expected[target] - clock, rel=1e-9, abs=1e-6)
            assert (metres[source, target], seconds[source, target]) == (leg_m, round(leg_s))


@given(seed=st.integers(0, 10**6), depart=st.floats(0, 100_000), later=st.floats(0, 10_000))
def test_leaving_later_never_arrives_earlier(seed, depart, later):
    roads = HourlyGraphRoads(graph_of(random_edges(seed)))
    for target in range(1, 8):
        assert (
            depart + later + roads.leg(0, target, depart + later)[1]
            >= depart + roads.leg(0, target, depart)[1] - 1e-6
        )


@given(seed=st.integers(0, 10**6), depart=st.floats(0, 100_000))
def test_drive_is_the_same_as_repeated_legs(seed, depart):
    rng = np.random.default_rng(seed)
    roads: Roads = HourlyGraphRoads(graph_of(random_edges(seed)), 40_000)
    places = rng.integers(0, 8, 6).astype(np.int32)
    dwell, earliest = rng.uniform(0, 900, 6), rng.uniform(0, depart + 50_000, 6)
    drive = roads.drive(places, depart, dwell, earliest)
    now = depart
    for k in range(1, 6):
        metres, seconds = roads.leg(places[k - 1], places[k], now)
        assert drive.arrive_s[k] == pytest.approx(now + seconds, abs=1e-6)
        assert drive.distance_m[k] == metres
        now = max(now + seconds, earliest[k]) + dwell[k]
        assert drive.leave_s[k] == pytest.approx(now, abs=1e-6)


def test_a_slowdown_divides_the_speeds():
    edges = random_edges(4)
    slowed = [[a, b, metres, [speed / 1.5 for speed in speeds]] for a, b, metres, speeds in edges]
    places = np.array([0, 3, 7], dtype=np.int32)
    expected = HourlyGraphRoads(graph_of(slowed)).drive(places, 100.0, np.zeros(3))
    actual = HourlyGraphRoads(graph_of(edges)).drive(places, 100.0, np.zeros(3), slowdown=1.5)
    assert actual.arrive_s == pytest.approx(expected.arrive_s)


def test_metres_are_those_of_the_quickest_way_and_change_with_the_hour():
    fast_at_night = [10.0] * 6 + [1.0] * 18
    edges = [[0, 1, 1000.0, fast_at_night], [0, 2, 900.0, [5.0] * 24], [2, 1, 900.0, [5.0] * 24]]
    roads = HourlyGraphRoads(graph_of(edges, 3))
    assert roads.leg(0, 1, 0.0) == (1000, pytest.approx(100.0))
    assert roads.leg(0, 1, 12 * 3600.0) == (1800, pytest.approx(360.0))
    # 50 s before the hour turns only half of the edge is driven fast: 550 s, so the detour wins already.
    assert roads.leg(0, 1, 6 * 3600.0 - 50.0)[1] == pytest.approx(360.0)


def test_unreachable_places_have_other_labels_and_raise():
    speeds = [5.0] * 24
    roads = HourlyGraphRoads(graph_of([[0, 1, 10.0, speeds], [1, 0, 10.0, speeds], [1, 2, 10.0, speeds]], 3))
    first, second, third = roads.components(roads.at_vertices([0, 1, 2]))
    assert first == second != third
    assert roads.leg(0, 2, 0.0)[0] == 20
    with pytest.raises(InvalidInputError) as caught:
        roads.matrix(roads.at_vertices([0, 2]), 0.0)
    assert [fault.code for fault in caught.value.faults] == ["unreachable-place"]
    with pytest.raises(InvalidInputError, match="unreachable-place"):
        roads.path(2, 0, 0.0)
    with pytest.raises(InvalidInputError, match="unknown-vertex"):
        roads.at_vertices([0, 3])


def test_points_go_to_the_nearest_known_vertex_or_nowhere():
    speeds = [5.0] * 24
    bare = graph_of([[0, 1, 10.0, speeds], [1, 2, 10.0, speeds], [2, 0, 10.0, speeds]], 3, [0, 2])
    with pytest.raises(InvalidInputError, match="no-coordinates"):
        HourlyGraphRoads(bare).places([[4.8, 45.7]])
    roads = HourlyGraphRoads(
        bare.with_customer_points(np.array([[4.80, 45.70], [4.90, 45.70]])), max_snap_m=500
    )
    places = roads.places([[4.899, 45.701], [4.8, 45.7], [4.85, 45.7]])
    assert places.tolist() == [2, 0, -1]
    assert roads.components(places)[2] == -1
    assert roads.components(places)[0] == roads.components(places)[1] >= 0
    report = roads.snapping()
    assert (report.points, report.moved, report.too_far) == (3, 2, 1)
    assert report.largest_m == pytest.approx(3883, abs=5)
    with pytest.raises(InvalidInputError, match="unreachable-place"):
        roads.leg(0, -1, 0.0)
    assert roads.path(0, 2, 0.0).tolist() == [[4.80, 45.70], [4.90, 45.70]]


@pytest.mark.parametrize("case", CASES, ids=lambda case: "-".join(map(str, case)))
def test_lyon_equals_an_independent_search_to_the_second(case, data_dir):
    n, model, sampling = case
    folder = data_dir(LYON.format(n=n, model=model, sampling=sampling))
    file = folder / f"{folder.name}.road.json.gz"
    with gzip.open(file) as stream:
        raw = json.load(stream)
    graph = nx.DiGraph()
    for tail, head, metres, speeds in raw["edges"]:
        graph.add_edge(tail, head, metres=metres, speeds=speeds)
    out = {v: [(w, d["metres"], d["speeds"]) for w, d in near.items()] for v, near in graph.adjacency()}

    roads = HourlyGraphRoads(read_hourly_graph(file))
    rng = random.Random(n)
    wrong = []
    for hour in (0.0, 7.75, 8.99, 17.5, 23.95):
        depart = hour * 3600
        for source in rng.sample(sorted(graph), 4):
            expected = earliest_arrivals(out, source, depart)
            for target in rng.sample(sorted(expected), 10):
                seconds = roads.leg(source, target, depart)[1]
                if round(seconds) != round(expected[target] - depart):
                    wrong.append((hour, source, target, seconds, expected[target] - depart))
    assert wrong == []


def test_lyon_at_free_flow_equals_networkx(data_dir):
    folder = data_dir(LYON.format(n=100, model="bpr", sampling="hyb"))
    file = folder / f"{folder.name}.road.json.gz"
    with gzip.open(file) as stream:
        raw = json.load(stream)
    graph = nx.DiGraph()
    best = [[tail, head, metres, [max(speeds)] * 24] for tail, head, metres, speeds in raw["edges"]]
    for tail, head, metres, speeds in best:
        graph.add_edge(tail, head, seconds=metres / speeds[0])
    roads = HourlyGraphRoads(graph_of(best, raw["num_vertices"]))
    rng = random.Random(2)
    for source in rng.sample(sorted(graph), 20):
        expected = nx.single_source_dijkstra_path_length(graph, source, weight="seconds")
        for target in rng.sample(sorted(expected), 10):
            assert round(roads.leg(source, target, 0.0)[1]) == round(expected[target])


def test_lyon_customers_lie_where_their_file_says(data_dir):
    folder = data_dir(LYON.format(n=10, model="bpr", sampling="hyb"))
    graph = read_hourly_graph(folder / f"{folder.name}.road.json.gz")
    points = json.loads((folder / f"{folder.name}.vrp.json").read_text())
    assert len(graph.customers) == 11
    origin = points["reference_lla"]
    for vertex, (east, north) in zip(graph.customers, points["coordinates"], strict=True):
        lon, lat = graph.lonlat[vertex]
        # Metres per degree on the ellipsoid at 45.76° north, from tables.
        assert (lon - origin["lon"]) * 77_800 == pytest.approx(east, abs=5, rel=2e-3)
        assert (lat - origin["lat"]) * 111_147 == pytest.approx(north, abs=5, rel=2e-3)
    assert HourlyGraphRoads(graph).places(graph.lonlat[graph.customers]).tolist() == graph.customers.tolist()


SPEEDS = [5.0] * 24
GOOD = {
    "format": "mamut-td-road-graph",
    "format_version": 1,
    "num_vertices": 2,
    "node_vertices": [0, 1],
    "edges": [[0, 1, 10.0, SPEEDS], [1, 0, 10.0, SPEEDS]],
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"edges": [[0, 1, -1.0, SPEEDS], [1, 0, 10.0, [-2.0] * 24]]},
            {("edges[0]", "bad-length"), ("edges[1]", "bad-speed")},
        ),
        (
            {"edges": [[0, 5, 1.0, SPEEDS], [-1, 0, 10.0, SPEEDS]]},
            {("edges[0]", "unknown-vertex"), ("edges[1]", "unknown-vertex")},
        ),
        ({"edges": [[0, 1, 1.0, [0.0, *SPEEDS[1:]]]]}, {("edges[0]", "bad-speed")}),
        ({"edges": [[0, 1, float("nan"), SPEEDS]]}, {("edges[0]", "bad-length")}),
        (
            {"edges": [[0, 1, 1.0, SPEEDS[1:]], [0, 1], "x", [0.5, 1, 1.0, SPEEDS]]},
            {(f"edges[{k}]", "bad-edge") for k in range(4)},
        ),
        ({"edges": {"a": 1}}, {("edges", "bad-edge")}),
        ({"node_vertices": [0, 2]}, {("node_vertices[1]", "unknown-vertex")}),
        ({"node_vertices": ["a"]}, {("node_vertices", "bad-vertex")}),
        ({"num_vertices": -3}, {("num_vertices", "bad-count")}),
        ({"num_vertices": 10**30}, {("num_vertices", "bad-count")}),
        ({"format": "other"}, {("format", "unknown-format")}),
        ({"bin_edges": [0.0, 86400.0]}, {("bin_edges", "not-hourly")}),
        ({"num_vertices": None, "edges": None}, {("num_vertices", "missing-key"), ("edges", "missing-key")}),
    ],
)
def test_bad_graphs_name_every_fault(tmp_path, change, expected):
    data = {key: value for key, value in {**GOOD, **change}.items() if value is not None}
    file = tmp_path / "bad.road.json.gz"
    file.write_bytes(gzip.compress(json.dumps(data).encode()))
    with pytest.raises(InvalidInputError) as caught:
        read_hourly_graph(file)
    assert {(fault.place, fault.code) for fault in caught.value.faults} == expected
    assert all(fault.file == str(file) and fault.repair for fault in caught.value.faults)


def test_many_faults_are_counted_not_all_listed(tmp_path):
    file = tmp_path / "bad.road.json"
    file.write_text(json.dumps({**GOOD, "edges": [[0, 1, -1.0, SPEEDS]] * 200}))
    with pytest.raises(InvalidInputError) as caught:
        read_hourly_graph(file)
    assert len(caught.value.faults) == 51
    assert "150 more" in caught.value.faults[-1].message


@pytest.mark.parametrize("damage", ["cut", "garbled", "not json", "not an object", "binary", "missing"])
def test_unreadable_files_are_faults(tmp_path, damage):
    file = tmp_path / "bad.road.json.gz"
    whole = gzip.compress(json.dumps(GOOD).encode())
    content = {
        "cut": whole[: len(whole) // 2],
        "garbled": whole[:30] + b"\x00\xff\x00\xff" + whole[34:],
        "not json": gzip.compress(b"{"),
        "not an object": b"[1, 2]",
        "binary": b"\xff\xfe\x00\x81",
    }
    if damage != "missing":
        file.write_bytes(content[damage])
    with pytest.raises(InvalidInputError) as caught:
        read_hourly_graph(file)
    assert [(fault.file, fault.code) for fault in caught.value.faults] == [(str(file), "unreadable-file")]


def test_customer_points_must_fit_the_graph(tmp_path):
    file = tmp_path / "a.road.json"
    file.write_text(json.dumps(GOOD))
    beside = tmp_path / "a.vrp.json"
    beside.write_text(json.dumps({"coordinates": [[0, 0]], "reference_lla": {"lon": 4.8, "lat": 45.7}}))
    with pytest.raises(InvalidInputError, match="bad-coordinates") as caught:
        read_hourly_graph(file)
    assert caught.value.faults[0].file == str(beside)
    beside.write_text(
        json.dumps({"coordinates": [[0, 0], [780, 0]], "reference_lla": {"lon": 4.8, "lat": 45.7}})
    )
    assert read_hourly_graph(file).lonlat[1] == pytest.approx([4.81, 45.7], abs=1e-4)


def test_the_reference_integrates_over_midnight():
    # The oracle itself, by hand: 100 s at 1 m/s before midnight, then 2 m/s.
    assert arrival_s(86_300.0, 300.0, [2.0] + [1.0] * 23) == pytest.approx(86_500.0)
