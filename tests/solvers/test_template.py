"""The solver template: written by the command line, built, installed and found by its entry point."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from solvers import InvalidInputError
from solvers.template import write_package

ROOT = Path(__file__).parents[2]
TINY = {
    "format": "logistics-problem/1",
    "depots": [{"x": 0, "y": 0}],
    "visits": [{"x": x, "y": y, "delivery": [1]} for x, y in ((3, 4), (6, 8), (-3, 4), (-6, 8))],
    "vehicle_types": [{"count": 4, "capacity": [2]}],
    "travel": [{"metric": "euclidean_round"}],
}


def call(command: list[str], cwd: Path, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [path, ROOT] if path else [ROOT]))}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_a_package_from_the_template_installs_and_solves(tmp_path: Path) -> None:
    made = call([sys.executable, str(ROOT / "cli.py"), "init", "my-solver", "--template", "solver"], tmp_path)
    assert made.returncode == 0, made.stderr
    package, target = tmp_path / "my-solver", tmp_path / "installed"
    install = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    done = call([*install, "--target", str(target), str(package)], tmp_path)
    assert done.returncode == 0, done.stderr
    names = [e.name for d in importlib.metadata.distributions(path=[str(target)]) for e in d.entry_points]
    assert names == ["my_solver"]

    cli = [sys.executable, str(ROOT / "cli.py")]
    listed = json.loads(call([*cli, "solvers", "--json"], tmp_path, target).stdout)
    assert listed["my_solver"]["origin"] == "entry point"
    (tmp_path / "tiny.json").write_text(json.dumps(TINY))
    words = ["solve", "tiny.json", "--solver", "my_solver:tries_per_visit=9", "--iterations", "50", "--json"]
    solved = call([*cli, *words], tmp_path, target)
    assert solved.returncode == 0, solved.stderr
    answer = json.loads(solved.stdout)
    assert (answer["cost"], answer["solver"]) == (40, "my_solver")

    own = call([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], package, target)
    assert own.returncode == 0, own.stdout


@pytest.mark.parametrize(
    ("name", "code"), [("Bad Name", "bad-name"), ("genetic", "name-taken"), ("here", "file-exists")]
)
def test_names_that_cannot_be(name: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    with pytest.raises(InvalidInputError, match=code):
        write_package(name, tmp_path)
