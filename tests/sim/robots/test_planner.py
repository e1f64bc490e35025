"""Strategies for robots: never a conflict, reproducible, no livelock; the search against brute force."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import njit

from sim.robots.check import check_actions
from sim.robots.distances import DistanceTables
from sim.robots.grid import Grid
from sim.robots.guidance import Guidance
from sim.robots.kernels.layout import SCALE, Floor, Plan, Search, new_plan, new_search
from sim.robots.kernels.priority import DIGITS, prioritise
from sim.robots.kernels.search import next_path, open_search, take
from sim.robots.kernels.window import begin_step
from sim.robots.planner import NO_WAY, PlannerSettings, WindowPlanner
from sim.robots.problem import RobotProblem
from sim.robots.registry import make, registered
from sim.robots.strategies import ErrandPool
from solvers.errors import BrokenSolverError, UnknownSolverError
from solvers.registry import Solver, SolverInfo
from solvers.result import Status
from solvers.stop import MaxIterations
from tests.sim.robots.support import plain_distances, random_floor, random_problem


@njit
def first_path(floor: Floor, plan: Plan, search: Search, stamp: int) -> int:
    open_search(floor, plan, search, 0, 0, 10_000)
    entry = next_path(floor, plan, search, 0, stamp, True, 1)
    if entry >= 0:
        take(plan, search, 0, entry)
    return entry


def plain_paths(
    grid: Grid, guidance: Guidance, to_go: dict[tuple[int, int], int], start: int, goal: int, window: int
) -> dict[tuple[tuple[int, ...], int], int]:
    """Value of every path of a lone robot, by trying all sequences of actions."""
    costs = guidance.edge_costs(grid)
    found: dict[tuple[tuple[int, ...], int], int] = {}
    for actions in itertools.product(range(4), repeat=window):
        cell, heading, spent, arrived = start, 0, 0, False
        trail = []
        for t, action in enumerate(actions):
            if action == 0:
                ahead = int(grid.neighbours[cell, heading])
                if ahead < 0:
                    break
                spent += 0 if arrived else int(costs[cell, heading]) * SCALE
                cell = ahead
                arrived = arrived or cell == goal
            elif action == 3:
                spent += 0 if arrived else guidance.wait * SCALE + (window - t) // 4
            else:
                heading = (heading + (1 if action == 1 else 3)) % 4
                spent += 0 if arrived else guidance.turn * SCALE
            trail.append(cell)
        else:
            rest = 0 if arrived else to_go[cell, heading]
            value = spent + (rest - to_go[start, 0]) * SCALE
            key = (tuple(trail), heading)
            found[key] = min(value, found.get(key, value))
    return found


@pytest.mark.parametrize("seed", range(5))
def test_search_finds_the_best_path_around_obstacles(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = random_floor(rng, 5, 6, 0.2)
    guidance = Guidance()
    window = 5
    start, goal, *others = rng.permutation(grid.n_free)[:6].tolist()
    tables = DistanceTables(grid, guidance, 1, 1)
    row = tables.require(np.array([goal], np.int32), np.array([goal], np.int32))[0]
    floor = Floor(
        grid.neighbours,
        tables.edge_cost,
        tables.field,
        guidance.turn,
        guidance.wait,
        tables.table,
        tables.surplus,
    )
    plan = new_plan(np.array([start, *others], np.int32), grid.n_free, window)
    plan.resting[1:] = 1
    plan.goal[:] = [goal, -1, -1, -1, -1]
    plan.row[0] = row
    begin_step(floor, plan)
    search = new_search(5, window, 2, seed)
    search.mark[1:] = 7  # the others wait, and nobody may push them
    plan.holder[start] = -1
    base = plain_distances(grid, guidance, goal)
    paths = plain_paths(grid, guidance, base, start, goal, window)
    free = {key: value for key, value in paths.items() if not set(key[0]) & set(others)}
    assert first_path(floor, plan, search, 7) >= 0
    least = min(base[start, heading] for heading in range(4))
    # Kernel values count from the cell's least cost, the reference from the state's own.
    expected = min(free.values()) + (base[start, 0] - least) * SCALE
    assert plan.value[0] == expected
    assert set(plan.path[0].tolist()).isdisjoint(others)


SMALL = {"chains": 40, "window": 5}


def run(
    problem: RobotProblem, name: str = "windowed", seed: int = 1, **changes: object
) -> tuple[np.ndarray, int]:
    chosen = {**({} if name == "fast" else SMALL), **changes}
    result = make(name, chosen).solve(problem, MaxIterations(problem.steps), seed=seed)
    found = check_actions(problem, result.solution.actions)
    assert found.conflicts == 0, found.listed[:3]
    assert found.errands == result.solution.errands == -result.cost
    assert result.status is Status.FEASIBLE
    return result.solution.actions, found.errands


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10_000),
    robots=st.integers(1, 40),
    blocked=st.floats(0, 0.4),
    active=st.sampled_from([1.0, 0.5]),
    name=st.sampled_from(["windowed", "fast"]),
    window=st.integers(2, 7),
)
def test_never_a_conflict(
    seed: int, robots: int, blocked: float, active: float, name: str, window: int
) -> None:
    problem = random_problem(seed, robots=robots, steps=30, blocked=blocked)
    run(problem, name, active=active, window=window)


def test_a_full_floor_stands_still_without_conflict() -> None:
    grid = Grid.from_rows(["...", "..."])
    cells = grid.cells.copy()
    _, errands = run(RobotProblem("full", grid, cells, cells[::-1].copy(), 20))
    assert errands >= 0


@pytest.mark.parametrize("name", ["windowed", "fast"])
def test_same_seed_same_plan(name: str) -> None:
    problem = random_problem(3, robots=30, steps=60)
    first, _ = run(problem, name, seed=5)
    again, _ = run(problem, name, seed=5)
    assert np.array_equal(first, again)


def test_another_seed_another_plan() -> None:
    problem = random_problem(3, robots=30, steps=60)
    assert not np.array_equal(run(problem, seed=1)[0], run(problem, seed=2)[0])


def test_one_robot_alone_takes_the_shortest_time() -> None:
    # There and back along a corridor of 6: 5 moves, two turns, 5 moves, two turns, ...
    grid = Grid.from_rows(["......"])
    problem = RobotProblem("alone", grid, np.array([0], np.int32), np.array([5, 0], np.int32), 5 + 3 * 7)
    _, errands = run(problem)
    assert errands == 4


@pytest.mark.parametrize(("name", "seed"), [("windowed", 1), ("fast", 1), ("fast", 4), ("fast", 9)])
def test_dead_ends_do_not_livelock(name: str, seed: int) -> None:
    """Robots go in and out of the teeth of a comb whose back is one corridor: work goes on to the end."""
    rows = ["." * 11] * 2 + [".@" * 5 + "."] * 3
    grid = Grid.from_rows(rows)
    teeth = [4 * 11 + column for column in range(0, 11, 2)]
    rng = np.random.default_rng(seed)
    starts = np.array([0, 2, 4, 6, 8, 10], np.int32)
    errands = rng.choice(np.array(teeth, np.int32), 600)
    problem = RobotProblem("comb", grid, starts, errands, 400)
    actions, _ = run(problem, name)
    per_step = check_actions(problem, actions).per_step
    # Each quarter of the run finishes errands, and no less than half of what its share would be.
    quarters = per_step.reshape(4, 100).sum(axis=1)
    assert quarters.min() > 0
    assert quarters.min() >= quarters.mean() / 2


def test_two_robots_pass_where_one_can_step_aside() -> None:
    grid = Grid.from_rows([".......", "@@@.@@@"])
    problem = RobotProblem("bay", grid, np.array([0, 6], np.int32), np.array([6, 0, 0, 6], np.int32), 60)
    _, errands = run(problem, window=8, chains=200)
    assert errands >= 2


def test_resting_robots_make_way() -> None:
    grid = Grid.from_rows(["....", "...."])
    planner = WindowPlanner(grid, np.array([0, 1], np.int32), 2, PlannerSettings(chains=20), 1)
    planner.set_goals(np.array([0]), np.array([3], np.int32))
    for _ in range(12):
        planner.step(np.zeros(2, np.int64))
        if planner.locations[0] == 3:
            break
    assert planner.locations[0] == 3


def test_cost_left_is_the_least_cost_of_every_robot() -> None:
    rng = np.random.default_rng(4)
    grid = random_floor(rng, 9, 11, 0.2)
    robots = 20
    cells = rng.permutation(grid.n_free)[:robots].astype(np.int32)
    goals = rng.integers(0, grid.n_free, robots).astype(np.int32)
    planner = WindowPlanner(grid, grid.cells[cells], robots, PlannerSettings(chains=20), 1)
    planner.set_goals(np.arange(robots), grid.cells[goals])
    for _ in range(5):
        planner.step(np.zeros(robots, np.int64))
    left = planner.cost_left(grid.cells[goals])
    for robot, goal in enumerate(goals.tolist()):
        plain = plain_distances(grid, Guidance(), goal)
        state = (int(grid.index[planner.locations[robot]]), int(planner.headings[robot]))
        assert left[robot] == plain.get(state, NO_WAY)


def test_cost_left_beyond_what_a_table_entry_holds() -> None:
    length = 400
    grid = Grid.from_rows(["." * length])
    planner = WindowPlanner(
        grid, np.array([0], np.int32), 1, PlannerSettings(guidance=Guidance(against=2)), 1
    )
    assert planner.cost_left(np.array([length - 1], np.int32)).tolist() == [2 * (length - 1)]


def test_the_active_are_those_with_least_cost_left() -> None:
    grid = Grid.from_rows(["." * 40, "@" * 40, "." * 40, "@" * 40, "." * 40])
    target = np.array([39, 119, 199], np.int32)
    planner = WindowPlanner(grid, np.array([0, 80, 160], np.int32), 3, PlannerSettings(), 1)
    pool = ErrandPool(planner, 3, 1 / 3)

    def active(left: list[int], renewed: list[int]) -> list[int]:
        pool.choose(target, np.array(renewed, np.int64), np.array(left, np.int64), np.zeros(3))
        for _ in range(planner.settings.window):  # who was active before ends the plan that was made
            planner.step(np.zeros(3, np.int64))
        before = planner.locations
        planner.step(np.zeros(3, np.int64))
        return np.flatnonzero(planner.locations != before).tolist()

    assert active([22, 8, 16], [0, 1, 2]) == [1]
    # Hardly nearer is not near enough to take an active robot's place.
    assert active([6, 8, 16], []) == [1]
    assert active([1, 7, 16], []) == [0]


def test_who_is_stuck_near_its_goal_lets_others_be_active() -> None:
    grid = Grid.from_rows(["." * 40, "@" * 40, "." * 40])
    target = np.array([39, 119], np.int32)
    planner = WindowPlanner(grid, np.array([0, 80], np.int32), 2, PlannerSettings(), 1)
    pool = ErrandPool(planner, 2, 1 / 2)
    everybody, nobody = np.arange(2), np.arange(0)
    left = np.array([10, 40])
    first = pool.choose(target, everybody, left, np.zeros(2))
    assert first.tolist() == [-10, -40]
    urgencies = [pool.choose(target, nobody, left, np.zeros(2)) for _ in range(60)]
    assert [int(u.argmax()) for u in urgencies[:30]] == [0] * 30
    assert 1 in [int(u.argmax()) for u in urgencies[30:]]


def test_urgent_is_the_nearest_or_who_has_waited_longest() -> None:
    problem = random_problem(3, robots=30, steps=60)
    nearest, _ = run(problem, fairness=0)
    longest, _ = run(problem, fairness=20)
    assert not np.array_equal(nearest, longest)


def test_a_spent_budget_still_moves_robots_without_conflict() -> None:
    problem = random_problem(3, robots=30, steps=60)
    actions, errands = run(problem, ms_per_step=1e-9)
    assert errands > 0
    assert not np.array_equal(actions, run(problem)[0])


@pytest.mark.parametrize(
    ("budget", "kernels"),
    [(None, "whole_step"), (90.0, "prioritise, begin_step, inherit, improve, carry_out")],
)
def test_no_step_pays_for_compiling(budget: float | None, kernels: str) -> None:
    """In a process of its own, as others have compiled in this one already."""
    code = f"""
