"""Readers: every best-known solution checks out exactly, every malformed file is told with its lines."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from solvers import Halt, Objective, Problem, Route, Solution
from solvers.check import check
from solvers.errors import InvalidInputError
from solvers.problem import UNLIMITED
from solvers.readers import FAMILIES, family_of, read, read_best_known, read_sol, sol_text

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


PLAIN = """NAME : tiny
TYPE : CVRP
DIMENSION : 4
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 10
NODE_COORD_SECTION
1 0 0
2 3 4
3 6 8
4 0 5
DEMAND_SECTION
1 0
2 4
3 5
4 6
DEPOT_SECTION
1
-1
EOF
"""

MATRIX = """NAME: table
TYPE: CVRP
DIMENSION: 3
EDGE_WEIGHT_TYPE: EXPLICIT
EDGE_WEIGHT_FORMAT: FULL_MATRIX
CAPACITY: 10
EDGE_WEIGHT_SECTION
0 5 9
5 0 7
9 7 0
DEMAND_SECTION
1 0
2 4
3 5
DEPOT_SECTION
1
-1
EOF
"""

RICH = """NAME: rich
TYPE: RICH
DIMENSION: 5
VEHICLES: 3
VEHICLES_MAX_DURATION: 90
EDGE_WEIGHT_TYPE: EUC_2D
NODE_COORD_SECTION
1 0 0
2 10 0
3 3 4
4 6 8
5 0 5
DEMAND_SECTION
1 0 0
2 0 0
3 4 1
4 5 2
5 6 3
CAPACITY_SECTION
1 10 5
2 10 5
3 20 9
VEHICLES_DEPOT_SECTION
1 1
2 1
3 2
VEHICLES_FIXED_COST_SECTION
1 7
2 7
3 9
VEHICLES_UNIT_DISTANCE_COST_SECTION
1 1
2 1
3 2
VEHICLES_ALLOWED_CLIENTS_SECTION
1 3 4
2 3 4
3 3 4 5
SERVICE_TIME_SECTION
1 0
2 0
3 2
4 2
5 2.26
TIME_WINDOW_SECTION
1 0 100
2 0 100
3 5 50
4 5 50
5 5 50
PRIZE_SECTION
1 0
2 0
3 0
4 0
5 3.5
RELEASE_TIME_SECTION
1 0
2 0
3 1
4 0
5 0
DEPOT_SECTION
1
2
EOF
"""

BACKHAULS = """NAME: back
TYPE: VRPB
DIMENSION: 4
CAPACITY: 9
EDGE_WEIGHT_TYPE: EUC_2D
NODE_COORD_SECTION
1 0 0
2 3 4
3 6 8
4 0 5
DEMAND_SECTION
1 0
2 4
3 5
4 0
BACKHAUL_SECTION
1 0
2 0
3 0
4 7
DEPOT_SECTION
1
-1
EOF
"""

TRIPS = """NAME: trips
TYPE: MTVRPTWR
DIMENSION: 4
VEHICLES: 2
VEHICLES_MAX_RELOADS: 1
CAPACITY: 9
EDGE_WEIGHT_TYPE: EUC_2D
NODE_COORD_SECTION
1 0 0
2 3 4
3 6 8
4 0 5
DEMAND_SECTION
1 0
2 4
3 5
4 6
RELEASE_TIME_SECTION
1 0
2 7
3 0
4 60
VEHICLES_RELOAD_DEPOT_SECTION
1 1
2 1
DEPOT_SECTION
1
-1
EOF
"""

LI_LIM = """2	20	1
0	0	0	0	0	900	0	0	0
1	3	4	5	10	90	9	0	2
2	6	8	-5	20	90	9	1	0
"""

SOLOMON = """S1

VEHICLE
NUMBER     CAPACITY
  3         20

CUSTOMER
CUST NO.  XCOORD.   YCOORD.    DEMAND   READY TIME  DUE DATE   SERVICE   TIME

    0      0         0          0          0       100          0
    1      3         4          5          10       50          9
    2      6         8          5          10       50          9
