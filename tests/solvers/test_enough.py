"""How many iterations solvers find enough for a plan that somebody waits for."""

from __future__ import annotations

from typing import Any

import pytest

from solvers import MaxIterations, make
from solvers.check import check
from solvers.registry import ENOUGH, enough_iterations
from tests.conformance.problems import random_problem

PROBLEM = random_problem(("capacities", "time_windows"), seed=1, most=20)
OURS = (
    "savings",
    "ruin_recreate",
    "genetic",
    "ant_colony",
    "alns",
    "ortools",
    "decompose",
    "portfolio",
    "auto",
)


@pytest.mark.parametrize("name", OURS)
def test_enough_gives_a_plan_and_is_kept_to(name: str) -> None:
    solver: Any = make(name, {"processes": 1} if name == "portfolio" else None)
    enough = enough_iterations(solver, PROBLEM)
    assert 1 <= enough == solver.enough(PROBLEM)  # says so itself, and is not put off with `ENOUGH`
    result = solver.solve(PROBLEM, MaxIterations(enough), seed=1)
    assert result.iterations <= enough
    assert check(PROBLEM, result.solution).violations == ()


def test_solvers_that_ask_others() -> None:
    enough = {name: enough_iterations(make(name), PROBLEM) for name in OURS}
    assert enough["decompose"] == enough["ruin_recreate"] != enough["genetic"]
    few = enough_iterations(make("portfolio", {"solvers": "ruin_recreate genetic"}), PROBLEM)
    assert few == enough["genetic"] < enough["ruin_recreate"]
    assert enough["auto"] in {enough["ortools"], enough["ruin_recreate"]}


def test_a_solver_that_does_not_say() -> None:
    class Silent:
        name = "silent"

    assert enough_iterations(Silent(), PROBLEM) == ENOUGH  # type: ignore[arg-type]
