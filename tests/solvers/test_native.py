"""Native files: what is written reads back the same, what is wrong is told with its place."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from solvers import (
    UNLIMITED,
    InvalidInputError,
    MaxIterations,
    Problem,
    ProblemBuilder,
    Route,
    Solution,
    Travel,
    make,
)
from solvers.check import check
from solvers.native import (
    dump_problem,
    dump_solution,
    load_problem,
    load_solution,
    problem_schema,
    solution_schema,
)
from tests.conformance.problems import CASES, case_id, random_problem


def same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if dataclasses.is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in dataclasses.fields(a))
    if isinstance(a, tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


@pytest.mark.parametrize("case", [c for c in CASES if len(c) != 2], ids=case_id)
def test_problems_survive_writing_and_reading(case: tuple[str, ...], tmp_path: Path) -> None:
    problem = random_problem(case, 3)
    dump_problem(problem, tmp_path / "p.json")
    back = load_problem(tmp_path / "p.json")
    # skills are numbered by first use, so compare them by name through a second round
    dump_problem(back, tmp_path / "q.json")
    assert (tmp_path / "p.json").read_text() == (tmp_path / "q.json").read_text()
    for part in ("depots", "coords", "travel", "name", "cost_scale"):
        assert same(getattr(problem, part), getattr(back, part)), part
    assert same(problem.visits.tw, back.visits.tw)
    assert same(problem.vehicle_types.max_duration, back.vehicle_types.max_duration)
    assert problem.features == back.features


def test_matrices_survive(tmp_path: Path) -> None:
    b = ProblemBuilder(name="m")
    b.depot()
    b.visit()
    b.travel(Travel.of_matrices([[0, 3], [4, 0]], [[0, 5], [6, 0]]))
    b.vehicle_type(time_cost=1)
    dump_problem(b.build(), tmp_path / "m.json")
    back = load_problem(tmp_path / "m.json")
    assert back.coords is None
    assert check(back, Solution.of([[0]])).cost.total == 3 + 4 + 5 + 6


@pytest.fixture
def problem() -> Problem:
    return random_problem(("heterogeneous_fleet", "multi_depot"), 1)


@pytest.mark.parametrize("name", ["s.json", "s.sol"])
def test_solutions_survive_writing_and_reading(name: str, problem: Problem, tmp_path: Path) -> None:
    solution = Solution((Route(0, (0, 2)), Route(1, (1,))))
    dump_solution(problem, solution, tmp_path / name)
    assert load_solution(tmp_path / name, problem) == solution


MINIMAL: dict[str, Any] = {
    "format": "logistics-problem/1",
    "depots": [{"x": 0, "y": 0}],
    "visits": [{"x": 3, "y": 4, "delivery": [1]}],
    "vehicle_types": [{"capacity": [5]}],
}


def changed(change: Callable[[dict[str, Any]], Any]) -> str:
    content = json.loads(json.dumps(MINIMAL))
    change(content)
    return json.dumps(content)


def test_minimal_file(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(json.dumps(MINIMAL))
    problem = load_problem(tmp_path / "p.json")
    assert check(problem, Solution.of([[0]])).cost.total == 10


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("{", ["line 1"]),
        (
            json.dumps(MINIMAL, indent=1)[:-30],
            [f"line {json.dumps(MINIMAL, indent=1)[:-30].count(chr(10)) + 1}"],
        ),
        (changed(lambda c: c["vehicle_types"][0].update(capacity=[-4])), ["vehicle_types[0].capacity[0]"]),
        ("[]", [""]),
        (changed(lambda c: c.pop("format")), ["format"]),
        (changed(lambda c: c.update(format="other/2")), ["format"]),
        (changed(lambda c: c.update(colour=1)), ["colour"]),
        (changed(lambda c: c["visits"][0].update(delivery=[-1])), ["visits[0].delivery[0]"]),
        (changed(lambda c: c["visits"][0].update(service="5")), ["visits[0].service"]),
        (changed(lambda c: c["visits"][0].update(x=1e999)), ["visits[0].x"]),
        (changed(lambda c: c["visits"][0].update(tw=[9, 3])), ["visits[0].tw"]),
        (changed(lambda c: c["vehicle_types"][0].update(start_depot=4)), ["vehicle_types[0].start_depot"]),
        (changed(lambda c: c.update(depots=[])), ["depots"]),
        (changed(lambda c: c.update(travel=[{"metric": "flat"}])), ["travel[0]"]),
        (
            changed(lambda c: c.update(travel=[{"metric": "matrix", "distance": [[0, 1], [2]]}])),
            ["travel[0].distance"],
        ),
        (
            changed(lambda c: (c["visits"][0].update(prize=-1), c["depots"][0].update(z=0))),
            ["depots[0].z", "visits[0].prize"],
        ),
    ],
)
def test_faults_are_told_with_their_place(text: str, places: list[str], tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(text.replace("1e999", "Infinity"))
    with pytest.raises(InvalidInputError) as caught:
        load_problem(tmp_path / "p.json")
    found = [f.place for f in caught.value.faults]
    assert set(places) <= set(found)
    assert all(f.file.endswith("p.json") and f.repair for f in caught.value.faults)


def told(text: str, tmp_path: Path) -> list[tuple[str, str]]:
    """Place and code of each fault of a problem file."""
    (tmp_path / "p.json").write_text(text)
    with pytest.raises(InvalidInputError) as caught:
        load_problem(tmp_path / "p.json")
    return [(fault.place, fault.code) for fault in caught.value.faults]


def test_faults_of_travel_hide_no_others(tmp_path: Path) -> None:
    def spoil(content: dict[str, Any]) -> None:
        content["depots"][0] = {"tw": [9, 3]}
        content["visits"] = [{"tw": [7, 3]}, {"pickup_at": 9}, {"pickup_at": 2}]
        content["vehicle_types"][0]["profile"] = 1
        speeds = {"starts": [0, 0], "values": [[1, 1]]}
        content["travel"] = [
            {"metric": "matrix", "distance": [[0, 1], [1, 0, 2]]},
            {"metric": "matrix", "distance": [[0] * 4] * 4, "speeds": speeds},
        ]

    assert told(changed(spoil), tmp_path) == [
        ("travel[0].distance", "matrix-shape"),
        ("travel[1].speeds", "speeds"),
        ("depots[0].tw", "window-reversed"),
        ("visits[0].tw", "window-reversed"),
        ("visits[1].pickup_at", "no-such-visit"),
        ("visits[2].pickup_at", "pair-self"),
    ]


@pytest.mark.parametrize(
    ("values", "category", "places"),
    [
        ([[1, 2]], ["00", "0x"], [".category[1]"]),
        ([[1, 2]], ["00", "0²"], [".category[1]"]),
        ([[1, 2]], ["00", "000"], [".category[1]"]),
        ([[1, 2], [3]], ["0", "01a"], [".category[0]", ".category[1]", ""]),
        ([[1, 2], [3]], None, [""]),
    ],
)
def test_faults_of_speeds_are_in_words_of_our_own(
    values: Any, category: Any, places: list[str], tmp_path: Path
) -> None:
    speeds = {"starts": [0, 5], "values": values, "category": category}
    travel = [{"metric": "euclidean_round", "speeds": speeds}]
    found = told(changed(lambda c: c.update(travel=travel)), tmp_path)
    assert found == [(f"travel[0].speeds{place}", "speeds") for place in places]
    with pytest.raises(InvalidInputError, match=r"not of 2 digits|needs 2 positive speeds"):
        load_problem(tmp_path / "p.json")


def test_a_visit_has_one_window_or_several(tmp_path: Path) -> None:
    both = {"tw": [0, 9], "windows": [[0, 3], [5, 8]]}
    assert told(changed(lambda c: c["visits"][0].update(both)), tmp_path) == [
        ("visits[0].tw", "tw-and-windows")
    ]
    both["tw"] = [0, 8]  # says the same, and dump_problem once wrote so
    (tmp_path / "p.json").write_text(changed(lambda c: c["visits"][0].update(both)))
    problem = load_problem(tmp_path / "p.json")
    assert problem.closed_times == {0: [(3, 5)]}
    dump_problem(problem, tmp_path / "q.json")
    assert "tw" not in json.loads((tmp_path / "q.json").read_text())["visits"][0]
    assert load_problem(tmp_path / "q.json").closed_times == {0: [(3, 5)]}


def test_fleets_and_vehicles_without_a_limit_survive(tmp_path: Path) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(3, 4, delivery=1)
    b.vehicle_type(int(UNLIMITED), (int(UNLIMITED), 5))
    dump_problem(b.build(), tmp_path / "p.json")
    back = load_problem(tmp_path / "p.json")
    assert back.vehicle_types.count.tolist() == [UNLIMITED]
    assert back.vehicle_types.capacity.tolist() == [[UNLIMITED, 5]]
    assert make("ruin_recreate").solve(back, MaxIterations(5), seed=1).cost == 10


def test_a_mark_of_the_byte_order_is_no_fault(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(json.dumps(MINIMAL), encoding="utf-8-sig")
    problem = load_problem(tmp_path / "p.json")
    dump_solution(problem, Solution.of([[0]]), tmp_path / "s.json")
    (tmp_path / "s.json").write_text((tmp_path / "s.json").read_text(), encoding="utf-8-sig")
    assert load_solution(tmp_path / "s.json", problem) == Solution.of([[0]])


def test_goods_collected_alone_have_as_many_dimensions_as_they_say(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(changed(lambda c: c["visits"][0].update(pickup=[1, 2])))
    problem = load_problem(tmp_path / "p.json")
    assert (problem.num_load_dimensions, problem.vehicle_types.capacity.tolist()) == (2, [[5, 0]])
    assert [v.code for v in check(problem, Solution.of([[0]])).violations] == ["capacity"]


def test_unknown_types_and_missing_files(tmp_path: Path) -> None:
    for name, code in (("p.xml", "unknown-file-type"), ("p.json", "unreadable")):
        with pytest.raises(InvalidInputError) as caught:
            load_problem(tmp_path / name)
        assert caught.value.faults[0].code == code


def test_a_broken_solution_file_is_a_fault(problem: Problem, tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"format": "logistics-solution/1", "routes": [{"visits": [-1]}]}')
    with pytest.raises(InvalidInputError) as caught:
        load_solution(tmp_path / "s.json", problem)
    assert caught.value.faults[0].place == "routes[0].visits[0]"


def test_schemas_name_every_part() -> None:
    assert {"depots", "visits", "vehicle_types", "travel"} <= set(problem_schema()["properties"])
    assert "routes" in solution_schema()["required"]
