"""OpenStreetMap extracts: reading, travel times equal to networkx, buildings, bad files."""

from __future__ import annotations

import random
import sys
from collections import Counter
from itertools import pairwise
from math import isclose
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from logistics.roads import OsmRoads, read_buildings
from logistics.roads.osm_reader import read_segments
from solvers.errors import InvalidInputError, MissingExtraError
from tests.logistics.roads.reference_travel import haversine_m

osmium = pytest.importorskip("osmium")

Way = tuple[list[int], dict[str, str]]


def write_extract(path: Path, nodes: dict[int, tuple], ways: list[Way], relations=()) -> Path:
    """A small extract; `nodes` are (lon, lat) or (lon, lat, tags), ways number from 1."""
    with osmium.SimpleWriter(str(path)) as writer:
        for number, (lon, lat, *tags) in sorted(nodes.items()):
            writer.add_node(
                osmium.osm.mutable.Node(id=number, location=(lon, lat), tags=tags[0] if tags else {})
            )
        for number, (refs, tags) in enumerate(ways, 1):
            writer.add_way(osmium.osm.mutable.Way(id=number, nodes=refs, tags=tags))
        for number, (members, tags) in enumerate(relations, 1):
            writer.add_relation(osmium.osm.mutable.Relation(id=number, members=members, tags=tags))
    return path


def line(*numbers: int) -> dict[int, tuple]:
    """Points 0.001° of longitude apart on the equator: 111.195 m."""
    return {number: (0.001 * number, 0.0) for number in numbers}


STEP_M = haversine_m((0, 0), (0.001, 0))


def test_limits_directions_and_bends(tmp_path):
    nodes = {**line(1, 2, 3, 4), 5: (0.0025, 0.001)}
    ways = [
        ([1, 2, 3], {"highway": "residential", "maxspeed": "36"}),
        ([3, 4], {"highway": "primary", "oneway": "yes", "maxspeed": "72"}),
        ([4, 5, 2], {"highway": "tertiary", "maxspeed:forward": "36", "maxspeed:backward": "18"}),
    ]
    roads = OsmRoads.from_pbf(write_extract(tmp_path / "a.osm.pbf", nodes, ways))
    places = roads.places([nodes[k][:2] for k in (1, 2, 3, 4, 5)])
    assert (len(roads.graph.lonlat), len(roads.graph.head)) == (4, 7)  # 5 became a bend
    assert roads.leg(places[0], places[2], 0.0) == (round(2 * STEP_M), pytest.approx(2 * STEP_M / 10))
    assert roads.leg(places[2], places[3], 0.0)[1] == pytest.approx(STEP_M / 20)
    slope = [haversine_m(nodes[4], nodes[5]), haversine_m(nodes[5], nodes[2])]
    # Against the one-way street the way leads over the tertiary road.
    assert roads.leg(places[3], places[2], 0.0)[1] == pytest.approx(sum(slope) / 10 + STEP_M / 10)
    assert roads.leg(places[4], places[3], 0.0)[1] == pytest.approx(
        min(slope[0] / 5, slope[1] / 10 + STEP_M / 10 + STEP_M / 20)
    )
    path = roads.path(places[3], places[1], 0.0)
    assert path.tolist() == [[0.004, 0.0], [0.0025, 0.001], [0.002, 0.0]]


def test_barriers_cut_roads_and_counts_add_up(tmp_path):
    shut = {"barrier": "bollard"}
    nodes = {**line(1, 2, 5), 3: (0.003, 0.0, shut), 4: (0.004, 0.0, shut), 6: (0.003, 0.002)}
    ways = [
        ([1, 2, 3, 4, 5], {"highway": "residential"}),
        ([2, 6, 5], {"highway": "residential"}),
        ([1, 6], {"highway": "footway"}),
        ([1, 5], {"highway": "service", "access": "private"}),
        ([5, 99], {"highway": "service"}),  # 99 lies outside the extract
    ]
    relations = [([("w", 1, "from")], {"type": "restriction", "restriction": "no_u_turn"})]
    file = write_extract(tmp_path / "a.osm.pbf", nodes, ways, relations)
    segments, counts = read_segments(file)
    assert (counts.highways, counts.used, counts.barriers, counts.turn_restrictions) == (5, 2, 2, 1)
    assert counts.dropped == {
        "no access for motor vehicles": 1,
        "not a road for motor vehicles": 1,
        "points missing from the extract": 1,
    }
    round_m = haversine_m(nodes[2], nodes[6]) + haversine_m(nodes[6], nodes[5])
    assert segments.kilometres == pytest.approx((4 * STEP_M + round_m) / 1000, rel=1e-6)
    roads = OsmRoads.from_pbf(file)
    ends = roads.places([nodes[1], nodes[5]])
    assert roads.leg(ends[0], ends[1], 0.0)[0] == round(STEP_M + round_m)


