"""The command line as a user calls it: output, exit codes, start-up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PROBLEM = """NAME : tiny
TYPE : CVRP
DIMENSION : 5
EDGE_WEIGHT_TYPE : EUC_2D
CAPACITY : 2
NODE_COORD_SECTION
1 0 0
2 3 4
3 6 8
4 -3 4
5 -6 8
DEMAND_SECTION
1 0
2 1
3 1
4 1
5 1
DEPOT_SECTION
1
-1
EOF
"""


def call(*words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "cli.py"), *words]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, check=False, timeout=300)


def test_help_loads_no_numerical_library() -> None:
    code = "import sys, cli; print([m for m in ('numpy', 'numba', 'ortools', 'pandas') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "[]"


def test_solve_then_check(tmp_path: Path) -> None:
    (tmp_path / "tiny.vrp").write_text(PROBLEM)
    words = ("--rounding", "round", "--iterations", "200", "--out", "tiny.json", "--json")
    solved = call("solve", "tiny.vrp", *words, cwd=tmp_path)
    assert solved.returncode == 0, solved.stderr
    answer = json.loads(solved.stdout)
    assert answer["cost"] == 40
    assert sorted(v for route in answer["routes"] for v in route["visits"]) == [0, 1, 2, 3]
    checked = call("check", "tiny.vrp", "tiny.json", "--rounding", "round", "--json", cwd=tmp_path)
    assert checked.returncode == 0, checked.stderr
    assert json.loads(checked.stdout)["cost"] == 40


def test_bad_problem_is_explained(tmp_path: Path) -> None:
    (tmp_path / "bad.vrp").write_text(PROBLEM.replace("CAPACITY : 2", "CAPACITY : -2"))
    done = call("solve", "bad.vrp", "--rounding", "round", cwd=tmp_path)
    assert done.returncode == 1
    assert "-2" in done.stderr
    assert "Traceback" not in done.stderr


def test_init_validate_run_report(tmp_path: Path) -> None:
    assert call("init", "town", "--template", "small", cwd=tmp_path).returncode == 0
    assert json.loads(call("validate", "town.toml", "--json", cwd=tmp_path).stdout) == []
    done = call("run", "town.toml", "--seed", "7", "--out", "r", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    kpis = json.loads(done.stdout)["kpis"]
    assert kpis["delivered"] == kpis["parcels"] > 0
    assert (tmp_path / "r" / "report.html").stat().st_size > 1_000_000
    again = call("run", "town.toml", "--out", "r", cwd=tmp_path)
    assert again.returncode == 1
    assert "folder-exists" in again.stderr


@pytest.mark.parametrize(
    ("change", "expected"),
    [("scenario.horizon=3", "horizon"), ("dispatch.solver='nonsense'", "nonsense"), ("fleet_scale=-1", "-1")],
)
def test_faulty_overrides_name_place_and_value(tmp_path: Path, change: str, expected: str) -> None:
    call("init", "town", "--template", "small", cwd=tmp_path)
    done = call("validate", "town.toml", "--set", change, cwd=tmp_path)
    assert done.returncode == 1
    assert expected in done.stdout
    assert "Traceback" not in done.stderr
