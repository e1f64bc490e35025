"""Packed distances over (cell, heading) against a plain Dijkstra, and the tables' bound on memory."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from sim.robots.distances import DistanceTables
from sim.robots.grid import Grid
from sim.robots.guidance import Guidance
from sim.robots.kernels.distances import surplus_patterns
from sim.sorting.layout import WRONG_WAY
from tests.sim.robots.support import plain_distances, random_floor


@dataclass(frozen=True, slots=True)
class DearGuidance(Guidance):
    """Here and there a step that costs what sorting floors charge for driving against a bay's way."""

    def edge_costs(self, grid: Grid) -> NDArray[np.uint8]:
        costs = Guidance.edge_costs(self, grid)
        costs[::5] = WRONG_WAY
        return costs


@pytest.mark.parametrize("seed", range(6))
def test_tables_equal_dijkstra(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = random_floor(rng, 9, 12, 0.25)
    guidance = (DearGuidance if seed % 2 else Guidance)(
        along=2,
        against=int(rng.integers(2, 8)),
        turn=int(rng.integers(1, 4)),
        slope=seed % 3 / 2,
    )
    goals = rng.permutation(grid.n_free)[:5].astype(np.int32)
    tables = DistanceTables(grid, guidance, 5, 5)
    rows = tables.require(goals, goals)
    for goal, row in zip(goals.tolist(), rows.tolist(), strict=True):
        expected = plain_distances(grid, guidance, goal)
        for cell in range(grid.n_free):
            packed = int(tables.table[row, cell])
            least = min(expected[cell, heading] for heading in range(4))
            assert packed & 255 == least % 256
            found = [int(x) + least for x in tables.surplus[packed >> 8]]
            assert found == [expected[cell, heading] for heading in range(4)]


def test_unreachable_cells_are_marked() -> None:
    grid = Grid.from_rows([".@."])
    tables = DistanceTables(grid, Guidance(), 1, 1)
    tables.require(np.array([0], np.int32), np.array([0], np.int32))
    assert tables.reachable(0, np.array([0, 1], np.int32)).tolist() == [True, False]


def test_rows_are_reused_but_never_those_in_use() -> None:
    grid = Grid.from_rows(["." * 30])
    guidance = Guidance()
    tables = DistanceTables(grid, guidance, 30, 2, max_bytes=1)
    assert len(tables.table) == 4
    held = np.array([0], np.int32)
    tables.require(held, held)
    before = tables.table[tables.row_of[0]].copy()
    for goal in range(1, 30):
        row = tables.require(np.array([goal], np.int32), held)[0]
        assert int(tables.table[row, goal]) & 255 == 0
        assert np.array_equal(tables.table[tables.row_of[0]], before)
    assert (tables.row_of >= 0).sum() == 4


def test_there_is_room_beside_the_goals_for_robots_sent_aside() -> None:
    grid = Grid.from_rows(["." * 30])
    tables = DistanceTables(grid, Guidance(), goals=1, robots=3)
    goals = np.array([7, 7, 7], np.int32)
    before = tables.table[tables.require(goals, goals)[0]].copy()
    aside = np.array([1, 2], np.int32)
    tables.require(aside, goals)
    assert np.array_equal(tables.table[tables.row_of[7]], before)


def test_pattern_codes_are_one_to_one() -> None:
    for turn in (1, 2, 3):
        patterns, codes = surplus_patterns(turn)
        base = 2 * turn + 1
        for code, pattern in enumerate(patterns.tolist()):
            number = 0
            for surplus in pattern:
                number = number * base + surplus
            assert codes[number] == code
    with pytest.raises(ValueError, match="turning cost 4"):
        surplus_patterns(4)


def test_lanes_alternate() -> None:
    grid = Grid.from_rows(["...", "...", "..."])
    costs = Guidance(along=2, against=5).edge_costs(grid)
    assert costs[0].tolist() == [2, 2, 5, 5]
    assert costs[3].tolist() == [5, 2, 2, 5]
    assert costs[1].tolist() == [2, 5, 5, 2]


@pytest.mark.parametrize("turned", [False, True])
def test_the_long_leg_is_cheapest_beside_the_end_that_lies_inside(turned: bool) -> None:
    grid = Grid.from_rows(["." * 40] * 90 if turned else ["." * 90] * 40)
    extra, field = Guidance(slope=1.0).fields(grid)
    lanes = grid.index.reshape(grid.height, grid.width)
    lanes = lanes.T if turned else lanes

    def surcharge(goal: int, lane: int) -> int:
        """Of driving a lane from end to end, when bound for the middle of lane `goal`."""
        both = extra[field[lanes[goal, 45]]][lanes[lane]].sum(axis=0)
        forth, back, crossing, crossing_back = np.roll(both, 1 if turned else 0)[[0, 2, 1, 3]]
        assert forth == back
        assert crossing == crossing_back == 0
        return int(forth)

    assert surcharge(20, 20) < 5
    assert surcharge(20, 20) < surcharge(20, 30) < surcharge(20, 38)
    assert surcharge(1, 35) < surcharge(1, 15) < surcharge(1, 1)
    assert surcharge(1, 1) > 80


def test_guidance_rejects_costs_out_of_range() -> None:
    with pytest.raises(ValueError, match="turning"):
        Guidance(turn=4)
    with pytest.raises(ValueError, match="costs"):
        Guidance(against=9)
    with pytest.raises(ValueError, match="slope"):
        Guidance(slope=-1)
