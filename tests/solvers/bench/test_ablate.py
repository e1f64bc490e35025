"""Ablations: declared parts are switched off one by one and paired with the whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from solvers import InvalidInputError, LogisticsError, MaxIterations, make, registered
from solvers.bench.ablate import variants, worths
from solvers.bench.comparison import compare
from solvers.bench.specs import parse_spec
from solvers.check import check
from tests.conformance.problems import random_problem
from tests.solvers.bench.sample_runs import record, write_instances

ROOT = Path(__file__).parents[3]
OWN = (
    "alns",
    "ant_colony",
    "auto",
    "decompose",
    "genetic",
    "ortools",
    "portfolio",
    "ruin_recreate",
    "savings",
)


@pytest.mark.parametrize("name", sorted(registered()))
def test_every_declared_ablation_changes_the_solver(name: str) -> None:
    try:
        declared = getattr(make(name), "ablations", {})
    except LogisticsError:
        return  # an optional package is missing
    for part, changes in declared.items():
        assert changes, part
        changed = make(name, changes)  # the parameters exist
        assert vars(changed) != vars(make(name)), part


# what keeps a run short, and the problems on which the parts of a solver have something to do
QUICK: dict[str, dict[str, Any]] = {
    "ortools": {"group_solutions": 10, "exact_visits": 0},
    "portfolio": {"processes": 1, "solvers": "ruin_recreate savings"},
}
CASES = {"alns": [("pickup_delivery", "reloads"), ("time_windows", "vehicles_first"), ("split_delivery",)]}
DECLARED = [(name, part) for name in OWN for part in getattr(make(name), "ablations", {})]


def test_every_solver_of_our_own_declares_its_parts() -> None:
    assert {name for name, _ in DECLARED} == set(OWN) - {"auto"}  # which only picks another


@pytest.mark.parametrize(("name", "part"), DECLARED)
def test_every_solver_works_without_each_of_its_parts(name: str, part: str) -> None:
    changes = make(name).ablations[part]
    for case in CASES.get(name, [("time_windows",)]):
        problem = random_problem(case, 1, most=14)
        solver = make(name, {**QUICK.get(name, {}), **changes})
        result = solver.solve(problem, MaxIterations(30 if name in QUICK else 200), seed=1)
        report = check(problem, result.solution)
        assert report.violations == ()
        assert (result.cost, result.unserved) == (report.cost.total, report.unserved)


def test_parts_are_switched_off_one_by_one() -> None:
    made = variants(parse_spec("r=ruin_recreate:near=30"), ["no blinks", "half the neighbours"])
    assert [s.label for s in made] == ["r", "r: no blinks", "r: half the neighbours"]
    half = make("ruin_recreate").ablations["half the neighbours"]["near"]  # type: ignore[attr-defined]
    assert half < 30
    assert [s.parameters["near"] for s in made] == [30, 30, half]
    with pytest.raises(InvalidInputError, match="no ablations"):
        variants(parse_spec("auto"))
    with pytest.raises(InvalidInputError, match="unknown-ablation"):
        variants(parse_spec("ruin_recreate"), ["no such thing"])


def test_what_a_part_is_worth() -> None:
    made = variants(parse_spec("ruin_recreate"), ["no blinks", "no annealing"])
    costs = {"": 102, ": no blinks": 103, ": no annealing": 108}
    runs = [record("ruin_recreate" + end, i, 1, cost) for i in "ijk" for end, cost in costs.items()]
    rows = worths(compare(runs, "ruin_recreate"), made)
    assert [r.variant.partition(": ")[2] for r in rows] == ["", "no annealing", "no blinks"]
    assert rows[0].worth is None
    assert rows[1].worth is not None
    assert rows[1].worth.mean == pytest.approx(6.0)
    assert rows[1].ratio == pytest.approx(8 / 2)
    assert "+6.000 [+6.000, +6.000] *" in rows[1].cells()[4]


def test_command_line(tmp_path: Path) -> None:
    write_instances(tmp_path / "set", 2)
    command = [sys.executable, str(ROOT / "cli.py"), "bench", "ablate", "set", "--solver", "ruin_recreate"]
    words = ["--only", "no blinks", "--iterations", "50", "--out", "out", "--json"]
    done = subprocess.run(
        [*command, *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert list(answer) == ["ruin_recreate", "ruin_recreate: no blinks"]
    assert answer["ruin_recreate: no blinks"]["instances"] == 2
    assert "no blinks" in (tmp_path / "out" / "ablation.md").read_text()


def test_parts_are_listed_without_a_folder_for_records(tmp_path: Path) -> None:
    write_instances(tmp_path / "set", 1)
    command = [sys.executable, str(ROOT / "cli.py"), "bench", "ablate", "set", "--solver", "ruin_recreate"]

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*command, *words], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=200
        )

    listed = call("--list")
    assert listed.returncode == 0, listed.stderr
    assert "ruin_recreate: no blinks: {'blink': 0" in listed.stdout
    refused = call("--iterations", "5")
    assert refused.returncode == 1
    assert "Missing option '--out'" in refused.stderr