def test_roads_that_cannot_be_left_are_not_snapped_to(tmp_path):
    nodes = {**line(1, 2, 3), 4: (0.001, 0.001), 5: (0.002, 0.001)}
    ways = [
        ([1, 2, 3], {"highway": "residential"}),
        ([2, 4], {"highway": "residential", "oneway": "yes"}),  # leads to a dead end
        ([4, 5], {"highway": "residential"}),
    ]
    roads = OsmRoads.from_pbf(write_extract(tmp_path / "a.osm.pbf", nodes, ways))
    places = roads.places([nodes[4], nodes[1]])
    assert roads.components(places).tolist() == [0, 0]
    assert roads.snapping().largest_m == pytest.approx(STEP_M, rel=1e-3)
    assert roads.leg(places[0], places[1], 0.0)[0] == pytest.approx(0, abs=1)


def test_buildings_with_addresses(tmp_path):
    nodes = {
        1: (0.0, 0.0),
        2: (0.004, 0.0),
        3: (0.004, 0.002),
        4: (0.0, 0.002),
        5: (0.002, 0.001),
        6: (1.0, 1.0, {"building": "hut", "addr:street": "Gass", "addr:housenumber": "3", "name": "x"}),
        7: (1.0, 1.0, {"building": "no"}),
    }
    ways = [
        ([1, 2, 3, 4, 1], {"building": "yes", "addr:city": "Vaduz"}),
        ([1, 2, 3, 5, 1], {"building": "house"}),  # L-shaped: not the mean of its points
        ([1, 2, 3, 4, 1], {}),
        ([98, 99, 98], {"building": "yes"}),
    ]
    relations = [
        ([("w", 3, "outer")], {"type": "multipolygon", "building": "school"}),
        ([("w", 4, "outer")], {"type": "multipolygon", "building": "school"}),
    ]
    found = read_buildings(write_extract(tmp_path / "a.osm.pbf", nodes, ways, relations))
    assert [dict(tags) for tags in found.tags] == [
        {"building": "hut", "addr:street": "Gass", "addr:housenumber": "3"},
        {"building": "yes", "addr:city": "Vaduz"},
        {"building": "house"},
        {"building": "school"},
    ]
    # The L-shaped one is a triangle, 5 being on its diagonal: a third of the way in.
    expected = [[1, 1], [0.002, 0.001], [0.008 / 3, 0.002 / 3], [0.002, 0.001]]
    assert found.lonlat == pytest.approx(np.array(expected), abs=1e-9)


@pytest.mark.parametrize("damage", ["cut", "foreign", "missing", "empty"])
def test_unreadable_extracts_are_faults(tmp_path, damage):
    file = tmp_path / "a.osm.pbf"
    ways = [([1, 2], {"highway": "residential"})]
    whole = write_extract(tmp_path / "b.osm.pbf", line(1, 2), ways).read_bytes()
    content = {"cut": whole[: len(whole) - 20], "foreign": b"[1, 2]\n" * 50, "empty": b""}
    if damage != "missing":
        file.write_bytes(content[damage])
    for read in (OsmRoads.from_pbf, read_buildings):
        with pytest.raises(InvalidInputError) as caught:
            read(file)
        assert [(fault.file, fault.code) for fault in caught.value.faults] == [(str(file), "unreadable-file")]


def test_an_extract_without_roads_is_a_fault(tmp_path):
    file = write_extract(tmp_path / "a.osm.pbf", line(1, 2), [([1, 2], {"highway": "footway"})])
    with pytest.raises(InvalidInputError, match="no-roads"):
        OsmRoads.from_pbf(file)


def test_without_osmium_the_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "osmium", None)
    with pytest.raises(MissingExtraError, match=r"logistics-engine\[osm\]"):
        OsmRoads.from_pbf(tmp_path / "a.osm.pbf")


KMH = {
    "motorway": 110, "motorway_link": 60, "trunk": 90, "trunk_link": 50, "primary": 65, "primary_link": 45,
    "secondary": 55, "secondary_link": 40, "tertiary": 45, "tertiary_link": 35, "unclassified": 40,
    "residential": 30, "road": 30, "service": 15, "living_street": 10, "track": 15, "pedestrian": 8,
}  # fmt: skip
YES = {"yes", "designated", "permissive", "destination", "delivery", "customers", "permit"}
NO = {"no", "private", "agricultural", "forestry", "military", "emergency", "psv", "bus", "use_sidepath"}


