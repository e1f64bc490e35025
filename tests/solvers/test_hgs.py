"""The HGS-CVRP adapter: a stand-in program shows what it is asked and how its answer is read; the real one runs
in the conformance suite where it is installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from solvers import (
    MaxIterations,
    MaxRuntime,
    MissingExtraError,
    ProblemBuilder,
    Solution,
    Travel,
    UnsupportedFeatureError,
    make,
)
from solvers.check import check
from solvers.errors import LogisticsError

# reads the instance as HGS would, puts each client on a route of its own, and notes its arguments
STAND_IN = """#!{python}
import sys
args = sys.argv[1:]
text = open(args[0]).read()
n = int(text.split("DIMENSION : ")[1].split()[0])
rows = text.split("DEMAND_SECTION\\n")[1].split("DEPOT")[0].split("\\n")[1:n]
if {fail}:
    sys.exit("EXCEPTION | no luck")
with open(args[1], "w") as out:
    for k, row in enumerate(rows):
        out.write(f"Route #{{k + 1}}: {{int(row.split()[0]) - 1}}\\n")
    out.write("Cost 1\\n")
open({log!r}, "w").write(" ".join(args[2:]))
"""


def program(tmp_path: Path, fail: bool = False) -> str:
    path = tmp_path / "hgs"
    path.write_text(STAND_IN.format(python=sys.executable, log=str(tmp_path / "log"), fail=fail))
    path.chmod(0o755)
    return str(path)


def plain(loads: tuple[int, ...] = (2, 9, 3)) -> ProblemBuilder:
    b = ProblemBuilder()
    b.depot(0, 0)
    for i, load in enumerate(loads):
        b.visit(3 * (i + 1), 4 * (i + 1), delivery=load)
    b.vehicle_type(count=3, capacity=5)
    return b


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script")
def test_the_program_is_asked_and_its_answer_read(tmp_path: Path) -> None:
    solver = make("hgs", {"executable": program(tmp_path)})
    problem = plain().build()
    result = solver.solve(problem, MaxRuntime(7), seed=4)
    assert result.solution == Solution.of(
        [(0,), (2,)]
    )  # the second is too much for any vehicle: not asked for
    assert result.unserved == (1,)
    assert check(problem, result.solution).violations == ()
    asked = (tmp_path / "log").read_text()
    assert "-seed 4" in asked
    assert "-t 7" in asked
    assert "-veh 2" in asked
    solver.solve(problem, MaxIterations(50), seed=1)
    asked = (tmp_path / "log").read_text()
    assert "-it 50" in asked
    assert "-t " not in asked
    better = Solution.of([(0, 2)])
    kept = solver.solve(problem, MaxIterations(50), seed=1, start=better).solution
    assert kept == better


@pytest.mark.skipif(os.name == "nt", reason="the stand-in is a script")
def test_what_it_cannot_do_is_named(tmp_path: Path) -> None:
    solver = make("hgs", {"executable": program(tmp_path)})
    b = plain((1, 1))
    b.travel(Travel.of_matrices([[0, 1, 2], [1, 0, 3], [2, 3, 0]]))
    with pytest.raises(UnsupportedFeatureError, match="Euclidean"):
        solver.solve(b.build(), MaxIterations(5), seed=1)
    b = plain()
    b.visit(1, 1, delivery=1, tw=(0, 5))
    with pytest.raises(UnsupportedFeatureError, match="time_windows"):
        solver.solve(b.build(), MaxIterations(5), seed=1)
    failing = make("hgs", {"executable": program(tmp_path, fail=True)})
    with pytest.raises(LogisticsError, match="no luck"):
        failing.solve(plain((1, 1)).build(), MaxIterations(5), seed=1)


def test_without_either_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hygese", None)
    with pytest.raises(MissingExtraError, match="hygese"):
        make("hgs", {"executable": "no-such-program"})
