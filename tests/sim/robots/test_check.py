"""The checker of robot plans: hand-made cases of every rule, and negative controls."""

from __future__ import annotations

import numpy as np
import pytest

from sim.robots.check import check_actions
from sim.robots.grid import Grid
from sim.robots.problem import RobotProblem
from solvers.errors import InvalidInputError

F, R, C, W = 0, 1, 2, 3


def problem(rows: list[str], starts: list[int], errands: list[int], steps: int = 50) -> RobotProblem:
    return RobotProblem(
        "hand", Grid.from_rows(rows), np.array(starts, np.int32), np.array(errands, np.int32), steps
    )


def kinds(given: RobotProblem, actions: list[list[int]]) -> list[str]:
    return [c.kind for c in check_actions(given, np.array(actions, np.uint8)).listed]


def test_clockwise_from_east_is_south_west_north() -> None:
    # One lap around a 2×2 floor by right turns ends where it began.
    given = problem(["..", ".."], [0], [3])
    lap = [F, R, F, R, F, R, F, R]
    found = check_actions(given, np.array(lap, np.uint8)[:, None])
    assert (found.conflicts, found.final.tolist()) == (0, [0])
    # The errand at the far corner is met after the first F, R, F; the second errand lies there as well, and
    # standing still finishes it in the next step.
    assert found.per_step.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_counter_clockwise_from_east_is_north() -> None:
    given = problem([".", "."], [1], [0])
    found = check_actions(given, np.array([[C], [F]], np.uint8))
    assert (found.conflicts, found.errands) == (0, 1)


def test_errands_are_dealt_in_turns() -> None:
    # Robot k's j-th errand is errands[(j * 2 + k) % 5]: robot 0 gets 1, 0, 1; robot 1 gets 4, 5, 4.
    given = problem(["...", "..."], [0, 3], [1, 4, 0, 5, 1])
    actions = [[F, F], [R, F], [R, W], [F, W]]
    found = check_actions(given, np.array(actions, np.uint8))
    assert found.conflicts == 0
    # Step 0: both arrive. Step 1: robot 1 at 5. Step 3: robot 0 back at 0.
    assert found.per_step.tolist() == [2, 1, 0, 1]


def test_an_errand_ends_whatever_the_heading_and_only_after_a_step() -> None:
    given = problem([".."], [0], [0, 0, 1])
    found = check_actions(given, np.array([[R], [W], [W], [C], [F]], np.uint8))
    assert found.per_step.tolist() == [1, 1, 0, 0, 1]


def test_vertex_conflict() -> None:
    given = problem(["...", "@.@"], [0, 2], [2, 0])
    assert kinds(given, [[W, R], [W, R], [F, F]]) == ["vertex"]


def test_swap_conflict() -> None:
    given = problem([".."], [0, 1], [1, 0])
    assert kinds(given, [[W, R], [W, R], [F, F]]) == ["swap"]


def test_following_closely_and_rotating_are_allowed() -> None:
    train = problem(["..."], [0, 1], [1, 2])
    assert kinds(train, [[F, F]]) == []
    # Four robots turn round a square at once: nobody exchanges cells with anybody.
    ring = problem(["..", ".."], [0, 1, 3, 2], [1, 3, 2, 0])
    assert kinds(ring, [[W, R, R, C], [W, W, R, W], [F, F, F, F]]) == []


def test_driving_into_a_robot_that_waits() -> None:
    assert kinds(problem([".."], [0, 1], [1, 0]), [[F, W]]) == ["vertex"]


def test_walls_edges_and_unknown_actions() -> None:
    assert kinds(problem([".@"], [0], [0]), [[F]]) == ["blocked"]
    assert kinds(problem(["."], [0], [0]), [[F]]) == ["outside"]
    assert kinds(problem([".."], [0], [0]), [[7]]) == ["action"]


def test_every_conflict_is_counted() -> None:
    given = problem(["....", "...."], [0, 1, 4, 5], [1, 0, 5, 4])
    found = check_actions(given, np.array([[F, W, F, W], [W, W, W, W]], np.uint8))
    # They stand on each other for two steps.
    assert (found.conflicts, {c.step for c in found.listed}) == (4, {0, 1})
    assert "vertex at location 1, robots 0 and 1" in found.listed[0].message


def test_wrong_shape() -> None:
    with pytest.raises(ValueError, match="shape"):
        check_actions(problem([".."], [0], [0]), np.zeros((1, 2), np.uint8))


def test_problems_report_all_faults_at_once() -> None:
    with pytest.raises(InvalidInputError) as caught:
        problem([".@", ".."], [0, 0, 1], [9], steps=0)
    places = {fault.place for fault in caught.value.faults}
    assert places == {"starts[2]", "starts[1]", "errands[0]", "steps"}