def permission(tags: dict[str, str]) -> bool | None:
    for key in ("motorcar", "goods", "motor_vehicle", "vehicle", "access"):
        parts = set(tags.get(key, "?").split(";"))
        if parts & YES:
            return True
        if parts <= NO:
            return False
    return None


def limit(tags: dict[str, str], key: str, default: float) -> float:
    parts = [int(part) for part in tags.get(key, "").split(";") if part.isdigit()]
    return min((part for part in parts if part > 0), default=default)


class RawGraph(osmium.SimpleHandler):
    """The test's own reading of an extract: one vertex per map point, one edge per pair and direction."""

    def __init__(self) -> None:
        super().__init__()
        self.graph = nx.DiGraph()
        self.shut: set[int] = set()

    def node(self, node) -> None:
        tags = dict(node.tags)
        if "barrier" in tags:
            hard = tags["barrier"] in {
                "bollard", "block", "cycle_barrier", "kissing_gate", "jersey_barrier", "log", "stile",
            }  # fmt: skip
            if permission(tags) is False or (permission(tags) is None and hard):
                self.shut.add(node.id)

    def way(self, way) -> None:
        tags = dict(way.tags)
        kind, allowed = tags.get("highway"), permission(dict(way.tags))
        if kind not in KMH or allowed is False or tags.get("area") == "yes":
            return
        if (kind in ("track", "pedestrian") and not allowed) or tags.get("service") == "emergency_access":
            return
        both = limit(tags, "maxspeed", KMH[kind])
        ahead, back = limit(tags, "maxspeed:forward", both), limit(tags, "maxspeed:backward", both)
        oneway = tags.get(
            "oneway", "yes" if kind == "motorway" or tags.get("junction") == "roundabout" else "no"
        )
        points = [(ref.ref, ref.lon, ref.lat) for ref in way.nodes if ref.location.valid()]
        assert len(points) == len(way.nodes)
        for k, (tail, head) in enumerate(pairwise(points)):
            # A shut point becomes two dead ends, one for the piece before it and one for the piece after.
            a = (tail[0], way.id, k) if tail[0] in self.shut else tail[0]
            b = (head[0], way.id, k + 0.5) if head[0] in self.shut else head[0]
            if a == b:
                continue
            self.graph.add_node(a, at=tail[1:])
            self.graph.add_node(b, at=head[1:])
            metres = haversine_m(tail[1:], head[1:])
            if oneway not in ("-1", "reverse"):
                self._add(a, b, metres / (ahead / 3.6))
            if oneway not in ("yes", "true", "1"):
                self._add(b, a, metres / (back / 3.6))

    def _add(self, a, b, seconds: float) -> None:
        if seconds < self.graph.get_edge_data(a, b, {"seconds": np.inf})["seconds"]:
            self.graph.add_edge(a, b, seconds=seconds)


@pytest.mark.parametrize("country", ["liechtenstein", "andorra"])
def test_travel_times_equal_networkx_to_the_second(country, data_dir):
    file = data_dir("roads/osm") / f"{country}.osm.pbf"
    raw = RawGraph()
    raw.apply_file(str(file), locations=True, filters=[osmium.filter.KeyFilter("highway", "barrier")])
    connected = raw.graph.subgraph(max(nx.strongly_connected_components(raw.graph), key=len))
    # Two points of the map at one position cannot be told apart by their coordinates.
    positions = Counter(at for _, at in connected.nodes(data="at"))
    points = sorted((node for node, at in connected.nodes(data="at") if positions[at] == 1), key=str)

    roads = OsmRoads.from_pbf(file)
    rng = random.Random(7)
    wrong = []
    for origin in rng.sample(points, 20):
        expected = nx.single_source_dijkstra_path_length(connected, origin, weight="seconds")
        targets = rng.sample(points, 10)
        places = roads.places([connected.nodes[node]["at"] for node in [origin, *targets]])
        metres, seconds = roads.matrix(places, 0.0)
        for k, target in enumerate(targets, 1):
            leg_m, leg_s = roads.leg(places[0], places[k], 0.0)
            exact = isclose(leg_s, expected[target], abs_tol=1e-6) and leg_m == metres[0, k]
            if not exact or seconds[0, k] != round(expected[target]):
                wrong.append((origin, target, leg_s, expected[target]))
    assert wrong == []
    assert roads.snapping().largest_m < 1e-6


def test_buildings_of_liechtenstein(data_dir):
    found = read_buildings(data_dir("roads/osm") / "liechtenstein.osm.pbf")
    assert len(found) == 9000  # 9,001 of which one is tagged `building=no`
    assert (found.lonlat.min(axis=0) > [9.47, 47.04]).all()
    assert (found.lonlat.max(axis=0) < [9.64, 47.28]).all()
    assert sum("addr:housenumber" in tags for tags in found.tags) > 800
