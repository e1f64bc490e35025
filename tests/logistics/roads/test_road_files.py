"""Graph files, the importer and the factory."""

from __future__ import annotations

import gzip
import json

import numpy as np
import pytest

from logistics.roads import GreatCircleRoads, HourlyGraphRoads, OsmRoads, import_roads, load_roads
from logistics.roads.graph_file import load_graph
from solvers.errors import InvalidInputError
from tests.logistics.roads.test_hourly_graph import GOOD
from tests.logistics.roads.test_osm_roads import line, write_extract

PROFILE = [10.0] * 12 + [5.0] * 12


@pytest.fixture
def extract(tmp_path):
    nodes = {**line(1, 2, 3, 8, 9), 4: (0.003, 0.001), 5: (0.002, 0.001)}
    ways = [
        ([1, 2, 3], {"highway": "residential"}),
        ([3, 4, 5, 2], {"highway": "tertiary", "oneway": "yes"}),
        ([8, 9], {"highway": "residential"}),  # cut off
        ([1, 4], {"highway": "footway"}),
    ]
    return write_extract(tmp_path / "town.osm.pbf", nodes, ways)


@pytest.fixture
def hourly(tmp_path):
    file = tmp_path / "town.road.json.gz"
    file.write_bytes(gzip.compress(json.dumps(GOOD).encode()))
    (tmp_path / "town.vrp.json").write_text(
        json.dumps({"coordinates": [[0, 0], [100, 50]], "reference_lla": {"lon": 4.8, "lat": 45.7}})
    )
    return file


def test_an_imported_extract_drives_like_the_extract(extract, tmp_path):
    report = import_roads(extract, tmp_path / "town.npz")
    assert report.ways_read == report.ways_used + sum(report.ways_dropped.values()) == 4
    assert (report.kind, report.vertices, report.edges) == ("streets", 3, 5)
    assert report.kilometres == pytest.approx(5 * 0.1112, abs=0.001)
    assert report.kilometres_cut_off == pytest.approx(0.1112, abs=0.001)
    assert json.loads(json.dumps(report.as_dict()))["vertices"] == 3
    features = json.loads((tmp_path / "town.geojson").read_text())["features"]
    assert sum(feature["properties"]["length_m"] for feature in features) == pytest.approx(
        1000 * report.kilometres, abs=1
    )
    assert {feature["properties"]["oneway"] for feature in features} == {True, False}
    one = load_roads("osm", path=extract, speeds_mps=PROFILE, start_second_of_day=36_000)
    two = load_roads("graph", path=tmp_path / "town.npz", speeds_mps=PROFILE, start_second_of_day=36_000)
    points = [[0.001, 0.0], [0.0025, 0.0011], [0.003, 0.0]]
    for depart in (0.0, 7190.0, 40_000.0):
        expected, actual = (roads.matrix(roads.places(points), depart) for roads in (one, two))
        np.testing.assert_array_equal(expected, actual)


def test_import_writes_the_same_bytes_again(extract, tmp_path):
    import_roads(extract, tmp_path / "a.npz")
    import_roads(extract, tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert not list(tmp_path.glob("*.partial"))


def test_an_imported_hourly_graph_drives_like_its_source(hourly, tmp_path):
    report = import_roads(hourly, tmp_path / "town.npz")
    assert (report.kind, report.vertices, report.edges, report.kilometres) == ("hourly", 2, 2, 0.02)
    points = json.loads((tmp_path / "town.geojson").read_text())["features"]
    assert [point["properties"]["vertex"] for point in points] == [0, 1]
    one, two = load_roads("hourly-graph", path=hourly), load_roads("graph", path=tmp_path / "town.npz")
    assert isinstance(one, HourlyGraphRoads)
    assert isinstance(two, HourlyGraphRoads)
    assert one.leg(0, 1, 50.0) == two.leg(0, 1, 50.0) == (10, pytest.approx(2.0))
    assert two.places([[4.8, 45.7]]).tolist() == one.places([[4.8, 45.7]]).tolist() == [0]


def test_streets_follow_the_speeds_of_the_hour_relative_to_the_fastest(extract):
    roads = load_roads("osm", path=extract, speeds_mps=PROFILE)
    assert isinstance(roads, OsmRoads)
    first, second = roads.places([[0.001, 0.0], [0.002, 0.0]])
    assert roads.leg(first, second, 13 * 3600.0)[1] == pytest.approx(2 * roads.leg(first, second, 0.0)[1])


def test_a_file_written_anew_is_read_anew(extract, tmp_path):
    before = load_roads("osm", path=extract)
    assert load_roads("osm", path=extract).graph is before.graph  # parsed once
    write_extract(tmp_path / "other.osm.pbf", line(1, 2), [([1, 2], {"highway": "residential"})]).replace(
        extract
    )
    assert len(load_roads("osm", path=extract).graph.head) == 2


def test_great_circle_by_name():
    roads = load_roads("great-circle", detour_factor=1.4, speeds_mps=9.0, start_second_of_day=100.0)
    assert isinstance(roads, GreatCircleRoads)
    assert (roads.detour_factor, roads.speeds_mps[0], roads.start_second_of_day) == (1.4, 9.0, 100.0)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"kind": "teleport"}, "unknown-kind"),
        ({"kind": "great-circle"}, "missing-key"),
        ({"kind": "great-circle", "speeds_mps": [1.0, -1.0]}, "bad-profile"),
        ({"kind": "osm"}, "missing-key"),
        ({"kind": "osm", "path": "nowhere.osm.pbf"}, "missing-file"),
        ({"kind": "graph", "path": "nowhere.npz"}, "missing-file"),
    ],
)
def test_bad_arguments_are_faults(arguments, code):
    with pytest.raises(InvalidInputError) as caught:
        load_roads(**arguments)
    assert [fault.code for fault in caught.value.faults] == [code]


def test_a_graph_with_its_own_speeds_takes_no_others(hourly):
    with pytest.raises(InvalidInputError, match="unused-key"):
        load_roads("hourly-graph", path=hourly, speeds_mps=5.0)


@pytest.mark.parametrize("name", ["town.shp", "town.osm.pbf"])
def test_imports_of_no_road_source_write_nothing(tmp_path, name):
    (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(InvalidInputError):
        import_roads(tmp_path / name, tmp_path / "out.npz")
    with pytest.raises(InvalidInputError) as caught:
        import_roads(tmp_path / name, tmp_path / "out.parquet")
    found = {(fault.place, fault.code) for fault in caught.value.faults}
    assert found == {("out", "bad-suffix")} | (
        {("source", "unknown-format")} if name == "town.shp" else set()
    )
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("damage", ["cut", "foreign", "head", "first_bend", "version", "lost"])
def test_damaged_graph_files_are_faults(extract, tmp_path, damage):
    file = tmp_path / "town.npz"
    import_roads(extract, file)
    whole = file.read_bytes()
    if damage == "cut":
        file.write_bytes(whole[: len(whole) // 2])
    elif damage == "foreign":
        file.write_bytes(b"PK no archive")
    else:
        arrays = dict(np.load(file))
        if damage == "lost":
            del arrays["head"]
        else:
            arrays[damage] = arrays[damage] + 7
        np.savez(file, **arrays)
    with pytest.raises(InvalidInputError) as caught:
        load_graph(file)
    assert [(fault.file, fault.code) for fault in caught.value.faults] == [(str(file), "unreadable-file")]