from sim.robots.planner import *
from sim.robots.planner import cost_left, {kernels}
from sim.robots.strategies import warm_up
warm_up(PlannerSettings(ms_per_step={budget}))
assert all(kernel.signatures for kernel in (cost_left, {kernels}))
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_unreachable_goal_lets_its_robot_rest() -> None:
    grid = Grid.from_rows(["..@."])
    problem = RobotProblem("split", grid, np.array([0], np.int32), np.array([3], np.int32), 10)
    _, errands = run(problem)
    assert errands == 0


@pytest.mark.parametrize("seed", range(6))
def test_held_robots_stay_and_closed_cells_are_gone_round(seed: int) -> None:
    draw = np.random.default_rng(seed)
    grid, robots, steps = Grid.from_rows(["." * 9] * 7), 14, 240
    starts = draw.choice(63, robots, replace=False).astype(np.int32)
    everybody = np.arange(robots)
    planner = WindowPlanner(grid, starts, 63, PlannerSettings(window=3, chains=0, inherit_pushes=10), seed)
    goals = draw.integers(0, 63, robots).astype(np.int32)
    planner.set_goals(everybody, goals)
    actions, held, arrived = [], np.zeros(robots, np.bool_), 0
    for step in range(steps):
        if step % 15 == 7:
            let_go = np.flatnonzero(held)
            held[:] = False
            chosen = draw.choice(robots, 3, replace=False)
            planner.set_goals(let_go, goals[let_go])
            planner.hold(chosen)
            held[chosen] = True
            planner.close(planner.locations[chosen[:2]])
            shut = planner.locations[chosen[:2]]
        before = planner.locations
        actions.append(planner.step(np.full(robots, step)))
        assert np.array_equal(planner.locations[held], before[held])
        if held.any():
            moved = planner.locations[planner.locations != before]
            assert not np.isin(moved, shut).any()
        there = np.flatnonzero((planner.locations == goals) & ~held)
        arrived += len(there)
        goals[there] = draw.integers(0, 63, len(there))
        planner.set_goals(there, goals[there])
    check = check_actions(RobotProblem("held", grid, starts, starts[:1], steps), np.array(actions))
    assert check.conflicts == 0, check.listed[0].message
    assert arrived > 3 * robots


