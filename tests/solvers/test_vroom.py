"""What the adapter to VROOM adds: routes that cost the same either way have one direction."""

from __future__ import annotations

import pytest

from solvers import ProblemBuilder, Route


@pytest.mark.parametrize(("late", "expected"), [(1000, (0, 1, 2)), (15, (2, 1, 0))])
def test_routes_have_one_direction_unless_it_matters(late: int, expected: tuple[int, ...]) -> None:
    directed = pytest.importorskip("solvers.peers.vroom").directed
    b = ProblemBuilder()
    b.depot(0, 0)
    b.visit(0, 10, delivery=1)
    b.visit(10, 10, delivery=1)
    b.visit(10, 0, delivery=1, tw=(0, late))
    b.vehicle_type(count=1, capacity=3)
    assert directed(b.build(), Route(0, (2, 1, 0))).visits == expected
    assert directed(b.build(), Route(0, (0, 1, 2))).visits == (0, 1, 2)
