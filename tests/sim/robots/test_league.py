"""Readers of maps and League problems: every fault with its place, and the real sets where they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sim.robots.bench import measure, settings_of
from sim.robots.grid import Grid, read_map
from sim.robots.league import best_known, find_instance, instance_names, read_problem
from solvers.errors import InvalidInputError

MAP = "type octile\nheight 2\nwidth 3\nmap\n..@\nE.S\n"


def write(folder: Path, **changes: object) -> Path:
    (folder / "a.map").write_text(MAP)
    (folder / "a.agents").write_text("2\n0\n3\n")
    (folder / "a.tasks").write_text("3\n1\n5\n4\n")
    document = {
        "mapFile": "a.map",
        "agentFile": "a.agents",
        "taskFile": "a.tasks",
        "teamSize": 2,
        "numTasksReveal": 1,
        "taskAssignmentStrategy": "roundrobin",
        **changes,
    }
    path = folder / "I-99.json"
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))
    return path


def faults(action: Callable[[], object]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidInputError) as caught:
        action()
    assert all(fault.message and fault.repair for fault in caught.value.faults)
    return [(fault.code, fault.place) for fault in caught.value.faults]


def test_map(tmp_path: Path) -> None:
    (tmp_path / "a.map").write_text(MAP)
    grid = read_map(tmp_path / "a.map")
    assert (grid.width, grid.height, grid.cells.tolist()) == (3, 2, [0, 1, 3, 4, 5])
    assert np.flatnonzero(grid.station).tolist() == [3, 5]
    assert grid.neighbours[grid.index[4]].tolist() == [grid.index[5], -1, grid.index[3], grid.index[1]]


def test_map_faults_are_found_together(tmp_path: Path) -> None:
    path = tmp_path / "a.map"
    path.write_text("type hex\nheight 3\nwidth x\nmap\n..#\n...\n")
    assert faults(lambda: read_map(path)) == [
        ("map-type", "line 1"),
        ("map-size", "line 3"),
        ("map-rows", "line 6"),
        ("map-symbol", "line 5"),
    ]
    path.write_text("type octile\nheight 1\nwidth 2\nmap\n@@\n")
    assert faults(lambda: read_map(path)) == [("map-no-free-cell", "line 5")]
    path.write_text("type octile\nheight 1\nwidth 2\nmap\n...\n")
    assert faults(lambda: read_map(path)) == [("map-row-width", "line 5")]
    assert faults(lambda: read_map(tmp_path / "none.map")) == [("file-unreadable", "")]


def test_problem(tmp_path: Path) -> None:
    problem = read_problem(write(tmp_path), steps=7)
    assert (problem.name, problem.n_robots, problem.steps) == ("I-99", 2, 7)
    assert (problem.starts.tolist(), problem.errands.tolist()) == ([0, 3], [1, 5, 4])


def test_problem_fields(tmp_path: Path) -> None:
    path = write(tmp_path, mapFile=None, teamSize=0, numTasksReveal=1.5, taskAssignmentStrategy="greedy")
    assert [place for _, place in faults(lambda: read_problem(path, steps=1))] == [
        "mapFile",
        "teamSize",
        "numTasksReveal",
        "taskAssignmentStrategy",
    ]


def test_locations(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "a.agents").write_text("3\n0\n2\nx\n")
    (tmp_path / "a.tasks").write_text("9\n1\n77\n")
    assert faults(lambda: read_problem(path, steps=1)) == [
        ("location-invalid", "line 3"),
        ("location-invalid", "line 4"),
        ("count-wrong", "line 1"),
        ("location-invalid", "line 3"),
    ]


def test_shared_starts_and_small_files(tmp_path: Path) -> None:
    path = write(tmp_path)
    (tmp_path / "a.agents").write_text("2\n3\n3\n")
    assert faults(lambda: read_problem(path, steps=1)) == [("start-shared", "line 3")]
    path = write(tmp_path, teamSize=4)
    assert [code for code, _ in faults(lambda: read_problem(path, steps=1))] == ["problem-field"] * 2


def test_broken_json(tmp_path: Path) -> None:
    path = tmp_path / "I-99.json"
    path.write_text('{"mapFile": \n oops}')
    assert faults(lambda: read_problem(path, steps=1)) == [("json-syntax", "line 2")]
    path.write_text("[]")
    assert faults(lambda: read_problem(path, steps=1)) == [("json-shape", "")]


def test_instances_by_name(tmp_path: Path) -> None:
    write(tmp_path)
    assert faults(lambda: find_instance(tmp_path, "I-99")) == [("steps-unknown", "")]
    (tmp_path / "simulation_time.json").write_text('{"I-99": 12}')
    assert find_instance(tmp_path, "I-99").steps == 12
    assert instance_names(tmp_path) == ["I-99"]
    assert faults(lambda: find_instance(tmp_path, "I-1")) == [("instance-unknown", "")]


def test_measure_on_a_small_instance(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "simulation_time.json").write_text('{"I-99": 30}')
    settings = settings_of(("window=4",), None, 20)
    row = measure(tmp_path, "I-99", "windowed", settings=settings)
    again = measure(tmp_path, "I-99", "windowed", settings=settings)
    assert row.errands == again.errands > 0
    assert (row.conflicts, row.steps, row.robots, row.best_known) == (0, 30, 2, None)
    assert faults(lambda: measure(tmp_path, "I-99", "windowed", settings={"window": 99})) == [
        ("robot-setting", "--set")
    ]
    assert faults(lambda: settings_of(("window",), None, None)) == [("robot-setting", "--set")]


@pytest.mark.parametrize(
    ("name", "robots", "cells", "steps"),
    [("I-04", 100, 819, 500), ("I-08", 800, 819, 2000), ("I-06", 10_000, 54_320, 5000)],
)
def test_league(data_dir: Callable[[str], Path], name: str, robots: int, cells: int, steps: int) -> None:
    folder = data_dir("robots/league-2023")
    problem = find_instance(folder, name)
    assert (problem.n_robots, problem.grid.n_free, problem.steps) == (robots, cells, steps)
    assert best_known(folder)["I-04"] == 1741


def test_league_errands(data_dir: Callable[[str], Path]) -> None:
    """By iterations, far below the time the League gives; the bar for full effort is 1,550."""
    settings = settings_of((), None, 400)
    row = measure(data_dir("robots/league-2023"), "I-04", "windowed", settings=settings)
    assert row.conflicts == 0
    assert row.errands >= 1_500


def test_movingai(data_dir: Callable[[str], Path]) -> None:
    sizes = {}
    for path in sorted(data_dir("robots/movingai").rglob("*.map")):
        grid = read_map(path)
        assert isinstance(grid, Grid)
        sizes[path.stem] = (grid.height, grid.width, grid.n_free)
    assert sizes["random-32-32-20"] == (32, 32, 819)
    assert sizes["random-32-32-10"][2] == 922
