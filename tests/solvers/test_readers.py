"""Readers: every best-known solution checks out exactly, every format is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from solvers import Halt, Objective, Problem, Route, Solution
from solvers.check import check
from solvers.problem import UNLIMITED
from solvers.readers import FAMILIES, family_of, read, read_best_known, read_sol, sol_text
from tests.solvers.instance_texts import BACKHAULS, LI_LIM, MATRIX, PLAIN, RICH, SOLOMON, TRIPS, put

DataDir = Callable[[str], Path]

# sets whose best-known solutions the model can hold
SETS = (
    "cvrp-x",
    "cvrp-xxl",
    "vrptw-solomon",
    "vrptw-gh1000",
    "hfvrp",
    "mdvrptw",
    "pcvrptw",
    "sdvrptw",
    "vrpb",
    "mtvrptwr",
)


@pytest.mark.parametrize("family", SETS)
def test_best_known_solutions_check_out(family: str, data_dir: DataDir) -> None:
    folder = data_dir(f"routing/{family}")
    instances = sorted(p for p in folder.iterdir() if p.suffix in (".vrp", ".txt"))
    assert len(instances) >= 5
    for path in instances:
        convention = family_of(path)
        problem = read(path, convention.rounding)
        solution, stated = read_sol(path.with_suffix(".sol"), problem)
        report = check(problem, solution)
        assert report.feasible, (path.name, report.violations[:3], report.unserved[:3])
        assert stated is not None
        if family == "hfvrp" and stated < 1e6:  # some of this set's costs are of unrounded distances
            assert round(unrounded_cost(problem, solution), 2) == stated, path.name
            assert report.cost.total / 100_000 == pytest.approx(stated, abs=0.03)
        else:
            assert round(report.cost.total / convention.unit, convention.decimals) == stated, path.name


def unrounded_cost(problem: Problem, solution: Solution) -> float:
    """Cost in units of the file, with distances that are not rounded."""
    xy, t, total = problem.coords, problem.vehicle_types, 0.0
    assert xy is not None
    for route in solution.routes:
        nodes = [0, *(v + 1 for v in route.visits), 0]
        length = sum(math.dist(xy[a], xy[b]) for a, b in pairwise(nodes))
        total += length * t.distance_cost[route.vehicle_type] + t.fixed_cost[route.vehicle_type] / 1000
    return total / 100


def test_li_lim_files_go_with_their_table_of_best_known_values(data_dir: DataDir) -> None:
    folder = data_dir("routing/pdptw-lilim")
    table = read_best_known(folder / "best-known.csv")
    instances = sorted(folder.glob("*.txt"))
    assert len(instances) > 80
    for path in instances:
        problem = read(path, "family")
        assert problem.features == {"pickups", "time_windows", "pickup_delivery", "vehicles_first"}
        assert 0 < table[path.stem].routes <= problem.vehicle_types.count[0]
        one_pair_each = [[p, d] for d, p in enumerate(problem.visits.pair) if p >= 0]  # type: ignore[arg-type]
        assert len(one_pair_each) * 2 == problem.num_visits
        report = check(problem.replace(count=[problem.num_visits]), Solution.of(one_pair_each))
        assert report.feasible, path.name
        assert report.cost.total / problem.cost_scale > table[path.stem].distance


def test_plain_file(tmp_path: Path) -> None:
    problem = read(put(tmp_path, PLAIN), "round")
    assert (problem.name, problem.num_visits, problem.num_vehicles) == ("tiny", 3, 3)
    assert check(problem, Solution.of([[0, 1], [2]])).cost.total == 30
    exact = read(put(tmp_path, PLAIN), "exact")
    assert (exact.cost_scale, check(exact, Solution.of([[0, 1], [2]])).cost.total) == (1000, 30_000)


def test_explicit_weights_in_every_format(tmp_path: Path) -> None:
    full = "EDGE_WEIGHT_FORMAT: FULL_MATRIX", "0 5 9\n5 0 7\n9 7 0"
    shapes = {
        "FULL_MATRIX": full[1],
        "LOWER_ROW": "5 9 7",
        "UPPER_ROW": "5 9\n7",
        "LOWER_DIAG_ROW": "0\n5 0\n9 7 0",
        "UPPER_DIAG_ROW": "0 5 9 0 7 0",
        "LOWER_COL": "5 9\n7",
        "UPPER_COL": "5\n9 7",
        "LOWER_DIAG_COL": "0 5 9 0 7 0",
        "UPPER_DIAG_COL": "0 5 0 9 7 0",
    }
    for form, weights in shapes.items():
        text = MATRIX.replace(full[0], f"EDGE_WEIGHT_FORMAT: {form}").replace(full[1], weights)
        problem = read(put(tmp_path, text), "round")
        assert check(problem, Solution.of([[0, 1]])).cost.total == 5 + 7 + 9, form
        matrix = problem.travel[0].distance
        assert matrix is not None
        assert matrix.tolist() == [[0, 5, 9], [5, 0, 7], [9, 7, 0]], form
    for kind, file in (("ACVRP", "a.vrp"), ("VRPTW", "a.vrp"), ("VRPTW", "a.txt")):
        directed = MATRIX.replace("TYPE: CVRP", f"TYPE: {kind}").replace("5 0 7", "5 0 2")
        problem = read(put(tmp_path, directed, file), "round")
        assert check(problem, Solution.of([[0, 1]])).cost.total == 5 + 2 + 9
        assert family_of(tmp_path / file) == FAMILIES[kind]


def test_distances_may_be_rounded_up(tmp_path: Path) -> None:
    text = PLAIN.replace("EUC_2D", "CEIL_2D").replace("2 3 4", "2 3 5")
    for rounding, unit in (("round", 1), ("dimacs", 10)):
        problem = read(put(tmp_path, text), rounding)
        # 0 to 1 is 5.83, 1 to 2 is 4.24, 2 to 0 is 10
        assert check(problem, Solution.of([[0, 1], [2]])).cost.total == (6 + 5 + 10 + 10) * unit


def test_instances_of_the_dynamic_challenge_are_read(data_dir: DataDir) -> None:
    instances = sorted(data_dir("dynamic/euro-neurips-2022").glob("ORTEC*.txt"))
    assert len(instances) > 20
    for path in instances[::10]:
        problem = read(path, "family")
        assert f"-n{problem.num_visits}-k" in path.name
        matrix = problem.travel[0].distance
        assert matrix is not None
        assert (matrix != matrix.T).any()


def test_rich_file(tmp_path: Path) -> None:
    problem = read(put(tmp_path, RICH), "dimacs")
    t, v = problem.vehicle_types, problem.visits
    assert t.count.tolist() == [2, 1]
    assert t.capacity.tolist() == [[10, 5], [20, 9]]
    assert t.fixed_cost.tolist() == [70, 90]
    assert t.distance_cost.tolist() == [1, 2]
    assert t.start_depot.tolist() == t.end_depot.tolist() == [0, 1]
    assert t.max_duration.tolist() == [900, 900]
    assert v.service.tolist() == [20, 20, 22]
    assert v.prize.tolist() == [0, 0, 35]
    assert v.required.tolist() == [True, True, False]
    assert v.release.tolist() == [10, 0, 0]
    assert v.tw.tolist() == [[50, 500]] * 3
    only_big = check(problem, Solution((Route(0, (2,)),))).violations
    assert [x.code for x in only_big] == ["skills"]
    assert not check(problem, Solution((Route(1, (0, 1, 2)),))).violations


def test_backhauls_come_last_and_not_alone(tmp_path: Path) -> None:
    problem = read(put(tmp_path, BACKHAULS), "family")
    assert problem.features == {"backhauls", "pickups"}
    assert not check(problem, Solution.of([[0, 1, 2]])).violations
    for routes in ([[2, 0, 1]], [[0, 1], [2]]):
        assert "backhaul-order" in {v.code for v in check(problem, Solution.of(routes)).violations}


def test_trips_start_when_their_goods_are_released(tmp_path: Path) -> None:
    problem = read(put(tmp_path, TRIPS), "round")
    assert problem.features == {"reloads", "release_times", "time_windows"} - {"time_windows"}
    report = check(problem, Solution((Route(0, (0, 1, 2), (Halt(2, 0),)),)))
    run = report.routes[0].schedule
    assert report.feasible
    # the first trip takes 20 and starts as late as the second, released at 60, allows
    assert (run.departure[0], run.arrival[3], run.start[3], run.end_time) == (40, 60, 60, 70)
    assert run.load == ((9,), (5,), (0,), (6,), (0,))
    text = sol_text(problem, Solution((Route(0, (0, 1, 2), (Halt(2, 0),)),)), 30)
    assert "Route #1: 1 2 0 3\n" in text
    assert read_sol(put(tmp_path, text, "x.sol"), problem)[0].routes[0].halts == (Halt(2, 0),)
    twice = Solution((Route(0, (0, 1, 2), (Halt(1, 0), Halt(2, 0))),))
    assert [v.code for v in check(problem, twice).violations] == ["reload"]


def test_li_lim_file(tmp_path: Path) -> None:
    problem = read(put(tmp_path, LI_LIM, "l1.txt"), "family")
    assert (problem.name, problem.objective, problem.cost_scale) == ("l1", Objective.VEHICLES, 10_000)
    assert problem.vehicle_types.capacity.tolist() == [[20]]
    report = check(problem, Solution.of([[0, 1]]))
    assert report.feasible
    assert (report.rank, report.routes[0].load_peak) == ((0, 1, 200_000), (5,))
    fast = read(put(tmp_path, LI_LIM.replace("2	20	1", "2	20	4"), "l2.txt"), "family")
    assert fast.coords is not None
    whole = fast.travel[0].materialise(fast.coords)
    assert whole.distance is not None
    assert whole.duration is not None
    assert (whole.duration == np.rint(whole.distance / 4)).all()
    assert whole.duration.any()


def test_solomon_file(tmp_path: Path) -> None:
    problem = read(put(tmp_path, SOLOMON, "S1.txt"), "family")
    assert (problem.name, problem.num_visits, problem.num_vehicles) == ("S1", 2, 2)
    assert problem.vehicle_types.count.tolist() == [3]
    assert problem.visits.service.tolist() == [90, 90]
    assert problem.depots.tw.tolist() == [[0, 1000]]
    assert problem.visits.tw.max() < UNLIMITED


def test_an_unknown_rounding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="round, dimacs, exact, fine"):
        read(put(tmp_path, PLAIN), "nearest")


@pytest.mark.parametrize("problem_text", [PLAIN, RICH])
def test_solutions_survive_writing_and_reading(problem_text: str, tmp_path: Path) -> None:
    problem = read(put(tmp_path, problem_text), "exact")
    kinds = len(problem.vehicle_types.count)
    solution = Solution((Route(0, (0,)), Route(kinds - 1, (2, 1))))
    cost = check(problem, solution).cost.total
    back, stated = read_sol(put(tmp_path, sol_text(problem, solution, cost), "x.sol"), problem)
    assert (back, stated) == (solution, cost / 1000)