"""


def put(tmp_path: Path, text: str, name: str = "case.vrp") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


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
    }
    for form, weights in shapes.items():
        text = MATRIX.replace(full[0], f"EDGE_WEIGHT_FORMAT: {form}").replace(full[1], weights)
        problem = read(put(tmp_path, text), "round")
        assert check(problem, Solution.of([[0, 1]])).cost.total == 5 + 7 + 9, form
    for kind, file in (("ACVRP", "a.vrp"), ("VRPTW", "a.vrp"), ("VRPTW", "a.txt")):
        directed = MATRIX.replace("TYPE: CVRP", f"TYPE: {kind}").replace("5 0 7", "5 0 2")
        problem = read(put(tmp_path, directed, file), "round")
        assert check(problem, Solution.of([[0, 1]])).cost.total == 5 + 2 + 9
        assert family_of(tmp_path / file) == FAMILIES[kind]


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


# what is broken -> the file, its name, then code and line of every fault expected
MALFORMED: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "empty": ("", "a.vrp", [("empty-file", "")]),
    "truncated in the coordinates": (
        PLAIN[: PLAIN.index("3 6 8")],
        "a.vrp",
        [("wrong-count", "line 8"), ("missing-section", "")],
    ),
    "truncated in the demands": (PLAIN[: PLAIN.index("4 6")], "a.vrp", [("wrong-count", "line 14")]),
    "dimension too large": (
        PLAIN.replace("DIMENSION : 4", "DIMENSION : 5"),
        "a.vrp",
        [("wrong-count", "line 10"), ("wrong-count", "line 15")],
    ),
    "dimension too small": (
        PLAIN.replace("DIMENSION : 4", "DIMENSION : 3"),
        "a.vrp",
        [("bad-index", "line 10"), ("bad-index", "line 15")],
    ),
    "dimension missing": (PLAIN.replace("DIMENSION : 4\n", ""), "a.vrp", [("missing-header", "")]),
    "dimension negative": (
        PLAIN.replace("DIMENSION : 4", "DIMENSION : -4"),
        "a.vrp",
        [
            ("negative", "line 3"),
            *(("bad-index", f"line {n}") for n in (8, 9, 10, 13, 14, 15)),
        ],
    ),
    "coordinate is NaN": (PLAIN.replace("2 3 4", "2 NaN 4"), "a.vrp", [("bad-number", "line 8")]),
    "coordinate is infinite": (PLAIN.replace("2 3 4", "2 inf 4"), "a.vrp", [("bad-number", "line 8")]),
    "coordinate is a word": (PLAIN.replace("2 3 4", "2 x 4"), "a.vrp", [("bad-number", "line 8")]),
    "capacity negative": (
        PLAIN.replace("CAPACITY : 10", "CAPACITY : -10"),
        "a.vrp",
        [("negative", "line 5")],
    ),
    "capacity missing": (PLAIN.replace("CAPACITY : 10\n", ""), "a.vrp", [("missing-header", "")]),
    "demand negative": (PLAIN.replace("2 4\n", "2 -4\n"), "a.vrp", [("negative", "line 13")]),
    "demand not whole": (PLAIN.replace("2 4\n", "2 4.5\n"), "a.vrp", [("not-whole", "line 13")]),
    "demands missing": (
        PLAIN[: PLAIN.index("DEMAND")] + PLAIN[PLAIN.index("DEPOT") :],
        "a.vrp",
        [("missing-section", "")],
    ),
    "node twice": (PLAIN.replace("3 6 8", "2 6 8"), "a.vrp", [("duplicate-row", "line 9")]),
    "column too many": (PLAIN.replace("2 3 4", "2 3 4 5"), "a.vrp", [("wrong-columns", "line 8")]),
    "unknown section": (
        PLAIN.replace("DEPOT_SECTION", "COLOUR_SECTION\n1 2\nDEPOT_SECTION"),
        "a.vrp",
        [("unknown-section", "line 16")],
    ),
    "unknown header": (PLAIN.replace("NAME", "TITEL"), "a.vrp", [("unknown-header", "line 1")]),
    "header twice": (
        PLAIN.replace("CAPACITY : 10", "CAPACITY : 10\nCAPACITY : 9"),
        "a.vrp",
        [("duplicate-header", "line 6")],
    ),
    "section twice": (
        PLAIN.replace("DEPOT_SECTION", "DEMAND_SECTION\n1 0\nDEPOT_SECTION"),
        "a.vrp",
        [("duplicate-section", "line 16")],
    ),
    "depot beyond the nodes": (
        PLAIN.replace("DEPOT_SECTION\n1", "DEPOT_SECTION\n9"),
        "a.vrp",
        [("bad-index", "line 17"), ("no-depot", "line 16")],
    ),
    "depot is not the first node": (
        PLAIN.replace("DEPOT_SECTION\n1", "DEPOT_SECTION\n2"),
        "a.vrp",
        [("depot-order", "line 16")],
    ),
    "unknown weight type": (PLAIN.replace("EUC_2D", "GEO"), "a.vrp", [("weight-type", "")]),
    "asymmetric where symmetric is declared": (
        MATRIX.replace("5 0 7", "6 0 7"),
        "a.vrp",
        [("asymmetric", "line 8")],
    ),
    "matrix cut off": (MATRIX.replace("9 7 0\n", ""), "a.vrp", [("wrong-count", "line 9")]),
    "matrix entry negative": (
        MATRIX.replace("5 0 7", "5 0 -7").replace("9 7 0", "9 0 0"),
        "a.vrp",
        [("negative", "line 9")],
    ),
    "unknown matrix format": (
        MATRIX.replace("FULL_MATRIX", "ROUND_MATRIX"),
        "a.vrp",
        [("weight-format", "line 7")],
    ),
    "window reversed": (RICH.replace("4 5 50", "4 50 5"), "a.vrp", [("window-reversed", "line 49")]),
    "vehicles missing": (
        PLAIN.replace("CAPACITY : 10\n", "").replace("DEPOT_SECTION", "CAPACITY_SECTION\nDEPOT_SECTION"),
        "a.vrp",
        [("missing-header", "line 15")],
    ),
    "depot of a vehicle is a client": (
        RICH.replace("3 2\nVEHICLES_FIXED", "3 4\nVEHICLES_FIXED"),
        "a.vrp",
        [("bad-index", "line 23")],
    ),
    "allowed client is a depot": (
        RICH.replace("1 3 4\n2 3 4", "1 2 4\n2 3 4"),
        "a.vrp",
        [("bad-index", "line 35")],
    ),
    "number beyond all units": (PLAIN.replace("4 0 5", "4 0 5e18"), "a.vrp", [("too-large", "line 10")]),
    "vehicles beyond counting": (
        TRIPS.replace("VEHICLES: 2", "VEHICLES: 9999999999"),
        "a.vrp",
        [("too-large", "line 4"), ("bad-index", "line 25")],
    ),
    "matrix beyond memory": (
        MATRIX.replace("DIMENSION: 3", "DIMENSION: 999999"),
        "a.vrp",
        [("wrong-count", "line 10"), ("wrong-count", "line 14")],
    ),
    "capacity beyond all units": (
        SOLOMON.replace("         20", "         " + 30 * "9"),
        "a.txt",
        [("too-large", "line 5")],
    ),
    "stray line": ("hello\n" + PLAIN, "a.vrp", [("stray-line", "line 1")]),
    "several at once": (
        PLAIN.replace("2 3 4", "2 NaN 4").replace("CAPACITY : 10", "CAPACITY : x").replace("2 4\n", "2 -4\n"),
        "a.vrp",
        [("bad-number", "line 5"), ("bad-number", "line 8"), ("negative", "line 13")],
    ),
    "reload depot is a client": (
        TRIPS.replace("2 1\nDEPOT", "2 3\nDEPOT"),
        "a.vrp",
        [("bad-index", "line 23")],
    ),
    "backhaul with a demand": (
        BACKHAULS.replace("4 0\nBACK", "4 2\nBACK"),
        "a.vrp",
        [("backhaul-delivery", "line 16")],
    ),
    "pair without a partner": (
        LI_LIM.replace("9	1	0", "9	0	0"),
        "a.txt",
        [("pair-end", "line 4"), ("pair-end", "line 3")],
    ),
    "pair of unequal amounts": (
        LI_LIM.replace("-5", "-6"),
        "a.txt",
        [("pair-amounts", "line 3"), ("pair-amounts", "line 4")],
    ),
    "pair row cut off": (LI_LIM[:-5], "a.txt", [("wrong-columns", "line 4")]),
    "no customer block": (SOLOMON[: SOLOMON.index("CUSTOMER")], "a.txt", [("missing-section", "")]),
    "no customers": (SOLOMON[: SOLOMON.index("    1  ")], "a.txt", [("wrong-count", "line 7")]),
    "customer row cut off": (SOLOMON.rstrip()[:-12], "a.txt", [("wrong-columns", "line 12")]),
    "customer is NaN": (SOLOMON.replace("2      6", "2      NaN"), "a.txt", [("bad-number", "line 12")]),
    "customers out of order": (
        SOLOMON.replace("    2      6", "    5      6"),
        "a.txt",
        [("bad-index", "line 12")],
    ),
    "no vehicles": (SOLOMON.replace("  3         20", "  0         20"), "a.txt", [("negative", "line 5")]),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_files_are_told_with_line(what: str, tmp_path: Path) -> None:
    text, name, expected = MALFORMED[what]
    with pytest.raises(InvalidInputError) as caught:
        read(put(tmp_path, text, name), "round")
    found = [(fault.code, fault.place) for fault in caught.value.faults]
    assert sorted(found) == sorted(expected)
    assert all(name in str(fault) and fault.repair for fault in caught.value.faults)


@pytest.mark.parametrize("name", ["PLAIN", "MATRIX", "RICH", "BACKHAULS", "TRIPS", "LI_LIM", "SOLOMON"])
def test_no_damage_crashes_a_reader(name: str, tmp_path: Path) -> None:
    """Words replaced, lines dropped or doubled, the end cut off: a problem or faults, nothing else."""
    text, rng = globals()[name], np.random.default_rng(7)
    told = 0
    for _ in range(150):
        lines = (
            text[: int(rng.integers(1, len(text)))].split("\n") if rng.random() < 0.2 else text.split("\n")
        )
        for _ in range(int(rng.integers(1, 3))):
            at = int(rng.integers(len(lines)))
            words = lines[at].split() or [""]
            words[int(rng.integers(len(words)))] = str(
                rng.choice(["NaN", "-1", "1e999", 30 * "9", "x", "", "7"])
            )
            lines[at : at + 1] = [[" ".join(words)], [], 2 * [lines[at]]][
                int(rng.choice(3, p=[0.8, 0.1, 0.1]))
            ]
            lines = lines or [""]
        path = put(tmp_path, "\n".join(lines), "a.txt" if name in ("LI_LIM", "SOLOMON") else "a.vrp")
        try:
            read(path, "family")
        except InvalidInputError as error:
            told += all(fault.message and fault.repair for fault in error.faults)
    assert told > 75


def test_binary_and_missing_files_are_faults(tmp_path: Path) -> None:
    (tmp_path / "b.vrp").write_bytes(b"\xff\xfe\x00")
    for name, code in (("b.vrp", "not-text"), ("none.vrp", "unreadable")):
        with pytest.raises(InvalidInputError) as caught:
            read(tmp_path / name, "round")
        assert caught.value.faults[0].code == code


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("Route #1: 1 9\nCost 3", "bad-index", "line 1"),
        ("Route #1: 1 x\nCost 3", "bad-number", "line 1"),
        ("1 2 3", "stray-line", "line 1"),
        ("Route #1: 1\nCost: many", "bad-number", "line 2"),
        ("Route #one: 1", "bad-number", "line 1"),
    ],
)
def test_malformed_solutions(text: str, code: str, place: str, tmp_path: Path) -> None:
    problem: Problem = read(put(tmp_path, PLAIN), "round")
    with pytest.raises(InvalidInputError) as caught:
        read_sol(put(tmp_path, text, "x.sol"), problem)
    assert (code, place) in [(f.code, f.place) for f in caught.value.faults]
