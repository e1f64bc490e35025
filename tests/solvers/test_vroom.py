"""What the adapter to VROOM adds: routes that cost the same either way have one direction."""

from __future__ import annotations

import numpy as np
import pytest

from solvers import MaxRuntime, ProblemBuilder, Route, Travel, make


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


@pytest.mark.parametrize(("far", "diagonal"), [(50, 10**14), (2**33, 0)])
def test_legs_beyond_32_bits_are_refused_and_the_diagonal_is_no_leg(far: int, diagonal: int) -> None:
    common = pytest.importorskip("solvers.peers.common")
    pytest.importorskip("vroom")
    table = np.full((4, 4), 10)
    table[1, 2] = table[2, 1] = far
    np.fill_diagonal(table[1:, 1:], diagonal)
    table[0, 0] = 0
    b = ProblemBuilder()
    b.depot()
    for _ in range(3):
        b.visit(delivery=1)
    b.vehicle_type(count=1, capacity=3)
    b.travel(Travel.of_matrices(table))
    problem, solver = b.build(), make("vroom")
    if far < 2**32:
        assert solver.solve(problem, MaxRuntime(1), seed=1).cost == 40
    else:
        with pytest.raises(common.PeerFailedError, match="larger units"):
            solver.solve(problem, MaxRuntime(1), seed=1)


@pytest.mark.parametrize("seed", [2, 3, 4, 5])
def test_like_vehicles_take_their_routes_in_one_order(seed: int) -> None:
    pytest.importorskip("vroom")
    b = ProblemBuilder()
    b.depot(50, 50)
    for x, y in np.random.default_rng(seed).integers(0, 100, (12, 2)):
        b.visit(int(x), int(y), delivery=1)
    b.vehicle_type(count=6, capacity=3)
    b.vehicle_type(count=2, capacity=3, fixed_cost=1000)
    routes = [route.visits for route in make("vroom").solve(b.build(), MaxRuntime(1), seed=1).solution.routes]
    assert len(routes) == 4
    assert routes == sorted(routes)
