"""Priorities as weights: lexicographic as far as the weights reach, and then in favour of the highest."""

from __future__ import annotations

from typing import Any

import pytest

from solvers import MaxIterations, ProblemBuilder, make
from solvers.importance import MOST, level_weights


def test_one_visit_of_a_level_outweighs_all_of_lower_ones() -> None:
    assert level_weights([]) == []
    assert level_weights([7]) == [1]
    assert level_weights([3, 2, 5]) == [1, 4, 12]


def test_the_lowest_of_too_many_levels_weigh_the_same() -> None:
    counts = [1] * 60
    weights = level_weights(counts)
    assert sum(weights) < MOST
    merged = weights.count(1)
    assert 20 < merged < 60
    for level in range(merged, 60):
        assert weights[level] > sum(weights[:level])
    assert level_weights([MOST, MOST]) == [1, 1]


def test_many_levels_are_not_all_looked_at_again_and_again() -> None:
    """A few dozen of the 2,000 fill the range, wherever they begin."""
    looked_at = 0

    class Noted(list[int]):
        def __getitem__(self, levels: Any) -> Any:
            nonlocal looked_at
            for count in super().__getitem__(levels):
                looked_at += 1
                yield count

    weights = level_weights(Noted([1] * 2000))
    assert weights == level_weights([1] * 2000)
    assert 0 < looked_at < 2000 * 50


@pytest.mark.parametrize("name", ["savings", "ruin_recreate", "genetic", "ant_colony", "alns"])
def test_the_highest_of_sixty_priorities_is_served(name: str) -> None:
    b = ProblemBuilder()
    b.depot(0, 0)
    for priority in range(60):
        b.visit(10 + priority % 7, priority % 5, delivery=1, priority=priority)
    b.vehicle_type(count=1, capacity=1)
    result = make(name).solve(b.build(), MaxIterations(2000), seed=1)
    assert result.solution.served() == {59}