def test_a_way_behind_a_closed_cell_opens_again() -> None:
    grid = Grid.from_rows(["....."])
    planner = WindowPlanner(grid, np.array([0], np.int32), 2, PlannerSettings(window=3), 1)
    planner.close(np.array([2], np.int32))
    planner.set_goals(np.array([0]), np.array([4], np.int32))
    for _ in range(8):
        planner.step(np.zeros(1, np.int64))
    assert planner.locations[0] < 2
    planner.close(np.empty(0, np.int32))
    for _ in range(8):
        planner.step(np.zeros(1, np.int64))
    assert planner.locations[0] == 4


def test_stop_ends_a_run_early() -> None:
    problem = random_problem(1, robots=5, steps=50)
    result = make("windowed", SMALL).solve(problem, MaxIterations(10), seed=1)
    assert (len(result.solution.actions), result.status) == (10, Status.INCOMPLETE)


def test_a_strategy_of_another_package_that_cannot_be_loaded_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = SolverInfo("broken", "not_there:Nope", "entry point")
    monkeypatch.setattr("sim.robots.registry.registered", lambda: {"broken": broken})
    with pytest.raises(BrokenSolverError, match="ModuleNotFoundError"):
        make("broken")


def test_registry() -> None:
    assert {"fast", "windowed"} <= set(registered())
    assert isinstance(make("fast"), Solver)
    with pytest.raises(UnknownSolverError, match="fast"):
        make("no-such")
    with pytest.raises(ValueError, match="window"):
        make("windowed", {"window": 30})
    with pytest.raises(ValueError, match="active"):
        make("windowed", {"active": 0})
    with pytest.raises(ValueError, match="fairness"):
        make("windowed", {"fairness": -1.0})
    with pytest.raises(ValueError, match=r"no setting windows; there are: .*window"):
        make("fast", {"windows": 3})


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.sampled_from([1, 6, 2**12, 2**31, 2**45]))
@settings(max_examples=60, deadline=None)
def test_priority_is_a_stable_sort(seed: int, robots: int, spread: int) -> None:
    draw = np.random.default_rng(seed)
    plan = new_plan(np.arange(robots, dtype=np.int32), robots, 3)
    plan.resting[:] = draw.random(robots) < 0.3
    held, urgency = draw.random(robots) < 0.2, draw.integers(-spread, spread, robots)
    ranks = np.arange(robots, 0, -1, dtype=np.int32)
    key, order, spare, places = (np.empty(size, np.int64) for size in (robots, robots, robots, DIGITS))
    prioritise(plan, held, urgency, ranks, key, order, spare, places)
    wanted = np.where(held, -(2**50), np.where(plan.resting == 1, 2**50, -urgency))
    assert order.tolist() == np.argsort(wanted, kind="stable").tolist()
    assert (plan.weight[order] == ranks).all()
