"""What solution files state beside their routes, against what the checker finds."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solvers import Problem, ProblemBuilder, Solution
from solvers.check import check
from solvers.native import dump_problem, dump_solution
from solvers.stated import Stated, differences, stated_in

PLAN = Solution.of([(0, 1)])


def pair(scale: int) -> Problem:
    """There, onward and back: 12 + 34 + 46 units."""
    b = ProblemBuilder(name="pair", cost_scale=scale)
    b.depot(0, 0)
    b.visit(12, 0, delivery=1)
    b.visit(46, 0, delivery=1)
    b.vehicle_type(capacity=2)
    return b.build()


@pytest.mark.parametrize(
    ("scale", "words", "told"),
    [
        (1, "Cost: 92", ""),
        (1, "cost 92.0", ""),
        (1, "Cost 93", "states cost 93, the checker finds 92"),
        (1, "Cost 92.3", "states cost 92.3, the checker finds 92"),
        (10, "Cost: 9.2", ""),
        (10, "Cost: 9", ""),  # whole numbers are all that the file states
        (10, "Cost: 9.0", "states cost 9.0, the checker finds 9.2 (92 in the problem's units)"),
        (10, "Cost: 8", "states cost 8, the checker finds 9.2"),
        (1000, "Cost: 0.09", ""),
        (1, "", ""),
    ],
)
def test_costs_are_compared_in_the_units_and_at_the_precision_of_the_file(
    tmp_path: Path, scale: int, words: str, told: str
) -> None:
    problem, file = pair(scale), tmp_path / "plan.sol"
    dump_problem(problem, tmp_path / "pair.json")
    file.write_text(f"Route #1: 1 2\n{words}\n")
    found = differences(stated_in(file, problem), problem, check(problem, PLAN), tmp_path / "pair.json")
    assert len(found) == bool(told)
    assert told in "".join(found)


def test_a_published_file_may_state_costs_in_the_units_of_its_family(tmp_path: Path) -> None:
    """Those of "exact" sets are in thousandths, as the problem's own are, and not divided."""
    instance = tmp_path / "a.vrp"
    instance.write_text("NAME : a\nTYPE : MDVRPTW\n")
    problem, file = pair(1000), tmp_path / "a.sol"
    report = check(problem, PLAN)
    for cost, rounding, same in (("92", None, True), ("92", "exact", True), ("92", "round", False)):
        file.write_text(f"Route #1: 1 2\nCost {cost}\n")
        assert (not differences(stated_in(file, problem), problem, report, instance, rounding)) == same


def test_what_is_not_stated_is_not_compared(tmp_path: Path) -> None:
    problem, file = pair(1), tmp_path / "plan.json"
    empty = check(problem, Solution())
    content = {"format": "logistics-solution/1", "routes": []}
    file.write_text(json.dumps(content))
    assert stated_in(file, problem) == Stated()
    file.write_text("\ufeff" + json.dumps(content), encoding="utf-8")
    assert stated_in(file, problem) == Stated()
    assert differences(Stated(), problem, empty, "pair.json") == []
    file.write_text(json.dumps({**content, "unserved": []}))
    (line,) = differences(stated_in(file, problem), problem, empty, "pair.json")
    assert line == "the file states 0 visits unserved, not those 2 that the checker finds"
    dump_solution(problem, PLAN, file)
    assert stated_in(file, problem) == Stated(92, (), "pair")
    assert differences(stated_in(file, problem), problem, check(problem, PLAN), "pair.json") == []
