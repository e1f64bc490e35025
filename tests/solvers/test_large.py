"""Problems by coordinates too large for matrices."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

CODE = """
import json, resource, sys
import numpy as np
from solvers import MaxIterations, ProblemBuilder, make
from solvers.check import check
rng = np.random.default_rng(1)
b = ProblemBuilder(name="large")
b.depot(0, 0)
for x, y, load in zip(*rng.integers(0, 20_000, (2, 30_000)).tolist(), rng.integers(1, 4, 30_000).tolist()):
    b.visit(x, y, delivery=load)
b.vehicle_type(count=400, capacity=200)
problem = b.build()
result = make(sys.argv[1]).solve(problem, MaxIterations(int(sys.argv[2])), seed=1)
report = check(problem, result.solution)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps([report.feasible, report.cost.total == result.cost, peak]))
"""


@pytest.mark.parametrize(
    ("solver", "iterations"), [("ruin_recreate", 2_000), ("ant_colony", 2), ("alns", 50)]
)
def test_30_000_visits_in_4_gb(solver: str, iterations: int) -> None:
    """Distances between all of them would take 7.2 GB."""
    done = subprocess.run(
        [sys.executable, "-c", CODE, solver, str(iterations)],
        capture_output=True,
        text=True,
        check=True,
    )
    feasible, priced, peak_kb = json.loads(done.stdout)
    assert feasible
    assert priced
    assert peak_kb < 4 * 1024 * 1024
