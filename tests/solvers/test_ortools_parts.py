"""How the `ortools` solver cuts a problem into groups."""

from __future__ import annotations

import numpy as np
import pytest

from solvers import Problem, ProblemBuilder
from solvers.ortools_parts import compact_groups, decisive, penalties


def ring(loads: list[int], capacity: int | None, turn: float = 0.0) -> Problem:
    """Visits all around the depot, but for a gap before the first."""
    b = ProblemBuilder(name="ring")
    b.depot(0, 0)
    for k, load in enumerate(loads):
        angle = turn + 2 * np.pi * k / (len(loads) + 3)
        b.visit(1000 * np.cos(angle), 1000 * np.sin(angle), delivery=load)
    b.vehicle_type(count=len(loads), capacity=capacity if capacity is not None else 10**9)
    return b.build()


@pytest.mark.parametrize("turn", [0.0, 1.0, 3.0, 5.0])
def test_sectors_begin_behind_the_widest_gap(turn: float) -> None:
    """So neighbours across the gap are not together."""
    assert compact_groups(ring([1] * 12, 4, turn), range(12), 4) == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9, 10, 11],
    ]


def test_sectors_hold_loads_for_whole_vehicles() -> None:
    """Five vehicles in two sectors are two and three, however the visits are spread."""
    loads = [10, 10, 10, 10] + [1] * 60
    one, two = compact_groups(ring(loads, 20), range(64), 32)
    assert (sum(loads[v] for v in one), sum(loads[v] for v in two)) == (40, 60)


def test_sectors_are_of_equal_length_where_one_vehicle_could_take_all() -> None:
    loads = [10, 10, 10, 10] + [1] * 60
    assert [len(g) for g in compact_groups(ring(loads, None), range(64), 32)] == [32, 32]


def test_every_visit_is_in_one_group() -> None:
    rng = np.random.default_rng(3)
    problem = ring(rng.integers(1, 100, 500).tolist(), 130)
    groups = compact_groups(problem, range(500), 60)
    assert sorted(v for g in groups for v in g) == list(range(500))
    assert max(len(g) for g in groups) <= 80


@pytest.mark.parametrize("unit", [1, 10_000])
def test_levels_of_priority_stay_apart_in_small_units(unit: int) -> None:
    """A visit outweighs all of lower levels, and what a whole plan costs where there is room for that, too."""
    b = ProblemBuilder()
    b.depot(0, 0)
    for k in range(900):
        b.visit(unit * (k % 30), unit * (k // 30), delivery=1, priority=k % 3)
    b.vehicle_type(count=900, capacity=10)
    problem = b.build()
    penalty = penalties(problem)
    low, middle, high = (penalty[level::3] for level in range(3))
    assert middle.min() > low.sum()
    assert high.min() > low.sum() + middle.sum()
    assert decisive(problem, penalty) == (unit == 1)
